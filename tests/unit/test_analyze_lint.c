// SPDX-License-Identifier: GPL-2.0-only
/* Findings of lint beside a look at every packet: none missed, none claimed falsely, each example shows what is claimed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyze/lint.h"
#include "base/str.h"
#include "analyze_world.h"

#define MAX_RULES 10
#define WORK	  4000000 /* packets looked at in each world */

/* What a look at all packets says of the rules of one block. */
struct look {
	const struct world *w;
	const struct chain *chain;
	bool known;                    /* packets of flows meet the rules */
	bool meets[MAX_RULES], decides[MAX_RULES], differs[MAX_RULES]; /* differs: something changes without it */
	bool fallback;                 /* some IP packet of no flow meets the default */
};

static bool is_flow(const struct packet *p)
{
	return p->value[FIELD_STATE] == STATE_ESTABLISHED || p->value[FIELD_STATE] == STATE_RELATED;
}

/* What becomes of it: verdict, and whether state is kept. */
static unsigned int fate(const struct look *k, const struct packet *p, long rule)
{
	if (rule >= 0)
		return (unsigned int)k->chain->rules[rule].verdict << 1 | k->chain->rules[rule].keep_state;
	return (unsigned int)(k->w->tracks && is_flow(p) ? VERDICT_PASS : k->chain->fallback) << 1;
}

static void look_at(struct look *k, const struct packet *p)
{
	long first = -1, second = -1;

	if (k->w->tracks && is_flow(p) && !k->known)
		return;
	for (size_t i = 0; i < k->chain->nrules && second < 0; i++) {
		if (!eval_rule(&k->chain->rules[i], p))
			continue;
		k->meets[i] = true;
		if (first < 0)
			k->decides[i] = true;
		if (k->chain->rules[i].verdict == VERDICT_CONTINUE)
			continue;
		if (first < 0)
			first = (long)i;
		else
			second = (long)i;
	}
	/* The others that it meets: for rules that meet nothing. */
	for (size_t i = 0; i < k->chain->nrules; i++)
		k->meets[i] = k->meets[i] || eval_rule(&k->chain->rules[i], p);
	if (first >= 0 && fate(k, p, first) != fate(k, p, second))
		k->differs[first] = true;
	if (first < 0 && p->family != FAMILY_OTHER && !is_flow(p))
		k->fallback = true;
}

static const struct finding *find(const struct findings *f, enum lint_kind kind, const struct rule *r)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].kind == kind && f->v[i].rule == r && (f->v[i].policy == NULL || f->v[i].dir == DIRECTION_INGRESS))
			return &f->v[i];
	return NULL;
}

/* Does it hide, alone or with others, a rule behind it? */
static bool is_half(const struct findings *f, const struct rule *r)
{
	for (size_t i = 0; i < f->n; i++)
		for (size_t o = 0; f->v[i].kind == LINT_SHADOWED && o < f->v[i].nothers; o++)
			if (f->v[i].others[o] == r)
				return true;
	return false;
}

/* Do the rules that are named hide it, they alone? */
static void check_hiders(const struct look *k, const struct finding *f)
{
	assert_true(f->nothers > 0 && f->nothers == f->count);
	for (size_t i = 0; i < k->w->n; i++) {
		const struct packet *p = &k->w->packet[i];
		bool hidden = false;

		if ((is_flow(p) && !k->known) || !eval_rule(f->rule, p))
			continue;
		for (size_t o = 0; o < f->nothers && !hidden; o++)
			hidden = f->others[o] < f->rule && f->others[o]->verdict != VERDICT_CONTINUE && eval_rule(f->others[o], p);
		assert_true(hidden);
	}
}

static void check_example(const struct look *k, const struct finding *f)
{
	struct packet p = {};
	struct eval_result r;

	assert_true(f->example.there && f->example.built);
	assert_true(world_parse(&f->example.spec, &p));
	r = eval_state(k->chain, &p, NULL, NULL);
	assert_int_equal(r.rule, f->example.rule);
	assert_int_equal(r.verdict, f->example.verdict);
	if (f->rule)
		assert_true(eval_rule(f->rule, &p));
	switch (f->kind) {
	case LINT_SHADOWED:
		assert_true(r.rule >= 0 && &k->chain->rules[r.rule] < f->rule);
		break;
	case LINT_CONFLICT:
		assert_ptr_equal(&k->chain->rules[r.rule], f->others[0]);
		assert_true(f->others[0] < f->rule && eval_rule(f->others[0], &p));
		assert_int_not_equal(f->others[0]->verdict == VERDICT_PASS, f->rule->verdict == VERDICT_PASS);
		break;
	case LINT_DEFAULT:
		assert_true(r.rule >= 0);
		break;
	default:
		assert_ptr_equal(&k->chain->rules[r.rule], f->rule);
	}
}

/* The set of rules and what was found, for whoever has to mend it. */
static void complain(const struct look *k, const struct findings *f)
{
	struct str s = {};

	rulegen_describe_chain(k->chain, &s);
	print_message("%s\n", str_get(&s));
	for (size_t i = 0; i < f->n; i++)
		print_message("%s: %s\n", lint_word(f->v[i].kind), f->v[i].rule ? f->v[i].rule->text : "");
	str_fini(&s);
}

static size_t shadowed, never, redundant, conflicts;
static void check_set(const struct world *w, const struct policy *p, const struct findings *f)
{
	const struct chain *chain = &p->chain[DIRECTION_INGRESS];
	struct look k = { .w = w, .chain = chain, .known = p->track && eval_names_known(chain) };

	for (size_t i = 0; i < w->n; i++)
		look_at(&k, &w->packet[i]);
	for (size_t i = 0; i < k.chain->nrules; i++) {
		const struct rule *r = &k.chain->rules[i];
		const struct finding *hidden = find(f, LINT_SHADOWED, r);
		bool ends = r->verdict != VERDICT_CONTINUE;

		if ((find(f, LINT_NEVER, r) != NULL) == k.meets[i] || (hidden != NULL) != (k.meets[i] && !k.decides[i]))
			complain(&k, f);
		assert_int_equal(find(f, LINT_NEVER, r) != NULL, !k.meets[i]);
		assert_int_equal(hidden != NULL, k.meets[i] && !k.decides[i]);
		/* Of two rules that are in each other's way only one is spoken of: the one that is hidden. */
		if (!is_half(f, r))
			assert_int_equal(find(f, LINT_REDUNDANT, r) != NULL, ends && k.decides[i] && !k.differs[i]);
		else if (find(f, LINT_REDUNDANT, r))
			assert_true(ends && k.decides[i] && !k.differs[i]);
		if (hidden)
			check_hiders(&k, hidden);
		shadowed += hidden != NULL;
		never += find(f, LINT_NEVER, r) != NULL;
		redundant += find(f, LINT_REDUNDANT, r) != NULL;
	}
	assert_int_equal(find(f, LINT_DEFAULT, NULL) != NULL, !k.fallback);
	for (size_t i = 0; i < f->n; i++) {
		assert_int_not_equal(f->v[i].kind, LINT_UNDECIDED);
		conflicts += f->v[i].kind == LINT_CONFLICT;
		if (f->v[i].policy && f->v[i].dir == DIRECTION_INGRESS && f->v[i].kind != LINT_NEVER && f->v[i].kind != LINT_NO_TESTS)
			check_example(&k, &f->v[i]);
	}
}

static void test_random(void **state)
{
	uint64_t seed = prng_seed("test_analyze_lint", 1);
	size_t sets = 0;

	(void)state;
	for (size_t kind = 0; kind < WORLD_KINDS; kind++) {
		struct world w;
		size_t rounds;

		world_init(&w, world_kinds[kind].fields, world_kinds[kind].tracks, seed + kind);
		rounds = WORK / w.n < 1800 ? WORK / w.n : 1800;
		for (size_t round = 0; round < rounds; round++) {
			struct policy *p = world_policy(&w, 1 + prng_below(&w.prng, MAX_RULES), true);
			struct ruleset rs = { .file = "world.fw", .policies = p, .npolicies = 1 };
			struct findings f;

			assert_int_equal(lint_ruleset(w.arena, &rs, &f), 0);
			check_set(&w, p, &f);
			findings_fini(&f);
			sets++;
		}
		world_fini(&w);
	}
	print_message("# %zu sets of rules: %zu rules shadowed, %zu never match, %zu redundant, %zu conflicts\n", sets, shadowed, never,
		      redundant, conflicts);
	assert_true(sets > 10000 && shadowed > 1000 && never > 100 && redundant > 1000 && conflicts > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "10,000 random sets of rules: findings are what a look at every packet says, and examples show it", test_random, NULL,
		  NULL, NULL },
	};

	return cmocka_run_group_tests_name("analyze_lint", tests, NULL, NULL);
}
