#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The tour (as root): install what is missing, build, and show the firewall on real traffic between two namespaces.
# Everything happens in namespaces that go when this script ends. Ends with a status other than 0 when something is
# not as it says.
set -u
cd "$(dirname "$0")/.." || exit 1
if [ "$(id -u)" -ne 0 ]; then
	echo "demo: namespaces and BPF programs need root: sudo scripts/demo.sh" >&2
	exit 1
fi
if [ -z "${LAB_ISOLATED:-}" ]; then
	scripts/deps.sh build demo || exit 1
	echo "building (a minute the first time) …"
	if ! log=$(make -j"$(nproc)" all build/tests/net/tool_send 2>&1); then
		echo "$log" >&2
		exit 1
	fi
fi
. scripts/netns.sh
lab_isolate "$@"
lab_pair 1500

b='' g='' r='' z=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
	b=$'\e[1m' g=$'\e[32m' r=$'\e[31m' z=$'\e[0m'
fi
step=0 wrong=0
title() {
	step=$((step + 1))
	printf '\n%s%d. %s%s\n' "$b" "$step" "$*" "$z"
}
say() { printf '   %s\n' "$@"; }
# The command as typed on "server", where the firewall is, or on "client", then what it prints. KEEP: the lines wanted of
# it, as a filter.
KEEP="cat"
run() { # NAMESPACE COMMAND…
	local ns=$1 host=server status
	shift
	[ "$ns" = "$GEN" ] && host=client
	printf '   %s# %s\n' "$host" "$(typed "$@")"
	in_ns "$ns" "$@" 2>&1 | bash -c "$KEEP" | align | sed 's/^/      /'
	status=${PIPESTATUS[0]}
	KEEP="cat"
	return "$status"
}
# Columns for the eye: fwctl separates them with tabs where no terminal reads.
align() {
	awk -F '\t' '
		function flush(  i, j) {
			for (i = 1; i <= n; i++) {
				for (j = 1; j < cells[i]; j++)
					printf "%-*s  ", width[j], cell[i, j]
				print cell[i, cells[i]]
			}
			n = 0
			split("", width)
		}
		NF < 2 { flush(); print; next }
		{
			cells[++n] = NF
			for (j = 1; j <= NF; j++) {
				cell[n, j] = $j
				if (length($j) > width[j])
					width[j] = length($j)
			}
		}
		END { flush() }'
}
typed() {
	local a out=''
	for a in "$@"; do
		case $a in
		"$FWCTL") a=fwctl ;;
		*/tool_send) a=tool_send ;;
		*[\ \>\'\"]*) a="'$a'" ;;
		esac
		out+="$a "
	done
	printf '%s' "${out% }"
}
# expect WHAT COMMAND…: silent; the sentence is printed with a mark.
expect() {
	local what=$1
	shift
	if "$@" >/dev/null 2>&1; then
		printf '   %s✓ %s%s\n' "$g" "$what" "$z"
	else
		printf '   %s✗ %s%s\n' "$r" "$what" "$z"
		wrong=$((wrong + 1))
	fi
}
refuse() { ! "$@"; }
not() { ! "$@"; }
# A number of `fwctl stats --json`, below the first hook of the server's interface.
stat_of() { # JQ-FILTER
	fw stats r0 --json | jq -r "[.interfaces[0].hooks[0]$1 // 0][0]"
}
rule_of() { # LABEL
	stat_of ".rules[] | select(.id == \"$1\") | .packets"
}
same() { [ "$1" = "$2" ]; }
more() { [ "$1" -gt "$2" ]; }

# Services on the server: a small web site, the same again on a port nobody should see, and a UDP listener.
site() {
	while :; do
		printf 'HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nhello\n' | nc -N -l "$1" >/dev/null
	done
}
# With a process namespace of its own, so that none of its children outlives it.
service() { # SCRIPT
	background nsenter --net="/run/netns/$RCV" unshare --pid --fork --kill-child bash -c "$1" </dev/null >/dev/null 2>&1
}
start_services() {
	service "$(declare -f site); site 80"
	service "$(declare -f site); site 8080"
	service "exec nc -u -l -k 9999 >'$LAB_DIR/udp.txt'"
	wait_for 5 get 80 && wait_for 5 get 8080
}
get() { in_ns "$GEN" curl -s --max-time 1 "http://$LAB_RCV4:$1/"; }
# Each instance of the site serves one request, so a second try may be needed.
served() { wait_for 3 get "$1"; }
send() { in_ns "$GEN" "$LAB_ROOT/build/tests/net/tool_send" "$@"; }

cd "$LAB_DIR" && cp -R "$LAB_ROOT/rules" etc && cd etc || exit 1
start_services

title "Two hosts"
say "client $LAB_GEN4, $LAB_GEN6  ──veth──  server $LAB_RCV4, $LAB_RCV6 on r0"
say "The server has a web site on port 80, and by mistake the same on 8080."
expect "both ports answer" served 8080

title "A rule file"
say "rules/web.fw is one of those that ship. It carries its own tests:"
run "$RCV" "$FWCTL" check web.fw
expect "the file is right, and its tests pass" fw check web.fw

title "Load it"
run "$RCV" "$FWCTL" load r0 -r web.fw || exit 1
run "$RCV" "$FWCTL" status
expect "status is content" fw status

title "What is allowed arrives"
KEEP="grep transmitted" run "$GEN" ping -c 3 -i 0.2 -W 1 $LAB_RCV4
expect "ping" in_ns "$GEN" ping -c 1 -W 1 $LAB_RCV4
expect "ping over IPv6" in_ns "$GEN" ping -c 1 -W 1 $LAB_RCV6
run "$GEN" curl -s --max-time 2 "http://$LAB_RCV4/"
expect "the web site" served 80

title "What is forbidden does not"
dropped=$(stat_of .verdicts.drop.packets)
run "$GEN" curl -sS --max-time 1 "http://$LAB_RCV4:8080/"
expect "port 8080 is silent" not get 8080
printf '   client# echo secret | nc -u -w 1 %s 9999\n' $LAB_RCV4
in_ns "$GEN" bash -c "echo secret | nc -u -w 1 $LAB_RCV4 9999"
expect "the UDP listener heard nothing" not grep -q secret "$LAB_DIR/udp.txt"
KEEP="grep transmitted" run "$GEN" ping -c 1 -W 1 -s 3000 $LAB_RCV4
say "(three fragments: the first is an echo request; the others have no ICMP type, so no rule lets them in)"
send -d $LAB_RCV_MAC g0 "tcp $LAB_GEN4:4000 -> $LAB_RCV4:3306 flags S vlan 7"
say "client sends a SYN to port 3306 under VLAN tag 7, and one with SYN and FIN"
send -d $LAB_RCV_MAC g0 "tcp $LAB_GEN4:4000 -> $LAB_RCV4:80 flags SF"
send g0 "hex $(printf '02000000770202000000770181000007810000088100000908004500001c000000004011')$(printf '%052d' 0)"
say "client sends a frame under three VLAN tags"
expect "all of it was dropped, and counted" more "$(stat_of .verdicts.drop.packets)" $((dropped + 6))
expect "the three tags under a reason of their own" same "$(stat_of '.reasons["vlan-depth"].packets')" 1

title "What was counted"
run "$RCV" "$FWCTL" stats r0
KEEP="awk -F '\t' '\$1 == \"  rule\" && \$3 > 0'" run "$RCV" "$FWCTL" stats r0 --rules
say "(of the rules, those that matched something)"

title "Why?"
KEEP="head -n 7; echo …" run "$RCV" "$FWCTL" explain web.fw "tcp $LAB_GEN4:4000 -> $LAB_RCV4:8080"

title "Change the file, apply it"
say "Fragmented pings shall pass, and 8080 shall be public after all:"
sed 's/^\(\t*\)pass proto icmp type { echo-request, echo-reply } label "ping"/&\n\1pass proto icmp frag later label "ping fragments"/;
	s/port { 80, 443 } label "web"/port { 80, 443, 8080 } label "web"/' web.fw >web2.fw
diff web.fw web2.fw | sed 's/^/      /'
web=$(rule_of web)
run "$RCV" "$FWCTL" apply web2.fw
KEEP="grep transmitted" run "$GEN" ping -c 1 -W 1 -s 3000 $LAB_RCV4
expect "fragmented pings pass" in_ns "$GEN" ping -c 1 -W 1 -s 3000 $LAB_RCV4
expect "port 8080 answers" served 8080
expect "the counter of rule \"web\" went on from $web" more "$(rule_of web)" "$web"

title "Swap rules under load"
say "A flood of pings, and twenty changes of rules meanwhile:"
flood() { in_ns "$GEN" ping -q -f -w "$1" -W 1 $LAB_RCV4 >"$LAB_DIR/flood.txt" 2>&1; }
lossless() { grep -q ' 0% packet loss' "$LAB_DIR/flood.txt"; }
flood 5 &
pinger=$!
for i in $(seq 10); do
	fw apply web.fw >/dev/null && fw apply web2.fw >/dev/null || wrong=$((wrong + 1))
done
wait $pinger
grep 'packets transmitted' "$LAB_DIR/flood.txt" | sed 's/^/      /'
expect "no packet was lost" lossless
run "$RCV" "$FWCTL" status

title "kill -9 in the middle"
say "The same flood, and twenty times an apply that is killed at another moment:"
flood 5 &
pinger=$! killed=0
for i in $(seq 20); do
	file=web.fw
	[ $((i % 2)) = 0 ] && file=web2.fw
	nsenter --net="/run/netns/$RCV" "$FWCTL" apply $file >/dev/null 2>&1 &
	victim=$!
	sleep "0.0$((RANDOM % 5))$((RANDOM % 10))"
	kill -9 $victim 2>/dev/null
	wait $victim 2>/dev/null
	[ $? -eq 137 ] && killed=$((killed + 1))
done
wait $pinger
grep 'packets transmitted' "$LAB_DIR/flood.txt" | sed 's/^/      /'
say "$killed of 20 died before they were done"
expect "some did" more $killed 0
expect "no packet was lost" lossless
expect "the filter stands" fw status
expect "the next command works" fw apply web2.fw
run "$RCV" "$FWCTL" apply web.fw
expect "port 8080 is silent again" not get 8080

title "Take it off"
run "$RCV" "$FWCTL" unload r0
expect "everything passes again" served 8080
expect "nothing is left behind" same "$(find /sys/fs/bpf/fwctl -type f 2>/dev/null | wc -l)" 0

if [ $wrong -gt 0 ]; then
	printf '\n%s%d of these claims did not hold.%s\n' "$r" $wrong "$z"
	exit 1
fi
printf '\nAll of it held. Next: README.md, and sudo scripts/test.sh\n'
