// SPDX-License-Identifier: GPL-2.0-only
#include "model/shortlist.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK  64
#define ABSENT 65536u /* the port of a packet without one */

enum side { SIDE_SRC, SIDE_DST, SIDE_DPORT, SIDE_PROTO, SIDE_COUNT };
#define FIRST_FAMILY FAMILY_IPV4
#define FAMILIES     (FAMILY_COUNT - FIRST_FAMILY) /* those with addresses */

/*
 * Of 64 rules: what is inside lo .. lo + span may match: key - lo <= span. Both sides of that are kept less 2^31, because processors
 * compare four numbers at once with signs alone.
 */
struct bounds {
	uint32_t lo_more[SIDE_COUNT][BLOCK]; /* lo + 2^31 */
	int32_t span_less[SIDE_COUNT][BLOCK];
};
#define HALF (1u << 31)

struct shortlist {
	const struct chain *chain;
	bool names_known;
	size_t nblocks;
	struct bounds *family[FAMILIES];
};

struct interval {
	uint32_t lo, hi;
};

static const struct interval nothing = { 1, 0 };

/* An IPv6 address goes by its upper 32 bits. */
static uint32_t key6(u128 addr)
{
	return (uint32_t)(addr >> 96);
}

static struct interval address_interval(const struct aset *set, enum family family)
{
	if (!set)
		return (struct interval){ 0, UINT32_MAX };
	if (family == FAMILY_IPV4)
		return set->n4 ? (struct interval){ set->v4[0].lo, set->v4[set->n4 - 1].hi } : nothing;
	return set->n6 ? (struct interval){ key6(set->v6[0].lo), key6(set->v6[set->n6 - 1].hi) } : nothing;
}

static struct interval value_interval(const struct vset *set)
{
	if (!set)
		return (struct interval){ 0, ABSENT };
	return set->n ? (struct interval){ (uint32_t)set->r[0].lo, (uint32_t)set->r[set->n - 1].hi } : nothing;
}

static void bounds_set(struct bounds *b, size_t at, const struct rule *r, enum family family)
{
	struct interval in[SIDE_COUNT] = {
		[SIDE_SRC] = address_interval(r->src, family),
		[SIDE_DST] = address_interval(r->dst, family),
		[SIDE_DPORT] = value_interval(r->value[FIELD_DPORT]),
		[SIDE_PROTO] = value_interval(r->value[FIELD_PROTO]),
	};

	bool empty = !(r->families & 1u << family);

	for (int side = 0; side < SIDE_COUNT; side++) {
		empty = empty || in[side].lo > in[side].hi;
		b->lo_more[side][at] = in[side].lo + HALF;
		b->span_less[side][at] = (int32_t)(in[side].hi - in[side].lo - HALF);
	}
	if (empty) {
		/* A value that no packet has as its protocol. */
		b->lo_more[SIDE_PROTO][at] = UINT32_MAX + HALF;
		b->span_less[SIDE_PROTO][at] = (int32_t)(0 - HALF);
	}
}

/* Rules past the end match nothing. */
static const struct rule no_rule;

struct shortlist *shortlist_new(const struct chain *chain)
{
	struct shortlist *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->chain = chain;
	s->names_known = eval_names_known(chain);
	s->nblocks = (chain->nrules + BLOCK - 1) / BLOCK;
	for (int f = 0; f < FAMILIES; f++) {
		s->family[f] = calloc(s->nblocks + 1, sizeof(*s->family[f]));
		if (!s->family[f]) {
			shortlist_free(s);
			return NULL;
		}
		for (size_t i = 0; i < s->nblocks * BLOCK; i++)
			bounds_set(&s->family[f][i / BLOCK], i % BLOCK, i < chain->nrules ? &chain->rules[i] : &no_rule,
				   (enum family)(FIRST_FAMILY + f));
	}
	return s;
}

void shortlist_free(struct shortlist *s)
{
	if (!s)
		return;
	for (int f = 0; f < FAMILIES; f++)
		free(s->family[f]);
	free(s);
}

static void packet_keys(const struct packet *p, uint32_t key[SIDE_COUNT])
{
	bool v4 = p->family == FAMILY_IPV4;

	key[SIDE_SRC] = v4 ? (uint32_t)p->src : key6(p->src);
	key[SIDE_DST] = v4 ? (uint32_t)p->dst : key6(p->dst);
	key[SIDE_DPORT] = p->present[FIELD_DPORT] ? (uint32_t)p->value[FIELD_DPORT] : ABSENT;
	key[SIDE_PROTO] = p->present[FIELD_PROTO] ? (uint32_t)p->value[FIELD_PROTO] : ABSENT;
}

/* A bit for each 0, where all others are -1: eight at once, the bits of eight bytes gathered in the top byte of a product. */
static uint64_t bits_of(const int32_t no[BLOCK])
{
	uint8_t narrow[BLOCK];
	uint64_t bits = 0;

	for (int i = 0; i < BLOCK; i++)
		narrow[i] = (uint8_t)no[i];
	for (int i = 0; i < BLOCK; i += 8) {
		uint64_t eight;

		memcpy(&eight, narrow + i, 8);
		eight = ~le64toh(eight) & 0x8040201008040201ull;
		bits |= (eight * 0x0101010101010101ull >> 56) << i;
	}
	return bits;
}

/*
 * A bit per rule of the block that may match. The loops over the rules have no branch, so the compiler takes four at a time. One side
 * alone often rules all of them out.
 */
static uint64_t block_look(const struct bounds *b, const uint32_t key[SIDE_COUNT])
{
	int32_t no[BLOCK], all = -1;

	for (int i = 0; i < BLOCK; i++) { /* the first side apart: clearing `no` would take longer */
		no[i] = -((int32_t)(key[0] - b->lo_more[0][i]) > b->span_less[0][i]);
		all &= no[i];
	}
	for (int side = 1; side < SIDE_COUNT && !all; side++) {
		all = -1;
		for (int i = 0; i < BLOCK; i++) {
			no[i] |= -((int32_t)(key[side] - b->lo_more[side][i]) > b->span_less[side][i]);
			all &= no[i];
		}
	}
	return all ? 0 : bits_of(no);
}

/* The rule that decides, or -1. `counted` may be NULL. */
static long first_match(const struct shortlist *s, const struct packet *p, void (*counted)(void *ctx, size_t rule), void *ctx)
{
	const struct chain *chain = s->chain;
	uint32_t key[SIDE_COUNT];

	packet_keys(p, key);
	for (size_t block = 0; block < s->nblocks; block++) {
		uint64_t may = p->family < FIRST_FAMILY ? ~0ull :
							  block_look(&s->family[p->family - FIRST_FAMILY][block], key);

		for (; may; may &= may - 1) {
			size_t i = block * BLOCK + (size_t)__builtin_ctzll(may);

			if (i >= chain->nrules || (chain->rules[i].verdict == VERDICT_CONTINUE && !counted) ||
			    !eval_rule(&chain->rules[i], p))
				continue;
			if (chain->rules[i].verdict != VERDICT_CONTINUE)
				return (long)i;
			counted(ctx, i);
		}
	}
	return -1;
}

struct eval_result shortlist_packet(const struct shortlist *s, const struct packet *p, void (*counted)(void *ctx, size_t rule),
				    void *ctx)
{
	enum state state = (enum state)p->value[FIELD_STATE];
	bool known = state == STATE_ESTABLISHED || state == STATE_RELATED;
	long rule = known && !s->names_known ? -1 : first_match(s, p, counted, ctx);
	struct chain one = *s->chain;
	struct eval_result r;

	/* What a rule, or the lack of one, means is eval's business. */
	one.rules += rule < 0 ? 0 : rule;
	one.nrules = rule < 0 ? 0 : 1;
	r = rule < 0 ? eval_state(&one, p, NULL, NULL) : eval_packet(&one, p, NULL, NULL);
	if (r.rule == 0)
		r.rule = rule;
	return r;
}

struct eval_result shortlist_eval(const struct shortlist *s, const uint8_t *frame, size_t len)
{
	struct packet p = {};
	enum packet_fault fault = packet_parse(frame, len, NULL, &p);

	if (fault)
		return eval_fault(s->chain, fault);
	p.value[FIELD_STATE] = eval_state_alone(s->chain, &p);
	return shortlist_packet(s, &p, NULL, NULL);
}

struct eval_result shortlist_given(const struct shortlist *s, const uint8_t *frame, size_t len,
				   const struct eval_given *given)
{
	struct packet p = {};
	enum packet_fault fault = packet_parse(frame, len, NULL, &p);

	if (fault)
		return eval_fault(s->chain, fault);
	p.value[FIELD_STATE] = given->state;
	p.live_src = given->live_src;
	p.live_dst = given->live_dst;
	return shortlist_packet(s, &p, NULL, NULL);
}
