/* SPDX-License-Identifier: MIT */
/*
 * 1.c - a container with an init, which reaps, and passes signals on.
 *
 *      cc -o ~/tiny lessons/tiny/1.c
 *      unshare -Ur ~/tiny rootfs/base sh        or, as root, without the unshare
 *
 * The next fault: its root can be left as it was entered, by chroot.
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
static sigset_t every; /* all signals: they wait until somebody asks for them */

/* Make a call. If it returns -1 it has failed: print its text and the cause, and end. */
#define must(call) check(call, #call)
static int check(int result, const char *call) {
    if (result != -1) return result;
    perror(call);
    exit(125);
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

/* Number 1: everything before the program, and then init. */
static int inside(void *arguments) {
    char **argv = arguments;
    must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)); /* spare the host */
    must(sethostname("tiny", 4));
    must(chroot(argv[1]));
    must(chdir("/"));
    must(mount("proc", "/proc", "proc", 0, NULL));
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
