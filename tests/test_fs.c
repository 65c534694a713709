/* SPDX-License-Identifier: MIT */
/*
 * test_fs.c - what the program finds under /.
 *
 *      layers       who covers whom; what is written goes to the top
 *      mounts       /proc, /sys and /dev, and what of them is hidden or locked
 *      volumes      the user's own files and directories
 *      in place     --in-place: a directory of the host's is the root
 *      etc          hosts, hostname, resolv.conf
 *      hostile      images that would lead us to the host's files
 *      removal      what the container has written goes, and nothing else
 *
 * Most tests run for two users, _i: there is one engine for both. Where something is refused,
 * the same attempt is also made without the defence, and succeeds: a probe that cannot
 * succeed proves nothing.
 */
#include "test.h"
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

/* A network would only cost time here. */
#define RUN "$CONTAINER run --rm --network none "
#define VOLUME "-v \"$T:/volume\" "

/* What a test needs first: it must succeed, and say nothing. */
#define prepare(...) expect(as(__VA_ARGS__), 0, "", "")

/* Is root in this user's containers also root outside? */
static bool root_outside(enum who who) {
    return is_root() && who == OURSELVES;
}

/* No container and no half of one may stay in CONTAINER_HOME. */
static void expect_nothing_left(enum who who) {
    prepare(who, "ls -A \"$CONTAINER_HOME/containers\" 2>/dev/null || :");
}

/* An image whose upper layer, ./own, belongs to the user: what is root's cannot be changed in a
 * user namespace, where root has no number. */
static void make_own_image(enum who who) {
    prepare(who, "mkdir -p image own/etc &&"
                 "printf '%%s\\n' \"$PWD/own\" \"$BASE\" >image/layers");
}

/* ---- layers ---- */

START_TEST(writes_go_to_the_top) {
    const char *look = "find own \"$BASE\" -exec stat -c '%n %i %s %y %a' {} +";
    int word = random_between(1, 1 << 30);

    make_own_image(_i);
    prepare(_i, "echo old >own/etc/motd && echo old >own/etc/gone");
    char *before = as(_i, "%s", look).out;
    expect(as(_i, "$CONTAINER run --network none --name kept ./image sh -c "
                  "'echo %d >/etc/motd; echo %d >/added; rm /etc/gone'",
              word, word),
           0, "", "");
    ck_assert_str_eq(as(_i, "%s", look).out, before);
    expect_exactly(as(_i, "cd \"$CONTAINER_HOME/containers/kept/upper\" && cat etc/motd added &&"
                          "[ -c etc/gone ] && echo whiteout"),
                   format("%d\n%d\nwhiteout\n", word, word));
}
END_TEST

/* Layers made by hand. A whiteout is a character device 0:0, which anybody may make; an opaque
 * directory is one with an attribute. */
static const struct {
    const char *look, *shows;
} covered[] = {
    // clang-format off
    { "cat /all",                          "top\n" },
    { "cat /two",                          "middle\n" },
    { "cat /one",                          "bottom\n" },
    { "sh -c '[ -e /gone ] || echo none'", "none\n" },        /* a whiteout above it */
    { "cat /back",                         "top\n" },         /* and a file above that */
    { "ls /merged",                        "bottom\ntop\n" },
    { "ls /opaque",                        "top\n" },
    { "cat /turned",                       "top\n" },         /* a directory below */
    // clang-format on
};

START_TEST(layers_cover_each_other) {
    prepare(_i, "set -e; home=\"$CONTAINER_HOME\";"
                "mkdir -p top \"$home/layers/middle\" \"$home/layers/bottom\";"
                "ln -s \"$home\"/layers/* .;"
                "for l in top middle bottom; do echo $l >$l/all; done;"
                "for l in middle bottom; do echo $l >$l/two; done; echo bottom >bottom/one;"
                "for f in gone back; do echo bottom >bottom/$f; mknod middle/$f c 0 0; done;"
                "echo top >top/back; mkdir bottom/turned; echo top >top/turned;"
                "for d in merged opaque; do"
                "  for l in top bottom; do mkdir $l/$d; echo >$l/$d/$l; done;"
                "done;"
                "mkdir -p \"$home/images/stack\"; cd \"$home/images/stack\";"
                "printf '%%s\\n' \"$T/top\" middle bottom \"$BASE\" >layers");
    const char *opaque = format("%s/top/opaque", getenv("T"));
    ck_assert_msg(setxattr(opaque, "user.overlay.opaque", "y", 1, 0) == 0,
                  "%s: no user attributes here: set TMPDIR to a directory on a disk", opaque);
    for (int i = 0; i < COUNT(covered); i++)
        expect_exactly(as(_i, RUN "stack %s", covered[i].look), covered[i].shows);
}
END_TEST

/* As many as any image has, and then the base; their order is all that decides. */
START_TEST(a_hundred_layers_keep_their_order) {
    prepare(_i, "set -e; mkdir -p \"$CONTAINER_HOME/layers\" \"$CONTAINER_HOME/images/many\";"
                "cd \"$CONTAINER_HOME/layers\"; for i in $(seq 100); do"
                "  l=$(printf 'layer-%%026d' $i); mkdir $l; echo $l >$l/first; echo >$l/file$i;"
                "done;"
                "{ ls | shuf; echo \"$BASE\"; } >../images/many/layers");
    char *first = as(_i, "head -n 1 \"$CONTAINER_HOME/images/many/layers\"").out;
    expect_exactly(as(_i, RUN "many sh -c 'cat /first; ls / | grep -c ^file'"),
                   format("%s100\n", first));
}
END_TEST

START_TEST(too_many_layers_are_refused) {
    prepare(_i, "mkdir image && for i in $(seq 300); do echo \"$BASE\"; done >image/layers");
    expect(as(_i, RUN "./image true"), 125, "", "layers");
    expect_nothing_left(_i);
}
END_TEST

/* Characters that mean something to overlay's mount options, or to a shell. */
static const char *const odd_names[] = {
    "a:b",
    "a,b",
    "a\\b",
    "a b",
    ":",
    ",",
    "\\",
    "a\\:b\\,c",
    "lowerdir=x,upperdir=y",
    "'\"$x`*",
};

/* Where such a name may stand: a plain image, a layer, and everything else. */
static const struct {
    const char *environment, *image;
} odd_places[] = {
    { "", "\"./$ODD/plain\"" },
    { "", "\"./$ODD/stack\"" },
    { "CONTAINER_HOME=\"$PWD/$ODD/home\"", "\"$ODD\"" },
};

START_TEST(paths_may_be_odd) {
    for (int i = 0; i < COUNT(odd_names); i++) {
        int word = random_between(1, 1 << 30);
        setenv("ODD", odd_names[i], 1);
        prepare(_i, "set -e; mkdir \"$ODD\"; cd \"$ODD\"; mkdir -p plain/bin stack;"
                    "mkdir -p \"home/images/$ODD\" home/layers;"
                    "echo %d >plain/word; cp \"$PROBE\" plain/bin;"
                    "cp -r plain \"home/layers/$ODD\";"
                    "printf '%%s\\n' \"$PWD/plain\" >stack/layers;"
                    "printf '%%s\\n' \"$ODD\" >\"home/images/$ODD/layers\"",
                word);
        for (int j = 0; j < COUNT(odd_places); j++)
            expect_exactly(as(_i, "%s " RUN "%s probe read /word", odd_places[j].environment,
                              odd_places[j].image),
                           format("%d\n", word));
    }
}
END_TEST

/* What is written into `layers`, and what the message must name. */
static const struct {
    const char *layers, *says;
} bad_layers[] = {
    { "$PWD/missing", "/missing" },
    { "missing", "layers/missing" },
    { "../missing", "missing" },
    { "$PWD/image/layers", "image/layers" }, /* a file */
    { "$PWD/loop", "loop" },
};

START_TEST(missing_layers_are_named) {
    for (int i = 0; i < COUNT(bad_layers); i++) {
        prepare(_i, "mkdir -p image && ln -sf loop loop && "
                    "printf '%%s\\n' \"$BASE\" \"%s\" >image/layers",
                bad_layers[i].layers);
        expect(as(_i, RUN "./image true"), 125, "", bad_layers[i].says);
        expect_nothing_left(_i);
    }
}
END_TEST

/* An empty line must not stand for the directory that holds everybody's layers. */
START_TEST(empty_lines_are_no_layers) {
    prepare(_i, "mkdir -p image \"$CONTAINER_HOME/layers/of-another-image\" &&"
                "printf '%%s\\n\\n' \"$BASE\" >image/layers");
    struct result r = as(_i, RUN "./image ls /");
    expect(r, 0, "bin\n", "");
    ck_assert_ptr_null(strstr(r.out, "of-another-image"));
}
END_TEST

/* ---- mounts ---- */

/* The numbers are in statfs(2). Only / is for programs: the others hold none. */
static const struct {
    const char *where, *type, *options;
} table[] = {
    // clang-format off
    { "/",           "0x794c7630", "rw,nosuid,nodev" },
    { "/proc",       "0x9fa0",     "rw,nosuid,nodev,noexec" },
    { "/proc/sys",   "0x9fa0",     "ro,nosuid,nodev,noexec" },
    { "/sys",        "0x62656572", "ro,nosuid,nodev,noexec" },
    { "/dev",        "0x1021994",  "rw,nosuid" },
    { "/dev/pts",    "0x1cd1",     "rw,nosuid,noexec" },
    { "/dev/shm",    "0x1021994",  "rw,nosuid,nodev,noexec" },
    { "/dev/mqueue", "0x19800202", "rw,nosuid,nodev,noexec" },
    // clang-format on
};

START_TEST(mounts_are_there) {
    for (int i = 0; i < COUNT(table); i++) {
        struct result r = as(_i, RUN "$BASE probe statfs %s", table[i].where);
        expect(r, 0, format("magic %s\n", table[i].type), "");
        expect(r, 0, format("options %s", table[i].options), "");
    }
    expect(as(_i, RUN "--privileged $BASE probe statfs /"), 0, "options rw,nodev", "");
    expect(as(_i, RUN "$BASE sed -n '/^none /p' /proc/mounts"), 0, "", ""); /* each has a source */
}
END_TEST

/* What is written need not reach the disk, if nobody wants it after the end. */
START_TEST(only_what_goes_is_volatile) {
    const char *look = "sh -c 'grep -c volatile /proc/self/mountinfo; true'";
    expect_exactly(as(_i, RUN "$BASE %s", look), "1\n");
    expect_exactly(as(_i, "$CONTAINER run --network none --name kept $BASE %s", look), "0\n");
    for (int i = 0; i < 2; i++)
        expect_exactly(as(_i, "{ $CONTAINER start kept && $CONTAINER wait kept; } >/dev/null &&"
                              "$CONTAINER logs kept | tail -n 1"),
                       "0\n");
    expect(as(_i, "$CONTAINER rm kept"), 0, NULL, "");
}
END_TEST

/* Devices, by the numbers that they have on every Linux. */
static const struct {
    const char *path, *number;
} devices[] = {
    { "/dev/null", "1:3" },
    { "/dev/zero", "1:5" },
    { "/dev/full", "1:7" },
    { "/dev/random", "1:8" },
    { "/dev/urandom", "1:9" },
    { "/dev/tty", "5:0" },
};

START_TEST(devices_have_their_numbers) {
    for (int i = 0; i < COUNT(devices); i++) {
        struct result r = as(_i, RUN "$BASE probe stat %s", devices[i].path);
        expect(r, 0, "type char\nmode 0666\n", "");
        expect(r, 0, format("rdev %s\n", devices[i].number), "");
    }
    /* without -t the console is another name of /dev/null */
    expect(as(_i, RUN "$BASE probe stat /dev/console"), 0, "rdev 1:3\n", "");
}
END_TEST

START_TEST(devices_work) {
    expect_exactly(as(_i, RUN "$BASE probe write /dev/null x"), "wrote 1\n");
    expect(as(_i, RUN "$BASE probe write /dev/full x"), 1, "write: errno ENOSPC\n", "");
    expect_exactly(as(_i, RUN "$BASE probe write /dev/console x"), "wrote 1\n");
    expect_exactly(as(_i, RUN "$BASE probe write /dev/shm/file x"), "wrote 1\n");
    expect(as(_i, RUN "$BASE probe open /dev/tty rw"), 1, "open: errno ENXIO\n", ""); /* no -t */
    expect_exactly(as(_i, RUN "$BASE probe open /dev/ptmx rw"), "open allowed\n");
    expect_exactly(as(_i, RUN "$BASE sh -c 'head -c 9 /dev/zero | wc -c;"
                              "head -c 9 /dev/random | wc -c; head -c 9 /dev/urandom | wc -c'"),
                   "9\n9\n9\n");
    const char *both = "sh -c 'echo out >/dev/stdout; echo err >/dev/stderr'";
    expect_exactly(as(_i, RUN "$BASE %s 2>&1 | sort", both), "err\nout\n"); /* two pipes: no order */
}
END_TEST

/* Not only for root: /dev/shm, too, is for everybody. */
START_TEST(devices_work_for_all) {
    expect_exactly(sh(RUN "-u 1000 $BASE probe write /dev/null x"), "wrote 1\n");
    expect_exactly(sh(RUN "-u 1000 $BASE probe write /dev/shm/file x"), "wrote 1\n");
    expect_exactly(sh(RUN "-u 1000 $BASE probe open /dev/ptmx rw"), "open allowed\n");
    expect(sh(RUN "-u 1000 $BASE probe write /dev/file x"), 1, "write: errno EACCES\n", "");
}
END_TEST

/* With -t, too: the terminal is /dev/tty, /dev/stdin and so on. A pseudo-terminal has major 136. */
START_TEST(the_terminal_is_not_the_console) {
    struct terminal t = at_terminal(_i, RUN "-t $BASE sh -c 'probe stat /dev/console;"
                                            " probe open /dev/tty rw;"
                                            " probe readlink /proc/self/fd/0;"
                                            " probe stat /dev/pts/0'");
    wait_for(&t, "rdev 1:3");
    wait_for(&t, "open allowed");
    wait_for(&t, "readlink /dev/pts/0");
    wait_for(&t, "rdev 136:0");
    ck_assert_int_eq(finish(&t), 0);
}
END_TEST

/* Nothing else: above all none of the host's disks and terminals. */
START_TEST(dev_holds_nothing_more) {
    expect_exactly(as(_i, RUN "$BASE ls /dev"),
                   "console\nfd\nfull\nmqueue\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\n"
                   "stdout\ntty\nurandom\nzero\n");
    expect(as(_i, RUN "$BASE probe stat /dev"), 0, "type dir\nmode 0755\n", "");
}
END_TEST

static const char *const links[][2] = {
    { "/dev/fd", "/proc/self/fd" },
    { "/dev/stdin", "/proc/self/fd/0" },
    { "/dev/stdout", "/proc/self/fd/1" },
    { "/dev/stderr", "/proc/self/fd/2" },
    { "/dev/ptmx", "pts/ptmx" },
};

START_TEST(dev_has_links) {
    for (int i = 0; i < COUNT(links); i++)
        expect_exactly(as(_i, RUN "$BASE probe readlink %s", links[i][0]),
                       format("readlink %s\n", links[i][1]));
}
END_TEST

/* A mount in a peer group appears in all its peers: so, first, the host's root is in one. */
START_TEST(mounts_stay_inside) {
    if (is_root())
        expect(sh("mount --make-rshared / && grep -q shared: /proc/self/mountinfo"), 0, "", "");
    expect(as(_i, "mkfifo here go; cat /proc/self/mountinfo >before;" RUN "-v \"$T:/t\" $BASE sh -c"
                  "    'cat /proc/self/mountinfo; echo >/t/here; read line </t/go' >inside &"
                  "cat here; cat /proc/self/mountinfo >during; echo >go; wait $! &&"
                  "cmp before during && grep -c ' /proc ' inside"),
           0, "1\n", "");
    expect(as(_i, "grep -E 'shared:|master:|propagate_from:' inside"), 1, "", "");
    if (is_root())
        expect(sh("mount --make-rprivate /"), 0, "", "");
}
END_TEST

/* The classic way out of a chroot, which is where the probe really gets out. */
START_TEST(no_way_out_of_the_root) {
    expect(as(_i, RUN "$BASE probe chroot-escape"), 0, "chroot-escape same\n", "");
    if (is_root())
        expect(sh("chroot $BASE /bin/probe chroot-escape"), 0, "chroot-escape escaped\n", "");
}
END_TEST

START_TEST(host_files_are_out_of_sight) {
    expect(as(_i, "echo secret >canary && $PROBE read \"$T/canary\""), 0, "secret\n", "");
    expect(as(_i, RUN "$BASE probe read \"$T/canary\""), 1, "errno ENOENT", "");
    expect(as(_i, RUN "$BASE probe read \"/proc/1/root$T/canary\""), 1, "errno", "");
    expect(as(_i, RUN "-v \"$T:/new$T\" $BASE probe read \"/new$T/canary\""), 0, "secret\n", "");
}
END_TEST

/* They tell about the host. Not every kernel has them all. */
static const char *const hidden[] = {
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/firmware",
    "/sys/devices/virtual/powercap",
};

START_TEST(secrets_are_hidden) {
    int shown = 0;
    for (int i = 0; i < COUNT(hidden); i++) {
        const char *path = hidden[i], *show = "if [ -d $P ]; then ls -A $P; else head -c 99 $P; fi";
        setenv("P", path, 1);
        if (access(path, F_OK) == -1)
            continue;
        expect_exactly(as(_i, RUN "-e P $BASE sh -c '%s'", show), "");
        if (*as(_i, "sh -c '%s'", show).out) /* some are empty, or for root only, even here */
            shown += *as(_i, RUN "--privileged -e P $BASE sh -c '%s'", show).out != '\0';
    }
    ck_assert_int_gt(shown, 0);
}
END_TEST

/* A write there would change the whole machine; open it only. Root inside is an ordinary user
 * outside, when it is: then only the network's settings are its own to change. */
static const struct {
    const char *path;
    bool root_only;
} locked[] = {
    { "/proc/sys/net/ipv4/ip_forward", false },
    { "/proc/sys/kernel/core_pattern", true },
    { "/proc/sysrq-trigger", true },
    { "/proc/irq/default_smp_affinity", true },
};

START_TEST(settings_are_locked) {
    for (int i = 0; i < COUNT(locked); i++) {
        const char *path = locked[i].path;
        if (access(path, F_OK) == -1 || (locked[i].root_only && !root_outside(_i)))
            continue;
        expect(as(_i, RUN "--cap-add NET_ADMIN $BASE probe open %s w", path), 1,
               "open: errno EROFS\n", "");
        expect_exactly(as(_i, RUN "--privileged $BASE probe open %s w", path), "open allowed\n");
    }
}
END_TEST

START_TEST(kernel_trees_are_read_only) {
    static const char *const trees[] = { "bus", "fs", "irq", "sys", "sysrq-trigger" };
    for (int i = 0; i < COUNT(trees); i++) {
        const char *look = format("$BASE probe statfs /proc/%s", trees[i]);
        if (access(format("/proc/%s", trees[i]), F_OK) == -1)
            continue;
        expect(as(_i, RUN "%s", look), 0, "options ro,", "");
        expect(as(_i, RUN "--privileged %s", look), 0, "options rw,", "");
    }
}
END_TEST

/* What we have covered or locked stays so. Whoever may mount could undo it. */
static const char *const undoing[] = {
    "remount-rw /proc/sys",
    "remount-rw /sys",
    "remount-rw /etc/hosts",
    "remount-rw /volume",
    "umount /proc/sys",
    "umount /proc/interrupts",
    "umount /sys/firmware",
    "umount /etc/hosts",
    "umount /volume",
    "umount /dev",
    "mount /proc",
    "fsopen",
};

START_TEST(mounts_cannot_be_undone) {
    for (int i = 0; i < COUNT(undoing); i++) {
        const char *line = format("-v \"$T:/volume:ro\" $BASE probe %s", undoing[i]);
        expect(as(_i, RUN "%s", line), 1, "errno EPERM\n", "");
        expect(as(_i, RUN "--cap-add SYS_ADMIN %s", line), 0, "allowed\n", "");
    }
}
END_TEST

/* ---- the root directory ---- */

static const struct {
    const char *file;
    bool writable; /* with --read-only */
} writes[] = {
    { "/file", false },
    { "/new/file", false },
    { "/dev/shm/file", true },
    { "/dev/null", true },
    { "/volume/file", true },
};

START_TEST(root_may_be_read_only) {
    for (int i = 0; i < COUNT(writes); i++) {
        const char *line = format("-w /new " VOLUME "$BASE probe write %s x", writes[i].file);
        bool ok = writes[i].writable;
        expect_exactly(as(_i, RUN "%s", line), "wrote 1\n");
        expect(as(_i, RUN "--read-only %s", line), !ok, ok ? "wrote 1\n" : "errno EROFS\n", "");
    }
    expect(as(_i, RUN "--read-only $BASE probe remount-rw /"), 1, "errno EPERM\n", "");
}
END_TEST

START_TEST(workdir_is_made) {
    expect_exactly(as(_i, RUN "$BASE probe cwd"), "cwd /\n");
    expect_exactly(as(_i, RUN "-w /bin $BASE probe cwd"), "cwd /bin\n");
    expect_exactly(as(_i, RUN "-w '/new/a b/c' $BASE probe cwd"), "cwd /new/a b/c\n");
    expect_exactly(as(_i, RUN "--read-only -w /new/dir $BASE probe cwd"), "cwd /new/dir\n");
    expect(as(_i, RUN "-w /bin/probe $BASE probe cwd"), 125, "", "/bin/probe");
}
END_TEST

/* A device node gives its device to whoever may open it. Only the host may make one. */
static const char *const writable[] = { "/", "/new", "/dev", "/dev/shm", "/volume" };

START_TEST(devices_cannot_be_made) {
    for (int i = 0; i < COUNT(writable); i++)
        expect(as(_i, RUN "-w /new " VOLUME "$BASE probe mknod %s/node 1 3 c", writable[i]), 1,
               "mknod: errno EPERM\n", "");
}
END_TEST

/* Made with a capability that we usually drop, they still do not open. */
START_TEST(made_devices_do_not_open) {
    const char *options = "--cap-add MKNOD -w /new " VOLUME;
    for (int i = 0; i < COUNT(writable); i++)
        expect(sh(RUN "%s $BASE probe mknod %s/node 1 3 c", options, writable[i]), 1,
               "mknod allowed\nmknod-open: errno EACCES\n", "");
}
END_TEST

/* On the host they open: the tmpfs is there because the disk may refuse them. */
START_TEST(host_devices_do_not_open) {
    expect(sh("mkdir image disk && mount -t tmpfs none disk && mknod -m 666 disk/node c 1 3 &&"
              "printf '%%s\\n' \"$PWD/disk\" \"$BASE\" >image/layers"),
           0, "", "");
    expect(as(_i, "$PROBE open disk/node r"), 0, "open allowed\n", "");
    expect(as(_i, RUN "./image probe open /node r"), 1, "open: errno EACCES\n", "");
    expect(as(_i, RUN "-v ./disk:/volume $BASE probe open /volume/node r"), 1,
           "open: errno EACCES\n", "");
    expect(as(_i, RUN "-v ./disk/node:/node $BASE probe open /node r"), 1,
           "open: errno EACCES\n", "");
    expect(sh("umount disk"), 0, "", "");
}
END_TEST

/* ---- volumes ---- */

START_TEST(volumes_go_both_ways) {
    int here = random_between(1, 1 << 30), there = random_between(1, 1 << 30);
    prepare(_i, "mkdir dir && echo %d | tee file >dir/file", here);
    expect_exactly(as(_i, RUN "-v ./dir:/dir -v ./file:/dir2/file $BASE sh -c "
                              "'cat /dir/file /dir2/file; echo %d | tee /dir/new >/dir2/file'",
                      there),
                   format("%d\n%d\n", here, here));
    expect_exactly(as(_i, "cat dir/new file"), format("%d\n%d\n", there, there));
}
END_TEST

/* What :ro must refuse, and without it does not. */
static const char *const changes[] = {
    "echo x >/dir/file",
    "echo x >/file",
    "echo x >/dir/new",
    "mkdir /dir/sub",
    "chmod 700 /dir",
    "mv /dir/file /dir/moved",
    "rm /dir/moved || rm /dir/file",
};

START_TEST(volumes_may_be_read_only) {
    const char *readonly = "-v ./dir:/dir:ro -v ./file:/file:ro";
    const char *usual = "-v ./dir:/dir -v ./file:/file";

    prepare(_i, "mkdir dir && echo old | tee file >dir/file");
    for (int i = 0; i < COUNT(changes); i++)
        expect(as(_i, RUN "%s $BASE sh -c '%s || exit 1'", readonly, changes[i]), 1, "",
               "Read-only file system");
    expect_exactly(as(_i, "ls dir; cat file dir/file"), "file\nold\nold\n");
    for (int i = 0; i < COUNT(changes); i++)
        expect_exactly(as(_i, RUN "%s $BASE sh -c '%s'", usual, changes[i]), "");
}
END_TEST

/* Read-only to the last file system mounted below it, which the container must see, too. */
START_TEST(volumes_hold_what_is_mounted_below) {
    int word = random_between(1, 1 << 30);
    expect(sh("mkdir -p dir/below && mount -t tmpfs none dir/below &&"
              "echo %d >dir/below/file && chmod 666 dir/below/file",
              word),
           0, "", "");
    expect_exactly(as(_i, RUN "-v ./dir:/dir:ro $BASE probe read /dir/below/file"),
                   format("%d\n", word));
    expect(as(_i, RUN "-v ./dir:/dir:ro $BASE probe write /dir/below/file x"), 1,
           "write: errno EROFS\n", "");
    expect(as(_i, RUN "-v ./dir:/dir:ro $BASE probe remount-rw /dir/below"), 1,
           "remount-rw: errno EPERM\n", "");
    expect_exactly(as(_i, RUN "-v ./dir:/dir $BASE probe write /dir/below/file x"), "wrote 1\n");
    expect(sh("umount dir/below"), 0, "", "");
}
END_TEST

START_TEST(volumes_may_be_many) {
    char *options = "", *files = "", *words = "";
    for (int i = random_between(5, 40); i > 0; i--) {
        int word = random_between(1, 1 << 30);
        prepare(_i, "mkdir dir%d && echo %d >dir%d/file", i, word, i);
        options = format("%s-v ./dir%d:/volume/%d ", options, i, i);
        files = format("%s /volume/%d/file", files, i);
        words = format("%s%d\n", words, word);
    }
    expect_exactly(as(_i, RUN "%s $BASE cat %s", options, files), words);
}
END_TEST

START_TEST(too_many_volumes_are_refused) {
    expect(as(_i, "for i in $(seq 300); do echo \"-v $T:/v$i\"; done >options;" RUN
                  "$(cat options) $BASE true"),
           125, "", "--volume");
    expect_nothing_left(_i);
}
END_TEST

/* A volume, as the shell reads it, and what then holds "word". */
static const struct {
    const char *volume, *file;
} places[] = {
    // clang-format off
    { "\"$T/dir:/new/deep/dir\"",         "/new/deep/dir/file" },
    { "\"$T/file:/new/deep/file\"",       "/new/deep/file" },
    { "\"$T/file:/etc/passwd\"",          "/etc/passwd" },     /* which the image has */
    { "\"$T/file:/etc/hosts\"",           "/etc/hosts" },      /* which we put there */
    { "\"$T/file:/dev/file\"",            "/dev/file" },
    { "\"$T/link:/new/dir\"",             "/new/dir/file" },   /* followed on the host */
    { "./dir:/new/dir",                   "/new/dir/file" },
    { ".:/new/dir",                       "/new/dir/file" },
    { "./dir:/bin/../mnt",                "/mnt/file" },
    { "'./a b,c=d\\:/new/a b,c=d\\'",     "/new/a b,c=d\\/file" },
    // clang-format on
};

START_TEST(volumes_go_anywhere) {
    prepare(_i, "mkdir dir 'a b,c=d\\' && ln -s dir link &&"
                "for d in . dir 'a b,c=d\\'; do echo word >\"$d/file\"; done");
    for (int i = 0; i < COUNT(places); i++)
        expect_exactly(as(_i, RUN "-v %s $BASE cat '%s'", places[i].volume, places[i].file),
                       "word\n");
}
END_TEST

START_TEST(volumes_nest) {
    prepare(_i, "mkdir -p outer inner && echo outer >outer/file && echo inner >inner/file");
    expect_exactly(as(_i, RUN "-v ./outer:/a -v ./inner:/a/b $BASE cat /a/file /a/b/file"),
                   "outer\ninner\n");
}
END_TEST

/* Not twice in the table of mounts, where the first would be below the second. */
START_TEST(volumes_replace_what_is_there) {
    expect(as(_i, "echo mine >hosts"), 0, "", "");
    expect_exactly(as(_i, RUN "-v ./hosts:/etc/hosts $BASE sh -c 'cat /etc/hosts; grep -c /etc/hosts /proc/mounts'"),
                   "mine\n1\n");
    expect(as(_i, "mkdir dir"), 0, "", "");
    expect(as(_i, RUN "-v ./dir:/proc $BASE ls /proc/self/stat"), 0, "/proc/self/stat\n", "");
    expect(as(_i, RUN "--network host -v ./dir:/sys $BASE ls /sys/kernel"), 1, "", "No such file");
}
END_TEST

/* ---- in place ---- */

#define IN_PLACE "--in-place $T/tree "

static void make_tree(enum who who) {
    expect(as(who, "mkdir tree && cd tree && mkdir tmp etc proc dev sys && cp -a $BASE/bin . && cp $BASE/etc/passwd etc;"
                   "[ ! -e $BASE/lib ] || cp -a $BASE/lib* ."),
           0, "", NULL);
}

/* The directory is the root, without a layer on top: what is written there is written here. */
START_TEST(in_place_is_no_layer) {
    int word = random_between(1, 1 << 30);
    make_tree(_i);
    expect_exactly(as(_i, RUN IN_PLACE "$BASE sh -c 'echo %d >/tmp/new; rm /etc/passwd; grep -c overlay /proc/mounts || :'",
                      word),
                   "0\n");
    expect_exactly(as(_i, "cat tree/tmp/new; ls tree/etc/passwd 2>/dev/null; ls $CONTAINER_HOME/containers"),
                   format("%d\n", word));
    expect(as(_i, RUN IN_PLACE "$BASE grep ' / ' /proc/mounts"), 0, "nosuid,nodev", "");
}
END_TEST

START_TEST(in_place_may_be_read_only) {
    make_tree(_i);
    expect(as(_i, RUN IN_PLACE "--read-only $BASE touch /tmp/new"), 1, "", "Read-only file system");
    expect_exactly(as(_i, "ls tree/tmp"), "");
}
END_TEST

/* IMAGE says what runs; files of these names in the root are a stranger's. */
START_TEST(in_place_is_no_image) {
    make_tree(_i);
    expect(as(_i, "echo / >tree/layers; printf '%%s\n' -e SECRET=1 >tree/args"), 0, "", "");
    expect_exactly(as(_i, RUN IN_PLACE "$BASE sh -c 'echo $SECRET; ls -d /layers'"), "\n/layers\n");
}
END_TEST

START_TEST(in_place_needs_a_directory) {
    expect(as(_i, RUN "--in-place $T/nosuch $BASE true"), 125, "", "nosuch: No such file");
    expect(as(_i, RUN "--in-place tree $BASE true"), 125, "", "--in-place tree: expected /DIR");
}
END_TEST

/* A directory cannot cover a file, nor a file a directory. */
START_TEST(volumes_must_fit) {
    prepare(_i, "mkdir dir && echo >file");
    expect(as(_i, RUN "-v ./dir:/bin/probe $BASE true"), 125, "", "/bin/probe");
    expect(as(_i, RUN "-v ./file:/bin $BASE true"), 125, "", "/bin");
    expect(as(_i, RUN "-v ./file:/bin/probe/file $BASE true"), 125, "", "/bin/probe/file");
    expect_nothing_left(_i);
}
END_TEST

/* ---- etc ---- */

START_TEST(names_are_in_etc) {
    char *name = format("host-%d", random_between(1, 1 << 30));
    struct result hosts = as(_i, RUN "-h %s $BASE probe read /etc/hosts", name);
    expect_exactly(as(_i, RUN "-h %s $BASE probe read /etc/hostname", name), format("%s\n", name));
    expect(hosts, 0, "127.0.0.1\tlocalhost\n", "");
    expect(hosts, 0, format("\t%s\n", name), "");
}
END_TEST

/* Ours, but not the program's; and the image keeps what it had. */
START_TEST(etc_files_are_locked) {
    static const char *const files[] = { "hosts", "hostname", "resolv.conf" };
    make_own_image(_i);
    for (int i = 0; i < COUNT(files); i++) {
        const char *file = files[i];
        prepare(_i, "echo the image\\'s >own/etc/%s", file);
        expect(as(_i, RUN "./image probe write /etc/%s x", file), 1, "write: errno EROFS\n", "");
        expect(as(_i, RUN "./image rm /etc/%s", file), 1, "", "busy");
        ck_assert_ptr_null(strstr(as(_i, RUN "./image cat /etc/%s", file).out, "image's"));
        expect_exactly(as(_i, "cat own/etc/%s", file), "the image's\n");
    }
    expect_exactly(as(_i, RUN "./image probe write /etc/motd x"), "wrote 1\n");
}
END_TEST

/* The host's resolver, in this test's own view of /etc; %d is a random number. A resolver at the
 * host's loopback is out of reach from inside: then systemd's list of the real ones serves. */
static const struct {
    const char *hosts, *network;
    bool replaced;
} resolvers[] = {
    // clang-format off
    { "nameserver 192.0.2.%d",                                   "none", false },
    { "search example.org\nnameserver 2001:db8::%d",             "none", false },
    { "nameserver 127.0.0.53 # %d",                              "none", true },
    { "options edns0\nnameserver\t127.0.0.%d",                   "none", true },
    { "nameserver ::1 # %d",                                     "none", true },
    { "# not nameserver 127.0.0.1 but\nnameserver 192.0.2.%d",   "none", false },
    { "nameserver 127.0.0.53 # %d",                              "host", false },
    // clang-format on
};

START_TEST(resolver_is_the_hosts) {
    int n = random_between(10, 250), real = random_between(10, 250);
    setenv("HOSTS", format(resolvers[_i].hosts, n), 1);
    expect(sh("echo \"$HOSTS\" >resolv.conf && mount --bind resolv.conf /etc/resolv.conf &&"
              "mount -t tmpfs none /run && mkdir -p /run/systemd/resolve &&"
              "echo nameserver 198.51.100.%d >/run/systemd/resolve/resolv.conf",
              real),
           0, "", "");
    struct result r = sh("$CONTAINER run --rm --network %s $BASE probe read /etc/resolv.conf",
                         resolvers[_i].network);
    if (resolvers[_i].replaced)
        expect_exactly(r, format("nameserver 198.51.100.%d\n", real));
    else
        expect_exactly(r, format("%s\n", getenv("HOSTS")));
    expect(sh("umount /run /etc/resolv.conf"), 0, "", "");
}
END_TEST

/* ---- hostile ---- */

/* A place where we mount something, and how it shows that ours is there. */
static const struct {
    const char *path, *probe, *shows;
} mount_points[] = {
    { "/proc", "statfs /proc", "magic 0x9fa0\n" },
    { "/sys", "statfs /sys", "magic 0x62656572\n" },
    { "/dev", "statfs /dev", "magic 0x1021994\n" },
    { "/dev/null", "stat /dev/null", "rdev 1:3\n" },
    { "/dev/console", "stat /dev/console", "rdev 1:3\n" },
    { "/etc", "read /etc/hosts", "localhost" },
    { "/etc/hosts", "read /etc/hosts", "localhost" },
    { "/etc/resolv.conf", "stat /etc/resolv.conf", "type file\n" },
};

/* What the image has there instead, after "PLACE=...; ". */
static const char *const traps[] = {
    ":", /* nothing: this one has to work */
    "ln -s $T/canary$PLACE image$PLACE",
    "ln -s ../../../../../../../../../../$T/canary$PLACE image$PLACE",
    "ln -s $T/canary/missing image$PLACE", /* dangling, for now */
    "ln -s ${PLACE##*/} image$PLACE", /* to itself */
    "ln -s /proc/sys/kernel/core_pattern image$PLACE",
    "ln -s /proc/self/root image$PLACE",
    "mkfifo image$PLACE",
    "echo >image$PLACE",
    "mkdir image$PLACE",
    "mkdir image$PLACE && echo >image$PLACE/file && chmod 0 image$PLACE",
};

/* With a terminal it is the same. */
static void try_trap_at_a_terminal(enum who who) {
    struct terminal t = at_terminal(who, "timeout --foreground 10 " RUN
                                         "-t ./image probe stat /dev/console");
    int status = finish(&t);
    const char *wanted = status ? "container: " : "rdev 1:3";
    ck_assert_msg((status == 0 || status == 125) && strstr(t.seen, wanted), "status %d: %s", status,
                  t.seen);
}

/* It runs, with our own file system there, or it says what is wrong, within 10 seconds; the host
 * stays as it was. */
START_TEST(traps_catch_nobody) {
    const char *place = mount_points[_i % COUNT(mount_points)].path;
    enum who who = _i / COUNT(mount_points);
    const char *look = "find canary -exec stat -c '%n %F %i %s %y' {} +;"
                       "cat /proc/sys/kernel/core_pattern canary/*/*";
    setenv("PLACE", place, 1);
    prepare(who, "for d in proc sys dev etc; do mkdir -p canary/$d image/$d; done;"
                 "for f in dev/null dev/console etc/hosts etc/resolv.conf; do"
                 "    echo host >canary/$f; done;"
                 "mkdir image/bin; cp \"$PROBE\" image/bin; mkdir volume; echo >volume/file");
    char *before = as(who, "%s", look).out;
    for (int i = 0; i < COUNT(traps); i++) {
        prepare(who, "chmod -fR 700 image; rm -rf image$PLACE && %s", traps[i]);
        struct result r = as(who, "timeout 10 " RUN "-v ./volume:/etc/volume ./image probe %s",
                             mount_points[_i % COUNT(mount_points)].probe);
        if (r.status != 0 && i > 0) {
            expect(r, 125, "", "container: ");
            expect(r, 125, "", place);
        } else
            expect(r, 0, mount_points[_i % COUNT(mount_points)].shows, "");
        if (!strncmp(place, "/dev", 4))
            try_trap_at_a_terminal(who);
        ck_assert_str_eq(as(who, "%s", look).out, before);
        expect_nothing_left(who);
    }
}
END_TEST

/* Many images have such links, and mean no harm: our files cover them. */
START_TEST(links_in_etc_are_covered) {
    make_own_image(_i);
    prepare(_i, "cd own/etc && ln -s ../run/systemd/resolve/stub-resolv.conf resolv.conf &&"
                "ln -s /run/hostname hostname && ln -s hosts.real hosts && echo word >hosts.real");
    expect_exactly(as(_i, RUN "-h name ./image cat /etc/hostname /etc/hosts.real"), "name\nword\n");
    expect(as(_i, RUN "./image cat /etc/hosts"), 0, "localhost", "");
    expect(as(_i, RUN "./image cat /etc/resolv.conf"), 0, NULL, "");
    expect(as(_i, RUN "./image probe exists /run/systemd"), 1, "errno ENOENT", "");
}
END_TEST

/* The file that hides /proc/keys is the kernel's null device, whatever the image calls so. */
START_TEST(masks_are_not_the_images) {
    prepare(_i, "mkdir -p image/bin image/dev; cp \"$PROBE\" image/bin; echo fake >image/dev/null");
    expect_exactly(as(_i, RUN "./image probe read /proc/interrupts"), "");
    expect(as(_i, RUN "./image probe stat /proc/interrupts"), 0, "rdev 1:3\n", "");
}
END_TEST

/* ---- removal ---- */

/* Neither a directory that may not be entered, nor one that may not be changed, stays. */
START_TEST(removes_closed_directories) {
    expect(as(_i, RUN "-w /new $BASE sh -c '"
                      "mkdir -p a/b/c; touch a/file a/b/file a/b/c/file; chmod 0 a/b/c a/b a;"
                      "mkdir -p d/e; touch d/file d/e/file; chmod 555 d/e d; mkdir f; chmod 0 f;"
                      "mkdir g; touch g/file; chmod 333 g; mkdir h; touch h/file; chmod 666 h'"),
           0, "", "");
    expect_nothing_left(_i);
}
END_TEST

/* 10000 directories, one in the other: the path is longer than any system call takes, so it is
 * made in 25 pieces, each moved to the bottom of the next. In memory, because a busy disk needs a
 * minute for that; fewer on the disk, if we are not root and cannot mount. */
#define DEEP "CONTAINER_HOME=$T/mem/home $CONTAINER "

START_TEST(removes_deep_directories) {
    static const char *const ways[] = { "run --rm", "run" };
    expect(sh("mkdir -m 1777 mem && { [ $(id -u) != 0 ] || mount -t tmpfs none mem; }"), 0, "", "");
    for (int i = 0; i < COUNT(ways); i++)
        expect(as(_i, DEEP "%s --name deep --network none -w /new $BASE sh -c '"
                           "piece=$(for i in $(seq 400); do printf deep/; done);"
                           "for i in $(seq %d); do"
                           "    mkdir -p next/$piece; [ ! -e top ] || mv top next/$piece;"
                           "    mv next top;"
                           "done'",
                  ways[i], is_root() ? 25 : 5),
               0, "", "");
    expect(as(_i, DEEP "rm deep"), 0, NULL, "");
    expect(as(_i, "ls -A mem/home/containers"), 0, "", "");
    expect(sh("[ $(id -u) != 0 ] || umount mem"), 0, "", "");
}
END_TEST

/* Overlay's own: the whiteout of a removed file, and an opaque directory made anew. */
START_TEST(removes_what_is_no_file) {
    make_own_image(_i);
    prepare(_i, "mkdir own/dir; echo >own/dir/file; echo >own/file");
    expect(as(_i, RUN "%s -w /new ./image sh -c '"
                      "rm -r /file /dir; mkdir /dir; echo >/dir/new;"
                      "mkfifo pipe; ln -s nowhere dangling; ln -s loop loop;"
                      "touch ./-f \"a b\nc\"; %s'",
              root_outside(_i) ? "--cap-add MKNOD" : "",
              root_outside(_i) ? "mknod device c 1 3; mknod disk b 7 0" : ""),
           0, "", "");
    expect_nothing_left(_i);
}
END_TEST

/* Links are removed, and not what they lead to; a volume's files are not the container's. */
START_TEST(removes_nothing_else) {
    prepare(_i, "mkdir canary && echo word >canary/file");
    expect(as(_i, RUN "-v ./canary:/new/volume -w /new $BASE sh -c '"
                      "ln -s \"$1\"/canary link; ln -s \"$1\"/canary/file file; mkdir sub;"
                      "ln -s ../../../../../../../../../../../../$1/canary sub/link' sh \"$T\""),
           0, "", "");
    expect_exactly(as(_i, "cat canary/file"), "word\n");
    expect_nothing_left(_i);
}
END_TEST

/* ---- all of them ---- */

Suite *fs_suite(void) {
    Suite *s = suite_create("fs");
    TCase *t = new_case(s, "layers");
    tcase_add_loop_test(t, writes_go_to_the_top, 0, users());
    tcase_add_loop_test(t, layers_cover_each_other, 0, users());
    tcase_add_loop_test(t, a_hundred_layers_keep_their_order, 0, users());
    tcase_add_loop_test(t, too_many_layers_are_refused, 0, users());
    tcase_add_loop_test(t, paths_may_be_odd, 0, users());
    tcase_add_loop_test(t, missing_layers_are_named, 0, users());
    tcase_add_loop_test(t, empty_lines_are_no_layers, 0, users());

    t = new_case(s, "mounts");
    tcase_add_loop_test(t, mounts_are_there, 0, users());
    tcase_add_loop_test(t, only_what_goes_is_volatile, 0, users());
    tcase_add_loop_test(t, devices_have_their_numbers, 0, users());
    tcase_add_loop_test(t, devices_work, 0, users());
    if (is_root())
        tcase_add_test(t, devices_work_for_all);
    tcase_add_loop_test(t, the_terminal_is_not_the_console, 0, users());
    tcase_add_loop_test(t, dev_holds_nothing_more, 0, users());
    tcase_add_loop_test(t, dev_has_links, 0, users());
    tcase_add_loop_test(t, mounts_stay_inside, 0, users());
    tcase_add_loop_test(t, no_way_out_of_the_root, 0, users());
    tcase_add_loop_test(t, host_files_are_out_of_sight, 0, users());
    tcase_add_loop_test(t, secrets_are_hidden, 0, users());
    tcase_add_loop_test(t, settings_are_locked, 0, users());
    tcase_add_loop_test(t, kernel_trees_are_read_only, 0, users());
    tcase_add_loop_test(t, mounts_cannot_be_undone, 0, users());

    t = new_case(s, "root");
    tcase_add_loop_test(t, root_may_be_read_only, 0, users());
    tcase_add_loop_test(t, workdir_is_made, 0, users());
    tcase_add_loop_test(t, devices_cannot_be_made, 0, users());
    if (is_root()) {
        tcase_add_test(t, made_devices_do_not_open);
        tcase_add_loop_test(t, host_devices_do_not_open, 0, users());
    } else
        left_out("device nodes in images and volumes", "to make one needs root");

    t = new_case(s, "volumes");
    tcase_add_loop_test(t, volumes_go_both_ways, 0, users());
    tcase_add_loop_test(t, volumes_may_be_read_only, 0, users());
    tcase_add_loop_test(t, volumes_may_be_many, 0, users());
    tcase_add_loop_test(t, too_many_volumes_are_refused, 0, users());
    tcase_add_loop_test(t, volumes_go_anywhere, 0, users());
    tcase_add_loop_test(t, volumes_nest, 0, users());
    tcase_add_loop_test(t, volumes_must_fit, 0, users());
    tcase_add_loop_test(t, volumes_replace_what_is_there, 0, users());
    if (is_root())
        tcase_add_loop_test(t, volumes_hold_what_is_mounted_below, 0, users());
    else
        left_out("mounts below a volume", "to mount needs root");

    t = new_case(s, "in place");
    tcase_add_loop_test(t, in_place_is_no_layer, 0, users());
    tcase_add_loop_test(t, in_place_may_be_read_only, 0, users());
    tcase_add_loop_test(t, in_place_is_no_image, 0, users());
    tcase_add_loop_test(t, in_place_needs_a_directory, 0, users());

    t = new_case(s, "etc");
    tcase_add_loop_test(t, names_are_in_etc, 0, users());
    tcase_add_loop_test(t, etc_files_are_locked, 0, users());
    if (is_root())
        tcase_add_loop_test(t, resolver_is_the_hosts, 0, COUNT(resolvers));
    else
        left_out("other resolvers than this host's", "to mount needs root");

    t = new_case(s, "hostile");
    tcase_add_loop_test(t, traps_catch_nobody, 0, COUNT(mount_points) * users());
    tcase_add_loop_test(t, links_in_etc_are_covered, 0, users());
    tcase_add_loop_test(t, masks_are_not_the_images, 0, users());

    t = new_case(s, "removal");
    tcase_add_loop_test(t, removes_closed_directories, 0, users());
    tcase_add_loop_test(t, removes_deep_directories, 0, users());
    tcase_add_loop_test(t, removes_what_is_no_file, 0, users());
    tcase_add_loop_test(t, removes_nothing_else, 0, users());
    return s;
}
