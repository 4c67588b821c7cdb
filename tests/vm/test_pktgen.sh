#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The kernel's packet generator against the firewall: at XDP and TC, IPv4 and IPv6, every packet of every flow is counted exactly, by
# the rule that it was made for; scripts/pktgen.sh ends in time and leaves nothing.
. "$(dirname "$0")/../../scripts/netns.sh"
lab_isolate "$@"
cd "$LAB_ROOT" || exit 1
modprobe pktgen 2>/dev/null
[ -e /proc/net/pktgen/pgctrl ] || {
	echo "1..0 # SKIP no module pktgen"
	exit 0
}
lab_pair
pg() { in_ns "$GEN" scripts/pktgen.sh g0 "$@"; }
said() { # WORDS: the number that pktgen.sh printed behind them
	sed -n "s/.*\<$1 *\([0-9]*\).*/\1/p" "$LAB_DIR/said"
}
not() { ! "$@"; }
devices() { in_ns "$GEN" cat /proc/net/pktgen/kpktgend_0 | sed -n 's/^\(Running\|Stopped\): *//p' | tr -d '\n '; }
same() { # WANT GOT SENTENCE
	[ "$1" = "$2" ]
	ok $? "$3: $2"
	[ "$1" = "$2" ] || note "wanted $1"$'\n'"$(cat "$LAB_DIR/said")"
}
# Eight flows: the ports from 1024, in turn. Each flow has a rule of its own.
{
	echo "policy p { ingress default drop {"
	for i in {0..7}; do
		echo "pass proto udp from 10.77.0.1 from port $((1024 + i)) to port 9 label \"four $i\""
		echo "drop proto udp from fd77::1 from port $((1024 + i)) to port 9 label \"six $i\""
	done
	echo "drop proto udp from 198.18.0.0/24 label \"many\""
	echo "} }"
	echo "interface r0 uses p"
} >"$LAB_DIR/p.fw"

flows_of() { # HOOK WORD: packets of the rules "WORD 0" to "WORD 7"
	fw stats --json | jq -r --arg hook "$1" --arg word "$2" '[.interfaces[0].hooks[] | select(.hook == $hook) | .rules as $r |
		range(8) | "\($word) \(.)" as $id | $r[] | select(.id == $id).packets] | join(" ")'
}
count_of() { # HOOK LABEL
	stat_of hook="$1" rules id="$2" packets
}
run() { # NAME HOOK LOAD-ARGUMENTS…
	local name=$1 hook=$2
	shift 2
	check "$name: load" fw load r0 -r "$LAB_DIR/p.fw" "$@" || return
	pg -n 8 -p 4000 -r 2000 -t 60 -c "$RCV:r0" >"$LAB_DIR/said" 2>&1
	ok $? "$name: IPv4 is sent"
	same 4000 "$(said 'sent by pktgen')" "$name: packets sent by pktgen"
	same 4000 "$(said 'sent out by g0')" "$name: sent out by g0"
	same 4000 "$(said 'arrived at r0')" "$name: arrived at r0"
	same "500 500 500 500 500 500 500 500" "$(flows_of "$hook" four)" "$name: counted by the rules, one for each flow"
	pg -6 -n 8 -p 4000 -r 2000 -s 200 -t 60 -c "$RCV:r0" >"$LAB_DIR/said" 2>&1
	ok $? "$name: IPv6 is sent"
	same 4000 "$(said 'arrived at r0')" "$name: arrived at r0"
	same "500 500 500 500 500 500 500 500" "$(flows_of "$hook" six)" "$name: counted by the rules, one for each flow"
	same $((500 * 200)) "$(stat_of hook="$hook" rules id="six 3" bytes)" "$name: with their bytes"
	# As fast as it goes; what the interface received is what the firewall counted, whatever was lost on the way.
	pg -f 198.18.0.0-198.18.0.255 -t 2 -c "$RCV:r0" >"$LAB_DIR/said" 2>&1
	ok $? "$name: two seconds at full speed, from 256 addresses"
	same "$(said 'arrived at r0')" "$(count_of "$hook" many)" "$name: the rule counted what arrived of $(said 'sent by pktgen')"
	same 8000 $(($(stat_of hook="$hook" packets) - $(count_of "$hook" many) - $(stat_of hook="$hook" reasons default packets))) \
		"$name: the rest was counted once"
	fw unload r0 >/dev/null
	same "" "$(devices)" "$name: no device is left with pktgen"
}
# Duplicate address detection and the like would be counted, too.
for ns in $GEN $RCV; do
	in_ns $ns sysctl -qw net.ipv6.conf.all.router_solicitations=0 net.ipv6.conf.all.autoconf=0
done
run "XDP native" xdp
if [ "$(printf '6.7\n%s\n' "$(uname -r)" | sort -V | head -n 1)" = 6.7 ]; then
	run "XDP generic" xdp --mode generic
else
	fw load r0 -r "$LAB_DIR/p.fw" --mode generic >/dev/null
	refuses 1 'may panic' "XDP generic: refused, since pktgen would panic this kernel" pg -p 10 -r 1000 -c "$RCV:r0"
	refuses 1 'may panic' "XDP generic: also when the other end is not named" pg -p 10 -r 1000
	fw unload r0 >/dev/null
fi
run "TC" tc-ingress --hook tc

# The rest does without a far end.
ip -n "$GEN" link add d0 type dummy && ip -n "$GEN" link set d0 up && ip -n "$GEN" addr add 192.0.2.9/24 dev d0
pg() { in_ns "$GEN" scripts/pktgen.sh d0 -d 192.0.2.1 "$@"; }
MAC="-m 02:00:00:00:00:99"
refuses 1 'd0 with address 192.0.2.1: say -d ADDRESS -m MAC' "a destination without neighbour" pg
check "unless its MAC is said" pg $MAC -p 10 -r 1000
number=$LAB_DIR/number
refuses 1 'cannot be counted' "a far end that cannot be counted" pg $MAC -C "cat $number"
refuses 1 'r1.*cannot be counted' "a far end that does not exist" pg $MAC -c "$RCV:r1"
echo 10 >"$number"
pg $MAC -p 300 -r 1000 -C "cat $number; echo 310 >$number" >"$LAB_DIR/said" 2>&1
same 300 "$(said arrived)" "what a command says of the far end"
same 0 "$(said lost)" "and nothing is lost"

# A signal ends it, and leaves nothing.
running() { in_ns "$GEN" grep -q '^Running: *d0' /proc/net/pktgen/kpktgend_0; }
for signal in INT TERM; do
	# What a shell starts in the background ignores INT, unless told not to.
	nsenter --net="/run/netns/$GEN" -- env --default-signal=INT scripts/pktgen.sh d0 -d 192.0.2.1 $MAC -t 600 >/dev/null 2>&1 &
	pid=$!
	LAB_PIDS+=($pid)
	wait_for 20 running
	ok $? "pktgen runs"
	refuses 1 'pktgen is in use' "and nobody else can meanwhile" pg -t 1
	kill -$signal $pid
	wait_for 20 not kill -0 $pid
	ok $? "SIG$signal ends it"
	same "" "$(devices)" "and no device is left"
done
lab_done
