// SPDX-License-Identifier: GPL-2.0-only
/* Logs in images: each rule, default and reason finds its own, and counters and meaning stay what they were. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "harness/handmade.h"
#include "harness/image_walk.h"
#include "harness/rulegen.h"
#include "lang/lang.h"
#include "model/limit.h"

static void assert_log(const struct log_opts *want, const struct fw_log *got)
{
	struct log_numbers n;

	assert_true(!want == !got);
	if (!want)
		return;
	n = log_numbers(want);
	assert_true(got->cost == n.cost && got->burst == n.burst);
	assert_int_equal(got->sample, want->sample);
}

static void assert_logs(const struct policy *p, const struct image *img)
{
	bool any = false;

	for (int d = 0; d < FW_DIR_COUNT; d++) {
		const struct fw_dir_hdr *h = &image_hdr(img)->dir[d];
		const struct chain *c = &p->chain[d];

		for (uint32_t i = 0; i < c->nrules; i++)
			assert_log(c->rules[i].log, image_walk_log(img, d, i));
		assert_log(c->log_default, image_walk_log_at(img, d, h->log_default));
		assert_log(c->log_reasons, image_walk_log_at(img, d, h->log_reasons));
		any |= h->nlogs;
	}
	assert_int_equal(!!(image_hdr(img)->features & FW_FEAT_LOG), any);
}

/* Policies of every style, in rows and in lists: beside everything else that rules ask for. */
static void test_random(void **state)
{
	struct prng prng;

	(void)state;
	prng_init(&prng, prng_seed("compile_log", 0));
	for (int i = 0; i < 150; i++) {
		struct arena *arena = arena_new();
		struct rulegen_opts opts = { .style = i % 2 ? RULEGEN_EDGES : prng_below(&prng, RULEGEN_STYLE_COUNT),
					     .nrules = prng_below(&prng, i % 10 ? 60 : 600),
					     .essentials = prng_chance(&prng, 1, 2),
					     .state = prng_chance(&prng, 1, 2),
					     .limits = prng_chance(&prng, 1, 2),
					     .reject = prng_chance(&prng, 1, 2),
					     .live = prng_below(&prng, 3),
					     .logs = true,
					     .log_limits = prng_chance(&prng, 3, 4) };
		struct compile_opts how = { .engine = (enum engine)(i % 3), .no_warnings = true };
		struct policy *p = rulegen_policy(arena, &prng, &opts);
		struct image img;

		assert_non_null(p);
		hand_compile_opts(p, &how, &img);
		assert_logs(p, &img);
		image_fini(&img);
		arena_free(arena);
	}
}

/* A policy from text: "" is an empty ingress block. */
static void make(const char *rules, struct image *ret)
{
	struct arena *arena = arena_new();
	struct str file = {}, text = {};
	struct ruleset *rs;
	struct diags d;
	const char *why;

	diags_init(&d, arena);
	str_addf(&file, "policy p { essentials off\ningress default drop {\n%s\n} }\n", rules);
	assert_int_equal(lang_parse(arena, "log.fw", str_get(&file), file.len, NULL, &d, &rs), 0);
	lang_print_policy(&rs->policies[0], &text);
	assert_int_equal(compile_policy(&rs->policies[0], "log.fw", str_get(&text), &d, NULL, ret), 0);
	assert_int_equal(image_check(ret->data, ret->len, &why), 0);
	str_fini(&file);
	str_fini(&text);
	diags_fini(&d);
	arena_free(arena);
}

static const struct fw_dir_hdr *ingress(const struct image *img)
{
	return &image_hdr(img)->dir[FW_DIR_INGRESS];
}

/* Without a rule there is still a default, and there are still reasons. */
static void test_no_rules(void **state)
{
	struct image img;

	(void)state;
	make("log default limit 5/s\nlog reasons", &img);
	assert_int_equal(image_hdr(&img)->features, FW_FEAT_LOG);
	assert_int_equal(ingress(&img)->nrules, 0);
	assert_int_equal(image_walk_log_at(&img, FW_DIR_INGRESS, ingress(&img)->log_default)->cost, 12800000000);
	assert_int_equal(image_walk_log_at(&img, FW_DIR_INGRESS, ingress(&img)->log_reasons)->cost, 0);
	assert_int_equal(image_hdr(&img)->dir[FW_DIR_EGRESS].nlogs, 0);
	image_fini(&img);
	make("", &img);
	assert_int_equal(image_hdr(&img)->features, 0);
	image_fini(&img);
}

/* A thousand rules that log alike are one log and one extra; a rule that counts apart keeps an extra of its own. */
static void test_shared(void **state)
{
	struct str rules = {};
	struct image img;

	(void)state;
	for (int i = 1; i <= 1000; i++)
		str_addf(&rules, "drop proto tcp to port %d log limit 5/s\n", i);
	str_add(&rules, "pass proto udp to port 1 limit 9/s log limit 5/s\npass proto udp to port 2 limit 9/s log limit 5/s\n"
			"pass proto udp to port 3\nlog default limit 5/s burst 5");
	make(str_get(&rules), &img);
	assert_int_equal(ingress(&img)->nlogs, 1);
	assert_int_equal(ingress(&img)->nextras, 3);
	assert_null(image_walk_log(&img, FW_DIR_INGRESS, 1002));
	image_fini(&img);
	str_fini(&rules);
}

/* Slots of rules that log, log otherwise, or no longer do are those that they had: their counters go on. */
static void test_counters_go_on(void **state)
{
	static const char *const steps[] = {
		"drop proto tcp to port 1\ncount proto udp\npass proto tcp to port 2 label \"two\"",
		"drop proto tcp to port 1 log\nlog proto udp\npass proto tcp to port 2 log label \"two\"",
		"pass proto tcp to port 2 label \"two\"\nlog reasons\nlog proto udp limit 1/s sample 1/9\ndrop proto tcp to "
		"port 1 log limit 3/s",
		"count proto udp\ndrop proto tcp to port 1\npass proto tcp to port 2 log limit 1/d label \"two\"",
	};
	static const size_t order[][3] = { { 0, 1, 2 }, { 0, 1, 2 }, { 2, 1, 0 }, { 1, 0, 2 } };
	struct image live = {}, next;
	uint32_t nslots[FW_DIR_COUNT];
	uint8_t digest[32];

	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		size_t n;
		const struct fw_meta_rule *rule;

		make(steps[i], &next);
		assert_int_equal(image_assign_slots(&next, i ? image_hdr(&live) : NULL, nslots), 0);
		rule = image_rules(image_hdr(&next), FW_DIR_INGRESS, &n);
		assert_int_equal(n, 3);
		for (size_t k = 0; k < n; k++)
			assert_int_equal(rule[order[i][k]].slot, FW_SLOT_RULE0 + k);
		/* It is another image all the same. */
		assert_true(!i || memcmp(digest, image_hdr(&next)->digest, sizeof(digest)));
		memcpy(digest, image_hdr(&next)->digest, sizeof(digest));
		image_fini(&live);
		live = next;
	}
	image_fini(&live);
}

/* Each of these is another policy than all others. */
static void test_digest(void **state)
{
	static const char *const rules[] = { "drop", "drop log", "drop log limit 1/s", "drop log limit 1/s burst 2", "drop log limit 60/m",
					     "drop log sample 1/2", "log\ndrop", "count\ndrop", "drop\nlog default", "drop\nlog reasons",
					     "drop\nlog reasons sample 1/2" };
	uint8_t digest[sizeof(rules) / sizeof(rules[0])][32];

	(void)state;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		struct image img;

		make(rules[i], &img);
		memcpy(digest[i], image_hdr(&img)->digest, sizeof(digest[i]));
		for (size_t k = 0; k < i; k++)
			if (!memcmp(digest[i], digest[k], sizeof(digest[i])))
				fail_msg("\"%s\" and \"%s\" have one digest", rules[i], rules[k]);
		image_fini(&img);
	}
}

/* A limit never tells of more than it says, and of hardly less; the whole burst fits into an empty bucket. */
static void test_numbers(void **state)
{
	struct prng prng;

	(void)state;
	prng_init(&prng, prng_seed("log numbers", 0));
	for (int i = 0; i < 100000; i++) {
		static const uint64_t periods[] = { 1000000000, 60000000000, 3600000000000, 86400000000000 };
		struct log_opts l = { .period_ns = periods[prng_below(&prng, 4)], .sample = 1 };
		struct log_numbers n;

		l.count = 1 + prng_below(&prng, l.period_ns / 100 < 1000000000 ? l.period_ns / 100 : 1000000000);
		l.burst = 1 + prng_below(&prng, l.count);
		n = log_numbers(&l);
		assert_true((u128)n.cost * l.count >= (u128)l.period_ns << LIMIT_UNIT_SHIFT);
		assert_true((u128)(n.cost - 1) * l.count < (u128)l.period_ns << LIMIT_UNIT_SHIFT);
		assert_true(n.burst == n.cost * l.burst && n.burst / l.burst == n.cost);
	}
	assert_int_equal(log_numbers(&(struct log_opts){ .sample = 9 }).cost, 0);
	assert_int_equal(log_numbers(&(struct log_opts){ .sample = 9 }).burst, 0);
}

/* A rule that another one hides is not asked, so it tells of nothing; a rule that only logs hides nobody. */
static void test_hidden(void **state)
{
	size_t n;
	const struct fw_meta_rule *rule;
	struct image img;

	(void)state;
	make("log\nlog proto tcp\ndrop proto tcp\npass proto tcp to port 5 log\nlog proto tcp to port 6\nlog proto udp", &img);
	rule = image_rules(image_hdr(&img), FW_DIR_INGRESS, &n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(!!(rule[i].flags & FW_RULEF_NEVER), i == 3 || i == 4);
	image_fini(&img);
}

static void test_dump(void **state)
{
	static const char *const words[] = { "needs events", "  logs 2 at ", "  the default: log 1\n", "  reasons: log 0\n" };
	struct str text = {};
	struct image img;

	(void)state;
	make("drop log limit 1/s\nlog default\nlog reasons limit 1/s", &img);
	image_dump(image_hdr(&img), &text);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strstr(str_get(&text), words[i]))
			fail_msg("no \"%s\" in\n%s", words[i], str_get(&text));
	str_fini(&text);
	image_fini(&img);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		{ "in random policies everybody finds its log", test_random, NULL, NULL, NULL },
		{ "defaults and reasons are told of without a rule", test_no_rules, NULL, NULL, NULL },
		{ "what is alike is shared", test_shared, NULL, NULL, NULL },
		{ "counters go on when a rule begins to log", test_counters_go_on, NULL, NULL, NULL },
		{ "what is told is part of the digest", test_digest, NULL, NULL, NULL },
		{ "a limit gives what it says", test_numbers, NULL, NULL, NULL },
		{ "a rule that only logs hides nobody", test_hidden, NULL, NULL, NULL },
		{ "the dump of an image shows them", test_dump, NULL, NULL, NULL },
	};

	return cmocka_run_group_tests_name("compile_log", tests, NULL, NULL);
}
