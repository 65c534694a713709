/* SPDX-License-Identifier: MIT */
/*
 * net.c - give the container a network card.
 *
 *      container: its own network namespace      host
 *
 *      eth0  10.66.7.9/16  ====== veth pair ====== veth7.9 --+-- container0   10.66.0.1/16
 *      default route via 10.66.0.1                           |   (a bridge: a switch
 *                                                  veth8.3 --+    made of software)
 *      lo    127.0.0.1                                       |
 *                                            NAT: leaves with the host's address --> LAN
 *      10.66.7.9:80 <------------- relay: the watcher <------------------- host:8080
 *
 * The bridge and the NAT rules are made once, by lessons/tools/network, and are shared by all
 * containers. Here the cable is made. The kernel is asked by netlink: a message is a header and
 * attributes, each with a type and a length; some hold others. Above each function stands the shell
 * command that sends the same message. Read net_connect first, then the relay.
 */
#include "container.h"
#include <arpa/inet.h>
#include <net/if.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <netinet/tcp.h>

#define BRIDGE "container0"
/* The bridge's address, 10.66.0.1, and the container's, in the same /16; here: without a bridge. */
static uint32_t gateway = 0x0a420001, address = 0x0a420002;

/* ---- netlink: one buffer, filled from the left ---- */

static _Alignas(NLMSG_ALIGNTO) char buffer[8192];
static size_t used;

/* Append SIZE bytes. Every length is checked here. */
static void *nl_put(const void *data, size_t size) {
    char *space = buffer + used;
    if (size > sizeof buffer - used) die("netlink: %zu bytes do not fit into a message", size);
    used += NLMSG_ALIGN(size);
    return memcpy(space, data, size);
}

/* The contents of a message: the HEADER of its family, then attributes; a NEST holds others. */
struct attribute {
    int type;
    size_t size;
    const void *data;
};
// clang-format off
#define HEADER(value) { 0, sizeof(value), &(value) }
#define TEXT(type, string) { type, strlen(string) + 1, string }
#define NUMBER(type, number) { type, sizeof(uint32_t), &(uint32_t){ number } }
#define LIST(...) (const struct attribute[]){ __VA_ARGS__, { 0, 0, NULL } }
#define NEST(type, ...) { (type) | NLA_F_NESTED, 0, LIST(__VA_ARGS__) }

#define ONE_QUEUE NUMBER(IFLA_NUM_TX_QUEUES, 1), NUMBER(IFLA_NUM_RX_QUEUES, 1) /* not one per CPU */

/* Six bytes, made from the IP address, so that neighbours that remember it reach the next owner. */
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

/* Send a message and wait for its acknowledgement. -1 and errno if it is a refusal. */
static long nl_ask(int type, int flags, const struct attribute *list) {
    struct nlmsghdr head = { .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags };
    int fd = must(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
    used = 0;
    nl_put(&head, sizeof head);
    nl_list(list);
    ((struct nlmsghdr *)buffer)->nlmsg_len = used;
    must(send(fd, buffer, used, 0));
    must(recv(fd, buffer, sizeof buffer, 0));
    close(fd);
    errno = -((struct nlmsgerr *)NLMSG_DATA(buffer))->error;
    return errno ? -1 : 0;
}

/* ---- links, addresses, routes ---- */

static const struct ifinfomsg off, up = { .ifi_flags = IFF_UP, .ifi_change = IFF_UP };

/* ip link add veth7.9 up master container0 type veth \
 *     peer name eth0 address 02:42:0a:42:07:09 netns PID
 * The peer can come up only when both ends are there: see net_connect. */
static long add_veth(uint32_t address, pid_t pid) {
    char *name = text("veth%u.%u", address >> 8 & 255, address & 255);
    // clang-format off
    return nl_ask(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL,
                  LIST(HEADER(up), TEXT(IFLA_IFNAME, name), ONE_QUEUE,
                       NUMBER(IFLA_MASTER, if_nametoindex(BRIDGE)),
                       NEST(IFLA_LINKINFO, TEXT(IFLA_INFO_KIND, "veth"), NEST(IFLA_INFO_DATA,
                            NEST(VETH_INFO_PEER, HEADER(off), TEXT(IFLA_IFNAME, "eth0"), ONE_QUEUE,
                                 MAC(address), NUMBER(IFLA_NET_NS_PID, pid))))));
    // clang-format on
}

/* ip link set NAME up */
static long set_link_up(const char *name) {
    return nl_ask(RTM_NEWLINK, 0, LIST(HEADER(up), TEXT(IFLA_IFNAME, name)));
}

/* ip addr replace ADDRESS/16 dev NAME */
static long add_address(uint32_t address, const char *name) {
    struct ifaddrmsg first = { AF_INET, 16, 0, RT_SCOPE_UNIVERSE, if_nametoindex(name) };
    return nl_ask(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE,
                  LIST(HEADER(first), NUMBER(IFA_LOCAL, htonl(address))));
}

/* ip route add default via GATEWAY */
static long add_default_route(void) {
    struct rtmsg r = { AF_INET, .rtm_table = RT_TABLE_MAIN, .rtm_type = RTN_UNICAST };
    return nl_ask(RTM_NEWROUTE, NLM_F_CREATE, LIST(HEADER(r), NUMBER(RTA_GATEWAY, htonl(gateway))));
}

/* ---- published ports: a relay ----
 *
 * A socket stays in the network namespace in which it was made. We listen on the host, then join
 * the container's network, and connect from there. We are not in its pid namespace, so nobody
 * inside can see us. */

static int listeners[COUNT(opt.publish)]; /* the sockets on the host */

/* [IP:]HOST:CONTAINER. An IPv6 socket serves IPv4, too: at ::ffff:IP, or at :: for all
 * addresses. */
static int publish(const char *spec) {
    char *ip = text("::ffff:%s", spec), *to = strrchr(ip, ':'), *host = memrchr(ip, ':', to - ip);
    struct sockaddr_in6 at = { .sin6_family = AF_INET6, .sin6_port = htons(atoi(host + 1)) };
    int fd = must(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
    *host = *to = '\0';
    inet_pton(AF_INET6, host == ip + 6 ? "::" : ip, &at.sin6_addr);
    /* what we accept inherits these. The port's earlier connections may still be ending; a client
     * may vanish without a word; and a reply need not wait for more to send */
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &(int){ 1 }, sizeof(int));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
    if (bind(fd, (struct sockaddr *)&at, sizeof at) == -1 || listen(fd, SOMAXCONN) == -1)
        die("--publish %s: port %s of the host: %s", spec, host + 1, strerror(errno));
    return fd;
}

/* For each client a connection of ours to the server, and for each direction a thread. */
static _Noreturn void *serve(void *listener) {
    char *port = strrchr(opt.publish[(int *)listener - listeners], ':') + 1;
    struct sockaddr_in target = { AF_INET, htons(atoi(port)), { htonl(address) }, { 0 } };
    for (;;) {
        int client = accept4(*(int *)listener, NULL, NULL, SOCK_CLOEXEC);
        int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int answers = dup(client), asks = dup(server); /* each relay closes two descriptors */
        setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
        if (answers != -1 && connect(asks, (struct sockaddr *)&target, sizeof target) == 0) {
            pthread_detach(relay(client, asks));
            pthread_detach(relay(server, answers));
            continue;
        }
        close(client), close(answers), close(server), close(asks);
        usleep(1000); /* we may have too many open */
    }
}

/* ---- the container's network, in the order of its life ---- */

void net_prepare(void) {
    char *resolver = get("/etc/resolv.conf");
    /* a resolver on the host's loopback is out of reach; systemd keeps the real ones here */
    if (!NETWORK_IS("host") && matches(resolver, "(^|\n)nameserver[ \t]+(127[.]|::1)"))
        resolver = get("/run/systemd/resolve/resolv.conf");
    must(put("etc/resolv.conf", "%s\n", resolver));
    must(put("etc/hostname", "%s\n", opt.hostname), "etc/hostname = %s", opt.hostname);
    must(put("etc/hosts", "127.0.0.1\tlocalhost\n::1\tlocalhost\n127.0.1.1\t%s\n", opt.hostname));
}

/* The first container after a boot finds no bridge and runs `container network up`: the only place
 * where we start a program of the host. The bridge's network, in which the gateway has the first
 * address, is in a route. */
static void find_bridge(void) {
    char *route = strstr(get("/proc/net/route"), "\n" BRIDGE "\t");
    if (!route && must(system("\"$CONTAINER\" network up")) != 0) quit(125, ""); /* it said why */
    if (!route) route = strstr(get("/proc/net/route"), "\n" BRIDGE "\t");
    if (!route) die("--network bridge: there is no bridge " BRIDGE " (see container help network)");
    sscanf(route, "%*s %x", &gateway);
    gateway = ntohl(gateway) + 1;
}

/* Connect a cable to the bridge. Its name is the lease of an address: only one cable can have it,
 * and it is free again when the container's namespace is gone. The search starts at a hash of the
 * container's name: so it is short, and usually finds the same address again. */
static void plug_in(pid_t pid) {
    uint32_t n = 0;
    for (char *c = opt.name; *c; c++) n = n * 31 + *c;
    while (add_veth(address = gateway + 1 + n++ % 65533, pid) == -1 && errno != ESRCH)
        if (errno != EEXIST) die("--network bridge: %s (see container help)", strerror(errno));
    must(put("ip", "%s\n", inet_ntoa((struct in_addr){ htonl(address) })), "ip %#x", address);
}

/* First do what is done on the host. Then join, while we still have one thread, and do the rest
 * inside; sockets that are open stay the host's. ESRCH: init has been killed, because its memory
 * limit is too small even for us; then there is nothing to connect, and ns_watch tells why. */
void net_connect(pid_t pid) {
    bool bridge = NETWORK_IS("bridge");
    if (NETWORK_IS("host")) return;
    for (int i = 0; opt.publish[i]; i++) listeners[i] = publish(opt.publish[i]);
    if (bridge) find_bridge();
    if (bridge) plug_in(pid);
    int joined_by_setns = setns(over, CLONE_NEWNET | (opt.rootless ? CLONE_NEWUSER : 0));
    if (joined_by_setns == -1 && errno == ESRCH) return;
    must(joined_by_setns, "the network of pid %d", pid);
    must(set_link_up("lo"));
    if (bridge) must(set_link_up("eth0"));
    /* without a bridge not 127.0.0.1, because servers trust whoever comes from there */
    if (bridge || *opt.publish) must(add_address(address, bridge ? "eth0" : "lo"));
    if (bridge) must(add_default_route(), "via %#x", gateway);
    for (int i = 0; opt.publish[i]; i++)
        must((errno = pthread_create(&(pthread_t){ 0 }, NULL, serve, &listeners[i])) ? -1 : 0);
}
