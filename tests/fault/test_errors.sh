#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Each bpf(2) call of `apply` and `load` fails: exit status not 0, a sentence, the old rules in force, and the next command
# works.
#   FW_ERRNOS="N…"   each call with each of these errors (default: one error per call, in turn)
. "$(dirname "$0")/../../scripts/netns.sh"
lab_isolate "$@"
cd "$LAB_ROOT" || exit 1
KILL=build/tests/fault/tool_kill PROBE=build/tests/net/tool_probe
[ -x $KILL ] && [ -x $PROBE ] && [ -x "$FWCTL" ] || bail "the tools are not built"
[ "$(uname -m)" = x86_64 ] || {
	skip "each bpf(2) call fails" "the tool can do it on x86_64 alone"
	lab_done
}
lab_pair
A=$LAB_DIR/a.fw B=$LAB_DIR/b.fw
rules() { # PASSED-PORT DROPPED-PORT
	cat <<-EOR
		policy p {
			ingress default drop {
				drop proto udp to port { $2, 4003 }
				pass proto udp to port { $1, 4004, 5000 }
			}
		}
		interface r0 uses p
	EOR
}
rules 4001 4002 >"$A"
rules 4002 4001 >"$B"
OLD="PDDP PDDP" NEW="DPDP DPDP" OPEN="PPPP PPPP"
ask() { $PROBE ask "$GEN:g0" "$RCV:r0" 4001 4002 4003 4004 2>&1; }
ERRNOS=(1 12 22 7 16 28) # EPERM ENOMEM EINVAL E2BIG EBUSY ENOSPC
bad=0
complain() {
	bad=$((bad + 1))
	[ $bad -gt 10 ] || note "$@"
}

# A call may fail without harm: then the command must have done its whole work. Anything else keeps what was.
failing() { # NAME OLD-STATE NEW-STATE PREPARE COMMAND…
	local name=$1 old=$2 new=$3 prepare=$4 at status got n=0 refused=0 err turn total
	shift 4
	bad=0
	$prepare >/dev/null 2>&1
	in_ns "$RCV" "$LAB_ROOT/$KILL" count "$LAB_DIR/calls" -- "$FWCTL" "$@" >/dev/null 2>&1
	total=$(grep -c bpf: "$LAB_DIR/calls")
	for turn in ${FW_ERRNOS:-0}; do
		for ((at = 1; ; at++)); do
			err=$turn
			[ $err -ne 0 ] || err=${ERRNOS[at % ${#ERRNOS[@]}]}
			$prepare >"$LAB_DIR/out" 2>&1 || complain "errno $err, call $at: the next command: $(cat "$LAB_DIR/out")"
			in_ns "$RCV" timeout 60 "$LAB_ROOT/$KILL" failbpf $at $err -- "$FWCTL" "$@" >"$LAB_DIR/out" 2>"$LAB_DIR/err"
			status=$?
			[ $status -ne 200 ] || break
			n=$((n + 1))
			got=$(ask)
			case $status in
			0) [ "$got" = "$new" ] || complain "errno $err, bpf call $at: exit 0 and verdicts \"$got\"" ;;
			1)
				refused=$((refused + 1))
				# Beyond the commit it may only say that it cannot see whether all is well.
				[ "$got" = "$old" ] || { [ "$got" = "$new" ] && grep -q 'the rules were applied, but' "$LAB_DIR/err"; } ||
					complain "errno $err, bpf call $at: refused, and verdicts \"$got\": $(cat "$LAB_DIR/err")"
				grep '^fwctl: ..*' "$LAB_DIR/err" | grep -qv '^fwctl: failed' || complain "errno $err, bpf call $at: exit 1 without a sentence: $(cat "$LAB_DIR/err")" ;;
			*) complain "errno $err, bpf call $at: exit $status: $(cat "$LAB_DIR/err")" ;;
			esac
			[ $bad -lt 20 ] || break 2
		done
	done
	[ $bad -eq 0 ] && [ $n -gt $((total * 3 / 4)) ] && [ $refused -gt $((total / 3)) ]
	ok $? "$name: $n failures of $total bpf calls: $refused refused, $((n - refused)) done all the same, $bad bad"
}

apply_old() { fw apply "$A"; }
nothing_loaded() { fw unload --all; }
check "load" fw load r0 -r "$A"
failing "apply" "$OLD" "$NEW" apply_old apply "$B"
fw unload --all >/dev/null
failing "load" "$OPEN" "$OLD" nothing_loaded load r0 -r "$A"
fw unload --all >/dev/null
[ -z "$(find /sys/fs/bpf/fwctl -mindepth 1 2>/dev/null)" ]
ok $? "no pin is left"
lab_done
