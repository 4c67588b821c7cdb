/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Windows of TCP: paragraphs 11 and 12 of userspace/model/track.h, for policies with `state { window }`. The others see one test of a flag.
 *
 * The numbers of a flow are changed without a lock. What CPUs that race can do: end and limit only move forward, by compare-and-swap;
 * who loses too often makes the side one that is not exact, or that has no limit, which forbids less. Bits of `known` may be lost,
 * which forbids less, too. `widest` may stay behind by one packet, and the next of the side tells it again. What remains: a segment
 * that comes while its flow moves to the established ones may tell its end to the old cell. Then its acknowledgement is outside until it is
 * sent again, as if that had been lost on the way.
 */
#ifndef FW_CORE_WINDOW_H
#define FW_CORE_WINDOW_H

#include "key.bpf.h"

#define FW_REACH_LEAST 65536u
#define FW_REACH_SHIFT 14
#define FW_REACH_MOST 65535u
#define FW_SCALE_MOST 14u
#define FW_RAISE_TRIES 4

static __always_inline int fw_beyond(__u32 x, __u32 y)
{
	return (__s32)(x - y) > 0;
}

/* The first window scale option of the packet. A global function: SYNs alone. */
int fw_window_option(FW_CTX *ctx);
FW_GLOBAL int fw_window_option(FW_CTX *ctx)
{
	__u32 zero = 0, len, at, kind, size, i;
	struct fw_scratch *s;
	struct fw_segment *g;

	FW_NEEDS(FW_FEAT_STATE);
	s = fw_env_lookup(&fw_scratch, &zero);
	if (!s)
		return FW_SCALE_NONE;
	g = &s->segment;
	len = ((s->pkt.tcp[2] & 0xff) >> 4) * 4 - 20 - 1; /* less one: older verifiers learn a lower bound from "<" alone */
	FW_OPAQUE(len);
	if (len >= 40 || fw_env_load(ctx, s->pkt.l4_off + 20, g->options, len + 1))
		return FW_SCALE_NONE;
	g->at = 0;
	g->len = len + 1;
	FW_NO_UNROLL
	for (i = 0; i < 40; i++) {
		at = FW_FRESH(g->at);
		len = FW_FRESH(g->len);
		if (at >= len)
			break;
		kind = g->options[at & 63];
		if (!kind)
			break;
		if (kind == 1) {
			g->at = at + 1;
			continue;
		}
		size = g->options[(at + 1) & 63];
		if (at + 2 > len || size < 2 || at + size > len)
			break;
		if (kind == 3 && size == 3) {
			kind = g->options[(at + 2) & 63];
			return FW_SCALE_OF(kind < FW_SCALE_MOST ? kind : FW_SCALE_MOST);
		}
		g->at = at + size;
	}
	return FW_SCALE_NONE;
}

/* The numbers of the packet, into s->segment. other: it is not of the opener's side. */
static __always_inline void fw_segment_take(FW_CTX *ctx, struct fw_scratch *s, __u32 other)
{
	const struct fw_pkt *pkt = &s->pkt;
	struct fw_segment *g = &s->segment;
	__u32 flags = pkt->val[FW_DIM_TCPFLAGS];

	g->from = other;
	g->flags = flags;
	g->seq = FW_BE32(pkt->tcp[0]);
	g->ack = FW_BE32(pkt->tcp[1]);
	g->window = FW_BE16(pkt->tcp[2] >> 16);
	g->end = g->seq + pkt->end - pkt->l4_off - ((pkt->tcp[2] & 0xff) >> 4) * 4 + !!(flags & FW_TCP_SYN) + (flags & FW_TCP_FIN);
	g->scale = FW_SCALE_NONE;
	if (flags & FW_TCP_SYN)
		g->scale = fw_window_option(ctx);
}

static __always_inline int fw_segment_opens(const struct fw_segment *g)
{
	return !g->from && (g->flags & (FW_TCP_SYN | FW_TCP_ACK | FW_TCP_RST)) == FW_TCP_SYN;
}

/* It answers a SYN that the opener sent though both sides were known. */
static __always_inline int fw_segment_answers(const struct fw_flow *f, const struct fw_segment *g)
{
	return g->from && f->known[0] & FW_SIDE_AWAITS && (g->flags & (FW_TCP_SYN | FW_TCP_ACK | FW_TCP_RST)) == (FW_TCP_SYN | FW_TCP_ACK);
}

static __always_inline __u32 fw_side_reach(const struct fw_flow *f, __u32 side)
{
	__u32 bytes = (__u32)f->widest[side & 1] << FW_REACH_SHIFT;

	if (!(f->known[side & 1] & FW_SIDE_KNOWN))
		return FW_REACH_MOST << FW_REACH_SHIFT;
	return bytes < FW_REACH_LEAST ? FW_REACH_LEAST : bytes;
}

/* 11 f */
static __always_inline int fw_ack_outside(const struct fw_flow *f, const struct fw_segment *g)
{
	__u32 from = g->from & 1, to = from ^ 1, known = f->known[to], ack = g->ack, end = f->seq_end[to];
	__u32 reach = g->flags & FW_TCP_SYN ? FW_REACH_LEAST : fw_side_reach(f, from);

	if (!(g->flags & FW_TCP_ACK) || !(known & FW_SIDE_KNOWN))
		return 0;
	if (fw_beyond(end - reach, ack))
		return 1;
	if (!fw_beyond(ack, end))
		return 0;
	return known & FW_SIDE_EXACT || (known & FW_SIDE_LIMITED && fw_beyond(ack, f->win_end[to]));
}

/* 11 b */
static __always_inline int fw_reset_outside(const struct fw_flow *f, const struct fw_segment *g)
{
	__u32 from = g->from & 1, to = from ^ 1, known = f->known[from], seq = g->seq;

	if (!(f->known[to] & FW_SIDE_KNOWN))
		return 0;
	if (g->flags & FW_TCP_ACK) {
		if (from && f->known[0] & FW_SIDE_AWAITS)
			return 0;
		if (fw_ack_outside(f, g))
			return 1;
	}
	if (known & FW_SIDE_LIMITED && fw_beyond(seq, f->win_end[from]) && (known & FW_SIDE_KNOWN || !(g->flags & FW_TCP_ACK)))
		return 1;
	if (known & FW_SIDE_KNOWN)
		return fw_beyond(f->seq_end[from] - fw_side_reach(f, to), seq);
	if (g->flags & FW_TCP_ACK)
		return 0;
	return !(known & FW_SIDE_LIMITED) || fw_beyond(f->win_end[from] - fw_side_reach(f, to), seq);
}

/* 11 e */
static __always_inline int fw_others_outside(const struct fw_flow *f, const struct fw_segment *g)
{
	__u32 from = g->from & 1, known = f->known[from];

	if (known & FW_SIDE_LIMITED && fw_beyond(g->end, f->win_end[from] + 1))
		return 1;
	if (known & FW_SIDE_KNOWN && fw_beyond(f->seq_end[from] - fw_side_reach(f, from ^ 1), g->end))
		return 1;
	return fw_ack_outside(f, g);
}

/* A packet of a side of which nothing is known, to one that waits for a SYN. */
static __always_inline int fw_segment_early(const struct fw_flow *f, const struct fw_segment *g)
{
	return !(f->known[g->from & 1] & FW_SIDE_KNOWN) && f->known[~g->from & 1] & FW_SIDE_EXACT && !(g->flags & FW_TCP_SYN);
}

/* Paragraph 11, for s->segment. A global function: policies with `window` alone pay for it. */
int fw_window_outside(const struct fw_flow *f);
FW_GLOBAL int fw_window_outside(const struct fw_flow *f)
{
	__u32 zero = 0;
	const struct fw_scratch *s;
	const struct fw_segment *g;

	FW_NEEDS(FW_FEAT_STATE);
	if (!f)
		return 0;
	s = fw_env_lookup(&fw_scratch, &zero);
	if (!s)
		return 0;
	g = &s->segment;
	if (fw_segment_opens(g))
		return 0;
	if (g->flags & FW_TCP_RST)
		return fw_reset_outside(f, g);
	if (fw_segment_early(f, g) || fw_segment_answers(f, g))
		return 0;
	return fw_others_outside(f, g);
}

/* Forward only. 0: others were faster, again and again. */
static __always_inline int fw_raise(__u32 *p, __u32 to)
{
	__u32 was, i;

	FW_NO_UNROLL
	for (i = 0; i < FW_RAISE_TRIES; i++) {
		was = *(volatile __u32 *)p;
		if (!fw_beyond(to, was) || fw_swap(p, was, to) == was)
			return 1;
	}
	return 0;
}

static __always_inline void fw_side_forget(struct fw_flow *f, __u32 side)
{
	f->known[side & 1] = 0;
	f->scale[side & 1] = FW_SCALE_UNKNOWN;
	f->widest[side & 1] = 0;
}

/* The window of the packet in bytes. */
static __always_inline __u32 fw_window_bytes(const struct fw_flow *f, const struct fw_segment *g)
{
	__u32 scale = f->scale[g->from & 1], shift = scale == FW_SCALE_UNKNOWN ? FW_SCALE_MOST : scale - FW_SCALE_OF(0);

	if (g->flags & FW_TCP_SYN || scale == FW_SCALE_NONE || f->scale[~g->from & 1] == FW_SCALE_NONE)
		shift = 0;
	return g->window << (shift & 15);
}

/* 12 e. What stands in `known` is written last. */
static __always_inline void fw_segment_learn(struct fw_flow *f, const struct fw_segment *g, __u32 part)
{
	__u32 from = g->from & 1, to = from ^ 1, known = f->known[from], known_to = f->known[to], bytes, units;

	if (!(known & FW_SIDE_KNOWN)) {
		f->seq_end[from] = g->end;
		known |= FW_SIDE_KNOWN;
		if (g->flags & FW_TCP_SYN) {
			known |= FW_SIDE_EXACT;
			f->scale[from] = g->scale;
		}
	} else if (!fw_raise(&f->seq_end[from], g->end)) {
		known &= ~FW_SIDE_EXACT;
	}
	if (part)
		known &= ~FW_SIDE_EXACT;
	if (!from && !(g->flags & FW_TCP_SYN))
		known &= ~FW_SIDE_AWAITS;
	bytes = fw_window_bytes(f, g);
	units = (bytes + (1u << FW_REACH_SHIFT) - 1) >> FW_REACH_SHIFT;
	if (f->widest[from] < units)
		f->widest[from] = units < FW_REACH_MOST ? units : FW_REACH_MOST;
	if (g->flags & FW_TCP_ACK) {
		if (!(known_to & FW_SIDE_LIMITED)) {
			f->win_end[to] = g->ack + bytes;
			known_to |= FW_SIDE_LIMITED;
		} else if (!fw_raise(&f->win_end[to], g->ack + bytes)) {
			known_to &= ~FW_SIDE_LIMITED;
		}
	}
	if (f->known[from] != known)
		f->known[from] = known;
	if (f->known[to] != known_to)
		f->known[to] = known_to;
}

/* Paragraph 12, for s->segment, whose packet passed. A global function, as above. */
int fw_window_learn(struct fw_flow *f);
FW_GLOBAL int fw_window_learn(struct fw_flow *f)
{
	__u32 zero = 0, to;
	const struct fw_scratch *s;
	const struct fw_segment *g;

	FW_NEEDS(FW_FEAT_STATE);
	if (!f)
		return 0;
	s = fw_env_lookup(&fw_scratch, &zero);
	if (!s)
		return 0;
	g = &s->segment;
	to = ~g->from & 1;
	if (g->flags & FW_TCP_RST)
		return 0;
	if (fw_segment_opens(g)) {
		if (f->known[to] & FW_SIDE_KNOWN) {
			f->known[0] |= FW_SIDE_AWAITS;
			return 0;
		}
		fw_side_forget(f, 0);
	} else if (fw_segment_early(f, g)) {
		return 0;
	} else if (fw_segment_answers(f, g) && fw_others_outside(f, g)) {
		fw_side_forget(f, 1);
		fw_side_forget(f, 0);
		f->seq_end[0] = g->ack;
		f->widest[0] = FW_REACH_MOST;
		f->known[0] = FW_SIDE_KNOWN;
	}
	fw_segment_learn(f, g, s->pkt.val[FW_DIM_FRAG] == FW_FRAG_FIRST);
	return 1;
}

#endif
