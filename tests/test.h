/* SPDX-License-Identifier: MIT */
/*
 * test.h - what every chapter's tests share: run the real program, look at what it did.
 *
 * Check runs each test in a process of its own. Before it, set_up() gives that process its
 * own network and mount namespaces (as root), an empty CONTAINER_HOME, and takes a picture
 * of the host; after it, tear_down() takes another and fails the test if they differ.
 */
#ifndef TEST_H
#define TEST_H

#include <check.h>
#include <stdbool.h>
#include <sys/types.h>

/* What a command did. status is as a shell sees it: 128+n for signal n; 124 when its time was up.
 * line is the command line itself. */
struct result {
    int status;
    char *out, *err, *line;
};

/* Run a shell command line, printf-like, with standard input from /dev/null and 30 s of time.
 * Its environment has CONTAINER (the program), BASE (rootfs/base with the probe as
 * /bin/probe), PROBE (the probe on the host), TOOLS and ROOTFS (the directories of the commands that
 * are scripts: lessons/tools, and rootfs with image, layer, build and tiny), TINY (the containers of
 * lessons/tiny), CONTAINER_HOME, NAME (for one container of this test), T (an empty scratch
 * directory that anybody may enter and write, where the line starts). */
struct result sh(const char *form, ...) __attribute__((format(printf, 1, 2)));

/* The same as an ordinary user (uid 65534, no groups, a HOME of its own), when we are root. */
struct result sh_user(const char *form, ...) __attribute__((format(printf, 1, 2)));

/* For tests that are the same for both: tcase_add_loop_test(t, test, 0, users()), and in the
 * test as(_i, ...). There is one user only when we are not root, or when this host lets no
 * ordinary user have a user namespace (which is named as left out, once). */
enum who {
    OURSELVES,
    ORDINARY_USER,
};
struct result as(enum who who, const char *form, ...) __attribute__((format(printf, 2, 3)));
int users(void);

/* A command line at a terminal of 24 rows and 80 columns, where the test sits and types. */
struct terminal {
    pid_t pid; /* of the shell that runs the line */
    int keys, screen; /* our end, and the line's, which we keep open to look at its modes */
    char *seen; /* all that was shown so far */
    size_t found; /* up to here wait_for and shows have looked */
    char *line;
};
struct terminal at_terminal(enum who who, const char *form, ...)
    __attribute__((format(printf, 2, 3)));

/* Type. A control key is its letter's number: "\3" is Ctrl-C. */
void type(struct terminal *t, const char *keys);

/* Wait until the terminal shows TEXT, after what was found before. False: the line has ended,
 * or its time is up, without it. wait_for fails then. */
bool shows(struct terminal *t, const char *text);
void wait_for(struct terminal *t, const char *text);

/* Wait for the end of the line; its status, as in struct result. */
int finish(struct terminal *t);

/* Fail, showing all of the result, unless the status is this and the outputs contain that.
 * NULL: whatever. An expected "" means exactly nothing. */
void expect(struct result r, int status, const char *in_out, const char *in_err);

/* Fail unless the status is 0, this and no more was printed, and nothing was said on stderr. */
void expect_exactly(struct result r, const char *out);

/* The number after KEY in "KEY NUMBER" lines of TEXT, as the probe prints them; fails if none. */
long number(const char *text, const char *key);

/* A random value for this run, so that nothing can be hard-coded. */
int random_between(int low, int high);

/* Made of such values: a name that no other container has; an address of the bridge's network; a
 * port. In a network of its own, a test finds all ports free. */
char *new_name(void);
char *new_address(void);
int new_port(void);

/* Wait until a shell's CONDITION holds; sh gives up. */
void until(enum who who, const char *condition);

/* printf into memory of its own, which is never freed: a test ends soon. */
char *format(const char *form, ...) __attribute__((format(printf, 1, 2)));

/* On a clock that only goes forward. For giving up, never for asserting. */
double seconds(void);

/* Two knobs for slow machines, see main.c: all time limits are so many times longer; of all steps,
 * calls or rounds, one in so many is tried, from a random one on. */
int slower(void), fewer(void);

bool is_root(void);
bool cgroup_v2(void);

/* A test host of its own beyond the uplink "up0": address 203.0.113.2 in a namespace whose
 * holder's pid is returned (enter it with nsenter -t PID -n); ours is 203.0.113.1. It has no
 * route back to containers, so only masqueraded packets are answered. */
int internet(void);

void set_up(void);
void tear_down(void);

/* Fail unless mounts, links, NAT, cgroups and processes are, within 5 s, as set_up found them. The
 * bridge container0 and the table of that name are left out, because they stay for all containers.
 * tear_down does it, too. */
void expect_host_unchanged(void);

/* A test case of the suite, whose tests have set_up before them and tear_down after. */
TCase *new_case(Suite *s, const char *name);
/* musl has other words for these errors. */
#define IN_USE (getenv("MUSL") ? "Address in use" : "Address already in use")
#define NOT_OURS (getenv("MUSL") ? "Address not available" : "Cannot assign requested address")

#define COUNT(table) (int)(sizeof(table) / sizeof(table)[0])

/* Each chapter's file has one of these.
 * Tests that need root are added only as root: name what is left out with left_out(). */
Suite *container_suite(void);
Suite *ns_suite(void);
Suite *fs_suite(void);
Suite *cgroup_suite(void);
Suite *net_suite(void);
Suite *ports_suite(void);
Suite *life_suite(void);
Suite *crash_suite(void);
Suite *denied_suite(void);
Suite *tools_suite(void);
Suite *images_suite(void);
Suite *build_suite(void);
Suite *oci_suite(void);
Suite *tiny_suite(void);
Suite *attacks_suite(void);
void left_out(const char *what, const char *why);

/* What has come of the attacks, if they were tried: a table. */
void print_attacks(void);

/* The first word of a container's fact: a small file in HOME/containers/NAME, such as pid, ip or
 * exit. "" if there is no such file, or nothing in it. */
char *fact(enum who who, const char *name, const char *file);

/* The pid of a running container's watcher; 0 if it does not run. */
pid_t watcher_of(enum who who, const char *name);

/* Remove what is left of container $NAME, when its watcher was killed: its directory and its
 * cgroup. */
void remove_by_hand(enum who who);

/* The process that starts each test in a child of its own; main sets it. */
extern pid_t runner;

/* SIGKILL to all that descend from FROM, apart from EXCEPT and what descends from that. */
void kill_descendants(pid_t from, pid_t except);

#endif
