// SPDX-License-Identifier: GPL-2.0-only
/* Live sets and states as conditions: whatever is in them when a packet comes, the image says what the rules say. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "harness/handmade.h"
#include "harness/image_walk.h"
#include "harness/prng.h"

static const struct fw_dir_hdr *ingress(const struct image *img)
{
	return &image_hdr(img)->dir[FW_DIR_INGRESS];
}

static const struct fw_block *blocks(const struct image *img)
{
	return (const struct fw_block *)(img->data + ingress(img)->sets);
}

static bool never(const struct image *img, size_t rule)
{
	size_t n;

	return image_rules(image_hdr(img), FW_DIR_INGRESS, &n)[rule].flags & FW_RULEF_NEVER;
}

static void name_sets(struct arena *arena, struct policy *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		hand_live(arena, p, arena_printf(arena, "live%zu", i));
}

static struct live_match random_match(struct prng *prng, uint32_t sets)
{
	uint32_t some = sets & (uint32_t)prng_u64(prng);

	return (struct live_match){ .sets = some ?: sets, .negate = prng_chance(prng, 1, 3) };
}

static const struct vset *random_states(struct arena *arena, struct prng *prng)
{
	uint64_t lo = prng_below(prng, STATE_COUNT);

	return hand_values(arena, lo, lo + prng_below(prng, STATE_COUNT - (uint32_t)lo));
}

/* Networks few enough that packets meet them; of static sets some are large ones. */
static const struct aset *random_network(struct arena *arena, struct prng *prng)
{
	uint32_t lo = prng_below(prng, 8) << 8;

	return prng_chance(prng, 1, 4) ? hand_addr6(arena, lo, lo | 255) : hand_addr4(arena, lo, lo | 255);
}

static void random_rule(struct arena *arena, struct prng *prng, struct rule *r, uint32_t src, uint32_t dst)
{
	r->families = prng_chance(prng, 1, 3) ? HAND_ANY : HAND_IP;
	r->verdict = prng_below(prng, VERDICT_COUNT);
	if (src && prng_chance(prng, 1, 2))
		r->live_src = random_match(prng, src);
	else if (prng_chance(prng, 1, 3))
		r->src = random_network(arena, prng);
	if (dst && prng_chance(prng, 1, 3))
		r->live_dst = random_match(prng, dst);
	else if (prng_chance(prng, 1, 3))
		r->dst = random_network(arena, prng);
	if (prng_chance(prng, 1, 2))
		r->value[FIELD_STATE] = random_states(arena, prng);
	if (prng_chance(prng, 1, 4))
		r->value[FIELD_DPORT] = hand_values(arena, 80, 80 + prng_below(prng, 2));
	if (prng_chance(prng, 1, 6))
		r->value[FIELD_PROTO] = hand_values(arena, FAMILY_IPV4 << 8, FAMILY_IPV4 << 8 | 255);
	if (prng_chance(prng, 1, 10))
		r->value[FIELD_ETHERTYPE] = hand_values(arena, 0x0800, 0x0806);
}

static struct packet random_packet(struct prng *prng)
{
	uint32_t src = prng_below(prng, 9) << 8 | 7, dst = prng_below(prng, 9) << 8 | 9;
	struct packet p = prng_chance(prng, 2, 3) ? hand_packet4(src, dst) : hand_packet6(src, dst);

	p.live_src = (uint32_t)prng_u64(prng) & 255;
	p.live_dst = (uint32_t)prng_u64(prng) & 255;
	if (prng_chance(prng, 1, 8)) {
		p = (struct packet){ .family = FAMILY_OTHER, .present[FIELD_ETHERTYPE] = true, .value[FIELD_ETHERTYPE] = 0x0806 };
		p.present[FIELD_MAC] = p.present[FIELD_STATE] = true;
	}
	p.value[FIELD_STATE] = prng_below(prng, STATE_COUNT);
	return p;
}

/* Which sets each side may name: five of one and three of the other, and so on; more pairs than bits are refused. */
static void random_policies(enum engine engine, const char *name)
{
	struct prng prng;

	prng_init(&prng, prng_seed(name, 0));
	for (int round = 0; round < 150; round++) {
		struct arena *arena = arena_new();
		size_t n = 1 + prng_below(&prng, 150);
		struct policy *p = hand_policy(arena, n);
		struct compile_opts opts = { .engine = engine, .set_large = prng_below(&prng, 2) };
		uint32_t src = (uint32_t)prng_u64(&prng) & 31, dst = (uint32_t)prng_u64(&prng) & 0xe0;
		struct image img;

		name_sets(arena, p, 8);
		p->track = true;
		state_opts_default(&p->state);
		for (size_t i = 0; i < n; i++)
			random_rule(arena, &prng, hand_rule(p, i), src, prng_chance(&prng, 1, 2) ? dst : 0);
		hand_compile_opts(p, &opts, &img);
		assert_int_equal(!(ingress(&img)->flags & FW_DIRF_LISTS), engine != ENGINE_LISTS);
		for (int i = 0; i < 400; i++) {
			struct packet packet = random_packet(&prng);

			assert_true(hand_same(p, &img, &packet));
		}
		image_fini(&img);
		arena_free(arena);
	}
}

static void test_random_rows(void **state)
{
	(void)state;
	random_policies(ENGINE_ROWS, "compile_live rows");
}

static void test_random_lists(void **state)
{
	(void)state;
	random_policies(ENGINE_LISTS, "compile_live lists");
}

/* Which bits there are, which side each is about, and where the sets are named. */
static void test_header(void **state)
{
	struct arena *arena = arena_new();
	struct policy *p = hand_policy(arena, 3);
	const struct fw_live_ref *ref;
	struct image img;
	size_t n;

	(void)state;
	name_sets(arena, p, 3);
	hand_rule(p, 0)->live_src.sets = 4;
	hand_rule(p, 1)->live_src = (struct live_match){ .sets = 5, .negate = true };
	hand_rule(p, 2)->live_dst.sets = 4;
	hand_compile(p, &img);
	assert_int_equal(ingress(&img)->nsets, 3);
	assert_int_equal(ingress(&img)->live_bits, 7);
	assert_int_equal(ingress(&img)->set_sides, 4);
	for (int six = 0; six < 2; six++) {
		static const uint32_t index[] = { 0, 2, 2 };

		for (int k = 0; k < 3; k++) {
			assert_int_equal(blocks(&img)[2 * k + six].kind, FW_BLOCK_LIVE);
			assert_int_equal(blocks(&img)[2 * k + six].off, index[k]);
		}
	}
	/* The second set is named by no condition (`else ban` may name it), and is there all the same. */
	assert_int_equal(image_hdr(&img)->features, FW_FEAT_LIVE);
	ref = image_live(image_hdr(&img), &n);
	assert_int_equal(n, 3);
	assert_string_equal(image_str(image_hdr(&img), ref[1].name), "live1");
	assert_int_equal(ref[1].size, 1000);
	assert_int_equal(ref[1].timeout_ns, 3600000000000);
	assert_int_equal(ingress(&img)->dims >> FW_DIM_SRC, 0);
	image_fini(&img);
	arena_free(arena);
}

/* Eight pairs of set and side fit, and push large sets into the tries; nine are refused by the name of the limit. */
static void test_limit(void **state)
{
	const struct compile_opts all_large = { .set_large = 1 };
	struct arena *arena = arena_new();
	struct policy *p = hand_policy(arena, 10);
	struct str text = {};
	struct image img;

	(void)state;
	name_sets(arena, p, 8);
	for (int i = 0; i < 7; i++)
		hand_rule(p, i)->live_src.sets = 1u << i;
	hand_rule(p, 8)->src = hand_addr4(arena, 1, 2);
	hand_rule(p, 9)->dst = hand_addr4(arena, 5, 6);
	hand_compile_opts(p, &all_large, &img);
	assert_int_equal(ingress(&img)->nsets, 8);
	assert_int_equal(ingress(&img)->live_bits, 0x7f);
	assert_int_equal(ingress(&img)->dims >> FW_DIM_DST & 1, 1);
	image_fini(&img);
	hand_rule(p, 7)->live_dst.sets = 1;
	hand_compile_opts(p, &all_large, &img);
	assert_int_equal(ingress(&img)->live_bits, 0xff);
	assert_int_equal(ingress(&img)->dims >> FW_DIM_SRC & 1, 1);
	for (uint32_t live = 0; live < 256; live++) {
		struct packet packet = hand_packet4(live & 3, 5);

		packet.live_src = live;
		packet.live_dst = live >> 3;
		assert_true(hand_same(p, &img, &packet));
	}
	image_fini(&img);
	hand_rule(p, 8)->live_dst.sets = 2;
	assert_int_equal(hand_refused_opts(p, &all_large, &text), -E2BIG);
	assert_non_null(strstr(str_get(&text), "9 live sets"));
	assert_non_null(strstr(str_get(&text), "the limit is 8"));
	assert_non_null(strstr(str_get(&text), "FW_MAX_SETS"));
	str_fini(&text);
	arena_free(arena);
}

/* Nobody knows the members, so only what is hidden whoever they are is called hidden. */
static void test_never(void **state)
{
	static const struct {
		struct live_match first, last;
		bool never;
	} cases[] = {
		{ { 1, false }, { 1, false }, true },
		{ { 1, false }, { 1, true }, false },
		{ { 1, false }, { 2, false }, false },
		{ { 3, false }, { 2, false }, true }, /* from { @a, @b } hides from @b */
		{ { 2, false }, { 3, false }, false },
		{ { 1, true }, { 3, true }, true }, /* who is in neither is not in a */
		{ { 3, true }, { 1, true }, false },
		{ { 0, false }, { 1, false }, true },
		{ { 0, false }, { 1, true }, true },
		{ { 1, false }, { 0, false }, false },
		{ { 1, true }, { 0, false }, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (int side = 0; side < 2; side++) {
			struct arena *arena = arena_new();
			struct policy *p = hand_policy(arena, 3);
			struct image img;

			name_sets(arena, p, 2);
			*(side ? &hand_rule(p, 0)->live_dst : &hand_rule(p, 0)->live_src) = cases[i].first;
			*(side ? &hand_rule(p, 2)->live_dst : &hand_rule(p, 2)->live_src) = cases[i].last;
			hand_rule(p, 1)->live_src.sets = 2;
			hand_rule(p, 1)->live_dst.sets = 1;
			hand_compile(p, &img);
			assert_false(never(&img, 0));
			assert_int_equal(never(&img, 2), cases[i].never);
			image_fini(&img);
			arena_free(arena);
		}
	}
}

/* Frames that are not IP are in no set, and outside of none either. */
static void test_not_ip(void **state)
{
	struct arena *arena = arena_new();
	struct policy *p = hand_policy(arena, 3);
	struct packet other = { .family = FAMILY_OTHER, .live_src = 1, .present[FIELD_STATE] = true };
	struct image img;

	(void)state;
	name_sets(arena, p, 1);
	for (int i = 0; i < 3; i++)
		hand_rule(p, i)->families = HAND_ANY;
	hand_rule(p, 0)->live_src = (struct live_match){ .sets = 1 };
	hand_rule(p, 1)->live_src = (struct live_match){ .sets = 1, .negate = true };
	hand_compile(p, &img);
	assert_true(ingress(&img)->flags & FW_DIRF_L2);
	assert_int_equal(image_walk(&img, FW_DIR_INGRESS, &other, NULL, NULL).rule, 2);
	assert_true(hand_same(p, &img, &other));
	image_fini(&img);
	/* Written addresses beside the live set keep such frames away as little: they have no addresses to look at. */
	hand_rule(p, 1)->dst = hand_addr4(arena, 0, 5);
	for (int i = 0; i < 2; i++) {
		hand_compile(p, &img);
		assert_int_equal(image_walk(&img, FW_DIR_INGRESS, &other, NULL, NULL).rule, 2);
		image_fini(&img);
		hand_rule(p, 0)->live_src.negate = hand_rule(p, 1)->live_src.negate;
		hand_rule(p, 0)->dst = hand_rule(p, 1)->dst;
	}
	arena_free(arena);
}

/* A state that one rule takes is left to nobody; the others are. */
static void test_states(void **state)
{
	struct arena *arena = arena_new();
	struct policy *p = hand_policy(arena, 3);
	struct image img;

	(void)state;
	p->track = true;
	state_opts_default(&p->state);
	hand_rule(p, 0)->value[FIELD_STATE] = hand_values(arena, STATE_NONE, STATE_NEW);
	hand_rule(p, 1)->value[FIELD_STATE] = hand_values(arena, STATE_NEW, STATE_NEW);
	hand_rule(p, 2)->value[FIELD_STATE] = hand_values(arena, STATE_NONE, STATE_INVALID);
	hand_compile(p, &img);
	assert_false(never(&img, 0));
	assert_true(never(&img, 1));
	assert_false(never(&img, 2));
	for (unsigned int s = 0; s < STATE_COUNT; s++) {
		struct packet packet = hand_packet4(1, 2);

		packet.value[FIELD_STATE] = s;
		assert_int_equal(image_walk(&img, FW_DIR_INGRESS, &packet, NULL, NULL).rule, s > STATE_NEW ? 2 : 0);
		assert_true(hand_same(p, &img, &packet));
	}
	image_fini(&img);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "random rules on live sets and states, in rows", test_random_rows, NULL, NULL, NULL },
		{ "random rules on live sets and states, in lists", test_random_lists, NULL, NULL, NULL },
		{ "a live set has a bit per side that asks for it, and a name", test_header, NULL, NULL, NULL },
		{ "eight pairs of set and side fit, nine are refused", test_limit, NULL, NULL, NULL },
		{ "a rule is hidden only when it is, whoever is in the sets", test_never, NULL, NULL, NULL },
		{ "frames that are not IP are neither in a set nor out of it", test_not_ip, NULL, NULL, NULL },
		{ "every state finds its rule", test_states, NULL, NULL, NULL },
	};

	return cmocka_run_group_tests_name("compile_live", tests, NULL, NULL);
}
