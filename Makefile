# container - build it, try it, test it. `make help` lists the targets.

# The program is these five files and nothing else: `make count` counts them, and `make lint` fails
# if there are others beside them.
SOURCES = container.c ns.c cgroup.c fs.c net.c
MANUALS = lessons/container.1 lessons/container-image.1
TESTS   = $(filter-out $(addprefix tests/,probe.c fuzz.c dump.c floor.c),$(wildcard tests/*.c))
PREFIX ?= /usr/local
CFLAGS ?= -O2 -g -pthread
FLAGS   = -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Wpedantic \
          -Wno-gnu-zero-variadic-macro-arguments $(if $(CI),-Werror) $(CFLAGS) $(SANITIZE)

# All that is made goes below B, apart from the program; `make sanitize` moves both.
B       = build
PROGRAM = container

# A static program starts faster and runs in an initramfs, but not every machine has a libc.a.
STATIC ?= $(if $(shell $(call missing,libc.a)),,-static)

MACHINE := $(shell uname -m)

# make MUSL=1: another C library, with which a start takes less (lessons/9-speed.md). Its compiler
# does not look for the kernel's headers. Check, for the tests, is there for the usual one only.
MUSL_CC = musl-gcc -idirafter /usr/include -idirafter /usr/include/$(MACHINE)-linux-gnu
TEST_CC := $(CC)
ifdef MUSL
CC = $(if $(shell command -v musl-gcc),$(MUSL_CC),$(error missing: musl-gcc (on Debian: musl-tools)))
endif

# What the targets need: a command each, but a lib is there when a program can be linked with it.
# An ordinary user of Debian finds ip and nft only with the sbin directories in PATH. Without one
# of IMAGE_TOOLS, tests of images are left out.
TEST_TOOLS = pkg-config libcheck libc.a busybox ip nft ping
VM_TOOLS   = qemu-system-$(MACHINE) busybox cpio modprobe mkfs.ext4
TEACHER_TOOLS = zip pandoc
LESSON_TOOLS = curl aspell docker-registry skopeo jq
IMAGE_TOOLS = docker-registry skopeo umoci runc jq curl getfattr zstd xz bzip2
LINT_TOOLS = clang-format clang-tidy cppcheck shellcheck pkg-config libcheck mandoc
SANITIZERS = -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
export PATH := $(PATH):/usr/sbin:/sbin

link    = echo 'int main(void) { return 0; }' | $(CC) $(CFLAGS) $(1) -x c - -o /dev/null
missing = for t in $(sort $(1)); do case $$t in \
          libc.a) $(call link,-static);; libasan) $(call link,$(SANITIZERS));; \
          libfuzzer) echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' | \
              clang -fsanitize=fuzzer $(SANITIZERS) -x c - -o /dev/null;; \
          libcheck) pkg-config --exists check;; *) command -v $$t;; \
          esac >/dev/null 2>&1 || echo $$t; done
need    = @m=`$(call missing,$(1))`; [ -z "$$m" ] || \
          { echo "$@: missing:" $$m "('make deps$(2)' installs it, or says how)" >&2; exit 1; }

# Several targets on one command line are made in that order, with -j too: `make deps test`.
$(if $(word 2,$(MAKECMDGOALS)),.NOTPARALLEL:)
# Nothing that `make help` lists is a file.
.PHONY: base FORCE $(shell sed -n 's/^\([a-z-]*\):.*\#\# .*/\1/p' Makefile)
.DELETE_ON_ERROR:

all: $(PROGRAM) ## build ./container; MUSL=1: with musl, which starts faster

$(PROGRAM): $(SOURCES:%.c=$(B)/%.o)
	$(CC) $(FLAGS) $(LDFLAGS) $(STATIC) $^ -o $@

$(B)/%.o: %.c container.h $(B)/flags
	$(CC) $(FLAGS) -c $< -o $@

# The flags of the last build. When they change, so does this file, and all is built again.
$(B)/flags: FORCE
	@mkdir -p $(B)/tests; flags='$(CC) $(FLAGS) $(LDFLAGS) $(STATIC)'; \
	echo "$$flags" | cmp -s - $@ || echo "$$flags" >$@

# What `make run` says at a terminal. README shows it.
define GREETING
You are root in a container: processes of this machine that see only part of it.
Try:  ps -o pid,comm         two processes: init, which reaps orphans, and sh
      kill -9 1              nothing happens: no process inside can kill init
      touch /mark; ls /      a root of its own: the machine has no /mark
      mount -t tmpfs t /mnt  refused: this root has lost most of root's power
      ip addr                its own network interfaces; without root only lo
To leave: exit, or Ctrl-D. The container is removed then.
endef

# What `make run` does in the container when nobody sits at a terminal.
define LOOK_AROUND
echo "== host name"; hostname
echo "== processes"; ps
echo "== network";   ip addr || cat /proc/net/dev
echo "== limits";    cd /sys/fs/cgroup
for f in memory.max cpu.max pids.max */memory.limit_in_bytes */cpu.cfs_quota_us */pids.max; do
    [ ! -r "$$f" ] || echo "$$f: $$(cat "$$f")"
done
echo "== mounts";    cat /proc/mounts
endef

run: export LOOK_AROUND := $(LOOK_AROUND)
run: export GREETING := $(GREETING)
run: $(PROGRAM) base ## a shell in a container; without a terminal, what a container sees
	@if [ -t 0 ]; then \
	    ./$(PROGRAM) run --rm -it rootfs/base sh -c 'echo "$$0"; exec sh' "$$GREETING" || \
	        [ $$? -ne 125 ]; \
	    exit; \
	fi; \
	limits=; for cgroup in /sys/fs/cgroup /sys/fs/cgroup/memory; do \
	    [ ! -w $$cgroup/cgroup.procs ] || limits='-m 64M --cpus 0.5 --pids-limit 32'; done; \
	echo "$$LOOK_AROUND" | ./$(PROGRAM) run --rm $$limits rootfs/base sh

rootfs: ## make rootfs/base, the image of `make run` and the tests, anew
	rootfs/image base

base:
	@[ -d rootfs/base ] || rootfs/image base

# The suites, as tests/main.c names them, the long ones first. SUITES='ns net' are these only,
# LEAVE_OUT='images build' all but those.
LONG       := build images crash life
ALL_SUITES := $(LONG) $(filter-out $(LONG),\
              $(shell sed -n 's/^    { "\([a-z]*\)", [a-z]*_suite },$$/\1/p' tests/main.c 2>/dev/null))
SUITES ?= $(or $(CK_RUN_SUITE),$(filter-out $(LEAVE_OUT),$(ALL_SUITES)))

# Where each step or call is tried, one in ten is: that is enough for every day.
test: export FEWER ?= 10
test: export SAID = $(CURDIR)/$(B)/tests/said
test: $(PROGRAM) base $(B)/tests/run $(B)/probe tiny ## build and run the tests: SUITES='ns fs', or all
	@rm -f "$$SAID"
	@CONTAINER='$(CURDIR)/$(PROGRAM)' PROBE='$(CURDIR)/$(B)/probe' BASE='$(CURDIR)/rootfs/base' \
	SOURCE='$(CURDIR)' TINY='$(CURDIR)/$(B)/tiny' RUN='$(CURDIR)/$(B)/tests/run' JOBS='$(JOBS)' tests/all $(SUITES)
	@tests/messages "$$SAID"

test-attacks: SUITES = attacks
test-attacks: test ## try known ways out of a container only, and print a table of them

# As typed: make does not look for variables of its own in it.
vm: override export CMD := $(value CMD)
vm: $(PROGRAM) base ## a virtual machine with cgroup version 2: a prompt, or CMD='...' in it
	$(call need,$(VM_TOOLS))
	@tests/vm $(if $(value CMD),"$$CMD")

# There a processor is a program, so all takes longer: see tests/main.c. One is enough: the tests do
# one thing at a time, and two would wait for each other.
test-vm: export CPUS ?= 1
test-vm: export FEWER ?= 20
test-vm: export SLOWER ?= 4
test-vm: export COMPILER ?= no
# The suites images and build know nothing of cgroups.
test-vm: override export LEAVE_OUT := $(filter-out $(SUITES),$(ALL_SUITES)) images build
test-vm: $(PROGRAM) base $(B)/tests/run $(B)/probe tiny ## run the tests in that virtual machine
	$(call need,$(VM_TOOLS))
	@tests/vm 'CONTAINER=$$PWD/container PROBE=$$PWD/build/probe BASE=$$PWD/rootfs/base \
	    SOURCE=$$PWD TINY=$$PWD/build/tiny build/tests/run'

$(B)/tests/run: $(TESTS) $(wildcard tests/*.h) $(B)/flags
	$(call need,$(TEST_TOOLS))
	$(TEST_CC) $(FLAGS) $$(pkg-config --cflags check) $(TESTS) -o $@ $$(pkg-config --libs check)

# Static, because it runs in containers that have no libraries; so it has no sanitizers.
$(B)/probe: tests/probe.c $(B)/flags
	$(call need,$(TEST_TOOLS))
	$(TEST_CC) $(filter-out $(SANITIZE),$(FLAGS)) -static $< -o $@

# The containers of the lessons. They define _GNU_SOURCE themselves, and their stack is too small for
# sanitizers.
tiny: $(patsubst lessons/%.c,$(B)/%,$(wildcard lessons/tiny/*.c)) ## build the containers of lessons/tiny

$(B)/tiny/%: lessons/tiny/%.c $(B)/flags
	@mkdir -p $(@D)
	$(TEST_CC) -Wall -Wextra -Wpedantic $(if $(CI),-Werror) $(CFLAGS) $< -o $@

# Leaks do not count: the engine allocates and never frees, because its processes are short-lived.
# Attacks are left out, because sanitizers make another program of the one that is attacked; images
# and build, because most of what they run is no C.
# No -Werror: with sanitizers gcc warns of what is not there.
sanitize: ## run the tests under AddressSanitizer and UndefinedBehaviorSanitizer
	$(call need,libasan)
	LEAVE_OUT='$(LEAVE_OUT) attacks images build' \
	ASAN_OPTIONS=detect_leaks=0:exitcode=99 UBSAN_OPTIONS=print_stacktrace=1 \
	$(MAKE) test B=build/sanitize PROGRAM=build/sanitize/container \
	    STATIC= CI= SANITIZE='$(SANITIZERS)'

# Random command lines and netlink messages. What is found new stays in build/fuzz/corpus.
SECONDS ?= 20
FUZZER   = clang $(FLAGS) -fsanitize=fuzzer $(SANITIZERS)
fuzz: ## feed the option parser and the netlink builder random bytes for SECONDS (20)
	$(call need,libfuzzer)
	@mkdir -p build/fuzz/corpus
	$(FUZZER) tests/fuzz.c ns.c fs.c cgroup.c -o build/fuzz/fuzz
	@echo 'fuzz: $(SECONDS) s of build/fuzz/fuzz; it says more in build/fuzz/log'; \
	ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1 \
	build/fuzz/fuzz -max_len=4096 -timeout=10 -max_total_time=$(SECONDS) -print_final_stats=1 \
	    -artifact_prefix=build/fuzz/ build/fuzz/corpus tests/corpus >build/fuzz/log 2>&1 || \
	    { tail -n 60 build/fuzz/log; exit 1; }; \
	grep '^Done' build/fuzz/log

# Each has daemons, links and mounts of its own, in namespaces; see tests/engines/common. SUITE is
# runtime-tools or crun, and DIR a checkout of it; see tests/engines/suite.
CLIENTS ?= podman docker containerd crictl slurm kubernetes
engines: $(PROGRAM) base ## run Podman, Docker ... with our containers; CLIENTS=podman; SUITE=, DIR=
	@failed=0; for client in $(if $(SUITE),suite,$(CLIENTS)); do \
	    echo "== $$client"; tests/engines/$$client || failed=1; done; exit $$failed

# Static, because it runs inside, too.
$(B)/floor: tests/floor.c net.c ns.c fs.c cgroup.c container.h $(B)/flags
	$(call need,libc.a)
	$(TEST_CC) $(filter-out $(SANITIZE),$(FLAGS)) -static tests/floor.c net.c cgroup.c -o $@

# Both work in namespaces of their own. Peers, as runc or podman, take part if the machine has them,
# and so does the engine with musl.
bench: $(PROGRAM) base $(B)/floor ## how fast, beside the kernel's least and others; QUICK=1: a hint
	@! command -v musl-gcc >/dev/null || \
	    $(MAKE) -s MUSL=1 SANITIZE= B='$(B)/with-musl' PROGRAM='$(B)/musl' all
	CONTAINER='$(CURDIR)/$(PROGRAM)' FLOOR='$(CURDIR)/$(B)/floor' BASE='$(CURDIR)/rootfs/base' \
	WITH_MUSL='$(CURDIR)/$(B)/musl' \
	OUT='$(or $(OUT),$(CURDIR)/$(B)/bench)' tests/bench

soak: $(PROGRAM) base ## RUNS (10000) commands at random, some killed: what is left?
	CONTAINER='$(CURDIR)/$(PROGRAM)' BASE='$(CURDIR)/rootfs/base' OUT='$(CURDIR)/$(B)/soak' tests/soak

# Nothing is ever freed (see text, in container.h), so no call can leak what another one gives it.
lint: ## check the format and style of all sources and scripts, and the top level's names
	tests/layout
	tests/english
	tests/messages
	$(call need,$(LINT_TOOLS))
	clang-format --dry-run -Werror $(wildcard *.[ch] tests/*.[ch] lessons/*.c lessons/tiny/*.c)
	cppcheck --quiet --error-exitcode=1 --std=c11 -D_GNU_SOURCE --suppress=leakNoVarFunctionCall \
	    --enable=warning,portability,performance $(SOURCES) tests/probe.c
	printf '%s\n' $(SOURCES) $(wildcard tests/*.c) | \
	    xargs -P 2 -I{} clang-tidy --quiet {} -- $(FLAGS) $$(pkg-config --cflags check)
	shellcheck -x $$(grep -lsE '^#(!/bin/[a-z]*sh| shellcheck shell=)' .ci/* rootfs/* tests/* \
	    tests/*/* lessons/* lessons/*/* lessons/*/*/*)
	mandoc -T lint -W warning $(MANUALS)

count: ## count the lines of code; fails over 1000 in *.c, 75 in *.h, or if one is too long
	@tests/count

compilers: export BASE = $(CURDIR)/rootfs/base
compilers: export FLAGS := $(filter-out $(CFLAGS),$(FLAGS)) -O2 -pthread
compilers: base ## build and try the engine with each C compiler that is installed, or COMPILERS
	@tests/compilers $(COMPILERS)

# What .ci/run leaves out, or does a tenth of; it takes hours.
check-all: ## all checks, and all of each: by hand, before a release
	$(MAKE) lint count compilers
	$(MAKE) test FEWER=1
	$(MAKE) test-vm
	$(MAKE) soak RUNS=10000
	$(MAKE) fuzz SECONDS=600
	$(MAKE) sanitize FEWER=1
	$(MAKE) lessons-test
	HOST=1 $(MAKE) labs-test
	$(MAKE) grade LAB=2 DIR=. | grep '20 of 20 points'
	$(MAKE) mutants LAB=all

# The course. What lessons/grade, hunt and mutants read from the environment (ID=student, HOST=1,
# JSON=1, HARD=1 ...) can also stand on the command line.
LAB  ?= 1
SEED ?= 1
JOBS ?= 2
# What a grade needs is made without a word on standard output, which is for the result.
graded = $(MAKE) -s $(PROGRAM) base $(B)/probe >&2
typed  = $(if $(filter command line,$(origin $(1))),'$($(1))')
# Not every shell replaces a ~ behind the = of DIR=~/lab2.
home   = $(patsubst ~/%,$(HOME)/%,$(1))
dir    = '$(call home,$(or $(DIR),$(error DIR is missing, for example DIR=~/lab$(LAB))))'

lab: ## write DIR: the sources without what LAB=1..8 is about; HARD=1: without hints
	lessons/lab '$(LAB)' $(dir)

task: ## print what LAB asks of the student ID alone: the values drawn for ID
	@lessons/task '$(LAB)'

hint: ## print the next hint of LAB, for what is not yet written in DIR
	@lessons/hint '$(LAB)' $(dir)

grade: ## points for LAB in DIR; ID=student; ITEM=; HOST=1: no virtual machine; JSON=1
	@$(graded)
	@lessons/grade '$(LAB)' $(dir) $(ITEM)

grade-all: ## the same for each directory in DIR, or DIRS, JOBS at a time; CSV=1: a table; TASK=1
	@$(graded)
	@[ '$(DIRS)$(DIR)' ] || { echo "DIR is missing, for example DIR=subs, or DIRS='subs/a*'" >&2; exit 2; }
	@[ '$(CSV)' != 1 ] || echo student,lab,points,max,status
	@$(if $(DIRS),printf '%s\0' $(DIRS),find $(dir) -mindepth 1 -maxdepth 1 -type d -print0 | sort -z) | \
	    LINE=1 xargs -0 -P '$(JOBS)' -I {} sh -c \
	    'lessons/grade "$$0" "$$1" || [ $$? -eq 1 ]' '$(LAB)' {}

gradescope: ## build/gradescope-labLAB.zip, for Gradescope: grades LAB in the VM; TASK=1; TIMEOUT=10
	$(call need,zip $(VM_TOOLS))
	@lessons/gradescope/zip '$(LAB)'

hunt: ## write DIR: the sources with a mistake, which follows from SEED
	lessons/hunt '$(SEED)' $(dir)

hunt-check: ## does TEST (a file of sh) show the mistake of SEED? Is it repaired in DIR?
	@$(graded)
	@NAME=$(call typed,NAME) lessons/hunt --check '$(SEED)' '$(call home,$(TEST))' $(if $(DIR),$(dir))

mutants: ## does each statement of the functions of LAB, or all, count? LIST=1; MUTANT=n; SAMPLE=n
	@$(graded)
	@for lab in $(patsubst all,$(notdir $(wildcard lessons/labs/[0-9])),$(LAB)); do lessons/mutants "$$lab" || exit; done

labs-test: ## prove the labs: full, starter, sheet, task, wrong, evidence ...; KINDS='...'
	@$(graded)
	lessons/labs-test $(KINDS)

lessons-test: ## run what the lessons show, and compare what they quote
	@$(graded)
	lessons/check --self-test
	lessons/check $(FILES)

slides: ## build/slides: a deck for each lesson, HTML, from its text and pictures
	$(call need,pandoc)
	@lessons/slides

poster: ## build/poster.svg: the whole source on one sheet, in layers
	@mkdir -p build
	lessons/poster >build/poster.svg.new
	mv build/poster.svg.new build/poster.svg

# What the book needs is large, and nothing else needs it: `make deps BOOK=1` installs it, too.
BOOK_TOOLS = pandoc chromium python3
book: ## build/book: the course as HTML, to read without a network; PDF=1: and for paper
	$(call need,pandoc $(if $(PDF),chromium), BOOK=1)
	@PDF='$(PDF)' lessons/book $(B)/book

book-test: book ## open the book in a headless Chromium: links, widths, contrast, pictures, search
	$(call need,$(BOOK_TOOLS), BOOK=1)
	@lessons/book-test --self-test
	@lessons/book-test $(B)/book

# The machine's package manager, and its names for what build, tests and lint need.
apt-get = apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y \
          -o DPkg::Lock::Timeout=120 --no-install-recommends \
          gcc libc6-dev make pkg-config check busybox-static iproute2 \
          iputils-ping nftables iptables procps util-linux cloc clang libclang-rt-dev clang-format \
          clang-tidy cppcheck shellcheck mandoc cpio kmod e2fsprogs xz-utils \
          qemu-system-$(if $(filter x86_64,$(MACHINE)),x86,arm) musl-tools gcc-aarch64-linux-gnu \
          libc6-dev-arm64-cross qemu-user-static docker-registry skopeo umoci runc jq curl \
          ca-certificates attr zstd bzip2 aspell aspell-en zip pandoc $(if $(BOOK),$(BOOK_TOOLS))
dnf     = dnf install -y gcc glibc-static libasan libubsan make pkgconf-pkg-config check-devel \
          busybox iproute iputils nftables iptables-nft procps-ng util-linux cloc clang \
          compiler-rt clang-tools-extra cppcheck ShellCheck mandoc cpio kmod e2fsprogs xz \
          qemu-system-$(if $(filter x86_64,$(MACHINE)),x86,aarch64)-core skopeo umoci runc jq \
          curl attr zstd bzip2 aspell aspell-en zip pandoc-cli
apk     = apk add -U gcc musl-dev linux-headers make pkgconf check-dev busybox-static iproute2 \
          iputils-ping nftables iptables procps util-linux cloc clang compiler-rt \
          clang-extra-tools cppcheck shellcheck mandoc cpio kmod e2fsprogs xz \
          qemu-system-$(MACHINE) skopeo umoci runc jq curl attr zstd bzip2 tar sed coreutils \
          findutils aspell aspell-en zip pandoc-cli
pacman  = pacman -Sy --needed --noconfirm gcc make pkgconf check busybox iproute2 iputils \
          nftables iptables procps-ng util-linux cloc clang compiler-rt cppcheck shellcheck mandoc \
          cpio kmod e2fsprogs zstd qemu-system-$(if $(filter x86_64,$(MACHINE)),x86,aarch64) skopeo \
          umoci runc jq curl attr xz bzip2 aspell aspell-en zip pandoc-cli
MANAGER = $(firstword $(foreach m,apt-get dnf apk pacman,$(if $(shell command -v $(m)),$(m))))

deps: ## install what build, tests and lint need; not root: print the command that does
	@m=`$(call missing,$(TEST_CC) $(TEST_TOOLS) $(VM_TOOLS) $(IMAGE_TOOLS) $(LESSON_TOOLS) $(TEACHER_TOOLS) \
	    $(LINT_TOOLS) iptables libasan libfuzzer cloc $(if $(BOOK),$(BOOK_TOOLS)))`; \
	if [ -z "$$m" ]; then echo 'deps: nothing is missing'; exit 0; fi; \
	echo 'deps: missing:' $$m; install='$($(MANAGER))'; \
	echo 'deps: package manager: $(or $(MANAGER),unknown: install these by hand)'; \
	if [ -z '$(MANAGER)' ]; then exit 0; \
	elif [ "$$(id -u)" -eq 0 ]; then echo "$$install"; eval "$$install" && rootfs/image base; \
	else echo 'deps: you are not root, so type this once:'; \
	     echo "  sudo sh -c '$$install' && make rootfs"; fi

doctor: ## say if containers will run here, for you, and what to do where not
	@[ -x $(PROGRAM) ] || $(MAKE) -s $(PROGRAM) || :
	@lessons/tools/doctor

# The engine and the commands around it stay together: it looks for them beside itself.
LIBEXEC    = $(DESTDIR)$(PREFIX)/libexec/container
LINK       = $(DESTDIR)$(PREFIX)/bin/container
COMPLETION = $(DESTDIR)$(PREFIX)/share/bash-completion/completions/container
MAN        = $(DESTDIR)$(PREFIX)/share/man/man1
INSTALLED  = container $(MANUALS) $(wildcard lessons/tools/*) \
             $(addprefix rootfs/,tiny layer image build)

install: $(PROGRAM) ## install below PREFIX (/usr/local), and DESTDIR
	for file in $(INSTALLED); do \
	    mode=644; [ ! -x $$file ] || mode=755; \
	    install -D -m $$mode $$file '$(LIBEXEC)'/$$file || exit; \
	done
	install -D -m 644 lessons/tools/completion '$(COMPLETION)'
	mkdir -p '$(DESTDIR)$(PREFIX)/bin' '$(MAN)'
	install -m 644 $(MANUALS) '$(MAN)'
	ln -sfn ../libexec/container/container '$(LINK)'

uninstall: ## remove what install put there, and nothing else
	rm -f '$(LINK)' '$(COMPLETION)' $(INSTALLED:%='$(LIBEXEC)/%') \
	    $(MANUALS:lessons/%='$(MAN)/%')
	for dir in /lessons/tools /lessons /rootfs ''; do \
	    rmdir '$(LIBEXEC)'$$dir 2>/dev/null || :; \
	done

clean: ## remove all that was made here
	rm -rf build container rootfs/base

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile
