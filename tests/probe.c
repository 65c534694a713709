// SPDX-License-Identifier: MIT
/* probe.c - the program that tests run inside a container.
 *
 *     container run --rm -v ./probe:/probe:ro IMAGE /probe VERB [ARG...]
 *
 * It is one static file, so it runs in any image, even an empty one. Each verb
 * does one small thing and prints plain lines that grep can read:
 *
 *     uid 0                   an observation: a key and its value
 *     unshare allowed         an attempt that the kernel let through
 *     unshare: errno EPERM    an attempt that failed, and why
 *
 * Exit status: 0 observed or allowed, 1 failed, 2 wrongly called.
 *
 * Read main(), at the end, then the table of verbs above it; to add a verb,
 * write its function and its row.
 *
 * A test also runs the probe on the host, to show that there the same attempt
 * succeeds, and a broken container may be no container at all. So nothing here
 * hurts a host, not even as root: an attempt changes this process only, or has
 * an argument that the kernel refuses after it has checked the permission, or
 * happens in a mount namespace that dies with us. What a caller names is the
 * caller's choice: to ask if a file is writable, use `open FILE w`, which
 * writes nothing, rather than `write FILE TEXT`. No wait is without end.
 *
 *     cc -static -O2 -std=gnu11 -o probe probe.c    (glibc < 2.34: -pthread)
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <linux/perf_event.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

enum {
    MAX_READ = 16 << 20, // bytes that `read` prints at most
    MAX_FORK = 4096, // children that `fork` makes at most
    MAX_BURN = 60000, // milliseconds of CPU time
    MAX_WAIT = 600, // seconds, where a verb takes them
    NET_WAIT = 5, // seconds for an answer from the network
    PING_WAIT = 2,
    MAX_TRACE = 20, // seconds without enough to trace, after which trace-new ends
    SIGNAL_WAIT = 60, // seconds without a signal, after which wait-signal ends
};

// What main() was called with: every verb reads it from here.
static const char *verb;
static char **arg; // after the verb; NULL at the end

// --------------------------------------------------------------- tables

typedef struct {
    const char *name;
    int value;
} Name;

// clang-format off
#define E(name) { #name, name }
static const Name errors[] = {
    E(EPERM), E(ENOENT), E(ESRCH), E(EINTR), E(EIO), E(ENXIO), E(E2BIG),
    E(ENOEXEC), E(EBADF), E(ECHILD), E(EAGAIN), E(ENOMEM), E(EACCES),
    E(EFAULT), E(ENOTBLK), E(EBUSY), E(EEXIST), E(EXDEV), E(ENODEV),
    E(ENOTDIR), E(EISDIR), E(EINVAL), E(ENFILE), E(EMFILE), E(ENOTTY),
    E(ETXTBSY), E(EFBIG), E(ENOSPC), E(ESPIPE), E(EROFS), E(EMLINK), E(EPIPE),
    E(ERANGE), E(EDEADLK), E(ENAMETOOLONG), E(ENOSYS), E(ENOTEMPTY), E(ELOOP),
    E(ENODATA), E(EPROTO), E(EOVERFLOW), E(EUSERS), E(ENOTSOCK),
    E(EDESTADDRREQ), E(EMSGSIZE), E(EPROTOTYPE), E(ENOPROTOOPT),
    E(EPROTONOSUPPORT), E(ESOCKTNOSUPPORT), E(EOPNOTSUPP), E(EPFNOSUPPORT),
    E(EAFNOSUPPORT), E(EADDRINUSE), E(EADDRNOTAVAIL), E(ENETDOWN),
    E(ENETUNREACH), E(ECONNABORTED), E(ECONNRESET), E(ENOBUFS), E(ENOTCONN),
    E(ETIMEDOUT), E(ECONNREFUSED), E(EHOSTDOWN), E(EHOSTUNREACH), E(EALREADY),
    E(EINPROGRESS), E(ESTALE), E(EDQUOT), E(ENOKEY), E(EKEYEXPIRED),
    E(EKEYREVOKED), E(EKEYREJECTED), { 0 }
};
#undef E

static const Name namespaces[] = {
    { "mnt", CLONE_NEWNS },   { "mount", CLONE_NEWNS },
    { "pid", CLONE_NEWPID },  { "net", CLONE_NEWNET },
    { "ipc", CLONE_NEWIPC },  { "uts", CLONE_NEWUTS },
    { "user", CLONE_NEWUSER }, { "cgroup", CLONE_NEWCGROUP },
    { "time", CLONE_NEWTIME }, { 0 }
};

#define C(name) { #name, SYS_##name }
static const Name calls[] = { // what an outer sandbox, or an old kernel, may refuse
    C(capget), C(capset), C(clone3), C(close_range), C(dup3), C(execveat), C(faccessat2),
    C(fchown), C(flock), C(fsconfig), C(fsmount), C(fsopen), C(getrandom), C(memfd_create),
    C(mknodat), C(mount), C(mount_setattr), C(move_mount), C(open_tree), C(openat2),
    C(pidfd_getfd), C(pidfd_open), C(pidfd_send_signal), C(pipe2), C(pivot_root), C(prctl),
    C(prlimit64), C(renameat2), C(sendfile), C(setgroups), C(sethostname), C(setns),
    C(setresgid), C(setresuid), C(setsid), C(socketpair), C(statx), C(umount2), C(unshare),
#ifdef __x86_64__
    C(mknod),
#endif
    { 0 }
};
#undef C

static const Name domains[] = {
    { "unix", AF_UNIX },     { "inet", AF_INET },       { "inet6", AF_INET6 },
    { "packet", AF_PACKET }, { "netlink", AF_NETLINK }, { "alg", AF_ALG },
    { "vsock", AF_VSOCK },   { 0 }
};

static const Name types[] = {
    { "stream", SOCK_STREAM }, { "dgram", SOCK_DGRAM }, { "raw", SOCK_RAW },
    { "seqpacket", SOCK_SEQPACKET }, { 0 }
};

static const Name protocols[] = {
    { "default", 0 }, { "icmp", IPPROTO_ICMP }, { "tcp", IPPROTO_TCP },
    { "udp", IPPROTO_UDP }, { "raw", IPPROTO_RAW }, { 0 }
};
// clang-format on

// ---------------------------------------------------- reading arguments

static int misused(const char *what, const char *value) {
    fprintf(stderr, "probe %s: %s: %s\n", verb, what, value);
    exit(2);
}

static long number(const char *text, long max) {
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (end == text || *end || errno || value < 0 || value > max)
        misused("not a number, or out of range", text);
    return value;
}

static int named(const Name *table, const char *name) {
    for (; table->name; table++)
        if (strcmp(table->name, name) == 0)
            return table->value;
    return misused("unknown name", name);
}

// Any number of names: their values or'ed together.
static int flags_named(const Name *table, char **names) {
    int flags = 0;
    while (*names)
        flags |= named(table, *names++);
    return flags;
}

// ----------------------------------------------------------- reporting

static const char *error_name(int error) {
    static char unknown[16];
    for (const Name *e = errors; e->name; e++)
        if (e->value == error)
            return e->name;
    snprintf(unknown, sizeof unknown, "%d", error);
    return unknown;
}

static int refused(const char *what) {
    printf("%s: errno %s\n", what, error_name(errno));
    return 1;
}

static int allowed(const char *what) {
    printf("%s allowed\n", what);
    return 0;
}

static int report(const char *what, long result) {
    return result == -1 ? refused(what) : allowed(what);
}

/* For calls that must never have their effect. They are made with an argument
 * that the kernel looks at only after the permission: the error `late` means
 * that the permission was there. */
static int report_late(const char *what, long result, int late) {
    return result == -1 && errno != late ? refused(what) : allowed(what);
}

static int write_all(int fd, const char *data, size_t left) {
    while (left > 0) {
        ssize_t n = write(fd, data, left);
        if (n == -1)
            return -1;
        data += n;
        left -= n;
    }
    return 0;
}

// ------------------------------------------------------------ identity

static int show_ids(void) {
    uid_t uid, euid, suid;
    gid_t gid, egid, sgid, group[1024];
    getresuid(&uid, &euid, &suid);
    getresgid(&gid, &egid, &sgid);
    printf("uid %u\neuid %u\nsuid %u\n", uid, euid, suid);
    printf("gid %u\negid %u\nsgid %u\ngroups", gid, egid, sgid);
    int count = getgroups(1024, group);
    for (int i = 0; i < count; i++)
        printf(" %u", group[i]);
    printf("\n");
    return 0;
}

// The lines of /proc/self/status that begin with one of these keys.
static int show_status(const char *const *keys) {
    char line[4096];
    FILE *f = fopen("/proc/self/status", "re");
    if (!f)
        return refused(verb);
    while (fgets(line, sizeof line, f)) {
        char *colon = strchr(line, ':');
        if (!colon)
            continue;
        *colon = 0;
        for (int i = 0; keys[i]; i++)
            if (strcmp(keys[i], line) == 0)
                printf("%s %s", line, colon + 1 + strspn(colon + 1, " \t"));
    }
    fclose(f);
    return 0;
}

static int show_caps(void) {
    static const char *const keys[] = { "CapInh", "CapPrm", "CapEff", "CapBnd",
                                        "CapAmb", "NoNewPrivs", "Seccomp", NULL };
    return show_status(keys);
}

static int show_inherited(void) {
    static const char *const keys[] = { "Umask", "SigBlk", "SigIgn", "SigCgt", NULL };
    return show_status(keys);
}

static int show_namespaces(void) {
    struct dirent *e;
    struct stat st;
    DIR *dir = opendir("/proc/self/ns");
    if (!dir)
        return refused(verb);
    while ((e = readdir(dir)))
        if (e->d_name[0] != '.' && fstatat(dirfd(dir), e->d_name, &st, 0) == 0)
            printf("%s %lu\n", e->d_name, (unsigned long)st.st_ino);
    closedir(dir);
    return 0;
}

static int show_fds(void) {
    struct dirent *e;
    DIR *dir = opendir("/proc/self/fd");
    if (!dir)
        return refused(verb);
    while ((e = readdir(dir))) {
        char target[PATH_MAX] = "";
        if (e->d_name[0] == '.' || atoi(e->d_name) == dirfd(dir))
            continue;
        if (readlinkat(dirfd(dir), e->d_name, target, sizeof target - 1) != -1)
            printf("%s %s\n", e->d_name, target);
    }
    closedir(dir);
    return 0;
}

static int show_env(void) {
    for (char **e = environ; *e; e++)
        puts(*e);
    return 0;
}

static int show_args(void) {
    for (int i = 0; arg[i]; i++)
        printf("arg %d %s\n", i + 1, arg[i]);
    return 0;
}

static int show_cwd(void) {
    char path[PATH_MAX];
    if (!getcwd(path, sizeof path))
        return refused(verb);
    printf("cwd %s\n", path);
    return 0;
}

static int show_session(void) {
    printf("pid %d\nppid %d\n", getpid(), getppid());
    printf("pgid %d\nsid %d\n", getpgrp(), getsid(0));
    return 0;
}

// ------------------------------------------------------------ terminal

static int show_winsize(void) {
    struct winsize size;
    if (ioctl(0, TIOCGWINSZ, &size) == -1)
        return refused("winsize");
    printf("winsize %d %d\n", size.ws_row, size.ws_col);
    return 0;
}

static int show_tty(void) {
    printf("isatty %d %d %d\n", isatty(0), isatty(1), isatty(2));
    const char *name = ttyname(0);
    printf("ttyname %s\n", name ? name : "-");
    printf("tcgetpgrp %d\nsid %d\n", tcgetpgrp(0), getsid(0));
    show_winsize();
    return 0;
}

// Bytes in, the same bytes out.
static int echo(void) {
    char buffer[65536];
    ssize_t n;
    while ((n = read(0, buffer, sizeof buffer)) > 0)
        if (write_all(1, buffer, n) == -1)
            return 1; // stdout is gone: nowhere to say it
    return n == -1;
}

/* Do to what is behind the descriptors 0 to 2 whatever its owner may do: to a
 * terminal, a device, a file that was opened for reading only. Nothing is
 * printed, because that would be a change, too: the caller looks at what has
 * become of it. Of devices only terminals are changed, and those that the caller
 * has marked as its own by the time of their last change, 0: a mistake in a test
 * must not close the machine's /dev/null to everybody. */
static int change_stdio(void) {
    struct termios mode;
    for (int fd = 0; fd < 3; fd++) {
        char path[32];
        struct stat st;
        if (fstat(fd, &st) == -1)
            continue;
        bool terminal = S_ISCHR(st.st_mode) && major(st.st_rdev) == 136; // pts(4)
        if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode) && !terminal && st.st_mtime != 0)
            continue;
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        int again = open(path, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (S_ISREG(st.st_mode) && again != -1)
            pwrite(again, "overwritten\n", 12, 0);
        close(again);
        fchmod(fd, 04777);
        chmod(path, 04777); // where the descriptor is O_PATH
        fchown(fd, 1234, 1234);
        chown(path, 1234, 1234);
        if (tcgetattr(fd, &mode) == -1)
            continue;
        mode.c_lflag ^= ECHO;
        tcsetattr(fd, TCSANOW, &mode);
    }
    return 0;
}

static int write_both(void) {
    printf("%s\n", arg[0]);
    fprintf(stderr, "%s\n", arg[0]);
    return 0;
}

// --------------------------------------------------------------- files

// O_NONBLOCK: a fifo without a partner or a silent device must not hold us.
static int read_file(void) {
    char buffer[65536];
    ssize_t n = 0, total = 0;
    int fd = open(arg[0], O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd == -1)
        return refused(verb);
    while (total < MAX_READ && (n = read(fd, buffer, sizeof buffer)) > 0) {
        total += n;
        if (write_all(1, buffer, n) == -1)
            return 1;
    }
    return n == -1 ? refused(verb) : 0;
}

static int put_text(int flags) {
    flags |= O_WRONLY | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    int fd = open(arg[0], flags, 0666);
    if (fd == -1 || write_all(fd, arg[1], strlen(arg[1])) == -1)
        return refused(verb);
    if (close(fd) == -1)
        return refused(verb);
    printf("wrote %zu\n", strlen(arg[1]));
    return 0;
}

static int write_file(void) {
    return put_text(O_TRUNC);
}

static int append_file(void) {
    return put_text(O_APPEND);
}

static int open_file(void) {
    static const Name modes[] = {
        { "r", O_RDONLY }, { "w", O_WRONLY }, { "rw", O_RDWR }, { 0 }
    };
    int flags = named(modes, arg[1]) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    return report(verb, open(arg[0], flags));
}

static int show_existence(void) {
    struct stat st;
    if (lstat(arg[0], &st) == -1)
        return refused(verb);
    printf("exists yes\n");
    return 0;
}

static const char *type_name(mode_t mode) {
    return S_ISREG(mode)    ? "file"
           : S_ISDIR(mode)  ? "dir"
           : S_ISLNK(mode)  ? "link"
           : S_ISCHR(mode)  ? "char"
           : S_ISBLK(mode)  ? "block"
           : S_ISFIFO(mode) ? "fifo"
                            : "socket";
}

static int show_stat(void) {
    struct stat st;
    if (lstat(arg[0], &st) == -1)
        return refused(verb);
    printf("type %s\nmode %04o\n", type_name(st.st_mode), st.st_mode & 07777);
    printf("uid %u\ngid %u\n", st.st_uid, st.st_gid);
    printf("dev %u:%u\n", major(st.st_dev), minor(st.st_dev));
    printf("rdev %u:%u\n", major(st.st_rdev), minor(st.st_rdev));
    printf("ino %lu\n", (unsigned long)st.st_ino);
    printf("size %lld\n", (long long)st.st_size);
    return 0;
}

// setcap cap_net_raw=ep FILE; capabilities(7) shows the attribute.
static int give_capability(void) {
    const uint32_t value[] = { 0x02000001, 1 << 13, 0, 0, 0 };
    return report(verb, setxattr(arg[0], "security.capability", value, sizeof value, 0));
}

static int show_link(void) {
    char target[PATH_MAX] = "";
    if (readlink(arg[0], target, sizeof target - 1) == -1)
        return refused(verb);
    printf("readlink %s\n", target);
    return 0;
}

// ST_RDONLY, ST_NOSUID ... have the values of MS_RDONLY, MS_NOSUID ...
static int show_statfs(void) {
    struct statfs fs;
    if (statfs(arg[0], &fs) == -1)
        return refused(verb);
    printf("magic 0x%lx\n", (unsigned long)fs.f_type);
    printf("flags 0x%lx\n", (unsigned long)fs.f_flags);
    printf("options %s%s%s%s\n", fs.f_flags & MS_RDONLY ? "ro" : "rw",
           fs.f_flags & MS_NOSUID ? ",nosuid" : "",
           fs.f_flags & MS_NODEV ? ",nodev" : "",
           fs.f_flags & MS_NOEXEC ? ",noexec" : "");
    printf("kilobytes %llu\n",
           (unsigned long long)fs.f_blocks * fs.f_bsize / 1024);
    return 0;
}

// ----------------------------------------------------- using resources

// Half of the memory that is free here, so that no machine is driven into
// swap; 256 where /proc does not say. A container sees the host's number.
static long spare_megabytes(void) {
    char line[256];
    long kilobytes, spare = 256;
    FILE *f = fopen("/proc/meminfo", "re");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "MemAvailable: %ld", &kilobytes) == 1)
            spare = kilobytes / 1024 / 2;
    if (f)
        fclose(f);
    return spare;
}

static int use_memory(void) {
    long megabytes = number(arg[0], 1 << 20);
    if (megabytes > spare_megabytes())
        return misused("more than half of the free memory", arg[0]);
    for (long i = 0; i < megabytes; i++) {
        volatile char *block = malloc(1 << 20); // volatile: touch it really
        if (!block)
            return refused(verb);
        for (long at = 0; at < 1 << 20; at += 4096)
            block[at] = 1;
    }
    printf("allocated %ld\n", megabytes);
    return 0;
}

// Two ends for a child, should the parent be killed before it kills us.
static void idle(void) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm(60);
    pause();
    _exit(0);
}

static int use_processes(void) {
    static pid_t child[MAX_FORK];
    long want = number(arg[0], MAX_FORK), made = 0;
    int error = 0;
    while (made < want && !error) {
        pid_t pid = fork();
        if (pid == 0)
            idle();
        if (pid > 0)
            child[made++] = pid;
        else
            error = errno;
    }
    for (long i = 0; i < made; i++)
        kill(child[i], SIGKILL);
    for (long i = 0; i < made; i++)
        waitpid(child[i], NULL, 0);
    printf("forked %ld%s%s\n", made, error ? " errno " : "",
           error ? error_name(error) : "");
    return error != 0;
}

static long milliseconds(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int use_cpu(void) {
    long want = number(arg[0], MAX_BURN), used;
    long start = milliseconds(CLOCK_MONOTONIC);
    while ((used = milliseconds(CLOCK_PROCESS_CPUTIME_ID)) < want)
        for (volatile int i = 0; i < 100000; i++)
            ;
    printf("wall_ms %ld\n", milliseconds(CLOCK_MONOTONIC) - start);
    printf("cpu_ms %ld\n", used);
    return 0;
}

// ------------------------------------------------ processes and signals

static int wait_seconds(void) {
    unsigned left = number(arg[0], MAX_WAIT);
    while (left > 0)
        left = sleep(left);
    return 0;
}

// Whoever wants the lock, too, waits for our end.
static int hold_lock(void) {
    int fd = open(arg[0], O_RDONLY | O_CLOEXEC);
    if (fd == -1 || flock(fd, LOCK_EX | LOCK_NB) == -1)
        return refused(verb);
    sleep(number(arg[1], MAX_WAIT));
    return 0;
}

/* Everything that can make others wait for a file: both kinds of locks, and a
 * lease, which delays whoever opens it. What cannot be had is left out. */
static int hold_files(void) {
    int seconds = number(arg[0], MAX_WAIT);
    signal(SIGIO, SIG_IGN); // the kernel asks for the lease back: it waits
    for (char **file = arg + 1; *file; file++) {
        struct flock all = { .l_type = F_WRLCK };
        int fd = open(*file, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (fd == -1) { // a directory, or read-only
            fd = open(*file, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
            all.l_type = F_RDLCK;
        }
        int held = (flock(fd, LOCK_EX | LOCK_NB) == 0) + (fcntl(fd, F_SETLK, &all) == 0) +
                   (fcntl(fd, F_SETLEASE, F_WRLCK) == 0 || fcntl(fd, F_SETLEASE, F_RDLCK) == 0);
        printf("held %d %s\n", held, *file);
    }
    printf("ready\n");
    sleep(seconds);
    return 0;
}

static int exit_with(void) {
    return number(arg[0], 255);
}

static int kill_self(void) {
    int sig = number(arg[0], 64);
    sigset_t set;
    prctl(PR_SET_DUMPABLE, 0); // leave no core file
    signal(sig, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, sig);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    raise(sig);
    printf("survived %d\n", sig); // harmless by default, or we are pid 1
    return 0;
}

// Signals are blocked and fetched one by one: no handler, none is lost.
static int wait_signals(void) {
    struct timespec limit = { .tv_sec = SIGNAL_WAIT };
    sigset_t all;
    int sig;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    printf("ready\n");
    while ((sig = sigtimedwait(&all, NULL, &limit)) != SIGTERM) {
        if (sig == -1 && errno != EINTR) // a stop or a freeze interrupts
            return refused(verb);
        if (sig > 0)
            printf("signal %d\n", sig);
        if (sig == SIGWINCH && isatty(0))
            show_winsize();
    }
    printf("signal %d\n", sig);
    return 0;
}

// Zombies whose parent is this process. In /proc/PID/stat, what follows the
// last ')' is the state and the parent.
static int count_zombies(pid_t parent) {
    char path[300], line[512], state;
    int zombies = 0, ppid;
    struct dirent *e;
    DIR *proc = opendir("/proc");
    while (proc && (e = readdir(proc))) {
        snprintf(path, sizeof path, "/proc/%s/stat", e->d_name);
        FILE *f = atoi(e->d_name) > 0 ? fopen(path, "re") : NULL;
        if (!f)
            continue;
        char *tail = fgets(line, sizeof line, f) ? strrchr(line, ')') : NULL;
        if (tail && sscanf(tail, ") %c %d", &state, &ppid) == 2)
            zombies += state == 'Z' && ppid == parent;
        fclose(f);
    }
    if (proc)
        closedir(proc);
    return zombies;
}

// The grandchild: wait until somebody else is our parent, say who, and exit.
static void be_orphaned(pid_t parent, int fd) {
    for (int i = 0; i < 1000 && getppid() == parent; i++)
        usleep(1000);
    pid_t adopter = getppid();
    _exit(write(fd, &adopter, sizeof adopter) != sizeof adopter);
}

static int leave_orphan(void) {
    int fd[2], zombies;
    pid_t adopter = 0, child;
    if (pipe2(fd, O_CLOEXEC) == -1 || (child = fork()) == -1)
        return refused(verb);
    if (child == 0) {
        pid_t self = getpid(), grandchild = fork();
        if (grandchild == 0)
            be_orphaned(self, fd[1]);
        _exit(grandchild == -1);
    }
    close(fd[1]);
    waitpid(child, NULL, 0);
    if (read(fd[0], &adopter, sizeof adopter) != sizeof adopter) {
        errno = ECHILD; // the child could not fork
        return refused(verb);
    }
    usleep(100000); // and the orphan a moment to end
    for (int i = 0; (zombies = count_zombies(adopter)) > 0 && i < 20; i++)
        usleep(100000); // init needs a moment
    printf("adopter %d\nzombies %d\n", adopter, zombies);
    return 0;
}

static void *do_nothing(void *nothing) {
    return nothing;
}

static int make_thread(void) {
    pthread_t thread;
    errno = pthread_create(&thread, NULL, do_nothing, NULL);
    if (errno == 0)
        errno = pthread_join(thread, NULL);
    return errno ? refused(verb) : allowed(verb);
}

static int set_uid(void) {
    if (report(verb, setuid(number(arg[0], UINT_MAX))) != 0)
        return 1;
    return show_ids();
}

// ---------------------------------------------------- attempts: mounts

/* Whoever may mount may also do it in a namespace of our own, where nobody
 * else sees it, once no mount there is shared with the outside. Where this is
 * not allowed the attempt itself has nothing to change. */
static void leave_mounts(void) {
    if (unshare(CLONE_NEWNS) == -1)
        return;
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1)
        exit(refused("leave-mounts"));
}

static int try_mount(void) {
    const char *dir = arg[0] ? arg[0] : "/proc";
    leave_mounts();
    int result = mount("probe", dir, "tmpfs", 0, NULL);
    int error = errno;
    if (result == 0)
        umount2(dir, MNT_DETACH);
    errno = error;
    return report(verb, result);
}

static int try_umount(void) {
    leave_mounts();
    return report(verb, umount2(arg[0], MNT_DETACH));
}

// MS_BIND: this mount only. Without it, the file system that others share
// would change. A user namespace lets no flag but ro go, so keep the others.
static int try_remount(void) {
    struct statfs fs;
    leave_mounts();
    if (statfs(arg[0], &fs) == -1)
        return refused(verb);
    unsigned long keep = fs.f_flags & (MS_NOSUID | MS_NODEV | MS_NOEXEC);
    return report(
        verb, mount(NULL, arg[0], NULL, MS_REMOUNT | MS_BIND | keep, NULL));
}

static int try_fsopen(void) {
    return report(verb, syscall(SYS_fsopen, "tmpfs", 0));
}

/* The first tree of version 1 that there is, else version 2. A line of
 * /proc/self/cgroup is NUMBER:CONTROLLERS:PATH; the mount makes nothing new. */
static int try_cgroup(void) {
    char line[512], tree[256] = "";
    FILE *f = fopen("/proc/self/cgroup", "re");
    while (f && !*tree && fgets(line, sizeof line, f))
        if (sscanf(line, "%*d:%255[^:]:", tree) != 1 || strchr(tree, '='))
            *tree = 0;
    if (f)
        fclose(f);
    leave_mounts();
    return report(verb, mount("probe", "/proc", *tree ? "cgroup" : "cgroup2", 0,
                              *tree ? tree : NULL));
}

// Two names change places again and again: a link, and what it stands for.
static int exchange_names(void) {
    long end = milliseconds(CLOCK_MONOTONIC) + number(arg[2], MAX_BURN);
    while (milliseconds(CLOCK_MONOTONIC) < end)
        if (renameat2(AT_FDCWD, arg[0], AT_FDCWD, arg[1], RENAME_EXCHANGE) == -1)
            return refused(verb);
    return 0;
}

/* The same with many directories and links to TARGET, for somebody who removes
 * them all in the order of readdir(3): each pair changes places until that one
 * has come by, which is where a mistake would be made. */
static int swap_many(void) {
    enum { PAIRS = 200 };
    long end = milliseconds(CLOCK_MONOTONIC) + number(arg[2], MAX_BURN);
    char name[32], link[32];
    struct dirent *e;
    if (chdir(arg[0]) == -1)
        return refused(verb);
    for (int i = 0; i < PAIRS; i++) {
        snprintf(name, sizeof name, "dir%d", i);
        snprintf(link, sizeof link, "link%d", i);
        if (mkdir(name, 0755) == -1 || symlink(arg[1], link) == -1)
            return refused(verb);
        snprintf(name, sizeof name, "dir%d/file", i);
        close(open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644)); // it is not empty
    }
    printf("ready\n");
    DIR *here = opendir(".");
    while (here && (e = readdir(here))) {
        if (strncmp(e->d_name, "dir", 3) != 0)
            continue;
        snprintf(link, sizeof link, "link%.20s", e->d_name + 3);
        while (milliseconds(CLOCK_MONOTONIC) < end &&
               renameat2(AT_FDCWD, e->d_name, AT_FDCWD, link, RENAME_EXCHANGE) == 0)
            ;
    }
    if (here)
        closedir(here);
    return 0;
}

/* Make a device and open it. To open some devices is an act in itself (a
 * watchdog begins to count), so only block devices and the memory devices,
 * character major 1, are opened. */
static int try_mknod(void) {
    static const Name kinds[] = { { "b", S_IFBLK }, { "c", S_IFCHR }, { 0 } };
    unsigned maj = number(arg[1], 4095), min = number(arg[2], 1048575);
    int kind = named(kinds, arg[3]);
    if (kind == S_IFCHR && maj != 1)
        return misused("only character devices with major 1", arg[1]);
    if (report("mknod", mknod(arg[0], kind | 0600, makedev(maj, min))) != 0)
        return 1;
    int fd = open(arg[0], O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    int result = report("mknod-open", fd);
    unlink(arg[0]);
    return result;
}

/* A root directory below the current one no longer holds us: ".." leads up to
 * the root of the mount namespace. Any directory will do for it. */
static int try_chroot(void) {
    struct stat before, after;
    if (stat("/", &before) == -1 || chdir("/") == -1 || chroot("proc") == -1)
        return refused(verb);
    for (int i = 0; i < 64; i++)
        if (chdir("..") == -1)
            return refused(verb);
    if (chroot(".") == -1 || stat("/", &after) == -1)
        return refused(verb);
    int same = before.st_dev == after.st_dev && before.st_ino == after.st_ino;
    printf("before %lu:%lu\nafter %lu:%lu\n", (unsigned long)before.st_dev,
           (unsigned long)before.st_ino, (unsigned long)after.st_dev,
           (unsigned long)after.st_ino);
    printf("chroot-escape %s\n", same ? "same" : "escaped");
    return 0;
}

/* "Shocker": a file handle names an inode, not a path, so whoever may open one
 * reaches every file of the file system. Inode 2 is the root of an ext4. An
 * overlay gives out no handles: then make one of the common kind, 1, which is
 * inode and generation. ESTALE comes after the permission: no such inode. */
static int try_handle(void) {
    _Alignas(struct file_handle) char
        space[sizeof(struct file_handle) + MAX_HANDLE_SZ] = { 0 };
    struct file_handle *handle = (void *)space;
    const uint32_t root[2] = { 2, 0 };
    const char *path = arg[0] ? arg[0] : "/";
    int mount_id, dir = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (dir == -1)
        return refused(verb);
    handle->handle_bytes = MAX_HANDLE_SZ;
    if (name_to_handle_at(AT_FDCWD, path, handle, &mount_id, 0) == -1) {
        handle->handle_bytes = sizeof root;
        handle->handle_type = 1;
    }
    memcpy(handle->f_handle, root, sizeof root);
    return report_late(verb, open_by_handle_at(dir, handle, O_RDONLY), ESTALE);
}

// ------------------------------------------------ attempts: namespaces

static int try_unshare(void) {
    return report(verb, unshare(flags_named(namespaces, arg)));
}

// The raw call: the C library would choose between clone and clone3 for us.
static int try_clone(void) {
    unsigned long flags = flags_named(namespaces, arg);
    if (flags & CLONE_NEWTIME)
        return misused("no flag of clone", "time"); // its bit means a signal
    long pid = syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, NULL);
    if (pid == 0)
        _exit(0);
    int result = report(verb, pid);
    waitpid(-1, NULL, 0);
    return result;
}

// Its first 64 bytes have been the same since Linux 5.3.
struct clone3_args {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal;
    uint64_t stack, stack_size, tls;
};

static int try_clone3(void) {
    struct clone3_args args = { .flags = flags_named(namespaces, arg),
                                .exit_signal = SIGCHLD };
    long pid = syscall(SYS_clone3, &args, sizeof args);
    if (pid == 0)
        _exit(0);
    int result = report(verb, pid);
    waitpid(-1, NULL, 0);
    return result;
}

static int try_setns(void) {
    int fd = open(arg[0], O_RDONLY | O_CLOEXEC);
    if (fd == -1)
        return refused("setns-open");
    return report(verb, setns(fd, 0));
}

/* In the first UTS namespace, whose inode number never changes, this is the
 * name of the whole machine: there, try a name that is too long. */
static int try_sethostname(void) {
    const ino_t first_uts = 0xEFFFFFFE;
    static const char too_long[65];
    struct stat uts;
    struct utsname now;
    if (stat("/proc/self/ns/uts", &uts) == -1 || uts.st_ino == first_uts)
        return report_late(verb, sethostname(too_long, 65), EINVAL);
    int result = report(verb, sethostname(arg[0], strlen(arg[0])));
    uname(&now);
    printf("hostname %s\n", now.nodename);
    return result;
}

// ---------------------------------------------- attempts: system calls

// PTRACE_SEIZE, unlike PTRACE_ATTACH, does not stop the process; when we exit,
// it is let go.
static int try_ptrace(void) {
    pid_t pid = number(arg[0], INT_MAX);
    return report(verb, ptrace(PTRACE_SEIZE, pid, NULL, NULL));
}

/* Trace a process while it is not yet the program NAME: that is code which sets
 * up a program, and may still have what the program has not. The kernel lets
 * nobody in between the change of program and that of the name. */
static int trace_setup(const char *pid, const char *name) {
    char path[64], comm[32] = "";
    long result = ptrace(PTRACE_SEIZE, atoi(pid), NULL, NULL);
    int error = result == -1 ? errno : 0;
    snprintf(path, sizeof path, "/proc/%.20s/comm", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = read(fd, comm, sizeof comm - 1);
    close(fd);
    if (result == 0 && ptrace(PTRACE_INTERRUPT, atoi(pid), NULL, NULL) == 0) {
        waitpid(atoi(pid), NULL, __WALL);
        ptrace(PTRACE_DETACH, atoi(pid), NULL, NULL);
    }
    errno = n <= 0 || strncmp(comm, name, n - 1) == 0 ? ESRCH : error;
    return errno == ESRCH ? -1 : result;
}

static int try_trace_new(void) {
    long end = milliseconds(CLOCK_MONOTONIC) + MAX_TRACE * 1000L;
    int error = ESRCH, traced = 0, last = 0; // ESRCH: nobody has come
    struct dirent *e;
    for (int left = number(arg[1], 1000); left > 0 && !traced;) {
        DIR *proc = milliseconds(CLOCK_MONOTONIC) < end ? opendir("/proc") : NULL;
        if (!proc)
            break;
        while (!traced && (e = readdir(proc))) {
            int pid = atoi(e->d_name);
            if (pid <= getpid())
                continue;
            traced = trace_setup(e->d_name, arg[0]) == 0;
            if (errno == ESRCH)
                continue;
            error = errno;
            left -= pid != last;
            last = pid;
        }
        closedir(proc);
    }
    errno = error;
    return report(verb, traced ? 0 : -1);
}

/* Write into the file that a process runs, whoever made it visible: its mode
 * and its first byte, which stay what they are. A program that runs cannot be
 * written, so wait for its end; if others still run it, the mode decides. */
static int overwrite(int exe) {
    char path[64], byte;
    struct stat st;
    int fd = -1;
    if (exe == -1 || fstat(exe, &st) == -1)
        return refused("overwrite-open");
    snprintf(path, sizeof path, "/proc/self/fd/%d", exe);
    if (chmod(path, st.st_mode & 07777) == -1)
        return refused(verb);
    int seals = fcntl(exe, F_GET_SEALS); // -1: it is not a file in memory
    if (seals > 0 && seals & F_SEAL_WRITE) {
        errno = EPERM;
        return refused(verb);
    }
    for (int i = 0; i < 30 && fd == -1; i++) {
        usleep(100000);
        fd = open(path, O_RDWR | O_CLOEXEC);
        if (fd == -1 && errno != ETXTBSY)
            return refused(verb);
    }
    if (fd == -1)
        return allowed(verb);
    if (pread(fd, &byte, 1, 0) != 1)
        return refused("overwrite-read");
    return report(verb, pwrite(fd, &byte, 1, 0) == 1 ? 0 : -1);
}

static int try_overwrite(void) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%ld/exe", number(arg[0], INT_MAX));
    return overwrite(open(path, O_RDONLY | O_CLOEXEC));
}

// One file of /proc/PID, with spaces for NULs; "" if it cannot be read.
static const char *read_proc(int pid, const char *file) {
    static char text[65536];
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%.20s", pid, file);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = 0, n = 0;
    while (fd != -1 && (n = read(fd, text + size, sizeof text - 1 - size)) > 0)
        size += n;
    close(fd);
    for (ssize_t i = 0; i < size; i++)
        if (text[i] == '\0')
            text[i] = ' ';
    text[size] = '\0';
    return text;
}

/* Whoever comes after us, until VISIT has what it wants of one of them, or time
 * is up. */
static bool visit_new(bool (*visit)(int pid)) {
    long end = milliseconds(CLOCK_MONOTONIC) + MAX_TRACE * 1000L;
    bool done = false;
    while (!done && milliseconds(CLOCK_MONOTONIC) < end) {
        DIR *proc = opendir("/proc");
        struct dirent *e;
        while (proc && !done && (e = readdir(proc)))
            if (atoi(e->d_name) > getpid())
                done = visit(atoi(e->d_name));
        if (proc)
            closedir(proc);
    }
    return done;
}

static int found = -1; // what a visit has brought

// It calls itself so, and lets us look at the file that it runs.
static bool open_program(int pid) {
    char path[64];
    if (strncmp(read_proc(pid, "cmdline"), arg[0], strlen(arg[0])) != 0)
        return false;
    snprintf(path, sizeof path, "/proc/%d/exe", pid);
    return (found = open(path, O_RDONLY | O_CLOEXEC)) != -1;
}

static int try_overwrite_new(void) {
    errno = ESRCH;
    visit_new(open_program);
    return overwrite(found);
}

/* Has any file of theirs the word in it? Those that are not yet the program
 * "probe" are counted: they are on their way in. */
static int others, entering;
static bool look_for_word(int pid) {
    static int last, last_entering;
    others += pid != last;
    last = pid;
    if (pid != last_entering && strcmp(read_proc(pid, "comm"), "probe\n") != 0) {
        last_entering = pid;
        entering++;
    }
    for (char **file = arg + 2; *file; file++)
        if (strstr(read_proc(pid, *file), arg[0]))
            found = pid;
    return found != -1 || others >= number(arg[1], INT_MAX);
}

static int watch_proc(void) {
    visit_new(look_for_word);
    printf(found == -1 ? "watched %d entering %d\n" : "found after %d entering %d\n", others,
           entering);
    return found == -1;
}

// clang-format off
#define C(name) { #name, SYS_##name }
static const Name host_calls[] = {
    C(acct), C(add_key), C(bpf), C(clock_settime), C(delete_module),
    C(fanotify_init), C(finit_module), C(fsconfig), C(fsmount), C(fsopen),
    C(fspick), C(init_module), C(io_uring_setup), C(io_uring_enter),
    C(io_uring_register), C(kcmp), C(kexec_load), C(kexec_file_load),
    C(keyctl), C(mbind), C(migrate_pages), C(mount), C(mount_setattr),
    C(move_mount), C(move_pages), C(open_by_handle_at), C(open_tree),
    C(perf_event_open), C(pidfd_getfd), C(pivot_root), C(process_madvise),
    C(quotactl), C(reboot), C(request_key), C(set_mempolicy),
    C(setdomainname), C(sethostname), C(setns), C(settimeofday), C(swapoff),
    C(swapon), C(syslog), C(umount2), C(unshare), C(userfaultfd),
    C(lookup_dcookie), { "quotactl_fd", 443 }, { "set_mempolicy_home_node", 450 },
    { "open_tree_attr", 467 }, // younger than some headers
#ifdef __x86_64__
    C(ioperm), C(iopl), C(sysfs), C(uselib), C(ustat), C(_sysctl),
#endif
    { 0 }
};
#undef C
// clang-format on

/* Every call that only a host needs, or those that are named. With arguments
 * that are wrong in all ways, none of them does anything, and only a filter, or
 * a missing capability, says EPERM. vhangup, which takes no arguments, is not tried. */
static int try_calls(void) {
    int result = 1;
    for (const Name *call = host_calls; call->name; call++) {
        char **wanted = arg;
        while (*wanted && strcmp(*wanted, call->name) != 0)
            wanted++;
        if (*arg && !*wanted)
            continue;
        long value = syscall(call->value, -1L, -1L, -1L, -1L, -1L, -1L);
        if (value == -1 && (errno == EPERM || errno == ENOSYS))
            refused(call->name);
        else
            result = allowed(call->name);
    }
    return result;
}

static int try_keyctl(void) {
    const int get_keyring_id = 0, session_keyring = -3;
    return report(verb,
                  syscall(SYS_keyctl, get_keyring_id, session_keyring, 0));
}

static int try_bpf(void) {
    union bpf_attr attr = { .map_type = BPF_MAP_TYPE_ARRAY,
                            .key_size = 4,
                            .value_size = 4,
                            .max_entries = 1 };
    return report(verb, syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof attr));
}

static int try_perf(void) {
    struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE,
                                    .size = sizeof attr,
                                    .config = PERF_COUNT_SW_DUMMY,
                                    .exclude_kernel = 1,
                                    .exclude_hv = 1 };
    return report(verb, syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0));
}

static int try_userfaultfd(void) {
    const int user_mode_only = 1;
    return report(verb, syscall(SYS_userfaultfd, user_mode_only | O_CLOEXEC));
}

static int try_io_uring(void) {
    uint64_t params[64] = { 0 }; // more than a struct io_uring_params
    return report(verb, syscall(SYS_io_uring_setup, 1, params));
}

/* Type into the terminal of whoever started us. The address of the character
 * is bad, which comes last: nothing is ever typed. The kernel reads 32 bits of
 * the request, a filter that compares 64 misses the second and fourth. */
static int try_tiocsti(void) {
    static const struct {
        const char *name;
        unsigned long request;
    } requests[] = {
        { "tiocsti", TIOCSTI },
        { "tiocsti-high", TIOCSTI | 1UL << 32 },
        { "tioclinux", TIOCLINUX },
        { "tioclinux-high", TIOCLINUX | 1UL << 32 },
    };
    int result = 1;
    for (int i = 0; i < 4; i++)
        result &= report_late(requests[i].name,
                              syscall(SYS_ioctl, 0, requests[i].request, -1L),
                              EFAULT);
    return result;
}

// Before 1970 + the time since boot no clock can be set: EINVAL, always.
static int try_settime(void) {
    struct timespec epoch = { 0 };
    return report_late(verb, clock_settime(CLOCK_REALTIME, &epoch), EINVAL);
}

// Without its two magic numbers this call never does anything.
static int try_reboot(void) {
    return report_late(verb, syscall(SYS_reboot, 0, 0, 0, NULL), EINVAL);
}

static int try_swapoff(void) {
    return report_late(verb, swapoff(""), ENOENT);
}

static int try_syslog(void) {
    const int read_all = 3;
    char buffer[64];
    return report(verb, syscall(SYS_syslog, read_all, buffer, sizeof buffer));
}

static int try_personality(void) {
    return report(verb, personality(ADDR_NO_RANDOMIZE));
}

// getpid by its number in the x32 and the i386 table: a filter that knows one
// table only must stop both. An int 0x80 may also be answered with a signal.
#ifdef __x86_64__
static int try_x32(void) {
    return report(verb, syscall(0x40000000 + SYS_getpid));
}

static int try_ia32(void) {
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        long result = 20; // getpid
        prctl(PR_SET_DUMPABLE, 0);
        __asm__ volatile("int $0x80"
                         : "+a"(result)
                         :
                         : "memory", "r8", "r9", "r10", "r11");
        _exit(result > 0 ? 0 : (int)-result);
    }
    if (pid == -1 || waitpid(pid, &status, 0) == -1)
        return refused(verb);
    if (WIFSIGNALED(status)) {
        printf("ia32: signal %d\n", WTERMSIG(status));
        return 1;
    }
    errno = WEXITSTATUS(status);
    return errno ? refused(verb) : allowed(verb);
}
#else
static int try_foreign(void) {
    errno = ENOSYS; // no second table on this processor
    return refused(verb);
}
#define try_x32 try_foreign
#define try_ia32 try_foreign
#endif

// An old kernel, or a sandbox around us: COMMAND and all that it starts are
// refused this one call, and nothing else.
static int run_without(void) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_K | BPF_JEQ, (unsigned)named(calls, arg[0]), 0, 1),
        BPF_STMT(BPF_RET, SECCOMP_RET_ERRNO | (unsigned)named(errors, arg[1])),
        BPF_STMT(BPF_RET, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { sizeof code / sizeof code[0], code };
    int result = prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
    if (result == -1 && errno == EACCES) { // who is not root gives up set-uid programs, too
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        result = prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
    }
    if (result == 0)
        execvp(arg[2], arg + 2);
    return refused(verb);
}

// ------------------------------------------------------------- network

static struct sockaddr_in address(const char *ip, const char *port) {
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_port = htons(number(port, 65535)) };
    if (inet_pton(AF_INET, ip, &a.sin_addr) != 1)
        misused("not an IPv4 address", ip);
    return a;
}

static void print_address(const char *key, const struct sockaddr_in *a) {
    char text[INET_ADDRSTRLEN];
    inet_ntop(AF_INET, &a->sin_addr, text, sizeof text);
    printf("%s %s %d\n", key, text, ntohs(a->sin_port));
}

static int wait_readable(int fd, int seconds) {
    struct pollfd p = { .fd = fd, .events = POLLIN };
    int n = poll(&p, 1, seconds * 1000);
    if (n == 0)
        errno = ETIMEDOUT;
    return n == 1 ? 0 : -1;
}

// The optional last argument of the verbs that wait for somebody.
static int patience(const char *seconds) {
    return seconds ? number(seconds, MAX_WAIT) : NET_WAIT;
}

static int connect_in_time(int fd, const void *addr, socklen_t length, int seconds) {
    struct timeval limit = { .tv_sec = seconds };
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    int result = connect(fd, addr, length);
    if (result == -1 && errno == EINPROGRESS)
        errno = ETIMEDOUT;
    return result;
}

// The first piece of what the other side says; it may also say nothing.
static void print_received(int fd) {
    char text[4096];
    ssize_t n = -1;
    if (wait_readable(fd, NET_WAIT) == 0)
        n = recv(fd, text, sizeof text, 0);
    if (n > 0)
        printf("text %.*s%s", (int)n, text, text[n - 1] == '\n' ? "" : "\n");
}

// Say something, say that it was all, listen.
static void exchange(int fd, const char *text) {
    if (text)
        send(fd, text, strlen(text), MSG_NOSIGNAL);
    shutdown(fd, SHUT_WR);
    print_received(fd);
}

// A listening socket becomes the first connection to it.
static int accept_one(int fd, void *addr, socklen_t length, int seconds) {
    if (fd == -1 || bind(fd, addr, length) == -1 || listen(fd, 1) == -1)
        return -1;
    printf("ready\n");
    if (wait_readable(fd, seconds) == -1)
        return -1;
    return accept(fd, addr, &length);
}

static int try_socket(void) {
    int domain = named(domains, arg[0]);
    int type = domain == AF_ALG     ? SOCK_SEQPACKET
               : domain == AF_VSOCK ? SOCK_STREAM
                                    : SOCK_DGRAM;
    int protocol = 0;
    if (arg[1])
        type = named(types, arg[1]);
    if (arg[1] && arg[2])
        protocol = named(protocols, arg[2]);
    return report(verb, socket(domain, type, protocol));
}

static int tcp_connect(void) {
    struct sockaddr_in to = address(arg[0], arg[1]), local = { 0 };
    socklen_t length = sizeof local;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int seconds = arg[2] ? patience(arg[3]) : NET_WAIT;
    if (fd == -1 || connect_in_time(fd, &to, sizeof to, seconds) == -1)
        return refused(verb);
    getsockname(fd, (void *)&local, &length);
    print_address("peer", &to);
    print_address("local", &local);
    exchange(fd, arg[2]);
    return 0;
}

static int tcp_listen(void) {
    struct sockaddr_in peer = address("0.0.0.0", arg[0]);
    int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    int fd = accept_one(listener, &peer, sizeof peer, patience(arg[1]));
    if (fd == -1)
        return refused(verb);
    print_address("peer", &peer);
    exchange(fd, "hello\n");
    return 0;
}

// A connected socket takes answers from this address and port only.
static int udp_send(void) {
    struct sockaddr_in to = address(arg[0], arg[1]);
    char text[2048];
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd == -1 || connect(fd, (void *)&to, sizeof to) == -1 ||
        send(fd, arg[2], strlen(arg[2]), 0) == -1 ||
        wait_readable(fd, patience(arg[3])) == -1)
        return refused(verb);
    ssize_t n = recv(fd, text, sizeof text, 0);
    if (n == -1)
        return refused(verb);
    print_address("peer", &to);
    printf("text %.*s\n", (int)n, text);
    return 0;
}

static int udp_echo(void) {
    struct sockaddr_in peer = address("0.0.0.0", arg[0]);
    socklen_t length = sizeof peer;
    char text[2048];
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd == -1 || bind(fd, (void *)&peer, sizeof peer) == -1)
        return refused(verb);
    printf("ready\n");
    if (wait_readable(fd, patience(arg[1])) == -1)
        return refused(verb);
    ssize_t n = recvfrom(fd, text, sizeof text, 0, (void *)&peer, &length);
    if (n == -1 || sendto(fd, text, n, 0, (void *)&peer, length) == -1)
        return refused(verb);
    print_address("peer", &peer);
    printf("text %.*s\n", (int)n, text);
    return 0;
}

// What one datagram or the first piece of a connection is answered with: who we
// are, whom we see, and what was said.
static size_t answer(char *to, size_t room, const struct sockaddr_in *peer,
                     const char *said, size_t size) {
    char host[65] = "", ip[INET_ADDRSTRLEN];
    gethostname(host, sizeof host - 1);
    inet_ntop(AF_INET, &peer->sin_addr, ip, sizeof ip);
    int length = snprintf(to, room, "at %s from %s %d\n", host, ip, ntohs(peer->sin_port));
    memcpy(to + length, said, size < room - length ? size : room - length);
    return size < room - length ? length + size : room;
}

// The last read, which finds the end, sends nothing.
static void serve_connection(int fd, const struct sockaddr_in *peer) {
    static char in[65536], out[sizeof in + 256];
    ssize_t n = read(fd, in, sizeof in);
    if (n <= 0 || write_all(fd, out, answer(out, sizeof out, peer, in, n)) == -1)
        _exit(1);
    while ((n = read(fd, in, sizeof in)) > 0)
        if (write_all(fd, in, n) == -1)
            _exit(1);
    _exit(0);
}

static void serve_datagram(int fd) {
    char in[2048], out[sizeof in + 256];
    struct sockaddr_in peer = { 0 };
    socklen_t length = sizeof peer;
    ssize_t n = recvfrom(fd, in, sizeof in, 0, (void *)&peer, &length);
    if (n >= 0)
        sendto(fd, out, answer(out, sizeof out, &peer, in, n), 0, (void *)&peer, length);
}

// Both protocols, any number of clients at once, until the time is up.
static int serve(void) {
    struct sockaddr_in any = address(arg[1] && arg[2] ? arg[2] : "0.0.0.0", arg[0]);
    struct sockaddr_in peer = { 0 };
    int tcp = socket(AF_INET, SOCK_STREAM, 0), udp = socket(AF_INET, SOCK_DGRAM, 0), yes = 1;
    setsockopt(tcp, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(tcp, (void *)&any, sizeof any) == -1 || listen(tcp, 1024) == -1 ||
        bind(udp, (void *)&any, sizeof any) == -1)
        return refused(verb);
    signal(SIGCHLD, SIG_IGN); // nobody asks how it went
    alarm(patience(arg[1]));
    printf("ready\n");
    struct pollfd p[] = { { .fd = tcp, .events = POLLIN }, { .fd = udp, .events = POLLIN } };
    while (poll(p, 2, -1) > 0) {
        socklen_t length = sizeof peer;
        if (p[1].revents)
            serve_datagram(udp);
        int fd = p[0].revents ? accept(tcp, (void *)&peer, &length) : -1;
        if (fd != -1 && fork() == 0)
            serve_connection(fd, &peer);
        if (fd != -1)
            close(fd);
    }
    return refused(verb);
}

// stdin to the server, and what it says to stdout: at the same time, or both
// sides could wait for each other, with all buffers full.
static int tcp_copy(void) {
    static char data[65536];
    struct sockaddr_in to = address(arg[0], arg[1]);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd == -1 || connect_in_time(fd, &to, sizeof to, NET_WAIT) == -1)
        return refused(verb);
    bool sender = fork() == 0;
    ssize_t n = -1;
    while ((sender || wait_readable(fd, NET_WAIT) == 0) &&
           (n = read(sender ? 0 : fd, data, sizeof data)) > 0 &&
           write_all(sender ? fd : 1, data, n) == 0)
        ;
    if (sender)
        shutdown(fd, SHUT_WR);
    return n == 0 ? 0 : 1;
}

// All are connected before the first one says something.
static int tcp_many(void) {
    enum { MANY = 1000 };
    struct sockaddr_in to = address(arg[0], arg[1]);
    int n = number(arg[2], MANY), fds[MANY], right = 0;
    for (int i = 0; i < n; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM, 0);
        if (fds[i] == -1 || connect_in_time(fds[i], &to, sizeof to, NET_WAIT) == -1)
            return refused(verb);
    }
    printf("connected %d\n", n);
    for (int i = 0; i < n; i++)
        dprintf(fds[i], "%s-%d.", arg[3], i);
    for (int i = 0; i < n; i++) {
        char text[512] = "", wanted[300];
        snprintf(wanted, sizeof wanted, "\n%.200s-%d.", arg[3], i);
        if (wait_readable(fds[i], NET_WAIT) == 0 && recv(fds[i], text, sizeof text - 1, 0) > 0)
            right += strstr(text, wanted) != NULL;
    }
    printf("right %d\n", right);
    return right != n;
}

// One source port, to which answers may come from one address and port only. Who
// is not there, and says so (ICMP), is asked again.
static int udp_knock(void) {
    struct sockaddr_in to = address(arg[0], arg[1]), from = address("0.0.0.0", arg[2]);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd == -1 || bind(fd, (void *)&from, sizeof from) == -1 ||
        connect(fd, (void *)&to, sizeof to) == -1)
        return refused(verb);
    alarm(patience(arg[3]));
    for (;;) {
        char text[2048];
        struct pollfd p = { .fd = fd, .events = POLLIN };
        send(fd, "knock\n", 6, 0);
        usleep(50000);
        ssize_t n = poll(&p, 1, 0) == 1 ? recv(fd, text, sizeof text, 0) : -1;
        if (n > 0)
            printf("%.*s", (int)n, text);
    }
}

// As a server would: TCP with SO_REUSEADDR, and listen.
static int try_bind(void) {
    struct sockaddr_in a = address(arg[0], arg[1]);
    bool tcp = strcmp(arg[2], "tcp") == 0;
    int fd = socket(AF_INET, tcp ? SOCK_STREAM : SOCK_DGRAM, 0), yes = 1;
    if (tcp)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, (void *)&a, sizeof a) == -1 || (tcp && listen(fd, 1) == -1))
        return refused(verb);
    return allowed(verb);
}

// An abstract name begins with a zero byte: it is not a file, and belongs to the
// network namespace.
static socklen_t abstract_address(struct sockaddr_un *a, const char *name) {
    *a = (struct sockaddr_un){ .sun_family = AF_UNIX };
    if (strlen(name) > sizeof a->sun_path - 1)
        misused("name too long", name);
    memcpy(a->sun_path + 1, name, strlen(name));
    return offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name);
}

static int abstract_connect(void) {
    struct sockaddr_un to;
    socklen_t length = abstract_address(&to, arg[0]);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd == -1 || connect_in_time(fd, &to, length, NET_WAIT) == -1)
        return refused(verb);
    printf("connected %s\n", arg[0]);
    exchange(fd, NULL);
    return 0;
}

static int abstract_listen(void) {
    struct sockaddr_un name;
    socklen_t length = abstract_address(&name, arg[0]);
    int fd = accept_one(socket(AF_UNIX, SOCK_STREAM, 0), &name, length,
                        patience(arg[1]));
    if (fd == -1)
        return refused(verb);
    printf("connected %s\n", arg[0]);
    exchange(fd, "hello\n");
    return 0;
}

// An ICMP socket without privileges: net.ipv4.ping_group_range says for whom.
// The kernel fills in the identifier and the checksum.
static int ping(void) {
    struct sockaddr_in to = address(arg[0], "0");
    struct icmphdr echo = { .type = ICMP_ECHO }, answer = { 0 };
    int fd = socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
    if (fd == -1 || connect(fd, (void *)&to, sizeof to) == -1 ||
        send(fd, &echo, sizeof echo, 0) == -1 ||
        wait_readable(fd, PING_WAIT) == -1 ||
        recv(fd, &answer, sizeof answer, 0) == -1)
        return refused(verb);
    printf("reply %s type %d\n", arg[0], answer.type);
    return answer.type != ICMP_ECHOREPLY;
}

/* "I am your router", to everybody at the end of this cable: RFC 4861, 4.2. All
 * of the frame is made here, because a container may be without IPv6. */
struct advertisement {
    struct ip6_hdr ip;
    struct nd_router_advert router;
    struct nd_opt_prefix_info prefix;
};

// Over the addresses, the length, the number of the protocol, and what follows.
static uint16_t checksum(const struct advertisement *a) {
    uint32_t sum = htons(sizeof *a - sizeof a->ip) + htons(IPPROTO_ICMPV6);
    const uint16_t *word = (const uint16_t *)&a->ip.ip6_src, *end = (const uint16_t *)(a + 1);
    while (word < end)
        sum += *word++;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return ~sum;
}

static int advertise(void) {
    struct sockaddr_ll to = { .sll_family = AF_PACKET,
                              .sll_protocol = htons(0x86dd), // IPv6
                              .sll_ifindex = if_nametoindex(arg[0]),
                              .sll_halen = 6,
                              .sll_addr = { 0x33, 0x33, 0, 0, 0, 1 } };
    struct advertisement a = {
        .ip = { .ip6_plen = htons(sizeof a - sizeof a.ip), .ip6_hlim = 255 },
        .router = { .nd_ra_type = ND_ROUTER_ADVERT, .nd_ra_router_lifetime = htons(1800) },
        .prefix = { .nd_opt_pi_type = ND_OPT_PREFIX_INFORMATION,
                    .nd_opt_pi_len = 4,
                    .nd_opt_pi_prefix_len = 64,
                    .nd_opt_pi_flags_reserved = ND_OPT_PI_FLAG_ONLINK | ND_OPT_PI_FLAG_AUTO,
                    .nd_opt_pi_valid_time = htonl(1800),
                    .nd_opt_pi_preferred_time = htonl(1800) },
    };
    a.ip.ip6_vfc = 6 << 4; // the version
    a.ip.ip6_nxt = IPPROTO_ICMPV6;
    inet_pton(AF_INET6, "fe80::42:bad", &a.ip.ip6_src);
    inet_pton(AF_INET6, "ff02::1", &a.ip.ip6_dst);
    inet_pton(AF_INET6, "2001:db8:bad::", &a.prefix.nd_opt_pi_prefix);
    a.router.nd_ra_cksum = checksum(&a);
    int fd = socket(AF_PACKET, SOCK_DGRAM, htons(0x86dd));
    for (int i = 0; i < 8; i++) { // a bridge may need a moment to listen
        if (sendto(fd, &a, sizeof a, 0, (void *)&to, sizeof to) == -1)
            return refused(verb);
        usleep(250000);
    }
    return allowed(verb);
}

// --------------------------------------------------------------- verbs

static const struct {
    const char *name;
    int (*run)(void);
    int needs; // arguments at least
    const char *args, *help;
} verbs[] = {
    { "ids", show_ids, 0, "", "user and group ids, groups" },
    { "caps", show_caps, 0, "", "capability sets, no_new_privs, seccomp mode" },
    { "inherited", show_inherited, 0, "", "umask, blocked and ignored signals" },
    { "ns", show_namespaces, 0, "", "inode number of each namespace" },
    { "fds", show_fds, 0, "", "open descriptors and what they point at" },
    { "env", show_env, 0, "", "the environment" },
    { "args", show_args, 0, "[TEXT...]", "the arguments, numbered" },
    { "cwd", show_cwd, 0, "", "the working directory" },
    { "session", show_session, 0, "", "pid, parent, process group, session" },

    { "tty", show_tty, 0, "", "what stdin knows about its terminal" },
    { "winsize", show_winsize, 0, "", "rows and columns of the terminal" },
    { "echo", echo, 0, "", "copy stdin to stdout" },
    { "stdio", change_stdio, 0, "", "change what is behind 0 to 2, as its owner may" },
    { "both", write_both, 1, "TEXT", "write TEXT to stdout and to stderr" },

    { "read", read_file, 1, "FILE", "print the file" },
    { "write", write_file, 2, "FILE TEXT", "replace the contents" },
    { "append", append_file, 2, "FILE TEXT", "add to the contents" },
    { "open", open_file, 2, "FILE r|w|rw", "open it, and change nothing" },
    { "exists", show_existence, 1, "FILE", "is there such a name?" },
    { "stat", show_stat, 1, "FILE", "type, mode, owner, device (no link followed)" },
    { "readlink", show_link, 1, "FILE", "where the link points" },
    { "file-cap", give_capability, 1, "FILE", "whoever runs it has CAP_NET_RAW" },
    { "statfs", show_statfs, 1, "FILE", "type, mount flags, size of its file system" },

    { "alloc", use_memory, 1, "MEGABYTES", "touch that much memory" },
    { "fork", use_processes, 1, "N", "have N children at once" },
    { "burn", use_cpu, 1, "MILLISECONDS", "use that much CPU time" },

    { "sleep", wait_seconds, 1, "SECONDS", "do nothing" },
    { "lock", hold_lock, 2, "FILE SECONDS", "hold a lock, flock(2)" },
    { "hold", hold_files, 2, "SECONDS FILE...", "hold all locks and leases of them" },
    { "exit", exit_with, 1, "CODE", "exit with this status" },
    { "signal", kill_self, 1, "NUMBER", "send this signal to itself" },
    { "wait-signal", wait_signals, 0, "", "print signals until SIGTERM" },
    { "orphan", leave_orphan, 0, "", "who adopts and reaps an orphan?" },
    { "pthread", make_thread, 0, "", "start and join a thread" },
    { "setuid", set_uid, 1, "UID", "become that user" },

    { "mount", try_mount, 0, "[DIR]", "mount a tmpfs" },
    { "umount", try_umount, 1, "DIR", "take a mount away" },
    { "remount-rw", try_remount, 1, "DIR", "make a mount writable" },
    { "fsopen", try_fsopen, 0, "", "begin a mount the new way" },
    { "mount-cgroup", try_cgroup, 0, "", "mount a tree of cgroups" },
    { "exchange", exchange_names, 3, "A B MILLISECONDS", "two names change places" },
    { "swap", swap_many, 3, "DIR TARGET MILLISECONDS", "the same in DIR, where others remove" },
    { "mknod", try_mknod, 4, "FILE MAJOR MINOR b|c", "make and open a device" },
    { "chroot-escape", try_chroot, 0, "", "climb out of a chroot" },
    { "handle", try_handle, 0, "[FILE]", "open inode 2 by a file handle" },

    { "unshare", try_unshare, 1, "NAMESPACE...", "new namespaces, by unshare" },
    { "clone-ns", try_clone, 1, "NAMESPACE...", "new namespaces, by clone" },
    { "clone3", try_clone3, 0, "[NAMESPACE...]", "a child, by clone3" },
    { "setns", try_setns, 1, "FILE", "join a namespace" },
    { "sethostname", try_sethostname, 1, "NAME", "(the first namespace keeps its name)" },

    { "ptrace", try_ptrace, 1, "PID", "trace a process" },
    { "trace-new", try_trace_new, 2, "NAME N", "trace others until they are NAME, or N refuse" },
    { "overwrite", try_overwrite, 1, "PID", "write the file that it runs (no change)" },
    { "overwrite-new", try_overwrite_new, 1, "NAME", "the same to the next one of that name" },
    { "watch-proc", watch_proc, 3, "WORD N FILE...", "is WORD in /proc/PID/FILE of N others?" },
    { "calls", try_calls, 0, "[CALL...]", "calls that no program needs" },
    { "keyctl", try_keyctl, 0, "", "find the session keyring" },
    { "bpf", try_bpf, 0, "", "make a BPF map" },
    { "perf", try_perf, 0, "", "open a performance counter" },
    { "userfaultfd", try_userfaultfd, 0, "", "handle page faults" },
    { "io_uring", try_io_uring, 0, "", "make a ring" },
    { "tiocsti", try_tiocsti, 0, "", "type into the terminal (nothing is typed)" },
    { "settime", try_settime, 0, "", "set the clock (never set)" },
    { "reboot", try_reboot, 0, "", "(never happens)" },
    { "swapoff", try_swapoff, 0, "", "turn off swap (none is)" },
    { "syslog", try_syslog, 0, "", "read the kernel's log" },
    { "personality", try_personality, 0, "", "turn off address randomisation" },
    { "x32", try_x32, 0, "", "a system call of the x32 table" },
    { "ia32", try_ia32, 0, "", "a system call of the i386 table" },
    { "without", run_without, 3, "CALL ERRNO COMMAND...", "run COMMAND, refusing it CALL" },

    { "socket", try_socket, 1, "DOMAIN [TYPE [PROTOCOL]]", "make a socket" },
    { "tcp-connect", tcp_connect, 2, "ADDR PORT [TEXT [SECONDS]]", "send TEXT, print the answer" },
    { "tcp-listen", tcp_listen, 1, "PORT [SECONDS]", "say hello to one client" },
    { "udp-send", udp_send, 3, "ADDR PORT TEXT [SECONDS]", "send TEXT, print the answer" },
    { "udp-echo", udp_echo, 1, "PORT [SECONDS]", "return one datagram" },
    { "serve", serve, 1, "PORT [SECONDS [ADDR]]", "TCP and UDP: who asks, and what was said" },
    { "tcp-copy", tcp_copy, 2, "ADDR PORT", "stdin there, what comes back to stdout" },
    { "tcp-many", tcp_many, 4, "ADDR PORT N TEXT", "N connections at once" },
    { "udp-knock", udp_knock, 3, "ADDR PORT SOURCE-PORT [SECONDS]", "again and again" },
    { "bind", try_bind, 3, "ADDR PORT tcp|udp", "could a server start there?" },
    { "abstract-connect", abstract_connect, 1, "NAME", "to an abstract Unix socket" },
    { "abstract-listen", abstract_listen, 1, "NAME [SECONDS]", "say hello to one client" },
    { "advertise", advertise, 1, "LINK", "send router advertisements" },
    { "ping", ping, 1, "ADDR", "one echo request" },
};

enum { VERBS = sizeof verbs / sizeof verbs[0] };

static int print_usage(int from, int to) {
    fprintf(stderr, "usage: probe VERB [ARG...]\n");
    for (int i = from; i < to; i++)
        fprintf(stderr, "  %-16s %-24s %s\n", verbs[i].name, verbs[i].args,
                verbs[i].help);
    return 2;
}

int main(int argc, char **argv) {
    setvbuf(stdout, NULL, _IOLBF, 0); // whoever waits for "ready" sees it now
    for (int i = 0; i < VERBS && argc > 1; i++) {
        if (strcmp(verbs[i].name, argv[1]) != 0)
            continue;
        if (argc - 2 < verbs[i].needs)
            return print_usage(i, i + 1);
        verb = verbs[i].name;
        arg = argv + 2;
        return verbs[i].run();
    }
    return print_usage(0, VERBS);
}
