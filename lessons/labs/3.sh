# shellcheck shell=sh
# shellcheck disable=SC2016,SC2046,SC2086,SC2116 # for the shell inside; lists, and lists as one line
# lab: images and layers

item upper_hides_lower 3 3.2 any 'lowerdir lists the top layer first'
item deleted_is_a_whiteout 3 3.3 any 'the image must stay as it is: upperdir takes what is written, and what is deleted'
item containers_do_not_share 3 3.4 any 'each container has an upper of its own'
item any_name_will_do 2 3.5 any 'a comma or colon in a path ends an option or a layer: name layers by /proc/self/fd/N'
item a_hundred_layers 2 3.5 any 'options of mount(2) end at 4096 bytes; a short name for each layer leaves room'
item redirects_are_refused 2 3.6 root 'a layer must not lead elsewhere: redirect_dir=nofollow, metacopy=off'
item image_has_arguments 2 3.1 any 'the file args of the image: one argument a line, which fs_image gives back'
item missing_layer_is_refused 3 3.1 any 'say which layer is missing (status 125), before anything has been made'

# An image of N layers in $T/image; layer I (1 is the top) has a file I, and a file who that says I.
make_image() { # N
    mkdir -p "$T/image"
    : >"$T/image/layers"
    i=0
    while [ $i -lt "$1" ]; do
        i=$((i + 1))
        mkdir -p "$T/layer$i"
        echo "$i$mark" | tee "$T/layer$i/who" >"$T/layer$i/file$i"
        echo "$T/layer$i" >>"$T/image/layers"
    done
    echo "$BASE" >>"$T/image/layers"
}

upper_hides_lower() {
    mark=-$(word) n=$(number 3 6)
    make_image $n
    seen=$(run "$T/image" sh -c "cat /who; cat /file1 /file$n")
    fact "$n layers, the file that each has: $(echo $seen)"
    [ "$(echo $seen)" = "1$mark 1$mark $n$mark" ]
}

deleted_is_a_whiteout() {
    mark=-$(word)
    make_image 2
    "$CONTAINER" run --name box "$T/image" sh -c 'rm /who /file2; echo new >/file1' </dev/null
    upper=$CONTAINER_HOME/containers/box/upper
    seen=$(stat -c '%F %t:%T' "$upper/who" "$upper/file2")
    fact "in upper: $(echo $seen), file1: $(cat "$upper/file1"); in the layers: $(cat "$T/layer1/who" "$T/layer1/file1" "$T/layer2/file2" | xargs)"
    [ "$(echo $seen)" = "character special file 0:0 character special file 0:0" ] &&
        [ "$(cat "$upper/file1" "$T/layer1/who" "$T/layer1/file1" "$T/layer2/file2" | xargs)" = "new 1$mark 1$mark 2$mark" ]
}

containers_do_not_share() {
    mark=-$(word)
    make_image 1
    for name in one two; do
        "$CONTAINER" run --name $name "$T/image" sh -c "cat /who; echo $name >/who; echo $name >/$name; ls /one /two 2>/dev/null" </dev/null
    done >"$T/seen"
    fact "two containers write /who and a file each, and see: $(xargs <"$T/seen"); the layer has: $(cat "$T/layer1/who")"
    [ "$(xargs <"$T/seen")" = "1$mark /one 1$mark /two" ] && [ "$(cat "$T/layer1/who")" = "1$mark" ]
}

any_name_will_do() {
    mark=-$(word)
    odd="$T/a,b:c$mark"
    mkdir -p "$odd" "$T/image" && echo $mark >"$odd/who"
    printf '%s\n' "$odd" "$BASE" >"$T/image/layers"
    seen=$(run "$T/image" cat /who)
    fact "a layer named ${odd##*/}: the file in it says $seen"
    [ "$seen" = "$mark" ]
}

a_hundred_layers() {
    mark=-$(word) n=$(number 100 120)
    make_image $n
    seen=$(run "$T/image" sh -c "cat /who /file$n; ls / | grep -c file")
    fact "$n layers; the top's file, the last one's, number of files: $(echo $seen)"
    [ "$(echo $seen)" = "1$mark $n$mark $n" ]
}

# The top layer says that its directory "door" is the lower layer's "secret".
redirects_are_refused() {
    name=$(word)
    mkdir -p "$T/top/door" "$T/low/secret" "$T/low/door" "$T/image"
    : >"$T/low/secret/$name"
    printf '%s\n' "$T/top" "$T/low" "$BASE" >"$T/image/layers"
    if ! setfattr -n trusted.overlay.redirect -v /secret "$T/top/door"; then
        fact 'left out: without setfattr (package attr) there is no such layer'
        return 77
    fi
    seen=$(run "$T/image" sh -c 'ls /door; ls /secret')
    fact "a layer that redirects /door to /secret; found in /door and in /secret: $(echo $seen)"
    [ "$(echo $seen)" = "$name" ] || return
    case $(run "$T/image" sh -c '[ ! -e /door/'$name' ]; echo $?') in 0) ;; *) return 1 ;; esac
}

image_has_arguments() {
    mark=$(word)
    make_image 1
    printf '%s\n' -e "MARK=$mark" -w /tmp sh -c 'pwd; echo $MARK' >"$T/image/args"
    seen=$(run "$T/image")
    fact "args says: print the directory and \$MARK; seen: $(echo $seen)"
    [ "$(echo $seen)" = "/tmp $mark" ]
}

missing_layer_is_refused() {
    mark=-$(word)
    make_image 2
    run "$T/image" true || return
    rm -rf "$T/layer2"
    said=$(run --name box "$T/image" true 2>&1)
    status=$?
    fact "without layer2: status $status, $said; left: $(ls "$CONTAINER_HOME/containers" 2>/dev/null)"
    case $said in *layer2*) ;; *) return 1 ;; esac
    [ $status = 125 ] && [ ! -e "$CONTAINER_HOME/containers/box" ]
}
