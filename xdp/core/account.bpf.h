/* SPDX-License-Identifier: GPL-2.0-only */
/* Counters: every packet adds to exactly one final slot, and to the slot of each `count` rule on its way. */
#ifndef FW_CORE_ACCOUNT_H
#define FW_CORE_ACCOUNT_H

#include "maps.bpf.h"
#include "parse.bpf.h"

/*
 * No atomics: a cell belongs to one CPU, and a hook is not entered twice on it at a time. The time goes first: who reads the cell
 * meanwhile, from its front, then sees no packet without its time (counters_show).
 */
static __always_inline void fw_account(__u32 slot, const struct fw_pkt *pkt)
{
	struct fw_cell *c = fw_env_lookup(&fw_counters, &slot);

	if (fw_likely(c != NULL)) {
		c->last = fw_env_jiffies();
		FW_FORGET();
		c->count.packets += pkt->packets;
		c->count.bytes += pkt->bytes;
	}
}

/* What a twin answers with. */
static __always_inline void fw_trace_write(const struct fw_scratch *s, enum fw_reason reason, __u64 generation)
{
	__u32 zero = 0;
	struct fw_trace *trace = fw_env_lookup(&fw_trace, &zero);

	if (!trace)
		return;
	trace->verdict = s->hit.verdict;
	trace->reason = reason;
	trace->rule = s->hit.rule;
	trace->slot = s->hit.slot;
	trace->generation = generation;
	trace->counted = s->hit.counted;
	trace->state = s->pkt.val[FW_DIM_STATE];
}

#endif
