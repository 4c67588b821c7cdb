// SPDX-License-Identifier: GPL-2.0-only
#include "compile/setblock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The ranges as two classes: 0 outside, 1 inside. */
static int setblock_classes(const struct range6 *r, size_t n, struct classes *c)
{
	*c = (struct classes){ .nclasses = 2 };
	c->start = malloc((2 * n + 1) * sizeof(*c->start));
	c->cls = malloc((2 * n + 1) * sizeof(*c->cls));
	if (!c->start || !c->cls)
		return -ENOMEM;
	if (r[0].lo) {
		c->start[0] = 0;
		c->cls[c->nbounds++] = 0;
	}
	for (size_t i = 0; i < n; i++) {
		c->start[c->nbounds] = r[i].lo;
		c->cls[c->nbounds++] = 1;
		if (r[i].hi == ~(u128)0)
			break;
		c->start[c->nbounds] = r[i].hi + 1;
		c->cls[c->nbounds++] = 0;
	}
	return 0;
}

static int setblock_trie(struct setblock *b, size_t limit, size_t small)
{
	struct classes c;
	int err = setblock_classes(b->v6, b->n, &c);

	if (!err)
		err = trie6_build(&c, limit, small, &b->trie);
	classes_fini(&c);
	if (err)
		return err;
	b->kind = FW_BLOCK_TRIE;
	b->len = trie_bytes(&b->trie);
	return 0;
}

int setblock_plan(struct setblock *b, size_t limit, size_t small)
{
	if (!b->n) {
		b->kind = FW_BLOCK_NONE;
		b->len = 0;
		return 0;
	}
	if (b->six)
		return setblock_trie(b, limit, small);
	b->kind = FW_BLOCK_NETS;
	b->len = setblock4_len(b->v4, b->n, &b->nets);
	return b->len > limit ? -E2BIG : 0;
}

void setblock_write(const struct setblock *b, uint8_t *out)
{
	if (b->copy)
		memcpy(out, b->copy, b->len);
	else if (b->kind == FW_BLOCK_TRIE)
		memcpy(out, b->trie.v, b->len);
	else if (b->kind == FW_BLOCK_NETS)
		setblock4_write(b->v4, b->n, out);
}

void setblock_fini(struct setblock *b)
{
	trie_fini(&b->trie);
}
