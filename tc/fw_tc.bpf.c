// SPDX-License-Identifier: GPL-2.0-only
/* The TC hooks, ingress and egress: packets as the stack holds them, tags and segments in metadata. */
#define FW_ENV_TC
#include "run.bpf.h"

static __always_inline int fwctl_tc(struct __sk_buff *skb)
{
	__u32 segs = skb->gso_segs, wire = skb->wire_len;
	struct fw_frame f = {
		.ctx = skb,
		.data = (void *)(long)skb->data,
		.end = (void *)(long)skb->data_end,
		.len = skb->len,
		.split = 1,
		.vlan_present = skb->vlan_present,
		.vlan_tci = skb->vlan_tci,
		.protocol = FW_BE16(skb->protocol),
		.packets = segs > 1 ? segs : 1,
		.bytes = skb->len,
	};

	if (segs > 1 && wire > f.len) /* headers repeated on the wire; set on egress */
		f.bytes = wire;
	/* "No opinion", so that filters and programs behind us are asked too; the stack passes what nobody drops. */
	return fw_run(&f) == FW_VERDICT_PASS ? TC_ACT_UNSPEC : TC_ACT_SHOT;
}

SEC("tc")
int fwctl_tc_in(struct __sk_buff *skb) { return fwctl_tc(skb); }

SEC("tc")
int fwctl_tc_out(struct __sk_buff *skb) { return fwctl_tc(skb); }

char _license[] SEC("license") = "GPL";
