/* SPDX-License-Identifier: MIT */
/*
 * 3.c - a container that shares its image, and writes into a layer of its own.
 *
 *      cc -o ~/tiny lessons/tiny/3.c
 *      unshare -Ur ~/tiny rootfs/base sh        or, as root, without the unshare
 *
 * The next fault: it may take all of the memory, and as many processes as it likes.
 */
#define _GNU_SOURCE
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

/* Number 1: everything before the program, and then init. */
static int inside(void *arguments) {
    char **argv = arguments;
    must(sethostname("tiny", 4));
    fs_take(argv[1]);
    fs_pivot();
    fs_attach();
    must(sys(close_range, 3, ~0U, 0)); /* among them the layer, which is the host's */
    pid_t program = must(fork());
    return program ? ns_watch(program) : run_program(argv + 2);
}

int main(int argc, char **argv) {
    int flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC;
    if (argc < 3) {
        fprintf(stderr, "usage: tiny IMAGE COMMAND [ARG...]\n");
        return 125;
    }
    sigfillset(&every);
    sigprocmask(SIG_BLOCK, &every, NULL);
    return ns_watch(must(clone(inside, stack + sizeof stack, flags | SIGCHLD, argv)));
}
