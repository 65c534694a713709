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
 *
 * The kernel is asked by netlink: a message is a header and attributes, each with a
 * type and a length, some holding others. Above each message stands the shell command
 * that sends the same one. Read net_connect and net_inside first, then the NAT rule.
 */
#include "container.h"
#include <arpa/inet.h>
#include <net/if.h>
#include <linux/if_link.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter_ipv4.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>

#define BRIDGE "container0"
#define GATEWAY 0x0a420001u /* 10.66.0.1, the bridge's address; containers have the next */
#define LAST (GATEWAY | 0xffff) /* the broadcast address */

/* ---- netlink: one buffer, filled from the left ---- */

static _Alignas(NLMSG_ALIGNTO) char buffer[8192];
static size_t used;

/* Append SIZE bytes. Every length is checked here. */
static void *nl_put(const void *data, size_t size) {
    char *space = buffer + used;
    if (size > sizeof buffer - used) die("netlink: %zu bytes do not fit into a message", size);
    used += NLMSG_ALIGN(size);
    memset(space, 0, NLMSG_ALIGN(size));
    return memcpy(space, data, size);
}

/* What a message holds: the HEADER of its family, then attributes, of which a NEST holds those
 * up to its END. */
struct attribute {
    int type;
    size_t size;
    const void *data;
};
// clang-format off
#define HEADER(value) { -2, sizeof(value), &(value) }
#define DATA(type, value) { type, sizeof(value), &(value) }
#define TEXT(type, string) { type, strlen(string) + 1, string }
#define NUMBER(type, number) { type, sizeof(uint32_t), &(uint32_t){ number } }
#define BIG(type, number) NUMBER(type, htonl(number)) /* in network byte order */
#define NEST(type) { (type) | NLA_F_NESTED, 0, "" }
#define END { -1, 0, "" }
#define LIST(...) (const struct attribute[]){ __VA_ARGS__, { 0, 0, NULL } }

/* Six bytes, made of the IP address: neighbours who remember it reach whoever has it next. */
#define MAC(ip) { IFLA_ADDRESS, 6, &(uint64_t){ htobe64((0x024200000000 | (ip)) << 16) } }
// clang-format on

static void nl_append(int type, int flags, const struct attribute *a) {
    struct nlmsghdr first = { .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | flags };
    struct nlmsghdr *message = nl_put(&first, sizeof first);
    struct nlattr *nest[8];
    for (int depth = 0; a->type; a++) {
        struct nlattr head = { sizeof head + a->size, a->type };
        if (a->type == -1 && depth--)
            nest[depth]->nla_len = buffer + used - (char *)nest[depth];
        if (a->type > 0) nest[depth] = nl_put(&head, sizeof head);
        depth += a->type > 0 && a->type & NLA_F_NESTED;
        nl_put(a->data, a->size);
    }
    message->nlmsg_len = buffer + used - (char *)message;
}

/* Send what was written and wait for the answer: that to the message with NLM_F_ACK, or the
 * first refusal, which is -1 and errno. */
static long nl_send(int fd) {
    static _Alignas(NLMSG_ALIGNTO) char answer[2 * sizeof buffer]; /* a refusal quotes us */
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

/* ip link add container0 up address 02:42:0a:42:00:01 type bridge */
static long add_bridge(int fd) {
    return nl_ask(fd, RTM_NEWLINK, CREATE,
                  LIST(HEADER(up), TEXT(IFLA_IFNAME, BRIDGE), MAC(GATEWAY),
                       NEST(IFLA_LINKINFO), TEXT(IFLA_INFO_KIND, "bridge"), END));
}

/* ip link add veth0.2 up master container0 type veth \
 *     peer name eth0 address 02:42:0a:42:00:02 netns PID
 * The peer can come up only when both ends are there: see net_inside. */
static long add_veth(int fd, uint32_t address, pid_t pid) {
    char *name = text("veth%u.%u", address >> 8 & 255, address & 255);
    return nl_ask(fd, RTM_NEWLINK, CREATE,
                  LIST(HEADER(up), TEXT(IFLA_IFNAME, name),
                       NUMBER(IFLA_MASTER, if_nametoindex(BRIDGE)), NEST(IFLA_LINKINFO),
                       TEXT(IFLA_INFO_KIND, "veth"), NEST(IFLA_INFO_DATA), NEST(VETH_INFO_PEER),
                       HEADER(off), TEXT(IFLA_IFNAME, "eth0"), MAC(address),
                       NUMBER(IFLA_NET_NS_PID, pid), END, END, END));
}

/* ip link set NAME up */
static long set_up(int fd, const char *name) {
    return nl_ask(fd, RTM_NEWLINK, 0, LIST(HEADER(up), TEXT(IFLA_IFNAME, name)));
}

/* ip addr add ADDRESS/16 dev NAME */
static long add_address(int fd, uint32_t address, const char *name) {
    struct ifaddrmsg on = { AF_INET, 16, 0, RT_SCOPE_UNIVERSE, if_nametoindex(name) };
    return nl_ask(fd, RTM_NEWADDR, CREATE, LIST(HEADER(on), BIG(IFA_LOCAL, address)));
}

/* ip route add default via 10.66.0.1 */
static long add_default_route(int fd) {
    struct rtmsg all = { AF_INET, .rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_BOOT,
                         .rtm_type = RTN_UNICAST };
    return nl_ask(fd, RTM_NEWROUTE, CREATE, LIST(HEADER(all), BIG(RTA_GATEWAY, GATEWAY)));
}

/* ---- NAT: an nftables rule is a small program, which loads, compares and acts ---- */

#define NFT(message) (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_##message)

// clang-format off
/* What a rule is made of. Values go through register 1. In the header of IPv4 the sender's
 * address stands at byte 12. */
#define EXPRESSION(name) NEST(NFTA_LIST_ELEM), TEXT(NFTA_EXPR_NAME, name), NEST(NFTA_EXPR_DATA)
#define LOAD_IP(offset, size)                                                                 \
    EXPRESSION("payload"), BIG(NFTA_PAYLOAD_DREG, NFT_REG_1),                                 \
        BIG(NFTA_PAYLOAD_BASE, NFT_PAYLOAD_NETWORK_HEADER), BIG(NFTA_PAYLOAD_OFFSET, offset), \
        BIG(NFTA_PAYLOAD_LEN, size), END, END
#define LOAD_META(key) \
    EXPRESSION("meta"), BIG(NFTA_META_DREG, NFT_REG_1), BIG(NFTA_META_KEY, key), END, END
#define COMPARE(how, value)                                                  \
    EXPRESSION("cmp"), BIG(NFTA_CMP_SREG, NFT_REG_1), BIG(NFTA_CMP_OP, how), \
        NEST(NFTA_CMP_DATA), DATA(NFTA_DATA_VALUE, value), END, END, END
#define MASQUERADE EXPRESSION("masq"), END, END
// clang-format on

/* nft add table ip container-NAME { flags owner; }
 * nft add chain ip container-NAME nat { type nat hook postrouting priority srcnat; }
 * nft add rule ip container-NAME nat ip saddr ADDRESS oifname != container0 masquerade
 * All happens together, or nothing. The table lives as long as FD is open: if we die, the
 * kernel removes it. */
static long add_nat(int fd, uint32_t address) {
    const char bridge[IFNAMSIZ] = BRIDGE, *table = text("container-%s", opt.name);
    struct nfgenmsg batch = { .res_id = htons(NFNL_SUBSYS_NFTABLES) }, ip = { AF_INET, 0, 0 };
    address = htonl(address);
    nl_append(NFNL_MSG_BATCH_BEGIN, 0, LIST(HEADER(batch)));
    nl_append(NFT(NEWTABLE), CREATE,
              LIST(HEADER(ip), TEXT(NFTA_TABLE_NAME, table),
                   BIG(NFTA_TABLE_FLAGS, NFT_TABLE_F_OWNER)));
    nl_append(NFT(NEWCHAIN), NLM_F_CREATE,
              LIST(HEADER(ip), TEXT(NFTA_CHAIN_TABLE, table), TEXT(NFTA_CHAIN_NAME, "nat"),
                   TEXT(NFTA_CHAIN_TYPE, "nat"), NEST(NFTA_CHAIN_HOOK),
                   BIG(NFTA_HOOK_HOOKNUM, NF_INET_POST_ROUTING),
                   BIG(NFTA_HOOK_PRIORITY, NF_IP_PRI_NAT_SRC), END));
    nl_append(NFT(NEWRULE), NLM_F_CREATE | NLM_F_APPEND | NLM_F_ACK,
              LIST(HEADER(ip), TEXT(NFTA_RULE_TABLE, table), TEXT(NFTA_RULE_CHAIN, "nat"),
                   NEST(NFTA_RULE_EXPRESSIONS), LOAD_IP(12, 4), COMPARE(NFT_CMP_EQ, address),
                   LOAD_META(NFT_META_OIFNAME), COMPARE(NFT_CMP_NEQ, bridge), MASQUERADE, END));
    nl_append(NFNL_MSG_BATCH_END, 0, LIST(HEADER(batch)));
    return nl_send(fd);
}

/* ---- the container's network, in the order of its life ---- */

#define NETWORK_IS(mode) !strcmp(opt.network, mode)
#define HOSTS "127.0.0.1\tlocalhost\n::1\tlocalhost\n%s\t%s\n"

static char *dotted(uint32_t address) {
    return text("%s", inet_ntoa((struct in_addr){ htonl(address) }));
}

void net_prepare(void) {
    char *resolver = get("/etc/resolv.conf");
    uint32_t asked = opt.ip ? ntohl(inet_addr(opt.ip)) : LAST - 1;
    if (asked <= GATEWAY || asked >= LAST || (opt.ip && !NETWORK_IS("bridge")))
        die("--ip %s: want one of --network bridge, %s/16", opt.ip, dotted(GATEWAY));
    /* a resolver on the host's own loopback is out of reach; systemd keeps the real ones here */
    if (!NETWORK_IS("host") && matches(resolver, "(^|\n)nameserver[ \t]+(127[.]|::1)"))
        resolver = get("/run/systemd/resolve/resolv.conf");
    must(put("etc/resolv.conf", "%s\n", resolver));
    must(put("etc/hostname", "%s\n", opt.hostname));
    must(put("etc/hosts", HOSTS, "127.0.1.1", opt.hostname));
}

/* The name of a cable is the lease of its address: only one can be made, and it is free again
 * when the container's namespace has gone, which the kernel sees to a little later. */
static uint32_t take_address(int fd, pid_t pid) {
    uint32_t address = opt.ip ? ntohl(inet_addr(opt.ip)) : GATEWAY + 1;
    for (int tries = 0; add_veth(fd, address, pid) == -1; tries++) {
        if (errno != EEXIST || address == LAST || (opt.ip && tries == 100))
            die("%s %s: %s", opt.ip ? "--ip" : "--network bridge:", dotted(address),
                errno == EEXIST ? "it is taken" : strerror(errno));
        if (opt.ip) usleep(10000);
        else address++;
    }
    return address;
}

uint32_t net_connect(pid_t pid) {
    if (!NETWORK_IS("bridge")) return 0;
    int fd = must(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
    add_bridge(fd); /* bare, like the next: it may be there */
    add_address(fd, GATEWAY, BRIDGE);
    uint32_t address = must(take_address(fd, pid)); /* must: for --explain */
    must(put("ip", "%s\n", dotted(address)), "%s", dotted(address));
    must(put("etc/hosts", HOSTS, dotted(address), opt.hostname));
    must(put("/proc/sys/net/ipv4/ip_forward", "1"));
    fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER); /* stays open */
    if (fd == -1 || add_nat(fd, address) == -1)
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
