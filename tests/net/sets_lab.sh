# SPDX-License-Identifier: GPL-2.0-only
# Source this file: the laboratory of the tests of live sets. $GEN reaches $RCV over two interfaces, r0 (XDP) and r1 (TC), from
# one and the same address, for IPv4 and IPv6; both are loaded with one policy.
. "$(dirname "${BASH_SOURCE[0]}")/../../scripts/netns.sh"

PEER4=203.0.113.9 PEER6=2001:db8:9::9
RCV1_4=10.78.0.2 RCV1_6=fd78::2

sets_rules() { # >FILE: [SIZE [OPTIONS]]
	cat <<-EOR
		set banned { type prefix; live; timeout 1h; size ${1:-65536}; counters${2:+; $2} }
		set small { type prefix; live; size 4 }
		policy host {
			ingress default drop {
				drop from @banned label "banned"
				drop from @small label "small"
				pass proto icmp label "ping"
				pass proto icmp6 label "ping6"
				pass proto { tcp, udp } label "rest"
			}
		}
	EOR
}
sets_lab() {
	lab_pair
	ip -n "$GEN" link add g1 address 02:00:00:00:78:01 type veth peer name r1 netns "$RCV" address 02:00:00:00:78:02 &&
		ip -n "$GEN" link set g1 up && ip -n "$RCV" link set r1 up || bail "cannot make the second veth pair"
	ip -n "$GEN" addr add 10.78.0.1/24 dev g1
	ip -n "$RCV" addr add $RCV1_4/24 dev r1
	ip -n "$GEN" addr add fd78::1/64 dev g1 nodad
	ip -n "$RCV" addr add $RCV1_6/64 dev r1 nodad
	ip -n "$GEN" neigh replace $RCV1_4 lladdr 02:00:00:00:78:02 nud permanent dev g1
	ip -n "$GEN" neigh replace $RCV1_6 lladdr 02:00:00:00:78:02 nud permanent dev g1
	ip -n "$GEN" addr add $PEER4/32 dev lo
	ip -n "$GEN" addr add $PEER6/128 dev lo nodad
	ip -n "$RCV" route add $PEER4/32 via $LAB_GEN4 dev r0
	ip -n "$RCV" -6 route add $PEER6/128 via $LAB_GEN6 dev r0
	wait_for 5 link_is_up "$GEN" g1 && wait_for 5 link_is_up "$RCV" r1
}
sets_load() { # FILE
	fw load r0 -r "$1" -p host --hook=xdp >/dev/null && fw load r1 -r "$1" -p host --hook=tc >/dev/null
}

# One ping from the peer's address. An answer is waited for as long as it may take on a busy machine; that none comes is
# told by the counters of the firewall, see unheard.
heard() { # DESTINATION
	case $1 in
	*:*) in_ns "$GEN" ping -6 -I $PEER6 -c 1 -W 5 "$1" ;;
	*) in_ns "$GEN" ping -I $PEER4 -c 1 -W 5 "$1" ;;
	esac >/dev/null 2>&1
}
dropped() { # packets that the rule of the set dropped, on every hook
	fw stats --json --rules | jq '[.interfaces[].hooks[].rules[]? | select(.id == "banned") | .packets] | add'
}
unheard() { # DESTINATION
	local before
	before=$(dropped)
	case $1 in
	*:*) in_ns "$GEN" ping -6 -I $PEER6 -c 1 -W 0.3 "$1" ;;
	*) in_ns "$GEN" ping -I $PEER4 -c 1 -W 0.3 "$1" ;;
	esac >/dev/null 2>&1 && return 1
	[ "$(dropped)" -eq $((before + 1)) ]
}
all_heard() {
	heard $LAB_RCV4 && heard $RCV1_4 && heard $LAB_RCV6 && heard $RCV1_6
}
elements() { # SET: how many there are
	fw set list "$1" --json | jq '.elements | length'
}
has() { # SET ELEMENT: is exactly this one listed?
	fw set list "$1" --json | jq -e --arg e "$2" 'any(.elements[]; .element == $e)' >/dev/null
}
member() { # SET ADDRESS
	fw set test "$1" "$2" >/dev/null 2>&1
}
not_member() {
	local status
	fw set test "$1" "$2" >/dev/null 2>&1
	status=$?
	[ $status -eq 1 ]
}
