/* SPDX-License-Identifier: MIT */
/*
 * container.c - the command line, what is kept on disk, and the life of a container.
 *
 *      HOME/images/IMAGE/      layers, args: what a container starts from
 *      HOME/layers/            directories that images share
 *      HOME/containers/NAME/   upper (what it has written), etc, and one small
 *                              file for each fact: cat them
 *
 * Start reading at main, which is last; then run, and from there follow the
 * functions into the other chapters, in the order of the calls.
 */
#include "container.h"
#include <getopt.h>
#include <regex.h>
#include <stdarg.h>

struct options opt = { .user = "0", .workdir = "/" };
bool inside;
static bool clean_up(void);

/* ---- must: every step, checked and shown ---- */

static const char *now; /* the step that is being taken */

/* Before it. --explain=step, or =FILE:LINE: wait for Enter. */
void step(const char *file, int line, const char *call, const char *values) {
    char answer[80] = "", *place = text("%s:%d", file, line);
    now = text("%s: %s%s", place, call, values);
    if (!opt.explain || (strcmp(opt.explain, "step") != 0 && strcmp(opt.explain, place) != 0))
        return;
    dprintf(2, "%*s%s [Enter, or q to quit] ", inside ? 40 : 0, "", now);
    if (read(3, answer, sizeof answer) > 0 && *answer == 'q') /* bare: nobody may be there */
        die("stopped before %s", place);
}

/* After it. */
long done(long result) {
    if (result == -1)
        die("%s: %s%s", now, strerror(errno), errno == ENOSYS ? " (want Linux 5.15 or later)" : "");
    if (opt.explain) dprintf(2, "%*s%s = %ld\n", inside ? 40 : 0, "", now, result);
    return result;
}

_Noreturn void quit(int status, const char *why) {
    bool said = !inside && clean_up(); /* init had failed, and has said why */
    if (why && !said) dprintf(2, "container: %s\n", why);
    if (inside)
        write(4, &(int){ -status }, sizeof(int)); /* see hear, in ns.c */
    _exit(status);
}

/* ---- text ---- */

char *text(const char *format, ...) {
    char *result = NULL;
    va_list values;
    va_start(values, format);
    if (vasprintf(&result, format, values) == -1 || !result) _exit(125);
    va_end(values);
    return result;
}

long write_file(const char *path, const char *content) {
    int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC | (*path == '/' ? 0 : O_CREAT), 0644);
    ssize_t size = strlen(content);
    if (fd == -1 || write(fd, content, size) != size) return -1;
    return close(fd);
}

char *get(const char *path) {
    char *content = calloc(1, 65536);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* it may be a fifo */
    ssize_t size = read(fd, content, 65535);
    close(fd);
    if (size > 0 && content[size - 1] == '\n') content[size - 1] = '\0';
    return content;
}

bool matches(const char *value, const char *pattern) {
    regex_t regex;
    return regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) == 0 &&
           regexec(&regex, value, 0, NULL, 0) == 0;
}

/* ---- options ---- */

// clang-format off
enum kind { FLAG, TEXT, ENV, VOLUME, CAPABILITY, EXPLAIN, LATER };
#define CPUS "^([1-9][0-9]{0,3}([.][0-9]{1,3})?|0?[.](0[1-9]|[1-9])[0-9]?)$" /* from 0.01 */
enum who { LOOK, FOR_IMAGE, FOR_USER };
// clang-format on

/* What is given to an option must match its pattern as a whole; FORM says it in words. */
static const struct option_row {
    const char *letter, *name;
    enum kind kind;
    void *where;
    const char *form, *pattern;
} rows[] = {
    { "-t", "tty", FLAG, &opt.tty, "(a terminal of its own)", NULL },
    { "-i", "interactive", FLAG, &opt.interactive, "(standard input always is)", NULL },
    { "-d", "detach", LATER, NULL, "(not there yet)", NULL },
    { "  ", "name", TEXT, &opt.name, "NAME", NAME },
    { "  ", "rm", FLAG, &opt.rm, "(keep nothing afterwards)", NULL },
    { "-h", "hostname", TEXT, &opt.hostname, "NAME", NAME },
    { "-e", "env", ENV, opt.env, "NAME=VALUE, or NAME to take ours", "^[^=]+(=|$)" },
    { "-w", "workdir", TEXT, &opt.workdir, "/DIR", "^/" },
    { "-u", "user", TEXT, &opt.user, "UID, UID:GID or a name in the image's /etc/passwd", USER },
    { "-v", "volume", VOLUME, NULL, "SRC:/DST or SRC:/DST:ro", "^[^:]+:/[^:]*(:ro)?$" },
    { "  ", "read-only", FLAG, &opt.read_only, "(but for volumes)", NULL },
    { "-m", "memory", TEXT, &opt.memory, "SIZE, as in 64M", "^[1-9][0-9]{0,8}[kmgKMG]?$" },
    { "  ", "cpus", TEXT, &opt.cpus, "NUMBER, as in 1.5", CPUS },
    { "  ", "pids-limit", TEXT, &opt.pids, "NUMBER, as in 64", "^[1-9][0-9]{0,5}$" },
    { "  ", "io", TEXT, &opt.io, "'MAJ:MIN wbps=BYTES'", "^[0-9]+:[0-9]+ [a-z]+=" },
    { "  ", "network", TEXT, &opt.network, "bridge, none or host", "^(bridge|none|host)$" },
    { "  ", "ip", TEXT, &opt.ip, "ADDRESS, as in 10.66.0.9", "^((0|[1-9][0-9]{0,2})([.]|$)){4}$" },
    { "-p", "publish", LATER, NULL, "(not there yet)", "" },
    { "  ", "cap-add", CAPABILITY, &opt.cap_add, "CAPABILITY, as in NET_ADMIN, or ALL", "" },
    { "  ", "cap-drop", CAPABILITY, &opt.cap_drop, "CAPABILITY, as in CHOWN, or ALL", "" },
    { "  ", "privileged", FLAG, &opt.privileged, "(all capabilities, no filter, no masks)", NULL },
    { "  ", "explain", EXPLAIN, NULL, "[=step or =FILE:LINE]", "^(step|[a-z]+[.]c:[0-9]+)$" },
};

/* Give VALUE, which the row's pattern has accepted, to the row's variable. False: unknown. */
static bool assign(const struct option_row *row, char *value) {
    char **list = row->where;
    switch (row->kind) {
    case FLAG:
        return *(bool *)row->where = true;
    case TEXT:
        return (*list = value) != NULL;
    case ENV:
        while (*list) list++;
        if (strchr(value, '=') || getenv(value))
            *list = strchr(value, '=') ? value : text("%s=%s", value, getenv(value));
        return list < opt.env + COUNT(opt.env) - 1;
    case VOLUME:
        fs_volume(value);
        return true;
    case CAPABILITY:
        *(uint64_t *)row->where |= ns_capability(value);
        return ns_capability(value);
    case EXPLAIN:
        opt.explain = value ? value : "";
        if (value && (opt.tty || dup3(open("/dev/tty", O_RDWR), 3, O_CLOEXEC) == -1))
            die("--explain=%s: wants a terminal for itself", value);
        return true;
    default:
        die("--%s %s: not there yet", row->name, value ? value : "");
    }
}

/* Read options up to the first argument that is none; its index. They may be wanted only
 * to see where IMAGE stands; or for the image, which may not open the host; or for the user. */
static int parse(int count, char **arguments, enum who who) {
    struct option longs[COUNT(rows) + 1] = { 0 };
    char shorts[2 * COUNT(rows) + 3] = "+:";
    const struct option_row *row;
    for (int i = 0; i < COUNT(rows); i++) {
        int takes = rows[i].kind == EXPLAIN ? optional_argument : rows[i].pattern != NULL;
        longs[i] = (struct option){ rows[i].name, takes, NULL, 256 + i };
        if (rows[i].letter[1] != ' ')
            sprintf(shorts + strlen(shorts), "%c%s", rows[i].letter[1], takes ? ":" : "");
    }
    optind = 0;
    for (int found; (found = getopt_long(count, arguments, shorts, longs, NULL)) != -1;) {
        if (found == '?' || found == ':')
            die("option %s: unknown, or no value (see container --help)", arguments[optind - 1]);
        row = rows;
        while (row->letter[1] != found && row - rows + 256 != found) row++;
        if (who == FOR_IMAGE &&
            !(row->kind == ENV ? strchr(optarg, '=') : strchr("tihwu", row->letter[1])))
            die("the image's args: --%s is for the user alone to give", row->name);
        if (who != LOOK && ((optarg && !matches(optarg, row->pattern)) || !assign(row, optarg)))
            die("--%s %s: want %s", row->name, optarg ? optarg : "", row->form);
    }
    return optind;
}

/* The image's own arguments come before the user's, so the user's are read twice. */
static void read_arguments(int count, char **arguments, const char *home) {
    int image = parse(count, arguments, LOOK), n = 1;
    if (image == count) die("which IMAGE? (see container --help)");
    char *lines = fs_image(home, arguments[image]);
    char **defaults = calloc(strlen(lines) + 3, sizeof *defaults);
    while (lines && *lines) defaults[n++] = strsep(&lines, "\n");
    int command = parse(n, defaults, FOR_IMAGE);
    parse(count, arguments, FOR_USER);
    opt.command = image + 1 < count ? arguments + image + 1 : defaults + command;
    if (!*opt.command)
        die("IMAGE %s names no command: which COMMAND?", arguments[image]);
}

/* ---- the life of a container ---- */

static bool created, ended; /* its directory is ours to remove; its program has run */
static char *containers; /* where the directory is */

/* What the container has on the host is undone here, and nowhere else. True: init had failed. */
static bool clean_up(void) {
    bool failed = ns_stop();
    if (created) cgroup_remove();
    if (created && (opt.rm || !ended) && chdir(containers) == 0) fs_remove(opt.name);
    return failed;
}

static char *find_home(void) {
    char *said = getenv("CONTAINER_HOME"), *user = getenv("HOME");
    if (said && *said)
        return *said == '/' ? said : text("%s/%s", getcwd(NULL, 0), said);
    return opt.rootless && user ? text("%s/.local/share/container", user) : "/var/lib/container";
}

/* mkdir is the lock: of two that want one name, one gets it. We work inside the directory from
 * here on, so that its files are "upper", "etc/hosts", and so on. */
static void make_state(const char *home, const char *name) {
    containers = text("%s/containers/", home);
    // NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): a name is never NULL here
    if (fs_mkdirs(containers) == -1 || chdir(containers) == -1 || mkdir(name, 0700) == -1)
        die("CONTAINER_HOME %s, --name %s: %s", home, name,
            errno == EEXIST ? "there is a container with this name" : strerror(errno));
    created = true;
    must(chdir(name), "%s%s", containers, name);
    must(mkdir("upper", 0755));
    must(mkdir("work", 0755));
    must(mkdir("merged", 0755));
}

static int run(int count, char **arguments) {
    unsigned number = 0;
    opt.rootless = !(ns_permitted() & ns_capability("SYS_ADMIN"));
    read_arguments(count, arguments, find_home());
    sys(getrandom, &number, 3, 0);
    opt.name = opt.name ? opt.name : text("c%06x", number);
    opt.hostname = opt.hostname ? opt.hostname : opt.name;
    opt.network = opt.network ? opt.network : (opt.rootless ? "none" : "bridge");
    if (opt.tty && !isatty(0)) die("--tty: standard input is no terminal");
    make_state(find_home(), opt.name);
    net_prepare();
    pid_t init = ns_start(cgroup_create());
    cgroup_join(init);
    int status = ns_watch(net_connect(init));
    ended = true;
    if (status == 137 && opt.memory && cgroup_oom_kills() > 0)
        dprintf(2, "container: killed: out of memory (limit %s)\n", opt.memory);
    put("exit", "%d\n", status);
    clean_up();
    return status;
}

int main(int count, char **arguments) {
    umask(022);
    sys(close_range, 3, ~0U, 0); /* what our caller has left open must not reach a container */
    for (int fd = 0; fd >= 0 && fd < 4;) /* 0, 1, 2 must be something; 3 is for the terminal of */
        fd = open("/dev/null", O_RDWR); /* --explain=step, and 4 for the meeting: see ns_start */
    fcntl(3, F_SETFD, FD_CLOEXEC);
    if (count > 1 && !strcmp(arguments[1], "run")) return run(count - 1, arguments + 1);
    if (count > 1 && strcmp(arguments[1], "--help") != 0)
        die("%s: no such command (see container --help)", arguments[1]);
    printf("usage: container run [OPTIONS] IMAGE [COMMAND [ARG...]]\n\n");
    for (const struct option_row *row = rows; row < rows + COUNT(rows); row++)
        printf("  %s --%-12s %s\n", row->letter, row->name, row->form);
    return count > 1 ? 0 : 125;
}
