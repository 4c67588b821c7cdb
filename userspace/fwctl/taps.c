// SPDX-License-Identifier: GPL-2.0-only
/* Packets that the kernel copied: read from the rings, put in order, and shown. */
#include "fwctl/taps.h"

#include "base/vec.h"
#include "fwctl/out.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define IDLE_MS	   20
#define REFRESH_NS 1000000000u
#define READ	   256 /* packets of a policy at a time */
#define BATCH	   (16u << 20) /* bytes of packets that are put in order at a time */

struct sink *taps_sink(struct taps *t)
{
	return t->capture ? &t->file.sink : &t->sink;
}

/* kern_tap_read's */
static int queue_add(void *ctx, const struct fw_tap *p)
{
	struct taps *t = ctx;
	struct waiting w = { .time_ns = p->event.time_ns, .at = t->bytes.len, .of = t->of };

	str_add_len(&t->bytes, (const char *)p, sizeof(*p) + p->caplen);
	str_add_len(&t->bytes, "\0\0\0\0\0\0\0", -(sizeof(*p) + p->caplen) & 7);
	if (t->bytes.failed || vec_reserve_raw((void **)&t->queue.v, &t->queue.cap, t->queue.n + 1, sizeof(w)))
		return -ENOMEM;
	t->queue.v[t->queue.n++] = w;
	return t->bytes.len >= BATCH;
}

static int by_time(const void *a, const void *b)
{
	const struct waiting *x = a, *y = b;

	if (x->time_ns != y->time_ns)
		return x->time_ns < y->time_ns ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

/* The frame as it was on the wire: TC holds the first tag beside it. Returns its length in `out`, which has room for 4 bytes more. */
static uint32_t frame_whole(const struct fw_tap *p, uint8_t *out, uint32_t *ret_wire)
{
	const uint8_t *data = (const uint8_t *)(p + 1);
	uint32_t head = p->vlan_proto && p->caplen >= 12 ? 12 : 0, at = head;

	memcpy(out, data, head);
	if (head) {
		out[at++] = (uint8_t)(p->vlan_proto >> 8);
		out[at++] = (uint8_t)p->vlan_proto;
		out[at++] = (uint8_t)(p->vlan_tci >> 8);
		out[at++] = (uint8_t)p->vlan_tci;
	}
	memcpy(out + at, data + head, p->caplen - head);
	*ret_wire = p->wire + (head ? 4 : 0);
	return p->caplen + (head ? 4 : 0);
}

/* False: the end. */
static bool packet_show(struct taps *t, const struct waiting *w)
{
	static uint8_t frame[TAPS_SNAP_MAX + 8];
	const struct fw_tap *p = (const struct fw_tap *)(t->bytes.s + w->at);
	struct follow_policy *policy = follow_find(&t->follow, t->v[w->of].policy);
	struct event_view v;
	uint32_t wire, caplen = frame_whole(p, frame, &wire);

	follow_view(&t->follow, policy, &p->event, &v);
	bool wanted = !policy || !policy->filter.ifaces || event_matches(&policy->filter, &p->event);
	if (!wanted || (t->filter && !pcapfilter_matches(t->filter, frame, caplen, wire))) {
		t->unwanted++;
		return !t->capture || tapfile_unwanted(&t->file, &v);
	}
	t->shown++;
	if (t->capture)
		return tapfile_packet(&t->file, &v, frame, caplen, wire);
	if (t->json)
		event_json(&v, &t->sink.pending);
	else
		event_text(&v, &t->sink.pending);
	return sink_settle(&t->sink, false);
}

static void lost_show(struct taps *t, uint64_t n)
{
	t->lost += n;
	if (t->capture)
		tapfile_lost(&t->file, n);
	else if (t->json)
		lost_json(n, t->follow.now.wall, &t->sink.pending);
	else
		lost_text(n, "packet", &t->sink.pending);
}

/* Rules that went live since the names were read. */
static bool is_newer(struct taps *t, const struct waiting *w)
{
	const struct fw_tap *p = (const struct fw_tap *)(t->bytes.s + w->at);
	const struct follow_policy *policy = follow_find(&t->follow, t->v[w->of].policy);

	return policy && p->event.generation > policy->names.generation;
}

/* Read what there is, up to a batch. False: the end. *ret_more: there may be more. */
static bool batch_read(struct taps *t, bool *ret_more)
{
	uint64_t lost, all = 0;
	bool more = true;

	str_reset(&t->bytes);
	t->queue.n = 0;
	while (more && t->bytes.len < BATCH) {
		more = false;
		for (size_t i = 0; i < t->n && t->bytes.len < BATCH; i++) {
			t->of = i;
			size_t n = kern_tap_read(t->v[i].tap, queue_add, t, READ, &lost);
			t->read += n;
			all += lost;
			more |= n || lost;
		}
	}
	*ret_more = more;
	t->follow.now = moment_now();
	if (all)
		lost_show(t, all);
	if (t->bytes.failed)
		fail_set(&t->fail, -ENOMEM, "no memory");
	return !t->fail.err;
}

bool taps_pass(struct taps *t, bool *ret_more)
{
	bool newer = false;

	if (!batch_read(t, ret_more))
		return false;
	for (size_t i = 0; i < t->queue.n && !newer; i++)
		newer = is_newer(t, &t->queue.v[i]);
	if (newer)
		follow_refresh(&t->follow);
	if (t->queue.n)
		qsort(t->queue.v, t->queue.n, sizeof(*t->queue.v), by_time);
	for (size_t i = 0; i < t->queue.n; i++) {
		if (!packet_show(t, &t->queue.v[i]))
			return false;
		if (t->shown == t->count) {
			t->end = true;
			break;
		}
	}
	return t->capture ? tapfile_settle(&t->file) : sink_settle(&t->sink, true);
}

/* A while, a signal, or the end of our reader. */
static void wait_next(struct taps *t, bool busy)
{
	struct sink *s = taps_sink(t);
	struct pollfd p[2] = { { .fd = t->signals.fd, .events = POLLIN }, { .fd = s->kind == SINK_PLAIN ? -1 : s->fd, .events = 0 } };

	if (poll(p, 2, busy ? 0 : IDLE_MS) <= 0)
		return;
	if (p[0].revents && signals_taken(t->signals.fd))
		s->ended = true;
	if (p[1].revents & (POLLERR | POLLHUP))
		s->broken = true;
}

static bool is_over(const struct taps *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (!kern_tap_over(t->v[i].tap))
			return false;
	return true;
}

void taps_run(struct taps *t)
{
	uint64_t refreshed = moment_now().mono, now;
	struct sink *s;
	bool more;

	while (taps_pass(t, &more) && !t->end) {
		s = taps_sink(t);
		if (!s->ended)
			wait_next(t, more);
		if (s->ended || s->broken)
			return;
		now = moment_now().mono;
		if (now - refreshed < REFRESH_NS)
			continue;
		refreshed = now;
		follow_refresh(&t->follow);
		if (is_over(t) && !more) {
			problem("no interface has the policy any more: nothing is left to tap");
			return;
		}
	}
	t->end = true;
}
