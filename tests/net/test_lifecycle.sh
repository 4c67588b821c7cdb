#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# From load to unload: what survives, what goes, what is refused, odd interfaces, odd names, two commands at once.
. "$(dirname "$0")/../../scripts/netns.sh"
lab_isolate "$@"
cd "$LAB_ROOT" || exit 1
PROBE=build/tests/net/tool_probe
[ -x "$FWCTL" ] && [ -x $PROBE ] || bail "the tools are not built"
A=$LAB_DIR/a.fw B=$LAB_DIR/b.fw E=$LAB_DIR/e.fw
OLD="PDDP PDDP" NEW="DPDP DPDP" OPEN="PPPP PPPP"

rules() { # PASSED-PORT DROPPED-PORT MORE-BLOCKS
	cat <<-EOR
		policy p {
			ingress default drop {
				drop proto udp to port { $2, 4003 } label "not wanted"
				pass proto udp to port { $1, 4004, 5000 } label "wanted"
			}
			$3
		}
		interface r0 uses p
	EOR
}
rules 4001 4002 >"$A"
rules 4002 4001 >"$B"
rules 4001 4002 'egress default pass { drop proto udp to port 7000 label "out" }' >"$E"
ask() { $PROBE ask "$GEN:g0" "$RCV:r0" 4001 4002 4003 4004 2>&1; }
pins() { find /sys/fs/bpf/fwctl -mindepth 1 2>/dev/null; }
verdicts() { # WANT SENTENCE
	local got
	got=$(ask)
	[ "$got" = "$1" ]
	ok $? "$2"
	[ "$got" = "$1" ] || note "verdicts \"$got\", not \"$1\""
}
fresh() {
	lab_pair "${1:-1500}"
}
forget() {
	fw unload --all >/dev/null 2>&1
	ns_del "$GEN"
	ns_del "$RCV"
}

# ---- without bpffs ----
umount /sys/fs/bpf
fresh
check "load mounts a missing bpffs" fw load r0 -r "$A"
verdicts "$OLD" "the filter survives the end of the command"
[ "$(stat -f -c %T /sys/fs/bpf)" = bpf_fs ]
ok $? "bpffs is mounted"
[ "$(stat -c '%a %u' /sys/fs/bpf/fwctl)" = "700 0" ]
ok $? "the pin directory belongs to root, 0700"

# ---- idempotence and apply ----
one=$(fw status --json)
check "load again changes nothing" fw load r0 -r "$A"
[ "$(fw status --json)" = "$one" ]
ok $? "and status is the same to the last letter"
check "apply of the same file" fw apply "$A"
[ "$(fw status --json)" = "$one" ]
ok $? "changes nothing either"
check "apply of another file" fw apply "$B"
verdicts "$NEW" "switches the rules"
check "dry run" fw apply --dry-run "$A"
verdicts "$NEW" "a dry run switches nothing"
echo 'policy p { ingress default drop { pass proto udp to prot 1 } }' >"$LAB_DIR/bad.fw"
refuses 2 'bad.fw:1:[0-9]+' "a mistake is told with its place" fw apply "$LAB_DIR/bad.fw"
verdicts "$NEW" "and the rules stay"
check "apply adds an egress block" fw apply "$E"
fw status --json | grep -q tc-egress
ok $? "and its hook appears"
check "apply takes it away" fw apply "$A"
fw status --json | grep -q tc-egress
ok $((! $?)) "and its hook goes"
verdicts "$OLD" "the ingress rules obey all the while"
check "status of a healthy interface" fw status

# ---- the interface goes and comes back ----
ip -n "$GEN" link del g0
refuses 1 'gone|no longer|does not exist|disappeared' "status says that the interface is gone" fw status
veth_up "$GEN" "$RCV"
refuses 1 'r0' "a new interface of that name is not filtered, and status says so" fw status
verdicts "$OPEN" "and it is not, indeed"
check "load puts it under the rules again" fw load r0 -r "$A"
verdicts "$OLD" "and they hold"
check "status is healthy again" fw status
ip -n "$GEN" link del g0
check "unload by its former name" fw unload r0
[ -z "$(pins)" ]
ok $? "leaves nothing in bpffs"
[ -z "$(pins)" ] || note "$(pins)"
forget

# ---- the namespace goes ----
fresh
fw load r0 -r "$E" >/dev/null
gone=$RCV
ns_del "$RCV"
ns_del "$GEN"
wait_for 5 test ! -e "/run/netns/$gone"
fresh
check "another namespace loads its own" fw load r0 -r "$B"
verdicts "$NEW" "and has its own rules"
check "unload --all" fw unload --all
[ -z "$(pins)" ]
ok $? "removes also what the vanished namespace left"
[ -z "$(pins)" ] || note "$(pins)"
verdicts "$OPEN" "nothing is filtered after unload --all"
forget

# ---- what is refused ----
fresh
refuses 1 'no such|not exist|no interface|cannot find' "an interface that does not exist" fw load nosuch0 -r "$A"
in_ns "$RCV" ip tuntap add dev tun0 mode tun
in_ns "$RCV" ip link set tun0 up
refuses 1 'ethernet' "a device without Ethernet header" fw load tun0 -r "$A"
[ -z "$(pins)" ]
ok $? "a refusal leaves nothing"
foreign_xdp() { # a program of somebody else, that passes everything
	ip -n "$RCV" link set dev r0 xdpdrv obj "$LAB_ROOT/build/bpf/foreign.bpf.o" sec xdp
}
if foreign_xdp; then
	refuses 1 'another XDP program.*foreign_pass.*id [0-9]+' "another XDP program is named" fw load r0 -r "$A"
	in_ns "$RCV" ip -d link show r0 | grep -q 'prog/xdp'
	ok $? "and left alone"
	check "TC is still free" fw load r0 -r "$A" --hook tc
	verdicts "$OLD" "and filters"
	fw unload r0 >/dev/null
	ip -n "$RCV" link set dev r0 xdpdrv off
else
	skip "another XDP program is named" "cannot attach one here"
fi
forget

# ---- modes ----
fresh 9000
check "MTU 9000, native" fw load r0 -r "$A" --mode native
verdicts "$OLD" "native XDP filters jumbo interfaces"
in_ns "$GEN" ping -c 1 -W 1 -s 8000 $LAB_RCV4 >/dev/null
ok $((! $?)) "an echo of 8,000 bytes is dropped by default"
fw unload r0 >/dev/null
check "generic on request" fw load r0 -r "$A" --mode generic
fw status --json | grep -q '"generic"'
ok $? "status says generic"
verdicts "$OLD" "generic XDP filters"
fw unload r0 >/dev/null
# Bigger than any native mode takes: auto falls back and says so.
ip -n "$GEN" link set g0 mtu 65535
ip -n "$RCV" link set r0 mtu 65535
check "auto on an MTU of 65535" fw load r0 -r "$A"
verdicts "$OLD" "and filters"
forget

# ---- names ----
# Any byte that the kernel takes, fifteen of them. No shell ever sees one: the marks below would.
fresh
marks=$LAB_DIR/marks
mkdir "$marks"
names=('a;b' '$(x)' '`touch y`' '%s%n%x' "q'q\"q" $'tab\\n' 'über-ünter' $'\xff\xfe\x01' '-r' '*' 'x|y>z&' $'esc\e[31m' 'fifteen_bytes_x' '{}' '#0' '"' "\\")
for name in "${names[@]}"; do
	ip -n "$RCV" link add v0 type veth peer name v1
	if ! ip -n "$RCV" link set v0 name "$name" 2>/dev/null; then
		ip -n "$RCV" link del v0
		continue
	fi
	shown=$(printf %q "$name")
	(
		cd "$marks" && in_ns "$RCV" "$FWCTL" load -r "$A" -p p -- "$name" >"$LAB_DIR/out" 2>&1
	)
	status=$?
	ok $status "load an interface called $shown"
	[ $status -eq 0 ] || note "$(cat "$LAB_DIR/out")"
	grep -q '[^[:print:][:space:]]' "$LAB_DIR/out" <(fw status)
	ok $((! $?)) "nothing unprintable is printed for $shown"
	fw status --json | json_at interfaces 0 hooks 0 attached | grep -q true
	ok $? "status knows $shown"
	check "unload $shown" fw unload -- "$name"
	ip -n "$RCV" link del v1
done
[ -z "$(ls -A "$marks")" ] && [ -z "$(pins)" ]
ok $? "no name was run as a command, and no pin is left"
for name in '' '.' '..' 'a/b' 'sixteen_bytes_xx'; do
	refuses 2 '.' "an impossible name is refused: $(printf %q "$name")" fw load -r "$A" -p p -- "$name"
done
# The kernel takes no white space, so there is no such interface; the name is shown without harm.
for name in 'with space' $'with\nnewline'; do
	refuses 1 'no such interface' "no interface has white space in its name: $(printf %q "$name")" fw load -r "$A" -p p -- "$name"
done
forget

# ---- two at once ----
fresh
fw load r0 -r "$A" >/dev/null
# 0 and 1 are honest ends (the other one may have unloaded it); anything else is a crash.
worker() { # FIRST
	local i status
	for ((i = 0; i < 100; i++)); do
		case $(((i * 7 + $1) % 5)) in
		0) set -- "$1" apply "$A" ;;
		1) set -- "$1" apply "$B" ;;
		2) set -- "$1" load r0 -r "$A" ;;
		3) set -- "$1" status --json ;;
		4) if [ $((i % 10)) -eq 4 ]; then set -- "$1" unload r0; else set -- "$1" stats --json; fi ;;
		esac
		timeout 60 nsenter --net="/run/netns/$RCV" "$FWCTL" "${@:2}" >/dev/null 2>"$LAB_DIR/err.$1"
		status=$?
		[ $status -le 1 ] || echo "operation $i: ${*:2}: exit $status: $(cat "$LAB_DIR/err.$1")"
		[ $status -ne 1 ] || [ -s "$LAB_DIR/err.$1" ] || echo "operation $i: ${*:2}: refused without a word"
	done
}
worker 0 >"$LAB_DIR/w0" &
w0=$!
worker 3 >"$LAB_DIR/w3" &
w3=$!
LAB_PIDS+=($w0 $w3)
wait $w0 $w3
[ ! -s "$LAB_DIR/w0" ] && [ ! -s "$LAB_DIR/w3" ]
ok $? "200 operations of two commands at once end as they may"
[ ! -s "$LAB_DIR/w0" ] && [ ! -s "$LAB_DIR/w3" ] || note "$(head -5 "$LAB_DIR/w0" "$LAB_DIR/w3")"
check "then load works" fw load r0 -r "$A"
check "then apply works" fw apply "$B"
verdicts "$NEW" "then the rules hold"
check "then status is healthy" fw status
check "then unload works" fw unload r0
[ -z "$(pins)" ]
ok $? "and no pin is left"
[ -z "$(pins)" ] || note "$(pins)"
forget
lab_done
