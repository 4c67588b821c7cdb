// SPDX-License-Identifier: GPL-2.0-only
/* Chunks of a trie: equal ones are stored once, different ones apart, also when their hashes are equal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Included for its hash, which one test makes collide. */
#include "compile/trie.c"

#include "harness/prng.h"

#define PATTERNS  (1u << 18)
#define LEAF_LEN  8 /* units of a chunk of one-bit cells */
#define NOT_FOUND UINT32_MAX

static void trie_of_two_classes(struct trie *t)
{
	const struct classes c = { .nclasses = 2 };

	assert_int_equal(trie_init(t, &c, FW_MAX_IMAGE), 0);
	assert_int_equal(t->leaf_shift, 0);
}

static void pattern(uint32_t seed, uint32_t unit[LEAF_LEN])
{
	struct prng prng;

	prng_init(&prng, seed);
	for (int i = 0; i < LEAF_LEN; i++)
		unit[i] = (uint32_t)prng_u64(&prng);
}

/* Two patterns with one hash; there are some among so many. */
static void find_collision(uint32_t *ret_a, uint32_t *ret_b)
{
	uint32_t *seen = malloc(2 * PATTERNS * sizeof(*seen)), *hash = malloc(PATTERNS * sizeof(*hash));
	uint32_t unit[LEAF_LEN];

	assert_non_null(seen);
	assert_non_null(hash);
	memset(seen, 0xff, 2 * PATTERNS * sizeof(*seen));
	*ret_a = NOT_FOUND;
	for (uint32_t i = 0; i < PATTERNS && *ret_a == NOT_FOUND; i++) {
		uint32_t at;

		pattern(i, unit);
		hash[i] = trie_hash(unit, LEAF_LEN);
		for (at = hash[i] % (2 * PATTERNS); seen[at] != NOT_FOUND; at = (at + 1) % (2 * PATTERNS)) {
			if (hash[seen[at]] == hash[i]) {
				*ret_a = seen[at];
				*ret_b = i;
				break;
			}
		}
		seen[at] = i;
	}
	free(seen);
	free(hash);
}

static uint32_t add(struct trie *t, const uint32_t unit[LEAF_LEN])
{
	uint32_t cell[256], ret = 0;

	for (int i = 0; i < 256; i++)
		cell[i] = unit[i / 32] >> i % 32 & 1;
	assert_int_equal(trie_add_chunk(t, cell, &ret), 0);
	assert_int_equal(ret & ~FW_CELL_MASK, FW_CELL_REF | FW_CELL_LEAF);
	assert_memory_equal(t->v + (ret & FW_CELL_MASK), unit, LEAF_LEN * sizeof(*unit));
	return ret;
}

static void test_collision(void **state)
{
	uint32_t a = 0, b = 0, unit_a[LEAF_LEN], unit_b[LEAF_LEN], cell_a;
	struct trie t;

	(void)state;
	find_collision(&a, &b);
	assert_true(a != NOT_FOUND);
	trie_of_two_classes(&t);
	pattern(a, unit_a);
	pattern(b, unit_b);
	cell_a = add(&t, unit_a);
	assert_int_not_equal(add(&t, unit_b), cell_a);
	assert_int_equal(add(&t, unit_a), cell_a);
	assert_int_equal(t.leaves, 2);
	trie_fini(&t);
}

static void test_alignment(void **state)
{
	uint32_t cell[256] = {}, unit[LEAF_LEN], ret;
	struct fw_skip6 skip = { .next = 1 };
	struct trie t;

	(void)state;
	trie_of_two_classes(&t);
	for (uint32_t i = 0; i < 50; i++) {
		pattern(i, unit);
		assert_int_equal((add(&t, unit) & FW_CELL_MASK) % 8, 0);
		skip.key[0] = i;
		assert_int_equal(trie_add_skip(&t, &skip, &ret), 0);
		assert_int_equal(ret & ~FW_CELL_MASK, FW_CELL_REF | FW_CELL_SKIP);
		assert_int_equal((ret & FW_CELL_MASK) % 16, 0);
		cell[3] = ret;
		assert_int_equal(trie_add_chunk(&t, cell, &ret), 0);
		assert_int_equal(ret & ~FW_CELL_MASK, FW_CELL_REF);
		assert_int_equal((ret & FW_CELL_MASK) % 16, 0);
		assert_memory_equal(t.v + (ret & FW_CELL_MASK), cell, sizeof(cell));
	}
	assert_int_equal(t.leaves, 50);
	assert_int_equal(t.skips, 50);
	assert_int_equal(t.chunks, 50);
	trie_fini(&t);
}

static void test_limit(void **state)
{
	const struct classes c = { .nclasses = 2 };
	uint32_t cell[256] = { 1 }, ret = 7;
	struct trie t;

	(void)state;
	assert_int_equal(trie_init(&t, &c, 65536 * 4 - 1), -E2BIG);
	trie_fini(&t);
	assert_int_equal(trie_init(&t, &c, 65536 * 4), 0);
	assert_int_equal(trie_add_chunk(&t, cell, &ret), -E2BIG);
	assert_int_equal(ret, 7);
	trie_fini(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "chunks whose hashes are equal are told apart", test_collision, NULL, NULL, NULL },
		{ "chunks and skip nodes stand where the format says", test_alignment, NULL, NULL, NULL },
		{ "a trie does not grow beyond its limit", test_limit, NULL, NULL, NULL },
	};

	return cmocka_run_group_tests_name("compile_trie", tests, NULL, NULL);
}
