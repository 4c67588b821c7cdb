#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Floods with invented sources against small tables. They come in by r1; r0 belongs to the same policy and has the conversations, so what
# is lost of these is lost by tables, not by a link that is full.
#   FW_FLOOD (500000) packets of each kind.
. "$(dirname "$0")/state_lab.sh"
lab_isolate "$@"
cd "$LAB_ROOT" || exit 1
state_lab
packets=${FW_FLOOD:-500000}
# Answers to invented sources go out and are heard by nobody.
ip -n "$RCV" route add default via $GEN1_4 dev r1
ip -n "$RCV" -6 route add default via $GEN1_6 dev r1
in_ns "$RCV" sysctl -qw net.ipv4.tcp_syncookies=2

rules() { # OPTION-OF-THE-SERVICE
	cat <<-EOR
		policy host {
			state { size 1024; pending 256; pickup off }
			ingress default drop {
				pass proto tcp to port 7000 keep state $1 label "svc"
				pass proto udp to port 7000 keep state label "udp"
				drop from { $LAB_GEN4, $LAB_GEN6 } label "lost"
			}
			egress default drop {
				pass proto { tcp, udp } to port 7100 keep state label "out"
			}
		}
	EOR
}
load() { # NAME OPTION r1's LOAD-ARGUMENTS…
	rules "$2" >"$LAB_DIR/host.fw"
	check "$1: load" fw load r0 -r "$LAB_DIR/host.fw" -p host && check "$1: load the other interface" fw load r1 -r "$LAB_DIR/host.fw" -p host "${@:3}"
}
talking=(tcp4 tcp6 udp4 out4)
talk() {
	asks tcp4 "$GEN" tcp $LAB_RCV4 7000
	asks tcp6 "$GEN" tcp $LAB_RCV6 7000
	asks udp4 "$GEN" udp $LAB_RCV4 7000
	asks out4 "$RCV" tcp $LAB_GEN4 7100
	check "conversations" goes_on "${talking[@]}"
}
# The flood runs, and until it ends we try to connect, one after the other.
flood() { # KIND ADDRESS
	in_ns "$GEN" $FLOOD -n "$packets" g1 $LAB_RCV1_MAC "$1" "$2" 7000 >"$LAB_DIR/flood" &
	flood=$!
	LAB_PIDS+=($flood)
}
floods() { kill -0 "$flood" 2>/dev/null; }
tries() { # COMMAND…: while the flood runs, at most 200 times; sets tried, succeeded
	tried=0 succeeded=0
	while floods && [ $tried -lt 200 ]; do
		tried=$((tried + 1))
		"$@" >/dev/null 2>&1 && succeeded=$((succeeded + 1))
	done
}
under() { # NAME KIND ADDRESS REASON: why it is dropped
	local name=$1 lost full
	lost=$(ruled lost) full=$(reasoned "$4") arrived=$(counted '.packets')
	flood "$2" "$3"
	check "$name: conversations go on in the middle of it" goes_on "${talking[@]}"
	tries connects "$RCV" $LAB_GEN4 7100 8000
	[ $tried -gt 0 ] && [ $succeeded -eq $tried ]
	ok $? "$name: what we open ourselves works during the flood ($succeeded of $tried)"
	wait "$flood" 2>/dev/null
	arrived=$(($(counted '.packets') - arrived))
	note "$(awk '{ print $1 " packets in " $3 - $2 " ms" }' "$LAB_DIR/flood"); $arrived packets were judged, $(($(reasoned "$4") - full)) by $4"
	[ "$(reasoned "$4")" -gt $((full + packets / 100)) ]
	ok $? "$name: it was dropped, reason $4"
	[ "$(ruled lost)" -eq "$lost" ]
	ok $? "$name: no packet of the conversations was dropped"
	[ "$(ruled lost)" -eq "$lost" ] || note "$(($(ruled lost) - lost)) were"
	check "$name: and they go on" goes_on "${talking[@]}"
	check "$name: new ones from outside are let in again" wait_for 10 connects "$GEN" $LAB_RCV4 7000 1500
	check "$name: every packet has one verdict and one reason" adds_up
}
more_cookies() { [ "$(reasoned syn-cookie)" -gt "$1" ]; }
outside() { # NAME KIND ADDRESS: how many come in from outside meanwhile
	flood "$2" "$3"
	tries connects "$GEN" $LAB_RCV4 7000 "$4"
	wait "$flood" 2>/dev/null
	note "$1: $succeeded of $tried new connections from outside"
}

load "TC" "" --hook=tc
talk
under "SYN flood" syn $RCV1_4 state-full
under "SYN flood, IPv6" syn $RCV1_6 state-full
under "UDP flood" udp $RCV1_4 state-full
under "ACK flood" ack $RCV1_4 default
outside "without cookies" syn $RCV1_4 1000
hang_up "${talking[@]}"
fw unload --all >/dev/null

load "synproxy" synproxy
talk
flood syn $RCV1_4
wait_for 5 more_cookies 0
ok $? "synproxy: cookies are sent"
tries connects "$GEN" $LAB_RCV4 7000 8000
wait "$flood" 2>/dev/null
[ $tried -gt 0 ] && [ $succeeded -eq $tried ]
ok $? "synproxy: new connections from outside come in during the flood ($succeeded of $tried)"
check "synproxy: the conversations go on" goes_on "${talking[@]}"
check "synproxy: every packet has one verdict and one reason" adds_up
lab_done
