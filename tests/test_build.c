/* SPDX-License-Identifier: MIT */
/*
 * test_build.c - container build: what a Containerfile says becomes an image.
 *
 *      refused      what no Containerfile or command line may say: nothing is made
 *      words        quotes, variables, long lines
 *      recorded     what an image only says of itself
 *      run          RUN: its words, its surroundings, its failures
 *      copied       COPY and ADD: which files, from where, to where, and as whose
 *      ignored      .dockerignore
 *      enemies      contexts, images and tars that want to reach the host
 *      cached       what is built again, and what is not; --prune
 *      stages       FROM, AS, --from, --target
 *      many         60 layers, a huge file, the example
 *      ended        interrupted, twice at once, on a full disk: nothing is half made
 *
 * Each test builds from the directory c below its own, as BUILD does.
 */
#include "test.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A shell line: the context with this Containerfile; and the build of it. */
#define WRITE(text) "mkdir -p c && cat >c/Containerfile <<'END' &&\n" text "\nEND\n"
#define IMAGE "$CONTAINER "
#define BUILD IMAGE "build --network none -t made "
#define FROM_BASE "FROM ../../base\n"
#define RUN "$CONTAINER run --rm --network none "
#define NO_CONTAINERS "[ -z \"$(ls -A $CONTAINER_HOME/containers 2>&-)\" ]"
#define CONFIG "$CONTAINER_HOME/images/made/config"

/* What a build that has failed may leave: empty directories, and the lock. */
static void expect_nothing_made(enum who who) {
    expect(as(who, "[ ! -e $CONTAINER_HOME ] ||"
                   " find $CONTAINER_HOME -mindepth 2 ! -path \"*/cache/*\""),
           0, "", "");
}

static void expect_exactly(struct result r, const char *out) {
    expect(r, 0, *out ? out : "", NULL);
    ck_assert_msg(!strcmp(r.out, out), "%s\nprinted:\n%s\nexpected:\n%s", r.line, r.out, out);
}

/* The context, with this Containerfile. */
static void write_context(enum who who, const char *text) {
    expect(as(who, WRITE("%s") "true", text), 0, "", "");
}

/* ---- refused ---- */

static const struct {
    const char *text, *says;
} wrong[] = {
    // clang-format off
    { "", "Containerfile:1: no FROM" },
    { "# nothing\n\n", "no FROM" },
    { "RUN true", "Containerfile:1: RUN: want FROM first" },
    { "FROM", "Containerfile:1: FROM: want 1 or more words" },
    { "FROM a b", "FROM: want IMAGE, or IMAGE AS NAME" },
    { "FROM a AS", "FROM: want IMAGE, or IMAGE AS NAME" },
    { "FROM a AS 1x", "FROM: want IMAGE, or IMAGE AS NAME" },
    { "FROM --platform=linux/arm64 a", "FROM: --platform: not supported" },
    { "FROM base\nRUN true\n\nFETCH x", "Containerfile:4: FETCH: unknown instruction" },
    { "FROM base\nRUN a \\\n  b \\\n# c\n  d\nSTART", "Containerfile:6: START: unknown" },
    { "FROM base\nRUN", "Containerfile:2: RUN: want 1 or more words" },
    { "FROM base\nRUN --mount=type=cache true", "RUN: --mount: not supported" },
    { "FROM base\nCOPY a", "COPY: want 2 or more words" },
    { "FROM base\nCOPY --parents a b", "COPY: --parents: not supported" },
    { "FROM base\nADD --from=a a b", "ADD: --from: not supported" },
    { "FROM base\nADD https://example.org/a /", "ADD: of a URL" },
    { "FROM base\nADD [\"http://example.org/a\", \"/\"]", "ADD: of a URL" },
    { "FROM base\nRUN cat <<EOF\nhi\nEOF", "Containerfile:2: RUN: << is not supported" },
    { "FROM base\nCOPY <<EOF /a\nhi\nEOF", "Containerfile:2: COPY: << is not supported" },
    { "FROM base\nONBUILD RUN true", "Containerfile:2: ONBUILD: " },
    { "# escape=`\nFROM base", "Containerfile:1: escape: only \\ is supported" },
    { "FROM base\nENV A=\"b", "ENV: a \" has no partner" },
    { "FROM base\nENV A='b", "ENV: a ' has no partner" },
    { "FROM base\nENV A=${b", "ENV: " },
    { "FROM base\nENV A=${b#c}", "ENV: want ${X}, ${X:-WORD} or ${X:+WORD}" },
    { "FROM base\nENV A=${b:-c", "ENV: a { has no partner" },
    // clang-format on
};

/* The whole file is read first: RUN true has not been run. */
START_TEST(refuses_a_file) {
    expect(sh(WRITE("%s") BUILD "c", wrong[_i].text), 125, "", wrong[_i].says);
    expect_nothing_made(OURSELVES);
}
END_TEST

/* All that is wrong is said at once. */
START_TEST(says_all_that_is_wrong) {
    struct result r = sh(WRITE("FROM a b\nFETCH x\nADD http://x /") BUILD "c");
    expect(r, 125, "", "Containerfile:1: ");
    expect(r, 125, "", "Containerfile:2: ");
    expect(r, 125, "", "Containerfile:3: ");
}
END_TEST

static const struct {
    const char *options, *says;
} misused[] = {
    // clang-format off
    { "", "usage" },                         { "-t made", "usage" },
    { "a b", "usage" },                      { "c -t", "usage" },
    { "''", "usage" },                       { "-t", "usage" },
    { "--frob x c", "--frob: unknown" },     { "-t ../x c", "-t ../x: want letters" },
    { "-t '' c", "-t : want letters" },      { "-t x/y c", "want letters" },
    { "-t $(seq -s x 40) c", "63" },         { "--network x c", "--network x: want" },
    { "--build-arg '=x' c", "--build-arg =x: want NAME=VALUE" },
    { "--build-arg '1=x' c", "want NAME=VALUE" },
    { "--build-arg \"A=x\ny\" c", "in one line" },
    { "nosuch", "nosuch: no such directory" },
    { "-- -nosuch", "-nosuch: no such directory" },
    { "-f nosuch c", "nosuch" },             { "/bin", "no Containerfile" },
    { "--target nosuch c", "--target nosuch: no such stage" },
    { "--target 1 c", "--target 1: no such stage" },
    // clang-format on
};

START_TEST(refuses_options) {
    expect(sh(WRITE("FROM base\nRUN true") IMAGE "build %s", misused[_i].options),
           125, "", misused[_i].says);
    expect_nothing_made(OURSELVES);
}
END_TEST

/* What turns out to be wrong only when it is its turn. */
static const struct {
    const char *text, *says;
} late[] = {
    // clang-format off
    { "FROM nosuch", "Containerfile:1: FROM: nosuch: no such image; try: container pull nosuch" },
    { "FROM ./nosuch", "./nosuch: no such directory" },
    { "FROM ../x/..", "no such directory" },
    { "FROM -x", "FROM -x: want letters" },
    { "ARG B\nFROM $B", "FROM" },
    { "FROM scratch\nRUN true", "there is no layer yet" },
    { "FROM scratch\nCMD true", "made: has no layer" },
    { "FROM scratch\nCOPY nosuch /", "COPY: nosuch: not in c, or ignored there" },
    { "FROM scratch\nCOPY no* /", "COPY: no*: not in c" },
    { "FROM scratch\nCOPY ../x /", "COPY: ../x: leads out" },
    { "FROM scratch\nCOPY x/../../y /", "leads out" },
    { "FROM scratch\nCOPY file Containerfile /x", "/x: for more than one file, want /x/" },
    { "FROM scratch\nCOPY \"\" /x", "a word is empty" },
    { "FROM scratch\nCOPY --chmod=u+x file /x", "--chmod=u+x: want a number" },
    { "FROM scratch\nCOPY --chown=nobody file /x", "--chown=nobody: no such user" },
    { "FROM scratch\nCOPY --chown=0:staff file /x", "--chown=0:staff: no such group" },
    { "FROM scratch\nCOPY --from=nosuch file /x", "nosuch: no such image" },
    { "FROM scratch\nCOPY [\"file\"]", "COPY" },
    { "FROM scratch\nCOPY [\"file\", \"\"]", "a word is empty" },
    { "FROM scratch\nENV A", "want NAME=VALUE" },
    { "FROM scratch\nENV A=b C", "want NAME=VALUE" },
    { "FROM scratch\nARG 1=x", "no name" },
    { "FROM scratch\nSHELL /bin/sh", "want [\"PROGRAM\"" },
    { "FROM scratch\nEXPOSE http", "want PORT" },
    { "FROM scratch\nHEALTHCHECK true", "want CMD COMMAND, or NONE" },
    { "FROM scratch\nHEALTHCHECK --interval=x CMD true", "--interval=x: want a time" },
    // clang-format on
};

/* Where busybox has the name, it is said which program is missing. */
static const char *const gnu[] = { "sed", "sort", "tar", "tr" };

START_TEST(refuses_busybox) {
    expect(sh(WRITE("FROM base\nRUN true") "mkdir other && ln -s $(command -v busybox) other/%s;"
                                           "PATH=$PWD/other:$PATH; " IMAGE "build c",
              gnu[_i]),
           125, "", format("needs the %s of GNU", gnu[_i]));
    expect_nothing_made(OURSELVES);
}
END_TEST

START_TEST(refuses_a_step) {
    expect(sh(WRITE("%s") ":> c/file; " BUILD "c", late[_i].text), 125, NULL, late[_i].says);
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
    { "ENV A=1\nENV B=${A}2${C}3${C:-4}${A:-5}${A:+6}${C:+7}$D-${C-8}", ".Env[1]", "\"B=123416-8\"" },
    { "ENV A=1\nENV B=${C:-${A}\"x}y\"}z", ".Env[1]", "\"B=1x}yz\"" },
    { "ENV A=\\$B B=\"\\$A\\\"\\n\" C='\\$'", ".Env", "[\"A=$B\",\"B=$A\\\"\\\\n\",\"C=\\\\$\"]" },
    { "ENV A=$ B=$$ C=a$", ".Env", "[\"A=$\",\"B=$$\",\"C=a$\"]" },
    { "ENV A='' B=\"\" C=", ".Env", "[\"A=\",\"B=\",\"C=\"]" },
    { "ENV A==b=c", ".Env", "[\"A==b=c\"]" },
    { "ENV A=\xc3\xa4\xe2\x82\xac", ".Env", "[\"A=\xc3\xa4\xe2\x82\xac\"]" },
    { "ENV A=-x B=--args", ".Env", "[\"A=-x\",\"B=--args\"]" },
    { "ENV A=1 \\\n   B=2 \\\n# no\n\n   # nor this\n   C=3", ".Env", "[\"A=1\",\"B=2\",\"C=3\"]" },
    { "ENV A=1\\\n2", ".Env", "[\"A=12\"]" },
    { "ENV A=1\\ \\\t \n B=2\r\nENV C=3\r", ".Env", "[\"A=1 \",\"B=2\",\"C=3\"]" },
    { "env A=1\nEnv B=2", ".Env", "[\"A=1\",\"B=2\"]" },
    { "  ENV\tA=1", ".Env", "[\"A=1\"]" },
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
    { "WORKDIR a\nWORKDIR /", ".WorkingDir", "\"/\"" },
    { "WORKDIR /a\nWORKDIR ../../..", ".WorkingDir", "\"/\"" },
    { "ENV U=7\nUSER $U:8", ".User", "\"7:8\"" },
    { "CMD [\"a\", \"b c\"]", ".Cmd", "[\"a\",\"b c\"]" },
    { "CMD a  'b c' $D", ".Cmd", "[\"/bin/sh\",\"-c\",\"a  'b c' $D\"]" },
    { "CMD [ a, b ]", ".Cmd", "[\"/bin/sh\",\"-c\",\"[ a, b ]\"]" },
    { "CMD [\"a\"] x", ".Cmd", "[\"/bin/sh\",\"-c\",\"[\\\"a\\\"] x\"]" },
    { "CMD []", ".Cmd", "[]" },
    { "CMD a\nCMD [\"b\"]", ".Cmd", "[\"b\"]" },
    { "SHELL [\"/bin/ash\", \"-ec\"]\nCMD a", ".Cmd", "[\"/bin/ash\",\"-ec\",\"a\"]" },
    { "ENTRYPOINT [\"a\"]\nCMD [\"b\"]", "[.Entrypoint, .Cmd]", "[[\"a\"],[\"b\"]]" },
    { "CMD [\"b\"]\nENTRYPOINT [\"a\"]", "[.Entrypoint, .Cmd]", "[[\"a\"],[\"b\"]]" },
    { "LABEL a=b \"c d\"=\"e f\"\nLABEL a=x", ".Labels", "{\"a\":\"x\",\"c d\":\"e f\"}" },
    { "MAINTAINER A B <a@b>", ".Labels.maintainer", "\"A B <a@b>\"" },
    { "ENV P=80\nEXPOSE $P 53/udp 8000-8010", ".ExposedPorts | keys",
      "[\"53/udp\",\"80/tcp\",\"8000-8010/tcp\"]" },
    { "VOLUME /a /b\nVOLUME [\"/c d\"]", ".Volumes | keys", "[\"/a\",\"/b\",\"/c d\"]" },
    { "STOPSIGNAL SIGQUIT", ".StopSignal", "\"SIGQUIT\"" },
    { "HEALTHCHECK --interval=30s --retries=3 --start-period=1m CMD a b", ".Healthcheck",
      "{\"Interval\":30000000000,\"Retries\":3,\"StartPeriod\":60000000000,"
      "\"Test\":[\"CMD-SHELL\",\"a b\"]}" },
    { "HEALTHCHECK CMD [\"a\", \"b\"]", ".Healthcheck.Test", "[\"CMD\",\"a\",\"b\"]" },
    { "HEALTHCHECK NONE", ".Healthcheck.Test", "[\"NONE\"]" },
    // clang-format on
};

START_TEST(says_what_was_meant) {
    expect(sh(WRITE("ARG GENERAL=all\nFROM scratch\nCOPY Containerfile /\n%s") BUILD
              "--build-arg GIVEN='a b' c >/dev/null && jq -c -S '%s' " CONFIG,
              said[_i].text, said[_i].filter),
           0, format("%s\n", said[_i].result), NULL);
}
END_TEST

START_TEST(reads_what_editors_write) {
    expect(sh("mkdir c; printf '\\357\\273\\277# syntax=x\\r\\nFROM scratch\\r\\n"
              "COPY --chmod=755 \\\\\\r\\n Containerfile /\\r\\nCMD [\"a\"]' >c/Containerfile;" BUILD
              "c && jq -c .Cmd " CONFIG),
           0, "\n[\"a\"]\n", "");
}
END_TEST

START_TEST(takes_any_file) {
    write_context(OURSELVES, "nonsense");
    expect(sh("cd c; echo FROM scratch >Dockerfile; echo COPY Dockerfile / >>Dockerfile;" BUILD "-f Dockerfile . &&" BUILD "-f - . <Dockerfile && rm Containerfile &&" BUILD ". >/dev/null"),
           0, "made: 1 layers", "");
}
END_TEST

START_TEST(names_what_nobody_asks_for) {
    expect(sh(WRITE("FROM scratch\nARG A\nCOPY Containerfile /") BUILD
              "--build-arg A=1 --build-arg B=2 c"),
           0, NULL, "--build-arg B: no ARG asks for it\n");
}
END_TEST

/* ---- run ---- */

START_TEST(runs_with_the_words_of_before) {
    write_context(_i, FROM_BASE
                  "ARG WHO=me\nENV A='x y' WHO2=$WHO\nWORKDIR /new/dir\n"
                  "RUN echo \"$A $WHO $WHO2 $PWD $(id -u)\" \\\n  && echo two >file\n"
                  "RUN [\"sh\", \"-c\", \"echo \\\"$0 $1\\\"; cat file\", \"a b\", \"$A\"]\n"
                  "SHELL [\"/bin/sh\", \"-exc\"]\nRUN echo traced");
    expect(as(_i, BUILD "c"), 0, "x y me me /new/dir 0\n", "+ echo traced\n");
    expect(as(_i, BUILD "--no-cache c"), 0, "\na b $A\ntwo\n", "+ echo traced\n");
    expect_exactly(as(_i, RUN "made cat file"), "two\n");
    expect(as(_i, RUN "made sh -c 'echo $WHO.$A'"), 0, ".x y\n", "");
}
END_TEST

START_TEST(runs_as_the_user) {
    write_context(OURSELVES, FROM_BASE
                  "RUN id -u >/tmp/a\nUSER 7:8\nRUN id -u >/tmp/b; id -g >>/tmp/b\n"
                  "USER student\nRUN id -un >/tmp/c; echo $HOME >>/tmp/c");
    expect(sh(BUILD "c"), 0, NULL, "");
    expect_exactly(sh(RUN "-u 0 made cat /tmp/a /tmp/b /tmp/c"),
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
    expect(as(_i, IMAGE "build c"), 0,
           bridge ? "\neth0 lo\n" : format("\n%s", as(_i, "cd /sys/class/net && echo $(ls)").out), "");
    expect(as(_i, IMAGE "build --no-cache --network none c"), 0, "\nlo\n", "");
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
    enum who who = _i / COUNT(failing);
    const char *line = failing[_i % COUNT(failing)].line;
    int status = failing[_i % COUNT(failing)].status;
    expect(as(who, WRITE(FROM_BASE "RUN echo first\n\n%s\nRUN echo last") BUILD "c",
              line),
           125, "first\n", format("c/Containerfile:4: RUN: %s: status %d\n", line + 4, status));
    expect(as(who, "ls -A $CONTAINER_HOME/images; " NO_CONTAINERS " &&"
                   "ls -A $CONTAINER_HOME/layers | wc -l"),
           0, "1\n", NULL);
    expect(as(who, BUILD "c"), 125, "[2/4] RUN echo first   cached\n", NULL);
}
END_TEST

/* ---- copied ---- */

/* What stands in the context and in the image, the instruction, and then: what find prints of
 * the new layer, in the order of names. */
#define LAYER "$CONTAINER_HOME/layers/$(head -n 1 $CONTAINER_HOME/images/made/layers)"
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
    { "COPY 1.txt /w", "/w d711 /w/1.txt f644 " },
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
    { "COPY *.txt /x/", "/x d755 /x/1.txt f644 /x/2.txt f600 " },
    { "COPY [12].tx? /x/", "/x d755 /x/1.txt f644 /x/2.txt f600 " },
    { "COPY d/*/e1 *h* /x/", "/x d755 /x/.hid f644 /x/e1 f644 " },
    { "COPY d /x", "/x d755 /x/d1 f644 /x/e d700 /x/e/e1 f644 /x/e/f d755 /x/e/l lrwx /x/hard f644 " },
    { "COPY d/ /x/", "/x d755 /x/d1 f644 /x/e d700 /x/e/e1 f644 /x/e/f d755 /x/e/l lrwx /x/hard f644 " },
    { "COPY d/e /w/t", "/w d711 /w/t d1777 /w/t/e1 f644 /w/t/f d755 /w/t/l lrwx " },
    { "COPY d*/e /w/sub", "/w d711 /w/sub d755 /w/sub/e1 f644 /w/sub/f d755 /w/sub/l lrwx " },
    { "COPY empty /x", "/x d755 " },
    { "COPY link /x", "/x f644 " },
    { "COPY link /x/", "/x d755 /x/d1 f644 " },
    { "COPY abs /x", "/x f644 " },
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
    return as(who, WRITE("%s%s") BUILD "c", image_lines, lines);
}

/* Some rows in one build, because a build takes its time: a stage for each. Its layer is found by
 * what HOME/cache has noted of it. */
enum { AT_ONCE = 6,
       BUILDS = (COUNT(copies) + AT_ONCE - 1) / AT_ONCE };

START_TEST(copies_to_the_right_place) {
    enum who who = _i / BUILDS;
    int first = _i % BUILDS * AT_ONCE;
    char *lines = "";
    for (int i = first; i < first + AT_ONCE && i < COUNT(copies); i++)
        lines = format("%sFROM begun\n%s\n", lines, copies[i].line);
    expect(build_in_context(who, lines), 0, "made: ", "");
    for (int i = first; i < first + AT_ONCE && i < COUNT(copies); i++) {
        const char *line = strrchr(copies[i].line, '\n');
        expect_exactly(as(who,
                          "cd $CONTAINER_HOME/layers/$(awk -F '\\t' -v line='%s' '$4 == line { print $1 }'"
                          " $CONTAINER_HOME/cache/*) && find . -mindepth 1 -printf '%%P %%y%%m\\n' |"
                          "sort | sed 's/l777/lrwx/; s|^|/|' | tr '\\n' ' '",
                          line ? line + 1 : copies[i].line),
                       copies[i].files);
    }
}
END_TEST

/* What is there already in the image, and of another kind; what is not in the context. */
static const struct {
    const char *line, *says;
} clashing[] = {
    // clang-format off
    { "COPY d /w/file", "is no directory in the image" },
    { "COPY 1.txt /w/file/x", "/w/file: is no directory in the image" },
    { "COPY 1.txt /w/file/", "/w/file: is no directory in the image" },
    { "COPY . /bin/busybox", "is no directory in the image" },
    { "RUN mkdir -p /z/1.txt\nCOPY 1.txt /z", "/z/1.txt: is a directory in the image" },
    { "RUN mkdir -p /z/d1\nCOPY d /z", "of another kind" },
    { "RUN mkdir /z && ln -s /w /z/e\nCOPY d /z", "of another kind" },
    { "RUN mkdir /z && touch /z/e\nCOPY d /z", "of another kind" },
    { "RUN ln -s a /a && ln -s /b /c && ln -s /c /b\nCOPY 1.txt /a/b", "too many links" },
    { "COPY dangling /x", "dangling: not in c" },
    { "COPY d/nosuch /x", "d/nosuch: not in c" },
    { "COPY 1.txt/ /x/y/", NULL },
    // clang-format on
};

START_TEST(covers_nothing_of_another_kind) {
    struct result r = build_in_context(OURSELVES, clashing[_i].line);
    expect(r, clashing[_i].says ? 125 : 0, NULL, clashing[_i].says);
    expect(sh(NO_CONTAINERS " && ls -d $CONTAINER_HOME/layers/.new*"), 2, "", NULL);
}
END_TEST

/* To whom it belongs is no matter of the context; what it holds and when it was made is. */
START_TEST(copies_times_and_owners) {
    build_in_context(OURSELVES, "COPY d /x\nCOPY 1.txt /x/\nCOPY --chown=7 1.txt /y/a\n"
                                "COPY --chown=student 1.txt /b\nCOPY --chown=8:student 1.txt /c\n"
                                "COPY --chown=student:tty d/e /w/t/new\n");
    expect(sh("chown -R 5:6 c; touch c/1.txt; touch -d @1000000000 c/1.txt c/d/e; " BUILD
              "--no-cache c"),
           0, NULL, "");
    expect_exactly(sh(RUN "made stat -c '%%n %%u %%g' /x /x/e /x/1.txt /y /y/a /b /c /w/t /w/t/new"
                          " /w/t/new/e1 /w/t/new/l"),
                   "/x 0 0\n/x/e 0 0\n/x/1.txt 0 0\n/y 7 7\n/y/a 7 7\n/b 1000 1000\n/c 8 1000\n"
                   "/w/t 0 0\n/w/t/new 1000 5\n/w/t/new/e1 1000 5\n/w/t/new/l 1000 5\n");
    expect_exactly(sh(RUN "made stat -c %%Y /x/1.txt /x/e"), "1000000000\n1000000000\n");
}
END_TEST

START_TEST(has_one_user_without_root) {
    expect(as(users() - 1, WRITE("FROM ../../base\nCOPY --chown=0:0 Containerfile /a\n"
                                 "COPY --chown=student Containerfile /b") BUILD "c"),
           125, "[2/3] COPY", "Containerfile:3: COPY: --chown=student: without root");
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
                  "  $(($(find $T/c/d -maxdepth 1 -type f -printf x | wc -c) + 1)) ]"),
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
        expect_exactly(as(_i, "cd $CONTAINER_HOME/layers/$(tail -n 1 $CONTAINER_HOME/images/made/layers);"
                              "find . | sort | tr '\n' ' '; stat -c %%u x/d/f"),
                       format(". ./x ./x/b.tar ./x/d ./x/d/f ./x/d/l ./x/empty.tar %s",
                              is_root() && _i == OURSELVES ? "9\n" : as(_i, "id -u").out));
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
    { "*.o", "a a/b a/b/c a/b/x.o a/x.c a/x.o d d/x.o f.md g.md " },
    { "*/*.o", "a a/b a/b/c a/b/x.o a/x.c d f.md g.md x.o " },
    { "**/*.o", "a a/b a/b/c a/x.c d f.md g.md " },
    { "a/**", "a d d/x.o f.md g.md x.o " },
    { "**/b", "a a/x.c a/x.o d d/x.o f.md g.md x.o " },
    { "**/x.*\\n!**/*.c", "a a/b a/b/c a/x.c d f.md g.md " },
    { "?", "f.md g.md x.o " },
    { "[af].md\\n[^g].o", "a a/b a/b/c a/b/x.o a/x.c a/x.o d d/x.o g.md " },
    { "*\\n!a/b", "a a/b a/b/c a/b/x.o " },
    { "*\\n!a/b/c", "a a/b a/b/c " },
    { "*.md\\n!f.md", "a a/b a/b/c a/b/x.o a/x.c a/x.o d d/x.o f.md x.o " },
    { "!f.md\\n*.md", "a a/b a/b/c a/b/x.o a/x.c a/x.o d d/x.o x.o " },
    { "x+o\\nx.\\nf.m\\n.md\\nxzo", "a a/b a/b/c a/b/x.o a/x.c a/x.o d d/x.o f.md g.md x.o " },
    { "\\\\x.o", "a a/b a/b/c a/b/x.o a/x.c a/x.o d d/x.o f.md g.md " },
    // clang-format on
};

START_TEST(leaves_out_what_is_ignored) {
    write_context(OURSELVES, "FROM scratch\nCOPY . /");
    expect(sh("mkdir -p c/a/b c/d; for f in %s; do [ -d c/$f ] || echo 1 >c/$f; done;"
              "printf '%s\nContainerfile\n.dockerignore\n' >c/.dockerignore;" BUILD "c",
              tree, ignored[_i].lines),
           0, "made: 1 layers", "");
    expect_exactly(sh("cd " LAYER " && find . -mindepth 1 -printf '%%P\n' | sort | tr '\\n' ' '"),
                   ignored[_i].files);
}
END_TEST

START_TEST(finds_nothing_that_is_ignored) {
    expect(sh(WRITE("FROM scratch\nCOPY %s /x/") "mkdir c/d; echo >c/d/a; echo >c/b.o;"
                                                 "printf 'd/*\n*.o\n' >c/.dockerignore;" BUILD "c",
              _i == 0 ? "d/a" : _i == 1 ? "*.o"
                                        : "Container* b.o"),
           125, NULL, "or ignored there");
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
    write_context(OURSELVES, "FROM scratch\nCOPY x /x\nCOPY x/secret x/y/secret y/secret * /y/");
    expect(sh("echo hidden >secret; %s", leading_out[_i]), 0, "", "");
    sh(BUILD "c; sed -i '/x.secret/d' c/Containerfile;" BUILD "c");
    expect(sh("grep -r hidden $CONTAINER_HOME"), 1, "", "");
    expect(sh("cat secret"), 0, "hidden\n", "");
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
        expect_exactly(as(who, "cd %s && grep -r . .", canary), "./x:1\n");
        expect(as(who, NO_CONTAINERS), 0, "", "");
    }
}
END_TEST

/* Two sources of one instruction: the link that the first brings is not followed by the second. */
START_TEST(follows_no_link_that_it_has_copied) {
    expect(sh("mkdir -p c/1 c/2/x canary; ln -s $T/canary c/1/x; ln -s $T/canary/y c/1/y;"
              "echo 2 >c/2/x/f; echo 2 >c/2/y;" WRITE("FROM scratch\nCOPY 1 %s /a/") BUILD "c",
              _i == 0 ? "2" : "2/x 2/y"),
           _i == 0 ? 125 : 0, NULL, _i == 0 ? "of another kind" : "");
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
    "echo 1 >f; gzip <f >a.tar; tar -cf b.tar f; head -c 700 b.tar | gzip | head -c 60 >a.tar",
};

START_TEST(unpacks_nothing_outside_the_layer) {
    enum who who = _i / COUNT(tars);
    int row = _i % COUNT(tars);
    as(who, "rm -rf c/*; mkdir -p c canary; chmod 777 canary; cd c; %s", tars[row]);
    as(who, WRITE("FROM scratch\nADD a.tar /a/\nADD a.tar /b") BUILD "c");
    expect(as(who, "ls -A canary; " NO_CONTAINERS), 0, "", NULL);
    expect(as(who, "ls -d $CONTAINER_HOME/images/.new* $CONTAINER_HOME/layers/.new*"), 2, "", NULL);
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
    { "sed -i s/echo.1/echo\\ 2/ c/Containerfile", "", "1\n" },
    { "rm -r $CONTAINER_HOME/cache", "", "0\n" },
    { "rm -r " LAYER, "", "3\n" },
    // clang-format on
};

START_TEST(builds_only_what_has_changed) {
    const char *options = changes[_i].options;
    write_context(OURSELVES, FROM_BASE
                  "COPY a /a\nRUN echo 1 >/1\nARG A=1\nCOPY d /d\nENV B=1\n"
                  "RUN echo $A $B >/2; cat /proc/sys/kernel/random/uuid >/3");
    expect(sh("mkdir c/d; echo 1 >c/a; echo 1 >c/d/b; ln -s b c/d/l;" BUILD "c"), 0, NULL, "");
    expect(sh("%s", changes[_i].change), 0, "", "");
    ck_assert_str_eq(steps(OURSELVES, options), changes[_i].cached);
    ck_assert_str_eq(steps(OURSELVES, strstr(options, "A=") ? options : ""), "4\n");
}
END_TEST

/* A directory that is no list of layers may change under us. */
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
START_TEST(prunes_what_is_cached_only) {
    write_context(_i, "FROM ../../base AS one\nRUN echo 1 >/1\nFROM scratch\n"
                      "COPY --from=one /1 /");
    expect(as(_i, IMAGE "build --prune && [ ! -e $CONTAINER_HOME ] && " BUILD "c && mkdir "
                        "$CONTAINER_HOME/layers/.new.killed && ls $CONTAINER_HOME/layers | wc -l"),
           0, "\n2\n", "");
    expect_exactly(as(_i, IMAGE "build --prune; " IMAGE "build --prune; ls -A $CONTAINER_HOME/layers |"
                                " cmp - $CONTAINER_HOME/images/made/layers;"
                                " ls $CONTAINER_HOME/cache | wc -l"),
                   "1 layers removed\n0 layers removed\n1\n");
    expect(as(_i, BUILD "c"), 0, "COPY --from=one /1 /\n", "");
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
    expect_exactly(as(_i, RUN "made cat f /f /n/a /n/b/f /os-release"),
                   "11\n1\n1\n11\nID=container-base\n");
    expect_exactly(as(_i, "ls -A " LAYER "/../$(sed -n 2p $CONTAINER_HOME/images/made/layers)/n"), "a\nb\n");
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
              "c && cp -r $CONTAINER_HOME/images/made $CONTAINER_HOME/images/first;"
              "echo 'FROM first\nENV B=$A\nENTRYPOINT [\"e\"]\nCOPY next /' >c/next;" BUILD
              "-f c/next c"),
           0, NULL, "");
    expect_exactly(sh("jq -c -S '[.Env, .User, .Labels, .Cmd, .Entrypoint]' " CONFIG),
                   "[[\"A=1\",\"B=1\"],\"1000\",{\"a\":\"b\"},null,[\"e\"]]\n");
    expect(sh("cd $CONTAINER_HOME/images; tail -n +2 made/layers | cmp - first/layers;"
              "tail -n +2 made/history | cmp - first/history"),
           0, "", "");
}
END_TEST

/* Of what was committed; and without a config, args say it. */
START_TEST(starts_from_a_commit) {
    write_context(_i, FROM_BASE "ENV A='x y'\nWORKDIR /w\nRUN true\nCMD [\"cat\", \"f\"]");
    expect(as(_i, BUILD "c; $CONTAINER run --network none --name $NAME made sh -c 'echo $A >f' &&"
                        "$CONTAINER commit $NAME made; $CONTAINER rm $NAME; rm " CONFIG ";"
                        "printf 'FROM made\nRUN echo $A >>f' >c/next;" BUILD "-f c/next c"),
           0, NULL, "");
    expect_exactly(as(_i, RUN "made"), "x y\nx y\n");
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
    expect_exactly(sh(RUN "made sh -c 'ls /x | wc -l'"), "60\n");
    expect_exactly(sh("wc -l <$CONTAINER_HOME/images/made/history"), "61\n");
    expect(sh("head -n 1 $CONTAINER_HOME/images/made/history"), 0,
           "\tCOPY Containerfile /x/60\n", "");
}
END_TEST

START_TEST(copies_a_huge_file) {
    expect(sh(WRITE("FROM scratch\nCOPY huge /") "truncate -s 300M c/huge; echo end >>c/huge;" BUILD
                                                 "c && cmp c/huge " LAYER "/huge"),
           0, "made: 1 layers, 301M", "");
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
    expect_exactly(as(_i, RUN "made cat /a /b"), "1\n2\n");
    expect(as(_i, NO_CONTAINERS), 0, "", "");
}
END_TEST

START_TEST(says_that_the_disk_is_full) {
    write_context(OURSELVES, _i == 0 ? "FROM scratch\nCOPY big /"
                                     : "FROM scratch\nCOPY --from=../../base /bin /bin\n"
                                       "RUN dd if=/dev/zero of=/big bs=1M count=8");
    expect(sh("mkdir full; mount -t tmpfs -o size=4m,mode=755 tmpfs full; head -c 8M /dev/zero >c/big;"
              "export CONTAINER_HOME=$T/full;" BUILD "c; s=$?; ls -A full/* >left; umount full;"
              "exit $s"),
           125, NULL, _i == 0 ? "tar: big: Wrote only" : "dd: error writing '/big': No space left");
    expect(sh("grep -v -e '^full/' -e '^$' left | wc -l"), 0, _i == 0 ? "0\n" : "2\n", "");
}
END_TEST

/* Somebody writes to the context meanwhile. */
START_TEST(notices_a_change_meanwhile) {
    write_context(OURSELVES, "FROM scratch\nCOPY d /d");
    expect(sh("mkdir c/d; head -c 20M /dev/zero >c/d/a; echo 1 >c/d/z;"
              "(while :; do date +%%N >new; mv new c/d/z; done) &" BUILD "c; s=$?; kill $!;"
              "exit $s"),
           125, NULL, "changed");
    expect_nothing_made(OURSELVES);
}
END_TEST

/* ---- the example ---- */

START_TEST(builds_the_example) {
    expect(as(_i, "cp -r $ROOTFS ${TOOLS%%/*} . && ln -s $BASE rootfs/base &&"
                  "cp -r $SOURCE/lessons/hello . && rootfs/image build -t hello hello"),
           0, "hello: ", "");
    expect(as(_i, "$CONTAINER run --rm --network none hello"), 0, "hello", "");
}
END_TEST

/* ---- the suite ---- */

static void add_roots_tests(Suite *s) {
    TCase *t = new_case(s, "root");
    tcase_add_test(t, runs_as_the_user);
    tcase_add_test(t, copies_times_and_owners);
    tcase_add_loop_test(t, says_that_the_disk_is_full, 0, 2);
}

Suite *build_suite(void) {
    Suite *s = suite_create("build");
    TCase *refused = new_case(s, "refused"), *words = new_case(s, "words");
    TCase *run = new_case(s, "run"), *copied = new_case(s, "copied");
    TCase *ignores = new_case(s, "ignored"), *enemies = new_case(s, "enemies");
    TCase *cached = new_case(s, "cached"), *stages = new_case(s, "stages");
    TCase *many = new_case(s, "many"), *ends = new_case(s, "ended");
    tcase_add_loop_test(refused, refuses_a_file, 0, COUNT(wrong));
    tcase_add_test(refused, says_all_that_is_wrong);
    tcase_add_loop_test(refused, refuses_options, 0, COUNT(misused));
    tcase_add_loop_test(refused, refuses_busybox, 0, COUNT(gnu));
    tcase_add_loop_test(refused, refuses_a_step, 0, COUNT(late));
    tcase_add_loop_test(words, says_what_was_meant, 0, COUNT(said));
    tcase_add_test(words, reads_what_editors_write);
    tcase_add_test(words, takes_any_file);
    tcase_add_test(words, names_what_nobody_asks_for);
    tcase_add_loop_test(run, runs_with_the_words_of_before, 0, users());
    tcase_add_loop_test(run, runs_alone, 0, users());
    tcase_add_loop_test(run, has_a_network, 0, users());
    tcase_add_loop_test(run, tells_why_a_step_failed, 0, COUNT(failing) * users());
    tcase_add_loop_test(copied, copies_to_the_right_place, 0, BUILDS * users());
    tcase_add_loop_test(copied, covers_nothing_of_another_kind, 0, COUNT(clashing));
    tcase_add_loop_test(copied, copies_odd_names, 0, users());
    tcase_add_loop_test(copied, adds_what_a_tar_holds, 0, users());
    if (users() == 2 || !is_root()) tcase_add_test(copied, has_one_user_without_root);
    tcase_add_loop_test(ignores, leaves_out_what_is_ignored, 0, COUNT(ignored));
    tcase_add_loop_test(ignores, finds_nothing_that_is_ignored, 0, 3);
    tcase_add_loop_test(enemies, reads_nothing_outside_the_context, 0, COUNT(leading_out));
    tcase_add_loop_test(enemies, writes_nothing_outside_the_layer, 0, COUNT(bent) * users());
    tcase_add_loop_test(enemies, follows_no_link_that_it_has_copied, 0, 2);
    tcase_add_loop_test(enemies, unpacks_nothing_outside_the_layer, 0, COUNT(tars) * users());
    tcase_add_loop_test(cached, builds_only_what_has_changed, 0, COUNT(changes));
    tcase_add_test(cached, notices_another_base);
    tcase_add_test(cached, does_not_mix_old_and_new);
    tcase_add_loop_test(cached, prunes_what_is_cached_only, 0, users());
    tcase_add_loop_test(stages, builds_in_stages, 0, users());
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
    tcase_add_test(ends, notices_a_change_meanwhile);
    if (is_root())
        add_roots_tests(s);
    else
        left_out("build: users, owners, a full disk", "other users, and mount, take root");
    return s;
}
