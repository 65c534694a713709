/* SPDX-License-Identifier: MIT */
/*
 * test_build.c - container build: what a Containerfile says becomes an image.
 *
 *      refused      what no Containerfile or command line may say: nothing is made
 *      words        quotes, variables, long lines; what an image only says about itself
 *      run          RUN: its words, its surroundings, its failures
 *      copied       COPY and ADD: which files, from where, to where, and as whose
 *      ignored      .dockerignore
 *      enemies      contexts, images and tars that want to reach the host
 *      cached       what is built again, and what is not
 *      stages       FROM, AS, --from, --target
 *      many         60 layers, a huge file, the example
 *      ended        interrupted, twice at once, on a full disk: nothing is half made
 *
 * Each test builds from the directory c below its own, as BUILD does. Most of them take all rows of
 * a table, because the first build in a new state directory makes the box, which takes its time.
 */
#include "test.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A shell line: the context with this Containerfile; and the build of it. */
#define WRITE(text) "mkdir -p c && cat >c/Containerfile <<'END' &&\n" text "\nEND\n"
#define IMAGE "$CONTAINER "
#define BUILD IMAGE "build --network none --host-dirs -t made "
#define FROM_BASE "FROM ../../base\n"
#define RUN "$CONTAINER run --rm --network none "
#define NO_CONTAINERS "[ -z \"$(ls -A $CONTAINER_HOME/containers 2>&-)\" ]"
#define CONFIG "$CONTAINER_HOME/images/made/config"
#define LAYER "$CONTAINER_HOME/layers/$(head -n 1 $CONTAINER_HOME/images/made/layers)"

/* What a build that has failed may leave: empty directories, and the box. */
static void expect_nothing_made(enum who who) {
    expect(as(who, "cd $CONTAINER_HOME 2>/dev/null || exit 0; find images layers containers -mindepth 1"),
           0, "", NULL);
}

/* It may have said something, too. */
static void expect_printed(struct result r, const char *out) {
    r.err = "";
    expect_exactly(r, out);
}

/* The context, with this Containerfile. */
static void write_context(enum who who, const char *text) {
    expect(as(who, WRITE("%s") "true", text), 0, "", "");
}

/* ---- refused ---- */

static const struct {
    const char *text, *says;
} wrong[] = {
#define TIMES_TEN "ENV A=$A$A$A$A$A$A$A$A$A$A\n"
    // clang-format off
    { "", "Containerfile:2: no FROM" },
    { "RUN true", "Containerfile:1: RUN: expected FROM first" },
    { "FROM", "Containerfile:1: FROM: expected a word" },
    { "FROM a b", "FROM: expected IMAGE, or IMAGE AS NAME" },
    { "FROM a AS 1x", "FROM: expected IMAGE, or IMAGE AS NAME" },
    { "FROM --platform=linux/arm64 a", "FROM: --platform=linux/arm64: not supported; buildah bud knows it" },
    { "FROM nosuch", "Containerfile:1: FROM: nosuch: no such image, nor directory; try: container pull nosuch" },
    { "FROM ghcr.io/x/nosuch:1", "try: container pull ghcr.io/x/nosuch:1" },
    { "FROM ./nosuch", "./nosuch: no such image, nor directory" },
    { "FROM ../nosuch", "no such image" },
    { "FROM -x", "no such image" },
    { "ARG B\nFROM $B", "FROM: expected IMAGE" },
    { "FROM scratch AS a\nFROM 0", "0: no such image" },
    { "FROM scratch\nRUN true\n\nFETCH x", "Containerfile:4: FETCH: not supported; buildah" },
    { "FROM scratch\nRUN a \\\n  b \\\n# c\n  d\nSTART", "Containerfile:6: START: not supported" },
    { "FROM scratch\nRUN", "Containerfile:2: RUN: expected a word" },
    { "FROM scratch\nCOPY a '", "COPY: a ' has no partner" },
    { "FROM scratch\nENV A=0123456789\n" TIMES_TEN TIMES_TEN TIMES_TEN TIMES_TEN TIMES_TEN, "more than 128 kB" },
    { "FROM scratch\nRUN --mount=type=cache true", "RUN: --mount=type=cache: not supported" },
    { "FROM scratch\nCOPY c", "COPY: expected a source and a destination" },
    { "FROM scratch\nCOPY [\"c\"]", "COPY: expected a source and a destination" },
    { "FROM scratch\nCOPY \"\" /x", "a word is empty" },
    { "FROM scratch\nCOPY a b /x", "COPY: /x: for more than one file, expected /x/" },
    { "FROM scratch\nCOPY --parents a b", "COPY: --parents: not supported" },
    { "FROM scratch\nCOPY --chmod=u+x a b", "--chmod=u+x: expected a number" },
    { "FROM scratch\nCOPY --from=nosuch a b", "nosuch: no such image" },
    { "FROM scratch AS a\nCOPY --from=a a b", "a: no such image" },
    { "FROM scratch\nCOPY --from a b", "--from: not supported" },
    { "FROM scratch\nADD --from=a a b", "ADD: --from=a: not supported" },
    { "FROM scratch\nADD https://example.org/a /", "ADD: https://example.org/a: expected a file" },
    { "FROM scratch\nRUN cat <<EOF\nhi\nEOF", "Containerfile:2: RUN: <<: not supported" },
    { "FROM scratch\nONBUILD RUN true", "Containerfile:2: ONBUILD: not supported" },
    { "FROM scratch\nENV A=\"b", "ENV: a \" has no partner" },
    { "FROM scratch\nENV A='b", "ENV: a ' has no partner" },
    { "FROM scratch\nENV A=${b", "ENV: " },
    { "FROM scratch\nENV A=${b#c}", "ENV: expected ${X}, ${X:-WORD} or ${X:+WORD}" },
    { "FROM scratch\nENV A=${b:-c", "ENV: a { has no partner" },
    { "FROM scratch\nENV A", "expected NAME=VALUE" },
    { "FROM scratch\nENV A=b C", "expected NAME=VALUE" },
    { "FROM scratch\nARG 1=x", "1: expected a name" },
    { "FROM scratch\nSHELL [\"sh\"]", "Containerfile:2: SHELL: not supported" },
    // clang-format on
};

/* The whole file is read first: RUN true has not been run. All that is wrong is said at once. */
START_TEST(refuses_a_file) {
    for (int i = 0; i < COUNT(wrong); i++)
        expect(sh(WRITE("%s") BUILD "c", wrong[i].text), 125, "", wrong[i].says);
    expect(sh(WRITE("FROM ../../base") IMAGE "build c"), 125, "", "../../base: is a directory of the host");
    expect(sh(WRITE("FROM scratch\nCOPY --from=../../base /bin /") IMAGE "build c"), 125, "", "--host-dirs");
    struct result r = sh(WRITE("FROM a b\nFETCH x\nADD http://x /") BUILD "c");
    expect(r, 125, "", "build: c/Containerfile:1: ");
    expect(r, 125, "", "build: c/Containerfile:2: ");
    expect(r, 125, "", "build: c/Containerfile:3: ");
    expect_nothing_made(OURSELVES);
}
END_TEST

static const struct {
    const char *options, *says;
} misused[] = {
    // clang-format off
    { "", "usage" },                         { "-t made", "usage" },
    { "a b", "usage" },                      { "c -t", "usage" },
    { "''", "no such directory" },                       { "-t", "no such directory" },
    { "--frob x c", "--frob x: unknown" },     { "-t ../x c", "NAME ../x: expected letters" },
    { "-t '' c", "NAME : expected letters" },  { "-t x/y c", "expected letters" },
    { "-t $(seq -s x 40) c", "63" },         { "--network x c", "--network x: unknown option" },
    { "--build-arg \"A=x\ny\" c", "in one line" },
    { "nosuch", "nosuch: no such directory" },
    { "-f nosuch c", "nosuch: expected a Containerfile" },             { "/bin", "/bin/Dockerfile: expected" },
    { "--target nosuch c", "--target nosuch: no such stage" },
    { "--target 1 c", "--target 1: no such stage" },
    // clang-format on
};

START_TEST(refuses_options) {
    for (int i = 0; i < COUNT(misused); i++) {
        struct result r = sh(WRITE("FROM scratch\nRUN true") IMAGE "build %s", misused[i].options);
        expect(r, 125, "", misused[i].says);
        ck_assert_msg(!strncmp(r.err, "container: build: ", 18), "%s: not ours alone: %s", r.line, r.err);
    }
    expect_nothing_made(OURSELVES);
}
END_TEST

/* What turns out to be wrong only when it is its turn. */
static const struct {
    const char *text, *says;
} late[] = {
    // clang-format off
    { "FROM scratch\nRUN true", "Containerfile:2: RUN true: status 12" },
    { "FROM scratch\nCMD true", "made: has no layer" },
    { "FROM scratch\nCOPY nosuch /", "/nosuch: does not exist, or is ignored" },
    { "FROM scratch\nCOPY no* /", "/no*: does not exist" },
    { "FROM scratch\nCOPY file nosuch /", "/nosuch: does not exist" },
    { "FROM scratch\nCOPY * /x", "/x: for more than one file, expected /x/" },
    { "FROM scratch\nCOPY --chown=nosuch file /x", "nosuch\ncontainer: build: c/Containerfile:2: COPY --chown=nosuch file /x: status 1" },
    { "FROM scratch\nCOPY --chown=0:nosuch file /x", "nosuch\ncontainer: build: c/Containerfile:2: COPY --chown=0:nosuch file /x: status 1" },
    // clang-format on
};

START_TEST(refuses_a_step) {
    for (int i = 0; i < COUNT(late); i++)
        expect(sh(WRITE("%s") ":> c/file; " BUILD "c", late[i].text), 125, NULL, late[i].says);
    expect_nothing_made(OURSELVES);
}
END_TEST

/* ---- words ---- */

/* The instructions, and what the image then says of itself: a filter of jq, and its result. */
static const struct {
    const char *text, *filter, *result;
} said[] = {
    // clang-format off
    { "ENV A=b C=\"d e\" F='g $A' H=i\\ j", ".Env", "[\"A=b\",\"C=d e\",\"F=g $A\",\"H=i j\"]" },
    { "ENV A b  c \"d\"", ".Env", "[\"A=b  c d\"]" },
    { "ENV A=1\nENV A=2 B=$A", ".Env", "[\"A=2\",\"B=1\"]" },
    { "ENV A=1\nENV B=${A}2${C}3${C:-4}${A:-5}${A:+6}${C:+7}$D-", ".Env[1]", "\"B=123416-\"" },
    { "ENV A=1\nENV B=${C:-${A}\"x}y\"}z", ".Env[1]", "\"B=1x}yz\"" },
    { "ENV A=\\$B B=\"\\$A\\\"\\n\" C='\\$'", ".Env", "[\"A=$B\",\"B=$A\\\"\\\\n\",\"C=\\\\$\"]" },
    { "ENV A=$ B=$$ C=a$", ".Env", "[\"A=$\",\"B=$$\",\"C=a$\"]" },
    { "ENV A='' B=\"\" C=", ".Env", "[\"A=\",\"B=\",\"C=\"]" },
    { "ENV A=\xc3\xa4\xe2\x82\xac", ".Env", "[\"A=\xc3\xa4\xe2\x82\xac\"]" },
    { "ENV A=-x B=--args", ".Env", "[\"A=-x\",\"B=--args\"]" },
    { "ENV A=1 \\\n   B=2 \\\n# no\n\n   # nor this\n   C=3", ".Env", "[\"A=1\",\"B=2\",\"C=3\"]" },
    { "ENV A=1\\\n2", ".Env", "[\"A=12\"]" },
    { "ENV A=1\\ \\\t \n B=2\r\nENV C=3\r", ".Env", "[\"A=1 \",\"B=2\",\"C=3\"]" },
    { "env A=1\nEnv B=2", ".Env", "[\"A=1\",\"B=2\"]" },
    { "ARG A\nENV B=$A", ".Env", "[\"B=\"]" },
    { "ARG A=1\nENV B=$A", ".Env", "[\"B=1\"]" },
    { "ARG A=1\nENV A=2\nARG A=3\nENV B=$A", ".Env", "[\"A=2\",\"B=2\"]" },
    { "ARG A=1 B=2\nENV C=$A$B", ".Env", "[\"C=12\"]" },
    { "ARG GIVEN\nENV A=$GIVEN", ".Env", "[\"A=a b\"]" },
    { "ARG GIVEN=x\nENV A=$GIVEN", ".Env", "[\"A=a b\"]" },
    { "ENV A=$GIVEN", ".Env", "[\"A=\"]" },
    { "ARG GENERAL\nENV A=$GENERAL", ".Env", "[\"A=all\"]" },
    { "ARG GENERAL=x\nENV A=$GENERAL", ".Env", "[\"A=x\"]" },
    { "ENV A=$GENERAL", ".Env", "[\"A=\"]" },
    { "ENV D=x\nWORKDIR /a/./b/../$D\nWORKDIR y", ".WorkingDir", "\"/a/x/y\"" },
    { "WORKDIR /a\nWORKDIR ../../..", ".WorkingDir", "\"/\"" },
    { "ENV U=7\nUSER $U:8", ".User", "\"7:8\"" },
    { "CMD [\"a\", \"b c\"]", ".Cmd", "[\"a\",\"b c\"]" },
    { "CMD a  'b c' $D", ".Cmd", "[\"/bin/sh\",\"-c\",\"a  'b c' $D\"]" },
    { "CMD [ a, b ]", ".Cmd", "[\"/bin/sh\",\"-c\",\"[ a, b ]\"]" },
    { "CMD [\"a\"] x", ".Cmd", "[\"/bin/sh\",\"-c\",\"[\\\"a\\\"] x\"]" },
    { "CMD []", ".Cmd", "[]" },
    { "ENTRYPOINT [\"a\"]\nCMD [\"b\"]", "[.Entrypoint, .Cmd]", "[[\"a\"],[\"b\"]]" },
    { "CMD [\"b\"]\nENTRYPOINT [\"a\"]", "[.Entrypoint, .Cmd]", "[[\"a\"],[\"b\"]]" },
    { "LABEL a=b \"c d\"=\"e f\"\nLABEL a=x", ".Labels", "{\"a\":\"x\",\"c d\":\"e f\"}" },
    { "ENV P=80\nEXPOSE $P 53/udp 8000-8010", ".ExposedPorts | keys",
      "[\"53/udp\",\"80\",\"8000-8010\"]" },
    { "VOLUME /a /b\nVOLUME [\"/c d\"]", ".Volumes | keys", "[\"/a\",\"/b\",\"/c d\"]" },
    { "STOPSIGNAL SIGQUIT", ".StopSignal", "\"SIGQUIT\"" },
    // clang-format on
};

START_TEST(says_what_was_meant) {
    for (int i = 0; i < COUNT(said); i++)
        expect_printed(sh(WRITE("ARG GENERAL=all\nFROM scratch\nCOPY Containerfile /\n%s") BUILD
                          "--build-arg GIVEN='a b' c >/dev/null && jq -c -S '.config | %s' " CONFIG,
                          said[i].text, said[i].filter),
                       format("%s\n", said[i].result));
}
END_TEST

START_TEST(notes_what_nobody_acts_on) {
    expect(sh(WRITE("FROM scratch\nCOPY Containerfile /\nHEALTHCHECK --retries=3 CMD a") BUILD
              "c && jq -c .config " CONFIG),
           0, "\n{}\n", "Containerfile:3: HEALTHCHECK --retries=3 CMD a: is left out");
}
END_TEST

START_TEST(reads_what_editors_write) {
    expect(sh("mkdir c; printf '\\357\\273\\277# syntax=x\\r\\nFROM scratch\\r\\n"
              "COPY --chmod=755 \\\\\\r\\n Containerfile /\\r\\nCMD [\"a\"]' >c/Containerfile;" BUILD
              "c && jq -c .config.Cmd " CONFIG),
           0, "\n[\"a\"]\n", "");
}
END_TEST

START_TEST(takes_any_file) {
    write_context(OURSELVES, "nonsense");
    expect(sh("cd c; printf 'FROM scratch\nCOPY Dockerfile /' >Dockerfile;" BUILD "-f Dockerfile . &&" BUILD
              "-f - . <Dockerfile && rm Containerfile && cd / && $CONTAINER build --tag=made $T/c >&2"),
           0, "made: 1 layers", NULL);
}
END_TEST

/* ---- run ---- */

START_TEST(runs_with_the_words_of_before) {
    write_context(_i, FROM_BASE
                  "ARG WHO=me\nENV A='x y' WHO2=$WHO\nWORKDIR /new/dir\n"
                  "RUN echo \"$A $WHO $WHO2 $PWD $(id -u)\" \\\n  && echo two >file\n"
                  "RUN [\"sh\", \"-c\", \"echo \\\"$0 $1\\\"; cat file\", \"a b\", \"$A\"]");
    expect(as(_i, BUILD "c"), 0, "x y me me /new/dir 0\n", "");
    expect(as(_i, BUILD "--no-cache c"), 0, "\na b $A\ntwo\n", "");
    expect_printed(as(_i, RUN "made cat file"), "two\n");
    expect(as(_i, RUN "made sh -c 'echo $WHO.$A'"), 0, ".x y\n", "");
}
END_TEST

START_TEST(runs_as_the_user) {
    write_context(OURSELVES, FROM_BASE
                  "RUN id -u >/tmp/a\nUSER 7:8\nRUN id -u >/tmp/b; id -g >>/tmp/b\n"
                  "USER student\nRUN id -un >/tmp/c; echo $HOME >>/tmp/c");
    expect(sh(BUILD "c"), 0, NULL, "");
    expect_printed(sh(RUN "-u 0 made cat /tmp/a /tmp/b /tmp/c"),
                   "0\n7\n8\nstudent\n/home/student\n");
}
END_TEST

/* Standard input is nobody's; what a step leaves running ends with it. */
START_TEST(runs_alone) {
    write_context(_i, FROM_BASE "RUN cat; sleep 1000 & true");
    expect(as(_i, "echo nobody reads this | { " BUILD "c; }"), 0, "made: ", "");
}
END_TEST

/* As root a step has a network of its own, with a way out; else it has ours. */
START_TEST(has_a_network) {
    bool bridge = is_root() && _i == OURSELVES;
    write_context(_i, FROM_BASE "RUN cd /sys/class/net && echo $(ls)");
    expect(as(_i, IMAGE "build --host-dirs c"), 0,
           bridge ? "\neth0 lo\n" : format("\n%s", as(_i, "cd /sys/class/net && echo $(ls)").out), "");
    expect(as(_i, IMAGE "build --no-cache --network none --host-dirs c"), 0, "\nlo\n", "");
}
END_TEST

static const struct {
    const char *line;
    int status;
} failing[] = {
    { "RUN exit 3", 3 },
    { "RUN [\"false\"]", 1 },
    { "RUN kill -TERM $$", 143 },
    { "RUN [\"/etc/passwd\"]", 126 },
    { "RUN nosuch", 127 },
};

/* The line and the status are told; the steps before are not done again. */
START_TEST(tells_why_a_step_failed) {
    for (int i = 0; i < COUNT(failing); i++) {
        const char *line = failing[i].line;
        expect(as(_i, WRITE(FROM_BASE "RUN echo first\n\n%s\nRUN echo last") BUILD "c", line),
               125, i ? "[2/4] RUN echo first   cached\n" : "first\n",
               format("c/Containerfile:4: %s: status %d", line, failing[i].status));
        expect(as(_i, "ls -A $CONTAINER_HOME/images; " NO_CONTAINERS " && ls $CONTAINER_HOME/layers | wc -l"),
               0, "1\n", NULL);
    }
}
END_TEST

/* What ENV makes of the usual PATH holds for steps and for containers. */
START_TEST(keeps_the_usual_path) {
    write_context(OURSELVES, FROM_BASE "ENV PATH=/opt/bin:$PATH\nRUN ls / && echo $PATH");
    expect(sh(BUILD "c"), 0, "\n/opt/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n", "");
    expect(sh(RUN "made sh -c 'ls / && echo $PATH'"), 0, "\n/opt/bin:/usr/local/sbin:", "");
}
END_TEST

/* ---- copied ---- */

/* What stands in the context and in the image, the instruction, and then: what find prints of
 * the new layer, in the order of names. */
static const char *const context[] = {
    "mkdir -p c/d/e/f c/empty c/.dot 'c/a b'",
    "echo 1 >c/1.txt; echo 2 >c/2.txt; echo h >c/.hid; echo d >c/d/d1; echo e >c/d/e/e1",
    "echo s >'c/a b/s p'; chmod 600 c/2.txt; chmod 700 c/d/e; ln -s d/d1 c/link; ln -s d c/dlink",
    "ln -s e1 c/d/e/l; ln -s /1.txt c/abs; ln -s nosuch c/dangling; ln c/1.txt c/d/hard",
    "touch -d @1000000000 c/1.txt c/d/e",
};
static const char image_lines[] =
    "FROM ../../base AS begun\nRUN mkdir -p /w/sub /w/t && ln -s t /w/lt && ln -s /w/t /w/at &&"
    " ln -s t/x /w/lf && echo old >/w/file && chmod 1777 /w/t && chmod 711 /w\n";

static const struct {
    const char *line, *files;
} copies[] = {
    // clang-format off
    { "COPY 1.txt /x", "/x f644 " },
    { "COPY 1.txt /x/", "/x d755 /x/1.txt f644 " },
    { "COPY 1.txt x", "/x f644 " },
    { "COPY 1.txt /w/t", "/w d711 /w/t d1777 /w/t/1.txt f644 " },
    { "COPY 1.txt /w/lt", "/w d711 /w/t d1777 /w/t/1.txt f644 " },
    { "COPY 1.txt /w/at/", "/w d711 /w/t d1777 /w/t/1.txt f644 " },
    { "COPY 1.txt /w/at/n/m", "/w d711 /w/t d1777 /w/t/n d755 /w/t/n/m f644 " },
    { "COPY 1.txt /w/lf", "/w d711 /w/lf f644 " },
    { "COPY 1.txt /w/file", "/w d711 /w/file f644 " },
    { "COPY 1.txt /a/../b/./c", "/b d755 /b/c f644 " },
    { "WORKDIR /w\nCOPY 1.txt .", "/w d711 /w/1.txt f644 " },
    { "WORKDIR /w/lt\nCOPY 1.txt ../z", "/w d711 /w/z f644 " },
    { "WORKDIR /w\nCOPY 1.txt sub", "/w d711 /w/sub d755 /w/sub/1.txt f644 " },
    { "COPY /1.txt ./2.txt /x/", "/x d755 /x/1.txt f644 /x/2.txt f600 " },
    { "COPY nosuch* *.txt x[yz] /x/", "/x d755 /x/1.txt f644 /x/2.txt f600 " },
    { "COPY [\"1.txt\", \"nosuch*\", \"./\"]", "/1.txt f644 " },
    { "COPY *.txt /x/", "/x d755 /x/1.txt f644 /x/2.txt f600 " },
    { "COPY [12].tx? /x/", "/x d755 /x/1.txt f644 /x/2.txt f600 " },
    { "COPY d/*/e1 *h* /x/", "/x d755 /x/e1 f644 " },
    { "COPY d /x", "/x d755 /x/d1 f644 /x/e d700 /x/e/e1 f644 /x/e/f d755 /x/e/l lrwx /x/hard f644 " },
    { "COPY d/e /w/t", "/w d711 /w/t d1777 /w/t/e1 f644 /w/t/f d755 /w/t/l lrwx " },
    { "COPY [d]/e /w/sub", "/w d711 /w/sub d755 /w/sub/e1 f644 /w/sub/f d755 /w/sub/l lrwx " },
    { "COPY empty /x", "/x d755 " },
    { "COPY link /x", "/x f644 " },
    { "COPY link /x/", "/x d755 /x/link f644 " },
    { "COPY dlink/e/e1 /x", "/x f644 " },
    { "COPY [\"a b/s p\", \"/y z\"]", "/y z f644 " },
    { "COPY \"a b\" /x", "/x d755 /x/s p f644 " },
    { "ENV N=1\nCOPY ${N}.txt /$N", "/1 f644 " },
    { "COPY --chmod=4751 1.txt d /x/", "/x d755 /x/1.txt f4751 /x/d1 f4751 /x/e d4751 /x/e/e1 f4751 "
      "/x/e/f d4751 /x/e/l lrwx /x/hard f4751 " },
    { "ADD 1.txt /x", "/x f644 " },
    { "ADD d/e /x/", "/x d755 /x/e1 f644 /x/f d755 /x/l lrwx " },
    // clang-format on
};

static struct result build_in_context(enum who who, const char *lines) {
    for (int i = 0; i < COUNT(context); i++) expect(as(who, "%s", context[i]), 0, "", "");
    return as(who, WRITE("%s%s") BUILD "--no-cache c", image_lines, lines);
}

/* All rows in one build, a stage for each: so its layer is what jq finds in the cache. */
START_TEST(copies_to_the_right_place) {
    char *lines = "";
    for (int i = 0; i < COUNT(copies); i++) lines = format("%sFROM begun\n%s\n", lines, copies[i].line);
    expect(build_in_context(_i, lines), 0, "made: ", "");
    expect(as(_i, "cd $CONTAINER_HOME/layers; ls | sed 's/.*-//' | sort -n >$T/numbers"), 0, "", "");
    for (int i = 0, number = 2; i < COUNT(copies); i++) {
        number += 2 + (strchr(copies[i].line, '\n') != NULL);
        expect_printed(as(_i, "cd $CONTAINER_HOME/layers/build-*-%d && find . -mindepth 1 -printf '%%P %%y%%m\\n' |"
                              "sort | sed 's/l777/lrwx/; s|^|/|' | tr '\\n' ' '",
                          number),
                       copies[i].files);
    }
}
END_TEST

/* What is in the image already, and of another kind; what is not in the context. A link to a
 * directory is followed, for example bin to usr/bin. */
static const struct {
    const char *line, *says;
} clashing[] = {
    // clang-format off
    { "COPY d /w/file", "/w/file" },
    { "COPY 1.txt /w/file/x", "/w/file" },
    { "COPY 1.txt /w/file/", "/w/file" },
    { "RUN mkdir -p /z/1.txt/x\nCOPY 1.txt /z", "./1.txt: Cannot open" },
    { "RUN mkdir -p /z/d1/x\nCOPY d /z", "./d1: Cannot open" },
    { "RUN mkdir /z && touch /z/e\nCOPY d /z\nRUN test -f /z/e/e1", NULL },
    { "RUN ln -s a /a && ln -s /b /c && ln -s /c /b\nCOPY 1.txt /a/b", "/a" },
    { "COPY dangling /x", "/dangling: does not exist" },
    { "COPY d/nosuch /x", "/d/nosuch: does not exist" },
    { "COPY 1.txt/ /x/y/", NULL },
    { "RUN mkdir /z && ln -s /w /z/e\nCOPY d /z\nRUN test -f /w/e1 && test -L /z/e", NULL },
    // clang-format on
};

START_TEST(covers_nothing_of_another_kind) {
    for (int i = 0; i < COUNT(clashing); i++) {
        expect(build_in_context(OURSELVES, clashing[i].line), clashing[i].says ? 125 : 0, NULL, clashing[i].says);
        expect(sh("rm -r c; " NO_CONTAINERS " && ls -d $CONTAINER_HOME/layers/.new*"), 2, "", NULL);
    }
}
END_TEST

/* Who owns it is not a part of the context; what it holds and when it was made is. */
START_TEST(copies_times_and_owners) {
    build_in_context(OURSELVES, "COPY d /x\nCOPY 1.txt /x/\nCOPY --chown=7 1.txt /y/a\n"
                                "COPY --chown=student 1.txt /b\nCOPY --chown=8:student 1.txt /c\n"
                                "COPY --chown=student:tty d/e /w/t/new\n");
    expect(sh("chown -R 5:6 c; touch c/1.txt; touch -d @1000000000 c/1.txt c/d/e; " BUILD
              "--no-cache c"),
           0, NULL, "");
    expect_printed(sh(RUN "made stat -c '%%n %%u %%g' /x /x/e /x/1.txt /y /y/a /b /c /w/t /w/t/new"
                          " /w/t/new/e1 /w/t/new/l"),
                   "/x 0 0\n/x/e 0 0\n/x/1.txt 0 0\n/y 7 7\n/y/a 7 7\n/b 1000 1000\n/c 8 1000\n"
                   "/w/t 0 0\n/w/t/new 1000 5\n/w/t/new/e1 1000 5\n/w/t/new/l 1000 5\n");
    expect_printed(sh(RUN "made stat -c %%Y /x/1.txt /x/e"), "1000000000\n1000000000\n");
}
END_TEST

/* Files of a stage keep their owners, unless --chown says something else. */
START_TEST(keeps_the_owners_of_a_stage) {
    write_context(OURSELVES, FROM_BASE "RUN echo 1 >/f && chown 7:8 /f\nFROM scratch\nCOPY --from=0 /f /f\n"
                                       "COPY --from=0 --chown=9 /f /g\nADD a.tar /a/");
    expect(sh("mkdir d; mkfifo d/p; tar -cf c/a.tar d;" BUILD "c"), 0, "made: 3 layers", "");
    expect(sh("cd $CONTAINER_HOME/layers && stat -c '%%n %%u %%g' */[fg] | grep -c -e '-4/f 7 8' -e '-5/g 9 9';"
              "ls */a/d"),
           0, "2\np\n", "");
}
END_TEST

/* An ordinary user cannot change what another user owns, not even in a layer of his own. */
START_TEST(has_one_user_without_root) {
    enum who who = users() - 1;
    expect(as(who, WRITE("FROM ../../base\nCOPY --chown=0:0 Containerfile /a\n"
                         "COPY --chown=student Containerfile /b") BUILD "c"),
           125, "[2/3] COPY", "Containerfile:3: COPY --chown=student Containerfile /b: status 1; without root there is one user only");
    if (!is_root()) return;
    expect(as(who, WRITE("FROM ../../base\nCOPY Containerfile /bin/x") BUILD "c"), 125, NULL,
           "without root there is one user only, and what others own cannot be changed");
    expect(as(who, "$CONTAINER base mine >/dev/null 2>&1 && sed -i 's|FROM .*|FROM ./mine|' c/Containerfile &&" BUILD "c"),
           0, "made: 2 layers", "");
}
END_TEST

/* Each byte that a name may have. */
START_TEST(copies_odd_names) {
    expect(as(_i, "mkdir -p c/d; cd c/d; for n in -n --help 'a b' ' ' '*' '[x]' '?' \\\\ \"'\" '\"'"
                  " '$X' '#a' '\xc3\xa4' '\xff' \"$(printf 'x\\ny')\" \"$(printf '\\nz\\n.')\" ' y '"
                  " '!a' '...' 'a;b' '{a}'; do"
                  "  echo \"$n\" >\"./$n\"; mkdir \"./$n.d\"; echo 1 >\"./$n.d/f\";"
                  "done; touch \"$(printf 'x\\n.')\""),
           0, "", "");
    write_context(_i, "FROM scratch\nCOPY d /all\nCOPY d/* /each/\n"
                      "COPY [\"d/-n\", \"d/ \", \"/some/\"]\nCOPY d/*y /nl/");
    expect(as(_i, BUILD "c"), 0, "made: 4 layers", "");
    expect(as(_i, "set -- $(cat $CONTAINER_HOME/images/made/layers); cd $CONTAINER_HOME/layers &&"
                  "diff -r $4/all $T/c/d && ls $2/some | wc -l && ls $1/nl | wc -l &&"
                  "[ $(find $3/each -type f -printf x | wc -c) ="
                  "  $(find $T/c/d -maxdepth 1 -type f -printf x | wc -c) ]"),
           0, "2\n", "");
}
END_TEST

START_TEST(adds_what_a_tar_holds) {
    static const char *const kinds[] = { "cat", "gzip", "xz", "bzip2" };
    write_context(_i, "FROM scratch\nADD a.tar empty.tar b.tar /x/\nCOPY a.tar /y");
    for (int i = 0; i < COUNT(kinds); i++) {
        expect(as(_i, "mkdir -p s/d; echo x >s/d/f; ln -sf f s/d/l; :>c/empty.tar; echo >c/b.tar;"
                      "tar -c -C s --owner=:9 --group=:9 . | %s >c/a.tar;" BUILD "c",
                  kinds[i]),
               0, "made: ", "");
        expect_printed(as(_i, "cd $CONTAINER_HOME/layers/$(tail -n 1 $CONTAINER_HOME/images/made/layers);"
                              "find . | sort | tr '\n' ' '; stat -c %%u x/d/f"),
                       format(". ./x ./x/b.tar ./x/d ./x/d/f ./x/d/l ./x/empty.tar %s",
                              is_root() && _i == OURSELVES ? "9\n" : as(_i, "id -u").out));
    }
}
END_TEST

/* What the second tar of an ADD has below a link of the first is where the link leads, in the image. */
START_TEST(adds_through_links_of_another_tar) {
    static const char *const leading[] = { "d", "..", "/w", "../../../w" };
    static const char *const found[] = { "x/d/f", "f", "w/f", "w/f" };
    for (int i = 0; i < COUNT(leading); i++) {
        write_context(_i, "FROM scratch\nCOPY begun /\nADD a.tar b.tar /x/");
        expect(as(_i, "rm -rf s t; mkdir -p c/begun/w s/d t/l; ln -s %s s/l; echo 4 >t/l/f;"
                      "tar -c -f c/a.tar -C s d l; tar -c -f c/b.tar -C t l/f;" BUILD "c",
                  leading[i]),
               0, "made: 2 layers", NULL);
        expect_printed(as(_i, "cd " LAYER " && cat %s && find . -name f && readlink x/l", found[i]),
                       format("4\n./%s\n%s\n", found[i], leading[i]));
    }
}
END_TEST

/* ---- ignored ---- */

static const char tree[] = "a a/b a/b/c a/b/x.o a/x.c a/x.o d d/x.o f.md g.md x.o";
static const struct {
    const char *lines, *files;
} ignored[] = {
    // clang-format off
    { "", "a a/b a/b/c a/b/x.o a/x.c a/x.o d d/x.o f.md g.md x.o " },
    { "# a\\n\\n  \\n", "a a/b a/b/c a/b/x.o a/x.c a/x.o d d/x.o f.md g.md x.o " },
    { "a", "d d/x.o f.md g.md x.o " },
    { "/a/\\r\\nd\\r", "f.md g.md x.o " },
    { "./a//\\n ./d ", "f.md g.md x.o " },
    { "*/*.o", "a a/b a/b/c a/b/x.o a/x.c d f.md g.md x.o " },
    { "**/*.o", "a a/b a/b/c a/x.c d f.md g.md " },
    { "a/**", "a d d/x.o f.md g.md x.o " },
    { "**/b", "a a/x.c a/x.o d d/x.o f.md g.md x.o " },
    { "**/x.*", "a a/b a/b/c d f.md g.md " },
    { "**/a/*.o\\n**/**/c", "a a/b a/b/x.o a/x.c d d/x.o f.md g.md x.o " },
    { "a/*/x.o/\\n**/d/**", "a a/b a/b/c a/x.c a/x.o d f.md g.md x.o " },
    { "?", "f.md g.md x.o " },
    { "[af].md\\n[^g].o", "a a/b a/b/c a/b/x.o a/x.c a/x.o d d/x.o g.md " },
    { "x+o\\nx.\\nf.m\\n.md\\nxzo", "a a/b a/b/c a/b/x.o a/x.c a/x.o d d/x.o f.md g.md x.o " },
    // clang-format on
};

START_TEST(leaves_out_what_is_ignored) {
    write_context(OURSELVES, "FROM scratch\nCOPY . /");
    expect(sh("mkdir -p c/a/b c/d; for f in %s; do [ -d c/$f ] || echo 1 >c/$f; done", tree), 0, "", "");
    for (int i = 0; i < COUNT(ignored); i++) {
        expect(sh("printf '%s\nContainerfile\n.dockerignore\n' >c/.dockerignore;" BUILD "c", ignored[i].lines),
               0, "made: 1 layers", "");
        expect_printed(sh("cd " LAYER " && find . -mindepth 1 -printf '%%P\n' | sort | tr '\\n' ' '"),
                       ignored[i].files);
    }
}
END_TEST

/* What tar would not understand like Docker. */
START_TEST(refuses_patterns) {
    static const char *const lines[] = { "!a/b", " !a", "a/**/b", "**/a/**/b" };
    for (int i = 0; i < COUNT(lines); i++)
        expect(sh(WRITE("FROM scratch\nCOPY . /") "echo '%s' >c/.dockerignore;" BUILD "c", lines[i]), 125, "",
               format("%s\ncontainer: build: not supported in .dockerignore\n", lines[i] + (*lines[i] == ' ')));
    expect_nothing_made(OURSELVES);
}
END_TEST

static const char *const hidden[] = { "d/a", "*.o", "Container* b.o", "d/l", "l" };

START_TEST(finds_nothing_that_is_ignored) {
    for (int i = 0; i < COUNT(hidden); i++)
        expect(sh(WRITE("FROM scratch\nCOPY %s /x/") "mkdir -p c/d; echo >c/d/a; echo >c/b.o; ln -sf b.o c/l;"
                                                     "printf 'd/*\n*.o\n' >c/.dockerignore;" BUILD "c",
                  hidden[i]),
               125, NULL, "does not exist, or is ignored");
}
END_TEST

/* ---- enemies ---- */

/* Nothing of the host's is read through the context, and what leads out of it leads nowhere. */
static const char *const leading_out[] = {
    "ln -s $T/secret c/x",
    "ln -s ../secret c/x",
    "ln -s / c/y; ln -s y$T/secret c/x",
    "mkdir c/x; ln -s $T c/x/y",
    "ln -s .. c/x",
    "ln -s /proc/self/cwd c/x",
};

START_TEST(reads_nothing_outside_the_context) {
    for (int i = 0; i < COUNT(leading_out); i++) {
        write_context(OURSELVES, "FROM scratch\nCOPY x /x\nCOPY x/secret x/y/secret y/secret * /y/");
        expect(sh("echo the-host-keeps-this >secret; %s", leading_out[i]), 0, "", "");
        sh(BUILD "c; sed -i '/x.secret/d' c/Containerfile;" BUILD "c");
        expect(sh("grep -r the-host-keeps $CONTAINER_HOME"), 1, "", "");
        expect(sh("cat secret && rm -r c"), 0, "the-host-keeps-this\n", "");
    }
}
END_TEST

/* An image whose links want to lead a copy to the host, where a canary would tell. */
static const char *const bent[] = {
    "ln -s CANARY /app",
    "ln -s ../../../../../../../../../../../../..CANARY /app",
    "mkdir /a; ln -s CANARY /a/b; ln -s a/b /app",
    "ln -s /proc/1/rootCANARY /app",
    "ln -s /proc/self/cwd /app",
    "mkdir /app; ln -s CANARY/x /app/x; ln -s CANARY /app/d; ln -s CANARY/new /app/new",
};

START_TEST(writes_nothing_outside_the_layer) {
    enum who who = _i / COUNT(bent);
    int row = _i % COUNT(bent);
    char *canary = as(who, "mktemp -d $T/canary-XXXXXX | tr -d '\n'").out;
    expect(as(who, "echo 1 >%s/x;" WRITE("FROM ../../base\nRUN %s") BUILD "c", canary,
              bent[row]),
           0, NULL, "");
    as(who, "sed -i s:CANARY:%s: c/Containerfile; mkdir -p c/d; echo 2 >c/x; echo 2 >c/d/x;"
            "tar -cf c/x.tar -C c d",
       canary);
    expect(as(who, BUILD "c"), 0, NULL, "");
    if (row == 0) { /* the link does lead there, for who follows it */
        expect(as(who, "echo 3 >" LAYER "/app/followed; rm %s/followed", canary), 0, "", "");
    }
    static const char *const lines[] = {
        "COPY x /app/",
        "COPY x /app/x\nCOPY x /app/new",
        "COPY x /app/d/",
        "COPY d /app",
        "ADD x.tar /app/d",
        "WORKDIR /app\nCOPY . .",
        "COPY --from=../../base /bin/sh /app/d/",
    };
    for (int i = 0; i < COUNT(lines); i++) {
        struct result r = as(who, "echo 'FROM made\n%s' >c/next;" IMAGE "build --network none -t next -f c/next c", lines[i]);
        ck_assert_msg(r.status == 0 || r.status == 125, "%s: status %d\n%s", r.line, r.status, r.err);
        expect_printed(as(who, "cd %s && grep -r . .", canary), "./x:1\n");
        expect(as(who, NO_CONTAINERS), 0, "", "");
    }
}
END_TEST

/* Two sources of one instruction: the link that the first brings is not followed by the second. */
START_TEST(follows_no_link_that_it_has_copied) {
    sh("mkdir -p c/1 c/2/x canary; ln -s $T/canary c/1/x; ln -s $T/canary/y c/1/y;"
       "echo 2 >c/2/x/f; echo 2 >c/2/y;" WRITE("FROM scratch\nCOPY 1 %s /a/\nCOPY 2 /a/\nADD 2/y /a/y") BUILD "c",
       _i == 0 ? "2" : "2/x 2/y");
    expect(sh("ls -A canary; " NO_CONTAINERS), 0, "", "");
}
END_TEST

/* A tar, made by hand: each member has a name, a type, and where a link leads. */
static const char *const tars[] = {
    "ln -s $T/canary l; tar -cf a.tar l; rm l; mkdir l; echo 1 >l/f; tar -rf a.tar l/f",
    "echo 1 >f; tar -cPf a.tar --transform \"s|^f|$T/canary/f|\" f",
    "echo 1 >f; tar -cPf a.tar --transform 's|^f|../../../../../../../../../../..'$T'/canary/f|' f",
    "echo 1 >f; tar -cPf a.tar --transform 's|^f|x/../../../../../canary/f|' f",
    "echo 1 >$T/canary/g; ln $T/canary/g h; echo 1 >i; tar -cPf a.tar $T/canary/g h; rm $T/canary/g",
    "mkdir dev; mknod dev/null c 1 3; mkfifo p; echo 1 >f; tar -cf a.tar dev p f",
    "echo 1 >f; gzip <f >a.tar; tar -cf b.tar f; head -c 700 b.tar | gzip | head -c 60 >a.tar",
};

START_TEST(unpacks_nothing_outside_the_layer) {
    for (int i = 0; i < COUNT(tars); i++) {
        as(_i, "rm -rf c/*; mkdir -p c canary; chmod 777 canary; cd c; %s", tars[i]);
        as(_i, WRITE("FROM scratch\nADD a.tar /a/\nADD a.tar /b") BUILD "c");
        expect(as(_i, "ls -A canary; " NO_CONTAINERS), 0, "", NULL);
        expect(as(_i, "ls -d $CONTAINER_HOME/images/.new* $CONTAINER_HOME/layers/.new*"), 2, "", NULL);
    }
}
END_TEST

/* ---- cached ---- */

static char *steps(enum who who, const char *options) {
    struct result r = as(who, "{ " BUILD "%s c; } >out; s=$?; grep '^\\[' out | grep -c cached;"
                              "exit $s",
                         options);
    expect(r, 0, NULL, NULL);
    return r.out;
}

/* What is done to the context, and how many of the 4 steps with a layer are then still good. */
static const struct {
    const char *change, *options, *cached;
} changes[] = {
    // clang-format off
    { "true", "", "4\n" },
    { "touch c/a c/d/b c/d", "", "4\n" },
    { "cp -a c x; rm -r c; mv x c", "", "4\n" },
    { "echo 1 >c/not-copied", "", "4\n" },
    { "echo 2 >c/d/b", "", "2\n" },
    { "chmod 600 c/d/b", "", "2\n" },
    { "mv c/d/b c/d/c", "", "2\n" },
    { "echo 1 >c/d/e", "", "2\n" },
    { "mkdir c/d/e", "", "2\n" },
    { "ln -sf nowhere c/d/l", "", "2\n" },
    { "echo 1 >c/d/e; echo d/e >c/.dockerignore", "", "4\n" },
    { "echo 2 >c/a", "", "0\n" },
    { "true", "--build-arg A=2", "3\n" },
    { "true", "--build-arg A=1", "4\n" },
    { "true", "--no-cache", "0\n" },
    { "sed -i s/ENV.B=1/ENV\\ B=2/ c/Containerfile", "", "3\n" },
    { "sed -i /ENV/d c/Containerfile", "", "3\n" },
    { "sed -i s/ARG.A=1/ARG\\ A=3/ c/Containerfile", "", "3\n" },
    { "sed -i s/echo.1/echo\\ 2/ c/Containerfile", "", "1\n" },
    { "rm -r $CONTAINER_HOME/cache", "", "0\n" },
    { "rm -r " LAYER, "", "3\n" },
    // clang-format on
};

START_TEST(builds_only_what_has_changed) {
    for (int i = 0; i < COUNT(changes); i++) {
        const char *options = changes[i].options;
        expect(sh("rm -rf c $CONTAINER_HOME/cache"), 0, "", "");
        write_context(OURSELVES, FROM_BASE
                      "COPY a /a\nRUN echo 1 >/1\nARG A=1\nCOPY d /d\nENV B=1\n"
                      "RUN echo $A $B >/2; cat /proc/sys/kernel/random/uuid >/3");
        expect(sh("mkdir c/d; echo 1 >c/a; echo 1 >c/d/b; ln -s b c/d/l;" BUILD "c"), 0, NULL, "");
        expect(sh("%s", changes[i].change), 0, "", "");
        ck_assert_msg(!strcmp(steps(OURSELVES, options), changes[i].cached), "%s: not %s", changes[i].change,
                      changes[i].cached);
        ck_assert_str_eq(steps(OURSELVES, strstr(options, "A=") ? options : ""), "4\n");
    }
}
END_TEST

/* A directory that is not a list of layers may change under us. */
START_TEST(notices_another_base) {
    write_context(OURSELVES, "FROM ./mine\nRUN cat /etc/new || true");
    expect(sh("cp -a $BASE mine;" BUILD "c"), 0, NULL, NULL);
    ck_assert_str_eq(steps(OURSELVES, ""), "1\n");
    expect(sh("echo hello >mine/etc/new;" BUILD "c"), 0, "\nhello\n", "");
}
END_TEST

/* What a failed build has done with --no-cache is not mixed with what was there before. */
START_TEST(does_not_mix_old_and_new) {
    write_context(OURSELVES, FROM_BASE "RUN cat /proc/sys/kernel/random/uuid >/1\n"
                                       "RUN cat /1 >/2\nRUN true");
    expect(sh(BUILD "c"), 0, NULL, "");
    expect(sh("sed -i '$s/.*/RUN false/' c/Containerfile;" BUILD "--no-cache c"), 125, NULL, "false");
    expect(sh("sed -i '/2$/s/^/RUN false\\n/' c/Containerfile;" BUILD "--no-cache c"), 125, NULL, "false");
    expect(sh("sed -i '/false/d' c/Containerfile;" BUILD "c"), 0, NULL, "");
    expect(sh(RUN "made cmp /1 /2"), 0, "", "");
}
END_TEST

/* What no image has stays for the next build, and no longer than one wants. */
START_TEST(leaves_what_prune_removes) {
    write_context(_i, "FROM ../../base AS one\nRUN echo 1 >/1\nFROM scratch\n"
                      "COPY --from=one /1 /");
    expect(as(_i, BUILD "c && ls $CONTAINER_HOME/layers | wc -l"), 0, "\n2\n", "");
    expect_printed(as(_i, IMAGE "prune >&2; ls -A $CONTAINER_HOME/layers | cmp - $CONTAINER_HOME/images/made/layers;"
                                " ls $CONTAINER_HOME/cache | wc -l"),
                   "1\n");
    expect(as(_i, BUILD "c"), 0, "COPY --from=one /1 /   cached\n", "");
}
END_TEST

/* ---- stages ---- */

START_TEST(builds_in_stages) {
    write_context(_i, "ARG WHICH=two\nFROM ../../base AS one\nENV A=1\nWORKDIR /o\n"
                      "RUN echo 1 >/f\nFROM one AS Two\nRUN echo $A$(cat /f) >>f\n"
                      "ARG WHICH\nRUN echo $WHICH\nFROM scratch AS none\n"
                      "COPY --from=one /f /a\nCOPY --from=1 /f /o /b/\nFROM ${WHICH}\n"
                      "COPY --from=none / /n/\nCOPY --from=../../base /etc/os* /\nFROM nosuch");
    expect(as(_i, BUILD "--target 3 c"), 0, "\ntwo\n", "");
    expect_printed(as(_i, RUN "made cat f /f /n/a /n/b/f /os-release"),
                   "11\n1\n1\n11\nID=container-base\n");
    expect_printed(as(_i, "ls -A " LAYER "/../$(sed -n 2p $CONTAINER_HOME/images/made/layers)/n"), "a\nb\n");
}
END_TEST

/* A file as people write them. */
START_TEST(takes_arguments) {
    write_context(OURSELVES, "ARG BASE=nosuch\nFROM ${BASE}\nARG WHO\nARG MODE=fast\n"
                             "ENV GREETING=\"hello ${WHO:-world}\" \\\n    MODE=$MODE\n"
                             "ENV PATH=/opt/bin:$PATH\nENV OLD a value with  blanks\nENV RAW='$HOME' ESC=\\$HOME\n"
                             "WORKDIR /opt\nWORKDIR bin\n"
                             "RUN printf '#!/bin/sh\\necho \"$GREETING/$MODE/$OLD/$RAW/$ESC/$PWD\"\\n' >greet && \\\n"
                             "    # a comment\n    chmod +x greet\nRUN greet\nCMD greet");
    expect(sh(BUILD "--build-arg BASE=../../base --build-arg MODE=slow c"), 0, "made: 3 layers", "");
    expect_printed(sh(RUN "made"), "hello world/slow/a value with  blanks/$HOME/$HOME//opt/bin\n");
}
END_TEST

START_TEST(stops_at_the_target) {
    expect(sh(WRITE("FROM scratch as a\nCOPY Containerfile /a\nFROM scratch AS B\n"
                    "COPY Containerfile /b\nFROM nosuch\nRUN false\n") BUILD "--target %s c &&"
                                                                             "ls " LAYER,
              _i == 0 ? "b" : _i == 1 ? "B"
                                      : "1"),
           0, "1 layers, ", "");
    expect(sh("ls " LAYER), 0, "b\n", "");
}
END_TEST

/* An image of ours: its layers are shared, its words go on, and ENTRYPOINT undoes its CMD. */
START_TEST(starts_from_an_image) {
    expect(sh(WRITE("FROM ../../base\nENV A=1\nUSER 1000\nLABEL a=b\nCMD [\"a\"]\nRUN true") BUILD
              "c && $CONTAINER tag made first >/dev/null;"
              "echo 'FROM first\nENV B=$A\nENTRYPOINT [\"e\"]\nCOPY next /' >c/next;" BUILD
              "-f c/next c"),
           0, NULL, "");
    expect_printed(sh("jq -c -S '.config | [.Env, .User, .Labels, .Cmd, .Entrypoint]' " CONFIG),
                   "[[\"A=1\",\"B=1\"],\"1000\",{\"a\":\"b\"},[],[\"e\"]]\n");
    expect(sh("cd $CONTAINER_HOME/images; tail -n +2 made/layers | cmp - first/layers;"
              "jq -r '.history[].created_by' made/config"),
           0, "RUN true\nCOPY next /\n", "");
}
END_TEST

/* Also what was committed. */
START_TEST(starts_from_a_commit) {
    write_context(_i, FROM_BASE "ENV A='x y'\nWORKDIR /w\nRUN true\nCMD [\"cat\", \"f\"]");
    expect(as(_i, BUILD "c; $CONTAINER run --network none --name $NAME made sh -c 'echo $A >f' &&"
                        "$CONTAINER commit $NAME made; $CONTAINER rm $NAME;"
                        "printf 'FROM made\nRUN echo $A >>f' >c/next;" BUILD "-f c/next c"),
           0, NULL, "");
    expect_printed(as(_i, RUN "made"), "x y\nx y\n");
}
END_TEST

START_TEST(takes_the_base_beside_it) {
    write_context(OURSELVES, "FROM base\nRUN echo hi");
    expect(sh("cp -r $ROOTFS ${TOOLS%%/*} . && cp -a $BASE rootfs/base;"
              "rootfs/image build --network none -t made c"),
           0, "\nhi\n", "");
    expect(sh(BUILD "c"), 125, NULL, "container pull base");
}
END_TEST

/* ---- many ---- */

/* 60 layers, of which each is seen. */
START_TEST(builds_many_layers) {
    write_context(OURSELVES, "FROM ../../base");
    expect(sh("for i in $(seq 30); do echo \"COPY Containerfile /x/$i\"; done >>c/Containerfile;" BUILD "c"),
           0, "made: 31 layers", "");
    expect(sh("{ echo FROM made; for i in $(seq 31 60); do echo \"COPY Containerfile /x/$i\"; done;"
              "} >c/more;" BUILD "-f c/more c"),
           0, "made: 61 layers", "");
    expect_printed(sh(RUN "made sh -c 'ls /x | wc -l'"), "60\n");
    expect_printed(sh("jq -r '.history | length, .[-1].created_by' " CONFIG), "60\nCOPY Containerfile /x/60\n");
}
END_TEST

START_TEST(copies_a_huge_file) {
    expect(sh(WRITE("FROM scratch\nCOPY huge /") "truncate -s 300M c/huge; echo end >>c/huge;" BUILD
                                                 "c && cmp c/huge " LAYER "/huge"),
           0, "made: 1 layers, ", "");
}
END_TEST

/* ---- ended ---- */

static const char ended[] =
    "FROM ../../base\nRUN echo first\nRUN trap '' INT TERM; echo begun; sleep 1000";

static void expect_first_step_only(enum who who) {
    expect(as(who, NO_CONTAINERS " && cd $CONTAINER_HOME && ls -A images && ls -A layers | wc -l"),
           0, "1\n", "");
}

START_TEST(ends_at_control_c) {
    write_context(_i, ended);
    struct terminal t = at_terminal(_i, BUILD "c");
    wait_for(&t, "begun\r\n");
    type(&t, "\3");
    ck_assert_int_eq(finish(&t), 130);
    expect_first_step_only(_i);
    expect(as(_i, "sed -i '$d' c/Containerfile;" BUILD "c"), 0, "RUN echo first   cached", "");
}
END_TEST

START_TEST(ends_at_a_signal) {
    write_context(_i, ended);
    expect(as(_i, ":>out; " BUILD "c >>out 2>&1 & until grep -q begun out; do sleep 0.05; done;"
                  "kill -TERM $!; wait $!"),
           125, "", "");
    expect_first_step_only(_i);
}
END_TEST

START_TEST(builds_two_at_once) {
    write_context(_i, FROM_BASE "RUN echo 1 >/a; sleep 0.3\nCOPY Containerfile /\nRUN echo 2 >/b");
    expect(as(_i, BUILD "c >1 2>&1 & " BUILD "c >2 2>&1 &" BUILD "--no-cache c >3 2>&1; wait;"
                        "cat 1 2 3 | grep -c '^made: 4 layers'"),
           0, "3\n", "");
    expect_printed(as(_i, RUN "made cat /a /b"), "1\n2\n");
    expect(as(_i, NO_CONTAINERS), 0, "", "");
}
END_TEST

START_TEST(says_that_the_disk_is_full) {
    write_context(OURSELVES, _i == 0 ? "FROM scratch\nCOPY big /"
                                     : "FROM scratch\nCOPY --from=../../base /bin /bin\n"
                                       "RUN dd if=/dev/zero of=/big bs=1M count=40");
    expect(sh("mkdir full; mount -t tmpfs -o size=32m,mode=755 tmpfs full; head -c 40M /dev/zero >c/big;"
              "export CONTAINER_HOME=$T/full;" BUILD "c; s=$?; ls -A full/layers full/images full/containers >left; umount full;"
              "exit $s"),
           125, NULL, _i == 0 ? "the disk is full" : "dd: error writing '/big': No space left");
    expect(sh("grep -v -e '^full/' -e '^$' left | wc -l"), 0, _i == 0 ? "0\n" : "1\n", "");
}
END_TEST

/* Somebody writes to the context meanwhile: what the cache then has is what was copied. */
START_TEST(is_not_led_astray_by_a_change) {
    write_context(OURSELVES, "FROM scratch\nCOPY d /d");
    expect(sh("mkdir c/d; head -c 20M /dev/zero >c/d/a; echo 1 >c/d/z;"
              "(while :; do date +%%N >new; mv new c/d/z; done) & for i in 1 2 3; do " BUILD "c; done; kill $!;"
              "wait; " BUILD "c && cmp c/d/z " LAYER "/d/z"),
           0, NULL, NULL);
}
END_TEST

/* ---- the example ---- */

START_TEST(builds_the_example) {
    expect(as(_i, "cp -r $ROOTFS ${TOOLS%%/*} . && rootfs/image base rootfs/base >/dev/null &&"
                  "cp -r $SOURCE/lessons/hello . && rootfs/image build -t hello hello"),
           0, "hello: ", "");
    expect(as(_i, "$CONTAINER run --rm --network none hello"), 0, "hello", "");
}
END_TEST

/* ---- the suite ---- */

Suite *build_suite(void) {
    Suite *s = suite_create("build");
    TCase *refused = new_case(s, "refused"), *words = new_case(s, "words");
    TCase *run = new_case(s, "run"), *copied = new_case(s, "copied");
    TCase *ignores = new_case(s, "ignored"), *enemies = new_case(s, "enemies");
    TCase *cached = new_case(s, "cached"), *stages = new_case(s, "stages");
    TCase *many = new_case(s, "many"), *ends = new_case(s, "ended");
    tcase_add_test(refused, refuses_a_file);
    tcase_add_test(refused, refuses_options);
    tcase_add_test(refused, refuses_a_step);
    tcase_add_test(words, says_what_was_meant);
    tcase_add_test(words, notes_what_nobody_acts_on);
    tcase_add_test(words, reads_what_editors_write);
    tcase_add_test(words, takes_any_file);
    tcase_add_loop_test(run, runs_with_the_words_of_before, 0, users());
    tcase_add_loop_test(run, runs_alone, 0, users());
    tcase_add_loop_test(run, has_a_network, 0, users());
    tcase_add_loop_test(run, tells_why_a_step_failed, 0, users());
    tcase_add_test(run, keeps_the_usual_path);
    tcase_add_loop_test(copied, copies_to_the_right_place, 0, users());
    tcase_add_test(copied, covers_nothing_of_another_kind);
    tcase_add_loop_test(copied, copies_odd_names, 0, users());
    tcase_add_loop_test(copied, adds_what_a_tar_holds, 0, users());
    tcase_add_loop_test(copied, adds_through_links_of_another_tar, 0, users());
    if (users() == 2 || !is_root()) tcase_add_test(copied, has_one_user_without_root);
    tcase_add_test(ignores, leaves_out_what_is_ignored);
    tcase_add_test(ignores, finds_nothing_that_is_ignored);
    tcase_add_test(ignores, refuses_patterns);
    tcase_add_test(enemies, reads_nothing_outside_the_context);
    tcase_add_loop_test(enemies, writes_nothing_outside_the_layer, 0, COUNT(bent) * users());
    tcase_add_loop_test(enemies, follows_no_link_that_it_has_copied, 0, 2);
    tcase_add_loop_test(enemies, unpacks_nothing_outside_the_layer, 0, users());
    tcase_add_test(cached, builds_only_what_has_changed);
    tcase_add_test(cached, notices_another_base);
    tcase_add_test(cached, does_not_mix_old_and_new);
    tcase_add_loop_test(cached, leaves_what_prune_removes, 0, users());
    tcase_add_loop_test(stages, builds_in_stages, 0, users());
    tcase_add_test(stages, takes_arguments);
    tcase_add_loop_test(stages, stops_at_the_target, 0, 3);
    tcase_add_test(stages, starts_from_an_image);
    tcase_add_loop_test(stages, starts_from_a_commit, 0, users());
    tcase_add_test(stages, takes_the_base_beside_it);
    tcase_add_test(many, builds_many_layers);
    tcase_add_test(many, copies_a_huge_file);
    tcase_add_loop_test(many, builds_the_example, 0, users());
    tcase_add_loop_test(ends, ends_at_control_c, 0, users());
    tcase_add_loop_test(ends, ends_at_a_signal, 0, users());
    tcase_add_loop_test(ends, builds_two_at_once, 0, users());
    tcase_add_test(ends, is_not_led_astray_by_a_change);
    if (is_root()) {
        tcase_add_test(run, runs_as_the_user);
        tcase_add_test(copied, copies_times_and_owners);
        tcase_add_test(copied, keeps_the_owners_of_a_stage);
        tcase_add_loop_test(ends, says_that_the_disk_is_full, 0, 2);
    } else {
        left_out("build: users, owners, a full disk", "other users, and mount, take root");
    }
    return s;
}
