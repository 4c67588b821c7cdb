// SPDX-License-Identifier: GPL-2.0-only
/* What region_judge says of all packets of a set, beside a look at all of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyze/region.h"
#include "analyze_world.h"

#define ROUNDS 300
#define WHATS  6

static void check_example(const struct policy *p, const struct rule *what, const struct example *x, bool pass)
{
	const struct chain *chain = &p->chain[DIRECTION_INGRESS];
	struct packet packet = {};
	struct eval_result r;

	assert_true(x->built);
	assert_true(world_parse(&x->spec, &packet));
	assert_true(eval_rule(what, &packet));
	r = eval_state(chain, &packet, NULL, NULL);
	assert_int_equal(r.verdict == VERDICT_PASS, pass);
	assert_int_equal(r.verdict, x->verdict);
	assert_int_equal(r.rule, x->rule);
}

static void check_what(const struct world *w, const struct policy *p, const struct rule *what, const struct region_answer *a)
{
	bool pass = false, drop = false;

	assert_false(a->undecided);
	for (size_t i = 0; i < w->n && !(pass && drop); i++) {
		if (!eval_rule(what, &w->packet[i]))
			continue;
		if (eval_state(&p->chain[DIRECTION_INGRESS], &w->packet[i], NULL, NULL).verdict == VERDICT_PASS)
			pass = true;
		else
			drop = true;
	}
	assert_int_equal(a->pass.there, pass);
	assert_int_equal(a->drop.there, drop);
	if (pass)
		check_example(p, what, &a->pass, true);
	if (drop)
		check_example(p, what, &a->drop, false);
}

static void test_random(void **state)
{
	uint64_t seed = prng_seed("test_analyze_region", 1);
	size_t mixed = 0, all = 0;

	(void)state;
	for (size_t kind = 0; kind < WORLD_KINDS; kind++) {
		struct world w;

		world_init(&w, world_kinds[kind].fields, world_kinds[kind].tracks, seed + kind);
		for (int round = 0; round < ROUNDS; round++) {
			struct policy *p = world_policy(&w, prng_below(&w.prng, 9), true);
			struct rule *what = world_policy(&w, WHATS, false)->chain[DIRECTION_INGRESS].rules;
			struct region_answer answer[WHATS];

			assert_int_equal(region_judge(p, DIRECTION_INGRESS, what, WHATS, answer), 0);
			for (int i = 0; i < WHATS; i++) {
				check_what(&w, p, &what[i], &answer[i]);
				mixed += answer[i].pass.there && answer[i].drop.there;
				all++;
			}
		}
		print_message("# %s: %zu packets\n", world_kinds[kind].name, w.n);
		world_fini(&w);
	}
	print_message("# %zu sets, %zu of them mixed\n", all, mixed);
	assert_true(mixed > all / 10 && mixed < all / 10 * 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "random sets of packets: pass, drop or mixed, as a look at all packets says, with right examples", test_random, NULL,
		  NULL, NULL },
	};

	return cmocka_run_group_tests_name("analyze_region", tests, NULL, NULL);
}
