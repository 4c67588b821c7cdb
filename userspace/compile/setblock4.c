// SPDX-License-Identifier: GPL-2.0-only
/* The bitmap of an IPv4 set: networks (/24) first, then hosts of the networks that are members in part. */
#include "compile/setblock.h"

#include <string.h>

#define NO_NET UINT32_MAX

/* Ranges ascend and do not touch, so a /24 that a range covers in part is never made whole by its neighbours. */
struct setblock4 {
	uint8_t *out;
	struct fw_block_rec *rec;
	uint8_t *leaf;	/* of the network `net` */
	uint32_t net;	/* the last mixed one */
	size_t nleaves;
};

static void setblock4_mixed(struct setblock4 *w, uint32_t net)
{
	w->nleaves += net != w->net;
	w->net = net;
}

size_t setblock4_len(const struct range4 *r, size_t n)
{
	struct setblock4 w = { .net = NO_NET };

	for (size_t i = 0; i < n; i++) {
		uint32_t first = r[i].lo >> 8, last = r[i].hi >> 8;
		bool whole_end = (r[i].hi & 255) == 255;

		if ((r[i].lo & 255) || (first == last && !whole_end))
			setblock4_mixed(&w, first);
		if (first != last && !whole_end)
			setblock4_mixed(&w, last);
	}
	return FW_BLOCK_LEAVES + w.nleaves * FW_BLOCK_LEAF;
}

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

static void setblock4_leaf(struct setblock4 *w, uint32_t net, unsigned int from, unsigned int to)
{
	if (net != w->net) {
		w->net = net;
		w->leaf = w->out + FW_BLOCK_LEAVES + w->nleaves++ * FW_BLOCK_LEAF;
		w->rec[net / 64].mixed |= 1ull << net % 64;
	}
	setblock4_set(w->leaf, from, to);
}

void setblock4_write(const struct range4 *r, size_t n, uint8_t *out)
{
	struct setblock4 w = { .out = out, .rec = (struct fw_block_rec *)(out + FW_BLOCK_SOME), .net = NO_NET };
	uint32_t leaf = 0;

	for (size_t i = 0; i < n; i++) {
		uint32_t first = r[i].lo >> 8, last = r[i].hi >> 8, from = r[i].lo & 255, to = r[i].hi & 255;

		setblock4_set(out, first, last);
		if (from || (first == last && to != 255))
			setblock4_leaf(&w, first, from, first == last ? to : 255);
		if (first != last && to != 255)
			setblock4_leaf(&w, last, 0, to);
	}
	for (uint32_t i = 0; i < FW_BLOCK_RECS; i++) {
		w.rec[i].leaf = leaf;
		leaf += __builtin_popcountll(w.rec[i].mixed);
	}
}
