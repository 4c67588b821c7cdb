// SPDX-License-Identifier: GPL-2.0-only
/* Sequences are the same for the same seed, and reach whatever the rules of tracking speak of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/str.h"
#include "harness/flowgen.h"
#include "model/track.h"

#define POLICIES 60
#define STEPS	 1500

static uint64_t seed;

struct seen {
	size_t kinds[5], reasons[EVAL_TCP_WINDOW + 1], states[STATE_COUNT], verdicts[VERDICT_COUNT];
	size_t frames, else_pass, most_flows, asked; /* asked: packets of known flows that a rule decided */
};

static void see(struct seen *n, const struct eval_result *r)
{
	n->frames++;
	n->reasons[r->reason]++;
	n->states[r->state]++;
	n->verdicts[r->verdict]++;
	n->else_pass += (r->reason == EVAL_LIMIT || r->reason == EVAL_MAX_CONN) && r->verdict == VERDICT_PASS;
	n->asked += r->reason == EVAL_RULE && (r->state == STATE_ESTABLISHED || r->state == STATE_RELATED);
}

static void step(struct track *t, const struct policy **policy, const struct flowgen_step *s, struct seen *n)
{
	struct eval_result r;

	n->kinds[s->kind]++;
	switch (s->kind) {
	case FLOWGEN_FRAME:
		assert_int_equal(track_frame(t, *policy, s->dir, s->frame, s->len, &s->meta, NULL, NULL, &r), 0);
		see(n, &r);
		break;
	case FLOWGEN_CLOCK:
		assert_true(s->now_ns > track_now(t));
		track_clock(t, s->now_ns);
		break;
	case FLOWGEN_ADD:
		assert_int_equal(track_set_add(t, s->set, s->family, s->addr, s->plen, s->end_ns), 0);
		break;
	case FLOWGEN_DEL:
		track_set_del(t, s->set, s->family, s->addr, s->plen);
		break;
	case FLOWGEN_POLICY:
		*policy = s->policy;
		break;
	}
	if (n->most_flows < track_flows(t))
		n->most_flows = track_flows(t);
}

static void run(uint64_t of, struct seen *n)
{
	struct arena *arena = arena_new();
	struct track *t = track_new(FLOWGEN_START_NS);
	const struct policy *policy;
	struct flowgen *g;
	struct prng p;
	static struct flowgen_step s;

	prng_init(&p, of);
	policy = flowgen_policy(arena, &p, 12);
	g = flowgen_new(arena, policy, NULL, of);
	assert_non_null(t);
	assert_non_null(g);
	for (int i = 0; i < STEPS; i++) {
		assert_true(flowgen_next(g, &s));
		step(t, &policy, &s, n);
	}
	track_free(t);
	arena_free(arena);
}

static void every_reason_and_state_is_reached(void **state)
{
	static const char *const reasons[] = { "rule",	      "default", "l2-other", "fault",
					       "established", "related", "limit",    "max-conn", "tcp-window" };
	struct seen n = {};

	for (uint64_t i = 0; i < POLICIES; i++)
		run(seed + i, &n);
	for (size_t i = 0; i <= EVAL_TCP_WINDOW; i++) {
		print_message("# %s: %zu of %zu\n", reasons[i], n.reasons[i], n.frames);
		assert_true(n.reasons[i] > n.frames / 1000);
	}
	for (size_t i = 0; i < STATE_COUNT; i++) {
		print_message("# state %zu: %zu\n", i, n.states[i]);
		assert_true(n.states[i] > n.frames / 200);
	}
	for (size_t i = 0; i < VERDICT_COUNT; i++)
		assert_true(i == VERDICT_CONTINUE ? !n.verdicts[i] : n.verdicts[i] > n.frames / 100);
	for (size_t i = 0; i < 5; i++)
		assert_true(n.kinds[i] > STEPS / 5);
	print_message("# else pass: %zu, flows asked about: %zu, most flows: %zu\n", n.else_pass, n.asked, n.most_flows);
	assert_true(n.else_pass > n.frames / 1000);
	assert_true(n.asked > n.frames / 100);
	assert_true(n.most_flows > 15);
}

static void the_same_seed_gives_the_same_steps(void **state)
{
	struct str text[2] = {};

	for (int twice = 0; twice < 2; twice++) {
		struct arena *arena = arena_new();
		struct prng p;
		struct flowgen *g;
		static struct flowgen_step s;

		prng_init(&p, seed);
		g = flowgen_new(arena, flowgen_policy(arena, &p, 10), &(struct flowgen_opts){ .no_meta = true }, seed);
		for (int i = 0; i < 1000; i++) {
			assert_true(flowgen_next(g, &s));
			assert_true(s.kind != FLOWGEN_FRAME || !s.meta.vlan_present);
			flowgen_describe(&s, &text[twice]);
			str_add(&text[twice], "\n");
		}
		arena_free(arena);
	}
	assert_string_equal(str_get(&text[0]), str_get(&text[1]));
	str_fini(&text[0]);
	str_fini(&text[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_reason_and_state_is_reached),
		cmocka_unit_test(the_same_seed_gives_the_same_steps),
	};

	seed = prng_seed("flowgen", 0xf10e);
	return cmocka_run_group_tests_name("flowgen", tests, NULL, NULL);
}
