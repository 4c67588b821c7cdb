#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# top on a real terminal: tmux gives the screen and the keys, a veth pair the packets. Whatever is expected of the screen is waited
# for, never slept for.
. "$(dirname "$0")/../../scripts/netns.sh"
lab_isolate "$@"
cd "$LAB_ROOT" || exit 1
[ -x "$FWCTL" ] || bail "fwctl is not built"
command -v tmux >/dev/null || {
	echo "1..0 # SKIP no tmux"
	exit 0
}
lab_pair
unset TMUX NO_COLOR
export LC_ALL=C.UTF-8

RULES=$LAB_DIR/r.fw
rules() { # PORT-OF-BUSY [RULE]
	cat >"$RULES" <<END
set banned { type prefix; live; size 16 }
policy web {
	state { pickup off }
	ingress default drop {
		drop from @banned label "banned"
		pass proto udp to port 5300 keep state label "stateful"
		pass proto udp to port 5301 log label "told"
		pass proto udp to port $1 label "busy"
		pass proto udp to port 5303 label "evil$(printf '\033')[41m$(printf '\033')]0;owned$(printf '\a')"
		pass proto icmp label "ping"
		${2:-}
	}
	egress default pass { }
}
END
}

# The terminal. A shell stays behind when top ends, so that what it leaves can be looked at.
SOCKET=$LAB_DIR/tmux
screen_tmux() { tmux -S "$SOCKET" -f /dev/null "$@"; }
screen_open() { # COLUMNS ROWS [TERM]
	screen_tmux new-session -d -x "$1" -y "$2" "PS1='\$ ' exec bash --norc --noprofile" || bail "no tmux"
	screen_tmux set -g status off \; set -g default-terminal "${3:-screen-256color}" \; set -g window-size manual
	screen_resize "$1" "$2"
	TMUX_PID=$(screen_tmux display -p '#{pid}')
	LAB_PIDS+=("$TMUX_PID")
}
# The next server must not meet one that is just going.
screen_close() {
	screen_tmux kill-server
	wait_for 10 bash -c '! kill -0 $1' - "$TMUX_PID"
	rm -f "$SOCKET"
}
screen_resize() { screen_tmux resize-window -x "$1" -y "$2"; }
screen() { screen_tmux capture-pane -p; }
keys() { screen_tmux send-keys "$@"; }
shows_now() { screen | grep -qE -- "$1"; }
lacks_now() { ! shows_now "$1"; }
# shows SENTENCE REGEX, lacks SENTENCE REGEX: within ten seconds
shows() {
	wait_for 10 shows_now "$2"
	seen $? "$1"
}
lacks() {
	wait_for 10 lacks_now "$2"
	seen $? "$1"
}
seen() {
	ok "$1" "$2"
	[ "$1" -eq 0 ] || note "the screen:"$'\n'"$(screen)"
}
line_of() { screen | grep -nE -- "$1" | head -n 1 | cut -d: -f1; }
above_now() { # REGEX REGEX
	local a b
	a=$(line_of "$1") b=$(line_of "$2")
	[ -n "$a" ] && [ -n "$b" ] && [ "$a" -lt "$b" ]
}
above() {
	wait_for 10 above_now "$2" "$3"
	seen $? "$1"
}
top_start() { # ARGUMENT…
	keys "clear; nsenter --net=/run/netns/$RCV -- $FWCTL top $*; echo status \$?" Enter
}
top_pid() { pgrep -f "^$FWCTL top" --ns $$ --nslist mnt | head -n 1; }

# Packets that do not end: to these ports, so many per second each.
flow() { # PORT SECONDS-BETWEEN
	background in_ns "$GEN" bash -c "while :; do echo x >/dev/udp/$LAB_RCV4/$1; sleep $2; done"
}

refuses 1 'needs a terminal.*stats --watch' "without a terminal it says what to do" fw top
refuses 2 'from 0.1' "an interval that is none" fw top --interval=0
refuses 2 'from 0.1' "nor is this" fw top --interval=x
refuses 1 'not filtered' "an interface that is not filtered" fw top r0
fw top --once --interval=0.1 >"$LAB_DIR/once"
check "--once of nothing" grep -q 'no interface is filtered' "$LAB_DIR/once"
screen_open 80 24
keys "clear; TERM=nonsense $FWCTL top; echo status \$?" Enter
shows "an unknown terminal is refused" 'known type \(TERM is "nonsense"\)'
shows "with a status" '^status 1'
keys "clear; TERM=dumb $FWCTL top; echo status \$?" Enter
shows "so is one without a cursor" 'cursor can be placed'

top_start --interval=0.3
shows "top starts where nothing is loaded" 'no interface is filtered here now'
rules 5302
check "load while it runs" fw load r0 -r "$RULES" -p web
shows "and it shows what was loaded" '^r0 xdp native +policy web generation 1'
shows "both hooks of it" '^r0 tc-egress tc'
shows "it says that no packet has come" 'no packet yet'

flow 5300 0.2
flow 5301 0.2
flow 5302 0.01
flow 5303 0.1
shows "packets have a rate by verdict" '^  \+ pass +[0-9.]+ packets/s +[0-9.k]+ bit/s'
shows "and a picture" '[▂▃▄▅▆▇█]'
in_ns "$GEN" bash -c "for i in 1 2 3; do echo x >/dev/udp/$LAB_RCV4/9; done"
shows "what is dropped is another line" '^  - drop .* 3 '
keys 2
shows "rules by rate" '^iface +rule +place +verdict +pkt/s +total +last'
busy='^r0 +in +busy .*r\.fw:8 +\+ pass +[1-9][0-9.]* +[0-9.k]+ +0s ago'
shows "the busy rule has a rate, a place and a last hit" "$busy"
shows "a rule without packets has none" '^r0 +in +banned .*- drop +0 +0 +-$'
above "the busiest stands first" ' busy ' ' stateful '
keys s s s s
shows "another order" 'sort: name'
above "names in order" ' banned ' ' busy '
keys s
shows "and the order of the file" 'sort: file order'
above "as it is written" ' stateful ' ' busy '
keys s
shows "back to the rate" 'sort: rate'
shows "a label cannot drive the terminal" 'evil\\x1b\[41m\\'
check "and has not" bash -c '! tmux -S "$1" display -p "#{pane_title}" | grep -q owned' - "$SOCKET"

keys / e v i l Enter
lacks "what is not asked for is not there" ' busy '
keys Enter
shows "the text of a rule is escaped once" 'pass proto udp to port 5303 label "evil\\x1b\[41m\\x1b\]0;owned\\x07"'
keys Escape
shows "back at the rules" 'filter: evil'
keys Escape
shows "all of them" ' busy '
keys / s t a t e f
shows "a filter is shown while it is typed" '^filter: statef_'
lacks "and leaves only what has it" ' busy '
keys Enter
shows "it stays" 'filter: statef'
keys Enter
shows "Enter looks closer" 'busiest openers of its flows'
shows "at the text" 'pass proto udp to port 5300 keep state label "stateful"'
shows "at the share" 'total +[0-9]+ packets, [0-9]+ bytes, [0-9.]+% of the hook'
shows "at the last hit" '^  last +0s ago, 20[0-9-]+T[0-9:]+Z'
shows "at who sends, from the flow table" "^    $LAB_GEN4 +[0-9.k]+ +packets +[0-9]+ flow"
keys Escape
shows "Escape goes back" 'filter: statef'
keys Escape
shows "and leaves the filter out" ' busy '
keys / t o l d Enter
lacks "another rule" ' busy '
keys Enter
shows "at who sends, from events" "^    $LAB_GEN4 +[0-9.k]+ +packets +[0-9]+ event"
keys Escape
shows "back" 'filter: told'
keys Escape

keys p
shows "pause" 'PAUSED'
still() {
	local a
	a=$(fw stats r0 --json | jq '.interfaces[0].hooks[0].packets')
	screen >"$LAB_DIR/before"
	more_than() { [ "$(fw stats r0 --json | jq '.interfaces[0].hooks[0].packets')" -gt $((a + 100)) ]; }
	wait_for 20 more_than && screen | cmp -s - "$LAB_DIR/before"
}
check "while packets come the picture stays" still
keys p
lacks "and it goes on" 'PAUSED'

keys 3
shows "reasons" '^r0 +xdp +rule +[0-9.]+'
shows "the default, too" '^r0 +xdp +default'
keys 4
check "a ban" fw ban 192.0.2.77
shows "live sets" '^banned +1 of 16 \[#+-+\] +0 '
keys 5
shows "flow tables" '^  flows +\[.*\] [0-9]+ of [0-9]+'
shows "events" '^  events .*[1-9][0-9]* generated'
shows "and how many were lost" 'lost: 0'
keys Tab
shows "Tab comes round" '^r0 xdp native'
keys Enter
shows "Enter at a hook shows its rules" 'filter: r0'
keys Escape
keys '?'
shows "help" 'look closer at a rule'
keys '?'
lacks "and away" 'look closer at a rule'

screen_resize 200 50
shows "a larger terminal has more columns" 'bit/s +total +last +last minutes'
screen_resize 20 5
shows "a small one says what it needs" '^60x10, this is 20x5'
screen_resize 1 1
screen_resize 7 3
screen_resize 80 24
shows "and all is back" '^r0 +in +busy '

rules 5302 'pass proto tcp to port 99 label "brandnew"'
sed -i 's/"busy"/"busier"/' "$RULES"
check "apply while it runs" fw apply "$RULES"
shows "shows the rules that came" ' brandnew '
shows "and those that are called otherwise" '^r0 +in +busier .* [1-9][0-9.]* '
lacks "and none that are gone" ' busy '
shows "the others kept their numbers" '^r0 +in +evil.* [1-9][0-9.k]* +0s ago'
# The lock taken: the picture stays, the keys are heard.
background bash -c 'exec 9<"$1"; flock 9; exec sleep 600' - /sys/fs/bpf/fwctl/ns*
lock=$!
shows "a lock that another holds is told of" 'another fwctl is changing the rules'
keys 1
shows "and does not stop the keys" '^r0 xdp native +policy web generation 2'
kill $lock
lacks "when it is free all goes on" 'STALE|another fwctl'
check "unload while it runs" fw unload r0
shows "shows nothing" 'no interface is filtered here now'
check "load again" fw load r0 -r "$RULES" -p web
shows "and shows it again" '^r0 xdp native +policy web generation 1'

# Every way out leaves the terminal as it was.
restored() { # SENTENCE: the shell is there, with its own screen, its cursor and its echo
	shows "$1" '^status 0'
	wait_for 10 bash -c '[ "$(tmux -S "$1" display -p "#{alternate_on}#{cursor_flag}")" = 01 ]' - "$SOCKET"
	seen $? "the screen and the cursor are the shell's"
	keys "stty -a | grep -qw echo && stty -a | grep -qw icanon && echo cooked" Enter
	shows "and the keys" '^cooked'
}
keys q
restored "q leaves"
for signal in TERM HUP INT; do
	top_start r0 --interval=0.3
	shows "top of one interface" '^r0 xdp native'
	kill -$signal "$(top_pid)"
	restored "SIG$signal"
done
top_start
shows "top again" '^r0 xdp native'
keys C-c
restored "Ctrl-C"
top_start
shows "and again" '^r0 xdp native'
kill -ABRT "$(top_pid)"
shows "even a crash" '^status 134'
wait_for 10 bash -c '[ "$(tmux -S "$1" display -p "#{alternate_on}#{cursor_flag}")" = 01 ]' - "$SOCKET"
seen $? "gives the screen back"
top_start
shows "top once more" '^r0 xdp native'
pid=$(top_pid)
screen_close
check "it ends with its terminal" wait_for 10 bash -c '! kill -0 $1' - "$pid"

for term in vt100 linux screen xterm-256color; do
	screen_open 80 24
	keys "export TERM=$term" Enter
	top_start
	shows "TERM=$term" '^r0 xdp native'
	keys q
	shows "TERM=$term: the end" '^status 0'
	screen_close
done

# Without colour and without UTF-8 nothing is missing.
screen_open 80 24
keys "export NO_COLOR=1 LC_ALL=C" Enter
top_start
shows "a plain terminal has words and signs" '^  \+ pass +[0-9.]+ packets/s'
shows "and bars of ASCII" '^  \+ pass .*[-=+*%#]$'
check "no colour is sent" bash -c '! tmux -S "$1" capture-pane -pe | grep -qE "\[[0-9;]*3[0-8]m"' - "$SOCKET"
keys q
shows "the end" '^status 0'
fw top --once --interval=0.3 r0 >"$LAB_DIR/once"
ok $? "--once"
check "has the rules" grep -qE '^r0 +in +busier .* [1-9][0-9.]* ' "$LAB_DIR/once"
check "all views" bash -c '[ "$(grep -cE "^(Overview|Rules|Reasons|Sets|Tables)$" "$1")" = 5 ]' - "$LAB_DIR/once"
check "and nothing that drives a terminal" bash -c '! grep -qP "[\x00-\x08\x0b-\x1f\x7f]" "$1"' - "$LAB_DIR/once"
screen_close
lab_done
