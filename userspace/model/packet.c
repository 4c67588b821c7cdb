// SPDX-License-Identifier: GPL-2.0-only
/* The parsing rules of packet.h, in their order. Plain offsets into bytes; no struct of any protocol header. */
#include "model/packet.h"

#define MAX_TAGS	2
#define MAX_EXT_HEADERS 8
#define MAX_EXT_BYTES	256
#define MAX_LEN		65535

enum {
	PROTO_HOPOPTS = 0,
	PROTO_ICMP = 1,
	PROTO_TCP = 6,
	PROTO_UDP = 17,
	PROTO_ROUTING = 43,
	PROTO_FRAGMENT = 44,
	PROTO_AH = 51,
	PROTO_ICMP6 = 58,
	PROTO_DSTOPTS = 60,
	PROTO_SCTP = 132
};

const char *packet_fault_word(enum packet_fault fault)
{
	static const char *const words[PACKET_FAULT_COUNT] = {
		[PACKET_OK] = "",
		[PACKET_L2_SHORT] = "l2-short",
		[PACKET_VLAN_DEPTH] = "vlan-depth",
		[PACKET_MALFORMED] = "malformed",
		[PACKET_FRAG_TINY] = "frag-tiny",
		[PACKET_EXT_CHAIN] = "ext-chain",
		[PACKET_L4_SHORT] = "l4-short",
	};

	return words[fault];
}

/* Where the parser stands: bytes pos..end belong to the packet; end shrinks as lengths become known. */
struct walk {
	const uint8_t *bytes;
	size_t pos, end;
	struct packet *p;
	enum frag frag;
};

static unsigned int get16(const uint8_t *b)
{
	return (unsigned int)b[0] << 8 | b[1];
}

static u128 get_number(const uint8_t *b, size_t n)
{
	u128 value = 0;

	for (size_t i = 0; i < n; i++)
		value = value << 8 | b[i];
	return value;
}

static void put(struct packet *p, enum field_id id, uint64_t value)
{
	p->present[id] = true;
	p->value[id] = value;
}

/* Rule 2. `type` is the ethertype met so far; *ret_type the one behind the tags. */
static enum packet_fault parse_tags(struct walk *w, const struct packet_meta *meta, unsigned int type,
				    unsigned int *ret_type)
{
	unsigned int tags = 0, vid = 0;

	if (meta && meta->vlan_present) {
		tags = 1;
		vid = meta->vlan_tci & 0xfff;
	}
	while (type == 0x8100 || type == 0x88a8) {
		if (++tags > MAX_TAGS || w->end - w->pos < 4)
			return PACKET_VLAN_DEPTH;
		if (!vid)
			vid = get16(w->bytes + w->pos) & 0xfff;
		type = get16(w->bytes + w->pos + 2);
		w->pos += 4;
	}
	if (vid)
		put(w->p, FIELD_VLAN, vid);
	*ret_type = type;
	return PACKET_OK;
}

static enum packet_fault parse_tcp(struct walk *w)
{
	const uint8_t *b = w->bytes + w->pos;
	size_t have = w->end - w->pos, header;

	if (have < 20)
		return w->frag == FRAG_FIRST ? PACKET_FRAG_TINY : PACKET_L4_SHORT;
	header = (size_t)(b[12] >> 4) * 4;
	if (header < 20)
		return PACKET_MALFORMED;
	if (header > have)
		return w->frag == FRAG_FIRST ? PACKET_FRAG_TINY : PACKET_MALFORMED;
	put(w->p, FIELD_SPORT, get16(b));
	put(w->p, FIELD_DPORT, get16(b + 2));
	put(w->p, FIELD_TCPFLAGS, b[13]);
	return PACKET_OK;
}

/* Rule 6. */
static enum packet_fault parse_l4(struct walk *w, unsigned int protocol)
{
	bool icmp = protocol == PROTO_ICMP && w->p->family == FAMILY_IPV4;
	bool icmp6 = protocol == PROTO_ICMP6 && w->p->family == FAMILY_IPV6;
	size_t need = protocol == PROTO_SCTP ? 12 : protocol == PROTO_UDP || icmp || icmp6 ? 8 : 0;
	const uint8_t *b = w->bytes + w->pos;

	if (protocol == PROTO_TCP)
		return parse_tcp(w);
	if (w->end - w->pos < need)
		return w->frag == FRAG_FIRST ? PACKET_FRAG_TINY : PACKET_L4_SHORT;
	if (protocol == PROTO_UDP && get16(b + 4) < 8)
		return PACKET_MALFORMED;
	if (protocol == PROTO_UDP || protocol == PROTO_SCTP) {
		put(w->p, FIELD_SPORT, get16(b));
		put(w->p, FIELD_DPORT, get16(b + 2));
	}
	if (icmp || icmp6) {
		put(w->p, icmp ? FIELD_ICMP : FIELD_ICMP6, get16(b));
		w->p->icmp_id = (uint16_t)get16(b + 4);
	}
	return PACKET_OK;
}

/* What both families end with. */
static enum packet_fault parse_payload(struct walk *w, unsigned int protocol)
{
	put(w->p, FIELD_PROTO, (uint64_t)w->p->family << 8 | protocol);
	put(w->p, FIELD_FRAG, w->frag);
	if (w->frag == FRAG_LATER)
		return PACKET_OK;
	w->p->l4_off = w->pos;
	w->p->end = w->end;
	return parse_l4(w, protocol);
}

/* Rule 4. */
static enum packet_fault parse_ipv4(struct walk *w)
{
	const uint8_t *b = w->bytes + w->pos;
	size_t have = w->end - w->pos, header, total;
	unsigned int fragment, protocol;

	if (have < 20)
		return PACKET_MALFORMED;
	header = (size_t)(b[0] & 15) * 4;
	total = get16(b + 2);
	if (b[0] >> 4 != 4 || header < 20 || header > have || total < header || total > have)
		return PACKET_MALFORMED;
	w->p->family = FAMILY_IPV4;
	put(w->p, FIELD_DSCP, b[1] >> 2);
	put(w->p, FIELD_ECN, b[1] & 3);
	put(w->p, FIELD_TTL, b[8]);
	put(w->p, FIELD_LEN, total);
	w->p->src = get_number(b + 12, 4);
	w->p->dst = get_number(b + 16, 4);
	w->end = w->pos + total;
	w->pos += header;

	protocol = b[9];
	fragment = get16(b + 6);
	if ((fragment & 0x1fff) == 1 && protocol == PROTO_TCP)
		return PACKET_FRAG_TINY;
	if (fragment & 0x1fff)
		w->frag = FRAG_LATER;
	else if (fragment & 0x2000)
		w->frag = FRAG_FIRST;
	return parse_payload(w, protocol);
}

/* Is this next-header value an extension header that the walk passes? Its bit in EXT then, else -1. */
static int ext_bit(unsigned int next)
{
	switch (next) {
	case PROTO_HOPOPTS:
		return EXT_HOPOPTS;
	case PROTO_ROUTING:
		return EXT_ROUTING;
	case PROTO_FRAGMENT:
		return EXT_FRAGMENT;
	case PROTO_DSTOPTS:
		return EXT_DSTOPTS;
	case PROTO_AH:
		return EXT_AH;
	default:
		return -1;
	}
}

static size_t ext_length(unsigned int next, const uint8_t *b)
{
	if (next == PROTO_FRAGMENT)
		return 8;
	if (next == PROTO_AH)
		return ((size_t)b[1] + 2) * 4;
	return ((size_t)b[1] + 1) * 8;
}

/* The extension headers of rule 5: leaves pos behind them. */
static enum packet_fault parse_ext(struct walk *w, unsigned int next, unsigned int *ret_protocol, unsigned int *ret_ext)
{
	size_t start = w->pos;
	unsigned int count = 0, seen = 0;

	for (int bit; (bit = ext_bit(next)) >= 0;) {
		const uint8_t *b = w->bytes + w->pos;

		if (++count > MAX_EXT_HEADERS || w->end - w->pos < 8)
			return PACKET_EXT_CHAIN;
		if (ext_length(next, b) > w->end - w->pos || w->pos - start + ext_length(next, b) > MAX_EXT_BYTES)
			return PACKET_EXT_CHAIN;
		if (bit == EXT_HOPOPTS && count > 1)
			return PACKET_EXT_CHAIN;
		if (bit == EXT_ROUTING && b[2] == 0)
			return PACKET_EXT_CHAIN;
		if (bit == EXT_FRAGMENT && seen & 1u << EXT_FRAGMENT)
			return PACKET_EXT_CHAIN;
		seen |= 1u << bit;
		if (bit == EXT_FRAGMENT && get16(b + 2) >> 3)
			w->frag = FRAG_LATER;
		else if (bit == EXT_FRAGMENT && b[3] & 1)
			w->frag = FRAG_FIRST;
		w->pos += ext_length(next, b);
		next = b[0];
		if (w->frag == FRAG_LATER)
			break;
	}
	*ret_protocol = next;
	*ret_ext = seen;
	return PACKET_OK;
}

/* Rule 5. */
static enum packet_fault parse_ipv6(struct walk *w)
{
	const uint8_t *b = w->bytes + w->pos;
	size_t have = w->end - w->pos, total;
	unsigned int protocol, ext;
	enum packet_fault fault;

	if (have < 40)
		return PACKET_MALFORMED;
	total = 40 + (size_t)get16(b + 4);
	if (b[0] >> 4 != 6 || total > have)
		return PACKET_MALFORMED;
	w->p->family = FAMILY_IPV6;
	put(w->p, FIELD_DSCP, (get16(b) >> 6) & 63);
	put(w->p, FIELD_ECN, (b[1] >> 4) & 3);
	put(w->p, FIELD_TTL, b[7]);
	put(w->p, FIELD_LEN, total < MAX_LEN ? total : MAX_LEN);
	w->p->src = get_number(b + 8, 16);
	w->p->dst = get_number(b + 24, 16);
	w->end = w->pos + total;
	w->pos += 40;
	fault = parse_ext(w, b[6], &protocol, &ext);
	if (fault)
		return fault;
	put(w->p, FIELD_EXT, ext);
	return parse_payload(w, protocol);
}

enum packet_fault packet_parse(const uint8_t *frame, size_t len, const struct packet_meta *meta,
			       struct packet *ret_packet)
{
	struct packet p = {.family = FAMILY_OTHER};
	struct walk w = {.bytes = frame, .pos = 14, .end = len, .p = &p, .frag = FRAG_NONE};
	enum packet_fault fault;
	unsigned int type;

	if (len < 14)
		return PACKET_L2_SHORT;
	put(&p, FIELD_MAC, (uint64_t)get_number(frame + 6, 6));
	put(&p, FIELD_STATE, STATE_NONE); /* rule 7 */
	fault = parse_tags(&w, meta, get16(frame + 12), &type);
	if (fault)
		return fault;
	if (type >= 0x0600) /* rule 3: below it is a length */
		put(&p, FIELD_ETHERTYPE, type);
	if (type == 0x0800)
		fault = parse_ipv4(&w);
	else if (type == 0x86dd)
		fault = parse_ipv6(&w);
	if (!fault)
		*ret_packet = p;
	return fault;
}
