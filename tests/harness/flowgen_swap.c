// SPDX-License-Identifier: GPL-2.0-only
/* Generations of a policy: a little is changed each time. */
#include "base/arena.h"
#include "harness/flowgen_priv.h"

#include <string.h>

/* Rules that are written, which come first. */
static size_t written(const struct chain *c)
{
	size_t n = 0;

	while (n < c->nrules && !c->rules[n].essential)
		n++;
	return n;
}

/* What no other rule decided passes and keeps state, in two blocks of three: else most flows would never be. */
static void rest_passes(struct policy *p, struct prng *prng)
{
	for (int d = 0; d < DIRECTION_COUNT; d++) {
		size_t n = written(&p->chain[d]);
		struct rule *r = n ? &p->chain[d].rules[n - 1] : NULL;

		if (r && prng_chance(prng, 2, 3))
			*r = (struct rule){ .verdict = VERDICT_PASS, .families = 6, .keep_state = true, .label = r->label,
					    .text = r->text, .file = r->file, .line = r->line, .column = r->column };
	}
}

struct policy *flowgen_policy(struct arena *arena, struct prng *prng, size_t nrules)
{
	struct rulegen_opts opts = { .style = RULEGEN_FLOWS, .nrules = nrules };
	struct policy *p;

	opts.state = prng_chance(prng, 15, 16);
	opts.limits = prng_chance(prng, 3, 4);
	opts.reject = prng_chance(prng, 1, 2);
	opts.live = prng_chance(prng, 3, 4) ? (unsigned int)prng_range(prng, 1, 4) : 0;
	opts.essentials = prng_chance(prng, 1, 2);
	opts.directions = prng_chance(prng, 1, 8) ? 1u << prng_below(prng, 2) : 0;
	p = rulegen_policy(arena, prng, &opts);
	if (p && opts.state) {
		p->state.window = prng_chance(prng, 1, 2);
		rest_passes(p, prng);
		if (policy_track(p, arena))
			return NULL;
	}
	/* A generation may take them in again, but the flows of a policy without them are no matter of track.h. */
	return p && opts.state && !p->track ? flowgen_policy(arena, prng, nrules) : p;
}

/* Conditions that policy_track() gave go; it gives them anew. */
static void states_forget(struct chain *c)
{
	for (size_t i = 0; i < written(c); i++) {
		const struct vset *s = c->rules[i].value[FIELD_STATE];

		if (s && vset_has(s, STATE_NONE) && vset_has(s, STATE_NEW) && !vset_has(s, STATE_ESTABLISHED) &&
		    !vset_has(s, STATE_RELATED))
			c->rules[i].value[FIELD_STATE] = NULL;
	}
}

/* Rules of the same kind that nobody has seen. */
static const char *rule_insert(struct flowgen *g, struct policy *p, struct chain *c)
{
	struct rulegen_opts opts = { .style = RULEGEN_FLOWS, .nrules = 1, .directions = 1, .live = (unsigned int)p->nlive };
	size_t at = prng_below(&g->prng, written(c) + 1);
	struct policy *one;
	struct rule *r;

	opts.state = p->track;
	opts.limits = opts.reject = prng_chance(&g->prng, 1, 2);
	one = rulegen_policy(g->arena, &g->prng, &opts);
	if (!one)
		return NULL;
	r = one->chain[DIRECTION_INGRESS].rules;
	states_forget(&one->chain[DIRECTION_INGRESS]);
	r->label = NULL;
	r->text = arena_printf(g->arena, "generation %u", g->generation);
	if (!r->text)
		return NULL;
	memmove(&c->rules[at + 1], &c->rules[at], (c->nrules - at) * sizeof(*r));
	c->rules[at] = *r;
	c->nrules++;
	return "another rule";
}

static const char *rule_change(struct flowgen *g, struct chain *c)
{
	struct rule *r = &c->rules[prng_below(&g->prng, written(c))];
	struct limit *l;

	switch (prng_below(&g->prng, 4)) {
	case 0: /* the verdict takes part in the identity: the old one is gone */
		r->text = arena_printf(g->arena, "generation %u", g->generation);
		r->label = NULL;
		r->verdict = r->verdict == VERDICT_PASS ? VERDICT_DROP : VERDICT_PASS;
		r->keep_state = false;
		r->limit = NULL;
		r->max_conn = 0;
		r->over = (struct limit_else){};
		return r->text ? "another verdict" : NULL;
	case 1:
		if (r->verdict == VERDICT_PASS && !r->max_conn)
			r->keep_state = !r->keep_state;
		return "keeps state, or no longer";
	case 2:
		if (!r->limit)
			return "the same";
		l = arena_alloc(g->arena, sizeof(*l));
		if (!l)
			return NULL;
		*l = *r->limit;
		l->count = l->bytes ? prng_range(&g->prng, 60, 3000) : prng_range(&g->prng, 1, 30);
		l->burst = l->bytes ? prng_range(&g->prng, 60, 300) : prng_range(&g->prng, 1, 5);
		if (prng_chance(&g->prng, 1, 2)) {
			l->per = (enum per)prng_below(&g->prng, 4);
			l->plen4 = prng_chance(&g->prng, 1, 2) ? 32 : 24;
			l->plen6 = prng_chance(&g->prng, 1, 2) ? 128 : 64;
		}
		r->limit = l;
		return "another limit";
	default:
		if (r->max_conn)
			r->max_conn = (uint16_t)prng_range(&g->prng, 1, 3);
		return "another max-conn";
	}
}

static const char *options_change(struct flowgen *g, struct policy *p)
{
	size_t i = prng_below(&g->prng, sizeof(p->state.timeout_s) / sizeof(p->state.timeout_s[0]));

	p->state.timeout_s[i] = (uint32_t)prng_range(&g->prng, 1, 30);
	p->state.asymmetric ^= prng_chance(&g->prng, 1, 3);
	p->state.window ^= prng_chance(&g->prng, 1, 4);
	return "other timeouts";
}

static const char *change(struct flowgen *g, struct policy *p)
{
	struct chain *c = &p->chain[prng_below(&g->prng, DIRECTION_COUNT)];
	size_t n = written(c), at;
	struct rule swap;

	switch (prng_below(&g->prng, 8)) {
	case 0:
		return options_change(g, p);
	case 1:
		c->fallback = c->fallback == VERDICT_PASS || !c->present ? VERDICT_DROP : VERDICT_PASS;
		if (!c->present)
			c->fallback = VERDICT_PASS;
		return "another default";
	case 2:
	case 3:
		return c->present ? rule_insert(g, p, c) : "the same";
	case 4:
		if (n < 2)
			return "the same";
		at = prng_below(&g->prng, n);
		memmove(&c->rules[at], &c->rules[at + 1], (c->nrules - at - 1) * sizeof(*c->rules));
		c->nrules--;
		return "one rule less";
	case 5:
		if (n < 2)
			return "the same";
		at = prng_below(&g->prng, n - 1);
		swap = c->rules[at];
		c->rules[at] = c->rules[at + 1];
		c->rules[at + 1] = swap;
		return "another order";
	default:
		return n ? rule_change(g, c) : "the same";
	}
}

const struct policy *flowgen_swap(struct flowgen *g, const char **ret_what)
{
	struct policy *p = arena_alloc(g->arena, sizeof(*p));

	if (!p)
		return NULL;
	*p = *g->policy;
	g->generation++;
	for (int d = 0; d < DIRECTION_COUNT; d++) {
		struct chain *c = &p->chain[d];
		struct rule *rules = arena_array(g->arena, c->nrules + 1, sizeof(*rules));

		if (!rules)
			return NULL;
		if (c->nrules)
			memcpy(rules, c->rules, c->nrules * sizeof(*rules));
		c->rules = rules;
		states_forget(c);
	}
	*ret_what = change(g, p);
	if (!*ret_what || policy_track(p, g->arena))
		return NULL;
	/* Whether a policy tracks stays as it was: nothing is said of flows that no policy looks at. */
	if (p->track != g->policy->track) {
		*ret_what = "the same";
		return g->policy;
	}
	g->policy = p;
	return p;
}
