/* SPDX-License-Identifier: MIT */
/*
 * test_denied.c - an old kernel does not know a system call (ENOSYS), or a sandbox around us
 * refuses it (EPERM): `probe without CALL ERRNO COMMAND...` is both.
 *
 *      whole        the program sees just what it sees otherwise; or it never runs, the status is
 *                   125, and the message names the call
 *      commands     the same for what is done to a container that is there
 *
 * There is nothing in between: no program with a capability, a mount or a descriptor too many.
 */
#include "test.h"
#include <sched.h>
#include <signal.h>
#include <string.h>

static const char *const refusals[] = { "ENOSYS", "EPERM" };

/* How a program stands: capabilities, the filter at work, descriptors, mounts (without their
 * numbers). Last, how many filters there are: one more than otherwise is the test's own. */
#define LOOK \
    "sh -c 'probe caps; probe keyctl; probe bpf; hostname; pwd; ls /proc/self/fd;" \
    " cut -d \" \" -f 4-6 /proc/self/mountinfo; ls /proc/self/ns;" \
    " sed -n \"s/^Seccomp_filters:/filters /p\" /proc/self/status' 7</etc/hosts 8</etc/passwd"

/* What the program may have, and 0, 1 and 2; 3 is the directory that lists them. */
static const char *const sound[] = {
    "CapEff 00000000800405fb\n",
    "CapBnd 00000000800405fb\n",
    "CapInh 0000000000000000\n",
    "NoNewPrivs 1\n",
    "Seccomp 2\n",
    "keyctl: errno EPERM\n",
    "bpf: errno EPERM\n",
    "\n0\n1\n2\n3\n/",
};

/* The other name is that of the step that fails then. */
// clang-format off
static const struct {
    const char *call, *other;
} calls[] = {
    { "capget", NULL }, { "capset", NULL }, { "clone3", NULL }, { "close_range", NULL },
    { "dup3", NULL }, { "execveat", NULL }, { "faccessat2", NULL }, { "fchown", NULL },
    { "fsconfig", NULL }, { "fsmount", NULL }, { "fsopen", NULL }, { "getrandom", NULL },
    { "memfd_create", NULL }, { "mknodat", "move_mount" }, { "mount", NULL },
    { "mount_setattr", NULL }, { "move_mount", NULL }, { "open_tree", NULL },
    { "openat2", NULL }, { "pidfd_getfd", NULL }, { "pidfd_open", NULL },
    { "pidfd_send_signal", NULL }, { "pipe2", NULL }, { "pivot_root", NULL }, { "prctl", NULL },
    { "renameat2", NULL }, { "sendfile", NULL }, { "setgroups", NULL },
    { "sethostname", NULL }, { "setns", NULL }, { "setresgid", NULL }, { "setresuid", NULL },
    { "setsid", NULL }, { "socketpair", NULL }, { "statx", NULL }, { "umount2", NULL },
    { "unshare", NULL },
};
// clang-format on

/* The host's name is not in the picture of the host, so have one that may be spoilt. */
static void have_own_name(void) {
    if (is_root())
        ck_assert_int_eq(unshare(CLONE_NEWUTS), 0);
}

/* The seen, but for the number of filters. */
static char *view(struct result r) {
    char *filters = strstr(r.out, "filters ");
    ck_assert_msg(r.status == 0 && filters, "%s\n  status %d:\n%s%s", r.line, r.status, r.out,
                  r.err);
    return format("%.*s", (int)(filters - r.out), r.out);
}

static void expect_sound(struct result usual) {
    char *seen = view(usual);
    for (int i = 0; i < COUNT(sound); i++)
        ck_assert_msg(strstr(seen, sound[i]) != NULL, "%s\n  has no %s:\n%s", usual.line, sound[i],
                      seen);
}

/* All or nothing. */
static void judge(struct result r, struct result usual, const char *named) {
    if (r.status != 0) {
        expect(r, 125, "", named);
        return;
    }
    expect(r, 0, view(usual), "");
    ck_assert_str_eq(view(r), view(usual));
    ck_assert_int_eq(number(r.out, "filters"), number(usual.out, "filters") + 1);
}

static const char *name_of(int call) {
    return calls[call].other ? calls[call].other : calls[call].call;
}

/* The positive control: the call is really refused, and no other is. */
START_TEST(refuses_one_call) {
    for (enum who who = OURSELVES; who < (enum who)users(); who++) {
        expect(as(who, "$PROBE without unshare EPERM $PROBE unshare user"), 1,
               "unshare: errno EPERM", "");
        expect(as(who, "$PROBE without setns ENOSYS $PROBE setns /proc/self/ns/uts"), 1,
               "errno ENOSYS", "");
        expect(as(who, "$PROBE without setns ENOSYS $PROBE unshare user"), 0, "allowed", "");
    }
}
END_TEST

START_TEST(runs_whole_or_not) {
    static const char run[] = "$CONTAINER run --rm --network none --name $NAME $BASE " LOOK;
    have_own_name();
    for (enum who who = OURSELVES; who < (enum who)users(); who++) {
        struct result usual = as(who, run);
        expect_sound(usual);
        for (int i = 0; i < COUNT(refusals); i++) {
            judge(as(who, "$PROBE without %s %s %s", calls[_i].call, refusals[i], run), usual,
                  name_of(_i));
            expect(as(who, "ls $CONTAINER_HOME/containers"), 0, "", "");
            expect_host_unchanged();
        }
    }
}
END_TEST

/* The container goes on as it was. */
START_TEST(execs_whole_or_not) {
    have_own_name();
    for (enum who who = OURSELVES; who < (enum who)users(); who++) {
        expect(as(who, "$CONTAINER run -d --network none --name $NAME $BASE probe sleep 100"), 0,
               NULL, "");
        struct result usual = as(who, "$CONTAINER exec $NAME " LOOK);
        expect_sound(usual);
        for (int i = 0; i < COUNT(refusals); i++)
            judge(as(who, "$PROBE without %s %s $CONTAINER exec $NAME " LOOK, calls[_i].call,
                     refusals[i]),
                  usual, name_of(_i));
        ck_assert_str_eq(as(who, "$CONTAINER exec $NAME " LOOK).out, usual.out);
        expect(as(who, "$CONTAINER rm -f $NAME"), 0, "", "");
    }
}
END_TEST

/* A terminal comes from inside by pidfd_getfd. */
START_TEST(has_a_terminal_or_not) {
    for (int i = 0; i < COUNT(refusals); i++) {
        struct terminal t = at_terminal(_i, "$PROBE without pidfd_getfd %s $CONTAINER run --rm -t"
                                            " --network none $BASE probe echo",
                                        refusals[i]);
        wait_for(&t, "pidfd_getfd");
        ck_assert_int_eq(finish(&t), 125);
    }
}
END_TEST

/* ---- commands ---- */

/* More than the usual power was asked for, but not all. */
START_TEST(drops_what_was_named) {
    static const char run[] = "$CONTAINER run --rm --network none --privileged --cap-drop ALL"
                              " $BASE probe caps";
    static const char *const powers[] = { "prctl", "capset", "capget", "setgroups", "setresuid" };
    struct result usual = sh(run);
    expect(usual, 0, "CapEff 0000000000000000\nCapBnd 0000000000000000\n", "");
    struct result r = sh("$PROBE without %s %s %s", powers[_i / 2], refusals[_i % 2], run);
    if (r.status == 0)
        expect(r, 0, "CapEff 0000000000000000\nCapBnd 0000000000000000\n", "");
    else
        expect(r, 125, "", powers[_i / 2]);
}
END_TEST

/* What is done to a container, and how it is seen to be done. */
static const struct {
    const char *call, *command, *done;
} commands[] = {
    { "pidfd_send_signal", "kill -s USR1 $NAME", "sleep 0.2; $CONTAINER logs $NAME | grep 10" },
    { "pidfd_open", "kill -s USR1 $NAME", "sleep 0.2; $CONTAINER logs $NAME | grep 10" },
    { "pidfd_send_signal", "stop -t 0 $NAME", "! $CONTAINER exec $NAME true" },
    { "pidfd_open", "stop -t 0 $NAME", "! $CONTAINER exec $NAME true" },
    { "pidfd_open", "rm -f $NAME", "! ls $CONTAINER_HOME/containers/$NAME" },
    { "pidfd_open", "ps", ":" },
    { "setns", "ps", ":" },
};

START_TEST(does_it_or_says_why) {
    const char *call = commands[_i / 2].call;
    expect(sh("$CONTAINER run -d --network none --name $NAME $BASE probe wait-signal"), 0, NULL,
           "");
    expect(sh("until $CONTAINER logs $NAME | grep -q ready; do sleep 0.02; done"), 0, NULL, NULL);
    struct result r = sh("$PROBE without %s %s $CONTAINER %s", call, refusals[_i % 2],
                         commands[_i / 2].command);
    if (r.status == 0)
        expect(sh("%s", commands[_i / 2].done), 0, NULL, NULL);
    else
        expect(r, 125, NULL, call);
    expect(sh("$CONTAINER rm -f $NAME"), 0, "", "");
}
END_TEST

Suite *denied_suite(void) {
    Suite *s = suite_create("denied");
    TCase *t = new_case(s, "whole");
    tcase_add_test(t, refuses_one_call);
    tcase_add_loop_test(t, runs_whole_or_not, 0, COUNT(calls));
    tcase_add_loop_test(t, execs_whole_or_not, 0, COUNT(calls));
    tcase_add_loop_test(t, has_a_terminal_or_not, 0, users());

    t = new_case(s, "commands");
    if (is_root())
        tcase_add_loop_test(t, drops_what_was_named, 0, 5 * COUNT(refusals));
    tcase_add_loop_test(t, does_it_or_says_why, 0, COUNT(commands) * COUNT(refusals));
    return s;
}
