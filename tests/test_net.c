/* SPDX-License-Identifier: MIT */
/*
 * test_net.c - whom the container may talk to.
 *
 *      inside       what network a container finds
 *      neighbours   two containers, and the host's bridge between them
 *      outside      beyond the uplink: what gets there, what comes back, and the NAT
 *      addresses    each container has one of its own, and gives it back
 *      refused      what is no address or network; sockets that no program needs
 *
 *      container, 10.66.A.B --+
 *                             +-- container0 --- up0 ------- 203.0.113.2, the internet
 *      plain, a namespace ----+   10.66.0.1      203.0.113.1
 *      without NAT
 *
 * All of it is in namespaces of the test, even the host. The internet knows no way back to
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

/* For a container that is there to be looked at. */
#define IDLE "sh -c 'echo ready; exec sleep 100'"

/* A namespace has its own rule for who may ping without a raw socket. At first: nobody. */
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
    c.address = sh("cat $CONTAINER_HOME/containers/%s/ip 2>/dev/null", name).out;
    c.address[strcspn(c.address, "\n")] = '\0';
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

/* The kernel takes a cable out of the bridge a little after the container at its end. */
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
    expect(r, 0, "inet 10.66.0.2/16 ", "");
    expect(r, 0, "default via " GATEWAY " dev eth0", "");
    r = sh(RUN "$BASE cat /proc/net/dev | grep -o '^ *eth0:'");
    expect(r, 0, "eth0:", "");
    expect(sh(RUN "--network bridge $BASE ip addr show eth0"), 0, "inet 10.66.", "");
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

/* The number of a namespace is the same for all that are in it. */
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

/* What listens on the host's loopback can be reached when the network is shared, and only then. */
START_TEST(host_s_loopback_is_out_of_reach) {
    int port = new_port();
    const char *ask = format("$BASE probe tcp-connect 127.0.0.1 %d", port);
    struct running server = start_server(0, "tcp-listen", port);
    expect(as(_i, RUN "--network none %s", ask), 1, "tcp-connect: errno ECONNREFUSED\n", "");
    expect(as(_i, RUN "--network host %s", ask), 0, "text hello\n", "");
    expect(ending(server), 0, "peer 127.0.0.1 ", "");
}
END_TEST

START_TEST(hosts_knows_the_container) {
    char *name = new_name(), *address = new_address();
    struct result r = sh(RUN "--ip %s -h %s $BASE sh -c 'cat /etc/hosts; ip addr show eth0'",
                         address, name);
    expect(r, 0, format("\n%s\t%s ", address, name), "");
    expect(r, 0, format("inet %s/16 ", address), "");
    expect(r, 0, "127.0.0.1\tlocalhost\n", "");
    expect(sh(RUN "--ip %s -h %s $BASE ping -c 1 %s", address, name, name), 0, address, "");
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

START_TEST(neighbours_see_each_other) {
    int port = new_port();
    char *word = format("word-%d", random_between(0, 1 << 30)), *address = new_address();
    struct running server = start("", format("probe %s %d 30", protocols[_i].serve, port));
    struct result r = sh(RUN "--ip %s $BASE probe %s %s %d %s", address, protocols[_i].ask,
                         server.address, port, word);
    expect(r, 0, format("peer %s %d\n", server.address, port), "");
    expect(r, 0, _i ? word : "text hello\n", "");
    r = ending(server);
    expect(r, 0, format("peer %s ", address), ""); /* and not the gateway's: this is no NAT */
    expect(r, 0, format("text %s\n", word), "");
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
    expect(sh(RUN "--ip %s $BASE probe ping %s", new_address(), was), 1, "ping: errno E", "");
}
END_TEST

/* The bridge stays, and so does its MAC: by itself it would take that of the first port. */
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

/* What a tool that was killed between two steps may have left. */
START_TEST(half_a_bridge_is_completed) {
    expect(sh("ip link add " BRIDGE " address 02:42:0a:42:00:01 type bridge &&"
              "ip link set " BRIDGE " up"),
           0, "", "");
    expect(sh(RUN "$BASE probe ping " GATEWAY), 0, "type 0\n", "");
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

/* A namespace at the same bridge, set up by hand: all that a container has but the NAT. Only
 * once the internet knows the way back, it gets answers. */
START_TEST(without_nat_no_answer_comes) {
    pid_t far = internet();
    struct running plain = start_line(new_name(), "unshare -n " IDLE);
    const char *ping = format("nsenter -t %d -n $PROBE ping " INTERNET, plain.pid);
    expect(sh(RUN "$BASE probe ping " INTERNET), 0, "type 0\n", "");
    expect(sh("ip link add plain up master " BRIDGE " type veth peer name eth0 netns %d &&"
              "nsenter -t %d -n sh -c 'ip link set eth0 up && ip addr add %s/16 dev eth0 &&"
              "    ip route add default via " GATEWAY " && " LET_PING "'",
              plain.pid, plain.pid, new_address()),
           0, "", "");
    expect(sh("nsenter -t %d -n $PROBE ping " GATEWAY, plain.pid), 0, "type 0\n", "");
    expect(sh("%s", ping), 1, "ping: errno ETIMEDOUT\n", "");
    expect(sh("nsenter -t %d -n ip route add 10.66.0.0/16 via " UPLINK, far), 0, "", "");
    expect(sh("%s", ping), 0, "type 0\n", "");
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
        sh(RUN "-v .:/t $BASE sh -c 'nc " INTERNET " %d </t/up | { read sum rest; echo $sum;"
               "    sha256sum; }' | cut -d ' ' -f 1",
           port);
    expect(r, 0, NULL, "");
    ck_assert_str_eq(r.out, sh("cat up | sha256sum | cut -d ' ' -f 1;"
                               "cat down | sha256sum | cut -d ' ' -f 1")
                                .out);
}
END_TEST

/* The rule can be read by anybody who knows nft. Its table is there as long as the container. */
START_TEST(nat_is_one_table) {
    struct running c = start(format("--ip %s", new_address()), IDLE), other = start("", IDLE);
    for (int i = 0; i < 2; i++) {
        struct running *r = i ? &other : &c;
        expect(sh("nft list tables | grep -cx 'table ip container-%s'", r->name), 0, "1\n", "");
        struct result table = sh("nft list table ip container-%s | sed 's/ # .*//'", r->name);
        expect(table, 0, format("table ip container-%s {\n\tflags owner\n", r->name), "");
        expect(table, 0, "\t\ttype nat hook postrouting priority srcnat; policy accept;\n", "");
        expect(table, 0,
               format("\t\tip saddr %s oifname != \"" BRIDGE "\" masquerade\n\t}\n}\n", r->address),
               "");
        expect(sh("nft list table ip container-%s | wc -l", r->name), 0, "27\n", "");
    }
    expect(sh("nft list tables | wc -l"), 0, "2\n", "");
    stop(other);
    expect(sh("nft list tables"), 0, format("table ip container-%s\n", c.name), "");
    stop(c);
    expect(sh("nft list ruleset"), 0, "", "");
}
END_TEST

/* The kernel takes it away with the socket of the watcher, which cannot do so itself here. */
START_TEST(nat_goes_with_a_killed_watcher) {
    struct running c = start("", IDLE);
    expect(sh("nft list tables"), 0, format("table ip container-%s\n", c.name), "");
    kill(c.pid, SIGKILL);
    expect(ending(c), 128 + SIGKILL, "ready\n", "");
    until(OURSELVES, "[ -z \"$(nft list ruleset)\" ]");
    setenv("NAME", c.name, 1);
    remove_by_hand(OURSELVES);
    expect_host_unchanged();
    expect(sh(RUN "--name %s --ip %s $BASE true", c.name, c.address), 0, "", "");
}
END_TEST

/* The host's own rules are none of our business, and the container's are nobody else's. */
START_TEST(nat_leaves_other_tables_alone) {
    expect(sh("nft 'table ip other { chain nat { counter accept; }; }'"), 0, "", "");
    struct result before = sh("nft list ruleset");
    struct running c = start("", IDLE);
    expect(sh("nft delete table ip container-%s", c.name), 1, "", "Operation not permitted");
    expect(sh("nft list table ip container-%s", c.name), 0, "masquerade", "");
    stop(c);
    ck_assert_str_eq(sh("nft list ruleset").out, before.out);
    expect(sh("nft delete table ip other"), 0, "", "");
}
END_TEST

START_TEST(forwarding_is_switched_on) {
    const char *look = "cat /proc/sys/net/ipv4/ip_forward";
    expect(sh("echo 0 >/proc/sys/net/ipv4/ip_forward"), 0, "", "");
    expect(sh(RUN "--network none $BASE true && %s", look), 0, "0\n", "");
    expect(sh(RUN "$BASE true && %s", look), 0, "1\n", "");
}
END_TEST

/* ---- addresses ---- */

START_TEST(address_is_taken_and_released) {
    char *address = new_address();
    const char *look = format(RUN "--ip %s $BASE ip addr show eth0", address);
    struct running c = start(format("--ip %s", address), IDLE);
    ck_assert_str_eq(c.address, address);
    expect(sh("%s", look), 125, "", format("--ip %s: it is taken", address));
    expect(sh(RUN "--ip %s $BASE true", new_address()), 0, "", "");
    stop(c);
    for (int i = 0; i < 5; i++) /* each right after the one before */
        expect(sh("%s", look), 0, format("inet %s/16 ", address), "");
}
END_TEST

START_TEST(next_address_is_the_next_that_is_free) {
    struct running first = start("--ip 10.66.0.2", IDLE), third = start("--ip 10.66.0.4", IDLE);
    struct running second = start("", IDLE), fourth = start("", IDLE);
    ck_assert_str_eq(second.address, "10.66.0.3");
    ck_assert_str_eq(fourth.address, "10.66.0.5");
    stop(first);
    until_cables(3);
    struct running again = start("", IDLE);
    ck_assert_str_eq(again.address, "10.66.0.2");
    stop(again);
    stop(second);
    stop(third);
    stop(fourth);
}
END_TEST

/* None ends before all have shown their address, nor has the bridge been there before. */
START_TEST(twenty_at_once_have_an_address_each) {
    expect(sh("i=0; while [ $i -lt 20 ]; do i=$((i + 1)); mkdir $i;"
              "    " RUN "-v ./$i:/own -v .:/t:ro $BASE sh -c '"
              "        ip -o addr show eth0 | grep -o \"10[.]66[.][0-9.]*/16\" >/own/new;"
              "        mv /own/new /own/address; while [ ! -e /t/go ]; do sleep 0.05; done' &"
              "    pids=\"$pids $!\";"
              "done 2>err;"
              "until [ $(cat */address 2>&- | wc -l) = 20 ] || [ -s err ]; do sleep 0.05; done;"
              "touch go; wait $pids; cat err >&2; sort -u */address | wc -l"),
           0, "20\n", "");
    expect(sh("cat */address | grep -c '^10.66.0.[0-9]*/16$'"), 0, "20\n", "");
}
END_TEST

/* Of two that want the same, one gets it, and keeps it until the other has been told so. */
START_TEST(one_address_for_two_goes_to_one) {
    char *address = new_address();
    expect(sh("for i in 1 2; do"
              "    " RUN "--ip %s -v .:/t:ro $BASE sh -c '"
              "        echo got it; while [ ! -e /t/go ]; do sleep 0.05; done' 2>>err &"
              "    pids=\"$pids $!\";"
              "done; until [ -s err ]; do sleep 0.02; done; touch go; cat err >&2;"
              "for pid in $pids; do wait $pid; echo $? >>status; done; sort -n status",
              address),
           0, "got it\n0\n125\n", format("container: --ip %s: it is taken\n", address));
}
END_TEST

/* ---- refused ---- */

/* Not written as an address; then those that no container of ours can have. */
static const char *const no_addresses[] = {
    "",
    "10.66.0",
    "10.66.0.",
    "10.66.0.9.9",
    "10.66.0.9/16",
    "10.66.0.9x",
    "10.66.0.9 ",
    " 10.66.0.9",
    "10.66.0.256",
    "10.66.0.-9",
    "10.66.0.0x9",
    "10.66.0.010", /* some take this for octal */
    "fd00::9",
    "localhost",
    "10.66.0.0",
    "10.66.0.1",
    "10.66.255.255",
    "10.65.255.254",
    "10.67.0.2",
    "0.0.0.0",
    "127.0.0.1",
    "255.255.255.255",
};

static const char *const no_networks[] = { "", "Bridge", "bridges", "none ", "none,host", "-" };

/* And nothing has been made by then. */
static void expect_refusal(enum who who, const char *options, const char *in_err) {
    expect(as(who, RUN "%s $BASE true", options), 125, "", in_err);
    expect(as(who, "ls $CONTAINER_HOME/containers 2>/dev/null || :"), 0, "", "");
    if (is_root())
        expect(sh("ip link show " BRIDGE), 1, "", NULL);
}

START_TEST(what_is_no_address_is_refused) {
    const char *value = no_addresses[_i];
    expect_refusal(OURSELVES, format("--ip '%s'", value), format("--ip %s: want ", value));
}
END_TEST

START_TEST(what_is_no_network_is_refused) {
    const char *value = no_networks[_i];
    expect_refusal(OURSELVES, format("--network '%s'", value),
                   format("--network %s: want ", value));
}
END_TEST

START_TEST(first_and_last_address_can_be_had) {
    expect(sh(RUN "--ip 10.66.0.2 $BASE ip addr"), 0, "inet 10.66.0.2/16 ", "");
    expect(sh(RUN "--ip 10.66.255.254 $BASE ip addr"), 0, "inet 10.66.255.254/16 ", "");
}
END_TEST

START_TEST(address_needs_the_bridge) {
    char *ip = format("--ip %s", new_address());
    expect_refusal(OURSELVES, format("--network none %s", ip), ip);
    expect_refusal(OURSELVES, format("--network host %s", ip), ip);
}
END_TEST

/* To plug a cable into the host is for root. */
START_TEST(ordinary_users_have_no_bridge) {
    enum who who = is_root() ? ORDINARY_USER : OURSELVES;
    char *ip = format("--ip %s", new_address());
    expect_refusal(who, "--network bridge", "--network bridge");
    expect_refusal(who, ip, ip);
    expect(as(who, RUN "--network none $BASE true"), 0, "", "");
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

/* Sockets of no namespace: hypervisors, and the kernel's own ciphers. Not every kernel has them;
 * without our filter it says what it says to everybody. */
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

/* They are no files, so no mount namespace hides them, but belong to a network. */
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

/* However it ends; %s is --network bridge, none or host. */
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

/* Only root can join anything to the host's network, and has in these tests one to itself. */
static void add_bridge_tests(Suite *s) {
    TCase *t = new_case(s, "neighbours");
    tcase_add_loop_test(t, neighbours_see_each_other, 0, COUNT(protocols));
    tcase_add_test(t, neighbours_answer_a_ping);
    tcase_add_test(t, bridge_is_always_the_same);
    tcase_add_test(t, half_a_bridge_is_completed);

    t = new_case(s, "outside");
    tcase_add_loop_test(t, the_internet_sees_our_address, 0, COUNT(protocols));
    tcase_add_test(t, the_internet_answers_a_ping);
    tcase_add_test(t, without_nat_no_answer_comes);
    if (access(format("%s/bin/nc", getenv("BASE")), X_OK) == 0)
        tcase_add_test(t, ten_megabytes_arrive);
    else
        left_out("10 MB each way", "the image has no nc, which comes with busybox");
    tcase_add_test(t, nat_is_one_table);
    tcase_add_test(t, nat_goes_with_a_killed_watcher);
    tcase_add_test(t, nat_leaves_other_tables_alone);
    tcase_add_test(t, forwarding_is_switched_on);

    t = new_case(s, "addresses");
    tcase_add_test(t, address_is_taken_and_released);
    tcase_add_test(t, next_address_is_the_next_that_is_free);
    tcase_add_test(t, twenty_at_once_have_an_address_each);
    tcase_add_test(t, one_address_for_two_goes_to_one);
    tcase_add_test(t, first_and_last_address_can_be_had);
    tcase_add_test(t, address_needs_the_bridge);

    t = new_case(s, "afterwards");
    tcase_add_loop_test(t, nothing_stays_but_the_bridge, 0, COUNT(endings));
}

Suite *net_suite(void) {
    Suite *s = suite_create("net");
    TCase *t = new_case(s, "inside");
    tcase_add_loop_test(t, none_has_only_lo, 0, users());
    tcase_add_loop_test(t, host_is_our_own_network, 0, users());
    tcase_add_loop_test(t, host_s_loopback_is_out_of_reach, 0, users());
    if (is_root()) {
        tcase_add_test(t, bridge_is_the_default);
        tcase_add_test(t, hosts_knows_the_container);
    }

    t = new_case(s, "refused");
    tcase_add_loop_test(t, what_is_no_address_is_refused, 0, COUNT(no_addresses));
    tcase_add_loop_test(t, what_is_no_network_is_refused, 0, COUNT(no_networks));
    if (!is_root() || users() == 2)
        tcase_add_test(t, ordinary_users_have_no_bridge);
    tcase_add_loop_test(t, raw_sockets_need_a_capability, 0, users());
    tcase_add_loop_test(t, sockets_of_no_namespace_are_refused, 0, users());
    tcase_add_loop_test(t, abstract_sockets_of_the_host_are_out_of_reach, 0, users());

    if (is_root())
        add_bridge_tests(s);
    else
        left_out("bridge, NAT and addresses", "to change the host's network needs root");
    return s;
}
