#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Limits on real traffic: one sender on each of two CPUs and interfaces, XDP and TC, against the same buckets. What passes is what the
# rule says for the time between first and last packet. Who takes too much is banned everywhere at once; full tables refuse.
. "$(dirname "$0")/state_lab.sh"
lab_isolate "$@"
cd "$LAB_ROOT" || exit 1
state_lab
cpus=$(nproc)

cat >"$LAB_DIR/host.fw" <<EOR
set banned { type prefix; live }
set small { type prefix; live; size 4 }
policy host {
	state { tcp closed 1s; tcp closing 1s; tcp syn 2s }
	ingress default drop {
		drop from { @banned, @small } label "banned"
		pass proto udp to port 6000 limit 100/s burst 10 label "slow"
		pass proto udp to port 6001 limit 20000/s burst 2000 label "fast"
		pass proto udp to port 6007 limit 20000/s burst 20 label "fine"
		pass proto udp to port 6002 limit 10mbit burst 1mbit label "bits"
		pass proto udp to port 6003 limit 200/s burst 10 per src label "per source"
		pass proto udp to port 6004 limit 5/s burst 5 per src else ban @banned for 2s label "greedy"
		pass proto udp to port 6005 limit 1/m burst 1 per src label "keys"
		pass proto udp to port 6006 limit 1/d burst 1 else ban @small label "many"
		pass proto tcp to port 7000 keep state max-conn 5 per src label "svc"
		drop proto udp to port 6009 label "closed"
	}
	egress default pass { }
}
EOR
check "load" fw load r0 -r "$LAB_DIR/host.fw" -p host && check "load the other interface" fw load r1 -r "$LAB_DIR/host.fw" -p host --hook=tc

bytes_of() { # LABEL
	counted ".rules[]? | select(.id == \"$1\") | .bytes"
}
# Two at once; sets spent, the milliseconds from the first packet to the last.
both() { # MILLISECONDS PORT FLOOD-OPTIONS…
	local ms=$1 port=$2
	shift 2
	nsenter --net="/run/netns/$GEN" $FLOOD -t "$ms" -c 0 "$@" g0 $LAB_RCV_MAC udp $LAB_RCV4 "$port" >"$LAB_DIR/one" &
	nsenter --net="/run/netns/$GEN" $FLOOD -t "$ms" -c $((cpus - 1)) "$@" g1 $LAB_RCV1_MAC udp $RCV1_4 "$port" >"$LAB_DIR/two"
	wait $!
	spent=$(cat "$LAB_DIR/one" "$LAB_DIR/two" | awk 'NR == 1 || $2 < a { a = $2 } $3 > b { b = $3 } END { print b - a }')
	sent=$(cat "$LAB_DIR/one" "$LAB_DIR/two" | awk '{ n += $1 } END { print n }')
}
# Never more than allowed; and as much, unless the senders were kept from sending, which is tried again.
allows() { # NAME COUNTER LABEL BURST RATE MILLISECONDS PORT FLOOD-OPTIONS…
	local name=$1 counter=$2 label=$3 burst=$4 rate=$5 before got want i
	for i in 1 2 3; do
		before=$($counter "$label")
		both "$6" "$7" "${@:8}"
		got=$(($($counter "$label") - before))
		want=$((burst + rate * spent / 1000))
		# The clock of the limits is a timer tick.
		[ $got -le $((want + rate / 100 + 1)) ] || break
		[ $((got * 100)) -lt $((want * 98)) ] || break
		sleep 1 # until the bucket is full again
	done
	[ $((got * 100)) -ge $((want * 98)) ] && [ $got -le $((want + rate / 100 + 1)) ]
	ok $? "$name: $got of $sent passed in $spent ms; the rule says $want"
}
allows "100/s" ruled slow 10 100 3000 6000
allows "20000/s" ruled fast 2000 20000 1000 6001
# A bucket that is full after a millisecond: whenever both senders rest for longer, less passes.
both 500 6007
[ "$(ruled fine)" -gt 1000 ] && [ "$(ruled fine)" -le $((20 + 20 * spent + 40)) ]
ok $? "20000/s, burst 20: $(ruled fine) of $sent passed in $spent ms, never more than $((20 + 20 * spent))"
allows "10mbit" bytes_of bits 125000 1250000 1500 6002 -l 1000
allows "200/s per source, one source" ruled "per source" 10 200 1500 6003 -s 10.77.0.9
[ "$(reasoned limit)" -gt 1000 ]
ok $? "what is over is counted as such"

# Bans.
greedy=10.77.0.13
in_ns "$GEN" $FLOOD -n 100 -s $greedy g0 $LAB_RCV_MAC udp $LAB_RCV4 6004 >/dev/null
is_banned() { fw set test banned "$1" >/dev/null; }
check "who takes too much is banned" is_banned $greedy
[ "$(ruled greedy)" -eq 5 ]
ok $? "after what it was allowed ($(ruled greedy))"
before=$(ruled banned)
in_ns "$GEN" $SEND -n 3 -d $LAB_RCV1_MAC g1 "udp $greedy:1 -> $RCV1_4:6009"
[ $(($(ruled banned) - before)) -eq 3 ] || ! is_banned $greedy
ok $? "at the other interface, too"
is_free() { not is_banned $greedy; }
check "for two seconds" wait_for 10 is_free
before=$(ruled closed)
in_ns "$GEN" $SEND -n 3 -d $LAB_RCV1_MAC g1 "udp $greedy:1 -> $RCV1_4:6009"
[ $(($(ruled closed) - before)) -eq 3 ]
ok $? "then it meets the rules again"

# Connections of one source.
crowd() { # HOW-MANY WANT
	[ "$(in_ns "$GEN" $TALK crowd "$1" $LAB_RCV4 7000 $LAB_GEN4)" -eq "$2" ]
}
check "five connections of eight" crowd 8 5
[ "$(reasoned max-conn)" -ge 3 ]
ok $? "the others are over max-conn"
check "when they have ended, others have their seats" wait_for 15 crowd 8 5

# Full tables.
flood_of() { # PORT
	in_ns "$GEN" $FLOOD -n 400000 g1 $LAB_RCV1_MAC udp $RCV1_4 "$1" >/dev/null
}
before=$(ruled keys)
flood_of 6005
taken=$(($(ruled keys) - before))
# 65,536 cells, two sets of eight for each key.
[ $taken -gt 45000 ] && [ $taken -le 65536 ] && [ "$(reasoned limit-full)" -gt 10000 ]
ok $? "more sources than cells: $taken had one, $(reasoned limit-full) packets of others were dropped"
flood_of 6006
small() { fw set list small --json | jq -c '[.elements[].element] | sort'; }
refused() { fw set --json | jq '[.. | objects | select(.name? == "small") | .refused] | add'; }
first=$(small)
[ "$(jq length <<<"$first")" -eq 4 ] && [ "$(refused)" -gt 1000 ]
ok $? "a live set of four has four elements, and $(refused) were refused"
in_ns "$GEN" $FLOOD -n 1000 g1 $LAB_RCV1_MAC udp $RCV1_4 6006 >/dev/null
[ "$(small)" = "$first" ]
ok $? "none is pushed out"
check "every packet has one verdict and one reason" adds_up
lab_done
