// SPDX-License-Identifier: GPL-2.0-only
#include "fwctl/follow.h"

#include "base/vec.h"
#include "fwctl/out.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH 32768 /* events: 4.5 MB */

const struct follow_iface *ifnames_find(const struct follow_ifaces *f, unsigned int ifindex)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].ifindex == ifindex)
			return &f->v[i];
	return NULL;
}

static int iface_learn(struct follow_ifaces *f, const struct kern_iface_state *s)
{
	struct follow_iface *at = (struct follow_iface *)ifnames_find(f, s->ifindex);

	if (at && !strcmp(at->name, s->name))
		return 0;
	struct follow_iface x = { .ifindex = s->ifindex };
	snprintf(x.name, sizeof(x.name), "%s", s->name);
	x.shown = strdup(out_name(s->name));
	x.json = json_quoted(s->name);
	if (!x.shown || !x.json || (!at && vec_reserve(f, f->n + 1))) {
		free(x.shown);
		free(x.json);
		return -ENOMEM;
	}
	if (at) {
		free(at->shown);
		free(at->json);
	} else {
		at = &f->v[f->n++];
	}
	*at = x;
	return 0;
}

int ifnames_learn(struct follow_ifaces *f, const struct live *l)
{
	int err = 0;

	for (size_t i = 0; i < l->n && !err; i++)
		if (!l->iface[i].gone || !ifnames_find(f, l->iface[i].ifindex))
			err = iface_learn(f, &l->iface[i]);
	return err;
}

void ifnames_fini(struct follow_ifaces *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->v[i].shown);
		free(f->v[i].json);
	}
	vec_fini(f);
}

static bool is_asked(const struct follow *f, const struct kern_iface_state *s)
{
	for (size_t i = 0; i < f->nifnames; i++)
		if (!strcmp(f->ifname[i], s->name))
			return true;
	return !f->nifnames;
}

static int ifindex_learn(struct follow *f, const struct live *l)
{
	unsigned int *v = calloc(l->n + 1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	free(f->ifindex);
	f->ifindex = v;
	f->nifindex = 0;
	for (size_t i = 0; i < l->n; i++)
		if (is_asked(f, &l->iface[i]))
			v[f->nifindex++] = l->iface[i].ifindex;
	return 0;
}

static void counts_add(struct kern_event_counts *sum, const struct follow_policy *p)
{
	struct kern_event_counts now;

	if (!p->events)
		return;
	kern_events_counts(p->events, &now);
	sum->generated += now.generated - p->before.generated;
	sum->written += now.written - p->before.written;
	sum->limited += now.limited - p->before.limited;
	sum->sampled += now.sampled - p->before.sampled;
	sum->capped += now.capped - p->before.capped;
	sum->lost += now.lost - p->before.lost;
}

void follow_counts(const struct follow *f, struct kern_event_counts *ret)
{
	*ret = f->gone;
	for (size_t i = 0; i < f->n; i++)
		counts_add(ret, &f->v[i]);
}

static void policy_forget(struct follow *f, size_t i)
{
	struct follow_policy *p = &f->v[i];

	counts_add(&f->gone, p);
	if (p->events)
		kern_events_close(p->events);
	names_fini(&p->names);
	picked_fini(&p->picked);
	memmove(p, p + 1, (--f->n - i) * sizeof(*p));
}

static void filter_make(struct follow *f, struct follow_policy *p)
{
	pick_filter(&f->pick, &p->picked, p->names.image.data ? image_hdr(&p->names.image) : NULL, &p->filter);
	p->filter.since_ns = f->since_ns;
	p->filter.until_ns = f->until_ns;
	p->filter.ifaces = f->nifnames > 0;
	p->filter.ifindex = f->ifindex;
	p->filter.nifs = f->nifindex;
}

/* The names of the generation that is live now, and the rules asked for by them. */
static int names_learn(struct follow *f, struct follow_policy *p, struct live *l, const struct kern_iface_state *s)
{
	struct image img = {};

	if (p->names.image.data && p->names.generation == s->generation && !strcmp(p->names.digest, s->digest))
		return 0;
	int err = kern_names(l->kern, s->policy, &img);
	if (!err)
		err = names_set(&p->names, &img);
	picked_fini(&p->picked);
	if (!err && f->pick.rule)
		err = pick_rules(f->pick.rule, image_hdr(&p->names.image), &p->picked);
	return err;
}

struct follow_policy *follow_find(struct follow *f, const char *policy)
{
	for (size_t i = 0; i < f->n; i++)
		if (!f->v[i].old && !strcmp(f->v[i].name, policy))
			return &f->v[i];
	return NULL;
}

static struct follow_policy *policy_new(struct follow *f, const char *name)
{
	struct follow_policy *more = reallocarray(f->v, f->n + 1, sizeof(*more));

	if (!more)
		return NULL;
	f->v = more;
	more[f->n] = (struct follow_policy){};
	snprintf(more[f->n].name, sizeof(more[f->n].name), "%s", name);
	return &more[f->n++];
}

/* What is opened later than the first time is new itself: all that it holds came since. */
static int policy_learn(struct follow *f, struct live *l, const struct kern_iface_state *s)
{
	struct follow_policy *p = follow_find(f, s->policy);

	if (p && p->events && !kern_events_current(l->kern, s->policy, p->events)) {
		p->old = true;
		p = NULL;
	}
	if (!p && !(p = policy_new(f, s->policy)))
		return -ENOMEM;
	int err = names_learn(f, p, l, s);
	if (err || p->events || f->names_only)
		return err;
	err = kern_events_open(l->kern, s->policy, f->flags | (f->opened ? KERN_EVENTS_HELD : 0), &p->events);
	if (err == -ENOENT) {
		p->events = NULL;
		return 0;
	}
	if (!err && !(f->flags & KERN_EVENTS_HELD) && !f->opened)
		kern_events_counts(p->events, &p->before);
	return err;
}

static bool is_live(const struct follow *f, const struct live *l, const char *policy)
{
	for (size_t i = 0; i < l->n; i++)
		if (!strcmp(l->iface[i].policy, policy) && is_asked(f, &l->iface[i]))
			return true;
	return false;
}

/* The lock is held. 0 or a negative errno, with or without a sentence in l->fail. */
static int learn(struct follow *f, struct live *l, bool forget)
{
	const struct kern_iface_state *s;
	int err = ifnames_learn(&f->ifaces, l);

	if (!err)
		err = ifindex_learn(f, l);
	for (size_t i = f->n; i-- > 0;) {
		f->v[i].old |= !is_live(f, l, f->v[i].name);
		if (forget && f->v[i].old && (f->v[i].dry || !f->v[i].events))
			policy_forget(f, i);
	}
	for (size_t i = 0; !err && (s = live_policy_at(l, i)); i++)
		if (is_live(f, l, s->policy))
			err = policy_learn(f, l, s);
	for (size_t i = 0; i < f->n; i++)
		filter_make(f, &f->v[i]);
	return err;
}

static int rule_unknown(const struct follow *f, const struct command *cmd)
{
	const char *near = NULL;

	for (size_t i = 0; i < f->n && !near; i++)
		near = pick_near(f->pick.rule, image_hdr(&f->v[i].names.image));
	if (near)
		return args_wrong(cmd, "no rule that runs is called \"%s\"; did you mean \"%s\"?", out_name(f->pick.rule), out_name(near));
	return args_wrong(cmd, "no rule that runs is called \"%s\": a label, or FILE:LINE; fwctl show rules lists them",
			  out_name(f->pick.rule));
}

int follow_open(struct follow *f, const struct command *cmd)
{
	struct live l;
	int status = live_open(&l, KERN_READ), err = 0;

	if (status)
		return status;
	for (size_t i = 0; i < f->nifnames && !status; i++)
		if (!live_need(&l, f->ifname[i]))
			status = STATUS_REFUSED;
	if (!status)
		err = learn(f, &l, false);
	if (err) {
		problem_fail(&l.fail, err);
		status = STATUS_REFUSED;
	}
	live_close(&l);
	bool found = !f->pick.rule || !f->n;
	for (size_t i = 0; i < f->n; i++)
		found |= f->v[i].picked.n > 0;
	if (!status && !found)
		status = rule_unknown(f, cmd);
	f->batch.cap = f->names_only ? 1 : BATCH;
	f->batch.v = status ? NULL : calloc(f->batch.cap, sizeof(*f->batch.v));
	if (!status && !f->batch.v) {
		problem("no memory");
		status = STATUS_REFUSED;
	}
	f->opened = true;
	return status;
}

/* forget: nobody holds events of policies that are gone. */
static void refresh(struct follow *f, enum kern_access access, bool forget)
{
	struct live l = {};

	int err = kern_open(NULL, access, &l.fail, &l.kern);
	if (err)
		l.kern = NULL;
	if (!err)
		err = kern_state(l.kern, &l.iface, &l.n);
	if (!err)
		err = learn(f, &l, forget);
	if (err && err != -EBUSY && !f->complained)
		problem_fail(&l.fail, err);
	if (err != -EBUSY)
		f->complained = err;
	live_close(&l);
}

/* While somebody changes something there will be another time: rings do not wait, either. */
void follow_refresh(struct follow *f)
{
	f->batch.n = 0;
	refresh(f, KERN_PEEK, true);
}

void follow_close(struct follow *f)
{
	while (f->n)
		policy_forget(f, f->n - 1);
	free(f->v);
	free(f->ifindex);
	free(f->batch.v);
	ifnames_fini(&f->ifaces);
	*f = (struct follow){};
}

bool follow_tells(const struct follow *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].events)
			return true;
	return false;
}

static size_t source_read(void *ctx, struct fw_event *buf, size_t n, uint64_t *ret_lost)
{
	return kern_events_read(ctx, buf, n, ret_lost);
}

/* Rings have an end: what they hold when we come is finite, and so is this. */
static bool batch_grow(struct event_batch *b)
{
	struct event_item *more = reallocarray(b->v, b->cap * 2, sizeof(*more));

	if (!more)
		return false;
	b->v = more;
	b->cap *= 2;
	return true;
}

/* The CPUs take turns: by then each of them has been asked for what it held. */
static uint64_t held_most(const struct follow_policy *p)
{
	struct kern_event_counts c;

	kern_events_counts(p->events, &c);
	return 2 * c.written + (1u << 20);
}

/* An event of rules that went live after our names. */
static bool is_newer(const struct follow *f, const struct event_item *item)
{
	const struct follow_policy *p = &f->v[item->of];

	return item->event.generation > p->names.generation && !p->old;
}

bool follow_read(struct follow *f, bool whole, uint64_t *ret_lost)
{
	uint64_t lost = f->tally.lost;
	bool more = false, newer = false;

	f->batch.n = 0;
	f->now = moment_now();
	for (size_t i = 0; i < f->n; i++) {
		struct follow_policy *p = &f->v[i];
		struct event_source src = { source_read, p->events };
		bool left = false;
		if (!p->events)
			continue;
		/* One policy's flood does not keep the others waiting, and who asks for the past does not read for ever. */
		uint64_t most = whole ? held_most(p) : 8 * BATCH, from = f->tally.read;
		do
			left = events_drain(&src, &p->filter, i, most - (f->tally.read - from), &f->batch, &f->tally);
		while (left && whole && f->tally.read - from < most && batch_grow(&f->batch));
		p->dry = !left;
		more |= left;
	}
	for (size_t i = 0; i < f->batch.n && !newer; i++)
		newer = is_newer(f, &f->batch.v[i]);
	/* Who made that generation live is about to give the lock back. */
	if (newer)
		refresh(f, KERN_READ, false);
	events_sort(&f->batch);
	*ret_lost = f->tally.lost - lost;
	return more;
}

void follow_view(const struct follow *f, struct follow_policy *p, const struct fw_event *e, struct event_view *ret)
{
	const struct follow_iface *i = ifnames_find(&f->ifaces, e->ifindex);

	*ret = (struct event_view){
		.event = e,
		.wall_ns = moment_wall(&f->now, e->time_ns),
		.iface = i ? i->name : "?",
		.iface_shown = i ? i->shown : "?",
		.iface_json = i ? i->json : "\"?\"",
		.policy = p ? p->name : "?",
		.told = p ? names_told(&p->names, e) : NULL,
	};
	if (p && !ret->told)
		ret->matched = names_matched(&p->names, e);
}
