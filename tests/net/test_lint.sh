#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lint, diff and apply --dry-run: what they say in words and in JSON, their exit status, and that their examples are what explain says.
. "$(dirname "$0")/../../scripts/netns.sh"
lab_isolate "$@"
cd "$LAB_ROOT" || exit 1
[ -x "$FWCTL" ] || bail "fwctl is not built"
lab_pair
FWCTL=$(realpath "$FWCTL")
unset SSH_CONNECTION
cd "$LAB_DIR" || exit 1

# says STATUS WORDS SENTENCE COMMAND…: exit status, and standard output matches WORDS (extended, lines joined by "|").
says() {
	local want=$1 words=$2 what=$3 out status
	shift 3
	out=$("$@" 2>stderr)
	status=$?
	if [ $status -eq "$want" ] && grep -qE -- "$words" <<<"${out//$'\n'/|}"; then
		ok 0 "$what"
	else
		ok 1 "$what"
		note "wanted exit $want and /$words/; got exit $status: $*"$'\n'"$out"$'\n'"stderr: $(cat stderr)"
	fi
}
json() { # STATUS FILTER SENTENCE COMMAND…
	local want=$1 filter=$2 what=$3 status
	shift 3
	"$@" >json.out 2>stderr
	status=$?
	if [ $status -eq "$want" ] && jq -e "$filter" json.out >/dev/null 2>jq.err; then
		ok 0 "$what"
	else
		ok 1 "$what"
		note "wanted exit $want and $filter; got exit $status: $*"$'\n'"$(head -c 2000 json.out)"$'\n'"stderr: $(cat stderr jq.err)"
	fi
}
quiet() { # NAME BODY…: a policy of one ingress block, default drop, with a test, so that only its rules are spoken of
	local name=$1
	shift
	{
		printf 'policy p {\n\tingress default drop {\n'
		printf '\t\t%s\n' "$@"
		printf '\t}\n}\ntest {\n\tarp is pass\n}\n'
	} >"$name"
}

### lint
quiet clean.fw 'pass proto tcp to port 80' 'pass proto tcp to port 443'
says 0 'clean.fw: 0 warnings, 0 notes$' "rules without a flaw: nothing to say, exit 0" "$FWCTL" lint clean.fw
quiet shadow.fw 'pass proto tcp to port 80-89' 'drop proto udp' 'pass proto tcp to port 90-99' 'pass proto tcp to port 85-95'
says 2 'shadow.fw:6: warning: shadowed.*hidden by shadow.fw:3: .*hidden by shadow.fw:5: .*example: tcp .* is pass by shadow.fw:[35]\|' \
	"a rule that two others hide together, which are named" "$FWCTL" lint shadow.fw
json 2 '.warnings == 1 and (.findings[0] | .kind == "shadowed" and .line == 6 and ([.others[].line] == [3, 5]) and .example.verdict == "pass")' \
	"the same in JSON" "$FWCTL" lint shadow.fw --json
# The example is one that explain takes, and it meets the rule that is named.
packet=$(jq -r '.findings[0].example.packet' json.out)
says 0 "^pass by shadow.fw:$(jq .findings[0].example.rule.line json.out): " "explain says the same of the example" "$FWCTL" explain shadow.fw "$packet"
quiet redundant.fw 'pass proto tcp to port 22' 'pass proto tcp from 192.0.2.0/24' 'drop proto tcp to port 23'
says 2 'redundant.fw:5: warning: redundant.*decided instead by the default, drop.*example: tcp .*:23 .* is drop by redundant.fw:5' \
	"a rule without which the default does the same" "$FWCTL" lint redundant.fw
quiet flows.fw 'pass proto udp to port 53 keep state' 'pass state { established, related }'
says 2 'flows.fw:4: warning: redundant.*decided instead by their flow, pass' "a rule without which packets of flows pass, too" "$FWCTL" lint flows.fw
json 2 '.findings[0] | .by_flow and (.by_default | not)' "and the default has no part in it" "$FWCTL" lint flows.fw --json
quiet counted.fw 'drop proto tcp to port 23 label "telnet"' 'pass proto tcp to port 22'
says 0 'counted.fw:3: note: redundant.*counter of its own' "which is a note when it has a counter of its own" "$FWCTL" lint counted.fw
says 2 'note: redundant' "but with --strict notes count" "$FWCTL" lint --strict counted.fw
quiet conflict.fw 'drop proto tcp to port 1000-2000' 'pass proto tcp to port 1500-2500'
says 2 'conflict.fw:4: warning: conflict.*the earlier rule is conflict.fw:3.*example: tcp .* is drop by conflict.fw:3' \
	"an overlap with a rule that says the opposite" "$FWCTL" lint conflict.fw
quiet plain.fw 'drop from 192.0.2.0/24' 'drop proto tcp from 198.51.100.7 to port 22' 'pass proto tcp from 198.51.100.0/24 to port 22' 'pass proto udp to port 53'
says 0 '0 warnings, 0 notes$' "exceptions, and block lists before services, are none" "$FWCTL" lint plain.fw
quiet wide.fw 'drop from 192.0.2.0/24' 'pass proto tcp'
says 2 'wide.fw:4: warning: wide.*example: tcp .* is pass by wide.fw:4' "all of TCP from anywhere to anywhere" "$FWCTL" lint wide.fw
quiet all.fw 'drop proto tcp to port 25' 'pass'
says 2 'warning: wide.*all.fw:1: warning: default-unreachable.*default of the ingress block, drop.*hidden by all.fw:4' \
	"a default that no IP packet meets" "$FWCTL" lint all.fw
quiet port.fw 'pass to port 53'
says 0 'port.fw:3: note: port-without-proto.*example: udp .*:53 is pass' "a port without a protocol" "$FWCTL" lint port.fw
quiet state.fw 'pass proto tcp to port 22' 'drop state established to port 80'
says 2 'state.fw:4: warning: never-matches: .*keeps state' "a state that no packet has" "$FWCTL" lint state.fw
cat >sets.fw <<'EOF'
set unused { type prefix; elements { 192.0.2.1 } }
set empty { type prefix; elements { } }
set banned { type prefix; live }
policy p { ingress default drop { drop from @empty; pass proto tcp to port 22 limit 5/m else ban @banned } }
EOF
says 2 'sets.fw:1: warning: unused-set.*sets.fw:2: warning: empty-set.*never-matches.*sets.fw:4: note: no-tests' "sets, and tests that are not there" "$FWCTL" lint sets.fw
[[ $("$FWCTL" lint sets.fw) == *banned:* ]]
ok $((!$?)) "a live set that a rule bans to is used"
quiet deep.fw 'pass proto tcp from 10.0.0.0/8 to port 22 keep state' 'pass proto tcp from 10.1.0.0/16 to port 22 keep state'
says 2 'shadowed' "limits and state do not change which rule matches first" "$FWCTL" lint deep.fw

### what the author accepts
quiet allow.fw 'pass proto tcp to port 80' '# lint: allow shadowed' 'pass proto tcp from 192.0.2.1 to port 80' 'drop proto tcp to port 23 # lint: allow redundant, wide (by habit)'
says 0 '0 warnings, 0 notes, 2 accepted in the file$' "a comment on the line, or above it, accepts a finding" "$FWCTL" lint --strict allow.fw
quiet other.fw 'pass proto tcp to port 80 # lint: allow shadowed' 'pass proto tcp from 192.0.2.1 to port 80 label "# lint: allow shadowed"'
says 2 'other.fw:4: warning: shadowed' "one of another line, or in a label, does not" "$FWCTL" lint other.fw
quiet typo.fw 'pass proto tcp to port 80 # lint: allow shadwoed'
refuses 2 'no finding "shadwoed"' "a finding that is none is told" "$FWCTL" lint typo.fw
mkdir -p sub
printf 'pass proto tcp from 192.0.2.1 to port 80 # lint: allow shadowed\n' >sub/rule.fw
quiet include.fw 'pass proto tcp to port 80' 'include "sub/rule.fw"'
says 0 '1 accepted' "in a file that is included, too" "$FWCTL" lint include.fw

### bad input
printf 'policy p {\n' >broken.fw
refuses 2 'nothing was looked at' "a file with mistakes" "$FWCTL" lint broken.fw
refuses 1 'cannot read' "a file that is not there" "$FWCTL" lint nowhere.fw
quiet hostile.fw 'pass proto tcp to port 80 label "\x1b[31m\x07"' 'pass proto tcp from 192.0.2.1 to port 80'
"$FWCTL" lint hostile.fw >out.txt
[ $? -eq 2 ] && ! grep -q $'[\e\a]' out.txt && grep -q 'x1b' out.txt
ok $? "names cannot drive the terminal"
json 2 '.findings[0].others[0].label == "\u001b[31m\u0007" or (.findings[0].others[0].label | contains("x1b"))' "nor break JSON" "$FWCTL" lint hostile.fw --json
for f in "$LAB_ROOT"/rules/*.fw; do
	says 0 '0 warnings, 0 notes' "$(basename "$f") is clean" "$FWCTL" lint --strict "$f"
done

### diff
cat >old.fw <<'EOF'
set list { type prefix; elements { 192.0.2.0/24, 2001:db8:bad::/48 } }
policy web {
	ingress default drop {
		drop from @list label "list"
		pass proto tcp to port { 80, 443 } label "web"
		pass proto tcp from 203.0.113.0/24 to port 22 label "ssh"
	}
}
EOF
sed 's/80, 443/80, 443, 8080/' old.fw >port.fw
says 0 'ingress\|  tcp to port 8080\|      drop by default  =>  pass by "web".*\|      example: tcp .*:8080 flags S' "a port more: these packets alone" "$FWCTL" diff old.fw port.fw
json 0 '.same == false and (.policies[0] | .fate_changes and (.changes | length == 1) and (.changes[0] | .changes == "verdict" and .old.default and .old.verdict == "drop" and .new.rules[0].label == "web" and .regions[0].packets == "tcp to port 8080"))' \
	"the same in JSON" "$FWCTL" diff old.fw port.fw --json
packet=$(jq -r '.policies[0].changes[0].example.packet' json.out)
says 0 '^drop by' "explain says of its example what the old rules do" "$FWCTL" explain old.fw "$packet"
says 0 '^pass by' "and the new ones" "$FWCTL" explain port.fw "$packet"
says 2 'port 8080' "with --exit-code the status tells" "$FWCTL" diff old.fw port.fw --exit-code
sed 's/pass proto tcp to port { 80, 443 } label "web"/pass proto tcp to port 443 label "a"; pass proto tcp to port 80 label "b"/' old.fw >same.fw
says 0 'no packet changes its fate\|2 rules come and 1 go, with their counters' "other rules, the same meaning" "$FWCTL" diff old.fw same.fw --exit-code
sed 's/label "ssh"/keep state label "ssh"/' old.fw >state.fw
says 0 'tcp from 203.0.113.0/24 to port 22 state new\|      pass by "ssh"  =>  pass keep state by "ssh"' "state that is kept is another treatment" "$FWCTL" diff old.fw state.fw
sed 's/192.0.2.0\/24,/192.0.2.0\/24, 198.51.100.0\/24,/' old.fw >set.fw
says 0 'tcp from 198.51.100.0/24 to port \{ 80, 443 \}\|.*pass by "web", "essential: dhcp"  =>  drop by "list".*set list\|  \+ 1 range: 198.51.100.0/24' "sets are compared as sets" "$FWCTL" diff old.fw set.fw
sed 's/default drop/default pass/' old.fw >default.fw
says 0 'drop by default  =>  pass by default' "another default" "$FWCTL" diff old.fw default.fw
sed 's/policy web/policy other/' old.fw >name.fw
says 0 'policy web, then other\|no packet changes its fate' "one policy each goes together whatever it is called" "$FWCTL" diff old.fw name.fw
sed 's/ingress default drop {/&\n\t\tlog reasons limit 1\/s/' old.fw >reasons.fw
says 0 'no packet changes its fate\|the log differs' "what is told of is compared" "$FWCTL" diff old.fw reasons.fw --exit-code
json 0 '.policies[0].log_changes and .policies[0].same' "in JSON, too" "$FWCTL" diff old.fw reasons.fw --json
for log in '' ' limit 5/s' ' sample 1/8'; do
	sed "s|default drop {|&\n log default$log|" old.fw >"log${log:+${log:1:1}}.fw"
done
says 0 'drop without a log by default  =>  drop log limit 5/s by default' "a log that comes" "$FWCTL" diff old.fw logl.fw
says 0 'drop log by default  =>  drop log sample 1/8 by default' "a log that tells of others" "$FWCTL" diff log.fw logs.fw
says 0 'drop log limit 5/s by default  =>  drop without a log by default' "a log that goes" "$FWCTL" diff logl.fw old.fw
refuses 2 'usage: fwctl diff --live' "--live without a file shows its own usage" "$FWCTL" diff --live r0
refuses 2 'no policy nope' "a policy that is not there" "$FWCTL" diff old.fw port.fw --policy nope
refuses 2 'nothing was compared' "a file with mistakes" "$FWCTL" diff old.fw broken.fw
refuses 1 'neither an interface.*nor a policy' "what does not run" fw diff --live r0 "$LAB_DIR/port.fw"

### against what runs
check "load" fw load r0 -r "$LAB_DIR/old.fw" -p web
says 0 'no packet changes its fate' "what runs is what was loaded" fw diff --live r0 "$LAB_DIR/old.fw" --exit-code
says 2 'tcp to port 8080\|      drop by default  =>  pass by "web"' "against an interface" fw diff --live r0 "$LAB_DIR/port.fw" --exit-code
says 0 'pass by "ssh"  =>  pass keep state by "ssh"' "against a policy" fw diff --live web "$LAB_DIR/state.fw"
sed 's/ label "ssh"//' old.fw >nolabel.fw
check "load rules without a label" fw apply "$LAB_DIR/nolabel.fw"
sed '/203.0.113/d' old.fw >less.fw
says 0 "pass by .*nolabel.fw:6  =>  drop by default" "rules that run have the places that they came from" fw diff --live r0 "$LAB_DIR/less.fw"
says 0 '1 rule would come.*|policy web\|ingress\|  tcp to port 8080\|.*nothing was changed' "apply --dry-run says what it would mean" fw apply "$LAB_DIR/port.fw" --dry-run
json 0 '.dry_run and (.policies[0].meaning.changes[] | select(.regions[].packets == "tcp to port 8080"))' "in JSON, too" fw apply "$LAB_DIR/port.fw" --dry-run --json
says 0 'no packet changes its fate' "that counters come and go, and nothing else" fw apply "$LAB_DIR/old.fw" --dry-run
json 0 '.policies[0].changes == [] and .policies[0].same' "nothing of it has changed what runs" fw diff --live r0 "$LAB_DIR/nolabel.fw" --json
lab_done
