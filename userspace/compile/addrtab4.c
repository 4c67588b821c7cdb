// SPDX-License-Identifier: GPL-2.0-only
/* The IPv4 trie: 16 bits, then 8, then 8. */
#include "compile/trie.h"

#include <errno.h>

struct addrtab4 {
	const struct classes *c;
	struct trie *t;
	size_t at; /* the stretch that holds the address being looked at; moves upwards only */
};

static uint32_t addrtab4_end(const struct addrtab4 *w)
{
	return w->at + 1 < w->c->nbounds ? (uint32_t)w->c->start[w->at + 1] - 1 : UINT32_MAX;
}

/*
 * The cell of the 2^bits addresses from base on. On return w->at is the stretch that holds the last of them, or the
 * next one when the block ends there.
 */
static int addrtab4_cell(struct addrtab4 *w, uint32_t base, unsigned int bits, uint32_t *ret_cell)
{
	uint32_t last = base + (uint32_t)((1ull << bits) - 1), cell[256];
	unsigned int step = bits - 8;

	if (addrtab4_end(w) >= last) {
		*ret_cell = w->c->cls[w->at];
		w->at += addrtab4_end(w) == last;
		return 0;
	}
	for (unsigned int i = 0; i < 256; i++) {
		uint32_t from = base + (i << step);
		int err;

		if (step) {
			err = addrtab4_cell(w, from, step, &cell[i]);
			if (err)
				return err;
		} else {
			cell[i] = w->c->cls[w->at];
			w->at += addrtab4_end(w) == from;
		}
	}
	return trie_add_chunk(w->t, cell, ret_cell);
}

int trie4_build(const struct classes *c, size_t limit, struct trie *ret)
{
	struct trie t = {};
	struct addrtab4 w = { .c = c, .t = &t };
	int err;

	if (c->nbounds == 1) {
		*ret = t;
		return 0;
	}
	err = trie_init(&t, c, limit);
	for (uint32_t i = 0; i < 65536 && !err; i++) {
		uint32_t cell;

		err = addrtab4_cell(&w, i << 16, 16, &cell);
		if (!err)
			t.v[i] = cell;
	}
	if (err) {
		trie_fini(&t);
		return err;
	}
	trie_seal(&t);
	*ret = t;
	return 0;
}
