#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# state { window }: connections of ordinary programs lose nothing by it, at XDP and TC, whatever the kernel puts together or cuts; segments
# that are forged and miss the window do not get through.
. "$(dirname "$0")/../../scripts/netns.sh"
lab_isolate "$@"
cd "$LAB_ROOT" || exit 1
[ -x "$FWCTL" ] && [ -x build/tests/net/tool_segment ] || bail "the tools are not built"
lab_pair
rules() { # OPTION
	cat <<-END
	policy web {
		state { $1; pickup off }
		ingress default drop { pass proto tcp to port { 7000, 8080 } keep state label "in" }
		egress default drop { pass proto tcp to port 9090 keep state label "out" }
	}
	END
}
rules window >"$LAB_DIR/window.fw"
rules asymmetric >"$LAB_DIR/none.fw"
head -c 64M /dev/urandom >"$LAB_DIR/data"

port_is_open() { in_ns "$1" ss -Hltn "sport = :$2" | grep -q .; }
same_at() { cmp -s "$LAB_DIR/data" "$1"; }
# Sum over the hooks: packets that met their verdict for this reason.
reason() { fw stats --json | jq --arg r "$1" '[.interfaces[].hooks[].reasons[$r].packets // 0] | add'; }
is() { # WANT SENTENCE COMMAND…
	local want=$1 what=$2 got
	shift 2
	got=$("$@" 2>&1)
	[ "$got" = "$want" ]
	ok $? "$what"
	[ "$got" = "$want" ] || note "wanted $want, got $got"
}
# transfer NAME CLIENT SERVER ADDRESS PORT: all of the data to a server, then from it
transfer() {
	local name=$1 client=$2 server=$3
	shift 3
	rm -f "$LAB_DIR"/got
	background in_ns "$server" bash -c 'exec nc -d -l "$1" "$2" >"$3"' - "$@" "$LAB_DIR/got"
	wait_for 5 port_is_open "$server" "$2" || bail "nc does not listen"
	in_ns "$client" timeout 60 nc -N "$@" <"$LAB_DIR/data"
	check "$name: up" wait_for 20 same_at "$LAB_DIR/got"
	wait_for 5 gone $! || bail "nc does not end"
	background in_ns "$server" bash -c 'exec nc -N -l "$1" "$2" <"$3"' - "$@" "$LAB_DIR/data"
	wait_for 5 port_is_open "$server" "$2" || bail "nc does not listen"
	in_ns "$client" timeout 60 nc -d "$@" >"$LAB_DIR/got"
	check "$name: down" same_at "$LAB_DIR/got"
}
gone() { ! kill -0 "$1"; }
offloads() { # on|off: what makes large packets of small ones, and the other way round
	in_ns "$GEN" ethtool -K g0 gro "$1" tso "$1" gso "$1" >/dev/null 2>&1
	in_ns "$RCV" ethtool -K r0 gro "$1" tso "$1" gso "$1" >/dev/null 2>&1
}

# Of tens of thousands of segments. While a flow moves to the established ones, a CPU that stands still for a moment can cost the
# others acknowledgements, which are sent again (xdp/core/window.bpf.h); the transfers above are whole all the same.
few() {
	local n
	n=$(reason tcp-window)
	[ "$n" -le 100 ]
	ok $? "$1"
	[ "$n" = 0 ] || note "$n were"
}
bulk() { # NAME LOAD-ARGUMENTS…
	local name=$1 how
	shift
	check "$name: load" fw load r0 -r "$LAB_DIR/window.fw" -p web "$@" || return
	for how in on off; do
		offloads $how
		transfer "$name, offloads $how, in" "$GEN" "$RCV" $LAB_RCV4 8080
		transfer "$name, offloads $how, out over IPv6" "$RCV" "$GEN" $LAB_GEN6 9090
	done
	offloads on
	few "$name: no segment was outside, but for a few"
	fw unload r0 >/dev/null
}
bulk "XDP native" --mode native
bulk "XDP generic" --mode generic
bulk "TC" --hook tc

# Losses behind the firewall, of data and of acknowledgements: what is sent again is inside, too.
cat >"$LAB_DIR/lossy.fw" <<'END'
policy lossy {
	ingress default pass { pass proto tcp limit 4000/s burst 60 }
}
END
lost() { FW_NS=$GEN fw stats --json | jq '[.interfaces[].hooks[].reasons.limit.packets // 0] | add'; }
head -c 4M /dev/urandom >"$LAB_DIR/data"
offloads off
check "losses: load" fw load r0 -r "$LAB_DIR/window.fw" -p web
check "losses: load what makes them" env FW_NS="$GEN" bash -c '. scripts/netns.sh; fw load g0 -r "$1" -p lossy --hook tc' - "$LAB_DIR/lossy.fw"
transfer "losses, in" "$GEN" "$RCV" $LAB_RCV4 8080
transfer "losses, out" "$RCV" "$GEN" $LAB_GEN4 9090
[ "$(lost)" -gt 20 ]
ok $? "losses: there were some ($(lost))"
few "losses: no segment was outside, but for a few"
fw unload r0 >/dev/null
FW_NS=$GEN fw unload g0 >/dev/null
offloads on

# An attacker who knows the ports and misses the window. TcpInSegs: what the server's stack has seen.
background in_ns "$RCV" build/tests/net/tool_segment -l 7000
wait_for 5 port_is_open "$RCV" 7000 || bail "no echo server"
play() { in_ns "$GEN" build/tests/net/tool_segment g0 $LAB_RCV_MAC $LAB_RCV4 7000 "$@"; }
segments() { in_ns "$RCV" awk '/^Tcp:/ && n++ { print $11 }' /proc/net/snmp; }
forged() { # what misses: RST and data, too far ahead, far behind, with acknowledgements of what was never sent or long ago
	play 'say hello' 'forge 3 4 500000 0 0' 'forge 3 4 -500000 0 0' 'forge 3 24 500000 0 100' \
		'forge 3 24 0 500000 100' 'forge 3 24 0 -500000 100' 'say again'
}
plain() { play 'say hello' 'say again'; }
reaches() { # how many segments more than an honest connection reach the stack
	local a b c
	a=$(segments)
	plain || return
	b=$(segments)
	forged || return
	c=$(segments)
	echo $((c - b - (b - a)))
}
attack() { # NAME LOAD-ARGUMENTS…
	local name=$1 got
	shift
	check "$name: load" fw load r0 -r "$LAB_DIR/none.fw" -p web "$@"
	got=$(reaches)
	[ "$got" -ge 15 ]
	ok $? "$name: without the option the stack sees what is forged ($got)"
	check "$name: with the option, by apply" fw apply "$LAB_DIR/window.fw"
	got=$(reaches)
	[ "$got" -lt 3 ] && [ "$got" -gt -3 ]
	ok $? "$name: it sees nothing of it, and the connection goes on ($got)"
	is 15 "$name: all of it was outside" reason tcp-window
	# Linux would take this one.
	check "$name: a reset with another acknowledgement does nothing" play 'say hello' 'forge 3 20 0 500000 0' 'say again'
	is 18 "$name: it is outside, too" reason tcp-window
	check "$name: a right one ends the connection" play 'say hello' 'forge 1 4 0 0 0' closed
	fw unload r0 >/dev/null
}
attack XDP
attack TC --hook tc
lab_done
