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
static char *paths[COUNT(trees)];
static bool version2;

/* ---- the container's directories ---- */

/* Below our own cgroup, which a line NUMBER:CONTROLLER,...:PATH of /proc/self/cgroup tells;
 * version 2 names no controller. As root there we go to the top, where limits can be given. */
static char *find_path(const char *controller) {
    char *lines = get("/proc/self/cgroup"), *line, *name;
    while ((line = strsep(&lines, "\n")) && strsep(&line, ":")) {
        char *list = strsep(&line, ":"), *names = text("%s", list);
        while ((name = strsep(&names, ",")))
            if (!strcmp(name, version2 ? "" : controller))
                return text("/sys/fs/cgroup/%s%s/container-%s", list,
                            version2 && !opt.rootless ? "" : line, opt.name);
    }
    return NULL;
}

static void set_limit(const struct limit *l) {
    const char *name = version2 ? l->file2 : l->file1, *path = find_path(l->controller);
    if (!*l->value || !name) return;
    char *file = text("%s/%s", path ? path : "/sys/fs/cgroup", name);
    if (access(file, F_OK) == 0)
        must(put(file, version2 ? l->format2 : l->format1, *l->value), "%s %s", file, *l->value);
    else if (!strstr(name, "sw")) /* a kernel may not count swap: then there is nothing to limit */
        die("limit %s %s: the cgroups here have no %s", l->controller, *l->value, file);
}

#define REMEDY " (rootless: systemd-run --user --scope -p Delegate=yes container run ...)"

int cgroup_create(void) {
    char *all = "";
    version2 = access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0;
    if (opt.rootless && !opt.memory && !opt.cpus && !opt.pids && !opt.io) return -1;
    for (int i = 0; i < (version2 ? 1 : COUNT(trees)); i++) {
        if (!(paths[i] = find_path(trees[i]))) continue;
        all = text("%s%s\n", all, paths[i]);
        must(put("cgroup", "%s", all));
        rmdir(paths[i]); /* bare: what a crash has left */
        must(mkdir(paths[i], 0755), "%s%s", paths[i], opt.rootless ? REMEDY : "");
        fs_mount(paths[i], text("/sys/fs/cgroup/%s", version2 ? "" : trees[i]), PLAIN);
    }
    for (int i = 0; i < COUNT(limits) && version2; i++) /* bare: set_limit sees what is missing */
        put(text("%s/../cgroup.subtree_control", paths[0]), "+%s", limits[i].controller);
    if (opt.cpus) /* from processors to microseconds in each period of 100 ms */
        opt.cpus = text("%.0f", strtod(opt.cpus, NULL) * 100000);
    for (int i = 0; i < COUNT(limits); i++) set_limit(&limits[i]);
    return version2 ? must(open(paths[0], O_PATH | O_DIRECTORY | O_CLOEXEC), "%s", paths[0]) : -1;
}

void cgroup_join(pid_t pid) {
    for (int i = 0; i < COUNT(trees) && !version2; i++)
        if (paths[i])
            must(put(text("%s/cgroup.procs", paths[i]), "%d", pid), "%s", paths[i]);
}

/* ---- afterwards ---- */

long cgroup_oom_kills(void) {
    char *file = text("%s/%s", paths[0], version2 ? "memory.events" : "memory.oom_control");
    char *line = strstr(get(file), "oom_kill "); /* the same in both */
    return line ? atol(line + strlen("oom_kill ")) : 0;
}

void cgroup_remove(void) {
    char *all = get("cgroup"), *path;
    while ((path = strsep(&all, "\n")))
        for (int tries = 0; *path && rmdir(path) == -1 && errno == EBUSY && tries < 100; tries++)
            usleep(10000); /* its last process has ended, but is still being counted out */
}
