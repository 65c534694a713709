#!/bin/sh
# SPDX-License-Identifier: MIT
# groups.sh - does -u give the groups that the image lists for the user? (extend.md)
# shellcheck disable=SC1091,SC2154     # what check has
. "$(dirname "$0")/check"
[ "$(id -u)" -eq 0 ] || cannot 'an ordinary user may not change its groups: setgroups(2)'

a=$((100 + random % 500)) b=$((700 + random % 500))
mkdir -p "$box/image/top/etc"
printf '%s\n' "$box/image/top" "$image" >"$box/image/layers"
cat >"$box/image/top/etc/group" <<END
root:x:0:
student:x:1000:
this line is none
sound:x:$a:student
:::
trap:x:666:students,tudent,astudent
pictures:x:$b:root,student
last:x:12:root,
END

# The kernel's words: the group, and then the others in order. Whether the first is also in that list
# makes no difference.
list() {
    awk '/^Gid:/ { printf "%s", own = $2 }
         /^Groups:/ { for (i = 2; i <= NF && i < 9; i++) if ($i != own) printf " %s", $i }
         /^container: / { printf "%s", $0 }'
}
groups_of() { c run --rm --network none -u "$@" "$box/image" cat /proc/self/status | list; }
first=$(groups_of student)
[ "$first" != 1000 ] || { echo 'not ok  the engine has no group lists yet: student is in 1000 only'; exit 1; }

is 'by name' "1000 $a $b" "$first"
is 'by number' "1000 $a $b" "$(groups_of 1000)"
is 'root, too' "0 12 $b" "$(groups_of 0)"
is 'a group that was said is the only one' 5 "$(groups_of 1000:5)"
is 'a group by name' "$a" "$(groups_of student:sound)"
is 'an unknown group is an error' 'container: --user student:nosuch*' "$(groups_of student:nosuch)"
is 'who is in no list' 65534 "$(groups_of nobody)"
is 'the groups of the caller do not count' "1000 $a $b" \
    "$(timeout 30 setpriv --groups 4,20 "$engine" run --rm --network none -u student "$box/image" cat /proc/self/status | list)"
c run -d --name box --network none "$box/image" sleep 60 >/dev/null
is 'exec -u' "1000 $a $b" "$(c exec -u student box cat /proc/self/status | list)"
is 'exec is root again' "0 12 $b" "$(c exec box cat /proc/self/status | list)"
rm "$box/image/top/etc/group"
mkfifo "$box/image/top/etc/group"
is 'a pipe instead of a file: it does not wait' 1000 "$(groups_of 1000:1000)"
rm "$box/image/top/etc/group"
awk 'BEGIN { for (i = 2000; i < 72000; i++) print "many" i ":x:" i ":student" }' >"$box/image/top/etc/group"
many=$(groups_of student)
case $many in '1000 2000 2001'* | 'container: '*) many=well ;; esac
is '70000 groups: many of them, or an error; no crash' well "$many"
result
