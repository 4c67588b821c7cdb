// SPDX-License-Identifier: GPL-2.0-only
#include "fwctl/stat.h"

#include "fwctl/cmd.h"
#include "fwctl/out.h"
#include "fwctl/words.h"

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
		.ifindex = s->ifindex, .generation = s->generation, .hook = state->hook, .mode = state->mode
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
	hook_sum(h);
	return STATUS_DONE;
}

int snap_take(struct live *l, const char *ifname, struct stat_snap *ret)
{
	struct stat_snap s = { .v = calloc(l->n * FW_HOOK_COUNT + 1, sizeof(*s.v)) };
	struct timespec ts;
	int status = s.v ? STATUS_DONE : STATUS_REFUSED;

	if (!s.v)
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
	clock_gettime(CLOCK_MONOTONIC, &ts);
	s.at_ns = (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
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
	*s = (struct stat_snap){};
}

const struct stat_hook *snap_find(const struct stat_snap *s, const struct stat_hook *h)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].ifindex == h->ifindex && s->v[i].hook == h->hook && !strcmp(s->v[i].policy, h->policy))
			return &s->v[i];
	return NULL;
}
