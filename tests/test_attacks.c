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
    const char *typed; /* at a terminal */
    int without; /* modes */
    bool terminal;
};

#define ALLOWED "[a-z0-9_-]+ allowed"
#define EPERM_IS_SAFE .safe = "[a-z0-9_-]+: errno EPERM", .risk = ALLOWED
#define HOST_ONLY .kernel = "[a-z0-9_-]+: errno (EPERM|EACCES)", \
                  .reason = "only for root of the first user namespace"
#define NEWER_CALL .kernel = ".*errno ENOSYS", .reason = "older than this call", .kernel_root = true
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

/* Something inside attacks whatever comes in by `exec`. */
#define INSIDE "for i in $(seq 100); do $CONTAINER exec $NAME probe exit 0 && break; sleep 0.05;" \
               "done 2>/dev/null; "
#define ATTACKED(attack) "$GO $IN " attack " >out 2>&1 & " INSIDE

/* The image's program is whatever starts it: the engine's own. */
#define EVIL .image = "mkdir -p own/bin; ln -s /proc/self/exe own/bin/evil;" \
                      "printf '%s\\n' \"$PWD/own\" \"$BASE\" >layers"
#define OVERWRITE \
    ATTACKED("probe overwrite-new evil") \
    "while kill -0 $!; do $CONTAINER exec $NAME evil --help; done >/dev/null 2>&1; wait $!;" \
    "grep overwrite out"
#define ON_TMPFS "mkdir tmpfs; mount -t tmpfs none tmpfs; chmod 755 tmpfs;" \
                 "cp -r $TESTS/container $TESTS/lessons $TESTS/rootfs tmpfs"

/* Read what tells about the host; what can be read is shown. */
#define SECRETS "/proc/acpi /proc/asound /proc/interrupts /proc/kcore /proc/keys" \
                " /proc/latency_stats /proc/sched_debug /proc/scsi /proc/timer_list" \
                " /proc/timer_stats /sys/firmware /sys/devices/virtual/powercap"
#define READ "for f in " SECRETS "; do [ -e $f ] || continue; if [ -d $f ]; then ls -A $f;" \
             " else head -c 99 $f | tr -d \"\\0\"; fi 2>/dev/null | grep -q .;" \
             " [ $? = 0 ] && echo $f shown || echo $f hidden; done"

/* A service at the host's 127.0.0.1, and a program inside that sends what is for there to the
 * bridge. */
#define SERVICE "$PROBE udp-echo 8080 20 >served & until grep -qs ready served; do" \
                " sleep 0.01; done; "
#define TO_HOST "$GO $IN sh -c 'ip addr del 127.0.0.1/8 dev lo;" \
                " ip route add 127.0.0.1 via 10.66.0.1; timeout 1 probe udp-send 127.0.0.1 8080" \
                " hello; echo sent' 2>/dev/null; kill $!; grep hello served"

/* A published port, and a server inside that listens at ADDRESS only (CVE-2021-20199). */
#define LOOPBACK(address) \
    "$CONTAINER run -d --name $NAME -p 7001:7000 $IN probe serve 7000 60 " address " >out;" HELD \
    "$PROBE tcp-connect 127.0.0.1 7001 hello; $CONTAINER rm -f $NAME >out"

/* A network that ends with the script, in which there are no single quotes; and two neighbours,
 * each of which sends all that it has to say to the host. */
#define IN_NETWORK(script) \
    "unshare -n sh -c 'ip link set lo up; echo 0 >/proc/sys/net/ipv4/ip_forward;" script "'"
#define LANS "for n in 1 2; do unshare -n sleep 60 & until [ $(stat -Lc %i /proc/$!/ns/net) !=" \
             "  $(stat -Lc %i /proc/self/ns/net) ]; do sleep 0.01; done; eval lan$n=$!;" \
             "ip link add lan$n type veth peer name eth0 netns $!;" \
             "ip addr add 192.168.10$n.1/24 dev lan$n; ip link set lan$n up;" \
             "nsenter -n -t $! sh -c \"ip addr add 192.168.10$n.2/24 dev eth0;" \
             "  ip link set eth0 up; ip route add default via 192.168.10$n.1\"; done;"
#define FORWARDED "nsenter -n -t $lan1 ping -c 5 -i 0.2 -W 1 192.168.102.2 >out &&" \
                  "  echo forwarded || echo dropped; kill $lan1 $lan2"
#define SERVE "$CONTAINER run -d --name $NAME $BASE probe serve 7000 60 >out;" \
              "ip=$(cat $CONTAINER_HOME/containers/$NAME/ip);"
#define KNOCK "nsenter -n -t $lan1 $PROBE tcp-connect $ip 7000 hello 1;" \
              "kill $lan1 $lan2; $CONTAINER rm -f $NAME"
#define ROUTERS_OF_HOST "ip -6 route show default dev container0 | grep .;" \
                        "ip -6 addr show dev container0 scope global | grep inet6; echo end"

/* What becomes of the caller's files. */
#define SAME "[ \"$before\" = \"$after\" ] && echo untouched || echo touched"
#define FILE_OF_MODE_600 "echo before >file; chmod 600 file; "
#define LOOK_AT_FILE \
    "before=\"600 $(id -u) before\"; after=\"$(stat -c '%a %u' file) $(cat file)\"; " SAME
#define LOOK_AT(file) "stat -c '%a %u %g' " file
#define LOOK_AT_TERMINAL LOOK_AT("$(tty)") "; stty -g"
#define CANARY_MODE_555 "mkdir canary; echo >canary/file; chmod 555 canary;"
#define LOOK_AT_CANARY "before='555 file'; after=\"$(stat -c %a canary) $(ls canary)\"; " SAME

/* A container in the background, with these descriptors, until its end. */
#define DETACHED(command, descriptors) \
    "$CONTAINER run -d --name $NAME $IN " command " " descriptors " >out;" \
    "$CONTAINER wait $NAME >out; $CONTAINER rm $NAME;"

/* The same without a relay between: a program that enters with them. */
#define ENTERED(command, descriptors) \
    "$CONTAINER run -d --name $NAME $BASE probe sleep 60 >out;" \
    "nsenter -m -p -n -r -w -t $(cat $CONTAINER_HOME/containers/$NAME/pid) " command \
    " " descriptors "; $CONTAINER rm -f $NAME >out"

/* Devices that are nobody's but this test's. */
#define OWN_DEVICES \
    "mkdir dev; mount -t tmpfs -o mode=755 none dev; for d in null:3 zero:5 full:7 random:8" \
    "  urandom:9; do mknod -m 666 dev/${d%:*} c 1 ${d#*:}; done; mknod -m 666 dev/tty c 5 0;" \
    "mkdir dev/pts dev/shm; mount --bind /dev/pts dev/pts; ln -s /proc/self/fd dev/fd;" \
    "ln -s pts/ptmx dev/ptmx; mknod -m 666 dev/own c 1 3;" \
    "touch -d @0 dev/null dev/own; mount --move dev /dev"
#define HOST_DEVICES "umount -l /dev"

/* Does a command of ours wait for what others hold? */
#define IN_TIME "in_time() { timeout 10 $CONTAINER \"$@\" >log 2>&1 && echo $1 in time ||" \
                " { echo $1 late; cat log >&2; }; }; "
#define HELD "until $CONTAINER logs $NAME | grep -q ready; do sleep 0.02; done; "
#define LOCKED_BY_OTHERS \
    "for f in $(find $CONTAINER_HOME/containers -path '*/upper/*' -prune -o -print); do" \
    "  setpriv --reuid 12345 --regid 12345 --clear-groups $PROBE lock $f 0 && echo locked $f;" \
    "done; $CONTAINER rm -f $NAME"

/* An argument of the image's own. */
#define TAKEN "$GO $IN >out 2>&1 && echo taken $option || grep ^container: out; "

/* Bytes that are neither printed nor the end of a line. */
#define LOOK_AT_BYTES "[ -s out ] && n=$(LC_ALL=C tr -d '\\11\\12\\40-\\176' <out | wc -c) &&" \
                      " { [ $n = 0 ] && echo clean || echo $n bytes; }"

/* Some that came in were seen before they were the program that was asked for. */
#define WATCHED "watched [0-9]+ entering [1-9][0-9]*"

static const struct attempt attempts[] = {
    // clang-format off
    { "overwrite the runtime", EVIL, .script = OVERWRITE,
      .safe = "overwrite-new: errno (EROFS|EPERM)", .risk = ALLOWED,
      .oracle = "cp $PROBE evil; ./evil sleep 1 & $PROBE overwrite $!" },
    { .before = ON_TMPFS, .after = "umount tmpfs", EVIL, /* all files here have seals */
      .script = "export CONTAINER=$T/tmpfs/container; GO=\"$CONTAINER ${GO#* }\";" OVERWRITE,
      .safe = "overwrite-new: errno (EROFS|EPERM)", .risk = ALLOWED,
      .oracle = "cp $PROBE $T/tmpfs/evil; $T/tmpfs/evil sleep 1 & $PROBE overwrite $!" },

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
      .after = "umount /proc", .script = "$CONTAINER run --rm --network none"
          "  $BASE probe exit 0 2>&1 && echo runs",
      .safe = "container: .*", .risk = "runs", .oracle = "umount /proc;"
          "$CONTAINER run --rm --network none $BASE probe exit 0 && echo runs;"
          "mount -t tmpfs none /proc" },

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
      .oracle = "$PROBE tiocsti", .kernel_root = true, .kernel = "tioc.*errno (EPERM|EIO|EINVAL)",
      .reason = "dev.tty.legacy_tiocsti is 0" },
    { .terminal = true, .script = "$GO -t $IN probe tiocsti", .off = "--privileged",
      .safe = "tioc(sti|linux)(-high)?: errno EPERM", .risk = "tiocsti.* allowed",
      .kernel = "tioc.*errno (EPERM|EIO|ENOTTY|EINVAL)", .reason = "dev.tty.legacy_tiocsti is 0" },

    { "capabilities and groups", .script = "[ $(id -u) != 0 ] || go='setpriv --groups 4,20"
          " --inh-caps +chown,+net_admin --ambient-caps +chown,+net_admin';"
          "$go $GO $IN sh -c 'probe caps; probe ids | grep groups'",
      .safe = "Cap(Inh|Amb) 0{16}|Cap(Prm|Eff|Bnd) 00000000800405fb|NoNewPrivs 1|Seccomp 2|groups( 0)?",
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
    { .probe = "probe calls quotactl_fd", EPERM_IS_SAFE, .off = "--privileged", NEWER_CALL },
    { .probe = "probe calls set_mempolicy_home_node", EPERM_IS_SAFE, .off = "--privileged",
      NEWER_CALL },
    { .probe = "probe calls open_tree_attr", EPERM_IS_SAFE, .off = "--privileged", NEWER_CALL },
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

    { "the host's loopback", .options = "--cap-add NET_ADMIN", .without = NO_USER,
      .script = SERVICE TO_HOST, .safe = "sent", .risk = "text hello",
      .oracle = "f=/proc/sys/net/ipv4/conf/container0/route_localnet; echo 1 >$f;"
          "nft flush chain ip container0 prerouting; " SERVICE TO_HOST
          "; echo 0 >$f; $CONTAINER network up" },
    { "the container's loopback", .safe = "(peer|local) .*|tcp-connect: .*|", .risk = "text .*",
      .script = LOOPBACK("127.0.0.1"), .oracle = LOOPBACK("0.0.0.0"), .without = NO_EXEC },

    { "what tells about the host", .probe = "sh -c '" READ "'", .safe = "/.* hidden",
      .risk = "/.* shown", .off = "--privileged" },
    { "the caller's descriptors", UNTOUCHED, .oracle = FILE_OF_MODE_600
          ENTERED("/bin/probe stdio", "<file") "; " LOOK_AT_FILE,
      .script = FILE_OF_MODE_600 "$GO $IN probe stdio <file;" LOOK_AT_FILE },
    { UNTOUCHED, .oracle = FILE_OF_MODE_600
          ENTERED("/bin/probe stdio", "<out >>file 2>&1") "; " LOOK_AT_FILE,
      .script = FILE_OF_MODE_600 "$GO $IN probe stdio >>file;" LOOK_AT_FILE ";"
          "$GO $IN probe stdio 2>>file;" LOOK_AT_FILE },
    { UNTOUCHED, .without = NO_EXEC, .oracle = FILE_OF_MODE_600
          ENTERED("/bin/probe stdio", "<out 2>>file") "; " LOOK_AT_FILE,
      .script = FILE_OF_MODE_600 DETACHED("probe stdio", "<file 2>>file") LOOK_AT_FILE },
    { .safe = "666 0 0", .risk = "[0-9 ]+", .before = OWN_DEVICES, .after = HOST_DEVICES,
      .script = "$GO $IN probe stdio </dev/null >/dev/null 2>&1;"
          "$GO $IN probe stdio <&- >&- 2>&-; " LOOK_AT("/dev/null"),
      .oracle = ENTERED("/bin/probe stdio", "</dev/own") "; " LOOK_AT("/dev/own") },
    { .safe = "666 0 0", .risk = "[0-9 ]+", .before = OWN_DEVICES, .after = HOST_DEVICES,
      .script = DETACHED("probe stdio", "") DETACHED("probe stdio", "<&- 2>&-")
          LOOK_AT("/dev/null"),
      .oracle = ENTERED("/bin/probe stdio", "</dev/own") "; " LOOK_AT("/dev/own"),
      .without = NO_EXEC },
    { .safe = "refused|container: .+", .risk = "secret",
      .script = "mkdir dir; echo secret >below; $GO $IN sh -c"
          " 'cat /proc/self/fd/0/../below 2>/dev/null || echo refused' <dir 2>&1",
      .oracle = "mkdir dir; echo secret >below;"
          ENTERED("/bin/busybox cat /proc/self/fd/0/../below", "<dir") },
    { UNTOUCHED, .terminal = true, .script = "before=$(" LOOK_AT_TERMINAL ");"
          "$GO $IN probe stdio; after=$(" LOOK_AT_TERMINAL "); " SAME,
      .oracle = "before=$(" LOOK_AT_TERMINAL ");" ENTERED("/bin/probe stdio", "")
          "after=$(" LOOK_AT_TERMINAL "); " SAME },
    { .terminal = true, .script = "$GO $IN probe fds", .oracle = ENTERED("/bin/probe fds", ""),
      .safe = "[012] pipe:.*", .risk = "[012] .*" },
    { .script = "$GO $IN probe fds <$PROBE 2>>file", .oracle = "$PROBE fds <$PROBE",
      .safe = "[012] pipe:.*", .risk = "[012] .*" },
    { .terminal = true, .typed = "password\n", .off = "-i", /* at a prompt that comes later */
      .script = "$GO $IN sh -c 'read -r word && echo stolen $word';"
          "echo kept $(timeout --foreground 2 head -n 1)",
      .safe = "password|kept password", .risk = "stolen password" },

    { "a terminal for a passwd file", .terminal = true, .typed = "user:x:0:0::/:/bin/sh\n",
      .image = "mkdir -p own/etc; ln -s /dev/tty own/etc/passwd;"
          "printf '%s\\n' \"$PWD/own\" \"$BASE\" >layers",
      .script = "$GO $IN true; $GO -u user $IN id; echo kept $(timeout --foreground 2 head -n 1)",
      .safe = "user:.*|kept user.*|container: .*user.*", .risk = "kept|uid=.*",
      .oracle = "head -n 1 own/etc/passwd >out; echo kept $(timeout --foreground 2 head -n 1)" },

    { "rm where links come and go", UNTOUCHED, .without = NO_EXEC, .script = CANARY_MODE_555
          "dir=$CONTAINER_HOME/containers/$NAME; for rm in --rm '' --rm ''; do"
          "  $CONTAINER run $rm --name $NAME $IN sleep 60 & run=$!;"
          "  until [ -e $dir/pid ]; do sleep 0.01; done;"
          "  $PROBE swap $dir/upper $PWD/canary 5000 >out & until grep -q ready out; do :; done;"
          "  $CONTAINER kill $NAME >killed; wait $run; until $CONTAINER rm -f $NAME; do sleep 0.1;"
          "  done; wait; done; " LOOK_AT_CANARY,
      .oracle = CANARY_MODE_555 "mkdir a; ln -s canary b; $PROBE exchange a b 5000 >out &"
          "while kill -0 $! && [ $(stat -c %a canary) = 555 ]; do [ -L a ] || chmod 700 a; done;"
          "kill $!; " LOOK_AT_CANARY },

    { "locks on shared files", .safe = "[a-z]+ in time", .risk = "[a-z]+ late", .without = NO_EXEC,
      .script = IN_TIME "$CONTAINER run -d --name $NAME $IN probe hold 60 / /etc /etc/hosts"
          "  /etc/hostname /etc/resolv.conf /etc/passwd /dev /dev/null /proc /sys/fs/cgroup >out;"
          HELD "in_time run --rm --name $NAME-2 $IN true; in_time exec $NAME probe exit 0;"
          "in_time ps; in_time stop -t 1 $NAME; in_time start $NAME; " HELD "in_time rm -f $NAME",
      .oracle = IN_TIME "$CONTAINER create --name $NAME-2 $IN true >out;"
          "$CONTAINER run -d --name $NAME -v $CONTAINER_HOME/containers:/h $IN"
          "    probe hold 60 /h/$NAME-2 >out; " HELD "in_time start $NAME-2;"
          "$CONTAINER rm -f $NAME $NAME-2" },
    { .script = "$CONTAINER run -d --name $NAME $IN probe sleep 60 >out; " LOCKED_BY_OTHERS,
      .safe = "lock: errno EACCES", .risk = "locked .*", .without = NO_USER | NO_EXEC,
      .oracle = "$CONTAINER run -d --name $NAME $IN probe sleep 60 >out;"
          "chmod -R go+rX $CONTAINER_HOME; " LOCKED_BY_OTHERS "; chmod 700 $CONTAINER_HOME" },

    { "the host as a router", .script = IN_NETWORK(LANS SERVE "$CONTAINER rm -f $NAME;" FORWARDED),
      .oracle = IN_NETWORK(LANS "echo 1 >/proc/sys/net/ipv4/ip_forward;" FORWARDED),
      .safe = "dropped", .risk = "forwarded", .without = NO_USER | NO_EXEC },
    { .script = IN_NETWORK(LANS SERVE KNOCK),
      .oracle = IN_NETWORK(LANS SERVE "nft flush ruleset;" KNOCK), .without = NO_USER | NO_EXEC,
      .safe = "tcp-connect: errno (ETIMEDOUT|ECONNREFUSED|E(HOST|NET)UNREACH)",
      .risk = "(peer|local|text|at|hello) ?.*" },

    { "router advertisements", .options = "--cap-add NET_RAW", .without = NO_USER,
      .script = "$GO $IN probe advertise eth0; " ROUTERS_OF_HOST,
      .safe = "advertise allowed|end", .risk = "default .*| *inet6 .*",
      .oracle = "f=/proc/sys/net/ipv6/conf/container0/disable_ipv6; echo 0 >$f; $GO $IN probe"
          "  advertise eth0; " ROUTERS_OF_HOST "; echo 1 >$f" },

    { "the image's own arguments", .script = "mkdir other; echo \"$BASE\" >other/layers;"
          "printf '%s\\n' -h packages.example.org probe sleep 60 >other/args;"
          "$CONTAINER run -d --name $NAME-2 ./other >out;"
          "$GO $IN sh -c 'grep -e example -e 2$ /etc/hosts || echo clean';"
          "$CONTAINER rm -f $NAME-2 >out",
      .safe = "clean", .risk = ".*packages.*|.*-2", .oracle = "echo 10.66.0.9 packages.example.org"
          "  >hosts; $GO -v $PWD/hosts:/etc/hosts $IN grep example /etc/hosts" },
    { .image = "mkdir other; echo \"$BASE\" | tee layers >other/layers", .without = NO_EXEC,
      .script = "for option in --privileged '--cap-add SYS_ADMIN' '--network host' '-v /:/host'"
          "    '-p 7000:7000' '--name other' --rm -d '--memory 64M' --explain; do"
          "  printf '%s\\n' $option true >args; " TAKEN "done",
      .safe = "container: .+", .risk = "taken .*",
      .oracle = "for option in -t '-e A=B' '-w /' '-h name' '-u 0'; do"
          "  printf '%s\\n' $option true >args; " TAKEN "done" },

    /* Copying out of a container as root, where links come and go: see test_images.c. */

    { "memory of sockets", .without = NO_USER | NO_EXEC, .off = "-m 4G", .script =
          "d=/sys/fs/cgroup/memory; if [ ! -d $d ]; then echo counted by version 2;"
          "elif [ ! -e $d/memory.kmem.tcp.limit_in_bytes ]; then echo no such file; else"
          "  $CONTAINER run -d -m 64M $OPTIONS --name $NAME $IN probe sleep 60 >out;"
          "  cat $d/container-$NAME/memory.kmem.tcp.limit_in_bytes; $CONTAINER rm -f $NAME; fi",
      .safe = "67108864", .risk = "[0-9]+", .kernel = "counted by version 2|no such file",
      .reason = "version 2 counts them always, or version 1 here has no file for it",
      .kernel_root = true },

    { "a process half inside", .before = "mkdir mark; mount -t tmpfs mount-of-host mark",
      .after = "umount mark", .safe = WATCHED, .risk = "found .*",
      .script = ATTACKED("probe watch-proc mount-of-host 200 mountinfo mounts")
          "while kill -0 $!; do $CONTAINER exec $NAME probe exit 0; done 2>/dev/null; wait $!;"
          "cat out",
      .oracle = ATTACKED("probe watch-proc mount-of-host 200 mountinfo")
          "nsenter -p -t $(cat $CONTAINER_HOME/containers/$NAME/pid) sleep 1; wait $!; cat out" },
    { .safe = WATCHED, .risk = "found .*", /* of the caller's words */
      .off = "--cap-add SYS_PTRACE",
      .script = "export WORD=hidden; " ATTACKED("probe watch-proc hidden 100 environ cmdline")
          "while kill -0 $!; do $CONTAINER exec $NAME probe exit 0; done 2>/dev/null; wait $!;"
          "cat out",
      .oracle = "export WORD=hidden; " ATTACKED("probe watch-proc hidden 100 environ cmdline")
          "nsenter -p -t $(cat $CONTAINER_HOME/containers/$NAME/pid) sleep 1; wait $!; cat out" },
    { .script = "$CONTAINER run -d --name $NAME $IN probe sleep 60 >out; for bad in '-u nobody2"
          " $NAME true' '-w /etc/passwd $NAME true' '$NAME /nothing' '$NAME /etc' '$NAME sh -c"
          " exit'; do eval $CONTAINER exec $bad; done 2>out; " IN_TIME "in_time stop -t 1 $NAME;"
          "in_time rm -f $NAME", .without = NO_EXEC, /* zombies would keep it from ending */
      .safe = "[a-z]+ in time", .risk = "[a-z]+ late",
      .oracle = "$CONTAINER run -d --name $NAME $IN probe sleep 60 >out;"
          "nsenter -p -t $(cat $CONTAINER_HOME/containers/$NAME/pid) sleep 60 & sleep 0.5;"
          "kill -STOP $!; " IN_TIME "in_time stop -t 1 $NAME; kill -CONT $!; wait $!;"
          "$CONTAINER rm -f $NAME" },

    { "the environment of exec -e", .without = NO_USER, .safe = WATCHED, .risk = "found .*",
      .script = "$GO -u 1000 $IN probe watch-proc hidden 200 cmdline environ comm >out & " INSIDE
          "while kill -0 $!; do $CONTAINER exec -u 0 -e SECRET=hidden $NAME probe exit 0; done"
          "  2>/dev/null; wait $!; cat out",
      .oracle = "$GO -u 1000 $IN probe watch-proc hidden 200 cmdline >out & " INSIDE
          "$CONTAINER exec $NAME sh -c 'sleep 1; : hidden'; wait $!; cat out" },

    { "bytes that a terminal obeys", .safe = "clean", .risk = "[0-9]+ bytes",
      .image = "esc=$(printf 'e\\033]0;x\\007\\233'); echo \"$BASE\" >layers;"
          "printf '%s\\n' -w \"/$esc\" \"$esc\" >args",
      .script = "esc=$(printf 'e\\033]0;x\\007\\233'); if [ $MODE = run ]; then"
          "  $GO --explain $IN; $GO $IN; $GO -w \"/$esc\" $IN \"$esc\"; $GO -u \"$esc\" $IN true;"
          "  $GO --explain -e \"$esc=1\" -h \"$esc\" $IN true; $GO \"./$esc\" true; $GO \"--$esc\";"
          "  $CONTAINER create --name $NAME-2 . \"$esc\"; $CONTAINER ps;"
          "  $CONTAINER inspect $NAME-2; $CONTAINER rm $NAME-2;"
          "else $GO $IN \"$esc\"; $GO -w \"/$esc\" $IN true; $GO -u \"$esc\" $IN true;"
          "  $GO -w /etc/passwd $IN \"$esc\"; $GO \"$esc\" true; fi >out 2>&1; " LOOK_AT_BYTES,
      .oracle = "cat args >out; " LOOK_AT_BYTES },

    { "files with capabilities", .before = "mkdir -p own/bin; cp $PROBE own/bin/fcap;"
          "$PROBE file-cap own/bin/fcap", .script = "$GO $IN fcap caps", /* starts, gains nothing */
      .image = "printf '%s\\n' $T/own \"$BASE\" >layers",
      .safe = "Cap(Inh|Amb) 0{16}|Cap(Prm|Eff|Bnd) 00000000800405fb|NoNewPrivs 1|Seccomp 2",
      .risk = "Cap.*|NoNewPrivs 0|Seccomp 0",
      .oracle = "setpriv --reuid 65534 --regid 65534 --clear-groups $T/own/bin/fcap caps" },
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
        if (a->typed)
            type(&t, a->typed);
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

/* What the kernel refuses anyway is not our merit. */
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
