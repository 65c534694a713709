#!/bin/sh
# SPDX-License-Identifier: MIT
# subnets.sh - are there more bridges, each with addresses of its own? (extend.md)
# shellcheck disable=SC1091,SC2154     # what check has
. "$(dirname "$0")/check"
[ "$(id -u)" -eq 0 ] || cannot 'a bridge needs root'

n=$((1 + random % 99)) second=$((67 + random % 99))
forward=$(cat /proc/sys/net/ipv4/ip_forward)
feature '--network bridge:N' "$(c run --rm --network "bridge:$n" "$image" true)"
ip link set lo up

is 'an address of its own network' "*inet 10.$second.0.2/16*" \
    "$(c run --rm --network "bridge:$n" "$image" ip -4 addr show eth0)"
is 'its gateway' "*default via 10.$second.0.1 *" "$(c run --rm --network "bridge:$n" "$image" ip route)"
is 'the old one is as it was' '*inet 10.66.0.2/16*' "$(c run --rm "$image" ip -4 addr show eth0)"
is 'bridge:0 is the same' '*inet 10.66.0.2/16*' \
    "$(c run --rm --network bridge:0 "$image" ip -4 addr show eth0)"
is 'too many' '*bridge:190*want*' "$(c run --rm --network bridge:190 "$image" true)"

c run -d --name one "$image" httpd -f -h /etc >/dev/null
c run -d --name two --network "bridge:$n" -p 8080:80 "$image" httpd -f -h /etc >/dev/null
sleep 0.5
is 'two at once' "10.66.0.2 10.$second.0.2" \
    "$(cat "$CONTAINER_HOME"/containers/one/ip "$CONTAINER_HOME"/containers/two/ip 2>&1 | xargs)"
is 'each on its bridge' "container0 container$n" "$(for i in 0 "$n"; do
    ip link | grep -q "veth.* master container$i " && echo "container$i"; done | xargs)"
is 'a published port' two \
    "$(c run --rm --network host "$image" wget -q -O - http://127.0.0.1:8080/hostname)"
is 'a neighbour' '* 0% packet loss*' "$(c run --rm --network "bridge:$n" "$image" ping -c 1 -W 2 "10.$second.0.2")"
c stop -t 0 two >/dev/null
c start two >/dev/null
is 'start: the same network' "10.$second.*" "$(cat "$CONTAINER_HOME/containers/two/ip" 2>&1)"
c rm -f one two >/dev/null
is 'the last one has left: no bridge' 0 "$(ip link | grep -c ': container[0-9]')"
is 'and forwarding is as it was' "$forward" "$(cat /proc/sys/net/ipv4/ip_forward)"
result
