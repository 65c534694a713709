/* SPDX-License-Identifier: MIT */
/*
 * test_denied.c - an old kernel does not know a system call (ENOSYS), or a sandbox around us
 * refuses it (EPERM): `probe without CALL ERRNO COMMAND...` is both.
 *
 *      whole        the program sees just what it sees otherwise; or it never runs, the status is
 *                   125, and the message names the call
 *      commands     the same for what is done to a container that exists
 *      once         of all the calls that the engine makes, one fails
 *
 * There is nothing in between: no program with a capability, a mount or a descriptor too many.
 */
#include "test.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

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
    { "dup3", NULL }, { "execveat", NULL }, { "faccessat2", "IMAGE" }, { "fchown", NULL },
    { "flock", NULL }, { "fsconfig", NULL }, { "fsmount", NULL }, { "fsopen", NULL }, { "getrandom", NULL },
    { "memfd_create", NULL }, { "mknodat", "move_mount" }, { "mount", NULL },
    { "mount_setattr", NULL }, { "move_mount", NULL }, { "open_tree", NULL },
    { "openat2", NULL }, { "pidfd_getfd", NULL }, { "pidfd_open", NULL },
    { "pidfd_send_signal", NULL }, { "pipe2", NULL }, { "pivot_root", NULL }, { "prctl", NULL },
    { "renameat2", NULL }, { "sendfile", NULL }, { "setgroups", NULL },
    { "sethostname", NULL }, { "setns", NULL }, { "setresgid", "--user 0" }, { "setresuid", "--user 0" },
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
        expect(as(who, "$CONTAINER rm -f $NAME"), 0, NULL, "");
    }
}
END_TEST

/* With -t everything is done otherwise that has to do with input and output. */
START_TEST(has_a_terminal_or_not) {
    for (int i = 0; i < 2 * COUNT(refusals); i++) {
        enum who who = i < 2 ? OURSELVES : ORDINARY_USER;
        if ((int)who >= users())
            break;
        struct terminal t = at_terminal(who, "$PROBE without %s %s $CONTAINER run --rm -t"
                                             " --network none $BASE sh -c '%s'; echo status $?",
                                        calls[_i].call, refusals[i % 2],
                                        "test -t 0 && test -t 1 && test -t 2 && exit 7");
        wait_for(&t, "status ");
        ck_assert_int_eq(finish(&t), 0);
        bool whole = strstr(t.seen, "status 7\r\n");
        bool refused = strstr(t.seen, "status 125\r\n") && strstr(t.seen, name_of(_i));
        ck_assert_msg(whole || refused, "%s\n%s", t.line, t.seen);
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
        expect(r, 125, "", _i / 2 < 4 ? powers[_i / 2] : "--user 0"); /* setresuid is for that */
}
END_TEST

/* What is done to a container, and how it is seen to be done. */
static const struct {
    const char *call, *command, *done;
} commands[] = {
    { "flock", "kill -s USR1 $NAME", "sleep 0.2; $CONTAINER logs $NAME | grep 10" },
    { "pidfd_open", "kill -s USR1 $NAME", "sleep 0.2; $CONTAINER logs $NAME | grep 10" },
    { "flock", "stop -t 0 $NAME", "! $CONTAINER exec $NAME true" },
    { "pidfd_open", "stop -t 0 $NAME", "! $CONTAINER exec $NAME true" },
    { "flock", "rm -f $NAME", "! ls $CONTAINER_HOME/containers/$NAME" },
    { "pidfd_open", "rm -f $NAME", "! ls $CONTAINER_HOME/containers/$NAME" },
    { "pidfd_open", "start $NAME", "$CONTAINER exec $NAME true" },
    { "flock", "ps", ":" },
    { "pidfd_open", "ps", ":" },
    { "setns", "ps", ":" },
};

/* Nothing is only half done: what says that it was not done has left the container alone, or can
 * be repeated. */
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
    expect(sh("$CONTAINER rm -f $NAME"), 0, NULL, "");
}
END_TEST

/* ---- once ---- */

/* Calls that may fail at any time: the machine has too little memory, too many files open, a
 * broken disk. Without those that only clean up, or wait. */
static const int mortal[] = {
    SYS_openat,
    SYS_mkdirat,
    SYS_mknodat,
    SYS_symlinkat,
    SYS_renameat2,
    SYS_fchmodat,
    SYS_fchownat,
    SYS_fchown,
    SYS_chdir,
    SYS_fchdir,
    SYS_getcwd,
    SYS_dup,
    SYS_dup3,
    SYS_pipe2,
    SYS_fcntl,
    SYS_ioctl,
    SYS_flock,
    SYS_socket,
    SYS_socketpair,
    SYS_bind,
    SYS_listen,
    SYS_clone,
    SYS_clone3,
    SYS_unshare,
    SYS_setns,
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_open_tree,
    SYS_move_mount,
    SYS_mount_setattr,
    SYS_fsopen,
    SYS_fsconfig,
    SYS_fsmount,
    SYS_memfd_create,
    SYS_sendfile,
    SYS_execveat,
    SYS_prctl,
    SYS_capget,
    SYS_capset,
    SYS_setgroups,
    SYS_setresuid,
    SYS_setresgid,
    SYS_sethostname,
    SYS_setsid,
    SYS_pidfd_open,
    SYS_close_range,
    SYS_lseek,
    SYS_ftruncate,
    SYS_statfs,
    SYS_fstatfs,
#ifdef __x86_64__ /* and their older kin, which arm64 has not */
    SYS_open,
    SYS_mkdir,
    SYS_mknod,
    SYS_symlink,
    SYS_rename,
    SYS_chmod,
    SYS_chown,
    SYS_dup2,
    SYS_pipe,
    SYS_fork,
    SYS_vfork,
#endif
};

/* From now on all these calls of ours, and of those that we start, wait for somebody to say how
 * they end: whoever holds the descriptor that is returned; seccomp_unotify(2). */
static int ask_for_all(void) {
    struct sock_filter code[COUNT(mortal) + 3] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    };
    for (int i = 0; i < COUNT(mortal); i++)
        code[i + 1] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_K | BPF_JEQ, (unsigned)mortal[i],
                                                   COUNT(mortal) - i, 0);
    code[COUNT(mortal) + 1] = (struct sock_filter)BPF_STMT(BPF_RET, SECCOMP_RET_ALLOW);
    code[COUNT(mortal) + 2] = (struct sock_filter)BPF_STMT(BPF_RET, SECCOMP_RET_USER_NOTIF);
    struct sock_fprog program = { COUNT(code), code };
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
                        &program);
}

/* An engine whose calls ask us. What it says goes to $T/said. */
struct engine {
    pid_t pid;
    int asks; /* the descriptor */
};

static struct engine launch(enum who who, char *const *arguments) {
    int number, to_us[2], to_it[2];
    ck_assert_int_eq(pipe2(to_us, O_CLOEXEC) | pipe2(to_it, O_CLOEXEC), 0);
    struct engine e = { .pid = fork() };
    ck_assert_int_ne(e.pid, -1);
    if (e.pid == 0) {
        const char *t = getenv("T"), *program = getenv("CONTAINER");
        int said = open(format("%s/said", t), O_WRONLY | O_CREAT | O_TRUNC, 0644);
        dup2(open("/dev/null", O_RDONLY), 0);
        dup2(said, 1);
        dup2(said, 2);
        if (who == ORDINARY_USER && is_root()) {
            setenv("CONTAINER_HOME", format("%s/../user/state", t), 1);
            if (setgroups(0, NULL) == -1 || setresgid(65534, 65534, 65534) == -1 ||
                setresuid(65534, 65534, 65534) == -1)
                _exit(124);
            prctl(PR_SET_DUMPABLE, 1); /* for pidfd_getfd */
        }
        number = ask_for_all();
        if (write(to_us[1], &number, sizeof number) == sizeof number &&
            read(to_it[0], &number, 1) == 1 && program)
            execv(program, arguments);
        _exit(124);
    }
    ck_assert_int_eq(read(to_us[0], &number, sizeof number), sizeof number);
    int pidfd = (int)syscall(SYS_pidfd_open, e.pid, 0);
    e.asks = (int)syscall(SYS_pidfd_getfd, pidfd, number, 0);
    ck_assert_msg(e.asks != -1, "no listener: %s", strerror(errno));
    ck_assert_int_eq(write(to_it[1], "", 1), 1);
    int done[] = { to_us[0], to_us[1], to_it[0], to_it[1], pidfd };
    for (int i = 0; i < COUNT(done); i++) close(done[i]);
    return e;
}

/* Let the call number N fail with ERROR, and all others go on; until nobody asks any more. Returns
 * which call that was, or -1: there were not so many. For older kernels (6.1) a zombie still may
 * ask, so the engine is reaped here: STATUS. */
static int fail_once(struct engine *e, int n, int error, int *status) {
    struct pollfd p = { .fd = e->asks, .events = POLLIN };
    int failed = -1;
    const int nth = n;
    double end = seconds() + 20 * slower();
    bool ended = false;
    while (poll(&p, 1, 100) >= 0 && !(p.revents & POLLHUP)) {
        struct seccomp_notif asked = { 0 };
        ended = ended || waitpid(e->pid, status, WNOHANG) == e->pid;
        ck_assert_msg(seconds() < end, "call %d, of the kind %d, has failed, and now all wait", nth,
                      failed);
        if (!(p.revents & POLLIN) || ioctl(e->asks, SECCOMP_IOCTL_NOTIF_RECV, &asked) == -1)
            continue;
        struct seccomp_notif_resp answer = { .id = asked.id,
                                             .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE };
        if (n-- == 0) {
            failed = asked.data.nr;
            answer.error = -error;
            answer.flags = 0;
        }
        ioctl(e->asks, SECCOMP_IOCTL_NOTIF_SEND, &answer); /* it may have been killed meanwhile */
    }
    ck_assert(ended || waitpid(e->pid, status, 0) == e->pid);
    close(e->asks);
    return failed;
}

enum { PARTS = 4 }; /* all calls, but for so many tests: each has its part of them */

/* Either all is well, because the call does not matter; or there is a message, and nothing was
 * made. */
static void fail_at_every_call(enum who who, const char *network, int part) {
    static const int errors[] = { EIO, ENOMEM, EMFILE, EPERM };
    int step = PARTS * fewer(), failed = 0;
    for (int n = part * fewer() + random_between(0, fewer() - 1); failed != -1; n += step) {
        char *arguments[] = { "container", "run", "--name", getenv("NAME"), "--network",
                              (char *)network, getenv("BASE"), "probe", "exit", "7", NULL };
        int error = errors[random_between(0, COUNT(errors) - 1)], status;
        struct engine e = launch(who, arguments);
        failed = fail_once(&e, n, error, &status);
        status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        struct result said = sh("cat $T/said");
        if (strstr(said.out, "loading shared libraries"))
            continue; /* it was not the engine that failed */
        const char *about = format("call %d of the kind %d fails with %s: status %d\n%s", n, failed,
                                   strerror(error), status, said.out);
        ck_assert_msg(status == 7 || (status == 125 && *said.out), "%s", about);
        struct result made = as(who, "ls -A $CONTAINER_HOME/containers 2>/dev/null");
        ck_assert_msg(status == 7 || !*made.out, "%s%s", about, made.out);
        expect(as(who, "[ ! -e $CONTAINER_HOME/containers/$NAME ] || $CONTAINER rm -f $NAME"), 0,
               NULL, "");
        expect_host_unchanged();
    }
}

START_TEST(may_fail_once) {
    fail_at_every_call(OURSELVES, "none", _i);
}
END_TEST

START_TEST(may_fail_once_on_the_bridge) {
    expect(sh("$CONTAINER run --rm $BASE true"), 0, "", NULL); /* now there is a bridge */
    fail_at_every_call(OURSELVES, "bridge", _i);
}
END_TEST

START_TEST(may_fail_once_rootless) {
    fail_at_every_call(ORDINARY_USER, "none", _i);
}
END_TEST

Suite *denied_suite(void) {
    Suite *s = suite_create("denied");
    TCase *t = new_case(s, "whole");
    tcase_add_test(t, refuses_one_call);
    tcase_add_loop_test(t, runs_whole_or_not, 0, COUNT(calls));
    tcase_add_loop_test(t, execs_whole_or_not, 0, COUNT(calls));
    tcase_add_loop_test(t, has_a_terminal_or_not, 0, COUNT(calls));

    t = new_case(s, "commands");
    if (is_root())
        tcase_add_loop_test(t, drops_what_was_named, 0, 5 * COUNT(refusals));
    tcase_add_loop_test(t, does_it_or_says_why, 0, COUNT(commands) * COUNT(refusals));

    t = new_case(s, "once");
    if (getenv("ASAN_OPTIONS")) {
        left_out("one call that fails", "sanitizers make calls of their own");
        return s;
    }
    tcase_add_loop_test(t, may_fail_once, 0, PARTS);
    if (is_root())
        tcase_add_loop_test(t, may_fail_once_on_the_bridge, 0, PARTS);
    tcase_add_loop_test(t, may_fail_once_rootless, 0, users() == 2 ? PARTS : 0);
    return s;
}
