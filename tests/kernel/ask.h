/* SPDX-License-Identifier: GPL-2.0-only */
/* What test_reject tells the programs of ask_xdp.bpf.c and ask_tc.bpf.c to take for the verdict of every frame. */
#ifndef FW_TESTS_KERNEL_ASK_H
#define FW_TESTS_KERNEL_ASK_H

#include <linux/types.h>

struct ask {
	__u32 verdict; /* enum fw_verdict */
	__u32 answer;  /* enum fw_answer */
	__u32 reject;  /* enum fw_reject */
	__u32 cookie;  /* written: the frame brought a valid cookie */
};

#endif
