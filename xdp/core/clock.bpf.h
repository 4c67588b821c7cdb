/* SPDX-License-Identifier: GPL-2.0-only */
/* Time, and the hash of the tables: both need the policy's control word. */
#ifndef FW_CORE_CLOCK_H
#define FW_CORE_CLOCK_H

#include "maps.bpf.h"

/* The policy's clock in ns. The kernel turns bpf_jiffies64 into one load; reading a finer clock costs 30 ns. */
static __always_inline __u64 fw_now(const struct fw_ctl *ctl)
{
	if (fw_cfg.trace && ctl->given & FW_GIVEN_NOW)
		return ctl->given_ns;
	return (fw_env_jiffies() - ctl->jiffies0) * ctl->jiffy_ns;
}

static __always_inline __u64 fw_now_fine(const struct fw_ctl *ctl)
{
	if (fw_cfg.trace && ctl->given & FW_GIVEN_NOW)
		return ctl->given_ns;
	return fw_env_ktime();
}

#define FW_TICK(ns) ((ns) >> FW_TICK_SHIFT)

/*
 * Multilinear hashing (Carter and Wegman 1979; Lemire and Kaser, "Strongly universal string hashing is fast", 2013): a sum of 32-bit
 * pieces times random 64-bit numbers that only this policy has, so nobody outside can make keys that meet. Its high bits are good; the
 * end spreads them.
 */
static __always_inline __u64 fw_hash_end(__u64 h)
{
	h ^= h >> 31;
	h *= 0xbf58476d1ce4e5b9ull;
	return h ^ h >> 32;
}

static __always_inline __u64 fw_hash_flow(const struct fw_ctl *ctl, const struct fw_flow_key *k)
{
	const __u64 *m = ctl->secret;
	__u64 h = k->a[0] * m[0] + k->b[0] * m[1] + ((__u32)k->pa << 16 | k->pb) * m[2] +
		  ((__u32)k->l3 << 8 | k->proto) * m[3];

	if (k->l3 == FW_L3_IPV6)
		h += k->a[1] * m[4] + k->a[2] * m[5] + k->a[3] * m[6] + k->b[1] * m[7] + k->b[2] * m[8] + k->b[3] * m[9];
	return fw_hash_end(h);
}

/* Of a rule (fw_extra.identity), what of it, and an address. */
static __always_inline __u64 fw_hash_rule(const struct fw_ctl *ctl, __u32 rule, __u32 what, const __u32 addr[4])
{
	const __u64 *m = ctl->secret;

	return fw_hash_end(rule * m[10] + what * m[11] + addr[0] * m[0] + addr[1] * m[4] + addr[2] * m[5] + addr[3] * m[6]);
}

#endif
