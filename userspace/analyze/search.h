/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Is there a packet in this part of a cell that none of these rules matches?
 *
 * Exact: what is left of the part when the first rule that is in the way is taken away is a union of parts, one per
 * dimension in which the rule does not cover it; these are searched, one after the other, without overlap. A rule that
 * leaves one dimension alone needs no choice, and such rules go first. The worst case is exponential, so there is a
 * budget, and an answer that says that it ended.
 */
#ifndef FW_ANALYZE_SEARCH_H
#define FW_ANALYZE_SEARCH_H

#include "analyze/space.h"

struct part {
	const struct cell *cell;
	struct iset d[DIM_COUNT];
};

struct search {
	const struct space *space;
	struct ipool pool;    /* of the sets of parts */
	uint64_t steps, each; /* rules that may still be compared; by one search */
	bool failed;          /* no memory */
	uint8_t *used;        /* per rule: a search that found nothing needed it. The caller clears */
	struct {
		uint32_t *v;
		size_t n, cap;
	} stack;
};

/* 0 or -ENOMEM. steps: of all searches together. */
int search_init(struct search *w, const struct space *s, uint64_t steps);
void search_fini(struct search *w);

/* The packets of a cell that a rule matches. False: there are none. */
bool part_of_rule(struct search *w, const struct cell *cell, const struct space_rule *r, struct part *ret);
void part_whole(const struct cell *cell, struct part *ret);
/* Only what the rule matches, too. False: nothing is left. */
bool part_narrow(struct search *w, struct part *p, const struct space_rule *r);
/* Does the rule match all of it? */
bool part_covered(const struct search *w, const struct part *p, const struct space_rule *r);

enum found { FOUND_NOTHING, FOUND_PACKET, FOUND_UNDECIDED };
/*
 * With FOUND_PACKET *p is a part that none of them matches; *ret_all: it is all that they leave. Its sets stay until the pool
 * is released.
 */
enum found search_outside(struct search *w, struct part *p, const uint32_t *rules, size_t n, bool *ret_all);

/* Can both rules match one packet, as far as each dimension on its own can say? */
bool rules_meet(const struct space *s, const struct space_rule *a, const struct space_rule *b);

#endif
