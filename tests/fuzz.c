/* SPDX-License-Identifier: MIT */
/*
 * fuzz.c - millions of random command lines and netlink messages, and what must hold for each.
 *
 *     make fuzz                   for 20 seconds, from the inputs in tests/corpus
 *     make fuzz SECONDS=300
 *     build/fuzz/fuzz FILE        one input again, as a finding is named
 *
 * The first byte of an input says what is tested, and the rest is the material:
 *
 *     r        run: the image's lines, a NUL, and the arguments, each with its NUL
 *     i x      the options of an image, and of exec: arguments
 *     p        one value of -p
 *     n        netlink: a program that makes attributes, see grow
 *     N        netlink: an address, a pid, a name, for the engine's own messages
 *
 * The engine's files are part of this one, with what would reach the outside world replaced: the
 * end of the process is a jump back to here. A sanitizer ends us on a wrong access; CHECK does
 * on a wrong answer.
 */
#include "../container.h"
#include <arpa/inet.h>
#include <getopt.h>
#include <net/if.h>
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>

#define CHECK(truth) ((truth) ? (void)0 : failed(__LINE__, #truth))

static _Noreturn void failed(int line, const char *truth) {
    fprintf(stderr, "tests/fuzz.c:%d: does not hold: %s\n", line, truth);
    abort();
}

/* ---- in place of the world ---- */

static jmp_buf back;
static char last_words[8192]; /* of an engine that has given up */
static void *kept_memory[1 << 16]; /* the engine frees nothing, so we do, after each input */
static int kept_count;
static struct sockaddr_in6 bound; /* by bind */

/* 125 is the engine's own failure; 0 comes after --help. */
static _Noreturn void leave(int status) {
    CHECK(status == 125 || (status == 0 && !*last_words));
    longjmp(back, 1);
}

static void *keep(void *memory) {
    CHECK(memory && kept_count < COUNT(kept_memory));
    return kept_memory[kept_count++] = memory;
}

static int say(int fd, const char *format, ...) {
    va_list values;
    (void)fd;
    va_start(values, format);
    int size = vsnprintf(last_words, sizeof last_words, format, values);
    va_end(values);
    return size;
}

/* One for each pattern, because compiling takes longer than all the rest; so none is freed. */
static int compile(regex_t *regex, const char *pattern, int flags) {
    static struct {
        const char *pattern;
        regex_t regex;
    } known[64];
    int k = 0;
    while (known[k].pattern && strcmp(known[k].pattern, pattern) != 0) k++;
    CHECK(k < COUNT(known) - 1);
    if (!known[k].pattern) {
        CHECK(regcomp(&known[k].regex, pattern, flags) == 0);
        known[k].pattern = strdup(pattern);
    }
    *regex = known[k].regex;
    return 0;
}

static char *image_lines; /* what the image says */

static char *no_image(const char *home, const char *image, char **arguments) {
    (void)home, (void)image;
    *arguments = image_lines;
    return "/layer\n";
}

/* The kernel's answer to a message, once the message has been looked at. */
static int answer_error;
static ssize_t take_message(int fd, const void *message, size_t size, int flags);
static ssize_t give_answer(int fd, void *answer, size_t size, int flags);

static int take_address(int fd, const void *address, size_t size) {
    CHECK(fd == 3 && size == sizeof bound);
    memcpy(&bound, address, size);
    return 0;
}

static int leave_open(int fd) {
    return -(fd != 3);
}

static unsigned index_of(const char *name) {
    return (unsigned)strlen(name);
}

#define main engine_main
#define _exit leave
#define exit leave
#define calloc(n, size) keep(calloc(n, size))
#define vasprintf(to, form, values) (vasprintf(to, form, values) != -1 && keep(*(to)) ? 0 : -1)
#define dprintf say
#define printf(...) 0
#define puts(line) ((void)(line), 0)
#define regcomp compile
#define regfree(regex) (void)(regex)
#define fs_image no_image
#include "../container.c" // NOLINT: with it, what is private there can be tested
#undef calloc
#define close leave_open
#define socket(...) 3
#define setsockopt(...) 0
#define bind take_address
#define listen(...) 0
#define if_nametoindex index_of
#define send take_message
#define recv give_answer
#include "../net.c" // NOLINT
#undef main
#undef _exit
#undef exit
#undef dprintf

/* ---- the command line ---- */

enum { MOST = 300 }; /* arguments: one more than a list has room for */

static const struct options none = { .user = "0", .workdir = "/", .network = "bridge" };

static char *input, *material; /* the input, and what is left of it, with a NUL behind it */
static size_t left;

/* The next argument, or NULL. */
static char *next_word(void) {
    char *word = material;
    size_t size = strnlen(word, left);
    if (!left) return NULL;
    material += size + (size < left);
    left -= size + (size < left);
    return word;
}

static int read_words(char **list, int most) {
    int n = 0;
    while (n < most && (list[n] = next_word())) n++;
    list[n] = NULL;
    return n;
}

/* Cases, units and ranges in plain C: what the patterns of the table stand for. */
static bool is_number(const char *s, unsigned long most) {
    return *s && strspn(s, "0123456789") == strlen(s) && strlen(s) < 16 &&
           strtoul(s, NULL, 10) <= most;
}

static bool is_name(const char *s) {
    size_t size = strlen(s);
    const char *all = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
    return size > 0 && size < 64 && strspn(s, all) == size && !strchr("_.-", *s);
}

static void check_numbers(const struct options *o) {
    if (o->cpus) { /* the kernel takes a millisecond of each 100 at least */
        double part = strtod(o->cpus, NULL);
        CHECK(part >= 0.01 && part < 10000);
    }
    if (o->memory) { /* the kernel reads it as 64 bits, and drops what is above */
        char *unit = NULL;
        double bytes = strtod(o->memory, &unit);
        for (const char *u = "kKmMgG", *at = strchr(u, *unit); *unit && at >= u; at -= 2)
            bytes *= 1024;
        CHECK(bytes < 18446744073709551616.0);
    }
    if (o->pids) CHECK(is_number(o->pids, 999999));
    if (strspn(o->user, "0123456789")) { /* -1 is "leave as it is" to setresuid(2) */
        char *rest = NULL;
        CHECK(strtoul(o->user, &rest, 10) < UINT32_MAX && (!*rest || *rest == ':'));
        if (*rest) CHECK(is_number(rest + 1, UINT32_MAX - 1));
    }
}

static void check_lists(const struct options *o) {
    for (int i = 0; o->env[i]; i++) CHECK(*o->env[i] && *o->env[i] != '=');
    for (int i = 0; o->volumes[i]; i++) {
        char *to = strchr(o->volumes[i], ':'), *end = to ? strchr(to + 1, ':') : NULL;
        CHECK(to && to > o->volumes[i] && to[1] == '/' && (!end || !strcmp(end, ":ro")));
    }
    CHECK(!o->env[COUNT(o->env) - 1] && !o->volumes[COUNT(o->volumes) - 1]);
    CHECK(!o->publish[COUNT(o->publish) - 1]);
}

/* Each accepted value is as its row says, or one of its rows: an image has a -e of its own. */
static void check_value(void *where, const char *value) {
    bool fits = false;
    for (const struct option_row *row = rows; row < rows + COUNT(rows); row++)
        fits |= row->where == where && (row->pattern ? matches(value, row->pattern) : !*value) &&
                (row->kind != SHORT || strlen(value) < 64);
    CHECK(fits);
}

static void check_rows(void) {
    for (const struct option_row *row = rows; row < rows + COUNT(rows); row++) {
        char **value = row->where;
        int most = row->kind == LIST ? COUNT(opt.env) : row->kind == CAPABILITY ? 0
                                                                                : 1;
        for (int i = 0; i < most && value[i]; i++) check_value(row->where, value[i]);
    }
    CHECK(*opt.workdir == '/');
    check_numbers(&opt);
    check_lists(&opt);
}

/* What WHO has no option for is as it was in BEFORE. */
static void check_others(const struct options *before, char who) {
    for (const struct option_row *row = rows; row < rows + COUNT(rows); row++) {
        size_t offset = (char *)row->where - (char *)&opt;
        size_t size = row->kind == LIST         ? sizeof opt.env
                      : row->kind == CAPABILITY ? sizeof(uint64_t)
                                                : sizeof(char *);
        bool shared = false;
        for (const struct option_row *r = rows; r < rows + COUNT(rows); r++)
            shared |= r->where == row->where && strchr(r->who, who);
        if (!shared) CHECK(!memcmp(row->where, (const char *)before + offset, size));
    }
}

/* The image's own -e may not name what our environment holds: all that it gives is its own. */
static void check_own(const char *from, const char *to) {
    for (int i = 0; opt.env[i]; i++)
        CHECK(strchr(opt.env[i], '=') && opt.env[i] >= from && opt.env[i] < to);
}

/* For -e NAME the value of ours, if we have one. */
static void check_taken(void) {
    for (int i = 0; opt.env[i]; i++) {
        bool typed = opt.env[i] >= input && opt.env[i] < material;
        CHECK(typed ? strcmp(opt.env[i], "SECRET") != 0 : !strcmp(opt.env[i], "SECRET=ours"));
    }
}

/* Options end at the first argument that is none. */
static void check_end(int n, char **list, int at) {
    CHECK(at >= 1 && at <= n);
    bool dashes = at > 1 && !strcmp(list[at - 1], "--");
    if (at < n) CHECK(dashes || *list[at] != '-' || !list[at][1]);
}

static char *all_values(void) {
    char *all = text("%d %d %d", !!opt.tty, !!opt.rm, !!opt.privileged);
    for (int i = 0; opt.env[i]; i++) all = text("%s %s", all, opt.env[i]);
    return text("%s %s %s", all, opt.user, opt.workdir);
}

/* Twice, because the engine reads them twice, and the second time must not differ. */
static void try_options(char who) {
    char *list[MOST + 2] = { "command" }, *from = material;
    struct options before = opt;
    int n = 1 + read_words(list + 1, MOST), at = parse(n, list, who);
    check_end(n, list, at);
    check_rows();
    check_others(&before, who);
    if (who == 'i') check_own(from, material);
    else check_taken();
    char *first = all_values();
    opt = before;
    CHECK(parse(n, list, who) == at && !strcmp(first, all_values()));
}

/* The image speaks first, and cannot give itself what only the user may. */
static void try_run(void) {
    char *list[MOST + 2] = { "run" };
    image_lines = next_word();
    if (!image_lines) return;
    words = list;
    count = 1 + read_words(list + 1, MOST);
    opt.name = "c123456"; /* as run does */
    read_arguments();
    check_rows();
    CHECK(is_name(opt.name) && is_name(opt.hostname) && *opt.command && opt.network);
    struct options both = opt;
    opt = none;
    parse(count, words, 'r');
    CHECK(both.privileged == opt.privileged && both.cap_add == opt.cap_add);
    CHECK(both.cap_drop == opt.cap_drop && both.rm == opt.rm && both.read_only == opt.read_only);
    CHECK(both.memory == opt.memory && both.pids == opt.pids && both.cpus == opt.cpus);
    CHECK(both.detach == opt.detach && both.network == opt.network);
    CHECK(!memcmp(both.volumes, opt.volumes, sizeof opt.volumes));
    CHECK(!memcmp(both.publish, opt.publish, sizeof opt.publish));
}

/* ---- published ports ---- */

/* A whole number without zeros before it, from the start of *AT on, which moves behind it. */
static bool take_number(const char **at, unsigned most, unsigned *number) {
    size_t size = strspn(*at, "0123456789");
    *number = (unsigned)strtoul(*at, NULL, 10);
    bool good = size > 0 && size < 6 && *number <= most && (size == 1 || **at != '0');
    *at += size;
    return good;
}

static bool take(const char **at, char c) {
    return **at == c && (*at)++;
}

/* [IP:]HOST:CONTAINER, read byte by byte. */
static bool is_port(const char *said, uint32_t *ip, unsigned *host, unsigned *inside) {
    const char *at = said;
    unsigned byte[4];
    *ip = 0;
    if (strchr(said, '.')) {
        for (int i = 0; i < 4; i++) {
            if (!take_number(&at, 255, &byte[i]) || !take(&at, ".:"[i == 3])) return false;
            *ip = *ip << 8 | byte[i];
        }
    }
    return take_number(&at, 65535, host) && *host && take(&at, ':') &&
           take_number(&at, 65535, inside) && *inside && !*at;
}

static const char *pattern_of(const char *name) {
    const struct option_row *row = rows;
    while (strcmp(row->name, name) != 0) row++;
    return row->pattern;
}

/* What the row's pattern lets in is just what can be bound, and it is bound as it was said. */
static void try_port(void) {
    char *said = next_word();
    uint32_t ip;
    unsigned host, inside;
    if (!said) return;
    bool good = is_port(said, &ip, &host, &inside);
    CHECK(matches(said, pattern_of("publish")) == good);
    if (!good) return;
    opt.network = "bridge";
    publish(said);
    uint8_t wanted[16] = { [10] = 255, 255, ip >> 24, ip >> 16, ip >> 8, ip };
    if (!strchr(said, '.')) memset(wanted, 0, sizeof wanted); /* "::" is for all */
    CHECK(ntohs(bound.sin6_port) == host);
    CHECK(!memcmp(&bound.sin6_addr, wanted, sizeof wanted));
}

/* ---- netlink: attributes of our own ---- */

static unsigned byte(void) {
    if (!left) return 0;
    left--;
    return (unsigned char)*material++;
}

enum { DEEPEST = 12,
       PER_LIST = 40,
       LARGEST = 60000 };

/* A list, from bytes: 0 ends it, 1 opens a nest, any other is a type, and a size follows. What
 * the list holds takes up *SIZE bytes. No message is larger than a length can say. */
static struct attribute *grow(int depth, size_t *size) {
    struct attribute *list = keep(malloc((PER_LIST + 1) * sizeof *list)), *a = list;
    *size = 0;
    for (unsigned op; a < list + PER_LIST && left && (op = byte());) {
        bool nest = op == 1 && depth < DEEPEST;
        size_t below = nest ? 0 : byte();
        if (!nest && op > 250) below *= 200; /* a large one */
        a->type = nest ? (int)byte() % 64 + 1 : (int)op;
        a->size = below;
        if (nest) {
            a->data = grow(depth + 1, &below);
            a->type |= NLA_F_NESTED;
        } else {
            char *data = keep(malloc(below + 1)); /* one more, because malloc(0) may be NULL */
            memset(data, (int)op, below);
            a->data = data;
        }
        if (*size + NLA_HDRLEN + NLA_ALIGN(below) > LARGEST) break;
        *size += NLA_HDRLEN + NLA_ALIGN(below);
        a++;
    }
    *a = (struct attribute){ 0, 0, NULL };
    return list;
}

/* What stands at AT is LIST; where it ends. */
static const char *check_list(const char *at, const struct attribute *list) {
    for (; list->data; list++) {
        const struct nlattr *head = (const struct nlattr *)at;
        CHECK(head->nla_type == list->type);
        if (list->type & NLA_F_NESTED) {
            const char *end = check_list(at + NLA_HDRLEN, list->data);
            CHECK(end == at + head->nla_len);
            at = end;
            continue;
        }
        CHECK(head->nla_len == NLA_HDRLEN + list->size);
        CHECK(!memcmp(at + NLA_HDRLEN, list->data, list->size));
        at += NLA_ALIGN(head->nla_len);
    }
    return at;
}

static const struct attribute *sent_list; /* what the next message must hold; NULL: whatever */
static int sent_type;

/* Each in a message of its own; the one that does not fit ends it, and none that fits does. */
static void try_attributes(void) {
    size_t size = 0;
    jmp_buf outer;
    memcpy(&outer, &back, sizeof back);
    while (left) {
        sent_type = (int)(byte() << 8 | byte());
        sent_list = grow(0, &size);
        if (setjmp(back)) {
            CHECK(NLMSG_HDRLEN + size > sizeof buffer && used <= sizeof buffer);
            return;
        }
        CHECK(nl_ask(sent_type, NLM_F_CREATE, sent_list) == 0);
        CHECK(NLMSG_HDRLEN + size <= sizeof buffer);
    }
    memcpy(&back, &outer, sizeof back);
}

static void check_ours(const char *at, size_t size) {
    const struct nlmsghdr *head = (const struct nlmsghdr *)at;
    CHECK(head->nlmsg_len == size && head->nlmsg_type == sent_type);
    CHECK(head->nlmsg_flags == (NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE));
    CHECK(check_list(at + NLMSG_HDRLEN, sent_list) == at + size);
}

/* ---- netlink: the engine's own messages ---- */

/* Attributes fill up their space, down to the innermost. */
static void check_nest(const char *at, const char *end, bool link) {
    while (at < end) {
        const struct nlattr *a = (const struct nlattr *)at;
        CHECK(end - at >= NLA_HDRLEN && a->nla_len >= NLA_HDRLEN && at + a->nla_len <= end);
        bool nested = a->nla_type & NLA_F_NESTED, name = a->nla_type == IFLA_IFNAME;
        size_t head = NLA_HDRLEN;
        if (link && a->nla_type == (VETH_INFO_PEER | NLA_F_NESTED) && a->nla_len > 40)
            head += sizeof(struct ifinfomsg); /* the other end of the cable is a link itself */
        if (nested) check_nest(at + head, at + a->nla_len, link);
        if (link && name && !nested) CHECK(a->nla_len <= NLA_HDRLEN + IFNAMSIZ);
        at += NLA_ALIGN(a->nla_len);
    }
    CHECK(at == end);
}

static ssize_t take_message(int fd, const void *message, size_t size, int flags) {
    const char *at = message;
    const struct nlmsghdr *head = message;
    bool link = head->nlmsg_type == RTM_NEWLINK;
    size_t own = link ? sizeof(struct ifinfomsg) : sizeof(struct rtmsg);
    if (head->nlmsg_type == RTM_NEWADDR) own = sizeof(struct ifaddrmsg);
    CHECK(fd == 3 && flags == 0 && size <= sizeof buffer && size >= NLMSG_HDRLEN);
    CHECK(head->nlmsg_len == size && !(~head->nlmsg_flags & (NLM_F_REQUEST | NLM_F_ACK)));
    if (sent_list) check_ours(at, size);
    else CHECK(size >= NLMSG_HDRLEN + own);
    if (!sent_list) check_nest(at + NLMSG_HDRLEN + own, at + size, link);
    return (ssize_t)size;
}

static ssize_t give_answer(int fd, void *answer, size_t size, int flags) {
    struct nlmsgerr *error = NLMSG_DATA(answer);
    CHECK(fd == 3 && flags == 0 && size >= NLMSG_HDRLEN + sizeof *error);
    error->error = -answer_error;
    return NLMSG_HDRLEN + sizeof *error;
}

static void check_answer(long result) {
    CHECK(result == (answer_error ? -1 : 0) && errno == answer_error);
}

static void try_messages(void) {
    uint32_t address = byte() << 24 | byte() << 16 | byte() << 8 | byte();
    pid_t pid = (pid_t)(byte() << 8 | byte());
    answer_error = (int)byte() % 134;
    opt.name = next_word();
    if (!opt.name || !is_name(opt.name)) opt.name = "x";
    check_answer(add_veth(address, pid));
    check_answer(set_link_up("eth0"));
    check_answer(add_address(address, "lo"));
    check_answer(add_default_route());
}

/* ---- one input ---- */

static void check_last_words(void) {
    size_t size = strlen(last_words);
    if (!size) return; /* --help */
    CHECK(size > 1 && last_words[size - 1] == '\n');
    for (size_t i = 0; i < size - 1; i++) CHECK(last_words[i] >= ' ' && last_words[i] <= '~');
}

static void try_input(char kind) {
    if (kind == 'r') try_run();
    else if (kind == 'p') try_port();
    else if (kind == 'n') try_attributes();
    else if (kind == 'N') try_messages();
    else if (kind == 'i' || kind == 'x') try_options(kind);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc, (void)argv;
    clearenv();
    return setenv("SECRET", "ours", 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    input = malloc(size);
    memcpy(input, data + 1, size - 1);
    input[size - 1] = '\0';
    material = input;
    left = size - 1;
    opt = none;
    used = 0;
    answer_error = 0;
    sent_list = NULL;
    *last_words = '\0';
    if (!setjmp(back)) try_input((char)*data);
    else check_last_words();
    while (kept_count) free(kept_memory[--kept_count]);
    free(input);
    return 0;
}
