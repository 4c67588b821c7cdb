// SPDX-License-Identifier: GPL-2.0-only
/* What rules may ask for beside their conditions: states, live sets, limits, rejection, logs. Added to rules that are there. */
#include "base/arena.h"
#include "harness/rulegen_priv.h"

#define S (1000000000ull)

const struct named_set rulegen_live[POLICY_MAX_LIVE] = {
	{ .name = "live0", .timeout_ns = 0, .size = 65536, .file = "gen.fw" },
	{ .name = "live1", .timeout_ns = 10 * S, .size = 65536, .widen = true, .file = "gen.fw" },
	{ .name = "live2", .timeout_ns = 3600 * S, .size = 65536, .counters = true, .file = "gen.fw" },
	{ .name = "live3", .timeout_ns = 1 * S, .size = 65536, .file = "gen.fw" },
	{ .name = "live4", .timeout_ns = 60 * S, .size = 65536, .widen = true, .file = "gen.fw" },
	{ .name = "live5", .timeout_ns = 2 * S, .size = 65536, .file = "gen.fw" },
	{ .name = "live6", .timeout_ns = 0, .size = 65536, .file = "gen.fw" },
	{ .name = "live7", .timeout_ns = 600 * S, .size = 65536, .file = "gen.fw" },
};

static uint64_t any(struct gen *g, const uint64_t *v, size_t n)
{
	return v[prng_below(g->p, n)];
}
#define ANY(g, ...) any((g), (const uint64_t[]){ __VA_ARGS__ }, sizeof((const uint64_t[]){ __VA_ARGS__ }) / sizeof(uint64_t))

/* `state established`, `! state new`, … */
static const struct vset *some_states(struct gen *g)
{
	uint64_t bits = ANY(g, 4, 4, 8, 12, 12, 2, 16, 16, 18, 29, prng_below(g->p, 32));
	struct range r[STATE_COUNT];
	size_t n = 0;

	for (unsigned int state = 0; state < STATE_COUNT; state++)
		if (bits & 1u << state)
			r[n++] = (struct range){ state, state };
	return gen_vset(g, r, n);
}

static struct live_match some_live(struct gen *g)
{
	struct live_match m = { .sets = 1u << prng_below(g->p, g->opts->live), .negate = prng_chance(g->p, 1, 4) };

	if (prng_chance(g->p, 1, 4))
		m.sets |= 1u << prng_below(g->p, g->opts->live);
	return m;
}

static void prefixes(struct gen *g, uint8_t *plen4, uint8_t *plen6)
{
	*plen4 = (uint8_t)ANY(g, 32, 32, 32, 25, 24, 16, 1);
	*plen6 = (uint8_t)ANY(g, 128, 128, 128, 65, 64, 48, 1);
}

static const struct limit *some_limit(struct gen *g)
{
	struct limit *l = arena_alloc(g->arena, sizeof(*l));

	if (!l) {
		g->failed = true;
		return NULL;
	}
	*l = (struct limit){
		.bytes = prng_chance(g->p, 1, 4),
		.count = ANY(g, 1, 2, 3, 5, 10, 100, 1000),
		.period_ns = ANY(g, S, S, S, 60 * S, 3600 * S),
		.burst = ANY(g, 1, 1, 2, 3, 5, 20),
		.per = (enum per)prng_below(g->p, 4),
	};
	if (l->bytes) {
		l->count = ANY(g, 60, 1000, 125000, 1250000);
		l->period_ns = S;
		l->burst = ANY(g, 60, 61, 119, 120, 300, 3000);
	}
	if (l->per == PER_SRC || l->per == PER_DST)
		prefixes(g, &l->plen4, &l->plen6);
	return l;
}

static void some_over(struct gen *g, struct rule *r)
{
	r->over.pass = prng_chance(g->p, 1, 4);
	if (!g->opts->live || r->over.pass || prng_chance(g->p, 1, 2))
		return;
	r->over.ban = &rulegen_live[prng_below(g->p, g->opts->live)];
	r->over.ban_ns = ANY(g, 0, S, 3 * S, 30 * S);
}

static void extras(struct gen *g, struct rule *r)
{
	const struct rulegen_opts *o = g->opts;

	if (o->state && r->verdict == VERDICT_PASS)
		r->keep_state = prng_chance(g->p, 4, 5);
	if (o->state && prng_chance(g->p, 1, 6))
		r->value[FIELD_STATE] = some_states(g);
	if (o->live && prng_chance(g->p, 1, 5)) {
		r->live_src = some_live(g);
		r->src = NULL;
	}
	if (o->live && prng_chance(g->p, 1, 10)) {
		r->live_dst = some_live(g);
		r->dst = NULL;
	}
	if (o->limits && r->verdict == VERDICT_PASS && prng_chance(g->p, 1, 3))
		r->limit = some_limit(g);
	if (o->limits && r->keep_state && prng_chance(g->p, 1, 4)) {
		r->max_conn = (uint16_t)prng_range(g->p, 1, 3);
		prefixes(g, &r->conn_plen4, &r->conn_plen6);
	}
	if (r->limit || r->max_conn)
		some_over(g, r);
	if (o->reject && r->verdict == VERDICT_DROP && prng_chance(g->p, 1, 3)) {
		r->verdict = VERDICT_REJECT;
		r->reject = (enum reject)ANY(g, REJECT_AUTO, REJECT_AUTO, REJECT_UNREACHABLE, REJECT_PROHIBITED);
	}
}

/* Another rule with a limit may have the same label: they do not share it. */
static void namesake(struct gen *g, struct chain *c, size_t i)
{
	for (size_t j = 0; j < i; j++) {
		struct rule *r = &c->rules[j];

		if (!r->limit)
			continue;
		if (!r->label)
			r->label = arena_printf(g->arena, "namesake %zu", j);
		if (!r->label)
			g->failed = true;
		c->rules[i].label = r->label;
		return;
	}
}

void gen_extras(struct gen *g, struct chain *c)
{
	for (size_t i = 0; i < c->nrules; i++) {
		if (c->rules[i].essential)
			continue;
		extras(g, &c->rules[i]);
		if (c->rules[i].limit && prng_chance(g->p, 1, 3))
			namesake(g, c, i);
	}
}

static const struct log_opts *some_log(struct gen *g)
{
	struct log_opts *l = arena_alloc(g->arena, sizeof(*l));

	if (!l) {
		g->failed = true;
		return NULL;
	}
	*l = (struct log_opts){ .sample = 1 };
	if (g->opts->log_limits && prng_chance(g->p, 1, 3))
		l->sample = (uint32_t)ANY(g, 2, 3, 8, 100, 1000000000);
	if (g->opts->log_limits && prng_chance(g->p, 1, 2)) {
		l->count = ANY(g, 1, 2, 3, 7, 100, 10000000);
		l->period_ns = ANY(g, S, S, S, 60 * S, 86400 * S);
		l->burst = ANY(g, 1, 1, 2, 5, 100, l->count);
	}
	return l;
}

void gen_logs(struct gen *g, struct chain *c)
{
	for (size_t i = 0; i < c->nrules; i++)
		if (!c->rules[i].essential && prng_chance(g->p, 1, c->rules[i].verdict == VERDICT_CONTINUE ? 2 : 3))
			c->rules[i].log = some_log(g);
	if (prng_chance(g->p, 3, 4))
		c->log_default = some_log(g);
	if (prng_chance(g->p, 3, 4))
		c->log_reasons = some_log(g);
}

void gen_state_opts(struct gen *g, struct policy *p)
{
	struct state_opts *s = &p->state;

	for (unsigned int i = 0; i < g->opts->live; i++)
		p->live[i] = &rulegen_live[i];
	p->nlive = g->opts->live;
	if (!g->opts->state)
		return;
	s->asymmetric = prng_chance(g->p, 1, 4);
	s->pickup_s = (uint32_t)ANY(g, 0, 0, 1, 20, 3600, UINT32_MAX);
	for (size_t i = 0; i < sizeof(s->timeout_s) / sizeof(s->timeout_s[0]); i++)
		if (prng_chance(g->p, 1, 2))
			s->timeout_s[i] = (uint32_t)ANY(g, 1, 2, 3, 5, 10, 60);
	if (policy_track(p, g->arena))
		g->failed = true;
}
