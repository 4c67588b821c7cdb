// SPDX-License-Identifier: GPL-2.0-only
/* Images that tell of packets: refused when what they say of it makes no sense. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/handmade.h"
#include "harness/prng.h"
#include "harness/rulegen.h"

static const struct log_opts slow = { .count = 5, .period_ns = 1000000000, .burst = 9, .sample = 1 };
static const struct log_opts some = { .sample = 8 };

/* Rules: 0 only logs, 1 drops and logs, 2 passes within a limit and logs, 3 counts, 4 drops. The egress block has no rule. */
static void make(struct image *ret)
{
	static const struct limit limit = { .count = 5, .period_ns = 1000000000, .burst = 9 };
	struct arena *arena = arena_new();
	struct policy *p = hand_policy(arena, 5);

	for (int i = 0; i < 5; i++)
		hand_rule(p, i)->value[FIELD_DPORT] = hand_values(arena, 20 + i, 20 + i);
	hand_rule(p, 0)->verdict = hand_rule(p, 3)->verdict = VERDICT_CONTINUE;
	hand_rule(p, 2)->verdict = VERDICT_PASS;
	hand_rule(p, 2)->limit = &limit;
	hand_rule(p, 0)->log = hand_rule(p, 1)->log = &slow;
	hand_rule(p, 2)->log = &some;
	p->chain[DIRECTION_INGRESS].log_default = &some;
	p->chain[DIRECTION_EGRESS].present = true;
	p->chain[DIRECTION_EGRESS].log_reasons = &slow;
	hand_compile(p, ret);
	arena_free(arena);
}

static int check(const struct image *img)
{
	const char *why = NULL;

	return image_check(img->data, img->len, &why);
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

static struct fw_log *logs(struct image *img, enum fw_dir dir)
{
	return (struct fw_log *)(img->data + image_hdr(img)->dir[dir].logs);
}

static void test_damaged_logs(void **state)
{
	struct image img;

	(void)state;
	make(&img);
	assert_int_equal(image_hdr(&img)->dir[0].nlogs, 2);
	assert_int_equal(image_hdr(&img)->dir[1].nlogs, 1);
	for (uint32_t i = 0; i < 2; i++)
		REFUSED(logs(&img, 0)[i].sample, 0);
	REFUSED(logs(&img, 0)[0].cost, 0);                            /* a burst of nothing */
	REFUSED(logs(&img, 0)[0].burst, 0);                           /* would never tell of anything */
	REFUSED(logs(&img, 0)[0].burst, logs(&img, 0)[0].cost - 1);
	REFUSED(logs(&img, 0)[1].cost, 1);
	REFUSED(logs(&img, 0)[1].burst, 1);
	REFUSED(logs(&img, 1)[0].sample, 0);
	REFUSED(logs(&img, 1)[0].burst, 0);
	image_fini(&img);
}

/* What a rule that does not decide asks for is a log, and nothing else: nobody would do it. */
static void test_damaged_extras(void **state)
{
	const struct fw_dir_hdr *h;
	struct fw_action *action;
	struct fw_extra *x;
	struct image img;
	uint32_t *of;

	(void)state;
	make(&img);
	h = &image_hdr(&img)->dir[0];
	x = (struct fw_extra *)(img.data + h->extras);
	of = (uint32_t *)(img.data + h->extra_of);
	action = (struct fw_action *)(img.data + h->actions);
	assert_int_equal(h->nextras, 2);
	assert_int_equal(of[0], of[1]);
	REFUSED(x[0].log, 0);
	REFUSED(x[0].log, 3);
	REFUSED(x[1].log, 3);
	REFUSED(x[0].flags, FW_EXTRA_LIMIT);
	REFUSED(x[0].flags, FW_EXTRA_ELSE_PASS);
	REFUSED(x[0].reject, FW_REJECT_PROHIBITED);
	REFUSED(x[0].max_conn, 1);
	REFUSED(of[0], 2); /* that of the rule with a limit */
	REFUSED(of[0], 3);
	REFUSED(of[0], 0);
	REFUSED(action[0].rule_verdict, action[0].rule_verdict & ~FW_ACTION_EXTRA);
	REFUSED(action[3].rule_verdict, action[3].rule_verdict | FW_ACTION_EXTRA);
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
	FORGED(h->features, h->features & ~FW_FEAT_LOG);
	FORGED(h->features, h->features | FW_FEAT_TAP); /* a tap is nothing that a policy asks for */
	for (int d = 0; d < FW_DIR_COUNT; d++) {
		FORGED(h->dir[d].nlogs, 0);
		FORGED(h->dir[d].nlogs, h->dir[d].nrules + 3);
		FORGED(h->dir[d].nlogs, UINT32_MAX);
		FORGED(h->dir[d].logs, 0);
		FORGED(h->dir[d].logs, h->hot_len);
		FORGED(h->dir[d].logs, h->dir[d].logs + 4);
		FORGED(h->dir[d].logs, UINT32_MAX & ~7u);
		FORGED(h->dir[d].log_default, h->dir[d].nlogs + 1);
		FORGED(h->dir[d].log_reasons, h->dir[d].nlogs + 1);
		FORGED(h->dir[d].log_reasons, UINT32_MAX);
	}
	FORGED(h->dir[0].nlogs, 1); /* rules name the second */
	assert_int_equal(check(&img), 0);
	image_fini(&img);
}

/* Bytes anywhere in the logs and in what names them: refused, or every reference is inside. */
static void test_noise(void **state)
{
	struct rulegen_opts opts = { .nrules = 40, .logs = true, .log_limits = true };
	struct arena *arena = arena_new();
	struct prng prng;
	struct image img;
	size_t good = 0;

	(void)state;
	prng_init(&prng, prng_seed("image_log noise", 0));
	hand_compile(rulegen_policy(arena, &prng, &opts), &img);
	for (int i = 0; i < 20000; i++) {
		struct fw_dir_hdr *h = &image_hdr(&img)->dir[prng_below(&prng, 2)];
		uint8_t *part = prng_chance(&prng, 1, 2) ? img.data + h->logs : img.data + h->extras;
		size_t len = part == img.data + h->logs ? h->nlogs * sizeof(struct fw_log) : h->nextras * sizeof(struct fw_extra);
		uint8_t *byte = part + prng_below(&prng, len), saved = *byte;

		*byte ^= (uint8_t)(1u << prng_below(&prng, 8));
		if (!check(&img)) {
			const struct fw_log *l = (const struct fw_log *)(img.data + h->logs);
			const struct fw_extra *x = (const struct fw_extra *)(img.data + h->extras);

			good++;
			for (uint32_t k = 0; k < h->nlogs; k++)
				assert_true(l[k].sample && !l[k].cost == !l[k].burst && l[k].cost <= l[k].burst);
			for (uint32_t k = 0; k < h->nextras; k++)
				assert_true(x[k].log <= h->nlogs);
		}
		*byte = saved;
	}
	assert_in_range(good, 1, 19999);
	image_fini(&img);
	arena_free(arena);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		{ "logs that make no sense are refused", test_damaged_logs, NULL, NULL, NULL },
		{ "a rule that only logs asks for nothing else", test_damaged_extras, NULL, NULL, NULL },
		{ "a header that does not fit what it says is refused", test_forged_header, NULL, NULL, NULL },
		{ "whatever is accepted leads inside", test_noise, NULL, NULL, NULL },
	};

	return cmocka_run_group_tests_name("image_log", tests, NULL, NULL);
}
