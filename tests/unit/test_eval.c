// SPDX-License-Identifier: GPL-2.0-only
/*
 * The oracle, against a table worked out by hand: for each rule the packets of eval_words.h that it must match. A
 * letter that stands in the column must match, every other one must not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "eval_words.h"

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
	 RULE(IP, .src = (&(const struct aset){.v4 = (struct range4[]){{0x0a000001, 0x0a000001}},
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
