// SPDX-License-Identifier: GPL-2.0-only
/*
 * The generator of the veth benchmark, and the programs that do nothing at the other end. The generator is run as live
 * frames (BPF_F_TEST_XDP_LIVE_FRAMES): the kernel recycles its pages, so every run writes what differs and redirects
 * the frame into one end of the pair.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>

#include "veth.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, VETH_MAX_TRAFFIC);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct ref_frame);
} veth_frames SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, __u32[VETH_MAX_TRAFFIC]); /* host order */
} veth_sources SEC(".maps");

struct veth_ctl veth_ctl;

static __always_inline int frame_source(void *data, void *end)
{
	struct iphdr *ip = data + sizeof(struct ethhdr);
	__u32 zero = 0, (*sources)[VETH_MAX_TRAFFIC] = bpf_map_lookup_elem(&veth_sources, &zero), source, sum;

	if (!sources || (void *)(ip + 1) > end)
		return -1;
	source = (*sources)[veth_ctl.pos++ & veth_ctl.mask & (VETH_MAX_TRAFFIC - 1)];
	sum = veth_ctl.sum + (source >> 16) + (source & 0xffff);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	ip->saddr = __builtin_bswap32(source);
	ip->check = __builtin_bswap16(~sum);
	return 0;
}

static __always_inline int frame_next(void *data, void *end)
{
	__u32 key = veth_ctl.pos++ & veth_ctl.mask;
	const struct ref_frame *frame = bpf_map_lookup_elem(&veth_frames, &key);

	if (!frame || data + sizeof(*frame) > end)
		return -1;
	__builtin_memcpy(data, frame, sizeof(*frame));
	return 0;
}

SEC("xdp")
int veth_generate(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	int err = 0;

	if (veth_ctl.traffic == VETH_SOURCES)
		err = frame_source(data, end);
	else if (veth_ctl.traffic == VETH_FRAMES)
		err = frame_next(data, end);
	return err ? XDP_ABORTED : bpf_redirect(veth_ctl.ifindex, 0);
}

SEC("xdp")
int veth_xdp_drop(struct xdp_md *ctx)
{
	return XDP_DROP;
}

SEC("xdp")
int veth_xdp_pass(struct xdp_md *ctx)
{
	return XDP_PASS;
}

SEC("tc")
int veth_tc_drop(struct __sk_buff *skb)
{
	return TC_ACT_SHOT;
}

SEC("tc")
int veth_tc_pass(struct __sk_buff *skb)
{
	return TC_ACT_OK;
}

char _license[] SEC("license") = "GPL";
