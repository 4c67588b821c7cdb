// SPDX-License-Identifier: GPL-2.0-only
#include "compile/prefixtree.h"

#include "base/cleanup.h"
#include "base/vec.h"

#include <errno.h>
#include <string.h>

#define PREFIX_TREE_MEAN 16    /* prefixes per set, on average */
#define PREFIX_TREE_FREE 65536 /* so many in all are always fine */

struct prefix_vec {
	struct prefix *v;
	size_t n, cap;
};

static u128 prefix_low(unsigned int bits)
{
	return bits >= 128 ? ~(u128)0 : ((u128)1 << bits) - 1;
}

static unsigned int prefix_trailing_zeros(u128 v)
{
	if ((uint64_t)v)
		return __builtin_ctzll((uint64_t)v);
	return v ? 64 + __builtin_ctzll((uint64_t)(v >> 64)) : 128;
}

/* lo … hi as prefixes. false: more than `room`. */
static bool prefix_add_range(struct prefix *out, size_t *n, size_t room, u128 lo, u128 hi, unsigned int bits)
{
	for (;;) {
		unsigned int free = prefix_trailing_zeros(lo);

		free = free < bits ? free : bits;
		while (hi - lo < prefix_low(free))
			free--;
		if (*n == room)
			return false;
		out[(*n)++] = (struct prefix){ .lo = lo, .len = bits - free };
		if (hi - lo == prefix_low(free))
			return true;
		lo += prefix_low(free) + 1;
	}
}

/* A set as prefixes: their number, 0 when there are too many. */
static size_t prefix_split(const struct box_set *s, unsigned int bits, struct prefix out[PREFIX_TREE_MAX])
{
	size_t n = 0;

	if (s->n > PREFIX_TREE_MAX)
		return 0;
	for (size_t i = 0; i < s->n; i++)
		if (!prefix_add_range(out, &n, PREFIX_TREE_MAX, box_set_lo(s, i), box_set_hi(s, i), bits))
			return 0;
	return n;
}

/* The most prefixes that a set may have, so that all together keep within the budget. */
static size_t prefix_limit(const struct box_sets *sets, const bool *wanted, unsigned int bits)
{
	struct prefix out[PREFIX_TREE_MAX];
	size_t sum[PREFIX_TREE_MAX + 1] = {}, total = 0, limit;

	for (size_t s = 0; s < sets->n; s++) {
		size_t n = wanted[s] ? prefix_split(&sets->v[s], bits, out) : 0;

		sum[n] += n;
	}
	for (limit = 1; limit < PREFIX_TREE_MAX; limit++) {
		total += sum[limit];
		if (total + sum[limit + 1] > PREFIX_TREE_MEAN * sets->n + PREFIX_TREE_FREE)
			break;
	}
	return limit;
}

static int prefix_add_set(struct prefix_vec *all, const struct box_set *s, uint32_t set, unsigned int bits,
			  size_t limit)
{
	struct prefix out[PREFIX_TREE_MAX];
	size_t n = prefix_split(s, bits, out);

	if (n > limit)
		return 0;
	if (vec_reserve(all, all->n + n))
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		out[i].set = set;
		out[i].at = all->n;
		all->v[all->n++] = out[i];
	}
	return 0;
}

static int prefix_cmp(const void *a, const void *b)
{
	const struct prefix *x = a, *y = b;

	if (x->lo != y->lo)
		return x->lo < y->lo ? -1 : 1;
	return (x->len > y->len) - (x->len < y->len);
}

static int prefix_tree_alloc(struct prefix_tree *t, size_t n)
{
	t->number = calloc(n + 1, sizeof(*t->number));
	t->lo = malloc((n + 1) * sizeof(*t->lo));
	t->hi = malloc((n + 1) * sizeof(*t->hi));
	t->last = malloc((n + 1) * sizeof(*t->last));
	t->parent = malloc((n + 1) * sizeof(*t->parent));
	t->interval = malloc((n + 1) * sizeof(*t->interval));
	t->nintervals = calloc(t->nsets + 1, sizeof(*t->nintervals));
	return t->number && t->lo && t->hi && t->last && t->parent && t->interval && t->nintervals ? 0 : -ENOMEM;
}

/* The intervals of one set: its prefixes ascend, so do their numbers, and neighbours grow together. */
static void prefix_tree_join(struct prefix_tree *t, size_t set)
{
	struct prefix_interval *out = t->interval + t->first[set];
	uint32_t n = 0;

	for (uint32_t i = t->first[set]; i < t->first[set + 1]; i++) {
		uint32_t lo = t->number[i], hi = t->last[lo];

		if (n && out[n - 1].lo + out[n - 1].span + 1 == lo)
			out[n - 1].span = hi - out[n - 1].lo;
		else
			out[n++] = (struct prefix_interval){ lo, hi - lo };
	}
	t->nintervals[set] = n;
}

/* Prefixes come in preorder: what begins inside the innermost open one is its child. */
static void prefix_tree_add(struct prefix_tree *t, u128 lo, u128 hi, uint32_t *open)
{
	while (hi > t->hi[*open] || lo > t->hi[*open]) {
		t->last[*open] = t->n - 1;
		*open = t->parent[*open];
	}
	t->lo[t->n] = lo;
	t->hi[t->n] = hi;
	t->parent[t->n] = *open;
	*open = t->n++;
}

void prefix_tree_number(struct prefix_tree *t, const bool *wanted)
{
	uint32_t open = 0;

	t->n = 1;
	for (size_t i = 0; i < t->first[t->nsets]; i++) {
		const struct prefix *p = &t->sorted[i];
		u128 hi = p->lo + prefix_low(t->bits - p->len);

		if (!wanted[p->set])
			continue;
		if (t->lo[t->n - 1] != p->lo || t->hi[t->n - 1] != hi)
			prefix_tree_add(t, p->lo, hi, &open);
		t->number[p->at] = t->n - 1;
	}
	for (; open; open = t->parent[open])
		t->last[open] = t->n - 1;
	t->last[0] = t->n - 1;
	for (size_t s = 0; s < t->nsets; s++)
		if (wanted[s])
			prefix_tree_join(t, s);
}

int prefix_tree_init(struct prefix_tree *t, const struct box_sets *sets, const bool *wanted, unsigned int bits)
{
	struct prefix_vec all = {};
	size_t limit;
	int err = 0;

	*t = (struct prefix_tree){ .nsets = sets->n, .bits = bits };
	t->first = calloc(sets->n + 1, sizeof(*t->first));
	if (!t->first)
		return -ENOMEM;
	limit = prefix_limit(sets, wanted, bits);
	for (size_t s = 0; s < sets->n && !err; s++) {
		t->first[s] = all.n;
		if (wanted[s])
			err = prefix_add_set(&all, &sets->v[s], s, bits, limit);
	}
	t->first[sets->n] = all.n;
	t->sorted = all.v;
	if (!err)
		err = prefix_tree_alloc(t, all.n);
	if (err)
		return err;
	if (all.n)
		qsort(t->sorted, all.n, sizeof(*t->sorted), prefix_cmp);
	t->lo[0] = 0;
	t->hi[0] = prefix_low(bits);
	t->parent[0] = 0;
	prefix_tree_number(t, wanted);
	return 0;
}

uint32_t prefix_tree_find(const struct prefix_tree *t, u128 addr)
{
	size_t from = 0, to = t->n;

	while (to - from > 1) {
		size_t mid = (from + to) / 2;

		if (t->lo[mid] <= addr)
			from = mid;
		else
			to = mid;
	}
	while (t->hi[from] < addr)
		from = t->parent[from];
	return from;
}

void prefix_tree_fini(struct prefix_tree *t)
{
	free(t->first);
	free(t->number);
	free(t->sorted);
	free(t->lo);
	free(t->hi);
	free(t->last);
	free(t->parent);
	free(t->interval);
	free(t->nintervals);
	*t = (struct prefix_tree){};
}
