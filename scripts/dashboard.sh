#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Draw docs/dashboard.svg: some minutes of real traffic through a firewall in namespaces, a flood among it, scraped by Prometheus.
#   scripts/dashboard.sh [SECONDS] [FILE.svg]     (as root; 240 seconds)
. "$(dirname "$0")/../tests/net/state_lab.sh"
lab_isolate "$@"
cd "$LAB_ROOT" || exit 1
. tests/net/metrics_lab.sh
seconds=${1:-240} file=${2:-docs/dashboard.svg}
state_lab >&2
metrics_rules "$LAB_DIR/r.fw"
sed -i '/udp to port 9 /s/label .*/label "discard"/' "$LAB_DIR/r.fw"
fw load r0 -r "$LAB_DIR/r.fw" -p web >&2 && fw load r1 -r "$LAB_DIR/r.fw" -p web >&2 || bail "cannot load"
metrics_up
prom_up 2
# From where rates are known on.
wait_for 60 prom_has 'count_over_time(fwctl_build_info[10s]) >= 5' || bail "prometheus has nothing"
begin=$SECONDS
for name in a b c; do
	asks $name "$GEN" tcp $LAB_RCV4 7000
done
asks d "$GEN" tcp $RCV1_4 7000
flood() { in_ns "$GEN" $FLOOD "$@" >/dev/null; }
# Little all the time, more now and then, by somebody who is banned half way, and a flood in the middle.
while [ $((SECONDS - begin)) -lt "$seconds" ]; do
	at=$(((SECONDS - begin) * 100 / seconds))
	flood -n $((300 + RANDOM % 400)) g0 $LAB_RCV_MAC udp $LAB_RCV4 9
	flood -n $((100 + RANDOM % 200)) -s 198.51.100.9 g0 $LAB_RCV_MAC syn $LAB_RCV4 22
	flood -n $((50 + RANDOM % 100)) g0 $LAB_RCV_MAC syn $LAB_RCV4 81
	flood -n 60 -s 198.51.100.$((20 + RANDOM % 60)) g0 $LAB_RCV_MAC udp $LAB_RCV4 5300
	flood -n $((RANDOM % 300)) g1 $LAB_RCV1_MAC udp $RCV1_4 53
	in_ns "$GEN" ping -c 2 -i 0.2 -W 1 $LAB_RCV4 >/dev/null
	[ $at -lt 25 ] || [ $at -ge 45 ] || fw ban 203.0.113.$((RANDOM % 200)) for 10m >/dev/null
	if [ $at -ge 40 ] && [ $at -lt 60 ]; then
		flood -t 1500 g0 $LAB_RCV_MAC syn $LAB_RCV4 7000
	fi
	[ $at -lt 50 ] || [ -e "$LAB_DIR/banned" ] || { fw ban 198.51.100.9 >/dev/null && : >"$LAB_DIR/banned"; }
	[ $at -lt 70 ] || [ -e "$LAB_DIR/applied" ] || {
		sed -i 's/to port 81/to port { 81, 82 }/' "$LAB_DIR/r.fw"
		fw apply "$LAB_DIR/r.fw" >&2 && : >"$LAB_DIR/applied"
	}
	[ $at -lt 75 ] || [ -e "$LAB_DIR/hung" ] || { hang_up b c && : >"$LAB_DIR/hung"; }
	sleep 0.3
done
render --range=$((SECONDS - begin)) --rate=10s >"$LAB_DIR/dashboard.svg" || bail "cannot draw"
mkdir -p "$(dirname "$file")" && cp "$LAB_DIR/dashboard.svg" "$file"
kill "$METRICS_PID" "$PROM_PID"
echo "dashboard: $file, $(wc -c <"$file") bytes" >&2
