/* SPDX-License-Identifier: MIT */
/*
 * tiny.c - a container: clone, chroot, exec. Everything else in this course is repair.
 *
 *      cc -o /tmp/tiny lessons/tiny.c
 *      unshare -Ur /tmp/tiny rootfs/base sh        or, as root, without the unshare
 *
 * It works, and it is wrong in eight ways. Each of the lessons 1 to 8 breaks it in one,
 * and the chapter of the engine that the lesson reads is the repair. Start at main.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

static char stack[1 << 16]; /* of the child, which starts at its end and grows down */

static int check(int result, const char *what) {
    if (result != -1) return result;
    perror(what);
    exit(125);
}

/* The child's life, up to its program. */
static int inside(void *arguments) {
    char **argv = arguments;
    check(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "private"); /* spare the host */
    check(sethostname("tiny", 4), "sethostname");
    check(chroot(argv[1]), argv[1]);
    check(chdir("/"), "chdir");
    check(mount("proc", "/proc", "proc", 0, NULL), "/proc");
    execvp(argv[2], argv + 2);
    perror(argv[2]);
    return 127;
}

int main(int argc, char **argv) {
    int status, flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC;
    if (argc < 3) {
        fprintf(stderr, "usage: tiny ROOT COMMAND [ARG...]\n");
        return 125;
    }
    pid_t child = check(clone(inside, stack + sizeof stack, flags | SIGCHLD, argv), "clone");
    check(waitpid(child, &status, 0), "waitpid");
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
