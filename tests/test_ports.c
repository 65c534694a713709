/* SPDX-License-Identifier: MIT */
/*
 * test_ports.c - how others reach a container: published ports, which are a relay.
 *
 *      paths        who reaches a published port by which address, and whom the server sees
 *      payload      much of it, and many at once
 *      relay        connections that end in one direction, at once, by force, or not at all
 *      refused      what is not a port
 *      taken        what belongs to somebody else
 *      ports        the port belongs to the container while it runs, however it ends
 *      guard        what is published on the host's loopback is for the host
 *
 *      server, 10.66.A.B --+
 *                          +-- container0 --- up0 ----------- 203.0.113.2, a machine of the LAN
 *      neighbour ----------+   10.66.0.1      203.0.113.1     fd00:203::2
 *                                             198.51.100.1
 *                                             fd00:203::1
 *
 * The probe's `serve` answers "at HOSTNAME from ADDRESS PORT", then what was said. So each answer
 * tells who was reached and whom it has seen. The clients are in this program: a socket stays in
 * the network that it was made in, wherever its process goes. Read serve, dial and paths first.
 */
#include "test.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define BRIDGE "container0"
#define GATEWAY "10.66.0.1"
#define UPLINK "203.0.113.1"
#define UPLINK6 "fd00:203::1"
#define SECOND "198.51.100.1" /* one more address of the host */
#define LAN_MACHINE "203.0.113.2"
#define NF_CALL "/proc/sys/net/bridge/bridge-nf-call-iptables"
#define RP_FILTER "/proc/sys/net/ipv4/conf/$f/rp_filter"
#define LIVES 100 /* seconds: how long a server serves, if nobody ends it */
#define NOBODY 3 /* seconds, times SLOWER: after that nobody has answered */

/* Something that nobody can guess. */
static char *new_word(void) {
    return format("%d-%d-%d-%d", random_between(1, 1 << 30), random_between(1, 1 << 30),
                  random_between(1, 1 << 30), random_between(1, 1 << 30));
}

/* ---- servers ---- */

struct server {
    enum who who; /* starts it */
    char *name, *address; /* that the server sees when somebody comes through the relay: its own */
    int inside, outside; /* ports */
};

static pid_t init_of(struct server s) {
    return atoi(fact(s.who, s.name, "pid"));
}

static void await_ready(struct server s, int times) {
    until(s.who, format("[ $($CONTAINER logs %s | grep -c ready) = %d ]", s.name, times));
}

/* On the bridge, the fact "ip" says it. Otherwise it is the address on lo that is not 127.0.0.1. */
static char *address_of(struct server s) {
    char *address = fact(s.who, s.name, "ip");
    if (!*address)
        address = as(s.who, "$CONTAINER exec %s ip -o -4 addr show lo |"
                            "    sed -n '/ 127[.]/!s/.* inet \\([0-9.]*\\).*/\\1/p'",
                     s.name)
                      .out;
    address[strcspn(address, "\n")] = '\0';
    return address;
}

/* Run a server with these options, of which one publishes its port. */
static struct server serve_on(enum who who, const char *options, int inside, int outside) {
    struct server s = { who, new_name(), "", inside, outside };
    expect(as(who, "$CONTAINER run -d --name %s %s $BASE probe serve %d %d", s.name, options,
              inside, LIVES),
           0, s.name, "");
    await_ready(s, 1);
    s.address = address_of(s);
    return s;
}

/* IP is "" or ends with a colon. */
static struct server serve_as(enum who who, const char *ip, const char *options) {
    int outside = new_port(), inside = new_port();
    return serve_on(who, format("%s -p %s%d:%d", options, ip, outside, inside), inside, outside);
}

static struct server serve(const char *ip, const char *options) {
    return serve_as(OURSELVES, ip, options);
}

/* One that has to exist, and may ask. Its program does not listen. */
static struct server idle_as(enum who who, const char *options) {
    struct server s = { who, new_name(), "", new_port(), new_port() };
    expect(as(who, "$CONTAINER run -d --name %s %s -p %d:%d $BASE sleep %d", s.name, options,
              s.outside, s.inside, LIVES),
           0, s.name, "");
    s.address = address_of(s);
    return s;
}

static struct server idle(void) {
    return idle_as(OURSELVES, "");
}

static void end(struct server s) {
    expect(as(s.who, "$CONTAINER rm -f %s", s.name), 0, NULL, "");
}

/* The same without a container, here or (ENTER is a nsenter command) elsewhere. */
static pid_t serve_outside(const char *enter, const char *address, int port) {
    char *file = new_name();
    struct result r = sh("%s $PROBE serve %d %d %s >%s & echo $!;"
                         "until [ -s %s ]; do sleep 0.02; done; cat %s",
                         enter, port, LIVES, address, file, file, file);
    expect(r, 0, "\nready\n", "");
    return atoi(r.out);
}

static void end_outside(pid_t pid) {
    kill(pid, SIGTERM);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

/* ---- clients ---- */

/* Plug in a machine of the LAN, with two more addresses of ours that it knows. Its pid. */
static pid_t lan(void) {
    pid_t pid = internet();
    expect(sh("ip addr add " SECOND "/24 dev up0 &&"
              "nsenter -t %d -n ip route add 198.51.100.0/24 via " UPLINK,
              pid),
           0, "", "");
    sh("ip addr add " UPLINK6 "/64 dev up0 nodad;" /* there may be no IPv6 */
       "nsenter -t %d -n ip addr add fd00:203::2/64 dev up0 nodad",
       pid);
    return pid;
}

/* A socket of this family in the network of process FROM; 0: the host's, that is the test's. */
static int socket_in(pid_t from, int family) {
    int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    int there = open(format("/proc/%d/ns/net", from), O_RDONLY | O_CLOEXEC);
    if (from)
        ck_assert_int_eq(setns(there, CLONE_NEWNET), 0);
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (from)
        ck_assert_int_eq(setns(home, CLONE_NEWNET), 0);
    struct timeval limit = { .tv_sec = (time_t)NOBODY * slower() };
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
    close(home);
    close(there);
    return fd;
}

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static union address address(const char *ip, int port) {
    union address a = { .v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) } };
    if (inet_pton(AF_INET6, ip, &a.v6.sin6_addr) == 1)
        return a;
    a = (union address){ .v4 = { .sin_family = AF_INET, .sin_port = htons(port) } };
    ck_assert_int_eq(inet_pton(AF_INET, ip, &a.v4.sin_addr), 1);
    return a;
}

/* Connect; -1: nobody is there. */
static int dial(pid_t from, const char *ip, int port) {
    union address to = address(ip, port);
    int fd = socket_in(from, to.any.sa_family);
    if (connect(fd, &to.any, sizeof to) == 0)
        return fd;
    close(fd);
    return -1;
}

/* Listen; -1: that port is taken there. */
static int listen_in(pid_t from, const char *ip, int port) {
    union address at = address(ip, port);
    int fd = socket_in(from, at.any.sa_family);
    if (bind(fd, &at.any, sizeof at) == 0 && listen(fd, 100) == 0)
        return fd;
    close(fd);
    return -1;
}

static int accept_one(int listener) {
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    struct timeval limit = { .tv_sec = (time_t)5 * NOBODY * slower() };
    ck_assert_msg(fd != -1, "nobody has come: %s", strerror(errno));
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    return fd;
}

static void say(int fd, const char *text) {
    ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* What comes from there, until the end or until nothing more comes; cut after the first 4 kB. */
static char *hear(int fd) {
    char data[65536];
    char *text = format("%s", "");
    ssize_t n;
    while ((n = recv(fd, data, sizeof data, 0)) > 0)
        if (strlen(text) < 4096)
            text = format("%s%.*s", text, (int)n, data);
    return text;
}

/* The next piece, of at most so many bytes; "" is the end. */
static char *hear_once(int fd) {
    char data[4096];
    ssize_t n = recv(fd, data, sizeof data, 0);
    ck_assert_msg(n >= 0, "nothing comes: %s", strerror(errno));
    return format("%.*s", (int)n, data);
}

/* Say something, say that it was all, and listen. "": nobody is there, or nobody answers. */
static char *ask(pid_t from, const char *ip, int port, const char *word) {
    int fd = dial(from, ip, port);
    if (fd == -1)
        return "";
    send(fd, word, strlen(word), MSG_NOSIGNAL);
    shutdown(fd, SHUT_WR);
    char *text = hear(fd);
    close(fd);
    return text;
}

/* The answer must come from S, which must have seen SOURCE; and the word come back. */
static void expect_seen(pid_t from, const char *ip, int port, struct server s,
                        const char *source) {
    char *word = new_word(), *text = ask(from, ip, port, word);
    ck_assert_msg(!strncmp(text, format("at %s from %s ", s.name, source),
                           strlen(s.name) + strlen(source) + 10) &&
                      strstr(text, format("\n%s", word)),
                  "%s, asked as %s:%d from %d, should have seen %s, but said:\n%s", s.name, ip,
                  port, from, source, text);
}

/* Through the relay. */
static void expect_reached(pid_t from, const char *ip, struct server s) {
    expect_seen(from, ip, s.outside, s, s.address);
}

/* Refused, or not answered at all; or taken, and then closed. */
static void expect_unreached(pid_t from, const char *ip, int port) {
    char *text = ask(from, ip, port, "nobody 1");
    ck_assert_msg(!*text, "%s:%d, asked from %d, says: %s", ip, port, from, text);
}

/* ---- paths ---- */

enum place {
    LAN,
    HOST,
    NEIGHBOUR,
    ITSELF,
};

/* NULL: the container's own address and port, which are not published. Then the source is the
 * client; otherwise it is the server itself, where the relay comes from. */
static const struct {
    enum place from;
    const char *ip;
} paths[] = {
    // clang-format off
    { LAN,       UPLINK      },
    { LAN,       SECOND      },
    { LAN,       UPLINK6     },
    { HOST,      "127.0.0.1" },
    { HOST,      "127.9.9.9" },
    { HOST,      "::1"       },
    { HOST,      UPLINK      },
    { HOST,      UPLINK6     },
    { HOST,      SECOND      },
    { HOST,      GATEWAY     },
    { HOST,      NULL        },
    { NEIGHBOUR, UPLINK      },
    { NEIGHBOUR, SECOND      },
    { NEIGHBOUR, GATEWAY     },
    { NEIGHBOUR, NULL        },
    { ITSELF,    UPLINK      },
    { ITSELF,    SECOND      },
    { ITSELF,    GATEWAY     },
    // clang-format on
};

static bool has_ipv6(void) {
    return access("/proc/sys/net/ipv6", F_OK) == 0;
}

static bool is_possible(const char *ip) {
    return !ip || !strchr(ip, ':') || has_ipv6();
}

/* Both ways that hosts are set up. With 1 in NF_CALL packets inside a bridge meet the rules, too;
 * with 1 in RP_FILTER they must come from where an answer would go to. */
START_TEST(every_path_leads_there) {
    int path = _i % COUNT(paths), strict = _i / COUNT(paths);
    if (!is_possible(paths[path].ip))
        return;
    pid_t machine = lan();
    if (access(NF_CALL, W_OK) == 0)
        expect(sh("echo %d >" NF_CALL, strict), 0, "", "");
    expect(sh("for f in all default up0; do echo %d >" RP_FILTER "; done", strict), 0, "", "");
    struct server s = serve("", ""), neighbour = idle();
    pid_t where[] = { machine, 0, init_of(neighbour), init_of(s) };
    enum place from = paths[path].from;
    if (paths[path].ip)
        expect_reached(where[from], paths[path].ip, s);
    else
        expect_seen(where[from], s.address, s.inside, s,
                    from == HOST ? GATEWAY : neighbour.address);
    end(neighbour);
    end(s);
}
END_TEST

/* No bridge is needed: a container without a network is reached in the same ways, also that of an
 * ordinary user. The server must never see 127.0.0.1, which many trust (CVE-2021-20199). */
START_TEST(no_bridge_is_needed) {
    static const char *const addresses[] = { "127.0.0.1", "::1", UPLINK, UPLINK6, SECOND };
    pid_t machine = lan();
    struct server s = serve_as(_i, "", "--network none"), neighbour = idle();
    ck_assert_msg(*s.address && strncmp(s.address, "127.", 4) != 0, "its address: %s", s.address);
    for (int i = 0; i < COUNT(addresses); i++)
        if (is_possible(addresses[i]))
            expect_reached(0, addresses[i], s);
    expect_reached(machine, UPLINK, s);
    expect_reached(machine, SECOND, s);
    if (has_ipv6())
        expect_reached(machine, UPLINK6, s);
    expect_reached(init_of(neighbour), GATEWAY, s);
    expect_unreached(init_of(neighbour), s.address, s.inside);
    expect(as(_i, "$CONTAINER stop -t 0 %s && $CONTAINER start %s", s.name, s.name), 0, NULL, "");
    await_ready(s, 2);
    expect_reached(0, "127.0.0.1", s);
    end(neighbour);
    end(s);
}
END_TEST

/* A server that listens on the container's loopback is for the container. */
START_TEST(the_loopback_inside_is_not_published) {
    static const char *const networks[] = { "none", "bridge" };
    for (int i = 0; i < (_i == OURSELVES && is_root() ? 2 : 1); i++) {
        struct server s = idle_as(_i, format("--network %s", networks[i]));
        expect(as(_i, "$CONTAINER exec %s probe serve %d 60 127.0.0.1 >%s & until [ -s %s ];"
                      " do sleep 0.02; done",
                  s.name, s.inside, s.name, s.name),
               0, "", "");
        expect(as(_i, "$CONTAINER exec %s probe tcp-connect 127.0.0.1 %d hi", s.name, s.inside), 0,
               format("at %s from 127.0.0.1 ", s.name), "");
        expect_unreached(0, "127.0.0.1", s.outside);
        end(s);
    }
}
END_TEST

/* Neither without -p, nor by another port, nor when the container has gone. */
START_TEST(nobody_else_is_there) {
    pid_t machine = lan();
    struct server s = serve("", ""), hidden = serve_on(OURSELVES, "", new_port(), 0);
    const struct {
        pid_t from;
        const char *ip;
    } tries[] = { { machine, UPLINK }, { 0, "127.0.0.1" }, { init_of(s), GATEWAY } };
    for (int i = 0; i < COUNT(tries); i++) {
        expect_reached(tries[i].from, tries[i].ip, s);
        expect_unreached(tries[i].from, tries[i].ip, hidden.inside);
        expect_unreached(tries[i].from, tries[i].ip, s.inside);
    }
    end(s);
    for (int i = 0; i < 2; i++) expect_unreached(tries[i].from, tries[i].ip, s.outside);
    end(hidden);
}
END_TEST

/* With a route to the containers' addresses, as a careful administrator may set it up: the published
 * port answers, and nothing else does. */
START_TEST(a_machine_that_knows_the_bridge_is_answered) {
    pid_t machine = lan();
    struct server s = serve("", "");
    expect(sh("nsenter -t %d -n ip route add 10.66.0.0/16 via " UPLINK, machine), 0, "", "");
    expect_reached(machine, UPLINK, s);
    expect_unreached(machine, s.address, s.inside);
    end(s);
}
END_TEST

/* What the host does with packets that are not for itself has no influence on a relay. */
static const char *const firewalls[] = {
    "nft 'table ip wall { chain forward { type filter hook forward priority 0; policy drop; }; }'",
    "echo 0 >/proc/sys/net/ipv4/ip_forward",
    "nft delete table ip " BRIDGE,
};

START_TEST(the_firewall_for_forwarded_packets_does_not_matter) {
    pid_t machine = lan();
    struct server s = serve("", "");
    expect(sh("%s", firewalls[_i]), 0, "", "");
    expect_reached(machine, UPLINK, s);
    expect_reached(0, "127.0.0.1", s);
    end(s);
    sh("nft delete table ip wall");
}
END_TEST

/* -p IP:HOST:CONTAINER */
static const struct {
    const char *published;
    enum place from;
    const char *ip;
    bool reached;
} bound[] = {
    // clang-format off
    { "127.0.0.1:",  HOST,      "127.0.0.1", true  },
    { "127.0.0.1:",  HOST,      "::1",       false },
    { "127.0.0.1:",  HOST,      UPLINK,      false },
    { "127.0.0.1:",  LAN,       UPLINK,      false },
    { "127.0.0.1:",  NEIGHBOUR, GATEWAY,     false },
    { "127.0.0.1:",  ITSELF,    GATEWAY,     false },
    { "127.0.0.9:",  HOST,      "127.0.0.9", true  },
    { "127.0.0.9:",  HOST,      "127.0.0.1", false },
    { UPLINK ":",    LAN,       UPLINK,      true  },
    { UPLINK ":",    HOST,      UPLINK,      true  },
    { UPLINK ":",    NEIGHBOUR, UPLINK,      true  },
    { UPLINK ":",    ITSELF,    UPLINK,      true  },
    { UPLINK ":",    LAN,       SECOND,      false },
    { UPLINK ":",    HOST,      "127.0.0.1", false },
    { UPLINK ":",    NEIGHBOUR, GATEWAY,     false },
    { SECOND ":",    LAN,       SECOND,      true  },
    { SECOND ":",    LAN,       UPLINK,      false },
    { GATEWAY ":",   NEIGHBOUR, GATEWAY,     true  },
    { GATEWAY ":",   HOST,      GATEWAY,     true  },
    { GATEWAY ":",   LAN,       UPLINK,      false },
    { "0.0.0.0:",    LAN,       UPLINK,      true  },
    { "0.0.0.0:",    HOST,      "127.0.0.1", true  },
    { "0.0.0.0:",    HOST,      "::1",       false },
    // clang-format on
};

/* The first container makes the bridge: before that, the host does not have its address. */
START_TEST(only_by_that_address) {
    if (!is_possible(bound[_i].ip))
        return;
    pid_t machine = lan();
    struct server neighbour = idle(), s = serve(bound[_i].published, "");
    pid_t where[] = { machine, 0, init_of(neighbour), init_of(s) };
    if (bound[_i].reached)
        expect_reached(where[bound[_i].from], bound[_i].ip, s);
    else
        expect_unreached(where[bound[_i].from], bound[_i].ip, s.outside);
    end(s);
    end(neighbour);
}
END_TEST

/* What leaves the bridge has the host's address, also from a container that has published a port. */
START_TEST(the_lan_sees_the_host) {
    int port = new_port();
    const char *word = new_word();
    pid_t other = serve_outside(format("nsenter -t %d -n", lan()), "", port);
    struct server s = serve("", "");
    char *text = ask(init_of(s), LAN_MACHINE, port, word);
    ck_assert_ptr_nonnull(strstr(text, " from " UPLINK " "));
    ck_assert_ptr_nonnull(strstr(text, word));
    end(s);
    end_outside(other);
}
END_TEST

START_TEST(many_ports_of_one_container) {
    int first = new_port(), inside = new_port();
    char *options = "";
    for (int i = 0; i < 100; i++) options = format("%s -p %d:%d", options, first + i, inside);
    struct server s = serve_on(OURSELVES, options, inside, first);
    for (int i = 0; i < 100; i += 33, s.outside += 33) expect_reached(0, "127.0.0.1", s);
    end(s);
}
END_TEST

/* ---- payload ---- */

/* This is how a client of the probe is started there. */
static const struct {
    enum place from;
    const char *ip;
} ways[] = {
    { LAN, UPLINK },
    { HOST, "127.0.0.1" },
    { NEIGHBOUR, GATEWAY },
    { ITSELF, UPLINK },
};

static const char *probe_in(pid_t pid) {
    return pid ? format("nsenter -t %d -n $PROBE", pid) : "$PROBE";
}

/* What is sent comes back, after the first line. Both at once: all buffers fill. */
START_TEST(fifty_megabytes_each_way) {
    pid_t machine = lan();
    struct server s = serve("", ""), neighbour = idle();
    pid_t where[] = { machine, 0, init_of(neighbour), init_of(s) };
    expect(sh("head -c 50000000 /dev/urandom >up; %s tcp-copy %s %d <up >down",
              probe_in(where[ways[_i].from]), ways[_i].ip, s.outside),
           0, "", "");
    expect(sh("head -n 1 down"), 0, format("at %s from %s ", s.name, s.address), "");
    struct result sent = sh("sha256sum <up"), back = sh("tail -n +2 down | sha256sum");
    ck_assert_str_eq(back.out, sent.out);
    expect(sh("rm up down"), 0, "", "");
    end(neighbour);
    end(s);
}
END_TEST

START_TEST(two_hundred_at_once) {
    pid_t machine = lan();
    struct server s = serve("", ""), neighbour = idle();
    pid_t where[] = { machine, 0, init_of(neighbour), init_of(s) };
    expect(sh("%s tcp-many %s %d 200 %s", probe_in(where[ways[_i].from]), ways[_i].ip, s.outside,
              new_word()),
           0, "connected 200\nright 200\n", "");
    end(neighbour);
    end(s);
}
END_TEST

/* ---- relay ---- */

/* Client, relay, server: both ends are ours, the server's in the network of the container, which
 * does nothing itself. */
struct line {
    struct server s;
    pid_t watcher;
    int listener, client, server;
};

static void connect_both(struct line *l) {
    ck_assert_int_ne(l->client = dial(0, "127.0.0.1", l->s.outside), -1);
    l->server = accept_one(l->listener);
}

static void close_both(struct line *l) {
    close(l->client);
    close(l->server);
}

static struct line connected(enum who who) {
    struct line l = { .s = idle_as(who, "--network none") };
    l.watcher = watcher_of(who, l.s.name);
    ck_assert_int_ne(l.listener = listen_in(init_of(l.s), "0.0.0.0", l.s.inside), -1);
    connect_both(&l);
    return l;
}

/* Through a line that is in order each of the two hears the other. */
static void expect_in_order(struct line *l) {
    char *word = new_word();
    say(l->client, word);
    ck_assert_str_eq(hear_once(l->server), word);
    say(l->server, word);
    ck_assert_str_eq(hear_once(l->client), word);
}

/* The same watcher is still at work, for a new client. */
static void hang_up(struct line *l) {
    close_both(l);
    connect_both(l);
    expect_in_order(l);
    ck_assert_int_eq(watcher_of(l->s.who, l->s.name), l->watcher);
    close_both(l);
    close(l->listener);
    end(l->s);
}

/* The relay comes from the container's own address. */
START_TEST(the_server_sees_its_own_address) {
    struct line l = connected(_i);
    struct sockaddr_in peer = { 0 };
    socklen_t length = sizeof peer;
    ck_assert_int_eq(getpeername(l.server, (void *)&peer, &length), 0);
    ck_assert_str_eq(inet_ntoa(peer.sin_addr), l.s.address);
    expect_in_order(&l);
    hang_up(&l);
}
END_TEST

/* 2 MB: more than all buffers hold. */
static void send_much(int from, int to) {
    static char data[2 << 20];
    pid_t sender = fork();
    size_t got = 0;
    ssize_t n;
    if (sender == 0)
        _exit(send(from, data, sizeof data, MSG_NOSIGNAL) != sizeof data ||
              shutdown(from, SHUT_WR) == -1);
    while ((n = recv(to, data, sizeof data, 0)) > 0) got += n;
    int status;
    ck_assert_int_eq(waitpid(sender, &status, 0), sender);
    ck_assert_int_eq(status, 0);
    ck_assert_uint_eq(got, sizeof data);
}

/* Who has said everything may still listen. */
START_TEST(the_client_may_end_first) {
    struct line l = connected(_i);
    say(l.client, "question");
    shutdown(l.client, SHUT_WR);
    ck_assert_str_eq(hear(l.server), "question");
    send_much(l.server, l.client);
    hang_up(&l);
}
END_TEST

START_TEST(the_server_may_end_first) {
    struct line l = connected(_i);
    say(l.server, "welcome");
    shutdown(l.server, SHUT_WR);
    ck_assert_str_eq(hear(l.client), "welcome");
    send_much(l.client, l.server);
    hang_up(&l);
}
END_TEST

START_TEST(a_server_may_close_at_once) {
    struct line l = connected(_i);
    for (int i = 0; i < 200; i += fewer()) {
        close_both(&l);
        connect_both(&l);
        close(l.server);
        send(l.client, "hello", 5, MSG_NOSIGNAL);
        ck_assert_str_eq(hear(l.client), "");
    }
    hang_up(&l);
}
END_TEST

/* Close with a reset instead of an end. */
static void vanish(int fd) {
    struct linger now = { 1, 0 };
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(fd);
}

/* The server must hear of it, also while it sends; and nobody dies of SIGPIPE. */
START_TEST(a_client_may_vanish) {
    static char data[65536];
    struct line l = connected(_i);
    for (int i = 0; i < 100; i += fewer()) {
        close_both(&l);
        connect_both(&l);
        expect_in_order(&l);
        if (i % 2)
            send(l.client, data, sizeof data, MSG_NOSIGNAL);
        vanish(l.client);
        ssize_t n = 0;
        double end = seconds() + 10 * slower();
        while (n >= 0 && i % 3 == 0 && seconds() < end)
            n = send(l.server, data, sizeof data, MSG_NOSIGNAL);
        while ((n = recv(l.server, data, sizeof data, 0)) > 0)
            ;
        ck_assert_msg(n == 0 || errno == ECONNRESET || errno == EPIPE, "the server hears %s",
                      strerror(errno));
    }
    hang_up(&l);
}
END_TEST

START_TEST(a_server_may_vanish) {
    struct line l = connected(_i);
    for (int i = 0; i < 100; i += fewer()) {
        close_both(&l);
        connect_both(&l);
        expect_in_order(&l);
        vanish(l.server);
        ck_assert_str_eq(hear(l.client), "");
        ck_assert_msg(errno != EAGAIN, "the client never hears of it");
    }
    hang_up(&l);
}
END_TEST

/* "refused" becomes "accepted, then closed": at once, and not after a time-out. */
START_TEST(nobody_listens_inside) {
    struct line l = connected(_i);
    close(l.listener);
    for (int i = 0; i < 20; i++) {
        int fd = dial(0, "127.0.0.1", l.s.outside);
        ck_assert_int_ne(fd, -1);
        ck_assert_int_le(recv(fd, (char[1]){ 0 }, 1, 0), 0);
        ck_assert_msg(errno != EAGAIN, "it is never closed");
        close(fd);
    }
    ck_assert_int_ne(l.listener = listen_in(init_of(l.s), "0.0.0.0", l.s.inside), -1);
    hang_up(&l);
}
END_TEST

/* Processor time of a process in seconds. */
static double used_by(pid_t pid) {
    unsigned long user = 0, system = 0;
    struct result r = sh("cut -d ' ' -f 14,15 /proc/%d/stat", pid);
    sscanf(r.out, "%lu %lu", &user, &system);
    return (double)(user + system) / sysconf(_SC_CLK_TCK);
}

/* The server sends as much as somebody takes. While nobody reads, it must wait: memory is bounded,
 * nothing spins, and others are served. */
START_TEST(a_client_may_never_read) {
    static char data[65536];
    struct line l = connected(_i);
    int silent = l.client, sender = l.server;
    size_t sent = 0;
    fcntl(sender, F_SETFL, O_NONBLOCK);
    for (double end = seconds() + 1; seconds() < end && sent < 200 << 20;) {
        ssize_t n = send(sender, data, sizeof data, MSG_NOSIGNAL);
        if (n > 0)
            sent += n;
        else
            usleep(1000);
    }
    ck_assert_msg(sent < 64 << 20, "%zu bytes have been taken", sent);
    double before = used_by(l.watcher), begun = seconds();
    connect_both(&l);
    expect_in_order(&l);
    while (seconds() < begun + 1) usleep(10000);
    ck_assert_msg(used_by(l.watcher) - before < 0.3, "the watcher spins");
    close(silent);
    close(sender);
    hang_up(&l);
}
END_TEST

/* Nothing is left of connections that have ended: descriptors, threads. */
START_TEST(connections_leave_nothing) {
    struct line l = connected(_i);
    const char *look = "echo $(ls /proc/%d/fd | wc -l) $(ls /proc/%d/task | wc -l)";
    expect_in_order(&l);
    char *before = sh(look, l.watcher, l.watcher).out;
    for (int i = 0; i < 300; i += fewer()) {
        struct line more = l;
        connect_both(&more);
        if (i % 2)
            expect_in_order(&more);
        close_both(&more);
    }
    expect(sh("until [ \"$(echo $(ls /proc/%d/fd | wc -l) $(ls /proc/%d/task | wc -l))\" ="
              " '%.*s' ]; do sleep 0.05; done",
              l.watcher, l.watcher, (int)strcspn(before, "\n"), before),
           0, "", "");
    expect_in_order(&l);
    hang_up(&l);
}
END_TEST

/* More clients than the watcher may open files: those who are too many are closed or wait, it does
 * not spin, and goes on when some have gone. */
START_TEST(too_many_clients_are_survived) {
    enum { MANY = 200 };
    int clients[MANY];
    struct line l = { .s = { _i, new_name(), "", new_port(), new_port() } };
    expect(as(_i, "ulimit -n 128; $CONTAINER run -d --name %s --network none -p %d:%d $BASE"
                  "    probe serve %d %d",
              l.s.name, l.s.outside, l.s.inside, l.s.inside, LIVES),
           0, NULL, "");
    await_ready(l.s, 1);
    l.s.address = address_of(l.s);
    l.watcher = watcher_of(_i, l.s.name);
    for (int i = 0; i < MANY; i++) clients[i] = dial(0, "127.0.0.1", l.s.outside);
    double before = used_by(l.watcher);
    usleep(1000000);
    double used = used_by(l.watcher) - before;
    ck_assert_msg(used < 0.5, "the watcher has used %.2f s of one", used);
    for (int i = 0; i < MANY; i++) close(clients[i]);
    double end_of_patience = seconds() + 10 * slower();
    while (!*ask(0, "127.0.0.1", l.s.outside, "hi") && seconds() < end_of_patience) usleep(20000);
    expect_reached(0, "127.0.0.1", l.s);
    ck_assert_int_eq(watcher_of(_i, l.s.name), l.watcher);
    end(l.s);
}
END_TEST

/* A watcher that is stopped keeps its connections, and takes new ones when it goes on. So does one
 * that somebody looks at with strace. */
START_TEST(the_watcher_may_be_stopped) {
    struct line l = connected(_i);
    for (int i = 0; i < 20; i += fewer()) {
        ck_assert_int_eq(kill(l.watcher, SIGSTOP), 0);
        int fd = dial(0, "127.0.0.1", l.s.outside);
        ck_assert_int_ne(fd, -1);
        say(fd, "early");
        say(l.client, "later");
        ck_assert_int_eq(kill(l.watcher, SIGCONT), 0);
        ck_assert_str_eq(hear_once(l.server), "later");
        int server = accept_one(l.listener);
        ck_assert_str_eq(hear_once(server), "early");
        close(fd);
        close(server);
    }
    expect_in_order(&l);
    hang_up(&l);
}
END_TEST

/* Whoever asks a paused container is answered when it goes on. */
START_TEST(a_paused_container_answers_later) {
    struct server s = serve("", "--network none");
    struct result r = sh("$CONTAINER pause %s", s.name);
    if (r.status == 0) { /* else this host has no freezer */
        char *word = new_word();
        int fd = dial(0, "127.0.0.1", s.outside);
        ck_assert_int_ne(fd, -1);
        say(fd, word);
        shutdown(fd, SHUT_WR);
        usleep(200000);
        ck_assert_int_eq(recv(fd, (char[1]){ 0 }, 1, MSG_DONTWAIT), -1);
        expect(sh("$CONTAINER unpause %s", s.name), 0, NULL, "");
        ck_assert_ptr_nonnull(strstr(hear(fd), word));
        close(fd);
    }
    end(s);
}
END_TEST

/* ---- refused ---- */

static const char *const no_ports[] = {
    "",
    "80",
    ":80",
    "80:",
    ":",
    "::",
    "8000-8010:80",
    "80:8000-8010",
    "8000-8010:8000-8010",
    "0:80",
    "80:0",
    "65536:80",
    "80:65536",
    "99999:80",
    "80:99999",
    "99999999999999999999:80",
    "-1:80",
    "80:-1",
    "+80:80",
    "080:80",
    "0x50:80",
    "a:80",
    "80:a",
    " 80:80",
    "80:80 ",
    "80 :80",
    "80:80/",
    "80:80/tcp",
    "80:80/udp",
    "80:80/sctp",
    "80/udp:80",
    "80:80:80",
    "80:80:80:80",
    ":80:80",
    "1.2.3:80:80",
    "1.2.3.4.5:80:80",
    "256.0.0.1:80:80",
    "127.0.0.01:80:80",
    "127.0.0.1/8:80:80",
    "127.0.0.1:80",
    "127.0.0.1::80",
    "127.0.0.1:80:",
    "127.0.0.1:0:80",
    "127.0.0.1:65536:80",
    ".......:80:80",
    "...............:80:80",
    "localhost:80:80",
    "::1:80:80",
    "[::1]:80:80",
    "[::]:80:80",
    "fd00::9:80:80",
};

#define NOTHING_MADE "ls -A $CONTAINER_HOME/containers 2>/dev/null || :"

/* The message names the option and its value, and says WHY. */
static void expect_named(struct result r, const char *value, const char *why) {
    expect(r, 125, "", format("--publish %s: ", value));
    expect(r, 125, "", why);
}

/* Such a value is refused, and nothing has been made by then. */
static void expect_refusal(enum who who, const char *options, const char *value, const char *why) {
    static const char *const words[] = { "run --rm", "run -d", "run" };
    const char *word = words[random_between(0, COUNT(words) - 1)];
    expect_named(as(who, "$CONTAINER %s %s -p '%s' $BASE true", word, options, value), value, why);
    expect(as(who, NOTHING_MADE), 0, "", "");
    if (is_root())
        expect(sh("ip link show " BRIDGE), 1, "", NULL);
}

START_TEST(what_is_no_port_is_refused) {
    expect_refusal(OURSELVES, "", no_ports[_i], "expected ");
    expect_refusal(OURSELVES, "--network none", no_ports[_i], "expected ");
}
END_TEST

/* `create` binds no port, but what can never be one is said at once. */
START_TEST(create_refuses_what_is_no_port) {
    for (int i = 0; i < COUNT(no_ports); i++)
        expect_named(sh("$CONTAINER create --publish='%s' $BASE true", no_ports[i]), no_ports[i],
                     "expected ");
    expect(sh(NOTHING_MADE), 0, "", "");
}
END_TEST

/* There is nothing to relay. */
START_TEST(the_host_s_network_publishes_nothing) {
    expect(as(_i, "$CONTAINER run --network host -p 8080:80 $BASE true"), 125, "", "--publish");
    expect(as(_i, "$CONTAINER run --network host -p 8080:80 $BASE true"), 125, "", "host");
    expect(as(_i, NOTHING_MADE), 0, "", "");
}
END_TEST

/* Ports below 1024 are root's, unless the administrator has moved that limit. */
START_TEST(low_ports_are_root_s) {
    enum who who = is_root() ? ORDINARY_USER : OURSELVES;
    int limit = atoi(sh("cat /proc/sys/net/ipv4/ip_unprivileged_port_start").out);
    if (limit > 1) {
        expect_refusal(who, "", format("%d:80", limit - 1), "Permission denied");
        expect_refusal(who, "--network none", format("127.0.0.1:%d:80", limit - 1),
                       "Permission denied");
    }
    expect(as(who, "$CONTAINER run --rm -p %d:80 $BASE true", new_port()), 0, "", "");
}
END_TEST

/* ---- taken ---- */

/* Smallest and largest; the other short forms. */
START_TEST(all_of_these_are_ports) {
    expect(sh("$CONTAINER run --rm -p 1:1 -p 65535:65535 -p65534:1"
              " --publish=127.0.0.1:65533:65535 $BASE true"),
           0, "", "");
}
END_TEST

START_TEST(addresses_of_others_are_refused) {
    expect_refusal(OURSELVES, "", "192.0.2.77:8080:80", NOT_OURS);
}
END_TEST

/* Somebody listens there, at all addresses or at one, and we want all or one. */
static const struct {
    const char *theirs, *ours;
    bool refused;
} listeners[] = {
    // clang-format off
    { "0.0.0.0",   "",           true  },
    { "::",        "",           true  },
    { "127.0.0.1", "",           true  },
    { "::1",       "",           true  },
    { UPLINK,      "",           true  },
    { "0.0.0.0",   "127.0.0.1:", true  },
    { "::",        "127.0.0.1:", true  },
    { "127.0.0.1", "127.0.0.1:", true  },
    { UPLINK,      "127.0.0.1:", false },
    { "::1",       "127.0.0.1:", false },
    { "127.0.0.1", UPLINK ":",   false },
    // clang-format on
};

START_TEST(ports_of_other_programs_are_refused) {
    int port = new_port();
    if (!is_possible(listeners[_i].theirs))
        return;
    lan();
    int other = listen_in(0, listeners[_i].theirs, port);
    ck_assert_int_ne(other, -1);
    const char *value = format("%s%d:80", listeners[_i].ours, port);
    if (listeners[_i].refused) {
        expect_refusal(OURSELVES, "", value, IN_USE);
        expect_refusal(OURSELVES, "--network none", value, IN_USE);
        if (users() == 2)
            expect_refusal(ORDINARY_USER, "", value, IN_USE);
    } else {
        expect(sh("$CONTAINER run --rm -p %s $BASE true", value), 0, "", "");
    }
    close(other);
}
END_TEST

/* The one that has it does not notice. */
START_TEST(ports_of_other_containers_are_refused) {
    struct server s = serve("", "");
    const char *look = "nft list ruleset; ls -A $CONTAINER_HOME/containers; ip -o link";
    char *all = format("%d:80", s.outside), *one = format("127.0.0.1:%s", all);
    struct result before = sh("%s", look);
    expect_named(sh("$CONTAINER run --rm -p %s $BASE true", all), all, IN_USE);
    expect_named(sh("$CONTAINER run -d -p %s $BASE true", one), one, IN_USE);
    ck_assert_str_eq(sh("%s", look).out, before.out);
    expect_reached(0, "127.0.0.1", s);
    end(s);
}
END_TEST

/* Of several of one command line, too, and the first is given back. */
START_TEST(no_port_is_published_twice) {
    int port = new_port();
    expect_refusal(OURSELVES, format("-p %d:80", port), format("%d:81", port), IN_USE);
    int fd = listen_in(0, "0.0.0.0", port);
    ck_assert_int_ne(fd, -1);
    close(fd);
}
END_TEST

START_TEST(two_containers_share_a_port_by_address) {
    int port = new_port();
    lan();
    struct server one = serve_on(OURSELVES, format("-p 127.0.0.1:%d:7", port), 7, port);
    struct server two = serve_on(OURSELVES, format("-p " UPLINK ":%d:8", port), 8, port);
    expect_reached(0, "127.0.0.1", one);
    expect_reached(0, UPLINK, two);
    end(one);
    expect_reached(0, UPLINK, two);
    end(two);
}
END_TEST

/* Ten who want the same at once: one gets it, and the others leave nothing. */
START_TEST(one_port_for_many_goes_to_one) {
    int port = new_port();
    expect(sh("for i in 0 1 2 3 4 5 6 7 8 9; do"
              "    { $CONTAINER run -d --name $NAME-$i -p %d:80 $BASE sleep 100 2>err.$i;"
              "        echo $? >status.$i; } & done; wait; sort status.* | uniq -c | tr -s ' '",
              port),
           0, " 1 0\n 9 125\n", "");
    expect(sh("cat err.*"), 0, IN_USE, "");
    expect(sh("ls $CONTAINER_HOME/containers | wc -l"), 0, "1\n", "");
    until(OURSELVES, "[ $(ip -o link show master " BRIDGE " | wc -l) = 1 ]");
    expect(sh("$CONTAINER rm -f $(ls $CONTAINER_HOME/containers)"), 0, NULL, "");
}
END_TEST

/* ---- ports ---- */

/* Whether a server of the host may have the port, at any address. */
static void expect_port(int port, bool free) {
    static const char *const addresses[] = { "0.0.0.0", "127.0.0.1", "::", "::1" };
    for (int i = 0; i < COUNT(addresses) && is_possible(addresses[i]); i++) {
        int fd = listen_in(0, addresses[i], port);
        ck_assert_msg((fd != -1) == free, "%s %d should be %s", addresses[i], port,
                      free ? "free" : "taken");
        close(fd);
    }
}

/* `create` only prepares. */
START_TEST(a_container_holds_its_port_while_it_runs) {
    struct server s = { _i, new_name(), "", new_port(), new_port() };
    expect_port(s.outside, true);
    expect(as(_i, "$CONTAINER create --name %s -p %d:%d $BASE probe serve %d %d", s.name, s.outside,
              s.inside, s.inside, LIVES),
           0, s.name, "");
    expect_port(s.outside, true);
    expect(as(_i, "$CONTAINER start %s", s.name), 0, NULL, "");
    await_ready(s, 1);
    s.address = address_of(s);
    expect_port(s.outside, false);
    expect_reached(0, "127.0.0.1", s);
    if (_i == OURSELVES && as(_i, "$CONTAINER pause %s", s.name).status == 0) {
        expect_port(s.outside, false);
        expect(as(_i, "$CONTAINER unpause %s", s.name), 0, NULL, "");
    }
    expect_reached(0, "127.0.0.1", s);
    end(s);
    expect_port(s.outside, true);
}
END_TEST

START_TEST(stop_frees_and_start_publishes_again) {
    struct server s = serve_as(_i, "", "");
    for (int again = 0; again < 3; again++) {
        expect_reached(0, "127.0.0.1", s);
        int fd = dial(0, "127.0.0.1", s.outside); /* an old connection does not matter */
        expect(as(_i, "$CONTAINER stop -t 0 %s", s.name), 0, NULL, "");
        expect_port(s.outside, true);
        expect(as(_i, "$CONTAINER start %s", s.name), 0, NULL, "");
        await_ready(s, again + 2);
        s.address = address_of(s); /* another one, if its cable was still there */
        close(fd);
    }
    end(s);
}
END_TEST

/* No connection that is still ending keeps us from the port. */
START_TEST(start_right_after_stop_has_the_port) {
    struct server s = serve_as(_i, "", "");
    for (int again = 0; again < 20; again += fewer()) {
        char *text = ask(0, "127.0.0.1", s.outside, "hi");
        int fd = dial(0, "127.0.0.1", s.outside);
        ck_assert_ptr_nonnull(strstr(text, "hi"));
        expect(as(_i, "$CONTAINER stop -t 0 %s && $CONTAINER start %s && until"
                      " [ $($CONTAINER logs %s | grep -c ready) = %d ]; do sleep 0.01; done",
                  s.name, s.name, s.name, again / fewer() + 2),
               0, NULL, "");
        close(fd);
    }
    end(s);
}
END_TEST

/* It stays as it was, and starts when the port is free again. */
START_TEST(start_refuses_a_port_that_has_been_taken) {
    struct server s = serve_as(_i, "", "");
    expect(as(_i, "$CONTAINER stop -t 0 %s", s.name), 0, NULL, "");
    char *status = as(_i, "$CONTAINER ps").out;
    const char *list = "cd $CONTAINER_HOME/containers/%s && ls -A && cat exit log";
    char *before = as(_i, list, s.name).out;
    int other = listen_in(0, "0.0.0.0", s.outside);
    ck_assert_int_ne(other, -1);
    expect(as(_i, "$CONTAINER start %s", s.name), 125, "", format("%s\n", IN_USE));
    ck_assert_str_eq(as(_i, "$CONTAINER ps").out, status);
    ck_assert_str_eq(as(_i, list, s.name).out, before);
    close(other);
    expect(as(_i, "$CONTAINER start %s", s.name), 0, NULL, "");
    await_ready(s, 2);
    s.address = address_of(s);
    expect_reached(0, "127.0.0.1", s);
    end(s);
}
END_TEST

/* However a container ends. */
static const struct {
    const char *line;
    int status;
} endings[] = {
    { "true", 0 },
    { "probe signal 9", 137 },
    { "/no/such/program", 127 },
    { "sh -c 'sleep 100 & exec sleep 0.1'", 0 },
};

START_TEST(the_port_is_free_after_each_end) {
    int port = new_port();
    for (int again = 0; again < 2; again++) {
        expect(sh("$CONTAINER run --rm -p %d:80 $BASE %s", port, endings[_i].line),
               endings[_i].status, "", NULL);
        expect_port(port, true);
    }
}
END_TEST

/* Nobody can tidy up: the kernel does. Another container does not notice. */
START_TEST(a_killed_watcher_frees_its_port) {
    struct server s = serve_as(_i, "", ""), other = serve_as(_i, "", "");
    int client = dial(0, "127.0.0.1", s.outside);
    ck_assert_int_eq(kill(watcher_of(_i, s.name), SIGKILL), 0);
    ck_assert_str_eq(hear(client), "");
    ck_assert_msg(errno != EAGAIN, "a client never hears of it");
    close(client);
    double end_of_patience = seconds() + 5 * slower();
    int fd;
    while ((fd = listen_in(0, "::", s.outside)) == -1 && seconds() < end_of_patience) usleep(1000);
    close(fd);
    expect_port(s.outside, true);
    expect_unreached(0, "127.0.0.1", s.outside);
    expect_reached(0, "127.0.0.1", other);
    expect(as(_i, "$CONTAINER start %s", s.name), 0, NULL, "");
    await_ready(s, 2);
    s.address = address_of(s);
    expect_reached(0, "127.0.0.1", s);
    end(s);
    end(other);
}
END_TEST

/* ---- guard ---- */

/* Give the network of PID what it needs to send to 127.0.0.1 by its card DEVICE, and to take
 * answers from there: all that an attacker with power over it could do. */
static void turn_against_us(pid_t pid, const char *device, const char *via) {
    expect(sh("nsenter -t %d -n sh -c 'ip addr del 127.0.0.1/8 dev lo;"
              "    ip route add 127.0.0.1 via %s dev %s &&"
              "    for f in all %s; do echo 1 >/proc/sys/net/ipv4/conf/$f/route_localnet;"
              "        echo 0 >" RP_FILTER "; done'",
              pid, via, device, device),
           0, "", NULL);
}

/* A port that is published for 127.0.0.1 only is the host's. */
START_TEST(nobody_reaches_what_is_published_there) {
    pid_t machine = lan();
    struct server s = serve("127.0.0.1:", ""), attacker = idle();
    turn_against_us(machine, "up0", UPLINK);
    turn_against_us(init_of(attacker), "eth0", GATEWAY);
    expect_unreached(machine, "127.0.0.1", s.outside);
    expect_unreached(init_of(attacker), "127.0.0.1", s.outside);
    expect_reached(0, "127.0.0.1", s);
    end(attacker);
    end(s);
}
END_TEST

/* ---- the suite ---- */

/* Where each network namespace has one of its own; otherwise it would be the host's. */
static void look_for_nf_call(void) {
    if (system("unshare -n [ -w " NF_CALL " ]") != 0)
        left_out("bridge-nf-call-iptables 0 and 1", "not here, or not each network's own");
    if (!has_ipv6())
        left_out("clients that use IPv6", "this kernel has no IPv6");
}

static void add_port_tests(Suite *s) {
    TCase *t = new_case(s, "paths");
    look_for_nf_call();
    tcase_add_loop_test(t, every_path_leads_there, 0, 2 * COUNT(paths));
    tcase_add_loop_test(t, no_bridge_is_needed, 0, users());
    tcase_add_loop_test(t, only_by_that_address, 0, COUNT(bound));
    tcase_add_test(t, nobody_else_is_there);
    tcase_add_test(t, a_machine_that_knows_the_bridge_is_answered);
    tcase_add_loop_test(t, the_firewall_for_forwarded_packets_does_not_matter, 0,
                        COUNT(firewalls));
    tcase_add_test(t, the_lan_sees_the_host);
    tcase_add_test(t, many_ports_of_one_container);

    t = new_case(s, "payload");
    tcase_add_loop_test(t, fifty_megabytes_each_way, 0, COUNT(ways));
    tcase_add_loop_test(t, two_hundred_at_once, 0, COUNT(ways));

    t = new_case(s, "relay");
    tcase_add_loop_test(t, the_loopback_inside_is_not_published, 0, users());
    tcase_add_loop_test(t, the_server_sees_its_own_address, 0, users());
    tcase_add_loop_test(t, the_client_may_end_first, 0, users());
    tcase_add_loop_test(t, the_server_may_end_first, 0, users());
    tcase_add_loop_test(t, a_server_may_close_at_once, 0, users());
    tcase_add_loop_test(t, a_client_may_vanish, 0, users());
    tcase_add_loop_test(t, a_server_may_vanish, 0, users());
    tcase_add_loop_test(t, nobody_listens_inside, 0, users());
    tcase_add_loop_test(t, a_client_may_never_read, 0, users());
    tcase_add_loop_test(t, connections_leave_nothing, 0, users());
    tcase_add_loop_test(t, too_many_clients_are_survived, 0, users());
    tcase_add_loop_test(t, the_watcher_may_be_stopped, 0, users());
    tcase_add_test(t, a_paused_container_answers_later);

    t = new_case(s, "taken");
    tcase_add_test(t, all_of_these_are_ports);
    tcase_add_test(t, addresses_of_others_are_refused);
    tcase_add_loop_test(t, ports_of_other_programs_are_refused, 0, COUNT(listeners));
    tcase_add_test(t, ports_of_other_containers_are_refused);
    tcase_add_test(t, no_port_is_published_twice);
    tcase_add_test(t, two_containers_share_a_port_by_address);
    tcase_add_test(t, one_port_for_many_goes_to_one);

    t = new_case(s, "ports");
    tcase_add_loop_test(t, a_container_holds_its_port_while_it_runs, 0, users());
    tcase_add_loop_test(t, stop_frees_and_start_publishes_again, 0, users());
    tcase_add_loop_test(t, start_right_after_stop_has_the_port, 0, users());
    tcase_add_loop_test(t, start_refuses_a_port_that_has_been_taken, 0, users());
    tcase_add_loop_test(t, the_port_is_free_after_each_end, 0, COUNT(endings));
    tcase_add_loop_test(t, a_killed_watcher_frees_its_port, 0, users());

    t = new_case(s, "guard");
    tcase_add_test(t, nobody_reaches_what_is_published_there);
}

Suite *ports_suite(void) {
    Suite *s = suite_create("ports");
    TCase *t = new_case(s, "refused");
    tcase_add_loop_test(t, what_is_no_port_is_refused, 0, COUNT(no_ports));
    tcase_add_test(t, create_refuses_what_is_no_port);
    tcase_add_loop_test(t, the_host_s_network_publishes_nothing, 0, users());
    if (!is_root() || users() == 2)
        tcase_add_test(t, low_ports_are_root_s);
    if (is_root())
        add_port_tests(s);
    else
        left_out("published ports in use", "the tests need networks of their own, which root has");
    return s;
}
