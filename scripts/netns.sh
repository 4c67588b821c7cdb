#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A laboratory for shell tests: source this file.
#
#   . scripts/netns.sh
#   lab_isolate "$@"            own mount namespace: own /run/netns, own bpffs; all of it goes when the script ends
#   lab_pair                    namespaces $GEN and $RCV joined by veth g0 (02:…:01) and r0 (02:…:02), addresses on both
#   in_ns "$RCV" fwctl load r0  a command inside; bpffs stays visible, which `ip netns exec` would hide
#   ok STATUS SENTENCE          one TAP line; `lab_done` ends with the plan and the exit status
#   wait_for SECONDS COMMAND…   until the command succeeds, or the time is up
#
# Everything that this file makes carries the script's process id in its name, and is removed by a trap.

LAB_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
FWCTL=${FWCTL:-$LAB_ROOT/build/fwctl}
LAB_GEN4=10.77.0.1 LAB_RCV4=10.77.0.2 LAB_GEN6=fd77::1 LAB_RCV6=fd77::2
LAB_GEN_MAC=02:00:00:00:77:01 LAB_RCV_MAC=02:00:00:00:77:02

tap_n=0 tap_failed=0 tap_skipped=0
ok() { # STATUS SENTENCE
	tap_n=$((tap_n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $tap_n - $2"
	else
		echo "not ok $tap_n - $2"
		tap_failed=$((tap_failed + 1))
	fi
	return 0
}
skip() { # SENTENCE REASON
	tap_n=$((tap_n + 1))
	tap_skipped=$((tap_skipped + 1))
	echo "ok $tap_n - $1 # SKIP $2"
}
note() { sed 's/^/# /' <<<"$*"; }
# check SENTENCE COMMAND…: the command's output is shown when it fails.
check() {
	local what=$1 out status
	shift
	out=$("$@" 2>&1)
	status=$?
	ok $status "$what"
	[ $status -eq 0 ] || note "exit $status: $*"$'\n'"$out"
	return $status
}
# refuses STATUS WORDS SENTENCE COMMAND…: the command must end with this status and say something that matches WORDS.
refuses() {
	local want=$1 words=$2 what=$3 out status
	shift 3
	out=$("$@" 2>&1)
	status=$?
	if [ $status -eq "$want" ] && grep -qiE -- "$words" <<<"$out"; then
		ok 0 "$what"
	else
		ok 1 "$what"
		note "wanted exit $want and /$words/; got exit $status: $*"$'\n'"$out"
	fi
}
lab_done() {
	echo "1..$tap_n"
	exit $((tap_failed > 0))
}
bail() {
	echo "Bail out! $*"
	exit 1
}

wait_for() { # SECONDS COMMAND…
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.02
	done
}

# Start the script again in a mount namespace of its own. Namespaces, pins and programs that it makes are gone with its
# last process, even after kill -9.
lab_isolate() {
	[ "$(id -u)" -eq 0 ] || {
		echo "1..0 # SKIP needs root"
		exit 0
	}
	if [ -z "${LAB_ISOLATED:-}" ]; then
		LAB_ISOLATED=1 exec unshare --mount --propagation private bash "$0" "$@"
	fi
	unset LAB_ISOLATED
	# fwctl guards the SSH session that runs it; these namespaces have none.
	unset SSH_CONNECTION SSH_CLIENT
	mkdir -p /run/netns
	mount -t tmpfs -o mode=0755 netns /run/netns && mount --make-shared /run/netns || bail "cannot mount /run/netns"
	mount -t bpf bpf /sys/fs/bpf || bail "cannot mount bpffs"
	LAB_DIR=$(mktemp -d "${TMPDIR:-/tmp}/lab.$$.XXXXXX")
	trap lab_cleanup EXIT
	trap 'exit 1' INT TERM HUP
}

LAB_PIDS=() LAB_NETNS=()
lab_cleanup() {
	local x
	for x in "${LAB_PIDS[@]}"; do
		kill -9 "$x" 2>/dev/null
	done
	for x in "${LAB_NETNS[@]}"; do
		if [ -x "$FWCTL" ] && [ -e "/run/netns/$x" ]; then
			in_ns "$x" timeout 20 "$FWCTL" unload --all >/dev/null 2>&1
		fi
		ip netns del "$x" 2>/dev/null
	done
	[ -z "${LAB_DIR:-}" ] || rm -rf "$LAB_DIR"
}
# background COMMAND…: runs until the end of the script; its process id is in $!
background() {
	if [ "$1" = in_ns ]; then
		# Not through the function: its process would be a shell, and killing that leaves the command running.
		nsenter --net="/run/netns/$2" -- "${@:3}" &
	else
		"$@" &
	fi
	LAB_PIDS+=($!)
	disown
}

in_ns() { # NAMESPACE COMMAND…
	local ns=$1
	shift
	nsenter --net="/run/netns/$ns" -- "$@"
}
ns_new() { # NAMESPACE
	ip netns add "$1" || return 1
	LAB_NETNS+=("$1")
	# Nothing but what the test sends; and what it sends is taken as far as Linux takes it.
	in_ns "$1" sysctl -qw net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.default.disable_ipv6=0 \
		net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.default.router_solicitations=0 net.ipv6.conf.default.accept_ra=0 \
		net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 \
		net.ipv4.conf.all.accept_source_route=1 net.ipv4.conf.default.accept_source_route=1 \
		net.ipv6.conf.all.accept_source_route=1 net.ipv6.conf.default.accept_source_route=1 \
		net.ipv4.icmp_echo_ignore_broadcasts=0 net.ipv4.ping_group_range="0 2147483647"
	ip -n "$1" link set lo up
}
ns_del() { # NAMESPACE
	local x keep=()
	ip netns del "$1"
	for x in "${LAB_NETNS[@]}"; do
		[ "$x" = "$1" ] || keep+=("$x")
	done
	LAB_NETNS=("${keep[@]}")
}

# Two ends in two namespaces, one queue each so that frames stay in order, neighbours known.
#   veth_up NS-A NS-B MTU     makes g0 in NS-A and r0 in NS-B
veth_up() {
	local a=$1 b=$2 mtu=${3:-1500}
	ip -n "$a" link add g0 address $LAB_GEN_MAC mtu "$mtu" numtxqueues 1 numrxqueues 1 type veth \
		peer name r0 netns "$b" address $LAB_RCV_MAC mtu "$mtu" numtxqueues 1 numrxqueues 1 || return 1
	ip -n "$a" link set g0 up && ip -n "$b" link set r0 up || return 1
	ip -n "$a" addr add $LAB_GEN4/24 broadcast 10.77.0.255 dev g0
	ip -n "$b" addr add $LAB_RCV4/24 broadcast 10.77.0.255 dev r0
	ip -n "$a" addr add $LAB_GEN6/64 dev g0 nodad
	ip -n "$b" addr add $LAB_RCV6/64 dev r0 nodad
	ip -n "$a" neigh replace $LAB_RCV4 lladdr $LAB_RCV_MAC nud permanent dev g0
	ip -n "$a" neigh replace $LAB_RCV6 lladdr $LAB_RCV_MAC nud permanent dev g0
	ip -n "$b" neigh replace $LAB_GEN4 lladdr $LAB_GEN_MAC nud permanent dev r0
	ip -n "$b" neigh replace $LAB_GEN6 lladdr $LAB_GEN_MAC nud permanent dev r0
	wait_for 5 link_is_up "$a" g0 && wait_for 5 link_is_up "$b" r0
}
link_is_up() { # NAMESPACE INTERFACE
	ip -n "$1" -o link show dev "$2" | grep -q 'state UP'
}
# The usual laboratory: $GEN sends, $RCV has the firewall on r0.
lab_pair() { # [MTU]
	GEN=fwg$$ RCV=fwr$$
	ns_new $GEN && ns_new $RCV && veth_up $GEN $RCV "${1:-1500}" || bail "cannot make the veth pair"
}
# json_at STEP…: one value of the JSON on standard input. A step is a key, an index, or KEY=VALUE: the element of an array
# whose KEY is that string.
json_at() {
	jq -re 'reduce $ARGS.positional[] as $s (.;
		if type != "array" then .[$s]
		elif ($s | test("=")) then ($s | capture("^(?<k>[^=]*)=(?<v>.*)$")) as $p | map(select(.[$p.k] == $p.v))[0]
		else .[$s | tonumber] end)' --args "$@"
}
# stat_of STEP…: one number of `fwctl stats` for r0, from the list of hooks on
stat_of() {
	fw stats --json | json_at interfaces name=r0 hooks "$@"
}
# fw ARGUMENTS…: fwctl where the firewall stands.
fw() {
	in_ns "${FW_NS:-$RCV}" "$FWCTL" "$@"
}
