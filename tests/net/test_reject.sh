#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Refused connections: what programs see whose packets meet `reject`, coming in at each hook and going out.
. "$(dirname "$0")/../../scripts/netns.sh"
lab_isolate "$@"
cd "$LAB_ROOT" || exit 1
[ -x "$FWCTL" ] && [ -e build/bpf/foreign.bpf.o ] || bail "fwctl is not built"
lab_pair
cat >"$LAB_DIR/host.fw" <<'EOR'
policy host {
	ingress default drop {
		reject proto tcp to port { 113, 7000 } label "refused"
		reject with unreachable proto tcp to port 114 label "unreachable"
		reject with prohibited proto tcp to port 115 label "prohibited"
		reject proto udp to port 5000 label "udp"
		drop proto tcp to port 116 label "silent"
		pass from 10.77.0.1 label "four"
		pass from fd77::1 label "six"
		pass from fe80::/10
		pass proto icmp6
	}
	egress default pass {
		reject proto tcp to port 213 label "refused out"
		reject with prohibited proto tcp to port 215 label "prohibited out"
		reject proto udp to port 5100 label "udp out"
		# Answers of our own must not end here.
		drop proto tcp from port { 113, 7000 } label "own resets"
		drop proto icmp type unreachable label "own errors"
		drop proto icmp6 type unreachable label "own errors 6"
	}
}
interface r0 uses host
EOR

# What a TCP client is told: refused, prohibited, timeout, connected.
tcp() { # NAMESPACE ADDRESS PORT
	local said
	said=$(in_ns "$1" nc -vz -w 2 "$2" "$3" 2>&1)
	case $said in
	*refused*) echo refused ;;
	*"No route to host"* | *"Permission denied"*) echo prohibited ;;
	*succeeded*) echo connected ;;
	*"timed out"* | *"in progress"*) echo timeout ;;
	*) echo "$said" ;;
	esac
}
# One datagram: the socket says that nobody is there (1; over 128 when nothing comes).
udp_refused() { # NAMESPACE ADDRESS PORT
	in_ns "$1" bash -c 'exec 3<>"/dev/udp/$1/$2" && echo x >&3 || exit 2
		read -r -t 3 -u 3; [ $? -eq 1 ]' - "$2" "$3"
}
is() { # WANT SENTENCE COMMAND…
	local want=$1 what=$2 got
	shift 2
	got=$("$@")
	[ "$got" = "$want" ]
	ok $? "$what: $want"
	[ "$got" = "$want" ] || note "got $got"
}
counted() { # SENTENCE STEP…: at least one
	local what=$1 got
	shift
	got=$(stat_of "$@" packets)
	[ "${got:-0}" -gt 0 ]
	ok $? "$what ($got)"
}

run() { # NAME HOOK LOAD-ARGUMENTS…
	local name=$1 hook=$2 to own
	shift 2
	check "$name: load" fw load r0 -r "$LAB_DIR/host.fw" "$@" || return
	for to in $LAB_RCV4 $LAB_RCV6; do
		is refused "$name: tcp $to 113" tcp "$GEN" $to 113
		is refused "$name: tcp $to 114, by an ICMP error" tcp "$GEN" $to 114
		is prohibited "$name: tcp $to 115" tcp "$GEN" $to 115
		is timeout "$name: tcp $to 116, which is dropped" tcp "$GEN" $to 116
		check "$name: udp $to 5000 is refused" udp_refused "$GEN" $to 5000
	done
	for to in $LAB_GEN4 $LAB_GEN6; do
		is refused "$name: out, tcp $to 213" tcp "$RCV" $to 213
		is prohibited "$name: out, tcp $to 215" tcp "$RCV" $to 215
		check "$name: out, udp $to 5100 is refused" udp_refused "$RCV" $to 5100
	done
	counted "$name: refused connections count under their rule" hook="$hook" rules id=refused
	counted "$name: refused datagrams too" hook="$hook" rules id=udp
	counted "$name: and those that went out" hook=tc-egress rules "id=refused out"
	for own in "own resets" "own errors" "own errors 6"; do
		is 0 "$name: rule \"$own\" has met no answer" stat_of hook=tc-egress rules "id=$own" packets
	done
	tagged "$name"
	flood "$name" "$hook"
	fw unload r0 >/dev/null
	is refused "$name: after unload the machine itself refuses" tcp "$GEN" $LAB_RCV4 116
}
# The answer to a frame with a VLAN tag has the tag.
tagged() { # NAME
	rm -f "$LAB_DIR/seen" "$LAB_DIR/listening"
	background in_ns "$GEN" tcpdump -i g0 -Q in -nn -e -l -c 1 'vlan 7' >"$LAB_DIR/seen" 2>"$LAB_DIR/listening"
	wait_for 5 grep -q listening "$LAB_DIR/listening"
	in_ns "$GEN" build/tests/net/tool_send -n 1 -d $LAB_RCV_MAC g0 "tcp $LAB_GEN4:1000 -> $LAB_RCV4:113 vlan 7"
	wait_for 5 grep -q "vlan 7.*$LAB_RCV4.113 > $LAB_GEN4.1000: Flags \[R.\]" "$LAB_DIR/seen"
	ok $? "$1: the reset for a frame in VLAN 7 is in VLAN 7"
}
# Answers are bounded, what they answer is counted all the same.
flood() { # NAME HOOK
	local before after rule got
	rule=$(stat_of hook="$2" rules id=udp packets)
	before=$(ip -j -s -n "$GEN" link show g0 | json_at 0 stats64 rx packets)
	in_ns "$GEN" build/tests/net/tool_send -n 20000 -d $LAB_RCV_MAC g0 "udp $LAB_GEN4:1000 -> $LAB_RCV4:5000" || bail "cannot send"
	after=$(ip -j -s -n "$GEN" link show g0 | json_at 0 stats64 rx packets)
	got=$(($(stat_of hook="$2" rules id=udp packets) - rule))
	[ $got -eq 20000 ]
	ok $? "$1: 20000 datagrams of a flood are counted ($got)"
	[ $((after - before)) -ge 1 ] && [ $((after - before)) -lt 15000 ]
	ok $? "$1: and answered by far fewer ($((after - before)))"
}

# A veth looks for what its peer sends back by XDP_TX only while it has an XDP program, too.
in_ns "$GEN" ip link set g0 xdp object build/bpf/foreign.bpf.o section xdp || bail "cannot attach a program"
run "XDP native" xdp --mode native
in_ns "$GEN" ip link set g0 xdp off
run "XDP generic" xdp --mode generic
run "TC" tc-ingress --hook tc
# Now the kernel fills in what was left to the device, also in what goes back, if it still thinks that it must.
in_ns "$RCV" ethtool -K r0 tx off >/dev/null
run "TC without checksum offload" tc-ingress --hook tc --clsact
lab_done
