// SPDX-License-Identifier: GPL-2.0-only
/* Images that name live sets: told which sets these are, again and again, and refused when what they say makes no sense. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/handmade.h"
#include "harness/image_walk.h"
#include "harness/prng.h"

/* Two live sets: the first is asked about on both sides, and banned into; the second is banned into alone. */
static void make(struct image *ret)
{
	static const struct limit limit = { .count = 5, .period_ns = 1000000000, .burst = 9, .per = PER_SRC, .plen4 = 24, .plen6 = 64 };
	struct arena *arena = arena_new();
	struct policy *p = hand_policy(arena, 5);

	hand_live(arena, p, "first");
	hand_live(arena, p, "second");
	p->track = true;
	state_opts_default(&p->state);
	for (int i = 0; i < 5; i++)
		hand_rule(p, i)->value[FIELD_STATE] = hand_values(arena, STATE_NONE, STATE_NEW);
	hand_rule(p, 0)->live_src.sets = 1;
	hand_rule(p, 1)->live_dst = (struct live_match){ .sets = 1, .negate = true };
	hand_rule(p, 1)->verdict = VERDICT_REJECT;
	hand_rule(p, 1)->reject = REJECT_UNREACHABLE;
	for (int i = 2; i < 5; i++) {
		hand_rule(p, i)->verdict = VERDICT_PASS;
		hand_rule(p, i)->value[FIELD_DPORT] = hand_values(arena, 20 + i, 20 + i);
		hand_rule(p, i)->limit = &limit;
	}
	hand_rule(p, 2)->over.ban = p->live[0];
	hand_rule(p, 3)->over.ban = p->live[1];
	hand_rule(p, 4)->keep_state = true;
	hand_rule(p, 4)->max_conn = 10;
	hand_compile(p, ret);
	arena_free(arena);
}

static struct fw_block *blocks(const struct image *img)
{
	return (struct fw_block *)(img->data + image_hdr(img)->dir[0].sets);
}

static struct fw_extra *extras(const struct image *img)
{
	return (struct fw_extra *)(img->data + image_hdr(img)->dir[0].extras);
}

static struct fw_live_ref *refs(const struct image *img)
{
	return (struct fw_live_ref *)(img->data + image_hdr(img)->live);
}

static int check(const struct image *img)
{
	const char *why = NULL;

	return image_check(img->data, img->len, &why);
}

static void assert_ids(const struct image *img, const uint32_t *ids)
{
	size_t bans = 0;

	for (size_t i = 0; i < 2; i++)
		assert_int_equal(refs(img)[i].id, ids[i]);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(blocks(img)[i].off, ids[0]);
	for (size_t i = 0; i < image_hdr(img)->dir[0].nextras; i++) {
		const struct fw_extra *x = &extras(img)[i];

		if (!(x->flags & FW_EXTRA_ELSE_BAN))
			continue;
		bans++;
		assert_int_equal(x->ban, ids[FW_EXTRA_BAN_REF(x->flags)]);
	}
	assert_int_equal(bans, 2);
	assert_int_equal(check(img), 0);
}

/* The numbers are written everywhere, as often as one likes; nothing else changes, least of all who the image is. */
static void test_assign(void **state)
{
	static const uint32_t ids[][2] = { { 3, 0 }, { 1, 2 }, { 7, 6 }, { 3, 0 }, { 0, 1 } };
	struct image img, plain;
	struct packet packet = hand_packet4(1, 2);

	(void)state;
	make(&img);
	make(&plain);
	packet.live_src = 1;
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		image_assign_live(&img, ids[i]);
		assert_ids(&img, ids[i]);
		assert_memory_equal(img.data, plain.data, sizeof(struct fw_image));
		assert_int_equal(image_walk(&img, FW_DIR_INGRESS, &packet, NULL, NULL).rule, 0);
		/* Given the index for an id, it is the compiled image again. */
		image_assign_live(&img, (const uint32_t[]){ 0, 1 });
		refs(&img)[1].id = 0;
		assert_memory_equal(img.data, plain.data, img.len);
	}
	image_fini(&img);
	image_fini(&plain);
}

/* An image without live sets has nothing to be told. */
static void test_assign_none(void **state)
{
	struct image img;

	(void)state;
	assert_int_equal(image_pass_all("any", &img), 0);
	image_assign_live(&img, NULL);
	assert_int_equal(check(&img), 0);
	image_fini(&img);
}

/* Copied as large sets are, a live set would be somebody else's bytes. */
static void test_not_copied(void **state)
{
	struct arena *arena = arena_new();
	struct policy *p = hand_policy(arena, 2);
	struct compile_opts opts = { .set_large = 1 };
	struct image before, plain, again;

	(void)state;
	hand_live(arena, p, "live");
	hand_rule(p, 0)->live_src.sets = 1;
	hand_rule(p, 1)->src = hand_addr4(arena, 4, 9);
	hand_compile_opts(p, &opts, &before);
	hand_compile_opts(p, &opts, &plain);
	image_assign_live(&before, (const uint32_t[]){ 5 });
	opts.previous = image_hdr(&before);
	opts.previous_len = before.len;
	hand_compile_opts(p, &opts, &again);
	assert_int_equal(again.len, plain.len);
	assert_memory_equal(again.data, plain.data, plain.len);
	image_fini(&before);
	image_fini(&plain);
	image_fini(&again);
	arena_free(arena);
}

/* One word of the body, changed to something that makes no sense. */
#define REFUSED(lvalue, value)                                                                                         \
	do {                                                                                                           \
		typeof(lvalue) saved_ = (lvalue);                                                                      \
		(lvalue) = (value);                                                                                    \
		assert_int_equal(check(&img), -EINVAL);                                                                \
		(lvalue) = saved_;                                                                                     \
		assert_int_equal(check(&img), 0);                                                                      \
	} while (0)

static void test_damaged_body(void **state)
{
	struct fw_action *action;
	struct fw_extra *x;
	uint32_t *of;
	struct image img;

	(void)state;
	make(&img);
	x = extras(&img);
	of = (uint32_t *)(img.data + image_hdr(&img)->dir[0].extra_of);
	action = (struct fw_action *)(img.data + image_hdr(&img)->dir[0].actions);
	REFUSED(blocks(&img)[0].kind, FW_BLOCK_NONE);
	REFUSED(blocks(&img)[0].kind, FW_BLOCK_KINDS);
	REFUSED(blocks(&img)[0].nets, 2);
	REFUSED(blocks(&img)[0].off, FW_MAX_LIVE);
	REFUSED(blocks(&img)[1].nets, 1); /* IPv6 is asked about another set than IPv4 */
	REFUSED(blocks(&img)[1].off, 5);
	REFUSED(blocks(&img)[2].len, 64);
	REFUSED(refs(&img)[0].name, image_hdr(&img)->meta_len);
	REFUSED(refs(&img)[0].size, 0);
	REFUSED(refs(&img)[0].size, FW_MAX_LIVE_SIZE + 1);
	REFUSED(refs(&img)[1].flags, 4);
	REFUSED(refs(&img)[1].id, FW_MAX_LIVE);
	for (uint32_t i = 0; i < image_hdr(&img)->dir[0].nextras; i++) {
		bool limit = x[i].flags & FW_EXTRA_LIMIT, ban = x[i].flags & FW_EXTRA_ELSE_BAN;

		REFUSED(x[i].flags, x[i].flags | 128);
		REFUSED(x[i].flags, x[i].flags | FW_EXTRA_SYNPROXY); /* no such feature */
		REFUSED(x[i].flags, x[i].flags | 2u << 24);
		REFUSED(x[i].ban, FW_MAX_LIVE);
		REFUSED(x[i].per, FW_PER_FLOW + 1);
		REFUSED(x[i].reject, FW_REJECT_PROHIBITED + 1);
		REFUSED(x[i].max_conn, FW_MAX_CONN + 1);
		REFUSED(x[i].plen[0], 33);
		REFUSED(x[i].plen[1], 129);
		REFUSED(x[i].conn_plen[0], 33);
		REFUSED(x[i].conn_plen[1], 129);
		if (limit) {
			REFUSED(x[i].mult, 0);
			REFUSED(x[i].burst, 0);
			REFUSED(x[i].shift, 64);
		} else {
			REFUSED(x[i].flags, x[i].flags | FW_EXTRA_FINE);
		}
		if (!ban)
			REFUSED(x[i].ban, 1);
	}
	REFUSED(of[0], 1);
	REFUSED(of[1], 0);
	REFUSED(of[1], image_hdr(&img)->dir[0].nextras + 1);
	REFUSED(action[0].rule_verdict, action[0].rule_verdict | FW_ACTION_EXTRA);
	REFUSED(action[1].rule_verdict, action[1].rule_verdict & ~FW_ACTION_EXTRA);
	REFUSED(action[1].rule_verdict, action[1].rule_verdict | 16);
	image_fini(&img);
}

/* The header says so itself, with the right check: what it says must fit together. */
#define FORGED(lvalue, value)                                                                                          \
	do {                                                                                                           \
		struct fw_image saved_ = *h;                                                                           \
		(lvalue) = (value);                                                                                    \
		h->check = image_header_check(h);                                                                      \
		assert_int_equal(check(&img), -EINVAL);                                                                \
		*h = saved_;                                                                                           \
	} while (0)

static void test_forged_header(void **state)
{
	struct fw_image *h;
	struct image img;

	(void)state;
	make(&img);
	h = image_hdr(&img);
	for (int bit = 0; bit < 32; bit++)
		if (1u << bit != FW_FEAT_SYNPROXY && 1u << bit != FW_FEAT_LOG) /* harmless when nobody asks for it */
			FORGED(h->features, h->features ^ 1u << bit);
	FORGED(h->nlive, 0);
	FORGED(h->nlive, 1);
	FORGED(h->nlive, FW_MAX_LIVE + 1);
	FORGED(h->live, 0);
	FORGED(h->live, h->hot_len);
	FORGED(h->live, h->live + 4);
	FORGED(h->state.size, 0);
	FORGED(h->state.size, FW_MAX_FLOWS + 1);
	FORGED(h->state.pending, 0);
	FORGED(h->state.pending, FW_MAX_FLOWS + 1);
	FORGED(h->state.flags, 8);
	for (int d = 0; d < FW_DIR_COUNT; d++) {
		FORGED(h->dir[d].flags, h->dir[d].flags ^ FW_DIRF_TRACK);
		FORGED(h->dir[d].flags, h->dir[d].flags | 32);
		FORGED(h->dir[d].nextras, h->dir[d].nextras + 1);
		FORGED(h->dir[d].live_bits, 4);
	}
	FORGED(h->dir[0].live_bits, 1);
	FORGED(h->dir[0].live_bits, 0);
	FORGED(h->dir[0].nextras, 0);
	FORGED(h->dir[0].nextras, h->dir[0].nextras - 1);
	FORGED(h->dir[0].nextras, UINT32_MAX);
	FORGED(h->dir[0].extras, h->hot_len);
	FORGED(h->dir[0].extras, h->dir[0].extras + 4);
	FORGED(h->dir[0].extra_of, h->hot_len);
	FORGED(h->dir[0].extra_of, 0);
	FORGED(h->dir[0].set_sides, 4);
	assert_int_equal(check(&img), 0);
	image_fini(&img);
}

/* The live sets are known to who reads names alone; and any damage to these bytes leads nowhere outside of the image. */
static void test_names(void **state)
{
	const char *why;
	struct prng prng;
	struct image img;
	size_t from, n;
	uint8_t *copy;

	(void)state;
	make(&img);
	from = image_meta_start(image_hdr(&img));
	copy = malloc(img.len);
	assert_non_null(copy);
	memcpy(copy, img.data, img.len);
	memset(copy + sizeof(struct fw_image), 0, from - sizeof(struct fw_image));
	assert_int_equal(image_check_meta(copy, img.len, &why), 0);
	assert_string_equal(image_str((struct fw_image *)copy, image_live((struct fw_image *)copy, &n)[1].name), "second");
	assert_int_equal(n, 2);
	prng_init(&prng, prng_seed("image_live names", 0));
	for (int i = 0; i < 20000; i++) {
		uint32_t *word = (uint32_t *)(copy + from + prng_below(&prng, (img.len - from) / 4) * 4), saved = *word;

		*word ^= prng_chance(&prng, 1, 4) ? (uint32_t)prng_u64(&prng) : 1u << prng_below(&prng, 32);
		if (!image_check_meta(copy, img.len, &why))
			for (size_t k = 0; k < 2; k++)
				assert_true(strlen(image_str((struct fw_image *)copy, image_live((struct fw_image *)copy, &n)[k].name)) <
					    img.len);
		*word = saved;
	}
	free(copy);
	image_fini(&img);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "ids are written wherever live sets are named, and nothing else is", test_assign, NULL, NULL, NULL },
		{ "an image without live sets takes no ids", test_assign_none, NULL, NULL, NULL },
		{ "a live set is not copied from another image", test_not_copied, NULL, NULL, NULL },
		{ "blocks, refs and extras that make no sense are refused", test_damaged_body, NULL, NULL, NULL },
		{ "a header that does not fit what it says is refused", test_forged_header, NULL, NULL, NULL },
		{ "live sets are told without the tables", test_names, NULL, NULL, NULL },
	};

	return cmocka_run_group_tests_name("image_live", tests, NULL, NULL);
}
