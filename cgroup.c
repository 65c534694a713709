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
#include <sched.h>

/* ---- tables ---- */

/* A row for each file: who gives the value, and what is written into which file of version 2
 * and of version 1 (NULL: there is no such file). The kernel knows what 64M means. */
static const struct limit {
    const char *option, *controller;
    char **value;
    const char *file2, *format2, *file1, *format1;
} limits[] = {
    // clang-format off
    { "--memory",     "memory", &opt.memory, "memory.max",       "%s", "memory.limit_in_bytes",       "%s" },
    { "swap",         "memory", &opt.memory, "memory.swap.max",  "0",  "memory.memsw.limit_in_bytes", "%s" },
    { "--memory",     "memory", &opt.memory, "memory.oom.group", "1",  NULL,                          NULL },
    { "--cpus",       "cpu",    &opt.cpus,   "cpu.max",          "%s", "cpu.cfs_quota_us",            "%s" },
    { "--pids-limit", "pids",   &opt.pids,   "pids.max",         "%s", "pids.max",                    "%s" },
    { "--io",         "io",     &opt.io,     "io.max",           "%s", "version 2 only",              "%s" },
    // clang-format on
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
    const char *name = version2 ? l->file2 : l->file1, *path = paths[0];
    for (int i = 0; i < COUNT(trees) && !version2; i++)
        if (!strcmp(trees[i], l->controller))
            path = paths[i];
    if (!*l->value || !name)
        return;
    char *file = text("%s/%s", path, name);
    if (access(file, F_OK) == 0)
        must(put(file, version2 ? l->format2 : l->format1, *l->value), "%s %s", file, *l->value);
    else if (*l->option == '-') /* and a kernel that does not count swap needs no limit of it */
        die("%s %s: the %s controller is not usable here: %s", l->option, *l->value, l->controller, file);
}

/* Version 2: a controller works in a group when the parent passes it on. */
static void enable_controllers(void) {
    char *parent = text("%.*s", (int)(strrchr(paths[0], '/') - paths[0]), paths[0]);
    for (int i = 0; i < COUNT(limits); i++)
        put(text("%s/cgroup.subtree_control", parent), "+%s", limits[i].controller); /* bare: set_limit will see */
}

int cgroup_create(void) {
    char *all = "";
    version2 = access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0;
    if (opt.rootless && !opt.memory && !opt.cpus && !opt.pids && !opt.io)
        return -1;
    for (int i = 0; i < (version2 ? 1 : COUNT(trees)); i++)
        if ((paths[i] = find_path(trees[i])))
            all = text("%s%s\n", all, paths[i]);
    must(put("cgroup", "%s", all));
    cgroup_remove(); /* what a crash has left */
    for (int i = 0; i < COUNT(trees); i++)
        if (paths[i] && mkdir(paths[i], 0755) == -1 && errno != EEXIST) /* cpu and cpuacct may be one tree */
            die("%s: %s\n  Limits for an ordinary user need a cgroup of their own:\n"
                "  systemd-run --user --scope -p Delegate=yes container run ...", paths[i], strerror(errno));
    if (version2)
        enable_controllers();
    if (opt.cpus) /* from processors to microseconds in each period of 100 ms */
        opt.cpus = text("%.0f", strtod(opt.cpus, NULL) * 100000);
    for (int i = 0; i < COUNT(limits); i++)
        set_limit(&limits[i]);
    return version2 ? must(open(paths[0], O_PATH | O_DIRECTORY | O_CLOEXEC), "%s", paths[0]) : -1;
}

void cgroup_join(pid_t pid) {
    for (int i = 0; i < COUNT(trees) && !version2; i++)
        if (paths[i])
            must(put(text("%s/cgroup.procs", paths[i]), "%d", pid), "%s", paths[i]);
}

/* ---- looking ---- */

void cgroup_show(void) {
    struct mount_attr rdonly = { .attr_set = MOUNT_ATTR_RDONLY };
    const char *type = version2 ? "cgroup2" : "tmpfs", *top = "/sys/fs/cgroup";
    int flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
    must(sys(mount, type, top, type, flags, NULL), "%s", type);
    for (int i = 0; i < COUNT(trees) && !version2; i++) {
        if (!paths[i])
            continue;
        char *where = text("%s/%s", top, trees[i]);
        must(mkdir(where, 0755), "%s", where);
        must(sys(mount, "cgroup", where, "cgroup", flags, trees[i]), "%s", where);
    }
    must(sys(mount_setattr, AT_FDCWD, top, AT_RECURSIVE, &rdonly, sizeof rdonly));
}

long cgroup_oom_kills(void) {
    char *events = get(text("%s/%s", paths[0], version2 ? "memory.events" : "memory.oom_control"));
    char *kills = strstr(events, "oom_kill "); /* a line of its own in both */
    return kills ? atol(kills + strlen("oom_kill ")) : 0;
}

void cgroup_remove(void) {
    char *all = get("cgroup"), *path;
    while ((path = strsep(&all, "\n")))
        for (int tries = 0; *path && rmdir(path) == -1 && errno == EBUSY && tries < 100; tries++)
            usleep(10000); /* its last process has ended, but is still being counted out */
}
