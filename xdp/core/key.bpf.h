/* SPDX-License-Identifier: GPL-2.0-only */
/* The key of a packet's flow: paragraph 1 of userspace/model/track.h. */
#ifndef FW_CORE_KEY_H
#define FW_CORE_KEY_H

#include "clock.bpf.h"

enum fw_kind {
	FW_KIND_NONE,	/* no flow can have it */
	FW_KIND_FLOW,
	FW_KIND_ERROR,	/* an ICMP error: the quoted packet's flow */
	FW_KIND_OTHER,	/* an ICMP message that is neither query nor error */
};

#define FW_TCP_FIN 1u
#define FW_TCP_SYN 2u
#define FW_TCP_RST 4u
#define FW_TCP_ACK 16u

/* The request of an ICMP query's type, 0: it is none. Types of requests are even where replies are odd, or the other way round. */
static __always_inline __u32 fw_icmp_request(__u32 l3, __u32 type, __u32 *ret_reply)
{
	*ret_reply = 0;
	if (l3 == FW_L3_IPV6) {
		*ret_reply = type == 129;
		return type == 128 || type == 129 ? 128 : 0;
	}
	if (type == 8 || type == 13 || type == 15 || type == 17)
		return type;
	*ret_reply = 1;
	if (!type)
		return 8;
	return type == 14 || type == 16 || type == 18 ? type - 1 : 0;
}

static __always_inline int fw_icmp_is_error(__u32 l3, __u32 type)
{
	if (l3 == FW_L3_IPV6)
		return type >= 1 && type <= 4;
	return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

/* Ports of a query: identifier; request and the direction in which that travels. */
static __always_inline void fw_key_icmp(struct fw_flow_key *k, __u32 id, __u32 request, __u32 reply, __u32 dir)
{
	k->pa = id;
	k->pb = request | ((dir ^ reply) & 1) << 8;
}

static __always_inline __u32 fw_icmp_type(const struct fw_pkt *pkt)
{
	return (pkt->l3 == FW_L3_IPV4 ? pkt->val[FW_DIM_ICMP] : pkt->val[FW_DIM_ICMP6]) >> 8;
}

/* Paragraph 1. */
static __always_inline enum fw_kind fw_track_key(const struct fw_pkt *pkt, struct fw_flow_key *k)
{
	__u32 egress = fw_cfg.dir & 1, request, reply, type;

	k->l3 = pkt->l3;
	k->proto = pkt->val[FW_DIM_PROTO];
	k->pa = k->pb = k->zero = 0;
	if (pkt->l3 == FW_L3_OTHER) {
		__builtin_memset(k->a, 0, sizeof(k->a) + sizeof(k->b));
		return FW_KIND_NONE;
	}
	if (pkt->l3 == FW_L3_IPV4) {
		k->a[0] = pkt->addr[egress].a32[0];
		k->b[0] = pkt->addr[!egress].a32[0];
		k->a[1] = k->a[2] = k->a[3] = 0;
		k->b[1] = k->b[2] = k->b[3] = 0;
	} else {
		__builtin_memcpy(k->a, &pkt->addr[egress], sizeof(k->a));
		__builtin_memcpy(k->b, &pkt->addr[!egress], sizeof(k->b));
	}
	if (pkt->val[FW_DIM_FRAG] == FW_FRAG_LATER)
		return FW_KIND_NONE;
	if (pkt->proto == FW_PROTO_TCP || pkt->proto == FW_PROTO_UDP || pkt->proto == FW_PROTO_SCTP) {
		k->pa = FW_BE16(pkt->val[egress ? FW_DIM_DPORT : FW_DIM_SPORT]);
		k->pb = FW_BE16(pkt->val[egress ? FW_DIM_SPORT : FW_DIM_DPORT]);
		return FW_KIND_FLOW;
	}
	if (pkt->proto != (pkt->l3 == FW_L3_IPV4 ? FW_PROTO_ICMP : FW_PROTO_ICMP6))
		return FW_KIND_FLOW;
	type = fw_icmp_type(pkt);
	request = fw_icmp_request(pkt->l3, type, &reply);
	if (!request)
		return fw_icmp_is_error(pkt->l3, type) ? FW_KIND_ERROR : FW_KIND_OTHER;
	fw_key_icmp(k, pkt->icmp_id, request, reply, egress);
	return FW_KIND_FLOW;
}

#endif
