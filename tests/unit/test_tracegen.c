// SPDX-License-Identifier: GPL-2.0-only
/* Traces hit the rules that they aim at, as often as they should, and repeat by their seed. */
#include "base/arena.h"
#include "harness/rulegen.h"
#include "harness/tracegen.h"
#include "model/eval.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint64_t seed;

/* Frames of a trace: how many the aimed rule decides, and how often the most frequent rule is aimed at. */
struct aimed {
	size_t decided, most, sources;
};

static struct aimed play(const struct chain *c, enum trace_kind kind, size_t frames)
{
	size_t *count = calloc(c->nrules, sizeof(*count));
	struct aimed ret = {};
	uint8_t buf[128], last[128] = {};
	struct tracegen tg;

	assert_int_equal(tracegen_init(&tg, c, kind, seed), 0);
	for (size_t i = 0; i < frames; i++) {
		size_t rule, len = tracegen_next(&tg, buf, sizeof(buf), &rule);
		struct eval_result r = eval_frame(c, buf, len, NULL, NULL, NULL);

		assert_in_range(len, 60, 96);
		assert_int_not_equal(r.reason, EVAL_FAULT);
		ret.decided += r.rule == (long)rule;
		ret.most = ++count[rule] > ret.most ? count[rule] : ret.most;
		ret.sources += memcmp(buf + 26, last + 26, 4) != 0;
		memcpy(last, buf, sizeof(last));
	}
	tracegen_fini(&tg);
	free(count);
	return ret;
}

static void traces_hit_what_they_aim_at(void **state)
{
	for (int style = RULEGEN_REAL_FIRST; style < RULEGEN_HOSTILE_FIRST; style++) {
		struct arena *a = arena_new();
		const struct chain *c =
			&rulegen_plain(a, seed, (enum rulegen_style)style, 1000)->chain[DIRECTION_INGRESS];
		struct aimed uniform = play(c, TRACE_UNIFORM, 5000), zipf = play(c, TRACE_ZIPF, 5000),
			     flood = play(c, TRACE_FLOOD, 5000);

		assert_in_range(uniform.decided, 4500, 5000);
		assert_in_range(uniform.most, 6, 40); /* five each */
		assert_in_range(zipf.decided, 4000, 5000);
		assert_in_range(zipf.most, 500, 850); /* 1 / H(1000) = 13 % */
		assert_true(flood.decided < 2500);
		assert_in_range(flood.sources, 4990, 5000);
		arena_free(a);
	}
}

static void traces_repeat_by_seed(void **state)
{
	struct arena *a = arena_new();
	const struct chain *c = &rulegen_plain(a, seed, RULEGEN_FW, 200)->chain[DIRECTION_INGRESS];

	for (int kind = 0; kind < TRACE_KIND_COUNT; kind++) {
		struct tracegen x, y;
		uint8_t one[128], two[128];
		size_t rule;

		assert_int_equal(tracegen_init(&x, c, (enum trace_kind)kind, 5), 0);
		assert_int_equal(tracegen_init(&y, c, (enum trace_kind)kind, 5), 0);
		for (int i = 0; i < 100; i++) {
			assert_true(tracegen_next(&x, one, sizeof(one), &rule) > 0);
			assert_true(tracegen_next(&y, two, sizeof(two), &rule) > 0);
			assert_memory_equal(one, two, sizeof(one));
		}
		tracegen_fini(&x);
		tracegen_fini(&y);
	}
	arena_free(a);
}

static void nothing_to_aim_at(void **state)
{
	struct rule never = { .families = 0, .text = "never" };
	struct chain none = { .present = true }, one = { .present = true, .rules = &never, .nrules = 1 };
	struct tracegen tg;
	uint8_t buf[128];
	size_t rule;

	assert_int_equal(tracegen_init(&tg, &none, TRACE_UNIFORM, 1), -EINVAL);
	assert_int_equal(tracegen_init(&tg, &one, TRACE_ZIPF, 1), 0);
	assert_int_equal(tracegen_next(&tg, buf, sizeof(buf), &rule), 0);
	tracegen_fini(&tg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(traces_hit_what_they_aim_at),
		cmocka_unit_test(traces_repeat_by_seed),
		cmocka_unit_test(nothing_to_aim_at),
	};

	seed = prng_seed("unit/tracegen", 11);
	return cmocka_run_group_tests_name("unit/tracegen", tests, NULL, NULL);
}
