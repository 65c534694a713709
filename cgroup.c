/* SPDX-License-Identifier: MIT */
/*
 * cgroup.c - how much the container may use.
 *
 *      version 2: one tree            version 1: a tree for each controller
 *
 *      /sys/fs/cgroup                 /sys/fs/cgroup/memory/OURS
 *        container-NAME                 container-NAME
 *          memory.max cpu.max             memory.limit_in_bytes
 *          pids.max io.max            /sys/fs/cgroup/pids/OURS
 *                                       container-NAME
 *                                         pids.max
 *
 * A limit is a number written into a file; a count is read from one. The directories
 * that we made are listed in the state file cgroup, for whoever removes them.
 * Read limits, then cgroup_create.
 */
#include "container.h"

/* ---- tables ---- */

/* A row for each file: which controller, who gives the value, and what is written into which
 * file of version 2 and of version 1 (NULL: there is none). The kernel knows what 64M means. */
static const struct limit {
    const char *controller;
    char **value;
    const char *file2, *format2, *file1, *format1;
} limits[] = {
    { "memory", &opt.memory, "memory.max", "%s", "memory.limit_in_bytes", "%s" },
    { "memory", &opt.memory, "memory.swap.max", "0", "memory.memsw.limit_in_bytes", "%s" },
    { "memory", &opt.memory, "memory.oom.group", "1", NULL, NULL },
    { "cpu", &opt.cpus, "cpu.max", "%s", "cpu.cfs_quota_us", "%s" },
    { "pids", &opt.pids, "pids.max", "%s", "pids.max", "%s" },
    { "io", &opt.io, "io.max", "%s", "io.max, which is version 2", "%s" },
};

/* The trees of version 1 that we use. In version 2 one serves all. */
static const char *const trees[] = { "memory", "cpu", "cpuacct", "pids", "freezer" };
static bool version2;

/* ---- the container's directories ---- */

#define ASIDE "/container.watchers" /* a cgroup for ourselves: see make_room */

/* Below our own cgroup, which a line NUMBER:CONTROLLER,...:PATH of /proc/self/cgroup tells;
 * version 2 names no controller. As root there we go to the top, where limits can be given. */
static char *find_path(const char *controller) {
    static char *own;
    if (!own) own = get("/proc/self/cgroup");
    each_line (line, text("%s", own)) {
        strsep(&line, ":");
        char *list = strsep(&line, ":"), *aside = strstr(line, ASIDE);
        if (aside) *aside = '\0';
        if (strstr(text(",%s,", list), text(",%s,", version2 ? "" : controller)))
            return text("/sys/fs/cgroup/%s%s/container-%s", list,
                        version2 && !opt.rootless ? "" : line, opt.name);
    }
    return NULL;
}

static void set_limit(const struct limit *l) {
    const char *name = version2 ? l->file2 : l->file1, *path = find_path(l->controller);
    /* without a limit, too: it counts what is used. Bare: what is missing is seen below */
    if (version2) put(text("%s/../cgroup.subtree_control", path), "+%s", l->controller);
    if (!*l->value || !name) return;
    char *file = text("%s/%s", path ? path : "/sys/fs/cgroup", name);
    if (access(file, F_OK) == 0)
        must(put(file, version2 ? l->format2 : l->format1, *l->value), "%s %s", file, *l->value);
    else if (!strstr(name, "sw")) /* a kernel may not count swap: then there is nothing to limit */
        die("limit %s %s: the cgroups here have no %s", l->controller, *l->value, file);
}

/* Version 2 gives limits only below a cgroup that has no process of its own: so all that are in
 * ours, as we are, go one down. Bare: then there is no file for the limit. */
static void make_room(const char *ours) {
    fs_mkdirs(text("%s" ASIDE "/", ours));
    each_line (pid, get(text("%s/cgroup.procs", ours)))
        put(text("%s" ASIDE "/cgroup.procs", ours), "%s", pid);
}

#define REMEDY " (rootless: systemd-run --user --scope -p Delegate=yes container run ...)"

int cgroup_create(void) {
    char *all = "", *path = NULL;
    version2 = access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0;
    bool limited = opt.memory || opt.cpus || opt.pids || opt.io;
    if (opt.rootless && !limited) return -1;
    for (int i = 0; i < (version2 ? 1 : COUNT(trees)); i++)
        if ((path = find_path(trees[i]))) all = text("%s%s\n", all, path);
    must(put("cgroup", "%s", all)); /* before they are there: so that none is ever forgotten */
    for (int i = 0; i < (version2 ? 1 : COUNT(trees)); i++) {
        if (!(path = find_path(trees[i]))) continue;
        rmdir(path); /* bare: what a crash has left */
        long made = mkdir(path, 0755);
        if (made == -1 && errno != EEXIST && !limited) return -1; /* not our machine: do without */
        must(made, "= mkdir %s%s", path, opt.rootless ? REMEDY : "");
        fs_mount(path, text("/sys/fs/cgroup/%s", version2 ? "" : trees[i]), PLAIN);
    }
    /* a file that all of version 2 have, but for the top, which needs no room */
    if (access(text("%s/../cgroup.type", path), F_OK) == 0) make_room(text("%s/..", path));
    /* from processors to microseconds in each period of 100 ms */
    if (opt.cpus) opt.cpus = text("%.0f", strtod(opt.cpus, NULL) * 100000);
    for (int i = 0; i < COUNT(limits); i++) set_limit(&limits[i]);
    return version2 ? must(open(path, O_PATH | O_DIRECTORY | O_CLOEXEC), "%s", path) : -1;
}

/* ---- while it runs, and by whoever comes ---- */

/* Write VALUE into FILE of every directory of the container that has one. How many have? */
static int write_all(const char *file, const char *value) {
    int found = 0;
    each_line (dir, get("cgroup")) {
        char *path = text("%s/%s", dir, file);
        long written = put(path, "%s", value);
        if (written == -1 && (errno == ENOENT || errno == ENODEV)) continue; /* or it has gone */
        must(written, "%s %s", path, value);
        found++;
    }
    return found;
}

void cgroup_join(void) {
    if (!write_all("tasks", "0")) write_all("cgroup.procs", "0");
}

/* Only the last of the trees, or the only one, can freeze. */
bool cgroup_frozen(void) {
    char *dir = strrchr(text("\n%s", get("cgroup")), '\n') + 1;
    return strstr(get(text("%s/cgroup.events", dir)), "frozen 1") ||
           !strcmp(get(text("%s/freezer.state", dir)), "FROZEN");
}

bool cgroup_freeze(bool freeze) {
    int found = write_all("freezer.state", freeze ? "FROZEN" : "THAWED") +
                write_all("cgroup.freeze", freeze ? "1" : "0");
    for (int tries = 0; found && cgroup_frozen() != freeze && tries < 100; tries++) usleep(10000);
    return found;
}

/* ---- afterwards ---- */

long cgroup_oom_kills(void) {
    char *file = version2 ? "memory.events" : "memory.oom_control", *path = find_path("memory");
    char *line = strstr(get(text("%s/%s", path, file)), "oom_kill "); /* the same in both */
    return line ? atol(line + strlen("oom_kill ")) : 0;
}

void cgroup_remove(void) {
    each_line (dir, get("cgroup")) /* its last process has ended, but is still being counted out */
        for (int n = 0; *dir && rmdir(dir) == -1 && errno == EBUSY && n < 100; n++) usleep(10000);
}
