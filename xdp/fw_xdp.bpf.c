// SPDX-License-Identifier: GPL-2.0-only
/* The XDP hook: frames as the driver received them. */
#define FW_ENV_XDP
#include "answer.bpf.h"
#include "run.bpf.h"

static __always_inline int fwctl_xdp_any(struct xdp_md *ctx, int answers)
{
	struct fw_frame f = {
		.ctx = ctx,
		.data = (void *)(long)ctx->data,
		.end = (void *)(long)ctx->data_end,
		.split = fw_cfg.frags,
		.packets = 1,
	};
	int verdict;

	f.len = f.end - f.data;
	if (fw_cfg.frags) /* the linear part may be the headers alone, or less */
		f.len = bpf_xdp_get_buff_len(ctx);
	f.bytes = f.len;
	if (FW_FEATURES & FW_FEAT_REJECT && fw_reply_is(&f))
		return XDP_PASS;
	verdict = fw_run(&f);
	if (verdict == FW_VERDICT_PASS)
		return XDP_PASS;
	return answers && fw_answer(ctx, verdict) ? XDP_TX : XDP_DROP;
}

SEC("xdp")
int fwctl_xdp(struct xdp_md *ctx) { return fwctl_xdp_any(ctx, 0); }

/*
 * The one that answers (FW_FEATS_ANSWER) changes the length of frames. A program of its own, for newer kernels want to know
 * of a part of a dispatcher whether it has code that can do that, run or not.
 */
SEC("xdp")
int fwctl_xdp_ans(struct xdp_md *ctx) { return fwctl_xdp_any(ctx, 1); }

char _license[] SEC("license") = "GPL";
