#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# exposure: what it says of each socket is what somebody who knocks meets.
. "$(dirname "$0")/state_lab.sh"
lab_isolate "$@"
cd "$LAB_ROOT" || exit 1
state_lab
R=$LAB_DIR/r.fw
rules() { # LINE of the block, behind the others
	cat >"$R" <<-END
		set banned { type prefix; live }
		set friends { live }
		policy web {
			ingress default drop {
				drop from @banned label "banned"
				drop from 10.0.0.0/8 to port 7001 label "no ten"
				pass proto tcp to port { 7000, 7001, 7003, 7005 } keep state label "web"
				pass proto udp from 192.0.2.0/24 to port 7000 label "few"
				pass from @friends to port 7002 label "friends"
				${1:-}
			}
		}
	END
}
rules

# One row: row PROTO PORT ADDRESS JQ; the options of exposure in OPTIONS
row() {
	fw exposure "${OPTIONS[@]}" --json >"$LAB_DIR/rows" &&
		jq -e --arg proto "$1" --argjson port "$2" --arg at "$3" "[.sockets[] | select(.proto == \$proto and .port == \$port and
			(.address // .bound) == \$at)] | length == 1 and (.[0] | $4)" "$LAB_DIR/rows" >/dev/null
}
OPTIONS=()
case $FWCTL in
*/san/*) skip "the program is static" "sanitizers are not" ;;
*)
	file "$(realpath "$FWCTL")" | grep -q 'statically linked'
	ok $? "the program is static"
	;;
esac
check "and asks the kernel for its sockets all the same" row tcp 7000 $LAB_RCV4 true
check "an interface without rules" row tcp 7000 $LAB_RCV4 '.open_to == "not filtered" and .interface == "r0"'
refuses 2 'one IPv4 or IPv6 address' "a source that is none" fw exposure --from 192.0.2.0/24
refuses 2 'one IPv4 or IPv6 address' "nor a name" fw exposure --from localhost
refuses 2 'wants an interface' "--live of nothing" fw exposure --live
refuses 1 'not filtered by fwctl' "an interface that is not filtered" fw exposure --live r0
refuses 1 'no.*such file' "a file that is not there" fw exposure "$LAB_DIR/none.fw"

serve "$RCV" 7001
serve "$RCV" 7002
serve "$RCV" 7004
background in_ns "$RCV" nc -lk 127.0.0.1 7003
background in_ns "$RCV" nc -lk $LAB_RCV6 7005
background in_ns "$RCV" nc -6 -lk ::1 7006
for p in 7003 7005 7006; do
	wait_for 10 port_is_open "$RCV" $p || bail "nobody listens on $p"
done
check "load" fw load r0 -r "$R" -p web
place=$R:7
check "everybody but who is banned" row tcp 7000 $LAB_RCV4 '.open_to == "everybody but" and (.pass.rule | test("^web \\(.*r.fw:7\\)$")) and (.drop.rule | test("^banned"))'
check "in each family" row tcp 7000 $LAB_RCV6 '.open_to == "everybody but" and .family == "ipv6"'
check "some, with an example of each" row tcp 7001 $LAB_RCV4 '.open_to == "some" and (.pass.example.packet | test("^tcp .* -> 10.77.0.2:7001 flags S$")) and
	(.drop.example.packet | test("^tcp 10\\.")) and (.drop.rule | test("^no ten"))'
check "that rule speaks of one family" row tcp 7001 $LAB_RCV6 '.open_to == "everybody but"'
check "a rule of a set lets some in" row tcp 7002 $LAB_RCV4 '.open_to == "some" and .pass.example.source_in == ["friends"]'
check "nobody" row tcp 7004 $LAB_RCV4 '.open_to == "nobody" and .pass == null and .drop.rule == "default"'
check "UDP has rules of its own" row udp 7000 $LAB_RCV4 '.open_to == "some" and (.pass.example.packet | test("^udp 192\\.0\\.2\\."))'
check "and in IPv6" row udp 7000 $LAB_RCV6 '.open_to == "nobody"'
check "the other interface is not filtered" row tcp 7004 $RCV1_4 '.open_to == "not filtered" and .interface == "r1"'
check "a socket on loopback is local" row tcp 7003 127.0.0.1 '.open_to == "local only" and .interface == null'
check "in IPv6, too" row tcp 7006 ::1 '.open_to == "local only"'
check "a socket on one address is reached there" row tcp 7005 $LAB_RCV6 '.open_to == "everybody but"'
jq -e '[.sockets[] | select(.port == 7005 and .proto == "tcp")] | length == 1' "$LAB_DIR/rows" >/dev/null
ok $? "and nowhere else"
check "the process is known" row tcp 7000 $LAB_RCV4 '.process.name == "tool_talk" and .process.pid > 1'
! jq -e '[.sockets[] | select(.open_to == null or .open_to == "unknown")] | length > 0' "$LAB_DIR/rows" >/dev/null
ok $? "all are judged"
refuses 0 'tcp.*\*:7000.*'$LAB_RCV4'.*r0.*everybody but @banned.*web \(.*:7\).*tool_talk' "in words" fw exposure
refuses 0 'r0 '$LAB_RCV4':7001: passes tcp .*; does not: tcp 10\..*, by no ten \(.*:6\)' "with the examples" fw exposure --live r0
fw exposure --live r0 | grep -q 'r1\|local' && bad=1 || bad=0
ok $bad "--live is about one interface"

# Every example of a packet is what explain says of it.
wrong=
while IFS=$'\t' read -r verdict packet; do
	got=$(fw explain "$R" --json $packet | jq -r .verdict)
	[ "$got" = "$verdict" ] || wrong+="$packet: $got, not $verdict"$'\n'
done < <(fw exposure --live r0 --json | jq -r '.sockets[] | ("pass", "drop") as $v | .[$v] | select(. and (.example | has("source_in") | not)) | [$v, .example.packet] | @tsv')
[ -z "$wrong" ]
ok $? "what examples claim is what explain says" || note "$wrong"

# Who knocks, meets what was said.
knock() { # FROM-ADDRESS ADDRESS PORT: what --from says is what happens
	local said
	said=$(fw exposure --from "$1" --json | jq -r --argjson port "$3" --arg at "$2" '.sockets[] | select(.proto == "tcp" and .port == $port and .address == $at) |
		.verdict // .open_to')
	if connects "$GEN" "$2" "$3" 700 >/dev/null 2>&1; then
		[ "$said" = pass ] || [ "$said" = "not filtered" ]
	else
		[ "$said" = drop ]
	fi || {
		echo "$1 to $2 port $3: $said"
		return 1
	}
}
for p in 7000 7001 7002 7004; do
	check "who knocks at $p over IPv4 meets what was said" knock $LAB_GEN4 $LAB_RCV4 $p
	check "and over IPv6" knock $LAB_GEN6 $LAB_RCV6 $p
done
check "at the other interface" knock $GEN1_4 $RCV1_4 7004
OPTIONS=(--from $LAB_GEN4)
check "one source: its verdict and the rule" row tcp 7001 $LAB_RCV4 '.verdict == "drop" and (.by.rule | test("^no ten \\(.*:6\\)$"))'
check "the default" row tcp 7004 $LAB_RCV4 '.verdict == "drop" and .by.rule == "default"'
jq -e '.from == "10.77.0.1" and ([.sockets[].family] | unique) == ["ipv4"] and all(.sockets[]; .open_to != "local only")' "$LAB_DIR/rows" >/dev/null
ok $? "only what it could reach"
fw set add friends $LAB_GEN4 >/dev/null
check "a friend" row tcp 7002 $LAB_RCV4 '.verdict == "pass" and (.by.rule | test("^friends"))'
check "comes in" knock $LAB_GEN4 $LAB_RCV4 7002
fw ban $LAB_GEN4 >/dev/null
check "who is banned" row tcp 7000 $LAB_RCV4 '.verdict == "drop" and (.by.rule | test("^banned"))'
check "stays out" knock $LAB_GEN4 $LAB_RCV4 7000
fw unban $LAB_GEN4 >/dev/null

# A file asks of rules that do not run yet.
OPTIONS=("$R")
rules 'pass proto tcp to port 7004 label "new"'
check "with a file, its rules" row tcp 7004 $LAB_RCV4 '.open_to == "everybody but" and (.pass.rule | test("^new"))'
check "on all interfaces when it names none" row tcp 7004 $RCV1_4 '.open_to == "everybody but"'
echo 'interface r1 uses web' >>"$R"
check "else on those it names" row tcp 7004 $LAB_RCV4 '.open_to == "not filtered"'
echo 'policy web {' >>"$R"
refuses 2 'r.fw:[0-9]+' "a file with a mistake is refused with its place" fw exposure "$R"

OPTIONS=()
fw unload r0 >/dev/null
check "after unload nothing is filtered" row tcp 7000 $LAB_RCV4 '.open_to == "not filtered"'
lab_done
