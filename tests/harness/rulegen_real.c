// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rule sets with the statistics of real ones: access lists, firewalls, chains of a host. Addresses come from a tree of
 * networks whose children all have one length per parent, so that prefixes nest as deep as there are bands and no
 * deeper. Ports come from a small pool, most often from its head. What is specific stands, as a rule, before what is
 * not.
 */
#include "harness/rulegen_real.h"

#include "base/arena.h"

#include <stdlib.h>

#define BANDS  6
#define SPREAD 20 /* bits of chance in a draft's place */

enum { TCP = 6, UDP = 17 };

/* Shares in per cent but where it says per mille. */
struct shape {
	unsigned int both_any; /* per mille */
	unsigned int src_any, dst_any;
	unsigned int src_band[BANDS], dst_band[BANDS]; /* widest first; hosts last */
	unsigned int repeat;			       /* another rule for a pair that is there */
	unsigned int tcp, udp, icmp, other;	       /* the rest: any protocol */
	unsigned int dport_any, dport_range;
	unsigned int sport, sport_range;
	unsigned int pass;
};

static const struct shape shapes[] = {
	[RULEGEN_ACL] = { 1,
			  12,
			  1,
			  { 3, 12, 15, 30, 15, 25 },
			  { 0, 2, 6, 22, 15, 55 },
			  35,
			  78,
			  14,
			  4,
			  1,
			  18,
			  12,
			  3,
			  40,
			  70 },
	[RULEGEN_FW] = { 5,
			 35,
			 30,
			 { 4, 12, 10, 24, 15, 35 },
			 { 2, 8, 10, 25, 15, 40 },
			 25,
			 58,
			 28,
			 6,
			 2,
			 35,
			 20,
			 15,
			 60,
			 55 },
	[RULEGEN_IPC] = { 2,
			  4,
			  4,
			  { 1, 6, 10, 28, 15, 40 },
			  { 1, 6, 10, 28, 15, 40 },
			  45,
			  60,
			  25,
			  8,
			  2,
			  35,
			  10,
			  20,
			  25,
			  60 },
};

/* Lengths of each band; every parent sticks to one of them. */
#define LENS 8
static const uint8_t lens4[BANDS][LENS] = {
	{ 8, 8, 8, 8, 10, 11, 12, 12 },	    { 14, 15, 16, 16, 16, 16, 17, 18 }, { 19, 20, 20, 20, 21, 22, 22, 22 },
	{ 23, 24, 24, 24, 24, 24, 24, 24 }, { 25, 26, 26, 27, 27, 28, 28, 29 }, { 30, 31, 32, 32, 32, 32, 32, 32 },
};
static const uint8_t lens6[BANDS][LENS] = {
	{ 29, 29, 29, 32, 32, 32, 32, 32 }, { 36, 36, 40, 40, 40, 44, 44, 44 },
	{ 48, 48, 48, 48, 48, 48, 46, 47 }, { 52, 56, 56, 56, 56, 60, 60, 60 },
	{ 64, 64, 64, 64, 64, 64, 64, 62 }, { 128, 128, 128, 128, 128, 112, 120, 127 },
};
static const unsigned int children[BANDS] = { 0, 4, 4, 6, 4, 6 };

struct real {
	struct gen *g;
	const struct shape *shape;
	struct draft_pool pool;
	uint64_t salt;
	unsigned int roots;
	size_t both, both_max;
	struct draft *v;
	size_t n;
};

static uint64_t hash(uint64_t a, uint64_t b)
{
	uint64_t z = a * 0x9e3779b97f4a7c15 ^ b;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* Small numbers more often. */
static uint64_t low(struct prng *p, uint64_t n, unsigned int times)
{
	uint64_t least = prng_below(p, n);

	while (--times) {
		uint64_t x = prng_below(p, n);

		least = x < least ? x : least;
	}
	return least;
}

/* The network that the tree has at child number `i` of `parent` (or root number i). */
static struct draft_prefix child(const struct real *w, bool six, const struct draft_prefix *parent, unsigned int band,
				 uint64_t i)
{
	unsigned int width = six ? 128 : 32;
	uint64_t here =
		hash(w->salt + six, parent ? (uint64_t)(parent->addr >> 64) ^ hash((uint64_t)parent->addr, band) : 0);
	uint64_t bits = hash(here, i), more = hash(bits, i);
	u128 addr = (u128)bits << 64 | more;
	struct draft_prefix ret = { .band = (uint8_t)band };

	if (!parent) /* 1.0.0.0 … 223.0.0.0 and 2a00::/11; the first bits alone choose the length */
		addr = six ? (u128)(0x2a00 | bits % 32) << 112 | (u128)(more & 0xffff) << 96
			   : (u128)(1 + bits % 223) << 24 | (more & 0xffffff);
	else
		addr = parent->addr | (six ? addr : (uint32_t)more) >> parent->len;
	if (!parent)
		here = hash(w->salt, (uint64_t)(addr >> (width - (six ? 16 : 8))));
	ret.len = (six ? lens6 : lens4)[band][here % LENS];
	ret.addr = ret.len == width ? addr : addr >> (width - ret.len) << (width - ret.len);
	return ret;
}

static struct draft_prefix draw_prefix(struct real *w, bool six, bool dst)
{
	const unsigned int *share = dst ? w->shape->dst_band : w->shape->src_band;
	struct prng *p = w->g->p;
	unsigned int band = 0, roll = (unsigned int)prng_below(p, 100);
	/* What is protected is fewer networks than what may speak to it. */
	uint64_t root = low(p, dst ? w->roots / 3 + 1 : w->roots, 2);
	struct draft_prefix at = child(w, six, NULL, 0, root);

	while (band < BANDS - 1 && roll >= share[band])
		roll -= share[band++];
	for (unsigned int b = 1; b <= band; b++)
		at = child(w, six, &at, b, low(p, children[b], 2));
	return at;
}

static void draw_service(struct real *w, struct draft *d)
{
	const struct shape *s = w->shape;
	struct prng *p = w->g->p;
	unsigned int roll = (unsigned int)prng_below(p, 100);
	static const uint8_t rare[] = { 47, 50, 89, 2, 88 };

	d->sport = d->dport = DRAFT_ANY;
	d->proto = 0;
	if (!d->src.len && !d->dst.len) { /* whatever is open to everybody is one service */
		d->proto = prng_chance(p, 2, 3) ? TCP : UDP;
		d->dport = (int16_t)low(p, w->pool.ndport - w->pool.ndport / 6, 2);
		return;
	}
	if (roll >= s->tcp + s->udp) {
		if (roll < s->tcp + s->udp + s->icmp)
			d->proto = d->six ? 58 : 1;
		else if (roll < s->tcp + s->udp + s->icmp + s->other)
			d->proto = rare[low(p, sizeof(rare), 2)];
		return;
	}
	d->proto = roll < s->tcp ? TCP : UDP;
	/* The last sixth of the pools are ranges. */
	roll = (unsigned int)prng_below(p, 100);
	if (roll >= s->dport_any + s->dport_range)
		d->dport = (int16_t)low(p, w->pool.ndport - w->pool.ndport / 6, 3);
	else if (roll >= s->dport_any)
		d->dport = (int16_t)(w->pool.ndport - 1 - low(p, w->pool.ndport / 6, 2));
	if (!prng_chance(p, s->sport, 100))
		return;
	if (prng_chance(p, s->sport_range, 100))
		d->sport = (int16_t)(w->pool.nsport - 1 - low(p, w->pool.nsport / 3, 2));
	else
		d->sport = (int16_t)low(p, w->pool.nsport - w->pool.nsport / 3, 2);
}

static void draw(struct real *w, struct draft *d)
{
	const struct rulegen_opts *o = w->g->opts;
	unsigned int allowed = o->families ? o->families & 6 : 6;
	struct prng *p = w->g->p;

	if (w->n && prng_chance(p, w->shape->repeat, 100)) {
		*d = w->v[prng_below(p, w->n)];
	} else {
		*d = (struct draft){ .six = allowed == 4 || (allowed == 6 && prng_chance(p, 1, 5)) };
		if (w->both < w->both_max && prng_chance(p, w->shape->both_any, 1000)) {
			w->both++;
		} else {
			unsigned int roll = (unsigned int)prng_below(p, 100);
			bool src = roll < w->shape->src_any, dst = !src && roll < w->shape->src_any + w->shape->dst_any;

			if (!src)
				d->src = draw_prefix(w, d->six, false);
			if (!dst)
				d->dst = draw_prefix(w, d->six, true);
		}
	}
	draw_service(w, d);
	/* Broad rules stand late, though not strictly; any address counts as the widest band of two. */
	d->place = prng_below(p, 8u << SPREAD) +
		   ((uint64_t)(2 * BANDS - (d->src.len ? d->src.band + 1 : 0) - (d->dst.len ? d->dst.band + 1 : 0))
		    << SPREAD);
}

static void make_pool(struct real *w, size_t nrules)
{
	static const uint16_t known[] = { 80,  443,  53,   22,	 25,   3389, 1433, 21,	 3306, 8080, 445,  139,
					  389, 110,  143,  993,	 123,  161,  5432, 1521, 23,   636,  88,   135,
					  514, 5060, 8443, 6379, 3128, 2049, 995,  587,	 9090, 179,  1812, 69 };
	static const uint16_t sources[] = { 53, 123, 20, 67, 68, 500, 80, 443, 161, 25 };
	static const struct range wide[] = {
		{ 1024, 65535 }, { 0, 1023 }, { 49152, 65535 }, { 32768, 60999 }, { 1, 65535 }
	};
	struct draft_pool *pool = &w->pool;
	struct prng *p = w->g->p;
	size_t i;

	pool->ndport = nrules < 200 ? 24 : nrules < 2000 ? 72 : nrules < 20000 ? 132 : POOL_DPORT;
	for (i = 0; i < pool->ndport - pool->ndport / 6; i++) {
		uint64_t port = i < sizeof(known) / sizeof(known[0]) ? known[i] : prng_range(p, 1, 49151);

		pool->dport[i] = (struct range){ port, port };
	}
	for (; i < pool->ndport; i++) {
		uint64_t lo = prng_range(p, 1024, 60000);

		pool->dport[i] = (struct range){ lo, lo + prng_below(p, 1u << prng_range(p, 1, 11)) };
	}
	pool->dport[pool->ndport - 1] = wide[0];
	pool->dport[pool->ndport - 2] = (struct range){ 135, 139 };
	pool->nsport = 15;
	for (i = 0; i < 10; i++)
		pool->sport[i] = (struct range){ sources[i], sources[i] };
	for (; i < 15; i++)
		pool->sport[i] = wide[14 - i];
}

static const struct aset *make_addresses(struct gen *g, bool six, const struct draft_prefix *p)
{
	struct aset_builder b = { .arena = g->arena };
	struct aset *s = NULL;

	if (!p->len)
		return NULL;
	if (six)
		gen_add_prefix6(g, &b, p->addr, p->len);
	else
		gen_add_prefix4(g, &b, (uint32_t)p->addr, p->len);
	if (aset_build(&b, &s))
		g->failed = true;
	return s;
}

static void make_rule(struct real *w, const struct draft *d, struct rule *r)
{
	enum family family = d->six ? FAMILY_IPV6 : FAMILY_IPV4;
	struct gen *g = w->g;

	*r = (struct rule){ .families = 1u << family };
	r->verdict = prng_chance(g->p, w->shape->pass, 100) ? VERDICT_PASS : VERDICT_DROP;
	r->src = make_addresses(g, d->six, &d->src);
	r->dst = make_addresses(g, d->six, &d->dst);
	if (d->proto)
		r->value[FIELD_PROTO] = gen_value(g, family << 8 | d->proto, family << 8 | d->proto);
	if (d->sport != DRAFT_ANY)
		r->value[FIELD_SPORT] = gen_vset(g, &w->pool.sport[d->sport], 1);
	if (d->dport != DRAFT_ANY)
		r->value[FIELD_DPORT] = gen_vset(g, &w->pool.dport[d->dport], 1);
}

/* `want` drafts, or fewer when even many tries do not give as many that differ. */
static size_t make_drafts(struct real *w, size_t want)
{
	size_t kept = 0;

	for (size_t tries = want + want / 4 + 32; kept < want && tries < 16 * want + 64; tries *= 2) {
		struct draft *more = realloc(w->v, tries * sizeof(*more));

		if (!more)
			return SIZE_MAX;
		w->v = more;
		for (w->n = kept; w->n < tries; w->n++)
			draw(w, &w->v[w->n]);
		kept = draft_settle(w->v, tries, &w->pool, want / 200);
		if (kept == SIZE_MAX)
			return kept;
	}
	return kept;
}

void gen_real_rules(struct gen *g, struct rule *rules, size_t *ret_n)
{
	size_t want = g->opts->nrules, left, n = 0;
	struct real w = {
		.g = g, .shape = &shapes[g->opts->style], .salt = prng_u64(g->p), .both_max = 1 + want / 200
	};

	w.roots = 4;
	while ((size_t)w.roots * w.roots * 16 < want)
		w.roots++;
	make_pool(&w, want);
	left = make_drafts(&w, want);
	if (left == SIZE_MAX)
		g->failed = true;
	/* Too many are thinned out evenly. */
	for (size_t i = 0; left && !g->failed && n < want && i < w.n; i++, left--) {
		if (left > want - n && prng_below(g->p, left) >= want - n)
			continue;
		make_rule(&w, &w.v[i], &rules[n++]);
	}
	free(w.v);
	*ret_n = n;
}
