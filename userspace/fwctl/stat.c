// SPDX-License-Identifier: GPL-2.0-only
#include "fwctl/stat.h"

#include "fwctl/cmd.h"
#include "fwctl/out.h"
#include "fwctl/words.h"

#include <errno.h>
#include <string.h>
#include <time.h>

static void add(struct fw_counter *to, struct fw_counter c)
{
	to->packets += c.packets;
	to->bytes += c.bytes;
}

struct fw_counter stat_slot(const struct stat_hook *h, uint32_t slot)
{
	return slot < h->counters.n ? h->counters.v[slot] : (struct fw_counter){};
}

uint64_t stat_slot_last(const struct stat_hook *h, uint32_t slot)
{
	return slot < h->counters.n ? h->counters.last_ns[slot] : 0;
}

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Of the rules with this verdict; FW_VERDICT_COUNT: of all that decide. */
static uint64_t rules_last(const struct stat_hook *h, enum fw_verdict verdict)
{
	size_t n;
	const struct fw_meta_rule *r = image_rules(h->image, hook_dir(h->hook), &n);
	uint64_t last = 0;

	for (size_t i = 0; i < n; i++)
		if (verdict == FW_VERDICT_COUNT ? r[i].verdict != FW_VERDICT_CONTINUE : r[i].verdict == verdict)
			last = later(last, stat_slot_last(h, r[i].slot));
	return last;
}

uint64_t stat_verdict_last(const struct stat_hook *h, enum fw_verdict verdict)
{
	uint64_t last = rules_last(h, verdict);

	for (uint32_t r = 0; verdict <= FW_VERDICT_PASS && r < FW_REASON_COUNT; r++)
		if (r != FW_REASON_RULE)
			last = later(last, stat_slot_last(h, FW_REASON_SLOT(r, verdict)));
	return last;
}

uint64_t stat_reason_last(const struct stat_hook *h, enum fw_reason reason)
{
	if (reason == FW_REASON_RULE)
		return rules_last(h, FW_VERDICT_COUNT);
	return later(stat_slot_last(h, FW_REASON_SLOT(reason, FW_VERDICT_DROP)),
		     stat_slot_last(h, FW_REASON_SLOT(reason, FW_VERDICT_PASS)));
}

uint64_t stat_real(const struct stat_snap *s, uint64_t ns)
{
	return ns ? s->real_ns - s->at_ns + ns : 0;
}

static void hook_end(struct stat_hook *h, enum fw_verdict verdict, enum fw_reason reason, struct fw_counter c)
{
	add(&h->verdict[verdict], c);
	add(&h->reason[reason], c);
	add(&h->total, c);
}

/* A `count` rule does not end the walk: its packets are counted where it ended. */
static void hook_sum(struct stat_hook *h)
{
	size_t n;
	const struct fw_meta_rule *rule = image_rules(h->image, hook_dir(h->hook), &n);

	for (uint32_t r = 0; r < FW_REASON_COUNT; r++)
		for (uint32_t v = FW_VERDICT_DROP; r != FW_REASON_RULE && v <= FW_VERDICT_PASS; v++)
			hook_end(h, v, r, stat_slot(h, FW_REASON_SLOT(r, v)));
	for (size_t i = 0; i < n; i++)
		if (rule[i].verdict != FW_VERDICT_CONTINUE)
			hook_end(h, rule[i].verdict, FW_REASON_RULE, stat_slot(h, rule[i].slot));
	for (uint32_t v = FW_VERDICT_DROP; v < FW_VERDICT_COUNT; v++)
		if (v != FW_VERDICT_CONTINUE)
			hook_end(h, v, FW_REASON_RULE, h->counters.retired[v]);
}

static int hook_take(struct live *l, const struct kern_iface_state *s, const struct kern_hook_state *state,
		     struct stat_hook *h)
{
	*h = (struct stat_hook){
		.ifindex = s->ifindex, .generation = s->generation, .hook = state->hook, .mode = state->mode,
		.link = state->link, .attached = state->attached
	};
	snprintf(h->name, sizeof(h->name), "%s", s->name);
	snprintf(h->policy, sizeof(h->policy), "%s", s->policy);
	h->image = live_image(l, s);
	if (!h->image)
		return STATUS_REFUSED;
	int err = kern_counters(l->kern, s, h->image, state->hook, &h->counters);
	if (err) {
		problem_fail(&l->fail, err);
		return STATUS_REFUSED;
	}
	h->last_ns = h->counters.any_ns;
	hook_sum(h);
	return STATUS_DONE;
}

/* 1: the kernel said what is wrong; 0: it is there, or there is none of it. */
static int failed(struct live *l, int err)
{
	if (!err || (err == -ENOENT && !l->fail.err))
		return 0;
	problem_fail(&l->fail, err);
	return 1;
}

static int events_take(struct live *l, struct stat_policy *p)
{
	struct kern_events *e = NULL;
	int err = kern_events_open(l->kern, p->name, 0, &e);

	if (!err) {
		p->logs = true;
		kern_events_counts(e, &p->events);
		kern_events_close(e);
	}
	return failed(l, err);
}

static int policies_take(struct live *l, unsigned int parts, struct stat_snap *s)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct stat_hook *h = &s->v[i];
		struct stat_policy *p = &s->policy[s->npolicies];

		if (stat_policy(s, h->policy))
			continue;
		s->npolicies++;
		memcpy(p->name, h->policy, sizeof(p->name));
		p->generation = h->generation;
		p->tracks = h->image->features & FW_FEAT_STATE;
		if (p->tracks && parts & SNAP_ROOM && failed(l, kern_flows_room(l->kern, p->name, &p->room)))
			return STATUS_REFUSED;
		if (parts & SNAP_EVENTS && events_take(l, p))
			return STATUS_REFUSED;
	}
	return STATUS_DONE;
}

static int sets_take(struct live *l, struct stat_snap *s)
{
	struct kern_live *h = NULL;
	int err = kern_live_open(l->kern, &h);

	if (!err)
		err = kern_live_sets(h, &s->set, &s->nsets);
	kern_live_close(h);
	return failed(l, err) ? STATUS_REFUSED : STATUS_DONE;
}

static uint64_t clock_read(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

int snap_take(struct live *l, const char *ifname, struct stat_snap *ret)
{
	return snap_take_parts(l, ifname, SNAP_ALL, ret);
}

int snap_take_parts(struct live *l, const char *ifname, unsigned int parts, struct stat_snap *ret)
{
	struct stat_snap s = { .v = calloc(l->n * FW_HOOK_COUNT + 1, sizeof(*s.v)), .policy = calloc(l->n + 1, sizeof(*s.policy)) };
	int status = s.v && s.policy ? STATUS_DONE : STATUS_REFUSED;

	if (status)
		problem("no memory");
	/* Images first: a pointer into one must not be taken before all are read. */
	for (size_t i = 0; i < l->n && !status; i++)
		if (l->iface[i].nhooks && !live_image(l, &l->iface[i]))
			status = STATUS_REFUSED;
	for (size_t i = 0; i < l->n && !status; i++) {
		const struct kern_iface_state *f = &l->iface[i];
		for (size_t h = 0; h < f->nhooks && !status && (!ifname || !strcmp(f->name, ifname)); h++) {
			status = hook_take(l, f, &f->hook[h], &s.v[s.n]);
			s.n += !status;
		}
	}
	s.at_ns = clock_read(CLOCK_MONOTONIC);
	s.real_ns = clock_read(CLOCK_REALTIME);
	if (!status)
		status = policies_take(l, parts, &s);
	if (!status && parts & SNAP_SETS)
		status = sets_take(l, &s);
	if (status)
		snap_free(&s);
	else
		*ret = s;
	return status;
}

void snap_free(struct stat_snap *s)
{
	for (size_t i = 0; i < s->n; i++)
		kern_counters_fini(&s->v[i].counters);
	free(s->v);
	free(s->policy);
	free(s->set);
	*s = (struct stat_snap){};
}

const struct stat_hook *snap_find(const struct stat_snap *s, const struct stat_hook *h)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].ifindex == h->ifindex && s->v[i].hook == h->hook && !strcmp(s->v[i].policy, h->policy))
			return &s->v[i];
	return NULL;
}

const struct stat_policy *stat_policy(const struct stat_snap *s, const char *name)
{
	for (size_t i = 0; i < s->npolicies; i++)
		if (!strcmp(s->policy[i].name, name))
			return &s->policy[i];
	return NULL;
}
