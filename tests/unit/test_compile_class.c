// SPDX-License-Identifier: GPL-2.0-only
/* The sweep: values that the same sets hold share a class, and no others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* Included for its hash, which one test makes collide. */
#include "compile/class.c"

#include "harness/prng.h"

#define MAX_SETS   80
#define MAX_RANGES 8

struct sets {
	struct box_set v[MAX_SETS];
	struct range r[MAX_SETS][MAX_RANGES];
	struct box_sets sets;
};

static void sets_init(struct sets *s, size_t n)
{
	memset(s, 0, sizeof(*s));
	for (size_t i = 0; i < n; i++)
		s->v[i].r = s->r[i];
	s->sets = (struct box_sets){ .v = s->v, .n = n };
}

static void sets_add(struct sets *s, size_t set, uint64_t lo, uint64_t hi)
{
	assert_true(s->v[set].n < MAX_RANGES);
	s->r[set][s->v[set].n++] = (struct range){ lo, hi };
}

static uint32_t class_of(const struct classes *c, uint64_t value)
{
	size_t i = 0;

	while (i + 1 < c->nbounds && c->start[i + 1] <= value)
		i++;
	return c->cls[i];
}

static bool set_has(const struct box_set *s, uint64_t value)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->r[i].lo <= value && value <= s->r[i].hi)
			return true;
	return false;
}

/* The class of a value says of each set whether it holds the value. */
static void assert_value(const struct sets *s, const struct classes *c, uint64_t value)
{
	const uint64_t *m = classes_members(c, class_of(c, value));

	for (size_t i = 0; i < s->sets.n; i++)
		assert_int_equal(m[i / 64] >> i % 64 & 1, set_has(&s->v[i], value));
}

static void assert_minimal(const struct classes *c)
{
	for (size_t i = 0; i < c->nclasses; i++)
		for (size_t k = 0; k < i; k++)
			assert_memory_not_equal(classes_members(c, i), classes_members(c, k),
						c->words * sizeof(uint64_t));
	for (size_t i = 1; i < c->nbounds; i++) {
		assert_true(c->start[i] > c->start[i - 1]);
		assert_int_not_equal(c->cls[i], c->cls[i - 1]);
	}
	assert_true(c->start[0] == 0);
}

static void test_random(void **state)
{
	struct prng prng;

	(void)state;
	prng_init(&prng, prng_seed("test_random", 0));
	for (int round = 0; round < 2000; round++) {
		size_t n = prng_below(&prng, round % 10 ? 6 : MAX_SETS);
		struct classes c;
		struct sets s;

		sets_init(&s, n);
		for (size_t i = 0; i < n; i++) {
			uint64_t at = prng_below(&prng, 20);

			for (size_t k = prng_below(&prng, MAX_RANGES); k > 0 && at < 250; k--) {
				uint64_t hi = at + prng_below(&prng, prng_chance(&prng, 1, 2) ? 3 : 100);

				sets_add(&s, i, at, hi < 255 ? hi : 255);
				at = hi + 2 + prng_below(&prng, 20);
			}
		}
		assert_int_equal(classes_build(&s.sets, 255, true, 1000, &c), 0);
		for (uint64_t v = 0; v <= 255; v++)
			assert_value(&s, &c, v);
		assert_minimal(&c);
		for (size_t i = 0; i < c.words; i++)
			assert_int_equal(classes_members(&c, c.absent)[i], 0);
		for (size_t i = 0; i < n; i++) {
			assert_int_equal(c.first[i], s.v[i].n ? class_of(&c, s.r[i][0].lo) : CLASS_NONE);
			assert_int_equal(c.last[i], s.v[i].n ? class_of(&c, s.r[i][s.v[i].n - 1].hi) : CLASS_NONE);
		}
		classes_fini(&c);
	}
}

/*
 * 64-bit keys that are XORed are linearly dependent when there are 65 of them: some of the sets together hash to
 * nothing. Half of these hold value 0, the other half value 1, and the two values look alike to the hash.
 */
static void test_collision(void **state)
{
	uint64_t basis[64] = {}, made_of[64] = {}, left = 0;
	unsigned int set, half = 0;
	uint64_t chosen = 0;
	struct classes c;
	struct sets s;

	(void)state;
	/* Gauss: the first key that the ones before it can make. Sets 0 … 63 are bits of `chosen`, the last is `set`.
	 */
	for (set = 0; set < 65; set++) {
		uint64_t v = class_set_key(set), with = set < 64 ? 1ull << set : 0;

		for (int bit = 63; bit >= 0 && v; bit--) {
			if (!(v >> bit & 1))
				continue;
			if (!basis[bit]) {
				basis[bit] = v;
				made_of[bit] = with;
				break;
			}
			v ^= basis[bit];
			with ^= made_of[bit];
		}
		if (!v) {
			chosen = set < 64 ? with & ~(1ull << set) : with;
			break;
		}
	}
	assert_true(set <= 64 && chosen);
	left = chosen;
	sets_init(&s, 65);
	for (; left; left &= left - 1, half ^= 1)
		sets_add(&s, __builtin_ctzll(left), half, half);
	sets_add(&s, set, half, half);
	assert_int_equal(classes_build(&s.sets, 255, true, 1000, &c), 0);
	assert_int_equal(c.nclasses, 3);
	assert_int_not_equal(class_of(&c, 0), class_of(&c, 1));
	for (uint64_t v = 0; v < 4; v++)
		assert_value(&s, &c, v);
	classes_fini(&c);
}

static void test_limit(void **state)
{
	struct classes c = {};
	struct sets s;

	(void)state;
	sets_init(&s, 3);
	for (size_t i = 0; i < 3; i++)
		sets_add(&s, i, 10 * i, 10 * i + 5);
	/* Three sets and the rest. */
	assert_int_equal(classes_build(&s.sets, 255, true, 3, &c), -E2BIG);
	assert_null(c.start);
	assert_int_equal(classes_build(&s.sets, 255, true, 4, &c), 0);
	assert_int_equal(c.nclasses, 4);
	classes_fini(&c);
	/* A set that holds every value: its absence is a class that no value has. */
	sets_init(&s, 1);
	sets_add(&s, 0, 0, 255);
	assert_int_equal(classes_build(&s.sets, 255, false, 4, &c), 0);
	assert_int_equal(c.nclasses, 1);
	assert_int_equal(c.absent, CLASS_NONE);
	classes_fini(&c);
	assert_int_equal(classes_build(&s.sets, 255, true, 4, &c), 0);
	assert_int_equal(c.nclasses, 2);
	assert_int_equal(c.absent, 1);
	classes_fini(&c);
	assert_int_equal(classes_build(&s.sets, 255, true, 1, &c), -E2BIG);
}

/* Values beyond the field's own do not exist. */
static void test_beyond(void **state)
{
	struct classes c;
	struct sets s;

	(void)state;
	sets_init(&s, 2);
	sets_add(&s, 0, 200, 300);
	sets_add(&s, 1, 256, 300);
	assert_int_equal(classes_build(&s.sets, 255, false, 10, &c), 0);
	assert_int_equal(c.nbounds, 2);
	assert_int_equal(c.nclasses, 2);
	classes_fini(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "random sets: each class says which sets hold its values, and no two are alike", test_random, NULL,
		  NULL, NULL },
		{ "values whose sets have the same hash are told apart", test_collision, NULL, NULL, NULL },
		{ "one class too many is refused", test_limit, NULL, NULL, NULL },
		{ "values beyond the field are left out", test_beyond, NULL, NULL, NULL },
	};

	return cmocka_run_group_tests_name("compile_class", tests, NULL, NULL);
}
