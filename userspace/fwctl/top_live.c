// SPDX-License-Identifier: GPL-2.0-only
#include "fwctl/top_live.h"

#include "fwctl/cmd.h"
#include "fwctl/out.h"

#include <errno.h>
#include <string.h>
#include <time.h>

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* Whole tables are read, so at most a twentieth of the time, however large they are. */
#define SHARE 20
static bool may_read_table(const struct top_live *t)
{
	return now_ns() - t->room_at_ns >= t->room_cost_ns * SHARE;
}

struct keep {
	struct top_sources *sources;
	const struct top_rule *rule;
	bool egress;
};

/* Nothing is kept: it is counted on the way. */
static bool flow_count(void *ctx, const struct kern_flow *f)
{
	struct keep *k = ctx;
	bool egress = f->flow.word & FW_FLOWF_EGRESS;

	/* The opener is outside unless the flow was opened on the way out. */
	if (f->flow.slot == k->rule->slot && egress == k->egress)
		top_sources_add(k->sources, f->flow.key.l3, egress ? f->flow.key.b : f->flow.key.a,
				f->flow.packets[0] + f->flow.packets[1]);
	return false;
}

static void flows_take(struct top_live *t, const struct top_hook *h, const struct top_rule *r, struct top_drill *d)
{
	struct top_sources s;
	struct keep keep = { &s, r, h->hook == FW_HOOK_TC_EGRESS };
	size_t n = 0;
	int err;

	if (!may_read_table(t) || top_sources_init(&s))
		return;
	t->room_at_ns = now_ns();
	err = kern_flows(t->live.kern, h->policy, flow_count, &keep, NULL, &n);
	t->room_cost_ns = now_ns() - t->room_at_ns;
	d->tracks = !err;
	d->nflows = top_sources_best(&s, d->flow, TOP_BEST);
	top_sources_fini(&s);
	if (err && t->live.fail.err)
		problem_fail(&t->live.fail, err);
}

static void events_close(struct top_live *t)
{
	kern_events_close(t->events);
	top_sources_fini(&t->sources);
	t->events = NULL;
	t->lost = 0;
}

#define EVENTS_MOST 65536 /* at a time */
static void events_take(struct top_live *t, const struct top_hook *h, const struct top_rule *r, struct top_drill *d)
{
	static struct fw_event buf[256];
	uint64_t lost = 0;
	size_t n;

	if (t->events && (t->tag != r->tag || strcmp(t->policy, h->policy) || !kern_events_current(t->live.kern, h->policy, t->events)))
		events_close(t);
	if (!t->events) {
		if (top_sources_init(&t->sources) || kern_events_open(t->live.kern, h->policy, KERN_EVENTS_HELD, &t->events)) {
			events_close(t);
			d->logs = false;
			return;
		}
		t->tag = r->tag;
		memcpy(t->policy, h->policy, sizeof(t->policy));
	}
	for (size_t all = 0; all < EVENTS_MOST; all += n) {
		n = kern_events_read(t->events, buf, sizeof(buf) / sizeof(*buf), &lost);
		t->lost += lost;
		if (!n)
			break;
		for (size_t i = 0; i < n; i++)
			if (buf[i].slot == r->slot && buf[i].hook == h->hook && buf[i].ifindex == h->ifindex && buf[i].l3)
				top_sources_add(&t->sources, buf[i].l3, buf[i].src, buf[i].packets);
	}
	d->logs = t->sources.used > 0;
	d->events_lost = t->lost;
	d->nevents = top_sources_best(&t->sources, d->event, TOP_BEST);
}

static void drill_take(struct top_live *t, const struct top_model *m, struct top_drill *d)
{
	const struct top_rule *r = d->on ? top_rule_find(m, d->tag) : NULL;

	if (!r) {
		events_close(t);
		return;
	}
	flows_take(t, &m->hook[r->hook], r, d);
	events_take(t, &m->hook[r->hook], r, d);
}

static int take(struct top_live *t, struct top_model *m, struct top_ui *ui, bool wait)
{
	unsigned int parts = SNAP_EVENTS | SNAP_SETS;
	struct stat_snap s = {};
	uint64_t from = now_ns();
	int status;

	if (wait || (ui->view == TOP_TABLES && !ui->drill.on && may_read_table(t)))
		parts |= SNAP_ROOM;
	status = snap_take_parts(&t->live, NULL, parts, &s);
	if (status)
		return status;
	if (parts & SNAP_ROOM) {
		t->room_at_ns = now_ns();
		t->room_cost_ns = t->room_at_ns - from;
	}
	status = top_feed(m, &s, parts) ? STATUS_REFUSED : STATUS_DONE;
	snap_free(&s);
	if (status)
		problem("no memory");
	else
		drill_take(t, m, &ui->drill);
	return status;
}

int top_live_take(struct top_live *t, struct top_model *m, struct top_ui *ui, bool wait, bool *ret_busy)
{
	int status = live_again(&t->live, wait ? KERN_READ : KERN_PEEK);

	*ret_busy = status && !t->live.fail.err && !wait;
	if (!status)
		status = take(t, m, ui, wait);
	live_release(&t->live);
	return status;
}

void top_live_fini(struct top_live *t)
{
	events_close(t);
	live_close(&t->live);
}
