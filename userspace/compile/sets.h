/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which address conditions of a direction become bits of the dimension SETS, and what they are made of.
 *
 * A set and its complement are one set, asked for a 1 or for a 0. Of both the one that does not hold the last address is
 * stored, so `from @set`, `from !@set` and a complement written out share a bit.
 *
 * Live sets take bits first, one per set and side: nobody knows their members when rules are compiled, so they have no other
 * place. One condition may name several of them.
 */
#ifndef FW_COMPILE_SETS_H
#define FW_COMPILE_SETS_H

#include "compile/setblock.h"
#include "model/rule.h"

struct arena;
struct compile_opts;

/* Ranges from which on a set is a block: below, its rows and tries cost less than a look-up of its own. */
#define SETS_LARGE 4096

/* The blocks of one policy: sides and directions that ask for the same ranges share one. */
struct setpool {
	struct setblock **v;
	size_t n, cap;
	size_t planned; /* these have kind and length */
};
void setpool_fini(struct setpool *pool);

struct sets {
	uint32_t n; /* bits in use */
	uint32_t nlive; /* of them, the first, are live sets */
	uint8_t live[FW_MAX_SETS]; /* index of the live set in the policy */
	uint8_t side[FW_MAX_SETS]; /* 0: SRC, 1: DST */
	struct setblock *block[FW_MAX_SETS][2]; /* IPv4, IPv6; NULL: live */
	uint16_t *cond[2]; /* per side and rule: SETS_NONE or SETS_COND(); NULL: none has one */
};
#define SETS_NONE 0
#define SETS_COND(bits, member) ((bits) << 1 | (member)) /* member: one of the bits is set; else none is */
#define SETS_COND_BITS(cond) ((cond) >> 1)
#define SETS_COND_MEMBER(cond) ((cond) & 1u)

/* How many bits the live sets of a chain need: pairs of set and side. */
size_t sets_live(const struct chain *chain);
/*
 * Choose; blocks are added to the pool, without kind and length. 0 or -ENOMEM. All memory but the pool is the arena's. The live sets
 * must not need more than FW_MAX_SETS bits.
 */
int sets_choose(struct arena *arena, const struct chain *chain, const struct compile_opts *opts, struct setpool *pool,
		struct sets *ret);
/*
 * Give every block of the pool that has none its kind and length. 0, -ENOMEM or -E2BIG; *used, the bytes of the image
 * so far, grows.
 */
int setpool_plan(struct setpool *pool, const struct compile_opts *opts, size_t *used);

static inline unsigned int sets_cond(const struct sets *s, int side, size_t rule)
{
	return s->cond[side] ? s->cond[side][rule] : SETS_NONE;
}

#endif
