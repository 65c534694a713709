/* SPDX-License-Identifier: MIT */
/*
 * 5.c - a container with a network of its own, and with -n a cable to the host.
 *
 *      cc -o ~/tiny lessons/tiny/5.c
 *      unshare -Ur ~/tiny rootfs/base sh        or, as root, without the unshare
 *
 * The next fault: without the borrowed key, only root may start it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/mount.h> /* more than sys/mount.h, where C libraries before 2022 lack half of it */

static char stack[1 << 16]; /* of the child, which starts at its end and grows down */
static sigset_t every; /* all signals: they wait until somebody asks for them */

static char *option[128]; /* by letter: its value; NULL: not given */
static char *cgroup[2]; /* the directories of the limits; NULL: no such limit */

static int go[2]; /* a pipe: the child waits at one end, until we are ready at the other */

/* Make a call. If it returns -1 it has failed: print its text and the cause, and end. */
#define must(call) check(call, #call)
static int check(int result, const char *call) {
    if (result != -1) return result;
    perror(call);
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
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    return fd == -1 || dprintf(fd, "%s", content) < 0 || close(fd) == -1 ? -1 : 0;
}

static int run_program(char **command) {
    sigprocmask(SIG_UNBLOCK, &every, NULL);
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

/* Upper lies on top of the image, and holds what the container writes. It stays when it ends. */
static void mount_layers(const char *image) {
    char *tmp = getenv("TMPDIR"), *dir = text("%s/tiny-XXXXXX", tmp ? tmp : "/tmp");
    int layer = must(open(image, O_PATH | O_DIRECTORY | O_CLOEXEC));
    char *options = text("userxattr,upperdir=upper,workdir=work,lowerdir=/proc/self/fd/%d", layer);
    must(mkdtemp(dir) ? chdir(dir) : -1);
    must(mkdir("upper", 0755));
    must(mkdir("work", 0755));
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

/* The engine says the same to the kernel itself, by netlink. */
static void run(const char *command) {
    if (system(command) != 0) exit(125); /* it has said why */
}

/* Give the network of PID its lo, and a cable: tinyN here, eth0 there. Its name is a lease of its
 * two addresses, because only one can have it. */
static void net_connect(pid_t pid, int pidfd) {
    int n = pid % 16384;
    char *here = text("10.67.%d.%d", n / 64, n % 64 * 4 + 1);
    char *there = text("10.67.%d.%d", n / 64, n % 64 * 4 + 2);
    if (option['n']) {
        run(text("ip link add tiny%d type veth peer name eth0 netns %d", n, pid));
        run(text("ip addr add %s/30 dev tiny%d && ip link set tiny%d up", here, n, n));
    }
    must(setns(pidfd, CLONE_NEWNET)); /* from here on, we are in there */
    run("ip link set lo up");
    if (option['n']) run(text("ip addr add %s/30 dev eth0 && ip link set eth0 up", there));
    if (option['n']) run(text("ip route add default via %s", here));
}

/* Number 1: everything before the program, and then init. */
static int inside(void *arguments) {
    char **argv = arguments;
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
    if (option['?'] || argc - optind < 2) {
        fprintf(stderr, "usage: tiny [-m SIZE] [-p NUMBER] [-n] IMAGE COMMAND [ARG...]\n");
        return 125;
    }
    sigfillset(&every);
    sigprocmask(SIG_BLOCK, &every, NULL);
    if (option['m']) cgroup_create(0, "memory", "memory.max", option['m']);
    if (option['p']) cgroup_create(1, "pids", "pids.max", option['p']);
    argv += optind - 1;
    must(pipe(go));
    int pidfd; /* a descriptor that means the child, and never another process */
    flags |= CLONE_PIDFD | SIGCHLD;
    pid_t child = must(clone(inside, stack + sizeof stack, flags, argv, &pidfd));
    net_connect(child, pidfd);
    must(write(go[1], "", 1));
    int status = ns_watch(child);
    cgroup_remove();
    return status;
}
