// SPDX-License-Identifier: GPL-2.0-only
/*
 * The parsing rules of model/packet.h, one by one, on frames written by hand. What is expected is written out in full:
 * every field that is present, in hexadecimal, and no other.
 */
#include "base/str.h"
#include "harness/hex.h"
#include "harness/prng.h"
#include "model/packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MACS  "020000000002 020000000001 "
#define ETH4  MACS "0800 "
#define ETH6  MACS "86dd "
#define ADDR4 "0a000001 c0000201 "
#define ADDR6 "20010db8 00*11 01 20010db8 00*11 02 "
/* IPv4: version+ihl, tos, total length, fragment word, ttl, protocol */
#define IP4(vhl, tos, len, frag, ttl, proto) vhl " " tos " " len " 0001 " frag " " ttl " " proto " 0000 " ADDR4
/* IPv6: payload length, next header */
#define IP6(len, next) "60000000 " len " " next " 40 " ADDR6
#define TCP	       "0400 0016 00000001 00000000 5002 ffff 0000 0000 " /* 20 bytes, port 1024 to 22, SYN */
#define UDP	       "1388 0035 0008 0000 "				  /* 8 bytes, port 5000 to 53 */
#define SCTP	       "0b80 0016 00000001 00000000 "			  /* 12 bytes */
#define ECHO	       "0800 0000 00000000 "
#define NS	       "8700 0000 00000000 20010db8 00*11 02 " /* 24 bytes, neighbour solicitation */

#define OPT8(next)	     next " 00 0104 00000000 "	      /* hop-by-hop or destination options: 8 bytes */
#define ROUTE(next, type)    next " 00 " type " 00 00000000 " /* routing header, 8 bytes */
#define FRAGMENT(next, word) next " 00 " word " 00000001 "
#define AH24(next)	     next " 04 0000 00000100 00000001 00*12 "

#define A4 " a000001>c0000201"
#define A6 " 20010db8000000000000000000000001>20010db8000000000000000000000002"

struct parse_case {
	const char *name, *hex, *expect; /* a fault word, or the fields */
};

static void add_fields(const struct packet *p, struct str *out)
{
	static const char *const families[] = {"other", "ipv4", "ipv6"};

	str_add(out, families[p->family]);
	if (p->family == FAMILY_IPV4)
		str_addf(out, " %llx>%llx", (unsigned long long)p->src, (unsigned long long)p->dst);
	if (p->family == FAMILY_IPV6)
		str_addf(out, " %llx%016llx>%llx%016llx", (unsigned long long)(p->src >> 64),
			 (unsigned long long)p->src, (unsigned long long)(p->dst >> 64), (unsigned long long)p->dst);
	for (int id = 0; id < FIELD_VALUE_COUNT; id++)
		if (p->present[id] && !(id == FIELD_MAC && p->value[id] == 0x020000000001))
			str_addf(out, " %s=%llx", field_get((enum field_id)id)->word, (unsigned long long)p->value[id]);
}

/* The bytes stand at the end of a heap block, so that a sanitizer sees a read past them. */
static enum packet_fault parse_exact(const uint8_t *bytes, size_t len, const struct packet_meta *meta, struct packet *p)
{
	uint8_t *copy = malloc(len ? len : 1);
	enum packet_fault fault;

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	fault = packet_parse(copy, len, meta, p);
	free(copy);
	return fault;
}

static void check(const struct parse_case *c, size_t n, const struct packet_meta *meta)
{
	static uint8_t buf[70000];

	for (size_t i = 0; i < n; i++) {
		struct packet p;
		struct str got = {};
		size_t len = hex_bytes(c[i].hex, buf, sizeof(buf));
		enum packet_fault fault = parse_exact(buf, len, meta, &p);

		if (fault)
			str_add(&got, packet_fault_word(fault));
		else
			add_fields(&p, &got);
		if (strcmp(str_get(&got), c[i].expect))
			print_message("# %s:\n#   want %s\n#   have %s\n", c[i].name, c[i].expect, str_get(&got));
		assert_string_equal(str_get(&got), c[i].expect);
		str_fini(&got);
	}
	print_message("# %zu frames\n", n);
}
#define CHECK(cases, meta) check((cases), sizeof(cases) / sizeof((cases)[0]), (meta))

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

#define UDP4 "ipv4" A4 " proto=111 sport=1388 port=35 frag=0 dscp=0 ttl=40 len=1c ethertype=800"

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
		{"dscp without the ECN bits", ETH4 IP4("45", "bb", "0014", "0000", "40", "2f"),
		 "ipv4" A4 " proto=12f frag=0 dscp=2e ttl=40 len=14 ethertype=800"},
		{"dscp of all ones, ttl 0, protocol 255", ETH4 IP4("45", "ff", "0014", "0000", "00", "ff"),
		 "ipv4" A4 " proto=1ff frag=0 dscp=3f ttl=0 len=14 ethertype=800"},
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

#define F6(proto_fields, dscp, len, ext)                                                                               \
	"ipv6" A6 proto_fields " dscp=" dscp " ttl=40 len=" len " ethertype=86dd ext=" ext
#define UDP6_(frag, len, ext) F6(" proto=211 sport=1388 port=35 frag=" frag, "0", len, ext)

static void rule_5_ipv6_header(void **state)
{
	static const struct parse_case cases[] = {
		{"exact", ETH6 IP6("0008", "11") UDP, UDP6_("0", "30", "0")},
		{"trailing padding", ETH6 IP6("0008", "11") UDP "ff*30", UDP6_("0", "30", "0")},
		{"no byte of header", ETH6, "malformed"},
		{"39 bytes of header", ETH6 "60000000 0000 3b 40 20010db8 00*11 01 20010db8 00*11", "malformed"},
		{"40 bytes and no more", ETH6 IP6("0000", "3b"), F6(" proto=23b frag=0", "0", "28", "0")},
		{"version 4", ETH6 "40000000 0008 11 40 " ADDR6 UDP, "malformed"},
		{"version 7", ETH6 "70000000 0008 11 40 " ADDR6 UDP, "malformed"},
		{"payload one byte longer than the frame", ETH6 IP6("0009", "11") UDP, "malformed"},
		{"payload 65535 in a short frame", ETH6 IP6("ffff", "11") UDP, "malformed"},
		{"payload 65535 in a frame that holds it: LEN stops at 65535", ETH6 IP6("ffff", "11") UDP "00*65527",
		 UDP6_("0", "ffff", "0")},
		{"LEN 65535 exactly", ETH6 IP6("ffd7", "11") UDP "00*65487", UDP6_("0", "ffff", "0")},
		{"LEN 65534", ETH6 IP6("ffd6", "11") UDP "00*65486", UDP6_("0", "fffe", "0")},
		{"the packet ends at the payload length", ETH6 IP6("0007", "11") UDP, "l4-short"},
		{"payload 0 with bytes behind it", ETH6 IP6("0000", "11") UDP, "l4-short"},
		{"traffic class: dscp 46, ECN 3, flow label of ones", ETH6 "6bbfffff 0000 3b 40 " ADDR6,
		 F6(" proto=23b frag=0", "2e", "28", "0")},
		{"traffic class of ones", ETH6 "6ff00000 0000 3b 40 " ADDR6, F6(" proto=23b frag=0", "3f", "28", "0")},
		{"flow label alone is not dscp", ETH6 "600fffff 0000 3b 40 " ADDR6,
		 F6(" proto=23b frag=0", "0", "28", "0")},
		{"ESP is a protocol", ETH6 IP6("0008", "32") UDP, F6(" proto=232 frag=0", "0", "30", "0")},
		{"ICMP of IPv4 has no type here", ETH6 IP6("0008", "01") ECHO, F6(" proto=201 frag=0", "0", "30", "0")},
		{"HIP, mobility, shim6 are protocols", ETH6 IP6("0008", "87") UDP,
		 F6(" proto=287 frag=0", "0", "30", "0")},
	};

	CHECK(cases, NULL);
}

static void rule_5_ipv6_extension_headers(void **state)
{
	static const struct parse_case cases[] = {
		{"hop-by-hop", ETH6 IP6("0010", "00") OPT8("11") UDP, UDP6_("0", "38", "1")},
		{"routing", ETH6 IP6("0010", "2b") ROUTE("11", "04") UDP, UDP6_("0", "38", "2")},
		{"routing type 0", ETH6 IP6("0010", "2b") ROUTE("11", "00") UDP, "ext-chain"},
		{"destination options", ETH6 IP6("0010", "3c") OPT8("11") UDP, UDP6_("0", "38", "8")},
		{"AH is (len + 2) * 4", ETH6 IP6("0020", "33") AH24("11") UDP, UDP6_("0", "48", "10")},
		{"AH of 8 bytes", ETH6 IP6("0010", "33") "11 00 0000 00000000 " UDP, UDP6_("0", "38", "10")},
		{"AH of 12 bytes", ETH6 IP6("0014", "33") "11 01 0000 00000000 00000000 " UDP, UDP6_("0", "3c", "10")},
		{"hop-by-hop, destination options", ETH6 IP6("0018", "00") OPT8("3c") OPT8("11") UDP,
		 UDP6_("0", "40", "9")},
		{"destination options, then hop-by-hop", ETH6 IP6("0018", "3c") OPT8("00") OPT8("11") UDP, "ext-chain"},
		{"hop-by-hop twice", ETH6 IP6("0018", "00") OPT8("00") OPT8("11") UDP, "ext-chain"},
		{"destination options twice is fine", ETH6 IP6("0018", "3c") OPT8("3c") OPT8("11") UDP,
		 UDP6_("0", "40", "8")},
		{"all kinds",
		 ETH6 IP6("0040", "00") OPT8("3c") OPT8("2b") ROUTE("2c", "04") FRAGMENT("33", "0000") AH24("11") UDP,
		 UDP6_("0", "68", "1f")},
		{"eight headers",
		 ETH6 IP6("0048", "3c") OPT8("3c") OPT8("3c") OPT8("3c") OPT8("3c") OPT8("3c") OPT8("3c") OPT8("3c")
			 OPT8("11") UDP,
		 UDP6_("0", "70", "8")},
		{"nine headers",
		 ETH6 IP6("0050", "3c") OPT8("3c") OPT8("3c") OPT8("3c") OPT8("3c") OPT8("3c") OPT8("3c") OPT8("3c")
			 OPT8("3c") OPT8("11") UDP,
		 "ext-chain"},
		{"a ninth header announced, and no byte of it",
		 ETH6 IP6("0040", "3c") OPT8("3c") OPT8("3c") OPT8("3c") OPT8("3c") OPT8("3c") OPT8("3c") OPT8("3c")
			 OPT8("3c"),
		 "ext-chain"},
		{"256 bytes in one header", ETH6 IP6("0108", "3c") "11 1f 01fc 00*252 " UDP, UDP6_("0", "130", "8")},
		{"264 bytes in one header", ETH6 IP6("0110", "3c") "11 20 01fc 00*260 " UDP, "ext-chain"},
		{"256 bytes in two headers", ETH6 IP6("0108", "3c") OPT8("3c") "11 1e 01fc 00*244 " UDP,
		 UDP6_("0", "130", "8")},
		{"264 bytes in two headers", ETH6 IP6("0110", "3c") OPT8("3c") "11 1f 01fc 00*252 " UDP, "ext-chain"},
		{"260 bytes of AH", ETH6 IP6("010c", "33") "11 3f 00*258 " UDP, "ext-chain"},
		{"256 bytes of AH", ETH6 IP6("0108", "33") "11 3e 00*254 " UDP, UDP6_("0", "130", "10")},
		{"7 of the first 8 bytes", ETH6 IP6("0007", "3c") "11 00 0104 000000", "ext-chain"},
		{"7 of 8, though the frame goes on", ETH6 IP6("0007", "3c") OPT8("11") UDP, "ext-chain"},
		{"no byte of it", ETH6 IP6("0000", "00") UDP, "ext-chain"},
		{"own length past the packet's end by 8", ETH6 IP6("0010", "3c") "11 02 0104 00000000 " UDP,
		 "ext-chain"},
		{"own length ends with the packet: nothing left for UDP",
		 ETH6 IP6("0010", "3c") "11 01 0104 00000000 " UDP, "l4-short"},
		{"length byte 255", ETH6 IP6("0010", "3c") "11 ff 0104 00000000 " UDP, "ext-chain"},
		{"header without a successor", ETH6 IP6("0008", "3c") OPT8("3b"),
		 F6(" proto=23b frag=0", "0", "30", "8")},
		{"routing header cut", ETH6 IP6("0004", "2b") "11 00 0400", "ext-chain"},
		{"AH longer than the packet by 4", ETH6 IP6("0010", "33") "11 03 0000 00000000 00*8", "ext-chain"},
	};

	CHECK(cases, NULL);
}

#define LATER6(proto, len, ext) F6(" proto=" proto " frag=2", "0", len, ext)
#define TCP6(frag, len, ext)	F6(" proto=206 sport=400 port=16 flags=2 frag=" frag, "0", len, ext)

static void rule_5_ipv6_fragments(void **state)
{
	static const struct parse_case cases[] = {
		{"atomic: not a fragment", ETH6 IP6("0010", "2c") FRAGMENT("11", "0000") UDP, UDP6_("0", "38", "4")},
		{"atomic, reserved byte 255 and reserved bits", ETH6 IP6("0010", "2c") "11 ff 0006 00000001 " UDP,
		 UDP6_("0", "38", "4")},
		{"atomic, TCP", ETH6 IP6("001c", "2c") FRAGMENT("06", "0000") TCP, TCP6("0", "44", "4")},
		{"first", ETH6 IP6("001c", "2c") FRAGMENT("06", "0001") TCP, TCP6("1", "44", "4")},
		{"first, reserved bits", ETH6 IP6("001c", "2c") "06 ff 0007 00000001 " TCP, TCP6("1", "44", "4")},
		{"first, 19 bytes of TCP", ETH6 IP6("001b", "2c") FRAGMENT("06", "0001") TCP, "frag-tiny"},
		{"first, nothing of UDP", ETH6 IP6("0008", "2c") FRAGMENT("11", "0001"), "frag-tiny"},
		{"first, 7 bytes of ICMPv6", ETH6 IP6("000f", "2c") FRAGMENT("3a", "0001") NS, "frag-tiny"},
		{"first, TCP options past the end",
		 ETH6 IP6("001c", "2c") FRAGMENT("06", "0001") "0400 0016 00000001 00000000 f002 ffff 00000000",
		 "frag-tiny"},
		{"first, chain goes on to destination options",
		 ETH6 IP6("0018", "2c") FRAGMENT("3c", "0001") OPT8("11") UDP, UDP6_("1", "40", "c")},
		{"first, chain does not reach L4", ETH6 IP6("0008", "2c") FRAGMENT("3c", "0001"), "ext-chain"},
		{"first, header cut", ETH6 IP6("000c", "2c") FRAGMENT("3c", "0001") "11 00 0104", "ext-chain"},
		{"later", ETH6 IP6("001c", "2c") FRAGMENT("06", "0010") TCP, LATER6("206", "44", "4")},
		{"offset 1, TCP: no fault in IPv6", ETH6 IP6("001c", "2c") FRAGMENT("06", "0008") TCP,
		 LATER6("206", "44", "4")},
		{"offset 1 and more", ETH6 IP6("001c", "2c") FRAGMENT("06", "0009") TCP, LATER6("206", "44", "4")},
		{"largest offset", ETH6 IP6("0010", "2c") FRAGMENT("11", "fff8") UDP, LATER6("211", "38", "4")},
		{"later: next header is the protocol, even a header's number",
		 ETH6 IP6("0010", "2c") FRAGMENT("3c", "0010") OPT8("11"), LATER6("23c", "38", "4")},
		{"later: even hop-by-hop", ETH6 IP6("0008", "2c") FRAGMENT("00", "0010"), LATER6("200", "30", "4")},
		{"later behind destination options", ETH6 IP6("0018", "3c") OPT8("2c") FRAGMENT("11", "0010") UDP,
		 LATER6("211", "40", "c")},
		{"second fragment header, both atomic",
		 ETH6 IP6("0018", "2c") FRAGMENT("2c", "0000") FRAGMENT("11", "0000") UDP, "ext-chain"},
		{"second fragment header behind a first fragment",
		 ETH6 IP6("0018", "2c") FRAGMENT("2c", "0001") FRAGMENT("11", "0010") UDP, "ext-chain"},
		{"second after another header",
		 ETH6 IP6("0020", "2c") FRAGMENT("3c", "0000") OPT8("2c") FRAGMENT("11", "0000") UDP, "ext-chain"},
		{"7 bytes of fragment header", ETH6 IP6("0007", "2c") "11 00 0010 000000", "ext-chain"},
		{"fragment header is 8 bytes whatever its second byte says",
		 ETH6 IP6("0010", "2c") "11 05 0000 00000001 " UDP, UDP6_("0", "38", "4")},
		{"hop-by-hop behind a first fragment header",
		 ETH6 IP6("0018", "2c") FRAGMENT("00", "0001") OPT8("11") UDP, "ext-chain"},
	};

	CHECK(cases, NULL);
}

#define T4(len, fields) ETH4 IP4("45", "00", len, "0000", "40", "06") fields
#define TCP4(flags, len)                                                                                               \
	"ipv4" A4 " proto=106 sport=400 port=16 flags=" flags " frag=0 dscp=0 ttl=40 len=" len " ethertype=800"

static void rule_6_l4(void **state)
{
	static const struct parse_case cases[] = {
		{"TCP", T4("0028", TCP), TCP4("2", "28")},
		{"TCP, 19 bytes", T4("0027", TCP), "l4-short"},
		{"TCP, nothing", T4("0014", ""), "l4-short"},
		{"TCP, 4 bytes: ports alone are not enough", T4("0018", TCP), "l4-short"},
		{"data offset 0", T4("0028", "0400 0016 00000001 00000000 0002 ffff 00000000"), "malformed"},
		{"data offset 4", T4("0028", "0400 0016 00000001 00000000 4002 ffff 00000000"), "malformed"},
		{"data offset 6, header past the end", T4("0028", "0400 0016 00000001 00000000 6002 ffff 00000000"),
		 "malformed"},
		{"data offset 6, past the end though padding follows",
		 T4("0028", "0400 0016 00000001 00000000 6002 ffff 00000000 00*10"), "malformed"},
		{"data offset 6, one byte missing",
		 T4("002b", "0400 0016 00000001 00000000 6002 ffff 00000000 01010101"), "malformed"},
		{"data offset 6", T4("002c", "0400 0016 00000001 00000000 6002 ffff 00000000 01010101"),
		 TCP4("2", "2c")},
		{"data offset 15", T4("0050", "0400 0016 00000001 00000000 f002 ffff 00000000 01*40"), TCP4("2", "50")},
		{"reserved bits of the offset byte", T4("0028", "0400 0016 00000001 00000000 5f12 ffff 00000000"),
		 TCP4("12", "28")},
		{"all flags", T4("0028", "0400 0016 00000001 00000000 50ff ffff 00000000"), TCP4("ff", "28")},
		{"no flags", T4("0028", "0400 0016 00000001 00000000 5000 ffff 00000000"), TCP4("0", "28")},
		{"ports 0 and 65535", ETH4 IP4("45", "00", "001c", "0000", "40", "11") "0000 ffff 0008 0000",
		 "ipv4" A4 " proto=111 sport=0 port=ffff frag=0 dscp=0 ttl=40 len=1c ethertype=800"},
		{"UDP, 7 bytes", ETH4 IP4("45", "00", "001b", "0000", "40", "11") UDP, "l4-short"},
		{"UDP length 7", ETH4 IP4("45", "00", "001c", "0000", "40", "11") "1388 0035 0007 0000", "malformed"},
		{"UDP length 0", ETH4 IP4("45", "00", "001c", "0000", "40", "11") "1388 0035 0000 0000", "malformed"},
		{"UDP length longer than the packet is judged by its ports",
		 ETH4 IP4("45", "00", "001c", "0000", "40", "11") "1388 0035 ffff 0000", UDP4},
		{"UDP length 0 in IPv6", ETH6 IP6("0008", "11") "1388 0035 0000 0000", "malformed"},
		{"SCTP", ETH4 IP4("45", "00", "0020", "0000", "40", "84") SCTP,
		 "ipv4" A4 " proto=184 sport=b80 port=16 frag=0 dscp=0 ttl=40 len=20 ethertype=800"},
		{"SCTP, 11 bytes", ETH4 IP4("45", "00", "001f", "0000", "40", "84") SCTP, "l4-short"},
		{"SCTP in IPv6", ETH6 IP6("000c", "84") SCTP,
		 F6(" proto=284 sport=b80 port=16 frag=0", "0", "34", "0")},
		{"UDP-Lite has no ports for us", ETH4 IP4("45", "00", "001c", "0000", "40", "88") UDP,
		 "ipv4" A4 " proto=188 frag=0 dscp=0 ttl=40 len=1c ethertype=800"},
		{"ICMP", ETH4 IP4("45", "00", "001c", "0000", "40", "01") ECHO,
		 "ipv4" A4 " proto=101 icmp=800 frag=0 dscp=0 ttl=40 len=1c ethertype=800"},
		{"ICMP type 255 code 255", ETH4 IP4("45", "00", "001c", "0000", "40", "01") "ffff 0000 00000000",
		 "ipv4" A4 " proto=101 icmp=ffff frag=0 dscp=0 ttl=40 len=1c ethertype=800"},
		{"ICMP, 7 bytes", ETH4 IP4("45", "00", "001b", "0000", "40", "01") ECHO, "l4-short"},
		{"ICMPv6 in IPv4 has no type", ETH4 IP4("45", "00", "001c", "0000", "40", "3a") ECHO,
		 "ipv4" A4 " proto=13a frag=0 dscp=0 ttl=40 len=1c ethertype=800"},
		{"ICMPv6", ETH6 IP6("0018", "3a") NS, F6(" proto=23a icmp6=8700 frag=0", "0", "40", "0")},
		{"ICMPv6, 7 bytes", ETH6 IP6("0007", "3a") NS, "l4-short"},
		{"TCP in IPv6", ETH6 IP6("0014", "06") TCP, TCP6("0", "3c", "0")},
		{"TCP in IPv6, header past the end",
		 ETH6 IP6("0014", "06") "0400 0016 00000001 00000000 6002 ffff 00000000", "malformed"},
		{"TCP in IPv6, 19 bytes", ETH6 IP6("0013", "06") TCP, "l4-short"},
		{"4in6: an ordinary protocol", ETH6 IP6("0014", "04") IP4("45", "00", "0014", "0000", "40", "06"),
		 F6(" proto=204 frag=0", "0", "3c", "0")},
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
		cmocka_unit_test(rule_1_ethernet_header),
		cmocka_unit_test(rule_2_tags),
		cmocka_unit_test(rule_2_metadata_tag),
		cmocka_unit_test(rule_3_ethertype),
		cmocka_unit_test(rule_4_ipv4_lengths),
		cmocka_unit_test(rule_4_ipv4_fields),
		cmocka_unit_test(rule_4_ipv4_fragments),
		cmocka_unit_test(rule_5_ipv6_header),
		cmocka_unit_test(rule_5_ipv6_extension_headers),
		cmocka_unit_test(rule_5_ipv6_fragments),
		cmocka_unit_test(rule_6_l4),
		cmocka_unit_test(every_cut_of_a_frame),
		cmocka_unit_test(every_ipv4_total_length),
		cmocka_unit_test(a_fault_writes_nothing),
		cmocka_unit_test(random_bytes_stay_inside),
		cmocka_unit_test(fault_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
