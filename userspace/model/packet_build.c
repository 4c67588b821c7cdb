// SPDX-License-Identifier: GPL-2.0-only
/* Words → bytes: the shortest valid frame that a packet_spec describes. */
#include "model/packet.h"

#include <errno.h>
#include <string.h>

#define MIN_FRAME    60
#define QUOTED_L4    8   /* bytes of a quoted packet behind its IP header */
#define MAX_QUOTED   160 /* the longest packet that may be quoted: IPv6 with every extension header */
#define LATER_OFFSET 185 /* 8-byte units: the second piece of a 1500 byte path */

enum { PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_ICMP6 = 58, PROTO_SCTP = 132 };

/* Extension headers in the order of the wire; all of them before the fragment header, so that later fragments show them
 * too. */
static const struct {
	enum ext ext;
	unsigned int number, len;
	uint8_t body[8]; /* its first bytes; next header is filled in */
} ext_headers[] = {
	{EXT_HOPOPTS, 0, 8, {0, 0, 1, 4}}, /* PadN */
	{EXT_DSTOPTS, 60, 8, {0, 0, 1, 4}},
	{EXT_ROUTING, 43, 8, {0, 0, 253, 0}}, /* an experimental type, no segments left */
	{EXT_AH, 51, 24, {0, 4, 0, 0, 0, 0, 1, 0}},
	{EXT_FRAGMENT, 44, 8, {}},
};
#define N_EXT (sizeof(ext_headers) / sizeof(ext_headers[0]))

static void put16(uint8_t *b, unsigned int value)
{
	b[0] = (uint8_t)(value >> 8);
	b[1] = (uint8_t)value;
}

static void put_number(uint8_t *b, size_t n, u128 value)
{
	while (n-- > 0) {
		b[n] = (uint8_t)value;
		value >>= 8;
	}
}

static bool has_port_header(const struct packet_spec *s)
{
	return s->protocol == PROTO_TCP || s->protocol == PROTO_UDP || s->protocol == PROTO_SCTP;
}

static bool is_icmp(const struct packet_spec *s)
{
	return s->protocol == (s->family == FAMILY_IPV4 ? PROTO_ICMP : PROTO_ICMP6);
}

/* The extension headers that the frame will have. */
static unsigned int ext_bits(const struct packet_spec *s)
{
	return s->ext | (s->family == FAMILY_IPV6 && s->frag != FRAG_NONE ? 1u << EXT_FRAGMENT : 0);
}

static unsigned int quote_len(const struct packet_spec *s);
static unsigned int l4_header_len(const struct packet_spec *s)
{
	if (s->frag == FRAG_LATER)
		return 0;
	if (s->protocol == PROTO_TCP)
		return 20;
	if (s->protocol == PROTO_SCTP)
		return 12;
	return s->protocol == PROTO_UDP || is_icmp(s) ? 8 + quote_len(s) : 0;
}

static unsigned int l3_header_len(const struct packet_spec *s)
{
	unsigned int len = s->family == FAMILY_IPV4 ? 20 : 40;

	for (size_t i = 0; i < N_EXT; i++)
		if (ext_bits(s) & 1u << ext_headers[i].ext)
			len += ext_headers[i].len;
	return len;
}

unsigned int packet_spec_min_len(const struct packet_spec *s)
{
	return s->family == FAMILY_OTHER ? 0 : l3_header_len(s) + l4_header_len(s);
}

/* Fragments other than the last carry multiples of 8 bytes. */
static unsigned int l3_len(const struct packet_spec *s)
{
	unsigned int payload = l4_header_len(s);

	if (s->len)
		return s->len;
	if (s->frag != FRAG_NONE)
		payload = payload ? (payload + 7) & ~7u : 8;
	return l3_header_len(s) + payload;
}

static bool is_ext_number(unsigned int protocol)
{
	for (size_t i = 0; i < N_EXT; i++)
		if (ext_headers[i].number == protocol)
			return true;
	return false;
}

static bool check_l2(const struct packet_spec *s)
{
	unsigned int type = s->ethertype;

	if (s->has_vlan && s->vlan > 4095)
		return false;
	if (s->has_mac && s->mac >> 48)
		return false;
	if (!s->has_ethertype)
		return true;
	if (s->family == FAMILY_IPV4)
		return type == 0x0800;
	if (s->family == FAMILY_IPV6)
		return type == 0x86dd;
	return type != 0x0800 && type != 0x86dd && type != 0x8100 && type != 0x88a8;
}

/* What stands behind the 8 bytes of an ICMP error: the quoted packet's IP header and 8 bytes. */
static unsigned int quote_len(const struct packet_spec *s)
{
	unsigned int l4;

	if (!s->quote)
		return 0;
	l4 = l3_len(s->quote) - l3_header_len(s->quote);
	return l3_header_len(s->quote) + (l4 < QUOTED_L4 ? l4 : QUOTED_L4);
}

static bool check_spec(const struct packet_spec *s);
static bool check_quote(const struct packet_spec *s)
{
	const struct packet_spec *q = s->quote;

	if (!q)
		return true;
	return s->has_icmp && !s->icmp_id && q->family == s->family && !q->raw && !q->quote && !q->len && check_spec(q);
}

/* Do the words fit together? */
static bool check_spec(const struct packet_spec *s)
{
	bool other = s->family == FAMILY_OTHER, later = s->frag == FRAG_LATER;

	if (!check_l2(s))
		return false;
	if (other)
		return !(s->protocol || s->has_ports || s->has_flags || s->has_icmp || s->has_ttl || s->dscp || s->ecn ||
			 s->frag || s->ext || s->len || s->src || s->dst || s->icmp_id || s->quote);
	if (s->protocol > 255 || s->dscp > 63 || s->ecn > 3 || s->ext > 31 || s->frag > FRAG_LATER)
		return false;
	if ((s->has_ports && (later || !has_port_header(s))) || (s->has_flags && (later || s->protocol != PROTO_TCP)) ||
	    ((s->has_icmp || s->icmp_id) && (later || !is_icmp(s))) || !check_quote(s))
		return false;
	if (s->len && (s->len < packet_spec_min_len(s) || s->len > 65535))
		return false;
	if (s->family == FAMILY_IPV4)
		return !s->ext && !(s->src >> 32) && !(s->dst >> 32);
	return later || !is_ext_number(s->protocol);
}

/* The ones-complement sum so far, always folded to 16 bits. */
static uint32_t sum_bytes(uint32_t sum, const uint8_t *b, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		sum += i & 1 ? b[i] : (uint32_t)b[i] << 8;
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return sum;
}

static unsigned int sum_finish(uint32_t sum)
{
	return ~sum & 0xffff;
}

/* The checksum SCTP uses: CRC-32C, least significant byte first on the wire. */
static uint32_t crc32c(const uint8_t *b, size_t len)
{
	uint32_t crc = ~0u;

	for (size_t i = 0; i < len; i++) {
		crc ^= b[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	return ~crc;
}

/* Sum of the addresses, the protocol and the length of what follows. */
static uint32_t pseudo_header(const struct packet_spec *s, size_t len)
{
	size_t width = s->family == FAMILY_IPV4 ? 4 : 16;
	uint8_t b[40] = {};

	put_number(b, width, s->src);
	put_number(b + width, width, s->dst);
	put_number(b + 2 * width, 4, (uint32_t)len);
	b[2 * width + 7] = (uint8_t)s->protocol;
	return sum_bytes(0, b, 2 * width + 8);
}

static void build_tcp(const struct packet_spec *s, uint8_t *b, size_t len)
{
	put_number(b + 4, 4, 1); /* sequence number */
	b[12] = 5 << 4;
	b[13] = s->has_flags ? s->flags : 2;
	put16(b + 14, 65535);
	put16(b + 16, sum_finish(sum_bytes(pseudo_header(s, len), b, len)));
}

static void build_udp(const struct packet_spec *s, uint8_t *b, size_t len)
{
	unsigned int sum;

	put16(b + 4, (unsigned int)len);
	sum = sum_finish(sum_bytes(pseudo_header(s, len), b, len));
	put16(b + 6, sum ? sum : 0xffff); /* 0 means: none */
}

static void build_quote(const struct packet_spec *s, uint8_t *b);
static void build_icmp(const struct packet_spec *s, uint8_t *b, size_t len)
{
	b[0] = s->has_icmp ? s->icmp_type : s->family == FAMILY_IPV4 ? 8 : 128;
	b[1] = s->has_icmp ? s->icmp_code : 0;
	if (s->quote)
		build_quote(s, b + 8);
	else
		put16(b + 4, s->icmp_id);
	put16(b + 2, sum_finish(sum_bytes(s->family == FAMILY_IPV4 ? 0 : pseudo_header(s, len), b, len)));
}

static void build_sctp(uint8_t *b, size_t len)
{
	uint32_t crc = crc32c(b, len);

	for (int i = 0; i < 4; i++)
		b[8 + i] = (uint8_t)(crc >> 8 * i);
}

static void build_l4(const struct packet_spec *s, uint8_t *b, size_t len)
{
	if (s->frag == FRAG_LATER)
		return;
	if (has_port_header(s)) {
		put16(b, s->sport);
		put16(b + 2, s->dport);
	}
	if (s->protocol == PROTO_TCP)
		build_tcp(s, b, len);
	else if (s->protocol == PROTO_UDP)
		build_udp(s, b, len);
	else if (s->protocol == PROTO_SCTP)
		build_sctp(b, len);
	else if (is_icmp(s))
		build_icmp(s, b, len);
}

static uint8_t hop_limit(const struct packet_spec *s)
{
	if (s->has_ttl)
		return s->ttl;
	return s->family == FAMILY_IPV6 && s->has_icmp && s->icmp_type >= 133 && s->icmp_type <= 137 ? 255 : 64;
}

/* Offset in 8-byte units of a later fragment: so that the whole datagram stays within 65535 bytes where it can. */
static unsigned int later_offset(const struct packet_spec *s)
{
	return l3_len(s) + LATER_OFFSET * 8 > 65535 ? 2 : LATER_OFFSET;
}

/* Both write the header and return its length. */
static size_t build_ipv4(const struct packet_spec *s, uint8_t *b)
{
	b[0] = 0x45;
	b[1] = (uint8_t)(s->dscp << 2 | s->ecn);
	put16(b + 2, l3_len(s));
	put16(b + 4, 1); /* identification */
	if (s->frag == FRAG_FIRST)
		put16(b + 6, 0x2000);
	else if (s->frag == FRAG_LATER)
		put16(b + 6, later_offset(s));
	b[8] = hop_limit(s);
	b[9] = (uint8_t)s->protocol;
	put_number(b + 12, 4, s->src);
	put_number(b + 16, 4, s->dst);
	put16(b + 10, sum_finish(sum_bytes(0, b, 20)));
	return 20;
}

static size_t build_ipv6(const struct packet_spec *s, uint8_t *b)
{
	uint8_t *next = b + 6; /* where the number of the following header goes */
	size_t pos = 40;

	put16(b, 0x6000 | (unsigned int)s->dscp << 6 | (unsigned int)s->ecn << 4);
	put16(b + 4, l3_len(s) - 40);
	b[7] = hop_limit(s);
	put_number(b + 8, 16, s->src);
	put_number(b + 24, 16, s->dst);
	for (size_t i = 0; i < N_EXT; i++) {
		if (!(ext_bits(s) & 1u << ext_headers[i].ext))
			continue;
		*next = (uint8_t)ext_headers[i].number;
		memcpy(b + pos, ext_headers[i].body, sizeof(ext_headers[i].body));
		next = b + pos;
		if (ext_headers[i].ext == EXT_FRAGMENT) {
			put16(b + pos + 2, s->frag == FRAG_LATER ? later_offset(s) << 3 : s->frag == FRAG_FIRST);
			put_number(b + pos + 4, 4, 1); /* identification */
		}
		pos += ext_headers[i].len;
	}
	*next = (uint8_t)s->protocol;
	return pos;
}

/* Built whole, so that the checksums are right; then cut. */
static void build_quote(const struct packet_spec *s, uint8_t *b)
{
	const struct packet_spec *q = s->quote;
	uint8_t whole[MAX_QUOTED] = {};
	size_t header = q->family == FAMILY_IPV4 ? build_ipv4(q, whole) : build_ipv6(q, whole);

	build_l4(q, whole + header, l3_len(q) - header);
	memcpy(b, whole, quote_len(s));
}

/* Ethernet header and tag; returns their length. */
static size_t build_l2(const struct packet_spec *s, uint8_t *b)
{
	unsigned int type = s->family == FAMILY_IPV4   ? 0x0800
			    : s->family == FAMILY_IPV6 ? 0x86dd
						       : 0x88b5 /* local experiments */;
	size_t pos = 12;

	put_number(b, 6, 0x020000000002);
	put_number(b + 6, 6, s->has_mac ? s->mac : 0x020000000001);
	if (s->has_vlan) {
		put16(b + 12, 0x8100);
		put16(b + 14, s->vlan);
		pos = 16;
	}
	put16(b + pos, s->has_ethertype ? s->ethertype : type);
	return pos + 2;
}

long packet_build(const struct packet_spec *spec, uint8_t *buf, size_t size)
{
	size_t l2 = spec->has_vlan ? 18 : 14, len;
	uint8_t *b = buf + l2;

	if (spec->raw) {
		if (spec->raw_len > size)
			return -ENOSPC;
		memcpy(buf, spec->raw, spec->raw_len);
		return (long)spec->raw_len;
	}
	if (!check_spec(spec))
		return -EINVAL;
	len = l2 + (spec->family == FAMILY_OTHER ? 0 : l3_len(spec));
	if (len < MIN_FRAME)
		len = MIN_FRAME;
	if (len > size)
		return -ENOSPC;
	memset(buf, 0, len);
	build_l2(spec, buf);
	if (spec->family != FAMILY_OTHER) {
		size_t header = spec->family == FAMILY_IPV4 ? build_ipv4(spec, b) : build_ipv6(spec, b);

		build_l4(spec, b + header, l3_len(spec) - header);
	}
	return (long)len;
}
