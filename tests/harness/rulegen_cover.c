// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which five-tuple rule is hidden by one before it? Two hash tables answer that for hundreds of thousands: the prefixes
 * in use on each side, and the rules of each pair of prefixes. A rule is looked up under the pairs of its ancestors
 * alone.
 */
#include "harness/rulegen_real.h"

#include <stdlib.h>
#include <string.h>

#define MAX_LENS 129

struct slot {
	u128 src, dst;
	uint8_t slen, dlen, family; /* family 0: free */
	int32_t first;		    /* the last draft of this pair; older ones follow in `next` */
};

struct table {
	struct slot *v;
	size_t mask;
};

struct cover {
	struct table pairs, sides[2]; /* of a side, src alone is set */
	int32_t *next;
	bool lens[2][2][MAX_LENS]; /* [side][six]: lengths in use */
	const struct draft_pool *pool;
	struct draft *v;
};

static uint64_t mix(uint64_t h)
{
	h = (h ^ h >> 31) * 0x9e3779b97f4a7c15;
	return h ^ h >> 29;
}

static uint64_t slot_hash(const struct slot *s)
{
	uint64_t h = mix((uint64_t)s->src + s->slen);

	h = mix(h + (uint64_t)(s->src >> 64));
	h = mix(h + (uint64_t)s->dst + s->dlen * 257u);
	return mix(h + (uint64_t)(s->dst >> 64) + s->family);
}

static bool slot_same(const struct slot *a, const struct slot *b)
{
	return a->family == b->family && a->slen == b->slen && a->dlen == b->dlen && a->src == b->src &&
	       a->dst == b->dst;
}

/* The slot of a key, or the free one where it belongs. */
static struct slot *table_find(const struct table *t, const struct slot *key)
{
	size_t i = slot_hash(key) & t->mask;

	while (t->v[i].family && !slot_same(&t->v[i], key))
		i = (i + 1) & t->mask;
	return &t->v[i];
}

static bool table_init(struct table *t, size_t n)
{
	size_t size = 64;

	while (size < 2 * n)
		size *= 2;
	t->mask = size - 1;
	t->v = calloc(size, sizeof(*t->v));
	return t->v;
}

static u128 cut(u128 addr, unsigned int len, bool six)
{
	unsigned int width = six ? 128 : 32;

	return len == 0 ? 0 : len == width ? addr : addr >> (width - len) << (width - len);
}

/* The prefixes in use on one side that hold `p`, itself and "any" among them. */
static size_t holders(const struct cover *c, unsigned int side, bool six, const struct draft_prefix *p,
		      struct draft_prefix *ret)
{
	size_t n = 0;

	for (unsigned int len = 0; len <= p->len; len++) {
		struct slot key = { .src = cut(p->addr, len, six), .slen = (uint8_t)len, .family = 1 + six };

		if (c->lens[side][six][len] && table_find(&c->sides[side], &key)->family)
			ret[n++] = (struct draft_prefix){ .addr = key.src, .len = key.slen };
	}
	return n;
}

static bool ports_cover(const struct range *pool, int outer, int inner)
{
	if (outer == DRAFT_ANY)
		return true;
	return inner != DRAFT_ANY && pool[outer].lo <= pool[inner].lo && pool[outer].hi >= pool[inner].hi;
}

enum covered { COVERED_NOT, COVERED_HIDDEN, COVERED_SAME };

static enum covered covered_by(const struct cover *c, const struct draft *a, const struct draft *d)
{
	if ((a->proto && a->proto != d->proto) || !ports_cover(c->pool->sport, a->sport, d->sport) ||
	    !ports_cover(c->pool->dport, a->dport, d->dport))
		return COVERED_NOT;
	return a->src.len == d->src.len && a->dst.len == d->dst.len && a->proto == d->proto && a->sport == d->sport &&
			       a->dport == d->dport
		       ? COVERED_SAME
		       : COVERED_HIDDEN;
}

static enum covered cover_look(const struct cover *c, const struct draft *d)
{
	struct draft_prefix src[MAX_LENS], dst[MAX_LENS];
	size_t nsrc = holders(c, 0, d->six, &d->src, src), ndst = holders(c, 1, d->six, &d->dst, dst);
	enum covered found = COVERED_NOT;

	for (size_t i = 0; i < nsrc; i++)
		for (size_t j = 0; j < ndst; j++) {
			struct slot key = { src[i].addr, dst[j].addr, src[i].len, dst[j].len, 1 + d->six, -1 };
			const struct slot *s = table_find(&c->pairs, &key);

			for (int32_t at = s->family ? s->first : -1; at >= 0; at = c->next[at]) {
				enum covered now = covered_by(c, &c->v[at], d);

				found = now > found ? now : found;
			}
		}
	return found;
}

static void cover_add(struct cover *c, size_t index)
{
	const struct draft *d = &c->v[index];
	struct slot key = { d->src.addr, d->dst.addr, d->src.len, d->dst.len, 1 + d->six, -1 };
	struct slot side[2] = { { .src = d->src.addr, .slen = d->src.len, .family = 1 + d->six },
				{ .src = d->dst.addr, .slen = d->dst.len, .family = 1 + d->six } };
	struct slot *s = table_find(&c->pairs, &key);

	if (!s->family)
		*s = key;
	c->next[index] = s->first;
	s->first = (int32_t)index;
	for (unsigned int i = 0; i < 2; i++) {
		*table_find(&c->sides[i], &side[i]) = side[i];
		c->lens[i][d->six][side[i].slen] = true;
	}
}

static int draft_cmp(const void *a, const void *b)
{
	uint64_t x = ((const struct draft *)a)->place, y = ((const struct draft *)b)->place;

	return (x > y) - (x < y);
}

size_t draft_settle(struct draft *v, size_t n, const struct draft_pool *pool, size_t hidden)
{
	struct cover c = { .pool = pool, .v = v, .next = malloc((n + 1) * sizeof(*c.next)) };
	bool good = c.next && table_init(&c.pairs, n) && table_init(&c.sides[0], n) && table_init(&c.sides[1], n);
	size_t kept = 0;

	qsort(v, n, sizeof(*v), draft_cmp);
	for (size_t i = 0; good && i < n; i++) {
		enum covered found = cover_look(&c, &v[i]);

		if (found == COVERED_SAME || (found == COVERED_HIDDEN && !hidden))
			continue;
		hidden -= found == COVERED_HIDDEN;
		v[kept] = v[i];
		cover_add(&c, kept++);
	}
	free(c.next);
	free(c.pairs.v);
	free(c.sides[0].v);
	free(c.sides[1].v);
	return good ? kept : SIZE_MAX;
}
