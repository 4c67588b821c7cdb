#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# metrics: what Prometheus reads is what stats says; the server is not held up by anybody; dashboard, alerts and picture have data.
. "$(dirname "$0")/state_lab.sh"
lab_isolate "$@"
cd "$LAB_ROOT" || exit 1
. tests/net/metrics_lab.sh
state_lab
R=$LAB_DIR/r.fw
metrics_rules "$R"
PROMTOOL=$(command -v promtool) && command -v prometheus >/dev/null || bail "prometheus is not installed"

refuses 0 'fwctl_interfaces 0' "without a firewall there are metrics that say so" fw metrics
refuses 2 'only unix:PATH, 127.0.0.1:PORT and \[::1\]:PORT' "every address is refused" fw metrics --listen 0.0.0.0:9468
refuses 2 'without|only unix' "that of the interface, too" fw metrics --listen "$LAB_RCV4:9468"
refuses 2 'only unix' "and those of IPv6" fw metrics --listen '[::]:9468'
refuses 2 'only unix' "a name is no address" fw metrics --listen localhost:9468
refuses 2 'only unix' "nor is a port" fw metrics --listen :9468
refuses 2 'only unix' "a port that is none" fw metrics --listen 127.0.0.1:65536
refuses 2 '1 to 107 bytes' "a path that is too long" fw metrics --listen "unix:/$(printf '%0120d' 0)"
refuses 1 'cannot listen on .*No such file' "a path without a directory" fw metrics --listen "unix:$LAB_DIR/no/x"
refuses 1 'none were handed over' "no sockets from systemd" fw metrics --listen systemd
refuses 2 'writes no file' "server and file at once" fw metrics --listen 127.0.0.1:0 --output "$LAB_DIR/x"
refuses 1 'cannot write .*No such file' "a file without a directory" fw metrics --output "$LAB_DIR/no/x.prom"

check "load" fw load r0 -r "$R" -p web
fw metrics --format=plain >"$LAB_DIR/plain"
check "promtool finds nothing to say of it" "$PROMTOOL" check metrics <"$LAB_DIR/plain"
metrics_up
refuses 1 'Address already in use; another program' "the port is in use" fw metrics --listen 127.0.0.1:9468
prom_up 1
check "prometheus takes it" wait_for 20 prom_is 'up{job="fwctl"}' 1

# Real traffic of every kind.
in_ns "$GEN" ping -c 3 -i 0.2 -W 1 $LAB_RCV4 >/dev/null
asks web "$GEN" tcp $LAB_RCV4 7000
goes_on web
fw ban 198.51.100.9 >/dev/null
in_ns "$GEN" timeout 20 $FLOOD -n 3000 g0 $LAB_RCV_MAC udp $LAB_RCV4 9 >/dev/null
in_ns "$GEN" timeout 20 $FLOOD -n 3000 g0 $LAB_RCV_MAC syn $LAB_RCV4 22 >/dev/null
in_ns "$GEN" timeout 20 $FLOOD -n 500 -s 198.51.100.9 g0 $LAB_RCV_MAC syn $LAB_RCV4 7000 >/dev/null
in_ns "$GEN" timeout 20 $FLOOD -n 200 g0 $LAB_RCV_MAC syn $LAB_RCV4 81 >/dev/null
in_ns "$GEN" timeout 20 $FLOOD -n 300 -s 198.51.100.8 g0 $LAB_RCV_MAC udp $LAB_RCV4 5300 >/dev/null

scrape() { in_ns "$RCV" curl -sS --max-time 10 "$@" $METRICS; }
# Every number of stats as a line of metrics; JSON and labels escape alike.
stats_lines() {
	fw stats --json | jq -r '.interfaces[] | .name as $i | .hooks[] | .hook as $h |
		def of($m; $k): "\($m){interface=\"\($i)\",hook=\"\($h)\",verdict=\"\($k)\"}";
		(.verdicts | to_entries[] | "\(of("fwctl_packets_total"; .key)) \(.value.packets)", "\(of("fwctl_bytes_total"; .key)) \(.value.bytes)"),
		(.rules[] | .verdict as $v | "fwctl_rule_packets_total{interface=\"\($i)\",hook=\"\($h)\",policy=\"web\",direction=\"" +
			(if $h == "tc-egress" then "egress" else "ingress" end) + "\",rule=\(.id | tojson),verdict=\"\($v)\"} \(.packets)")'
}
same_as_stats() { # CURL-OPTION…
	stats_lines >"$LAB_DIR/want"
	scrape "$@" >"$LAB_DIR/got" && [ -s "$LAB_DIR/want" ] || return 1
	! grep -vxFf "$LAB_DIR/got" "$LAB_DIR/want"
}
reasons_add_up() {
	awk '/^fwctl_packets_total/ { p += $NF } /^fwctl_reason_packets_total/ { r += $NF } /^fwctl_bytes_total/ { pb += $NF }
		/^fwctl_reason_bytes_total/ { rb += $NF } END { exit !(p && p == r && pb == rb) }' "$LAB_DIR/got"
}
hang_up web
check "every number of stats is there, to the packet" wait_for 20 same_as_stats
check "and in OpenMetrics" wait_for 20 same_as_stats -H 'Accept: application/openmetrics-text'
[ "$(tail -n 1 "$LAB_DIR/got")" = '# EOF' ]
ok $? "which ends as it should"
check "verdicts and reasons add up to the same" reasons_add_up
scrape >"$LAB_DIR/got"
check "promtool finds nothing to say of all this" "$PROMTOOL" check metrics <"$LAB_DIR/got"
grep -q '^fwctl_rule_info{policy="web",direction="ingress",rule="banned",verdict="drop",file=".*r.fw",line="9",text="drop from @banned.*"} 1$' "$LAB_DIR/got"
ok $? "a rule is told of with its place"
grep -q '^fwctl_set_elements{set="banned"} [12]$' "$LAB_DIR/got" && grep -q '^fwctl_set_size{set="banned"} 200$' "$LAB_DIR/got"
ok $? "sets"
grep -q '^fwctl_flows_capacity{policy="web",state="open"} [1-9]' "$LAB_DIR/got" && grep -q '^fwctl_flows{policy="web",state="pending"} ' "$LAB_DIR/got"
ok $? "flow tables"
awk '/^fwctl_events_total/ { e = $NF } /^fwctl_events_(written|limited|sampled|capped)_total/ { s += $NF } END { exit !(e > 3000 && e == s) }' "$LAB_DIR/got"
ok $? "events: all there were, and what became of them"
last=$(sed -n 's/^fwctl_rule_last_hit_timestamp_seconds{interface="r0",.*rule="banned".*} \([0-9]*\).*/\1/p' "$LAB_DIR/got")
[ -n "$last" ] && [ $(($(date +%s) - last)) -lt 120 ] && [ "$last" -le "$(date +%s)" ]
ok $? "when a rule was last hit, on the wall clock"
! grep -E '198\.(18|19|51)\.' "$LAB_DIR/got" | grep -q .
ok $? "no label has an address from a packet"

content_type() { scrape -o /dev/null -w '%{content_type}' "$@"; }
[ "$(content_type)" = 'text/plain; version=0.0.4; charset=utf-8' ] &&
	[ "$(content_type -H 'Accept: application/openmetrics-text')" = 'application/openmetrics-text; version=1.0.0; charset=utf-8' ]
ok $? "each form says what it is"
answer() { in_ns "$RCV" curl -s -o "$LAB_DIR/answer" --max-time 10 -w '%{http_code}' "$@"; }
[ "$(answer http://127.0.0.1:9468/x)" = 404 ] && [ "$(answer -X POST $METRICS)" = 405 ] && [ "$(answer -I $METRICS)" = 200 ] && [ "$(answer http://127.0.0.1:9468/)" = 200 ]
ok $? "other paths and methods"
[ "$(answer -H 'Host: evil.example' $METRICS)" = 421 ] && ! grep -q fwctl_ "$LAB_DIR/answer"
ok $? "a page of the web that has its name lead here learns nothing"
raw() { in_ns "$RCV" timeout 20 nc -N 127.0.0.1 9468 | head -n 1; }
[[ $(head -c 20000 /dev/zero | tr '\0' a | raw) == *" 400 "* || $(head -c 20000 /dev/zero | tr '\0' a | raw) == *" 431 "* ]] &&
	[[ $({ printf 'GET /metrics HTTP/1.1\r\nHost: localhost\r\nX: '; head -c 20000 /dev/zero | tr '\0' a; } | raw) == *" 431 "* ]]
ok $? "a request that is too long is told so"
[[ $(printf 'GET /metrics HTTP/1.1\nHost: localhost\n\n' | raw) == *" 400 "* ]] && [[ $(printf '\026\003\001\001\001\n' | raw) == *" 400 "* ]]
ok $? "what is no request is told so"
[ "$(printf 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\nGET /x HTTP/1.1\r\nHost: localhost\r\n\r\nGET / HTTP/1.0\r\n\r\n' | in_ns "$RCV" timeout 20 nc -N 127.0.0.1 9468 |
	sed -n 's/^HTTP.1.1 \([0-9]*\).*/\1/p' | tr '\n' ' ')" = "200 404 200 " ]
ok $? "requests that follow one another are answered in order"

# More silent ones than the server has places, who stay.
mkfifo "$LAB_DIR/hold"
exec 7<>"$LAB_DIR/hold"
silent() { # WORDS: says them, hears nothing
	background in_ns "$RCV" bash -c 'for ((i = 0; i < 100; i++)); do exec {fd}<>/dev/tcp/127.0.0.1/9468 || exit 1; printf "$0" >&$fd; done
		: >"$1"; read -r _ <&7' "$1" "$LAB_DIR/silent.$2" >/dev/null 2>&1
	wait_for 20 test -e "$LAB_DIR/silent.$2"
}
silent '' a
ok $? "a hundred connect and say nothing"
check "others are answered meanwhile" scrape -o /dev/null -f
silent 'GET /metrics HT' b
ok $? "a hundred say half a request"
check "others are answered meanwhile, too" scrape -o /dev/null -f

# Many rules make a page that no socket takes at once.
{
	echo "policy wide { ingress default pass {"
	for ((i = 0; i < 4000; i++)); do
		echo "	drop proto tcp from 10.$((i / 250)).$((i % 250)).0/24 to port $((i + 1)) label \"rule $i\""
	done
	echo "} }"
} >"$LAB_DIR/wide.fw"
check "4000 rules" fw load r1 -r "$LAB_DIR/wide.fw" -p wide
silent 'GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n' c
ok $? "a hundred ask for a page of a megabyte and do not read"
scrape -f >"$LAB_DIR/got" && [ "$(wc -c <"$LAB_DIR/got")" -gt 1000000 ] && [ "$(grep -c '^fwctl_rule_packets_total.*policy="wide"' "$LAB_DIR/got")" -eq 4000 ]
ok $? "others get all of it meanwhile"
[ "$(awk '/^VmRSS/ { print $2 }' "/proc/$METRICS_PID/status")" -lt 65536 ]
ok $? "and the server stays small"
fw metrics --rules=none >"$LAB_DIR/got" && ! grep -q fwctl_rule_ "$LAB_DIR/got"
ok $? "--rules=none leaves them out"
fw metrics --rules=labelled >"$LAB_DIR/got" && grep -q 'rule="ping"' "$LAB_DIR/got" && ! grep -q 'rule="reject' "$LAB_DIR/got"
ok $? "--rules=labelled has those with labels"
check "unload" fw unload r1

# Rules change while they are read.
scrape >"$LAB_DIR/got"
banned=$(sed -n 's/^fwctl_rule_packets_total.*rule="banned",verdict="drop"} //p' "$LAB_DIR/got")
[ "$banned" -ge 500 ]
ok $? "a rule has counted"
scrapes=0 bad=0
apply_often() {
	local i
	for ((i = 0; i < 12; i++)); do
		metrics_rules "$LAB_DIR/next.fw" $'# moved\n#'
		sed -i "s/to port 81/to port $((81 + i % 2))/" "$LAB_DIR/next.fw"
		fw apply "$LAB_DIR/next.fw" >/dev/null 2>&1 || return 1
	done
	: >"$LAB_DIR/applied"
}
apply_often &
applier=$!
while [ ! -e "$LAB_DIR/applied" ] && kill -0 $applier 2>/dev/null; do
	scrape -f -H 'Accept: application/openmetrics-text' >"$LAB_DIR/got" && [ "$(tail -n 1 "$LAB_DIR/got")" = '# EOF' ] &&
		grep -q '^fwctl_scrape_success 1' "$LAB_DIR/got" && grep -q 'rule="web"' "$LAB_DIR/got" || bad=$((bad + 1))
	scrapes=$((scrapes + 1))
done
wait $applier && [ $bad -eq 0 ] && [ $scrapes -gt 3 ]
ok $? "$scrapes scrapes while rules are replaced are whole"
line_moved() { scrape >"$LAB_DIR/got" && grep -q 'rule="banned",.*line="10"' "$LAB_DIR/got" && grep -q '^fwctl_rule_packets_total.*rule="banned",verdict="drop"} '"$banned"'$' "$LAB_DIR/got"; }
check "its counter goes on, on another line" wait_for 10 line_moved

# Every panel has something to show.
mapfile -t queries < <($RENDER --queries --rate=10s --range=60)
[ ${#queries[@]} -ge 15 ]
ok $? "the dashboard has ${#queries[@]} queries"
traffic() { # until told to stop
	while [ ! -e "$LAB_DIR/quiet" ]; do
		in_ns "$GEN" timeout 5 $FLOOD -n 200 g0 $LAB_RCV_MAC udp $LAB_RCV4 9 >/dev/null
		in_ns "$GEN" timeout 5 $FLOOD -n 100 -s 198.51.100.9 g0 $LAB_RCV_MAC syn $LAB_RCV4 7000 >/dev/null
		in_ns "$GEN" ping -c 1 -W 1 $LAB_RCV4 >/dev/null
	done
}
traffic &
LAB_PIDS+=($!)
for q in "${queries[@]}"; do
	check "${q%%$'\t'*}: has data" wait_for 30 prom_has "${q#*$'\t'}"
done
in_ns "$RCV" curl -sS --max-time 10 $PROM/api/v1/rules | jq -e '[.data.groups[].rules[] | .health] | length == 14 and all(. == "ok")' >/dev/null
ok $? "prometheus evaluates every alert"
render --range=60 --rate=10s >"$LAB_DIR/board.svg" 2>"$LAB_DIR/err"
ok $? "the picture is drawn" || note "$(cat "$LAB_DIR/err")"
missing=$(jq -r '.panels[] | select(.type != "table") | .title' packaging/grafana/dashboard.json | while read -r t; do grep -qF "$t" "$LAB_DIR/board.svg" || echo "$t"; done)
[ -z "$missing" ] && grep -q 'banned drop' "$LAB_DIR/board.svg" && grep -Eq '>[0-9]+ web<' "$LAB_DIR/board.svg" && [ "$(grep -c '<path' "$LAB_DIR/board.svg")" -gt 30 ] && [ "$(wc -c <"$LAB_DIR/board.svg")" -lt 200000 ]
ok $? "with every panel and its lines" || note "missing: $missing"
: >"$LAB_DIR/quiet"

# What goes wrong shows.
ip -n "$RCV" link set r1 down && ip -n "$RCV" link set r1 name $'q"\\\xff' && ip -n "$RCV" link set $'q"\\\xff' up
check "an interface with a name that wants out" fw load $'q"\\\xff'
hostile() { prom_ask 'fwctl_interface_attached' | jq -e 'any(.[]; .metric.interface == "q\"\\\\xff" and .value[1] == "1")'; }
check "is known to prometheus by that name, escaped" wait_for 20 hostile
check "a label with quotes, too" prom_has 'fwctl_rule_packets_total{rule="a \"b\" \\ c"}'
ip -n "$RCV" link del $'q"\\\xff'
check "the interface goes, and is told of as not filtered" wait_for 20 prom_is 'sum(fwctl_interface_attached == bool 0)' 1
check "and as degraded" wait_for 20 prom_is 'sum(fwctl_degraded)' 1
check "the alert is on its way" wait_for 30 prom_has 'ALERTS{alertname="FwctlNotAttached"}'
fw unload $'q"\\\xff' >/dev/null 2>&1

check "the alerts are well formed" "$PROMTOOL" check rules packaging/grafana/alerts.yml
check "each fires when it should, and only then" "$PROMTOOL" test rules packaging/grafana/alerts_test.yml
jq -e '[.templating.list[].name] == ["datasource", "instance", "interface"] and ([.panels[].id] | unique | length) == (.panels | length)' packaging/grafana/dashboard.json >/dev/null
ok $? "the dashboard lets choose source, host and interface"

# The end.
kill -TERM "$METRICS_PID"
wait_for 10 bash -c "! kill -0 $METRICS_PID 2>/dev/null"
ok $? "SIGTERM ends the server"
[ ! -s "$LAB_DIR/metrics.err" ]
ok $? "which had nothing to complain of" || note "$(head -5 "$LAB_DIR/metrics.err")"
kill "$PROM_PID" 2>/dev/null

# Over a unix socket, and again after a kill.
S=$LAB_DIR/fwctl.sock
unix_up() {
	background in_ns "$RCV" "$FWCTL" metrics --listen "unix:$S" >"$LAB_DIR/unix.out" 2>&1
	METRICS_PID=$!
	wait_for 10 unix_answers
}
unix_answers() { curl -sf --max-time 5 --unix-socket "$S" http://anything/metrics | grep -q '^fwctl_packets_total'; }
unix_up
ok $? "a unix socket"
[ "$(stat -c %a "$S")" = 660 ]
ok $? "is for its owner and group"
refuses 1 'Address already in use; another program listens there .ss -lxp' "a second server is refused" fw metrics --listen "unix:$S"
check "and the first goes on" unix_answers
kill -9 "$METRICS_PID"
wait_for 10 bash -c "! kill -0 $METRICS_PID 2>/dev/null"
[ -S "$S" ]
ok $? "killed, it leaves its socket"
unix_up
ok $? "which the next one takes over"
kill -INT "$METRICS_PID"
check "ended in order, it takes its socket away" wait_for 10 test ! -e "$S"
echo precious >"$S"
refuses 1 'Address already in use; a file is there that is no socket' "a file is in the place" fw metrics --listen "unix:$S"
[ "$(cat "$S")" = precious ]
ok $? "and stays"

# The file of node_exporter is whole whenever it is looked at.
F=$LAB_DIR/text/fwctl.prom
mkdir "$LAB_DIR/text"
check "a file" fw metrics --output "$F"
[ "$(stat -c %a "$F")" = 644 ] && "$PROMTOOL" check metrics <"$F" >/dev/null 2>&1
ok $? "is readable by all, and plain"
mkfifo "$LAB_DIR/text/pipe"
ln -s "$F" "$LAB_DIR/text/link"
refuses 1 'no file that could be replaced' "a pipe or a device is not replaced" fw metrics --output "$LAB_DIR/text/pipe"
refuses 1 'no file that could be replaced' "nor a link" fw metrics --output "$LAB_DIR/text/link"
[ -p "$LAB_DIR/text/pipe" ] && [ -L "$LAB_DIR/text/link" ]
ok $? "and stays"
rm "$LAB_DIR/text/pipe" "$LAB_DIR/text/link"
write_often() {
	local i
	for ((i = 0; i < 40; i++)); do
		fw metrics --output "$F" || return 1
	done
	: >"$LAB_DIR/written"
}
write_often &
writer=$! looks=0 bad=0
while [ ! -e "$LAB_DIR/written" ] && kill -0 $writer 2>/dev/null; do
	cp "$F" "$LAB_DIR/look" && tail -n 1 "$LAB_DIR/look" | grep -q '^fwctl_events_lost_total{policy="web"} [0-9]*$' && [ -z "$(tail -c 1 "$LAB_DIR/look")" ] || bad=$((bad + 1))
	looks=$((looks + 1))
done
wait $writer && [ $bad -eq 0 ] && [ $looks -gt 10 ]
ok $? "$looks looks at a file being replaced see it whole"
[ "$(ls -A "$LAB_DIR/text")" = fwctl.prom ]
ok $? "nothing is left beside it"
lab_done
