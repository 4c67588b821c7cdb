// SPDX-License-Identifier: GPL-2.0-only
/* Paragraph 10: live sets are lists of elements, known by name. */
#include "model/track_index.h"

#include <errno.h>
#include <string.h>

static struct live_set *set_find(const struct track *t, const char *name)
{
	for (size_t i = 0; i < t->sets.n; i++)
		if (!strcmp(t->sets.v[i].name, name))
			return &t->sets.v[i];
	return NULL;
}

static struct element *element_find(const struct track *t, const struct live_set *s, enum family family, u128 addr,
				    unsigned int plen)
{
	if (s && t->index)
		return track_index_element(s, family, addr, plen);
	for (size_t i = 0; s && i < s->elements.n; i++) {
		struct element *e = &s->elements.v[i];

		if (e->family == family && e->addr == addr && e->plen == plen)
			return e;
	}
	return NULL;
}

/* How the set holds it: an IPv6 host as its /64 in a set that widens, and no host bits. */
static void element_form(const struct named_set *set, enum family family, u128 *addr, unsigned int *plen)
{
	if (set->widen && family == FAMILY_IPV6 && *plen == 128)
		*plen = 64;
	*addr = track_prefix(family, *addr, *plen);
}

int track_set_add(struct track *t, const struct named_set *set, enum family family, u128 addr, unsigned int plen,
		  uint64_t end_ns)
{
	struct live_set *s = set_find(t, set->name);
	struct element *e;

	element_form(set, family, &addr, &plen);
	if (!s) {
		const char *name = track_name(t, set->name);

		if (!name || vec_push(&t->sets, (struct live_set){ .name = name }))
			return -ENOMEM;
		s = &t->sets.v[t->sets.n - 1];
	}
	e = element_find(t, s, family, addr, plen);
	if (!e && t->index)
		return track_index_add(t, s, &(struct element){ family, addr, plen, end_ns });
	if (!e)
		return vec_push(&s->elements, (struct element){ family, addr, plen, end_ns });
	if (e->end_ns < end_ns)
		e->end_ns = end_ns;
	return 0;
}

void track_set_del(struct track *t, const struct named_set *set, enum family family, u128 addr, unsigned int plen)
{
	struct live_set *s = set_find(t, set->name);
	struct element *e;

	element_form(set, family, &addr, &plen);
	e = element_find(t, s, family, addr, plen);
	if (e && t->index)
		e->end_ns = 0; /* is none any more, and stays where the index finds it */
	else if (e)
		*e = s->elements.v[--s->elements.n];
}

bool track_set_has(const struct track *t, const struct named_set *set, enum family family, u128 addr)
{
	const struct live_set *s = set_find(t, set->name);

	if (s && t->index)
		return track_index_has(t, s, family, addr);
	for (size_t i = 0; s && i < s->elements.n; i++) {
		const struct element *e = &s->elements.v[i];

		if (e->family == family && t->now_ns < e->end_ns && track_prefix(family, addr, e->plen) == e->addr)
			return true;
	}
	return false;
}

void track_live_bits(const struct track *t, const struct policy *policy, struct packet *p)
{
	p->live_src = p->live_dst = 0;
	if (p->family == FAMILY_OTHER)
		return;
	for (size_t i = 0; i < policy->nlive; i++) {
		if (track_set_has(t, policy->live[i], p->family, p->src))
			p->live_src |= 1u << i;
		if (track_set_has(t, policy->live[i], p->family, p->dst))
			p->live_dst |= 1u << i;
	}
}
