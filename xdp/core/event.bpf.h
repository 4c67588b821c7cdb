/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events: packets that somebody asked to be told of. <fw/abi.h> says what an event is, and how rings are written and read.
 *
 * A ring is written by the packets of its CPU. Nothing waits and nothing fills up, so a reader that sleeps, or none at all, changes
 * no verdict and no packet's time. The exchanges of `number` are full barriers: no other CPU sees a part of an event under the number of
 * it, whatever it may see out of order.
 */
#ifndef FW_CORE_EVENT_H
#define FW_CORE_EVENT_H

#include "limit.bpf.h"

#define FW_FEATS_TOLD (FW_FEAT_LOG | FW_FEAT_TAP)
#define FW_LOGS (FW_FEATURES & FW_FEAT_LOG && !fw_cfg.readonly)
#define FW_TAPS (FW_FEATURES & FW_FEAT_TAP && !fw_cfg.readonly)

/* Forget what rules packets before, or the opening packet of the flow, have met. */
static __always_inline void fw_met_clear(struct fw_scratch *s)
{
	if (FW_LOGS)
		s->told.nmarks = 0;
	if (FW_TAPS)
		s->told.nmet = 0;
}

/* A rule that does not decide was met: remember it, when it has a `log`, until the verdict is known. */
static __always_inline void fw_mark(const struct fw_tabs *t, struct fw_scratch *s, __u64 action)
{
	__u32 log, n;

	if (!FW_LOGS || !(action >> 32 & FW_ACTION_EXTRA))
		return;
	log = fw_extra_get(t, t->d, FW_WHOLE_RULE(action))->log;
	if (!log)
		return;
	n = s->told.nmarks;
	s->told.nmarks = n + 1;
	if (n < FW_LOG_MARKS) {
		FW_OPAQUE(n);
		s->told.mark[n & (FW_LOG_MARKS - 1)] = (struct fw_mark){ action, FW_WHOLE_RULE(action), log };
	}
}

/* What an event says of the packet: all but its number, and what it is about. A field that is absent is 2^bits, which the casts make 0. */
static __always_inline void fw_event_packet(struct fw_event *e, FW_CTX *ctx, const struct fw_scratch *s)
{
	const struct fw_pkt *pkt = &s->pkt;
	const __u32 *val = pkt->val;

	e->generation = s->told.generation;
	e->ifindex = fw_env_ifindex(ctx);
	e->len = pkt->bytes;
	e->packets = pkt->packets;
	e->hook = FW_ENV_HOOK;
	e->verdict = s->hit.verdict;
	e->reason = s->told.reason;
	e->state = val[FW_DIM_STATE];
	e->l3 = pkt->l3;
	e->proto = val[FW_DIM_PROTO];
	e->flags = val[FW_DIM_TCPFLAGS];
	e->ttl = val[FW_DIM_TTL];
	e->frag = val[FW_DIM_FRAG] & 3;
	e->has = !(val[FW_DIM_SPORT] >> 16) * FW_HAS_PORTS | !(val[FW_DIM_TCPFLAGS] >> 8) * FW_HAS_FLAGS |
		 !((val[FW_DIM_ICMP] & val[FW_DIM_ICMP6]) >> 16) * FW_HAS_ICMP | !(val[FW_DIM_VLAN] >> 12) * FW_HAS_VLAN;
	e->sport = val[FW_DIM_SPORT];
	e->dport = val[FW_DIM_DPORT];
	e->icmp = val[FW_DIM_ICMP] | val[FW_DIM_ICMP6];
	e->vlan = val[FW_DIM_VLAN] & 4095;
	e->ethertype = val[FW_DIM_ETHERTYPE];
	/* What the parser did not come to is still that of a packet before. */
	e->mac = pkt->reason == FW_REASON_L2_SHORT ? 0 : pkt->mac;
	if (pkt->l3 == FW_L3_IPV6) {
		__builtin_memcpy(e->src, &pkt->addr[0], sizeof(e->src));
		__builtin_memcpy(e->dst, &pkt->addr[1], sizeof(e->dst));
		return;
	}
	__builtin_memset(e->src, 0, sizeof(e->src) + sizeof(e->dst));
	if (pkt->l3 == FW_L3_IPV4) {
		e->src[0] = pkt->addr[0].a32[0];
		e->dst[0] = pkt->addr[1].a32[0];
	}
}

/* The cell of the next event of a ring, taken, and its number; NULL: the loader made no such ring. */
static __always_inline void *fw_ring_next(void *ring, __u32 mask, struct fw_event_cpu *c, __u32 cpu, __u64 *ret_number)
{
	__u64 n = fw_add(&c->head, 1);
	__u32 cell = cpu * (mask + 1) + (n & mask);
	struct fw_event *e = fw_env_lookup(ring, &cell);

	if (!e)
		return NULL;
	*ret_number = n + 1;
	fw_exchange(&e->number, 0);
	return e;
}

/* Is the packet drawn? Others are counted. */
static __always_inline int fw_event_drawn(const struct fw_log *l, struct fw_event_cpu *c)
{
	__u32 sample = l->sample;

	if (sample <= 1 || !(fw_env_random() % sample))
		return 1;
	fw_add(&c->sampled, 1);
	return 0;
}

#define FW_LOG_SLACK FW_UNITS(1000000000ull) /* what the clocks that two CPUs read may be apart */

/* Is the event within the limit of the log? Others are counted. */
static __always_inline int fw_event_within(const struct fw_log *l, struct fw_event_cpu *c, __u32 slot, __u64 now)
{
	__u32 index = slot * 2 + (fw_cfg.dir & 1);
	__u64 cost = l->cost, burst = l->burst, old, *until;

	if (!cost)
		return 1;
	until = fw_env_lookup(&fw_log_limits, &index);
	/* Counters go on when a log changes, and so do buckets. This limit never fills one so far ahead: an older, slower one did. */
	old = until ? *(volatile __u64 *)until : 0;
	if (until && old > FW_UNITS(now) && old - FW_UNITS(now) > burst + FW_LOG_SLACK)
		fw_swap(until, old, 0);
	if (until && fw_gcra(until, FW_UNITS(now), cost, burst) == FW_WITHIN)
		return 1;
	fw_add(&c->limited, 1);
	return 0;
}

/*
 * An event of the packet in the scratch memory: in what slot it counts, the rule, enum fw_event_kind, and the log that asks for it (1 + its
 * index). A global function of numbers: the verifier walks it once, whatever led here.
 */
int fw_event(FW_CTX *ctx, __u32 slot, __u32 rule, __u32 kind, __u32 log);
FW_GLOBAL int fw_event(FW_CTX *ctx, __u32 slot, __u32 rule, __u32 kind, __u32 log)
{
	__u32 zero = 0, cpu = fw_env_cpu();
	struct fw_scratch *s = fw_env_lookup(&fw_scratch, &zero);
	const struct fw_ctl *ctl = fw_env_lookup(&fw_ctl, &zero);
	struct fw_event_cpu *c;
	const struct fw_log *l;
	struct fw_event *e;
	struct fw_tabs t;
	__u64 now, number;

	if (!FW_LOGS) /* older kernels walk global functions that nobody calls */
		return 0;
	if (!s || !ctl || !fw_slot_open(&t, s->slot))
		return 0;
	c = fw_env_lookup(&fw_event_cpus, &cpu);
	if (!c)
		return 0;
	/* masked as all of the image; its fields are within FW_SLOT_PAD */
	l = (const void *)(t.base + ((t.d->logs + (log - 1) * (__u32)sizeof(*l)) & t.mask));
	if (!fw_event_drawn(l, c))
		return 0;
	now = fw_now_fine(ctl);
	if (!fw_event_within(l, c, slot, now))
		return 0;
	e = fw_ring_next(&fw_events, fw_cfg.event_mask, c, cpu, &number);
	if (!e)
		return 0;
	e->time_ns = now;
	e->rule = rule;
	e->slot = slot;
	e->sample = l->sample ?: 1;
	e->kind = kind;
	fw_event_packet(e, ctx, s);
	fw_exchange(&e->number, number);
	return 1;
}

/* One of each `count` or bare `log` rule that was marked; how many there was no room to mark is counted. */
int fw_event_marks(FW_CTX *ctx);
FW_GLOBAL int fw_event_marks(FW_CTX *ctx)
{
	__u32 zero = 0, cpu = fw_env_cpu(), n, i;
	struct fw_scratch *s = fw_env_lookup(&fw_scratch, &zero);
	struct fw_event_cpu *c;
	const struct fw_mark *m;

	if (!FW_LOGS)
		return 0;
	if (!s)
		return 0;
	n = s->told.nmarks;
	FW_NO_UNROLL
	for (i = 0; i < FW_LOG_MARKS && i < n; i++) {
		m = &s->told.mark[i];
		fw_event(ctx, m->slot, m->rule, FW_EVENT_COUNT, m->log);
	}
	if (n > FW_LOG_MARKS) {
		c = fw_env_lookup(&fw_event_cpus, &cpu);
		if (c)
			fw_add(&c->capped, n - FW_LOG_MARKS);
	}
	return 0;
}

/*
 * What the rules ask to be told of, into the scratch memory: before the packet is judged, lest the way through the judgement carry the
 * tables on to its end on a short stack. The log of the rule that matches follows with what else it asks for.
 */
static __always_inline void fw_told_open(const struct fw_tabs *t, struct fw_scratch *s)
{
	if (FW_FEATURES & FW_FEATS_TOLD)
		s->told.generation = FW_GET64(t->base + offsetof(struct fw_image, generation));
	if (!FW_LOGS)
		return;
	s->told.log_default = t->d->log_default;
	s->told.log_reasons = t->d->log_reasons;
}

/* There are no rules, so far. */
static __always_inline void fw_told_clear(struct fw_scratch *s)
{
	fw_met_clear(s);
	if (FW_FEATURES & FW_FEATS_TOLD)
		s->told.generation = 0;
	if (FW_LOGS)
		s->told.log_rule = s->told.log_default = s->told.log_reasons = 0;
}

/* What became of the packet, to those who asked. */
static __always_inline void fw_event_tell(FW_CTX *ctx, struct fw_scratch *s, enum fw_reason reason)
{
	__u32 kind = FW_EVENT_REASON, log = 0;

	if (s->told.nmarks)
		fw_event_marks(ctx);
	if (reason == FW_REASON_RULE) {
		kind = FW_EVENT_RULE;
		log = s->told.log_rule;
	} else if (reason == FW_REASON_DEFAULT || reason == FW_REASON_L2_OTHER) {
		kind = FW_EVENT_DEFAULT;
		log = s->told.log_default;
	} else if (FW_LOG_REASONS >> (reason & 31) & 1) {
		log = s->told.log_reasons;
	}
	if (log)
		fw_event(ctx, s->hit.slot, s->hit.rule, kind, log);
}

#endif
