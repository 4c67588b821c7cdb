/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bytes → struct fw_pkt. The rules of parsing are written down in userspace/model/packet.h, whose parser shares nothing
 * with this one; both must agree on every frame, faults included.
 *
 * Every header is reached through fw_at(): a pointer into the linear part when the header is there, else a copy. So the
 * verdict does not depend on how the driver cut the frame.
 */
#ifndef FW_CORE_PARSE_H
#define FW_CORE_PARSE_H

#include "env.bpf.h"

#define FW_ETH_IPV4 0x0800
#define FW_ETH_IPV6 0x86dd
#define FW_ETH_8021Q 0x8100
#define FW_ETH_8021AD 0x88a8
#define FW_ETH_MIN 0x0600 /* below: a length, not a type */

enum fw_proto {
	FW_PROTO_HOPOPTS = 0,
	FW_PROTO_ICMP = 1,
	FW_PROTO_TCP = 6,
	FW_PROTO_UDP = 17,
	FW_PROTO_ROUTING = 43,
	FW_PROTO_FRAGMENT = 44,
	FW_PROTO_AH = 51,
	FW_PROTO_ICMP6 = 58,
	FW_PROTO_DSTOPTS = 60,
	FW_PROTO_SCTP = 132,
};

/* The frame as the hook hands it over. */
struct fw_frame {
	void *ctx;
	const __u8 *data, *end; /* the linear part */
	__u32 len;              /* of the whole frame */
	__u32 split;            /* some of it may be outside the linear part */
	__u32 vlan_present, vlan_tci; /* TC: the tag held in metadata */
	__u32 protocol;         /* TC: what the kernel takes the frame for (host order); 0: it does not say */
	__u32 packets, bytes;   /* as they were or will be on the wire */
};

#define FW_SMALL_ROOM 32 /* small dimensions and MAC: a power of two */
#define FW_SMALL_MOST (FW_DIM_SMALL_COUNT + 1)
_Static_assert(FW_SMALL_MOST < FW_SMALL_ROOM, "room for another dimension");

/* What classification needs of a packet. A field that is absent has the value 2^bits, the last cell of its table. */
struct fw_pkt {
	__u32 reason; /* FW_REASON_RULE: parsed, else the fault */
	__u32 l3;     /* enum fw_l3 */
	__u32 packets, bytes;
	__u64 mac;
	union {
		__u64 a64[2]; /* in wire order; an IPv4 address is in a32[0] */
		__u32 a32[4];
		__u8 a8[16];
	} addr[2]; /* SRC, DST */
	__u32 val[FW_SMALL_ROOM];
	__u32 l3_off, l4_off, end; /* in the frame; only with features that need them. l4_off 0: there is no L4 header */
	__u32 proto;
	__u32 icmp_id;             /* wire order, likewise */
	__u32 dir;                 /* enum fw_dir */
	__u32 tcp[3];              /* bytes 4 to 15 of its header, wire order: seq, ack; data offset, flags, window. With flows alone */
};
/* Who looks at packets as parts of something. */
#define FW_FEATS_PLACE (FW_FEAT_STATE | FW_FEAT_LIMIT | FW_FEAT_REJECT | FW_FEAT_SYNPROXY)

/* Where L4 starts, where the packet ends, what it is; the IPv6 extension headers before it. */
struct fw_l4 {
	__u32 off, end, proto, frag, ext;
};

/* n bytes at off, or NULL when the frame has fewer. `buf` has room for n. */
static __always_inline const __u8 *fw_at(const struct fw_frame *f, __u32 off, __u32 n, __u8 *buf)
{
	const __u8 *p = f->data + off;

	FW_OPAQUE(p);
	if (fw_likely(p + n <= f->end))
		return p;
	if (!f->split || off + n > f->len || fw_env_load(f->ctx, off, buf, n))
		return NULL;
	return buf;
}

static __always_inline enum fw_reason fw_parse_tcp(const struct fw_frame *f, const struct fw_l4 *l4, struct fw_pkt *pkt,
						   __u8 *buf, enum fw_reason tiny)
{
	const __u8 *h;
	__u32 doff;

	if (l4->off + 20 > l4->end)
		return tiny;
	h = fw_at(f, l4->off, 20, buf);
	if (!h)
		return FW_REASON_NOT_LINEAR;
	doff = h[12] >> 4;
	if (doff < 5)
		return FW_REASON_MALFORMED;
	if (l4->off + doff * 4 > l4->end)
		return l4->frag == FW_FRAG_FIRST ? FW_REASON_FRAG_TINY : FW_REASON_MALFORMED;
	pkt->val[FW_DIM_SPORT] = FW_BE16(FW_GET16(h));
	pkt->val[FW_DIM_DPORT] = FW_BE16(FW_GET16(h + 2));
	pkt->val[FW_DIM_TCPFLAGS] = h[13];
	if (FW_FEATURES & FW_FEAT_STATE) {
		pkt->tcp[0] = FW_GET32(h + 4);
		pkt->tcp[1] = FW_GET32(h + 8);
		pkt->tcp[2] = FW_GET32(h + 12);
	}
	return FW_REASON_RULE;
}

static __always_inline enum fw_reason fw_parse_l4(const struct fw_frame *f, const struct fw_l4 *l4, struct fw_pkt *pkt,
						  __u8 *buf)
{
	enum fw_reason tiny = l4->frag == FW_FRAG_FIRST ? FW_REASON_FRAG_TINY : FW_REASON_L4_SHORT;
	const __u8 *h;
	__u32 need;

	if (FW_FEATURES & FW_FEATS_PLACE) {
		pkt->l4_off = l4->off;
		pkt->end = l4->end;
		pkt->proto = l4->proto;
	}
	if (l4->proto == FW_PROTO_TCP)
		return fw_parse_tcp(f, l4, pkt, buf, tiny);
	if (l4->proto == FW_PROTO_UDP)
		need = 8;
	else if (l4->proto == FW_PROTO_SCTP)
		need = 12;
	else if (l4->proto == (pkt->l3 == FW_L3_IPV4 ? FW_PROTO_ICMP : FW_PROTO_ICMP6))
		need = 8;
	else
		return FW_REASON_RULE;
	if (l4->off + need > l4->end)
		return tiny;
	h = fw_at(f, l4->off, 8, buf);
	if (!h)
		return FW_REASON_NOT_LINEAR;
	if (l4->proto == FW_PROTO_UDP && FW_BE16(FW_GET16(h + 4)) < 8)
		return FW_REASON_MALFORMED;
	if (FW_FEATURES & FW_FEATS_PLACE)
		pkt->icmp_id = FW_GET16(h + 4);
	if (l4->proto == FW_PROTO_ICMP) {
		pkt->val[FW_DIM_ICMP] = h[0] << 8 | h[1];
	} else if (l4->proto == FW_PROTO_ICMP6) {
		pkt->val[FW_DIM_ICMP6] = h[0] << 8 | h[1];
	} else {
		pkt->val[FW_DIM_SPORT] = FW_BE16(FW_GET16(h));
		pkt->val[FW_DIM_DPORT] = FW_BE16(FW_GET16(h + 2));
	}
	return FW_REASON_RULE;
}

static __always_inline enum fw_reason fw_parse_ipv4(const struct fw_frame *f, __u32 off, struct fw_pkt *pkt, __u8 *buf)
{
	const __u8 *h = fw_at(f, off, 20, buf);
	__u32 ihl, tot, frag;
	struct fw_l4 l4;

	if (!h)
		return FW_REASON_MALFORMED;
	ihl = (h[0] & 15) * 4;
	tot = FW_BE16(FW_GET16(h + 2));
	if (fw_unlikely(!tot && f->packets > 1)) /* a super-packet over 64 KB: its length does not fit the field */
		tot = f->len - off;
	if (h[0] >> 4 != 4 || ihl < 20 || tot < ihl || off + tot > f->len)
		return FW_REASON_MALFORMED;
	frag = FW_BE16(FW_GET16(h + 6));
	l4.proto = h[9];
	l4.off = off + ihl;
	l4.end = off + tot;
	pkt->l3 = FW_L3_IPV4;
	pkt->val[FW_DIM_PROTO] = FW_L3_IPV4 << 8 | l4.proto;
	pkt->val[FW_DIM_DSCP] = h[1] >> 2;
	pkt->val[FW_DIM_ECN] = h[1] & 3;
	pkt->val[FW_DIM_TTL] = h[8];
	pkt->val[FW_DIM_LEN] = tot < 65535 ? tot : 65535;
	pkt->addr[0].a32[0] = FW_GET32(h + 12);
	pkt->addr[1].a32[0] = FW_GET32(h + 16);
	if (fw_unlikely(frag & 0x1fff)) {
		pkt->val[FW_DIM_FRAG] = FW_FRAG_LATER;
		/* what follows would overwrite the flags of the first fragment's TCP header */
		return (frag & 0x1fff) == 1 && l4.proto == FW_PROTO_TCP ? FW_REASON_FRAG_TINY : FW_REASON_RULE;
	}
	l4.frag = frag & 0x2000 ? FW_FRAG_FIRST : FW_FRAG_NONE;
	pkt->val[FW_DIM_FRAG] = l4.frag;
	return fw_parse_l4(f, &l4, pkt, buf);
}

static __always_inline int fw_ext_is(__u32 proto)
{
	return proto == FW_PROTO_HOPOPTS || proto == FW_PROTO_ROUTING || proto == FW_PROTO_FRAGMENT ||
	       proto == FW_PROTO_AH || proto == FW_PROTO_DSTOPTS;
}

/*
 * The chain of IPv6 extension headers: *l4 goes in as its start and comes out as what follows it. Rare, so its headers are
 * always copied; and a global function, so that the verifier walks the nine steps once, for any start, and takes what
 * comes out for any number. Returns enum fw_reason.
 */
int fw_parse_ext(FW_CTX *ctx, struct fw_l4 *l4);
FW_GLOBAL int fw_parse_ext(FW_CTX *ctx, struct fw_l4 *l4)
{
	__u32 start, ext, size, i;
	__u8 h[8];

	if (!l4)
		return FW_REASON_NOT_LINEAR;
	start = l4->off;
	ext = l4->ext;

	FW_NO_UNROLL
	for (i = 0; i <= FW_MAX_EXT_HEADERS; i++) {
		if (!fw_ext_is(l4->proto))
			break;
		if (i == FW_MAX_EXT_HEADERS || l4->off + 8 > l4->end)
			return FW_REASON_EXT_CHAIN;
		if (fw_env_load(ctx, l4->off, h, 8))
			return FW_REASON_NOT_LINEAR;
		size = (h[1] + 1) * 8;
		if (l4->proto == FW_PROTO_FRAGMENT)
			size = 8;
		else if (l4->proto == FW_PROTO_AH)
			size = (h[1] + 2) * 4;
		if (l4->off + size > l4->end || l4->off + size > start + FW_MAX_EXT_BYTES)
			return FW_REASON_EXT_CHAIN;
		l4->off += size;
		if (l4->proto == FW_PROTO_HOPOPTS) {
			if (i)
				return FW_REASON_EXT_CHAIN;
			ext |= 1 << FW_EXT_HOPOPTS;
		} else if (l4->proto == FW_PROTO_ROUTING) {
			if (!h[2])
				return FW_REASON_EXT_CHAIN;
			ext |= 1 << FW_EXT_ROUTING;
		} else if (l4->proto == FW_PROTO_FRAGMENT) {
			__u32 where = FW_BE16(FW_GET16(h + 2));

			if (ext & 1 << FW_EXT_FRAGMENT)
				return FW_REASON_EXT_CHAIN;
			ext |= 1 << FW_EXT_FRAGMENT;
			if (where & 0xfff8)
				l4->frag = FW_FRAG_LATER;
			else if (where & 1)
				l4->frag = FW_FRAG_FIRST;
		} else {
			ext |= l4->proto == FW_PROTO_AH ? 1 << FW_EXT_AH : 1 << FW_EXT_DSTOPTS;
		}
		l4->proto = h[0];
		if (l4->frag == FW_FRAG_LATER)
			break;
	}
	l4->ext = ext;
	return FW_REASON_RULE;
}

static __always_inline enum fw_reason fw_parse_ipv6(const struct fw_frame *f, __u32 off, struct fw_pkt *pkt, __u8 *buf)
{
	const __u8 *h = fw_at(f, off, 40, buf);
	enum fw_reason reason;
	struct fw_l4 l4;
	__u32 tot;

	if (!h)
		return FW_REASON_MALFORMED;
	tot = FW_BE16(FW_GET16(h + 4)) + 40;
	if (fw_unlikely(tot == 40 && f->packets > 1)) /* as in IPv4 */
		tot = f->len - off;
	if (h[0] >> 4 != 6 || off + tot > f->len)
		return FW_REASON_MALFORMED;
	l4.proto = h[6];
	l4.off = off + 40;
	l4.end = off + tot;
	l4.frag = FW_FRAG_NONE;
	l4.ext = 0;
	pkt->l3 = FW_L3_IPV6;
	pkt->val[FW_DIM_DSCP] = FW_BE16(FW_GET16(h)) >> 6 & 63;
	pkt->val[FW_DIM_ECN] = h[1] >> 4 & 3;
	pkt->val[FW_DIM_TTL] = h[7];
	pkt->val[FW_DIM_LEN] = tot < 65535 ? tot : 65535;
	pkt->addr[0].a64[0] = FW_GET64(h + 8);
	pkt->addr[0].a64[1] = FW_GET64(h + 16);
	pkt->addr[1].a64[0] = FW_GET64(h + 24);
	pkt->addr[1].a64[1] = FW_GET64(h + 32);
	if (fw_unlikely(fw_ext_is(l4.proto))) {
		reason = fw_parse_ext(f->ctx, &l4);
		if (reason != FW_REASON_RULE)
			return reason;
		l4.off &= 511; /* it is: 22 + 40 + 256 at most; said again for the verifier */
	}
	pkt->val[FW_DIM_PROTO] = FW_L3_IPV6 << 8 | l4.proto;
	pkt->val[FW_DIM_EXT] = l4.ext;
	pkt->val[FW_DIM_FRAG] = l4.frag;
	if (l4.frag == FW_FRAG_LATER)
		return FW_REASON_RULE;
	return fw_parse_l4(f, &l4, pkt, buf);
}

static __always_inline int fw_tag_is(__u32 type)
{
	return type == FW_ETH_8021Q || type == FW_ETH_8021AD;
}

/* One tag at *off: VID, then the next type. 0 when the frame ends inside it. */
static __always_inline int fw_parse_tag(const struct fw_frame *f, __u32 off, __u32 *vlan, __u32 *type, __u8 *buf)
{
	const __u8 *h = fw_at(f, off, 4, buf);
	__u32 vid;

	if (!h)
		return 0;
	vid = FW_BE16(FW_GET16(h)) & 4095;
	if (vid && *vlan == 4096)
		*vlan = vid;
	*type = FW_BE16(FW_GET16(h + 2));
	return 1;
}

static __always_inline enum fw_reason fw_parse_l3(const struct fw_frame *f, __u32 off, __u32 type, struct fw_pkt *pkt,
						  __u8 *buf)
{
	if (type == FW_ETH_IPV4)
		return fw_parse_ipv4(f, off, pkt, buf);
	if (type == FW_ETH_IPV6)
		return fw_parse_ipv6(f, off, pkt, buf);
	return FW_REASON_RULE;
}

#define FW_HEADER_MAX 40 /* the longest header that is read at once */
/* The whole frame. Fills *pkt, except for packets and bytes. `buf` has room for FW_HEADER_MAX. */
static __always_inline enum fw_reason fw_parse(const struct fw_frame *f, struct fw_pkt *pkt, __u8 *buf)
{
	const __u8 *h = fw_at(f, 0, 14, buf);
	__u32 type, vlan = 4096, off = 14;

#define FW_X(id, bits) pkt->val[FW_DIM_##id] = 1u << (bits);
	FW_SMALL_DIMS(FW_X)
#undef FW_X
	pkt->val[FW_DIM_PROTO] = 0; /* of what is not IP */
	pkt->val[FW_DIM_STATE] = FW_STATE_NONE;
	pkt->l3 = FW_L3_OTHER;
	if (FW_FEATURES & FW_FEATS_PLACE)
		pkt->l4_off = 0;
	if (!h)
		return FW_REASON_L2_SHORT;
	pkt->mac = (__u64)FW_BE16(FW_GET16(h + 6)) << 32 | FW_BE32(FW_GET32(h + 8));
	type = FW_BE16(FW_GET16(h + 12));
	/* The stack will go by the kernel's word, we by the frame's: they must be one. Types under 0x600 are the kernel's
	 * own (LLC, "all", none) and name no frame. */
	if (f->protocol >= FW_ETH_MIN && type != f->protocol)
		return FW_REASON_L2_MISMATCH;
	if (f->vlan_present && (f->vlan_tci & 4095))
		vlan = f->vlan_tci & 4095;
	if (fw_unlikely(fw_tag_is(type))) {
		if (!fw_parse_tag(f, 14, &vlan, &type, buf))
			return FW_REASON_VLAN_DEPTH;
		off = 18;
		if (fw_tag_is(type)) {
			if (f->vlan_present || !fw_parse_tag(f, 18, &vlan, &type, buf) || fw_tag_is(type))
				return FW_REASON_VLAN_DEPTH;
			off = 22;
		}
	}
	pkt->val[FW_DIM_VLAN] = vlan;
	if (type >= FW_ETH_MIN)
		pkt->val[FW_DIM_ETHERTYPE] = type;
	if (FW_FEATURES & FW_FEATS_PLACE)
		pkt->l3_off = off;
	return fw_parse_l3(f, off, type, pkt, buf);
}

#endif
