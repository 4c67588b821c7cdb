/* SPDX-License-Identifier: GPL-2.0-only */
/* Limits: a bucket is one word, the time when it will be full again (userspace/model/limit.h). */
#ifndef FW_CORE_LIMIT_H
#define FW_CORE_LIMIT_H

#include "clock.bpf.h"

#define FW_SWAP_TRIES 8
#define FW_UNITS(ns) ((ns) << 6)

enum fw_limited { FW_WITHIN, FW_OVER, FW_NO_ROOM };

/* Take `cost` from the bucket, when it has that much. */
static __always_inline int fw_gcra(__u64 *until, __u64 now, __u64 cost, __u64 burst)
{
	__u64 old, t;
	__u32 i;

	FW_NO_UNROLL
	for (i = 0; i < FW_SWAP_TRIES; i++) {
		old = *(volatile __u64 *)until;
		t = (old > now ? old : now) + cost;
		if (t - now > burst)
			return FW_OVER;
		if (fw_cfg.readonly || fw_swap(until, old, t) == old)
			return FW_WITHIN;
	}
	return FW_OVER;
}

#endif
