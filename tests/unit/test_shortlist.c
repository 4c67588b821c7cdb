// SPDX-License-Identifier: GPL-2.0-only
/* The quick oracle says what the slow one says: random policies of every style, frames aimed at their rules, faults among them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/arena.h"
#include "harness/framegen.h"
#include "harness/rulegen.h"
#include "model/shortlist.h"

#define FRAMES 400

static void same(const struct eval_result *got, const struct eval_result *want, uint64_t seed, int frame)
{
	if (want->rule != got->rule || want->verdict != got->verdict || want->reason != got->reason || want->fault != got->fault ||
	    want->state != got->state)
		print_message("# FW_SEED=%llu, frame %d: rule %ld, not %ld\n", (unsigned long long)seed, frame, got->rule, want->rule);
	assert_int_equal(got->rule, want->rule);
	assert_int_equal(got->verdict, want->verdict);
	assert_int_equal(got->reason, want->reason);
	assert_int_equal(got->fault, want->fault);
	assert_int_equal(got->state, want->state);
}

static void compare(const struct chain *chain, uint64_t seed)
{
	struct shortlist *s = shortlist_new(chain);
	uint8_t buf[FRAMEGEN_MAX];
	struct packet_meta meta;
	struct framegen fg;

	assert_non_null(s);
	framegen_init(&fg, chain, seed);
	fg.no_meta = true;
	for (int i = 0; i < FRAMES; i++) {
		size_t len = framegen_next(&fg, buf, sizeof(buf), &meta);
		struct eval_result want = eval_frame(chain, buf, len, NULL, NULL, NULL);
		struct eval_result got = shortlist_eval(s, buf, len);
		struct eval_given given = { (enum state)prng_below(&fg.prng, STATE_COUNT), (uint32_t)prng_below(&fg.prng, 16),
					    (uint32_t)prng_below(&fg.prng, 16) };

		same(&got, &want, seed, i);
		want = eval_given(chain, buf, len, NULL, &given, NULL, NULL);
		got = shortlist_given(s, buf, len, &given);
		same(&got, &want, seed, i);
	}
	shortlist_free(s);
}

static void it_agrees_with_eval(void **state)
{
	uint64_t seed = prng_seed("shortlist", 0);
	static const size_t sizes[] = {0, 1, 63, 64, 65, 700};

	for (int style = 0; style <= RULEGEN_FLOWS; style++) {
		for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
			struct rulegen_opts opts = {.style = (enum rulegen_style)style, .nrules = sizes[i], .essentials = i & 1};
			struct arena *arena = arena_new();
			struct policy *policy;
			struct prng prng;

			prng_init(&prng, seed + (uint64_t)style * 100 + i);
			if (i % 3 == 2) {
				opts.state = opts.reject = true;
				opts.live = 4;
			}
			policy = rulegen_policy(arena, &prng, &opts);
			assert_non_null(policy);
			for (int dir = 0; dir < DIRECTION_COUNT; dir++)
				compare(&policy->chain[dir], seed + (uint64_t)dir);
			arena_free(arena);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_agrees_with_eval),
	};

	return cmocka_run_group_tests_name("shortlist", tests, NULL, NULL);
}
