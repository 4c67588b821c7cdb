#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# tap: what tshark reads back of it; picked, rotated, counted exactly; and the programs are what they were, however it ends. Then: why
# is an address dropped.
. "$(dirname "$0")/../../scripts/netns.sh"
lab_isolate "$@"
cd "$LAB_ROOT" || exit 1
SEND=build/tests/net/tool_send FLOOD=build/tests/net/tool_flood
[ -x "$FWCTL" ] && [ -x $SEND ] && [ -x $FLOOD ] || bail "the tools are not built"
command -v tshark >/dev/null || bail "tshark is not installed"
lab_pair
cat >"$LAB_DIR/web.fw" <<'END'
set banned { type prefix; live }
policy web {
	ingress default drop {
		drop from @banned label "banned"
		count proto udp to port { 54, 56 } label "seen"
		drop proto udp to port 53 label "dns"
		drop proto udp to port 54 label "other"
		drop proto udp to port 55 label "flood"
		pass proto udp to port 56 label "in"
		reject proto udp to port 57 label "no"
	}
	egress default pass { drop proto udp to port 9999 label "out" }
}
END
send() { in_ns "$GEN" $SEND "${@:2}" g0 "$1"; }
load() { (cd "$LAB_DIR" && fw load r0 -r web.fw -p web "$@") >/dev/null; }
gone() { ! kill -0 "$1" 2>/dev/null; }
grows() { [ "$(stat -c %s "$LAB_DIR/$1" 2>/dev/null || echo 0)" -gt "${2:-0}" ]; }
# tap NAME OPTIONS…: in the background, into $LAB_DIR/NAME.pcapng, until it copies
tap() {
	local name=$1
	rm -f "$LAB_DIR/$name.pcapng"
	background in_ns "$RCV" "$FWCTL" tap -w "$LAB_DIR/$name.pcapng" "${@:2}" >/dev/null 2>"$LAB_DIR/$name.err"
	TAP=$!
	# The head of the file is written when the taps are on.
	wait_for 20 grows "$name.pcapng" || {
		note "$(cat "$LAB_DIR/$name.err")"
		return 1
	}
}
tap_ends() { # [SIGNAL]
	kill -"${1:-TERM}" "$TAP" 2>/dev/null
	wait_for 20 gone "$TAP"
}
# fields FILE FIELD…: a line per packet
fields() {
	local args=() f
	for f in "${@:2}"; do
		args+=(-e "$f")
	done
	tshark -n -r "$LAB_DIR/$1.pcapng" -T fields "${args[@]}" 2>/dev/null
}
copied() { fields "$1" frame.number | wc -l; }
said() { # NAME WORD: the number before or behind the word in the summary
	grep -oE "$2 [0-9]+" "$LAB_DIR/$1.err" | tail -n 1 | grep -oE '[0-9]+'
}
has() { [ "$(copied "$1")" -ge "$2" ]; }
packets_of() { fw stats --json --rules | jq "[.interfaces[].hooks[].rules[] | select(.id == \"$1\") | .packets] | add // 0"; }
dropped() { fw stats --json | jq '[.interfaces[].hooks[].verdicts.drop.packets] | add'; }
programs() { fw status --json | jq -c '[.interfaces[].hooks[] | [.hook, .attached]]'; }
# Maps of a tap that are pinned: none when nobody taps.
tap_pins() { find /sys/fs/bpf/fwctl -name '*tap*' | wc -l; }

refuses 1 'no interface is filtered' "without policies there is nothing to tap" fw tap -w "$LAB_DIR/x"
check "load" load
refuses 2 'did you mean "dns"' "a rule nearly called so" fw tap --rule dnz
refuses 2 'no rule that runs is called' "a rule that is not there" fw tap --rule nothing-of-the-kind
refuses 2 'did you mean limit' "a reason nearly called so" fw tap --reason limt
refuses 2 'did you mean pass' "a verdict nearly called so" fw tap --verdict pas
refuses 2 'filter "tcp prot 22"' "an expression that is none" fw tap --filter 'tcp prot 22'
refuses 2 'filter "host example.org".*; write its address' "no name is looked up" fw tap --filter 'host example.org'
refuses 2 'from 64 to 65536' "a snap length too short" fw tap --snap 10
refuses 2 'want a file' "rotation without a file" fw tap --rotate 1M
refuses 2 'want a file' "rotation of a stream" fw tap -w - --rotate 1M
refuses 2 'wants --rotate' "a number of files without rotation" fw tap -w "$LAB_DIR/x" --files 3
refuses 2 'size \(10M\) or a length of time' "a rotation that is none" fw tap -w "$LAB_DIR/x" --rotate 10X
refuses 1 'cannot write /nonexistent/x' "a file that cannot be written" fw tap -w /nonexistent/x
refuses 1 'no file that could be put away' "a device cannot be put away" fw tap -w /dev/null --rotate 1M
refuses 1 'cannot write /dev/full: No space left' "a full disk" fw tap -w /dev/full
refuses 1 'not filtered by fwctl' "an interface that is not filtered" fw tap lo -w "$LAB_DIR/x"
script -qec "nsenter --net=/run/netns/$RCV -- '$FWCTL' tap -w -" /dev/null </dev/null >"$LAB_DIR/tty" 2>&1
grep -q 'no text for a terminal' "$LAB_DIR/tty"
ok $? "a capture never goes to a terminal"
[ "$(tap_pins)" -eq 0 ]
ok $? "none of these has left anything"

for hook in xdp tc; do
	check "$hook: load" eval "fw unload r0; load --hook=$hook"
	before=$(programs)
	tap $hook
	ok $? "$hook: tap"
	[ "$(tap_pins)" -gt 0 ] && [ "$(programs)" = "$before" ]
	ok $? "$hook: the same hooks, with other programs"
	refuses 1 "process $TAP taps policy web already" "$hook: one tap at a time" fw tap -w "$LAB_DIR/second"
	send "udp 198.51.100.7:4000 -> $LAB_RCV4:53"
	send "udp [2001:db8::7]:4001 -> [$LAB_RCV6]:54 vlan 7"
	send "tcp 198.51.100.7:4002 -> $LAB_RCV4:22 flags S"
	send "udp 198.51.100.7:4003 -> $LAB_RCV4:56"
	send "udp 198.51.100.7:4004 -> $LAB_RCV4:57"
	in_ns "$RCV" bash -c "echo hello >/dev/udp/$LAB_GEN4/9999" 2>/dev/null
	wait_for 10 has $hook 5
	check "$hook: SIGINT ends it" tap_ends INT
	[ "$(tap_pins)" -eq 0 ] && [ "$(programs)" = "$before" ]
	ok $? "$hook: and nothing of it is left"
	name=$([ $hook = xdp ] && echo xdp || echo tc-ingress)
	fields $hook frame.interface_name frame.interface_description frame.packet_flags_direction udp.dstport tcp.dstport vlan.id frame.comment frame.len >"$LAB_DIR/fields"
	grep -qE "^r0	fwctl at $name, ingress	0x00000001	53			drop by \"dns\" web.fw:6 \(reason rule\) generation 1	60$" "$LAB_DIR/fields"
	ok $? "$hook: interface, direction, rule with file and line"
	grep -qE "	54		7	drop by \"other\" web.fw:7 .*	66$" "$LAB_DIR/fields"
	ok $? "$hook: the tag is among the bytes"
	grep -qE "		22		drop by default \(reason default\)" "$LAB_DIR/fields"
	ok $? "$hook: the default"
	grep -qE "	57			reject by \"no\" web.fw:10" "$LAB_DIR/fields" && ! grep -q '	56	' "$LAB_DIR/fields"
	ok $? "$hook: what was rejected, nothing of what has passed"
	grep -qE "^r0	fwctl at tc-egress, egress	0x00000002	9999			drop by \"out\" web.fw:12" "$LAB_DIR/fields"
	ok $? "$hook: what was not let out"
	[ "$(copied $hook)" -eq "$(said $hook wrote)" ] && [ "$(said $hook lost)" -eq 0 ] && [ "$(said $hook read)" -eq "$(said $hook wrote)" ]
	ok $? "$hook: as many as it says"
	tshark -n -r "$LAB_DIR/$hook.pcapng" -x -Y 'udp.dstport == 53' 2>/dev/null | grep -qE '^0000  (.. ){6}02 00 00 00 00 01 08 00 45 '
	ok $? "$hook: from the first byte of the frame"
	[ "$(capinfos -c -M "$LAB_DIR/$hook.pcapng" 2>/dev/null | grep -oE '[0-9]+$')" -eq "$(copied $hook)" ]
	ok $? "$hook: capinfos reads it, too"
done

tap rule --rule seen
ok $? "a rule and the rules that count"
send "udp 198.51.100.7:4000 -> $LAB_RCV4:54" -n 2
send "udp 198.51.100.7:4000 -> $LAB_RCV4:56" -n 3
send "udp 198.51.100.7:4000 -> $LAB_RCV4:53" -n 4
wait_for 10 has rule 5
tap_ends
[ "$(copied rule)" -eq 5 ]
ok $? "are followed by rule, whatever becomes of the packets"
tap pick r0 --verdict any --filter 'udp port 54 or udp src port 4001' --snap 64
ok $? "an expression, a reason, a verdict"
send "udp 198.51.100.7:4000 -> $LAB_RCV4:54 len 500"
send "udp 198.51.100.7:4000 -> $LAB_RCV4:53"
send "udp 198.51.100.7:4001 -> $LAB_RCV4:56"
wait_for 10 has pick 2
tap_ends
[ "$(fields pick udp.dstport | tr '\n' ' ')" = "54 56 " ] && [ "$(fields pick frame.len frame.cap_len | head -n 1)" = "514	64" ] &&
	[ "$(said pick 'not wanted by the expression')" -ge 1 ]
ok $? "pick, and no more bytes are kept than asked for"
tap reason --reason default
ok $? "reasons"
send "udp 198.51.100.7:4000 -> $LAB_RCV4:53"
send "tcp 198.51.100.7:4000 -> $LAB_RCV4:22 flags S"
wait_for 10 has reason 1
tap_ends
[ "$(fields reason tcp.dstport | tr '\n' ' ')" = "22 " ]
ok $? "are picked in the kernel"

tap count --count 3
ok $? "--count"
send "udp 198.51.100.7:4000 -> $LAB_RCV4:53" -n 5
wait_for 20 gone $TAP
[ "$(copied count)" -eq 3 ] && [ "$(tap_pins)" -eq 0 ]
ok $? "ends it after so many"

# Lines and streams.
background in_ns "$RCV" "$FWCTL" tap --count 2 >"$LAB_DIR/lines" 2>"$LAB_DIR/lines.err"
lines=$!
wait_for 20 eval 'send "udp 198.51.100.7:4000 -> $LAB_RCV4:53"; gone $lines'
[ "$(wc -l <"$LAB_DIR/lines")" -eq 2 ] && grep -qE "r0 +tc-ingress +drop +\"dns\" web.fw:6 +udp 198.51.100.7:4000 -> $LAB_RCV4:53" "$LAB_DIR/lines"
ok $? "without -w, lines"
mkfifo "$LAB_DIR/fifo"
exec 9<>"$LAB_DIR/fifo"
background in_ns "$RCV" "$FWCTL" tap -w - >"$LAB_DIR/fifo" 2>"$LAB_DIR/stream.err" 9<&-
stream=$!
cat <&9 >"$LAB_DIR/stream.pcapng" 9<&- &
reader=$!
LAB_PIDS+=($reader)
disown
wait_for 20 eval 'send "udp 198.51.100.7:4000 -> $LAB_RCV4:53"; has stream 1'
ok $? "a stream for Wireshark comes at once"
kill -9 $reader
exec 9<&-
wait_for 20 gone $stream
[ "$(tap_pins)" -eq 0 ]
ok $? "and ends with its reader: nothing is left"

# Files.
tap size --rotate 20K --files 3
ok $? "rotation by size"
for ((i = 0; i < 10; i++)); do
	send "udp 198.51.100.7:4000 -> $LAB_RCV4:53 len 1000" -n 10
done
wait_for 10 test -e "$LAB_DIR/size.pcapng.4"
tap_ends
names=("$LAB_DIR"/size.pcapng*)
[ ${#names[@]} -eq 3 ] && [ ! -e "$LAB_DIR/size.pcapng.1" ]
ok $? "keeps as many files as asked for"
for f in "${names[@]}"; do
	[ "$(tshark -n -r "$f" -T fields -e frame.interface_name 2>/dev/null | sort -u)" = r0 ] && [ "$(stat -c %s "$f")" -lt 24000 ] || echo "# $f"
done | grep . && ok 1 "each of which can be read alone" || ok 0 "each of which can be read alone"
[ "$(stat -c %a "$LAB_DIR/size.pcapng")" = 600 ]
ok $? "by its owner"
touch "$LAB_DIR/age.pcapng.1"
tap age --rotate 1s
ok $? "rotation by time"
wait_for 15 eval 'send "udp 198.51.100.7:4000 -> $LAB_RCV4:53"; test -e "$LAB_DIR/age.pcapng.3"'
ok $? "begins anew"
tap_ends
[ ! -s "$LAB_DIR/age.pcapng.1" ]
ok $? "and never over a file of somebody else"

# A flood while it is stopped.
N=50000
tap flood --rule flood
ok $? "flood"
kill -STOP $TAP
told=$(packets_of flood) drops=$(dropped)
in_ns "$GEN" $FLOOD -n $N -c 0 g0 $LAB_RCV_MAC udp $LAB_RCV4 55 >/dev/null
[ $(($(packets_of flood) - told)) -eq $N ] && [ $(($(dropped) - drops)) -eq $N ]
ok $? "a flood while it is stopped meets its verdict, and is counted"
kill -CONT $TAP
wait_for 20 has flood 1
# One more after the loss: it says how many are missing before it.
send "udp 198.51.100.7:4000 -> $LAB_RCV4:55"
tap_ends
read=$(said flood read) lost=$(said flood lost)
[ $((read + lost)) -eq $(($(packets_of flood) - told)) ] && [ "$lost" -gt 0 ] && [ "$(copied flood)" -eq "$read" ]
ok $? "read and lost are what was copied: $read + $lost"
# The interface statistics block: type 5, option 7.
tshark -n -r "$LAB_DIR/flood.pcapng" -Y frame.drop_count -T fields -e frame.drop_count 2>/dev/null | head -n 1 >"$LAB_DIR/dropcount"
capinfos "$LAB_DIR/flood.pcapng" >"$LAB_DIR/infos" 2>&1
LC_ALL=C grep -qaP '\x07\x00\x08\x00'"$(printf '%016x' "$lost" | sed -E 's/(..)(..)(..)(..)(..)(..)(..)(..)/\\x\8\\x\7\\x\6\\x\5\\x\4\\x\3\\x\2\\x\1/')" "$LAB_DIR/flood.pcapng"
ok $? "and so says the capture"

# However it ends, the next command that writes mends.
tap killed
ok $? "kill -9"
kill -9 $TAP
wait_for 10 gone $TAP
send "udp 198.51.100.7:4000 -> $LAB_RCV4:53"
check "is mended by the next command" fw ban 198.51.100.9 for 1h
[ "$(tap_pins)" -eq 0 ] && [ "$(programs)" = "$before" ]
ok $? "and leaves nothing"
tap apply
ok $? "rules are applied under a tap"
check "apply" eval 'sed "s/label \"dns\"/label \"names\"/" "$LAB_DIR/web.fw" >"$LAB_DIR/next.fw"; fw apply "$LAB_DIR/next.fw"'
send "udp 198.51.100.7:4000 -> $LAB_RCV4:53"
wait_for 10 has apply 1
tap_ends
fields apply frame.comment | grep -q '"names" .*next.fw:6 (reason rule) generation 2'
ok $? "and named as they are now"
tap unload && fw unload r0 && wait_for 20 gone $TAP
ok $? "unload under a tap"
grep -q 'nothing is left to tap' "$LAB_DIR/unload.err"
ok $? "ends it, with a word"

# Why is it dropped?
load
why() { fw explain --why-dropped r0 "$@"; }
refuses 2 'one address' "why a prefix is dropped" why 198.51.100.0/24
refuses 2 'not an address' "why nonsense is dropped" why nonsense
refuses 2 'usage: fwctl explain --why-dropped' "why, and no address" why
refuses 2 'usage: fwctl explain --why-dropped' "why, and a packet" why 198.51.100.7 udp
refuses 1 'not filtered by fwctl' "why, where nothing is filtered" fw explain --why-dropped lo 198.51.100.7
check "ban" fw ban 198.51.100.7 for 1h reason "too many passwords"
refuses 0 '^198.51.100.7 is dropped by "banned" web.fw:4: it is in the live set banned until 20.*left\), reason "too many passwords"$' "the set, how long and why, in the first line" why 198.51.100.7
why 198.51.100.7 --json | jq -e '.dropped == "all" and .sets[0].set == "banned" and .sets[0].named and (.answers | length > 3 and all(.fwctl.rule == "banned")) and .events == []' >/dev/null
ok $? "and in JSON"
refuses 0 '^198.51.100.8 is dropped with all packets|^198.51.100.8 is dropped by "default"|dropped with some packets' "somebody else meets the default" why 198.51.100.8
printf 'policy open { ingress default pass { drop proto udp to port 53 log label "dns" } }\n' >"$LAB_DIR/open.fw"
check "another policy" eval 'fw unload r0 && fw load r0 -r "$LAB_DIR/open.fw"'
send "udp 198.51.100.7:4000 -> $LAB_RCV4:53"
why 198.51.100.7 >"$LAB_DIR/why"
head -n 1 "$LAB_DIR/why" | grep -q '^198.51.100.7 is dropped with some packets and not with others: as seen, udp 198.51.100.7:4000 -> 10.77.0.2:53 is dropped by "dns"' &&
	grep -q 'recent events that name it: 1' "$LAB_DIR/why"
ok $? "what events told of is asked first"
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13; do
	send "udp 198.51.100.7:41$i -> $LAB_RCV4:53"
done
why 198.51.100.7 >"$LAB_DIR/why"
head -n 1 "$LAB_DIR/why" | grep -q '^198.51.100.7 is dropped with some packets and not with others' && [ "$(grep -c 'seen$' "$LAB_DIR/why")" -eq 1 ] &&
	grep -q "^ *pass[[:space:]].*usual$" "$LAB_DIR/why"
ok $? "once, however often it came: usual packets are asked of, too"
printf 'policy open { ingress default pass { } }\n' >"$LAB_DIR/open.fw"
fw apply "$LAB_DIR/open.fw" >/dev/null
refuses 0 '^198.51.100.7 is not dropped' "and when it is no longer, this is said" why 198.51.100.7
lab_done
