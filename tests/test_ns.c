/* SPDX-License-Identifier: MIT */
/*
 * test_ns.c - what the program may see, and may do.
 *
 *      namespaces     each is its own, and the host's stays as it was
 *      streams        standard input, output and error are never the caller's own
 *      init           pid 1: orphans, signals, and what it shows of the host
 *      capabilities   the exact sets
 *      seccomp        refused system calls, and that nothing else refuses them
 *      user           -u, groups, set-uid files
 *      environment    -e, -w, ping
 *      nested         in another user namespace, in another container
 *      terminal       -t, at a real one
 *      explain        --explain: what each line has, and never has
 *
 * A refusal proves something only if the same attempt succeeds without the defence, so each
 * has its control: the same probe with --privileged, with the capability, or on the host.
 */
#include "test.h"
#include <linux/capability.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>
#include <termios.h>
#include <unistd.h>

/* Most tests here need no network, and without one they are faster. */
#define RUN "$CONTAINER run --rm --network none "

/* Shell text: run a container in the background, until it says "ready". Its output is in the
 * file out, and the watcher is $pid. */
static char *start(const char *arguments) {
    return format(RUN "%s >out & pid=$!; until grep -qs ready out; do sleep 0.01; done;",
                  arguments);
}

/* ---- namespaces ---- */

static const char *const namespaces[] = { "mnt", "pid", "net", "ipc", "uts", "cgroup", "time" };

START_TEST(has_its_own_namespaces) {
    char *host = as(_i, "$PROBE ns").out;
    char *one = as(_i, RUN "$BASE probe ns").out;
    for (int i = 0; i < COUNT(namespaces); i++)
        ck_assert_msg(number(host, namespaces[i]) != number(one, namespaces[i]), "%s",
                      namespaces[i]);
    bool rootless = _i == ORDINARY_USER || !is_root();
    ck_assert_int_eq(number(host, "user") != number(one, "user"), rootless);
}
END_TEST

/* While the first still runs: when it has ended, its numbers are given out again. */
START_TEST(shares_none_with_a_neighbour) {
    char *both = as(_i, "%s" RUN "$BASE probe ns; kill $pid; wait $pid; cat out",
                    start("$BASE sh -c 'probe ns; echo ready; sleep 1000'"))
                     .out;
    for (int i = 0; i < COUNT(namespaces); i++) {
        char *rest = strstr(strstr(both, namespaces[i]), "\n");
        ck_assert_msg(number(both, namespaces[i]) != number(rest, namespaces[i]), "%s", both);
    }
}
END_TEST

START_TEST(network_host_is_the_hosts) {
    char *host = sh("$PROBE ns").out;
    char *inside = sh("$CONTAINER run --rm --network host $BASE probe ns").out;
    ck_assert_int_eq(number(host, "net"), number(inside, "net"));
    ck_assert_int_ne(number(host, "pid"), number(inside, "pid"));
}
END_TEST

/* Each by itself; and the host keeps its name. (A user has no power over the host's IPC namespace,
 * and may not mount its message queues.) */
START_TEST(ipc_and_uts_may_be_the_callers) {
    char *host = sh("$PROBE ns").out, *named = as(_i, "uname -n").out;
    for (int i = 0; i < 3 && _i == OURSELVES && is_root(); i++) {
        char *inside = as(_i, RUN "%s %s -h other $BASE probe ns", i != 1 ? "--ipc host" : "",
                          i != 0 ? "--uts host" : "")
                           .out;
        ck_assert((number(host, "ipc") == number(inside, "ipc")) == (i != 1));
        ck_assert((number(host, "uts") == number(inside, "uts")) == (i != 0));
    }
    expect(as(_i, RUN "--uts host -h other $BASE uname -n"), 0, named, "");
    expect(as(_i, "uname -n"), 0, named, "");
}
END_TEST

START_TEST(has_its_own_host_name) {
    char *host = as(_i, "uname -n").out, *name = format("host-%d", random_between(0, 1 << 30));
    expect(as(_i, RUN "-h %s $BASE sh -c 'hostname; cat /etc/hostname; echo $HOSTNAME'", name), 0,
           format("%s\n%s\n%s\n", name, name, name), "");
    expect(as(_i, RUN "--name %s $BASE hostname", name), 0, format("%s\n", name), "");
    expect(as(_i, "uname -n"), 0, host, "");
}
END_TEST

/* ---- streams ---- */

/* What the caller has there: its own pipes, files, devices, nothing. */
static const char *const streams[] = {
    "",
    "<$T/in",
    ">$T/out",
    "2>$T/out",
    "<$T/in >$T/out 2>&1",
    "</dev/null >/dev/null 2>/dev/null",
    "</dev/zero 2>/dev/full",
    "<&- 2>&-",
    "<&- >&- 2>&-",
};

/* The program writes into a volume what its descriptors are: three pipes, none of them ours. */
START_TEST(streams_are_pipes_of_the_watcher) {
    const char *look = "sh -c 'exec 4>/t/streams; for n in 0 1 2; do"
                       "  is=$(readlink /proc/$$/fd/$n); echo $is >&4; done'";
    const char *commands[] = { RUN "-v $T:/t $BASE", "$CONTAINER exec $NAME" };
    expect(as(_i, "echo word >in; $CONTAINER run -d --network none --name $NAME -v $T:/t $BASE"
                  " sleep 1000"),
           0, NULL, "");
    for (int i = 0; i < COUNT(streams); i++)
        for (int j = 0; j < COUNT(commands); j++) {
            struct result r = as(_i, "rm -f streams; mine=$(readlink /proc/$$/fd/1 /proc/$$/fd/2);"
                                     "%s %s %s; echo \"$mine\" | grep -F -x -f streams;"
                                     "grep -c '^pipe:' streams",
                                 commands[j], look, streams[i]);
            expect(r, 0, "3\n", NULL);
            ck_assert_msg(!strstr(r.out, "pipe:"), "%s\n%s", r.line, r.out);
        }
    for (int j = 0; j < COUNT(commands); j++)
        expect(as(_i, "%s true <$T", commands[j]), 125, "", "standard input is a directory");
    expect(as(_i, "cat in; [ ! -e out ] || cat out"), 0, "word\n", "");
    expect(as(_i, "$CONTAINER rm -f $NAME"), 0, NULL, "");
}
END_TEST

/* ---- init ---- */

START_TEST(is_a_child_of_init) {
    char *session = as(_i, RUN "$BASE probe session").out;
    ck_assert_int_eq(number(session, "ppid"), 1);
    ck_assert_int_gt(number(session, "pid"), 1);
    ck_assert_int_eq(number(session, "pid"), number(session, "sid"));
    ck_assert_int_eq(number(session, "pid"), number(session, "pgid"));
}
END_TEST

START_TEST(sees_only_its_own_processes) {
    expect(as(_i, RUN "$BASE sh -c 'cd /proc; echo [0-9]*'"), 0, "1 2\n", ""); /* init, sh */
}
END_TEST

/* The control: out here orphans come to this test, which does not reap them. */
START_TEST(reaps_orphans) {
    expect(as(_i, RUN "$BASE probe orphan"), 0, "adopter 1\nzombies 0\n", "");
    expect(as(_i, "$PROBE orphan"), 0, "zombies 1\n", "");
}
END_TEST

START_TEST(ends_with_the_program) {
    expect(as(_i, RUN "$BASE sh -c 'sleep 1000 & sleep 1000 & exit 3'"), 3, "", "");
}
END_TEST

START_TEST(forwards_signals) {
    static const int wanted[] = { SIGUSR1, SIGUSR2, SIGHUP, SIGINT, SIGQUIT, SIGWINCH };
    struct result r = as(_i, "%s for n in USR1 USR2 HUP INT QUIT WINCH; do kill -$n $pid; done;"
                             "until [ $(wc -l <out) = 7 ]; do sleep 0.01; done;"
                             "kill -TERM $pid; wait $pid; echo status $?; cat out",
                         start("$BASE probe wait-signal"));
    expect(r, 0, "status 0\n", "");
    for (int i = 0; i < COUNT(wanted); i++) expect(r, 0, format("signal %d\n", wanted[i]), "");
}
END_TEST

START_TEST(passes_a_deadly_signal_on) {
    expect(as(_i, "%s kill $pid; wait $pid", start("$BASE sh -c 'echo ready; exec sleep 1000'")),
           128 + SIGTERM, "", NULL);
}
END_TEST

/* Nothing outlives the watcher: tear_down looks for processes, links and NAT. Its directory and
 * its cgroup stay, for whoever removes them; here that is us. */
START_TEST(nothing_outlives_the_watcher) {
    const char *network = is_root() && _i == OURSELVES ? "bridge" : "none";
    expect(as(_i, "$CONTAINER run --name $NAME --network %s $BASE"
                  "  sh -c 'sleep 1000 & echo ready; sleep 1000' >$T/out & pid=$!;"
                  "until grep -qs ready $T/out; do sleep 0.01; done; kill -KILL $pid; wait $pid",
              network),
           128 + SIGKILL, "", NULL);
    remove_by_hand(_i);
}
END_TEST

/* Nobody inside can end or stop init; from outside that ends all. */
START_TEST(init_is_safe_from_inside) {
    expect(as(_i, RUN "$BASE sh -c 'kill -KILL 1; kill -STOP 1; exit 7'"), 7, "", "");
}
END_TEST

START_TEST(all_ends_with_init) {
    expect(as(_i, "%s kill -KILL $(cat /proc/$pid/task/$pid/children); wait $pid",
              start("$BASE sh -c 'echo ready; sleep 1000'")),
           128 + SIGKILL, "", NULL);
}
END_TEST

/* What plays init for `exec` is not in the container's pid namespace. If it is killed, its program
 * must not become a zombie of somebody outside who does not reap, as we do not here: the kernel
 * lets a container end only when all its processes have been reaped. */
START_TEST(all_ends_when_exec_is_killed) {
    expect(as(_i, "$CONTAINER run -d --network none --name $NAME $BASE sleep 1000"), 0, NULL, "");
    struct result r = as(_i, "$CONTAINER exec $NAME sh -c 'echo ready; sleep 1000' >out & pid=$!;"
                             "until grep -qs ready out; do sleep 0.01; done;"
                             "kill -KILL $(cat /proc/$pid/task/$pid/children); wait $pid");
    expect(r, 128 + SIGKILL, "", NULL);
    expect(as(_i, "$CONTAINER rm -f $NAME"), 0, NULL, "");
}
END_TEST

/* Init is the engine's code, and was the host's process. */
static const char *const init_files[][2] = {
    { "read /proc/%s/environ", "read: errno EACCES" },
    { "read /proc/%s/maps", "read: errno EACCES" },
    { "open /proc/%s/mem r", "open: errno EACCES" },
    { "open /proc/%s/mem w", "open: errno EACCES" },
    { "readlink /proc/%s/exe", "readlink: errno EACCES" },
    { "open /proc/%s/exe r", "open: errno EACCES" },
    { "readlink /proc/%s/root", "readlink: errno EACCES" },
    { "readlink /proc/%s/cwd", "readlink: errno EACCES" },
    { "exists /proc/%s/fd/0", "exists: errno" },
    { "ptrace %s", "ptrace: errno EPERM" },
};

START_TEST(init_cannot_be_looked_at) {
    char *init = format(init_files[_i][0], "1"), *self = format(init_files[_i][0], "$$");
    for (enum who who = OURSELVES; who < (enum who)users(); who++) {
        expect(as(who, RUN "$BASE probe %s", init), 1, init_files[_i][1], "");
        if (strncmp(self, "ptrace", 6) != 0) /* the control; and nobody can trace itself */
            expect(as(who, RUN "$BASE sh -c 'probe %s'", self), 0, NULL, NULL);
    }
}
END_TEST

/* What init, and whoever comes in with exec, are running is the engine's file, which is the host's
 * (CVE-2019-5736). Nobody can write to it, from inside with every capability, or from the host by
 * the same way. On a tmpfs this needs care: there the kernel calls every file sealed. The control
 * is a program that runs from the same place and does not protect itself. */
START_TEST(the_engine_is_safe_on_a_tmpfs) {
    const char *sealed = _i == OURSELVES ? "overwrite: errno EROFS\n" : "overwrite: errno EPERM\n";
    expect(sh("mkdir mem && mount -t tmpfs none mem && cp $CONTAINER $PROBE mem"), 0, "", "");
    expect(sh("mem/probe sleep 1 & $PROBE overwrite $!"), 0, "overwrite allowed\n", "");

    expect(as(_i, "mem/container run -d --name $NAME --network none --privileged $BASE sleep 1000"),
           0, NULL, "");
    char *init = fact(_i, getenv("NAME"), "pid");
    int watcher = watcher_of(_i, getenv("NAME"));
    int client = atoi(as(_i, "mem/container exec $NAME sleep 1000 >out 2>&1 & echo $!").out);
    until(_i, format("grep -qs . /proc/%d/task/%d/children", client, client));
    int agent = atoi(sh("cat /proc/%d/task/%d/children", client, client).out);
    const char *each = format("%s %d %d %d", init, watcher, client, agent);
    expect(sh("for p in %s; do $PROBE overwrite $p; done", each), 1,
           format("%s%s%s%s", sealed, sealed, sealed, sealed), "");
    expect(as(_i, "mem/container exec $NAME probe overwrite 1"), 1, sealed, "");

    expect(as(_i, "$CONTAINER rm -f $NAME"), 0, NULL, "");
    expect(sh("cmp mem/container $CONTAINER"), 0, "", "");
    until(OURSELVES, "umount mem");
}
END_TEST

/* Nor if the path by which it was started leads nowhere any more: its file may have other names. */
START_TEST(the_engine_is_safe_without_a_path) {
    expect(sh("mkdir dir && mount --bind dir dir && cp $CONTAINER dir/engine"), 0, "", "");
    expect(sh("unshare -m sh -c 'cd dir && umount -l . && ./engine run -d --name $NAME"
              " --network none --privileged $BASE sleep 1000' && umount dir"),
           0, NULL, "");
    char *init = fact(OURSELVES, getenv("NAME"), "pid");
    int watcher = watcher_of(OURSELVES, getenv("NAME"));
    /* no mount can be made of a file that is in none: so it runs from memory, as a user's does */
    expect(sh("for p in %s %d; do $PROBE overwrite $p; done", init, watcher), 1,
           "overwrite: errno EPERM\noverwrite: errno EPERM\n", "");
    expect(sh("$CONTAINER exec $NAME probe overwrite 1"), 1, "overwrite: errno EPERM\n", "");
    expect(sh("$CONTAINER rm -f $NAME && cmp dir/engine $CONTAINER"), 0, NULL, "");
}
END_TEST

/* With every capability it can be looked at, so there must be nothing to see. */
START_TEST(init_has_nothing_to_show) {
    expect(sh("SECRET=1 " RUN "--privileged $BASE cat /proc/1/environ | tr -d '\\0'"), 0, "", "");
    expect(sh(RUN "--privileged $BASE ls /proc/1/fd"), 0, "", "");
    expect(sh(RUN "--privileged $BASE probe readlink /proc/1/root"), 0, "readlink /\n", "");
    expect(sh(RUN "--privileged $BASE probe readlink /proc/1/cwd"), 0, "readlink /\n", "");
    expect(sh(RUN "--privileged $BASE probe open /proc/1/exe w"), 1, "open: errno", "");
    if (is_root()) /* a user's is a copy in memory, whose mode harms nobody */
        expect(sh(RUN "--privileged $BASE chmod 777 /proc/1/exe"), 1, "", "Read-only");
}
END_TEST

/* ---- capabilities ---- */

enum {
    NET_ADMIN = 12,
    NET_RAW = 13,
    SYS_PTRACE = 19,
    SYS_ADMIN = 21,
};
#define BIT(n) (1ULL << (n))
#define USUAL 0x800405fbULL
#define EVERY ~0ULL

static const struct {
    const char *options;
    uint64_t mask;
    bool privileged;
} capabilities[] = {
    { "", USUAL, false },
    { "--cap-add NET_ADMIN", USUAL | BIT(NET_ADMIN), false },
    { "--cap-add CAP_SYS_PTRACE --cap-add NET_RAW", USUAL | BIT(SYS_PTRACE) | BIT(NET_RAW), false },
    { "--cap-drop CHOWN", USUAL & ~BIT(0), false },
    { "--cap-drop CHOWN --cap-drop NET_ADMIN", USUAL & ~BIT(0), false },
    { "--cap-drop ALL", 0, false },
    { "--cap-drop ALL --cap-add CHOWN", BIT(0), false },
    { "--cap-add CHOWN --cap-drop ALL", BIT(0), false },
    { "--cap-add ALL", EVERY, false },
    { "--privileged", EVERY, true },
    { "--privileged --cap-drop SYS_ADMIN", EVERY & ~BIT(SYS_ADMIN), true },
};

static uint64_t hexadecimal(const char *text, const char *key) {
    const char *at = strstr(text, key);
    ck_assert_msg(at != NULL, "no %s in %s", key, text);
    return strtoull(at + strlen(key), NULL, 16);
}

/* What there is to give: this kernel's, and of these what our caller has left us. */
static uint64_t available(enum who who) {
    char *last = sh("cat /proc/sys/kernel/cap_last_cap").out;
    uint64_t all = BIT(atoi(last) + 1) - 1;
    bool rootless = who == ORDINARY_USER || !is_root(); /* who has all in its own namespace */
    return rootless ? all : all & hexadecimal(sh("$PROBE caps").out, "CapPrm");
}

static void check_capabilities(struct result r, uint64_t own, uint64_t bound, bool privileged) {
    expect(r, 0, "CapInh 0000000000000000\n", "");
    expect(r, 0, "CapAmb 0000000000000000\n", "");
    expect(r, 0, format("CapPrm %016llx\n", (unsigned long long)own), "");
    expect(r, 0, format("CapEff %016llx\n", (unsigned long long)own), "");
    expect(r, 0, format("CapBnd %016llx\n", (unsigned long long)bound), "");
    expect(r, 0, privileged ? "NoNewPrivs 0\nSeccomp 0\n" : "NoNewPrivs 1\nSeccomp 2\n", "");
}

START_TEST(has_these_capabilities) {
    for (enum who who = OURSELVES; who < (enum who)users(); who++) {
        uint64_t mask = capabilities[_i].mask & available(who);
        check_capabilities(as(who, RUN "%s $BASE probe caps", capabilities[_i].options), mask, mask,
                           capabilities[_i].privileged);
    }
}
END_TEST

/* Another user has none, but a bound for what its set-uid files could give. */
START_TEST(another_user_has_none) {
    uint64_t mask = capabilities[_i].mask & available(OURSELVES);
    struct result r = sh(RUN "-u %d %s $BASE probe caps", random_between(1, 65000),
                         capabilities[_i].options);
    check_capabilities(r, 0, mask, capabilities[_i].privileged);
}
END_TEST

/* A caller's inheritable and ambient sets would survive a change of user. */
START_TEST(brings_no_capabilities_along) {
    const char *line = "setpriv --inh-caps +chown,+net_admin --ambient-caps +chown,+net_admin";
    expect(sh("%s $PROBE caps", line), 0, "CapAmb 0000000000001001\n", "");
    uint64_t mask = USUAL & available(OURSELVES);
    check_capabilities(sh("%s " RUN "$BASE probe caps", line), mask, mask, false);
    check_capabilities(sh("%s " RUN "-u 1000 $BASE probe caps", line), 0, mask, false);
}
END_TEST

/* ---- seccomp ---- */

static const struct {
    const char *attempt, *refusal, *lifted_by;
} calls[] = {
    // clang-format off
    { "mount",                  "mount: errno EPERM",       "SYS_ADMIN" },
    { "umount /proc",           "umount: errno EPERM",      "SYS_ADMIN" },
    { "remount-rw /sys",        "remount-rw: errno EPERM",  "SYS_ADMIN" },
    { "fsopen",                 "fsopen: errno EPERM",      "SYS_ADMIN" },
    { "unshare user",           "unshare: errno EPERM",     "SYS_ADMIN" },
    { "unshare mnt",            "unshare: errno EPERM",     "SYS_ADMIN" },
    { "unshare net",            "unshare: errno EPERM",     "SYS_ADMIN" },
    { "unshare time",           "unshare: errno EPERM",     "SYS_ADMIN" },
    { "unshare user mnt cgroup", "unshare: errno EPERM",    "SYS_ADMIN" },
    { "clone-ns user",          "clone-ns: errno EPERM",    "SYS_ADMIN" },
    { "clone-ns mnt",           "clone-ns: errno EPERM",    "SYS_ADMIN" },
    { "clone-ns pid net ipc uts cgroup", "clone-ns: errno EPERM", "SYS_ADMIN" },
    { "setns /proc/self/ns/uts", "setns: errno EPERM",      "SYS_ADMIN" },
    { "sethostname x",          "sethostname: errno EPERM", "SYS_ADMIN" },
    { "swapoff",                "swapoff: errno EPERM",     "SYS_ADMIN" },
    { "handle",                 "handle: errno EPERM",      "DAC_READ_SEARCH" },
    { "settime",                "settime: errno EPERM",     "SYS_TIME" },
    { "reboot",                 "reboot: errno EPERM",      "SYS_BOOT" },
    { "syslog",                 "syslog: errno EPERM",      "SYSLOG" },
    { "bpf",                    "bpf: errno EPERM",         "BPF" },
    { "perf",                   "perf: errno EPERM",        "PERFMON" },
    { "clone3",                 "clone3: errno ENOSYS",     NULL },
    { "clone3 user",            "clone3: errno ENOSYS",     NULL },
    { "keyctl",                 "keyctl: errno EPERM",      NULL },
    { "userfaultfd",            "userfaultfd: errno EPERM", NULL },
    { "io_uring",               "io_uring: errno EPERM",    NULL },
    { "x32",                    "x32: errno ENOSYS",        NULL },
    { "ia32",                   "ia32: ",                   NULL }, /* killed by a signal */
    { "socket alg",             "socket: errno EPERM",      NULL },
    { "socket vsock",           "socket: errno EPERM",      NULL },
    { "tiocsti",                "tiocsti: errno EPERM\ntiocsti-high: errno EPERM\n"
                                "tioclinux: errno EPERM\ntioclinux-high: errno EPERM\n", NULL },
    // clang-format on
};

START_TEST(refuses_the_call) {
    for (enum who who = OURSELVES; who < (enum who)users(); who++)
        expect(as(who, RUN "$BASE probe %s", calls[_i].attempt), 1, calls[_i].refusal, "");
}
END_TEST

#define PERF_CAUTION "/proc/sys/kernel/perf_event_paranoid"

/* What the kernel lets us do here, a container may do when it was given the power: with
 * --privileged, or with the capability that the call is for, where there is one. */
START_TEST(allows_the_call_on_demand) {
    struct result here = sh("$PROBE %s", calls[_i].attempt);
    const char *lift = calls[_i].lifted_by;
    if (here.status != 0) {
        left_out(calls[_i].attempt, "no control: this machine refuses it outside, too");
        return;
    }
    expect(sh(RUN "--privileged $BASE probe %s", calls[_i].attempt), 0, "allowed", "");
    /* the kernels of Debian and Ubuntu know a third kind of caution, and then want more */
    if (lift && !strcmp(lift, "PERFMON") && atoi(sh("cat " PERF_CAUTION).out) > 2)
        lift = "PERFMON --cap-add SYS_ADMIN";
    if (lift)
        expect(sh(RUN "--cap-add %s $BASE probe %s", lift, calls[_i].attempt), 0, "allowed", "");
    else
        expect(sh(RUN "--cap-add ALL $BASE probe %s", calls[_i].attempt), 1, calls[_i].refusal, "");
}
END_TEST

/* Raw sockets are stopped by a capability, and no filter. */
START_TEST(sends_no_raw_packets) {
    expect(as(_i, RUN "$BASE probe socket packet raw"), 1, "socket: errno EPERM", "");
    expect(as(_i, RUN "--cap-add NET_RAW $BASE probe socket packet raw"), 0, "allowed", "");
}
END_TEST

START_TEST(allows_what_programs_need) {
    static const char *const needed[] = { "pthread", "fork 20", "socket inet stream",
                                          "socket unix stream", "socket netlink raw" };
    for (int i = 0; i < COUNT(needed); i++)
        expect(as(_i, RUN "$BASE probe %s", needed[i]), 0, NULL, "");
}
END_TEST

/* ---- user ---- */

/* The image knows root, student (1000:1000) and nobody. */
static const struct {
    const char *user;
    unsigned uid, gid;
    const char *home;
} known_users[] = {
    { "0", 0, 0, "/root" },
    { "root", 0, 0, "/root" },
    { "0:0", 0, 0, "/root" },
    { "1000", 1000, 1000, "/home/student" },
    { "student", 1000, 1000, "/home/student" },
    { "1000:5", 1000, 5, "/home/student" },
    { "4321", 4321, 0, "/" },
    { "4321:4321", 4321, 4321, "/" },
    { "65534", 65534, 65534, "/" },
    { "007", 7, 0, "/" },
    { "3999999999:3000000000", 3999999999, 3000000000, "/" },
};

START_TEST(becomes_the_user) {
    const char *user = known_users[_i].user;
    unsigned uid = known_users[_i].uid, gid = known_users[_i].gid;
    expect(sh(RUN "-u %s $BASE probe ids", user), 0,
           format("uid %u\neuid %u\nsuid %u\ngid %u\negid %u\nsgid %u\ngroups\n", uid, uid, uid,
                  gid, gid, gid),
           "");
    expect(sh(RUN "-u %s $BASE probe env", user), 0, format("HOME=%s\n", known_users[_i].home), "");
}
END_TEST

START_TEST(becomes_any_user) {
    int uid = random_between(1, 65000), gid = random_between(1, 65000);
    struct result r = sh(RUN "-u %d:%d $BASE probe ids", uid, gid);
    expect(r, 0, format("uid %d\neuid %d\nsuid %d\n", uid, uid, uid), "");
    expect(r, 0, format("gid %d\negid %d\nsgid %d\n", gid, gid, gid), "");
    expect(sh(RUN "-u %d:%d $BASE probe setuid 0", uid, gid), 1, "setuid: errno EPERM", "");
    expect(sh(RUN "$BASE probe setuid %d", uid), 0, format("uid %d\n", uid), "");
}
END_TEST

/* A link in the image that leads through a descriptor of ours must not make us read the host's passwd
 * file: we look for names when all are closed. canary knows a user that the image does not. */
START_TEST(finds_no_names_by_our_descriptors) {
    expect(sh("mkdir -p top/etc img; printf '%%s\n' $T/top $BASE >img/layers;"
              "echo canary:x:4242:4242::/:/bin/sh >canary; chmod 644 canary;"
              "mkdir -p seen; ln -s ../canary seen/link; grep -q canary seen/link"),
           0, "", "");
    for (int fd = 3; fd < 64; fd++)
        expect(sh("ln -sfn /proc/self/fd/%d/../../../../../../../../../$T/canary top/etc/passwd;" RUN
                  "-u canary ./img probe ids",
                  fd),
               125, "", "--user canary");
}
END_TEST

/* A name is one of the image: that the host knows it, too, does not help. */
START_TEST(knows_the_image_s_names_only) {
    expect(sh("for name in $(cut -d : -f 1 /etc/passwd); do grep -q ^$name: $BASE/etc/passwd"
              " || " RUN "-u $name $BASE echo \"I am $name\"; done; :"),
           0, "", NULL);
    expect(sh("mkdir -p top/etc img; printf '%%s\n' $T/top $BASE >img/layers;"
              "printf '#\n\nbad:x:abc:0::/:\nneu:x:4242:4343::/srv:/bin/sh\n' >top/etc/passwd"),
           0, "", "");
    expect(sh(RUN "-u neu ./img probe ids"), 0, "uid 4242\neuid 4242\nsuid 4242\ngid 4343\n", "");
    expect(sh(RUN "-u bad ./img true"), 125, "", "--user bad");
    expect(sh(RUN "-u student ./img true"), 125, "", "--user student");
    expect(sh("rm top/etc/passwd; mkfifo top/etc/passwd"), 0, "", ""); /* never a writer */
    expect(sh(RUN "-u neu ./img true"), 125, "", "--user neu");
}
END_TEST

START_TEST(brings_no_groups_along) {
    expect(sh("setpriv --groups 4,20,100 $PROBE ids"), 0, "groups 4 20 100\n", "");
    expect(sh("setpriv --groups 4,20,100 " RUN "$BASE probe ids"), 0, "groups\n", "");
}
END_TEST

/* Programs of many images have a capability in their file, as ping does. They start, although the
 * container does not have that capability, and they gain nothing. The controls: on the host, and
 * with --privileged. */
START_TEST(gains_nothing_by_a_capability_in_a_file) {
    struct vfs_cap_data data = { VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE,
                                 { { 1 << NET_RAW, 0 } } };
    expect(sh("mkdir -p img own/bin && cp $PROBE own/bin/ping &&"
              "printf '%%s\n' $T/own $BASE >img/layers"),
           0, "", "");
    const char *ping = format("%s/own/bin/ping", getenv("T"));
    ck_assert_int_eq(setxattr(ping, "security.capability", &data, sizeof data, 0), 0);
    for (enum who who = OURSELVES; who < (enum who)users(); who++) {
        uint64_t mask = USUAL & available(who);
        check_capabilities(as(who, RUN "./img ping caps"), mask, mask, false);
    }
    const char *gained = format("CapPrm %016llx\n", BIT(NET_RAW));
    check_capabilities(sh(RUN "-u 1000 ./img ping caps"), 0, USUAL & available(OURSELVES), false);
    expect(sh(RUN "-u 1000 --cap-add NET_RAW ./img ping caps"), 0, "CapPrm 0000000000000000\n", "");
    expect(sh("setpriv --reuid 1000 --clear-groups own/bin/ping caps"), 0, gained, "");
    expect(sh(RUN "-u 1000 --privileged ./img ping caps"), 0, gained, "");
}
END_TEST

/* The control: the same file with --privileged, where no_new_privs is not set. */
START_TEST(gains_nothing_by_a_set_uid_file) {
    expect(sh("cp $PROBE $T/probe && chmod 4755 $T/probe"), 0, "", "");
    expect(sh(RUN "-v $T:/t -u 1000 --privileged $BASE /t/probe ids"), 0, "uid 1000\neuid 0\n", "");
    struct result r = sh(RUN "-v $T:/t -u 1000 $BASE /t/probe ids");
    if (r.status != 126) /* not to start it at all would be safe, too */
        expect(r, 0, "uid 1000\neuid 1000\nsuid 1000\n", "");
}
END_TEST

START_TEST(rootless_root_is_the_caller) {
    expect(sh_user(RUN "-v $T:/t $BASE sh -c 'id -u; echo >/t/mine'"), 0, "0\n", "");
    expect(sh_user("[ $(stat -c %%u $T/mine) = $(id -u) ]"), 0, "", "");
}
END_TEST

/* ---- environment ---- */

START_TEST(starts_with_a_fresh_environment) {
    struct result r = as(_i, "SECRET=1 TERM=vt100 " RUN "$BASE probe env | cut -d = -f 1 | sort");
    expect(r, 0, NULL, "");
    ck_assert_str_eq(r.out, "HOME\nHOSTNAME\nPATH\n");
}
END_TEST

START_TEST(sets_variables) {
    int n = random_between(0, 1 << 30);
    expect(as(_i, RUN "-e A=%d -e B= -e 'C=a b=c' $BASE probe env", n), 0,
           format("\nA=%d\nB=\nC=a b=c\n", n), "");
    expect(as(_i, "A=%d " RUN "-e A $BASE probe env", n), 0, format("\nA=%d\n", n), "");
    expect(as(_i, "unset A; " RUN "-e A $BASE probe env | grep -c ^A"), 1, "0\n", "");
    expect(as(_i, RUN "-e HOME=/x -e HOME=/y $BASE probe env"), 0, "HOME=/y\n", "");
    expect(as(_i, RUN "-e PATH=/nosuch $BASE probe env"), 127, "", "probe");
}
END_TEST

START_TEST(starts_in_the_directory) {
    expect(as(_i, RUN "$BASE probe cwd"), 0, "cwd /\n", "");
    expect(as(_i, RUN "-w /tmp $BASE probe cwd"), 0, "cwd /tmp\n", "");
    expect(as(_i, RUN "-w /made/for/it $BASE probe cwd"), 0, "cwd /made/for/it\n", "");
    expect(as(_i, RUN "-w /sbin $BASE probe cwd"), 0, "cwd /bin\n", ""); /* a link */
}
END_TEST

/* An open directory of the host would lead out of the container: the engine's own, and one
 * that its caller has left open. */
START_TEST(never_starts_outside) {
    for (int fd = 3; fd <= 20; fd++)
        expect(as(_i, RUN "-w /proc/self/fd/%d $BASE probe cwd 9</", fd), 125, "", "workdir");
}
END_TEST

/* The control: without the range of groups that the engine sets, nobody may. */
START_TEST(anybody_may_ping) {
    expect(as(_i, RUN "$BASE probe ping 127.0.0.1"), 0, "reply 127.0.0.1", "");
    if (_i == OURSELVES && is_root()) {
        int id = random_between(1, 65000);
        expect(sh(RUN "-u %d:%d $BASE probe ping 127.0.0.1", id, id), 0, "reply 127.0.0.1", "");
        expect(sh("setpriv --reuid %d --regid %d --clear-groups $PROBE ping 127.0.0.1", id, id), 1,
               "errno EACCES", "");
    }
}
END_TEST

/* It is a setting of each network: the container's own is set, and the host's never is. */
START_TEST(the_hosts_setting_stays) {
    static const char *const networks[] = { "none", "host", "bridge" };
    bool root = is_root() && _i == OURSELVES;
    const char *file = "/proc/sys/net/ipv4/ping_group_range";
    char *host = sh("cat %s", file).out, *own = root ? "0\t2147483647\n" : "0\t0\n";
    ck_assert_str_ne(host, own);
    for (int i = 0; i < COUNT(networks) - !root; i++) {
        const char *line = format("$CONTAINER run --rm --network %s", networks[i]), *inside = own;
        if (!strcmp(networks[i], "host")) /* where a user's container has no such groups */
            inside = root ? host : "65534\t65534\n";
        expect(as(_i, "%s $BASE cat %s", line, file), 0, inside, NULL);
        expect(as(_i, "%s --privileged $BASE cat %s", line, file), 0, inside, NULL);
        expect(sh("cat %s", file), 0, host, "");
    }
}
END_TEST

/* ---- terminal ---- */

START_TEST(has_a_terminal) {
    struct terminal t = at_terminal(_i, RUN "-it $BASE probe tty");
    ck_assert_msg(finish(&t) == 0, "%s", t.seen);
    ck_assert_msg(strstr(t.seen, "isatty 1 1 1\r\nttyname /dev/pts/0\r\n") != NULL, "%s", t.seen);
    ck_assert_msg(strstr(t.seen, "winsize 24 80\r\n") != NULL, "%s", t.seen);
    ck_assert_int_eq(number(t.seen, "tcgetpgrp"), number(t.seen, "sid"));
}
END_TEST

START_TEST(follows_the_window) {
    struct winsize size = { .ws_row = random_between(1, 999), .ws_col = random_between(1, 999) };
    struct terminal t = at_terminal(_i, "exec " RUN "-it $BASE probe wait-signal");
    wait_for(&t, "ready");
    ck_assert_int_eq(ioctl(t.keys, TIOCSWINSZ, &size), 0); /* the kernel sends SIGWINCH */
    wait_for(&t, format("winsize %d %d\r\n", size.ws_row, size.ws_col));
    kill(t.pid, SIGTERM);
    ck_assert_int_eq(finish(&t), 0);
}
END_TEST

/* Begin PROGRAM at the shell's prompt, and wait until it is in front: it says so itself, in
 * words that differ from those that we type. */
static void begin_job(struct terminal *t, const char *program) {
    wait_for(t, "# ");
    type(t, format("sh -c 'echo in $((1 + 1)) front; exec %s'\n", program));
    wait_for(t, "in 2 front\r\n");
}

START_TEST(interrupts_the_job_in_front) {
    struct terminal t = at_terminal(_i, RUN "-it $BASE sh");
    begin_job(&t, "sleep 1000");
    type(&t, "\3");
    wait_for(&t, "# ");
    type(&t, "echo still $((6 * 7))\n");
    wait_for(&t, "still 42\r\n");
    type(&t, "exit 3\n");
    ck_assert_int_eq(finish(&t), 3);
}
END_TEST

START_TEST(stops_and_continues_jobs) {
    struct terminal t = at_terminal(_i, RUN "-it $BASE sh");
    begin_job(&t, "cat");
    type(&t, "here\n");
    wait_for(&t, "here\r\nhere\r\n"); /* typed, and copied by cat */
    type(&t, "\32");
    wait_for(&t, "Stopped");
    wait_for(&t, "# ");
    type(&t, "fg\n");
    wait_for(&t, "exec cat"); /* the shell names the job that it continues, */
    wait_for(&t, "\r\n"); /* and ends the line */
    type(&t, "again\n");
    wait_for(&t, "again\r\nagain\r\n");
    type(&t, "\4"); /* end of file, for cat */
    wait_for(&t, "# ");
    type(&t, "\4"); /* for the shell */
    ck_assert_int_eq(finish(&t), 0);
}
END_TEST

static bool is_raw(struct terminal *t) {
    struct termios modes;
    ck_assert_int_eq(tcgetattr(t->screen, &modes), 0);
    return !(modes.c_lflag & (ICANON | ECHO | ISIG));
}

static const struct {
    const char *program;
    int signal, status;
} endings[] = {
    { "probe exit 7", 0, 7 },
    { "probe signal 9", 0, 137 },
    { "nosuch", 0, 127 },
    { "sh -c 'echo ready; exec sleep 1000'", SIGTERM, 143 },
    { "sh -c 'echo ready; exec sleep 1000'", SIGHUP, 129 },
    { "sh -c 'echo ready; exec sleep 1000'", SIGINT, 130 },
};

/* Keys go through as they are while it runs, and afterwards the caller's shell works again. */
START_TEST(gives_the_terminal_back) {
    struct terminal t = at_terminal(OURSELVES, "exec " RUN "-it $BASE %s", endings[_i].program);
    struct termios before = { 0 }, after = { 0 };
    tcgetattr(t.screen, &before);
    if (endings[_i].signal) {
        wait_for(&t, "ready");
        ck_assert(is_raw(&t));
        kill(t.pid, endings[_i].signal);
    }
    ck_assert_msg(finish(&t) == endings[_i].status, "%s", t.seen);
    tcgetattr(t.screen, &after);
    ck_assert_mem_eq(&before, &after, sizeof before);
}
END_TEST

/* The control: who sits at a terminal of the host may type into it, at least as root. */
START_TEST(types_into_no_terminal) {
    struct terminal host = at_terminal(OURSELVES, "$PROBE tiocsti");
    finish(&host);
    struct terminal t = at_terminal(OURSELVES, RUN "-t $BASE probe tiocsti");
    ck_assert_msg(finish(&t) == 1 && !strstr(t.seen, "allowed"), "%s", t.seen);
    t = at_terminal(OURSELVES, RUN "-t --privileged $BASE probe tiocsti");
    finish(&t);
    ck_assert_str_eq(t.seen, host.seen);
    if (is_root())
        ck_assert_msg(strstr(t.seen, "tiocsti allowed") != NULL, "%s", t.seen);
}
END_TEST

/* While nobody reads, a terminal keeps 64 kB, or 640 on newer kernels, and there are two. So when
 * we begin to read, the program has ended in some cases, and is held up in others. */
START_TEST(shows_all_of_a_long_output) {
    static const int about[] = { 100000, 900000, 2000000 };
    for (int i = 0; i < COUNT(about); i++) {
        int size = about[i] + random_between(0, 10000), shown = 0;
        struct terminal t = at_terminal(_i, RUN "-t $BASE"
                                                " sh -c 'head -c %d /dev/zero | tr \"\\0\" x'",
                                        size);
        usleep(300000);
        ck_assert_int_eq(finish(&t), 0);
        for (char *c = t.seen; *c; c++) shown += *c == 'x';
        ck_assert_int_eq(shown, size);
    }
}
END_TEST

START_TEST(knows_the_end_of_input) {
    struct terminal t = at_terminal(_i, RUN "-it $BASE cat");
    type(&t, "h\303\244llo\n");
    wait_for(&t, "h\303\244llo\r\n");
    wait_for(&t, "h\303\244llo\r\n");
    type(&t, "\4");
    ck_assert_int_eq(finish(&t), 0);
}
END_TEST

/* Whoever closes the window ends the container. */
START_TEST(ends_when_the_window_is_closed) {
    struct terminal t = at_terminal(_i, "exec " RUN "-it $BASE sh -c 'echo ready; sleep 1000'");
    wait_for(&t, "ready");
    close(t.screen);
    close(t.keys);
    t.keys = -1;
    ck_assert_int_eq(finish(&t), 128 + SIGHUP);
}
END_TEST

START_TEST(the_terminal_belongs_to_the_user) {
    struct terminal t = at_terminal(OURSELVES, RUN "-it -u 1000 $BASE sh -c"
                                                   " 'echo a >/dev/tty; echo b >/dev/stdout'");
    ck_assert_int_eq(finish(&t), 0);
    ck_assert_str_eq(t.seen, "a\r\nb\r\n");
}
END_TEST

START_TEST(terminals_tell_their_kind) {
    struct terminal t = at_terminal(_i, "TERM=vt220 " RUN "-t $BASE probe env");
    ck_assert_int_eq(finish(&t), 0);
    ck_assert_msg(strstr(t.seen, "TERM=vt220\r\n") != NULL, "%s", t.seen);
}
END_TEST

START_TEST(refuses_a_terminal_where_there_is_none) {
    expect(as(_i, RUN "-t $BASE true"), 125, "", "terminal");
    expect(as(_i, RUN "-t $BASE true <&-"), 125, "", "terminal");
    expect(as(_i, "ls -A $CONTAINER_HOME/containers 2>/dev/null || :"), 0, "", "");
}
END_TEST

/* ---- explain ---- */

/* A program whose name a terminal obeys, in a directory whose name it obeys, too. */
#define ODD "\033]0;owned\007\033[2J\r\233\177"

/* The longest line that --explain may print. */
enum { WIDTH = 120 };

/* Each line tells when, where and what; and whatever the user or the image has named so, each fits
 * into a terminal, and says nothing to it. */
START_TEST(explains_within_bounds) {
    bool root = is_root() && _i == OURSELVES;
    char *longer = "";
    for (int i = 0; i < 8; i++) longer = format("%s/%030d", longer, i);
    setenv("ODD", ODD, 1);
    setenv("DEEP", longer, 1);
    expect(as(_i, "mkdir -p img own/bin \"volume$ODD\"; cp $PROBE \"own/bin/$ODD\";"
                  "printf '%%s\\n' $T/own $BASE >img/layers"),
           0, "", "");
    double start = seconds();
    struct terminal t = at_terminal(
        _i, RUN "--explain -t %s -p 127.0.0.1:%d:80 -v \"./volume$ODD:/v$ODD\" -w \"/w$ODD$DEEP\""
                " -e \"E=$ODD\" ./img \"$ODD\" exit 7 2>steps",
        root ? "-m 64M" : "", new_port());
    ck_assert_msg(finish(&t) == 7, "%s\n%s", t.seen, sh("cat steps").out);
    double most = (seconds() - start) * 1e6;

    char *steps = sh("cat steps").out, *line;
    expect(sh("grep clone3 steps | grep -E 'NEWPID|0x[0-9a-f]{8}'"), 0, NULL, "");
    expect(sh("grep pivot_root steps"), 0, NULL, "");
    expect(sh("grep -E 'memory[.](max|limit_in_bytes).*64M' steps"), !root, NULL, "");
    while ((line = strsep(&steps, "\n")) && steps) {
        for (char *c = line; *c; c++)
            ck_assert_msg(*c >= ' ' && *c <= '~', "byte %#hhx in: %s", *c, line);
        ck_assert_msg(strlen(line) <= WIDTH, "%zu columns: %s", strlen(line), line);
        char *rest;
        long time = strtol(line, &rest, 10);
        ck_assert_msg(rest > line && *rest == ' ' && time <= most, "when? %s", line);
    }
    expect(sh("grep -vE '^ *[0-9]+ +[a-z]+[.]c:[0-9]+:? +[^ ]' steps"), 1, "", "");
}
END_TEST

/* ---- in another container ---- */

/* A root without SYS_ADMIN is to us an ordinary user: it gets one more user namespace. */
START_TEST(runs_in_another_user_namespace) {
    struct result r = as(_i, "unshare -Ur -m -p -f setpriv --bounding-set -sys_admin --inh-caps"
                             " -sys_admin $CONTAINER run --rm $BASE probe caps");
    expect(r, 0, "CapEff 00000000800405fb\n", "");
}
END_TEST

/* The engine counts as root there, although it is not: the limits are not its own to give, nor is
 * the host's network. The last one is a container of ours. */
static const char *const around[] = {
    "unshare -Ur ",
    "unshare -Ur -m -p -f ",
    "unshare -Ur -m -p -f --mount-proc ",
    "unshare -Urn ",
    ("$CONTAINER run --rm --privileged -v $CONTAINER:/c -v $BASE:/b:ro -v $T:/h -e CONTAINER=/c"
     " -e BASE=/b -e CONTAINER_HOME=/h/inner $BASE "),
};

START_TEST(runs_as_root_of_a_user_namespace) {
    enum who who = is_root() ? ORDINARY_USER : OURSELVES;
    expect(as(who, "%s sh -c '$CONTAINER run --rm --network none $BASE probe caps'", around[_i]),
           0, "CapEff 00000000800405fb\n", "");
    expect(as(who, "%s sh -c '$CONTAINER run --rm --network host $BASE probe ids'", around[_i]), 0,
           "uid 0\n", "");
    struct result r = as(who, "%s sh -c '$CONTAINER run --rm --network none -m 32M $BASE true'",
                         around[_i]);
    if (is_root())
        expect(r, 125, "", "delegate");
}
END_TEST

/* Ours has no way to make namespaces, unless it is given one; and it says what is refused. */
START_TEST(is_refused_in_a_container) {
    expect(as(_i, "$CONTAINER run --rm --network none --name $NAME -v $CONTAINER:/c -v $BASE:/b:ro"
                  " -e CONTAINER_HOME=/dev/shm/home $BASE /c run --rm /b true"),
           125, "", "clone3");
}
END_TEST

Suite *ns_suite(void) {
    Suite *s = suite_create("ns");
    TCase *t = new_case(s, "namespaces");
    tcase_add_loop_test(t, has_its_own_namespaces, 0, users());
    tcase_add_loop_test(t, shares_none_with_a_neighbour, 0, users());
    tcase_add_loop_test(t, has_its_own_host_name, 0, users());
    tcase_add_loop_test(t, ipc_and_uts_may_be_the_callers, 0, users());
    if (is_root())
        tcase_add_test(t, network_host_is_the_hosts);

    t = new_case(s, "streams");
    tcase_add_loop_test(t, streams_are_pipes_of_the_watcher, 0, users());

    t = new_case(s, "init");
    tcase_add_loop_test(t, is_a_child_of_init, 0, users());
    tcase_add_loop_test(t, sees_only_its_own_processes, 0, users());
    tcase_add_loop_test(t, reaps_orphans, 0, users());
    tcase_add_loop_test(t, ends_with_the_program, 0, users());
    tcase_add_loop_test(t, forwards_signals, 0, users());
    tcase_add_loop_test(t, passes_a_deadly_signal_on, 0, users());
    tcase_add_loop_test(t, nothing_outlives_the_watcher, 0, users());
    tcase_add_loop_test(t, init_is_safe_from_inside, 0, users());
    tcase_add_loop_test(t, all_ends_with_init, 0, users());
    tcase_add_loop_test(t, all_ends_when_exec_is_killed, 0, users());
    tcase_add_loop_test(t, init_cannot_be_looked_at, 0, COUNT(init_files));
    if (is_root()) {
        tcase_add_loop_test(t, the_engine_is_safe_on_a_tmpfs, 0, users());
        tcase_add_test(t, the_engine_is_safe_without_a_path);
    } else
        left_out("the engine in odd places", "to mount needs root");
    tcase_add_test(t, init_has_nothing_to_show);

    t = new_case(s, "capabilities");
    tcase_add_loop_test(t, has_these_capabilities, 0, COUNT(capabilities));
    if (is_root()) {
        tcase_add_loop_test(t, another_user_has_none, 0, COUNT(capabilities));
        tcase_add_test(t, brings_no_capabilities_along);
    }

    t = new_case(s, "seccomp");
    tcase_add_loop_test(t, refuses_the_call, 0, COUNT(calls));
    if (is_root())
        tcase_add_loop_test(t, allows_the_call_on_demand, 0, COUNT(calls));
    else
        left_out("the control of each refused system call", "it needs root");
    tcase_add_loop_test(t, sends_no_raw_packets, 0, users());
    tcase_add_loop_test(t, allows_what_programs_need, 0, users());

    t = new_case(s, "user");
    if (is_root()) {
        tcase_add_loop_test(t, becomes_the_user, 0, COUNT(known_users));
        tcase_add_test(t, becomes_any_user);
        tcase_add_test(t, knows_the_image_s_names_only);
        tcase_add_test(t, finds_no_names_by_our_descriptors);
        tcase_add_test(t, brings_no_groups_along);
        tcase_add_test(t, gains_nothing_by_a_capability_in_a_file);
        tcase_add_test(t, gains_nothing_by_a_set_uid_file);
    } else
        left_out("users other than root inside", "to become one needs root");
    if (!is_root() || users() == 2)
        tcase_add_test(t, rootless_root_is_the_caller);

    t = new_case(s, "environment");
    tcase_add_loop_test(t, starts_with_a_fresh_environment, 0, users());
    tcase_add_loop_test(t, sets_variables, 0, users());
    tcase_add_loop_test(t, starts_in_the_directory, 0, users());
    tcase_add_loop_test(t, never_starts_outside, 0, users());
    tcase_add_loop_test(t, anybody_may_ping, 0, users());
    tcase_add_loop_test(t, the_hosts_setting_stays, 0, users());

    t = new_case(s, "nested");
    bool dynamic = getenv("ASAN_OPTIONS");
    if (dynamic)
        left_out("a container in a container", "sanitizers need libraries, which the image has not");
    if (users() == 2 || !is_root()) {
        tcase_add_loop_test(t, runs_in_another_user_namespace, users() - 1, users());
        tcase_add_loop_test(t, runs_as_root_of_a_user_namespace, 0, COUNT(around) - dynamic);
    }
    tcase_add_loop_test(t, is_refused_in_a_container, 0, dynamic ? 0 : users());

    t = new_case(s, "terminal");
    tcase_add_loop_test(t, has_a_terminal, 0, users());
    tcase_add_loop_test(t, follows_the_window, 0, users());
    tcase_add_loop_test(t, interrupts_the_job_in_front, 0, users());
    tcase_add_loop_test(t, stops_and_continues_jobs, 0, users());
    tcase_add_loop_test(t, gives_the_terminal_back, 0, COUNT(endings));
    tcase_add_test(t, types_into_no_terminal);
    tcase_add_loop_test(t, shows_all_of_a_long_output, 0, users());
    tcase_add_loop_test(t, knows_the_end_of_input, 0, users());
    tcase_add_loop_test(t, ends_when_the_window_is_closed, 0, users());
    if (is_root())
        tcase_add_test(t, the_terminal_belongs_to_the_user);
    tcase_add_loop_test(t, terminals_tell_their_kind, 0, users());
    tcase_add_loop_test(t, refuses_a_terminal_where_there_is_none, 0, users());

    t = new_case(s, "explain");
    tcase_add_loop_test(t, explains_within_bounds, 0, users());
    return s;
}
