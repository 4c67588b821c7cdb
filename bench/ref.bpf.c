// SPDX-License-Identifier: GPL-2.0-only
/*
 * What fwctl's cost is held against: nothing at all, one look-up in the kernel's own longest-prefix-match trie, and a
 * driver that gives any program another packet on each run.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>

#include "ref.h"

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1 << 21);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct ref_lpm_key);
	__type(value, __u32);
} ref_trie SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct ref_frame);
} ref_frames SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} ref_next SEC(".maps");

volatile const __u32 ref_mask = 0; /* frames of the trace - 1 */
__u32 ref_pos;

SEC("xdp")
int ref_empty(struct xdp_md *ctx)
{
	return XDP_DROP;
}

SEC("tc")
int ref_tc_empty(struct __sk_buff *skb)
{
	return TC_ACT_SHOT;
}

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, struct ref_counter);
} ref_counters SEC(".maps");

/* The least that counting costs: one look-up, two additions. */
SEC("xdp")
int ref_count(struct xdp_md *ctx)
{
	__u32 key = 7;
	struct ref_counter *c = bpf_map_lookup_elem(&ref_counters, &key);

	if (c) {
		c->packets++;
		c->bytes += ctx->data_end - ctx->data;
	}
	return XDP_DROP;
}

/* Is the IPv4 source address in the trie? The least that an address list costs with the kernel's own structure. */
SEC("xdp")
int ref_lpm(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;
	struct iphdr *ip = data + sizeof(*eth);
	struct ref_lpm_key key = { .len = 32 };

	if ((void *)(ip + 1) > end || eth->h_proto != __builtin_bswap16(ETH_P_IP))
		return XDP_PASS;
	key.addr = ip->saddr;
	return bpf_map_lookup_elem(&ref_trie, &key) ? XDP_DROP : XDP_PASS;
}

/* Write the next frame of the trace over the packet, then run the program under test on it. */
SEC("xdp")
int ref_trace(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u32 key = ref_pos++ & ref_mask;
	const struct ref_frame *frame = bpf_map_lookup_elem(&ref_frames, &key);

	if (!frame || data + sizeof(*frame) > end)
		return XDP_ABORTED;
	__builtin_memcpy(data, frame, sizeof(*frame));
	bpf_tail_call(ctx, &ref_next, 0);
	return XDP_ABORTED;
}

char _license[] SEC("license") = "GPL";
