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
#include <signal.h>
#include <stdarg.h>
#include <sys/random.h>

struct options opt;
bool inside;
static void clean_up(void);

/* ---- must: every step, checked and shown ---- */

static const char *at, *called, *values; /* the step that is being taken */

/* --explain=step, or =FILE:LINE: wait for Enter before it. */
static void wait_for_enter(void) {
    char answer[80] = "";
    if (strcmp(opt.explain, "step") != 0 && strcmp(opt.explain, at) != 0)
        return;
    dprintf(2, "%*s%s %s%s [Enter, or q to quit] ", inside ? 40 : 0, "", at, called, values);
    if (read(3, answer, sizeof answer) > 0 && *answer == 'q') /* bare: nobody may be there */
        die("stopped before %s", at);
}

void step(const char *file, int line, const char *call, const char *format, ...) {
    static char place[40], value[512];
    va_list list;
    snprintf(place, sizeof place, "%s:%d", file, line);
    va_start(list, format);
    vsnprintf(value, sizeof value, format, list);
    va_end(list);
    at = place, called = call, values = value;
    if (opt.explain)
        wait_for_enter();
}

long done(long result) {
    if (result == -1)
        die("%s: %s%s: %s%s", at, called, values, strerror(errno),
            errno == ENOSYS ? " (Linux 5.15 or later is needed)" : "");
    if (opt.explain)
        dprintf(2, "%*s%s %s%s = %ld\n", inside ? 40 : 0, "", at, called, values, result);
    return result;
}

_Noreturn void die_with(int status, const char *format, ...) {
    char why[4096];
    va_list list;
    va_start(list, format);
    vsnprintf(why, sizeof why, format, list);
    dprintf(2, "container: %s\n", why);
    if (!inside)
        clean_up();
    _exit(status);
}

/* ---- text ---- */

char *text(const char *format, ...) {
    char *result = NULL;
    va_list list;
    va_start(list, format);
    if (vasprintf(&result, format, list) == -1)
        die("out of memory");
    va_end(list);
    return result;
}

long put(const char *path, const char *format, ...) {
    int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC | (*path == '/' ? 0 : O_CREAT), 0644);
    va_list list;
    va_start(list, format);
    int written = fd == -1 ? -1 : vdprintf(fd, format, list);
    va_end(list);
    close(fd);
    return written < 0 ? -1 : 0;
}

char *get(const char *path) {
    char *content = calloc(1, 65536);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = read(fd, content, 65535);
    close(fd);
    if (size > 0 && content[size - 1] == '\n')
        content[size - 1] = '\0';
    return content;
}

bool matches(const char *value, const char *pattern) {
    regex_t regex;
    return regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) == 0 &&
           regexec(&regex, value, 0, NULL, 0) == 0;
}

/* ---- options ---- */

enum kind { FLAG, TEXT, ENV, VOLUME, CAPABILITY, EXPLAIN, LATER };

/* A value must match its pattern, as a whole; FORM and HELP say in words what is wanted. */
static const struct option_row {
    char letter;
    const char *name;
    enum kind kind;
    void *where;
    const char *pattern, *form, *help;
} rows[] = {
    // clang-format off
    { 't', "tty",         FLAG,       &opt.tty,         NULL, "",                "give it a terminal of its own" },
    { 'i', "interactive", FLAG,       &opt.interactive, NULL, "",                "accepted: standard input is connected" },
    { 'd', "detach",      LATER,      NULL,             NULL, "",                "not there yet" },
    { 0,   "name",        TEXT,       &opt.name,        NAME, "NAME",            "letters and digits, inside also _ . -" },
    { 0,   "rm",          FLAG,       &opt.rm,          NULL, "",                "keep nothing when it has ended" },
    { 'h', "hostname",    TEXT,       &opt.hostname,    NAME, "NAME",            "else the container's name" },
    { 'e', "env",         ENV,        opt.env,          "^[^=]+(=|$)", "NAME=VALUE", "environment; NAME alone: as it is here" },
    { 'w', "workdir",     TEXT,       &opt.workdir,     "^/",          "/DIR",   "where the program starts" },
    { 'u', "user",        TEXT,       &opt.user,        "^([0-3]?[0-9]{1,9}(:[0-3]?[0-9]{1,9})?|[a-zA-Z_][a-zA-Z0-9_.-]*)$",
                                                        "UID[:GID]",             "or a name in the image's /etc/passwd" },
    { 'v', "volume",      VOLUME,     NULL,             "^[^:]+:/[^:]*(:ro)?$", "SRC:/DST[:ro]", "show a host's file or directory" },
    { 0,   "read-only",   FLAG,       &opt.read_only,   NULL, "",                "only volumes can be written" },
    { 'm', "memory",      TEXT,       &opt.memory,      "^[1-9][0-9]{0,8}[kmgKMG]?$", "SIZE", "as in 64M; swap counts" },
    { 0,   "cpus",        TEXT,       &opt.cpus,        "^[0-9]{1,4}([.][0-9]{1,3})?$", "NUMBER", "as in 1.5 processors" },
    { 0,   "pids-limit",  TEXT,       &opt.pids,        "^[1-9][0-9]{0,6}$",  "NUMBER", "processes and threads" },
    { 0,   "io",          TEXT,       &opt.io,          "^[0-9]+:[0-9]+ [a-z]+=", "'MAJ:MIN wbps=BYTES'", "a line for io.max" },
    { 0,   "network",     TEXT,       &opt.network,     "^(bridge|none|host)$",   "bridge|none|host", "rootless: none" },
    { 0,   "ip",          TEXT,       &opt.ip,          "^[0-9]+[.][0-9]+[.][0-9]+[.][0-9]+$", "ADDRESS", "one of the bridge's network" },
    { 'p', "publish",     LATER,      NULL,             "", "HOST:CONTAINER",    "not there yet" },
    { 0,   "cap-add",     CAPABILITY, &opt.cap_add,     "", "CAPABILITY",        "as in NET_ADMIN, or ALL" },
    { 0,   "cap-drop",    CAPABILITY, &opt.cap_drop,    "", "CAPABILITY",        "adding wins over dropping" },
    { 0,   "privileged",  FLAG,       &opt.privileged,  NULL, "",                "every capability, no filter, no masks" },
    { 0,   "explain",     EXPLAIN,    NULL,             "^(step|[a-z]+[.]c:[0-9]+)$", "[=step|FILE:LINE]", "say each step; wait before it" },
    // clang-format on
};

static _Noreturn void usage(int status) {
    printf("usage: container run [OPTIONS] IMAGE [COMMAND [ARG...]]\n\n");
    for (const struct option_row *row = rows; row < rows + COUNT(rows); row++)
        printf("  %c%c --%-12s %-20s %s\n", row->letter ? '-' : ' ', row->letter ? row->letter : ' ',
               row->name, row->form, row->help);
    exit(status);
}

/* Give VALUE, which the row's pattern has accepted, to the row's variable. False: unknown. */
static bool assign(const struct option_row *row, char *value) {
    char **list = row->where;
    switch (row->kind) {
    case FLAG:
        return *(bool *)row->where = true;
    case TEXT:
        return (*list = value) != NULL;
    case ENV:
        while (*list)
            list++;
        if (strchr(value, '=') || getenv(value))
            *list = strchr(value, '=') ? value : text("%s=%s", value, getenv(value));
        return list < opt.env + COUNT(opt.env) - 1;
    case VOLUME:
        fs_volume(value);
        return true;
    case CAPABILITY:
        *(uint64_t *)row->where |= ns_capability(value);
        return ns_capability(value);
    case EXPLAIN: /* main has kept fd 3 for the terminal that steps wait for */
        opt.explain = value ? value : "";
        return !value || (!opt.tty && dup3(open("/dev/tty", O_RDWR), 3, O_CLOEXEC) == 3);
    default:
        return false;
    }
}

/* Read options up to the first argument that is none; its index. WHO asks: LOOK only where
 * IMAGE stands; on behalf of the IMAGE, which may not open the host; or for the USER. */
enum who { LOOK, IMAGE, USER };
static int parse(int count, char **arguments, enum who who) {
    struct option longs[COUNT(rows) + 1] = { 0 };
    char shorts[2 * COUNT(rows) + 3] = "+:";
    const struct option_row *row;
    for (int i = 0; i < COUNT(rows); i++) {
        int has_value = !*rows[i].form ? no_argument : *rows[i].form == '[' ? optional_argument : required_argument;
        longs[i] = (struct option){ rows[i].name, has_value, NULL, 256 + i };
        if (rows[i].letter)
            sprintf(shorts + strlen(shorts), "%c%s", rows[i].letter, has_value ? ":" : "");
    }
    optind = 0;
    for (int found; (found = getopt_long(count, arguments, shorts, longs, NULL)) != -1;) {
        if (found == '?' || found == ':')
            die("option %s: %s (see container --help)", arguments[optind - 1],
                found == ':' ? "needs a value" : "unknown");
        for (row = rows; row->letter != found && row - rows + 256 != found; row++)
            ;
        if (who == IMAGE && (!row->letter || !strchr("tiehwu", row->letter)))
            die("the image's args: --%s is for the user alone to give", row->name);
        if (who != LOOK && ((optarg && !matches(optarg, row->pattern)) || !assign(row, optarg)))
            die("--%s %s: want %s, %s", row->name, optarg ? optarg : "", row->form, row->help);
    }
    return optind;
}

/* The image's own arguments come before the user's, so the user's are read twice. */
static void read_arguments(int count, char **arguments, const char *home) {
    static char *defaults[256] = { "args" };
    int image = parse(count, arguments, LOOK), n = 1;
    if (image == count)
        die("which IMAGE? (see container --help)");
    char *lines = fs_image(home, arguments[image]);
    while (n < COUNT(defaults) - 1 && lines && *lines)
        defaults[n++] = strsep(&lines, "\n");
    int command = parse(n, defaults, IMAGE);
    parse(count, arguments, USER);
    opt.command = image + 1 < count ? arguments + image + 1 : defaults + command;
    if (!*opt.command)
        die("IMAGE %s names no command: which COMMAND?", arguments[image]);
}

/* ---- the life of a container ---- */

static bool created, ended; /* its directory is ours to remove; its program has run */

/* What the container has on the host is undone here, and nowhere else. */
static void clean_up(void) {
    ns_stop();
    if (!created)
        return;
    cgroup_remove();
    if (opt.rm || !ended)
        fs_remove(text("../%s", opt.name));
}

static char *find_home(void) {
    char *home = getenv("CONTAINER_HOME");
    if (home && *home)
        return home;
    return opt.rootless ? text("%s/.local/share/container", getenv("HOME")) : "/var/lib/container";
}

/* mkdir is the lock: of two that want one name, one gets it. We work inside the directory from
 * here on, so that its files are "upper", "etc/hosts", and so on. */
static void make_state(const char *home) {
    char *dir = text("%s/containers/%s", home, opt.name);
    fs_mkdirs(dir);
    if (mkdir(dir, 0700) == -1 && errno == EEXIST)
        die("--name %s: there is a container with this name", opt.name);
    must(chdir(dir), "%s", dir);
    created = true;
    must(mkdir("upper", 0755));
    must(mkdir("work", 0755));
    must(mkdir("merged", 0755));
}

static int run(int count, char **arguments) {
    unsigned number = 0;
    opt.rootless = ns_rootless();
    read_arguments(count, arguments, find_home());
    getrandom(&number, 3, 0);
    opt.name = opt.name ? opt.name : text("c%06x", number);
    opt.hostname = opt.hostname ? opt.hostname : opt.name;
    opt.user = opt.user ? opt.user : "0";
    opt.network = opt.network ? opt.network : opt.rootless ? "none" : "bridge";
    make_state(find_home());
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
    signal(SIGCHLD, SIG_DFL);
    sys(close_range, 3, ~0U, 0); /* what our caller has left open must not reach a container */
    while (open("/dev/null", O_RDWR | O_CLOEXEC) < 3)
        ; /* 0, 1 and 2 must be something; 3 is kept, see EXPLAIN */
    if (count < 2 || !strcmp(arguments[1], "--help"))
        usage(count < 2 ? 125 : 0);
    if (strcmp(arguments[1], "run") != 0)
        die("%s: no such command (see container --help)", arguments[1]);
    return run(count - 1, arguments + 1);
}
