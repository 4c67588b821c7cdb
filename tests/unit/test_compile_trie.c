// SPDX-License-Identifier: GPL-2.0-only
/* Chunks of a trie: equal ones are stored once, different ones apart, also when their hashes are equal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Included for its hash, which one test makes collide, and for a trie that is half built. */
#include "compile/trie.c"
/* For a trie read without an image around it. */
#include "harness/image_walk.c"

#include "harness/prng.h"

#define PATTERNS  (1u << 18)
#define LEAF_LEN  8 /* units of a chunk of one-bit cells */
#define NOT_FOUND UINT32_MAX

static void trie_of_two_classes(struct trie *t)
{
	const struct classes c = { .nclasses = 2 };

	assert_int_equal(trie_init(t, &c, FW_MAX_IMAGE, false), 0);
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

static struct trie_cells cells_of(const uint32_t cell[256])
{
	struct trie_cells c;

	trie_cells_init(&c);
	for (unsigned int i = 0; i < 256; i++)
		trie_cells_add(&c, i, cell[i]);
	return c;
}

static uint32_t add(struct trie *t, const uint32_t unit[LEAF_LEN])
{
	struct trie_cells cells;
	uint32_t cell[256], ret = 0;

	for (int i = 0; i < 256; i++)
		cell[i] = unit[i / 32] >> i % 32 & 1;
	cells = cells_of(cell);
	assert_int_equal(trie_add_chunk(t, &cells, &ret), 0);
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
	struct trie_cells cells;
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
		cells = cells_of(cell);
		assert_int_equal(trie_add_chunk(&t, &cells, &ret), 0);
		assert_int_equal(ret & ~FW_CELL_MASK, FW_CELL_REF);
		assert_int_equal((ret & FW_CELL_MASK) % 16, 0);
		assert_memory_equal(t.v + (ret & FW_CELL_MASK), cell, sizeof(cell));
	}
	assert_int_equal(t.leaves, 50);
	assert_int_equal(t.skips, 50);
	assert_int_equal(t.chunks, 50);
	trie_fini(&t);
}

/* An image with nothing in it but the trie. */
static uint8_t *image_of(const struct trie *t, struct image *ret)
{
	uint8_t *data = calloc(1, 4096 + trie_bytes(t));
	struct fw_image *h = (struct fw_image *)data;

	assert_non_null(data);
	h->hot_len = 4096 + trie_bytes(t);
	if (t->n)
		memcpy(data + 4096, t->v, trie_bytes(t));
	*ret = (struct image){ .data = data, .len = h->hot_len };
	return data;
}

static void check_trie(const struct classes *c, bool six, size_t small)
{
	struct image img;
	uint8_t *data;
	struct trie t;

	assert_int_equal((six ? trie6_build : trie4_build)(c, FW_MAX_IMAGE, small, &t), 0);
	data = image_of(&t, &img);
	if (small == FW_MAX_IMAGE)
		assert_int_equal(t.ranks, 0);
	else if (c->nbounds > 100 && c->nclasses > 16)
		assert_true(t.ranks > 0);
	for (size_t i = 0; i < c->nbounds; i++) {
		u128 end = i + 1 < c->nbounds ? c->start[i + 1] - 1 : six ? ~(u128)0 : UINT32_MAX;
		u128 probe[3] = { c->start[i], end, c->start[i] + (end - c->start[i]) / 2 };

		for (int k = 0; k < 3; k++)
			assert_int_equal(six ? walk_trie6(&img, t.n ? 4096 : 0, t.leaf_shift, probe[k]) :
					       walk_trie4(&img, t.n ? 4096 : 0, t.leaf_shift, (uint32_t)probe[k]),
					 t.n ? c->cls[i] : 0);
	}
	free(data);
	trie_fini(&t);
}

/* By counting. */
static uint32_t read_cell(const struct trie *t, uint32_t cell, unsigned int byte)
{
	const struct fw_rank *rank = (const struct fw_rank *)(t->v + (cell & FW_CELL_MASK));
	unsigned int runs = 0;

	for (unsigned int b = 0; b <= byte; b++)
		runs += rank->map[b / 64] >> b % 64 & 1;
	return rank->value[runs - 1];
}

static void test_limit(void **state)
{
	const struct classes c = { .nclasses = 2 };
	const uint32_t cell[256] = { 1 };
	struct trie_cells cells = cells_of(cell);
	uint32_t ret = 7;
	struct trie t;

	(void)state;
	assert_int_equal(trie_init(&t, &c, 65536 * 4 - 1, false), -E2BIG);
	trie_fini(&t);
	assert_int_equal(trie_init(&t, &c, 65536 * 4, false), 0);
	assert_int_equal(trie_add_chunk(&t, &cells, &ret), -E2BIG);
	assert_int_equal(ret, 7);
	trie_fini(&t);
}

/* Runs at every place around the borders of the map's words, as many as one line holds and more. */
static void test_rank(void **state)
{
	static const unsigned int starts[] = { 0, 1, 62, 63, 64, 65, 127, 128, 191, 192, 254, 255 };
	const struct classes c = { .nclasses = 1u << 20 };
	struct trie t;

	(void)state;
	assert_int_equal(trie_init(&t, &c, FW_MAX_IMAGE, true), 0);
	for (unsigned int subset = 1; subset < 1u << 12; subset += 2) {
		unsigned int n = 0, want = 0, units;
		struct trie_cells cells;
		size_t before = t.n;
		uint32_t ret;

		trie_cells_init(&cells);
		for (unsigned int i = 0; i < 12; i++) {
			if (!(subset >> i & 1))
				continue;
			trie_cells_add(&cells, starts[i], subset << 4 | i);
			n++;
		}
		assert_int_equal(trie_add_chunk(&t, &cells, &ret), 0);
		assert_int_equal(ret & ~FW_CELL_MASK, FW_CELL_REF | FW_CELL_RANK);
		assert_int_equal((ret & FW_CELL_MASK) % 16, 0);
		units = n <= 7 ? 16 : 32;
		assert_int_equal(t.n - before, units);
		for (unsigned int b = 0, k = 0; b < 256; b++) {
			if (k < 12 && b == starts[k]) {
				want = subset >> k & 1 ? subset << 4 | k : want;
				k++;
			}
			assert_int_equal(read_cell(&t, ret, b), want);
		}
	}
	trie_fini(&t);
}

#define STRETCHES 3000

/* Stretches of random lengths with random classes, read back at their ends. */
static void test_random(void **state)
{
	bool six = *state;
	struct prng prng;

	prng_init(&prng, prng_seed("compile_trie", 0));
	for (int round = 0; round < 24; round++) {
		size_t sizes[] = { 1, FW_MAX_IMAGE }, n = 0;
		u128 start[STRETCHES], max = six ? ~(u128)0 : UINT32_MAX, at = 0;
		uint32_t cls[STRETCHES], nclasses = 2u << prng_below(&prng, 23);
		struct classes c = { .start = start, .cls = cls, .nclasses = nclasses };

		while (n < STRETCHES) {
			unsigned int bits = prng_below(&prng, six ? 125 : 29);
			u128 gap = ((u128)prng_u64(&prng) << 64 | prng_u64(&prng)) >> (127 - bits);

			start[n] = at;
			cls[n] = prng_below(&prng, nclasses);
			if (n && cls[n] == cls[n - 1])
				cls[n] = (cls[n] + 1) % nclasses;
			n++;
			gap = prng_chance(&prng, 1, 2) ? gap & ~(u128)255 : gap;
			gap += !gap;
			if (gap > max - at)
				break;
			at += gap;
		}
		c.nbounds = n;
		for (int form = 0; form < 2; form++)
			check_trie(&c, six, sizes[form]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "chunks whose hashes are equal are told apart", test_collision, NULL, NULL, NULL },
		{ "chunks and skip nodes stand where the format says", test_alignment, NULL, NULL, NULL },
		{ "runs start where they were told to, on whole cache lines", test_rank, NULL, NULL, NULL },
		{ "IPv4: what went in comes out, in both forms", test_random, NULL, NULL, NULL },
		{ "IPv6: what went in comes out, in both forms", test_random, NULL, NULL, (void *)1 },
		{ "a trie does not grow beyond its limit", test_limit, NULL, NULL, NULL },
	};

	return cmocka_run_group_tests_name("compile_trie", tests, NULL, NULL);
}
