/* SPDX-License-Identifier: MIT */
/*
 * ns.c - three processes while a container runs: the watcher (us), init, the program.
 *
 *      host: the watcher                     container: init, its pid 1
 *
 *      ns_start: clone3 with CLONE_NEW*  --> join the cgroup; rootless: map our user to root
 *      net_connect                           fs_take, fs_pivot, fs_attach
 *                                            cgroup namespace, host name
 *      ns_go: has anything failed?       <-- "ready"
 *        -t: open a terminal inside
 *        relay input and output
 *        "go"                            --> fork --> the program: stdio, user,
 *      ns_watch: forward signals             |        capabilities, seccomp, exec
 *      the program's status              <-- reap, until the program ends
 *
 * While init builds its root, the watcher does its work outside; "go" is the point where they meet.
 * If the watcher dies, init is killed (PR_SET_PDEATHSIG), and with init the kernel kills everything
 * in its pid namespace. `exec` is the same, with setns where a new container has clone flags: the
 * process that enters plays init for its program. Start reading at ns_start, near the end.
 */
#include "container.h"
#include <pwd.h>
#include <stddef.h>
#include <termios.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/vfs.h>

static pid_t init; /* what we watch: init; or with exec, the process that plays it */
static int meeting[] = { -1, -1 }; /* a socket's two ends: the watcher's and init's */
static sigset_t every; /* all signals: blocked until the program runs, and waited for */
/* pipes for standard input, output and error: our ends, and the program's */
static int ours[] = { -1, -1, -1 }, its[] = { -1, -1, -1 };
static int terminal; /* -t: the number of the program's terminal, instead; pts(4) */
static char *term; /* and its kind, from the caller's environment */

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

/* Refused, unless the program has the capability that they are for; NEVER is not a capability. A
 * call that is newer than this list passes: then only capabilities stop it. 443 is quotactl_fd, 450
 * is set_mempolicy_home_node, 467 is open_tree_attr: many C libraries do not know their names. */
#define NEVER 63 /* a bit that is in no mask */
static const struct { int capability; short calls[24]; } denied[] = {
    { CAP_SYS_ADMIN, { SYS_mount, SYS_umount2, SYS_mount_setattr, SYS_move_mount, SYS_open_tree,
                       SYS_fsopen, SYS_fsconfig, SYS_fsmount, SYS_fspick, SYS_pivot_root, SYS_setns,
                       SYS_unshare, SYS_sethostname, SYS_setdomainname, SYS_swapon, SYS_swapoff,
                       SYS_quotactl, SYS_fanotify_init, SYS_vhangup, 443, 467 } },
    { CAP_DAC_READ_SEARCH, { SYS_open_by_handle_at } }, { CAP_SYS_PACCT, { SYS_acct } },
    { CAP_SYS_PTRACE, { SYS_kcmp, SYS_pidfd_getfd, SYS_process_madvise } },
    { CAP_SYS_NICE, { SYS_mbind, SYS_migrate_pages, SYS_move_pages, SYS_set_mempolicy, 450 } },
    { CAP_SYS_TIME, { SYS_clock_settime, SYS_settimeofday } }, { CAP_SYSLOG, { SYS_syslog } },
    { CAP_SYS_MODULE, { SYS_init_module, SYS_finit_module, SYS_delete_module } },
    { CAP_SYS_BOOT, { SYS_reboot, SYS_kexec_load, SYS_kexec_file_load } },
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
 * pointer, where a filter cannot look: so we say that there is no such call, and the C library uses
 * clone. The two ioctls would type or paste into a terminal. */
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

/* -u UID, UID:GID or a name. Names are looked up in the image's passwd file, never in the
 * host's. */
static struct passwd find_user(void) {
    char *rest = opt.user, *content = get("/etc/passwd"); /* of limited size, whatever it is */
    struct passwd user = { .pw_uid = strtoul(rest, &rest, 10), .pw_dir = "/" }, *entry;
    FILE *file = fmemopen(content, strlen(content) + 1, "r");
    while ((entry = fgetpwent(file)))
        if (rest > opt.user ? entry->pw_uid == user.pw_uid : !strcmp(entry->pw_name, rest)) break;
    if (entry) user = *entry;
    else if (rest == opt.user) die("--user %s: no such name in the image's /etc/passwd", rest);
    if (*rest == ':') user.pw_gid = strtoul(rest + 1, NULL, 10);
    return user;
}

/* The bounding set before the ids, because a change of ids removes the capability to drop from it;
 * no_new_privs before the filter, because without it only root may install one. --cap-add wins:
 * --cap-drop ALL --cap-add CHOWN leaves one. */
static void drop_privileges(uid_t uid, gid_t gid) {
    uint64_t wanted = (opt.privileged ? ~0ULL : usual) & ~opt.cap_drop;
    uint64_t keep = (wanted | opt.cap_add) & ns_permitted(), own = uid == 0 ? keep : 0;
    struct __user_cap_data_struct data[2] = { { own, own, 0 }, { own >> 32, own >> 32, 0 } };

    must(prctl(PR_CAPBSET_READ, 0)); /* or nothing would be dropped */
    for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
        if (!(keep & BIT(cap))) must(prctl(PR_CAPBSET_DROP, cap), "%d", cap);
    if (sys(setgroups, 0, NULL) == -1 && errno != EPERM) die("setgroups: %s", strerror(errno));
    if (setresgid(gid, gid, gid) == -1 || setresuid(uid, uid, uid) == -1)
        die("--user %s: %s (a rootless container has only user 0)", opt.user, strerror(errno));
    must(sys(capset, &header, data), "effective %#llx", (long long)own);
    if (opt.privileged) return;
    must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    install_filter(keep);
}

/* If the watcher has died before we could ask for the signal, the socket has hung up. */
static void die_with_parent(void) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (poll(&(struct pollfd){ .fd = inside }, 1, 0) != 0) _exit(125);
}

/* The program's end of the pipes, or of the terminal, becomes standard input, output and error.
 * Everything else that we were born with is the host's, and is closed. */
static void take_stdio(void) {
    for (int fd = 0; fd < 3; fd++) {
        if (opt.tty) its[fd] = must(open(text("/dev/pts/%d", terminal), O_RDWR | O_NOCTTY));
        must(dup2(its[fd], fd), "%d", fd);
    }
    sys(close_range, 3, inside - 1, 0); /* bare: there may be none */
    must(sys(close_range, inside + 1, ~0U, 0));
}

/* The last steps: what is not the program's is closed, reset or dropped. The image's passwd file
 * and the working directory come after that, so that no link in the image leads by one of our
 * descriptors to a file of the host's (CVE-2024-21626), or to a terminal. */
static _Noreturn void run_program(int gate[2]) {
    close(gate[1]);
    read(gate[0], &(char){ 0 }, 1); /* until init has closed its end */
    must(setsid());
    take_stdio();
    struct passwd user = find_user();
    for (int fd = 0; fd < 3; fd++) fchown(fd, user.pw_uid, -1); /* bare: see below */
    if (opt.tty) must(ioctl(0, TIOCSCTTY, 0));
    must(chdir(opt.workdir), "--workdir %s", opt.workdir);
    clearenv();
    putenv("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    setenv("HOSTNAME", opt.hostname, 1);
    setenv("HOME", user.pw_dir, 1);
    if (opt.tty && term) setenv("TERM", term, 1);
    for (int i = 0; opt.env[i]; i++) putenv(opt.env[i]);
    sigprocmask(SIG_UNBLOCK, &every, NULL);
    drop_privileges(user.pw_uid, user.pw_gid);
    die_with_parent(); /* only now, because a change of ids makes the kernel forget it */
    must(getpid(), "becomes %s", *opt.command);
    execvp(*opt.command, opt.command);
    quit(errno == ENOENT ? 127 : 126, text("%s: %s", *opt.command, strerror(errno)));
}

/* As long as our program runs inside, /proc/PID/exe leads to its file, which is the host's
 * (CVE-2019-5736). So it runs from a read-only mount or, if we may not mount, from sealed memory.
 * From here on signals are pending, so that none can stop us half-way through a container. */
void ns_seal(char **arguments) {
    struct mount_attr rdonly = { .attr_set = MOUNT_ATTR_RDONLY };
    struct statfs fs = { 0 };
    sigfillset(&every);
    sigprocmask(SIG_BLOCK, &every, NULL);
    /* our caller may have ignored some; bare: SIGKILL and SIGSTOP cannot be changed */
    for (int sig = 1; sig < NSIG; sig++) signal(sig, SIG_DFL);
    int from = must(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
    fstatfs(from, &fs);
    /* any file on a tmpfs has F_SEAL_SEAL, which alone does not mean sealed */
    if (fs.f_flags & MS_RDONLY || fcntl(from, F_GET_SEALS) > F_SEAL_SEAL) return;
    int to = sys(open_tree, from, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
    if (to != -1) must(sys(mount_setattr, to, "", AT_EMPTY_PATH, &rdonly, sizeof rdonly));
    else {
        to = must(sys(memfd_create, "container", MFD_CLOEXEC | MFD_ALLOW_SEALING));
        must(sendfile(to, from, NULL, 1 << 30));
        must(fcntl(to, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE));
    }
    must(sys(execveat, to, "", arguments, environ, AT_EMPTY_PATH));
}

/* ---- init: pid 1 inside ---- */

/* The kernel drops a signal that would kill pid 1, so nothing inside can kill it. Orphans become
 * its children, and stay zombies until it reaps them. */
static _Noreturn void be_init(pid_t program) {
    for (;;) {
        int status, pid, sig = sigwaitinfo(&every, NULL);
        if (sig > 0 && sig != SIGCHLD) kill(program, sig);
        while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
            if (pid == program)
                _exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
    }
}

/* Both ways in lead here. If the watcher does not say "go", it has failed, and has said why. The
 * program can look at init, so init keeps nothing of the host's: the program waits at the gate
 * until init has closed everything, and the gate with it. */
static _Noreturn void start_program(void) {
    int gate[2];
    must(write(inside, "", 1), "ready");
    if (must(read(inside, &terminal, sizeof terminal), "go") == 0) _exit(125);
    must(pipe2(gate, O_CLOEXEC));
    pid_t program = must(fork());
    if (program == 0) run_program(gate);
    must(sys(close_range, 0, ~0U, 0));
    prctl(PR_SET_NAME, "init");
    be_init(program);
}

/* With --network host, --ipc host or --uts host the caller's own namespace is kept. */
#define NAMESPACES (CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWTIME | (opt.ipc ? 0 : CLONE_NEWIPC) | \
                    (opt.uts ? 0 : CLONE_NEWUTS) | (NETWORK_IS("host") ? 0 : CLONE_NEWNET))

/* Everything that happens in a new container before its program. */
static void set_up(uid_t uid, gid_t gid) {
    if (opt.rootless) { /* root inside is the caller outside */
        must(put("/proc/self/setgroups", "deny")); /* the kernel's condition for the next */
        must(put("/proc/self/gid_map", "0 %u 1", gid), "gid_map 0 %u 1", gid);
        must(put("/proc/self/uid_map", "0 %u 1", uid), "uid_map 0 %u 1", uid);
    }
    fs_take();
    fs_pivot();
    fs_attach();
    must(sys(unshare, CLONE_NEWCGROUP)); /* only now: its root is the cgroup that we are in */
    if (!opt.uts) must(sethostname(opt.hostname, strlen(opt.hostname)), "%s", opt.hostname);
}

/* A pid namespace is joined by the next child, not by us. So we join all others first: that child
 * is the first that can be seen inside, and nobody may trace it; ptrace(2). */
static void join(int target) {
    prctl(PR_SET_DUMPABLE, 0);
    setns(target, CLONE_NEWUSER); /* bare: it fails if that is our own */
    must(setns(target, NAMESPACES | CLONE_NEWCGROUP));
}

/* ---- the watcher ---- */

/* The caller's files, terminals and devices never get inside: whoever holds a file there can open
 * it again as /proc/self/fd/N, and change it. So there are pipes, and we copy. */
static void make_pipes(void) {
    for (int fd = 0, ends[2]; fd < 3; fd++) {
        must(pipe2(ends, O_CLOEXEC));
        ours[fd] = ends[fd == 0];
        its[fd] = ends[fd != 0];
    }
    if (opt.detach) must(dup3(its[1], its[2], O_CLOEXEC)); /* one, so that the log has an order */
}

pid_t ns_start(int target) {
    unsigned uid = geteuid(), gid = getegid(); /* now: in a new user namespace we are nobody yet */
    int cgroup = opt.no_cgroup ? -1 : cgroup_open();
    struct clone_args args = { .pidfd = (long)&over, .cgroup = cgroup, .exit_signal = SIGCHLD };
    args.flags = CLONE_PIDFD | (cgroup == -1 ? 0 : CLONE_INTO_CGROUP);
    if (target == -1) args.flags |= NAMESPACES | (opt.rootless ? CLONE_NEWUSER : 0);
    if (opt.tty && !opt.detach && !isatty(0)) die("--tty: standard input is not a terminal");
    if (!opt.tty && faccessat(0, ".", F_OK, 0) == 0) die("standard input is a directory");
    if (!opt.tty) make_pipes();
    term = getenv("TERM") ? text("%s", getenv("TERM")) : NULL;
    prctl(PR_SET_CHILD_SUBREAPER, 1); /* bare: see ns_stop */
    must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, meeting));
    init = must(sys(clone3, &args, sizeof args), "flags %#llx", args.flags);
    inside = init == 0 ? meeting[1] : 0;
    close(init ? meeting[1] : meeting[0]); /* so that it hangs up when one of us is dead */
    for (int fd = 0; init && fd < 3; fd++) close(its[fd]);
    if (init) return init;
    die_with_parent(); /* before any step can wait */
    /* our arguments and environment, in a row before AT_EXECFN, are for nobody inside to read */
    memset(program_invocation_name, 0, getauxval(AT_EXECFN) - (uintptr_t)program_invocation_name);
    /* version 1: a single thread that moves itself does not wait for forks elsewhere, for 10 ms */
    if (!opt.no_cgroup) cgroup_write("tasks", "0");
    must(setsid());
    target == -1 ? set_up(uid, gid) : join(target);
    start_program();
}

static struct termios before; /* the caller's terminal, as it was */
static pthread_t outputs[3];

/* The kernel then tells the program, by SIGWINCH. */
static void copy_window_size(void) {
    struct winsize size;
    if (ioctl(0, TIOCGWINSZ, &size) == 0) ioctl(ours[1], TIOCSWINSZ, &size);
}

/* Open a terminal of the container, whose root we can see; pts(4). Ours becomes raw, so that keys
 * reach it as they are: ^C is a signal there, not here. */
static void open_terminal(pid_t pid) {
    ours[0] = must(open(text("/proc/%d/root/dev/pts/ptmx", pid), O_RDWR | O_NOCTTY | O_NOFOLLOW));
    ours[1] = must(dup(ours[0]));
    must(ioctl(ours[0], TIOCSPTLCK, &(int){ 0 }));
    must(ioctl(ours[0], TIOCGPTN, &terminal));
    if (opt.detach) return;
    must(tcgetattr(0, &before));
    struct termios raw = before;
    cfmakeraw(&raw);
    must(tcsetattr(0, TCSADRAIN, &raw));
    copy_window_size();
}

/* A terminal of the caller's is read only if that was asked for, because others read there, too. */
void ns_go(pid_t pid) {
    ns_hear();
    if (opt.tty) open_terminal(pid);
    if (opt.interactive || opt.tty || !isatty(0)) pthread_detach(relay(must(dup(0)), ours[0]));
    else close(ours[0]);
    for (int fd = 1; fd < 3 && ours[fd] != -1; fd++) outputs[fd] = relay(ours[fd], must(dup(fd)));
    write(meeting[0], &terminal, sizeof terminal); /* bare: ns_hear() knows why not */
    ns_hear();
}

/* "Ready" is an empty message. An end of file means that all is well: the socket closes on exec. */
void ns_hear(void) {
    char said[4096] = "", *why;
    /* the first fails if init has ended without hearing "go"; then its last word follows */
    if (read(meeting[0], said, sizeof said - 1) == -1) read(meeting[0], said, sizeof said - 1);
    int status = strtol(said, &why, 10);
    if (!*why) return;
    if (init > 0) waitpid(init, NULL, 0); /* it ends by itself, after its program */
    init = 0;
    quit(status, why + 1);
}

int ns_watch(void) {
    siginfo_t end = { 0 };
    while (waitid(P_PID, init, &end, WEXITED | WNOHANG | WNOWAIT) == 0 && !end.si_pid) {
        int sig = sigwaitinfo(&every, NULL);
        if (sig == SIGWINCH && opt.tty) copy_window_size();
        else if (sig > 0 && sig != SIGCHLD && sig != SIGPIPE) kill(init, sig);
    }
    return end.si_code == CLD_EXITED ? end.si_status : 128 + end.si_status;
}

void ns_stop(void) {
    if (init > 0 && kill(init, SIGKILL) == 0) waitpid(init, NULL, 0);
    init = 0;
    /* if exec's init was killed, we have inherited its program: a zombie that nobody reaps would
     * keep the container from ending. But our caller may have left us children that live */
    for (int ms = 0; ms < 100 && waitpid(-1, NULL, WNOHANG) == 0; ms++) usleep(1000);
    for (int fd = 1; fd < 3; fd++)
        if (outputs[fd]) pthread_join(outputs[fd], NULL);
    fcntl(meeting[0], F_SETFL, O_NONBLOCK); /* what has not been said by now never will be */
    if (before.c_cflag) tcsetattr(0, TCSADRAIN, &before);
}
