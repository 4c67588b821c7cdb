#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The differentials at length, after the usual tests have passed: more than 10,000,000 pairs of frame and rule set against the
# oracle by the datapath's source, more than 1,000,000 by the loaded programs (as root), on sets of 1,000, 10,000 and
# 100,000 rules, under both engines. About 20 minutes on two processors.
#   tests/long.sh [host|kernel]…      default: both, at once
#   LONG_SHARE=n: an n-th of it
set -u
cd "$(dirname "$0")/.." || exit 1
[ $# -gt 0 ] || set -- host kernel
share=${LONG_SHARE:-1}
logs=build/test-logs
mkdir -p "$logs"

# TIER SETS-OF-1K SETS-OF-10K SETS-OF-100K
one() {
	FW_SETS_1K=$(($2 / share)) FW_SETS_10K=$(($3 / share)) FW_SETS_100K=$(($4 / share)) \
		CMOCKA_MESSAGE_OUTPUT=TAP "build/tests/$1/test_scale" >"$logs/long_$1.log" 2>&1
}
status=0 pids=()
start=$SECONDS
for tier in "$@"; do
	case $tier in
	host) one host 760 480 51 & ;;      # 10,000, 5,000 and 2,000 pairs each
	kernel) one kernel 81 42 21 & ;;    # 10,000, 5,000 and 1,000
	*)
		echo "long: no tier \"$tier\"; there are host and kernel" >&2
		exit 2
		;;
	esac
	pids+=("$tier:$!")
done
for job in "${pids[@]}"; do
	tier=${job%%:*}
	wait "${job#*:}" || status=1
	echo "--- $tier, $((SECONDS - start)) s"
	grep -E '^# .*(pairs|seed)|^(not )?ok ' "$logs/long_$tier.log" || status=1
	! grep "^not ok " "$logs/long_$tier.log" | grep -v "# SKIP" || tail -n 60 "$logs/long_$tier.log"
done
exit $status
