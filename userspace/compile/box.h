/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Boxes: what each rule asks of each space, names of rules forgotten.
 *
 * A space is a dimension whose values are numbered on their own: the small fields, the MAC, and the addresses once per
 * family. A rule is a product of one set per space, so a rule is one bit in every row and never has to be cut up.
 */
#ifndef FW_COMPILE_BOX_H
#define FW_COMPILE_BOX_H

#include "model/rule.h"

#include <fw/abi.h>

struct arena;
struct sets;
struct str;

enum space {
	SPACE_PROTO = FW_DIM_PROTO,
	SPACE_SETS = FW_DIM_SETS,
	SPACE_MAC = FW_DIM_MAC, /* spaces below are the small dimensions, by number */
	SPACE_SRC4 = FW_DIM_SRC,
	SPACE_SRC6,
	SPACE_DST4,
	SPACE_DST6,
	SPACE_COUNT
};

/* One distinct set: sorted, disjoint. Exactly one of r, r4, r6 is in use, by space; n == 0 is the empty set. */
struct box_set {
	const struct range *r;
	const struct range4 *r4;
	const struct range6 *r6;
	size_t n;
	uint64_t hash;
};

struct box_sets {
	struct box_set *v;
	size_t n, cap;
};

#define BOX_ANY 0u /* else 1 + index of the set */

struct boxes {
	const struct chain *chain;
	size_t nrules;
	uint8_t *families;	    /* per rule: bit per family it can match; 0: it can match nothing */
	uint32_t *set[SPACE_COUNT]; /* per rule; NULL: no rule asks anything of this space */
	struct box_sets sets[SPACE_COUNT];
	uint32_t dims; /* bit per enum fw_dim that some rule asks something of */
	bool l2;       /* some rule can match a frame that is not IP */
};

/*
 * A condition that `sets` took is one on the value of SETS, and asks nothing of the addresses.
 * 0 or -ENOMEM. Everything but the arrays of boxes.sets (boxes_fini) is the arena's.
 */
int boxes_build(struct arena *arena, const struct chain *chain, const struct sets *sets, struct boxes *ret);
void boxes_fini(struct boxes *b);

static inline u128 box_set_lo(const struct box_set *s, size_t i)
{
	return s->r6 ? s->r6[i].lo : s->r4 ? s->r4[i].lo : s->r[i].lo;
}
static inline u128 box_set_hi(const struct box_set *s, size_t i)
{
	return s->r6 ? s->r6[i].hi : s->r4 ? s->r4[i].hi : s->r[i].hi;
}
/* Does set a hold every value of set b? Both of the same space; NULL: any. */
bool box_set_covers(const struct box_set *a, const struct box_set *b);
static inline const struct box_set *boxes_set(const struct boxes *b, enum space s, size_t rule)
{
	uint32_t id = b->set[s] ? b->set[s][rule] : BOX_ANY;

	return id ? &b->sets[s].v[id - 1] : NULL;
}

/* The space of a field whose value is a number. */
enum space space_of_field(enum field_id f);
/* The dimension of a space, its largest value, the word for a reader. */
enum fw_dim space_dim(enum space s);
u128 space_max(enum space s);
const char *space_name(enum space s);
/* The family of an address space; FAMILY_COUNT for the others, which all families share. */
enum family space_family(enum space s);

/* `--dump=boxes`. */
void boxes_dump(const struct boxes *b, const char *direction, struct str *out);

#endif
