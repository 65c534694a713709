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
 * Three verbs, in order. fs_take: while the host's files can still be seen, take
 * all that we need of them as detached mounts, which have no path yet. fs_pivot:
 * make the layers the root and let the host's go. fs_attach: only now give paths
 * to what was taken, so that no symbolic link of a hostile image can lead
 * anywhere but into the image. Read them at the end of the file.
 */
#include "container.h"

/* ---- tables ---- */

/* The kernel's own file systems hold no programs. A device works where NODEV is not set; its
 * mode and owner are the host's, and stay: RDONLY. */
#define NODEV (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)
#define DEVICES (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_RDONLY)

/* What is attached, in this order; volumes follow. A word is a file system, made new; a path is
 * taken from the host. mknod would not do for the devices: a user namespace may not. */
static struct mount_row {
    const char *what, *where;
    unsigned attributes;
} mounts[300] = {
    /* with 256 volumes */
    // clang-format off
    { "proc",            "/proc",            PLAIN },
    { "sysfs",           "/sys",             PLAIN },
    { "tmpfs",           "/sys/fs/cgroup",   PLAIN }, /* what is in it: see cgroup_create */
    { "tmpfs",           "/dev",             PLAIN },
    { "devpts",          "/dev/pts",         DEVICES & ~MOUNT_ATTR_RDONLY },
    { "mqueue",          "/dev/mqueue",      PLAIN },
    { "tmpfs",           "/dev/shm",         PLAIN },
    { "/dev/null",    "/dev/null",    DEVICES }, { "/dev/zero",   "/dev/zero",   DEVICES },
    { "/dev/urandom", "/dev/urandom", DEVICES }, { "/dev/random", "/dev/random", DEVICES },
    { "/dev/full",    "/dev/full",    DEVICES }, { "/dev/tty",    "/dev/tty",    DEVICES },
    { "/dev/null",       "/dev/console",     DEVICES },
    { "etc/hosts",       "/etc/hosts",       NODEV | MOUNT_ATTR_RDONLY },
    { "etc/hostname",    "/etc/hostname",    NODEV | MOUNT_ATTR_RDONLY },
    { "etc/resolv.conf", "/etc/resolv.conf", NODEV | MOUNT_ATTR_RDONLY },
};
static int taken[COUNT(mounts)];

static const char *const links[][2] = {
    { "pts/ptmx", "/dev/ptmx" },          { "/proc/self/fd/0", "/dev/stdin" },
    { "/proc/self/fd", "/dev/fd" },       { "/proc/self/fd/1", "/dev/stdout" },
    { "/proc/self/fd/2", "/dev/stderr" },
};

/* Hidden (-), because they tell about the host or its keys; or shown, but not to be written,
 * because they change the whole machine. */
static const char *const guarded[] = {
    "-/proc/acpi", "-/proc/asound", "-/proc/interrupts", "-/proc/kcore", "-/proc/keys",
    "-/proc/latency_stats", "-/proc/sched_debug", "-/proc/scsi", "-/proc/timer_list",
    "-/proc/timer_stats", "-/sys/firmware", "-/sys/devices/virtual/powercap",
    "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
};
// clang-format on

/* ---- files ---- */

long fs_mkdirs(char *path) {
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(path, 0755) == -1 && errno != EEXIST) return -1;
        *slash = '/';
    }
    return 0;
}

static int is_name(const struct dirent *entry) {
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

/* Whatever else a directory holds, it moves up before the directory goes: so none is too deep
 * for us. Only a directory is ever "not empty": no link is followed. */
long fs_remove(const char *name) {
    struct dirent **entry, **below;
    static unsigned number;
    if (remove(name) == 0 || errno == ENOENT) return 0;
    if (errno != ENOTEMPTY || chdir(name) == -1) return -1;
    for (int n = 1; n > 0;) {
        n = scandir(".", &entry, is_name, NULL);
        for (int i = 0; i < n; i++) {
            char *dir = entry[i]->d_name;
            if (remove(dir) == 0) continue;
            if (errno != ENOTEMPTY || chmod(dir, 0700) == -1) return -1;
            for (int k = scandir(dir, &below, is_name, NULL); k-- > 0; free(below[k])) {
                char *path = text("%s/%s", dir, below[k]->d_name);
                if (remove(path) == 0) continue;
                if (chmod(path, 0700) == -1 || rename(path, text(".%d.%u", getpid(), number++)))
                    return -1;
            }
        }
    }
    return chdir("..") == 0 ? remove(name) : -1;
}

/* ---- layers ---- */

static char *layers[160]; /* top first; the options of one mount(2) have room for so many */
static int layer_count;

char *fs_image(const char *home, const char *image, char **arguments) {
    bool path = strchr(image, '/') || *image == '.';
    char *dir = path ? realpath(image, NULL) : text("%s/images/%s", home, image);
    if (!*image || !dir || access(dir, R_OK | X_OK) == -1)
        die("IMAGE %s: %s: %s", image, dir ? dir : image, strerror(errno));
    char *said = get(text("%s/layers", dir)), *all = *said ? said : dir;
    *arguments = get(text("%s/args", dir));
    each_line (layer, text("%s", all)) {
        if (!*layer) continue;
        if (layer_count == COUNT(layers))
            die("IMAGE %s: more than %d layers", image, COUNT(layers));
        layer = *layer == '/' ? layer : text("%s/layers/%s", home, layer);
        layers[layer_count] = realpath(layer, NULL);
        if (!layers[layer_count++]) die("IMAGE %s: layer %s: %s", image, layer, strerror(errno));
    }
    return all;
}

/* mount -t overlay: the image's layers below, the container's own upper on top. A layer is
 * named by an open descriptor, which has no ':' to escape and is never too long. Nothing that
 * a layer says may redirect us (overlayfs.rst). */
static void mount_layers(void) {
    char *options = "upperdir=upper,workdir=work,userxattr,redirect_dir=nofollow,metacopy=off,"
                    "index=off,lowerdir=";
    for (int i = 0; i < layer_count; i++) {
        int fd = must(open(layers[i], O_PATH | O_DIRECTORY | O_CLOEXEC), "%s", layers[i]);
        options = text("%s%s/proc/self/fd/%d", options, i ? ":" : "", fd);
    }
    must(sys(mount, "overlay", "upper", "overlay", MS_NODEV, options), "%s", options);
}

/* ---- volumes ---- */

void fs_mount(const char *what, const char *where, unsigned attributes) {
    struct mount_row *row = mounts;
    while (row->what) row++;
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

/* A mount that no path leads to yet: a copy of the host's, or a new file system. */
static int take(const struct mount_row *m) {
    struct mount_attr attr = { .attr_set = m->attributes };
    int fd, clone = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE;
    if (strchr(m->what, '/')) {
        fd = must(sys(open_tree, AT_FDCWD, m->what, clone), "%s", m->what);
        must(sys(mount_setattr, fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof attr));
        return fd;
    }
    fd = must(sys(fsopen, m->what, FSOPEN_CLOEXEC), "%s", m->what);
    must(sys(fsconfig, fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
    return must(sys(fsmount, fd, FSMOUNT_CLOEXEC, m->attributes), "%s", m->what);
}

/* Make the place if the image has none, and put the mount there. mknod, because open would
 * follow a link or wait for a fifo. move_mount follows no link in the last component, and
 * covers no file with a directory: then we stop. */
static void attach(int fd, const char *where) {
    struct stat st;
    must(fstat(fd, &st), "%s", where);
    must(fs_mkdirs(text("%s%s", where, S_ISDIR(st.st_mode) ? "/" : "")), "%s", where);
    mknod(where, S_IFREG | 0644, 0); /* bare: it may be there */
    must(sys(move_mount, fd, "", AT_FDCWD, where, MOVE_MOUNT_F_EMPTY_PATH), "%s", where);
}

/* Make a path of our own /proc or /sys read-only, or hide it: a file behind /dev/null, a
 * directory behind an empty one. */
static void guard(const char *path) {
    struct stat st;
    bool hide = *path == '-';
    if (hide) path++;
    if (lstat(path, &st) == -1 && errno == ENOENT) return; /* this kernel has no such file */
    const char *cover = S_ISDIR(st.st_mode) ? "tmpfs" : "/dev/null";
    attach(take(&(struct mount_row){ hide ? cover : path, path, DEVICES }), path);
}

void fs_terminal(const char *root, int ends[2]) {
    char *path = text("%s/dev/pts/ptmx", root);
    ends[0] = must(open(path, O_RDWR | O_NOCTTY | O_CLOEXEC), "%s", path);
    must(ioctl(ends[0], TIOCSPTLCK, &(int){ 0 }));
    ends[1] = must(ioctl(ends[0], TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
}

/* ---- the three verbs ---- */

void fs_take(void) {
    /* first of all: no mount of ours may appear on the host */
    must(sys(mount, NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
    if (!strcmp(opt.network, "host") && !matches(get("/proc/self/uid_map"), "4294967295$"))
        mounts[1].what = "/sys"; /* a new one needs a network namespace of one's own */
    for (int i = 0; mounts[i].what; i++) taken[i] = take(&mounts[i]);
    mount_layers();
}

/* Both names are ".": the old root lands on top of the new one, and is taken off from there. */
void fs_pivot(void) {
    must(chdir("upper")); /* that is what was mounted there */
    must(sys(pivot_root, ".", "."));
    must(sys(umount2, ".", MNT_DETACH));
    must(chdir("/"));
}

void fs_attach(void) {
    struct mount_attr rdonly = { .attr_set = MOUNT_ATTR_RDONLY };
    for (int i = 1; mounts[i].what; i++) attach(taken[i], mounts[i].where);
    must(fs_mkdirs(text("%s/", opt.workdir)), "%s", opt.workdir);
    attach(taken[0], mounts[0].where); /* last: no link of the image leads to /proc/self/fd */
    must(chmod("/dev", 0755)); /* where all may write, a file of another's cannot be created over */
    must(chmod("/dev/pts/ptmx", 0666));
    for (int i = 0; i < COUNT(links); i++)
        must(symlink(links[i][0], links[i][1]), "%s", links[i][1]);
    for (int i = 0; i < COUNT(guarded) && !opt.privileged; i++) guard(guarded[i]);
    must(sys(mount_setattr, AT_FDCWD, "/sys", AT_RECURSIVE, &rdonly, sizeof rdonly));
    if (opt.read_only) must(sys(mount_setattr, AT_FDCWD, "/", 0, &rdonly, sizeof rdonly));
}
