/* SPDX-License-Identifier: MIT */
/*
 * container.h - what the five chapters say to each other, one section for each.
 *
 *   container.c   the command line, state on disk, life cycle
 *   ns.c          namespaces, init, terminal, user, capabilities, seccomp, exec
 *   fs.c          layers, volumes, pivot_root, /dev, masks
 *   cgroup.c      limits, accounting; version 2 and version 1
 *   net.c         bridge, veth, addresses, routes, NAT: all by netlink
 *
 * No function here returns an error: a step that fails ends the process (see
 * must), because nothing after a failed pivot_root may run.
 */
#ifndef CONTAINER_H
#define CONTAINER_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/mount.h> /* not sys/mount.h: C libraries before 2022 lack half of it */

#define MNT_DETACH 2
#define PLAIN (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)
#define COUNT(table) (int)(sizeof(table) / sizeof(table)[0])

/* The system call NAME, with the arguments of its man page (section 2), where a C library may
 * have no function for it. */
#define sys(name, ...) syscall(SYS_##name, __VA_ARGS__)

/* ---- container.c: every step, checked and shown ---- */

/* must(call) - make a call that returns -1 and sets errno; give back what it returns.
 * must(call, "%s", name) - the same, and name belongs to the message and to --explain.
 * A failure prints the call's own text and its cause, and ends the process with status 125.
 * Calls do not nest. The text is taken here, in the outermost macro, so flags keep their names. */
#define must(call, ...) (step(__FILE__, __LINE__, #call, text(" " __VA_ARGS__)), done((long)(call)))
void step(const char *file, int line, const char *call, const char *values);
long done(long result);

/* Print "container: WHY" (NULL: it has been said) and end with STATUS; die() formats, and ends
 * with 125, the engine's own failure. What has been made on the host is undone: by the watcher
 * before it ends, and when it is told of a failure inside. */
_Noreturn void quit(int status, const char *why);
#define die(...) quit(125, text(__VA_ARGS__))

/* The kernel and we keep facts as text in files. put() formats and writes one (-1 and errno on
 * failure; a path that starts with / is the kernel's and must exist); get() reads a whole one
 * without its last newline, "" when there is none. */
#define put(path, ...) write_file(path, text(__VA_ARGS__))
long write_file(const char *path, const char *content);
char *get(const char *path);

/* printf into memory of its own. Nothing is ever freed: processes are short, and exit. */
char *text(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Does the whole of VALUE match PATTERN, an extended regular expression; regex(7)? NAME is
 * safe as a file, host and cgroup name; USER is an id, UID:GID or a name. */
bool matches(const char *value, const char *pattern);
#define NAME "^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}$"
#define USER "^([0-3]?[0-9]{1,9}(:[0-3]?[0-9]{1,9})?|[a-zA-Z_][a-zA-Z0-9_.-]*)$"

/* What the user asked for, in the user's words; NULL and 0 where nothing was said. */
extern struct options {
    char *name, *hostname, *workdir, *user, *network, *ip, *explain;
    char *memory, *cpus, *pids, *io; /* as in 64M, 1.5, 32, and a line for io.max */
    bool tty, interactive, rm, read_only, privileged;
    bool rootless; /* we lack CAP_SYS_ADMIN, so need a user namespace; user_namespaces(7) */
    uint64_t cap_add, cap_drop; /* bit n is capability n, capabilities(7) */
    char *env[256]; /* NAME=VALUE, environ(7) */
    char **command; /* the program and its arguments */
} opt;
extern bool inside; /* true in init and in the program, false in the watcher */

/* ---- ns.c: what the program may see, and may do; namespaces(7) ---- */

/* CAP, as a mask bit, from "NET_ADMIN" or "CAP_NET_ADMIN"; "ALL" is all; 0 if unknown. */
uint64_t ns_capability(const char *name);

/* The capabilities that we have: an outer container may have taken some already. */
uint64_t ns_permitted(void);

/* Clone the container's init in new namespaces; it builds its root while we go on. CGROUP is a
 * version 2 directory to start it in, or -1. Returns its pid as the host sees it; clone(2). */
pid_t ns_start(int cgroup);

/* Let init go on: its cgroup is there, and its network, with this address in host byte order.
 * Relay the terminal and forward signals until it ends: the program's status, or 128+signal. */
int ns_watch(uint32_t address);

/* Kill what ns_start made, if anything, and give the caller's terminal back; idempotent. True when
 * init had ended before, by itself. */
bool ns_stop(void);

/* ---- fs.c: what the program finds under /; mount_namespaces(7), overlayfs.rst ---- */

/* mkdir -p for what stands before the last / of PATH; -1 and errno on failure. */
long fs_mkdirs(char *path);

/* Remove NAME from the current directory, as rm -rf; idempotent. */
void fs_remove(const char *name);

/* Find an image's layers: HOME/images/IMAGE, or a directory when IMAGE has a slash or is ".".
 * Returns the image's own arguments, one a line, or "". */
char *fs_image(const char *home, const char *image);

/* Have the host's path WHAT, or a new file system of this type, attached at WHERE inside, with
 * MOUNT_ATTR_ attributes; mount_setattr(2). The same for a volume, SRC:/DST[:ro]. */
void fs_mount(const char *what, const char *where, unsigned attributes);
void fs_volume(const char *spec);

/* The three acts of a new root, in this order, inside: take the host's part as detached mounts
 * and mount the layers; make the layers the root and let the old root go; attach what was taken. */
void fs_take(void), fs_pivot(void), fs_attach(void);

/* Open a terminal of the container's own: *PEER is the program's end, the result ours; pts(4). */
int fs_terminal(int *peer);

/* ---- cgroup.c: how much it may use; cgroups(7), admin-guide/cgroup-v2.rst ---- */

/* Make the container's cgroup, set its limits, and have it shown inside, below /sys/fs/cgroup,
 * where nothing can be written. Returns an fd of it for clone3 (version 2),
 * or -1 (version 1, or rootless without limits). */
int cgroup_create(void);

/* Version 1: move PID in, before it can fork. */
void cgroup_join(pid_t pid);

/* How many processes were killed because the memory limit was reached. */
long cgroup_oom_kills(void);

/* Remove the cgroup; idempotent. */
void cgroup_remove(void);

/* ---- net.c: whom it may talk to; rtnetlink(7), linux/netfilter/nf_tables.h ---- */

/* Check --ip, and write etc/hosts, hostname and resolv.conf. */
void net_prepare(void);

/* Host: bridge, veth pair with its far end in PID's namespace, an address that no other has,
 * forwarding, NAT. Nothing needs undoing: the cable goes with the namespace that it leads into,
 * the NAT table with our socket. Returns the address, in host byte order. */
uint32_t net_connect(pid_t pid);

/* Inside: lo up; eth0 its address and the default route. */
void net_inside(uint32_t address);

#endif
