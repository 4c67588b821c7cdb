#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Send UDP packets of many flows out of an interface with the kernel's packet generator (the module pktgen), and count both ends.
#   scripts/pktgen.sh IFACE [OPTION]…       as root, in the network namespace that IFACE is in
#     -r PPS      packets per second; default: as fast as it goes
#     -s SIZE     bytes of a frame without its checksum; default: the least, 60 for IPv4 and 78 for IPv6
#     -n FLOWS    so many flows, by source port, in turn: 1 to 60000; default 64
#     -t SECONDS  end after this time: 1 to 3600; default 10
#     -p PACKETS  or after so many packets; default with -r: PPS × SECONDS
#     -6          IPv6; default IPv4
#     -f ADDRESS  source; default: an address of IFACE. IPv4 may be FIRST-LAST, taken in turn: more flows
#     -d ADDRESS  destination; default: a neighbour of IFACE
#     -D PORT     destination port; default 9
#     -m MAC      destination's; default: what the neighbour table says
#     -c FAR      count what arrived at this interface: NAME, or NETNS:NAME as `ip netns` calls the namespace
#     -C COMMAND  or by the number that this command prints, asked before and after; it may ask another host
# Prints packets sent by pktgen, sent out by IFACE, and arrived at the far end. Bounded in time; nothing stays behind. Sends only where it
# is told to: choose a network that is yours.
set -u
export LC_ALL=C
PG=/proc/net/pktgen
usage() {
	sed -n '4,18s/^# //p' "$0" >&2
	exit 2
}
die() { # SENTENCE [STATUS]
	echo "pktgen: $1" >&2
	exit "${2:-1}"
}
number() { # OPTION VALUE LEAST MOST
	[[ $2 =~ ^[0-9]{1,12}$ ]] && [ "$((10#$2))" -ge "$3" ] && [ "$((10#$2))" -le "$4" ] ||
		die "$1 is a number from $3 to $4, not \"$2\"" 2
}
address() { # OPTION VALUE
	local form='^([0-9]{1,3}\.){3}[0-9]{1,3}$'
	[ "$family" = 4 ] || form='^[0-9a-fA-F:]*:[0-9a-fA-F:.]*$'
	# The kernel takes any text for an address; ip is more careful.
	[[ $2 =~ $form ]] && ip -"$family" neigh show to "$2" >/dev/null 2>&1 || die "$1 is an IPv$family address, not \"$2\"" 2
}

[ $# -ge 1 ] && [[ $1 != -* ]] || usage
iface=$1
shift
pps=0 size="" flows=64 seconds=10 packets="" family=4 from="" to="" port=9 mac="" far="" far_command=""
while getopts :r:s:n:t:p:6f:d:D:m:c:C: option; do
	case $option in
	r) number -r "$OPTARG" 1 100000000 && pps=$((10#$OPTARG)) ;;
	s) number -s "$OPTARG" 60 9014 && size=$((10#$OPTARG)) ;;
	n) number -n "$OPTARG" 1 60000 && flows=$((10#$OPTARG)) ;;
	t) number -t "$OPTARG" 1 3600 && seconds=$((10#$OPTARG)) ;;
	p) number -p "$OPTARG" 1 999999999999 && packets=$((10#$OPTARG)) ;;
	6) family=6 ;;
	f) from=$OPTARG ;;
	d) to=$OPTARG ;;
	D) number -D "$OPTARG" 1 65535 && port=$((10#$OPTARG)) ;;
	m) [[ $OPTARG =~ ^([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}$ ]] || die "-m is a MAC address, not \"$OPTARG\"" 2
		mac=$OPTARG ;;
	c) far=$OPTARG ;;
	C) far_command=$OPTARG ;;
	:) die "-$OPTARG needs a value" 2 ;;
	*) die "there is no option -$OPTARG" 2 ;;
	esac
done
shift $((OPTIND - 1))
[ $# -eq 0 ] || die "one interface at a time; what is \"$1\"?" 2
[ -z "$far" ] || [ -z "$far_command" ] || die "-c and -C exclude each other" 2
least=60
[ $family = 4 ] || least=78
[ "${size:=$least}" -ge $least ] || die "an IPv$family frame of pktgen has at least $least bytes, not $size" 2
[ -z "$to" ] || address -d "$to"
[[ $from != *-* ]] || { [ $family = 4 ] && [[ $from != *-*-* ]]; } || die "-f takes FIRST-LAST for IPv4 only" 2
for end in ${from/-/ }; do
	address -f "$end"
done
: "${packets:=$((pps * seconds))}"

[ "$(id -u)" -eq 0 ] || die "only root can use the kernel's packet generator"
device=$(ip -o link show dev "$iface" 2>/dev/null) || die "there is no interface $iface in this network namespace"
[[ $device =~ [\<,]UP[,\>] ]] || die "$iface is down"
[[ $device == *link/ether* ]] || die "$iface is no Ethernet interface"
[[ $device =~ \ mtu\ ([0-9]+) ]] && [ "$size" -le $((BASH_REMATCH[1] + 14)) ] ||
	die "a frame of $size bytes does not fit into the MTU of $iface, ${BASH_REMATCH[1]}"
[ -e $PG/pgctrl ] || modprobe pktgen 2>/dev/null || :
[ -e $PG/pgctrl ] || die "Linux $(uname -r) has no module pktgen here; scripts/vm.sh runs a kernel that has"
for thread in $PG/kpktgend_*; do
	! grep -qE '^(Running|Stopped): +[^ ]' "$thread" || die "pktgen is in use in this network namespace: ${thread##*/}"
done
thread=$PG/kpktgend_0

# Where to: the first neighbour of this family whose MAC address is known, unless the caller says.
neighbour=$(ip -"$family" neigh show ${to:+to "$to"} dev "$iface" 2>/dev/null | awk '$2 == "lladdr" { print $1, $3; exit }')
[ -n "$mac" ] || mac=${neighbour#* }
: "${to:=${neighbour% *}}"
[ -n "$to" ] && [ -n "$mac" ] || die "nothing is known of who is behind $iface${to:+ with address $to}: say -d ADDRESS -m MAC"
: "${from:=$(ip -"$family" -o addr show dev "$iface" scope global | awk '{ sub("/.*", "", $4); print $4; exit }')}"
[ -n "$from" ] || die "$iface has no IPv$family address: say -f ADDRESS"

# What an interface counted, in and out.
counted() { # NETNS-OR-NOTHING INTERFACE COLUMN
	local command=(cat /proc/net/dev)
	[ -z "$1" ] || command=(nsenter --net="/run/netns/$1" -- "${command[@]}")
	"${command[@]}" | awk -v i="$2:" -v c="$3" '{ sub(":", ": ") } $1 == i { print $(c + 1); found = 1 } END { exit !found }'
}
far_is_plain() { # the far interface is known and has no generic XDP
	local command=(ip -o link show dev "${far##*:}")
	[ -z "${netns:-}" ] || command=(nsenter --net="/run/netns/$netns" -- "${command[@]}")
	[ -n "$far" ] && command=$("${command[@]}") && [[ $command != *xdpgeneric* ]]
}
arrived() {
	if [ -n "$far" ]; then
		counted "${netns:-}" "${far##*:}" 2
	elif [ -n "$far_command" ]; then
		bash -c "$far_command"
	else
		echo 0
	fi
}
[[ $far != *:* ]] || netns=${far%%:*}
before=$(arrived 2>&1) && [[ $before =~ ^[0-9]+$ ]] || die "the far end, ${far:-$far_command}, cannot be counted: $before"

runner=""
cleanup() {
	[ -z "$runner" ] || kill "$runner" 2>/dev/null && wait "$runner" 2>/dev/null
	echo rem_device_all >$thread
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
set_to() { # FILE WORDS…: what the kernel does not take ends it all
	local file=$1
	shift
	echo "$*" 2>/dev/null >"$file" || die "pktgen does not take \"$*\" for $iface: $(grep -a '^Result' "$file" 2>/dev/null)"
}
dev=$PG/$iface
set_to $thread "add_device $iface"
set_to "$dev" "count $packets"
set_to "$dev" "pkt_size $size"
[ "$pps" -eq 0 ] || set_to "$dev" "ratep $pps"
set_to "$dev" "dst_mac $mac"
if [ $family = 6 ]; then
	set_to "$dev" "dst6 $to"
	set_to "$dev" "src6 $from"
else
	set_to "$dev" "dst_min $to"
	set_to "$dev" "dst_max $to"
	set_to "$dev" "src_min ${from%-*}"
	set_to "$dev" "src_max ${from#*-}"
fi
set_to "$dev" "flag UDPCSUM"
# Up to Linux 6.6 pktgen keeps a reference to what it sends, and the kernel panics where generic XDP meets such a packet: at the other
# end of a veth.
if grep -q SHARED "$dev"; then
	set_to "$dev" "flag !SHARED"
elif ip -d -o link show dev "$iface" | grep -q ' veth ' && ! far_is_plain; then
	die "Linux $(uname -r) may panic when pktgen sends into a veth with generic XDP behind it; -c must name its other end, without that"
fi
set_to "$dev" "udp_dst_min $port"
set_to "$dev" "udp_dst_max $port"
# The end of a range is not in it, unless it is also the beginning.
set_to "$dev" "udp_src_min 1024"
set_to "$dev" "udp_src_max $((flows > 1 ? 1024 + flows : 1024))"

out=$(counted "" "$iface" 10)
# Writing "start" takes until all is sent or a signal comes: the time limit holds even if this script is killed.
timeout --kill-after=5 "$seconds" bash -c "echo start >$PG/pgctrl" 2>/dev/null &
runner=$!
wait $runner
runner=""
# What a signal ends, ends a little later.
for ((try = 0; try < 250; try++)); do
	! grep -qE '^Result: OK: [0-9]+\(' "$dev" || break
	sleep 0.02
done
[ $try -lt 250 ] || die "$iface did not send: $(grep -a '^Result' "$dev")"
read -r sent errors < <(sed -n 's/.*pkts-sofar: \([0-9]*\) *errors: \([0-9]*\).*/\1 \2/p' "$dev")
rate=$(sed -n 's/^ *\([0-9]*\)pps .*/\1/p' "$dev")
# What is still under way, a moment; then it is lost.
out=$(($(counted "" "$iface" 10) - out))
end=$((SECONDS + 2))
while in=$(($(arrived) - before)) && [ -n "$far$far_command" ] && [ $in -lt $out ] && [ $SECONDS -lt $end ]; do
	sleep 0.02
done
printf 'IPv%s %s -> %s port %s, %s flows, %s bytes\n' $family "$from" "$to" "$port" "$flows" "$size"
printf '%-24s %12s\n' "sent by pktgen" "$sent" "sent out by $iface" "$out"
[ -z "$far$far_command" ] || printf '%-24s %12s\n' "arrived${far:+ at ${far##*:}}" "$in" "lost" $((sent - in))
printf '%-24s %12s\n' "errors" "$errors" "packets per second" "$rate"
[ "$sent" -gt 0 ]
