# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# What is measured end to end. Source this after walls.sh.

# The size N, or a small one in a quick run.
size() { # N
	if [ -n "$QUICK" ] && [ "$1" -gt 1000 ]; then echo $(($1 / 100)); else echo "$1"; fi
}
xdp_filter_size() { if [ -n "$QUICK" ]; then echo 50; else echo 1000; fi; } # it takes a command for each address
words() { sed -E ':a;s/([0-9])([0-9]{3})($|,)/\1,\2\3/;ta' <<<"$1"; } # 100000 -> 100,000

# Why there is no figure, as a line of the results.
absent() { # TABLE ID TOOL N TEXT REASON [JSON-OBJECT]
	jq -cn --arg table "$1" --arg id "$2" --arg tool "$3" --argjson n "$4" --arg text "$5" --arg why "$6" --argjson more "${7:-null}" \
		'{bench: "peers", $table, $id, $tool, $n, $text, absent: $why} + $more' >>"$JSON"
	echo "bench:   $5: no figure: $6" >&2
}

# The sentence that a command which failed left in $LOG.
why() {
	local line
	line=$(grep -iE -m 1 "error|cannot|not installed|refused|instead of" "$LOG" || grep -m 1 . "$LOG")
	line=${line//"$LAB_DIR/"/}
	echo "${line:-the command failed}"
}

# How many of the first COUNT frames the firewall in $NS lets pass: counted behind the raw table, where all of them have
# spoken. Nothing remains there.
count_passed() { # TRAFFIC COUNT
	in_peer nft "table ip after { chain c { type filter hook prerouting priority -150; ether daddr $LAB_RCV_MAC counter; }; }" || return
	"$VETH" send "$PAIR" "$1" "$2" >/dev/null || return
	in_peer nft -j list table ip after | jq '[.nftables[].rule // empty | .expr[].counter // empty][0].packets'
	in_peer nft delete table ip after
}
# A firewall that says something else than it should gets no figure, and if it is fwctl the run fails.
judges_right() { # TRAFFIC COUNT WANTED-TO-PASS
	local passed
	passed=$(count_passed "$1" "$2" 2>"$LOG")
	[ "$passed" = "$3" ] && return
	echo "passed ${passed:-an unknown number} of $2 packets instead of $3" >>"$LOG"
	WRONG="$WRONG $tool"
	return 1
}

# One row: a firewall in a namespace of its own. Its figure is taken when the table is complete. In words and command, %n
# is N, or what a quick run takes for it; the id carries N.
contest() { # ID TOOL N BASE TRAFFIC TEXT SETUP-COMMAND…
	local id=$1 tool=$2 n base=$4 traffic=$5 text pass=0
	n=$(size "$3")
	text=${6//%n/$(words "$n")}
	text=${text/ 1 rules/ 1 rule}
	shift 6
	case $TABLE in pass | state) pass=256 ;; esac
	peer_new || bail "cannot make a veth pair"
	if "${@//%n/$n}" >"$LOG" 2>&1 && { [ "$TABLE" = packet ] || judges_right "$traffic" 256 $pass; }; then
		printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$id" "$PAIR" "$traffic" "$tool" "$n" "$base" "$text" >>"$CASES"
	else
		absent "$TABLE" "$id" "$tool" "$n" "$text" "$(why)"
		return 1
	fi
}
table_begin() { # TABLE
	TABLE=$1 CASES=$LAB_DIR/cases.$1
	: >"$CASES"
}
table_end() {
	"$VETH" run -n "$ROUNDS" -t "$BLOCK_MS" -s "$SEED" -j "$JSON" "$TABLE" "$CASES" >&2
}

# One flow, every frame dropped by the last rule or by the set.
table_drop() {
	local n
	table_begin drop
	contest xdp-drop kernel 0 - one "bare XDP drop" wall_ref xdp_drop
	for n in 1 64 1000 10000; do
		contest fwctl-rules-$n fwctl $n xdp-drop one "fwctl XDP, %n rules" wall_fwctl_rules xdp %n
	done
	for n in 100000 1000000; do
		contest fwctl-set-$n fwctl $n xdp-drop one "fwctl XDP, set of %n hosts" wall_fwctl_set %n
	done
	contest fwctl-nets-100000 fwctl 100000 xdp-drop one "fwctl XDP, set of %n networks" wall_fwctl_set %n nets
	for n in 1 10000; do
		contest fwctl-tc-rules-$n fwctl $n xdp-drop one "fwctl TC, %n rules" wall_fwctl_rules tc %n
	done
	contest xdp-filter-ip xdp-filter 50 xdp-drop one "xdp-filter, addresses only" wall_xdp_filter ipv4,ipv6 %n hit
	contest xdp-filter-all xdp-filter 50 xdp-drop one "xdp-filter, all features" wall_xdp_filter all %n hit
	drop_bpfilter
	contest xdp-generic kernel 0 xdp-drop one "generic XDP drop" wall_ref xdp_drop generic
	contest tc-drop kernel 0 xdp-drop one "tc drop" wall_ref tc_drop
	drop_nft
	drop_iptables
	table_end
}
drop_bpfilter() {
	local n
	for n in 1 100 1000; do
		# One line is enough to say that it is not there.
		contest bpfilter-rules-$n bpfilter $n xdp-drop one "bpfilter XDP, %n rules" wall_bpfilter rules %n || return 0
	done
	contest bpfilter-set-100000 bpfilter 100000 xdp-drop one "bpfilter XDP, set of %n hosts" wall_bpfilter set %n
}
drop_nft() {
	local n
	contest nft-drop nft 0 xdp-drop one "nft netdev drop" wall_nft_drop netdev
	for n in 100 1000 10000; do
		contest nft-rules-$n nft $n xdp-drop one "nft netdev, %n rules" wall_nft_rules netdev %n
	done
	contest nft-vmap-10000 nft 10000 xdp-drop one "nft netdev, verdict map of %n hosts" wall_nft_set netdev %n vmap
	for n in 1000 100000 1000000; do
		contest nft-set-$n nft $n xdp-drop one "nft netdev, set of %n hosts" wall_nft_set netdev %n
	done
	for n in 1000 100000; do
		contest nft-nets-$n nft $n xdp-drop one "nft netdev, interval set of %n networks" wall_nft_set netdev %n nets
	done
	contest nft-pre-drop nft 0 xdp-drop one "nft prerouting drop" wall_nft_drop prerouting
	for n in 100 1000 10000; do
		contest nft-pre-rules-$n nft $n xdp-drop one "nft prerouting, %n rules" wall_nft_rules prerouting %n
	done
	contest nft-pre-set-100000 nft 100000 xdp-drop one "nft prerouting, set of %n hosts" wall_nft_set prerouting %n
}
drop_iptables() {
	local n kind
	for kind in legacy nft; do
		for n in 1 100 1000 10000; do
			contest iptables-$kind-$n iptables-$kind $n xdp-drop one "iptables-$kind raw, %n rules" wall_iptables_rules $kind %n
		done
	done
	for n in 1000 1000000; do
		contest ipset-hosts-$n ipset $n xdp-drop one "ipset hash:ip of %n hosts" wall_ipset %n hosts
	done
	contest ipset-nets-100000 ipset 100000 xdp-drop one "ipset hash:net of %n networks" wall_ipset %n nets
}

# One flow that passes, and is then routed to nowhere.
table_pass() {
	local n
	table_begin pass
	contest none kernel 0 - one "no firewall" wall_none
	contest xdp-pass kernel 0 none one "bare XDP pass" wall_ref xdp_pass
	for n in 1 10000; do
		contest fwctl-pass-$n fwctl $n none one "fwctl XDP, %n rules" wall_fwctl_rules xdp %n pass
	done
	contest fwctl-tc-pass-1 fwctl 1 none one "fwctl TC, %n rules" wall_fwctl_rules tc %n pass
	contest xdp-filter-pass xdp-filter 50 none one "xdp-filter, all features" wall_xdp_filter all %n miss
	contest tc-pass kernel 0 none one "tc pass" wall_ref tc_pass
	contest nft-pass-1 nft 1 none one "nft netdev, %n rules" wall_nft_rules netdev %n pass
	contest nft-pre-pass-1 nft 1 none one "nft prerouting, %n rules" wall_nft_rules prerouting %n pass
	for n in legacy nft; do
		contest iptables-$n-pass-1 iptables-$n 1 none one "iptables-$n raw, %n rules" wall_iptables_rules $n %n pass
	done
	table_end
}

# Sources that change with every frame, 65,536 random picks from the set.
table_sources() {
	local n from base=xdp-drop-sources bpfilter=1
	table_begin sources
	contest $base kernel 0 - sources:random "bare XDP drop" wall_ref xdp_drop
	for n in 1000 100000 1000000; do
		from=sources:$(texts_hosts "$(size $n)")
		contest fwctl-sources-$n fwctl $n $base "$from" "fwctl XDP, set of %n hosts" wall_fwctl_set %n
		contest nft-sources-$n nft $n $base "$from" "nft netdev, set of %n hosts" wall_nft_set netdev %n
		contest ipset-sources-$n ipset $n $base "$from" "ipset hash:ip of %n hosts" wall_ipset %n hosts
		[ -z "$bpfilter" ] ||
			contest bpfilter-sources-$n bpfilter $n $base "$from" "bpfilter XDP, set of %n hosts" wall_bpfilter set %n ||
			bpfilter=
	done
	n=$(xdp_filter_size)
	contest xdp-filter-sources xdp-filter "$n" $base "sources:$(texts_hosts "$n")" "xdp-filter, %n hosts" wall_xdp_filter ipv4,ipv6 %n hit
	table_end
}

# What remembers: live sets (beside sets with a timeout), of which everything is dropped.
table_live() {
	local n base=live-drop-sources
	table_begin live
	contest live-drop kernel 0 - one "bare XDP drop" wall_ref xdp_drop
	contest $base kernel 0 - sources:random "bare XDP drop, random sources" wall_ref xdp_drop
	for n in 100000 1000000; do
		contest fwctl-live-$n fwctl $n live-drop one "fwctl XDP, live set of %n hosts" wall_fwctl_live %n
		contest nft-live-$n nft $n live-drop one "nft prerouting, set of %n hosts with timeout" wall_nft_live %n
		contest ipset-live-$n ipset $n live-drop one "ipset hash:ip of %n hosts with timeout" wall_ipset_live %n hosts
	done
	for n in 100000; do
		contest fwctl-live-nets-$n fwctl $n live-drop one "fwctl XDP, live set of %n networks" wall_fwctl_live %n nets
		contest nft-live-nets-$n nft $n live-drop one "nft prerouting, interval set of %n networks with timeout" wall_nft_live %n nets
		contest ipset-live-nets-$n ipset $n live-drop one "ipset hash:net of %n networks with timeout" wall_ipset_live %n nets
	done
	for n in 100000 1000000; do
		contest fwctl-live-sources-$n fwctl $n $base "sources:$(texts_hosts "$(size $n)")" "fwctl XDP, live set of %n hosts, all in turn" wall_fwctl_live %n
		contest nft-live-sources-$n nft $n $base "sources:$(texts_hosts "$(size $n)")" "nft prerouting, %n hosts with timeout, all in turn" wall_nft_live %n
		contest ipset-live-sources-$n ipset $n $base "sources:$(texts_hosts "$(size $n)")" "ipset hash:ip, %n hosts with timeout, all in turn" \
			wall_ipset_live %n hosts
	done
	table_end
}

# Flows and limits: everything passes, and is then routed to nowhere.
table_state() {
	local tool name base=state-none-sources
	table_begin state
	contest state-none kernel 0 - one "no firewall" wall_none
	contest $base kernel 0 - sources:random "no firewall, random sources" wall_none
	for tool in fwctl nft iptables; do
		case $tool in
		fwctl) name="fwctl XDP" ;;
		nft) name="nft prerouting" ;;
		*) name="iptables" ;;
		esac
		contest $tool-established ${tool/%iptables/iptables-legacy} 1 state-none one "$name, packet of an established flow" wall_state $tool
		contest $tool-limit ${tool/%iptables/iptables-legacy} 1 state-none one "$name, limit of a rule" wall_limit $tool
		contest $tool-limit-src ${tool/%iptables/iptables-legacy} 1 state-none one "$name, limit per source, one source" wall_limit $tool per
		contest $tool-limit-sources ${tool/%iptables/iptables-legacy} 1 $base sources:random "$name, limit per source, 65,536 sources" wall_limit $tool per
	done
	table_end
}

# One firewall on one generated rule set: it must pass as many frames of the whole trace as the oracle.
contest_generated() { # TOOL PREFIX WANT COUNT TEXT
	local tool=$1 style=${2##*/} n=${2##*.}
	contest "$tool-$style" "$tool" "$n" xdp-drop-frames "frames:$2.drop" "$5" wall_generated "${tool/#nft/prerouting}" "$2" || return
	judges_right "frames:$2.all" "$4" "$3" && return
	sed -i '$d' "$CASES"
	absent "$TABLE" "$tool-$style" "$tool" "$n" "$5" "$(why)"
	return 0
}

# Generated five-tuple rules; every firewall judges the same packets in the same order.
table_rules() {
	local n style prefix pass tool bpfilter=1
	# shellcheck disable=SC2086 # $pass is two numbers: how many pass, of how many
	table_begin rules
	for n in 1000 10000; do
		for style in acl fw ipc; do
			prefix=$LAB_DIR/$style.$(size $n)
			pass=$(build/bench/bench_peers rules $style "$(size $n)" "$SEED" "$LAB_DIR") || return
			[ -s "$CASES" ] || contest xdp-drop-frames kernel 0 - "frames:$prefix.drop" "bare XDP drop" wall_ref xdp_drop
			for tool in fwctl nft iptables-legacy iptables-nft; do
				contest_generated $tool "$prefix" $pass "$style, $(words "$(size $n)") rules: $tool"
			done
			[ -z "$bpfilter" ] ||
				contest_generated bpfilter "$prefix" $pass "$style, $(words "$(size $n)") rules: bpfilter" || bpfilter=
		done
	done
	table_end
}

# XDP programs alone, run by the kernel on one packet.
packet_row() { # ID TOOL N VERDICT TEXT SETUP-COMMAND…
	local end=- verdict=$4
	set -- "$1" "$2" "$3" packet one "${@:5}"
	if contest "$@"; then
		[ "$2" = kernel ] || end=$NS:r0
		awk -F '\t' -v OFS='\t' -v end="$end" -v verdict="$verdict" 'END { print $1, end, verdict, $4, $5, $7 }' "$CASES" >>"$CASES.packet"
	else
		return 1
	fi
}
table_packet() {
	local n features text
	table_begin packet
	: >"$CASES.packet"
	packet_row empty kernel 0 drop "empty program" wall_none
	for n in 1 64 1000 10000; do
		packet_row fwctl-$n fwctl $n drop "fwctl, %n rules" wall_fwctl_rules xdp %n
	done
	packet_row fwctl-set-1000000 fwctl 1000000 drop "fwctl, set of %n hosts" wall_fwctl_set %n
	for n in ip all; do
		features=$([ $n = ip ] && echo ipv4,ipv6 || echo all)
		text="xdp-filter, $([ $n = ip ] && echo 'addresses only' || echo 'all features')"
		packet_row xdp-filter-$n-miss xdp-filter 50 pass "$text, miss" wall_xdp_filter "$features" %n miss
		packet_row xdp-filter-$n-hit xdp-filter 50 drop "$text, hit" wall_xdp_filter "$features" %n hit
	done
	for n in 1 100 1000; do
		packet_row bpfilter-$n bpfilter $n drop "bpfilter, %n rules" wall_bpfilter rules %n || break
	done
	build/bench/bench_peers packet -n "$ROUNDS" -r "$([ -n "$QUICK" ] && echo 50000 || echo 1000000)" -j "$JSON" "$CASES.packet" >&2
}
