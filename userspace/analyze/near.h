/* SPDX-License-Identifier: GPL-2.0-only */
/* Which rules of a list can meet a rule at all? Bounds first, ten numbers a rule, then set by set. */
#ifndef FW_ANALYZE_NEAR_H
#define FW_ANALYZE_NEAR_H

#include "analyze/space.h"

struct near {
	const struct space *space;
	struct near_bounds *bounds; /* of all rules of the space */
	uint32_t *v;                /* what near_find found: in their order */
	size_t n;
};
/* 0 or -ENOMEM */
int near_init(struct near *x, const struct space *s);
void near_fini(struct near *x);
/* The rules first .. first + n - 1 that end the walk and may meet this one, itself left out. */
void near_find(struct near *x, uint32_t rule, uint32_t first, size_t n);
/* As far as the bounds say. */
bool near_meets(const struct near *x, uint32_t a, uint32_t b);
/* How many of them come before the rule with this number. */
size_t near_before(const struct near *x, uint32_t rule);

#endif
