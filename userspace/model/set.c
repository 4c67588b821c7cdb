// SPDX-License-Identifier: GPL-2.0-only
#include "model/set.h"

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/vec.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SET_DIGIT_MAX 12 /* bits that many ranges are dealt by at once */
#define SET_FEW	      24 /* so many are sorted by insertion */

#define RANGE	struct range
#define VALUE	uint64_t
#define BITS	64
#define NAME(x) range_##x
#include "model/set_ranges.h"
#undef RANGE
#undef VALUE
#undef BITS
#undef NAME
#define RANGE	struct range4
#define VALUE	uint32_t
#define BITS	32
#define NAME(x) range4_##x
#include "model/set_ranges.h"
#undef RANGE
#undef VALUE
#undef BITS
#undef NAME
#define RANGE	struct range6
#define VALUE	u128
#define BITS	128
#define NAME(x) range6_##x
#include "model/set_ranges.h"

int aset_add4(struct aset_builder *b, uint32_t lo, uint32_t hi)
{
	assert(lo <= hi);
	if (vec_reserve_raw((void **)&b->v4, &b->cap4, b->n4 + 1, sizeof(*b->v4)))
		return -ENOMEM;
	b->v4[b->n4++] = (struct range4){ lo, hi };
	return 0;
}

int aset_add6(struct aset_builder *b, u128 lo, u128 hi)
{
	assert(lo <= hi);
	if (vec_reserve_raw((void **)&b->v6, &b->cap6, b->n6 + 1, sizeof(*b->v6)))
		return -ENOMEM;
	b->v6[b->n6++] = (struct range6){lo, hi};
	return 0;
}

void aset_builder_fini(struct aset_builder *b)
{
	free(b->v4);
	free(b->v6);
	*b = (struct aset_builder){.arena = b->arena};
}

static struct aset *aset_new(struct arena *a, size_t room4, size_t room6)
{
	struct aset *s = arena_alloc(a, sizeof(*s));

	if (!s)
		return NULL;
	s->v4 = room4 ? arena_array(a, room4, sizeof(*s->v4)) : NULL;
	s->v6 = room6 ? arena_array(a, room6, sizeof(*s->v6)) : NULL;
	return (s->v4 || !room4) && (s->v6 || !room6) ? s : NULL;
}

int aset_build(struct aset_builder *b, struct aset **ret)
{
	struct aset *s = aset_new(b->arena, b->n4, b->n6);

	if (s) {
		s->n4 = range4_normalise(b->v4, b->n4, s->v4);
		s->n6 = range6_normalise(b->v6, b->n6, s->v6);
		*ret = s;
	}
	aset_builder_fini(b);
	return s ? 0 : -ENOMEM;
}

int aset_one(struct arena *a, bool v6, u128 lo, u128 hi, struct aset **ret)
{
	struct aset *s = aset_new(a, !v6, v6);

	if (!s)
		return -ENOMEM;
	s->n4 = !v6;
	s->n6 = v6;
	if (v6)
		s->v6[0] = (struct range6){ lo, hi };
	else
		s->v4[0] = (struct range4){ (uint32_t)lo, (uint32_t)hi };
	*ret = s;
	return 0;
}

int aset_invert(struct arena *a, const struct aset *in, struct aset **ret)
{
	struct aset *s = aset_new(a, in->n4 + 1, in->n6 + 1);
	bool both = !in->n4 && !in->n6;

	if (!s)
		return -ENOMEM;
	if (in->n4 || both)
		s->n4 = range4_invert(in->v4, in->n4, UINT32_MAX, s->v4);
	if (in->n6 || both)
		s->n6 = range6_invert(in->v6, in->n6, ~(u128)0, s->v6);
	*ret = s;
	return 0;
}

bool aset_has4(const struct aset *s, uint32_t addr)
{
	return range4_has(s->v4, s->n4, addr);
}

bool aset_has6(const struct aset *s, u128 addr)
{
	return range6_has(s->v6, s->n6, addr);
}

bool aset_equal(const struct aset *a, const struct aset *b)
{
	return a == b || (range4_equal(a->v4, a->n4, b->v4, b->n4) && range6_equal(a->v6, a->n6, b->v6, b->n6));
}

static struct vset *vset_new(struct arena *a, size_t room)
{
	struct vset *s = arena_alloc(a, sizeof(*s));

	if (!s)
		return NULL;
	s->r = arena_array(a, room, sizeof(*s->r));
	return s->r ? s : NULL;
}

int vset_build(struct arena *a, const struct range *r, size_t n, struct vset **ret)
{
	struct vset *s = vset_new(a, n);
	struct range few[SET_FEW];
	auto_free struct range *many = n > SET_FEW ? malloc(n * sizeof(*many)) : NULL;
	struct range *copy = n > SET_FEW ? many : few;

	if (!s || !copy)
		return -ENOMEM;
	if (n)
		memcpy(copy, r, n * sizeof(*r));
	s->n = range_normalise(copy, n, s->r);
	*ret = s;
	return 0;
}

int vset_invert(struct arena *a, const struct vset *in, uint64_t max, struct vset **ret)
{
	struct vset *s = vset_new(a, in->n + 1);

	if (!s)
		return -ENOMEM;
	s->n = range_invert(in->r, in->n, max, s->r);
	*ret = s;
	return 0;
}

bool vset_has(const struct vset *s, uint64_t value)
{
	return range_has(s->r, s->n, value);
}

bool vset_equal(const struct vset *a, const struct vset *b)
{
	return a == b || range_equal(a->r, a->n, b->r, b->n);
}
