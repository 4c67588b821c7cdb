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

static uint32_t walk_trie6
(const struct image *img, uint32_t trie, unsigned int shift, u128 addr)
{
	uint32_t cell, byte = 2, steps = 0;

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

/* Cells are counted one by one. */
static bool walk_nets(const struct image *img, const struct fw_block *b, uint32_t addr)
{
	uint32_t net = walk_u32(img, b->off + (addr >> 16) * 4), part = addr >> 8 & 255, byte = addr & 255, cell;
	const uint8_t *some = walk_at(img, b->off + FW_BLOCK_SOME + (uint64_t)net * FW_BLOCK_MAP, FW_BLOCK_MAP);
	uint64_t at = b->off + FW_BLOCK_SOME + (uint64_t)b->nets * FW_BLOCK_MAP;
	const struct fw_block_rec *rec = walk_at(img, at + (net * 4 + part / 64) * sizeof(*rec), sizeof(*rec));
	bool member = some[part / 8] >> part % 8 & 1;

	if (net >= b->nets)
		abort();
	if (!(rec->mixed >> part % 64 & 1))
		return member;
	at = rec->cell;
	for (uint32_t i = 0; i < part % 64; i++)
		at += rec->mixed >> i & 1;
	cell = walk_u32(img, b->off + 4 * at);
	if (!member)
		abort();
	if (!(cell & FW_BLOCK_CELL_LEAF))
		return (byte >= (cell & 255) && byte <= (cell & 255) + (cell >> 8 & 255)) || byte == (cell >> 16 & 255);
	at = b->off + (uint64_t)(cell & ~FW_BLOCK_CELL_LEAF) * FW_BLOCK_MAP;
	return *(const uint8_t *)walk_at(img, at + byte / 8, 1) >> byte % 8 & 1;
}

static bool walk_block(const struct image *img, const struct fw_block *b, enum family family, u128 addr)
{
	if (b->kind == FW_BLOCK_NONE)
		return false;
	if (b->kind == FW_BLOCK_NETS && family == FAMILY_IPV4)
		return walk_nets(img, b, (uint32_t)addr);
	if (b->kind == FW_BLOCK_TRIE && family == FAMILY_IPV6)
		return walk_trie6(img, b->off, 0, addr);
	abort();
}

/* A live set is the one that its index names, before and after the publisher has given it an id. */
static bool walk_live(const struct image *img, const struct fw_dir_hdr *h, uint32_t bit, const struct fw_block *b,
		      const struct packet *p)
{
	if (b->nets >= image_hdr(img)->nlive || !(h->live_bits >> bit & 1) || b->len)
		abort();
	return (h->set_sides >> bit & 1 ? p->live_dst : p->live_src) >> b->nets & 1;
}

static uint32_t walk_sets(const struct image *img, const struct fw_dir_hdr *h, const struct packet *p)
{
	const struct fw_block(*b)[2] = walk_at(img, h->sets, h->nsets * sizeof(*b));
	uint32_t value = 0;

	for (uint32_t k = 0; k < h->nsets && p->family != FAMILY_OTHER; k++) {
		const struct fw_block *one = &b[k][p->family == FAMILY_IPV6];

		if (one->kind == FW_BLOCK_LIVE ? walk_live(img, h, k, one, p) :
						 walk_block(img, one, p->family, h->set_sides >> k & 1 ? p->dst : p->src))
			value |= 1u << k;
	}
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

/* What the look-up of an address answers: a class or, with lists, the unit of a node. */
static uint32_t walk_addr(const struct image *img, const struct fw_dir_hdr *h, unsigned int side, const struct packet *p)
{
	u128 addr = side ? p->dst : p->src;
	uint32_t tab = p->family == FAMILY_IPV4 ? h->dim[FW_DIM_SRC + side].tab : h->tab6[side];

	if (!tab)
		return h->root[side][p->family == FAMILY_IPV6];
	if (p->family == FAMILY_IPV4)
		return walk_trie4(img, tab, h->leaf_shift[side][0], (uint32_t)addr);
	return walk_trie6(img, tab, h->leaf_shift[side][1], addr);
}

static const struct fw_node *walk_node(const struct image *img, const struct fw_dir_hdr *h, unsigned int side,
				       const struct packet *p)
{
	uint32_t unit = walk_addr(img, h, side, p);

	if (!unit || unit >= h->nunits)
		abort();
	return walk_at(img, h->units + 16ull * unit, sizeof(struct fw_node));
}

/* The row of a packet in a dimension; NULL when it takes no part. */
static const uint64_t *walk_row(const struct image *img, const struct fw_dir_hdr *h, enum fw_dim dim,
				const struct packet *p)
{
	static const unsigned int bits[] = {
#define FW_X(id, n) n,
		FW_SMALL_DIMS(FW_X)
#undef FW_X
	};
	const struct fw_dim_ref *ref = &h->dim[dim];
	uint32_t cls, rows = ref->rows, stride = h->stride;

	if (!(h->dims >> dim & 1) || (dim >= FW_DIM_SRC && p->family == FAMILY_OTHER))
		return NULL;
	if (dim < FW_DIM_SMALL_COUNT) {
		cls = *(const uint16_t *)walk_at(img, ref->tab + 2 * walk_value(img, h, p, dim, bits[dim]), 2);
	} else if (dim == FW_DIM_MAC) {
		cls = walk_mac(img, ref->tab, p->value[FIELD_MAC]);
	} else {
		cls = walk_addr(img, h, dim - FW_DIM_SRC, p);
		if (h->flags & FW_DIRF_LISTS)
			cls = walk_node(img, h, dim - FW_DIM_SRC, p)->row;
		rows = p->family == FAMILY_IPV4 ? rows : h->rows6[dim - FW_DIM_SRC];
		stride = h->stride_addr;
	}
	return walk_at(img, rows + (uint64_t)cls * stride, stride);
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

/* AND of the rows of a packet: the words of the rules that own bits, and those of services. */
struct walk_words {
	uint64_t rule[FW_MAX_WORDS];
	uint64_t svc[FW_MAX_SERVICES / 64];
};

static void walk_words(const struct image *img, const struct fw_dir_hdr *h, const struct packet *p,
		       struct walk_words *ret)
{
	const uint64_t *row = walk_at(img, h->ones, h->stride);

	if (h->nwords > FW_MAX_WORDS || h->nsvc > FW_MAX_SERVICES / 64)
		abort();
	walk_check_summary(h, row);
	memcpy(ret->rule, row + h->nsum, h->nwords * sizeof(*row));
	memcpy(ret->svc, row + h->nsum + h->nwords, h->nsvc * sizeof(*row));
	for (enum fw_dim dim = 0; dim < FW_DIM_COUNT; dim++) {
		row = walk_row(img, h, dim, p);
		if (!row)
			continue;
		walk_check_summary(h, row);
		for (uint32_t i = 0; i < h->nwords; i++)
			ret->rule[i] &= row[h->nsum + i];
		for (uint32_t i = 0; dim < FW_DIM_SRC && i < h->nsvc; i++)
			ret->svc[i] &= row[h->nsum + h->nwords + i];
	}
}

static uint32_t walk_list_of(const struct image *img, const struct fw_dir_hdr *h, const struct fw_node *node,
			     uint32_t other)
{
	uint32_t list = node->list;

	for (uint32_t i = 0; i < node->nparts; i++) {
		const struct fw_part *part =
			walk_at(img, h->units + 16ull * node->list + 8ull * i, sizeof(struct fw_part));

		if (i == 0 && part->bound)
			abort();
		if (part->bound <= other)
			list = part->list;
	}
	return list;
}

/* Every entry of the lists of a packet that matches is set in matching[rule]. */
static void walk_lists(const struct image *img, const struct fw_dir_hdr *h, const struct packet *p,
		       const struct walk_words *w, const struct fw_action **matching)
{
	const struct fw_node *node[2] = { walk_node(img, h, 0, p), walk_node(img, h, 1, p) };

	for (unsigned int side = 0; side < 2; side++) {
		uint32_t other = node[!side]->id, list = walk_list_of(img, h, node[side], other);

		for (uint32_t i = 0; i < FW_LIST_COUNT(list); i++) {
			const struct fw_entry *e =
				walk_at(img, h->units + 16ull * (FW_LIST_UNIT(list) + i), sizeof(*e));
			const struct fw_action *action = walk_at(img, h->actions + 8ull * e->place, sizeof(*action));

			if (e->svc != FW_SVC_ANY && e->svc >= 64 * h->nsvc)
				abort();
			if ((i && e->place < e[-1].place) || e->place < h->nbits || e->place >= h->nrules)
				abort();
			if (other - e->lo <= e->span && (e->svc == FW_SVC_ANY || w->svc[e->svc / 64] >> e->svc % 64 & 1))
				matching[FW_ACTION_RULE(action->rule_verdict)] = action;
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
	static const struct fw_action *matching[FW_MAX_RULES]; /* by rule */
	const struct fw_dir_hdr *h = &image_hdr(img)->dir[dir];
	const struct fw_action *action;
	struct walk_words words;

	if (!(h->flags & FW_DIRF_PRESENT))
		return (struct eval_result){ .verdict = VERDICT_PASS, .reason = EVAL_DEFAULT, .rule = -1 };
	if (!h->nrules || (p->family == FAMILY_OTHER && !(h->flags & FW_DIRF_L2)))
		return walk_default(h, p);
	walk_words(img, h, p, &words);
	memset(matching, 0, h->nrules * sizeof(matching[0]));
	for (uint32_t b = 0; b < h->nbits; b++) {
		action = walk_at(img, h->actions + 8ull * b, sizeof(*action));
		if (words.rule[b / 64] >> b % 64 & 1)
			matching[FW_ACTION_RULE(action->rule_verdict)] = action;
	}
	if (h->flags & FW_DIRF_LISTS && p->family != FAMILY_OTHER)
		walk_lists(img, h, p, &words, matching);
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

const struct fw_log *image_walk_log_at(const struct image *img, enum fw_dir dir, uint32_t log)
{
	const struct fw_dir_hdr *h = &image_hdr(img)->dir[dir];

	if (log > h->nlogs)
		abort();
	return log ? walk_at(img, h->logs + (log - 1ull) * sizeof(struct fw_log), sizeof(struct fw_log)) : NULL;
}

const struct fw_log *image_walk_log(const struct image *img, enum fw_dir dir, uint32_t rule)
{
	const struct fw_dir_hdr *h = &image_hdr(img)->dir[dir];
	const struct fw_action *action = NULL;
	const struct fw_extra *x;
	uint32_t of;

	for (uint32_t place = 0; place < h->nrules && (!action || FW_ACTION_RULE(action->rule_verdict) != rule); place++)
		action = walk_at(img, h->actions + 8ull * place, sizeof(*action));
	if (!action || FW_ACTION_RULE(action->rule_verdict) != rule)
		abort();
	if (!(action->rule_verdict & FW_ACTION_EXTRA))
		return NULL;
	of = walk_u32(img, h->extra_of + 4ull * rule);
	if (!of || of > h->nextras)
		abort();
	x = walk_at(img, h->extras + (of - 1ull) * sizeof(*x), sizeof(*x));
	return image_walk_log_at(img, dir, x->log);
}
