/* SPDX-License-Identifier: MIT */
/*
 * test_attacks.c - known ways out of a container, each tried for real.
 *
 *      root        as root, with the options that one has without any
 *      rootless    as an ordinary user
 *      exec        by a second program, which has been let in; both users
 *      oracle      the defence is off: here the same attempt must succeed
 *      -           not tried: it has no meaning there, or needs root
 *
 * A line of the table is one attempt. What it prints is judged line by line: SAFE, RISK, or
 * ERROR for what nobody expected, as another errno. Where the kernel itself refuses even with
 * the defence off the verdict is KERNEL, and a reason must be given. After each attempt the
 * host must be as it was. Read struct attempt, then judge, then the test.
 */
#include "test.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <regex.h>
#include <unistd.h>

/* ---- the table ---- */

enum mode { ROOT,
            ROOTLESS,
            EXEC,
            ORACLE,
            MODES };
enum verdict { NONE,
               KERNEL,
               SAFE,
               ERROR,
               RISK };
enum { NO_ROOT = 1 << ROOT,
       NO_USER = 1 << ROOTLESS,
       NO_EXEC = 1 << EXEC }; /* left out */

/* A script runs in an empty directory, and finds in its environment
 *      GO      the command and its options: $CONTAINER run --rm ..., or exec
 *      IN      where: the image, or the container's name
 *      MODE    run or exec
 * The three patterns, regex(7), are for whole lines. What is safe is asked first. */
struct attempt {
    const char *attack; /* its name in the table; NULL: as before */
    const char *probe; /* what is run inside, or */
    const char *script; /* the whole of it */
    const char *safe, *risk;
    const char *off; /* options without which there is no defence, or */
    const char *oracle; /* a script that is run by root, on the host */
    const char *kernel, *reason; /* what the kernel itself says, and why */
    bool kernel_root; /* to root, too */
    const char *options; /* for every container of this attempt */
    const char *image; /* "./image": what it is made of, by a script */
    const char *before, *after; /* root, on the host */
    int without; /* modes */
    bool terminal;
};

#define ALLOWED "[a-z0-9_-]+ allowed"
#define EPERM_IS_SAFE .safe = "[a-z0-9_-]+: errno EPERM", .risk = ALLOWED
#define HOST_ONLY .kernel = "[a-z0-9_-]+: errno (EPERM|EACCES)", \
                  .reason = "only for root of the first user namespace"
#define UNTOUCHED .safe = "untouched", .risk = "touched"
#define CANARY "mkdir canary; "
#define LOOK "[ -z \"$(ls -A canary)\" ] && echo untouched || echo touched"

/* With a run that may also end with a clear refusal. */
#define ENDS " >out 2>&1; case $? in 0) ;; 125) grep -q '^container: ' out || echo unclear;;" \
             " *) echo status $?; cat out;; esac; "

/* Say which of some values is taken, where it should not be. */
#define EACH(values, command) \
    "big=$(head -c 70000 /dev/zero | tr '\\0' a); n64=$(printf %064d 0);" \
    "for v in " values "; do " command " >out 2>&1; status=$?;" \
    "case $status in 0) echo taken \"$v\";; 125) grep '^container: ' out;;" \
    "*) echo \"status $status of $v\"; cat out;; esac; done; " \
    "ls -A $CONTAINER_HOME/containers 2>/dev/null | grep -vx $NAME"
#define REFUSED .safe = "container: .+", .risk = "taken .*|[a-z].*"
#define USERS "$GO -u \"$v\" $IN true"
#define NAMES "if [ $MODE = run ]; then $GO --name \"$v\" $IN true;" \
              " else $CONTAINER exec \"$v\" true; fi"

/* Somebody inside waits for our code to come in, by `exec`, and to stay there at a lock. */
#define VICTIM "probe lock /h/containers/x 20 & until p=$(grep -ls ^evil /proc/[0-9]*/cmdline);" \
               " do sleep 0.02; done; for p in $p; do p=${p#/proc/}; p=${p%/*};" \
               " probe overwrite $p & sleep 0.3; done; kill -9 $p; wait $!"
#define ATTACKED(attack) \
    "$GO $IN " attack " >out 2>&1 & for i in $(seq 100); do" \
    " $CONTAINER exec $NAME probe exit 0 && break; sleep 0.05; done 2>/dev/null; "

/* Read what tells about the host; what can be read is shown. */
#define SECRETS "/proc/acpi /proc/asound /proc/interrupts /proc/kcore /proc/keys" \
                " /proc/latency_stats /proc/sched_debug /proc/scsi /proc/timer_list" \
                " /proc/timer_stats /sys/firmware /sys/devices/virtual/powercap"
#define READ "for f in " SECRETS "; do [ -e $f ] || continue; if [ -d $f ]; then ls -A $f;" \
             " else head -c 99 $f | tr -d \"\\0\"; fi 2>/dev/null | grep -q .;" \
             " [ $? = 0 ] && echo $f shown || echo $f hidden; done"

/* A service at the host's 127.0.0.1, and a published port, for which the kernel is told to let
 * such packets in from the bridge. The last attempt stands behind the bridge by itself. */
#define SERVICE "$PROBE udp-echo 8080 20 >served & until grep -qs ready served; do" \
                " sleep 0.01; done; "
#define TO_HOST "ip addr del 127.0.0.1/8 dev lo; ip route add 127.0.0.1 via 10.66.0.1; " \
                "timeout 1 probe udp-send 127.0.0.1 8080 hello; echo sent"

static const struct attempt attempts[] = {
    // clang-format off
    { "overwrite the runtime", .image = "mkdir -p own/bin own/h/containers/x;"
          "ln -s /proc/self/exe own/bin/evil; printf '%s\\n' \"$PWD/own\" \"$BASE\" >layers",
      .script = ATTACKED("sh -c '" VICTIM "'")
          "while kill -0 $!; do $CONTAINER exec -e CONTAINER_HOME=/h $NAME evil wait x; done"
          " >/dev/null 2>&1; wait $!; grep overwrite out",
      .safe = "overwrite: errno (EROFS|EPERM)", .risk = ALLOWED,
      .oracle = "cp $PROBE victim; ./victim sleep 1 & $PROBE overwrite $!" },

    { "leaked descriptors", .script = "$GO $IN probe fds 9</",
      .safe = "[012] .*", .risk = "[0-9]+ .*", .oracle = "$PROBE fds 9</" },
    { .script = "for n in $(seq 3 20); do $GO -w /proc/self/fd/$n $IN probe cwd 9</ 2>&1; done",
      .safe = "container: .*workdir.*", .risk = "cwd .*",
      .oracle = "cd /proc/self/fd/9 9</ && $PROBE cwd" },

    { "trace code that sets up",
      .script = ATTACKED("probe trace-new probe 20")
          "while kill -0 $!; do $CONTAINER exec $NAME probe sleep 0; done 2>/dev/null;"
          "wait $!; cat out",
      EPERM_IS_SAFE, .off = "--cap-add SYS_PTRACE", HOST_ONLY },

    { "mount target is a link", .without = NO_EXEC,
      .script = CANARY "mkdir -p image/bin vol; cp $PROBE image/bin; ln -s $PWD/canary image/etc;"
          "$CONTAINER run --rm -v ./vol:/etc/x ./image probe exit 0" ENDS LOOK, UNTOUCHED,
      .oracle = CANARY "mkdir image; ln -s $PWD/canary image/etc; mkdir -p image/etc/x;" LOOK },
    { .without = NO_EXEC, /* and becomes one while we look */
      .script = CANARY "mkdir -p vol/a src; ln -s $PWD/canary vol/b;"
          "$PROBE exchange vol/a vol/b 3000 & for i in $(seq 30); do"
          "  $CONTAINER run --rm -v ./vol:/vol -v ./src:/vol/a/deep/x $BASE true" ENDS
          "done; kill $!;" LOOK, UNTOUCHED,
      .oracle = CANARY "mkdir -p vol/a; ln -s $PWD/canary vol/b; $PROBE exchange vol/a vol/b 2000 &"
          "for i in $(seq 1000); do mkdir -p vol/a/deep/$i; done;" LOOK },

    { "/proc, /sys or /dev is a link", .without = NO_EXEC,
      .script = CANARY "for d in proc sys dev; do rm -rf image; mkdir -p image/bin;"
          "cp $PROBE image/bin; ln -s $PWD/canary image/$d;"
          "$CONTAINER run --rm ./image probe exit 0" ENDS "done;" LOOK, UNTOUCHED,
      .oracle = CANARY "mkdir image; ln -s $PWD/canary image/proc;"
          "mount -t proc proc image/proc; " LOOK "; umount canary" },

    { "/dev/null is a link", .image = "mkdir -p image/bin image/dev; cp \"$PROBE\" image/bin;"
          "ln -s /proc/sys/kernel/core_pattern image/dev/null; echo \"$PWD/image\" >layers",
      .script = "$GO $IN probe read /proc/interrupts && echo empty",
      .safe = "empty", .risk = ".+", .off = "--privileged" },

    { "/proc is not the kernel's", /* it must keep what is written there */
      .image = "mkdir -p own/proc/self own/proc/sys/net/ipv4 own/proc/sys/kernel;"
          "for f in self/setgroups self/uid_map self/gid_map self/oom_score_adj"
          "    sys/net/ipv4/ping_group_range sys/kernel/hostname; do echo fake >own/proc/$f;"
          "done; printf '%s\\n' \"$PWD/own\" \"$BASE\" >layers",
      .script = "$GO $IN true; cat $(find own $CONTAINER_HOME/containers/*/upper/proc -type f"
          "  2>/dev/null) | sort -u",
      .safe = "fake", .risk = ".+",
      .oracle = "echo deny >own/proc/self/setgroups; cat own/proc/self/setgroups" },
    { .before = "mkdir fake; cp $PROBE fake; mount --bind fake /proc", .without = NO_EXEC,
      .after = "umount /proc", .script = "$CONTAINER run --rm $BASE probe exit 0 2>&1 && echo runs",
      .safe = "container: .*", .risk = "runs", .oracle = "umount /proc;"
          "$CONTAINER run --rm $BASE probe exit 0 && echo runs; mount -t tmpfs none /proc" },

    { "settings of the machine", .probe = "probe open /proc/sysrq-trigger w",
      .safe = "open: errno EROFS", .risk = ALLOWED, .off = "--privileged", .kernel_root = true,
      .kernel = "open: errno (ENOENT|EACCES)", .reason = "built without it, or for root only" },
    { .probe = "probe open /proc/sys/kernel/core_pattern w", .safe = "open: errno EROFS",
      .risk = ALLOWED, .off = "--privileged", HOST_ONLY },
    { .probe = "probe open /proc/irq/default_smp_affinity w", .safe = "open: errno EROFS",
      .risk = ALLOWED, .off = "--privileged", HOST_ONLY },
    { .probe = "probe remount-rw /proc/sys", EPERM_IS_SAFE, .off = "--cap-add SYS_ADMIN" },
    { .probe = "probe umount /proc/sys", EPERM_IS_SAFE, .off = "--cap-add SYS_ADMIN" },
    { .probe = "probe umount /proc/interrupts", EPERM_IS_SAFE, .off = "--cap-add SYS_ADMIN" },

    { "out of a chroot", .probe = "probe chroot-escape",
      .safe = "(before|after) [0-9:]+|chroot-escape same", .risk = "chroot-escape escaped",
      .oracle = "chroot $BASE /bin/probe chroot-escape" },

    { "mounts that spread", .before = "mount --make-rshared /", .after = "mount --make-rprivate /",
      .probe = "grep -c -e shared: -e master: /proc/self/mountinfo", .safe = "0", .risk = "[1-9].*",
      .oracle = "mkdir x; unshare -m --propagation unchanged mount -t tmpfs none x;"
          "grep -c \" $PWD/x \" /proc/self/mountinfo; umount x" },

    { "release_agent", .probe = "probe unshare user mnt cgroup", EPERM_IS_SAFE,
      .off = "--cap-add SYS_ADMIN" },
    { .probe = "probe mount-cgroup", EPERM_IS_SAFE, .off = "--cap-add SYS_ADMIN" },
    { .probe = "probe remount-rw /sys/fs/cgroup", EPERM_IS_SAFE, .off = "--cap-add SYS_ADMIN" },

    { "files by their handles", .probe = "probe handle", EPERM_IS_SAFE, HOST_ONLY,
      .off = "--cap-add DAC_READ_SEARCH" },

    { "disks by mknod", EPERM_IS_SAFE, .off = "--cap-add MKNOD", HOST_ONLY,
      .script = "set -- $(tail -n +3 /proc/partitions); $GO $IN probe mknod /node"
          " ${1:-7} ${2:-0} b" },
    { .before = "mkdir disk; mount -t tmpfs none disk; tail -n +3 /proc/partitions | {"
          " read -r major minor rest; mknod -m 666 disk/node b $major $minor; };"
          "$PROBE open disk/node r || { rm -f disk/node; mknod -m 666 disk/node c 1 3; }",
      .after = "umount disk", .options = "-v $T/disk:/disk",
      .probe = "probe open /disk/node r", .safe = "open: errno EACCES", .risk = ALLOWED,
      .oracle = "$PROBE open $T/disk/node r" },

    { "keys for the caller's terminal", .terminal = true, .script = "$GO $IN probe tiocsti",
      .safe = "tioc(sti|linux)(-high)?: errno EPERM", .risk = "tiocsti.* allowed",
      .off = "--privileged", .kernel = "tioc.*errno (EPERM|EIO|ENOTTY|EINVAL)",
      .reason = "the caller's terminal is not the program's" },
    { .terminal = true, .script = "$GO -t $IN probe tiocsti", .off = "--privileged",
      .safe = "tioc(sti|linux)(-high)?: errno EPERM", .risk = "tiocsti.* allowed",
      .kernel = "tioc.*errno (EPERM|EIO|ENOTTY|EINVAL)", .reason = "dev.tty.legacy_tiocsti is 0" },

    { "capabilities and groups", .script = "[ $(id -u) != 0 ] || go='setpriv --groups 4,20"
          " --inh-caps +chown,+net_admin --ambient-caps +chown,+net_admin';"
          "$go $GO $IN sh -c 'probe caps; probe ids | grep groups'",
      .safe = "Cap(Inh|Amb) 0{16}|Cap(Prm|Eff|Bnd) 00000000800405fb|NoNewPrivs 1|Seccomp 2|groups",
      .risk = "Cap.*|NoNewPrivs 0|Seccomp 0|groups .*",
      .oracle = "setpriv --groups 4,20 --inh-caps +chown --ambient-caps +chown $PROBE caps" },

    { "odd users", REFUSED, .oracle = EACH("0 1:2", USERS), .script =
          EACH("'' -1 1x 4294967296 1: :1 +1 ' 1' '1 ' 0x0 1:2:3 1:x 1.5 4294967295 99999999999"
               " 0:-1 18446744073709551616 '0\n' root: :root /etc $big", USERS) },

    { "keys", .probe = "probe keyctl", EPERM_IS_SAFE, .off = "--privileged" },

    { "abstract sockets", .off = "--network host",
      .script = "$PROBE abstract-listen canary-$NAME 20 >r &"
          "until grep -qs ready r; do sleep 0.01; done;"
          "$GO $IN probe abstract-connect canary-$NAME; kill $!",
      .safe = "abstract-connect: errno ECONNREFUSED", .risk = "(connected|text) .*" },

    { "packets of one's own", .probe = "probe socket packet raw", EPERM_IS_SAFE,
      .off = "--cap-add NET_RAW" },
    { .probe = "probe socket inet raw icmp", EPERM_IS_SAFE, .off = "--cap-add NET_RAW" },
    { .probe = "ip addr add 10.66.0.1/16 dev lo", .safe = "ip: .*Operation not permitted",
      .script = "$GO $IN sh -c 'ip addr add 10.66.0.1/32 dev lo && echo added' 2>&1",
      .risk = "added", .off = "--cap-add NET_ADMIN" },

    { "lengths that wrap", REFUSED, .without = NO_EXEC, .oracle = EACH("a b1", NAMES), .script =
          EACH("$big $n64", NAMES) "; " EACH("$big $n64", "$GO -h \"$v\" $IN true") "; "
          EACH("$big container:$big", "$GO --network \"$v\" $IN true") },

    { "nested user namespaces", .probe = "probe unshare user", EPERM_IS_SAFE,
      .off = "--cap-add SYS_ADMIN" },
    { .probe = "probe clone-ns user", EPERM_IS_SAFE, .off = "--cap-add SYS_ADMIN" },
    { .probe = "probe clone3 user", .safe = "clone3: errno ENOSYS", .risk = ALLOWED,
      .off = "--privileged" },

    { "calls for hosts only", .probe = "probe calls", EPERM_IS_SAFE, .off = "--privileged" },
    { .probe = "probe socket alg", EPERM_IS_SAFE, .off = "--privileged",
      .kernel = ".*errno EAFNOSUPPORT", .reason = "built without it", .kernel_root = true },
    { .probe = "probe socket vsock", EPERM_IS_SAFE, .off = "--privileged",
      .kernel = ".*errno EAFNOSUPPORT", .reason = "built without it", .kernel_root = true },
    { .probe = "probe bpf", EPERM_IS_SAFE, .off = "--privileged", HOST_ONLY },
    { .probe = "probe perf", EPERM_IS_SAFE, .off = "--privileged", HOST_ONLY },
    { .probe = "probe userfaultfd", EPERM_IS_SAFE, .off = "--privileged" },
    { .probe = "probe io_uring", EPERM_IS_SAFE, .off = "--privileged", .kernel_root = true,
      .kernel = ".*errno (EPERM|ENOSYS)", .reason = "kernel.io_uring_disabled, or built without" },
    { .probe = "probe fsopen", EPERM_IS_SAFE, .off = "--privileged" },
    { .probe = "probe x32", .safe = "x32: errno ENOSYS", .risk = ALLOWED, .off = "--privileged",
      .kernel = "x32: errno ENOSYS", .reason = "built without x32", .kernel_root = true },
    { .probe = "probe ia32", .safe = "ia32: signal 31", .risk = ALLOWED, .off = "--privileged",
      .kernel = "ia32: (signal 11|errno ENOSYS)", .reason = "built without ia32",
      .kernel_root = true },

    { "set-uid files", .before = "cp $PROBE suid; chmod 4755 suid", .options = "-v $T:/t",
      .script = "$GO -u 1000 $IN /t/suid ids", .off = "--privileged", .without = NO_USER,
      .safe = "(uid|euid|suid) 1000|[esg]*gid [0-9]+|groups", .risk = "(euid|suid) 0" },
    { .without = NO_USER, .image = "echo \"$BASE\" >layers", /* made inside, for users outside */
      .script = "if [ $MODE = run ]; then $CONTAINER run --name $NAME . sh -c"
          " 'cp /bin/probe /suid; chmod 4755 /suid';"
          "else $GO $IN sh -c 'cp /bin/probe /suid; chmod 4755 /suid'; fi;"
          /* not by setpriv itself, which has still got its power */
          "setpriv --reuid 65534 --regid 65534 --clear-groups sh -c"
          "    \"$CONTAINER_HOME/containers/$NAME/upper/suid ids\" 2>&1;"
          "[ $MODE = exec ] || $CONTAINER rm $NAME",
      .safe = "sh: .*Permission denied", .risk = "[a-z]+ [0-9]*",
      .oracle = "cp $PROBE suid; chmod 4755 suid; setpriv --reuid 65534 --regid 65534"
          " --clear-groups sh -c './suid ids'" },

    { "odd names", REFUSED, .oracle = EACH("a b1", NAMES), .script =
          EACH("'' ../../x /x a/b -x --x .x . .. 'a b' 'a\nb' \"$n64\" ä '$(id)' 'a;b' $big",
               NAMES) },
    { .script = "mkdir -p $CONTAINER_HOME/containers canary; echo >canary/file;"
          "mkdir -p $CONTAINER_HOME/canary/below; for n in ../canary ../canary/ . .. ../.. /"
          "    $PWD/canary ''; do $CONTAINER rm -f \"$n\"; $CONTAINER kill \"$n\"; done >/dev/null"
          "  2>&1; [ -e canary/file ] && [ -e $CONTAINER_HOME/canary/below ] && echo untouched ||"
          "echo touched; rm -rf $CONTAINER_HOME/canary", UNTOUCHED, .without = NO_EXEC,
      .oracle = "mkdir -p canary x; rm -rf x/../canary; [ -e canary ] || echo touched" },

    { "init is the engine's code", .probe = "probe ptrace 1", EPERM_IS_SAFE, .off = "--privileged",
      HOST_ONLY },
    { .probe = "probe open /proc/1/mem w", .safe = "open: errno EACCES", .risk = ALLOWED,
      .off = "--privileged", HOST_ONLY },
    { .probe = "probe readlink /proc/1/root", .safe = "readlink: errno EACCES",
      .risk = "readlink .*", .off = "--privileged", HOST_ONLY },
    { .options = "--privileged", .script = "$GO $IN sh -c 'cat /proc/1/environ /proc/1/cmdline;"
          "ls /proc/1/fd; echo end' 2>/dev/null | tr '\\0' '\\n' | grep .",
      .safe = "end", .risk = ".+",
      .oracle = "cat /proc/self/environ | tr '\\0' '\\n' | grep ^TESTS=" },

    { "the host's loopback", .options = "--cap-add NET_ADMIN -p 8079:8079", .without = NO_USER,
      .script = SERVICE "$GO $IN sh -c '" TO_HOST "'; kill $!; grep hello served",
      .safe = "sent", .risk = "text hello",
      .oracle = SERVICE "$CONTAINER run --rm -p 8079:8079 $BASE true;"
          "ip link add va type veth peer name vb; ip link set va master container0 up;"
          "unshare -n sh -c 'echo ready >up; exec sleep 20' & until [ -s up ]; do sleep 0.01; done;"
          "ip link set vb netns $!; cp $PROBE probe; export PATH=$PWD:$PATH; nsenter -n -t $! sh -c"
          " 'ip link set lo up; ip addr add 10.66.9.9/16 dev vb; ip link set vb up;" TO_HOST
          "'; kill $!; grep hello served" },

    { "what tells about the host", .probe = "sh -c '" READ "'", .safe = "/.* hidden",
      .risk = "/.* shown", .off = "--privileged" },
    // clang-format on
};

/* ---- one attempt ---- */

static bool whole(const char *line, const char *pattern) {
    regex_t regex;
    char *all = format("^(%s)$", pattern);
    ck_assert_msg(regcomp(&regex, all, REG_EXTENDED | REG_NOSUB) == 0, "%s", all);
    bool fits = regexec(&regex, line, 0, NULL, 0) == 0;
    regfree(&regex);
    return fits;
}

static char *decisive; /* the line that made the verdict */

/* The worst of its lines; one success is enough. With the defence off, what the kernel says
 * comes before what is safe, because they may be the same words. */
static enum verdict judge(const struct attempt *a, const char *out, bool off) {
    enum verdict worst = NONE;
    char *rest = format("%s", out), *line;
    decisive = "nothing was printed";
    while ((line = strsep(&rest, "\n"))) {
        enum verdict v = ERROR;
        line[strcspn(line, "\r")] = '\0';
        if (!*line)
            continue;
        bool kernel = a->kernel && whole(line, a->kernel);
        if (!(off && kernel) && whole(line, a->safe))
            v = SAFE;
        else if (kernel)
            v = KERNEL;
        else if (whole(line, a->risk))
            v = RISK;
        if (v <= worst)
            continue;
        worst = v;
        decisive = line;
    }
    return worst == NONE ? ERROR : worst;
}

static const char *const words[] = { "-", "KERNEL", "SAFE", "ERROR", "RISK" };
static const char *const modes[] = { "root", "rootless", "exec", "oracle" };
static char *evidence; /* what was printed, for the message of a failed test */

/* Run one in a new directory, inside a new container (or with exec in one that sleeps). */
static enum verdict run(const struct attempt *a, enum who who, enum mode mode, bool off) {
    static int number;
    const char *options = format("%s %s", a->options ? a->options : "",
                                 off && a->off ? a->off : "");
    const char *image = a->image ? "." : "\"$BASE\"", *out;
    char *start = ":", *go = "run --rm --name $NAME $OPTIONS", *end = ":";
    if (mode == EXEC) {
        start = format("$CONTAINER run -d --name $NAME $OPTIONS %s probe sleep 100 >out", image);
        go = "exec";
        end = "$CONTAINER rm -f $NAME";
    }
    char *line = format("mkdir $T/w%d && cd $T/w%d && { %s; } && export MODE=%s IN=%s &&"
                        "export OPTIONS=\"%s\" && export GO=\"$CONTAINER %s\" && %s && { %s; }; %s",
                        number, number, a->image ? a->image : ":", mode == EXEC ? "exec" : "run",
                        mode == EXEC ? "$NAME" : image, options, go, start,
                        off && a->oracle ? a->oracle
                        : a->script      ? a->script
                                         : format("$GO $IN %s", a->probe),
                        end);
    number++;
    if (a->terminal) {
        struct terminal t = at_terminal(who, "%s", line);
        finish(&t);
        out = t.seen;
    } else {
        struct result r = as(who, "%s", line);
        out = r.status == 124 ? format("%s\nout of time\n", r.out) : r.out;
        if (*r.err)
            evidence = format("%s  (%.300s)\n", evidence, r.err);
    }
    enum verdict v = judge(a, out, off);
    evidence = format("%s%s%s: %s, because of: %.200s\n", evidence, off ? "defence off, " : "",
                      modes[mode], words[v], decisive);
    return v;
}

/* What the kernel refuses anyway is no merit of ours. */
static enum verdict weigh(enum verdict v, enum verdict off) {
    if (v == KERNEL && off != KERNEL)
        return ERROR;
    return v == SAFE && off == KERNEL ? KERNEL : v;
}

/* What an attempt must leave as it is; mounts and the like are looked at by tear_down. */
static char *host(void) {
    return sh("cksum $CONTAINER $PROBE; uname -n; cat /proc/sys/kernel/core_pattern;"
              "find $BASE -exec stat -c '%%n %%F %%a %%i %%s %%y' {} + | cksum;"
              "stat -c '%%n %%a %%u %%g %%t %%T' /dev/null /dev/zero /dev/tty")
        .out;
}

static char *table_file(void) {
    return format("%s/attacks", getenv("TESTS"));
}

START_TEST(is_refused) {
    const struct attempt *a = &attempts[_i], *named = a;
    enum verdict v[MODES] = { NONE }, off[2] = { NONE };
    enum who ordinary = is_root() ? ORDINARY_USER : OURSELVES;
    bool has[2] = { is_root() && !(a->without & NO_ROOT),
                    (!is_root() || users() == 2) && !(a->without & NO_USER) };
    char *before = host();

    while (!named->attack) named--;
    evidence = "";
    if (a->before && is_root())
        expect(sh("%s", a->before), 0, NULL, "");
    else if (a->before)
        has[1] = false;
    for (int rootless = 0; rootless < 2; rootless++) {
        enum who who = rootless ? ordinary : OURSELVES;
        if (!has[rootless])
            continue;
        v[rootless] = run(a, who, rootless ? ROOTLESS : ROOT, false);
        if (a->oracle ? is_root() && !rootless : true)
            off[rootless] = run(a, who, ORACLE, true);
        v[rootless] = weigh(v[rootless], off[rootless]);
        if (a->without & NO_EXEC)
            continue;
        enum verdict exec = weigh(run(a, who, EXEC, false), off[rootless]);
        v[EXEC] = exec > v[EXEC] ? exec : v[EXEC];
    }
    if (a->after && is_root())
        expect(sh("%s", a->after), 0, NULL, "");
    v[ORACLE] = off[!is_root()];
    if (strcmp(before, host()) != 0)
        ck_abort_msg("the host has changed:\n%s\nnow:\n%s\n%s", before, host(), evidence);

    FILE *f = fopen(table_file(), "ae");
    ck_assert_ptr_nonnull(f);
    fprintf(f, "%s\t%d\t%d\t%d\t%d\t%s\n", named->attack, v[ROOT], v[ROOTLESS], v[EXEC], v[ORACLE],
            off[0] == KERNEL   ? format("%s, root: %s", named->attack, a->reason)
            : off[1] == KERNEL ? format("%s, rootless: %s", named->attack, a->reason)
                               : "");
    fclose(f);
    for (int mode = ROOT; mode < ORACLE; mode++)
        ck_assert_msg(v[mode] < ERROR, "%s, %s: %s\n%.3000s", named->attack, modes[mode],
                      words[v[mode]], evidence);
    for (int rootless = 0; rootless < 2; rootless++) {
        bool may_refuse = a->kernel && (a->kernel_root || rootless);
        ck_assert_msg(off[rootless] == NONE || off[rootless] == RISK ||
                          (off[rootless] == KERNEL && may_refuse),
                      "%s: with the defence off it proves nothing\n%.3000s", named->attack,
                      evidence);
    }
}
END_TEST

/* ---- the table that is printed ---- */

/* Of several attempts at one attack the worst counts. */
void print_attacks(void) {
    char line[512], name[64] = "", *reasons = "";
    int worst[MODES] = { 0 }, v[MODES];
    FILE *f = fopen(table_file(), "re");
    if (!f)
        return;
    printf("\n%-32s %-9s %-9s %-9s %-9s\n", "attack", "root", "rootless", "exec", "oracle");
    for (bool more = true; more;) {
        char next[64] = "", reason[192] = "";
        more = fgets(line, sizeof line, f) != NULL;
        if (more)
            sscanf(line, "%63[^\t]\t%d\t%d\t%d\t%d\t%191[^\n]", next, &v[0], &v[1], &v[2], &v[3],
                   reason);
        if (strcmp(name, next) != 0) {
            if (*name)
                printf("%-32s %-9s %-9s %-9s %-9s\n", name, words[worst[0]], words[worst[1]],
                       words[worst[2]], words[worst[3]]);
            memset(worst, 0, sizeof worst);
            memcpy(name, next, sizeof name);
        }
        for (int mode = 0; more && mode < MODES; mode++)
            worst[mode] = v[mode] > worst[mode] ? v[mode] : worst[mode];
        if (*reason && !strstr(reasons, format("  %s\n", reason)))
            reasons = format("%s  %s\n", reasons, reason);
    }
    fclose(f);
    printf("%s%s\n", *reasons ? "refused by the kernel, even with the defence off:\n" : "",
           reasons);
}

Suite *attacks_suite(void) {
    Suite *s = suite_create("attacks");
    TCase *t = new_case(s, "attacks");
    tcase_add_loop_test(t, is_refused, 0, COUNT(attempts));
    return s;
}
