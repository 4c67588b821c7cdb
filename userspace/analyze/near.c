// SPDX-License-Identifier: GPL-2.0-only
#include "analyze/near.h"

#include "analyze/search.h"

#include <errno.h>
#include <stdlib.h>

#define BIT(n) (1u << (n))

enum { NEAR_SRC4, NEAR_DST4, NEAR_SRC6, NEAR_DST6, NEAR_DPORT, NEAR_COUNT };
struct near_bounds {
	uint32_t lo[NEAR_COUNT], hi[NEAR_COUNT];
	bool other; /* frames that are not IP, too */
	bool ends;  /* the walk */
};

static void bound(struct near_bounds *b, int i, const struct iset *s)
{
	b->lo[i] = s->n ? s->r[0].lo : 1;
	b->hi[i] = s->n ? s->r[s->n - 1].hi : 0;
}

static void bounds_of(const struct space *s, const struct space_rule *r, struct near_bounds *b)
{
	const struct cell four = { .family = FAMILY_IPV4 }, six = { .family = FAMILY_IPV6 };

	*b = (struct near_bounds){ .other = r->families & BIT(FAMILY_OTHER), .ends = r->rule->verdict != VERDICT_CONTINUE };
	for (int i = 0; i < NEAR_COUNT; i++)
		b->hi[i] = UINT32_MAX;
	for (unsigned int i = 0; i < r->nconds; i++) {
		const struct cond *c = &r->cond[i];

		if (c->dim == FIELD_DPORT)
			bound(b, NEAR_DPORT, space_set(s, &four, c));
		if (c->dim != DIM_SRC && c->dim != DIM_DST)
			continue;
		bound(b, c->dim == DIM_SRC ? NEAR_SRC4 : NEAR_DST4, space_set(s, &four, c));
		bound(b, c->dim == DIM_SRC ? NEAR_SRC6 : NEAR_DST6, space_set(s, &six, c));
	}
	/* No packet of a family: its addresses meet nothing. */
	for (int f = 0; f < 2; f++) {
		if (r->families & BIT(f ? FAMILY_IPV6 : FAMILY_IPV4))
			continue;
		b->lo[2 * f] = 1;
		b->hi[2 * f] = 0;
	}
}

static inline bool meet(const struct near_bounds *a, const struct near_bounds *b, int i)
{
	return a->lo[i] <= b->hi[i] && b->lo[i] <= a->hi[i];
}

int near_init(struct near *x, const struct space *s)
{
	*x = (struct near){ .space = s };
	x->bounds = calloc(s->nrules + 1, sizeof(*x->bounds));
	x->v = calloc(s->nrules + 1, sizeof(*x->v));
	if (!x->bounds || !x->v)
		return -ENOMEM;
	for (size_t i = 0; i < s->nrules; i++)
		bounds_of(s, &s->rule[i], &x->bounds[i]);
	return 0;
}

void near_fini(struct near *x)
{
	free(x->bounds);
	free(x->v);
}

static bool bounds_meet(const struct near_bounds *a, const struct near_bounds *b)
{
	if (!meet(a, b, NEAR_DPORT))
		return false;
	return (meet(a, b, NEAR_SRC4) && meet(a, b, NEAR_DST4)) || (meet(a, b, NEAR_SRC6) && meet(a, b, NEAR_DST6)) ||
	       (a->other && b->other);
}

bool near_meets(const struct near *x, uint32_t a, uint32_t b)
{
	return bounds_meet(&x->bounds[a], &x->bounds[b]);
}

void near_find(struct near *x, uint32_t rule, uint32_t first, size_t n)
{
	const struct near_bounds *a = &x->bounds[rule];

	x->n = 0;
	for (uint32_t i = first; i < first + n; i++) {
		const struct near_bounds *b = &x->bounds[i];

		if (b->ends && i != rule && bounds_meet(a, b) && rules_meet(x->space, &x->space->rule[rule], &x->space->rule[i]))
			x->v[x->n++] = i;
	}
}

size_t near_before(const struct near *x, uint32_t rule)
{
	size_t n = 0;

	while (n < x->n && x->v[n] < rule)
		n++;
	return n;
}
