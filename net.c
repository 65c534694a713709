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
#include <stdarg.h>
#include <linux/if_link.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter_ipv4.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>

#define BRIDGE "container0"
#define GATEWAY 0x0a420001u       /* 10.66.0.1, the bridge's address; containers have the next */
#define LAST (GATEWAY | 0xffff)   /* the broadcast address */
#define PREFIX 16

/* ---- netlink: one buffer, filled from the left ---- */

static _Alignas(NLMSG_ALIGNTO) char buffer[8192];
static size_t used;
static struct nlmsghdr *message; /* the one being written; others may stand before it */

/* Append SIZE bytes to the message, or zeroes. Every length is checked here. */
static void *nl_put(const void *data, size_t size) {
    char *space = buffer + used;
    if (size > sizeof buffer - used)
        die("netlink: %zu bytes do not fit into a message", size);
    used += NLMSG_ALIGN(size);
    memset(space, 0, NLMSG_ALIGN(size));
    if (message)
        message->nlmsg_len = buffer + used - (char *)message;
    return data ? memcpy(space, data, size) : space;
}

/* Begin a message; HEADER is the one of its family, such as struct ifinfomsg. */
static void nl_begin(int type, int flags, const void *header, size_t size) {
    struct nlmsghdr first = { .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | flags };
    message = NULL;
    message = nl_put(&first, sizeof first);
    nl_put(header, size);
}

static struct nlattr *nl_attribute(int type, const void *data, size_t size) {
    struct nlattr head = { sizeof head + size, type }, *attribute = nl_put(&head, sizeof head);
    nl_put(data, size);
    return attribute;
}

/* Append attributes. Each letter of FORMAT takes a type and a value: s a text, u a number, n a
 * number in network byte order, d data and its size. { takes a type and opens a nest of
 * attributes, which } closes. h takes a size, and is a header of zeroes. */
static void nl_add(const char *format, ...) {
    static struct nlattr *nest[8];
    static int depth;
    va_list values;
    va_start(values, format);
    for (; *format; format++) {
        int type = strchr("}h", *format) ? 0 : va_arg(values, int);
        uint32_t number = strchr("un", *format) ? va_arg(values, uint32_t) : 0;
        const char *data = strchr("sd", *format) ? va_arg(values, const char *) : NULL;
        if (*format == 'n')
            number = htonl(number);
        if (*format == 's')
            nl_attribute(type, data, strlen(data) + 1);
        else if (*format == 'd')
            nl_attribute(type, data, va_arg(values, int));
        else if (*format == 'h')
            nl_put(NULL, va_arg(values, int));
        else if (*format == '{')
            nest[depth++] = nl_attribute(type | NLA_F_NESTED, NULL, 0);
        else if (*format == '}' && depth--)
            nest[depth]->nla_len = buffer + used - (char *)nest[depth];
        else
            nl_attribute(type, &number, sizeof number);
    }
    va_end(values);
}

/* Send what was written and wait for the answer: that to the message with NLM_F_ACK, or the
 * first refusal, which is -1 and errno. */
static long nl_send(int fd) {
    struct {
        struct nlmsghdr header;
        struct nlmsgerr body;
        char rest[sizeof buffer]; /* a refusal quotes our message */
    } answer = { .body.error = 0 };
    size_t size = used;
    used = 0;
    if (send(fd, buffer, size, 0) == -1 || recv(fd, &answer, sizeof answer, 0) == -1)
        return -1;
    errno = -answer.body.error;
    return errno ? -1 : 0;
}

/* ---- links, addresses, routes ---- */

#define CREATE (NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL)
static const struct ifinfomsg up = { .ifi_flags = IFF_UP, .ifi_change = IFF_UP };

/* ip link add container0 up address 02:42:0a:42:00:01 type bridge */
static long add_bridge(int fd) {
    static const char mac[] = "\x02\x42\x0a\x42\x00\x01"; /* else it is that of some port */
    nl_begin(RTM_NEWLINK, CREATE, &up, sizeof up);
    nl_add("sd{s}", IFLA_IFNAME, BRIDGE, IFLA_ADDRESS, mac, 6, IFLA_LINKINFO, IFLA_INFO_KIND, "bridge");
    return nl_send(fd);
}

/* ip link add veth0.2 up master container0 type veth peer name eth0 netns PID */
static long add_veth(int fd, uint32_t address, pid_t pid) {
    char *name = text("veth%u.%u", address >> 8 & 255, address & 255);
    nl_begin(RTM_NEWLINK, CREATE, &up, sizeof up);
    nl_add("su", IFLA_IFNAME, name, IFLA_MASTER, if_nametoindex(BRIDGE));
    nl_add("{s{{h", IFLA_LINKINFO, IFLA_INFO_KIND, "veth", IFLA_INFO_DATA, VETH_INFO_PEER, sizeof up);
    nl_add("su}}}", IFLA_IFNAME, "eth0", IFLA_NET_NS_PID, pid);
    return nl_send(fd);
}

/* ip link set NAME up */
static long set_up(int fd, const char *name) {
    struct ifinfomsg link = up;
    link.ifi_index = if_nametoindex(name);
    nl_begin(RTM_NEWLINK, NLM_F_ACK, &link, sizeof link);
    return nl_send(fd);
}

/* ip addr add ADDRESS/16 dev NAME */
static long add_address(int fd, uint32_t address, const char *name) {
    struct ifaddrmsg header = { AF_INET, PREFIX, 0, RT_SCOPE_UNIVERSE, if_nametoindex(name) };
    nl_begin(RTM_NEWADDR, CREATE, &header, sizeof header);
    nl_add("nn", IFA_LOCAL, address, IFA_ADDRESS, address);
    return nl_send(fd);
}

/* ip route add default via 10.66.0.1 */
static long add_default_route(int fd) {
    struct rtmsg header = { .rtm_family = AF_INET, .rtm_table = RT_TABLE_MAIN,
                            .rtm_protocol = RTPROT_BOOT, .rtm_type = RTN_UNICAST };
    nl_begin(RTM_NEWROUTE, CREATE, &header, sizeof header);
    nl_add("n", RTA_GATEWAY, GATEWAY);
    return nl_send(fd);
}

/* ---- NAT: an nftables rule is a small program, which loads, compares and acts ---- */

static char *table; /* container-NAME */

static void nft_begin(int type, int flags) {
    struct nfgenmsg header = { .nfgen_family = NFPROTO_IPV4 };
    nl_begin(NFNL_SUBSYS_NFTABLES << 8 | type, NLM_F_CREATE | flags, &header, sizeof header);
}

/* The changes between begin and end happen together, or not at all. */
static void nft_batch(int type) {
    struct nfgenmsg header = { .res_id = htons(NFNL_SUBSYS_NFTABLES) };
    nl_begin(type, 0, &header, sizeof header);
}

/* nft add chain ip container-NAME NAME { type nat hook HOOK priority PRIORITY; } */
static void nft_chain(const char *name, int hook, int priority) {
    nft_begin(NFT_MSG_NEWCHAIN, 0);
    nl_add("sss{nn}", NFTA_CHAIN_TABLE, table, NFTA_CHAIN_NAME, name, NFTA_CHAIN_TYPE, "nat",
           NFTA_CHAIN_HOOK, NFTA_HOOK_HOOKNUM, hook, NFTA_HOOK_PRIORITY, priority);
}

/* The expressions of a rule. Each works on register 1. */
#define EXPRESSION(name) NFTA_LIST_ELEM, NFTA_EXPR_NAME, name, NFTA_EXPR_DATA

static void nft_load_ip(int offset, int size) {
    nl_add("{s{nnnn}}", EXPRESSION("payload"), NFTA_PAYLOAD_DREG, NFT_REG_1, NFTA_PAYLOAD_BASE,
           NFT_PAYLOAD_NETWORK_HEADER, NFTA_PAYLOAD_OFFSET, offset, NFTA_PAYLOAD_LEN, size);
}

static void nft_load_meta(int key) {
    nl_add("{s{nn}}", EXPRESSION("meta"), NFTA_META_DREG, NFT_REG_1, NFTA_META_KEY, key);
}

static void nft_compare(int how, const void *value, int size) {
    nl_add("{s{nn{d}}}", EXPRESSION("cmp"), NFTA_CMP_SREG, NFT_REG_1, NFTA_CMP_OP, how,
           NFTA_CMP_DATA, NFTA_DATA_VALUE, value, size);
}

/* nft add table ip container-NAME { flags owner; }
 * nft add rule ip container-NAME nat ip saddr ADDRESS oifname != container0 masquerade
 * The table lives as long as FD is open: if we die, the kernel removes it. */
static long add_nat(int fd, uint32_t address) {
    const char bridge[IFNAMSIZ] = BRIDGE;
    table = text("container-%s", opt.name);
    address = htonl(address);
    nft_batch(NFNL_MSG_BATCH_BEGIN);
    nft_begin(NFT_MSG_NEWTABLE, NLM_F_EXCL);
    nl_add("sn", NFTA_TABLE_NAME, table, NFTA_TABLE_FLAGS, NFT_TABLE_F_OWNER);
    nft_chain("nat", NF_INET_POST_ROUTING, NF_IP_PRI_NAT_SRC);
    nft_begin(NFT_MSG_NEWRULE, NLM_F_APPEND | NLM_F_ACK);
    nl_add("ss{", NFTA_RULE_TABLE, table, NFTA_RULE_CHAIN, "nat", NFTA_RULE_EXPRESSIONS);
    nft_load_ip(12, 4); /* the source address */
    nft_compare(NFT_CMP_EQ, &address, sizeof address);
    nft_load_meta(NFT_META_OIFNAME);
    nft_compare(NFT_CMP_NEQ, bridge, sizeof bridge);
    nl_add("{s{}}", EXPRESSION("masq"));
    nl_add("}");
    nft_batch(NFNL_MSG_BATCH_END);
    return nl_send(fd);
}

/* ---- the container's network, in the order of its life ---- */

static bool bridged(void) {
    return !strcmp(opt.network, "bridge");
}

static bool own_network(void) {
    return strcmp(opt.network, "host") != 0;
}

static char *dotted(uint32_t address) {
    struct in_addr in = { htonl(address) };
    return text("%s", inet_ntoa(in));
}

void net_prepare(void) {
    char *resolver = get("/etc/resolv.conf");
    uint32_t asked = opt.ip ? ntohl(inet_addr(opt.ip)) : LAST - 1;
    if (asked <= GATEWAY || asked >= LAST || (opt.ip && !bridged()))
        die("--ip %s: want an address of %s/%d, and --network bridge", opt.ip, dotted(GATEWAY), PREFIX);
    /* a resolver on the host's own loopback is out of reach; systemd keeps the real ones here */
    if (own_network() && strstr(resolver, "nameserver 127."))
        resolver = get("/run/systemd/resolve/resolv.conf");
    must(mkdir("etc", 0755));
    must(put("etc/resolv.conf", "%s\n", resolver));
    must(put("etc/hostname", "%s\n", opt.hostname));
    must(put("etc/hosts", "127.0.0.1\tlocalhost\n::1\tlocalhost\n127.0.1.1\t%s\n", opt.hostname));
}

/* The name of a cable is the lease of its address: only one can be made, and it is free again
 * when the container's namespace has gone, which the kernel sees to a little later. */
static uint32_t take_address(int fd, pid_t pid) {
    uint32_t address = opt.ip ? ntohl(inet_addr(opt.ip)) : GATEWAY + 1;
    for (int tries = 0; add_veth(fd, address, pid) == -1; tries++) {
        if (errno != EEXIST || address == LAST || (opt.ip && tries == 100))
            die("--ip %s: %s", dotted(address), errno == EEXIST ? "another container has it" : strerror(errno));
        if (opt.ip)
            usleep(10000);
        else
            address++;
    }
    return address;
}

uint32_t net_connect(pid_t pid) {
    if (!bridged())
        return 0;
    int fd = must(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
    if (!if_nametoindex(BRIDGE)) {
        add_bridge(fd); /* bare: two containers may start at once */
        add_address(fd, GATEWAY, BRIDGE);
    }
    uint32_t address = must(take_address(fd, pid));
    close(fd);
    must(put("ip", "%s\n", dotted(address)), "%s", dotted(address));
    must(put("etc/hosts", "127.0.0.1\tlocalhost\n::1\tlocalhost\n%s\t%s\n", dotted(address), opt.hostname));
    if (*get("/proc/sys/net/ipv4/ip_forward") != '1')
        must(put("/proc/sys/net/ipv4/ip_forward", "1"));
    fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER); /* stays open */
    if (fd == -1 || add_nat(fd, address) == -1)
        dprintf(2, "container: no way out, because nf_tables has failed: %s\n", strerror(errno));
    return address;
}

void net_allow_ping(void) {
    if (own_network()) /* bare: an outer container may forbid it */
        put("/proc/sys/net/ipv4/ping_group_range", opt.rootless ? "0 0" : "0 2147483647");
}

void net_inside(uint32_t address) {
    int fd = must(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
    if (own_network())
        must(set_up(fd, "lo"));
    if (bridged()) {
        must(set_up(fd, "eth0"));
        must(add_address(fd, address, "eth0"), "%s", dotted(address));
        must(add_default_route(fd));
    }
}
