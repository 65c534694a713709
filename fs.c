/* SPDX-License-Identifier: MIT */
/*
 * fs.c - give the container a root of its own.
 *
 *      what the program sees as /            where it comes from
 *
 *      /etc/hosts  /data  /dev  /proc        attached on top, one mount each
 *      ------------------------------
 *      upper       what it writes            HOME/containers/NAME/upper
 *      layer 2     what RUN apt-get did      read-only, shared by
 *      layer 1     Debian                    every container of the image
 *
 * Three acts, in this order. fs_take: as long as the host's files can be seen, take what we need
 * of them as detached mounts, which have no path yet. fs_pivot: make the layers the root and let
 * the host's go. fs_attach: only now give paths to what was taken, so that no symbolic link of a
 * hostile image can lead anywhere but into the image. Read them at the end of the file.
 */
#include "container.h"
#include <dirent.h>

/* ---- tables ---- */

/* A device works if NODEV is not set. Its mode and owner are the host's, and must stay: RDONLY. */
#define DEVICES (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_RDONLY)

/* What is attached, in this order but proc last; volumes and cgroups follow. A word is a new file
 * system of that type; a path is taken from the host. So are devices, because a user namespace may
 * not make any with mknod. */
static struct mount_row {
    const char *what, *where;
    unsigned attributes;
} mounts[300] = {
    /* with room for 255 volumes and the cgroups */
    // clang-format off
    { "proc",            "/proc",            PLAIN },
    { "sysfs",           "/sys",             PLAIN },
    { "tmpfs",           "/sys/fs/cgroup",   PLAIN }, /* what is in it: see cgroup_create */
    { "tmpfs",           "/dev",             PLAIN },
    { "devpts",          "/dev/pts",         DEVICES & ~MOUNT_ATTR_RDONLY },
    { "mqueue",       "/dev/mqueue",  PLAIN },   { "tmpfs",       "/dev/shm",    PLAIN },
    { "/dev/null",    "/dev/null",    DEVICES }, { "/dev/zero",   "/dev/zero",   DEVICES },
    { "/dev/urandom", "/dev/urandom", DEVICES }, { "/dev/random", "/dev/random", DEVICES },
    { "/dev/full",    "/dev/full",    DEVICES }, { "/dev/tty",    "/dev/tty",    DEVICES },
    { "/dev/null",       "/dev/console",     DEVICES },
    { "etc/hosts",       "/etc/hosts",       PLAIN | MOUNT_ATTR_RDONLY },
    { "etc/hostname",    "/etc/hostname",    PLAIN | MOUNT_ATTR_RDONLY },
    { "etc/resolv.conf", "/etc/resolv.conf", PLAIN | MOUNT_ATTR_RDONLY },
};
static int taken[COUNT(mounts)];

/* The kernel's own files. Those that tell about the host or its keys are covered by the null device
 * or by an empty directory. Those that change the whole machine are covered by themselves,
 * read-only. */
static const char *const guarded[][8] = {
    { "/dev/null", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
                   "/proc/timer_list" },
    { "tmpfs",     "/proc/acpi", "/proc/asound", "/proc/scsi", "/sys/firmware",
                   "/sys/devices/virtual/powercap" },
    { NULL,        "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger" },
};
// clang-format on

/* ---- files ---- */

long fs_mkdirs(const char *path) {
    for (const char *end = path; (end = strchr(end + 1, '/'));)
        if (mkdir(text("%.*s", (int)(end - path), path), 0755) == -1 && errno != EEXIST) return -1;
    return 0;
}

/* Remove what is in DIR. A directory that is not empty moves up to TOP first, where its turn comes:
 * so none is too deep; and whoever still holds it cannot put a link in its place, because TOP is
 * ours. Returns how many entries there were; -1 and errno on failure. */
static int empty(const char *dir, const char *top) {
    struct dirent **entry;
    int n = scandir(dir, &entry, NULL, NULL);
    for (int i = 0; i < n; i++) {
        char *name = entry[i]->d_name, *path = text("%s/%s", dir, name);
        if (!strcmp(name, ".") || !strcmp(name, "..") || remove(path) == 0) continue;
        if (errno != ENOTEMPTY) return -1;
        fchmodat(AT_FDCWD, path, 0700, AT_SYMLINK_NOFOLLOW); /* bare: it may be a link by now */
        if (top && rename(path, text("%s/.%lu", top, entry[i]->d_ino)) == -1) return -1;
        if (!top && empty(path, dir) < 0) return -1;
    }
    return n - 2;
}

long fs_remove(const char *name) {
    int n = 1;
    while (n > 0) n = empty(name, NULL);
    return n == 0 ? rmdir(name) : -1;
}

/* ---- layers ---- */

char *fs_image(const char *home, const char *image, char **arguments) {
    bool path = *image == '.' || strchr(image, '/');
    char *dir = realpath(path ? text("%s/", image) : text("%s/images/%s/", home, image), NULL);
    if (!dir && !path) die("no image \"%s\"; try: container pull %s", image, image);
    if (!dir) die("IMAGE %s: %s", image, strerror(errno));
    char *layers = get(text("%s/layers", dir));
    *arguments = get(text("%s/args", dir));
    return *layers ? layers : dir;
}

/* mount -t overlay: the image's layers below, the container's own upper on top. A layer is named by
 * an open descriptor, which has no ':' to escape and is never too long. userxattr also means that
 * nothing that a layer says redirects us (redirect_dir, metacopy). nosuid: file capabilities give
 * no power anyway (see no_new_privs), but without it a program that has some would not start. */
static void mount_layers(void) {
    char *all = "", *options;
    each_line (layer, get("layers")) {
        if (!*layer) continue;
        char *dir = *layer == '/' ? layer : text("../../layers/%s", layer);
        int fd = must(open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC), "%s", dir);
        all = text("%s%s/proc/self/fd/%d", all, *all ? ":" : "", fd);
    }
    options = text("upperdir=upper,workdir=work,userxattr,index=off,%slowerdir=%s",
                   opt.rm ? "volatile," : "", all); /* volatile: it need not reach the disk */
    if (strlen(options) > 4000) die("IMAGE: too many layers for the options of one mount");
    int flags = MS_NODEV | (opt.privileged ? 0 : MS_NOSUID);
    must(sys(mount, "overlay", "upper", "overlay", flags, options), "%s", options);
}

/* ---- volumes ---- */

void fs_mount(const char *what, const char *where, unsigned attributes) {
    struct mount_row *row = mounts + 2; /* proc and sysfs stay what they are */
    while (row->what && strcmp(row->where, where) != 0) row++; /* a later one replaces it */
    *row = (struct mount_row){ what, where, attributes };
}

void fs_volumes(void) {
    for (char **spec = opt.volumes; *spec; spec++) {
        char *rest = text("%s", *spec), *from = strsep(&rest, ":"), *to = strsep(&rest, ":");
        char *source = realpath(from, NULL);
        if (!source) die("--volume %s: %s: %s", *spec, from, strerror(errno));
        fs_mount(source, to, MOUNT_ATTR_NODEV | (rest ? MOUNT_ATTR_RDONLY : 0));
    }
}

/* ---- take, attach ---- */

/* Returns a mount that has no path yet: a copy of the host's, or a new file system. */
static int take(const char *what) {
    int clone = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE;
    if (strchr(what, '/')) return must(sys(open_tree, AT_FDCWD, what, clone), "%s", what);
    int fd = must(sys(fsopen, what, FSOPEN_CLOEXEC), "%s", what);
    must(sys(fsconfig, fd, FSCONFIG_SET_STRING, "source", what, 0)); /* or it is "none" in lists */
    must(sys(fsconfig, fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
    return must(sys(fsmount, fd, FSMOUNT_CLOEXEC, 0), "%s", what);
}

/* Attach the mount at its place, which is made if the image has none: with mknod, because open
 * would follow a link or wait for a fifo. move_mount follows no link in the last component, and
 * covers no file with a directory: then we stop. */
static void attach(const struct mount_row *m, int fd) {
    struct mount_attr attr = { .attr_set = m->attributes };
    struct stat st;
    must(sys(mount_setattr, fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof attr),
         "for %s, attributes %#x", m->where, m->attributes);
    if (sys(move_mount, fd, "", AT_FDCWD, m->where, MOVE_MOUNT_F_EMPTY_PATH) == 0) return;
    must(fstat(fd, &st), "%s", m->where);
    must(fs_mkdirs(text("%s%s", m->where, S_ISDIR(st.st_mode) ? "/" : "")), "%s", m->where);
    mknod(m->where, S_IFREG | 0644, 0); /* bare: it may be there */
    must(sys(move_mount, fd, "", AT_FDCWD, m->where, MOVE_MOUNT_F_EMPTY_PATH), "%s", m->where);
}

static void guard(const char *path, const char *cover) {
    struct mount_row row = { cover ? cover : path, path, DEVICES };
    if (access(path, F_OK) == 0) attach(&row, take(row.what)); /* this kernel has it */
}

/* ---- the three acts ---- */

void fs_take(void) {
    const struct mount_row root = { NULL, "upper", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV };
    /* first of all, so that no mount of ours appears on the host */
    must(sys(mount, NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
    /* a new sysfs needs power over our network, which not even root of a user namespace has */
    if (NETWORK_IS("host") && !matches(get("/proc/self/uid_map"), "4294967295$"))
        mounts[1].what = "/sys";
    for (int i = 0; mounts[i].what; i++) taken[i] = take(mounts[i].what);
    if (opt.in_place) attach(&root, take(opt.in_place));
    else mount_layers();
}

/* Both names are ".": the old root is attached on top of the new one, and is detached from
 * there. */
void fs_pivot(void) {
    must(chdir("upper")); /* where the layers are mounted */
    must(sys(pivot_root, ".", "."));
    must(sys(umount2, ".", MNT_DETACH));
}

void fs_attach(void) {
    struct mount_attr rdonly = { .attr_set = MOUNT_ATTR_RDONLY };
    for (int i = 1; mounts[i].what; i++) attach(&mounts[i], taken[i]);
    must(fs_mkdirs(text("%s/", opt.workdir)), "%s", opt.workdir);
    attach(&mounts[0], taken[0]); /* last: no link of the image leads to /proc/self/fd */
    must(chmod("/dev", 0755)); /* a sticky /dev would make O_CREAT fail on the devices */
    must(chmod("/dev/pts/ptmx", 0666));
    must(symlink("pts/ptmx", "/dev/ptmx"));
    must(symlink("/proc/self/fd", "/dev/fd"));
    must(symlink("/proc/self/fd/0", "/dev/stdin"));
    must(symlink("/proc/self/fd/1", "/dev/stdout"));
    must(symlink("/proc/self/fd/2", "/dev/stderr"));
    if (!NETWORK_IS("host")) /* so that all may ping, icmp(7); bare: it may be read-only */
        put("/proc/sys/net/ipv4/ping_group_range", opt.rootless ? "0 0" : "0 2147483647");
    for (int i = 0; i < COUNT(guarded) && !opt.privileged; i++)
        for (int k = 1; guarded[i][k]; k++) guard(guarded[i][k], guarded[i][0]);
    must(sys(mount_setattr, AT_FDCWD, "/sys", AT_RECURSIVE, &rdonly, sizeof rdonly));
    if (opt.read_only) must(sys(mount_setattr, AT_FDCWD, "/", 0, &rdonly, sizeof rdonly));
}
