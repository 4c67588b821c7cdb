/* SPDX-License-Identifier: GPL-2.0-only */
/* Large rule sets for the differential tests: which ones, how many, and what a compiler may refuse. */
#ifndef FW_TESTS_SCALE_H
#define FW_TESTS_SCALE_H

#include "host/expect.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Sets of one size, and the frames that each of them judges. The environment may ask for more sets. */
struct scale_level {
	size_t nrules;
	unsigned long frames, sets;
	const char *env;
};

struct scale_run {
	struct arena *arena;
	struct policy *policy;
	enum fw_dir dir;
	struct framegen fg;
	struct image img;
	uint32_t nslots;
};

/* 0, or -E2BIG when the compiler refuses the set by name; `what` is for messages. Anything else fails the test. */
static inline int scale_open(struct scale_run *r, const struct rulegen_opts *opts, struct prng *prng)
{
	const char *what = rulegen_style_name(opts->style);
	struct str why = {};
	int err;

	*r = (struct scale_run){ .arena = arena_new(), .dir = opts->directions == 1u << DIRECTION_EGRESS };
	r->policy = rulegen_policy(r->arena, prng, opts);
	assert_non_null(r->policy);
	framegen_init(&r->fg, &r->policy->chain[r->dir], prng_u64(prng));
	err = expect_try_compile(r->arena, r->policy, r->dir, &why, &r->img, &r->nslots);
	if (err) {
		print_message("# %s, %zu rules: %s", what, opts->nrules, str_get(&why));
		assert_int_equal(err, -E2BIG);
		assert_non_null(strstr(str_get(&why), "limit"));
		arena_free(r->arena);
	}
	str_fini(&why);
	return err;
}

static inline void scale_close(struct scale_run *r)
{
	image_fini(&r->img);
	arena_free(r->arena);
}

/* Set number i of a level, by either engine where both can, and as it comes. */
static inline enum engine scale_engine(const struct scale_level *level, unsigned long i)
{
	if (level->nrules > FW_MAX_BITS)
		return i % 2 ? ENGINE_AUTO : ENGINE_LISTS;
	return (enum engine)((i / 3 + 2) % 3);
}

/* What is in it: the families of real rule sets in turn, with and without `count`, either direction. */
static inline struct rulegen_opts scale_opts(const struct scale_level *level, unsigned long i)
{
	return (struct rulegen_opts){
		.style = (enum rulegen_style)(RULEGEN_REAL_FIRST + i % (RULEGEN_HOSTILE_FIRST - RULEGEN_REAL_FIRST)),
		.nrules = level->nrules,
		.directions = 1u << (i / 3 % 2 ? DIRECTION_EGRESS : DIRECTION_INGRESS),
		.no_count = i % 2 == 0,
		.essentials = i % 4 == 1,
	};
}

#endif
