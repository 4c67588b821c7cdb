#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# State on real traffic, where everything is dropped that is not part of an allowed conversation, in both directions: what programs see, at
# XDP and TC, over IPv4 and IPv6, through changes of rules and bans in the middle of it.
. "$(dirname "$0")/state_lab.sh"
lab_isolate "$@"
cd "$LAB_ROOT" || exit 1
state_lab

rules() { # [STATE-OPTIONS [RULES]] >FILE
	local service='pass proto tcp to port 7000 keep state label "svc"'
	cat <<-EOR
		set banned { type prefix; live }
		policy host {
			state { ${1:-pickup off} }
			ingress default drop {
				drop from @banned label "banned"
				${2-$service}
				pass proto udp to port 7000 keep state label "udp"
				pass proto icmp type echo-request keep state label "ping"
				pass proto icmp6 type echo-request keep state label "ping6"
				drop state invalid label "invalid"
				drop proto icmp label "other icmp"
			}
			egress default drop {
				pass proto { tcp, udp } to port { 443, 7100, 9 } keep state label "out"
				pass proto icmp type echo-request keep state label "ping out"
				pass proto icmp6 type echo-request keep state label "ping6 out"
			}
		}
	EOR
}
load() { # FILE [r0's ARGUMENTS…]
	fw load r0 -r "$1" -p host "${@:2}" >/dev/null && fw load r1 -r "$1" -p host --hook=tc >/dev/null
}
rules >"$LAB_DIR/host.fw"
printf 'policy host {\n ingress default pass { }\n egress default pass { }\n}\n' >"$LAB_DIR/stateless.fw"

# Megabytes both ways in one connection.
moves() { # CLIENT-NAMESPACE ADDRESS PORT
	in_ns "$1" timeout 30 $TALK pour 4000000 "$2" "$3"
}
# Datagrams to a port where nobody is, until the error comes back.
udp_refused() { # NAMESPACE ADDRESS
	in_ns "$1" $TALK refused 5000 "$2" 9
}
forged() { # PACKET…: sent once each from outside; all of them must be dropped by "invalid"
	local before packet
	before=$(ruled invalid)
	for packet in "$@"; do
		in_ns "$GEN" $SEND -d $LAB_RCV_MAC g0 "$packet" || return
	done
	wait_for 5 ruled_is invalid $((before + $#)) || {
		echo "$(($(ruled invalid) - before)) of $# were dropped as invalid"
		return 1
	}
}
more_related() {
	local now
	now=$(reasoned related) && [ "$now" -gt "$1" ] || {
		echo "$1 before, $now now"
		return 1
	}
}
ruled_is() { [ "$(ruled "$1")" -eq "$2" ]; }

battery() { # NAME LOAD-ARGUMENTS…
	local name=$1 related
	check "$name: load" load "$LAB_DIR/host.fw" "${@:2}" || return
	check "$name: megabytes both ways, server here, IPv4" moves "$GEN" $LAB_RCV4 7000
	check "$name: megabytes both ways, server here, IPv6" moves "$GEN" $LAB_RCV6 7000
	check "$name: megabytes both ways, client here, IPv4" moves "$RCV" $LAB_GEN4 7100
	check "$name: megabytes both ways, client here, IPv6" moves "$RCV" $LAB_GEN6 7100
	check "$name: on the other interface, too" moves "$GEN" $RCV1_4 7000
	asks udp4 "$GEN" udp $LAB_RCV4 7000
	asks udp6 "$GEN" udp $LAB_RCV6 7000
	asks out4 "$RCV" udp $LAB_GEN4 7100
	asks out6 "$RCV" udp $LAB_GEN6 7100
	check "$name: datagrams are asked and answered, both ways, IPv4 and IPv6" goes_on udp4 udp6 out4 out6
	hang_up udp4 udp6 out4 out6
	check "$name: ping in" in_ns "$GEN" ping -c 2 -i 0.05 -W 5 $LAB_RCV4
	check "$name: ping in, IPv6" in_ns "$GEN" ping -c 2 -i 0.05 -W 5 $LAB_RCV6
	check "$name: ping out" in_ns "$RCV" ping -c 2 -i 0.05 -W 5 $LAB_GEN4
	check "$name: ping out, IPv6" in_ns "$RCV" ping -c 2 -i 0.05 -W 5 $LAB_GEN6
	related=$(reasoned related)
	check "$name: an ICMP error about a datagram of ours comes in" udp_refused "$RCV" $LAB_GEN4
	check "$name: over IPv6, too" udp_refused "$RCV" $LAB_GEN6
	check "$name: and is related" more_related "$related"
	check "$name: forged errors, segments of no connection and replies to nothing are invalid" forged \
		"icmp $LAB_GEN4 -> $LAB_RCV4 type unreachable quoting udp $LAB_RCV4:4444 -> $LAB_GEN4:9" \
		"icmp $LAB_GEN4 -> $LAB_RCV4 type time-exceeded quoting tcp $LAB_RCV4:4444 -> $LAB_GEN4:7100" \
		"icmp $LAB_GEN4 -> $LAB_RCV4 type echo-reply id 77" \
		"icmp6 $LAB_GEN6 -> $LAB_RCV6 type unreachable quoting udp [$LAB_RCV6]:4444 -> [$LAB_GEN6]:9" \
		"tcp $LAB_GEN4:4444 -> $LAB_RCV4:7000 flags A" \
		"tcp $LAB_GEN4:7100 -> $LAB_RCV4:4444 flags SA" \
		"tcp [$LAB_GEN6]:4444 -> [$LAB_RCV6]:7000 flags R"
	check "$name: strangers do not get in" not connects "$GEN" $LAB_RCV4 22 300
	check "$name: and what is not allowed does not get out" not connects "$RCV" $LAB_GEN4 22 300
	check "$name: every packet has one verdict and one reason" adds_up
	fw unload --all >/dev/null
}
check "control: without a firewall they connect" connects "$GEN" $LAB_RCV4 7000
battery "XDP native" --mode=native
battery "XDP generic" --mode=generic
battery "TC" --hook=tc

# Changes in the middle of conversations.
check "load" load "$LAB_DIR/host.fw"
all=(tcp4 tcp6 tcp1 out4)
all_ask() {
	asks tcp4 "$GEN" tcp $LAB_RCV4 7000
	asks tcp6 "$GEN" tcp $LAB_RCV6 7000
	asks tcp1 "$GEN" tcp $RCV1_4 7000
	asks out4 "$RCV" tcp $LAB_GEN4 7100
}
all_ask
check "four connections, two interfaces, one policy" goes_on "${all[@]}"
invalid=$(ruled invalid)
rules "pickup off" $'count label "first"\n\t\tpass proto tcp to port { 7000, 7002 } keep state label "another name"' >"$LAB_DIR/kept.fw"
check "apply other rules that allow them" fw apply "$LAB_DIR/kept.fw"
check "the connections go on" goes_on "${all[@]}"
[ "$(ruled invalid)" -eq "$invalid" ]
ok $? "and no packet of theirs was dropped"
# Rules that need programs which can do more: these take the places of the others, over the same tables.
rules "pickup off" $'reject proto tcp to port 113\n\t\tpass proto udp to port 99 limit 5/s per src
		pass proto tcp to port 7000 keep state synproxy label "svc"' >"$LAB_DIR/grown.fw"
check "apply rules with limits, answers and cookies" fw apply "$LAB_DIR/grown.fw"
check "the connections go on" goes_on "${all[@]}"
[ "$(ruled invalid)" -eq "$invalid" ]
ok $? "and no packet of theirs was dropped"
rules "pickup off" "" >"$LAB_DIR/closed.fw"
check "apply rules that do not" fw apply "$LAB_DIR/closed.fw"
check "those that came in are cut at once" is_cut tcp4 tcp6 tcp1
check "the one that went out goes on" goes_on out4
check "apply rules that allow them again" fw apply "$LAB_DIR/host.fw"
check "a new connection" connects "$GEN" $LAB_RCV4 7000
check "what has ended has ended" is_cut tcp4
hang_up "${all[@]}"

# Between SYN and SYN-ACK: addresses of nobody, so that no stack meddles.
half_open() { # RULES: the SYN goes out, RULES are applied, the answer comes
	fw flows kill --all >/dev/null
	in_ns "$RCV" $SEND -d $LAB_GEN_MAC r0 "tcp 10.77.0.60:4000 -> 10.77.0.50:443 flags S" && wait_for 5 is_flows 1 port 443 state syn || return
	fw apply "$1" >/dev/null && in_ns "$GEN" $SEND -d $LAB_RCV_MAC g0 "tcp 10.77.0.50:443 -> 10.77.0.60:4000 flags SA"
}
answered() { # and the flow knows it
	fw flows list port 443 --json | jq -e '[.policies[].flows[]] | length == 1 and .[0].other.packets == 1' >/dev/null
}
is_flows() { [ "$(flows_of "${@:2}")" -eq "$1" ]; }
half_open "$LAB_DIR/kept.fw" && wait_for 5 answered
ok $? "apply between SYN and SYN-ACK keeps the connection"
rules | sed 's/{ 443, 7100/{ 7100/' >"$LAB_DIR/no443.fw"
half_open "$LAB_DIR/no443.fw" && wait_for 5 is_flows 0 port 443
ok $? "apply of rules that forbid it ends it"
fw apply "$LAB_DIR/host.fw" >/dev/null

# Bans.
all_ask
check "conversations again" goes_on "${all[@]}"
check "ban" fw ban 10.76.0.0/14
check "cuts every connection of the banned, on both interfaces" is_cut tcp4 tcp1
check "the others go on" goes_on tcp6
check "new ones are not let in" not connects "$GEN" $RCV1_4 7000 300
check "unban" fw unban 10.76.0.0/14
check "a new one is" connects "$GEN" $RCV1_4 7000
hang_up "${all[@]}"
check "every packet has one verdict and one reason" adds_up
fw unload --all >/dev/null

# Rules that keep state over some that do not: nobody is locked out, unless that is what is asked for.
first_state() { # STATE-OPTIONS
	check "rules without state" load "$LAB_DIR/stateless.fw"
	all_ask
	check "connections that no table knows" goes_on "${all[@]}"
	rules "$1" >"$LAB_DIR/first.fw"
	check "apply rules with state ($1)" fw apply "$LAB_DIR/first.fw"
}
first_state "size 1000"
check "the connections go on, both ways" goes_on "${all[@]}"
hang_up "${all[@]}"
fw unload --all >/dev/null
first_state "pickup off"
check "the connections are cut" is_cut "${all[@]}"
hang_up "${all[@]}"
fw unload --all >/dev/null
lab_done
