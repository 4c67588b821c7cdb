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

lab_done
