# shellcheck shell=sh
# shellcheck disable=SC2016,SC2046,SC2086,SC2116 # for the shell inside; lists, and lists as one line
# lab: a private root

item old_root_is_gone 4 2.6 any 'pivot_root(".", ".") leaves the old root on top: umount2 with MNT_DETACH takes it off'
item no_way_out 3 2.2 any 'chroot is no jail: who may call it again climbs out. Only pivot_root changes what ".." ends at'
item host_sees_no_mount 3 2.3 root 'mounts are shared unless you say MS_REC | MS_PRIVATE, before any other'
item proc_is_its_own 2 2.8 any 'proc is made new, inside the pid namespace, and attached at /proc'
item devices_work 3 2.9 any 'see the table mounts: six devices of the host, and devpts for terminals'
item volumes_are_kept 2 2.7 any 'take with open_tree what fs_volumes has put into the table; ro needs mount_setattr'
item hostile_link_is_harmless 3 2.7 any 'take, pivot, attach: no path of the image may be looked up while the host can be reached'

old_root_is_gone() {
    secret=$(word)
    echo "$secret" >"$T/$secret"
    chmod 644 "$T/$secret"
    seen=$(run "$BASE" sh -c 'grep -c "^[^ ]* [^ ]* [^ ]* [^ ]* / " /proc/self/mountinfo
        grep -c " - ext4 \| - xfs \| - btrfs " /proc/self/mountinfo; cat '"$T/$secret")
    fact "mounts at /, mounts of the host's disks, the host's file: $(echo $seen)"
    # etc/hosts, hostname and resolv.conf come from HOME, which may be on a disk
    set -- $seen
    [ $# = 2 ] && [ "$1" = 1 ] && [ "$2" -le 3 ]
}

no_way_out() {
    seen=$(run "$BASE" probe chroot-escape)
    fact "chroot, 64 times '..', chroot: $(echo $seen)"
    case $seen in *'chroot-escape same'*) ;; *) return 1 ;; esac
    start "$BASE" sleep 60
    root=$(stat -L -c %d:%i "/proc/$(init_of $C)/root/")
    fact "$(cat "$T/fact"); init's root is $root, ours $(stat -L -c %d:%i /)"
    [ "$root" != "$(stat -L -c %d:%i /)" ] &&
        run "$BASE" sh -c 'cd /; for i in 1 2 3 4 5 6; do cd ..; done; [ ! -e '"$T"' ] && [ -e /proc/1 ]'
}

host_sees_no_mount() {
    mount --make-rshared /
    before=$(wc -l </proc/self/mountinfo)
    start "$BASE" sleep 60
    after=$(wc -l </proc/self/mountinfo)
    fact "/ is shared; mounts of the host before: $before, while the container runs: $after"
    inside true && [ "$before" = "$after" ]
}

proc_is_its_own() {
    seen=$(run "$BASE" sh -c 'echo $$ $(readlink /proc/self) $(ls /proc | grep -c "^[0-9]*$"); grep " /proc " /proc/mounts')
    fact "the shell's pid, \$(readlink /proc/self), processes; mount: $(echo $seen)"
    set -- $seen
    [ "${1:-0}" = 2 ] && [ "${2:-0}" -ge 3 ] && [ "${3:-99}" -le 6 ] || return
    case $seen in *" /proc proc rw,nosuid,nodev,noexec"*) ;; *) return 1 ;; esac
}

devices_work() {
    seen=$(run "$BASE" sh -c 'stat -c "%n %F %t:%T" /dev/null /dev/zero /dev/full /dev/urandom /dev/pts/ptmx
        echo x >/dev/null && echo null; [ $(head -c 5 /dev/zero | wc -c) = 5 ] && echo zero
        echo x 2>/dev/null >/dev/full || echo full; [ $(head -c 5 /dev/urandom | wc -c) = 5 ] && echo urandom')
    fact "$(echo $seen)"
    [ "$(echo $seen)" = "/dev/null character special file 1:3 /dev/zero character special file 1:5 \
/dev/full character special file 1:7 /dev/urandom character special file 1:9 \
/dev/pts/ptmx character special file 5:2 null zero full urandom" ]
}

volumes_are_kept() {
    secret=$(word) place=$(word)
    mkdir -p "$T/v" && chmod 777 "$T/v" && echo "$secret" >"$T/v/file"
    seen=$(run -v "$T/v:/$place" -v "$T/v:/$place/ro:ro" "$BASE" sh -c "cat /$place/file /$place/ro/file
        echo new >/$place/new; echo new >/$place/ro/denied")
    fact "read: $(echo $seen); written: $(ls "$T/v")"
    [ "$(echo $seen)" = "$secret $secret" ] && [ -e "$T/v/new" ] && [ ! -e "$T/v/denied" ]
}

# The top layer's /srv is a link to a directory of the host's, where a volume would make NAME.
hostile_link_is_harmless() {
    name=$(word)
    mkdir -p "$T/victim" "$T/link" "$T/image" "$T/v"
    ln -s "$T/victim" "$T/link/srv"
    printf '%s\n' "$T/link" "$BASE" >"$T/image/layers"
    run -v "$T/v:/srv/$name" "$T/image" true
    fact "a volume at /srv/$name, where the image's /srv leads to $T/victim; there, on the host, is now: $(ls "$T/victim")"
    [ -z "$(ls "$T/victim")" ] && run "$BASE" true
}
