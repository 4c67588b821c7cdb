#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What stands in bpffs is not trusted: squatted, foreign, of the wrong type, corrupt. A clear sentence, exit 1, nothing changed.
. "$(dirname "$0")/../../scripts/netns.sh"
lab_isolate "$@"
cd "$LAB_ROOT" || exit 1
PROBE=build/tests/net/tool_probe
[ -x "$FWCTL" ] && [ -x $PROBE ] || bail "the tools are not built"
command -v bpftool >/dev/null || {
	skip "pins" "bpftool is not installed"
	lab_done
}
A=$LAB_DIR/a.fw B=$LAB_DIR/b.fw ROOT=/sys/fs/bpf/fwctl
OLD="PDDP PDDP" OPEN="PPPP PPPP"
rules() { # PASSED-PORT DROPPED-PORT
	cat <<-EOR
		policy p {
			ingress default drop {
				drop proto udp to port { $2, 4003 }
				pass proto udp to port { $1, 4004, 5000 }
			}
		}
		interface r0 uses p
	EOR
}
rules 4001 4002 >"$A"
rules 4002 4001 >"$B"
ask() { $PROBE ask "$GEN:g0" "$RCV:r0" 4001 4002 4003 4004 2>&1; }
verdicts() { # WANT SENTENCE
	local got
	got=$(ask)
	[ "$got" = "$1" ]
	ok $? "$2"
	[ "$got" = "$1" ] || note "verdicts \"$got\", not \"$1\""
}
tree() { find /sys/fs/bpf/fwctl* -printf '%p %y %m %u %l\n' 2>/dev/null | sort; }
# Every command that reads or changes state refuses, and changes nothing.
all_refuse() { # WORDS WHAT COMMANDS: load apply status unload
	local words=$1 what=$2 before cmd
	before=$(tree)
	for cmd in $3; do
		case $cmd in
		load) refuses 1 "$words" "$what: load refuses" fw load r0 -r "$A" ;;
		apply) refuses 1 "$words" "$what: apply refuses" fw apply "$B" ;;
		status) refuses 1 "$words" "$what: status says so" fw status ;;
		stats) refuses 1 "$words" "$what: stats says so" fw stats ;;
		esac
	done
	[ "$(tree)" = "$before" ]
	ok $? "$what: nothing is changed in bpffs"
}

lab_pair
mkdir "$ROOT" && chmod 0755 "$ROOT"
all_refuse 'mode 0755|not trust' "a directory open to others" "load status"
rmdir "$ROOT"
mkdir "$ROOT" && chmod 0700 "$ROOT" && chown 65534 "$ROOT"
all_refuse 'user 65534|not trust' "a directory of somebody else" "load status"
rmdir "$ROOT"
mkdir -m 0700 /sys/fs/bpf/elsewhere && ln -s /sys/fs/bpf/elsewhere "$ROOT"
all_refuse 'not a directory|not trust' "a symbolic link for the directory" "load status"
rm "$ROOT" && rmdir /sys/fs/bpf/elsewhere
bpftool map create "$ROOT" type array key 4 value 4 entries 1 name squatter
all_refuse 'not a directory|not trust' "a map in place of the directory" "load status"
rm "$ROOT"
[ "$(ask)" = "$OPEN" ]
ok $? "after all these refusals nothing is filtered"

# One pin after another is replaced by something else.
paths() { (cd "$ROOT" && find . -mindepth 1 -type f | sort); }
fw load r0 -r "$A" >/dev/null
count=$(paths | wc -l)
[ "$count" -ge 4 ]
ok $? "a loaded interface has $count pins"
fw unload r0 >/dev/null
# replace KIND: what takes the pin's place
replace() { # KIND PATH
	case $1 in
	map) bpftool map create "$2" type hash key 8 value 8 entries 1 name squatter ;;
	array) bpftool map create "$2" type array key 4 value 16 entries 1 name squatter ;;
	directory) mkdir "$2" ;;
	link) ln -s /sys/fs/bpf/nothing "$2" ;;
	program) bpftool prog load build/bpf/fw_xdp.bpf.o "$2" type xdp ;;
	esac
}
for kind in map array directory link program missing; do
	for ((i = 1; i <= count; i++)); do
		fw load r0 -r "$A" >/dev/null 2>&1 || bail "cannot load"
		pin=$(paths | sed -n "${i}p")
		name=$(sed 's/[0-9][0-9]*/N/g' <<<"${pin#./}")
		# Keep the object alive, as a crash of nobody would.
		mv "$ROOT/$pin" /sys/fs/bpf/kept
		if [ $kind != missing ] && ! replace $kind "$ROOT/$pin" 2>"$LAB_DIR/err"; then
			skip "$kind for $name" "$(tail -n 1 "$LAB_DIR/err")"
			mv /sys/fs/bpf/kept "$ROOT/$pin"
			fw unload r0 >/dev/null 2>&1
			continue
		fi
		out=$(fw apply "$B" 2>&1)
		status=$?
		got=$(ask)
		# Refused with the old rules in force, or repaired with the new ones: never a crash, never no filter.
		if [ $status -eq 1 ] && [ -n "$out" ] && [ "$got" = "$OLD" ]; then
			good=0
		elif [ $status -eq 0 ] && [ "$got" = "DPDP DPDP" ]; then
			good=0
		elif [ $status -eq 1 ] && [ "${name##*/}" = xdp_link ] && [ "$got" = "DPDP DPDP" ] &&
			grep -q 'the rules were applied, but r0 is degraded' <<<"$out"; then
			# The program runs on without its pin. It gets the new rules, and the command says what is wrong.
			good=0
		elif [ $kind = missing ] && [ "${name##*/}" = info ] && [ $status -eq 1 ] && [ -n "$out" ] && [ "$got" = "$OPEN" ]; then
			# The record of an interface is what says that it is loaded: without it an unload was begun, and is finished.
			good=0
		else
			good=1
		fi
		ok $good "$kind for pin $name: apply ends with $status and the filter holds"
		[ $good -eq 0 ] || note "verdicts \"$got\": $out"
		fw status >"$LAB_DIR/out" 2>&1
		[ $? -le 1 ] && [ -s "$LAB_DIR/out" ]
		ok $? "$kind for pin $name: status answers"
		# Back in place, all is well again; or the repair has to be complete.
		rm -rf "${ROOT:?}/$pin" 2>/dev/null || rmdir "$ROOT/$pin" 2>/dev/null
		[ -d "$(dirname "$ROOT/$pin")" ] && mv /sys/fs/bpf/kept "$ROOT/$pin" 2>/dev/null
		rm -f /sys/fs/bpf/kept
		check "$kind for pin $name: unload works when it is back" fw unload --all
		rm -rf "${ROOT:?}"/* 2>/dev/null
		[ "$(ask)" = "$OPEN" ] || bail "still filtered after unload"
	done
done

# Bytes inside a pin that is right in shape.
fw load r0 -r "$A" >/dev/null
corrupt() { # NAME BYTE-OFFSET: overwrite the map's first bytes
	local id=$1 value=$2
	bpftool map update id "$id" key 0 0 0 0 value $value
}
ctl=$(find "$ROOT" -name ctl | head -n 1)
corrupt_value() { # MAP-PIN LENGTH
	yes 255 | head -n "$2" | tr '\n' ' '
}
ctl_bytes=$(bpftool -j map show pinned "$ctl" | jq .bytes_value)
if bpftool map update pinned "$ctl" key 0 0 0 0 value $(corrupt_value "$ctl" "$ctl_bytes") 2>/dev/null; then
	out=$(fw apply "$B" 2>&1)
	status=$?
	[ $status -le 1 ] && [ -n "$out" ]
	ok $? "a control word full of 0xff: apply ends with $status and a sentence"
	note "$out"
	got=$(ask)
	[ "$got" != "$OPEN" ]
	ok $? "a control word full of 0xff does not open the filter (\"$got\")"
	fw status >"$LAB_DIR/out" 2>&1
	[ $? -le 1 ]
	ok $? "status answers"
	check "unload works" fw unload --all
	verdicts "$OPEN" "and nothing is filtered"
else
	skip "a control word full of 0xff" "bpftool cannot write it"
fi
lab_done
