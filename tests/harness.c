/* SPDX-License-Identifier: MIT */
/*
 * harness.c - run a command and look at what it did; see that the host stays as it was.
 *
 *      runner (main.c)            adopts what a failed test leaves running
 *        └─ a test                has its own mounts and network; adopts while it lives
 *             ├─ sh: a shell      one command line, in a process group of its own
 *             └─ internet         a host beyond the uplink
 *
 * No process is ever looked for by its name: those of a test are those that descend from it.
 * Read sh first, then picture, then set_up and tear_down, which are last.
 */
#include "test.h"
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    ORDINARY = 65534, /* the user of sh_user, and the group */
    PATIENCE = 30, /* seconds for a command line, times SLOWER */
    SETTLING = 5, /* seconds, times SLOWER: the kernel removes links and cgroups a little after their use */
};

pid_t runner;
static char *scratch; /* the directory of this test */

/* ---- small things ---- */

bool is_root(void) {
    return geteuid() == 0;
}

bool cgroup_v2(void) {
    return access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0;
}

int random_between(int low, int high) {
    unsigned value;
    ck_assert_int_eq(getrandom(&value, sizeof value, 0), sizeof value);
    return low + (int)(value % (unsigned)(high - low + 1));
}

static int at_least_1(const char *variable) {
    const char *said = getenv(variable);
    int n = said ? atoi(said) : 1;
    return n < 1 ? 1 : n;
}

int slower(void) {
    return at_least_1("SLOWER");
}

int fewer(void) {
    return at_least_1("FEWER");
}

void left_out(const char *what, const char *why) {
    printf("left out: %s (%s)\n", what, why);
}

static char *vformat(const char *form, va_list values) {
    char *text;
    if (vasprintf(&text, form, values) == -1)
        abort(); /* no ck_assert: main is not a test */
    return text;
}

char *format(const char *form, ...) {
    va_list values;
    va_start(values, form);
    char *text = vformat(form, values);
    va_end(values);
    return text;
}

double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

/* ---- command lines ---- */

/* Add what there is to read now to TEXT. False: nothing, or nothing any more. */
static bool collect(int fd, char **text) {
    static char data[65536];
    ssize_t n = read(fd, data, sizeof data - 1);
    if (n <= 0)
        return false;
    size_t size = strlen(*text);
    ck_assert_ptr_nonnull(*text = realloc(*text, size + n + 1));
    memcpy(*text + size, data, n);
    (*text)[size + n] = '\0';
    return true;
}

/* An ordinary user cannot write root's directories, so these are its own. */
static void become_ordinary(void) {
    if (scratch) { /* not yet when main asks for users() */
        setenv("HOME", format("%s/user", scratch), 1);
        setenv("CONTAINER_HOME", format("%s/user/state", scratch), 1);
    }
    if (is_root() && (setgroups(0, NULL) == -1 || setresgid(ORDINARY, ORDINARY, ORDINARY) == -1 ||
                      setresuid(ORDINARY, ORDINARY, ORDINARY) == -1))
        _exit(124);
}

/* IN may be a terminal: then the shell is in its foreground. */
static pid_t start_shell(const char *line, enum who who, int in, int out, int err) {
    pid_t test = getpid(), shell = fork();
    ck_assert_int_ne(shell, -1);
    if (shell > 0)
        return shell;
    setsid(); /* for a process group of its own, too */
    ioctl(in, TIOCSCTTY, 0);
    if (who == ORDINARY_USER)
        become_ordinary();
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* after the ids, whose change clears it */
    if (getppid() != test || chdir(format("%s/t", scratch)) == -1)
        _exit(124);
    dup2(in, 0);
    dup2(out, 1);
    dup2(err, 2);
    execl("/bin/sh", "sh", "-c", line, NULL);
    _exit(124);
}

static int status_of(pid_t pid) {
    int status = 0;
    if (waitpid(pid, &status, 0) == -1)
        return -1;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* What the engine has told its users is kept for tests/messages. */
static void keep(const char *said) {
    const char *file = getenv("SAID");
    if (!file || (!strstr(said, "container: ") && !strstr(said, "oci: ")))
        return;
    int fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    write(fd, said, strnlen(said, 4096));
    close(fd);
}

/* It is over when the shell ends, even if something in the background still holds the pipes. */
static struct result run_line(enum who who, char *line) {
    struct result r = { 124, format("%s", ""), format("%s", ""), line };
    int out[2], err[2], null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    ck_assert_int_eq(pipe2(out, O_CLOEXEC) | pipe2(err, O_CLOEXEC), 0);
    pid_t shell = start_shell(line, who, null, out[1], err[1]);
    struct pollfd p[] = { { .fd = (int)syscall(SYS_pidfd_open, shell, 0), .events = POLLIN },
                          { .fd = out[0], .events = POLLIN },
                          { .fd = err[0], .events = POLLIN } };
    close(null);
    close(out[1]);
    close(err[1]);
    fcntl(out[0], F_SETFL, O_NONBLOCK);
    fcntl(err[0], F_SETFL, O_NONBLOCK);
    for (double end = seconds() + PATIENCE * slower(); !p[0].revents && seconds() < end;) {
        poll(p, 3, 100);
        if (p[1].revents && !collect(out[0], &r.out))
            p[1].fd = -1; /* closed: do not ask again */
        if (p[2].revents && !collect(err[0], &r.err))
            p[2].fd = -1;
    }
    if (!p[0].revents)
        kill(-shell, SIGKILL);
    int status = status_of(shell);
    r.status = p[0].revents ? status : 124;
    while (collect(out[0], &r.out) || collect(err[0], &r.err))
        ;
    close(out[0]);
    close(err[0]);
    close(p[0].fd);
    keep(r.out);
    keep(r.err);
    return r;
}

struct result sh(const char *form, ...) {
    va_list values;
    va_start(values, form);
    struct result r = run_line(OURSELVES, vformat(form, values));
    va_end(values);
    return r;
}

struct result sh_user(const char *form, ...) {
    va_list values;
    va_start(values, form);
    struct result r = run_line(ORDINARY_USER, vformat(form, values));
    va_end(values);
    return r;
}

struct result as(enum who who, const char *form, ...) {
    va_list values;
    va_start(values, form);
    struct result r = run_line(who, vformat(form, values));
    va_end(values);
    return r;
}

/* The second step is what some hosts refuse: a user namespace, but without any power in it. */
int users(void) {
    static int known;
    if (known)
        return known;
    if (!is_root())
        return known = 1;
    pid_t child = fork();
    if (child == 0) {
        become_ordinary();
        _exit(unshare(CLONE_NEWUSER) == -1 || unshare(CLONE_NEWNS) == -1);
    }
    known = status_of(child) == 0 ? 2 : 1;
    if (known == 1)
        left_out("rootless containers", "this host gives an ordinary user no user namespace");
    return known;
}

/* NULL: anything will do. "": there must be nothing. */
static bool fits(const char *text, const char *wanted) {
    return !wanted || (*wanted ? strstr(text, wanted) != NULL : !*text);
}

void expect(struct result r, int status, const char *in_out, const char *in_err) {
    if (r.status != status || !fits(r.out, in_out) || !fits(r.err, in_err))
        ck_abort_msg("%s\n  status %d, expected %d\n  stdout, expected %s:\n%.1000s\n"
                     "  stderr, expected %s:\n%.1000s",
                     r.line, r.status, status, in_out ? in_out : "anything", r.out,
                     in_err ? in_err : "anything", r.err);
}

void expect_exactly(struct result r, const char *out) {
    expect(r, 0, *out ? out : "", "");
    ck_assert_msg(!strcmp(r.out, out), "%.1500s\nprinted:\n%.1500s\nexpected:\n%.1500s", r.line, r.out, out);
}

long number(const char *text, const char *key) {
    size_t length = strlen(key);
    for (const char *at = text; at; at = strchr(at, '\n')) {
        at += *at == '\n';
        if (!strncmp(at, key, length) && at[length] == ' ')
            return strtol(at + length, NULL, 10);
    }
    ck_abort_msg("no line \"%s NUMBER\" in:\n%.1000s", key, text);
    return -1;
}

/* ---- terminals ---- */

struct terminal at_terminal(enum who who, const char *form, ...) {
    struct terminal t = { .keys = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK) };
    struct winsize size = { .ws_row = 24, .ws_col = 80 };
    va_list values;
    ck_assert_int_eq(grantpt(t.keys) | unlockpt(t.keys), 0);
    t.screen = open(ptsname(t.keys), O_RDWR | O_NOCTTY | O_CLOEXEC);
    ck_assert_int_eq(ioctl(t.screen, TIOCSWINSZ, &size), 0);
    va_start(values, form);
    t.line = vformat(form, values);
    va_end(values);
    t.pid = start_shell(t.line, who, t.screen, t.screen, t.screen);
    t.seen = format("%s", "");
    return t;
}

void type(struct terminal *t, const char *keys) {
    ck_assert_int_eq(write(t->keys, keys, strlen(keys)), strlen(keys));
}

/* The last of it: Check takes no message above 8 kB. */
static const char *last_of(const char *text) {
    size_t length = strlen(text), most = 3000;
    return length > most ? text + length - most : text;
}

static bool has_ended(pid_t pid) {
    siginfo_t info = { 0 };
    return waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT) == -1 || info.si_pid == pid;
}

bool shows(struct terminal *t, const char *text) {
    struct pollfd p = { .fd = t->keys, .events = POLLIN };
    double end = seconds() + PATIENCE * slower();
    while (seconds() < end) {
        bool last = has_ended(t->pid); /* asked first: what it said before is there by now */
        while (collect(t->keys, &t->seen))
            ;
        char *found = strstr(t->seen + t->found, text);
        if (found)
            t->found = found - t->seen + strlen(text);
        if (found || last)
            return found;
        poll(&p, 1, 10);
    }
    return false;
}

void wait_for(struct terminal *t, const char *text) {
    if (!shows(t, text))
        ck_abort_msg("%s\n  the terminal never showed %s:\n%s", t->line, text, last_of(t->seen));
}

int finish(struct terminal *t) {
    struct pollfd p[] = { { .fd = (int)syscall(SYS_pidfd_open, t->pid, 0), .events = POLLIN },
                          { .fd = t->keys, .events = POLLIN } };
    for (double end = seconds() + PATIENCE * slower(); !p[0].revents && seconds() < end;) {
        poll(p, 2, 100);
        collect(t->keys, &t->seen);
    }
    if (!p[0].revents)
        ck_abort_msg("%s\n  has not ended, but shown:\n%s", t->line, last_of(t->seen));
    while (collect(t->keys, &t->seen))
        ;
    close(p[0].fd);
    return status_of(t->pid);
}

/* ---- the processes of a test ---- */

/* Field 4 of /proc/PID/stat; 0 when there is no such process, or it has ended (a zombie). */
static pid_t parent_of(pid_t pid) {
    char line[512], state = 'Z', *tail = NULL;
    pid_t parent = 0;
    FILE *f = fopen(format("/proc/%d/stat", pid), "re");
    if (f && fgets(line, sizeof line, f))
        tail = strrchr(line, ')'); /* the name, which may hold anything, ends here */
    if (tail)
        sscanf(tail, ") %c %d", &state, &parent);
    if (f)
        fclose(f);
    return state == 'Z' ? 0 : parent;
}

static bool descends(pid_t pid, pid_t from) {
    while (pid > 1 && (pid = parent_of(pid)) != from)
        ;
    return pid == from;
}

/* Those that descend from FROM, but are neither EXCEPT nor descend from it: their pids, then 0. */
static pid_t *descendants(pid_t from, pid_t except) {
    static pid_t found[1024];
    int n = 0;
    DIR *proc = opendir("/proc");
    for (struct dirent *e; (e = readdir(proc)) && n < 1023;) {
        pid_t pid = atoi(e->d_name);
        if (pid > 0 && descends(pid, from) && pid != except && !descends(pid, except))
            found[n++] = pid;
    }
    closedir(proc);
    found[n] = 0;
    return found;
}

void kill_descendants(pid_t from, pid_t except) {
    for (pid_t *pid = descendants(from, except); *pid; pid++) kill(*pid, SIGKILL);
}

char *fact(enum who who, const char *name, const char *file) {
    const char *home = who == ORDINARY_USER ? format("%s/user/state", scratch)
                                            : getenv("CONTAINER_HOME");
    char content[4096] = "";
    int fd = open(format("%s/containers/%s/%s", home, name, file),
                  O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* hostile tests may have made it a fifo */
    if (read(fd, content, sizeof content - 1) == -1)
        content[0] = '\0';
    close(fd);
    content[strcspn(content, " \n")] = '\0';
    return format("%s", content);
}

/* init's parent */
pid_t watcher_of(enum who who, const char *name) {
    return parent_of(atoi(fact(who, name, "pid")));
}

void remove_by_hand(enum who who) {
    expect(as(who, "cd $CONTAINER_HOME/containers/$NAME || exit 0; for try in $(seq 100); do"
                   "  left=; for d in $(cat cgroup); do rmdir $d || [ ! -d $d ] || left=$d; done;"
                   "  [ $left ] || break; sleep 0.02; done; rm -rf ../$NAME"),
           0, "", NULL);
}

/* ---- the picture of the host ---- */

static char *cgroups; /* what add_cgroup has found; nftw passes no argument on */

/* As root we see no cgroups but our own, see main.c. As a user we look at those of that user. */
static int add_cgroup(const char *path, const struct stat *st, int type, struct FTW *at) {
    if (type == FTW_D && !strncmp(path + at->base, "container-", strlen("container-")) &&
        (is_root() || st->st_uid == geteuid()))
        cgroups = format("%scgroup %s\n", cgroups, path);
    return 0;
}

/* The engine uses these trees of version 1, and no others. */
static void add_cgroups(FILE *lines) {
    static const char *const trees[] = { "unified", "memory", "cpu", "pids" };
    cgroups = "";
    if (cgroup_v2())
        nftw("/sys/fs/cgroup", add_cgroup, 16, FTW_PHYS);
    for (int i = 0; i < COUNT(trees) && !cgroup_v2(); i++)
        nftw(format("/sys/fs/cgroup/%s/", trees[i]), add_cgroup, 16, FTW_PHYS);
    fputs(cgroups, lines);
}

/* Tables, chains and rules begin with an attribute that holds the name of the table. Ours is made
 * once and stays. */
static bool is_our_table(const struct nlmsghdr *m) {
    const struct nlattr *first =
        (const void *)((const char *)NLMSG_DATA(m) + NLMSG_ALIGN(sizeof(struct nfgenmsg)));
    return m->nlmsg_len > NLMSG_LENGTH(sizeof(struct nfgenmsg)) + NLA_HDRLEN &&
           first->nla_type == NFTA_TABLE_NAME &&
           !strcmp((const char *)first + NLA_HDRLEN, "container0");
}

/* nft list ruleset, in the kernel's own form: a line for each of what TYPE asks for. A program for
 * it would cost each test more than all the rest, so we ask ourselves; linux/netfilter/nf_tables.h. */
static void add_nat(FILE *lines, int type) {
    static _Alignas(struct nlmsghdr) char answer[65536];
    struct {
        struct nlmsghdr head;
        struct nfgenmsg all;
    } ask = { .head = { .nlmsg_len = sizeof ask,
                        .nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | type,
                        .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP } };
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
    bool more = write(fd, &ask, sizeof ask) == sizeof ask; /* or there is no nf_tables here */
    while (more) {
        ssize_t size = read(fd, answer, sizeof answer);
        struct nlmsghdr *m = (struct nlmsghdr *)answer;
        more = size > 0;
        for (; NLMSG_OK(m, size); m = NLMSG_NEXT(m, size)) {
            more = more && m->nlmsg_type != NLMSG_DONE && m->nlmsg_type != NLMSG_ERROR;
            if (more && is_our_table(m))
                continue;
            fprintf(lines, more ? "nft %d: " : "", type);
            for (unsigned i = NLMSG_LENGTH(sizeof ask.all); more && i < m->nlmsg_len; i++)
                fprintf(lines, isgraph(((unsigned char *)m)[i]) ? "%c" : "~%02x",
                        ((unsigned char *)m)[i]);
            fprintf(lines, more ? "\n" : "");
        }
    }
    close(fd);
}

static void add_file(FILE *lines, const char *path) {
    char data[4096];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    for (ssize_t n; (n = read(fd, data, sizeof data)) > 0;) fwrite(data, 1, n, lines);
    close(fd);
}

/* ip link: their numbers, names and flags. The bridge is made once for all containers, and stays. */
static void add_links(FILE *lines) {
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct if_nameindex *all = if_nameindex();
    for (struct if_nameindex *i = all; i && i->if_index; i++) {
        struct ifreq link = { 0 };
        strncpy(link.ifr_name, i->if_name, IFNAMSIZ - 1);
        if (strcmp(i->if_name, "container0") != 0 && ioctl(fd, SIOCGIFFLAGS, &link) == 0)
            fprintf(lines, "link %u %s %#hx\n", i->if_index, i->if_name, link.ifr_flags);
    }
    if_freenameindex(all);
    close(fd);
}

/* What a container may leave behind, a line each. Only root can leave mounts, links and NAT,
 * and only root has them to itself here. */
static char *picture(void) {
    char *text;
    size_t size;
    FILE *lines = open_memstream(&text, &size);
    fputc('\n', lines);
    for (pid_t *pid = descendants(getpid(), 0); *pid; pid++)
        fprintf(lines, "process %d %s", *pid, sh("cat /proc/%d/comm", *pid).out);
    if (is_root()) {
        add_file(lines, "/proc/self/mountinfo");
        add_links(lines);
        add_nat(lines, NFT_MSG_GETTABLE);
        add_nat(lines, NFT_MSG_GETCHAIN);
        add_nat(lines, NFT_MSG_GETRULE);
    }
    add_cgroups(lines);
    fclose(lines);
    return text;
}

/* The lines of A that B has not, each after SIGN. A cgroup that has gone was not ours. */
static char *missing(const char *a, const char *b, const char *sign) {
    char *result = "", *rest = format("%s", a), *line;
    while ((line = strsep(&rest, "\n"))) {
        bool not_ours = *sign == '-' && !strncmp(line, "cgroup ", 7);
        if (*line && !not_ours && !strstr(b, format("\n%s\n", line)))
            result = format("%s%s%s\n", result, sign, line);
    }
    return result;
}

/* ---- around each test ---- */

static char *before; /* the picture that set_up has taken */
static pid_t internet_holder;

static void unplug_internet(void) {
    if (internet_holder)
        kill(internet_holder, SIGKILL); /* and its namespace goes, with our end of the cable */
    internet_holder = 0;
}

int internet(void) {
    int ready[2];
    char byte;
    ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
    pid_t test = getpid();
    ck_assert_int_ne(internet_holder = fork(), -1);
    if (internet_holder == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() == test && unshare(CLONE_NEWNET) == 0 && write(ready[1], "!", 1) == 1)
            pause();
        _exit(1);
    }
    close(ready[1]);
    ck_assert_msg(read(ready[0], &byte, 1) == 1, "no namespace for the internet");
    close(ready[0]);
    expect(sh("ip link add up0 type veth peer name up0 netns %d && ip link set up0 up &&"
              "ip addr add 203.0.113.1/24 dev up0 && ip route add default via 203.0.113.2 &&"
              "nsenter -t %d -n sh -c 'ip link set lo up && ip link set up0 up &&"
              "    ip addr add 203.0.113.2/24 dev up0'",
              internet_holder, internet_holder),
           0, NULL, NULL);
    return internet_holder;
}

/* /tests-XXXXXX/             main.c: the program, the probe, the image
 *   test-XXXXXX/             a test's own:
 *     t  state  user/state   T; CONTAINER_HOME; the same of sh_user */
static void make_scratch(void) {
    scratch = format("%s/test-XXXXXX", getenv("TESTS"));
    ck_assert_ptr_nonnull(mkdtemp(scratch));
    char *t = format("%s/t", scratch), *user = format("%s/user", scratch);
    setenv("T", t, 1);
    setenv("CONTAINER_HOME", format("%s/state", scratch), 1);
    setenv("NAME", scratch + strlen(scratch) - strlen("XXXXXX"), 1); /* the random part */
    ck_assert_int_eq(mkdir(t, 0) | mkdir(user, 0755), 0);
    ck_assert_int_eq(chmod(scratch, 0755) | chmod(t, 01777), 0);
    if (is_root())
        ck_assert_int_eq(chown(user, ORDINARY, ORDINARY), 0);
}

void set_up(void) {
    umask(022);
    if (runner && runner != getpid()) /* what a failed test has left: nobody else adopts it */
        kill_descendants(runner, getpid());
    ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    make_scratch();
    if (is_root()) {
        ck_assert_int_eq(unshare(CLONE_NEWNS | CLONE_NEWNET), 0);
        ck_assert_int_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
        /* the same everywhere: a new network has the settings of the host's */
        struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
        int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        ck_assert_int_eq(ioctl(fd, SIOCSIFFLAGS, &lo), 0);
        close(fd);
        fd = open("/proc/sys/net/ipv4/ip_forward", O_WRONLY | O_CLOEXEC);
        ck_assert_int_eq(write(fd, "0", 1), 1);
        close(fd);
    }
    before = picture();
}

void expect_host_unchanged(void) {
    char *after, *difference;
    double end = seconds() + SETTLING * slower();
    do {
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
        after = picture();
        difference = format("%s%s", missing(before, after, "- "), missing(after, before, "+ "));
    } while (*difference && seconds() < end && usleep(20000) == 0);
    if (!*difference)
        return;
    kill_descendants(getpid(), 0);
    ck_abort_msg("the host is not as it was before:\n%.5000s", difference);
}

/* Only where nothing is left mounted may a tree be removed: it could be the host's. */
void tear_down(void) {
    unplug_internet();
    expect_host_unchanged();
    sh("chmod -R u+rwX %s; rm -rf %s", scratch, scratch);
}

TCase *new_case(Suite *s, const char *name) {
    TCase *t = tcase_create(name);
    tcase_add_checked_fixture(t, set_up, tear_down);
    suite_add_tcase(s, t);
    return t;
}

char *new_name(void) {
    return format("test-%d-%d", getpid(), random_between(1, 1 << 30));
}

char *new_address(void) {
    return format("10.66.%d.%d", random_between(1, 254), random_between(0, 255));
}

int new_port(void) {
    return random_between(1024, 32767);
}

void until(enum who who, const char *condition) {
    expect(as(who, "until %s; do sleep 0.02; done", condition), 0, "", NULL);
}
