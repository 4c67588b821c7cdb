// SPDX-License-Identifier: GPL-2.0-only
/* The generators that other tests stand on: they must reach what they are there to reach. */
#include "base/arena.h"
#include "base/str.h"
#include "harness/framegen.h"
#include "harness/rulegen.h"
#include "model/eval.h"
#include "model/witness.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static uint64_t seed;

static struct policy *make(struct arena *a, uint64_t s, const struct rulegen_opts *opts)
{
	struct prng p;

	prng_init(&p, s);
	return rulegen_policy(a, &p, opts);
}

static void same_seed_same_rules_and_frames(void **state)
{
	struct rulegen_opts opts = {.nrules = 50};
	struct str first = {}, second = {};

	for (int run = 0; run < 2; run++) {
		struct str *out = run ? &second : &first;
		struct arena *a = arena_new();
		struct policy *policy = make(a, seed, &opts);
		struct framegen fg;
		uint8_t buf[FRAMEGEN_MAX];
		struct packet_meta meta;

		rulegen_describe_chain(&policy->chain[DIRECTION_INGRESS], out);
		rulegen_describe_chain(&policy->chain[DIRECTION_EGRESS], out);
		framegen_init(&fg, &policy->chain[DIRECTION_INGRESS], seed);
		for (int i = 0; i < 200; i++) {
			size_t len = framegen_next(&fg, buf, sizeof(buf), &meta);

			framegen_describe(buf, len, &meta, out);
		}
		arena_free(a);
	}
	assert_string_equal(str_get(&first), str_get(&second));
	str_fini(&first);
	str_fini(&second);
}

static void frames_reach_every_fault_and_reason(void **state)
{
	size_t faults[PACKET_FAULT_COUNT] = {}, reasons[EVAL_FAULT + 1] = {}, deep = 0, total = 0, meta_tags = 0;
	struct prng p;

	prng_init(&p, seed);
	for (int set = 0; set < 100; set++) {
		struct rulegen_opts opts = {.nrules = prng_range(&p, 0, 40)};
		struct arena *a = arena_new();
		struct policy *policy = make(a, prng_u64(&p), &opts);
		struct framegen fg;

		assert_non_null(policy);
		framegen_init(&fg, &policy->chain[DIRECTION_INGRESS], prng_u64(&p));
		for (int i = 0; i < 300; i++, total++) {
			uint8_t buf[FRAMEGEN_MAX];
			struct packet_meta meta;
			size_t len = framegen_next(&fg, buf, sizeof(buf), &meta);
			struct eval_result r =
				eval_frame(&policy->chain[DIRECTION_INGRESS], buf, len, &meta, NULL, NULL);

			assert_true(len <= sizeof(buf));
			reasons[r.reason]++;
			faults[r.fault]++;
			deep += r.rule >= 5;
			meta_tags += meta.vlan_present;
		}
		arena_free(a);
	}
	for (int i = 0; i < PACKET_FAULT_COUNT; i++) {
		print_message("# fault %s: %zu of %zu\n", packet_fault_word((enum packet_fault)i), faults[i], total);
		assert_true(faults[i] > total / 2000);
	}
	for (int i = 0; i <= EVAL_FAULT; i++) {
		print_message("# reason %d: %zu of %zu\n", i, reasons[i], total);
		assert_true(reasons[i] > total / 100);
	}
	print_message("# decided by rule 5 or later: %zu, metadata tags: %zu\n", deep, meta_tags);
	assert_true(deep > total / 50);
	assert_true(meta_tags > total / 100);
}

static void every_kind_of_field_decides(void **state)
{
	size_t used[FIELD_COUNT] = {}, counted = 0, empty = 0;
	struct prng p;

	prng_init(&p, seed + 1);
	for (int set = 0; set < 200; set++) {
		struct rulegen_opts opts = {.nrules = 20};
		struct arena *a = arena_new();
		struct policy *policy = make(a, prng_u64(&p), &opts);
		const struct chain *c = &policy->chain[DIRECTION_EGRESS];
		struct framegen fg;

		framegen_init(&fg, c, prng_u64(&p));
		for (size_t i = 0; i < c->nrules; i++)
			for (int id = 0; id < FIELD_VALUE_COUNT; id++)
				empty += c->rules[i].value[id] && !c->rules[i].value[id]->n;
		for (int i = 0; i < 200; i++) {
			uint8_t buf[FRAMEGEN_MAX];
			struct packet_meta meta;
			size_t len = framegen_next(&fg, buf, sizeof(buf), &meta);
			struct eval_result r = eval_frame(c, buf, len, &meta, NULL, NULL);
			const struct rule *rule = r.rule < 0 ? NULL : &c->rules[r.rule];

			for (int id = 0; rule && id < FIELD_VALUE_COUNT; id++)
				used[id] += rule->value[id] != NULL;
			used[FIELD_SRC] += rule && rule->src;
			used[FIELD_DST] += rule && rule->dst;
		}
		for (size_t i = 0; i < c->nrules; i++)
			counted += c->rules[i].verdict == VERDICT_CONTINUE;
		arena_free(a);
	}
	for (int id = 0; id < FIELD_COUNT; id++) {
		print_message("# field %d decided %zu times\n", id, used[id]);
		assert_true(id == FIELD_STATE ? !used[id] : used[id] >= 20);
	}
	assert_true(counted > 0);
	assert_true(empty > 0);
}

static void valid_only_frames_have_no_fault(void **state)
{
	struct rulegen_opts opts = {.nrules = 30};
	struct arena *a = arena_new();
	struct policy *policy = make(a, seed, &opts);
	struct framegen fg;

	framegen_init(&fg, &policy->chain[DIRECTION_INGRESS], seed);
	fg.valid_only = true;
	for (int i = 0; i < 20000; i++) {
		uint8_t buf[FRAMEGEN_MAX];
		struct packet_meta meta;
		struct packet packet;
		size_t len = framegen_next(&fg, buf, sizeof(buf), &meta);

		assert_int_equal(packet_parse(buf, len, &meta, &packet), PACKET_OK);
		assert_false(meta.vlan_present);
	}
	arena_free(a);
}

static void options_are_kept(void **state)
{
	struct rulegen_opts opts = {.nrules = 300,
				    .directions = 1u << DIRECTION_EGRESS,
				    .fields = 1u << FIELD_SRC | 1u << FIELD_DPORT,
				    .families = 1u << FAMILY_IPV4,
				    .no_count = true,
				    .no_empty = true,
				    .essentials = true,
				    .set_prefixes = 100};
	struct arena *a = arena_new();
	struct policy *policy = make(a, seed, &opts);
	const struct chain *c = &policy->chain[DIRECTION_EGRESS];

	assert_false(policy->chain[DIRECTION_INGRESS].present);
	assert_int_equal(c->nrules, 305);
	for (size_t i = 0; i < 300; i++) {
		const struct rule *r = &c->rules[i];

		assert_int_equal(r->families, 1u << FAMILY_IPV4);
		assert_int_not_equal(r->verdict, VERDICT_CONTINUE);
		assert_null(r->dst);
		for (int id = 0; id < FIELD_VALUE_COUNT; id++)
			if (id != FIELD_DPORT)
				assert_null(r->value[id]);
		if (r->value[FIELD_DPORT])
			assert_true(r->value[FIELD_DPORT]->n > 0);
	}
	assert_true(c->rules[304].essential);
	arena_free(a);
}

static void classbench_rules_have_witnesses(void **state)
{
	struct arena *a = arena_new();
	struct policy *policy;
	struct framegen fg;
	uint8_t buf[FRAMEGEN_MAX];
	struct prng p;

	prng_init(&p, seed);
	policy = rulegen_classbench(a, &p, 16384);
	assert_non_null(policy);
	framegen_init(&fg, &policy->chain[DIRECTION_INGRESS], seed);
	for (size_t i = 0; i < 16384; i++) {
		size_t len = framegen_match(&fg, i, buf, sizeof(buf));
		struct packet packet;

		assert_true(len >= 60);
		assert_int_equal(packet_parse(buf, len, NULL, &packet), PACKET_OK);
		assert_true(eval_rule(&policy->chain[DIRECTION_INGRESS].rules[i], &packet));
	}
	arena_free(a);
}

/* When witness_find says there is none, then no frame at all matches; when it gives one, it does match. */
static void witnesses_are_right_both_ways(void **state)
{
	size_t found = 0, none = 0;
	struct prng p;

	prng_init(&p, seed + 2);
	for (int set = 0; set < 300; set++) {
		struct rulegen_opts opts = {.nrules = 20, .directions = 1u << DIRECTION_INGRESS};
		struct arena *a = arena_new();
		struct policy *policy = make(a, prng_u64(&p), &opts);
		const struct chain *c = &policy->chain[DIRECTION_INGRESS];
		bool can[20] = {};
		static uint8_t buf[PACKET_MAX_FRAME];
		struct packet_meta meta;
		struct packet packet;
		struct framegen fg;

		for (size_t i = 0; i < c->nrules; i++) {
			struct packet_spec spec;
			int err = witness_find(&c->rules[i], prng_u64(&p), &spec);
			long len;

			if (err) {
				assert_int_equal(err, -ENOENT);
				none++;
				continue;
			}
			found++;
			can[i] = true;
			len = packet_build(&spec, buf, sizeof(buf));
			assert_true(len >= 60);
			assert_int_equal(packet_parse(buf, (size_t)len, NULL, &packet), PACKET_OK);
			assert_true(eval_rule(&c->rules[i], &packet));
		}
		framegen_init(&fg, c, prng_u64(&p));
		for (int n = 0; n < 200; n++) {
			size_t len = framegen_next(&fg, buf, sizeof(buf), &meta);

			if (packet_parse(buf, len, &meta, &packet) == PACKET_OK)
				for (size_t i = 0; i < c->nrules; i++)
					if (!can[i])
						assert_false(eval_rule(&c->rules[i], &packet));
		}
		arena_free(a);
	}
	print_message("# %zu rules with a witness, %zu without\n", found, none);
	assert_true(found > 4000);
	assert_true(none > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_seed_same_rules_and_frames),
		cmocka_unit_test(frames_reach_every_fault_and_reason),
		cmocka_unit_test(every_kind_of_field_decides),
		cmocka_unit_test(valid_only_frames_have_no_fault),
		cmocka_unit_test(options_are_kept),
		cmocka_unit_test(classbench_rules_have_witnesses),
		cmocka_unit_test(witnesses_are_right_both_ways),
	};

	seed = prng_seed("framegen", 0x5eed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
