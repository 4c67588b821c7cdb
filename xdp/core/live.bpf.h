/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Live sets: is an address a member, and let it become one. <fw/abi.h> has the shapes.
 *
 * Most addresses stop at the filter. Behind it stands a global function, so that the verifier looks at it once for both sides, and at
 * the packet and the opening packet of its flow alike; its call costs 8 ns, of those packets alone.
 */
#ifndef FW_CORE_LIVE_H
#define FW_CORE_LIVE_H

#include "address.bpf.h"
#include "clock.bpf.h"

#define FW_LIVE_STEPS 129 /* prefixes that cover one address, at most */

/* One bit of the filter. */
static __always_inline __u32 fw_filter_bit(const __u64 *bits, __u32 n)
{
	return bits[n >> 6] >> (n & 63) & 1;
}

/* 0: no element of any set covers the address. */
static __always_inline __u32 fw_live_maybe(const struct fw_live_filter *f, const struct fw_live_ctl *ctl, const struct fw_pkt *pkt,
					    __u32 side)
{
	__u64 first;

	if (pkt->l3 == FW_L3_IPV4)
		return fw_filter_bit(f->net4, FW_BE32(pkt->addr[side].a32[0]) >> 8);
	first = FW_BE64(pkt->addr[side].a64[0]);
	return fw_filter_bit(f->net6[0], FW_LIVE_HASH6(first) & (FW_LIVE_FILTER6 - 1)) |
	       fw_filter_bit(f->net6[1], FW_LIVE_HASH6(first >> 32) & (FW_LIVE_FILTER6 - 1)) | ctl->wide6;
}

/* Places in `wanted` of which the element is a member now. */
static __always_inline __u32 fw_live_bits(const struct fw_live *v, __u32 wanted, __u64 now)
{
	__u32 bits = v->members & wanted, out = 0, i;

	for (i = 0; i < FW_LIVE_PLACES && bits >> i; i++) /* mostly one, among the first */
		if (bits >> i & 1 && v->end_ns[i] > now)
			out |= 1u << i;
	return out;
}

/* Count for an element of this length that covers the address. */
static __always_inline void fw_live_account(struct fw_scratch *s, const struct fw_pkt *pkt, __u32 plen)
{
	struct fw_live_walk *w = &s->live;
	__u32 side = w->side & 1, i, left;
	struct fw_counter *c;

	w->counter.plen = plen;
	w->counter.l3 = pkt->l3;
	for (i = 0; i < 4; i++) {
		left = plen > 32 * i ? plen - 32 * i : 0;
		w->counter.addr[i] = pkt->l3 == FW_L3_IPV4 && i ? 0 : pkt->addr[side].a32[i];
		if (left < 32)
			w->counter.addr[i] &= left ? FW_BE32(~0u << ((32 - left) & 31)) : 0;
	}
	c = fw_env_find(&fw_live_count, &w->counter);
	if (!c) { /* the element's first packet */
		struct fw_counter none = {};

		fw_env_add(&fw_live_count, &w->counter, &none);
		c = fw_env_find(&fw_live_count, &w->counter);
	}
	if (c) {
		c->packets += s->pkt.packets;
		c->bytes += s->pkt.bytes;
	}
}

static __always_inline void fw_live_hit(struct fw_scratch *s, const struct fw_pkt *pkt, const struct fw_live *v, __u32 plen)
{
	__u32 bits = fw_live_bits(v, s->live.wanted, s->about.now);

	s->live.found |= bits;
	if (bits & s->live.count)
		fw_live_account(s, pkt, plen);
}

/* One prefix, the longest that covers the address and is no longer than s->live.plen. 1: no more. */
static long fw_live_step(__u32 i, void *arg)
{
	__u32 zero = 0, plen, side;
	struct fw_scratch *s = fw_env_lookup(&fw_scratch, &zero);
	const struct fw_live *v;
	const struct fw_pkt *pkt;
	struct fw_live_walk *w;

	if (!s)
		return 1;
	w = &s->live;
	pkt = fw_pkt_of(s, w->opening);
	side = w->side & 1;
	if (pkt->l3 == FW_L3_IPV4) {
		w->key4.plen = w->plen;
		w->key4.addr = pkt->addr[side].a32[0];
		v = fw_env_find(&fw_live_net4, &w->key4);
	} else {
		w->key6.plen = w->plen;
		w->key6.addr[0] = pkt->addr[side].a64[0];
		w->key6.addr[1] = pkt->addr[side].a64[1];
		v = fw_env_find(&fw_live_net6, &w->key6);
	}
	if (!v)
		return 1;
	plen = v->plen;
	fw_live_hit(s, pkt, v, plen);
	if (!plen || (w->found & w->wanted) == w->wanted)
		return 1;
	w->plen = plen - 1;
	return 0;
}

/* Bits of fw_live_find's `what` */
#define FW_LIVE_DST 1u
#define FW_LIVE_OPENING 2u
/*
 * Places in `wanted` that the address is in. `count`: places whose elements count, of the packet itself. A global function: see above.
 */
__u32 fw_live_find(__u32 what, __u32 wanted, __u32 count);
FW_GLOBAL __u32 fw_live_find(__u32 what, __u32 wanted, __u32 count)
{
	__u32 zero = 0, side = what & FW_LIVE_DST;
	struct fw_scratch *s = fw_env_lookup(&fw_scratch, &zero);
	const struct fw_live_ctl *ctl;
	const struct fw_pkt *pkt;
	const struct fw_live *v;
	int v4;

	FW_NEEDS(FW_FEAT_LIVE);
	if (!s)
		return 0;
	ctl = fw_env_lookup(&fw_live, &zero);
	if (!ctl)
		return 0;
	s->live.side = side;
	s->live.opening = (what & FW_LIVE_OPENING) / FW_LIVE_OPENING;
	s->live.wanted = wanted;
	s->live.count = count;
	s->live.found = 0;
	pkt = fw_pkt_of(s, s->live.opening);
	v4 = pkt->l3 == FW_L3_IPV4;
	if (ctl->hosts) {
		if (v4)
			v = fw_env_find(&fw_live_host4, &pkt->addr[side].a32[0]);
		else
			v = fw_env_find(&fw_live_host6, &pkt->addr[side].a64[0]);
		if (v)
			fw_live_hit(s, pkt, v, v4 ? 32 : 128);
	}
	s->live.plen = v4 ? 32 : 128;
	if (ctl->prefixes && (s->live.found & wanted) != wanted)
		fw_env_loop(FW_LIVE_STEPS, fw_live_step, NULL);
	return s->live.found;
}

/* Set k of a direction: its id. */
static __always_inline __u32 fw_live_id(const struct fw_tabs *t, const struct fw_dir_hdr *d, __u32 k)
{
	return fw_tab32(t, d->sets + 2 * k * (__u32)sizeof(struct fw_block) + offsetof(struct fw_block, off)) & 15;
}

/*
 * The bits of live sets in the value of SETS, by the sets of direction d. `opening`: of the opening packet of the flow, else of
 * the packet. Places of both sides stand in one word, the destination's above: clang indexes arrays on the stack in a way that
 * the verifier does not take.
 */
static __always_inline __u32 fw_live_value(const struct fw_tabs *t, const struct fw_dir_hdr *d, const struct fw_scratch *s,
					    int opening)
{
	const struct fw_pkt *pkt = opening ? &s->opening : &s->pkt;
	__u32 zero = 0, live = d->live_bits, sides = d->set_sides, value = 0, k, place, count = 0, maybe = 0;
	const struct fw_live_filter *filter;
	const struct fw_live_ctl *ctl;
	__u64 wanted = 0, found = 0;

	if (fw_cfg.trace && t->ctl->given & FW_GIVEN_LIVE) {
		FW_NO_UNROLL
		for (k = 0; k < FW_MAX_SETS; k++)
			if (live >> k & 1)
				value |= (t->ctl->given_live >> ((fw_live_id(t, d, k) & 7) + (sides >> k & 1) * 8) & 1) << k;
		return value;
	}
	ctl = fw_env_lookup(&fw_live, &zero);
	if (!ctl || !(ctl->hosts | ctl->prefixes) || pkt->l3 == FW_L3_OTHER)
		return 0;
	filter = fw_env_lookup(&fw_live_filter, &zero);
	if (!filter)
		return 0;
	if (live & ~sides)
		maybe = fw_live_maybe(filter, ctl, pkt, 0);
	if (live & sides)
		maybe |= fw_live_maybe(filter, ctl, pkt, 1) << 1;
	if (!maybe)
		return 0;
	FW_NO_UNROLL
	for (k = 0; k < FW_MAX_SETS && live >> k; k++) { /* the live ones come first */
		place = ctl->place[fw_live_id(t, d, k)];
		if (!(live >> k & 1) || place >= FW_LIVE_PLACES)
			continue;
		wanted |= 1ull << (place + (sides >> k & 1) * 32);
		if (ctl->at[place].flags & FW_LIVEF_COUNTERS)
			count |= 1u << place;
	}
	if (opening || fw_cfg.readonly)
		count = 0;
	if (maybe & 1)
		found = fw_live_find(opening ? FW_LIVE_OPENING : 0, wanted, count);
	if (maybe & 2)
		found |= (__u64)fw_live_find(FW_LIVE_DST | (opening ? FW_LIVE_OPENING : 0), wanted >> 32, count) << 32;
	if (!found)
		return 0;
	FW_NO_UNROLL
	for (k = 0; k < FW_MAX_SETS && live >> k; k++) {
		place = ctl->place[fw_live_id(t, d, k)];
		if (live >> k & 1 && place < FW_LIVE_PLACES)
			value |= (found >> (place + (sides >> k & 1) * 32) & 1) << k;
	}
	return value;
}

/* Say in the filter that an element covers these addresses, in the part for elements of this length. */
static __always_inline void fw_filter_add(struct fw_live_filter *f, __u32 l3, const __u64 addr[2], __u32 addr4)
{
	__u32 n;

	if (l3 == FW_L3_IPV4) {
		n = FW_BE32(addr4) >> 8;
		fw_or(&f->net4[n >> 6], 1ull << (n & 63));
		return;
	}
	n = FW_LIVE_HASH6(FW_BE64(addr[0])) & (FW_LIVE_FILTER6 - 1);
	fw_or(&f->net6[0][n >> 6], 1ull << (n & 63));
}

/* An element that is there already gets another place, or a later end in it. 0: it is being deleted, or there is no room. */
static __always_inline int fw_live_prolong(struct fw_live_place *at, struct fw_live *v, __u32 place, __u64 end_ns)
{
	__u64 bit = 1ull << place;

	if (v->members & FW_LIVE_DEAD)
		return 0;
	if (!(v->members & bit)) {
		if (fw_add(&at->count, 1) >= at->size) {
			fw_add(&at->count, -1);
			return 0;
		}
		v->end_ns[place] = end_ns;
		if (fw_or(&v->members, bit) & bit) /* somebody was faster */
			fw_add(&at->count, -1);
	}
	if (v->end_ns[place] < end_ns)
		v->end_ns[place] = end_ns;
	return !(v->members & FW_LIVE_DEAD);
}

static __always_inline void *fw_live_slot(struct fw_scratch *s, __u32 widen)
{
	if (s->pkt.l3 == FW_L3_IPV4)
		return fw_env_find(&fw_live_host4, &s->pkt.addr[0].a32[0]);
	if (widen) {
		struct fw_live *v;

		s->live.key6 = (struct fw_lpm6){ 64, { s->pkt.addr[0].a64[0], 0 } };
		v = fw_env_find(&fw_live_net6, &s->live.key6);
		return v && v->plen == 64 ? v : NULL;
	}
	return fw_env_find(&fw_live_host6, &s->pkt.addr[0].a64[0]);
}

static __always_inline long fw_live_new(struct fw_scratch *s, __u32 widen)
{
	if (s->pkt.l3 == FW_L3_IPV4)
		return fw_env_add(&fw_live_host4, &s->pkt.addr[0].a32[0], &s->element);
	if (widen) {
		s->live.key6 = (struct fw_lpm6){ 64, { s->pkt.addr[0].a64[0], 0 } };
		return fw_env_add(&fw_live_net6, &s->live.key6, &s->element);
	}
	return fw_env_add(&fw_live_host6, &s->pkt.addr[0].a64[0], &s->element);
}

/*
 * `else ban`: the source of the packet enters set `id` until `end_ns` (0: for the set's timeout). A set that is full counts it as refused.
 * A global function: rare, and several ways lead here.
 */
int fw_live_ban(__u32 id, __u64 ns);
FW_GLOBAL int fw_live_ban(__u32 id, __u64 ns)
{
	__u32 zero = 0, place, widen, i;
	struct fw_scratch *s = fw_env_lookup(&fw_scratch, &zero);
	struct fw_live_filter *filter;
	struct fw_live_place *at;
	struct fw_live_ctl *ctl;
	struct fw_live *v;
	__u64 end;

	FW_NEEDS(FW_FEAT_LIVE);
	if (!s)
		return 0;
	ctl = fw_env_lookup(&fw_live, &zero);
	if (!ctl)
		return 0;
	filter = fw_env_lookup(&fw_live_filter, &zero);
	if (!filter)
		return 0;
	place = ctl->place[id & 15];
	if (place >= FW_LIVE_PLACES || s->pkt.l3 == FW_L3_OTHER)
		return 0;
	at = &ctl->at[place];
	ns = ns ?: at->timeout_ns;
	end = ns ? s->about.now + ns : ~0ull;
	widen = s->pkt.l3 == FW_L3_IPV6 && at->flags & FW_LIVEF_WIDEN;
	/*
	 * Twice: between looking and adding, another CPU may have added it, or a command deleted it. Unrolled: Linux 6.1 takes
	 * no loop that is closed by falling through, as clang lays this one out.
	 */
	FW_UNROLL
	for (i = 0; i < 2; i++) {
		v = fw_live_slot(s, widen);
		if (v && fw_live_prolong(at, v, place, end))
			return 1;
		if (v)
			continue;
		if (fw_add(&at->count, 1) >= at->size) {
			fw_add(&at->count, -1);
			break;
		}
		__builtin_memset(&s->element, 0, sizeof(s->element));
		s->element.members = 1ull << place;
		s->element.end_ns[place] = end;
		s->element.plen = widen ? 64 : s->pkt.l3 == FW_L3_IPV4 ? 32 : 128;
		fw_filter_add(filter, s->pkt.l3, s->pkt.addr[0].a64, s->pkt.addr[0].a32[0]);
		if (!fw_live_new(s, widen)) {
			fw_add(widen ? &ctl->prefixes : &ctl->hosts, 1);
			return 1;
		}
		fw_add(&at->count, -1);
	}
	fw_add(&at->refused, 1);
	return 0;
}

#endif
