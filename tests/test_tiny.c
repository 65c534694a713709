/* SPDX-License-Identifier: MIT */
/*
 * test_tiny.c - the containers of lessons/tiny: 0.c, and one more repair in each that follows.
 *
 *      source       each compiles without a warning, and is little more than the one before
 *      all          what every one of them does
 *      claims       what one repairs: it fails before, and holds from there on
 *
 * The lessons claim these things. A row of `claims` is tried with every program.
 */
#include "test.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LAST 8 /* the number of the last program */

/* Shell text: run program N in the image. Up to 5.c it takes root, true or borrowed. From 3.c on
 * it leaves a directory in TMPDIR; that of 8.c has a name, which is a new one each time. */
static char *tiny(int n, bool root, const char *options) {
    const char *key = n < 6 && !root ? "unshare -Ur " : "";
    const char *directory = n < 8 ? "" : "$(mktemp -u box-XXXXXX)";
    return format("TMPDIR=$T %s$TINY/%d %s %s image", key, n, options, directory);
}

/* What a program writes into its image must hit nobody else's. The ordinary user cannot read all
 * of it, and does not miss the rest. */
static void make_image(enum who who) {
    as(who, "cp -r $BASE image");
    expect(as(who, "ls image/bin/vi image/bin/probe"), 0, "vi", "");
}

/* ---- source ---- */

START_TEST(compiles_without_a_warning) {
    static const char *const compilers[] = { "gcc", "clang" };
    bool tried = false;
    for (int i = 0; i < COUNT(compilers); i++) {
        if (sh("command -v %s", compilers[i]).status != 0) {
            left_out(format("lessons/tiny with %s", compilers[i]), "it is not installed");
            continue;
        }
        expect(sh("for n in $(seq 0 %d); do %s -Wall -Wextra -Wpedantic -Werror -o $T/tiny"
                  "    $SOURCE/lessons/tiny/$n.c || exit; done",
                  LAST, compilers[i]),
               0, "", "");
        tried = true;
    }
    ck_assert(tried);
}
END_TEST

/* Lines of code, as cloc counts them: without comments and empty lines. */
static int lines_of_code(int n) {
    struct result r = sh("sed 's|/[*].*[*]/||; /\\/[*]/,/[*]\\//d; /^ *$/d'"
                         "    $SOURCE/lessons/tiny/%d.c | wc -l",
                         n);
    expect(r, 0, NULL, "");
    return atoi(r.out);
}

START_TEST(grows_by_30_lines_at_most) {
    for (int n = 1; n <= LAST; n++) {
        int more = lines_of_code(n) - lines_of_code(n - 1);
        ck_assert_msg(more <= 30, "%d.c has %d lines of code more than %d.c", n, more, n - 1);
    }
    ck_assert_int_lt(lines_of_code(LAST), 300);
    expect(sh("[ -e $SOURCE/lessons/tiny/%d.c ]", LAST + 1), 1, "", "");
}
END_TEST

/* ---- all ---- */

START_TEST(is_a_container) {
    make_image(_i);
    for (int n = 0; n <= LAST; n++) {
        char *run = tiny(n, false, "");
        expect(as(_i, "%s sh -c 'hostname; exit 7'", run), 7, "tiny\n", "");
        expect(as(_i, "%s sh -c 'kill -9 $$; :'", run), n == 0 ? 0 : 137, "", "");
        expect(as(_i, "%s nosuch", run), 127, "", "nosuch");
        expect(as(_i, "%s sh -c '[ -e /bin/probe ] && ! [ -e '$T' ]'", run), 0, "", "");
        expect(as(_i, "$TINY/%d", n), 125, "", "usage: tiny");
        expect(as(_i, "cd $T/image && mkdir -p image && %s true", run), 125, "", NULL);
        struct result r = as(_i, "%s ps", run);
        expect(r, 0, "  1 ", "");
        ck_assert_ptr_null(strstr(r.out, "tests/run"));
    }
}
END_TEST

/* ---- claims ---- */

/* The line runs in sh, where `tiny` runs the program, and `start` does so in the background: $p is
 * the watcher, $c its child. It prints BEFORE with the programs below SINCE, and AFTER with all
 * others, which get the options. */
static const struct {
    int since;
    bool root; /* it takes true root */
    const char *options, *before, *after, *line;
} claims[] = {
    { 1, false, "", "137\n", "143\n", /* a signal ends it */
      "start sleep 60; kill -TERM $c; gone $c || kill -KILL $c; wait $p; echo $?" },
    { 1, false, "", "2\n", "0\n", /* the dead are reaped */
      ": >image/dev/null; start sh -c '(sleep 0.1 &); (sleep 0.1 &); exec sleep 60';"
      "sleep ${SLOWER:-1}; ps -o stat= --ppid $c | grep -c Z; kill -KILL $c; wait $p" },
    { 2, false, "", "chroot-escape escaped\n", "chroot-escape same\n",
      "tiny probe chroot-escape | tail -n 1" },
    { 2, false, "", "3 file\n", "0 file\n", /* /dev/null swallows, and is not the image's */
      "tiny sh -c 'echo hi >/dev/null' &&"
      "echo $(cat image/dev/null 2>/dev/null | wc -c) file" },
    { 3, false, "", "gone\n", "there\n", /* the image stays as it was, for the next */
      "tiny rm /bin/vi; tiny [ -e /bin/vi ] && echo there || echo gone" },
    { 3, false, "", "leaked\n", "", /* what our caller has open */
      "tiny ls /proc/self/fd/9/ 9</ | grep -qx proc && echo leaked" },
    { 4, true, "-m 32M", "allocated 80\n", "137\n", "tiny probe alloc 80 || echo $?" },
    { 4, true, "-m 320M", "allocated 80\n", "allocated 80\n", "tiny probe alloc 80" },
    { 4, true, "-p 12", "forked 20\n", "EAGAIN\n", "tiny probe fork 20 | sed 's/.*errno //'" },
    { 5, false, "", "host's\n", "own\n",
      "net='readlink /proc/self/ns/net';"
      "[ $(tiny $net) = $($net) ] && echo \"host's\" || echo own" },
    { 5, true, "-n", "", "reached\n", /* from the host, at the address that it has */
      "start sleep 60; ip=$(nsenter -t $c -n ip -o -4 addr show eth0 | awk '{ print $4 }');"
      "ping -c 1 -W 9 ${ip%/*} | grep -q ' 0% packet loss' && echo reached;"
      "kill -KILL $c; wait $p" },
    { 7, false, "", "mounted\n", "refused\n",
      "tiny mount -t tmpfs x /mnt 2>$T/null && echo mounted || echo refused" },
    { 7, true, "", "mknod allowed\n", "mknod: errno EPERM\n",
      "tiny probe mknod /null 1 3 c | grep '^mknod[ :]'" },
    { 7, false, "", "0 0\n", "1 2\n",
      "echo $(tiny grep -E '^(NoNewPrivs|Seccomp):' /proc/self/status | cut -f 2)" },
    { 8, false, "", "lives\n", "gone\n", /* if its watcher is killed */
      "start sleep 60; kill -KILL $p; gone $c && echo gone || echo lives;"
      "kill -KILL $c 2>$T/null" },
};

/* The program is a sleep, and runs when this can be seen. What has ended may be a zombie still. */
static const char helpers[] =
    "tiny() { eval \"$tiny \\\"\\$@\\\"\"; };"
    "start() { eval \"$tiny \\\"\\$@\\\" & p=\\$!\";"
    "    until c=$(pgrep -P $p) && pgrep -P $p,$c sleep >$T/null; do sleep 0.02; done; };"
    "gone() { for i in $(seq 100); do"
    "    case $(ps -o stat= -p $1) in '' | Z*) return;; esac; sleep 0.03; done; return 1; };";

START_TEST(claim_holds) {
    enum who who = _i % users();
    int i = _i / users();
    if (claims[i].root && (who == ORDINARY_USER || !is_root()))
        return;
    make_image(who);
    for (int n = 0; n <= LAST; n++) {
        bool repaired = n >= claims[i].since;
        char *run = tiny(n, claims[i].root, repaired ? claims[i].options : "");
        struct result r = as(who, "tiny='%s'; %s%s", run, helpers, claims[i].line);
        const char *expected = repaired ? claims[i].after : claims[i].before;
        ck_assert_msg(!strcmp(r.out, expected), "%d.c: %s\nprinted:\n%s%s\nexpected:\n%s", n,
                      claims[i].line, r.out, r.err, expected);
        if (n < 3) /* these write into it */
            expect(as(who, "rm -r image/dev image/bin && cp -r $BASE/dev $BASE/bin image"),
                   0, "", NULL);
    }
}
END_TEST

START_TEST(a_user_needs_no_key) {
    enum who who = is_root() ? ORDINARY_USER : OURSELVES;
    make_image(who);
    for (int n = 0; n <= LAST; n++) {
        struct result r = as(who, "%s sh -c 'id -u; touch /file'", tiny(n, true, ""));
        if (n < 6)
            expect(r, 125, "", "clone");
        else
            expect(r, 0, "0\n", "");
    }
    expect(as(who, "[ $(stat -c %%u box-*/upper/file) = $(id -u) ]"), 0, "", "");
}
END_TEST

/* Its /dev is a link to a directory of the host. */
START_TEST(a_hostile_image_hits_nobody) {
    make_image(_i);
    expect(as(_i, "mkdir host && rm -r image/dev && ln -s $T/host image/dev"), 0, "", "");
    expect(as(_i, "mkdir -p image/$T/host"), 0, "", "");
    for (int n = 2; n <= LAST; n++)
        expect(as(_i, "%s true", tiny(n, false, "")), 125, "", "move_mount");
    expect(as(_i, "ls host"), 0, "", "");
}
END_TEST

/* ---- the life of 8.c ---- */

#define TINY8 "$TINY/8 box image "

/* In the background, until its program runs: a child of init, whose pid is a fact. */
#define START \
    TINY8 "%s & p=$!;" \
          "until [ -s box/pid ] && pgrep -P $(cat box/pid) >box/null; do sleep 0.02; done;"

START_TEST(goes_on_with_what_it_has_written) {
    int value = random_between(1, 1 << 30);
    make_image(_i);
    expect(as(_i, TINY8 "sh -c 'echo %d >/note; exit 7'", value), 7, "", "");
    expect(as(_i, "cat box/exit"), 0, "7  \n", "");
    expect(as(_i, TINY8 "cat /note"), 0, format("%d\n", value), "");
    expect(as(_i, "[ ! -e image/note ]"), 0, "", "");
}
END_TEST

START_TEST(stop_ends_it) {
    make_image(_i);
    expect(as(_i, START "$TINY/8 stop box; wait $p; echo $?; cat box/exit", "sleep 60"), 0,
           "143\n143\n", "");
    expect(as(_i, "$TINY/8 stop box"), 0, "", ""); /* once more is not an error */
    expect(as(_i, "$TINY/8 stop nosuch"), 125, "", "No such file");
}
END_TEST

START_TEST(stop_kills_what_does_not_listen) {
    make_image(_i);
    expect(as(_i, START "$TINY/8 stop box; wait $p; echo $?; cat box/exit",
              "sh -c 'trap : TERM; sleep 60; sleep 60; sleep 60'"),
           0, "137\n137\n", NULL);
}
END_TEST

START_TEST(one_directory_is_one_container) {
    make_image(_i);
    expect(as(_i, START TINY8 "true; echo $?; kill -KILL $p; wait $p; cat box/exit; " TINY8 "true",
              "sleep 60"),
           0, "125\n137\n", "Resource temporarily unavailable");
    expect(as(_i, "cat box/exit"), 0, "0  \n", "");
}
END_TEST

/* ---- cgroups ---- */

static void expect_no_cgroups(void) {
    expect(sh("find /sys/fs/cgroup -name 'tiny-*' 2>$T/null || :"), 0, "", "");
}

START_TEST(leaves_no_cgroup) {
    make_image(OURSELVES);
    for (int n = 4; n <= LAST; n++) {
        expect(sh("%s true", tiny(n, true, "-m 32M -p 12")), 0, "", "");
        expect_no_cgroups();
    }
    expect(sh("%s true", tiny(8, true, "-m lots")), 125, "", "Invalid argument");
    expect_no_cgroups();
}
END_TEST

Suite *tiny_suite(void) {
    Suite *s = suite_create("tiny");
    if (!getenv("TINY")) {
        left_out("lessons/tiny", "TINY is not set");
        return s;
    }
    TCase *t = new_case(s, "source");
    tcase_add_test(t, compiles_without_a_warning);
    tcase_add_test(t, grows_by_30_lines_at_most);
    t = new_case(s, "all");
    tcase_add_loop_test(t, is_a_container, 0, users());
    t = new_case(s, "claims");
    tcase_add_loop_test(t, claim_holds, 0, COUNT(claims) * users());
    tcase_add_loop_test(t, a_hostile_image_hits_nobody, 0, users());
    if (!is_root() || users() == 2)
        tcase_add_test(t, a_user_needs_no_key);
    t = new_case(s, "life");
    tcase_add_loop_test(t, goes_on_with_what_it_has_written, 0, users());
    tcase_add_loop_test(t, stop_ends_it, 0, users());
    tcase_add_test(t, stop_kills_what_does_not_listen);
    tcase_add_loop_test(t, one_directory_is_one_container, 0, users());
    if (is_root())
        tcase_add_test(t, leaves_no_cgroup);
    else
        left_out("limits, cables and devices of lessons/tiny", "they take root");
    return s;
}
