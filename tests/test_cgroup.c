/* SPDX-License-Identifier: MIT */
/*
 * test_cgroup.c - how much the container may use.
 *
 *      bites        each limit stops a probe that succeeds without it
 *      inside       what the container sees of its own cgroup
 *      outside      where it is on the host, and that it goes in the end
 *      neighbours   several containers at once, and what a crash has left
 *      refused      what is not a limit, and who may not set one
 *
 * Version 2 has one tree. Version 1 has one tree for each controller, and other file names for
 * the same numbers: own() chooses. A hybrid host has both: then the limits are version 1's, and
 * everything else is in the tree "unified". No test looks at a clock: the kernel counts what it
 * has refused, killed and held back.
 */
#include "test.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A network would only cost time here. */
#define RUN "$CONTAINER run --rm --network none "

/* In the container: a file of its own cgroup, in version 2 or in version 1. */
static char *own(const char *file2, const char *file1) {
    return format("/sys/fs/cgroup/%s", cgroup_v2() ? file2 : file1);
}

#define MEMORY_LIMIT own("memory.max", "memory/memory.limit_in_bytes")
#define SWAP_LIMIT own("memory.swap.max", "memory/memory.memsw.limit_in_bytes")
#define CPU_LIMIT own("cpu.max", "cpu/cpu.cfs_quota_us")
#define CPU_COUNTS own("cpu.stat", "cpu/cpu.stat")
#define PIDS_LIMIT own("pids.max", "pids/pids.max")
#define PIDS_COUNTS own("pids.events", "pids/pids.events")

/* The tree of version 2, where every container of root has a cgroup. */
static const char *unified(void) {
    return cgroup_v2() ? "/sys/fs/cgroup" : "/sys/fs/cgroup/unified";
}

/* The options that set a limit, and the tree of version 1 that each needs. */
static const struct {
    const char *tree, *option;
} limits[] = {
    { "memory", "-m 64M" },
    { "cpu", "--cpus 0.5" },
    { "pids", "--pids-limit 32" },
};
#define ALL_LIMITS "-m 64M --cpus 0.5 --pids-limit 32"

/* Neighbours come and go while find looks: it may complain. */
static void expect_no_cgroup(const char *name) {
    expect(sh("find /sys/fs/cgroup -name container-%s 2>/dev/null || :", name), 0, "", "");
}

/* On the host, as text for a shell: how many directories of the container NAME exist. */
static char *count_cgroups(const char *name) {
    return format("find /sys/fs/cgroup -name container-%s 2>/dev/null | grep -c .", name);
}

/* ---- bites ---- */

START_TEST(memory_limit_bites) {
    int limit = random_between(24, 40), more = random_between(80, 120);
    expect(sh(RUN "-m %dM $BASE probe alloc %d", limit, more), 137, "",
           format("killed: out of memory (limit %dM)\n", limit));
    expect(sh(RUN "-m %dM $BASE probe alloc 8", limit), 0, "allocated 8\n", "");
    expect(sh(RUN "-m %dM $BASE probe alloc %d", 2 * more, more), 0, "allocated", "");
    expect(sh(RUN "$BASE probe alloc %d", more), 0, "allocated", "");
}
END_TEST

/* Version 2 kills the whole container. In version 1 only the probe dies, and the shell can look;
 * then the container has not been killed, and nobody says so. */
START_TEST(memory_kills_are_counted) {
    const char *line = RUN "-m %dM $BASE sh -c 'probe alloc %d; cat %s'";
    const char *counts = own("memory.events", "memory/memory.oom_control");
    int limit = random_between(24, 40);
    expect(sh(line, limit, 8, counts), 0, "oom_kill 0\n", "");
    struct result r = sh(line, limit, 100, counts);
    if (cgroup_v2()) {
        expect(r, 137, "", "out of memory");
    } else {
        expect(r, 0, "oom_kill 1\n", NULL);
        ck_assert_ptr_null(strstr(r.err, "container:"));
    }
}
END_TEST

/* Files in a tmpfs are memory, too. 60 MB fit into /dev/shm otherwise. */
START_TEST(memory_limit_holds_for_tmpfs) {
    const char *fill = "sh -c 'head -c 60000000 /dev/zero >/dev/shm/file'";
    expect(sh(RUN "-m %dM $BASE %s", random_between(24, 40), fill), 137, "", "out of memory");
    expect(sh(RUN "$BASE %s", fill), 0, "", "");
}
END_TEST

/* 137 alone does not mean out of memory. */
START_TEST(other_kills_are_not_explained) {
    expect(sh(RUN "-m 64M $BASE probe signal 9"), 137, "", "");
    expect(sh(RUN "-m 64M $BASE probe exit 137"), 137, "", "");
}
END_TEST

/* Nor may memory be had from the swap. Kernels without swap accounting have no such file. */
START_TEST(memory_limit_includes_swap) {
    int limit = random_between(24, 64);
    const char *look = format("sh -c '[ ! -e %s ] || cat %s'", SWAP_LIMIT, SWAP_LIMIT);
    struct result r = sh(RUN "-m %dM $BASE %s", limit, look);
    expect(r, 0, NULL, "");
    if (*r.out)
        ck_assert_int_eq(atol(r.out), cgroup_v2() ? 0 : (long)limit << 20);
}
END_TEST

/* Version 2 counts what waits in TCP sockets as memory. Version 1 has a limit of its own for it,
 * which not every kernel has; without it these buffers may grow beyond the limit. */
START_TEST(memory_limit_includes_sockets) {
    int limit = random_between(24, 64);
    const char *file = "/sys/fs/cgroup/memory/memory.kmem.tcp.limit_in_bytes";
    struct result r = sh(RUN "-m %dM $BASE sh -c '[ ! -e %s ] || cat %s'", limit, file, file);
    expect(r, 0, NULL, "");
    ck_assert_int_eq(*r.out != '\0', access(file, F_OK) == 0);
    if (*r.out)
        ck_assert_int_eq(atol(r.out), (long)limit << 20);
}
END_TEST

/* The control: one processor is more than the probe uses. */
START_TEST(cpu_limit_bites) {
    int percent = random_between(5, 15); /* little, so that a busy machine gives more */
    const char *look = format("sh -c 'probe burn 300 >&2; cat %s %s'", CPU_LIMIT, CPU_COUNTS);
    struct result r = sh(RUN "--cpus 0.%02d $BASE %s", percent, look);
    expect(r, 0, format(cgroup_v2() ? "%d 100000\n" : "%d\n", percent * 1000), "cpu_ms");
    ck_assert_int_gt(number(r.out, "nr_throttled"), 0);

    r = sh(RUN "--cpus 2 $BASE %s", look);
    expect(r, 0, cgroup_v2() ? "200000 100000\n" : "200000\n", "cpu_ms");
    ck_assert_int_eq(number(r.out, "nr_throttled"), 0);
}
END_TEST

/* In the tree of version 2, with a limit or without. */
START_TEST(cpu_time_is_counted) {
    const char *file = own("cpu.stat", "unified/cpu.stat");
    const char *options[] = { "", "--cpus 0.5" };
    for (int i = 0; i < COUNT(options); i++) {
        struct result r = sh(RUN "%s $BASE sh -c 'probe burn 200 >&2; cat %s'", options[i], file);
        expect(r, 0, NULL, "cpu_ms");
        ck_assert_int_ge(number(r.out, "usage_usec"), 200000);
    }
}
END_TEST

/* Init, the shell and the probe itself are three of them. */
START_TEST(pids_limit_bites) {
    int limit = random_between(8, 40), more = random_between(50, 150);
    const char *look = format("sh -c 'probe fork %d; cat %s %s'", more, PIDS_LIMIT, PIDS_COUNTS);
    struct result r = sh(RUN "--pids-limit %d $BASE %s", limit, look);
    expect(r, 0, format("forked %d errno EAGAIN\n%d\n", limit - 3, limit), "");
    ck_assert_int_ge(number(r.out, "max"), 1);

    r = sh(RUN "--pids-limit %d $BASE %s", more + 3, look);
    expect(r, 0, format("forked %d\n%d\n", more, more + 3), "");
    ck_assert_int_eq(number(r.out, "max"), 0);
    expect_exactly(sh(RUN "$BASE probe fork %d", more), format("forked %d\n", more));
}
END_TEST

/* Init and sleep are there already; exec brings an init of its own, and the probe. */
START_TEST(pids_limit_bites_in_exec) {
    int limit = random_between(8, 40), more = random_between(50, 150);
    const char *exec = "$CONTAINER exec %s $NAME probe fork %d";
    expect(sh("$CONTAINER run -d --network none --name $NAME --pids-limit %d $BASE sleep 1000",
              limit),
           0, NULL, "");
    expect(sh(exec, "", more), 1, format("forked %d errno EAGAIN\n", limit - 4), "");
    expect(sh(exec, "--no-cgroup", more), 0, format("forked %d\n", more), "");
    expect(sh("$CONTAINER rm -f $NAME"), 0, NULL, "");
}
END_TEST

/* ---- inside ---- */

static const struct {
    const char *unit;
    long bytes;
    int low, high;
} units[] = {
    { "", 1, 100000000, 900000000 },
    { "k", 1L << 10, 50000, 1000000 },
    { "m", 1L << 20, 50, 1000 },
    { "K", 1L << 10, 50000, 1000000 },
    { "M", 1L << 20, 50, 1000 },
    { "g", 1L << 30, 1, 100 },
    { "G", 1L << 30, 1, 100 },
};

/* The kernel counts in whole pages. */
START_TEST(memory_has_units) {
    for (int i = 0; i < COUNT(units); i++) {
        long value = random_between(units[i].low, units[i].high), page = getpagesize();
        expect_exactly(sh(RUN "-m %ld%s $BASE cat %s", value, units[i].unit, MEMORY_LIMIT),
                       format("%ld\n", value * units[i].bytes / page * page));
    }
}
END_TEST

/* In periods of 100 ms; more than one processor is more than one period. */
static const struct {
    const char *cpus;
    int quota;
} quotas[] = {
    { "0.1", 10000 },
    { "0.25", 25000 },
    { "1", 100000 },
    { "1.5", 150000 },
    { "2.125", 212500 },
};

START_TEST(cpus_are_parts_of_time) {
    for (int i = 0; i < COUNT(quotas); i++)
        expect_exactly(sh(RUN "--cpus %s $BASE cat %s", quotas[i].cpus, CPU_LIMIT),
                       format(cgroup_v2() ? "%d 100000\n" : "%d\n", quotas[i].quota));
}
END_TEST

/* Root inside owns these files, but the mount is read-only. Writable again, they would open. */
START_TEST(limits_cannot_be_changed) {
    char *files[] = { MEMORY_LIMIT, CPU_LIMIT, PIDS_LIMIT, own("cgroup.procs", "memory/tasks"),
                      own("cgroup.freeze", "unified/cgroup.freeze") };
    for (int i = 0; i < COUNT(files); i++) {
        const char *mount = format("%.*s", (int)(strrchr(files[i], '/') - files[i]), files[i]);
        const char *again = format("mount -o remount,bind,rw %s && probe open %s w &&"
                                   "mkdir %s/sub && rmdir %s/sub",
                                   mount, files[i], mount, mount);
        expect(sh(RUN ALL_LIMITS " $BASE probe open %s w", files[i]), 1, "open: errno EROFS\n", "");
        expect(sh(RUN ALL_LIMITS " $BASE mkdir %s/sub", mount), 1, "", "Read-only");
        expect(sh(RUN ALL_LIMITS " $BASE probe remount-rw %s", mount), 1, "errno EPERM\n", "");
        expect(sh(RUN ALL_LIMITS " --cap-add SYS_ADMIN $BASE sh -c '%s'", again), 0,
               "open allowed\n", "");
    }
}
END_TEST

/* Its own cgroup is all it sees: no path in /proc, no neighbours in the tree, and no file that
 * only the root of a tree has (release_agent would run a program on the host). */
START_TEST(cgroup_path_is_hidden) {
    static const char *const options[] = { "", ALL_LIMITS };
    const char *procs = own("cgroup.procs", "unified/cgroup.procs");
    for (int i = 0; i < COUNT(options); i++) {
        const char *o = options[i];
        expect(sh(RUN "%s $BASE sh -c 'grep \" - cgroup\" /proc/self/mountinfo |"
                      " cut -d \" \" -f 4 | sort -u'",
                  o),
               0, "/\n", "");
        expect(sh(RUN "%s $BASE sh -c 'find /sys/fs/cgroup -name \"container-*\"'", o), 0, "", "");
        expect(sh(RUN "%s $BASE sh -c 'find /sys/fs/cgroup -name release_agent'", o), 0, "", "");
        expect_exactly(sh(RUN "%s $BASE grep -c . %s", o, procs), "2\n"); /* init and grep */
    }
    /* version 1: a tree in which the container has no cgroup has one path for all */
    expect(sh(RUN "$BASE grep '^0:' /proc/self/cgroup"), 0, "0::/\n", "");
    expect(sh(RUN "$BASE grep '^0:' /proc/1/cgroup"), 0, "0::/\n", "");
    expect(sh(RUN "$BASE grep -v ':/$' /proc/self/cgroup"), 1, "", "");
    expect(sh(RUN ALL_LIMITS " $BASE grep -v ':/$' /proc/1/cgroup"), 1, "", "");
}
END_TEST

/* ---- outside ---- */

/* Say HOST on the host while a container runs, and THEN in the container, before it ends. The
 * shell holds both ends of the pipe "go", so that nobody waits for a container that was killed. */
static struct result meanwhile(const char *options, const char *host, const char *then) {
    return sh("rm -f here go; mkfifo here go; exec 3<>go;" RUN "-v \"$T:/t\" %s $BASE sh -c '"
              "    echo >/t/here; read line </t/go; %s' & read line <here; %s; echo >&3; wait $!",
              options, then, host);
}

START_TEST(cgroups_are_at_the_top) {
    static const char *const combinations[] = {
        "",
        "-m 64M",
        "--cpus 0.5",
        "--pids-limit 32",
        "-m 64M --pids-limit 32",
        ALL_LIMITS,
    };
    for (int i = 0; i < COUNT(combinations); i++) {
        char *name = new_name(), *expected = "";
        int count = 1;
        for (int j = 0; !cgroup_v2() && j < COUNT(limits); j++) {
            if (!strstr(combinations[i], limits[j].option))
                continue;
            expected = format("%s%s 2\n", expected, limits[j].tree);
            count++;
        }
        const char *look = format(
            "for tree in memory cpu pids; do d=/sys/fs/cgroup/$tree/container-%s;"
            "  [ ! -d $d ] || echo $tree $(wc -l <$d/cgroup.procs); done;"
            "d=%s/container-%s; wc -l <$d/cgroup.procs; read pid <$d/cgroup.procs;"
            "grep -c container-%s$ /proc/$pid/cgroup; %s;"
            "cd \"$CONTAINER_HOME/containers/%s\"; wc -l <cgroup; [ $(head -n 1 cgroup) -ef $d ] &&"
            "cat $(sed s,$,/cgroup.procs, cgroup) | sort -u | wc -l",
            name, unified(), name, name, count_cgroups(name), name);
        expect_exactly(meanwhile(format("%s --name %s", combinations[i], name), look, ":"),
                       format("%s2\n%d\n%d\n%d\n2\n", expected, count, count, count));
        expect_no_cgroup(name);
    }
}
END_TEST

/* The limits' files are shown where they always are, and the cgroup above stays. */
START_TEST(cgroups_may_be_below_another) {
    char *name = new_name();
    expect(sh("for tree in . unified memory; do top=/sys/fs/cgroup/$tree;"
              "  [ ! -e $top/cgroup.procs ] || mkdir -p $top/up-%s/per || exit; done;"
              "cd /sys/fs/cgroup; for file in cgroup.subtree_control up-%s/cgroup.subtree_control; do"
              "  [ ! -e $file ] || echo +memory >$file; done",
              name, name),
           0, "", "");
    expect_exactly(sh(RUN "-m 64M --cgroup-parent /up-%s/per --name %s $BASE sh -c '"
                          "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max'"
                          " 2>/dev/null; find /sys/fs/cgroup -name 'container-%s' | wc -l;"
                          "for tree in . unified memory; do top=/sys/fs/cgroup/$tree/up-%s;"
                          "  [ ! -d $top ] || rmdir $top/per $top; done",
                      name, name, name, name),
                   "67108864\n0\n");
    expect(sh(RUN "-m 64M --cgroup-parent /nosuch --name %s $BASE true", name), 125, "", "memory 64M");
    expect(sh(RUN "--cgroup-parent up --name %s $BASE true", name), 125, "", "expected /PATH");
}
END_TEST

/* Also when we are in other cgroups ourselves. */
START_TEST(cgroups_are_at_the_top_wherever_we_are) {
    char *name = new_name();
    const char *memory = cgroup_v2() ? "" : "/sys/fs/cgroup/memory";
    struct result r = sh("for tree in %s %s; do"
                         "  mkdir $tree/%s && echo 0 >$tree/%s/cgroup.procs; done;"
                         "$CONTAINER run -d --name %s --network none -m 64M $BASE sleep 1000;"
                         "for tree in %s %s; do [ -d $tree/container-%s ] && echo yes; done;"
                         "$CONTAINER rm -f %s >&2",
                         unified(), memory, name, name, name, unified(), memory, name, name);
    expect(sh("rmdir %s/%s; [ ! '%s' ] || rmdir '%s/%s'", unified(), name, memory, memory, name), 0,
           "", "");
    expect_exactly(r, format("%s\nyes\n%s", name, cgroup_v2() ? "" : "yes\n"));
}
END_TEST

/* However it ends. */
static const struct {
    const char *options, *command;
    int status;
} ends[] = {
    { "", "$BASE true", 0 },
    { "", "$BASE probe exit 3", 3 },
    { "", "$BASE probe signal 9", 137 },
    { "", "$BASE nosuch", 127 },
    { "-m 32M", "$BASE probe alloc 100", 137 },
    { "-m 4K", "$BASE true", 137 }, /* too little even for init */
    { "-v /nosuch:/x", "$BASE true", 125 },
    { "-v \"$BASE:/bin/probe\"", "$BASE true", 125 }, /* fails when the cgroup is there */
    { "--pids-limit 8", "$BASE probe fork 20", 1 },
    { "--pids-limit 1", "$BASE true", 125 }, /* that is init */
    { ALL_LIMITS, "$BASE probe exit 3", 3 },
    { "", "$BASE sh -c 'sleep 60 & sleep 60 & sleep 60 &'", 0 },
};

START_TEST(cgroup_goes_in_the_end) {
    for (int i = 0; i < COUNT(ends); i++) {
        char *name = new_name();
        struct result r = sh(RUN "--name %s %s %s", name, ends[i].options, ends[i].command);
        expect(r, ends[i].status, NULL, NULL);
        expect_no_cgroup(name);
    }
}
END_TEST

/* Killed from the host, and not by the kernel: nothing to explain. */
START_TEST(cgroup_goes_when_all_are_killed) {
    char *name = new_name();
    /* once init is dead, the others are gone before their turn comes */
    const char *kill =
        format("{ kill -9 $(cat %s/container-%s/cgroup.procs); } 2>/dev/null", unified(), name);
    expect(meanwhile(format("-m 64M --name %s", name), kill, ":"), 137, "", "");
    expect_no_cgroup(name);
}
END_TEST

/* ---- neighbours ---- */

/* All of them say what they were given while all of them run. */
START_TEST(neighbours_have_their_own_limits) {
    char *start = "", *expected = "";
    int n = random_between(3, 6);
    for (int i = 0; i < n; i++) {
        int memory = random_between(32, 128), pids = random_between(5, 50);
        start = format("%s%s -m %dM --pids-limit %d -v \"$T:/t\" $BASE sh -c 'echo >/t/here%d;"
                       "while [ ! -e /t/go ]; do sleep 0.02; done; cat %s %s' >out%d & ",
                       start, RUN, memory, pids, i, MEMORY_LIMIT, PIDS_LIMIT, i);
        expected = format("%s%d\n%d\n", expected, memory << 20, pids);
    }
    expect_exactly(sh("%s until [ \"$(ls here* 2>/dev/null | wc -l)\" = %d ]; do sleep 0.02; done;"
                      "echo >go; wait; cat out?",
                      start, n),
                   expected);
}
END_TEST

START_TEST(neighbours_live_on) {
    const char *other = format(RUN "-m %dM $BASE probe alloc 60; echo $?", random_between(24, 40));
    expect(meanwhile("", other, "probe alloc 60"), 0, "137\nallocated 60\n", "out of memory");
}
END_TEST

/* What a crash has left: it is empty, and its limits are not ours. */
START_TEST(leftover_cgroup_is_taken_over) {
    char *name = new_name();
    const char *trees = cgroup_v2() ? unified() : "/sys/fs/cgroup/unified /sys/fs/cgroup/pids";
    expect(sh("for tree in %s; do mkdir $tree/container-%s; done", trees, name), 0, "", "");
    /* version 2: perhaps there is no such file yet */
    sh("for tree in %s; do echo 1 >$tree/container-%s/pids.max; done", trees, name);
    expect_exactly(sh(RUN "--name %s --pids-limit 64 $BASE sh -c 'probe fork 9; cat %s'", name,
                      PIDS_LIMIT),
                   "forked 9\n64\n");
    expect_no_cgroup(name);
}
END_TEST

/* Names are unique in a CONTAINER_HOME. Another one may have the same; its limits stay its own. */
START_TEST(namesakes_do_not_share) {
    int first = random_between(64, 128), second = random_between(24, 60);
    char *name = new_name(), *look = format("cat %s", MEMORY_LIMIT);
    const char *other = format(RUN "--name %s -m %dM $BASE %s || echo $?", name, second, look);
    struct result r = meanwhile(format("--name %s -m %dM", name, first),
                                format("CONTAINER_HOME=$T/other %s", other), look);
    if (!strncmp(r.out, "125", 3))
        expect(r, 0, format("125\n%d\n", first << 20), name);
    else
        expect_exactly(r, format("%d\n%d\n", second << 20, first << 20));
    expect_no_cgroup(name);
}
END_TEST

/* ---- refused ---- */

/* What is not a limit, the option that the message must name, and the form that is wanted. */
static const struct {
    const char *option, *value, *says, *form;
} malformed[] = {
    // clang-format off
    { "-m",           "12Q",                  "--memory",     "64M" },
    { "-m",           "''",                   "--memory",     "64M" },
    { "-m",           "0",                    "--memory",     "64M" },
    { "-m",           "0M",                   "--memory",     "64M" },
    { "-m",           "M",                    "--memory",     "64M" },
    { "-m",           "-1",                   "--memory",     "64M" },
    { "-m",           "1.5M",                 "--memory",     "64M" },
    { "-m",           "64MM",                 "--memory",     "64M" },
    { "-m",           "max",                  "--memory",     "64M" },
    { "-m",           "'64M '",               "--memory",     "64M" },
    { "-m",           "18446744073709551616", "--memory",     "64M" },
    { "--cpus",       "-1",                   "--cpus",       "1.5" },
    { "--cpus",       "abc",                  "--cpus",       "1.5" },
    { "--cpus",       "''",                   "--cpus",       "1.5" },
    { "--cpus",       "1,5",                  "--cpus",       "1.5" },
    { "--cpus",       "inf",                  "--cpus",       "1.5" },
    { "--cpus",       "0x1",                  "--cpus",       "1.5" },
    { "--cpus",       "'1 2'",                "--cpus",       "1.5" },
    { "--cpus",       "0",                    "--cpus",       "1.5" },
    { "--cpus",       "0.0",                  "--cpus",       "1.5" },
    { "--cpus",       "0.001",                "--cpus",       "1.5" }, /* the least is 0.01 */
    { "--pids-limit", "0",                    "--pids-limit", "64" },
    { "--pids-limit", "-1",                   "--pids-limit", "64" },
    { "--pids-limit", "''",                   "--pids-limit", "64" },
    { "--pids-limit", "5x",                   "--pids-limit", "64" },
    { "--pids-limit", "9999999",              "--pids-limit", "64" }, /* a pid has 22 bits */
    // clang-format on
};

START_TEST(malformed_limits_are_named) {
    const char *option = malformed[_i].option, *value = malformed[_i].value;
    struct result r = sh(RUN "%s %s $BASE true", option, value);
    expect(r, 125, "", malformed[_i].says);
    expect(r, 125, "", strtok(format("%s", value), "'")); /* without the shell's quotes */
    expect(r, 125, "", malformed[_i].form);
    expect(sh("ls -A \"$CONTAINER_HOME/containers\" 2>/dev/null || :"), 0, "", "");
}
END_TEST

/* An ordinary user has no limits without a cgroup that it may write to. The message names the option
 * and the remedy. */
static const char *const refused[][2] = {
    { "-m 64M", "--memory: " },
    { "--cpus 0.5", "--cpus: " },
    { "--pids-limit 16", "--pids-limit: " },
    { "-m 64M --pids-limit 16", "--memory: " },
};

START_TEST(ordinary_users_need_delegation) {
    char *name = new_name();
    struct result r = sh_user(RUN "--name %s %s $BASE true", name, refused[_i][0]);
    expect(r, 125, "", refused[_i][1]);
    expect(r, 125, "", "; try: container delegate\n");
    expect(sh_user("ls -A \"$CONTAINER_HOME/containers\" 2>/dev/null || :"), 0, "", "");
    expect_no_cgroup(name);
    expect(sh_user(RUN "$BASE grep -v ':/$' /proc/self/cgroup"), 1, "", "");
}
END_TEST

/* Without a limit it needs none, and makes none. */
START_TEST(ordinary_users_have_no_cgroup) {
    char *name = new_name();
    expect_exactly(sh_user("$CONTAINER run -d --name %s --network none $BASE sleep 1000; %s;"
                           "$CONTAINER rm -f %s >&2",
                           name, count_cgroups(name), name),
                   format("%s\n0\n", name));
}
END_TEST

/* A command line for an ordinary user, in a cgroup of its own: what systemd-run --user --scope
 * -p Delegate=yes does. $D is that cgroup. Then the script moves what is in it one down. */
static struct result run_delegated(const char *line) {
    setenv("D", format("%s/%s", unified(), getenv("NAME")), 1);
    /* the parent hands on what it has */
    sh("for c in memory cpu pids; do echo +$c >/sys/fs/cgroup/cgroup.subtree_control; done");
    struct result r = sh("mkdir $D; chown 65534 $D $D/cgroup.procs $D/cgroup.subtree_control;"
                         "echo 0 >$D/cgroup.procs;"
                         "exec setpriv --reuid 65534 --regid 65534 --clear-groups"
                         "    env CONTAINER_HOME=\"$T/home\" $CONTAINER delegate %s",
                         line);
    ck_assert_msg(!*sh("find $D -mindepth 1 -type d -name 'container-*'").out,
                  "left in %s, after: %s %s %s", getenv("D"), r.line, r.out, sh("cat err").out);
    expect(sh("find $D -depth -type d -exec rmdir {} \\;"), 0, "", "");
    return r;
}

START_TEST(ordinary_users_may_limit_what_is_theirs) {
    int limit = random_between(24, 40), n = random_between(8, 40);
    expect(run_delegated(format(RUN "-m %dM $BASE probe alloc 100", limit)), 137, "",
           "out of memory");
    expect(run_delegated(format(RUN "-m %dM $BASE probe alloc 8", limit)), 0, "allocated 8\n", "");
    expect(run_delegated(format(RUN "--pids-limit %d $BASE probe fork 50", n)), 1,
           format("forked %d ", n - 2), "");
}
END_TEST

/* The shell is in that cgroup, too, and so are two containers, and whoever comes to them. */
START_TEST(ordinary_users_may_share_what_is_theirs) {
    int first = random_between(24, 40), second = random_between(41, 60);
    const char *script = format(
        "set -e; i=0; for limit in %d %d; do i=$((i + 1));"
        "  $CONTAINER run -d --name $i$NAME --network none -m ${limit}M $BASE sleep 1000 >&2; done;"
        "for i in 1 2; do $CONTAINER exec $i$NAME cat %s; done;"
        "$CONTAINER pause 1$NAME; $CONTAINER ps | grep -c paused; $CONTAINER unpause 1$NAME;"
        "$CONTAINER exec 1$NAME probe alloc 100 >&2 || echo $?;"
        "$CONTAINER exec 2$NAME probe exit 7 || echo $?;"
        "$CONTAINER stop -t 0 2$NAME; $CONTAINER rm -f 1$NAME 2$NAME",
        first, second, MEMORY_LIMIT);
    expect_exactly(run_delegated(format("sh -c '%s' 2>err", script)),
                   format("%d\n%d\n1\n137\n7\n", first << 20, second << 20));
}
END_TEST

/* Version 2: what looks like the top may not be it, if we are in a container ourselves. Then there
 * are processes in it, and the script is the remedy here, too. */
START_TEST(limits_bite_in_an_outer_container) {
    int limit = random_between(24, 40);
    sh("for c in memory cpu pids; do echo +$c >/sys/fs/cgroup/cgroup.subtree_control; done");
    struct result r = sh("d=/sys/fs/cgroup/$NAME; mkdir $d && echo 0 >$d/cgroup.procs &&"
                         "unshare -Cm sh -c 'mount --bind /sys/fs/cgroup/$NAME /sys/fs/cgroup &&"
                         "    { " RUN "-m %dM $BASE true; echo $?; $CONTAINER delegate " RUN
                         "      -m %dM $BASE probe alloc 100; echo $?; }'",
                         limit, limit);
    expect(sh("find /sys/fs/cgroup/$NAME -depth -type d -exec rmdir {} \\;"), 0, "", "");
    expect(r, 0, "125\n137\n", "delegate");
    expect(r, 0, NULL, format("out of memory (limit %dM)", limit));
}
END_TEST

/* Does an ordinary user, who runs the tests, own its cgroup? "0::PATH" in /proc/self/cgroup. */
static bool may_set_limits(void) {
    return system("[ -w /sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup) ]") == 0;
}

/* ---- all of them ---- */

Suite *cgroup_suite(void) {
    Suite *s = suite_create("cgroup");
    TCase *t = new_case(s, "refused");
    tcase_add_loop_test(t, malformed_limits_are_named, 0, COUNT(malformed));
    if (is_root() ? users() == 2 : !may_set_limits()) {
        tcase_add_loop_test(t, ordinary_users_need_delegation, 0, COUNT(refused));
        tcase_add_test(t, ordinary_users_have_no_cgroup);
    } else
        left_out("limits refused to an ordinary user", "here it may set them, or run nothing");
    if (is_root() && cgroup_v2() && users() == 2) {
        tcase_add_test(t, ordinary_users_may_limit_what_is_theirs);
        tcase_add_test(t, ordinary_users_may_share_what_is_theirs);
    } else
        left_out("limits that an ordinary user sets", "it needs root, and version 2 alone");
    if (!is_root()) {
        left_out("limits that bite", "to make cgroups needs root");
        return s;
    }

    t = new_case(s, "bites");
    tcase_add_test(t, memory_limit_bites);
    tcase_add_test(t, memory_kills_are_counted);
    tcase_add_test(t, memory_limit_holds_for_tmpfs);
    tcase_add_test(t, other_kills_are_not_explained);
    tcase_add_test(t, memory_limit_includes_swap);
    if (!cgroup_v2())
        tcase_add_test(t, memory_limit_includes_sockets);
    tcase_add_test(t, cpu_limit_bites);
    tcase_add_test(t, cpu_time_is_counted);
    tcase_add_test(t, pids_limit_bites);
    tcase_add_test(t, pids_limit_bites_in_exec);
    if (cgroup_v2())
        tcase_add_test(t, limits_bite_in_an_outer_container);

    t = new_case(s, "inside");
    tcase_add_test(t, memory_has_units);
    tcase_add_test(t, cpus_are_parts_of_time);
    tcase_add_test(t, limits_cannot_be_changed);
    tcase_add_test(t, cgroup_path_is_hidden);

    t = new_case(s, "outside");
    tcase_add_test(t, cgroups_are_at_the_top);
    tcase_add_test(t, cgroups_may_be_below_another);
    tcase_add_test(t, cgroups_are_at_the_top_wherever_we_are);
    tcase_add_test(t, cgroup_goes_in_the_end);
    tcase_add_test(t, cgroup_goes_when_all_are_killed);

    t = new_case(s, "neighbours");
    tcase_add_test(t, neighbours_have_their_own_limits);
    tcase_add_test(t, neighbours_live_on);
    tcase_add_test(t, leftover_cgroup_is_taken_over);
    tcase_add_test(t, namesakes_do_not_share);
    return s;
}
