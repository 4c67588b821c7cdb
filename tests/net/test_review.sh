#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What an operator fears: a command that dies half way, a hook that nobody misses, a load that cuts the branch it sits on.
. "$(dirname "$0")/../../scripts/netns.sh"
lab_isolate "$@"
cd "$LAB_ROOT" || exit 1
[ -x "$FWCTL" ] || bail "fwctl is not built"
A=$LAB_DIR/a.fw B=$LAB_DIR/b.fw E=$LAB_DIR/e.fw Q=$LAB_DIR/q.fw

rules() { # POLICY PORT MORE-BLOCKS
	printf 'policy %s {\n\tingress default drop {\n\t\tpass proto udp to port %s label "in"\n\t}\n\t%s\n}\n' "$1" "$2" "$3"
}
rules p 4001 >"$A"
rules p 4002 >"$B"
rules p 4001 'egress default pass {
	drop proto udp to port 7000 label "out"
	}' >"$E"
rules q 4003 >"$Q"
lab_pair
ip -n "$GEN" link add g1 type veth peer name r1 netns "$RCV" || bail "cannot make a second veth pair"
ip -n "$GEN" link set g1 up
ip -n "$RCV" link set r1 up
digest_on() { fw status --json | json_at interfaces "name=$1" digest; }
policy_on() { fw status --json | json_at interfaces "name=$1" policy; }
hooks_on() { fw status --json | jq -r --arg n "$1" '[.interfaces[] | select(.name == $n) | .hooks[] | select(.attached) | .hook] | join(" ")'; }
same() { # WANT GOT SENTENCE
	[ "$1" = "$2" ]
	ok $? "$3"
	[ "$1" = "$2" ] || note "\"$2\", not \"$1\""
}

# ---- clsact, by the binary that is shipped ----
check "load by a clsact filter" fw load r0 -r "$E" --hook tc --clsact
same "tc-ingress tc-egress" "$(hooks_on r0)" "filters at both clsact hooks"
check "unload" fw unload r0
in_ns "$RCV" tc qdisc show dev r0 | grep -q clsact
ok $((! $?)) "takes its qdisc along"

# ---- load of several interfaces: all or nothing, also where one of them ran something before ----
ip -n "$RCV" link set dev r1 xdpdrv obj build/bpf/foreign.bpf.o sec xdp || bail "cannot attach a foreign program"
fw load r0 -r "$A" >/dev/null
was=$(digest_on r0)
refuses 1 'cannot attach to r1' "load with other rules, refused at its second interface" fw load r0 r1 -r "$B"
same "$was" "$(digest_on r0)" "leaves the rules of the first as they were"
refuses 1 'cannot attach to r1' "load with another policy, refused at its second interface" fw load r0 r1 -r "$Q"
same p "$(policy_on r0)" "leaves the first its policy"
same "$was" "$(digest_on r0)" "and its rules"
check "status is content" fw status
fw unload --all >/dev/null
{ sleep 0.2; fw load r0 r1 -r "$A"; echo $? >"$LAB_DIR/status"; } 2>&1 | true
wait_for 5 test -s "$LAB_DIR/status"
same 1 "$(cat "$LAB_DIR/status")" "a refusal that nobody reads any more is told by the exit status"
same 0 "$(fw status --json | jq '.interfaces | length')" "and leaves nothing attached"
ip -n "$RCV" link set dev r1 xdpdrv off

# ---- hooks that nobody misses ----
link_pin() { find /sys/fs/bpf/fwctl -name "$1"; }
fw load r0 -r "$A" >/dev/null
bpftool link detach pinned "$(link_pin xdp_link)" >/dev/null
refuses 1 'r0 is degraded' "apply where nothing is attached any more says so" fw apply "$E"
refuses 1 'not filtered' "and status likewise" fw status
check "load mends it" fw load r0 -r "$E"
same "xdp tc-egress" "$(hooks_on r0)" "at every hook that the rules need"
check "and status is content again" fw status
fw unload --all >/dev/null

# ---- load without rules ----
rules pass-all 4001 >"$LAB_DIR/named.fw"
fw load r0 -r "$LAB_DIR/named.fw" >/dev/null
refuses 1 'would pass everything' "a policy called pass-all is not switched off by load without rules" fw load r0
fw unload --all >/dev/null
check "load without rules" fw load r0
check "again" fw load r0
fw unload --all >/dev/null

# ---- the ssh connection, where the address is not on the interface that carries it ----
from() { in_ns "$RCV" env SSH_CONNECTION="$1 50000 $2 22" "$FWCTL" "${@:3}"; }
cuts='would cut the ssh connection'
ip -n "$RCV" addr add 10.98.0.1/32 dev lo
refuses 1 "$cuts" "a server address on lo, reached by r0" from $LAB_GEN4 10.98.0.1 load r0 -r "$A"
check "is of no concern to r1" from $LAB_GEN4 10.98.0.1 load r1 -r "$A"
fw unload --all >/dev/null
if ip -n "$RCV" link add br0 type bridge 2>"$LAB_DIR/why"; then
	ip -n "$RCV" link set r1 master br0
	ip -n "$RCV" link set br0 up
	ip -n "$RCV" addr add 10.99.0.1/24 dev br0
	refuses 1 "$cuts" "a port of the bridge that has the address" from 10.99.0.2 10.99.0.1 load r1 -r "$A"
	check "an interface that is no port of it" from 10.99.0.2 10.99.0.1 load r0 -r "$A"
	fw unload --all >/dev/null
	ip -n "$RCV" link del br0
else
	skip "a port of the bridge that has the address" "$(cat "$LAB_DIR/why")"
fi
if ip -n "$RCV" link add link r1 name mv0 type macvlan 2>"$LAB_DIR/why"; then
	ip -n "$RCV" link set mv0 up
	ip -n "$RCV" addr add 10.99.0.1/24 dev mv0
	refuses 1 "$cuts" "the interface below a macvlan that has the address" from 10.99.0.2 10.99.0.1 load r1 -r "$A"
	ip -n "$RCV" link del mv0
else
	skip "the interface below a macvlan that has the address" "$(cat "$LAB_DIR/why")"
fi
check "a connection into another network namespace" from 192.0.2.1 192.0.2.2 load r0 -r "$A"
fw unload --all >/dev/null

# ---- bpffs that cannot be written ----
fw load r0 -r "$A" >/dev/null
mount -o remount,ro /sys/fs/bpf
refuses 1 "read-only here" "apply on a read-only bpffs says what to do" fw apply "$B"
mount -o remount,rw /sys/fs/bpf
same "$was" "$(digest_on r0)" "and changes nothing"
fw unload --all >/dev/null

lab_done
