# shellcheck shell=sh
# shellcheck disable=SC2016,SC2046,SC2086,SC2116 # for the shell inside; lists, and lists as one line
# lab: security

item eleven_capabilities 3 7.2 root 'drop from the bounding set all that are not kept, then capset'
item adding_wins 2 7.2 root '--cap-drop first, then --cap-add'
item another_user 3 7.3 root 'groups, then gid, then uid: afterwards there is no power to change the others'
item no_new_privs 2 7.4 any 'PR_SET_NO_NEW_PRIVS before the filter, and both before exec'
item filter_refuses 4 7.5 any 'see the table denied: what no program needs, and what a capability would allow'
item host_is_hidden 3 7.6 any 'see the table guarded: - hides, the others become read-only'
item dies_although_it_is_another 2 7.7 root 'a change of ids clears PR_SET_PDEATHSIG: ask for it after them'
item nothing_is_inherited 2 7.7 any 'close_range: what the caller has left open must not reach the program'

# Capability names by number; the eleven that a container keeps.
usual='0:CHOWN 1:DAC_OVERRIDE 3:FOWNER 4:FSETID 5:KILL 6:SETGID 7:SETUID 8:SETPCAP
    10:NET_BIND_SERVICE 18:SYS_CHROOT 31:SETFCAP'

mask() { # NUMBER...: as in /proc/PID/status
    bits=0
    for n in "$@"; do bits=$((bits | 1 << n)); done
    printf '%016x' $bits
}

status() { # OPTIONS...: Cap lines of /proc/self/status inside, without names
    run "$@" "$BASE" sh -c 'grep -E "^(CapInh|CapPrm|CapEff|CapBnd|CapAmb)" /proc/self/status' | awk '{ print $2 }' | xargs
}

eleven_capabilities() {
    pick=$(number 1 11)
    drop=$(echo $usual | tr ' ' '\n' | sed -n ${pick}p)
    all=$(mask $(echo $usual | tr ' ' '\n' | cut -d : -f 1))
    rest=$(mask $(echo $usual | tr ' ' '\n' | grep -v "^$drop\$" | cut -d : -f 1))
    none=$(mask)
    seen="$(status) / $(status --cap-drop ${drop#*:})"
    fact "Inh Prm Eff Bnd Amb: $seen (the latter with --cap-drop ${drop#*:})"
    [ "$seen" = "$none $all $all $all $none / $none $rest $rest $rest $none" ]
}

adding_wins() {
    pick=$(number 1 11)
    add=$(echo $usual | tr ' ' '\n' | sed -n ${pick}p)
    one=$(mask ${add%:*})
    seen=$(status --cap-drop ALL --cap-add ${add#*:})
    fact "--cap-drop ALL --cap-add ${add#*:}: $seen"
    [ "$seen" = "$(mask) $one $one $one $(mask)" ]
}

another_user() {
    uid=$(number 2000 60000) gid=$(number 2000 60000)
    seen=$(setpriv --groups 4,24 timeout -k 1 60 "$CONTAINER" run --rm -u $uid:$gid "$BASE" sh -c \
        'grep -E "^(Uid|Gid|Groups|CapPrm|CapEff)" /proc/self/status | cut -f 2-' </dev/null)
    fact "-u $uid:$gid: $(echo $seen)"
    [ "$(echo $seen)" = "$uid $uid $uid $uid $gid $gid $gid $gid $(mask) $(mask)" ]
}

no_new_privs() {
    user=0
    [ "$(id -u)" -ne 0 ] || user=$(number 1000 9999)
    seen=$(run -u $user "$BASE" grep -E '^(NoNewPrivs|Seccomp):' /proc/self/status)
    fact "as user $user: $(echo $seen)"
    [ "$(echo $seen)" = "NoNewPrivs: 1 Seccomp: 2" ]
}

filter_refuses() {
    seen=$(run "$BASE" sh -c 'for try in "unshare user" userfaultfd io_uring keyctl bpf tiocsti "socket vsock" fsopen; do probe $try; done' 2>&1)
    fact "$(echo $seen)"
    for call in 'unshare: errno EPERM' 'userfaultfd: errno EPERM' 'errno EPERM.*keyctl\|keyctl.*errno EPERM' 'fsopen: errno EPERM' 'tiocsti: errno EPERM'; do
        echo $seen | grep -q "$call" || return
    done
    ! echo $seen | grep -q 'io_uring allowed'
}

host_is_hidden() {
    files=$(for f in kcore keys timer_list interrupts; do [ ! -e /proc/$f ] || echo /proc/$f; done)
    seen=$(run "$BASE" sh -c 'for f in '"$(echo $files)"'; do stat -c "%n %t:%T" $f; done
        for d in /proc/sys /proc/bus; do awk -v d=$d "\$5 == d { print d, substr(\$6, 1, 2) }" /proc/self/mountinfo; done
        echo 1 2>/dev/null >/proc/sys/kernel/printk || echo refused')
    fact "$(echo $seen)"
    [ "$(echo $seen)" = "$(for f in $files; do echo $f 1:3; done | xargs) /proc/sys ro /proc/bus ro refused" ]
}

# exec's program is no child of init: only its own watcher's end ends it.
dies_although_it_is_another() {
    n=$(number 1001 9999)
    start "$BASE" sleep 60
    "$CONTAINER" exec -u $n $C sh -c 'echo $$ >/dev/shm/pid; sleep 61' &
    watcher=$!
    try inside test -s /dev/shm/pid || return
    pid=$(grep -l "^NSpid:.*	$(inside cat /dev/shm/pid)\$" /proc/[0-9]*/status | sed 's/[^0-9]//g' | tail -n 1)
    ended "$pid" && return 1
    kill -9 $watcher
    try ended $pid
    gone=$?
    fact "its watcher was killed; the program of user $n has $([ $gone = 0 ] && echo died || echo survived)"
    [ $gone = 0 ]
}

nothing_is_inherited() {
    secret=$(word)
    echo $secret >"$T/secret"
    n=$(number 5 9)
    seen=$(eval "exec $n<\"\$T/secret\""; run "$BASE" sh -c 'ls -l /proc/self/fd | sed -n "s/.* -> //p"; cat <&'$n 2>&1)
    fact "we leave $n open; inside: $(echo $seen)"
    run "$BASE" true || return
    case $seen in *secret* | *$secret*) return 1 ;; esac
}
