// SPDX-License-Identifier: GPL-2.0-only
/* Runs of entries: equal ones are stored once. */
#include "compile/lists.h"

#include "base/vec.h"

#include <errno.h>
#include <string.h>

static uint64_t run_hash(const struct fw_entry *e, size_t n)
{
	uint64_t h = n;

	for (size_t i = 0; i < n; i++) {
		h = (h ^ ((uint64_t)e[i].lo << 32 | e[i].span)) * 0x9fb21c651e98df25ull;
		h ^= h >> 32;
		h = (h ^ ((uint64_t)e[i].place << 32 | e[i].svc)) * 0xd6e8feb86659fd93ull;
		h ^= h >> 29;
	}
	return h;
}

static int run_grow_table(struct lists *l)
{
	size_t cap = l->mask ? 4 * (l->mask + 1) : 4096;
	uint32_t *slot = calloc(cap, sizeof(*slot));

	if (!slot)
		return -ENOMEM;
	for (size_t i = 1; i < l->runs.n; i++) {
		size_t at = run_hash(l->entries.v + l->runs.v[i].at, l->runs.v[i].n) & (cap - 1);

		while (slot[at])
			at = (at + 1) & (cap - 1);
		slot[at] = i + 1;
	}
	free(l->slot);
	l->slot = slot;
	l->mask = cap - 1;
	return 0;
}

int lists_add_run(struct lists *l, const struct fw_entry *e, size_t n, uint32_t *ret)
{
	size_t at;
	int err;

	*ret = 0;
	if (!n)
		return 0;
	for (at = run_hash(e, n) & l->mask; l->slot[at]; at = (at + 1) & l->mask) {
		const struct list_run *r = &l->runs.v[l->slot[at] - 1];

		if (r->n == n && !memcmp(l->entries.v + r->at, e, n * sizeof(*e))) {
			*ret = l->slot[at] - 1;
			return 0;
		}
	}
	err = vec_push(&l->runs, (struct list_run){ l->entries.n, n });
	if (!err)
		err = vec_reserve(&l->entries, l->entries.n + n);
	if (err)
		return err;
	memcpy(l->entries.v + l->entries.n, e, n * sizeof(*e));
	l->entries.n += n;
	for (size_t i = 0; i < n; i++)
		l->copies[e[i].place]++;
	*ret = l->runs.n - 1;
	l->slot[at] = l->runs.n;
	return 2 * l->runs.n > l->mask ? run_grow_table(l) : 0;
}

const struct fw_entry *lists_run(const struct lists *l, uint32_t list, uint32_t other, uint32_t *ret_n)
{
	const struct list_part *part = l->parts.v + l->lists.v[list].part;
	uint32_t n = l->lists.v[list].nparts, run = l->lists.v[list].run;

	while (n > 1) {
		uint32_t half = n / 2;

		part += part[half].bound <= other ? half : 0;
		n -= half;
	}
	run = l->lists.v[list].nparts ? part->run : run;
	*ret_n = l->runs.v[run].n;
	return l->entries.v + l->runs.v[run].at;
}

int lists_open_runs(struct lists *l)
{
	int err = run_grow_table(l);

	return err ? err : vec_push(&l->runs, (struct list_run){});
}
