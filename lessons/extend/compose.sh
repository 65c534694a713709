#!/bin/sh
# SPDX-License-Identifier: MIT
# compose.sh - does the compose tool make what a file describes? (extend.md)
# shellcheck disable=SC1091,SC2154     # what check has
. "$(dirname "$0")/check"

compose=${COMPOSE:-$tree/lessons/extend/compose}
[ -x "$compose" ] || { echo "not ok  there is no $compose yet (or: COMPOSE=FILE)"; exit 1; }

file=$box/shop.compose
write() { printf '%s\n' '# a comment' '' "$@" >"$file"; }
run() { CONTAINER=$engine timeout -k 5 60 "$compose" "$file" "$@" 2>&1 </dev/null; }
running() { c ps | awk '$2 == "running" { print $1 }' | sort | xargs; }
options="--network none -e R=$random"

c run -d --name stranger --network none "$image" sleep 60 >/dev/null
write "web: $options $image sleep 61" "db: $options $image sleep 62"
run up >/dev/null
is 'up' 0 $?
is 'both run, named PROJECT_SERVICE' 'shop_db shop_web stranger' "$(running)"
is 'with their options' "*R=$random*" "$(c exec shop_web env)"
web=$(pid_of shop_web) db=$(pid_of shop_db)
run up >/dev/null
is 'up again: nothing changes' "$web $db" "$(pid_of shop_web) $(pid_of shop_db)"
c kill shop_db
run up >/dev/null
is 'one has ended: it is started' 'shop_db shop_web stranger' "$(running)"
is 'and the other is left alone' "$web" "$(pid_of shop_web)"
db=$(pid_of shop_db)
write "web: $options $image sleep 63" "db: $options $image sleep 62"
run up >/dev/null
is 'its line has changed: it is made anew' 'sleep 63 ' "$(tr '\0' ' ' <"/proc/$(program_of shop_web)/cmdline")"
is 'and the other is left alone' "$db" "$(pid_of shop_db)"
is 'ps' '*db*running*' "$(run ps | sort | xargs)"
write "web: $options $image sleep 63"
run up >/dev/null
is 'its line has gone: so has it' 'shop_web stranger' "$(running)"
write "web: $options $image sleep 63" "bad: --nosuch $image true"
is 'what cannot be made is an error' failed "$(run up >/dev/null || echo failed)"
is 'and the rest is there' 'shop_web stranger' "$(running)"
run down >/dev/null
is 'down: all of it, and nobody else' stranger "$(running)"
is 'no directory is left' stranger "$(cd "$CONTAINER_HOME/containers" && echo *)"
run down >/dev/null
is 'down again is not an error' 0 $?
result
