// SPDX-License-Identifier: GPL-2.0-only
#include "compile/class.h"

#include "base/cleanup.h"

#include <errno.h>
#include <string.h>

/* At `pos` the set begins or ends; which of both follows from whether it is active. */
struct class_event {
	u128 pos;
	uint32_t set;
};

struct class_sweep {
	struct classes c;
	size_t max_classes;
	size_t cap_classes;
	uint64_t *active; /* bit per set */
	uint64_t hash;	  /* of the active sets */
	uint32_t *slot;	  /* hash table of classes: 0 empty, else 1 + class */
	uint64_t *hashes; /* per class */
	size_t mask;
};

static uint64_t class_set_key(uint32_t set)
{
	uint64_t z = (set + 1ull) * 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static int class_grow_table(struct class_sweep *w)
{
	size_t cap = w->mask ? 2 * (w->mask + 1) : 1024;
	uint32_t *slot = calloc(cap, sizeof(*slot));

	if (!slot)
		return -ENOMEM;
	for (size_t i = 0; i < w->c.nclasses; i++) {
		size_t at = w->hashes[i] & (cap - 1);

		while (slot[at])
			at = (at + 1) & (cap - 1);
		slot[at] = i + 1;
	}
	free(w->slot);
	w->slot = slot;
	w->mask = cap - 1;
	return 0;
}

static int class_grow(struct class_sweep *w)
{
	size_t cap = w->cap_classes ? 2 * w->cap_classes : 64;
	void *p = realloc(w->c.members, cap * (w->c.words ? w->c.words : 1) * sizeof(uint64_t));

	if (!p)
		return -ENOMEM;
	w->c.members = p;
	p = realloc(w->hashes, cap * sizeof(*w->hashes));
	if (!p)
		return -ENOMEM;
	w->hashes = p;
	w->cap_classes = cap;
	return 0;
}

/* The class of the active sets; a new one when there is none yet. Equal hashes are not enough: the sets are compared.
 */
static int class_find(struct class_sweep *w, uint32_t *ret)
{
	size_t bytes = w->c.words * sizeof(uint64_t), at;
	int err;

	for (at = w->hash & w->mask; w->slot[at]; at = (at + 1) & w->mask) {
		uint32_t cls = w->slot[at] - 1;

		if (w->hashes[cls] == w->hash && !memcmp(classes_members(&w->c, cls), w->active, bytes)) {
			*ret = cls;
			return 0;
		}
	}
	if (w->c.nclasses >= w->max_classes)
		return -E2BIG;
	if (w->c.nclasses == w->cap_classes) {
		err = class_grow(w);
		if (err)
			return err;
	}
	memcpy(w->c.members + w->c.nclasses * w->c.words, w->active, bytes);
	w->hashes[w->c.nclasses] = w->hash;
	*ret = w->c.nclasses++;
	w->slot[at] = w->c.nclasses;
	return 2 * w->c.nclasses > w->mask ? class_grow_table(w) : 0;
}

static void class_merge(const struct class_event *a, size_t na, const struct class_event *b, size_t nb,
			struct class_event *out)
{
	while (na && nb) {
		if (b->pos < a->pos)
			*out++ = *b++, nb--;
		else
			*out++ = *a++, na--;
	}
	memcpy(out, na ? a : b, (na + nb) * sizeof(*out));
}

/*
 * Each set's events are a sorted run: run i is at[i] … at[i + 1] - 1. Merge runs from … to - 1, cutting at half the
 * weight, so that a long run beside many short ones moves once or twice and not log2(runs) times. The result is in x;
 * y is as long.
 */
static void class_sort(struct class_event *x, struct class_event *y, const size_t *at, size_t from, size_t to,
		       bool to_y)
{
	size_t half = (at[from] + at[to]) / 2, mid = from + 1, last = to - 1;

	if (to - from <= 1) {
		if (to_y)
			memcpy(y + at[from], x + at[from], (at[to] - at[from]) * sizeof(*x));
		return;
	}
	while (mid < last) {
		size_t m = (mid + last) / 2;

		if (at[m] < half)
			mid = m + 1;
		else
			last = m;
	}
	class_sort(x, y, at, from, mid, !to_y);
	class_sort(x, y, at, mid, to, !to_y);
	if (to_y)
		class_merge(x + at[from], at[mid] - at[from], x + at[mid], at[to] - at[mid], y + at[from]);
	else
		class_merge(y + at[from], at[mid] - at[from], y + at[mid], at[to] - at[mid], x + at[from]);
}

/* The bounds of all sets in ascending order; *ret_events is malloc'ed. */
static int class_events(const struct box_sets *sets, u128 max, struct class_event **ret_events, size_t *ret_n)
{
	struct class_event *x auto_free = NULL, *y auto_free = NULL;
	size_t *at auto_free = calloc(sets->n + 1, sizeof(*at));
	size_t n = 0;

	if (!at)
		return -ENOMEM;
	for (size_t s = 0; s < sets->n; s++)
		n += 2 * sets->v[s].n;
	x = malloc((n + 1) * sizeof(*x));
	y = sets->n > 1 ? malloc((n + 1) * sizeof(*y)) : NULL;
	if (!x || (!y && sets->n > 1))
		return -ENOMEM;
	n = 0;
	for (size_t s = 0; s < sets->n; s++) {
		at[s] = n;
		for (size_t i = 0; i < sets->v[s].n && box_set_lo(&sets->v[s], i) <= max; i++) {
			u128 hi = box_set_hi(&sets->v[s], i);

			x[n++] = (struct class_event){ box_set_lo(&sets->v[s], i), s };
			if (hi < max)
				x[n++] = (struct class_event){ hi + 1, s };
		}
	}
	at[sets->n] = n;
	if (sets->n > 1)
		class_sort(x, y, at, 0, sets->n, false);
	*ret_events = TAKE_PTR(x);
	*ret_n = n;
	return 0;
}

static void class_toggle(struct class_sweep *w, uint32_t set)
{
	w->active[set / 64] ^= 1ull << set % 64;
	w->hash ^= class_set_key(set);
}

static bool class_is_active(const struct class_sweep *w, uint32_t set)
{
	return w->active[set / 64] >> set % 64 & 1;
}

/* One position: the sets of events e[0] … e[n - 1] have been toggled, values from pos on have class cls. */
static int class_add_bound(struct class_sweep *w, u128 pos, uint32_t cls, const struct class_event *e, size_t n)
{
	struct classes *c = &w->c;
	uint32_t before = c->nbounds ? c->cls[c->nbounds - 1] : CLASS_NONE;

	for (size_t i = 0; i < n; i++) {
		if (!class_is_active(w, e[i].set))
			c->last[e[i].set] = before;
		else if (c->first[e[i].set] == CLASS_NONE)
			c->first[e[i].set] = cls;
	}
	if (cls == before)
		return 0;
	if (c->nbounds == c->cap) {
		size_t cap = c->cap ? 2 * c->cap : 256;
		u128 *start = realloc(c->start, cap * sizeof(*start));
		uint32_t *v;

		if (!start)
			return -ENOMEM;
		c->start = start;
		v = realloc(c->cls, cap * sizeof(*v));
		if (!v)
			return -ENOMEM;
		c->cls = v;
		c->cap = cap;
	}
	c->start[c->nbounds] = pos;
	c->cls[c->nbounds++] = cls;
	return 0;
}

static int class_run(struct class_sweep *w, const struct class_event *e, size_t n)
{
	u128 pos = 0;
	size_t i = 0, from;
	uint32_t cls = 0;
	int err;

	do {
		for (from = i; i < n && e[i].pos == pos; i++)
			class_toggle(w, e[i].set);
		err = class_find(w, &cls);
		if (!err)
			err = class_add_bound(w, pos, cls, e + from, i - from);
		if (err)
			return err;
		if (i < n)
			pos = e[i].pos;
	} while (i < n);
	for (uint32_t s = 0; s < w->c.nsets; s++)
		if (class_is_active(w, s))
			w->c.last[s] = cls;
	return 0;
}

static int class_init(struct class_sweep *w, size_t nsets)
{
	w->c.nsets = nsets;
	w->c.words = (nsets + 63) / 64;
	w->c.absent = CLASS_NONE;
	w->c.first = malloc((nsets + 1) * sizeof(*w->c.first));
	w->c.last = malloc((nsets + 1) * sizeof(*w->c.last));
	w->active = calloc(w->c.words + 1, sizeof(*w->active));
	if (!w->c.first || !w->c.last || !w->active)
		return -ENOMEM;
	memset(w->c.first, 0xff, nsets * sizeof(*w->c.first));
	memset(w->c.last, 0xff, nsets * sizeof(*w->c.last));
	return class_grow_table(w);
}

int classes_build(const struct box_sets *sets, u128 max, bool absent, size_t max_classes, struct classes *ret)
{
	struct class_sweep w = { .max_classes = max_classes };
	struct class_event *events auto_free = NULL;
	size_t n = 0;
	int err = class_init(&w, sets->n);

	if (!err)
		err = class_events(sets, max, &events, &n);
	if (!err)
		err = class_run(&w, events, n);
	if (!err && absent) {
		memset(w.active, 0, w.c.words * sizeof(*w.active));
		w.hash = 0;
		err = class_find(&w, &w.c.absent);
	}
	free(w.active);
	free(w.slot);
	free(w.hashes);
	if (err)
		classes_fini(&w.c);
	else
		*ret = w.c;
	return err;
}

void classes_fini(struct classes *c)
{
	free(c->start);
	free(c->cls);
	free(c->members);
	free(c->first);
	free(c->last);
	*c = (struct classes){};
}
