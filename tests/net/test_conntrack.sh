#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A second opinion on state: nft's conntrack is sent the same conversations, packet by packet, and must pass what fwctl passes. Where it means
# something else on purpose is written in conntrack_reasons.h, and counted.
#   FW_FRAMES (20000) packets; FW_SEED repeats a run.
. "$(dirname "$0")/../../scripts/netns.sh"
lab_isolate "$@"
cd "$LAB_ROOT" || exit 1
TOOL=build/tests/net/tool_conntrack
[ -x "$FWCTL" ] && [ -x $TOOL ] || bail "the tools are not built"
frames=${FW_FRAMES:-20000}
seed=${FW_SEED:-$(od -An -N4 -tu4 /dev/urandom)}
seed=$((seed))
echo "# seed $seed"
lab_pair

# A router between two ends that answer nothing: what comes in at one side leaves at the other, whatever its addresses are.
OUT=fwo$$ NFT=fwn$$ IN=fwi$$
ns_new $OUT && ns_new $NFT && ns_new $IN || bail "no namespaces"
side() { # NS END NAME NUMBER: NAME of the router leads to END of NS, by neighbours that nobody is
	ip -n "$1" link add "$2" type veth peer name "$3" netns $NFT address "02:00:00:00:90:0$4" && ip -n "$1" link set "$2" up &&
		ip -n $NFT link set "$3" up && ip -n $NFT addr add "10.9$4.0.1/24" dev "$3" && ip -n $NFT addr add "fd9$4::1/64" dev "$3" nodad &&
		ip -n $NFT neigh replace "10.9$4.0.9" lladdr 02:00:00:00:00:99 nud permanent dev "$3" &&
		ip -n $NFT neigh replace "fd9$4::9" lladdr 02:00:00:00:00:99 nud permanent dev "$3" || bail "no router"
}
side $OUT o0 n0 1
side $IN i0 n1 2
in_ns $NFT sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.conf.all.accept_local=1
for f in -4 -6; do
	ip -n $NFT $f rule add iif n0 lookup 100
	ip -n $NFT $f rule add iif n1 lookup 101
done
ip -n $NFT route add default via 10.92.0.9 dev n1 table 100
ip -n $NFT route add default via 10.91.0.9 dev n0 table 101
ip -n $NFT -6 route add default via fd92::9 dev n1 table 100
ip -n $NFT -6 route add default via fd91::9 dev n0 table 101
in_ns $NFT nft -f - <<'EOR' || { echo "1..0 # SKIP nft has no conntrack here"; exit 0; }
table inet f {
	chain marks { type filter hook prerouting priority -300; udp sport 777 notrack; }
	chain judge {
		type filter hook prerouting priority 0; policy drop;
		udp sport 777 accept
		ct state established,related accept
		iifname n0 ct state new tcp dport 22 accept
		iifname n0 ct state new udp dport 53 accept
		iifname n0 ct state new icmp type echo-request accept
		iifname n0 ct state new icmpv6 type echo-request accept
		iifname n1 ct state new tcp dport 80 accept
		iifname n1 ct state new udp dport 123 accept
		iifname n1 ct state new icmp type echo-request accept
		iifname n1 ct state new icmpv6 type echo-request accept
	}
}
EOR
# Nothing is taken up in mid-stream, windows are not checked, nor are checksums.
in_ns $NFT sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0 net.netfilter.nf_conntrack_tcp_be_liberal=1 net.netfilter.nf_conntrack_checksum=0

cat >"$LAB_DIR/host.fw" <<'EOR'
policy host {
	essentials off
	state { pickup off }
	ingress default drop {
		pass proto udp from port 777
		pass proto tcp to port 22 keep state
		pass proto udp to port 53 keep state
		pass proto icmp type echo-request keep state
		pass proto icmp6 type echo-request keep state
	}
	egress default drop {
		pass proto udp from port 777
		pass proto tcp to port 80 keep state
		pass proto udp to port 123 keep state
		pass proto icmp type echo-request keep state
		pass proto icmp6 type echo-request keep state
	}
}
EOR
check "load" fw load r0 -r "$LAB_DIR/host.fw" -p host
$TOOL $seed "$frames" $GEN:g0 "$RCV:r0" $OUT:o0 $IN:i0 >"$LAB_DIR/said" 2>&1
ok $? "$(grep -v '^#' "$LAB_DIR/said")"
grep '^#' "$LAB_DIR/said"

# The comparison can fail: a rule that nft alone has.
in_ns $NFT nft insert rule inet f judge udp dport 54 accept
! $TOOL $((seed + 1)) 3000 $GEN:g0 "$RCV:r0" $OUT:o0 $IN:i0 >/dev/null 2>&1
ok $? "control: with another rule they differ"
lab_done
