// SPDX-License-Identifier: GPL-2.0-only
/* Rules that can be taken away and nothing else becomes of any packet: what decides instead treats it the same. */
#include "analyze/lint_priv.h"

#define NONE  UINT32_MAX
#define NAMED 8 /* rules that decide instead; looked for so long */

/* The rules near that come before `next` and can meet it, or with NONE all. How many; in l->avoid. */
static size_t others_before(struct linter *l, uint32_t next)
{
	size_t n = 0;

	for (size_t i = 0; i < l->near.n && l->near.v[i] < next; i++)
		if (next == NONE || near_meets(&l->near, l->near.v[i], next))
			l->avoid[n++] = l->near.v[i];
	search_spend(&l->w, l->near.n / 8);
	return n;
}

/* A packet that the rule decides, and without it the rule `next` does, or with NONE the default. */
static enum found decided_by(struct linter *l, const struct cell *cell, uint32_t rule, uint32_t next, size_t navoid, struct part *ret)
{
	bool all;

	if (!side_asks(&l->side, cell) || (next != NONE && !space_applies(&l->space->rule[next], cell)) ||
	    !part_of_rule(&l->w, cell, &l->space->rule[rule], ret) || (next != NONE && !part_narrow(&l->w, ret, &l->space->rule[next])))
		return FOUND_NOTHING;
	return search_outside(&l->w, ret, l->avoid, navoid, &all);
}

static enum found decided_anywhere(struct linter *l, uint32_t rule, uint32_t next, struct part *ret)
{
	size_t navoid = others_before(l, next);
	enum found answer = FOUND_NOTHING;

	for (size_t i = 0; i < l->space->ncells && answer != FOUND_PACKET; i++) {
		enum found found = decided_by(l, &l->space->cell[i], rule, next, navoid, ret);

		answer = found != FOUND_NOTHING ? found : answer;
	}
	return answer;
}

/* A packet of a flow, or of none, that no other rule decides. */
static bool left_over(struct linter *l, uint32_t rule, bool of_flow, struct part *ret)
{
	size_t navoid = others_before(l, NONE);

	for (size_t i = 0; i < l->space->ncells; i++) {
		const struct cell *cell = &l->space->cell[i];
		bool known = cell->state == STATE_ESTABLISHED || cell->state == STATE_RELATED;

		if (known == of_flow && decided_by(l, cell, rule, NONE, navoid, ret) == FOUND_PACKET)
			return true;
	}
	return false;
}

/* Is there, or may there be, a packet that the default treats otherwise? */
static bool default_differs(struct linter *l, uint32_t rule)
{
	const struct rule *r = l->space->rule[rule].rule;
	const struct treats mine = treats_rule(r);
	size_t navoid = others_before(l, NONE);

	for (size_t i = 0; i < l->space->ncells; i++) {
		const struct cell *cell = &l->space->cell[i];
		const struct treats fallback = { NULL, side_fallback(&l->side, cell), l->chain->log_default };
		struct part p;

		if (treatment_compare(&mine, &fallback) > TREATMENT_LOG && decided_by(l, cell, rule, NONE, navoid, &p) != FOUND_NOTHING)
			return true;
	}
	return false;
}

static bool some_rule_differs(struct linter *l, uint32_t rule)
{
	const struct treats mine = treats_rule(l->space->rule[rule].rule);

	for (size_t i = near_before(&l->near, rule); i < l->near.n; i++) {
		const struct treats its = treats_rule(l->space->rule[l->near.v[i]].rule);
		struct part p;

		if (treatment_compare(&mine, &its) > TREATMENT_LOG && decided_anywhere(l, rule, l->near.v[i], &p) != FOUND_NOTHING)
			return true;
	}
	return false;
}

/* Who decides instead, and a packet that shows it. */
static void explain(struct linter *l, struct finding *f, uint32_t rule)
{
	uint32_t named[NAMED];
	struct part p;
	size_t n = 0;

	for (size_t i = near_before(&l->near, rule); i < l->near.n && n < NAMED; i++) {
		uint32_t next = l->near.v[i];

		if (decided_anywhere(l, rule, next, &p) != FOUND_PACKET)
			continue;
		named[n++] = next;
		if (!f->example.built)
			maker_example(&l->m, &p, &l->side, (long)(rule - l->side.first), &f->example);
	}
	f->by_flow = n < NAMED && left_over(l, rule, true, &p);
	if (f->by_flow && !f->example.built)
		maker_example(&l->m, &p, &l->side, (long)(rule - l->side.first), &f->example);
	f->by_default = n < NAMED && left_over(l, rule, false, &p);
	if (f->by_default && !f->example.built)
		maker_example(&l->m, &p, &l->side, (long)(rule - l->side.first), &f->example);
	finding_others(l, f, named, n);
}

void lint_redundant(struct linter *l, uint32_t rule)
{
	struct ipool_mark mark = ipool_mark(&l->w.pool);
	const struct rule *r = l->space->rule[rule].rule;
	struct finding *f;

	/* Two limits count apart: taking one away is never the same. */
	if (r->limit || r->max_conn)
		return;
	if (!default_differs(l, rule) && !some_rule_differs(l, rule) && !l->w.failed) {
		f = finding_add(l, LINT_REDUNDANT, r);
		if (f) {
			f->counts = r->label || r->log;
			f->warning = !f->counts;
			explain(l, f, rule);
		}
	}
	ipool_release(&l->w.pool, mark);
}
