#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The command line: every verb and option, wrong arguments, bad input, exit status, JSON, manual and completion.
set -u
cd "$(dirname "$0")/../.." || exit 1
. scripts/netns.sh
if [ "$(id -u)" -eq 0 ]; then
	lab_isolate "$@"
else
	LAB_DIR=$(mktemp -d)
	trap lab_cleanup EXIT
fi
FWCTL=$(realpath "$FWCTL")
unset SSH_CONNECTION NO_COLOR
chmod 755 "$LAB_DIR"
cd "$LAB_DIR" || exit 1

# prints STATUS WORDS SENTENCE COMMAND…: exit status, and standard output (alone) matches WORDS.
prints() {
	local want=$1 words=$2 what=$3 out status
	shift 3
	out=$("$@" 2>stderr)
	status=$?
	if [ $status -eq "$want" ] && grep -qE -- "$words" <<<"$out"; then
		ok 0 "$what"
	else
		ok 1 "$what"
		note "wanted exit $want and /$words/ on stdout; got exit $status: $*"$'\n'"$out"$'\n'"stderr: $(cat stderr)"
	fi
}
# json STATUS FILTER SENTENCE COMMAND…: the output is one JSON document, and the jq filter is true of it.
json() {
	local want=$1 filter=$2 what=$3 status
	shift 3
	"$@" >json.out 2>stderr
	status=$?
	if [ $status -eq "$want" ] && jq -e "$filter" json.out >jq.out 2>&1; then
		ok 0 "$what"
	else
		ok 1 "$what"
		note "wanted exit $want and $filter; got exit $status: $*"$'\n'"$(jq -c . json.out 2>&1 | head -c 2000)"$'\n'"jq: $(cat jq.out)"$'\n'"stderr: $(cat stderr)"
	fi
}

mkdir lists
printf '# a list\n198.51.100.0/24\n2001:db8:bad::/48\n' >lists/bad.netset
cat >web.fw <<'END'
define admins = { 203.0.113.0/24, 10.77.0.0/24 }
set bad { type prefix; file "lists/bad.netset" }
policy web {
  ingress default drop {
    drop   from @bad                       label "bad"
    count  proto udp to port 53            label "dns seen"
    pass   proto tcp from $admins to port 22   label "ssh"
    pass   proto tcp to port { 80, 443 }
    pass   proto icmp type echo-request    label "ping"
  }
  egress default pass {
    drop   to 192.168.0.0/16               label "no leaks"
  }
}
interface r0 uses web
test {
  tcp 198.51.100.7:4000 -> 192.0.2.1:22 is drop by "bad"
  tcp 203.0.113.7:4000 -> 192.0.2.1:22 is pass by "ssh"
  udp 203.0.113.7:4000 -> 192.0.2.1:54 is drop by "default"
}
END
grep -v '^interface' web.fw >free.fw

### help, version, the command line itself
refuses 2 'which command' "no command: the list is shown and the exit status is 2" "$FWCTL"
refuses 2 'did you mean check' "a misspelt command is recognised" "$FWCTL" chekc
refuses 2 'no command frobnicate' "an unknown command is refused" "$FWCTL" frobnicate
refuses 2 '\\x1b' "an unknown command cannot drive the terminal" "$FWCTL" $'\033[31mx'
for verb in check lint diff replay explain load apply unload status show stats top log tap metrics exposure set ban unban bans feed flows version help; do
	prints 0 "^  fwctl $verb" "help $verb shows its usage" "$FWCTL" help $verb
	prints 0 "^  fwctl $verb" "$verb --help says the same" "$FWCTL" $verb --help
	refuses 2 "no option.*see fwctl help $verb" "$verb refuses an unknown option and says where help is" "$FWCTL" $verb --no-such
done
prints 0 'Exit status' "help lists all commands" "$FWCTL" help
prints 0 'fwctl check FILE' "--help is help" "$FWCTL" --help
refuses 2 'no command frob' "help of an unknown command is refused" "$FWCTL" help frob
prints 0 '^fwctl [0-9]+\.[0-9]+' "version prints one line" "$FWCTL" version
prints 0 '^fwctl [0-9]+\.[0-9]+' "--version is version" "$FWCTL" --version
json 0 '.version and (.abi|type=="number") and .libbpf' "version --json" "$FWCTL" version --json
refuses 2 'usage: fwctl check' "check without a file shows the usage" "$FWCTL" check
refuses 2 'one word too many' "check takes one file" "$FWCTL" check web.fw web.fw
refuses 2 'given twice' "an option twice is refused" "$FWCTL" check --json --json web.fw
refuses 2 'needs WHAT' "an option without its argument is refused" "$FWCTL" check web.fw --dump
refuses 2 'one of ast.rules' "a wrong option argument is refused with the right ones" "$FWCTL" check web.fw --dump=trees
refuses 2 'did you mean --dump' "a misspelt option is recognised" "$FWCTL" check --dumb=ast web.fw
refuses 2 'takes no argument' "an argument where none belongs is refused" "$FWCTL" check --json=yes web.fw
refuses 2 'name an interface' "load of nothing is refused" "$FWCTL" load
refuses 2 'of the file of -r' "load -p without -r is refused" "$FWCTL" load r0 -p web
refuses 2 'one of auto.native.generic' "load --mode knows its words" "$FWCTL" load r0 --mode=fast
refuses 2 'one of auto.xdp.tc' "load --hook knows its words" "$FWCTL" load r0 --hook fast
refuses 2 'mode is about XDP' "load --hook=tc and --mode contradict" "$FWCTL" load r0 --hook=tc --mode=native
refuses 2 'name interfaces, or say --all' "unload of nothing is refused" "$FWCTL" unload
refuses 2 'name interfaces, or say --all' "unload of names and --all is refused" "$FWCTL" unload r0 --all
refuses 2 'show what' "show of something unknown is refused" "$FWCTL" show me
refuses 2 'from 0.05' "stats --watch=0 is refused" "$FWCTL" stats --watch=0
refuses 2 'from 0.05' "stats --watch=x is refused" "$FWCTL" stats --watch=x
refuses 2 'how often' "stats --count without --watch is refused" "$FWCTL" stats --count=3
refuses 2 'how often' "stats --count=0 is refused" "$FWCTL" stats --watch --count=0
refuses 2 'set what' "set of something unknown is refused" "$FWCTL" set frob
refuses 2 'name the live set' "set add of nothing is refused" "$FWCTL" set add
refuses 2 'at least one address' "set add of no address is refused" "$FWCTL" set add s
refuses 2 '"1.2.3" is not an address' "set add of something else is refused" "$FWCTL" set add s 1.2.3
refuses 2 'is not a duration' "a time without a unit is refused" "$FWCTL" set add s 192.0.2.1 for 10
refuses 2 'is a second end' "two times are refused" "$FWCTL" set add s 192.0.2.1 for 1s until never
refuses 2 'not from both' "words and a file are refused" "$FWCTL" set add s 192.0.2.1 -f web.fw
refuses 2 'says nothing here' "set list --force is refused" "$FWCTL" set list s --force
refuses 2 'test one address' "set test of two is refused" "$FWCTL" set test s 192.0.2.1 192.0.2.2
refuses 2 'not about 192.0.2.0/24' "set test of a prefix is refused" "$FWCTL" set test s 192.0.2.0/24
refuses 2 'name them, or say --all' "set save of nothing is refused" "$FWCTL" set save
refuses 2 'usage: fwctl ban' "ban of nobody is refused" "$FWCTL" ban
refuses 2 'at least one address' "ban of a time alone is refused" "$FWCTL" ban for 1h
refuses 2 'no time at all' "ban for no time is refused" "$FWCTL" ban 192.0.2.1 for 0s
refuses 2 'in which --format' "feed without a format is refused" "$FWCTL" feed
refuses 2 'one of plain' "feed knows its formats" "$FWCTL" feed --format=csv
refuses 2 'belongs to --resync' "feed --force without --resync is refused" "$FWCTL" feed --format=plain --force
refuses 2 'flows what' "flows of something unknown is refused" "$FWCTL" flows show
refuses 2 'no filter' "a filter that is none is refused" "$FWCTL" flows list r0 sport 80
refuses 2 'give filters, or say --all' "flows kill of nothing is refused" "$FWCTL" flows kill
refuses 2 'usage: fwctl explain' "explain without a packet shows the usage" "$FWCTL" explain web.fw
for name in "" a/b abcdefghijklmnop . ..; do
	refuses 2 'no interface can be called' "load refuses the name \"$name\"" "$FWCTL" load "$name"
done

### check
prints 0 'policy web: ingress 5 rules and [0-9]+ essential, default drop; egress 1 rule, default pass' "check says what is in the file" \
	"$FWCTL" check web.fw
prints 0 '3 tests passed' "check runs the test block" "$FWCTL" check web.fw
json 0 '.ok and .tests.passed==3 and .policies[0].name=="web" and (.policies[0].digest|length)==64 and .diagnostics==[]' \
	"check --json" "$FWCTL" check web.fw --json
json 0 '.policies[0].cost.ingress.matches|length>0 and all(.[]; .match and .structure and .lookups>=0)' \
	"check --json tells the cost" "$FWCTL" check web.fw --json
prints 0 'look-ups? per packet' "check --cost tells the look-ups at worst" "$FWCTL" check web.fw --cost
prints 0 '^ *port.*direct table' "check --cost names the structures" "$FWCTL" check web.fw --cost
prints 0 "^peak memory [0-9]+ MB$" "check --cost tells the memory it took" "$FWCTL" check web.fw --cost
prints 0 'define admins' "check --dump=ast" "$FWCTL" check web.fw --dump=ast
prints 0 'pass proto tcp to port \{ 80, 443 \}' "check --dump=rules" "$FWCTL" check web.fw --dump=rules
prints 0 'box' "check --dump=boxes" "$FWCTL" check web.fw --dump=boxes
prints 0 'class' "check --dump=tables" "$FWCTL" check web.fw --dump=tables
prints 0 'digest [0-9a-f]{64}' "check --dump=image" "$FWCTL" check web.fw --dump=image
"$FWCTL" check web.fw --dump=rules >canonical.fw
"$FWCTL" check canonical.fw --dump=rules >again.fw
check "canonical text is its own canonical text" cmp canonical.fw again.fw
a=$("$FWCTL" check web.fw --json | jq -r '.policies[0].digest') b=$("$FWCTL" check web.fw --json | jq -r '.policies[0].digest')
check "the same text gives the same digest" [ -n "$a" -a "$a" = "$b" ]
(cd / && "$FWCTL" check "$LAB_DIR/web.fw" >/dev/null 2>&1)
ok $? "set files are found beside the rule file, from any directory"

sed 's/ is drop by "default"/ is pass/' web.fw >failing.fw
refuses 2 'failing.fw:19:.*test failed: expected pass' "a failed test is an error with its place" "$FWCTL" check failing.fw
json 2 '.ok==false and .tests.failed==1 and .diagnostics[0].line==19 and .diagnostics[0].level=="error"' "a failed test in JSON" \
	"$FWCTL" check failing.fw --json
printf 'policy p {\n ingress default drop {\n  pass proto tcp to port 80\n  pass proto tcp to port 80\n }\n}\n' >shadow.fw
refuses 0 'shadow.fw:4:.*warning.*never match' "a rule that cannot match is a warning, not a failure" "$FWCTL" check shadow.fw
printf 'policy p {\n ingress default drop {\n  pass proto tpc\n  drop from @nobody\n }\n}\n' >wrong.fw
refuses 2 'did you mean "tcp"' "a misspelt protocol has a suggestion" "$FWCTL" check wrong.fw
json 2 '.diagnostics|length==2 and .[0].line==3 and .[1].line==4' "all mistakes are told in one run" "$FWCTL" check wrong.fw --json

### bad files
refuses 1 'cannot read nosuch.fw: No such file' "a missing file" "$FWCTL" check nosuch.fw
refuses 1 'cannot read lists: Is a directory' "a directory as a file" "$FWCTL" check lists
refuses 1 'not a regular file' "a device as a file" "$FWCTL" check /dev/zero
mkfifo fifo
refuses 1 'not a regular file' "a FIFO does not hold up the command" timeout 10 "$FWCTL" check fifo
truncate -s 257M huge.fw
refuses 1 'larger than 256 MiB' "a file over the limit is refused by its size" "$FWCTL" check huge.fw
rm huge.fw
: >empty.fw
refuses 0 '' "an empty file has nothing wrong" "$FWCTL" check empty.fw
head -c 20000 /dev/urandom >garbage.fw
refuses 2 'garbage.fw:[0-9]+:[0-9]+: error' "binary garbage is refused with a place" timeout 20 "$FWCTL" check garbage.fw
"$FWCTL" check garbage.fw >garbage.out 2>&1
ok "$(LC_ALL=C grep -c '[^[:print:][:space:]]' garbage.out)" "garbage does not reach the terminal"
json 2 '.ok==false' "JSON about garbage is valid" "$FWCTL" check garbage.fw --json
head -c 100000 /dev/zero >zeros.fw
refuses 2 'zeros.fw:1:' "a file of zeros is refused" timeout 20 "$FWCTL" check zeros.fw
printf 'include "../web.fw"\n' >up.fw
refuses 2 'up.fw:1:9' "an include above the directory is refused" "$FWCTL" check up.fw
printf 'include "/etc/passwd"\n' >abs.fw
refuses 2 'abs.fw:1:9' "an absolute include is refused" "$FWCTL" check abs.fw
mkdir -p deep && ln -s /etc/hostname deep/out && printf 'set s { type prefix; file "deep/out" }\n' >link.fw
refuses 2 'leads out of the directory' "a symbolic link out of the directory is refused" "$FWCTL" check link.fw
ln -s bad.netset lists/alias.netset
sed 's/bad.netset/alias.netset/' web.fw >alias.fw
check "a symbolic link inside the directory is followed" "$FWCTL" check alias.fw
printf 'include "fifo"\n' >incfifo.fw
refuses 2 'not a regular file' "an included FIFO is refused" timeout 10 "$FWCTL" check incfifo.fw
printf 'include "loop.fw"\n' >loop.fw
refuses 2 'loop.fw:1' "a file that includes itself is refused" timeout 10 "$FWCTL" check loop.fw
name=$'new\nline\033[1m.fw'
cp free.fw "$name"
prints 0 'new\\x0aline\\x1b\[1m.fw' "the name of a file is escaped" "$FWCTL" check "$name"
json 0 '.file|startswith("new\nline")' "and whole in JSON" "$FWCTL" check "$name" --json
name=$'\xff\xfe.fw'
cp free.fw "$name"
json 0 '.file=="\\xff\\xfe.fw"' "a name that is not UTF-8 leaves JSON valid" "$FWCTL" check "$name" --json
refuses 1 'cannot write to standard output' "a full disk is noticed" bash -c '"$1" check web.fw >/dev/full' - "$FWCTL"
refuses 1 'cannot write to standard output' "also with JSON" bash -c '"$1" check web.fw --json >/dev/full' - "$FWCTL"

sed 's/label "ping"/label "gr\xc3\xb6\xc3\x9fe"/' free.fw >utf8.fw
json 0 '.earlier[4].label=="größe"' "JSON keeps UTF-8 as it is" "$FWCTL" explain utf8.fw --json 'udp 1.2.3.4:1 -> 5.6.7.8:9'

### explain, from a file
prints 0 '^pass by web.fw:7: .*label "ssh"' "explain names the rule and its line" "$FWCTL" explain web.fw 'tcp 10.77.0.9:4000 -> 10.77.0.2:22'
prints 0 '^pass by web.fw:7' "a packet in separate words" "$FWCTL" explain web.fw tcp 10.77.0.9:4000 '->' 10.77.0.2:22
prints 0 'web.fw:5[[:space:]]+from' "and why an earlier rule does not match" "$FWCTL" explain web.fw 'tcp 10.77.0.9:4000 -> 10.77.0.2:22'
prints 0 '^drop by "default"' "explain knows the default" "$FWCTL" explain web.fw 'tcp 192.0.2.9:4000 -> 10.77.0.2:22'
prints 0 'matches and counts' "a count rule does not end the walk" "$FWCTL" explain web.fw 'udp 192.0.2.9:4000 -> 10.77.0.2:53'
prints 0 '^drop by web.fw:12' "explain --egress" "$FWCTL" explain --egress web.fw 'tcp 10.77.0.2:22 -> 192.168.1.1:4000'
prints 0 '^drop by "l2-short": frame shorter' "explain of bytes that are no packet" "$FWCTL" explain web.fw hex 00112233
json 0 '.verdict=="pass" and .reason=="rule" and .rule.line==7 and .rule.label=="ssh" and (.earlier|length)==2 and .earlier[0].fails=="from"' \
	"explain --json" "$FWCTL" explain web.fw --json 'tcp 10.77.0.9:4000 -> 10.77.0.2:22'
json 0 '.rule==null and .reason=="default" and .earlier[1].fails==null' "explain --json of the default" \
	"$FWCTL" explain web.fw --json 'udp 192.0.2.9:4000 -> 10.77.0.2:53'
refuses 2 'packet:1:' "a packet that makes no sense is refused with its place" "$FWCTL" explain web.fw 'tcp 1.2.3.4:x -> 5.6.7.8:9'
refuses 2 'no policy nobody' "explain -p of an unknown policy" "$FWCTL" explain web.fw -p nobody 'tcp 1.2.3.4:1 -> 5.6.7.8:9'
check "explain -p" "$FWCTL" explain web.fw -p web 'tcp 1.2.3.4:1 -> 5.6.7.8:9'
{ cat free.fw; sed '1,2d;/^test/,$d;s/policy web/policy two/' free.fw; } | sed '/^test/,/^}/d' >two.fw
printf 'interface r0 uses web\n' >>two.fw
refuses 2 '2 policies; choose one with -p' "a file of two policies needs -p" "$FWCTL" explain two.fw 'tcp 1.2.3.4:1 -> 5.6.7.8:9'

# Captures: one TCP SYN 10.77.0.9:4000 -> 10.77.0.2:22, made by hand in both byte orders and as pcapng.
frame='\x02\x00\x00\x00\x77\x02\x02\x00\x00\x00\x77\x01\x08\x00\x45\x00\x00\x28\x00\x00\x40\x00\x40\x06\x26\x35\x0a\x4d\x00\x09\x0a\x4d\x00\x02'
frame+='\x0f\xa0\x00\x16\x00\x00\x00\x00\x00\x00\x00\x00\x50\x02\xff\xff\x00\x00\x00\x00'
zeros='\x00\x00\x00\x00'
printf '\xd4\xc3\xb2\xa1\x02\x00\x04\x00'$zeros$zeros'\xff\xff\x00\x00\x01\x00\x00\x00'$zeros$zeros'\x36\x00\x00\x00\x36\x00\x00\x00'"$frame" >le.pcap
printf '\xa1\xb2\xc3\xd4\x00\x02\x00\x04'$zeros$zeros'\x00\x00\xff\xff\x00\x00\x00\x01'$zeros$zeros'\x00\x00\x00\x36\x00\x00\x00\x36'"$frame" >be.pcap
printf '\x0a\x0d\x0d\x0a\x1c\x00\x00\x00\x4d\x3c\x2b\x1a\x01\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\x1c\x00\x00\x00' >ng.pcap
printf '\x01\x00\x00\x00\x14\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x14\x00\x00\x00' >>ng.pcap
printf '\x06\x00\x00\x00\x58\x00\x00\x00'$zeros$zeros$zeros'\x36\x00\x00\x00\x36\x00\x00\x00'"$frame"'\x00\x00\x58\x00\x00\x00' >>ng.pcap
# Captured with a snapshot length of 34: ports are missing, the length on the wire is known.
printf '\xd4\xc3\xb2\xa1\x02\x00\x04\x00'$zeros$zeros'\x22\x00\x00\x00\x01\x00\x00\x00'$zeros$zeros'\x26\x00\x00\x00\x36\x00\x00\x00'"${frame:0:152}" >cut.pcap
for f in le be ng; do
	prints 0 '^pass by web.fw:7' "explain reads $f.pcap" "$FWCTL" explain web.fw pcap $f.pcap#1
	refuses 2 'no #2' "$f.pcap has one packet" "$FWCTL" explain web.fw "pcap $f.pcap#2"
done
refuses 0 "holds 38 of the packet.s 54 bytes" "a packet that was cut at capture is told" "$FWCTL" explain web.fw pcap cut.pcap#1
refuses 2 'counted from 1' "packet 0 of a capture is refused" "$FWCTL" explain web.fw pcap le.pcap#0
refuses 2 'not a pcap' "a rule file is no capture" "$FWCTL" explain web.fw pcap web.fw#1
refuses 2 'nosuch.pcap: No such file' "a missing capture" "$FWCTL" explain web.fw pcap nosuch.pcap#1
refuses 2 'damaged or cut' "a capture cut in a packet" bash -c 'head -c 60 le.pcap >short.pcap; "$1" explain web.fw pcap short.pcap#1' - "$FWCTL"
sed 's/\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x36/\x7f\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x36/' le.pcap >radio.pcap
refuses 2 'link type IEEE802_11_RADIOTAP' "a capture of another link type is refused by its name" "$FWCTL" explain web.fw pcap radio.pcap#1

# Sequences: one clock, flows, and why.
cat >keep.fw <<'END'
set banned { type prefix; live; timeout 1h }
policy keep {
  ingress default drop {
    drop from @banned label "banned"
    pass proto tcp to port { 22, 80 } keep state limit 2/m per src label "in"
  }
  egress default drop {
    count to 10.0.0.0/8
  }
}
END
prints 0 'web.fw:7[[:space:]]+port[[:space:]]+443[[:space:]]+22[[:space:]]' "explain says the value that a packet has and the one that the rule wants" \
	"$FWCTL" explain web.fw 'tcp 203.0.113.9:4000 -> 10.77.0.2:443'
prints 0 '^drop by "default"' "explain of an answer without its question" "$FWCTL" explain keep.fw --egress 'tcp 10.77.0.2:22 -> 10.77.0.9:4000 flags SA'
prints 0 'pass by "established"' "explain of a sequence knows the flow" \
	"$FWCTL" explain keep.fw 'tcp 10.77.0.9:4000 -> 10.77.0.2:22 flags S; egress tcp 10.77.0.2:22 -> 10.77.0.9:4000 flags SA'
prints 0 'drop by "limit" of keep.fw:5.*label "in"' "and its limits" "$FWCTL" explain keep.fw \
	'tcp 10.77.0.9:1 -> 10.77.0.2:22 flags S; tcp 10.77.0.9:2 -> 10.77.0.2:22 flags S; tcp 10.77.0.9:3 -> 10.77.0.2:22 flags S'
json 0 '.steps|length==4 and .[0].limit.left==1 and .[1].limit.left==0 and .[2].text=="after 30s" and .[3].limit.left==0 and .[3].opens_flow' \
	"and the clock" "$FWCTL" explain keep.fw --json \
	'tcp 10.77.0.9:1 -> 10.77.0.2:22 flags S; tcp 10.77.0.9:2 -> 10.77.0.2:22 flags S; after 30s; tcp 10.77.0.9:3 -> 10.77.0.2:22 flags S;'
json 0 '.steps|map(.verdict)==["pass",null,"drop",null,"pass"]' "and what enters and leaves live sets" "$FWCTL" explain keep.fw --json \
	'tcp 10.77.0.9:1 -> 10.77.0.2:22 flags S; add @banned 10.77.0.0/24; tcp 10.77.0.9:2 -> 10.77.0.2:22 flags S; del @banned 10.77.0.0/24; tcp 10.77.0.8:1 -> 10.77.0.2:22 flags S'
json 0 '.steps|map(.times)==[null,3]' "a packet may come several times" "$FWCTL" explain keep.fw --json 'arp; tcp 10.77.0.9:1 -> 10.77.0.2:81 flags S times 3'
prints 0 '^     packet tcp 10.77.0.9:4000 -> 10.77.0.2:22 flags S' "packets of captures are told in words" "$FWCTL" explain keep.fw 'pcap le.pcap#1; arp'
json 0 '.steps[1].verdict=="pass" and .steps[1].reason=="established"' "packets of captures are steps, too" "$FWCTL" explain keep.fw --json 'pcap le.pcap#1; pcap ng.pcap#1'
refuses 2 'step 2: .*duration' "a step that is none is told by its number" "$FWCTL" explain keep.fw 'arp; after dinner'
refuses 2 'step 1:1:' "and a packet that makes no sense" "$FWCTL" explain keep.fw 'tcp 1; arp'
refuses 2 'live set @nobody' "a set that no rule names" "$FWCTL" explain keep.fw 'add @nobody 1.2.3.4; arp'
refuses 2 'no packet' "steps without a packet" "$FWCTL" explain keep.fw 'after 1s;'

### manual and completion
"$FWCTL" help --man >fwctl.8
if command -v mandoc >/dev/null; then
	check "the manual has no complaint from mandoc" mandoc -T lint fwctl.8
	mandoc -T ascii fwctl.8 | sed 's/.\x08//g' >man.txt
	missing=$(for verb in check lint diff replay explain load apply unload status show stats top log tap metrics exposure set ban unban bans feed flows version help; do grep -q "fwctl $verb" man.txt || echo $verb; done)
	check "the manual has every command" [ -z "$missing" ]
	missing=$(for verb in check lint diff replay explain load apply unload status show stats top log tap metrics exposure set ban unban bans feed flows version; do "$FWCTL" help $verb; done | grep -oE -- " --[a-z-]+" |
		sort -u | while read -r o; do grep -qF -- "$o" man.txt || echo "$o"; done)
	check "the manual has every option" [ -z "$missing" ]
else
	skip "the manual has no complaint from mandoc" "mandoc is not installed"
fi
"$FWCTL" help --completion >completion
check "the completion is valid bash" bash -n completion
# complete WORDS…: what is offered for the last of them
complete_words() {
	bash -c '. ./completion; complete() { :; }; compopt() { :; }
		COMP_WORDS=("$@"); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _fwctl; printf "%s\n" "${COMPREPLY[@]}"' - "$@"
}
offers() { # WANTED SENTENCE WORDS…
	local want=$1 what=$2 got
	shift 2
	got=$(complete_words "$@" | sort | tr '\n' ' ')
	[ "${got% }" = "$want" ]
	ok $? "$what"
	[ "${got% }" = "$want" ] || note "wanted \"$want\", got \"${got% }\""
}
offers "apply" "completion of a verb" fwctl ap
offers "stats status" "completion of several verbs" fwctl stat
offers "--dry-run" "completion of an option" fwctl apply --dr
offers "--dump=" "an option with an argument ends in =" fwctl check --du
offers "auto generic native" "completion of an argument after =" fwctl load --mode = ""
offers "native" "completion of an argument after = and a letter" fwctl load --mode = n
offers "interfaces rules sets" "completion of what show shows" fwctl show ""
offers "le.pcap" "completion of files" fwctl check le
offers "lo" "completion of interfaces" fwctl unload lo
offers "explain exposure" "completion of help" fwctl help ex

### without privilege
user() {
	setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all --bounding-set=-all "$@"
}
if [ "$(id -u)" -ne 0 ]; then
	for what in "commands without privilege" "live commands"; do
		skip "$what" "needs root"
	done
	lab_done
fi
install -m 755 "$FWCTL" ./fwctl
U=$LAB_DIR/fwctl
check "check needs no privilege" user "$U" check web.fw
check "explain from a file needs no privilege" user "$U" explain web.fw 'tcp 1.2.3.4:1 -> 5.6.7.8:9'
install -m 600 web.fw secret.fw
refuses 1 'cannot read secret.fw: Permission denied' "an unreadable file" user "$U" check secret.fw

lab_pair
for verb in "load r0" "load r0 -r free.fw" "apply web.fw" "unload r0" "unload --all"; do
	# shellcheck disable=SC2086 # words
	refuses 1 'permi|privilege|root|CAP_' "without privilege, $verb is refused and says so" in_ns "$RCV" setpriv --reuid=65534 --regid=65534 \
		--clear-groups --bounding-set=-all "$U" $verb
done

### live
FW_NS=$RCV
prints 0 'no interface is filtered' "status of nothing" fw status
json 0 '.interfaces==[] and .degraded==[]' "status --json of nothing" fw status --json
json 0 '.interfaces==[]' "stats --json of nothing" fw stats --json
prints 0 'no interface is filtered' "stats of nothing" fw stats
json 0 '.policies==[]' "show rules --json of nothing" fw show rules --json
refuses 1 'no interface uses a policy' "apply before load names the remedy" fw apply web.fw
refuses 1 'fwctl load nosuch0|No such device|no such interface' "load of an interface that is not there" fw load nosuch0
refuses 1 'not filtered' "unload of what is not loaded" fw unload r0
refuses 1 'not filtered.*fwctl load r0' "stats of what is not loaded" fw stats r0
refuses 1 'not filtered' "explain --live of what is not loaded" fw explain --live r0 'tcp 1.2.3.4:1 -> 5.6.7.8:9'
refuses 2 'nothing was loaded' "load of wrong rules loads nothing" fw load r0 -r wrong.fw
refuses 2 'nothing was loaded' "load of a failing test loads nothing" fw load r0 -r failing.fw
refuses 2 'binds none' "load -r without an interface needs a binding" fw load -r free.fw
refuses 2 'no policy nobody' "load -p of an unknown policy" fw load r0 -r web.fw -p nobody
refuses 2 'choose one with -p' "load of two policies without -p" fw load g9 -r two.fw
prints 0 'no interface is filtered' "after all refusals nothing is loaded" fw status

prints 0 '^r0: policy pass-all loaded' "load without a file" fw load r0
prints 0 'nothing changed' "load again changes nothing" fw load r0
in_ns "$GEN" ping -c 3 -i 0.05 -W 2 $LAB_RCV4 >/dev/null
ok $? "pass-all passes"
json 0 '.interfaces[0].hooks[0] | .verdicts.pass.packets >= 3 and .verdicts.drop.packets==0 and .packets==.verdicts.pass.packets' \
	"and counts" fw stats --json
prints 0 '^r0: unloaded' "unload" fw unload r0
prints 0 'no interface is filtered' "and nothing is left" fw status

prints 0 '^r0: policy web loaded' "load -r takes the interfaces that the file binds" fw load -r web.fw
refuses 1 'runs policy web.*--force' "load without rules does not switch a filter off" fw load r0
prints 0 'nothing changed' "load of the same rules changes nothing" fw load r0 -r web.fw
json 0 '.interfaces[0].result=="unchanged"' "load --json" fw load r0 -r web.fw --json
json 0 '.interfaces[0] | .name=="r0" and .policy=="web" and .generation>=1 and (.digest|length)==64 and (.since|test("^20..-.*Z$")) and
	(.hooks[0].hook|test("xdp|tc-ingress")) and .hooks[0].attached and (.hooks[0].link|test("xdp-link|dispatcher|tcx|clsact")) and
	([.hooks[].hook]|index("tc-egress"))' "status --json has what the contract says" fw status --json
prints 0 'r0.*web' "status" fw status
in_ns "$GEN" ping -c 5 -i 0.05 -W 2 $LAB_RCV4 >/dev/null
ok $? "what the file passes, passes"
background in_ns "$RCV" nc -lk $LAB_RCV4 25
listening() { in_ns "$RCV" ss -ltn | grep -q ":25 "; }
wait_for 5 listening
in_ns "$GEN" nc -z -w 1 $LAB_RCV4 25
ok $(($? == 0)) "what the file drops, does not pass"
json 0 '.interfaces[0].hooks[] | select(.hook!="tc-egress") | (.rules[]|select(.id=="ping").packets)==5 and .reasons.default.packets>=1 and
	.packets==.verdicts.pass.packets+.verdicts.drop.packets and .packets==([.reasons[].packets]|add) and
	.bytes==([.reasons[].bytes]|add)' "stats: five pings, and both sums are exact" fw stats r0 --json
prints 0 'verdict[[:space:]]+pass[[:space:]]+[0-9]+' "stats" fw stats
prints 0 'rule[[:space:]]+web.fw:9[[:space:]]+5[[:space:]].*label "ping"' "stats --rules" fw stats r0 --rules
prints 0 'rule[[:space:]]+web.fw:9[[:space:]]+5[[:space:]]+[0-9]+[[:space:]]+[0-9]+[sm] ago[[:space:]].*label "ping"' "stats --rules says when a rule was last hit" fw stats r0 --rules
json 0 '.interfaces[0].hooks[0] | (.rules[] | select(.id=="ping") | .last) as $last | ($last | test("^20.*Z$")) and .last >= $last and ([.rules[] | select(.packets==0) | .last] | unique)==[null]' \
	"and JSON, with null for never" fw stats r0 --json
fw stats >stats.out
ok $(($(grep -c total stats.out) != 2)) "stats has both hooks"
ok $(($(grep -c '^  rule' stats.out) > 0)) "stats without --rules has no rules"
fw stats --watch=0.1 --count=3 >watch.out
ok $? "stats --watch --count ends by itself"
check "it printed three blocks" [ "$(grep -c 'policy web' watch.out)" = "$(($(grep -c 'policy web' stats.out) * 3))" ]
check "with rates from the second one on" grep -qE 'total[[:space:]]+[0-9]+[[:space:]]+[0-9]+[[:space:]]+[0-9]+[[:space:]]+[0-9]+' watch.out
check "and no terminal codes" [ -z "$(tr -dc '\033' <watch.out)" ]
fw stats --watch=0.1 --count=2 --json >watch.json
check "stats --watch --json prints one document per line" [ "$(jq -c 'has("interfaces")' <watch.json | grep -c true)" = 2 -a "$(wc -l <watch.json)" = 2 ]
# A shell makes its background jobs deaf to SIGINT; env gives it back.
nsenter --net="/run/netns/$RCV" env --default-signal=INT "$FWCTL" stats --watch=0.1 >int.out &
pid=$!
wait_for 5 grep -q total int.out
kill -INT $pid
wait_for 5 bash -c '! kill -0 $1' - $pid || kill -9 $pid
wait $pid
ok $? "SIGINT ends stats --watch in order"
script -qec "nsenter --net=/run/netns/$RCV $FWCTL stats --watch=0.1 --count=2" /dev/null </dev/null >tty.out 2>&1
check "on a terminal it redraws in place" grep -q $'\033\\[H' tty.out
script -qec "nsenter --net=/run/netns/$RCV $FWCTL status" /dev/null </dev/null >tty.out 2>&1
check "on a terminal there is colour" grep -q $'\033\\[1m' tty.out
NO_COLOR=1 script -qec "nsenter --net=/run/netns/$RCV $FWCTL status" /dev/null </dev/null >tty.out 2>&1
check "NO_COLOR is honoured" bash -c '! grep -q "$(printf "\033")" tty.out'

prints 0 'policy web, generation' "show rules" fw show rules
fw show rules >live.fw 2>/dev/null
check "what show rules prints can be checked again" "$FWCTL" check live.fw
check "and is the same rules" [ "$("$FWCTL" check live.fw --dump=rules)" = "$("$FWCTL" check free.fw --dump=rules | sed '/^test/,$d')" ]
json 0 '.policies[0] | .policy=="web" and .interfaces==["r0"] and .ingress.default=="drop" and .ingress.rules[0].label=="bad" and
	([.ingress.rules[]|select(.essential)]|length)>=5 and .egress.rules[0].line==12' "show rules --json" fw show rules --json
prints 0 'bad[[:space:]]+1[[:space:]]+1' "show sets" fw show sets
json 0 '.sets[0] | .name=="bad" and .ipv4_ranges==1 and .ipv6_ranges==1' "show sets --json" fw show sets --json
prints 0 '^interface r0 uses web$' "show interfaces" fw show interfaces
json 0 '.interfaces[0] | .name=="r0" and .policy=="web"' "show interfaces --json" fw show interfaces --json
prints 0 '^# policy web: rules [0-9]+ bytes, in maps of [0-9]+ and [0-9]+ bytes$' "show interfaces tells memory" fw show interfaces
json 0 '(.interfaces[0].counter_bytes >= 4096) and (.policies[0] | .name=="web" and .image_bytes > 1000 and .live_slot_bytes > .image_bytes and .idle_slot_bytes > 0)' "memory as JSON" fw show interfaces --json

prints 0 '^pass by web.fw:7: .*label "ssh"' "explain --live names the line of the file" fw explain --live r0 'tcp 10.77.0.9:4000 -> 10.77.0.2:22'
prints 0 'web.fw:5[[:space:]]+from' "and why an earlier rule does not match" fw explain --live r0 'tcp 10.77.0.9:4000 -> 10.77.0.2:22'
prints 0 '^drop by web.fw:12' "explain --live --egress" fw explain --live r0 --egress 'tcp 10.77.0.2:22 -> 192.168.1.1:4000'
json 0 '.own_tables and (.steps|map(.judged_by)|unique==["program and reference"]) and (.steps|map(.verdict)==["pass","drop"])' \
	"explain --live of a sequence: a copy of the program and the reference agree" fw explain --live r0 --json \
	'tcp 10.77.0.9:4000 -> 10.77.0.2:22; egress tcp 10.77.0.2:22 -> 192.168.1.1:4000'
prints 0 '^drop by "l2-short"' "explain --live of a short frame" fw explain --live r0 hex 0011223344
fw stats r0 --json | jq '.interfaces[0].hooks[].packets' >before
json 0 '.judged_by=="program and reference" and .verdict=="drop" and .generation>=1' "explain --live --json: program and reference agree" \
	fw explain --live r0 --json 'tcp 198.51.100.7:4000 -> 10.77.0.2:22'
fw stats r0 --json | jq '.interfaces[0].hooks[].packets' >after
check "a question does not count as a packet" cmp before after

### apply
prints 0 'nothing changed' "apply of an unchanged file says so" fw apply web.fw
generation=$(fw status --json | jq '.interfaces[0].generation')
sed 's/label "bad"/label "worse"/;s/{ 80, 443 }/{ 80, 443, 8080 }/;s/by "bad"/by "worse"/' web.fw >web2.fw
prints 0 '2 rules would come, 2 go' "apply --dry-run says what would change" fw apply web2.fw --dry-run
prints 0 '\+ ingress web2.fw:5' "and names the rules that come" fw apply web2.fw --dry-run
json 0 '.dry_run and (.policies[0]|.policy=="web" and (.come|length)==2 and (.go|length)==2 and .kept>=4)' "apply --dry-run --json" \
	fw apply web2.fw --dry-run --json
prints 0 'run already' "apply --dry-run of the same rules" fw apply web.fw --dry-run
check "a dry run changes nothing" [ "$(fw status --json | jq '.interfaces[0].generation')" = "$generation" ]
refuses 2 'nothing was loaded' "apply of wrong rules" fw apply wrong.fw
refuses 2 'test failed' "apply of a failing test" fw apply failing.fw
check "changes nothing" [ "$(fw status --json | jq '.interfaces[0].generation')" = "$generation" ]
prints 0 "^web: generation $((generation + 1)) on 1 interface" "apply" fw apply web2.fw
json 0 '.interfaces[0].hooks[] | select(.hook!="tc-egress") | (.rules[]|select(.id=="ping").packets)==5 and
	(.rules[]|select(.id=="worse").packets)==0 and .packets==([.reasons[].packets]|add)' "counters follow the labels, sums stay exact" \
	fw stats r0 --json
json 0 '.policies[0].result=="applied"' "apply --json" fw apply web.fw --json
prints 0 '^r0: policy web replaced' "load of other rules on the only interface swaps them" fw load r0 -r web2.fw
ip -n "$RCV" link add r1 type veth peer name r2 && ip -n "$RCV" link set r1 up && ip -n "$RCV" link set r2 up
refuses 1 'r0 runs it with other rules; fwctl apply' "load of other rules elsewhere names apply" fw load r1 -r web.fw -p web
prints 0 '^r1: policy web loaded' "load of the same rules elsewhere joins" fw load r1 -r web2.fw
prints 0 'on 2 interfaces' "apply switches both" fw apply web.fw
refuses 1 'nosuch0' "a load that fails for one interface..." fw load r2 nosuch0
check "...loads none" [ "$(fw status --json | jq '[.interfaces[].name]|index("r2")')" = null ]
prints 0 'loaded' "load --hook=tc" fw load r2 --hook=tc
json 0 '.interfaces[]|select(.name=="r2").hooks[0].hook=="tc-ingress"' "stands at TC" fw status --json
fw unload r2 >/dev/null
prints 0 'loaded, xdp generic' "load --mode=generic" fw load r2 --mode=generic
fw unload r2 >/dev/null
prints 0 'loaded, xdp native' "load --mode=native" fw load r2 --mode native
json 0 '.unloaded==["r2"]' "unload --json" fw unload r2 --json

### an interface that goes away
fw load r1 -r web.fw -p web >/dev/null
ip -n "$RCV" link del r1
prints 1 'r1' "status fails when an interface that should be filtered is gone" fw status
json 1 '.degraded|length==1 and .[0].interface=="r1" and (.[0].why|length)>0' "and says which and why" fw status --json
prints 0 '^r1: unloaded' "it can still be unloaded" fw unload r1
prints 0 'r0' "and all is well again" fw status

prints 0 'policy pass-all loaded' "unless it is told to" fw load r0 --force
prints 0 '^r0: policy web loaded' "load -r switches an interface to another policy" fw load r0 -r web.fw

### the ssh connection that runs the command
sed 's/10.77.0.0\/24/10.78.0.0\/24/' web.fw >cut.fw
sed 's/default pass {/default pass {\n drop proto tcp from port 22/' web.fw >mute.fw
ssh_env() { in_ns "$RCV" env SSH_CONNECTION="$1" "$FWCTL" "${@:2}"; }
refuses 1 'would cut the ssh connection.*ingress.*--force' "apply refuses to cut the ssh connection" ssh_env "$LAB_GEN4 50000 $LAB_RCV4 22" apply cut.fw
refuses 1 'would cut the ssh connection' "also by IPv6" ssh_env "$LAB_GEN6 50000 $LAB_RCV6 22" apply cut.fw
prints 0 'generation' "an ssh connection on another interface is none of its business" ssh_env "192.0.2.7 50000 192.0.2.8 22" apply cut.fw
prints 0 'generation' "an ssh connection that stays is fine" ssh_env "$LAB_GEN4 50000 $LAB_RCV4 22" apply web.fw
prints 0 'generation' "--force insists" ssh_env "$LAB_GEN4 50000 $LAB_RCV4 22" apply cut.fw --force
refuses 1 'would cut the ssh connection' "sudo hides the connection from the command, not from us" in_ns "$RCV" \
	env SSH_CONNECTION="$LAB_GEN4 50000 $LAB_RCV4 22" bash -c 'env -u SSH_CONNECTION "$1" apply mute.fw; exit $?' - "$FWCTL"
prints 0 'generation' "nonsense in SSH_CONNECTION is ignored" ssh_env "x y z" apply web.fw
fw unload --all >/dev/null
refuses 1 'would cut the ssh connection' "load refuses, too" ssh_env "$LAB_GEN4 50000 $LAB_RCV4 22" load r0 -r cut.fw
refuses 1 'egress.*the answers' "and looks at the answers" ssh_env "$LAB_GEN4 50000 $LAB_RCV4 22" load r0 -r mute.fw
prints 0 'no interface is filtered' "a refused load leaves nothing" fw status

### names of any bytes
evil=$'a$(id)\033[1m'
ip -n "$RCV" link add name "$evil" type veth peer name p1 && ip -n "$RCV" link set "$evil" up && ip -n "$RCV" link set p1 up
prints 0 '^a\$\(id\)\\x1b\[1m: policy pass-all loaded' "a hostile interface name is loaded and escaped" fw load "$evil"
json 0 '.interfaces[0].name=="a$(id)\u001b[1m"' "and whole in JSON" fw status --json
fw status >evil.out 2>&1
check "no byte of it reaches the terminal" [ -z "$(tr -dc '\033' <evil.out)" ]
prints 0 'unloaded' "and unloaded" fw unload "$evil"
utf=$'\xff\xfe"\\'
if ip -n "$RCV" link add name "$utf" type veth peer name p2 2>/dev/null; then
	fw load "$utf" >/dev/null
	json 0 '.interfaces[0].name=="\\xff\\xfe\"\\"' "a name that is not UTF-8 leaves JSON valid" fw status --json
	prints 0 'unloaded 1 interface' "unload --all" fw unload --all
else
	skip "a name that is not UTF-8 leaves JSON valid" "ip does not make such a name"
	fw load r0 >/dev/null
	prints 0 'unloaded 1 interface' "unload --all" fw unload --all
fi
prints 0 'unloaded 0 interfaces' "unload --all of nothing" fw unload --all
json 0 '.unloaded==[]' "unload --all --json" fw unload --all --json
lab_done
