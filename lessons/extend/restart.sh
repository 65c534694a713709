#!/bin/sh
# SPDX-License-Identifier: MIT
# restart.sh - does --restart start a program that fails again? (extend.md)
# shellcheck disable=SC1091,SC2154     # what check has
. "$(dirname "$0")/check"

mkdir -m 777 "$box/d"
lines() { wc -l <"$box/d/n" | tr -d ' '; }
try() { # TIMES PROGRAM
    rm -f "$box/d/n"
    times=$1
    shift
    c run --rm --network none --restart "$times" -v "$box/d:/d" "$image" sh -c "echo x >>/d/n; $*"
}
feature --restart "$(try 1 true)"

n=$((2 + random % 3))
try $n 'exit 7' >/dev/null
is 'its last status' 7 $?
is "once, and $n times again" $((n + 1)) "$(lines)"
try $n true >/dev/null
is 'success is the end' '0 1' "$? $(lines)"
try 5 "[ \$(wc -l </d/n) -gt $n ]" >/dev/null
is 'until it works' "0 $((n + 1))" "$? $(lines)"
is 'its files stay' '1 2 3' "$(try 2 'echo x >>/own; wc -l </own; exit 1' | xargs)"
try 1 'kill -9 $$' >/dev/null
is 'a signal is a failure, too' "137 2" "$? $(lines)"
is 'a program that is not there is not tried again' '*nosuch*' \
    "$(c run --rm --network none --restart 3 "$image" nosuch)"
is 'a number is expected' '*--restart x: expected*' "$(c run --rm --network none --restart x "$image" true)"

rm -f "$box/d/n"
c run -d --name box --network none --restart 3 -v "$box/d:/d" "$image" sh -c 'echo x >>/d/n; sleep 60' >/dev/null
c stop -t 0 box >/dev/null
is 'stop is not a failure' 1 "$(lines)"
c rm -f box >/dev/null
c run -d --name box --network none --restart 2 "$image" sh -c 'exit 3' >/dev/null
is 'in the background' 3 "$(c wait box)"
is 'rm leaves nothing' no "$(c rm box; test -e "$CONTAINER_HOME/containers/box" && echo yes || echo no)"
result
