// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which rules do both sides have, in the same order? Rules are the same when they match the same packets and treat them the
 * same, whatever they are called. The k-th of several equal ones goes with the k-th; of all such pairs, the longest run that keeps the
 * order. (Any run will do for the truth of what follows; a long one leaves less to ask about.)
 */
#include "analyze/diff_priv.h"

#include "base/cleanup.h"
#include "base/hash.h"

#include <errno.h>
#include <string.h>

struct rule_key {
	uint64_t hash;
	uint32_t rule, nth; /* among those of its side with this hash */
};

static uint64_t rule_hash(const struct space_rule *r)
{
	uint64_t h = hash_bytes(&r->dims, sizeof(r->dims));

	h = h * 31 + r->families;
	h = h * 31 + r->states;
	h = h * 31 + (uint64_t)r->rule->verdict;
	for (unsigned int i = 0; i < r->nconds; i++) {
		h = h * 0x9fb21c651e98df25 + ((uint64_t)r->cond[i].id[0] << 32 | r->cond[i].id[1]);
		h ^= h >> 29;
	}
	return h;
}

static bool rule_same(const struct space_rule *a, const struct space_rule *b)
{
	const struct treats x = treats_rule(a->rule), y = treats_rule(b->rule);

	if (a->dims != b->dims || a->families != b->families || a->states != b->states || a->nconds != b->nconds)
		return false;
	for (unsigned int i = 0; i < a->nconds; i++)
		if (a->cond[i].dim != b->cond[i].dim || memcmp(a->cond[i].id, b->cond[i].id, sizeof(a->cond[i].id)))
			return false;
	return treatment_compare(&x, &y) == TREATMENT_SAME;
}

static int key_compare(const void *x, const void *y)
{
	const struct rule_key *a = x, *b = y;

	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	return a->rule < b->rule ? -1 : a->rule > b->rule;
}

/* Rules that end the walk, sorted by hash, equal hashes in the order of the file. */
static struct rule_key *keys_make(const struct differ *d, int side, size_t *ret_n)
{
	struct rule_key *v = calloc(d->nrules[side] + 1, sizeof(*v));
	size_t n = 0;

	for (size_t i = 0; v && i < d->nrules[side]; i++) {
		const struct space_rule *r = &d->space->rule[d->side[side].first + i];

		if (r->rule->verdict != VERDICT_CONTINUE)
			v[n++] = (struct rule_key){ .hash = rule_hash(r), .rule = (uint32_t)i };
	}
	if (v)
		qsort(v, n, sizeof(*v), key_compare);
	for (size_t i = 1; i < n; i++)
		v[i].nth = v[i].hash == v[i - 1].hash ? v[i - 1].nth + 1 : 0;
	*ret_n = n;
	return v;
}

/* For each rule of the old side its partner of the new one, 1 + index; 0: none. */
static void pair_up(const struct differ *d, const struct rule_key *a, size_t na, const struct rule_key *b, size_t nb, uint32_t *partner)
{
	for (size_t i = 0, k = 0; i < na && k < nb;) {
		int c = a[i].hash < b[k].hash ? -1 : a[i].hash > b[k].hash ? 1 : a[i].nth < b[k].nth ? -1 : a[i].nth > b[k].nth;

		if (!c && rule_same(&d->space->rule[d->side[OLD].first + a[i].rule], &d->space->rule[d->side[NEW].first + b[k].rule]))
			partner[a[i].rule] = 1 + b[k].rule;
		i += c <= 0;
		k += c >= 0;
	}
}

/* The longest rising subsequence of the partners: patience, with a way back. */
static int longest_run(struct differ *d, const uint32_t *partner)
{
	size_t n = d->nrules[OLD], piles = 0;
	auto_free uint32_t *top = calloc(n + 1, sizeof(*top)); /* per pile: the rule on top, 1 + index */
	auto_free uint32_t *before = calloc(n + 1, sizeof(*before));

	if (!top || !before)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		size_t from = 0, to = piles;

		if (!partner[i])
			continue;
		while (from < to) {
			size_t mid = from + (to - from) / 2;

			if (partner[top[mid] - 1] < partner[i])
				from = mid + 1;
			else
				to = mid;
		}
		before[i] = from ? top[from - 1] : 0;
		top[from] = (uint32_t)i + 1;
		piles += from == piles;
	}
	for (uint32_t i = piles ? top[piles - 1] : 0; i; i = before[i - 1]) {
		d->kept[OLD][i - 1] = true;
		d->kept[NEW][partner[i - 1] - 1] = true;
	}
	return 0;
}

int diff_align(struct differ *d)
{
	size_t na = 0, nb = 0;
	auto_free struct rule_key *a = keys_make(d, OLD, &na);
	auto_free struct rule_key *b = keys_make(d, NEW, &nb);
	auto_free uint32_t *partner = calloc(d->nrules[OLD] + 1, sizeof(*partner));

	if (!a || !b || !partner)
		return -ENOMEM;
	pair_up(d, a, na, b, nb, partner);
	return longest_run(d, partner);
}
