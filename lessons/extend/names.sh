#!/bin/sh
# SPDX-License-Identifier: MIT
# names.sh - does a container without --name get one that people can say? (extend.md)
# shellcheck disable=SC1091,SC2154     # what check has
. "$(dirname "$0")/check"

new_one() { c create --network none "$image" true; }
readable='[a-z][a-z]*_[a-z]*[a-z]'
name=$(new_one)
case $name in c[0-9a-f]*-[0-9]*)
    echo "not ok  the engine has no readable names yet: it says $name"
    exit 1 ;;
esac

is 'a name' "$readable" "$name"
is 'and nothing else' "$name" "$(echo "$name" | tr -cd 'a-z_')"
running=$(c run -d --network none "$image" sleep 60)
is 'it is also the host name' "$running" "$(c exec "$running" hostname)"
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do new_one; done >"$box/names"
is 'twenty more, all different' 20 "$(sort -u "$box/names" | wc -l)"
is 'and all readable' 20 "$(grep -c "^${readable}\$" "$box/names")"
for _ in 1 2 3 4 5 6 7 8; do new_one >>"$box/at-once" & done
wait
is 'eight at once: each gets one' 8 "$(sort -u "$box/at-once" | wc -l)"
is 'and no two the same' 0 "$(cat "$box/names" "$box/at-once" | sort | uniq -d | wc -l)"
is '--name wins' "mine$random" "$(c create --network none --name "mine$random" "$image" true)"
is 'a name that is taken is still an error' 'container: *File exists*' \
    "$(c create --network none --name "mine$random" "$image" true)"
result
