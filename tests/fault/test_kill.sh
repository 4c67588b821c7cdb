#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# kill -9 before every system call of `apply` (and of `load` and `unload`, in steps): the rules in force are wholly the old or
# wholly the new ones, what both forbid never gets through, and the next command works and leaves nothing behind.
#   FW_STEP=N     every N-th call of all but the first apply (default 12; 1: all)
#   FW_SECONDS=N  after so many seconds (default 240) the first apply takes every 16th call, too, and the others are quicker:
#                 a machine that is busy with other things still comes to an end
. "$(dirname "$0")/../../scripts/netns.sh"
lab_isolate "$@"
cd "$LAB_ROOT" || exit 1
KILL=build/tests/fault/tool_kill PROBE=build/tests/net/tool_probe
STEP=${FW_STEP:-12}
LIMIT=${FW_SECONDS:-240}
[ -x $KILL ] && [ -x $PROBE ] && [ -x "$FWCTL" ] || bail "the tools are not built"
lab_pair
A=$LAB_DIR/a.fw B=$LAB_DIR/b.fw BIG=$LAB_DIR/big.fw ONE_WAY=$LAB_DIR/one-way.fw

rules() { # PASSED-PORT DROPPED-PORT MORE-RULES
	cat <<-EOR
		policy p {
			ingress default drop {
				drop proto udp to port $2 label "not $2"
				drop proto udp to port 4003 label "never"
				pass proto udp to port { $1, 4004, 5000 } label "wanted"
				$3
			}
			egress default pass {
				drop proto udp to port $2 label "out"
			}
		}
		interface r0 uses p
	EOR
}
rules 4001 4002 "" >"$A"
rules 4002 4001 "" >"$B"
sed '/egress/,/}/d' "$B" >"$ONE_WAY"
# Too large for the tables that A made: programs must be replaced.
rules 4002 4001 "$(for ((i = 0; i < 3000; i++)); do
	echo "drop proto udp from 198.$((18 + i / 65536)).$((i / 256 % 256)).$((i % 256)) to port $((10000 + i))"
done)" >"$BIG"

# Verdicts of ports 4001 to 4004, IPv4 and IPv6.
OLD="PDDP PDDP" NEW="DPDP DPDP" OPEN="PPPP PPPP"
ask() { $PROBE ask "$GEN:g0" "$RCV:r0" 4001 4002 4003 4004 2>&1; }
fwk() { # HOW… -- ARGUMENTS: fwctl under the tool
	in_ns "$RCV" timeout 60 "$LAB_ROOT/$KILL" "$@"
}
# The shape of the state: pins, without the numbers in their names.
pins() { find /sys/fs/bpf/fwctl -mindepth 1 2>/dev/null | sed -E 's/_(ask|said|twin)_[0-9a-f]*$/_\1_N/; s/[0-9]+/N/g' | sort | uniq -c; }

# What there is to see after a wrong verdict, before the next command mends it.
evidence() {
	echo "asked again: $(ask)"
	fw status --json 2>&1
	ip -n "$RCV" -d link show r0
	in_ns "$GEN" ethtool -k g0 | grep -E 'tcp.*segmentation'
	fw stats 2>&1 | head -n 12
}
bad=0
complain() {
	bad=$((bad + 1))
	[ $bad -gt 10 ] || note "$@"
}

# kill_points NAME STEP WANTED-STATES PREPARE COMMAND… : PREPARE makes the old state; the command is killed at each call.
kill_points() {
	local name=$1 step=$2 states=$3 prepare=$4 n=0 limit=$((SECONDS + ($2 == 1 ? LIMIT : LIMIT / 6))) at=1 status got calls olds=0 news=0 shape
	shift 4
	bad=0
	$prepare >/dev/null || { ok 1 "$name: prepare"; return; }
	# Once for nothing: what came before leaves more to do the first time.
	fw "$@" >/dev/null && $prepare >/dev/null
	fwk count "$LAB_DIR/calls" -- "$FWCTL" "$@" >"$LAB_DIR/out" 2>&1 || {
		ok 1 "$name: the command works when it is not killed"
		note "$(cat "$LAB_DIR/out")"
		return
	}
	calls=$(wc -l <"$LAB_DIR/calls")
	$prepare >/dev/null
	shape=$(pins)
	while :; do
		fwk kill $at -- "$FWCTL" "$@" >"$LAB_DIR/out" 2>&1
		status=$?
		[ $status -ne 200 ] || break
		[ $status -eq 137 ] || complain "call $at: exit $status, not killed: $(cat "$LAB_DIR/out")"
		n=$((n + 1))
		got=$(ask)
		case $got in
		"$OLD") olds=$((olds + 1)) ;;
		"$NEW" | "$OPEN") news=$((news + 1)) ;;
		esac
		[[ "|$states|" == *"|$got|"* ]] || complain "call $at ($(sed -n "${at}p" "$LAB_DIR/calls")): verdicts \"$got\"; $(evidence)"
		# The next command works, and the state is as if nothing had happened.
		$prepare >"$LAB_DIR/out" 2>&1 || complain "call $at ($(sed -n "${at}p" "$LAB_DIR/calls")): the next command: $(cat "$LAB_DIR/out")"
		got=$(pins)
		[ "$got" = "$shape" ] || complain "call $at: pins left:"$'\n'"$(diff <(echo "$shape") <(echo "$got"))"
		[ $SECONDS -lt $limit ] || step=$((step > 16 ? step : step == 1 ? 16 : 48))
		at=$((at + step))
		[ $bad -lt 20 ] || break
	done
	[ $bad -eq 0 ] && [ $n -ge $((calls * 9 / 10 / step - 1)) ] && [ $n -ge 7 ]
	ok $? "$name: killed at $n of $calls system calls: $olds times the old rules, $news times the new ones, $bad bad"
}

apply_old() { fw apply "$A"; }
load_old() {
	fw load r0 -r "$A" && fw apply "$A"
}
unload_first() { fw unload --all; }

check "load the first rules" fw load r0 -r "$A"
[ "$(ask)" = "$OLD" ]
ok $? "the first rules are in force: $(ask)"
check "apply the second rules" fw apply "$B"
[ "$(ask)" = "$NEW" ]
ok $? "the second rules are in force: $(ask)"

# What both rule sets forbid is sent all the while; from here on nothing of it may arrive.
$PROBE flood "$GEN:g0" "$RCV:r0" 4003 >"$LAB_DIR/flood" &
flood=$!
LAB_PIDS+=($flood)
kill_points "apply" 1 "$OLD|$NEW" apply_old apply "$B"
apply_big_old() {
	# Only a fresh load has small tables again.
	fw unload r0 && fw load r0 -r "$A"
}
kill -TERM $flood && wait $flood
flooded=$(tail -n 1 "$LAB_DIR/flood")
[[ $flooded == *" delivered=0" && $flooded != sent=0* ]]
ok $? "what both rule sets forbid never got through: $flooded"

kill_points "apply of rules that outgrow the tables" "$STEP" "$OLD|$NEW" apply_big_old apply "$BIG"
kill_points "apply that takes the egress block away" "$STEP" "$OLD|$NEW" apply_old apply "$ONE_WAY"
fw unload --all >/dev/null
fw load r0 -r "$A" --hook tc >/dev/null
kill_points "apply at TC" "$STEP" "$OLD|$NEW" apply_old apply "$B"
fw unload --all >/dev/null
kill_points "load" "$STEP" "$OPEN|$OLD" unload_first load r0 -r "$A"
kill_points "unload" "$STEP" "$OPEN|$OLD" load_old unload r0
check "unload all" fw unload --all
[ -z "$(pins)" ]
ok $? "no pin is left"
[ "$(ask)" = "$OPEN" ]
ok $? "no filter is left"
lab_done
