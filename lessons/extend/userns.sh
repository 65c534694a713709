#!/bin/sh
# SPDX-License-Identifier: MIT
# userns.sh - does --userns give the container's root a number of its own on the host? (extend.md)
# shellcheck disable=SC1091,SC2154     # what check has
. "$(dirname "$0")/check"
[ "$(id -u)" -eq 0 ] || cannot "--userns is for root; an ordinary user has a user namespace already"

first=$((100000 + random))
run() { c run --rm --userns "$first" "$@"; }
feature --userns "$(run "$image" true)"

is 'root inside is 0' 0 "$(run "$image" id -u)"
is 'the map' "0 $first 65536" "$(run "$image" cat /proc/self/uid_map | xargs)"
is 'the map of groups' "0 $first 65536" "$(run "$image" cat /proc/self/gid_map | xargs)"
is "the image's files are root's" '0 0' "$(run "$image" stat -c '%u %g' /bin/busybox | xargs)"
is 'and root may change them' '0 1000 4755' "$(run "$image" sh -c \
    'chown 0:1000 /bin/busybox; chmod 4755 /bin/busybox; stat -c "%u %g %a" /bin/busybox')"
is 'an id that the map has' '1000 1000' "$(run -u 1000:1000 "$image" sh -c 'id -u; id -g' | xargs)"
is 'an id that it has not' '*70000*' "$(run -u 70000 "$image" id -u)"
is 'a power over the machine is none' '*ermission denied*' \
    "$(run --cap-add SYS_NICE "$image" sh -c 'renice -n -5 -p $$')"

is '-d' box "$(c run -d --name box --userns "$first" -h box "$image" sleep 60)"
is "the host's number of the program's user" "$first" "$(uid_of "$(program_of box)")"
is 'and of init' "$first" "$(uid_of "$(pid_of box)")"
is 'exec is in the same namespace' "0 $first 65536" "$(c exec box cat /proc/self/uid_map | xargs)"
is 'exec is root there' 0 "$(c exec box id -u)"
c exec box touch /note >/dev/null
is 'what it writes belongs to that number' "$first" \
    "$(stat -c %u "$CONTAINER_HOME/containers/box/upper/note" 2>&1)"
is 'it has the bridge' '*inet 10.66.*' "$(c exec box ip -4 addr show eth0)"
is 'and the host reaches it' '* 0% packet loss*' \
    "$(ping -c 1 -W 2 "$(cat "$CONTAINER_HOME/containers/box/ip" 2>&1)" 2>&1)"
c rm -f box >/dev/null
is 'rm leaves nothing' no "$(test -e "$CONTAINER_HOME/containers/box" && echo yes || echo no)"

mkdir "$box/volume"
echo "$random" >"$box/volume/mine"
chmod 600 "$box/volume/mine"
is 'a volume: root reads what root wrote' "$random" "$(run -v "$box/volume:/v" "$image" cat /v/mine)"
run -v "$box/volume:/v" "$image" touch /v/new >/dev/null
is 'and what it writes there is root'"'s" 0 "$(stat -c %u "$box/volume/new" 2>&1)"
is ':ro is still read-only' '*Read-only*' "$(run -v "$box/volume:/v:ro" "$image" touch /v/x)"

mkdir -p "$box/image/top/etc"
echo "$random" >"$box/image/top/etc/motd"
printf '%s\n' "$box/image/top" "$image" >"$box/image/layers"
is 'two layers' "$random 0" "$(run "$box/image" sh -c 'cat /etc/motd; stat -c %u /etc/motd' | xargs)"
is 'on the host the layers are as they were' 0 "$(stat -c %u "$box/image/top/etc/motd")"

c run --name kept --userns "$first" "$image" touch /one >/dev/null
c start kept >/dev/null
c wait kept >/dev/null
is 'start runs it again' 0 "$(tr -d ' ' <"$CONTAINER_HOME/containers/kept/exit" 2>&1)"
is 'without the option nothing changes' '0 0 4294967295' \
    "$(c run --rm "$image" cat /proc/self/uid_map | xargs)"
result
