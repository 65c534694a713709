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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Everybody may run what is tested, and start containers from the image, even if the source
 * tree is in a home directory. The image gets the probe. When root has made the image, some of
 * it, such as /root, may be closed to us, and is not missed. */
static const char prepare[] =
    "chmod 755 $TESTS; cp -a \"$BASE\" $TESTS/base 2>/dev/null;"
    "cp -r \"$SOURCE/lessons/tools\" $TESTS &&"
    "find \"$SOURCE/rootfs\" -maxdepth 1 -type f -exec cp -t $TESTS/tools {} + &&"
    "cp \"$PROBE\" $TESTS/base/bin/probe && cp \"$PROBE\" \"$CONTAINER\" $TESTS";
static const char tidy[] = "cd /; chmod -R u+rwX $TESTS; rm -rf $TESTS";

/* Version 1 puts the cgroups of a container below its caller's own, so we go one down, and what
 * is below is ours alone. To remove them we go up again. A line of /proc/self/cgroup is
 * NUMBER:CONTROLLERS:PATH; version 2 names no controllers. */
#define EACH_TREE \
    "for line in $(cat /proc/self/cgroup); do line=${line#*:}; tree=${line%%:*};" \
    " dir=/sys/fs/cgroup/$tree${line#*:} name=${TESTS##*/}; [ \"$tree\" ] || continue; "
static const char go_down[] = EACH_TREE
    "mkdir $dir/$name && { echo $PPID >$dir/$name/cgroup.procs || rmdir $dir/$name; };"
    "done 2>/dev/null; :";
static const char thaw[] = EACH_TREE /* in version 1, what is frozen dies only then */
    "for file in $dir/*/freezer.state; do [ ! -e $file ] || echo THAWED >$file; done; done; :";
static const char go_up[] = EACH_TREE
    "[ \"${dir##*/}\" = $name ] || continue;"
    "echo $PPID >$dir/../cgroup.procs; echo $$ >$dir/../cgroup.procs;"
    "find $dir -depth -type d -exec rmdir {} +; done; :";

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
    { "attacks", attacks_suite },
};

int main(void) {
    const char *leave_out = getenv("LEAVE_OUT");
    char *tests = format("%s/tests-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    if (!getenv("CONTAINER") || !getenv("PROBE") || !getenv("BASE") || !getenv("SOURCE")) {
        fprintf(stderr, "set CONTAINER, PROBE, BASE and SOURCE, or type: make test\n");
        return 2;
    }
    if (!mkdtemp(tests) || setenv("TESTS", tests, 1) == -1 || system(prepare) != 0) {
        fprintf(stderr, "cannot prepare %s\n", tests);
        return system(tidy) == -1 ? 3 : 2;
    }
    setenv("CONTAINER", format("%s/container", tests), 1);
    setenv("PROBE", format("%s/probe", tests), 1);
    setenv("BASE", format("%s/base", tests), 1);
    setenv("TOOLS", format("%s/tools", tests), 1);
    /* Check's own is 4 s, and sh waits for 30 */
    setenv("CK_DEFAULT_TIMEOUT", format("%d", 120 * slower()), 0);
    setvbuf(stdout, NULL, _IOLBF, 0);

    if (fewer() > 1)
        left_out(format("of all steps, calls and rounds, all but one in %d", fewer()), "FEWER");

    runner = getpid();
    if (is_root() && system(go_down) != 0)
        return 2;
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
    if (is_root() && system(thaw) != 0)
        fprintf(stderr, "cannot thaw what was left paused\n");
    while (wait(NULL) > 0)
        ;
    if ((is_root() && system(go_up) != 0) || system(tidy) != 0)
        fprintf(stderr, "cannot remove %s\n", tests);
    return failed ? 1 : 0;
}
