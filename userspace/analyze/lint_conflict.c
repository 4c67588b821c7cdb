// SPDX-License-Identifier: GPL-2.0-only
/* Rules that work, and may not say what was meant. */
#include "analyze/lint_priv.h"

#define BIT(n) (1u << (n))

/*
 * `drop from @bad` before `pass to port 80` is how rules are written: each speaks of what the other leaves open. Two rules
 * conflict when they speak of the same fields and still neither holds the other: ports 1000-2000 and 1500-2500, or
 * one narrower in the source and the other in the destination. Flags and extension headers are masks, which cross by nature.
 */
static bool parts_conflict(const struct space_rule *a, const struct space_rule *b, const struct part *x, const struct part *y)
{
	const uint32_t masks = BIT(FIELD_TCPFLAGS) | BIT(FIELD_EXT), both = a->dims & b->dims & ~masks;
	bool x_in_y = true, y_in_x = true;

	for (unsigned int d = 0; d < DIM_COUNT; d++) {
		enum iset_relation xy, yx;

		if (!(x->cell->dims & BIT(d)))
			continue;
		xy = iset_relation(&x->d[d], &y->d[d]);
		yx = iset_relation(&y->d[d], &x->d[d]);
		if (xy == ISET_APART)
			return false;
		if ((xy != ISET_COVERED || yx != ISET_COVERED) && !(both & BIT(d)))
			return false;
		x_in_y &= xy == ISET_COVERED;
		y_in_x &= yx == ISET_COVERED;
	}
	return !x_in_y && !y_in_x;
}

/* Some packet of both, which the earlier one decides. */
static bool conflict_in(struct linter *l, const struct cell *cell, uint32_t rule, size_t nth, struct example *ret)
{
	uint32_t earlier = l->near.v[nth];
	struct part x, y;
	bool all;

	if (!side_asks(&l->side, cell) || !part_of_rule(&l->w, cell, &l->space->rule[rule], &x) ||
	    !part_of_rule(&l->w, cell, &l->space->rule[earlier], &y) ||
	    !parts_conflict(&l->space->rule[rule], &l->space->rule[earlier], &x, &y) ||
	    !part_narrow(&l->w, &x, &l->space->rule[earlier]) || search_outside(&l->w, &x, l->near.v, nth, &all) != FOUND_PACKET)
		return false;
	maker_example(&l->m, &x, &l->side, (long)(earlier - l->side.first), ret);
	return ret->built;
}

void lint_conflict(struct linter *l, uint32_t rule)
{
	const struct rule *r = l->space->rule[rule].rule;

	for (size_t i = 0; i < l->near.n && l->near.v[i] < rule; i++) {
		const struct rule *earlier = l->space->rule[l->near.v[i]].rule;

		if ((earlier->verdict == VERDICT_PASS) == (r->verdict == VERDICT_PASS) || earlier->essential)
			continue;
		for (size_t c = 0; c < l->space->ncells; c++) {
			struct ipool_mark mark = ipool_mark(&l->w.pool);
			struct example x;
			bool is = conflict_in(l, &l->space->cell[c], rule, i, &x);
			struct finding *f = is ? finding_add(l, LINT_CONFLICT, r) : NULL;

			ipool_release(&l->w.pool, mark);
			if (!f)
				continue;
			f->example = x;
			finding_others(l, f, &l->near.v[i], 1);
			return; /* one is enough to look at the rule */
		}
	}
}

/* The first cell that `fits` in which the rule decides a packet: a finding with it. */
static void finding_in(struct linter *l, uint32_t rule, enum lint_kind kind,
		       bool (*fits)(const struct linter *l, const struct cell *c, const struct space_rule *r))
{
	const struct space_rule *r = &l->space->rule[rule];

	for (size_t i = 0; i < l->space->ncells; i++) {
		const struct cell *cell = &l->space->cell[i];
		struct ipool_mark mark = ipool_mark(&l->w.pool);
		struct finding *f = NULL;
		struct part p;
		bool all;

		if (side_asks(&l->side, cell) && fits(l, cell, r) && part_of_rule(&l->w, cell, r, &p) &&
		    search_outside(&l->w, &p, l->near.v, near_before(&l->near, rule), &all) == FOUND_PACKET)
			f = finding_add(l, kind, r->rule);
		if (f)
			maker_example(&l->m, &p, &l->side, (long)(rule - l->side.first), &f->example);
		ipool_release(&l->w.pool, mark);
		if (f)
			return;
	}
}

/* All of TCP or UDP that may open something. */
static bool wide_fits(const struct linter *l, const struct cell *c, const struct space_rule *r)
{
	struct part p;

	part_whole(c, &p);
	return (c->kind == KIND_TCP || c->kind == KIND_UDP) && (c->state == STATE_NEW || c->state == STATE_NONE) &&
	       part_covered(&l->w, &p, r);
}

void lint_wide(struct linter *l, uint32_t rule)
{
	if (l->dir == DIRECTION_INGRESS && l->space->rule[rule].rule->verdict == VERDICT_PASS && l->chain->fallback == VERDICT_DROP)
		finding_in(l, rule, LINT_WIDE, wide_fits);
}

static bool port_fits(const struct linter *l, const struct cell *c, const struct space_rule *r)
{
	return c->kind == KIND_UDP || c->kind == KIND_SCTP;
}

void lint_port(struct linter *l, uint32_t rule)
{
	uint32_t dims = l->space->rule[rule].dims;

	/* Flags and types have said which protocol is meant. */
	if (dims & (BIT(FIELD_SPORT) | BIT(FIELD_DPORT)) && !(dims & BIT(FIELD_PROTO)))
		finding_in(l, rule, LINT_PORT, port_fits);
}
