# SPDX-License-Identifier: GPL-2.0-only
# Source this file: the laboratory of the tests of state and limits. $GEN is outside; $RCV has the firewall on r0 (10.77.0.2, fd77::2) and
# r1 (10.78.0.2, fd78::2), each a link to $GEN, with a server on port 7000. Another server is in $GEN, on port 7100.
. "$(dirname "${BASH_SOURCE[0]}")/../../scripts/netns.sh"

TALK=build/tests/net/tool_talk SEND=build/tests/net/tool_send FLOOD=build/tests/net/tool_flood
GEN1_4=10.78.0.1 RCV1_4=10.78.0.2 GEN1_6=fd78::1 RCV1_6=fd78::2
LAB_GEN1_MAC=02:00:00:00:78:01 LAB_RCV1_MAC=02:00:00:00:78:02

state_lab() {
	[ -x "$FWCTL" ] && [ -x $TALK ] && [ -x $SEND ] && [ -x $FLOOD ] && [ -e build/bpf/foreign.bpf.o ] || bail "the tools are not built"
	lab_pair
	link_between "$GEN" g1 $LAB_GEN1_MAC $GEN1_4 $GEN1_6 "$RCV" r1 $LAB_RCV1_MAC $RCV1_4 $RCV1_6
	# What XDP sends back arrives at an end that has a program, too.
	in_ns "$GEN" ip link set g0 xdp object build/bpf/foreign.bpf.o section xdp || bail "cannot attach a program"
	serve "$RCV" 7000
	serve "$GEN" 7100
}
# Another pair of interfaces, neighbours known.
link_between() { # NS-A NAME MAC IPV4 IPV6 NS-B NAME MAC IPV4 IPV6
	ip -n "$1" link add "$2" address "$3" type veth peer name "$7" netns "$6" address "$8" &&
		ip -n "$1" link set "$2" up && ip -n "$6" link set "$7" up || bail "cannot make the pair $2 $7"
	ip -n "$1" addr add "$4/24" dev "$2"
	ip -n "$1" addr add "$5/64" dev "$2" nodad
	ip -n "$6" addr add "$9/24" dev "$7"
	ip -n "$6" addr add "${10}/64" dev "$7" nodad
	ip -n "$1" neigh replace "$9" lladdr "$8" nud permanent dev "$2"
	ip -n "$1" neigh replace "${10}" lladdr "$8" nud permanent dev "$2"
	ip -n "$6" neigh replace "$4" lladdr "$3" nud permanent dev "$7"
	ip -n "$6" neigh replace "$5" lladdr "$3" nud permanent dev "$7"
	wait_for 5 link_is_up "$1" "$2" && wait_for 5 link_is_up "$6" "$7" || bail "$2 stays down"
}
serve() { # NAMESPACE PORT
	background in_ns "$1" $TALK serve "$2"
	wait_for 5 port_is_open "$1" "$2" || bail "no server"
}
port_is_open() {
	in_ns "$1" ss -Hltn "sport = :$2" | grep -q .
}

# A conversation that goes on until it is hung up: asks NAME NAMESPACE tcp|udp ADDRESS PORT
declare -A ASKS=()
asks() {
	: >"$LAB_DIR/$1"
	background in_ns "$2" $TALK ask "$3" "$4" "$5" "$LAB_DIR/$1" 2>"$LAB_DIR/$1.err"
	ASKS[$1]=$!
}
answers() { # NAME: how many so far
	local n
	n=$($TALK count "$LAB_DIR/$1" 2>/dev/null) && echo "${n% *}" || echo 0
}
more_than() { # NAME N
	[ "$(answers "$1")" -gt "$2" ]
}
goes_on() { # NAME…: ten more answers each
	local name
	local -A at=()
	for name in "$@"; do
		at[$name]=$(($(answers "$name") + 9))
	done
	for name in "$@"; do
		wait_for 10 more_than "$name" "${at[$name]}" || {
			echo "$name has stopped at $(answers "$name")"
			return 1
		}
	done
}
hang_up() { # NAME…
	local name
	for name in "$@"; do
		kill -9 "${ASKS[$name]}" 2>/dev/null
		unset "ASKS[$name]"
	done
}
connects() { # NAMESPACE ADDRESS PORT [MILLISECONDS]
	in_ns "$1" $TALK connects "${4:-5000}" "$2" "$3"
}
not() { ! "$@"; }

# Packets over all hooks of all interfaces: counted WHAT, a jq path in a hook
counted() {
	fw stats --json --rules | jq "[.interfaces[].hooks[] | $1] | add // 0"
}
ruled() { # LABEL: packets of a rule
	counted ".rules[]? | select(.id == \"$1\") | .packets"
}
reasoned() { # REASON
	counted ".reasons[\"$1\"].packets"
}
dropped() { counted ".verdicts.drop.packets"; }
more_drops() { [ "$(dropped)" -gt "$1" ]; }
# is_cut NAME…: its packets are dropped, again and again, and no answer comes any more
is_cut() {
	local name drops
	local -A at=()
	drops=$(dropped)
	wait_for 10 more_drops "$drops" || {
		echo "nothing is dropped"
		return 1
	}
	for name in "$@"; do
		at[$name]=$(answers "$name")
	done
	wait_for 20 more_drops $((drops + 1 + 2 * $#)) || {
		echo "nothing more is dropped"
		return 1
	}
	for name in "$@"; do
		[ "$(answers "$name")" -le $((at[$name] + 1)) ] || {
			echo "$name goes on"
			return 1
		}
	done
}
# Every packet has one verdict and one reason, on every hook.
adds_up() {
	local json
	json=$(fw stats --json)
	jq -e '[.interfaces[].hooks[] | .packets == ([.verdicts[].packets] | add) and .packets == ([.reasons[].packets] | add)] | all' \
		>/dev/null <<<"$json" || {
		jq -c '.interfaces[].hooks[] | [.hook, .packets, .verdicts, .reasons]' <<<"$json"
		return 1
	}
}
flows_of() { # FILTER…: how many flows
	fw flows count "$@" --json | jq '[.policies[].count] | add // 0'
}
