// SPDX-License-Identifier: GPL-2.0-only
/* Address tries: every prefix length, every kind of neighbourhood, ± 1. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness/handmade.h"
#include "harness/prng.h"

static u128 low_bits(unsigned int n)
{
	return n >= 128 ? ~(u128)0 : ((u128)1 << n) - 1;
}

static const uint32_t bases4[] = { 0, 0xffffffff, 0xc0a80101, 0x0a000000, 0x7fffffff, 0x80000000, 0x01020380 };

static u128 base6(size_t i)
{
	static const uint64_t half[][2] = {
		{ 0, 0 },
		{ ~0ull, ~0ull },
		{ 0x20010db800050001, 0x0200fffffe000001 },
		{ 0x20010db800000000, 0 },
		{ 0xfe80000000000000, 0x8000000000000000 },
		{ 0x20010dff00ff00ff, 0x00ff00ff00ff00ff },
	};

	return (u128)half[i][0] << 64 | half[i][1];
}
#define BASES6 6

/* The ends of a range, the addresses just outside, and the ends of the space. */
static void probe4(const struct policy *p, const struct image *img, uint32_t lo, uint32_t hi)
{
	const uint32_t at[] = { lo, lo - 1,	lo + 1, hi,	    hi - 1,	 hi + 1, lo + (hi - lo) / 2,
				0,  0xffffffff, lo ^ 1, lo ^ 0x100, lo ^ 0x10000 };

	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		struct packet packet = hand_packet4(at[i], 1);

		assert_true(hand_same(p, img, &packet));
		packet = hand_packet4(1, at[i]);
		assert_true(hand_same(p, img, &packet));
	}
}

static void probe6(const struct policy *p, const struct image *img, u128 lo, u128 hi)
{
	u128 at[20 + 128] = { lo, lo - 1, lo + 1, hi, hi - 1, hi + 1, lo + (hi - lo) / 2, 0, ~(u128)0 };
	size_t n = 9;

	/* One bit away, at every bit. */
	for (unsigned int bit = 0; bit < 128; bit++)
		at[n++] = lo ^ (u128)1 << bit;
	for (size_t i = 0; i < n; i++) {
		struct packet packet = hand_packet6(at[i], 1);

		assert_true(hand_same(p, img, &packet));
		packet = hand_packet6(1, at[i]);
		assert_true(hand_same(p, img, &packet));
	}
}

static void test_every_length4(void **state)
{
	const struct compile_opts *form = *state;

	for (size_t b = 0; b < sizeof(bases4) / sizeof(bases4[0]); b++) {
		for (unsigned int len = 0; len <= 32; len++) {
			struct arena *arena = arena_new();
			struct policy *p = hand_policy(arena, 2);
			uint32_t low = (uint32_t)low_bits(32 - len), lo = bases4[b] & ~low;
			struct image img;

			hand_rule(p, 0)->src = hand_addr4(arena, lo, lo | low);
			hand_rule(p, 1)->dst = hand_addr4(arena, lo, lo | low);
			hand_compile_opts(p, form, &img);
			probe4(p, &img, lo, lo | low);
			image_fini(&img);
			arena_free(arena);
		}
	}
}

static void test_every_length6(void **state)
{
	const struct compile_opts *form = *state;

	for (size_t b = 0; b < BASES6; b++) {
		for (unsigned int len = 0; len <= 128; len++) {
			struct arena *arena = arena_new();
			struct policy *p = hand_policy(arena, 2);
			u128 low = low_bits(128 - len), lo = base6(b) & ~low;
			struct image img;

			hand_rule(p, 0)->src = hand_addr6(arena, lo, lo | low);
			hand_rule(p, 1)->dst = hand_addr6(arena, lo, lo | low);
			hand_compile_opts(p, form, &img);
			probe6(p, &img, lo, lo | low);
			image_fini(&img);
			arena_free(arena);
		}
	}
}

/* Longest first, so that each length decides somewhere. */
static void test_nested(void **state)
{
	const struct compile_opts *form = *state;

	for (size_t b = 0; b < BASES6; b++) {
		struct arena *arena = arena_new();
		struct policy *p = hand_policy(arena, 33 + 129);
		uint32_t base4 = bases4[b];
		struct image img;

		for (unsigned int len = 0; len <= 32; len++) {
			uint32_t low = (uint32_t)low_bits(32 - len);

			hand_rule(p, 32 - len)->src = hand_addr4(arena, base4 & ~low, base4 | low);
		}
		for (unsigned int len = 0; len <= 128; len++) {
			u128 low = low_bits(128 - len);

			hand_rule(p, 33 + 128 - len)->src = hand_addr6(arena, base6(b) & ~low, base6(b) | low);
		}
		hand_compile_opts(p, form, &img);
		for (unsigned int len = 0; len <= 32; len++)
			probe4(p, &img, base4 & ~(uint32_t)low_bits(32 - len), base4 | (uint32_t)low_bits(32 - len));
		for (unsigned int len = 0; len <= 128; len++)
			probe6(p, &img, base6(b) & ~low_bits(128 - len), base6(b) | low_bits(128 - len));
		image_fini(&img);
		arena_free(arena);
	}
}

static u128 random6(struct prng *prng)
{
	/* Few different bytes, so that ranges share beginnings of every length. */
	u128 v = 0;

	for (int i = 0; i < 16; i++)
		v = v << 8 | (prng_chance(prng, 1, 8) ? prng_below(prng, 256) : prng_chance(prng, 1, 6) ? 255 : 0);
	return v;
}

/* Ranges that are no prefixes, that touch, that overlap, inside one another. */
static void test_ranges(void **state)
{
	const struct compile_opts *form = *state;
	struct prng prng;

	prng_init(&prng, prng_seed("test_ranges", 0));
	for (int round = 0; round < 150; round++) {
		struct arena *arena = arena_new();
		size_t n = 1 + prng_below(&prng, 12);
		struct policy *p = hand_policy(arena, 2 * n);
		u128 lo6[12], hi6[12];
		uint32_t lo4[12], hi4[12];
		struct image img;

		for (size_t i = 0; i < n; i++) {
			u128 a = random6(&prng),
			     b = prng_chance(&prng, 1, 3) ? a + prng_below(&prng, 70000) : random6(&prng);
			uint32_t c = (uint32_t)random6(&prng), d = prng_chance(&prng, 1, 3)
									   ? c + (uint32_t)prng_below(&prng, 700)
									   : (uint32_t)random6(&prng);

			lo6[i] = a < b ? a : b, hi6[i] = a < b ? b : a;
			lo4[i] = c < d ? c : d, hi4[i] = c < d ? d : c;
			hand_rule(p, 2 * i)->src = hand_addr6(arena, lo6[i], hi6[i]);
			hand_rule(p, 2 * i + 1)->src = hand_addr4(arena, lo4[i], hi4[i]);
		}
		hand_compile_opts(p, form, &img);
		for (size_t i = 0; i < n; i++) {
			probe6(p, &img, lo6[i], hi6[i]);
			probe4(p, &img, lo4[i], hi4[i]);
		}
		image_fini(&img);
		arena_free(arena);
	}
}

/* A packed cell has 1, 2, 4, 8, 16 or 32 bits: the numbers of classes on both sides of each step. */
static void test_leaf_widths(void **state)
{
	const struct compile_opts *form = *state;

	static const unsigned int rules[] = { 1, 2, 3, 4, 14, 15, 16, 254, 255, 256 };

	for (size_t k = 0; k < sizeof(rules) / sizeof(rules[0]); k++) {
		struct arena *arena = arena_new();
		struct policy *p = hand_policy(arena, 2 * rules[k]);
		struct image img;

		for (unsigned int i = 0; i < rules[k]; i++) {
			u128 a6 = base6(2) + (u128)i * 3;

			hand_rule(p, 2 * i)->src = hand_addr4(arena, 0x0a000000 + 5 * i, 0x0a000000 + 5 * i + 1);
			hand_rule(p, 2 * i + 1)->src = hand_addr6(arena, a6, a6);
		}
		hand_compile_opts(p, form, &img);
		assert_true(image_hdr(&img)->dir[0].leaf_shift[0][0] <= 4);
		for (unsigned int i = 0; i < rules[k]; i++) {
			u128 a6 = base6(2) + (u128)i * 3;

			probe4(p, &img, 0x0a000000 + 5 * i, 0x0a000000 + 5 * i + 1);
			probe6(p, &img, a6, a6);
		}
		image_fini(&img);
		arena_free(arena);
	}
}

/* The point of packed chunks: a long list of hosts does not take a kilobyte for each. */
static void test_list_is_small(void **state)
{
	const struct compile_opts *form = *state;
	struct arena *arena = arena_new();
	struct policy *p = hand_policy(arena, 1);
	struct aset_builder b = { .arena = arena };
	struct prng prng;
	struct aset *s;
	struct image img;

	prng_init(&prng, 7);
	for (int i = 0; i < 20000; i++) {
		u128 a = (u128)(0x2000000000000000 | prng_u64(&prng) >> 3) << 64 | prng_u64(&prng);

		assert_int_equal(aset_add6(&b, a, a), 0);
	}
	assert_int_equal(aset_build(&b, &s), 0);
	hand_rule(p, 0)->src = s;
	hand_compile_opts(p, form, &img);
	/* l1 is 256 KB; then less than 600 bytes a host, where chunks alone would take 13 KB. */
	assert_true(img.len < (256u << 10) + 20000 * 600);
	for (size_t i = 0; i < s->n6; i += 500)
		probe6(p, &img, s->v6[i].lo, s->v6[i].hi);
	image_fini(&img);
	arena_free(arena);
}

/* Chunks of fixed width, and chunks of runs wherever they are shorter. */
static struct compile_opts fixed = { .trie_small = FW_MAX_IMAGE }, runs = { .trie_small = 1 };
#define BOTH(name, test)                                                                                               \
	{ name ": fixed width", test, NULL, NULL, &fixed }, { name ": runs", test, NULL, NULL, &runs }

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH("every IPv4 prefix length: the edges and one beyond are right", test_every_length4),
		BOTH("every IPv6 prefix length: the edges and one beyond are right", test_every_length6),
		BOTH("prefixes of every length inside one another: the first rule wins", test_nested),
		BOTH("ranges that are no prefixes are exact", test_ranges),
		BOTH("packed cells of every width are exact", test_leaf_widths),
		BOTH("a list of IPv6 hosts stays small", test_list_is_small),
	};

	return cmocka_run_group_tests_name("compile_tries", tests, NULL, NULL);
}
