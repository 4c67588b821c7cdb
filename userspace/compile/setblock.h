/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The block of a large set in one family: sorted ranges → the bytes that <fw/abi.h> describes at struct fw_block. The
 * length is known before the bytes are written, so a block is written where it is to stand.
 */
#ifndef FW_COMPILE_SETBLOCK_H
#define FW_COMPILE_SETBLOCK_H

#include "compile/trie.h"

struct setblock {
	/* In: ranges of one family, sorted, disjoint, not touching, not the whole space. */
	const struct range4 *v4;
	const struct range6 *v6;
	bool six; /* which of them */
	size_t n;
	uint64_t key[2]; /* of the ranges: 128 bits of a hash for which nobody finds two sets */

	enum fw_block_kind kind;
	size_t len;
	uint32_t nets;
	uint32_t off;	      /* in the image, once that is laid out */
	const uint8_t *copy;  /* the bytes, of an image that has them; else they are made of: */
	struct trie trie;
};

/*
 * Give the block a kind and a length. `small` is for the trie of an IPv6 set (trie6_build).
 * 0, -ENOMEM, or -E2BIG when it would take more than limit bytes.
 */
int setblock_plan(struct setblock *b, size_t limit, size_t small);
/* b->len zeroed bytes. */
void setblock_write(const struct setblock *b, uint8_t *out);
void setblock_fini(struct setblock *b);

/* setblock4.c: FW_BLOCK_NETS. */
size_t setblock4_len(const struct range4 *r, size_t n, uint32_t *ret_nets);
void setblock4_write(const struct range4 *r, size_t n, uint8_t *out);

#endif
