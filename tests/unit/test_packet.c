// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules 1 to 4 of parsing (model/packet.h) on frames written by hand: Ethernet, tags, types, IPv4. What is expected is
 * written out in full: every field that is present, in hexadecimal, and no other.
 */
#include "harness/prng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "packet_words.h"

static void rule_1_ethernet_header(void **state)
{
	static const struct parse_case cases[] = {
		{"nothing", "", "l2-short"},
		{"one byte", "02", "l2-short"},
		{"13 bytes", MACS "08", "l2-short"},
		{"14 bytes of ARP", MACS "0806", "other ethertype=806"},
		{"source MAC", "ffffffffffff 0a0b0c0d0e0f 88cc 00*46", "other ethertype=88cc mac=a0b0c0d0e0f"},
		{"MAC of all ones", "ffffffffffff ffffffffffff 88cc", "other ethertype=88cc mac=ffffffffffff"},
		{"MAC of all zeros", "ffffffffffff 000000000000 88cc", "other ethertype=88cc mac=0"},
	};

	CHECK(cases, NULL);
}

static void rule_2_tags(void **state)
{
	static const struct parse_case cases[] = {
		{"one tag", MACS "8100 0064 0806", "other vlan=64 ethertype=806"},
		{"one provider tag", MACS "88a8 0fff 0806", "other vlan=fff ethertype=806"},
		{"priority and drop bits are not the VID", MACS "8100 f001 0806", "other vlan=1 ethertype=806"},
		{"priority tag", MACS "8100 e000 0806", "other ethertype=806"},
		{"two tags: the first VID", MACS "88a8 0002 8100 0003 0806", "other vlan=2 ethertype=806"},
		{"two tags: the first VID that is not 0", MACS "8100 0000 8100 0003 0806",
		 "other vlan=3 ethertype=806"},
		{"two priority tags", MACS "8100 0000 88a8 0000 0806", "other ethertype=806"},
		{"three tags", MACS "8100 0001 8100 0002 8100 0003 0806", "vlan-depth"},
		{"three priority tags", MACS "8100 0000 8100 0000 8100 0000 0800 00*46", "vlan-depth"},
		{"a third tag announced, and nothing else", MACS "8100 0001 8100 0002 8100", "vlan-depth"},
		{"tag without its bytes", MACS "8100", "vlan-depth"},
		{"tag with 3 of 4 bytes", MACS "8100 0001 08", "vlan-depth"},
		{"second tag with no bytes", MACS "8100 0001 88a8", "vlan-depth"},
		{"second tag with 3 bytes", MACS "8100 0001 88a8 0002 08", "vlan-depth"},
		{"0x9100 is no tag", MACS "9100 0001 0800", "other ethertype=9100"},
		{"IPv4 behind two tags",
		 MACS "8100 0005 8100 0006 0800 " IP4("45", "00", "001c", "0000", "40", "11") UDP,
		 "ipv4" A4 " proto=111 sport=1388 port=35 frag=0 vlan=5 dscp=0 ttl=40 len=1c ethertype=800"},
	};

	CHECK(cases, NULL);
}

static void rule_2_metadata_tag(void **state)
{
	static const struct packet_meta vid7 = {true, 0xe007}, vid0 = {true, 0x2000}, last = {true, 0xffff},
					none = {false, 0x0007};
	static const struct parse_case tagged[] = {
		{"metadata alone", MACS "0806", "other vlan=7 ethertype=806"},
		{"metadata comes before the frame's tag", MACS "8100 0009 0806", "other vlan=7 ethertype=806"},
		{"metadata and two tags", MACS "8100 0009 8100 000a 0806", "vlan-depth"},
		{"short frame", MACS "08", "l2-short"},
	};
	static const struct parse_case priority[] = {
		{"priority metadata", MACS "0806", "other ethertype=806"},
		{"priority metadata, then a tag", MACS "8100 0009 0806", "other vlan=9 ethertype=806"},
		{"priority metadata counts as a tag", MACS "8100 0000 8100 0009 0806", "vlan-depth"},
	};
	static const struct parse_case all_ones[] = {{"the largest VID", MACS "0806", "other vlan=fff ethertype=806"}};
	static const struct parse_case absent[] = {
		{"a tci that is not present is not looked at", MACS "0806", "other ethertype=806"},
		{"and does not count", MACS "8100 0000 8100 0009 0806", "other vlan=9 ethertype=806"},
	};

	CHECK(tagged, &vid7);
	CHECK(all_ones, &last);
	CHECK(priority, &vid0);
	CHECK(absent, &none);
}

static void rule_3_ethertype(void **state)
{
	static const struct parse_case cases[] = {
		{"LLC, length 0", MACS "0000 00*46", "other"},
		{"LLC, length 38", MACS "0026 424203 00*43", "other"},
		{"last length", MACS "05ff", "other"},
		{"first type", MACS "0600", "other ethertype=600"},
		{"last type", MACS "ffff", "other ethertype=ffff"},
		{"LLC behind a tag", MACS "8100 0005 0003 424203", "other vlan=5"},
		{"SNAP with IPv4 inside is not IPv4",
		 MACS "0024 aaaa03 000000 0800 " IP4("45", "00", "001c", "0000", "40", "11") UDP, "other"},
		{"neighbours of IPv4", MACS "0801 " IP4("45", "00", "001c", "0000", "40", "11") UDP,
		 "other ethertype=801"},
		{"IPv6 bytes under the type of IPv4", ETH4 IP6("0008", "11") UDP, "malformed"},
		{"IPv4 bytes under the type of IPv6", ETH6 IP4("45", "00", "003c", "0000", "40", "11") "00*40",
		 "malformed"},
	};

	CHECK(cases, NULL);
}

static void rule_4_ipv4_lengths(void **state)
{
	static const struct parse_case cases[] = {
		{"exact", ETH4 IP4("45", "00", "001c", "0000", "40", "11") UDP, UDP4},
		{"trailing padding", ETH4 IP4("45", "00", "001c", "0000", "40", "11") UDP "ff*18", UDP4},
		{"no byte of header", ETH4, "malformed"},
		{"19 bytes of header", ETH4 "4500 0014 0001 0000 40 2f 0000 0a000001 c00002", "malformed"},
		{"20 bytes and no more", ETH4 IP4("45", "00", "0014", "0000", "40", "2f"),
		 "ipv4" A4 " proto=12f frag=0 dscp=0 ttl=40 len=14 ethertype=800"},
		{"version 5", ETH4 IP4("55", "00", "001c", "0000", "40", "11") UDP, "malformed"},
		{"version 0", ETH4 IP4("05", "00", "001c", "0000", "40", "11") UDP, "malformed"},
		{"ihl 4", ETH4 IP4("44", "00", "001c", "0000", "40", "11") UDP, "malformed"},
		{"ihl 0", ETH4 IP4("40", "00", "001c", "0000", "40", "11") UDP, "malformed"},
		{"ihl 6: the options are not ports", ETH4 IP4("46", "00", "0020", "0000", "40", "11") "01010101 " UDP,
		 "ipv4" A4 " proto=111 sport=1388 port=35 frag=0 dscp=0 ttl=40 len=20 ethertype=800"},
		{"ihl 15", ETH4 IP4("4f", "00", "0044", "0000", "40", "11") "01*40 " UDP,
		 "ipv4" A4 " proto=111 sport=1388 port=35 frag=0 dscp=0 ttl=40 len=44 ethertype=800"},
		{"ihl 15, header cut by the frame's end", ETH4 IP4("4f", "00", "003c", "0000", "40", "11") "01*39",
		 "malformed"},
		{"ihl 15, 60 bytes", ETH4 IP4("4f", "00", "003c", "0000", "40", "2f") "01*40",
		 "ipv4" A4 " proto=12f frag=0 dscp=0 ttl=40 len=3c ethertype=800"},
		{"total length one byte more than the frame", ETH4 IP4("45", "00", "001d", "0000", "40", "11") UDP,
		 "malformed"},
		{"total length 65535", ETH4 IP4("45", "00", "ffff", "0000", "40", "11") UDP, "malformed"},
		{"total length 0", ETH4 IP4("45", "00", "0000", "0000", "40", "11") UDP, "malformed"},
		{"total length 19", ETH4 IP4("45", "00", "0013", "0000", "40", "2f") UDP, "malformed"},
		{"total length below the header with options",
		 ETH4 IP4("46", "00", "0017", "0000", "40", "2f") "01010101", "malformed"},
		{"a frame of 65549 bytes", ETH4 IP4("45", "00", "ffff", "0000", "40", "11") UDP "00*65507",
		 "ipv4" A4 " proto=111 sport=1388 port=35 frag=0 dscp=0 ttl=40 len=ffff ethertype=800"},
		{"the packet ends at total length", ETH4 IP4("45", "00", "001b", "0000", "40", "11") UDP, "l4-short"},
	};

	CHECK(cases, NULL);
}

static void rule_4_ipv4_fields(void **state)
{
	static const struct parse_case cases[] = {
		{"dscp and the two ECN bits", ETH4 IP4("45", "bb", "0014", "0000", "40", "2f"),
		 "ipv4" A4 " proto=12f frag=0 dscp=2e ttl=40 len=14 ethertype=800 ecn=3"},
		{"dscp of all ones, ttl 0, protocol 255", ETH4 IP4("45", "ff", "0014", "0000", "00", "ff"),
		 "ipv4" A4 " proto=1ff frag=0 dscp=3f ttl=0 len=14 ethertype=800 ecn=3"},
		{"protocol 0, ttl 255", ETH4 IP4("45", "00", "0014", "0000", "ff", "00"),
		 "ipv4" A4 " proto=100 frag=0 dscp=0 ttl=ff len=14 ethertype=800"},
		{"extension header numbers are protocols in IPv4", ETH4 IP4("45", "00", "001c", "0000", "40", "33") UDP,
		 "ipv4" A4 " proto=133 frag=0 dscp=0 ttl=40 len=1c ethertype=800"},
		{"addresses", ETH4 "4500 0014 0001 0000 40 2f 0000 ffffffff 00000000",
		 "ipv4 ffffffff>0 proto=12f frag=0 dscp=0 ttl=40 len=14 ethertype=800"},
	};

	CHECK(cases, NULL);
}

#define LATER4(proto, len) "ipv4" A4 " proto=" proto " frag=2 dscp=0 ttl=40 len=" len " ethertype=800"
#define FIRST4_TCP	   "ipv4" A4 " proto=106 sport=400 port=16 flags=2 frag=1 dscp=0 ttl=40 len=28 ethertype=800"

static void rule_4_ipv4_fragments(void **state)
{
	static const struct parse_case cases[] = {
		{"DF is not a fragment", ETH4 IP4("45", "00", "001c", "4000", "40", "11") UDP, UDP4},
		{"the reserved bit is not a fragment", ETH4 IP4("45", "00", "001c", "8000", "40", "11") UDP, UDP4},
		{"first", ETH4 IP4("45", "00", "0028", "2000", "40", "06") TCP, FIRST4_TCP},
		{"first, DF too", ETH4 IP4("45", "00", "0028", "6000", "40", "06") TCP, FIRST4_TCP},
		{"first, 19 bytes of TCP", ETH4 IP4("45", "00", "0027", "2000", "40", "06") TCP, "frag-tiny"},
		{"first, 8 bytes of TCP", ETH4 IP4("45", "00", "001c", "2000", "40", "06") TCP, "frag-tiny"},
		{"first, nothing of TCP", ETH4 IP4("45", "00", "0014", "2000", "40", "06") TCP, "frag-tiny"},
		{"first, TCP options past the end",
		 ETH4 IP4("45", "00", "0028", "2000", "40", "06") "0400 0016 00000001 00000000 6002 ffff 00000000",
		 "frag-tiny"},
		{"first, TCP options inside",
		 ETH4 IP4("45", "00", "002c", "2000", "40",
			  "06") "0400 0016 00000001 00000000 6002 ffff 00000000 01010101",
		 "ipv4" A4 " proto=106 sport=400 port=16 flags=2 frag=1 dscp=0 ttl=40 len=2c ethertype=800"},
		{"first, TCP data offset 4",
		 ETH4 IP4("45", "00", "0028", "2000", "40", "06") "0400 0016 00000001 00000000 4002 ffff 00000000",
		 "malformed"},
		{"first, 7 bytes of UDP", ETH4 IP4("45", "00", "001b", "2000", "40", "11") UDP, "frag-tiny"},
		{"first, 8 bytes of UDP", ETH4 IP4("45", "00", "001c", "2000", "40", "11") UDP,
		 "ipv4" A4 " proto=111 sport=1388 port=35 frag=1 dscp=0 ttl=40 len=1c ethertype=800"},
		{"first, 11 bytes of SCTP", ETH4 IP4("45", "00", "001f", "2000", "40", "84") SCTP, "frag-tiny"},
		{"first, 7 bytes of ICMP", ETH4 IP4("45", "00", "001b", "2000", "40", "01") ECHO, "frag-tiny"},
		{"first of a protocol without header rules", ETH4 IP4("45", "00", "0014", "2000", "40", "2f"),
		 "ipv4" A4 " proto=12f frag=1 dscp=0 ttl=40 len=14 ethertype=800"},
		{"offset 1, TCP", ETH4 IP4("45", "00", "0028", "0001", "40", "06") TCP, "frag-tiny"},
		{"offset 1, TCP, more to come", ETH4 IP4("45", "00", "0028", "2001", "40", "06") TCP, "frag-tiny"},
		{"offset 1, TCP, DF and the reserved bit", ETH4 IP4("45", "00", "0028", "c001", "40", "06") TCP,
		 "frag-tiny"},
		{"offset 1, UDP", ETH4 IP4("45", "00", "001c", "0001", "40", "11") UDP, LATER4("111", "1c")},
		{"offset 2, TCP: no ports, no flags", ETH4 IP4("45", "00", "0028", "0002", "40", "06") TCP,
		 LATER4("106", "28")},
		{"offset 2, more to come", ETH4 IP4("45", "00", "0028", "2002", "40", "06") TCP, LATER4("106", "28")},
		{"offset 0x1000", ETH4 IP4("45", "00", "0028", "1000", "40", "06") TCP, LATER4("106", "28")},
		{"offset 0x1001 is not offset 1", ETH4 IP4("45", "00", "0028", "1001", "40", "06") TCP,
		 LATER4("106", "28")},
		{"largest offset", ETH4 IP4("45", "00", "0028", "1fff", "40", "06") TCP, LATER4("106", "28")},
		{"later, no byte of payload", ETH4 IP4("45", "00", "0014", "0002", "40", "06"), LATER4("106", "14")},
		{"later ICMP has no type", ETH4 IP4("45", "00", "001c", "0003", "40", "01") ECHO, LATER4("101", "1c")},
		{"offset 1, TCP, but the length lies", ETH4 IP4("45", "00", "0029", "0001", "40", "06") TCP,
		 "malformed"},
	};

	CHECK(cases, NULL);
}

/* What a frame is when only its first `len` bytes arrive: the last entry whose `from` is not above len. */
struct cut {
	size_t from;
	enum packet_fault fault;
};

static void check_cuts(const char *hex, const struct cut *cuts, size_t n)
{
	uint8_t buf[256];
	size_t len = hex_bytes(hex, buf, sizeof(buf)), at = 0;

	for (size_t i = 0; i <= len; i++) {
		struct packet p;

		if (at + 1 < n && cuts[at + 1].from == i)
			at++;
		assert_int_equal(parse_exact(buf, i, NULL, &p), cuts[at].fault);
	}
	assert_int_equal(at, n - 1);
}

static void every_cut_of_a_frame(void **state)
{
	static const struct cut plain[] = {{0, PACKET_L2_SHORT}, {14, PACKET_MALFORMED}, {54, PACKET_OK}};
	static const struct cut tagged[] = {
		{0, PACKET_L2_SHORT},
		{14, PACKET_VLAN_DEPTH},
		{22, PACKET_MALFORMED},
		{22 + 48, PACKET_OK},
	};
	static const struct cut arp[] = {{0, PACKET_L2_SHORT}, {14, PACKET_OK}};

	check_cuts(ETH4 IP4("45", "00", "0028", "0000", "40", "06") TCP "00*6", plain, 3);
	check_cuts(MACS "88a8 0001 8100 0002 86dd " IP6("0008", "11") UDP, tagged, 4);
	check_cuts(MACS "0806 00*28", arp, 2);
}

/* The L3 length says what the frame's end would: cut by length field instead. */
static void every_ipv4_total_length(void **state)
{
	uint8_t buf[128];
	size_t len = hex_bytes(ETH4 IP4("45", "00", "0028", "0000", "40", "06") TCP, buf, sizeof(buf));

	for (unsigned int total = 0; total < 65536; total++) {
		enum packet_fault want = total < 20 || total > 40 ? PACKET_MALFORMED
					 : total < 40		  ? PACKET_L4_SHORT
								  : PACKET_OK;
		struct packet p;

		buf[16] = (uint8_t)(total >> 8);
		buf[17] = (uint8_t)total;
		assert_int_equal(packet_parse(buf, len, NULL, &p), want);
	}
}

static void a_fault_writes_nothing(void **state)
{
	uint8_t buf[64];
	size_t len = hex_bytes(MACS "8100", buf, sizeof(buf));
	struct packet p, before;

	memset(&p, 0x5a, sizeof(p));
	before = p;
	assert_int_equal(packet_parse(buf, len, NULL, &p), PACKET_VLAN_DEPTH);
	assert_memory_equal(&p, &before, sizeof(p));
}

static void random_bytes_stay_inside(void **state)
{
	struct prng prng;
	uint8_t buf[200];
	struct packet p;

	prng_init(&prng, prng_seed("packet", 0xbeef));
	for (int i = 0; i < 100000; i++) {
		size_t len = prng_below(&prng, sizeof(buf));
		static const uint16_t types[] = {0x0800, 0x86dd, 0x8100, 0x88a8};
		uint16_t type = types[prng_below(&prng, 4)];

		prng_bytes(&prng, buf, len);
		if (len > 14) {
			buf[12] = (uint8_t)(type >> 8);
			buf[13] = (uint8_t)type;
			buf[14] = (uint8_t)(type == 0x86dd ? 0x60 : 0x45);
		}
		if (len > 22 && type == 0x86dd)
			buf[18] = 0;
		if (len > 22 && type == 0x0800)
			buf[16] = 0;
		assert_true(parse_exact(buf, len, NULL, &p) < PACKET_FAULT_COUNT);
	}
}

static void fault_words(void **state)
{
	static const char *const words[] = {"",		 "l2-short",  "vlan-depth", "malformed",
					    "frag-tiny", "ext-chain", "l4-short"};

	for (int i = 0; i < PACKET_FAULT_COUNT; i++)
		assert_string_equal(packet_fault_word((enum packet_fault)i), words[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rule_1_ethernet_header),   cmocka_unit_test(rule_2_tags),
		cmocka_unit_test(rule_2_metadata_tag),	    cmocka_unit_test(rule_3_ethertype),
		cmocka_unit_test(rule_4_ipv4_lengths),	    cmocka_unit_test(rule_4_ipv4_fields),
		cmocka_unit_test(rule_4_ipv4_fragments),    cmocka_unit_test(every_cut_of_a_frame),
		cmocka_unit_test(every_ipv4_total_length),  cmocka_unit_test(a_fault_writes_nothing),
		cmocka_unit_test(random_bytes_stay_inside), cmocka_unit_test(fault_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
