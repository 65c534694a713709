/* SPDX-License-Identifier: MIT */
/*
 * test_tools.c - the commands that are scripts, in lessons/tools, and commit.
 *
 *      misuse       wrong command lines, and names of no container
 *      help         of each command; unknown words
 *      ps           many containers, damaged ones, and some that end just now
 *      ends         stop, kill, rm and wait against each other and against start
 *      logs         to the last word
 *      network      the bridge and its rules, by nft and by iptables
 *      inspect      its figures against those that the container sees
 *      stats        its figures against what the container did
 *      states       both, on a container in any part of its life
 *      commit       an image of a container, also while it runs
 *      link         cables between containers
 *      doctor       what is wrong with a machine, and what helps
 *      timeline     the picture of a start: all its steps, as long as they took
 *      manual       it, the help, the options of the engine, and README agree
 *
 * What a container is like after stop, pause and so on, is in test_life.c.
 */
#include "test.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#define RUN "$CONTAINER run -d --name $NAME --network none "
#define CREATE "$CONTAINER create --name $NAME --network none "
#define INSPECT "$CONTAINER inspect $NAME"
#define STATS "$CONTAINER stats $NAME"
#define COMMIT "$CONTAINER commit $NAME "
#define DIR "\"$CONTAINER_HOME\"/containers/$NAME"
#define UPPER "\"$CONTAINER_HOME\"/containers/$NAME/upper"
#define FIELD(n) "\"$($CONTAINER ps | awk -F '  +' -v name=$NAME '$1 == name { print $" #n " }')\""

#define BASE format("%s", getenv("BASE"))

/* The program says so with a file. */
#define WAIT "until [ -e " UPPER "/ready ]; do sleep 0.02; done"

static void end(enum who who) {
    expect(as(who, "$CONTAINER rm -f $NAME"), 0, NULL, "");
}

/* What stands after LABEL and blanks, up to the end of the line. */
static char *row(struct result r, const char *label) {
    size_t length = strlen(label);
    expect(r, 0, label, "");
    for (const char *at = r.out; at; at = strchr(at, '\n')) {
        at += strspn(at, "\n ");
        if (strncmp(at, label, length) != 0 || at[length] != ' ') continue;
        at += length + strspn(at + length, " ");
        return format("%.*s", (int)strcspn(at, "\n"), at);
    }
    ck_abort_msg("%s\n  no row \"%s\" in:\n%.2000s", r.line, label, r.out);
    return NULL;
}

static void expect_row(struct result r, const char *label, const char *starts) {
    const char *found = row(r, label);
    if (strncmp(found, starts, strlen(starts)) != 0)
        ck_abort_msg("%s\n  %s: expected %s..., found %s", r.line, label, starts, found);
}

/* ---- misuse ---- */

static const struct {
    const char *line, *says;
} misused[] = {
    // clang-format off
    { "ps x",                     "container: ps: expected no NAME; usage: container ps [-a]" },
    { "ps -x",                    "container: ps: -x: unknown option" },
    { "rm",                       "container: rm: NAME is missing; usage: container rm [-f]" },
    { "rm -f",                    "container: rm: NAME is missing" },
    { "rm --force a",             "container: rm: --force: unknown option; usage: " },
    { "rm -x a",                  "container: rm: -x: unknown option" },
    { "stop",                     "container: stop: NAME is missing" },
    { "stop -t",                  "container: stop: -t: its value is missing" },
    { "stop -t x a",              "container: stop: -t x: expected SECONDS, for example 10" },
    { "stop -t '' a",             "container: stop: -t : expected SECONDS" },
    { "stop -t -1 a",             "container: stop: -t -1: expected SECONDS" },
    { "stop -t 1.5 a",            "container: stop: -t 1.5: expected SECONDS" },
    { "stop -t 9999999 a",        "container: stop: -t 9999999: expected SECONDS" },
    { "kill",                     "container: kill: NAME is missing" },
    { "kill -s",                  "container: kill: -s: its value is missing" },
    { "kill -s NOSUCH a",         "container: kill: -s NOSUCH: expected SIGNAL, for example TERM" },
    { "kill -s '' a",             "expected SIGNAL" },
    { "kill -s 0 a",              "-s 0: expected SIGNAL" },
    { "kill -s 65 a",             "-s 65: expected SIGNAL" },
    { "kill -s 015 a",            "-s 015: expected SIGNAL" },
    { "kill -s -9 a",             "-s -9: expected SIGNAL" },
    { "kill -s .* a",             "expected SIGNAL" },
    { "kill -s \"$(printf 'TERM\\nX')\" a", "-s TERM?X: expected SIGNAL" },
    { "logs",                     "container: logs: NAME is missing" },
    { "logs -x a",                "container: logs: -x: unknown option" },
    { "wait",                     "container: wait: NAME is missing" },
    { "wait -x",                  "container: wait: -x: unknown option" },
    { "pause",                    "container: pause: NAME is missing; usage: container pause" },
    { "unpause",                  "container: unpause: NAME is missing; usage: container unpause" },
    { "inspect",                  "container: inspect: NAME is missing" },
    { "inspect -x",               "container: inspect: -x: unknown option" },
    { "stats",                    "container: stats: NAME is missing" },
    { "stats -x",                 "container: stats: -x: unknown option" },
    { "link",                     "wrong number of operands; usage: container link A B" },
    { "link a",                   "container: link: wrong number of operands" },
    { "link a b 10.1.0.1/24",     "container: link: wrong number of operands" },
    { "link a b c d e",           "container: link: wrong number of operands" },
    { "link -m a eth0",           "container: link: wrong number of operands" },
    { "link -m a b c d e",        "container: link: wrong number of operands" },
    { "link -f",                  "container: link: wrong number of operands" },
    { "link -f a b",              "container: link: wrong number of operands" },
    { "link -r a 10.1.0.0/24",    "container: link: wrong number of operands" },
    { "link -r a b c d",          "container: link: wrong number of operands" },
    { "link -x a b",              "container: link: -x: unknown option" },
    { "network",                  "expected up, down or ls; usage: container network up" },
    { "network sideways",         "container: network: expected up, down or ls" },
    { "network up down",          "container: network: expected up, down or ls" },
    { "delegate",                 "container: delegate: COMMAND is missing" },
    { "doctor x",                 "container: doctor: it takes no arguments" },
    { "state",                    "container: state: no such command" },
    { "completion",               "container: completion: no such command" },
    { "commit",                   "usage" },
    { "commit a",                 "usage" },
    { "commit a b c",             "usage" },
    { "commit nosuch x",          "nosuch" },
    { "commit ../a x",            "../a" },
    { "commit '' x",              "NAME" },
    { "commit a ''",              "NAME" },
    { "commit a ../x",            "../x" },
    { "commit a .x",              ".x" },
    { "commit a 'x y'",           "x y" },
    { "commit a \"$(seq -s x 33)\"", "63" },
    // clang-format on
};

START_TEST(refuses) {
    struct result r = sh("$CONTAINER %s", misused[_i].line);
    expect(r, 125, "", misused[_i].says);
    ck_assert_msg(strchr(r.err, '\n') == r.err + strlen(r.err) - 1, "more than a line: %s", r.err);
    expect(sh("[ ! -e \"$CONTAINER_HOME\" ]"), 0, "", "");
}
END_TEST

/* With the directory of a container where a careless script would find it. */
static const char *const strangers[] = {
    "nosuch",
    "../x",
    "../containers/a",
    ".",
    "..",
    "a/",
    "a/.",
    "/etc",
    "''",
    "' '",
    "'a b'",
    "'*'",
    "link",
    "\"$(printf 'a\\nb')\"",
    "\"$(printf 'a\\033[31m')\"",
    "\"$(seq -s x 33)\"",
};
static const char *const for_names[] = {
    "rm",
    "stop",
    "kill",
    "kill -s TERM",
    "logs",
    "logs -f",
    "wait",
    "pause",
    "unpause",
    "inspect",
    "stats",
};

START_TEST(knows_no_strangers) {
    expect(sh("mkdir -p $CONTAINER_HOME/containers/a $CONTAINER_HOME/x precious &&"
              "ln -s $T/precious $CONTAINER_HOME/containers/link &&"
              "for d in $CONTAINER_HOME/x $CONTAINER_HOME precious; do"
              "  printf 'run\\0x\\0' >$d/arguments; echo 137 >$d/exit; echo 1 >$d/pid; done"),
           0, "", "");
    char *before = sh("ls -lR $CONTAINER_HOME $T").out;
    for (int i = 0; i < COUNT(strangers); i++) {
        struct result r = sh("$CONTAINER %s %s", for_names[_i], strangers[i]);
        expect(r, 125, "", "container: ");
        expect(r, 125, "", ": there is no such container (see container ps)\n");
        for (const char *c = r.err; c[1]; c++)
            ck_assert_msg(*c >= ' ' && *c <= '~', "%d in: %s", *c, r.err);
    }
    sh("$CONTAINER rm -f link; $CONTAINER rm -f link/; $CONTAINER rm -f ../x");
    ck_assert_str_eq(sh("ls -lR $CONTAINER_HOME $T").out, before);
    expect(sh("$CONTAINER rm -f nosuch ../nosuch"), 0, "", "");
}
END_TEST

/* One that fails does not keep the others from their turn. */
START_TEST(goes_on_after_a_failure) {
    expect(sh("$CONTAINER create --name a$NAME $BASE true && $CONTAINER create --name b$NAME $BASE"
              " true"),
           0, NULL, "");
    struct result r = sh("$CONTAINER wait ../x a$NAME nosuch b$NAME");
    expect(r, 125, "0\n0\n", "container: ../x: ");
    expect(r, 125, NULL, "container: nosuch: ");
    expect(sh("$CONTAINER inspect ../x b$NAME"), 125, "created", "container: ../x: ");
    expect(sh("$CONTAINER rm nosuch a$NAME ../x b$NAME"), 125, "", "nosuch");
    expect(sh("$CONTAINER ps -q"), 0, "", "");
}
END_TEST

/* Without CONTAINER_HOME, the state is where the engine has it, also for a script by itself. */
START_TEST(finds_its_home) {
    const char *root = "unset CONTAINER_HOME; mkdir -p /var/lib; unshare -m sh -c 'mount -t tmpfs t /var/lib"
                       " && mkdir -p /var/lib/container/containers/mine && %s ps -q && $TOOLS/ps -q'";
    const char *user = "unset CONTAINER_HOME; mkdir -p $HOME/.local/share/container/containers/mine;"
                       "%s ps -q && $TOOLS/ps -q; rm -r $HOME/.local";
    if (is_root()) expect(sh(root, "$CONTAINER"), 0, "mine\nmine\n", "");
    if (users() > 1 || !is_root()) expect(as(users() - 1, user, "$CONTAINER"), 0, "mine\nmine\n", "");
    expect(sh("mkdir -p home/containers/mine; CONTAINER_HOME=home $CONTAINER ps -q &&"
              "CONTAINER_HOME=home $TOOLS/ps -q"),
           0, "mine\nmine\n", "");
}
END_TEST

/* ---- help ---- */

static const char *const words[] = {
    "run",
    "create",
    "start",
    "exec",
    "stop",
    "kill",
    "pause",
    "unpause",
    "wait",
    "rm",
    "ps",
    "logs",
    "inspect",
    "stats",
    "diff",
    "timeline",
    "images",
    "pull",
    "push",
    "build",
    "commit",
    "import",
    "base",
    "debian",
    "save",
    "load",
    "history",
    "prune",
    "tag",
    "rmi",
    "link",
    "doctor",
    "oci",
    "network",
    "delegate",
    "help",
};

START_TEST(help_lists_every_command) {
    struct result r = sh("$CONTAINER help");
    expect(r, 0, "usage: container COMMAND ...", "");
    for (int i = 0; i < COUNT(words); i++)
        expect(r, 0, format("\n  %-8s  ", words[i]), "");
    expect(sh("$CONTAINER help | grep -c '^  [a-z]'"), 0, format("%d\n", COUNT(words)), "");
    expect(sh("$CONTAINER help | awk 'length > 79'"), 0, "", "");
    expect(sh("cd $TOOLS && for f in *; do [ ! -x $f ] || $CONTAINER help | grep -q \"^  $f \" ||"
              " echo $f; done"),
           0, "", "");
}
END_TEST

/* Every word has one, which changes nothing; and the scripts have a good one. */
START_TEST(each_command_has_help) {
    struct result r = sh("$CONTAINER %s --help", words[_i]), same = sh("$CONTAINER help %s", words[_i]);
    expect(r, 0, "usage: ", "");
    expect(same, 0, r.out, "");
    expect(sh("$CONTAINER %s --help | awk 'length > 100'", words[_i]), 0, "", "");
    expect(sh("[ ! -e \"$CONTAINER_HOME\" ]"), 0, "", "");
    if (sh("[ -e $TOOLS/%s ]", words[_i]).status) return;
    expect(r, 0, format(" container %s", words[_i]), "");
    ck_assert_msg(strstr(r.out, " - ") < strchr(r.out, '\n'), "%s", r.out);
    ck_assert_msg(!strstr(r.out, "shellcheck") && !strstr(r.out, "SPDX"), "%s", r.out);
}
END_TEST

static const char *const unknown[][2] = {
    { "sotp", "container: sotp: no such command; did you mean \"stop\"? (see container help)\n" },
    { "imagse", "container: imagse: no such command; did you mean \"images\"?" },
    { "histroy", "did you mean \"history\"?" },
    { "psx", "did you mean \"ps\"?" },
    { "strat", "did you mean \"start\"?" },
    { "xyzzy", "container: xyzzy: no such command (see container help)\n" },
    { "x", "container: x: no such command (see container help)\n" },
    { "''", "container: : no such command (see container help)\n" },
    { "\"$(printf 'a\\033b\\nc')\"", "container: a?b?c: no such command (see container help)\n" },
    { "$(head -c 100000 /dev/zero | tr '\\0' x)", "container: xxxxxxxxxx" },
};

START_TEST(unknown_words_have_a_neighbour) {
    expect(sh("$TOOLS/help --unknown %s", unknown[_i][0]), 125, "", unknown[_i][1]);
    expect(sh("$CONTAINER %s", unknown[_i][0]), 125, "", unknown[_i][1]);
    expect(sh("$CONTAINER help %s", unknown[_i][0]), *unknown[_i][0] == '\'' ? 0 : 125, NULL, NULL);
}
END_TEST

START_TEST(bash_completes) {
    const char *line = "bash -c '. $TOOLS/completion; COMP_WORDS=($CONTAINER %s);"
                       " COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _container; echo ${COMPREPLY[*]}'";
    if (sh("command -v bash").status) {
        left_out("completion", "no bash here");
        return;
    }
    expect(sh("$CONTAINER create --name $NAME $BASE true"), 0, NULL, "");
    ck_assert_str_eq(sh(line, "unp").out, "unpause\n");
    ck_assert_str_eq(sh(line, "help netw").out, "network\n");
    ck_assert_str_eq(sh(line, "network d").out, "down\n");
    ck_assert_str_eq(sh(line, "rm -f ${NAME%?}").out, format("%s\n", getenv("NAME")));
    end(OURSELVES);
}
END_TEST

START_TEST(delegate_runs_the_command) {
    expect(sh("$CONTAINER delegate sh -c 'echo \"$1\"; exit 3' sh 'a b'"), 3, "a b\n", "");
}
END_TEST

/* ---- ps ---- */

/* Containers that somebody has made by hand. */
#define BY_HAND(n) \
    "cd $CONTAINER_HOME/containers && for i in $(seq " n "); do mkdir c$i && cd c$i && echo image >image" \
    " && printf 'run\\0-d\\0image\\0' >arguments && echo 3 >exit && echo 12 >pid && cd ..; done"

START_TEST(ps_is_quick) {
    expect(sh("mkdir -p $CONTAINER_HOME/containers && " BY_HAND("1000")), 0, "", "");
    double begin = seconds();
    expect(sh("$CONTAINER ps | grep -c '^c[0-9]*  *exited 3  *-  *-  *image  *run -d image$'"), 0,
           "1000\n", "");
    double took = seconds() - begin;
    printf("ps of 1000 containers: %.0f ms\n", took * 1000);
    ck_assert_msg(took < 10 * slower(), "%f s", took);
    expect(sh("$CONTAINER ps -q >out; sort -c out; wc -l <out"), 0, "1000\n", "");
    begin = seconds();
    expect(sh("for i in $(seq 20); do $CONTAINER rm c$i; done"), 0, "", "");
    printf("rm of one container: %.0f ms\n", (seconds() - begin) * 50);
    expect(sh("$CONTAINER ps -q | wc -l"), 0, "980\n", "");
}
END_TEST

START_TEST(ps_has_options) {
    expect(sh("$CONTAINER create --name $NAME $BASE true"), 0, NULL, "");
    struct result all = sh("$CONTAINER ps");
    expect(sh("$CONTAINER ps -a"), 0, all.out, "");
    ck_assert_str_eq(sh("$CONTAINER ps -q").out, format("%s\n", getenv("NAME")));
    ck_assert_str_eq(sh("$CONTAINER ps -aq").out, format("%s\n", getenv("NAME")));
    ck_assert_str_eq(sh("$CONTAINER ps -q -a").out, format("%s\n", getenv("NAME")));
    end(OURSELVES);
    expect(sh("$CONTAINER ps -q; rm -r $CONTAINER_HOME; $CONTAINER ps -q"), 0, "", "");
    expect(sh("$CONTAINER ps"), 0, "NAME  ", "");
}
END_TEST

/* What may stand in the place of a fact, and in what order it is said what the container is at. */
static const char *const damages[] = {
    "mkfifo %s",
    "mkdir %s",
    "truncate -s 1024G %s",
    "ln -s %s %s",
    "ln -s /dev/zero %s",
    "head -c 100000 /dev/urandom >%s",
    ": >%s",
    "printf '\\033[31m\\n../x/exit:7\\n' >%s",
};

START_TEST(damage_is_survived) {
    static const char *const facts[] = { "arguments", "image", "cgroup", "ip", "pid",
                                         "exit", "layers", "args", "log", "etc" };
    for (int i = 0; i < COUNT(facts); i++)
        expect(sh("d=$CONTAINER_HOME/containers/%s; mkdir -p $d; cd $d; %s", facts[i],
                  sh("echo \"%s\" | sed 's/%%s/%s/g'", damages[_i], facts[i]).out),
               0, "", "");
    expect(sh("d=$CONTAINER_HOME/containers/all; mkdir -p $d; cp -a $CONTAINER_HOME/containers/*/* $d"
              " 2>/dev/null || :"),
           0, "", NULL);
    struct result r = sh("$CONTAINER ps");
    expect(r, 0, "\nexit ", "");
    expect(sh("$CONTAINER ps | wc -l"), 0, format("%d\n", COUNT(facts) + 2), "");
    for (const char *c = r.out; *c; c++)
        ck_assert_msg(*c == '\n' || (*c >= ' ' && *c <= '~'), "%d in: %s", *c, r.out);
    for (int i = 0; i < COUNT(for_names); i++) {
        if (!strcmp(for_names[i], "rm")) continue;
        r = sh("$CONTAINER %s $($CONTAINER ps -q) | head -c 100000", for_names[i]);
        ck_assert_msg(r.status != 124, "%s hangs", r.line);
    }
    expect(sh("$CONTAINER rm $($CONTAINER ps -q); ls $CONTAINER_HOME/containers"), 0, "", "");
}
END_TEST

/* The facts of one container never pass for those of another. */
START_TEST(ps_is_not_deceived) {
    expect(sh("mkdir -p $CONTAINER_HOME/containers && " BY_HAND("3") "&& cd c2 &&"
                                                                     "printf 'run\\0x\\n./c1/exit:8\\0./c1/exit:9\\0d evil 5\\0001: POSIX A W 5 0:0:5 0 4' >arguments"
                                                                     " && printf 'a b\\n./c1/image:bad\\n' >image && mkdir upper && echo 9 >upper/exit"),
           0, "", "");
    expect(sh("$CONTAINER ps | grep -c '^c[13]  *exited 3  *-  *-  *image  *run -d image$'"), 0, "2\n",
           "");
    expect(sh("$CONTAINER ps"), 0, "  a b  ", "");
    expect(sh("$CONTAINER ps | wc -l"), 0, "4\n", "");
    expect(sh("$CONTAINER rm c1 c2 c3"), 0, "", "");
}
END_TEST

/* What somebody has put beside a container changes nothing that is said of it. */
START_TEST(ps_is_not_disturbed) {
    const char *state = "$CONTAINER ps | awk '$1 == \"'$NAME'\" { print $2 }'";
    expect(sh("$CONTAINER run -d --network none --name $NAME $BASE sleep 1000"), 0, NULL, "");
    expect(sh("cd $CONTAINER_HOME/containers && mkdir -- --x 'run b' d e f && echo 1 >--x/pid && echo 1 >'run b/pid' &&"
              "ln -s ../$NAME/pid d/pid && echo -Pz >e/cgroup && mkfifo cgroup.events && echo $PWD >f/cgroup"),
           0, "", "");
    expect(sh("%s", state), 0, "running\n", "");
    bool can_pause = sh("$CONTAINER pause $NAME").status == 0;
    expect(sh("%s", state), 0, can_pause ? "paused\n" : "running\n", "");
    expect(sh("$CONTAINER ps | grep -c 'incomplete  *-  *-  *-'"), 0, "3\n", "");
    expect(sh("$CONTAINER ps | wc -l"), 0, "5\n", "");
    expect(sh("cd $CONTAINER_HOME/containers && rm -r -- --x 'run b' d e f cgroup.events && $CONTAINER rm -f $NAME"),
           0, NULL, NULL);
}
END_TEST

/* Some end and begin while ps looks. It never says 137 of what has ended with 0. */
START_TEST(ps_never_lies) {
    expect(sh("for i in 1 2 3 4 5 6; do $CONTAINER create --name $NAME$i --network none $BASE true; done"),
           0, NULL, "");
    expect(sh("for i in 1 2 3 4 5 6; do (while [ ! -e end ]; do $CONTAINER start $NAME$i && $CONTAINER"
              "  wait $NAME$i; done >/dev/null 2>&1) & done;"
              "for i in $(seq %d); do $CONTAINER ps; done | grep -e 'exited [1-9]' -e incomplete;"
              ": >end; wait",
              60 / fewer() + 10),
           0, "", "");
    expect(sh("$CONTAINER rm -f $($CONTAINER ps -q)"), 0, "", "");
}
END_TEST

/* From another pid namespace its numbers mean nothing: nobody is signalled, and it is not removed. */
START_TEST(numbers_of_another_namespace_are_not_ours) {
    expect(sh("unshare --pid --fork --mount-proc sh -c '" RUN "$BASE sleep 1000 >&2; $CONTAINER ps"
              "    | grep -q running && echo >runs; until [ -e end ]; do sleep 0.05; done' & outer=$!;"
              "until [ -e runs ]; do sleep 0.05; done;"
              "$CONTAINER ps | grep -c ' exited 137 '; $CONTAINER inspect $NAME | grep -c init;"
              "$CONTAINER rm $NAME; echo $?; echo >end; wait $outer; $CONTAINER rm -f $NAME"),
           0, "1\n0\n125\n", "at work on it");
}
END_TEST

/* ---- ends ---- */

/* Its watcher is at work, but init does not live yet: TERM must wait, and stop must not wait ten
 * seconds. */
START_TEST(stop_meets_a_container_in_set_up) {
    expect(as(_i, CREATE "$BASE sh -c 'sleep 1000; :'"), 0, NULL, "");
    for (int round = 0; round < 10; round++) {
        double begin = seconds();
        expect(as(_i, "$CONTAINER start $NAME >&2 & sleep 0.00%d; $CONTAINER %s $NAME; wait",
                  random_between(0, 9), round % 2 ? "stop" : "kill -s TERM"),
               0, "", NULL);
        expect(as(_i, "$CONTAINER stop $NAME"), 0, "", "");
        ck_assert_msg(seconds() - begin < 8 * slower(), "%f s", seconds() - begin);
    }
    end(_i);
}
END_TEST

START_TEST(stop_waits_for_another_command) {
    expect(as(_i, CREATE "$BASE true"), 0, NULL, "");
    double begin = seconds();
    expect(as(_i, "flock " DIR " sleep 1 & sleep 0.2; for c in stop kill 'stop -t 0' 'kill -s TERM'; do"
                  "  $CONTAINER $c $NAME; done; wait"),
           0, "", "");
    ck_assert_msg(seconds() - begin < 8 * slower(), "%f s", seconds() - begin);
    expect(as(_i, "flock " DIR " sleep 5 & p=$!; sleep 0.2; $CONTAINER rm $NAME; s=$?; kill $p; exit $s"),
           125, "", "another command is at work on it");
    end(_i);
}
END_TEST

/* Two at once: both know what has become of it, and only one of two without -f has done it. */
START_TEST(rm_may_be_said_twice) {
    for (int round = 0; round < 10; round++) {
        expect(as(_i, CREATE "$BASE true"), 0, NULL, "");
        struct result r = as(_i, "for i in 1 2 3; do ($CONTAINER rm $NAME 2>/dev/null; echo $?) & done; wait;"
                                 " ls $CONTAINER_HOME/containers");
        ck_assert_msg(strlen(r.out) == strlen("0\n125\n125\n"), "%s", r.out);
        expect(as(_i, RUN "$BASE sleep 1000 && for i in 1 2 3; do $CONTAINER rm -f $NAME & done;"
                          " wait; ls $CONTAINER_HOME/containers"),
               0, getenv("NAME"), "");
        expect(as(_i, "ls $CONTAINER_HOME/containers"), 0, "", "");
    }
}
END_TEST

START_TEST(rm_meets_start) {
    for (int round = 0; round < 10; round++) {
        expect(as(_i, CREATE "$BASE sleep 1000"), 0, NULL, "");
        as(_i, "for i in 1 2 3; do $CONTAINER start $NAME & $CONTAINER %s $NAME & done; wait",
           round % 2 ? "rm" : "rm -f");
        struct result r = as(_i, "$CONTAINER ps | grep -v ^NAME | tr -s ' ' | cut -d ' ' -f 2;"
                                 "[ -e " DIR " ] || ! echo gone");
        ck_assert_msg(!strcmp(r.out, "running\n") || !strcmp(r.out, "gone\n"), "%s%s", r.out, r.err);
        end(_i);
        expect_host_unchanged();
    }
}
END_TEST

/* Somebody has stopped the watcher. */
START_TEST(rm_wakes_the_watcher) {
    expect(as(_i, RUN "$BASE sleep 1000"), 0, NULL, "");
    expect(as(_i, "kill -STOP %d && $CONTAINER rm -f $NAME; ls $CONTAINER_HOME/containers",
              watcher_of(_i, getenv("NAME"))),
           0, "", "");
}
END_TEST

/* Who took the lock has ended, and left it to a child: so did the client of run -d. */
START_TEST(rm_finds_who_has_inherited_the_lock) {
    expect(as(_i, CREATE "$BASE true"), 0, NULL, "");
    struct result r = as(_i, "(flock 9; exec sleep 1000) 9<" DIR " >/dev/null & p=$!;"
                             " until ! flock -n " DIR " true; do sleep 0.05; done;"
                             " $CONTAINER rm -f $NAME; echo $?; wait $p; echo $?;"
                             " ls $CONTAINER_HOME/containers");
    expect(r, 0, "0\n137\n", "");
}
END_TEST

/* Its own status, not that of the next life, or 137 because it has been removed. */
START_TEST(wait_hears_the_status) {
    int status = random_between(1, 99);
    for (int i = 0; i < 5; i++) {
        expect(as(_i, RUN "%s $BASE sh -c 'until [ -e /dev/shm/go ]; do sleep 0.01; done; exit %d';"
                          "$CONTAINER wait $NAME >out & p=$!; until pgrep -g 0 -x flock >/dev/null; do"
                          "  sleep 0.01; done;"
                          "$CONTAINER exec $NAME touch /dev/shm/go; wait $p && cat out",
                  i % 2 ? "--rm" : "", status),
               0, format("\n%d\n", status), "");
        end(_i);
    }
}
END_TEST

/* ---- logs ---- */

/* The log is emptied under the follower, again and again. */
START_TEST(followers_survive_a_full_log) {
    expect(as(_i, RUN "$BASE sh -c 'sleep 0.5; head -c 60000000 /dev/zero | tr \"\\0\" x; echo; echo last'"
                      " >/dev/null; $CONTAINER logs -f $NAME | tail -n 1"),
           0, "last\n", "");
    end(_i);
}
END_TEST

START_TEST(followers_hear_that_the_watcher_is_dead) {
    expect(as(_i, RUN "$BASE sh -c 'echo ready; sleep 1000'"), 0, NULL, "");
    expect(as(_i, "$CONTAINER logs -f $NAME >out & until [ -s out ]; do sleep 0.01; done;"
                  "kill -KILL %d; wait; cat out",
              watcher_of(_i, getenv("NAME"))),
           0, "ready\n", "");
    until(_i, "flock -n " DIR " true");
    end(_i);
}
END_TEST

START_TEST(only_those_in_the_background_have_logs) {
    expect(as(_i, "$CONTAINER run --name $NAME --network none $BASE echo hi"), 0, "hi\n", "");
    for (int f = 0; f < 2; f++)
        expect(as(_i, "$CONTAINER logs %s $NAME", f ? "-f" : ""), 125, "",
               format("container: logs: %s has no log", getenv("NAME")));
    end(_i);
    expect(as(_i, CREATE "$BASE echo hi"), 0, NULL, "");
    for (int f = 0; f < 2; f++)
        expect(as(_i, "$CONTAINER logs %s $NAME", f ? "-f" : ""), 0, "", "");
    end(_i);
}
END_TEST

/* ---- network ---- */

/* The programs that are not there, for the command between. */
#define WITHOUT(programs) \
    "unshare -m sh -c \"for p in " programs "; do mount --bind /dev/null \\$(command -v \\$p); done;"
#define IPTABLES "iptables iptables-restore"
static const char *const without[] = { "unshare -m sh -c \"", WITHOUT("nft") };
#define LOOK_AT_RULES "nft list ruleset 2>/dev/null | grep -c -i container0"
#define FLUSH "nft flush ruleset 2>/dev/null" /* it warns of what iptables has made */

/* The chain that drops is there only if nobody else has the host forward. */
START_TEST(network_goes_up_and_down) {
    const char *line = format("%s $CONTAINER network", without[_i % 2]);
    bool forwards = _i / 2;
    expect(sh("echo %d >/proc/sys/net/ipv4/ip_forward", forwards), 0, "", "");
    for (int round = 0; round < 2; round++) {
        expect(sh("$CONTAINER network ls"), 0, "bridge      none", "");
        for (int again = 0; again < 3; again++) {
            expect(sh("%s up\"", line), 0, "", "");
            expect(sh("ip -o -4 addr show container0"), 0, " 10.66.0.1/16 ", "");
            expect(sh("ip -o link show container0"), 0, "02:42:0a:42:00:01", "");
            expect(sh("cat /proc/sys/net/ipv6/conf/container0/disable_ipv6"), 0, "1\n", "");
            expect(sh("cat /proc/sys/net/ipv4/ip_forward"), 0, "1\n", "");
            struct result r = sh("%s ls\"", line);
            expect(r, 0, "bridge      container0, 10.66.0.1/16\nrules       of ", "");
            ck_assert_msg(!strstr(r.out, "because of us") == forwards, "%s", r.out);
            expect(sh("nft list ruleset 2>/dev/null | grep -c -i -e 'hook forward' "), forwards,
                   forwards ? "0\n" : "1\n", "");
            if (again) expect(sh(FLUSH), 0, "", "");
        }
        expect(sh("%s ls\"", line), 0, "rules       missing; try: container network up", "");
        expect(sh("%s up\" && %s down\"", line, line), 0, "", "");
        expect(sh("cat /proc/sys/net/ipv4/ip_forward"), 0, forwards ? "1\n" : "0\n", "");
        expect(sh(LOOK_AT_RULES "; ip link show container0"), 1, "0\n", "does not exist");
        expect(sh("%s down\"", line), 0, "", "");
    }
    expect(sh(FLUSH), 0, "", ""); /* iptables leaves its empty tables */
}
END_TEST

START_TEST(twelve_may_make_the_network) {
    const char *line = format("%s $CONTAINER network", without[_i]);
    for (int round = 0; round < 5; round++) {
        expect(sh("%s for i in 1 2 3 4 5 6 7 8 9 10 11 12; do $CONTAINER network up || echo failed & done;"
                  " wait\"",
                  without[_i]),
               0, "", "");
        expect(sh("ip -o link | grep -c -v -w lo; ip -o link | grep -c -w container0"), 0, "1\n1\n", "");
        expect(sh("ip -o -4 addr show container0"), 0, " 10.66.0.1/16 ", "");
        expect(sh("nft list ruleset 2>/dev/null | grep -c -i masquerade"), 0, "1\n", "");
        expect(sh("nft list ruleset 2>/dev/null | grep -i -c 'hook forward'"), 0, "1\n", "");
        expect(sh("%s ls\"", line), 0, "because of us", "");
        expect(sh("%s down\"", line), 0, "", "");
        expect(sh(LOOK_AT_RULES "; cat /proc/sys/net/ipv4/ip_forward"), 0, "0\n0\n", "");
    }
    expect(sh(FLUSH), 0, "", "");
}
END_TEST

/* An ip(8) that at its Nth call kills whoever called it, before or after the call, until there are
 * not so many. Nothing but the bridge may be left, and the next one completes it. */
START_TEST(network_may_be_killed) {
    expect(sh("mkdir bin; cat >bin/ip <<'END'; chmod 755 bin/ip\n"
              "#!/bin/sh\n"
              "PATH=${PATH#*:}; echo >>calls\n"
              "[ $(wc -l <calls) = $N ] || exec ip \"$@\"\n"
              "[ %d = 0 ] || ip \"$@\"\n"
              "kill -9 $PPID\n"
              "END\n",
              _i),
           0, "", "");
    int killed = 0, calls;
    do {
        struct result r = sh(">calls; N=%d PATH=$T/bin:$PATH $CONTAINER network up", killed + 1);
        calls = atoi(sh("wc -l <calls").out);
        if (calls <= killed)
            expect(r, 0, "", "");
        expect(sh("ip -o link | grep -v -w -e lo -e container0"), 1, "", "");
        expect(sh("$CONTAINER network up && $CONTAINER network ls"), 0, "10.66.0.1/16\nrules       of ", "");
        expect(sh("ip -o link show up dev container0"), 0, "02:42:0a:42:00:01", "");
        expect(sh("$CONTAINER network down; ip -o link | grep -c -v -w lo"), 1, "0\n", "");
    } while (calls > killed++);
    ck_assert_int_ge(killed, 6);
}
END_TEST

START_TEST(network_says_what_is_missing) {
    expect(sh(WITHOUT("nft iptables") "$CONTAINER network up\""), 125, "",
           "container: network: nft is missing; on Debian: apt-get install nftables; or: ");
    expect(sh(WITHOUT("ip") "$CONTAINER network up\""), 125, "", "container: network: ip is missing; ");
    expect(sh("mkdir bin; printf '#!/bin/sh\\nexit 1\\n' >bin/nft; chmod 755 bin/nft;"
              "PATH=$T/bin:$PATH $CONTAINER network up"),
           125, "", "container: network: nft refuses the rules");
    expect(sh("$CONTAINER network ls; cat /proc/sys/net/ipv4/ip_forward; ip -o link | grep -c -v -w lo"),
           1, "\n0\n0\n", "");
}
END_TEST

START_TEST(a_plugged_network_stays) {
    expect(sh("$CONTAINER network up && $CONTAINER run -d --name $NAME $BASE sleep 1000"), 0, NULL, "");
    char *address = fact(OURSELVES, getenv("NAME"), "ip");
    expect(sh("$CONTAINER network down"), 125, "", "container: network: still plugged in: veth");
    expect(sh("$CONTAINER network ls"), 0, format(" to %s\n", address), "");
    expect(sh("$CONTAINER rm -f $NAME && $CONTAINER network down"), 0, "", "");
}
END_TEST

/* Two neighbours in different networks, of which the second is a container without a network of
 * ours; and a container with one. */
#define NEIGHBOUR "nsenter -t %d -n "
START_TEST(the_host_becomes_no_router) {
    const char *up = format("%s $CONTAINER network up\"", without[_i % 2]);
    bool forwards = _i / 2;
    int first = internet();
    expect(sh("echo %d >/proc/sys/net/ipv4/ip_forward; $CONTAINER run -d --name x$NAME --network none"
              " $BASE sleep 1000",
              forwards),
           0, NULL, "");
    int second = atoi(fact(OURSELVES, format("x%s", getenv("NAME")), "pid"));
    expect(sh("ip link add lan2 type veth peer name lan2 netns %d && ip link set lan2 up &&"
              "ip addr add 198.51.100.1/24 dev lan2 &&" NEIGHBOUR
              "sh -c 'ip link set lan2 up; ip addr add 198.51.100.2/24 dev lan2;"
              "       ip route add default via 198.51.100.1' && " NEIGHBOUR
              "sh -c 'ip route add 198.51.100.0/24 via 203.0.113.1;"
              "       ip route add 10.66.0.0/16 via 203.0.113.1'",
              second, second, first),
           0, "", "");
    const char *across = format(NEIGHBOUR "ping -q -c 1 -W 1 198.51.100.2", first);
    expect(sh("%s", across), !forwards, NULL, NULL);
    expect(sh("%s && $CONTAINER run -d --name $NAME $BASE sleep 1000", up), 0, NULL, "");
    expect(sh("%s", across), !forwards, NULL, NULL);
    char *address = fact(OURSELVES, getenv("NAME"), "ip");
    expect(sh("ping -q -c 1 -W 5 %s", address), 0, NULL, "");
    expect(sh(NEIGHBOUR "ping -q -c 1 -W 1 %s", first, address), 1, NULL, "");
    expect(sh("$CONTAINER exec $NAME probe ping 203.0.113.2 && $CONTAINER exec $NAME probe ping"
              " 198.51.100.2"),
           0, "type 0\n", "");
    /* the proof that the rules do it */
    expect(sh(FLUSH "; %s", across), 0, NULL, NULL);
    expect(sh(NEIGHBOUR "ping -q -c 1 -W 1 %s", first, address), 0, NULL, "");
    expect(sh("%s && $CONTAINER rm -f $NAME x$NAME && %s $CONTAINER network down\"", up,
              without[_i % 2]),
           0, "", "");
    expect(sh(FLUSH "; ip link del lan2 2>/dev/null; :"), 0, "", "");
}
END_TEST

/* ---- inspect ---- */

/* The container says its own numbers; ours are beside them. */
START_TEST(inspect_shows_the_namespaces) {
    static const char *const kinds[] = {
        "mnt",
        "pid",
        "net",
        "ipc",
        "uts",
        "user",
        "cgroup",
        "time",
    };
    expect(as(_i, RUN "$BASE probe sleep 100"), 0, getenv("NAME"), "");
    struct result shown = as(_i, INSPECT), inside = as(_i, "$CONTAINER exec $NAME probe ns");
    for (int i = 0; i < COUNT(kinds); i++) {
        long theirs = 0, ours = 0;
        char shared[16] = "";
        sscanf(row(shown, kinds[i]), "%ld %ld %15s", &theirs, &ours, shared);
        const char *here = as(_i, "readlink /proc/self/ns/%s | tr -cd 0-9", kinds[i]).out;
        ck_assert_int_eq(theirs, number(inside.out, kinds[i]));
        ck_assert_int_eq(ours, strtol(here, NULL, 10));
        ck_assert_str_eq(shared, theirs == ours ? "shared" : "");
    }
    expect_row(shown, "uid_map", is_root() && _i == OURSELVES ? "0 is 0," : "0 is ");
    end(_i);
}
END_TEST

START_TEST(inspect_shows_the_processes) {
    int seconds = random_between(30, 99);
    long init, program, watcher;
    expect(as(_i, RUN "$BASE sh -c '(sleep 99; :) & exec probe sleep %d'", seconds), 0, NULL, "");
    struct result r = as(_i, INSPECT);
    ck_assert_int_eq(sscanf(row(r, "watcher"), "pid %ld", &watcher), 1);
    ck_assert_int_eq(sscanf(row(r, "init"), "pid %ld outside, 1 inside", &init), 1);
    ck_assert_int_eq(sscanf(row(r, "program"), "pid %ld outside, 2 inside", &program), 1);
    expect(as(_i, "echo init " FIELD(3)), 0, format("init %ld\n", init), "");
    expect(as(_i, "tr '\\0' ' ' </proc/%ld/cmdline", program), 0,
           format("probe sleep %d", seconds), "");
    expect(as(_i, "cat /proc/%ld/status", init), 0, format("PPid:\t%ld\n", watcher), "");
    end(_i);
}
END_TEST

static const char *const powers[] = {
    "",
    "--cap-drop ALL --cap-add CHOWN",
    "--cap-drop ALL",
    "--privileged",
    "-u 1000",
};

/* A process that joins has the same. As many names are shown as there are bits set. */
START_TEST(inspect_shows_the_powers) {
    expect(sh(RUN "%s $BASE probe sleep 100", powers[_i]), 0, NULL, "");
    struct result r = sh(INSPECT);
    char *truth = sh("$CONTAINER exec $NAME probe caps").out, *after;
    const char *names = strstr(r.out, "CapEff"), *end_of_names = strstr(r.out, "CapPrm");
    unsigned long long bits = strtoull(strstr(truth, "CapEff") + strlen("CapEff"), &after, 16);
    int words = 0;
    ck_assert(names && end_of_names && *after == '\n');
    for (names += strlen("CapEff"); names < end_of_names; names += strcspn(names, " \n")) {
        names += strspn(names, " \n");
        words += names < end_of_names && strncmp(names, "none", 4) != 0;
    }
    ck_assert_int_eq(words, __builtin_popcountll(bits));
    ck_assert(!(bits & 1) == !strstr(row(r, "CapEff"), "CHOWN"));
    ck_assert_int_eq(strtol(row(r, "no_new_privs"), NULL, 10), number(truth, "NoNewPrivs"));
    ck_assert_int_eq(strtol(row(r, "seccomp"), NULL, 10), number(truth, "Seccomp"));
    end(OURSELVES);
}
END_TEST

START_TEST(inspect_shows_the_files) {
    expect(as(_i, "mkdir image top 'a b' && echo \"$T/top\n$BASE\" >image/layers"), 0, "", "");
    expect(as(_i, RUN "-v \"$T/top:/one\" -v \"$T/a b:/two:ro\" ./image sleep 100"), 0, NULL, "");
    struct result r = as(_i, INSPECT);
    const char *top = strstr(r.out, "/t/top\n"), *base = strstr(r.out, BASE);
    ck_assert(top && base && top < base);
    expect_row(r, "upper", as(_i, "printf %%s " UPPER).out);
    expect_row(r, "volume", "/one: ");
    ck_assert_msg(strstr(r.out, "/two: ") && strstr(r.out, "/t/a\\040b of "), "%s", r.out);
    ck_assert_msg(strstr(r.out, ", ro\n") && strstr(r.out, ", rw\n"), "%s", r.out);
    ck_assert_msg(!strstr(r.out, "volume                /etc"), "%s", r.out);
    end(_i);
}
END_TEST

START_TEST(inspect_shows_the_limits) {
    int megabytes = random_between(30, 60), pids = random_between(10, 50);
    expect(sh(RUN "-m %dM --pids-limit %d $BASE sleep 100", megabytes, pids), 0, NULL, "");
    struct result r = sh(INSPECT);
    ck_assert_int_eq(atol(row(r, cgroup_v2() ? "memory.max" : "memory.limit_in_bytes")),
                     (long)megabytes << 20);
    ck_assert_int_eq(atol(row(r, "pids.max")), pids);
    ck_assert_int_eq(atol(row(r, "pids.current")), 2);
    expect(sh("[ -d \"%s\" ]", row(r, "directory")), 0, "", "");
    end(OURSELVES);
}
END_TEST

START_TEST(inspect_shows_the_cable) {
    expect(sh("$CONTAINER network up && $CONTAINER run -d --name $NAME $BASE sleep 100"), 0, NULL, "");
    struct result r = sh(INSPECT);
    expect_row(r, "address", fact(OURSELVES, getenv("NAME"), "ip"));
    expect(sh("ip link show \"%s\"", row(r, "cable's host end")), 0, "master container0", "");
    expect(sh("$CONTAINER kill $NAME && $CONTAINER wait $NAME"), 0, "137", "");
    r = sh(INSPECT);
    expect_row(r, "address", fact(OURSELVES, getenv("NAME"), "ip"));
    expect_row(r, "cable's host end", "none: unplugged");
    end(OURSELVES);
}
END_TEST

/* In all forms that getopt knows; what the program gets is not ours. */
START_TEST(inspect_shows_the_ports) {
    expect(as(_i, "$CONTAINER create -p 81:80 -p127.0.0.1:82:80 --publish 83:80 --publish=84:80 -dp 85:80"
                  " -tip86:80 --pub 87:80 -e p=1 --name $NAME --network none --read-only -h p -w /p -m 40M"
                  " --rm $BASE sleep -p 88:80 --publish 89:80"),
           0, NULL, "");
    expect(as(_i, INSPECT " | sed -n 's/^  published  *//p' | paste -s -d ' '"), 0,
           "81:80 127.0.0.1:82:80 83:80 84:80 85:80 86:80 87:80\n", "");
    end(_i);
}
END_TEST

/* A name may hold what moves a terminal's cursor, or worse; even above ASCII: U+009B. */
START_TEST(lets_no_name_drive_the_terminal) {
    expect(sh("d=$(printf 'a\\033[31m\\302\\233b\\a'); mkdir \"$d\" &&" RUN
              "-v \"$T/$d:/x\" $BASE sh -c 'sleep 100; :' \"$d\""),
           0, NULL, "");
    struct result shown[] = { sh(INSPECT), sh(STATS) };
    expect(shown[0], 0, "a?[31m??b?", "");
    for (int i = 0; i < 2; i++)
        for (const char *c = shown[i].out; *c; c++)
            ck_assert_msg(*c == '\n' || (*c >= ' ' && *c <= '~'), "%d in: %s", *c, shown[i].out);
    end(OURSELVES);
}
END_TEST

/* ---- stats ---- */

START_TEST(stats_shows_the_limits) {
    int megabytes = random_between(30, 60), pids = random_between(10, 50);
    expect(sh(RUN "-m %dM --pids-limit %d --cpus 0.5 $BASE sh -c '"
                  "sleep 99 & sleep 99 & touch /ready; wait'; " WAIT,
              megabytes, pids),
           0, NULL, "");
    struct result r = sh(STATS);
    expect_row(r, "memory limit", format("%d.0 MB ", megabytes));
    expect_row(r, "pids limit", format("%d ", pids));
    expect_row(r, "pids now", "4 "); /* with init and the shell */
    expect_row(r, "cpu limit", "0.50 processors ");
    expect_row(r, "OOM kills", "0 ");
    expect(r, 0, cgroup_v2() ? "memory.current\n" : "memory.usage_in_bytes\n", "");
    end(OURSELVES);
}
END_TEST

/* In version 1, what has no limit is not counted. */
START_TEST(stats_says_that_there_is_no_limit) {
    const char *none = cgroup_v2() ? "no limit" : "-  ";
    expect(sh(RUN "$BASE sleep 100"), 0, NULL, "");
    struct result r = sh(STATS);
    expect_row(r, "memory limit", none);
    expect_row(r, "pids limit", none);
    expect_row(r, "cpu limit", none);
    end(OURSELVES);
}
END_TEST

START_TEST(stats_takes_several) {
    expect(sh(RUN "$BASE sleep 100 && $CONTAINER create --name x$NAME $BASE true"), 0, NULL, "");
    struct result r = sh("$CONTAINER stats $NAME nosuch x$NAME");
    expect(r, 125, format("%s is running", getenv("NAME")), "container: nosuch: there is no such");
    expect(r, 125, format("x%s: created; it has no processes", getenv("NAME")), NULL);
    expect(sh("$CONTAINER rm -f $NAME x$NAME"), 0, "", "");
}
END_TEST

/* Megabytes, whichever unit the row has. */
static double megabytes_of(const char *value) {
    char unit[3] = "";
    double n = -1;
    ck_assert_msg(sscanf(value, "%lf %2s", &n, unit) == 2, "no size: %s", value);
    return n / (*unit == 'B' ? 1 << 20 : *unit == 'K' ? 1 << 10
                                                      : 1);
}

/* A file in a tmpfs is memory. */
START_TEST(stats_counts_memory) {
    int megabytes = random_between(20, 40);
    expect(sh(RUN "-m 200M $BASE sh -c 'head -c %d /dev/zero >/dev/shm/file; rm /dev/shm/file;"
                  "head -c 10485760 /dev/zero >/dev/shm/file; touch /ready; sleep 100'; " WAIT,
              megabytes << 20),
           0, NULL, "");
    struct result r = sh(STATS);
    double now = megabytes_of(row(r, "memory now"));
    ck_assert_msg(now >= 10 && now < 20, "%f MB", now);
    if (strstr(r.out, "not here: memory.peak"))
        left_out("memory peak", "this kernel keeps none");
    else
        ck_assert(megabytes_of(row(r, "memory peak")) >= megabytes);
    end(OURSELVES);
}
END_TEST

/* In version 2 all of the container dies, and the count with it. */
START_TEST(stats_counts_kills) {
    expect(sh(RUN "-m 30M $BASE sh -c 'probe alloc 80; touch /ready; sleep 9';" WAIT), 0, NULL, "");
    expect_row(sh(STATS), "OOM kills", "1 ");
    end(OURSELVES);
}
END_TEST

START_TEST(stats_counts_the_processor) {
    expect(sh(RUN "--cpus 0.1 --pids-limit 3 $BASE sh -c '"
                  "probe burn 100; probe fork 9; touch /ready; sleep 100'; " WAIT),
           0, NULL, "");
    struct result r = sh(STATS);
    ck_assert_msg(strtod(row(r, "cpu time"), NULL) >= 0.1, "%s", r.out);
    ck_assert_msg(strtol(row(r, "cpu throttled"), NULL, 10) > 0, "%s", r.out);
    ck_assert_msg(strtod(row(r, "for"), NULL) > 0, "%s", r.out);
    ck_assert_msg(strtol(row(r, "pids refused"), NULL, 10) > 0, "%s", r.out);
    end(OURSELVES);
}
END_TEST

/* Nobody answers who is called together with all others: 140 kB come in, and little goes out. */
START_TEST(stats_counts_the_network) {
    expect(sh("$CONTAINER network up && $CONTAINER run -d --name $NAME $BASE sleep 100"), 0, NULL, "");
    expect(sh("ping -b -q -c 100 -i 0.005 -s 1400 -W 1 10.66.255.255"), 1, "100 packets", NULL);
    struct result r = sh(STATS);
    double got = megabytes_of(row(r, "net received")), sent = megabytes_of(row(r, "net sent"));
    ck_assert_msg(got >= 0.13 && got < 1 && sent < 0.1, "%s", r.out);
    end(OURSELVES);
}
END_TEST

START_TEST(stats_knows_the_hosts_network) {
    expect(as(_i, "$CONTAINER run -d --name $NAME --network host $BASE sleep 100"), 0, NULL, "");
    expect_row(as(_i, STATS), "network", "the host's own");
    end(_i);
}
END_TEST

/* The files of both versions, as the kernel writes them. No machine has both for a container. */
static const char *const versions[][16][2] = {
    // clang-format off
    { { "memory.usage_in_bytes", "1536" }, { "memory.max_usage_in_bytes", "3221225472" },
      { "memory.limit_in_bytes", "9223372036854771712" },
      { "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 7" },
      { "cpuacct.usage", "1500000000" }, { "cpu.cfs_quota_us", "25000" },
      { "cpu.cfs_period_us", "50000" },
      { "cpu.stat", "nr_periods 10\nnr_throttled 4\nthrottled_time 250000000" },
      { "pids.current", "3" }, { "pids.max", "max" }, { "pids.events", "max 5" },
      { "blkio.throttle.io_service_bytes", "8:0 Read 1048576\n8:0 Write 2048\n8:0 Total 1050624\n"
                                           "8:16 Read 1048576\nTotal 2099200" } },
    { { "memory.current", "1536" }, { "memory.peak", "3221225472" }, { "memory.max", "max" },
      { "memory.events", "low 0\nhigh 0\nmax 9\noom 8\noom_kill 7\noom_group_kill 6" },
      { "cpu.max", "50000 100000" },
      { "cpu.stat", "usage_usec 1500000\nuser_usec 1\nsystem_usec 2\nnr_periods 10\n"
                    "nr_throttled 4\nthrottled_usec 250000" },
      { "pids.current", "3" }, { "pids.max", "max" }, { "pids.events", "max 5" },
      { "io.stat", "8:0 rbytes=1048576 wbytes=2048 rios=8 wios=9 dbytes=4 dios=5\n"
                   "8:16 rbytes=1048576 wbytes=0 rios=8 wios=9 dbytes=4 dios=5" },
      { "cgroup.freeze", "1" }, { "cgroup.events", "populated 1\nfrozen 1" } },
    // clang-format on
};
static const char *const figures[][2] = {
    { "memory now", "1.5 KB " },
    { "memory peak", "3.0 GB " },
    { "memory limit", "no limit " },
    { "OOM kills", "7 " },
    { "cpu time", "1.500 s " },
    { "cpu limit", "0.50 processors " },
    { "cpu throttled", "4 of 10 periods " },
    { "for", "0.250 s " },
    { "pids now", "3 " },
    { "pids limit", "no limit " },
    { "pids refused", "5 " },
    { "io read", "2.0 MB " },
    { "io written", "2.0 KB " },
};

START_TEST(stats_reads_either_version) {
    expect(sh(RUN "$BASE sleep 100"), 0, NULL, "");
    expect(sh("mkdir a b && cd \"$CONTAINER_HOME/containers/$NAME\" && mv cgroup kept &&"
              "printf '%%s\n' $T/%s >cgroup",
              _i ? "b $T/a" : "a $T/b"),
           0, "", "");
    for (int i = 0; versions[_i][i][0]; i++)
        expect(sh("echo '%s' >%s/%s", versions[_i][i][1], _i || i % 2 ? "b" : "a",
                  versions[_i][i][0]),
               0, "", "");
    struct result r = sh(STATS), inspected = sh(INSPECT);
    expect(r, 0, _i ? "is paused" : "is running", "");
    expect_row(inspected, "status", _i ? "paused" : "running");
    for (int i = 0; i < COUNT(figures); i++) expect_row(r, figures[i][0], figures[i][1]);
    expect_row(inspected, "pids.events", "max 5");
    if (_i == 0)
        expect_row(inspected, "memory.oom_control", "oom_kill_disable 0 under_oom 0 oom_kill 7");
    else
        expect_row(inspected, "memory.events", "low 0 high 0 max 9 oom 8 oom_kill 7");
    expect(sh("cd \"$CONTAINER_HOME/containers/$NAME\" && mv kept cgroup"), 0, "", "");
    end(OURSELVES);
}
END_TEST

/* ---- states ---- */

#define NEW "--name $NAME --network none $BASE "
#define KILL_WATCHER \
    "cd \"$CONTAINER_HOME/containers/$NAME\" && read -r pid rest <pid &&" \
    "kill -9 $(awk '{ print $4 }' /proc/$pid/stat) &&" \
    "until ! grep -q '^State:.[^Z]' /proc/$pid/status; do sleep 0.02; done"

static const struct {
    const char *make, *status, *stats;
} states[] = {
    // clang-format off
    { "create " NEW "sleep 100",                                 "created",    ": created; " },
    { "run -d " NEW "sleep 100",                                 "running",    " is running" },
    { "run -d " NEW "sleep 100 && $CONTAINER pause $NAME",       "paused",     " is paused" },
    { "run -d " NEW "sh -c 'exit 3' && $CONTAINER wait $NAME",   "exited 3",   ": exited 3; " },
    { "run -d " NEW "sleep 100 && " KILL_WATCHER,                "exited 137", ": exited 137; " },
    // clang-format on
};

START_TEST(knows_the_state) {
    expect(sh("$CONTAINER %s", states[_i].make), 0, NULL, "");
    struct result r = sh(INSPECT);
    bool lives = strstr(states[_i].stats, " is ") != NULL;
    ck_assert_str_eq(row(r, "status"), states[_i].status);
    expect_row(r, "image", BASE);
    expect_row(r, "layer", BASE);
    ck_assert_msg(lives == (strstr(r.out, "NAMESPACES") != NULL), "%s", r.out);
    ck_assert_msg(lives == !strstr(r.out, "none: it does not run"), "%s", r.out);
    expect(sh(STATS), 0, states[_i].stats, "");
    end(OURSELVES);
}
END_TEST

/* ---- commit ---- */

/* An image that anybody may change, with something to remove. */
static void make_image(enum who who) {
    expect(as(who, "cp -a \"$BASE\" own 2>/dev/null; mkdir -p image own/dir &&"
                   "echo >own/dir/below && echo >own/gone && echo \"$PWD/own\" >image/layers &&"
                   "printf '%%s\\n' -w /dir ls >image/args"),
           0, "", "");
}

/* The directory of the layer that commit has made. */
static char *top_layer(enum who who) {
    struct result r = as(who, "cd \"$CONTAINER_HOME\" && read -r top <images/snap/layers &&"
                              "[ ${#top} -le 32 ] && cd layers/$top && printf %%s \"$PWD\"");
    expect(r, 0, "/layers/", "");
    return r.out;
}

/* A capability that a file gives, as linux/capability.h has it: version 2, NET_RAW. */
static const char file_capability[20] = { 1, 0, 0, 2, 0, 1 << 5 };

START_TEST(commit_keeps_all) {
    const char *opaque = "user.overlay.opaque";
    char data[64];
    make_image(OURSELVES);
    expect(sh(RUN "./image sh -c '"
                  "rm /gone; rm -r /dir; mkdir /dir; echo >/dir/new; echo >/a; ln /a /b;"
                  "chown 7:8 /a; chmod 4751 /a; touch -d @1000000000 /a;"
                  "ln -s nowhere /link; mkfifo /pipe; touch /ready; exec sleep 100'; " WAIT),
           0, NULL, "");
    char *file = format("%s/a", sh("printf %%s " UPPER).out);
    ck_assert_int_eq(setxattr(file, "user.note", "kept", 4, 0), 0);
    ck_assert_int_eq(setxattr(file, "security.capability", file_capability, 20, 0), 0);
    expect(sh(COMMIT "snap"), 0, "snap: ", "");
    expect(sh("echo " FIELD(2)), 0, "running\n", "");
    expect(sh("$CONTAINER run --rm --network none snap sh -c '"
              "[ ! -e /gone ] && ls /dir && [ /a -ef /b ] && stat -c \"%%a %%u %%g %%Y %%h\" /a &&"
              "readlink /link && [ -p /pipe ]'"),
           0, "new\n4751 7 8 1000000000 2\nnowhere\n", "");
    char *layer = top_layer(OURSELVES);
    ck_assert_int_eq(getxattr(format("%s/a", layer), "user.note", data, sizeof data), 4);
    ck_assert_int_eq(getxattr(format("%s/a", layer), "security.capability", data, sizeof data), 20);
    ck_assert_mem_eq(data, file_capability, 20);
    ck_assert_int_eq(getxattr(format("%s/dir", layer), opaque, data, sizeof data), 1);
    expect(sh("cd \"%s\" && stat -c '%%t %%T %%F' gone", layer), 0, "0 0 character special", "");
    end(OURSELVES);
}
END_TEST

/* Whoever can open a file can lock it, for ever; and execute it, if it is set-uid. */
START_TEST(nobody_else_comes_near) {
    make_image(OURSELVES);
    expect(sh(RUN "./image sleep 1000; " COMMIT "snap"), 0, "snap: ", NULL);
    expect(sh("cd $CONTAINER_HOME && stat -c '%%a %%n' *"), 0,
           "700 containers\n700 images\n700 layers\n600 lock\n", "");
    end(OURSELVES);
}
END_TEST

/* The program always writes to one, then to two. Between them there is enough to copy that it
 * would be far ahead, if it ran on. */
START_TEST(commit_takes_one_moment) {
    expect(sh(RUN "$BASE sh -c 'head -c 60000000 /dev/zero >/more; touch /ready;"
                  "while :; do echo >>/one; echo >>/two; done'; " WAIT),
           0, NULL, "");
    expect(sh("until [ -s " UPPER "/two ]; do sleep 0.02; done; " COMMIT "snap"), 0, "snap: ", "");
    struct result r = sh("cd \"%s\" && stat -c '%%n %%s' one two", top_layer(OURSELVES));
    long ahead = number(r.out, "one") - number(r.out, "two");
    ck_assert_msg(ahead == 0 || ahead == 1, "%s", r.out);
    expect(sh("cd " UPPER " && size=$(stat -c %%s two) &&"
              "until [ $(stat -c %%s two) -gt $size ]; do sleep 0.02; done"),
           0, "", "");
    end(OURSELVES);
}
END_TEST

/* Also what root inside has closed to its owner outside. */
START_TEST(commits_what_has_ended) {
    make_image(_i);
    expect(as(_i, RUN "./image sh -c 'echo hi >/dir/x; mkdir /shut; echo >/shut/y; rm /gone;"
                      "chmod 0 /dir/x /shut' && $CONTAINER wait $NAME"),
           0, "\n0\n", "");
    for (int again = 0; again < 2; again++)
        expect(as(_i, COMMIT "snap"), 0, "snap: ", "");
    char *layer = top_layer(_i);
    expect(as(_i, "cd \"$CONTAINER_HOME/images/snap\" && cmp args $T/image/args &&"
                  "{ echo \"%s\"; cat ../../containers/$NAME/layers; } | sed 's/.*layers.//' |"
                  "cmp - layers",
              layer),
           0, "", "");
    expect(as(_i, "$CONTAINER run --rm --network none snap"), 0, "below\nx\n", "");
    expect(as(_i, "$CONTAINER run --rm --network none snap sh -c 'ls /shut /gone; cat x'"), 0,
           "y\nhi\n", "/gone: No such file");
    end(_i);
}
END_TEST

/* What is on the host's disk, and what the container does. */
#define LOOK \
    "find \"$CONTAINER_HOME\"/images \"$CONTAINER_HOME\"/layers -type f -exec cksum {} + | sort;" \
    "ls -A \"$CONTAINER_HOME\"/images \"$CONTAINER_HOME\"/layers; echo " FIELD(2)

/* A program of ours, which is first in PATH. The last argument of cp is a file of the new image. By
 * `grep -q -s`, commit asks whether the container stands still: before it is packed, and after. */
#define WHILE_PACKED "[ \"$1$2\" != -q-s ] || { echo >>$T/calls; [ $(wc -l <$T/calls) != 2 ] || { "
#define THEN_ASK " >&2; } }; exec /bin/grep \"$@\""
static const struct {
    const char *program, *does;
} broken[] = {
    { "cp", "exit 1" },
    { "cp", "for to; do :; done; mkdir $to/half; echo >$to/half/file; exit 1" },
    { "cp", "/bin/cp \"$@\"; kill -TERM $PPID; sleep 0.1" },
    { "cp", "/bin/cp \"$@\"; kill -HUP $PPID; sleep 0.1" },
    { "grep", WHILE_PACKED "$CONTAINER unpause $NAME" THEN_ASK },
    { "grep", WHILE_PACKED "$CONTAINER kill $NAME >&2; $CONTAINER wait $NAME" THEN_ASK },
};

START_TEST(failed_commit_leaves_nothing) {
    bool kills = strstr(broken[_i].does, "kill $NAME") != NULL;
    expect(sh(RUN "$BASE sleep 100"), 0, NULL, "");
    expect(sh(COMMIT "snap"), 0, "snap: ", "");
    expect(sh("mkdir bin && printf '#!/bin/sh\n%%s\n' '%s' >bin/%s && chmod 755 bin/%s",
              broken[_i].does, broken[_i].program, broken[_i].program),
           0, "", "");
    struct result before = sh(LOOK);
    expect(before, 0, "running\n", "");
    for (int fresh = 0; fresh < 2 && !(fresh && kills); fresh++)
        expect(sh("rm -f calls; PATH=$T/bin:$PATH " COMMIT "%s", fresh ? "other" : "snap"), 125, NULL,
               strcmp(broken[_i].program, "grep") ? NULL : "was started or changed meanwhile");
    struct result after = sh(LOOK);
    if (kills)
        *strstr(before.out, "running\n") = *strstr(after.out, "exited") = '\0';
    ck_assert_str_eq(after.out, before.out);
    end(OURSELVES);
}
END_TEST

START_TEST(commit_leaves_the_state) {
    expect(sh("$CONTAINER %s", states[_i].make), 0, NULL, "");
    char *before = sh("echo " FIELD(2) " | cut -d ' ' -f 1").out;
    expect(sh(COMMIT "snap"), 0, "snap: ", "");
    expect(sh("echo " FIELD(2)), 0, format("%.4s", before), "");
    expect(sh("$CONTAINER run --rm --network none snap true"), 0, "", "");
    end(OURSELVES);
}
END_TEST

/* What stands in the way is not followed, nor hidden. */
static const char *const in_the_way[] = {
    "mkdir elsewhere; ln -s $T/elsewhere snap",
    "mkdir -p snap/bin",
    "mkdir snap; echo >file; ln -s $T/file snap/layers",
    "echo >snap",
};

START_TEST(commit_refuses) {
    expect(sh(RUN "$BASE sh -c 'exit 3' && $CONTAINER wait $NAME"), 0, NULL, "");
    expect(sh("cd \"$CONTAINER_HOME\" && mkdir images layers && cd images; %s", in_the_way[_i]),
           0, "", "");
    char *before = sh(LOOK "| cut -d ' ' -f 1; ls -R $T").out;
    expect(sh(COMMIT "snap"), 125, "", "snap");
    ck_assert_str_eq(sh(LOOK "| cut -d ' ' -f 1; ls -R $T").out, before);
    end(OURSELVES);
}
END_TEST

/* It ends, or is removed, at one moment of a command: when that runs a program, one of ours that is
 * first in PATH. No message comes from sh or from awk. */
static const struct {
    const char *command, *program, *does;
    int status;
    const char *says;
} meanwhile[] = {
    { "inspect $NAME", "readlink", "$CONTAINER kill $NAME", 0, "" },
    { "inspect $NAME", "head", "! mkdir $T/once 2>&- || $CONTAINER rm -f $NAME", 0, "" },
    { "stats $NAME", "head", "! mkdir $T/once 2>&- || $CONTAINER rm -f $NAME", 0, "" },
    { "wait $NAME", "awk", "rm -f $CONTAINER_HOME/containers/$NAME/exit", 125,
      "container: $NAME: somebody has removed it\n" },
    { "diff $NAME", "cp", "$CONTAINER rm -f $NAME", 125, "container: diff: $NAME is gone\n" },
    { "commit $NAME snap", "mktemp", "$CONTAINER rm -f $NAME", 125, "container: commit: $NAME is gone\n" },
    { "commit $NAME snap", "grep", "[ \"$1$2\" != -q-s ] || $CONTAINER rm -f $NAME", 125,
      "container: commit: $CONTAINER_HOME/containers/$NAME/upper is gone\n" },
    { "commit $NAME other && wc -l <$CONTAINER_HOME/images/other/layers >&2", "cat",
      "[ ! -s $CONTAINER_HOME/new.*/work/tar ] || rm -f $CONTAINER_HOME/containers/$NAME/layers", 0, "2\n" },
};

START_TEST(what_vanishes_is_missed_politely) {
    expect(sh(RUN "$BASE sleep 100"), 0, NULL, "");
    expect(sh("$CONTAINER commit $NAME snap >out && $CONTAINER diff $NAME"), 0, NULL, ""); /* the box is made */
    expect(sh("mkdir bin && printf '#!/bin/sh\n%%s\nexec /usr/bin/%%s \"$@\"\n' '%s' %s >bin/%s &&"
              "chmod 755 bin/%s",
              meanwhile[_i].does, meanwhile[_i].program, meanwhile[_i].program, meanwhile[_i].program),
           0, "", "");
    expect(sh("PATH=$T/bin:$PATH; { $CONTAINER %s; } 2>said", meanwhile[_i].command), meanwhile[_i].status, NULL, "");
    ck_assert_str_eq(sh("cat said").out, sh("printf '%%s' \"%s\"", meanwhile[_i].says).out);
    end(OURSELVES);
}
END_TEST

/* ---- link ---- */

#define IN(name) "$CONTAINER exec $NAME-" name " probe "

/* Three that know nobody: a, b and c. */
static void start_three(void) {
    expect(sh("for n in a b c; do"
              "    $CONTAINER run -d --name $NAME-$n --network none $BASE probe serve 7 100 &&"
              "    until $CONTAINER logs $NAME-$n | grep -q ready; do sleep 0.02; done;"
              "done"),
           0, NULL, "");
}

static void end_three(void) {
    expect(sh("$CONTAINER rm -f $NAME-a $NAME-b $NAME-c"), 0, NULL, "");
}

/* What interfaces $NAME-X has, without lo and the unused tunnels of some kernels. */
static char *links_of(const char *x) {
    return sh("$CONTAINER exec $NAME-%s ip -o link | sed 's/^[0-9]*: //; s/[:@].*//' |"
              " grep -v -e '^lo$' -e '^[a-z0-9_]*tnl0$' -e '^gre' -e '^erspan' -e '_vti'",
              x)
        .out;
}

START_TEST(link_is_for_two_that_run) {
    start_three();
    const char *none = links_of("a");
    expect(sh("$CONTAINER link nosuch $NAME-a"), 125, "", "container: nosuch: there is no such");
    expect(sh("$CONTAINER link $NAME-a ../$NAME-b"), 125, "", "there is no such container");
    expect(sh("$CONTAINER link $NAME-a $NAME-a"), 125, "", "in one network already");
    expect(sh("$CONTAINER kill $NAME-c && $CONTAINER wait $NAME-c"), 0, NULL, "");
    expect(sh("$CONTAINER link $NAME-a $NAME-c"), 125, "", "-c is exited 137, and has no network; try: container start ");
    expect(sh("$CONTAINER rm $NAME-c && $CONTAINER run -d --name $NAME-c --network host $BASE"
              " sleep 100"),
           0, NULL, "");
    expect(sh("$CONTAINER link $NAME-a $NAME-c"), 125, "", "the host's own");
    expect(sh("$CONTAINER link -m $NAME-c lo $NAME-a"), 125, "", "the host's own");
    ck_assert_str_eq(links_of("a"), none);
    end_three();
}
END_TEST

/* Named after the other container, up, with no address but those asked for. */
START_TEST(link_is_a_cable) {
    int n = random_between(1, 254);
    start_three();
    expect(sh(IN("a") "tcp-connect 10.%d.0.2 7 hi", n), 1, "errno ENETUNREACH", "");
    struct result r = sh("$CONTAINER link $NAME-a $NAME-b 10.%d.0.1/24 10.%d.0.2/24", n, n);
    expect(r, 0, "\nnsenter -t ", "");
    expect(sh("[ \"%s\" = $NAME-b ]", strtok(links_of("a"), "\n")), 0, "", "");
    expect(sh("[ \"%s\" = $NAME-a ]", strtok(links_of("b"), "\n")), 0, "", "");
    expect(sh("$CONTAINER exec $NAME-a ip addr show $NAME-b"), 0, format("10.%d.0.1/24 ", n), "");
    expect(sh(IN("a") "tcp-connect 10.%d.0.2 7 hi", n), 0, format(" from 10.%d.0.1 ", n), "");
    expect(sh(IN("b") "udp-send 10.%d.0.1 7 hi", n), 0, format(" from 10.%d.0.2 ", n), "");
    expect(sh("$CONTAINER link $NAME-a $NAME-b"), 125, NULL, "container: link: the cable between ");
    expect(sh("$CONTAINER link $NAME-b $NAME-c"), 0, NULL, "");
    r = sh("$CONTAINER exec $NAME-c ip addr show $NAME-b");
    expect(r, 0, ",UP", "");
    ck_assert_msg(!strstr(r.out, "inet "), "%s", r.out);
    end_three();
}
END_TEST

/* An address that is none: no end of the cable may stay. */
START_TEST(link_is_whole_or_not_at_all) {
    start_three();
    const char *none = links_of("a");
    expect(sh("$CONTAINER link $NAME-a $NAME-b 10.1.0.1/24 10.1.0.2/33"), 125, NULL, "the cable between");
    expect(sh("$CONTAINER link $NAME-a $NAME-b x 10.1.0.2/24"), 125, NULL, "the cable between");
    ck_assert_str_eq(links_of("a"), none);
    ck_assert_str_eq(links_of("b"), none);
    end_three();
}
END_TEST

/* As names of interfaces, both are cut off, and nobody can have two of one name. */
START_TEST(link_cuts_long_names) {
    start_three();
    expect(sh("$CONTAINER run -d --name 123456789-$NAME-x --network none $BASE sleep 100 &&"
              "$CONTAINER link $NAME-a 123456789-$NAME-x"),
           0, NULL, "");
    ck_assert_str_eq(links_of("a"), sh("printf '%%.15s\n' 123456789-$NAME-x").out);
    expect(sh("$CONTAINER rm -f 123456789-$NAME-x"), 0, NULL, "");
    end_three();
}
END_TEST

/* a - b - c: nothing goes from end to end until b forwards. */
START_TEST(link_makes_a_line) {
    start_three();
    expect(sh("$CONTAINER link $NAME-a $NAME-b 10.1.0.1/24 10.1.0.2/24 &&"
              "$CONTAINER link $NAME-b $NAME-c 10.2.0.2/24 10.2.0.3/24 &&"
              "$CONTAINER link -r $NAME-a 10.2.0.0/24 10.1.0.2 &&"
              "$CONTAINER link -r $NAME-c 10.1.0.0/24 10.2.0.2"),
           0, NULL, "");
    expect(sh("$CONTAINER exec $NAME-b sh -c 'echo 0 >/proc/sys/net/ipv4/ip_forward'"), 1, "",
           "Read-only");
    expect(sh("nsenter -t $(cut -d ' ' -f 1 $CONTAINER_HOME/containers/$NAME-b/pid) -n"
              " sh -c 'echo 0 >/proc/sys/net/ipv4/ip_forward'"),
           0, "", "");
    expect(sh(IN("a") "tcp-connect 10.1.0.2 7 hi"), 0, " from 10.1.0.1 ", "");
    expect(sh(IN("a") "ping 10.2.0.3"), 1, "errno ETIMEDOUT\n", "");
    expect(sh("before=$(cat /proc/sys/net/ipv4/ip_forward); $CONTAINER link -f $NAME-b &&"
              "[ $before = $(cat /proc/sys/net/ipv4/ip_forward) ]"),
           0, "ip_forward", "");
    expect(sh(IN("a") "ping 10.2.0.3"), 0, "type 0\n", "");
    struct result r = sh(IN("a") "tcp-connect 10.2.0.3 7 hi");
    expect(r, 0, format("at %s-c from 10.1.0.1 ", getenv("NAME")), "");
    expect(sh(IN("c") "udp-send 10.1.0.1 7 hi"), 0, " from 10.2.0.3 ", "");
    end_three();
}
END_TEST

/* The other end of the cable does not notice. */
START_TEST(link_moves_an_interface) {
    start_three();
    expect(sh("$CONTAINER link $NAME-a $NAME-b 10.1.0.1/24 10.1.0.2/24"), 0, NULL, "");
    expect(sh(IN("a") "tcp-connect 10.1.0.2 7 hi"), 0, "-b from 10.1.0.1 ", "");
    expect(sh("$CONTAINER link -m $NAME-b $NAME-a $NAME-c 10.1.0.2/24"), 0, NULL, "");
    ck_assert_str_eq(links_of("b"), "");
    ck_assert_str_eq(links_of("c"), sh("echo $NAME-a").out);
    expect(sh(IN("a") "tcp-connect 10.1.0.2 7 hi"), 0, "-c from 10.1.0.1 ", "");
    expect(sh("$CONTAINER link -m $NAME-b $NAME-a $NAME-c"), 125, NULL, "container: link: ");
    expect(sh("$CONTAINER link -m $NAME-a lo $NAME-c"), 125, NULL, "container: link: interface lo of ");
    end_three();
}
END_TEST

/* ---- doctor ---- */

#define DOCTOR "$TOOLS/doctor"
#define FAKE(name, script) \
    "mkdir -p bin; printf '#!/bin/sh\n%s\n' '" script "' >bin/" name "; chmod 755 bin/" name \
    "; export PATH=$T/bin:$PATH; "

/* In a mount namespace of its own; what stands after it is one line in double quotes. */
#define PRIVATELY "unshare -m sh -c \""

/* User 65534, to whom ids are assigned if WHO is its name. */
#define RANGES(who) \
    "echo " who ":500000:65536 >ids; export CONTAINER_HOME=$T/ids.home;" \
    "unshare -m sh -c 'mount --bind ids /etc/subuid; mount --bind ids /etc/subgid; \"$@\"' sh" \
    " setpriv --reuid 65534 --regid 65534 --clear-groups "

#define WITH_RANGES "unshare --map-auto --map-root-user "

/* The row of NEED has this status, this in its fact, and the next line has this as its remedy. */
static void expect_need(struct result r, const char *status, const char *need, const char *fact,
                        const char *remedy) {
    const char *found = strstr(r.out, format("%-8s %-18s ", status, need));
    if (!found) ck_abort_msg("%s\n  %s is not %s:\n%s%s", r.line, need, status, r.out, r.err);
    size_t length = strcspn(found, "\n");
    char *said = format("%.*s", (int)length, found);
    char *next = format("%.*s", (int)strcspn(found + length + 1, "\n"), found + length + 1);
    ck_assert_msg(strstr(said, fact) != NULL, "%s\n  no \"%s\" in: %s", r.line, fact, said);
    bool helps = strncmp(next, "     ", 5) == 0 && strstr(next, "-> ");
    ck_assert_msg(remedy ? helps && strstr(next, remedy) : !helps, "%s\n  %s\n  remedy: %s",
                  r.line, said, next);
}

/* What is taken away before doctor looks, and what it says then. A situation is the same for the
 * engine: both can run, or neither (0, 1); or it is one that only doctor believes (-1). */
static const struct {
    bool root; /* as root, else as an ordinary user */
    int works;
    const char *before, *after, *status, *need, *fact, *remedy;
} broken_hosts[] = {
    // clang-format off
    { false, 0, "$PROBE without unshare EPERM ", "", "missing", "user", "a filter around us",
      "seccomp=unconfined" },
    { false, 0, "unshare -Ur sh -c 'echo 0 >/proc/sys/user/max_user_namespaces;"
      "exec setpriv --bounding-set -all --inh-caps -all \"$@\"' sh ", "", "missing", "user",
      "user.max_user_namespaces is 0", "sysctl user.max_user_namespaces=15000" },
    { false, 0, "$PROBE without mount EPERM ", "", "missing", "user", "a filter around us",
      "seccomp=unconfined" },
    { false, 0, "$PROBE without open_tree EPERM ", "", "missing", "container run", "open_tree",
      "seccomp=unconfined" },
    { false, 0, "$PROBE without mount_setattr ENOSYS ", "", "missing", "container run",
      "mount_setattr", "Linux 5.15 or later" },
    { false, 0, "$PROBE without clone3 ENOSYS ", "", "missing", "container run", "clone3",
      "Linux 5.15 or later" },
    { false, 1, "$PROBE without openat2 ENOSYS ", "", "ok", "container run", "tried", NULL },
    { false, 0, "export CONTAINER_HOME=/proc/self/fd; ", "", "missing", "state",
      "/proc/self/fd: no directory can be made there", "export CONTAINER_HOME=" },
    { false, 0, "mkdir shut; chmod 555 shut; export CONTAINER_HOME=$T/shut/a; ", "", "missing",
      "state", "/shut cannot be written", "export CONTAINER_HOME=" },
    { false, 0, "unset HOME CONTAINER_HOME; ", "", "missing", "state", "cannot be written",
      "export CONTAINER_HOME=" },
    { false, -1, "ln -s nowhere link; export CONTAINER_HOME=$T/link; ", "", "missing", "state",
      "/link is a link to what is not there", "rm " },
    { false, 1, "", "", "limited", "network", "rootless", "sudo" },
    { false, -1, FAKE("unshare", "exit 127"), "", "unknown", "user", "no unshare",
      "install util-linux" },
    { false, -1, FAKE("unshare", "exit 127"), "", "unknown", "overlay", "no unshare",
      "install util-linux" },
    { false, -1, FAKE("df", "exit 1"), "", "unknown", "space", "df does not say", NULL },
    { false, -1, FAKE("uname", "echo Darwin"), "", "missing", "system", "macOS", "limactl" },
    { false, -1, "export CONTAINER=/none; ", "", "unknown", "container run", "not built", "make" },

    { true, 0, "$PROBE without mount EPERM ", "", "missing", "overlay", "not permitted",
      "seccomp=unconfined" },
    { true, 0, "$PROBE without mount EPERM ", "", "missing", "proc", "not permitted",
      "--privileged" },
    { true, 0, "$PROBE without clone3 EPERM ", "", "missing", "container run", "clone3",
      "seccomp=unconfined" },
    { true, 0, PRIVATELY "mkdir l u w o; mount -t overlay -o lowerdir=l,upperdir=u,workdir=w o o;"
      "export CONTAINER_HOME=$T/o/x; ", "\"", "missing", "state",
      "an overlay cannot lie on an overlay", "export CONTAINER_HOME=" },
    { true, 0, PRIVATELY "mkdir o; mount -t tmpfs -o ro o o; export CONTAINER_HOME=$T/o/x; ", "\"",
      "missing", "state", "/o cannot be written", "export CONTAINER_HOME=" },
    { true, -1, PRIVATELY "mkdir o; mount -t tmpfs -o size=20m o o; export CONTAINER_HOME=$T/o/x; ",
      "\"", "limited", "space", "MB are free", "make room" },
    { true, -1, PRIVATELY "mkdir o; mount -t tmpfs -o size=1m o o; export CONTAINER_HOME=$T/o/x; ",
      "\"", "missing", "space", "1 MB are free", "make room" },
    { true, 0, "unshare -n sh -c \"ip link add d0 type veth peer name d1; ip link set d1 up; ip addr add 10.66.5.1/24 dev d0;"
      "ip link set d0 up; ", "\"", "missing", "routes", "10.66.0.0/16 is in use by d0",
      "export CONTAINER_SUBNET=10.77" },
    { true, 1, "unshare -n sh -c \"ip link add d0 type veth peer name d1; ip link set d1 up; ip addr add 10.66.5.1/24 dev d0;"
      "ip link set d0 up; export CONTAINER_SUBNET=10.77; ", "\"", "ok", "routes",
      "nothing else uses 10.77.0.0/16", NULL },
    { true, 1, "unshare -n sh -c \"ip link add d0 type veth peer name d1; ip link set d1 up; ip addr add 10.1.0.1/8 dev d0;"
      "ip link set d0 up; export CONTAINER_SUBNET=10.77; ", "\"", "ok", "routes",
      "nothing else uses 10.77.0.0/16", NULL },
    { true, 0, "unshare -n sh -c \"ip link add d0 type veth peer name d1; ip link set d1 up; ip addr add 10.1.0.1/8 dev d0;"
      "ip link set d0 up; ", "\"", "missing", "routes", "in use by d0",
      "export CONTAINER_SUBNET" },
    { true, 0, "export CONTAINER_SUBNET=ten; ", "", "missing", "routes", "is ten",
      "export CONTAINER_SUBNET=10.77" },
    { true, 1, "unshare -n sh -c \"nft 'table ip f { chain FORWARD { type filter hook forward"
      " priority 0; policy drop; }; }'; ", "\"", "limited", "firewall", "drops",
      "iptables -I FORWARD -i container0 -j ACCEPT; iptables -I FORWARD -o container0 -j ACCEPT" },
    { true, 1, "unshare -n sh -c \"nft 'table ip f { chain DOCKER-USER { }; chain FORWARD { type"
      " filter hook forward priority 0; policy drop; }; }'; ", "\"", "limited", "firewall", "drops",
      "iptables -I DOCKER-USER -i container0 -j ACCEPT; iptables -I DOCKER-USER -o" },
    { true, 1, "unshare -n sh -c \"nft 'table ip f { chain DOCKER-USER { iifname container0 accept;"
      "}; chain FORWARD { type filter hook forward priority 0; policy drop; }; }'; ", "\"", "ok",
      "firewall", "knows container0", NULL },
    { true, -1, FAKE("nft", "echo no nat; exit 1"), "", "limited", "nf_tables", "no nat",
      "modprobe nf_tables" },
    { true, -1, FAKE("ip", "echo no bridge; exit 1"), "", "missing", "bridge", "no bridge",
      "--network none" },
    { true, -1, PRIVATELY "mount -o bind,ro /sys/fs/cgroup /sys/fs/cgroup; for d in /sys/fs/cgroup"
      "/*/; do mount -o bind,ro \\$d \\$d; done 2>/dev/null; ", "\"", "limited", "cgroup",
      "read-only", "--privileged" },
    { true, -1, PRIVATELY "mkdir k; echo 5.10.0-9-amd64 >k/osrelease; mount --bind k"
      " /proc/sys/kernel; ", "\"", "missing", "kernel", "Linux 5.10.0-9-amd64; this takes 5.15",
      "a newer kernel" },
    { true, -1, PRIVATELY "mkdir k; echo 5.15.1 >k/osrelease; mount --bind k /proc/sys/kernel; ",
      "\"", "ok", "kernel", "Linux 5.15.1", NULL },
    { true, -1, PRIVATELY "mkdir k; echo 0 >k/unprivileged_userns_clone; mount --bind k"
      " /proc/sys/kernel; setpriv --reuid 65534 --clear-groups $PROBE without unshare EPERM ", "\"",
      "missing", "user", "kernel.unprivileged_userns_clone is 0",
      "sysctl kernel.unprivileged_userns_clone=1" },
    { true, -1, PRIVATELY "mkdir k; echo 1 >k/apparmor_restrict_unprivileged_userns; mount --bind k"
      " /proc/sys/kernel; setpriv --reuid 65534 --clear-groups $PROBE without unshare EPERM ", "\"",
      "missing", "user", "kernel.apparmor_restrict_unprivileged_userns is 1",
      "sysctl kernel.apparmor_restrict_unprivileged_userns=0" },
    { true, -1, PRIVATELY "echo Linux version 6.6.36.6-microsoft-standard-WSL2 >v; mount --bind v"
      " /proc/version; export CONTAINER_HOME=/mnt/c/x; ", "\"", "missing", "system",
      "on Windows' disk: /mnt/c/x", "clone to Linux's own disk" },
    { true, -1, PRIVATELY "echo Linux version 6.6.36.6-microsoft-standard-WSL2 >v; mount --bind v"
      " /proc/version; ", "\"", "ok", "system", "WSL", NULL },
    // clang-format on
};

static int lines_with(const char *text, const char *what) {
    int n = 0;
    for (const char *at = text; (at = strstr(at, what)); at++)
        n += at == text || at[-1] == '\n';
    return n;
}

START_TEST(doctor_sees_what_is_wrong) {
    enum who who = broken_hosts[_i].root ? OURSELVES : is_root() ? ORDINARY_USER
                                                                 : OURSELVES;
    if ((broken_hosts[_i].root && !is_root()) || (who == ORDINARY_USER && users() < 2)) return;
    struct result r = as(who, "%s" DOCTOR "%s", broken_hosts[_i].before, broken_hosts[_i].after);
    expect_need(r, broken_hosts[_i].status, broken_hosts[_i].need, broken_hosts[_i].fact,
                broken_hosts[_i].remedy);
    expect(r, lines_with(r.out, "missing ") > 0, "\ncontainer run ", "");
    if (broken_hosts[_i].works == -1) return;
    ck_assert_int_eq(r.status == 0, broken_hosts[_i].works);
    r = as(who, "%s$CONTAINER run --rm $BASE true%s", broken_hosts[_i].before,
           broken_hosts[_i].after);
    ck_assert_msg((r.status == 0) == broken_hosts[_i].works, "%s: %s", r.line, r.err);
}
END_TEST

/* A machine that was made from an image of Docker's has this file, too; but its root is a disk. */
START_TEST(doctor_tells_docker_from_a_machine) {
    expect(sh("$CONTAINER run --rm --network none -v $TOOLS:/tools:ro $BASE"
              " sh -c 'touch /.dockerenv; sh /tools/doctor | grep -c \"inside a Docker container\"'"),
           0, "1\n", NULL);
    if (system("grep -q '^[0-9]* [0-9]* [1-9][0-9]*:[0-9]* / / ' /proc/self/mountinfo") == 0)
        expect(sh("! sh $TOOLS/doctor | grep 'inside a Docker container'"), 0, "", NULL);
}
END_TEST

/* It says what is so: yes where a container runs, no where none does; and it leaves nothing. */
START_TEST(doctor_agrees_with_the_engine) {
    struct result told = as(_i, DOCTOR);
    struct result r = as(_i, "$CONTAINER run --rm $BASE true");
    ck_assert_msg(told.status == (r.status != 0), "%s%s%s", told.out, told.err, r.err);
    ck_assert_msg((strstr(told.out, "will work here: ") != NULL) == !r.status, "%s", told.out);
    ck_assert_int_eq(lines_with(told.out, "missing ") == 0, r.status == 0);
    expect(as(_i, "ls -A $T; ls -A $CONTAINER_HOME/.. /tmp | grep '^[.]doctor'"), 1,
           "", "");
}
END_TEST

/* Ids that are assigned to us are of use when a container can run with them. */
START_TEST(doctor_sees_subordinate_ids) {
    if (sh("command -v newuidmap && getent passwd 65534 | grep ^nobody: && [ -e /etc/subuid ] &&"
           "[ -e /etc/subgid ] && unshare --help | grep -e --map-auto")
            .status) {
        left_out("subordinate ids", "no newuidmap, unshare --map-auto or user nobody here");
        return;
    }
    expect_need(sh(RANGES("stranger") DOCTOR), "limited", "ids", "one: ", "usermod --add-subuids");
    expect(sh(RANGES("nobody") WITH_RANGES "sh -c 'echo >given; chown 1000:1000 given'; stat -c"
                                           " '%%u %%g' given"),
           0, "500999 500999", "");
    struct result r = sh(RANGES("nobody") WITH_RANGES "$CONTAINER run --rm --network none -u 1000"
                                                      " $BASE id -u");
    expect_need(sh(RANGES("nobody") DOCTOR), r.status ? "limited" : "ok", "ids",
                r.status ? "container-" : "--map-auto", NULL);
}
END_TEST

/* ---- manual ---- */

/* The options that WHO may give, as the source has them, and as NAME.1 or `help` show them: in all
 * three the same letters, names and values. The table in C knows only whether there is a value. */
static const struct {
    const char who, *command, *section;
} documented[] = {
    { 'r', "run", "Options of run and create" },
    { 'x', "exec", "Options of exec" },
};

START_TEST(manual_shows_the_options) {
    const char *command = documented[_i].command;
    expect(sh("$CONTAINER %s --help | sed -n 's/^ \\{2,\\}\\(-[^ ]*\\( [^ ]\\+\\)*\\).*/\\1/p' | sort >help;"
              "sed -n '/^\\.Ss %s/,/^\\.El/s/^\\.It //p' $SOURCE/lessons/container.1 |"
              " sed 's/Fl /-/g; s/ , / /; s/ Ar / /; s/ Cm / /' | sort >manual;"
              "[ -s help ] && diff help manual",
              command, documented[_i].section),
           0, "", "");
    expect(sh("awk -F '[ ,]+' -v who=%c '/^    [{] \"[a-z]+\", +[^ ]+ +\"[a-z-]+\", [A-Z]+, / &&"
              " index($3, who) { gsub(/[^a-z-]/, \"\", $4); gsub(/\"/, \"\", $5);"
              " print ($4 ? \"-\" $4 \" \" : \"\") \"--\" $5 (/ NULL [}]/ ? \"\" : \" VALUE\") }'"
              " $SOURCE/container.c | sort -u >table;"
              "sed 's/\\(--[^ ]*\\) .*/\\1 VALUE/' help | sort -u | diff table -",
              documented[_i].who),
           0, "", "");
}
END_TEST

START_TEST(manual_shows_the_commands) {
    for (int i = 0; i < COUNT(words); i++)
        expect(sh("grep -qE '^\\.It (.* , )?Cm %s( |$)' $SOURCE/lessons/container*.1", words[i]), 0, "", "");
}
END_TEST

/* What stands between .Bd and .Ed in the examples is typed as it is shown, where the source is. */
static const char *const pages[] = { "container", "container-image" };

START_TEST(manual_has_examples_that_work) {
    expect(sh("mkdir bin rootfs && ln -s $CONTAINER bin && ln -s $BASE rootfs/base &&"
              "ln -s $SOURCE/lessons . && ln -s $BASE $ROOTFS/base &&"
              "awk -v q=\"'\" '/^[.]Sh/ { ours = /EXAMPLES/ } /^[.]Bd/ { block = ours; next }"
              " /^[.]Ed/ { block = 0 } block { gsub(/\\\\[(]aq/, q); gsub(/\\\\e/, \"\\\\\"); print }'"
              " lessons/%s.1 | sed -e \"s|/tmp/|$T/|g\" -e 's/^[$#] //' >typed; [ -s typed ]",
              pages[_i]),
           0, "", "");
    expect(sh("ip link set lo up; PATH=$T/bin:$PATH; set -e; . ./typed"), 0, NULL, NULL);
    expect(sh("rm $ROOTFS/base; $CONTAINER ps -q"), 0, "", "");
}
END_TEST

START_TEST(help_shows_the_manual) {
    const char *first = sh("command -v man").status ? "usage: container" : "CONTAINER(1)";
    struct terminal t = at_terminal(OURSELVES, "PAGER=cat MANPAGER=cat $SOURCE/lessons/tools/help");
    wait_for(&t, first);
    ck_assert_int_eq(finish(&t), 0);
    t = at_terminal(OURSELVES, "$TOOLS/help"); /* these have no page beside them */
    wait_for(&t, "usage: container");
    ck_assert_int_eq(finish(&t), 0);
}
END_TEST

/* ---- README ---- */

/* Two blocks of README that make lessons-test does not run. Here `make run` starts our program, and
 * makes nothing. */
START_TEST(readme_shows_make_run) {
    struct terminal t = at_terminal(OURSELVES, "p=$(realpath --relative-to=$SOURCE $CONTAINER);"
                                               "make -s -C $SOURCE run PROGRAM=$p STATIC= -o $p -o base");
    char *lines = sh("sed -n '/^[$] make run/,/^```/p' $SOURCE/README.md | sed '1d; $d'").out;
    bool typed = false;
    for (char *line; (line = strsep(&lines, "\n")) && *line;) {
        if (!strcmp(line, "...")) continue;
        char *keys = strncmp(line, "/ # ", 4) == 0 ? line + 4 : NULL;
        wait_for(&t, keys ? "/ # " : format("%s\r\n", line));
        if (keys) type(&t, format("%s\r", keys));
        typed |= keys != NULL;
    }
    ck_assert(typed);
    wait_for(&t, "/ # ");
    type(&t, "\4");
    ck_assert_int_eq(finish(&t), 0);
}
END_TEST

START_TEST(readme_shows_the_steps) {
    expect(sh("sed -n '/^[$] .* --explain /,/^```/{/^ /p}' $SOURCE/README.md >shown;"
              "line=$(sed -n 's/^[$] \\(.* --explain .*\\)/\\1/p' $SOURCE/README.md);"
              "mkdir rootfs; ln -s $BASE rootfs/base; ln -s $CONTAINER container; eval \"$line\" 2>steps;"
              "for f in shown steps; do awk '{ place = $2; $1 = $2 = \"\"; sub(/put memory[^=]*=[^=]*=/, \"put memory =\");"
              "    gsub(/0x[0-9a-f]+|[0-9]+/, \"N\"); print place $0 }' $f >$f.N;"
              "done; wc -l <shown; grep -vxFf steps.N shown.N; :"),
           0, "15\n", "");
    expect(sh("grep -vxFf steps.N shown.N; :"), 0, "", "");
}
END_TEST

/* ---- the suite ---- */

static void add_roots_tests(TCase *inspect, TCase *stats, TCase *commit) {
    tcase_add_loop_test(inspect, inspect_shows_the_powers, 0, COUNT(powers));
    tcase_add_test(inspect, inspect_shows_the_limits);
    tcase_add_test(inspect, inspect_shows_the_cable);
    tcase_add_test(stats, stats_shows_the_limits);
    tcase_add_test(stats, stats_says_that_there_is_no_limit);
    tcase_add_test(stats, stats_takes_several);
    tcase_add_test(stats, stats_counts_memory);
    tcase_add_test(stats, stats_counts_the_processor);
    tcase_add_test(stats, stats_counts_the_network);
    tcase_add_loop_test(stats, stats_reads_either_version, 0, COUNT(versions));
    if (!cgroup_v2())
        tcase_add_test(stats, stats_counts_kills);
    tcase_add_test(commit, commit_keeps_all);
    tcase_add_test(commit, nobody_else_comes_near);
    tcase_add_test(commit, commit_takes_one_moment);
    tcase_add_loop_test(commit, failed_commit_leaves_nothing, 0, COUNT(broken));
    tcase_add_loop_test(commit, commit_leaves_the_state, 0, COUNT(states));
}

static void add_link_tests(Suite *s) {
    TCase *t = new_case(s, "link");
    tcase_add_test(t, link_is_for_two_that_run);
    tcase_add_test(t, link_is_a_cable);
    tcase_add_test(t, link_is_whole_or_not_at_all);
    tcase_add_test(t, link_cuts_long_names);
    tcase_add_test(t, link_makes_a_line);
    tcase_add_test(t, link_moves_an_interface);
}

static bool have(const char *condition) {
    return system(format("{ %s; } >/dev/null 2>&1", condition)) == 0;
}

static void add_manual_tests(Suite *s) {
    TCase *t = new_case(s, "manual");
    bool readme = have("[ -e \"$SOURCE/README.md\" ]");
    bool tools = have("command -v jq && command -v getfattr && command -v skopeo");
    tcase_add_loop_test(t, manual_shows_the_options, 0, COUNT(documented));
    tcase_add_test(t, manual_shows_the_commands);
    tcase_add_test(t, help_shows_the_manual);
    if (!readme || !have("command -v make && realpath --relative-to=/ /"))
        left_out("make run, as README shows it", "no README, no make, or no realpath of GNU here");
    else
        tcase_add_test(t, readme_shows_make_run);
    if (!readme || !is_root())
        left_out("the steps that README shows", "no README here, or no root for limits and bridge");
    else
        tcase_add_test(t, readme_shows_the_steps);
    if (!tools || !is_root())
        left_out("examples of the manual", "no root, or no jq, getfattr, skopeo for those of images");
    if (is_root())
        tcase_add_loop_test(t, manual_has_examples_that_work, 0, tools ? COUNT(pages) : 1);
}

static void add_network_tests(Suite *s) {
    TCase *t = new_case(s, "network");
    bool nft = system("command -v iptables >/dev/null") != 0; /* and nothing else */
    if (nft) left_out("network with iptables", "no iptables here");
    for (int forwards = 0; forwards < 2; forwards++) {
        tcase_add_loop_test(t, network_goes_up_and_down, 2 * forwards, 2 * forwards + 2 - nft);
        tcase_add_loop_test(t, the_host_becomes_no_router, 2 * forwards, 2 * forwards + 2 - nft);
    }
    tcase_add_loop_test(t, twelve_may_make_the_network, 0, 2 - nft);
    tcase_add_test(t, network_says_what_is_missing);
    tcase_add_loop_test(t, network_may_be_killed, 0, 2);
    tcase_add_test(t, a_plugged_network_stays);
}

static void add_life_tests(Suite *s) {
    TCase *ps = new_case(s, "ps"), *ends = new_case(s, "ends"), *logs = new_case(s, "logs");
    tcase_add_test(ps, ps_is_quick);
    tcase_add_test(ps, ps_has_options);
    tcase_add_loop_test(ps, damage_is_survived, 0, COUNT(damages));
    tcase_add_test(ps, ps_is_not_deceived);
    tcase_add_test(ps, ps_is_not_disturbed);
    tcase_add_test(ps, ps_never_lies);
    if (is_root())
        tcase_add_test(ps, numbers_of_another_namespace_are_not_ours);
    tcase_add_loop_test(ends, stop_meets_a_container_in_set_up, 0, users());
    tcase_add_loop_test(ends, stop_waits_for_another_command, 0, users());
    tcase_add_loop_test(ends, rm_may_be_said_twice, 0, users());
    tcase_add_loop_test(ends, rm_meets_start, 0, users());
    tcase_add_loop_test(ends, rm_wakes_the_watcher, 0, users());
    tcase_add_loop_test(ends, rm_finds_who_has_inherited_the_lock, 0, users());
    tcase_add_loop_test(ends, wait_hears_the_status, 0, users());
    tcase_add_loop_test(logs, followers_survive_a_full_log, 0, users());
    tcase_add_loop_test(logs, followers_hear_that_the_watcher_is_dead, 0, users());
    tcase_add_loop_test(logs, only_those_in_the_background_have_logs, 0, users());
}

/* ---- timeline ---- */

/* The lanes of FILE.svg: "host 1200: container 0, ns 100, wait 400, ..."; the bars and their sum. */
#define LANES \
    "awk -F '\"' '/^<g id/ { lane = $2 \" \" $4; sum = 0; bars = \"\"; next }" \
    " /^<path .*data-us/ { sum += $4; bars = bars \", \" $2 \" \" $4 }" \
    " /^<.g>/ { print lane \" \" sum \":\" substr(bars, 2) }' "

static void expect_well_formed(const char *file) {
    bool xmllint = sh("command -v xmllint").status == 0;
    if (!xmllint && sh("command -v python3").status != 0) {
        left_out("the syntax of timeline's picture", "neither xmllint nor python3 here");
        return;
    }
    expect_exactly(xmllint ? sh("xmllint --noout %s", file)
                           : sh("python3 -c 'import sys, xml.dom.minidom as m; m.parse(sys.argv[1])' %s", file),
                   "");
}

/* Who waits for whom, and how long, is known by "ready", "go" and the exec. */
START_TEST(timeline_draws_each_step) {
    int at = random_between(0, 100000), twice = random_between(10, 80), go = random_between(600, 900);
    expect(sh("cat >steps <<'END'\n"
              "%8d container.c:1: mkdir(\"a\")  = 0\n"
              "said by the program: 5 fs.c:1: no step\n"
              "%8d ns.c:2: clone3 flags 0x1 = 7\n"
              "%8d ns.c:2: clone3 flags 0x1 = 0\n"
              "%8d             fs.c:3: mount <&\"> = 0\n"
              "%8d             ns.c:4: write ready = 1\n"
              "%8d ns.c:5: dup(0)  = 5\n"
              "%8d             ns.c:6: read go = 4\n"
              "%8d             ns.c:7: getpid becomes true = 2\n"
              "%8d container.c:8: rename  = 0\nEND\n",
              at, at + 100, at + 100 + twice, at + 400, at + 500, at + 520, at + go, at + 1000, at + 1200),
           0, "", "");
    expect(sh("$CONTAINER timeline --read steps >read.svg"), 0, "", "");
    expect_well_formed("read.svg");
    expect_exactly(sh(LANES "read.svg"),
                   format("host 1200 1200: container 0, ns 100, wait 400, ns 20, wait 480, container 200\n"
                          "container 900 900: ns %d, fs %d, ns 100, wait %d, ns %d\n",
                          twice, 300 - twice, go - 500, 1000 - go));
    expect(sh("grep -c 'marker-end\\|class=\"a\"' read.svg"), 0, "5\n", ""); /* a style, four arrows */
    expect(sh("grep 'mount &lt;&amp;' read.svg"), 0, "fs.c:3", "");
}
END_TEST

START_TEST(timeline_draws_a_run) {
    int status = random_between(1, 99);
    expect(as(_i, "umask 0; $CONTAINER timeline --rm --network none $BASE "
                  "sh -c 'echo to out; echo \"to err\" >&2; exit %d' >run.svg 2>said",
              status),
           status, "", "");
    expect(sh("sort said"), 0, "to err\nto out\n", "");
    expect_well_formed("run.svg");
    expect(sh(LANES "run.svg | awk '{ sub(/:/, \"\", $3); print $1, $2 == $3, ($2 > 500), (NF > 100) }'"),
           0, "host 1 1 0\ncontainer 1 1 1\n", "");
    expect(sh("grep -c '<text.* ms</text><text' run.svg"), 0, "10\n", ""); /* the ten longest */
    expect(sh("[ $(wc -c <run.svg) -lt 30000 ]"), 0, "", "");
}
END_TEST

START_TEST(timeline_draws_an_exec) {
    expect(as(_i, RUN "$BASE sleep 1000"), 0, NULL, "");
    expect(as(_i, "umask 0; $CONTAINER timeline --exec $NAME sh -c 'echo hi; exit 3' >exec.svg"), 3, "", "hi\n");
    expect(sh(LANES "exec.svg | awk '{ sub(/:/, \"\", $3); print $1, $2 == $3, ($2 > 100) }'"),
           0, "host 1 1\ncontainer 1 1\n", "");
    end(_i);
}
END_TEST

START_TEST(timeline_refuses) {
    expect(sh("$CONTAINER timeline"), 125, "", "timeline: IMAGE is missing; usage: container timeline [OPTIONS]");
    expect(sh("$CONTAINER timeline --read none"), 125, "", "timeline: --read none: no such file\n");
    expect(sh("$CONTAINER timeline ./none true"), 125, "", "none");
    expect(sh("$CONTAINER timeline --no-such x true"), 125, "", "--no-such");
    struct terminal t = at_terminal(OURSELVES, "$CONTAINER timeline --read /dev/null");
    wait_for(&t, "standard output is a terminal");
    ck_assert_int_eq(finish(&t), 125);
}
END_TEST

Suite *tools_suite(void) {
    Suite *s = suite_create("tools");
    TCase *misuse = new_case(s, "misuse"), *help = new_case(s, "help");
    tcase_add_loop_test(misuse, refuses, 0, COUNT(misused));
    tcase_add_loop_test(misuse, knows_no_strangers, 0, COUNT(for_names));
    tcase_add_test(misuse, goes_on_after_a_failure);
    tcase_add_test(misuse, finds_its_home);
    tcase_add_test(help, help_lists_every_command);
    tcase_add_loop_test(help, each_command_has_help, 0, COUNT(words));
    tcase_add_loop_test(help, unknown_words_have_a_neighbour, 0, COUNT(unknown));
    tcase_add_test(help, bash_completes);
    tcase_add_test(help, delegate_runs_the_command);
    add_life_tests(s);
    add_manual_tests(s);
    TCase *inspect = new_case(s, "inspect"), *stats = new_case(s, "stats");
    TCase *life = new_case(s, "states"), *commit = new_case(s, "commit");
    tcase_add_loop_test(inspect, inspect_shows_the_namespaces, 0, users());
    tcase_add_loop_test(inspect, inspect_shows_the_processes, 0, users());
    tcase_add_loop_test(inspect, inspect_shows_the_files, 0, users());
    tcase_add_loop_test(inspect, inspect_shows_the_ports, 0, users());
    tcase_add_test(inspect, lets_no_name_drive_the_terminal);
    tcase_add_loop_test(stats, stats_knows_the_hosts_network, 0, users());
    TCase *doctor = new_case(s, "doctor");
    tcase_add_loop_test(doctor, doctor_sees_what_is_wrong, 0, COUNT(broken_hosts));
    tcase_add_test(doctor, doctor_tells_docker_from_a_machine);
    if (is_root())
        tcase_add_test(doctor, doctor_sees_subordinate_ids);
    tcase_add_loop_test(doctor, doctor_agrees_with_the_engine, 0, users());
    tcase_add_loop_test(commit, commits_what_has_ended, 0, users());
    tcase_add_loop_test(commit, commit_refuses, 0, COUNT(in_the_way));
    TCase *timeline = new_case(s, "timeline");
    tcase_add_test(timeline, timeline_draws_each_step);
    tcase_add_loop_test(timeline, timeline_draws_a_run, 0, users());
    tcase_add_loop_test(timeline, timeline_draws_an_exec, 0, users());
    tcase_add_test(timeline, timeline_refuses);
    if (is_root()) {
        tcase_add_loop_test(life, knows_the_state, 0, COUNT(states));
        add_roots_tests(inspect, stats, commit);
        tcase_add_loop_test(new_case(s, "meanwhile"), what_vanishes_is_missed_politely, 0, COUNT(meanwhile));
        add_link_tests(s);
        add_network_tests(s);
    } else
        left_out("link, network, most of inspect, stats, commit and doctor",
                 "to limit, pause and connect takes root");
    return s;
}
