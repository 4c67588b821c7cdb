// SPDX-License-Identifier: GPL-2.0-only
#include "compile/sets.h"

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/vec.h"
#include "compile/compile.h"
#include "image/digest.h"

#include <errno.h>
#include <string.h>

/* One set by the address of its ranges, with the content that is stored for it. */
struct sets_named {
	const struct aset *set;
	bool member; /* the stored set is this one; else its complement */
	const struct aset *stored;
	uint64_t key[2][2]; /* IPv4, IPv6 */
};

/* One content on one side. */
struct sets_pair {
	uint32_t named;
	int side;
	size_t size;
	uint32_t first; /* rule */
};

struct sets_chooser {
	struct arena *arena;
	const struct chain *chain;
	struct setpool *pool;
	size_t large;
	struct {
		struct sets_named *v;
		size_t n, cap;
	} named;
	struct {
		struct sets_pair *v;
		size_t n, cap;
	} pairs;
	uint32_t *use[2]; /* per rule: 1 + index of named */
};

static int sets_key(const void *ranges, size_t bytes, uint64_t key[2])
{
	struct digest *d cleanup(digest_freep) = digest_new();
	uint64_t out[DIGEST_LEN / sizeof(uint64_t)];

	if (!d)
		return -ENOMEM;
	digest_add(d, ranges, bytes);
	digest_end(d, (uint8_t *)out);
	key[0] = out[0];
	key[1] = out[1];
	return 0;
}

static bool sets_whole(const struct aset *s)
{
	return (s->n4 == 1 && !s->v4[0].lo && s->v4[0].hi == UINT32_MAX) ||
	       (s->n6 == 1 && !s->v6[0].lo && s->v6[0].hi == ~(u128)0);
}

/* Does the set hold the last address of the first family that it speaks of? Then its complement does not. */
static bool sets_ends_last(const struct aset *s)
{
	return s->n4 ? s->v4[s->n4 - 1].hi == UINT32_MAX : s->v6[s->n6 - 1].hi == ~(u128)0;
}

static int sets_name(struct sets_chooser *w, const struct aset *set, uint32_t *ret)
{
	struct sets_named named = { .set = set, .member = !sets_ends_last(set), .stored = set };
	int err = 0;

	/* Few, and rules that share a set mostly stand together: the last ones are looked at first. */
	for (size_t i = w->named.n; i-- > 0;) {
		if (w->named.v[i].set == set) {
			*ret = i;
			return 0;
		}
	}
	if (!named.member) {
		struct aset *inverse;

		err = aset_invert(w->arena, set, &inverse);
		if (err)
			return err;
		named.stored = inverse;
	}
	err = sets_key(named.stored->v4, named.stored->n4 * sizeof(struct range4), named.key[0]);
	if (!err)
		err = sets_key(named.stored->v6, named.stored->n6 * sizeof(struct range6), named.key[1]);
	if (err)
		return err;
	*ret = w->named.n;
	return vec_push(&w->named, named);
}

static bool sets_eligible(const struct sets_chooser *w, const struct aset *s)
{
	return s && (s->n4 >= w->large || s->n6 >= w->large) && !sets_whole(s);
}

static bool sets_same(const struct sets_chooser *w, uint32_t a, uint32_t b)
{
	return a == b || !memcmp(w->named.v[a].key, w->named.v[b].key, sizeof(w->named.v[a].key));
}

static int sets_add(struct sets_chooser *w, size_t rule, int side, const struct aset *set)
{
	struct sets_pair pair = { .side = side, .size = set->n4 + set->n6, .first = rule };
	int err;

	err = sets_name(w, set, &pair.named);
	if (err)
		return err;
	w->use[side][rule] = 1 + pair.named;
	for (size_t i = w->pairs.n; i-- > 0;)
		if (w->pairs.v[i].side == side && sets_same(w, w->pairs.v[i].named, pair.named))
			return 0;
	return vec_push(&w->pairs, pair);
}

/* The largest first; of two the one that the file names first. */
static int sets_compare(const void *a, const void *b)
{
	const struct sets_pair *x = a, *y = b;

	if (x->size != y->size)
		return x->size > y->size ? -1 : 1;
	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	return x->side - y->side;
}

static int sets_block(struct sets_chooser *w, const struct sets_named *named, int six, struct setblock **ret)
{
	const struct aset *s = named->stored;
	const uint64_t *key = named->key[six];
	struct setblock *b;

	for (size_t i = 0; i < w->pool->n; i++) {
		b = w->pool->v[i];
		if (b->six == six && !memcmp(b->key, key, sizeof(b->key))) {
			*ret = b;
			return 0;
		}
	}
	b = arena_alloc(w->arena, sizeof(*b));
	if (!b)
		return -ENOMEM;
	*b = (struct setblock){ .six = six, .v4 = s->v4, .v6 = s->v6, .n = six ? s->n6 : s->n4, .key = { key[0], key[1] } };
	*ret = b;
	return vec_push(w->pool, b);
}

/* Room for the conditions of a side. */
static int sets_open(struct sets_chooser *w, int side, struct sets *ret)
{
	if (!ret->cond[side])
		ret->cond[side] = arena_array(w->arena, w->chain->nrules, sizeof(*ret->cond[side]));
	return ret->cond[side] ? 0 : -ENOMEM;
}

static const struct live_match *sets_match(const struct rule *r, int side)
{
	return side ? &r->live_dst : &r->live_src;
}

/* Live sets that a side of the chain names: bit per set. */
static uint32_t sets_live_used(const struct chain *chain, int side)
{
	uint32_t used = 0;

	for (size_t i = 0; i < chain->nrules; i++)
		used |= sets_match(&chain->rules[i], side)->sets;
	return used;
}

size_t sets_live(const struct chain *chain)
{
	return (size_t)__builtin_popcount(sets_live_used(chain, 0)) + (size_t)__builtin_popcount(sets_live_used(chain, 1));
}

static int sets_take_live(struct sets_chooser *w, struct sets *ret)
{
	for (int side = 0; side < 2; side++) {
		uint32_t used = sets_live_used(w->chain, side), first = ret->n;
		int err = used ? sets_open(w, side, ret) : 0;

		if (err)
			return err;
		for (; used && ret->n < FW_MAX_SETS; used &= used - 1) {
			ret->live[ret->n] = (uint8_t)__builtin_ctz(used);
			ret->side[ret->n++] = (uint8_t)side;
		}
		for (size_t r = 0; ret->cond[side] && r < w->chain->nrules; r++) {
			const struct live_match *m = sets_match(&w->chain->rules[r], side);
			uint32_t bits = 0;

			for (uint32_t k = first; k < ret->n; k++)
				bits |= (m->sets >> ret->live[k] & 1) << k;
			if (bits)
				ret->cond[side][r] = (uint16_t)SETS_COND(bits, !m->negate);
		}
	}
	ret->nlive = ret->n;
	return 0;
}

static int sets_take(struct sets_chooser *w, struct sets *ret)
{
	for (size_t i = 0; i < w->pairs.n && ret->n < FW_MAX_SETS; i++) {
		const struct sets_pair *p = &w->pairs.v[i];
		const struct sets_named *named = &w->named.v[p->named];
		uint32_t k = ret->n;
		int err = sets_open(w, p->side, ret);

		if (!err)
			err = sets_block(w, named, 0, &ret->block[k][0]);
		if (!err)
			err = sets_block(w, named, 1, &ret->block[k][1]);
		if (err)
			return err;
		ret->side[k] = p->side;
		ret->n++;
		for (size_t r = p->first; r < w->chain->nrules; r++) {
			uint32_t use = w->use[p->side][r];

			if (use && sets_same(w, use - 1, p->named))
				ret->cond[p->side][r] = (uint16_t)SETS_COND(1u << k, w->named.v[use - 1].member);
		}
	}
	return 0;
}

int sets_choose(struct arena *arena, const struct chain *chain, const struct compile_opts *opts, struct setpool *pool,
		struct sets *ret)
{
	struct sets_chooser w = { .arena = arena, .chain = chain, .pool = pool, .large = opts->set_large };
	int err;

	*ret = (struct sets){};
	if (!w.large)
		w.large = SETS_LARGE;
	err = sets_take_live(&w, ret);
	for (size_t i = 0; i < chain->nrules && !err; i++) {
		const struct aset *set[2] = { chain->rules[i].src, chain->rules[i].dst };

		for (int side = 0; side < 2 && !err; side++) {
			if (!sets_eligible(&w, set[side]))
				continue;
			if (!w.use[side])
				w.use[side] = arena_array(arena, chain->nrules, sizeof(*w.use[side]));
			err = w.use[side] ? sets_add(&w, i, side, set[side]) : -ENOMEM;
		}
	}
	if (!err && w.pairs.n) {
		qsort(w.pairs.v, w.pairs.n, sizeof(*w.pairs.v), sets_compare);
		err = sets_take(&w, ret);
	}
	vec_fini(&w.named);
	vec_fini(&w.pairs);
	return err;
}

/* The bytes of a block with the same key. Keys are halves of SHA-256: nobody makes two sets that share one. */
static bool setpool_reuse(struct setblock *b, const struct fw_image *previous)
{
	for (int d = 0; previous && d < FW_DIR_COUNT; d++) {
		const struct fw_dir_hdr *dir = &previous->dir[d];
		const struct fw_block(*have)[2] = (const void *)((const uint8_t *)previous + dir->sets);

		for (uint32_t k = 0; k < dir->nsets; k++) {
			const struct fw_block *x = &have[k][b->six];

			if (x->kind == FW_BLOCK_NONE || x->kind == FW_BLOCK_LIVE || memcmp(x->key, b->key, sizeof(b->key)))
				continue;
			b->kind = x->kind;
			b->len = x->len;
			b->nets = x->nets;
			b->copy = (const uint8_t *)previous + x->off;
			return true;
		}
	}
	return false;
}

int setpool_plan(struct setpool *pool, const struct compile_opts *opts, size_t *used)
{
	for (size_t i = pool->planned; i < pool->n; i++) {
		size_t left = *used < FW_MAX_IMAGE ? FW_MAX_IMAGE - *used : 0;
		int err = 0;

		if (!setpool_reuse(pool->v[i], opts->previous))
			err = setblock_plan(pool->v[i], left, opts->trie_small);
		else if (pool->v[i]->len > left)
			err = -E2BIG;

		if (err)
			return err;
		*used += pool->v[i]->len + 64; /* and what alignment may cost */
		pool->planned = i + 1;
	}
	return 0;
}

void setpool_fini(struct setpool *pool)
{
	for (size_t i = 0; i < pool->n; i++)
		setblock_fini(pool->v[i]);
	vec_fini(pool);
}
