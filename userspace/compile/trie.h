/* SPDX-License-Identifier: GPL-2.0-only */
/* Address tries as <fw/abi.h> describes them, built from classes. Equal chunks are stored once. */
#ifndef FW_COMPILE_TRIE_H
#define FW_COMPILE_TRIE_H

#include "compile/class.h"

struct trie {
	uint32_t *v;   /* the trie's bytes in 4-byte units; NULL when one class holds every address */
	size_t n, cap;
	unsigned int leaf_shift;
	size_t chunks, leaves, skips; /* how many of each, for the reader */
	unsigned int steps;	      /* dependent reads at worst: l1 and what follows */

	/* While it is built: */
	size_t limit;	/* units */
	uint32_t *slot; /* hash table of chunks: 0 empty, else 1 + index of entry */
	size_t mask;
	struct trie_entry *entry;
	size_t nentries, cap_entries;
};

/* 0, -ENOMEM, or -E2BIG when the trie would take more than limit bytes. */
int trie4_build(const struct classes *c, size_t limit, struct trie *ret);
int trie6_build(const struct classes *c, size_t limit, struct trie *ret);
void trie_fini(struct trie *t);
static inline size_t trie_bytes(const struct trie *t)
{
	return t->n * sizeof(*t->v);
}

/* For addrtab4.c and addrtab6.c. */
int trie_init(struct trie *t, const struct classes *c, size_t limit);
/* A cell for these 256 cells: packed when they are all classes. */
int trie_add_chunk(struct trie *t, const uint32_t cell[256], uint32_t *ret_cell);
int trie_add_skip(struct trie *t, const struct fw_skip6 *skip, uint32_t *ret_cell);
/* Forget what only building needs. */
void trie_seal(struct trie *t);

#endif
