#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Ordinary programs through the firewall, ingress and egress, at XDP and TC; the counters say exactly what was sent.
. "$(dirname "$0")/../../scripts/netns.sh"
lab_isolate "$@"
cd "$LAB_ROOT" || exit 1
[ -x "$FWCTL" ] && [ -x build/tests/net/tool_send ] || bail "the tools are not built"
lab_pair
cat >"$LAB_DIR/host.fw" <<'EOR'
policy host {
	ingress default drop {
		pass proto tcp to port { 8080, 8081 } label "web"
		pass proto tcp flags A/A from port { 9090, 9091 } label "answers"
		pass proto udp from 10.77.0.0/24 to port 5353 label "udp4"
		pass proto udp from fd77::/64 to port 5353 label "udp6"
		drop proto udp to port 5354 label "no udp"
		pass proto icmp type { echo-request, echo-reply } label "ping"
		pass proto icmp6 type { echo-request, echo-reply } label "ping6"
		count vlan 7 label "vlan seven"
	}
	egress default pass {
		drop proto tcp to port 9091 label "no leaks"
		drop from 10.77.0.2 to 10.77.0.99 label "no such host"
		count proto icmp label "icmp out"
	}
}
interface r0 uses host
EOR

send() { # COUNT PACKET
	in_ns "$GEN" build/tests/net/tool_send -n "$1" -d $LAB_RCV_MAC g0 "$2"
}
listen_tcp() { # NAMESPACE ADDRESS PORT: answers one line to everyone
	background in_ns "$1" nc -lk -N "$2" "$3" </dev/null >/dev/null 2>&1
	wait_for 5 port_is_open "$1" "$3"
}
port_is_open() {
	in_ns "$1" ss -Hltn "sport = :$2" | grep -q .
}
connects() { # NAMESPACE ADDRESS PORT
	in_ns "$1" nc -z -w 1 "$2" "$3"
}
not() { ! "$@"; }

# Received datagrams, one per line, for a while.
udp_count() { # PORT FAMILY-FLAG FILE
	background in_ns "$RCV" nc "$2" -lku -W 100000 "$1" >"$3" 2>/dev/null
	wait_for 5 udp_is_open "$1"
}
udp_is_open() {
	in_ns "$RCV" ss -Hlun "sport = :$1" | grep -q .
}

exactly() { # WANT WHAT STEP…
	local want=$1 what=$2 got
	shift 2
	got=$(stat_of "$@" 2>&1)
	[ "$got" = "$want" ]
	ok $? "$what: $want counted"
	[ "$got" = "$want" ] || note "got $got"
}

for port in 8080 8082; do
	listen_tcp "$RCV" 0.0.0.0 $port || bail "no listener"
	listen_tcp "$RCV" :: $port 2>/dev/null
done
for port in 9090 9091; do
	listen_tcp "$GEN" 0.0.0.0 $port || bail "no listener"
done

in_ns "$GEN" ping -c 1 -W 2 $LAB_RCV4 >/dev/null && connects "$GEN" $LAB_RCV4 8082 && connects "$RCV" $LAB_GEN4 9091
ok $? "control: without a firewall everything connects"

run() { # NAME HOOK LOAD-ARGUMENTS…
	local name=$1 hook=$2 file=$LAB_DIR/udp.$2
	shift 2
	check "$name: load" fw load r0 -r "$LAB_DIR/host.fw" "$@" || return
	check "$name: ping over IPv4" in_ns "$GEN" ping -c 3 -i 0.05 -W 2 $LAB_RCV4
	check "$name: ping over IPv6" in_ns "$GEN" ping -c 3 -i 0.05 -W 2 $LAB_RCV6
	check "$name: a TCP port that is open in the rules connects" connects "$GEN" $LAB_RCV4 8080
	check "$name: a TCP port that is not does not connect" not connects "$GEN" $LAB_RCV4 8082
	check "$name: an allowed connection out works" connects "$RCV" $LAB_GEN4 9090
	check "$name: a connection that egress forbids does not" not connects "$RCV" $LAB_GEN4 9091
	exactly 3 "$name: echo requests" hook="$hook" rules id=ping packets
	exactly 294 "$name: bytes of echo requests (98 in a frame)" hook="$hook" rules id=ping bytes
	exactly 3 "$name: echo requests over IPv6" hook="$hook" rules id=ping6 packets
	exactly 3 "$name: echo replies out" hook=tc-egress rules "id=icmp out" packets

	udp_count 5353 -4 "$file"
	send 40 "udp $LAB_GEN4:1000 -> $LAB_RCV4:5353" || bail "cannot send"
	send 41 "udp [$LAB_GEN6]:1000 -> [$LAB_RCV6]:5353"
	send 42 "udp $LAB_GEN4:1000 -> $LAB_RCV4:5354"
	send 43 "udp 203.0.113.9:1000 -> $LAB_RCV4:5353"
	send 7 "udp 203.0.113.9:1000 -> $LAB_RCV4:5353 vlan 7"
	exactly 40 "$name: 40 datagrams over IPv4 passed" hook="$hook" rules id=udp4 packets
	exactly 41 "$name: 41 datagrams over IPv6 passed" hook="$hook" rules id=udp6 packets
	exactly 42 "$name: 42 datagrams dropped by a rule" hook="$hook" rules "id=no udp" packets
	exactly 7 "$name: 7 frames met a count rule in VLAN 7" hook="$hook" rules "id=vlan seven" packets
	local drops defaults passed rules early json
	json=$(fw stats --json) # one look: refused connections are still being tried again
	of() { json_at interfaces name=r0 hooks hook="$hook" "$@" packets <<<"$json"; }
	defaults=$(of reasons default) drops=$(of verdicts drop) passed=$(of verdicts pass) rules=$(of reasons rule)
	# The connection attempts to port 8082 are the rest of what met the default: one SYN, repeated once a second.
	[ "$defaults" -ge 51 ] && [ "$defaults" -le 56 ]
	ok $? "$name: 50 datagrams and the refused connection met the default ($defaults)"
	# Between attaching and the first rules a hook passes, as the interface did before: by default, not by a rule.
	early=$((passed - (rules - 42)))
	[ "$early" -ge 0 ] && [ "$early" -le 3 ] && [ "$drops" -eq $((defaults + 42 - early)) ]
	ok $? "$name: drops are what rules and default dropped ($drops; $early packets before the rules)"
	total_is_sum "$name" "$hook"
	total_is_sum "$name" tc-egress
	fw unload r0 >/dev/null
	[ -z "$(find /sys/fs/bpf/fwctl -mindepth 1)" ]
	ok $? "$name: unload leaves no pin"
	check "$name: after unload everything connects" connects "$GEN" $LAB_RCV4 8082
}
total_is_sum() { # NAME HOOK
	local json total sum=0 x
	json=$(fw stats --json)
	field() { json_at interfaces 0 hooks hook="$1" "${@:2}" <<<"$json"; }
	total=$(field "$2" packets)
	for x in pass drop; do
		sum=$((sum + $(field "$2" verdicts $x packets)))
	done
	[ "$total" -eq $sum ] && [ "$total" -gt 0 ]
	ok $? "$1: $2 counted $total packets, each with one verdict"
	sum=0
	for x in rule default l2-other l2-short l2-mismatch vlan-depth malformed frag-tiny ext-chain l4-short not-linear no-rules; do
		sum=$((sum + $(field "$2" reasons $x packets)))
	done
	[ "$total" -eq $sum ]
	ok $? "$1: $2 counted $total packets, each with one reason"
}

run "XDP native" xdp --mode native
run "XDP generic" xdp --mode generic
run "TC" tc-ingress --hook tc

# A web server and a client, megabytes both ways.
check "bulk: load" fw load r0 -r "$LAB_DIR/host.fw"
head -c 8000000 /dev/urandom >"$LAB_DIR/bulk"
in_ns "$RCV" nc -l -d 0.0.0.0 8081 >"$LAB_DIR/up" 2>/dev/null &
LAB_PIDS+=($!)
wait_for 5 port_is_open "$RCV" 8081
timeout 60 nsenter --net="/run/netns/$GEN" nc -N $LAB_RCV4 8081 <"$LAB_DIR/bulk" >/dev/null
wait_for 60 cmp -s "$LAB_DIR/bulk" "$LAB_DIR/up"
ok $? "bulk: 8 MB arrive unharmed at the server"
in_ns "$RCV" nc -l -N 0.0.0.0 8081 <"$LAB_DIR/bulk" >/dev/null 2>&1 &
LAB_PIDS+=($!)
wait_for 5 port_is_open "$RCV" 8081
timeout 60 nsenter --net="/run/netns/$GEN" nc -d $LAB_RCV4 8081 >"$LAB_DIR/down"
cmp -s "$LAB_DIR/bulk" "$LAB_DIR/down"
ok $? "bulk: 8 MB arrive unharmed at the client"
web=$(stat_of hook=xdp rules id=web bytes)
[ "$web" -gt 8000000 ]
ok $? "bulk: the rule counted $web bytes"
lab_done
