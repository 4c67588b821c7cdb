/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fw_run(): parse → classify → account → verdict. The only call a hook makes.
 */
#ifndef FW_CORE_RUN_H
#define FW_CORE_RUN_H

#include "classify.bpf.h"

/* The live slot: one read of the control word decides for the whole packet. 0 when there is nothing to go by. */
static __always_inline int fw_tabs_open(struct fw_tabs *t)
{
	__u32 zero = 0, live;
	const struct fw_ctl *ctl = fw_env_lookup(&fw_ctl, &zero);

	if (!ctl)
		return 0;
	live = *(const volatile __u32 *)&ctl->live;
	/* magic and abi in one comparison */
	if (!fw_slot_open(t, live) || FW_GET64(t->base) != ((__u64)FW_ABI_VERSION << 32 | FW_IMAGE_MAGIC))
		return 0;
	return 1;
}

/* The verdict by the tables; ret_reason says why. */
static __always_inline void fw_decide(const struct fw_tabs *t, struct fw_pkt *pkt, struct fw_walk *w,
				      struct fw_hit *hit, enum fw_reason *ret_reason)
{
	if (fw_unlikely(!(t->d->flags & FW_DIRF_PRESENT))) {
		*ret_reason = FW_REASON_DEFAULT;
		hit->verdict = FW_VERDICT_PASS;
		return;
	}
	if (fw_unlikely(pkt->reason != FW_REASON_RULE)) {
		*ret_reason = pkt->reason;
		return;
	}
	if (pkt->l3 != FW_L3_OTHER || t->d->flags & FW_DIRF_L2) {
		if (!fw_classify(t, pkt, w, hit)) {
			*ret_reason = FW_REASON_NO_RULES;
			return;
		}
		if (hit->rule >= 0) {
			*ret_reason = FW_REASON_RULE;
			return;
		}
	}
	FW_FORGET();
	*ret_reason = pkt->l3 == FW_L3_OTHER ? FW_REASON_L2_OTHER : FW_REASON_DEFAULT;
	hit->verdict = t->d->default_verdict == FW_VERDICT_PASS ? FW_VERDICT_PASS : FW_VERDICT_DROP;
}

/* Judge a parsed packet. */
static __always_inline int fw_judge(struct fw_pkt *pkt, struct fw_walk *w)
{
	struct fw_hit hit = { .verdict = FW_VERDICT_DROP, .rule = -1 };
	enum fw_reason reason = FW_REASON_NO_RULES;
	__u64 generation = 0;
	struct fw_tabs t;

	if (fw_likely(fw_tabs_open(&t))) {
		fw_decide(&t, pkt, w, &hit, &reason);
		if (fw_cfg.trace)
			generation = FW_GET64(t.base + offsetof(struct fw_image, generation));
	}
	if (reason != FW_REASON_RULE)
		hit.slot = FW_REASON_SLOT(reason, hit.verdict);
	fw_account(hit.slot, pkt);
	if (fw_cfg.trace) {
		struct fw_trace said = {
			.verdict = hit.verdict,
			.reason = reason,
			.rule = hit.rule,
			.slot = hit.slot,
			.generation = generation,
			.counted = hit.counted,
		};
		fw_trace_write(&said);
	}
	return hit.verdict;
}

/* enum fw_verdict for the frame. */
static __always_inline int fw_run(const struct fw_frame *f)
{
	__u32 zero = 0;
	struct fw_scratch *s = fw_env_lookup(&fw_scratch, &zero);

	if (!s)
		return FW_VERDICT_DROP;
	s->pkt.packets = f->packets;
	s->pkt.bytes = f->bytes;
	s->pkt.reason = fw_parse(f, &s->pkt);
	if (fw_cfg.parse_only)
		return FW_VERDICT_PASS;
	FW_OPAQUE(s); /* forget how we came here, so that all ways through the parser go on as one */
	return fw_judge(&s->pkt, &s->walk);
}

#endif
