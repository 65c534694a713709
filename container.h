/* SPDX-License-Identifier: MIT */
/*
 * container.h - what the five chapters offer each other, one section for each.
 *
 *   container.c   helpers for all; the command line, state on disk, life of a container
 *   ns.c          namespaces, init, terminal, user, capabilities, seccomp, exec
 *   fs.c          layers, volumes, pivot_root, /dev, masks
 *   cgroup.c      limits and accounting; version 2 and version 1
 *   net.c         veth, addresses, routes by netlink; published ports
 *
 * Calls go downwards only: the commands at the end of container.c call all chapters; ns.c calls
 * fs.c and cgroup.c; cgroup.c calls fs_mount, to have its directories shown; all of them call the
 * helpers, and the helpers call nobody. Few functions return an error: a step that fails ends the
 * process (see must), because nothing that comes after a failed pivot_root may run.
 */
#ifndef CONTAINER_H
#define CONTAINER_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/fs.h> /* and linux/mount.h: C libraries before 2022 lack half of it */

#define MNT_DETACH 2
#define PLAIN (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)
#define COUNT(table) (int)(sizeof(table) / sizeof(table)[0])
#define NETWORK_IS(mode) !strcmp(opt.network, mode)

/* The system call NAME, with the arguments of its man page (section 2). For calls that some C
 * libraries have no function for. */
#define sys(name, ...) syscall(SYS_##name, __VA_ARGS__)

/* ---- container.c: helpers. Every step is checked, and shown by --explain ---- */

/* must(call) - make a call that returns -1 and sets errno when it fails; returns its result.
 * must(call, "%s", name) - the same; the message and --explain show the formatted values.
 * A failure prints the call's own text and its cause, and ends the process with status 125. Values
 * are formatted only when they are printed. Not for threads: they would share the result. */
#define must(call, ...) \
    ((result = (long)(call)) != -1 && !opt.explain \
         ? result \
         : check(__FILE__, __LINE__, #call, text(" " __VA_ARGS__)))
long check(const char *file, int line, const char *call, const char *values);
extern long result; /* what the latest step returned */

/* End the process with STATUS, and print WHY unless it is "". die() formats WHY; its status is 125,
 * which means that the engine itself has failed. In the watcher, `undo` is called first, unless it
 * is NULL: it removes what this process has made on the host. Inside, nothing is printed: the
 * watcher is sent STATUS and WHY, and ends with them. */
_Noreturn void quit(int status, const char *why);
#define die(...) quit(125, text(__VA_ARGS__))
extern void (*undo)(void);
extern int inside; /* in init and in the program: a socket to the watcher; in the watcher: 0 */

/* Facts are text in small files, the kernel's and ours. put() formats and writes one; 0, or -1 and
 * errno. If PATH starts with /, the file is the kernel's, and must exist; otherwise it is ours, and
 * is made anew. get() returns the content without its last newline, at most 8 MB, up to the first
 * null byte; "" if the file cannot be read. */
#define put(path, ...) write_file(path, text(__VA_ARGS__))
long write_file(const char *path, const char *content);
char *get(const char *path);

/* Start a thread that copies from one descriptor to another until the end of file, or until nobody
 * reads any more. Then it closes both, so that each side sees the end. When the container has
 * ended, it copies only what is still in the pipe, at most 1 MB. Join or detach it. */
pthread_t relay(int from, int to);
extern int over; /* a pidfd of what ns_start made, pidfd_open(2); -1: nothing yet */

/* Loop over the lines of CONTENT, which is modified. */
#define each_line(line, content) \
    for (char *rest_ = (content), *line; (line = strsep(&rest_, "\n"));) // NOLINT: a name

/* Like asprintf(3), but never fails and preserves errno. Nothing is ever freed, because our
 * processes are short-lived or allocate little. */
char *text(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Does VALUE match PATTERN, an extended regular expression; regex(7)? */
bool matches(const char *value, const char *pattern);

/* The command line: strings as typed. If not given: NULL, 0 or an empty list; but user "0", workdir
 * "/", parent "", the hostname is the name, and the network what main chooses. */
extern struct options {
    char *name, *hostname, *workdir, *user, *network, *ipc, *uts, *parent, *in_place;
    char *memory, *cpus, *pids; /* for example 64M, 1.5, 32 */
    char *tty, *interactive, *detach, *rm, *read_only; /* options without a value: "" if given */
    char *privileged, *no_cgroup, *explain;
    char *env[256], *volumes[256], *publish[256]; /* NAME=VALUE; SRC:/DST[:ro]; HOST:CONTAINER */
    uint64_t cap_add, cap_drop; /* bit n is capability n, capabilities(7) */
    char **command; /* the program and its arguments */
    bool rootless; /* we lack CAP_SYS_ADMIN, so we need a user namespace; user_namespaces(7) */
} opt;

/* ---- ns.c: what the program may see and do; namespaces(7) ---- */

/* The mask of a capability, from "NET_ADMIN" or "CAP_NET_ADMIN"; all bits for "ALL"; 0: unknown. */
uint64_t ns_capability(const char *name);

/* The mask of the capabilities that we have. An outer container may have taken some; capget(2). */
uint64_t ns_permitted(void);

/* Block all signals: from here on they are pending. Then execute this program again, with these
 * arguments, from a copy that nobody can write to; memfd_create(2). Returns in the copy. */
void ns_seal(char **arguments);

/* TARGET -1: clone init, pid 1 of a new container, in new namespaces and in the container's cgroup;
 * it builds its root while we go on. Otherwise TARGET is a pidfd of an init: clone a process that
 * joins its namespaces and plays init for one more program; setns(2). Returns the pid of the new
 * process, and only on the host; clone(2). */
pid_t ns_start(int target);

/* Let what ns_start made go on to the program. Returns when the program runs; if that fails, quits
 * like ns_hear. PID is the container's init, whose terminals we can open; pts(4). */
void ns_go(pid_t pid);

/* Forward signals until the program has ended. Returns its status, or 128 + signal. Init is not yet
 * reaped, so that its pid is still its own; waitid(2). */
int ns_watch(void);

/* Kill what ns_start made, if anything, and reap it; copy its last output; restore the caller's
 * terminal. */
void ns_stop(void);

/* Wait for the next message from inside, or until nobody can send one (not after ns_stop). If it is
 * a failure, quit with its status and cause. */
void ns_hear(void);

/* ---- fs.c: what the program finds under /; mount_namespaces(7), filesystems/overlayfs.rst ---- */

/* mkdir -p, for the part of PATH before its last /. 0, or -1 and errno. */
long fs_mkdirs(const char *path);

/* rm -rf. Follows no link, even if others change the tree at the same time. 0, or -1 and errno. */
long fs_remove(const char *name);

/* Find IMAGE, or die: a directory if it has a / in it or starts with ".", otherwise
 * HOME/images/IMAGE. Returns its layers, one a line, top first (a directory without a list is its
 * own only layer); and in *ARGUMENTS its own options and command, one a line. */
char *fs_image(const char *home, const char *image, char **arguments);

/* Remember a mount for fs_take: the host's path WHAT, or a new file system of type WHAT, attached
 * at WHERE inside with MOUNT_ATTR_ attributes; mount_setattr(2). The strings are kept, not copied.
 * fs_volumes does it for each -v, and dies if the host's path does not exist. */
void fs_mount(const char *what, const char *where, unsigned attributes);
void fs_volumes(void);

/* The three acts of a new root, called inside in this order. Take what is the host's, as mounts
 * without a path, and mount the layers; open_tree(2). Make the layers the root, and let the host's
 * go; pivot_root(2). Attach what was taken; move_mount(2). */
void fs_take(void), fs_pivot(void), fs_attach(void);

/* ---- cgroup.c: how much the container may use; cgroups(7), admin-guide/cgroup-v2.rst ---- */

/* Make the container's cgroup, set its limits, and have it shown read-only inside, below
 * /sys/fs/cgroup. A rootless container without limits has none. A limit that cannot be set is
 * fatal; without limits, so is only a cgroup that exists and is in use. */
void cgroup_create(void);

/* Its directory in the version 2 tree, for clone3 to start a process in; -1: there is none. */
int cgroup_open(void);

/* Write VALUE into FILE of each of its directories that has one, or die. Has any of them? */
bool cgroup_write(const char *file, const char *value);

/* Does FILE in one of its directories match PATTERN? */
bool cgroup_says(const char *file, const char *pattern);

/* Remove the cgroup. Waits up to 2 s for the last process to be gone, in each directory. May be
 * called twice; if it fails, nothing is said. */
void cgroup_remove(void);

/* ---- net.c: whom the container may talk to; rtnetlink(7), veth(4) ---- */

/* Write the files etc/hosts, etc/hostname and etc/resolv.conf of the container; hosts(5),
 * resolv.conf(5). */
void net_prepare(void);

/* Listen on the ports of --publish. Give the network namespace of PID its network: lo; with a
 * bridge also a cable to it, an address that no other container has, and a default route; without
 * one, an address on lo if there are ports. From here on we are in that namespace ourselves
 * (rootless: in its user namespace, too), and relay what comes to the ports, for as long as we
 * live. The cable goes when the namespace goes. With --network host nothing is done. */
void net_connect(pid_t pid);

#endif
