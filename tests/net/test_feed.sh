#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Feeds: lines that other programs write become changes at once; wrong lines cost nothing but themselves.
. "$(dirname "$0")/sets_lab.sh"
lab_isolate "$@"
cd "$LAB_ROOT" || exit 1
[ -x "$FWCTL" ] || bail "fwctl is not built"
sets_lab
R=$LAB_DIR/rules.fw
sets_rules >"$R"
sets_load "$R" || bail "cannot load"
feed() { # ARGUMENTS…: what it says is in $LAB_DIR/said
	fw feed "$@" >"$LAB_DIR/said" 2>&1
}
feeds() { # STATUS SENTENCE ARGUMENTS…; lines on standard input
	local want=$1 what=$2 status
	shift 2
	feed "$@"
	status=$?
	[ $status -eq "$want" ]
	ok $? "$what"
	[ $status -eq "$want" ] || note "exit $status: fwctl feed $*"$'\n'"$(cat "$LAB_DIR/said")"
}
listed() { # SENTENCE ELEMENT…
	local what=$1 got want
	shift
	got=$(fw set list banned --json | jq -r '.elements[].element' | tr '\n' ' ')
	want=$(printf '%s ' "$@")
	[ "$got" = "${want## }" ] || [ $# -eq 0 -a -z "$got" ]
	ok $? "$what"
	[ "$got" = "$want" ] || note "listed: $got"
}

### a feed that lives
mkfifo "$LAB_DIR/pipe"
background in_ns "$RCV" "$FWCTL" feed --format=plain --set=banned -f "$LAB_DIR/pipe"
pid=$!
exec 9>"$LAB_DIR/pipe"
echo "add $PEER4 1h bad guy" >&9
check "a line is in force while the feed waits for the next" wait_for 20 member banned $PEER4
check "on the wire" unheard $LAB_RCV4
check "on both interfaces" unheard $RCV1_4
check "other commands are not locked out meanwhile" fw ban 192.0.2.7
echo "del $PEER4" >&9
check "so is the line that takes it back" wait_for 20 not_member banned $PEER4
check "on the wire, too" all_heard
printf 'add 192.0.2.8\nadd 192.0.2.9' >&9
check "half a line is waited for" wait_for 20 member banned 192.0.2.8
check "and not taken for a whole one" not_member banned 192.0.2.9
kill -TERM $pid
check "SIGTERM ends it" wait_for 20 bash -c "! kill -0 $pid"
exec 9>&-
check "half a line at a signal is nothing" not_member banned 192.0.2.9
fw set flush banned >/dev/null

### plain
feeds 0 "adds and deletes in order" --format plain < <(printf 'add 192.0.2.1\nadd 192.0.2.2 4h30m two\ndel 192.0.2.1\n192.0.2.0/28\nadd 192.0.2.3 -5s\n# end\n')
listed "are what the set has" 192.0.2.0/28 192.0.2.2
[ "$(fw bans --json | jq -r '.elements[1] | .reason, (.left_ms | . > 16190000 and . <= 16200000)' | xargs)" = "two true" ]
ok $? "with duration and reason"
feeds 2 "a wrong line makes the status 2" --format plain < <(printf 'add 192.0.2.20\nadd 1.2.3\nadd 192.0.2.21 5x\nadd 192.0.2.22')
grep -q 'standard input:2: "1.2.3" is not an address' "$LAB_DIR/said"
ok $? "and is told with its number"
listed "the other lines count, the last without an end, too" 192.0.2.0/28 192.0.2.2 192.0.2.20 192.0.2.22
{ for ((i = 0; i < 1000; i++)); do echo "nonsense $i"; done; } >"$LAB_DIR/nonsense"
feeds 2 "a thousand wrong lines" --format plain -f "$LAB_DIR/nonsense"
[ "$(grep -c 'is not an address' "$LAB_DIR/said")" -le 20 ] && grep -q '1000 wrong' "$LAB_DIR/said"
ok $? "are counted, not all told"
feeds 2 "a line of two megabytes" --format plain < <(head -c 2000000 /dev/zero | tr '\0' x; printf '\nadd 192.0.2.30\n')
check "costs nothing but itself" member banned 192.0.2.30
fw set flush banned >/dev/null

### resync
printf 'add 192.0.2.%d\n' 1 2 3 4 | feed --format plain
feeds 0 "resync: the lines to the end are all there is" --format plain --resync < <(printf 'add 192.0.2.2\nadd 192.0.2.3\nadd 192.0.2.5\nadd 192.0.2.6\ndel 192.0.2.6\n')
listed "what was not among them is gone" 192.0.2.2 192.0.2.3 192.0.2.5
feeds 1 "a content that loses more than half is refused" --format plain --resync < <(echo 192.0.2.9)
grep -q -- --force "$LAB_DIR/said"
ok $? "with the way to insist"
listed "and nothing has changed" 192.0.2.2 192.0.2.3 192.0.2.5
feeds 1 "no line at all is no content" --format plain --resync </dev/null
feeds 0 "lines behind the mark are changes" --format plain --resync --force < <(printf '192.0.2.9\nresync\nadd 192.0.2.10\n')
listed "of the new content" 192.0.2.9 192.0.2.10
background in_ns "$RCV" "$FWCTL" feed --format=plain --set=banned --resync --force -f "$LAB_DIR/pipe"
pid=$!
exec 9>"$LAB_DIR/pipe"
echo "add 192.0.2.99" >&9
kill -TERM $pid
check "a resync that is stopped before its end" wait_for 20 bash -c "! kill -0 $pid"
exec 9>&-
listed "changes nothing" 192.0.2.9 192.0.2.10
fw set flush banned >/dev/null

### the others' formats
feeds 0 "json" --format json < <(printf '%s\n' '{"action":"add","value":"192.0.2.1","duration":"4h","reason":"j"}' '{"action":"add","value":"2001:db8::/32","duration":60}' \
	'{"action":"add","value":"192.0.2.2"}' '{"action":"del","value":"192.0.2.2"}')
listed "adds and deletes" 192.0.2.1 2001:db8::/32
fw set flush banned >/dev/null
decision() { # ACTION VALUE SCOPE DURATION
	printf '{"duration":"%s","origin":"crowdsec","scenario":"crowdsecurity/ssh-bf","scope":"%s","type":"ban","uuid":"9a1c7f0e-6d1c-4d9a-9a55-4f3f4c1f7a2b","value":"%s","id":17,"action":"%s"}\n' "$4" "$3" "$2" "$1"
}
feeds 0 "crowdsec's decisions" --format crowdsec --set banned < <(decision add $PEER4 Ip 3h59m57.64s; decision add 198.51.100.0/24 Range 167h59m0s; decision add FR Country 4h)
listed "are taken, those of countries are not" 198.51.100.0/24 $PEER4
check "and in force" unheard $LAB_RCV4
[ "$(fw bans --json | jq -r '.elements[1].reason')" = crowdsecurity/ssh-bf ]
ok $? "with the scenario as the reason"
feeds 0 "crowdsec's deletions, whose time is past" --format crowdsec < <(decision del $PEER4 Ip -2h3m; decision del 198.51.100.0/24 Range -1s)
check "let everybody in" all_heard
feeds 0 "exabgp's routes" --format exabgp < <(printf '%s\n' 'neighbor 192.0.2.254 up' 'neighbor 192.0.2.254 receive update start' \
	"neighbor 192.0.2.254 receive update announced $PEER4/32 next-hop 192.0.2.254 origin igp" 'neighbor 192.0.2.254 receive update end')
check "are bans" unheard $LAB_RCV4
feeds 0 "in JSON, too" --format exabgp < <(echo '{ "exabgp": "4.0.1", "time": 1, "type": "update", "neighbor": { "address": { "local": "192.0.2.1", "peer": "192.0.2.254" }, "direction": "receive", "message": { "update": { "withdraw": { "ipv4 unicast": [ { "nlri": "'$PEER4'/32" } ] } } } } }')
check "which end with the route" all_heard

### full, gone
feeds 1 "a full set refuses the rest" --format plain --set small < <(printf 'add 192.0.2.%d\n' 1 2 3 4 5 6)
[ "$(elements small)" -eq 4 ]
ok $? "and keeps what it has"
feeds 1 "a set that is not there" --format plain --set nope < <(echo 192.0.2.1)
grep -q 'no live set "nope"' "$LAB_DIR/said"
ok $? "is named"

### two at once
one() { awk -v a="$1" 'BEGIN { for (i = 0; i < 20000; i++) printf "add %d.0.%d.%d\n", a, i / 256, i % 256 }'; }
one 21 | fw feed --format plain --set banned >/dev/null 2>&1 &
first=$!
one 22 | fw feed --format plain --set banned >/dev/null 2>&1 &
second=$!
wait $first && wait $second
ok $? "two feeds at once"
[ "$(elements banned)" -eq 40000 ]
ok $? "lose nothing of each other"
lab_done
