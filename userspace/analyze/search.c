// SPDX-License-Identifier: GPL-2.0-only
#include "analyze/search.h"

#include "base/vec.h"

#include <errno.h>
#include <string.h>

#define BIT(n)	     (1u << (n))
#define SEARCH_EACH  2000000 /* rules compared by one search: some tens of milliseconds */
#define SEARCH_DEPTH 400
#define SEARCH_LOOK  128 /* rules asked which dimension to try first */

int search_init(struct search *w, const struct space *s, uint64_t steps)
{
	*w = (struct search){ .space = s, .steps = steps, .each = SEARCH_EACH };
	w->used = calloc(s->nrules + 1, 1);
	return w->used ? 0 : -ENOMEM;
}

void search_fini(struct search *w)
{
	ipool_fini(&w->pool);
	free(w->used);
	vec_fini(&w->stack);
}

void part_whole(const struct cell *cell, struct part *ret)
{
	ret->cell = cell;
	memcpy(ret->d, cell->domain, sizeof(ret->d));
}

/* a within b, or without it, as memory of the pool. False: it is empty. */
static bool part_set(struct search *w, struct part *p, unsigned int dim, const struct iset *b, bool without)
{
	const struct iset *a = &p->d[dim];
	struct irange *out = ipool_take(&w->pool, iset_room(a, b));
	uint32_t n;

	if (!out) {
		w->failed = true;
		return false;
	}
	n = without ? iset_minus(a, b, out) : iset_within(a, b, out);
	ipool_trim(&w->pool, out, n);
	p->d[dim] = (struct iset){ out, n };
	return n;
}

bool part_narrow(struct search *w, struct part *p, const struct space_rule *r)
{
	if (!space_applies(r, p->cell))
		return false;
	for (unsigned int i = 0; i < r->nconds; i++) {
		const struct iset *set = space_set(w->space, p->cell, &r->cond[i]);

		switch (iset_relation(&p->d[r->cond[i].dim], set)) {
		case ISET_APART:
			return false;
		case ISET_PARTLY:
			if (!part_set(w, p, r->cond[i].dim, set, false))
				return false;
			break;
		case ISET_COVERED:
			break;
		}
	}
	return space_real(w->space, p->cell, p->d);
}

bool part_of_rule(struct search *w, const struct cell *cell, const struct space_rule *r, struct part *ret)
{
	part_whole(cell, ret);
	return part_narrow(w, ret, r);
}

/* In how many dimensions can a packet of the part leave the rule? -1: it is outside already. */
static int part_relate(const struct search *w, const struct part *p, const struct space_rule *r, uint32_t *ret_dims)
{
	uint32_t dims = 0;
	int n = 0;

	if (!space_applies(r, p->cell))
		return -1;
	for (unsigned int i = 0; i < r->nconds; i++) {
		unsigned int dim = r->cond[i].dim;

		switch (iset_relation(&p->d[dim], space_set(w->space, p->cell, &r->cond[i]))) {
		case ISET_APART:
			return -1;
		case ISET_PARTLY:
			dims |= BIT(dim);
			n++;
			break;
		case ISET_COVERED:
			break;
		}
	}
	*ret_dims = dims;
	return n;
}

bool part_covered(const struct search *w, const struct part *p, const struct space_rule *r)
{
	uint32_t dims;

	return part_relate(w, p, r, &dims) == 0;
}

static const struct iset *set_of(const struct search *w, const struct part *p, const struct space_rule *r, unsigned int dim)
{
	for (unsigned int i = 0; i < r->nconds; i++)
		if (r->cond[i].dim == dim)
			return space_set(w->space, p->cell, &r->cond[i]);
	return NULL;
}

/* Take the rule away from the one dimension in which it leaves something. False: then nothing is left. */
static bool part_leave(struct search *w, struct part *p, const struct space_rule *r, unsigned int dim, struct ipool_mark level)
{
	const struct iset old = p->d[dim];
	struct irange *r_old = (struct irange *)old.r;

	if (!part_set(w, p, dim, set_of(w, p, r, dim), true))
		return false;
	/* Thousands of rules may take a bite each: where the old set was the last thing made here, the new one takes its place. */
	if (old.n && r_old + old.n == p->d[dim].r && ipool_is_above(&w->pool, level, r_old)) {
		memmove(r_old, p->d[dim].r, p->d[dim].n * sizeof(*r_old));
		ipool_trim(&w->pool, r_old, p->d[dim].n);
		p->d[dim].r = r_old;
	}
	return space_real(w->space, p->cell, p->d);
}

/* A branch: which dimension to leave the rule in first. */
struct way {
	unsigned int dim;
	struct iset left;
	size_t freed; /* rules that are out of the way then */
};

static size_t ways_make(struct search *w, const struct part *p, const struct space_rule *r, uint32_t dims, size_t from, size_t n,
			struct way *way)
{
	size_t nways = 0;

	for (unsigned int d = 0; d < DIM_COUNT; d++) {
		struct part left = *p;
		struct way x = { .dim = d };
		size_t at = nways;

		if (!(dims & BIT(d)) || !part_set(w, &left, d, set_of(w, p, r, d), true))
			continue;
		x.left = left.d[d];
		for (size_t i = 0; i < n && i < SEARCH_LOOK; i++) {
			const struct iset *set = set_of(w, p, &w->space->rule[w->stack.v[from + i]], d);

			x.freed += set && iset_relation(&x.left, set) == ISET_APART;
		}
		for (; at > 0 && way[at - 1].freed < x.freed; at--)
			way[at] = way[at - 1];
		way[at] = x;
		nways++;
	}
	return nways;
}

struct pick {
	uint32_t rule, dims;
	int n;
};

/*
 * Rules from..from + *n of the stack: forget those that are out of the way, leave those that leave one dimension, again until
 * none is left. FOUND_UNDECIDED: *ret_pick is the one to choose a dimension for.
 */
static enum found settle(struct search *w, struct part *p, size_t from, size_t *n, uint64_t *steps, struct pick *ret_pick)
{
	struct ipool_mark level = ipool_mark(&w->pool);
	bool changed = true;

	while (changed) {
		size_t kept = 0;

		changed = false;
		ret_pick->n = DIM_COUNT + 1;
		for (size_t i = 0; i < *n; i++) {
			uint32_t rule = w->stack.v[from + i], dims;
			const struct space_rule *r = &w->space->rule[rule];
			int k;

			if (!*steps || !w->steps || w->failed)
				return ret_pick->n = 0, FOUND_UNDECIDED;
			--*steps;
			w->steps--;
			k = part_relate(w, p, r, &dims);
			if (k < 0)
				continue;
			if (k <= 1)
				w->used[rule] = 1;
			if (k == 0 || (k == 1 && !part_leave(w, p, r, (unsigned int)__builtin_ctz(dims), level)))
				return w->failed ? FOUND_UNDECIDED : FOUND_NOTHING;
			changed |= k == 1;
			if (k == 1)
				continue;
			w->stack.v[from + kept++] = rule;
			if (k < ret_pick->n)
				*ret_pick = (struct pick){ rule, dims, k };
		}
		*n = kept;
		changed &= kept > 0;
	}
	return *n ? FOUND_UNDECIDED : FOUND_PACKET;
}

static enum found descend(struct search *w, struct part *p, size_t from, size_t n, uint64_t *steps, unsigned int depth);

/* One way out of the rule: the others are looked at again in a list of their own. */
static enum found try_way(struct search *w, struct part *p, size_t from, size_t n, uint64_t *steps, unsigned int depth)
{
	if (!space_real(w->space, p->cell, p->d))
		return FOUND_NOTHING;
	if (vec_reserve(&w->stack, from + 2 * n)) {
		w->failed = true;
		return FOUND_UNDECIDED;
	}
	memcpy(w->stack.v + from + n, w->stack.v + from, n * sizeof(*w->stack.v));
	return descend(w, p, from + n, n, steps, depth + 1);
}

static enum found descend(struct search *w, struct part *p, size_t from, size_t n, uint64_t *steps, unsigned int depth)
{
	struct pick pick = {};
	enum found found = settle(w, p, from, &n, steps, &pick), answer = FOUND_NOTHING;
	struct way way[DIM_COUNT];
	size_t nways;

	if (found != FOUND_UNDECIDED)
		return found;
	if (!pick.n || depth == SEARCH_DEPTH)
		return FOUND_UNDECIDED;
	w->used[pick.rule] = 1;
	nways = ways_make(w, p, &w->space->rule[pick.rule], pick.dims, from, n, way);
	for (size_t i = 0; i < nways; i++) {
		struct ipool_mark mark = ipool_mark(&w->pool);
		struct part child = *p;

		child.d[way[i].dim] = way[i].left;
		found = try_way(w, &child, from, n, steps, depth);
		if (found == FOUND_PACKET) {
			*p = child;
			return found;
		}
		ipool_release(&w->pool, mark);
		if (found == FOUND_UNDECIDED)
			answer = found;
		if (w->failed)
			return FOUND_UNDECIDED;
		/* What is tried next is within the rule here: no packet is looked for twice. */
		if (!part_set(w, p, way[i].dim, set_of(w, p, &w->space->rule[pick.rule], way[i].dim), false) ||
		    !space_real(w->space, p->cell, p->d))
			break;
	}
	return w->failed ? FOUND_UNDECIDED : answer;
}

enum found search_outside(struct search *w, struct part *p, const uint32_t *rules, size_t n, bool *ret_all)
{
	uint64_t steps = w->each;
	struct pick pick;
	enum found found;

	if (vec_reserve(&w->stack, n + 1)) {
		w->failed = true;
		return FOUND_UNDECIDED;
	}
	if (n)
		memcpy(w->stack.v, rules, n * sizeof(*rules));
	found = settle(w, p, 0, &n, &steps, &pick);
	*ret_all = found == FOUND_PACKET;
	if (found != FOUND_UNDECIDED || !pick.n)
		return found;
	return descend(w, p, 0, n, &steps, 0);
}

static bool conds_meet(const struct space *s, const struct space_rule *a, const struct space_rule *b, bool v6)
{
	for (unsigned int i = 0, k = 0; i < a->nconds && k < b->nconds;) {
		const struct cond *x = &a->cond[i], *y = &b->cond[k];

		if (x->dim == y->dim && x->id[v6] != y->id[v6]) {
			const struct cell cell = { .family = v6 ? FAMILY_IPV6 : FAMILY_IPV4 };

			if (iset_relation(space_set(s, &cell, x), space_set(s, &cell, y)) == ISET_APART)
				return false;
		}
		i += x->dim <= y->dim;
		k += y->dim <= x->dim;
	}
	return true;
}

bool rules_meet(const struct space *s, const struct space_rule *a, const struct space_rule *b)
{
	unsigned int families = a->families & b->families;

	if (!families || !(a->states & b->states))
		return false;
	return (families & ~BIT(FAMILY_IPV6) && conds_meet(s, a, b, false)) ||
	       (families & BIT(FAMILY_IPV6) && conds_meet(s, a, b, true));
}
