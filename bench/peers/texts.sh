# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Rules and lists, the same for every firewall, in the words of each. Source this; files go to $LAB_DIR and are made once.
#
#   texts_hosts N       name of a file of N different addresses; the last is the one that the one flow comes from
#   texts_nets N        the same, N - 1 networks of 256 addresses and that address
#   texts_rules WHERE N [VERDICT]   name of a file of N five-tuple rules, one per host of texts_hosts; the last matches the flow
#   texts_set WHERE N   name of a file with one set of N hosts, of which everything is dropped
#
# WHERE: fwctl, netdev and prerouting (nft at these hooks; a table of family ip asks each packet less), iptables, ipset, bpfilter (at XDP of interface @IFINDEX@). VERDICT: drop, or pass behind a default drop.

flow_from=$LAB_GEN4 flow_to=$LAB_RCV4 # port 40000 to 9000, bench/vethgen.c

# Every address in 32.0.0.0/3 below 96.0.0.0 comes once in 2^30 steps, so none comes twice.
texts_hosts() { # N
	local file=$LAB_DIR/hosts.$1
	[ -e "$file" ] || {
		awk -v n="$1" -v x="$SEED" 'BEGIN {
			x %= 1073741824
			for (i = 1; i < n; i++) {
				x = (x * 1664525 + 1013904223) % 1073741824
				printf "%d.%d.%d.%d\n", 32 + int(x / 16777216), int(x / 65536) % 256, int(x / 256) % 256, x % 256
			}
		}'
		echo "$flow_from"
	} >"$file"
	echo "$file"
}

texts_nets() { # N
	local file=$LAB_DIR/nets.$1
	[ -e "$file" ] || {
		awk -v n="$1" -v x="$SEED" 'BEGIN {
			x %= 4194304
			for (i = 1; i < n; i++) {
				x = (x * 1664525 + 1013904223) % 4194304
				printf "%d.%d.%d.0/24\n", 32 + int(x / 65536), int(x / 256) % 256, x % 256
			}
		}'
		echo "$flow_from"
	} >"$file"
	echo "$file"
}

# What stands before and after the rules of a file.
texts_head() { # WHERE VERDICT
	local otherwise=accept
	[ "$2" = drop ] || otherwise=drop
	case $1 in
	fwctl)
		if [ "$2" = drop ]; then otherwise=pass; fi
		printf 'policy bench {\n\tessentials off\n\tingress default %s {\n' $otherwise
		;;
	netdev) printf 'table netdev bench {\n\tchain in {\n\t\ttype filter hook ingress device r0 priority 0; policy %s;\n' $otherwise ;;
	prerouting) printf 'table ip bench {\n\tchain in {\n\t\ttype filter hook prerouting priority raw; policy %s;\n' $otherwise ;;
	bpfilter) printf 'chain bench BF_HOOK_XDP{ifindex=@IFINDEX@} %s\n' "${otherwise^^}" ;;
	iptables) printf '*raw\n:PREROUTING %s [0:0]\n' "${otherwise^^}" ;;
	esac
}
texts_tail() { # WHERE
	case $1 in
	iptables) echo COMMIT ;;
	bpfilter) ;;
	*) printf '\t}\n}\n' ;;
	esac
}

texts_rules() { # WHERE N [VERDICT]
	local verdict=${3:-drop} file hosts
	file=$LAB_DIR/rules.$1.$2.$verdict
	hosts=$(texts_hosts "$2")
	[ -e "$file" ] || {
		texts_head "$1" "$verdict"
		awk -v where="$1" -v to="$flow_to" -v verdict="$verdict" '
			BEGIN { nft = verdict == "drop" ? "drop" : "accept"; ipt = toupper(nft) }
			where == "fwctl" { printf "\t\t%s proto udp from %s port 40000 to %s port 9000\n", verdict, $1, to; next }
			where == "bpfilter" { printf "rule ip4.saddr eq %s ip4.daddr eq %s ip4.proto eq udp meta.sport eq 40000 meta.dport eq 9000 counter %s\n", $1, to, ipt; next }
			where == "iptables" { printf "-A PREROUTING -s %s -d %s -p udp --sport 40000 --dport 9000 -j %s\n", $1, to, ipt; next }
			{ printf "\t\tip saddr %s ip daddr %s udp sport 40000 udp dport 9000 %s\n", $1, to, nft }' "$hosts"
		texts_tail "$1"
	} >"$file"
	echo "$file"
}

# An nft set, or a map to verdicts.
texts_nft_set() { # HEAD-WHERE FILE-OF-ADDRESSES KIND [timeout]
	texts_head "$1" drop | sed '/^\tchain/,$d'
	case $3 in
	hosts) printf '\tset s {\n\t\ttype ipv4_addr\n%s' "${4:+$'\t\tflags timeout\n\t\ttimeout 1h\n'}" ;;
	nets) printf '\tset s {\n\t\ttype ipv4_addr\n\t\tflags interval%s\n' "${4:+$',timeout\n\t\ttimeout 1h'}" ;;
	vmap) printf '\tmap s {\n\t\ttype ipv4_addr : verdict\n' ;;
	esac
	printf '\t\telements = {\n'
	awk -v kind="$3" '{ printf "%s%s,\n", $1, kind == "vmap" ? " : drop" : "" }' "$2"
	printf '\t\t}\n\t}\n'
	texts_head "$1" drop | sed -n '/^\tchain/,$p'
	printf '\t\tip saddr %s\n' "$([ "$3" = vmap ] && echo 'vmap @s' || echo '@s drop')"
	texts_tail "$1"
}

texts_set() { # WHERE N [KIND [timeout]]      KIND: hosts, nets, vmap
	local kind=${3:-hosts} list file
	file=$LAB_DIR/set.$1.$2.$kind${4:-}
	if [ "$kind" = nets ]; then list=$(texts_nets "$2"); else list=$(texts_hosts "$2"); fi
	[ -e "$file" ] || case $1 in
	fwctl) printf 'set list { type prefix; file "%s" }\npolicy bench {\n\tingress default pass {\n\t\tdrop from @list\n\t}\n}\n' "${list##*/}" ;;
	bpfilter)
		texts_head bpfilter drop
		echo "rule (ip4.saddr) in {"
		cat "$list"
		echo "} counter DROP"
		;;
	ipset)
		echo "create s hash:$([ "$kind" = nets ] && echo net || echo ip) family inet hashsize $(texts_hashsize "$2") maxelem $(($2 + 1000))"
		sed 's/^/add s /' "$list"
		;;
	*) texts_nft_set "$1" "$list" "$kind" "${4:-}" ;;
	esac >"$file"
	echo "$file"
}

# Half the elements, as a power of two: ipset grows its tables to about that by itself.
texts_hashsize() { # N
	local size=1024
	while [ $((size * 2)) -lt "$1" ]; do
		size=$((size * 2))
	done
	echo $size
}
