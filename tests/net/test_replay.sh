#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Captures replayed: counts, expectations, differences; files of tcpdump and Wireshark; and the kernel judges as the reference does.
set -u
cd "$(dirname "$0")/../.." || exit 1
. scripts/netns.sh
lab_isolate "$@"
FWCTL=$(realpath "$FWCTL")
MAKE=$(realpath build/tests/net/tool_capture) || bail "the tools are not built"
chmod 755 "$LAB_DIR"
cd "$LAB_DIR" || exit 1

# prints STATUS WORDS SENTENCE COMMAND…: exit status, and what is said matches WORDS.
prints() { refuses "$@"; }
# json STATUS FILTER SENTENCE COMMAND…
json() {
	local want=$1 filter=$2 what=$3 status
	shift 3
	"$@" >json.out 2>stderr
	status=$?
	[ $status -eq "$want" ] && jq -e "$filter" json.out >jq.out 2>&1
	ok $? "$what"
	[ "${PIPESTATUS[0]}" -eq 0 ] && grep -q true jq.out 2>/dev/null || note "exit $status, $filter: $(jq -c . json.out 2>&1 | head -c 1500) $(cat stderr)"
}

# Captures by hand: pcap, little-endian, microseconds.
le32() { printf "\\\\x%02x\\\\x%02x\\\\x%02x\\\\x%02x" $(($1 & 255)) $(($1 >> 8 & 255)) $(($1 >> 16 & 255)) $(($1 >> 24 & 255)); }
pcap_head() { printf '\xd4\xc3\xb2\xa1\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\x00\x00'"$(le32 "${1:-1}")"; }
ETHER='\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01\x08\x00'
# udp SRC-LAST DST-LAST PORT: 10.0.0.SRC -> 10.0.0.DST, 28 bytes of IP
udp() { printf '\\x45\\x00\\x00\\x1c\\x00\\x00\\x00\\x00\\x40\\x11\\x00\\x00\\x0a\\x00\\x00\\x%02x\\x0a\\x00\\x00\\x%02x\\x0f\\xa0\\x%02x\\x%02x\\x00\\x08\\x00\\x00' "$1" "$2" $(($3 >> 8)) $(($3 & 255)); }
record() { # SECONDS BYTES-IN-\x [LINK HEADER]
	local bytes=${3-$ETHER}$2
	local n=$((${#bytes} / 4))
	printf "$(le32 "$1")$(le32 0)$(le32 $n)$(le32 $n)$bytes"
}

cat >dns.fw <<'END'
policy dns {
  ingress default drop {
    pass proto udp to port 53 limit 1/s per src   label "dns"
    count proto udp to port 123                   label "ntp seen"
    drop from 10.0.0.9                            label "bad"
  }
  egress default pass { }
}
interface eth0 uses dns
END
{ # limited, twice: the clock does not go back
	pcap_head
	record 1010 "$(udp 1 2 53)"
	record 1005 "$(udp 1 2 53)"
	record 1010 "$(udp 1 2 53)"
	record 1011 "$(udp 1 2 53)"
	record 1012 "$(udp 9 2 99)"
	record 1012 "$(udp 1 2 123)"
} >dns.pcap

prints 0 'dns.pcap: 6 packets, 6 judged, 0 skipped' "a capture is judged" "$FWCTL" replay dns.fw dns.pcap
prints 0 'dns.fw:3[[:space:]]+2[[:space:]]+#1[[:space:]]+2' "a rule has its packets, the first one, and those over its limit" "$FWCTL" replay dns.fw dns.pcap
json 0 '.verdicts=={"drop":4,"pass":2,"reject":0} and .reasons.limit=={"packets":2,"first":2} and .reasons.default.first==6 and .capture.seconds==2' \
	"packets that go back in time do not move the clock back" "$FWCTL" replay dns.fw dns.pcap --json
json 0 '.rules|map(select(.label=="ntp seen"))[0]|.packets==1 and .first==6' "rules that only count have their packets, too" "$FWCTL" replay dns.fw dns.pcap --json
prints 0 '#2 \+0.000000 udp 10.0.0.1:4000 -> 10.0.0.2:53' "--first shows packets in words" "$FWCTL" replay dns.fw dns.pcap --first 2
prints 0 'judged 6|6 judged' "a capture from standard input" bash -c '"$1" replay dns.fw - <dns.pcap' - "$FWCTL"
prints 0 'standard input: 6 packets' "and through a pipe" bash -c 'cat dns.pcap | "$1" replay dns.fw -' - "$FWCTL"
check "no privilege is needed" setpriv --reuid 65534 --regid 65534 --clear-groups "$FWCTL" replay dns.fw dns.pcap

### directions
json 0 '.ingress==6 and .egress==0' "nothing says which way: all is ingress" "$FWCTL" replay dns.fw dns.pcap --json
prints 0 'nothing says which way 6 packets' "and that is told" "$FWCTL" replay dns.fw dns.pcap
json 0 '.egress==5 and .ingress==1' "--local addresses are where egress comes from" "$FWCTL" replay dns.fw dns.pcap --local 10.0.0.1,2001:db8::/32 --json
json 0 '.egress==6' "--direction egress" "$FWCTL" replay dns.fw dns.pcap --direction egress --json
refuses 2 '10.0.0.x' "--local of no address" "$FWCTL" replay dns.fw dns.pcap --local 10.0.0.x

### expectations
check "--write-expect" "$FWCTL" replay dns.fw dns.pcap --write-expect dns.expect
prints 0 'all [0-9]+ expectations met' "what was written is met" "$FWCTL" replay dns.fw dns.pcap --expect dns.expect
{ cat dns.expect; echo '2 is drop by limit'; echo '5 is drop by "bad"  # a comment'; echo '1 is pass by dns.fw:3'; } >more.expect
prints 0 'all' "single packets are expected by label, reason and place" "$FWCTL" replay dns.fw dns.pcap --expect more.expect
{ sed 's/^pass 2/pass 3/' dns.expect; echo '3 is pass'; echo '77 is drop'; echo 'rule "bad" 4'; } >wrong.expect
prints 1 'pass: expected 3, got 2' "what differs is told" "$FWCTL" replay dns.fw dns.pcap --expect wrong.expect
prints 1 'wrong.expect:[0-9]+: packet 3 was to be pass, and is drop by "limit" of dns.fw:3 "dns"' "and of which packet" "$FWCTL" replay dns.fw dns.pcap --expect wrong.expect
prints 1 'packet 77 was not judged' "and what is not there" "$FWCTL" replay dns.fw dns.pcap --expect wrong.expect
prints 1 'rule bad: expected 4, got 1' "and of a rule" "$FWCTL" replay dns.fw dns.pcap --expect wrong.expect
for line in '"bad' 'rule "bad' 'packets 6 "bad'; do
	echo "$line" >open.expect
	prints 2 'open.expect:1: the quotes are not closed' "quotes that nothing closes: $line" "$FWCTL" replay dns.fw dns.pcap --expect open.expect
done
json 1 '.unmet|length==4' "--expect --json" "$FWCTL" replay dns.fw dns.pcap --expect wrong.expect --json
for line in 'pass' 'pass x' 'frob 3' 'rule "nobody" 3' '5 is' '5 is maybe' '5 is drop by "nobody"' 'reason nothing 3' 'pass 3 4' 'rule "bad'; do
	echo "$line" >bad.expect
	refuses 2 'bad.expect:1: ' "no expectation: $line" "$FWCTL" replay dns.fw dns.pcap --expect bad.expect
done
: >none.expect
refuses 2 'none.expect expects nothing' "a file that expects nothing proves nothing" "$FWCTL" replay dns.fw dns.pcap --expect none.expect
sed 's/label "bad"/label "\\x1b[31m \\x0a \\"bad\\x5c"/' dns.fw >raw.fw
"$FWCTL" replay raw.fw dns.pcap --write-expect raw.expect >/dev/null && ! LC_ALL=C grep -q '[^ -~]' raw.expect && grep -q 'x1b.*x0a' raw.expect
ok $? "labels are written without control characters"
prints 0 'all [0-9]+ expectations met' "and read as they are" "$FWCTL" replay raw.fw dns.pcap --expect raw.expect
refuses 1 'nosuch.expect' "a missing file of expectations" "$FWCTL" replay dns.fw dns.pcap --expect nosuch.expect

### differences
sed 's/to port 53/to port { 53, 99 }/' dns.fw >new.fw
prints 0 'no packet changes its fate' "the same rules change nothing" "$FWCTL" replay --diff dns.fw dns.fw dns.pcap
prints 0 '^ +drop by dns.fw:5 "bad" -> pass by new.fw:3 "dns"' "--diff tells which packet meets another fate" "$FWCTL" replay --diff dns.fw new.fw dns.pcap
prints 0 '^1 of 6 packets changes its fate, 1 from drop to pass' "and how many" "$FWCTL" replay --diff dns.fw new.fw dns.pcap
json 0 '.changed==1 and .packets[0].number==5 and .packets[0].old.rule.label=="bad" and .packets[0].new.verdict=="pass"' "--diff --json" \
	"$FWCTL" replay --diff dns.fw new.fw dns.pcap --json
sed 's/drop from 10.0.0.9 .*/drop from 10.0.0.0\/28 label "wider"/' dns.fw >wider.fw
prints 0 'no packet changes its fate' "another rule is no other fate" "$FWCTL" replay --diff dns.fw wider.fw dns.pcap
prints 0 'the same verdict by another rule' "but it is told" "$FWCTL" replay --diff dns.fw wider.fw dns.pcap
prints 0 '1 of 6 packets' "--diff by the kernel" "$FWCTL" replay --diff --kernel dns.fw new.fw dns.pcap
refuses 2 'two rule files' "--diff needs three words" "$FWCTL" replay --diff dns.fw dns.pcap
refuses 2 'without expectations' "--diff --expect" "$FWCTL" replay --diff dns.fw new.fw dns.pcap --expect dns.expect

### bad input
head -c $(($(stat -c %s dns.pcap) - 10)) dns.pcap >short.pcap
refuses 1 'short.pcap is damaged or cut short behind packet 5, at byte' "a capture that is cut ends with 1 and says where" "$FWCTL" replay dns.fw short.pcap
prints 1 '5 judged' "and what came before is judged" "$FWCTL" replay dns.fw short.pcap
json 1 '.judged==5 and (.damaged|test("packet 5"))' "in JSON, too" "$FWCTL" replay dns.fw short.pcap --json
prints 1 'no packet changes its fate \(of 5\)' "and by --diff" "$FWCTL" replay --diff dns.fw dns.fw short.pcap
refuses 1 'not a pcap' "a rule file is no capture" "$FWCTL" replay dns.fw dns.fw
refuses 1 'compressed' "a compressed capture is told" bash -c 'gzip -c dns.pcap >dns.pcap.gz; "$1" replay dns.fw dns.pcap.gz' - "$FWCTL"
refuses 1 'No such file' "a missing capture" "$FWCTL" replay dns.fw nosuch.pcap
refuses 1 'directory' "a directory is no capture" "$FWCTL" replay dns.fw .
refuses 2 'too short|needed' "a capture is needed" "$FWCTL" replay dns.fw x y
refuses 2 'first takes a number' "--first of no number" "$FWCTL" replay dns.fw dns.pcap --first 0
# Other link types, and an interface whose name would drive a terminal.
{ pcap_head 101; record 1 "$(udp 1 2 53)" ''; } >raw.pcap
json 0 '.verdicts.pass==1 and .capture.ethernet_made==1' "raw IP gets a header" "$FWCTL" replay dns.fw raw.pcap --json
{ pcap_head 105; record 1 "$(udp 1 2 53)" ''; } >radio.pcap
json 0 '.judged==0 and .capture.skipped_because=={"link type IEEE802_11":1}' "other link types are skipped by name" "$FWCTL" replay dns.fw radio.pcap --json

### what other programs write
cat >flows.fw <<'END'
set banned { type prefix; live; timeout 5s }
policy flows {
  state { tcp syn 5s; udp new 3s; pickup 2s }
  ingress default drop {
    drop from @banned label "banned"
    count proto tcp flags S/SA label "opening"
    drop proto tcp flags SF/SF
    drop state invalid label "invalid"
    pass proto tcp to port 1-1000 keep state limit 20/s burst 5 per src else ban @banned label "low"
    pass proto { tcp, udp } keep state max-conn 3 per src label "few"
    pass proto icmp keep state limit 10/s
    reject proto sctp
  }
  egress default pass {
    drop proto udp to port 53 label "no dns"
    pass proto { tcp, udp, icmp } keep state label "out"
  }
}
END
"$MAKE" flows.fw 1 3000 flows.pcapng || bail "no capture"
"$FWCTL" replay flows.fw flows.pcapng --json | jq 'del(.file)' >want.json
json 0 '.judged==3000 and .egress>1000' "the way of a packet is read from the capture" "$FWCTL" replay flows.fw flows.pcapng --json
json 0 '.judged==3000' "--interface of the capture" "$FWCTL" replay flows.fw flows.pcapng --interface eth0 --json
json 0 '.judged==0 and .capture.other_interfaces==3000' "--interface of another one" "$FWCTL" replay flows.fw flows.pcapng --interface eth1 --json
if command -v editcap >/dev/null; then
	"$FWCTL" replay flows.fw flows.pcapng --direction ingress --json | jq 'del(.file)' >ingress.json
	for form in nsecpcap pcapng; do
		editcap -F $form flows.pcapng "as.$form" 2>/dev/null
		"$FWCTL" replay flows.fw "as.$form" --direction ingress --json | jq 'del(.file)' | cmp -s - ingress.json
		ok $? "a $form file of Wireshark is read alike"
	done
	for form in pcap modpcap; do
		editcap -F $form flows.pcapng "as.$form" 2>/dev/null
		json 0 '.judged==3000' "a $form file of Wireshark is read" "$FWCTL" replay flows.fw "as.$form" --direction ingress --json
	done
	mergecap -F pcapng -w mixed.pcapng flows.pcapng raw.pcap radio.pcap 2>/dev/null
	json 0 '.judged==3001 and .capture.skipped==1 and .capture.packets==3002' "a pcapng of three link types, merged by Wireshark" "$FWCTL" replay flows.fw mixed.pcapng --json
	editcap -s 30 flows.pcapng snap.pcapng 2>/dev/null
	json 0 '.judged==3000 and .capture.cut==3000' "packets that were cut at capture are judged, and told" "$FWCTL" replay flows.fw snap.pcapng --json
else
	skip "files of Wireshark" "editcap is not installed"
fi
if command -v tcpdump >/dev/null; then
	tcpdump -Z root -r flows.pcapng -w flows.tcpdump 2>/dev/null
	json 0 '.judged==3000' "a file of tcpdump is read" "$FWCTL" replay flows.fw flows.tcpdump --json
	# Cooked captures of the "any" device, with real traffic.
	lab_pair
	for type in LINUX_SLL LINUX_SLL2; do
		background in_ns "$RCV" tcpdump -Z root -i any -y $type -U -w $type.pcap icmp 2>/dev/null
		pid=$!
		wait_for 10 test -s $type.pcap
		wait_for 10 bash -c "nsenter --net=/run/netns/$GEN -- ping -qc 2 -i 0.2 $LAB_RCV4 && [ \$(stat -c %s $type.pcap) -gt 400 ]"
		kill "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
		json 0 '.judged>=4 and .ingress>=2 and .egress>=2 and .capture.ethernet_made==.judged and .verdicts.drop==0' \
			"a $type capture of tcpdump: both ways, with headers made" "$FWCTL" replay flows.fw $type.pcap --json
	done
else
	skip "files of tcpdump" "tcpdump is not installed"
fi

### the kernel judges as the reference does: every packet, in order, with flows, limits and bans
same() { # RULES CAPTURE: all packets with verdict, rule or reason; rules that only count have no first packet in the kernel
	local strip='del(.judged_by) | .rules |= map(if (.text|startswith("count")) then {text,packets} else . end)'
	"$FWCTL" replay "$1" "$2" --json --first 100000 | jq "$strip" >o.json
	"$FWCTL" replay "$1" "$2" --json --first 100000 --kernel | jq "$strip" >k.json
	[ -s o.json ] && cmp -s o.json k.json || { note "$(diff o.json k.json | head -n 20)"; return 1; }
}
seed=${FW_SEED:-$((RANDOM + 1))} n=${FW_CAPTURES:-4}
note "seed $seed"
sed '/^test {/,$d; /blocklist/d' "$LAB_ROOT/rules/bastion.fw" >bastion.fw
cat >window.fw <<'END'
policy window {
  state { window; asymmetric; pickup always }
  ingress default drop {
    pass proto tcp keep state
    pass state related
    reject proto udp
  }
}
END
for ((i = 0; i < n; i++)); do
	for rules in flows.fw bastion.fw window.fw; do
		"$MAKE" $rules $((seed + i)) 3000 random.pcapng $((i % 2 ? 200000 : 1)) || bail "no capture by $rules"
		same $rules random.pcapng
		ok $? "kernel and reference agree on $(jq .judged o.json) packets by $rules, seed $((seed + i))"
	done
done
json 0 '.judged_by=="program in the kernel" and .reasons.limit.packets==2 and .verdicts.pass==2' "--kernel follows the capture's clock" \
	"$FWCTL" replay dns.fw dns.pcap --kernel --json
{ pcap_head; record 1 '' '\x02\x00\x00\x00'; record 1 "$(udp 1 2 53)"; } >tiny.pcap
json 0 '.judged==1 and .capture.skipped==1' "a frame that the kernel takes for no question is skipped" "$FWCTL" replay dns.fw tiny.pcap --kernel --json
json 0 '.judged==2 and .reasons["l2-short"].packets==1' "and judged by the reference" "$FWCTL" replay dns.fw tiny.pcap --json
lab_done
