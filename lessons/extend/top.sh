#!/bin/sh
# SPDX-License-Identifier: MIT
# top.sh - does container top show the processes of a container, with both numbers? (extend.md)
# shellcheck disable=SC1091,SC2154     # what check has
. "$(dirname "$0")/check"

c run -d --name "one$random" --network none "$image" sh -c 'sleep 371 & exec sleep 370' >/dev/null
c run -d --name "two$random" --network none "$image" sleep 372 >/dev/null
feature 'container top' "$(c top "one$random")"

# The kernel's words: all that are in the pid namespace of init, "HOST INSIDE" for each.
pairs_of() { # NAME
    space=$(readlink "/proc/$(pid_of "$1")/ns/pid" | tr -d 'pid:[]')
    find /proc/[0-9]*/ns/pid -maxdepth 0 -lname "pid:?$space?" 2>/dev/null | while read -r link; do
        awk '/^NSpid:/ { print $2, $NF }' "${link%/ns/pid}/status"
    done | sort -n
}
pairs_in() { # what top has printed
    printf '%s\n' "$1" | awk '$1 ~ /^[0-9]+$/ && $2 ~ /^[0-9]+$/ { print $1, $2 }' | sort -n
}
number_inside() { # NAME COMMAND
    c top "$1" | awk -v "what=$2" 'index($0, what) { print $2 }'
}

is 'two are in one: init, two sleeps' 3 "$(pairs_of "one$random" | wc -l)"
is 'their numbers, outside and inside' "$(pairs_of "one$random")" "$(pairs_in "$(c top "one$random")")"
is 'the header adds one line' 4 "$(c top "one$random" | wc -l)"
is 'the number inside stands at its command' '2 3' \
    "$(number_inside "one$random" 'sleep 370') $(number_inside "one$random" 'sleep 371')"
is 'status' 0 "$(c top "one$random" >/dev/null; echo $?)"
timeout 60 "$engine" exec "one$random" sleep 373 </dev/null &
entered=$!
for _ in 1 2 3 4 5 6 7 8 9 10; do
    [ -z "$(number_inside "one$random" 'sleep 373')" ] || break
    sleep 0.2
done
is 'whoever has come in by exec is there, too' '[0-9]*' "$(number_inside "one$random" 'sleep 373')"
is 'and again the same numbers' "$(pairs_of "one$random")" "$(pairs_in "$(c top "one$random")")"
kill "$entered"
wait "$entered"
is 'two names: the processes of both' "$(
    pairs_of "one$random"
    pairs_of "two$random"
)" "$(c top "one$random" "two$random" >"$box/said"; pairs_in "$(cat "$box/said")")"
is 'nobody of another container' 0 "$(c top "one$random" | grep -c 'sleep 372')"

timeout 60 "$engine" exec "two$random" sh -c 'sleep 374; :' "$(printf '\033[31mred\nline')" </dev/null >/dev/null 2>&1 &
bad=$!
for _ in 1 2 3 4 5 6 7 8 9 10; do
    [ "$(pairs_of "two$random" | wc -l)" -le 2 ] || break
    sleep 0.2
done
is 'no byte of theirs that a terminal obeys' 0 "$(c top "two$random" | LC_ALL=C grep -c '[^ -~]')"
is 'a line for each, whatever it is called' "$(pairs_of "two$random" | wc -l)" \
    "$(($(c top "two$random" | wc -l) - 1))"
kill "$bad"

c run --name "past$random" --network none "$image" true >/dev/null
is 'one that has ended is an error' '*container: past*' "$(c top "past$random")"
is 'with status 125' 125 "$(c top "past$random" >/dev/null; echo $?)"
echo $$ >"$CONTAINER_HOME/containers/past$random/pid"
is 'also if its number is a stranger by now' 125 "$(c top "past$random" >"$box/said"; echo $?)"
is 'who is not shown' '' "$(pairs_in "$(cat "$box/said")")"
is 'if one NAME fails, the others are still shown' "$(pairs_of "two$random"; echo 125)" \
    "$(c top "past$random" "two$random" >"$box/said"; status=$?; pairs_in "$(cat "$box/said")"; echo "$status")"
is '--help' '*container top NAME*' "$(c top --help)"
result
