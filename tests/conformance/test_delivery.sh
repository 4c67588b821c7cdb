#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Delivery: no crafted frame reaches what the rules forbid, and none is lost that they allow. The receiving stack is the judge.
#   FW_MUTATIONS=N   mutated frames per mode and rule set (default 20000)
. "$(dirname "$0")/../../scripts/netns.sh"
lab_isolate "$@"
cd "$LAB_ROOT" || exit 1
TOOL=build/tests/conformance/tool_deliver
MUTATIONS=${FW_MUTATIONS:-20000}
[ -x $TOOL ] || bail "$TOOL is not built"

# NAMES of the values in the tool's last line become variables: $cases $frames $arrived $violations …
deliver() { # EXPECTATION CORPUS MORE…
	local expect=$1 corpus=$2 out status
	shift 2
	out=$($TOOL -g "$GEN:g0" -r "$RCV:r0" -e "$expect" -c "$corpus" -b "$LAB_DIR/$corpus.$MTU" "$@" 2>&1)
	status=$?
	grep '^# ' <<<"$out"
	cases=0 frames=0 unsent=0 arrived=0 target_deliveries=0 answers=0 beyond_limits=0 violations=-1
	eval "$(grep -E '^cases=[0-9]+( [a-z_]+=[0-9]+)*$' <<<"$out" | tr ' ' '\n')"
	[ $status -lt 2 ] || note "$out"
	return $status
}

rules() { # NAME: its text is stdin
	cat >"$LAB_DIR/$1.fw"
}
rules deny <<'EOR'
policy deny {
	ingress default pass {
		drop proto udp to port 4000
		drop proto tcp to port 4000
		drop proto sctp to port 4000
		drop proto icmp type echo-request
		drop proto icmp6 type echo-request
	}
}
interface r0 uses deny
EOR
rules only <<'EOR'
policy only {
	ingress default drop {
		essentials off
		pass proto udp from 10.77.0.1 port 777 to 10.77.0.2 port 5000
	}
}
interface r0 uses only
EOR
rules flags <<'EOR'
policy flags {
	ingress default pass {
		drop proto tcp flags S/SA to port 4000
	}
}
interface r0 uses flags
EOR
rules pass <<'EOR'
policy pass {
	ingress default drop {
		pass proto { tcp, udp, sctp } to port { 4000, 5000 }
		pass proto icmp type echo-request
		pass proto icmp6 type echo-request
		pass frag later
	}
}
interface r0 uses pass
EOR

# What the receiver would take, and how much of it at a time.
lab() { # MTU
	MTU=$1
	lab_pair "$MTU"
	in_ns "$RCV" sysctl -qw net.ipv4.ipfrag_time=1 net.ipv6.ip6frag_time=1 net.ipv4.ipfrag_high_thresh=67108864 \
		net.ipv6.ip6frag_high_thresh=67108864 net.ipv4.icmp_ratelimit=0 net.ipv4.icmp_msgs_per_sec=100000
}
lab_end() {
	ns_del "$GEN"
	ns_del "$RCV"
}

control() { # CORPUS AT-LEAST
	deliver control "$1" ${3:+-n "$3"}
	local status=$?
	[ $status -eq 0 ] && [ "$unsent" -eq 0 ] && [ "$arrived" -ge "$2" ]
	ok $? "control, MTU $MTU: without a firewall Linux delivers $arrived of $cases $1 cases"
}

# The judge is not blind to a firewall: most of the corpus stops at nft, and not all of it.
control_nft() {
	command -v nft >/dev/null || {
		skip "control: nft" "nft is not installed"
		return
	}
	in_ns "$RCV" nft -f - <<-EOR
		table inet lab {
			chain input {
				type filter hook input priority 0
				udp dport 4000 drop
				tcp dport 4000 drop
				sctp dport 4000 drop
				icmp type echo-request drop
				icmpv6 type echo-request drop
			}
		}
	EOR
	deliver deny standard >/dev/null
	[ "$arrived" -lt 200 ] && [ "$violations" -ge 0 ]
	ok $? "control: the same rules in nft (inet input) let $arrived of $cases cases through"
	in_ns "$RCV" nft flush ruleset
}

# One mode: load once, then apply rule set after rule set.
mode() { # CORPUS NAME ARGUMENTS…
	local corpus=$1 name=$2 set
	shift 2
	check "$name: load" fw load r0 -r "$LAB_DIR/deny.fw" "$@" || return
	deliver deny "$corpus" -n "$MUTATIONS"
	ok $? "$name, drop the port: $violations of $cases $corpus cases and $frames frames delivered"
	for set in 1 2; do
		deliver deny "$corpus" -t $set
		ok $? "$name, drop the port, $set tags by offload: $violations of $cases $corpus cases delivered"
	done
	for set in only flags pass; do
		[ "$corpus $set" != "jumbo flags" ] || continue
		fw unload r0 >/dev/null
		check "$name: load the rules \"$set\"" fw load r0 -r "$LAB_DIR/$set.fw" "$@" || return
		case $set in
		only)
			deliver only "$corpus" -n "$MUTATIONS"
			ok $? "$name, pass only the marker: $violations of $cases $corpus cases and $frames frames delivered" ;;
		flags)
			deliver flags "$corpus"
			ok $? "$name, drop flags S/SA: of 512 flag bytes exactly the SYNs are missing ($violations wrong)" ;;
		pass)
			deliver pass "$corpus"
			ok $? "$name, pass: $violations of $cases $corpus cases lost; $beyond_limits stopped beyond a stated limit"
			if [ "$corpus" = standard ]; then
				deliver pass legal
				[ $? -eq 0 ] && [ "$beyond_limits" -eq 0 ] && [ "$arrived" -eq "$cases" ] && [ "$cases" -ge 200 ]
				ok $? "$name, pass: $arrived of $cases legal packets arrive"
			fi ;;
		esac
	done
	fw unload r0 >/dev/null
}

lab 1500
control standard 2000 2000
control legal 200
control_nft
if [ -x "$FWCTL" ]; then
	mode standard "XDP native" --mode native
	mode standard "XDP generic" --mode generic
	mode standard "TC" --hook tc
fi
lab_end
lab 9000
control jumbo 700
if [ -x "$FWCTL" ]; then
	mode jumbo "jumbo, XDP native" --mode native
	mode jumbo "jumbo, XDP generic" --mode generic
	mode jumbo "jumbo, TC" --hook tc
fi
lab_end
lab_done
