# shellcheck shell=sh
# shellcheck disable=SC2016,SC2046,SC2086,SC2116 # for the shell inside; lists, and lists as one line
# lab: the network

item lo_is_up 2 5.2 any 'a new network namespace has a lo, but it is down: set_up in net_inside'
item cable_has_two_ends 3 5.3 root 'eth0 and its peer on the host are one veth pair: iflink here is ifindex there'
item address_and_route 3 5.4 root 'the address with its /16, and a default route by the gateway'
item bridge_joins 3 5.5 root 'the host end of each cable is a port of container0: IFLA_MASTER'
item mac_from_address 1 5.5 root 'the last four bytes of the MAC are the address: see MAC'
item neighbours_talk 3 5.5 root 'bridge up, both cables up, both ends up'
item nat_on_the_way_out 3 5.6 root 'packets for elsewhere leave with the host address: masquerade, in a chain at postrouting'
item published_port 3 5.7 root 'dnat, in chains at prerouting and (for our own packets) at output'
item cable_goes_with_it 1 5.3 root 'a veth goes with its namespace; nothing is left over'

lo_is_up() {
    seen=$(run --network none "$BASE" sh -c 'cat /sys/class/net/lo/flags; probe ping 127.0.0.1; ls /sys/class/net')
    fact "--network none, flags of lo (1 is UP), ping, all links: $(echo $seen)"
    set -- $seen
    [ $((${1:-0} & 1)) = 1 ] && [ "$(echo $seen | sed 's/.* //')" = lo ] &&
        run --network none "$BASE" probe ping 127.0.0.1
}

links() { # the links of the host: "INDEX NAME ..."
    ip -o link | sed 's/^\([0-9]*\): \([^:@]*\)/\1 \2 /'
}

eth0_is_up() { # which the kernel says a little after it is so
    [ "$(inside cat /sys/class/net/eth0/operstate)" = up ]
}

cable_has_two_ends() {
    start "$BASE" sleep 60
    inner=$(inside cat /sys/class/net/eth0/ifindex) peer=$(inside cat /sys/class/net/eth0/iflink)
    name=$(links | awk -v i="$peer" '$1 == i { print $2 }')
    fact "inside eth0 is $inner, its other end $peer; here, $peer is ${name:-nobody}"
    [ "$name" ] && ip -o -d link show "$name" | grep -q ' veth ' && try eth0_is_up
}

address_and_route() {
    a=$(number 1 254) b=$(number 2 250) net=$(number 1 200)
    seen=$(CONTAINER_SUBNET=10.$net.0.0 run --ip 10.$net.$a.$b "$BASE" sh -c 'ip -o -4 addr show eth0; grep "^eth0.00000000" /proc/net/route')
    gateway=$(printf '%02X%02X%02X%02X' 1 0 $net 10)
    fact "--ip 10.$net.$a.$b: $(echo $seen)"
    echo "$seen" | grep -q "inet 10[.]${net}[.]${a}[.]$b/16 " &&
        echo "$seen" | grep -q "^eth0.00000000.$gateway.0003"
}

ports_are_up() { # N
    ports=$(ip -o link | grep -c ' master container0 .*state UP')
    [ "$ports" = "$1" ]
}

bridge_joins() {
    n=$(number 2 5) i=0
    while [ $i -lt $n ]; do start "$BASE" sleep 60; i=$((i + 1)); done
    try ports_are_up $n
    seen=$(ip -o -4 addr show container0 | sed 's/.*inet \([^ ]*\).*/\1/')
    fact "$n containers: $ports ports that are up; the bridge is $seen"
    [ "$ports" = $n ] && [ "$seen" = 10.66.0.1/16 ] && ip -o link show container0 | grep -q '[<,]UP[,>]'
}

mac_from_address() {
    a=$(number 1 254) b=$(number 2 250)
    seen=$(run --ip 10.66.$a.$b "$BASE" cat /sys/class/net/eth0/address)
    want=$(printf '02:42:0a:42:%02x:%02x' $a $b)
    fact "10.66.$a.$b has $seen, and $want was expected"
    [ "$seen" = "$want" ]
}

neighbours_talk() {
    token=$(word) port=$(number 1024 9999)
    start "$BASE" probe serve $port 60
    server=$C
    address=$(cat "$CONTAINER_HOME/containers/$C/ip")
    start "$BASE" sleep 60
    try inside probe tcp-connect $address $port ready 1
    seen=$(inside probe tcp-connect $address $port $token)
    fact "one container asks another at $address:$port and hears: $(echo $seen)"
    case $(echo $seen) in *"at $server from $(cat "$CONTAINER_HOME/containers/$C/ip") "*$token*) ;; *) return 1 ;; esac
}

# Another network namespace plays the rest of the world, 203.0.113.2; we are .1 there.
make_world() {
    unshare --net sleep 100 &
    world=$!
    try sh -c "[ \$(readlink /proc/$world/ns/net) != \$(readlink /proc/self/ns/net) ]"
    ip link add up0 type veth peer name up0 netns $world && ip link set up0 up &&
        ip addr add 203.0.113.1/24 dev up0 && ip route add default via 203.0.113.2 &&
        nsenter -t $world -n sh -c 'ip link set lo up; ip link set up0 up; ip addr add 203.0.113.2/24 dev up0'
}

nat_on_the_way_out() {
    token=$(word) port=$(number 1024 9999)
    make_world || return
    nsenter -t $world -n "$BASE/bin/probe" serve $port 60 >"$T/server" &
    start "$BASE" sleep 60
    try inside probe tcp-connect 203.0.113.2 $port ready 1
    seen=$(inside probe tcp-connect 203.0.113.2 $port $token)
    fact "a server outside is asked by a container, and sees it as: $(echo $seen)"
    case $(echo $seen) in *'from 203.0.113.1 '*$token*) ;; *) return 1 ;; esac
}

published_port() {
    token=$(word) port=$(number 1024 9999) inner=$(number 1024 9999) seen='' bad=0
    make_world || return
    start -p $port:$inner "$BASE" probe serve $inner 60
    try "$BASE/bin/probe" tcp-connect 127.0.0.1 $port ready 1
    for from in "nsenter -t $world -n" "env"; do
        for to in 203.0.113.1 127.0.0.1; do
            [ "$from $to" != "nsenter -t $world -n 127.0.0.1" ] || continue
            said=$($from "$BASE/bin/probe" tcp-connect $to $port $token 2>&1)
            seen="$seen $to: $(echo $said);"
            case $(echo $said) in *"at $C from "*$token*) ;; *) bad=1 ;; esac
        done
    done
    fact "-p $port:$inner, asked from outside and by ourselves:$seen"
    [ $bad = 0 ]
}

cable_goes_with_it() {
    start "$BASE" sleep 60
    cables=$(ip -o link | grep -c veth)
    "$CONTAINER" kill $C
    try sh -c '! ip -o link | grep -q veth'
    left=$(ip -o link | grep -c veth)
    fact "cables while it runs: $cables, and after: $left"
    [ "$cables" = 1 ] && [ "$left" = 0 ]
}
