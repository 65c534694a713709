/* SPDX-License-Identifier: MIT */
/*
 * test_cgroup.c - how much the container may use.
 *
 *      bites        each limit stops a probe that succeeds without it
 *      inside       what the container sees of its own cgroup
 *      outside      where it is on the host, and that it goes in the end
 *      neighbours   several containers at once, and what a crash has left
 *      refused      what is no limit, and who may not set one
 *
 * Version 2 has one tree, version 1 one for each controller, and both have names of their own
 * for the same numbers: own() chooses. No test looks at a clock: the kernel counts what it
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

/* Version 1: the trees that a container has a cgroup in. Version 2: the only one. */
static const char *const trees[] = { "memory", "cpu", "cpuacct", "pids", "freezer" };

static int tree_count(void) {
    return cgroup_v2() ? 1 : COUNT(trees);
}

/* The directory that stands for our own cgroup: for root the top in version 2, where limits can
 * be given, and else what a line NUMBER:CONTROLLER,...:PATH of /proc/self/cgroup says. */
static char *our_cgroup(const char *controller) {
    char line[4096], *found = "/sys/fs/cgroup";
    FILE *f = fopen("/proc/self/cgroup", "re");
    while (f && fgets(line, sizeof line, f)) {
        char *path = line;
        strsep(&path, ":");
        const char *list = strsep(&path, ":");
        path[strcspn(path, "\n")] = '\0';
        if (cgroup_v2() && !*list && !is_root())
            found = format("/sys/fs/cgroup%s", path);
        if (!cgroup_v2() && strstr(format(",%s,", list), format(",%s,", controller)))
            found = format("/sys/fs/cgroup/%s%s", list, strcmp(path, "/") ? path : "");
    }
    if (f)
        fclose(f);
    return found;
}

/* Neighbours come and go while find looks: it may complain. */
static void expect_no_cgroup(const char *name) {
    expect(sh("find /sys/fs/cgroup -name container-%s 2>/dev/null || :", name), 0, "", "");
}

static void expect_exactly(struct result r, const char *out) {
    expect(r, 0, out, "");
    ck_assert_str_eq(r.out, out);
}

/* ---- bites ---- */

START_TEST(memory_limit_bites) {
    int limit = random_between(24, 40), more = random_between(80, 120);
    expect(sh(RUN "-m %dM $BASE probe alloc %d", limit, more), 137, "",
           format("container: killed: out of memory (limit %dM)\n", limit));
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

START_TEST(cpu_limit_bites) {
    int percent = random_between(5, 15); /* little, so that a busy machine gives more */
    const char *look = format("sh -c 'probe burn 300 >&2; cat %s %s'", CPU_LIMIT, CPU_COUNTS);
    struct result r = sh(RUN "--cpus 0.%02d $BASE %s", percent, look);
    expect(r, 0, format(cgroup_v2() ? "%d 100000\n" : "%d\n", percent * 1000), "cpu_ms");
    ck_assert_int_gt(number(r.out, "nr_throttled"), 0);

    r = sh(RUN "$BASE %s", look);
    expect(r, 0, cgroup_v2() ? "max 100000\n" : "-1\n", "cpu_ms");
    ck_assert_int_eq(number(r.out, "nr_throttled"), 0);
}
END_TEST

/* Init, the shell and the probe itself are three of them. */
START_TEST(pids_limit_bites) {
    int limit = random_between(8, 40), more = random_between(50, 150);
    const char *look = format("sh -c 'probe fork %d; cat %s %s'", more, PIDS_LIMIT, PIDS_COUNTS);
    struct result r = sh(RUN "--pids-limit %d $BASE %s", limit, look);
    expect(r, 0, format("forked %d errno EAGAIN\n%d\n", limit - 3, limit), "");
    ck_assert_int_ge(number(r.out, "max"), 1);

    r = sh(RUN "$BASE %s", look);
    expect(r, 0, format("forked %d\n", more), "");
    ck_assert_int_eq(number(r.out, "max"), 0);
}
END_TEST

/* MAJ:MIN of some whole disk; "" where there is none. */
static char *some_disk(void) {
    char *disk = sh("for d in /sys/block/*; do"
                    "    [ \"$(cat $d/size)\" -eq 0 ] || { cat $d/dev; break; }; done")
                     .out;
    disk[strcspn(disk, "\n")] = '\0';
    return disk;
}

START_TEST(io_limit_is_set_or_refused) {
    int limit = random_between(1, 1000) * 4096;
    char *disk = some_disk();
    if (!cgroup_v2()) {
        struct result r = sh(RUN "--io '%s wbps=%d' $BASE true", *disk ? disk : "8:0", limit);
        expect(r, 125, "", "io");
        expect(r, 125, "", "version 2");
        ck_assert_ptr_null(strstr(r.err, "(null)"));
    } else if (*disk) {
        const char *file = "/sys/fs/cgroup/io.max";
        expect(sh(RUN "--io '%s wbps=%d' $BASE cat %s", disk, limit, file), 0,
               format("%s rbps=max wbps=%d ", disk, limit), "");
        expect_exactly(sh(RUN "$BASE cat %s", file), "");
    }
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
    char *files[] = { MEMORY_LIMIT, CPU_LIMIT, PIDS_LIMIT,
                      own("cgroup.procs", "memory/cgroup.procs") };
    for (int i = 0; i < COUNT(files); i++) {
        const char *mount = format("%.*s", (int)(strrchr(files[i], '/') - files[i]), files[i]);
        expect(sh(RUN "-m 64M $BASE probe open %s w", files[i]), 1, "open: errno EROFS\n", "");
        expect(sh(RUN "-m 64M $BASE mkdir %s/sub", mount), 1, "", "Read-only");
        expect(sh(RUN "-m 64M $BASE probe remount-rw %s", mount), 1, "errno EPERM\n", "");
        expect(sh(RUN "-m 64M --cap-add SYS_ADMIN $BASE sh -c 'mount -o remount,bind,rw %s &&"
                      "probe open %s w && mkdir %s/sub && rmdir %s/sub'",
                  mount, files[i], mount, mount),
               0, "open allowed\n", "");
    }
}
END_TEST

/* Its own cgroup is all it sees: no path in /proc, no neighbours in the tree, and no file that
 * only the root of a tree has (release_agent would run a program on the host). */
START_TEST(cgroup_path_is_hidden) {
    const char *agent = own("release_agent", "memory/release_agent");
    expect(sh(RUN "$BASE grep -v ':/$' /proc/self/cgroup"), 1, "", "");
    expect(sh(RUN "$BASE grep -v ':/$' /proc/1/cgroup"), 1, "", "");
    expect(sh(RUN "$BASE sh -c 'grep \" - cgroup\" /proc/self/mountinfo | cut -d \" \" -f 4 |"
                  "sort -u'"),
           0, "/\n", "");
    expect(sh(RUN "$BASE sh -c 'find /sys/fs/cgroup -name \"container-*\"'"), 0, "", "");
    expect(sh(RUN "$BASE probe open %s w", agent), 1, "open: errno ENOENT\n", "");
    expect_exactly(sh(RUN "$BASE grep -c . %s", own("cgroup.procs", "pids/cgroup.procs")),
                   "2\n"); /* init and grep */
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

/* Both processes are in it, init and the shell; that is also how the kernel calls it. */
START_TEST(cgroup_is_below_ours) {
    char *name = new_name();
    for (int i = 0; i < tree_count(); i++) {
        const char *procs = format("%s/container-%s/cgroup.procs", our_cgroup(trees[i]), name);
        const char *look = format("wc -l <%s; grep -c container-%s$ /proc/$(head -n 1 %s)/cgroup",
                                  procs, name, procs);
        struct result r = meanwhile(format("--name %s", name), look, ":");
        expect_exactly(r, format("2\n%d\n", tree_count()));
    }
    expect_no_cgroup(name);
}
END_TEST

/* Version 1: whoever limits us limits our containers. */
START_TEST(cgroup_is_below_ours_wherever_we_are) {
    char *name = new_name(), *ours = format("%s/%s", our_cgroup("memory"), name);
    expect(sh("mkdir %s && echo $PPID >%s/cgroup.procs", ours, ours), 0, "", "");
    struct result r = meanwhile(format("--name %s", name), format("ls -d %s/*/", ours), ":");
    expect(sh("cd %s && echo $PPID >../cgroup.procs && echo $$ >../cgroup.procs &&"
              "rmdir \"$PWD\"",
              ours),
           0, "", "");
    expect_exactly(r, format("%s/container-%s/\n", ours, name));
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
    const char *kill = format("cd %s && kill -9 $(cat container-%s/cgroup.procs)",
                              our_cgroup("memory"), name);
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
    char *name = new_name(), *pids = our_cgroup("pids");
    for (int i = 0; i < tree_count(); i++)
        expect(sh("mkdir %s/container-%s", our_cgroup(trees[i]), name), 0, "", "");
    sh("echo 1 >%s/container-%s/pids.max", pids, name); /* version 2: perhaps there is none yet */
    expect_exactly(sh(RUN "--name %s $BASE sh -c 'probe fork 9; cat %s'", name, PIDS_LIMIT),
                   "forked 9\nmax\n");
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

/* What is no limit, the option that the message must name, and the form that is wanted. */
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
    { "--io",         "''",                   "--io",         "MAJ:MIN" },
    { "--io",         "8:0",                  "--io",         "MAJ:MIN" },
    { "--io",         "'/dev/sda wbps=1'",    "--io",         "MAJ:MIN" },
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

/* Without a cgroup that it may write an ordinary user has no limits, and is told the remedy. */
static const char *const limits[] = {
    "-m 64M",
    "--cpus 0.5",
    "--pids-limit 16",
    "-m 64M --pids-limit 16",
};

START_TEST(ordinary_users_need_delegation) {
    char *name = new_name();
    expect(sh_user(RUN "--name %s %s $BASE true", name, limits[_i]), 125, "", "Delegate");
    expect(sh_user("ls -A \"$CONTAINER_HOME/containers\" 2>/dev/null || :"), 0, "", "");
    expect_no_cgroup(name);
    expect(sh_user(RUN "$BASE grep -v ':/$' /proc/self/cgroup"), 1, "", "");
}
END_TEST

/* A command line for an ordinary user, in a cgroup of its own: what systemd-run --user --scope
 * -p Delegate=yes does. $D is that cgroup in each tree; nobody else is in it. */
static struct result run_delegated(const char *line) {
    char *dirs = "";
    if (cgroup_v2()) /* the parent hands on what it has */
        sh("for c in memory cpu pids; do echo +$c >/sys/fs/cgroup/cgroup.subtree_control; done");
    for (int i = 0; i < tree_count(); i++)
        dirs = format("%s%s/%s ", dirs, our_cgroup(trees[i]), getenv("NAME"));
    setenv("D", dirs, 1);
    struct result r = sh("for d in $D; do"
                         "    mkdir $d; chown 65534 $d $d/cgroup.procs; echo 0 >$d/cgroup.procs;"
                         "    [ ! -e $d/cgroup.subtree_control ] ||"
                         "        chown 65534 $d/cgroup.subtree_control;"
                         "done;"
                         "exec setpriv --reuid 65534 --regid 65534 --clear-groups"
                         "    env CONTAINER_HOME=\"$T/home\" %s",
                         line);
    expect(sh("find $D -mindepth 1 -type d -name 'container-*'"), 0, "", "");
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

/* Version 2: what looks like the top may not be it, if we are in a container ourselves. */
START_TEST(limits_bite_in_an_outer_container) {
    int limit = random_between(24, 40);
    struct result r = sh("d=/sys/fs/cgroup/$NAME; mkdir $d && echo 0 >$d/cgroup.procs &&"
                         "unshare -Cm sh -c 'umount -l /sys/fs/cgroup &&"
                         "    mount -t cgroup2 cgroup2 /sys/fs/cgroup &&" RUN
                         "    -m %dM $BASE probe alloc 100; echo $?'",
                         limit);
    expect(sh("find /sys/fs/cgroup/$NAME -depth -type d -exec rmdir {} \\;"), 0, "", "");
    expect(r, 0, "137\n", format("out of memory (limit %dM)", limit));
}
END_TEST

/* ---- all of them ---- */

Suite *cgroup_suite(void) {
    Suite *s = suite_create("cgroup");
    TCase *t = new_case(s, "refused");
    tcase_add_loop_test(t, malformed_limits_are_named, 0, COUNT(malformed));
    if (is_root() || access(our_cgroup("memory"), W_OK) == -1)
        tcase_add_loop_test(t, ordinary_users_need_delegation, 0, COUNT(limits));
    else
        left_out("limits refused to an ordinary user", "this one may set them");
    if (is_root()) {
        tcase_add_test(t, ordinary_users_may_limit_what_is_theirs);
        tcase_add_test(t, ordinary_users_may_share_what_is_theirs);
    }
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
    tcase_add_test(t, cpu_limit_bites);
    tcase_add_test(t, pids_limit_bites);
    tcase_add_test(t, io_limit_is_set_or_refused);
    if (cgroup_v2())
        tcase_add_test(t, limits_bite_in_an_outer_container);

    t = new_case(s, "inside");
    tcase_add_test(t, memory_has_units);
    tcase_add_test(t, cpus_are_parts_of_time);
    tcase_add_test(t, limits_cannot_be_changed);
    tcase_add_test(t, cgroup_path_is_hidden);

    t = new_case(s, "outside");
    tcase_add_test(t, cgroup_is_below_ours);
    if (!cgroup_v2())
        tcase_add_test(t, cgroup_is_below_ours_wherever_we_are);
    tcase_add_test(t, cgroup_goes_in_the_end);
    tcase_add_test(t, cgroup_goes_when_all_are_killed);

    t = new_case(s, "neighbours");
    tcase_add_test(t, neighbours_have_their_own_limits);
    tcase_add_test(t, neighbours_live_on);
    tcase_add_test(t, leftover_cgroup_is_taken_over);
    tcase_add_test(t, namesakes_do_not_share);
    return s;
}
