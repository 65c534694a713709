/* SPDX-License-Identifier: MIT */
/*
 * container.c - the command line, what is kept on disk, and the life of a container.
 *
 *      HOME/images/IMAGE/      layers, args: what a container starts from
 *      HOME/layers/            directories that images share
 *      HOME/containers/NAME/   upper (what it has written), etc, and one small
 *                              file for each fact: cat them
 *
 *      create --> created --start--> running --> exited --start--> running ...
 *      run -----------------------------^  pause, unpause, exec, stop    rm, commit
 *
 * Start reading at main, which is last; then run and live, and from there follow the
 * functions into the other chapters, in the order of the calls.
 */
#include "container.h"
#include <getopt.h>
#include <regex.h>
#include <stdarg.h>
#include <sys/file.h>
#include <time.h>

struct options opt = { .user = "0", .workdir = "/", .seconds = "10", .join = -1 };
bool inside;
static char *home; /* CONTAINER_HOME */
static int count; /* what was typed after "container", */
static char **words; /* of which the first is the command */
static unsigned number; /* a random one: names that we invent are nobody else's */
static void clean_up(int status, const char *why);

/* ---- must: every step, checked and shown ---- */

static const char *now; /* the step that is being taken */

/* Before it. --explain=step, or =FILE:LINE: wait for Enter, which the terminal behind standard
 * error can tell, too. */
void step(const char *file, int line, const char *call, const char *values) {
    char answer[80] = "", *place = text("%s:%d", file, line);
    now = text("%s: %s%s", place, call, values);
    if (!opt.explain || (strcmp(opt.explain, "step") != 0 && strcmp(opt.explain, place) != 0))
        return;
    dprintf(2, "%*s%s [Enter, or q to quit] ", inside ? 40 : 0, "", now);
    read(2, answer, sizeof answer); /* bare: nobody may be there */
    if (*answer == 'q') die("stopped before %s", place);
}

/* After it. What happens inside stands on the right. */
long done(long result) {
    const char *hint = errno == ENOSYS  ? " (want Linux 5.15 or later, and no sandbox around us)"
                       : errno == EPERM ? " (make doctor may know why)"
                                        : "";
    if (result == -1) die("%s: %s%s", now, strerror(errno), hint);
    if (opt.explain) dprintf(2, "%*s%s = %ld\n", inside ? 40 : 0, "", now, result);
    return result;
}

/* What an image or a container has a say in may hold bytes that a terminal obeys. */
static char *plain(char *line) {
    for (char *c = line; *c; c++)
        if (*c < ' ' || *c > '~') *c = '?';
    return line;
}

_Noreturn void quit(int status, const char *why) {
    if (!inside) clean_up(status, why);
    why = plain(text("%s", why));
    inside ? dprintf(4, "%d %.3000s", status, why) : dprintf(2, "container: %s\n", why);
    _exit(status);
}

/* ---- text ---- */

char *text(const char *format, ...) {
    int saved = errno;
    char *result;
    va_list values;
    va_start(values, format);
    if (vasprintf(&result, format, values) == -1) _exit(125);
    va_end(values);
    errno = saved;
    return result;
}

long write_file(const char *path, const char *content, ssize_t size) {
    const char *target = strchr(path, '/') ? path : text("%s.new", path);
    int fd = open(target, O_WRONLY | O_TRUNC | O_CLOEXEC | (*path == '/' ? 0 : O_CREAT), 0644);
    if (size == 0) size = strlen(content);
    if (fd != -1) errno = ENOSPC; /* what it means when only a part was written */
    if (fd == -1 || write(fd, content, size) != size || close(fd) == -1) return -1;
    return target == path ? 0 : rename(target, path);
}

#define LIMIT (256 << 10) /* bytes that get reads: arguments may be long */
char *get(const char *path) {
    static char content[LIMIT];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* it may be a fifo */
    ssize_t size = read(fd, content, LIMIT - 1);
    close(fd);
    if (size > 0 && content[size - 1] == '\n') size--;
    return text("%.*s", size > 0 ? (int)size : 0, content);
}

bool matches(const char *value, const char *pattern) {
    regex_t regex;
    return regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) == 0 &&
           regexec(&regex, value, 0, NULL, 0) == 0;
}

/* ---- options ---- */

#define CPUS "^([1-9][0-9]{0,3}([.][0-9]{1,3})?|0?[.](0[1-9][0-9]?|[1-9][0-9]{0,2}))$"
#define MEMORY "^([1-9][0-9]{0,12}[kmKM]?|[1-9][0-9]{0,9}[gG])$" /* less than 2^64 bytes */
#define PLACE "^(step|[a-z]+[.]c:[0-9]+)$"
#define NETWORK "^(bridge|none|host|container:[a-zA-Z0-9][a-zA-Z0-9_.-]*)$"
#define PORT "^(([0-9]{1,3}[.]){3}[0-9]{1,3}:)?[0-9]{1,5}:[0-9]{1,5}(/tcp|/udp)?$"
#define SIGNAL "^((SIG)?[A-Z][A-Z0-9]*|[0-9]{1,2})$"

/* Who may give it: r run, create; i the image's args; x exec; s stop, k kill, l logs, m rm. What
 * is given must match the pattern; the form says it in words. */
// clang-format off
enum kind { FLAG, TEXT, LIST, CAPABILITY };
static const struct option_row {
    const char *who, *letter, *name;
    enum kind kind;
    void *where;
    const char *form, *pattern;
} rows[] = {
    { "rix", "-t", "tty", FLAG, &opt.tty, "(a terminal of its own)", NULL },
    { "rix", "-i", "interactive", FLAG, &opt.interactive, "(standard input always is)", NULL },
    { "r",   "-d", "detach", FLAG, &opt.detach, "(in the background)", NULL },
    { "r",   "  ", "name", TEXT, &opt.name, "NAME", NAME },
    { "r",   "  ", "rm", FLAG, &opt.rm, "(keep nothing afterwards)", NULL },
    { "ri",  "-h", "hostname", TEXT, &opt.hostname, "NAME", NAME },
    { "rix", "-e", "env", LIST, opt.env, "NAME=VALUE, or NAME to take ours", "^[^=]+(=|$)" },
    { "rix", "-w", "workdir", TEXT, &opt.workdir, "/DIR", "^/" },
    { "rix", "-u", "user", TEXT, &opt.user, "UID, UID:GID or a name that the image has", USER },
    { "r",   "-v", "volume", LIST, opt.volumes, "SRC:/DST or SRC:/DST:ro", "^[^:]+:/[^:]*(:ro)?$" },
    { "r",   "  ", "read-only", FLAG, &opt.read_only, "(but for volumes)", NULL },
    { "r",   "-m", "memory", TEXT, &opt.memory, "SIZE, as in 64M", MEMORY },
    { "r",   "  ", "cpus", TEXT, &opt.cpus, "NUMBER, as in 1.5", CPUS },
    { "r",   "  ", "pids-limit", TEXT, &opt.pids, "NUMBER, as in 64", "^[1-9][0-9]{0,5}$" },
    { "r",   "  ", "io", TEXT, &opt.io, "'MAJ:MIN wbps=BYTES'", "^[0-9]+:[0-9]+ [a-z]+=" },
    { "r",   "  ", "network", TEXT, &opt.network, "bridge, none, host or container:NAME", NETWORK },
    { "r",   "-p", "publish", LIST, opt.publish, "[IP:]HOST:CONTAINER[/udp]", PORT },
    { "r",   "  ", "ip", TEXT, &opt.ip, "ADDRESS, as in 10.66.0.9", "" },
    { "r",   "  ", "cap-add", CAPABILITY, &opt.cap_add, "CAPABILITY, as in NET_ADMIN, or ALL", "" },
    { "r",   "  ", "cap-drop", CAPABILITY, &opt.cap_drop, "CAPABILITY, as in CHOWN, or ALL", "" },
    { "r",   "  ", "privileged", FLAG, &opt.privileged, "(all capabilities, no filter)", NULL },
    { "r",   "  ", "explain", TEXT, &opt.explain, "[=step or =FILE:LINE]", PLACE },
    { "x",   "  ", "no-cgroup", FLAG, &opt.no_cgroup, "(exec: beside the limits)", NULL },
    { "s",   "-t", "time", TEXT, &opt.seconds, "SECONDS (stop: until KILL)", "^[0-9]{1,6}$" },
    { "k",   "-s", "signal", TEXT, &opt.signal, "SIGNAL (kill: TERM, SIGTERM or 15)", SIGNAL },
    { "l",   "-f", "follow", FLAG, &opt.follow, "(logs: until it ends)", NULL },
    { "m",   "-f", "force", FLAG, &opt.force, "(rm: end it first)", NULL },
};
// clang-format on

/* Give VALUE, which the row's pattern has accepted, to the row's variable. False: unknown. */
static bool assign(const struct option_row *row, char *value) {
    char **list = row->where;
    if (row->kind == FLAG) return *(bool *)row->where = true;
    if (row->kind == TEXT) return (*list = value ? value : "") != NULL;
    if (row->kind == CAPABILITY) *(uint64_t *)row->where |= ns_capability(value);
    if (row->kind == CAPABILITY) return ns_capability(value) != 0;
    bool bare = list == opt.env && !strchr(value, '='); /* -e NAME */
    if (bare && !getenv(value)) return true;
    if (bare) value = text("%s=%s", value, getenv(value));
    for (int i = 0; i < COUNT(opt.env) - 1; i++)
        if (!list[i]) return (list[i] = value) != NULL;
    die("--%s: too many of them", row->name);
}

/* Read the options of WHO up to the first argument that is none; its index. */
static int parse(int n, char **arguments, char who) {
    struct option longs[COUNT(rows) + 1] = { 0 }, *next = longs;
    char shorts[2 * COUNT(rows) + 3] = "+:";
    for (const struct option_row *row = rows; row < rows + COUNT(rows); row++) {
        int takes = row->where == &opt.explain ? optional_argument : row->pattern != NULL;
        if (!strchr(row->who, who)) continue;
        *next++ = (struct option){ row->name, takes, NULL, 256 + (row - rows) };
        if (row->letter[1] != ' ')
            sprintf(shorts + strlen(shorts), "%c%s", row->letter[1], takes ? ":" : "");
    }
    optind = 0; /* start over, getopt(3) */
    for (int found; (found = getopt_long(n, arguments, shorts, longs, NULL)) != -1;) {
        const struct option_row *row = found < 256 ? rows : &rows[found - 256];
        if (found == '?' || found == ':')
            die("%soption %s: unknown, or no value (see container --help)",
                who == 'i' ? "the image's args: " : "", arguments[optind - 1]);
        while (found < 256 && (row->letter[1] != found || !strchr(row->who, who))) row++;
        bool leaks = who == 'i' && row->where == opt.env && !strchr(optarg, '='); /* ours */
        if (leaks || (optarg && !matches(optarg, row->pattern)) || !assign(row, optarg))
            die("--%s %s: want %s", row->name, optarg ? optarg : "", row->form);
    }
    return optind;
}

static char *image, *image_layers, *image_arguments; /* the latter two one a line */

/* The image's own arguments come before the user's, so the user's are read twice. A container
 * that is there already is its own image. */
static void read_arguments(bool again) {
    struct options blank = opt;
    int at = parse(count, words, 'r'), n = 1;
    if (at >= count) die("which IMAGE? (see container --help)");
    image = words[at];
    image_layers = fs_image(home, again ? "." : image, &image_arguments);
    char *lines = text("%s", image_arguments), **defaults = calloc(strlen(lines) + 3, sizeof lines);
    while (lines && *lines) defaults[n++] = strsep(&lines, "\n");
    opt = blank;
    int command = parse(n, defaults, 'i');
    parse(count, words, 'r');
    opt.command = at + 1 < count ? words + at + 1 : defaults + command;
    if (!*opt.command) die("IMAGE %s names no command: which COMMAND?", image);
    if (!opt.hostname) opt.hostname = opt.name;
    if (strlen(opt.name) > 63) die("--name %s: want at most 63 characters", opt.name);
    if (strlen(opt.hostname) > 63) die("--hostname %s: want at most 63 characters", opt.hostname);
    if (!opt.network) opt.network = opt.rootless ? "none" : "bridge";
}

/* ---- state: a directory for each container, a small file for each fact ---- */

static bool ours, kept; /* is it ours to undo when we end, and shall the directory stay? */
static pid_t parent, watcher; /* of who was looked at last; of a container that was alive, */
static int init_fd = -1; /* and its init, as a pidfd */

static char *find_home(void) {
    char *said = getenv("CONTAINER_HOME"), *user = getenv("HOME");
    if (said && *said) return *said == '/' ? said : text("%s/%s", getcwd(NULL, 0), said);
    return opt.rootless && user ? text("%s/.local/share/container", user) : "/var/lib/container";
}

/* We work inside the directory, so that its files are "upper", "etc/hosts", and so on. */
static void enter(void) {
    if (matches(opt.name, NAME) && chdir(text("%s/containers/%s", home, opt.name)) == 0) return;
    if (opt.force) exit(0); /* rm -f: there is nothing to do */
    die("%s: there is no such container (see container ps)", opt.name);
}

/* Who changes a container holds this lock on its directory: its watcher from beginning to end,
 * others for a moment. The kernel takes it back from the dead; flock(2). */
static bool lock(int ms) {
    int fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    while (flock(fd, LOCK_EX | LOCK_NB) == -1 && ms-- > 0) usleep(1000);
    if (ms < 0 && errno != EWOULDBLOCK) die("flock: %s", strerror(errno));
    if (ms < 0) close(fd);
    return ms >= 0;
}

/* A pid may be used again, but not with the same time of its start, and the same boot; proc(5). */
static char *identity(pid_t pid) {
    static char *boot; /* ps asks of many */
    unsigned long long start = 0;
    char zombie = 'Z', *stat = strrchr(get(text("/proc/%d/stat", pid)), ')');
    /* fields 3, 4 and, after 17 others, 22 */
    sscanf(stat ? stat : "", ") %c %d%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s %llu",
           &zombie, &parent, &start);
    if (!boot) boot = get("/proc/sys/kernel/random/boot_id");
    return text("%d %llu %s", strchr("ZX", zombie) ? 0 : pid, start, boot);
}

/* The pid of its init; 0 when that has ended. */
static pid_t alive(void) {
    char *said = get("pid");
    pid_t pid = atoi(said);
    close(init_fd); /* of the last time: who follows a log asks often, and ps asks of many */
    init_fd = sys(pidfd_open, pid, 0); /* first, so that it is of the process that we look at */
    int why = errno;
    if (pid <= 0 || strcmp(identity(pid), said) != 0) return 0;
    if (init_fd == -1) die("pidfd_open %d: %s", pid, strerror(why));
    watcher = parent;
    return pid;
}

/* Its watcher writes it down. One that was killed could not; the container died with it: 137. */
static int exit_status(void) {
    char *said = get("status");
    return strncmp(said, "exited ", 7) ? 137 : atoi(said + 7);
}

static char *status(pid_t init) {
    struct stat st = { 0 };
    if (init) return cgroup_frozen() ? "paused" : get("status");
    if (strncmp(get("status"), "exited", 6) != 0 && !lock(200)) return "starting"; /* no init yet */
    stat("status", &st);
    long ago = time(NULL) - st.st_mtime, minutes = ago / 60;
    return text("exited %d (%ld %s ago)", exit_status(), minutes ? minutes : ago,
                minutes ? "min" : "s");
}

/* If it is still ours: another may have removed it, and somebody made one of the same name. */
static long remove_state(void) {
    struct stat st;
    if (stat(".", &st) == -1 || st.st_nlink == 0 || chdir("..") == -1) return 0;
    return fs_remove(opt.name);
}

/* In place, because what is mounted is the file itself, and not its name. */
void write_names(void) {
    struct dirent **entry;
    char *all = LOCALHOST, *cwd = getcwd(NULL, 0), *ip;
    int fd = open("../../hosts", O_WRONLY | O_CLOEXEC);
    flock(fd, LOCK_EX);
    for (int i = 0, n = scandir("..", &entry, NULL, alphasort); i < n; i++) {
        char *name = entry[i]->d_name;
        if (chdir(text("%s/containers/%s", home, name)) == 0 && *(ip = get("ip")) && alive())
            all = text("%s%s\t%s %s\n", all, ip, get("etc/hostname"), name);
    }
    write(fd, all, strlen(all)); /* bare: names are a convenience */
    ftruncate(fd, strlen(all));
    close(fd);
    chdir(cwd);
}

/* What the container has on the host is undone here, and nowhere else. Then hear what init has
 * said last: it may be the true cause. */
static void clean_up(int status, const char *why) {
    ns_stop();
    if (ours && unlink("ip") == 0) write_names();
    if (ours) cgroup_remove();
    if (ours && kept) put("status", "exited %d%s%s\n", status, *why ? ": " : "", why);
    if (ours && !kept) remove_state();
    ours = false;
    ns_hear();
}

/* mkdir decides: of two that want one name, one gets it. */
static void make_state(bool again) {
    char *path = text("%s/containers/%s", home, opt.name), *cwd = getcwd(NULL, 0), *line = "";
    for (int n = 0; !again && (fs_mkdirs(path) == -1 || mkdir(path, 0700) == -1); n++)
        if (errno != ENOENT || n == 100) /* the last rm may have taken the directory above */
            die("CONTAINER_HOME %s, --name %s: %s", home, opt.name,
                errno == EEXIST ? "there is a container with this name" : strerror(errno));
    enter();
    if (!lock(1000)) die("%s: another command is at work on it", opt.name);
    ours = true;
    kept = again;
    each_line (dir, text("upper/\nwork/\netc/")) must(fs_mkdirs(dir), "%s", dir);
    if (again) return;
    for (char **word = opt.command; *word; word++) line = text("%s %s", line, *word);
    must(put("command", "%s\n", line + 1));
    must(put("image", "%s\n", image));
    must(put("args", "%s\n", image_arguments));
    must(put("layers", "%s\n", image_layers));
    must(put("cwd", "%s\n", cwd ? cwd : "/"));
    /* the kernel has put them in a row, each with its NUL, as in /proc/PID/cmdline */
    ssize_t size = words[count - 1] + strlen(words[count - 1]) + 1 - words[0];
    if (size >= LIMIT) die("arguments: %zd bytes, which is more than 256 kB", size);
    must(write_file("arguments", words[0], size));
}

/* What was typed when the container was made. */
static void recall(void) {
    int fd = open("arguments", O_RDONLY | O_CLOEXEC);
    char *all = calloc(1, LIMIT), *end = all + read(fd, all, LIMIT - 1);
    words = calloc(LIMIT, sizeof *words);
    for (count = 0; all < end; all += strlen(all) + 1) words[count++] = all;
    read_arguments(true);
}

/* ---- the life of a container ---- */

static int ready[2]; /* -d: who waits for the program to run, and its watcher */

/* Go on as a child. NAME is printed when that lets us go; errors are still told the caller. */
static void detach(void) {
    int failure;
    must(pipe2(ready, O_CLOEXEC));
    pid_t child = must(fork());
    if (child == 0) return;
    close(ready[1]);
    if (read(ready[0], &failure, 1) == 1) exit(puts(opt.name) == EOF);
    waitpid(child, &failure, 0);
    exit(WIFSIGNALED(failure) ? 125 : WEXITSTATUS(failure));
}

/* From here on nothing of the caller's is held. */
static void let_go(void) {
    dup2(1, 2);
    write(ready[1], "", 1); /* bare: it may have gone */
    close(ready[1]);
}

/* --network container:NAME */
static void find_network(void) {
    char *cwd = getcwd(NULL, 0), *name = strchr(opt.network, ':');
    if (!name) return;
    if (opt.rootless || chdir(text("%s/containers/%s", home, name + 1)) == -1 || !alive())
        die("--network %s: it does not run, or we are not root", opt.network);
    if (*(opt.joined = get("ip")) == '\0') opt.joined = NULL; /* it is on no bridge */
    opt.join = init_fd;
    init_fd = -1;
    chdir(cwd ? cwd : "/"); /* bare: as in start */
}

/* Everything that happens to a container, from its directory to its end. */
static int live(bool again) {
    if (opt.tty && !opt.detach && !isatty(0)) die("--tty: standard input is no terminal");
    if (opt.explain && *opt.explain && (opt.tty || !isatty(2)))
        die("--explain=%s: wants a terminal for itself", opt.explain);
    fs_volumes();
    net_check();
    find_network();
    if (opt.detach) detach();
    make_state(again);
    if (opt.detach) {
        must(setsid()); /* without the caller's terminal */
        must(dup2(open("/dev/null", O_RDONLY), 0));
        int log = must(open("log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
        must(dup2(log, 1));
    }
    net_prepare();
    int cgroup = cgroup_create();
    pid_t init = ns_start(cgroup);
    must(put("pid", "%s\n", identity(init)));
    ns_go(net_connect(init));
    if (opt.hold) {
        must(put("status", "created\n"));
        kept = true;
        let_go();
        ns_hold();
    }
    must(put("status", "running\n"));
    kept = !opt.rm;
    if (opt.detach && !opt.hold) let_go();
    int result = ns_watch();
    if (result == 137 && opt.memory && cgroup_oom_kills() > 0)
        dprintf(2, "container: killed: out of memory (limit %s)\n", opt.memory);
    clean_up(result, "");
    return result;
}

static int run(void) {
    opt.name = text("c%06x", number);
    opt.hold = opt.detach = !strcmp(*words, "create");
    read_arguments(false);
    return live(false);
}

/* ---- commands for a container that is there; each works in its directory ---- */

/* A created container is let go; one that has ended runs again, on what it has written. */
static int start(void) {
    if (!alive()) {
        recall();
        opt.detach = true;
        chdir(get("cwd")); /* for volumes; bare: it may have gone, and none be relative to it */
        return live(true);
    }
    if (!strcmp(get("status"), "created")) kill(watcher, SIGCONT);
    while (alive() && !strcmp(get("status"), "created")) usleep(1000);
    if (!alive()) lock(5000); /* its watcher is about to say why */
    char *why = strchr(get("status"), ':');
    if (why) quit(exit_status(), why + 2);
    return puts(opt.name) == EOF;
}

// clang-format off
static const char *const signals[] = { /* signal n is named signals[n], signal(7) */
    "", "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2",
    "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG",
    "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
};
// clang-format on

/* -s SIGNAL to init, which gives it to the program; bare, because it may just have ended. */
static void signal_init(char *name) {
    int n = atoi(name);
    for (int i = 1; i < COUNT(signals); i++)
        if (!strcmp(strncmp(name, "SIG", 3) ? name : name + 3, signals[i])) n = i;
    if (n < 1 || n > 64) die("--signal %s: want TERM, SIGTERM or 15", name);
    if (sys(pidfd_send_signal, init_fd, n, NULL, 0) == -1 && errno != ESRCH)
        die("pidfd_send_signal %d: %s", n, strerror(errno));
}

/* The end of init is the end of all that run inside; pid_namespaces(7). Frozen processes do not
 * die. When the lock is ours, the watcher has ended, too, and undone what was on the host. */
static int stop(void) {
    if (alive()) {
        cgroup_freeze(false);
        signal_init(opt.signal ? opt.signal : "TERM");
        bool running = !strcmp(get("status"), "running");
        if (running) kill(watcher, SIGCONT); /* whoever has stopped it: it must see the end */
        if (running && lock(1000 * atoi(opt.seconds))) return 0;
    }
    for (int tries = 0; !lock(tries > 0 ? 100 : 0); tries++) {
        if (tries == 50) die("%s: its watcher does not end", opt.name);
        if (alive()) cgroup_freeze(false); /* again: others may pause it meanwhile */
        if (alive()) signal_init("KILL");
        if (watcher) kill(watcher, SIGCONT); /* somebody may have stopped it */
    }
    return 0;
}

static int kill_now(void) {
    opt.seconds = "0";
    if (!opt.signal) opt.signal = "KILL";
    if (matches(opt.signal, "^(9|(SIG)?KILL)$")) return stop();
    if (alive()) signal_init(opt.signal);
    return 0;
}

static int rm(void) {
    if (!opt.force && alive()) die("%s is %s: rm -f ends it", opt.name, status(alive()));
    kill_now();
    if (unlink("ip") == 0) write_names();
    cgroup_remove();
    must(remove_state());
    if (rmdir(text("%s/containers", home)) == 0 && !opt.rootless) net_remove(home);
    return 0;
}

static int pause_all(void) {
    pid_t init = alive();
    if (!init || strcmp(get("status"), "running") != 0) die("%s is %s", opt.name, status(init));
    if (!cgroup_freeze(!strcmp(*words, "pause"))) die("%s has no cgroup", opt.name);
    return 0;
}

static int wait_end(void) {
    must(flock(open(".", O_RDONLY | O_CLOEXEC), LOCK_EX)); /* its watcher holds it to the end */
    return printf("%d\n", exit_status()) < 0;
}

static int logs(void) {
    char data[65536];
    struct stat st;
    int fd = open("log", O_RDONLY);
    if (fd == -1) die("logs: %s has none: only -d, create and start keep one", opt.name);
    for (bool more = true; more;) {
        more = opt.follow && !lock(0); /* asked first: what it said before is there */
        if (fstat(fd, &st) == 0 && st.st_size < lseek(fd, 0, SEEK_CUR)) lseek(fd, 0, SEEK_SET);
        for (ssize_t n; (n = read(fd, data, sizeof data)) > 0;)
            if (write(1, data, n) != n) return 1;
        if (more) usleep(100000);
    }
    return 0;
}

/* ---- commands that read their arguments themselves ---- */

#define LINE "%-16s  %-22s  %7s  %-13s  %-16s  %s"

static int ps(void) {
    struct dirent **entries;
    char *all = text("%s/containers", home);
    if (count > 1) die("ps: want no arguments");
    printf(LINE "\n", "NAME", "STATUS", "PID", "IP", "IMAGE", "COMMAND");
    for (int i = 0, n = scandir(all, &entries, NULL, alphasort); i < n; i++) {
        opt.name = entries[i]->d_name;
        if (!matches(opt.name, NAME) || chdir(text("%s/%s", all, opt.name)) == -1) continue;
        pid_t init = alive();
        char *pid = init ? text("%d", init) : "-", *ip = init && *get("ip") ? get("ip") : "-";
        puts(plain(text(LINE, opt.name, status(init), pid, ip, get("image"), get("command"))));
    }
    return 0;
}

static int exec(void) {
    char **typed = words;
    int n = count, at = parse(n, typed, 'x');
    if (at + 2 > n) die("exec: want [OPTIONS] NAME COMMAND [ARG...]");
    opt.name = typed[at];
    enter();
    pid_t init = alive();
    if (strcmp(status(init), "running") != 0) die("exec: %s is %s", opt.name, status(init));
    recall();
    opt.tty = opt.detach = false; /* those were for its first program */
    opt.explain = NULL;
    parse(n, typed, 'x');
    opt.command = typed + at + 1;
    if (opt.tty && !isatty(0)) die("--tty: standard input is no terminal");
    ns_enter(init, init_fd);
    ns_go(0);
    return ns_watch();
}

#define exchange(a, b) sys(renameat2, AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE)

/* What the container has written becomes a layer: of itself first, and of the new image then. What
 * is exchanged is at every moment in one place or the other. */
static int commit(void) {
    if (count != 3) die("commit: want NAME IMAGE");
    if (!matches(words[2], NAME)) die("commit: IMAGE %s: want a name", words[2]);
    opt.name = words[1];
    enter();
    if (alive() || !lock(1000))
        die("commit: %s is %s: stop it, or: rootfs/image commit", opt.name, status(alive()));
    char *layer = text("%.20s-%06x", words[2], number), *path = text("%s/layers/%s", home, layer);
    char *layers = text("%s\n%s\n", layer, get("layers"));
    char *made = text("%s/images/%s", home, words[2]);
    if (access(made, F_OK) == 0 && access(text("%s/layers", made), F_OK) == -1)
        die("commit: IMAGE %s is there, and no list of layers", words[2]);
    must(fs_mkdirs(made), "%s", made);
    must(fs_mkdirs(path), "%s", path);
    must(mkdir(path, 0755), "%s", path); /* another's layer is never exchanged */
    must(chmod(text("%s/layers", home), 0700)); /* a set-uid file in there is not for the host */
    must(put("layers", "%s", layers));
    must(exchange("upper", path), "%s", path);
    must(fs_mkdirs(text("new/")));
    must(put("new/args", "%s\n", get("args")));
    must(put("new/layers", "%s", layers));
    if (rename("new", made) == -1) must(exchange("new", made), "%s", made);
    fs_remove("new");
    return 0;
}

/* ---- main ---- */

// clang-format off
static const struct command {
    const char *name;
    int (*act)(void);
    char who; /* whose options; 0: it reads its arguments itself */
    const char *form;
} commands[] = {
    { "run",     run,       0,   "[OPTIONS] IMAGE [COMMAND [ARG...]]" },
    { "create",  run,       0,   "[OPTIONS] IMAGE [COMMAND [ARG...]]" },
    { "exec",    exec,      0,   "[-t] [-e K=V] [-w DIR] [-u USER] [--no-cgroup] NAME COMMAND..." },
    { "ps",      ps,        0,   "" },
    { "commit",  commit,    0,   "NAME IMAGE" },
    { "start",   start,     '-', "NAME..." },
    { "logs",    logs,      'l', "[-f] NAME..." },
    { "wait",    wait_end,  '-', "NAME..." },
    { "stop",    stop,      's', "[-t SECONDS] NAME..." },
    { "kill",    kill_now,  'k', "[-s SIGNAL] NAME..." },
    { "pause",   pause_all, '-', "NAME..." },
    { "unpause", pause_all, '-', "NAME..." },
    { "rm",      rm,        'm', "[-f] NAME..." },
};
// clang-format on

/* A process for each name, so that one that fails does not hinder the others. */
static int each(const struct command *c) {
    int failure, worst = 0, at = parse(count, words, c->who);
    if (at == count) die("%s: want %s", c->name, c->form);
    for (; at < count; at++) {
        opt.name = words[at];
        if (must(fork()) == 0) {
            enter();
            return c->act();
        }
        wait(&failure);
        if (failure) worst = WIFSIGNALED(failure) ? 125 : WEXITSTATUS(failure);
    }
    return worst;
}

int main(int argc, char **argv) {
    umask(022);
    sys(close_range, 3, ~0U, 0); /* what our caller has left open must not reach a container */
    /* 0, 1, 2 must be something; 3 is for the program's output, and 4 for the meeting: see ns.c */
    while (must(open("/dev/null", O_RDWR)) < 4) continue;
    fcntl(3, F_SETFD, FD_CLOEXEC);
    opt.rootless = !(ns_permitted() & ns_capability("SYS_ADMIN"));
    home = find_home();
    sys(getrandom, &number, 3, 0);
    count = argc - 1;
    words = argv + 1;
    for (const struct command *c = commands; c < commands + COUNT(commands) && count > 0; c++) {
        if (strcmp(*words, c->name) != 0) continue;
        if (!c->who || c->act == start) ns_seal(argv); /* who may have a process inside */
        return c->who ? each(c) : c->act();
    }
    if (count > 0 && strcmp(*words, "--help") != 0)
        die("%s: no such command (see container --help)", *words);
    for (const struct command *c = commands; c < commands + COUNT(commands); c++)
        printf("%s container %s %s\n", c == commands ? "usage:" : "      ", c->name, c->form);
    for (const struct option_row *row = rows; row < rows + COUNT(rows); row++)
        printf("  %s --%-12s %s\n", row->letter, row->name, row->form);
    return count > 0 ? 0 : 125;
}
