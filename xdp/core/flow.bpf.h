/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of flows. The rules of tracking are the numbered text in userspace/model/track.h; <fw/abi.h> has the shapes.
 *
 * A table is an array of sets of eight cells. A flow may stand in two of them, chosen by its hash. Cells end by time, and an
 * ended cell is a free one: nothing is collected, and an established flow is never evicted. What changes in a flow is one word,
 * by compare-and-swap, so a cell that is given to another flow in the middle of it is left alone. New flows stand among the
 * half-open ones until their opener has answered a reply, which who forges his source cannot: there, too, a cell younger than
 * FW_PEND_PROTECT stays, which bounds what a flood can insert, and two cells of eight are kept for flows that are opened from
 * inside.
 */
#ifndef FW_CORE_FLOW_H
#define FW_CORE_FLOW_H

#include "limit.bpf.h"
#include "window.bpf.h"

static __always_inline int fw_key_same(const struct fw_flow_key *x, const struct fw_flow_key *y)
{
	const __u64 *p = (const __u64 *)x, *q = (const __u64 *)y;

	return !((p[0] ^ q[0]) | (p[1] ^ q[1]) | (p[2] ^ q[2]) | (p[3] ^ q[3]) | (p[4] ^ q[4]));
}

#define FW_FLOW_TAG(hash) ((__u32)((hash) >> 16) | 1)

/* Sets where a key may stand: two for established flows, two for half-open ones. */
static __always_inline __u32 fw_flow_set(__u64 hash, __u32 i)
{
	__u32 h = i & 1 ? hash >> 32 : hash;

	return i < 2 ? h & fw_cfg.flow_mask : fw_cfg.flow_mask + 1 + (h & fw_cfg.pend_mask);
}

/* Paragraph 2: the flow that has s->about.key and has not ended. */
static __always_inline struct fw_flow *fw_flow_find(struct fw_scratch *s)
{
	struct fw_about *a = &s->about;
	__u64 hash = a->hash, tick = FW_TICK(a->now);
	__u32 tag = FW_FLOW_TAG(hash), set, i, way;
	struct fw_flow_set *fs;
	struct fw_flow *f;

	FW_NO_UNROLL
	for (i = 0; i < 4; i++) {
		set = fw_flow_set(hash, i);
		fs = fw_env_lookup(&fw_flows, &set);
		if (!fs)
			return NULL;
		FW_NO_UNROLL
		for (way = 0; way < FW_FLOW_WAYS; way++) {
			if (fs->tag[way] != tag)
				continue;
			a->way = way;
			f = &fs->way[FW_FRESH(a->way) & (FW_FLOW_WAYS - 1)];
			if (fw_key_same(&f->key, &a->key) && FW_FLOW_END(f->word) > tick) {
				s->about.pending = i >= 2;
				return f;
			}
		}
	}
	return NULL;
}

/* End the flow of s->about.key, and give its seat back. A global function: rare. */
int fw_flow_end(void);
FW_GLOBAL int fw_flow_end(void)
{
	__u32 zero = 0;
	struct fw_scratch *s = fw_env_lookup(&fw_scratch, &zero);
	struct fw_flow *f;
	__u64 word;

	FW_NEEDS(FW_FEAT_STATE);
	if (!s || fw_cfg.readonly)
		return 0;
	f = fw_flow_find(s);
	if (!f)
		return 0;
	word = *(volatile __u64 *)&f->word;
	if (FW_FEATURES & FW_FEAT_LIMIT && f->seat)
		fw_seat_move(f->seat, 0);
	fw_swap(&f->word, word, word & ~0xffffffffffull);
	return 1;
}

/* The opening packet of a flow, as it was. */
static __always_inline void fw_opening_make(const struct fw_flow *f, struct fw_pkt *pkt)
{
	const struct fw_opening *o = &f->opening;
	__u32 egress = f->word & FW_FLOWF_EGRESS ? 1 : 0;
	__u32 v4 = f->key.l3 == FW_L3_IPV4;

	__builtin_memcpy(&pkt->addr[egress], f->key.a, sizeof(f->key.a));
	__builtin_memcpy(&pkt->addr[!egress], f->key.b, sizeof(f->key.b));
	pkt->reason = FW_REASON_RULE;
	pkt->l3 = f->key.l3;
	pkt->dir = egress;
	pkt->packets = pkt->bytes = 0;
	pkt->mac = o->mac;
	pkt->proto = f->key.proto;
#define FW_X(id, bits) pkt->val[FW_DIM_##id] = 1u << (bits);
	FW_SMALL_DIMS(FW_X)
#undef FW_X
	pkt->val[FW_DIM_PROTO] = pkt->l3 << 8 | f->key.proto;
	if (f->key.proto == FW_PROTO_TCP || f->key.proto == FW_PROTO_UDP || f->key.proto == FW_PROTO_SCTP) {
		pkt->val[FW_DIM_SPORT] = o->sport;
		pkt->val[FW_DIM_DPORT] = o->dport;
	}
	if (f->key.proto == FW_PROTO_TCP)
		pkt->val[FW_DIM_TCPFLAGS] = o->flags;
	if (f->key.proto == FW_PROTO_ICMP && v4)
		pkt->val[FW_DIM_ICMP] = o->icmp;
	if (f->key.proto == FW_PROTO_ICMP6 && !v4)
		pkt->val[FW_DIM_ICMP6] = o->icmp;
	pkt->val[FW_DIM_FRAG] = o->frag;
	pkt->val[FW_DIM_VLAN] = o->vlan;
	pkt->val[FW_DIM_DSCP] = o->dscp;
	pkt->val[FW_DIM_TTL] = o->ttl;
	pkt->val[FW_DIM_LEN] = o->len;
	pkt->val[FW_DIM_ETHERTYPE] = v4 ? FW_ETH_IPV4 : FW_ETH_IPV6;
	if (!v4)
		pkt->val[FW_DIM_EXT] = o->ext;
	pkt->val[FW_DIM_ECN] = o->ecn;
	pkt->val[FW_DIM_STATE] = FW_STATE_NEW;
}

static __always_inline __u32 fw_state_flags(const struct fw_tabs *t)
{
	return FW_GET32(t->base + offsetof(struct fw_image, state.flags));
}

static __always_inline __u32 fw_timeout(const struct fw_tabs *t, __u32 which)
{
	return FW_GET32(t->base + offsetof(struct fw_image, state.timeout) + which * 4);
}

/* Paragraph 7: how long a flow in this state lives on. */
static __always_inline __u32 fw_flow_timeout(const struct fw_tabs *t, const struct fw_pkt *pkt, __u64 word)
{
	__u64 fins = word & (FW_FLOWF_FIN_OPENER | FW_FLOWF_FIN_OTHER);
	__u32 is_new = FW_FLOW_STATE(word) != FW_FLOW_ESTABLISHED, which;

	if (pkt->proto == FW_PROTO_TCP) {
		which = FW_TIMEOUT_TCP_ESTABLISHED;
		if (is_new)
			which = FW_TIMEOUT_TCP_SYN;
		if (fins)
			which = FW_TIMEOUT_TCP_CLOSING;
		if (fins == (FW_FLOWF_FIN_OPENER | FW_FLOWF_FIN_OTHER) || pkt->val[FW_DIM_TCPFLAGS] & FW_TCP_RST)
			which = FW_TIMEOUT_TCP_CLOSED;
	} else if (pkt->proto == FW_PROTO_UDP) {
		which = is_new ? FW_TIMEOUT_UDP_NEW : FW_TIMEOUT_UDP;
	} else if (pkt->proto == (pkt->l3 == FW_L3_IPV4 ? FW_PROTO_ICMP : FW_PROTO_ICMP6)) {
		which = FW_TIMEOUT_ICMP;
	} else {
		which = is_new ? FW_TIMEOUT_OTHER_NEW : FW_TIMEOUT_OTHER;
	}
	return fw_timeout(t, which);
}

/* Paragraph 7: the word of a flow behind this packet. opener: it is of the opener's side. */
static __always_inline __u64 fw_flow_next(const struct fw_tabs *t, const struct fw_scratch *s, __u64 word, __u32 opener)
{
	const struct fw_pkt *pkt = &s->pkt;
	__u32 flags = pkt->val[FW_DIM_TCPFLAGS], tcp = pkt->proto == FW_PROTO_TCP;
	__u32 asymmetric = fw_state_flags(t) & FW_STATEF_ASYMMETRIC;
	__u64 state = FW_FLOW_STATE(word), was = state;

	if (!opener && state == FW_FLOW_OPENED && (!tcp || (flags & (FW_TCP_SYN | FW_TCP_ACK) && !(flags & FW_TCP_RST))))
		state = FW_FLOW_REPLIED;
	else if (opener && state == FW_FLOW_REPLIED && (!tcp || (flags & (FW_TCP_ACK | FW_TCP_RST)) == FW_TCP_ACK))
		state = FW_FLOW_ESTABLISHED;
	else if (opener && state == FW_FLOW_OPENED && asymmetric && tcp &&
		 (flags & (FW_TCP_ACK | FW_TCP_RST | FW_TCP_SYN)) == FW_TCP_ACK)
		state = FW_FLOW_ESTABLISHED;
	word = (word & ~(15ull << 40)) | state << 40;
	if (tcp && (flags & (FW_TCP_FIN | FW_TCP_RST)) == FW_TCP_FIN)
		word |= opener ? FW_FLOWF_FIN_OPENER : FW_FLOWF_FIN_OTHER;
	if (tcp && opener && was == FW_FLOW_ESTABLISHED && (flags & (FW_TCP_SYN | FW_TCP_ACK | FW_TCP_RST)) == FW_TCP_SYN)
		return word;
	return (word & ~0xffffffffffull) | (FW_TICK(s->about.now) + fw_flow_timeout(t, pkt, word));
}

/*
 * An ended cell; else, among the half-open ones, the oldest that is no longer protected, as old_cell. `first`: 0 among the established, 2
 * among the half-open.
 */
static __always_inline void fw_flow_room(const struct fw_scratch *s, __u32 first, struct fw_room *room)
{
	__u32 tick = FW_TICK(s->about.now), ways = FW_FLOW_WAYS, age, oldest = FW_PEND_PROTECT - 1, i, way, set;
	struct fw_flow_set *fs;
	__u64 word;

	room->cell = room->old_cell = FW_CELL_NONE;
	if (first && !(fw_cfg.dir & 1))
		ways = FW_PEND_INGRESS;
	FW_NO_UNROLL
	for (i = 0; i < 2; i++) {
		set = fw_flow_set(s->about.hash, first + i);
		fs = fw_env_lookup(&fw_flows, &set);
		if (!fs)
			return;
		FW_NO_UNROLL
		for (way = 0; way < FW_FLOW_WAYS; way++) {
			if (way >= ways)
				break;
			word = *(volatile __u64 *)&fs->way[way].word;
			if (word & FW_FLOWF_BUSY)
				continue;
			if (FW_FLOW_END(word) <= FW_TICK(s->about.now)) {
				room->cell = set * FW_FLOW_WAYS + way;
				room->word = word;
				return;
			}
			age = tick - fs->way[way].born;
			/* An established one that stands here waits for room among its kind. */
			if (first && FW_FLOW_STATE(word) != FW_FLOW_ESTABLISHED && age > oldest) {
				oldest = age;
				room->old_cell = set * FW_FLOW_WAYS + way;
				room->old_word = word;
			}
		}
	}
}

/*
 * Claim a cell whose word was this, write a flow into it, let it live with another word. 0: somebody was faster. key and hash are those of
 * s->about.
 */
static __always_inline int fw_flow_write(const struct fw_scratch *s, __u32 cell, __u64 was, const struct fw_flow *from, __u64 word)
{
	__u64 busy = ((was >> FW_FLOW_USES) + 1) << FW_FLOW_USES | FW_FLOWF_BUSY;
	__u32 set = cell / FW_FLOW_WAYS, way = cell % FW_FLOW_WAYS;
	struct fw_flow_set *fs = fw_env_lookup(&fw_flows, &set);
	struct fw_flow *to;

	if (!fs)
		return 0;
	to = &fs->way[way];
	if (fw_swap(&to->word, was, busy) != was)
		return 0;
	*(volatile __u32 *)&fs->tag[way] = 0;
	to->key = s->about.key;
	__builtin_memcpy(&to->opening, &from->opening, sizeof(*to) - offsetof(struct fw_flow, opening));
	*(volatile __u32 *)&fs->tag[way] = FW_FLOW_TAG(s->about.hash);
	fw_swap(&to->word, busy, (busy & ~((1ull << FW_FLOW_USES) - 1)) | (word & (FW_FLOWF_BUSY - 1)));
	return 1;
}

/* A flow whose opener has answered moves to the established ones, when there is room. A global function: once in its life. */
int fw_flow_promote(void);
FW_GLOBAL int fw_flow_promote(void)
{
	__u32 zero = 0;
	struct fw_scratch *s = fw_env_lookup(&fw_scratch, &zero);
	struct fw_flow *f;
	__u64 word;

	FW_NEEDS(FW_FEAT_STATE);
	if (!s)
		return 0;
	f = fw_flow_find(s);
	if (!f || !s->about.pending)
		return 0;
	fw_flow_room(s, 0, &s->room);
	if (s->room.cell == FW_CELL_NONE)
		return 0;
	word = *(volatile __u64 *)&f->word;
	if (!fw_flow_write(s, FW_FRESH(s->room.cell), FW_FRESH(s->room.word), f, word))
		return 0;
	fw_swap(&f->word, word, word & ~0xffffffffffull);
	return 1;
}

/* Paragraph 7, for a packet that passed. 0: another CPU was faster. */
static __always_inline int fw_flow_step(const struct fw_tabs *t, struct fw_scratch *s, struct fw_flow *f)
{
	__u64 word = *(volatile __u64 *)&f->word, next;
	__u32 other = !!(word & FW_FLOWF_EGRESS) != (fw_cfg.dir & 1);

	next = fw_flow_next(t, s, word, !other);
	if (next != word && fw_swap(&f->word, word, next) != word)
		return 0;
	if (s->about.window)
		fw_window_learn(f);
	f->packets[other] += s->pkt.packets;
	f->bytes[other] += s->pkt.bytes;
	if (FW_FEATURES & FW_FEAT_LIMIT && f->seat)
		fw_seat_move(f->seat, FW_FLOW_END(next) << (FW_TICK_SHIFT + 6));
	s->about.promote = s->about.pending && FW_FLOW_STATE(next) == FW_FLOW_ESTABLISHED;
	return 1;
}

/* The same, again and again: for CPUs that race, and for packets that came by the rules. A global function: rare. */
int fw_flow_steps(__u32 slot);
FW_GLOBAL int fw_flow_steps(__u32 slot)
{
	__u32 zero = 0, i;
	struct fw_scratch *s = fw_env_lookup(&fw_scratch, &zero);
	struct fw_flow *f;
	struct fw_tabs t;

	FW_NEEDS(FW_FEAT_STATE);
	if (!s || !fw_slot_open(&t, slot))
		return 0;
	FW_NO_UNROLL
	for (i = 0; i < FW_SWAP_TRIES; i++) {
		f = fw_flow_find(s);
		if (!f || fw_flow_step(&t, s, f))
			break;
	}
	return i;
}

static __always_inline void fw_flow_move(const struct fw_tabs *t, struct fw_scratch *s, struct fw_flow *f)
{
	if (fw_cfg.readonly)
		return;
	s->about.promote = 0;
	if (!f || !fw_flow_step(t, s, f))
		fw_flow_steps(s->slot);
	if (fw_unlikely(s->about.promote))
		fw_flow_promote();
}

static __always_inline void fw_opening_keep(const struct fw_pkt *pkt, struct fw_opening *o)
{
	o->mac = pkt->mac;
	o->vlan = pkt->val[FW_DIM_VLAN];
	o->len = pkt->val[FW_DIM_LEN];
	o->icmp = pkt->l3 == FW_L3_IPV4 ? pkt->val[FW_DIM_ICMP] : pkt->val[FW_DIM_ICMP6];
	o->sport = pkt->val[FW_DIM_SPORT];
	o->dport = pkt->val[FW_DIM_DPORT];
	o->ttl = pkt->val[FW_DIM_TTL];
	o->dscp = pkt->val[FW_DIM_DSCP];
	o->ecn = pkt->val[FW_DIM_ECN];
	o->flags = pkt->val[FW_DIM_TCPFLAGS];
	o->ext = pkt->val[FW_DIM_EXT];
	o->frag = pkt->val[FW_DIM_FRAG];
}

enum fw_opened { FW_OPENED, FW_OPEN_FULL, FW_OPEN_SEATS, FW_OPEN_COOKIE };

/*
 * Paragraph 8: open a flow for the packet, by a rule whose counter slot is `counter` and whose extra is at offset `extra`. A global
 * function: once in a flow's life.
 */
int fw_flow_open(__u32 slot, __u32 counter, __u32 extra);
FW_GLOBAL int fw_flow_open(__u32 slot, __u32 counter, __u32 extra)
{
	__u32 zero = 0, established, proxy;
	struct fw_scratch *s = fw_env_lookup(&fw_scratch, &zero);
	const struct fw_extra *x;
	struct fw_tabs t;
	__u64 word;

	FW_NEEDS(FW_FEAT_STATE);
	if (!s || !fw_slot_open(&t, slot))
		return FW_OPEN_FULL;
	t.ctl = fw_env_lookup(&fw_ctl, &zero);
	if (!t.ctl)
		return FW_OPEN_FULL;
	x = (const void *)(t.base + (extra & t.mask));
	established = s->about.proved ? FW_FLOW_ESTABLISHED : FW_FLOW_OPENED;
	if (s->pkt.proto == FW_PROTO_TCP && s->pkt.val[FW_DIM_TCPFLAGS] & FW_TCP_ACK && /* taken up in mid-stream */
	    fw_state_flags(&t) & FW_STATEF_ASYMMETRIC)
		established = FW_FLOW_ESTABLISHED;
	word = (__u64)established << 40 | (fw_cfg.dir & 1 ? FW_FLOWF_EGRESS : 0);
	if (s->pkt.proto == FW_PROTO_TCP && s->pkt.val[FW_DIM_TCPFLAGS] & FW_TCP_FIN)
		word |= FW_FLOWF_FIN_OPENER;
	word |= FW_TICK(s->about.now) + fw_flow_timeout(&t, &s->pkt, word);
	s->fresh.word = word;
	s->fresh.seat = 0;
	if (FW_FEATURES & FW_FEAT_LIMIT && x->max_conn && !fw_seat_take(&t, s, x, FW_FLOW_END(word) << (FW_TICK_SHIFT + 6)))
		return FW_OPEN_SEATS;
	if (fw_cfg.readonly)
		return FW_OPENED;
	fw_opening_keep(&s->pkt, &s->fresh.opening);
	s->fresh.generation = FW_GET64(t.base + offsetof(struct fw_image, generation));
	s->fresh.live = t.d->nsets ? s->pkt.val[FW_DIM_SETS] & t.d->live_bits : 0;
	s->fresh.slot = counter;
	s->fresh.born = FW_TICK(s->about.now);
	s->fresh.packets[0] = s->pkt.packets;
	s->fresh.bytes[0] = s->pkt.bytes;
	s->fresh.packets[1] = s->fresh.bytes[1] = 0;
	fw_side_forget(&s->fresh, 0);
	fw_side_forget(&s->fresh, 1);
	if (s->about.window) {
		if (s->about.proved) /* our cookies offer no scale */
			s->fresh.scale[0] = s->fresh.scale[1] = FW_SCALE_NONE;
		fw_window_learn(&s->fresh);
	}
	proxy = FW_FEATURES & FW_FEAT_SYNPROXY && x->flags & FW_EXTRA_SYNPROXY && !s->about.proved;
	if (s->about.proved) {
		fw_flow_room(s, 0, &s->room);
		if (s->room.cell != FW_CELL_NONE &&
		    fw_flow_write(s, FW_FRESH(s->room.cell), FW_FRESH(s->room.word), &s->fresh, FW_FRESH(s->fresh.word)))
			return FW_OPENED;
	}
	fw_flow_room(s, 2, &s->room);
	if (s->room.cell == FW_CELL_NONE && !proxy) {
		s->room.cell = s->room.old_cell;
		s->room.word = s->room.old_word;
	}
	if (s->room.cell != FW_CELL_NONE &&
	    fw_flow_write(s, FW_FRESH(s->room.cell), FW_FRESH(s->room.word), &s->fresh, FW_FRESH(s->fresh.word)))
		return FW_OPENED;
	if (FW_FEATURES & FW_FEAT_LIMIT && s->fresh.seat)
		fw_seat_move(s->fresh.seat, 0);
	return proxy ? FW_OPEN_COOKIE : FW_OPEN_FULL;
}

#endif
