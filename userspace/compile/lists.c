// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which rules stand in lists, and on which side.
 *
 * Filed at a prefix, a rule is copied into the list of every prefix inside that has rules of its own, once for each
 * interval of its other address. So each rule takes the side where that is less; what is too much on both sides is
 * broad. The count of copies depends on where the others went: a few rounds settle it.
 */
#include "compile/lists.h"

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/vec.h"

#include <errno.h>
#include <string.h>

#define LISTS_COPIES_FIRST 512 /* of a rule, while it is not known which prefixes have rules of their own */
#define LISTS_COPIES	   64  /* of a rule */
#define LISTS_COPIES_MEAN  8   /* of all rules */
#define LISTS_FILINGS	   3   /* rounds of choosing sides */

static const uint32_t lists_root[1];
static const struct prefix_interval lists_everything[1] = { { 0, UINT32_MAX } };

const uint32_t *lists_prefixes(const struct lists *l, unsigned int tree, size_t rule, size_t *ret_n)
{
	const struct prefix_tree *t = &l->tree[tree];
	uint32_t *const *set = &l->b->set[lists_space(tree)], id = *set ? (*set)[rule] : BOX_ANY;

	*ret_n = id ? t->first[id] - t->first[id - 1] : 1;
	return id ? t->number + t->first[id - 1] : lists_root;
}

const struct prefix_interval *lists_intervals(const struct lists *l, unsigned int tree, size_t rule, size_t *ret_n)
{
	const struct prefix_tree *t = &l->tree[tree];
	uint32_t *const *set = &l->b->set[lists_space(tree)], id = *set ? (*set)[rule] : BOX_ANY;

	*ret_n = id ? t->nintervals[id - 1] : 1;
	return id ? t->interval + t->first[id - 1] : lists_everything;
}

/* Does a rule ask something that the trees know? A large set is one more condition beside them (<fw/abi.h>, SETS). */
static bool lists_speaks(const struct boxes *b, size_t rule)
{
	for (unsigned int i = 0; i < LISTS_TREES; i++)
		if (b->set[lists_space(i)] && b->set[lists_space(i)][rule])
			return true;
	return false;
}

/* Rules that lists are for: they decide, and speak of addresses. */
static void lists_candidates(struct lists *l)
{
	for (size_t i = 0; i < l->b->nrules; i++)
		l->listed[i] = l->b->families[i] && l->b->chain->rules[i].verdict != VERDICT_CONTINUE &&
			       lists_speaks(l->b, i);
}

/* Sets of a tree that some rule in lists asks for. */
static int lists_wanted(const struct lists *l, unsigned int tree, bool **ret)
{
	const uint32_t *set = l->b->set[lists_space(tree)];
	bool *wanted = calloc(l->b->sets[lists_space(tree)].n + 1, sizeof(*wanted));

	if (!wanted)
		return -ENOMEM;
	for (size_t i = 0; set && i < l->b->nrules; i++)
		if (l->listed[i] && set[i] && lists_in_family(l, i, tree % LISTS_FAMILIES))
			wanted[set[i] - 1] = true;
	*ret = wanted;
	return 0;
}

static int lists_trees(struct lists *l, bool first)
{
	int err = 0;

	for (unsigned int i = 0; i < LISTS_TREES && !err; i++) {
		enum space s = lists_space(i);
		bool *wanted auto_free = NULL;

		err = lists_wanted(l, i, &wanted);
		if (!err && first)
			err = prefix_tree_init(&l->tree[i], &l->b->sets[s], wanted,
					       space_family(s) == FAMILY_IPV4 ? 32 : 128);
		else if (!err)
			prefix_tree_number(&l->tree[i], wanted);
	}
	return err;
}

/* How many lists a rule filed at a prefix would stand in: `before` counts the prefixes with rules of their own. */
struct lists_weigh {
	uint32_t *before[LISTS_TREES]; /* NULL: every prefix may get some */
	uint32_t *load[LISTS_TREES];   /* rules filed at each prefix so far */
};

static void lists_weigh_fini(struct lists_weigh *w)
{
	for (int i = 0; i < LISTS_TREES; i++) {
		free(w->before[i]);
		free(w->load[i]);
	}
}

static uint64_t lists_weight(const struct lists *l, const struct lists_weigh *w, unsigned int tree, size_t rule,
			     uint32_t *ret_load)
{
	size_t n, nother;
	const uint32_t *at = lists_prefixes(l, tree, rule, &n);
	uint64_t sum = 0;

	lists_intervals(l, lists_other(tree), rule, &nother);
	*ret_load = 0;
	if (!n || !nother)
		return UINT64_MAX;
	for (size_t i = 0; i < n; i++) {
		uint32_t last = l->tree[tree].last[at[i]];
		const uint32_t *before = w->before[tree];
		uint32_t lists = before ? before[last + 1] - before[at[i]] : last - at[i] + 1;

		sum += lists ? lists : 1;
		if (w->load[tree][at[i]] > *ret_load)
			*ret_load = w->load[tree][at[i]];
	}
	return sum * nother;
}

/* The cheaper side; of two that cost about the same, the one whose lists are shorter. */
static uint64_t lists_choose(struct lists *l, struct lists_weigh *w, size_t rule, unsigned int family)
{
	uint64_t weight[LISTS_SIDES];
	uint32_t load[LISTS_SIDES];
	unsigned int tree, side;
	const uint32_t *at;
	size_t n;

	for (side = 0; side < LISTS_SIDES; side++)
		weight[side] = lists_weight(l, w, lists_tree(side, family), rule, &load[side]);
	side = weight[1] < weight[0];
	if (weight[side] != UINT64_MAX && weight[!side] / 2 <= weight[side] && load[!side] < load[side])
		side = !side;
	if (weight[side] == UINT64_MAX)
		return UINT64_MAX;
	l->side[rule] = (l->side[rule] & ~(1u << family)) | side << family;
	tree = lists_tree(side, family);
	at = lists_prefixes(l, tree, rule, &n);
	for (size_t i = 0; i < n; i++)
		w->load[tree][at[i]]++;
	return weight[side];
}

/* From the loads of the round before: where lists are. */
static int lists_weigh_next(struct lists *l, struct lists_weigh *w)
{
	for (int i = 0; i < LISTS_TREES; i++) {
		size_t n = l->tree[i].n;
		uint32_t *before;

		if (w->load[i]) {
			before = malloc((n + 1) * sizeof(*before));
			if (!before)
				return -ENOMEM;
			free(w->before[i]);
			w->before[i] = before;
			before[0] = 0;
			for (size_t k = 0; k < n; k++)
				before[k + 1] = before[k] + (w->load[i][k] != 0);
			free(w->load[i]);
		}
		w->load[i] = calloc(n, sizeof(*w->load[i]));
		if (!w->load[i])
			return -ENOMEM;
	}
	return 0;
}

/* The largest weight that keeps the sum within the budget when all that weigh more are left out. */
static uint64_t lists_threshold(const uint32_t *weight, size_t n, uint64_t budget)
{
	uint64_t sum[LISTS_COPIES_FIRST + 1] = {}, total = 0;
	uint64_t i;

	for (size_t k = 0; k < n; k++)
		sum[weight[k] < LISTS_COPIES_FIRST ? weight[k] : LISTS_COPIES_FIRST] += weight[k];
	for (i = 1; i <= LISTS_COPIES_FIRST && total + sum[i] <= budget; i++)
		total += sum[i];
	return i - 1;
}

static int lists_file_round(struct lists *l, struct lists_weigh *w, uint64_t limit, uint32_t *weight)
{
	size_t nlisted = 0;
	uint64_t most;

	for (size_t i = 0; i < l->b->nrules; i++) {
		uint64_t sum = 0;

		weight[i] = 0;
		for (unsigned int f = 0; f < LISTS_FAMILIES && l->listed[i]; f++) {
			uint64_t one = lists_in_family(l, i, f) ? lists_choose(l, w, i, f) : 0;

			if (one > limit)
				l->listed[i] = false;
			sum += one;
		}
		if (!l->listed[i])
			continue;
		weight[i] = sum;
		nlisted++;
	}
	most = lists_threshold(weight, l->b->nrules, LISTS_COPIES_MEAN * (uint64_t)nlisted);
	for (size_t i = 0; i < l->b->nrules && limit == LISTS_COPIES; i++)
		if (weight[i] > most)
			l->listed[i] = false;
	return 0;
}

static int lists_file(struct lists *l)
{
	struct lists_weigh w cleanup(lists_weigh_fini) = {};
	uint32_t *weight auto_free = malloc((l->b->nrules + 1) * sizeof(*weight));
	int err = weight ? 0 : -ENOMEM;

	for (int round = 0; round < LISTS_FILINGS && !err; round++) {
		err = lists_weigh_next(l, &w);
		if (!err)
			err = lists_file_round(l, &w, round ? LISTS_COPIES : LISTS_COPIES_FIRST, weight);
	}
	return err;
}

static void lists_own_free(struct lists *l)
{
	for (int i = 0; i < LISTS_TREES; i++) {
		free(l->own_at[i]);
		free(l->own[i]);
		l->own_at[i] = l->own[i] = NULL;
	}
}

/* The rules of each prefix: a counting sort, which keeps their order. */
static int lists_own_tree(struct lists *l, unsigned int tree)
{
	unsigned int family = tree % LISTS_FAMILIES;
	uint32_t *first = calloc(l->tree[tree].n + 2, sizeof(*first)), *own;
	size_t n, sum = 0;
	const uint32_t *at;

	if (!first)
		return -ENOMEM;
	l->own_at[tree] = first;
	for (size_t i = 0; i < l->b->nrules; i++) {
		if (!l->listed[i] || !lists_in_family(l, i, family) || lists_filed(l, i, family) != tree)
			continue;
		at = lists_prefixes(l, tree, i, &n);
		for (size_t k = 0; k < n; k++)
			first[at[k] + 2]++;
		sum += n;
	}
	own = malloc((sum + 1) * sizeof(*own));
	if (!own)
		return -ENOMEM;
	l->own[tree] = own;
	for (size_t i = 2; i < l->tree[tree].n + 2; i++)
		first[i] += first[i - 1];
	for (size_t i = 0; i < l->b->nrules; i++) {
		if (!l->listed[i] || !lists_in_family(l, i, family) || lists_filed(l, i, family) != tree)
			continue;
		at = lists_prefixes(l, tree, i, &n);
		for (size_t k = 0; k < n; k++)
			own[first[at[k] + 1]++] = i;
	}
	return 0;
}

static int lists_own(struct lists *l)
{
	int err = 0;

	lists_own_free(l);
	for (unsigned int i = 0; i < LISTS_TREES && !err; i++)
		err = lists_own_tree(l, i);
	return err;
}

/* Services in the order in which addresses meet them, so that the rules of one network ask for the same words. */
static int lists_order_services(struct lists *l)
{
	uint32_t *rules auto_free = malloc((l->b->nrules + 1) * sizeof(*rules));
	bool *seen auto_free = calloc(l->b->nrules + 1, sizeof(*seen));
	size_t n = 0;

	if (!rules || !seen)
		return -ENOMEM;
	for (unsigned int i = 0; i < LISTS_TREES; i++) {
		for (uint32_t k = 0; k < l->own_at[i][l->tree[i].n]; k++) {
			uint32_t rule = l->own[i][k];

			if (!seen[rule])
				rules[n++] = rule;
			seen[rule] = true;
		}
	}
	l->nlisted = n;
	return services_order(&l->services, rules, n);
}

/* Too many services: the rules of those that fewest ask for become broad. */
static int lists_fewer_services(struct lists *l, bool *ret_again)
{
	const struct services *s = &l->services;
	uint32_t *asked auto_free = calloc(s->n + 1, sizeof(*asked));
	size_t excess = s->n - FW_MAX_SERVICES;

	if (!asked)
		return -ENOMEM;
	for (size_t i = 0; i < l->b->nrules; i++)
		if (l->listed[i] && s->of[i] != FW_SVC_ANY)
			asked[s->of[i]]++;
	for (uint32_t few = 1; excess; few++) {
		for (size_t i = s->n; i-- > 0 && excess;) {
			if (asked[i] != few)
				continue;
			asked[i] = 0;
			excess--;
		}
	}
	for (size_t i = 0; i < l->b->nrules; i++)
		if (l->listed[i] && s->of[i] != FW_SVC_ANY && !asked[s->of[i]])
			l->listed[i] = false;
	*ret_again = true;
	return 0;
}

int lists_build(struct arena *arena, const struct boxes *b, struct lists *l)
{
	bool again = true;
	int err;

	*l = (struct lists){ .b = b };
	l->listed = arena_array(arena, b->nrules, sizeof(*l->listed));
	l->side = arena_array(arena, b->nrules, sizeof(*l->side));
	l->copies = arena_array(arena, b->nrules, sizeof(*l->copies));
	if (!l->listed || !l->side || !l->copies)
		return -ENOMEM;
	lists_candidates(l);
	err = lists_trees(l, true);
	if (!err)
		err = lists_file(l);
	while (again && !err) {
		err = lists_trees(l, false);
		if (!err)
			err = lists_own(l);
		services_fini(&l->services);
		if (!err)
			err = services_build(arena, b, l->listed, &l->services);
		if (!err)
			err = lists_order_services(l);
		if (!err && l->services.n > FW_MAX_SERVICES)
			err = lists_fewer_services(l, &again);
		else if (!err)
			err = lists_make(l, &again);
	}
	return err;
}

void lists_fini(struct lists *l)
{
	lists_own_free(l);
	lists_forget(l);
	services_fini(&l->services);
	vec_fini(&l->units);
	for (int i = 0; i < LISTS_TREES; i++) {
		prefix_tree_fini(&l->tree[i]);
		classes_fini(&l->nodes[i]);
	}
	*l = (struct lists){};
}
