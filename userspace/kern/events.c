// SPDX-License-Identifier: GPL-2.0-only
/* What a policy's programs tell of, read where they write it. */
#include "kern/events.h"
#include "kern/ringmap.h"
#include "kern/rim.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct kern_events {
	struct ring ring;
	bool tell;
	uint32_t id; /* of the map of events */
};

void kern_events_close(struct kern_events *e)
{
	if (!e)
		return;
	ring_unmap(&e->ring);
	free(e);
}

int events_open(const struct table *shared, unsigned int flags, struct fail *fail, struct kern_events **ret)
{
	const struct table *cells = &shared[SHARED_EVENTS], *cpus = &shared[SHARED_EVENT_CPUS];
	struct kern_events *e;
	int err;

	if (cells->fd < 0 || cpus->fd < 0)
		return -ENOENT;
	e = calloc(1, sizeof(*e));
	if (!e)
		return fail_set(fail, -ENOMEM, "no memory");
	*e = (struct kern_events){.tell = flags & KERN_EVENTS_TELL, .id = cells->id};
	err = ring_map(&e->ring, cells, cpus, e->tell, flags & KERN_EVENTS_HELD, fail);
	if (err) {
		kern_events_close(e);
		return err;
	}
	*ret = e;
	return 0;
}

static int open_policy(struct kern *k, const char *policy, struct slots *ret)
{
	struct fail *fail = kern_fail(k);
	int err = slots_check_name(policy, fail);

	if (!err)
		err = k->ns < 0 ? -ENOENT : slots_open(k->ns, policy, false, fail, ret);
	return err ? fail_set(fail, err, "no interface uses policy %s", policy) : 0;
}

int kern_events_open(struct kern *k, const char *policy, unsigned int flags, struct kern_events **ret)
{
	struct slots p;
	int err = open_policy(k, policy, &p);

	if (err)
		return err;
	err = events_open(p.shared, flags, k->fail, ret);
	slots_close(&p);
	return err;
}

bool kern_events_current(struct kern *k, const char *policy, const struct kern_events *e)
{
	struct slots p;
	bool same;

	if (open_policy(k, policy, &p))
		return false;
	same = p.shared[SHARED_EVENTS].fd >= 0 && p.shared[SHARED_EVENTS].id == e->id;
	slots_close(&p);
	return same;
}

size_t kern_events_read(struct kern_events *e, struct fw_event *buf, size_t n, uint64_t *ret_lost)
{
	struct ring *r = &e->ring;
	uint64_t all_lost = 0;
	size_t got = 0;

	for (uint32_t i = 0; i < r->cpus && got < n; i++) {
		uint32_t c = (r->first + i) % r->cpus;
		uint64_t end = ring_head(r, c), lost = 0;
		const struct fw_event *cell;

		while (got < n && (cell = ring_peek(r, c, end, &lost))) {
			memcpy(&buf[got], cell, sizeof(*buf));
			got += ring_took(r, c, cell, &lost);
		}
		if (lost && e->tell)
			__atomic_fetch_add(&r->cpu[c].lost, lost, __ATOMIC_RELAXED);
		all_lost += lost;
	}
	r->first = (r->first + 1) % r->cpus;
	*ret_lost = all_lost;
	return got;
}

void kern_events_counts(const struct kern_events *e, struct kern_event_counts *ret)
{
	struct kern_event_counts out = {};

	for (uint32_t c = 0; c < e->ring.cpus; c++) {
		const struct fw_event_cpu *cpu = &e->ring.cpu[c];

		out.written += __atomic_load_n(&cpu->head, __ATOMIC_RELAXED);
		out.limited += __atomic_load_n(&cpu->limited, __ATOMIC_RELAXED);
		out.sampled += __atomic_load_n(&cpu->sampled, __ATOMIC_RELAXED);
		out.capped += __atomic_load_n(&cpu->capped, __ATOMIC_RELAXED);
		out.lost += __atomic_load_n(&cpu->lost, __ATOMIC_RELAXED);
	}
	out.generated = out.written + out.limited + out.sampled + out.capped;
	*ret = out;
}
