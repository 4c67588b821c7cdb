/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Address tries as <fw/abi.h> describes them, built from classes. Equal chunks are stored once.
 *
 * A small trie has chunks of fixed width: one read each, and all of it stays in the caches. In a large one memory is the
 * cost, so each chunk is stored as runs (struct fw_rank) where that takes fewer bytes.
 */
#ifndef FW_COMPILE_TRIE_H
#define FW_COMPILE_TRIE_H

#include "compile/class.h"

struct trie {
	uint32_t *v; /* the trie's bytes in 4-byte units; NULL when one class holds every address */
	size_t n, cap;
	unsigned int leaf_shift;
	size_t chunks, leaves, skips, ranks; /* how many of each, for the reader */
	unsigned int steps;		     /* dependent reads at worst: l1 and what follows */

	/* While it is built: */
	bool runs;	/* store chunks as runs */
	size_t limit;	/* units */
	uint32_t *slot; /* hash table of chunks: 0 empty, else 1 + index of entry */
	size_t mask;
	struct trie_entry *entry;
	size_t nentries, cap_entries;
};

/* Bytes up to which a trie keeps chunks of fixed width: what a second-level cache holds beside the rows. */
#define TRIE_SMALL (512u << 10)

/*
 * `small`: bytes up to which chunks have a fixed width; 0: TRIE_SMALL.
 * 0, -ENOMEM, or -E2BIG when the trie would take more than limit bytes.
 */
int trie4_build(const struct classes *c, size_t limit, size_t small, struct trie *ret);
int trie6_build(const struct classes *c, size_t limit, size_t small, struct trie *ret);
void trie_fini(struct trie *t);
static inline size_t trie_bytes(const struct trie *t)
{
	return t->n * sizeof(*t->v);
}

/* For addrtab4.c and addrtab6.c. */

/* 256 cells while they are found, as runs of equal ones. */
struct trie_cells {
	uint64_t map[4]; /* bit b: a run starts at byte b */
	unsigned int n;
	uint32_t value[256];
};
static inline void trie_cells_init(struct trie_cells *c)
{
	c->map[0] = c->map[1] = c->map[2] = c->map[3] = 0;
	c->n = 0;
}
/* The cells from `byte` on, until the next call says otherwise; bytes ascend from 0. */
static inline void trie_cells_add(struct trie_cells *c, unsigned int byte, uint32_t cell)
{
	if (c->n && c->value[c->n - 1] == cell)
		return;
	c->map[byte / 64] |= 1ull << byte % 64;
	c->value[c->n++] = cell;
}

/*
 * Let fill() build a trie with chunks of fixed width, and again with runs when it becomes larger than `small`. fill stores
 * the 65536 cells of the first 16 bits, t->steps too.
 */
int trie_build(const struct classes *c, size_t limit, size_t small,
	       int (*fill)(const struct classes *c, struct trie *t), struct trie *ret);
/* A cell for these 256 cells. */
int trie_add_chunk(struct trie *t, const struct trie_cells *cells, uint32_t *ret_cell);
int trie_add_skip(struct trie *t, const struct fw_skip6 *skip, uint32_t *ret_cell);

#endif
