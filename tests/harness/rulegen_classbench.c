// SPDX-License-Identifier: GPL-2.0-only
/*
 * Five-tuple rules with the shape of real filter lists: a few hundred sites, prefixes that nest in them, well-known
 * ports beside ephemeral ranges, mostly TCP.
 */
#include "harness/rulegen_priv.h"

void gen_classbench_init(struct gen *g)
{
	for (int i = 0; i < POOL; i++) {
		g->net4[i] = (uint32_t)prng_range(g->p, 1, 223) << 24 | (uint32_t)prng_below(g->p, 256) << 16;
		g->net6[i] = (u128)(0x2a00000000000000 | prng_below(g->p, 0x10000) << 32) << 64;
	}
}

static const struct aset *addresses(struct gen *g, enum family family, bool narrow)
{
	static const unsigned int lens4[] = {8, 16, 16, 20, 22, 24, 24, 24, 26, 27, 28, 30, 32, 32, 32, 32};
	static const unsigned int lens6[] = {29, 32, 32, 40, 44, 48, 48, 48, 56, 56, 60, 64, 64, 64, 128, 128};
	struct aset_builder b = {.arena = g->arena};
	size_t i = prng_below(g->p, POOL), l = prng_range(g->p, narrow ? 5 : 0, 15);
	struct aset *s = NULL;

	if (family == FAMILY_IPV4)
		gen_add_prefix4(g, &b, g->net4[i] ^ (uint32_t)prng_below(g->p, 1u << 24), lens4[l]);
	else
		gen_add_prefix6(g, &b, g->net6[i] ^ (u128)prng_below(g->p, 1ull << 36) << 64 ^ prng_below(g->p, 64),
				lens6[l]);
	if (aset_build(&b, &s))
		g->failed = true;
	return s;
}

static const struct vset *ports(struct gen *g)
{
	static const uint16_t known[] = {20,   21,   22,   23,	 25,   53,   80,   110,	 123,  143,  161,  389,
					 443,  445,  465,  514,	 587,  636,  993,  995,	 1433, 1521, 1723, 1812,
					 2049, 3128, 3306, 3389, 4500, 5060, 5432, 5900, 6379, 8080, 8443, 9090};
	uint64_t lo = known[prng_below(g->p, sizeof(known) / sizeof(known[0]))];

	switch (prng_below(g->p, 10)) {
	case 0:
		return gen_value(g, 1024, 65535);
	case 1:
		lo = prng_range(g->p, 1024, 60000);
		return gen_value(g, lo, lo + prng_below(g->p, 2000));
	case 2:
		lo = prng_range(g->p, 1, 65535);
		break;
	default:
		break;
	}
	return gen_value(g, lo, lo);
}

void gen_classbench_rule(struct gen *g, struct rule *r)
{
	unsigned int allowed = g->opts->families ? g->opts->families & 6 : 6;
	bool six = allowed == 4 || (allowed == 6 && prng_chance(g->p, 1, 5));
	enum family family = six ? FAMILY_IPV6 : FAMILY_IPV4;
	unsigned int roll = (unsigned int)prng_below(g->p, 100), proto = roll < 62   ? 6
									 : roll < 88 ? 17
									 : roll < 93 ? (six ? 58 : 1)
										     : 0;

	*r = (struct rule){.families = 1u << family};
	if (proto)
		r->value[FIELD_PROTO] = gen_value(g, family << 8 | proto, family << 8 | proto);
	if (prng_chance(g->p, 3, 4))
		r->src = addresses(g, family, false);
	if (!r->src || prng_chance(g->p, 9, 10))
		r->dst = addresses(g, family, true);
	if (proto != 6 && proto != 17)
		return;
	if (prng_chance(g->p, 5, 6))
		r->value[FIELD_DPORT] = ports(g);
	if (prng_chance(g->p, 1, 10))
		r->value[FIELD_SPORT] = ports(g);
}
