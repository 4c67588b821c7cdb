#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The fail2ban action as it is shipped, driven by fail2ban itself over a log that this test writes.
. "$(dirname "$0")/../../scripts/netns.sh"
lab_isolate "$@"
cd "$LAB_ROOT" || exit 1
[ -x "$FWCTL" ] || bail "fwctl is not built"
if ! command -v fail2ban-server >/dev/null || [ ! -r /etc/fail2ban/filter.d/sshd.conf ]; then
	echo "1..0 # SKIP fail2ban is not installed"
	exit 0
fi
lab_pair
cat >"$LAB_DIR/r.fw" <<'END'
set banned { type prefix; live }
policy host {
	ingress default drop {
		drop from @banned label "banned"
		pass proto { tcp, udp, icmp, icmp6 }
	}
}
END

# Its own configuration, socket and log; the filter is Debian's.
F=$LAB_DIR/fail2ban LOG=$LAB_DIR/auth.log
mkdir -p "$F/action.d" "$F/filter.d" "$F/jail.d" "$F/fail2ban.d"
cp packaging/fail2ban/fwctl.conf "$F/action.d/"
cp /etc/fail2ban/filter.d/{common,sshd}.conf "$F/filter.d/"
cat >"$F/fail2ban.conf" <<END
[Definition]
loglevel = INFO
logtarget = $LAB_DIR/fail2ban.log
syslogsocket = auto
socket = $F/sock
pidfile = $F/pid
dbfile = None
dbpurgeage = 1d
allowipv6 = yes
[Thread]
END
cat >"$F/jail.conf" <<END
[DEFAULT]
usedns = no
backend = polling
ignoreself = false
findtime = 10m
maxretry = 3
[sshd]
enabled = true
filter = sshd
logpath = $LOG
bantime = 10m
action = fwctl[name=sshd, set=banned, fwctl="$FWCTL"]
[forever]
enabled = true
filter = sshd
logpath = $LOG.forever
bantime = -1
action = fwctl[name=forever, set=banned, fwctl="$FWCTL"]
END
: >"$LOG"
: >"$LOG.forever"
f2b() { in_ns "$RCV" fail2ban-client -c "$F" -s "$F/sock" -p "$F/pid" "$@"; }
logins=4000
wrong_password() { # LOG ADDRESS; every login has a process of its own, by which the filter tells them apart
	logins=$((logins + 1))
	echo "$(date '+%b %e %H:%M:%S') host sshd[$logins]: Failed password for root from $2 port 4000 ssh2" >>"$1"
}
banned() { fw bans --json | jq -e --arg a "$1" 'any(.elements[]; .element == $a)' >/dev/null; }
free() { ! banned "$1"; }
heard() {
	case $1 in
	*:*) in_ns "$GEN" ping -6 -c 1 -W 5 "$1" ;;
	*) in_ns "$GEN" ping -c 1 -W 5 "$1" ;;
	esac >/dev/null 2>&1
}
dropped() { fw stats --json --rules | jq '[.interfaces[].hooks[].rules[]? | select(.id == "banned") | .packets] | add'; }
unheard() {
	local before
	before=$(dropped)
	in_ns "$GEN" ping -c 1 -W 0.3 "$1" >/dev/null 2>&1 && return 1
	[ "$(dropped)" -gt "$before" ]
}

check "load" fw load r0 -r "$LAB_DIR/r.fw" -p host
background in_ns "$RCV" fail2ban-server -c "$F" -s "$F/sock" -p "$F/pid" -f start
check "fail2ban starts with the action" wait_for 60 f2b status sshd || {
	note "$(cat "$LAB_DIR/fail2ban.log")"
	lab_done
}
check "and may ask" wait_for 60 f2b ping
wrong_password "$LOG" $LAB_GEN4
wrong_password "$LOG" $LAB_GEN4
check "two wrong passwords are two" wait_for 60 bash -c "nsenter --net=/run/netns/$RCV -- fail2ban-client -c '$F' -s '$F/sock' status sshd | grep -q 'Total failed:.*2'"
check "and no ban" heard $LAB_RCV4
wrong_password "$LOG" $LAB_GEN4
check "the third one is a ban" wait_for 60 banned $LAB_GEN4 || note "$(cat "$LAB_DIR/fail2ban.log")"
check "and the next packet is dropped" unheard $LAB_RCV4
[ "$(fw bans --json | jq -r '.elements[0] | .reason, (.left_ms > 500000 and .left_ms <= 600000)' | xargs)" = "fail2ban sshd true" ]
ok $? "bans tells the jail, and its time"
check "IPv6 is another address" heard $LAB_RCV6
for _ in 1 2 3; do wrong_password "$LOG" $LAB_GEN6; done
check "which is banned like the other" wait_for 60 banned $LAB_GEN6
check "fail2ban's unban" f2b set sshd unbanip $LAB_GEN4
check "takes the ban away" wait_for 60 free $LAB_GEN4
check "and packets pass" heard $LAB_RCV4
check "the other stays" banned $LAB_GEN6
for _ in 1 2 3; do wrong_password "$LOG.forever" 192.0.2.77; done
check "a jail that never forgives" wait_for 60 banned 192.0.2.77
[ "$(fw bans --json | jq '.elements[] | select(.element == "192.0.2.77") | .until')" = null ]
ok $? "bans for ever"

# The set is gone: the action says so, and works again when it is back.
fw unload --all >/dev/null
for _ in 1 2 3; do wrong_password "$LOG" 192.0.2.78; done
check "without the set fail2ban is told of it" wait_for 60 grep -q 'Invariant check failed\|Failed to execute ban' "$LAB_DIR/fail2ban.log"
check "with the set back" fw load r0 -r "$LAB_DIR/r.fw" -p host
for _ in 1 2 3; do wrong_password "$LOG" 192.0.2.79; done
check "bans are bans again" wait_for 60 banned 192.0.2.79
f2b stop >/dev/null 2>&1
lab_done
