// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules that can never match: nothing satisfies them, or one earlier rule takes all they could.
 *
 * Looking for the earlier rule pair by pair would be quadratic. But it matches whatever the later one matches, so also
 * the packet with the later one's lowest value everywhere, and the one with its highest: the rows of these packets and
 * the lists of their addresses name the few candidates, and only they are compared set by set.
 */
#include "compile/plan.h"

#include "base/arena.h"

#include <errno.h>

/*
 * Enough for what people write; each candidate costs a comparison of sets. REDUCE_WORK bounds all comparisons of one
 * direction (in ranges looked at, some tens of milliseconds): beyond it rules get no warning, which is all that is
 * lost.
 */
#define REDUCE_CANDIDATES 16
#define REDUCE_WORK	  4000000ul
#define REDUCE_CACHE	  4096 /* answers about long sets, which many rules may share */
#define REDUCE_LONG	  16

struct reduce_answer {
	const struct box_set *a, *b;
	bool covers;
};

struct reduce {
	const struct plan *p;
	const struct image *img;
	const uint64_t **row; /* rows of the witness packets of the rule looked at: at most four per space */
	size_t nrows, nsmall; /* nsmall of them, the first, are not of addresses */
	unsigned int tried;
	uint64_t *terminal; /* bits of the rules before this one that end the walk */
	struct reduce_answer *cache;
	size_t work;
};

static void reduce_add_class(struct reduce *w, enum space s, uint32_t cls)
{
	if (cls != CLASS_NONE)
		w->row[w->nrows++] = rows_get(w->p, w->img, s, cls);
}

/* The stretch that holds a value. */
static size_t reduce_stretch(const struct classes *c, u128 value)
{
	size_t from = 0, to = c->nbounds;

	while (to - from > 1) {
		size_t mid = (from + to) / 2;

		if (c->start[mid] <= value)
			from = mid;
		else
			to = mid;
	}
	return from;
}

/* Rows of the lowest and of the highest value of a set that a rule asks for. Not every set is one that rows know. */
static void reduce_witness_set(struct reduce *w, enum space s, uint32_t id)
{
	const struct classes *c = &w->p->classes[s];
	const struct box_set *set = &w->p->boxes.sets[s].v[id - 1];
	uint32_t used = w->p->used_id[s][id - 1];

	if (used) {
		reduce_add_class(w, s, c->first[used - 1]);
		reduce_add_class(w, s, c->last[used - 1]);
	} else if (set->n) {
		size_t at = reduce_stretch(c, box_set_lo(set, 0));
		u128 hi = box_set_hi(set, set->n - 1);

		reduce_add_class(w, s, c->cls[at]);
		if (at + 1 < c->nbounds && c->start[at + 1] <= hi)
			reduce_add_class(w, s, c->cls[reduce_stretch(c, hi)]);
	}
}

/* The rows that hold every rule which takes all that this one can match. */
static void reduce_witness(struct reduce *w, size_t rule)
{
	const struct boxes *b = &w->p->boxes;

	w->nrows = 0;
	for (int s = 0; s < SPACE_COUNT; s++) {
		const struct classes *c = &w->p->classes[s];
		enum family family = space_family(s);

		if (s == SERVICE_SPACES)
			w->nsmall = w->nrows;
		if (!plan_has(w->p, s) || (family != FAMILY_COUNT && !(b->families[rule] >> family & 1)))
			continue;
		if (b->set[s][rule]) {
			reduce_witness_set(w, s, b->set[s][rule]);
		} else if (c->absent != CLASS_NONE) {
			reduce_add_class(w, s, c->absent);
		} else {
			reduce_add_class(w, s, c->cls[0]);
			reduce_add_class(w, s, c->cls[c->nbounds - 1]);
		}
	}
}

/* Does a hold what b holds? Where every packet has a value, no condition is the whole range. */
static bool reduce_covers_set(struct reduce *w, enum space s, const struct box_set *a, const struct box_set *b)
{
	struct reduce_answer *answer;

	if (a && !b && s >= SPACE_MAC)
		return a->n == 1 && !box_set_lo(a, 0) && box_set_hi(a, 0) >= space_max(s);
	if (!a || !b || b->n <= REDUCE_LONG)
		return box_set_covers(a, b);
	answer = &w->cache[(a->hash ^ b->hash * 3) % REDUCE_CACHE];
	if (answer->a != a || answer->b != b) {
		w->work += b->n;
		*answer = (struct reduce_answer){ a, b, box_set_covers(a, b) };
	}
	return answer->covers;
}

static bool reduce_covers(struct reduce *w, size_t earlier, size_t rule)
{
	const struct boxes *b = &w->p->boxes;

	if (b->families[rule] & ~b->families[earlier] || ++w->work > REDUCE_WORK)
		return false;
	for (int s = 0; s < SPACE_COUNT; s++) {
		enum family family = space_family(s);

		if (family != FAMILY_COUNT && !(b->families[rule] >> family & 1))
			continue;
		if (!reduce_covers_set(w, s, boxes_set(b, s, earlier), boxes_set(b, s, rule)))
			return false;
	}
	return true;
}

/* Among those that own bits; SIZE_MAX when there is none. */
static size_t reduce_find_bit(struct reduce *w, size_t rule)
{
	for (size_t i = 0; i < w->p->nwords; i++) {
		uint64_t word = w->terminal[i];

		for (size_t k = 0; k < w->nrows && word; k++)
			word &= w->row[k][i];
		for (; word; word &= word - 1) {
			size_t earlier = w->p->rule_at[i * 64 + __builtin_ctzll(word)];

			if (w->tried++ == REDUCE_CANDIDATES)
				return SIZE_MAX;
			if (reduce_covers(w, earlier, rule))
				return earlier;
		}
	}
	return SIZE_MAX;
}

/* Number of a rule's lowest address in a tree. A rule that asks nothing is hidden only by those that ask nothing: 0. */
static uint32_t reduce_number(const struct reduce *w, unsigned int tree, size_t rule)
{
	const struct box_set *set = boxes_set(&w->p->boxes, lists_space(tree), rule);
	size_t n;

	if (w->p->lists.listed[rule])
		return lists_prefixes(&w->p->lists, tree, rule, &n)[0];
	return set && set->n ? prefix_tree_find(&w->p->lists.tree[tree], box_set_lo(set, 0)) : 0;
}

static bool reduce_svc(const struct reduce *w, uint32_t svc)
{
	uint64_t bit = 1ull << svc % 64;

	for (size_t k = 0; svc != FW_SVC_ANY && k < w->nsmall && bit; k++)
		bit &= w->row[k][w->p->nwords + svc / 64];
	return bit;
}

/* Among the rules that stand in the list of the lowest address on one side. */
static size_t reduce_find_listed(struct reduce *w, unsigned int tree, size_t rule)
{
	const struct lists *l = &w->p->lists;
	uint32_t number = reduce_number(w, tree, rule), other = reduce_number(w, lists_other(tree), rule), n;
	const struct fw_entry *e;

	e = lists_run(l, l->list_of[tree][number], other, &n);
	for (uint32_t i = 0; i < n && e[i].place < rule; i++) {
		if (other - e[i].lo > e[i].span || !reduce_svc(w, e[i].svc))
			continue;
		if (w->tried++ == REDUCE_CANDIDATES)
			return SIZE_MAX;
		if (reduce_covers(w, e[i].place, rule))
			return e[i].place;
	}
	return SIZE_MAX;
}

/* An earlier rule that takes everything; SIZE_MAX when there is none. */
static size_t reduce_find(struct reduce *w, size_t rule)
{
	unsigned int families = w->p->boxes.families[rule], family = !(families >> FAMILY_IPV4 & 1);
	size_t found;

	reduce_witness(w, rule);
	w->tried = 0;
	found = reduce_find_bit(w, rule);
	/* What takes all takes it in one family, too. Lists do not see frames without addresses. */
	if (w->p->engine != ENGINE_LISTS || families >> FAMILY_OTHER & 1)
		return found;
	for (unsigned int side = 0; side < LISTS_SIDES && found == SIZE_MAX; side++)
		found = reduce_find_listed(w, lists_tree(side, family), rule);
	return found;
}

static void reduce_warn(const struct plan *p, size_t rule, size_t earlier, struct diags *d)
{
	const struct rule *r = &p->boxes.chain->rules[rule];
	struct diag *g;

	if (!d || r->essential)
		return;
	g = diag_add(d, DIAG_WARNING, (struct span){}, "%s:%u: this rule can never match: %s", r->file ? r->file : "",
		     r->line, r->text);
	if (earlier == SIZE_MAX)
		diag_hint(d, g, "its conditions exclude one another");
	else
		diag_hint(d, g, "line %u takes every packet first: %s", p->boxes.chain->rules[earlier].line,
			  p->boxes.chain->rules[earlier].text);
}

int reduce_never(struct arena *arena, struct plan *p, const struct image *img, struct diags *d)
{
	struct reduce w = { .p = p, .img = img };
	const struct chain *chain = p->boxes.chain;

	w.row = arena_array(arena, 2 * SPACE_COUNT, sizeof(*w.row));
	w.terminal = arena_array(arena, p->nwords, sizeof(*w.terminal));
	w.cache = arena_array(arena, REDUCE_CACHE, sizeof(*w.cache));
	if (!w.row || !w.terminal || !w.cache)
		return -ENOMEM;
	for (size_t i = 0; i < chain->nrules; i++) {
		size_t earlier = p->boxes.families[i] ? reduce_find(&w, i) : SIZE_MAX;

		p->never[i] = earlier != SIZE_MAX || !p->boxes.families[i];
		if (p->never[i])
			reduce_warn(p, i, earlier, d);
		if (chain->rules[i].verdict != VERDICT_CONTINUE && plan_owns_bit(p, i))
			w.terminal[p->place[i] / 64] |= 1ull << p->place[i] % 64;
	}
	return 0;
}
