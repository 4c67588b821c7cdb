// SPDX-License-Identifier: GPL-2.0-only
/*
 * Parts of cells → what a reader is told. A part that a search found may have a thousand holes that earlier rules made; then what the
 * rules themselves say is told, and that it is not all of that. Cells that say the same are one region.
 */
#include "analyze/diff_priv.h"

#include "base/arena.h"

#include <errno.h>
#include <string.h>

#define BIT(n)	     (1u << (n))
#define REGION_FEW   4  /* ranges that are worth telling when earlier rules made them */
#define REGION_KEEP  12 /* ranges of a set that are kept at all */
#define REGION_MASKS 128 /* of bits, which words may say in one */

static const struct iset *rule_set(const struct differ *d, const struct cell *cell, const struct rule *r, unsigned int dim)
{
	for (int s = 0; s < SIDES; s++) {
		const struct rule *rules = d->side[s].chain->rules;

		if (!r || !d->nrules[s] || r < rules || r >= rules + d->nrules[s])
			continue;
		const struct space_rule *sr = &d->space->rule[d->side[s].first + (size_t)(r - rules)];
		for (unsigned int i = 0; i < sr->nconds; i++)
			if (sr->cond[i].dim == dim)
				return space_set(d->space, cell, &sr->cond[i]);
	}
	return NULL;
}

/* The name of a static set that this is. */
static const char *set_name(const struct differ *d, const struct part *p, unsigned int dim, const struct rule *const rules[SIDES])
{
	for (int s = 0; s < SIDES; s++) {
		const struct aset *a = !rules[s] ? NULL : dim == DIM_SRC ? rules[s]->src : rules[s]->dst;
		const struct iset *set = a && a->name ? rule_set(d, p->cell, rules[s], dim) : NULL;

		if (set && iset_equal(set, &p->d[dim]))
			return a->name;
	}
	return NULL;
}

static int dim_fill(struct differ *d, const struct part *p, unsigned int dim, const struct rule *const rules[SIDES], struct region_dim *ret)
{
	struct range6 r[REGION_MASKS];
	size_t keep = dim == FIELD_TCPFLAGS || dim == FIELD_EXT ? REGION_MASKS : REGION_KEEP;

	ret->there = true;
	ret->total = space_values(d->space, axis_of(dim, p->cell->family), &p->d[dim], r, keep);
	ret->n = ret->total < keep ? ret->total : keep;
	ret->r = arena_array(d->arena, ret->n + 1, sizeof(*ret->r));
	if (!ret->r)
		return -ENOMEM;
	memcpy(ret->r, r, ret->n * sizeof(*r));
	for (size_t i = 0; i < ret->n && dim == FIELD_PROTO; i++) {
		ret->r[i].lo &= 255;
		ret->r[i].hi &= 255;
	}
	if (dim == DIM_SRC || dim == DIM_DST)
		ret->set = set_name(d, p, dim, rules);
	return 0;
}

/* Membership: one set that all of it is in, or not in. Else it is left out, and the region is a part. */
static void live_fill(const struct differ *d, const struct part *p, unsigned int dim, struct region *r)
{
	for (unsigned int bit = 0; bit < d->space->nlive; bit++) {
		bool in = false, out = false;

		for (uint32_t v = 0; v < BIT(d->space->nlive); v++) {
			if (!iset_has(&p->d[dim], space_class(d->space, dim, v)))
				continue;
			in |= v & BIT(bit);
			out |= !(v & BIT(bit));
		}
		if (in && out)
			continue;
		r->part |= r->dim[dim].there;
		r->dim[dim] = (struct region_dim){ .there = true, .set = d->space->live[bit], .negate = out };
	}
	r->part |= !r->dim[dim].there;
}

/* The states of one kind, told in which words? */
static uint32_t words_of(const struct region *r)
{
	const uint32_t known = BIT(STATE_ESTABLISHED) | BIT(STATE_RELATED);
	uint32_t kinds = r->kinds[FAMILY_IPV4] | r->kinds[FAMILY_IPV6];
	bool icmp = kinds == BIT(KIND_ICMP), invalid = icmp || kinds == BIT(KIND_TCP);

	switch (r->states) {
	case BIT(STATE_NONE):
		return REGION_ANY;
	case BIT(STATE_NEW):
		return REGION_NEW | (invalid ? 0 : REGION_ANY);
	case BIT(STATE_INVALID):
		return REGION_INVALID;
	case BIT(STATE_NEW) | BIT(STATE_INVALID):
		return REGION_ANY;
	case BIT(STATE_ESTABLISHED):
		return REGION_ESTABLISHED | (icmp ? 0 : REGION_FLOW);
	case BIT(STATE_RELATED):
		return REGION_RELATED;
	default:
		return r->states == known ? REGION_FLOW : 0;
	}
}

static bool is_known_state(uint32_t states)
{
	return states & (BIT(STATE_ESTABLISHED) | BIT(STATE_RELATED));
}

static bool is_whole(const struct part *p, unsigned int dim)
{
	return iset_equal(&p->d[dim], &p->cell->domain[dim]);
}

/* Holes in what the rules leave open are those of earlier rules: block lists, bans, odd flags. Their shape is no news. */
static bool is_hole(const struct part *core, const struct part *found, unsigned int dim)
{
	const uint32_t dims = BIT(DIM_SRC) | BIT(DIM_DST) | BIT(DIM_LIVE_SRC) | BIT(DIM_LIVE_DST) | BIT(FIELD_TCPFLAGS) | BIT(FIELD_EXT);

	return dims & BIT(dim) && is_whole(core, dim) && !is_whole(found, dim);
}

static int dim_tell(struct differ *d, const struct part *core, const struct part *found, unsigned int dim,
		    const struct rule *const rules[SIDES], struct region *r)
{
	struct region_dim *place = &r->dim[dim], x = {};
	const struct part *tell = found;
	int err = 0;

	if (core->cell->family == FAMILY_IPV6 && (dim == DIM_SRC || dim == DIM_DST))
		place = dim == DIM_SRC ? &r->src6 : &r->dst6;
	if (is_whole(found, dim))
		return 0;
	if (is_hole(core, found, dim)) {
		r->part = true;
		return 0;
	}
	if (dim == DIM_LIVE_SRC || dim == DIM_LIVE_DST) {
		live_fill(d, found, dim, r);
		return 0;
	}
	err = dim_fill(d, found, dim, rules, &x);
	if (!err && x.total > REGION_FEW && !iset_equal(&found->d[dim], &core->d[dim])) {
		tell = core;
		r->part = true;
		err = is_whole(core, dim) ? 0 : dim_fill(d, core, dim, rules, &x);
	}
	if (!err && !is_whole(tell, dim))
		*place = x;
	return err;
}

struct region *region_make(struct differ *d, const struct part *core, const struct part *found, bool all,
			   const struct rule *const rules[SIDES])
{
	const struct part *p = all ? found : core;
	struct region *r = arena_alloc(d->arena, sizeof(*r));
	int err = 0;

	if (!r)
		return NULL;
	r->kinds[core->cell->family] = BIT(core->cell->kind);
	r->states = BIT(core->cell->state);
	r->words = words_of(r);
	r->part = !all;
	for (unsigned int dim = 0; dim < DIM_COUNT && !err; dim++)
		if (core->cell->dims & BIT(dim))
			err = dim_tell(d, core, p, dim, rules, r);
	return err ? NULL : r;
}

static bool dim_same(const struct region_dim *a, const struct region_dim *b)
{
	if (a->there != b->there)
		return false;
	if (!a->there)
		return true;
	if (!a->set != !b->set || (a->set && strcmp(a->set, b->set)) || a->negate != b->negate)
		return false;
	return a->total == b->total && a->n == b->n && (!a->n || !memcmp(a->r, b->r, a->n * sizeof(*a->r)));
}

/* All but addresses and protocol. */
static bool others_same(const struct region *a, const struct region *b)
{
	for (unsigned int d = 0; d < DIM_COUNT; d++)
		if (d != DIM_SRC && d != DIM_DST && d != FIELD_PROTO && !dim_same(&a->dim[d], &b->dim[d]))
			return false;
	return a->part == b->part;
}

static bool addresses_same(const struct region *a, const struct region *b)
{
	return dim_same(&a->dim[DIM_SRC], &b->dim[DIM_SRC]) && dim_same(&a->dim[DIM_DST], &b->dim[DIM_DST]) &&
	       dim_same(&a->src6, &b->src6) && dim_same(&a->dst6, &b->dst6);
}

static bool proto_same(const struct region *a, const struct region *b)
{
	return dim_same(&a->dim[FIELD_PROTO], &b->dim[FIELD_PROTO]);
}

/* Does only this family speak, by this one or that one's kinds? */
static bool is_alone(const struct region *r, unsigned int family)
{
	for (unsigned int f = 0; f < FAMILY_COUNT; f++)
		if ((f == family) != !!r->kinds[f])
			return false;
	return true;
}

static uint32_t kind_of(unsigned int family, unsigned int proto)
{
	switch (proto) {
	case 6:
		return BIT(KIND_TCP);
	case 17:
		return BIT(KIND_UDP);
	case 132:
		return BIT(KIND_SCTP);
	default:
		return BIT(proto == (family == FAMILY_IPV4 ? 1u : 58u) ? KIND_ICMP : KIND_PLAIN);
	}
}

/* `proto tcp` is TCP and later fragments of it: when the first is told of, the second goes without saying. */
static bool is_fragments_of(const struct region *late, const struct region *r, unsigned int family)
{
	const struct region_dim *proto = &late->dim[FIELD_PROTO];
	uint32_t kinds = 0;

	if (late->kinds[family] != BIT(KIND_LATER) || r->kinds[family] & BIT(KIND_LATER) || !proto->there || proto->n != proto->total)
		return false;
	for (size_t i = 0; i < proto->n; i++)
		for (unsigned int v = (unsigned int)proto->r[i].lo; v <= (unsigned int)proto->r[i].hi; v++)
			kinds |= kind_of(family, v);
	return kinds == r->kinds[family] && (!(kinds & BIT(KIND_PLAIN)) || proto_same(late, r));
}

/* Both of one kind: the states of both. */
static bool merge_states(struct region *a, const struct region *b)
{
	if (memcmp(a->kinds, b->kinds, sizeof(a->kinds)) || !proto_same(a, b) || !others_same(a, b) || !addresses_same(a, b))
		return false;
	if (is_known_state(a->states) != is_known_state(b->states))
		return false;
	a->states |= b->states;
	a->words = words_of(a);
	return true;
}

/* Both of one family: the kinds of both. */
static bool merge_kinds(struct region *a, const struct region *b)
{
	for (unsigned int f = 0; f < FAMILY_COUNT; f++) {
		if (!is_alone(a, f) || !is_alone(b, f) || !others_same(a, b) || !addresses_same(a, b))
			continue;
		if (is_fragments_of(b, a, f))
			return true;
		if (!proto_same(a, b) || !(a->words & b->words))
			return false;
		a->kinds[f] |= b->kinds[f];
		a->states |= b->states;
		a->words &= b->words;
		return true;
	}
	return false;
}

/* The same of IPv4 and of IPv6. Addresses must be spoken of in both or in none. */
static bool merge_families(struct region *a, const struct region *b)
{
	const struct region *four = is_alone(a, FAMILY_IPV4) ? a : b, *six = four == a ? b : a;
	struct region both = *four;

	if (!is_alone(four, FAMILY_IPV4) || !is_alone(six, FAMILY_IPV6) || four->kinds[FAMILY_IPV4] != six->kinds[FAMILY_IPV6] ||
	    !(a->words & b->words) || !proto_same(a, b) || !others_same(a, b) || four->dim[DIM_SRC].there != six->src6.there ||
	    four->dim[DIM_DST].there != six->dst6.there)
		return false;
	both.kinds[FAMILY_IPV6] = six->kinds[FAMILY_IPV6];
	both.states |= six->states;
	both.words &= six->words;
	both.src6 = six->src6;
	both.dst6 = six->dst6;
	*a = both;
	return true;
}

/* All of IP, and what is not IP. */
static bool merge_other(struct region *a, const struct region *b)
{
	const uint32_t all = BIT(KIND_OTHER) - 1;
	const struct region *other = is_alone(a, FAMILY_OTHER) ? a : b, *ip = other == a ? b : a;
	struct region both = *ip;

	if (!is_alone(other, FAMILY_OTHER) || ip->kinds[FAMILY_OTHER] || ip->kinds[FAMILY_IPV4] != all || ip->kinds[FAMILY_IPV6] != all ||
	    !(a->words & b->words) || !proto_same(a, b) || !others_same(a, b) || !addresses_same(a, b))
		return false;
	both.kinds[FAMILY_OTHER] = other->kinds[FAMILY_OTHER];
	both.words &= other->words;
	*a = both;
	return true;
}

static void merge_by(struct diff_change *c, bool (*merge)(struct region *a, const struct region *b))
{
	for (size_t i = 0; i < c->nregions; i++) {
		for (size_t k = i + 1; k < c->nregions;) {
			if (!merge(c->region[i], c->region[k])) {
				k++;
				continue;
			}
			memmove(&c->region[k], &c->region[k + 1], (c->nregions - k - 1) * sizeof(c->region[0]));
			c->nregions--;
			k = i + 1;
		}
	}
}

void regions_merge(struct diff_change *c)
{
	merge_by(c, merge_states);
	merge_by(c, merge_kinds);
	merge_by(c, merge_families);
	merge_by(c, merge_other);
}
