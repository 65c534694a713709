#!/bin/sh
# SPDX-License-Identifier: MIT
# oom-group.sh - on cgroup version 1: does all of the container end when memory runs out? (extend.md)
# shellcheck disable=SC1091,SC2154     # what check has
. "$(dirname "$0")/check"
[ "$(id -u)" -eq 0 ] || cannot 'limits on version 1 need root'
[ ! -e /sys/fs/cgroup/cgroup.controllers ] || cannot 'this is version 2, where the kernel does it: memory.oom.group'

greedy='tail /dev/zero; echo survived'
said=$(c run --rm --network none -m 32M "$image" sh -c "$greedy")
case $said in *survived*) echo 'not ok  one process dies, and the container goes on'; exit 1 ;; esac

is 'it says why' '*out of memory*' "$said"
c run --rm --network none -m 32M "$image" sh -c "$greedy" >/dev/null
is 'status' 137 $?
is 'in the background' box "$(c run -d --name box --network none -m 32M "$image" sh -c "sleep 1; $greedy")"
is 'wait' 137 "$(c wait box)"
is 'nobody survives' 0 "$(c logs box | grep -c survived)"
is 'a grandchild counts, too' '*out of memory*' \
    "$(c run --rm --network none -m 32M "$image" sh -c "(sh -c 'tail /dev/zero' & wait); echo survived")"
is 'another death is none' '*survived*' \
    "$(c run --rm --network none -m 32M "$image" sh -c 'sh -c "kill -9 \$\$"; echo survived')"
is 'nor is a good use of memory' "8388608" \
    "$(c run --rm --network none -m 32M "$image" sh -c 'head -c 8388608 /dev/zero | tail -c 8388608 | wc -c')"
is 'without a limit nothing changes' "$random" "$(c run --rm --network none "$image" echo "$random")"
result
