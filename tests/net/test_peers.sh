#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The comparison with other firewalls works: every table has figures of fwctl and of each firewall that is installed, and no
# firewall answers otherwise than the oracle. Whether the figures are good is not this test's business.
set -u
here=$(cd "$(dirname "$0")/../.." && pwd)
. "$here/scripts/netns.sh"
lab_isolate "$@"
cd "$here" || exit 1
make -s build/fwctl build/bench/bench_veth build/bench/bench_peers || bail "cannot build the benchmarks"

before=$(ls /run/netns)
check "a quick run ends well" env QUICK=1 RESULTS="$LAB_DIR/results" bench/peers/run
json=$(ls "$LAB_DIR"/results/*.jsonl)

# TABLE TOOL: is there a row of it, and does every row have a cost?
has_figures() {
	jq -se --arg table "$1" --arg tool "$2" 'map(select(.table == $table and .tool == $tool)) as $r
		| $r != [] and all($r[]; (.ns // .ms // 0) > 0)' "$json" || {
		jq -c --arg table "$1" --arg tool "$2" 'select(.table == $table and .tool == $tool and .absent)' "$json"
		return 1
	}
}
figures() { # TOOL COMMAND TABLE…
	local tool=$1 command=$2 table
	shift 2
	for table in "$@"; do
		if command -v "$command" >/dev/null; then
			check "$tool has figures in table $table" has_figures "$table" "$tool"
		else
			skip "$tool has figures in table $table" "$command is not installed (scripts/deps.sh peers)"
		fi
	done
}
figures fwctl "$FWCTL" drop pass sources rules packet control
figures nft nft drop pass sources rules control
figures iptables-legacy iptables-legacy drop pass rules control
figures iptables-nft iptables-nft drop pass rules control
figures ipset ipset drop sources control
figures xdp-filter xdp-filter drop pass sources packet control
# No package, so its absence is nothing to report.
! command -v bfcli >/dev/null || figures bpfilter bfcli drop sources rules packet control

check "the tables are written as Markdown" grep -q '^| fwctl XDP, 1 rule |' "$LAB_DIR/results/peers.md"
verdicts() { bench/peers/report "$json" | grep -c 'not judged'; }
check "a quick run judges nothing" [ "$(verdicts)" -ge 8 ]
check "no namespace is left" [ "$(ls /run/netns)" = "$before" ]

# The rows of a table, made by hand: a firewall that does not do its work.
export QUICK=1 SEED=1
JSON=$LAB_DIR/wrong.jsonl LOG=$LAB_DIR/log WRONG=""
for file in lab texts walls tables; do
	. "bench/peers/$file.sh"
done
peer_lab || bail "cannot make namespaces"
table_begin drop
contest wrong fwctl 1 - one "a wrong one" wall_fwctl_rules xdp 1 pass
check "a firewall that passes what it should drop gets no figure" grep -q 'passed 256 of 256 packets instead of 0' "$JSON"
check "and the run will say that it was fwctl" [ "$WRONG/$(cat "$CASES")" = " fwctl/" ]
contest right fwctl 1 - one "a right one" wall_fwctl_rules xdp 1
check "one that drops it gets one" grep -q '^right' "$CASES"
peer_forget
lab_done
