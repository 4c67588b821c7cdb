// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lists → units of the image. Addresses with the same innermost prefix and the same row share a node; nodes stand in
 * the order of the addresses, and a list behind the node that needs it first: the node and three entries share a cache
 * line.
 */
#include "compile/lists.h"

#include "base/cleanup.h"
#include "base/vec.h"

#include <errno.h>
#include <string.h>

#define NODE_LINE 4 /* units of a cache line */

_Static_assert(sizeof(struct fw_node) == sizeof(struct list_unit), "a node is a unit");
_Static_assert(sizeof(struct fw_entry) == sizeof(struct list_unit), "an entry is a unit");
_Static_assert(2 * sizeof(struct fw_part) == sizeof(struct list_unit), "two parts are a unit");

struct nodes {
	struct lists *l;
	const uint32_t *place;
	unsigned int tree;
	size_t limit;	     /* units */
	uint32_t *run_unit;  /* per run: where it stands; 0: nowhere yet */
	uint32_t *part_unit; /* per list with parts */
	uint32_t *slot;	     /* nodes of the tree at hand, by number and row: units */
	size_t mask, nslots;
};

static void nodes_fini(struct nodes *w)
{
	free(w->run_unit);
	free(w->part_unit);
	free(w->slot);
}

/* Room for n units, none of the first `together` in another line than the first; *ret_unit: where. They are zero. */
static int nodes_take(struct nodes *w, size_t n, size_t together, uint32_t *ret_unit)
{
	size_t at = w->l->units.n;

	if (at % NODE_LINE + together > NODE_LINE)
		at += NODE_LINE - at % NODE_LINE;
	if (at + n > w->limit)
		return -E2BIG;
	if (vec_reserve(&w->l->units, at + n))
		return -ENOMEM;
	memset(w->l->units.v + w->l->units.n, 0, (at + n - w->l->units.n) * sizeof(*w->l->units.v));
	w->l->units.n = at + n;
	*ret_unit = at;
	return 0;
}

static void nodes_put_run(struct nodes *w, uint32_t run, uint32_t unit)
{
	const struct list_run *r = &w->l->runs.v[run];
	struct fw_entry *out = (struct fw_entry *)(w->l->units.v + unit);

	w->run_unit[run] = unit;
	if (r->n > w->l->longest)
		w->l->longest = r->n;
	for (uint32_t i = 0; i < r->n; i++) {
		out[i] = w->l->entries.v[r->at + i];
		out[i].place = w->place[out[i].place];
	}
}

static uint32_t nodes_run_list(const struct nodes *w, uint32_t run)
{
	return run ? FW_LIST(w->run_unit[run], w->l->runs.v[run].n) : 0;
}

/* The runs of a list's parts, and the parts. */
static int nodes_put_parts(struct nodes *w, uint32_t id)
{
	const struct list *list = &w->l->lists.v[id];
	const struct list_part *part = w->l->parts.v + list->part;
	uint32_t unit, at;
	int err;

	if (w->part_unit[id])
		return 0;
	err = nodes_take(w, (list->nparts + 1) / 2, 1, &at);
	for (uint32_t i = 0; i < list->nparts && !err; i++) {
		uint32_t n = w->l->runs.v[part[i].run].n;

		if (!part[i].run || w->run_unit[part[i].run])
			continue;
		err = nodes_take(w, n, n < NODE_LINE ? n : NODE_LINE, &unit);
		if (!err)
			nodes_put_run(w, part[i].run, unit);
	}
	if (err)
		return err;
	for (uint32_t i = 0; i < list->nparts; i++)
		((struct fw_part *)(w->l->units.v + at))[i] =
			(struct fw_part){ part[i].bound, nodes_run_list(w, part[i].run) };
	w->part_unit[id] = at;
	return 0;
}

static int nodes_put(struct nodes *w, uint32_t prefix, uint32_t row, uint32_t *ret_unit)
{
	uint32_t id = w->l->list_of[w->tree][prefix], run, n, unit;
	const struct list *list = &w->l->lists.v[id];
	struct fw_node node = { .id = prefix, .row = row, .nparts = list->nparts };
	bool here;
	int err;

	run = list->run;
	/* A short list stands at every node that has it: no other line to read. */
	here = !list->nparts && run && (!w->run_unit[run] || w->l->runs.v[run].n < NODE_LINE);
	n = here ? w->l->runs.v[run].n : 0;
	err = nodes_take(w, 1 + n, 1 + (n < NODE_LINE ? n : NODE_LINE - 1), &unit);
	if (!err && here)
		nodes_put_run(w, run, unit + 1);
	if (!err && list->nparts)
		err = nodes_put_parts(w, id);
	if (err)
		return err;
	node.list = list->nparts ? w->part_unit[id] : nodes_run_list(w, run);
	memcpy(w->l->units.v + unit, &node, sizeof(node));
	w->l->nnodes++;
	*ret_unit = unit;
	return 0;
}

static size_t nodes_hash(uint32_t prefix, uint32_t row)
{
	uint64_t h = ((uint64_t)row << 32 | prefix) * 0x9fb21c651e98df25ull;

	return h ^ h >> 32;
}

static int nodes_grow_table(struct nodes *w)
{
	size_t cap = w->mask ? 2 * (w->mask + 1) : 1024, old = w->mask;
	uint32_t *slot = calloc(cap, sizeof(*slot));

	if (!slot)
		return -ENOMEM;
	for (size_t i = 0; w->slot && i <= old; i++) {
		const struct fw_node *node = (const struct fw_node *)(w->l->units.v + w->slot[i]);
		size_t at = nodes_hash(node->id, node->row) & (cap - 1);

		if (!w->slot[i])
			continue;
		while (slot[at])
			at = (at + 1) & (cap - 1);
		slot[at] = w->slot[i];
	}
	free(w->slot);
	w->slot = slot;
	w->mask = cap - 1;
	return 0;
}

static int nodes_get(struct nodes *w, uint32_t prefix, uint32_t row, uint32_t *ret_unit)
{
	size_t at;
	int err;

	for (at = nodes_hash(prefix, row) & w->mask; w->slot[at]; at = (at + 1) & w->mask) {
		const struct fw_node *node = (const struct fw_node *)(w->l->units.v + w->slot[at]);

		if (node->id == prefix && node->row == row) {
			*ret_unit = w->slot[at];
			return 0;
		}
	}
	err = nodes_put(w, prefix, row, ret_unit);
	if (err)
		return err;
	w->slot[at] = *ret_unit;
	return 2 * ++w->nslots > w->mask ? nodes_grow_table(w) : 0;
}

/* From `start` on, addresses have this node. */
static int nodes_bound(struct classes *c, u128 start, uint32_t unit)
{
	if (c->nbounds && c->cls[c->nbounds - 1] == unit)
		return 0;
	if (c->nbounds == c->cap) {
		size_t cap = c->cap ? 2 * c->cap : 256, half = c->cap;

		if (vec_reserve_raw((void **)&c->start, &half, cap, sizeof(*c->start)))
			return -ENOMEM;
		half = c->cap;
		if (vec_reserve_raw((void **)&c->cls, &half, cap, sizeof(*c->cls)))
			return -ENOMEM;
		c->cap = cap;
	}
	c->start[c->nbounds] = start;
	c->cls[c->nbounds++] = unit;
	return 0;
}

/* The addresses from `lo` to `hi` have one innermost prefix; `at` is where the sweep over the rows is. */
static int nodes_stretch(struct nodes *w, const struct classes *rows, size_t *at, u128 lo, u128 hi, uint32_t prefix)
{
	struct classes *out = &w->l->nodes[w->tree];
	uint32_t unit;
	int err = 0;

	for (;;) {
		while (rows && *at + 1 < rows->nbounds && rows->start[*at + 1] <= lo)
			++*at;
		err = nodes_get(w, prefix, rows ? rows->cls[*at] : 0, &unit);
		if (!err)
			err = nodes_bound(out, lo, unit);
		if (err || !rows || *at + 1 == rows->nbounds || rows->start[*at + 1] > hi)
			return err;
		lo = rows->start[*at + 1];
	}
}

/* Each prefix without those inside it, in the order of the addresses. */
static int nodes_sweep(struct nodes *w, const struct classes *rows)
{
	const struct prefix_tree *t = &w->l->tree[w->tree];
	uint32_t open = 0;
	u128 next = 0;
	bool over = false; /* the last address was met */
	size_t at = 0;
	int err = 0;

	for (uint32_t i = 1; !err;) {
		if (i < t->n && t->parent[i] == open) {
			if (next < t->lo[i])
				err = nodes_stretch(w, rows, &at, next, t->lo[i] - 1, open);
			next = t->lo[i];
			open = i++;
			continue;
		}
		/* The innermost open prefix ends. */
		if (!over && next <= t->hi[open])
			err = nodes_stretch(w, rows, &at, next, t->hi[open], open);
		if (!open)
			break;
		over = t->hi[open] == t->hi[0];
		next = t->hi[open] + 1;
		open = t->parent[open];
	}
	return err;
}

static int nodes_tree(struct nodes *w, unsigned int tree, const struct classes *rows)
{
	struct classes *out = &w->l->nodes[tree];
	int err;

	free(w->slot);
	w->slot = NULL;
	w->mask = w->nslots = 0;
	w->tree = tree;
	out->absent = CLASS_NONE;
	err = nodes_grow_table(w);
	if (!err)
		err = nodes_sweep(w, rows);
	out->nclasses = w->l->units.n;
	return err;
}

int lists_emit(struct lists *l, const uint32_t *place, const struct classes *rows[LISTS_TREES], size_t room)
{
	struct nodes w cleanup(nodes_fini) = { .l = l, .place = place, .limit = room / sizeof(struct list_unit) };
	uint32_t unit;
	int err;

	w.run_unit = calloc(l->runs.n, sizeof(*w.run_unit));
	w.part_unit = calloc(l->lists.n, sizeof(*w.part_unit));
	if (!w.run_unit || !w.part_unit)
		return -ENOMEM;
	err = nodes_take(&w, NODE_LINE, 0, &unit); /* unit 0 is not used */
	for (unsigned int i = 0; i < LISTS_TREES && !err; i++)
		err = nodes_tree(&w, i, rows[i]);
	return err;
}
