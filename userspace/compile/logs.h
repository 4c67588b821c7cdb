/* SPDX-License-Identifier: GPL-2.0-only */
/* `log` of rules, default and reasons, in the terms of <fw/abi.h>. */
#ifndef FW_COMPILE_LOGS_H
#define FW_COMPILE_LOGS_H

#include "model/rule.h"

#include <fw/abi.h>

struct arena;

/* Who says the same shares one: buckets are of counter slots. */
struct logs {
	uint32_t *of; /* per rule: 0, or 1 + index; NULL: no rule logs */
	uint32_t of_default, of_reasons;
	struct fw_log *v;
	size_t n;
};

/* All memory is the arena's. 0 or -ENOMEM. */
int logs_build(struct arena *arena, const struct chain *chain, struct logs *ret);
static inline uint32_t logs_of(const struct logs *l, size_t rule)
{
	return l->of ? l->of[rule] : 0;
}
/* Does the policy tell of anything? */
bool logs_any(const struct policy *policy);

#endif
