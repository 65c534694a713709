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

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/fs.h> /* and linux/mount.h: C libraries before 2022 lack half of it */

#define MNT_DETACH 2
#define LOCALHOST "127.0.0.1\tlocalhost\n::1\tlocalhost\n" /* how etc/hosts begins */
#define LOG_SIZE (16 << 20) /* bytes: a log that has grown above this starts again */
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

/* Say WHY and end with STATUS; die() formats, and ends with 125, the engine's own failure. What
 * has been made on the host is undone. Inside, it is the watcher who is told, and does both. */
_Noreturn void quit(int status, const char *why);
#define die(...) quit(125, text(__VA_ARGS__))

/* The kernel and we keep facts as text in files. put() formats and writes one, -1 and errno on
 * failure: a path that starts with / is the kernel's and must exist; a name without / is a fact
 * about the container, and changes at once, so that readers see the old or the new; rename(2).
 * Any other, as etc/hosts, is written in place, because it is mounted inside.
 * get() reads a whole one without its last newline, "" when there is none. */
#define put(path, ...) write_file(path, text(__VA_ARGS__), 0)
long write_file(const char *path, const char *content, ssize_t size); /* 0: up to its NUL */
char *get(const char *path);

/* For each LINE of CONTENT, which is cut into pieces. */
#define each_line(line, content) \
    for (char *rest_ = (content), *line; (line = strsep(&rest_, "\n"));) // NOLINT: a name

/* printf into memory of its own; errno stays. Nothing is ever freed: processes are short. */
char *text(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Does the whole of VALUE match PATTERN, an extended regular expression; regex(7)? NAME is
 * safe as a file, host and cgroup name; USER is an id, UID:GID or a name. */
bool matches(const char *value, const char *pattern);
#define NAME "^[a-zA-Z0-9][a-zA-Z0-9_.-]*$"
#define USER "^([0-3]?[0-9]{1,9}(:[0-3]?[0-9]{1,9})?|[a-zA-Z_][a-zA-Z0-9_.-]*)$"

/* What the user asked for, in the user's words; NULL and 0 where nothing was said. */
extern struct options {
    char *name, *hostname, *workdir, *user, *network, *ip, *explain;
    char *memory, *cpus, *pids, *io; /* as in 64M, 1.5, 32, and a line for io.max */
    char *seconds, *signal; /* of stop, and of kill */
    bool tty, interactive, rm, read_only, privileged, no_cgroup, follow, force;
    bool detach, hold; /* run in the background; stop just before the program */
    bool rootless; /* we lack CAP_SYS_ADMIN, so need a user namespace; user_namespaces(7) */
    uint64_t cap_add, cap_drop; /* bit n is capability n, capabilities(7) */
    char *env[256], *volumes[256], *publish[256]; /* NAME=VALUE; SRC:/DST[:ro]; HOST:CONTAINER */
    int join; /* -1, or a pidfd of whose network we are to be in; setns(2) */
    char *joined; /* its address */
    char **command; /* the program and its arguments */
} opt;
extern bool inside; /* true in init and in the program, false in the watcher */

/* Who is on the bridge: in one file, hosts, that all of them have as /etc/hosts. */
void write_names(void);

/* ---- ns.c: what the program may see, and may do; namespaces(7) ---- */

/* CAP, as a mask bit, from "NET_ADMIN" or "CAP_NET_ADMIN"; "ALL" is all; 0 if unknown. */
uint64_t ns_capability(const char *name);

/* The capabilities that we have: an outer container may have taken some already. */
uint64_t ns_permitted(void);

/* Run again, with these arguments, from a copy of our program that nobody can write to; and have
 * all signals wait. */
void ns_seal(char **arguments);

/* Clone the container's init in new namespaces; it builds its root while we go on. CGROUP is a
 * version 2 directory to start it in, or -1. Returns its pid as the host sees it; clone(2). */
pid_t ns_start(int cgroup);

/* Clone one more process into the namespaces of the init with this pid, and PIDFD; setns(2). */
pid_t ns_enter(pid_t pid, int pidfd);

/* Let it go on to the program: its cgroup is there, and its network, with this address in host
 * byte order. Returns when the program runs, or is about to (opt.hold); quits when it cannot. */
void ns_go(uint32_t address);

/* Wait for SIGCONT, or for the end of init; then let the program run. */
void ns_hold(void);

/* Relay the terminal and forward signals until it ends: its status, or 128+signal. */
int ns_watch(void);

/* Kill what ns_start made, if anything, and give the caller's terminal back; idempotent. */
void ns_stop(void);

/* What comes from inside: a descriptor's number; or a status and why, with which we quit, too;
 * or 0 when nobody is left to speak, because the program has started. */
int ns_hear(void);

/* ---- fs.c: what the program finds under /; mount_namespaces(7), overlayfs.rst ---- */

/* mkdir -p for what stands before the last / of PATH; -1 and errno on failure. */
long fs_mkdirs(char *path);

/* Remove NAME from the current directory, as rm -rf; idempotent. -1 and errno on failure. */
long fs_remove(const char *name);

/* Find an image's layers: HOME/images/IMAGE, or a directory when IMAGE has a slash or is ".".
 * Returns them, one a line, top first; and the image's own ARGUMENTS, one a line, or "". */
char *fs_image(const char *home, const char *image, char **arguments);

/* Have the host's path WHAT, or a new file system of this type, attached at WHERE inside, with
 * MOUNT_ATTR_ attributes; mount_setattr(2). Then all that -v names. */
void fs_mount(const char *what, const char *where, unsigned attributes);
void fs_volumes(void);

/* The three acts of a new root, in this order, inside: take the host's part as detached mounts
 * and mount the layers; make the layers the root and let the old root go; attach what was taken. */
void fs_take(void), fs_pivot(void), fs_attach(void);

/* Open a terminal of the container whose root is at ROOT: our end, and the program's; pts(4). */
void fs_terminal(const char *root, int ends[2]);

/* ---- cgroup.c: how much it may use; cgroups(7), admin-guide/cgroup-v2.rst ---- */

/* Make the container's cgroup, set its limits, and have it shown inside, below /sys/fs/cgroup,
 * where nothing can be written. Returns an fd of it for clone3 (version 2),
 * or -1 (version 1, or rootless without limits). */
int cgroup_create(void);

/* Move in, before we have threads or children. A single thread that moves itself (tasks, in version
 * 1) need not wait until no process of the machine is about to fork, which takes 10 ms. */
void cgroup_join(void);

/* Stop all of its processes where they are, or let them go on; false: it has no cgroup for that.
 * Are they stopped? */
bool cgroup_freeze(bool freeze), cgroup_frozen(void);

/* How many processes were killed because the memory limit was reached. */
long cgroup_oom_kills(void);

/* Remove the cgroup; idempotent. */
void cgroup_remove(void);

/* ---- net.c: whom it may talk to; rtnetlink(7), linux/netfilter/nf_tables.h ---- */

/* Check --ip and the host's routes, and take the ports of --publish, as long as we live. */
void net_check(void);

/* Write etc/hosts, hostname and resolv.conf, and ports for who wants to know. */
void net_prepare(void);

/* Host: bridge, veth pair with its far end in PID's namespace, an address that no other has,
 * forwarding, NAT. The cable goes with the namespace that it leads into, the NAT table with our
 * socket. Returns the address, in host byte order. */
uint32_t net_connect(pid_t pid);

/* Inside: lo up; eth0 its address and the default route. */
void net_inside(uint32_t address);

/* The last container of this HOME has been removed: undo what they had in common. */
void net_remove(const char *home);

#endif
