/* SPDX-License-Identifier: GPL-2.0-only */
/* Parts of cells → packets, and what the oracle says of them. */
#ifndef FW_ANALYZE_EXAMPLE_H
#define FW_ANALYZE_EXAMPLE_H

#include "analyze/region.h"
#include "analyze/search.h"

/* A chain in a space. */
struct side {
	const struct policy *policy;
	const struct chain *chain;
	uint32_t first;   /* number of its first rule in the space */
	bool names_known; /* its rules are asked about packets of known flows; else those pass */
};
void side_init(struct side *s, const struct policy *p, enum direction dir, const struct space_list *list);
/* Are the rules asked about packets of this cell? */
bool side_asks(const struct side *s, const struct cell *cell);
/* What becomes of those that no rule decides. */
enum verdict side_fallback(const struct side *s, const struct cell *cell);

struct maker {
	const struct space *space;
	uint8_t *frame;
	long len; /* of the frame made last; negative: it could not be built */
};
int maker_init(struct maker *m, const struct space *s);
void maker_fini(struct maker *m);
/*
 * A packet of the part, in words and as the maker's frame. Live sets are bits of the space. False: packet_build has no words for
 * one (an extension header shorter than it makes them).
 */
bool maker_make(struct maker *m, const struct part *p, struct packet_spec *ret);
/* What the oracle says of the frame made last, which spec describes. */
struct eval_result maker_judge(const struct maker *m, const struct packet_spec *spec, const struct side *side);
/* Both, as an example: the rule `want` (-1: none) must decide it, else it is not built. */
void maker_example(struct maker *m, const struct part *p, const struct side *side, long want, struct example *ret);

#endif
