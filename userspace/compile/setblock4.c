// SPDX-License-Identifier: GPL-2.0-only
/*
 * The block of an IPv4 set, in two passes over its ranges: one counts, one writes. Ranges ascend and do not touch, so what
 * a range covers in part, /16 or /24, its neighbours never make whole, and every part belongs to the /16 and the /24 that
 * were opened last, or to new ones.
 */
#include "compile/setblock.h"

#include <string.h>

#define NONE UINT32_MAX
#define NETS_FIXED 2u /* nothing, everything */

struct setblock4 {
	uint32_t nets, cells, leaves; /* so far */
	uint32_t net, part;	      /* the last /16 and /24 of which a part is a member, by number */

	/* Of that /24: what a cell can tell, and all of it. */
	unsigned int nranges;
	uint8_t lo, hi, also;
	uint8_t map[FW_BLOCK_MAP];

	/* Writing: */
	uint8_t *out; /* NULL: counting */
	uint32_t *l1, *cell;
	uint8_t *some;
	struct fw_block_rec *rec;
	uint8_t *leaf;
};

/* Bits from … to of a map, inclusive. */
static void setblock4_set(uint8_t *map, uint32_t from, uint32_t to)
{
	uint32_t first = from / 8, last = to / 8;
	uint8_t head = 0xff << from % 8, tail = 0xff >> (7 - to % 8);

	if (first == last) {
		map[first] |= head & tail;
		return;
	}
	map[first] |= head;
	memset(map + first + 1, 0xff, last - first - 1);
	map[last] |= tail;
}

/* The last /24 is complete: its cell, and its leaf when a cell cannot tell it. */
static void setblock4_close(struct setblock4 *w)
{
	uint8_t *leaf = w->leaf + (size_t)w->leaves * FW_BLOCK_MAP;
	bool cell = w->nranges <= 2;

	if (w->part == NONE)
		return;
	w->leaves += !cell;
	if (!w->out)
		return;
	if (cell) {
		w->cell[w->cells - 1] = FW_BLOCK_CELL(w->lo, w->hi - w->lo, w->also);
		return;
	}
	memcpy(leaf, w->map, sizeof(w->map));
	w->cell[w->cells - 1] = FW_BLOCK_CELL_LEAF | (leaf - w->out) / FW_BLOCK_MAP;
}

static void setblock4_open(struct setblock4 *w, uint32_t part)
{
	struct fw_block_rec *rec = &w->rec[4 * (w->nets - 1) + (part >> 6 & 3)];

	setblock4_close(w);
	w->part = part;
	w->cells++;
	w->nranges = 0;
	memset(w->map, 0, sizeof(w->map));
	if (!w->out)
		return;
	if (!rec->mixed)
		rec->cell = w->cell + w->cells - 1 - (uint32_t *)w->out;
	rec->mixed |= 1ull << (part & 63);
	setblock4_set(w->some + (w->nets - 1) * FW_BLOCK_MAP, part & 255, part & 255);
}

/* A part of one /24. */
static void setblock4_hosts(struct setblock4 *w, uint32_t first, uint32_t last)
{
	uint8_t lo = first & 255, hi = last & 255;

	if (first >> 8 != w->part)
		setblock4_open(w, first >> 8);
	setblock4_set(w->map, lo, hi);
	if (w->nranges == 0) {
		w->lo = w->also = lo;
		w->hi = hi;
	} else if (w->nranges == 1 && lo == hi) {
		w->also = lo;
	} else if (w->nranges == 1 && w->lo == w->hi) {
		w->also = w->lo;
		w->lo = lo;
		w->hi = hi;
	} else {
		w->nranges = 2; /* neither is a single address */
	}
	w->nranges++;
}

/* A part of one /16. */
static void setblock4_part(struct setblock4 *w, uint32_t lo, uint32_t hi)
{
	uint32_t first = lo >> 8, last = hi >> 8;

	if (lo >> 16 != w->net) {
		w->net = lo >> 16;
		w->nets++;
		if (w->out)
			w->l1[w->net] = w->nets - 1;
	}
	if (first == last && hi - lo != 0xff) {
		setblock4_hosts(w, lo, hi);
		return;
	}
	if (lo & 0xff)
		setblock4_hosts(w, lo, first++ << 8 | 0xff);
	if ((hi & 0xff) != 0xff)
		last--;
	if (w->out && first <= last)
		setblock4_set(w->some + (w->nets - 1) * FW_BLOCK_MAP, first & 255, last & 255);
	if ((hi & 0xff) != 0xff)
		setblock4_hosts(w, hi & ~0xffu, hi);
}

static void setblock4_range(struct setblock4 *w, uint32_t lo, uint32_t hi)
{
	uint32_t first = lo >> 16, last = hi >> 16;

	if (first == last && hi - lo != 0xffff) {
		setblock4_part(w, lo, hi);
		return;
	}
	if (lo & 0xffff)
		setblock4_part(w, lo, first++ << 16 | 0xffff);
	if ((hi & 0xffff) != 0xffff)
		last--;
	for (uint32_t net = first; w->out && net <= last; net++)
		w->l1[net] = 1;
	if ((hi & 0xffff) != 0xffff)
		setblock4_part(w, hi & ~0xffffu, hi);
}

static void setblock4_run(struct setblock4 *w, const struct range4 *r, size_t n)
{
	w->nets = NETS_FIXED;
	w->net = w->part = NONE;
	for (size_t i = 0; i < n; i++)
		setblock4_range(w, r[i].lo, r[i].hi);
	setblock4_close(w);
}

static size_t setblock4_cells_at(const struct setblock4 *count)
{
	return FW_BLOCK_SOME + count->nets * (FW_BLOCK_MAP + 4 * sizeof(struct fw_block_rec));
}

static size_t setblock4_leaves_at(const struct setblock4 *count)
{
	size_t end = setblock4_cells_at(count) + count->cells * sizeof(uint32_t);

	return (end + FW_BLOCK_MAP - 1) / FW_BLOCK_MAP * FW_BLOCK_MAP;
}

size_t setblock4_len(const struct range4 *r, size_t n, uint32_t *ret_nets)
{
	struct setblock4 count = {};

	setblock4_run(&count, r, n);
	*ret_nets = count.nets;
	return setblock4_leaves_at(&count) + (size_t)count.leaves * FW_BLOCK_MAP;
}

void setblock4_write(const struct range4 *r, size_t n, uint8_t *out)
{
	struct setblock4 count = {}, w = { .out = out, .l1 = (uint32_t *)out };

	setblock4_run(&count, r, n);
	w.some = out + FW_BLOCK_SOME;
	w.rec = (struct fw_block_rec *)(w.some + count.nets * FW_BLOCK_MAP);
	w.cell = (uint32_t *)(out + setblock4_cells_at(&count));
	w.leaf = out + setblock4_leaves_at(&count);
	setblock4_set(w.some + FW_BLOCK_MAP, 0, 255);
	setblock4_run(&w, r, n);
}
