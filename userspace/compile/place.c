// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which bit of a row a rule owns.
 *
 * In the order of the file, rules for many networks lie mixed, so every word of 64 holds some rule that any one field
 * lets through, and the summary of a row excludes next to nothing: with ten thousand five-tuple rules it left 155 of
 * 157 words to read. Sorted by what they ask of the addresses, rules for one network share a word, and 3 remain.
 *
 * The lowest rule of all words then decides, which takes no order among the words, only inside them. `count` rules need
 * to know what was decided: they come first, in the order of the file, and are looked at last.
 */
#include "compile/plan.h"

#include "base/arena.h"

#include <errno.h>
#include <stdlib.h>

#define PLACE_WIDE4  ((u128)1 << 24) /* addresses of a /8: more is read for so many packets that it sorts as "any" */
#define PLACE_WIDE6  ((u128)1 << 96) /* of a /32 */
#define PLACE_RANGES 8		     /* a list of more is met by anything */

struct place_key {
	uint32_t group;
	uint32_t rule;
	u128 key[3];
};

static const struct box_set *place_set(const struct boxes *b, enum space s4, enum space s6, size_t rule)
{
	const struct box_set *s = boxes_set(b, s4, rule);

	return s && s->n ? s : boxes_set(b, s6, rule);
}

static bool place_wide(const struct box_set *s)
{
	u128 sum = 0;

	if (!s || !s->n || s->n > PLACE_RANGES)
		return true;
	for (size_t i = 0; i < s->n; i++)
		sum += box_set_hi(s, i) - box_set_lo(s, i);
	return sum + 1 >= (s->r6 ? PLACE_WIDE6 : PLACE_WIDE4);
}

static u128 place_lo(const struct box_set *s)
{
	return s && s->n ? box_set_lo(s, 0) : 0;
}

/* Rules that ask for a narrow source first, by source; then those by destination; then what is left, by port. */
static struct place_key place_key(const struct boxes *b, size_t rule)
{
	const struct box_set *src = place_set(b, SPACE_SRC4, SPACE_SRC6, rule);
	const struct box_set *dst = place_set(b, SPACE_DST4, SPACE_DST6, rule);
	bool any_src = place_wide(src), any_dst = place_wide(dst);
	struct place_key k = { .rule = rule };

	k.group = (b->families[rule] >> FAMILY_IPV6 & 1) << 2 | any_src << 1 | any_dst;
	k.key[0] = any_src ? place_lo(dst) : place_lo(src);
	k.key[1] = any_src ? 0 : place_lo(dst);
	k.key[2] = place_lo(boxes_set(b, (enum space)FW_DIM_DPORT, rule));
	if (any_src && any_dst)
		k.key[0] = 0;
	return k;
}

static int place_cmp(const void *a, const void *b)
{
	const struct place_key *x = a, *y = b;

	if (x->group != y->group)
		return x->group < y->group ? -1 : 1;
	for (int i = 0; i < 3; i++)
		if (x->key[i] != y->key[i])
			return x->key[i] < y->key[i] ? -1 : 1;
	return (x->rule > y->rule) - (x->rule < y->rule);
}

static int place_cmp_rule(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static bool place_counts(const struct plan *p, size_t rule)
{
	return p->boxes.chain->rules[rule].verdict == VERDICT_CONTINUE;
}

/* Inside a word, the first bit is the first rule; `count` rules are in order already. */
static void place_order_words(struct plan *p)
{
	size_t n = p->nbits;

	for (size_t i = p->ncounts, end; i < n; i = end) {
		end = (i / FW_WORD_BITS + 1) * FW_WORD_BITS;
		end = end < n ? end : n;
		qsort(p->rule_at + i, end - i, sizeof(*p->rule_at), place_cmp_rule);
	}
}

/* Rules that stand in lists, and those that match nothing beside them, own no bit. */
static bool place_has_bit(const struct plan *p, size_t rule)
{
	return p->engine == ENGINE_ROWS || place_counts(p, rule) || (p->boxes.families[rule] && !p->lists.listed[rule]);
}

static int place_arrange(struct plan *p)
{
	struct place_key *key = malloc((p->boxes.nrules + 1) * sizeof(*key));
	size_t nkeys = 0, after = p->nbits;

	if (!key)
		return -ENOMEM;
	for (size_t i = 0; i < p->boxes.nrules; i++) {
		if (place_counts(p, i))
			p->rule_at[p->ncounts++] = i;
		else if (place_has_bit(p, i))
			key[nkeys++] = place_key(&p->boxes, i);
		else
			p->rule_at[after++] = i;
	}
	if (nkeys)
		qsort(key, nkeys, sizeof(*key), place_cmp);
	for (size_t i = 0; i < nkeys; i++)
		p->rule_at[p->ncounts + i] = key[i].rule;
	free(key);
	place_order_words(p);
	return 0;
}

static void place_measure(struct plan *p)
{
	bool lists = p->engine == ENGINE_LISTS;

	for (size_t i = 0; i < p->boxes.nrules; i++)
		p->nbits += place_has_bit(p, i);
	p->nwords = (p->nbits + FW_WORD_BITS - 1) / FW_WORD_BITS;
	if (p->nwords > 1 || lists)
		p->nsum = p->nwords ? (p->nwords + FW_WORD_BITS - 1) / FW_WORD_BITS : 1;
	p->nsvc = lists ? (p->lists.services.n + FW_WORD_BITS - 1) / FW_WORD_BITS : 0;
	p->stride_addr = (p->nwords + p->nsum) * sizeof(uint64_t);
	p->stride = p->stride_addr + p->nsvc * sizeof(uint64_t);
}

int place_rules(struct arena *arena, struct plan *p)
{
	size_t n = p->boxes.nrules;
	int err;

	place_measure(p);
	p->place = arena_array(arena, n, sizeof(*p->place));
	p->rule_at = arena_array(arena, n, sizeof(*p->rule_at));
	if (!p->place || !p->rule_at)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		p->rule_at[i] = i;
	err = p->nsum ? place_arrange(p) : 0;
	if (err)
		return err;
	for (size_t i = 0; i < n; i++)
		p->place[p->rule_at[i]] = i;
	return 0;
}
