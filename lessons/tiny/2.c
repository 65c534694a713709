/* SPDX-License-Identifier: MIT */
/*
 * 2.c - a container with a root of its own, which it cannot leave: pivot_root.
 *
 *      cc -o ~/tiny lessons/tiny/2.c
 *      unshare -Ur ~/tiny rootfs/base sh        or, as root, without the unshare
 *
 * The next fault: what it writes, it writes into its image.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/mount.h> /* more than sys/mount.h, where C libraries before 2022 lack half of it */

static char stack[1 << 16]; /* of the child, which starts at its end and grows down */
static sigset_t every; /* all signals: they wait until somebody asks for them */

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

/* As long as the host's files can be seen, take what we need of them. */
static void fs_take(const char *root) {
    must(sys(mount, NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)); /* spare the host */
    for (int i = 0; what[i]; i++) taken[i] = take(what[i]);
    must(sys(mount, root, root, NULL, MS_BIND | MS_REC, NULL)); /* only a mount can be the root */
    must(chdir(root));
}

/* The old root comes to lie on top of the new one, and goes from there. */
static void fs_pivot(void) {
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

/* Number 1: everything before the program, and then init. */
static int inside(void *arguments) {
    char **argv = arguments;
    must(sethostname("tiny", 4));
    fs_take(argv[1]);
    fs_pivot();
    fs_attach();
    pid_t program = must(fork());
    return program ? ns_watch(program) : run_program(argv + 2);
}

int main(int argc, char **argv) {
    int flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC;
    if (argc < 3) {
        fprintf(stderr, "usage: tiny ROOT COMMAND [ARG...]\n");
        return 125;
    }
    sigfillset(&every);
    sigprocmask(SIG_BLOCK, &every, NULL);
    return ns_watch(must(clone(inside, stack + sizeof stack, flags | SIGCHLD, argv)));
}
