# shellcheck shell=sh
# shellcheck disable=SC2016,SC2046,SC2086,SC2116 # for the shell inside; lists, and lists as one line
# lab: limits

item memory_is_limited 2 4.2 root 'the limit is a number in memory.max, or memory.limit_in_bytes; see the table limits'
item swap_is_no_way_out 2 4.3 root 'a limit of memory alone makes the program swap: limit both, or memory.swap.max 0'
item death_is_counted 3 4.3 root 'the kernel counts in memory.events (memory.oom_control): read the number after oom_kill'
item processes_are_limited 3 4.4 root 'pids.max; then fork fails with EAGAIN, and pids.events counts it'
item processor_is_limited 3 4.5 root 'cpu.max holds QUOTA PERIOD, cpu.cfs_quota_us the quota; in cpu.stat nr_throttled counts'
item everybody_is_in 3 4.6 root 'join before "go": who has forked already leaves its child outside'
item seen_inside_read_only 2 4.7 root 'cgroup_create has fs_mount show it at /sys/fs/cgroup'
item counted_without_limit 2 4.2 root 'the cgroup is made, and its controllers are on, also if there is no limit'

value() { # FILE of version 2, and of version 1: what it says of $C is in $seen
    is_v2 && file=$1 || file=$2
    dir=$(cgroup_of $C "$file")
    seen=$(cat "$dir/$file")
}

memory_is_limited() {
    n=$(number 16 99)
    start -m ${n}M "$BASE" sleep 60
    value memory.max memory.limit_in_bytes
    fact "-m ${n}M, which is $((n << 20)): $file is $seen"
    [ "$seen" = $((n << 20)) ]
}

swap_is_no_way_out() {
    n=$(number 16 99)
    start -m ${n}M "$BASE" sleep 60
    value memory.swap.max memory.memsw.limit_in_bytes
    is_v2 && want=0 || want=$((n << 20))
    if [ ! "$seen" ]; then # this kernel counts no swap, so there is nothing to limit
        value memory.max memory.limit_in_bytes
        want=$((n << 20))
    fi
    fact "-m ${n}M: $file is $seen"
    [ "$seen" = "$want" ]
}

death_is_counted() {
    n=$(number 16 48)
    "$CONTAINER" run --rm -m ${n}M "$BASE" probe alloc 200 </dev/null >"$T/said" 2>&1
    status=$?
    fact "200 MB with -m ${n}M: status $status, said: $(grep -v '^ *$' "$T/said" | tail -n 1)"
    [ $status = 137 ] && grep -qi 'out of memory.*'$n "$T/said"
}

processes_are_limited() {
    n=$(number 8 40)
    start --pids-limit $n "$BASE" sh -c 'probe fork 100 >/seen; sleep 60'
    try test -s "$CONTAINER_HOME/containers/$C/upper/seen"
    seen=$(cat "$CONTAINER_HOME/containers/$C/upper/seen")
    dir=$(cgroup_of $C pids.max)
    fact "--pids-limit $n: pids.max $(cat "$dir/pids.max"), $seen, pids.events $(xargs <"$dir/pids.events")"
    [ "$(cat "$dir/pids.max")" = $n ] && [ "$seen" = "forked $((n - 3)) errno EAGAIN" ]
}

processor_is_limited() {
    n=$(number 3 9) # so little that a busy machine gives it more
    start --cpus 0.0$n "$BASE" sh -c 'probe burn 60; touch /done; sleep 60'
    try test -e "$CONTAINER_HOME/containers/$C/upper/done"
    value cpu.max cpu.cfs_quota_us
    throttled=$(awk '$1 == "nr_throttled" { print $2 }' "$dir/cpu.stat")
    fact "--cpus 0.0$n: $file is $seen; after 60 ms of work nr_throttled is $throttled"
    [ "${seen%% *}" = ${n}000 ] && [ "$throttled" -ge 1 ]
}

everybody_is_in() {
    n=$(number 3 9)
    start -m 64M "$BASE" sh -c "i=0; while [ \$i -lt $n ]; do sleep 60 & i=\$((i + 1)); done; touch /done; wait"
    try test -e "$CONTAINER_HOME/containers/$C/upper/done"
    is_v2 && dir=$(cgroup_of $C memory.max) || dir=$(cgroup_of $C memory.limit_in_bytes)
    seen=$(wc -l <"$dir/cgroup.procs")
    fact "init, a shell and $n children: $seen processes in its cgroup"
    [ "$seen" = $((n + 2)) ]
}

seen_inside_read_only() {
    n=$(number 16 99)
    is_v2 && file=memory.max || file=memory/memory.limit_in_bytes
    seen=$(run -m ${n}M "$BASE" sh -c "cat /sys/fs/cgroup/$file; echo $((n << 20)) 2>/dev/null >/sys/fs/cgroup/$file || echo refused
        grep -E ':(memory)?:' /proc/self/cgroup | cut -d : -f 3")
    fact "inside, $file, writing, the name of its cgroup: $(echo $seen)"
    case $(echo $seen) in "$((n << 20)) refused /"*) ;; *) return 1 ;; esac
}

counted_without_limit() {
    n=$(number 4 12)
    start "$BASE" sh -c "dd if=/dev/zero of=/dev/shm/x bs=1M count=$n; touch /done; sleep 60"
    try test -e "$CONTAINER_HOME/containers/$C/upper/done"
    value memory.current memory.usage_in_bytes
    fact "no limit, $n MB in memory: $file is $seen"
    [ "$seen" -ge $((n << 20)) ]
}
