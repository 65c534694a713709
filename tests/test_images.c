/* SPDX-License-Identifier: MIT */
/*
 * test_images.c - images from elsewhere and for elsewhere: the words that rootfs/image knows.
 *
 *      misuse       what is no word, no image, and no name: a clear message
 *      local        import, images, tag, history, diff, rmi
 *      committed    what a container has written becomes an image's top layer
 *      exchange     a registry; what other tools have made, and what they make of ours
 *      log in       the ways in which a registry asks who we are
 *      broken       answers that are cut off, changed, or too much
 *      hostile      archives made by an enemy
 *
 * The registry is the one that everybody uses, docker-registry, on loopback. Where it must lie,
 * another takes its place: it gives the files below $T/www, and does what $T/lie says.
 */
#include "test.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/socket.h>
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
    { "import a",             "usage: container import IMAGE FILE|DIR|-\n" },
    { "import a b c",         "usage" },           { "pull",                 "usage" },
    { "pull a b c",           "usage" },           { "push a",               "usage" },
    { "tag a",                "usage" },           { "rmi",                  "usage: container rmi" },
    { "images a",             "usage" },           { "ls a",                 "container images\n" },
    { "diff",                 "usage" },           { "history",              "usage" },
    { "load a b c",           "usage" },           { "save",                 "usage" },
    { "commit",               "usage" },           { "commit a",             "usage" },
    { "import ../a /dev/null", "../a" },           { "import a nosuch",      "nosuch" },
    { "rmi nosuch",           "nosuch" },          { "rmi ../a",             "../a" },
    { "history nosuch",       "nosuch" },          { "tag nosuch a",         "nosuch" },
    { "save nosuch f",        "nosuch" },          { "push nosuch a",        "nosuch" },
    { "diff nosuch",          "nosuch" },          { "load nosuch",          "nosuch" },
    { "commit nosuch a",      "nosuch" },          { "commit ../a a",        "../a" },
    { "commit a ../x",        "../x" },            { "commit a b/c",         "b/c" },
    { "commit a ''",          "IMAGE" },           { "commit a -x",          "-x" },
    { "debian 'x y'",         "SUITE" },           { "debian stable ../x",   "../x" },
    { "pull Alpine",          "small" },           { "pull ''",              "want" },
    { "pull a//b",            "want" },            { "pull ../a",            "want" },
    { "pull a:",              "want" },            { "pull a@sha256:12",     "want" },
    { "pull a@md5:0",         "want" },            { "pull 'a b'",           "want" },
    { "pull -- -x",           "want" },            { "pull \"$(printf 'a\\nb')\"", "want" },
    { "pull a ../x",          "../x" },            { "pull a/b:-x",          "want" },
    { "pull h.x/a?b=c",       "want" },            { "pull h.x:1:2/a",       "want" },
    { "pull a:\"$(seq -s x 40)\"", "63" },         { "pull me@host.x/a",     "want" },
    // clang-format on
};

/* "container: WORD: what is wrong", 125, and nothing is made. */
START_TEST(refuses) {
    struct result r = sh(IMAGE "%s </dev/null", misused[_i].line);
    expect(r, 125, "", misused[_i].says);
    expect(r, 125, "", "container: ");
    expect(sh("ls " HOME_DIR "/images " HOME_DIR "/layers 2>/dev/null"), 2, "", "");
}
END_TEST

static const char *const named[] = { "base", "build", "commit", "debian", "diff", "history", "images",
                                     "import", "load", "pull", "push", "rmi", "save", "tag" };

/* As a word of container, and of the script beside it. */
START_TEST(helps) {
    expect(sh(IMAGE "%s --help", named[_i]), 0, format("usage: container %s", named[_i]), "");
    expect(sh(SCRIPT "--help"), 0, format("\n    %s ", named[_i]), "");
    expect(sh(SCRIPT), 125, "", "usage: container WORD");
}
END_TEST

/* ---- local images ---- */

START_TEST(imports) {
    static const char *const packers[] = { "cat", "gzip", "xz", "zstd", "bzip2" };
    expect(as(_i, "tar -c -C \"$BASE\" --exclude ./root --exclude ./bin/busybox . >a.tar &&"
                  "tar -r -f a.tar -C \"$BASE\" ./bin/busybox"),
           0, "", NULL);
    for (int i = 0; i < COUNT(packers); i++) {
        expect(as(_i, "%s <a.tar >b && " IMAGE "import a%d b && " RUN "a%d hostname", packers[i], i,
                  i),
               0, format("a%d: ", i), "");
        expect(as(_i, "cmp " HOME_DIR "/images/a0/layers " HOME_DIR "/images/a%d/layers", i), 0, "",
               "");
    }
    expect(as(_i, "cat b | " IMAGE "import c - && echo echo $((6 * 7)) | " RUN "c"), 0, "\n42\n",
           "");
    expect(as(_i, "mkdir dir && tar -x -C dir -f a.tar && " IMAGE "import d dir && " RUN
                  "d cmp /bin/busybox /bin/sh"),
           0, "d: ", "");
    expect(as(_i, ": >e; mkdir f; tar -c -f g -T /dev/null; for x in e f g; do " IMAGE
                  "import x $x && exit; done; ls " HOME_DIR "/images"),
           0, "a0\na1\na2\na3\na4\nc\nd\n", "there is no file in it");
}
END_TEST

/* Whoever is not root can make no devices: one line says so, and the rest is there. */
START_TEST(imports_devices) {
    expect(sh("mkdir d && mknod d/zero c 1 5 && mknod d/disk b 8 0 && mkfifo d/pipe && echo >d/file"
              " && tar -c -f d.tar -C d ."),
           0, "", "");
    expect(as(_i, IMAGE "import d d.tar"), 0, "d: ",
           _i == OURSELVES ? "" : "only root can make them: 2 devices\n");
    expect(as(_i, "cd " HOME_DIR "/layers/* && echo *"), 0,
           _i == OURSELVES ? "disk file pipe zero\n" : "file pipe\n", "");
    expect(as(_i, "mkdir mix && echo \"$(echo " HOME_DIR "/layers/*)\n$BASE\" >mix/layers && " RUN
                  "./mix head -c 1 /zero"),
           1, "", _i == OURSELVES ? "Permission denied" : "No such file");
}
END_TEST

/* A container of ours, with changes of every kind. */
#define CHANGE \
    "rm /bin/vi; rm -r /home; mkdir /home; echo >/home/new; echo >/added; chmod 700 /srv;" \
    "mkdir -p /deep/a; echo >/deep/a/b; ln /added /deep/hard; ln -s nowhere /deep/soft"

static void make_container(enum who who) {
    expect(as(who, "tar -c -C \"$BASE\" --exclude ./root . | " IMAGE "import base - &&"
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
    expect(as(_i, IMAGE "ls"), 0, "\ntwo                                    2 ", "");
    struct result r = as(_i, IMAGE "history two");
    expect(r, 0, "commit: sh -c rm /bin/vi;", "");
    ck_assert(strstr(r.out, "import standard input") > strstr(r.out, "commit: "));
    expect(as(_i, IMAGE "rmi base"), 125, "", format("container %s was made from it", getenv("NAME")));
    expect(as(_i, IMAGE "rmi one nosuch"), 125, "", "nosuch: no such image");
    expect(as(_i, RUN "two sh -c 'ls /home'; ls " HOME_DIR "/layers | wc -l"), 0, "new\n2\n", "");
    expect(as(_i, IMAGE "rmi two; ls " HOME_DIR "/layers | wc -l; ls " HOME_DIR "/images"), 0,
           "1\nbase\n", "");
    expect(as(_i, "$CONTAINER start $NAME && $CONTAINER wait $NAME"), 0, NULL, "");
    expect(as(_i, "$CONTAINER rm $NAME; " IMAGE "rmi base; ls -A " HOME_DIR "/images " HOME_DIR
                  "/layers | wc -w"),
           0, "2\n", ""); /* the names of the two */
}
END_TEST

/* While one makes an image, rm waits: a layer that has no image yet would be nobody's. */
START_TEST(rm_waits) {
    expect(sh("tar -c -C \"$BASE\" . >a.tar && " IMAGE "import a a.tar && mkfifo pipe"), 0, NULL, "");
    expect(sh("(" IMAGE "import b - <pipe) & exec 5>pipe;"
              "until [ -e " HOME_DIR "/images/.new.* ]; do sleep 0.02; done;"
              "timeout 1 " SCRIPT "rm a; echo $?; cat a.tar >&5; exec 5>&-; wait; " IMAGE "rmi a &&" RUN "b true"),
           0, "124\n", "");
}
END_TEST

/* ---- committed ---- */

#define DIR HOME_DIR "/containers/$NAME"
#define LAYER HOME_DIR "/layers/$(head -n 1 " HOME_DIR "/images/one/layers)"
#define START "$CONTAINER run -d --network none --name $NAME base "

/* All that a directory holds. (All deletions may be links to one.) */
#define LOOK \
    "{ find . -printf '%%P %%y %%m %%U:%%G %%T@ %%l\\n'; find . -type f -printf '%%P %%s %%n\\n';" \
    "  find . -type c -exec stat -c '%%n %%t:%%T' {} +; getfattr -R -P -h -d -m - .; } | sort"

static void import_base(enum who who) {
    expect(as(who, "tar -c -C \"$BASE\" --exclude ./root . | " IMAGE "import base -"), 0, "base: ",
           NULL);
}

/* Deletions, directories made anew, links, owners, times, attributes, holes. */
START_TEST(commits_all_changes) {
    make_container(_i);
    expect(as(_i, "cd " DIR "/upper && mkfifo fifo && mkdir -m 1777 sticky && chmod 6751 added &&"
                  "truncate -s 1G hole && setfattr -n user.word -v hi added && touch -d @981173106 added sticky"),
           0, "", "");
    if (_i == OURSELVES)
        expect(sh("cd " DIR "/upper && chown 7:8 home/new && chown -h 9 deep/soft && mknod zero c 1 5"),
               0, "", "");
    char *before = as(_i, "cd " DIR "/upper && " LOOK).out;
    ck_assert(strstr(before, "bin/vi c") && strstr(before, "user.overlay.opaque=\"y\""));
    expect(as(_i, IMAGE "commit $NAME one"), 0, "one: ", "");
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
    expect(as(_i, IMAGE "history one"), 0, "  commit: sh -c echo hi >/new\n", "");
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
    for (int ours = 0; ours < 2; ours++) {
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
              "    'echo $A $PWD $(ls); ls /bin/vi' --config.env A='x  y' --config.workingdir /dir",
              random_between(1, 10000)),
           0, "", "");
}

#define FOREIGN_SAYS "x y /dir c\n"

static const char *const forms[] = { "oci", "v2s2" };

START_TEST(pulls) {
    make_foreign();
    start_registry("");
    for (int form = 0; form < 2; form++) {
        expect(sh("skopeo copy -q --dest-tls-verify=false --format %s oci:o:t docker://" REGISTRY
                  "some/app:v%d",
                  forms[form], port, form),
               0, NULL, "");
        expect(as(_i, PULL "some/app:v%d", port, form), 0, format("app-v%d: 4 layers, ", form),
               form ? "" : "4 of 4 layers to fetch\n");
        expect(as(_i, RUN "app-v%d", form), 1, FOREIGN_SAYS, "/bin/vi: No such file");
    }
    expect(as(_i, "cmp " HOME_DIR "/images/app-v0/layers " HOME_DIR "/images/app-v1/layers &&"
                  "ls " HOME_DIR "/layers | wc -l; ls " HOME_DIR "/blobs; [ $(stat -c %%a " HOME_DIR
                  "/layers) = 700 ]"),
           0, "4\nlock\n", "");
    expect(as(_i, IMAGE "history app-v1"), 0, "umoci insert", "");
    struct result r = sh("skopeo inspect --tls-verify=false docker://" REGISTRY "some/app:v0 |"
                         "jq -r '\"\\(.Digest) mine\"'",
                         port);
    expect(as(_i, PULL "some/app@%s && " RUN "mine ls /dir", port, strtok(r.out, "\n")), 0,
           "mine: 4 layers", "");
    expect(as(_i, PULL "some/app:v0 && " PULL "some/nosuch", port, port), 125, "app-v0: ",
           "not found: some/nosuch:latest\n");
    expect(as(_i, "ls " HOME_DIR "/images"), 0, "app-v0\napp-v1\nmine\n", "");
    stop_registry();
}
END_TEST

/* What comes back is the same, to the byte; so is what is saved twice. */
START_TEST(pushes) {
    make_container(_i);
    start_registry("");
    expect(as(_i, IMAGE "commit $NAME mine && " IMAGE "push mine " REGISTRY "ours/mine:v7",
              port),
           0, "ours/mine:v7: sha256:", NULL);
    expect(as(_i, IMAGE "save mine a.tar && " IMAGE "save mine | cmp - a.tar"), 0, "", "");
    if (_i == OURSELVES)
        expect(as(_i, "export CONTAINER_HOME=$T/other;" PULL "ours/mine:v7 mine && " RUN "mine ls /home && " IMAGE "save mine | cmp - a.tar",
                  port),
               0, "\nnew\n", "2 of 2");
    expect(as(_i, IMAGE "push mine " REGISTRY "ours/mine:v8", port), 0, "v8: sha256:", "");
    expect(as(_i, IMAGE "rmi mine && " PULL "ours/mine:v8 back && " RUN "back sh -c 'ls -A /home; [ ! -e /bin/vi ] && [ /added -ef /deep/hard ]'",
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
    expect(as(_i, "$CONTAINER rm $NAME"), 0, "", "");
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

/* The three kinds of archive. */
START_TEST(loads) {
    make_foreign();
    expect(sh("skopeo copy -q oci:o:t docker-archive:d.tar:user/app:v3 &&"
              "skopeo copy -q oci:o:t oci-archive:e.tar:named && tar -c -f f.tar -C o . &&"
              "gzip -k f.tar"),
           0, "", "");
    expect(as(_i, IMAGE "load d.tar && " RUN "app-v3"), 1, FOREIGN_SAYS, "/bin/vi: ");
    expect(as(_i, IMAGE "load e.tar && " RUN "named"), 1, FOREIGN_SAYS, "/bin/vi: ");
    expect(as(_i, IMAGE "load - mine <f.tar.gz && " RUN "mine"), 1, FOREIGN_SAYS, "/bin/vi: ");
    expect(as(_i, "ls " HOME_DIR "/images; ls -A " HOME_DIR "/layers | wc -l"), 0,
           "app-v3\nmine\nnamed\n4\n", "");
    expect(as(_i, "tar -c -f x.tar -C \"$BASE\" bin; " IMAGE "load x.tar"), 125, "",
           "is not in the archive");
}
END_TEST

/* ---- log in ---- */

#define PASSWORD_FILE /* me:sesame, as htpasswd -B writes it */ \
    "me:$2y$05$GcO20aZ6s4.IxFODVTebTekyi.3gQ.IMjWXbrxh7zhISUVDHXlK46"

START_TEST(logs_in_by_password) {
    make_foreign();
    expect(sh("echo '%s' >passwords", PASSWORD_FILE), 0, "", "");
    start_registry(format("auth: {htpasswd: {realm: tests, path: '%s/passwords'}}", getenv("T")));
    expect(sh("skopeo copy -q --dest-tls-verify=false --dest-creds me:sesame oci:o:t docker://" REGISTRY "app", port),
           0, "", "");
    expect(sh(PULL "app", port), 125, "", "set IMAGE_AUTH=USER:PASSWORD");
    expect(sh("IMAGE_AUTH=me:wrong " PULL "app", port), 125, "", "no access to app");
    expect(sh("IMAGE_AUTH=me:sesame " PULL "app && IMAGE_AUTH=me:sesame " IMAGE "push app " REGISTRY
              "new && " IMAGE "rmi app",
              port, port),
           0, "/new:latest: sha256:", NULL);
    expect(sh("mkdir .docker && echo '{\"auths\":{\"127.0.0.1:%d\":{\"auth\":\"'$(printf me:sesame |"
              " base64)'\"}}}' >.docker/config.json && HOME=$T " PULL "new",
              port, port),
           0, "new: 4 layers", NULL);
    stop_registry();
}
END_TEST

/* ---- answers that are not as they should be ---- */

/* A server of files, one request at a time. The shell script $T/lie may change what it does. */
static const char handler[] =
    "exec 2>>$T/handler.log\n"
    "cr=$(printf '\\r') auth= range=\n"
    "say() { printf 'HTTP/1.1 %s\\r\\nConnection: close\\r\\n' \"$1\"; shift;\n"
    "    for header do printf '%s\\r\\n' \"$header\"; done; printf '\\r\\n'; }\n"
    "read -r method path version\n"
    "while read -r line; do line=${line%$cr}; case $line in\n"
    "    '') break ;; [Aa]uthorization:*) auth=${line#* } ;;\n"
    "    [Rr]ange:*) range=${line##*=} range=${range%-} ;; esac; done\n"
    "echo \"$method ${path%%\\?*} $auth $range\" >>$T/requests\n"
    "file=$T/www${path%%\\?*} extra=X-Extra:\n"
    "[ ! -e $T/lie ] || . $T/lie\n"
    "[ -f \"$file\" ] || { say '404 Not Found' 'Content-Length: 0'; exit; }\n"
    "size=$(wc -c <\"$file\") from=${range:-0}\n"
    "say \"$([ $from = 0 ] && echo 200 || echo 206) OK\" \"Content-Length: $((size - from))\" \"$extra\""
    "    \"Content-Range: bytes $from-$((size - 1))/$size\"\n"
    "[ $method = HEAD ] || tail -c +$((from + 1)) \"$file\"\n";

static pid_t liar;

static void start_liar(void) {
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                   .sin_port = htons(port = random_between(30000, 40000)) };
    int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int)), 0);
    ck_assert_int_eq(bind(server, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(listen(server, 64), 0);
    ck_assert_int_ne(liar = fork(), -1);
    if (liar > 0) {
        close(server);
        return;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGCHLD, SIG_IGN);
    for (;;) {
        int client = accept4(server, NULL, NULL, SOCK_CLOEXEC);
        if (fork() != 0) {
            close(client);
            continue;
        }
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(client, 0);
        dup2(client, 1);
        execl("/bin/sh", "sh", "-c", handler, NULL);
        _exit(1);
    }
}

static void stop_liar(void) {
    kill(liar, SIGKILL);
    waitpid(liar, NULL, 0);
}

/* What the liar has: an image of two layers, the lower one large, which is made anew by
 * edit_config and edit_manifest. */
#define EDIT \
    "cd $T/www/v2/app; M=manifests/latest;" \
    "C=blobs/$(jq -r .config.digest $M); L=blobs/$(jq -r '.layers[0].digest' $M);" \
    "edit_manifest() { jq \"$@\" $M >new && mv new $M; };" \
    "edit_config() { jq \"$@\" $C >conf; d=sha256:$(sha256sum <conf | cut -c 1-64);" \
    "  edit_manifest --arg d $d '.config.digest = $d'; mv conf blobs/$d; C=blobs/$d; };"

static void make_www(void) {
    expect(sh("[ -e $TESTS/www ] || { export CONTAINER_HOME=$T/made; mkdir base &&"
              "cp -a \"$BASE\"/bin \"$BASE\"/etc base && head -c 900000 /dev/urandom >base/random &&" IMAGE "import base base && $CONTAINER run --network none --name $NAME base"
              "  sh -c 'echo hi >/new' && " IMAGE "commit $NAME app && $CONTAINER rm $NAME && " IMAGE
              "save app | tar -x && mkdir -p app/manifests app/blobs && cd blobs/sha256 &&"
              "for f in *; do mv $f ../../app/blobs/sha256:$f; done; cd ../../app &&"
              "cp blobs/$(jq -r '.manifests[0].digest' ../index.json) manifests/latest && cd .. &&"
              "cp base/random app && mv -T app $TESTS/www; };"
              "mkdir -p www/v2 && cp -r $TESTS/www www/v2/app"),
           0, NULL, NULL);
}

START_TEST(logs_in_by_token) {
    start_liar();
    make_www();
    expect(sh("cat >lie <<'EOF'\ncase $path in\n"
              "/token*) [ \"$auth\" = \"Basic $(printf me:sesame | base64)\" ] ||"
              "    { say '401 No' 'Content-Length: 0'; exit; }\n"
              "  say '200 OK'; echo '{\"token\":\"open\"}'; exit ;;\n"
              "*) [ \"$auth\" = 'Bearer open' ] || { say '401 No' 'Content-Length: 0'"
              "    'WWW-Authenticate: Bearer realm=\"http://127.0.0.1:%d/token\",service=\"liar\"'; exit; };;"
              "\nesac\nEOF",
              port),
           0, "", "");
    expect(as(_i, PULL "app", port), 125, "", "no access to app");
    expect(as(_i, "IMAGE_AUTH=me:wrong " PULL "app", port), 125, "", "no access to app");
    expect(as(_i, "IMAGE_AUTH=me:sesame " PULL "app && " RUN "app cat /new", port), 0, "hi\n", NULL);
    stop_liar();
}
END_TEST

/* The first answer stops in the middle. The second pull fetches the rest, and only that. */
START_TEST(goes_on) {
    start_liar();
    make_www();
    expect(sh("cat >lie <<'EOF'\n[ ! -f \"$file\" ] || [ $(wc -c <\"$file\") -lt 900000 ] ||"
              "[ \"$range\" ] || { say '200 OK' \"Content-Length: $(wc -c <\"$file\")\";"
              "head -c 700000 \"$file\"; exit; }\nEOF"),
           0, "", "");
    expect(as(_i, PULL "app", port), 125, "", "has not come: curl: (18)");
    expect(as(_i, "ls -A " HOME_DIR "/images " HOME_DIR "/layers | wc -w; ls " HOME_DIR "/blobs"), 0,
           ".part\n", "");
    expect(as(_i, PULL "app && " RUN "app cmp /random - <$T/www/v2/app/random", port), 0, "app: 2 layers",
           "1 of 2 layers to fetch");
    expect(sh("grep -c '  700000$' requests"), 0, "1\n", "");
    stop_liar();
}
END_TEST

static const struct {
    const char *lie, *says;
} lies[] = {
    // clang-format off
    { "printf 1234 | dd of=$L bs=1 seek=1000 conv=notrunc 2>&1", "what has come is another" },
    { "truncate -s -10 $L",                                      "has not come" },
    { "echo more >>$L",                                          "what has come is another" },
    { "head -c 50000000 /dev/zero >>$L",                         "what has come is another" },
    { "rm $L",                                                   "has not come: curl: (22)" },
    { "echo >>$C",                                               "is another" },
    { "rm $C",                                                   "not found" },
    { "rm $M",                                                   "not found: app:latest" },
    { "echo hi >$M",                                             "no JSON object" },
    { "echo '[]' >$M",                                           "no JSON object" },
    { "head -c 100 $M >x; mv x $M",                              "no JSON object" },
    { "head -c 5000000 /dev/zero | tr '\\0' ' ' >>$M",           "curl: (63)" },
    { "edit_manifest 'del(.layers)'",                            "a kind that we do not know" },
    { "edit_manifest '.layers = []'",                            "no layers" },
    { "edit_manifest '.layers = [.layers[0] | range(161) as $n | .]'", "more than 160 layers" },
    { "edit_manifest '.layers[0].digest = \"sha256:../../../../../etc/passwd\"'", "want sha256: " },
    { "edit_manifest '.layers[0].digest |= . + \"\\n\" + .'",    "has no size" },
    { "edit_manifest '.layers[0].size = -1'",                    "has no size" },
    { "edit_manifest '.layers[0].size |= . - 1'",                "what has come is another" },
    { "edit_manifest '.config.digest = \"../x\"'",               "want sha256: " },
    { "edit_config '.rootfs.diff_ids |= reverse'",               "is another, sha256:" },
    { "edit_config '.rootfs.diff_ids |= .[1:]'",                 "another number of layers" },
    { "edit_config '.rootfs.diff_ids[0] = \"../../x\"'",         "want sha256: " },
    { "edit_config 'del(.rootfs)'",                              "names no layers" },
    { "edit_config '.os = \"windows\"'",                         "is for windows" },
    { "edit_config '.config.Cmd = \"sh\"'",                      "not what they should be" },
    { "edit_config '.config.Env = [\"A=\" + \"x\" * 300000]'",   "exceed 256 kB" },
    { "echo '{\"manifests\":[{\"digest\":\"sha256:x\",\"platform\":{\"os\":\"linux\","
      "\"architecture\":\"vax\"}}]}' >$M",                       "there is none for linux/" },
    { "d=sha256:$(sha256sum </dev/null | cut -c 1-64); cp $M manifests/$d;"
      "echo '{\"manifests\":[{\"digest\":\"'$d'\"}]}' >$M",      "another than its digest says" },
    { "echo 'extra=Docker-Content-Digest:sha256:0' >$T/lie",     "another than its digest says" },
    { "echo 'say \"500 No\"; exit' >$T/lie",                     "HTTP status 500" },
    { "echo 'exit' >$T/lie",                                     "curl: (52)" },
    { "echo 'say \"302 No\" \"Location: file:///etc/passwd\"; exit' >$T/lie", "curl: (1)" },
    // clang-format on
};

START_TEST(catches_lies) {
    start_liar();
    make_www();
    expect(sh(EDIT "%s", lies[_i].lie), 0, NULL, "");
    expect(sh(PULL "app", port), 125, "", lies[_i].says);
    expect(sh("ls -A " HOME_DIR "/images " HOME_DIR "/layers | wc -w"), 0, "2\n", "");
    stop_liar();
}
END_TEST

/* Odd, and no harm: what cannot be said is left out; of an index, our part is taken. */
static const struct {
    const char *edit, *prints, *says;
} odds[] = {
    // clang-format off
    { "edit_config '.config.Labels = {a: (\"x\" * 1000000)}'", "app: 2 layers", NULL },
    { "edit_config '.config.Env = [\"A=b\\nc\", \"D=e\"]'", "\ne\n", "because of a newline: \"A=b\\n" },
    { "edit_config '.config |= (.Cmd = [\"--privileged\"] | .User = \"root:root\")'",
      "--\n--privileged\n", NULL },
    { "edit_config '.history[0].created = 7 | .history[1].created_by = [1]'", "app: 2 layers", NULL },
    { "edit_config '.history[1].created_by = \"a\\tb\\u001b[31m\\nc\"'", " a b [31m c\n", NULL },
    { "edit_config '.rootfs.diff_ids |= . + .' && edit_manifest '.layers |= . + .'",
      "app: 2 layers", NULL },
    { "d=sha256:$(sha256sum <$M | cut -c 1-64); cp $M manifests/$d; for a in vax amd64 arm64; do"
      " echo '{\"digest\":\"'$d'\",\"platform\":{\"os\":\"linux\",\"architecture\":\"'$a'\"}}'; done |"
      " jq -s '{manifests: .}' >$M", "app: 2 layers", NULL },
    // clang-format on
};

START_TEST(bears_odd_images) {
    start_liar();
    make_www();
    expect(sh(EDIT "%s", odds[_i].edit), 0, NULL, "");
    expect(sh(PULL "app; " RUN "app sh -c 'cat /new; echo $D'; cat " HOME_DIR
                   "/images/app/args; " IMAGE "history app",
              port),
           0, odds[_i].prints, odds[_i].says);
    stop_liar();
}
END_TEST

/* As many layers as an image of some years has. It may take longer than a command line should. */
START_TEST(bears_many_layers) {
    int n = 130;
    start_liar();
    make_www();
    expect(sh(EDIT "for i in $(seq %d); do echo $i >last; echo $i >f$i; tar -c -f t last f$i;"
                   " d=sha256:$(sha256sum <t | cut -c 1-64); echo $d $(wc -c <t); mv t blobs/$d;"
                   " done >ids; edit_manifest --rawfile i ids '.layers += [$i | split(\"\\n\")[:-1][] |"
                   "  split(\" \") | {digest: .[0], size: .[1] | tonumber}]';"
                   "edit_config --rawfile i ids '.rootfs.diff_ids += [$i | split(\"\\n\")[:-1][] |"
                   "  split(\" \")[0]]'",
              n),
           0, "", "");
    expect(sh("(" PULL "app >out 2>&1; echo $? >status) &", port), 0, "", "");
    for (int tries = 0; tries < 3 && access(format("%s/status", getenv("T")), F_OK) == -1; tries++)
        sh("for i in $(seq 200); do [ ! -e status ] || exit; sleep 0.1; done");
    expect(sh("cat out status"), 0, "\n0\n", "");
    expect(sh(RUN "app sh -c 'cat /last; cat /f* | wc -l'"), 0, format("%d\n%d\n", n, n), "");
    stop_liar();
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
      125, "cut off" },
    { HARMLESS, "head -c 100000 /dev/urandom >y; tar -c y | zstd -q | head -c 50000 >e.tar",
      125, "cut off" },
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
    struct result r = as(who, IMAGE "import evil work/e.tar"), again = sh(PICTURE);
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
    TCase *committed = new_case(s, "committed");
    TCase *exchange = new_case(s, "exchange"), *login = new_case(s, "log in");
    TCase *broken = new_case(s, "broken"), *evil = new_case(s, "hostile");
    if (!has("jq curl getfattr setfattr xz zstd bzip2"))
        return s;
    tcase_add_loop_test(misuse, refuses, 0, COUNT(misused));
    tcase_add_loop_test(misuse, helps, 0, COUNT(named));
    tcase_add_loop_test(local, imports, 0, users());
    if (is_root())
        tcase_add_loop_test(local, imports_devices, 0, users());
    tcase_add_loop_test(local, lists, 0, users());
    tcase_add_test(local, rm_waits);
    tcase_add_loop_test(committed, commits_all_changes, 0, users());
    tcase_add_loop_test(committed, commits_what_does_not_run, 0, users());
    tcase_add_loop_test(committed, commits_what_runs, 0, users());
    tcase_add_loop_test(committed, commits_one_after_the_other, 0, users());
    tcase_add_loop_test(committed, commits_what_nobody_works_on, 0, users());
    tcase_add_loop_test(committed, commits_no_file_of_the_host, 0, 4);
    if (is_root())
        tcase_add_test(committed, commits_for_us_alone);
    tcase_add_loop_test(login, logs_in_by_token, 0, users());
    tcase_add_loop_test(broken, goes_on, 0, users());
    tcase_add_loop_test(broken, catches_lies, 0, COUNT(lies));
    tcase_add_loop_test(broken, bears_odd_images, 0, COUNT(odds));
    tcase_add_test(broken, bears_many_layers);
    tcase_add_loop_test(evil, survives, 0, 2 * COUNT(hostile));
    if (!has("umoci skopeo docker-registry"))
        return s;
    tcase_add_loop_test(exchange, pulls, 0, users());
    tcase_add_loop_test(exchange, pushes, 0, users());
    tcase_add_loop_test(exchange, loads, 0, users());
    tcase_add_test(login, logs_in_by_password);
    if (is_root() && has("runc"))
        tcase_add_test(exchange, runs_elsewhere);
    return s;
}
