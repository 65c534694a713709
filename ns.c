/* SPDX-License-Identifier: MIT */
/*
 * ns.c - three processes while a container runs: the watcher (us), init, the program.
 *
 *      host: the watcher                     container: init, its pid 1
 *
 *      ns_start: clone3 with CLONE_NEW*  --> cgroup_join; rootless: map our user to root
 *      net_connect                           fs_take, fs_pivot, fs_attach
 *      -t: fetch our end of a terminal   <-- -t: open one
 *      ns_go: "go", and the address      --> cgroup namespace, host name, eth0
 *      ns_watch: relay the terminal,         fork --> the program: user, capabilities,
 *        forward signals                     |        seccomp, exec
 *      the program's status              <-- reap, until the program ends
 *
 * While init builds its root, the watcher does its work outside: "go" is the one point
 * where they meet. If the watcher dies, init is killed (PR_SET_PDEATHSIG), and with
 * init the kernel kills everything in its pid namespace. `exec` is the same with setns
 * where a new container has clone flags. Start at ns_start, near the end.
 */
#include "container.h"
#include <pthread.h>
#include <pwd.h>
#include <stddef.h>
#include <termios.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/magic.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/vfs.h>

static pid_t init; /* what we watch: init, or with exec the program itself, */
static int init_fd; /* and as a pidfd */
static int meeting[2] = { -1, -1 }; /* a socket's ends: ours, and init's: 4 */
static sigset_t every, none; /* signals are blocked until the program runs, and waited for */
static int io[2] = { -1, -1 }; /* -t: a terminal, -d: a pipe; our end, and the program's: 3 */

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
        if (!strcmp(strncmp(name, "CAP_", 4) ? name : name + 4, capabilities[i])) return BIT(i);
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
#define NEVER 63 /* a bit that is in no mask */
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
#define NEW_NS 0x7e020000 /* CLONE_NEWNS, CGROUP, UTS, IPC, USER, PID, NET */

/* The filter's instructions. IF runs the next N when the loaded word matches, or skips them.
 * Of an argument only the low word is loaded, which is all that the kernel looks at. */
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define IF(test, value, n) BPF_JUMP(BPF_JMP | BPF_K | (test), value, 0, n)
#define END(action) BPF_STMT(BPF_RET, SECCOMP_RET_##action) /* ERRNO | EPERM: refuse with it */
#define DENY(value) IF(BPF_JEQ, value, 1), END(ERRNO | EPERM)

/* From 0x40000000 on, x86-64 has the same calls again (x32). clone3 hides its flags behind a
 * pointer, where a filter cannot look: it is unknown, and the C library then uses clone. The
 * two ioctls would type into a terminal, or paste. */
static void install_filter(uint64_t keep) {
    struct sock_filter code[256] = {
        LOAD(arch), BPF_JUMP(BPF_JMP | BPF_K | BPF_JEQ, ARCH, 1, 0), END(KILL_PROCESS), LOAD(nr),
        IF(BPF_JGE, 0x40000000, 1), END(ERRNO | ENOSYS),
        IF(BPF_JEQ, SYS_clone3, 1), END(ERRNO | ENOSYS),
        IF(BPF_JEQ, SYS_ioctl, 6), LOAD(args[1]), DENY(TIOCSTI), DENY(TIOCLINUX), END(ALLOW),
        IF(BPF_JEQ, SYS_socket, 6), LOAD(args[0]), DENY(AF_ALG), DENY(AF_VSOCK), END(ALLOW),
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
    char *content = get("/etc/passwd"); /* whatever it is, it is read up to a limit only */
    FILE *file = fmemopen(content, strlen(content) + 1, "r");
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

    must(prctl(PR_CAPBSET_READ, 0)); /* or nothing would be dropped */
    for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
        if (!(keep & BIT(cap))) must(prctl(PR_CAPBSET_DROP, cap), "%d", cap);
    if (strcmp(get("/proc/self/setgroups"), "deny") != 0) must(sys(setgroups, 0, NULL));
    must(setresgid(gid, gid, gid), "%u for --user %s", gid, opt.user);
    must(setresuid(uid, uid, uid), "%u", uid);
    must(sys(capset, &header, data), "%#llx", (long long)own);
    if (opt.privileged) return;
    must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    install_filter(keep);
}

/* We die with our parent, which may be dead already: then its end of the meeting is closed. */
static void die_with_parent(void) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (poll(&(struct pollfd){ .fd = 4 }, 1, 0) != 0) _exit(125);
}

/* With -t, the terminal becomes standard input, output and error; with -d, a pipe to the log the
 * latter two. The user must be able to open them again (/dev/stdout), so they are given away, as is
 * a pipe without a name; any other file belongs to our caller. */
static void take_stdio(uid_t uid) {
    struct statfs fs;
    if (opt.tty) must(ioctl(3, TIOCSCTTY, 0));
    for (int fd = 0; fd < 3; fd++) {
        if (opt.tty || (opt.detach && fd > 0)) must(dup2(3, fd), "%d", fd);
        if (fstatfs(fd, &fs) == 0 && (opt.tty || fs.f_type == PIPEFS_MAGIC))
            fchown(fd, uid, -1); /* bare: another user's pipe stays so */
    }
}

/* The last steps: what is not the program's is closed, reset or dropped. */
static _Noreturn void run_program(void) {
    must(sys(close_range, 5, ~0U, 0)); /* 3 is ours to give to it, 4 the meeting */
    struct passwd user = find_user();
    char *term = opt.tty ? getenv("TERM") : NULL, cwd[4096];

    must(setsid());
    take_stdio(user.pw_uid);
    must(chdir(opt.workdir), "%s", opt.workdir);
    if (!getcwd(cwd, sizeof cwd) || *cwd != '/')
        die("--workdir %s: leads out of the container", opt.workdir);
    clearenv();
    putenv("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    setenv("HOSTNAME", opt.hostname, 1);
    setenv("HOME", user.pw_dir, 1);
    if (term) setenv("TERM", term, 1);
    for (int i = 0; opt.env[i]; i++) putenv(opt.env[i]);
    sigprocmask(SIG_SETMASK, &none, NULL);
    drop_privileges(user.pw_uid, user.pw_gid);
    die_with_parent(); /* again, because a change of ids has made the kernel forget it */
    must(0, "next: execvp %s", *opt.command); /* no step: a line for --explain */
    execvp(*opt.command, opt.command);
    quit(errno == ENOENT ? 127 : 126, text("%s: %s", *opt.command, strerror(errno)));
}

/* While a program of ours runs inside, /proc/PID/exe leads to its file, which is the host's
 * (CVE-2019-5736): so it runs from a read-only mount; or when we may not mount, from memory that
 * has been sealed. From here on signals wait: who stops us must not leave half a container. */
void ns_seal(char **arguments) {
    struct mount_attr rdonly = { .attr_set = MOUNT_ATTR_RDONLY };
    struct statfs fs = { 0 };
    sigfillset(&every);
    sigprocmask(SIG_BLOCK, &every, NULL);
    int from = must(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
    int to = sys(open_tree, from, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
    fstatfs(from, &fs);
    if (fs.f_flags & MS_RDONLY || fcntl(from, F_GET_SEALS) > 0) return;
    if (to == -1) {
        to = must(sys(memfd_create, "container", MFD_CLOEXEC | MFD_ALLOW_SEALING));
        must(sendfile(to, from, NULL, 1 << 30));
        must(fcntl(to, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE));
    } else {
        must(sys(mount_setattr, to, "", AT_EMPTY_PATH, &rdonly, sizeof rdonly));
    }
    must(sys(execveat, to, "", arguments, environ, AT_EMPTY_PATH));
}

/* ---- init: pid 1 inside ---- */

/* Pid 1 is special: a signal that it does not wait for never reaches it, so nothing inside can
 * kill it; and orphans become its children: reap them, or they stay as zombies. */
static _Noreturn void be_init(pid_t program) {
    for (;;) {
        int status, pid, sig = sigwaitinfo(&every, NULL);
        if (sig > 0 && sig != SIGCHLD) kill(program, sig);
        while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
            if (pid == program)
                _exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
    }
}

/* Both ways in lead here: "go" comes when the cgroup and the network are there; or it does not,
 * when the watcher has failed, and has said why. */
static uint32_t wait_for_go(void) {
    uint32_t address;
    if (io[1] != -1) must(dup3(io[1], 3, O_CLOEXEC));
    if (read(4, &address, sizeof address) != sizeof address) _exit(125);
    return address;
}

/* Everything that happens in a new container before its program. */
static _Noreturn void set_up(uid_t uid, gid_t gid) {
    pid_t program;
    must(setsid());
    if (opt.rootless) { /* root inside is the caller outside */
        must(put("/proc/self/setgroups", "deny")); /* the kernel's condition for the next */
        must(put("/proc/self/gid_map", "0 %u 1", gid), "0 %u 1", gid);
        must(put("/proc/self/uid_map", "0 %u 1", uid), "0 %u 1", uid);
    }
    if (opt.join != -1) must(setns(opt.join, CLONE_NEWNET), "%s", opt.network);
    if (strcmp(opt.network, "host") != 0) /* bare: /proc may be read-only. All may ping, icmp(7) */
        put("/proc/sys/net/ipv4/ping_group_range", opt.rootless ? "0 0" : "0 2147483647");
    fs_take();
    fs_pivot();
    fs_attach();
    if (opt.tty) {
        fs_terminal("", io);
        must(sys(mount, "/dev/pts/0", "/dev/console", NULL, MS_BIND, NULL));
        must(dprintf(4, "%d", io[0]));
    }
    uint32_t address = wait_for_go();
    must(sys(unshare, CLONE_NEWCGROUP)); /* only now: its root is the cgroup that we are in */
    must(sethostname(opt.hostname, strlen(opt.hostname)), "%s", opt.hostname);
    net_inside(address);
    if (opt.hold) {
        must(dprintf(4, "0"));
        dup2(1, 2); /* nobody may be at the other end by then */
        wait_for_go();
    }
    if ((program = must(fork())) == 0) run_program();
    sys(close_range, 0, ~0U, 0); /* the program can look at init: it keeps nothing of the host */
    /* our arguments and environment are the host's business; they and AT_EXECFN stand in a row */
    char *mine = program_invocation_name;
    memset(mine, 0, getauxval(AT_EXECFN) - (uintptr_t)mine);
    prctl(PR_SET_NAME, "init");
    be_init(program);
}

/* One more program in a container that is there: the same root, the same names for things. What
 * pid namespace a process is in is decided before its clone, so we make another one, which becomes
 * the watcher's child, too. Those inside can see it, but by then it is one of them; and nobody
 * may trace it, ptrace(2). */
static _Noreturn void enter(int target) {
    struct clone_args args = { .flags = CLONE_PARENT };
    int others = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP |
                 CLONE_NEWTIME | (strcmp(opt.network, "host") ? CLONE_NEWNET : 0);
    prctl(PR_SET_DUMPABLE, 0);
    opt.rootless = setns(target, CLONE_NEWUSER) == 0; /* bare: it fails when that is our own */
    must(setns(target, others));
    pid_t program = must(sys(clone3, &args, sizeof args));
    if (program > 0) _exit(dprintf(4, "%d", program) < 0);
    die_with_parent();
    wait_for_go();
    run_program();
}

/* ---- the watcher ---- */

/* One call, and two processes come out of it. */
static pid_t start(uint64_t flags, int cgroup, int target) {
    struct clone_args args = { .flags = flags, .cgroup = cgroup, .exit_signal = SIGCHLD };
    unsigned uid = geteuid(), gid = getegid();
    /* what our caller ignores, the program must not, nor we SIGCHLD; bare: two cannot be changed */
    for (int sig = 1; sig < NSIG; sig++) signal(sig, SIG_DFL);
    must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, meeting));
    must(dup3(meeting[1], 4, O_CLOEXEC));
    close(meeting[1]);
    init = must(sys(clone3, &args, sizeof args), "%#lx", flags);
    inside = init == 0;
    if (inside) {
        close(meeting[0]); /* so that a dead watcher hangs up */
        die_with_parent(); /* before any step can wait */
        if (!opt.no_cgroup && !(flags & CLONE_INTO_CGROUP)) cgroup_join();
        flags ? set_up(uid, gid) : enter(target);
    }
    close(4);
    close(io[1]);
    return init;
}

pid_t ns_start(int cgroup) {
    uint64_t flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWTIME |
                     (strcmp(opt.network, "host") == 0 || opt.join != -1 ? 0 : CLONE_NEWNET) |
                     (opt.rootless ? CLONE_NEWUSER : 0) | (cgroup == -1 ? 0 : CLONE_INTO_CGROUP);
    if (opt.detach && !opt.tty) must(pipe2(io, O_CLOEXEC));
    return start(flags, cgroup, -1);
}

/* The terminal is opened while we can still see both roots. */
pid_t ns_enter(pid_t pid, int pidfd) {
    if (opt.tty) fs_terminal(text("/proc/%d/root", pid), io);
    start(0, 0, pidfd);
    return init = ns_hear();
}

static struct termios before; /* the caller's terminal, as it was */
static pthread_t relay; /* of the program's output */

/* One direction of the relay; each has a thread, so that neither waits for the other. When nobody
 * reads any more, the rest is dropped. A log that has become too long starts again. After the end
 * there is what a pipe can hold, and no more: others may have got hold of our output. */
static void *copy(void *shown) {
    int to = shown ? 1 : io[0], end = shown ? init_fd : -1;
    struct pollfd from[] = { { shown ? io[0] : 0, POLLIN, 0 }, { end, POLLIN, 0 } };
    char data[4096];
    for (ssize_t n, done, rest = 1 << 20; poll(from, 2, -1) > 0 && from->revents && rest > 0;) {
        if ((n = read(from->fd, data, sizeof data)) <= 0) break;
        if (from[1].revents) rest -= n;
        if (opt.detach && lseek(to, 0, SEEK_END) > LOG_SIZE) ftruncate(to, 0);
        for (ssize_t at = 0; at < n && (done = write(to, data + at, n - at)) > 0;) at += done;
    }
    return NULL;
}

/* The kernel tells the program, by SIGWINCH. */
static void copy_window_size(void) {
    struct winsize size;
    if (ioctl(0, TIOCGWINSZ, &size) == 0) ioctl(io[0], TIOCSWINSZ, &size);
}

/* Keys must reach the container's terminal as they are: ^C is a signal there, not here. */
static void start_relay(void) {
    struct termios raw;
    if (!opt.detach) {
        must(tcgetattr(0, &before));
        raw = before;
        cfmakeraw(&raw);
        must(tcsetattr(0, TCSADRAIN, &raw));
        copy_window_size();
        must(pthread_create(&relay, NULL, copy, NULL) == 0 ? 0 : -1);
    }
    must(pthread_create(&relay, NULL, copy, io) == 0 ? 0 : -1);
}

/* The meeting is closed on exec: end of file says that the program runs. */
int ns_hear(void) {
    char said[4096] = "", *why;
    /* the first may fail, when init has ended without hearing "go"; its last word comes then */
    if (read(meeting[0], said, sizeof said - 1) == -1) read(meeting[0], said, sizeof said - 1);
    int value = strtol(said, &why, 10);
    if (*why) quit(value, why + 1);
    return value;
}

void ns_go(uint32_t address) {
    init_fd = must(sys(pidfd_open, init, 0));
    if (opt.tty && io[0] == -1) io[0] = must(sys(pidfd_getfd, init_fd, ns_hear(), 0));
    if (io[0] != -1 && !relay) start_relay(); /* ns_hold says "go" a second time */
    send(meeting[0], &address, sizeof address, MSG_NOSIGNAL); /* bare: ns_hear() knows why not */
    ns_hear();
}

void ns_hold(void) {
    for (int sig = 0; sig != SIGCONT && sig != SIGCHLD;) sig = sigwaitinfo(&every, NULL);
    ns_go(0);
}

int ns_watch(void) {
    int status;
    while (waitpid(init, &status, WNOHANG) == 0) {
        int sig = sigwaitinfo(&every, NULL);
        if (sig == SIGWINCH && opt.tty) copy_window_size();
        else if (sig != SIGCHLD && sig != SIGPIPE) kill(init, sig);
    }
    init = 0;
    if (io[0] != -1) pthread_join(relay, NULL); /* what the program wrote last */
    ns_stop();
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void ns_stop(void) {
    if (init > 0 && kill(init, SIGKILL) == 0) waitpid(init, NULL, 0);
    fcntl(meeting[0], F_SETFL, O_NONBLOCK); /* what has not been said by now will not be */
    if (before.c_cflag) tcsetattr(0, TCSADRAIN, &before);
}
