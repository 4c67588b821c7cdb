// SPDX-License-Identifier: GPL-2.0-only
/* The IPv6 trie: 16 bits, then 8 at a time; where one child alone is different, a skip node instead of chunks. */
#include "compile/trie.h"

#include <errno.h>
#include <string.h>

struct addrtab6 {
	const struct classes *c;
	struct trie *t;
	unsigned int depth; /* nodes on the way to the cell looked at */
};

static u128 addrtab6_low(unsigned int bits)
{
	return bits >= 128 ? ~(u128)0 : ((u128)1 << bits) - 1;
}

static u128 addrtab6_end(const struct classes *c, size_t at)
{
	return at + 1 < c->nbounds ? c->start[at + 1] - 1 : ~(u128)0;
}

static unsigned int addrtab6_common(u128 a, u128 b)
{
	u128 x = a ^ b;

	if (x >> 64)
		return __builtin_clzll((uint64_t)(x >> 64));
	return x ? 64 + __builtin_clzll((uint64_t)x) : 128;
}

static int addrtab6_cell(struct addrtab6 *w, u128 base, unsigned int byte, size_t from, size_t to, uint32_t *ret_cell);

/*
 * Everything in the block but lo … hi, which stretches from … to cover, has class miss. A skip node pays when more than
 * this byte is the same in lo … hi; a packed chunk is as good when it is exactly this byte. 0: no node; 1: *ret_cell is
 * set.
 */
static int addrtab6_try_skip(struct addrtab6 *w, u128 lo, u128 hi, unsigned int byte, size_t from, size_t to,
			     uint32_t miss, uint32_t *ret_cell)
{
	unsigned int common = addrtab6_common(lo, hi), next_byte = common / 8;
	u128 low = addrtab6_low(128 - common), mask;
	struct fw_skip6 skip = { .miss = miss };
	int err;

	if (from == to && !(lo & low) && (hi & low) == low) {
		if (common <= 8 * (byte + 1))
			return 0;
		mask = ~low;
		skip.next = w->c->cls[from];
		skip.next_byte = 16;
	} else {
		if (common < 8 * (byte + 1))
			return 0;
		mask = ~addrtab6_low(128 - 8 * next_byte);
		/* The stretches around it take part, as the block at next_byte is wider than lo … hi. */
		while (from > 0 && w->c->start[from] > (lo & mask))
			from--;
		while (addrtab6_end(w->c, to) < (lo | ~mask))
			to++;
		err = addrtab6_cell(w, lo & mask, next_byte, from, to, &skip.next);
		if (err)
			return err;
		skip.next_byte = next_byte;
	}
	skip.key[0] = (uint64_t)((lo & mask) >> 64);
	skip.key[1] = (uint64_t)(lo & mask);
	skip.mask[0] = (uint64_t)(mask >> 64);
	skip.mask[1] = (uint64_t)mask;
	err = trie_add_skip(w->t, &skip, ret_cell);
	return err ? err : 1;
}

/* Either the last stretch of the block is what surrounds the rest, or the first. */
static int addrtab6_skip(struct addrtab6 *w, u128 base, u128 end, unsigned int byte, size_t from, size_t to,
			 uint32_t *ret_cell)
{
	const struct classes *c = w->c;
	bool same = c->cls[from] == c->cls[to];
	u128 lo = same ? c->start[from + 1] : base;
	int done =
		addrtab6_try_skip(w, lo, c->start[to] - 1, byte, same ? from + 1 : from, to - 1, c->cls[to], ret_cell);

	if (done || same)
		return done;
	return addrtab6_try_skip(w, c->start[from + 1], end, byte, from + 1, to, c->cls[from], ret_cell);
}

static int addrtab6_chunk(struct addrtab6 *w, u128 base, unsigned int byte, size_t at, uint32_t *ret_cell)
{
	unsigned int step = 120 - 8 * byte, i = 0;
	struct trie_cells cells;

	trie_cells_init(&cells);
	while (i < 256) {
		u128 lo = base + ((u128)i << step), rest, whole;
		uint32_t cell;
		size_t to;
		int err;

		while (addrtab6_end(w->c, at) < lo)
			at++;
		rest = addrtab6_end(w->c, at) - lo;
		whole = rest >> step;
		whole += (rest & addrtab6_low(step)) == addrtab6_low(step);
		if (whole) { /* cells that this stretch covers wholly */
			trie_cells_add(&cells, i, w->c->cls[at]);
			i = whole < 256 - i ? i + (unsigned int)whole : 256;
			continue;
		}
		for (to = at; addrtab6_end(w->c, to) < lo + addrtab6_low(step);)
			to++;
		err = addrtab6_cell(w, lo, byte + 1, at, to, &cell);
		if (err)
			return err;
		trie_cells_add(&cells, i++, cell);
		at = to;
	}
	return trie_add_chunk(w->t, &cells, ret_cell);
}

/* The cell of the block that starts at base and is told apart by `byte` and what follows; stretches from … to cover it.
 */
static int addrtab6_cell(struct addrtab6 *w, u128 base, unsigned int byte, size_t from, size_t to, uint32_t *ret_cell)
{
	u128 end = base + addrtab6_low(128 - 8 * byte);
	int done;

	if (from == to) {
		*ret_cell = w->c->cls[from];
		return 0;
	}
	if (++w->depth > w->t->steps)
		w->t->steps = w->depth;
	done = addrtab6_skip(w, base, end, byte, from, to, ret_cell);
	if (!done)
		done = addrtab6_chunk(w, base, byte, from, ret_cell);
	w->depth--;
	return done < 0 ? done : 0;
}

static int addrtab6_fill(const struct classes *c, struct trie *t)
{
	struct addrtab6 w = { .c = c, .t = t, .depth = 1 };
	size_t from = 0, to;
	int err = 0;

	for (uint32_t i = 0; i < 65536 && !err; i++) {
		u128 lo = (u128)i << 112, hi = lo + addrtab6_low(112);
		uint32_t cell;

		while (addrtab6_end(c, from) < lo)
			from++;
		for (to = from; addrtab6_end(c, to) < hi;)
			to++;
		err = addrtab6_cell(&w, lo, 2, from, to, &cell);
		if (!err)
			t->v[i] = cell;
		from = to;
	}
	if (t->ranks) /* the map of a rank chunk, then its value */
		t->steps = 2 * t->steps - 1;
	return err;
}

int trie6_build(const struct classes *c, size_t limit, size_t small, struct trie *ret)
{
	return trie_build(c, limit, small, addrtab6_fill, ret);
}
