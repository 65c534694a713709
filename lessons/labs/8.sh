# shellcheck shell=sh
# shellcheck disable=SC2016,SC2046,SC2086,SC2116 # for the shell inside; lists, and lists as one line
# lab: life cycle and clean-up

item pid_is_not_enough 4 8.2 any 'a pid is used again: compare the time of its start, field 22 of /proc/PID/stat'
item one_name_one_container 3 8.1 any 'mkdir decides who gets the name, and flock who changes it'
item stop_asks_first 3 8.3 any 'SIGTERM and time to end; SIGKILL only then'
item stop_thaws_first 3 8.3 root 'a frozen process does not end: thaw it first'
item crash_is_137 3 8.4 any 'a watcher that was killed could write nothing down: its container has ended with 137'
item written_stays 2 8.5 any 'start runs it again on its own upper'
item nothing_is_left 3 8.6 root 'the directory, the cgroup, the cable, the table and ip_forward go with the last container'

state() { # NAME: its line in ps
    "$CONTAINER" ps | awk -v name="$1" '$1 == name { print $2 }'
}

pid_is_not_enough() {
    "$CONTAINER" run --name box "$BASE" true </dev/null || return
    sleep 60 &
    victim=$!
    echo "$victim $(number 1 99) $(cat /proc/sys/kernel/random/boot_id)" >"$CONTAINER_HOME/containers/box/pid"
    seen=$(state box)
    "$CONTAINER" kill box
    "$CONTAINER" rm -f box
    ended $victim && fate=died || fate='lives on'
    start "$BASE" sleep 60
    fact "a pid that another process has by now: $seen; after kill and rm -f it $fate. One that runs: $(state $C)"
    [ "$seen" = exited ] && [ "$fate" = 'lives on' ] && [ "$(state $C)" = running ]
}

one_name_one_container() {
    n=$(number 4 9) i=0
    while [ $i -lt $n ]; do
        "$CONTAINER" run -d --name box "$BASE" sh -c "echo $i >>/who; sleep 60" </dev/null >/dev/null 2>&1 &
        i=$((i + 1))
    done
    wait
    try test -s "$CONTAINER_HOME/containers/box/upper/who"
    seen=$("$CONTAINER" ps | awk 'NR > 1 { print $1, $2 }' | xargs)
    fact "$n at once want the name box: $seen; started: $(wc -l <"$CONTAINER_HOME/containers/box/upper/who")"
    [ "$seen" = "box running" ] && [ "$(wc -l <"$CONTAINER_HOME/containers/box/upper/who")" = 1 ]
}

stop_asks_first() {
    n=$(number 3 99)
    start "$BASE" sh -c "trap 'exit $n' TERM; touch /ready; while :; do sleep 0.05; done"
    polite=$C
    start "$BASE" sh -c 'trap "" TERM; touch /ready; while :; do sleep 0.05; done'
    try test -e "$CONTAINER_HOME/containers/$polite/upper/ready"
    try test -e "$CONTAINER_HOME/containers/$C/upper/ready"
    limited "$CONTAINER" stop -t 1 $polite $C
    seen="$(cat "$CONTAINER_HOME/containers/$polite/status"), $(cat "$CONTAINER_HOME/containers/$C/status")"
    fact "one ends with $n when asked, one does not want to: $seen"
    [ "$seen" = "exited $n, exited 137" ]
}

stop_thaws_first() {
    start "$BASE" sh -c 'trap "exit 7" TERM; touch /ready; while :; do sleep 0.05; done'
    try test -e "$CONTAINER_HOME/containers/$C/upper/ready"
    "$CONTAINER" pause $C
    paused=$(state $C)
    limited "$CONTAINER" stop -t 3 $C
    seen=$(cat "$CONTAINER_HOME/containers/$C/status")
    fact "$paused, and stopped: $seen"
    [ "$paused $seen" = "paused exited 7" ]
}

crash_is_137() {
    "$CONTAINER" run --name box "$BASE" sh -c 'touch /ready; sleep 60' &
    watcher=$!
    try test -e "$CONTAINER_HOME/containers/box/upper/ready"
    before=$(state box)
    kill -9 $watcher
    try ended "$(init_of box)"
    seen=$("$CONTAINER" wait box)
    fact "before: $before; its watcher was killed: $(state box), and wait says $seen"
    [ "$before $seen $(state box)" = "running 137 exited" ] && limited "$CONTAINER" rm box
}

written_stays() {
    token=$(word)
    "$CONTAINER" run --name box "$BASE" sh -c "cat /seen; echo $token >>/seen; touch /done" </dev/null
    rm "$CONTAINER_HOME/containers/box/upper/done"
    "$CONTAINER" start box >/dev/null
    try test -e "$CONTAINER_HOME/containers/box/upper/done"
    "$CONTAINER" wait box >/dev/null
    seen=$("$CONTAINER" logs box)
    fact "the second time it finds: $(echo $seen)"
    [ "$seen" = "$token" ]
}

nothing_is_left() {
    start -m 64M "$BASE" sleep 60
    cgroups=$(cat "$CONTAINER_HOME/containers/$C/cgroup")
    links=$(ip -o link | wc -l)
    limited "$CONTAINER" rm -f $C
    left=$(for dir in $cgroups; do [ ! -d $dir ] || echo $dir; done; ls "$CONTAINER_HOME/containers" 2>/dev/null; nft list tables | grep container)
    after=$(ip -o link | grep -c 'veth\|container0')
    fact "links while it runs: $links; afterwards of ours: $after; ip_forward $(cat /proc/sys/net/ipv4/ip_forward); left: ${left:-nothing}"
    [ "$links" -ge 3 ] && [ "$after" = 0 ] && [ -z "$left" ] && [ "$(cat /proc/sys/net/ipv4/ip_forward)" = 0 ]
}
