#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The documents do not lie: every ```console block of README.md and rules/README.md is run, and what follows a command there is what
# it prints. "…" stands for anything within a line; a line "…" for any lines. Runs of blanks count as one, because columns are
# aligned on a terminal only.
#
# The blocks of a document run in order, in one namespace with the Ethernet interfaces eth0 (192.0.2.1/24, 2001:db8::1/64) and
# eth1 (198.51.100.1/24); a neighbour behind eth0 has 192.0.2.2 and 2001:db8::2. The directory is a copy of the tree's rules and of the rule texts that the tests use.
# Commands that build, test or install are not run again.
set -u
cd "$(dirname "$0")/../.." || exit 1
. scripts/netns.sh
lab_isolate "$@"
unset SSH_CONNECTION
export NO_COLOR=1

mkdir "$LAB_DIR/bin" && ln -s "$(realpath "$FWCTL")" "$LAB_DIR/bin/fwctl"
export PATH=$LAB_DIR/bin:$PATH

# Without these no block can be run twice or at all here.
not_here() { # COMMAND
	case $1 in
	"make help"*) return 1 ;;
	sudo* | git* | make* | scripts/* | cd\ * | tests/* | bench/*) return 0 ;;
	*) return 1 ;;
	esac
}

# Expected text → regular expression for the whole output.
pattern() {
	local line out=
	while IFS= read -r line; do
		line=$(sed -E 's/[[:space:]]+/ /g; s/ $//; s/^ //' <<<"$line")
		if [ "$line" = "…" ]; then
			out+=$'([^\n]*\n)*'
		else
			out+=$(sed -E 's/[][\.|$(){}?+*^]/\\&/g; s/…/[^\n]*/g' <<<"$line")$'\n'
		fi
	done
	printf '%s' "^$out\$"
}
normal() { sed -E 's/[[:space:]]+/ /g; s/ $//; s/^ //'; }

# run_one PLACE COMMAND EXPECTED
run_one() {
	local place=$1 command=$2 want=$3 got re
	if not_here "$command"; then
		note "$place: not run here: $command"
		return
	fi
	got=$(cd "$LAB_DIR/work" && nsenter --net="/run/netns/$HOST" -- timeout 60 bash -c "$command" 2>&1 </dev/null | normal)
	got=${got:+$got$'\n'}
	re=$(pattern <<<"$want")
	[ -n "$want" ] || re='^$'
	if [[ $got =~ $re ]]; then
		ok 0 "$place: $command"
	else
		ok 1 "$place: $command"
		note "the document says:"$'\n'"$want"$'\n'"it printed:"$'\n'"$got"
	fi
}

# Every block of a document, command by command.
run_document() {
	local doc=$1 n=0 inside=0 line command="" want="" place=""
	while IFS= read -r line; do
		n=$((n + 1))
		if [ $inside = 0 ]; then
			[ "$line" = '```console' ] && inside=1
			continue
		fi
		if [ "$line" = '```' ] || [ "${line#\$ }" != "$line" ]; then
			[ -z "$command" ] || run_one "$place" "$command" "${want%$'\n'}"
			command="" want=""
		fi
		if [ "$line" = '```' ]; then
			inside=0
		elif [ "${line#\$ }" != "$line" ]; then
			place="$doc:$n" command=${line#\$ }
		else
			want+=$line$'\n'
		fi
	done <"$doc"
}

lab_hosts() {
	HOST=fwh$$ PEER=fwp$$
	ns_new $HOST && ns_new $PEER || bail "cannot make namespaces"
	ip -n $HOST link add eth0 address 02:00:00:00:00:01 type veth peer name eth0 netns $PEER address 02:00:00:00:00:02 &&
		ip -n $HOST link add eth1 address 02:00:00:00:01:01 type veth peer name eth1 netns $PEER address 02:00:00:00:01:02 ||
		bail "cannot make interfaces"
	for i in eth0 eth1; do
		ip -n $HOST link set $i up
		ip -n $PEER link set $i up
	done
	ip -n $HOST addr add 192.0.2.1/24 dev eth0 && ip -n $PEER addr add 192.0.2.2/24 dev eth0
	ip -n $HOST addr add 2001:db8::1/64 dev eth0 nodad && ip -n $PEER addr add 2001:db8::2/64 dev eth0 nodad
	ip -n $HOST addr add 198.51.100.1/24 dev eth1 && ip -n $PEER addr add 198.51.100.2/24 dev eth1
	wait_for 5 link_is_up $HOST eth0
}

# The comparison itself must be able to fail.
differs() { ! [[ $1 =~ $(pattern <<<"$2") ]]; }
check "a differing line is seen" differs $'a b\n' 'a c'
check "a missing line is seen" differs $'a\n' $'a\nb'
check "a line too many is seen" differs $'a\nb\n' 'a'
check "… does not reach over the end of a line" differs $'a x\nb\n' 'a …b'
check "… matches within a line" eval '! differs $'"'"'gen 17 on\n'"'"' "gen … on"'
check "… on its own matches lines" eval '! differs $'"'"'a\nx\ny\nb\n'"'"' $'"'"'a\n…\nb'"'"

for doc in ${DOCS:-README.md rules/README.md}; do
	if [ ! -e $doc ]; then
		ok 1 "$doc exists"
		continue
	fi
	lab_hosts
	mkdir -p "$LAB_DIR/work/tests"
	cp -R README.md Makefile rules docs "$LAB_DIR/work/" 2>/dev/null
	cp -R tests/lang "$LAB_DIR/work/tests/"
	before=$tap_n
	run_document $doc
	[ $tap_n -gt "$before" ] || note "$doc has no console block"
	in_ns $HOST "$FWCTL" unload --all >/dev/null
	ns_del $HOST && ns_del $PEER
	rm -rf "$LAB_DIR/work"
done
lab_done
