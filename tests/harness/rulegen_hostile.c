// SPDX-License-Identifier: GPL-2.0-only
/* Rule sets that are made to blow a compiler up, each aimed at one structure. */
#include "harness/rulegen_priv.h"

/* The n-th rule of a square: n = row * side + column. */
static uint64_t square_side(uint64_t n)
{
	uint64_t side = 1;

	while (side * side < n)
		side++;
	return side;
}

static uint64_t gcd(uint64_t a, uint64_t b)
{
	return b ? gcd(b, a % b) : a;
}

static const struct aset *range4(struct gen *g, uint32_t lo, uint32_t hi)
{
	struct aset_builder b = { .arena = g->arena };
	struct aset *s = NULL;

	if (aset_add4(&b, lo, hi) || aset_build(&b, &s))
		g->failed = true;
	return s;
}

static const struct aset *prefix4(struct gen *g, uint32_t addr, unsigned int len)
{
	uint32_t host = len >= 32 ? 0 : UINT32_MAX >> len;

	return range4(g, addr & ~host, addr | host);
}

static const struct aset *prefix6(struct gen *g, u128 addr, unsigned int len)
{
	struct aset_builder b = { .arena = g->arena };
	struct aset *s = NULL;

	gen_add_prefix6(g, &b, addr, len);
	if (aset_build(&b, &s))
		g->failed = true;
	return s;
}

static const struct aset *all_but(struct gen *g, const struct aset *in)
{
	struct aset *s = NULL;

	if (aset_invert(g->arena, in, &s))
		g->failed = true;
	return s;
}

/* 0..n-1 in an order that is neither up nor down. */
static uint64_t shuffled(uint64_t i, uint64_t n)
{
	uint64_t step = n / 2 + n / 8 + 1;

	while (gcd(step, n) != 1)
		step++;
	return i * step % n;
}

/* A small random service, so that rules with equal addresses differ. */
static void service(struct gen *g, struct rule *r, enum family family, unsigned int ports)
{
	uint64_t proto = prng_chance(g->p, 2, 3) ? 6 : 17, port = 1 + prng_below(g->p, ports);

	r->value[FIELD_PROTO] = gen_value(g, family << 8 | proto, family << 8 | proto);
	r->value[FIELD_DPORT] = gen_value(g, port, port);
}

/* Onions of ranges that are no prefixes: as many layers as there are rules, the sources shrinking where destinations
 * grow. */
static void nested(struct gen *g, struct rule *r, uint64_t i)
{
	uint64_t n = g->opts->nrules, layer = shuffled(i, n), step = 0x3fffffff / (n + 1);

	r->families = 1u << FAMILY_IPV4;
	r->src = range4(g, (uint32_t)(0x10000001 + layer * step), (uint32_t)(0x8ffffffe - layer * step));
	r->dst = range4(g, (uint32_t)(0x20000001 + (n - layer) * step), (uint32_t)(0x9ffffffe - (n - layer) * step));
	if (prng_chance(g->p, 1, 2))
		service(g, r, FAMILY_IPV4, 200);
}

/* Every prefix of one address as source, with every prefix of another as destination. */
static void crossing(struct gen *g, struct rule *r, uint64_t i)
{
	bool six = i % 4 == 3;
	unsigned int width = six ? 128 : 32, pairs = (width + 1) * (width + 1), pair = (unsigned int)(i / 4 % pairs);
	/* The longest first: every one of them can decide. */
	unsigned int slen = width - pair % (width + 1), dlen = width - pair / (width + 1);

	if (!six) {
		pair = (unsigned int)((i - i / 4) % pairs);
		slen = width - pair % (width + 1);
		dlen = width - pair / (width + 1);
	}
	r->families = 1u << (six ? FAMILY_IPV6 : FAMILY_IPV4);
	r->src = six ? prefix6(g, g->net6[2], slen) : prefix4(g, g->net4[2], slen);
	r->dst = six ? prefix6(g, g->net6[3], dlen) : prefix4(g, g->net4[3], dlen);
	if (i >= pairs || slen < 8 || dlen < 8 || prng_chance(g->p, 1, 2))
		service(g, r, six ? FAMILY_IPV6 : FAMILY_IPV4, 200);
}

/* A few ports, or any range of them. */
static struct range random_ports(struct gen *g, bool wide)
{
	uint64_t a = prng_below(g->p, 65536), b = wide ? prng_below(g->p, 65536) : a + prng_below(g->p, 64);

	b = b > 65535 ? 65535 : b;
	return a < b ? (struct range){ a, b } : (struct range){ b, a };
}

/* Thousands of port ranges on both sides: as many classes. */
static void port_ranges(struct gen *g, struct rule *r, uint64_t i)
{
	bool narrow = prng_chance(g->p, 1, 2); /* in addresses; else in ports, so that most rules can be reached */
	struct range s = random_ports(g, true), d = random_ports(g, narrow);

	r->families = 6;
	r->value[FIELD_PROTO] = gen_vset(g, (struct range[]){ { 0x106, 0x106 }, { 0x206, 0x206 } }, 2);
	r->value[FIELD_DPORT] = gen_vset(g, &d, 1);
	if (prng_chance(g->p, 1, 2))
		r->value[FIELD_SPORT] = gen_vset(g, &s, 1);
	if (narrow) {
		r->families = 1u << FAMILY_IPV4;
		r->src = prefix4(g, g->net4[i % POOL] + (uint32_t)(i << 8), 24);
	}
}

/* Complements everywhere: each rule holds nearly every address and port. Rules that could hide the others ask for more.
 */
static void negated(struct gen *g, struct rule *r, uint64_t i)
{
	bool six = prng_chance(g->p, 1, 4);
	enum family family = six ? FAMILY_IPV6 : FAMILY_IPV4;
	uint32_t a = (uint32_t)prng_u64(g->p), b = (uint32_t)prng_u64(g->p);
	unsigned int len = (unsigned int)prng_range(g->p, 8, 32);
	struct range d = random_ports(g, true);

	r->families = 1u << family;
	service(g, r, family, 65535);
	if (prng_chance(g->p, 3, 4))
		r->src = all_but(g, six ? prefix6(g, (u128)a << 96 | b, 20 + len) : prefix4(g, a, len));
	if (prng_chance(g->p, 3, 4))
		r->dst = all_but(g, six ? prefix6(g, (u128)b << 96 | a, 20 + len) : prefix4(g, b, len));
	if (prng_chance(g->p, 1, 2))
		r->value[FIELD_SPORT] = gen_vset_not(g, gen_vset(g, &d, 1), FIELD_SPORT);
	if (prng_chance(g->p, 1, 8)) { /* to one network, or no rule behind it could be reached */
		r->value[FIELD_DPORT] = gen_vset_not(g, r->value[FIELD_DPORT], FIELD_DPORT);
		r->dst = six ? prefix6(g, (u128)b << 96 | a, 20 + len) : prefix4(g, b, 16 + len / 2);
	}
}

/* One pair of hosts, every rule another pair of ports. */
static void one_pair(struct gen *g, struct rule *r, uint64_t i)
{
	uint64_t side = square_side(g->opts->nrules), s = 1024 + i / side, d = 1 + i % side;

	r->families = 1u << FAMILY_IPV4;
	r->src = prefix4(g, g->net4[2], 32);
	r->dst = prefix4(g, g->net4[3], 32);
	r->value[FIELD_PROTO] = gen_value(g, FAMILY_IPV4 << 8 | 6, FAMILY_IPV4 << 8 | 6);
	r->value[FIELD_SPORT] = gen_value(g, s & 65535, s & 65535);
	r->value[FIELD_DPORT] = gen_value(g, d & 65535, d & 65535);
}

/* Hosts × hosts: each address stands in as many rules as there are addresses. */
static void grid(struct gen *g, struct rule *r, uint64_t i)
{
	uint64_t side = square_side(g->opts->nrules), at = shuffled(i, g->opts->nrules);

	r->families = 1u << FAMILY_IPV4;
	r->src = prefix4(g, g->net4[2] + (uint32_t)(at / side) * 7919, 32);
	r->dst = prefix4(g, g->net4[3] + (uint32_t)(at % side) * 7919, 32);
}

void gen_hostile_rule(struct gen *g, struct rule *r, uint64_t i)
{
	*r = (struct rule){};
	switch (g->opts->style) {
	case RULEGEN_NESTED:
		nested(g, r, i);
		break;
	case RULEGEN_CROSSING:
		crossing(g, r, i);
		break;
	case RULEGEN_PORTS:
		port_ranges(g, r, i);
		break;
	case RULEGEN_NEGATED:
		negated(g, r, i);
		break;
	case RULEGEN_ONE_PAIR:
		one_pair(g, r, i);
		break;
	default:
		grid(g, r, i);
	}
}
