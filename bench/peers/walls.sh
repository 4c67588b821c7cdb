# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Firewalls on r0 of the namespace $NS. Source this after lab.sh and texts.sh. Each wall_ function sets one up and is
# silent, or says why not and fails.

export XTABLES_LOCKFILE=$LAB_DIR/xtables.lock

need() { # PROGRAM
	command -v "$1" >/dev/null || {
		echo "$1 is not installed"
		return 1
	}
}

wall_none() { :; }
wall_ref() { # PROGRAM [generic]
	in_peer "$VETH" attach "$1" r0 ${2:+"$2"}
}

wall_fwctl() { # HOOK FILE
	in_peer "$FWCTL" load r0 -r "$2" --hook "$1"
}
wall_fwctl_rules() { wall_fwctl "$1" "$(texts_rules fwctl "$2" "${3:-drop}")"; } # HOOK N [VERDICT]
wall_fwctl_set() { wall_fwctl xdp "$(texts_set fwctl "$@")"; }			 # N [KIND]

wall_nft_rules() { need nft && in_peer nft -f "$(texts_rules "$@")"; } # WHERE N [VERDICT]
wall_nft_set() { need nft && in_peer nft -f "$(texts_set "$@")"; }     # WHERE N [KIND]
wall_nft_drop() {						       # WHERE
	need nft && { texts_head "$1" drop; printf '\t\tdrop\n'; texts_tail "$1"; } | in_peer nft -f -
}

wall_iptables_rules() { # legacy|nft N [VERDICT]
	need "iptables-$1-restore" && in_peer "iptables-$1-restore" "$(texts_rules iptables "${@:2}")"
}

wall_ipset() { # N KIND
	need ipset && need iptables-legacy || return
	in_peer ipset restore -f "$(texts_set ipset "$@")" &&
		in_peer iptables-legacy -w -t raw -A PREROUTING -m set --match-set s src -j DROP
}

# xdp-filter keeps its maps below /sys/fs/bpf and knows no network namespaces: each has a bpffs of its own, which stays
# mounted in the laboratory, so that links in it live on.
in_peer_bpffs() { # COMMAND…
	local dir=$LAB_DIR/bpffs.$NS
	[ -d "$dir" ] || { mkdir "$dir" && mount -t bpf bpf "$dir"; } || return
	# shellcheck disable=SC2016 # for the inner shell
	in_peer unshare --mount --propagation private bash -c 'mount --bind "$0" /sys/fs/bpf && exec "$@"' "$dir" "$@"
}
wall_xdp_filter() { # FEATURES N WORD      the flow's source is the last of N addresses, when WORD is "hit"
	local hosts
	need xdp-filter && in_peer_bpffs xdp-filter load -m native -p allow -f "$1" r0 || return
	hosts=$(texts_hosts "$2")
	# shellcheck disable=SC2016
	in_peer_bpffs bash -c 'while read -r a; do xdp-filter ip -m src "$a" || exit; done <"$0"' \
		<(if [ "$3" = hit ]; then cat "$hosts"; else sed \$d "$hosts"; fi)
}

# bpfilter looks for interfaces in the namespace of its daemon where it has one (before 0.8), and pins below /sys/fs/bpf.
wall_bpfilter_file() { # FILE
	need bfcli || return
	sed "s/@IFINDEX@/$(in_peer cat /sys/class/net/r0/ifindex)/" "$1" >"$LAB_DIR/bpfilter"
	in_peer_bpffs bfcli ruleset set --from-file "$LAB_DIR/bpfilter"
}
wall_bpfilter() { # rules|set N
	need bfcli && wall_bpfilter_file "$("texts_$1" bpfilter "$2")"
}

# A generated rule set of five-tuple rules (bench_peers rules), and what stands around it.
wall_generated() { # WHERE FILE-PREFIX
	local file=$LAB_DIR/generated.$1 words=$1
	case $1 in
	prerouting) words=nft ;;
	iptables-*) words=iptables ;;
	esac
	{ texts_head "${1%%-*}" pass && cat "$2.$words" && texts_tail "${1%%-*}"; } >"$file"
	case $1 in
	fwctl) wall_fwctl xdp "$file" ;;
	prerouting) need nft && in_peer nft -f "$file" ;;
	iptables-*) need "$1-restore" && in_peer "$1-restore" "$file" ;;
	bpfilter) wall_bpfilter_file "$file" ;;
	esac
}

# Live sets, state and limits, in the words of each. The file of elements is that of a static set of the same size.
wall_fwctl_live() { # N [KIND]
	local list size=$(($1 + 1000))
	if [ "${2:-hosts}" = nets ]; then list=$(texts_nets "$1"); else list=$(texts_hosts "$1"); fi
	printf 'set list { type prefix; live; timeout 1h; size %d }\npolicy bench {\n\tessentials off\n\tingress default pass {\n\t\tdrop from @list\n\t}\n}\n' \
		$size >"$LAB_DIR/live.fw"
	wall_fwctl xdp "$LAB_DIR/live.fw" && in_peer "$FWCTL" set add list -f "$list"
}
wall_nft_live() { # N [KIND]
	need nft && in_peer nft -f "$(texts_set prerouting "$1" "${2:-hosts}" timeout)"
}
wall_ipset_live() { # N [KIND]
	need ipset && need iptables-legacy || return
	sed '1s/$/ timeout 3600/' "$(texts_set ipset "$1" "${2:-hosts}")" >"$LAB_DIR/live.ipset"
	in_peer ipset restore -f "$LAB_DIR/live.ipset" &&
		in_peer iptables-legacy -w -t raw -A PREROUTING -m set --match-set s src -j DROP
}

# A limit that no packet of these tables is over: what is timed is asking for it.
wall_limit() { # TOOL [per]
	local per=${2:+ per src}
	case $1 in
	fwctl)
		printf 'policy bench {\n\tessentials off\n\tingress default drop {\n\t\tpass proto udp to port 9000 limit 100000000/s burst 100000000%s\n\t}\n}\n' "$per" >"$LAB_DIR/limit.fw"
		wall_fwctl xdp "$LAB_DIR/limit.fw"
		;;
	nft)
		need nft && {
			printf 'table ip bench {\n'
			[ -z "$per" ] || printf '\tset m {\n\t\ttype ipv4_addr\n\t\tsize 100000\n\t\tflags dynamic,timeout\n\t\ttimeout 1m\n\t}\n'
			texts_head prerouting pass | sed 1d
			printf '\t\tudp dport 9000 %s accept\n' "$(if [ -n "$per" ]; then echo 'update @m { ip saddr limit rate 100000000/second burst 1000000 packets }'; else echo 'limit rate 100000000/second burst 1000000 packets'; fi)"
			texts_tail prerouting
		} | in_peer nft -f -
		;;
	iptables) # its own modules: limit and hashlimit know no rate above these
		need iptables-legacy || return
		in_peer iptables-legacy -w -t raw -P PREROUTING DROP || return
		if [ -n "$per" ]; then
			in_peer iptables-legacy -w -t raw -A PREROUTING -p udp --dport 9000 -m hashlimit --hashlimit-upto 1000000/s --hashlimit-burst 1000000 \
				--hashlimit-mode srcip --hashlimit-name m --hashlimit-htable-size 16384 --hashlimit-htable-max 100000 -j ACCEPT
		else
			in_peer iptables-legacy -w -t raw -A PREROUTING -p udp --dport 9000 -m limit --limit 10000/s --limit-burst 10000 -j ACCEPT
		fi
		;;
	esac
}

# A flow that the receiver opened, whose replies are what is sent here, and which has answered one: established to everybody. The address is
# the receiver's as long as that takes.
flow_open() {
	in_peer ip addr add $LAB_RCV4/32 dev r0 && in_peer ip route add $LAB_GEN4/32 dev r0 src $LAB_RCV4 &&
		in_peer ip neigh replace $LAB_GEN4 lladdr $LAB_GEN_MAC dev r0 || return
	in_peer timeout 5 nc -u -n -s $LAB_RCV4 -p 9000 -w 1 -q 0 $LAB_GEN4 40000 <<<one >/dev/null 2>&1
	"$VETH" send "$PAIR" one 64 >/dev/null || return
	in_peer timeout 5 nc -u -n -s $LAB_RCV4 -p 9000 -w 1 -q 0 $LAB_GEN4 40000 <<<two >/dev/null 2>&1
	in_peer ip addr del $LAB_RCV4/32 dev r0
}
wall_state() { # TOOL
	case $1 in
	fwctl)
		printf 'policy bench {\n\tessentials off\n\tingress default drop {\n\t\tpass proto tcp to port 22 keep state\n\t}\n\tegress default pass {\n\t\tpass keep state\n\t}\n}\n' >"$LAB_DIR/state.fw"
		wall_fwctl xdp "$LAB_DIR/state.fw" || return
		;;
	nft)
		need nft && {
			printf 'table ip bench {\n\tchain in {\n\t\ttype filter hook prerouting priority -150; policy drop;\n'
			printf '\t\tct state established accept\n\t}\n}\n'
		} | in_peer nft -f - || return
		;;
	iptables)
		need iptables-legacy || return
		in_peer iptables-legacy -w -t mangle -P PREROUTING DROP &&
			in_peer iptables-legacy -w -t mangle -A PREROUTING -m conntrack --ctstate ESTABLISHED -j ACCEPT || return
		;;
	esac
	flow_open
}
