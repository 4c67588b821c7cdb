/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Limits: how much of something, per rule or per key of a rule (userspace/model/limit.h has the arithmetic).
 *
 * A bucket is one word, the time when it will be full again; it is read and written by all CPUs with compare-and-swap, so a limit is exact
 * whatever the number of CPUs, and not N times itself. A CPU that loses FW_SWAP_TRIES races in a row counts its packet as over.
 *
 * Keyed buckets stand in an array of sets. One whose time is past is full, which is what a new one is: so it is a free cell, nothing
 * ever has to be removed, and nobody can make others forget how much he used. When all cells where a key may stand are
 * in use, the packet is over (reason limit-full): strict, for a table that forgets under pressure limits nobody.
 */
#ifndef FW_CORE_LIMIT_H
#define FW_CORE_LIMIT_H

#include "key.bpf.h"
#include "live.bpf.h"
#include "rows.bpf.h"

#define FW_SWAP_TRIES 8
#define FW_UNITS(ns) ((ns) << 6)

enum fw_limited { FW_WITHIN, FW_OVER, FW_NO_ROOM };

/* Take `cost` from the bucket, when it has that much. */
static __always_inline int fw_gcra(__u64 *until, __u64 now, __u64 cost, __u64 burst)
{
	__u64 old, t;
	__u32 i;

	FW_NO_UNROLL
	for (i = 0; i < FW_SWAP_TRIES; i++) {
		old = *(volatile __u64 *)until;
		t = (old > now ? old : now) + cost;
		if (t - now > burst)
			return FW_OVER;
		if (fw_cfg.readonly || fw_swap(until, old, t) == old)
			return FW_WITHIN;
	}
	return FW_OVER;
}

static __always_inline struct fw_bucket *fw_bucket_at(__u32 cell)
{
	__u32 set = (cell / FW_BUCKET_WAYS) & fw_cfg.bucket_mask;
	struct fw_bucket_set *b = fw_env_lookup(&fw_buckets, &set);

	return b ? &b->way[cell % FW_BUCKET_WAYS] : NULL;
}

#define FW_BUCKET_FREE (1u << 30) /* the cell is not the key's, but free */
#define FW_BUCKET_NONE (1u << 31)
/*
 * The cell of a key (set * ways + way): its own, else a free one in either of its sets. A global function of numbers: rules with limits and
 * seats of max-conn look here many times.
 */
__u32 fw_bucket_find(__u64 tag, __u64 now);
FW_GLOBAL __u32 fw_bucket_find(__u64 tag, __u64 now)
{
	__u32 free = FW_BUCKET_NONE, i, way, set;
	struct fw_bucket_set *b;

	FW_NEEDS(FW_FEAT_LIMIT);
	FW_NO_UNROLL
	for (i = 0; i < 2; i++) {
		set = (i ? tag >> 40 : tag >> 16) & fw_cfg.bucket_mask;
		b = fw_env_lookup(&fw_buckets, &set);
		if (!b)
			return FW_BUCKET_NONE;
		FW_NO_UNROLL
		for (way = 0; way < FW_BUCKET_WAYS; way++) {
			if (b->way[way].tag == tag)
				return set * FW_BUCKET_WAYS + way;
			if (free == FW_BUCKET_NONE && b->way[way].until <= now)
				free = (set * FW_BUCKET_WAYS + way) | FW_BUCKET_FREE;
		}
	}
	return free;
}

/* A cell for the key, taken when it was free. NULL: no room. ret_cell: its number. */
static __always_inline struct fw_bucket *fw_bucket_take(__u64 tag, __u64 now, __u32 *ret_cell)
{
	__u32 cell, i;
	struct fw_bucket *b;
	__u64 old;

	FW_NO_UNROLL
	for (i = 0; i < FW_SWAP_TRIES; i++) {
		cell = fw_bucket_find(tag, now);
		if (cell == FW_BUCKET_NONE)
			return NULL;
		b = fw_bucket_at(cell & (FW_BUCKET_FREE - 1));
		if (!b)
			return NULL;
		*ret_cell = cell & (FW_BUCKET_FREE - 1);
		if (!(cell & FW_BUCKET_FREE) || fw_cfg.readonly)
			return b;
		old = b->tag;
		if (b->until <= now && fw_swap(&b->tag, old, tag) == old)
			return b;
	}
	return NULL;
}

/* The rule's extra: masked as all of the image; its fields are within FW_SLOT_PAD of it. */
static __always_inline const struct fw_extra *fw_extra_get(const struct fw_tabs *t, const struct fw_dir_hdr *d, __u64 rule)
{
	__u64 index = fw_tab32(t, d->extra_of + rule * 4);

	return (const void *)(t->base + ((d->extras + (index - 1) * sizeof(struct fw_extra)) & t->mask));
}

/* Address `side` of the packet, as far as the prefix goes, into out. */
static __always_inline void fw_prefix(const struct fw_pkt *pkt, __u32 side, const __u8 plen[2], __u32 out[4])
{
	__u64 hi = FW_BE64(pkt->addr[side].a64[0]), lo = FW_BE64(pkt->addr[side].a64[1]);
	__u32 n = plen[1];

	out[0] = out[1] = out[2] = out[3] = 0;
	if (pkt->l3 == FW_L3_OTHER)
		return;
	if (pkt->l3 == FW_L3_IPV4) {
		n = plen[0] & 63;
		out[0] = n ? FW_BE32(pkt->addr[side].a32[0]) >> ((32 - n) & 31) : 0;
		return;
	}
	lo = n >= 128 ? lo : n > 64 ? lo & ~(~0ull >> ((n - 64) & 63)) : 0;
	hi = n >= 64 ? hi : n ? hi & ~(~0ull >> (n & 63)) : 0;
	out[0] = hi >> 32;
	out[1] = hi;
	out[2] = lo >> 32;
	out[3] = lo;
}

/* What a key is of: what for, the number of the seat, the family, the length of the prefix. */
#define FW_WHAT(kind, n, l3, plen) ((__u32)(kind) << 24 | (__u32)(n) << 16 | (__u32)(l3) << 8 | (plen))
#define FW_WHAT_SEAT 7

static __always_inline __u64 fw_limit_tag(const struct fw_ctl *ctl, struct fw_scratch *s, const struct fw_extra *x)
{
	__u32 addr[4] = {}, per = x->per & 3, rule = x->identity;
	const struct fw_pkt *pkt = &s->pkt;
	__u64 h;

	if (per != FW_PER_FLOW) {
		fw_prefix(pkt, per == FW_PER_DST, x->plen, addr);
		return fw_hash_rule(ctl, rule, FW_WHAT(per, 0, pkt->l3, pkt->l3 == FW_L3_IPV4 ? x->plen[0] : x->plen[1]), addr) | 1;
	}
	fw_track_key(pkt, &s->fresh.key);
	h = fw_hash_flow(ctl, &s->fresh.key);
	addr[0] = h >> 32;
	addr[1] = h;
	return fw_hash_rule(ctl, rule, FW_WHAT(per, 0, pkt->l3, 0), addr) | 1;
}

/* Is the packet within the limit of the rule that matched it? Then it has taken its part. */
static __always_inline enum fw_limited fw_limit(const struct fw_tabs *t, struct fw_scratch *s, const struct fw_extra *x, __u32 slot)
{
	__u64 n = x->flags & FW_EXTRA_BYTES ? s->pkt.bytes & 0xfffff : s->pkt.packets & 0xfff;
	__u64 cost = n * x->mult >> (x->shift & 63), burst = x->burst, now = FW_UNITS(s->about.now);
	struct fw_bucket *b;
	__u64 *cell;
	__u32 index = slot * 2 + (fw_cfg.dir & 1);

	if (fw_cfg.trace && t->ctl->given & FW_GIVEN_STATE)
		return FW_WITHIN;
	if (x->flags & FW_EXTRA_FINE)
		now = FW_UNITS(fw_now_fine(t->ctl));
	if (x->per == FW_PER_RULE) {
		cell = fw_env_lookup(&fw_limits, &index);
		return cell ? fw_gcra(cell, now, cost, burst) : FW_NO_ROOM;
	}
	if (cost > burst)
		return FW_OVER;
	b = fw_bucket_take(fw_limit_tag(t->ctl, s, x), now, &index);
	return b ? fw_gcra(&b->until, now, cost, burst) : FW_NO_ROOM;
}

/*
 * max-conn: every rule and source have `max_conn` seats, cells like those of limits, and a connection sits on one until it ends: its end is
 * the seat's. A free seat, as FW_SEAT(), into s->fresh.seat; it is taken.
 */
struct fw_seats {
	const struct fw_ctl *ctl;
	struct fw_scratch *s;
	__u32 addr[4];
	__u32 rule, plen;
	__u64 now, until;
};

static long fw_seat_step(__u32 i, void *arg)
{
	struct fw_seats *x = arg;
	__u64 tag = fw_hash_rule(x->ctl, x->rule, FW_WHAT(FW_WHAT_SEAT, i & 255, x->s->pkt.l3, x->plen), x->addr) | 1, old;
	__u32 cell = 0;
	struct fw_bucket *b = fw_bucket_take(tag, x->now, &cell);

	if (!b)
		return 0; /* this one has no room */
	old = b->until;
	if (old > x->now)
		return 0; /* somebody sits there */
	if (!fw_cfg.readonly && fw_swap(&b->until, old, x->until) != old)
		return 0;
	x->s->fresh.seat = FW_SEAT(tag, (__u64)cell);
	return 1;
}

static __always_inline int fw_seat_take(const struct fw_tabs *t, struct fw_scratch *s, const struct fw_extra *x, __u64 until)
{
	struct fw_seats seats = { .ctl = t->ctl, .s = s, .rule = x->identity, .now = FW_UNITS(s->about.now), .until = until };

	seats.plen = s->pkt.l3 == FW_L3_IPV4 ? x->conn_plen[0] : x->conn_plen[1];
	fw_prefix(&s->pkt, 0, x->conn_plen, seats.addr);
	s->fresh.seat = 0;
	fw_env_loop(x->max_conn & (2 * FW_MAX_CONN - 1), fw_seat_step, &seats);
	return s->fresh.seat != 0;
}

/* The connection goes on until then. A seat that is another one's by now is left alone. */
static __always_inline void fw_seat_move(__u64 seat, __u64 until)
{
	struct fw_bucket *b = fw_bucket_at((seat & 0xfffff) - 1);

	if (b && (b->tag ^ seat) >> 20 == 0)
		b->until = until;
}

#endif
