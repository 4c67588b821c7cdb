// SPDX-License-Identifier: GPL-2.0-only
#include "analyze/space_priv.h"

#include "base/arena.h"
#include "base/vec.h"

#include <errno.h>
#include <string.h>

#define BIT(n)	   (1u << (n))
#define ALL_STATES (BIT(STATE_COUNT) - 1)

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0x9fb21c651e98df25ull;
	return h ^ h >> 32;
}

static uint64_t set_hash(const struct axis_set *s)
{
	uint64_t h = s->n;

	for (size_t i = 0; i < s->n; i++) {
		h = mix(h, (uint64_t)axis_lo(s, i));
		h = mix(h, (uint64_t)axis_hi(s, i));
		if (s->r6) {
			h = mix(h, (uint64_t)(axis_lo(s, i) >> 64));
			h = mix(h, (uint64_t)(axis_hi(s, i) >> 64));
		}
	}
	return h;
}

/* Sets of one axis may come as different types of ranges. */
static bool set_same(const struct axis_set *a, const struct axis_set *b)
{
	if (a->n != b->n || a->hash != b->hash)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (axis_lo(a, i) != axis_lo(b, i) || axis_hi(a, i) != axis_hi(b, i))
			return false;
	return true;
}

/* Room for one more. */
static int map_grow(struct axis_map *m)
{
	size_t cap = m->v ? 2 * (m->mask + 1) : 64;
	struct axis_cell *v;

	if (m->v && 2 * m->n < m->mask)
		return 0;
	v = calloc(cap, sizeof(*v));
	if (!v)
		return -ENOMEM;
	for (size_t i = 0; m->v && i <= m->mask; i++) {
		size_t at = mix((uintptr_t)m->v[i].key, m->v[i].n) & (cap - 1);

		if (!m->v[i].id)
			continue;
		while (v[at].id)
			at = (at + 1) & (cap - 1);
		v[at] = m->v[i];
	}
	free(m->v);
	m->v = v;
	m->mask = cap - 1;
	return 0;
}

/* The place of a key, free or taken. By content, the key is the hash. */
static struct axis_cell *map_find(struct axis_map *m, const void *key, size_t n, const struct axis_data *a, const struct axis_set *set)
{
	size_t at = mix((uintptr_t)key, n) & m->mask;

	for (; m->v[at].id; at = (at + 1) & m->mask)
		if (m->v[at].key == key && m->v[at].n == n && (!set || set_same(&a->sets.v[m->v[at].id - 1], set)))
			break;
	return &m->v[at];
}

int axis_intern(struct axis_data *a, struct axis_set set, uint32_t *ret_id)
{
	const void *key = set.r6 ? (const void *)set.r6 : set.r4 ? (const void *)set.r4 : (const void *)set.r;
	struct axis_cell *by_pointer, *by_content;

	if (map_grow(&a->by_pointer) || map_grow(&a->by_content))
		return -ENOMEM;
	key = set.n ? key : NULL; /* an empty set has no ranges to point at */
	by_pointer = map_find(&a->by_pointer, key, set.n, NULL, NULL);
	if (by_pointer->id) {
		*ret_id = by_pointer->id - 1;
		return 0;
	}
	set.hash = set_hash(&set);
	by_content = map_find(&a->by_content, (const void *)(uintptr_t)set.hash, set.n, a, &set);
	if (!by_content->id) {
		if (vec_push(&a->sets, set))
			return -ENOMEM;
		*by_content = (struct axis_cell){ (const void *)(uintptr_t)set.hash, set.n, (uint32_t)a->sets.n };
		a->by_content.n++;
	}
	*by_pointer = (struct axis_cell){ key, set.n, by_content->id };
	a->by_pointer.n++;
	*ret_id = by_content->id - 1;
	return 0;
}

/* The part of a set that values of packets can have: 0 means absent in these dimensions, and no condition holds then. */
static int set_present(struct space *s, const struct vset *v, uint64_t min, struct axis_set *ret)
{
	struct range *r;
	size_t n = 0;

	*ret = (struct axis_set){ .r = v->r, .n = v->n };
	if (!v->n || v->r[0].lo >= min)
		return 0;
	r = arena_array(s->arena, v->n, sizeof(*r));
	if (!r)
		return -ENOMEM;
	for (size_t i = 0; i < v->n; i++)
		if (v->r[i].hi >= min)
			r[n++] = (struct range){ v->r[i].lo < min ? min : v->r[i].lo, v->r[i].hi };
	*ret = (struct axis_set){ .r = r, .n = n };
	return 0;
}

static int rule_value(struct space *s, struct space_rule *r, enum field_id f)
{
	struct cond *c = &r->cond[r->nconds++];
	struct axis_set set;
	int err = set_present(s, r->rule->value[f], f == FIELD_VLAN ? 1 : f == FIELD_ETHERTYPE ? 0x0600 : 0, &set);

	c->dim = (uint8_t)f;
	r->dims |= BIT(f);
	err = err ? err : axis_intern(&s->axis[f], set, &c->id[0]);
	c->id[1] = c->id[0];
	return err;
}

static int rule_address(struct space *s, struct space_rule *r, unsigned int dim, const struct aset *a)
{
	struct cond *c = &r->cond[r->nconds++];
	int err;

	c->dim = (uint8_t)dim;
	r->dims |= BIT(dim);
	err = axis_intern(&s->axis[dim], (struct axis_set){ .r4 = a->v4, .n = a->n4 }, &c->id[0]);
	return err ? err : axis_intern(&s->axis[axis_of(dim, FAMILY_IPV6)], (struct axis_set){ .r6 = a->v6, .n = a->n6 }, &c->id[1]);
}

/* Values of membership in which some of the bits are set, or none. */
static int rule_live(struct space *s, struct space_rule *r, unsigned int dim, const struct live_match *m, const struct policy *p)
{
	uint32_t bits = space_live(s, p, m->sets), max = BIT(s->nlive) - 1;
	struct cond *c = &r->cond[r->nconds++];
	struct range *v = arena_array(s->arena, (size_t)max + 2, sizeof(*v));
	size_t n = 0;
	int err;

	if (!v)
		return -ENOMEM;
	for (uint32_t x = 0; x <= max; x++) {
		if (!(x & bits) != m->negate)
			continue;
		if (n && v[n - 1].hi + 1 == x)
			v[n - 1].hi = x;
		else
			v[n++] = (struct range){ x, x };
	}
	c->dim = (uint8_t)dim;
	r->dims |= BIT(dim);
	err = axis_intern(&s->axis[dim], (struct axis_set){ .r = v, .n = n }, &c->id[0]);
	c->id[1] = c->id[0];
	return err;
}

static int rule_add(struct space *s, const struct rule *rule, const struct policy *p)
{
	struct space_rule *r = &s->rule[s->nrules++];
	const struct vset *states = rule->value[FIELD_STATE];
	size_t n = 0;
	int err = 0;

	*r = (struct space_rule){ .rule = rule, .families = (uint8_t)rule->families, .states = ALL_STATES };
	for (int f = 0; f < FIELD_VALUE_COUNT; f++)
		n += rule->value[f] != NULL;
	r->cond = arena_array(s->arena, n + 4, sizeof(*r->cond));
	if (!r->cond)
		return -ENOMEM;
	/* Where states are not known nobody asks for them. */
	if (states && s->tracks && (!p || p->track))
		for (unsigned int state = 0; state < STATE_COUNT; state++)
			if (!vset_has(states, state))
				r->states &= (uint8_t)~BIT(state);
	for (int f = 0; f < FIELD_VALUE_COUNT && !err; f++)
		if (rule->value[f] && f != FIELD_STATE)
			err = rule_value(s, r, (enum field_id)f);
	if (!err && rule->src)
		err = rule_address(s, r, DIM_SRC, rule->src);
	if (!err && rule->dst)
		err = rule_address(s, r, DIM_DST, rule->dst);
	if (!err && rule->live_src.sets)
		err = rule_live(s, r, DIM_LIVE_SRC, &rule->live_src, p);
	if (!err && rule->live_dst.sets)
		err = rule_live(s, r, DIM_LIVE_DST, &rule->live_dst, p);
	return err;
}

static unsigned int live_find(const struct space *s, const char *name)
{
	unsigned int i = 0;

	while (i < s->nlive && strcmp(s->live[i], name))
		i++;
	return i;
}

static int live_add(struct space *s, const struct policy *p)
{
	for (size_t i = 0; p && i < p->nlive; i++) {
		if (live_find(s, p->live[i]->name) < s->nlive)
			continue;
		if (s->nlive == SPACE_MAX_LIVE)
			return -E2BIG;
		s->live[s->nlive++] = p->live[i]->name;
	}
	return 0;
}

uint32_t space_live(const struct space *s, const struct policy *p, uint32_t bits)
{
	uint32_t out = 0;

	for (size_t i = 0; p && i < p->nlive; i++)
		if (bits & BIT(i))
			out |= BIT(live_find(s, p->live[i]->name));
	return out;
}

uint32_t policy_live(const struct space *s, const struct policy *p, uint32_t bits)
{
	uint32_t out = 0;

	for (size_t i = 0; p && i < p->nlive; i++)
		if (bits & BIT(live_find(s, p->live[i]->name)))
			out |= BIT(i);
	return out;
}

static void axes_init(struct space *s)
{
	for (int f = 0; f < FIELD_VALUE_COUNT; f++)
		s->axis[f].max = f == FIELD_MAC ? 0xffffffffffff : ((u128)1 << field_get((enum field_id)f)->bits) - 1;
	s->axis[DIM_SRC].max = s->axis[DIM_DST].max = UINT32_MAX;
	s->axis[AXIS_SRC6].max = s->axis[AXIS_DST6].max = ~(u128)0;
	s->axis[DIM_LIVE_SRC].max = s->axis[DIM_LIVE_DST].max = BIT(s->nlive) - 1;
}

static int space_fill(struct space *s, struct space_list *lists, size_t n)
{
	size_t nrules = 0;
	int err = 0;

	for (size_t i = 0; i < n; i++) {
		nrules += lists[i].nrules;
		err = err ? err : live_add(s, lists[i].policy);
	}
	s->axis = arena_array(s->arena, AXIS_COUNT, sizeof(*s->axis));
	s->rule = arena_array(s->arena, nrules + 1, sizeof(*s->rule));
	if (err || !s->axis || !s->rule)
		return err ? err : -ENOMEM;
	axes_init(s);
	err = cells_make(s, lists, n);
	for (size_t i = 0; i < n && !err; i++) {
		lists[i].first = (uint32_t)s->nrules;
		for (size_t k = 0; k < lists[i].nrules && !err; k++)
			err = rule_add(s, &lists[i].rules[k], lists[i].policy);
	}
	err = err ? err : classes_make(s);
	for (unsigned int i = 0; i < 32 && !err; i++)
		s->ext_class[i] = space_class(s, FIELD_EXT, i);
	for (unsigned int i = 0; i < 3 && !err; i++)
		s->frag_class[i] = space_class(s, FIELD_FRAG, i);
	for (size_t i = 0; i < s->ncells && !err; i++)
		for (unsigned int d = 0; d < DIM_COUNT; d++)
			if (s->cell[i].dims & BIT(d))
				s->cell[i].domain[d] =
					s->axis[axis_of(d, s->cell[i].family)].sets.v[s->cell[i].domain_id[d]].classes;
	return err;
}

int space_new(struct space_list *lists, size_t n, struct space **ret)
{
	struct arena *arena = arena_new();
	struct space *s = arena ? arena_alloc(arena, sizeof(*s)) : NULL;
	int err;

	if (!s) {
		arena_free(arena);
		return -ENOMEM;
	}
	s->arena = arena;
	err = space_fill(s, lists, n);
	if (err)
		space_free(s);
	else
		*ret = s;
	return err;
}

void space_free(struct space *s)
{
	if (!s)
		return;
	for (int i = 0; s->axis && i < AXIS_COUNT; i++) {
		vec_fini(&s->axis[i].sets);
		free(s->axis[i].by_pointer.v);
		free(s->axis[i].by_content.v);
	}
	arena_free(s->arena);
}

const struct iset *space_set(const struct space *s, const struct cell *cell, const struct cond *c)
{
	return &s->axis[axis_of(c->dim, cell->family)].sets.v[c->id[cell->family == FAMILY_IPV6]].classes;
}

/* The longest packet of a part. */
static unsigned int longest(const struct space *s, const struct iset *len)
{
	u128 max = 0;

	if (iset_has(len, s->axis[FIELD_LEN].class_of[s->axis[FIELD_LEN].nstretches - 1]))
		return 65535;
	for (uint32_t i = 0; i < len->n; i++)
		for (uint32_t c = len->r[i].lo; c <= len->r[i].hi; c++)
			max = s->axis[FIELD_LEN].high[c] > max ? s->axis[FIELD_LEN].high[c] : max;
	return (unsigned int)max;
}

bool space_real(const struct space *s, const struct cell *cell, const struct iset d[DIM_COUNT])
{
	unsigned int max;
	bool first, whole;

	if (cell->family != FAMILY_IPV6)
		return true;
	max = longest(s, &d[FIELD_LEN]);
	first = cell->kind == KIND_LATER || iset_has(&d[FIELD_FRAG], s->frag_class[FRAG_FIRST]);
	whole = cell->kind != KIND_LATER && iset_has(&d[FIELD_FRAG], s->frag_class[FRAG_NONE]);
	for (unsigned int ext = 0; ext < 32; ext++) {
		bool fragment = ext & BIT(EXT_FRAGMENT);

		/* A first fragment has the header; a whole packet may have it. */
		if (!(whole || (first && fragment)) || cell_min_len(cell) + ext_min_len(ext) > max)
			continue;
		if (iset_has(&d[FIELD_EXT], s->ext_class[ext]))
			return true;
	}
	return false;
}
