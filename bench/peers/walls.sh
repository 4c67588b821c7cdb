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
