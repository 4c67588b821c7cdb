#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Test blocks that remember: sequences of packets, time that goes on, live sets that change; and what a failed line says.
set -u
cd "$(dirname "$0")/../.." || exit 1
. scripts/netns.sh
LAB_DIR=$(mktemp -d)
trap lab_cleanup EXIT
FWCTL=$(realpath "$FWCTL")
export NO_COLOR=1
cd "$LAB_DIR" || exit 1

cat >rules.fw <<'END'
set banned { live; timeout 1h }
policy web {
	ingress default drop {
		drop   from @banned label "banned"
		pass   proto tcp to port 22 keep state limit 5/m per src/24 else ban @banned for 10m label "ssh"
		pass   proto tcp to port 80 keep state max-conn 2 per src label "web"
		pass   icmp type echo-request limit 10/s burst 3
		pass   proto udp to port 53 limit 80kbit per src
		reject proto tcp to port 113
	}
	egress default drop {
		pass proto udp to port 53 keep state label "dns"
	}
}
END
# holds SENTENCE: the test block on standard input passes
holds() {
	cat rules.fw - >t.fw
	check "$1" "$FWCTL" check t.fw
}
# fails WORDS SENTENCE: it does not, and says so
fails() {
	cat rules.fw - >t.fw
	refuses 2 "$1" "$2" "$FWCTL" check t.fw
}

holds "answers of a flow pass, and nothing else does" <<'END'
test {
	sequence {
		egress udp 192.0.2.1:4000 -> 198.51.100.53:53 is pass by "dns"
		udp 198.51.100.53:53 -> 192.0.2.1:4000 is pass by established
		udp 198.51.100.53:53 -> 192.0.2.1:4001 is drop by default
		udp 198.51.100.54:53 -> 192.0.2.1:4000 is drop by default
		egress udp 192.0.2.1:4000 -> 198.51.100.53:53 is pass by established
	}
}
END
holds "every line and every sequence begins with empty tables" <<'END'
test {
	egress udp 192.0.2.1:4000 -> 198.51.100.53:53 is pass by "dns"
	udp 198.51.100.53:53 -> 192.0.2.1:4000 is drop by default
	sequence { egress udp 192.0.2.1:4000 -> 198.51.100.53:53 is pass by "dns" }
	sequence { udp 198.51.100.53:53 -> 192.0.2.1:4000 is drop by default }
	tcp 198.51.100.7:4000 -> 192.0.2.1:22 flags S is pass by "ssh"
	tcp 198.51.100.7:4000 -> 192.0.2.1:22 flags A is drop by default
}
END
holds "time goes on: a flow ends, a limit refills" <<'END'
test {
	sequence {
		egress udp 192.0.2.1:4000 -> 198.51.100.53:53 is pass
		after 29s
		udp 198.51.100.53:53 -> 192.0.2.1:4000 is pass
		after 31s
		udp 198.51.100.53:53 -> 192.0.2.1:4000 is drop
	}
	sequence {
		icmp 198.51.100.7 -> 192.0.2.1 type echo-request is pass times 3
		icmp 198.51.100.7 -> 192.0.2.1 type echo-request is drop by limit times 100
		after 99ms
		icmp 198.51.100.7 -> 192.0.2.1 type echo-request is drop by limit
		after 1ms
		icmp 198.51.100.7 -> 192.0.2.1 type echo-request is pass
	}
	udp 198.51.100.7:4000 -> 192.0.2.1:53 len 986 is pass times 10
}
END
holds "who is over the limit is banned, with his open connections, and not for ever" <<'END'
test {
	sequence {
		tcp 198.51.100.7:1000 -> 192.0.2.1:80 flags S is pass by "web"
		tcp 198.51.100.7:1 -> 192.0.2.1:22 flags S is pass by "ssh"
		tcp 198.51.100.8:2 -> 192.0.2.1:22 flags S is pass by "ssh"
		tcp 198.51.100.9:3 -> 192.0.2.1:22 flags S is pass by "ssh"
		tcp 198.51.100.9:4 -> 192.0.2.1:22 flags S is pass by "ssh"
		tcp 198.51.100.7:5 -> 192.0.2.1:22 flags S is pass by "ssh"
		tcp 198.51.100.7:6 -> 192.0.2.1:22 flags S is drop by limit
		tcp 198.51.100.7:7 -> 192.0.2.1:22 flags S is drop by "banned"
		tcp 198.51.100.7:1000 -> 192.0.2.1:80 flags A is drop by "banned"
		tcp 198.51.100.8:2 -> 192.0.2.1:22 flags A is pass by established
		after 9m59s
		tcp 198.51.100.7:7 -> 192.0.2.1:22 flags S is drop by "banned"
		after 2s
		tcp 198.51.100.7:7 -> 192.0.2.1:22 flags S is pass by "ssh"
	}
}
END
holds "elements come and go" <<'END'
test {
	sequence {
		add @banned 198.51.100.0/24
		add @banned 198.51.100.7 for 1s
		tcp 198.51.100.7:1 -> 192.0.2.1:80 is drop by "banned"
		after 59m
		tcp 198.51.100.7:1 -> 192.0.2.1:80 is drop by "banned"
		del @banned 198.51.100.7
		tcp 198.51.100.7:1 -> 192.0.2.1:80 is drop by "banned"
		del @banned 198.51.100.0/24
		tcp 198.51.100.7:1 -> 192.0.2.1:80 is pass by "web"
		add @banned 2001:db8::/32
		tcp [2001:db8::7]:1 -> [2001:db8:1::1]:80 is drop by "banned"
		after 61m
		tcp [2001:db8::7]:1 -> [2001:db8:1::1]:80 is pass by "web"
	}
}
END
holds "connections are counted per source, and errors are known by what they quote" <<'END'
test {
	sequence {
		tcp 198.51.100.7:1 -> 192.0.2.1:80 flags S is pass by "web"
		tcp 198.51.100.7:2 -> 192.0.2.1:80 flags S is pass by "web"
		tcp 198.51.100.7:3 -> 192.0.2.1:80 flags S is drop by max-conn
		tcp 198.51.100.8:3 -> 192.0.2.1:80 flags S is pass by "web"
		icmp 203.0.113.9 -> 192.0.2.1 type unreachable code frag-needed quoting tcp 192.0.2.1:80 -> 198.51.100.7:1 flags A is pass by related
		icmp 203.0.113.9 -> 192.0.2.1 type unreachable code frag-needed quoting tcp 192.0.2.1:80 -> 198.51.100.7:9 flags A is drop by default
	}
	tcp 198.51.100.7:3 -> 192.0.2.1:113 is reject
}
END

fails 't.fw:16:2: error: test failed: expected reject, but the packet is dropped by "default"' "a failed line says what it got" <<'END'
test {
	tcp 198.51.100.7:3 -> 192.0.2.1:114 is reject
}
END
fails 't.fw:17:3: .*expected drop, but the packet is rejected by the rule in line 9' "a failed line of a sequence has its place" <<'END'
test {
	sequence {
		tcp 198.51.100.7:3 -> 192.0.2.1:113 is drop
	}
}
END
cat rules.fw - >t.fw <<'END'
test {
	sequence { icmp 198.51.100.7 -> 192.0.2.1 type echo-request is pass times 9 }
}
END
refuses 2 't.fw:16:2: .*"limit" of the rule in line 7, time 4 of 9' "of repetitions it says which" "$FWCTL" check t.fw
"$FWCTL" check t.fw --json 2>/dev/null | jq -e '.tests == {"passed": 0, "failed": 1}' >/dev/null
ok $? "a line that is repeated is one test"
lab_done
