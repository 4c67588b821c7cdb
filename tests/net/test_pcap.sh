#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What libpcap captures behind the firewall is what the oracle passes: every frame of it, byte for byte, batch after batch; and tcpdump reads it.
. "$(dirname "$0")/../../scripts/netns.sh"
lab_isolate "$@"
cd "$LAB_ROOT" || exit 1
TOOL=build/tests/net/tool_pcap
[ -x "$FWCTL" ] && [ -x $TOOL ] || bail "the tools are not built"
lab_pair
# Nothing but the test's frames may arrive.
in_ns "$GEN" sysctl -qw net.ipv6.conf.g0.disable_ipv6=1
cat >"$LAB_DIR/open.fw" <<'EOR'
policy open {
	ingress default pass {
		pass proto udp to port 5000
	}
}
interface r0 uses open
EOR
cat >"$LAB_DIR/mixed.fw" <<'EOR'
policy mixed {
	ingress default drop {
		pass proto udp from 10.77.0.1 port 777 to port 5000
		drop from { 198.51.100.0/24, 2001:db8:bad::/48 }
		pass proto tcp flags S/SA to port { 22, 80, 443 }
		drop vlan 100-200
		pass proto { tcp, udp } from ! 192.0.2.0/25 to port { 1-1023, 8080 }
		pass proto icmp type { echo-request, echo-reply, unreachable }
		pass proto icmp6
		drop len 1400-65535
		pass frag later
		pass proto 47
		pass ethertype 0x88b5
		pass dscp 46
		drop ttl 0-4
		pass from 10.0.0.0/8 to 10.77.0.0/16
		pass mac 02:00:00:00:00:00/8
	}
}
interface r0 uses mixed
EOR

run() { # NAME FILE SENT LOAD-ARGUMENTS…
	local name=$1 file=$2 frames=$3 out status
	shift 3
	check "$name: load" fw load r0 -r "$LAB_DIR/$file.fw" "$@" || return
	out=$(timeout 120 $TOOL "$GEN:g0" "$RCV:r0" "$LAB_DIR/$file.fw" "$frames" "$LAB_DIR/cap" 2>&1)
	status=$?
	eval "$(grep -E '^sent=[0-9]+( [a-z]+=[0-9]+)*$' <<<"$out" | tr ' ' '\n')"
	[ $status -eq 0 ] && [ "$expected" -gt $((frames / 20)) ]
	ok $? "$name: $captured frames captured of $sent sent, $equal of $expected as the oracle says"
	[ $status -eq 0 ] || note "$out"
	if command -v tcpdump >/dev/null; then
		[ "$(tcpdump -nr "$LAB_DIR/cap" 2>/dev/null | wc -l)" -ge "$captured" ]
		ok $? "$name: tcpdump reads the capture"
	else
		skip "$name: tcpdump reads the capture" "tcpdump is not installed"
	fi
	fw unload r0 >/dev/null
}
# Without the firewall the capture differs: the comparison can fail.
out=$($TOOL "$GEN:g0" "$RCV:r0" "$LAB_DIR/mixed.fw" 2000 "$LAB_DIR/cap" 2>&1)
[ $? -eq 1 ]
ok $? "control: without a firewall the capture is not what the rules allow"
run "XDP native, open" open 3000 --mode native
run "XDP native" mixed 20000 --mode native
run "XDP generic" mixed 20000 --mode generic
lab_done
