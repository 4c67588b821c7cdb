/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Is an address in a large set? <fw/abi.h> has the format of the blocks.
 */
#ifndef FW_CORE_SETS_H
#define FW_CORE_SETS_H

#include "address.bpf.h"

static __always_inline __u32 fw_tab8(const struct fw_tabs *t, __u32 off)
{
	return *(t->base + (off & t->mask));
}

/* At most three reads, each of which depends on the one before; for most addresses the first says no. */
static __always_inline __u32 fw_set_bitmap(const struct fw_tabs *t, __u32 off, __u32 addr)
{
	const __u8 *rec;
	__u64 mixed;
	__u32 bit, leaf;

	if (!(fw_tab8(t, off + (addr >> 11)) >> (addr >> 8 & 7) & 1))
		return 0;
	/* both fields within FW_SLOT_PAD of the masked offset */
	rec = t->base + ((off + FW_BLOCK_SOME + (addr >> 14) * (__u32)sizeof(struct fw_block_rec)) & t->mask);
	mixed = FW_GET64(rec + offsetof(struct fw_block_rec, mixed));
	bit = addr >> 8 & 63;
	if (!(mixed >> bit & 1))
		return 1;
	leaf = FW_GET32(rec + offsetof(struct fw_block_rec, leaf)) + (__u32)fw_popcount(mixed & ((1ULL << bit) - 1));
	off += FW_BLOCK_LEAVES + leaf * FW_BLOCK_LEAF;
	return fw_tab8(t, off + (addr >> 3 & 31)) >> (addr & 7) & 1;
}

/* Set k, for the packet's family: 1 when its address on the side of the set is a member. */
static __always_inline __u32 fw_set_has(const struct fw_tabs *t, const struct fw_pkt *pkt, __u32 k)
{
	__u32 six = pkt->l3 == FW_L3_IPV6, side = t->d->set_sides >> k & 1;
	__u32 block = t->d->sets + (2 * k + six) * (__u32)sizeof(struct fw_block);
	__u32 kind = fw_tab32(t, block + offsetof(struct fw_block, kind));
	__u32 off = fw_tab32(t, block + offsetof(struct fw_block, off));

	if (kind == FW_BLOCK_BITMAP)
		return fw_set_bitmap(t, off, FW_BE32(pkt->addr[side].a32[0]));
	if (kind != FW_BLOCK_TRIE)
		return 0;
	if (six)
		return fw_trie6(t, side, pkt, off, 0) & 1;
	return fw_trie4(t, FW_BE32(pkt->addr[side].a32[0]), off, 0) & 1;
}

/* The value of SETS. A global function: the verifier judges it once, and takes any number to come out. */
__u32 fw_sets_value(__u32 slot);
FW_GLOBAL __u32 fw_sets_value(__u32 slot)
{
	__u32 zero = 0, value = 0, k;
	const struct fw_scratch *s = fw_env_lookup(&fw_scratch, &zero);
	struct fw_tabs t;

	if (!s || !fw_slot_open(&t, slot) || s->pkt.l3 == FW_L3_OTHER)
		return 0;
	FW_NO_UNROLL
	for (k = 0; k < FW_MAX_SETS && k < t.d->nsets; k++)
		value |= fw_set_has(&t, &s->pkt, k) << k;
	return value;
}

#endif
