/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Addresses → class, by the tables of the image (<fw/abi.h> has the format), and how an image is read: off one pointer,
 * the slot, each offset masked with the size of the slot. So a damaged image can give a wrong verdict, never a wild read.
 */
#ifndef FW_CORE_ADDRESS_H
#define FW_CORE_ADDRESS_H

#include "maps.bpf.h"

/* A slot being read. */
struct fw_tabs {
	const __u8 *base;
	__u64 mask;
	const struct fw_dir_hdr *d;
	const struct fw_ctl *ctl; /* NULL where nobody asks */
};

/* 0 when there is no such slot. */
static __always_inline int fw_slot_open(struct fw_tabs *t, __u32 slot)
{
	__u32 zero = 0;

	t->ctl = NULL;
	/* Two calls, kept apart: the kernel inlines a look-up only where it always sees the same map. */
	if (slot == 0) {
		t->base = fw_env_lookup(&fw_slot0, &zero);
		FW_OPAQUE(t->base);
		t->mask = fw_cfg.mask[0];
	} else {
		t->base = fw_env_lookup(&fw_slot1, &zero);
		t->mask = fw_cfg.mask[1];
	}
	if (!t->base)
		return 0;
	t->d = (const struct fw_dir_hdr *)(t->base + offsetof(struct fw_image, dir) +
					   (fw_cfg.dir & 1) * sizeof(struct fw_dir_hdr));
	return 1;
}

static __always_inline __u32 fw_tab32(const struct fw_tabs *t, __u64 off)
{
	return FW_GET32(t->base + (off & t->mask));
}

static __always_inline __u64 fw_tab64(const struct fw_tabs *t, __u64 off)
{
	return FW_GET64(t->base + (off & t->mask));
}

/* A packed chunk: the class of one byte. */
static __always_inline __u32 fw_class_leaf(const struct fw_tabs *t, __u32 tab, __u32 cell, __u32 byte, __u32 shift)
{
	__u32 bit = byte << (shift & 7);
	__u32 word = fw_tab32(t, tab + ((cell & FW_CELL_MASK) + (bit >> 5)) * 4);

	return word >> (bit & 31) & ((2u << (((1u << (shift & 7)) - 1) & 31)) - 1);
}

/* Number of set bits (there is no instruction for it). */
static __always_inline __u64 fw_popcount(__u64 x)
{
	x -= x >> 1 & 0x5555555555555555ULL;
	x = (x & 0x3333333333333333ULL) + (x >> 2 & 0x3333333333333333ULL);
	x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fULL;
	return x * 0x0101010101010101ULL >> 56;
}

/* A rank chunk: the cell of one byte. */
static __always_inline __u32 fw_class_rank(const struct fw_tabs *t, __u32 off, __u32 byte)
{
	/* within FW_SLOT_PAD of the masked offset */
	const __u8 *n = t->base + (off & t->mask);
	__u64 word = FW_GET64(n + (byte >> 6 & 3) * 8) << (63 - (byte & 63)), rank;

	rank = fw_popcount(word) + n[offsetof(struct fw_rank, before) + (byte >> 6 & 3)] - 1;
	return FW_GET32(n + offsetof(struct fw_rank, value) + (rank & 255) * 4);
}

/* A chunk of either form. */
static __always_inline __u32 fw_class_chunk(const struct fw_tabs *t, __u32 tab, __u32 cell, __u32 byte)
{
	__u32 at = tab + (cell & FW_CELL_MASK) * 4;

	if (cell & FW_CELL_LEAF) /* and FW_CELL_SKIP */
		return fw_class_rank(t, at, byte);
	return fw_tab32(t, at + byte * 4);
}

static __always_inline __u32 fw_trie4(const struct fw_tabs *t, __u32 addr, __u32 tab, __u32 shift)
{
	__u32 cell, byte;

	cell = fw_tab32(t, tab + (addr >> 16) * 4);
	if (!(cell & FW_CELL_REF))
		return cell;
	byte = addr >> 8 & 255;
	if ((cell & FW_CELL_KIND) != FW_CELL_LEAF) {
		cell = fw_class_chunk(t, tab, cell, byte);
		if (!(cell & FW_CELL_REF))
			return cell;
		byte = addr & 255;
		if ((cell & FW_CELL_KIND) == FW_CELL_RANK)
			return fw_class_rank(t, tab + (cell & FW_CELL_MASK) * 4, byte);
	}
	return fw_class_leaf(t, tab, cell, byte, shift);
}

static __always_inline __u32 fw_class_ipv4(const struct fw_tabs *t, __u32 side, const struct fw_pkt *pkt)
{
	__u32 tab = t->d->dim[FW_DIM_SRC + side].tab;

	if (!tab)
		return t->d->root[side][0]; /* 0, or with lists the node of every address */
	return fw_trie4(t, FW_BE32(pkt->addr[side].a32[0]), tab, t->d->leaf_shift[side][0]);
}

/* A skip node: many steps with one way on. Its `next`, or its `miss`. */
static __always_inline __u32 fw_class_skip(const struct fw_tabs *t, __u32 off, const struct fw_pkt *pkt, __u32 side,
					   __u32 *byte)
{
	__u64 hi = FW_BE64(pkt->addr[side].a64[0]), lo = FW_BE64(pkt->addr[side].a64[1]);
	/* within FW_SLOT_PAD of the masked offset */
	const __u8 *n = t->base + (off & t->mask);
	__u64 differ = ((hi ^ FW_GET64(n + offsetof(struct fw_skip6, key[0]))) &
			FW_GET64(n + offsetof(struct fw_skip6, mask[0]))) |
		       ((lo ^ FW_GET64(n + offsetof(struct fw_skip6, key[1]))) &
			FW_GET64(n + offsetof(struct fw_skip6, mask[1])));

	if (differ)
		return FW_GET32(n + offsetof(struct fw_skip6, miss)) & ~FW_CELL_REF;
	*byte = FW_GET32(n + offsetof(struct fw_skip6, next_byte)) & 15;
	return FW_GET32(n + offsetof(struct fw_skip6, next));
}

/* What follows the first 16 bits of an IPv6 address: `cell` is a reference into the trie at `tab`. */
static __always_inline __u32 fw_steps6(const struct fw_tabs *t, __u32 side, const struct fw_pkt *pkt, __u32 tab,
				       __u32 cell, __u32 shift)
{
	__u32 byte, at, i;

	/*
	 * The third byte, number 2, comes first. l3 has this value here, and what is read from memory the verifier does not
	 * know: it would tell the steps apart by `byte`, and walk the loop once for each value.
	 */
	_Static_assert((int)FW_L3_IPV6 == 2, "l3 of an IPv6 packet, and the first byte after l1");
	byte = FW_FRESH(pkt->l3) & 15;
	FW_NO_UNROLL
	for (i = 0; i < FW_TRIE6_STEPS; i++) {
		at = tab + (cell & FW_CELL_MASK) * 4;
		if ((cell & FW_CELL_KIND) == FW_CELL_SKIP) {
			cell = fw_class_skip(t, at, pkt, side, &byte);
		} else if ((cell & FW_CELL_KIND) == FW_CELL_LEAF) {
			return fw_class_leaf(t, tab, cell, pkt->addr[side].a8[byte & 15], shift);
		} else {
			cell = fw_class_chunk(t, tab, cell, pkt->addr[side].a8[byte & 15]);
			byte = (byte + 1) & 15;
		}
		if (!(cell & FW_CELL_REF))
			return cell;
	}
	return cell & ~FW_CELL_REF; /* only a damaged image gets here */
}

static __always_inline __u32 fw_trie6(const struct fw_tabs *t, __u32 side, const struct fw_pkt *pkt, __u32 tab, __u32 shift)
{
	__u32 cell = fw_tab32(t, tab + FW_BE16(pkt->addr[side].a32[0] & 0xffff) * 4);

	return cell & FW_CELL_REF ? fw_steps6(t, side, pkt, tab, cell, shift) : cell;
}

static __always_inline __u32 fw_class_ipv6(const struct fw_tabs *t, __u32 side, const struct fw_pkt *pkt)
{
	__u32 tab = t->d->tab6[side];

	if (!tab)
		return t->d->root[side][1];
	return fw_trie6(t, side, pkt, tab, t->d->leaf_shift[side][1]);
}

/* The last of the ascending bounds that is <= mac, without a branch on it (the verifier would try every path). */
static __always_inline __u32 fw_class_mac(const struct fw_tabs *t, __u64 mac)
{
	__u32 tab = t->d->dim[FW_DIM_MAC].tab, n = fw_tab32(t, tab), cls = fw_tab32(t, tab + 4), pos = 0, step;
	__u64 below, inside, on;

	FW_NO_UNROLL
	for (step = 1u << (FW_MAC_STEPS - 1); step; step >>= 1) {
		inside = (__u64)(pos + step) - n;
		below = fw_tab64(t, tab + sizeof(struct fw_mac_tab) + (pos + step) * 8) - mac - 1;
		FW_OPAQUE(inside);
		FW_OPAQUE(below);
		on = (inside & below) >> 63; /* both negative */
		FW_OPAQUE(on); /* a product, not a mask: newer verifiers follow both values of a mask */
		pos += on * step;
		pos &= FW_MAX_MAC_BOUNDS - 1;
	}
	cls += pos * 2;
	return FW_GET16(t->base + (cls & t->mask));
}

#endif
