#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# log: what rules with "log" tell of, in words, JSON and the journal; picked, counted exactly whatever becomes of the reader, and never
# a verdict or a counter that depends on it.
. "$(dirname "$0")/../../scripts/netns.sh"
lab_isolate "$@"
cd "$LAB_ROOT" || exit 1
SEND=build/tests/net/tool_send FLOOD=build/tests/net/tool_flood JOURNAL=$LAB_ROOT/build/tests/net/tool_journal
[ -x "$FWCTL" ] && [ -x $SEND ] && [ -x $FLOOD ] && [ -x "$JOURNAL" ] || bail "the tools are not built"
lab_pair
cat >"$LAB_DIR/web.fw" <<'END'
set banned { type prefix; live }
policy web {
	ingress default drop {
		drop from @banned log label "banned"
		log proto tcp to port 22 label "ssh tries"
		pass proto tcp to port 22
		drop proto udp to port 53 log limit 1/h burst 2 label "dns"
		drop proto udp to port 54 label "silent"
		drop proto udp to port 55 log label "flood"
		pass proto udp to port 56 limit 1/h burst 1 label "once"
		log default
		log reasons
	}
	egress default pass { log proto udp to port 9999 label "out" }
}
END
printf 'policy quiet { ingress default pass { } }\n' >"$LAB_DIR/quiet.fw"
send() { in_ns "$GEN" $SEND "${@:2}" g0 "$1"; }
held() { fw log --no-follow "$@" 2>/dev/null; }
lines() { held "$@" | wc -l; }
# follow NAME OPTIONS…: in the background, into $LAB_DIR/NAME and NAME.err
declare -A FOLLOWS=()
follow() {
	local name=$1
	: >"$LAB_DIR/$name"
	background in_ns "$RCV" "$FWCTL" log "${@:2}" >"$LAB_DIR/$name" 2>"$LAB_DIR/$name.err"
	FOLLOWS[$name]=$!
}
gone() { ! kill -0 "$1" 2>/dev/null; }
ends() { # NAME [SIGNAL]
	kill -"${2:-TERM}" "${FOLLOWS[$1]}" && wait_for 10 gone "${FOLLOWS[$1]}"
}
grows() { [ "$(stat -c %s "$LAB_DIR/$1")" -gt "${2:-0}" ]; }
# A packet until the follower shows one: it is there.
ready() { # NAME
	send "udp 198.51.100.250:1 -> $LAB_RCV4:55"
	grows "$1"
}
said() { # NAME WORD: the number behind the word in the summary
	grep -oE "$2 [0-9]+" "$LAB_DIR/$1.err" | tail -n 1 | grep -oE '[0-9]+'
}
packets_of() { fw stats --json --rules | jq "[.interfaces[].hooks[].rules[] | select(.id == \"$1\") | .packets] | add // 0"; }
dropped() { fw stats --json | jq '[.interfaces[].hooks[].verdicts.drop.packets] | add'; }

refuses 0 'nothing is logged' "without policies nothing is logged" fw log --no-follow
check "a policy that logs nothing" fw load r0 -r "$LAB_DIR/quiet.fw"
refuses 0 'nothing is logged' "is said to do so" fw log --no-follow
check "and is unloaded" fw unload r0
(cd "$LAB_DIR" && fw load r0 -r web.fw -p web) >/dev/null
ok $? "load"

refuses 2 'did you mean "banned"' "a rule nearly called so" fw log --no-follow --rule bannd
refuses 2 'no rule that runs is called' "a rule that is not there" fw log --no-follow --rule nothing-of-the-kind
refuses 2 'no rule that runs is called' "a line without a rule" fw log --no-follow --rule web.fw:3
refuses 2 'did you mean limit' "a reason nearly called so" fw log --reason limt
refuses 2 'there are rule, default,' "a reason that is none" fw log --reason xyzzyx
refuses 2 'did you mean drop' "a verdict nearly called so" fw log --verdict dorp
refuses 2 'not an address' "an address that is none" fw log --address 1.2.3
refuses 2 'range' "a range of addresses" fw log --address 1.2.3.4-1.2.3.9
refuses 2 'at least 1' "the last none" fw log --last 0
refuses 2 'length of time' "a time that is none" fw log --since yesterday
refuses 2 'one of text' "a format that is none" fw log --format xml
refuses 2 'choose one format' "two formats" fw log --json --journal
refuses 1 'not filtered by fwctl' "an interface that is not filtered" fw log lo --no-follow
refuses 2 'no interface can be called' "a name that no interface can have" fw log a/b

# What was held before anybody looked.
send "tcp 198.51.100.7:4000 -> $LAB_RCV4:22 flags S"
send "tcp [2001:db8::7]:4000 -> [$LAB_RCV6]:23 flags SA vlan 7"
send "icmp 198.51.100.8 -> $LAB_RCV4"
send "udp 198.51.100.7:4000 -> $LAB_RCV4:53" -n 5
send "udp 198.51.100.7:4000 -> $LAB_RCV4:54"
send "udp 198.51.100.7:4000 -> $LAB_RCV4:56" -n 3
send 'hex ffffffffffff0200000000010800460000'
check "ban" fw ban 198.51.100.9 for 1h
send "udp 198.51.100.9:4000 -> $LAB_RCV4:80"
in_ns "$RCV" bash -c "echo x >/dev/udp/$LAB_GEN4/9999"
show() { held "$@" >"$LAB_DIR/held"; }
show
check "a bare log rule tells, and then what became of the packet" grep -qE "^20[0-9-]+T[0-9:.]+Z r0 +xdp +pass +\"ssh tries\" web.fw:5 +tcp 198.51.100.7:4000 -> $LAB_RCV4:22 flags S len 60 then rule$" "$LAB_DIR/held"
check "log default, IPv6, a tag" grep -qE "drop +default +tcp \[2001:db8::7\]:4000 -> \[$LAB_RCV6\]:23 flags SA vlan 7" "$LAB_DIR/held"
check "ICMP has type and code" grep -qE "drop +default +icmp 198.51.100.8 -> $LAB_RCV4 type 8 code 0" "$LAB_DIR/held"
check "log reasons, of the rule whose limit it is" grep -qE "drop +limit of \"once\" web.fw:10 +udp" "$LAB_DIR/held"
check "what cannot be parsed" grep -qE "drop +malformed .*from 02:00:00:00:00:01" "$LAB_DIR/held"
check "a live set" grep -qE "drop +\"banned\" web.fw:4 +udp 198.51.100.9:4000" "$LAB_DIR/held"
check "egress" grep -qE "tc-egress +pass +\"out\" web.fw:14 +udp $LAB_RCV4:[0-9]+ -> $LAB_GEN4:9999" "$LAB_DIR/held"
[ "$(lines --rule dns)" -eq 2 ]
ok $? "no more than its limit"
[ "$(lines --rule silent)" -eq 0 ] && ! grep -q ':54 ' "$LAB_DIR/held"
ok $? "a rule without log tells of nothing"
check "in the order of time" sort -c -k1,1 "$LAB_DIR/held"
counts() { # OPTIONS… : how many lines each, in one row
	local o
	for o in "$@"; do
		# shellcheck disable=SC2086
		printf '%s ' "$(lines $o)"
	done
}
got=$(counts '--rule web.fw:4' '--rule banned' '--rule once' '--reason limit,malformed' '--reason limit --rule banned' '--verdict pass' \
	'--verdict pass --rule out' '--address 198.51.100.9' '--address 198.51.100.8/31' '--address 2001:db8::/32' "--address $LAB_GEN4 --verdict pass")
[ "$got" = "1 1 2 3 0 2 1 1 2 1 1 " ] || {
	note "$got"
	false
}
ok $? "filters name what they say, all of them together"
n=$(lines)
[ "$(held r0 | wc -l)" -eq "$n" ] && [ "$(fw log --last 3 2>/dev/null | wc -l)" -eq 3 ] && [ "$(fw log --last 3 2>/dev/null)" = "$(tail -n 3 "$LAB_DIR/held")" ]
ok $? "the last three are the last of all"
fw log --no-follow 2>&1 >/dev/null | grep -qE "read $n events, showed $n"
ok $? "and the end says how many"
held --json >"$LAB_DIR/json"
[ "$(jq -s length "$LAB_DIR/json")" -eq "$n" ] &&
	jq -es '[.[] | select(.fwctl.rule == "banned")] | length == 1 and (.[0] | .event_type == "firewall" and .in_iface == "r0" and .src_ip == "198.51.100.9" and
	.src_port == 4000 and .dest_port == 80 and .proto == "UDP" and .fwctl.verdict == "drop" and .fwctl.reason == "rule" and .fwctl.hook == "xdp" and
	.fwctl.policy == "web" and .fwctl.file == "web.fw" and .fwctl.line == 4 and .fwctl.packets == 1 and .fwctl.bytes == 60 and .fwctl.generation == 1)' \
		"$LAB_DIR/json" >/dev/null
ok $? "JSON, a line each, has the names of Suricata"
jq -es '[.[] | select(.vlan == [7] and .tcp_flags == "12")] | length == 1' "$LAB_DIR/json" >/dev/null && jq -es '[.[] | select(.icmp_type == 8 and .icmp_code == 0)] | length == 1' "$LAB_DIR/json" >/dev/null
ok $? "tags, flags and ICMP in JSON"

# Following.
follow text
follow json --json
follow some --rule flood --address 198.51.100.250
check "followers are there" wait_for 10 ready text
wait_for 10 ready json && wait_for 10 ready some
ok $? "and more than one, each with a position of its own"
at=$(stat -c %s "$LAB_DIR/text")
sed 's/label "silent"/log label "silent"/' "$LAB_DIR/web.fw" >"$LAB_DIR/next.fw"
check "rules are applied under them" fw apply "$LAB_DIR/next.fw"
send "udp 198.51.100.7:4000 -> $LAB_RCV4:54"
check "and events of the new ones named" wait_for 10 grep -q '"silent".*next.fw:8' "$LAB_DIR/text"
check "unload" fw unload r0
check "load another time" fw load r0 -r "$LAB_DIR/web.fw" -p web --hook=tc
follow late --json
check "a policy that comes is noticed" wait_for 15 eval 'send "udp 198.51.100.7:4000 -> $LAB_RCV4:55"; grep -q "tc-ingress.*:55 " "$LAB_DIR/text"'
check "SIGTERM ends it" ends text
check "SIGINT ends it" ends json INT
check "SIGHUP ends it" ends some HUP
ends late
grep -qE 'read [0-9]+ events, showed [0-9]+, lost 0' "$LAB_DIR/text.err"
ok $? "with a summary"
cmp -s <(tail -c 1 "$LAB_DIR/text") <(echo) && jq -s . "$LAB_DIR/json" >/dev/null
ok $? "and whole lines"
in_ns "$RCV" timeout -s INT 1 "$FWCTL" log --format none >/dev/null 2>&1
[ $? -eq 124 ] || [ $? -eq 0 ]
ok $? "a signal is a good end"

# A reader that stops: what it misses is counted, and nobody else notices.
printf 'policy flood { ingress default drop { drop proto udp to port 55 log label "flood" } }\n' >"$LAB_DIR/flood.fw"
check "a policy of which all events are known" eval 'fw unload r0 && fw load r0 -r "$LAB_DIR/flood.fw"'
N=100000
follow stopped --since 1h --json
check "a follower" wait_for 10 ready stopped
kill -STOP "${FOLLOWS[stopped]}"
drops=$(dropped) told=$(packets_of flood)
in_ns "$GEN" $FLOOD -n $N -c 0 g0 $LAB_RCV_MAC udp $LAB_RCV4 55 >/dev/null
[ $(($(packets_of flood) - told)) -eq $N ] && [ $(($(dropped) - drops)) -eq $N ]
ok $? "a flood while it is stopped meets its verdict, and is counted"
kill -CONT "${FOLLOWS[stopped]}"
check "it goes on and says what it missed" wait_for 10 grep -q '"event_type":"lost"' "$LAB_DIR/stopped"
check "and ends" ends stopped
read=$(said stopped read) lost=$(said stopped lost)
all=$(packets_of flood)
shown=$(jq -s '[.[] | select(.event_type == "firewall")] | length' "$LAB_DIR/stopped")
[ "$lost" -gt 0 ] && [ $((read + lost)) -eq "$all" ] && [ "$shown" -eq "$read" ] &&
	[ "$(jq -s '[.[] | select(.event_type == "lost") | .fwctl.lost] | add' "$LAB_DIR/stopped")" -eq "$lost" ]
ok $? "read and lost are what was generated: $read + $lost = $all"

check "load at XDP again" eval 'fw unload r0 && fw load r0 -r "$LAB_DIR/web.fw" -p web'
# Standard output that nobody reads: no memory grows, and all is told in the end.
mkfifo "$LAB_DIR/fifo"
exec 9<>"$LAB_DIR/fifo"
background in_ns "$RCV" "$FWCTL" log --rule flood >"$LAB_DIR/fifo" 2>"$LAB_DIR/full.err"
full=$!
wait_for 10 eval 'send "udp 198.51.100.250:1 -> $LAB_RCV4:55"; read -r -t 0.1 -u 9'
ok $? "a follower that writes into a pipe"
rss() { awk '/VmRSS/ { print $2 }' /proc/"$1"/status; }
told=$(packets_of flood)
in_ns "$GEN" $FLOOD -n $N -c 0 g0 $LAB_RCV_MAC udp $LAB_RCV4 55 >/dev/null
one=$(rss $full)
in_ns "$GEN" $FLOOD -n $N -c 0 g0 $LAB_RCV_MAC udp $LAB_RCV4 55 >/dev/null
[ "$(rss $full)" -le $((one + 4096)) ] && [ $(($(packets_of flood) - told)) -eq $((2 * N)) ]
ok $? "takes no memory while nobody reads"
refuses 0 'read' "others read meanwhile" fw log --no-follow --format none
kill -TERM $full
wait_for 10 gone $full
ok $? "and ends when it is told to, though nobody reads"
grep -q 'are not written' "$LAB_DIR/full.err"
ok $? "which it says"
exec 9>&-

# Readers that die.
in_ns "$RCV" "$FWCTL" log --no-follow 2>"$LAB_DIR/err" | head -n 1 >/dev/null
status=${PIPESTATUS[0]}
[ "$status" -eq 0 ] || [ "$status" -eq 141 ]
ok $? "a reader that has had enough"
exec 9<>"$LAB_DIR/fifo"
background in_ns "$RCV" "$FWCTL" log >"$LAB_DIR/fifo" 2>"$LAB_DIR/dead.err" 9<&-
dead=$!
wait_for 10 eval 'send "udp 198.51.100.250:1 -> $LAB_RCV4:55"; read -r -t 0.1 -u 9'
exec 9<&-
check "is noticed though nothing happens any more" wait_for 10 gone $dead
[ ! -s "$LAB_DIR/dead.err" ]
ok $? "without a word"
refuses 1 'No space left' "a full disk" in_ns "$RCV" bash -c "'$FWCTL' log --no-follow >/dev/full"

# The journal.
background "$JOURNAL" "$LAB_DIR/journal" >"$LAB_DIR/datagrams"
journal=$!
wait_for 5 test -S "$LAB_DIR/journal"
background in_ns "$RCV" "$FWCTL" log --journal="$LAB_DIR/journal" 2>"$LAB_DIR/j.err"
sender=$!
wait_for 10 eval 'send "udp 198.51.100.9:4000 -> $LAB_RCV4:55"; grep -q "^FWCTL_DEST_PORT=55" "$LAB_DIR/datagrams"'
ok $? "events go to the journal"
for want in 'MESSAGE=r0 xdp drop +"flood" .*web.fw:9 +udp 198.51.100.9:4000' 'PRIORITY=5' 'SYSLOG_IDENTIFIER=fwctl' 'FWCTL_RULE=flood' \
	'FWCTL_LINE=9' 'FWCTL_POLICY=web' 'FWCTL_VERDICT=drop' 'FWCTL_INTERFACE=r0' 'FWCTL_SRC_IP=198.51.100.9' 'FWCTL_PROTO=UDP'; do
	grep -qE "^$want" "$LAB_DIR/datagrams" || echo "# not there: $want"
done | grep . && ok 1 "with the fields of journald" || ok 0 "with the fields of journald"
kill -9 $journal
background "$JOURNAL" "$LAB_DIR/journal" >"$LAB_DIR/datagrams2"
wait_for 10 eval 'send "udp 198.51.100.9:4000 -> $LAB_RCV4:55"; grep -q "^FWCTL_RULE=flood" "$LAB_DIR/datagrams2" || gone $sender'
gone $sender || grep -q '^FWCTL_RULE=flood' "$LAB_DIR/datagrams2"
ok $? "a journal that is started again is found again, or missed loudly"
gone $sender || kill $sender
refuses 1 'cannot write to the journal at /nonexistent' "a journal that is not there" fw log --journal=/nonexistent --no-follow

# Names with escape sequences drive no terminal and break no line.
mkdir "$LAB_DIR/evil"
cp "$LAB_DIR/web.fw" "$LAB_DIR/evil/"$'e\e[31m\nvil.fw'
evil=$'x\e]0;h\a'
ip -n "$RCV" link set r0 down && ip -n "$RCV" link set r0 name "$evil" && ip -n "$RCV" link set "$evil" up
fw unload --all >/dev/null
fw load "$evil" -r "$LAB_DIR/evil/"$'e\e[31m\nvil.fw' -p web >/dev/null
ok $? "an interface and a file with escape sequences"
wait_for 5 eval 'send "udp 198.51.100.9:4000 -> $LAB_RCV4:55"; [ "$(lines)" -gt 0 ]'
held >"$LAB_DIR/held"
held --json >"$LAB_DIR/json"
! grep -q '[^[:print:]]' "$LAB_DIR/held" && grep -q 'x\\x1b\]0;h\\x07' "$LAB_DIR/held" && ! grep -q '[^[:print:]]' "$LAB_DIR/json" &&
	jq -es --arg i "$evil" '[.[] | select(.in_iface == $i)] | length > 0' "$LAB_DIR/json" >/dev/null
ok $? "are escaped in words, and what they are in JSON"
check "and can be named" held "$evil"
lab_done
