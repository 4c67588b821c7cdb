// SPDX-License-Identifier: GPL-2.0-only
/*
 * Numbers of TCP, for policies with `state { window }`: mostly those of two ends that talk, some of them lost, repeated or at the
 * very edge of what the other side allows, and some of an attacker who guesses.
 */
#include "harness/flowgen_priv.h"

#include <string.h>

#define SYN 2u
#define R 4u

static uint32_t get32(const uint8_t *b)
{
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static void put32(uint8_t *b, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		b[i] = (uint8_t)(value >> 8 * (3 - i));
}

/* A few bytes more or less. */
static uint32_t around(struct prng *p, uint32_t value)
{
	return value + (uint32_t)prng_below(p, 5) - 2;
}

/* Options in the place of payload: the scale among others, well formed or not. `room`: bytes. How many bytes were taken. */
static size_t options(struct prng *p, uint8_t *b, size_t room, int *ret_scale)
{
	static const uint8_t before[][4] = { { 1, 1, 1, 1 }, { 2, 4, 5, 180 }, { 4, 2, 1, 1 }, { 0, 0, 0, 0 },
					     { 8, 0, 1, 1 }, { 3, 2, 1, 1 },   { 5, 40, 1, 1 } };
	size_t n = 0, kind;

	*ret_scale = -1;
	while (room - n >= 8 && n < 32 && prng_chance(p, 1, 3)) {
		kind = prng_chance(p, 1, 4) ? prng_below(p, sizeof(before) / 4) : prng_below(p, 3);
		memcpy(b + n, before[kind], 4);
		n += 4;
	}
	if (room - n < 4 || prng_chance(p, 1, 5))
		return n;
	*ret_scale = (int)(prng_chance(p, 1, 8) ? prng_below(p, 256) : prng_below(p, 15));
	memcpy(b + n, (const uint8_t[]){ 1, 3, prng_chance(p, 1, 6) ? 4 : 3, (uint8_t)*ret_scale }, 4);
	if (prng_chance(p, 1, 2)) /* the filler behind */
		memmove(b + n, b + n + 1, 3), b[n + 3] = 1;
	if (*ret_scale > 14)
		*ret_scale = 14;
	return n + 4;
}

static uint32_t some_window(struct prng *p)
{
	static const uint16_t windows[] = { 0, 1, 100, 1000, 16384, 16385, 29200, 49152, 64240, 65535 };

	return windows[prng_below(p, sizeof(windows) / sizeof(windows[0]))];
}

static uint32_t reach(const struct numbers *n)
{
	return n->widest < 65536 ? 65536 : (n->widest + 16383) / 16384 * 16384;
}

/* seq of what is not a SYN. */
static uint32_t some_seq(struct prng *p, const struct numbers *n, const struct numbers *other, uint32_t len)
{
	switch (prng_below(p, 24)) {
	case 0: /* again */
		return n->next - (uint32_t)prng_below(p, 3000);
	case 1:
		return n->next - 1;
	case 2: /* what was before is lost */
		return n->next + (uint32_t)prng_below(p, 1u << prng_below(p, 20));
	case 3:
	case 4:
		return around(p, n->limit - len);
	case 5:
		return around(p, n->limit);
	case 6:
		return around(p, n->next - 65536 - len * (uint32_t)prng_below(p, 2));
	case 7:
		return around(p, n->next - reach(other) - len * (uint32_t)prng_below(p, 2));
	case 8:
		return (uint32_t)prng_u64(p);
	case 9: /* half a world away */
		return around(p, n->next + 0x80000000u * (uint32_t)prng_below(p, 2) + 0x40000000);
	default:
		return n->next;
	}
}

static uint32_t some_ack(struct prng *p, const struct numbers *n, const struct numbers *other)
{
	switch (prng_below(p, 20)) {
	case 0:
		return around(p, other->next);
	case 1:
		return around(p, other->limit);
	case 2:
		return around(p, other->next - 65536);
	case 3:
		return around(p, other->next - reach(n));
	case 4:
		return (uint32_t)prng_u64(p);
	case 5:
		return other->next - (uint32_t)prng_below(p, 3000);
	case 6:
		return around(p, other->next + 0x80000000u * (uint32_t)prng_below(p, 2) + 0x40000000);
	default:
		return other->next;
	}
}

/* The sequence number of a SYN: that of the one before, or another. */
static uint32_t some_isn(struct prng *p, struct numbers *n)
{
	if (!n->begun || prng_chance(p, 1, 3))
		n->isn = prng_chance(p, 1, 3) ? (uint32_t)prng_below(p, 2000) - 1000 : (uint32_t)prng_u64(p);
	n->begun = true;
	return n->isn;
}

void flowgen_numbers(struct flowgen *g, struct conn *c, bool opener, uint8_t *frame, size_t len)
{
	struct numbers *n = &c->numbers[!opener], *other = &c->numbers[opener];
	struct prng *p = &g->prng;
	uint32_t seq, ack, payload, window = some_window(p);
	struct packet k;
	uint8_t *h;

	if (packet_parse(frame, len, NULL, &k) || !k.present[FIELD_TCPFLAGS])
		return;
	h = frame + k.l4_off;
	if (h[13] & SYN) {
		h[12] = (uint8_t)((5 + options(p, h + 20, k.end - k.l4_off - 20, &n->scale) / 4) << 4);
		seq = some_isn(p, n);
	} else {
		if (k.end >= k.l4_off + 32 && prng_chance(p, 1, 4)) {
			h[12] = 8 << 4;
			memcpy(h + 20, (const uint8_t[]){ 1, 1, 3, 3, 9, 0 }, 6);
		}
		seq = some_seq(p, n, other, (uint32_t)(k.end - k.l4_off) - 20 + (h[13] & 1));
	}
	if (h[13] & R && prng_chance(p, 1, 3))
		seq = around(p, prng_chance(p, 1, 2) ? n->limit : n->next - reach(other));
	ack = some_ack(p, n, other);
	if (h[13] & R && prng_chance(p, 1, 3))
		seq = ack; /* as a host answers that knows of no connection; or wrong */
	payload = (uint32_t)(k.end - k.l4_off) - (uint32_t)(h[12] >> 4) * 4;
	put32(h + 4, seq);
	put32(h + 8, ack);
	h[14] = (uint8_t)(window >> 8);
	h[15] = (uint8_t)window;
	if (h[13] & R || (seq != n->next && !(h[13] & SYN) && prng_chance(p, 3, 4)))
		return;
	n->next = get32(h + 4) + payload + !!(h[13] & SYN) + (h[13] & 1);
	if (!(h[13] & SYN) && !n->begun)
		window <<= 14; /* nobody has seen the option */
	else if (!(h[13] & SYN) && n->scale >= 0 && (other->scale >= 0 || !other->begun))
		window <<= n->scale;
	if (n->widest < window)
		n->widest = window;
	if ((int32_t)(ack + window - other->limit) > 0 || !other->limit)
		other->limit = ack + window;
}
