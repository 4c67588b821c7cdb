// SPDX-License-Identifier: GPL-2.0-only
#include "kern/ringmap.h"
#include "kern/rim.h"

#include <errno.h>

static size_t cells_len(const struct ring *r)
{
	return r->cpus * r->size * r->stride;
}

static size_t cpus_len(const struct ring *r)
{
	return r->cpus * sizeof(*r->cpu);
}

int ring_map(struct ring *r, const struct table *cells, const struct table *cpus, bool tell, bool held, struct fail *fail)
{
	void *at = NULL;
	int err;

	*r = (struct ring){.stride = cells->value_size, .cpus = cpus->entries, .size = cells->entries / cpus->entries};
	err = map_share(cells->fd, cells_len(r), false, fail, &at);
	r->cells = at;
	err = err ?: map_share(cpus->fd, cpus_len(r), tell, fail, (void **)&r->cpu);
	if (!err && ring_start(r, held))
		err = fail_set(fail, -ENOMEM, "no memory");
	return err;
}

void ring_unmap(struct ring *r)
{
	map_unshare((void *)r->cells, cells_len(r));
	map_unshare(r->cpu, cpus_len(r));
	ring_fini(r);
}
