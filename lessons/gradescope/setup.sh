#!/bin/sh
# SPDX-License-Identifier: MIT
# setup.sh - Gradescope runs it once, as root, when it makes the image of the autograder: Ubuntu 22.04,
# if nothing else was chosen. It installs what grading needs, builds the engine, and starts the virtual
# machine once, so that what cannot work fails here, and not when students wait.

set -eu
umask 022
cd "$(dirname "$0")"
machine=$(cat container-vm/machine)
[ "$(uname -m)" = "$machine" ] || { echo "setup: the kernel in this zip is for $machine, not for $(uname -m)" >&2; exit 1; }
case $machine in x86_64) qemu="qemu-system-x86" ;; *) qemu="qemu-system-arm" ;; esac
export DEBIAN_FRONTEND=noninteractive
apt-get -q update
apt-get -q install -y --no-install-recommends gcc libc6-dev make pkg-config check busybox-static iproute2 \
    iputils-ping nftables procps util-linux cpio kmod e2fsprogs xz-utils zstd attr jq "$qemu"
make -C clone all base build/probe
MEMORY=384M CPUS=1 COMPILER=no XDG_CACHE_HOME=$PWD clone/tests/vm 'echo the virtual machine works'
