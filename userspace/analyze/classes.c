// SPDX-License-Identifier: GPL-2.0-only
/*
 * Values → classes. A sweep over the bounds of all sets of an axis: between two bounds the same sets hold, and the sum of
 * one random number per set that holds says which, so equal sums are one class. (Two of 128 bits, so that two different sums
 * agree by chance in no run of this universe.)
 */
#include "analyze/space_priv.h"

#include "base/arena.h"
#include "base/cleanup.h"

#include <errno.h>
#include <string.h>

#define CLASSES_MAX_WORK 1000000000ull /* stretches looked at while sets become sets of classes: about a second */

struct bound {
	u128 at;
	uint32_t set;
	bool ends;
};

struct class_map {
	struct {
		uint64_t a, b;
		uint32_t class; /* 1 + number; 0: free */
	} *v;
	size_t mask;
};

static uint64_t mix(uint64_t z) /* splitmix64 */
{
	z += 0x9e3779b97f4a7c15;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static int bound_compare(const void *x, const void *y)
{
	const struct bound *a = x, *b = y;

	return a->at < b->at ? -1 : a->at > b->at;
}

/* All bounds of all sets, sorted. malloc'ed. */
static struct bound *bounds_make(const struct axis_data *a, size_t *ret_n)
{
	size_t n = 0, max = 1;
	struct bound *v;

	for (size_t i = 0; i < a->sets.n; i++)
		max += 2 * a->sets.v[i].n;
	v = malloc(max * sizeof(*v));
	for (size_t i = 0; v && i < a->sets.n; i++) {
		const struct axis_set *s = &a->sets.v[i];

		for (size_t k = 0; k < s->n; k++) {
			v[n++] = (struct bound){ axis_lo(s, k), (uint32_t)i, false };
			if (axis_hi(s, k) < a->max)
				v[n++] = (struct bound){ axis_hi(s, k) + 1, (uint32_t)i, true };
		}
	}
	if (v)
		qsort(v, n, sizeof(*v), bound_compare);
	*ret_n = n;
	return v;
}

/* The class with this sum; a new one when there was none. */
static uint32_t class_find(struct class_map *m, struct axis_data *a, uint64_t x, uint64_t y)
{
	size_t at = (x ^ y >> 7) & m->mask;

	for (; m->v[at].class; at = (at + 1) & m->mask)
		if (m->v[at].a == x && m->v[at].b == y)
			return m->v[at].class - 1;
	m->v[at].a = x;
	m->v[at].b = y;
	m->v[at].class = (uint32_t)++a->nclasses;
	return m->v[at].class - 1;
}

static int sweep(struct arena *arena, struct axis_data *a, const struct bound *v, size_t n, struct class_map *m)
{
	uint64_t x = 0, y = 0;
	size_t i = 0;
	u128 at = 0;

	a->start = arena_array(arena, n + 1, sizeof(*a->start));
	a->class_of = arena_array(arena, n + 1, sizeof(*a->class_of));
	a->low = arena_array(arena, n + 1, sizeof(*a->low));
	a->high = arena_array(arena, n + 1, sizeof(*a->high));
	if (!a->start || !a->class_of || !a->low || !a->high)
		return -ENOMEM;
	for (;;) {
		size_t before = a->nclasses;
		uint32_t class;
		u128 end;

		for (; i < n && v[i].at == at; i++) {
			uint64_t p = mix(2 * (uint64_t)v[i].set + 1), q = mix(p ^ 0x5851f42d4c957f2d);

			x += v[i].ends ? -p : p;
			y += v[i].ends ? -q : q;
		}
		end = i < n ? v[i].at - 1 : a->max;
		class = class_find(m, a, x, y);
		a->start[a->nstretches] = at;
		a->class_of[a->nstretches++] = class;
		if (a->nclasses > before)
			a->low[class] = at;
		a->high[class] = end;
		if (i == n)
			return 0;
		at = v[i].at;
	}
}

/* The stretch of a value. */
static size_t stretch_of(const struct axis_data *a, size_t from, u128 value)
{
	size_t to = a->nstretches;

	while (to - from > 1) {
		size_t mid = from + (to - from) / 2;

		if (a->start[mid] <= value)
			from = mid;
		else
			to = mid;
	}
	return from;
}

/* Bits → intervals. */
static int set_collect(struct arena *arena, const uint64_t *bits, size_t nbits, struct iset *ret)
{
	struct irange *r;
	uint32_t n = 0;
	bool in = false;

	for (size_t i = 0; i < nbits; i++) {
		bool bit;

		if (!(i & 63) && (bits[i / 64] == 0 || bits[i / 64] == UINT64_MAX) && in == !!bits[i / 64]) {
			i += 63;
			continue;
		}
		bit = bits[i / 64] >> (i & 63) & 1;
		n += bit && !in;
		in = bit;
	}
	r = arena_array(arena, n + 1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	n = 0;
	in = false;
	for (size_t i = 0; i < nbits; i++) {
		bool bit;

		if (!(i & 63) && (bits[i / 64] == 0 || bits[i / 64] == UINT64_MAX) && in == !!bits[i / 64]) {
			i += 63;
			continue;
		}
		bit = bits[i / 64] >> (i & 63) & 1;
		if (bit && !in)
			r[n].lo = (uint32_t)i;
		if (!bit && in)
			r[n++].hi = (uint32_t)i - 1;
		in = bit;
	}
	if (in)
		r[n++].hi = (uint32_t)nbits - 1;
	*ret = (struct iset){ r, n };
	return 0;
}

/* The classes of each set. */
static int sets_translate(struct arena *arena, struct axis_data *a, uint64_t *work)
{
	size_t words = a->nclasses / 64 + 1;
	auto_free uint64_t *bits = malloc(words * sizeof(*bits));
	int err = bits ? 0 : -ENOMEM;

	for (size_t i = 0; i < a->sets.n && !err; i++) {
		struct axis_set *s = &a->sets.v[i];
		size_t at = 0;

		memset(bits, 0, words * sizeof(*bits));
		for (size_t k = 0; k < s->n; k++) {
			u128 hi = axis_hi(s, k);

			for (at = stretch_of(a, at, axis_lo(s, k)); at < a->nstretches && a->start[at] <= hi; at++) {
				bits[a->class_of[at] / 64] |= 1ull << a->class_of[at] % 64;
				++*work;
			}
			at -= at == a->nstretches;
			if (*work > CLASSES_MAX_WORK)
				return -E2BIG;
		}
		*work += words;
		err = set_collect(arena, bits, a->nclasses, &s->classes);
	}
	return err;
}

static int axis_classes(struct arena *arena, struct axis_data *a, uint64_t *work)
{
	struct class_map m = {};
	size_t n, cap = 64;
	auto_free struct bound *v = bounds_make(a, &n);
	int err;

	while (cap < 2 * (n + 1))
		cap *= 2;
	m.v = calloc(cap, sizeof(*m.v));
	m.mask = cap - 1;
	err = v && m.v ? sweep(arena, a, v, n, &m) : -ENOMEM;
	free(m.v);
	return err ? err : sets_translate(arena, a, work);
}

int classes_make(struct space *s)
{
	uint64_t work = 0;
	int err = 0;

	for (int i = 0; i < AXIS_COUNT && !err; i++)
		err = axis_classes(s->arena, &s->axis[i], &work);
	return err;
}

uint32_t space_class(const struct space *s, unsigned int axis, u128 value)
{
	const struct axis_data *a = &s->axis[axis];

	return a->class_of[stretch_of(a, 0, value)];
}

u128 space_low(const struct space *s, unsigned int axis, uint32_t class)
{
	return s->axis[axis].low[class];
}

u128 space_high(const struct space *s, unsigned int axis, uint32_t class)
{
	return s->axis[axis].high[class];
}

size_t space_values(const struct space *s, unsigned int axis, const struct iset *set, struct range6 *ret, size_t max)
{
	const struct axis_data *a = &s->axis[axis];
	size_t n = 0;
	bool in = false;

	for (size_t i = 0; i < a->nstretches; i++) {
		u128 end = i + 1 < a->nstretches ? a->start[i + 1] - 1 : a->max;

		if (!iset_has(set, a->class_of[i])) {
			in = false;
			continue;
		}
		if (!in)
			n++;
		if (n <= max) {
			if (!in)
				ret[n - 1].lo = a->start[i];
			ret[n - 1].hi = end;
		}
		in = true;
	}
	return n;
}
