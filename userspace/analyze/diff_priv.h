/* SPDX-License-Identifier: GPL-2.0-only */
/* What diff*.c share. */
#ifndef FW_ANALYZE_DIFF_PRIV_H
#define FW_ANALYZE_DIFF_PRIV_H

#include "analyze/diff.h"
#include "analyze/example.h"
#include "analyze/near.h"

enum { OLD, NEW, SIDES };

struct differ {
	struct arena *arena;
	struct diff *out;
	enum direction dir;
	struct space *space;
	struct search w;
	struct maker m;
	struct side side[SIDES];
	size_t nrules[SIDES];
	bool *kept[SIDES];  /* per rule: both have it, in this order */
	bool flows;         /* both keep state, and rules ask about known flows */
	struct near near[SIDES]; /* of the rule that is looked at */
	uint32_t *avoid;
};

/* align.c: which rules both have. 0 or -ENOMEM. */
int diff_align(struct differ *d);
/* diff_region.c: a part in words. `core`: what the rules alone say, before what earlier rules take. NULL: no memory. */
struct region *region_make(struct differ *d, const struct part *core, const struct part *found, bool all,
			   const struct rule *const rules[SIDES]);
/* What can be said in one breath becomes one region. */
void regions_merge(struct diff_change *c);

#endif
