/* SPDX-License-Identifier: MIT */
/*
 * 0.c - a container: clone, chroot, exec. Everything else in this course is repair.
 *
 *      cc -o ~/tiny lessons/tiny/0.c
 *      unshare -Ur ~/tiny rootfs/base sh        or, as root, without the unshare
 *
 * It works, and it is wrong in eight ways. Each of the lessons 1 to 8 breaks it in one, and 1.c to
 * 8.c beside it are the repairs, one more each time. The engine is what they grow into.
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

/* Make a call. If it returns -1 it has failed: print its text and the cause, and end. */
#define must(call) check(call, #call)
static int check(int result, const char *call) {
    if (result != -1) return result;
    perror(call);
    exit(125);
}

/* The child's life, up to its program. */
static int inside(void *arguments) {
    char **argv = arguments;
    must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)); /* spare the host */
    must(sethostname("tiny", 4));
    must(chroot(argv[1]));
    must(chdir("/"));
    must(mount("proc", "/proc", "proc", 0, NULL));
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
    pid_t child = must(clone(inside, stack + sizeof stack, flags | SIGCHLD, argv));
    must(waitpid(child, &status, 0));
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
