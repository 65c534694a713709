/* SPDX-License-Identifier: MIT */
/*
 * test_container.c - the command line, what is kept on disk, and the life of a container.
 *
 *      refused      bad input: a clear message, 125, and nothing was made
 *      status       what `container run` exits with
 *      state        what stays in CONTAINER_HOME, and what does not
 *      image        an image's own arguments
 *      stdio        bytes in, bytes out
 *      callers      odd surroundings: closed descriptors, no directory, old kernels
 *      explain      every step, on paper and one by one
 */
#include "test.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Most tests here need no network, and without one they are faster. */
#define RUN "$CONTAINER run --network none "
#define RUN_RM RUN "--rm "

/* Neither a container nor anything else in CONTAINER_HOME; the directory itself may be there. */
static void expect_nothing_made(enum who who) {
    expect(as(who, "cd $CONTAINER_HOME 2>/dev/null || exit 0;"
                   "find . -mindepth 1 -maxdepth 5 ! -path ./containers ! -path ./hosts"
                   " ! -path ./ip_forward"),
           0, "", "");
}

/* ---- refused ---- */

/* What the message must name: the option, the value, and the form wanted. */
static const struct {
    const char *arguments, *says[3];
} refused[] = {
    // clang-format off
    { "run --frobnicate $BASE true",              { "--frobnicate" } },
    { "run -Z $BASE true",                        { "-Z" } },
    { "run --memory",                             { "-m", "value" } },
    { "run --rm=yes $BASE true",                  { "--rm" } },
    { "run",                                      { "IMAGE" } },
    { "run $BASE",                                { "COMMAND" } },
    { "run nosuch true",                          { "IMAGE", "nosuch" } },
    { "run ./nosuch true",                        { "IMAGE", "./nosuch" } },
    { "run ../x true",                            { "IMAGE", "../x" } },
    { "run '' true",                              { "IMAGE" } },
    { "frobnicate",                               { "frobnicate", "--help" } },
    { "'' x",                                     { "--help" } },
    { "run -m 12Q $BASE true",                    { "--memory", "12Q", "64M" } },
    { "run -m '' $BASE true",                     { "--memory", "64M" } },
    { "run -m 0 $BASE true",                      { "--memory", "0", "64M" } },
    { "run -m -1 $BASE true",                     { "--memory", "-1", "64M" } },
    { "run -m 1.5G $BASE true",                   { "--memory", "1.5G", "64M" } },
    { "run -m 0x40 $BASE true",                   { "--memory", "0x40", "64M" } },
    { "run -m 64MB $BASE true",                   { "--memory", "64MB", "64M" } },
    { "run -m ' 64M' $BASE true",                 { "--memory", " 64M", "64M" } },
    { "run -m 99999999999999999999 $BASE true",   { "--memory", "99999", "64M" } },
    { "run --cpus -1 $BASE true",                 { "--cpus", "-1", "1.5" } },
    { "run --cpus abc $BASE true",                { "--cpus", "abc", "1.5" } },
    { "run --cpus '' $BASE true",                 { "--cpus", "1.5" } },
    { "run --cpus nan $BASE true",                { "--cpus", "nan", "1.5" } },
    { "run --cpus 1e3 $BASE true",                { "--cpus", "1e3", "1.5" } },
    { "run --cpus 1,5 $BASE true",                { "--cpus", "1,5", "1.5" } },
    { "run --pids-limit 0 $BASE true",            { "--pids-limit", "0", "64" } },
    { "run --pids-limit -1 $BASE true",           { "--pids-limit", "-1", "64" } },
    { "run --pids-limit 1.5 $BASE true",          { "--pids-limit", "1.5", "64" } },
    { "run --pids-limit abc $BASE true",          { "--pids-limit", "abc", "64" } },
    { "run --io x $BASE true",                    { "--io", "x", "MAJ:MIN" } },
    { "run -v /etc $BASE true",                   { "--volume", "/etc", "SRC:/DST" } },
    { "run -v '' $BASE true",                     { "--volume", "SRC:/DST" } },
    { "run -v :/x $BASE true",                    { "--volume", ":/x", "SRC:/DST" } },
    { "run -v /nosuch:/x $BASE true",             { "--volume", "/nosuch:/x", "No such file" } },
    { "run -v /etc:relative $BASE true",          { "--volume", "/etc:relative", "SRC:/DST" } },
    { "run -v /etc:/x:rx $BASE true",             { "--volume", "/etc:/x:rx", ":ro" } },
    { "run -e =x $BASE true",                     { "--env", "=x", "NAME=VALUE" } },
    { "run -e '' $BASE true",                     { "--env", "NAME=VALUE" } },
    { "run --name a/b $BASE true",                { "--name", "a/b", "want" } },
    { "run --name ../../x $BASE true",            { "--name", "../../x", "want" } },
    { "run --name .. $BASE true",                 { "--name", "..", "want" } },
    { "run --name -x $BASE true",                 { "--name", "-x", "want" } },
    { "run --name '' $BASE true",                 { "--name", "want" } },
    { "run --name 'a b' $BASE true",              { "--name", "a b", "want" } },
    { "run --hostname a/b $BASE true",            { "--hostname", "a/b", "want" } },
    { "run --hostname '' $BASE true",             { "--hostname", "want" } },
    { "run -w relative $BASE true",               { "--workdir", "relative", "/DIR" } },
    { "run -w '' $BASE true",                     { "--workdir", "/DIR" } },
    { "run -u '' $BASE true",                     { "--user", "UID:GID" } },
    { "run -u 1x $BASE true",                     { "--user", "1x", "UID:GID" } },
    { "run -u -1 $BASE true",                     { "--user", "-1", "UID:GID" } },
    { "run -u +1 $BASE true",                     { "--user", "+1", "UID:GID" } },
    { "run -u ' 1' $BASE true",                   { "--user", " 1", "UID:GID" } },
    { "run -u 0x0 $BASE true",                    { "--user", "0x0", "UID:GID" } },
    { "run -u 4294967295 $BASE true",             { "--user", "4294967295", "UID:GID" } },
    { "run -u 4294967296 $BASE true",             { "--user", "4294967296", "UID:GID" } },
    { "run -u 99999999999999999999 $BASE true",   { "--user", "99999", "UID:GID" } },
    { "run -u 1: $BASE true",                     { "--user", "1:", "UID:GID" } },
    { "run -u :1 $BASE true",                     { "--user", ":1", "UID:GID" } },
    { "run -u 1:1x $BASE true",                   { "--user", "1:1x", "UID:GID" } },
    { "run -u 1:4294967296 $BASE true",           { "--user", "1:4294967296", "UID:GID" } },
    { "run --network frob $BASE true",            { "--network", "frob", "none" } },
    { "run --network '' $BASE true",              { "--network", "none" } },
    { "run --ip 10.66.0 $BASE true",              { "--ip", "10.66.0", "10.66." } },
    { "run --ip 1.2.3.4 $BASE true",              { "--ip", "1.2.3.4", "10.66." } },
    { "run --ip 999.1.1.1 $BASE true",            { "--ip", "999.1.1.1", "10.66." } },
    { "run --ip 10.66.0.1 $BASE true",            { "--ip", "10.66.0.1", "10.66." } },
    { "run --ip 10.66.255.255 $BASE true",        { "--ip", "10.66.255.255", "10.66." } },
    { "run --ip 10.66.0.9 --network none $BASE true", { "--ip", "10.66.0.9", "--network bridge" } },
    { "run --cap-add FROB $BASE true",            { "--cap-add", "FROB", "NET_ADMIN" } },
    { "run --cap-add CHOWN --cap-add FROB $BASE true", { "--cap-add", "FROB" } },
    { "run --cap-drop '' $BASE true",             { "--cap-drop", "CAPABILITY" } },
    { "run --explain=frob $BASE true",            { "--explain", "frob", "FILE:LINE" } },
    /* not there yet */
    { "run -p 80 $BASE true",                     { "--publish", "HOST:CONTAINER" } },
    { "run --network container:x $BASE true",     { "--network", "container:x" } },
    { "run --network container: $BASE true",      { "--network", "container:", "bridge" } },
    // clang-format on
};

START_TEST(refuses) {
    struct result r = sh("$CONTAINER %s", refused[_i].arguments);
    expect(r, 125, "", "container: ");
    for (int i = 0; i < 3 && refused[_i].says[i]; i++)
        expect(r, 125, "", refused[_i].says[i]);
    expect_nothing_made(OURSELVES);
}
END_TEST

/* The positive control of the table above: the same options with good values. */
static const char *const accepted[] = {
    "--name a.b_C-1",
    "--hostname a-1.example",
    "-e A=b",
    "-e A=",
    "-w /new/dir",
    "-u 0",
    "-u 0:0",
    "-u root",
    "-v /etc:/x",
    "-v /etc:/x:ro",
    "--cap-add NET_ADMIN",
    "--cap-add CAP_NET_ADMIN",
    "--cap-drop ALL",
    "--read-only",
    "--",
    "--privileged",
    "--rm --rm",
};

START_TEST(accepts) {
    expect(as(ORDINARY_USER, RUN_RM "%s $BASE probe exit 7", accepted[_i]), 7, "", "");
    expect_nothing_made(ORDINARY_USER);
}
END_TEST

START_TEST(measures_names) {
    const char *name = format("%063d", random_between(1, 1 << 30)); /* 63 digits are allowed */
    expect(sh(RUN_RM "--name %s $BASE hostname", name), 0, name, "");
    expect(sh(RUN_RM "--name %s0 $BASE hostname", name), 125, "", "--name");
    expect(sh(RUN_RM "--hostname %070000d $BASE hostname", 0), 125, "", "--hostname");
    expect_nothing_made(OURSELVES);
}
END_TEST

START_TEST(helps) {
    static const char *const options[] = {
        "-t --tty",
        "-i --interactive",
        "--name",
        "--rm",
        "-h --hostname",
        "-e --env",
        "-w --workdir",
        "-u --user",
        "-v --volume",
        "--read-only",
        "-m --memory",
        "--cpus",
        "--pids-limit",
        "--io",
        "--network",
        "--ip",
        "--cap-add",
        "--cap-drop",
        "--privileged",
        "--explain",
    };
    struct result r = sh("$CONTAINER --help");
    for (int i = 0; i < COUNT(options); i++) expect(r, 0, options[i], "");
    expect(sh("$CONTAINER"), 125, NULL, NULL);
}
END_TEST

/* What comes after IMAGE is the program's, even if it looks like an option of ours. */
START_TEST(leaves_the_command_alone) {
    expect(sh(RUN_RM "-- $BASE probe args --rm -x '' 'a b' -- --privileged"), 0,
           "arg 1 --rm\narg 2 -x\narg 3 \narg 4 a b\narg 5 --\narg 6 --privileged\n", "");
}
END_TEST

/* An ordinary user is told what is missing, and how to get it. */
START_TEST(says_what_rootless_needs) {
    if (access("/sys/fs/cgroup/cgroup.controllers", W_OK) != 0)
        expect(sh_user("$CONTAINER run -m 64M $BASE true"), 125, "", "Delegate");
    expect(sh_user("$CONTAINER run --network bridge $BASE true"), 125, "", "--network bridge");
    expect(sh_user("$CONTAINER run -u 1000 $BASE true"), 125, "", "--user 1000");
    expect_nothing_made(ORDINARY_USER);
}
END_TEST

/* ---- status ---- */

static const struct {
    const char *command;
    int status;
} statuses[] = {
    { "true", 0 },
    { "probe exit 7", 7 },
    { "probe exit 125", 125 },
    { "probe exit 255", 255 },
    { "nosuch", 127 },
    { "/bin/nosuch", 127 },
    { "/etc/passwd", 126 },
    { "/etc", 126 },
};

START_TEST(exits_with_the_status) {
    const char *command = statuses[_i].command;
    int status = statuses[_i].status;
    bool ours = status == 126 || status == 127;
    expect(as(ORDINARY_USER, RUN_RM "$BASE %s", command), status, "", ours ? command : "");
}
END_TEST

START_TEST(exits_with_any_status) {
    int status = random_between(1, 124);
    expect(as(_i, RUN_RM "$BASE probe exit %d", status), status, "", "");
}
END_TEST

/* Those that end a process by default. */
static const int deadly[] = { SIGHUP, SIGINT, SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE,
                              SIGKILL, SIGUSR1, SIGSEGV, SIGUSR2, SIGPIPE, SIGALRM, SIGTERM,
                              SIGXCPU, SIGSYS, 34, 64 };

START_TEST(exits_with_the_signal) {
    expect(sh(RUN_RM "$BASE probe signal %d", deadly[_i]), 128 + deadly[_i], "", "");
}
END_TEST

/* ---- state ---- */

START_TEST(rm_keeps_nothing) {
    expect(as(_i, RUN_RM "--name $NAME $BASE sh -c 'echo data >/made; exit 3'"), 3, "", "");
    expect(as(_i, RUN_RM "$BASE nosuch"), 127, "", NULL);
    expect_nothing_made(_i);
}
END_TEST

START_TEST(keeps_what_was_written) {
    int n = random_between(1, 1 << 30);
    expect(as(_i, RUN "--name $NAME $BASE sh -c 'echo %d >/made; exit 3'", n), 3, "", "");
    expect(as(_i, "ls $CONTAINER_HOME/containers"), 0, format("%s\n", getenv("NAME")), "");
    expect(as(_i, "cd $CONTAINER_HOME/containers/$NAME && cat status upper/made"), 0,
           format("exited 3\n%d\n", n), "");
    expect(as(_i, "$PROBE exists $BASE/made"), 1, "ENOENT", ""); /* the image is as it was */
}
END_TEST

START_TEST(remembers_a_signal) {
    expect(sh(RUN "--name $NAME $BASE probe signal 9"), 137, "", "");
    expect(sh("cat $CONTAINER_HOME/containers/$NAME/status"), 0, "exited 137\n", "");
}
END_TEST

START_TEST(takes_a_name_once) {
    const char *says = format("--name %s", getenv("NAME"));
    expect(as(_i, RUN "--name $NAME $BASE sh -c 'echo first >/made; exit 3'"), 3, "", "");
    expect(as(_i, RUN "--name $NAME $BASE sh -c 'echo second >/made'"), 125, "", says);
    expect(as(_i, RUN_RM "--name $NAME $BASE true"), 125, "", says);
    expect(as(_i, "cd $CONTAINER_HOME/containers/$NAME && cat status upper/made"),
           0, "exited 3\nfirst\n", "");
    expect(as(_i, RUN "--name y$NAME $BASE true"), 0, "", "");
}
END_TEST

/* Of those that want one name at the same time, one gets it. */
START_TEST(gives_a_name_to_one) {
    struct result r = sh("for i in 1 2 3 4 5 6; do"
                         "  (" RUN "--name $NAME $BASE probe exit 7; echo status $?) & done; wait");
    int won = 0, lost = 0;
    for (char *at = r.out; (at = strstr(at, "status ")); at++) {
        won += !strncmp(at, "status 7\n", 9);
        lost += !strncmp(at, "status 125\n", 11);
    }
    ck_assert_msg(won == 1 && lost == 5, "%s%s", r.out, r.err);
    expect(sh("cat $CONTAINER_HOME/containers/$NAME/status"), 0, "exited 7\n", "");
}
END_TEST

START_TEST(makes_names_up) {
    expect(sh("for i in 1 2 3; do " RUN "$BASE true; done; ls $CONTAINER_HOME/containers | wc -l"),
           0, "3\n", "");
}
END_TEST

/* What goes wrong inside, before the program is there, leaves no half container either. */
static const char *const too_late[][2] = {
    { "-u nosuch", "--user nosuch" },
    { "-w /etc/passwd", "workdir" },
    { "-w /proc/self/fd/5", "workdir" },
    { "-v /etc:/proc/nosuch/x", "/proc/nosuch/x" },
};

START_TEST(leaves_no_half_container) {
    expect(as(ORDINARY_USER, RUN "%s $BASE true", too_late[_i][0]), 125, "", too_late[_i][1]);
    expect_nothing_made(ORDINARY_USER);
}
END_TEST

START_TEST(finds_its_home) {
    expect(sh("CONTAINER_HOME=here " RUN "--name $NAME $BASE true &&"
              "cat here/containers/$NAME/status"),
           0, "exited 0\n", "");
    expect(sh_user("unset CONTAINER_HOME; " RUN "--name $NAME $BASE true &&"
                   "cat $HOME/.local/share/container/containers/$NAME/status"),
           0, "exited 0\n", "");
    /* with neither there is no place to keep it */
    expect(sh_user("unset CONTAINER_HOME HOME; " RUN "$BASE true"), 125, "", "CONTAINER_HOME");
}
END_TEST

/* Everything that must be written is written with too little room for it once. */
START_TEST(survives_a_full_disk) {
    expect(sh("mkdir $T/disk && mount -t tmpfs -o nr_inodes=%d none $T/disk", _i + 1), 0, "", "");
    struct result r = sh("CONTAINER_HOME=$T/disk " RUN "--name $NAME $BASE probe exit 7");
    if (r.status != 7) {
        expect(r, 125, "", "No space left on device");
        expect(sh("find $T/disk -mindepth 1 ! -path $T/disk/containers"), 0, "", "");
    }
    expect(sh("umount $T/disk"), 0, "", "");
}
END_TEST

START_TEST(survives_a_read_only_disk) {
    expect(sh("mkdir $T/disk && mount -t tmpfs -o ro none $T/disk"), 0, "", "");
    expect(sh("CONTAINER_HOME=$T/disk " RUN "$BASE true"), 125, "", "Read-only file system");
    expect(sh("umount $T/disk"), 0, "", "");
}
END_TEST

START_TEST(says_where_it_may_not_write) {
    expect(sh_user("mkdir -m 555 $T/home; CONTAINER_HOME=$T/home " RUN "$BASE true"), 125, "",
           "Permission denied");
    expect(sh_user("ls -A $T/home"), 0, "", "");
}
END_TEST

/* ---- image ---- */

/* An image "img" with one layer, BASE, and these arguments, one a line. */
static void make_image(enum who who, const char *args) {
    expect(as(who, "dir=$CONTAINER_HOME/images/img; mkdir -p $dir && cd $dir &&"
                   "echo $BASE >layers && printf '%%s\\n' %s >args",
              args),
           0, "", "");
}

START_TEST(image_has_defaults) {
    make_image(_i, "-e A=1 -e B=1 -w /tmp probe env");
    expect(as(_i, RUN_RM "img"), 0, "\nA=1\nB=1\n", "");
    expect(as(_i, RUN_RM "img probe cwd"), 0, "cwd /tmp\n", "");
    expect(as(_i, RUN_RM "$CONTAINER_HOME/images/img probe cwd"), 0, "cwd /tmp\n", "");
}
END_TEST

START_TEST(user_overrides_the_image) {
    make_image(_i, "-e A=1 -e B=1 -w /tmp -h image probe env");
    struct result r = as(_i, RUN_RM "-e A=2 -h mine img");
    expect(r, 0, "\nA=2\nB=1\n", "");
    expect(r, 0, "\nHOSTNAME=mine\n", "");
    ck_assert_ptr_null(strstr(r.out, "A=1"));
    expect(as(_i, RUN_RM "-w / img probe cwd"), 0, "cwd /\n", "");
}
END_TEST

/* An image comes from a stranger: it may say what its program needs, but not open the host. */
static const char *const greedy[][2] = {
    { "--privileged", "--privileged" },
    { "--priv", "--priv" },
    { "-v /etc:/host", "-v" },
    { "--volume=/etc:/host", "--volume" },
    { "--network host", "--network" },
    { "--cap-add SYS_ADMIN", "--cap-add" },
    { "--cap-add=ALL", "--cap-add" },
    { "-p 80:80", "-p" },
    { "--explain", "--explain" },
    { "--name other", "--name" },
    { "-d", "-d" },
    { "--rm", "--rm" },
};

START_TEST(image_may_not_open_the_host) {
    make_image(OURSELVES, format("-e A=1 %s probe env", greedy[_i][0]));
    struct result r = sh(RUN "img");
    expect(r, 125, "", "args");
    expect(r, 125, "", greedy[_i][1]);
    expect(sh("ls -A $CONTAINER_HOME"), 0, "images\n", "");
}
END_TEST

START_TEST(image_may_be_wrong) {
    make_image(OURSELVES, "-u 1x true");
    expect(sh(RUN "img"), 125, "", "1x");
    make_image(OURSELVES, "--frobnicate true");
    expect(sh(RUN "img"), 125, "", "--frobnicate");
    make_image(OURSELVES, "-e A=1");
    expect(sh(RUN "img"), 125, "", "COMMAND");
    expect(sh("rm $CONTAINER_HOME/images/img/args; " RUN "img"), 125, "", "COMMAND");
    expect(sh("echo /no/layer >$CONTAINER_HOME/images/img/layers; " RUN "img true"),
           125, "", "/no/layer");
    expect(sh("ls -A $CONTAINER_HOME"), 0, "images\n", "");
}
END_TEST

START_TEST(image_arguments_are_lines) {
    make_image(OURSELVES, "probe args 'two words' '' '$HOME' '\"'");
    expect(sh(RUN_RM "img"), 0, "arg 1 two words\narg 2 \narg 3 $HOME\narg 4 \"\n", "");
}
END_TEST

/* Many arguments all arrive, or are refused; none is forgotten. */
START_TEST(image_arguments_are_many) {
    make_image(OURSELVES, "probe args $(seq 1000)");
    struct result r = sh(RUN_RM "img");
    if (r.status == 0)
        expect(r, 0, "arg 1000 1000\n", "");
    else
        expect(r, 125, "", "args");
}
END_TEST

/* ---- stdio ---- */

START_TEST(passes_bytes_through_files) {
    expect(as(_i, "cd $T && head -c 1000000 /dev/urandom >in &&" RUN_RM
                  "$BASE probe echo <in >out && cmp in out"),
           0, "", "");
}
END_TEST

START_TEST(passes_bytes_through_pipes) {
    expect(as(_i, "cd $T && head -c 1000000 /dev/urandom >in && cat in |" RUN_RM
                  "-i $BASE probe echo | cat >out && cmp in out"),
           0, "", "");
}
END_TEST

START_TEST(keeps_errors_apart) {
    expect(as(_i, RUN_RM "$BASE probe both hello"), 0, "hello\n", "hello\n");
    expect(as(_i, RUN_RM "$BASE probe both hello 2>/dev/null"), 0, "hello\n", "");
    expect(as(_i, RUN_RM "$BASE probe both hello >/dev/null"), 0, "", "hello\n");
}
END_TEST

START_TEST(ends_with_its_reader) {
    expect(as(_i, RUN_RM "$BASE yes | head -n 1"), 0, "y\n", NULL);
}
END_TEST

/* The program can open its standard output again by name, whoever it is. */
START_TEST(reopens_its_output) {
    expect(sh(RUN_RM "-u 1000 $BASE sh -c 'echo out >/dev/stdout; echo err >/dev/stderr'"), 0,
           "out\n", "err\n");
}
END_TEST

/* ---- callers ---- */

/* How a caller may start a container: with this before the command line, and this after it. Of
 * what is ignored the last digits count: signals 32 and 33 belong to the C library. */
static const struct {
    const char *before, *program, *after;
    int status;
    const char *out;
} callers[] = {
    // clang-format off
    { "",                                      "probe exit 7",     "", 7, "" },
    { "",                                      "probe exit 7",     "<&-", 7, "" },
    { "",                                      "probe fds",        "<&-", 0, "0 /dev/null" },
    { "",                                      "probe exit 7",     "<&- >&- 2>&-", 7, "" },
    { "",                                      "probe both text",  "<&- >&- 2>&-", 0, "" },
    { "trap '' HUP INT QUIT TERM PIPE; exec",  "probe inherited",  "", 0, "0000000\nSigCgt" },
    { "umask 0777;",                           "probe inherited",  "", 0, "Umask 0022" },
    { "umask 0777;",                           "probe write /x y", "", 0, "wrote" },
    { "mkdir d; cd d; rmdir ../d;",            "probe cwd",        "", 0, "cwd /\n" },
    { "env -i CONTAINER_HOME=$CONTAINER_HOME ASAN_OPTIONS=$ASAN_OPTIONS",
                                               "probe exit 7",     "", 7, "" },
    { "ulimit -n 200;",                        "probe exit 7",     "", 7, "" },
    { "ulimit -c 0;",                          "probe signal 11",  "", 139, "" },
    // clang-format on
};

START_TEST(does_not_mind_its_caller) {
    for (enum who who = OURSELVES; who < (enum who)users(); who++)
        expect(as(who, "%s " RUN_RM "$BASE %s %s", callers[_i].before, callers[_i].program,
                  callers[_i].after),
               callers[_i].status, callers[_i].out, "");
}
END_TEST

/* Who ignores SIGCHLD would never hear of a child's end. No shell does that for us. */
START_TEST(hears_of_its_children) {
    int status;
    const char *program = getenv("CONTAINER");
    pid_t pid = fork();
    if (pid == 0 && program) {
        signal(SIGCHLD, SIG_IGN);
        execl(program, "container", "run", "--rm", "--network", "none",
              getenv("BASE"), "probe", "exit", "7", NULL);
        _exit(1);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}
END_TEST

/* A variable may have 128 kB; all of them, a quarter of the stack's limit. */
START_TEST(forgets_a_long_environment) {
    struct result r = sh("long=$(head -c 120000 /dev/zero | tr '\\0' x);"
                         "for i in 1 2 3 4 5 6 7 8; do export LONG$i=$long; done;" RUN_RM
                         "-e SHORT=1 $BASE probe env");
    expect(r, 0, "SHORT=1\n", "");
    ck_assert_ptr_null(strstr(r.out, "xxx"));
    r = sh("long=$(head -c 120000 /dev/zero | tr '\\0' x);" RUN_RM "-e LONG=$long $BASE probe env");
    expect(r, 0, "LONG=xxx", "");
    ck_assert_int_gt(strlen(r.out), 120000);
}
END_TEST

START_TEST(closes_what_its_caller_left_open) {
    const char *open = "3</etc/hosts 8>$T/x 9</etc/passwd | cut -d ' ' -f 1 | tr '\n' ' '";
    expect(as(_i, "$PROBE fds %s", open), 0, "3 8 9", ""); /* the control */
    ck_assert_str_eq(as(_i, RUN_RM "$BASE probe fds %s", open).out, "0 1 2 ");
}
END_TEST

/* From now on this kernel does not know the call. */
static void forget(int call) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_K | BPF_JEQ, call, 0, 1),
        BPF_STMT(BPF_RET, SECCOMP_RET_ERRNO | 38), /* ENOSYS */
        BPF_STMT(BPF_RET, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { COUNT(code), code };
    ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

static const struct {
    int call;
    const char *name;
} newer_calls[] = {
    { SYS_clone3, "clone3" },
    { SYS_open_tree, "open_tree" },
    { SYS_move_mount, "move_mount" },
    { SYS_fsopen, "fsopen" },
    { SYS_fsconfig, "fsconfig" },
    { SYS_fsmount, "fsmount" },
    { SYS_mount_setattr, "mount_setattr" },
};

START_TEST(names_what_an_old_kernel_lacks) {
    expect(sh(RUN_RM "$BASE probe exit 7"), 7, "", "");
    forget(newer_calls[_i].call);
    struct result r = sh(RUN "$BASE probe exit 7");
    expect(r, 125, "", newer_calls[_i].name);
    expect(r, 125, "", "Linux 5.15");
    expect_nothing_made(OURSELVES);
}
END_TEST

/* ---- explain ---- */

/* A step looks like "fs.c:210: sys(pivot_root, ".", ".")  = 0"; the container's are indented. */
START_TEST(explains_every_step) {
    expect(as(_i, RUN_RM "--explain $BASE probe exit 7 2>$T/steps"), 7, "", "");
    expect(sh("grep -vE '^( {40})?[a-z]+[.]c:[0-9]+: .* = [0-9]+$' $T/steps"), 1, "", "");
    expect(sh("grep '^ns.c:[0-9]*: .*clone3' $T/steps"), 0, NULL, "");
    expect(sh("grep '^ *fs.c:[0-9]*: .*pivot_root' $T/steps"), 0, format("%40s", "fs.c"), "");
    expect(sh("grep -o '[a-z]*[.]c:' $T/steps | sort -u | tr '\\n' ' '"), 0, "container.c:", "");
    expect(sh("grep 'net.c:.*\"lo\"' $T/steps"), 0, NULL, "");
    expect(sh("grep 'execvp probe' $T/steps"), 0, NULL, "");
}
END_TEST

/* Without a terminal nobody could press Enter. */
START_TEST(steps_need_a_terminal) {
    expect(sh(RUN "--explain=step $BASE true"), 125, "", "terminal");
    expect_nothing_made(OURSELVES);
}
END_TEST

/* The place of the step CALL, as in fs.c:210. */
static char *place_of(const char *call) {
    struct result r = sh(RUN_RM "--explain $BASE true 2>&1 |"
                                "sed -n 's/^ *\\([a-z]*[.]c:[0-9]*\\): .*%s.*/\\1/p' | head -n 1",
                         call);
    ck_assert_msg(strstr(r.out, ".c:") != NULL, "no step %s", call);
    return strndup(r.out, strcspn(r.out, "\n"));
}

static int count(const char *text, const char *word) {
    int n = 0;
    while ((text = strstr(text, word)) && ++n) text++;
    return n;
}

START_TEST(waits_at_one_place) {
    static const char *const calls[] = { "pivot_root", "socketpair", "PR_SET_SECCOMP" };
    for (int i = 0; i < COUNT(calls); i++) {
        char *place = place_of(calls[i]);
        struct terminal t = at_terminal(_i, RUN_RM "--name $NAME --explain=%s $BASE probe exit 7",
                                        place);
        wait_for(&t, calls[i]);
        wait_for(&t, "Enter");
        expect(as(_i, "ls $CONTAINER_HOME/containers"), 0, getenv("NAME"), ""); /* look around */
        type(&t, "\n");
        ck_assert_msg(finish(&t) == 7 && count(t.seen, "[Enter") == 1, "%s", t.seen);
    }
}
END_TEST

/* Press Enter N times, and then type LAST. A terminal keeps what is typed too early. With "" the
 * watcher is the terminal's own process, to be killed; else a shell waits for it, because the
 * terminal hangs up with its process, and what was said last would be lost. */
static struct terminal step(enum who who, int n, const char *last) {
    const char *network = who == OURSELVES && is_root() ? "bridge" : "none";
    struct terminal t = at_terminal(who, "%s $CONTAINER run --name $NAME --network %s"
                                         " --explain=step $BASE probe exit 7%s",
                                    *last ? "" : "exec", network, *last ? "; exit $?" : "");
    for (int i = 0; i < n; i++) type(&t, "\n");
    type(&t, last);
    return t;
}

START_TEST(steps_one_by_one) {
    struct terminal t = step(_i, 500, "");
    ck_assert_int_eq(finish(&t), 7);
    ck_assert_int_gt(count(t.seen, "[Enter"), 50);
    expect(as(_i, "cat $CONTAINER_HOME/containers/$NAME/status"), 0, "exited 7\n", "");
}
END_TEST

/* All steps, but for SHARES tests: each has its share of them. */
enum { SHARES = 10 };

static int first(int share) {
    return share * fewer() + random_between(0, fewer() - 1);
}

/* Each of the two processes may wait, and needs a q of its own. Then nothing is left. */
static void quit_at_steps(enum who who, int share) {
    for (int n = first(share), status; n < 500; n += SHARES * fewer()) {
        struct terminal t = step(who, n, "q\nq\n");
        if ((status = finish(&t)) == 7)
            return; /* there are no N steps */
        ck_assert_msg(status == 125 && strstr(t.seen, "stopped before"), "step %d: status %d", n,
                      status);
        expect_nothing_made(who);
        expect_host_unchanged();
    }
    ck_abort_msg("it never ran");
}

START_TEST(quits_at_every_step) {
    quit_at_steps(OURSELVES, _i);
}
END_TEST

START_TEST(quits_at_every_step_rootless) {
    quit_at_steps(ORDINARY_USER, _i);
}
END_TEST

/* Nobody can tidy up after a SIGKILL, but no process stays, no link and no NAT. What stays is
 * in the way of nobody. */
static void die_at_steps(enum who who, int share) {
    for (int n = first(share), prompts = 0; n < 500; n += SHARES * fewer(), prompts = 0) {
        struct terminal t = step(who, n, "");
        while (prompts <= n && shows(&t, "[Enter")) prompts++;
        kill(t.pid, SIGKILL);
        if (finish(&t) == 7)
            return;
        remove_by_hand(who);
        expect_host_unchanged();
        expect(as(who, RUN_RM "--name y$NAME $BASE probe exit 7"), 7, "", "");
    }
    ck_abort_msg("it never ran");
}

START_TEST(dies_at_every_step) {
    die_at_steps(OURSELVES, _i);
}
END_TEST

START_TEST(dies_at_every_step_rootless) {
    die_at_steps(ORDINARY_USER, _i);
}
END_TEST

Suite *container_suite(void) {
    Suite *s = suite_create("container");
    TCase *t = new_case(s, "refused");
    tcase_add_loop_test(t, refuses, 0, COUNT(refused));
    tcase_add_loop_test(t, accepts, 0, COUNT(accepted));
    tcase_add_test(t, measures_names);
    tcase_add_test(t, helps);
    tcase_add_test(t, leaves_the_command_alone);
    tcase_add_test(t, says_what_rootless_needs);

    t = new_case(s, "status");
    tcase_add_loop_test(t, exits_with_the_status, 0, COUNT(statuses));
    tcase_add_loop_test(t, exits_with_any_status, 0, users());
    tcase_add_loop_test(t, exits_with_the_signal, 0, COUNT(deadly));

    t = new_case(s, "state");
    tcase_add_loop_test(t, rm_keeps_nothing, 0, users());
    tcase_add_loop_test(t, keeps_what_was_written, 0, users());
    tcase_add_test(t, remembers_a_signal);
    tcase_add_loop_test(t, takes_a_name_once, 0, users());
    tcase_add_test(t, gives_a_name_to_one);
    tcase_add_test(t, makes_names_up);
    tcase_add_loop_test(t, leaves_no_half_container, 0, COUNT(too_late));
    tcase_add_test(t, finds_its_home);
    tcase_add_test(t, says_where_it_may_not_write);
    if (is_root()) {
        tcase_add_loop_test(t, survives_a_full_disk, 0, 24);
        tcase_add_test(t, survives_a_read_only_disk);
    } else
        left_out("full and read-only disks", "to mount one needs root");

    t = new_case(s, "image");
    tcase_add_loop_test(t, image_has_defaults, 0, users());
    tcase_add_loop_test(t, user_overrides_the_image, 0, users());
    tcase_add_loop_test(t, image_may_not_open_the_host, 0, COUNT(greedy));
    tcase_add_test(t, image_may_be_wrong);
    tcase_add_test(t, image_arguments_are_lines);
    tcase_add_test(t, image_arguments_are_many);

    t = new_case(s, "stdio");
    tcase_add_loop_test(t, passes_bytes_through_files, 0, users());
    tcase_add_loop_test(t, passes_bytes_through_pipes, 0, users());
    tcase_add_loop_test(t, keeps_errors_apart, 0, users());
    tcase_add_loop_test(t, ends_with_its_reader, 0, users());
    if (is_root())
        tcase_add_test(t, reopens_its_output);

    t = new_case(s, "callers");
    tcase_add_loop_test(t, does_not_mind_its_caller, 0, COUNT(callers));
    tcase_add_test(t, hears_of_its_children);
    tcase_add_test(t, forgets_a_long_environment);
    tcase_add_loop_test(t, closes_what_its_caller_left_open, 0, users());
    tcase_add_loop_test(t, names_what_an_old_kernel_lacks, 0, COUNT(newer_calls));

    t = new_case(s, "explain");
    tcase_add_loop_test(t, explains_every_step, 0, users());
    tcase_add_test(t, steps_need_a_terminal);
    tcase_add_loop_test(t, waits_at_one_place, 0, users());
    tcase_add_loop_test(t, steps_one_by_one, 0, users());
    tcase_add_loop_test(t, quits_at_every_step, 0, SHARES);
    tcase_add_loop_test(t, dies_at_every_step, 0, SHARES);
    tcase_add_loop_test(t, quits_at_every_step_rootless, 0, users() == 2 ? SHARES : 0);
    tcase_add_loop_test(t, dies_at_every_step_rootless, 0, users() == 2 ? SHARES : 0);
    return s;
}
