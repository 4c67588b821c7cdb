// SPDX-License-Identifier: GPL-2.0-only
#include "compile/compile.h"
#include "compile/plan.h"

#include <string.h>

static unsigned int cost_halvings(size_t n)
{
	unsigned int steps = 0;

	while (1ul << steps < n)
		steps++;
	return steps;
}

/* Dependent reads at worst, the row not counted. */
static unsigned int cost_lookups(const struct plan *p, enum space s)
{
	if (space_family(s) != FAMILY_COUNT)
		return p->trie[s].steps;
	if (s != SPACE_MAC)
		return 1;
	return cost_halvings(p->classes[s].nbounds) + 1; /* and the class */
}

static const char *cost_structure(const struct plan *p, enum space s)
{
	if (s < SPACE_MAC)
		return "direct table";
	if (s == SPACE_MAC)
		return "sorted bounds";
	if (!p->trie[s].n)
		return "none: one class";
	return space_family(s) == FAMILY_IPV4 ? "stride trie 16-8-8" : "stride trie 16-8-8..., skips";
}

static void cost_fill_dim(const struct plan *p, enum space s, struct cost_dim *out)
{
	const struct box_sets *sets = &p->boxes.sets[s];

	out->name = space_name(s);
	out->structure = cost_structure(p, s);
	for (size_t i = 0; i < sets->n; i++)
		out->entries += sets->v[i].n;
	out->classes = p->classes[s].nclasses;
	out->table_bytes = plan_table_bytes(p, s);
	out->row_bytes = plan_rows_bytes(p, s);
	out->lookups = cost_lookups(p, s);
}

static const char *cost_engine(const struct plan *p)
{
	if (p->engine == ENGINE_LISTS)
		return p->nwords ? "lists, rows for the broad" : "lists";
	if (!p->nwords)
		return "none";
	if (p->nwords == 1)
		return "one word";
	return p->nwords <= FW_WORD_BITS ? "rows + summary, sorted" : "rows + summary words, sorted";
}

static void cost_fill_lists(const struct plan *p, struct cost *out)
{
	enum fw_dir d = p->dir;

	memcpy(out->predicted[d], p->predicted, sizeof(out->predicted[d]));
	out->lists[d] = p->engine == ENGINE_LISTS;
	out->listed[d] = p->lists.nlisted;
	out->services[d] = p->lists.services.n;
	out->nodes[d] = p->lists.nnodes;
	out->entries[d] = p->lists.entries.n;
	out->parts[d] = p->lists.parts.n;
	out->longest[d] = p->lists.longest;
	out->list_bytes[d] = p->lists.units.n * sizeof(*p->lists.units.v);
}

/* Beside the look-ups: what is asked of live sets, and after the match. */
static void cost_fill_extras(const struct plan *p, struct cost *out)
{
	const struct extras *e = &p->extras;
	enum fw_dir d = p->dir;

	out->live_bits[d] = p->sets.nlive;
	for (size_t i = 0; e->n && i < p->boxes.nrules; i++) {
		const struct fw_extra *x = e->of[i] ? &e->v[e->of[i] - 1] : NULL;

		out->kept[d] += x && x->flags & FW_EXTRA_KEEP;
		out->limited[d] += x && extras_counts(x);
		out->logged[d] += x && x->log;
	}
	out->extra_bytes[d] = e->n ? e->n * sizeof(*e->v) + p->boxes.nrules * sizeof(*e->of) : 0;
}

static void cost_fill_dir(const struct plan *p, struct cost *out)
{
	unsigned int reads = 0, family[FAMILY_COUNT + 1] = {};
	enum fw_dir d = p->dir;

	for (int s = 0; s < SPACE_COUNT; s++) {
		struct cost_dim *dim = &out->dim[d][out->ndims[d]];

		if (!plan_has(p, s) && !plan_table_bytes(p, s))
			continue;
		cost_fill_dim(p, s, dim);
		out->ndims[d]++;
		family[space_family(s)] += dim->lookups + 1;
	}
	/* A packet has one family. */
	reads = family[FAMILY_COUNT] +
		(family[FAMILY_IPV4] > family[FAMILY_IPV6] ? family[FAMILY_IPV4] : family[FAMILY_IPV6]);
	/* Two nodes, and what is behind them: parts by halving, and the longest list. */
	if (p->engine == ENGINE_LISTS)
		reads += 2 * (1 + cost_halvings(p->lists.parts.n) + (unsigned int)p->lists.longest);
	cost_fill_lists(p, out);
	cost_fill_extras(p, out);
	out->rules[d] = p->boxes.nrules;
	out->words[d] = p->nwords;
	out->worst_lookups[d] = reads;
	out->engine[d] = cost_engine(p);
}

void cost_fill(const struct plan plan[FW_DIR_COUNT], const struct image *img, struct cost *ret)
{
	*ret = (struct cost){ .image_bytes = img->len, .slot_bytes = 4096 };
	while (ret->slot_bytes < ret->image_bytes)
		ret->slot_bytes *= 2;
	for (int d = 0; d < FW_DIR_COUNT; d++)
		cost_fill_dir(&plan[d], ret);
}
