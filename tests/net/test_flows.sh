#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# flows: what is let through is listed as its opener sees it; what is killed, or banned, is cut at once.
. "$(dirname "$0")/../../scripts/netns.sh"
lab_isolate "$@"
cd "$LAB_ROOT" || exit 1
[ -x "$FWCTL" ] || bail "fwctl is not built"
lab_pair
cat >"$LAB_DIR/r.fw" <<'END'
set banned { type prefix; live }
policy web {
	state { pickup off }
	ingress default drop {
		drop from @banned label "banned"
		pass proto tcp to port 8080 keep state label "web"
		pass proto udp to port 5300 keep state label "dns"
	}
	egress default drop {
		pass proto icmp type echo-request keep state label "ping out"
	}
}
END
printf 'policy stateless { ingress default pass { } }\n' >"$LAB_DIR/s.fw"

# flows_of FILTER…: how many
flows_of() { fw flows count "$@" --json | jq '[.policies[].count] | add // 0'; }
flow_is() { # JQ, over the one flow that the filters name
	local jq=$1
	shift
	fw flows list "$@" --json | jq -e "[.policies[].flows[]] | length == 1 and (.[0] | $jq)" >/dev/null
}
some() { [ "$(flows_of "$@")" -gt 0 ]; }
none() { [ "$(flows_of "$@")" -eq 0 ]; }

refuses 0 'no policy.*keeps state' "without policies there are no flows" fw flows list
check "a policy without state" fw load r0 -r "$LAB_DIR/s.fw" -p stateless
refuses 1 'keeps no state' "has none to show" fw flows list r0
refuses 0 'no policy.*keeps state' "of all policies none keeps any" fw flows count
check "load" fw load r0 -r "$LAB_DIR/r.fw" -p web
refuses 2 'flows what' "flows of something else" fw flows show
refuses 2 'give filters, or say --all' "kill of nobody knows what" fw flows kill
refuses 2 'give filters, or say --all' "kill of filters and all" fw flows kill port 80 --all
refuses 2 'no filter' "a filter that is none" fw flows list r0 sport 80
refuses 2 'port of what' "half a filter" fw flows list port
refuses 2 'no port' "a port that is none" fw flows list port 65536
refuses 2 'not an address' "an address that is none" fw flows list src 1.2.3
refuses 2 'no state of a flow' "a state that is none" fw flows list state open
refuses 2 'no protocol' "a protocol that is none" fw flows list proto nonsense
refuses 2 'interface or a policy' "an interface and a policy" fw flows list r0 --policy=web
refuses 1 'no interface uses policy nope' "a policy that is not there" fw flows list --policy nope
refuses 1 'not filtered by fwctl' "an interface that is not filtered" fw flows list lo

# A connection that stays, and through which words can be sent.
background in_ns "$RCV" nc -lk $LAB_RCV4 8080
wait_for 10 bash -c "nsenter --net=/run/netns/$RCV -- ss -ltn | grep -q 8080" || bail "nc does not listen"
mkfifo "$LAB_DIR/words"
exec 8<>"$LAB_DIR/words"
connect() {
	nsenter --net=/run/netns/"$GEN" -- nc $LAB_RCV4 8080 <&8 >/dev/null &
	LAB_PIDS+=($!)
	disown
}
connect
check "a connection is a flow" wait_for 10 some state established
check "as its opener sees it" flow_is ".proto == \"tcp\" and .src == \"$LAB_GEN4\" and .dst == \"$LAB_RCV4\" and .dport == 8080 and .opened == \"ingress\"" port 8080
check "with the rule that let it through" flow_is '.rule.id == "web" and .rule.line == 6' rule web
check "and packets both ways" flow_is '.opener.packets >= 2 and .other.packets >= 1 and .opener.bytes > 0 and .left_ms > 60000' state established
in_ns "$GEN" ping -c 1 -W 0.2 $LAB_RCV4 >/dev/null
in_ns "$RCV" ping -c 1 -W 5 $LAB_GEN4 >/dev/null
ok $? "a ping out has its answer let in"
check "and is a flow that was opened on egress" flow_is ".opened == \"egress\" and .src == \"$LAB_RCV4\" and .dst == \"$LAB_GEN4\"" proto icmp
in_ns "$GEN" bash -c "echo x >/dev/udp/$LAB_RCV4/5300"
check "a datagram without an answer is a new flow" wait_for 10 some proto udp state new
[ "$(flows_of src $LAB_GEN4)" -eq 2 ] && [ "$(flows_of src $LAB_RCV4)" -eq 1 ] && [ "$(flows_of dst $LAB_RCV4/24)" -eq 3 ] &&
	[ "$(flows_of src $LAB_GEN4 proto tcp port 8080 state established rule web)" -eq 1 ] && [ "$(flows_of port 8081)" -eq 0 ] && [ "$(flows_of)" -eq 3 ]
ok $? "filters name what they say, all of them together"
refuses 0 'web: 3 flows; [0-9]+ of [0-9]+ places taken' "count tells the room, too" fw flows count
refuses 0 "tcp.*$LAB_GEN4:[0-9]+.*$LAB_RCV4:8080.*ingress.*established.*web" "list in words" fw flows list port 8080
check "the interface stands for its policy" flow_is .dport==8080 r0 port 8080 2>/dev/null

check "kill by a filter" fw flows kill proto udp
check "ends what it names" none proto udp
check "and nothing else" some port 8080
refused_before=$(fw stats --json | jq '[.interfaces[].hooks[].verdicts.drop.packets] | add')
check "kill of the connection" fw flows kill port 8080
echo hello >&8
more_drops() { [ "$(fw stats --json | jq '[.interfaces[].hooks[].verdicts.drop.packets] | add')" -gt "$refused_before" ]; }
check "its next packet is one of no flow, and dropped" wait_for 10 more_drops
check "it does not come back by itself" none port 8080

kill -9 "${LAB_PIDS[-1]}" # it would read the words of the next one
connect
check "another connection" wait_for 10 some state established
check "a ban" fw ban $LAB_GEN4
echo hello >&8
check "ends the connection of the banned" wait_for 10 none port 8080
fw unban $LAB_GEN4 >/dev/null
check "kill --all" fw flows kill --all
check "leaves nothing" none
lab_done
