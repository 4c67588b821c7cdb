// SPDX-License-Identifier: GPL-2.0-only
/* Rules that decide no packet: nothing meets their conditions, or earlier rules take all of it. */
#include "analyze/lint_priv.h"

#include <string.h>

/* Is something left of the rule, or with NULL of all of IP, outside of these? The first cell where it is, or FOUND_NOTHING. */
static enum found outside(struct linter *l, const struct space_rule *r, const uint32_t *rules, size_t n, struct part *ret, bool *ret_any)
{
	enum found answer = FOUND_NOTHING;

	*ret_any = false;
	for (size_t i = 0; i < l->space->ncells; i++) {
		const struct cell *cell = &l->space->cell[i];
		struct part p;
		bool all;

		part_whole(cell, &p);
		if (!side_asks(&l->side, cell) || (r ? !part_narrow(&l->w, &p, r) : cell->family == FAMILY_OTHER))
			continue;
		/* Flows do not meet the default. */
		if (!r && (cell->state == STATE_ESTABLISHED || cell->state == STATE_RELATED))
			continue;
		*ret_any = true;
		switch (search_outside(&l->w, &p, rules, n, &all)) {
		case FOUND_PACKET:
			*ret = p;
			return FOUND_PACKET;
		case FOUND_UNDECIDED:
			answer = FOUND_UNDECIDED;
			break;
		case FOUND_NOTHING:
			break;
		}
	}
	return answer;
}

/* The rules that the searches needed to find nothing, less those that can be done without. How many; in l->avoid. */
static size_t hiders(struct linter *l, const struct space_rule *r, const uint32_t *rules, size_t n)
{
	size_t used = 0;
	struct part p;
	bool any;

	for (size_t i = 0; i < n; i++)
		if (l->w.used[rules[i]])
			l->avoid[used++] = rules[i];
	for (size_t i = 0; i < used; i++) {
		if (outside(l, r, &l->avoid[i], 1, &p, &any) == FOUND_NOTHING) {
			l->avoid[0] = l->avoid[i];
			return 1;
		}
	}
	/* From the last on: the rule that is nearest to the beginning explains most. */
	for (size_t i = used; i-- > 0 && used <= LINT_OTHERS;) {
		uint32_t without = l->avoid[i];

		memmove(&l->avoid[i], &l->avoid[i + 1], (used - i - 1) * sizeof(without));
		if (outside(l, r, l->avoid, used - 1, &p, &any) == FOUND_NOTHING) {
			used--;
			continue;
		}
		memmove(&l->avoid[i + 1], &l->avoid[i], (used - i - 1) * sizeof(without));
		l->avoid[i] = without;
	}
	return used;
}

/* Any packet that meets the rule, or NULL: of IP, and who decides it. */
static void some_packet(struct linter *l, const struct space_rule *r, struct example *ret)
{
	struct part p;
	bool any;

	if (outside(l, r, NULL, 0, &p, &any) != FOUND_PACKET)
		return;
	*ret = (struct example){ .there = true, .rule = -1 };
	if (maker_make(&l->m, &p, &ret->spec)) {
		struct eval_result x = maker_judge(&l->m, &ret->spec, &l->side);

		ret->built = true;
		ret->rule = x.rule;
		ret->verdict = x.verdict;
	}
	ret->spec.live_src = policy_live(l->space, l->policy, ret->spec.live_src);
	ret->spec.live_dst = policy_live(l->space, l->policy, ret->spec.live_dst);
}

enum found lint_reach(struct linter *l, uint32_t rule)
{
	struct ipool_mark mark = ipool_mark(&l->w.pool);
	const struct space_rule *r = &l->space->rule[rule];
	size_t before = near_before(&l->near, rule);
	struct finding *f;
	struct part p;
	enum found found;
	bool any;

	memset(l->w.used, 0, l->space->nrules);
	found = outside(l, r, l->near.v, before, &p, &any);
	if (found == FOUND_NOTHING && !r->rule->essential) {
		f = finding_add(l, any ? LINT_SHADOWED : LINT_NEVER, r->rule);
		if (f && any && !finding_others(l, f, l->avoid, hiders(l, r, l->near.v, before)))
			some_packet(l, r, &f->example);
	}
	ipool_release(&l->w.pool, mark);
	return found;
}

void lint_default(struct linter *l)
{
	struct ipool_mark mark = ipool_mark(&l->w.pool);
	uint32_t *all = l->near.v;
	struct finding *f;
	struct part p;
	size_t n = 0;
	bool any;

	for (size_t i = 0; i < l->chain->nrules; i++)
		if (l->chain->rules[i].verdict != VERDICT_CONTINUE)
			all[n++] = l->side.first + (uint32_t)i;
	memset(l->w.used, 0, l->space->nrules);
	if (n && outside(l, NULL, all, n, &p, &any) == FOUND_NOTHING && !l->w.failed) {
		f = finding_add(l, LINT_DEFAULT, NULL);
		/* Where it is the purpose of the last rule to say so, it is only odd. */
		if (f && !finding_others(l, f, l->avoid, hiders(l, NULL, all, n))) {
			f->warning = l->chain->fallback == VERDICT_DROP;
			some_packet(l, NULL, &f->example);
		}
	}
	ipool_release(&l->w.pool, mark);
}
