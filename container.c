/* SPDX-License-Identifier: MIT */
/*
 * container.c - the command line, the files on disk, and the life of a container.
 *
 *      HOME/images/IMAGE/      layers, args: what a container starts from
 *      HOME/layers/            directories that images share
 *      HOME/containers/NAME/   upper/ (what it has written), etc/ (hosts, ...), and
 *                              one small file for each fact: read them with cat
 *
 *      create --> created --start--> running --> exited --start--> running ...
 *      run -----------------------------^  exec
 *
 * These four commands are here, because they need system calls that no shell has. All others
 * (ps, stop, rm, logs, pull, build ...) work on files, locks and signals: they are scripts.
 *
 * The helpers of all chapters come first. Start reading at main, which is last; then run and live,
 * and from there follow the calls into the other chapters.
 */
#include "container.h"
#include <getopt.h>
#include <libgen.h>
#include <regex.h>
#include <stdarg.h>
#include <sys/file.h>

struct options opt = { .user = "0", .workdir = "/", .parent = "" };
void (*undo)(void);
int inside, over = -1;
long result;

/* ---- must: every step, checked and shown ---- */

/* Replace bytes that a terminal might obey: an image or a container may have chosen them. */
static char *plain(char *line) {
    for (char *c = line; *c; c++)
        if (*c < ' ' || *c > '~') *c = '?';
    return line;
}

/* Show the step, and its time in microseconds since the first step. Steps inside are indented. If
 * there are values, they replace the arguments, which are mostly names of variables. */
long check(const char *file, int line, const char *call, const char *values) {
    static long first; /* in microseconds; those that we fork inherit it */
    struct timespec t;
    const char *tip = errno == EPERM || errno == ENOSYS ? "; try: container doctor" : "";
    if (result == -1) die("%s:%d: %s%s: %s%s", file, line, call, values, strerror(errno), tip);
    clock_gettime(CLOCK_MONOTONIC, &t);
    long now = t.tv_sec * 1000000 + t.tv_nsec / 1000;
    if (!first) first = now;
    const char *name = strncmp(call, "sys(", 4) ? call : call + 4;
    int length = values[1] ? (int)strcspn(name, "(,") : 60;
    dprintf(2, "%8ld%*s %s:%d: %.*s%.50s = %ld\n", now - first, inside ? 12 : 0, "", file, line,
            length, values[1] ? name : call, plain(text("%s", values)), result);
    return result;
}

_Noreturn void quit(int status, const char *why) {
    if (undo && !inside) undo();
    why = plain(text("%s", why));
    if (inside && *why) dprintf(inside, "%d %.3000s", status, why);
    else if (*why) dprintf(2, "container: %s\n", why);
    _exit(status);
}

/* ---- text ---- */

char *text(const char *format, ...) {
    int saved = errno;
    char *made;
    va_list values;
    va_start(values, format);
    if (vasprintf(&made, format, values) == -1) _exit(125);
    va_end(values);
    errno = saved;
    return made;
}

long write_file(const char *path, const char *content) {
    if (*path != '/') unlink(path); /* a lease on the old one must not delay us */
    int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC | (*path == '/' ? 0 : O_CREAT), 0644);
    ssize_t size = strlen(content);
    if (fd != -1) errno = ENOSPC; /* what it means if only a part is written */
    return fd == -1 || write(fd, content, size) != size || close(fd) == -1 ? -1 : 0;
}

#define LIMIT (8 << 20) /* bytes that get reads: more than execve(2) takes of arguments */
char *get(const char *path) {
    static char content[LIMIT];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* it may be a fifo */
    ssize_t size = read(fd, content, LIMIT - 1);
    close(fd);
    if (size > 0 && content[size - 1] == '\n') size--;
    return text("%.*s", size > 0 ? (int)size : 0, content);
}

bool matches(const char *value, const char *pattern) {
    static regex_t r; /* of the last call: a compiled pattern is large, up to 40 kB */
    regfree(&r);
    return !regcomp(&r, pattern, REG_EXTENDED | REG_NOSUB) && !regexec(&r, value, 0, NULL, 0);
}

/* ---- relay ---- */

/* Data that cannot be written, for example because the disk is full, is dropped, and the program
 * continues. But if nobody reads any more, the pipe is closed, and the program gets SIGPIPE. When
 * the container has ended, others may still hold its end of the pipe, so we copy what is in it and
 * no more. ENDS holds two descriptors. */
static void *copy(void *ends) {
    int from = (intptr_t)ends >> 32, to = (intptr_t)ends & INT32_MAX;
    struct pollfd on[] = { { from, POLLIN, 0 }, { over, POLLIN, 0 } }, room = { to, POLLOUT, 0 };
    char data[65536];
    for (ssize_t n, rest = 1 << 20; poll(on, 2, -1) > 0 && on->revents && rest > 0;) {
        if ((n = read(from, data, sizeof data)) <= 0) break;
        if (on[1].revents) rest -= n;
        if (opt.detach && lseek(to, 0, SEEK_END) > 16 << 20) ftruncate(to, 0); /* the log */
        for (ssize_t k, at = 0; at < n && poll(&room, 1, -1) > 0; at += k) /* if non-blocking */
            if ((k = write(to, data + at, n - at)) < 0) break;
        if (errno == EPIPE) break;
    }
    if (sockatmark(from) != -1) shutdown(to, SHUT_WR); /* a port's, not the caller's */
    close(from);
    close(to);
    return NULL;
}

pthread_t relay(int from, int to) {
    pthread_t thread;
    void *ends = (void *)((intptr_t)from << 32 | to); // NOLINT: two numbers, no address
    while (pthread_create(&thread, NULL, copy, ends) != 0) usleep(1000); /* too many: some end */
    return thread;
}

/* ---- options ---- */

#define NAME "^[a-zA-Z0-9][a-zA-Z0-9_.-]*$" /* safe as a file, host and cgroup name */
#define USER "^([0-3]?[0-9]{1,9}(:[0-3]?[0-9]{1,9})?|[a-zA-Z_][a-zA-Z0-9_.-]*)$"
#define CPUS "^([1-9][0-9]{0,3}([.][0-9]{1,3})?|0?[.](0[1-9][0-9]?|[1-9][0-9]{0,2}))$"
#define MEMORY "^([1-9][0-9]{0,12}[kmKM]?|[1-9][0-9]{0,9}[gG])$" /* less than 2^64 bytes */
#define BYTE "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
#define PORT "([1-9][0-9]{0,3}|([1-5][0-9]|6[0-4])[0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
#define PUBLISH "^((" BYTE "[.]){3}" BYTE ":)?" PORT ":" PORT "$"

/* Who may give it: r run and create; i the image's args; x exec. A number stands for the letter of
 * an option that has none. An option with a pattern takes a value, which must match; the form tells
 * the user what was expected. */
// clang-format off
static const struct option_row {
    const char *who, letter, *name;
    enum { ONE, SHORT, LIST, CAPABILITY } kind;
    void *where;
    const char *form, *pattern;
} rows[] = {
    { "rix", 't', "tty", ONE, &opt.tty, "no value", NULL }, /* allocate a terminal */
    { "rix", 'i', "interactive", ONE, &opt.interactive, "no value", NULL }, /* read a terminal */
    { "r",   'd', "detach", ONE, &opt.detach, "no value", NULL }, /* run in the background */
    { "r",   1,   "name", SHORT, &opt.name, "at most 63 letters, digits, _ . -", NAME },
    { "r",   2,   "rm", ONE, &opt.rm, "no value", NULL }, /* remove the container when it ends */
    { "ri",  'h', "hostname", SHORT, &opt.hostname, "at most 63 letters, digits, _ . -", NAME },
    { "rx",  'e', "env", LIST, opt.env, "NAME=VALUE, or NAME to copy ours", "^[^=0-9][^=]*(=|$)" },
    { "i",   'e', "env", LIST, opt.env, "NAME=VALUE", "^[^=]+=" },
    { "rix", 'w', "workdir", ONE, &opt.workdir, "/DIR", "^/" },
    { "rix", 'u', "user", ONE, &opt.user, "UID, UID:GID or a name that the image has", USER },
    { "r",   'v', "volume", LIST, opt.volumes, "SRC:/DST or SRC:/DST:ro", "^[^:]+:/[^:]*(:ro)?$" },
    { "r",   3,   "read-only", ONE, &opt.read_only, "no value", NULL }, /* not volumes, not /dev */
    { "r",   12,  "in-place", ONE, &opt.in_place, "/DIR", "^/" }, /* no layers: DIR is the root */
    { "r",   'm', "memory", ONE, &opt.memory, "SIZE, for example 64M", MEMORY },
    { "r",   4,   "cpus", ONE, &opt.cpus, "NUMBER, for example 1.5", CPUS },
    { "r",   5,   "pids-limit", ONE, &opt.pids, "NUMBER, for example 64", "^[1-9][0-9]{0,5}$" },
    { "r",   15,  "cgroup-parent", ONE, &opt.parent, "/PATH of a cgroup", "^/" },
    { "r",   6,   "network", ONE, &opt.network, "bridge, none or host", "^(bridge|none|host)$" },
    { "r",   13,  "ipc", ONE, &opt.ipc, "host", "^host$" },
    { "r",   14,  "uts", ONE, &opt.uts, "host", "^host$" },
    { "r",   'p', "publish", LIST, opt.publish, "[IP:]HOST:CONTAINER, ports to 65535", PUBLISH },
    { "r",   7,   "cap-add", CAPABILITY, &opt.cap_add, "CAPABILITY, for example NET_ADMIN", "" },
    { "r",   8,   "cap-drop", CAPABILITY, &opt.cap_drop, "CAPABILITY, for example CHOWN", "" },
    { "r",   9,   "privileged", ONE, &opt.privileged, "no value", NULL }, /* all of root */
    { "rx",  10,  "explain", ONE, &opt.explain, "no value", NULL }, /* show each step */
    { "x",   11,  "no-cgroup", ONE, &opt.no_cgroup, "no value", NULL }, /* outside the limits */
};
// clang-format on

/* Store VALUE, which the row's pattern has accepted. False: no such capability, or too long. */
static bool assign(const struct option_row *row, char *value) {
    if (row->kind == CAPABILITY) *(uint64_t *)row->where |= ns_capability(value);
    if (row->kind == CAPABILITY) return ns_capability(value) != 0;
    if (row->where == opt.env && !strchr(value, '=') && getenv(value))
        value = text("%s=%s", value, getenv(value));
    char **slot = row->where, **last = slot + COUNT(opt.env) - 1;
    while (row->kind == LIST && *slot) slot++;
    if (slot == last) die("--%s: given more than %d times", row->name, COUNT(opt.env) - 1);
    *slot = value ? value : "";
    return row->kind != SHORT || strlen(*slot) < 64;
}

/* Read the options of WHO, up to the first argument that is not an option. Returns its index. */
static int parse(int n, char **argv, char who) {
    const struct option_row *row, *end = rows + COUNT(rows);
    struct option longs[COUNT(rows) + 1] = { 0 }, *next = longs;
    for (row = rows; row < end; row++)
        if (strchr(row->who, who))
            *next++ = (struct option){ row->name, row->pattern != NULL, NULL, row->letter };
    optind = 0; /* start over; and "+": stop at the first word that is not an option, getopt(3) */
    for (int found; (found = getopt_long(n, argv, "+:tidh:e:w:u:v:m:p:", longs, NULL)) != -1;) {
        int letter = found == '?' || found == ':' ? optopt : found; /* refused: what for? */
        for (row = rows; row < end && (row->letter != letter || !strchr(row->who, who));) row++;
        if (row == end)
            die("%s %s: unknown option (see container help %s)", *argv,
                letter > ' ' ? text("-%c", letter) : argv[optind - 1], who == 'x' ? "exec" : "run");
        if (letter != found || (optarg && !matches(optarg, row->pattern)) || !assign(row, optarg))
            die("--%s %s: expected %s", row->name, letter == found ? optarg : "", row->form);
    }
    return optind;
}

static int count; /* how many words were typed after "container": now, or to make the container */
static char **words; /* the first of them is the command */
static char *home; /* CONTAINER_HOME */
static bool kept; /* the container's directory existed before us, or is to stay when we end */
static char *image, *image_layers, *image_arguments; /* the latter two one a line */

/* The image's own arguments come before the user's, so the user's are read twice. A container that
 * exists already is its own image. */
static void read_arguments(void) {
    struct options blank = opt;
    int at = parse(count, words, 'r'), n = 1;
    if (count == 0) die("%s is incomplete; try: container rm %s", opt.name, opt.name);
    if (at >= count || !*words[at]) die("%s: IMAGE is missing (see container help run)", *words);
    image = words[at];
    image_layers = fs_image(home, kept ? "." : image, &image_arguments);
    char *lines = text("%s", image_arguments), **defaults = calloc(strlen(lines) + 3, sizeof lines);
    *defaults = "the image's args";
    while (lines && *lines) defaults[n++] = strsep(&lines, "\n");
    opt = blank;
    int command = parse(n, defaults, 'i');
    parse(count, words, 'r');
    opt.command = at + 1 < count ? words + at + 1 : defaults + command;
    if (!*opt.command) die("IMAGE %s: it has no command of its own; COMMAND is missing", image);
    if (!opt.hostname) opt.hostname = opt.name;
    if (*opt.publish && NETWORK_IS("host")) die("--publish: not with --network host");
}

/* ---- state: a directory for each container, a small file for each fact ----
 *
 * We work inside the directory, so that its files are "upper", "pid" and so on. */

static int pid_file = -1; /* of our own container, with our lock on it */
static int init_fd = -1; /* of a container that is alive: a pidfd of its init */

/* Whoever changes a container holds this lock on its directory: its watcher from beginning to end,
 * others for a moment. The kernel releases it when its holder dies; flock(2). */
static void lock(int fd, const char *directory) {
    struct stat st;
    for (int ms = 0; flock(fd, LOCK_EX | LOCK_NB) == -1; usleep(1000))
        if (ms++ == 1000 && (kept || rmdir(directory) <= 0))
            die("%s: another command is at work on it (flock: %s)", opt.name, strerror(errno));
    if (fstat(fd, &st) == 0 && st.st_nlink == 0) die("%s: it has just been removed", opt.name);
}

/* The pid of its init; 0: the container does not run. Its watcher holds a lock on the file `pid` as
 * long as the number in it is init's, and the kernel knows who holds a lock, fcntl(2). So if it is
 * held after we have opened a pidfd, the pidfd is init's. The lock's length is the watcher's own
 * pid: if we see another number, it is in another pid namespace, and so is the number of init. */
static pid_t alive(void) {
    char number[16] = "";
    struct flock who = { .l_type = F_WRLCK };
    int fd = open("pid", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    read(fd, number, sizeof number - 1);
    init_fd = sys(pidfd_open, atoi(number), 0);
    if (fcntl(fd, F_GETLK, &who) == -1 || who.l_type == F_UNLCK || who.l_pid != who.l_len) return 0;
    if (init_fd == -1) die("pidfd_open %d: %s", atoi(number), strerror(errno));
    return atoi(number);
}

/* Undo what the container has on the host: here and nowhere else. Release the lock on `pid` before
 * reaping init, because after that its number may be another's. Last, hear whether init has
 * reported a failure: it may be the true cause. */
static void clean_up(void) {
    undo = NULL;
    close(pid_file);
    ns_stop();
    cgroup_remove();
    if (!kept && chdir("..") == 0) fs_remove(opt.name);
    ns_hear();
}

/* Check the volumes before anything is made. Then make the directory, unless it exists, and go into
 * it: it is ours until we end. If two processes want the same name, mkdir succeeds for only one. */
static void begin(void) {
    char *cwd = getcwd(NULL, 0), *directory = text("%s/containers/%s", home, opt.name);
    fs_volumes();
    if (!kept && (fs_mkdirs(directory) == -1 || mkdir(directory, 0700) == -1))
        die("CONTAINER_HOME %s, --name %s: %s (see container ps)", home, opt.name, strerror(errno));
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if ((fd == -1 || fchdir(fd) == -1) && (kept || rmdir(directory) <= 0))
        die("%s: %s", directory, strerror(errno));
    lock(fd, directory);
    undo = clean_up; /* not before it is ours */
    must(chmod("..", 0700)); /* no set-uid file in there, and no lock, is for other users */
    if (kept) return;
    each_line (dir, text("upper/\nwork/\netc/")) must(fs_mkdirs(dir), "%s", dir);
    must(put("image", "%s\n", image), "image = %s", image);
    must(put("args", "%s\n", image_arguments), "args = %s", image_arguments);
    must(put("layers", "%s\n", image_layers), "layers = %s", image_layers);
    must(put("cwd", "%s\n", cwd ? cwd : "/"), "cwd = %s", cwd);
    int file = must(open("new", O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
    for (int i = 0; i < count; i++) must(dprintf(file, "%s%c", words[i], '\0'), "%s", words[i]);
    must(rename("new", "arguments")); /* the last fact: with it the container is complete */
}

/* Read what was typed when the container was made. */
static void recall(void) {
    int fd = open("arguments", O_RDONLY | O_CLOEXEC);
    char *all = calloc(1, LIMIT), *end = all + read(fd, all, LIMIT - 1);
    words = calloc(end - all + 2, sizeof *words);
    for (count = 0; all < end; all += strlen(all) + 1) words[count++] = all;
    kept = true;
    read_arguments();
}

/* ---- the life of a container ---- */

static int ready[2]; /* a pipe. -d: we wait at one end for the watcher, our child, at the other */

/* Go on as a child, away from the caller's terminal. The parent prints NAME when the program runs;
 * until then, the caller sees errors. */
static void detach(void) {
    int failure;
    must(pipe2(ready, O_CLOEXEC));
    pid_t child = must(fork());
    if (child > 0) {
        close(ready[1]);
        if (read(ready[0], &failure, 1) == 1) exit(puts(opt.name) == EOF);
        waitpid(child, &failure, 0);
        exit(WIFSIGNALED(failure) ? 125 : WEXITSTATUS(failure));
    }
    must(setsid());
    must(dup2(must(open("/dev/null", O_RDONLY)), 0));
    must(dup2(must(open("log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)), 1));
}

/* Let the program go, and record that it runs. The files are written before that, while a full disk
 * can still be reported, and get their names after it: so a start that fails changes nothing. The
 * status is 137 until we write the true one over it, because we may be killed. */
static void let_go(pid_t init) {
    must(put("exit.new", "137\n"));
    must(put("pid.new", "%d\n", init), "pid.new = %d", init);
    ns_go(init);
    pid_file = must(open("pid.new", O_WRONLY | O_CLOEXEC));
    must(fcntl(pid_file, F_SETLK, &(struct flock){ .l_type = F_WRLCK, .l_len = getpid() }));
    must(rename("pid.new", "pid"));
    must(rename("exit.new", "exit"));
    kept = !opt.rm;
}

#define OOM(file) cgroup_says(file, "oom_kill [1-9]")

/* Everything that happens to a container, from its directory to its end. */
static _Noreturn void live(void) {
    if (opt.detach) detach();
    net_prepare();
    cgroup_create();
    pid_t init = ns_start(-1);
    net_connect(init);
    let_go(init);
    /* from here on nothing of the caller's is open; bare: the caller may have gone */
    if (opt.detach && dup2(1, 2) == 2) write(ready[1], "", 1);
    int status = ns_watch();
    dprintf(open("exit", O_WRONLY | O_CLOEXEC), "%-3d", status); /* bare: the disk may be full */
    bool oom = opt.memory && (OOM("memory.events") || OOM("memory.oom_control"));
    quit(status, status == 137 && oom ? text("killed: out of memory (limit %s)", opt.memory) : "");
}

static int run(void) {
    opt.name = text("c%lx-%d", time(NULL), getpid());
    read_arguments();
    begin();
    if (strcmp(*words, "create") != 0) live();
    return puts(opt.name) == EOF;
}

/* ---- commands for a container that exists. They work in its directory ---- */

/* Go into the directory of the container that the word AT names, the first of at least N. Returns
 * the pid of its init, as alive() does. */
static pid_t enter(int at, int n) {
    if (at + n > count) die("%s: NAME or COMMAND is missing (see container help exec)", *words);
    char *directory = text("%s/containers/%s", home, opt.name = words[at]);
    if (!matches(opt.name, NAME) || strlen(words[at]) > 63 || chdir(directory) == -1)
        die("%s: there is no such container (see container ps)", opt.name);
    return alive();
}

/* Run a container that was created or has ended, on top of what it has written. */
static int start(void) {
    if (enter(1, 1)) return puts(opt.name) == EOF;
    recall();
    opt.detach = "";
    chdir(get("cwd")); /* bare: a missing one matters only to relative volumes */
    begin();
    live();
}

/* The container's own options are exec's, too, except those for its first program. */
static int exec(void) {
    int n = count, at = parse(n, words, 'x'), init = enter(at, 2);
    char **typed = words;
    if (!init) die("%s: it does not run; try: container start %s", opt.name, opt.name);
    if (cgroup_says("cgroup.events", "frozen 1"))
        die("%s: it is paused; try: container unpause %s", opt.name, opt.name);
    recall();
    opt.tty = opt.interactive = opt.detach = opt.explain = NULL;
    parse(n, typed, 'x');
    opt.command = typed + at + 1;
    undo = ns_stop;
    ns_start(init_fd);
    ns_go(init);
    quit(ns_watch(), "");
}

/* ---- main ---- */

/* What needs no system calls of its own is a script: lessons/tools/WORD, or rootfs/image WORD. */
static _Noreturn void run_script(void) {
    char *dir = dirname(text("%s", getenv("CONTAINER")));
    setenv("CONTAINER_HOME", home, 1);
    if (!strchr(*words, '/')) execv(text("%s/lessons/tools/%s", dir, *words), words);
    words[-1] = "image";
    execv(text("%s/rootfs/image", dir), words - 1);
    die("%s: no such command (see container help)", *words);
}

/* CONTAINER_HOME, or the usual place. Its contents decide what runs here, so it must be our own. */
static char *find_home(void) {
    struct stat st;
    char *said = getenv("CONTAINER_HOME"), *user = opt.rootless ? getenv("HOME") : NULL;
    char *path = user ? text("%s/.local/share/container", user) : "/var/lib/container";
    if (said && *said) path = *said == '/' ? said : text("%s/%s", getcwd(NULL, 0), said);
    if (stat(path, &st) == 0 && (st.st_uid != geteuid() || st.st_mode & S_IWOTH))
        die("CONTAINER_HOME %s: somebody else can write there; expected one of your own", path);
    return path;
}

#define IS(word) !strcmp(*words, word)

int main(int argc, char **argv) {
    char *self = realpath("/proc/self/exe", NULL);
    if (self && self[1]) setenv("CONTAINER", self, 1); /* the copy of ns_seal has no path */
    umask(022);
    sys(close_range, 3, ~0U, 0); /* what our caller has left open must not reach a container */
    while (must(open("/dev/null", O_RDWR)) < 3) continue; /* 0, 1, 2 must be something */
    opt.rootless = !(ns_permitted() & ns_capability("SYS_ADMIN"));
    opt.network = opt.rootless ? "none" : "bridge";
    home = find_home();
    count = argc - 1;
    words = argv + 1;
    if (count == 0) die("COMMAND is missing (see container help)");
    if (IS("--version") || IS("version")) return puts("container 2.0") == EOF;
    if (IS("--help") || IS("-h")) *words = "help";
    /* start with several NAMEs, which is a loop, and --help, which is text, are scripts, too */
    bool here = IS("run") || IS("create") || IS("exec") || (IS("start") && count == 2);
    if (!here || (count > 1 && !strcmp(words[1], "--help"))) run_script();
    ns_seal(argv);
    for (int i = 0; i < count; i++) words[i] = text("%s", words[i]); /* ns_start wipes the others */
    if (IS("exec")) return exec();
    return IS("start") ? start() : run();
}
