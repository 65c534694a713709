/* SPDX-License-Identifier: MIT */
/*
 * floor.c - what a container costs the kernel, without an engine; for tests/bench.
 *
 *     floor none DIR ROOTFS PROGRAM...      start PROGRAM in a container, with no more than that
 *     floor bridge DIR ROOTFS PROGRAM...    the same with the bridge, NAT and a published port
 *     floor time ROUNDS PAUSE <COMMANDS     time commands in turn, A B A B ...; see time_all
 *     floor inside DIR                      time a processor, a disk, and a network inside
 *     floor serve PORT                      the far end of talk
 *     floor talk IP PORT                    time the network to there
 *
 * The first two make the same namespaces, mounts, cgroup, network and filter as `container run`, in
 * the same order and with the same overlap, and undo them. The tables of mounts, of guarded files
 * and of denied system calls are the engine's own, and so is its chapter on the network, so they
 * never differ. The floor leaves out what an engine adds: options, state files, locks, a copy of the
 * program that nobody can write to, places that an image may lack, relayed signals and output.
 * With SEAL=1 in the environment, the floor runs from such a copy, too.
 */
#include "../fs.c" // NOLINT: for its tables
#include "../ns.c" // NOLINT: for its filter
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <spawn.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <time.h>

/* ---- what the engine's files need of container.c ---- */

struct options opt = { .user = "0", .hostname = "floor", .name = "floor", .workdir = "/" };
void (*undo)(void);
int inside, over = -1;
long result;

_Noreturn void quit(int status, const char *why) {
    dprintf(2, "floor: %s\n", why);
    _exit(status);
}

long check(const char *file, int line, const char *call, const char *values) {
    if (result == -1) die("%s:%d: %s%s: %s", file, line, call, values, strerror(errno));
    return result;
}

char *text(const char *format, ...) {
    char *made;
    int saved = errno;
    va_list values;
    va_start(values, format);
    if (vasprintf(&made, format, values) == -1) _exit(125);
    va_end(values);
    errno = saved;
    return made;
}

/* The kernel's files only: what an engine notes down for itself is not part of the floor. */
long write_file(const char *path, const char *content) {
    if (*path != '/') return 0;
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    ssize_t size = (ssize_t)strlen(content);
    return fd != -1 && write(fd, content, size) == size ? close(fd) : -1;
}

char *get(const char *path) {
    static char content[65536];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd == -1 ? 0 : read(fd, content, sizeof content - 1);
    if (fd != -1) close(fd);
    if (size > 0 && content[size - 1] == '\n') size--;
    return text("%.*s", size > 0 ? (int)size : 0, content);
}

bool matches(const char *value, const char *pattern) {
    (void)value, (void)pattern; /* of files and options that the floor does not read */
    return false;
}

pthread_t relay(int from, int to) {
    die("relay %d %d: nobody connects to the floor", from, to);
}

/* ---- time ---- */

static double microseconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* ---- the container: cgroup ---- */

static char *cgroup; /* NULL: version 2 is not mounted, so without limits there is none */

/* At the top of version 2, which may be mounted beside version 1. Returns a descriptor of it. */
static int make_cgroup(void) {
    static const char *const tops[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
    for (int i = 0; i < COUNT(tops) && !cgroup; i++)
        if (access(text("%s/cgroup.controllers", tops[i]), F_OK) == 0) {
            cgroup = text("%s/container-floor-%d", tops[i], getpid());
            must(mkdir(cgroup, 0755), "%s", cgroup);
            fs_mount(cgroup, tops[i], PLAIN);
        }
    return cgroup ? (int)must(open(cgroup, O_PATH | O_DIRECTORY | O_CLOEXEC)) : -1;
}

static void remove_cgroup(void) {
    for (int n = 0; cgroup && rmdir(cgroup) == -1 && errno == EBUSY && n < 10000; n++) usleep(100);
}

/* ---- the container: files ---- */

static const char *const files[] = { "etc/hosts", "etc/hostname", "etc/resolv.conf" };

static void make_files(const char *dir) {
    must(mkdir(dir, 0700), "%s", dir);
    must(chdir(dir));
    must(mkdir("upper", 0755));
    must(mkdir("work", 0755));
    must(mkdir("etc", 0755));
    for (int i = 0; i < COUNT(files); i++) {
        int fd = (int)must(open(files[i], O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
        must(write(fd, "127.0.0.1\tlocalhost\n", 20));
        close(fd);
    }
}

static void remove_files(const char *dir) {
    for (int i = 0; i < COUNT(files); i++) must(unlink(files[i]));
    must(unlink("work/work/incompat/volatile/dirty")); /* these four are overlay's */
    must(rmdir("work/work/incompat/volatile"));
    must(rmdir("work/work/incompat"));
    must(rmdir("work/work"));
    must(rmdir("work"));
    must(rmdir("etc"));
    must(rmdir("upper"));
    must(chdir("/"));
    must(rmdir(dir));
}

/* An image has all places but those in what is made new: /dev, and version 2 beside version 1. */
static void attach_there(const struct mount_row *m, int fd) {
    struct mount_attr attr = { .attr_set = m->attributes };
    bool dir = !strchr(m->what, '/') || !strncmp(m->what, "/sys", 4);
    if (!strncmp(m->where, "/dev/", 5) || !strcmp(m->where, "/sys/fs/cgroup/unified"))
        must(dir ? mkdir(m->where, 0755) : mknod(m->where, S_IFREG | 0644, 0), "%s", m->where);
    must(sys(mount_setattr, fd, "", AT_EMPTY_PATH, &attr, sizeof attr));
    must(sys(move_mount, fd, "", AT_FDCWD, m->where, MOVE_MOUNT_F_EMPTY_PATH), "%s", m->where);
    close(fd);
}

static void guard_there(const char *path, const char *cover) {
    struct mount_row row = { cover ? cover : path, path, DEVICES };
    if (access(path, F_OK) == 0) attach_there(&row, take(row.what));
}

static void make_root(const char *rootfs) {
    static const char *const links[][2] = { { "pts/ptmx", "/dev/ptmx" },
                                            { "/proc/self/fd", "/dev/fd" },
                                            { "/proc/self/fd/0", "/dev/stdin" },
                                            { "/proc/self/fd/1", "/dev/stdout" },
                                            { "/proc/self/fd/2", "/dev/stderr" } };
    struct mount_attr rdonly = { .attr_set = MOUNT_ATTR_RDONLY };
    must(sys(mount, NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
    for (int i = 0; mounts[i].what; i++) taken[i] = take(mounts[i].what);
    must(sys(mount, "overlay", "upper", "overlay", MS_NODEV | MS_NOSUID,
             text("upperdir=upper,workdir=work,userxattr,redirect_dir=nofollow,metacopy=off,"
                  "index=off,volatile,lowerdir=%s",
                  rootfs)));
    must(chdir("upper"));
    must(sys(pivot_root, ".", "."));
    must(sys(umount2, ".", MNT_DETACH));
    must(chdir("/"));
    for (int i = 0; mounts[i].what; i++) attach_there(&mounts[i], taken[i]);
    must(chmod("/dev", 0755));
    must(chmod("/dev/pts/ptmx", 0666));
    for (int i = 0; i < COUNT(links); i++) must(symlink(links[i][0], links[i][1]));
    put("/proc/sys/net/ipv4/ping_group_range", "0 2147483647"); /* bare, as in fs.c */
    for (int i = 0; i < COUNT(guarded); i++)
        for (int k = 1; guarded[i][k]; k++) guard_there(guarded[i][k], guarded[i][0]);
    must(sys(mount_setattr, AT_FDCWD, "/sys", AT_RECURSIVE, &rdonly, sizeof rdonly));
}

/* ---- the container: its life ---- */

static _Noreturn void be_program(char **program) {
    sys(close_range, 3, ~0U, 0);
    setsid();
    clearenv();
    putenv("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    drop_privileges(0, 0);
    execvp(*program, program);
    die("%s: %s", *program, strerror(errno));
}

static _Noreturn void be_container(int go, const char *rootfs, char **program) {
    int status;
    char byte;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setsid();
    make_root(rootfs);
    must(sys(unshare, CLONE_NEWCGROUP));
    must(sethostname(opt.hostname, strlen(opt.hostname)));
    if (read(go, &byte, 1) != 1) _exit(125);
    pid_t child = (pid_t)must(fork());
    if (child == 0) be_program(program);
    must(waitpid(child, &status, 0));
    _exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

static int run(char **argv) {
    int status, go[2];
    opt.network = argv[1];
    if (!strcmp(opt.network, "bridge")) opt.publish[0] = "8099:80";
    make_files(argv[2]);
    int dir = make_cgroup();
    must(pipe2(go, O_CLOEXEC));
    struct clone_args args = { .cgroup = dir, .exit_signal = SIGCHLD };
    args.flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWTIME |
                 CLONE_NEWNET | (dir == -1 ? 0 : CLONE_INTO_CGROUP);
    pid_t pid = (pid_t)must(sys(clone3, &args, sizeof args));
    if (pid == 0) be_container(go[0], argv[3], argv + 4);
    over = (int)must(sys(pidfd_open, pid, 0));
    net_connect(pid); /* from then on we are in the container's network, and end soon */
    must(write(go[1], "", 1));
    must(waitpid(pid, &status, 0));
    remove_cgroup();
    remove_files(argv[2]);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* ---- the stop watch ---- */

struct contestant {
    char *label, *words[64];
};

/* A line of standard input: a label and the words of a command, separated by tabs. */
static bool read_contestant(struct contestant *c) {
    char *line = NULL;
    size_t size = 0, n = 0;
    ssize_t length = getline(&line, &size, stdin);
    if (length <= 0) return false;
    line[strcspn(line, "\n")] = '\0';
    c->label = strsep(&line, "\t");
    while (line && n < COUNT(c->words) - 1) c->words[n++] = strsep(&line, "\t");
    return n > 0;
}

/* Start it and wait for its end; its output is thrown away. The first '@' of a word stands for the
 * number of the round. "env NAME=VALUE..." is done here, because the start of env would count. */
static double time_once(const struct contestant *c, int round, int *status, struct rusage *used) {
    static posix_spawn_file_actions_t silent;
    char *words[COUNT(c->words)] = { 0 }, **command = words, *variables[500] = { 0 }, *at;
    int count = 0;
    pid_t pid;
    for (int i = 0; c->words[i]; i++) {
        words[i] = c->words[i];
        if ((at = strchr(words[i], '@')))
            words[i] = text("%.*s%d%s", (int)(at - words[i]), words[i], round, at + 1);
    }
    if (!*command) die("%s: no command", c->label);
    if (!strcmp(*command, "env"))
        while (*++command && strchr(*command, '=')) variables[count++] = *command;
    for (char **e = environ; *e && count < COUNT(variables) - 1; e++) {
        bool ours = false; /* of two with one name a program takes the first, a shell the last */
        for (int i = 0; i < count; i++)
            ours |= !strncmp(*e, variables[i], strcspn(variables[i], "=") + 1);
        if (!ours) variables[count++] = *e;
    }
    if (!*command) die("%s: no command after env", c->label);
    posix_spawn_file_actions_init(&silent);
    posix_spawn_file_actions_addopen(&silent, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&silent, 1, "/dev/null", O_WRONLY, 0);
    double begun = microseconds();
    int failure = posix_spawnp(&pid, *command, &silent, NULL, command, variables);
    if (failure) die("%s: %s", *command, strerror(failure));
    must(wait4(pid, status, 0, used));
    return microseconds() - begun;
}

/* One after another, with a pause of so many milliseconds. What one leaves to the kernel to do later,
 * the next one pays for; so with SHUFFLE each round has another order. Prints a line for each: its
 * label, the number of the round, microseconds, exit status, and the microseconds of processor time
 * that it has used, it and those that it has waited for. */
static int time_all(int rounds, int pause) {
    static struct contestant all[64], swapped;
    struct rusage used;
    int count = 0, status, other;
    while (count < COUNT(all) && read_contestant(&all[count])) count++;
    for (int round = 0; round < rounds; round++)
        for (int i = 0; i < count; i++) {
            other = getenv("SHUFFLE") ? i + rand() % (count - i) : i; // NOLINT: no secret
            swapped = all[i];
            all[i] = all[other];
            all[other] = swapped;
            usleep(pause * 1000);
            double took = time_once(&all[i], round, &status, &used);
            printf("%s %d %.0f %d %ld\n", all[i].label, round, took,
                   WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status),
                   (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000 +
                       used.ru_utime.tv_usec + used.ru_stime.tv_usec);
        }
    return 0;
}

/* ---- inside, and the same outside ---- */

static double began;

/* One measure ends here, of so many PARTS; the next one begins. */
static void tell(const char *what, double parts) {
    printf("%s %.4f\n", what, (microseconds() - began) / parts);
    fflush(stdout);
    began = microseconds();
}

/* The least of many short times: others may take the processor from us at any moment. */
static void time_least(const char *what, void (*once)(void)) {
    const int times = 500;
    double least = 1e9;
    for (int n = 0; n < 1000; n++) {
        double begun = microseconds();
        for (int i = 0; i < times; i++) once();
        double took = microseconds() - begun;
        if (took < least) least = took;
    }
    printf("%s %.4f\n", what, least / times);
}

static void calculate(void) {
    static volatile uint64_t x = 88172645463325252;
    for (int i = 0; i < 100; i++) x = x * 6364136223846793005 + 1442695040888963407;
}

/* The filter lets this one pass without a look at its arguments, */
static void call(void) {
    sys(getppid, 0);
}

/* and not this one. */
static void call_with_arguments(void) {
    sys(ioctl, -1, 0, 0);
}

static void time_disk(const char *dir) {
    static char block[65536];
    const int blocks = 256, made = 300;
    must(chdir(dir));
    began = microseconds();
    int fd = (int)must(open("floor-file", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    for (int i = 0; i < blocks; i++) must(write(fd, block, sizeof block));
    tell("write", blocks);
    for (int round = 0; round < 4; round++) {
        must(lseek(fd, 0, SEEK_SET));
        for (int i = 0; i < blocks; i++) must(read(fd, block, sizeof block));
    }
    tell("read", 4.0 * blocks);
    close(fd);
    must(unlink("floor-file"));
    began = microseconds();
    for (int i = 0; i < made; i++) {
        close((int)must(open("floor-small", O_WRONLY | O_CREAT | O_CLOEXEC, 0600)));
        must(unlink("floor-small"));
    }
    tell("create", made);
}

static const int trips = 1000, megabytes = 64;

/* Single bytes there and back, and then all in one direction. */
static int time_network(const char *name, const char *ip, int port) {
    static char block[65536];
    struct sockaddr_in to = { AF_INET, htons(port), { inet_addr(ip) }, { 0 } };
    int fd = (int)must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    for (int tries = 0; connect(fd, (struct sockaddr *)&to, sizeof to) == -1; tries++) {
        if (tries == 500) die("connect %s:%d: %s", ip, port, strerror(errno));
        close(fd);
        usleep(10000);
        fd = (int)must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    }
    must(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int)));
    began = microseconds();
    for (int i = 0; i < trips; i++) {
        must(write(fd, block, 1));
        if (must(read(fd, block, 1)) != 1) die("%s: it hung up", ip);
    }
    tell(text("%s-trip", name), trips);
    for (int i = 0; i < megabytes * 16; i++)
        for (size_t sent = 0; sent < sizeof block;)
            sent += must(write(fd, block + sent, sizeof block - sent));
    must(shutdown(fd, SHUT_WR));
    must(read(fd, block, 1)); /* the end: it has got all */
    tell(text("%s-megabyte", name), megabytes);
    return close(fd);
}

static _Noreturn void serve(int port) {
    static char block[65536];
    struct sockaddr_in at = { AF_INET, htons(port), { INADDR_ANY }, { 0 } };
    int fd = (int)must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    must(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int)));
    must(bind(fd, (struct sockaddr *)&at, sizeof at));
    must(listen(fd, 8));
    for (;;) {
        int with = (int)must(accept4(fd, NULL, NULL, SOCK_CLOEXEC));
        must(setsockopt(with, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int)));
        for (int i = 0; i < trips && read(with, block, 1) == 1; i++) write(with, block, 1);
        while (read(with, block, sizeof block) > 0) continue;
        close(with);
    }
}

static int measure_inside(const char *dir) {
    pid_t server = (pid_t)must(fork());
    if (server == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        serve(7099);
    }
    time_least("processor", calculate);
    time_least("getppid", call);
    time_least("ioctl", call_with_arguments);
    time_disk(dir);
    time_network("loopback", "127.0.0.1", 7099);
    kill(server, SIGKILL);
    return 0;
}

/* ---- main ---- */

int main(int argc, char **argv) {
    const char *what = argc > 2 ? argv[1] : "";
    if (getenv("SEAL")) ns_seal(argv);
    if (argc > 4 && (!strcmp(what, "none") || !strcmp(what, "bridge"))) return run(argv);
    if (argc > 3 && !strcmp(what, "time")) return time_all(atoi(argv[2]), atoi(argv[3]));
    if (!strcmp(what, "inside")) return measure_inside(argv[2]);
    if (!strcmp(what, "serve")) serve(atoi(argv[2]));
    if (argc > 3 && !strcmp(what, "talk")) return time_network("bridge", argv[2], atoi(argv[3]));
    dprintf(2, "usage: see the beginning of tests/floor.c\n");
    return 125;
}
