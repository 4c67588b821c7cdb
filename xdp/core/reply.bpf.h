/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A frame that is sent back in the place of one that came: built in the scratch memory, then written over the frame, which
 * is made as long as the answer. So it makes no difference how the frame was cut, nothing of the old one is left, and the verifier
 * sees no packet pointer. It costs a copy, of packets whose number is limited.
 *
 * Addresses and ports change sides. VLAN tags stay where they were: those in the frame are copied with the rest of the
 * link layer's header, TC's own tag stays beside it. IP options and extension headers are not answered with.
 */
#ifndef FW_CORE_REPLY_H
#define FW_CORE_REPLY_H

#include "clock.bpf.h"
#include "key.bpf.h"

#define FW_ETH_LEAST 60 /* a frame on the wire, without its check sequence */
#define FW_REPLY_TTL 64
#define FW_REPLY_MOST 1280 /* bytes, link layer apart: what IPv6 carries everywhere */

/*
 * Answers of ours that other hooks of ours meet must pass, whatever the rules say, and are not counted: they are no packets
 * that came or go, but the end of one that was counted.
 *
 * TC ingress → TC egress: a mark. Nobody sets marks but the machine itself, and it is taken off again.
 * TC egress → ingress, TC or generic XDP (which sees no mark): a source MAC that only this policy knows. The stack does
 * not ask for it. Native XDP does not meet these.
 */
static __always_inline __u64 fw_reply_secret(const struct fw_ctl *ctl)
{
	return fw_hash_end(ctl->secret[8] + ctl->secret[9]);
}

/* 48 bits in host order: a unicast address, locally administered. */
static __always_inline __u64 fw_reply_mac(const struct fw_ctl *ctl)
{
	return (fw_reply_secret(ctl) >> 16 & ~(1ull << 40)) | 1ull << 41;
}

static __always_inline __u32 fw_reply_mark(const struct fw_ctl *ctl)
{
	return fw_reply_secret(ctl) | 1;
}

/* Is the frame on ingress an answer that our egress hook gave to the local stack? */
static __always_inline int fw_reply_is(const struct fw_frame *f)
{
	__u32 copy[3] = {}, zero = 0;
	const struct fw_ctl *ctl = fw_env_lookup(&fw_ctl, &zero);
	const __u8 *h = fw_at(f, 0, 12, (__u8 *)copy);

	return h && ctl && ((__u64)FW_BE16(FW_GET16(h + 6)) << 32 | FW_BE32(FW_GET32(h + 8))) == fw_reply_mac(ctl);
}

static __always_inline int fw_host4(__u32 addr)
{
	__u32 net = FW_BE32(addr) >> 24;

	return net != 0 && net != 127 && net < 224;
}

static __always_inline int fw_host6(const __u64 *addr)
{
	if (!addr[0] && (!addr[1] || addr[1] == FW_BE64(1)))
		return 0;
	return (addr[0] & 255) != 255;
}

/* RFC 1122 3.2.2, RFC 4443 2.4 (e): what is never answered, but for the link layer's addresses. */
static __always_inline int fw_reply_may(const struct fw_pkt *pkt)
{
	__u32 type;

	if (pkt->reason != FW_REASON_RULE || !pkt->l4_off) /* later fragments have no L4 */
		return 0;
	if (pkt->l3 == FW_L3_IPV4) {
		type = pkt->val[FW_DIM_ICMP] >> 8;
		/* queries, router discovery and their answers; every other type may be an error */
		if (pkt->proto == FW_PROTO_ICMP && (type >= 32 || !(0x0007e701u >> type & 1)))
			return 0;
		if (!fw_host4(pkt->addr[0].a32[0]) || !fw_host4(pkt->addr[1].a32[0]))
			return 0;
	} else {
		type = pkt->val[FW_DIM_ICMP6] >> 8;
		if (pkt->proto == FW_PROTO_ICMP6 && (type < 128 || type == 137)) /* an error, or a redirect */
			return 0;
		if (!fw_host6(pkt->addr[0].a64) || !fw_host6(pkt->addr[1].a64))
			return 0;
	}
	return pkt->proto != FW_PROTO_TCP || !(pkt->val[FW_DIM_TCPFLAGS] & FW_TCP_RST);
}

/* Where the answer starts, whose link layer's header has n bytes. Never behind the end of `link`; the verifier sees that it is inside. */
static __always_inline __u8 *fw_reply_start(struct fw_scratch *s, __u32 n)
{
	__u32 skip = FW_REPLY_LINK - n;

	FW_OPAQUE(skip);
	return s->reply.link + (skip & (FW_REPLY_LINK - 1));
}

/* The link layer: 0 when its addresses forbid an answer. */
static __always_inline int fw_reply_link(FW_CTX *ctx, struct fw_scratch *s, const struct fw_ctl *ctl)
{
	__u32 n = s->pkt.l3_off & 31;
	__u8 *l2 = fw_reply_start(s, n);
	__u16 to[3], i;
	__u64 mac;

	if (n < 14 || fw_env_load(ctx, 0, l2, n) || (l2[0] | l2[6]) & 1)
		return 0;
	for (i = 0; i < 3; i++) {
		to[i] = FW_GET16(l2 + 2 * i);
		FW_PUT16(l2 + 2 * i, FW_GET16(l2 + 6 + 2 * i));
	}
	if (fw_cfg.dir == FW_DIR_EGRESS) {
		mac = fw_reply_mac(ctl);
		to[0] = FW_BE16(mac >> 32 & 0xffff);
		to[1] = FW_BE16(mac >> 16 & 0xffff);
		to[2] = FW_BE16(mac & 0xffff);
	}
	for (i = 0; i < 3; i++)
		FW_PUT16(l2 + 6 + 2 * i, to[i]);
	return 1;
}

/* The end of a sum of 16-bit words in ones' complement, whatever their order: RFC 1071. */
static __always_inline __u32 fw_sum_end(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

/* The IP header of an answer with n bytes of L4; the pseudo header's sum. */
static __always_inline __u64 fw_reply_ip(struct fw_scratch *s, __u32 proto, __u32 n)
{
	const struct fw_pkt *pkt = &s->pkt;
	__u32 *w = s->reply.ip.w, i;
	__u64 sum = 0;

	if (pkt->l3 == FW_L3_IPV4) {
		/* RFC 1812 4.3.2.5: errors travel as internetwork control. No fragment of it: RFC 6864 lets the id be 0 */
		w[0] = FW_BE32(0x45000000 | (proto == FW_PROTO_ICMP ? 0xc00000 : 0) | (20 + n));
		w[1] = FW_BE32(0x4000);
		w[2] = FW_BE32(FW_REPLY_TTL << 24 | proto << 16);
		w[3] = pkt->addr[1].a32[0];
		w[4] = pkt->addr[0].a32[0];
		sum = (__u64)w[3] + w[4];
		s->reply.ip.h[5] = fw_sum_end(sum + w[0] + w[1] + w[2]);
		s->reply.at = 5;
	} else {
		w[0] = FW_BE32(6u << 28);
		w[1] = FW_BE32(n << 16 | proto << 8 | FW_REPLY_TTL);
		for (i = 0; i < 4; i++) {
			w[2 + i] = pkt->addr[1].a32[i];
			w[6 + i] = pkt->addr[0].a32[i];
			sum += (__u64)w[2 + i] + w[6 + i];
		}
		s->reply.at = 10;
	}
	s->reply.bytes = s->reply.at * 4 + n;
	return sum + FW_BE32(proto) + FW_BE32(n);
}

/*
 * The checksum, whose place is the 16-bit word `field` of L4, over all of it and `sum`. Behind the end there must be a zero. A
 * global function, lest the verifier walk its steps for every kind of answer.
 */
int fw_reply_sum(__u32 field, __u64 sum);
FW_GLOBAL int fw_reply_sum(__u32 field, __u64 sum)
{
	__u32 zero = 0, at, end, i, k;
	struct fw_scratch *s = fw_env_lookup(&fw_scratch, &zero);

	FW_NEEDS(FW_FEATS_ANSWER);
	if (!s)
		return 0;
	at = s->reply.at & 15;
	end = (s->reply.bytes + 3) / 4;
	field = (at * 2 + field) & 63;
	s->reply.ip.h[field] = 0;
	FW_NO_UNROLL
	for (i = 0; i < FW_REPLY_MOST / 4; i++) {
		k = at + i;
		if (k >= end)
			break;
		FW_OPAQUE(k);
		sum += s->reply.ip.w[k & (FW_REPLY_WORDS - 1)];
	}
	s->reply.ip.h[field] = fw_sum_end(sum);
	return 1;
}

/* The frame becomes the answer: 0 when the kernel cannot do it; then the frame is spoilt, and to be dropped. */
static __always_inline int fw_reply_put(FW_CTX *ctx, struct fw_scratch *s)
{
	__u32 link = FW_FRESH(s->pkt.l3_off) & 31, n = link + FW_FRESH(s->reply.bytes), was = fw_env_len(ctx);

	if (n < FW_ETH_LEAST && was >= FW_ETH_LEAST) /* it was padded for the wire */
		n = FW_ETH_LEAST;
	FW_OPAQUE(n);
	n &= 2047;
	if (n < 14 + 20 || fw_env_resize(ctx, n, was, s->pkt.l4_off))
		return 0;
	return !fw_env_store(ctx, fw_reply_start(s, link), n);
}

#endif
