// SPDX-License-Identifier: GPL-2.0-only
/* What becomes of all packets of a set: look for one that passes, and for one that does not. */
#include "analyze/example.h"

#include "base/cleanup.h"
#include "base/vec.h"

#include <errno.h>

#define JUDGE_STEPS 200000000ull /* of one call: some seconds */

struct judge {
	struct search w;
	struct maker m;
	struct side side;
	struct {
		uint32_t *v;
		size_t n, cap;
	} near; /* rules that end the walk and meet the set, in their order */
	struct region_answer *answer;
};

static struct example *place_of(struct region_answer *a, enum verdict v)
{
	return v == VERDICT_PASS ? &a->pass : &a->drop;
}

static bool answered(const struct region_answer *a, enum verdict v)
{
	const struct example *x = v == VERDICT_PASS ? &a->pass : &a->drop;

	return x->there && x->built;
}

/* A packet of the part that none of the first n rules near it takes: rule `want` decides it. */
static void judge_part(struct judge *j, struct part p, size_t n, long want, enum verdict v)
{
	struct example *x = place_of(j->answer, v);
	bool all;

	switch (search_outside(&j->w, &p, j->near.v, n, &all)) {
	case FOUND_PACKET:
		if (!x->there || !x->built)
			maker_example(&j->m, &p, &j->side, want, x);
		break;
	case FOUND_UNDECIDED:
		j->answer->undecided = true;
		break;
	case FOUND_NOTHING:
		break;
	}
}

static void judge_cell(struct judge *j, const struct cell *cell, const struct space_rule *what)
{
	struct ipool_mark mark = ipool_mark(&j->w.pool);
	bool asks = side_asks(&j->side, cell);
	enum verdict fallback = side_fallback(&j->side, cell);
	struct part whole;

	if (!part_of_rule(&j->w, cell, what, &whole))
		return;
	for (size_t i = 0; asks && i < j->near.n; i++) {
		const struct space_rule *r = &j->w.space->rule[j->near.v[i]];
		struct ipool_mark inner = ipool_mark(&j->w.pool);
		struct part p = whole;

		if (!answered(j->answer, r->rule->verdict) && part_narrow(&j->w, &p, r))
			judge_part(j, p, i, (long)(j->near.v[i] - j->side.first), r->rule->verdict);
		ipool_release(&j->w.pool, inner);
	}
	if (!answered(j->answer, fallback))
		judge_part(j, whole, asks ? j->near.n : 0, -1, fallback);
	ipool_release(&j->w.pool, mark);
}

static int judge_one(struct judge *j, const struct space_rule *what)
{
	const struct chain *chain = j->side.chain;

	j->near.n = 0;
	for (size_t i = 0; chain->present && i < chain->nrules; i++) {
		uint32_t number = j->side.first + (uint32_t)i;

		if (chain->rules[i].verdict != VERDICT_CONTINUE && rules_meet(j->w.space, &j->w.space->rule[number], what) &&
		    vec_push(&j->near, number))
			return -ENOMEM;
	}
	for (size_t i = 0; i < j->w.space->ncells; i++)
		judge_cell(j, &j->w.space->cell[i], what);
	return j->w.failed ? -ENOMEM : 0;
}

int region_judge(const struct policy *policy, enum direction dir, const struct rule *what, size_t n, struct region_answer *ret)
{
	const struct chain *chain = &policy->chain[dir];
	struct space_list lists[] = {
		{ .rules = chain->rules, .nrules = chain->present ? chain->nrules : 0, .policy = policy },
		{ .rules = what, .nrules = n, .policy = policy },
	};
	struct space *s cleanup(space_freep) = NULL;
	struct judge j = {};
	int err = space_new(lists, 2, &s);

	if (err)
		return err;
	side_init(&j.side, policy, dir, &lists[0]);
	err = search_init(&j.w, s, JUDGE_STEPS);
	err = err ? err : maker_init(&j.m, s);
	for (size_t i = 0; i < n && !err; i++) {
		j.answer = &ret[i];
		*j.answer = (struct region_answer){};
		err = judge_one(&j, &s->rule[lists[1].first + i]);
	}
	vec_fini(&j.near);
	maker_fini(&j.m);
	search_fini(&j.w);
	return err;
}
