// SPDX-License-Identifier: GPL-2.0-only
/* Rules 5 and 6 of parsing (model/packet.h) on frames written by hand: IPv6, extension headers, transport headers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "packet_words.h"

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
		 F6(" proto=23b frag=0", "2e", "28", "0 ecn=3")},
		{"traffic class of ones", ETH6 "6ff00000 0000 3b 40 " ADDR6, F6(" proto=23b frag=0", "3f", "28", "0 ecn=3")},
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rule_5_ipv6_header),
		cmocka_unit_test(rule_5_ipv6_extension_headers),
		cmocka_unit_test(rule_5_ipv6_fragments),
		cmocka_unit_test(rule_6_l4),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
