/* SPDX-License-Identifier: MIT */
/*
 * test_life.c - the life of a container that nobody sits in front of.
 *
 *      refused      bad names, options and values: 125, and nothing has changed
 *      detached     run -d: its name or why not, and nothing of the caller's stays open
 *      started      create, start, and start again
 *      exec         one more program inside: the same world, the same powers
 *      listed       ps, whatever has happened meanwhile
 *      logs         what it has written
 *      ended        wait, stop, kill, rm
 *      paused       pause, unpause
 *      committed    what it has written becomes an image's top layer
 *      crowd        many at once, on many names and on one
 *
 * No test sleeps and then looks. Where something must happen, until() asks again and again, and
 * sh's time limit is the deadline; where nothing may happen, something else must have, first.
 */
#include "test.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

/* Most tests here need no network, and without one they are faster. */
#define RUN "$CONTAINER run -d --network none "
#define CREATE "$CONTAINER create --network none "
#define NAME getenv("NAME")
#define NAMED "--name $NAME "
#define DIR "$CONTAINER_HOME/containers/$NAME"
#define BOOT_ID "/proc/sys/kernel/random/boot_id"

enum column { STATUS = 2,
              PID,
              IP,
              IMAGE,
              COMMAND };

/* The whole output, where expect looks for a part of it. */
static void expect_exactly(struct result r, const char *out) {
    expect(r, 0, *out ? out : "", "");
    ck_assert_msg(!strcmp(r.out, out), "%s\nprinted:\n%s\nexpected:\n%s", r.line, r.out, out);
}

/* What a test needs first: it must succeed, and say nothing. */
#define prepare(...) expect(as(__VA_ARGS__), 0, "", "")

/* Start $NAME, detached: WHO, "OPTIONS IMAGE COMMAND", values of %. */
#define begin(who, ...) \
    expect_exactly(as(who, RUN NAMED __VA_ARGS__), format("%s\n", NAME))

static void until_logged(enum who who, const char *line) {
    until(who, format("$CONTAINER logs $NAME | grep -qx '%s'", line));
}

/* What `ps` says of NAME; "" when it says nothing. */
static char *column(enum who who, const char *name, enum column n) {
    char *line = as(who, "$CONTAINER ps | awk -F '  +' -v n=%s '$1 == n { print $%d }'", name, n)
                     .out;
    line[strcspn(line, "\n")] = '\0';
    return line;
}

static void expect_status(enum who who, const char *name, const char *start) {
    char *status = column(who, name, STATUS);
    ck_assert_msg(!strncmp(status, start, strlen(start)), "%s is \"%s\", expected \"%s\"\n%s", name,
                  status, start, as(who, "$CONTAINER ps").out);
}

#define expect_running(who) expect_status(who, NAME, "running")

static void until_exited(enum who who, int status) {
    until(who, format("$CONTAINER ps | grep -q \"^$NAME  *exited %d (\"", status));
}

/* What `wait` prints of it. */
static void expect_end(enum who who, int status) {
    expect_exactly(as(who, "$CONTAINER wait $NAME"), format("%d\n", status));
}

static pid_t init_pid(enum who who) {
    pid_t pid = atoi(column(who, NAME, PID));
    ck_assert_msg(pid > 1, "no pid:\n%s", as(who, "$CONTAINER ps").out);
    return pid;
}

static pid_t watcher_pid(enum who who) {
    pid_t watcher = atoi(sh("sed -n 's/^PPid:\t*//p' /proc/%d/status", init_pid(who)).out);
    ck_assert_int_gt(watcher, 1);
    return watcher;
}

/* The end of each test. Nothing may be left but empty directories. */
static void remove_all(enum who who) {
    expect(as(who, "cd $CONTAINER_HOME/containers || exit 0; for c in *; do"
                   "  [ ! -e $c ] || $CONTAINER rm -f $c || exit; done; ls -A"),
           0, "", NULL);
}

/* Only root's containers have cgroups here. */
static bool has_cgroup(enum who who) {
    return is_root() && who == OURSELVES;
}

/* ---- refused ---- */

/* The commands that take the name of a container, and what must follow it. */
static const char *const commands[][2] = {
    { "start", "" },
    { "exec", "true" },
    { "exec --no-cgroup", "true" },
    { "logs", "" },
    { "logs -f", "" },
    { "wait", "" },
    { "stop", "" },
    { "stop -t 1", "" },
    { "kill", "" },
    { "kill -s TERM", "" },
    { "pause", "" },
    { "unpause", "" },
    { "rm", "" },
    { "commit", "image" },
};

static const char *const strangers[] = {
    "nosuch",
    "../x",
    "../containers/../x",
    "..",
    ".",
    "''",
    "a/b",
    "/etc",
    "'a b'",
    "-x",
};

/* What is outside of containers/ is none, even if it looks like one. */
START_TEST(strangers_are_refused) {
    expect(sh("$CONTAINER run --network none " NAMED "$BASE true; cd $CONTAINER_HOME &&"
              "mv containers/$NAME x"),
           0, "", "");
    char *before = sh("cd $CONTAINER_HOME; find . | sort; cat x/status").out;
    for (int i = 0; i < COUNT(strangers); i++) {
        struct result r = sh("$CONTAINER %s %s %s", commands[_i][0], strangers[i],
                             commands[_i][1]);
        expect(r, 125, "", "container: ");
        expect(r, 125, "", strtok(format("%s", strangers[i]), "'"));
    }
    ck_assert_str_eq(sh("cd $CONTAINER_HOME; find . | sort; cat x/status").out, before);
}
END_TEST

/* Whether a stranger is unknown or no name at all: nothing is removed. */
START_TEST(strangers_are_not_removed) {
    prepare(OURSELVES, "mkdir -p $CONTAINER_HOME/containers $CONTAINER_HOME/x precious &&"
                       "echo >precious/file && echo >$CONTAINER_HOME/x/file &&"
                       "ln -s $T/precious $CONTAINER_HOME/containers/link");
    expect(sh("$CONTAINER rm -f nosuch"), 0, "", "");
    for (int i = 0; i < COUNT(strangers); i++) sh("$CONTAINER rm -f %s", strangers[i]);
    sh("$CONTAINER rm link");
    sh("$CONTAINER rm -f link");
    sh("$CONTAINER rm -f link/");
    expect(sh("cat precious/file $CONTAINER_HOME/x/file"), 0, "\n\n", "");
}
END_TEST

/* Before $NAME, and after it; and what the message must name. */
static const struct {
    const char *before, *after, *says;
} wrong[] = {
    // clang-format off
    { "start --frobnicate",              "",      "--frobnicate" },
    { "exec --frobnicate",               "true",  "--frobnicate" },
    { "logs --frobnicate",               "",      "--frobnicate" },
    { "wait --frobnicate",               "",      "--frobnicate" },
    { "stop --frobnicate",               "",      "--frobnicate" },
    { "kill --frobnicate",               "",      "--frobnicate" },
    { "pause --frobnicate",              "",      "--frobnicate" },
    { "unpause --frobnicate",            "",      "--frobnicate" },
    { "rm --frobnicate",                 "",      "--frobnicate" },
    { "commit --frobnicate",             "image", "commit" },
    { "rm -Z",                           "",      "-Z" },
    { "start -f",                        "",      "-f" },
    { "exec",                            "",      "COMMAND" },
    { "exec -e =x",                      "true",  "=x" },
    { "exec -e ''",                      "true",  "NAME=VALUE" },
    { "exec -w relative",                "true",  "relative" },
    { "exec -w ''",                      "true",  "/DIR" },
    { "exec -u 1x",                      "true",  "1x" },
    { "exec -u ''",                      "true",  "UID:GID" },
    { "exec -u nosuch",                  "true",  "nosuch" },
    { "exec -u 4294967295",              "true",  "4294967295" },
    { "exec -w /etc/passwd",             "true",  "/etc/passwd" },
    { "exec -t",                         "true",  "terminal" },
    { "exec --cap-add SYS_ADMIN",        "true",  "--cap-add" },
    { "exec --privileged",               "true",  "--privileged" },
    { "exec -v /etc:/x",                 "true",  "-v" },
    { "stop -t x",                       "",      "x" },
    { "stop -t -1",                      "",      "-1" },
    { "stop -t ''",                      "",      "-t" },
    { "stop -t 1x",                      "",      "1x" },
    { "stop -t 99999999999999999999",    "",      "99999" },
    { "kill -s FROB",                    "",      "FROB" },
    { "kill -s SIGFROB",                 "",      "SIGFROB" },
    { "kill -s SIG",                     "",      "SIG" },
    { "kill -s -1",                      "",      "-1" },
    { "kill -s 65",                      "",      "65" },
    { "kill -s 9x",                      "",      "9x" },
    { "kill -s 4294967305",              "",      "4294967305" }, /* 2^32 + 9 */
    { "kill -s ''",                      "",      "-s" },
    { "kill -s ' 9'",                    "",      " 9" },
    { "commit",                          "",      "IMAGE" },
    { "commit",                          "a/b",   "a/b" },
    { "commit",                          "../x",  "../x" },
    { "commit",                          "''",    "IMAGE" },
    { "rm",                              "",      "" },
    // clang-format on
};

START_TEST(wrong_arguments_change_nothing) {
    begin(OURSELVES, "$BASE sleep 1000");
    pid_t init = init_pid(OURSELVES);
    for (int i = 0; i < COUNT(wrong); i++) {
        struct result r = sh("$CONTAINER %s $NAME %s", wrong[i].before, wrong[i].after);
        expect(r, 125, "", "container: ");
        expect(r, 125, "", *wrong[i].says ? wrong[i].says : NULL);
    }
    expect_running(OURSELVES);
    ck_assert_int_eq(init_pid(OURSELVES), init);
    expect(sh("ls -A $CONTAINER_HOME"), 0, "containers\n", "");
    remove_all(OURSELVES);
}
END_TEST

static const char *const incomplete[] = {
    "create",
    "create $BASE",
    "run -d",
    "run -d $BASE",
    "start",
    "exec",
    "logs",
    "logs -f",
    "wait",
    "stop",
    "stop -t",
    "stop -t 1",
    "kill",
    "kill -s",
    "kill -s TERM",
    "pause",
    "unpause",
    "rm",
    "rm -f",
    "commit",
    "ps --frobnicate",
};

START_TEST(missing_arguments_are_named) {
    for (int i = 0; i < COUNT(incomplete); i++)
        expect(sh("$CONTAINER %s", incomplete[i]), 125, "", "container: ");
    expect(sh("ls -A $CONTAINER_HOME/containers 2>/dev/null || :"), 0, "", "");
}
END_TEST

START_TEST(help_has_all_commands) {
    struct result r = sh("$CONTAINER --help");
    for (int i = 0; i < COUNT(commands); i++)
        expect(r, 0, strtok(format("%s", commands[i][0]), " "), "");
    expect(r, 0, "create", "");
    expect(r, 0, "ps", "");
}
END_TEST

/* ---- detached ---- */

START_TEST(prints_its_name) {
    begin(_i, "$BASE sleep 1000");
    expect_running(_i);
    char *name = as(_i, RUN "$BASE sleep 1000").out; /* made up */
    ck_assert_int_gt(strlen(name), 1);
    ck_assert_ptr_eq(strchr(name, '\n'), name + strlen(name) - 1);
    name[strlen(name) - 1] = '\0';
    expect_status(_i, name, "running");
    remove_all(_i);
}
END_TEST

static const struct {
    const char *arguments;
    int status;
    const char *says;
} failures[] = {
    { "$BASE nosuch", 127, "nosuch" },
    { "$BASE /bin/nosuch", 127, "/bin/nosuch" },
    { "$BASE /etc/passwd", 126, "/etc/passwd" },
    { "$BASE /etc", 126, "/etc" },
    { "-v /nosuch:/x $BASE true", 125, "/nosuch" },
    { "-u nosuch $BASE true", 125, "nosuch" },
    { "-w /etc/passwd $BASE true", 125, "workdir" },
    { "-m 12Q $BASE true", 125, "12Q" },
    { "--name a/b $BASE true", 125, "a/b" },
    { "./nosuch true", 125, "./nosuch" },
};

START_TEST(says_itself_what_failed) {
    for (enum who who = OURSELVES; who < (enum who)users(); who++) {
        expect(as(who, RUN "%s", failures[_i].arguments), failures[_i].status, "",
               failures[_i].says);
        expect(as(who, "ls -A $CONTAINER_HOME/containers 2>/dev/null || :"), 0, "", "");
        expect_host_unchanged();
    }
}
END_TEST

/* What is not found out before the program's turn is said by start. */
START_TEST(create_or_start_says_what_failed) {
    for (enum who who = OURSELVES; who < (enum who)users(); who++) {
        struct result r = as(who, CREATE "%s", failures[_i].arguments);
        if (r.status == 0)
            r = as(who, "$CONTAINER start %s", r.out);
        expect(r, failures[_i].status, "", failures[_i].says);
        ck_assert_ptr_null(strstr(as(who, "$CONTAINER ps").out, "running"));
        remove_all(who);
        expect_host_unchanged();
    }
}
END_TEST

/* Who waits for the end of our output does not wait for the container's. */
START_TEST(lets_its_caller_go) {
    char *name = format("%s\n", NAME);
    expect_exactly(as(_i, "x=$(" RUN NAMED "$BASE sleep 1000 2>&1); echo \"$x\""), name);
    remove_all(_i);
    expect_exactly(as(_i, RUN NAMED "$BASE sleep 1000 2>&1 | cat"), name);
    remove_all(_i);
    expect_exactly(as(_i, "x=$(" CREATE NAMED "$BASE sleep 1000 2>&1) && "
                          "x=$($CONTAINER start $NAME 2>&1); echo \"$x\""),
                   name);
    expect_running(_i);
    remove_all(_i);
}
END_TEST

/* The watcher, init and the program: all that they have open is their own. */
START_TEST(has_nothing_of_its_callers) {
    expect(as(_i, "echo >in; exec <in 7>open; echo $$;"
                  "for fd in 0 1 2 7; do readlink /proc/$$/fd/$fd; done >mine;" RUN NAMED
                  "$BASE sleep 1000"),
           0, NAME, "");
    pid_t init = init_pid(_i), watcher = watcher_pid(_i);
    expect(sh("for p in %d %d $(cat /proc/%d/task/%d/children); do"
              "  for fd in /proc/$p/fd/*; do readlink $fd; done; done >theirs;"
              "[ $(wc -l <mine) = 4 ] && [ -s theirs ] && ! grep -Fxf mine theirs",
              watcher, init, init, init),
           0, "", "");
    remove_all(_i);
}
END_TEST

/* Neither Ctrl-C nor the end of the terminal reaches it. */
START_TEST(outlives_its_terminal) {
    int session = 0, tty = -1;
    struct terminal t = at_terminal(_i, "trap : INT; " RUN NAMED "$BASE sleep 1000; echo up; cat");
    wait_for(&t, "up");
    pid_t init = init_pid(_i), watcher = watcher_pid(_i);
    sscanf(sh("sed 's/.*) //' /proc/%d/stat", watcher).out, "%*c %*d %*d %d %d", &session, &tty);
    ck_assert_msg(session > 0 && session != t.pid && tty == 0, "session %d, terminal %d", session,
                  tty);
    type(&t, "\3");
    close(t.screen);
    close(t.keys); /* all at the terminal get SIGHUP */
    until(_i, format("[ ! -e /proc/%d ] || grep -q '^State:.Z' /proc/%d/status", t.pid, t.pid));
    expect_running(_i);
    ck_assert_int_eq(init_pid(_i), init);
    remove_all(_i);
}
END_TEST

START_TEST(leaves_the_callers_input) {
    expect(as(_i, "seq 5 >in; { " RUN NAMED "$BASE sh -c 'cat; echo end'; cat; } <in"), 0,
           format("%s\n1\n2\n3\n4\n5\n", NAME), "");
    expect_end(_i, 0);
    expect_exactly(as(_i, "$CONTAINER logs $NAME"), "end\n");
    remove_all(_i);
}
END_TEST

START_TEST(removes_itself_with_rm) {
    expect_exactly(as(_i, RUN "--rm -v $T:/t " NAMED "$BASE sh -c 'until [ -e /t/go ]; do"
                              "  sleep 0.01; done'"),
                   format("%s\n", NAME));
    expect_running(_i);
    until(_i, "{ echo >go; [ ! -e " DIR " ]; }");
    expect_exactly(as(_i, "$CONTAINER ps | wc -l"), "1\n");
}
END_TEST

/* What is kept, where the manual says, and as a program would read it. */
START_TEST(facts_are_files) {
    begin(_i, "$BASE sh -c 'sleep 1000; exit 1'");
    expect_exactly(as(_i, "cd " DIR "; read pid start boot <pid; [ \"$boot\" = \"$(cat " BOOT_ID
                          ")\" ] && [ $start = $(sed 's/.*) //' /proc/$pid/stat |"
                          " cut -d ' ' -f 20) ] && echo $pid"),
                   format("%d\n", init_pid(_i)));
    expect_exactly(as(_i, "cd " DIR "; cat status image cwd layers"),
                   format("running\n%s\n%s\n%s\n", getenv("BASE"), getenv("T"), getenv("BASE")));
    expect(as(_i, "cat " DIR "/command"), 0, "sh -c sleep 1000; exit 1\n", "");
    expect(as(_i, "printf '%%s\\0' $BASE sh -c 'sleep 1000; exit 1' >want; cd " DIR ";"
                  "tail -c $(wc -c <$T/want) arguments | cmp - $T/want"),
           0, "", "");
    expect(as(_i, "$CONTAINER kill $NAME; cat " DIR "/status"), 0, "exited 137\n", "");
    remove_all(_i);
}
END_TEST

/* It is one more kind of container: what waits in front of it is known to ps, exec and stop. */
START_TEST(one_in_front_has_a_life_too) {
    int word = random_between(1, 1 << 30);
    expect(as(_i, "$CONTAINER run --network none " NAMED "$BASE sleep 1000 & pid=$!;"
                  "until $CONTAINER ps | grep -q \"^$NAME  *running\"; do sleep 0.01; done;"
                  "$CONTAINER exec $NAME sh -c 'echo %d >/made' && $CONTAINER stop $NAME >&2;"
                  "wait $pid; echo status $?; cat " DIR "/upper/made",
              word),
           0, format("status 143\n%d\n", word), NULL);
    expect_status(_i, NAME, "exited 143 (");
    expect_exactly(as(_i, "$CONTAINER start $NAME"), format("%s\n", NAME));
    expect_exactly(as(_i, "$CONTAINER exec $NAME cat /made"), format("%d\n", word));
    remove_all(_i);
}
END_TEST

/* ---- started ---- */

START_TEST(create_stops_before_the_program) {
    expect_exactly(as(_i, CREATE NAMED "-v $T:/t $BASE sh -c 'echo >>/t/ran; sleep 1000'"),
                   format("%s\n", NAME));
    expect_status(_i, NAME, "created");
    pid_t init = init_pid(_i);
    prepare(_i, "[ ! -e ran ]");
    expect_exactly(as(_i, "$CONTAINER start $NAME"), format("%s\n", NAME));
    until(_i, "[ -e ran ]");
    expect_running(_i);
    ck_assert_int_eq(init_pid(_i), init);
    remove_all(_i);
    expect_exactly(as(_i, "wc -l <ran"), "1\n");

    expect(as(_i, CREATE NAMED "-v $T:/t $BASE sh -c 'echo >>/t/ran'"), 0, NULL, "");
    remove_all(_i);
    expect_exactly(as(_i, "wc -l <ran"), "1\n");
}
END_TEST

/* Its namespaces, its mounts, its cgroup and its address are there: only the program is not. */
START_TEST(create_makes_all_but_the_program) {
    expect(sh("$CONTAINER create " NAMED "-m 64M -v $T:/t $BASE true"), 0, NAME, "");
    pid_t init = init_pid(OURSELVES);
    expect_exactly(sh("for n in mnt pid net ipc uts cgroup; do"
                      "  [ $(readlink /proc/%d/ns/$n) != $(readlink /proc/$$/ns/$n) ] || echo $n;"
                      "done",
                      init),
                   "");
    expect_exactly(sh("for m in / /proc /sys /dev /t; do"
                      "  cut -d ' ' -f 5 /proc/%d/mountinfo | grep -qx $m || echo $m; done;"
                      "ls /proc/%d/root/t >/dev/null",
                      init, init),
                   "");
    expect_exactly(sh("[ -s " DIR "/cgroup ] && for d in $(cat " DIR "/cgroup); do"
                      "  grep -qx %d $d/cgroup.procs || echo $d; done",
                      init),
                   "");
    ck_assert_str_eq(sh("cat " DIR "/ip").out,
                     format("%s\n", column(OURSELVES, NAME, IP)));
    expect_exactly(sh("ip=$(cat " DIR "/ip); nsenter -t %d -n ip -o -4 addr show eth0 |"
                      "grep -qF \" $ip/\" && ping -q -c 1 -w 5 $ip >$T/ping",
                      init),
                   "");
    expect(sh("$CONTAINER start $NAME && $CONTAINER wait $NAME"), 0, "\n0\n", "");
    remove_all(OURSELVES);
}
END_TEST

/* The kernel's own word for the memory limit, as seen inside. */
static const char *limit_file(void) {
    return cgroup_v2() ? "/sys/fs/cgroup/memory.max"
                       : "/sys/fs/cgroup/memory/memory.limit_in_bytes";
}

/* Each run says what it was given, and then what the one before has left. */
START_TEST(starts_again_with_all_it_had) {
    int env = random_between(1, 1 << 30), kept = random_between(1, 1 << 30);
    int limit = random_between(32, 64), status = random_between(1, 120);
    const char *limits = has_cgroup(_i) ? format("-m %dM", limit) : "";
    const char *look = has_cgroup(_i) ? format("cat %s", limit_file()) : "echo 0";

    prepare(_i, "mkdir -p here away/here");
    begin(_i, "-e WORD=%d -h h%d -w /work %s -v ./here:/d $BASE sh -c '{ echo $WORD $(hostname)"
              "  $(pwd) $(%s); cat /kept; } >>/d/out 2>/dev/null; echo %d >>/kept; exit %d'",
          env, env, limits, look, kept, status);
    expect_end(_i, status);
    for (int i = 0; i < 2; i++) {
        expect_exactly(as(_i, "cd away; $CONTAINER start $NAME"),
                       format("%s\n", NAME));
        expect_end(_i, status);
    }
    char *line = format("%d h%d /work %ld\n", env, env, has_cgroup(_i) ? (long)limit << 20 : 0L);
    expect_exactly(as(_i, "cat here/out"), format("%s%s%d\n%s%d\n%d\n", line, line, kept, line,
                                                  kept, kept));
    remove_all(_i);
}
END_TEST

START_TEST(finds_its_image_again) {
    prepare(_i, "mkdir -p here/image; echo $BASE >here/image/layers");
    expect(as(_i, "cd here; " RUN NAMED "./image probe exit 7"), 0, NAME, "");
    expect_end(_i, 7);
    expect_exactly(as(_i, "cd /; $CONTAINER start $NAME"), format("%s\n", NAME));
    expect_end(_i, 7);
    ck_assert_str_eq(column(_i, NAME, IMAGE), "./image");
    remove_all(_i);
}
END_TEST

START_TEST(keeps_every_argument) {
    const char *says = "arg 1 \narg 2 a  b\narg 3 x\ny\narg 4 --rm\narg 5 --\narg 6 $HOME\n"
                       "arg 7 \"'\\\n";
    expect(as(_i, CREATE NAMED "$BASE probe args '' 'a  b' 'x\ny' --rm -- '$HOME' '\"'\\''\\'"), 0,
           NAME, "");
    for (int i = 0; i < 2; i++) {
        expect(as(_i, "$CONTAINER start $NAME"), 0, NULL, "");
        expect_end(_i, 0);
        char *log = as(_i, "$CONTAINER logs $NAME").out;
        size_t length = strlen(says), all = strlen(log);
        ck_assert_msg(all >= length && !strcmp(log + all - length, says), "%s", log);
    }
    remove_all(_i);
}
END_TEST

START_TEST(keeps_its_address) {
    char *ip = format("10.66.%d.%d", random_between(1, 254), random_between(1, 254));
    expect(sh("$CONTAINER run -d --ip %s " NAMED "$BASE sleep 1000", ip), 0, NAME, "");
    for (int i = 0; i < 2; i++) {
        ck_assert_str_eq(column(OURSELVES, NAME, IP), ip);
        expect(sh("ping -q -c 1 -w 5 %s", ip), 0, NULL, "");
        expect(sh("$CONTAINER stop $NAME >&2 && $CONTAINER start $NAME"), 0, NAME, NULL);
    }
    remove_all(OURSELVES);
}
END_TEST

START_TEST(start_leaves_a_running_one_alone) {
    begin(_i, "$BASE sleep 1000");
    pid_t init = init_pid(_i);
    expect(as(_i, "$CONTAINER start $NAME"), 0, NULL, "");
    expect(as(_i, "$CONTAINER start $NAME $NAME"), 0, NULL, "");
    expect_running(_i);
    ck_assert_int_eq(init_pid(_i), init);
    remove_all(_i);
}
END_TEST

/* One that is not there does not hinder the others. */
START_TEST(starts_several) {
    for (int i = 0; i < 3; i++)
        expect(as(_i, CREATE "--name ${NAME}%d $BASE sleep 1000", i), 0, NULL, "");
    struct result r = as(_i, "$CONTAINER start ${NAME}0 nosuch ${NAME}2");
    expect(r, 125, format("%s0\n%s2\n", NAME, NAME), "nosuch");
    expect_status(_i, format("%s0", NAME), "running");
    expect_status(_i, format("%s1", NAME), "created");
    expect_status(_i, format("%s2", NAME), "running");
    remove_all(_i);
}
END_TEST

/* What an exited one needs may have gone meanwhile: it stays as it was. */
START_TEST(start_may_fail_and_be_repeated) {
    prepare(_i, "mkdir data");
    begin(_i, "-v $T/data:/d $BASE sh -c 'echo >>/kept; exit 7'");
    expect_end(_i, 7);
    prepare(_i, "rmdir data");
    expect(as(_i, "$CONTAINER start $NAME"), 125, "", "/data");
    expect_host_unchanged();
    prepare(_i, "mkdir data");
    expect_exactly(as(_i, "wc -l <" DIR "/upper/kept"), "1\n");
    expect(as(_i, "$CONTAINER start $NAME"), 0, NAME, "");
    expect_end(_i, 7);
    expect_exactly(as(_i, "wc -l <" DIR "/upper/kept"), "2\n");
    remove_all(_i);
}
END_TEST

/* ---- exec ---- */

static const struct {
    const char *command;
    int status;
} statuses[] = {
    { "true", 0 },
    { "probe exit 7", 7 },
    { "probe exit 125", 125 },
    { "probe exit 255", 255 },
    { "probe signal 9", 137 },
    { "probe signal 15", 143 },
    { "sh -c 'exit 3'", 3 },
    { "nosuch", 127 },
    { "/bin/nosuch", 127 },
    { "/etc/passwd", 126 },
    { "/etc", 126 },
};

START_TEST(exec_has_the_commands_status) {
    begin(_i, "$BASE sleep 1000");
    for (int i = 0; i < COUNT(statuses); i++) {
        const char *command = statuses[i].command;
        bool ours = statuses[i].status == 126 || statuses[i].status == 127;
        expect(as(_i, "$CONTAINER exec $NAME %s", command), statuses[i].status, "",
               ours ? command : "");
    }
    expect(as(_i, "$CONTAINER exec -- $NAME probe args -t --privileged ''"), 0,
           "arg 1 -t\narg 2 --privileged\narg 3 \n", "");
    expect_running(_i);
    remove_all(_i);
}
END_TEST

/* It has the program's namespaces, every one of them, and sees what the program sees. */
START_TEST(exec_is_in_the_same_world) {
    int word = random_between(1, 1 << 30);
    begin(_i, "$BASE sh -c 'probe ns; echo ready; exec sleep 1000'");
    until_logged(_i, "ready");
    char *log = as(_i, "$CONTAINER logs $NAME | sort").out;
    expect_exactly(as(_i, "$CONTAINER exec $NAME sh -c 'probe ns; echo ready' | sort"), log);
    expect(as(_i, "$CONTAINER exec $NAME sh -c 'echo %d >/made'", word), 0, "", "");
    expect_exactly(as(_i, "cat " DIR "/upper/made"), format("%d\n", word));
    expect_exactly(as(_i, "$CONTAINER exec $NAME hostname"), format("%s\n", NAME));
    expect(as(_i, "$CONTAINER exec $NAME sh -c 'tr \"\\0\" \" \" </proc/2/cmdline'"), 0,
           "sleep 1000", "");
    remove_all(_i);
}
END_TEST

START_TEST(exec_has_inits_namespaces) {
    begin(_i, "$BASE sleep 1000");
    char *inside = as(_i, "$CONTAINER exec $NAME probe ns").out, *end;
    pid_t init = init_pid(_i);
    for (char *line = inside; (end = strchr(line, '\n')); line = end + 1) {
        int length = strcspn(line, " "); /* pid_for_children is the same, and so are both times */
        expect_exactly(sh("stat -L -c %%i /proc/%d/ns/%.*s", init, length, line),
                       format("%.*s\n", (int)(end - line) - length - 1, line + length + 1));
    }
    ck_assert_int_gt(number(inside, "cgroup"), 0);
    remove_all(_i);
}
END_TEST

/* Init and the program are in every one of its cgroups, and now a third. */
START_TEST(exec_is_in_the_cgroup) {
    const char *line = "rm -f here go; mkfifo here go; exec 3<>go; $CONTAINER exec %s $NAME"
                       "  sh -c 'echo >/t/here; read x </t/go' & pid=$!; read x <here;"
                       "for d in $(cat " DIR "/cgroup); do wc -l <$d/cgroup.procs; done | sort -u;"
                       "echo >&3; wait $pid";
    begin(OURSELVES, "-v $T:/t $BASE sleep 1000");
    expect_exactly(sh(line, ""), "3\n");
    expect_exactly(sh(line, "--no-cgroup"), "2\n");
    remove_all(OURSELVES);
}
END_TEST

START_TEST(exec_shares_the_limit) {
    int limit = random_between(24, 40);
    begin(OURSELVES, "-m %dM $BASE sleep 1000", limit);
    expect(sh("$CONTAINER exec --no-cgroup $NAME probe alloc 100"), 0, "allocated 100", "");
    expect(sh("$CONTAINER exec $NAME probe alloc 8"), 0, "allocated 8", "");
    expect(sh("$CONTAINER exec $NAME probe alloc 100"), 137, "", NULL);
    remove_all(OURSELVES);
}
END_TEST

/* The options of the container, and what shows that they did something. */
static const struct {
    const char *options, *shows;
} powers[] = {
    { "", "NoNewPrivs 1\nSeccomp 2\n" },
    { "--cap-add NET_ADMIN", "Seccomp 2\n" },
    { "--cap-drop CHOWN --cap-add SYS_ADMIN", "Seccomp 2\n" },
    { "--cap-drop ALL", "CapBnd 0000000000000000\n" },
    { "--privileged", "NoNewPrivs 0\nSeccomp 0\n" },
    { "--privileged --cap-drop SYS_ADMIN", "Seccomp 0\n" },
};

START_TEST(exec_has_the_same_powers) {
    for (enum who who = OURSELVES; who < (enum who)users(); who++) {
        begin(who, "%s $BASE sh -c 'probe caps; grep -E ^Cap\\|^NoNew\\|^Sec /proc/self/status;"
                   "  echo ready; exec sleep 1000'",
              powers[_i].options);
        until_logged(who, "ready");
        char *log = as(who, "$CONTAINER logs $NAME").out;
        struct result r = as(who, "$CONTAINER exec $NAME sh -c 'probe caps; grep -E"
                                  "  ^Cap\\|^NoNew\\|^Sec /proc/self/status; echo ready'");
        expect(r, 0, powers[_i].shows, "");
        ck_assert_str_eq(r.out, log);
        remove_all(who);
    }
}
END_TEST

/* The bounds are the container's, also for another user, who has nothing else. */
START_TEST(exec_as_another_user_has_none) {
    begin(OURSELVES, "-u 1000:1001 -e WHO=program $BASE sh -c 'probe caps; probe ids; echo ready;"
                     "  sleep 1000'");
    until_logged(OURSELVES, "ready");
    expect_exactly(sh("$CONTAINER exec $NAME sh -c 'probe caps; probe ids; echo ready'"),
                   sh("$CONTAINER logs $NAME").out);
    int uid = random_between(1, 60000), gid = random_between(1, 60000);
    struct result r = sh("$CONTAINER exec -u %d:%d $NAME sh -c 'probe caps; id'", uid, gid);
    expect(r, 0, format("uid=%d gid=%d", uid, gid), "");
    expect(r, 0, "CapEff 0000000000000000\n", "");
    expect(r, 0, "NoNewPrivs 1\nSeccomp 2\n", "");
    expect(sh("$CONTAINER exec -u student $NAME id -u"), 0, "1000\n", "");
    expect(sh("$CONTAINER exec -u 0 $NAME probe caps | grep 'CapEff 000000000000'"), 1, "", "");
    remove_all(OURSELVES);
}
END_TEST

START_TEST(exec_can_do_no_more) {
    begin(_i, "$BASE sleep 1000");
    expect(as(_i, "$CONTAINER exec $NAME probe unshare user"), 1, "unshare: errno EPERM\n", "");
    expect(as(_i, "$CONTAINER exec $NAME probe mount"), 1, "mount: errno EPERM\n", "");
    expect(as(_i, "$CONTAINER exec $NAME probe keyctl"), 1, "keyctl: errno EPERM\n", "");
    expect(as(_i, "$CONTAINER exec $NAME probe chroot-escape"), 0, "chroot-escape same\n", "");
    remove_all(_i);
    begin(_i, "--privileged $BASE sleep 1000");
    expect(as(_i, "$CONTAINER exec $NAME probe mount"), 0, "allowed\n", "");
    remove_all(_i);
}
END_TEST

START_TEST(exec_has_the_environment) {
    int a = random_between(1, 1 << 30), b = random_between(1, 1 << 30);
    begin(_i, "-e A=%d -e B=%d -w /tmp $BASE sleep 1000", a, b);
    struct result r = as(_i, "SECRET=1 $CONTAINER exec $NAME sh -c 'probe env; probe cwd'");
    expect(r, 0, format("A=%d\n", a), "");
    expect(r, 0, format("HOSTNAME=%s\n", NAME), "");
    expect(r, 0, "cwd /tmp\n", "");
    ck_assert_ptr_null(strstr(r.out, "SECRET"));
    r = as(_i, "TOO=%d $CONTAINER exec -e A=1 -e TOO -e C= -w /etc $NAME sh -c"
               "  'probe env; probe cwd'",
           b);
    expect(r, 0, format("B=%d\n", b), "");
    expect(r, 0, format("TOO=%d\n", b), "");
    expect(r, 0, "A=1\n", "");
    expect(r, 0, "C=\n", "");
    expect(r, 0, "cwd /etc\n", "");
    ck_assert_ptr_null(strstr(r.out, format("A=%d\n", a)));
    expect_exactly(as(_i, "$CONTAINER exec $NAME sh -c 'echo $A'"), format("%d\n", a)); /* again */
    remove_all(_i);
}
END_TEST

START_TEST(exec_passes_bytes) {
    const char *size = format("%d", random_between(1000000, 2000000));
    begin(_i, "$BASE sleep 1000");
    expect(as(_i, "head -c %s /dev/urandom >in; $CONTAINER exec -i $NAME probe echo <in >out &&"
                  "cmp in out && cat in | $CONTAINER exec -i $NAME probe echo | cmp - in",
              size),
           0, "", "");
    expect(as(_i, "$CONTAINER exec $NAME probe both word"), 0, "word\n", "word\n");
    expect(as(_i, "$CONTAINER exec $NAME probe fds 3</etc/hosts 8>x 9</etc/passwd |"
                  "cut -d ' ' -f 1 | tr '\\n' ' '"),
           0, "0 1 2 ", "");
    ck_assert_str_eq(as(_i, "$CONTAINER exec $NAME probe fds 8>x | wc -l").out, "3\n");
    remove_all(_i);
}
END_TEST

/* The name is looked up in the container's /dev/pts, where the host's terminal is none. */
START_TEST(exec_has_a_terminal) {
    begin(_i, "$BASE sleep 1000");
    struct terminal t = at_terminal(_i, "stty -g >before; $CONTAINER exec -t $NAME sh -c"
                                        "  'probe tty; tty; read x; echo got $x';"
                                        "stty -g | cmp - before && echo same");
    wait_for(&t, "isatty 1 1 1");
    wait_for(&t, "winsize 24 80");
    wait_for(&t, "/dev/pts/");
    expect(as(_i, "$CONTAINER exec $NAME ls /dev/pts"), 0, "0\n", "");
    struct terminal second = at_terminal(_i, "$CONTAINER exec -it $NAME tty");
    ck_assert_int_eq(finish(&second), 0);
    ck_assert_msg(!strncmp(second.seen, "/dev/pts/1", 10), "%s", second.seen);
    type(&t, "word\n");
    wait_for(&t, "got word");
    wait_for(&t, "same");
    ck_assert_int_eq(finish(&t), 0);
    remove_all(_i);
}
END_TEST

START_TEST(exec_at_a_terminal_can_be_interrupted) {
    begin(_i, "$BASE sleep 1000");
    struct terminal t = at_terminal(_i, "$CONTAINER exec -t $NAME sh -c 'echo ready; sleep 1000;"
                                        "  echo no'; echo status $?");
    wait_for(&t, "ready");
    type(&t, "\3");
    wait_for(&t, "status 130");
    ck_assert_int_eq(finish(&t), 0);
    expect_running(_i);
    remove_all(_i);
}
END_TEST

/* With its client it ends, however that ended. It is an orphan then, and those of a test come to
 * the test: it may stay as a zombie. */
static const char *const client_ends[] = { "KILL", "TERM", "HUP" };

static char *is_there(const char *pid) {
    return format("$CONTAINER exec $NAME grep -qs '^State:.[^Z]' /proc/%s/status", pid);
}

START_TEST(exec_ends_with_its_client) {
    begin(_i, "$BASE sleep 1000");
    for (int i = 0; i < COUNT(client_ends); i++)
        expect(as(_i, "$CONTAINER exec $NAME sh -c 'echo $$ >/pid; exec sleep 999' & pid=$!;"
                      "until $CONTAINER exec $NAME test -s /pid; do sleep 0.01; done;"
                      "in=$($CONTAINER exec $NAME sh -c 'cat /pid; rm /pid');"
                      "%s || echo not there; kill -%s $pid; while %s; do sleep 0.01; done",
                  is_there("$in"), client_ends[i], is_there("$in")),
               0, "", NULL);
    struct terminal t = at_terminal(_i, "exec $CONTAINER exec -t $NAME sh -c"
                                        "  'echo in=$$; exec sleep 999'");
    wait_for(&t, "in=");
    wait_for(&t, "\n");
    kill(t.pid, SIGKILL);
    until(_i, format("! %s", is_there(format("%d", atoi(strstr(t.seen, "in=") + 3)))));
    expect_running(_i);
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
    remove_all(_i);
}
END_TEST

/* What it has started may keep the terminal, or the pipe; and cannot keep us. */
START_TEST(exec_does_not_wait_for_others) {
    begin(_i, "$BASE sleep 1000");
    struct terminal t = at_terminal(_i, "$CONTAINER exec -t $NAME sh -c 'trap \"\" HUP;"
                                        "  (sleep 1000; echo) & echo bye'; echo status $?");
    wait_for(&t, "bye");
    wait_for(&t, "status 0");
    finish(&t);
    expect_running(_i);
    remove_all(_i);
}
END_TEST

/* While it comes, a hostile program looks at it, and stops it where it can. */
START_TEST(exec_shows_nothing_of_the_host) {
    begin(OURSELVES, "$BASE sh -c 'while :; do for p in /proc/[0-9]*; do n=${p#/proc/};"
                     "  [ $n -le 2 ] || [ $n = $$ ] || { kill -STOP $n; cat $p/mountinfo >>/seen; kill -CONT $n; }; done; done 2>/dev/null'");
    for (int i = 0; i < 50; i++)
        expect(sh("$CONTAINER exec $NAME true"), 0, "", "");
    until(OURSELVES, "[ -s " DIR "/upper/seen ]");
    expect(sh("grep ' / / ' " DIR "/upper/seen | grep -v ' overlay '"), 1, "", "");
    remove_all(OURSELVES);
}
END_TEST

START_TEST(exec_ends_with_the_container) {
    begin(_i, "$BASE sleep 1000");
    expect(as(_i, "$CONTAINER exec $NAME sh -c 'echo >/here; exec sleep 999' & pid=$!;"
                  "until [ -e " DIR "/upper/here ]; do sleep 0.01; done;"
                  "$CONTAINER stop $NAME >/dev/null; wait $pid"),
           137, "", NULL);
    remove_all(_i);
}
END_TEST

/* Neither a hang nor a program where none is expected; the message names the container. */
START_TEST(exec_wants_a_running_one) {
    const char *line = "$CONTAINER exec $NAME sh -c 'echo ran >/t/ran'";
    expect(as(_i, CREATE NAMED "-v $T:/t $BASE sleep 1000"), 0, NULL, "");
    expect(as(_i, "%s", line), 125, "", NAME);
    expect(as(_i, "$CONTAINER start $NAME"), 0, NULL, "");
    if (has_cgroup(_i)) {
        expect(as(_i, "$CONTAINER pause $NAME"), 0, NULL, "");
        expect(as(_i, "%s", line), 125, "", NAME);
        expect(as(_i, "$CONTAINER exec --no-cgroup $NAME true"), 125, "", "pause");
    }
    expect(as(_i, "$CONTAINER kill $NAME; $CONTAINER wait $NAME"), 0, "137\n", "");
    expect(as(_i, "%s", line), 125, "", NAME);
    remove_all(_i);
    expect(as(_i, "%s", line), 125, "", NAME);
    prepare(_i, "[ ! -e ran ]");
}
END_TEST

/* ---- listed ---- */

START_TEST(ps_has_columns) {
    struct result r = as(_i, "$CONTAINER ps");
    expect(r, 0, "NAME", "");
    expect_exactly(as(_i, "$CONTAINER ps | awk -F '  +' '{ print $1, $2, $3, $4, $5, $6, NF }'"),
                   "NAME STATUS PID IP IMAGE COMMAND 6\n");
    begin(_i, "$BASE sh -c 'sleep 1000; exit 7'");
    ck_assert_int_eq(init_pid(_i), atoi(as(_i, "cat " DIR "/pid").out));
    ck_assert_str_eq(column(_i, NAME, IP), "-");
    ck_assert_str_eq(column(_i, NAME, IMAGE), getenv("BASE"));
    ck_assert_ptr_nonnull(strstr(column(_i, NAME, COMMAND), "sh -c sleep 1000; exit 7"));
    expect(as(_i, "$CONTAINER kill $NAME"), 0, NULL, "");
    ck_assert_str_eq(column(_i, NAME, PID), "-");
    expect_exactly(as(_i, "$CONTAINER ps | awk -F '  +' '{ print NF }'"), "6\n6\n");
    remove_all(_i);
    expect_exactly(as(_i, "$CONTAINER ps | wc -l"), "1\n");
}
END_TEST

START_TEST(ps_knows_every_status) {
    int status = random_between(1, 120);
    expect(as(_i, CREATE "--name one $BASE sleep 1000"), 0, "one\n", "");
    expect(as(_i, RUN "--name two $BASE sleep 1000"), 0, "two\n", "");
    expect(as(_i, RUN "--name three $BASE sleep 1000"), 0, "three\n", "");
    expect(as(_i, RUN "--name four $BASE probe exit %d", status), 0, "four\n", "");
    expect(as(_i, "$CONTAINER wait four"), 0, NULL, "");
    if (has_cgroup(_i))
        expect(as(_i, "$CONTAINER pause three"), 0, NULL, "");
    expect_status(_i, "one", "created");
    expect_status(_i, "two", "running");
    expect_status(_i, "three", has_cgroup(_i) ? "paused" : "running");
    expect_status(_i, "four", format("exited %d (", status));
    expect_exactly(as(_i, "$CONTAINER ps | wc -l"), "5\n");
    remove_all(_i);
}
END_TEST

/* When it ended is when its status was written. Any unit that is no lie will do. */
START_TEST(ps_knows_since_when) {
    static const long limits[] = { 0, 60, 3600, 86400, 10000000 };
    begin(_i, "$BASE probe exit 7");
    expect_end(_i, 7);
    for (int i = 0; i < COUNT(limits) - 1; i++) {
        long ago = random_between(limits[i], limits[i + 1]), n = -1;
        char unit[8] = "";
        prepare(_i, "touch -d @$(($(date +%%s) - %ld)) " DIR "/status", ago);
        char *status = column(_i, NAME, STATUS);
        sscanf(status, "exited 7 (%ld %7s ago)", &n, unit);
        long one = *unit == 's' ? 1 : *unit == 'm' ? 60
                                  : *unit == 'h'   ? 3600
                                                   : 86400;
        ck_assert_msg(n * one > ago - one && n * one < ago + one + 30, "%ld s: %s", ago, status);
    }
    remove_all(_i);
}
END_TEST

/* One line each, whatever was typed; and a terminal that shows it does nothing odd. */
START_TEST(ps_is_not_impressed) {
    prepare(_i, "d=$(printf 'im\\nage\\033[31m'); mkdir \"$d\" && echo $BASE >\"$d/layers\"");
    expect(as(_i, CREATE NAMED "\"./$(printf 'im\\nage\\033[31m')\" sh -c"
                               "  \"$(printf 'a\\nb\\tc\\033[31md\\r\\177e   f\\001')\""),
           0, NAME, "");
    expect(as(_i, CREATE "--name x$NAME $BASE echo $(seq 5000)"), 0, NAME, "");
    expect_exactly(as(_i, "$CONTAINER ps | wc -l"), "3\n");
    expect(as(_i, "$CONTAINER ps | LC_ALL=C grep '[[:cntrl:]]'"), 1, "", "");
    expect_status(_i, NAME, "created");
    expect_status(_i, format("x%s", NAME), "created");
    ck_assert_ptr_nonnull(strstr(column(_i, NAME, IMAGE), "./im"));
    ck_assert_ptr_nonnull(strstr(column(_i, NAME, COMMAND), "sh -c a"));
    remove_all(_i);
}
END_TEST

/* Half a container, which a crash has left: neither it nor the others are forgotten. */
START_TEST(ps_survives_half_a_container) {
    begin(_i, "$BASE sleep 1000");
    prepare(_i, "cd $CONTAINER_HOME/containers && mkdir half x && mkfifo x/status x/pid");
    expect_running(_i);
    expect(as(_i, "$CONTAINER exec half true"), 125, "", "half");
    expect(as(_i, "$CONTAINER rm -f half x"), 0, NULL, "");
    expect_exactly(as(_i, "ls $CONTAINER_HOME/containers"), format("%s\n", NAME));
    remove_all(_i);
}
END_TEST

/* Nobody has written down how it ended. What is done then, and what it prints. */
static const char *const afterwards[] = {
    "rm $NAME",
    "rm -f $NAME",
    "stop $NAME",
    "kill $NAME",
    "wait $NAME",
    "start $NAME",
};

START_TEST(nothing_hangs_without_the_watcher) {
    for (enum who who = OURSELVES; who < (enum who)users(); who++) {
        begin(who, "$BASE sh -c 'echo >>/ran; sleep 1000'");
        until(who, "[ -e " DIR "/upper/ran ]");
        pid_t watcher = watcher_pid(who);
        expect(as(who, "kill -KILL %d", watcher), 0, "", "");
        until_exited(who, 137);
        ck_assert_str_eq(column(who, NAME, PID), "-");
        expect(as(who, "$CONTAINER exec $NAME true"), 125, "", NAME);
        expect(as(who, "$CONTAINER %s", afterwards[_i]), 0,
               strncmp(afterwards[_i], "wait", 4) ? NULL : "137\n", "");
        if (!strncmp(afterwards[_i], "start", 5))
            until(who, "[ $(wc -l <" DIR "/upper/ran) = 2 ]");
        remove_all(who);
        expect_host_unchanged();
    }
}
END_TEST

START_TEST(init_may_be_killed) {
    begin(_i, "$BASE sh -c 'echo ready; sleep 1000'");
    until_logged(_i, "ready");
    expect(as(_i, "kill -KILL %d", init_pid(_i)), 0, "", "");
    until_exited(_i, 137);
    expect_end(_i, 137);
    expect_exactly(as(_i, "$CONTAINER logs $NAME; cat " DIR "/status"), "ready\nexited 137\n");
    remove_all(_i);
}
END_TEST

START_TEST(another_boot_has_other_pids) {
    begin(_i, "$BASE sleep 1000");
    prepare(_i, "cd " DIR "; cp pid $T/pid; read pid start boot <$T/pid;"
                "echo \"$pid $start $(echo $boot | tr 0-9a-f 1-9a-f0)\" >pid");
    ck_assert_ptr_null(strstr(column(_i, NAME, STATUS), "running"));
    ck_assert_str_eq(column(_i, NAME, PID), "-");
    expect(as(_i, "$CONTAINER exec $NAME true"), 125, "", NAME);
    prepare(_i, "cat $T/pid >" DIR "/pid");
    expect_running(_i);
    expect(as(_i, "$CONTAINER exec $NAME true"), 0, "", "");
    remove_all(_i);
}
END_TEST

/* $p is another process, which has started at $s, in boot $b. */
static const char *const strange_pids[] = {
    "$p $((s + 1)) $b",
    "$p $((s - 1)) $b",
    "$p 0 $b",
    "$p $s x$b",
    "$p $s ${b%?}",
    "$p $s",
    "$p",
    "",
    "-1",
    "-1 $s $b",
    "0",
    "0 $s $b",
    "1",
    "-$p $s $b",
    "x",
    "$p x $b",
    "99999999999999999999 $s $b",
    "4294967295 $s $b",
};

/* In a world of its own, because a wrong pid may mean every process there is. */
START_TEST(a_strange_pid_harms_nobody) {
    begin(OURSELVES, "$BASE true");
    expect_end(OURSELVES, 0);
    prepare(OURSELVES, "cat >script <<'EOF'\n"
                       "sleep 1000 & p=$!; b=$(cat " BOOT_ID ")\n"
                       "s=$(sed 's/.*) //' /proc/$p/stat | cut -d ' ' -f 20)\n"
                       "echo running >" DIR "/status; eval \"echo $1\" >" DIR "/pid\n"
                       "$CONTAINER ps | grep -c 'exited 137 ('\n"
                       "$CONTAINER exec $NAME true 2>/dev/null; echo $?\n"
                       "for c in 'stop -t 0' kill 'kill -s INT' pause unpause rm; do\n"
                       "    $CONTAINER $c $NAME\ndone >/dev/null 2>&1\n"
                       "kill $p; wait $p; echo $?\nEOF\n");
    expect(sh("unshare --pid --fork --mount-proc sh script '%s'", strange_pids[_i]), 0,
           "1\n125\n143\n", NULL);
    remove_all(OURSELVES);
}
END_TEST

/* ---- logs ---- */

START_TEST(logs_have_both_outputs) {
    int word = random_between(1, 1 << 30);
    begin(_i, "$BASE sh -c 'echo one; echo two >&2; echo %d; printf end'", word);
    expect_end(_i, 0);
    for (int i = 0; i < 2; i++)
        expect_exactly(as(_i, "$CONTAINER logs $NAME"), format("one\ntwo\n%d\nend", word));
    expect_exactly(as(_i, "$CONTAINER logs -f $NAME"), format("one\ntwo\n%d\nend", word));
    remove_all(_i);
    expect(as(_i, CREATE NAMED "$BASE true"), 0, NULL, "");
    expect_exactly(as(_i, "$CONTAINER logs $NAME"), "");
    remove_all(_i);
}
END_TEST

START_TEST(logs_keep_every_byte) {
    prepare(_i, "head -c %d /dev/urandom >in", random_between(100000, 200000));
    begin(_i, "-v $T:/t $BASE cat /t/in");
    expect_end(_i, 0);
    expect(as(_i, "$CONTAINER logs $NAME | cmp - in"), 0, "", "");
    remove_all(_i);
}
END_TEST

START_TEST(logs_can_be_followed) {
    begin(_i, "-v $T:/t $BASE sh -c 'echo first; until [ -e /t/go ]; do sleep 0.01; done;"
              "  echo second; until [ -e /t/end ]; do sleep 0.01; done; echo last'");
    struct terminal t = at_terminal(_i, "$CONTAINER logs -f $NAME; echo status $?");
    wait_for(&t, "first\r\n");
    ck_assert_ptr_null(strstr(t.seen, "second"));
    prepare(_i, "echo >go");
    wait_for(&t, "second\r\n");
    prepare(_i, "echo >end");
    wait_for(&t, "last\r\n");
    wait_for(&t, "status 0\r\n");
    ck_assert_int_eq(finish(&t), 0);
    remove_all(_i);
}
END_TEST

/* The last words are not lost between the end and the look. */
START_TEST(followers_hear_the_last_word) {
    for (int i = 0; i < 5; i++) {
        int n = random_between(1, 2000);
        begin(_i, "$BASE seq %d", n);
        expect_exactly(as(_i, "$CONTAINER logs -f $NAME"), sh("seq %d", n).out);
        expect_end(_i, 0);
        remove_all(_i);
    }
}
END_TEST

/* However often it looks, it keeps nothing open. */
START_TEST(followers_need_few_files) {
    begin(_i, "$BASE sh -c 'echo here; until [ -e /end ]; do sleep 0.1; done'");
    expect(as(_i, "(ulimit -n 24; exec $CONTAINER logs -f $NAME) >out & pid=$!;"
                  "until [ -s out ]; do sleep 0.01; done; sleep 3;"
                  "$CONTAINER exec $NAME touch /end; wait $pid; cat out"),
           0, "here\n", "");
    remove_all(_i);
}
END_TEST

START_TEST(followers_may_leave_and_be_left) {
    begin(_i, "$BASE sh -c 'while echo y; do sleep 0.01; done'");
    expect(as(_i, "$CONTAINER logs -f $NAME | head -n 3"), 0, "y\ny\ny\n", NULL);
    expect_running(_i);
    expect(as(_i, "$CONTAINER logs -f $NAME >out & pid=$!; until [ -s out ]; do sleep 0.01; done;"
                  "$CONTAINER rm -f $NAME >&2; wait $pid; :"),
           0, "", NULL);
    remove_all(_i);
}
END_TEST

/* Who writes too much does not fill the disk, and is not held back either. */
START_TEST(logs_are_bounded) {
    begin(_i, "$BASE sh -c 'head -c 50000000 /dev/zero | tr \"\\0\" x; exit 7'");
    for (int i = 0; i < 2; i++) {
        expect_end(_i, 7);
        expect(as(_i, "[ $(cat " DIR "/log* | wc -c) -lt 25000000 ] &&"
                      "[ $($CONTAINER logs $NAME | wc -c) -gt 50000 ]"),
               0, "", "");
        expect(as(_i, "$CONTAINER start $NAME"), 0, NULL, "");
    }
    expect_end(_i, 7);
    remove_all(_i);
}
END_TEST

/* ---- ended ---- */

START_TEST(waits_for_the_end) {
    int first = random_between(1, 120), second = random_between(1, 120);
    begin(_i, "-v $T:/t $BASE sh -c 'until [ -e /t/go ]; do sleep 0.01; done; exit %d'", first);
    struct terminal t = at_terminal(_i, "echo waiting; $CONTAINER wait $NAME; echo status $?");
    wait_for(&t, "waiting");
    expect(as(_i, RUN "--name x$NAME $BASE probe exit %d", second), 0, NULL, "");
    expect_exactly(as(_i, "$CONTAINER wait x$NAME"), format("%d\n", second));
    ck_assert_ptr_null(strstr(t.seen, "status"));
    prepare(_i, "echo >go");
    wait_for(&t, format("%d\r\nstatus 0\r\n", first));
    ck_assert_int_eq(finish(&t), 0);
    expect_exactly(as(_i, "$CONTAINER wait $NAME x$NAME $NAME"),
                   format("%d\n%d\n%d\n", first, second, first));
    expect(as(_i, "$CONTAINER wait $NAME nosuch x$NAME"), 125, format("%d\n%d\n", first, second),
           "nosuch");
    remove_all(_i);
}
END_TEST

/* Whatever becomes of what it waits for. */
START_TEST(nobody_waits_for_ever) {
    begin(_i, "$BASE sleep 1000");
    expect(as(_i, "$CONTAINER wait $NAME >out & pid=$!; $CONTAINER rm -f $NAME >&2; wait $pid; :"),
           0, "", NULL);
    begin(_i, "$BASE sleep 1000");
    expect(as(_i, "$CONTAINER wait $NAME & pid=$!; kill -9 %d; wait $pid", watcher_pid(_i)), 0,
           "137\n", "");
    remove_all(_i);
}
END_TEST

START_TEST(stop_asks_first) {
    int status = random_between(1, 120);
    begin(_i, "$BASE sh -c 'trap \"echo asked; exit %d\" TERM; echo ready; sleep 1000 & wait'",
          status);
    until_logged(_i, "ready");
    expect(as(_i, "$CONTAINER stop $NAME"), 0, NULL, "");
    expect_status(_i, NAME, format("exited %d (", status));
    expect_exactly(as(_i, "$CONTAINER logs $NAME"), "ready\nasked\n");
    remove_all(_i);
}
END_TEST

/* What ignores TERM, in sessions of its own, and with nobody's child: all of it ends, and when
 * stop returns, all has been cleaned up. */
START_TEST(stop_leaves_nothing) {
    prepare(_i, "cat >daemons <<'EOF'\n"
                "for i in 1 2 3; do\n"
                "  (setsid sh -c \"trap '' TERM HUP INT; (setsid sleep 1000 &); sleep 999\" &)\n"
                "done\n"
                "trap '' TERM; echo ready; while :; do sleep 0.1; done\nEOF\n");
    begin(_i, "-v $T:/t $BASE sh /t/daemons");
    until_logged(_i, "ready");
    until(_i, "[ $($CONTAINER exec $NAME sh -c 'ls -d /proc/[0-9]*' | wc -l) -ge 10 ]");
    expect(as(_i, "dirs=$(cat " DIR "/cgroup 2>/dev/null); $CONTAINER stop -t 1 $NAME >&2;"
                  "for d in /proc/%d $dirs; do [ ! -e $d ] || echo $d; done",
              init_pid(_i)),
           0, "", "");
    expect_status(_i, NAME, "exited 137 (");
    expect_host_unchanged();
    remove_all(_i);
}
END_TEST

/* Its watcher sleeps, because somebody has stopped it: it is woken, and hears of the end. */
START_TEST(stop_wakes_the_watcher) {
    begin(_i, "$BASE sh -c 'trap \"exit 3\" TERM; echo ready; while :; do sleep 0.1; done'");
    until_logged(_i, "ready");
    expect(as(_i, "kill -STOP $(awk '/^PPid:/ { print $2 }' /proc/%d/status) &&"
                  " $CONTAINER stop -t 5 $NAME",
              init_pid(_i)),
           0, "", "");
    expect_status(_i, NAME, "exited 3 (");
    remove_all(_i);
}
END_TEST

START_TEST(stop_and_kill_are_content_with_less) {
    static const char *const line[] = { "stop", "stop -t 0", "kill", "kill -s TERM" };
    begin(_i, "$BASE probe exit 7");
    expect_end(_i, 7);
    for (int i = 0; i < COUNT(line); i++)
        expect(as(_i, "$CONTAINER %s $NAME", line[i]), 0, "", "");
    expect_status(_i, NAME, "exited 7 (");
    expect(as(_i, "$CONTAINER rm $NAME"), 0, NULL, "");
    expect(as(_i, "$CONTAINER rm -f $NAME"), 0, "", "");
    expect(as(_i, "$CONTAINER rm $NAME"), 125, "", NAME);
    expect(as(_i, CREATE NAMED "-v $T:/t $BASE sh -c 'echo >/t/ran'"), 0, NULL, "");
    expect(as(_i, "$CONTAINER stop -t 1 $NAME"), 0, NULL, "");
    expect_status(_i, NAME, "exited ");
    prepare(_i, "[ ! -e ran ]");
    remove_all(_i);
}
END_TEST

static const char *const for_several[][2] = {
    { "stop", "exited 143" },
    { "start", "running" },
    { "kill", "" },
    { "wait", "exited 137" },
    { "rm", "" },
};

START_TEST(one_bad_name_of_several) {
    for (int i = 0; i < 2; i++)
        expect(as(_i, RUN "--name ${NAME}%d $BASE sleep 1000", i), 0, NULL, "");
    for (int i = 0; i < COUNT(for_several); i++) {
        struct result r = as(_i, "$CONTAINER %s ../x ${NAME}0 nosuch ${NAME}1", for_several[i][0]);
        expect(r, 125, NULL, "../x");
        expect(r, 125, NULL, "nosuch");
        expect_status(_i, format("%s0", NAME), for_several[i][1]);
        expect_status(_i, format("%s1", NAME), for_several[i][1]);
    }
    expect_exactly(as(_i, "$CONTAINER ps | wc -l"), "1\n");
    remove_all(_i);
}
END_TEST

static const struct {
    const char *option;
    int number;
} signals[] = {
    { "", SIGKILL },
    { "-s KILL", SIGKILL },
    { "-s SIGKILL", SIGKILL },
    { "-s 9", SIGKILL },
    { "-s TERM", SIGTERM },
    { "-s SIGTERM", SIGTERM },
    { "-s 15", SIGTERM },
    { "-s INT", SIGINT },
    { "-s HUP", SIGHUP },
    { "-s SIGQUIT", SIGQUIT },
    { "-s USR2", SIGUSR2 },
    { "-s 64", 64 },
};

START_TEST(kill_knows_signals) {
    begin(_i, "$BASE sleep 1000");
    for (int i = 0; i < COUNT(signals); i++) {
        expect(as(_i, "$CONTAINER kill %s $NAME", signals[i].option), 0, NULL, "");
        expect_end(_i, 128 + signals[i].number);
        expect(as(_i, "$CONTAINER start $NAME"), 0, NULL, "");
    }
    remove_all(_i);
}
END_TEST

/* To the program, and not to init. */
START_TEST(kill_reaches_the_program) {
    begin(_i, "$BASE probe wait-signal");
    until_logged(_i, "ready");
    expect(as(_i, "$CONTAINER kill -s USR1 $NAME && $CONTAINER kill -s 12 $NAME"), 0, NULL, "");
    until_logged(_i, "signal 10");
    until_logged(_i, "signal 12");
    expect_running(_i);
    expect(as(_i, "$CONTAINER stop $NAME"), 0, NULL, "");
    expect_status(_i, NAME, "exited 0 (");
    expect(as(_i, "$CONTAINER logs $NAME"), 0, "signal 15\n", "");
    remove_all(_i);
}
END_TEST

START_TEST(rm_refuses_what_lives) {
    expect(as(_i, CREATE NAMED "$BASE sleep 1000"), 0, NULL, "");
    expect(as(_i, "$CONTAINER rm $NAME"), 125, "", "-f");
    expect_status(_i, NAME, "created");
    expect(as(_i, "$CONTAINER start $NAME; $CONTAINER rm $NAME"), 125, NULL, "-f");
    expect_running(_i);
    if (has_cgroup(_i)) {
        expect(as(_i, "$CONTAINER pause $NAME; $CONTAINER rm $NAME"), 125, NULL, "-f");
        expect_status(_i, NAME, "paused");
        expect(as(_i, "$CONTAINER unpause $NAME"), 0, NULL, "");
    }
    expect(as(_i, "$CONTAINER stop $NAME; $CONTAINER rm $NAME"), 0, NULL, "");
    expect_exactly(as(_i, "ls -A $CONTAINER_HOME/containers 2>/dev/null || :"), "");
}
END_TEST

/* One that is created, one that runs and does not want to end, one that is paused, one that has
 * ended, and one that never was. */
START_TEST(rm_f_takes_all) {
    expect(as(_i, CREATE "--name one $BASE sleep 1000"), 0, NULL, "");
    expect(as(_i, RUN "--name two $BASE sh -c 'trap : TERM; while :; do sleep 1; done'"),
           0, NULL, "");
    expect(as(_i, RUN "--name three $BASE sleep 1000"), 0, NULL, "");
    expect(as(_i, RUN "--name four $BASE true"), 0, NULL, "");
    if (has_cgroup(_i))
        expect(as(_i, "$CONTAINER pause three"), 0, NULL, "");
    expect(as(_i, "$CONTAINER rm -f one two three four five"), 0, NULL, "");
    expect_exactly(as(_i, "ls -A $CONTAINER_HOME/containers 2>/dev/null;"
                          "$CONTAINER ps | wc -l"),
                   "1\n");
    expect_host_unchanged();
}
END_TEST

/* Deeper than a stack of 256 kB could follow. */
START_TEST(rm_goes_deep) {
    prepare(_i, "$CONTAINER run --network none --name $NAME $BASE sh -c"
                "  'mkdir -m 777 /deep && echo >/deep/file' && realpath " DIR "/upper/deep >deep");
    pid_t digger = fork();
    if (digger == 0) {
        int done = _i == ORDINARY_USER && is_root() ? setresuid(65534, 65534, 65534) : 0;
        done |= chdir(strtok(sh("cat deep").out, "\n"));
        for (int i = 0; i < 5000 && done == 0; i++) done = mkdir("d", 0777) || chdir("d");
        _exit(done != 0);
    }
    int status = -1;
    ck_assert(waitpid(digger, &status, 0) == digger && status == 0);
    expect(as(_i, "ulimit -s 256; $CONTAINER rm $NAME"), 0, "", "");
    expect_exactly(as(_i, "ls -A $CONTAINER_HOME/containers 2>/dev/null || :"), "");
}
END_TEST

/* What is not in its directory is not its own. */
START_TEST(rm_spares_the_rest) {
    prepare(_i, "mkdir data && echo >data/file");
    begin(_i, "-v $T/data:/d $BASE sh -c 'ln -s /d /link; ln -s \"'$T/data'\" /host; mkdir /none;"
              "  echo >/none/file; chmod 0 /none'");
    expect(as(_i, RUN "--name x$NAME $BASE sh -c 'echo other >/made'"), 0, NULL, "");
    expect(as(_i, "$CONTAINER wait $NAME x$NAME && $CONTAINER rm $NAME"), 0, "0\n0\n", "");
    expect_exactly(as(_i, "cat data/file $CONTAINER_HOME/containers/x$NAME/upper/made"),
                   "\nother\n");
    remove_all(_i);
}
END_TEST

/* ---- paused ---- */

static long size_of(const char *file) {
    return atol(sh("stat -c %%s %s", file).out);
}

/* The proof that time has passed is a neighbour, who goes on. */
START_TEST(pause_stops_progress) {
    const char *work = "$BASE sh -c 'while echo >>/t/$HOSTNAME; do sleep 0.01; done'";
    begin(OURSELVES, "-h one -v $T:/t %s", work);
    expect(sh(RUN "-h two -v $T:/t --name x$NAME %s", work), 0, NULL, "");
    until(OURSELVES, "[ -s one -a -s two ]");
    for (int rounds = random_between(3, 6); rounds > 0; rounds--) {
        expect(sh("$CONTAINER pause $NAME"), 0, NULL, "");
        expect_status(OURSELVES, NAME, "paused");
        long at = size_of("one"), other = size_of("two");
        until(OURSELVES, format("[ $(stat -c %%s two) -gt %ld ]", other + random_between(5, 20)));
        ck_assert_int_eq(size_of("one"), at);
        expect(sh("$CONTAINER unpause $NAME"), 0, NULL, "");
        expect_running(OURSELVES);
        until(OURSELVES, format("[ $(stat -c %%s one) -gt %ld ]", at));
    }
    remove_all(OURSELVES);
}
END_TEST

START_TEST(pause_may_be_said_twice) {
    begin(OURSELVES, "$BASE sleep 1000");
    expect(sh(RUN "--name x$NAME $BASE sleep 1000"), 0, NULL, "");
    expect(sh("$CONTAINER pause $NAME nosuch x$NAME"), 125, NULL, "nosuch");
    expect_status(OURSELVES, format("x%s", NAME), "paused");
    expect(sh("$CONTAINER unpause x$NAME nosuch $NAME"), 125, NULL, "nosuch");
    expect_running(OURSELVES);
    expect(sh("$CONTAINER unpause $NAME x$NAME"), 0, "", "");
    expect(sh("$CONTAINER pause $NAME"), 0, NULL, "");
    expect(sh("$CONTAINER pause $NAME"), 0, "", "");
    expect_status(OURSELVES, NAME, "paused");
    expect(sh("$CONTAINER unpause $NAME"), 0, NULL, "");
    expect(sh("$CONTAINER unpause $NAME"), 0, "", "");
    expect_running(OURSELVES);
    expect(sh("$CONTAINER stop $NAME"), 0, NULL, "");
    expect(sh("$CONTAINER pause $NAME"), 125, "", NAME);
    expect_status(OURSELVES, NAME, "exited 143 (");
    remove_all(OURSELVES);
}
END_TEST

/* Where there is no cgroup there is nothing to freeze, and the remedy is said. */
START_TEST(pause_needs_a_cgroup) {
    begin(ORDINARY_USER, "$BASE sleep 1000");
    expect(sh_user("$CONTAINER pause $NAME"), 125, "", "cgroup");
    expect_running(ORDINARY_USER);
    remove_all(ORDINARY_USER);
}
END_TEST

/* A frozen process hears no signal. How one is ended, and what ps says of it then. */
static const char *const thaws[][2] = {
    { "stop", "^$NAME  *exited 143 (" },
    { "kill", "^$NAME  *exited 137 (" },
    { "rm -f", "^NAME" },
};

START_TEST(paused_ones_can_be_ended) {
    begin(OURSELVES, "$BASE sh -c 'sleep 999 & exec sleep 1000'");
    expect(sh("$CONTAINER pause $NAME && $CONTAINER %s $NAME", thaws[_i][0]), 0, NULL, "");
    until(OURSELVES, format("$CONTAINER ps | tail -n 1 | grep -q \"%s\"", thaws[_i][1]));
    expect_host_unchanged();
    remove_all(OURSELVES);
}
END_TEST

/* In version 1 not even SIGKILL ends what is frozen. */
START_TEST(paused_ones_can_lose_their_watcher) {
    begin(OURSELVES, "$BASE sh -c 'sleep 999 & exec sleep 1000'");
    pid_t watcher = watcher_pid(OURSELVES), init = init_pid(OURSELVES);
    expect(sh("$CONTAINER pause $NAME && kill -KILL %d", watcher), 0, NULL, "");
    expect(sh("$CONTAINER rm -f $NAME"), 0, NULL, "");
    until(OURSELVES, format("{ [ ! -e /proc/%d ] || grep -q '^State:.Z' /proc/%d/status; }", init,
                            init));
    expect_exactly(sh("ls -A $CONTAINER_HOME/containers 2>/dev/null || :"), "");
    expect_host_unchanged();
}
END_TEST

/* ---- committed ---- */

/* ./image: a layer of the user's own on top of BASE. Somebody else's could not be changed by an
 * ordinary user. The program counts its runs, and changes what was below. */
static void make_image(enum who who) {
    prepare(who, "mkdir -p image own/opt/old && echo below >own/opt/gone &&"
                 "echo below >own/opt/old/file && echo below >own/opt/changed &&"
                 "printf '%%s\\n' $T/own $BASE >image/layers &&"
                 "printf '%%s\\n' -e FROM=image sh /opt/program >image/args &&"
                 "cat >own/opt/program <<'EOF'\n"
                 "echo run >>/runs; umask 022\n"
                 "[ ! -e /again ] || exit 0; touch /again; cd /opt\n"
                 "rm gone; rm -r old; mkdir old; echo new >old/new; echo more >>changed\n"
                 "echo data >/made; ln /made /hard; chmod 640 /made; touch -d @981173106 /made\n"
                 "mkfifo /fifo; ln -s /nowhere /link; mkdir -m 1777 /sticky; : >/empty\n"
                 "EOF\n");
}

/* A set-uid program that a container has made is not for the host's users. */
START_TEST(committed_layers_are_closed) {
    begin(OURSELVES, "$BASE sh -c 'cp /bin/probe /su && chmod 4755 /su'");
    expect(sh("chmod 755 . $CONTAINER_HOME; $CONTAINER wait $NAME && $CONTAINER commit $NAME work"),
           0, "0\n", "");
    expect(sh("ls $CONTAINER_HOME/layers/work-*/su"), 0, "/su\n", "");
    expect(sh("setpriv --reuid 65534 --regid 65534 --clear-groups"
              "  sh -c 'ls '$CONTAINER_HOME/layers/work-*/su"),
           2, "", "denied");
    expect(sh("$CONTAINER run --rm --network none work ls /su"), 0, "/su\n", "");
    remove_all(OURSELVES);
}
END_TEST

static void commit_it(enum who who, const char *image) {
    expect(as(who, "$CONTAINER wait $NAME && $CONTAINER commit $NAME %s", image), 0, "0\n", "");
}

/* What a container sees of the program's work; the same before and after. */
#define LOOK \
    "sh -c 'cd /; cat made hard opt/changed; ls opt; ls opt/old; readlink link;" \
    "  stat -c \"%%a %%Y %%h %%s\" made; [ made -ef hard ] && echo same;" \
    "  [ -p fifo ] && echo fifo; cat opt/gone; stat -c %%a sticky; cat runs'"
#define SEEN \
    "data\ndata\nbelow\nmore\nchanged\nold\nprogram\nnew\n/nowhere\n640 981173106 2 5\nsame\n" \
    "fifo\n1777\nrun\n"

START_TEST(commit_keeps_all_changes) {
    make_image(_i);
    begin(_i, "./image");
    commit_it(_i, "work");
    struct result r = as(_i, "$CONTAINER run --rm --network none work " LOOK);
    expect(r, 0, SEEN, "opt/gone");
    ck_assert_str_eq(r.out, SEEN);
    expect_exactly(as(_i, "ls -A " DIR "/upper; tail -n 2 $CONTAINER_HOME/images/work/layers"),
                   format("%s/own\n%s\n", getenv("T"), getenv("BASE")));
    remove_all(_i);
    expect(as(_i, "$CONTAINER run --rm --network none work " LOOK), 0, SEEN, NULL);
    expect_exactly(as(_i, "cat own/opt/gone own/opt/old/file own/opt/changed"),
                   "below\nbelow\nbelow\n");
}
END_TEST

/* The image's own arguments are the new image's. */
START_TEST(commit_keeps_the_arguments) {
    make_image(_i);
    begin(_i, "./image");
    commit_it(_i, "work");
    expect(as(_i, RUN "--name x$NAME work"), 0, NAME, "");
    expect_exactly(as(_i, "$CONTAINER wait x$NAME"), "0\n");
    expect_exactly(as(_i, "cat $CONTAINER_HOME/containers/x$NAME/upper/runs"), "run\nrun\n");
    expect_exactly(as(_i, "$CONTAINER run --rm --network none work sh -c 'echo $FROM'"), "image\n");
    remove_all(_i);
}
END_TEST

/* The container goes on above what was committed, and its next layer above that. */
START_TEST(commits_stack) {
    make_image(_i);
    begin(_i, "./image");
    commit_it(_i, "one");
    for (int i = 0; i < 2; i++) {
        expect(as(_i, "$CONTAINER start $NAME"), 0, NAME, "");
        commit_it(_i, i ? "three" : "two");
    }
    expect_exactly(as(_i, "cd $CONTAINER_HOME/images; for i in one two three; do"
                          "  wc -l <$i/layers; $CONTAINER run --rm --network none $i wc -l /runs;"
                          "done"),
                   "3\n1 /runs\n4\n2 /runs\n5\n3 /runs\n");
    expect_exactly(as(_i, "cat " DIR "/layers"),
                   as(_i, "$CONTAINER start $NAME >&2; cat " DIR "/layers").out);
    expect_exactly(as(_i, "wc -l <" DIR "/layers"), "5\n");
    expect_end(_i, 0);
    expect_exactly(as(_i, "wc -l <" DIR "/upper/runs"), "4\n");
    remove_all(_i);
    expect_exactly(as(_i, "$CONTAINER run --rm --network none two wc -l /runs"), "2 /runs\n");
}
END_TEST

START_TEST(commit_of_a_plain_image) {
    int word = random_between(1, 1 << 30);
    begin(_i, "$BASE sh -c 'echo %d >/made'", word);
    commit_it(_i, "work");
    expect_exactly(as(_i, "$CONTAINER run --rm --network none work cat /made"),
                   format("%d\n", word));
    remove_all(_i);
    begin(_i, "work true"); /* nothing written */
    commit_it(_i, "same");
    expect_exactly(as(_i, "$CONTAINER run --rm --network none same cat /made"),
                   format("%d\n", word));
    remove_all(_i);
}
END_TEST

/* What only root can make: owners, devices, set-user-id files; and attributes. */
START_TEST(commit_keeps_what_is_roots) {
    int uid = random_between(1, 60000), gid = random_between(1, 60000);
    char value[32] = "", *word = format("%d", random_between(1, 1 << 30));
    begin(OURSELVES, "--cap-add MKNOD $BASE sh -c 'cd /; echo >file; chown %d:%d file;"
                     "  chmod 6755 file; mknod zero c 1 5; mknod disk b 7 0; mkfifo -m 600 fifo;"
                     "  chown -h %d:0 fifo'",
          uid, gid, uid);
    expect_end(OURSELVES, 0);
    char *path = sh("printf %%s " DIR "/upper/file").out;
    ck_assert_msg(setxattr(path, "user.word", word, strlen(word), 0) == 0, "%s", path);
    commit_it(OURSELVES, "work");
    expect(sh("$CONTAINER create --network none --name x$NAME work true"), 0, NULL, "");
    pid_t init = atoi(column(OURSELVES, format("x%s", NAME), PID));
    expect_exactly(sh("cd /proc/%d/root; stat -c '%%F %%u:%%g %%a %%t:%%T' file zero disk fifo",
                      init),
                   format("regular file %d:%d 6755 0:0\ncharacter special file 0:0 644 1:5\n"
                          "block special file 0:0 644 7:0\nfifo %d:0 600 0:0\n",
                          uid, gid, uid));
    ck_assert_int_gt(getxattr(format("/proc/%d/root/file", init), "user.word", value, 31), 0);
    ck_assert_str_eq(value, word);
    remove_all(OURSELVES);
}
END_TEST

START_TEST(commit_wants_a_stopped_one) {
    expect(as(_i, CREATE NAMED "$BASE sh -c 'echo >/made; sleep 1000'"), 0, NULL, "");
    expect(as(_i, "$CONTAINER commit $NAME work"), 125, "", NAME);
    expect(as(_i, "$CONTAINER start $NAME"), 0, NULL, "");
    until(_i, "[ -e " DIR "/upper/made ]");
    expect(as(_i, "$CONTAINER commit $NAME work"), 125, "",
           "rootfs/image commit");
    if (has_cgroup(_i))
        expect(as(_i, "$CONTAINER pause $NAME; $CONTAINER commit $NAME work"), 125, NULL,
               NAME);
    expect_exactly(as(_i, "ls -A $CONTAINER_HOME/images 2>/dev/null; ls " DIR "/upper"), "made\n");
    remove_all(_i);
}
END_TEST

static const char *const bad_images[] = { "../x", "a/b", "''", ".", "..", "/x", "'a b'", "-x" };

START_TEST(commit_refuses_odd_images) {
    begin(_i, "$BASE sh -c 'echo >/made'");
    expect_end(_i, 0);
    for (int i = 0; i < COUNT(bad_images); i++)
        expect(as(_i, "$CONTAINER commit $NAME %s", bad_images[i]), 125, "", "container: ");
    expect_exactly(as(_i, "ls -A $CONTAINER_HOME/images 2>/dev/null; ls " DIR "/upper;"
                          "ls $CONTAINER_HOME | grep -v images"),
                   "made\ncontainers\n");
    remove_all(_i);
}
END_TEST

/* A second of the same name may be refused or take its place, but neither is half one. */
START_TEST(commit_loses_nothing) {
    begin(_i, "$BASE sh -c 'echo first >/made'");
    commit_it(_i, "work");
    remove_all(_i);
    begin(_i, "$BASE sh -c 'echo second >/made'");
    expect_end(_i, 0);
    struct result r = as(_i, "$CONTAINER commit $NAME work");
    if (r.status != 0)
        expect(r, 125, "", "work");
    expect_exactly(as(_i, "$CONTAINER run --rm --network none work cat /made"),
                   r.status ? "first\n" : "second\n");
    expect(as(_i, "$CONTAINER commit $NAME other"), 0, NULL, "");
    expect_exactly(as(_i, "$CONTAINER run --rm --network none other cat /made"), "second\n");
    remove_all(_i);
}
END_TEST

/* ---- crowd ---- */

START_TEST(many_have_their_own_names_and_addresses) {
    const char *network = has_cgroup(_i) ? "bridge" : "none";
    expect_exactly(as(_i, "for i in $(seq 20); do $CONTAINER run -d --network %s $BASE sleep 1000 &"
                          "done >names; wait; sort -u names | wc -l",
                      network),
                   "20\n");
    expect_exactly(as(_i, "$CONTAINER ps | grep -c ' running '"), "20\n");
    expect_exactly(as(_i, "$CONTAINER ps | awk -F '  +' 'NR > 1 { print $3 }' | sort -u | wc -l"),
                   "20\n");
    if (has_cgroup(_i))
        expect_exactly(sh("$CONTAINER ps | awk -F '  +' '$4 ~ /^10[.]66[.]/ { print $4 }' |"
                          "sort -u | wc -l"),
                       "20\n");
    expect(as(_i, "$CONTAINER stop -t 0 $(cat names) && $CONTAINER rm $(cat names)"), 0, NULL, "");
    remove_all(_i);
}
END_TEST

/* How often LINE stands in TEXT. */
static int count(const char *text, const char *line) {
    int n = 0;
    while ((text = strstr(text, line)) && ++n) text++;
    return n;
}

START_TEST(a_name_is_given_to_one) {
    char *out = as(_i, "for i in 1 2 3 4 5 6; do (" RUN NAMED "$BASE sleep 1000; echo status $?) &"
                       "done 2>&1; wait")
                    .out;
    ck_assert_msg(count(out, "status 0\n") == 1 && count(out, "status 125\n") == 5, "%s", out);
    expect_running(_i);
    remove_all(_i);
}
END_TEST

/* Of many that start it one does. The others see that it runs, or are told that somebody else is
 * at it. */
START_TEST(it_is_started_once) {
    expect(as(_i, CREATE NAMED "$BASE sh -c 'echo >>/ran; sleep 1000'"), 0, NULL, "");
    for (int i = 1; i <= 4; i++) {
        struct result r = as(_i, "for i in 1 2 3 4; do ($CONTAINER start $NAME; echo $?) & done;"
                                 "wait");
        expect(r, 0, format("%s\n", NAME), NULL);
        ck_assert_msg(count(r.out, "\n0\n") + count(r.out, "125\n") == 4, "%s%s", r.out, r.err);
        expect_running(_i);
        until(_i, format("[ $(wc -l <" DIR "/upper/ran) -ge %d ]", i));
        expect(as(_i, "$CONTAINER stop -t 1 $NAME"), 0, NULL, "");
        expect_exactly(as(_i, "wc -l <" DIR "/upper/ran"), format("%d\n", i));
    }
    remove_all(_i);
}
END_TEST

/* Some come too early, some too late, and some in between. The last to come must not keep the
 * cgroup. */
static const char *const endings[] = { "stop -t 0", "kill", "rm -f" };

START_TEST(exec_storms_end) {
    for (enum who who = OURSELVES; who < (enum who)users(); who++) {
        begin(who, "$BASE sleep 1000");
        struct result r = as(who, "for i in 1 2 3 4; do (until $CONTAINER exec $NAME true;"
                                  "  s=$?; [ $s != 0 ]; do echo >>did$i; done; echo status $s) &"
                                  "done;"
                                  "until [ -s did1 -a -s did2 -a -s did3 -a -s did4 ]; do"
                                  "  sleep 0.01; done; $CONTAINER %s $NAME >&2; wait; rm did*",
                             endings[_i]);
        if (count(r.out, "status 125\n") + count(r.out, "status 137\n") != 4)
            expect(r, 0, "status 125 or 137, four times", NULL);
        remove_all(who);
        expect_host_unchanged();
    }
}
END_TEST

/* Whoever wins: it has ended, runs, or is gone, and can be removed. */
static void expect_clean(enum who who) {
    char *status = column(who, NAME, STATUS);
    if (*status && strncmp(status, "exited ", 7) != 0 && strcmp(status, "running") != 0)
        ck_abort_msg("%s", as(who, "$CONTAINER ps; cd " DIR " && ls && cat status pid").out);
    if (!strcmp(status, "running"))
        expect(as(who, "$CONTAINER exec $NAME true"), 0, "", "");
    if (!*status)
        prepare(who, "[ ! -e " DIR " ]");
    remove_all(who);
    expect_host_unchanged();
}

START_TEST(start_stop_and_rm_may_meet) {
    for (int round = 0; round < 8; round++) {
        begin(_i, "$BASE sh -c 'exec sleep 1000'");
        expect(as(_i, "for i in 1 2 3; do $CONTAINER stop -t 0 $NAME & $CONTAINER start $NAME &"
                      "  %s done >/dev/null 2>&1; wait",
                  round % 2 ? "" : "$CONTAINER rm -f $NAME &"),
               0, "", "");
        expect_clean(_i);
    }
}
END_TEST

START_TEST(pause_unpause_and_stop_may_meet) {
    for (int round = 0; round < 8; round++) {
        begin(OURSELVES, "$BASE sh -c 'sleep 999 & exec sleep 1000'");
        expect(sh("for i in 1 2 3; do $CONTAINER pause $NAME & $CONTAINER unpause $NAME & done"
                  "  >/dev/null 2>&1; $CONTAINER %s $NAME >/dev/null; wait",
                  round % 2 ? "rm -f" : "stop -t 1"),
               0, "", "");
        expect_clean(OURSELVES);
    }
}
END_TEST

/* Two that want the same layer: both images work, and the data is in one of them at least. */
START_TEST(commits_may_meet) {
    for (int round = 0; round < 4; round++) {
        begin(_i, "$BASE sh -c 'echo data >/made'");
        expect_end(_i, 0);
        struct result r = as(_i, "for i in 1 2; do $CONTAINER commit $NAME r%d-$i & done 2>&1;"
                                 "wait; cd $CONTAINER_HOME/images; for i in r%d-*; do"
                                 "  $CONTAINER run --rm --network none $i sh -c"
                                 "  'cat /made || echo none' 2>/dev/null || echo broken; done",
                             round, round);
        expect(r, 0, "data\n", "");
        ck_assert_ptr_null(strstr(r.out, "broken"));
        expect(as(_i, "$CONTAINER start $NAME"), 0, NULL, "");
        expect_end(_i, 0);
        remove_all(_i);
    }
}
END_TEST

/* ---- all of them ---- */

static void add_started(Suite *s) {
    TCase *t = new_case(s, "started");
    tcase_add_loop_test(t, create_stops_before_the_program, 0, users());
    tcase_add_loop_test(t, starts_again_with_all_it_had, 0, users());
    tcase_add_loop_test(t, finds_its_image_again, 0, users());
    tcase_add_loop_test(t, keeps_every_argument, 0, users());
    tcase_add_loop_test(t, start_leaves_a_running_one_alone, 0, users());
    tcase_add_loop_test(t, starts_several, 0, users());
    tcase_add_loop_test(t, start_may_fail_and_be_repeated, 0, users());
    if (is_root()) {
        tcase_add_test(t, create_makes_all_but_the_program);
        tcase_add_test(t, keeps_its_address);
    }
}

static void add_exec(Suite *s) {
    TCase *t = new_case(s, "exec");
    tcase_add_loop_test(t, exec_has_the_commands_status, 0, users());
    tcase_add_loop_test(t, exec_is_in_the_same_world, 0, users());
    tcase_add_loop_test(t, exec_has_the_same_powers, 0, COUNT(powers));
    tcase_add_loop_test(t, exec_can_do_no_more, 0, users());
    tcase_add_loop_test(t, exec_has_the_environment, 0, users());
    tcase_add_loop_test(t, exec_passes_bytes, 0, users());
    tcase_add_loop_test(t, exec_has_a_terminal, 0, users());
    tcase_add_loop_test(t, exec_at_a_terminal_can_be_interrupted, 0, users());
    tcase_add_loop_test(t, exec_ends_with_its_client, 0, users());
    tcase_add_loop_test(t, exec_does_not_wait_for_others, 0, users());
    tcase_add_loop_test(t, exec_ends_with_the_container, 0, users());
    tcase_add_loop_test(t, exec_wants_a_running_one, 0, users());
    if (is_root()) {
        tcase_add_loop_test(t, exec_has_inits_namespaces, 0, users());
        tcase_add_test(t, exec_is_in_the_cgroup);
        tcase_add_test(t, exec_shares_the_limit);
        tcase_add_test(t, exec_shows_nothing_of_the_host);
        tcase_add_test(t, exec_as_another_user_has_none);
    }
}

static void add_listed(Suite *s) {
    TCase *t = new_case(s, "listed");
    tcase_add_loop_test(t, ps_has_columns, 0, users());
    tcase_add_loop_test(t, ps_knows_every_status, 0, users());
    tcase_add_loop_test(t, ps_knows_since_when, 0, users());
    tcase_add_loop_test(t, ps_is_not_impressed, 0, users());
    tcase_add_loop_test(t, ps_survives_half_a_container, 0, users());
    tcase_add_loop_test(t, nothing_hangs_without_the_watcher, 0, COUNT(afterwards));
    tcase_add_loop_test(t, init_may_be_killed, 0, users());
    tcase_add_loop_test(t, another_boot_has_other_pids, 0, users());
    if (is_root())
        tcase_add_loop_test(t, a_strange_pid_harms_nobody, 0, COUNT(strange_pids));

    t = new_case(s, "logs");
    tcase_add_loop_test(t, logs_have_both_outputs, 0, users());
    tcase_add_loop_test(t, logs_keep_every_byte, 0, users());
    tcase_add_loop_test(t, logs_can_be_followed, 0, users());
    tcase_add_loop_test(t, followers_hear_the_last_word, 0, users());
    tcase_add_loop_test(t, followers_need_few_files, 0, users());
    tcase_add_loop_test(t, followers_may_leave_and_be_left, 0, users());
    tcase_add_loop_test(t, logs_are_bounded, 0, users());
}

static void add_ended(Suite *s) {
    TCase *t = new_case(s, "ended");
    tcase_add_loop_test(t, waits_for_the_end, 0, users());
    tcase_add_loop_test(t, nobody_waits_for_ever, 0, users());
    tcase_add_loop_test(t, stop_asks_first, 0, users());
    tcase_add_loop_test(t, stop_leaves_nothing, 0, users());
    tcase_add_loop_test(t, stop_wakes_the_watcher, 0, users());
    tcase_add_loop_test(t, stop_and_kill_are_content_with_less, 0, users());
    tcase_add_loop_test(t, one_bad_name_of_several, 0, users());
    tcase_add_loop_test(t, kill_knows_signals, 0, users());
    tcase_add_loop_test(t, kill_reaches_the_program, 0, users());
    tcase_add_loop_test(t, rm_refuses_what_lives, 0, users());
    tcase_add_loop_test(t, rm_f_takes_all, 0, users());
    tcase_add_loop_test(t, rm_goes_deep, 0, users());
    tcase_add_loop_test(t, rm_spares_the_rest, 0, users());

    t = new_case(s, "paused");
    if (is_root()) {
        tcase_add_test(t, pause_stops_progress);
        tcase_add_test(t, pause_may_be_said_twice);
        tcase_add_loop_test(t, paused_ones_can_be_ended, 0, COUNT(thaws));
        tcase_add_test(t, paused_ones_can_lose_their_watcher);
        tcase_add_loop_test(t, pause_needs_a_cgroup, 0, users() - 1);
    } else
        left_out("pause and limits", "to make cgroups needs root");
}

static void add_committed(Suite *s) {
    TCase *t = new_case(s, "committed");
    tcase_add_loop_test(t, commit_keeps_all_changes, 0, users());
    tcase_add_loop_test(t, commit_keeps_the_arguments, 0, users());
    tcase_add_loop_test(t, commits_stack, 0, users());
    tcase_add_loop_test(t, commit_of_a_plain_image, 0, users());
    tcase_add_loop_test(t, commit_wants_a_stopped_one, 0, users());
    tcase_add_loop_test(t, commit_refuses_odd_images, 0, users());
    tcase_add_loop_test(t, commit_loses_nothing, 0, users());
    if (is_root()) {
        tcase_add_test(t, commit_keeps_what_is_roots);
        tcase_add_test(t, committed_layers_are_closed);
    }

    t = new_case(s, "crowd");
    tcase_add_loop_test(t, many_have_their_own_names_and_addresses, 0, users());
    tcase_add_loop_test(t, a_name_is_given_to_one, 0, users());
    tcase_add_loop_test(t, it_is_started_once, 0, users());
    tcase_add_loop_test(t, exec_storms_end, 0, COUNT(endings));
    tcase_add_loop_test(t, start_stop_and_rm_may_meet, 0, users());
    if (is_root())
        tcase_add_test(t, pause_unpause_and_stop_may_meet);
    tcase_add_loop_test(t, commits_may_meet, 0, users());
}

Suite *life_suite(void) {
    Suite *s = suite_create("life");
    TCase *t = new_case(s, "refused");
    tcase_add_loop_test(t, strangers_are_refused, 0, COUNT(commands));
    tcase_add_test(t, strangers_are_not_removed);
    tcase_add_test(t, wrong_arguments_change_nothing);
    tcase_add_test(t, missing_arguments_are_named);
    tcase_add_test(t, help_has_all_commands);

    t = new_case(s, "detached");
    tcase_add_loop_test(t, prints_its_name, 0, users());
    tcase_add_loop_test(t, says_itself_what_failed, 0, COUNT(failures));
    tcase_add_loop_test(t, create_or_start_says_what_failed, 0, COUNT(failures));
    tcase_add_loop_test(t, lets_its_caller_go, 0, users());
    tcase_add_loop_test(t, has_nothing_of_its_callers, 0, users());
    tcase_add_loop_test(t, outlives_its_terminal, 0, users());
    tcase_add_loop_test(t, leaves_the_callers_input, 0, users());
    tcase_add_loop_test(t, removes_itself_with_rm, 0, users());
    tcase_add_loop_test(t, facts_are_files, 0, users());
    tcase_add_loop_test(t, one_in_front_has_a_life_too, 0, users());

    add_started(s);
    add_exec(s);
    add_listed(s);
    add_ended(s);
    add_committed(s);
    return s;
}
