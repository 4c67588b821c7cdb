// SPDX-License-Identifier: GPL-2.0-only
/*
 * The loaded programs on rule sets of 1,000 to 100,000 rules, each hook in turn. FW_SETS_1K, FW_SETS_10K, FW_SETS_100K
 * say how many sets; `make test-long` asks for many.
 */
#include "kernel/judge.h"

#include "host/scale.h"

#include <unistd.h>

static const struct scale_level levels[] = {
	{ 1000, 10000, 3, "FW_SETS_1K" },
	{ 10000, 5000, 3, "FW_SETS_10K" },
	{ 100000, 1000, 2, "FW_SETS_100K" },
};

static void real_sets(void **state)
{
	const struct scale_level *level = *state;
	unsigned long sets = expect_env(level->env, level->sets), refused = 0;
	struct prng prng;

	prng_init(&prng, prng_seed("kernel/test_scale", 0));
	for (unsigned long i = 0; i < sets; i++) {
		enum fw_hook hook = (enum fw_hook)(i % FW_HOOK_COUNT);
		struct rulegen_opts opts = scale_opts(level, i / FW_HOOK_COUNT + i);
		struct scale_run r;

		expect_opts.engine = scale_engine(level, 2 * i);
		opts.directions = 1u << (hook == FW_HOOK_TC_EGRESS ? DIRECTION_EGRESS : DIRECTION_INGRESS);
		if (scale_open(&r, &opts, &prng)) {
			refused++;
			continue;
		}
		r.fg.no_meta = true;
		judge_image(r.policy, &r.img, r.nslots, hook, &r.fg, level->frames);
		scale_close(&r);
	}
	print_message("# %lu pairs over %lu sets of %zu rules, %lu sets refused\n", (sets - refused) * level->frames,
		      sets, level->nrules, refused);
	assert_int_equal(refused, 0);
}

#define LEVEL(i, name)                                                                                                 \
	{                                                                                                              \
		name, real_sets, NULL, NULL, (void *)&levels[i]                                                        \
	}
int main(void)
{
	const struct CMUnitTest tests[] = {
		LEVEL(0, "1,000 rules as real sets have them: every hook judges and counts as the oracle does"),
		LEVEL(1, "10,000 rules: the same"),
		LEVEL(2, "100,000 rules: the same"),
	};

	if (geteuid()) {
		printf("1..1\nok 1 - kernel scale # SKIP needs root\n");
		return 0;
	}
	return cmocka_run_group_tests_name("kernel/scale", tests, NULL, NULL);
}
