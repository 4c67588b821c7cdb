#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A second opinion: random rules, once for fwctl and once for nft, on two receivers that are sent the same frames. Every counter
# (each rule, the default, frames that are not IP) must be equal, and equal to the oracle's. Two receivers, since nft comes behind
# XDP and would see only what passed. What is left out is written at the top of tool_nft.c.
#   FW_SETS (15) rule sets of FW_FRAMES (700) frames each; FW_SEED repeats a run.
. "$(dirname "$0")/../../scripts/netns.sh"
lab_isolate "$@"
cd "$LAB_ROOT" || exit 1
TOOL=build/tests/net/tool_nft
[ -x "$FWCTL" ] && [ -x $TOOL ] || bail "the tools are not built"
command -v nft >/dev/null || {
	echo "1..0 # SKIP nft is not installed"
	exit 0
}
sets=${FW_SETS:-15} frames=${FW_FRAMES:-700}
seed=${FW_SEED:-$(od -An -N4 -tu4 /dev/urandom)}
seed=$((seed))
echo "# seed $seed"

lab_pair
GEN2=fwh$$ NFT=fwn$$
ns_new $GEN2 && ns_new $NFT && veth_up $GEN2 $NFT || bail "cannot make the second pair"
for ns in $GEN $RCV $GEN2 $NFT; do
	in_ns $ns sysctl -qw net.ipv6.conf.all.disable_ipv6=1
done

nft_load() { # FILE
	in_ns $NFT nft flush ruleset && in_ns $NFT nft -f "$1"
}
nft_counts() {
	in_ns $NFT nft -j list counters table netdev fw | jq -r '.nftables[].counter // empty | "\(.name) \(.packets)"' | sort
}
fwctl_counts() { # HOOK
	fw stats --json | jq -r --arg hook "$1" '.interfaces[0].hooks[] | select(.hook == $hook) |
		(.rules | to_entries[] | "r\(.key) \(.value.packets)"), "default \(.reasons.default.packets)",
		"l2-other \(.reasons["l2-other"].packets)", "total \(.packets)"' | sort
}
all_arrived() { # HOOK
	fwctl_counts "$1" >"$LAB_DIR/fwctl" && nft_counts >"$LAB_DIR/nft" && grep -qx "total $frames" "$LAB_DIR/fwctl" &&
		grep -qx "total $frames" "$LAB_DIR/nft"
}
# one SET HOOK LOAD-ARGUMENTS…: true when the three agree
one() {
	local i=$1 hook=$2 out
	shift 2
	$TOOL rules $((seed + i)) $((1 + i % 4 * 20)) r0 "$LAB_DIR/rules.fw" "$LAB_DIR/rules.nft" >"$LAB_DIR/out" &&
		out=$(fw load r0 -r "$LAB_DIR/rules.fw" "$@" 2>&1) && nft_load "$LAB_DIR/rules.nft" 2>"$LAB_DIR/err" &&
		$TOOL send $((seed + i)) 0 "$frames" "$LAB_DIR/rules.fw" $GEN:g0 $GEN2:g0 >"$LAB_DIR/sent" || {
		note "set $i: ${out##*$'\n'}"$'\n'"$(tail -n 3 "$LAB_DIR"/{err,sent} 2>&1)"
		fw unload r0 >/dev/null 2>&1
		return 1
	}
	wait_for 5 all_arrived "$hook"
	fw unload r0 >/dev/null
	grep -v '^#' "$LAB_DIR/sent" | sort >"$LAB_DIR/oracle"
	cmp -s "$LAB_DIR/oracle" "$LAB_DIR/fwctl" && cmp -s "$LAB_DIR/oracle" "$LAB_DIR/nft" || {
		note "set $i, seed $((seed + i)), $hook: counters (oracle, fwctl, nft) that differ:"$'\n'"$(
			join "$LAB_DIR/oracle" "$LAB_DIR/fwctl" | join - "$LAB_DIR/nft" | awk '$2 != $3 || $2 != $4')"
		[ -z "${FW_KEEP:-}" ] || cp "$LAB_DIR"/rules.* "$FW_KEEP"
		return 1
	}
	compared=$((compared + frames)) rules=$((rules + $(grep -c '^r' "$LAB_DIR/oracle")))
	hit=$((hit + $(grep -c '^r.* [1-9]' "$LAB_DIR/oracle")))
	sed -n 's/^# \(sent=.*\)/\1/p' "$LAB_DIR/sent" >>"$LAB_DIR/left"
}

run() { # NAME HOOK FIRST-SET LOAD-ARGUMENTS…
	local name=$1 hook=$2 i bad=0
	compared=0 rules=0 hit=0
	: >"$LAB_DIR/left"
	for ((i = $3; i < sets; i += 3)); do
		one "$i" "$hook" "${@:4}" || bad=$((bad + 1))
	done
	[ $bad -eq 0 ] && [ $compared -gt 0 ]
	ok $? "$name: $compared frames over $rules rules ($hit of them hit) counted as nft counts them"
	note "$(awk -F '[= ]' '{ for (k = 1; k < NF; k += 2) n[$k] += $(k + 1) } END { for (k in n) printf "%s=%d ", k, n[k] }' "$LAB_DIR/left")"
}

# The comparison can fail: one rule more on one side.
$TOOL rules "$seed" 10 r0 "$LAB_DIR/rules.fw" "$LAB_DIR/rules.nft" >/dev/null
sed -i 's/^\t\tcounter name total$/&\n\t\tmeta protocol ip counter name default drop/' "$LAB_DIR/rules.nft"
nft_load "$LAB_DIR/rules.nft" || bail "nft does not take the rules"
$TOOL send "$seed" 0 200 "$LAB_DIR/rules.fw" $GEN2:g0 | grep -v '^#' | sort >"$LAB_DIR/oracle"
! cmp -s "$LAB_DIR/oracle" <(nft_counts)
ok $? "control: with other rules the counters differ"

run "XDP native" xdp 0 --mode native
run "XDP generic" xdp 1 --mode generic
run "TC" tc-ingress 2 --hook tc
lab_done
