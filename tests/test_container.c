/* SPDX-License-Identifier: MIT */
/*
 * test_container.c - the command line, what is kept on disk, and the life of a container.
 *
 *      refused      bad input: a clear message, 125, and nothing was made
 *      messages     what is said when containers exist: what is wrong, and what to type
 *      helped       --help and --version
 *      status       what `container run` exits with
 *      state        what stays in CONTAINER_HOME, and what does not
 *      image        an image's own arguments
 *      stdio        bytes in, bytes out
 *      callers      odd surroundings: closed descriptors, no directory, old kernels
 *      explain      every step, on paper
 */
#include "test.h"
#include <errno.h>
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

/* Nothing in CONTAINER_HOME apart from the directory for containers; both may be missing. Links and
 * cgroups that are left are found at the end of each test. */
static void expect_nothing_made(enum who who) {
    expect(as(who, "cd $CONTAINER_HOME 2>/dev/null || exit 0; find . -mindepth 1 ! -path ./containers"),
           0, "", "");
}

/* The same, if there are images. */
static void expect_no_container(enum who who) {
    expect(as(who, "ls -A $CONTAINER_HOME/containers 2>/dev/null || :"), 0, "", "");
}

/* An image "img" with one layer, BASE, and these arguments, one a line. */
static void make_image(enum who who, const char *args) {
    expect(as(who, "dir=$CONTAINER_HOME/images/img; mkdir -p $dir && cd $dir &&"
                   "echo $BASE >layers && printf '%%s\\n' %s >args",
              args),
           0, "", "");
}

/* ---- refused ---- */

/* What the message must name: the option, the value, and the form that was expected. What `run`
 * refuses, `create` refuses, too. */
static const struct {
    const char *arguments, *says[3];
} refused[] = {
    // clang-format off
    { "run --frobnicate $BASE true",              { "run --frobnicate: unknown option", "container help" } },
    { "run -Z $BASE true",                        { "run -Z: unknown option", "container help" } },
    { "run -iZ $BASE true",                       { "run -Z: unknown option" } },
    { "run -Zi $BASE true",                       { "run -Z: unknown option" } },
    { "run --no-cgroup $BASE true",               { "run --no-cgroup: unknown option" } },
    { "run --memory",                             { "--memory : expected SIZE", "64M" } },
    { "run -m",                                   { "--memory : expected SIZE", "64M" } },
    { "run -im",                                  { "--memory : expected SIZE", "64M" } },
    { "run --cpus",                               { "--cpus : expected NUMBER", "1.5" } },
    { "run --name",                               { "--name : expected at most 63" } },
    { "run --rm=yes $BASE true",                  { "--rm : expected no value" } },
    { "run -m 64M --rm=yes $BASE true",           { "--rm : expected no value" } },
    { "run --no $BASE true",                      { "run --no: unknown option" } },
    { "run --c $BASE true",                       { "run --c: unknown option" } }, /* ambiguous */
    { "run",                                      { "run: IMAGE is missing", "container help" } },
    { "run --rm -i",                              { "run: IMAGE is missing", "container help" } },
    { "run $BASE",                                { "COMMAND" } },
    { "run nosuch true",                          { "no image \"nosuch\"", "container pull nosuch" } },
    { "run no.such:1.2 true",                     { "no image \"no.such:1.2\"", "pull no.such:1.2" } },
    { "run ./nosuch true",                        { "IMAGE ./nosuch: No such file or directory" } },
    { "run ../x true",                            { "IMAGE ../x: No such file or directory" } },
    { "run ~nosuch/x true",                       { "IMAGE ~nosuch/x: No such file or directory" } },
    { "run /etc/passwd true",                     { "/etc/passwd", "Not a directory" } },
    { "run '' true",                              { "IMAGE" } },
    { "run -m 12Q $BASE true",                    { "--memory 12Q: expected SIZE", "64M" } },
    { "run -m '' $BASE true",                     { "--memory : expected SIZE", "64M" } },
    { "run -m 0 $BASE true",                      { "--memory 0: expected SIZE" } },
    { "run -m -1 $BASE true",                     { "--memory -1: expected SIZE" } },
    { "run -m 1.5G $BASE true",                   { "--memory 1.5G: expected SIZE" } },
    { "run -m 0x40 $BASE true",                   { "--memory 0x40: expected SIZE" } },
    { "run -m 64MB $BASE true",                   { "--memory 64MB: expected SIZE" } },
    { "run -m ' 64M' $BASE true",                 { "--memory  64M: expected SIZE" } },
    { "run -m '64M\n' $BASE true",                { "--memory 64M", "expected SIZE" } },
    { "run -m 99999999999999999999 $BASE true",   { "--memory 99999", "expected SIZE" } },
    { "run --cpus -1 $BASE true",                 { "--cpus -1: expected", "1.5" } },
    { "run --cpus abc $BASE true",                { "--cpus abc: expected", "1.5" } },
    { "run --cpus '' $BASE true",                 { "--cpus : expected", "1.5" } },
    { "run --cpus 0 $BASE true",                  { "--cpus 0: expected", "1.5" } },
    { "run --cpus nan $BASE true",                { "--cpus nan: expected", "1.5" } },
    { "run --cpus 1e3 $BASE true",                { "--cpus 1e3: expected", "1.5" } },
    { "run --cpus 1,5 $BASE true",                { "--cpus 1,5: expected", "1.5" } },
    { "run --pids-limit 0 $BASE true",            { "--pids-limit 0: expected", "64" } },
    { "run --pids-limit -1 $BASE true",           { "--pids-limit -1: expected", "64" } },
    { "run --pids-limit 1.5 $BASE true",          { "--pids-limit 1.5: expected", "64" } },
    { "run --pids-limit abc $BASE true",          { "--pids-limit abc: expected", "64" } },
    { "run -v /etc $BASE true",                   { "--volume /etc: expected", "SRC:/DST" } },
    { "run -v '' $BASE true",                     { "--volume : expected", "SRC:/DST" } },
    { "run -v :/x $BASE true",                    { "--volume :/x: expected", "SRC:/DST" } },
    { "run -v /nosuch:/x $BASE true",             { "--volume /nosuch:/x", "No such file" } },
    { "run -v nosuch:/x $BASE true",              { "--volume nosuch:/x", "No such file" } },
    { "run -v ./nosuch:/x $BASE true",            { "--volume ./nosuch:/x", "No such file" } },
    { "run -v /etc:relative $BASE true",          { "--volume /etc:relative: expected", "SRC:/DST" } },
    { "run -v /etc:/x:rx $BASE true",             { "--volume /etc:/x:rx: expected", ":ro" } },
    { "run -e =x $BASE true",                     { "--env =x: expected NAME", "VALUE" } },
    { "run -e = $BASE true",                      { "--env =: expected NAME", "VALUE" } },
    { "run -e '' $BASE true",                     { "--env : expected NAME", "VALUE" } },
    { "run -e 9 $BASE true",                      { "--env 9: expected NAME", "VALUE" } },
    { "run -e 9x=y $BASE true",                   { "--env 9x=y: expected NAME", "VALUE" } },
    { "run --name a/b $BASE true",                { "--name a/b: expected at most 63" } },
    { "run --name ../../x $BASE true",            { "--name ../../x: expected at most 63" } },
    { "run --name .. $BASE true",                 { "--name ..: expected at most 63" } },
    { "run --name -x $BASE true",                 { "--name -x: expected at most 63" } },
    { "run --name '' $BASE true",                 { "--name : expected at most 63" } },
    { "run --name 'a b' $BASE true",              { "--name a b: expected at most 63" } },
    { "run --hostname a/b $BASE true",            { "--hostname a/b: expected at most 63" } },
    { "run --hostname '' $BASE true",             { "--hostname : expected at most 63" } },
    { "run -w relative $BASE true",               { "--workdir relative: expected /DIR" } },
    { "run -w '' $BASE true",                     { "--workdir : expected /DIR" } },
    { "run -u '' $BASE true",                     { "--user : expected UID", "UID:GID" } },
    { "run -u 1x $BASE true",                     { "--user 1x: expected UID", "UID:GID" } },
    { "run -u -1 $BASE true",                     { "--user -1: expected UID", "UID:GID" } },
    { "run -u +1 $BASE true",                     { "--user +1: expected UID", "UID:GID" } },
    { "run -u ' 1' $BASE true",                   { "--user  1: expected UID", "UID:GID" } },
    { "run -u 0x0 $BASE true",                    { "--user 0x0: expected UID", "UID:GID" } },
    { "run -u 4294967295 $BASE true",             { "--user 4294967295: expected UID" } },
    { "run -u 4294967296 $BASE true",             { "--user 4294967296: expected UID" } },
    { "run -u 99999999999999999999 $BASE true",   { "--user 99999", "expected UID" } },
    { "run -u 1: $BASE true",                     { "--user 1:: expected UID", "UID:GID" } },
    { "run -u :1 $BASE true",                     { "--user :1: expected UID", "UID:GID" } },
    { "run -u 1:1x $BASE true",                   { "--user 1:1x: expected UID", "UID:GID" } },
    { "run -u 1:4294967296 $BASE true",           { "--user 1:4294967296: expected UID" } },
    { "run --network frob $BASE true",            { "--network frob: expected", "bridge", "none" } },
    { "run --network '' $BASE true",              { "--network : expected", "bridge", "none" } },
    { "run --network container:x $BASE true",     { "--network container:x: expected", "host" } },
    { "run -p 80 $BASE true",                     { "--publish 80: expected", "HOST:CONTAINER" } },
    { "run -p '' $BASE true",                     { "--publish : expected", "HOST:CONTAINER" } },
    { "run -p : $BASE true",                      { "--publish :: expected", "HOST:CONTAINER" } },
    { "run -p 80: $BASE true",                    { "--publish 80:: expected", "HOST:CONTAINER" } },
    { "run -p :80 $BASE true",                    { "--publish :80: expected", "HOST:CONTAINER" } },
    { "run -p 0:80 $BASE true",                   { "--publish 0:80: expected", "65535" } },
    { "run -p 80:0 $BASE true",                   { "--publish 80:0: expected", "65535" } },
    { "run -p 65536:80 $BASE true",               { "--publish 65536:80: expected", "65535" } },
    { "run -p 80:65536 $BASE true",               { "--publish 80:65536: expected", "65535" } },
    { "run -p 80:99999 $BASE true",               { "--publish 80:99999: expected", "65535" } },
    { "run -p 080:80 $BASE true",                 { "--publish 080:80: expected", "65535" } },
    { "run -p -1:80 $BASE true",                  { "--publish -1:80: expected", "65535" } },
    { "run -p 1.2.3:80:80 $BASE true",            { "--publish 1.2.3:80:80: expected", "IP" } },
    { "run -p 256.0.0.1:80:80 $BASE true",        { "--publish 256.0.0.1:80:80: expected", "IP" } },
    { "run -p 1.2.3.4.5:80:80 $BASE true",        { "--publish 1.2.3.4.5:80:80: expected", "IP" } },
    { "run -p localhost:80:80 $BASE true",        { "--publish localhost:80:80: expected", "IP" } },
    { "run -p 80:80/udp $BASE true",              { "--publish 80:80/udp: expected" } },
    { "run -p 80:80 --network host $BASE true",   { "--publish", "--network host" } },
    { "run --cap-add FROB $BASE true",            { "--cap-add FROB: expected", "NET_ADMIN" } },
    { "run --cap-add '' $BASE true",              { "--cap-add : expected", "NET_ADMIN" } },
    { "run --cap-add CHOWN --cap-add FROB $BASE true", { "--cap-add FROB: expected" } },
    { "run --cap-drop '' $BASE true",             { "--cap-drop : expected CAPABILITY" } },
    /* of the first edition, or of Docker */
    { "run --io x $BASE true",                    { "run --io: unknown option" } },
    { "run --ip 10.66.0.9 $BASE true",            { "--ipc 10.66.0.9: expected host" } },
    { "run --explain=step $BASE true",            { "--explain : expected no value" } },
    { "run --restart always $BASE true",          { "run --restart: unknown option" } },
    // clang-format on
};

static void expect_says(struct result r, const char *const says[3]) {
    expect(r, 125, "", "container: ");
    for (int i = 0; i < 3 && says[i]; i++) expect(r, 125, "", says[i]);
    ck_assert_msg(strchr(r.err, '\n') == strrchr(r.err, '\n'), "more than one line:\n%s", r.err);
}

START_TEST(refuses) {
    expect_says(sh("$CONTAINER %s", refused[_i].arguments), refused[_i].says);
    expect_nothing_made(OURSELVES);
}
END_TEST

/* The same words: "create" in the place of "run", in the line and in what is said about it. */
static const char *of_create(const char *said) {
    return said && !strncmp(said, "run", 3) ? format("create%s", said + 3) : said;
}

START_TEST(create_refuses) {
    const char *says[3];
    for (int i = 0; i < 3; i++) says[i] = of_create(refused[_i].says[i]);
    expect_says(sh("$CONTAINER %s", of_create(refused[_i].arguments)), says);
    expect_nothing_made(OURSELVES);
}
END_TEST

/* The same for the other words, and for words that are none. */
static const struct {
    const char *arguments, *says[3];
} words_refused[] = {
    // clang-format off
    { "exec",                     { "exec: NAME or COMMAND is missing", "container help" } },
    { "exec x",                   { "exec: NAME or COMMAND is missing", "container help" } },
    { "exec -i x",                { "exec: NAME or COMMAND is missing", "container help" } },
    { "start",                    { "start: NAME is missing", "container start NAME" } },
    { "exec -Z x true",           { "exec -Z: unknown option", "container help" } },
    { "exec --rm x true",         { "exec --rm: unknown option", "container help" } },
    { "exec --privileged x true", { "exec --privileged: unknown option" } },
    { "exec -w relative x true",  { "--workdir relative: expected /DIR" } },
    { "exec -u 1x x true",        { "--user 1x: expected UID" } },
    { "exec -e =x x true",        { "--env =x: expected NAME" } },
    { "exec -e",                  { "--env : expected NAME", "VALUE" } },
    { "exec -m 5M x true",        { "exec -m: unknown option", "container help exec" } },
    { "start -Z x",               { "start", "-Z: unknown option" } },
    { "start --rm x",             { "start", "--rm: unknown option" } },
    { "exec nosuch true",         { "nosuch: there is no such container (see container ps)" } },
    { "start nosuch",             { "nosuch: there is no such container (see container ps)" } },
    { "start ''",                 { ": there is no such container (see container ps)" } },
    { "start ..",                 { "..: there is no such container (see container ps)" } },
    { "start ../containers",      { "../containers: there is no such container" } },
    { "exec /etc true",           { "/etc: there is no such container (see container ps)" } },
    { "logs nosuch",              { "nosuch: there is no such container" } },
    { "wait nosuch",              { "nosuch: there is no such container" } },
    { "stop nosuch",              { "nosuch: there is no such container" } },
    { "kill nosuch",              { "nosuch: there is no such container" } },
    { "pause nosuch",             { "nosuch: there is no such container" } },
    { "unpause nosuch",           { "nosuch: there is no such container" } },
    { "rm nosuch",                { "nosuch: there is no such container" } },
    { "inspect nosuch",           { "nosuch: there is no such container" } },
    { "commit nosuch image",      { "nosuch" } },
    { "frobnicate",               { "frobnicate: no such command", "container help" } },
    { "frobnicate --help",        { "frobnicate: no such command", "container help" } },
    { "'' x",                     { ": no such command", "container help" } },
    { "-x",                       { "-x: no such command", "container help" } },
    { "--frobnicate run",         { "--frobnicate: no such command", "container help" } },
    { "../../container --help",   { "../../container: no such command", "container help" } },
    { "tools/ps",                 { "tools/ps: no such command", "container help" } },
    { "state",                    { "state: no such command", "container help" } },
    { "stpo x",                   { "stpo: no such command", "did you mean \"stop\"?" } },
    { "stert x",                  { "stert: no such command", "did you mean \"start\"?" } },
    { "rum $BASE true",           { "rum: no such command", "did you mean \"run\"?" } },
    { "exce x true",              { "exce: no such command", "did you mean \"exec\"?" } },
    { "inspekt x",                { "inspekt: no such command", "did you mean \"inspect\"?" } },
    { "biuld .",                  { "biuld: no such command", "did you mean \"build\"?" } },
    { "comit x y",                { "comit: no such command", "did you mean \"commit\"?" } },
    // clang-format on
};

START_TEST(words_are_refused) {
    expect_says(sh("$CONTAINER %s", words_refused[_i].arguments), words_refused[_i].says);
    expect_nothing_made(OURSELVES);
}
END_TEST

/* A terminal needs one to be shown on, unless nobody looks. */
START_TEST(needs_a_terminal_for_one) {
    const char *says = "--tty: standard input is not a terminal";
    expect(as(_i, RUN "-t $BASE true"), 125, "", says);
    expect(as(_i, RUN "-it $BASE true"), 125, "", says);
    expect(as(_i, "echo x | " RUN "-t $BASE true"), 125, "", says);
    expect(as(_i, RUN "-t $BASE true <&-"), 125, "", says);
    expect_nothing_made(_i);
    expect(as(_i, RUN "-d -t --name $NAME $BASE probe sleep 100"), 0, getenv("NAME"), "");
    expect(as(_i, "$CONTAINER exec -t $NAME true"), 125, "", says);
    expect(as(_i, "$CONTAINER exec $NAME probe exit 7"), 7, "", "");
    expect(as(_i, "$CONTAINER create -t --network none --name y$NAME $BASE probe sleep 100"), 0,
           NULL, "");
    expect(as(_i, "$CONTAINER start y$NAME"), 0, NULL, "");
    expect(as(_i, "$CONTAINER rm -f $NAME y$NAME"), 0, NULL, "");
    make_image(_i, "-t true");
    expect(as(_i, RUN "img"), 125, "", says);
    expect_no_container(_i);
}
END_TEST

START_TEST(reads_no_directory) {
    const char *says = "container: standard input is a directory\n";
    expect(as(_i, RUN "$BASE true </"), 125, "", says);
    expect(as(_i, RUN_RM "-i $BASE true <$T"), 125, "", says);
    expect_nothing_made(_i);
    expect(as(_i, RUN "-d --name $NAME $BASE probe sleep 100"), 0, getenv("NAME"), "");
    expect(as(_i, "$CONTAINER exec $NAME true </"), 125, "", says);
    expect(as(_i, "$CONTAINER exec $NAME probe exit 7"), 7, "", "");
    expect(as(_i, "$CONTAINER rm -f $NAME"), 0, NULL, "");
    expect_no_container(_i);
}
END_TEST

/* A port has one owner: another container, another program, or the same command line. What only
 * prepares takes none. */
START_TEST(takes_a_port_once) {
    int port = new_port();
    const char *says = format("container: --publish %d:80: port %d of the host: %s", port, port, IN_USE);
    expect(as(_i, RUN "-d --name $NAME -p %d:80 $BASE probe sleep 100", port), 0, NULL, "");
    expect(as(_i, RUN "--name y$NAME -p %d:80 $BASE true", port), 125, "", says);
    expect(as(_i, RUN "-d --name y$NAME -p %d:80 $BASE true", port), 125, "", says);
    expect(as(_i, "ls $CONTAINER_HOME/containers"), 0, format("%s\n", getenv("NAME")), "");
    expect(as(_i, "ls -d $CONTAINER_HOME/containers/y*"), 2, "", NULL);
    expect(as(_i, "$CONTAINER create --name y$NAME -p %d:80 $BASE true", port), 0, NULL, "");
    expect(as(_i, "$CONTAINER start y$NAME"), 125, "", says);
    expect(as(_i, "$CONTAINER rm -f $NAME y$NAME"), 0, NULL, "");
    expect(as(_i, RUN_RM "-p %d:80 $BASE probe exit 7", port), 7, "", "");
    expect(as(_i, RUN "-p %d:80 -p %d:81 $BASE true", port, port), 125, "",
           format("--publish %d:81: port %d of the host: %s", port, port, IN_USE));
    expect_no_container(_i);
}
END_TEST

START_TEST(takes_ports_of_the_machine_only) {
    int port = new_port();
    expect(as(_i, RUN "-p 203.0.113.77:%d:80 $BASE true", port), 125, "",
           format("--publish 203.0.113.77:%d:80: port %d of the host: %s", port, port, NOT_OURS));
    expect_nothing_made(_i);
}
END_TEST

START_TEST(takes_no_low_port_from_users) {
    static const char *const ports[][2] = {
        { "80:8080", "port 80" }, { "1023:1", "port 1023" }, { "127.0.0.1:1:1", "port 1" }
    };
    for (int i = 0; i < COUNT(ports); i++)
        expect(sh_user(RUN "-p %s $BASE true", ports[i][0]), 125, "",
               format("--publish %s: %s of the host: Permission denied", ports[i][0], ports[i][1]));
    expect_nothing_made(ORDINARY_USER);
}
END_TEST

/* Whoever can write there decides what runs. One is another user's, one is for everybody. */
START_TEST(home_is_its_own) {
    const char *says = format("container: CONTAINER_HOME %s/x: somebody else can write there;"
                              " expected one of your own",
                              getenv("T"));
    expect(sh("mkdir -m 755 $T/x && chown %d $T/x", _i == OURSELVES ? 65534 : 0), 0, "", "");
    expect(as(_i, "export CONTAINER_HOME=$T/x; " RUN "$BASE true"), 125, "", says);
    expect(as(_i, "export CONTAINER_HOME=$T/x; $CONTAINER create $BASE true"), 125, "", says);
    expect(as(_i, "export CONTAINER_HOME=x; " RUN "-d $BASE true"), 125, "", says);
    expect(as(_i, "ls -A $T/x; stat -c %%a $T/x"), 0, "755\n", "");
    expect(sh("rmdir $T/x"), 0, "", "");
    expect(as(_i, "mkdir $T/x && chmod 1777 $T/x"), 0, "", "");
    expect(as(_i, "export CONTAINER_HOME=$T/x; " RUN "$BASE true"), 125, "", says);
    expect(as(_i, "ls -A $T/x"), 0, "", "");
    expect(as(_i, "chmod 755 $T/x; export CONTAINER_HOME=$T/x; " RUN "$BASE true"), 0, "", "");
}
END_TEST

START_TEST(home_is_a_directory) {
    expect(as(_i, "echo x >$T/x; CONTAINER_HOME=$T/x " RUN "$BASE true"), 125, "", "CONTAINER_HOME");
    expect(as(_i, "cat $T/x"), 0, "x\n", "");
}
END_TEST

/* The positive control of the table above: the same options with good values. */
static const char *const accepted[] = {
    "--name a.b_C-1",
    "--hostname a-1.example",
    "-e A=b",
    "-e A=",
    "-e HOME",
    "-e NOSUCH",
    "-e _9",
    "-e a.b-c=1",
    "-w /new/dir",
    "-u 0",
    "-u 0:0",
    "-u root",
    "-v /etc:/x",
    "-v /etc:/x:ro",
    "-v .:/x",
    "-v ..:/x:ro",
    "-v ./:/x",
    "-p 65535:65535",
    "-p 127.0.0.1:40000:1",
    "-i",
    "-h a.b",
    "--cap-add NET_ADMIN",
    "--cap-add CAP_NET_ADMIN",
    "--cap-drop ALL",
    "--read-only",
    "--",
    "--privileged",
    "--uts host",
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

/* Whoever may read a variable may pass it on, without writing its value into a command line. */
START_TEST(takes_our_values) {
    struct result r = as(_i, "export OURS='a b' EMPTY=; unset ABSENT; " RUN_RM
                             "-e OURS -e EMPTY -e ABSENT -e OTHER=1 $BASE probe env");
    expect(r, 0, "\nOURS=a b\n", "");
    expect(r, 0, "\nEMPTY=\n", "");
    expect(r, 0, "\nOTHER=1\n", "");
    ck_assert_ptr_null(strstr(r.out, "ABSENT"));
    expect(as(_i, "export A=1; " RUN_RM "-e A -e A=2 $BASE probe env"), 0, "\nA=2\n", "");
    expect(as(_i, "export A=1; " RUN_RM "-e A=2 -e A $BASE probe env"), 0, "\nA=1\n", "");
    expect(as(_i, "export A=1; " RUN_RM "$BASE probe env | grep -c A=1"), 1, "0\n", "");
}
END_TEST

START_TEST(exec_takes_our_values) {
    expect(as(_i, RUN "-d --name $NAME $BASE probe sleep 100"), 0, NULL, "");
    struct result r = as(_i, "export OURS='a b'; unset ABSENT;"
                             "$CONTAINER exec -e OURS -e ABSENT $NAME probe env");
    expect(r, 0, "\nOURS=a b\n", "");
    ck_assert_ptr_null(strstr(r.out, "ABSENT"));
    expect(as(_i, "$CONTAINER rm -f $NAME"), 0, NULL, "");
}
END_TEST

/* A volume's source counts from where the command was typed. */
START_TEST(finds_relative_volumes) {
    static const char *const sources[] = { "d/e", "./d/e", "../t/d/e", "d/../d/./e", "d/link" };
    expect(as(_i, "mkdir -p d/e && echo text >d/e/file && ln -s e d/link"), 0, "", "");
    for (int i = 0; i < COUNT(sources); i++)
        expect(as(_i, RUN_RM "-v %s:/x $BASE cat /x/file", sources[i]), 0, "text\n", "");
    expect(as(_i, "cd d/e && " RUN_RM "-v .:/x $BASE cat /x/file"), 0, "text\n", "");
    expect(as(_i, "cd d/e && " RUN_RM "-v ./file:/x:ro $BASE cat /x"), 0, "text\n", "");
    expect(as(_i, "cd d && $CONTAINER create --network none --name $NAME -v e:/x $BASE cat /x/file"),
           0, NULL, "");
    expect(as(_i, "cd d && $CONTAINER start $NAME"), 0, NULL, "");
    until(_i, "$CONTAINER logs $NAME | grep -q text");
}
END_TEST

/* ---- helped ---- */

/* Options, and those who have them: r run and create, x exec. */
static const char *const options[][2] = {
    { "-t --tty", "rx" },
    { "-i --interactive", "rx" },
    { "-d --detach", "r" },
    { "--name", "r" },
    { "--rm", "r" },
    { "-h --hostname", "r" },
    { "-e --env", "rx" },
    { "-w --workdir", "rx" },
    { "-u --user", "rx" },
    { "-v --volume", "r" },
    { "--read-only", "r" },
    { "--in-place", "r" },
    { "--cgroup-parent", "r" },
    { "--ipc", "r" },
    { "--uts", "r" },
    { "-m --memory", "r" },
    { "--cpus", "r" },
    { "--pids-limit", "r" },
    { "--network", "r" },
    { "-p --publish", "r" },
    { "--cap-add", "r" },
    { "--cap-drop", "r" },
    { "--privileged", "r" },
    { "--explain", "rx" },
    { "--no-cgroup", "x" },
};

/* The help of WORD has the options of WHO, a line for each, and no others. */
static void expect_options(const char *word, char who, const char *form) {
    struct result r = sh("timeout 10 $CONTAINER %s --help", word);
    expect(r, 0, form, "");
    for (int i = 0; i < COUNT(options); i++) {
        const char *both = options[i][0];
        bool shown = strstr(r.out, format("\n  %s%s ", both[1] == '-' ? "   " : "", both)) != NULL;
        bool known = strchr(options[i][1], who) != NULL;
        ck_assert_msg(shown == known, "%s: %s is%s shown:\n%s", r.line, both, shown ? "" : " not",
                      r.out);
    }
}

START_TEST(helps) {
    expect_options("run", 'r', "container run [OPTIONS] IMAGE [COMMAND [ARG...]]\n");
    expect_options("create", 'r', "container create [OPTIONS] IMAGE [COMMAND [ARG...]]\n");
    expect_options("exec", 'x', "container exec [OPTIONS] NAME COMMAND [ARG...]\n");
    expect_options("start", 's', "container start NAME");
    expect(sh("timeout 10 $CONTAINER"), 125, NULL, "container help");
    expect(sh("timeout 10 $CONTAINER -h"), 0, "usage: container COMMAND ...", "");
    expect(sh("timeout 10 $CONTAINER run --help nosuch"), 0, "container run ", "");
    expect(sh("timeout 10 $CONTAINER exec --help nosuch true"), 0, "container exec ", "");
    expect_nothing_made(OURSELVES);
}
END_TEST

/* What follows IMAGE is not ours. */
START_TEST(help_is_the_program_s) {
    expect(sh(RUN_RM "$BASE probe args --help --version"), 0, "arg 1 --help\narg 2 --version\n", "");
}
END_TEST

START_TEST(tells_its_version) {
    struct result r = as(_i, "$CONTAINER --version");
    expect(r, 0, "container 2.0\n", "");
    ck_assert_str_eq(r.out, "container 2.0\n");
    expect_exactly(as(_i, "$CONTAINER version"), "container 2.0\n");
    expect_nothing_made(_i);
}
END_TEST

/* Every word, whoever acts on it. */
static const char *const every_word[] = {
    // clang-format off
    "run", "create", "start", "exec",
    "stop", "kill", "pause", "unpause", "wait", "rm", "ps", "logs", "inspect", "stats", "network",
    "link", "delegate", "doctor", "help",
    "diff", "images", "pull", "push", "build", "commit", "import", "base", "debian", "save", "load",
    "history", "tag", "rmi",
    // clang-format on
};

START_TEST(every_word_helps) {
    const char *word = every_word[_i];
    struct result r = sh("timeout 10 $CONTAINER %s --help", word);
    expect(r, 0, "usage: container ", "");
    expect(r, 0, format("container %s", word), "");
    ck_assert_str_eq(sh("timeout 10 $CONTAINER help %s", word).out, r.out);
    expect(sh("timeout 10 $CONTAINER help"), 0, format("\n  %s ", word), "");
    expect(sh("timeout 10 $CONTAINER --help"), 0, format("\n  %s ", word), "");
    expect_nothing_made(OURSELVES);
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
        expect(sh_user("$CONTAINER run -m 64M $BASE true"), 125, "", "elegate");
    expect(sh_user("$CONTAINER run --network bridge $BASE true"), 125, "", "root");
    expect(sh_user("$CONTAINER run -u 1000 $BASE true"), 125, "", "--user 1000");
    expect_nothing_made(ORDINARY_USER);
}
END_TEST

/* ---- messages ---- */

/* What a user meets most when containers exist: $NAME, which runs, and y$NAME, which was created.
 * Each message has the option or name, its value, what is wrong, and if possible what to type. ROOT
 * and OTHERS: for whom it is so. */
enum {
    ROOT = 1,
    OTHERS,
};
static const struct {
    int whose;
    const char *line, *says[3];
} messages[] = {
    // clang-format off
    { ROOT | OTHERS, RUN "--name $NAME $BASE true",
        { "--name $NAME: File exists", "container ps" } },
    { ROOT | OTHERS, "$CONTAINER create --name y$NAME $BASE true",
        { "--name y$NAME: File exists", "container ps" } },
    { ROOT | OTHERS, RUN "-w /etc/passwd $BASE true", { "--workdir /etc/passwd: Not a directory" } },
    { ROOT | OTHERS, RUN "-u nosuch $BASE true", { "--user nosuch: ", "the image's /etc/passwd" } },
    { ROOT | OTHERS, RUN "--in-place /nosuch $BASE true", { "/nosuch: No such file" } },
    { ROOT | OTHERS, RUN "-v /etc:/etc/passwd $BASE true", { "/etc/passwd: Invalid argument" } },
    { ROOT | OTHERS, "$CONTAINER exec y$NAME true",
        { "y$NAME: it does not run", "try: container start y$NAME" } },
    { ROOT | OTHERS, "$CONTAINER exec $NAME", { "exec: NAME or COMMAND is missing", "help exec" } },
    { ROOT | OTHERS, "$CONTAINER exec -u nosuch $NAME true", { "--user nosuch: no such name" } },
    { ROOT | OTHERS, "$CONTAINER exec -w /etc/passwd $NAME true",
        { "--workdir /etc/passwd: Not a directory" } },
    { ROOT | OTHERS, "$CONTAINER exec -m 5M $NAME true", { "exec -m: unknown option", "help exec" } },
    { ROOT | OTHERS, "$CONTAINER rm $NAME", { "$NAME is running", "try: container rm -f $NAME" } },
    { ROOT | OTHERS, "$CONTAINER pause y$NAME",
        { "y$NAME is created; container pause needs one that runs" } },
    { ROOT | OTHERS, "$CONTAINER stop -t soon $NAME",
        { "stop: -t soon: expected SECONDS, for example 10", "usage: container stop [-t SECONDS]" } },
    { ROOT | OTHERS, "$CONTAINER kill -s FROB $NAME",
        { "kill: -s FROB: expected SIGNAL, for example TERM", "usage: container kill [-s SIGNAL]" } },
    { ROOT | OTHERS, "$CONTAINER logs -x $NAME", { "logs: -x: unknown option", "container logs [-f]" } },
    { ROOT | OTHERS, "$CONTAINER link $NAME",
        { "link: wrong number of operands", "usage: container link A B [A-ADDR/LEN B-ADDR/LEN]" } },
    { ROOT | OTHERS, "$CONTAINER commit nosuch x", { "nosuch: there is no such container" } },
    { ROOT, "$CONTAINER pause $NAME && $CONTAINER exec $NAME true",
        { "$NAME: it is paused", "try: container unpause $NAME" } },
    { OTHERS, RUN "-u 1000 $BASE true", { "--user 1000: ", "a rootless container has only user 0" } },
    { OTHERS, "$CONTAINER exec -u 1:1 $NAME true", { "--user 1:1: ", "rootless", "only user 0" } },
    { OTHERS, "$CONTAINER pause $NAME", { "$NAME has no cgroup", "container help delegate" } },
    { OTHERS, "$CONTAINER network up", { "network: only root can do this", "try: container run --network none" } },
    { OTHERS, "$CONTAINER link $NAME y$NAME", { "link: only root can change a network" } },
    // clang-format on
};

START_TEST(messages_help) {
    int whose = is_root() && _i == OURSELVES ? ROOT : OTHERS;
    expect(as(_i, RUN "-d --name $NAME $BASE probe sleep 100"), 0, NULL, "");
    expect(as(_i, "$CONTAINER create --network none --name y$NAME $BASE true"), 0, NULL, "");
    for (int i = 0; i < COUNT(messages); i++) {
        const char *says[3] = { NULL };
        for (int k = 0; k < 3 && messages[i].says[k]; k++)
            says[k] = sh("printf %%s \"%s\"", messages[i].says[k]).out; /* with $NAME's value */
        if (messages[i].whose & whose) expect_says(as(_i, "%s", messages[i].line), says);
    }
    expect(as(_i, "$CONTAINER rm -f $NAME y$NAME"), 0, "", "");
}
END_TEST

/* Without a cgroup version 2, or without a systemd that knows them, nobody can delegate. */
START_TEST(delegate_says_what_is_missing) {
    const char *says[3] = { "delegate: ", cgroup_v2() ? "ask root" : "cgroup version 1", NULL };
    expect(sh("mkdir -m 755 bin && printf '#!/bin/sh\nexit 1\n' >bin/systemd-run &&"
              "chmod 755 bin/systemd-run"),
           0, "", "");
    expect_says(sh_user("PATH=$T/bin:$PATH; $CONTAINER delegate true"), says);
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
    expect(as(_i, "cat $CONTAINER_HOME/containers/$NAME/upper/made"), 0, format("%d\n", n), "");
    ck_assert_str_eq(fact(_i, getenv("NAME"), "exit"), "3");
    expect(as(_i, "$PROBE exists $BASE/made"), 1, "ENOENT", ""); /* the image is as it was */
}
END_TEST

START_TEST(remembers_a_signal) {
    expect(sh(RUN "--name $NAME $BASE probe signal 9"), 137, "", "");
    ck_assert_str_eq(fact(OURSELVES, getenv("NAME"), "exit"), "137");
    expect(sh(RUN "--name y$NAME $BASE probe signal 15"), 143, "", "");
    ck_assert_str_eq(fact(OURSELVES, format("y%s", getenv("NAME")), "exit"), "143");
}
END_TEST

START_TEST(takes_a_name_once) {
    const char *says = getenv("NAME");
    expect(as(_i, RUN "--name $NAME $BASE sh -c 'echo first >/made; exit 3'"), 3, "", "");
    expect(as(_i, RUN "--name $NAME $BASE sh -c 'echo second >/made'"), 125, "", says);
    expect(as(_i, RUN_RM "--name $NAME $BASE true"), 125, "", says);
    expect(as(_i, "$CONTAINER create --name $NAME $BASE true"), 125, "", says);
    expect(as(_i, "cat $CONTAINER_HOME/containers/$NAME/upper/made"), 0, "first\n", "");
    ck_assert_str_eq(fact(_i, getenv("NAME"), "exit"), "3");
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
    ck_assert_str_eq(fact(OURSELVES, getenv("NAME"), "exit"), "7");
}
END_TEST

/* One small file for each fact. */
START_TEST(writes_facts_down) {
    expect(as(_i, RUN "--name $NAME -- $BASE sh -c 'exit 3' 'a b' ''"), 3, "", "");
    expect(as(_i, "cd $CONTAINER_HOME/containers/$NAME && tr '\\0' '|' <arguments"), 0,
           format("run|--network|none|--name|%s|--|%s|sh|-c|exit 3|a b||", getenv("NAME"),
                  getenv("BASE")),
           "");
    expect(as(_i, "cd $CONTAINER_HOME/containers/$NAME && cat image layers"), 0,
           format("%s\n%s\n", getenv("BASE"), getenv("BASE")), "");
    expect(as(_i, "cd $CONTAINER_HOME/containers/$NAME && wc -c <exit"), 0, "4\n", "");
    expect(as(_i, "stat -c %%a $CONTAINER_HOME/containers"), 0, "700\n", "");
    expect(as(_i, "cd $CONTAINER_HOME/containers/$NAME && ls -d ip log pid.new"), 2, "", NULL);
}
END_TEST

/* While it runs, its number and an end that nobody has seen yet. */
START_TEST(writes_its_pid_down) {
    expect(as(_i, RUN "-d --name $NAME $BASE sh -c 'until [ -e /end ]; do sleep 0.02; done; exit 3'"),
           0, NULL, "");
    int pid = atoi(fact(_i, getenv("NAME"), "pid"));
    ck_assert_int_gt(pid, 1);
    expect(as(_i, "cat /proc/%d/comm", pid), 0, "init\n", "");
    ck_assert_int_gt(watcher_of(_i, getenv("NAME")), 1);
    ck_assert_str_eq(fact(_i, getenv("NAME"), "exit"), "137");
    expect(as(_i, "$CONTAINER exec $NAME touch /end"), 0, "", "");
    until(_i, "flock -n $CONTAINER_HOME/containers/$NAME true");
    ck_assert_str_eq(fact(_i, getenv("NAME"), "exit"), "3");
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
              "cat here/containers/$NAME/exit"),
           0, "0  \n", "");
    expect(sh_user("unset CONTAINER_HOME; " RUN "--name $NAME $BASE true &&"
                   "cat $HOME/.local/share/container/containers/$NAME/exit"),
           0, "0  \n", "");
    /* with neither there is only root's place */
    expect(sh_user("unset CONTAINER_HOME HOME; " RUN "$BASE true"), 125, "", "CONTAINER_HOME");
}
END_TEST

/* Everything that must be written is written with too little room for it once. */
START_TEST(survives_a_full_disk) {
    expect(sh("mkdir $T/disk && mount -t tmpfs -o mode=755,nr_inodes=%d none $T/disk", _i + 1), 0, "", "");
    struct result r = sh("CONTAINER_HOME=$T/disk " RUN "--name $NAME $BASE probe exit 7");
    if (r.status != 7) {
        expect(r, 125, "", "No space left on device");
        expect(sh("find $T/disk -mindepth 1 ! -path $T/disk/containers"), 0, "", "");
    }
    expect(sh("umount $T/disk"), 0, "", "");
}
END_TEST

/* How it ended is known even if the container itself has filled the disk. */
START_TEST(keeps_the_status_on_a_full_disk) {
    expect(sh("mkdir $T/disk && mount -t tmpfs -o mode=755,size=1m none $T/disk"), 0, "", "");
    expect(sh("CONTAINER_HOME=$T/disk " RUN "--name $NAME $BASE sh -c"
              " 'cat /dev/zero >/fill 2>/dev/null; echo x >/more; exit 3'"),
           3, "", "No space left on device");
    expect(sh("cat $T/disk/containers/$NAME/exit"), 0, "3  \n", "");
    expect(sh("CONTAINER_HOME=$T/disk $CONTAINER rm $NAME && umount $T/disk"), 0, NULL, "");
}
END_TEST

START_TEST(survives_a_read_only_disk) {
    expect(sh("mkdir $T/disk && mount -t tmpfs -o mode=755,ro none $T/disk"), 0, "", "");
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
    { "--in-place /", "--in-place" },
    { "--ipc host", "--ipc" },
    { "--volume=/etc:/host", "--volume" },
    { "--network host", "--network" },
    { "--cap-add SYS_ADMIN", "--cap-add" },
    { "--cap-add=ALL", "--cap-add" },
    { "-p 80:80", "-p" },
    { "--explain", "--explain" },
    { "--name other", "--name" },
    { "-d", "-d" },
    { "--rm", "--rm" },
    { "-e SECRET", "--env SECRET: expected NAME=VALUE" },
    { "-e A=1 -e SECRET", "--env SECRET: expected NAME=VALUE" },
    { "--env=SECRET", "--env SECRET: expected NAME=VALUE" },
    { "-iv /etc:/host", "-v" },
    { "-iv/etc:/host", "-v" },
    { "--help", "--help" },
};

START_TEST(image_may_not_open_the_host) {
    make_image(OURSELVES, format("-e A=1 %s probe env", greedy[_i][0]));
    struct result r = sh("export SECRET=ours; " RUN "img");
    expect(r, 125, "", greedy[_i][1]);
    ck_assert_msg(strstr(r.err, "the image's args ") || strstr(r.err, "expected"), "%s", r.err);
    expect_no_container(OURSELVES);
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
    expect_no_container(OURSELVES);
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
    { "",                                      "probe fds",        "<&-", 0, "0 pipe:" },
    { "",                                      "probe fds",        "</dev/null", 0, "0 pipe:" },
    { "",                                      "probe echo",       "</dev/null", 0, "" },
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

/* From now on the call fails with ERROR, as on a kernel that does not know it, or forbids it. */
static void refuse(int call, int error) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_K | BPF_JEQ, call, 0, 1),
        BPF_STMT(BPF_RET, SECCOMP_RET_ERRNO | error),
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

START_TEST(names_what_the_kernel_refuses) {
    expect(sh(RUN_RM "$BASE probe exit 7"), 7, "", "");
    refuse(newer_calls[_i / 2].call, _i % 2 ? EPERM : ENOSYS);
    struct result r = sh(RUN "$BASE probe exit 7");
    expect(r, 125, "", newer_calls[_i / 2].name);
    expect(r, 125, "", _i % 2 ? "Operation not permitted; try: container doctor" : "not implemented; try: container doctor");
    expect_nothing_made(OURSELVES);
}
END_TEST

/* ---- explain ---- */

/* A step looks like "    8095 fs.c:188: sys(pivot_root, ".", ".")  = 0": microseconds, the place,
 * what was done, the result. The container's are indented. */
START_TEST(explains_every_step) {
    expect(as(_i, RUN_RM "--explain $BASE probe exit 7 2>$T/steps"), 7, "", "");
    expect(sh("grep -vE '^ *[0-9]+( {12})? [a-z]+[.]c:[0-9]+: .* = [0-9]+$' $T/steps"), 1, "", "");
    expect(sh("grep -E '^.{121}' $T/steps"), 1, "", "");
    expect(sh("grep '^ *[0-9]* ns.c:[0-9]*: .*clone3.*0x' $T/steps"), 0, NULL, "");
    expect(sh("grep -E '^ *[0-9]+ {13}fs.c:[0-9]+: .*pivot_root' $T/steps"), 0, NULL, "");
    expect(sh("grep -o '[a-z]*[.]c:' $T/steps | sort -u | tr '\n' ' '"), 0, "container.c:", "");
    expect(sh("grep 'net.c:.*\"lo\"' $T/steps"), 0, NULL, "");
    expect(sh("grep 'becomes probe' $T/steps"), 0, NULL, "");
}
END_TEST

/* What an image says may hold bytes that a terminal obeys. */
START_TEST(explains_in_plain_letters) {
    make_image(_i, "-w $(printf '/\\033[2J') true");
    expect(as(_i, RUN_RM "--explain img 2>$T/steps"), 0, "", "");
    expect(sh("tr -d ' -~\n' <$T/steps | wc -c"), 0, "0\n", "");
    expect(sh("grep '/?\\[2J' $T/steps"), 0, NULL, "");
}
END_TEST

Suite *container_suite(void) {
    Suite *s = suite_create("container");
    TCase *t = new_case(s, "refused");
    tcase_add_loop_test(t, refuses, 0, COUNT(refused));
    tcase_add_loop_test(t, create_refuses, 0, COUNT(refused));
    tcase_add_loop_test(t, words_are_refused, 0, COUNT(words_refused));
    tcase_add_loop_test(t, needs_a_terminal_for_one, 0, users());
    tcase_add_loop_test(t, reads_no_directory, 0, users());
    tcase_add_loop_test(t, takes_a_port_once, 0, users());
    tcase_add_loop_test(t, takes_ports_of_the_machine_only, 0, users());
    tcase_add_test(t, takes_no_low_port_from_users);
    if (is_root())
        tcase_add_loop_test(t, home_is_its_own, 0, users());
    else
        left_out("a home of somebody else", "to give it away one must be root");
    tcase_add_loop_test(t, home_is_a_directory, 0, users());
    tcase_add_loop_test(t, accepts, 0, COUNT(accepted));
    tcase_add_test(t, measures_names);
    tcase_add_loop_test(t, takes_our_values, 0, users());
    tcase_add_loop_test(t, exec_takes_our_values, 0, users());
    tcase_add_loop_test(t, finds_relative_volumes, 0, users());
    tcase_add_test(t, leaves_the_command_alone);
    tcase_add_test(t, says_what_rootless_needs);

    t = new_case(s, "messages");
    tcase_add_loop_test(t, messages_help, 0, users());
    tcase_add_test(t, delegate_says_what_is_missing);

    t = new_case(s, "helped");
    tcase_add_test(t, helps);
    tcase_add_test(t, help_is_the_program_s);
    tcase_add_loop_test(t, tells_its_version, 0, users());
    tcase_add_loop_test(t, every_word_helps, 0, COUNT(every_word));

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
    tcase_add_loop_test(t, writes_facts_down, 0, users());
    tcase_add_loop_test(t, writes_its_pid_down, 0, users());
    tcase_add_test(t, makes_names_up);
    tcase_add_loop_test(t, leaves_no_half_container, 0, COUNT(too_late));
    tcase_add_test(t, finds_its_home);
    tcase_add_test(t, says_where_it_may_not_write);
    if (is_root()) {
        tcase_add_loop_test(t, survives_a_full_disk, 0, 24);
        tcase_add_test(t, keeps_the_status_on_a_full_disk);
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
    tcase_add_loop_test(t, names_what_the_kernel_refuses, 0, 2 * COUNT(newer_calls));

    t = new_case(s, "explain");
    if (getenv("MUSL"))
        left_out("each step on a line of its own", "musl writes a long line in two pieces, so two processes mix theirs");
    else
        tcase_add_loop_test(t, explains_every_step, 0, users());
    tcase_add_loop_test(t, explains_in_plain_letters, 0, users());
    return s;
}
