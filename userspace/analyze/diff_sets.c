// SPDX-License-Identifier: GPL-2.0-only
/* Named sets of addresses, as sets: what one has and the other has not, in ranges. */
#include "analyze/diff.h"

#include "base/arena.h"
#include "base/vec.h"

#include <errno.h>
#include <string.h>

#define SETS_SOME 4 /* ranges that are shown */

/* What is in a and not in b, of one family. How many ranges; the first ones go to `some`. */
static size_t minus4(const struct aset *a, const struct aset *b, struct aset *some)
{
	size_t n = 0, k = 0;

	for (size_t i = 0; i < a->n4; i++) {
		uint64_t lo = a->v4[i].lo, hi = a->v4[i].hi;

		while (k < b->n4 && b->v4[k].hi < lo)
			k++;
		for (size_t m = k; lo <= hi; m++) {
			uint64_t end = m < b->n4 && b->v4[m].lo <= hi ? b->v4[m].lo : hi + 1;

			if (end > lo && n++ < SETS_SOME)
				some->v4[some->n4++] = (struct range4){ (uint32_t)lo, (uint32_t)(end - 1) };
			if (end == hi + 1)
				break;
			lo = (uint64_t)b->v4[m].hi + 1;
		}
	}
	return n;
}

static size_t minus6(const struct aset *a, const struct aset *b, struct aset *some)
{
	size_t n = 0, k = 0;

	for (size_t i = 0; i < a->n6; i++) {
		u128 lo = a->v6[i].lo, hi = a->v6[i].hi;
		bool more = true;

		while (k < b->n6 && b->v6[k].hi < lo)
			k++;
		for (size_t m = k; more; m++) {
			bool cut = m < b->n6 && b->v6[m].lo <= hi;

			if ((!cut || b->v6[m].lo > lo) && n++ < SETS_SOME)
				some->v6[some->n6++] = (struct range6){ lo, cut ? b->v6[m].lo - 1 : hi };
			more = cut && b->v6[m].hi < hi;
			if (more)
				lo = b->v6[m].hi + 1;
		}
	}
	return n;
}

static struct aset *some_new(struct arena *arena)
{
	struct aset *s = arena_alloc(arena, sizeof(*s));

	if (!s)
		return NULL;
	s->v4 = arena_array(arena, SETS_SOME, sizeof(*s->v4));
	s->v6 = arena_array(arena, SETS_SOME, sizeof(*s->v6));
	return s->v4 && s->v6 ? s : NULL;
}

static const struct named_set *set_find(const struct ruleset *rs, const char *name)
{
	for (size_t i = 0; i < rs->nsets; i++)
		if (!strcmp(rs->sets[i].name, name))
			return &rs->sets[i];
	return NULL;
}

static int set_compare(struct arena *arena, const struct named_set *old, const struct named_set *new, struct diff_set *ret)
{
	static const struct aset nothing;
	const struct aset *a = old && old->addresses ? old->addresses : &nothing, *b = new && new->addresses ? new->addresses : &nothing;

	*ret = (struct diff_set){ .old = old, .new = new, .some_added = some_new(arena), .some_removed = some_new(arena) };
	if (!ret->some_added || !ret->some_removed)
		return -ENOMEM;
	ret->added = minus4(b, a, ret->some_added) + minus6(b, a, ret->some_added);
	ret->removed = minus4(a, b, ret->some_removed) + minus6(a, b, ret->some_removed);
	return 0;
}

/* Live sets have no elements in a file; that there is one is all they say. */
static bool set_differs(const struct diff_set *s)
{
	return !s->old || !s->new || s->added || s->removed || !s->old->addresses != !s->new->addresses;
}

int diff_sets(struct arena *arena, const struct ruleset *old, const struct ruleset *new, struct diff_set **ret, size_t *ret_n)
{
	struct diff_set *v = arena_array(arena, old->nsets + new->nsets + 1, sizeof(*v));
	size_t n = 0;
	int err = v ? 0 : -ENOMEM;

	for (size_t i = 0; i < old->nsets && !err; i++) {
		err = set_compare(arena, &old->sets[i], set_find(new, old->sets[i].name), &v[n]);
		n += !err && set_differs(&v[n]);
	}
	for (size_t i = 0; i < new->nsets && !err; i++) {
		if (set_find(old, new->sets[i].name))
			continue;
		err = set_compare(arena, NULL, &new->sets[i], &v[n]);
		n += !err;
	}
	*ret = v;
	*ret_n = n;
	return err;
}
