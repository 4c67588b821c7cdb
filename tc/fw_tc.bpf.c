// SPDX-License-Identifier: GPL-2.0-only
/* The TC hooks, ingress and egress: packets as the stack holds them, tags and segments in metadata. */
#define FW_ENV_TC
#include "answer.bpf.h"
#include "run.bpf.h"

/* Out through our own egress hook, or in through our own ingress hook: marked, so that neither judges it (reply.bpf.h). */
static __always_inline int fwctl_tc_answer(struct __sk_buff *skb)
{
	__u32 zero = 0;
	const struct fw_ctl *ctl = fw_env_lookup(&fw_ctl, &zero);

	if (!ctl)
		return TC_ACT_SHOT;
	if (fw_cfg.dir == FW_DIR_EGRESS) {
		skb->mark = 0;
		return bpf_redirect(skb->ifindex, BPF_F_INGRESS);
	}
	skb->mark = fw_reply_mark(ctl);
	return bpf_redirect(skb->ifindex, 0);
}

/* Is it such an answer? Then its mark is gone. */
static __always_inline int fwctl_tc_ours(struct __sk_buff *skb, const struct fw_frame *f)
{
	__u32 zero = 0;
	const struct fw_ctl *ctl = fw_env_lookup(&fw_ctl, &zero);

	if (fw_cfg.dir == FW_DIR_INGRESS)
		return fw_reply_is(f);
	if (!ctl || skb->mark != fw_reply_mark(ctl))
		return 0;
	skb->mark = 0;
	return 1;
}

static __always_inline int fwctl_tc(struct __sk_buff *skb)
{
	__u32 segs = skb->gso_segs, wire = skb->wire_len;
	int verdict;
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
	if (FW_FEATURES & FW_FEATS_ANSWER && fwctl_tc_ours(skb, &f))
		return TC_ACT_UNSPEC;
	verdict = fw_run(&f);
	if (verdict == FW_VERDICT_PASS)
		return TC_ACT_UNSPEC;
	return fw_answer(skb, verdict) ? fwctl_tc_answer(skb) : TC_ACT_SHOT;
}

SEC("tc")
int fwctl_tc_in(struct __sk_buff *skb) { return fwctl_tc(skb); }

SEC("tc")
int fwctl_tc_out(struct __sk_buff *skb) { return fwctl_tc(skb); }

char _license[] SEC("license") = "GPL";
