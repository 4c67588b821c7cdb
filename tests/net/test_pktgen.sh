#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# scripts/pktgen.sh says no in one sentence, and in time: before it touches the packet generator. What it sends is tested where
# Linux has one, in tests/vm/test_pktgen.sh.
. "$(dirname "$0")/../../scripts/netns.sh"
lab_isolate "$@"
cd "$LAB_ROOT" || exit 1
lab_pair
pg() { in_ns "$GEN" scripts/pktgen.sh "$@"; }
# says STATUS WORDS SENTENCE COMMAND…: as refuses, and nothing else is said.
says() {
	local want=$1 words=$2 what=$3 out status
	shift 3
	out=$("$@" 2>&1)
	status=$?
	[ $status -eq "$want" ] && [[ $out =~ ^pktgen:\ [^$'\n']*$ ]] && [[ $out =~ $words ]]
	ok $? "$what"
	[[ $status -eq $want && $out =~ $words ]] || note "wanted exit $want and /$words/; got exit $status: $out"
}

refuses 2 'pktgen.sh IFACE \[OPTION\]' "no interface: the usage" pg
refuses 2 'pktgen.sh IFACE \[OPTION\]' "an option in its place: the usage" pg -6
says 2 'no option -q' "an unknown option" pg g0 -q
says 2 '-r needs a value' "an option without its value" pg g0 -r
says 2 '-r is a number from 1 ' "a rate of nothing" pg g0 -r 0
says 2 '-r is a number .*1e6' "a rate that is none" pg g0 -r 1e6
says 2 '-n is a number from 1 to 60000' "too many flows" pg g0 -n 60001
says 2 '-t is a number from 1 to 3600' "no end" pg g0 -t 0
says 2 '-s is a number from 60' "a frame too short" pg g0 -s 59
says 2 'at least 78 bytes, not 77' "a frame too short for IPv6" pg g0 -6 -s 77
says 2 '-d is an IPv4 address, not "10.0.0.256"' "an address that is none" pg g0 -d 10.0.0.256
says 2 '-d is an IPv4 address' "an address of the other family" pg g0 -d fd00::1
says 2 '-d is an IPv6 address' "and the other way round" pg g0 -d 10.0.0.1 -6
says 2 '-f is an IPv6 address' "an IPv6 address that is none" pg g0 -6 -f fd00::1::2
says 2 'FIRST-LAST for IPv4 only' "a range of IPv6 sources" pg g0 -6 -f fd00::1-fd00::2
says 2 'FIRST-LAST' "a range with three ends" pg g0 -f 10.0.0.1-10.0.0.2-10.0.0.3
says 2 '-m is a MAC address' "a MAC address that is none" pg g0 -m 02:00:00:00:00
says 2 'exclude each other' "two far ends" pg g0 -c g0 -C 'echo 1'
says 2 'one interface at a time; what is "g1"' "two interfaces" pg g0 g1
says 1 'no interface nosuch0 in this network namespace' "an interface that does not exist" pg nosuch0
says 1 'no interface r0 in this network namespace' "one of another namespace" pg r0
says 1 'lo is no Ethernet interface' "a device without Ethernet header" pg lo
says 1 'does not fit into the MTU of g0, 1500' "a frame larger than the interface takes" pg g0 -s 1515
ip -n "$GEN" link set g0 down
says 1 'g0 is down' "an interface that is down" pg g0
ip -n "$GEN" link set g0 up
nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups bash -s -- "$@" <scripts/pktgen.sh; }
says 1 'only root' "a user who is not root" nobody lo

if [ -e /proc/net/pktgen/pgctrl ] || modprobe -nq pktgen 2>/dev/null; then
	skip "a kernel without the module" "this kernel has it"
else
	says 1 "Linux $(uname -r) has no module pktgen" "a kernel without the module" pg g0 -t 1
fi
lab_done
