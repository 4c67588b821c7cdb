// SPDX-License-Identifier: GPL-2.0-only
#include "analyze/iset.h"

#include <stdlib.h>
#include <string.h>

/* The first range of s, from `from` on, that ends at or behind v. */
static uint32_t first_ending(const struct iset *s, uint32_t from, uint32_t v)
{
	uint32_t step = 1, to = from;

	/* Gallop: where both sets are long the next one is near. */
	while (to < s->n && s->r[to].hi < v) {
		from = to + 1;
		to += step;
		step *= 2;
	}
	to = to < s->n ? to : s->n;
	while (from < to) {
		uint32_t mid = from + (to - from) / 2;

		if (s->r[mid].hi < v)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

enum iset_relation iset_relation(const struct iset *a, const struct iset *b)
{
	bool some = false, all = true;
	uint32_t j = 0;

	if (a->n == 1 && b->n == 1) {
		if (a->r->hi < b->r->lo || b->r->hi < a->r->lo)
			return ISET_APART;
		return a->r->lo >= b->r->lo && a->r->hi <= b->r->hi ? ISET_COVERED : ISET_PARTLY;
	}
	for (uint32_t i = 0; i < a->n && (all || !some); i++) {
		j = first_ending(b, j, a->r[i].lo);
		if (j == b->n) {
			all = false;
			break;
		}
		some |= b->r[j].lo <= a->r[i].hi;
		all &= b->r[j].lo <= a->r[i].lo && b->r[j].hi >= a->r[i].hi;
	}
	return all ? ISET_COVERED : some ? ISET_PARTLY : ISET_APART;
}

bool iset_has(const struct iset *s, uint32_t v)
{
	uint32_t i = first_ending(s, 0, v);

	return i < s->n && s->r[i].lo <= v;
}

bool iset_equal(const struct iset *a, const struct iset *b)
{
	return a->n == b->n && (a->r == b->r || !memcmp(a->r, b->r, a->n * sizeof(*a->r)));
}

uint32_t iset_minus(const struct iset *a, const struct iset *b, struct irange *out)
{
	uint32_t n = 0, j = 0;

	for (uint32_t i = 0; i < a->n; i++) {
		uint32_t lo = a->r[i].lo, hi = a->r[i].hi;
		bool left = true;

		for (j = first_ending(b, j, lo); j < b->n && b->r[j].lo <= hi; j++) {
			if (b->r[j].lo > lo)
				out[n++] = (struct irange){ lo, b->r[j].lo - 1 };
			left = b->r[j].hi < hi;
			if (!left)
				break;
			lo = b->r[j].hi + 1;
		}
		if (left)
			out[n++] = (struct irange){ lo, hi };
	}
	return n;
}

uint32_t iset_within(const struct iset *a, const struct iset *b, struct irange *out)
{
	uint32_t n = 0, j = 0;

	for (uint32_t i = 0; i < a->n; i++) {
		for (j = first_ending(b, j, a->r[i].lo); j < b->n && b->r[j].lo <= a->r[i].hi; j++) {
			uint32_t lo = b->r[j].lo > a->r[i].lo ? b->r[j].lo : a->r[i].lo;
			uint32_t hi = b->r[j].hi < a->r[i].hi ? b->r[j].hi : a->r[i].hi;

			out[n++] = (struct irange){ lo, hi };
			if (b->r[j].hi >= a->r[i].hi)
				break;
		}
	}
	return n;
}

#define CHUNK 4096 /* ranges */

struct ipool_chunk {
	struct ipool_chunk *below;
	size_t used, cap;
	struct irange r[];
};

struct ipool_mark ipool_mark(const struct ipool *p)
{
	return (struct ipool_mark){ p->top, p->top ? p->top->used : 0 };
}

void ipool_release(struct ipool *p, struct ipool_mark m)
{
	while (p->top && p->top != m.chunk) {
		struct ipool_chunk *below = p->top->below;

		free(p->top);
		p->top = below;
	}
	if (p->top)
		p->top->used = m.used;
}

void ipool_fini(struct ipool *p)
{
	ipool_release(p, (struct ipool_mark){});
}

struct irange *ipool_take(struct ipool *p, size_t n)
{
	struct irange *r;

	if (!p->top || p->top->cap - p->top->used < n) {
		size_t cap = n > CHUNK ? n : CHUNK;
		struct ipool_chunk *c = malloc(sizeof(*c) + cap * sizeof(c->r[0]));

		if (!c)
			return NULL;
		*c = (struct ipool_chunk){ .below = p->top, .cap = cap };
		p->top = c;
	}
	r = p->top->r + p->top->used;
	p->top->used += n;
	return r;
}

void ipool_trim(struct ipool *p, struct irange *r, size_t n)
{
	p->top->used = (size_t)(r - p->top->r) + n;
}

bool ipool_is_above(const struct ipool *p, struct ipool_mark m, const struct irange *r)
{
	size_t from = p->top == m.chunk ? m.used : 0;

	return p->top && r >= p->top->r + from && r < p->top->r + p->top->used;
}
