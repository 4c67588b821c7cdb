// SPDX-License-Identifier: GPL-2.0-only
#include "harness/mutate.h"

#include <string.h>

/* A frame under the knife. */
struct patient {
	struct prng *prng;
	uint8_t *b;
	size_t len, size;
	struct packet_meta *meta;
	size_t l3;	   /* offset of the network header */
	unsigned int type; /* ethertype before it; 0 when the frame is too short */
};

static unsigned int get16(const uint8_t *b)
{
	return (unsigned int)b[0] << 8 | b[1];
}

static void put16(uint8_t *b, uint64_t value)
{
	b[0] = (uint8_t)(value >> 8);
	b[1] = (uint8_t)value;
}

static void find_l3(struct patient *t)
{
	t->l3 = 14;
	t->type = t->len >= 14 ? get16(t->b + 12) : 0;
	while ((t->type == 0x8100 || t->type == 0x88a8) && t->l3 + 4 <= t->len) {
		t->type = get16(t->b + t->l3 + 2);
		t->l3 += 4;
	}
}

static bool is_ip4(const struct patient *t)
{
	return t->type == 0x0800 && t->len >= t->l3 + 20;
}

static bool is_ip6(const struct patient *t)
{
	return t->type == 0x86dd && t->len >= t->l3 + 40;
}

static uint64_t one_of(struct prng *p, const uint16_t *v, size_t n)
{
	return v[prng_below(p, n)];
}
#define ONE_OF(p, ...)                                                                                                 \
	one_of((p), (const uint16_t[]){__VA_ARGS__}, sizeof((const uint16_t[]){__VA_ARGS__}) / sizeof(uint16_t))

/* Open a gap of n zero bytes; false when there is no room. */
static bool insert(struct patient *t, size_t at, size_t n)
{
	if (at > t->len || t->len + n > t->size)
		return false;
	memmove(t->b + at + n, t->b + at, t->len - at);
	memset(t->b + at, 0, n);
	t->len += n;
	return true;
}

/* Add to the length field of the network header. */
static void grow_l3(struct patient *t, size_t n)
{
	uint8_t *field = t->b + t->l3 + (t->type == 0x0800 ? 2 : 4);

	put16(field, get16(field) + n);
}

static void tags(struct patient *t)
{
	size_t n = prng_range(t->prng, 1, prng_chance(t->prng, 1, 4) ? 4 : 2);

	while (t->len >= 14 && n-- > 0 && insert(t, 12, 4)) {
		put16(t->b + 12, ONE_OF(t->prng, 0x8100, 0x88a8));
		put16(t->b + 14, ONE_OF(t->prng, 0, 0, 1, 2, 100, 4094, 4095, 0x2000, 0xe000, 0xf064) ^
					 (prng_chance(t->prng, 1, 8) ? prng_below(t->prng, 65536) : 0));
	}
}

static void metadata(struct patient *t)
{
	if (!t->meta)
		return;
	t->meta->vlan_present = true;
	t->meta->vlan_tci = (uint16_t)ONE_OF(t->prng, 0, 1, 2, 100, 4095, 0x1000, 0xe000, 0xe064);
}

/* NOPs, mostly a right header; the L4 header moves. */
static void ip4_options(struct patient *t)
{
	size_t words, header;

	if (!is_ip4(t))
		return;
	header = (size_t)(t->b[t->l3] & 15) * 4;
	words = prng_range(t->prng, 1, 10);
	if (header < 20 || header + 4 * words > 60 || t->l3 + header > t->len || !insert(t, t->l3 + header, 4 * words))
		return;
	memset(t->b + t->l3 + header, 1, 4 * words);
	t->b[t->l3] = (uint8_t)(t->b[t->l3] + words);
	grow_l3(t, 4 * words);
}

static void ip6_headers(struct patient *t)
{
	static const uint8_t kinds[] = {60, 60, 43, 51, 44, 0};
	size_t n = prng_range(t->prng, 1, prng_chance(t->prng, 1, 3) ? 10 : 3);
	bool large = prng_chance(t->prng, 1, 6), hostile = prng_chance(t->prng, 1, 3);

	while (is_ip6(t) && n-- > 0) {
		uint8_t kind = kinds[prng_below(t->prng, hostile ? sizeof(kinds) : 4)];
		size_t units = large ? prng_range(t->prng, 0, 33) : prng_below(t->prng, 3), len = (units + 1) * 8;
		uint8_t *h = t->b + t->l3 + 40;

		if (kind == 44)
			len = 8;
		if (!insert(t, t->l3 + 40, len))
			return;
		h[0] = t->b[t->l3 + 6];
		t->b[t->l3 + 6] = kind;
		h[1] = (uint8_t)(kind == 51 ? len / 4 - 2 : len / 8 - 1);
		if (kind == 43)
			h[2] = (uint8_t)(prng_chance(t->prng, 1, 8) ? 0 : prng_range(t->prng, 1, 255));
		if (kind == 44) { /* reserved bits anything; atomic in half of the cases */
			h[1] = (uint8_t)prng_u64(t->prng);
			put16(h + 2, ONE_OF(t->prng, 0, 0, 6, 1, 7, 8, 9, 0x05c8, 0xfff9));
		}
		grow_l3(t, len);
	}
}

static void padding(struct patient *t)
{
	size_t n = prng_range(t->prng, 1, 40), at = t->len;

	if (insert(t, at, n))
		prng_bytes(t->prng, t->b + at, n);
}

static void flags(struct patient *t)
{
	size_t l4;

	if (is_ip4(t))
		l4 = t->l3 + (size_t)(t->b[t->l3] & 15) * 4;
	else if (is_ip6(t))
		l4 = t->l3 + 40;
	else
		return;
	if (l4 + 14 <= t->len)
		t->b[l4 + 13] = (uint8_t)prng_u64(t->prng);
}

static void cut(struct patient *t)
{
	size_t limit = t->len < 120 ? t->len : 120;

	if (t->len)
		t->len = prng_chance(t->prng, 1, 4) ? t->len - 1 : prng_below(t->prng, limit);
}

/* The L3 length ends inside the L4 header, or close to it, though the frame goes on. */
static void short_l3(struct patient *t)
{
	if (is_ip4(t))
		put16(t->b + t->l3 + 2, (t->b[t->l3] & 15) * 4 + prng_below(t->prng, 26));
	else if (is_ip6(t))
		put16(t->b + t->l3 + 4, prng_below(t->prng, prng_chance(t->prng, 1, 2) ? 26 : 64));
}

static void lying_length(struct patient *t)
{
	size_t have = t->len - t->l3, field;

	if (!is_ip4(t) && !is_ip6(t))
		return;
	field = t->l3 + (is_ip4(t) ? 2 : 4);
	if (!is_ip4(t))
		have -= 40;
	switch (prng_below(t->prng, 4)) {
	case 0:
		put16(t->b + field, have + 1);
		break;
	case 1:
		put16(t->b + field, have);
		break;
	case 2:
		put16(t->b + field, get16(t->b + field) + ONE_OF(t->prng, 1, 2, 4, 8, 0xffff, 0xfffe, 0xfffc));
		break;
	default:
		put16(t->b + field, ONE_OF(t->prng, 0, 1, 19, 20, 24, 65535, 32768));
	}
}

static void version(struct patient *t)
{
	if (t->type && t->l3 < t->len)
		t->b[t->l3] = (uint8_t)(prng_chance(t->prng, 1, 2) ? t->b[t->l3] ^ 1u << prng_below(t->prng, 8)
								   : prng_u64(t->prng));
}

/* Data offset or UDP length of the L4 header; close guesses at where it is. */
static void l4_length(struct patient *t)
{
	size_t l4 = t->l3 + (is_ip4(t) ? (size_t)(t->b[t->l3] & 15) * 4 : 40);

	if ((!is_ip4(t) && !is_ip6(t)) || l4 + 14 > t->len)
		return;
	if (prng_chance(t->prng, 1, 2))
		t->b[l4 + 12] = (uint8_t)(prng_below(t->prng, 16) << 4 | prng_below(t->prng, 16));
	else
		put16(t->b + l4 + 4, ONE_OF(t->prng, 0, 1, 7, 8, 9, 20, 65535));
}

static void fragment(struct patient *t)
{
	if (is_ip4(t))
		put16(t->b + t->l3 + 6, ONE_OF(t->prng, 0, 1, 1, 2, 0x2000, 0x2000, 0x2001, 0x2002, 0x4000, 0x8000,
					       0x8001, 0x1fff, 0xffff, 0xe000));
	else if (is_ip6(t) && t->b[t->l3 + 6] == 44 && t->len >= t->l3 + 48)
		put16(t->b + t->l3 + 42, ONE_OF(t->prng, 0, 1, 6, 7, 8, 9, 14, 15, 0xfff8, 0xffff));
	if (prng_chance(t->prng, 1, 3)) /* a first fragment that ends early */
		short_l3(t);
}

static void protocol(struct patient *t)
{
	uint8_t next = (uint8_t)ONE_OF(t->prng, 0, 1, 2, 4, 6, 17, 41, 43, 44, 47, 50, 51, 58, 59, 60, 132, 135, 136,
				       139, 255);

	if (is_ip4(t))
		t->b[t->l3 + 9] = next;
	else if (is_ip6(t))
		t->b[t->l3 + 6] = next;
}

static void ethertype(struct patient *t)
{
	if (t->type)
		put16(t->b + t->l3 - 2, ONE_OF(t->prng, 0, 3, 46, 0x05dc, 0x05ff, 0x0600, 0x0601, 0x0800, 0x0801,
					       0x0806, 0x8100, 0x86dd, 0x88a8, 0x9100, 0xffff));
}

static void flip(struct patient *t)
{
	size_t n = prng_range(t->prng, 1, 4), limit = t->len < 100 ? t->len : 100;

	while (limit && n-- > 0) {
		size_t at = prng_below(t->prng, limit);

		t->b[at] = (uint8_t)(prng_chance(t->prng, 1, 2) ? t->b[at] ^ 1u << prng_below(t->prng, 8)
								: prng_u64(t->prng));
	}
}

static void noise(struct patient *t)
{
	t->len = prng_below(t->prng, t->size < 160 ? t->size : 160);
	prng_bytes(t->prng, t->b, t->len);
	if (t->len >= 14 && prng_chance(t->prng, 3, 4))
		put16(t->b + 12, ONE_OF(t->prng, 0x0800, 0x86dd, 0x8100, 0x88a8));
	if (t->len >= 15 && prng_chance(t->prng, 1, 2))
		t->b[14] = t->b[12] == 8 ? 0x45 : 0x60;
}

static const struct {
	const char *what;
	void (*run)(struct patient *t);
} mutations[] = {
	/* the gentle ones first */
	{"vlan tags", tags},
	{"metadata tag", metadata},
	{"ipv4 options", ip4_options},
	{"ipv6 extension headers", ip6_headers},
	{"trailing bytes", padding},
	{"flags byte", flags},
#define N_GENTLE 6
	{"cut", cut},
	{"l3 length inside l4", short_l3},
	{"lying l3 length", lying_length},
	{"version or ihl", version},
	{"lying l4 length", l4_length},
	{"fragment field", fragment},
	{"protocol", protocol},
	{"ethertype", ethertype},
	{"flipped bytes", flip},
	{"noise", noise},
};
#define N_MUTATIONS (sizeof(mutations) / sizeof(mutations[0]))

size_t mutate_frame(struct prng *p, uint8_t *buf, size_t len, size_t size, struct packet_meta *meta, bool gentle,
		    const char **ret_what)
{
	size_t i = prng_below(p, gentle ? N_GENTLE : N_MUTATIONS);
	struct patient t = {.prng = p, .b = buf, .len = len, .size = size, .meta = meta};

	find_l3(&t);
	mutations[i].run(&t);
	*ret_what = mutations[i].what;
	return t.len;
}
