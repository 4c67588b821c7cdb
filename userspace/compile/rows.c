// SPDX-License-Identifier: GPL-2.0-only
/* Bit rows: for each class of each space, the rules that a packet of the class does not rule out. */
#include "compile/plan.h"

#include "base/cleanup.h"

#include <errno.h>
#include <string.h>

/*
 * Bits of rules by set: those of set i are bit[at[i]] … bit[at[i + 1] - 1]; `any` holds those that ask nothing. Behind
 * the words of the rules each service has a bit (<fw/abi.h>), so a service is to these rows one more rule.
 */
struct rows {
	const struct plan *p;
	uint32_t nwords; /* of rules and services */
	uint64_t *any;
	uint32_t *at, *bit;
};

static void rows_fini(struct rows *r)
{
	free(r->any);
	free(r->at);
	free(r->bit);
}

/* Call fn for every bit of the space's rows, and the index of the set its owner asks for. */
static void rows_each(struct rows *r, enum space s, void (*fn)(struct rows *r, size_t set, uint32_t bit))
{
	const struct plan *p = r->p;

	for (size_t i = 0; i < p->boxes.nrules; i++)
		if (p->boxes.families[i] && plan_owns_bit(p, i))
			fn(r, plan_set(p, s, p->boxes.set[s][i]), p->place[i]);
	for (size_t i = 0; s < SERVICE_SPACES && i < p->lists.services.n; i++)
		fn(r, plan_set(p, s, p->lists.services.v[i].set[s]), p->nwords * FW_WORD_BITS + i);
}

/* Counting sort: at[i + 2] counts set i, then at[i + 1] is where it is filled up to. */
static void rows_count(struct rows *r, size_t set, uint32_t bit)
{
	if (set != SIZE_MAX)
		r->at[set + 2]++;
}

static void rows_put(struct rows *r, size_t set, uint32_t bit)
{
	if (set != SIZE_MAX)
		r->bit[r->at[set + 1]++] = bit;
	else
		r->any[bit / 64] |= 1ull << bit % 64;
}

static int rows_init(struct rows *r, const struct plan *p, enum space s)
{
	size_t nsets = p->used[s].n;

	*r = (struct rows){ .p = p, .nwords = p->nwords + (s < SERVICE_SPACES ? p->nsvc : 0) };
	r->any = calloc(r->nwords + 1, sizeof(*r->any));
	r->at = calloc(nsets + 2, sizeof(*r->at));
	r->bit = malloc((p->nbits + p->lists.services.n + 1) * sizeof(*r->bit));
	if (!r->any || !r->at || !r->bit)
		return -ENOMEM;
	rows_each(r, s, rows_count);
	for (size_t i = 2; i < nsets + 2; i++)
		r->at[i] += r->at[i - 1];
	rows_each(r, s, rows_put);
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

	memcpy(word, r->any, r->nwords * sizeof(*word));
	for (size_t i = 0; i < c->words; i++) {
		for (uint64_t m = members[i]; m; m &= m - 1) {
			size_t set = i * 64 + __builtin_ctzll(m);

			for (uint32_t k = r->at[set]; k < r->at[set + 1]; k++)
				word[r->bit[k] / 64] |= 1ull << r->bit[k] % 64;
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
		rows_write_class(&r, c, cls, (uint64_t *)(img->data + p->rows[s] + (size_t)cls * plan_stride(p, s)));
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
		if (p->boxes.families[i] && plan_owns_bit(p, i))
			ones[p->nsum + p->place[i] / 64] |= 1ull << p->place[i] % 64;
	memset(ones + p->nsum + p->nwords, 0xff, p->nsvc * sizeof(*ones));
	rows_summarise(p, ones);
	for (int s = 0; s < SPACE_COUNT && !err; s++)
		if (plan_has(p, s))
			err = rows_write_space(p, s, img);
	return err;
}
