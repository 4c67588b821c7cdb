#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Rules are swapped while packets arrive at full speed: no packet meets a mixture, none passes unfiltered, none meets the
# old rules after `apply` has returned, and the counters are exact.
#   FW_SWAPS=N   swaps (default 300) at XDP native; a sixth of that at XDP generic and TC
. "$(dirname "$0")/../../scripts/netns.sh"
lab_isolate "$@"
cd "$LAB_ROOT" || exit 1
TOOL=build/tests/net/tool_swap
SWAPS=${FW_SWAPS:-300}
[ -x "$FWCTL" ] && [ -x $TOOL ] || bail "the tools are not built"
A=$LAB_DIR/a.fw B=$LAB_DIR/b.fw BIG=$LAB_DIR/big.fw

rules() { # OWN-SOURCE-4 PORT OWN-SOURCE-6 MORE-RULES
	cat <<-EOR
		policy p {
			ingress default drop {
				essentials off
				drop proto udp to port 4003 label "never"
				pass proto udp to port 4004 label "both"
				$4
				pass proto udp from $1 to port $2 label "own $2"
				pass proto udp from $3 to port $2 label "own6 $2"
			}
		}
		interface r0 uses p
	EOR
}
many() { # COUNT
	for ((i = 0; i < $1; i++)); do
		echo "drop proto udp from 198.18.$((i / 256)).$((i % 256)) to port $((10000 + i)) label \"filler $i\""
	done
}
rules 10.77.1.0/24 4001 fd77:0:0:a::/64 "" >"$A"
rules 10.77.2.0/24 4002 fd77:0:0:b::/64 "$(many 20)" >"$B"
# Larger than what A made room for: the first swap to it replaces the tables and the programs.
rules 10.77.2.0/24 4002 fd77:0:0:b::/64 "$(many 3000)" >"$BIG"

# A receiver that is not run for long, as on an emulated machine, lets the queue between the two interfaces overflow.
overflowed() {
	in_ns "$GEN" ethtool -S g0 | awk '/tx_queue_.*xdp_xmit_errors/ { n += $2 } END { print n + 0 }'
}
between() { # NUMBER LEAST MOST
	[ "$1" -ge "$2" ] && [ "$1" -le "$3" ]
}
run() { # NAME HOOK SWAPS FILE-B ARGUMENTS…
	local name=$1 hook=$2 swaps=$3 b=$4 out status json
	shift 4
	lab_pair
	# The generator's own stack must be silent, so that the counters are comparable with what was sent.
	in_ns "$GEN" sysctl -qw net.ipv6.conf.g0.disable_ipv6=1
	in_ns "$RCV" ethtool -K r0 gro on
	check "$name: load" fw load r0 -r "$A" "$@" || return
	before=$(stat_of hook="$hook" packets)
	out=$(timeout 300 $TOOL "$GEN:g0" "$RCV:r0" "$swaps" "$FWCTL" "$A" "$b" 2>&1)
	status=$?
	eval "$(grep -E '^swaps=[0-9]+( [a-z0-9_]+=-?[0-9]+)*$' <<<"$out" | tr ' ' '\n')"
	over=$(overflowed)
	[ $status -eq 0 ] && [ "$lost" -ge 0 ] && [ "$lost" -le "$over" ]
	ok $? "$name: $swaps swaps, $sent packets: $mixed mixed, $unfiltered unfiltered, $old by old rules, $lost lost; apply took $mean_us us, at most $slowest_us"
	{ [ $status -eq 0 ] && [ "$lost" -le "$over" ]; } || note "$out"
	[ "$over" -eq 0 ] || note "$over packets found the queue of the interface full: they never met the rules"
	json=$(fw stats --json)
	field() { json_at interfaces 0 hooks hook="$hook" "$@" <<<"$json"; }
	[ "$(field packets)" -eq $((sent - over + before)) ]
	ok $? "$name: the hook counted $(field packets) packets of $sent sent"
	between "$(field rules id=both packets)" $((sent_both - over)) "$sent_both" && [ "$(field rules id=both packets)" -eq "$got_both" ]
	ok $? "$name: the rule that stayed counted $(field rules id=both packets) of $sent_both"
	between "$(field rules id=never packets)" $((sent_never + sent_never6 - over)) $((sent_never + sent_never6))
	ok $? "$name: the rule that drops counted $(field rules id=never packets) of $((sent_never + sent_never6))"
	[ "$(field verdicts pass packets)" -eq $((got_both + got_a + got_b + got_a6)) ]
	ok $? "$name: $(field verdicts pass packets) passed, and as many arrived"
	fw unload r0 >/dev/null
	ns_del "$GEN"
	ns_del "$RCV"
}

# The tool can fail: with rules that pass everything it finds what it looks for.
cat >"$LAB_DIR/open.fw" <<'EOR'
policy p {
	ingress default pass {
	}
}
interface r0 uses p
EOR
lab_pair
in_ns "$RCV" ethtool -K r0 gro on
fw load r0 -r "$LAB_DIR/open.fw" >/dev/null
control=$($TOOL "$GEN:g0" "$RCV:r0" 2 "$FWCTL" "$LAB_DIR/open.fw" "$LAB_DIR/open.fw" 2>&1)
grep -q 'mixed=[1-9].* unfiltered=[1-9].* old=[1-9]' <<<"$control"
ok $? "control: rules that pass everything are found mixed, unfiltered and old"
fw unload r0 >/dev/null
ns_del "$GEN"
ns_del "$RCV"

run "XDP native" xdp "$SWAPS" "$B" --mode native
run "XDP native, tables outgrown" xdp $((SWAPS / 6)) "$BIG" --mode native
run "XDP generic" xdp $((SWAPS / 6)) "$B" --mode generic
run "TC" tc-ingress $((SWAPS / 6)) "$B" --hook tc
run "TC, tables outgrown" tc-ingress $((SWAPS / 10)) "$BIG" --hook tc
lab_done
