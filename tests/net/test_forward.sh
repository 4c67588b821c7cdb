#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A router that keeps state: $GEN is the inside, behind r0; $OUT the outside, behind r2. What is asked from inside is answered; nothing comes
# in by itself; errors about what went out come back, path MTU included. One policy on both interfaces, then one on each.
. "$(dirname "$0")/state_lab.sh"
lab_isolate "$@"
cd "$LAB_ROOT" || exit 1
state_lab
OUT=fwo$$ OUT4=10.79.0.1 OUT6=fd79::1
ns_new $OUT || bail "no third namespace"
link_between $OUT o0 02:00:00:00:79:01 $OUT4 $OUT6 "$RCV" r2 02:00:00:00:79:02 10.79.0.2 fd79::2
in_ns "$RCV" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
ip -n "$GEN" route add 10.79.0.0/24 via $LAB_RCV4
ip -n "$GEN" -6 route add fd79::/64 via $LAB_RCV6
# The way out is narrower than the ends tell each other.
ip -n "$RCV" link set r2 mtu 1400 && ip -n $OUT link set o0 mtu 1400
ip -n $OUT route add 10.77.0.0/24 via 10.79.0.2 advmss 1460
ip -n $OUT -6 route add fd77::/64 via fd79::2 advmss 1440
serve $OUT 7200

inside="from { 10.77.0.0/24, fd77::/64 } to { 10.79.0.0/24, fd79::/64 }"
cat >"$LAB_DIR/one.fw" <<EOR
policy router {
	state { pickup off }
	ingress default drop {
		pass $inside keep state label "in"
	}
	egress default drop {
		pass $inside keep state label "out"
	}
}
EOR
cat >"$LAB_DIR/two.fw" <<EOR
policy lan {
	state { pickup off }
	ingress default drop {
		pass $inside keep state label "in"
	}
	egress default drop { }
}
policy wan {
	state { pickup off }
	ingress default drop { }
	egress default drop {
		pass $inside keep state label "out"
	}
}
EOR
moves() { # ADDRESS
	in_ns "$GEN" timeout 30 $TALK pour 1000000 "$1" 7200
}
too_far() { # ADDRESS
	in_ns "$GEN" ping -c 1 -W 5 -t 1 "$1" | grep -qiE 'time to live exceeded|hop limit'
}
forwards() { # NAME
	local name=$1
	check "$name: a connection out, IPv4, through a narrow link" moves $OUT4
	check "$name: a connection out, IPv6, through a narrow link" moves $OUT6
	asks udp4 "$GEN" udp $OUT4 7200
	asks udp6 "$GEN" udp $OUT6 7200
	check "$name: datagrams out and back" goes_on udp4 udp6
	hang_up udp4 udp6
	check "$name: ping" in_ns "$GEN" ping -c 2 -i 0.05 -W 5 $OUT4
	check "$name: ping, IPv6" in_ns "$GEN" ping -c 2 -i 0.05 -W 5 $OUT6
	check "$name: the router says that a packet has come to its end" too_far $OUT4
	check "$name: over IPv6, too" too_far $OUT6
	check "$name: the outside says that nobody is there" in_ns "$GEN" $TALK refused 5000 $OUT4 9
	[ "$(reasoned related)" -ge 3 ]
	ok $? "$name: errors were related ($(reasoned related))"
	check "$name: nobody comes in from outside" not connects $OUT $LAB_GEN4 7100 500
	check "$name: over IPv6, too" not connects $OUT $LAB_GEN6 7100 500
	check "$name: every packet has one verdict and one reason" adds_up
}
control() { connects $OUT $LAB_GEN4 7100 && connects $OUT $LAB_GEN6 7100; }
check "control: without a firewall the outside comes in" control
run() { # NAME r0's-POLICY r2's-POLICY FILE HOOK…
	check "$1: load" fw load r0 -r "$4" -p "$2" "${@:5}" && check "$1: load the other side" fw load r2 -r "$4" -p "$3" "${@:5}" || return
	forwards "$1"
	asks tcp4 "$GEN" tcp $OUT4 7200
	check "$1: a conversation" goes_on tcp4
	check "$1: apply the same rules in another order" fw apply "$LAB_DIR/again.fw"
	check "$1: it goes on" goes_on tcp4
	hang_up tcp4
	fw unload --all >/dev/null
}
sed 's/^\tegress.*/&\n\t\tcount label "seen"/' "$LAB_DIR/one.fw" >"$LAB_DIR/again.fw"
run "one policy" router router "$LAB_DIR/one.fw"
sed 's/keep state label "out"/& \n\t\tcount label "seen"/' "$LAB_DIR/two.fw" >"$LAB_DIR/again.fw"
run "two policies, TC" lan wan "$LAB_DIR/two.fw" --hook=tc
lab_done
