#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Install what is missing to build, test, measure or show fwctl on Debian 12. Needs root only when something is missing,
# and the network only then.
#   scripts/deps.sh [build|test|bench|peers|demo|vm]…      default: all of them
set -eu

# What the build needs; the names of the groups below stand for themselves.
build="make gcc libc6-dev clang git findutils
	libbpf-dev libxdp-dev libelf-dev zlib1g-dev nettle-dev libjansson-dev libncurses-dev libpcap-dev libnl-3-dev libnl-idiag-3-dev"
# libclang-rt: the fuzzers' and sanitizers' runtime of clang 14. nftables: the differential tests' second opinion. fail2ban: its
# action is tested with the program itself.
test="$build libcmocka-dev libclang-rt-14-dev file jq mandoc bpftool ethtool tcpdump nftables fail2ban
	tmux tshark prometheus gnuplot-nox
	iproute2 iputils-ping netcat-openbsd curl procps util-linux"
bench="$build iproute2 util-linux procps gnuplot-nox jq"
# What fwctl is compared with; bpfilter is no package.
peers="$bench ethtool nftables iptables ipset xdp-tools"
# The demo sends odd frames with a tool of the tests, which is linked like all of them.
demo="$build libcmocka-dev jq iproute2 iputils-ping netcat-openbsd curl procps util-linux"
# What boots other kernels; it runs what "test" built, so it is not among the defaults.
vm="$test apt cpio dpkg busybox-static qemu-system-x86 strace xz-utils"

[ $# -gt 0 ] || set -- build test bench peers demo
wanted=""
for group in "$@"; do
	case $group in
	build) wanted="$wanted $build" ;;
	test) wanted="$wanted $test" ;;
	bench) wanted="$wanted $bench" ;;
	peers) wanted="$wanted $peers" ;;
	demo) wanted="$wanted $demo" ;;
	vm) wanted="$wanted $vm" ;;
	*)
		echo "deps: no group \"$group\"; there are build, test, bench, peers, demo, vm" >&2
		exit 2
		;;
	esac
done
# shellcheck disable=SC2086 # a list of words
wanted=$(printf '%s\n' $wanted | sort -u)

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
	echo "deps: this is not a Debian system. Install what Debian calls:" >&2
	echo "$wanted" | tr '\n' ' ' | fold -s -w 78 | sed 's/^/  /' >&2
	echo >&2
	exit 1
fi

missing=""
for package in $wanted; do
	case $(dpkg-query -W -f='${Status}' "$package" 2>/dev/null || :) in
	*" installed") ;;
	*) missing="$missing $package" ;;
	esac
done
if [ -z "$missing" ]; then
	echo "deps: nothing is missing"
	exit 0
fi
if [ "$(id -u)" -ne 0 ]; then
	echo "deps: packages are missing and only root can install them. Run:" >&2
	echo "  sudo apt-get install --no-install-recommends$missing" >&2
	exit 1
fi

echo "deps: installing$missing"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086 # a list of words
if ! { apt-get update && apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1 </dev/null; then
	tail -n 30 "$log" >&2
	echo "deps: apt-get failed; its last words are above" >&2
	exit 1
fi
echo "deps: done"
