// SPDX-License-Identifier: GPL-2.0-only
/*
 * The list of every prefix: its own rules and those of the prefixes around it, in the order of the rules. Prefixes
 * without rules of their own share the list of the one around them; equal runs of entries are stored once.
 *
 * A list that is too long to be scanned is split by the number of the other address: between two neighbouring bounds of
 * its entries one short run holds all that can match. Where even that is long, rules of one pair of addresses crowd:
 * these are better off with bits, which are looked at 64 at a time.
 */
#include "compile/lists.h"

#include "base/cleanup.h"
#include "base/vec.h"

#include <errno.h>
#include <string.h>

#define MAKE_FLAT	 8    /* entries that are scanned rather than split */
#define MAKE_CROWD	 16   /* entries that are left of a crowd */
#define MAKE_COPIES	 16   /* entries per rule in all */
#define MAKE_COPIES_FREE 4096 /* so few are never too many */
#define MAKE_WORK	 256  /* entries looked at, per rule */
#define MAKE_WORK_FREE	 1000000
#define MAKE_ROUNDS	 32 /* after them nothing is chosen any more: all that are in the way go */

struct make {
	struct lists *l;
	unsigned int tree;
	bool again;
	bool full; /* the lists take too much: no use going on */

	/* Entries of the lists of the prefixes around the one looked at. */
	struct {
		struct fw_entry *v;
		size_t n, cap;
	} all;
	struct make_level {
		uint32_t prefix;
		size_t at, n;	     /* in `all` */
		uint32_t last_child; /* a prefix with rules of its own; 0: none yet */
	} level[130];
	size_t depth;

	struct {
		uint64_t *v;
		size_t n, cap;
	} events; /* of the split at hand: number << 32 | MAKE_OPEN when it begins | entry */
	uint32_t active[FW_MAX_LIST + 1];
	size_t nactive;
};

#define MAKE_OPEN 0x80000000ull

static void make_fini(struct make *m)
{
	vec_fini(&m->all);
	vec_fini(&m->events);
}

static void make_broad(struct make *m, uint32_t rule)
{
	m->l->listed[rule] = false;
	m->again = true;
}

/* More than may stand in one run: those of the widest intervals go, which are in most runs. */
static void make_crowd(struct make *m, const struct fw_entry *e)
{
	while (m->nactive > MAKE_CROWD) {
		size_t widest = 0;

		for (size_t i = 1; i < m->nactive; i++)
			if (e[m->active[i]].span >= e[m->active[widest]].span)
				widest = i;
		make_broad(m, e[m->active[widest]].place);
		m->nactive--;
		memmove(m->active + widest, m->active + widest + 1, (m->nactive - widest) * sizeof(m->active[0]));
	}
}

static void make_event(struct make *m, uint64_t event)
{
	uint32_t entry = event & (MAKE_OPEN - 1);
	size_t at = m->nactive;

	while (at > 0 && m->active[at - 1] > entry)
		at--;
	if (event & MAKE_OPEN) {
		memmove(m->active + at + 1, m->active + at, (m->nactive - at) * sizeof(m->active[0]));
		m->active[at] = entry;
		m->nactive++;
	} else if (at > 0 && m->active[at - 1] == entry) {
		memmove(m->active + at - 1, m->active + at, (m->nactive - at) * sizeof(m->active[0]));
		m->nactive--;
	}
}

static int make_event_cmp(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static int make_events(struct make *m, const struct fw_entry *e, size_t n)
{
	if (vec_reserve(&m->events, 2 * n))
		return -ENOMEM;
	m->events.n = 0;
	for (size_t i = 0; i < n; i++) {
		uint64_t end = (uint64_t)e[i].lo + e[i].span + 1;

		m->events.v[m->events.n++] = (uint64_t)e[i].lo << 32 | MAKE_OPEN | i;
		if (end <= UINT32_MAX)
			m->events.v[m->events.n++] = end << 32 | i;
	}
	qsort(m->events.v, m->events.n, sizeof(*m->events.v), make_event_cmp);
	return 0;
}

static int make_part(struct make *m, const struct fw_entry *e, uint32_t bound, struct list *list)
{
	struct fw_entry run[FW_MAX_LIST];
	uint32_t id;
	int err;

	for (size_t i = 0; i < m->nactive; i++)
		run[i] = e[m->active[i]];
	m->l->work += m->nactive + 1;
	err = lists_add_run(m->l, run, m->nactive, &id);
	if (err || (list->nparts && m->l->parts.v[m->l->parts.n - 1].run == id))
		return err;
	list->nparts++;
	return vec_push(&m->l->parts, (struct list_part){ bound, id });
}

/* The most entries that one number meets; crowds are broken up. */
static size_t make_most(struct make *m, const struct fw_entry *e)
{
	size_t most = 0;

	m->nactive = 0;
	for (size_t i = 0; i < m->events.n; i++) {
		make_event(m, m->events.v[i]);
		if (m->nactive > FW_MAX_LIST)
			make_crowd(m, e);
		if (m->nactive > most)
			most = m->nactive;
	}
	return most;
}

static int make_split(struct make *m, const struct fw_entry *e, struct list *list)
{
	uint32_t bound = 0;
	size_t i = 0;
	int err;

	list->part = m->l->parts.n;
	m->nactive = 0;
	do {
		for (; i < m->events.n && m->events.v[i] >> 32 == bound; i++)
			make_event(m, m->events.v[i]);
		err = make_part(m, e, bound, list);
		if (i < m->events.n)
			bound = m->events.v[i] >> 32;
	} while (i < m->events.n && !err);
	return err;
}

/* Parts have a maximum: the entries beyond it become broad. */
static size_t make_cut(struct make *m, const struct fw_entry *e, size_t n)
{
	for (; n > FW_MAX_PARTS / 2 - 1; n--)
		make_broad(m, e[n - 1].place);
	return n;
}

static int make_list(struct make *m, const struct fw_entry *e, size_t n, uint32_t *ret)
{
	struct list list = {};
	size_t most = n;
	int err = 0;

	m->l->work += n;
	n = make_cut(m, e, n);
	if (n > MAKE_FLAT) {
		err = make_events(m, e, n);
		most = err ? 0 : make_most(m, e);
	}
	/* After a crowd the lists are made again: what is made of this one does not matter. */
	if (!err && !m->again) {
		if (n <= MAKE_FLAT || (n <= FW_MAX_LIST && most > n / 2))
			err = lists_add_run(m->l, e, n, &list.run);
		else
			err = make_split(m, e, &list);
	}
	if (!err)
		err = vec_push(&m->l->lists, list);
	*ret = m->l->lists.n - 1;
	return err;
}

/* Entries from..from + n - 1 of m->all and those of the prefix's own rules, merged, behind them. */
static int make_merge(struct make *m, uint32_t prefix, size_t from, size_t n)
{
	const struct lists *l = m->l;
	const uint32_t *own = l->own[m->tree], end = l->own_at[m->tree][prefix + 1];
	size_t to = from + n, nother;

	for (uint32_t i = l->own_at[m->tree][prefix]; i < end; i++) {
		const struct prefix_interval *other = lists_intervals(l, lists_other(m->tree), own[i], &nother);

		if (vec_reserve(&m->all, m->all.n + n + nother))
			return -ENOMEM;
		for (; from < to && m->all.v[from].place < own[i]; from++, n--)
			m->all.v[m->all.n++] = m->all.v[from];
		for (size_t k = 0; k < nother; k++)
			m->all.v[m->all.n++] = (struct fw_entry){
				.lo = other[k].lo,
				.span = other[k].span,
				.place = own[i],
				.svc = l->services.of[own[i]],
			};
	}
	if (vec_reserve(&m->all, m->all.n + n))
		return -ENOMEM;
	for (; from < to; from++)
		m->all.v[m->all.n++] = m->all.v[from];
	return 0;
}

static bool make_same_own(const struct make *m, uint32_t a, uint32_t b)
{
	const uint32_t *at = m->l->own_at[m->tree], *own = m->l->own[m->tree];
	size_t n = at[a + 1] - at[a];

	return n == at[b + 1] - at[b] && !memcmp(own + at[a], own + at[b], n * sizeof(*own));
}

static int make_prefix(struct make *m, uint32_t prefix)
{
	const struct prefix_tree *t = &m->l->tree[m->tree];
	uint32_t *list_of = m->l->list_of[m->tree];
	struct make_level *up;
	size_t at;
	int err;

	while (m->depth && t->last[m->level[m->depth - 1].prefix] < prefix)
		m->all.n = m->level[--m->depth].at;
	up = m->depth ? &m->level[m->depth - 1] : NULL;
	list_of[prefix] = prefix ? list_of[t->parent[prefix]] : 0;
	if (m->l->own_at[m->tree][prefix] == m->l->own_at[m->tree][prefix + 1])
		return 0;
	at = m->all.n;
	err = make_merge(m, prefix, up ? up->at : 0, up ? up->n : 0);
	if (err)
		return err;
	/* A range of addresses is many prefixes side by side. */
	if (up && up->last_child && t->parent[up->last_child] == t->parent[prefix] &&
	    make_same_own(m, up->last_child, prefix))
		list_of[prefix] = list_of[up->last_child];
	else
		err = make_list(m, m->all.v + at, m->all.n - at, &list_of[prefix]);
	if (up)
		up->last_child = prefix;
	if (t->last[prefix] > prefix)
		m->level[m->depth++] = (struct make_level){ .prefix = prefix, .at = at, .n = m->all.n - at };
	else
		m->all.n = at;
	return err;
}

static size_t make_budget(const struct lists *l)
{
	return MAKE_COPIES * (size_t)l->nlisted + MAKE_COPIES_FREE;
}

static int make_tree(struct make *m, unsigned int tree)
{
	struct lists *l = m->l;
	int err = 0;

	m->tree = tree;
	m->depth = m->all.n = 0;
	l->list_of[tree] = calloc(l->tree[tree].n, sizeof(*l->list_of[tree]));
	if (!l->list_of[tree])
		return -ENOMEM;
	for (uint32_t i = 0; i < l->tree[tree].n && !err && !m->full; i++) {
		err = make_prefix(m, i);
		m->full = l->entries.n > make_budget(l) || l->work > MAKE_WORK * (size_t)l->nlisted + MAKE_WORK_FREE;
	}
	return err;
}

/* The rules that are copied most go, until the rest would take half of what is allowed. */
static void make_lighter(struct make *m)
{
	struct lists *l = m->l;
	size_t sum[257] = {}, total = 0;
	uint32_t most = 0, keep;

	for (size_t i = 0; i < l->b->nrules; i++) {
		if (!l->listed[i])
			continue;
		sum[l->copies[i] < 256 ? l->copies[i] : 256] += l->copies[i];
		most = l->copies[i] > most ? l->copies[i] : most;
	}
	for (keep = 0; keep < 256 && total + sum[keep + 1] <= make_budget(l) / 2; keep++)
		total += sum[keep + 1];
	keep = most && keep >= most ? most - 1 : keep;
	for (size_t i = 0; i < l->b->nrules; i++)
		if (l->listed[i] && (l->copies[i] > keep || !most || l->rounds > MAKE_ROUNDS))
			make_broad(m, i);
}

void lists_forget(struct lists *l)
{
	for (int i = 0; i < LISTS_TREES; i++) {
		free(l->list_of[i]);
		l->list_of[i] = NULL;
	}
	vec_fini(&l->entries);
	vec_fini(&l->runs);
	vec_fini(&l->lists);
	vec_fini(&l->parts);
	free(l->slot);
	l->slot = NULL;
	l->mask = l->work = 0;
}

int lists_make(struct lists *l, bool *ret_again)
{
	struct make m cleanup(make_fini) = { .l = l };
	int err;

	lists_forget(l);
	memset(l->copies, 0, l->b->nrules * sizeof(*l->copies));
	l->rounds++;
	err = lists_open_runs(l);
	if (!err)
		err = vec_push(&l->lists, (struct list){});
	for (unsigned int i = 0; i < LISTS_TREES && !err && !m.full; i++)
		err = make_tree(&m, i);
	if (!err && (m.full || (m.again && l->rounds > MAKE_ROUNDS)))
		make_lighter(&m);
	*ret_again = m.again;
	return err;
}
