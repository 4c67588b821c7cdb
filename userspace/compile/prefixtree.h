/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The prefixes that rules in lists speak of, on one side and in one family, as a tree. They are numbered in preorder
 * from 0, the whole space, so that a prefix and all inside it are one interval of numbers (<fw/abi.h>, "Lists").
 */
#ifndef FW_COMPILE_PREFIXTREE_H
#define FW_COMPILE_PREFIXTREE_H

#include "compile/box.h"

/* A set of more prefixes than this, or fewer when there are too many in all, has none here: rules that ask for it stay
 * out of lists. */
#define PREFIX_TREE_MAX 64

struct prefix {
	u128 lo;
	uint32_t len; /* bits that are fixed */
	uint32_t set; /* index */
	uint32_t at;  /* index into `number` */
};

struct prefix_interval {
	uint32_t lo, span;
};

struct prefix_tree {
	size_t nsets;
	unsigned int bits; /* of an address */
	uint32_t *first; /* per set, and one more: its prefixes are first[i] … first[i + 1] - 1, ascending by address */
	uint32_t *number; /* per prefix: its number in the tree */
	struct prefix *sorted;

	/* The tree; arrays by number. */
	size_t n;
	u128 *lo, *hi;
	uint32_t *last;	  /* highest number inside */
	uint32_t *parent; /* of 0: 0 */

	/* Per set: the numbers of its addresses as intervals; as many places as prefixes. */
	struct prefix_interval *interval;
	uint32_t *nintervals;
};

/* Sets whose flag in `wanted` is clear are left out. 0 or -ENOMEM; prefix_tree_fini in any case. */
int prefix_tree_init(struct prefix_tree *t, const struct box_sets *sets, const bool *wanted, unsigned int bits);
/* Build the tree anew, of the prefixes of wanted sets alone. */
void prefix_tree_number(struct prefix_tree *t, const bool *wanted);
/* The number of an address: of the innermost prefix around it. */
uint32_t prefix_tree_find(const struct prefix_tree *t, u128 addr);
void prefix_tree_fini(struct prefix_tree *t);

#endif
