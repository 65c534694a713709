/* SPDX-License-Identifier: MIT */
/*
 * test_oci.c - the command line of runc, as other engines use it: lessons/tools/oci.
 *
 *      life         create, start, state, kill, delete; exit statuses; list
 *      config       what config.json asks for: process, mounts, namespaces, limits, hooks
 *      errors       what clients read when something is wrong
 *      crash        clients that are killed at any moment, and what delete -f repairs
 *      clients      podman and containerd's ctr, if they are installed
 *
 * Needs root, jq and bash. A bundle is $T/b; settings are changes of its config.json, by jq.
 */
#include "test.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OCI "$TOOLS/oci --root $T/oci --log $T/log --log-format json "
#define CREATE OCI "create -b $T/b --pid-file $T/pid $NAME"

static const char config[] =
    "{ \"ociVersion\": \"1.0.2\", \"hostname\": \"boxed\", \"root\": { \"path\": \"rootfs\" },"
    "  \"process\": { \"cwd\": \"/\", \"args\": [], \"env\": [\"PATH=/bin:/sbin:/usr/bin\"], \"user\": { \"uid\": 0, \"gid\": 0 },"
    "    \"noNewPrivileges\": true, \"capabilities\": { \"bounding\": [\"CAP_KILL\", \"CAP_CHOWN\"] } },"
    "  \"mounts\": [{ \"destination\": \"/proc\", \"type\": \"proc\", \"source\": \"proc\" },"
    "    { \"destination\": \"/sys/fs/cgroup\", \"type\": \"cgroup\", \"source\": \"cgroup\", \"options\": [\"ro\"] }],"
    "  \"linux\": { \"maskedPaths\": [\"/proc/kcore\"], \"namespaces\": [{ \"type\": \"pid\" }, { \"type\": \"network\" },"
    "    { \"type\": \"ipc\" }, { \"type\": \"uts\" }, { \"type\": \"mount\" }] } }";

/* Make the bundle, whose program is sh -c PROGRAM, and apply CHANGE, a filter of jq. */
static void bundle(const char *program, const char *change) {
    setenv("CONFIG", config, 1);
    setenv("PROGRAM", program, 1);
    setenv("CHANGE", format(".process.args = [\"sh\", \"-c\", $program] | %s", change), 1);
    expect(sh("mkdir -p b && { [ -e b/rootfs ] || cp -a $BASE b/rootfs; } && printf %%s \"$CONFIG\" |"
              "jq --arg program \"$PROGRAM\" \"$CHANGE\" >b/config.json"),
           0, "", "");
}

static void expect_status(const char *status) {
    expect(sh(OCI "state $NAME | jq -r .status"), 0, format("%s\n", status), "");
}

/* Nothing of it is left: no directory, no cgroup. (Processes and mounts are tear_down's.) */
static void expect_nothing_left(void) {
    expect_exactly(sh("[ ! -d $T/oci ] || ls $T/oci; find /sys/fs/cgroup -name \"oci-$NAME\" 2>/dev/null"), "");
}

/* ---- life ---- */

START_TEST(lives) {
    bundle("echo ran; trap 'exit 7' TERM; echo here >/made; while :; do sleep 0.05; done", ".");
    expect(sh(CREATE " >out"), 0, "", "");
    expect_status("created");
    expect_exactly(sh("cat out; ls b/rootfs/made 2>/dev/null; [ $(cat pid) = $(" OCI "state $NAME | jq .pid) ] && echo same"),
                   "same\n");
    expect(sh(OCI "start $NAME"), 0, "", "");
    expect_status("running");
    until(OURSELVES, "[ -e b/rootfs/made ]");
    expect(sh(OCI "start $NAME"), 1, "", "cannot start");
    expect(sh(OCI "delete $NAME"), 1, "", "cannot delete");
    expect(sh(OCI "list --format json | jq -r '.[] | .id + .status'"), 0, format("%srunning\n", getenv("NAME")), "");
    expect(sh(OCI "pause $NAME"), 0, "", "");
    expect_status("paused");
    expect(sh(OCI "resume $NAME; " OCI "kill $NAME TERM"), 0, "", "");
    until(OURSELVES, "[ $(" OCI "state $NAME | jq -r .status) = stopped ]");
    expect(sh(OCI "kill $NAME 9"), 1, "", "not running");
    expect(sh(OCI "delete $NAME"), 0, "", "");
    expect(sh(OCI "state $NAME"), 1, "", "does not exist");
    expect_exactly(sh("cat out"), "ran\n");
    expect_nothing_left();
}
END_TEST

static const struct {
    const char *change;
    int status;
} ends[] = {
    { ".process.args = [\"true\"]", 0 },
    { ".process.args = [\"sh\", \"-c\", \"exit 3\"]", 3 },
    { ".process.args = [\"/etc/passwd\"]", 126 },
    { ".process.args = [\"nosuch\"]", 127 },
    { ".process.args = [\"sh\", \"-c\", \"kill -9 $$\"]", 137 },
};

START_TEST(ends_with_the_programs_status) {
    bundle("", ends[_i].change);
    expect(sh(OCI "run -b b $NAME"), ends[_i].status, "", NULL);
    expect_nothing_left();
}
END_TEST

START_TEST(run_passes_signals_on) {
    bundle("trap 'exit 9' TERM; echo >/ready; while :; do sleep 0.05; done", ".");
    expect(sh(OCI "run -b b $NAME & until [ -e b/rootfs/ready ]; do sleep 0.02; done; kill $!; wait $!"), 9, "", "");
    expect_nothing_left();
}
END_TEST

/* Each has the exit status that its client waits for. */
START_TEST(exec_is_one_more_program) {
    bundle("sleep 60", ".process.env += [\"ONE=1\"]");
    expect(sh(CREATE " && " OCI "start $NAME"), 0, "", "");
    expect(sh("jq '.process | .args[2] = \"cat; pwd; echo $ONE$TWO; id -u; hostname; exit 5\" | .env += [\"TWO=2\"] |"
              ".cwd = \"/tmp\" | .user = { uid: 1000, gid: 1000 }' b/config.json >p; echo in | " OCI "exec --process p $NAME"),
           5, "in\n/tmp\n12\n1000\nboxed\n", "");
    expect(sh("jq '.args = [\"sleep\", \"50\"]' p >q; " OCI "exec --detach --process q --pid-file epid $NAME;"
              "readlink /proc/$(cat epid)/ns/net /proc/$(cat pid)/ns/net | uniq | wc -l"),
           0, "1\n", "");
    expect(sh("jq '.args = [\"nosuch\"]' p >q; " OCI "exec --process q $NAME"), 127, "", "nosuch");
    expect(sh(OCI "ps $NAME | jq length"), 0, NULL, "");
    expect(sh(OCI "delete -f $NAME; " OCI "exec --process q $NAME"), 1, "", "does not exist");
    expect_nothing_left();
}
END_TEST

/* The client listens at a socket, gets one end of a terminal, and reads there to the end. */
static const char client[] =
    "import os, socket, sys\n"
    "s = socket.socket(socket.AF_UNIX)\n"
    "s.bind(sys.argv[1]); s.listen()\n"
    "terminal = socket.recv_fds(s.accept()[0], 99, 1)[1][0]\n"
    "try:\n"
    "    while True: os.write(1, os.read(terminal, 999))\n"
    "except OSError: pass\n";

START_TEST(gives_the_client_a_terminal) {
    setenv("CLIENT", client, 1);
    bundle("tty; sleep 60", ".process.terminal = true");
    expect(sh("python3 -c \"$CLIENT\" one >1 & until [ -S one ]; do sleep 0.02; done;"
              "timeout 20 " OCI "create -b b --console-socket one $NAME; timeout 20 " OCI "start $NAME; until grep -q pts 1; do sleep 0.02; done; cat 1"),
           0, "/dev/pts/0\r\n", NULL);
    expect(sh("jq '.process | .args = [\"sh\", \"-c\", \"tty; exit 6\"]' b/config.json >p;"
              "python3 -c \"$CLIENT\" two >2 & until [ -S two ]; do sleep 0.02; done;"
              "timeout 20 " OCI "exec --process p --console-socket two $NAME; echo $?; wait; cat 2"),
           0, "6\n/dev/pts/1\r\n", NULL);
    expect(sh(OCI "delete -f $NAME"), 0, "", NULL);
    expect_nothing_left();
}
END_TEST

START_TEST(says_what_it_can) {
    expect(sh("$TOOLS/oci --version"), 0, "spec: 1.0.2\n", "");
    expect(sh("$TOOLS/oci features | jq -r '.hooks | length'"), 0, "6\n", "");
    expect(sh("$CONTAINER oci --version"), 0, "oci version", "");
    expect(sh(OCI "list"), 0, "[]\n", "");
}
END_TEST

/* ---- config ---- */

static const struct {
    const char *change, *program, *out;
} settings[] = {
    { ".", "hostname; pwd; id -u; grep CapBnd /proc/self/status", "boxed\n/\n0\nCapBnd:\t0000000000000021\n" },
    { ".process.cwd = \"/tmp\" | .process.user = { uid: 1000, gid: 7 }", "pwd; id -u; id -g", "/tmp\n1000\n7\n" },
    { ".process.env += [\"A=b c\", \"Q='$x\\n\"]", "echo \"$A$Q\"", "b c'$x\n\n" },
    { ".process.rlimits = [{ type: \"RLIMIT_NOFILE\", soft: 256, hard: 300 }]", "ulimit -n; ulimit -Hn", "256\n300\n" },
    { ".process.oomScoreAdj = 77", "cat /proc/self/oom_score_adj", "77\n" },
    { ".root.readonly = true", "touch /x 2>/dev/null || echo no", "no\n" },
    { ".linux.sysctl = { \"net.ipv4.ip_default_ttl\": \"42\", \"kernel.shm_rmid_forced\": \"1\" }",
      "cat /proc/sys/net/ipv4/ip_default_ttl /proc/sys/kernel/shm_rmid_forced", "42\n1\n" },
    { ".mounts += [{ destination: \"/t\", type: \"tmpfs\", source: \"tmpfs\", options: [\"nosuid\", \"size=64k\", \"rprivate\"] }]",
      "df -k /t | awk 'NR == 2 { print $2 }'", "64\n" },
    { ".mounts += [{ destination: \"/v\", type: \"bind\", source: \"rootfs/etc\", options: [\"rbind\", \"ro\"] }]",
      "touch /v/x 2>/dev/null || ls -d /v/passwd", "/v/passwd\n" },
    { ".mounts += [{ destination: \"/etc/hosts\", type: \"bind\", source: \"config.json\", options: [\"bind\"] }]",
      "grep -c /etc/hosts /proc/mounts; grep -c ociVersion /etc/hosts", "1\n2\n" },
    { ".linux.resources = { memory: { limit: 33554432 }, pids: { limit: 20 }, cpu: { shares: 0 } }",
      "cd /sys/fs/cgroup; [ ! -e cgroup.controllers ] || { echo 33554432; echo 20; exit; }; cat memory/memory.limit_in_bytes pids/pids.max",
      "33554432\n20\n" },
};

START_TEST(does_as_config_says) {
    bundle(settings[_i].program, settings[_i].change);
    expect_exactly(sh(OCI "run -b b $NAME"), settings[_i].out);
    expect_nothing_left();
}
END_TEST

START_TEST(limits_bite) {
    bundle("tail /dev/zero", ".linux.resources = { memory: { limit: 33554432 } }");
    expect(sh(OCI "run -b b $NAME"), 137, "", NULL);
    bundle("sleep 9 & sleep 9 & sleep 9 & sleep 9 & sleep 9", ".linux.resources = { pids: { limit: 8 } }"); /* with the watcher and its threads */
    expect(sh(OCI "run -b b $NAME"), 2, "", "fork");
    expect_nothing_left();
}
END_TEST

/* The client names the cgroup; its processes are there. */
START_TEST(enters_the_clients_cgroup) {
    bundle("sleep 60", format(".linux.cgroupsPath = \"/oci-%s\"", getenv("NAME")));
    expect(sh(CREATE "; grep -c \"/oci-$NAME\" /proc/$(cat pid)/cgroup"), 0, NULL, "");
    expect(sh(OCI "start $NAME; grep -E ':(memory|pids)?:' /proc/$(cat oci/$NAME/box/containers/*/pid)/cgroup | grep -vc \"/oci-$NAME\""),
           1, "0\n", "");
    expect(sh(OCI "delete -f $NAME"), 0, "", "");
    bundle("true", ".linux.cgroupsPath = \"\" | .linux.resources = { memory: { limit: 33554432 } }");
    expect(sh(CREATE "; grep -c \"/oci-$NAME\" /proc/$(cat pid)/cgroup; " OCI "delete $NAME"), 0, NULL, "");
    expect_nothing_left();
}
END_TEST

/* As in a pod: the second has the namespaces of the first, and its host name. */
START_TEST(joins_namespaces) {
    bundle("sleep 60", ".");
    expect(sh(CREATE " && " OCI "start $NAME"), 0, "", "");
    char *pid = sh("printf %%s $(cat pid)").out;
    bundle("for n in net ipc uts; do readlink /proc/self/ns/$n; done; hostname",
           format(".hostname = null | .linux.namespaces |= map(if IN(.type; \"network\", \"ipc\", \"uts\")"
                  " then .path = \"/proc/%s/ns/\\(.type | .[:3])\" else . end)",
                  pid));
    expect_exactly(sh(OCI "run -b b $NAME-2"), format("%sboxed\n", sh("cd /proc/%s/ns; readlink net ipc uts", pid).out));
    bundle("true", format(".linux.namespaces[0].path = \"/proc/%s/ns/pid\"", pid));
    expect(sh(OCI "create -b b $NAME-3"), 1, "", "pid namespace of another container");
    expect(sh(OCI "delete -f $NAME"), 0, "", "");
    expect_nothing_left();
}
END_TEST

static const char hooks[] =
    ".hooks = ([\"prestart\", \"createRuntime\", \"createContainer\", \"poststart\", \"poststop\"] | map({ key: ., value: [{"
    "  path: \"/bin/bash\", env: [\"KIND=\" + .], timeout: 10, args: [\"as-given\", \"-c\","
    "  \"read -r s; t=${s#*status\\\\\\\":\\\\\\\"}; echo $KIND ${t%%%%\\\\\\\"*} $0 >>%s/hooks\", \"as-given\"] }] }) | from_entries) |"
    ".hooks.startContainer = [{ path: \"/bin/sh\", args: [\"sh\", \"-c\", \"grep -c pid >/started\"] }]";

START_TEST(calls_hooks_in_order) {
    bundle("cat /started", format(hooks, getenv("T")));
    expect_exactly(sh(OCI "run -b b $NAME && cat hooks"),
                   "1\nprestart creating as-given\ncreateRuntime creating as-given\ncreateContainer creating as-given\n"
                   "poststart running as-given\npoststop stopped as-given\n");
    expect_nothing_left();
}
END_TEST

START_TEST(a_failing_hook_ends_it) {
    bundle("true", ".hooks.createRuntime = [{ path: \"/bin/false\" }]");
    expect(sh(CREATE), 1, "", "hook /bin/false");
    expect_nothing_left();
}
END_TEST

/* ---- errors ---- */

static const struct {
    const char *line, *says;
} wrong[] = {
    { "start nosuch", "does not exist" },
    { "state nosuch", "does not exist" },
    { "kill nosuch", "does not exist" },
    { "delete nosuch", "does not exist" },
    { "exec nosuch", "does not exist" },
    { "state ..", "expected letters, digits" },
    { "create -b b a/b", "expected letters, digits" },
    { "create -b nosuch x", "config.json: " },
    { "create -b empty x", "config.json" },
    { "create -b bad x", "config.json" },
    { "create -b none x", "no process.args" },
    { "create -b sysctl x", "sysctl kernel.panic" },
    { "create -b mount x", "cannot mount nosuch for /m" },
    { "create --nosuch x", "--nosuch: unknown option" },
    { "create", "no ID" },
    { "nosuch x", "no such command" },
};

/* On standard error for people, in the log for clients; and nothing is left. */
START_TEST(errors_are_in_the_log) {
    bundle("true", ".");
    expect(sh("mkdir empty bad none sysctl mount; echo '{' >bad/config.json; echo '{}' >none/config.json;"
              "ln -s ../b/rootfs sysctl; jq '.linux.sysctl = { \"kernel.panic\": \"1\" }' b/config.json >sysctl/config.json;"
              "ln -s ../b/rootfs mount; jq '.mounts += [{ type: \"nosuch\", destination: \"/m\" }]' b/config.json >mount/config.json"),
           0, "", "");
    expect(sh(OCI "%s", wrong[_i].line), 1, "", wrong[_i].says);
    expect(sh("jq -r 'select(.level == \"error\").msg, (.time | strptime(\"%%Y-%%m-%%dT%%H:%%M:%%SZ\") | length)' log"), 0,
           wrong[_i].says, "");
    expect_nothing_left();
}
END_TEST

START_TEST(one_id_is_one_container) {
    bundle("true", ".");
    expect(sh(CREATE "; " OCI "create -b b $NAME"), 1, "", "exists");
    expect(sh(OCI "delete -f $NAME; " OCI "delete -f $NAME"), 0, "", "");
    expect_nothing_left();
}
END_TEST

/* What is ignored is said. */
START_TEST(warns_of_what_is_ignored) {
    bundle("true", ".process.user.additionalGids = [5] | .linux.devices = [{ path: \"/dev/fuse\" }]");
    expect(sh(OCI "run -b b $NAME; jq -r 'select(.level == \"warning\").msg' log"), 0, "ignored: device /dev/fuse\nignored: group 5\n", "");
}
END_TEST

/* ---- crash ---- */

/* Killed at a random moment of create or start, however far it has come. */
START_TEST(killed_at_any_moment) {
    bundle("sleep 60", ".");
    for (int i = 0; i < 40; i += fewer() < 10 ? 1 : 4) {
        int ms = random_between(1, 250);
        sh("setsid sh -c '" CREATE " && " OCI "start $NAME' & sleep 0.%03d; kill -9 -$!; wait", ms);
        expect(sh(OCI "delete -f $NAME"), 0, "", NULL);
        ck_assert_msg(!*sh("ls $T/oci; find /sys/fs/cgroup -name \"oci-$NAME\" 2>/dev/null").out, "killed after %d ms", ms);
    }
}
END_TEST

/* The client is gone, and another one goes on. */
START_TEST(state_survives_the_client) {
    bundle("sleep 60", ".");
    sh("sh -c '" CREATE "; kill -9 $$'");
    expect_status("created");
    sh("sh -c '" OCI "start $NAME; kill -9 $$'");
    expect_status("running");
    sh("kill -9 $(cat pid)");
    until(OURSELVES, "[ $(" OCI "state $NAME | jq -r .status) = stopped ]");
    expect(sh(OCI "delete $NAME"), 0, "", NULL);
    expect_nothing_left();
}
END_TEST

/* By us, or by somebody who uses the freezer of version 1. */
START_TEST(delete_thaws) {
    bundle("sleep 60", ".");
    expect(sh(CREATE " && " OCI "start $NAME && " OCI "pause $NAME && " OCI "delete -f $NAME"), 0, "", "");
    expect_nothing_left();
    expect(sh(CREATE " && " OCI "start $NAME; f=/sys/fs/cgroup/freezer/oci-$NAME/freezer.state;"
                     "[ ! -e $f ] || echo FROZEN >$f; " OCI "delete -f $NAME"),
           0, "", "");
    expect_nothing_left();
}
END_TEST

/* ---- clients ---- */

/* In a mount namespace of their own, because both keep mounts; and without a network. */
static const char podman[] =
    "mount -t tmpfs t /run; mount -t tmpfs t /dev/shm; mkdir -p p; cd p;"
    "printf '[storage]\\ndriver = \"vfs\"\\ngraphroot = \"%s/root\"\\nrunroot = \"%s/run\"\\n' $PWD $PWD >storage.conf;"
    "printf '[engine]\\ncgroup_manager = \"cgroupfs\"\\nevents_logger = \"none\"\\ntmp_dir = \"%s/tmp\"\\n"
    "[containers]\\nlog_driver = \"k8s-file\"\\ndefault_ulimits = [\"nofile=1024:1024\", \"nproc=1000:1000\"]\\n' $PWD >containers.conf;"
    "export CONTAINERS_CONF=$PWD/containers.conf CONTAINERS_STORAGE_CONF=$PWD/storage.conf;"
    "p() { podman --runtime $TOOLS/oci --runtime-flag=root=$T/oci \"$@\"; };"
    "r='run --network none --cgroup-parent /oci-'$NAME;"
    "tar -C $BASE -c . | p import - base >/dev/null 2>&1 || exit 99;"
    "trap 'find /sys/fs/cgroup -depth -path \"*/oci-$NAME*\" -type d -exec rmdir {} + 2>/dev/null' EXIT;";

START_TEST(podman_runs) {
    setenv("PODMAN", podman, 1);
    struct result r = sh("unshare -m sh -c \"$PODMAN\"'"
                         "p $r --rm base echo hello;"
                         "p $r --rm base sh -c \"exit 3\"; echo $?; p $r --rm base /etc/passwd; echo $?;"
                         "p $r --rm base nosuch; echo $?; p $r --rm base sh -c \"kill -9 \\$\\$\"; echo $?;"
                         "p $r -d --name web base sh -c \"echo logged; sleep 60\" >/dev/null; p exec web sh -c \"exit 5\"; echo $?;"
                         "p stop -t 0 web; p logs web; p rm web;"
                         "p $r --name w base touch /new; p diff w | grep new; p rm -f w' 2>err; cat err >&2");
    expect(r, 0, "hello\n3\n126\n127\n137\n5\nweb\nlogged\n", NULL);
    expect(r, 0, "A /new", NULL);
}
END_TEST

START_TEST(ctr_runs) {
    struct result r = sh("cp -a $BASE tree; unshare -m sh -c 'mount -t tmpfs t /run; containerd --root $T/c/root --state $T/c/state"
                         "  --address $T/c/sock >$T/c.log 2>&1 & daemon=$!; c() { ctr -a $T/c/sock \"$@\"; };"
                         "until c version >/dev/null 2>&1; do sleep 0.1; done;"
                         "r=\"run --runc-binary $TOOLS/oci --rootfs\";"
                         "c $r --rm $T/tree $NAME-1 echo hello; c $r --rm $T/tree $NAME-2 sh -c \"exit 3\"; echo $?;"
                         "c $r -d $T/tree $NAME-3 sleep 60; c task ls | grep -c RUNNING;"
                         "c task exec --exec-id e $NAME-3 sh -c \"exit 5\"; echo $?;"
                         "c task kill -s 9 $NAME-3; until c task delete $NAME-3 >/dev/null 2>&1; do sleep 0.1; done; c container delete $NAME-3;"
                         "kill $daemon; wait' 2>err; cat err >&2");
    sh("find /sys/fs/cgroup -depth -path \"*/default/$NAME*\" -type d -exec rmdir {} + 2>/dev/null; rmdir /sys/fs/cgroup/*/default");
    expect(r, 0, "hello\n3\n1\n5\n", NULL);
}
END_TEST

Suite *oci_suite(void) {
    Suite *s = suite_create("oci");
    if (!is_root() || system("(command -v jq && command -v bash) >/dev/null") != 0) {
        left_out("the command line of runc", "it needs root, jq and bash");
        return s;
    }
    TCase *t = new_case(s, "life");
    tcase_add_test(t, lives);
    tcase_add_loop_test(t, ends_with_the_programs_status, 0, COUNT(ends));
    tcase_add_test(t, run_passes_signals_on);
    tcase_add_test(t, exec_is_one_more_program);
    tcase_add_test(t, says_what_it_can);
    if (system("python3 -c 'import os; os.login_tty' 2>/dev/null") == 0)
        tcase_add_test(t, gives_the_client_a_terminal);
    else
        left_out("terminals of clients of the runtime", "it needs Python 3.11");

    t = new_case(s, "config");
    tcase_add_loop_test(t, does_as_config_says, 0, COUNT(settings));
    tcase_add_test(t, limits_bite);
    tcase_add_test(t, enters_the_clients_cgroup);
    tcase_add_test(t, joins_namespaces);
    tcase_add_test(t, calls_hooks_in_order);
    tcase_add_test(t, a_failing_hook_ends_it);

    t = new_case(s, "errors");
    tcase_add_loop_test(t, errors_are_in_the_log, 0, COUNT(wrong));
    tcase_add_test(t, one_id_is_one_container);
    tcase_add_test(t, warns_of_what_is_ignored);

    t = new_case(s, "crash");
    tcase_add_test(t, killed_at_any_moment);
    tcase_add_test(t, state_survives_the_client);
    tcase_add_test(t, delete_thaws);

    t = new_case(s, "clients");
    if (system("command -v podman >/dev/null") == 0) tcase_add_test(t, podman_runs);
    else left_out("podman with our runtime", "podman is not installed");
    if (system("command -v ctr containerd >/dev/null") == 0) tcase_add_test(t, ctr_runs);
    else left_out("ctr with our runtime", "containerd is not installed");
    return s;
}
