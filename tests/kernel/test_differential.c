// SPDX-License-Identifier: GPL-2.0-only
/* The loaded programs, XDP and TC, against the oracle: verdict, reason, rule, and the counters after each rule set. */
#include "kernel/judge.h"

#include <unistd.h>

#define PAIRS 50000 /* per hook */
#define SETS 40

static void random_pairs(void **state)
{
	enum fw_hook hook = (enum fw_hook)(uintptr_t)*state;
	unsigned long pairs = expect_env("FW_PAIRS", PAIRS), sets = expect_env("FW_SETS", SETS), i;
	struct prng prng;

	prng_init(&prng, prng_seed("kernel/test_differential", 0));
	for (i = 0; i < sets; i++) {
		struct rulegen_opts opts = {
			.nrules = i == 20 ? 10000 : i % 8 == 7 ? prng_range(&prng, 65, 400) : prng_range(&prng, 0, 64),
			.style = i == 20 ? RULEGEN_CLASSBENCH : RULEGEN_EDGES,
		};
		struct arena *arena = arena_new();
		struct policy *p = rulegen_policy(arena, &prng, &opts);
		struct image img = {};
		struct framegen fg;
		uint32_t nslots;

		expect_opts.engine = prng_chance(&prng, 1, 2) ? ENGINE_LISTS : ENGINE_ROWS;
		expect_forms(i);
		assert_non_null(p);
		framegen_init(&fg, &p->chain[hook == FW_HOOK_TC_EGRESS], prng_u64(&prng));
		fg.no_meta = true;
		expect_opts.engine = (enum engine)(i % 3);
		nslots = expect_compile(arena, p, hook == FW_HOOK_TC_EGRESS, &img);
		judge_image(p, &img, nslots, hook, &fg, pairs / sets);
		image_fini(&img);
		arena_free(arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "XDP judges random frames as the oracle does, and counts them", random_pairs, NULL, NULL,
		  (void *)FW_HOOK_XDP },
		{ "TC ingress judges random frames as the oracle does, and counts them", random_pairs, NULL, NULL,
		  (void *)FW_HOOK_TC_INGRESS },
		{ "TC egress judges random frames as the oracle does, and counts them", random_pairs, NULL, NULL,
		  (void *)FW_HOOK_TC_EGRESS },
	};

	if (geteuid()) {
		printf("1..1\nok 1 - kernel differential # SKIP needs root\n");
		return 0;
	}
	return cmocka_run_group_tests_name("kernel/differential", tests, NULL, NULL);
}
