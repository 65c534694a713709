/* SPDX-License-Identifier: MIT */
/*
 * main.c - run all suites.
 *
 *     make test
 *     CK_RUN_SUITE=net make test                one suite; their names are in the table below
 *     LEAVE_OUT='images build' make test        all but these
 *     CK_RUN_CASE=terminal make test            the test cases of that name
 *     CK_VERBOSITY=verbose make test            name the tests that pass, too
 *     SLOWER=4 make test                        wait four times as long before giving up
 *     FEWER=5 make test                         where all steps are tried, only one in five
 */
#include "test.h"
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* $TESTS is laid out like an installed engine: the program finds the other commands beside itself.
 * Everybody may run what is there, and start containers from the image, even if the source tree is
 * in a home directory. The image gets the probe. If root has made the image, an ordinary user
 * cannot copy some of it, such as /root; no test needs that. */
static const char prepare[] =
    "chmod 755 $TESTS; cp -a \"$BASE\" $TESTS/base 2>/dev/null;"
    "mkdir $TESTS/lessons $TESTS/rootfs $TESTS/top && cp -r \"$SOURCE/lessons/tools\" $TESTS/lessons &&"
    "find \"$SOURCE/rootfs\" -maxdepth 1 -type f -exec cp -t $TESTS/rootfs {} + &&"
    "cp \"$PROBE\" $TESTS/base/bin/probe && cp \"$PROBE\" \"$CONTAINER\" $TESTS &&"
    "{ [ -z \"$TINY\" ] || cp -r \"$TINY\" $TESTS/tiny; }";
static const char tidy[] = "cd /; chmod -R u+rwX $TESTS; rm -rf $TESTS";

/* The cgroups of root's containers are at the top of each tree. So that we never meet those of
 * somebody else, a cgroup of our own becomes our top: we enter it, then a cgroup namespace, and
 * mount it in the place of the real top. Version 2 gives limits only to children of a cgroup that
 * has no processes, so there we go one further down. */
#define EACH_TREE \
    "for tree in . unified memory cpu pids; do top=/sys/fs/cgroup/$tree; own=$top/${TESTS##*/};" \
    " [ -e $top/cgroup.procs ] || continue; "
static const char go_down[] = EACH_TREE
    "mkdir $own && echo $PPID >$own/cgroup.procs || exit;"
    "for c in memory cpu pids; do echo +$c >$top/cgroup.subtree_control; done;"
    "done 2>/dev/null; :";
static const char shut_in[] = EACH_TREE
    "mount --bind $own $TESTS/top && umount -l $top && mount --move $TESTS/top $top || exit;"
    "[ $tree = . ] || continue;"
    "mkdir $top/runner && echo $PPID >$top/runner/cgroup.procs || exit; done; :";
static const char remove_cgroups[] = EACH_TREE
    "[ ! -d $own ] || find $own -depth -type d -exec rmdir {} +; done; :";

static const struct {
    const char *name;
    Suite *(*make)(void);
} suites[] = {
    { "container", container_suite },
    { "ns", ns_suite },
    { "fs", fs_suite },
    { "cgroup", cgroup_suite },
    { "net", net_suite },
    { "ports", ports_suite },
    { "life", life_suite },
    { "crash", crash_suite },
    { "denied", denied_suite },
    { "tools", tools_suite },
    { "images", images_suite },
    { "build", build_suite },
    { "oci", oci_suite },
    { "tiny", tiny_suite },
    { "attacks", attacks_suite },
};

/* False: we see the cgroups of others, and they see ours. */
static bool have_own_cgroups(void) {
    return system(go_down) == 0 && unshare(CLONE_NEWNS | CLONE_NEWCGROUP) == 0 &&
           mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 && system(shut_in) == 0;
}

/* The number of tests that have failed. */
static int run_suites(void) {
    const char *leave_out = getenv("LEAVE_OUT");
    runner = getpid();
    if (is_root() && !have_own_cgroups())
        left_out("cgroups of our own", "root may not make any here");
    prctl(PR_SET_CHILD_SUBREAPER, 1); /* see set_up */
    SRunner *all = srunner_create(NULL);
    for (size_t i = 0; i < sizeof suites / sizeof suites[0]; i++) {
        if (strstr(format(" %s ", leave_out ? leave_out : ""), format(" %s ", suites[i].name)))
            left_out(suites[i].name, "LEAVE_OUT");
        else
            srunner_add_suite(all, suites[i].make());
    }
    srunner_run_all(all, CK_SILENT);
    print_attacks();
    srunner_print(all, CK_ENV); /* last, so that a long output ends in what has failed */
    int failed = srunner_ntests_failed(all);
    srunner_free(all);
    kill_descendants(runner, 0);
    while (wait(NULL) > 0)
        ;
    return failed;
}

int main(void) {
    char *tests = format("%s/tests-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    if (!getenv("CONTAINER") || !getenv("PROBE") || !getenv("BASE") || !getenv("SOURCE")) {
        fprintf(stderr, "set CONTAINER, PROBE, BASE and SOURCE, or type: make test\n");
        return 2;
    }
    signal(SIGHUP, SIG_DFL); /* nohup has us ignore it; and no sh could trap it again */
    if (!mkdtemp(tests) || setenv("TESTS", tests, 1) == -1 || system(prepare) != 0) {
        fprintf(stderr, "cannot prepare %s\n", tests);
        return system(tidy) == -1 ? 3 : 2;
    }
    setenv("CONTAINER", format("%s/container", tests), 1);
    setenv("PROBE", format("%s/probe", tests), 1);
    setenv("BASE", format("%s/base", tests), 1);
    setenv("TOOLS", format("%s/lessons/tools", tests), 1);
    setenv("ROOTFS", format("%s/rootfs", tests), 1);
    if (getenv("TINY"))
        setenv("TINY", format("%s/tiny", tests), 1);
    /* Check's own is 4 s, and sh waits for 30 */
    setenv("CK_DEFAULT_TIMEOUT", format("%d", 120 * slower()), 0);
    setvbuf(stdout, NULL, _IOLBF, 0);

    if (fewer() > 1)
        left_out(format("of all steps, calls and rounds, all but one in %d", fewer()), "FEWER");

    int status; /* a child runs the suites, because nobody can leave the namespaces again */
    pid_t child = fork();
    if (child == 0)
        exit(run_suites() ? 1 : 0);
    waitpid(child, &status, 0);
    if ((is_root() && system(remove_cgroups) != 0) || system(tidy) != 0)
        fprintf(stderr, "cannot remove %s\n", tests);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
