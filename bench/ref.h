/* SPDX-License-Identifier: GPL-2.0-only */
/* What bench/ref.bpf.c and its user agree on. */
#ifndef FW_BENCH_REF_H
#define FW_BENCH_REF_H

#include <linux/types.h>

struct ref_lpm_key {
	__u32 len;
	__u32 addr; /* network order */
};

struct ref_counter {
	__u64 packets, bytes;
};

/* Every frame of a trace has this length: what is shorter is padded, as Ethernet does. */
#define REF_FRAME_LEN 96
struct ref_frame {
	__u8 byte[REF_FRAME_LEN];
} __attribute__((aligned(8)));

#endif
