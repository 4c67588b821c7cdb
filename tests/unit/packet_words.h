/* SPDX-License-Identifier: GPL-2.0-only */
/* Pieces of frames in hexadecimal, and the check that a frame shows the fields expected and no other. */
#ifndef FW_TESTS_PACKET_WORDS_H
#define FW_TESTS_PACKET_WORDS_H

#include "base/str.h"
#include "harness/hex.h"
#include "model/packet.h"

#include <stdlib.h>

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
		if (p->present[id] && !(id == FIELD_MAC && p->value[id] == 0x020000000001) &&
		    !((id == FIELD_ECN || id == FIELD_STATE) && !p->value[id])) /* what nearly every frame has goes without saying */
			str_addf(out, " %s=%llx", field_get((enum field_id)id)->word, (unsigned long long)p->value[id]);
	if (!p->present[FIELD_STATE])
		str_add(out, " without state");
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

#define UDP4 "ipv4" A4 " proto=111 sport=1388 port=35 frag=0 dscp=0 ttl=40 len=1c ethertype=800"

#endif
