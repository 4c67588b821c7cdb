// SPDX-License-Identifier: GPL-2.0-only
/* The XDP hook: frames as the driver received them. */
#define FW_ENV_XDP
#include "run.bpf.h"

SEC("xdp")
int fwctl_xdp(struct xdp_md *ctx)
{
	struct fw_frame f = {
		.ctx = ctx,
		.data = (void *)(long)ctx->data,
		.end = (void *)(long)ctx->data_end,
		.split = fw_cfg.frags,
		.packets = 1,
	};

	f.len = f.end - f.data;
	if (fw_cfg.frags) /* the linear part may be the headers alone, or less */
		f.len = bpf_xdp_get_buff_len(ctx);
	f.bytes = f.len;
	return fw_run(&f) == FW_VERDICT_PASS ? XDP_PASS : XDP_DROP;
}

char _license[] SEC("license") = "GPL";
