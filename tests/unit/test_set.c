// SPDX-License-Identifier: GPL-2.0-only
#include "base/arena.h"
#include "harness/prng.h"
#include "model/set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define MAX6 (~(u128)0)

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

static void values_are_sorted_and_merged(void **state)
{
	static const struct {
		struct range in[5];
		size_t n;
		struct range out[5];
		size_t nout;
	} cases[] = {
		{{}, 0, {}, 0},
		{{{5, 5}}, 1, {{5, 5}}, 1},
		{{{5, 9}, {1, 2}}, 2, {{1, 2}, {5, 9}}, 2},
		{{{1, 2}, {3, 4}}, 2, {{1, 4}}, 1},	    /* touching */
		{{{1, 2}, {4, 5}}, 2, {{1, 2}, {4, 5}}, 2}, /* a gap of one */
		{{{1, 9}, {3, 4}}, 2, {{1, 9}}, 1},	    /* nested */
		{{{3, 4}, {1, 9}}, 2, {{1, 9}}, 1},
		{{{1, 5}, {5, 7}, {7, 7}}, 3, {{1, 7}}, 1},
		{{{7, 7}, {7, 7}, {7, 7}}, 3, {{7, 7}}, 1},
		{{{0, 0}, {0, 0}, {1, 1}}, 3, {{0, 1}}, 1},
		{{{0, UINT64_MAX}, {3, 4}}, 2, {{0, UINT64_MAX}}, 1},
		{{{UINT64_MAX, UINT64_MAX}, {0, 0}}, 2, {{0, 0}, {UINT64_MAX, UINT64_MAX}}, 2},
		{{{9, 9}, {1, 1}, {5, 5}, {3, 3}, {7, 7}}, 5, {{1, 1}, {3, 3}, {5, 5}, {7, 7}, {9, 9}}, 5},
		{{{8, 9}, {1, 1}, {2, 6}, {7, 7}}, 4, {{1, 9}}, 1},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct vset *s;

		assert_int_equal(vset_build(arena, cases[i].in, cases[i].n, &s), 0);
		assert_int_equal(s->n, cases[i].nout);
		if (s->n)
			assert_memory_equal(s->r, cases[i].out, s->n * sizeof(*s->r));
	}
}

static void membership_at_every_edge(void **state)
{
	struct vset *s;

	vset_build(arena, (struct range[]){{0, 0}, {22, 22}, {80, 90}, {65535, 65535}}, 4, &s);
	for (uint64_t v = 0; v < 65600; v++)
		assert_int_equal(vset_has(s, v), v == 0 || v == 22 || (v >= 80 && v <= 90) || v == 65535);
	vset_build(arena, NULL, 0, &s);
	assert_false(vset_has(s, 0));
	assert_false(vset_has(s, UINT64_MAX));
	vset_build(arena, (struct range[]){{1, UINT64_MAX}}, 1, &s);
	assert_false(vset_has(s, 0));
	assert_true(vset_has(s, UINT64_MAX));
}

static void complements(void **state)
{
	static const struct {
		struct range in[3];
		size_t n;
		uint64_t max;
		struct range out[4];
		size_t nout;
	} cases[] = {
		{{}, 0, 255, {{0, 255}}, 1},
		{{{0, 255}}, 1, 255, {}, 0},
		{{{0, 0}}, 1, 255, {{1, 255}}, 1},
		{{{255, 255}}, 1, 255, {{0, 254}}, 1},
		{{{80, 80}}, 1, 65535, {{0, 79}, {81, 65535}}, 2},
		{{{0, 1}, {5, 6}, {9, 10}}, 3, 10, {{2, 4}, {7, 8}}, 2},
		{{{3, 400}}, 1, 255, {{0, 2}}, 1}, /* beyond the maximum */
		{{{300, 400}}, 1, 255, {{0, 255}}, 1},
		{{{4, 4}, {300, 400}}, 2, 255, {{0, 3}, {5, 255}}, 2},
		{{{1, UINT64_MAX}}, 1, UINT64_MAX, {{0, 0}}, 1},
		{{{0, UINT64_MAX - 1}}, 1, UINT64_MAX, {{UINT64_MAX, UINT64_MAX}}, 1},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct vset *s, *not, *again;

		vset_build(arena, cases[i].in, cases[i].n, &s);
		assert_int_equal(vset_invert(arena, s, cases[i].max, &not ), 0);
		assert_int_equal(not ->n, cases[i].nout);
		if (not ->n)
			assert_memory_equal(not ->r, cases[i].out, not ->n * sizeof(*not ->r));
		vset_invert(arena, not, cases[i].max, &again);
		if (!s->n || s->r[s->n - 1].hi <= cases[i].max)
			assert_true(vset_equal(s, again));
	}
}

static void equality(void **state)
{
	struct vset *a, *b, *c, *d;

	vset_build(arena, (struct range[]){{1, 2}, {3, 4}}, 2, &a);
	vset_build(arena, (struct range[]){{1, 4}}, 1, &b);
	vset_build(arena, (struct range[]){{1, 5}}, 1, &c);
	vset_build(arena, (struct range[]){{1, 4}, {7, 7}}, 2, &d);
	assert_true(vset_equal(a, a));
	assert_true(vset_equal(a, b));
	assert_false(vset_equal(b, c));
	assert_false(vset_equal(b, d));
	vset_build(arena, (struct range[]){{0, 4}}, 1, &c);
	assert_false(vset_equal(b, c));
}

static void addresses_of_both_families(void **state)
{
	struct aset_builder b = {.arena = arena};
	struct aset *s, *same, *other;

	assert_int_equal(aset_add4(&b, 0x0a000100, 0x0a0001ff), 0);
	assert_int_equal(aset_add4(&b, 0x0a000000, 0x0a0000ff), 0);
	assert_int_equal(aset_add4(&b, 0xffffffff, 0xffffffff), 0);
	assert_int_equal(aset_add6(&b, MAX6 - 1, MAX6), 0);
	assert_int_equal(aset_add6(&b, 0, 0), 0);
	assert_int_equal(aset_add6(&b, (u128)1 << 64, ((u128)1 << 64) + 9), 0);
	assert_int_equal(aset_build(&b, &s), 0);
	assert_null(b.v4);
	assert_int_equal(b.n6, 0);
	assert_int_equal(s->n4, 2);
	assert_int_equal(s->n6, 3);
	assert_null(s->name);
	assert_true(aset_has4(s, 0x0a000000));
	assert_true(aset_has4(s, 0x0a0001ff));
	assert_false(aset_has4(s, 0x0a000200));
	assert_false(aset_has4(s, 0x09ffffff));
	assert_true(aset_has4(s, 0xffffffff));
	assert_false(aset_has4(s, 0));
	assert_true(aset_has6(s, 0));
	assert_false(aset_has6(s, 1));
	assert_true(aset_has6(s, MAX6));
	assert_true(aset_has6(s, ((u128)1 << 64) + 9));
	assert_false(aset_has6(s, ((u128)1 << 64) + 10));
	assert_false(aset_has6(s, 9)); /* the upper half counts */

	aset_add4(&b, 0x0a000000, 0x0a0001ff); /* the builder can be used again */
	aset_add4(&b, 0xffffffff, 0xffffffff);
	aset_add6(&b, 0, 0);
	aset_add6(&b, (u128)1 << 64, ((u128)1 << 64) + 9);
	aset_add6(&b, MAX6, MAX6);
	aset_add6(&b, MAX6 - 1, MAX6 - 1);
	assert_int_equal(aset_build(&b, &same), 0);
	assert_true(aset_equal(s, same));
	assert_true(aset_equal(s, s));
	same->name = "x";
	assert_true(aset_equal(s, same));
	aset_add4(&b, 1, 1);
	assert_int_equal(aset_build(&b, &other), 0);
	assert_false(aset_equal(s, other));
}

static void a_builder_can_be_dropped(void **state)
{
	struct aset_builder b = {.arena = arena};
	struct aset *s;

	aset_add4(&b, 1, 2);
	aset_add6(&b, 1, 2);
	aset_builder_fini(&b);
	assert_int_equal(b.n4, 0);
	assert_int_equal(aset_build(&b, &s), 0);
	assert_int_equal(s->n4, 0);
	assert_int_equal(s->n6, 0);
	assert_false(aset_has4(s, 0));
	assert_false(aset_has6(s, 0));
}

/* Complement speaks of the families that the set speaks of. */
static void complements_of_addresses(void **state)
{
	struct aset_builder b = {.arena = arena};
	struct aset *s, *not ;

	aset_add4(&b, 0x0a000000, 0x0affffff);
	aset_build(&b, &s);
	assert_int_equal(aset_invert(arena, s, &not ), 0);
	assert_int_equal(not ->n4, 2);
	assert_int_equal(not ->v4[0].hi, 0x09ffffff);
	assert_int_equal(not ->v4[1].lo, 0x0b000000);
	assert_int_equal(not ->v4[1].hi, 0xffffffff);
	assert_int_equal(not ->n6, 0);

	aset_add6(&b, 0, MAX6 - 1);
	aset_build(&b, &s);
	aset_invert(arena, s, &not );
	assert_int_equal(not ->n4, 0);
	assert_int_equal(not ->n6, 1);
	assert_true(not ->v6[0].lo == MAX6 && not ->v6[0].hi == MAX6);

	aset_add4(&b, 0, 0xffffffff);
	aset_add6(&b, 5, 5);
	aset_build(&b, &s);
	aset_invert(arena, s, &not );
	assert_int_equal(not ->n4, 0);
	assert_int_equal(not ->n6, 2);

	aset_build(&b, &s); /* nothing: everything */
	aset_invert(arena, s, &not );
	assert_int_equal(not ->n4, 1);
	assert_int_equal(not ->n6, 1);
	assert_true(aset_has4(not, 0) && aset_has4(not, 0xffffffff));
	assert_true(aset_has6(not, 0) && aset_has6(not, MAX6));
}

/* Against a bitmap: every value of a small universe. */
static void random_sets_against_a_bitmap(void **state)
{
	struct prng p;

	prng_init(&p, prng_seed("set", 0x5e7));
	for (int round = 0; round < 2000; round++) {
		bool map[300] = {};
		struct range r[20];
		size_t n = prng_below(&p, 20);
		struct aset_builder b = {.arena = arena};
		struct aset *addrs;
		struct vset *s, *not ;

		for (size_t i = 0; i < n; i++) {
			r[i].lo = prng_below(&p, 300);
			r[i].hi = prng_range(&p, r[i].lo, prng_chance(&p, 1, 2) ? r[i].lo : 299);
			memset(map + r[i].lo, true, r[i].hi - r[i].lo + 1);
			aset_add4(&b, (uint32_t)r[i].lo, (uint32_t)r[i].hi);
			aset_add6(&b, (u128)r[i].lo << 100, (u128)r[i].hi << 100);
		}
		assert_int_equal(vset_build(arena, r, n, &s), 0);
		assert_int_equal(vset_invert(arena, s, 299, &not ), 0);
		assert_int_equal(aset_build(&b, &addrs), 0);
		for (uint64_t v = 0; v < 300; v++) {
			assert_int_equal(vset_has(s, v), map[v]);
			assert_int_equal(vset_has(not, v), !map[v]);
			assert_int_equal(aset_has4(addrs, (uint32_t)v), map[v]);
			if (v < 256 && map[v])
				assert_true(aset_has6(addrs, (u128)v << 100));
		}
		for (size_t i = 1; i < s->n; i++)
			assert_true(s->r[i].lo > s->r[i - 1].hi + 1);
	}
}

static void a_million_prefixes(void **state)
{
	struct aset_builder b = {.arena = arena};
	struct prng p;
	struct aset *s;

	prng_init(&p, 1);
	for (uint32_t i = 0; i < 1000000; i++) { /* every other /20, out of order, half of them twice */
		uint32_t net = (uint32_t)(i * 2654435761u & 0x7ffff) << 13;

		assert_int_equal(aset_add4(&b, net, net | 0xfff), 0);
		assert_int_equal(aset_add6(&b, (u128)net << 96, (u128)net << 96 | 0xff), 0);
	}
	assert_int_equal(aset_build(&b, &s), 0);
	assert_int_equal(s->n4, 0x80000);
	assert_int_equal(s->n6, 0x80000);
	for (uint32_t i = 0; i < 1000000; i++) {
		uint32_t addr = (uint32_t)prng_u64(&p);

		assert_int_equal(aset_has4(s, addr), !(addr & 0x1000));
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(values_are_sorted_and_merged),
		T(membership_at_every_edge),
		T(complements),
		T(equality),
		T(addresses_of_both_families),
		T(a_builder_can_be_dropped),
		T(complements_of_addresses),
		T(random_sets_against_a_bitmap),
		T(a_million_prefixes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
