/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a few lists of rules can tell apart.
 *
 * Fields depend on one another: only TCP has flags, only some messages are `related`. So packets are first sorted into
 * cells: family, kind of what IP carries, state. All packets of a cell have the same fields, and any value of one goes
 * with any value of another (but for the length, see space_real). So in a cell a rule is a product of one set per dimension.
 *
 * Values that no rule tells apart are one class, and sets are sets of class numbers: a list of a hundred thousand
 * prefixes that rules name once has one or two members. Classes are numbered in the order of their first values, so a
 * prefix with others inside it is one interval.
 */
#ifndef FW_ANALYZE_SPACE_H
#define FW_ANALYZE_SPACE_H

#include "analyze/iset.h"
#include "model/packet.h"
#include "model/rule.h"

enum dim { /* fields by their numbers, but for the state; SRC and DST of the family of the cell */
	DIM_SRC = FIELD_SRC,
	DIM_DST = FIELD_DST,
	DIM_LIVE_SRC, /* in which live sets the address is: bit per space.live */
	DIM_LIVE_DST,
	DIM_COUNT
};
enum axis { /* a dimension has one axis, addresses one per family */
	AXIS_SRC6 = DIM_COUNT,
	AXIS_DST6,
	AXIS_COUNT
};
static inline unsigned int axis_of(unsigned int dim, enum family family)
{
	return family != FAMILY_IPV6 || (dim != DIM_SRC && dim != DIM_DST) ? dim : AXIS_SRC6 + (dim - DIM_SRC);
}

/* What IP carries. LATER: fragments behind the first. OTHER: not IP. */
enum kind { KIND_TCP, KIND_UDP, KIND_SCTP, KIND_ICMP, KIND_PLAIN, KIND_LATER, KIND_OTHER, KIND_COUNT };

struct cell {
	enum family family;
	enum kind kind;
	enum state state;
	uint32_t dims;                 /* bit per enum dim that its packets have */
	uint32_t domain_id[DIM_COUNT]; /* until the classes are made */
	struct iset domain[DIM_COUNT]; /* of the dims that are there */
};

/* What a rule asks of one dimension. */
struct cond {
	uint8_t dim;
	uint32_t id[2]; /* of the set, by axis: [1] for the addresses of IPv6 */
};
struct space_rule {
	const struct rule *rule;
	uint32_t dims;
	uint8_t families, states; /* bits */
	uint8_t nconds;
	struct cond *cond;
};

/* A run of rules as one side of a question: a chain, or sets that are asked about. */
struct space_list {
	const struct rule *rules;
	size_t nrules;
	const struct policy *policy; /* whose live sets the rules name by bit, and which tracks or does not */
	uint32_t first; /* number of its first rule in space.rule, filled in */
};

#define SPACE_MAX_LISTS 4
#define SPACE_MAX_LIVE 16
struct space {
	struct arena *arena;
	struct axis_data *axis; /* [AXIS_COUNT] */
	struct cell *cell;
	size_t ncells;
	struct space_rule *rule;
	size_t nrules;
	const char *live[SPACE_MAX_LIVE]; /* of all policies together */
	unsigned int nlive;
	bool tracks; /* else there are no states */
	uint32_t ext_class[32], frag_class[3];
};

/* 0, -ENOMEM, or -E2BIG: it would be too large to work with. Lists must stay. */
int space_new(struct space_list *lists, size_t n, struct space **ret);
void space_free(struct space *s);
static inline void space_freep(struct space **s)
{
	space_free(*s);
}

/* The set of a condition in a cell. */
const struct iset *space_set(const struct space *s, const struct cell *cell, const struct cond *c);
/* Can the rule match packets of the cell, as far as the fields that they have say? */
static inline bool space_applies(const struct space_rule *r, const struct cell *c)
{
	return r->families >> c->family & 1 && r->states >> c->state & 1 && !(r->dims & ~c->dims);
}

/* The class of a value, and some values of a class: its lowest; its highest; how many stretches of values it has. */
uint32_t space_class(const struct space *s, unsigned int axis, u128 value);
u128 space_low(const struct space *s, unsigned int axis, uint32_t class);
u128 space_high(const struct space *s, unsigned int axis, uint32_t class);
/*
 * The values of a set of classes as sorted, disjoint ranges, at most `max` of them; how many there are in all.
 */
size_t space_values(const struct space *s, unsigned int axis, const struct iset *set, struct range6 *ret, size_t max);

/* Is there a packet in this part of a cell? No set is empty. Of IPv6 the headers that are there say how short it can be. */
bool space_real(const struct space *s, const struct cell *cell, const struct iset d[DIM_COUNT]);
/* The length of the shortest packet, by packet.h: IPv6 without the extension headers. */
unsigned int cell_min_len(const struct cell *c);
unsigned int ext_min_len(unsigned int ext);

/* Bits of space.live for bits of a policy's live sets, and back. */
uint32_t space_live(const struct space *s, const struct policy *p, uint32_t bits);
uint32_t policy_live(const struct space *s, const struct policy *p, uint32_t bits);

#endif
