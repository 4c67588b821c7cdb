// SPDX-License-Identifier: GPL-2.0-only
#include "analyze/diff_priv.h"

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/vec.h"

#include <errno.h>
#include <string.h>

#define DIFF_STEPS 150000000ull /* rules compared for one direction: some seconds */
#define DIFF_TELL  3000 /* what it costs to put a region into words, in these steps */
#define NONE	   UINT32_MAX /* no rule: the default, or the flow */

enum which { ALL_PACKETS, KNOWN_FLOWS };

static bool is_known(const struct cell *c)
{
	return c->state == STATE_ESTABLISHED || c->state == STATE_RELATED;
}

static struct treats treats_of(const struct differ *d, int side, uint32_t rule, const struct cell *cell)
{
	const struct side *s = &d->side[side];

	if (rule != NONE)
		return treats_rule(d->space->rule[rule].rule);
	return (struct treats){ NULL, side_fallback(s, cell), is_known(cell) ? NULL : s->chain->log_default };
}

static void end_add(struct diff_end *e, const struct rule *r)
{
	if (!r) {
		e->fallback = true;
		return;
	}
	for (size_t i = 0; i < e->count && i < DIFF_RULES; i++)
		if (e->rule[i] == r)
			return;
	if (e->count < DIFF_RULES)
		e->rule[e->count] = r;
	e->count++;
}

static enum reject reject_of(const struct treats *t)
{
	return t->verdict == VERDICT_REJECT && t->rule ? t->rule->reject : REJECT_AUTO;
}

static bool is_end(const struct diff_end *e, enum treatment how, const struct treats *t)
{
	return e->verdict == t->verdict && e->reject == reject_of(t) && (how != TREATMENT_LOG || log_same(e->log, t->log));
}

/* The change that this belongs to: of the rule that one side alone has, from one verdict to another. */
static struct diff_change *change_of(struct differ *d, const struct rule *mine, int side, enum treatment how, const struct treats t[SIDES])
{
	__typeof__(d->out->change[0]) *list = &d->out->change[d->dir];

	for (size_t i = list->n; i-- > 0;) {
		struct diff_change *c = &list->v[i];
		const struct diff_end *e = side == OLD ? &c->old : &c->new;

		/* Of one rule they stand together, at the end. */
		if (mine ? !(e->count == 1 && e->rule[0] == mine && !e->fallback) : !(e->fallback && !e->count))
			break;
		if (c->how == how && is_end(&c->old, how, &t[OLD]) && is_end(&c->new, how, &t[NEW]))
			return c;
	}
	if (vec_push(list, (struct diff_change){ .how = how,
						 .old = { .verdict = t[OLD].verdict, .reject = reject_of(&t[OLD]), .log = t[OLD].log },
						 .new = { .verdict = t[NEW].verdict, .reject = reject_of(&t[NEW]), .log = t[NEW].log } }))
		return NULL;
	return &list->v[list->n - 1];
}

/* An example of the part, judged by both. */
static void change_example(struct differ *d, struct diff_change *c, const struct part *p, const uint32_t rule[SIDES],
			   const struct treats t[SIDES])
{
	struct packet_spec spec;
	bool good = maker_make(&d->m, p, &spec);

	for (int s = 0; s < SIDES && good; s++) {
		struct eval_result r = maker_judge(&d->m, &spec, &d->side[s]);
		long want = rule[s] == NONE ? -1 : (long)(rule[s] - d->side[s].first);

		good = r.rule == want && r.verdict == t[s].verdict;
	}
	c->built = good;
	c->spec = spec;
}

/* Packets of the cell that `rule` decides on either side. */
static enum found ask(struct differ *d, const struct cell *cell, const uint32_t rule[SIDES], size_t navoid, struct part *core,
		      struct part *ret, bool *ret_all)
{
	for (int s = 0; s < SIDES; s++)
		if (rule[s] != NONE && (!space_applies(&d->space->rule[rule[s]], cell) || !side_asks(&d->side[s], cell)))
			return FOUND_NOTHING;
	part_whole(cell, core);
	for (int s = 0; s < SIDES; s++)
		if (rule[s] != NONE && !part_narrow(&d->w, core, &d->space->rule[rule[s]]))
			return FOUND_NOTHING;
	*ret = *core;
	return search_outside(&d->w, ret, d->avoid, navoid, ret_all);
}

static int pair_cell(struct differ *d, const struct cell *cell, const uint32_t rule[SIDES], size_t navoid, int mine)
{
	const struct treats t[SIDES] = { treats_of(d, OLD, rule[OLD], cell), treats_of(d, NEW, rule[NEW], cell) };
	enum treatment how = treatment_compare(&t[OLD], &t[NEW]);
	struct diff_change *c;
	struct part core, p;
	struct region *r;
	bool all;

	if (how == TREATMENT_SAME)
		return 0;
	switch (ask(d, cell, rule, navoid, &core, &p, &all)) {
	case FOUND_NOTHING:
		return 0;
	case FOUND_UNDECIDED:
		d->out->undecided[d->dir]++;
		return 0;
	case FOUND_PACKET:
		break;
	}
	c = change_of(d, mine == NEW ? t[NEW].rule : t[OLD].rule, mine, how, t);
	if (!c)
		return -ENOMEM;
	end_add(&c->old, t[OLD].rule);
	end_add(&c->new, t[NEW].rule);
	if (!c->built)
		change_example(d, c, &p, rule, t);
	if (c->nregions == DIFF_REGIONS) {
		c->more = true;
		return 0;
	}
	search_spend(&d->w, DIFF_TELL);
	r = region_make(d, &core, &p, all, (const struct rule *const[]){ t[OLD].rule, t[NEW].rule });
	if (!r)
		return -ENOMEM;
	c->region[c->nregions++] = r;
	return 0;
}

/* The rules before these on either side that can be in the way in cells of known flows, or in the others. How many. */
static size_t avoid_make(struct differ *d, const uint32_t rule[SIDES], uint32_t other, bool known)
{
	size_t n = 0;

	for (int s = 0; s < SIDES; s++)
		for (size_t i = 0; (!known || d->side[s].names_known) && i < d->near[s].n && d->near[s].v[i] < rule[s]; i++)
			if (other == NONE || near_meets(&d->near[s], d->near[s].v[i], other))
				d->avoid[n++] = d->near[s].v[i];
	search_spend(&d->w, (d->near[OLD].n + d->near[NEW].n) / 8 + d->space->ncells);
	return n;
}

/*
 * All packets that rule[OLD] decided and rule[NEW] decides. They are outside of all rules before these; near[] has those that can
 * meet the one that is `mine`.
 */
static int pair(struct differ *d, const uint32_t rule[SIDES], int mine, enum which which)
{
	int err = 0;

	if (!d->w.steps || d->w.failed) {
		d->out->undecided[d->dir]++;
		return d->w.failed ? -ENOMEM : 0;
	}
	for (int known = which == KNOWN_FLOWS; known <= d->flows && !err; known++) {
		size_t n = avoid_make(d, rule, rule[!mine], known);

		for (size_t i = 0; i < d->space->ncells && !err; i++) {
			struct ipool_mark mark = ipool_mark(&d->w.pool);

			if (is_known(&d->space->cell[i]) == known)
				err = pair_cell(d, &d->space->cell[i], rule, n, mine);
			ipool_release(&d->w.pool, mark);
		}
	}
	return err;
}

static void find_near(struct differ *d, uint32_t rule)
{
	for (int s = 0; s < SIDES; s++)
		near_find(&d->near[s], rule, d->side[s].first, d->nrules[s]);
	search_spend(&d->w, (d->nrules[OLD] + d->nrules[NEW]) / 8);
}

/* A rule that one side alone has, with all that can decide the same packets on the other side. */
static int compare_rule(struct differ *d, int mine, size_t i)
{
	uint32_t rule[SIDES];
	int err = 0;

	rule[mine] = d->side[mine].first + (uint32_t)i;
	find_near(d, rule[mine]);
	for (size_t k = 0; k < d->near[!mine].n && !err; k++) {
		rule[!mine] = d->near[!mine].v[k];
		/* Where neither is common to both, the new one has asked. */
		if (mine == NEW || d->kept[NEW][rule[NEW] - d->side[NEW].first])
			err = pair(d, rule, mine, ALL_PACKETS);
	}
	rule[!mine] = NONE;
	return err ? err : pair(d, rule, mine, ALL_PACKETS);
}

/* Defaults that differ: what reaches both. */
static int compare_fallback(struct differ *d)
{
	const uint32_t none[SIDES] = { NONE, NONE };
	const struct treats t[SIDES] = {
		{ NULL, d->side[OLD].chain->present ? d->side[OLD].chain->fallback : VERDICT_PASS, d->side[OLD].chain->log_default },
		{ NULL, d->side[NEW].chain->present ? d->side[NEW].chain->fallback : VERDICT_PASS, d->side[NEW].chain->log_default },
	};

	if (treatment_compare(&t[OLD], &t[NEW]) == TREATMENT_SAME)
		return 0;
	for (int s = 0; s < SIDES; s++) {
		d->near[s].n = 0;
		for (size_t i = 0; i < d->nrules[s]; i++)
			if (d->side[s].chain->rules[i].verdict != VERDICT_CONTINUE)
				d->near[s].v[d->near[s].n++] = d->side[s].first + (uint32_t)i;
	}
	return pair(d, none, NEW, ALL_PACKETS);
}

/* One side asks its rules about known flows and the other does not: then rules that both have make a difference, too. */
static int compare_flows(struct differ *d)
{
	int asks = d->side[OLD].names_known ? OLD : NEW, err = 0;
	uint32_t rule[SIDES];

	if (!d->flows || d->side[OLD].names_known == d->side[NEW].names_known)
		return 0;
	rule[!asks] = NONE;
	for (size_t i = 0; i < d->nrules[asks] && !err; i++) {
		rule[asks] = d->side[asks].first + (uint32_t)i;
		if (!d->kept[asks][i] || !(d->space->rule[rule[asks]].states & (1u << STATE_ESTABLISHED | 1u << STATE_RELATED)))
			continue;
		find_near(d, rule[asks]);
		err = pair(d, rule, asks, KNOWN_FLOWS);
	}
	return err;
}

static int compare_all(struct differ *d)
{
	int err = diff_align(d);

	for (int s = NEW; s >= OLD; s--)
		for (size_t i = 0; i < d->nrules[s] && !err; i++)
			if (!d->kept[s][i] && d->side[s].chain->rules[i].verdict != VERDICT_CONTINUE)
				err = compare_rule(d, s, i);
	err = err ? err : compare_flows(d);
	return err ? err : compare_fallback(d);
}

static bool keeps(const struct policy *p)
{
	for (int d = 0; p->track && d < DIRECTION_COUNT; d++)
		for (size_t i = 0; i < p->chain[d].nrules; i++)
			if (p->chain[d].rules[i].keep_state)
				return true;
	return false;
}

static int differ_init(struct differ *d, const struct policy *const policy[SIDES], struct space_list list[SIDES])
{
	size_t room = list[OLD].nrules + list[NEW].nrules + 1;
	int err;

	for (int s = 0; s < SIDES; s++) {
		side_init(&d->side[s], policy[s], d->dir, &list[s]);
		d->nrules[s] = list[s].nrules;
		d->kept[s] = arena_array(d->arena, list[s].nrules + 1, sizeof(*d->kept[s]));
	}
	d->flows = keeps(policy[OLD]) && keeps(policy[NEW]) && (d->side[OLD].names_known || d->side[NEW].names_known);
	d->avoid = calloc(room, sizeof(*d->avoid));
	err = search_init(&d->w, d->space, DIFF_STEPS);
	err = err ? err : maker_init(&d->m, d->space);
	err = err ? err : near_init(&d->near[OLD], d->space);
	err = err ? err : near_init(&d->near[NEW], d->space);
	return d->avoid && d->kept[OLD] && d->kept[NEW] ? err : -ENOMEM;
}

static int diff_direction(struct arena *arena, const struct policy *const policy[SIDES], enum direction dir, struct diff *out)
{
	struct differ d = { .arena = arena, .out = out, .dir = dir };
	struct space_list list[SIDES];
	int err;

	for (int s = 0; s < SIDES; s++) {
		const struct chain *c = &policy[s]->chain[dir];

		list[s] = (struct space_list){ .rules = c->rules, .nrules = c->present ? c->nrules : 0, .policy = policy[s] };
	}
	out->faults[dir] = policy[OLD]->chain[dir].present != policy[NEW]->chain[dir].present;
	err = space_new(list, SIDES, &d.space);
	if (err == -E2BIG) {
		out->undecided[dir] = list[OLD].nrules + list[NEW].nrules;
		return 0;
	}
	if (err)
		return err;
	err = differ_init(&d, policy, list);
	err = err ? err : compare_all(&d);
	for (size_t i = 0; i < out->change[dir].n && !err; i++)
		regions_merge(&out->change[dir].v[i]);
	for (unsigned int i = 0; i < d.space->nlive; i++)
		out->live[dir][i] = d.space->live[i];
	for (int s = 0; s < SIDES; s++)
		near_fini(&d.near[s]);
	maker_fini(&d.m);
	search_fini(&d.w);
	free(d.avoid);
	space_free(d.space);
	return err;
}

/* What a counter follows. */
static const char *rule_id(const struct rule *r)
{
	return r->label ? r->label : r->id_text ? r->id_text : r->text;
}

static int id_compare(const void *x, const void *y)
{
	const struct rule *a = *(const struct rule *const *)x, *b = *(const struct rule *const *)y;

	if (a->verdict != b->verdict)
		return a->verdict < b->verdict ? -1 : 1;
	return strcmp(rule_id(a), rule_id(b));
}

static const struct rule **sorted_by_id(const struct chain *c)
{
	const struct rule **v = calloc(c->nrules + 1, sizeof(*v));

	for (size_t i = 0; v && i < c->nrules; i++)
		v[i] = &c->rules[i];
	if (v)
		qsort(v, c->nrules, sizeof(*v), id_compare);
	return v;
}

static int compare_ids(const struct chain *old, const struct chain *new, struct diff *out)
{
	auto_free const struct rule **a = sorted_by_id(old);
	auto_free const struct rule **b = sorted_by_id(new);
	size_t i = 0, k = 0, kept = 0;

	if (!a || !b)
		return -ENOMEM;
	while (i < old->nrules && k < new->nrules) {
		int c = id_compare(&a[i], &b[k]);

		kept += !c;
		/* Of rules that decide, the regions say it. */
		if (!c && a[i]->verdict == VERDICT_CONTINUE && !log_same(a[i]->log, b[k]->log))
			out->logs = true;
		i += c <= 0;
		k += c >= 0;
	}
	out->logs |= !log_same(old->log_reasons, new->log_reasons);
	out->gone += old->nrules - kept;
	out->came += new->nrules - kept;
	return 0;
}

int diff_policies(struct arena *arena, const struct policy *old, const struct policy *new, struct diff *ret)
{
	const struct policy *const policy[SIDES] = { old, new };
	int err = 0;

	*ret = (struct diff){ .tracks_old = keeps(old), .tracks_new = keeps(new) };
	ret->state_opts = ret->tracks_old && ret->tracks_new && memcmp(&old->state, &new->state, sizeof(old->state));
	for (int d = 0; d < DIRECTION_COUNT && !err; d++) {
		err = diff_direction(arena, policy, (enum direction)d, ret);
		err = err ? err : compare_ids(&old->chain[d], &new->chain[d], ret);
	}
	if (err)
		diff_fini(ret);
	return err;
}

void diff_fini(struct diff *d)
{
	for (int i = 0; i < DIRECTION_COUNT; i++)
		vec_fini(&d->change[i]);
}

bool diff_is_fate(const struct diff *d)
{
	for (int i = 0; i < DIRECTION_COUNT; i++)
		for (size_t k = 0; k < d->change[i].n; k++)
			if (d->change[i].v[k].how == TREATMENT_VERDICT)
				return true;
	return d->faults[DIRECTION_INGRESS] || d->faults[DIRECTION_EGRESS];
}

bool diff_is_any(const struct diff *d)
{
	for (int i = 0; i < DIRECTION_COUNT; i++)
		if (d->change[i].n || d->faults[i] || d->undecided[i])
			return true;
	return d->state_opts || d->tracks_old != d->tracks_new;
}
