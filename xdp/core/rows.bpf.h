/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rows of a packet's classes, and what a bit of them means (<fw/abi.h> has the format).
 *
 * The verifier walks a branch "this dimension is used" both ways. What either way leaves behind must look the same to it,
 * or its work doubles sixteen times: so the accumulator starts as a row loaded from the image (`ones`), not as the
 * constant ~0, and the rows of unused dimensions point at that row.
 */
#ifndef FW_CORE_ROWS_H
#define FW_CORE_ROWS_H

#include "account.bpf.h"
#include "sets.bpf.h"

#define FW_BIT(id) (1u << FW_DIM_##id)

/* Class of a field that has a small value. */
static __always_inline __u32 fw_class_small(const struct fw_tabs *t, const struct fw_pkt *pkt, __u32 dim)
{
	__u32 off = t->d->dim[dim].tab + pkt->val[dim] * 2;

	return FW_GET16(t->base + (off & t->mask));
}

/* Rows of one word: those of all used dimensions, ANDed. */
static __always_inline __u64 fw_word_get(const struct fw_tabs *t, const struct fw_pkt *pkt)
{
	const struct fw_dir_hdr *d = t->d;
	__u64 dims = d->dims, side;
	__u64 word = fw_tab64(t, d->ones);

#define FW_WORD(base_row, class) word &= fw_tab64(t, (base_row) + (class) * 8)
#define FW_X(id, bits)                                                                                                 \
	if (dims & FW_BIT(id))                                                                                         \
		FW_WORD(d->dim[FW_DIM_##id].rows, fw_class_small(t, pkt, FW_DIM_##id));
	FW_SMALL_DIMS(FW_X)
#undef FW_X
	if (dims & FW_BIT(MAC))
		FW_WORD(d->dim[FW_DIM_MAC].rows, fw_class_mac(t, pkt->mac));
	if (pkt->l3 == FW_L3_IPV4) {
		if (dims & FW_BIT(SRC))
			FW_WORD(d->dim[FW_DIM_SRC].rows, fw_class_ipv4(t, 0, pkt));
		if (dims & FW_BIT(DST))
			FW_WORD(d->dim[FW_DIM_DST].rows, fw_class_ipv4(t, 1, pkt));
	} else if (pkt->l3 == FW_L3_IPV6) {
		for (side = 0; side < 2; side++)
			if (dims & FW_BIT(SRC) << side)
				FW_WORD(d->rows6[side], fw_class_ipv6(t, side, pkt));
	}
#undef FW_WORD
	return word;
}

/*
 * Rows of many words: their places. With lists an address has a node instead of a class, which knows its row. Both
 * addresses are looked up before either answer is used, so that the caches are missed side by side.
 */
static __always_inline void fw_addrs_get(const struct fw_tabs *t, const struct fw_pkt *pkt, struct fw_walk *w)
{
	const struct fw_dir_hdr *d = t->d;
	__u64 lists = d->flags & FW_DIRF_LISTS, dims = d->dims, side, cls, rows;
	const __u8 *node;

	w->addr[0] = w->addr[1] = d->ones;
	if (pkt->l3 == FW_L3_OTHER)
		return;
	if (pkt->l3 == FW_L3_IPV4) {
		w->cls[0] = fw_class_ipv4(t, 0, pkt);
		w->cls[1] = fw_class_ipv4(t, 1, pkt);
	} else {
		for (side = 0; side < 2; side++)
			w->cls[side] = fw_class_ipv6(t, side, pkt);
	}
	FW_FORGET();
	for (side = 0; side < 2; side++) {
		cls = w->cls[side];
		if (lists) {
			/* both halves within FW_SLOT_PAD of the masked offset */
			node = t->base + ((d->units + cls * sizeof(struct fw_node)) & t->mask);
			w->node[side].half[0] = FW_GET64(node);
			w->node[side].half[1] = FW_GET64(node + 8);
			cls = w->node[side].n.row;
		}
		rows = pkt->l3 == FW_L3_IPV4 ? d->dim[FW_DIM_SRC + side].rows : d->rows6[side];
		if (dims & FW_BIT(SRC) << side)
			w->addr[side] = rows + cls * d->stride_addr;
	}
}

static __always_inline void fw_rows_get(const struct fw_tabs *t, const struct fw_pkt *pkt, struct fw_walk *w)
{
	const struct fw_dir_hdr *d = t->d;
	__u64 n = d->nsmall, stride = d->stride, dim, i;

	fw_addrs_get(t, pkt, w);
	FW_FORGET();
	FW_NO_UNROLL
	for (i = 0; i < FW_DIM_SMALL_COUNT && i < n; i++) {
		dim = d->small[i] & (FW_SMALL_ROOM - 1);
		w->row[i] = d->dim[dim].rows + fw_class_small(t, pkt, dim) * stride;
	}
	n = FW_FRESH(d->nsmall); /* the loop told the verifier too much about it */
	if (d->dims & FW_BIT(MAC))
		w->row[n++ & (FW_SMALL_ROOM - 1)] = d->dim[FW_DIM_MAC].rows + fw_class_mac(t, pkt->mac) * stride;
	w->nrows = n;
	for (i = 0; i < 3; i++) /* they are read four at a time */
		w->row[(n & (2 * FW_SMALL_ROOM - 1)) + i] = d->ones;
}

#define FW_ROW_AT(i) fw_tab64(t, w->row[i] + off)

/* One word of the rows of all dimensions but the addresses, ANDed with `word`. */
static __always_inline __u64 fw_and_rest(const struct fw_tabs *t, const struct fw_walk *w, __u64 off, __u64 word)
{
	__u64 n = FW_FRESH(w->nrows), i; /* each time: the loop tells the verifier what it was */

	FW_NO_UNROLL
	for (i = 0; i < FW_SMALL_MOST; i += 4) {
		if (i >= n)
			break;
		word &= FW_ROW_AT(i) & FW_ROW_AT(i + 1) & FW_ROW_AT(i + 2) & FW_ROW_AT(i + 3);
	}
	return word;
}

/* One word of all rows, ANDed. Addresses tell rules apart best: most words end there. */
static __always_inline __u64 fw_and(const struct fw_tabs *t, const struct fw_walk *w, __u64 off)
{
	__u64 word = fw_tab64(t, w->addr[0] + off) & fw_tab64(t, w->addr[1] + off);

	return word ? fw_and_rest(t, w, off, word) : 0;
}

/* Number of the lowest set bit: isolate, multiply, look up (clang 14 cannot do __builtin_ctzll for BPF). */
#ifdef __bpf__
#define FW_CTZ_SECTION SEC(".rodata.fw_ctz") /* .rodata itself holds struct fw_cfg and nothing else */
#else
#define FW_CTZ_SECTION
#endif
static const __u8 fw_ctz_of[64] FW_CTZ_SECTION = {
	0,  1,	2,  53, 3,  7,	54, 27, 4,  38, 41, 8,	34, 55, 48, 28, 62, 5,	39, 46, 44, 42,
	22, 9,	24, 35, 59, 56, 49, 18, 29, 11, 63, 52, 6,  26, 37, 40, 33, 47, 61, 45, 43, 21,
	23, 58, 17, 10, 51, 25, 36, 32, 60, 20, 57, 16, 50, 31, 19, 15, 30, 14, 13, 12,
};

static __always_inline __u64 fw_ctz(__u64 word)
{
	__u64 hash = (word & -word) * 0x022fdd63cc95386dULL;

	FW_OPAQUE(hash); /* newer clangs know the trick, and would put a table of their own into .rodata */
	return fw_ctz_of[hash >> 58];
}

/* Of a whole struct fw_action in one register. */
#define FW_WHOLE_RULE(action) FW_ACTION_RULE((action) >> 32)
#define FW_ACTION_NONE (~0ull) /* of a rule that no image has */

/* struct fw_action of a bit, in one load. */
static __always_inline __u64 fw_action_get(const struct fw_tabs *t, __u64 bit)
{
	return fw_tab64(t, t->d->actions + bit * sizeof(struct fw_action));
}

static __always_inline void fw_hit_set(struct fw_hit *hit, __u64 action)
{
	__u64 verdict = action >> 32 & 3;

	hit->verdict = verdict & -(verdict & 1); /* what is not PASS or REJECT is DROP, without a branch */
	hit->extra = action >> 32 & FW_ACTION_EXTRA;
	hit->slot = (__u32)action;
	hit->rule = FW_WHOLE_RULE(action);
}

#endif
