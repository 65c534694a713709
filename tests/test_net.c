/* SPDX-License-Identifier: MIT */
/*
 * test_net.c - whom the container may talk to.
 *
 *      inside       what network a container finds
 *      neighbours   two containers, and the host's bridge between them
 *      outside      beyond the uplink: what gets there, what comes back
 *      network      `container network`: the bridge and the rules that all containers share
 *      addresses    each container has one of its own, and gives it back
 *      refused      what is not a network; sockets that no program needs
 *
 *      container, 10.66.A.B --+
 *                             +-- container0 --- up0 ------- 203.0.113.2, the internet
 *      plain, a namespace ----+   10.66.0.1      203.0.113.1
 *      made by hand
 *
 * Everything is in namespaces of the test, even the host. The internet has no route back to
 * 10.66.0.0/16, so an answer from there proves that a packet left with the address 203.0.113.1.
 * Start reading at start and stop: most tests look at a container while it runs.
 */
#include "test.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define RUN "$CONTAINER run --rm "
#define BRIDGE "container0"
#define GATEWAY "10.66.0.1"
#define UPLINK "203.0.113.1"
#define INTERNET "203.0.113.2"

/* Something that runs in the background, and has said "ready". Its output is in $T/NAME. */
struct running {
    char *name, *address; /* of a container */
    pid_t pid; /* of its watcher */
};

/* For a container that only has to exist. */
#define IDLE "sh -c 'echo ready; exec sleep 100'"

/* Each network namespace has its own rule about who may ping without a raw socket. At first nobody
 * may. */
#define LET_PING "echo 0 2147483647 >/proc/sys/net/ipv4/ping_group_range"

static struct running start_line(char *name, const char *line) {
    struct result r = sh("%s >%s 2>%s.err & echo $!", line, name, name);
    until(OURSELVES, format("[ -s %s ] || [ -s %s.err ]", name, name));
    expect(sh("cat %s; cat %s.err >&2", name, name), 0, "ready\n", "");
    return (struct running){ name, NULL, atoi(r.out) };
}

/* Start a container with these options, whose program says "ready". */
static struct running start(const char *options, const char *program) {
    char *name = new_name();
    struct running c =
        start_line(name, format(RUN "--name %s %s $BASE %s", name, options, program));
    c.address = fact(OURSELVES, name, "ip");
    return c;
}

/* Start one of the probe's servers on this host, or on that of internet. */
static struct running start_server(pid_t internet, const char *verb, int port) {
    const char *enter = internet ? format("nsenter -t %d -n", internet) : "";
    return start_line(new_name(), format("%s $PROBE %s %d 30", enter, verb, port));
}

/* Wait for the end of what was started; here is what it has said. */
static struct result ending(struct running r) {
    int status;
    ck_assert_int_eq(waitpid(r.pid, &status, 0), r.pid);
    struct result said = sh("cat %s; cat %s.err >&2", r.name, r.name);
    said.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return said;
}

static void stop(struct running r) {
    kill(r.pid, SIGTERM);
    expect(ending(r), 128 + SIGTERM, "ready\n", "");
}

/* The kernel removes a cable a little after the container at its end. */
static void until_cables(int count) {
    until(OURSELVES, format("[ $(ip -o link show master " BRIDGE " | wc -l) = %d ]", count));
}

/* ---- inside ---- */

/* Every namespace begins with these: lo, and with some kernels the ends of unused tunnels. */
static char *links_of_a_new_namespace(void) {
    return sh("unshare %s sed -n 's/:.*//p' /proc/net/dev | sort", is_root() ? "-n" : "-rn").out;
}

START_TEST(bridge_is_the_default) {
    struct result r = sh(RUN "$BASE sh -c 'ip addr; ip route'");
    expect(r, 0, ": lo: <LOOPBACK,UP,LOWER_UP>", "");
    expect(r, 0, "inet 127.0.0.1/8 ", "");
    expect(r, 0, "<BROADCAST,MULTICAST,UP,LOWER_UP", "");
    expect(r, 0, "inet 10.66.", "");
    expect(r, 0, "default via " GATEWAY " dev eth0", "");
    r = sh(RUN "$BASE cat /proc/net/dev | grep -o '^ *eth0:'");
    expect(r, 0, "eth0:", "");
    struct running c = start("--network bridge", IDLE);
    expect(sh("$CONTAINER exec %s ip addr show eth0", c.name), 0,
           format("inet %s/16 ", c.address), "");
    stop(c);
}
END_TEST

/* A user may use its own loopback, and nothing else. */
START_TEST(none_has_only_lo) {
    const char *option = _i == ORDINARY_USER || !is_root() ? "" : "--network none";
    struct result r = as(_i, RUN "%s $BASE sh -c 'ip addr show lo; ip route; probe ping 127.0.0.1'",
                         option);
    expect(r, 0, ": lo: <LOOPBACK,UP,LOWER_UP>", "");
    expect(r, 0, "inet 127.0.0.1/8 ", "");
    expect(r, 0, "reply 127.0.0.1 type 0\n", "");
    ck_assert_ptr_null(strstr(r.out, "default"));
    r = as(_i, RUN "%s $BASE sed -n 's/:.*//p' /proc/net/dev | sort", option);
    expect(r, 0, "lo\n", "");
    ck_assert_str_eq(r.out, links_of_a_new_namespace());
}
END_TEST

/* All processes of a namespace see the same number. */
START_TEST(host_is_our_own_network) {
    long ours = number(sh("$PROBE ns").out, "net");
    struct result r = as(_i, RUN "--network host $BASE probe ns");
    expect(r, 0, NULL, "");
    ck_assert_int_eq(number(r.out, "net"), ours);
    r = as(_i, RUN "--network none $BASE probe ns");
    expect(r, 0, NULL, "");
    ck_assert_int_ne(number(r.out, "net"), ours);
}
END_TEST

/* A server on the host's loopback can be reached if the network is shared, and only then. */
START_TEST(host_s_loopback_is_out_of_reach) {
    int port = new_port();
    const char *ask = format("$BASE probe tcp-connect 127.0.0.1 %d", port);
    struct running server = start_server(0, "tcp-listen", port);
    expect(as(_i, RUN "--network none %s", ask), 1, "tcp-connect: errno ECONNREFUSED\n", "");
    expect(as(_i, RUN "--network host %s", ask), 0, "text hello\n", "");
    expect(ending(server), 0, "peer 127.0.0.1 ", "");
}
END_TEST

/* The host name, which is the container's name if nothing else was said, leads to the container
 * itself. Names of other containers are not in /etc/hosts. */
START_TEST(own_name_is_known) {
    static const char *const networks[] = { "bridge", "none" };
    for (int i = is_root() ? 0 : 1; i < COUNT(networks); i++) {
        char *name = new_name(), *other = new_name();
        expect(sh(RUN "--network %s --name %s $BASE cat /etc/hosts", networks[i], name), 0,
               "127.0.0.1\tlocalhost\n", "");
        expect(sh(RUN "--network %s --name %s $BASE ping -c 1 %s", networks[i], name, name), 0,
               format("PING %s (", name), "");
        expect(sh(RUN "--network %s --name %s -h %s $BASE ping -c 1 %s", networks[i], name, other,
                  other),
               0, format("PING %s (", other), "");
        expect(sh(RUN "--network %s $BASE ping -c 1 -4 localhost", networks[i]), 0,
               "PING localhost (127.0.0.1)", "");
    }
}
END_TEST

/* ---- neighbours ---- */

/* The probe's verbs: a server for one client, which it greets with hello or with its own words. */
static const struct {
    const char *serve, *ask;
} protocols[] = {
    { "tcp-listen", "tcp-connect" },
    { "udp-echo", "udp-send" },
};

/* The server must see the address that the client's cable has, and not the gateway's: between
 * neighbours there is no NAT. */
START_TEST(neighbours_see_each_other) {
    int port = new_port();
    char *word = format("word-%d", random_between(0, 1 << 30));
    struct running server = start("", format("probe %s %d 30", protocols[_i].serve, port));
    struct running client = start("", IDLE);
    struct result r = sh("$CONTAINER exec %s probe %s %s %d %s", client.name, protocols[_i].ask,
                         server.address, port, word);
    expect(r, 0, format("peer %s %d\n", server.address, port), "");
    expect(r, 0, _i ? word : "text hello\n", "");
    r = ending(server);
    expect(r, 0, format("peer %s ", client.address), "");
    expect(r, 0, format("text %s\n", word), "");
    stop(client);
}
END_TEST

START_TEST(neighbours_answer_a_ping) {
    struct running neighbour = start("", IDLE);
    expect(sh(RUN "$BASE probe ping %s", neighbour.address), 0, "type 0\n", "");
    expect(sh(LET_PING " && $PROBE ping %s", neighbour.address), 0, "type 0\n", "");
    expect(sh(RUN "$BASE probe ping " GATEWAY), 0, "type 0\n", "");
    char *was = neighbour.address;
    stop(neighbour);
    until_cables(0);
    expect(sh(RUN "$BASE sh -c '[ $(ip addr | grep -c -w %s) = 0 ] && probe ping %s'", was, was), 1,
           "ping: errno E", "");
}
END_TEST

/* The bridge stays, and so does its MAC address: by itself it would take that of its first port. */
START_TEST(bridge_is_always_the_same) {
    const char *look = "ip addr show " BRIDGE
                       " | grep -o -e '[<,]UP[,>]' -e 'link/.*' -e 'inet .*'";
    expect(sh("ip link show " BRIDGE), 1, "", NULL);
    expect(sh(RUN "$BASE true"), 0, "", "");
    struct result before = sh("%s | grep -v UP", look);
    expect(before, 0, "inet " GATEWAY "/16 ", "");
    expect(before, 0, "link/ether 02:42:0a:42:00:01 ", "");
    struct running c = start("", IDLE), d = start("", IDLE);
    expect(sh("%s", look), 0, "UP", "");
    ck_assert_str_eq(sh("%s | grep -v UP", look).out, before.out);
    until_cables(2);
    stop(c);
    stop(d);
    ck_assert_str_eq(sh("%s | grep -v UP", look).out, before.out);
}
END_TEST

/* ---- outside ---- */

START_TEST(the_internet_sees_our_address) {
    int port = new_port();
    char *word = format("word-%d", random_between(0, 1 << 30));
    struct running server = start_server(internet(), protocols[_i].serve, port);
    struct result r =
        sh(RUN "$BASE probe %s " INTERNET " %d %s", protocols[_i].ask, port, word);
    expect(r, 0, format("peer " INTERNET " %d\n", port), "");
    expect(r, 0, _i ? word : "text hello\n", "");
    r = ending(server);
    expect(r, 0, "peer " UPLINK " ", "");
    expect(r, 0, format("text %s\n", word), "");
}
END_TEST

START_TEST(the_internet_answers_a_ping) {
    internet();
    expect(sh(RUN "$BASE probe ping " INTERNET), 0, "type 0\n", "");
    expect(sh(LET_PING " && " RUN "--network host $BASE probe ping " INTERNET), 0, "type 0\n", "");
    expect(sh(RUN "--network none $BASE probe ping " INTERNET), 1, "errno ENETUNREACH", "");
}
END_TEST

/* Without our rules the packets of containers leave, but no answer finds its way back. Once the
 * internet knows the way, it does. */
START_TEST(without_nat_no_answer_comes) {
    pid_t far = internet();
    struct running c = start("", IDLE);
    const char *ping = format("$CONTAINER exec %s probe ping " INTERNET, c.name);
    expect(sh("%s", ping), 0, "type 0\n", "");
    expect(sh("nft delete table ip " BRIDGE), 0, "", "");
    expect(sh("%s", ping), 1, "ping: errno ETIMEDOUT\n", "");
    expect(sh("nsenter -t %d -n ip route add 10.66.0.0/16 via " UPLINK, far), 0, "", "");
    expect(sh("%s", ping), 0, "type 0\n", "");
    stop(c);
}
END_TEST

/* The rules are for the bridge, not for addresses that the engine gives: whatever else is plugged
 * in has a way out, too. */
START_TEST(the_bridge_serves_others_too) {
    internet();
    expect(sh(RUN "$BASE true"), 0, "", "");
    struct running plain = start_line(new_name(), "unshare -n " IDLE);
    expect(sh("ip link add plain up master " BRIDGE " type veth peer name eth0 netns %d &&"
              "nsenter -t %d -n sh -c 'ip link set eth0 up && ip addr add %s/16 dev eth0 &&"
              "    ip route add default via " GATEWAY " && " LET_PING "'",
              plain.pid, plain.pid, new_address()),
           0, "", "");
    expect(sh("nsenter -t %d -n $PROBE ping " INTERNET, plain.pid), 0, "type 0\n", "");
    stop(plain);
}
END_TEST

/* Both ways through one connection: the server answers with the hash of what it got, and data
 * of its own. */
START_TEST(ten_megabytes_arrive) {
    pid_t far = internet();
    int port = new_port();
    expect(sh("head -c 10000000 /dev/urandom >up; head -c 10000000 /dev/urandom >down"), 0, "", "");
    expect(sh("nsenter -t %d -n $BASE/bin/busybox nc -l -p %d -e sh -c 'sha256sum; cat down'"
              "    >server 2>&1 &",
              far, port),
           0, "", "");
    until(OURSELVES, format("grep -q ':%04X 0*:0000 0A' /proc/%d/net/tcp*", port, far)); /* it listens */
    struct result r =
        sh(RUN "-v $T:/t $BASE sh -c 'nc " INTERNET " %d </t/up | { read sum rest; echo $sum;"
               "    sha256sum; }' | cut -d ' ' -f 1",
           port);
    expect(r, 0, NULL, "");
    ck_assert_str_eq(r.out, sh("cat up | sha256sum | cut -d ' ' -f 1;"
                               "cat down | sha256sum | cut -d ' ' -f 1")
                                .out);
}
END_TEST

/* ---- network ---- */

#define NETWORK "$CONTAINER network "
/* All that `network up` makes, apart from forwarding. If there is a carrier, the kernel says later. */
#define LOOK \
    "nft list ruleset; ip -br -4 addr show " BRIDGE " | tr -s ' ' | cut -d ' ' -f 1,3;" \
    "ip -br link show " BRIDGE " | tr -s ' ' | cut -d ' ' -f 1,3,4 | sed 's/NO-CARRIER,//;" \
    "    s/,LOWER_UP//'; cat /proc/sys/net/ipv6/conf/" BRIDGE "/disable_ipv6"

/* The rules are in nft's own words in the script: what the kernel shows must be the same. */
START_TEST(rules_are_those_of_the_script) {
    expect(sh(RUN "$BASE true"), 0, "", "");
    struct result shown = sh("nft list ruleset");
    expect(shown, 0, "table ip " BRIDGE " {\n", "");
    expect(shown, 0, "masquerade", "");
    expect(sh("nft list tables"), 0, "table ip " BRIDGE "\n", "");
    expect(sh("nft list tables | wc -l"), 0, "1\n", "");
    expect(sh("sed -n '/^table ip " BRIDGE " {/,/^}/p' $TOOLS/network |"
              "    sed 's/[$][a-z{}]*[.]0[.]0/10.66.0.0/g; s/[$][{]*subnet[}]*/10.66.0.0/g' >rules;"
              "grep -c -e masquerade -e drop rules"),
           0, NULL, "");
    expect(sh("unshare -n sh -c 'nft -f rules && nft list ruleset'"), 0, shown.out, "");
}
END_TEST

/* Whoever flushes the host's rules takes ours away, too. Nothing is done twice. */
START_TEST(up_repairs_what_was_flushed) {
    internet();
    struct running c = start("", IDLE);
    const char *ping = format("$CONTAINER exec %s probe ping " INTERNET, c.name);
    struct result before = sh(LOOK);
    expect(sh(NETWORK "up"), 0, NULL, "");
    ck_assert_str_eq(sh(LOOK).out, before.out);
    expect(sh("nft flush ruleset"), 0, "", "");
    expect(sh("%s", ping), 1, "errno ETIMEDOUT", "");
    expect(sh(NETWORK "up"), 0, NULL, "");
    ck_assert_str_eq(sh(LOOK).out, before.out);
    expect(sh("%s", ping), 0, "type 0\n", "");
    stop(c);
}
END_TEST

START_TEST(down_removes_all_and_up_makes_it_again) {
    expect(sh(NETWORK "up"), 0, NULL, "");
    struct result before = sh(LOOK);
    expect(before, 0, BRIDGE " " GATEWAY "/16\n", "");
    expect(sh(NETWORK "down"), 0, NULL, "");
    expect(sh("nft list ruleset; ip -o link | grep -c -v -w lo"), 1, "0\n", "");
    expect(sh(NETWORK "down"), 0, NULL, "");
    expect(sh(NETWORK "up"), 0, NULL, "");
    ck_assert_str_eq(sh(LOOK).out, before.out);
    expect(sh(RUN "$BASE probe ping " GATEWAY), 0, "type 0\n", "");
}
END_TEST

/* A script that was killed between two steps may have left these. */
static const char *const halves[] = {
    "ip link add " BRIDGE " address 02:42:0a:42:00:01 type bridge",
    "ip link add " BRIDGE " address 02:42:0a:42:00:01 type bridge && ip link set " BRIDGE " up",
    "$CONTAINER network up && ip addr flush dev " BRIDGE,
    "$CONTAINER network up && ip link set " BRIDGE " down",
    "$CONTAINER network up && ip link del " BRIDGE,
    "$CONTAINER network up && nft flush ruleset && ip link del " BRIDGE,
    "nft add table ip " BRIDGE,
};

START_TEST(half_a_network_is_completed) {
    internet();
    expect(sh("%s", halves[_i]), 0, NULL, NULL);
    expect(sh(NETWORK "up"), 0, NULL, "");
    expect(sh(RUN "$BASE probe ping " INTERNET), 0, "type 0\n", "");
    expect(sh("nft list ruleset | grep -c masquerade"), 0, "1\n", "");
}
END_TEST

/* Without a bridge, all of them make it. Each container must have a network that works, and there
 * must be one table with each rule once. */
START_TEST(the_first_twelve_come_at_once) {
    internet();
    for (int round = 0; round < 10; round += fewer()) {
        expect(sh("for i in $(seq 12); do " RUN "$BASE probe ping " INTERNET " & done >out 2>err;"
                  "wait; cat err >&2; sort out | uniq -c | tr -s ' '"),
               0, " 12 reply " INTERNET " type 0\n", "");
        expect(sh("nft list ruleset | grep -c masquerade; nft list tables | wc -l"), 0, "1\n1\n",
               "");
        expect(sh(NETWORK "down"), 0, NULL, "");
    }
}
END_TEST

START_TEST(other_tables_are_left_alone) {
    expect(sh("nft 'table ip other { chain nat { counter accept; }; }'"), 0, "", "");
    struct result before = sh("nft list ruleset");
    expect(sh(RUN "$BASE true"), 0, "", "");
    expect(sh("nft list table ip other"), 0, before.out, "");
    expect(sh(NETWORK "up"), 0, NULL, "");
    expect(sh("nft list table ip other"), 0, before.out, "");
    expect(sh(NETWORK "down"), 0, NULL, "");
    ck_assert_str_eq(sh("nft list ruleset").out, before.out);
    expect(sh("nft delete table ip other"), 0, "", "");
}
END_TEST

#define FORWARD "/proc/sys/net/ipv4/ip_forward"

START_TEST(forwarding_is_switched_on) {
    const char *look = "cat " FORWARD;
    expect(sh("echo 0 >" FORWARD), 0, "", "");
    expect(sh(RUN "--network none $BASE true && %s", look), 0, "0\n", "");
    expect(sh(RUN "--network none -p 8080:80 $BASE true && %s", look), 0, "0\n", "");
    expect(sh(RUN "$BASE true && %s", look), 0, "1\n", "");
}
END_TEST

/* A host that did not forward before is not made a router for everybody by us; one that did stays
 * one. `down` leaves both as they were. */
START_TEST(forwarding_is_for_containers) {
    pid_t far = internet();
    expect(sh("echo %d >" FORWARD, _i), 0, "", "");
    struct running other = start_line(new_name(), "unshare -n " IDLE);
    expect(sh("ip link add up1 up type veth peer name eth0 netns %d &&"
              "ip addr add 198.51.100.1/24 dev up1 && nsenter -t %d -n sh -c '"
              "    ip link set eth0 up && ip addr add 198.51.100.2/24 dev eth0 &&"
              "    ip route add default via 198.51.100.1 && " LET_PING "' &&"
              "nsenter -t %d -n ip route add 198.51.100.0/24 via " UPLINK,
              other.pid, other.pid, far),
           0, "", "");
    const char *ping = format("nsenter -t %d -n $PROBE ping " INTERNET, other.pid);
    const char *answer = _i ? "type 0\n" : "errno ETIMEDOUT\n";
    expect(sh("%s", ping), !_i, answer, "");
    expect(sh(RUN "$BASE probe ping " INTERNET), 0, "type 0\n", "");
    expect(sh("%s", ping), !_i, answer, "");
    expect(sh("nft flush ruleset; " NETWORK "up"), 0, NULL, "");
    expect(sh("%s", ping), !_i, answer, "");
    until_cables(0);
    expect(sh(NETWORK "down && cat " FORWARD), 0, format("%d\n", _i), "");
    expect(sh("%s", ping), !_i, answer, "");
    stop(other);
}
END_TEST

/* A container that runs would lose its network. */
START_TEST(down_refuses_while_somebody_is_plugged_in) {
    struct running c = start("", IDLE);
    struct result before = sh(LOOK);
    expect(sh(NETWORK "down"), 125, "", "container: network: ");
    ck_assert_str_eq(sh(LOOK).out, before.out);
    expect(sh("$CONTAINER exec %s probe ping " GATEWAY, c.name), 0, "type 0\n", "");
    stop(c);
    expect(sh(NETWORK "down"), 0, NULL, ""); /* which waits until the kernel has unplugged it */
}
END_TEST

/* The bridge may have been made with other addresses: containers follow it. */
static void expect_subnet(const char *net) {
    internet();
    struct running c = start("", IDLE), d = start("", IDLE);
    ck_assert_msg(!strncmp(c.address, net, strlen(net)) && c.address[strlen(net)] == '.',
                  "%s is not in %s.0.0/16", c.address, net);
    expect(sh("ip -o addr show " BRIDGE), 0, format("inet %s.0.1/16 ", net), "");
    expect(sh("$CONTAINER exec %s ip addr show eth0", c.name), 0, format("inet %s/16 ", c.address),
           "");
    expect(sh("$CONTAINER exec %s ip route", c.name), 0, format("default via %s.0.1 ", net), "");
    expect(sh("$CONTAINER exec %s probe ping %s", c.name, d.address), 0, "type 0\n", "");
    expect(sh("$CONTAINER exec %s probe ping " INTERNET, c.name), 0, "type 0\n", "");
    expect(sh("ip addr; ip route; nft list ruleset | grep -F 10.66"), 1, NULL, "");
    stop(c);
    stop(d);
}

START_TEST(everything_moves_to_another_subnet) {
    static const char *const subnets[] = { "10.77", "172.16", "192.168" };
    expect(sh("CONTAINER_SUBNET=%s " NETWORK "up", subnets[_i]), 0, NULL, "");
    expect_subnet(subnets[_i]);
    expect(sh(NETWORK "up"), 0, NULL, ""); /* it stays where it is */
    expect(sh("ip -o -4 addr show " BRIDGE " | wc -l"), 0, "1\n", "");
    expect(sh("ip -o addr show " BRIDGE), 0, format("inet %s.0.1/16 ", subnets[_i]), "");
}
END_TEST

START_TEST(a_bridge_of_somebody_else_keeps_its_address) {
    expect(sh("ip link add " BRIDGE " up type bridge && ip addr add 10.88.0.1/16 dev " BRIDGE
              " && nft 'table ip " BRIDGE " { chain postrouting { type nat hook postrouting"
              "    priority srcnat; iifname " BRIDGE " masquerade; }; }' &&"
              "echo 1 >/proc/sys/net/ipv4/ip_forward"),
           0, "", "");
    expect_subnet("10.88");
}
END_TEST

static const char *const no_subnets[] = {
    "x",
    "10",
    "10.77.",
    "10.77.0",
    "10.77.0.0",
    "10.77.0.0/16",
    "300.1",
    "10.256",
    "127.0",
    "224.0",
    "0.0",
    "077.1",
    "10.077",
    "10.77 x",
    " 10.77",
    "-1.2",
    "10.77;reboot",
};

#define NOTHING_MADE "ls -A $CONTAINER_HOME/containers 2>/dev/null || :"

/* And nothing has been made by then. */
static void expect_no_bridge(const char *line, const char *in_err) {
    expect(sh("%s", line), 125, "", in_err);
    expect(sh(NOTHING_MADE "; nft list ruleset; cat /proc/sys/net/ipv4/ip_forward"), 0, "0\n", "");
    expect(sh("ip -o link | grep -c " BRIDGE), 1, "0\n", "");
}

START_TEST(what_is_no_subnet_is_refused) {
    setenv("CONTAINER_SUBNET", no_subnets[_i], 1);
    expect_no_bridge(NETWORK "up", "container: network: ");
    expect_no_bridge(NETWORK "up", "CONTAINER_SUBNET");
    expect_no_bridge(NETWORK "up", "expected");
    expect_no_bridge(RUN "$BASE true", "CONTAINER_SUBNET");
}
END_TEST

/* Does the host have a route to some of our addresses, or to more than them? */
static const struct {
    const char *make;
    bool clash;
} routes[] = {
    // clang-format off
    { "ip route add 10.66.0.0/16 dev up0",                             true  },
    { "ip route add 10.66.5.0/24 via " INTERNET,                       true  },
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
    internet();
    expect(sh("%s", routes[_i].make), 0, NULL, "");
    if (routes[_i].clash) {
        expect_no_bridge(NETWORK "up", "10.66.0.0/16");
        expect_no_bridge(NETWORK "up", "CONTAINER_SUBNET");
        expect_no_bridge(RUN "$BASE true", "CONTAINER_SUBNET");
        expect(sh(RUN "--network none $BASE true"), 0, "", "");
        expect(sh("CONTAINER_SUBNET=172.29 " NETWORK "up"), 0, NULL, "");
    }
    expect(sh(RUN "$BASE probe ping " INTERNET), 0, "type 0\n", "");
    expect(sh(NETWORK "up"), 0, NULL, ""); /* the bridge's own route is not in its way */
}
END_TEST

#define LINKS "ip -d -o addr; ip -d -o link | sed 's/NO-CARRIER,//; s/state [A-Z]*//'"

START_TEST(a_link_of_the_bridges_name_is_respected) {
    expect(sh("ip link add " BRIDGE " type veth peer name other && ip link set " BRIDGE " up &&"
              "%s",
              _i ? "ip addr add 10.66.0.1/16 dev " BRIDGE : ":"),
           0, "", "");
    struct result before = sh(LINKS); /* the kernel says a little later if there is a carrier */
    expect(sh(NETWORK "up"), 125, "", BRIDGE);
    /* once, not by the script and then by the engine */
    expect(sh(RUN "$BASE true 2>said; cat said"), 0, _i ? "--network bridge: " : BRIDGE " is not", "");
    expect(sh("wc -l <said"), 0, "1\n", "");
    expect(sh(RUN "-p 80:80 $BASE true"), 125, "", _i ? "--network bridge" : BRIDGE);
    expect(sh(NOTHING_MADE), 0, "", "");
    ck_assert_str_eq(sh(LINKS).out, before.out);
    expect(sh("ip link del " BRIDGE), 0, "", "");
    for (int again = 0; again < 2; again++)
        expect(sh(RUN "$BASE true"), 0, "", "");
}
END_TEST

/* Wrong words, and --help, which changes nothing. */
START_TEST(network_says_how_it_is_used) {
    static const char *const wrong[] = { "sideways", "up up", "'' ", "--no-such-option" };
    for (int i = 0; i < COUNT(wrong); i++)
        expect_no_bridge(format(NETWORK "%s", wrong[i]), "container: network: ");
    expect(sh(NETWORK "--help"), 0, "usage: ", "");
    expect(sh("ip -o link | grep -c " BRIDGE), 1, "0\n", "");
}
END_TEST

START_TEST(network_needs_root) {
    expect(as(is_root() ? ORDINARY_USER : OURSELVES, NETWORK "up"), 125, "",
           "container: network: ");
}
END_TEST

START_TEST(explain_shows_who_makes_the_bridge) {
    struct result r = sh(RUN "--explain --network none $BASE true");
    expect(r, 0, "", NULL);
    ck_assert_ptr_null(strstr(r.err, "network up"));
    expect(sh(RUN "--explain $BASE true"), 0, "", "network up");
    r = sh(RUN "--explain $BASE true"); /* it is there by now */
    ck_assert_ptr_null(strstr(r.err, "network up"));
}
END_TEST

/* ---- addresses ---- */

/* A name leads to an address: the container has it again each time, if nobody else took it. */
START_TEST(address_is_kept_by_the_name) {
    struct running c = start("", IDLE);
    const char *look = format(RUN "--name %s $BASE ip addr show eth0", c.name);
    char *was = c.address;
    stop(c);
    for (int i = 0; i < 3; i++) {
        until_cables(0);
        expect(sh("%s", look), 0, format("inet %s/16 ", was), "");
    }
    expect(sh("$CONTAINER run -d --name $NAME $BASE sleep 100"), 0, NULL, "");
    was = fact(OURSELVES, getenv("NAME"), "ip");
    for (int i = 0; i < 3; i++) {
        expect(sh("$CONTAINER stop -t 0 $NAME"), 0, NULL, "");
        ck_assert_str_eq(fact(OURSELVES, getenv("NAME"), "ip"), was);
        until_cables(0);
        expect(sh("$CONTAINER start $NAME"), 0, NULL, "");
        ck_assert_str_eq(fact(OURSELVES, getenv("NAME"), "ip"), was);
    }
    expect(sh("$CONTAINER rm -f $NAME"), 0, NULL, "");
}
END_TEST

/* These names end in words that many hash functions cannot tell apart: 31 * 'A' + 'a' is
 * 31 * 'B' + 'B'. */
START_TEST(names_that_hash_alike_have_two_addresses) {
    static const char *const ends[] = { "AaAa", "BBBB", "AaBB", "BBAa" };
    struct running all[COUNT(ends)];
    char *name = new_name();
    for (int i = 0; i < COUNT(ends); i++) {
        char *ours = format("%s%s", name, ends[i]);
        all[i] = start_line(ours, format(RUN "--name %s $BASE " IDLE, ours));
        all[i].address = fact(OURSELVES, ours, "ip");
        for (int j = 0; j < i; j++) ck_assert_str_ne(all[i].address, all[j].address);
        expect(sh("$CONTAINER exec %s ip addr show eth0", ours), 0,
               format("inet %s/16 ", all[i].address), "");
    }
    for (int i = 0; i < COUNT(ends); i++) stop(all[i]);
}
END_TEST

/* Neither the network's own address and its broadcast address, nor the bridge's. Only some of all
 * names can be tried. */
START_TEST(addresses_are_for_hosts) {
    expect(sh("for i in $(seq %d); do " RUN "--name $NAME-$i $BASE ip -o -4 addr show eth0 ||"
              "    echo failed; done >out; grep -c 'inet 10.66.*/16' out;"
              "grep -w -e failed -e 10.66.0.0 -e 10.66.0.1 -e 10.66.255.255 out",
              40 / fewer() + 1),
           1, format("%d\n", 40 / fewer() + 1), "");
}
END_TEST

/* None ends before all have shown their address. The bridge did not exist before. */
START_TEST(twenty_at_once_have_an_address_each) {
    expect(sh("i=0; while [ $i -lt 20 ]; do i=$((i + 1)); mkdir $i;"
              "    " RUN "-v $T/$i:/own -v $T:/t:ro $BASE sh -c '"
              "        ip -o addr show eth0 | grep -o \"10[.]66[.][0-9.]*/16\" >/own/new;"
              "        mv /own/new /own/address; while [ ! -e /t/go ]; do sleep 0.05; done' &"
              "    pids=\"$pids $!\";"
              "done 2>err;"
              "until [ $(cat */address 2>&- | wc -l) = 20 ] || [ -s err ]; do sleep 0.05; done;"
              "touch go; wait $pids; cat err >&2; sort -u */address | wc -l"),
           0, "20\n", "");
    expect(sh("cat */address | grep -c '^10.66.[0-9]*.[0-9]*/16$'"), 0, "20\n", "");
}
END_TEST

/* ---- refused ---- */

static const char *const no_networks[] = { "", "Bridge", "bridges", "none ", "none,host", "-",
                                           "container:other", "container:" };

/* And nothing has been made by then. */
static void expect_refusal(enum who who, const char *options, const char *in_err) {
    expect(as(who, RUN "%s $BASE true", options), 125, "", in_err);
    expect(as(who, "ls $CONTAINER_HOME/containers 2>/dev/null || :"), 0, "", "");
    if (is_root())
        expect(sh("ip link show " BRIDGE), 1, "", NULL);
}

START_TEST(what_is_no_network_is_refused) {
    const char *value = no_networks[_i];
    expect_refusal(OURSELVES, format("--network '%s'", value),
                   format("--network %s: expected ", value));
}
END_TEST

/* To plug a cable into the host is for root. */
START_TEST(ordinary_users_have_no_bridge) {
    enum who who = is_root() ? ORDINARY_USER : OURSELVES;
    expect_refusal(who, "--network bridge", "only root can");
    if (is_root()) /* even if there is one */
        expect(sh(NETWORK "up"), 0, NULL, "");
    expect(as(who, RUN "--network bridge $BASE true"), 125, "", "--network bridge: Operation not permitted (see container help)");
    expect(as(who, "ls $CONTAINER_HOME/containers 2>/dev/null || :"), 0, "", "");
    expect(as(who, RUN "--network none $BASE true"), 0, "", "");
}
END_TEST

/* Options of the first edition. */
START_TEST(fixed_addresses_are_gone) {
    expect_refusal(_i, "--network none --ip 10.66.1.2", "--ip");
}
END_TEST

/* With a raw socket a container could pose as its neighbours. */
START_TEST(raw_sockets_need_a_capability) {
    static const char *const kinds[] = { "packet raw", "packet dgram", "inet raw icmp" };
    for (int i = 0; i < COUNT(kinds); i++) {
        const char *probe = format("--network none $BASE probe socket %s", kinds[i]);
        const char *capable = format("--cap-add NET_RAW %s", probe);
        expect(as(_i, RUN "%s", probe), 1, "socket: errno EPERM\n", "");
        expect(as(_i, RUN "%s", capable), 0, "socket allowed\n", "");
    }
}
END_TEST

/* Sockets that belong to no namespace: hypervisors, and the kernel's own ciphers. Not every kernel
 * has them; without our filter a program hears what everybody hears. */
START_TEST(sockets_of_no_namespace_are_refused) {
    static const char *const kinds[] = { "vsock", "alg" };
    for (int i = 0; i < COUNT(kinds); i++) {
        struct result host = as(_i, "$PROBE socket %s", kinds[i]);
        expect(as(_i, RUN "--network none $BASE probe socket %s", kinds[i]), 1,
               "socket: errno EPERM\n", "");
        expect(as(_i, RUN "--network none --privileged $BASE probe socket %s", kinds[i]),
               host.status, host.out, "");
        ck_assert_ptr_null(strstr(host.out, "EPERM"));
    }
}
END_TEST

/* These are not files, so no mount namespace hides them; they belong to a network. */
START_TEST(abstract_sockets_of_the_host_are_out_of_reach) {
    char *name = new_name();
    const char *ask = format("$BASE probe abstract-connect %s", name);
    struct running server = start_line(name, format("$PROBE abstract-listen %s 30", name));
    expect(as(_i, RUN "%s", ask), 1, "abstract-connect: errno ECONNREFUSED\n", "");
    expect(as(_i, RUN "--network none %s", ask), 1, "abstract-connect: errno ECONNREFUSED\n", "");
    expect(as(_i, RUN "--network host %s", ask), 0, "text hello\n", "");
    expect(ending(server), 0, format("connected %s\n", name), "");
}
END_TEST

/* ---- afterwards ---- */

/* However a container ends; %s is --network bridge, none or host. */
static const struct {
    const char *line;
    int status;
} endings[] = {
    { RUN "%s $BASE true", 0 },
    { RUN "%s $BASE probe exit 3", 3 },
    { RUN "%s $BASE probe signal 9", 137 },
    { RUN "%s $BASE /no/such/program", 127 },
    { RUN "%s $BASE sh -c 'sleep 100 & exec sleep 0.1'", 0 },
    { RUN "%s --workdir /dev/null $BASE true", 125 },
};

START_TEST(nothing_stays_but_the_bridge) {
    static const char *const networks[] = { "bridge", "none", "host" };
    for (int i = 0; i < COUNT(networks); i++) {
        const char *option = format("--network %s", networks[i]);
        expect(sh(endings[_i].line, option), endings[_i].status, "", NULL);
        expect_host_unchanged();
    }
    expect(sh("sed -n 's/:.*//p' /proc/net/dev | grep -v " BRIDGE " | sort"), 0,
           links_of_a_new_namespace(), "");
    expect(sh("ip link show " BRIDGE), 0, NULL, "");
    expect(sh("ip link show master " BRIDGE), 0, "", "");
}
END_TEST

/* Only root can join anything to the host's network. In these tests root has one to itself. */
static void add_bridge_tests(Suite *s) {
    TCase *t = new_case(s, "neighbours");
    tcase_add_loop_test(t, neighbours_see_each_other, 0, COUNT(protocols));
    tcase_add_test(t, neighbours_answer_a_ping);
    tcase_add_test(t, bridge_is_always_the_same);

    t = new_case(s, "outside");
    tcase_add_loop_test(t, the_internet_sees_our_address, 0, COUNT(protocols));
    tcase_add_test(t, the_internet_answers_a_ping);
    tcase_add_test(t, without_nat_no_answer_comes);
    tcase_add_test(t, the_bridge_serves_others_too);
    if (access(format("%s/bin/nc", getenv("BASE")), X_OK) == 0)
        tcase_add_test(t, ten_megabytes_arrive);
    else
        left_out("10 MB each way", "the image has no nc, which comes with busybox");

    t = new_case(s, "network");
    tcase_add_test(t, rules_are_those_of_the_script);
    tcase_add_test(t, up_repairs_what_was_flushed);
    tcase_add_test(t, down_removes_all_and_up_makes_it_again);
    tcase_add_loop_test(t, half_a_network_is_completed, 0, COUNT(halves));
    tcase_add_test(t, the_first_twelve_come_at_once);
    tcase_add_test(t, other_tables_are_left_alone);
    tcase_add_test(t, forwarding_is_switched_on);
    tcase_add_loop_test(t, forwarding_is_for_containers, 0, 2);
    tcase_add_test(t, down_refuses_while_somebody_is_plugged_in);
    tcase_add_loop_test(t, everything_moves_to_another_subnet, 0, 3);
    tcase_add_test(t, a_bridge_of_somebody_else_keeps_its_address);
    tcase_add_loop_test(t, what_is_no_subnet_is_refused, 0, COUNT(no_subnets));
    tcase_add_loop_test(t, routes_of_the_host_come_first, 0, COUNT(routes));
    tcase_add_loop_test(t, a_link_of_the_bridges_name_is_respected, 0, 2);
    tcase_add_test(t, network_says_how_it_is_used);
    tcase_add_test(t, explain_shows_who_makes_the_bridge);

    t = new_case(s, "addresses");
    tcase_add_test(t, address_is_kept_by_the_name);
    tcase_add_test(t, names_that_hash_alike_have_two_addresses);
    tcase_add_test(t, addresses_are_for_hosts);
    tcase_add_test(t, twenty_at_once_have_an_address_each);

    t = new_case(s, "afterwards");
    tcase_add_loop_test(t, nothing_stays_but_the_bridge, 0, COUNT(endings));
}

Suite *net_suite(void) {
    Suite *s = suite_create("net");
    TCase *t = new_case(s, "inside");
    tcase_add_loop_test(t, none_has_only_lo, 0, users());
    tcase_add_loop_test(t, host_is_our_own_network, 0, users());
    tcase_add_loop_test(t, host_s_loopback_is_out_of_reach, 0, users());
    tcase_add_test(t, own_name_is_known);
    if (is_root())
        tcase_add_test(t, bridge_is_the_default);

    t = new_case(s, "refused");
    tcase_add_loop_test(t, what_is_no_network_is_refused, 0, COUNT(no_networks));
    if (!is_root() || users() == 2) {
        tcase_add_test(t, ordinary_users_have_no_bridge);
        tcase_add_test(t, network_needs_root);
    }
    tcase_add_loop_test(t, fixed_addresses_are_gone, 0, users());
    tcase_add_loop_test(t, raw_sockets_need_a_capability, 0, users());
    tcase_add_loop_test(t, sockets_of_no_namespace_are_refused, 0, users());
    tcase_add_loop_test(t, abstract_sockets_of_the_host_are_out_of_reach, 0, users());

    if (is_root())
        add_bridge_tests(s);
    else
        left_out("bridge, NAT and addresses", "only root may change the host's network");
    return s;
}
