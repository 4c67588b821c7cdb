#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Does fwctl work on the kernel that runs this? Every way to attach, real traffic, a swap, growth, the way out, and drivers that
# cannot do everything. Meant for the machines of scripts/vm.sh, where nothing else runs.
. "$(dirname "$0")/../../scripts/netns.sh"
lab_isolate "$@"
cd "$LAB_ROOT" || exit 1
[ -x "$FWCTL" ] || bail "build/fwctl is missing"
echo "# kernel $(uname -r), $($FWCTL version | head -n 1)"
lab_pair

has_tcx() { # Linux 6.6
	[ "$(printf '6.6\n%s\n' "$(uname -r)" | sort -V | head -n 1)" = 6.6 ]
}
rules() { # TCP-PORT NAME [LINE]
	cat <<-EOR
		policy p {
			ingress default drop {
				pass icmp label "ping"
				pass proto tcp to port $1 label "$2"
				$3
			}
			egress default pass {
				drop proto tcp from port 8082 label "kept in"
			}
		}
		interface r0 uses p
	EOR
}
A=$LAB_DIR/a.fw B=$LAB_DIR/b.fw BIG=$LAB_DIR/big.fw
rules 8080 "web" >"$A"
rules '{ 8081, 8082 }' "other" >"$B"
# Twenty thousand networks far apart: more than the tables of A leave room for.
rules 8080 "web" "drop from { $(for i in {0..19999}; do echo "$((11 + i / 5000)).$((i / 100 % 50 * 5)).$((i % 100 * 2)).64/29"; done |
	paste -sd,) } label \"many\"" >"$BIG"

for port in 8080 8081 8082; do
	background in_ns "$RCV" nc -lk $LAB_RCV4 $port </dev/null >/dev/null
done
listening() { [ "$(in_ns "$RCV" grep -c ' 0A ' /proc/net/tcp)" -eq 3 ]; }
wait_for 60 listening || bail "nc does not listen: $(in_ns "$RCV" cat /proc/net/tcp)"
connects() { in_ns "$GEN" nc -z -w 2 $LAB_RCV4 "$1" >/dev/null 2>&1; }
pings() { in_ns "$GEN" ping -q -c 1 -W 2 $LAB_RCV4 >/dev/null 2>&1; }
not() { ! "$@"; }
live() { fw explain --live r0 "$@" 2>&1; }
pins() { find /sys/fs/bpf -mindepth 1 2>/dev/null; }
filters() { in_ns "$RCV" tc qdisc show dev r0 clsact; }

# one WAY HOOK MODE LINK OPTION…: the life of a filter attached like this
one() {
	local way=$1 hook=$2 mode=$3 link=$4
	shift 4
	check "$way: load" fw load r0 -r "$A" "$@" || return
	[ "$(fw status --json | json_at interfaces name=r0 hooks hook="$hook" mode) $(fw status --json |
		json_at interfaces name=r0 hooks hook="$hook" link)" = "$mode $link" ]
	ok $? "$way: status says $hook, $mode, $link"
	check "$way: what a rule passes arrives" pings
	check "$way: so does a connection" connects 8080
	check "$way: the rest does not" not connects 8081
	[[ $(live "tcp 10.77.0.1:999 -> 10.77.0.2:8080") == pass* ]] && [[ $(live "tcp 10.77.0.1:999 -> 10.77.0.2:8081") == drop* ]]
	ok $? "$way: explain --live agrees with itself and with the traffic"
	[ "$(stat_of hook="$hook" rules id=ping packets)" = 1 ]
	ok $? "$way: the ping was counted once"
	check "$way: apply" fw apply "$B"
	check "$way: the new rule passes" connects 8081
	check "$way: the old one is gone" not connects 8080
	check "$way: egress keeps answers in" not connects 8082
	fw apply "$BIG" 2>&1 | grep -q "programs were replaced"
	ok $? "$way: twenty thousand networks do not fit, so the tables grow"
	check "$way: and the rules work" connects 8080
	[[ $(live "udp 12.10.20.66:1 -> 10.77.0.2:5") == "drop by"*many* ]]
	ok $? "$way: also the long one"
	[ "$(stat_of hook="$hook" rules id=ping packets)" = 1 ]
	ok $? "$way: and the counters are kept"
	fw status >/dev/null
	ok $? "$way: status is healthy"
	check "$way: unload" fw unload r0
	check "$way: nothing is filtered then" connects 8081
	[ -z "$(pins)" ] && [ -z "$(filters)" ]
	ok $? "$way: and nothing is left"
}
tcx=clsact
has_tcx && tcx=tcx
one "native" xdp native xdp-link
one "generic" xdp generic xdp-link --mode=generic
one "tc" tc-ingress tc $tcx --hook=tc
! has_tcx || one "clsact" tc-ingress tc clsact --hook=tc --clsact

# A driver without XDP of its own; a large MTU.
ip -n "$RCV" link add d0 type dummy 2>/dev/null && ip -n "$RCV" link set d0 up
refuses 1 'd0' "native XDP is refused where the driver has none" fw load d0 -r "$A" -p p --mode=native
check "and generic is taken when nothing was asked for" fw load d0 -r "$A" -p p
check "unload again" fw unload d0
ip -n "$GEN" link set g0 mtu 9000 && ip -n "$RCV" link set r0 mtu 9000
check "native at an MTU of 9000" fw load r0 -r "$A" --mode=native
check "a connection" connects 8080
check "a ping of 8000 bytes, in one frame" in_ns "$GEN" ping -q -c 1 -W 2 -s 8000 -M do $LAB_RCV4
check "unload again" fw unload r0

# The largest rule files need slots of tens of megabytes: one allocation of the kernel's each.
awk 'BEGIN {
	print "policy p { ingress default drop {"
	for (i = 0; i < 100000; i++)
		printf "pass proto tcp from %d.%d.%d.0/24 to 10.%d.%d.9 port %d\n", 11 + i % 150, i / 150 % 250, i % 251, i % 256, i / 256 % 256, 1 + i % 20
	print "} }"
	print "interface r0 uses p"
}' >"$LAB_DIR/huge.fw"
check "100,000 rules load" fw load r0 -r "$LAB_DIR/huge.fw"
[[ $(live "tcp 88.18.218.7:999 -> 10.209.47.9:18") == pass* ]] && [[ $(live "tcp 88.18.218.7:999 -> 10.209.47.9:19") == drop* ]]
ok $? "and judge"
check "unload again" fw unload r0
for i in 0 1; do
	check "a map of 128 MB, $i" bpftool map create "/sys/fs/bpf/slot$i" type array key 4 value $((128 * 1048576 + 4096)) entries 1 name "slot$i" flags 1024
done
rm -f /sys/fs/bpf/slot*

lab_done
