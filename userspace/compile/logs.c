// SPDX-License-Identifier: GPL-2.0-only
#include "compile/logs.h"

#include "base/arena.h"
#include "base/hash.h"
#include "model/limit.h"

#include <errno.h>
#include <string.h>

/* Found by content: open addressing, 0 is empty, else 1 + index. */
struct logs_index {
	uint32_t *cell;
	size_t mask;
};

static uint32_t logs_intern(struct logs *l, const struct logs_index *x, const struct log_opts *opts)
{
	struct log_numbers n;
	struct fw_log log;
	size_t at;

	if (!opts)
		return 0;
	n = log_numbers(opts);
	log = (struct fw_log){ .cost = n.cost, .burst = n.burst, .sample = opts->sample };
	for (at = hash_bytes(&log, sizeof(log)) & x->mask; x->cell[at]; at = (at + 1) & x->mask)
		if (!memcmp(&l->v[x->cell[at] - 1], &log, sizeof(log)))
			return x->cell[at];
	l->v[l->n++] = log;
	return x->cell[at] = (uint32_t)l->n;
}

static size_t logs_count(const struct chain *chain)
{
	size_t n = 0;

	for (size_t i = 0; i < chain->nrules; i++)
		n += chain->rules[i].log != NULL;
	return n;
}

int logs_build(struct arena *arena, const struct chain *chain, struct logs *ret)
{
	size_t rules = logs_count(chain), all = rules + !!chain->log_default + !!chain->log_reasons, cells = 16;
	struct logs_index x;

	*ret = (struct logs){};
	if (!all)
		return 0;
	while (cells < 2 * all)
		cells *= 2;
	x.cell = arena_array(arena, cells, sizeof(*x.cell));
	x.mask = cells - 1;
	ret->v = arena_array(arena, all, sizeof(*ret->v));
	if (rules)
		ret->of = arena_array(arena, chain->nrules, sizeof(*ret->of));
	if (!x.cell || !ret->v || (rules && !ret->of))
		return -ENOMEM;
	for (size_t i = 0; rules && i < chain->nrules; i++)
		ret->of[i] = logs_intern(ret, &x, chain->rules[i].log);
	ret->of_default = logs_intern(ret, &x, chain->log_default);
	ret->of_reasons = logs_intern(ret, &x, chain->log_reasons);
	return 0;
}

bool logs_any(const struct policy *policy)
{
	for (int d = 0; d < DIRECTION_COUNT; d++)
		if (policy->chain[d].log_default || policy->chain[d].log_reasons || logs_count(&policy->chain[d]))
			return true;
	return false;
}
