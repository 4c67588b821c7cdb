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
 * Cells that the stretch at hand covers from `from` on, step bits each, to the end of the block at most. It moves on
 * when the stretch ends there.
 */
static unsigned int addrtab4_run(struct addrtab4 *w, uint32_t from, uint32_t last, unsigned int step)
{
	uint32_t end = addrtab4_end(w), n;

	if (end >= last) {
		n = ((last - from) >> step) + 1;
		w->at += end == last;
		return n;
	}
	n = (uint32_t)((end - from + 1ull) >> step);
	w->at += n && from + (n << step) == end + 1;
	return n;
}

/*
 * The cell of the 2^bits addresses from base on. On return w->at is the stretch that holds the last of them, or the
 * next one when the block ends there.
 */
static int addrtab4_cell(struct addrtab4 *w, uint32_t base, unsigned int bits, uint32_t *ret_cell)
{
	uint32_t last = base + (uint32_t)((1ull << bits) - 1), cell;
	unsigned int step = bits - 8, i = 0;
	struct trie_cells cells;

	if (addrtab4_end(w) >= last) {
		*ret_cell = w->c->cls[w->at];
		w->at += addrtab4_end(w) == last;
		return 0;
	}
	trie_cells_init(&cells);
	while (i < 256) {
		uint32_t cls = w->c->cls[w->at];
		unsigned int n = addrtab4_run(w, base + (i << step), last, step);
		int err;

		if (n) {
			trie_cells_add(&cells, i, cls);
			i += n;
			continue;
		}
		/* The stretch ends inside this cell. */
		err = addrtab4_cell(w, base + (i << step), step, &cell);
		if (err)
			return err;
		trie_cells_add(&cells, i++, cell);
	}
	return trie_add_chunk(w->t, &cells, ret_cell);
}

static int addrtab4_fill(const struct classes *c, struct trie *t)
{
	struct addrtab4 w = { .c = c, .t = t };
	int err = 0;

	for (uint32_t i = 0; i < 65536 && !err; i++) {
		uint32_t cell;

		err = addrtab4_cell(&w, i << 16, 16, &cell);
		if (!err)
			t->v[i] = cell;
	}
	t->steps = t->ranks ? 5 : 3; /* the map of a rank chunk, then its value */
	return err;
}

int trie4_build(const struct classes *c, size_t limit, size_t small, struct trie *ret)
{
	return trie_build(c, limit, small, addrtab4_fill, ret);
}
