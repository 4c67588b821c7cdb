// SPDX-License-Identifier: GPL-2.0-only
/* Compiled tables, read by image_walk, against the oracle: random policies, frames aimed at their rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "compile/compile.h"
#include "harness/framegen.h"
#include "harness/handmade.h"
#include "harness/image_walk.h"
#include "harness/rulegen.h"

struct counted {
	const struct fw_meta_rule *rules; /* with their flags */
	size_t n, sum;
};

static void count_rule(void *ctx, size_t rule)
{
	struct counted *c = ctx;

	assert_false(c->rules[rule].flags & FW_RULEF_NEVER);
	c->n++;
	c->sum = c->sum * 31 + rule;
}

static void report(const struct chain *chain, const uint8_t *frame, size_t len, const struct eval_result *want,
		   const struct eval_result *got)
{
	struct str s = {};

	framegen_describe(frame, len, NULL, &s);
	str_addf(&s, "\noracle: rule %ld, %s; image: rule %ld, %s\n", want->rule, eval_reason_word(want), got->rule,
		 eval_reason_word(got));
	rulegen_describe_chain(chain, &s);
	print_message("# %s\n", str_get(&s));
	str_fini(&s);
}

/* What no frame says of itself: mostly a new packet outside of all sets, so that rules about other things are met, too. */
static void draw_given(struct prng *prng, const struct policy *policy, struct packet *p)
{
	if (policy->track && p->family != FAMILY_OTHER)
		p->value[FIELD_STATE] = prng_chance(prng, 1, 3) ? prng_below(prng, STATE_COUNT) : STATE_NEW;
	if (!policy->nlive || prng_chance(prng, 1, 3))
		return;
	p->live_src = (uint32_t)prng_u64(prng) & ((1u << policy->nlive) - 1);
	p->live_dst = (uint32_t)prng_u64(prng) & ((1u << policy->nlive) - 1);
}

static void compare_frame(struct prng *prng, const struct image *img, const struct policy *policy, enum fw_dir dir,
			  const uint8_t *frame, size_t len, const struct packet_meta *meta)
{
	const struct chain *chain = &policy->chain[dir];
	struct counted want_counted = {}, got_counted = {};
	struct eval_result want, got;
	struct packet p = {};
	size_t n;

	if (packet_parse(frame, len, meta, &p))
		return;
	draw_given(prng, policy, &p);
	want_counted.rules = got_counted.rules = image_rules(image_hdr(img), dir, &n);
	want = eval_packet(chain, &p, count_rule, &want_counted);
	got = image_walk(img, dir, &p, count_rule, &got_counted);
	if (want.rule != got.rule || want.verdict != got.verdict || want.reason != got.reason)
		report(chain, frame, len, &want, &got);
	assert_int_equal(got.rule, want.rule);
	assert_int_equal(got.verdict, want.verdict);
	assert_int_equal(got.reason, want.reason);
	assert_int_equal(got_counted.n, want_counted.n);
	assert_int_equal(got_counted.sum, want_counted.sum);
	/* A rule that is said never to match must not be met. */
	assert_true(want.rule < 0 || !(want_counted.rules[want.rule].flags & FW_RULEF_NEVER));
}

static void compare_image(struct prng *prng, const struct policy *policy, const struct image *img, size_t frames)
{
	uint8_t buf[FRAMEGEN_MAX];

	for (int dir = 0; dir < DIRECTION_COUNT; dir++) {
		const struct chain *chain = &policy->chain[dir];
		struct framegen fg;

		framegen_init(&fg, chain, prng_u64(prng));
		fg.valid_only = prng_chance(prng, 3, 4);
		for (size_t i = 0; i < frames; i++) {
			struct packet_meta meta = {};
			size_t len = framegen_next(&fg, buf, sizeof(buf), &meta);

			compare_frame(prng, img, policy, dir, buf, len, &meta);
		}
	}
}

/* Which rules are said never to match must not depend on the engine. */
static void compare_never(const struct image *a, const struct image *b)
{
	for (int dir = 0; dir < FW_DIR_COUNT; dir++) {
		size_t n;
		const struct fw_meta_rule *x = image_rules(image_hdr(a), dir, &n), *y = image_rules(image_hdr(b), dir, &n);

		for (size_t i = 0; i < n; i++)
			assert_int_equal(x[i].flags, y[i].flags);
	}
}

static size_t blocks[2]; /* of large sets, met so far, by engine */

static void compare_policy(struct prng *prng, const struct rulegen_opts *opts, size_t frames)
{
	static const enum engine engine[] = { ENGINE_ROWS, ENGINE_LISTS };
	struct arena *arena = arena_new();
	struct policy *policy = rulegen_policy(arena, prng, opts);
	struct image img[2] = {};

	assert_non_null(policy);
	for (int i = 0; i < 2; i++) {
		struct compile_opts how = { .engine = engine[i], .set_large = opts->set_prefixes / 8 };

		hand_compile_opts(policy, &how, &img[i]);
		compare_image(prng, policy, &img[i], frames);
		blocks[i] += image_hdr(&img[i])->dir[0].nsets + image_hdr(&img[i])->dir[1].nsets;
	}
	if (opts->nrules <= 400)
		compare_never(&img[0], &img[1]);
	for (int i = 0; i < 2; i++)
		image_fini(&img[i]);
	arena_free(arena);
}

static void test_edges(void **state)
{
	struct prng prng;

	(void)state;
	prng_init(&prng, prng_seed("test_edges", 0));
	for (int i = 0; i < 400; i++) {
		struct rulegen_opts opts = { .nrules = prng_below(&prng, 40), .essentials = prng_chance(&prng, 1, 2) };

		compare_policy(&prng, &opts, 100);
	}
}

/* Few fields at a time: the choice of dimensions, and of PROTO for the family, changes from policy to policy. */
static void test_few_fields(void **state)
{
	struct prng prng;

	(void)state;
	prng_init(&prng, prng_seed("test_few_fields", 0));
	for (int i = 0; i < 800; i++) {
		struct rulegen_opts opts = { .style = RULEGEN_EDGES, .nrules = 1 + prng_below(&prng, 6) };

		for (int k = 0; k < 2; k++)
			opts.fields |= 1u << prng_below(&prng, FIELD_COUNT);
		compare_policy(&prng, &opts, 50);
	}
}

/* More than one summary word, long rows. */
static void test_many_rules(void **state)
{
	static const size_t sizes[] = { 63, 64, 65, 127, 128, 129, 1000, 4096, 4097 };
	struct prng prng;

	(void)state;
	prng_init(&prng, prng_seed("test_many_rules", 0));
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct rulegen_opts opts = { .style = RULEGEN_CLASSBENCH, .nrules = sizes[i] };

		compare_policy(&prng, &opts, 200);
		opts.style = RULEGEN_EDGES;
		compare_policy(&prng, &opts, 200);
		opts.no_count = true;
		compare_policy(&prng, &opts, 200);
		opts.style = RULEGEN_CLASSBENCH;
		compare_policy(&prng, &opts, 200);
	}
}

/* States and live sets beside all other conditions, in policies of every style; what else such rules ask for is in the image. */
static void test_stateful(void **state)
{
	struct prng prng;

	(void)state;
	prng_init(&prng, prng_seed("test_stateful", 0));
	for (int i = 0; i < 300; i++) {
		struct rulegen_opts opts = { .style = i % 3 ? RULEGEN_EDGES : prng_below(&prng, RULEGEN_STYLE_COUNT),
					     .nrules = 1 + prng_below(&prng, i % 10 ? 60 : 600),
					     .essentials = prng_chance(&prng, 1, 2),
					     .set_prefixes = prng_chance(&prng, 1, 4) ? 100 : 0,
					     .state = prng_chance(&prng, 3, 4),
					     .limits = prng_chance(&prng, 1, 2),
					     .reject = prng_chance(&prng, 1, 2),
					     .live = prng_below(&prng, 5),
					     .logs = prng_chance(&prng, 1, 2) };

		compare_policy(&prng, &opts, 100);
	}
}

static void test_lists(void **state)
{
	struct prng prng;

	(void)state;
	prng_init(&prng, prng_seed("test_lists", 0));
	for (int i = 0; i < 20; i++) {
		struct rulegen_opts opts = { .style = RULEGEN_EDGES, .nrules = 20, .set_prefixes = 500 };

		compare_policy(&prng, &opts, 200);
	}
	assert_true(blocks[0] && blocks[1]);
}

/* Rule sets as real ones are, and those that are made to blow a compiler up. */
static void test_families(void **state)
{
	static const size_t sizes[] = { 65, 700, 2000 };
	struct prng prng;

	(void)state;
	prng_init(&prng, prng_seed("test_families", 0));
	for (enum rulegen_style style = RULEGEN_REAL_FIRST; style < RULEGEN_STYLE_COUNT; style++) {
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			struct rulegen_opts opts = { .style = style, .nrules = sizes[i], .directions = 1 };

			compare_policy(&prng, &opts, 200);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "random policies over every field: image and oracle agree", test_edges, NULL, NULL, NULL },
		{ "random policies over few fields: image and oracle agree", test_few_fields, NULL, NULL, NULL },
		{ "rule counts around the word and summary sizes: image and oracle agree", test_many_rules, NULL, NULL,
		  NULL },
		{ "rule sets as real ones are, and hostile ones: image and oracle agree", test_families, NULL, NULL, NULL },
		{ "states and live sets among random conditions: image and oracle agree", test_stateful, NULL, NULL, NULL },
		{ "rules with long lists: image and oracle agree", test_lists, NULL, NULL, NULL },
	};

	return cmocka_run_group_tests_name("compile_random", tests, NULL, NULL);
}
