/* SPDX-License-Identifier: MIT */
/*
 * ns.c - three processes while a container runs: the watcher (us), init, the program.
 *
 *      host: the watcher                     container: init, its pid 1
 *
 *      ns_start: clone3 with CLONE_NEW*  --> rootless: map our user to root
 *      cgroup_join, net_connect              fs_take, fs_pivot, fs_attach
 *      -t: fetch our end of a terminal   <-- -t: open one
 *      ns_watch: "go", and the address   --> cgroup namespace, host name, eth0
 *        relay the terminal,                 fork --> the program: user, capabilities,
 *        forward signals                     |        seccomp, exec
 *      the program's status              <-- reap, until the program ends
 *
 * While init builds its root, the watcher does its work outside: "go" is the one point
 * where they meet. If the watcher dies, init is killed (PR_SET_PDEATHSIG), and with
 * init the kernel kills everything in its pid namespace. Start at ns_start, near the end.
 */
#include "container.h"
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <stddef.h>
#include <termios.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

static pid_t init;
static int init_fd, meeting[2]; /* a pidfd; two ends of a socket: ours, and init's, which is 4 */
static sigset_t every, none; /* signals are blocked from the clone on, and waited for */
static int master = -1, slave = -1; /* -t: our end of the container's terminal, and its own */

/* ---- capabilities: the pieces that root's power was cut into ---- */

// clang-format off
static const char *const capabilities[] = { /* capability n is named capabilities[n] */
    "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID",
    "SETPCAP", "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW",
    "IPC_LOCK", "IPC_OWNER", "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT",
    "SYS_ADMIN", "SYS_BOOT", "SYS_NICE", "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD",
    "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP", "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG",
    "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF", "CHECKPOINT_RESTORE",
};
#define BIT(cap) (1ULL << (cap))

/* What a program may need to manage its own files, users and processes, and no more. */
static const uint64_t usual = BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FOWNER) |
    BIT(CAP_FSETID) | BIT(CAP_KILL) | BIT(CAP_SETGID) | BIT(CAP_SETUID) | BIT(CAP_SETPCAP) |
    BIT(CAP_NET_BIND_SERVICE) | BIT(CAP_SYS_CHROOT) | BIT(CAP_SETFCAP);

uint64_t ns_capability(const char *name) {
    for (int i = 0; i < COUNT(capabilities); i++)
        if (!strcmp(strncmp(name, "CAP_", 4) ? name : name + 4, capabilities[i]))
            return BIT(i);
    return strcmp(name, "ALL") ? 0 : ~0ULL;
}

static struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };

uint64_t ns_permitted(void) {
    struct __user_cap_data_struct data[2] = { { 0 } };
    must(sys(capget, &header, data));
    return data[0].permitted | (uint64_t)data[1].permitted << 32;
}

/* ---- seccomp: system calls that no program in a container needs ---- */

/* Refused, unless the program has the capability that they are for; NEVER is no capability.
 * A call that is newer than this list passes: then only capabilities stop it. */
#define NEVER 63
static const struct { int capability; short calls[20]; } denied[] = {
    { CAP_SYS_ADMIN, { SYS_mount, SYS_umount2, SYS_mount_setattr, SYS_move_mount, SYS_open_tree,
                       SYS_fsopen, SYS_fsconfig, SYS_fsmount, SYS_fspick, SYS_pivot_root,
                       SYS_unshare, SYS_setns, SYS_sethostname, SYS_setdomainname, SYS_swapon,
                       SYS_swapoff, SYS_quotactl, SYS_fanotify_init, SYS_vhangup } },
    { CAP_DAC_READ_SEARCH, { SYS_open_by_handle_at } },
    { CAP_SYS_PTRACE, { SYS_kcmp, SYS_pidfd_getfd, SYS_process_madvise } },
    { CAP_SYS_NICE, { SYS_mbind, SYS_migrate_pages, SYS_move_pages, SYS_set_mempolicy } },
    { CAP_SYS_TIME, { SYS_clock_settime, SYS_settimeofday } },
    { CAP_SYS_MODULE, { SYS_init_module, SYS_finit_module, SYS_delete_module } },
    { CAP_SYS_BOOT, { SYS_reboot, SYS_kexec_load, SYS_kexec_file_load } },
    { CAP_SYS_PACCT, { SYS_acct } }, { CAP_SYSLOG, { SYS_syslog } },
    { CAP_BPF, { SYS_bpf } }, { CAP_PERFMON, { SYS_perf_event_open } },
    { NEVER, { SYS_add_key, SYS_keyctl, SYS_request_key, SYS_userfaultfd, SYS_io_uring_setup,
               SYS_io_uring_enter, SYS_io_uring_register, SYS_lookup_dcookie, SYS_nfsservctl } },
#ifdef __x86_64__
#define ARCH AUDIT_ARCH_X86_64
    { CAP_SYS_RAWIO, { SYS_iopl, SYS_ioperm } },
    { NEVER, { SYS_uselib, SYS_ustat, SYS_sysfs, SYS__sysctl } },
#else
#define ARCH AUDIT_ARCH_AARCH64
#endif
};
#define X32 0x40000000            /* x86-64: the same calls again, by other numbers */
#define NEW_NS 0x7e020000 /* CLONE_NEWNS, CGROUP, UTS, IPC, USER, PID, NET */

/* The filter's instructions. IF runs the next N when the loaded word matches, or skips them.
 * Of an argument only the low word is loaded, which is all that the kernel looks at. */
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define IF(test, value, n) BPF_JUMP(BPF_JMP | BPF_K | (test), value, 0, n)
#define END(action) BPF_STMT(BPF_RET, SECCOMP_RET_##action) /* ERRNO | EPERM: refuse with it */

/* From 0x40000000 on, x86-64 has the same calls again (x32). clone3 hides its flags behind a
 * pointer, where a filter cannot look: it is unknown, and the C library then uses clone. The
 * two ioctls would type into a terminal, or paste. */
static void install_filter(uint64_t keep) {
    struct sock_filter code[256] = {
        LOAD(arch), BPF_JUMP(BPF_JMP | BPF_K | BPF_JEQ, ARCH, 1, 0), END(KILL_PROCESS), LOAD(nr),
        IF(BPF_JGE, 0x40000000, 1), END(ERRNO | ENOSYS),
        IF(BPF_JEQ, SYS_clone3, 1), END(ERRNO | ENOSYS),
        IF(BPF_JEQ, SYS_ioctl, 6), LOAD(args[1]), IF(BPF_JEQ, TIOCSTI, 1), END(ERRNO | EPERM),
            IF(BPF_JEQ, TIOCLINUX, 1), END(ERRNO | EPERM), END(ALLOW),
        IF(BPF_JEQ, SYS_socket, 6), LOAD(args[0]), IF(BPF_JEQ, AF_ALG, 1), END(ERRNO | EPERM),
            IF(BPF_JEQ, AF_VSOCK, 1), END(ERRNO | EPERM), END(ALLOW),
        IF(BPF_JEQ, SYS_clone, 4), LOAD(args[0]),
            IF(BPF_JSET, keep & BIT(CAP_SYS_ADMIN) ? 0 : NEW_NS, 1), END(ERRNO | EPERM), END(ALLOW),
    };
    int n = 0;
    while (code[n].code) n++;
    for (int i = 0; i < COUNT(denied); i++)
        for (int j = 0; denied[i].calls[j] && !(keep & BIT(denied[i].capability)); j++) {
            code[n++] = (struct sock_filter)IF(BPF_JEQ, denied[i].calls[j], 1);
            code[n++] = (struct sock_filter)END(ERRNO | EPERM);
        }
    code[n++] = (struct sock_filter)END(ALLOW);
    struct sock_fprog program = { n, code };
    must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), "%d instructions", n);
}
// clang-format on

/* ---- the program: from root with everything to what the user asked for ---- */

/* -u UID, UID:GID or a name, which the image's own passwd file knows, and never the host's. */
static struct passwd find_user(void) {
    char *rest = opt.user;
    struct passwd user = { .pw_uid = strtoul(rest, &rest, 10), .pw_dir = "/" }, *entry;
    struct stat st;
    int fd = open("/etc/passwd", O_RDONLY | O_NONBLOCK | O_CLOEXEC); /* it may be anything */
    FILE *file = fstat(fd, &st) == 0 && st.st_size && st.st_size < 1 << 24 ? fdopen(fd, "r") : NULL;
    while (file && !user.pw_name && (entry = fgetpwent(file)))
        if (rest > opt.user ? entry->pw_uid == user.pw_uid : !strcmp(entry->pw_name, rest))
            user = *entry;
    if (!user.pw_name && rest == opt.user)
        die("--user %s: the image's /etc/passwd has no such name", opt.user);
    if (*rest == ':') user.pw_gid = strtoul(rest + 1, NULL, 10);
    return user;
}

/* The bounding set before the ids, because a change of ids takes away the capability to drop
 * from it; no_new_privs before the filter, which is otherwise only for root to install.
 * Adding wins: --cap-drop ALL --cap-add CHOWN leaves one. */
static void drop_privileges(uid_t uid, gid_t gid) {
    uint64_t wanted = (opt.privileged ? ~0ULL : usual) & ~opt.cap_drop;
    uint64_t keep = (wanted | opt.cap_add) & ns_permitted(), own = uid == 0 ? keep : 0;
    struct __user_cap_data_struct data[2] = { { own, own, 0 }, { own >> 32, own >> 32, 0 } };

    for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
        if (!(keep & BIT(cap))) must(prctl(PR_CAPBSET_DROP, cap), "%d", cap);
    if (!opt.rootless) must(sys(setgroups, 0, NULL));
    must(setresgid(gid, gid, gid), "%u for --user %s", gid, opt.user);
    must(setresuid(uid, uid, uid), "%u", uid);
    must(sys(capset, &header, data), "%#llx", (long long)own);
    if (opt.privileged) return;
    must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    install_filter(keep);
}

/* With -t, the terminal becomes standard input, output and error. The user must be able to
 * open it again (/dev/stdout), and a pipe too; any other file is not ours to give away. */
static void take_stdio(uid_t uid) {
    struct stat st;
    if (opt.tty) must(ioctl(slave, TIOCSCTTY, 0));
    for (int fd = 0; fd < 3; fd++) {
        if (opt.tty) must(dup2(slave, fd), "%d", fd);
        if (fstat(fd, &st) == 0 && (opt.tty || S_ISFIFO(st.st_mode)))
            fchown(fd, uid, -1); /* bare: another user's pipe stays so */
    }
}

/* The last steps: what is not the program's is closed, reset or dropped. */
static _Noreturn void run_program(void) {
    must(sys(close_range, 5, ~0U, 0)); /* 3 is a terminal, 4 is the meeting: see main */
    struct passwd user = find_user();
    char *term = getenv("TERM"), cwd[4096];

    must(setsid());
    take_stdio(user.pw_uid);
    must(chdir(opt.workdir), "%s", opt.workdir);
    if (!getcwd(cwd, sizeof cwd) || *cwd != '/')
        die("--workdir %s: leads out of the container", opt.workdir);
    clearenv();
    setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
    setenv("HOSTNAME", opt.hostname, 1);
    setenv("HOME", user.pw_dir, 1);
    if (opt.tty && term) setenv("TERM", term, 1);
    for (int i = 0; opt.env[i]; i++) putenv(opt.env[i]);
    for (int sig = 1; sig < NSIG; sig++)
        signal(sig, SIG_DFL); /* bare: two cannot be changed */
    sigprocmask(SIG_SETMASK, &none, NULL);
    drop_privileges(user.pw_uid, user.pw_gid);
    must(0, "next: execvp %s", *opt.command); /* said before, because nothing comes after it */
    execvp(*opt.command, opt.command);
    quit(errno == ENOENT ? 127 : 126, text("%s: %s", *opt.command, strerror(errno)));
}

/* ---- init: pid 1 inside ---- */

/* A signal that init has no handler for never reaches it, so nothing inside can kill it; those
 * that it waits for do. Orphans become its children: reap them, or they stay as zombies. */
static _Noreturn void be_init(pid_t program) {
    for (;;) {
        int status, pid, sig = sigwaitinfo(&every, NULL);
        if (sig > 0 && sig != SIGCHLD) kill(program, sig);
        while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
            if (pid == program)
                _exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
    }
}

/* Everything that happens inside, before the program. */
static _Noreturn void set_up(uid_t uid, gid_t gid) {
    uint32_t address;
    pid_t program;

    prctl(PR_SET_PDEATHSIG, SIGKILL); /* bare, and before any step can wait */
    close(meeting[0]); /* so that a dead watcher hangs up; it may be dead already */
    if (poll(&(struct pollfd){ .fd = 4 }, 1, 0) != 0) _exit(125);
    must(setsid());
    if (opt.rootless) { /* root inside is the caller outside */
        must(put("/proc/self/setgroups", "deny")); /* the kernel's condition for the next */
        must(put("/proc/self/gid_map", "0 %u 1", gid), "0 %u 1", gid);
        must(put("/proc/self/uid_map", "0 %u 1", uid), "0 %u 1", uid);
    }
    if (strcmp(opt.network, "host") != 0) /* bare: /proc may be read-only. All may ping, icmp(7) */
        put("/proc/sys/net/ipv4/ping_group_range", opt.rootless ? "0 0" : "0 2147483647");
    fs_take();
    fs_pivot();
    fs_attach();
    if (opt.tty) {
        master = fs_terminal(&slave);
        slave = must(dup3(slave, 3, O_CLOEXEC));
        must(sys(mount, "/dev/pts/0", "/dev/console", NULL, MS_BIND, NULL));
        must(write(4, &master, sizeof master));
    }
    if (read(4, &address, sizeof address) != sizeof address)
        _exit(125); /* the watcher has failed, and said why */
    must(sys(unshare, CLONE_NEWCGROUP)); /* only now: its root is the cgroup that we are in */
    must(sethostname(opt.hostname, strlen(opt.hostname)), "%s", opt.hostname);
    net_inside(address);
    if ((program = must(fork())) == 0) run_program();
    sys(close_range, 0, ~0U, 0); /* the program can look at init: it keeps nothing of the host */
    if (*environ) /* arguments and environment stand in a row */
        memset(program_invocation_name, 0, *environ - program_invocation_name);
    for (char **variable = environ; *variable; variable++)
        memset(*variable, 0, strlen(*variable));
    prctl(PR_SET_NAME, "init");
    be_init(program);
}

/* ---- the watcher ---- */

pid_t ns_start(int cgroup) {
    unsigned uid = geteuid(), gid = getegid();
    struct clone_args args = {
        .flags = CLONE_PIDFD | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS |
                 CLONE_NEWTIME | (strcmp(opt.network, "host") ? CLONE_NEWNET : 0) |
                 (opt.rootless ? CLONE_NEWUSER : 0) | (cgroup == -1 ? 0 : CLONE_INTO_CGROUP),
        .pidfd = (uintptr_t)&init_fd,
        .exit_signal = SIGCHLD,
        .cgroup = cgroup,
    };
    signal(SIGCHLD, SIG_DFL); /* a caller that ignores it would have us never see one */
    sigfillset(&every);
    sigprocmask(SIG_BLOCK, &every, NULL);
    must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, meeting));
    must(dup3(meeting[1], 4, O_CLOEXEC));
    close(meeting[1]);
    init = must(sys(clone3, &args, sizeof args), "%#llx", args.flags);
    inside = init == 0; /* one call, and two processes come out of it */
    if (inside) set_up(uid, gid);
    close(4);
    return init;
}

static struct termios before; /* the caller's terminal, as it was */
static pthread_t relay; /* to the caller's terminal */

/* One direction of the relay; each has a thread, so that neither waits for the other. */
static void *copy(void *ends) {
    int *fd = ends;
    char data[4096];
    ssize_t n, written;
    while ((n = read(fd[0], data, sizeof data)) > 0)
        for (ssize_t at = 0; at < n; at += written)
            if ((written = write(fd[1], data + at, n - at)) <= 0)
                break; /* nobody reads it; the other end must not be held up */
    return NULL;
}

static void copy_window_size(void) {
    struct winsize size;
    if (ioctl(0, TIOCGWINSZ, &size) == 0)
        ioctl(master, TIOCSWINSZ, &size); /* the kernel tells the program: SIGWINCH */
}

/* Keys must reach the container's terminal as they are: ^C is a signal there, not here. */
static void start_relay(void) {
    static int typed[2] = { 0 }, shown[2] = { 0, 1 };
    struct termios raw;
    must(tcgetattr(0, &before));
    raw = before;
    cfmakeraw(&raw);
    must(tcsetattr(0, TCSADRAIN, &raw));
    copy_window_size();
    typed[1] = shown[0] = master;
    pthread_create(&relay, NULL, copy, typed);
    pthread_create(&relay, NULL, copy, shown);
}

/* What comes from inside: a descriptor's number; or minus the status it has failed with, and
 * then we end, too; or 0 when nobody is left to speak, because the program has started. */
static int hear(void) {
    int said = 0;
    if (read(meeting[0], &said, sizeof said) == -1) /* init has ended without hearing "go", */
        read(meeting[0], &said, sizeof said); /* and this is its last word */
    if (said < 0) quit(-said, NULL);
    return said;
}

int ns_watch(uint32_t address) {
    int status;
    if (opt.tty) {
        master = must(sys(pidfd_getfd, init_fd, hear(), 0));
        start_relay();
    }
    send(meeting[0], &address, sizeof address, MSG_NOSIGNAL); /* bare: hear() knows why not */
    hear();
    while (waitpid(init, &status, WNOHANG) == 0) {
        int sig = sigwaitinfo(&every, NULL);
        if (sig == SIGWINCH && opt.tty)
            copy_window_size();
        else if (sig != SIGCHLD && sig != SIGPIPE) kill(init, sig);
    }
    init = 0;
    if (master != -1)
        pthread_join(relay, NULL); /* what the program wrote last */
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

bool ns_stop(void) {
    int status = SIGKILL;
    if (init > 0 && kill(init, SIGKILL) == 0) waitpid(init, &status, 0);
    if (before.c_cflag) tcsetattr(0, TCSADRAIN, &before);
    return WIFEXITED(status);
}
