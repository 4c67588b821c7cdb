#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Fail when an include points upward. The table is the architecture: directory, and what it may include
# beside its own files and system headers (see docs/architecture.md).
set -eu
cd "$(dirname "$0")/.."
bad=0

# check DIR ALLOWED-QUOTED ALLOWED-ANGLE: prefixes, separated by "|"
check() {
	for f in $(find "$1" -name '*.[ch]' 2>/dev/null); do
		for inc in $(sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*"\([^"]*\)".*/\1/p' "$f"); do
			echo "$inc" | grep -Eq "^($2)" || { echo "layers: $f may not include \"$inc\"" >&2; bad=1; }
		done
		for inc in $(sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*<\([^>]*\)>.*/\1/p' "$f"); do
			case "$inc" in
			fw/*|bpf/*|xdp/*|netlink/*|linux/*|jansson.h|sys/socket.h|sys/syscall.h|nettle/*)
				echo "$inc" | grep -Eq "^($3)" || { echo "layers: $f may not include <$inc>" >&2; bad=1; } ;;
			esac
		done
	done
}

none='[[:cntrl:]]'
check xdp/include/fw "$none" 'linux/types\.h|fw/'
check xdp/core '[a-z_0-9]+\.bpf\.h' 'fw/|linux/|bpf/'
check userspace/base 'base/' "$none"
check userspace/model 'base/|model/' "$none"
check userspace/analyze 'base/|model/|analyze/' "$none"
check userspace/lang 'base/|model/|lang/' "$none"
check userspace/compile 'base/|model/|image/|compile/' 'fw/'
check userspace/image 'base/|image/' 'fw/|nettle/'
check userspace/kern 'base/|image/|kern/' 'fw/|bpf/|xdp/|linux/|sys/'
check userspace/fwctl '(base|model|analyze|lang|compile|image|kern|fwctl)/' 'fw/|jansson\.h|linux/|sys/|netlink/|curses\.h|term\.h'

# env.bpf.h alone names the BPF helpers.
for f in $(grep -lE 'include[[:space:]]*<bpf/' xdp/core/*.h xdp/*.c tc/*.c 2>/dev/null); do
	[ "$f" = xdp/core/env.bpf.h ] || { echo "layers: $f includes BPF helpers; only xdp/core/env.bpf.h may" >&2; bad=1; }
done
# Only fwctl/ prints and only main() exits.
for f in $(grep -lE '\b(printf|fprintf|puts|exit)[[:space:]]*\(' userspace/base/*.c userspace/model/*.c userspace/analyze/*.c userspace/lang/*.c userspace/compile/*.c userspace/image/*.c userspace/kern/*.c 2>/dev/null); do
	echo "layers: $f prints or exits; only userspace/fwctl may" >&2; bad=1
done
# No shell, ever.
for f in $(grep -rlE '\b(system|popen|execlp|execvp)[[:space:]]*\(' userspace 2>/dev/null); do
	echo "layers: $f runs a program" >&2; bad=1
done
exit $bad
