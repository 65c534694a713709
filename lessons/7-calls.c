/* SPDX-License-Identifier: MIT */
/* 7-calls.c - what becomes of some system calls, in and out of a container: lesson 7.
 *
 *      cc -static -pthread -o calls lessons/7-calls.c      static: it runs in any image
 *
 * Every call is one that does no harm when it is allowed: most have arguments that no kernel takes.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static void show(const char *call, long result) {
    printf("%-46s %s\n", call, result == -1 ? strerrorname_np(errno) : "allowed");
}
#define SHOW(call) show(#call, call)

static void *nothing(void *argument) {
    return argument;
}

int main(void) {
    pthread_t thread;
    SHOW(syscall(SYS_clone3, 0, 0));
    show("pthread_create", pthread_create(&thread, NULL, nothing, NULL) == 0 ? 0 : -1);
    SHOW(syscall(SYS_unshare, 1));
    SHOW(syscall(SYS_mount, 0, 0, 0, 0, 0));
    SHOW(syscall(SYS_keyctl, 99));
    SHOW(syscall(SYS_bpf, 99, 0, 0));
    SHOW(socket(AF_ALG, SOCK_STREAM, 0));
    SHOW(ioctl(0, TIOCSTI, 0));
    SHOW(syscall(SYS_ioctl, 0, TIOCSTI | 1UL << 32, 0));
#ifdef __x86_64__
    SHOW(syscall(0x40000000 | SYS_getpid));
#endif
    return 0;
}
