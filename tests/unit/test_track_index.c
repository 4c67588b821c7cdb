// SPDX-License-Identifier: GPL-2.0-only
/* The quick oracle of flows says what the plain one says: random sequences with swaps, bans, limits, windows, and
 * crowds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/str.h"
#include "harness/flowgen.h"
#include "model/track.h"

#define POLICIES 60
#define STEPS	 3000

static uint64_t seed;

struct pair {
	struct track *plain, *quick;
	const struct policy *policy;
	struct prng prng;
	uint64_t of;
	unsigned long frames, opened, limited;
};

struct counts {
	size_t n, rule[64];
};

static void counted(void *ctx, size_t rule)
{
	struct counts *c = ctx;

	if (c->n < 64)
		c->rule[c->n] = rule;
	c->n++;
}

static void same(struct pair *p, const struct flowgen_step *s, const struct eval_result *want,
		 const struct eval_result *got)
{
	struct str text = {};

	if (want->verdict == got->verdict && want->reason == got->reason && want->rule == got->rule &&
	    want->fault == got->fault && want->state == got->state)
		return;
	flowgen_describe(s, &text);
	fail_msg("FW_SEED=%llu: %s\nplain: verdict %d reason %d rule %ld state %d; quick: %d %d %ld %d",
		 (unsigned long long)p->of, str_get(&text), want->verdict, want->reason, want->rule, want->state,
		 got->verdict, got->reason, got->rule, got->state);
}

static void frame(struct pair *p, const struct flowgen_step *s)
{
	struct counts a = {}, b = {};
	struct track_said said;
	struct eval_result want, got;

	assert_int_equal(
		track_frame_said(p->plain, p->policy, s->dir, s->frame, s->len, &s->meta, counted, &a, &want, &said),
		0);
	assert_int_equal(track_frame(p->quick, p->policy, s->dir, s->frame, s->len, &s->meta, counted, &b, &got), 0);
	same(p, s, &want, &got);
	assert_int_equal(a.n, b.n);
	assert_memory_equal(a.rule, b.rule, sizeof(a.rule));
	p->frames++;
	p->opened += said.opened;
	p->limited += said.limited;
	/* What is said beside fits what was decided. */
	assert_true(said.parsed || want.reason == EVAL_FAULT || !p->policy->chain[s->dir].present);
	assert_false(said.parsed && want.reason == EVAL_FAULT);
	if (want.reason == EVAL_LIMIT)
		assert_true(said.limited && said.limit_wait_ns);
	if (said.parsed)
		assert_int_equal(said.packet.value[FIELD_STATE], want.state);
}

static void step(struct pair *p, const struct flowgen_step *s)
{
	switch (s->kind) {
	case FLOWGEN_FRAME:
		frame(p, s);
		break;
	case FLOWGEN_CLOCK:
		track_clock(p->plain, s->now_ns);
		track_clock(p->quick, s->now_ns);
		break;
	case FLOWGEN_ADD:
		assert_int_equal(track_set_add(p->plain, s->set, s->family, s->addr, s->plen, s->end_ns), 0);
		assert_int_equal(track_set_add(p->quick, s->set, s->family, s->addr, s->plen, s->end_ns), 0);
		break;
	case FLOWGEN_DEL:
		track_set_del(p->plain, s->set, s->family, s->addr, s->plen);
		track_set_del(p->quick, s->set, s->family, s->addr, s->plen);
		break;
	case FLOWGEN_POLICY: /* also one that the index does not know */
		p->policy = s->policy;
		if (prng_chance(&p->prng, 2, 3))
			assert_int_equal(track_quicken(p->quick, p->policy), 0);
		break;
	}
	assert_int_equal(track_flows(p->plain), track_flows(p->quick));
}

static void run(uint64_t of, unsigned long total[3])
{
	struct arena *arena = arena_new();
	struct pair p = { .plain = track_new(FLOWGEN_START_NS), .quick = track_new(FLOWGEN_START_NS), .of = of };
	static struct flowgen_step s;
	struct flowgen *g;
	int late;

	prng_init(&p.prng, of);
	p.policy = flowgen_policy(arena, &p.prng, prng_range(&p.prng, 1, 80));
	g = flowgen_new(arena, p.policy, NULL, of);
	assert_non_null(g);
	late = prng_chance(&p.prng, 1, 3) ? STEPS / 4 : 0; /* some begin when there is something in the lists */
	for (int i = 0; i < STEPS; i++) {
		if (i == late)
			assert_int_equal(track_quicken(p.quick, p.policy), 0);
		assert_true(flowgen_next(g, &s));
		step(&p, &s);
	}
	total[0] += p.frames;
	total[1] += p.opened;
	total[2] += p.limited;
	track_free(p.plain);
	track_free(p.quick);
	arena_free(arena);
}

static void sequences(void **state)
{
	unsigned long total[3] = {};

	for (uint64_t i = 0; i < POLICIES; i++)
		run(seed + i, total);
	print_message("# %lu frames, %lu flows opened, %lu limits asked\n", total[0], total[1], total[2]);
	assert_true(total[1] > total[0] / 100 && total[2] > total[0] / 1000);
}

/* Thousands of flows, buckets, seats and bans, of which most have ended: tables are made anew many times. */
static void crowds(void **state)
{
	static const struct named_set banned = { .name = "banned", .timeout_ns = 3000000000ull, .size = 1000 };
	static const struct limit limit = {
		.count = 2, .period_ns = 1000000000, .burst = 2, .per = PER_SRC, .plen4 = 32, .plen6 = 128
	};
	static const struct range port = { 22, 22 };
	static const struct vset ports = { (struct range *)&port, 1 };
	struct rule rules[2] = {
		{ .verdict = VERDICT_DROP, .families = 7, .live_src = { 1, false }, .text = "banned" },
		{ .verdict = VERDICT_PASS,
		  .families = 6,
		  .value[FIELD_DPORT] = &ports,
		  .keep_state = true,
		  .limit = &limit,
		  .max_conn = 3,
		  .conn_plen4 = 24,
		  .conn_plen6 = 64,
		  .over.ban = &banned,
		  .text = "ssh" },
	};
	struct policy p = { .name = "p", .live = { &banned }, .nlive = 1 };
	struct arena *arena = arena_new();
	struct track *plain = track_new(1), *quick = track_new(1);
	uint64_t now = 1, reasons[EVAL_TCP_WINDOW + 1] = {};
	struct prng prng;
	uint8_t buf[128];

	prng_init(&prng, seed);
	state_opts_default(&p.state);
	p.state.timeout_s[TRACK_TCP_SYN] = 1;
	p.chain[DIRECTION_INGRESS] =
		(struct chain){ .present = true, .fallback = VERDICT_DROP, .rules = rules, .nrules = 2 };
	assert_int_equal(policy_track(&p, arena), 0);
	assert_int_equal(track_quicken(quick, &p), 0);
	for (int i = 0; i < 12000; i++) {
		struct packet_spec spec = {
			.family = FAMILY_IPV4,
			.protocol = 6,
			.src = 0x0a000000 + prng_below(&prng, 400) * 16,
			.dst = 0xc0000201,
			.has_ports = true,
			.sport = (uint16_t)(1000 + prng_below(&prng, 12)),
			.dport = 22,
			.has_flags = true,
			.flags = 2,
		};
		long len = packet_build(&spec, buf, sizeof(buf));
		struct eval_result a, b;

		assert_true(len > 0);
		now += prng_below(&prng, 3000000);
		track_clock(plain, now);
		track_clock(quick, now);
		assert_int_equal(track_frame(plain, &p, DIRECTION_INGRESS, buf, (size_t)len, NULL, NULL, NULL, &a), 0);
		assert_int_equal(track_frame(quick, &p, DIRECTION_INGRESS, buf, (size_t)len, NULL, NULL, NULL, &b), 0);
		assert_int_equal(a.verdict, b.verdict);
		assert_int_equal(a.reason, b.reason);
		assert_int_equal(a.rule, b.rule);
		reasons[a.reason]++;
		assert_int_equal(track_set_has(plain, &banned, FAMILY_IPV4, spec.src),
				 track_set_has(quick, &banned, FAMILY_IPV4, spec.src));
	}
	assert_int_equal(track_flows(plain), track_flows(quick));
	assert_true(reasons[EVAL_LIMIT] > 10 && reasons[EVAL_MAX_CONN] > 50);
	assert_true(reasons[EVAL_ESTABLISHED] > 10 && reasons[EVAL_RULE] > 1000);
	track_free(plain);
	track_free(quick);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "sequences are judged as without the index", sequences, NULL, NULL, NULL },
		{ "so are crowds that come and go", crowds, NULL, NULL, NULL },
	};

	seed = prng_seed("track_index", 1);
	return cmocka_run_group_tests_name("track_index", tests, NULL, NULL);
}
