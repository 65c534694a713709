/* SPDX-License-Identifier: MIT */
/*
 * test_crash.c - whoever dies, whenever: nobody else is harmed, and `rm -f` leaves nothing.
 *
 *      steps        SIGKILL at every step of run, run -d, create and start; stop at any of them
 *      killed       init, the program or the watcher of a container
 *      disk         full, or read-only
 *      together     several commands at one name at once
 *      many         200 containers one after the other, 50 at once
 *      hostile      reused pids, a stopped watcher, clients that die
 *      calls        SIGKILL at every system call of create and rm
 *
 * An engine stands still at a step because nobody reads what it says: its standard error is a
 * pipe with room for one line. Read launch, next_step and die_at first.
 */
#include "test.h"
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    PATIENCE = 10, /* seconds, times SLOWER, for what should happen at once */
};

/* ---- processes ---- */

/* 0 when there is no such process, or it has ended (a zombie). */
static pid_t parent_of(pid_t pid) {
    char line[256], state = 'Z';
    pid_t parent = 0;
    FILE *f = fopen(format("/proc/%d/status", pid), "re");
    while (f && !parent && fgets(line, sizeof line, f))
        if (sscanf(line, "State: %c", &state) != 1)
            sscanf(line, "PPid: %d", &parent);
    if (f)
        fclose(f);
    return state == 'Z' ? 0 : parent;
}

/* How many generations after the test; 0 if it is not a descendant. */
static int generation(pid_t pid) {
    for (int n = 1; pid > 1; n++)
        if ((pid = parent_of(pid)) == getpid())
            return n;
    return 0;
}

static bool is_contained(pid_t pid) {
    char ours[64] = "", its[64] = "";
    return readlink("/proc/self/ns/pid", ours, 63) > 0 &&
           readlink(format("/proc/%d/ns/pid", pid), its, 63) > 0 && strcmp(ours, its) != 0;
}

/* What descends from the test: client - watcher - init - program. How many are inside, and who is
 * the watcher: init's parent or, before there is an init, the last one outside. */
static struct family {
    int outside, inside, inits;
    pid_t watcher;
} look(void) {
    struct family all = { 0 };
    int deepest = 0;
    DIR *proc = opendir("/proc");
    for (struct dirent *e; (e = readdir(proc));) {
        pid_t pid = atoi(e->d_name);
        int depth = pid > 0 ? generation(pid) : 0;
        if (!depth)
            continue;
        pid_t parent = parent_of(pid);
        bool inside = is_contained(pid), is_init = inside && parent && !is_contained(parent);
        all.inside += inside;
        all.inits += is_init;
        all.outside += !inside;
        if (is_init || (!inside && depth > deepest)) {
            all.watcher = is_init ? parent : pid;
            deepest = is_init ? INT_MAX : depth; /* the watcher's other children do not count */
        }
    }
    closedir(proc);
    return all;
}

static pid_t child_of(pid_t parent) {
    pid_t found = 0;
    DIR *proc = opendir("/proc");
    for (struct dirent *e; !found && (e = readdir(proc));)
        if (atoi(e->d_name) > 0 && parent_of(atoi(e->d_name)) == parent)
            found = atoi(e->d_name);
    closedir(proc);
    ck_assert_msg(found, "process %d has no child", parent);
    return found;
}

static bool has_ended(pid_t pid) {
    siginfo_t info = { 0 };
    return waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT) == -1 || info.si_pid == pid;
}

/* PID may be 0: whoever it was has ended. */
static void kill_now(pid_t pid) {
    if (pid > 0)
        kill(pid, SIGKILL);
    for (double end = seconds() + PATIENCE * slower(); pid > 0 && parent_of(pid); usleep(200))
        ck_assert_msg(seconds() < end, "process %d does not die", pid);
}

/* As a shell sees it. */
static int status_of(pid_t pid) {
    int status;
    for (double end = seconds() + PATIENCE * slower(); !has_ended(pid); usleep(1000))
        ck_assert_msg(seconds() < end, "process %d has not ended: %s", pid,
                      sh("cat /proc/%d/status /proc/%d/stack", pid, pid).out);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Wait until no process descends from the test. */
static void await_silence(const char *after) {
    struct family all;
    for (double end = seconds() + PATIENCE * slower(); all = look(), all.outside || all.inside;) {
        ck_assert_msg(seconds() < end, "%s: %d processes live on inside, %d outside", after,
                      all.inside, all.outside);
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
        usleep(1000);
    }
}

/* ---- what the engine says ---- */

enum column {
    NAME = 1,
    STATUS,
    PID,
    IP,
};

/* What `ps`, which must work, says of container NAME; "" if it is not listed. */
static char *field(enum who who, const char *name, enum column column) {
    struct result r = as(who, "$CONTAINER ps >$T/ps || exit;"
                              "awk -F '  +' '$1 == \"%s\" { print $%d }' $T/ps; rm -f $T/ps",
                         name, column);
    expect(r, 0, NULL, "");
    r.out[strcspn(r.out, "\n")] = '\0';
    return r.out;
}

static bool starts(const char *text, const char *with) {
    return !strncmp(text, with, strlen(with));
}

static void await_status(enum who who, const char *name, const char *wanted) {
    char *status;
    for (double end = seconds() + PATIENCE * slower(); !starts(status = field(who, name, STATUS), wanted);)
        ck_assert_msg(seconds() < end, "ps says \"%s\" of %s, not %s", status, name, wanted);
}

static pid_t init_of(enum who who, const char *name) {
    pid_t pid = atoi(field(who, name, PID));
    ck_assert_msg(pid > 1 && is_contained(pid), "ps says that the pid of %s is %d", name, pid);
    return pid;
}

/* What is said must be true: a live container has one init, others have no process at all. */
static void expect_truth(const char *name) {
    struct family all = { 0 };
    bool lives = false, fits = false;
    char *status = "";
    for (double end = seconds() + PATIENCE * slower(); !fits && seconds() < end;) {
        all = look();
        status = field(OURSELVES, name, STATUS);
        lives = starts(status, "running") || starts(status, "paused");
        fits = lives ? all.inits == 1 && parent_of(atoi(field(OURSELVES, name, PID)))
                     : !all.inside && !all.outside;
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
    }
    ck_assert_msg(fits, "ps says \"%s\" of %s, but there are %d inits, %d processes inside, %d out",
                  status, name, all.inits, all.inside, all.outside);
}

/* `rm -f` takes everything away, whatever it was. Images stay. */
static void expect_removed(enum who who, const char *name) {
    expect(as(who, "$CONTAINER rm -f %s", name), 0, "", "");
    await_silence("rm -f");
    expect(as(who, "cd $CONTAINER_HOME 2>/dev/null || exit 0; ls -A containers 2>/dev/null;"
                   "$CONTAINER ps | tail -n +2"),
           0, "", "");
}

static void expect_removable(enum who who, const char *name) {
    expect_removed(who, name);
    expect_host_unchanged();
}

static void start_sleeper(enum who who, const char *name) {
    expect(as(who, "$CONTAINER run -d --name %s $BASE sleep 1000", name), 0, name, "");
    await_status(who, name, "running");
}

static const char *our_name(void) {
    return getenv("NAME");
}

/* ---- steps ---- */

struct engine {
    pid_t client; /* what was typed */
    int says; /* our end of its standard error */
    const char *line;
};

/* As ORDINARY_USER it has the state directory of as(). */
static struct engine launch(enum who who, const char *line) {
    const char *user = "setpriv --reuid 65534 --regid 65534 --clear-groups env "
                       "CONTAINER_HOME=$T/../user/state HOME=$T/../user";
    struct engine e = { .line = line };
    int ends[2];
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_DIRECT), 0); /* each line is a packet, */
    ck_assert_int_ge(fcntl(ends[1], F_SETPIPE_SZ, getpagesize()), 0); /* and a page holds one */
    ck_assert_int_ne(e.client = fork(), -1);
    if (e.client == 0) {
        dup2(open("/dev/null", O_RDONLY), 0);
        dup2(open(format("%s/says", getenv("T")), O_WRONLY | O_CREAT | O_TRUNC, 0666), 1);
        dup2(ends[1], 2);
        execl("/bin/sh", "sh", "-c",
              format("exec %s $CONTAINER %s", who == ORDINARY_USER && is_root() ? user : "", line),
              NULL);
        _exit(124);
    }
    close(ends[1]);
    e.says = ends[0];
    return e;
}

/* Wait for a line. False: the client has ended without another one. */
static bool has_step(const struct engine *e) {
    struct pollfd p = { .fd = e->says, .events = POLLIN };
    for (double end = seconds() + PATIENCE * slower(); seconds() < end;) {
        bool last = has_ended(e->client); /* asked first: what it said before is there by now */
        if (poll(&p, 1, last ? 0 : 10) > 0)
            return p.revents & POLLIN;
        if (last)
            return false;
    }
    ck_abort_msg("%s: neither a step nor the end", e->line);
    return false;
}

static bool next_step(const struct engine *e) {
    char line[4096];
    return has_step(e) && read(e->says, line, sizeof line) > 0;
}

/* Read all that is said until nobody is left who could. */
static void hear_out(const struct engine *e) {
    char line[4096];
    struct pollfd p = { .fd = e->says, .events = POLLIN };
    do ck_assert_msg(poll(&p, 1, PATIENCE * slower() * 1000) > 0, "%s: who still talks?", e->line);
    while (read(e->says, line, sizeof line) > 0);
    close(e->says);
}

enum {
    NEVER = 3000, /* no command has so many steps */
    SHARES = 4, /* all steps, but for so many tests: each has its share */
};

static const struct sweep {
    enum who who;
    const char *command, *program;
    int every; /* kill at every step, or at every so many from a random one on */
    bool client; /* it dies, and not the watcher */
} sweeps[] = {
    { OURSELVES, "run -d", "sleep 1000", 1, false },
    { OURSELVES, "create", "sleep 1000", 1, false },
    { OURSELVES, "run", "true", 4, false },
    { OURSELVES, "start", "sleep 1000", 4, false },
    { OURSELVES, "run -d", "sleep 1000", 5, true },
    { OURSELVES, "start", "sleep 1000", 7, true },
    { ORDINARY_USER, "run -d", "sleep 1000", 5, false },
    { ORDINARY_USER, "start", "sleep 1000", 7, false },
};

/* After the watcher's death: it has taken the others with it, and nobody believes otherwise. What
 * is left can be started or removed, and that at once: init may be dying still. */
static void expect_dead(const struct sweep *s, const char *line) {
    static const char *const next[] = { "start", "rm", "rm -f" };
    bool at_once = random_between(0, 1) == 0;
    if (!at_once) {
        await_silence(line);
        char *status = field(s->who, our_name(), STATUS);
        bool true_status = !*status || starts(status, "exited ") || starts(status, "created") ||
                           starts(status, "incomplete");
        ck_assert_msg(true_status, "%s\n  ps says %s", line, status);
        if (*status)
            ck_assert_str_eq(field(s->who, our_name(), PID), "-");
    }
    int n = random_between(0, 2);
    bool whole = *fact(s->who, our_name(), "arguments") != '\0';
    struct result r = as(s->who, "$CONTAINER %s $NAME 2>&1", next[n]);
    char *now = field(s->who, our_name(), STATUS);
    if (r.status == 0 ? n == 0 && !starts(now, "running") && !starts(now, "exited 0")
                      : r.status != 125 || whole || n == 2)
        ck_abort_msg("%s\n  then %s%s: %d: %.2000s", line, at_once ? "at once " : "", next[n],
                     r.status, r.out);
}

/* Who stands at the step. A client may be about to fork the watcher, or to end; then the watcher gets
 * another parent, and one look misses it. So we believe what two looks agree on. */
static pid_t standing(void) {
    pid_t before = -1, now;
    for (; (now = look().watcher) != before; usleep(20000)) before = now;
    return now;
}

/* The engine's command line. What is started has been created before. */
static char *line_of(const struct sweep *s) {
    char *rest = format("--explain --name %s %s %s", our_name(), getenv("BASE"), s->program);
    if (strcmp(s->command, "start") != 0)
        return format("%s %s", s->command, rest);
    expect(as(s->who, "$CONTAINER create %s", rest), 0, our_name(), NULL);
    return format("start %s", our_name());
}

/* One process is killed when N lines have been read and the next one waits. False: there are not so
 * many, and the command has succeeded. Then a running container's watcher is killed instead. */
static bool die_at(const struct sweep *s, int n) {
    const char *line = line_of(s);
    struct engine e = launch(s->who, line);
    bool more = true;
    for (int i = 0; i < n && more; i++) more = next_step(&e);
    more = more && has_step(&e);
    kill_now(s->client ? e.client : standing()); /* the others stand still meanwhile */
    if (s->client)
        close(e.says);
    else
        hear_out(&e);
    int status = status_of(e.client);
    ck_assert_msg(status == 0 || status == 125 || status == 128 + SIGKILL, "%s: %d", line, status);
    if (!s->client) { /* else it may have died between the name and its end */
        bool named = status == 0 && strcmp(s->command, "run") != 0;
        expect(sh("cat $T/says"), 0, named ? format("%s\n", our_name()) : "", "");
        expect_dead(s, format("step %d of %s", n, line));
    }
    return more;
}

START_TEST(dies_at_every_step) {
    const struct sweep *s = &sweeps[_i / SHARES];
    int every = s->every * fewer(), stride = every * SHARES;
    int n = _i % SHARES * every + random_between(0, every - 1);
    if (s->who == ORDINARY_USER && users() < 2)
        return;
    for (; n < NEVER; n += stride) {
        bool died = die_at(s, n);
        int status = random_between(0, 124);
        expect_removable(s->who, our_name());
        expect(as(s->who, "$CONTAINER run --rm --name $NAME $BASE probe exit %d", status), status, "",
               "");
        if (!died)
            return;
    }
    ck_abort_msg("it never ran");
}
END_TEST

/* An engine that stands somewhere between its directory and its program. */
static struct engine stand_in_the_middle(void) {
    const char *line = format("run -d --explain --name %s %s sleep 1000", our_name(), getenv("BASE"));
    struct engine e = launch(OURSELVES, line);
    bool stands = next_step(&e);
    while (stands && !*fact(OURSELVES, our_name(), "arguments")) stands = next_step(&e);
    for (int i = random_between(0, 40); i > 0 && stands; i--) stands = next_step(&e);
    ck_assert_msg(stands && has_step(&e), "%s: no step", line);
    return e;
}

/* While init is being set up, no signal reaches the program. Stop waits for it, but no longer than
 * the program needs after that. */
START_TEST(stops_what_is_being_set_up) {
    for (int round = 0; round < 10; round += fewer()) {
        struct engine e = stand_in_the_middle(), stop = launch(OURSELVES, "stop -t 1000 $NAME");
        poll(NULL, 0, random_between(0, 1000));
        hear_out(&e); /* it may go on */
        status_of(e.client);
        int status = status_of(stop.client); /* it does not wait for so long */
        ck_assert_msg(status == 0, "stop: %d", status);
        close(stop.says);
        ck_assert_msg(starts(field(OURSELVES, our_name(), STATUS), "exited 143"), "ps says %s",
                      field(OURSELVES, our_name(), STATUS));
        expect_removable(OURSELVES, our_name());
    }
}
END_TEST

static const char *const impatient[] = { "stop -t 1 $NAME", "kill $NAME", "rm $NAME",
                                         "rm -f $NAME", "start $NAME", "exec $NAME true",
                                         "pause $NAME", "run -d --name $NAME $BASE true" };

/* It never goes on: everybody else says so in the end, or has an end made of it. */
START_TEST(nobody_waits_for_ever_for_set_up) {
    struct engine e = stand_in_the_middle();
    struct result r = sh("$CONTAINER %s", impatient[_i]);
    if (r.status != 0)
        expect(r, 125, "", our_name());
    hear_out(&e);
    status_of(e.client);
    expect_truth(our_name());
    expect_removable(OURSELVES, our_name());
}
END_TEST

/* ---- killed ---- */

enum victim {
    INIT,
    PROGRAM,
    WATCHER,
};
static const struct loss {
    const char *state;
    enum victim victim;
} losses[] = {
    { "running", INIT },
    { "running", PROGRAM },
    { "running", WATCHER },
    { "paused", INIT },
    { "paused", PROGRAM },
    { "paused", WATCHER },
};

static void make_container(enum who who, const char *state) {
    start_sleeper(who, our_name());
    if (!strcmp(state, "paused"))
        expect(as(who, "$CONTAINER pause $NAME"), 0, NULL, "");
    await_status(who, our_name(), state);
}

static void kill_one(enum who who, enum victim victim) {
    pid_t pid = init_of(who, our_name());
    if (victim != INIT)
        pid = victim == PROGRAM ? child_of(pid) : parent_of(pid);
    ck_assert(pid > 1 && is_contained(pid) == (victim != WATCHER));
    kill(pid, SIGKILL);
}

/* The watcher cleans up after the others; after the watcher, `rm -f` does. */
static void lose(enum who who, const struct loss *l) {
    make_container(who, l->state);
    kill_one(who, l->victim);
    await_status(who, our_name(), "exited 137");
    await_silence(l->state);
    ck_assert_str_eq(field(who, our_name(), PID), "-");
    if (l->victim != WATCHER) {
        expect_host_unchanged();
        ck_assert_str_eq(fact(who, our_name(), "exit"), "137");
        expect(as(who, "$CONTAINER wait $NAME"), 0, "137\n", "");
    }
    expect(as(who, "$CONTAINER start $NAME"), 0, our_name(), "");
    await_status(who, our_name(), "running");
    expect_removable(who, our_name());
}

START_TEST(outlives_its_processes) {
    const struct loss *l = &losses[_i];
    for (enum who who = OURSELVES; who < (enum who)users(); who++) lose(who, l);
}
END_TEST

/* In version 1 what is frozen dies only when it thaws. */
START_TEST(removes_what_died_frozen) {
    const struct loss *l = &losses[_i];
    make_container(OURSELVES, l->state);
    kill_one(OURSELVES, l->victim);
    expect_removable(OURSELVES, our_name());
    make_container(OURSELVES, l->state);
    kill_one(OURSELVES, l->victim);
    expect(sh("$CONTAINER stop $NAME"), 0, NULL, NULL);
    await_status(OURSELVES, our_name(), "exited");
    expect_removable(OURSELVES, our_name());
}
END_TEST

/* The cgroup of a life that was killed may be busy for a moment, and frozen. As long as a thread of
 * the watcher holds the lock, `start` rightly finds the old life, so it is said again; or we wait
 * until the lock is free, but not for init's end. */
START_TEST(starts_again_after_a_frozen_life) {
    for (int round = 0; round < 20; round += fewer()) {
        make_container(OURSELVES, "paused");
        kill_one(OURSELVES, WATCHER);
        if (_i == 1)
            expect(sh("flock -w %d $CONTAINER_HOME/containers/$NAME true", PATIENCE), 0, "", "");
        struct result r = sh("$CONTAINER start $NAME");
        for (double end = seconds() + PATIENCE * slower();
             _i == 0 && seconds() < end && !starts(field(OURSELVES, our_name(), STATUS), "running");)
            r = sh("$CONTAINER start $NAME");
        expect(r, 0, our_name(), "");
        await_status(OURSELVES, our_name(), "running");
        expect(sh("$CONTAINER exec $NAME hostname"), 0, our_name(), "");
        ck_assert_int_eq(look().inits, 1);
        expect_removable(OURSELVES, our_name());
    }
}
END_TEST

static const struct {
    enum victim victim;
    const char *next; /* and a word that ps says then, or "" */
    const char *status;
} orphans[] = {
    { WATCHER, "rm", "" },
    { WATCHER, "start", "running" },
    { WATCHER, "rm -f", "" },
    { WATCHER, "stop", "exited 137" },
    { WATCHER, "wait", "exited 137" },
    { PROGRAM, "rm", "" },
    { PROGRAM, "start", "running" },
    { INIT, "rm", "" },
    { INIT, "start", "running" },
};

/* The watcher's parent never asks how it ended, so it stays as a zombie. */
START_TEST(a_zombie_does_not_watch) {
    pid_t parent = fork();
    ck_assert_int_ne(parent, -1);
    if (parent == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        launch(OURSELVES, format("run --name %s $BASE sleep 1000", our_name()));
        for (;;) pause();
    }
    await_status(OURSELVES, our_name(), "running");
    pid_t watcher = watcher_of(OURSELVES, our_name());
    ck_assert_int_eq(parent_of(watcher), parent);
    kill_one(OURSELVES, orphans[_i].victim);
    kill_now(orphans[_i].victim == WATCHER ? watcher : 0);
    await_status(OURSELVES, our_name(), "exited 137");
    for (double end = seconds() + PATIENCE * slower(); parent_of(watcher);)
        ck_assert_msg(seconds() < end, "the watcher does not end");
    expect(sh("grep -c '^State:.Z' /proc/%d/status", watcher), 0, "1\n", "");
    expect(sh("$CONTAINER %s $NAME", orphans[_i].next), 0, NULL, "");
    ck_assert_str_eq(field(OURSELVES, our_name(), STATUS), orphans[_i].status);
    expect(sh("$CONTAINER rm -f $NAME"), 0, NULL, "");
    kill(parent, SIGKILL);
    expect_removable(OURSELVES, our_name());
}
END_TEST

/* ---- disk ---- */

enum {
    PLENTY = 100000, /* files or pages */
};

static const char *disk(void) {
    return format("%s/disk", getenv("T"));
}

/* How many more files, and pages of data, the disk can take. */
static void leave_room(int files, int pages) {
    struct statvfs s;
    ck_assert_int_eq(statvfs(disk(), &s), 0);
    char *options = format("nr_inodes=%lu,size=%lu", (unsigned long)(s.f_files - s.f_ffree) + files,
                           ((unsigned long)(s.f_blocks - s.f_bfree) + pages) * s.f_bsize);
    int failed = mount("none", disk(), NULL, MS_REMOUNT, options);
    ck_assert_msg(!failed, "cannot remount with %s", options);
}

/* Containers live on a disk of their own from now on. */
static void insert_disk(void) {
    expect(sh("mkdir -p %s && mount -t tmpfs -o size=1m,mode=755 none %s", disk(), disk()), 0, "", "");
    setenv("CONTAINER_HOME", disk(), 1);
    leave_room(PLENTY, PLENTY);
}

static void eject_disk(void) {
    expect(sh("umount %s", disk()), 0, "", "");
}

/* Little room for files, or for data: a page at least, because 0 would be no limit. */
struct room {
    int files, pages;
};

static struct room little_room(int n) {
    return n % 2 ? (struct room){ n / 2, PLENTY } : (struct room){ PLENTY, n / 2 + 1 };
}

static const char *const starts_with[] = { "run", "run -d", "create" };
enum {
    TRIES = 120,
};

START_TEST(starts_on_a_full_disk) {
    int well = 0, badly = 0;
    for (int n = 0; n < TRIES && well < 2; n++) {
        insert_disk();
        leave_room(little_room(n).files, little_room(n).pages);
        struct result r = sh("$CONTAINER %s --network none --name $NAME $BASE true",
                             starts_with[_i]);
        if (r.status != 0) {
            expect(r, 125, "", "No space left on device");
            await_silence(r.line);
            expect(sh("find %s -mindepth 2", disk()), 0, "", "");
            ck_assert_str_eq(field(OURSELVES, our_name(), STATUS), "");
            badly++;
        } else {
            await_status(OURSELVES, our_name(), _i == 2 ? "created" : "exited");
            expect_removed(OURSELVES, our_name());
            well++;
        }
        eject_disk();
    }
    ck_assert_msg(well && badly > 3, "%d times well, %d badly", well, badly);
}
END_TEST

/* An exited container, with NUMBER in its file /made. */
static void leave_a_number(int number) {
    leave_room(PLENTY, PLENTY);
    expect(sh("$CONTAINER run --network none --name $NAME $BASE"
              "    sh -c '[ -e /made ] || echo %d >/made; cat /made'",
              number),
           0, format("%d\n", number), "");
    await_status(OURSELVES, our_name(), "exited 0");
}

static void expect_number(int number) {
    leave_room(PLENTY, PLENTY);
    expect(sh("$CONTAINER start $NAME"), 0, our_name(), "");
    await_status(OURSELVES, our_name(), "exited 0");
    expect(sh("$CONTAINER logs $NAME | tail -n 1"), 0, format("%d\n", number), "");
}

START_TEST(starts_again_on_a_full_disk) {
    insert_disk();
    for (int n = 0; n < 24; n++) {
        int number = random_between(1, 1 << 30);
        leave_a_number(number);
        leave_room(little_room(n).files, little_room(n).pages);
        struct result r = sh("$CONTAINER start $NAME");
        if (r.status != 0)
            expect(r, 125, "", "No space left on device");
        await_status(OURSELVES, our_name(), "exited ");
        expect_number(number);
        expect_removed(OURSELVES, our_name());
    }
    eject_disk();
}
END_TEST

START_TEST(stops_on_a_full_disk) {
    insert_disk();
    start_sleeper(OURSELVES, our_name());
    leave_room(0, 0);
    if (_i == 0)
        expect(sh("$CONTAINER stop -t 0 $NAME"), 0, NULL, NULL);
    else
        kill_one(OURSELVES, _i == 1 ? INIT : WATCHER);
    await_status(OURSELVES, our_name(), _i == 0 ? "exited 1" : "exited 137"); /* by TERM, or KILL */
    await_silence("stop");
    expect_removed(OURSELVES, our_name());
    eject_disk();
}
END_TEST

/* The program takes all the room that there is, for data and for files. */
static const char *const fills[] = {
    "cat /dev/zero >/fill 2>/dev/null",
    "i=0; while echo >/f$i; do i=$((i + 1)); done 2>/dev/null",
};

/* Yet there is room to write down how it has ended. */
START_TEST(keeps_the_status_on_a_full_disk) {
    const char *run[] = { "run", "run -d" };
    for (int i = 0; i < COUNT(run); i++) {
        int status = random_between(1, 120);
        insert_disk();
        leave_room(200, 200);
        struct result r = sh("$CONTAINER %s --network none --name $NAME $BASE sh -c '%s; exit %d'",
                             run[i], fills[_i], status);
        expect(r, i == 0 ? status : 0, NULL, "");
        expect(sh("$CONTAINER wait $NAME"), 0, format("%d\n", status), "");
        ck_assert_str_eq(field(OURSELVES, our_name(), STATUS), format("exited %d", status));
        struct statvfs s;
        ck_assert_int_eq(statvfs(disk(), &s), 0);
        ck_assert_int_eq(_i == 0 ? s.f_bfree : s.f_ffree, 0);
        r = sh("$CONTAINER start $NAME"); /* if it cannot, nothing has changed */
        if (r.status != 0) {
            expect(r, 125, "", "No space left on device");
            ck_assert_msg(!strcmp(field(OURSELVES, our_name(), STATUS), format("exited %d", status)),
                          "%d has become %s: %s", status, field(OURSELVES, our_name(), STATUS),
                          r.err);
        }
        expect(sh("$CONTAINER wait $NAME"), 0, format("%d\n", status), "");
        expect_removed(OURSELVES, our_name());
        eject_disk();
    }
}
END_TEST

static const char *const writing[] = {
    "run $BASE true",
    "run -d $BASE sleep 1000",
    "create $BASE true",
    "start $NAME",
    "rm $NAME",
};

START_TEST(refuses_a_read_only_disk) {
    int number = random_between(1, 1 << 30);
    insert_disk();
    leave_a_number(number);
    expect(sh("mount -o remount,ro %s && find %s | sort >$T/before", disk(), disk()), 0, "", "");
    for (int i = 0; i < COUNT(writing); i++)
        expect(sh("$CONTAINER %s", writing[i]), 125, "", "Read-only file system");
    await_silence("refused");
    ck_assert_msg(starts(field(OURSELVES, our_name(), STATUS), "exited 0"), "not exited any more");
    expect(sh("mount -o remount,rw %s && find %s | sort | diff $T/before -", disk(), disk()),
           0, "", "");
    expect_number(number);
    expect_removed(OURSELVES, our_name());
    eject_disk();
}
END_TEST

/* ---- together ---- */

static const char *const crowd[] = {
    "run -d --name $NAME $BASE sleep 1000",
    "create --name $NAME $BASE sleep 1000",
    "start $NAME",
    "start $NAME",
    "stop -t 0 $NAME",
    "stop $NAME",
    "kill $NAME",
    "rm $NAME",
    "rm -f $NAME",
    "pause $NAME",
    "unpause $NAME",
    "exec $NAME true",
};

/* A shell's line of COUNT commands. Each may be refused, but must not fail otherwise. An exec that
 * is frozen while it enters waits until it may go on; and `rm -f` kills whoever is at work on the
 * container for more than a second, as on a busy machine. */
static char *random_commands(int count) {
    char *line = "try() { $CONTAINER \"$@\" >/dev/null 2>>$T/errors; status=$?;"
                 "case $1-$status in *-0 | *-125 | exec-137 | run-137 | create-137 | start-137) ;; *) echo \"$* $status\";; esac; };";
    for (int i = 0; i < count; i++)
        line = format("%s try %s;", line, crowd[random_between(0, COUNT(crowd) - 1)]);
    return format("%s try unpause $NAME;", line);
}

START_TEST(several_may_want_it) {
    for (int round = 0; round < 2; round++) {
        char *line = "";
        for (int shell = 0; shell < 2 + round; shell++)
            line = format("%s { %s } & ", line, random_commands(20));
        expect(sh("%s wait", line), 0, "", "");
        expect_truth(our_name());
        expect_removable(OURSELVES, our_name());
        expect(sh("$CONTAINER run --rm --name $NAME $BASE probe exit 7"), 7, "", "");
    }
}
END_TEST

/* ---- many ---- */

static int count_files(const char *directory) {
    int n = 0;
    DIR *d = opendir(directory);
    while (readdir(d)) n++;
    closedir(d);
    return n;
}

/* What else could pile up is in the picture that the harness has taken before. */
START_TEST(leaves_nothing_200_times) {
    int open_files = count_files("/proc/self/fd");
    for (int i = 0; i < 10; i += fewer())
        expect(sh("set -e; for i in $(seq 20); do $CONTAINER create --name $NAME $BASE sleep 1000;"
                  "  $CONTAINER start $NAME; $CONTAINER stop $NAME; $CONTAINER rm $NAME;"
                  "done >/dev/null"),
               0, "", "");
    expect_host_unchanged();
    ck_assert_int_eq(count_files("/proc/self/fd"), open_files);
    expect(sh("ls -A $CONTAINER_HOME/containers 2>/dev/null || :"), 0, "", "");
}
END_TEST

enum {
    MANY = 50,
};

/* How many different words CONTAINER ps has in this column of lines whose status is STATUS. */
static int different(const char *status, enum column column) {
    return atoi(sh("$CONTAINER ps | awk -F '  +' '$2 ~ /^%s/ { print $%d }' | sort -u | wc -l",
                   status, column)
                    .out);
}

START_TEST(runs_50_at_once) {
    expect(sh("for i in $(seq %d); do echo $NAME.$i; done >$T/names", MANY), 0, "", "");
    expect(sh("for i in $(cat $T/names); do $CONTAINER run -d --name $i $BASE sleep 1000 || exit;"
              "done | diff $T/names -"),
           0, "", "");
    ck_assert_int_eq(different("running", NAME), MANY);
    ck_assert_int_eq(different("running", PID), MANY);
    ck_assert_int_eq(different("running", IP), MANY);
    ck_assert_int_eq(look().inits, MANY);
    expect(sh("for i in $(cat $T/names); do $CONTAINER exec $i hostname || exit;"
              "done | diff $T/names -"),
           0, "", "");
    expect(sh("$CONTAINER ps | awk -F '  +' '$2 == \"running\" { print $1, $4 }' >$T/leases;"
              "while read name ip; do"
              "  $CONTAINER exec $name ip addr show eth0 </dev/null | grep -o \"inet $ip/16\";"
              "done <$T/leases | sort -u | wc -l"),
           0, format("%d\n", MANY), "");
    expect(sh("$CONTAINER stop $(cat $T/names)"), 0, NULL, "");
    ck_assert_int_eq(different("exited", NAME), MANY);
    await_silence("stop");
    expect_host_unchanged();
    expect(sh("$CONTAINER rm $(cat $T/names) && $CONTAINER ps | wc -l"), 0, "1\n", "");
}
END_TEST

/* The same as fast as it goes: each gets an address of its own all the same. */
START_TEST(starts_many_at_the_same_time) {
    expect(sh("for i in $(seq %d); do $CONTAINER run -d --name $NAME.$i $BASE sleep 1000 & done;"
              "wait",
              MANY / 2),
           0, NULL, "");
    ck_assert_int_eq(different("running", IP), MANY / 2);
    expect(sh("for i in $(seq %d); do $CONTAINER rm -f $NAME.$i & done; wait", MANY / 2), 0, "",
           "");
    expect_removable(OURSELVES, "$NAME.1");
}
END_TEST

/* ---- hostile ---- */

/* A bystander, who would show every signal: those that do not kill it stay pending. */
static pid_t start_bystander(void) {
    sigset_t all;
    pid_t pid = fork();
    ck_assert_int_ne(pid, -1);
    if (pid > 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    for (;;) pause();
}

static void expect_unharmed(pid_t pid) {
    expect(sh("grep -cE '^(ShdPnd|SigPnd):.0+$' /proc/%d/status", pid), 0, "2\n", "");
    expect(sh("grep -cE '^State:.[SR]' /proc/%d/status", pid), 0, "1\n", "");
}

/* Nobody has a lock on the file pid; or somebody has, but it is not as long as a watcher's. */
static const struct lie {
    bool locked;
    int length; /* 0: without an end */
} lies[] = { { false, 0 }, { true, 0 }, { true, 1 }, { true, 4194304 } };

/* Have the file pid say that BYSTANDER is init. Our lock lasts until the file is closed. */
static int lie(const struct lie *l, pid_t bystander) {
    int fd = open(format("%s/containers/%s/pid", getenv("CONTAINER_HOME"), our_name()),
                  O_RDWR | O_TRUNC | O_CLOEXEC);
    ck_assert_int_gt(dprintf(fd, "%d\n", bystander), 0);
    struct flock lock = { .l_type = F_WRLCK, .l_len = l->length };
    if (l->locked) /* a thread of the watcher may still be dying */
        ck_assert_int_eq(fcntl(fd, F_SETLKW, &lock), 0);
    return fd;
}

START_TEST(spares_who_has_its_pid_now) {
    start_sleeper(OURSELVES, our_name());
    kill_one(OURSELVES, WATCHER);
    await_silence("killed");
    pid_t bystander = start_bystander();
    int fd = lie(&lies[_i], bystander);
    ck_assert_msg(starts(field(OURSELVES, our_name(), STATUS), "exited "), "ps says %s",
                  field(OURSELVES, our_name(), STATUS));
    ck_assert_str_eq(field(OURSELVES, our_name(), PID), "-");
    expect(sh("$CONTAINER exec $NAME true"), 125, "", our_name());
    expect(sh("$CONTAINER pause $NAME"), 125, "", our_name());
    expect(sh("$CONTAINER stop -t 0 $NAME"), 0, NULL, NULL);
    expect_unharmed(bystander);
    expect(sh("$CONTAINER kill $NAME"), 0, NULL, NULL);
    expect(sh("$CONTAINER kill -s USR1 $NAME"), 0, NULL, NULL);
    expect_unharmed(bystander);
    expect(sh("$CONTAINER rm -f $NAME"), 0, NULL, "");
    expect_unharmed(bystander);
    close(fd);
    kill(bystander, SIGKILL);
    status_of(bystander);
    expect_removable(OURSELVES, our_name());
}
END_TEST

/* The number may now be that of another container. */
START_TEST(spares_another_container) {
    const char *other = format("y%s", our_name());
    start_sleeper(OURSELVES, our_name());
    kill_one(OURSELVES, WATCHER);
    await_silence("killed");
    start_sleeper(OURSELVES, other);
    close(lie(&lies[0], init_of(OURSELVES, other)));
    expect(sh("$CONTAINER exec $NAME true"), 125, "", our_name());
    expect(sh("$CONTAINER stop -t 0 $NAME; $CONTAINER kill $NAME; $CONTAINER rm -f $NAME"), 0, NULL,
           NULL);
    ck_assert_str_eq(field(OURSELVES, other, STATUS), "running");
    expect(sh("$CONTAINER exec %s hostname", other), 0, other, "");
    expect_removable(OURSELVES, other);
}
END_TEST

/* kill(-1) would be everybody, so it happens in a small world. */
START_TEST(spares_everybody) {
    static const char *const nobody[] = { "-1", "0", "", "x", "99999999999999999999" };
    expect(sh("$CONTAINER run --network none --name $NAME $BASE true"), 0, "", "");
    expect(sh("cd $CONTAINER_HOME/containers/$NAME && echo '%s' >pid;"
              "unshare --pid --fork --mount-proc sh -c 'sleep 1000 &"
              "    $CONTAINER stop -t 0 $NAME; $CONTAINER kill $NAME; $CONTAINER rm -f $NAME;"
              "    kill -0 $! && echo unharmed'",
              nobody[_i]),
           0, "unharmed\n", NULL);
    expect_removable(OURSELVES, our_name());
}
END_TEST

/* The first line may have been cut when the log started again. */
START_TEST(loses_its_watcher_while_it_writes) {
    expect(sh("$CONTAINER run -d --name $NAME $BASE yes %s", our_name()), 0, our_name(), "");
    for (double end = seconds() + PATIENCE * slower(); !*sh("$CONTAINER logs $NAME | head -c 1").out;)
        ck_assert_msg(seconds() < end, "nothing in the log");
    kill_one(OURSELVES, WATCHER);
    await_silence("killed");
    await_status(OURSELVES, our_name(), "exited 137");
    expect(sh("$CONTAINER logs $NAME | sed -n 2p"), 0, format("%s\n", our_name()), NULL);
    expect_removable(OURSELVES, our_name());
}
END_TEST

/* The client of `stop` dies when it has sent TERM, and waits. Then nobody sends KILL. */
START_TEST(loses_who_stops_it) {
    expect(sh("$CONTAINER run -d --name $NAME $BASE"
              "    sh -c 'trap \"echo heard\" TERM; echo ready; while :; do sleep 0.1; done'"),
           0, our_name(), "");
    for (int i = 0; i < 2; i++) {
        const char *wanted = i == 0 ? "ready" : "heard";
        struct engine e = { 0 };
        if (i == 1)
            e = launch(OURSELVES, "stop -t 30 $NAME");
        for (double end = seconds() + PATIENCE * slower(); !strstr(sh("$CONTAINER logs $NAME").out, wanted);)
            ck_assert_msg(seconds() < end, "%s never came", wanted);
        if (i == 1) {
            ck_assert(!has_ended(e.client));
            kill(e.client, SIGKILL);
            ck_assert_int_eq(status_of(e.client), 128 + SIGKILL);
            close(e.says);
        }
    }
    await_status(OURSELVES, our_name(), "running");
    expect(sh("$CONTAINER exec $NAME hostname"), 0, our_name(), "");
    if (_i == 0)
        expect(sh("$CONTAINER stop -t 0 $NAME"), 0, NULL, "");
    expect_removable(OURSELVES, our_name());
}
END_TEST

/* A watcher that does not move can neither reap nor clean up: `rm -f` must not wait for it. If it
 * is left, it must do no harm when it goes on. */
START_TEST(removes_what_nobody_watches) {
    make_container(OURSELVES, _i == 0 ? "running" : "paused");
    pid_t watcher = parent_of(init_of(OURSELVES, our_name()));
    ck_assert_int_eq(kill(watcher, SIGSTOP), 0);
    expect(sh("$CONTAINER rm -f $NAME"), 0, "", "");
    ck_assert_int_eq(look().inside, 0);
    kill(watcher, SIGCONT);
    expect_removable(OURSELVES, our_name());
    expect(sh("$CONTAINER run --rm --name $NAME $BASE probe exit 7"), 7, "", "");
}
END_TEST

static const struct {
    const char *before, *command;
} interrupted[] = {
    { "run -d", "stop -t 0 $NAME" },
    { "run -d", "kill $NAME" },
    { "run -d", "rm -f $NAME" },
    { "run -d", "pause $NAME" },
    { "create", "start $NAME" },
    { "create", "rm -f $NAME" },
    { "run", "start $NAME" },
    { "run", "rm $NAME" },
    { "run", "commit $NAME img" },
};

/* A client may die at any time: what it began is then done, half done or not done, but can be
 * removed, and no data is lost. */
START_TEST(its_clients_may_die) {
    const char *before = interrupted[_i].before, *command = interrupted[_i].command;
    bool exited = !strcmp(before, "run");
    for (int i = 0; i < 8; i += fewer()) {
        expect(sh("$CONTAINER %s --name $NAME $BASE %s", before,
                  exited ? "sh -c 'echo >/made'" : "sleep 1000"),
               0, NULL, "");
        struct engine e = launch(OURSELVES, command);
        usleep(random_between(0, 6000));
        kill(e.client, SIGKILL);
        hear_out(&e);
        status_of(e.client);
        if (exited && !strstr(command, "rm"))
            expect(sh("find $CONTAINER_HOME -path '*/made'"), 0, "made\n", NULL);
        expect_truth(our_name());
        expect_removable(OURSELVES, our_name());
        expect(sh("rm -rf $CONTAINER_HOME/images $CONTAINER_HOME/layers"), 0, "", "");
        expect(sh("$CONTAINER run --rm --name $NAME $BASE probe exit 7"), 7, "", "");
    }
}
END_TEST

/* ---- calls ---- */

/* Run the command and stop it where each system call begins or ends; kill it at the Nth such
 * place, with its children. False: there are fewer, and it has ended. */
static bool die_at_call(const char *command, const char *name, int n) {
    const char *program = getenv("CONTAINER");
    pid_t client = fork(), pid;
    ck_assert_int_ne(client, -1);
    if (client == 0 && program) {
        dup2(open("/dev/null", O_RDWR), 1);
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        if (!strcmp(command, "create"))
            execl(program, "container", command, "--name", name, getenv("BASE"), "true", NULL);
        execl(program, "container", command, name, NULL);
        _exit(124);
    }
    for (int status, places = 0; (pid = waitpid(-1, &status, __WALL)) > 0;) {
        if (!WIFSTOPPED(status))
            continue;
        int sig = WSTOPSIG(status);
        if (sig == SIGTRAP && places == 0) /* the first one is the exec */
            ptrace(PTRACE_SETOPTIONS, pid, NULL,
                   PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_EXITKILL);
        places += sig == (SIGTRAP | 0x80);
        if (places > n) {
            kill_descendants(getpid(), 0);
            await_silence(command);
            return true;
        }
        sig &= 0x7f;
        ptrace(PTRACE_SYSCALL, pid, NULL, sig == SIGTRAP || sig == SIGSTOP ? 0 : (long)sig);
    }
    return false;
}

/* It is created or incomplete, or there is nothing. */
START_TEST(dies_at_every_call_of_create) {
    int every = fewer(), stride = every * SHARES;
    for (int n = _i * every + random_between(0, every - 1), more = 1; more; n += stride) {
        more = die_at_call("create", our_name(), n);
        char *status = field(OURSELVES, our_name(), STATUS);
        bool fits = starts(status, "created") || (more && (!*status || starts(status, "incomplete")));
        ck_assert_msg(fits, "place %d: %s", n, status);
        struct result r = sh("$CONTAINER run --network none --name $NAME $BASE probe exit 7");
        if (*status)
            expect(r, 125, "", our_name());
        else
            expect(r, 7, "", "");
        r = sh("$CONTAINER start $NAME");
        if (r.status != 0)
            expect(r, 125, "", "container: ");
        expect_removable(OURSELVES, our_name());
    }
}
END_TEST

/* The script and the programs that it runs make thousands of calls. */
START_TEST(dies_at_every_call_of_rm) {
    int every = 20 * fewer(), stride = every * SHARES;
    for (int n = _i * every + random_between(0, every - 1), more = 1; more; n += stride) {
        expect(sh("$CONTAINER run --network none --name $NAME $BASE"
                  "    sh -c 'mkdir -p /a/b; echo >/a/b/c'"),
               0, "", "");
        more = die_at_call("rm", our_name(), n);
        char *status = field(OURSELVES, our_name(), STATUS);
        bool half = starts(status, "exited") || starts(status, "incomplete") ||
                    starts(status, "created");
        ck_assert_msg(!*status || (more && half), "place %d: %s", n, status);
        expect_removable(OURSELVES, our_name());
        expect(sh("$CONTAINER run --rm --network none --name $NAME $BASE probe exit 7"), 7, "", "");
    }
}
END_TEST

static void add_hostile_tests(Suite *s) {
    TCase *t = new_case(s, "hostile");
    tcase_add_loop_test(t, spares_who_has_its_pid_now, 0, COUNT(lies));
    tcase_add_test(t, spares_another_container);
    tcase_add_loop_test(t, spares_everybody, 0, 5);
    tcase_add_test(t, loses_its_watcher_while_it_writes);
    tcase_add_loop_test(t, loses_who_stops_it, 0, 2);
    tcase_add_loop_test(t, removes_what_nobody_watches, 0, 2);
    tcase_add_loop_test(t, its_clients_may_die, 0, COUNT(interrupted));

    t = new_case(s, "calls");
    tcase_add_loop_test(t, dies_at_every_call_of_create, 0, SHARES);
    tcase_add_loop_test(t, dies_at_every_call_of_rm, 0, SHARES);
}

Suite *crash_suite(void) {
    Suite *s = suite_create("crash");
    TCase *t = new_case(s, "killed");
    tcase_add_loop_test(t, outlives_its_processes, 0, 3);
    if (is_root()) {
        tcase_add_loop_test(t, removes_what_died_frozen, 3, COUNT(losses));
        tcase_add_loop_test(t, starts_again_after_a_frozen_life, 0, 2);
        tcase_add_loop_test(t, a_zombie_does_not_watch, 0, COUNT(orphans));
    }
    if (!is_root()) {
        left_out("most of what may crash", "to pause, to mount and to have addresses needs root");
        return s;
    }

    t = new_case(s, "steps");
    tcase_add_loop_test(t, dies_at_every_step, 0, COUNT(sweeps) * SHARES);
    tcase_add_test(t, stops_what_is_being_set_up);
    tcase_add_loop_test(t, nobody_waits_for_ever_for_set_up, 0, COUNT(impatient));

    t = new_case(s, "disk");
    tcase_add_loop_test(t, starts_on_a_full_disk, 0, COUNT(starts_with));
    tcase_add_test(t, starts_again_on_a_full_disk);
    tcase_add_loop_test(t, stops_on_a_full_disk, 0, 3);
    tcase_add_loop_test(t, keeps_the_status_on_a_full_disk, 0, COUNT(fills));
    tcase_add_test(t, refuses_a_read_only_disk);

    t = new_case(s, "together");
    tcase_add_loop_test(t, several_may_want_it, 0, 4);

    t = new_case(s, "many");
    tcase_add_test(t, leaves_nothing_200_times);
    tcase_add_test(t, runs_50_at_once);
    tcase_add_test(t, starts_many_at_the_same_time);
    add_hostile_tests(s);
    return s;
}
