// SPDX-License-Identifier: GPL-2.0-only
/* Large sets: the edges of every range, both families and sides, complements, sharing, and what falls back to classes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness/handmade.h"
#include "harness/prng.h"

static const struct compile_opts all_large = { .set_large = 1 };

static const struct aset *inverse(struct arena *arena, const struct aset *set)
{
	struct aset *s;

	assert_int_equal(aset_invert(arena, set, &s), 0);
	return s;
}

static uint32_t random4(struct prng *prng, unsigned int crowded)
{
	/* With `crowded`, few networks and hosts, so that several ranges share a /24, and a /16. */
	uint32_t v = (uint32_t)prng_u64(prng);

	return crowded ? v & 0x00030fff : v;
}

/* A set in the families asked for: hosts, parts of networks, whole networks and /16s, and ranges across several. */
static const struct aset *random_set(struct arena *arena, struct prng *prng, size_t n, unsigned int families)
{
	static const unsigned int bits[] = { 0, 0, 0, 1, 3, 7, 8, 9, 15, 16, 17 };
	struct aset_builder b = { .arena = arena };
	unsigned int crowded = prng_below(prng, 2);
	struct aset *s;

	for (size_t i = 0; i < n; i++) {
		uint32_t low = (1u << bits[prng_below(prng, sizeof(bits) / sizeof(bits[0]))]) - 1;
		uint32_t at = random4(prng, crowded), lo = prng_chance(prng, 1, 2) ? at & ~low : at;
		uint32_t hi = lo > UINT32_MAX - low ? UINT32_MAX : lo + low;
		u128 six = (u128)0x20010db8 << 96 | (u128)at << 48 | (prng_chance(prng, 1, 2) ? at : 0);

		if (families & 1u << FAMILY_IPV4)
			assert_int_equal(aset_add4(&b, lo, hi), 0);
		if (families & 1u << FAMILY_IPV6)
			assert_int_equal(aset_add6(&b, six, six | low), 0);
	}
	if (prng_chance(prng, 1, 4) && families & 1u << FAMILY_IPV4)
		assert_int_equal(aset_add4(&b, 0, prng_below(prng, 3000)), 0);
	if (prng_chance(prng, 1, 4) && families & 1u << FAMILY_IPV4)
		assert_int_equal(aset_add4(&b, UINT32_MAX - prng_below(prng, 300000), UINT32_MAX), 0);
	assert_int_equal(aset_build(&b, &s), 0);
	return s;
}

static void probe(const struct policy *p, const struct image *img, enum family family, u128 at, u128 other)
{
	struct packet packet = family == FAMILY_IPV4 ? hand_packet4((uint32_t)at, (uint32_t)other) : hand_packet6(at, other);

	assert_true(hand_same(p, img, &packet));
	packet = family == FAMILY_IPV4 ? hand_packet4((uint32_t)other, (uint32_t)at) : hand_packet6(other, at);
	assert_true(hand_same(p, img, &packet));
}

/* The first and last address of every range and those beside them, met by edges of another set on the other side. */
static void probe_edges(const struct policy *p, const struct image *img, const struct aset *set, const struct aset *other)
{
	for (size_t i = 0; i < set->n4; i++) {
		const uint32_t at[] = { set->v4[i].lo, set->v4[i].lo - 1, set->v4[i].hi, set->v4[i].hi + 1 };

		for (size_t k = 0; k < 4; k++)
			probe(p, img, FAMILY_IPV4, at[k], other->n4 ? other->v4[(i * 7 + k) % other->n4].lo : 1);
	}
	for (size_t i = 0; i < set->n6; i++) {
		const u128 at[] = { set->v6[i].lo, set->v6[i].lo - 1, set->v6[i].hi, set->v6[i].hi + 1 };

		for (size_t k = 0; k < 4; k++)
			probe(p, img, FAMILY_IPV6, at[k], other->n6 ? other->v6[(i * 7 + k) % other->n6].hi : 1);
	}
	probe(p, img, FAMILY_IPV4, 0, UINT32_MAX);
	probe(p, img, FAMILY_IPV6, 0, ~(u128)0);
}

static uint32_t nsets(const struct image *img)
{
	return image_hdr(img)->dir[0].nsets;
}

static const struct fw_block *blocks(const struct image *img)
{
	return (const struct fw_block *)(img->data + image_hdr(img)->dir[0].sets);
}

/* Up to twelve rules over three sets, plain and negated, either side or both, among rules about other things. */
static void test_random(void **state)
{
	struct prng prng;

	(void)state;
	prng_init(&prng, prng_seed("compile_sets", 0));
	for (int round = 0; round < 60; round++) {
		struct arena *arena = arena_new();
		struct policy *p = hand_policy(arena, 12);
		const struct aset *set[3];
		struct image img;

		for (int i = 0; i < 3; i++)
			set[i] = random_set(arena, &prng, 1 + prng_below(&prng, 150), 2 << prng_below(&prng, 3) & 6 ?: 6);
		for (size_t i = 0; i < 12; i++) {
			struct rule *r = hand_rule(p, i);
			const struct aset *src = set[prng_below(&prng, 3)], *dst = set[prng_below(&prng, 3)];

			r->families = prng_chance(&prng, 1, 2) ? HAND_IP : HAND_ANY;
			r->verdict = prng_below(&prng, VERDICT_COUNT);
			if (prng_chance(&prng, 2, 3))
				r->src = prng_chance(&prng, 1, 3) ? inverse(arena, src) : src;
			if (prng_chance(&prng, 1, 3))
				r->dst = prng_chance(&prng, 1, 3) ? inverse(arena, dst) : dst;
			if (prng_chance(&prng, 1, 4))
				r->value[FIELD_DPORT] = hand_values(arena, 80, 80 + prng_below(&prng, 2));
			if (prng_chance(&prng, 1, 6))
				r->value[FIELD_PROTO] = hand_values(arena, FAMILY_IPV4 << 8, FAMILY_IPV4 << 8 | 255);
		}
		hand_compile_opts(p, &all_large, &img);
		assert_true(nsets(&img) <= 6);
		for (int i = 0; i < 3; i++)
			probe_edges(p, &img, set[i], set[(i + 1) % 3]);
		image_fini(&img);
		arena_free(arena);
	}
}

/* One content has one block, whoever asks for it and however it is written. */
static void test_shared(void **state)
{
	struct arena *arena = arena_new();
	struct policy *p = hand_policy(arena, 5);
	const struct aset *set;
	struct aset *copy;
	struct aset_builder b = { .arena = arena };
	struct image img;
	struct prng prng;

	(void)state;
	prng_init(&prng, 5);
	set = random_set(arena, &prng, 100, 6);
	for (size_t i = 0; i < set->n4; i++)
		assert_int_equal(aset_add4(&b, set->v4[i].lo, set->v4[i].hi), 0);
	for (size_t i = 0; i < set->n6; i++)
		assert_int_equal(aset_add6(&b, set->v6[i].lo, set->v6[i].hi), 0);
	assert_int_equal(aset_build(&b, &copy), 0);
	hand_rule(p, 0)->src = set;
	hand_rule(p, 1)->src = inverse(arena, copy);
	hand_rule(p, 1)->value[FIELD_DPORT] = hand_values(arena, 1, 1);
	hand_rule(p, 2)->src = copy;
	hand_rule(p, 3)->dst = set;
	hand_rule(p, 4)->dst = inverse(arena, set);
	hand_compile_opts(p, &all_large, &img);
	assert_int_equal(nsets(&img), 2);
	assert_int_equal(image_hdr(&img)->dir[0].set_sides, 2);
	assert_int_equal(blocks(&img)[0].off, blocks(&img)[2].off);
	assert_int_equal(blocks(&img)[1].off, blocks(&img)[3].off);
	probe_edges(p, &img, set, set);
	image_fini(&img);
	arena_free(arena);
}

/* Ten sets: the eight largest are blocks, the others classes; all of them decide. */
static void test_more_than_eight(void **state)
{
	struct arena *arena = arena_new();
	struct policy *p = hand_policy(arena, 10);
	const struct aset *set[10];
	struct image img;
	struct prng prng;

	(void)state;
	prng_init(&prng, 8);
	for (int i = 0; i < 10; i++) {
		set[i] = random_set(arena, &prng, 200 + 40 * (i * 7 % 10), 6);
		hand_rule(p, i)->src = set[i];
	}
	hand_compile_opts(p, &all_large, &img);
	assert_int_equal(nsets(&img), FW_MAX_SETS);
	assert_true(image_hdr(&img)->dir[0].dims >> FW_DIM_SRC & 1);
	for (int i = 0; i < 10; i++)
		probe_edges(p, &img, set[i], set[(i + 3) % 10]);
	image_fini(&img);
	arena_free(arena);
}

/* By default a short list is no block, and a long one is; everything and nothing never are. */
static void test_threshold(void **state)
{
	struct arena *arena = arena_new();
	struct policy *p = hand_policy(arena, 3);
	struct aset_builder b = { .arena = arena };
	struct aset *s;
	struct image img;

	(void)state;
	for (uint32_t i = 0; i < 4095; i++)
		assert_int_equal(aset_add4(&b, i * 77, i * 77), 0);
	assert_int_equal(aset_build(&b, &s), 0);
	hand_rule(p, 0)->src = s;
	hand_rule(p, 1)->src = hand_addr4(arena, 0, UINT32_MAX);
	hand_compile(p, &img);
	assert_int_equal(nsets(&img), 0);
	image_fini(&img);
	for (uint32_t i = 0; i < 4096; i++)
		assert_int_equal(aset_add4(&b, i * 77, i * 77), 0);
	assert_int_equal(aset_build(&b, &s), 0);
	hand_rule(p, 0)->src = s;
	hand_compile(p, &img);
	assert_int_equal(nsets(&img), 1);
	probe_edges(p, &img, s, s);
	image_fini(&img);
	hand_compile_opts(p, &all_large, &img);
	assert_int_equal(nsets(&img), 1);
	image_fini(&img);
	arena_free(arena);
}

/* Lone hosts far apart, as lists of bad hosts have them, take little more than their networks' cells. */
static void test_small(void **state)
{
	struct arena *arena = arena_new();
	struct policy *p = hand_policy(arena, 1);
	struct aset_builder b = { .arena = arena };
	struct image img;
	struct prng prng;
	struct aset *s;

	(void)state;
	prng_init(&prng, 3);
	for (uint32_t i = 0; i < 200000; i++) {
		uint32_t a = (uint32_t)prng_u64(&prng);

		assert_int_equal(aset_add4(&b, a, a), 0);
	}
	assert_int_equal(aset_build(&b, &s), 0);
	hand_rule(p, 0)->src = s;
	hand_compile(p, &img);
	assert_int_equal(nsets(&img), 1);
	/* Every /16 has some: 96 bytes each and 4 in the index; 4 bytes per network. */
	assert_true(blocks(&img)[0].len < 65538 * 100 + 200000 * 4 + 1000 * 32);
	for (size_t i = 0; i < s->n4; i += 97)
		probe(p, &img, FAMILY_IPV4, s->v4[i].lo, 1);
	image_fini(&img);
	arena_free(arena);
}

/* An image to copy from changes no byte; and that it is copied from shows when it is another than it says. */
static void test_previous(void **state)
{
	struct compile_opts opts = all_large;
	struct arena *arena = arena_new();
	struct policy *p = hand_policy(arena, 2);
	struct image before, plain, copied;
	const struct fw_block *b;
	struct prng prng;

	(void)state;
	prng_init(&prng, 11);
	hand_rule(p, 0)->src = random_set(arena, &prng, 300, 6);
	hand_compile_opts(p, &opts, &before);
	hand_rule(p, 1)->value[FIELD_DPORT] = hand_values(arena, 22, 22);
	hand_compile_opts(p, &opts, &plain);
	opts.previous = image_hdr(&before);
	opts.previous_len = before.len;
	hand_compile_opts(p, &opts, &copied);
	assert_int_equal(copied.len, plain.len);
	assert_memory_equal(copied.data, plain.data, plain.len);
	image_fini(&copied);
	for (int six = 0; six < 2; six++)
		before.data[blocks(&before)[six].off + blocks(&before)[six].len - 1] ^= 0xff;
	hand_compile_opts(p, &opts, &copied);
	b = blocks(&copied);
	for (int six = 0; six < 2; six++)
		assert_memory_equal(copied.data + b[six].off, before.data + blocks(&before)[six].off, b[six].len);
	assert_memory_not_equal(copied.data + b[0].off, plain.data + blocks(&plain)[0].off, b[0].len);
	image_fini(&before);
	image_fini(&plain);
	image_fini(&copied);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "random sets, negated, on both sides, in both families: every edge is right", test_random, NULL, NULL, NULL },
		{ "one content has one block", test_shared, NULL, NULL, NULL },
		{ "of ten sets eight are blocks, and all decide", test_more_than_eight, NULL, NULL, NULL },
		{ "long lists are blocks, short ones and everything are not", test_threshold, NULL, NULL, NULL },
		{ "what an image already has is copied, byte for byte", test_previous, NULL, NULL, NULL },
		{ "a list of lone hosts stays small", test_small, NULL, NULL, NULL },
	};

	return cmocka_run_group_tests_name("compile_sets", tests, NULL, NULL);
}
