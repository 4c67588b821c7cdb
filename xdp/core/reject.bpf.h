/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * `reject`: TCP resets (RFC 9293 3.10.7.1) and ICMP, ICMPv6 destination unreachable. When there can be none, or none more,
 * `reject` is `drop`.
 */
#ifndef FW_CORE_REJECT_H
#define FW_CORE_REJECT_H

#include "limit.bpf.h"
#include "reply.bpf.h"

#define FW_QUOTE4 576  /* of the whole answer: RFC 1812 4.3.2.3 */
#define FW_QUOTE6 FW_REPLY_MOST /* RFC 4443 3.1 */
#define FW_REJECT_COST (FW_UNITS(1000000000ull) / FW_REJECT_RATE)

static __always_inline int fw_reject_reset(FW_CTX *ctx, struct fw_scratch *s)
{
	__u32 tcp[5], at, flags, ack = 0, seq = 0, *w;
	__u64 sum;

	if (fw_env_load(ctx, s->pkt.l4_off, tcp, sizeof(tcp)))
		return 0;
	flags = FW_BE32(tcp[3]) >> 16;
	if (flags & FW_TCP_ACK) {
		seq = tcp[2];
		flags = FW_TCP_RST;
	} else {
		ack = FW_BE32(tcp[1]) + s->pkt.end - s->pkt.l4_off - (flags >> 12) * 4 + !!(flags & FW_TCP_SYN) +
		      !!(flags & FW_TCP_FIN);
		ack = FW_BE32(ack);
		flags = FW_TCP_RST | FW_TCP_ACK;
	}
	sum = fw_reply_ip(s, FW_PROTO_TCP, sizeof(tcp));
	at = FW_FRESH(s->reply.at) & 15;
	w = s->reply.ip.w + at;
	w[0] = tcp[0] << 16 | tcp[0] >> 16; /* ports */
	w[1] = seq;
	w[2] = ack;
	w[3] = FW_BE32(5u << 28 | flags << 16);
	w[4] = w[5] = w[6] = 0; /* and what pads the frame */
	return fw_reply_sum(8, sum);
}

static __always_inline int fw_reject_unreachable(FW_CTX *ctx, struct fw_scratch *s, __u32 prohibited)
{
	__u32 v4 = s->pkt.l3 == FW_L3_IPV4, at, *w, head;
	__u32 most = v4 ? FW_QUOTE4 - 28 : FW_QUOTE6 - 48, n = s->pkt.end - s->pkt.l3_off;
	__u64 sum;

	if (n > most)
		n = most;
	FW_OPAQUE(n);
	n &= 2047;
	if (n < 20 || n > FW_QUOTE6 - 48)
		return 0;
	sum = fw_reply_ip(s, v4 ? FW_PROTO_ICMP : FW_PROTO_ICMP6, 8 + n);
	at = FW_FRESH(s->reply.at) & 15;
	w = s->reply.ip.w + at;
	if (v4)
		head = 3u << 24 | (prohibited ? 13 : 3) << 16;
	else
		head = 1u << 24 | (prohibited ? 1 : 4) << 16;
	w[0] = FW_BE32(head);
	w[1] = 0;
	s->reply.ip.w[at + 2 + n / 4] = 0; /* half of it may be behind the end */
	if (fw_env_load(ctx, s->pkt.l3_off, w + 2, n))
		return 0;
	return fw_reply_sum(1, v4 ? 0 : sum);
}

/* RFC 4443 2.4 (f), RFC 1812 4.3.2.8. */
static __always_inline int fw_reject_limited(const struct fw_ctl *ctl)
{
	__u32 cell = FW_LIMIT_REJECT + (fw_cfg.dir & 1);
	__u64 *until = fw_env_lookup(&fw_limits, &cell);

	return !until || fw_gcra(until, FW_UNITS(fw_now(ctl)), FW_REJECT_COST, FW_REJECT_BURST * FW_REJECT_COST) != FW_WITHIN;
}

/* 1: the frame is now the answer. A global function: the verifier walks it once, whatever led here. */
int fw_reject(FW_CTX *ctx);
FW_GLOBAL int fw_reject(FW_CTX *ctx)
{
	__u32 zero = 0, kind, tcp;
	const struct fw_ctl *ctl;
	struct fw_scratch *s;

	if (!(FW_FEATURES & FW_FEAT_REJECT)) /* older kernels walk global functions that nobody calls */
		return 0;
	s = fw_env_lookup(&fw_scratch, &zero);
	ctl = fw_env_lookup(&fw_ctl, &zero);
	if (!s || !ctl || !fw_reply_may(&s->pkt))
		return 0;
	kind = s->about.reject;
	tcp = s->pkt.proto == FW_PROTO_TCP;
	if (kind == FW_REJECT_TCP_RESET && !tcp)
		return 0;
	if (!fw_reply_link(ctx, s, ctl) || fw_reject_limited(ctl))
		return 0;
	if (tcp && (kind == FW_REJECT_AUTO || kind == FW_REJECT_TCP_RESET)) {
		if (!fw_reject_reset(ctx, s))
			return 0;
	} else if (!fw_reject_unreachable(ctx, s, kind == FW_REJECT_PROHIBITED)) {
		return 0;
	}
	FW_FORGET();
	return fw_reply_put(ctx, s);
}

#endif
