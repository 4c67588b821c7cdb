// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rule sets of 1,000 to 100,000 rules, as real ones are, and hostile ones: compiled tables and the datapath's own
 * source against the oracle. FW_SETS_1K, FW_SETS_10K, FW_SETS_100K say how many sets; `make test-long` asks for many.
 */
#include "host/judge.h"

#include "host/scale.h"

#ifdef __SANITIZE_ADDRESS__
#define SHARE 10
#else
#define SHARE 1
#endif

static const struct scale_level levels[] = {
	{ 1000, 10000 / SHARE, 9, "FW_SETS_1K" },
	{ 10000, 5000 / SHARE, 9, "FW_SETS_10K" },
	{ 100000, 2000 / SHARE, 3, "FW_SETS_100K" },
};

static void real_sets(void **state)
{
	const struct scale_level *level = *state;
	unsigned long sets = expect_env(level->env, level->sets), refused = 0;
	struct prng prng;

	prng_init(&prng, prng_seed("host/test_scale", 0));
	for (unsigned long i = 0; i < sets; i++) {
		struct rulegen_opts opts = scale_opts(level, i);
		struct scale_run r;

		expect_opts.engine = scale_engine(level, i);
		if (scale_open(&r, &opts, &prng)) {
			refused++;
			continue;
		}
		judge_image(r.policy, &r.img, r.nslots, r.dir, &r.fg, level->frames);
		scale_close(&r);
	}
	print_message("# %lu pairs over %lu sets of %zu rules, %lu sets refused\n", (sets - refused) * level->frames,
		      sets, level->nrules, refused);
	/* Real sets are what the program is for. */
	assert_int_equal(refused, 0);
}

static void hostile_set(enum rulegen_style style, size_t n, enum engine engine, struct prng *prng)
{
	struct rulegen_opts opts = {
		.style = style, .nrules = n, .directions = 1u << DIRECTION_INGRESS, .no_count = prng_chance(prng, 1, 2)
	};
	struct scale_run r;

	expect_opts.engine = engine;
	if (scale_open(&r, &opts, prng)) {
		assert_true(n > 1000); /* that many, whatever they ask, are no burden */
		return;
	}
	judge_image(r.policy, &r.img, r.nslots, r.dir, &r.fg, n > 1000 ? 1000 / SHARE : 5000 / SHARE);
	scale_close(&r);
}

static void hostile_sets(void **state)
{
	static const size_t sizes[] = { 70, 1000, 10000 };
	struct prng prng;

	prng_init(&prng, prng_seed("host/test_scale hostile", 0));
	for (int style = RULEGEN_HOSTILE_FIRST; style < RULEGEN_STYLE_COUNT; style++)
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			hostile_set((enum rulegen_style)style, sizes[i], ENGINE_LISTS, &prng);
			hostile_set((enum rulegen_style)style, sizes[i], ENGINE_ROWS, &prng);
		}
}

static int done(void **state)
{
	shim_close();
	return 0;
}

#define LEVEL(i, name)                                                                                                 \
	{                                                                                                              \
		name, real_sets, NULL, NULL, (void *)&levels[i]                                                        \
	}
int main(void)
{
	const struct CMUnitTest tests[] = {
		LEVEL(0, "1,000 rules as real sets have them: verdict, reason, rule and counters are the oracle's"),
		LEVEL(1, "10,000 rules: the same"),
		LEVEL(2, "100,000 rules: the same"),
		{ "sets made to blow a compiler up are judged right, or refused by name", hostile_sets, NULL, NULL,
		  NULL },
	};

	return cmocka_run_group_tests_name("host/scale", tests, NULL, done);
}
