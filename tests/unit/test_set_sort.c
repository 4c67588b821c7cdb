// SPDX-License-Identifier: GPL-2.0-only
/* Sets of many ranges, in every disorder, against a sort of the C library. */
#include "base/arena.h"
#include "harness/prng.h"
#include "model/set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct arena *arena;

static int setup(void **state)
{
	arena = arena_new();
	return 0;
}

static int teardown(void **state)
{
	arena_free(arena);
	return 0;
}

static int compare_ranges(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return x->lo < y->lo ? -1 : x->lo > y->lo;
}

/* What sets must hold, by a sort and a merge that are not theirs; within 0..UINT32_MAX. */
static size_t merged(struct range *r, size_t n)
{
	size_t out = 0;

	qsort(r, n, sizeof(*r), compare_ranges);
	for (size_t i = 0; i < n; i++) {
		if (out && r[i].lo <= r[out - 1].hi + 1)
			r[out - 1].hi = r[i].hi > r[out - 1].hi ? r[i].hi : r[out - 1].hi;
		else
			r[out++] = r[i];
	}
	return out;
}

/* Lower bounds that differ in a few bits, in one place or in two, or hardly ever; and nearly sorted ones. */
static uint64_t some_bound(struct prng *p, unsigned int style, size_t i)
{
	uint64_t v = prng_u64(p) >> 33;

	switch (style) {
	case 0:
		return v;
	case 1:
		return v & 0xff;
	case 2:
		return 0x12340000 | (v & 0x3ff) << 3;
	case 3:
		return (v & 1) << 30 | (v >> 8 & 7);
	case 4:
		return 7;
	default:
		return i * 1000 + v % 3000;
	}
}

static void many_ranges_are_sorted(void **state)
{
	static const size_t sizes[] = { 1, 2, 23, 24, 25, 26, 100, 255, 257, 3000, 65536, 70000 };
	enum { MOST = 70000 };
	struct range *r = test_malloc(MOST * sizeof(*r));
	struct prng p;

	prng_init(&p, prng_seed("sort", 0x50f7));
	for (size_t round = 0; round < 6 * sizeof(sizes) / sizeof(sizes[0]); round++) {
		size_t n = sizes[round / 6], want;
		struct aset_builder b = { .arena = arena };
		struct aset *addrs;
		struct vset *values;

		for (size_t i = 0; i < n; i++) {
			r[i].lo = some_bound(&p, round % 6, i);
			r[i].hi = r[i].lo + (prng_chance(&p, 1, 50) ? prng_below(&p, 5000) : prng_below(&p, 3));
			aset_add4(&b, (uint32_t)r[i].lo, (uint32_t)r[i].hi);
			aset_add6(&b, (u128)r[i].lo << 64, (((u128)r[i].hi + 1) << 64) - 1);
		}
		assert_int_equal(vset_build(arena, r, n, &values), 0);
		assert_int_equal(aset_build(&b, &addrs), 0);
		want = merged(r, n);
		assert_int_equal(values->n, want);
		assert_int_equal(addrs->n4, want);
		assert_int_equal(addrs->n6, want);
		assert_memory_equal(values->r, r, want * sizeof(*r));
		for (size_t i = 0; i < want; i++) {
			assert_true(addrs->v4[i].lo == r[i].lo && addrs->v4[i].hi == r[i].hi);
			assert_true(addrs->v6[i].lo >> 64 == r[i].lo && addrs->v6[i].hi >> 64 == r[i].hi);
		}
	}
	test_free(r);
}

/* Addresses of all 128 bits: where they differ decides which bits are looked at. */
static void long_addresses_are_sorted(void **state)
{
	struct prng p;

	prng_init(&p, prng_seed("sort6", 0x50f76));
	for (int round = 0; round < 50; round++) {
		struct aset_builder b = { .arena = arena };
		u128 mask = 0, left = 0;
		struct aset *s;

		for (uint64_t bits = prng_range(&p, 1, 128); bits > 0; bits--)
			mask |= (u128)1 << prng_below(&p, 128);
		for (int i = 0; i < 2000; i++) {
			u128 addr = ((u128)prng_u64(&p) << 64 | prng_u64(&p)) & mask;

			aset_add6(&b, addr, addr);
		}
		{
			struct range6 *all = test_malloc(b.n6 * sizeof(*all));
			size_t n = b.n6;

			memcpy(all, b.v6, n * sizeof(*all));
			assert_int_equal(aset_build(&b, &s), 0);
			for (size_t i = 0; i < n; i++)
				assert_true(aset_has6(s, all[i].lo));
			test_free(all);
		}
		for (size_t i = 0; i < s->n6; i++) {
			assert_true(!i || s->v6[i].lo > s->v6[i - 1].hi + 1);
			left += s->v6[i].hi - s->v6[i].lo + 1;
		}
		assert_true(left > 0 && left <= 2000);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(many_ranges_are_sorted),
		T(long_addresses_are_sorted),
	};

	return cmocka_run_group_tests_name("set_sort", tests, NULL, NULL);
}
