#!/bin/sh
# SPDX-License-Identifier: MIT
# subnets.sh - are there more bridges, each with addresses of its own? (extend.md)
# shellcheck disable=SC1091,SC2154     # what check has
. "$(dirname "$0")/check"
[ "$(id -u)" -eq 0 ] || cannot 'a bridge needs root'

n=$((1 + random % 99)) second=$((67 + random % 99))
forward=$(cat /proc/sys/net/ipv4/ip_forward)
ip link set lo up
feature '--network bridge:N' "$(c run --rm --network "bridge:$n" "$image" true)"

is 'an address of its own network' "*inet 10.$second.*/16*" \
    "$(c run --rm --network "bridge:$n" "$image" ip -4 addr show eth0)"
is 'its gateway' "*default via 10.$second.0.1 *" "$(c run --rm --network "bridge:$n" "$image" ip route)"
is 'the old one is as it was' '*inet 10.66.*/16*' "$(c run --rm "$image" ip -4 addr show eth0)"
is 'bridge:0 is the same' '*inet 10.66.*/16*' \
    "$(c run --rm --network bridge:0 "$image" ip -4 addr show eth0)"
is 'too many' '*bridge:190*expected*' "$(c run --rm --network bridge:190 "$image" true)"

c run -d --name "one$random" "$image" httpd -f -h /etc >/dev/null
c run -d --name "two$random" --network "bridge:$n" -p 8080:80 "$image" httpd -f -h /etc >/dev/null
address() { cat "$CONTAINER_HOME/containers/$1/ip" 2>&1; }
sleep 0.5
is 'two at once, an address from each network' "10.66.* 10.$second.*" \
    "$(address "one$random") $(address "two$random")"
is 'each on its bridge' "container0 container$n" "$(for i in 0 "$n"; do
    ip link | grep -q "veth.* master container$i " && echo "container$i"; done | xargs)"
is 'a published port' "two$random" \
    "$(c run --rm --network host "$image" wget -q -O - http://127.0.0.1:8080/hostname)"
is 'a neighbour' "two$random" \
    "$(c run --rm --network "bridge:$n" "$image" wget -q -O - "http://$(address "two$random")/hostname")"
is 'the way out: the host answers' 0 \
    "$(c run --rm --network "bridge:$n" "$image" ping -c 1 -W 2 "10.$second.0.1" >/dev/null; echo $?)"
before=$(address "two$random")
c stop -t 0 "two$random" >/dev/null
c start "two$random" >/dev/null
is 'start: the same network' "10.$second.*" "$(address "two$random")"
is 'and usually the same address' "$before" "$(address "two$random")"
c rm -f "one$random" "two$random" >/dev/null
c network down >/dev/null
is 'network down: no bridge' 0 "$(ip link | grep -c ': container[0-9]')"
is 'no rule of ours' 0 "$(nft list ruleset 2>/dev/null | grep -c "container$n\b")"
is 'and forwarding is as it was' "$forward" "$(cat /proc/sys/net/ipv4/ip_forward)"
result
