/* SPDX-License-Identifier: GPL-2.0-only */
/* What a hook sends in the place of a packet that was judged: an answer to `reject`, or to a SYN with a cookie. */
#ifndef FW_CORE_ANSWER_H
#define FW_CORE_ANSWER_H

#include "cookie.bpf.h"
#include "reject.bpf.h"

#define FW_COOKIE_MSS4 1460 /* of Ethernet; never more than the peer says of itself */
#define FW_COOKIE_MSS6 1440

/* The cookie for a SYN, and the MSS that goes with it, as fw_env_cookie4 gives them. */
static __always_inline __s64 fw_cookie_make(FW_CTX *ctx, struct fw_scratch *s, __u32 tcp_len)
{
	__u32 ip[10] = {}, *tcp = s->reply.ip.w;

	FW_OPAQUE(tcp_len);
	tcp_len &= 63;
	if (tcp_len < 20 || fw_env_load(ctx, s->pkt.l4_off, tcp, tcp_len))
		return -1;
	if (s->pkt.l3 == FW_L3_IPV4)
		return fw_env_load(ctx, s->pkt.l3_off, ip, 20) ? -1 : fw_env_cookie4(ip, tcp, tcp_len);
	return fw_env_load(ctx, s->pkt.l3_off, ip, 40) ? -1 : fw_env_cookie6(ip, tcp, tcp_len);
}

/* The SYN's answer: no window scale, no SACK, no timestamps, for the cookie has no room to remember them. */
static __always_inline int fw_cookie_build(FW_CTX *ctx, struct fw_scratch *s)
{
	__u32 tcp[5], at, mss, most = s->pkt.l3 == FW_L3_IPV4 ? FW_COOKIE_MSS4 : FW_COOKIE_MSS6, *w;
	__u64 sum;
	__s64 made;

	if (fw_env_load(ctx, s->pkt.l4_off, tcp, sizeof(tcp)))
		return 0;
	made = fw_cookie_make(ctx, s, (FW_BE32(tcp[3]) >> 28) * 4);
	if (made < 0)
		return 0;
	mss = (__u64)made >> 32 & 0xffff;
	sum = fw_reply_ip(s, FW_PROTO_TCP, 24);
	at = FW_FRESH(s->reply.at) & 15;
	w = s->reply.ip.w + at;
	w[0] = tcp[0] << 16 | tcp[0] >> 16;
	w[1] = FW_BE32((__u32)made);
	w[2] = FW_BE32(FW_BE32(tcp[1]) + 1);
	w[3] = FW_BE32(6u << 28 | (FW_TCP_SYN | FW_TCP_ACK) << 16 | 65535);
	w[4] = 0;
	w[5] = FW_BE32(2u << 24 | 4u << 16 | (mss < most ? mss : most));
	w[6] = 0;
	return fw_reply_sum(8, sum);
}

/* 1: the frame is now the SYN's answer. */
int fw_cookie_answer(FW_CTX *ctx);
FW_GLOBAL int fw_cookie_answer(FW_CTX *ctx)
{
	__u32 zero = 0;
	const struct fw_ctl *ctl;
	struct fw_scratch *s;
	__u64 *sent;

	if (!FW_COOKIES) /* see fw_reject */
		return 0;
	s = fw_env_lookup(&fw_scratch, &zero);
	ctl = fw_env_lookup(&fw_ctl, &zero);
	sent = fw_env_lookup(&fw_cookies, &zero);
	if (!s || !ctl || !sent || !fw_reply_may(&s->pkt) || s->pkt.proto != FW_PROTO_TCP ||
	    s->pkt.val[FW_DIM_FRAG] != FW_FRAG_NONE)
		return 0;
	if (!fw_reply_link(ctx, s, ctl) || !fw_cookie_build(ctx, s))
		return 0;
	*sent = fw_now(ctl) | 1; /* 0: never */
	FW_FORGET();
	return fw_reply_put(ctx, s);
}

/* What fw_run has said of the frame, carried out: 1 when the frame is now an answer that is to go back. Twins only say it. */
static __always_inline int fw_answer(FW_CTX *ctx, int verdict)
{
	__u32 zero = 0;
	const struct fw_scratch *s;

	if (fw_cfg.trace)
		return 0;
	if (FW_FEATURES & FW_FEAT_REJECT && verdict == FW_VERDICT_REJECT)
		return fw_reject(ctx);
	if (FW_COOKIES && verdict == FW_VERDICT_DROP) {
		s = fw_env_lookup(&fw_scratch, &zero);
		return s && s->about.answer == FW_ANSWER_COOKIE && fw_cookie_answer(ctx);
	}
	return 0;
}

#endif
