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

int trie_init(struct trie *t, const struct classes *c, size_t limit)
{
	int err;

	*t = (struct trie){ .limit = limit / sizeof(*t->v) };
	while (t->leaf_shift < 5 && c->nclasses > 1ull << (1u << t->leaf_shift))
		t->leaf_shift++;
	err = trie_reserve(t, TRIE_L1);
	if (!err)
		err = trie_grow_table(t);
	t->n = err ? 0 : TRIE_L1;
	return err;
}

void trie_seal(struct trie *t)
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

/* 256 classes into cells of 1 << shift bits. */
static void trie_pack(const uint32_t cell[256], unsigned int shift, uint32_t *out)
{
	unsigned int per_unit = 32u >> shift, width = 1u << shift;

	for (unsigned int i = 0; i < 256 / per_unit; i++) {
		uint32_t unit = 0;

		for (unsigned int j = 0; j < per_unit; j++)
			unit |= cell[i * per_unit + j] << j * width;
		out[i] = unit;
	}
}

int trie_add_chunk(struct trie *t, const uint32_t cell[256], uint32_t *ret_cell)
{
	uint32_t packed[256], any = 0, place;
	size_t before = t->n;
	int err;

	for (int i = 0; i < 256; i++)
		any |= cell[i];
	if (any & FW_CELL_REF) {
		err = trie_intern(t, cell, 256, &place);
		if (!err)
			t->chunks += t->n != before;
	} else {
		trie_pack(cell, t->leaf_shift, packed);
		err = trie_intern(t, packed, 8u << t->leaf_shift, &place);
		if (!err)
			t->leaves += t->n != before;
	}
	if (!err)
		*ret_cell = place | FW_CELL_REF | (any & FW_CELL_REF ? 0 : FW_CELL_LEAF);
	return err;
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
