/* SPDX-License-Identifier: MIT */
/*
 * test_life.c - the life of a container that nobody sits in front of.
 *
 *      refused      bad names, options and values: 125, and nothing has changed
 *      detached     run -d: its name or why not, and nothing of the caller's stays open
 *      started      create, start, and start again
 *      exec         one more program inside: the same world, the same powers
 *      stdio        what run and exec pass on: every kind of standard input and output
 *      listed       ps, whatever has happened meanwhile
 *      logs         what it has written
 *      ended        wait, stop, kill, rm
 *      paused       pause, unpause
 *      crowd        many at once, on many names and on one
 *
 * No test sleeps and then looks. Where something must happen, until() asks again and again, and
 * sh's time limit is the deadline; where nothing may happen, something else must happen first.
 */
#include "test.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Most tests here need no network, and without one they are faster. */
#define RUN "$CONTAINER run -d --network none "
#define CREATE "$CONTAINER create --network none "
#define NAME getenv("NAME")
#define NAMED "--name $NAME "
#define DIR "$CONTAINER_HOME/containers/$NAME"

enum column { STATUS = 2,
              PID,
              IP,
              IMAGE,
              ARGUMENTS };

/* Make what a test needs: it must succeed, and say nothing. */
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

static void expect_exited(enum who who, int status) {
    char *said = column(who, NAME, STATUS), *want = format("exited %d", status);
    size_t length = strlen(want);
    ck_assert_msg(!strncmp(said, want, length) && (!said[length] || said[length] == ' '),
                  "%s is \"%s\", expected \"%s\"", NAME, said, want);
}

static void until_exited(enum who who, int status) {
    until(who, format("$CONTAINER ps | grep -q \"^$NAME  *exited %d \"", status));
}

/* What `wait` prints for $NAME. */
static void expect_end(enum who who, int status) {
    expect_exactly(as(who, "$CONTAINER wait $NAME"), format("%d\n", status));
}

static pid_t init_pid(enum who who) {
    pid_t pid = atoi(column(who, NAME, PID));
    ck_assert_msg(pid > 1, "no pid:\n%s", as(who, "$CONTAINER ps").out);
    return pid;
}

static pid_t watcher_pid(enum who who) {
    pid_t watcher = watcher_of(who, NAME);
    ck_assert_int_gt(watcher, 1);
    return watcher;
}

/* The end of each test. Nothing is left but empty directories. */
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

/* A directory outside of containers/ is not a container, even if it looks like one. */
START_TEST(strangers_are_refused) {
    expect(sh("$CONTAINER run --network none " NAMED "$BASE true; cd $CONTAINER_HOME &&"
              "mv containers/$NAME x"),
           0, "", "");
    char *before = sh("cd $CONTAINER_HOME; find . | sort; cat x/exit").out;
    for (int i = 0; i < COUNT(strangers); i++) {
        struct result r = sh("$CONTAINER %s %s %s", commands[_i][0], strangers[i],
                             commands[_i][1]);
        expect(r, 125, "", "container: ");
        expect(r, 125, "", strtok(format("%s", strangers[i]), "'"));
    }
    ck_assert_str_eq(sh("cd $CONTAINER_HOME; find . | sort; cat x/exit").out, before);
}
END_TEST

/* A stranger may be unknown, or not a name at all: nothing is removed. */
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
    { "rm -Z",                           "",      "-Z" },
    { "start -f",                        "",      "-f" },
    { "exec",                            "",      "COMMAND" },
    { "exec -e =x",                      "true",  "=x" },
    { "exec -e ''",                      "true",  "NAME" },
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
    struct result r = sh("$CONTAINER help");
    for (int i = 0; i < COUNT(commands); i++)
        expect(r, 0, strtok(format("%s", commands[i][0]), " "), "");
    expect(r, 0, "run", "");
    expect(r, 0, "create", "");
    expect(r, 0, "ps", "");
    expect(sh("$CONTAINER --help"), 0, "exec", "");
    expect_exactly(sh("$CONTAINER --version"), "container 2.0\n");
}
END_TEST

/* Each command has a page of help, in two spellings, and does nothing else then. */
START_TEST(every_command_has_help) {
    const char *word = strtok(format("%s", commands[_i][0]), " ");
    struct result r = sh("$CONTAINER %s --help", word);
    expect(r, 0, word, "");
    expect_exactly(sh("$CONTAINER help %s", word), r.out);
    expect(sh("ls -A $CONTAINER_HOME 2>/dev/null || :"), 0, "", "");
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

/* What create does not find out is said by start, and the container stays as it was. */
START_TEST(create_or_start_says_what_failed) {
    for (enum who who = OURSELVES; who < (enum who)users(); who++) {
        struct result r = as(who, CREATE "%s", failures[_i].arguments);
        if (r.status == 0) {
            char *name = strtok(r.out, "\n");
            r = as(who, "$CONTAINER start %s", name);
            expect_status(who, name, "created");
        }
        expect(r, failures[_i].status, "", failures[_i].says);
        ck_assert_ptr_null(strstr(as(who, "$CONTAINER ps").out, "running"));
        remove_all(who);
        expect_host_unchanged();
    }
}
END_TEST

/* Whoever waits for the end of our output does not wait for the end of the container. */
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

/* The watcher, init and the program have nothing open that is their caller's. */
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
    close(t.keys); /* everybody at the terminal gets SIGHUP */
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

/* What is kept stands where the manual says, as a program would read it. */
START_TEST(facts_are_files) {
    begin(_i, "$BASE sh -c 'sleep 1000; exit 1'");
    ck_assert_str_eq(fact(_i, NAME, "pid"), format("%d", init_pid(_i)));
    expect_exactly(as(_i, "cd " DIR "; cat exit image layers"),
                   format("137\n%s\n%s\n", getenv("BASE"), getenv("BASE")));
    expect(as(_i, "printf '%%s\\0' run -d --network none --name $NAME $BASE sh -c"
                  "  'sleep 1000; exit 1' | cmp - " DIR "/arguments"),
           0, "", "");
    expect(as(_i, "stat -c %%a $CONTAINER_HOME/containers"), 0, "700\n", "");
    if (has_cgroup(_i))
        expect_exactly(sh("for d in $(cat " DIR "/cgroup); do [ -d $d ] || echo $d; done"), "");
    expect(as(_i, "$CONTAINER kill $NAME; cat " DIR "/exit"), 0, "137\n", NULL);
    remove_all(_i);
    begin(_i, "$BASE probe exit 7"); /* the number keeps its width, so that a full disk has room */
    expect_end(_i, 7);
    expect_exactly(as(_i, "cat " DIR "/exit"), "7  \n");
    remove_all(_i);
}
END_TEST

/* No fact is replaced in the next life; only init's number is another file, because the lock on
 * the old one may last. A file that is open keeps its inode from being used again. */
START_TEST(facts_are_written_once) {
    static const char look[] = "cd " DIR "; stat -c '%n %i %z' arguments image args layers";
    begin(_i, "$BASE sleep 1000");
    char *facts = as(_i, "%s", look).out, *pid = as(_i, "stat -c %%i " DIR "/pid").out;
    int first = open(as(_i, "printf %%s " DIR "/pid").out, O_RDONLY | O_CLOEXEC);
    char *end = as(_i, "stat -c %%i " DIR "/exit").out;
    ck_assert_int_ne(first, -1);
    expect(as(_i, "$CONTAINER stop $NAME"), 0, NULL, "");
    expect_exactly(as(_i, "stat -c %%i " DIR "/exit"), end); /* written over what was there */
    expect(as(_i, "$CONTAINER start $NAME"), 0, NAME, "");
    expect_exactly(as(_i, "%s", look), facts);
    ck_assert_str_ne(as(_i, "stat -c %%i " DIR "/pid").out, pid);
    expect(as(_i, "$CONTAINER stop $NAME"), 0, NULL, "");
    expect_exactly(as(_i, "%s", look), facts);
    close(first);
    remove_all(_i);
}
END_TEST

/* A container that its caller waits for is one more kind of container for ps, exec and stop. */
START_TEST(one_in_front_has_a_life_too) {
    int word = random_between(1, 1 << 30);
    expect(as(_i, "$CONTAINER run --network none " NAMED "$BASE sleep 1000 & pid=$!;"
                  "until $CONTAINER ps | grep -q \"^$NAME  *running\"; do sleep 0.01; done;"
                  "$CONTAINER exec $NAME sh -c 'echo %d >/made' && $CONTAINER stop $NAME >&2;"
                  "wait $pid; echo status $?; cat " DIR "/upper/made",
              word),
           0, format("status 143\n%d\n", word), NULL);
    expect_exited(_i, 143);
    expect_exactly(as(_i, "$CONTAINER start $NAME"), format("%s\n", NAME));
    expect_exactly(as(_i, "$CONTAINER exec $NAME cat /made"), format("%d\n", word));
    remove_all(_i);
}
END_TEST

/* ---- started ---- */

START_TEST(create_only_prepares) {
    int port = new_port();
    prepare(_i, "$PROBE bind 127.0.0.1 %d tcp | grep -q allowed", port);
    expect_exactly(as(_i, "$CONTAINER create " NAMED "%s -p %d:80 -v $T:/t $BASE sh -c"
                          "  'echo >>/t/ran; sleep 1000'",
                      has_cgroup(_i) ? "-m 64M" : "", port),
                   format("%s\n", NAME));
    expect_host_unchanged(); /* no process, no cgroup, no link */
    expect_status(_i, NAME, "created");
    ck_assert_str_eq(column(_i, NAME, PID), "-");
    prepare(_i, "$PROBE bind 127.0.0.1 %d tcp | grep -q allowed", port);
    prepare(_i, "cd " DIR " && for f in pid exit log; do [ ! -e $f ] || echo $f; done");
    prepare(_i, "[ ! -e ran ]");
    expect_exactly(as(_i, "$CONTAINER start $NAME"), format("%s\n", NAME));
    until(_i, "[ -e ran ]");
    expect_running(_i);
    expect(as(_i, "$PROBE bind 127.0.0.1 %d tcp", port), 1, "EADDRINUSE", "");
    remove_all(_i);
    expect_exactly(as(_i, "wc -l <ran"), "1\n");
}
END_TEST

/* What was created keeps its name, and hears no signal; rm needs no -f. */
START_TEST(created_ones_are_left_alone) {
    expect(as(_i, CREATE NAMED "-v $T:/t $BASE sh -c 'echo >>/t/ran; exit 7'"), 0, NULL, "");
    char *facts = as(_i, "cd " DIR " && find . | sort && cat arguments").out;
    expect(as(_i, CREATE NAMED "$BASE true"), 125, "", NAME);
    expect(as(_i, RUN NAMED "$BASE true"), 125, "", NAME);
    expect(as(_i, "$CONTAINER exec $NAME true"), 125, "", NAME);
    expect(as(_i, "$CONTAINER pause $NAME"), 125, "", NAME);
    expect(as(_i, "$CONTAINER stop $NAME"), 0, NULL, "");
    expect(as(_i, "$CONTAINER kill $NAME"), 0, NULL, "");
    expect(as(_i, "$CONTAINER kill -s TERM $NAME"), 0, NULL, "");
    expect_status(_i, NAME, "created");
    expect_exactly(as(_i, "cd " DIR " && find . | sort && cat arguments"), facts);
    expect(as(_i, "$CONTAINER start $NAME"), 0, NAME, "");
    expect_end(_i, 7);
    expect(as(_i, "$CONTAINER rm $NAME"), 0, NULL, "");
    expect(as(_i, CREATE NAMED "-v $T:/t $BASE sh -c 'echo >>/t/ran'"), 0, NULL, "");
    expect(as(_i, "$CONTAINER rm $NAME"), 0, NULL, "");
    expect_exactly(as(_i, "ls -A $CONTAINER_HOME/containers; wc -l <ran"), "1\n");
}
END_TEST

/* The kernel's own word for the memory limit, as seen inside. */
static const char *limit_file(void) {
    return cgroup_v2() ? "/sys/fs/cgroup/memory.max"
                       : "/sys/fs/cgroup/memory/memory.limit_in_bytes";
}

/* Each life says what it was given, and then what the one before has left. */
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
    expect(sh("$CONTAINER run -d " NAMED "$BASE sleep 1000"), 0, NAME, "");
    char *ip = column(OURSELVES, NAME, IP);
    for (int i = 0; i < 2; i++) {
        ck_assert_str_eq(column(OURSELVES, NAME, IP), ip);
        ck_assert_str_eq(fact(OURSELVES, NAME, "ip"), ip);
        expect(sh("ping -q -c 1 -w 5 %s", ip), 0, NULL, "");
        expect(sh("$CONTAINER stop $NAME"), 0, NULL, "");
        expect_host_unchanged(); /* the link that is the lease goes a moment later */
        expect(sh("$CONTAINER start $NAME"), 0, NAME, "");
    }
    remove_all(OURSELVES);
}
END_TEST

START_TEST(start_leaves_a_running_one_alone) {
    begin(_i, "$BASE sleep 1000");
    pid_t init = init_pid(_i);
    char *facts = as(_i, "cd " DIR "; stat -c '%%n %%i %%z' *").out;
    for (int i = 0; i < 2; i++)
        expect_exactly(as(_i, "$CONTAINER start $NAME"), format("%s\n", NAME));
    expect_running(_i);
    ck_assert_int_eq(init_pid(_i), init);
    expect_exactly(as(_i, "cd " DIR "; stat -c '%%n %%i %%z' *"), facts);
    if (has_cgroup(_i)) {
        expect(as(_i, "$CONTAINER pause $NAME"), 0, NULL, "");
        as(_i, "$CONTAINER start $NAME");
        expect_status(_i, NAME, "paused");
    }
    remove_all(_i);
}
END_TEST

/* Either all that exist are started, or it says that it takes one name, and none is. */
START_TEST(starts_all_or_none) {
    for (int i = 0; i < 3; i++)
        expect(as(_i, CREATE "--name ${NAME}%d $BASE sleep 1000", i), 0, NULL, "");
    struct result r = as(_i, "$CONTAINER start ${NAME}0 nosuch ${NAME}2");
    bool all = *r.out;
    expect(r, 125, all ? format("%s0\n%s2\n", NAME, NAME) : "", all ? "nosuch" : "NAME");
    expect_status(_i, format("%s0", NAME), all ? "running" : "created");
    expect_status(_i, format("%s1", NAME), "created");
    expect_status(_i, format("%s2", NAME), all ? "running" : "created");
    remove_all(_i);
}
END_TEST

/* What an exited container needs may have gone meanwhile: then it stays as it was. */
START_TEST(start_may_fail_and_be_repeated) {
    prepare(_i, "mkdir data");
    begin(_i, "-v $T/data:/d $BASE sh -c 'echo >>/kept; exit 7'");
    expect_end(_i, 7);
    prepare(_i, "rmdir data");
    expect(as(_i, "$CONTAINER start $NAME"), 125, "", "/data");
    expect_host_unchanged();
    expect_exited(_i, 7);
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

/* It has all the namespaces of the program, and sees what the program sees. */
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

/* Init and the program are in its cgroups. Whoever enters is, and its program: two more. */
START_TEST(exec_is_in_the_cgroup) {
    const char *line = "rm -f here go; mkfifo here go; exec 3<>go; $CONTAINER exec %s $NAME"
                       "  sh -c 'echo >/t/here; read x </t/go' & pid=$!; read x <here;"
                       "for d in $(cat " DIR "/cgroup); do wc -l <$d/cgroup.procs; done | sort -u;"
                       "echo >&3; wait $pid";
    begin(OURSELVES, "-v $T:/t $BASE sleep 1000");
    expect_exactly(sh(line, ""), "4\n");
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

/* The name is looked up in the container's /dev/pts, where the host's terminal does not exist. */
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

/* It ends with its client, however that ended. It is an orphan then, and the test adopts it: it may
 * stay as a zombie. */
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

/* What it has started may keep the terminal or the pipe, but cannot keep us. */
START_TEST(exec_does_not_wait_for_others) {
    begin(_i, "$BASE sleep 1000");
    struct terminal t = at_terminal(_i, "$CONTAINER exec -t $NAME sh -c 'trap \"\" HUP;"
                                        "  (sleep 1000; echo) & echo bye'; echo status $?");
    wait_for(&t, "bye");
    wait_for(&t, "status 0");
    finish(&t);
    expect_exactly(as(_i, "$CONTAINER exec $NAME sh -c 'sleep 1000 & echo bye' | cat"), "bye\n");
    expect_running(_i);
    remove_all(_i);
}
END_TEST

/* While it comes, a hostile program looks at it, and stops it where it can. */
START_TEST(exec_shows_nothing_of_the_host) {
    begin(OURSELVES, "$BASE sh -c 'while :; do for p in /proc/[0-9]*; do n=${p#/proc/};"
                     "  [ $n -le 2 ] || [ $n = $$ ] || { kill -STOP $n; cat $p/mountinfo >>/seen;"
                     "  kill -CONT $n; }; done; done 2>/dev/null'");
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

/* ---- stdio ---- */

/* The same for run and exec; a test has the number of a user and of a way. */
static const char *const ways[] = {
    "$CONTAINER run --rm --network none -v $T:/t --name x$NAME %s $BASE",
    "$CONTAINER exec %s $NAME",
};
#define WHO (enum who)(_i / COUNT(ways))
#define WAY(options) way(_i % COUNT(ways), options)

static char *way(int n, const char *options) {
    const char *rest = strchr(ways[n], '%') + 2;
    return format("%.*s%s%s", (int)(rest - 2 - ways[n]), ways[n], options, rest);
}

/* $NAME, for exec; and some input. */
static void begin_stdio(enum who who) {
    begin(who, "-v $T:/t $BASE sleep 1000");
    prepare(who, "echo word >file; mkfifo fifo");
}

/* What comes before the command and after it, and what arrives. */
static const struct {
    const char *before, *after, *arrives;
} inputs[] = {
    { "", "<file", "word\n" },
    { "", "<>file", "word\n" },
    { "cat file |", "", "word\n" },
    { "", "</dev/null", "" },
    { "", "<&-", "" },
    { "cat file >fifo &", "<fifo", "word\n" },
    { "{ cat file; sleep 0.2; cat file; } |", "", "word\nword\n" },
};

/* The end comes, too: it is passed on while the program goes on. */
START_TEST(every_input_arrives) {
    begin_stdio(WHO);
    for (int i = 0; i < 2 * COUNT(inputs); i++)
        expect_exactly(as(WHO, "%s %s sh -c 'cat; echo end' %s", inputs[i / 2].before,
                          WAY(i % 2 ? "-i" : ""), inputs[i / 2].after),
                       format("%send\n", inputs[i / 2].arrives));
    remove_all(WHO);
}
END_TEST

/* What a program could do with a directory of the host is more than reading it. */
START_TEST(a_directory_is_refused) {
    begin_stdio(WHO);
    expect(as(WHO, "%s sh -c 'echo >/t/ran' <.", WAY("")), 125, "", "directory");
    prepare(WHO, "[ ! -e ran ]");
    remove_all(WHO);
}
END_TEST

/* Where output and errors go, and what is found there. */
static const struct {
    const char *after, *out, *err;
} outputs[] = {
    { ">out 2>err", "out\n", "err\n" },
    { ">out 2>&-", "out\n", "" },
    { ">&- 2>err", "", "err\n" },
    { ">&- 2>&-", "", "" },
    { "<&- >&- 2>&-", "", "" },
    { "<&- >out 2>err", "out\n", "err\n" },
    { ">/dev/null 2>err", "", "err\n" },
    { ">/dev/full 2>err", "", "err\n" },
    { ">out 2>/dev/full", "out\n", "" },
    { "2>err | cat >out", "out\n", "err\n" },
    { "2>&1 >out | cat >err", "out\n", "err\n" },
    { ">>out 2>err", "before\nout\n", "err\n" },
};

START_TEST(every_output_is_written) {
    begin_stdio(WHO);
    for (int i = 0; i < COUNT(outputs); i++) {
        prepare(WHO, "echo before >out; [ '%.2s' = '>>' ] || : >out; : >err", outputs[i].after);
        expect(as(WHO, "{ %s sh -c 'echo out; echo err >&2; exit 3'; echo $? >status; } %s",
                  WAY(""), outputs[i].after),
               0, "", "");
        expect_exactly(as(WHO, "cat status out; echo -; cat err"),
                       format("3\n%s-\n%s", outputs[i].out, outputs[i].err));
    }
    expect_exactly(as(WHO, "{ %s sh -c 'echo out; echo err >&2' 2>&1; } | sort", WAY("")),
                   "err\nout\n");
    remove_all(WHO);
}
END_TEST

/* One socket is all three: what we write arrives, and what the program writes comes back. */
START_TEST(sockets_are_passed_on) {
    int ends[2];
    char answer[64] = "";
    begin_stdio(WHO);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    ck_assert_int_eq(fcntl(9, F_GETFD), -1);
    ck_assert_int_eq(dup2(ends[1], 9), 9); /* which the shell inherits */
    ck_assert_int_eq(write(ends[0], "word\n", 5), 5);
    ck_assert_int_eq(shutdown(ends[0], SHUT_WR), 0);
    expect(as(WHO, "%s sh -c 'cat; echo end; exit 3' <&9 >&9 2>&9", WAY("")), 3, "", "");
    close(9);
    close(ends[1]);
    for (ssize_t n = 0, size = 0; (n = read(ends[0], answer + size, 60 - size)) > 0;) size += n;
    ck_assert_str_eq(answer, "word\nend\n");
    remove_all(WHO);
}
END_TEST

/* Whoever reads may go: then the writer ends by SIGPIPE, as in a pipe without a container. A full
 * disk is another matter: what does not fit is lost, and the program goes on. */
START_TEST(gives_up_what_nobody_reads) {
    begin_stdio(WHO);
    expect_exactly(as(WHO, "{ %s yes; echo $? >status; } | head -n 1; cat status", WAY("")),
                   "y\n141\n");
    expect_exactly(as(WHO, "{ %s yes </dev/zero; echo $? >status; } | head -n 1; cat status",
                      WAY("-i")),
                   "y\n141\n");
    expect_exactly(as(WHO, "{ %s sh -c 'exec yes >&2' 2>&1 >/dev/null; echo $? >status; } |"
                           "head -n 1; cat status",
                      WAY("")),
                   "y\n141\n");
    expect(as(WHO, "%s sh -c 'head -c 5000000 /dev/zero; exit 3' >/dev/full", WAY("")), 3, "", NULL);
    expect(as(WHO, "%s sh -c 'head -c 5000000 /dev/zero >&2; exit 3' 2>/dev/full", WAY("")), 3, "",
           "");
    remove_all(WHO);
}
END_TEST

/* What was written before the end is read after it. */
START_TEST(waits_for_slow_readers) {
    begin_stdio(WHO);
    for (int i = 0; i < 3; i++) {
        int size = random_between(1, 400000);
        expect_exactly(as(WHO, "%s head -c %d /dev/zero | { sleep 0.3; wc -c; }", WAY(""), size),
                       format("%d\n", size));
    }
    remove_all(WHO);
}
END_TEST

/* Input that nobody reads, or that never ends, keeps neither the program nor us. */
START_TEST(ends_before_its_input) {
    begin_stdio(WHO);
    expect(as(WHO, "exec 3<>fifo; %s probe exit 7 <&3", WAY("")), 7, "", "");
    expect(as(WHO, "%s probe exit 7 </dev/zero", WAY("")), 7, "", "");
    expect(as(WHO, "{ yes 2>/dev/null; :; } | %s probe exit 7", WAY("-i")), 7, "", "");
    expect(as(WHO, "{ yes 2>/dev/null; :; } | %s head -n 1", WAY("")), 0, "y\n", "");
    expect(as(WHO, "{ yes 2>/dev/null; :; } | %s sh -c 'exec <&-; sleep 0.3; exit 7'", WAY("")), 7,
           "", "");
    remove_all(WHO);
}
END_TEST

START_TEST(carries_64_megabytes) {
    begin_stdio(WHO);
    prepare(WHO, "head -c 67108864 /dev/urandom >in");
    expect(as(WHO, "sum=$(md5sum <in); [ \"$sum\" = \"$(%s cat <in | md5sum)\" ] || echo file, pipe;"
                   "[ \"$sum\" = \"$(%s cat <in | md5sum)\" ] || echo file;"
                   "cat in | %s cat >out; [ \"$sum\" = \"$(md5sum <out)\" ] || echo pipe, file;"
                   "rm in out",
              WAY("-i"), WAY(""), WAY("")),
           0, "", "");
    remove_all(WHO);
}
END_TEST

/* With -i it is read, line by line as the terminal gives them; without, there is nothing to read. */
START_TEST(a_terminal_is_read_on_demand) {
    begin_stdio(WHO);
    struct terminal t = at_terminal(WHO, "%s sh -c 'echo ready; while read x; do echo \"<$x>\";"
                                         "done; echo end; exit 3'; echo status $?",
                                    WAY("-i"));
    wait_for(&t, "ready");
    type(&t, "one\n");
    wait_for(&t, "<one>");
    type(&t, "two\n");
    wait_for(&t, "<two>");
    type(&t, "\4"); /* the end */
    wait_for(&t, "end");
    wait_for(&t, "status 3");
    finish(&t);
    t = at_terminal(WHO, "%s sh -c 'cat; echo end; exit 3'; echo status $?", WAY(""));
    wait_for(&t, "end");
    wait_for(&t, "status 3");
    finish(&t);
    remove_all(WHO);
}
END_TEST

/* While it runs in the background, all that is typed is for the shell. */
START_TEST(leaves_the_shells_terminal_alone) {
    begin_stdio(WHO);
    struct terminal t = at_terminal(WHO, "exec 3<&0; %s sh -c 'cat; echo started; until [ -e /t/go ];"
                                         "  do sleep 0.01; done; exit 3' <&3 & pid=$!;"
                                         "while read x && [ $x != end ]; do echo \"<$x>\"; done;"
                                         "wait $pid; echo status $?",
                                    WAY(""));
    wait_for(&t, "started");
    for (int i = 0; i < 20; i++) {
        int word = random_between(1, 1 << 30);
        type(&t, format("%d\n", word));
        wait_for(&t, format("<%d>", word));
    }
    prepare(WHO, "echo >go");
    type(&t, "end\n");
    wait_for(&t, "status 3");
    finish(&t);
    remove_all(WHO);
}
END_TEST

/* A job in the background that reads the terminal would be stopped by the kernel, and so would one
 * that changes its modes. */
START_TEST(runs_on_as_a_job_behind) {
    begin_stdio(WHO);
    struct terminal t = at_terminal(WHO, "set -m; %s sh -c 'cat; echo out; exit 3' & wait $!;"
                                         "echo status $?",
                                    WAY(""));
    wait_for(&t, "out");
    wait_for(&t, "status 3");
    finish(&t);
    remove_all(WHO);
}
END_TEST

START_TEST(follows_the_window) {
    struct winsize size = { .ws_row = random_between(1, 999), .ws_col = random_between(1, 999) };
    begin_stdio(WHO);
    struct terminal t = at_terminal(WHO, "exec %s sh -c 'probe winsize; exec probe wait-signal'",
                                    WAY("-it"));
    wait_for(&t, "winsize 24 80\r\n");
    wait_for(&t, "ready");
    ck_assert_int_eq(ioctl(t.keys, TIOCSWINSZ, &size), 0); /* the kernel sends SIGWINCH */
    wait_for(&t, format("winsize %d %d\r\n", size.ws_row, size.ws_col));
    kill(t.pid, SIGTERM);
    ck_assert_int_eq(finish(&t), 0);
    remove_all(WHO);
}
END_TEST

START_TEST(can_be_interrupted) {
    begin_stdio(WHO);
    struct terminal t = at_terminal(WHO, "%s sh -c 'echo ready; sleep 1000; echo no';"
                                         "echo status $?",
                                    WAY("-t"));
    wait_for(&t, "ready");
    type(&t, "\3");
    wait_for(&t, "status 130");
    ck_assert_int_eq(finish(&t), 0);
    remove_all(WHO);
}
END_TEST

/* Whatever ends: the program, init, or all of it by rm -f. Only SIGKILL for the one that holds the
 * terminal would leave it raw. */
START_TEST(gives_the_terminal_back) {
    static const char *const ends[] = { "probe exit 7", "probe signal 9", "nosuch", "", "" };
    static const int status[] = { 7, 137, 127, 137, 137 };
    bool run = _i % COUNT(ways) == 0;
    const char *name = format("%s%s", run ? "x" : "", NAME);
    for (int i = 0; i < COUNT(ends); i++) {
        if (i == 0 || !run)
            begin_stdio(WHO);
        struct terminal t = at_terminal(WHO, "stty -g >before; %s %s; echo status $?;"
                                             "stty -g | cmp - before && echo same",
                                        WAY("-t"), *ends[i] ? ends[i] : "sh -c 'echo ready; sleep 9'");
        if (!*ends[i]) {
            wait_for(&t, "ready");
            if (i == 3)
                kill(atoi(fact(WHO, name, "pid")), SIGKILL);
            else
                expect(as(WHO, "$CONTAINER rm -f %s", name), 0, NULL, "");
        }
        wait_for(&t, format("status %d", status[i]));
        wait_for(&t, "same");
        ck_assert_int_eq(finish(&t), 0);
        if (!run) {
            remove_all(WHO);
            prepare(WHO, "rm -f fifo");
        }
    }
    remove_all(WHO);
}
END_TEST

/* ---- listed ---- */

START_TEST(ps_has_columns) {
    const char *columns = "$CONTAINER ps | awk -F '  +' '{ print $1, $2, $3, $4, $5, NF }'";
    expect_exactly(as(_i, "%s", columns), "NAME STATUS PID IP IMAGE 6\n");
    begin(_i, "$BASE sh -c 'sleep 1000; exit 7'");
    ck_assert_int_eq(init_pid(_i), atoi(as(_i, "cat " DIR "/pid").out));
    ck_assert_str_eq(column(_i, NAME, IP), "-");
    ck_assert_str_eq(column(_i, NAME, IMAGE), getenv("BASE"));
    ck_assert_ptr_nonnull(strstr(column(_i, NAME, ARGUMENTS), "sh -c sleep 1000; exit 7"));
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
    expect_status(_i, "four", format("exited %d", status));
    expect_exactly(as(_i, "$CONTAINER ps | wc -l"), "5\n");
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
    ck_assert_ptr_nonnull(strstr(column(_i, NAME, ARGUMENTS), "sh -c a"));
    remove_all(_i);
}
END_TEST

/* A crash has left half a container: neither it nor the others are forgotten. */
START_TEST(ps_survives_half_a_container) {
    begin(_i, "$BASE sleep 1000");
    prepare(_i, "cd $CONTAINER_HOME/containers && mkdir half x && mkfifo x/exit x/pid x/arguments x/image x/cgroup");
    expect_running(_i);
    expect_status(_i, "half", "incomplete");
    expect(as(_i, "$CONTAINER exec half true"), 125, "", "half");
    expect(as(_i, "$CONTAINER start half"), 125, "", "half");
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
    expect_exactly(as(_i, "$CONTAINER logs $NAME; cat " DIR "/exit"), "ready\n137\n");
    remove_all(_i);
}
END_TEST

/* The files say that it runs, as in a backup or after a reboot; but nobody holds the lock. */
START_TEST(a_copy_does_not_live) {
    begin(_i, "$BASE sleep 1000");
    pid_t init = init_pid(_i);
    prepare(_i, "cd $CONTAINER_HOME/containers && mkdir copy && cd $NAME &&"
                "for f in *; do [ ! -f $f ] || cp -p $f ../copy; done");
    expect_status(_i, "copy", "exited 137");
    ck_assert_str_eq(column(_i, "copy", PID), "-");
    expect(as(_i, "$CONTAINER exec copy true"), 125, "", "copy");
    expect(as(_i, "$CONTAINER stop -t 0 copy; $CONTAINER kill copy; $CONTAINER kill -s INT copy"),
           0, NULL, NULL);
    expect_running(_i);
    ck_assert_int_eq(init_pid(_i), init);
    expect(as(_i, "rm -rf $CONTAINER_HOME/containers/copy"), 0, "", "");
    expect(as(_i, "$CONTAINER exec $NAME true"), 0, "", "");
    remove_all(_i);
}
END_TEST

/* What the file pid says; $p is another process. */
static const char *const strange_pids[] = {
    "$p",
    "$p 1 2",
    "-$p",
    "+$p",
    "0$p",
    "",
    "-1",
    "0",
    "1",
    "x",
    "'$p x'",
    "99999999999999999999",
    "4294967295",
    "$((p + 4294967296))",
};

/* Nobody holds a lock on it; or somebody does, but it is not a watcher's. This happens in a world of
 * its own, because a wrong pid may mean every process. */
START_TEST(a_strange_pid_harms_nobody) {
    begin(OURSELVES, "$BASE true");
    expect_end(OURSELVES, 0);
    prepare(OURSELVES, "cat >script <<'EOF'\n"
                       "sleep 1000 & p=$!; eval \"echo $1\" >" DIR "/pid\n"
                       "$CONTAINER ps | grep -c 'exited 0 '\n"
                       "$CONTAINER exec $NAME true 2>/dev/null; echo $?\n"
                       "for c in 'stop -t 0' kill 'kill -s INT' pause unpause rm; do\n"
                       "    $CONTAINER $c $NAME\ndone >/dev/null 2>&1\n"
                       "kill $p; wait $p; echo $?\nEOF\n");
    expect(sh("unshare --pid --fork --mount-proc sh script '%s'", strange_pids[_i]), 0,
           "1\n125\n143\n", NULL);
    remove_all(OURSELVES);
}
END_TEST

/* A bystander has the number that init has in the other pid namespace. */
#define NUMBERED \
    "until echo $(($want - 1)) >/proc/sys/kernel/ns_last_pid && { sleep 1000 & p=$!; };" \
    "  [ $p = $want ]; do kill $p; done;"

/* All that one may type about a container whose processes have other numbers, at the same time.
 * Nothing waits for ever, and nobody is signalled. */
#define TRY_ALL \
    "(for c in 'exec $NAME true' 'stop -t 0 $NAME' 'kill $NAME' 'kill -s INT $NAME'" \
    "  'pause $NAME' 'rm $NAME' 'rm -f $NAME' 'start $NAME'; do {" \
    "    eval \"timeout 25 $CONTAINER $c\" >>$T/said 2>&1; s=$?; case $s-$c in 124-*) echo $c hangs;;" \
    "    0-exec* | 0-pause* | 0-start*) echo $c believes it;; esac; } & done; wait);"

START_TEST(another_pid_namespace_is_left_alone) {
    begin(OURSELVES, "$BASE sleep 1000");
    pid_t init = init_pid(OURSELVES);
    struct result r = sh("cat >script <<'EOF'\nwant=%d; " NUMBERED TRY_ALL
                         "kill -HUP $p; wait $p; echo $?\nEOF\n"
                         "unshare --pid --fork --mount-proc sh script",
                         init);
    expect(r, 0, "129\n", NULL);
    ck_assert_str_eq(r.out, "129\n"); /* nothing hangs or is believed */
    expect_running(OURSELVES);
    ck_assert_int_eq(init_pid(OURSELVES), init);
    expect(sh("$CONTAINER exec $NAME true"), 0, "", "");
    remove_all(OURSELVES);
}
END_TEST

/* The same from outside. The number in its file is made that of the bystander: whoever believes it
 * does harm. */
START_TEST(a_number_of_another_pid_namespace_is_not_believed) {
    prepare(OURSELVES, "mkfifo go; cat >script <<'EOF'\n" RUN NAMED "$BASE sleep 1000\n"
                       "echo up >up; read x <go\nEOF\n");
    struct result r = sh("exec 9<>go; unshare --pid --fork --mount-proc sh script >out 2>&1 & u=$!;"
                         "until [ -s up ]; do sleep 0.02; done;"
                         "sleep 1000 & p=$!; echo $p >" DIR "/pid;" TRY_ALL
                         "$CONTAINER ps | grep \"$NAME  *running\"; kill -HUP $p; wait $p; echo $?;"
                         "echo >&9; wait $u; cat out");
    expect(r, 0, format("129\n%s\n", NAME), NULL);
    ck_assert_msg(!strncmp(r.out, "129\n", 4), "%s", r.out); /* no hang, and not "running" */
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

/* A program that writes too much does not fill the disk, and is not held back either. */
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
    expect_exited(_i, status);
    expect_exactly(as(_i, "$CONTAINER logs $NAME"), "ready\nasked\n");
    remove_all(_i);
}
END_TEST

/* Some ignore TERM, have sessions of their own, or have lost their parents: they all end, and when
 * stop returns, everything has been cleaned up. */
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
    expect_exited(_i, 137);
    expect_host_unchanged();
    remove_all(_i);
}
END_TEST

/* Somebody has stopped its watcher: that is woken, and hears of the end. */
START_TEST(stop_wakes_the_watcher) {
    begin(_i, "$BASE sh -c 'trap \"exit 3\" TERM; echo ready; while :; do sleep 0.1; done'");
    until_logged(_i, "ready");
    expect(as(_i, "kill -STOP $(awk '/^PPid:/ { print $2 }' /proc/%d/status) &&"
                  " $CONTAINER stop -t 5 $NAME",
              init_pid(_i)),
           0, "", "");
    expect_exited(_i, 3);
    remove_all(_i);
}
END_TEST

START_TEST(stop_and_kill_are_content_with_less) {
    static const char *const line[] = { "stop", "stop -t 0", "kill", "kill -s TERM" };
    begin(_i, "$BASE probe exit 7");
    expect_end(_i, 7);
    for (int i = 0; i < COUNT(line); i++)
        expect(as(_i, "$CONTAINER %s $NAME", line[i]), 0, NULL, "");
    expect_exited(_i, 7);
    expect(as(_i, "$CONTAINER rm $NAME"), 0, NULL, "");
    expect(as(_i, "$CONTAINER rm -f $NAME"), 0, "", "");
    expect(as(_i, "$CONTAINER rm $NAME"), 125, "", NAME);
}
END_TEST

static const char *const for_several[][2] = {
    { "stop", "exited 143" },
    { "wait", "exited 143" },
    { "kill", "exited 143" },
    { "logs", "exited 143" },
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

/* The program gets the signal, and not init. */
START_TEST(kill_reaches_the_program) {
    begin(_i, "$BASE probe wait-signal");
    until_logged(_i, "ready");
    expect(as(_i, "$CONTAINER kill -s USR1 $NAME && $CONTAINER kill -s 12 $NAME"), 0, NULL, "");
    until_logged(_i, "signal 10");
    until_logged(_i, "signal 12");
    expect_running(_i);
    expect(as(_i, "$CONTAINER stop $NAME"), 0, NULL, "");
    expect_exited(_i, 0);
    expect(as(_i, "$CONTAINER logs $NAME"), 0, "signal 15\n", "");
    remove_all(_i);
}
END_TEST

START_TEST(rm_refuses_what_lives) {
    begin(_i, "$BASE sleep 1000");
    expect(as(_i, "$CONTAINER rm $NAME"), 125, "", "-f");
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

/* What is not in its directory does not belong to it. */
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
    expect(sh("$CONTAINER unpause $NAME x$NAME"), 0, NULL, "");
    expect(sh("$CONTAINER pause $NAME"), 0, NULL, "");
    expect(sh("$CONTAINER pause $NAME"), 0, NULL, "");
    expect_status(OURSELVES, NAME, "paused");
    expect(sh("$CONTAINER unpause $NAME"), 0, NULL, "");
    expect(sh("$CONTAINER unpause $NAME"), 0, NULL, "");
    expect_running(OURSELVES);
    expect(sh("$CONTAINER stop $NAME"), 0, NULL, "");
    expect(sh("$CONTAINER pause $NAME"), 125, "", NAME);
    expect_exited(OURSELVES, 143);
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
    { "stop", "^$NAME  *exited 143 " },
    { "kill", "^$NAME  *exited 137 " },
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

/* What an exec starts may be frozen before its first step. It is not a child of init, so it does not
 * die with it: yet it must not keep the cgroup, nor its client. */
START_TEST(frozen_execs_end) {
    begin(OURSELVES, "$BASE sh -c 'sleep 999 & exec sleep 1000'");
    for (int round = 0; round < 10; round++) {
        expect(sh("for i in 1 2 3 4; do $CONTAINER exec $NAME true & done 2>>errors;"
                  "sleep 0.00%d; $CONTAINER pause $NAME; $CONTAINER %s $NAME >/dev/null; wait",
                  random_between(1, 9), round % 2 ? "rm -f" : "kill"),
               0, NULL, NULL);
        expect(sh("$CONTAINER rm -f $NAME"), 0, NULL, "");
        expect_host_unchanged();
        begin(OURSELVES, "$BASE sh -c 'sleep 999 & exec sleep 1000'");
    }
    remove_all(OURSELVES);
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

/* If many start it, one does. The others see that it runs, or are told that another command is at
 * work. */
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

/* Some come too early, some too late, and some in between. The last one must not keep the cgroup. */
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

/* Whoever wins: it is created, runs, has ended or is gone, and can be removed. */
static void expect_clean(enum who who) {
    char *status = column(who, NAME, STATUS);
    if (*status && strncmp(status, "exited ", 7) != 0 && strcmp(status, "running") != 0 &&
        strcmp(status, "created") != 0)
        ck_abort_msg("%s", as(who, "$CONTAINER ps; cd " DIR " && ls && cat exit pid").out);
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

/* Two commands at once on one name, and what $NAME is at before: none, created, running or exited.
 * ALONE: at most one of them may succeed. */
static const struct pair {
    const char *before, *first, *second;
    bool alone;
} pairs[] = {
    { "", RUN NAMED "$BASE sleep 1000", RUN NAMED "$BASE sleep 1000", true },
    { "", CREATE NAMED "$BASE sleep 1000", CREATE NAMED "$BASE sleep 1000", true },
    { "", RUN NAMED "$BASE sleep 1000", CREATE NAMED "$BASE sleep 1000", true },
    { "", RUN NAMED "$BASE sleep 1000", "$CONTAINER rm -f $NAME", false },
    { "created", "$CONTAINER start $NAME", "$CONTAINER start $NAME", false },
    { "created", "$CONTAINER start $NAME", "$CONTAINER stop -t 0 $NAME", false },
    { "created", "$CONTAINER rm $NAME", "$CONTAINER start $NAME", true },
    { "exited", "$CONTAINER start $NAME", "$CONTAINER start $NAME", false },
    { "exited", "$CONTAINER rm $NAME", "$CONTAINER rm $NAME", false },
    { "exited", "$CONTAINER rm $NAME", "$CONTAINER start $NAME", true },
    { "exited", "$CONTAINER rm -f $NAME", "$CONTAINER start $NAME", false },
    { "running", "$CONTAINER stop -t 0 $NAME", "$CONTAINER start $NAME", false },
    { "running", "$CONTAINER stop -t 0 $NAME", "$CONTAINER stop -t 0 $NAME", false },
    { "running", "$CONTAINER exec $NAME true", "$CONTAINER rm -f $NAME", false },
    { "running", "$CONTAINER exec $NAME true", "$CONTAINER stop -t 0 $NAME", false },
    { "running", "$CONTAINER rm -f $NAME", "$CONTAINER rm -f $NAME", false },
};

static void make(enum who who, const char *state) {
    if (!strcmp(state, "created"))
        expect(as(who, CREATE NAMED "$BASE sleep 1000"), 0, NULL, "");
    else if (*state)
        begin(who, "$BASE sleep 1000");
    if (!strcmp(state, "exited"))
        expect(as(who, "$CONTAINER kill $NAME"), 0, NULL, "");
}

/* 0 and nothing to complain about; or 125 and why. A program that runs may be ended by the other
 * command: then its status is 137, or its name was said and it has gone. */
static bool won(const char *command, int status, const char *why) {
    bool program = strstr(command, " exec ") != NULL;
    if (status == 0 || (program && status == 137))
        return true;
    ck_assert_msg(status == 125 && !strncmp(why, "container: ", 11) && strchr(why, '\n'),
                  "%s: status %d: %s", command, status, why);
    return false;
}

START_TEST(two_at_once) {
    const struct pair *p = &pairs[_i];
    for (int round = 0; round < 6; round++) {
        enum who who = round % users();
        int first, second;
        make(who, p->before);
        char *out = as(who, "{ sleep 0.00%d; %s; } >1 2>2 & a=$!; { sleep 0.00%d; %s; } >3 2>4 &"
                            "b=$!; wait $a; echo $?; wait $b; echo $?",
                       random_between(0, 9), p->first, random_between(0, 9), p->second)
                        .out;
        ck_assert_msg(sscanf(out, "%d %d", &first, &second) == 2, "%s | %s hang", p->first,
                      p->second);
        int winners = won(p->first, first, as(who, "cat 2").out);
        winners += won(p->second, second, as(who, "cat 4").out);
        ck_assert_msg(winners >= 1 && (winners == 1 || !p->alone), "%s: %d, %s: %d", p->first,
                      first, p->second, second);
        expect_clean(who);
        expect(as(who, "$CONTAINER run --rm --network none " NAMED "$BASE probe exit 7; c=$?;"
                       "rm -f 1 2 3 4; exit $c"),
               7, "", "");
    }
}
END_TEST

/* ---- all of them ---- */

static void add_started(Suite *s) {
    TCase *t = new_case(s, "started");
    tcase_add_loop_test(t, create_only_prepares, 0, users());
    tcase_add_loop_test(t, created_ones_are_left_alone, 0, users());
    tcase_add_loop_test(t, starts_again_with_all_it_had, 0, users());
    tcase_add_loop_test(t, finds_its_image_again, 0, users());
    tcase_add_loop_test(t, keeps_every_argument, 0, users());
    tcase_add_loop_test(t, start_leaves_a_running_one_alone, 0, users());
    tcase_add_loop_test(t, starts_all_or_none, 0, users());
    tcase_add_loop_test(t, start_may_fail_and_be_repeated, 0, users());
    if (is_root())
        tcase_add_test(t, keeps_its_address);
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

static void add_stdio(Suite *s) {
    TCase *t = new_case(s, "stdio");
    int all = COUNT(ways) * users();
    tcase_add_loop_test(t, every_input_arrives, 0, all);
    tcase_add_loop_test(t, a_directory_is_refused, 0, all);
    tcase_add_loop_test(t, every_output_is_written, 0, all);
    tcase_add_loop_test(t, sockets_are_passed_on, 0, all);
    tcase_add_loop_test(t, gives_up_what_nobody_reads, 0, all);
    tcase_add_loop_test(t, waits_for_slow_readers, 0, all);
    tcase_add_loop_test(t, ends_before_its_input, 0, all);
    tcase_add_loop_test(t, carries_64_megabytes, 0, all);
    tcase_add_loop_test(t, a_terminal_is_read_on_demand, 0, all);
    tcase_add_loop_test(t, leaves_the_shells_terminal_alone, 0, all);
    tcase_add_loop_test(t, runs_on_as_a_job_behind, 0, all);
    tcase_add_loop_test(t, follows_the_window, 0, all);
    tcase_add_loop_test(t, can_be_interrupted, 0, all);
    tcase_add_loop_test(t, gives_the_terminal_back, 0, all);
}

static void add_listed(Suite *s) {
    TCase *t = new_case(s, "listed");
    tcase_add_loop_test(t, ps_has_columns, 0, users());
    tcase_add_loop_test(t, ps_knows_every_status, 0, users());
    tcase_add_loop_test(t, ps_is_not_impressed, 0, users());
    tcase_add_loop_test(t, ps_survives_half_a_container, 0, users());
    tcase_add_loop_test(t, nothing_hangs_without_the_watcher, 0, COUNT(afterwards));
    tcase_add_loop_test(t, init_may_be_killed, 0, users());
    tcase_add_loop_test(t, a_copy_does_not_live, 0, users());
    if (is_root()) {
        tcase_add_loop_test(t, a_strange_pid_harms_nobody, 0, COUNT(strange_pids));
        tcase_add_test(t, another_pid_namespace_is_left_alone);
        tcase_add_test(t, a_number_of_another_pid_namespace_is_not_believed);
    }

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
        tcase_add_test(t, frozen_execs_end);
        tcase_add_loop_test(t, pause_needs_a_cgroup, 0, users() - 1);
    } else
        left_out("pause and limits", "to make cgroups needs root");
}

static void add_crowd(Suite *s) {
    TCase *t = new_case(s, "crowd");
    tcase_add_loop_test(t, many_have_their_own_names_and_addresses, 0, users());
    tcase_add_loop_test(t, a_name_is_given_to_one, 0, users());
    tcase_add_loop_test(t, it_is_started_once, 0, users());
    tcase_add_loop_test(t, exec_storms_end, 0, COUNT(endings));
    tcase_add_loop_test(t, start_stop_and_rm_may_meet, 0, users());
    if (is_root())
        tcase_add_test(t, pause_unpause_and_stop_may_meet);
    tcase_add_loop_test(t, two_at_once, 0, COUNT(pairs));
}

Suite *life_suite(void) {
    Suite *s = suite_create("life");
    TCase *t = new_case(s, "refused");
    tcase_add_loop_test(t, strangers_are_refused, 0, COUNT(commands));
    tcase_add_test(t, strangers_are_not_removed);
    tcase_add_test(t, wrong_arguments_change_nothing);
    tcase_add_test(t, missing_arguments_are_named);
    tcase_add_test(t, help_has_all_commands);
    tcase_add_loop_test(t, every_command_has_help, 0, COUNT(commands));

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
    tcase_add_loop_test(t, facts_are_written_once, 0, users());
    tcase_add_loop_test(t, one_in_front_has_a_life_too, 0, users());

    add_started(s);
    add_exec(s);
    add_stdio(s);
    add_listed(s);
    add_ended(s);
    add_crowd(s);
    return s;
}
