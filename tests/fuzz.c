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
 *     r            run: the image's lines, a NUL, and the arguments, each with its NUL
 *     i x s k l m  the options of an image, exec, stop, kill, logs, rm: arguments
 *     p            one -p or --ip value
 *     n            netlink: a program that makes attributes, see grow
 *     N            netlink: an address, a pid, a name, ports, for the engine's own messages
 *
 * The engine's files are part of this one, with what would reach the outside world replaced: the
 * end of the process is a jump back to here. A sanitizer ends us on a wrong access; CHECK does
 * on a wrong answer.
 */
#include "../container.h"
#include <arpa/inet.h>
#include <getopt.h>
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
static int sent_signal; /* by pidfd_send_signal */

static _Noreturn void leave(int status) {
    CHECK(status == 125);
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

/* One for each pattern: the engine compiles it anew each time, and lets it leak. */
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
        known[k].pattern = pattern;
    }
    *regex = known[k].regex;
    return 0;
}

static long call(long number, long fd, long signal, void *info, long flags) {
    (void)fd, (void)info, (void)flags;
    CHECK(number == SYS_pidfd_send_signal);
    sent_signal = (int)signal;
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
static long no_socket(void);

#define main engine_main
#define _exit leave
#define exit leave
#define calloc(n, size) keep(calloc(n, size))
#define vasprintf(to, form, values) (vasprintf(to, form, values) != -1 && keep(*(to)) ? 0 : -1)
#define dprintf say
#define regcomp compile
#define fs_image no_image
#undef sys
#define sys(name, ...) sys_##name(SYS_##name, __VA_ARGS__)
#define sys_pidfd_send_signal call
#define sys_pidfd_open(...) (-1)
#define sys_renameat2(...) (-1)
#define sys_getrandom(...) (-1)
#define sys_close_range(...) (-1)
#include "../container.c" // NOLINT: with it, what is private there can be tested
#undef NETWORK
#undef calloc
#define socket(...) no_socket()
#define bind(fd, ...) ((void)(fd), 0)
#define send take_message
#define recv give_answer
#include "../net.c" // NOLINT
#undef main
#undef _exit
#undef exit
#undef dprintf

/* ---- the command line ---- */

enum { MOST = 300 }; /* arguments: one more than a list has room for */

static char *material; /* what is left of the input, with a NUL behind it */
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
    CHECK(is_number(o->seconds, 999999)); /* times 100 it is an int */
    if (strspn(o->user, "0123456789")) { /* -1 is "leave as it is" to setresuid(2) */
        char *rest = NULL;
        CHECK(strtoul(o->user, &rest, 10) < UINT32_MAX && (!*rest || *rest == ':'));
        if (*rest) CHECK(is_number(rest + 1, UINT32_MAX - 1));
    }
}

static void check_lists(const struct options *o) {
    for (int i = 0; o->env[i]; i++) CHECK(strchr(o->env[i], '=') && *o->env[i] != '=');
    for (int i = 0; o->volumes[i]; i++) {
        char *to = strchr(o->volumes[i], ':'), *end = to ? strchr(to + 1, ':') : NULL;
        CHECK(to && to > o->volumes[i] && to[1] == '/' && (!end || !strcmp(end, ":ro")));
    }
    CHECK(!o->env[COUNT(o->env) - 1] && !o->volumes[COUNT(o->volumes) - 1]);
    CHECK(!o->publish[COUNT(o->publish) - 1]);
}

/* Each accepted value is as its row says. */
static void check_rows(void) {
    for (const struct option_row *row = rows; row < rows + COUNT(rows); row++) {
        char **value = row->where;
        if (row->kind != TEXT && row->kind != LIST) continue;
        int most = row->kind == TEXT ? 1 : COUNT(opt.env);
        for (int i = 0; i < most && value[i]; i++) {
            bool bare = value == &opt.explain && !*value[i]; /* --explain */
            CHECK(bare || matches(value[i], row->pattern));
        }
    }
    CHECK(*opt.workdir == '/');
    check_numbers(&opt);
    check_lists(&opt);
}

/* What WHO has no option for is as it was in BEFORE. */
static void check_others(const struct options *before, char who) {
    for (const struct option_row *row = rows; row < rows + COUNT(rows); row++) {
        size_t offset = (char *)row->where - (char *)&opt;
        size_t size = row->kind == FLAG   ? sizeof(bool)
                      : row->kind == TEXT ? sizeof(char *)
                      : row->kind == LIST ? sizeof opt.env
                                          : sizeof(uint64_t);
        bool shared = false; /* -t is one option to run, and another to stop */
        for (const struct option_row *r = rows; r < rows + COUNT(rows); r++)
            shared |= r->where == row->where && strchr(r->who, who);
        if (!shared) CHECK(!memcmp(row->where, (const char *)before + offset, size));
    }
}

/* The image's own -e may not name what our environment holds: all that it gives is its own. */
static void check_own(const char *from, const char *to) {
    for (int i = 0; opt.env[i]; i++) CHECK(opt.env[i] >= from && opt.env[i] < to);
}

/* Options end at the first argument that is none. */
static void check_end(int n, char **list, int at) {
    CHECK(at >= 1 && at <= n);
    bool dashes = at > 1 && !strcmp(list[at - 1], "--");
    if (at < n) CHECK(dashes || *list[at] != '-' || !list[at][1]);
}

static char *all_values(void) {
    char *all = text("%d %d %d", opt.tty, opt.rm, opt.privileged);
    for (int i = 0; opt.env[i]; i++) all = text("%s %s", all, opt.env[i]);
    return text("%s %s %s %s", all, opt.user, opt.workdir, opt.seconds);
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
    char *first = all_values();
    opt = before;
    CHECK(parse(n, list, who) == at && !strcmp(first, all_values()));
    if (who != 'k' || !opt.signal) return;
    signal_init(opt.signal);
    const char *name = opt.signal + (strncmp(opt.signal, "SIG", 3) ? 0 : 3);
    CHECK(sent_signal >= 1 && sent_signal <= 64);
    if (*name <= '9') CHECK(sent_signal == (int)strtol(name, NULL, 10));
    else if (strcmp(name, "IO") != 0) CHECK(!strcmp(name, sigabbrev_np(sent_signal)));
}

/* The image speaks first, and cannot give itself what only the user may. */
static void try_run(void) {
    char *list[MOST + 2] = { "run" };
    image_lines = next_word();
    if (!image_lines) return;
    words = list;
    count = 1 + read_words(list + 1, MOST);
    opt.name = "c123456"; /* as run does */
    read_arguments(false);
    check_rows();
    CHECK(is_name(opt.name) && is_name(opt.hostname) && *opt.command && opt.network);
    struct options both = opt;
    opt = (struct options){ .user = "0", .workdir = "/", .seconds = "10", .join = -1 };
    parse(count, words, 'r');
    CHECK(both.privileged == opt.privileged && both.cap_add == opt.cap_add);
    CHECK(both.cap_drop == opt.cap_drop && both.rm == opt.rm && both.read_only == opt.read_only);
    CHECK(both.memory == opt.memory && both.pids == opt.pids && both.cpus == opt.cpus);
    CHECK(!memcmp(both.volumes, opt.volumes, sizeof opt.volumes));
    CHECK(!memcmp(both.publish, opt.publish, sizeof opt.publish));
}

/* ---- addresses and ports ---- */

static uint32_t address_of(const char *said) {
    struct in_addr a;
    bool one = inet_pton(AF_INET, said, &a) == 1 && ntohl(a.s_addr) < 0xe0000000;
    return one ? ntohl(a.s_addr) : INADDR_NONE;
}

/* The same spec, read from its end. */
static void try_port(void) {
    char *said = next_word();
    if (!said) return;
    CHECK(undotted(said) == address_of(said));
    if (!matches(said, PORT)) return;
    bool udp = strstr(said, "/udp");
    char *copy = text("%s", said), *to = strrchr(copy, ':');
    *to++ = '\0';
    char *from = strrchr(copy, ':');
    if (from) *from++ = '\0';
    unsigned long inside_port = strtoul(to, NULL, 10), port = strtoul(from ? from : copy, NULL, 10);
    uint32_t address = from ? address_of(copy) : 0;
    bool good = port - 1 < 65535 && inside_port - 1 < 65535 && address != INADDR_NONE;
    opt.network = "bridge";
    jmp_buf outer;
    memcpy(&outer, &back, sizeof back);
    if (setjmp(back)) {
        CHECK(!good);
        return;
    }
    struct port p = publish(said);
    memcpy(&back, &outer, sizeof back);
    CHECK(good && ntohl(p.ip) == address && ntohs(p.host) == port);
    CHECK(ntohs(p.inside) == inside_port && (p.protocol == IPPROTO_UDP) == udp);
}

static long no_socket(void) {
    return 3;
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

static void check_padding(const char *at, size_t size) {
    for (; size % NLA_ALIGNTO; size++) CHECK(!at[size]);
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
        check_padding(at, head->nla_len);
        at += NLA_ALIGN(head->nla_len);
    }
    return at;
}

/* Messages one after the other; the one that does not fit ends it, and none that fits does. */
static void try_attributes(void) {
    size_t size, total = 0;
    jmp_buf outer;
    memcpy(&outer, &back, sizeof back);
    while (left) {
        unsigned type = byte() << 8 | byte();
        struct attribute *list = grow(0, &size);
        const char *at = buffer + total;
        total += NLMSG_HDRLEN + size;
        if (setjmp(back)) {
            CHECK(total > sizeof buffer && used <= sizeof buffer);
            return;
        }
        nl_append((int)type, NLM_F_ACK, list);
        const struct nlmsghdr *head = (const struct nlmsghdr *)at;
        CHECK(total <= sizeof buffer && used == total);
        CHECK(head->nlmsg_len == NLMSG_HDRLEN + size && head->nlmsg_type == (uint16_t)type);
        CHECK(head->nlmsg_flags == (NLM_F_REQUEST | NLM_F_ACK));
        CHECK(check_list(at + NLMSG_HDRLEN, list) == buffer + total);
    }
    memcpy(&back, &outer, sizeof back);
}

/* ---- netlink: the engine's own messages ---- */

enum { ROUTE = 3,
       NETFILTER }; /* the kernel's two ears */

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
        check_padding(at, a->nla_len);
        at += NLA_ALIGN(a->nla_len);
    }
    CHECK(at == end);
}

static ssize_t take_message(int fd, const void *message, size_t size, int flags) {
    const char *at = message, *end = at + size;
    CHECK(flags == 0 && message == buffer && size <= sizeof buffer);
    while (at < end) {
        const struct nlmsghdr *head = (const struct nlmsghdr *)at;
        bool route = fd == ROUTE, link = route && head->nlmsg_type == RTM_NEWLINK;
        size_t own = link ? sizeof(struct ifinfomsg) : sizeof(struct nfgenmsg);
        if (route && head->nlmsg_type == RTM_NEWADDR) own = sizeof(struct ifaddrmsg);
        if (route && head->nlmsg_type == RTM_NEWROUTE) own = sizeof(struct rtmsg);
        CHECK(end - at >= NLMSG_HDRLEN && head->nlmsg_len <= (size_t)(end - at));
        CHECK(head->nlmsg_len >= NLMSG_HDRLEN + own && head->nlmsg_flags & NLM_F_REQUEST);
        CHECK(!route || head->nlmsg_flags & NLM_F_ACK);
        check_nest(at + NLMSG_HDRLEN + own, at + head->nlmsg_len, link);
        at += NLMSG_ALIGN(head->nlmsg_len);
    }
    CHECK(at == end);
    return (ssize_t)size;
}

static ssize_t give_answer(int fd, void *answer, size_t size, int flags) {
    struct nlmsgerr *error = NLMSG_DATA(answer);
    CHECK(fd >= ROUTE && flags == 0 && size >= NLMSG_HDRLEN + sizeof *error);
    error->error = -answer_error;
    return NLMSG_HDRLEN + sizeof *error;
}

static void check_answer(long result) {
    CHECK(result == (answer_error ? -1 : 0) && errno == answer_error && used == 0);
}

static void try_messages(void) {
    uint32_t address = byte() << 24 | byte() << 16 | byte() << 8 | byte();
    pid_t pid = (pid_t)(byte() << 8 | byte());
    answer_error = (int)byte() % 134;
    memset(ports, 0, sizeof ports);
    for (unsigned i = 0, n = byte() % COUNT(ports); i < n && left; i++) /* the last stays empty */
        ports[i] = (struct port){ byte() % 2 ? address : 0, (uint16_t)(byte() + 1),
                                  (uint16_t)(byte() + 1), byte() % 2 ? IPPROTO_TCP : IPPROTO_UDP };
    opt.name = next_word();
    if (!opt.name || !is_name(opt.name)) opt.name = "x";
    check_answer(add_bridge(ROUTE));
    check_answer(add_veth(ROUTE, address, pid));
    check_answer(set_hairpin(ROUTE, address));
    check_answer(set_up(ROUTE, "eth0"));
    check_answer(add_address(ROUTE, address, "lo"));
    check_answer(add_default_route(ROUTE));
    check_answer(add_nat(NETFILTER, address));
}

/* ---- one input ---- */

static void check_last_words(void) {
    size_t size = strlen(last_words);
    CHECK(size > 1 && last_words[size - 1] == '\n');
    for (size_t i = 0; i < size - 1; i++) CHECK(last_words[i] >= ' ' && last_words[i] <= '~');
}

static void try_input(char kind) {
    if (kind == 'r') try_run();
    else if (kind == 'p') try_port();
    else if (kind == 'n') try_attributes();
    else if (kind == 'N') try_messages();
    else if (kind && strchr("ixsklm", kind)) try_options(kind);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc, (void)argv;
    return setenv("SECRET", "ours", 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct options none = { .user = "0", .workdir = "/", .seconds = "10", .join = -1 };
    if (size == 0) return 0;
    char *input = malloc(size);
    memcpy(input, data + 1, size - 1);
    input[size - 1] = '\0';
    material = input;
    left = size - 1;
    opt = none;
    used = 0;
    if (!setjmp(back)) try_input((char)*data);
    else check_last_words();
    while (kept_count) free(kept_memory[--kept_count]);
    free(input);
    return 0;
}
