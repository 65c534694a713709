/* SPDX-License-Identifier: MIT */
/*
 * 8.c - a container that has a directory, and a command that stops it.
 *
 *      cc -o ~/tiny lessons/tiny/8.c
 *      ~/tiny box rootfs/base sh        then ~/tiny stop box
 *
 * It is wrong in more ways than eight; see the end of lesson 8. The engine is the next step.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/mount.h> /* more than sys/mount.h, where C libraries before 2022 lack half of it */

static char stack[1 << 16]; /* of the child, which starts at its end and grows down */
static sigset_t every; /* all signals: they wait until somebody asks for them */

static char *option[128]; /* by letter: its value; NULL: not given */
static char *cgroup[2]; /* the directories of the limits; NULL: no such limit */

static int go[2]; /* a pipe: the child waits at one end, until we are ready at the other */

static void (*undo)(void); /* takes back what we have made on the host; NULL: nothing */
static const char *home; /* the directory of the container: its facts, and what it has written */

/* Make a call. If it returns -1 it has failed: print its text and the cause, and end. */
#define must(call) check(call, #call)
static int check(int result, const char *call) {
    if (result != -1) return result;
    perror(call);
    if (undo) undo();
    exit(125);
}

/* The system call NAME, as in its man page: some C libraries have no function for it. */
#define sys(name, ...) syscall(SYS_##name, __VA_ARGS__)
#define MNT_DETACH 2

/* Like asprintf, but never fails. Nothing is ever freed, because our processes are short-lived. */
static char *text(const char *format, ...) {
    char *made;
    va_list values;
    va_start(values, format);
    if (vasprintf(&made, format, values) == -1) exit(125);
    va_end(values);
    return made;
}

static int put(const char *path, const char *content) {
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    return fd == -1 || dprintf(fd, "%s", content) < 0 || close(fd) == -1 ? -1 : 0;
}

/* CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETPCAP NET_BIND_SERVICE SYS_CHROOT SETFCAP:
 * what a program needs to manage its own files, users and processes. */
#define KEEP 0x800405fbULL

#ifdef __x86_64__
#define ARCH AUDIT_ARCH_X86_64
#else
#define ARCH AUDIT_ARCH_AARCH64
#endif
#define LOAD(name) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, __builtin_offsetof(struct seccomp_data, name))
#define END(action) BPF_STMT(BPF_RET, SECCOMP_RET_##action)
#define IF(value, yes, no) BPF_JUMP(BPF_JMP | BPF_K | BPF_JEQ, value, yes, no)
#define DENY(name) IF(SYS_##name, 0, 1), END(ERRNO | EPERM)

/* clang-format off */
/* Calls that only root of the machine needs, or nobody. All others pass. */
static struct sock_filter filter[] = {
    LOAD(arch), IF(ARCH, 1, 0), END(KILL_PROCESS), LOAD(nr), /* another ABI has other numbers */
    DENY(mount), DENY(move_mount), DENY(pivot_root), DENY(setns), DENY(unshare), DENY(bpf),
    DENY(add_key), DENY(keyctl), DENY(request_key), DENY(userfaultfd), END(ALLOW),
};
/* clang-format on */

/* no_new_privs before the filter: without it only root may install one. */
static void drop_privileges(void) {
    struct __user_cap_data_struct data[2] = { { KEEP, KEEP, 0 }, { 0, 0, 0 } };
    for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
        if (!(KEEP >> cap & 1)) must(prctl(PR_CAPBSET_DROP, cap));
    must(sys(capset, &(int[]){ _LINUX_CAPABILITY_VERSION_3, 0 }, data));
    must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER,
               &(struct sock_fprog){ sizeof filter / sizeof *filter, filter }));
}

static int run_program(char **command) {
    sigprocmask(SIG_UNBLOCK, &every, NULL);
    drop_privileges();
    execvp(*command, command);
    perror(*command);
    exit(127);
}

/* Pass signals on to CHILD, and reap whoever ends, until it is CHILD: return its status. */
static int ns_watch(pid_t child) {
    for (;;) {
        int status, pid, sig = sigwaitinfo(&every, NULL);
        if (sig > 0 && sig != SIGCHLD) kill(child, sig);
        while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
            if (pid == child)
                return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    }
}

/* What is attached, and where: a new file system of that type, or a device of the host's. */
static const char *what[] = { "proc", "tmpfs", "/dev/null", "/dev/zero", "/dev/urandom", NULL };
static const char *where[] = { "/proc", "/dev", "/dev/null", "/dev/zero", "/dev/urandom" };
static int taken[5];

/* A mount that has no place yet. */
static int take(const char *name) {
    if (*name == '/') return must(sys(open_tree, AT_FDCWD, name, OPEN_TREE_CLONE));
    int fd = must(sys(fsopen, name, 0));
    must(sys(fsconfig, fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
    return must(sys(fsmount, fd, 0, 0));
}

/* Upper lies on top of the image, and holds what the container writes. */
static void mount_layers(const char *image) {
    int layer = must(open(image, O_PATH | O_DIRECTORY | O_CLOEXEC));
    char *options = text("userxattr,upperdir=upper,workdir=work,lowerdir=/proc/self/fd/%d", layer);
    must(chdir(home));
    mkdir("upper", 0755); /* it may be there: then the container goes on with what it had written */
    mkdir("work", 0755);
    must(sys(mount, "overlay", "upper", "overlay", 0, options));
}

/* As long as the host's files can be seen, take what we need of them. */
static void fs_take(const char *image) {
    must(sys(mount, NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)); /* spare the host */
    for (int i = 0; what[i]; i++) taken[i] = take(what[i]);
    mount_layers(image);
}

/* The old root comes to lie on top of the new one, and goes from there. */
static void fs_pivot(void) {
    must(chdir("upper"));
    must(sys(pivot_root, ".", "."));
    must(sys(umount2, ".", MNT_DETACH));
}

/* No path leads to the host any more: now those of the image can be followed. */
static void fs_attach(void) {
    for (int i = 0; what[i]; i++) {
        mknod(where[i], S_IFREG, 0); /* a place; it fails if there is one */
        must(sys(move_mount, taken[i], "", AT_FDCWD, where[i], MOVE_MOUNT_F_EMPTY_PATH));
    }
    must(chmod("/dev", 0755)); /* a new tmpfs is sticky, and O_CREAT fails there on devices */
}

/* Make a cgroup with a limit. Version 2 has one tree of cgroups; version 1 has one for each
 * controller, and other names. */
static void cgroup_create(int i, const char *controller, const char *file, const char *limit) {
    int version2 = access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0;
    cgroup[i] = text("/sys/fs/cgroup/%s/tiny-%d", version2 ? "." : controller, getpid());
    if (version2) put("/sys/fs/cgroup/cgroup.subtree_control", text("+%s", controller));
    must(mkdir(cgroup[i], 0755) == 0 || errno == EEXIST ? 0 : -1);
    if (!version2 && *file == 'm') file = "memory.limit_in_bytes";
    must(put(text("%s/%s", cgroup[i], file), limit));
}

/* The last process that has ended may be counted for a little longer. */
static void cgroup_remove(void) {
    for (int i = 0; i < 2; i++)
        while (cgroup[i] && rmdir(cgroup[i]) == -1 && errno == EBUSY) usleep(10000);
}

/* Root in the new user namespace is our user. Without root, setgroups must be given up first. */
static void map_user(pid_t pid) {
    must(put(text("/proc/%d/setgroups", pid), "deny"));
    must(put(text("/proc/%d/gid_map", pid), text("0 %u 1", getegid())));
    must(put(text("/proc/%d/uid_map", pid), text("0 %u 1", geteuid())));
}

/* The engine says the same to the kernel itself, by netlink. */
static void run(const char *command) {
    must(system(command) == 0 ? 0 : -1); /* it has said why */
}

/* Give the network of PID its lo, and a cable: tinyN here, eth0 there. Its name is a lease of its
 * two addresses, because only one can have it. */
static void net_connect(pid_t pid, int pidfd, int user) {
    int n = pid % 16384;
    char *here = text("10.67.%d.%d", n / 64, n % 64 * 4 + 1);
    char *there = text("10.67.%d.%d", n / 64, n % 64 * 4 + 2);
    if (option['n']) {
        run(text("ip link add tiny%d type veth peer name eth0 netns %d", n, pid));
        run(text("ip addr add %s/30 dev tiny%d && ip link set tiny%d up", here, n, n));
    }
    must(setns(pidfd, CLONE_NEWNET | user)); /* from here on, we are in there */
    run("ip link set lo up");
    if (option['n']) run(text("ip addr add %s/30 dev eth0 && ip link set eth0 up", there));
    if (option['n']) run(text("ip route add default via %s", here));
}

/* The fact `exit` is 137 until somebody can write a better one. As long as the watcher lives, it
 * holds a lock on it, and the kernel tells everybody who that is. */
static int begin(void) {
    mkdir(home, 0700);
    int fact = must(open(text("%s/exit", home), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
    must(fcntl(fact, F_SETLK, &(struct flock){ .l_type = F_WRLCK }));
    undo = cgroup_remove;
    must(dprintf(fact, "137\n"));
    return fact;
}

/* Ask the watcher to end the program. After ten seconds kill it, and everything inside dies. */
static int stop(void) {
    int fact = must(open(text("%s/exit", home), O_RDWR));
    struct flock lock = { .l_type = F_WRLCK };
    for (int ms = 0; fcntl(fact, F_SETLK, &lock) == -1; ms++) {
        struct flock who = lock;
        fcntl(fact, F_GETLK, &who);
        if (who.l_type != F_UNLCK && ms % 10000 == 0) kill(who.l_pid, ms ? SIGKILL : SIGTERM);
        usleep(1000);
    }
    return 0;
}

/* Number 1: everything before the program, and then init. */
static int inside(void *arguments) {
    char **argv = arguments;
    undo = NULL;
    must(prctl(PR_SET_PDEATHSIG, SIGKILL));
    close(go[1]); /* so that the pipe ends if our parent does */
    if (read(go[0], &(char){ 0 }, 1) != 1) exit(125);
    for (int i = 0; i < 2; i++) /* 0: whoever writes it. All that we start is in there, too */
        if (cgroup[i]) must(put(text("%s/cgroup.procs", cgroup[i]), "0"));
    must(sethostname("tiny", 4));
    fs_take(argv[1]);
    fs_pivot();
    fs_attach();
    must(sys(close_range, 3, ~0U, 0)); /* among them the layer, which is the host's */
    pid_t program = must(fork());
    return program ? ns_watch(program) : run_program(argv + 2);
}

int main(int argc, char **argv) {
    int flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET;
    for (int o; (o = getopt(argc, argv, "+m:p:n")) != -1;) option[o] = optarg ? optarg : "";
    home = argv[argc - optind == 2 ? optind + 1 : optind];
    if (argc - optind == 2 && !strcmp(argv[optind], "stop")) return stop();
    if (option['?'] || argc - optind < 3) {
        fprintf(stderr, "usage: tiny [-m SIZE] [-p NUMBER] [-n] DIR IMAGE COMMAND [ARG...]\n"
                        "       tiny stop DIR\n");
        return 125;
    }
    int fact = begin();
    sigfillset(&every);
    sigprocmask(SIG_BLOCK, &every, NULL);
    if (option['m']) cgroup_create(0, "memory", "memory.max", option['m']);
    if (option['p']) cgroup_create(1, "pids", "pids.max", option['p']);
    argv += optind;
    must(pipe(go));
    int pidfd; /* a descriptor that means the child, and never another process */
    int user = geteuid() == 0 ? 0 : CLONE_NEWUSER;
    flags |= CLONE_PIDFD | SIGCHLD | user;
    pid_t child = must(clone(inside, stack + sizeof stack, flags, argv, &pidfd));
    if (user) map_user(child);
    net_connect(child, pidfd, user);
    must(put(text("%s/pid", home), text("%d\n", child)));
    must(write(go[1], "", 1));
    int status = ns_watch(child);
    pwrite(fact, text("%-3d", status), 3, 0);
    cgroup_remove();
    return status;
}
