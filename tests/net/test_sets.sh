#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Live sets on the wire and on the command line: what is banned is dropped at once, everywhere; what ends, ends; nothing is lost.
. "$(dirname "$0")/sets_lab.sh"
lab_isolate "$@"
cd "$LAB_ROOT" || exit 1
[ -x "$FWCTL" ] || bail "fwctl is not built"
sets_lab
R=$LAB_DIR/rules.fw
sets_rules >"$R"

refuses 1 'no live set' "without rules there is no live set" fw set list banned
refuses 1 'no live set' "and nobody to ban" fw ban $PEER4
check "set alone says so, too" fw set
check "rules with live sets are loaded, at XDP and at TC" sets_load "$R"
check "everything is heard before a ban" all_heard

### bans on the wire
check "ban" fw ban $PEER4 for 10m reason knocks too often
check "a ban holds at XDP" unheard $LAB_RCV4
check "and at TC, on the other interface" unheard $RCV1_4
check "of its own family alone" heard $LAB_RCV6
[ "$(fw bans --json | jq -r '.elements[0] | [.element, .reason, .packets] | @csv')" = "\"$PEER4\",\"knocks too often\",2" ]
ok $? "bans tells whom, why, and how many packets"
check "unban" fw unban $PEER4
check "is in force at once" all_heard
check "an IPv6 host" fw ban $PEER6
check "is dropped at XDP" unheard $LAB_RCV6
check "and at TC" unheard $RCV1_6
check "IPv4 goes on" heard $RCV1_4
check "is let in again" fw unban $PEER6
check "a prefix of each family" fw ban ${PEER4%.*}.0/24 2001:db8:9::/48
check "holds at XDP" unheard $LAB_RCV4
check "holds at TC" unheard $RCV1_6
refuses 0 "still in banned, by ${PEER4%.*}.0/24" "an unban of a host inside tells of the prefix" fw unban $PEER4
check "which drops it still" unheard $LAB_RCV4
check "prefixes go by their own names" fw unban ${PEER4%.*}.0/24 2001:db8:9::/48
check "and everybody is heard" all_heard

### time
check "a ban of two seconds" fw ban $PEER4 for 2s
check "holds" unheard $LAB_RCV4
check "and ends without anybody's help" wait_for 20 heard $LAB_RCV4
[ "$(elements banned)" -eq 0 ]
ok $? "what has ended is not listed"
fw ban $PEER4 for 1h >/dev/null
check "a second, shorter ban" fw ban $PEER4 for 1s
[ "$(fw bans --json | jq '.elements[0].left_ms > 3000000')" = true ]
ok $? "does not shorten the first"
check "set flush" fw set flush banned
check "lets everybody in" all_heard
fw ban 192.0.2.1 >/dev/null
[ "$(fw bans --json | jq '.elements[0].left_ms | . > 3500000 and . <= 3600000')" = true ]
ok $? "without a time the set's timeout counts"
fw ban 192.0.2.1 for ever >/dev/null
[ "$(fw bans --json | jq '.elements[0].until')" = null ]
ok $? "a ban for ever has no end"
fw set flush banned >/dev/null

### what must not be banned
SSH_CONNECTION="$PEER4 4000 $LAB_RCV4 22" refuses 1 'would cut the ssh connection.*--force' "nobody bans his own ssh session" fw ban ${PEER4%.*}.0/24
[ "$(elements banned)" -eq 0 ]
ok $? "and nothing was changed"
SSH_CONNECTION="$PEER4 4000 $LAB_RCV4 22" check "unless he insists" fw ban --force ${PEER4%.*}.0/24
SSH_CONNECTION="$PEER4 4000 $LAB_RCV4 22" check "others may be banned" fw ban 192.0.2.1
fw set flush banned >/dev/null

### apply, reload
check "a ban before an apply" fw ban $PEER4
sed 's/label "rest"/label "all the rest"/' "$R" >"$LAB_DIR/other.fw"
check "apply of other rules" fw apply "$LAB_DIR/other.fw"
check "keeps the ban" unheard $LAB_RCV4
fw unban $PEER4 >/dev/null

### elements on the command line and in files
printf '# a list\n192.0.2.1\n192.0.2.0/28 ; SBL1\n198.51.100.1-198.51.100.6 for 5m reason a range\n2001:db8::/32 reason six\n' >"$LAB_DIR/list"
check "set add from a file" fw set add banned -f "$LAB_DIR/list" for 2h
[ "$(fw set list banned --json | jq -c '[.elements[].element]')" = '["192.0.2.0/28","192.0.2.1","198.51.100.1","198.51.100.2/31","198.51.100.4/31","198.51.100.6","2001:db8::/32"]' ]
ok $? "hosts, prefixes and ranges of a file are elements, in order"
check "set test finds the prefix" fw set test banned 192.0.2.9
refuses 0 'in banned: 192.0.2.1,' "set test finds the longest" fw set test banned 192.0.2.1
refuses 1 'not in banned' "set test of somebody else ends with 1" fw set test banned 192.0.2.16
printf '203.0.113.77\n1.2.3\n203.0.113.78 for 5\n' >"$LAB_DIR/wrong"
refuses 2 'wrong:2: "1.2.3" is not an address' "a wrong line is told with its number" fw set add banned -f "$LAB_DIR/wrong"
refuses 2 'wrong:3: "5" is not a duration' "so is a wrong time" fw set add banned -f "$LAB_DIR/wrong"
check "and nothing of such a file is applied" not_member banned 203.0.113.77
yes nonsense | head -n 1000 >"$LAB_DIR/nonsense"
[ "$(fw set add banned -f "$LAB_DIR/nonsense" 2>&1 | wc -l)" -eq 12 ]
ok $? "of a thousand wrong lines ten are told, and how many more"
fw set del banned - <"$LAB_DIR/list" >/dev/null
[ "$(elements banned)" -eq 0 ]
ok $? "set del from standard input takes the same away"
refuses 2 'one is needed|at least one address' "set add of nothing" fw set add banned
refuses 2 'is not a duration' "a time without a unit" fw set add banned 192.0.2.1 for 10
refuses 2 'no time at all' "no time at all" fw set add banned 192.0.2.1 for 0s
refuses 1 'no live set "nope".*banned, small' "a set that is not there: those that are" fw set add nope 192.0.2.1
refuses 1 'cannot read.*No such file' "a file that is not there" fw set add banned -f "$LAB_DIR/nosuch"

### a full set
check "a set takes as many as its size" fw set add small 192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4
refuses 1 'small.*4' "and not one more; its limit is named" fw set add small 192.0.2.5
check "what was in it stays" member small 192.0.2.1
check "the refused one is not in it" not_member small 192.0.2.5
check "an element that is there already can be prolonged" fw set add small 192.0.2.4 for 1h
fw set del small 192.0.2.1 >/dev/null
check "a place that was given back is taken" fw set add small 192.0.2.5 for 1s
check "the place of one that ended is taken, too" wait_for 20 fw set add small 192.0.2.6
fw set flush small >/dev/null

### replace
addresses() { # FIRST-OCTET COUNT
	awk -v a="$1" -v n="$2" 'BEGIN { for (i = 0; i < n; i++) printf "%d.%d.%d.%d\n", a, i / 65536 % 256, i / 256 % 256, i % 256 }'
}
addresses 11 30000 >"$LAB_DIR/a"
addresses 12 20000 >"$LAB_DIR/b"
addresses 13 100 >"$LAB_DIR/c"
check "replace of an empty set" fw set replace banned -f "$LAB_DIR/a"
check "replace by another list" fw set replace banned -f "$LAB_DIR/b"
[ "$(elements banned)" -eq 20000 ] && member banned 12.0.0.7 && not_member banned 11.0.0.7
ok $? "has exactly the new content"
refuses 1 'more than half.*--force' "replace refuses to lose more than half" fw set replace banned -f "$LAB_DIR/c"
refuses 1 'more than half.*--force' "also to become empty" fw set replace banned -f /dev/null
yes 12.0.0.1 | head -n 20000 >"$LAB_DIR/same"
refuses 1 'more than half.*--force' "one address twenty thousand times is one" fw set replace banned -f "$LAB_DIR/same"
[ "$(elements banned)" -eq 20000 ]
ok $? "and the content stays"
check "unless it is forced" fw set replace banned -f "$LAB_DIR/c" --force
whole=0
for ((i = 0; i < 20; i++)); do
	fw set replace banned -f "$LAB_DIR/a" --force >/dev/null
	nsenter --net=/run/netns/"$RCV" -- "$FWCTL" set replace banned -f "$LAB_DIR/b" --force >/dev/null 2>&1 &
	pid=$!
	# At twenty different moments of the work.
	for ((spin = 0; spin < i * 400; spin++)); do :; done
	kill -9 $pid 2>/dev/null
	wait $pid 2>/dev/null
	n=$(elements banned)
	if [ "$n" -eq 30000 ]; then
		member banned 11.0.0.7 && not_member banned 12.0.0.7 && whole=$((whole + 1))
	elif [ "$n" -eq 20000 ]; then
		member banned 12.0.0.7 && not_member banned 11.0.0.7 && whole=$((whole + 1))
	else
		note "after kill $i: $n elements"
	fi
done
[ $whole -eq 20 ]
ok $? "a replace that is killed leaves the old content or the new one, twenty times ($whole)"
check "and the next one works" fw set replace banned -f "$LAB_DIR/b" --force
fw set flush banned >/dev/null

### save and restore
fw set add banned 192.0.2.1 for 1h reason 'größer als "das"' >/dev/null
fw set add banned 192.0.2.0/24 2001:db8::/32 for ever >/dev/null
fw set add small 198.51.100.1 for 2s >/dev/null
check "save --all" fw set save --all
fw set save --all >"$LAB_DIR/saved"
fw set list banned --json | jq -c '[.elements[] | {element, until, reason, added}]' >"$LAB_DIR/before"
check "unload of everything" fw unload --all
sets_load "$R"
[ "$(elements banned)" -eq 0 ]
ok $? "takes the sets with it"
refuses 1 'no live set' "restore into a set that is not there is refused" bash -c "sed 's/^set small/set gone/' '$LAB_DIR/saved' | nsenter --net=/run/netns/$RCV -- '$FWCTL' set restore"
[ "$(elements banned)" -eq 0 ]
ok $? "and changes none of the others"
# The third one has ended when the wall clock shows its end.
past() { [ "$(date +%s)" -gt "$(date -d "$1" +%s)" ]; }
wait_for 20 past "$(sed -n 's/^198.51.100.1 until \([^ ]*\).*/\1/p' "$LAB_DIR/saved")"
check "restore" fw set restore -f "$LAB_DIR/saved"
fw set list banned --json | jq -c '[.elements[] | {element, until, reason, added}]' >"$LAB_DIR/after"
jq -c '[.[] | {element, reason}]' "$LAB_DIR/before" | cmp - <(jq -c '[.[] | {element, reason}]' "$LAB_DIR/after")
ok $? "brings elements and reasons back"
jq -ne --slurpfile a "$LAB_DIR/before" --slurpfile b "$LAB_DIR/after" \
	'def s: if . == null then null else (.[0:19] + "Z" | fromdate) end;
	 [range($a[0] | length)] | all(. as $i | ($a[0][$i].until | s) as $x | ($b[0][$i].until | s) as $y | $x == $y or (($x - $y) | fabs) <= 2)' >/dev/null
ok $? "and their ends on the wall clock"
check "what has ended since is left out" not_member small 198.51.100.1
sed 's/^saved .*/saved 2200-01-01T00:00:00Z/' "$LAB_DIR/saved" >"$LAB_DIR/future"
refuses 1 'clock shows.*--force' "a clock before the saving is refused" fw set restore -f "$LAB_DIR/future"
check "unless forced" fw set restore --force -f "$LAB_DIR/future"
sed 's/ until [^ ]*/ until yesterday/' "$LAB_DIR/saved" >"$LAB_DIR/bad"
refuses 2 'bad:[0-9]+: "yesterday" is not a time' "a saved time that is none" fw set restore -f "$LAB_DIR/bad"
refuses 2 'names its set' "elements of no set" fw set restore -f "$LAB_DIR/list"
refuses 1 'cannot write to standard output' "a full disk is noticed" bash -c "nsenter --net=/run/netns/$RCV -- '$FWCTL' set save --all >/dev/full"

### widen
fw unload --all >/dev/null
sets_rules 65536 widen >"$R"
sets_load "$R"
refuses 0 'became the /64' "a set that widens says so" fw ban $PEER6
check "the /64 is in it" has banned 2001:db8:9::/64
check "and dropped" unheard $LAB_RCV6
check "an unban of another host of it" fw unban 2001:db8:9::1
check "lets all of it in" heard $LAB_RCV6
check "IPv4 hosts stay hosts" fw ban 192.0.2.1
check "as they are" has banned 192.0.2.1
fw unload --all >/dev/null
refuses 1 'no live set' "sets are gone with the last policy that names them" fw set list banned
lab_done
