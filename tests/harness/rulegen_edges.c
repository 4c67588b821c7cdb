// SPDX-License-Identifier: GPL-2.0-only
/* Rules at the edges of every field, drawn from small pools so that they overlap, nest and touch. */
#include "harness/rulegen_priv.h"

#include <string.h>

static uint64_t pick(struct prng *p, const uint64_t *v, size_t n)
{
	return v[prng_below(p, n)];
}
#define PICK(p, ...)                                                                                                   \
	pick((p), (const uint64_t[]){__VA_ARGS__}, sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))

void gen_edges_init(struct gen *g)
{
	for (int i = 0; i < POOL; i++) {
		g->net4[i] = (uint32_t)(i < 2 ? PICK(g->p, 0, 0xffffffff, 0x0a000000, 0x7fffffff, 0x80000000)
					      : prng_u64(g->p));
		g->net6[i] = i == 0   ? 0
			     : i == 1 ? ~(u128)0
				      : (u128)(0x20010db800000000 | prng_below(g->p, 4)) << 64 | prng_below(g->p, 3);
		g->port[i] = (uint16_t)PICK(g->p, 0, 1, 22, 53, 80, 443, 1023, 1024, 32767, 32768, 65534, 65535);
	}
	/* neighbours and nested ones */
	g->net4[6] = g->net4[2] + 1;
	g->net4[7] = g->net4[3] ^ 0x100;
	g->net6[6] = g->net6[2] + 1;
	g->net6[7] = g->net6[3] ^ (u128)1 << 64;
}

static bool may_use(const struct gen *g, enum field_id id)
{
	return !g->opts->fields || g->opts->fields & 1u << id;
}

static unsigned int prefix_len(struct gen *g, unsigned int max)
{
	return prng_chance(g->p, 1, 2)
		       ? (unsigned int)PICK(g->p, 0, 1, 7, 8, 15, 16, 17, 24, 31, 32, max, max - 1, max / 2) % (max + 1)
		       : (unsigned int)prng_range(g->p, 0, max);
}

static void add_one4(struct gen *g, struct aset_builder *b)
{
	uint32_t a = g->net4[prng_below(g->p, POOL)], c = g->net4[prng_below(g->p, POOL)];

	if (prng_chance(g->p, 1, 4)) { /* any range, not a prefix */
		if (prng_chance(g->p, 1, 2))
			c = a + (uint32_t)prng_below(g->p, 300);
		if (aset_add4(b, a < c ? a : c, a < c ? c : a))
			g->failed = true;
	} else {
		gen_add_prefix4(g, b, a, prefix_len(g, 32));
	}
}

static void add_one6(struct gen *g, struct aset_builder *b)
{
	u128 a = g->net6[prng_below(g->p, POOL)], c = g->net6[prng_below(g->p, POOL)];

	if (prng_chance(g->p, 1, 4)) {
		if (prng_chance(g->p, 1, 2))
			c = a + prng_below(g->p, 300);
		if (aset_add6(b, a < c ? a : c, a < c ? c : a))
			g->failed = true;
	} else {
		gen_add_prefix6(g, b, a, prefix_len(g, 128));
	}
}

/* A long list: random prefixes of both families beside those of the pools. */
static void add_list(struct gen *g, struct aset_builder *b, unsigned int families)
{
	for (size_t i = 0; i < g->opts->set_prefixes; i++) {
		if (families == 1u << FAMILY_IPV4 || (families != 1u << FAMILY_IPV6 && prng_chance(g->p, 1, 2)))
			gen_add_prefix4(g, b, (uint32_t)prng_u64(g->p), (unsigned int)prng_range(g->p, 12, 32));
		else
			gen_add_prefix6(g, b, (u128)(0x2001000000000000 | prng_u64(g->p) >> 16) << 64 | prng_u64(g->p),
					(unsigned int)prng_range(g->p, 20, 128));
	}
}

static const struct aset *make_aset(struct gen *g, unsigned int families)
{
	struct aset_builder b = {.arena = g->arena};
	struct aset *s = NULL, *inverted = NULL;
	size_t n = prng_chance(g->p, 2, 3) ? 1 : prng_range(g->p, 2, 6);

	if (g->opts->set_prefixes && prng_chance(g->p, 1, 8))
		add_list(g, &b, families);
	if (!g->opts->no_empty && prng_chance(g->p, 1, 40))
		n = 0;
	while (n-- > 0) {
		if (families & 1u << FAMILY_IPV4)
			add_one4(g, &b);
		if (families & 1u << FAMILY_IPV6)
			add_one6(g, &b);
	}
	if (aset_build(&b, &s))
		g->failed = true;
	else if (prng_chance(g->p, 1, 6) && aset_invert(g->arena, s, &inverted))
		g->failed = true;
	return inverted ? inverted : s;
}

static const struct aset *addresses(struct gen *g)
{
	unsigned int families = (unsigned int)PICK(g->p, 2, 2, 4, 4, 6);
	size_t i = prng_below(g->p, POOL);

	if (prng_chance(g->p, 1, 5) && i < g->nasets)
		return g->aset[i];
	if (g->nasets < POOL)
		i = g->nasets++;
	g->aset[i] = make_aset(g, families);
	return g->aset[i];
}

/* One range of small numbers or large: points, touching ends, everything. */
static struct range some_range(struct gen *g, enum field_id id, const uint64_t *edges, size_t n)
{
	uint64_t max = (1ull << field_get(id)->bits) - 1, a = pick(g->p, edges, n), b = pick(g->p, edges, n);

	switch (prng_below(g->p, 6)) {
	case 0:
		return a < b ? (struct range){a, b} : (struct range){b, a};
	case 1:
		b = a + prng_below(g->p, 16);
		return (struct range){a, b < max ? b : max};
	case 2:
		a = prng_range(g->p, 0, max);
		return (struct range){a, a};
	case 3: /* right behind another edge */
		return a < max ? (struct range){a + 1, max - a > 9 ? a + 9 : max} : (struct range){a, a};
	default:
		return (struct range){a, a};
	}
}

static const struct vset *some_values(struct gen *g, enum field_id id, const uint64_t *edges, size_t nedges)
{
	struct range r[6];
	size_t n = prng_chance(g->p, 1, 2) ? 1 : prng_range(g->p, 2, 6);

	for (size_t i = 0; i < n; i++) {
		r[i] = some_range(g, id, edges, nedges);
		if (r[i].hi < r[i].lo)
			r[i].hi = r[i].lo;
	}
	return gen_vset(g, r, n);
}
#define SOME_VALUES(g, id, ...)                                                                                        \
	some_values((g), (id), (const uint64_t[]){__VA_ARGS__},                                                        \
		    sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))

/* All bytes b with (b & mask) == value. */
static const struct vset *masked_flags(struct gen *g)
{
	unsigned int mask = (unsigned int)PICK(g->p, 0x3f, 0xff, 0x12, 0x02, 0x17, 0, prng_below(g->p, 256)),
		     value = (unsigned int)prng_below(g->p, 256);
	struct range r[256];
	size_t n = 0;

	if (prng_chance(g->p, 3, 4))
		value = (unsigned int)PICK(g->p, 0x02, 0x10, 0x12, 0, 0x04, 0x01);
	for (unsigned int b = 0; b < 256; b++)
		if ((b & mask) == (value & mask))
			r[n++] = (struct range){b, b};
	return gen_vset(g, r, n);
}

/* EXT is a bit set: headers that must be there, or none at all. */
static const struct vset *ext_values(struct gen *g)
{
	unsigned int bits = 1u << prng_below(g->p, 5), all = (unsigned int)prng_below(g->p, 2);
	struct range r[256];
	size_t n = 0;

	if (prng_chance(g->p, 1, 3))
		bits |= 1u << prng_below(g->p, 5);
	if (prng_chance(g->p, 1, 4))
		return gen_value(g, 0, 0);
	for (unsigned int v = 0; v < 256; v++)
		if (all ? (v & bits) == bits : v & bits)
			r[n++] = (struct range){v, v};
	return gen_vset(g, r, n);
}

static const struct vset *protocols(struct gen *g, unsigned int number)
{
	struct range r[8];
	size_t n = 0, names = number ? 1 : prng_range(g->p, 1, 3);

	while (names-- > 0) {
		uint64_t proto = number ? number
					: PICK(g->p, 6, 6, 17, 17, 1, 58, 132, 0, 43, 44, 47, 50, 51, 59, 60, 255,
					       prng_below(g->p, 256));
		unsigned int families = number || prng_chance(g->p, 3, 4) ? 6 : (unsigned int)PICK(g->p, 2, 4);

		for (unsigned int f = FAMILY_IPV4; f <= FAMILY_IPV6; f++)
			if (families & 1u << f)
				r[n++] = (struct range){f << 8 | proto, f << 8 | proto};
	}
	return gen_vset(g, r, n);
}

static const struct vset *icmp_values(struct gen *g, enum field_id id)
{
	struct range r[3];
	size_t n = prng_range(g->p, 1, 3);

	for (size_t i = 0; i < n; i++) {
		uint64_t type = id == FIELD_ICMP ? PICK(g->p, 0, 3, 8, 11, 255)
						 : PICK(g->p, 0, 1, 2, 128, 129, 133, 135, 136, 255);
		uint64_t code = PICK(g->p, 0, 1, 3, 255);

		r[i] = prng_chance(g->p, 1, 2) ? (struct range){type << 8, type << 8 | 255}
					       : (struct range){type << 8 | code, type << 8 | code};
	}
	return gen_vset(g, r, n);
}

static const struct vset *field_values(struct gen *g, enum field_id id)
{
	const uint16_t *p = g->port;

	switch (id) {
	case FIELD_PROTO:
		return protocols(g, 0);
	case FIELD_SPORT:
	case FIELD_DPORT:
		return SOME_VALUES(g, id, 0, 65535, p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7]);
	case FIELD_TCPFLAGS:
		return prng_chance(g->p, 3, 4) ? masked_flags(g) : SOME_VALUES(g, id, 0, 1, 2, 18, 255);
	case FIELD_ICMP:
	case FIELD_ICMP6:
		return icmp_values(g, id);
	case FIELD_FRAG:
		return SOME_VALUES(g, id, 0, 1, 2, 3);
	case FIELD_VLAN:
		return SOME_VALUES(g, id, 0, 1, 2, 100, 4094, 4095);
	case FIELD_DSCP:
		return SOME_VALUES(g, id, 0, 1, 10, 46, 62, 63);
	case FIELD_TTL:
		return SOME_VALUES(g, id, 0, 1, 2, 63, 64, 128, 254, 255);
	case FIELD_LEN:
		return SOME_VALUES(g, id, 0, 20, 28, 40, 48, 60, 100, 576, 1500, 65534, 65535);
	case FIELD_ETHERTYPE:
		return SOME_VALUES(g, id, 0x0800, 0x86dd, 0x0806, 0x88b5, 0x0600, 0x05ff, 0, 0xffff);
	case FIELD_EXT:
		return ext_values(g);
	default:
		return SOME_VALUES(g, id, 0, 1, 0x020000000001, 0x020000000002, 0xfffffffffffe, 0xffffffffffff);
	}
}

/* Of states policies are told apart by opts->state. */
static enum field_id any_field(struct gen *g)
{
	uint64_t id = prng_below(g->p, FIELD_COUNT - 1);

	return (enum field_id)(id < FIELD_STATE ? id : id + 1);
}

static void constrain(struct gen *g, struct rule *r, enum field_id id)
{
	if (!may_use(g, id))
		return;
	if (id == FIELD_SRC || id == FIELD_DST) {
		*(id == FIELD_SRC ? &r->src : &r->dst) = addresses(g);
		return;
	}
	r->value[id] = field_values(g, id);
	if (prng_chance(g->p, 1, 6))
		r->value[id] = gen_vset_not(g, r->value[id], id);
	if (!g->opts->no_empty && prng_chance(g->p, 1, 100))
		r->value[id] = gen_vset(g, NULL, 0);
}

/* What the language would say: see struct rule. */
static unsigned int natural_families(const struct rule *r)
{
	unsigned int families = 6, l2 = 0, other = r->src || r->dst;

	for (int id = 0; id < FIELD_VALUE_COUNT; id++)
		if (r->value[id] && id != FIELD_STATE)
			*(field_get((enum field_id)id)->needs == FIELD_NEEDS_FRAME ? &l2 : &other) |= 1;
	if (l2 && !other)
		return 7;
	if (r->value[FIELD_ICMP])
		families &= 2;
	if (r->value[FIELD_ICMP6] || r->value[FIELD_EXT])
		families &= 4;
	if (r->src)
		families &= (r->src->n4 ? 2u : 0) | (r->src->n6 ? 4u : 0);
	if (r->dst)
		families &= (r->dst->n4 ? 2u : 0) | (r->dst->n6 ? 4u : 0);
	return families;
}

/* Fields that go together, so that most rules can match something. */
static const struct {
	unsigned int protocol;
	enum field_id fields[8];
	size_t n;
} themes[] = {
	{0, {FIELD_SRC, FIELD_DST, FIELD_PROTO, FIELD_DSCP, FIELD_TTL, FIELD_LEN, FIELD_FRAG, FIELD_VLAN}, 8},
	{0, {FIELD_SRC, FIELD_DST, FIELD_SPORT, FIELD_DPORT}, 4},
	{6, {FIELD_SRC, FIELD_DST, FIELD_SPORT, FIELD_DPORT, FIELD_TCPFLAGS, FIELD_TTL}, 6},
	{17, {FIELD_SRC, FIELD_DST, FIELD_SPORT, FIELD_DPORT, FIELD_LEN, FIELD_FRAG}, 6},
	{132, {FIELD_SRC, FIELD_SPORT, FIELD_DPORT, FIELD_DSCP}, 4},
	{0, {FIELD_ICMP, FIELD_SRC, FIELD_TTL, FIELD_LEN, FIELD_FRAG}, 5},
	{0, {FIELD_ICMP6, FIELD_DST, FIELD_TTL, FIELD_EXT}, 4},
	{0, {FIELD_EXT, FIELD_SRC, FIELD_FRAG, FIELD_PROTO}, 4},
	{0, {FIELD_MAC, FIELD_VLAN, FIELD_ETHERTYPE}, 3},
	{0, {FIELD_MAC, FIELD_VLAN, FIELD_ETHERTYPE, FIELD_DST, FIELD_PROTO, FIELD_DPORT}, 6},
};

void gen_edges_rule(struct gen *g, struct rule *r)
{
	size_t t = prng_below(g->p, sizeof(themes) / sizeof(themes[0])),
	       n = prng_range(g->p, 1, prng_chance(g->p, 1, 2) ? 4 : 2);

	*r = (struct rule){};
	if (prng_chance(g->p, 1, 24)) /* a bare `pass` or `drop` */
		n = 0;
	if (themes[t].protocol && may_use(g, FIELD_PROTO))
		r->value[FIELD_PROTO] = protocols(g, themes[t].protocol);
	while (n-- > 0) {
		if (prng_chance(g->p, 1, 16)) /* anything, sense or not */
			constrain(g, r, any_field(g));
		else
			constrain(g, r, themes[t].fields[prng_below(g->p, themes[t].n)]);
	}
	r->families = prng_chance(g->p, 7, 8) ? natural_families(r) : (unsigned int)prng_range(g->p, 1, 7);
}
