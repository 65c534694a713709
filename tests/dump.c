/* SPDX-License-Identifier: MIT */
/*
 * dump.c - print what the engine would tell the kernel, so that two machines can be compared.
 *
 *     by default        which system calls the filter of ns.c refuses, by their names; and the
 *                       sizes of what is handed to the kernel
 *     with -DDUMP_NET   the netlink messages of net.c, byte for byte
 *
 * The engine's own functions do it; only the last step, prctl or send, is ours. names.h is made
 * by tests/compilers: a row { "mount", __NR_mount }, for each system call of this machine.
 */
#include "../container.h"

#ifdef DUMP_NET

static ssize_t show(const void *data, size_t size) {
    for (size_t i = 0; i < size; i++) printf("%02x", ((const unsigned char *)data)[i]);
    printf("\n");
    return (ssize_t)size;
}

/* The kernel's answer is: done. */
static ssize_t agree(void *data, size_t size) {
    memset(data, 0, size);
    return (ssize_t)size;
}
#define send(fd, data, size, flags) show(data, size)
#define recv(fd, data, size, flags) agree(data, size)
#include "../net.c" // NOLINT: its static functions
#undef recv
#undef send

int main(void) {
    opt.name = "box";
    add_veth(gateway + 1, 77);
    set_link_up("eth0");
    add_address(gateway, "no such link");
    add_default_route();
    return 0;
}

#else

#include <stdarg.h>
#include <linux/filter.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>

static struct sock_fprog taken;
static int take_filter(int option, ...) {
    va_list values;
    va_start(values, option);
    if (option == PR_SET_SECCOMP) {
        va_arg(values, int);
        taken = *va_arg(values, struct sock_fprog *);
        struct sock_filter *copy = calloc(taken.len, sizeof *copy);
        taken.filter = memcpy(copy, taken.filter, taken.len * sizeof *copy);
    }
    va_end(values);
    return 0;
}
#define prctl(...) take_filter(__VA_ARGS__)
#include "../ns.c" // NOLINT: its static functions
#undef prctl
#if __has_include("names.h")
#include "names.h"
#else /* for a linter only: too few to be compared */
static const struct {
    const char *name;
    int number;
} names[] = { { "read", SYS_read } };
#endif

/* What the kernel would do: one word is loaded, compared, and in the end there is a verdict. */
static unsigned run_filter(const struct seccomp_data *data) {
    unsigned word = 0;
    for (const struct sock_filter *at = taken.filter;; at++) {
        bool holds;
        switch (at->code) {
        case BPF_RET | BPF_K: return at->k;
        case BPF_LD | BPF_W | BPF_ABS: memcpy(&word, (const char *)data + at->k, 4); continue;
        case BPF_JMP | BPF_JEQ | BPF_K: holds = word == at->k; break;
        case BPF_JMP | BPF_JGE | BPF_K: holds = word >= at->k; break;
        case BPF_JMP | BPF_JSET | BPF_K: holds = word & at->k; break;
        default: printf("unknown instruction %#x\n", at->code); exit(1);
        }
        at += holds ? at->jt : at->jf;
    }
}

static int set; /* of capabilities, which the filter is for */

static void judge(const char *what, unsigned arch, int nr, uint64_t first, uint64_t second) {
    struct seccomp_data data = { .nr = nr, .arch = arch, .args = { first, second } };
    printf("%d %s %#x\n", set, what, run_filter(&data));
}

#define SIZE(type) printf("sizeof %s %zu\n", #type, sizeof(struct type))

int main(void) {
    uint64_t sets[] = { usual, usual | BIT(CAP_SYS_ADMIN), ~0ULL };
    for (set = 0; set < COUNT(sets); set++) {
        install_filter(sets[set] & ~BIT(NEVER));
        for (int n = 0; n < COUNT(names); n++)
            judge(names[n].name, ARCH, names[n].number, 0, 0);
        judge("another-machine", ARCH ^ 1, SYS_read, 0, 0);
        judge("ioctl-TIOCSTI", ARCH, SYS_ioctl, 0, 1ULL << 32 | TIOCSTI);
        judge("ioctl-TIOCLINUX", ARCH, SYS_ioctl, 0, TIOCLINUX);
        judge("socket-AF_ALG", ARCH, SYS_socket, AF_ALG, 0);
        judge("socket-AF_VSOCK", ARCH, SYS_socket, AF_VSOCK, 0);
        for (int bit = 0; bit < 32; bit++)
            judge(text("clone-%#x", 1U << bit), ARCH, SYS_clone, 1U << bit, 0);
    }
    SIZE(clone_args);
    SIZE(mount_attr);
    SIZE(seccomp_data);
    SIZE(__user_cap_header_struct);
    SIZE(__user_cap_data_struct);
    SIZE(sock_filter);
    return 0;
}

#endif
