# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# What loading and changing rules costs: whole commands, from start to end of the process, in wall time. Source this after
# tables.sh.

# Run a command in $NS, or a function, and add its microseconds to the list TIMES.
timed() { stopwatch in_peer "$@"; }
stopwatch() { # COMMAND…
	local start=$EPOCHREALTIME
	"$@" >"$LOG" 2>&1 || return
	TIMES+=("$((${EPOCHREALTIME/./} - ${start/./}))")
	TIMES_SUM=$((TIMES_SUM + TIMES[-1]))
}

# The times of one row as a line of the results.
control_row() { # WHAT OP TOOL N SIZE TEXT
	printf '%s\n' "${TIMES[@]}" | sort -n | jq -cs --arg what "$1" --arg op "$2" --arg tool "$3" --argjson n "$4" --argjson size "$5" \
		--arg text "$6" '{bench: "peers", table: "control", id: "\($op)-\($tool)-\($what)-\($size)", $tool, $what, $op, $n, $size, $text,
		ms: (.[length / 2 | floor] / 1000), min: (.[0] / 1000), max: (.[-1] / 1000), rounds: length}' >>"$JSON"
}

# A series: load N, several times, then change one thing, several times. The functions TOOL_clear, TOOL_load and TOOL_change know
# how; they get WHAT, N and the number of the round.
control() { # TOOL WHAT SIZE TEXT
	local tool=$1 what=$2 size=$3 text=$4 n op i times f=control_${1//-/_}
	n=$(size "$size")
	for op in load change; do
		TIMES=() TIMES_SUM=0
		times=$LOADS
		[ $op = load ] || times=$CHANGES
		for ((i = 0; i < times; i++)); do
			[ $((TIMES_SUM / 1000000)) -lt 5 ] || break # seconds: slow ones get fewer rounds
			[ $op = change ] || "${f}_clear" "$what" >/dev/null 2>&1
			if ! "${f}_$op" "$what" "$n" $i; then
				absent control "$op-$tool-$what-$size" "$tool" "$n" "$text" "$(why)" \
					"{\"what\": \"$what\", \"op\": \"$op\", \"size\": $size}"
				"${f}_clear" "$what" >/dev/null 2>&1
				return 1
			fi
		done
		control_row "$what" $op "$tool" "$n" "$size" "$text"
	done
	"${f}_clear" "$what" >/dev/null 2>&1
}

# A generated rule set of N rules as a file of WHERE, with EXTRA as its last rule. Made outside of what is timed.
control_rules() { # WHERE N [EXTRA]
	local where=${1%%-*} words=${1%%-*} prefix=$LAB_DIR/acl.$2 file=$LAB_DIR/control.$1
	[ "$where" != netdev ] || words=nft
	[ -e "$prefix.$words" ] || build/bench/bench_peers rules acl "$2" "$SEED" "$LAB_DIR" >/dev/null || return
	{
		texts_head "$where" pass
		cat "$prefix.$words"
		[ -z "${3:-}" ] || echo "$3"
		texts_tail "$where"
	} >"$file"
	echo "$file"
}
another() { echo "198.51.100.$((1 + $1))"; } # ROUND

control_fwctl_clear() { in_peer "$FWCTL" unload --all; }
control_fwctl_file() { # WHAT N [ROUND]
	local list
	if [ "$1" = rules ]; then
		control_rules fwctl "$2" "${3:+drop from $(another "$3")}"
	else
		texts_set fwctl "$2" >/dev/null
		list=$(texts_hosts "$2")
		{ cat "$list"; [ -z "${3:-}" ] || another "$3"; } >"$LAB_DIR/control.hosts"
		sed 's/file "[^"]*"/file "control.hosts"/' "$(texts_set fwctl "$2")" >"$LAB_DIR/control.fwctl"
		echo "$LAB_DIR/control.fwctl"
	fi
}
control_fwctl_load() { timed "$FWCTL" load r0 -r "$(control_fwctl_file "$1" "$2")"; }
control_fwctl_change() { timed "$FWCTL" apply "$(control_fwctl_file "$@")"; }

# Live sets are loaded and changed without the rules, which stand there.
control_fwctl_live_clear() { in_peer "$FWCTL" unload --all; }
control_fwctl_live_load() {
	wall_fwctl_live 0 >"$LOG" 2>&1
	printf 'set list { type prefix; live; timeout 1h; size %d }\npolicy bench {\n\tingress default pass {\n\t\tdrop from @list\n\t}\n}\n' \
		$(($2 + 1000)) >"$LAB_DIR/live.fw"
	in_peer "$FWCTL" apply "$LAB_DIR/live.fw" >"$LOG" 2>&1 && timed "$FWCTL" set add list -f "$(texts_hosts "$2")"
}
control_fwctl_live_change() { timed "$FWCTL" set add list "$(another "$3")"; }

control_nft_clear() { in_peer nft flush ruleset; }
control_nft_load() {
	need nft >"$LOG" && if [ "$1" = rules ]; then timed nft -f "$(control_rules netdev "$2")"; else timed nft -f "$(texts_set netdev "$2")"; fi
}
control_nft_change() {
	if [ "$1" = rules ]; then
		timed nft add rule netdev bench in ip saddr "$(another "$3")" drop
	else
		timed nft add element netdev bench s "{ $(another "$3") }"
	fi
}

iptables_clear() { in_peer "iptables-$1" -t raw -F; }
iptables_load() { need "iptables-$1-restore" >"$LOG" && timed "iptables-$1-restore" "$(control_rules iptables "$2")"; }
iptables_change() { timed "iptables-$1" -t raw -A PREROUTING -s "$(another "$2")" -j DROP; }
control_iptables_legacy_clear() { iptables_clear legacy; }
control_iptables_legacy_load() { iptables_load legacy "$2"; }
control_iptables_legacy_change() { iptables_change legacy "$3"; }
control_iptables_nft_clear() { iptables_clear nft; }
control_iptables_nft_load() { iptables_load nft "$2"; }
control_iptables_nft_change() { iptables_change nft "$3"; }

control_ipset_clear() { in_peer ipset destroy; }
control_ipset_load() { need ipset >"$LOG" && timed ipset restore -f "$(texts_set ipset "$2")"; }
control_ipset_change() { timed ipset add s "$(another "$3")"; }

# xdp-filter takes one address per command.
control_xdp_filter_clear() { in_peer_bpffs xdp-filter unload r0; }
control_xdp_filter_load() { stopwatch wall_xdp_filter ipv4,ipv6 "$2" hit; }
control_xdp_filter_change() { stopwatch in_peer_bpffs xdp-filter ip -m src "$(another "$3")"; }

control_bpfilter_clear() { in_peer_bpffs bfcli ruleset flush; }
control_bpfilter_load() {
	local file
	need bfcli >"$LOG" || return
	if [ "$1" = rules ]; then file=$(control_rules bpfilter "$2"); else file=$(texts_set bpfilter "$2"); fi
	stopwatch wall_bpfilter_file "$file"
}
# Its sets change with the program that asks them: everything is loaded anew.
control_bpfilter_change() { control_bpfilter_load "$@"; }

table_control() {
	local n tool rounds
	peer_new || bail "cannot make a veth pair"
	CHANGES=$([ -n "$QUICK" ] && echo 1 || echo 5)
	for n in 1000 10000 100000; do
		LOADS=$([ -n "$QUICK" ] && echo 1 || { [ $n -gt 10000 ] && echo 3 || echo 5; })
		for tool in fwctl nft iptables-legacy iptables-nft bpfilter; do
			[[ $n -gt 1000 && $tool = bpfilter ]] || control $tool rules $n "$tool rules"
		done
	done
	for n in 1000 10000 100000 1000000; do
		LOADS=$([ -n "$QUICK" ] && echo 1 || { [ $n -gt 10000 ] && echo 3 || echo 5; })
		for tool in fwctl fwctl-live nft ipset bpfilter; do
			control $tool set $n "$tool set"
		done
	done
	LOADS=1
	control xdp-filter set "$(xdp_filter_size)" "xdp-filter addresses"
}
