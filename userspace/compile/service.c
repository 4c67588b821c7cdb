// SPDX-License-Identifier: GPL-2.0-only
#include "compile/service.h"

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/vec.h"

#include <errno.h>
#include <string.h>

/*
 * What a rule asks. The set of PROTO may be there for the family's sake alone (struct boxes), of which the address has
 * decided where the rule stands in a list.
 */
static bool service_get(const struct boxes *b, size_t rule, struct service *ret)
{
	bool asks = false;

	for (int s = 0; s < SERVICE_SPACES; s++) {
		bool own = s != SPACE_PROTO || b->chain->rules[rule].value[FIELD_PROTO];

		ret->set[s] = b->set[s] && own ? b->set[s][rule] : BOX_ANY;
		asks |= ret->set[s] != BOX_ANY;
	}
	return asks;
}

static uint64_t service_hash(const struct service *v)
{
	uint64_t h = 0;

	for (int s = 0; s < SERVICE_SPACES; s++) {
		h = (h ^ v->set[s]) * 0x9fb21c651e98df25ull;
		h ^= h >> 32;
	}
	return h;
}

static int service_intern(struct services *s, uint32_t *slot, size_t mask, const struct service *v, uint32_t *ret)
{
	size_t at;

	for (at = service_hash(v) & mask; slot[at]; at = (at + 1) & mask) {
		if (!memcmp(&s->v[slot[at] - 1], v, sizeof(*v))) {
			*ret = slot[at] - 1;
			return 0;
		}
	}
	if (vec_push(s, *v))
		return -ENOMEM;
	*ret = s->n - 1;
	slot[at] = s->n;
	return 0;
}

int services_build(struct arena *arena, const struct boxes *b, const bool *wanted, struct services *ret)
{
	uint32_t *slot auto_free = NULL;
	size_t cap = 16;
	int err = 0;

	*ret = (struct services){};
	while (cap < 2 * b->nrules)
		cap *= 2;
	slot = calloc(cap, sizeof(*slot));
	ret->of = arena_array(arena, b->nrules, sizeof(*ret->of));
	if (!slot || !ret->of)
		return -ENOMEM;
	for (size_t i = 0; i < b->nrules && !err; i++) {
		struct service v;

		ret->of[i] = FW_SVC_ANY;
		if (wanted[i] && service_get(b, i, &v))
			err = service_intern(ret, slot, cap - 1, &v, &ret->of[i]);
	}
	return err;
}

int services_order(struct services *s, const uint32_t *rules, size_t n)
{
	uint32_t *number auto_free = malloc((s->n + 1) * sizeof(*number));
	struct service *v = calloc(s->n + 1, sizeof(*v));
	uint32_t next = 0;

	if (!number || !v) {
		free(v);
		return -ENOMEM;
	}
	memset(number, 0xff, s->n * sizeof(*number));
	for (size_t i = 0; i < n; i++) {
		uint32_t *of = &s->of[rules[i]];

		if (*of == FW_SVC_ANY)
			continue;
		if (number[*of] == FW_SVC_ANY) {
			v[next] = s->v[*of];
			number[*of] = next++;
		}
		*of = number[*of];
	}
	free(s->v);
	s->v = v;
	s->n = next;
	s->cap = s->n + 1;
	return 0;
}

void services_fini(struct services *s)
{
	vec_fini(s);
}
