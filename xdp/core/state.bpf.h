/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Flows: the verdict of an opening packet, kept. What a packet is to the flows that are known, by the numbered text in
 * userspace/model/track.h; the table itself is in flow.bpf.h.
 */
#ifndef FW_CORE_STATE_H
#define FW_CORE_STATE_H

#include "classify.bpf.h"
#include "cookie.bpf.h"
#include "flow.bpf.h"

/*
 * Paragraph 6: the key of the packet that an ICMP error quotes, into s->about.key. It travelled the other way, so its source stands where
 * the error's destination does. Rare, copied, and a global function. 1: it is a quote.
 */
int fw_track_quote(FW_CTX *ctx);
FW_GLOBAL int fw_track_quote(FW_CTX *ctx)
{
	__u32 zero = 0, l3, egress = !(fw_cfg.dir & 1), off, proto, request, reply, i;
	struct fw_scratch *s = fw_env_lookup(&fw_scratch, &zero);
	struct fw_flow_key *k;
	__u32 h[10], l4[2];
	__u32 *from, *to;

	FW_NEEDS(FW_FEAT_STATE);
	if (!s || !s->pkt.l4_off)
		return 0;
	k = &s->about.key;
	l3 = s->pkt.l3;
	off = s->pkt.l4_off + 8;
	__builtin_memset(k, 0, sizeof(*k));
	from = egress ? k->b : k->a; /* the quoted packet's source */
	to = egress ? k->a : k->b;
	if (l3 == FW_L3_IPV4) {
		const __u8 *b = (const __u8 *)h;

		if (off + 20 > s->pkt.end || fw_env_load(ctx, off, h, 20))
			return 0;
		if (b[0] >> 4 != 4 || (b[0] & 15) < 5 || FW_BE32(h[1]) & 0x1fff)
			return 0;
		proto = b[9];
		from[0] = h[3];
		to[0] = h[4];
		off += (b[0] & 15) * 4;
	} else {
		const __u8 *b = (const __u8 *)h;

		if (off + 40 > s->pkt.end || fw_env_load(ctx, off, h, 40) || b[0] >> 4 != 6)
			return 0;
		proto = b[6];
		if (fw_ext_is(proto))
			return 0;
		for (i = 0; i < 4; i++) {
			from[i] = h[2 + i];
			to[i] = h[6 + i];
		}
		off += 40;
	}
	for (i = 0; i < 4; i++)
		if ((l3 == FW_L3_IPV6 || !i) && from[i] != s->pkt.addr[1].a32[i])
			return 0;
	if (off + 8 > s->pkt.end || fw_env_load(ctx, off, l4, 8))
		return 0;
	k->l3 = l3;
	k->proto = proto;
	if (proto == FW_PROTO_TCP || proto == FW_PROTO_UDP || proto == FW_PROTO_SCTP) {
		k->pa = egress ? l4[0] >> 16 : l4[0];
		k->pb = egress ? l4[0] : l4[0] >> 16;
	} else if (proto == (l3 == FW_L3_IPV4 ? FW_PROTO_ICMP : FW_PROTO_ICMP6)) {
		request = fw_icmp_request(l3, l4[0] & 255, &reply);
		if (!request)
			return 0;
		fw_key_icmp(k, l4[1] & 0xffff, request, reply, egress);
	}
	return 1;
}

/* The slot, by the rules of the direction of the packet, or of the opening packet of its flow. NULL: there is none. */
static __always_inline struct fw_pkt *fw_side_open(struct fw_tabs *t, struct fw_scratch *s, __u32 slot, __u32 opening)
{
	struct fw_pkt *pkt = fw_pkt_of(s, opening);

	if (!fw_slot_open(t, slot))
		return NULL;
	t->d = (const void *)(t->base + offsetof(struct fw_image, dir) + (pkt->dir & 1) * sizeof(struct fw_dir_hdr));
	return pkt;
}

/*
 * In which sets are the addresses of the packet, or of the opening packet of its flow? Into the packet. A global function beside fw_rules,
 * not in it: the stacks of all calls on the way have 512 bytes together.
 */
int fw_sets_of(__u32 slot, __u32 opening);
FW_GLOBAL int fw_sets_of(__u32 slot, __u32 opening)
{
	__u32 zero = 0;
	struct fw_scratch *s = fw_env_lookup(&fw_scratch, &zero);
	struct fw_pkt *pkt;
	struct fw_tabs t;

	FW_NEEDS(FW_FEAT_STATE);
	pkt = s ? fw_side_open(&t, s, slot, opening) : NULL;
	if (!pkt)
		return 0;
	t.ctl = fw_env_lookup(&fw_ctl, &zero);
	if (!t.ctl)
		return 0;
	pkt->val[FW_DIM_SETS] = fw_sets_static(&t, s, pkt, opening);
	if (FW_FEATURES & FW_FEAT_LIVE && t.d->live_bits)
		pkt->val[FW_DIM_SETS] |= opening ? s->about.live : fw_live_value(&t, t.d, s, 0);
	return 1;
}

/*
 * Ask the rules about the packet, or about the opening packet of its flow (s->opening, by the rules of its direction): s->hit. 0: they are
 * damaged. A global function, so that programs that keep state have one classifier for both, which the verifier walks once;
 * packets of known flows do without it, and its call.
 */
int fw_rules(__u32 slot, __u32 opening);
FW_GLOBAL int fw_rules(__u32 slot, __u32 opening)
{
	__u32 zero = 0;
	struct fw_scratch *s = fw_env_lookup(&fw_scratch, &zero);
	struct fw_pkt *pkt;
	struct fw_tabs t;

	FW_NEEDS(FW_FEAT_STATE);
	pkt = s ? fw_side_open(&t, s, slot, opening) : NULL;
	if (!pkt)
		return 0;
	FW_FORGET();
	s->hit = (struct fw_hit){ .verdict = FW_VERDICT_DROP, .rule = -1 };
	fw_met_clear(s);
	return fw_classify_by(&t, pkt, &s->walk, &s->hit);
}

/* Both, where there are sets. */
static __always_inline int fw_rules_ask(const struct fw_scratch *s, const struct fw_dir_hdr *d, __u32 opening)
{
	if (d->nsets)
		fw_sets_of(s->slot, opening);
	return fw_rules(s->slot, opening);
}

/* Paragraph 3: do the rules of its direction still pass the opening packet and keep state? */
static __always_inline int fw_opening_passes(const struct fw_tabs *t, const struct fw_dir_hdr *d, struct fw_scratch *s)
{
	if (!(d->flags & FW_DIRF_PRESENT) || !fw_rules_ask(s, d, 1))
		return 0;
	return s->hit.rule >= 0 && s->hit.verdict == FW_VERDICT_PASS && s->hit.extra &&
	       fw_extra_get(t, d, s->hit.rule)->flags & FW_EXTRA_KEEP;
}

/* The flow of the packet, as it stands under the live rules; NULL when it has none, or has none any more. */
static __always_inline struct fw_flow *fw_flow_judged(const struct fw_tabs *t, struct fw_scratch *s)
{
	struct fw_flow *f = fw_flow_find(s);
	__u32 generation = FW_GET64(t->base + offsetof(struct fw_image, generation));
	const struct fw_dir_hdr *d;
	int passes;

	if (!f)
		return NULL;
	d = (const void *)(t->base + offsetof(struct fw_image, dir) +
				(f->word & FW_FLOWF_EGRESS ? 1 : 0) * sizeof(struct fw_dir_hdr));
	s->about.live = 0;
	if (FW_FEATURES & FW_FEAT_LIVE && d->live_bits) {
		fw_opening_make(f, &s->opening);
		s->about.live = fw_live_value(t, d, s, 1);
	}
	if (fw_likely(f->generation == generation && f->live == s->about.live))
		return f;
	fw_opening_make(f, &s->opening);
	passes = fw_opening_passes(t, d, s);
	s->hit = (struct fw_hit){ .verdict = FW_VERDICT_DROP, .rule = -1 };
	fw_met_clear(s);
	if (!passes) {
		fw_flow_end();
		return NULL;
	}
	if (!fw_cfg.readonly) {
		if (!(fw_state_flags(t) & FW_STATEF_WINDOW)) { /* paragraph 13 */
			fw_side_forget(f, 0);
			fw_side_forget(f, 1);
		}
		f->live = s->about.live;
		f->generation = generation;
	}
	return f;
}

/* Paragraph 5: what a packet of no flow is. */
static __always_inline __u32 fw_track_state(const struct fw_tabs *t, const struct fw_scratch *s)
{
	const struct fw_pkt *pkt = &s->pkt;
	__u32 flags = pkt->val[FW_DIM_TCPFLAGS], kind = s->about.kind, pickup, reply;

	if (kind == FW_KIND_NONE)
		return FW_STATE_NONE;
	if (kind == FW_KIND_ERROR)
		return FW_STATE_INVALID;
	if (kind == FW_KIND_OTHER)
		return FW_STATE_NEW;
	if (pkt->proto == FW_PROTO_TCP) {
		if ((flags & (FW_TCP_SYN | FW_TCP_ACK | FW_TCP_RST | FW_TCP_FIN)) == FW_TCP_SYN)
			return FW_STATE_NEW;
		if ((flags & (FW_TCP_SYN | FW_TCP_ACK | FW_TCP_RST)) != FW_TCP_ACK)
			return FW_STATE_INVALID;
		pickup = FW_GET32(t->base + offsetof(struct fw_image, state.pickup_s));
		if (s->about.proved || pickup == ~0u || s->about.now < t->ctl->state_ns + pickup * 1000000000ull)
			return FW_STATE_NEW;
		return FW_STATE_INVALID;
	}
	if (pkt->proto == (pkt->l3 == FW_L3_IPV4 ? FW_PROTO_ICMP : FW_PROTO_ICMP6)) {
		fw_icmp_request(pkt->l3, fw_icmp_type(pkt), &reply);
		if (reply)
			return FW_STATE_INVALID;
	}
	return FW_STATE_NEW;
}

/* What the flow table says: the rules are to be asked, or it decides itself. */
enum fw_tracked { FW_TRACK_ASK, FW_TRACK_PASS, FW_TRACK_OUTSIDE };

/* With the state of the packet into the packet. */
static __always_inline enum fw_tracked fw_track(const struct fw_tabs *t, FW_CTX *ctx, struct fw_scratch *s)
{
	struct fw_pkt *pkt = &s->pkt;
	struct fw_flow *f = NULL;
	__u32 flags = pkt->val[FW_DIM_TCPFLAGS];

	s->about.known = s->about.proved = s->about.window = 0;
	if (fw_cfg.trace && t->ctl->given & FW_GIVEN_STATE) {
		s->about.kind = FW_KIND_NONE;
		pkt->val[FW_DIM_STATE] = t->ctl->given_state & 7;
		return (pkt->val[FW_DIM_STATE] == FW_STATE_ESTABLISHED || pkt->val[FW_DIM_STATE] == FW_STATE_RELATED) &&
		       !(t->d->flags & FW_DIRF_KNOWN);
	}
	s->about.kind = fw_track_key(pkt, &s->about.key);
	if (s->about.kind == FW_KIND_FLOW || (s->about.kind == FW_KIND_ERROR && fw_track_quote(ctx))) {
		s->about.hash = fw_hash_flow(t->ctl, &s->about.key);
		f = fw_flow_judged(t, s);
	}
	if (f && s->about.kind == FW_KIND_FLOW && pkt->proto == FW_PROTO_TCP &&
	    (flags & (FW_TCP_SYN | FW_TCP_ACK)) == FW_TCP_SYN && !!(f->word & FW_FLOWF_EGRESS) == (fw_cfg.dir & 1) &&
	    (f->word & (FW_FLOWF_FIN_OPENER | FW_FLOWF_FIN_OTHER)) == (FW_FLOWF_FIN_OPENER | FW_FLOWF_FIN_OTHER)) {
		fw_flow_end();
		f = NULL;
	}
	if (fw_unlikely(fw_state_flags(t) & FW_STATEF_WINDOW) && pkt->proto == FW_PROTO_TCP && s->about.kind == FW_KIND_FLOW) {
		s->about.window = 1;
		fw_segment_take(ctx, s, f && !!(f->word & FW_FLOWF_EGRESS) != (fw_cfg.dir & 1));
		if (f && fw_window_outside(f)) {
			pkt->val[FW_DIM_STATE] = FW_STATE_ESTABLISHED;
			return FW_TRACK_OUTSIDE;
		}
	}
	if (!f) {
		if (FW_FEATURES & FW_FEAT_SYNPROXY && s->about.kind == FW_KIND_FLOW && pkt->proto == FW_PROTO_TCP &&
		    (flags & (FW_TCP_SYN | FW_TCP_ACK | FW_TCP_RST)) == FW_TCP_ACK)
			s->about.proved = fw_cookie_valid(ctx, s);
		pkt->val[FW_DIM_STATE] = fw_track_state(t, s);
		return FW_TRACK_ASK;
	}
	pkt->val[FW_DIM_STATE] = s->about.kind == FW_KIND_FLOW ? FW_STATE_ESTABLISHED : FW_STATE_RELATED;
	if (t->d->flags & FW_DIRF_KNOWN) {
		s->about.known = s->about.kind == FW_KIND_FLOW;
		return FW_TRACK_ASK;
	}
	if (s->about.kind == FW_KIND_FLOW)
		fw_flow_move(t, s, f);
	return FW_TRACK_PASS;
}

#endif
