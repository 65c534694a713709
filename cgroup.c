/* SPDX-License-Identifier: MIT */
/*
 * cgroup.c - how much the container may use.
 *
 *      version 2: one tree            hybrid: version 1 has the limits
 *
 *      /sys/fs/cgroup                 /sys/fs/cgroup/unified (version 2)
 *        container-NAME                 container-NAME
 *          memory.max cpu.max             cgroup.freeze
 *          pids.max                   /sys/fs/cgroup/memory
 *          cgroup.freeze                container-NAME
 *                                         memory.limit_in_bytes
 *
 * A limit is a number that is written into a file; a count is read from one. The fact `cgroup`
 * lists the container's directories, for commands that come later. Read limits, then cgroup_create.
 */
#include "container.h"

/* ---- limits ---- */

/* A row for each file: the controller, which is also the name of its tree in version 1; the option
 * that asks for it; the file of version 2 and what is written there; the file of version 1, where
 * the option's value is written. Rows without a version 1 file are extras, for kernels that have
 * such a file. The first tree is version 2's also on a hybrid host: every container has a name, and
 * can be frozen. */
static const struct limit {
    const char *controller;
    char **value;
    const char *file2, *format, *file1;
} limits[] = {
    { "unified", &opt.name, "cgroup.freeze", "0", NULL },
    { "memory", &opt.memory, "memory.max", "%s", "memory.limit_in_bytes" },
    { "memory", &opt.memory, "memory.swap.max", "0", NULL },
    { "memory", &opt.memory, "memory.memsw.limit_in_bytes", "%s", NULL },
    { "memory", &opt.memory, "memory.kmem.tcp.limit_in_bytes", "%s", NULL },
    { "memory", &opt.memory, "memory.oom.group", "1", NULL },
    { "cpu", &opt.cpus, "cpu.max", "%s", "cpu.cfs_quota_us" },
    { "pids", &opt.pids, "pids.max", "%s", "pids.max" },
};

/* ---- all directories of the container ---- */

bool cgroup_write(const char *file, const char *value) {
    bool found = false;
    each_line (dir, get("cgroup")) {
        char *path = text("%s/%s", dir, file);
        if (access(path, F_OK) == -1) continue;
        found = must(put(path, "%s", value), "%s = %s in %s", file, value, dir) == 0;
    }
    return found;
}

bool cgroup_says(const char *file, const char *pattern) {
    bool found = false;
    each_line (dir, get("cgroup")) found |= matches(get(text("%s/%s", dir, file)), pattern);
    return found;
}

/* ---- before it runs ---- */

/* A controller counts without a limit, too: it is enabled once, by the row that is not an extra.
 * Bare: if it is missing, no file is found below. */
static void set_limit(const struct limit *l) {
    each_line (dir, l->file1 ? get("cgroup") : NULL)
        put(text("%s/../cgroup.subtree_control", dir), "+%s", l->controller);
    if (!*l->value || cgroup_write(l->file2, text(l->format, *l->value)) || !l->file1) return;
    if (!cgroup_write(l->file1, *l->value))
        die("limit %s %s: no file %s; try: container delegate", l->controller, *l->value, l->file2);
}

/* Root's containers go to the top of each tree. A user's go beside the user's own cgroup, 0::PATH
 * in /proc/self/cgroup: below it no limits can be given, because there are processes in it. From
 * there --cgroup-parent leads further down. */
void cgroup_create(void) {
    bool version2 = access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0;
    char *by = opt.memory ? "--memory" : (opt.cpus ? "--cpus" : (opt.pids ? "--pids-limit" : NULL));
    char *own = strstr(get("/proc/self/cgroup"), "0::/"), *place = "", *all = "";
    if (own && opt.rootless) place = text("%.*s", (int)(strrchr(own, '/') - own) - 3, own + 3);
    if (opt.rootless && !by) return;
    for (int i = 0; i < (version2 ? 1 : COUNT(limits)); i++) {
        const char *tree = version2 ? place : limits[i].controller;
        char *dir = text("/sys/fs/cgroup/%s%s/container-%s\n", tree, opt.parent, opt.name);
        if (*limits[i].value && !strstr(all, dir)) all = text("%s%s", all, dir);
    }
    must(put("cgroup", "%s", all)); /* before they exist, so that none is ever forgotten */
    cgroup_remove(); /* what a watcher that was killed has left */
    each_line (dir, get("cgroup")) {
        char *tree = text("%.*s", (int)(strchr(dir + sizeof "/sys/fs/cgroup", '/') - dir), dir);
        if (mkdir(dir, 0755) == 0) fs_mount(dir, version2 ? "/sys/fs/cgroup" : tree, PLAIN);
        else if (errno == EEXIST || (by && errno != ENOENT))
            die("%s: %s: %s; try: container delegate", by ? by : "--name", dir, strerror(errno));
    }
    /* from processors to microseconds in each period of 100 ms */
    if (opt.cpus) opt.cpus = text("%.0f", strtod(opt.cpus, NULL) * 100000);
    for (int i = 0; i < COUNT(limits); i++) set_limit(&limits[i]);
}

int cgroup_open(void) {
    char *all = get("cgroup");
    return open(strsep(&all, "\n"), O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* ---- afterwards ---- */

void cgroup_remove(void) {
    each_line (dir, get("cgroup")) /* a process that has ended is counted for a little longer */
        for (int n = 0; *dir && rmdir(dir) == -1 && errno == EBUSY && n < 200; n++) usleep(10000);
}
