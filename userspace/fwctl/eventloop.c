// SPDX-License-Identifier: GPL-2.0-only
#include "fwctl/eventloop.h"

#include <stdlib.h>

static bool is_one_of(const uint32_t *v, size_t n, uint32_t x)
{
	for (size_t i = 0; i < n; i++)
		if (v[i] == x)
			return true;
	return false;
}

static bool is_picked(const struct event_filter *f, const struct fw_event *e)
{
	uint32_t dir = e->hook == FW_HOOK_TC_EGRESS ? FW_DIR_EGRESS : FW_DIR_INGRESS;

	if (is_one_of(f->slot, f->nslots, FW_TAP_SLOT(e->slot, dir)))
		return true;
	return e->generation == f->generation && e->rule != ~0u && is_one_of(f->rule, f->nrules, FW_TAP_SLOT(e->rule, dir));
}

static bool is_inside(const uint32_t *a, const struct event_filter *f)
{
	return !(((a[0] ^ f->addr[0]) & f->mask[0]) | ((a[1] ^ f->addr[1]) & f->mask[1]) | ((a[2] ^ f->addr[2]) & f->mask[2]) |
		 ((a[3] ^ f->addr[3]) & f->mask[3]));
}

bool event_matches(const struct event_filter *f, const struct fw_event *e)
{
	if (!(f->verdicts >> (e->verdict & 31) & 1) || !(f->reasons >> (e->reason & 31) & 1))
		return false;
	if (f->l3 && (e->l3 != f->l3 || !(is_inside(e->src, f) || is_inside(e->dst, f))))
		return false;
	if (e->time_ns < f->since_ns || (f->until_ns && e->time_ns > f->until_ns))
		return false;
	if (f->ifaces && !is_one_of(f->ifindex, f->nifs, e->ifindex))
		return false;
	return !f->picks || is_picked(f, e);
}

bool events_drain(const struct event_source *src, const struct event_filter *f, size_t of, uint64_t most, struct event_batch *b,
		  struct event_tally *t)
{
	struct fw_event buf[EVENT_READ];
	uint64_t read = 0, lost;

	while (b->cap - b->n >= EVENT_READ && read < most) {
		lost = 0;
		size_t n = src->read(src->ctx, buf, EVENT_READ, &lost);
		t->lost += lost;
		t->read += n;
		read += n;
		if (!n && !lost)
			return false;
		for (size_t i = 0; i < n; i++) {
			if (!event_matches(f, &buf[i]))
				continue;
			b->v[b->n++] = (struct event_item){ .event = buf[i], .of = of };
			t->kept++;
		}
	}
	return true;
}

static int by_time(const void *a, const void *b)
{
	const struct fw_event *x = &((const struct event_item *)a)->event, *y = &((const struct event_item *)b)->event;

	return x->time_ns < y->time_ns ? -1 : x->time_ns > y->time_ns;
}

void events_sort(struct event_batch *b)
{
	for (size_t i = 1; i < b->n; i++) {
		if (b->v[i - 1].event.time_ns > b->v[i].event.time_ns) {
			qsort(b->v, b->n, sizeof(b->v[0]), by_time);
			return;
		}
	}
}
