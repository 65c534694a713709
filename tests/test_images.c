/* SPDX-License-Identifier: MIT */
/*
 * test_images.c - images from elsewhere and for elsewhere: the words that rootfs/image knows.
 *
 *      misuse       what is not a word, an image or a name: a clear message
 *      local        import, images, tag, history, diff, rmi, prune
 *      committed    what a container has written becomes an image's top layer
 *      exchange     a registry; what other tools have made, and what they make of ours
 *      broken       images that are not what they should be; signals, a full disk
 *      hostile      archives made by an enemy
 *
 * skopeo fetches and checks what comes; its own checks are not repeated here. The registry is the
 * one that everybody uses, docker-registry, on loopback.
 */
#include "test.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define IMAGE "$CONTAINER "
#define SCRIPT "\"$ROOTFS/image\" "
#define RUN "$CONTAINER run --rm --network none "
#define HOME_DIR "\"$CONTAINER_HOME\""

static int port;

/* ---- misuse ---- */

static const struct {
    const char *line, *says;
} misused[] = {
    // clang-format off
    { "nosuch",               "nosuch" },          { "nosuch --help",        "nosuch" },
    { "import a",             "usage: container import FILE|DIR|- NAME\n" },
    { "import a b c",         "usage" },           { "pull",                 "usage" },
    { "pull a b c",           "usage" },           { "push a",               "usage" },
    { "tag a",                "usage" },           { "rmi",                  "usage: container rmi" },
    { "images a",             "container images\n" },
    { "diff",                 "usage" },           { "history",              "usage" },
    { "load",                 "usage" },           { "load a b c",           "usage" },
    { "save a",               "usage" },           { "save",                 "usage" },
    { "commit",               "usage" },           { "commit a",             "usage" },
    { "prune a",              "usage" },           { "debian a b c",         "usage" },
    { "import /dev/null ../a", "../a" },           { "import nosuch a",      "nosuch" },
    { "rmi nosuch",           "nosuch" },          { "rmi ../a",             "../a" },
    { "history nosuch",       "nosuch" },          { "tag nosuch a",         "nosuch" },
    { "save nosuch f",        "nosuch" },          { "push nosuch a",        "nosuch" },
    { "diff nosuch",          "nosuch" },          { "load nosuch",          "nosuch" },
    { "commit nosuch a",      "nosuch" },          { "commit ../a a",        "../a" },
    { "commit a ../x",        "../x" },            { "commit a b/c",         "b/c" },
    { "commit a ''",          "NAME" },            { "commit a -x",          "-x" },
    { "debian 'x y'",         "NAME" },           { "debian stable ../x",   "../x" },
    { "pull ''",              "expected" },        { "pull a@sha256:12",     "invalid reference" },
    { "pull Alpine",          "must be lowercase" },
    { "pull 'a b'",           "expected" },        { "pull -- -x",           "expected" },
    { "pull \"$(printf 'a\\nb')\"", "expected" }, { "pull a ../x",        "../x" },
    { "pull oci:nosuch a",    "no such file" },    { "pull a:\"$(seq -s x 40)\"", "63" },
    // clang-format on
};

/* "container: WORD: what is wrong", 125, and nothing is made. */
START_TEST(refuses) {
    struct result r = sh(IMAGE "%s </dev/null", misused[_i].line);
    expect(r, 125, "", misused[_i].says);
    expect(r, 125, "", "container: ");
    expect(sh("find " HOME_DIR "/images " HOME_DIR "/layers -mindepth 1 2>/dev/null | grep ."), 1, "", "");
}
END_TEST

static const char *const named[] = { "base", "build", "commit", "debian", "diff", "history", "images",
                                     "import", "load", "prune", "pull", "push", "rmi", "save",
                                     "tag" };

/* As a word of container, and of the script beside it. */
START_TEST(helps) {
    expect(sh(IMAGE "%s --help", named[_i]), 0, format("usage: container %s", named[_i]), "");
    expect(sh(SCRIPT "--help"), 0, format("\n    %s ", named[_i]), "");
    expect(sh(SCRIPT), 125, "", "usage: container COMMAND");
}
END_TEST

/* Without a program the message names its package. Without skopeo everything else works. */
START_TEST(names_what_is_missing) {
    expect(as(_i, "mkdir bin rootfs lessons && for f in /bin/* /usr/bin/* /sbin/* /usr/sbin/*; do"
                  " case $f in *skopeo) ;; *) ln -s $f bin 2>/dev/null ;; esac; done;"
                  "cp \"$ROOTFS\"/* rootfs 2>/dev/null; ln -s \"$TOOLS\" lessons/tools &&"
                  "sed -i 's|:/usr/sbin:/usr/bin:/sbin:/bin|:|' rootfs/image"),
           0, "", "");
    expect(as(_i, "PATH=$T/bin rootfs/image pull alpine"), 125, "",
           "needs skopeo; on Debian: apt-get install skopeo");
    expect(as(_i, "tar -c -C \"$BASE\" --exclude ./root . | PATH=$T/bin rootfs/image import - base && " RUN
                  "base ls / | grep -c bin && $CONTAINER create --network none --name $NAME base true"),
           0, "\n2\n", NULL);
    expect(as(_i, "PATH=$T/bin rootfs/image commit $NAME one && $CONTAINER rm $NAME"), 0, "one: ", "");
    expect(as(_i, "rm -f bin/*busybox*; PATH=$T/bin rootfs/image base $T/new; cp $(command -v sleep) bin/busybox;"
                  "PATH=$T/bin rootfs/image base $T/new; CONTAINER_HOME=$T/new PATH=$T/bin rootfs/image import - a"),
           125, "", "needs a static busybox; on Debian: apt-get install busybox-static");
}
END_TEST

/* ---- local images ---- */

START_TEST(imports) {
    static const char *const packers[] = { "cat", "gzip", "xz", "zstd", "bzip2" };
    expect(as(_i, "tar -c -C \"$BASE\" --exclude ./root --exclude ./bin/busybox . >a.tar &&"
                  "tar -r -f a.tar -C \"$BASE\" ./bin/busybox"),
           0, "", NULL);
    for (int i = 0; i < COUNT(packers); i++) {
        expect(as(_i, "%s <a.tar >b && " IMAGE "import b a%d && " RUN "a%d hostname", packers[i], i,
                  i),
               0, format("a%d: ", i), "");
    }
    expect(as(_i, "cat b | " IMAGE "import - c && echo echo $((6 * 7)) | " RUN "c"), 0, "\n42\n",
           "");
    expect(as(_i, "mkdir dir && tar -x -C dir -f a.tar && " IMAGE "import dir d && " RUN
                  "d cmp /bin/busybox /bin/sh"),
           0, "d: ", "");
    expect(as(_i, ": >e; " IMAGE "import e x; ls " HOME_DIR "/images"),
           0, "a0\na1\na2\na3\na4\nc\nd\n", "does not look like a tar");
}
END_TEST

/* No container can make devices: the rest is there. */
START_TEST(imports_devices) {
    expect(sh("mkdir d && mknod d/zero c 1 5 && mknod d/disk b 8 0 && mkfifo d/pipe && echo >d/file"
              " && tar -c -f d.tar -C d ."),
           0, "", "");
    expect(as(_i, IMAGE "import d.tar d"), 0, "d: ", "");
    expect(as(_i, "cd " HOME_DIR "/layers/* && echo *"), 0, "file pipe\n", "");
}
END_TEST

/* A container of ours, with changes of every kind. */
#define CHANGE \
    "rm /bin/vi; rm -r /home; mkdir /home; echo >/home/new; echo >/added; chmod 700 /srv;" \
    "mkdir -p /deep/a; echo >/deep/a/b; ln /added /deep/hard; ln -s nowhere /deep/soft"

static void make_container(enum who who) {
    expect(as(who, "tar -c -C \"$BASE\" --exclude ./root . | " IMAGE "import - base &&"
                   "$CONTAINER run --network none --name $NAME base sh -c '" CHANGE "'"),
           0, "base: ", NULL);
}

START_TEST(lists) {
    make_container(_i);
    expect(as(_i, IMAGE "diff $NAME"), 0,
           "A /added\nC /bin\nD /bin/vi\nA /deep\nA /deep/a\nA /deep/a/b\nA /deep/hard\n"
           "A /deep/soft\nC /home\nA /home/new\nD /home/student\nC /srv\n",
           "");
    expect(as(_i, IMAGE "commit $NAME one && " IMAGE "tag one two && " IMAGE "images"), 0,
           "\nbase                                   1 ", "");
    expect(as(_i, IMAGE "images"), 0, "\ntwo                                    2 ", "");
    struct result r = as(_i, IMAGE "history two");
    expect(r, 0, format("commit %s\n", getenv("NAME")), "");
    ck_assert(strstr(r.out, "import -") > strstr(r.out, "commit "));
    expect(as(_i, IMAGE "rmi one nosuch"), 125, "", "nosuch: no such image");
    expect(as(_i, RUN "two sh -c 'ls /home'; ls " HOME_DIR "/layers | wc -l"), 0, "new\n2\n", "");
    expect(as(_i, IMAGE "rmi two; ls " HOME_DIR "/layers | wc -l; ls " HOME_DIR "/images"), 0,
           "1\nbase\n", "");
    expect(as(_i, IMAGE "rmi base && $CONTAINER start $NAME && $CONTAINER wait $NAME"), 0, NULL, "");
    expect(as(_i, "$CONTAINER rm $NAME; " IMAGE "prune; ls -A " HOME_DIR "/images " HOME_DIR
                  "/layers | wc -w"),
           0, "2\n", ""); /* the names of the two */
}
END_TEST

/* While one makes an image, rm waits: a layer that has no image yet would be nobody's. */
START_TEST(rm_waits) {
    expect(sh("tar -c -C \"$BASE\" . >a.tar && " IMAGE "import a.tar a && mkfifo pipe"), 0, NULL, "");
    expect(sh("(" IMAGE "import - b <pipe) & exec 5>pipe;"
              "until [ -e " HOME_DIR "/new.*/image ]; do sleep 0.02; done;"
              "timeout 1 " SCRIPT "rmi a; echo $?; cat a.tar >&5; exec 5>&-; wait; " IMAGE "rmi a &&" RUN "b true"),
           0, "124\n", "");
}
END_TEST

/* When this machine has another tar, the box is made anew. Two commands make it once. */
START_TEST(replaces_the_box) {
    expect(sh("for i in 1 2 3 4; do " IMAGE "import \"$BASE\" a$i & done; wait; cd " HOME_DIR ";"
              "ls -d box.*/ | wc -l; mkdir $T/p; cp \"$(command -v tar)\" $T/p; echo >>$T/p/tar;"
              "PATH=$T/p:$PATH; " IMAGE "import \"$BASE\" b && cmp $T/p/tar box/bin/tar &&"
              "ls -d box.*/ | wc -l && " IMAGE "prune && ls -d box.*/ | wc -l"),
           0, "\n1\nb: 1 layers", NULL);
    expect(sh("cd " HOME_DIR "; ls -d box.*/ | wc -l"), 0, "1\n", "");
}
END_TEST

/* What nobody lists goes, also the layers that only the cache of build knows; what is in use stays.
 * So do containers, apart from those of a build that was killed. */
START_TEST(prunes) {
    make_container(_i);
    expect(as(_i, "cd " HOME_DIR " && mkdir -p layers/old new.x/closed cache box.z && chmod 0 new.x/closed &&"
                  "ln -s ../layers/old cache/a && ln -s ../layers/gone cache/b && ln -s ../layers/$(cat images/base/layers) cache/c &&"
                  "$CONTAINER create --network none --name $NAME-build base true && echo \"$PWD/new.y/work/0\" >containers/$NAME-build/image"),
           0, NULL, "");
    expect(as(_i, IMAGE "prune"), 0, "old: removed\n", "");
    expect(as(_i, "cd " HOME_DIR " && ls -A layers | wc -l; ls -A images cache containers; ls -d box.*/ new.* 2>/dev/null | wc -l"), 0,
           format("1\ncache:\nc\n\ncontainers:\n%s\n\nimages:\nbase\n1\n", getenv("NAME")), "");
    expect(as(_i, "$CONTAINER start $NAME && $CONTAINER wait $NAME && $CONTAINER rm $NAME && " RUN "base true"), 0, NULL, "");
}
END_TEST

/* A name may have a tag, as Docker's have. */
START_TEST(runs_a_tag) {
    make_container(_i);
    expect(as(_i, IMAGE "tag base alpine:3.20 && " RUN "alpine:3.20 hostname && " IMAGE "rmi alpine:3.20"), 0, "alpine:3.20: 1 layers, ", "");
    expect(as(_i, RUN "alpine:3.20 true"), 125, "", "no image \"alpine:3.20\"; try: container pull alpine:3.20");
    expect(as(_i, "$CONTAINER rm $NAME"), 0, "", "");
}
END_TEST

/* ---- committed ---- */

#define DIR HOME_DIR "/containers/$NAME"
#define LAYER HOME_DIR "/layers/$(head -n 1 " HOME_DIR "/images/one/layers)"
#define START "$CONTAINER run -d --network none --name $NAME base "

/* All that a directory holds. (All deletions may be links to one.) */
#define LOOK \
    "{ find . -mindepth 1 ! -type c -printf '%%P %%y %%m %%U:%%G %%T@ %%l\\n'; find . -type f -printf '%%P %%s %%n\\n';" \
    "  find . -type c -exec stat -c '%%n %%t:%%T' {} +; getfattr -R -P -h -d -m 'word|opaque' .; } | sort"

static void import_base(enum who who) {
    expect(as(who, "tar -c -C \"$BASE\" --exclude ./root . | " IMAGE "import - base"), 0, "base: ",
           NULL);
}

/* Deletions, directories made anew, links, owners, times, attributes, holes. */
START_TEST(commits_all_changes) {
    make_container(_i);
    expect(as(_i, "cd " DIR "/upper && mkfifo fifo && mkdir -m 1777 sticky && chmod 6751 added &&"
                  "truncate -s 1G hole && setfattr -n user.word -v hi added && touch -d @981173106 added sticky"),
           0, "", "");
    if (_i == OURSELVES)
        expect(sh("cd " DIR "/upper && chown 7:8 home/new && chown -h 9 deep/soft"),
               0, "", "");
    char *before = as(_i, "cd " DIR "/upper && " LOOK).out;
    ck_assert(strstr(before, "./bin/vi 0:0") && strstr(before, "user.overlay.opaque=\"y\""));
    expect(as(_i, IMAGE "commit $NAME one"), 0, "one: 2 layers", "");
    ck_assert_str_eq(as(_i, "cd " LAYER " && " LOOK).out, before);
    ck_assert_str_eq(as(_i, "cd " DIR "/upper && " LOOK).out, before);
    expect(as(_i, "[ $(du -k " LAYER "/hole | cut -f 1) -lt 1000 ] && " RUN "one sh -c 'ls /home; [ /added -ef /deep/hard ] && ls /bin/vi'"),
           1, "new\n", "/bin/vi: No such file");
    expect(as(_i, "cat " DIR "/exit; $CONTAINER start $NAME"), 0, "0", "");
}
END_TEST

/* Before its first life, and after it. The words before IMAGE are nobody's business. */
START_TEST(commits_what_does_not_run) {
    import_base(_i);
    expect(as(_i, "$CONTAINER create --network none --name $NAME -e SECRET=1 base sh -c 'echo hi >/new' &&" IMAGE "commit $NAME one && " RUN "one ls /new"),
           1, "one: ", "/new: No such file");
    expect(as(_i, "$CONTAINER start $NAME && $CONTAINER wait $NAME && " IMAGE "commit $NAME one && " RUN "one cat /new"),
           0, "\nhi\n", "");
    expect(as(_i, IMAGE "history one"), 0, format("  commit %s\n", getenv("NAME")), "");
    expect(as(_i, "$CONTAINER rm $NAME; grep -r SECRET " HOME_DIR "/images"), 1, "", "");
}
END_TEST

/* It goes on, and what it writes then is not in the image, whatever it has open. Where it has no
 * cgroup, it cannot be paused. */
START_TEST(commits_what_runs) {
    import_base(_i);
    expect(as(_i, START "sh -c 'exec >/out; while :; do echo $((n += 1)); done'"), 0, NULL, "");
    until(_i, "[ -s " DIR "/upper/out ]");
    if (as(_i, "[ -s " DIR "/cgroup ]").status != 0) {
        expect(as(_i, IMAGE "commit $NAME one"), 125, "", "cannot be paused");
    } else {
        expect(as(_i, IMAGE "commit $NAME one"), 0, "one: ", "");
        char *sum = as(_i, "sha256sum " LAYER "/out").out;
        until(_i, "[ $(wc -c <" DIR "/upper/out) -gt $(($(wc -c <" LAYER "/out) + 100)) ]");
        ck_assert_str_eq(as(_i, "sha256sum " LAYER "/out").out, sum);
        expect(as(_i, "$CONTAINER pause $NAME && " IMAGE "commit $NAME one && cmp " DIR "/upper/out " LAYER "/out && $CONTAINER ps"),
               0, " paused ", "");
    }
    expect(as(_i, "$CONTAINER rm -f $NAME; ls -A " HOME_DIR "/layers | wc -l"), 0, NULL, "");
}
END_TEST

/* Three at once: each image is whole, and the container goes on. One waits for the other. */
START_TEST(commits_one_after_the_other) {
    import_base(_i);
    bool can_pause = as(_i, START "sh -c 'head -c 9437184 /dev/zero >/big; touch /done; sleep 1000' && [ -s " DIR "/cgroup ]").status == 0;
    until(_i, "[ -e " DIR "/upper/done ]");
    if (!can_pause)
        expect(as(_i, "$CONTAINER stop -t 0 $NAME"), 0, NULL, "");
    expect(as(_i, "for i in 1 2 3; do " IMAGE "commit $NAME i$i & done; wait; for i in 1 2 3; do " RUN "i$i wc -c /big; done"),
           0, "9437184 /big\n9437184 /big\n9437184 /big\n", "");
    expect(as(_i, "$CONTAINER ps"), 0, can_pause ? " running " : " exited ", "");
    expect(as(_i, "exec 5<" DIR "/layers; flock 5; timeout 1 " SCRIPT "commit $NAME one; echo $?; ls " HOME_DIR "/images"),
           0, "124\nbase\ni1\ni2\ni3\n", NULL);
    expect(as(_i, "$CONTAINER rm -f $NAME"), 0, NULL, "");
}
END_TEST

/* Nobody starts or removes a container while it is copied, nor copies what is being set up. */
START_TEST(commits_what_nobody_works_on) {
    import_base(_i);
    expect(as(_i, "$CONTAINER create --network none --name $NAME base true && exec 5<" DIR " &&"
                  "flock 5 && " IMAGE "commit $NAME one"),
           125, NULL, "another command is at work");
    expect(as(_i, "ls -A " HOME_DIR "/images; " IMAGE "commit $NAME one && $CONTAINER rm $NAME"), 0,
           "base\n", "");
}
END_TEST

/* A set-uid program that a container has made is not for the host's users. */
START_TEST(commits_for_us_alone) {
    import_base(OURSELVES);
    expect(sh("$CONTAINER run --network none --name $NAME base sh -c 'cp /bin/probe /su; chmod 4755 /su'; chmod 755 . " HOME_DIR ";" IMAGE "commit $NAME one && $CONTAINER rm $NAME && ls " LAYER "/su && setpriv --reuid 65534 --regid 65534 --clear-groups ls " LAYER "/su"),
           2, "/su\n", "denied");
}
END_TEST

/* Another container may have got a descriptor of a directory, and exchange it for a link: here, as
 * soon as somebody has opened the first file in it. */
static pid_t start_exchange(const char *upper) {
    int events = inotify_init1(IN_CLOEXEC);
    char *dir = format("%s/dir", upper), event[4096];
    ck_assert_int_ne(inotify_add_watch(events, dir, IN_OPEN), -1);
    pid_t child = fork();
    ck_assert_int_ne(child, -1);
    if (child > 0) {
        close(events);
        return child;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    do { /* what has no name is the directory itself */
        if (read(events, event, sizeof event) <= 0)
            _exit(2);
    } while (((struct inotify_event *)event)->len == 0);
    _exit(syscall(SYS_renameat2, AT_FDCWD, dir, AT_FDCWD, format("%s/link", upper), 2) != 0);
}

/* Attack 36. cp by itself brings the host's files, which shows that the attack is one. */
START_TEST(commits_no_file_of_the_host) {
    static const char *const leading[] = { "", "../../../../../../../../../../../../.." };
    int status;
    enum who who = _i % 2 ? ORDINARY_USER : OURSELVES;
    if (who == ORDINARY_USER && users() == 1)
        return;
    import_base(who);
    expect(as(who, "mkdir secret; for i in $(seq 99); do echo hunter2 >secret/$i; done;"
                   "$CONTAINER run --network none --name $NAME base sh -c 'mkdir /dir;"
                   "  for i in $(seq 99); do head -c 999999 /dev/zero >/dir/$i; done; ln -s '%s$T/secret' /link'",
              leading[_i / 2]),
           0, "", "");
    char *upper = as(who, "printf %%s " DIR "/upper").out;
    for (int ours = 0; ours < 4; ours++) {
        pid_t enemy = start_exchange(upper);
        struct result r = as(who, ours ? IMAGE "commit $NAME one"
                                       : "cp -a --preserve=xattr " DIR "/upper/. copy");
        ck_assert(waitpid(enemy, &status, 0) == enemy && status == 0);
        if (ours)
            expect(r, 125, "", "cannot be copied");
        expect(as(who, "grep -r -l hunter2 %s | wc -l", ours ? HOME_DIR "/layers" : "copy"), 0, ours ? "0\n" : NULL, "");
        expect(as(who, "[ $(grep -r -l hunter2 copy | wc -l) -gt 0 ] && cd %s && mv -T dir x && mv -T link dir && mv -T x link; ls -A " HOME_DIR "/images", upper), 0, "base\n", "");
    }
    expect(as(who, "$CONTAINER rm $NAME"), 0, NULL, "");
}
END_TEST

/* ---- a registry ---- */

static bool has(const char *tools) {
    if (system(format("for t in %s; do command -v $t >/dev/null || exit; done", tools)) == 0)
        return true;
    left_out("some of images", format("one of these is not there: %s", tools));
    return false;
}

#define REGISTRY "127.0.0.1:%d/"
#define PULL IMAGE "pull " REGISTRY

static pid_t registry;

static void start_registry(const char *more) {
    port = random_between(20000, 30000);
    expect(sh("cat >registry.yml <<EOF\nversion: 0.1\nlog: {level: error}\n%s\n"
              "storage: {filesystem: {rootdirectory: $T/registry}}\n"
              "http: {addr: '127.0.0.1:%d', secret: none}\nEOF\n"
              "docker-registry serve registry.yml >registry.log 2>&1 & echo $! >registry.pid;"
              "until curl -s -o answer 127.0.0.1:%d/v2/; do sleep 0.02; done",
              more, port, port),
           0, "", "");
    registry = atoi(sh("cat registry.pid").out);
}

static void stop_registry(void) {
    kill(registry, SIGKILL);
    waitpid(registry, NULL, 0); /* it came to us with the end of its shell */
}

/* An image that umoci makes: in its second layer /dir has two names of one file, in the third it
 * is made anew, and the fourth has one program less. */
static void make_foreign(void) {
    expect(sh("exec >log 2>&1; umoci init --layout o && umoci new --image o:t &&"
              "ins() { umoci insert $([ $(id -u) -eq 0 ] || echo --rootless) --image o:t \"$@\"; };"
              "mkdir one new && echo %d >one/a && ln one/a one/b && echo 2 >new/c &&"
              "ins \"$BASE\" / && ins one /dir && ins --opaque new /dir && ins --whiteout /bin/vi &&"
              "umoci config --image o:t --config.cmd sh --config.cmd -c --config.cmd"
              "    'echo $A $PWD $(ls); ls /bin/vi' --config.env A='x  y' --config.workingdir /dir && chmod -R a+rX o",
              random_between(1, 10000)),
           0, "", "");
}

#define FOREIGN_SAYS "x y /dir c\n"

static const char *const forms[] = { "oci", "v2s2" };

#define FORGET_LAYERS /* a config and a manifest begin with { */ \
    "find $T/registry -name data -exec sh -c '[ \"$(head -c 1 \"$1\")\" = \"{\" ] || rm \"$1\"' sh {} \\;"

START_TEST(pulls) {
    make_foreign();
    start_registry("");
    for (int form = 0; form < 2; form++) {
        expect(sh("skopeo copy -q --dest-tls-verify=false --format %s oci:o:t docker://" REGISTRY
                  "some/app:v%d",
                  forms[form], port, form),
               0, NULL, "");
        expect(as(_i, PULL "some/app:v%d", port, form), 0, format("app:v%d: 4 layers, ", form), "");
        expect(as(_i, RUN "app:v%d", form), 1, FOREIGN_SAYS, "/bin/vi: No such file");
    }
    expect(as(_i, "cmp " HOME_DIR "/images/app:v0/layers " HOME_DIR "/images/app:v1/layers &&"
                  "ls " HOME_DIR "/layers | wc -l; [ $(stat -c %%a " HOME_DIR "/layers) = 700 ]"),
           0, "4\n", "");
    expect(as(_i, IMAGE "history app:v1"), 0, "umoci insert", "");
    char *digest = sh("skopeo inspect --tls-verify=false docker://" REGISTRY "some/app:v0 |"
                      "jq -j .Digest",
                      port)
                       .out;
    expect(as(_i, PULL "some/app@%s && " RUN "app:%.12s ls /dir", port, digest, digest + 7), 0,
           format("app:%.12s: 4 layers", digest + 7), "");
    /* what is here is not fetched again */
    expect(sh(FORGET_LAYERS), 0, "", "");
    expect(as(_i, PULL "some/app:v0 mine && " PULL "some/nosuch", port, port), 125, "mine: 4 layers",
           "nosuch: manifest unknown");
    expect(as(_i, IMAGE "rmi $(ls " HOME_DIR "/images) >&2; " PULL "some/app:v0", port), 125, "",
           "some/app:v0: ");
    expect(as(_i, "ls -A " HOME_DIR "/images " HOME_DIR "/layers | wc -w"), 0, "2\n", "");
    stop_registry();
}
END_TEST

/* skopeo's own words: an OCI layout, and what podman and buildah have. */
START_TEST(pulls_from_others) {
    make_foreign();
    expect(as(_i, IMAGE "pull oci:o:t && " RUN "o:t"), 1, FOREIGN_SAYS, "/bin/vi: ");
    if (_i == OURSELVES) {
        expect(sh("skopeo copy -q oci:o:t 'containers-storage:[vfs@'$T/cs+$T/run']localhost/app:latest'"), 0, NULL, NULL);
        expect(sh(IMAGE "pull 'containers-storage:[vfs@'$T/cs+$T/run']localhost/app:latest' && " RUN "app"), 1,
               FOREIGN_SAYS, NULL);
    }
    expect(as(_i, "umask 0; mkdir x; " IMAGE "push o:t oci:x:new && " IMAGE "pull oci:x:new && " RUN "x:new"), 1,
           FOREIGN_SAYS, "/bin/vi: ");
}
END_TEST

#define DIGEST_OF(archive) "skopeo inspect oci-archive:" archive " | jq -j .Digest"

/* What comes back is the same, to the byte; so is what is saved twice. */
START_TEST(pushes) {
    make_container(_i);
    start_registry("");
    char *digest = as(_i, IMAGE "commit $NAME mine >&2; " IMAGE "push mine " REGISTRY "ours/mine:v7", port).out;
    ck_assert(digest = strstr(digest, "ours/mine:v7: sha256:"));
    digest = strtok(digest + strlen("ours/mine:v7: "), "\n");
    expect(as(_i, IMAGE "save mine a.tar && " IMAGE "save mine - >b.tar && " DIGEST_OF("a.tar")), 0, digest, "");
    expect(as(_i, DIGEST_OF("b.tar")), 0, digest, "");
    expect(as(_i, IMAGE "push mine " REGISTRY "ours/mine:v8", port), 0, digest, "");
    expect(as(_i, "cp " HOME_DIR "/images/mine/layers . && $CONTAINER rm $NAME && " IMAGE "rmi mine base && " PULL "ours/mine:v8 back && [ $(head -n 1 layers) = $(head -n 1 " HOME_DIR "/images/back/layers) ] &&" RUN "back sh -c 'ls -A /home; [ ! -e /bin/vi ] && [ /added -ef /deep/hard ]'",
              port),
           0, "\nnew\n", NULL);
    expect(sh("skopeo copy -q --src-tls-verify=false docker://" REGISTRY "ours/mine:v7 oci:back:t &&"
              "skopeo copy -q oci-archive:a.tar oci:saved:t &&"
              "for o in back saved; do umoci unpack $([ $(id -u) -eq 0 ] || echo --rootless)"
              "  --image $o:t b.$o >>log 2>&1 || exit; done;"
              "ls -A b.back/rootfs/home && [ b.saved/rootfs/added -ef b.saved/rootfs/deep/hard ] &&"
              "[ ! -e b.saved/rootfs/bin/vi ] && diff -r --no-dereference b.back/rootfs b.saved/rootfs",
              port),
           0, "new\n", "");
    stop_registry();
}
END_TEST

/* Another engine runs it. */
START_TEST(runs_elsewhere) {
    make_container(OURSELVES);
    expect(sh(IMAGE "commit $NAME mine && $CONTAINER rm $NAME && " IMAGE "save mine a.tar &&"
                    "skopeo copy -q oci-archive:a.tar oci:o:t && umoci unpack --image o:t b >log 2>&1 &&"
                    "jq '.process.terminal = false | .process.args = [\"sh\", \"-c\", \"cat /etc/os-release;"
                    "  ls /home /bin/vi\"]' b/config.json >c && mv c b/config.json"),
           0, "mine: ", NULL);
    expect(sh("runc --root $T/runc run -b b tests-$NAME"), 1, "ID=container-base\n/home:\nnew\n",
           "/bin/vi: No such file");
}
END_TEST

/* The kinds of archive. */
START_TEST(loads) {
    make_foreign();
    expect(sh("skopeo copy -q oci:o:t docker-archive:d.tar:user/app:v3 &&"
              "skopeo copy -q oci:o:t oci-archive:e.tar:named && tar -c -f f.tar -C o . &&"
              "gzip -k f.tar d.tar"),
           0, "", "");
    expect(as(_i, IMAGE "load d.tar && " RUN "app:v3"), 1, FOREIGN_SAYS, "/bin/vi: ");
    expect(as(_i, IMAGE "load e.tar && " RUN "named"), 1, FOREIGN_SAYS, "/bin/vi: ");
    expect(as(_i, IMAGE "load - mine <f.tar.gz && " RUN "mine"), 1, FOREIGN_SAYS, "/bin/vi: ");
    expect(as(_i, "cp d.tar.gz a:b && " IMAGE "load a:b zipped && " RUN "zipped"), 1, FOREIGN_SAYS, "/bin/vi: ");
    expect(as(_i, "ls " HOME_DIR "/images; ls -A " HOME_DIR "/layers | wc -l"), 0,
           "app:v3\nmine\nnamed\nzipped\n4\n", "");
    expect(as(_i, "tar -c -f x.tar -C \"$BASE\" bin; " IMAGE "load x.tar"), 125, "",
           "x.tar: is not an archive of an image");
    expect(as(_i, "gzip -c x.tar | head -c 1000 | " IMAGE "load -"), 125, "", "-: is not an archive of an image: gzip: ");
}
END_TEST

#define PASSWORD_FILE /* me:sesame, as htpasswd -B writes it */ \
    "me:$2y$05$GcO20aZ6s4.IxFODVTebTekyi.3gQ.IMjWXbrxh7zhISUVDHXlK46"

/* The passwords are those of skopeo login, or Docker's. */
START_TEST(logs_in) {
    make_foreign();
    expect(sh("echo '%s' >passwords", PASSWORD_FILE), 0, "", "");
    start_registry(format("auth: {htpasswd: {realm: tests, path: '%s/passwords'}}", getenv("T")));
    expect(sh("skopeo copy -q --dest-tls-verify=false --dest-creds me:sesame oci:o:t docker://" REGISTRY "app", port),
           0, "", "");
    setenv("REGISTRY_AUTH_FILE", format("%s/auth.json", getenv("T")), 1);
    expect(as(_i, PULL "app", port), 125, "", "skopeo login");
    expect(sh("skopeo login --tls-verify=false -u me -p sesame 127.0.0.1:%d && chmod 644 auth.json", port), 0, NULL, "");
    expect(as(_i, PULL "app && " IMAGE "push app " REGISTRY "new && " IMAGE "rmi app", port, port), 0,
           "/new: sha256:", "");
    unsetenv("REGISTRY_AUTH_FILE");
    expect(sh("mkdir .docker && echo '{\"auths\":{\"127.0.0.1:%d\":{\"auth\":\"'$(printf me:sesame |"
              " base64)'\"}}}' >.docker/config.json",
              port),
           0, "", "");
    expect(as(_i, "export HOME=$T; " PULL "new", port), 0, "new: 4 layers", "");
    stop_registry();
}
END_TEST

/* ---- images that are not what they should be ---- */

/* An image of two layers, the lower one large, as a layout in ./o: M is its manifest, C its config, L
 * its lowest layer. edit_config and edit_manifest make another one of it, whose digests are right. */
#define EDIT \
    "cd $T/o/blobs/sha256; I=../../index.json; M=$(jq -r '.manifests[0].digest[7:]' $I);" \
    "C=$(jq -r '.config.digest[7:]' $M); L=$(jq -r '.layers[0].digest[7:]' $M);" \
    "place() { d=$(sha256sum <new | cut -c 1-64); s=$(wc -c <new); mv new $d; };" \
    "edit_manifest() { jq \"$@\" $M >new && place && M=$d && jq --arg d sha256:$d --argjson s $s " \
    "  '.manifests[0] |= (.digest = $d | .size = $s)' $I >new && mv new $I; };" \
    "edit_config() { jq \"$@\" $C >new && place && C=$d && edit_manifest --arg d sha256:$d --argjson s $s" \
    "  '.config |= (.digest = $d | .size = $s)'; };"

static void make_layout(void) {
    expect(sh("[ -e $TESTS/o ] || { export CONTAINER_HOME=$T/made; mkdir base &&"
              "cp -a \"$BASE\"/bin \"$BASE\"/etc base && head -c 900000 /dev/urandom >base/random &&" IMAGE
              "import base base && $CONTAINER run --network none --name $NAME base sh -c 'echo hi >/new' && " IMAGE
              "commit $NAME app && $CONTAINER rm $NAME && " IMAGE
              "push app oci:made.o:t && mv -T made.o $TESTS/o; }; cp -r $TESTS/o o && chmod -R a+rX o"),
           0, NULL, NULL);
}

static const struct {
    const char *lie, *says;
} lies[] = {
    // clang-format off
    { "printf 1234 | dd of=$L bs=1 seek=1000 conv=notrunc 2>&1", "" },
    { "truncate -s -10 $L",                                      "" },
    { "rm $L",                                                   "no such file" },
    { "echo >>$C",                                               "" },
    { "edit_manifest 'del(.layers)'",                            "has no layer sha256:" },
    { "edit_manifest '.layers = []'",                            "has no layer sha256:" },
    { "edit_manifest '.layers[0].digest = \"sha256:../../../../../etc/passwd\"'", "" },
    { "edit_manifest '.config.digest = \"../x\"'",               "" },
    { "head -c 5000 /dev/urandom >new; place; l=$d; edit_manifest --arg d sha256:$l --argjson s $s"
      " '.layers[0] |= (.digest = $d | .size = $s)'; edit_config --arg d sha256:$l '.rootfs.diff_ids[0] = $d'",
                                                                 "not look like a tar" },
    { "edit_config '.rootfs.diff_ids[0] = \"sha256:\" + \"0\" * 64'", "has no layer sha256:0" },
    { "edit_config '.rootfs.diff_ids[0] = \"sha256:../../x\"'",  "expected sha256: " },
    { "edit_config '.rootfs.diff_ids[0] |= . + \"\\n\"'",        "" },
    { "edit_config '.rootfs.diff_ids[0] = 7'",                   "" },
    { "edit_config 'del(.rootfs)'",                              "no layers" },
    { "edit_config '.config.Cmd = \"sh\"'",                      "expected Env, Cmd and others" },
    { "edit_config '.config.Env = [\"A=\" + \"x\" * 300000]'",   "exceed 256 kB" },
    // clang-format on
};

START_TEST(catches_lies) {
    make_layout();
    expect(sh(EDIT "%s", lies[_i].lie), 0, NULL, "");
    struct result r = sh(IMAGE "pull oci:o:t app");
    expect(r, 125, "", *lies[_i].says ? lies[_i].says : NULL);
    expect(r, 125, "", "container: pull: ");
    expect(sh("ls -A " HOME_DIR "/images " HOME_DIR "/layers | wc -w"), 0, "2\n", "");
}
END_TEST

/* Odd, but harmless: what cannot be said is left out. */
static const struct {
    const char *edit, *prints, *says;
} odds[] = {
    // clang-format off
    { "edit_config '.config.Labels = {a: (\"x\" * 1000000)}'", "app: 2 layers", NULL },
    { "edit_config '.config.Env = [\"A=b\\nc\", \"D=e\"]'", "\ne\n", "because of a newline: \"A=b\\n" },
    { "edit_config '.config |= (.Cmd = [\"--privileged\"] | .User = \"root:root\")'",
      "--\n--privileged\n", NULL },
    { "edit_config '.history[0].created = 7 | .history[1].created_by = [1]'", "app: 2 layers", NULL },
    { "edit_config '.history = \"none\"'", "app: 2 layers", NULL },
    { "edit_config '.history[1].created_by = \"a\\tb\\u001b[31m\\nc\"'", " a b [31m c\n", NULL },
    { "edit_config '.history |= [.[0], {empty_layer: true, created_by: \"CMD x\"}, .[1]]'", "CMD x\n", NULL },
    { "edit_config '.rootfs.diff_ids |= reverse'", "app: 2 layers", NULL },
    { "edit_config '.rootfs.diff_ids |= . + .' && edit_manifest '.layers |= . + .'",
      "app: 2 layers", NULL },
    // clang-format on
};

START_TEST(bears_odd_images) {
    make_layout();
    expect(sh(EDIT "%s", odds[_i].edit), 0, NULL, "");
    expect(sh(IMAGE "pull oci:o:t app; " RUN "app sh -c 'cat /new; echo $D'; cat " HOME_DIR
                    "/images/app/args; " IMAGE "history app"),
           0, odds[_i].prints, odds[_i].says);
    expect(sh(IMAGE "push app oci:again:t && " IMAGE "pull oci:again:t && " RUN "again:t cat /new"), 0, "hi\n", NULL);
}
END_TEST

/* As many layers as an image of some years has. It may take longer than a command line should. */
START_TEST(bears_many_layers) {
    int n = 130;
    make_layout();
    expect(sh(EDIT "for i in $(seq %d); do echo $i >last; echo $i >f$i; tar -c -f new last f$i; place; echo sha256:$d $s;"
                   " done >ids; edit_manifest --rawfile i ids '.layers += [$i | split(\"\\n\")[:-1][] |"
                   "  split(\" \") | {mediaType: \"application/vnd.oci.image.layer.v1.tar\", digest: .[0], size: .[1] | tonumber}]';"
                   "edit_config --rawfile i ids '.rootfs.diff_ids += [$i | split(\"\\n\")[:-1][] |"
                   "  split(\" \")[0]]'",
              n),
           0, "", "");
    expect(sh("(" IMAGE "pull oci:o:t app >out 2>&1; echo $? >status) &"), 0, "", "");
    for (int tries = 0; tries < 3 && access(format("%s/status", getenv("T")), F_OK) == -1; tries++)
        sh("for i in $(seq 200); do [ ! -e status ] || exit; sleep 0.1; done");
    expect(sh("cat out status"), 0, "\n0\n", "");
    expect(sh(RUN "app sh -c 'cat /last; cat /f* | wc -l'"), 0, format("%d\n%d\n", n, n), "");
}
END_TEST

/* ---- what does not end well ---- */

/* Nothing is left of a command that a signal has ended; if it was KILL, prune removes it. The
 * container goes on. */
START_TEST(is_interrupted) {
    static const char *const signals[] = { "TERM", "INT", "HUP", "KILL" };
    import_base(_i);
    expect(as(_i, START "sh -c 'head -c 30000000 /dev/urandom >/big; touch /done; sleep 1000'"), 0, NULL, "");
    until(_i, "[ -e " DIR "/upper/done ]");
    bool can_pause = as(_i, "[ -s " DIR "/cgroup ]").status == 0;
    if (!can_pause)
        expect(as(_i, "$CONTAINER stop -t 0 $NAME"), 0, NULL, "");
    expect(as(_i, "tar -c -f a.tar -C " DIR "/upper . && mkfifo pipe"), 0, "", "");
    for (int i = 0; i < 2 * COUNT(signals); i++) {
        const char *signal = signals[i % COUNT(signals)];
        struct result r = as(_i, "timeout -s %s 0.%02d " SCRIPT "%s", signal, random_between(1, 30),
                             i < COUNT(signals) ? "import a.tar one" : "commit $NAME one");
        if (strcmp(signal, "KILL") != 0)
            expect(as(_i, "ls -A " HOME_DIR " | grep new"), 1, "", "");
        ck_assert_msg(r.status == 0 || r.status == 124 || r.status == 137 || r.status == 125, "%d: %s", r.status, r.err);
        as(_i, "$CONTAINER unpause $NAME; " IMAGE "rmi one"); /* KILL can leave it paused */
        until(_i, IMAGE "prune >/dev/null; cd " HOME_DIR " && [ $(ls -A images layers | wc -w) = 4 ] && [ $(ls -d box box.*/ | wc -l) = 2 ] && ! ls -d new.* 2>/dev/null");
        expect(as(_i, "$CONTAINER ps"), 0, can_pause ? " running " : " exited ", "");
    }
    expect(as(_i, "{ sleep 10; } | timeout -s TERM 1 " SCRIPT "load - one; ls -A " HOME_DIR "/images " HOME_DIR "/layers | wc -w"), 0,
           "4\n", NULL);
    /* Two are half made, and somebody is at work on one of them. */
    expect(as(_i, "$CONTAINER rm -f $NAME; cd " HOME_DIR "/containers && mkdir left made && flock made " IMAGE "prune >&2; echo [$(ls -A)]; rmdir made"),
           0, "[made]", NULL);
}
END_TEST

/* A registry that does not answer any more. */
START_TEST(pulls_again) {
    make_foreign();
    start_registry("");
    expect(sh("skopeo copy -q --dest-tls-verify=false oci:o:t docker://" REGISTRY "app", port), 0, NULL, "");
    kill(registry, SIGSTOP);
    expect(as(_i, "timeout -s TERM 1 " SCRIPT "pull " REGISTRY "app; echo $?; ls -A " HOME_DIR "/images " HOME_DIR "/layers | wc -w", port), 0,
           "124\n2\n", NULL);
    kill(registry, SIGCONT);
    expect(as(_i, PULL "app", port), 0, "app: 4 layers", "");
    stop_registry();
}
END_TEST

START_TEST(has_no_space) {
    expect(sh("mkdir small && mount -t tmpfs -o size=30m small small && head -c 40000000 /dev/urandom >big && tar -c -f big.tar big"), 0, "", "");
    setenv("CONTAINER_HOME", format("%s/small/home", getenv("T")), 1);
    expect(sh(IMAGE "import big.tar big"), 125, "", "No space left on device");
    expect(sh("cat big.tar | " IMAGE "import - big"), 125, "", "No space left on device");
    expect(sh("ls -A " HOME_DIR "/images " HOME_DIR "/layers | wc -w; umount small"), 0, "2\n", "");
}
END_TEST

/* ---- hostile archives ---- */

/* Each makes e.tar in an empty directory. UP leads to / from anywhere; X is a file, and CANARY a
 * path that it must not reach. */
#define TAR "tar -P -f e.tar --transform "
#define UP "../../../../../../../../../../../../.."

enum { HARMLESS,
       ESCAPES };
static const struct {
    int escapes; /* when tar is told to trust it */
    const char *make;
    int status;
    const char *says;
} hostile[] = {
    // clang-format off
    { ESCAPES,  TAR "s,^x$," UP "$CANARY,S -c x",                        125, "'..'" },
    { ESCAPES,  TAR "s,^x$,$CANARY,S -c x",                              0, "" },
    { ESCAPES,  "ln -s ${CANARY%/*} d; tar -c -f e.tar d; " TAR "s,^x$,d/file,S -r x", 125, "layer" },
    { ESCAPES,  "ln -s " UP "${CANARY%/*} d; tar -c -f e.tar d; " TAR "s,^x$,d/file,S -r x",
      125, "layer" },
    { ESCAPES,  "ln -s e d; ln -s ${CANARY%/*} e; tar -c -f e.tar d e; " TAR "s,^x$,d/file,S -r x",
      125, "layer" },
    { ESCAPES,  "mkdir d; tar -c -f e.tar d; rmdir d; ln -s ${CANARY%/*} d; tar -r -f e.tar d;"
                TAR "s,^x$,d/file,S -r x",                               125, "layer" },
    { ESCAPES,  "ln -s ${CANARY%/*} d; tar -c -f e.tar d; mkdir -m 0 new;" TAR "s,^new$,d/new,S -r new",
      125, "layer" },
    { HARMLESS, "ln -s $CANARY y; tar -c -f e.tar y; " TAR "s,^x$,y,S -r x", 0, "" },
    { ESCAPES,  "ln x y; " TAR "\"flags=h;s,^x$,$CANARY,\" -c x y",        125, "layer" },
    { ESCAPES,  "ln x y; " TAR "\"flags=h;s,^x$," UP "$CANARY,\" -c x y",  125, "layer" },
    { ESCAPES,  "ln -s ${CANARY%/*} d; ln x y; tar -c -f e.tar d;"
                TAR "\"flags=h;s,^x$,d/file,\" -r x y",                    125, "layer" },
    { HARMLESS, "tar -c -f e.tar --transform 's,x,.wh...,' x",           125, "too much" },
    { HARMLESS, "tar -c -f e.tar --transform 's,x,.wh..,' x",            125, "too much" },
    { HARMLESS, "tar -c -f e.tar --transform 's,x,.wh.,' x",             125, "too much" },
    { HARMLESS, "ln -s $CANARY .wh.y; tar -c -f e.tar .wh.y",            125, "layer" },
    { HARMLESS, "mkdir -p .wh.y/z; tar -c -f e.tar .wh.y",               125, "layer" },
    { HARMLESS, "mkfifo .wh.y; tar -c -f e.tar .wh.y",                   125, "layer" },
    { HARMLESS, "ln -s ${CANARY%/*} d; tar -c -f e.tar d;" TAR "s,^x$,d/.wh.file,S -r x",
      125, "layer" },
    { HARMLESS, "ln -s ${CANARY%/*} d; tar -c -f e.tar d;" TAR "s,^x$,d/.wh..wh..opq,S -r x",
      125, "layer" },
    { HARMLESS, "tar -c -f e.tar --transform 's,x,.wh.-rf,' x",          0, "" },
    { HARMLESS, "tar -c -f e.tar --transform 's,x,.wh.$(touch canary)\n`touch canary`,' x", 0, "" },
    { HARMLESS, ": >./-rf; : >\"$(printf 'a\\nb\\\\nc\\033')\"; : >'--checkpoint-action=exec=touch canary';"
                ": >'*'; tar -c --no-unquote -f e.tar ./*",                           0, "" },
    { HARMLESS, "mkfifo f; chmod 6755 x; tar -c -f e.tar f x",           0, "" },
    { HARMLESS, "mkdir -m 0 d; chmod 0 x; tar -c -f e.tar d x",          0, "" },
    { HARMLESS, "setfattr -n user.overlay.redirect -v /etc x; mkdir d;"
                "setfattr -n user.overlay.opaque -v y d; tar -c -f e.tar --xattrs x d", 0, "" },
    { HARMLESS, "cd /; cd \"$OLDPWD\"; at=$PWD; for i in $(seq 300); do mkdir a2345678901234567890;"
                " cd -P a2345678901234567890 2>/dev/null || break; done; cd \"$at\";"
                "tar -c -f e.tar a2345678901234567890",                  -1, NULL },
    { HARMLESS, "head -c 100000 /dev/urandom >y; tar -c -f e.tar y; truncate -s 50000 e.tar",
      125, "layer" },
    { HARMLESS, "head -c 100000 /dev/urandom >y; tar -c y | gzip | head -c 50000 >e.tar",
      125, "layer" },
    { HARMLESS, "head -c 100000 /dev/urandom >y; tar -c y | zstd -q | head -c 50000 >e.tar",
      125, "layer" },
    { HARMLESS, "head -c 100000 /dev/urandom >e.tar",                    125, "layer" },
    // clang-format on
};

#define PICTURE "find $T -path $T/work -prune -o -printf '%%p %%y %%m %%n %%s %%T@ %%l\\n' | sort"

static void make_canary(void) {
    expect(sh("chmod -R u+rwX $T/canary $T/work 2>/dev/null; rm -rf $T/canary; mkdir -m 777 $T/canary;"
              "echo safe >$T/canary/file; chmod 666 $T/canary/file"),
           0, "", "");
}

START_TEST(survives) {
    int row = _i / 2;
    enum who who = _i % 2 ? ORDINARY_USER : OURSELVES;
    if (who == ORDINARY_USER && users() == 1)
        return;
    setenv("CANARY", format("%s/canary/file", getenv("T")), 1);
    make_canary();
    expect(sh("mkdir -m 777 work && cd work && echo bad >x && %s", hostile[row].make), 0, "", NULL);
    char *before = sh(PICTURE).out;
    if (hostile[row].escapes) {
        sh("mkdir -p work/a/b && cd work/a/b && tar -x -P -f ../../e.tar");
        ck_assert_msg(strcmp(before, sh(PICTURE).out) != 0, "no escape: %s", hostile[row].make);
        make_canary();
        before = sh(PICTURE).out;
    }
    struct result r = as(who, IMAGE "import work/e.tar evil"), again = sh(PICTURE);
    if (hostile[row].status >= 0)
        expect(r, hostile[row].status, NULL, hostile[row].says);
    ck_assert_msg(r.status == 0 || r.status == 125, "%d", r.status);
    ck_assert_str_eq(again.out, before);
    if (r.status == 125)
        expect(as(who, "ls -A " HOME_DIR "/images " HOME_DIR "/layers | wc -w"), 0, "2\n", "");
    else
        expect(as(who, "mkdir -p mix && echo \"$(echo " HOME_DIR "/layers/*)\n$BASE\" >mix/layers && " RUN "./mix sh -c 'cat /x $CANARY 2>/dev/null; ls -d /etc'"),
               0, "/etc\n", "");
    expect(as(who, "getfattr -R -m overlay " HOME_DIR "/layers 2>/dev/null; :"), 0, "", "");
}
END_TEST

/* ---- the suite ---- */

Suite *images_suite(void) {
    Suite *s = suite_create("images");
    TCase *misuse = new_case(s, "misuse"), *local = new_case(s, "local");
    TCase *committed = new_case(s, "committed"), *exchange = new_case(s, "exchange");
    TCase *broken = new_case(s, "broken"), *evil = new_case(s, "hostile");
    if (!has("jq getfattr setfattr xz zstd bzip2 skopeo"))
        return s;
    tcase_add_loop_test(misuse, refuses, 0, COUNT(misused));
    tcase_add_loop_test(misuse, helps, 0, COUNT(named));
    tcase_add_loop_test(misuse, names_what_is_missing, 0, users());
    tcase_add_loop_test(local, imports, 0, users());
    if (is_root())
        tcase_add_loop_test(local, imports_devices, 0, users());
    tcase_add_loop_test(local, lists, 0, users());
    tcase_add_loop_test(local, prunes, 0, users());
    tcase_add_loop_test(local, runs_a_tag, 0, users());
    tcase_add_test(local, rm_waits);
    tcase_add_test(local, replaces_the_box);
    tcase_add_loop_test(committed, commits_all_changes, 0, users());
    tcase_add_loop_test(committed, commits_what_does_not_run, 0, users());
    tcase_add_loop_test(committed, commits_what_runs, 0, users());
    tcase_add_loop_test(committed, commits_one_after_the_other, 0, users());
    tcase_add_loop_test(committed, commits_what_nobody_works_on, 0, users());
    tcase_add_loop_test(committed, commits_no_file_of_the_host, 0, 4);
    if (is_root())
        tcase_add_test(committed, commits_for_us_alone);
    tcase_add_loop_test(broken, catches_lies, 0, COUNT(lies));
    tcase_add_loop_test(broken, bears_odd_images, 0, COUNT(odds));
    tcase_add_test(broken, bears_many_layers);
    tcase_add_loop_test(broken, is_interrupted, 0, users());
    if (is_root())
        tcase_add_test(broken, has_no_space);
    tcase_add_loop_test(evil, survives, 0, 2 * COUNT(hostile));
    if (!has("umoci docker-registry curl"))
        return s;
    tcase_add_loop_test(exchange, pulls, 0, users());
    tcase_add_loop_test(exchange, pulls_from_others, 0, users());
    tcase_add_loop_test(exchange, pushes, 0, users());
    tcase_add_loop_test(exchange, loads, 0, users());
    tcase_add_loop_test(exchange, logs_in, 0, users());
    tcase_add_loop_test(broken, pulls_again, 0, users());
    if (is_root() && has("runc"))
        tcase_add_test(exchange, runs_elsewhere);
    return s;
}
