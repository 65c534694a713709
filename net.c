/* SPDX-License-Identifier: MIT */
/*
 * net.c - give the container a network card.
 *
 *      container: its own network namespace      host
 *
 *      eth0  10.66.0.2/16  ====== veth pair ====== veth0.2 --+-- container0   10.66.0.1/16
 *      default route via 10.66.0.1                           |   (a bridge: a switch
 *                                                  veth0.3 --+    made of software)
 *      lo    127.0.0.1                                       :        |
 *                                       NAT: leaves with the host's address --> eth0
 *                                  host:8080 --> 10.66.0.2:80   a published port, also NAT
 *
 * The kernel is asked by netlink: a message is a header and attributes, each with a
 * type and a length, some holding others. Above each message stands the shell command
 * that sends the same one. Read net_connect and net_inside first, then the NAT rules.
 */
#include "container.h"
#include <arpa/inet.h>
#include <net/if.h>
#include <linux/if_link.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/netfilter_ipv4.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>

#define BRIDGE "container0"
#define LAST (gateway | 0xffff) /* the broadcast address */
static uint32_t gateway = 0x0a420001; /* 10.66.0.1, the bridge's; containers have the next */
static uint32_t mtu = 1500; /* bytes in a packet: as many as our own way out can take */

/* ---- netlink: one buffer, filled from the left ---- */

static _Alignas(NLMSG_ALIGNTO) char buffer[131072];
static size_t used;

/* Append SIZE bytes. Every length is checked here. */
static void *nl_put(const void *data, size_t size) {
    char *space = buffer + used;
    if (size > sizeof buffer - used) die("netlink: %zu bytes do not fit into a message", size);
    used += NLMSG_ALIGN(size);
    memset(space, 0, NLMSG_ALIGN(size));
    return memcpy(space, data, size);
}

/* What a message holds: the HEADER of its family, then attributes, of which a NEST holds others. */
struct attribute {
    int type;
    size_t size;
    const void *data;
};
// clang-format off
#define HEADER(value) { 0, sizeof(value), &(value) }
#define DATA(type, value) { type, sizeof(value), &(value) }
#define TEXT(type, string) { type, strlen(string) + 1, string }
#define NUMBER(type, number) { type, sizeof(uint32_t), &(uint32_t){ number } }
#define BIG(type, number) NUMBER(type, htonl(number)) /* in network byte order */
#define LIST(...) (const struct attribute[]){ __VA_ARGS__, { 0, 0, NULL } }
#define NONE(type) { type, 0, "" }
#define NEST(type, ...) { (type) | NLA_F_NESTED, 0, LIST(__VA_ARGS__) }

/* Six bytes, made of the IP address: neighbours who remember it reach whoever has it next. */
#define MAC(ip) { IFLA_ADDRESS, 6, (uint8_t[]){ 2, 66, (ip) >> 24, (ip) >> 16, (ip) >> 8, (ip) } }
// clang-format on

static void nl_list(const struct attribute *a) {
    for (; a->data; a++) {
        struct nlattr first = { sizeof first + a->size, a->type };
        struct nlattr *head = a->type ? nl_put(&first, sizeof first) : NULL;
        if (a->type & NLA_F_NESTED) nl_list(a->data);
        else nl_put(a->data, a->size);
        if (a->type & NLA_F_NESTED) head->nla_len = buffer + used - (char *)head;
    }
}

static void nl_append(int type, int flags, const struct attribute *list) {
    struct nlmsghdr first = { .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | flags };
    struct nlmsghdr *message = nl_put(&first, sizeof first);
    nl_list(list);
    message->nlmsg_len = buffer + used - (char *)message;
}

/* Send what was written and wait for the answer: that to the message with NLM_F_ACK, or the
 * first refusal, which is -1 and errno. */
static long nl_send(int fd) {
    static _Alignas(NLMSG_ALIGNTO) char answer[65536]; /* a refusal quotes a message */
    size_t size = used;
    used = 0;
    if (send(fd, buffer, size, 0) == -1 || recv(fd, answer, sizeof answer, 0) == -1) return -1;
    errno = -((struct nlmsgerr *)NLMSG_DATA(answer))->error;
    return errno ? -1 : 0;
}

static long nl_ask(int fd, int type, int flags, const struct attribute *list) {
    nl_append(type, NLM_F_ACK | flags, list);
    return nl_send(fd);
}

/* ---- links, addresses, routes ---- */

#define CREATE (NLM_F_CREATE | NLM_F_EXCL)
static const struct ifinfomsg off, up = { .ifi_flags = IFF_UP, .ifi_change = IFF_UP };

/* ip link add container0 up address 02:42:0a:42:00:01 type bridge; or have it so, if it is there */
static long add_bridge(int fd) {
    return nl_ask(fd, RTM_NEWLINK, NLM_F_CREATE,
                  LIST(HEADER(up), TEXT(IFLA_IFNAME, BRIDGE), MAC(gateway),
                       NEST(IFLA_LINKINFO, TEXT(IFLA_INFO_KIND, "bridge"), NONE(IFLA_INFO_DATA))));
}

static char *veth(uint32_t address) {
    return text("veth%u.%u", address >> 8 & 255, address & 255);
}

/* ip link add veth0.2 up master container0 type veth \
 *     peer name eth0 address 02:42:0a:42:00:02 netns PID
 * The peer can come up only when both ends are there: see net_inside. */
static long add_veth(int fd, uint32_t address, pid_t pid) {
    return nl_ask(fd, RTM_NEWLINK, CREATE,
                  LIST(HEADER(up), TEXT(IFLA_IFNAME, veth(address)), NUMBER(IFLA_MTU, mtu),
                       NUMBER(IFLA_MASTER, if_nametoindex(BRIDGE)),
                       NEST(IFLA_LINKINFO, TEXT(IFLA_INFO_KIND, "veth"),
                            NEST(IFLA_INFO_DATA,
                                 NEST(VETH_INFO_PEER, HEADER(off), TEXT(IFLA_IFNAME, "eth0"),
                                      NUMBER(IFLA_MTU, mtu), MAC(address),
                                      NUMBER(IFLA_NET_NS_PID, pid))))));
}

/* bridge link set dev veth0.2 hairpin on: it may send back to where something came from */
static long set_hairpin(int fd, uint32_t address) {
    static const uint8_t on = 1;
    return nl_ask(fd, RTM_NEWLINK, 0,
                  LIST(HEADER(up), TEXT(IFLA_IFNAME, veth(address)),
                       NEST(IFLA_LINKINFO, TEXT(IFLA_INFO_SLAVE_KIND, "bridge"),
                            NEST(IFLA_INFO_SLAVE_DATA, DATA(IFLA_BRPORT_MODE, on)))));
}

/* ip link set NAME up */
static long set_up(int fd, const char *name) {
    return nl_ask(fd, RTM_NEWLINK, 0, LIST(HEADER(up), TEXT(IFLA_IFNAME, name)));
}

/* ip addr add ADDRESS/16 dev NAME */
static long add_address(int fd, uint32_t address, const char *name) {
    struct ifaddrmsg on = { AF_INET, 16, 0, RT_SCOPE_UNIVERSE, if_nametoindex(name) };
    return nl_ask(fd, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE,
                  LIST(HEADER(on), BIG(IFA_LOCAL, address)));
}

/* ip route add default via 10.66.0.1 */
static long add_default_route(int fd) {
    struct rtmsg all = { AF_INET, .rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_BOOT,
                         .rtm_type = RTN_UNICAST };
    return nl_ask(fd, RTM_NEWROUTE, CREATE, LIST(HEADER(all), BIG(RTA_GATEWAY, gateway)));
}

/* ---- NAT: an nftables rule is a small program, which loads, compares and acts ---- */

#define NFT(message) (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_##message)

// clang-format off
/* What a rule is made of. Values go through register 1. In the header of IPv4 the sender's address
 * stands at byte 12, the receiver's at 16; in those of TCP and UDP the receiver's port at 2. */
#define EXPRESSION(name, ...) \
    NEST(NFTA_LIST_ELEM, TEXT(NFTA_EXPR_NAME, name), NEST(NFTA_EXPR_DATA, __VA_ARGS__))
#define REGISTER(attribute) BIG(NFTA_##attribute, NFT_REG_1)
#define LOAD(header, offset, size) \
    EXPRESSION("payload", REGISTER(PAYLOAD_DREG), BIG(NFTA_PAYLOAD_LEN, size), \
        BIG(NFTA_PAYLOAD_BASE, NFT_PAYLOAD_##header##_HEADER), BIG(NFTA_PAYLOAD_OFFSET, offset))
#define LOAD_META(key) EXPRESSION("meta", REGISTER(META_DREG), BIG(NFTA_META_KEY, NFT_META_##key))
#define LOAD_TYPE_OF_RECEIVER \
    EXPRESSION("fib", REGISTER(FIB_DREG), BIG(NFTA_FIB_FLAGS, NFTA_FIB_F_DADDR), \
        BIG(NFTA_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE))
#define ORIGINAL(attribute, key) /* CT_DREG loads, CT_SREG sets it */ \
    EXPRESSION("ct", REGISTER(attribute), BIG(NFTA_CT_KEY, NFT_CT_##key), \
        DATA(NFTA_CT_DIRECTION, original))
#define COMPARE(how, value) \
    EXPRESSION("cmp", REGISTER(CMP_SREG), BIG(NFTA_CMP_OP, how), \
        NEST(NFTA_CMP_DATA, DATA(NFTA_DATA_VALUE, value)))
#define IS(value) COMPARE(NFT_CMP_EQ, value)
#define IS_NOT(value) COMPARE(NFT_CMP_NEQ, value)
#define SET(register, ...) \
    EXPRESSION("immediate", BIG(NFTA_IMMEDIATE_DREG, NFT_REG_##register), \
        NEST(NFTA_IMMEDIATE_DATA, __VA_ARGS__))
#define DROP SET(VERDICT, NEST(NFTA_DATA_VERDICT, BIG(NFTA_VERDICT_CODE, NF_DROP)))
#define DNAT(address, port) \
    SET(1, DATA(NFTA_DATA_VALUE, address)), SET(2, DATA(NFTA_DATA_VALUE, port)), \
    EXPRESSION("nat", BIG(NFTA_NAT_TYPE, NFT_NAT_DNAT), BIG(NFTA_NAT_FAMILY, AF_INET), \
        REGISTER(NAT_REG_ADDR_MIN), BIG(NFTA_NAT_REG_PROTO_MIN, NFT_REG_2))
#define SET_ZONE(n) SET(1, DATA(NFTA_DATA_VALUE, n)), ORIGINAL(CT_SREG, ZONE)
#define MASQUERADE EXPRESSION("masq", BIG(NFTA_MASQ_FLAGS, 0))
#define PUBLISHED(p) /* fib daddr type local ip daddr IP PROTOCOL dport HOST */ \
    LOAD_TYPE_OF_RECEIVER, IS(local), LOAD(NETWORK, 16, 4), \
    COMPARE((p)->ip ? NFT_CMP_EQ : NFT_CMP_NEQ, (p)->ip), LOAD_META(L4PROTO), IS((p)->protocol), \
    LOAD(TRANSPORT, 2, 2), IS((p)->host)
#define RULE(flags, chain, ...) \
    nl_append(NFT(NEWRULE), NLM_F_CREATE | NLM_F_APPEND | (flags), \
        LIST(HEADER(ip), TEXT(NFTA_RULE_TABLE, table), TEXT(NFTA_RULE_CHAIN, chain), \
            NEST(NFTA_RULE_EXPRESSIONS, __VA_ARGS__)))

/* Where packets of the host pass by: all that come in, or are its own, twice; all that leave. */
static const struct {
    const char *name, *type;
    int hook, priority;
} chains[] = {
    { "raw-in",  "filter", NF_INET_PRE_ROUTING,  NF_IP_PRI_RAW },
    { "raw-out", "filter", NF_INET_LOCAL_OUT,    NF_IP_PRI_RAW },
    { "nat-in",  "nat",    NF_INET_PRE_ROUTING,  NF_IP_PRI_NAT_DST },
    { "nat-out", "nat",    NF_INET_LOCAL_OUT,    NF_IP_PRI_NAT_DST },
    { "nat",     "nat",    NF_INET_POST_ROUTING, NF_IP_PRI_NAT_SRC },
};
// clang-format on

/* ---- published ports ---- */

#define NETWORK_IS(mode) !strcmp(opt.network, mode)

static char *dotted(uint32_t address) {
    return text("%s", inet_ntoa((struct in_addr){ htonl(address) }));
}

/* The same backwards, from just this form, because others read 010 as 8; else INADDR_NONE, which
 * is also what those become that are no single machine's. */
static uint32_t undotted(const char *said) {
    uint32_t address = ntohl(inet_addr(said));
    return strcmp(dotted(address), said) == 0 && address < 0xe0000000 ? address : INADDR_NONE;
}

static struct port {
    uint32_t ip; /* of the host, or 0: all that it has */
    uint16_t host, inside; /* like the address, in network byte order */
    uint8_t protocol;
} ports[COUNT(opt.publish)];

/* -p SPEC: the socket that we hold keeps everybody else from the port, until we end. */
static struct port publish(const char *spec) {
    unsigned host = 0, inside = 0;
    char ip[16] = "0.0.0.0", protocol[4] = "tcp";
    if (sscanf(spec, "%u:%u/%3s", &host, &inside, protocol) < 2)
        sscanf(spec, "%15[0-9.]:%u:%u/%3s", ip, &host, &inside, protocol);
    struct sockaddr_in at = { AF_INET, htons(host), { htonl(undotted(ip)) }, { 0 } };
    bool tcp = !strcmp(protocol, "tcp"), valid = host < 65536 && inside < 65536 && host && inside;
    int fd = must(socket(AF_INET, SOCK_CLOEXEC | (tcp ? SOCK_STREAM : SOCK_DGRAM), 0));
    if (!valid || at.sin_addr.s_addr == INADDR_NONE || !NETWORK_IS("bridge"))
        die("--publish %s: want ports from 1 to 65535, and --network bridge", spec);
    if (bind(fd, (struct sockaddr *)&at, sizeof at) == -1)
        die("--publish %s: %s", spec, strerror(errno));
    return (struct port){ at.sin_addr.s_addr, at.sin_port, htons(inside),
                          tcp ? IPPROTO_TCP : IPPROTO_UDP };
}

static const struct nfgenmsg ip = { AF_INET, 0, 0 };
static const char bridge[IFNAMSIZ] = BRIDGE, lo[IFNAMSIZ] = "lo";
static const uint8_t original = IP_CT_DIR_ORIGINAL, loopback = 127;
static const uint32_t local = RTN_LOCAL;

/* Packets to one of our own addresses, and to the port, go to the container instead; those from
 * elsewhere and our own. What the kernel remembers of who had the port before does not count:
 * that is in another zone. */
static void add_port(const char *table, const struct port *p, uint32_t address) {
    const uint16_t zone = ntohl(address);
    RULE(0, "raw-in", PUBLISHED(p), SET_ZONE(zone)); /* ... ct original zone set ZONE */
    RULE(0, "raw-out", PUBLISHED(p), SET_ZONE(zone));
    RULE(0, "nat-in", PUBLISHED(p), DNAT(address, p->inside)); /* ... dnat to ADDRESS:INSIDE */
    RULE(0, "nat-out", PUBLISHED(p), DNAT(address, p->inside));
}

/* nft add table ip container-NAME { flags owner; }
 * nft add chain ip container-NAME nat { type nat hook postrouting priority srcnat; }, and so on
 * All happens together, or nothing. The table lives as long as FD is open: if we die, the
 * kernel removes it. */
static long add_nat(int fd, uint32_t address) {
    const char *table = text("container-%s", opt.name);
    struct nfgenmsg batch = { .res_id = htons(NFNL_SUBSYS_NFTABLES) };
    address = htonl(address);
    nl_append(NFNL_MSG_BATCH_BEGIN, 0, LIST(HEADER(batch)));
    nl_append(NFT(NEWTABLE), CREATE,
              LIST(HEADER(ip), TEXT(NFTA_TABLE_NAME, table),
                   BIG(NFTA_TABLE_FLAGS, NFT_TABLE_F_OWNER)));
    for (int i = 0; i < COUNT(chains); i++)
        nl_append(NFT(NEWCHAIN), NLM_F_CREATE,
                  LIST(HEADER(ip), TEXT(NFTA_CHAIN_TABLE, table),
                       TEXT(NFTA_CHAIN_NAME, chains[i].name), TEXT(NFTA_CHAIN_TYPE, chains[i].type),
                       NEST(NFTA_CHAIN_HOOK, BIG(NFTA_HOOK_HOOKNUM, chains[i].hook),
                            BIG(NFTA_HOOK_PRIORITY, chains[i].priority))));
    /* iifname != lo ip saddr 127.0.0.0/8 drop, and daddr: see net_connect */
    RULE(0, "raw-in", LOAD_META(IIFNAME), IS_NOT(lo), LOAD(NETWORK, 12, 1), IS(loopback), DROP);
    RULE(0, "raw-in", LOAD_META(IIFNAME), IS_NOT(lo), LOAD(NETWORK, 16, 1), IS(loopback), DROP);
    for (struct port *p = ports; p->protocol; p++) add_port(table, p, address);
    /* ip daddr ADDRESS ct original ip daddr != ADDRESS masquerade: so that the answer comes back
     * through us, even to 127.0.0.1 or another container */
    RULE(0, "nat", LOAD(NETWORK, 16, 4), IS(address), ORIGINAL(CT_DREG, DST_IP), IS_NOT(address),
         MASQUERADE);
    /* ip saddr ADDRESS oifname != container0 masquerade */
    RULE(NLM_F_ACK, "nat", LOAD(NETWORK, 12, 4), IS(address), LOAD_META(OIFNAME), IS_NOT(bridge),
         MASQUERADE);
    nl_append(NFNL_MSG_BATCH_END, 0, LIST(HEADER(batch)));
    return nl_send(fd);
}

/* ---- the container's network, in the order of its life ---- */

/* Does nothing else of the host's lead there? Ours would hide a part of a larger network: we do
 * that only when asked. And the MTU of where the default route leads. */
static void check_routes(void) {
    unsigned to, mask, least = getenv("CONTAINER_SUBNET") ? 0xffff0000 : 1;
    struct ifreq link = { 0 };
    each_line (line, get("/proc/net/route")) {
        if (sscanf(line, "%15s %x %*x %*x %*d %*d %*d %x", link.ifr_name, &to, &mask) < 3) continue;
        bool overlaps = ntohl(mask) >= least && !((htonl(gateway) ^ to) & mask & htonl(0xffff0000));
        if (overlaps && strcmp(link.ifr_name, BRIDGE) != 0)
            die("--network bridge: %s/16 is in use by %s: set CONTAINER_SUBNET, as in 10.77.0.0",
                dotted(gateway - 1), link.ifr_name);
        if (!mask && ioctl(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), SIOCGIFMTU, &link) == 0)
            mtu = link.ifr_mtu > 65535 ? 65535 : link.ifr_mtu; /* as lo has */
    }
}

void net_check(void) {
    const char *said = getenv("CONTAINER_SUBNET");
    uint32_t subnet = said ? undotted(said) : gateway - 1;
    if (subnet & 0xffff || subnet >> 24 == 0 || subnet >> 24 == 127)
        die("CONTAINER_SUBNET %s: want the first of 65536 addresses, as in 10.77.0.0", said);
    gateway = subnet + 1;
    uint32_t asked = opt.ip ? undotted(opt.ip) : gateway + 1;
    if (asked <= gateway || asked >= LAST || (opt.ip && !NETWORK_IS("bridge")))
        die("--ip %s: want one of --network bridge, %s/16", opt.ip, dotted(subnet));
    if (NETWORK_IS("bridge")) check_routes();
    for (int i = 0; opt.publish[i]; i++) ports[i] = publish(opt.publish[i]);
}

#define FORWARD "/proc/sys/net/ipv4/ip_forward"
#define LOOPBACK "/proc/sys/net/ipv4/conf/" BRIDGE "/route_localnet"

void net_prepare(void) {
    char *resolver = get("/etc/resolv.conf"), *published = "";
    for (char **spec = opt.publish; *spec; spec++) published = text("%s%s\n", published, *spec);
    must(put("ports", "%s", published));
    /* a resolver on the host's own loopback is out of reach; systemd keeps the real ones here */
    if (!NETWORK_IS("host") && matches(resolver, "(^|\n)nameserver[ \t]+(127[.]|::1)"))
        resolver = get("/run/systemd/resolve/resolv.conf");
    must(put("etc/resolv.conf", "%s\n", resolver));
    must(put("etc/hostname", "%s\n", opt.hostname));
    unlink("etc/hosts"); /* bare: on a start it is there */
    if (!NETWORK_IS("bridge")) {
        must(put("etc/hosts", LOCALHOST "127.0.1.1\t%s\n", opt.hostname));
        return;
    }
    close(open("../../hosts", O_RDONLY | O_CREAT | O_CLOEXEC, 0644));
    must(link("../../hosts", "etc/hosts"));
}

/* The name of a cable is the lease of its address: only one can be made, and it is free again
 * when the container's namespace has gone, which the kernel sees to a little later. */
static uint32_t take_address(int fd, pid_t pid) {
    uint32_t address = opt.ip ? undotted(opt.ip) : gateway + 1;
    for (int tries = 0; add_veth(fd, address, pid) == -1; tries++) {
        if (errno != EEXIST || address == LAST || (opt.ip && tries == 100))
            die("%s %s: %s", opt.ip ? "--ip" : "--network bridge:", dotted(address),
                errno == EEXIST ? "it is taken" : strerror(errno));
        if (opt.ip) usleep(10000);
        else address++;
    }
    return address;
}

/* A cable to the bridge, and what the host needs to pass on what comes from there. */
static uint32_t plug_in(pid_t pid) {
    int fd = must(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
    if (add_bridge(fd) == -1) die("--network bridge: " BRIDGE ": %s (try none)", strerror(errno));
    must(add_address(fd, gateway, BRIDGE));
    uint32_t address = must(take_address(fd, pid)); /* must: for --explain */
    must(put("ip", "%s\n", dotted(address)), "%s", dotted(address));
    write_names();
    if (strcmp(get(FORWARD), "1") != 0) {
        must(put("../../ip_forward", "0\n")); /* for the last rm */
        must(put(FORWARD, "1"));
    }
    if (ports->protocol) { /* 127.0.0.1 may now lead out to the bridge; two rules keep others out */
        must(put(LOOPBACK, "1"));
        must(set_hairpin(fd, address));
    }
    close(fd);
    return address;
}

uint32_t net_connect(pid_t pid) {
    if (!NETWORK_IS("bridge") && !opt.joined) return 0;
    uint32_t address = opt.joined ? undotted(opt.joined) : plug_in(pid);
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER); /* stays open */
    if (fd != -1 && add_nat(fd, address) == 0) return address;
    if (ports->protocol) die("--publish %s: nf_tables: %s", *opt.publish, strerror(errno));
    dprintf(2, "container: no way out, because nf_tables has failed: %s\n", strerror(errno));
    return address;
}

void net_inside(uint32_t address) {
    int fd = must(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
    if (!NETWORK_IS("host")) must(set_up(fd, "lo"));
    if (NETWORK_IS("bridge")) {
        must(set_up(fd, "eth0"));
        must(add_address(fd, address, "eth0"), "%s", dotted(address));
        must(add_default_route(fd));
    }
}

/* ip link del container0; sysctl net.ipv4.ip_forward=0 */
void net_remove(const char *home) {
    int fd = must(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
    for (int n = 0; matches(get("/proc/net/dev"), "veth[0-9]+[.][0-9]+:"); n++) {
        if (n == 100) return; /* others are on it; ours may take a moment to go */
        usleep(10000);
    }
    nl_ask(fd, RTM_DELLINK, 0, LIST(HEADER(off), TEXT(IFLA_IFNAME, BRIDGE)));
    if (unlink(text("%s/ip_forward", home)) == 0) put(FORWARD, "0");
}
