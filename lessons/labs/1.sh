# shellcheck shell=sh
# shellcheck disable=SC2016,SC2046,SC2086,SC2116 # for the shell inside; lists, and lists as one line
# lab: namespaces and pid 1

item own_namespaces 3 1.2 any 'the program shares a namespace with you: which flag does ns_start not give?'
item init_is_pid_1 2 1.3 any 'pid 1 inside must be init, and the program its child: fork in set_up, then be_init'
item init_survives 2 1.4 any 'pid 1 gets no signal that it does not wait for: see sigwaitinfo in be_init'
item orphans_are_reaped 4 1.5 any 'a zombie stays until somebody waits for it: be_init must wait for any child, not for one'
item status_is_passed_on 3 1.6 any 'the exit status is the program'"'"'s; 128 and the number when a signal ended it'
item signals_are_forwarded 3 1.6 any 'the watcher passes signals on to init, and init to the program'
item dies_with_watcher 3 1.7 any 'PR_SET_PDEATHSIG: what is inside must not outlive the watcher'

own_namespaces() {
    same=
    seen=$(run "$BASE" sh -c 'for n in mnt pid net ipc uts time cgroup; do echo $n $(readlink /proc/self/ns/$n); done')
    for n in mnt pid net ipc uts time; do
        in=$(echo "$seen" | awk -v n=$n '$1 == n { print $2 }') out=$(readlink /proc/self/ns/$n)
        [ "$in" ] && [ "$in" != "$out" ] || same="$same $n"
    done
    fact "the same inside and outside:${same:- none}; $(echo "$seen" | awk '$1 == "pid" { print $2 }') is not $(readlink /proc/self/ns/pid)"
    [ -z "$same" ]
}

init_is_pid_1() {
    seen=$(run "$BASE" sh -c 'echo $(cat /proc/1/comm) $$ $PPID')
    fact "pid 1 is, the program's pid, its parent: $seen"
    [ "$seen" = "init 2 1" ]
}

init_survives() {
    n=$(number 3 99)
    run "$BASE" sh -c "kill -9 1; kill -STOP 1; kill -0 1 && exit $n"
    status=$?
    fact "after kill -9 1, inside: status $status, and $n was expected"
    [ $status = "$n" ]
}

orphans_are_reaped() {
    n=$(number 5 20)
    seen=$(run "$BASE" sh -c 'i=0
        while [ $i -lt '"$n"' ]; do sh -c "sleep 0.01 & exit"; i=$((i + 1)); done
        for try in $(seq 40); do
            zombies=$(cat /proc/[0-9]*/stat | awk "\$3 == \"Z\" && \$4 == 1" | wc -l)
            [ "$zombies" -gt 0 ] || break; sleep 0.05
        done; echo "$zombies"; probe orphan')
    fact "$n orphans, zombies that pid 1 has left: $(echo $seen)"
    [ "$(echo $seen)" = "0 adopter 1 zombies 0" ]
}

status_is_passed_on() {
    n=$(number 3 99)
    run "$BASE" sh -c "exit $n"
    code=$?
    run "$BASE" sh -c 'kill -USR1 $$'
    signalled=$?
    fact "exit $n gave $code; SIGUSR1 (10) gave $signalled"
    [ $code = "$n" ] && [ $signalled = 138 ]
}

signals_are_forwarded() {
    n=$(number 3 99)
    "$CONTAINER" run --rm --name box "$BASE" sh -c \
        "trap 'exit $n' USR1; touch /ready; while :; do sleep 0.05; done" &
    watcher=$!
    try test -e "$CONTAINER_HOME/containers/box/upper/ready"
    kill -USR1 $watcher
    wait $watcher
    status=$?
    fact "SIGUSR1 to the watcher: the program's trap ends it with $n, and the status was $status"
    [ $status = "$n" ]
}

dies_with_watcher() {
    "$CONTAINER" run --name box "$BASE" sh -c 'touch /ready; sleep 60' &
    watcher=$!
    try test -e "$CONTAINER_HOME/containers/box/upper/ready"
    init=$(init_of box)
    [ "$init" ] && ! ended "$init" || return
    kill -9 $watcher
    try ended "$init"
    gone=$?
    fact "the watcher was killed; init, pid $init, has $([ $gone = 0 ] && echo died || echo survived)"
    [ $gone = 0 ]
}
