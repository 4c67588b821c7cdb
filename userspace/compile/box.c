// SPDX-License-Identifier: GPL-2.0-only
#include "compile/box.h"

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/vec.h"
#include "compile/sets.h"

#include <errno.h>
#include <string.h>

#define BIT(n)	     (1u << (n))
#define FAMILIES_IP  (BIT(FAMILY_IPV4) | BIT(FAMILY_IPV6))
#define FAMILIES_ALL (FAMILIES_IP | BIT(FAMILY_OTHER))

/*
 * Finding equal sets: first by the address of the ranges (a set of a million prefixes that ten rules share is looked at
 * once), then by content. Both maps are open-addressed, 0 is empty, else 1 + index.
 */
struct box_map {
	uint32_t *cell;
	const void **key; /* of the pointer map */
	size_t mask;
};

struct box_builder {
	struct boxes *b;
	struct arena *arena;
	const struct sets *sets;
	struct box_set *conds; /* values of SETS, by the conditions on both sides (box_cond_key), once asked for */
	struct box_map by_pointer[SPACE_COUNT], by_content[SPACE_COUNT];
};

static uint64_t box_mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0x9fb21c651e98df25ull;
	return h ^ h >> 32;
}

static uint64_t box_set_hash(const struct box_set *s)
{
	uint64_t h = s->n;

	for (size_t i = 0; i < s->n; i++) {
		if (s->r6) {
			h = box_mix(h, (uint64_t)(s->r6[i].lo >> 64));
			h = box_mix(h, (uint64_t)s->r6[i].lo);
			h = box_mix(h, (uint64_t)(s->r6[i].hi >> 64));
			h = box_mix(h, (uint64_t)s->r6[i].hi);
		} else if (s->r4) {
			h = box_mix(h, (uint64_t)s->r4[i].lo << 32 | s->r4[i].hi);
		} else {
			h = box_mix(h, s->r[i].lo);
			h = box_mix(h, s->r[i].hi);
		}
	}
	return h;
}

static bool box_set_same(const struct box_set *a, const struct box_set *b)
{
	if (a->n != b->n || a->hash != b->hash || !a->r6 != !b->r6)
		return false;
	if (!a->n)
		return true;
	if (a->r6)
		return !memcmp(a->r6, b->r6, a->n * sizeof(*a->r6));
	if (a->r4)
		return !memcmp(a->r4, b->r4, a->n * sizeof(*a->r4));
	return !memcmp(a->r, b->r, a->n * sizeof(*a->r));
}

/* Give every rule room: the number of sets cannot exceed that of the rules, so the maps never grow. */
static int box_map_init(struct box_builder *w, struct box_map *m, bool keyed)
{
	size_t cap = 16;

	while (cap < 2 * w->b->nrules)
		cap *= 2;
	m->cell = arena_array(w->arena, cap, sizeof(*m->cell));
	m->key = keyed ? arena_array(w->arena, cap, sizeof(*m->key)) : NULL;
	m->mask = cap - 1;
	return m->cell && (m->key || !keyed) ? 0 : -ENOMEM;
}

/* The first rule that asks something of a space opens it. */
static int box_open_space(struct box_builder *w, enum space s)
{
	if (w->b->set[s])
		return 0;
	w->b->set[s] = arena_array(w->arena, w->b->nrules, sizeof(uint32_t));
	if (!w->b->set[s] || box_map_init(w, &w->by_pointer[s], true) || box_map_init(w, &w->by_content[s], false))
		return -ENOMEM;
	w->b->dims |= BIT(space_dim(s));
	return 0;
}

static int box_intern(struct box_builder *w, enum space s, struct box_set set, uint32_t *ret_id)
{
	struct box_map *m = &w->by_content[s];
	struct box_sets *sets = &w->b->sets[s];
	size_t at;

	set.hash = box_set_hash(&set);
	for (at = set.hash & m->mask; m->cell[at]; at = (at + 1) & m->mask) {
		if (box_set_same(&sets->v[m->cell[at] - 1], &set)) {
			*ret_id = m->cell[at];
			return 0;
		}
	}
	if (vec_push(sets, set))
		return -ENOMEM;
	*ret_id = m->cell[at] = sets->n;
	return 0;
}

static int box_put(struct box_builder *w, enum space s, size_t rule, struct box_set set)
{
	struct box_map *m = &w->by_pointer[s];
	const void *key = set.r6 ? (const void *)set.r6 : set.r4 ? (const void *)set.r4 : (const void *)set.r;
	uint32_t id;
	size_t at = 0;
	int err;

	/* An empty set has no ranges to point at. */
	if (key && set.n) {
		at = box_mix((uintptr_t)key, set.n) & m->mask;
		for (; m->cell[at]; at = (at + 1) & m->mask) {
			/* Ranges of one address and another length: a different set, to be compared by content. */
			if (m->key[at] == key && w->b->sets[s].v[m->cell[at] - 1].n == set.n) {
				w->b->set[s][rule] = m->cell[at];
				return 0;
			}
		}
	}
	err = box_intern(w, s, set, &id);
	if (err)
		return err;
	w->b->set[s][rule] = id;
	if (key && set.n) {
		m->key[at] = key;
		m->cell[at] = id;
	}
	return 0;
}

/* Families of the packets that have a field. */
static unsigned int box_field_families(enum field_id f)
{
	switch (field_get(f)->needs) {
	case FIELD_NEEDS_FRAME:
	case FIELD_NEEDS_TRACK:
		return FAMILIES_ALL;
	case FIELD_NEEDS_IP6:
	case FIELD_NEEDS_ICMP6:
		return BIT(FAMILY_IPV6);
	case FIELD_NEEDS_ICMP:
		return BIT(FAMILY_IPV4);
	default:
		return FAMILIES_IP;
	}
}

static unsigned int box_aset_families(const struct aset *s)
{
	if (!s)
		return FAMILIES_ALL;
	return (s->n4 ? BIT(FAMILY_IPV4) : 0) | (s->n6 ? BIT(FAMILY_IPV6) : 0);
}

/* Families that the conditions beside `families` and PROTO leave: packets of the others lack a field or an address. */
static unsigned int box_implied_families(const struct rule *r)
{
	unsigned int families = FAMILIES_ALL;

	for (int f = 0; f < FIELD_VALUE_COUNT; f++)
		if (f != FIELD_PROTO && r->value[f])
			families &= box_field_families(f);
	if (r->live_src.sets || r->live_dst.sets)
		families &= FAMILIES_IP;
	return families & box_aset_families(r->src) & box_aset_families(r->dst);
}

static bool box_proto_has_family(const struct vset *s, enum family f)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->r[i].lo <= (f << 8 | 255u) && s->r[i].hi >= (unsigned int)f << 8)
			return true;
	return false;
}

/* Which families can the rule match at all? */
static unsigned int box_families(const struct rule *r)
{
	unsigned int families = r->families & box_implied_families(r);

	for (int f = 0; f < FIELD_VALUE_COUNT; f++)
		if (r->value[f] && !r->value[f]->n)
			return 0;
	if (!r->value[FIELD_PROTO])
		return families;
	for (enum family f = FAMILY_OTHER; f < FAMILY_COUNT; f++)
		if (f == FAMILY_OTHER || !box_proto_has_family(r->value[FIELD_PROTO], f))
			families &= ~BIT(f);
	return families;
}

/*
 * Must PROTO, whose value carries the family, keep some packets away from this rule? Only when no other condition does.
 * Addresses do not speak for frames that are not IP: the datapath leaves them out there.
 */
static bool box_needs_proto(const struct box_builder *w, size_t rule)
{
	const struct boxes *b = w->b;
	const struct rule *r = &b->chain->rules[rule];
	unsigned int families = b->families[rule], judged = FAMILIES_IP | (b->l2 ? BIT(FAMILY_OTHER) : 0);
	struct rule asked = *r, no_addr;
	unsigned int implied;

	if (r->value[FIELD_PROTO])
		return true;
	/*
	 * Of a large set a condition asks one bit. It is 0 for members of the complement, and for all that neither speaks of. Of live
	 * sets it is 0 for what is not IP.
	 */
	if (sets_cond(w->sets, 0, rule) && !SETS_COND_MEMBER(sets_cond(w->sets, 0, rule))) {
		asked.src = NULL;
		asked.live_src.sets = 0;
	}
	if (sets_cond(w->sets, 1, rule) && !SETS_COND_MEMBER(sets_cond(w->sets, 1, rule))) {
		asked.dst = NULL;
		asked.live_dst.sets = 0;
	}
	no_addr = asked;
	no_addr.src = no_addr.dst = NULL;
	implied = box_implied_families(&asked) | (box_implied_families(&no_addr) & BIT(FAMILY_OTHER));
	return judged & implied & ~families;
}

/* PROTO's set of a rule: its protocols, in its families. Frames that are not IP have the value 0. */
static int box_put_proto(struct box_builder *w, size_t rule)
{
	const struct vset *value = w->b->chain->rules[rule].value[FIELD_PROTO];
	size_t n = 0, max = (value ? value->n : 0) + FAMILY_COUNT;
	struct range *r = arena_array(w->arena, max, sizeof(*r));

	if (!r)
		return -ENOMEM;
	for (unsigned int f = 0; f < FAMILY_COUNT; f++) {
		const struct range whole = { f << 8, f << 8 | 255 };

		if (!(w->b->families[rule] & BIT(f)))
			continue;
		for (size_t i = 0; i < (value ? value->n : 1); i++) {
			struct range x = value ? value->r[i] : whole;

			x.lo = x.lo < whole.lo ? whole.lo : x.lo;
			x.hi = x.hi > whole.hi ? whole.hi : x.hi;
			if (x.lo > x.hi)
				continue;
			if (n && r[n - 1].hi + 1 == x.lo)
				r[n - 1].hi = x.hi;
			else
				r[n++] = x;
		}
	}
	return box_put(w, SPACE_PROTO, rule, (struct box_set){ .r = r, .n = n });
}

static int box_put_aset(struct box_builder *w, enum space s4, size_t rule, const struct aset *a)
{
	static const struct range6 none6[1];
	int err;

	if (!a)
		return 0;
	err = box_open_space(w, s4);
	if (!err)
		err = box_open_space(w, s4 + 1);
	if (!err)
		err = box_put(w, s4, rule, (struct box_set){ .r4 = a->v4, .n = a->n4 });
	if (!err)
		err = box_put(w, s4 + 1, rule, (struct box_set){ .r6 = a->n6 ? a->v6 : none6, .n = a->n6 });
	return err;
}

/* Values of SETS that meet the conditions on both sides: at most 128 ranges. */
static size_t box_cond_values(const unsigned int cond[2], struct range *r)
{
	size_t n = 0;

	for (unsigned int value = 0; value <= space_max(SPACE_SETS); value++) {
		bool meets = true;

		for (int side = 0; side < 2; side++)
			if (cond[side])
				meets &= !(value & SETS_COND_BITS(cond[side])) == !SETS_COND_MEMBER(cond[side]);
		if (!meets)
			continue;
		if (n && r[n - 1].hi + 1 == value)
			r[n - 1].hi = value;
		else
			r[n++] = (struct range){ value, value };
	}
	return n;
}

/* A bit belongs to one side, so which bits are asked says by which side. */
#define BOX_CONDS (4u << FW_MAX_SETS)
static unsigned int box_cond_key(const unsigned int cond[2])
{
	return (SETS_COND_BITS(cond[0]) | SETS_COND_BITS(cond[1])) << 2 | SETS_COND_MEMBER(cond[0]) << 1 | SETS_COND_MEMBER(cond[1]);
}

static int box_put_conds(struct box_builder *w, size_t rule)
{
	unsigned int cond[2] = { sets_cond(w->sets, 0, rule), sets_cond(w->sets, 1, rule) };
	struct box_set *set;
	int err;

	if (!cond[0] && !cond[1])
		return 0;
	if (!w->conds)
		w->conds = arena_array(w->arena, BOX_CONDS, sizeof(*w->conds));
	if (!w->conds)
		return -ENOMEM;
	set = &w->conds[box_cond_key(cond)];
	if (!set->r) {
		struct range *r = arena_array(w->arena, 128, sizeof(*r));

		if (!r)
			return -ENOMEM;
		set->r = r;
		set->n = box_cond_values(cond, r);
	}
	err = box_open_space(w, SPACE_SETS);
	return err ? err : box_put(w, SPACE_SETS, rule, *set);
}

static int box_put_rule(struct box_builder *w, size_t rule, bool proto)
{
	const struct rule *r = &w->b->chain->rules[rule];
	int err = 0;

	for (int f = 0; f < FIELD_VALUE_COUNT && !err; f++) {
		if (f == FIELD_PROTO || !r->value[f])
			continue;
		err = box_open_space(w, space_of_field(f));
		if (!err)
			err = box_put(w, space_of_field(f), rule, (struct box_set){ .r = r->value[f]->r, .n = r->value[f]->n });
	}
	if (!err && proto) {
		err = box_open_space(w, SPACE_PROTO);
		if (!err)
			err = box_put_proto(w, rule);
	}
	if (!err)
		err = box_put_conds(w, rule);
	if (!err && !sets_cond(w->sets, 0, rule))
		err = box_put_aset(w, SPACE_SRC4, rule, r->src);
	if (!err && !sets_cond(w->sets, 1, rule))
		err = box_put_aset(w, SPACE_DST4, rule, r->dst);
	return err;
}

int boxes_build(struct arena *arena, const struct chain *chain, const struct sets *sets, struct boxes *ret)
{
	struct boxes b = { .chain = chain, .nrules = chain->nrules };
	struct box_builder w = { .b = &b, .arena = arena, .sets = sets };
	bool proto = false;
	int err = 0;

	b.families = arena_array(arena, b.nrules, 1);
	if (!b.families)
		return -ENOMEM;
	for (size_t i = 0; i < b.nrules; i++) {
		b.families[i] = box_families(&chain->rules[i]);
		b.l2 |= b.families[i] & BIT(FAMILY_OTHER);
	}
	for (size_t i = 0; i < b.nrules && !proto; i++)
		proto = b.families[i] && box_needs_proto(&w, i);
	/* A rule that can match nothing has no bit in any row, so it needs no sets. */
	for (size_t i = 0; i < b.nrules && !err; i++)
		if (b.families[i])
			err = box_put_rule(&w, i, proto);
	if (err) {
		boxes_fini(&b);
		return err;
	}
	*ret = b;
	return 0;
}

void boxes_fini(struct boxes *b)
{
	for (int s = 0; s < SPACE_COUNT; s++)
		vec_fini(&b->sets[s]);
}
