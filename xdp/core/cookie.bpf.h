/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SYN cookies, of the kernel's own making: its listeners take the ACK that brings one back, so no sequence number has to be
 * translated and nothing is remembered of who asked. What they need: net.ipv4.tcp_syncookies, and that the
 * listener has lately had to send cookies itself, which with 2 every SYN that reaches it makes sure of.
 */
#ifndef FW_CORE_COOKIE_H
#define FW_CORE_COOKIE_H

#include "clock.bpf.h"

#define FW_COOKIE_NS 120000000000ull /* older ones do not hold */
#define FW_COOKIES (FW_FEATURES & FW_FEAT_SYNPROXY && fw_cfg.dir == FW_DIR_INGRESS)

#define FW_COOKIE_SPARE_NS 1000000000ull
#define FW_COOKIE_GROUPS 4 /* of ports: fw_cookies[1..]; a power of two */

/*
 * A listener believes in cookies for two minutes after it had to send one itself (tcp_synq_no_recent_overflow() in the kernel), and
 * with tcp_syncookies=2 every SYN that reaches it makes it send one. So while we answer in its place, one SYN a second and
 * group of ports goes on to it, without a flow. 1: it is this one.
 */
static __always_inline int fw_cookie_spare(const struct fw_scratch *s)
{
	__u32 zero = 0, group = 1 + (s->pkt.val[FW_DIM_DPORT] & (FW_COOKIE_GROUPS - 1));
	__u64 *last = fw_env_lookup(&fw_cookies, &zero), old;

	if (!last || fw_cfg.readonly)
		return 0;
	old = *(volatile __u64 *)&last[group];
	return s->about.now - old >= FW_COOKIE_SPARE_NS && fw_swap(&last[group], old, s->about.now) == old;
}

#ifdef __bpf__

/* The packet, an ACK without a flow, brings a cookie. A global function: rare. */
int fw_cookie_check(FW_CTX *ctx);
FW_GLOBAL int fw_cookie_check(FW_CTX *ctx)
{
	__u32 zero = 0, ip[10] = {}, tcp[5];
	struct fw_scratch *s;

	if (!FW_COOKIES) /* older kernels walk global functions that nobody calls */
		return 0;
	s = fw_env_lookup(&fw_scratch, &zero);
	if (!s || fw_env_load(ctx, s->pkt.l4_off, tcp, sizeof(tcp)))
		return 0;
	if (s->pkt.l3 == FW_L3_IPV4)
		return !fw_env_load(ctx, s->pkt.l3_off, ip, 20) && !fw_env_cookie4_check(ip, tcp);
	return !fw_env_load(ctx, s->pkt.l3_off, ip, 40) && !fw_env_cookie6_check(ip, tcp);
}

/* Did the packet bring a SYN cookie of ours? Nobody is asked while none has been sent. */
static __always_inline int fw_cookie_valid(FW_CTX *ctx, const struct fw_scratch *s)
{
	__u32 zero = 0;
	const __u64 *sent;

	if (!FW_COOKIES)
		return 0;
	sent = fw_env_lookup(&fw_cookies, &zero);
	return sent && *sent && s->about.now < *sent + FW_COOKIE_NS && fw_cookie_check(ctx);
}

#else

static __always_inline int fw_cookie_valid(FW_CTX *ctx, const struct fw_scratch *s)
{
	return 0;
}

#endif
#endif
