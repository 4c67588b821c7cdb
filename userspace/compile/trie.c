// SPDX-License-Identifier: GPL-2.0-only
#include "compile/trie.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TRIE_L1	  65536u
#define TRIE_LINE 16u /* units of a cache line */

struct trie_entry {
	uint32_t hash, place, len;
};

static int trie_reserve(struct trie *t, size_t n)
{
	size_t cap = t->cap ? t->cap : 2 * TRIE_L1;
	uint32_t *v;

	if (n > t->limit)
		return -E2BIG;
	if (n <= t->cap)
		return 0;
	while (cap < n)
		cap *= 2;
	v = realloc(t->v, cap * sizeof(*v));
	if (!v)
		return -ENOMEM;
	t->v = v;
	t->cap = cap;
	return 0;
}

static int trie_grow_table(struct trie *t)
{
	size_t cap = t->mask ? 2 * (t->mask + 1) : 1024;
	uint32_t *slot = calloc(cap, sizeof(*slot));
	struct trie_entry *entry = realloc(t->entry, cap * sizeof(*entry));

	if (entry)
		t->entry = entry;
	if (!slot || !entry) {
		free(slot);
		return -ENOMEM;
	}
	for (size_t i = 0; i < t->nentries; i++) {
		size_t at = t->entry[i].hash & (cap - 1);

		while (slot[at])
			at = (at + 1) & (cap - 1);
		slot[at] = i + 1;
	}
	free(t->slot);
	t->slot = slot;
	t->mask = cap - 1;
	return 0;
}

static int trie_init(struct trie *t, const struct classes *c, size_t limit, bool runs)
{
	int err;

	*t = (struct trie){ .limit = limit / sizeof(*t->v), .runs = runs };
	while (t->leaf_shift < 5 && c->nclasses > 1ull << (1u << t->leaf_shift))
		t->leaf_shift++;
	err = trie_reserve(t, TRIE_L1);
	if (!err)
		err = trie_grow_table(t);
	t->n = err ? 0 : TRIE_L1;
	return err;
}

/* Forget what only building needs. */
static void trie_seal(struct trie *t)
{
	free(t->slot);
	free(t->entry);
	t->slot = NULL;
	t->entry = NULL;
	t->mask = t->nentries = 0;
}

void trie_fini(struct trie *t)
{
	trie_seal(t);
	free(t->v);
	*t = (struct trie){};
}

static uint32_t trie_hash(const uint32_t *v, size_t len)
{
	uint64_t a = len, b = ~(uint64_t)len;

	for (size_t i = 0; i < len; i += 4) {
		a = (a ^ (v[i] | (uint64_t)v[i + 1] << 32)) * 0x9fb21c651e98df25ull;
		b = (b ^ (v[i + 2] | (uint64_t)v[i + 3] << 32)) * 0xd6e8feb86659fd93ull;
		a ^= a >> 32;
		b ^= b >> 32;
	}
	a = (a ^ b) * 0x9fb21c651e98df25ull;
	return a >> 32;
}

/* Store len units (a multiple of 4), or find them. What is shorter than a line is aligned to its own length. */
static int trie_intern(struct trie *t, const uint32_t *v, size_t len, uint32_t *ret_place)
{
	uint32_t hash = trie_hash(v, len);
	size_t align = len < TRIE_LINE ? (len <= 8 ? 8 : TRIE_LINE) : TRIE_LINE;
	size_t at, place = (t->n + align - 1) / align * align;
	int err;

	for (at = hash & t->mask; t->slot[at]; at = (at + 1) & t->mask) {
		const struct trie_entry *e = &t->entry[t->slot[at] - 1];

		if (e->hash == hash && e->len == len && !memcmp(t->v + e->place, v, len * sizeof(*v))) {
			*ret_place = e->place;
			return 0;
		}
	}
	err = trie_reserve(t, place + len + TRIE_LINE);
	if (err)
		return err;
	memset(t->v + t->n, 0, (place - t->n) * sizeof(*v));
	memcpy(t->v + place, v, len * sizeof(*v));
	t->n = place + len;
	t->entry[t->nentries++] = (struct trie_entry){ hash, place, len };
	t->slot[at] = t->nentries;
	*ret_place = place;
	return 2 * t->nentries > t->mask ? trie_grow_table(t) : 0;
}

/* All 256 cells, of 1 << shift bits each. */
static void trie_pack(const struct trie_cells *c, unsigned int shift, uint32_t *out)
{
	unsigned int per_unit = 32u >> shift, width = 1u << shift, run = 0;

	for (unsigned int i = 0; i < 256; i++) {
		uint32_t unit = i % per_unit ? out[i / per_unit] : 0;

		run += c->map[i / 64] >> i % 64 & 1;
		out[i / per_unit] = unit | c->value[run - 1] << i % per_unit * width;
	}
}

/* Units of a rank chunk, a whole number of cache lines. */
static size_t trie_rank_len(const struct trie_cells *c)
{
	return (offsetof(struct fw_rank, value) / sizeof(uint32_t) + c->n + TRIE_LINE - 1) / TRIE_LINE * TRIE_LINE;
}

static int trie_add_rank(struct trie *t, const struct trie_cells *c, uint32_t *ret_cell)
{
	union {
		struct fw_rank rank;
		uint32_t unit[sizeof(struct fw_rank) / sizeof(uint32_t) + 256 + TRIE_LINE];
	} u;
	size_t len = trie_rank_len(c), used = offsetof(struct fw_rank, value) / sizeof(uint32_t) + c->n, before = t->n;
	uint32_t place;
	int err;

	memcpy(u.rank.map, c->map, sizeof(c->map));
	u.rank.before[0] = 0;
	for (int i = 1; i < 4; i++)
		u.rank.before[i] = u.rank.before[i - 1] + __builtin_popcountll(c->map[i - 1]);
	memcpy(u.rank.value, c->value, c->n * sizeof(*c->value));
	memset(u.unit + used, 0, (len - used) * sizeof(*u.unit));
	err = trie_intern(t, u.unit, len, &place);
	if (err)
		return err;
	t->ranks += t->n != before;
	*ret_cell = place | FW_CELL_REF | FW_CELL_RANK;
	return 0;
}

int trie_add_chunk(struct trie *t, const struct trie_cells *c, uint32_t *ret_cell)
{
	uint32_t packed[256], any = 0, place;
	size_t before = t->n, len;
	bool leaf;
	int err;

	for (unsigned int i = 0; i < c->n; i++)
		any |= c->value[i];
	leaf = !(any & FW_CELL_REF);
	len = leaf ? 8u << t->leaf_shift : 256;
	if (t->runs && trie_rank_len(c) < len)
		return trie_add_rank(t, c, ret_cell);
	trie_pack(c, leaf ? t->leaf_shift : 5, packed);
	err = trie_intern(t, packed, len, &place);
	if (err)
		return err;
	if (leaf)
		t->leaves += t->n != before;
	else
		t->chunks += t->n != before;
	*ret_cell = place | FW_CELL_REF | (leaf ? FW_CELL_LEAF : 0);
	return 0;
}

int trie_add_skip(struct trie *t, const struct fw_skip6 *skip, uint32_t *ret_cell)
{
	uint32_t unit[sizeof(*skip) / sizeof(uint32_t)], place;
	size_t before = t->n;
	int err;

	memcpy(unit, skip, sizeof(unit));
	err = trie_intern(t, unit, sizeof(unit) / sizeof(unit[0]), &place);
	if (!err) {
		t->skips += t->n != before;
		*ret_cell = place | FW_CELL_REF | FW_CELL_SKIP;
	}
	return err;
}

static int trie_build_form(const struct classes *c, size_t limit, bool runs,
			   int (*fill)(const struct classes *c, struct trie *t), struct trie *ret)
{
	struct trie t;
	int err = trie_init(&t, c, limit, runs);

	if (!err)
		err = fill(c, &t);
	if (err) {
		trie_fini(&t);
		return err;
	}
	trie_seal(&t);
	*ret = t;
	return 0;
}

int trie_build(const struct classes *c, size_t limit, size_t small,
	       int (*fill)(const struct classes *c, struct trie *t), struct trie *ret)
{
	int err;

	if (c->nbounds == 1) {
		*ret = (struct trie){};
		return 0;
	}
	small = small ? small : TRIE_SMALL;
	err = trie_build_form(c, limit < small ? limit : small, false, fill, ret);
	return err == -E2BIG && limit > small ? trie_build_form(c, limit, true, fill, ret) : err;
}
