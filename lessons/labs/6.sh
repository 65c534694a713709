# shellcheck shell=sh
# shellcheck disable=SC2016,SC2046,SC2086,SC2116 # for the shell inside; lists, and lists as one line
# lab: user namespaces and rootless

item root_is_mapped_to_us 4 6.2 any 'one line each: 0 inside is us outside, for one id; setgroups must say deny before gid_map'
item root_inside_only 3 6.3 any 'what root of a user namespace may do ends at its own namespaces'
item files_are_ours 3 6.4 any 'what root inside writes belongs, outside, to the user it is mapped to'
item name_of_its_own 2 6.5 any 'sethostname after the uts namespace is there'
item its_cgroup_is_the_top 2 6.6 root 'unshare(CLONE_NEWCGROUP) after "go": its root is the cgroup that we are in at that moment'
item meets_before_go 3 6.5 any 'nothing of the program may run before "go" (and, with create, before start)'
item nothing_of_the_host 3 6.7 any 'init keeps no descriptor, no argument and no variable of the host'

ordinary_id() {
    if [ "$(id -u)" -eq 0 ]; then echo "$ORDINARY"; else id -u; fi
}

root_is_mapped_to_us() {
    me=$(ordinary_id)
    seen=$(as_user "$CONTAINER" run --rm "$BASE" sh -c 'id -u; cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups; readlink /proc/self/ns/user')
    fact "as user $me; inside, id, the maps, setgroups: $(echo $seen)"
    case $(echo $seen) in "0 0 $me 1 0 "*" 1 deny user:"*) ;; *) return 1 ;; esac
    [ "${seen##* }" != "$(readlink /proc/self/ns/user)" ]
}

root_inside_only() {
    mkdir -p "$T/v" && chmod 711 "$T/v" && echo secret >"$T/v/secret"
    if [ "$(id -u)" -eq 0 ]; then chmod 600 "$T/v/secret"; else chmod 000 "$T/v/secret"; fi
    seen=$(as_user "$CONTAINER" run --rm -v "$T/v:/v" "$BASE" sh -c 'probe settime; probe reboot; cat /v/secret; mount -t tmpfs x /mnt' 2>&1)
    own=$(as_user "$CONTAINER" run --rm --privileged "$BASE" sh -c 'mount -t tmpfs x /mnt && echo mounted' 2>&1)
    fact "clock, reboot, another user's file, mount: $(echo $seen); with --privileged, mount of its own: $own"
    case $(echo $seen) in *"errno EPERM"*"errno EPERM"*) ;; *) return 1 ;; esac
    [ "$own" = mounted ] && { [ "$(id -u)" -ne 0 ] || case $seen in *"Permission denied"*) ;; *) false ;; esac; }
}

files_are_ours() {
    name=$(word)
    mkdir -p "$T/v" && chmod 777 "$T/v"
    as_user "$CONTAINER" run --rm -v "$T/v:/v" "$BASE" sh -c "touch /v/$name; stat -c %u /v/$name" >"$T/inside"
    seen=$(stat -c %u "$T/v/$name")
    fact "owner of a new file, inside: $(cat "$T/inside"), outside: $seen"
    [ "$(cat "$T/inside")" = 0 ] && [ "$seen" = "$(ordinary_id)" ]
}

name_of_its_own() {
    name=$(word) before=$(hostname)
    seen=$(as_user "$CONTAINER" run --rm --hostname $name "$BASE" hostname)
    fact "-h $name: inside $seen, outside $(hostname)"
    [ "$seen" = $name ] && [ "$(hostname)" = "$before" ]
}

its_cgroup_is_the_top() {
    is_v2 && tree=0:: || tree=:memory:
    seen=$(run -m 64M "$BASE" sh -c "grep $tree /proc/self/cgroup; readlink /proc/self/ns/cgroup")
    fact "inside: $(echo $seen)"
    case $seen in *"$tree/
"*) [ "${seen##*/
}" != "$(readlink /proc/self/ns/cgroup)" ] ;; *) return 1 ;; esac
}

meets_before_go() {
    token=$(word)
    as_user "$CONTAINER" create --name box "$BASE" sh -c "echo $token; sleep 60" >/dev/null || return
    [ "$(id -u)" -ne 0 ] || CONTAINER_HOME=$T/user/home
    init=$(init_of box)
    before=$(cat /proc/$init/task/$init/children | wc -w) log=$(cat "$CONTAINER_HOME/containers/box/log")
    as_user "$CONTAINER" start box >/dev/null
    try grep -q $token "$CONTAINER_HOME/containers/box/log"
    after=$(cat /proc/$init/task/$init/children | wc -w)
    fact "children of init before start: $before, after: $after; the log: $(cat "$CONTAINER_HOME/containers/box/log")"
    [ "$before" = 0 ] && [ "$log" = "" ] && [ "$after" -ge 1 ] && grep -q $token "$CONTAINER_HOME/containers/box/log"
}

nothing_of_the_host() {
    secret=$(word)
    SECRET=$secret as_user "$CONTAINER" run -d --name box "$BASE" sh -c 'sleep 60' >/dev/null || return
    [ "$(id -u)" -ne 0 ] || CONTAINER_HOME=$T/user/home
    init=$(init_of box)
    seen=$(as_user "$CONTAINER" exec box sh -c 'cat /proc/1/environ /proc/1/cmdline | tr -d "\0"; env' 2>&1 </dev/null)
    fds=$(find /proc/$init/fd -type l | wc -l)
    fact "init holds $fds descriptors; its command line and environment, and the program's: $(echo $seen | cut -c 1-150)"
    case $seen in *$secret*) return 1 ;; esac
    [ "$fds" = 0 ] && ! tr '\0' '\n' </proc/$init/environ | grep -q $secret
}
