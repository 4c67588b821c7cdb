#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# SYN cookies: with the table of half-open flows full of SYNs from nobody, who does answer connects all the same, to the
# machine's own listener, and gets every byte.
. "$(dirname "$0")/../../scripts/netns.sh"
lab_isolate "$@"
cd "$LAB_ROOT" || exit 1
[ -x "$FWCTL" ] && [ -e build/bpf/foreign.bpf.o ] || bail "fwctl is not built"
lab_pair
in_ns "$RCV" sysctl -qw net.ipv4.tcp_syncookies=2
policy() { # EXTRA-WORDS
	cat <<EOR
policy host {
	state { size 1024; pending 8 }
	ingress default drop {
		pass proto tcp to port 8080 keep state $1 label "web"
		pass proto icmp6
	}
	egress default pass { drop proto tcp to 198.18.0.0/15 }
}
interface r0 uses host
EOR
}
policy synproxy >"$LAB_DIR/proxy.fw"
policy "" >"$LAB_DIR/plain.fw"
head -c 3000000 /dev/urandom >"$LAB_DIR/bulk"

flood() { # SYNs from forty addresses: they fill the table, and none of them is ever answered
	local i
	for i in {1..40}; do
		in_ns "$GEN" build/tests/net/tool_send -n 1 -d $LAB_RCV_MAC g0 "tcp 198.18.0.$i:1000 -> $LAB_RCV4:8080" || bail "cannot send"
	done
}
is_listening() {
	in_ns "$RCV" ss -Hltn 'sport = :8080' | grep -q .
}
fetch() { # ADDRESS: everything that the server has
	rm -f "$LAB_DIR/got"
	background in_ns "$RCV" bash -c 'exec timeout 30 nc -l -N "$1" 8080 <"$2" >/dev/null 2>&1' - "$1" "$LAB_DIR/bulk"
	wait_for 5 is_listening || return 1
	[ -z "${2:-}" ] || flood
	timeout 20 nsenter --net="/run/netns/$GEN" nc -d -w 3 "$1" 8080 >"$LAB_DIR/got"
	cmp "$LAB_DIR/bulk" "$LAB_DIR/got"
}
cookies() {
	stat_of hook="$1" reasons syn-cookie packets
}

run() { # NAME HOOK LOAD-ARGUMENTS…
	local name=$1 hook=$2 got
	shift 2
	check "$name: load" fw load r0 -r "$LAB_DIR/proxy.fw" "$@" || return
	check "$name: a client fetches 3 MB" fetch $LAB_RCV4
	got=$(cookies "$hook")
	[ "$got" -eq 0 ]
	ok $? "$name: while there is room no cookie is sent ($got)"
	check "$name: with the table full, a client fetches 3 MB" fetch $LAB_RCV4 flood
	got=$(cookies "$hook")
	[ "$got" -ge 20 ]
	ok $? "$name: the others were sent cookies ($got)"
	check "$name: and so does another" fetch $LAB_RCV4
	check "$name: over IPv6 too" fetch $LAB_RCV6
	got=$(fw flows count 2>&1) && note "$got"
	fw unload r0 >/dev/null
}

in_ns "$GEN" ip link set g0 xdp object build/bpf/foreign.bpf.o section xdp || bail "cannot attach a program"
run "XDP native" xdp --mode native
in_ns "$GEN" ip link set g0 xdp off
run "XDP generic" xdp --mode generic
run "TC" tc-ingress --hook tc
lab_done
