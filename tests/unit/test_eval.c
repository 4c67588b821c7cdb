// SPDX-License-Identifier: GPL-2.0-only
/*
 * The oracle, against a table worked out by hand: sixteen packets, written as bytes, and for each rule the packets that
 * it must match. A letter that stands in the column must match, every other one must not. Then chains: order, `count`,
 * defaults, faults.
 */
#include "harness/hex.h"
#include "model/eval.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define MACS	"020000000002 020000000001 "
#define IP6ADDR "20010db8 00*11 01 20010db8 00*11 02 "

static const struct {
	const char *what, *hex;
} packets[] = {
	/* a */ {"tcp 10.0.0.1:1024 > 192.0.2.1:22 SYN, ttl 64, len 40",
		 MACS "0800 4500 0028 0001 0000 4006 0000 0a000001 c0000201 0400 0016 00000001 00000000 5002 ffff 0000 "
		      "0000 00*6"},
	/* b */
	{"tcp 10.0.0.2:22 > 192.0.2.1:1024 SYN+ACK, dscp 46, ttl 1, len 60, DF, source MAC 02…0b",
	 "020000000002 02000000000b 0800 45b8 003c 0001 4000 0106 0000 0a000002 c0000201 "
	 "0016 0400 00000001 00000001 5012 ffff 0000 0000 00*20"},
	/* c */
	{"udp 10.0.0.255:53 > 255.255.255.255:65535, ttl 255, len 28",
	 MACS "0800 4500 001c 0001 0000 ff11 0000 0a0000ff ffffffff 0035 ffff 0008 0000"},
	/* d */
	{"icmp echo-request 10.0.0.1 > 192.0.2.1, dscp 1, len 28",
	 MACS "0800 4504 001c 0001 0000 4001 0000 0a000001 c0000201 0800 0000 0000 0000"},
	/* e */
	{"udp later fragment 10.0.0.1 > 192.0.2.1, its bytes would read port 53, len 48",
	 MACS "0800 4500 0030 0001 0005 4011 0000 0a000001 c0000201 0035 0035 0008 0000 00*20"},
	/* f */
	{"tcp first fragment 10.0.0.1:1024 > 192.0.2.1:80 PSH+ACK, len 64", MACS
	 "0800 4500 0040 0001 2000 4006 0000 0a000001 c0000201 0400 0050 00000001 00000001 5018 ffff 0000 0000 00*24"},
	/* g */
	{"gre 10.0.0.1 > 192.0.2.1, len 24", MACS "0800 4500 0018 0001 0000 402f 0000 0a000001 c0000201 00000800"},
	/* h */
	{"tcp [2001:db8::1]:0 > [2001:db8::2]:443 SYN, len 60",
	 MACS "86dd 60000000 0014 06 40 " IP6ADDR "0000 01bb 00000001 00000000 5002 ffff 0000 0000"},
	/* i */
	{"udp [2001:db8::1]:5000 > [2001:db8::2]:53, destination options and atomic fragment, hop limit 63, dscp 10, "
	 "len 64",
	 MACS "86dd 62800000 0018 3c 3f " IP6ADDR "2c00 0104 0000 0000 11ff 0006 00000001 1388 0035 0008 0000"},
	/* j */
	{"icmp6 neighbour solicitation fe80::1 > ff02::1:ff00:2, hop limit 255, len 64",
	 MACS "86dd 60000000 0018 3a ff fe80 00*13 01 ff02 00*9 01 ff00 0002 8700 0000 00000000 20010db8 00*11 02"},
	/* k */
	{"tcp later fragment 2001:db8::1 > 2001:db8::2, its bytes would read port 22, len 56",
	 MACS "86dd 60000000 0010 2c 40 " IP6ADDR "0600 05c8 00000001 0016 0016 0000 0000"},
	/* l */
	{"esp 2001:db8::1 > 2001:db8::2, hop-by-hop and AH, len 80", MACS
	 "86dd 60000000 0028 00 40 " IP6ADDR "3300 0104 0000 0000 3204 0000 00000100 00000001 00*12 00000001 00000001"},
	/* m */ {"arp", MACS "0806 0001 0800 0604 0001 020000000001 0a000001 000000000000 c0000201"},
	/* n */
	{"udp 10.0.0.1:5000 > 192.0.2.1:53, priority tag and VLAN 100, len 28",
	 MACS "8100 0000 8100 0064 0800 4500 001c 0001 0000 4011 0000 0a000001 c0000201 1388 0035 0008 0000"},
	/* o */ {"LLC on VLAN 5, source MAC 02…ff", "020000000002 0200000000ff 8100 e005 0026 424203 00*35"},
	/* p */
	{"sctp 10.0.0.1:2944 > 192.0.2.1:22, len 32",
	 MACS "0800 4500 0020 0001 0000 4084 0000 0a000001 c0000201 0b80 0016 00000001 00000000"},
};
#define N_PACKETS (sizeof(packets) / sizeof(packets[0]))
#define ALL	  "abcdefghijklmnop"
#define ALL4	  "abcdefgnp"
#define ALL6	  "hijkl"
#define ALL_IP	  "abcdefghijklnp"

/* Sets, as the resolver would make them: sorted, disjoint. */
#define V(...)                                                                                                         \
	(&(const struct vset){(struct range[]){__VA_ARGS__},                                                           \
			      sizeof((struct range[]){__VA_ARGS__}) / sizeof(struct range)})
#define ONE(v)	    V({(v), (v)})
#define NONE	    (&(const struct vset){NULL, 0})
#define NOT(v, max) V({0, (v)-1}, {(v) + 1, (max)})
#define A4(...)                                                                                                        \
	(&(const struct aset){.v4 = (struct range[]){__VA_ARGS__},                                                     \
			      .n4 = sizeof((struct range[]){__VA_ARGS__}) / sizeof(struct range)})
#define A6(...)                                                                                                        \
	(&(const struct aset){.v6 = (struct range6[]){__VA_ARGS__},                                                    \
			      .n6 = sizeof((struct range6[]){__VA_ARGS__}) / sizeof(struct range6)})
#define W(hi, lo)   ((u128)(hi) << 64 | (u128)(lo))
#define DB8	    0x20010db800000000
#define BOTH(p)	    V({0x100 | (p), 0x100 | (p)}, {0x200 | (p), 0x200 | (p)})
#define NOT_BOTH(p) V({0, 0x100 + (p)-1}, {0x100 + (p) + 1, 0x200 + (p)-1}, {0x200 + (p) + 1, 0x3ff})

#define IP  6 /* families: IPv4 and IPv6 */
#define F4  2
#define F6  4
#define ANY 7 /* and all others */

#define RULE(fam, ...)                                                                                                 \
	{                                                                                                              \
		.verdict = VERDICT_PASS, .families = (fam), .text = "", __VA_ARGS__                                    \
	}
#define VAL(field, set) .value[FIELD_##field] = (set)

struct match_case {
	const char *what, *matches;
	struct rule rule;
};

static const struct match_case cases_families[] = {
	{"bare rule", ALL_IP, RULE(IP)}, {"every family", ALL, RULE(ANY)}, {"only what is not IP", "mo", RULE(1)},
	{"IPv4", ALL4, RULE(F4)},	 {"IPv6", ALL6, RULE(F6)},	   {"no family", "", RULE(0)},
};

static const struct match_case cases_protocol[] = {
	{"proto tcp", "abfhk", RULE(IP, VAL(PROTO, BOTH(6)))},
	{"proto tcp of IPv4", "abf", RULE(IP, VAL(PROTO, ONE(0x106)))},
	{"proto tcp of IPv6", "hk", RULE(IP, VAL(PROTO, ONE(0x206)))},
	{"proto tcp of IPv6 in an IPv4 rule", "", RULE(F4, VAL(PROTO, ONE(0x206)))},
	{"proto udp", "cein", RULE(IP, VAL(PROTO, BOTH(17)))},
	{"! proto tcp", "cdegijlnp", RULE(IP, VAL(PROTO, NOT_BOTH(6)))},
	{"! proto tcp with every family: what has no protocol does not match", "cdegijlnp",
	 RULE(ANY, VAL(PROTO, NOT_BOTH(6)))},
	{"proto icmp", "d", RULE(IP, VAL(PROTO, BOTH(1)))},
	{"proto icmp6", "j", RULE(IP, VAL(PROTO, BOTH(58)))},
	{"proto gre", "g", RULE(IP, VAL(PROTO, BOTH(47)))},
	{"proto esp", "l", RULE(IP, VAL(PROTO, BOTH(50)))},
	{"proto sctp", "p", RULE(IP, VAL(PROTO, BOTH(132)))},
	{"extension headers are no protocols", "",
	 RULE(IP, VAL(PROTO, V({0x200, 0x200}, {0x22b, 0x22c}, {0x233, 0x233}, {0x23c, 0x23c})))},
	{"proto { tcp, udp }", "abcefhikn",
	 RULE(IP, VAL(PROTO, V({0x106, 0x106}, {0x111, 0x111}, {0x206, 0x206}, {0x211, 0x211})))},
	{"any protocol at all", ALL_IP, RULE(ANY, VAL(PROTO, V({0, 0x3ff})))},
	{"no protocol", "", RULE(IP, VAL(PROTO, NONE))},
};

static const struct match_case cases_ports[] = {
	{"from port 1024", "af", RULE(IP, VAL(SPORT, ONE(1024)))},
	{"to port 22: fragments have none", "ap", RULE(IP, VAL(DPORT, ONE(22)))},
	{"from port 22", "b", RULE(IP, VAL(SPORT, ONE(22)))},
	{"from port 0", "h", RULE(IP, VAL(SPORT, ONE(0)))},
	{"to port 65535", "c", RULE(IP, VAL(DPORT, ONE(65535)))},
	{"any source port", "abcfhinp", RULE(IP, VAL(SPORT, V({0, 65535})))},
	{"! to port 22", "bcfhin", RULE(IP, VAL(DPORT, NOT(22, 65535)))},
	{"! to port 0-65535", "", RULE(IP, VAL(DPORT, NONE))},
	{"to port 22-80", "afinp", RULE(IP, VAL(DPORT, V({22, 80})))},
	{"to port 23-79", "in", RULE(IP, VAL(DPORT, V({23, 79})))},
	{"to port { 22, 443 }", "ahp", RULE(IP, VAL(DPORT, V({22, 22}, {443, 443})))},
	{"proto tcp to port { 22, 443 }", "ah", RULE(IP, VAL(PROTO, BOTH(6)), VAL(DPORT, V({22, 22}, {443, 443})))},
	{"proto udp to port 53", "in", RULE(IP, VAL(PROTO, BOTH(17)), VAL(DPORT, ONE(53)))},
	{"both ports", "b", RULE(IP, VAL(SPORT, V({20, 25})), VAL(DPORT, V({1024, 65535})))},
	{"proto gre with a port", "", RULE(IP, VAL(PROTO, BOTH(47)), VAL(DPORT, V({0, 65535})))},
	{"ports of frames that are not IP", "", RULE(1, VAL(DPORT, V({0, 65535})))},
};

static const struct match_case cases_flags[] = {
	{"SYN and nothing else", "ah", RULE(IP, VAL(TCPFLAGS, ONE(2)))},
	{"SYN+ACK is not SYN", "b", RULE(IP, VAL(TCPFLAGS, ONE(0x12)))},
	{"S/SA", "ah", RULE(IP, VAL(TCPFLAGS, V({2, 3}, {6, 7}, {10, 11}, {14, 15})))},
	{"PSH+ACK", "f", RULE(IP, VAL(TCPFLAGS, ONE(0x18)))},
	{"! SYN alone", "bf", RULE(IP, VAL(TCPFLAGS, NOT(2, 255)))},
	{"any flags: tcp that is not a later fragment", "abfh", RULE(IP, VAL(TCPFLAGS, V({0, 255})))},
	{"flags 0", "", RULE(IP, VAL(TCPFLAGS, ONE(0)))},
	{"proto udp with flags", "", RULE(IP, VAL(PROTO, BOTH(17)), VAL(TCPFLAGS, V({0, 255})))},
};

static const struct match_case cases_icmp[] = {
	{"icmp type 8", "d", RULE(F4, VAL(ICMP, V({0x800, 0x8ff})))},
	{"icmp type 8 code 1", "", RULE(F4, VAL(ICMP, ONE(0x801)))},
	{"icmp type 8 code 0", "d", RULE(F4, VAL(ICMP, ONE(0x800)))},
	{"! icmp type 8", "", RULE(F4, VAL(ICMP, V({0, 0x7ff}, {0x900, 0xffff})))},
	{"any icmp type", "d", RULE(IP, VAL(ICMP, V({0, 0xffff})))},
	{"icmp6 type 135", "j", RULE(F6, VAL(ICMP6, V({0x8700, 0x87ff})))},
	{"! icmp6 type 135", "", RULE(F6, VAL(ICMP6, V({0, 0x86ff}, {0x8800, 0xffff})))},
	{"neighbour discovery with ttl 255", "j", RULE(F6, VAL(ICMP6, V({0x8500, 0x88ff})), VAL(TTL, ONE(255)))},
	{"neighbour discovery with ttl 64", "", RULE(F6, VAL(ICMP6, V({0x8500, 0x88ff})), VAL(TTL, ONE(64)))},
	{"icmp and icmp6 at once", "", RULE(IP, VAL(ICMP, V({0, 0xffff})), VAL(ICMP6, V({0, 0xffff})))},
	{"icmp6 in IPv4", "", RULE(F4, VAL(ICMP6, V({0, 0xffff})))},
};

static const struct match_case cases_frag[] = {
	{"frag none: atomic fragments too", "abcdghijlnp", RULE(IP, VAL(FRAG, ONE(0)))},
	{"frag first", "f", RULE(IP, VAL(FRAG, ONE(1)))},
	{"frag later", "ek", RULE(IP, VAL(FRAG, ONE(2)))},
	{"! frag none", "efk", RULE(IP, VAL(FRAG, V({1, 3})))},
	{"frag later with every family", "ek", RULE(ANY, VAL(FRAG, ONE(2)))},
	{"proto udp, later", "e", RULE(IP, VAL(PROTO, BOTH(17)), VAL(FRAG, ONE(2)))},
	{"later with a port", "", RULE(IP, VAL(FRAG, ONE(2)), VAL(DPORT, V({0, 65535})))},
	{"first with a port", "f", RULE(IP, VAL(FRAG, ONE(1)), VAL(DPORT, ONE(80)))},
};

static const struct match_case cases_layer2[] = {
	{"vlan 100", "n", RULE(ANY, VAL(VLAN, ONE(100)))},
	{"vlan 5", "o", RULE(ANY, VAL(VLAN, ONE(5)))},
	{"vlan 5 among IP", "", RULE(IP, VAL(VLAN, ONE(5)))},
	{"any VLAN", "no", RULE(ANY, VAL(VLAN, V({0, 4095})))},
	{"! vlan 100: untagged frames have none", "o", RULE(ANY, VAL(VLAN, NOT(100, 4095)))},
	{"vlan 0", "", RULE(ANY, VAL(VLAN, ONE(0)))},
	{"vlan 100, udp port 53", "n", RULE(IP, VAL(VLAN, ONE(100)), VAL(PROTO, BOTH(17)), VAL(DPORT, ONE(53)))},
	{"vlan 100, tcp", "", RULE(IP, VAL(VLAN, ONE(100)), VAL(PROTO, BOTH(6)))},
	{"ethertype ipv4", ALL4, RULE(ANY, VAL(ETHERTYPE, ONE(0x0800)))},
	{"ethertype ipv6", ALL6, RULE(ANY, VAL(ETHERTYPE, ONE(0x86dd)))},
	{"ethertype arp", "m", RULE(ANY, VAL(ETHERTYPE, ONE(0x0806)))},
	{"ethertype arp among IP", "", RULE(IP, VAL(ETHERTYPE, ONE(0x0806)))},
	{"! ethertype ipv4: LLC has no type", "hijklm", RULE(ANY, VAL(ETHERTYPE, NOT(0x0800, 65535)))},
	{"any ethertype", "abcdefghijklmnp", RULE(ANY, VAL(ETHERTYPE, V({0, 65535})))},
	{"the length of LLC is no type", "", RULE(ANY, VAL(ETHERTYPE, ONE(0x26)))},
	{"the tag is no type", "", RULE(ANY, VAL(ETHERTYPE, ONE(0x8100)))},
	{"mac", "b", RULE(ANY, VAL(MAC, ONE(0x02000000000b)))},
	{"mac of most", "acdefghijklmnp", RULE(ANY, VAL(MAC, ONE(0x020000000001)))},
	{"! mac", "bo", RULE(ANY, VAL(MAC, NOT(0x020000000001, 0xffffffffffff)))},
	{"! mac among IP", "b", RULE(IP, VAL(MAC, NOT(0x020000000001, 0xffffffffffff)))},
	{"every mac", ALL, RULE(ANY, VAL(MAC, V({0, 0xffffffffffff})))},
	{"mac range", "bo", RULE(ANY, VAL(MAC, V({0x020000000002, 0x0200000000ff})))},
	{"mac and vlan", "o", RULE(ANY, VAL(MAC, ONE(0x0200000000ff)), VAL(VLAN, ONE(5)))},
	{"the destination MAC is not looked at", "", RULE(ANY, VAL(MAC, ONE(0x020000000002)))},
};

static const struct match_case cases_ip_header[] = {
	{"dscp ef", "b", RULE(IP, VAL(DSCP, ONE(46)))},
	{"dscp 0", "acefghjklnp", RULE(IP, VAL(DSCP, ONE(0)))},
	{"! dscp 0", "bdi", RULE(IP, VAL(DSCP, V({1, 63})))},
	{"dscp 1-10", "di", RULE(IP, VAL(DSCP, V({1, 10})))},
	{"dscp 2-9", "", RULE(IP, VAL(DSCP, V({2, 9})))},
	{"ttl 64", "adefghklnp", RULE(IP, VAL(TTL, ONE(64)))},
	{"ttl 255", "cj", RULE(IP, VAL(TTL, ONE(255)))},
	{"ttl 1", "b", RULE(IP, VAL(TTL, ONE(1)))},
	{"ttl below 64", "bi", RULE(IP, VAL(TTL, V({0, 63})))},
	{"! ttl 64", "bcij", RULE(IP, VAL(TTL, NOT(64, 255)))},
	{"ttl with every family", ALL_IP, RULE(ANY, VAL(TTL, V({0, 255})))},
	{"len 40", "a", RULE(IP, VAL(LEN, ONE(40)))},
	{"len 28", "cdn", RULE(IP, VAL(LEN, ONE(28)))},
	{"len 24", "g", RULE(IP, VAL(LEN, ONE(24)))},
	{"len 32", "p", RULE(IP, VAL(LEN, ONE(32)))},
	{"len 60 or more", "bfhijl", RULE(IP, VAL(LEN, V({60, 65535})))},
	{"len 61 or more", "fijl", RULE(IP, VAL(LEN, V({61, 65535})))},
	{"len 48-56", "ek", RULE(IP, VAL(LEN, V({48, 56})))},
	{"len up to 19", "", RULE(IP, VAL(LEN, V({0, 19})))},
	{"padding is not counted: len 46", "", RULE(IP, VAL(LEN, ONE(46)))},
};

static const struct match_case cases_ext[] = {
	{"no extension header", "hj", RULE(F6, VAL(EXT, ONE(0)))},
	{"! none", "ikl", RULE(F6, VAL(EXT, V({1, 255})))},
	{"fragment header", "ik", RULE(F6, VAL(EXT, V({4, 7}, {12, 15}, {20, 23}, {28, 31})))},
	{"destination options and fragment", "i", RULE(F6, VAL(EXT, ONE(12)))},
	{"AH", "l", RULE(F6, VAL(EXT, V({16, 31})))},
	{"hop-by-hop and AH", "l", RULE(F6, VAL(EXT, ONE(17)))},
	{"routing", "",
	 RULE(F6, VAL(EXT, V({2, 3}, {6, 7}, {10, 11}, {14, 15}, {18, 19}, {22, 23}, {26, 27}, {30, 31})))},
	{"any value: IPv6 alone has it", ALL6, RULE(ANY, VAL(EXT, V({0, 255})))},
	{"udp behind destination options to port 53", "i",
	 RULE(F6, VAL(EXT, V({8, 15})), VAL(PROTO, ONE(0x211)), VAL(DPORT, ONE(53)))},
};

static const struct match_case cases_addresses[] = {
	{"from 10.0.0.0/24", ALL4, RULE(F4, .src = A4({0x0a000000, 0x0a0000ff}))},
	{"from 10.0.0.0/25", "abdefgnp", RULE(F4, .src = A4({0x0a000000, 0x0a00007f}))},
	{"from 10.0.0.1", "adefgnp", RULE(F4, .src = A4({0x0a000001, 0x0a000001}))},
	{"from 10.0.0.2-10.0.0.254", "b", RULE(F4, .src = A4({0x0a000002, 0x0a0000fe}))},
	{"from 10.0.0.3-10.0.0.254", "", RULE(F4, .src = A4({0x0a000003, 0x0a0000fe}))},
	{"from 0.0.0.0/0", ALL4, RULE(F4, .src = A4({0, 0xffffffff}))},
	{"from 0.0.0.0/0, families not narrowed", ALL4, RULE(ANY, .src = A4({0, 0xffffffff}))},
	{"from ::/0", ALL6, RULE(F6, .src = A6({0, ~(u128)0}))},
	{"! from 10.0.0.1", "bc", RULE(F4, .src = A4({0, 0x0a000000}, {0x0a000002, 0xffffffff}))},
	{"from a list with gaps", "bc",
	 RULE(F4, .src = A4({0x0a000000, 0x0a000000}, {0x0a000002, 0x0a000002}, {0x0a0000ff, 0x0a000100}))},
	{"from an empty list", "", RULE(IP, .src = (&(const struct aset){}))},
	{"to 255.255.255.255", "c", RULE(F4, .dst = A4({0xffffffff, 0xffffffff}))},
	{"to 0.0.0.0", "", RULE(F4, .dst = A4({0, 0}))},
	{"to 10.0.0.0/8: the source is not the destination", "", RULE(F4, .dst = A4({0x0a000000, 0x0affffff}))},
	{"from 10.0.0.1 to 192.0.2.1", "adefgnp",
	 RULE(F4, .src = A4({0x0a000001, 0x0a000001}), .dst = A4({0xc0000201, 0xc0000201}))},
	{"from fe80::/10", "j",
	 RULE(F6, .src = A6({W(0xfe80000000000000, 0), W(0xfebfffffffffffff, 0xffffffffffffffff)}))},
	{"! from fe80::/10", "hikl",
	 RULE(F6, .src = A6({0, W(0xfe7fffffffffffff, 0xffffffffffffffff)}, {W(0xfec0000000000000, 0), ~(u128)0}))},
	{"to ff00::/8", "j", RULE(F6, .dst = A6({W(0xff00000000000000, 0), ~(u128)0}))},
	{"to 2001:db8::2", "hikl", RULE(F6, .dst = A6({W(DB8, 2), W(DB8, 2)}))},
	{"to 2001:db8::3", "", RULE(F6, .dst = A6({W(DB8, 3), W(DB8, 3)}))},
	{"to 2001:db8::/32", "hikl", RULE(F6, .dst = A6({W(DB8, 0), W(0x20010db8ffffffff, 0xffffffffffffffff)}))},
	{"from ::1: the low half alone does not decide", "", RULE(F6, .src = A6({1, 1}))},
	{"from 0.0.0.0/0 to ::/0", "", RULE(IP, .src = A4({0, 0xffffffff}), .dst = A6({0, ~(u128)0}))},
	{"IPv4 set in an IPv6 rule", "", RULE(F6, .src = A4({0, 0xffffffff}))},
	{"an IPv4 address is not ::a.b.c.d", "", RULE(IP, .src = A6({0x0a000001, 0x0a000001}))},
	{"addresses of frames that are not IP", "", RULE(1, .src = A4({0, 0xffffffff}))},
	{"a set of both families", "adefgnphikl",
	 RULE(IP, .src = (&(const struct aset){.v4 = (struct range[]){{0x0a000001, 0x0a000001}},
					       .n4 = 1,
					       .v6 = (struct range6[]){{W(DB8, 1), W(DB8, 1)}},
					       .n6 = 1}))},
};

static const struct match_case cases_together[] = {
	{"from 10.0.0.0/24 to 192.0.2.1 proto tcp to port 22", "a",
	 RULE(F4, .src = A4({0x0a000000, 0x0a0000ff}), .dst = A4({0xc0000201, 0xc0000201}), VAL(PROTO, BOTH(6)),
	      VAL(DPORT, ONE(22)))},
	{"the same with sctp", "p",
	 RULE(F4, .src = A4({0x0a000000, 0x0a0000ff}), .dst = A4({0xc0000201, 0xc0000201}), VAL(PROTO, BOTH(132)),
	      VAL(DPORT, ONE(22)))},
	{"one condition of four fails", "",
	 RULE(F4, .src = A4({0x0a000000, 0x0a0000ff}), .dst = A4({0xc0000202, 0xc0000202}), VAL(PROTO, BOTH(6)),
	      VAL(DPORT, ONE(22)))},
	{"SYN to port 0-1023 with ttl 64 and len 40-60", "ah",
	 RULE(IP, VAL(PROTO, BOTH(6)), VAL(TCPFLAGS, ONE(2)), VAL(DPORT, V({0, 1023})), VAL(TTL, ONE(64)),
	      VAL(LEN, V({40, 60})))},
	{"mac, ethertype and dscp", "b",
	 RULE(IP, VAL(MAC, ONE(0x02000000000b)), VAL(ETHERTYPE, ONE(0x0800)), VAL(DSCP, V({40, 63})))},
	{"ethertype ipv6 and a source of IPv4", "", RULE(F4, VAL(ETHERTYPE, ONE(0x86dd)), .src = A4({0, 0xffffffff}))},
};

static void parse(size_t i, struct packet *ret)
{
	uint8_t buf[256];
	size_t len = hex_bytes(packets[i].hex, buf, sizeof(buf));

	assert_int_equal(packet_parse(buf, len, NULL, ret), PACKET_OK);
}

static void check(const struct match_case *c, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct rule drop = c[i].rule;

		drop.verdict = VERDICT_DROP;
		for (size_t j = 0; j < N_PACKETS; j++) {
			bool want = strchr(c[i].matches, (int)('a' + j)) != NULL;
			struct chain chain = {.present = true, .fallback = VERDICT_PASS, .rules = &drop, .nrules = 1};
			struct packet p;

			parse(j, &p);
			if (eval_rule(&c[i].rule, &p) != want)
				print_message("# rule \"%s\", packet %c (%s): should %smatch\n", c[i].what,
					      (int)('a' + j), packets[j].what, want ? "" : "not ");
			assert_int_equal(eval_rule(&c[i].rule, &p), want);
			assert_int_equal(eval_rule_why_not(&c[i].rule, &p) == NULL, want);
			assert_int_equal(eval_packet(&chain, &p, NULL, NULL).verdict,
					 want ? VERDICT_DROP : VERDICT_PASS);
		}
	}
	print_message("# %zu rules x %zu packets\n", n, N_PACKETS);
}

#define MATCH_TEST(name)                                                                                               \
	static void name##_match(void **state)                                                                         \
	{                                                                                                              \
		check(cases_##name, sizeof(cases_##name) / sizeof(cases_##name[0]));                                   \
	}
MATCH_TEST(families)
MATCH_TEST(protocol)
MATCH_TEST(ports)
MATCH_TEST(flags)
MATCH_TEST(icmp)
MATCH_TEST(frag)
MATCH_TEST(layer2)
MATCH_TEST(ip_header)
MATCH_TEST(ext)
MATCH_TEST(addresses)
MATCH_TEST(together)

static void all_flag_bytes(void **state)
{
	for (unsigned int want = 0; want < 256; want++) {
		struct vset v = {(struct range[]){{want, want}}, 1};
		struct rule rule = RULE(IP);
		struct packet p;

		rule.value[FIELD_TCPFLAGS] = &v;
		parse(0, &p);
		for (unsigned int have = 0; have < 256; have++) {
			p.value[FIELD_TCPFLAGS] = have;
			assert_int_equal(eval_rule(&rule, &p), have == want);
		}
	}
}

static const struct {
	char packet;
	const char *why;
	struct rule rule;
} why_cases[] = {
	{'h', "family", RULE(F4, VAL(PROTO, BOTH(17)))},
	{'a', "proto", RULE(IP, VAL(PROTO, BOTH(17)), VAL(DPORT, ONE(53)))},
	{'a', "sport", RULE(IP, VAL(PROTO, BOTH(6)), VAL(SPORT, ONE(53)))},
	{'a', "port", RULE(IP, VAL(DPORT, ONE(53)), .src = A4({0, 0}))},
	{'g', "port", RULE(IP, VAL(DPORT, V({0, 65535})))},
	{'b', "flags", RULE(IP, VAL(TCPFLAGS, ONE(2)))},
	{'d', "icmp", RULE(F4, VAL(ICMP, ONE(0)))},
	{'j', "icmp6", RULE(F6, VAL(ICMP6, ONE(0)))},
	{'e', "frag", RULE(IP, VAL(FRAG, ONE(0)))},
	{'a', "vlan", RULE(ANY, VAL(VLAN, V({0, 4095})))},
	{'b', "dscp", RULE(IP, VAL(DSCP, ONE(0)))},
	{'b', "ttl", RULE(IP, VAL(TTL, ONE(64)))},
	{'b', "len", RULE(IP, VAL(LEN, ONE(40)))},
	{'o', "ethertype", RULE(ANY, VAL(ETHERTYPE, V({0, 65535})))},
	{'a', "ext", RULE(ANY, VAL(EXT, V({0, 255})))},
	{'b', "mac", RULE(ANY, VAL(MAC, ONE(0x020000000001)))},
	{'b', "from", RULE(F4, .src = A4({0x0a000001, 0x0a000001}), .dst = A4({0, 0}))},
	{'b', "to", RULE(F4, .src = A4({0x0a000002, 0x0a000002}), .dst = A4({0, 0}))},
};

static void first_failing_condition_is_named(void **state)
{
	for (size_t i = 0; i < sizeof(why_cases) / sizeof(why_cases[0]); i++) {
		struct packet p;

		parse((size_t)(why_cases[i].packet - 'a'), &p);
		assert_string_equal(eval_rule_why_not(&why_cases[i].rule, &p), why_cases[i].why);
	}
}

/* Chains: rules by name, so that a line can be read. */
#define PASS  VERDICT_PASS
#define DROP  VERDICT_DROP
#define COUNT VERDICT_CONTINUE
#define R(v, fam, ...)                                                                                                 \
	{                                                                                                              \
		.verdict = (v), .families = (fam), .text = "", __VA_ARGS__                                             \
	}
#define CHAIN(def, ...)                                                                                                \
	{                                                                                                              \
		.present = true, .fallback = (def), .rules = (struct rule[]){__VA_ARGS__},                             \
		.nrules = sizeof((struct rule[]){__VA_ARGS__}) / sizeof(struct rule)                                   \
	}
#define TCP22 VAL(PROTO, BOTH(6)), VAL(DPORT, ONE(22))

static const struct chain drop_all = {.present = true, .fallback = VERDICT_DROP},
			  pass_all = {.present = true, .fallback = VERDICT_PASS};
static const struct chain absent = {.present = false, .fallback = VERDICT_PASS};
static const struct chain ordered =
	CHAIN(DROP, R(DROP, IP, TCP22), R(PASS, IP, TCP22), R(PASS, IP, VAL(PROTO, BOTH(6))), R(DROP, IP));
static const struct chain counting =
	CHAIN(PASS, R(COUNT, IP), R(COUNT, IP, TCP22), R(DROP, IP, VAL(DPORT, ONE(53))), R(COUNT, ANY), R(COUNT, F6));
static const struct chain counts_alone = CHAIN(DROP, R(COUNT, ANY), R(COUNT, ANY));
static const struct chain layer2 =
	CHAIN(DROP, R(PASS, ANY, VAL(ETHERTYPE, ONE(0x0806))), R(PASS, ANY, VAL(VLAN, ONE(5))),
	      R(PASS, F6, VAL(ICMP6, V({0x8500, 0x88ff})), VAL(TTL, ONE(255))));
static const struct chain pass_any = CHAIN(PASS, R(COUNT, ANY), R(PASS, ANY));
static const struct chain vlan7 = CHAIN(PASS, R(DROP, ANY, VAL(VLAN, ONE(7))));
static const struct chain bare_pass = CHAIN(DROP, R(PASS, IP)), bare_any = CHAIN(DROP, R(PASS, ANY));

static const struct chain_case {
	const struct chain *chain;
	char packet;
	enum verdict verdict;
	const char *reason;
	long rule;
	const char *counted; /* indexes, in order */
} chain_cases[] = {
	{&drop_all, 'a', DROP, "default", -1, ""},
	{&drop_all, 'm', DROP, "l2-other", -1, ""},
	{&drop_all, 'o', DROP, "l2-other", -1, ""},
	{&drop_all, 'h', DROP, "default", -1, ""},
	{&pass_all, 'a', PASS, "default", -1, ""},
	{&pass_all, 'm', PASS, "l2-other", -1, ""},
	{&pass_all, 'o', PASS, "l2-other", -1, ""},
	{&absent, 'a', PASS, "default", -1, ""},
	{&absent, 'm', PASS, "default", -1, ""},

	{&ordered, 'a', DROP, "rule", 0, ""}, /* the first of three that match */
	{&ordered, 'b', PASS, "rule", 2, ""},
	{&ordered, 'h', PASS, "rule", 2, ""},
	{&ordered, 'k', PASS, "rule", 2, ""},
	{&ordered, 'c', DROP, "rule", 3, ""},
	{&ordered, 'p', DROP, "rule", 3, ""},
	{&ordered, 'm', DROP, "l2-other", -1, ""},

	{&counting, 'a', PASS, "default", -1, "013"},
	{&counting, 'b', PASS, "default", -1, "03"},
	{&counting, 'i', DROP, "rule", 2, "0"}, /* counted before, not behind, what decided */
	{&counting, 'n', DROP, "rule", 2, "0"},
	{&counting, 'h', PASS, "default", -1, "034"},
	{&counting, 'm', PASS, "l2-other", -1, "3"},
	{&counting, 'e', PASS, "default", -1, "03"},
	{&counts_alone, 'a', DROP, "default", -1, "01"},
	{&counts_alone, 'o', DROP, "l2-other", -1, "01"},

	{&layer2, 'm', PASS, "rule", 0, ""},
	{&layer2, 'o', PASS, "rule", 1, ""},
	{&layer2, 'j', PASS, "rule", 2, ""},
	{&layer2, 'a', DROP, "default", -1, ""},
	{&layer2, 'n', DROP, "default", -1, ""},

	{&bare_pass, 'a', PASS, "rule", 0, ""},
	{&bare_pass, 'l', PASS, "rule", 0, ""},
	{&bare_pass, 'm', DROP, "l2-other", -1, ""},
	{&bare_any, 'm', PASS, "rule", 0, ""},
};

struct tally {
	char text[32];
	size_t n;
};

static void tally(void *ctx, size_t rule)
{
	struct tally *t = ctx;

	assert_true(t->n < sizeof(t->text) - 1);
	t->text[t->n++] = (char)('0' + rule);
}

static void chains_decide(void **state)
{
	for (size_t i = 0; i < sizeof(chain_cases) / sizeof(chain_cases[0]); i++) {
		const struct chain_case *c = &chain_cases[i];
		struct tally t = {};
		uint8_t buf[256];
		size_t len = hex_bytes(packets[c->packet - 'a'].hex, buf, sizeof(buf));
		struct eval_result r = eval_frame(c->chain, buf, len, NULL, tally, &t), quiet;

		if (r.verdict != c->verdict || r.rule != c->rule)
			print_message("# chain case %zu, packet %c\n", i, c->packet);
		assert_int_equal(r.verdict, c->verdict);
		assert_string_equal(eval_reason_word(&r), c->reason);
		assert_int_equal(r.rule, c->rule);
		assert_int_equal(r.fault, PACKET_OK);
		assert_string_equal(t.text, c->counted);
		quiet = eval_frame(c->chain, buf, len, NULL, NULL, NULL); /* nobody wants to know what was counted */
		assert_int_equal(quiet.verdict, r.verdict);
		assert_int_equal(quiet.rule, r.rule);
	}
	print_message("# %zu chains x packets\n", sizeof(chain_cases) / sizeof(chain_cases[0]));
}

/* Each fault beside the nearest frame that has none. */
static void faults_drop_whatever_the_rules_say(void **state)
{
	static const struct {
		const char *hex, *reason; /* "rule": no fault, the rule decides */
	} cases[] = {
		{"", "l2-short"},
		{MACS "08", "l2-short"},
		{MACS "88cc", "rule"},
		{MACS "8100 0001 88cc", "rule"},
		{MACS "8100 0001 88", "vlan-depth"},
		{MACS "8100 0001 8100 0001 88cc", "rule"},
		{MACS "8100 0001 8100 0001 8100 0001 88cc", "vlan-depth"},
		{MACS "0800 4500 001c 0001 0000 4011 0000 0a000001 c0000201 1388 0035 0008 0000", "rule"},
		{MACS "0800 4500 001c 0001 0000 4011 0000 0a000001 c0000201 1388 0035 0008 00", "malformed"},
		{MACS "0800 4500 001c 0001 0000 4011 0000 0a000001 c0000201 1388 0035 0007 0000", "malformed"},
		{MACS "0800 4400 001c 0001 0000 4011 0000 0a000001 c0000201 1388 0035 0008 0000", "malformed"},
		{MACS "0800 4500 001b 0001 0000 4011 0000 0a000001 c0000201 1388 0035 0008 0000", "l4-short"},
		{MACS "0800 4500 001b 0001 2000 4011 0000 0a000001 c0000201 1388 0035 0008 0000", "frag-tiny"},
		{MACS "0800 4500 001c 0001 2000 4011 0000 0a000001 c0000201 1388 0035 0008 0000", "rule"},
		{MACS "0800 4500 001c 0001 0001 4006 0000 0a000001 c0000201 1388 0035 0008 0000", "frag-tiny"},
		{MACS "0800 4500 001c 0001 0002 4006 0000 0a000001 c0000201 1388 0035 0008 0000", "rule"},
		{MACS "86dd 60000000 0008 11 40 " IP6ADDR "1388 0035 0008 0000", "rule"},
		{MACS "86dd 60000000 0009 11 40 " IP6ADDR "1388 0035 0008 0000", "malformed"},
		{MACS "86dd 60000000 0010 2b 40 " IP6ADDR "1100 0100 00000000 1388 0035 0008 0000", "rule"},
		{MACS "86dd 60000000 0010 2b 40 " IP6ADDR "1100 0000 00000000 1388 0035 0008 0000", "ext-chain"},
		{MACS "86dd 60000000 0007 3c 40 " IP6ADDR "1100 0104 000000", "ext-chain"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tally t = {};
		uint8_t buf[256];
		size_t len = hex_bytes(cases[i].hex, buf, sizeof(buf));
		struct eval_result r = eval_frame(&pass_any, buf, len, NULL, tally, &t);
		bool fine = !strcmp(cases[i].reason, "rule");

		assert_string_equal(eval_reason_word(&r), cases[i].reason);
		assert_int_equal(r.verdict, fine ? PASS : DROP);
		assert_int_equal(r.rule, fine ? 1 : -1);
		assert_int_equal(t.n, fine ? 1 : 0); /* what was not understood is not counted by rules */

		r = eval_frame(&absent, buf, len, NULL, tally, &t); /* nothing is asked of this direction */
		assert_int_equal(r.verdict, PASS);
		assert_string_equal(eval_reason_word(&r), "default");
		assert_int_equal(r.fault, PACKET_OK);
	}
}

static void metadata_tag_is_seen_by_rules(void **state)
{
	static const struct packet_meta meta = {true, 0x2007};
	uint8_t buf[256];
	size_t len = hex_bytes(packets[0].hex, buf, sizeof(buf));

	assert_int_equal(eval_frame(&vlan7, buf, len, &meta, NULL, NULL).verdict, DROP);
	assert_int_equal(eval_frame(&vlan7, buf, len, NULL, NULL, NULL).verdict, PASS);
	len = hex_bytes(packets[13].hex, buf, sizeof(buf)); /* two tags, and a third */
	assert_int_equal(eval_frame(&vlan7, buf, len, &meta, NULL, NULL).fault, PACKET_VLAN_DEPTH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(families_match),
		cmocka_unit_test(protocol_match),
		cmocka_unit_test(ports_match),
		cmocka_unit_test(flags_match),
		cmocka_unit_test(icmp_match),
		cmocka_unit_test(frag_match),
		cmocka_unit_test(layer2_match),
		cmocka_unit_test(ip_header_match),
		cmocka_unit_test(ext_match),
		cmocka_unit_test(addresses_match),
		cmocka_unit_test(together_match),
		cmocka_unit_test(all_flag_bytes),
		cmocka_unit_test(first_failing_condition_is_named),
		cmocka_unit_test(chains_decide),
		cmocka_unit_test(faults_drop_whatever_the_rules_say),
		cmocka_unit_test(metadata_tag_is_seen_by_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
