#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# SYN cookies: with the table of half-open flows full of SYNs from nobody, who does answer connects all the same, to the
# machine's own listener, and gets every byte.
. "$(dirname "$0")/../../scripts/netns.sh"
lab_isolate "$@"
cd "$LAB_ROOT" || exit 1
[ -x "$FWCTL" ] && [ -e build/bpf/foreign.bpf.o ] || bail "fwctl is not built"
lab_pair
# A listener takes cookies while it has lately sent some itself: to everyone, with 2, as soon as a SYN reaches it.
in_ns "$RCV" sysctl -qw net.ipv4.tcp_syncookies=2
ip -n "$RCV" route add default via $LAB_GEN4
ip -n "$RCV" route add default via $LAB_GEN6
cat >"$LAB_DIR/proxy.fw" <<'EOR'
policy host {
	state { size 1024; pending 8 }
	ingress default drop {
		pass proto tcp to port 8080 keep state synproxy label "web"
		pass proto icmp6
	}
	egress default pass { drop proto tcp to { 198.18.0.0/15, 2001:db8::/32 } }
}
interface r0 uses host
EOR
head -c 3000000 /dev/urandom >"$LAB_DIR/bulk"

flood() { # ADDRESS: SYNs from forty others fill the table, and none of them ever goes on
	local i
	for i in {1..40}; do
		case $1 in
		*:*) i="tcp [2001:db8::$i]:1000 -> [$1]:8080" ;;
		*) i="tcp 198.18.0.$i:1000 -> $1:8080" ;;
		esac
		in_ns "$GEN" build/tests/net/tool_send -n 1 -d $LAB_RCV_MAC g0 "$i" || bail "cannot send"
	done
}
is_listening() {
	in_ns "$RCV" ss -Hltn 'sport = :8080' | grep -q .
}
fetch() { # ADDRESS: everything that the server has
	rm -f "$LAB_DIR/got"
	background in_ns "$RCV" bash -c 'exec timeout 30 nc -l -N "$1" 8080 <"$2" >/dev/null 2>&1' - "$1" "$LAB_DIR/bulk"
	wait_for 5 is_listening || return 1
	[ -z "${2:-}" ] || flood "$1"
	timeout 20 nsenter --net="/run/netns/$GEN" nc -d -w 3 "$1" 8080 >"$LAB_DIR/got"
	cmp "$LAB_DIR/bulk" "$LAB_DIR/got"
}
cookies() {
	stat_of hook="$1" reasons syn-cookie packets
}

run() { # NAME HOOK LOAD-ARGUMENTS…
	local name=$1 hook=$2 to got
	shift 2
	for to in $LAB_RCV4 $LAB_RCV6; do
		check "$name: load" fw load r0 -r "$LAB_DIR/proxy.fw" "$@" || return
		check "$name: $to: a client fetches 3 MB" fetch $to
		got=$(cookies "$hook")
		[ "$got" -eq 0 ]
		ok $? "$name: $to: while there is room no cookie is sent ($got)"
		check "$name: $to: with the table full, a client fetches 3 MB" fetch $to flood
		got=$(cookies "$hook")
		[ "$got" -ge 20 ]
		ok $? "$name: $to: the others were sent cookies ($got)"
		fw unload r0 >/dev/null
	done
}

in_ns "$GEN" ip link set g0 xdp object build/bpf/foreign.bpf.o section xdp || bail "cannot attach a program"
run "XDP native" xdp --mode native
in_ns "$GEN" ip link set g0 xdp off
run "XDP generic" xdp --mode generic
run "TC" tc-ingress --hook tc
lab_done
