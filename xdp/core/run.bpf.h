/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fw_run(): parse → state → classify → limit → account → verdict. The only call a hook makes.
 */
#ifndef FW_CORE_RUN_H
#define FW_CORE_RUN_H

#include "state.bpf.h"
#include "tap.bpf.h"

/* The live slot: one read of the control word decides for the whole packet. 0 when there is nothing to go by. */
static __always_inline int fw_tabs_open(struct fw_tabs *t, struct fw_scratch *s)
{
	__u32 zero = 0, live;
	const struct fw_ctl *ctl = fw_env_lookup(&fw_ctl, &zero);

	if (!ctl)
		return 0;
	live = *(const volatile __u32 *)&ctl->live;
	/* magic and abi in one comparison */
	if (!fw_slot_open(t, live) || FW_GET64(t->base) != ((__u64)FW_ABI_VERSION << 32 | FW_IMAGE_MAGIC))
		return 0;
	t->ctl = ctl;
	s->slot = live;
	return 1;
}

#define FW_FEATS_CLOCK (FW_FEAT_STATE | FW_FEAT_LIMIT | FW_FEAT_LIVE | FW_FEAT_REJECT)

/* Over the limit, or over max-conn. */
static __always_inline enum fw_reason fw_over(const struct fw_extra *x, struct fw_hit *hit, enum fw_reason reason)
{
	__u32 flags = x->flags, ban = x->ban;
	__u64 ban_ns = x->ban_ns;

	hit->verdict = flags & FW_EXTRA_ELSE_PASS ? FW_VERDICT_PASS : FW_VERDICT_DROP;
	if (FW_FEATURES & FW_FEAT_LIVE && !fw_cfg.readonly && flags & FW_EXTRA_ELSE_BAN && reason != FW_REASON_LIMIT_FULL)
		fw_live_ban(ban, ban_ns);
	return reason;
}

/* What the rule asks for beyond its verdict. */
static __always_inline enum fw_reason fw_extras(const struct fw_tabs *t, struct fw_scratch *s)
{
	struct fw_hit *hit = &s->hit;
	const struct fw_extra *x = fw_extra_get(t, t->d, hit->rule);
	enum fw_limited limited;
	int opened;

	s->about.reject = x->reject;
	if (FW_LOGS)
		s->told.log_rule = x->log;
	if (FW_FEATURES & FW_FEAT_LIMIT && x->flags & FW_EXTRA_LIMIT) {
		limited = fw_limit(t, s, x, hit->slot);
		if (limited != FW_WITHIN)
			return fw_over(x, hit, limited == FW_OVER ? FW_REASON_LIMIT : FW_REASON_LIMIT_FULL);
	}
	if (!(FW_FEATURES & FW_FEAT_STATE) || !(x->flags & FW_EXTRA_KEEP) || s->about.kind != FW_KIND_FLOW ||
	    s->pkt.val[FW_DIM_STATE] != FW_STATE_NEW)
		return FW_REASON_RULE;
	opened = fw_flow_open(s->slot, hit->slot, (const __u8 *)x - t->base);
	if (opened == FW_OPENED)
		return FW_REASON_RULE;
	if (opened == FW_OPEN_SEATS)
		return fw_over(x, hit, FW_REASON_MAX_CONN);
	hit->verdict = FW_VERDICT_DROP;
	if (FW_COOKIES && opened == FW_OPEN_COOKIE && (s->pkt.val[FW_DIM_TCPFLAGS] & FW_TCP_SYN)) {
		if (fw_cookie_spare(s))
			hit->verdict = FW_VERDICT_PASS;
		else
			s->about.answer = FW_ANSWER_COOKIE;
		return FW_REASON_SYN_COOKIE;
	}
	if (FW_GET32(t->base + offsetof(struct fw_image, state.flags)) & FW_STATEF_FULL_PASS)
		hit->verdict = FW_VERDICT_PASS;
	return FW_REASON_STATE_FULL;
}

/* The state of a packet that has one, as a reason. */
static __always_inline enum fw_reason fw_known_reason(const struct fw_pkt *pkt)
{
	return pkt->val[FW_DIM_STATE] == FW_STATE_ESTABLISHED ? FW_REASON_ESTABLISHED : FW_REASON_RELATED;
}

static __always_inline int fw_is_known(const struct fw_pkt *pkt)
{
	return pkt->val[FW_DIM_STATE] == FW_STATE_ESTABLISHED || pkt->val[FW_DIM_STATE] == FW_STATE_RELATED;
}

/* The verdict by the rules; ret_reason says why. */
static __always_inline void fw_ask(const struct fw_tabs *t, struct fw_scratch *s, enum fw_reason *ret_reason)
{
	struct fw_pkt *pkt = &s->pkt;
	struct fw_hit *hit = &s->hit;

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
		if (FW_FEATURES & FW_FEAT_STATE) {
			if (!fw_rules_ask(s, t->d, 0)) {
				*ret_reason = FW_REASON_NO_RULES;
				return;
			}
		} else if (!fw_classify(t, s)) {
			*ret_reason = FW_REASON_NO_RULES;
			return;
		}
		if (hit->rule >= 0) {
			*ret_reason = FW_REASON_RULE;
			if (FW_FEATURES && hit->extra)
				*ret_reason = fw_extras(t, s);
			return;
		}
	}
	FW_FORGET();
	if (FW_FEATURES & FW_FEAT_STATE && fw_is_known(pkt)) {
		*ret_reason = fw_known_reason(pkt);
		hit->verdict = FW_VERDICT_PASS;
		return;
	}
	*ret_reason = pkt->l3 == FW_L3_OTHER ? FW_REASON_L2_OTHER : FW_REASON_DEFAULT;
	hit->verdict = t->d->default_verdict == FW_VERDICT_PASS ? FW_VERDICT_PASS : FW_VERDICT_DROP;
}

static __always_inline void fw_decide(const struct fw_tabs *t, FW_CTX *ctx, struct fw_scratch *s, enum fw_reason *ret_reason)
{
	if (FW_FEATURES & FW_FEATS_CLOCK) {
		s->about.now = fw_now(t->ctl);
		s->about.kind = FW_KIND_NONE;
		s->about.answer = s->about.reject = 0;
	}
	if (!(FW_FEATURES & FW_FEAT_STATE)) {
		fw_ask(t, s, ret_reason);
		return;
	}
	s->about.known = 0;
	if (t->d->flags & FW_DIRF_TRACK && s->pkt.reason == FW_REASON_RULE && s->pkt.l3 != FW_L3_OTHER) {
		enum fw_tracked tracked = fw_track(t, ctx, s);

		if (tracked == FW_TRACK_PASS) {
			*ret_reason = fw_known_reason(&s->pkt);
			s->hit.verdict = FW_VERDICT_PASS;
			return;
		}
		if (fw_unlikely(tracked == FW_TRACK_OUTSIDE)) { /* s->hit says drop */
			*ret_reason = FW_REASON_TCP_WINDOW;
			return;
		}
	}
	FW_FORGET();
	fw_ask(t, s, ret_reason);
	if (s->about.known && s->hit.verdict == FW_VERDICT_PASS)
		fw_flow_move(t, s, NULL);
}

/* To those who want to know: before an answer takes the packet's place. */
static __always_inline void fw_tell(FW_CTX *ctx, struct fw_scratch *s, enum fw_reason reason)
{
	if (!(FW_LOGS || FW_TAPS))
		return;
	s->told.reason = reason;
	FW_FORGET();
	if (FW_LOGS)
		fw_event_tell(ctx, s, reason);
	if (FW_TAPS)
		fw_tap(ctx);
}

/* Judge a parsed packet. */
static __always_inline int fw_judge(FW_CTX *ctx, struct fw_scratch *s)
{
	enum fw_reason reason = FW_REASON_NO_RULES;
	__u64 generation = 0;
	struct fw_tabs t;

	s->hit = (struct fw_hit){ .verdict = FW_VERDICT_DROP, .rule = -1 };
	fw_told_clear(s);
	if (fw_likely(fw_tabs_open(&t, s))) {
		fw_told_open(&t, s);
		fw_decide(&t, ctx, s, &reason);
		if (fw_cfg.trace)
			generation = FW_GET64(t.base + offsetof(struct fw_image, generation));
	}
	if (reason != FW_REASON_RULE)
		s->hit.slot = FW_REASON_SLOT(reason, s->hit.verdict);
	fw_account(s->hit.slot, &s->pkt);
	fw_tell(ctx, s, reason);
	if (fw_cfg.trace)
		fw_trace_write(s, reason, generation);
	return s->hit.verdict;
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
	if (FW_FEATURES & FW_FEAT_STATE)
		s->pkt.dir = fw_cfg.dir & 1;
	s->pkt.reason = fw_parse(f, &s->pkt, (__u8 *)s->header);
	if (fw_cfg.parse_only)
		return FW_VERDICT_PASS;
	FW_OPAQUE(s); /* forget how we came here, so that all ways through the parser go on as one */
	return fw_judge(f->ctx, s);
}

#endif
