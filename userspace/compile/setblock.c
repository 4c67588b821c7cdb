// SPDX-License-Identifier: GPL-2.0-only
#include "compile/setblock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Up to here a trie stays in the caches and answers in as many reads as the bitmap (bench/bench_packet: lists). */
#define SETBLOCK_TRIE (1u << 20)

static u128 setblock_lo(const struct setblock *b, size_t i)
{
	return b->six ? b->v6[i].lo : b->v4[i].lo;
}

static u128 setblock_hi(const struct setblock *b, size_t i)
{
	return b->six ? b->v6[i].hi : b->v4[i].hi;
}

/* The ranges as two classes: 0 outside, 1 inside. */
static int setblock_classes(const struct setblock *b, struct classes *c)
{
	u128 max = b->six ? ~(u128)0 : UINT32_MAX;

	*c = (struct classes){ .nclasses = 2 };
	c->start = malloc((2 * b->n + 1) * sizeof(*c->start));
	c->cls = malloc((2 * b->n + 1) * sizeof(*c->cls));
	if (!c->start || !c->cls)
		return -ENOMEM;
	if (!b->n || setblock_lo(b, 0)) {
		c->start[0] = 0;
		c->cls[c->nbounds++] = 0;
	}
	for (size_t i = 0; i < b->n; i++) {
		c->start[c->nbounds] = setblock_lo(b, i);
		c->cls[c->nbounds++] = 1;
		if (setblock_hi(b, i) == max)
			break;
		c->start[c->nbounds] = setblock_hi(b, i) + 1;
		c->cls[c->nbounds++] = 0;
	}
	return 0;
}

static int setblock_trie(struct setblock *b, size_t limit, size_t small)
{
	struct classes c;
	int err = setblock_classes(b, &c);

	if (!err)
		err = (b->six ? trie6_build : trie4_build)(&c, limit, small, &b->trie);
	classes_fini(&c);
	if (err)
		return err;
	b->kind = FW_BLOCK_TRIE;
	b->len = trie_bytes(&b->trie);
	return 0;
}

int setblock_plan(struct setblock *b, size_t limit, size_t small, enum fw_block_kind kind)
{
	size_t len;
	int err = -E2BIG;

	if (!b->n) {
		b->kind = FW_BLOCK_NONE;
		b->len = 0;
		return 0;
	}
	if (b->six || kind == FW_BLOCK_TRIE)
		return setblock_trie(b, limit, small);
	len = setblock4_len(b->v4, b->n);
	if (kind != FW_BLOCK_BITMAP)
		err = setblock_trie(b, limit < SETBLOCK_TRIE ? limit : SETBLOCK_TRIE, small);
	if (err != -E2BIG)
		return err;
	if (len > limit)
		return -E2BIG;
	b->kind = FW_BLOCK_BITMAP;
	b->len = len;
	return 0;
}

void setblock_write(const struct setblock *b, uint8_t *out)
{
	if (b->copy)
		memcpy(out, b->copy, b->len);
	else if (b->kind == FW_BLOCK_TRIE)
		memcpy(out, b->trie.v, b->len);
	else if (b->kind == FW_BLOCK_BITMAP)
		setblock4_write(b->v4, b->n, out);
}

void setblock_fini(struct setblock *b)
{
	trie_fini(&b->trie);
}
