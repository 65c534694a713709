/* SPDX-License-Identifier: MIT */
/*
 * test_ports.c - how others find a container: published ports, names, shared networks.
 *
 *      paths        who reaches a published port by which address, and whom the container sees
 *      payload      much of it, and many at once
 *      refused      what is no port
 *      taken        what is somebody else's
 *      ports        the port belongs to the container from create to its end, however it ends
 *      rules        what nft shows
 *      guard        the host's own loopback stays its own
 *      names        /etc/hosts
 *      joined       --network container:NAME
 *      hosts        what a host may have already; what it has afterwards
 *
 *      server, 10.66.A.B --+
 *                          +-- container0 --- up0 ----------- 203.0.113.2, a machine of the LAN
 *      neighbour ----------+   10.66.0.1      203.0.113.1
 *                                             198.51.100.1
 *
 * The probe's `serve` answers TCP and UDP: "at HOSTNAME from ADDRESS PORT", then what was said.
 * So each answer tells who was reached and whom it has seen. Read serve, ask and paths first.
 */
#include "test.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define BRIDGE "container0"
#define GATEWAY "10.66.0.1"
#define UPLINK "203.0.113.1"
#define SECOND "198.51.100.1" /* one more address of the host */
#define LAN_MACHINE "203.0.113.2"
#define NF_CALL "/proc/sys/net/bridge/bridge-nf-call-iptables"
#define RP_FILTER "/proc/sys/net/ipv4/conf/$f/rp_filter"
#define FORWARD "/proc/sys/net/ipv4/ip_forward"
#define LIVES 100 /* seconds: how long a server serves, if nobody ends it */

/* Something that nobody can guess. */
static char *new_word(void) {
    struct result r = sh("head -c 100 /dev/urandom | od -An -tx1 | tr -d ' \n'");
    ck_assert_uint_eq(strlen(r.out), 200);
    return r.out;
}

/* ---- servers ---- */

struct server {
    char *name, *address;
    int inside, outside; /* ports */
};

static char *address_of(const char *name) {
    char *address = sh("cat $CONTAINER_HOME/containers/%s/ip 2>/dev/null", name).out;
    address[strcspn(address, "\n")] = '\0';
    return address;
}

static void await_ready(const char *name) {
    until(OURSELVES, format("$CONTAINER logs %s | grep -q ready", name));
}

/* Create or run -d a server with these options on these ports. */
static struct server serve_as(const char *verb, const char *options, int inside, int outside) {
    struct server s = { .name = new_name(), .inside = inside, .outside = outside };
    expect(sh("$CONTAINER %s --name %s %s $BASE probe serve %d %d", verb, s.name, options,
              s.inside, LIVES),
           0, s.name, "");
    s.address = address_of(s.name);
    if (strncmp(verb, "run", 3) == 0)
        await_ready(s.name);
    return s;
}

/* -p for both protocols; IP is "" or ends with a colon. */
static char *publish(const char *ip, int outside, int inside) {
    return format("-p %s%d:%d/tcp -p %s%d:%d/udp", ip, outside, inside, ip, outside, inside);
}

static struct server serve(const char *ip, const char *options) {
    int outside = new_port(), inside = new_port();
    return serve_as("run -d", format("%s %s", options, publish(ip, outside, inside)), inside,
                    outside);
}

static void end(const char *name) {
    expect(sh("$CONTAINER rm -f %s", name), 0, NULL, "");
}

/* One that is there to be in the network, and to ask. */
static char *start_idle(const char *options) {
    char *name = new_name();
    expect(sh("$CONTAINER run -d --name %s %s $BASE sleep %d", name, options, LIVES), 0, NULL, "");
    return name;
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

/* Plug it in, with a second address for us, which it knows. What begins a command line there. */
static const char *enter_lan(void) {
    pid_t lan = internet();
    expect(sh("ip addr add " SECOND "/24 dev up0 &&"
              "nsenter -t %d -n ip route add 198.51.100.0/24 via " UPLINK,
              lan),
           0, "", "");
    return format("nsenter -t %d -n", lan);
}

static const char *on_the_lan(void) {
    return format("%s $PROBE", enter_lan());
}

static const char *in(const char *container) {
    return format("$CONTAINER exec %s probe", container);
}

static const char *const protocols[] = { "tcp-connect", "udp-send" };

/* WHO is the beginning of a command line. */
static struct result ask(const char *who, int protocol, const char *address, int port,
                         const char *word) {
    return sh("%s %s %s %d %s", who, protocols[protocol], address, port, word);
}

/* The answer must come from S, which must have seen SOURCE; and the word come back. */
static void expect_reached(const char *who, const char *address, int port, struct server s,
                           const char *source) {
    for (int protocol = 0; protocol < COUNT(protocols); protocol++) {
        char *word = new_word();
        struct result r = ask(who, protocol, address, port, word);
        expect(r, 0, format("text at %s from %s ", s.name, source), "");
        expect(r, 0, format("\n%s\n", word), "");
    }
}

/* Nobody answers: refused, or not at all. */
static void expect_unreached(const char *who, const char *address, int port) {
    for (int protocol = 0; protocol < COUNT(protocols); protocol++)
        expect(ask(who, protocol, address, port, "nobody 1"), 1,
               format("%s: errno E", protocols[protocol]), "");
}

/* ---- paths ---- */

enum place {
    LAN,
    HOST,
    NEIGHBOUR,
    ITSELF,
};

/* NULL: the container's own address and port, which are not published. Then the source. */
static const struct {
    enum place from;
    const char *address, *source;
} paths[] = {
    // clang-format off
    { LAN,       UPLINK,      GATEWAY },
    { LAN,       SECOND,      GATEWAY },
    { HOST,      "127.0.0.1", GATEWAY },
    { HOST,      UPLINK,      GATEWAY },
    { HOST,      SECOND,      GATEWAY },
    { HOST,      GATEWAY,     GATEWAY },
    { HOST,      NULL,        GATEWAY },
    { NEIGHBOUR, UPLINK,      GATEWAY },
    { NEIGHBOUR, SECOND,      GATEWAY },
    { NEIGHBOUR, GATEWAY,     GATEWAY },
    { NEIGHBOUR, NULL,        NULL /* its own */ },
    { ITSELF,    UPLINK,      GATEWAY },
    { ITSELF,    SECOND,      GATEWAY },
    { ITSELF,    GATEWAY,     GATEWAY },
    // clang-format on
};

/* Both ways that hosts are set up. With 1 in NF_CALL packets inside a bridge meet the rules, too,
 * and are translated there already; with 1 in RP_FILTER they must come from where an answer would
 * go to. */
START_TEST(every_path_leads_there) {
    int path = _i % COUNT(paths), strict = _i / COUNT(paths);
    const char *lan = on_the_lan();
    if (access(NF_CALL, W_OK) == 0)
        expect(sh("echo %d >" NF_CALL, strict), 0, "", "");
    expect(sh("for f in all default up0; do echo %d >" RP_FILTER "; done", strict), 0, "", "");
    struct server s = serve("", "");
    char *neighbour = start_idle("");
    const char *const who[] = { lan, "$PROBE", in(neighbour), in(s.name) };
    const char *source = paths[path].source ? paths[path].source : address_of(neighbour);
    if (paths[path].address)
        expect_reached(who[paths[path].from], paths[path].address, s.outside, s, source);
    else
        expect_reached(who[paths[path].from], s.address, s.inside, s, source);
    end(neighbour);
    end(s.name);
}
END_TEST

/* Neither without -p, nor by another port, nor when the container has gone. */
START_TEST(nobody_else_is_there) {
    const char *lan = on_the_lan();
    struct server s = serve("", ""), hidden = serve_as("run -d", "", new_port(), 0);
    const struct {
        const char *who, *address;
    } tries[] = {
        { lan, UPLINK },
        { "$PROBE", "127.0.0.1" },
        { in(s.name), GATEWAY },
    };
    for (int i = 0; i < COUNT(tries); i++) {
        expect_reached(tries[i].who, tries[i].address, s.outside, s, GATEWAY);
        expect_unreached(tries[i].who, tries[i].address, hidden.inside);
        expect_unreached(tries[i].who, tries[i].address, s.inside);
    }
    end(s.name);
    for (int i = 0; i < 2; i++) expect_unreached(tries[i].who, tries[i].address, s.outside);
    end(hidden.name);
}
END_TEST

/* With a way back to the containers' addresses, as a careful administrator may set it up. */
START_TEST(a_machine_that_knows_the_bridge_is_answered) {
    const char *lan = enter_lan();
    struct server s = serve("", "");
    expect(sh("%s ip route add 10.66.0.0/16 via " UPLINK, lan), 0, "", "");
    expect_reached(format("%s $PROBE", lan), UPLINK, s.outside, s, GATEWAY);
    end(s.name);
}
END_TEST

/* -p IP:HOST:CONTAINER */
static const struct {
    const char *ip;
    enum place from;
    const char *address;
    bool reached;
} bound[] = {
    // clang-format off
    { "127.0.0.1:",  HOST,      "127.0.0.1", true  },
    { "127.0.0.1:",  HOST,      UPLINK,      false },
    { "127.0.0.1:",  LAN,       UPLINK,      false },
    { "127.0.0.1:",  NEIGHBOUR, GATEWAY,     false },
    { "127.0.0.1:",  ITSELF,    GATEWAY,     false },
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
    // clang-format on
};

/* The first container makes the bridge: before that nobody has its address. */
START_TEST(only_by_that_address) {
    const char *lan = on_the_lan();
    char *neighbour = start_idle("");
    struct server s = serve(bound[_i].ip, "");
    const char *const who[] = { lan, "$PROBE", in(neighbour), in(s.name) };
    if (bound[_i].reached)
        expect_reached(who[bound[_i].from], bound[_i].address, s.outside, s, GATEWAY);
    else
        expect_unreached(who[bound[_i].from], bound[_i].address, s.outside);
    end(s.name);
    end(neighbour);
}
END_TEST

/* What leaves the bridge has the host's address, also from one that has published a port. */
START_TEST(the_lan_sees_the_host) {
    int port = new_port();
    const char *word = new_word();
    pid_t lan = serve_outside(enter_lan(), "", port);
    struct server s = serve("", "");
    for (int protocol = 0; protocol < COUNT(protocols); protocol++) {
        struct result r = ask(in(s.name), protocol, LAN_MACHINE, port, word);
        expect(r, 0, " from " UPLINK " ", "");
        expect(r, 0, format("\n%s\n", word), "");
    }
    end(s.name);
    end_outside(lan);
}
END_TEST

/* One protocol only; the other is not there. And ports far apart, of one container. */
START_TEST(each_protocol_is_on_its_own) {
    int tcp = new_port(), udp = tcp + 1, inside = new_port();
    const char *options = format("-p %d:%d --publish %d:%d/udp", tcp, inside, udp, inside);
    struct server s = serve_as("run -d", options, inside, tcp);
    const int port[] = { tcp, udp };
    for (int protocol = 0; protocol < COUNT(protocols); protocol++) {
        expect(ask("$PROBE", protocol, "127.0.0.1", port[protocol], "hi"), 0, s.name, "");
        expect(ask("$PROBE", !protocol, "127.0.0.1", port[protocol], "hi"), 1, "errno E", "");
    }
    end(s.name);
}
END_TEST

START_TEST(many_ports_of_one_container) {
    int first = new_port(), inside = new_port();
    char *options = "";
    for (int i = 0; i < 20; i++)
        options = format("%s %s", options, publish("", first + i, inside));
    struct server s = serve_as("run -d", options, inside, first);
    for (int i = 0; i < 20; i += 19)
        expect_reached("$PROBE", "127.0.0.1", first + i, s, GATEWAY);
    end(s.name);
}
END_TEST

/* ---- payload ---- */

static const struct {
    enum place from;
    const char *address;
} ways[] = {
    { LAN, UPLINK },
    { HOST, "127.0.0.1" },
    { NEIGHBOUR, GATEWAY },
    { ITSELF, UPLINK },
};

/* What is sent comes back, after the first line. */
START_TEST(ten_megabytes_each_way) {
    const char *lan = on_the_lan();
    struct server s = serve("", "");
    char *neighbour = start_idle("");
    const char *const who[] = { lan, "$PROBE", in(neighbour), in(s.name) };
    expect(sh("head -c 10000000 /dev/urandom >up; %s tcp-copy %s %d <up >down", who[ways[_i].from],
              ways[_i].address, s.outside),
           0, "", "");
    expect(sh("head -n 1 down"), 0, format("at %s from " GATEWAY " ", s.name), "");
    struct result sent = sh("sha256sum <up"), back = sh("tail -n +2 down | sha256sum");
    ck_assert_str_eq(back.out, sent.out);
    end(neighbour);
    end(s.name);
}
END_TEST

START_TEST(two_hundred_at_once) {
    const char *lan = on_the_lan();
    struct server s = serve("", "");
    char *neighbour = start_idle("");
    const char *const who[] = { lan, "$PROBE", in(neighbour), in(s.name) };
    expect(sh("%s tcp-many %s %d 200 %s", who[ways[_i].from], ways[_i].address, s.outside,
              new_word()),
           0, "connected 200\nright 200\n", "");
    end(neighbour);
    end(s.name);
}
END_TEST

/* A datagram that no cable takes in one piece. */
START_TEST(pieces_of_a_datagram_stay_together) {
    const char *lan = on_the_lan(), *word = "";
    struct server s = serve("", "");
    for (int i = 0; i < 9; i++) word = format("%s%s", word, new_word());
    struct result r = ask(lan, 1, UPLINK, s.outside, word);
    expect(r, 0, format("at %s from " GATEWAY " ", s.name), "");
    expect(r, 0, format("\n%s\n", word), "");
    end(s.name);
}
END_TEST

/* All have the gateway's address inside, so of two with one port one must get another. */
START_TEST(clients_are_told_apart) {
    const char *lan = on_the_lan(), *seen[2];
    struct server s = serve("", "");
    int port = new_port();
    expect(sh("%s udp-knock " UPLINK " %d %d 2 >0 & $PROBE udp-knock 127.0.0.1 %d %d 2 >1; wait",
              lan, s.outside, port, s.outside, port),
           0, "", NULL);
    for (int i = 0; i < 2; i++) {
        struct result r = sh("grep -v -x knock %d | sort -u", i);
        expect(r, 0, format("at %s from " GATEWAY " ", s.name), "");
        ck_assert_msg(strchr(r.out, '\n') == strrchr(r.out, '\n'), "two ports: %s", r.out);
        expect(sh("[ $(grep -c -x knock %d) -gt 20 ]", i), 0, "", ""); /* of 40 */
        seen[i] = r.out;
    }
    ck_assert_str_ne(seen[0], seen[1]);
    end(s.name);
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
    "99999999999999999999:80",
    "-1:80",
    "80:-1",
    "+80:80",
    "0x50:80",
    "a:80",
    "80:a",
    " 80:80",
    "80:80 ",
    "80 :80",
    "80:80/",
    "80:80/sctp",
    "80:80/TCP",
    "80:80/tcp/udp",
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
    "localhost:80:80",
    "::1:80:80",
    "[::1]:80:80",
    "[::]:80:80",
    "fd00::9:80:80",
};

#define NOTHING_MADE "ls -A $CONTAINER_HOME/containers 2>/dev/null || :"

/* And nothing has been made by then. */
static void expect_refusal(enum who who, const char *options, const char *in_err) {
    expect(as(who, "$CONTAINER run --rm %s $BASE true", options), 125, "", in_err);
    expect(as(who, NOTHING_MADE), 0, "", "");
    if (is_root())
        expect(sh("ip link show " BRIDGE), 1, "", NULL);
}

START_TEST(what_is_no_port_is_refused) {
    const char *value = no_ports[_i];
    const char *want = format("container: --publish %s: want ", value);
    expect_refusal(OURSELVES, format("-p '%s'", value), want);
    expect_refusal(OURSELVES, format("--network bridge --publish '%s'", value), want);
}
END_TEST

START_TEST(a_port_needs_the_bridge) {
    static const char *const networks[] = { "none", "host" };
    for (int i = 0; i < COUNT(networks); i++)
        expect_refusal(OURSELVES, format("--network %s -p 8080:80", networks[i]),
                       "container: --publish 8080:80: want ");
}
END_TEST

START_TEST(ordinary_users_publish_nothing) {
    enum who who = is_root() ? ORDINARY_USER : OURSELVES;
    expect_refusal(who, "-p 8080:80", "container: --publish 8080:80: want ");
    expect_refusal(who, "--network none -p 8080:80", "container: --publish 8080:80: want ");
}
END_TEST

/* ---- taken ---- */

/* Smallest and largest; the usual short forms. */
START_TEST(all_of_these_are_ports) {
    expect(sh("$CONTAINER run --rm -p 1:1 -p 65535:65535 -p 1:65535/udp -p65534:1/tcp"
              " --publish=127.0.0.1:65534:65535/udp $BASE true"),
           0, "", "");
}
END_TEST

/* Of another host, of all or of many: connections to these are never ours. */
START_TEST(addresses_of_others_are_refused) {
    static const char *const others[] = { "192.0.2.77", "255.255.255.255", "224.0.0.1" };
    for (int i = 0; i < COUNT(others); i++)
        expect_refusal(OURSELVES, format("-p %s:8080:80", others[i]),
                       format("container: --publish %s:8080:80: ", others[i]));
}
END_TEST

#define IN_USE "container: --publish %s: Address already in use\n"

/* Somebody listens there, at all addresses or at one, and we want all or one. */
static const struct {
    const char *theirs, *ours;
    bool refused;
} listeners[] = {
    // clang-format off
    { "",          "",           true  },
    { "127.0.0.1", "",           true  },
    { UPLINK,      "",           true  },
    { "",          "127.0.0.1:", true  },
    { "127.0.0.1", "127.0.0.1:", true  },
    { UPLINK,      "127.0.0.1:", false },
    { "127.0.0.1", UPLINK ":",   false },
    // clang-format on
};

START_TEST(ports_of_other_programs_are_refused) {
    int port = new_port();
    bool refused = listeners[_i].refused;
    enter_lan();
    pid_t other = serve_outside("", listeners[_i].theirs, port);
    for (int udp = 0; udp < 2; udp++) {
        const char *value = format("%s%d:80/%s", listeners[_i].ours, port, udp ? "udp" : "tcp");
        if (refused)
            expect_refusal(OURSELVES, format("-p %s", value), format(IN_USE, value));
        else
            expect(sh("$CONTAINER run --rm -p %s $BASE true", value), 0, "", "");
    }
    end_outside(other);
}
END_TEST

/* The one that has it does not notice. */
START_TEST(ports_of_other_containers_are_refused) {
    struct server s = serve("", "");
    for (int udp = 0; udp < 2; udp++) {
        const char *value = format("%d:80/%s", s.outside, udp ? "udp" : "tcp");
        struct result before = sh("nft list ruleset; ls -A $CONTAINER_HOME/containers; ip -o link");
        expect(sh("$CONTAINER run --rm -p %s $BASE true", value), 125, "", format(IN_USE, value));
        expect(sh("$CONTAINER create -p 127.0.0.1:%s $BASE true", value), 125, "",
               format(IN_USE, format("127.0.0.1:%s", value)));
        ck_assert_str_eq(
            sh("nft list ruleset; ls -A $CONTAINER_HOME/containers; ip -o link").out, before.out);
    }
    expect_reached("$PROBE", "127.0.0.1", s.outside, s, GATEWAY);
    end(s.name);
}
END_TEST

/* Of several of one command line, too, and the first is given back. */
START_TEST(no_port_is_published_twice) {
    int port = new_port();
    expect_refusal(OURSELVES, format("-p %d:80 -p %d:81", port, port), "Address already in use\n");
    expect(sh("$PROBE bind 0.0.0.0 %d tcp", port), 0, "bind allowed\n", "");
}
END_TEST

START_TEST(two_containers_share_a_port_by_address) {
    int port = new_port();
    enter_lan();
    struct server one = serve_as("run -d", publish("127.0.0.1:", port, 7), 7, port);
    struct server two = serve_as("run -d", publish(UPLINK ":", port, 8), 8, port);
    expect_reached("$PROBE", "127.0.0.1", port, one, GATEWAY);
    expect_reached("$PROBE", UPLINK, port, two, GATEWAY);
    end(one.name);
    expect_reached("$PROBE", UPLINK, port, two, GATEWAY);
    end(two.name);
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
    expect(sh("cat err.*; ls $CONTAINER_HOME/containers | wc -l"), 0, "Address already in use", "");
    expect(sh("ls $CONTAINER_HOME/containers | wc -l; nft list tables | wc -l"), 0, "1\n1\n", "");
    expect(sh("$CONTAINER rm -f $(ls $CONTAINER_HOME/containers)"), 0, NULL, "");
}
END_TEST

/* ---- ports ---- */

/* Whether a server of the host may have the port, at any address. */
static void expect_port(int port, bool free) {
    static const char *const addresses[] = { "0.0.0.0", "127.0.0.1" };
    for (int i = 0; i < COUNT(addresses); i++)
        for (int udp = 0; udp < 2; udp++)
            expect(sh("$PROBE bind %s %d %s", addresses[i], port, udp ? "udp" : "tcp"),
                   free ? 0 : 1, free ? "bind allowed\n" : "bind: errno EADDRINUSE\n", "");
}

START_TEST(a_container_holds_its_port) {
    int inside = new_port(), outside = new_port();
    expect_port(outside, true);
    struct server s = serve_as("create", publish("", outside, inside), inside, outside);
    expect_port(outside, false);
    expect_unreached("$PROBE", "127.0.0.1", outside); /* there, but nobody listens inside */
    expect(sh("$CONTAINER start %s", s.name), 0, NULL, "");
    await_ready(s.name);
    expect_port(outside, false);
    expect_reached("$PROBE", "127.0.0.1", outside, s, GATEWAY);
    expect(sh("$CONTAINER pause %s", s.name), 0, NULL, "");
    expect_port(outside, false);
    expect(sh("$CONTAINER unpause %s", s.name), 0, NULL, "");
    expect_reached("$PROBE", "127.0.0.1", outside, s, GATEWAY);
    end(s.name);
    expect_port(outside, true);
}
END_TEST

START_TEST(stop_frees_and_start_publishes_again) {
    struct server s = serve("", "");
    for (int again = 0; again < 3; again++) {
        expect_reached("$PROBE", "127.0.0.1", s.outside, s, GATEWAY);
        expect(sh("$CONTAINER stop -t 0 %s", s.name), 0, NULL, "");
        expect_port(s.outside, true);
        expect(sh("nft list ruleset"), 0, "", "");
        expect(sh("$CONTAINER start %s", s.name), 0, NULL, "");
        until(OURSELVES, format("[ $($CONTAINER logs %s | grep -c ready) = %d ]", s.name, again + 2));
    }
    end(s.name);
}
END_TEST

/* It stays as it was, and starts when the port is free again. */
START_TEST(start_refuses_a_port_that_has_been_taken) {
    struct server s = serve("", "");
    expect(sh("$CONTAINER stop -t 0 %s", s.name), 0, NULL, "");
    pid_t other = serve_outside("", "", s.outside);
    expect(sh("$CONTAINER start %s", s.name), 125, "", "Address already in use\n");
    expect(sh("$CONTAINER ps"), 0, "exited ", "");
    until(OURSELVES, "[ -z \"$(nft list ruleset; ip -o link show master " BRIDGE ")\" ]");
    end_outside(other);
    expect(sh("$CONTAINER start %s", s.name), 0, NULL, "");
    until(OURSELVES, format("[ $($CONTAINER logs %s | grep -c ready) = 2 ]", s.name));
    expect_reached("$PROBE", "127.0.0.1", s.outside, s, GATEWAY);
    end(s.name);
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
        expect(sh("$CONTAINER run --rm -p %d:80 -p %d:80/udp $BASE %s", port, port,
                  endings[_i].line),
               endings[_i].status, "", NULL);
        expect_port(port, true);
        expect(sh("nft list ruleset"), 0, "", "");
    }
}
END_TEST

/* Nobody can tidy up: the kernel does. Another one is not concerned. */
START_TEST(a_killed_watcher_leaves_no_rule) {
    struct server s = serve("", ""), other = serve("", "");
    expect(sh("cd $CONTAINER_HOME/containers/%s && read -r pid rest <pid &&"
              "kill -9 $(awk '{ print $4 }' /proc/$pid/stat)",
              s.name),
           0, "", "");
    until(OURSELVES, format("[ \"$(nft list tables)\" = 'table ip container-%s' ]", other.name));
    expect_port(s.outside, true);
    expect_unreached("$PROBE", "127.0.0.1", s.outside);
    expect_reached("$PROBE", "127.0.0.1", other.outside, other, GATEWAY);
    expect(sh("nft list ruleset"), 0, other.address, "");
    expect(sh("nft list ruleset | grep -c -w -e %s -e %d", s.address, s.outside), 1, "0\n", "");
    end(s.name);
    end(other.name);
}
END_TEST

/* A client that never pauses, so that conntrack never forgets it; then the port leads to another
 * address. The bridge stays meanwhile: with it, the kernel would forget all. */
START_TEST(udp_follows_the_port) {
    const char *lan = on_the_lan();
    int inside = new_port(), outside = new_port(), source = new_port();
    const char *port = publish("", outside, inside);
    char *bystander = start_idle("");
    struct server one = serve_as("run -d", port, inside, outside), two = one;
    expect(sh("%s udp-knock %s %d %d 60 >knocks & echo $! >pid;"
              "until grep -qs 'at %s from' knocks; do sleep 0.02; done",
              _i % 2 ? "$PROBE" : lan, _i % 2 ? "127.0.0.1" : UPLINK, outside, source, one.name),
           0, "", "");
    expect(sh("$CONTAINER stop -t 0 %s", one.name), 0, NULL, "");
    char *thief = start_idle(format("--ip %s", one.address));
    expect(sh("sleep 0.5; : >knocks"), 0, "", "");
    if (_i / 2) /* the same container, whose address has been taken meanwhile */
        expect(sh("$CONTAINER start %s", one.name), 0, NULL, "");
    else
        two = serve_as("run -d", port, inside, outside);
    ck_assert_str_ne(address_of(two.name), one.address);
    until(OURSELVES, format("grep -q 'at %s from' knocks", two.name));
    end_outside(atoi(sh("cat pid").out));
    if (two.name != one.name)
        end(two.name);
    end(one.name);
    end(thief);
    end(bystander);
}
END_TEST

/* ---- rules ---- */

/* NAME, ADDRESS, OUTSIDE and INSIDE stand for the container's; the
 * zone is the last half of its address. */
static const char rules[] =
    "table ip container-NAME {\n"
    "\tflags owner\n"
    "\n"
    "\tchain raw-in {\n"
    "\t\ttype filter hook prerouting priority raw; policy accept;\n"
    "\t\tiifname != \"lo\" ip saddr 127.0.0.0/8 drop\n"
    "\t\tiifname != \"lo\" ip daddr 127.0.0.0/8 drop\n"
    "\t\tfib daddr type local ip daddr != 0.0.0.0 tcp dport OUTSIDE ct original zone set 2\n"
    "\t\tfib daddr type local ip daddr 127.0.0.1 udp dport OUTSIDE ct original zone set 2\n"
    "\t}\n"
    "\n"
    "\tchain raw-out {\n"
    "\t\ttype filter hook output priority raw; policy accept;\n"
    "\t\tfib daddr type local ip daddr != 0.0.0.0 tcp dport OUTSIDE ct original zone set 2\n"
    "\t\tfib daddr type local ip daddr 127.0.0.1 udp dport OUTSIDE ct original zone set 2\n"
    "\t}\n"
    "\n"
    "\tchain nat-in {\n"
    "\t\ttype nat hook prerouting priority dstnat; policy accept;\n"
    "\t\tfib daddr type local ip daddr != 0.0.0.0 tcp dport OUTSIDE dnat to ADDRESS:INSIDE\n"
    "\t\tfib daddr type local ip daddr 127.0.0.1 udp dport OUTSIDE dnat to ADDRESS:INSIDE\n"
    "\t}\n"
    "\n"
    "\tchain nat-out {\n"
    "\t\ttype nat hook output priority -100; policy accept;\n"
    "\t\tfib daddr type local ip daddr != 0.0.0.0 tcp dport OUTSIDE dnat to ADDRESS:INSIDE\n"
    "\t\tfib daddr type local ip daddr 127.0.0.1 udp dport OUTSIDE dnat to ADDRESS:INSIDE\n"
    "\t}\n"
    "\n"
    "\tchain nat {\n"
    "\t\ttype nat hook postrouting priority srcnat; policy accept;\n"
    "\t\tip daddr ADDRESS ct original ip daddr != ADDRESS masquerade\n"
    "\t\tip saddr ADDRESS oifname != \"container0\" masquerade\n"
    "\t}\n"
    "}\n";

START_TEST(the_rules_can_be_read) {
    int inside = new_port(), outside = new_port();
    const char *form = "-p %d:%d -p 127.0.0.1:%d:%d/udp";
    struct server s = serve_as("run -d", format(form, outside, inside, outside, inside), inside,
                               outside);
    struct result r = sh("nft list ruleset | sed -e 's/ # .*//; s/%s/NAME/; s/\\<%s\\>/ADDRESS/g;"
                         "    s/\\<%d\\>/OUTSIDE/; s/\\<%d\\>/INSIDE/'",
                         s.name, s.address, outside, inside);
    expect(r, 0, NULL, "");
    ck_assert_str_eq(r.out, rules);
    end(s.name);
}
END_TEST

/* The host's own rules are none of our business, and the container's are nobody else's. */
START_TEST(other_tables_stay) {
    expect(sh("nft 'table ip other { chain nat { counter accept; }; }'"), 0, "", "");
    struct result before = sh("nft list ruleset");
    struct server s = serve("", "");
    expect(sh("nft delete table ip container-%s", s.name), 1, "", "Operation not permitted");
    end(s.name);
    ck_assert_str_eq(sh("nft list ruleset").out, before.out);
    expect(sh("nft delete table ip other"), 0, "", "");
}
END_TEST

/* ---- guard ---- */

/* Give the network of ENTER what it needs to send to 127.0.0.1 by its card DEVICE, and to take
 * answers from there: all that an attacker with power over it could do. */
static void turn_against_us(const char *enter, const char *device, const char *via) {
    expect(sh("%s sh -c 'ip addr flush dev lo && ip route add 127.0.0.1 via %s dev %s &&"
              "    for f in all %s; do echo 1 >/proc/sys/net/ipv4/conf/$f/route_localnet;"
              "        echo 0 >" RP_FILTER "; done'",
              enter, via, device, device),
           0, "", "");
}

static const char *enter_container(const char *name) {
    return format("nsenter -t $(cut -d ' ' -f 1 $CONTAINER_HOME/containers/%s/pid) -n", name);
}

/* First without a container, to see that the attack would succeed. */
START_TEST(the_lan_does_not_reach_our_loopback) {
    int port = new_port();
    const char *lan = enter_lan(), *attack = format("%s $PROBE", lan);
    const char *guard = "echo %d >/proc/sys/net/ipv4/conf/up0/route_localnet";
    pid_t server = serve_outside("", "127.0.0.1", port);
    turn_against_us(lan, "up0", UPLINK);
    expect(sh(guard, 1), 0, "", "");
    for (int protocol = 0; protocol < COUNT(protocols); protocol++)
        expect(ask(attack, protocol, "127.0.0.1", port, "hi"), 0, "\nhi\n", "");
    expect(sh(guard, 0), 0, "", "");
    expect_unreached(attack, "127.0.0.1", port);
    struct server s = serve("", "");
    expect_unreached(attack, "127.0.0.1", port);
    expect(sh("cat /proc/sys/net/ipv4/conf/up0/route_localnet"), 0, "0\n", "");
    end(s.name);
    end_outside(server);
}
END_TEST

/* A port published for 127.0.0.1 only is the host's, as well. It is translated before anybody
 * asks whether such a packet may come from there. */
START_TEST(the_lan_does_not_reach_what_is_published_there) {
    const char *lan = enter_lan(), *attack = format("%s $PROBE", lan);
    struct server s = serve("127.0.0.1:", "");
    turn_against_us(lan, "up0", UPLINK);
    expect_unreached(attack, "127.0.0.1", s.outside);
    expect_reached("$PROBE", "127.0.0.1", s.outside, s, GATEWAY);
    end(s.name);
}
END_TEST

/* While one has published something, after its end, and after that of its watcher. */
START_TEST(no_container_reaches_our_loopback) {
    int port = new_port();
    char *attacker = start_idle("");
    const char *enter = enter_container(attacker), *attack = format("%s $PROBE", enter);
    pid_t server = serve_outside("", "127.0.0.1", port);
    turn_against_us(enter, "eth0", GATEWAY);
    expect_unreached(attack, "127.0.0.1", port);
    struct server s = serve("127.0.0.1:", "");
    expect(sh("cat /proc/sys/net/ipv4/conf/" BRIDGE "/route_localnet"), 0, "1\n", "");
    expect_unreached(attack, "127.0.0.1", port);
    expect_unreached(attack, "127.0.0.1", s.outside);
    if (_i)
        expect(sh("cd $CONTAINER_HOME/containers/%s && read -r pid rest <pid &&"
                  "kill -9 $(awk '{ print $4 }' /proc/$pid/stat)",
                  s.name),
               0, "", "");
    else
        expect(sh("$CONTAINER stop -t 0 %s", s.name), 0, NULL, "");
    until(OURSELVES, format("[ \"$(nft list tables)\" = 'table ip container-%s' ]", attacker));
    expect_unreached(attack, "127.0.0.1", port);
    end(s.name);
    end(attacker);
    end_outside(server);
}
END_TEST

/* Who has joined the network of one that has ended is still at the bridge. */
START_TEST(nor_does_who_stays_behind) {
    int port = new_port();
    char *first = start_idle("-p 80:80");
    char *attacker = start_idle(format("--network container:%s", first));
    const char *enter = enter_container(attacker), *attack = format("%s $PROBE", enter);
    pid_t server = serve_outside("", "127.0.0.1", port);
    turn_against_us(enter, "eth0", GATEWAY);
    expect_unreached(attack, "127.0.0.1", port);
    end(first);
    expect_unreached(attack, "127.0.0.1", port);
    end(attacker);
    end_outside(server);
}
END_TEST

/* Nor does a packet come in that says it is from there: a server may trust such a client. */
START_TEST(no_container_poses_as_our_loopback) {
    int port = new_port();
    struct server s = serve("", "");
    char *attacker = start_idle("");
    const char *enter = enter_container(attacker);
    expect(sh("%s sh -c 'for f in all eth0; do echo 1 >/proc/sys/net/ipv4/conf/$f/route_localnet;"
              "    done; ip addr add 127.0.0.2/8 dev lo;"
              "    ip route add " GATEWAY " dev eth0 src 127.0.0.2'",
              enter),
           0, "", "");
    expect(sh("$PROBE udp-echo %d 2 >seen & until [ -s seen ]; do sleep 0.02; done;"
              "%s $PROBE udp-knock " GATEWAY " %d 7777 1; wait; cat seen",
              port, enter, port),
           0, "ready\nudp-echo: errno ETIMEDOUT\n", NULL);
    end(attacker);
    end(s.name);
}
END_TEST

/* ---- names ---- */

/* The first address that /etc/hosts of container WHO has for NAME, or "". */
static char *lookup(const char *who, const char *name) {
    struct result r = sh("$CONTAINER exec %s awk -v name=%s '!/^#/ { for (i = 2; i <= NF; i++)"
                         " if ($i == name) { print $1; exit } }' /etc/hosts",
                         who, name);
    expect(r, 0, NULL, "");
    r.out[strcspn(r.out, "\n")] = '\0';
    return r.out;
}

static void expect_name(const char *who, const char *name, const char *address) {
    char *found = lookup(who, name);
    ck_assert_msg(!strcmp(found, address), "%s says that %s is '%s', not '%s':\n%s", who, name,
                  found, address, sh("$CONTAINER exec %s cat /etc/hosts", who).out);
}

/* Those that come later, too; by both names. Busybox asks the C library. */
START_TEST(neighbours_have_names) {
    char *one = start_idle("-h one"), *two = start_idle("-h two"), *three = start_idle("");
    char *const names[] = { one, two, three };
    for (int i = 0; i < COUNT(names); i++) {
        for (int j = 0; j < COUNT(names); j++)
            expect_name(names[i], names[j], address_of(names[j]));
        expect_name(names[i], "one", address_of(one));
        expect_name(names[i], "two", address_of(two));
        expect_name(names[i], "localhost", "127.0.0.1");
        expect_name(names[i], "nosuch", "");
        expect(sh("$CONTAINER exec %s ping -c 1 -W 2 %s", names[i], two), 0, address_of(two), "");
        expect(sh("$CONTAINER exec %s ping -c 1 -W 2 one", names[i]), 0, address_of(one), "");
    }
    for (int i = 0; i < COUNT(names); i++) end(names[i]);
}
END_TEST

START_TEST(names_come_and_go) {
    char *one = start_idle(""), *two = start_idle("--ip 10.66.7.7 -h two");
    expect_name(one, two, "10.66.7.7");
    expect(sh("$CONTAINER stop -t 0 %s", two), 0, NULL, "");
    expect_name(one, two, "");
    expect_name(one, "two", "");
    expect_name(one, one, address_of(one));
    expect(sh("$CONTAINER start %s", two), 0, NULL, "");
    expect_name(one, two, "10.66.7.7");
    expect_name(two, one, address_of(one));
    end(two);
    expect_name(one, two, "");
    expect(sh("$CONTAINER run --rm -h brief $BASE true"), 0, "", "");
    expect_name(one, "brief", "");
    end(one);
}
END_TEST

/* Who was killed could not say good-bye: the next that comes sees to it. */
START_TEST(names_of_the_killed_go) {
    char *one = start_idle(""), *two = start_idle("-h two");
    expect_name(one, two, address_of(two));
    expect(sh("cd $CONTAINER_HOME/containers/%s && read -r pid rest <pid &&"
              "kill -9 $(awk '{ print $4 }' /proc/$pid/stat) &&"
              "until ! grep -q '^State:.[^Z]' /proc/$pid/status; do sleep 0.02; done 2>/dev/null",
              two),
           0, "", "");
    char *three = start_idle("");
    expect_name(one, two, "");
    expect_name(one, "two", "");
    expect_name(one, three, address_of(three));
    end(three);
    end(two);
    end(one);
}
END_TEST

START_TEST(ones_own_name_is_known) {
    char *name = new_name(), *address = new_address();
    expect(sh("$CONTAINER run --rm --name %s --ip %s $BASE ping -c 1 %s", name, address, name), 0,
           format("PING %s (%s)", name, address), "");
    expect(sh("$CONTAINER run --rm -h other --ip %s $BASE ping -c 1 other", address), 0,
           format("PING other (%s)", address), "");
    expect(sh("$CONTAINER run --rm --network none -h other $BASE ping -c 1 other"), 0,
           "PING other (127.0.1.1)", "");
    expect(sh("$CONTAINER run --rm --network none $BASE ping -4 -c 1 localhost"), 0,
           "PING localhost (127.0.0.1)", "");
}
END_TEST

/* Whoever is not on the bridge is no neighbour, and has none. */
START_TEST(no_names_without_the_bridge) {
    char *one = start_idle("-h one"), *apart = start_idle("--network none -h apart");
    expect_name(one, apart, "");
    expect_name(one, "apart", "");
    expect_name(apart, one, "");
    expect_name(apart, "one", "");
    end(apart);
    end(one);
}
END_TEST

/* It is everybody's, so nobody inside may write it; and nobody may take names that all have. */
START_TEST(names_are_safe) {
    char *one = start_idle("-h one"), *two = start_idle("-h localhost");
    expect(sh("$CONTAINER exec %s sh -c 'echo 1.2.3.4 one >>/etc/hosts'", two), 1, "", "hosts");
    expect(sh("$CONTAINER exec %s rm /etc/hosts", two), 1, "", "hosts");
    expect_name(one, "one", address_of(one));
    expect_name(one, "localhost", "127.0.0.1");
    expect(sh("cat $CONTAINER_HOME/hosts"), 0, address_of(one), "");
    end(one);
    end(two);
}
END_TEST

/* All write the one file. */
START_TEST(ten_at_once_know_each_other) {
    expect(sh("for i in 0 1 2 3 4 5 6 7 8 9; do"
              "    $CONTAINER run -d --name $NAME-$i $BASE sleep 100 >>ids 2>err & done; wait;"
              "cat err; sort ids | sort -u | wc -l"),
           0, "10\n", "");
    expect(sh("for i in 0 1 2 3 4 5 6 7 8 9; do"
              "    $CONTAINER exec $NAME-$i grep -c -w \"$NAME-[0-9]\" /etc/hosts; done | uniq -c"),
           0, " 10 10\n", "");
    expect(sh("for i in 1 2 3 4 5 6 7 8 9; do $CONTAINER rm -f $NAME-$i & done; wait;"
              "$CONTAINER exec $NAME-0 grep -c -w \"$NAME-[0-9]\" /etc/hosts"),
           0, "1\n", "");
    expect(sh("$CONTAINER rm -f $NAME-0"), 0, NULL, "");
}
END_TEST

/* It is written while others read it: never may it be empty, or only a part be there. */
START_TEST(names_are_there_at_any_time) {
    char *one = start_idle("-h one"), *reader = new_name();
    expect(sh("$CONTAINER run -d --name %s $BASE sh -c '"
              "echo ready; while :; do grep -q \"^127[.]0[.]0[.]1\tlocalhost$\" /etc/hosts &&"
              "    grep -q -w one /etc/hosts || echo missed; done'",
              reader),
           0, NULL, "");
    await_ready(reader);
    expect(sh("for i in $(seq 20); do $CONTAINER run --rm $BASE true; done"), 0, "", "");
    expect(sh("$CONTAINER logs %s | grep -v ready | sort | uniq -c", reader), 0, "", "");
    end(reader);
    end(one);
}
END_TEST

/* ---- joined ---- */

/* Same interfaces, same localhost, same address; and the port of the one serves the other. */
START_TEST(two_containers_share_a_network) {
    int inside = new_port(), outside = new_port();
    char *one = start_idle(publish("", outside, inside));
    struct server two =
        serve_as("run -d", format("--network container:%s", one), inside, outside);
    ck_assert_int_eq(number(sh("$CONTAINER exec %s probe ns", two.name).out, "net"),
                     number(sh("$CONTAINER exec %s probe ns", one).out, "net"));
    ck_assert_int_ne(number(sh("$CONTAINER exec %s probe ns", two.name).out, "pid"),
                     number(sh("$CONTAINER exec %s probe ns", one).out, "pid"));
    expect_reached(in(one), "127.0.0.1", inside, two, "127.0.0.1");
    expect_reached("$PROBE", "127.0.0.1", outside, two, GATEWAY);
    expect(sh("$CONTAINER exec %s ip addr show eth0", two.name), 0,
           format("inet %s/16 ", address_of(one)), "");
    expect(sh("$CONTAINER ps | awk -F '  +' '$1 == \"%s\" { print $4 }'", two.name), 0, "-\n", "");
    expect(sh("$CONTAINER stop -t 0 %s", two.name), 0, NULL, "");
    expect(sh("$CONTAINER exec %s probe ping " GATEWAY, one), 0, "type 0\n", "");
    expect_port(outside, false);
    expect(sh("$CONTAINER start %s", two.name), 0, NULL, "");
    until(OURSELVES, format("[ $($CONTAINER logs %s | grep -c ready) = 2 ]", two.name));
    expect_reached("$PROBE", "127.0.0.1", outside, two, GATEWAY);
    end(two.name);
    expect(sh("$CONTAINER exec %s probe ping " GATEWAY, one), 0, "type 0\n", "");
    end(one);
}
END_TEST

static const struct {
    const char *make, *after;
} hosts_to_join[] = {
    { "run -d --name $NAME $BASE sleep 100", "" },
    { "run -d --name $NAME --network none $BASE sleep 100", "" },
    { "run -d --name $NAME $BASE sleep 100 && $CONTAINER pause $NAME", "$CONTAINER unpause $NAME" },
    { "create --name $NAME $BASE sleep 100", "" },
};

START_TEST(what_lives_can_be_joined) {
    expect(sh("$CONTAINER %s", hosts_to_join[_i].make), 0, NULL, "");
    struct result r = sh("$CONTAINER run --rm --network container:$NAME $BASE probe ns");
    expect(r, 0, NULL, "");
    expect(sh("readlink /proc/$(cut -d ' ' -f 1 $CONTAINER_HOME/containers/$NAME/pid)/ns/net"), 0,
           format("net:[%ld]\n", number(r.out, "net")), "");
    expect(sh("%s", hosts_to_join[_i].after), 0, NULL, "");
    end("$NAME");
}
END_TEST

START_TEST(what_has_ended_cannot_be_joined) {
    const char *refusal = format("container: --network container:%s: ", getenv("NAME"));
    const char *run = "$CONTAINER run --rm --name other --network container:$NAME $BASE true";
    expect(sh("%s", run), 125, "", refusal);
    expect(sh(NOTHING_MADE), 0, "", "");
    expect(sh("$CONTAINER run -d --name $NAME $BASE true && $CONTAINER wait $NAME"), 0, NULL, "");
    expect(sh("%s", run), 125, "", refusal);
    expect(sh("ls $CONTAINER_HOME/containers"), 0, getenv("NAME"), "");
    expect(sh("[ ! -e $CONTAINER_HOME/containers/other ]"), 0, "", "");
    end("$NAME");
}
END_TEST

/* Names that are none, or ourselves; options that have no meaning then. */
static const char *const no_joins[] = {
    "--network container:",
    "--network container",
    "--network container:../x",
    "--network container:-x",
    "--network 'container:a b'",
    "--network Container:$NAME",
    "--name other --network container:other",
    "--network container:$NAME -p 80:80",
    "--network container:$NAME --ip 10.66.1.2",
};

START_TEST(these_are_no_joins) {
    char *one = start_idle("");
    setenv("NAME", one, 1);
    const char *in_err = strstr(no_joins[_i], "-p ")     ? "container: --publish 80:80: want "
                         : strstr(no_joins[_i], "--ip ") ? "container: --ip 10.66.1.2: want "
                                                         : "container: --network ";
    expect(sh("$CONTAINER run --rm %s $BASE true", no_joins[_i]), 125, "", in_err);
    expect(sh("ls $CONTAINER_HOME/containers"), 0, one, "");
    expect(sh("ls $CONTAINER_HOME/containers | wc -l"), 0, "1\n", "");
    end(one);
}
END_TEST

START_TEST(ordinary_users_join_nobody) {
    enum who who = is_root() ? ORDINARY_USER : OURSELVES;
    expect(as(who, "$CONTAINER run -d --name one $BASE sleep 100"), 0, NULL, "");
    expect(as(who, "$CONTAINER run --rm --network container:one $BASE true"), 125, "",
           "container: --network container:one: ");
    expect(as(who, "$CONTAINER rm -f one"), 0, NULL, "");
}
END_TEST

/* Who joined still has a network when the other has ended, but nobody at its other end. */
START_TEST(the_first_may_end_first) {
    char *one = start_idle("");
    char *two = start_idle(format("--network container:%s", one));
    end(one);
    expect(sh("$CONTAINER exec %s probe ns", two), 0, "net ", "");
    expect(sh("$CONTAINER stop -t 0 %s && $CONTAINER start %s", two, two), 125, NULL,
           format("container: --network container:%s: ", one));
    end(two);
}
END_TEST

/* ---- hosts ---- */

START_TEST(cables_fit_the_uplink) {
    int mtu = random_between(1280, 1480);
    const char *look = "ip link show eth0 | sed -n 's/.* mtu \\([0-9]*\\) .*/\\1/p'";
    expect(sh("$CONTAINER run --rm $BASE %s", look), 0, "1500\n", "");
    const char *lan = enter_lan();
    expect(sh("ip link set up0 mtu %d && %s ip link set up0 mtu %d", mtu, lan, mtu), 0, "", "");
    struct server s = serve("", "");
    expect(sh("$CONTAINER exec %s %s", s.name, look), 0, format("%d\n", mtu), "");
    expect(sh("ip -o link show master " BRIDGE), 0, format(" mtu %d ", mtu), "");
    expect(sh("head -c 1000000 /dev/urandom >up; %s $PROBE tcp-copy " UPLINK " %d <up |"
              "tail -n +2 | cmp - up",
              lan, s.outside),
           0, "", "");
    end(s.name);
}
END_TEST

START_TEST(everything_moves_to_another_subnet) {
    const char *lan = on_the_lan();
    setenv("CONTAINER_SUBNET", "10.77.0.0", 1);
    struct server s = serve("", "");
    char *neighbour = start_idle("--ip 10.77.3.4");
    ck_assert_str_eq(s.address, "10.77.0.2");
    expect(sh("ip addr show " BRIDGE), 0, "inet 10.77.0.1/16 ", "");
    expect(sh("$CONTAINER exec %s ip addr show eth0", neighbour), 0, "inet 10.77.3.4/16 ", "");
    expect(sh("$CONTAINER exec %s ip route", neighbour), 0, "default via 10.77.0.1 ", "");
    expect_reached(lan, UPLINK, s.outside, s, "10.77.0.1");
    expect_reached("$PROBE", "127.0.0.1", s.outside, s, "10.77.0.1");
    expect_reached(in(neighbour), "10.77.0.1", s.outside, s, "10.77.0.1");
    expect_reached(in(neighbour), s.address, s.inside, s, "10.77.3.4");
    expect_name(neighbour, s.name, s.address);
    expect(sh("$CONTAINER exec %s probe ping " LAN_MACHINE, neighbour), 0, "type 0\n", "");
    expect(sh("$CONTAINER run --rm --ip 10.66.0.9 $BASE true"), 125, "", "--ip 10.66.0.9: want ");
    expect(sh("ip addr; ip route; nft list ruleset | grep -F 10.66"), 1, NULL, "");
    end(neighbour);
    end(s.name);
}
END_TEST

static const char *const no_subnets[] = {
    "x",
    "10.77",
    "10.77.0.0.0",
    "300.1.0.0",
    "10.77.0.0/8",
    "127.0.0.0",
    "224.0.0.0",
    "0.0.0.0",
    "077.1.0.0",
    "10.77.0.0 x",
};

START_TEST(what_is_no_subnet_is_refused) {
    setenv("CONTAINER_SUBNET", no_subnets[_i], 1);
    expect_refusal(OURSELVES, "", "CONTAINER_SUBNET");
}
END_TEST

/* A route of the host's to some of our addresses, or more than them. */
static const struct {
    const char *make;
    bool clash;
} routes[] = {
    // clang-format off
    { "ip route add 10.66.0.0/16 dev up0",                             true  },
    { "ip route add 10.66.5.0/24 via " LAN_MACHINE,                    true  },
    { "ip route add 10.66.255.9/32 dev up0",                           true  },
    { "ip route add 10.0.0.0/8 dev up0",                               true  },
    { "ip addr add 10.66.3.1/24 dev up0",                              true  },
    { "ip route add 10.65.0.0/16 dev up0",                             false },
    { "ip route add 10.67.0.0/16 dev up0",                             false },
    { "ip route add 10.64.0.0/15 dev up0",                             false },
    { "ip addr add 172.16.0.1/12 dev up0",                             false },
    { "ip route show default",                                         false },
    // clang-format on
};

START_TEST(routes_of_the_host_come_first) {
    enter_lan();
    expect(sh("%s", routes[_i].make), 0, NULL, "");
    if (routes[_i].clash) {
        expect_refusal(OURSELVES, "", "container: --network bridge: 10.66.0.0/16 is in use by up0:"
                                      " set CONTAINER_SUBNET");
        expect(sh("$CONTAINER run --rm --network none $BASE true"), 0, "", "");
        setenv("CONTAINER_SUBNET", "10.77.0.0", 1);
    }
    expect(sh("$CONTAINER run --rm $BASE probe ping " LAN_MACHINE), 0, "type 0\n", "");
}
END_TEST

/* A route that is newer than the container. */
START_TEST(start_looks_for_routes_again) {
    expect(sh("$CONTAINER run -d --name $NAME $BASE true && $CONTAINER wait $NAME"), 0, NULL, "");
    enter_lan();
    expect(sh("ip route add 10.66.9.0/24 dev up0"), 0, "", "");
    expect(sh("$CONTAINER start $NAME"), 125, "", "is in use by up0: set CONTAINER_SUBNET");
    expect(sh("ip route del 10.66.9.0/24 && $CONTAINER start $NAME && $CONTAINER wait $NAME"), 0,
           NULL, "");
    end("$NAME");
}
END_TEST

/* Our own bridge has such a route, which is no clash. */
#define LINKS "ip -d -o addr; ip -d -o link | sed 's/NO-CARRIER,//; s/state [A-Z]*//'"
START_TEST(a_link_of_the_bridges_name_is_respected) {
    expect(sh("ip link add " BRIDGE " type veth peer name other && ip link set " BRIDGE " up"), 0,
           "", "");
    struct result before = sh(LINKS); /* the kernel says a little later if there is a carrier */
    expect(sh("$CONTAINER run --rm $BASE true"), 125, "", BRIDGE);
    expect(sh("$CONTAINER run --rm -p 80:80 $BASE true"), 125, "", BRIDGE);
    expect(sh(NOTHING_MADE), 0, "", "");
    ck_assert_str_eq(sh(LINKS).out, before.out);
    expect(sh("ip link del " BRIDGE), 0, "", "");
    for (int again = 0; again < 2; again++)
        expect(sh("$CONTAINER run --rm $BASE true"), 0, "", "");
}
END_TEST

/* Only when it was off before, and one of the bridge needs it. */
START_TEST(the_last_rm_takes_all_away) {
    const char *was = _i ? "1\n" : "0\n";
    expect(sh("echo %d >" FORWARD, _i), 0, "", "");
    char *apart = start_idle("--network none");
    expect(sh("cat " FORWARD), 0, was, "");
    expect(sh("ip link show " BRIDGE), 1, "", NULL);
    struct server s = serve("", "");
    char *other = new_name();
    expect(sh("$CONTAINER create --name %s $BASE true", other), 0, NULL, "");
    expect(sh("cat " FORWARD), 0, "1\n", "");
    end(s.name);
    end(other);
    expect(sh("cat " FORWARD), 0, "1\n", "");
    expect(sh("ip link show " BRIDGE), 0, BRIDGE, "");
    end(apart);
    expect(sh("cat " FORWARD), 0, was, "");
    expect(sh("ip link show " BRIDGE), 1, "", NULL);
    expect(sh("nft list ruleset"), 0, "", "");
    struct server again = serve("", ""); /* and all can begin anew */
    expect_reached("$PROBE", "127.0.0.1", again.outside, again, GATEWAY);
    end(again.name);
    expect(sh("cat " FORWARD), 0, was, "");
    expect(sh("ip link show " BRIDGE), 1, "", NULL);
}
END_TEST

/* Of another CONTAINER_HOME, or a machine that somebody has plugged in. */
START_TEST(the_last_rm_leaves_what_others_use) {
    enter_lan();
    expect(sh("echo 0 >" FORWARD), 0, "", "");
    expect(sh("CONTAINER_HOME=$T/home $CONTAINER run -d --name other $BASE sleep 100"), 0, NULL,
           "");
    struct server s = serve("", "");
    end(s.name);
    expect(sh("ip -o link show master " BRIDGE " | wc -l"), 0, "1\n", "");
    expect(sh("CONTAINER_HOME=$T/home $CONTAINER exec other probe ping " LAN_MACHINE), 0,
           "type 0\n", "");
    expect(sh("CONTAINER_HOME=$T/home $CONTAINER rm -f other"), 0, NULL, "");
    expect(sh("ip link show " BRIDGE), 1, "", NULL);
}
END_TEST

/* Who comes just when the bridge goes has one all the same. */
START_TEST(first_and_last_at_once) {
    expect(sh("for n in a b c; do"
              "    for i in $(seq 12); do $CONTAINER run -d --name $NAME-$n $BASE sleep 100 &&"
              "        $CONTAINER exec $NAME-$n probe ping " GATEWAY " &&"
              "        $CONTAINER rm -f $NAME-$n;"
              "    done & done >out 2>&1; wait; sort out | uniq -c | sort -n | tr -s ' '"),
           0, " 36 reply " GATEWAY " type 0\n", "");
    expect(sh("sort -u out | wc -l"), 0, "4\n", ""); /* and no complaints */
}
END_TEST

START_TEST(explain_shows_the_forwarding) {
    expect(sh("echo 0 >" FORWARD), 0, "", "");
    struct result r = sh("$CONTAINER run --rm --explain --network none $BASE true");
    expect(r, 0, "", NULL);
    ck_assert_ptr_null(strstr(r.err, "ip_forward"));
    expect(sh("cat " FORWARD), 0, "0\n", "");
    expect(sh("$CONTAINER run --rm --explain $BASE true"), 0, "", "ip_forward");
    expect(sh("cat " FORWARD), 0, "1\n", "");
}
END_TEST

/* ---- the suite ---- */

/* Where each network namespace has one of its own; otherwise it would be the host's. */
static void look_for_nf_call(void) {
    if (system("unshare -n [ -w " NF_CALL " ]") != 0)
        left_out("bridge-nf-call-iptables 0 and 1", "it is no network's own here, or not there");
}

static void add_port_tests(Suite *s) {
    TCase *t = new_case(s, "paths");
    look_for_nf_call();
    tcase_add_loop_test(t, every_path_leads_there, 0, 2 * COUNT(paths));
    tcase_add_loop_test(t, only_by_that_address, 0, COUNT(bound));
    tcase_add_test(t, nobody_else_is_there);
    tcase_add_test(t, a_machine_that_knows_the_bridge_is_answered);
    tcase_add_test(t, the_lan_sees_the_host);
    tcase_add_test(t, each_protocol_is_on_its_own);
    tcase_add_test(t, many_ports_of_one_container);

    t = new_case(s, "payload");
    tcase_add_loop_test(t, ten_megabytes_each_way, 0, COUNT(ways));
    tcase_add_loop_test(t, two_hundred_at_once, 0, COUNT(ways));
    tcase_add_test(t, pieces_of_a_datagram_stay_together);
    tcase_add_test(t, clients_are_told_apart);

    t = new_case(s, "taken");
    tcase_add_test(t, all_of_these_are_ports);
    tcase_add_test(t, addresses_of_others_are_refused);
    tcase_add_loop_test(t, ports_of_other_programs_are_refused, 0, COUNT(listeners));
    tcase_add_test(t, ports_of_other_containers_are_refused);
    tcase_add_test(t, no_port_is_published_twice);
    tcase_add_test(t, two_containers_share_a_port_by_address);
    tcase_add_test(t, one_port_for_many_goes_to_one);

    t = new_case(s, "ports");
    tcase_add_test(t, a_container_holds_its_port);
    tcase_add_test(t, stop_frees_and_start_publishes_again);
    tcase_add_test(t, start_refuses_a_port_that_has_been_taken);
    tcase_add_loop_test(t, the_port_is_free_after_each_end, 0, COUNT(endings));
    tcase_add_test(t, a_killed_watcher_leaves_no_rule);
    tcase_add_loop_test(t, udp_follows_the_port, 0, 4);

    t = new_case(s, "rules");
    tcase_add_test(t, the_rules_can_be_read);
    tcase_add_test(t, other_tables_stay);

    t = new_case(s, "guard");
    tcase_add_test(t, the_lan_does_not_reach_our_loopback);
    tcase_add_test(t, the_lan_does_not_reach_what_is_published_there);
    tcase_add_loop_test(t, no_container_reaches_our_loopback, 0, 2);
    tcase_add_test(t, nor_does_who_stays_behind);
    tcase_add_test(t, no_container_poses_as_our_loopback);
}

static void add_network_tests(Suite *s) {
    TCase *t = new_case(s, "names");
    tcase_add_test(t, neighbours_have_names);
    tcase_add_test(t, names_come_and_go);
    tcase_add_test(t, names_of_the_killed_go);
    tcase_add_test(t, ones_own_name_is_known);
    tcase_add_test(t, no_names_without_the_bridge);
    tcase_add_test(t, names_are_safe);
    tcase_add_test(t, ten_at_once_know_each_other);
    tcase_add_test(t, names_are_there_at_any_time);

    t = new_case(s, "joined");
    tcase_add_test(t, two_containers_share_a_network);
    tcase_add_loop_test(t, what_lives_can_be_joined, 0, COUNT(hosts_to_join));
    tcase_add_test(t, what_has_ended_cannot_be_joined);
    tcase_add_loop_test(t, these_are_no_joins, 0, COUNT(no_joins));
    tcase_add_test(t, the_first_may_end_first);

    t = new_case(s, "hosts");
    tcase_add_test(t, cables_fit_the_uplink);
    tcase_add_test(t, everything_moves_to_another_subnet);
    tcase_add_loop_test(t, what_is_no_subnet_is_refused, 0, COUNT(no_subnets));
    tcase_add_loop_test(t, routes_of_the_host_come_first, 0, COUNT(routes));
    tcase_add_test(t, start_looks_for_routes_again);
    tcase_add_test(t, a_link_of_the_bridges_name_is_respected);
    tcase_add_loop_test(t, the_last_rm_takes_all_away, 0, 2);
    tcase_add_test(t, the_last_rm_leaves_what_others_use);
    tcase_add_test(t, first_and_last_at_once);
    tcase_add_test(t, explain_shows_the_forwarding);
}

Suite *ports_suite(void) {
    Suite *s = suite_create("ports");
    TCase *t = new_case(s, "refused");
    if (!is_root() || users() == 2) {
        tcase_add_test(t, ordinary_users_publish_nothing);
        tcase_add_test(t, ordinary_users_join_nobody);
    }
    if (is_root()) {
        tcase_add_loop_test(t, what_is_no_port_is_refused, 0, COUNT(no_ports));
        tcase_add_test(t, a_port_needs_the_bridge);
        add_port_tests(s);
        add_network_tests(s);
    } else
        left_out("published ports, names, shared networks", "the bridge is for root");
    return s;
}
