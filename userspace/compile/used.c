// SPDX-License-Identifier: GPL-2.0-only
/* The sets that rows have to tell apart: those of the rules that own bits, and those of services. */
#include "compile/plan.h"

#include "base/arena.h"
#include "base/vec.h"

#include <errno.h>

static void used_mark(const struct plan *p, enum space s, uint32_t *used)
{
	const uint32_t *set = p->boxes.set[s];

	for (size_t i = 0; i < p->boxes.nrules; i++)
		if (set[i] && plan_owns_bit(p, i))
			used[set[i] - 1] = 1;
	for (size_t i = 0; s < SERVICE_SPACES && i < p->lists.services.n; i++)
		if (p->lists.services.v[i].set[s])
			used[p->lists.services.v[i].set[s] - 1] = 1;
}

int used_build(struct arena *arena, struct plan *p)
{
	for (int s = 0; s < SPACE_COUNT; s++) {
		const struct box_sets *sets = &p->boxes.sets[s];
		uint32_t *id;

		if (!p->boxes.set[s])
			continue;
		id = p->used_id[s] = arena_array(arena, sets->n, sizeof(*id));
		if (!id || vec_reserve(&p->used[s], sets->n))
			return -ENOMEM;
		used_mark(p, s, id);
		for (size_t i = 0; i < sets->n; i++) {
			if (!id[i])
				continue;
			p->used[s].v[p->used[s].n++] = sets->v[i];
			id[i] = p->used[s].n;
		}
	}
	return 0;
}
