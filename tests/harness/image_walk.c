// SPDX-License-Identifier: GPL-2.0-only
#include "harness/image_walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of the image's hot part, or the end of the test. */
static const void *walk_at(const struct image *img, uint64_t off, size_t len)
{
	if (off + len > image_hdr(img)->hot_len) {
		fprintf(stderr, "# image_walk: read of %zu at %llu, hot part ends at %u\n", len,
			(unsigned long long)off, image_hdr(img)->hot_len);
		abort();
	}
	return img->data + off;
}

static uint32_t walk_u32(const struct image *img, uint64_t off)
{
	return *(const uint32_t *)walk_at(img, off, 4);
}

static uint32_t walk_packed(const struct image *img, uint32_t trie, uint32_t cell, unsigned int shift,
			    unsigned int byte)
{
	unsigned int bit = byte << shift;
	uint64_t unit = walk_u32(img, trie + 4ull * ((cell & FW_CELL_MASK) + bit / 32));

	return unit >> bit % 32 & ((1ull << (1u << shift)) - 1);
}

/* The last run that starts at or below the byte, counted one by one. */
static uint32_t walk_rank(const struct image *img, uint32_t trie, uint32_t cell, unsigned int byte)
{
	uint64_t at = trie + 4ull * (cell & FW_CELL_MASK);
	const struct fw_rank *rank = walk_at(img, at, offsetof(struct fw_rank, value));
	unsigned int runs = 0;

	if (at % 64 || !(rank->map[0] & 1))
		abort();
	for (unsigned int b = 0; b <= byte; b++) {
		if (b % 64 == 0 && rank->before[b / 64] != runs)
			abort();
		runs += rank->map[b / 64] >> b % 64 & 1;
	}
	return walk_u32(img, at + offsetof(struct fw_rank, value) + 4ull * (runs - 1));
}

static uint32_t walk_chunk(const struct image *img, uint32_t trie, uint32_t cell, unsigned int byte)
{
	if ((cell & FW_CELL_KIND) == FW_CELL_RANK)
		return walk_rank(img, trie, cell, byte);
	return walk_u32(img, trie + 4ull * ((cell & FW_CELL_MASK) + byte));
}

static uint32_t walk_trie4(const struct image *img, uint32_t trie, unsigned int shift, uint32_t addr)
{
	uint32_t cell;

	if (!trie)
		return 0;
	cell = walk_u32(img, trie + 4 * (addr >> 16));
	for (int at = 8; cell & FW_CELL_REF; at -= 8) {
		unsigned int byte = addr >> at & 255;

		if (at < 0)
			abort();
		if ((cell & FW_CELL_KIND) == FW_CELL_SKIP)
			abort();
		if ((cell & FW_CELL_KIND) == FW_CELL_LEAF)
			return walk_packed(img, trie, cell, shift, byte);
		if (at == 0 && (cell & FW_CELL_KIND) != FW_CELL_RANK)
			abort(); /* the fourth byte has classes alone, so no plain chunk */
		cell = walk_chunk(img, trie, cell, byte);
	}
	return cell;
}

static uint32_t walk_trie6(const struct image *img, uint32_t trie, unsigned int shift, u128 addr)
{
	uint32_t cell, byte = 2, steps = 0;

	if (!trie)
		return 0;
	cell = walk_u32(img, trie + 4 * (uint32_t)(addr >> 112));
	while (cell & FW_CELL_REF) {
		uint32_t place = cell & FW_CELL_MASK, value = (uint32_t)(addr >> (120 - 8 * byte)) & 255;

		if (steps++ == FW_TRIE6_STEPS || byte > 15)
			abort();
		if ((cell & FW_CELL_KIND) == FW_CELL_SKIP) {
			const struct fw_skip6 *skip = walk_at(img, trie + 4ull * place, sizeof(*skip));
			uint64_t hi = (uint64_t)(addr >> 64), lo = (uint64_t)addr;

			if (((hi ^ skip->key[0]) & skip->mask[0]) | ((lo ^ skip->key[1]) & skip->mask[1]))
				return skip->miss;
			cell = skip->next;
			byte = skip->next_byte;
			continue;
		}
		if ((cell & FW_CELL_KIND) == FW_CELL_LEAF)
			return walk_packed(img, trie, cell, shift, value);
		cell = walk_chunk(img, trie, cell, value);
		byte++;
	}
	return cell;
}

static uint32_t walk_mac(const struct image *img, uint32_t off, uint64_t mac)
{
	const struct fw_mac_tab *tab = walk_at(img, off, sizeof(*tab));
	const uint64_t *bound = walk_at(img, off + sizeof(*tab), tab->n * sizeof(*bound));
	const uint16_t *cls = walk_at(img, tab->cls, tab->n * sizeof(*cls));
	size_t i = 0;

	while (i + 1 < tab->n && bound[i + 1] <= mac)
		i++;
	return cls[i];
}

static bool walk_bit(const struct image *img, uint64_t off, uint32_t bit)
{
	return *(const uint8_t *)walk_at(img, off + bit / 8, 1) >> bit % 8 & 1;
}

/* The /24s that have leaves are counted from the first one on, record by record. */
static bool walk_bitmap(const struct image *img, uint32_t off, uint32_t addr)
{
	const struct fw_block_rec *rec = walk_at(img, off + FW_BLOCK_SOME, FW_BLOCK_RECS * sizeof(*rec));
	uint32_t net = addr >> 8, leaf = rec[net / 64].leaf;

	if (net / 64 && leaf != rec[net / 64 - 1].leaf + __builtin_popcountll(rec[net / 64 - 1].mixed))
		abort();
	if (!walk_bit(img, off, net))
		return false;
	if (!(rec[net / 64].mixed >> net % 64 & 1))
		return true;
	for (uint32_t i = 0; i < net % 64; i++)
		leaf += rec[net / 64].mixed >> i & 1;
	return walk_bit(img, off + FW_BLOCK_LEAVES + (uint64_t)leaf * FW_BLOCK_LEAF, addr & 255);
}

static bool walk_block(const struct image *img, const struct fw_block *b, enum family family, u128 addr)
{
	switch (b->kind) {
	case FW_BLOCK_NONE:
		return false;
	case FW_BLOCK_TRIE:
		if (family == FAMILY_IPV4)
			return walk_trie4(img, b->off, 0, (uint32_t)addr);
		return walk_trie6(img, b->off, 0, addr);
	case FW_BLOCK_BITMAP:
		if (family == FAMILY_IPV4)
			return walk_bitmap(img, b->off, (uint32_t)addr);
	}
	abort();
}

static uint32_t walk_sets(const struct image *img, const struct fw_dir_hdr *h, const struct packet *p)
{
	const struct fw_block(*b)[2] = walk_at(img, h->sets, h->nsets * sizeof(*b));
	uint32_t value = 0;

	for (uint32_t k = 0; k < h->nsets && p->family != FAMILY_OTHER; k++)
		if (walk_block(img, &b[k][p->family == FAMILY_IPV6], p->family, h->set_sides >> k & 1 ? p->dst : p->src))
			value |= 1u << k;
	return value;
}

/* The value of a small field as the datapath would look it up. */
static uint32_t walk_value(const struct image *img, const struct fw_dir_hdr *h, const struct packet *p, enum fw_dim dim,
			   unsigned int bits)
{
	if (dim == FW_DIM_SETS)
		return walk_sets(img, h, p);
	if (dim == FW_DIM_PROTO && p->family == FAMILY_OTHER)
		return 0;
	return p->present[dim] ? p->value[dim] : 1u << bits;
}

static const uint64_t *walk_row(const struct image *img, const struct fw_dir_hdr *h, enum fw_dim dim,
				const struct packet *p)
{
	static const unsigned int bits[] = {
#define FW_X(id, n) n,
		FW_SMALL_DIMS(FW_X)
#undef FW_X
	};
	const struct fw_dim_ref *ref = &h->dim[dim];
	uint32_t cls, rows = ref->rows;

	if (dim < FW_DIM_SMALL_COUNT) {
		cls = *(const uint16_t *)walk_at(img, ref->tab + 2 * walk_value(img, h, p, dim, bits[dim]), 2);
	} else if (dim == FW_DIM_MAC) {
		cls = walk_mac(img, ref->tab, p->value[FIELD_MAC]);
	} else {
		u128 addr = dim == FW_DIM_SRC ? p->src : p->dst;
		int i = dim - FW_DIM_SRC;

		if (p->family == FAMILY_OTHER)
			return NULL;
		if (p->family == FAMILY_IPV4) {
			cls = walk_trie4(img, ref->tab, h->leaf_shift[i][0], (uint32_t)addr);
		} else {
			cls = walk_trie6(img, h->tab6[i], h->leaf_shift[i][1], addr);
			rows = h->rows6[i];
		}
	}
	return walk_at(img, rows + (uint64_t)cls * h->stride, h->stride);
}

/* The summary must say exactly which words are not zero. */
static void walk_check_summary(const struct fw_dir_hdr *h, const uint64_t *row)
{
	for (uint32_t i = 0; h->nsum && i < h->nwords; i++) {
		if ((row[i / 64] >> i % 64 & 1) != (row[h->nsum + i] != 0)) {
			fprintf(stderr, "# image_walk: summary of word %u is wrong\n", i);
			abort();
		}
	}
}

static struct eval_result walk_default(const struct fw_dir_hdr *h, const struct packet *p)
{
	return (struct eval_result){ .verdict = (enum verdict)h->default_verdict,
				     .reason = p->family == FAMILY_OTHER ? EVAL_L2_OTHER : EVAL_DEFAULT,
				     .rule = -1 };
}

struct eval_result image_walk(const struct image *img, enum fw_dir dir, const struct packet *p,
			      void (*counted)(void *ctx, size_t rule), void *ctx)
{
	const struct fw_dir_hdr *h = &image_hdr(img)->dir[dir];
	uint64_t word[FW_MAX_WORDS];
	bool any = false; /* some row was taken: then `ones` has no say */
	const struct fw_action *matching[FW_MAX_RULES], *action;

	if (!(h->flags & FW_DIRF_PRESENT))
		return (struct eval_result){ .verdict = VERDICT_PASS, .reason = EVAL_DEFAULT, .rule = -1 };
	if (!h->nwords || (p->family == FAMILY_OTHER && !(h->flags & FW_DIRF_L2)))
		return walk_default(h, p);
	memcpy(word, (const uint64_t *)walk_at(img, h->ones, h->stride) + h->nsum, h->nwords * sizeof(*word));
	walk_check_summary(h, walk_at(img, h->ones, h->stride));
	for (enum fw_dim dim = 0; dim < FW_DIM_COUNT; dim++) {
		const uint64_t *row = h->dims >> dim & 1 ? walk_row(img, h, dim, p) : NULL;

		if (!row)
			continue;
		walk_check_summary(h, row);
		for (uint32_t i = 0; i < h->nwords; i++)
			word[i] = any ? word[i] & row[h->nsum + i] : row[h->nsum + i];
		any = true;
	}
	for (uint32_t b = 0; b < h->nrules; b++) {
		action = walk_at(img, h->actions + 8ull * b, sizeof(*action));
		matching[FW_ACTION_RULE(action->rule_verdict)] = word[b / 64] >> b % 64 & 1 ? action : NULL;
	}
	for (uint32_t r = 0; r < h->nrules; r++) {
		action = matching[r];
		if (!action)
			continue;
		if (FW_ACTION_VERDICT(action->rule_verdict) != FW_VERDICT_CONTINUE)
			return (struct eval_result){ .verdict = (enum verdict)FW_ACTION_VERDICT(action->rule_verdict),
						     .reason = EVAL_RULE,
						     .rule = r };
		if (counted)
			counted(ctx, r);
	}
	return walk_default(h, p);
}
