// SPDX-License-Identifier: GPL-2.0-only
/* Bit rows: for each class of each space, the rules that a packet of the class does not rule out. */
#include "compile/plan.h"

#include "base/cleanup.h"

#include <errno.h>
#include <string.h>

/* Bits of rules by set: those of set i are rule[at[i]] … rule[at[i + 1] - 1]; `any` holds those that ask nothing. */
struct rows {
	const struct plan *p;
	uint64_t *any;
	uint32_t *at, *rule;
};

static void rows_fini(struct rows *r)
{
	free(r->any);
	free(r->at);
	free(r->rule);
}

static int rows_init(struct rows *r, const struct plan *p, enum space s)
{
	const struct boxes *b = &p->boxes;
	size_t nsets = b->sets[s].n;

	*r = (struct rows){ .p = p };
	r->any = calloc(p->nwords, sizeof(*r->any));
	r->at = calloc(nsets + 2, sizeof(*r->at));
	r->rule = malloc((b->nrules + 1) * sizeof(*r->rule));
	if (!r->any || !r->at || !r->rule)
		return -ENOMEM;
	/* Counting sort (rules that match nothing have no sets): at[i + 2] counts set i, then at[i + 1] is where it is
	 * filled up to. */
	for (size_t i = 0; i < b->nrules; i++)
		if (b->set[s][i])
			r->at[b->set[s][i] + 1]++;
	for (size_t i = 2; i < nsets + 2; i++)
		r->at[i] += r->at[i - 1];
	for (size_t i = 0; i < b->nrules; i++) {
		if (!b->families[i])
			continue;
		if (b->set[s][i])
			r->rule[r->at[b->set[s][i]]++] = p->place[i];
		else
			r->any[p->place[i] / 64] |= 1ull << p->place[i] % 64;
	}
	return 0;
}

static void rows_summarise(const struct plan *p, uint64_t *row)
{
	const uint64_t *word = row + p->nsum;

	if (!p->nsum)
		return;
	memset(row, 0, p->nsum * sizeof(*row));
	for (uint32_t i = 0; i < p->nwords; i++)
		row[i / 64] |= (uint64_t)(word[i] != 0) << i % 64;
}

static void rows_write_class(const struct rows *r, const struct classes *c, uint32_t cls, uint64_t *row)
{
	const uint64_t *members = classes_members(c, cls);
	uint64_t *word = row + r->p->nsum;

	memcpy(word, r->any, r->p->nwords * sizeof(*word));
	for (size_t i = 0; i < c->words; i++) {
		for (uint64_t m = members[i]; m; m &= m - 1) {
			size_t set = i * 64 + __builtin_ctzll(m);

			for (uint32_t k = r->at[set]; k < r->at[set + 1]; k++)
				word[r->rule[k] / 64] |= 1ull << r->rule[k] % 64;
		}
	}
	rows_summarise(r->p, row);
}

static int rows_write_space(const struct plan *p, enum space s, struct image *img)
{
	const struct classes *c = &p->classes[s];
	struct rows r;
	int err = rows_init(&r, p, s);

	for (uint32_t cls = 0; cls < c->nclasses && !err; cls++)
		rows_write_class(&r, c, cls, (uint64_t *)(img->data + p->rows[s] + (size_t)cls * p->stride));
	rows_fini(&r);
	return err;
}

int rows_write(const struct plan *p, struct image *img)
{
	uint64_t *ones = (uint64_t *)(img->data + p->ones);
	int err = 0;

	if (!p->boxes.nrules)
		return 0;
	for (size_t i = 0; i < p->boxes.nrules; i++)
		if (p->boxes.families[i])
			ones[p->nsum + p->place[i] / 64] |= 1ull << p->place[i] % 64;
	rows_summarise(p, ones);
	for (int s = 0; s < SPACE_COUNT && !err; s++)
		if (plan_has(p, s))
			err = rows_write_space(p, s, img);
	return err;
}
