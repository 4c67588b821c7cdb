/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Is an address in a large set? <fw/abi.h> has the format of the blocks.
 */
#ifndef FW_CORE_SETS_H
#define FW_CORE_SETS_H

#include "address.bpf.h"

/* One range and one more address, without a branch on either. */
static __always_inline __u32 fw_set_cell(__u32 cell, __u32 byte)
{
	__u64 in = (__u64)((byte - cell) & 255) - (cell >> 8 & 255) - 1, also = (__u64)((cell >> 16 & 255) ^ byte) - 1;

	FW_OPAQUE(in);
	FW_OPAQUE(also);
	return (in | also) >> 63; /* either is negative */
}

/*
 * At most five reads: number, `some`, record, cell, leaf. The record does not wait for `some`; most addresses are no
 * members, and `some` says so. What comes out is a bit of which the verifier knows nothing but that it is one.
 */
static __always_inline __u32 fw_set_has4(const struct fw_tabs *t, __u32 block, __u32 off, __u32 addr)
{
	__u32 net = fw_tab32(t, off + (addr >> 16) * 4), part = addr >> 8 & 255, in, at, cell;
	const __u8 *rec;
	__u64 mixed;

	at = off + FW_BLOCK_SOME + net * FW_BLOCK_MAP;
	in = *(t->base + ((at + (part >> 3)) & t->mask)) >> (part & 7) & 1;
	if (!in)
		return in;
	at = off + FW_BLOCK_SOME + fw_tab32(t, block + offsetof(struct fw_block, nets)) * FW_BLOCK_MAP;
	/* both fields within FW_SLOT_PAD of the masked offset */
	rec = t->base + ((at + (net * 4 + (part >> 6)) * (__u32)sizeof(struct fw_block_rec)) & t->mask);
	mixed = FW_GET64(rec + offsetof(struct fw_block_rec, mixed));
	if (mixed >> (part & 63) & 1) {
		cell = FW_GET32(rec + offsetof(struct fw_block_rec, cell));
		cell = fw_tab32(t, off + (cell + (__u32)fw_popcount(mixed & ((1ULL << (part & 63)) - 1))) * 4);
		if (cell & FW_BLOCK_CELL_LEAF)
			in = *(t->base + ((off + cell * FW_BLOCK_MAP + (addr >> 3 & 31)) & t->mask)) >> (addr & 7) & 1;
		else
			in = fw_set_cell(cell, addr & 255);
	}
	return in;
}

/*
 * Membership by an IPv6 trie. A global function of numbers alone, so that the verifier walks its steps once for all sets,
 * and takes any number to come out.
 */
__u32 fw_set_trie6(__u32 slot, __u32 side, __u32 tab);
FW_GLOBAL __u32 fw_set_trie6(__u32 slot, __u32 side, __u32 tab) /* side: 2 more: of the opening packet */
{
	__u32 zero = 0;
	const struct fw_scratch *s = fw_env_lookup(&fw_scratch, &zero);
	struct fw_tabs t;

	return s && fw_slot_open(&t, slot) ? fw_trie6(&t, side & 1, side & 2 ? &s->opening : &s->pkt, tab, 0) & 1 : 0;
}

/* The value of SETS for IPv6. A global function: the verifier judges it once, and takes any number to come out. */
__u32 fw_sets6(__u32 slot, __u32 opening);
FW_GLOBAL __u32 fw_sets6(__u32 slot, __u32 opening)
{
	__u32 zero = 0, value = 0, side, k;
	const struct fw_scratch *s = fw_env_lookup(&fw_scratch, &zero);
	struct fw_tabs t;
	__u64 block;

	if (!s || !fw_slot_open(&t, slot))
		return 0;
	if (opening)
		t.d = (const void *)(t.base + offsetof(struct fw_image, dir) + (s->opening.dir & 1) * sizeof(struct fw_dir_hdr));
	FW_NO_UNROLL
	for (k = 0; k < FW_MAX_SETS && k < t.d->nsets; k++) {
		block = fw_tab64(&t, t.d->sets + (2 * k + 1) * (__u32)sizeof(struct fw_block)); /* kind, off */
		side = t.d->set_sides >> k & 1;
		if ((__u32)block == FW_BLOCK_TRIE)
			value |= (fw_set_trie6(slot, side | (opening ? 2 : 0), block >> 32) & 1) << k;
	}
	return value;
}

/* The bits of large sets in the value of SETS. opening: the packet is the opening one of a flow. */
static __always_inline __u32 fw_sets_static(const struct fw_tabs *t, const struct fw_scratch *s, const struct fw_pkt *pkt,
					     __u32 opening)
{
	__u32 value = 0, n = t->d->nsets, sides = t->d->set_sides, at, k;
	__u64 block;

	if (pkt->l3 == FW_L3_OTHER || (FW_FEATURES & FW_FEAT_LIVE && !(~t->d->live_bits & ((1u << (n & 31)) - 1))))
		return 0; /* all of them are live */
	if (pkt->l3 == FW_L3_IPV6)
		return fw_sets6(s->slot, opening);
	FW_NO_UNROLL
	for (k = 0; k < FW_MAX_SETS && k < n; k++) {
		at = t->d->sets + 2 * k * (__u32)sizeof(struct fw_block);
		block = fw_tab64(t, at);
		if ((__u32)block == FW_BLOCK_NETS)
			value |= fw_set_has4(t, at, block >> 32, FW_BE32(pkt->addr[sides >> k & 1].a32[0])) << k;
	}
	return value;
}

#endif
