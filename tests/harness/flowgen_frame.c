// SPDX-License-Identifier: GPL-2.0-only
/* The frames of flowgen: packets of a conversation, and errors that quote them. */
#include "harness/flowgen_priv.h"

#include <string.h>

static void put16(uint8_t *b, unsigned int value)
{
	b[0] = (uint8_t)(value >> 8);
	b[1] = (uint8_t)value;
}

static bool is_icmp(const struct packet_spec *s)
{
	return s->protocol == (s->family == FAMILY_IPV4 ? 1u : 58u);
}

static void turn(struct packet_spec *s)
{
	u128 addr = s->src;
	uint16_t port = s->sport;

	s->src = s->dst;
	s->dst = addr;
	s->sport = s->dport;
	s->dport = port;
	if (s->has_icmp) { /* the opener asks */
		if (s->family == FAMILY_IPV6)
			s->icmp_type ^= 1;
		else
			s->icmp_type = s->icmp_type == 8 ? 0 : s->icmp_type + 1;
	}
}

size_t flowgen_packet(struct flowgen *g, struct conn *c, bool opener, unsigned int flags, uint8_t *frame)
{
	struct packet_spec s = c->open;
	struct packet p;
	long len;

	if (!opener)
		turn(&s);
	if (s.protocol == 6 && s.frag != FRAG_LATER) {
		s.has_flags = true;
		s.flags = (uint8_t)flags;
	}
	if (!opener || c->script) { /* only the first packet is as the rules want it */
		if (prng_chance(&g->prng, 1, 2))
			s.len = packet_spec_min_len(&s) + (unsigned int)prng_below(&g->prng, 100);
		if (prng_chance(&g->prng, 1, 8)) {
			s.has_ttl = true;
			s.ttl = (uint8_t)prng_range(&g->prng, 1, 255);
		}
	}
	len = packet_build(&s, frame, FLOWGEN_MAX);
	if (len <= 0)
		return 0;
	if (is_icmp(&s) && !packet_parse(frame, (size_t)len, NULL, &p) && p.l4_off)
		put16(frame + p.l4_off + 4, c->icmp_id);
	if (g->policy->state.window && s.protocol == 6)
		flowgen_numbers(g, c, opener, frame, (size_t)len);
	return (size_t)len;
}

static size_t header_len(const uint8_t *b)
{
	return b[0] >> 4 == 4 ? (size_t)(b[0] & 15) * 4 : 40;
}

/* Spoil a quote of `len` bytes; its new length. */
static size_t forge(struct flowgen *g, uint8_t *b, size_t len, const char **ret_what)
{
	size_t header = header_len(b);
	bool v4 = b[0] >> 4 == 4;

	switch (prng_below(&g->prng, 9)) {
	case 0:
		*ret_what = "error, quote of another port";
		b[header + prng_below(&g->prng, 4)] ^= (uint8_t)(1u << prng_below(&g->prng, 8));
		return len;
	case 1:
		*ret_what = "error, quote of another source";
		b[v4 ? 15 : 23] ^= 3;
		return len;
	case 2:
		*ret_what = "error, quote of another destination";
		b[v4 ? 19 : 39] ^= 3;
		return len;
	case 3:
		*ret_what = "error, quote of another version";
		b[0] ^= 0x20;
		return len;
	case 4:
		*ret_what = "error, quote of another protocol";
		b[v4 ? 9 : 6] = (uint8_t)prng_range(&g->prng, 0, 60);
		return len;
	case 5:
		*ret_what = "error, quote of a fragment";
		if (v4)
			put16(b + 6, prng_chance(&g->prng, 1, 2) ? 0x2000 : 1);
		return len;
	case 6:
		*ret_what = "error, quote with another header length";
		if (v4)
			b[0] = (uint8_t)(0x40 | prng_below(&g->prng, 16));
		return len;
	case 7:
		*ret_what = "error, quote cut short";
		return header + prng_below(&g->prng, 8);
	default:
		*ret_what = "error, hardly a quote";
		return prng_below(&g->prng, header);
	}
}

/* Options behind a quoted IPv4 header are fine. */
static size_t stretch(uint8_t *b, size_t len)
{
	memmove(b + 24, b + 20, len - 20);
	memset(b + 20, 1, 4);
	b[0] = 0x46;
	return len + 4;
}

size_t flowgen_error(struct flowgen *g, struct conn *c, bool about_opener, uint8_t *frame, const char **ret_what)
{
	static const uint8_t types4[] = { 3, 3, 3, 4, 5, 11, 11, 12 }, types6[] = { 1, 2, 3, 4 };
	uint8_t quoted[FLOWGEN_MAX + 4], *b = quoted + 14;
	bool v4 = c->open.family == FAMILY_IPV4;
	struct packet_spec s = { .family = c->open.family, .protocol = v4 ? 1 : 58, .has_icmp = true };
	size_t len = flowgen_packet(g, c, about_opener, 0x10, quoted), at;
	struct packet p;
	long built;

	if (!len || packet_parse(quoted, len, NULL, &p) || !p.l4_off || p.present[FIELD_VLAN] || p.end < p.l4_off + 8)
		return 0;
	len = prng_chance(&g->prng, 1, 2) ? p.l4_off + 8 - 14 : p.end - 14;
	*ret_what = "error";
	if (v4 && len < 100 && (b[0] & 15) == 5 && prng_chance(&g->prng, 1, 8))
		len = stretch(b, len);
	if (prng_chance(&g->prng, 1, 3))
		len = forge(g, b, len, ret_what);
	s.icmp_type = v4 ? types4[prng_below(&g->prng, 8)] : types6[prng_below(&g->prng, 4)];
	s.dst = p.src;
	s.src = prng_chance(&g->prng, 1, 2) ? p.dst : p.dst ^ 1; /* or a router */
	if (prng_chance(&g->prng, 1, 12)) {
		*ret_what = "error to another host";
		s.dst ^= prng_range(&g->prng, 1, 3);
	}
	s.len = packet_spec_min_len(&s) + (unsigned int)len;
	built = packet_build(&s, frame, FLOWGEN_MAX);
	if (built <= 0)
		return 0;
	at = (size_t)14 + (v4 ? 20 : 40) + 8;
	memcpy(frame + at, b, len);
	return (size_t)built;
}
