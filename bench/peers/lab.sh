# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Source this after scripts/netns.sh: one namespace that sends, $GEN, and for each firewall a namespace of its own that
# receives on r0. Everything goes with the script (scripts/netns.sh).
#
#   peer_lab                    makes $GEN
#   peer_new                    makes $NS with r0 in it, joined to $GEN; $PAIR names the two ends
#   peer_forget                 removes every receiver, with its rules
#   in_peer COMMAND…            runs in $NS

VETH=$LAB_ROOT/build/bench/bench_veth
peer_n=0

peer_lab() {
	GEN=fwg$$
	ns_new "$GEN" || return 1
}

# Frames are not what the addresses of the link say: they are redirected into it. What passes a firewall is routed to
# nowhere, which costs the same behind each of them.
peer_new() {
	local from=g$((++peer_n))
	NS=fwr$$.$peer_n
	PAIR=$GEN:$from'>'$NS:r0
	ns_new "$NS" || return 1
	ip -n "$GEN" link add $from address $LAB_GEN_MAC numtxqueues 1 numrxqueues 1 type veth \
		peer name r0 netns "$NS" address $LAB_RCV_MAC numtxqueues 1 numrxqueues 1 || return 1
	# With GRO a veth end has a NAPI of its own, which takes redirected frames without an XDP program.
	in_ns "$NS" ethtool -K r0 gro on >/dev/null 2>&1
	ip -n "$GEN" link set $from up && ip -n "$NS" link set r0 up || return 1
	ip -n "$NS" addr add 192.0.2.1/24 dev r0
	ip -n "$NS" route add blackhole $LAB_RCV4/32
	wait_for 5 link_is_up "$GEN" $from && wait_for 5 link_is_up "$NS" r0
}

peer_forget() {
	local ns
	for ns in "${LAB_NETNS[@]}"; do
		[ "$ns" = "$GEN" ] || {
			in_ns "$ns" timeout 20 "$FWCTL" unload --all >/dev/null 2>&1
			ns_del "$ns"
		}
	done
	peer_cleanup
}

in_peer() { in_ns "$NS" "$@"; }

# bpffs of firewalls that want one of their own (walls.sh): mounted here, where removing files does not remove them.
peer_cleanup() {
	local dir
	for dir in "$LAB_DIR"/bpffs.*; do
		[ ! -d "$dir" ] || { umount "$dir"; rmdir "$dir"; }
	done 2>/dev/null
}
