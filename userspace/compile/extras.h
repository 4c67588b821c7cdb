/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the rules of a policy ask for beyond a match: state, limits, live sets, answers, events. From model/rule.h into the terms of
 * <fw/abi.h>.
 */
#ifndef FW_COMPILE_EXTRAS_H
#define FW_COMPILE_EXTRAS_H

#include "compile/logs.h"
#include "model/rule.h"

#include <fw/abi.h>

struct arena;

/* Rules that ask for the same share one, but for those that count: what they count is theirs alone. */
struct extras {
	uint32_t *of; /* per rule: 0, or 1 + index; NULL: no rule asks for anything */
	struct fw_extra *v;
	size_t n;
};

/*
 * Without the identities, which are of the names. All memory is the arena's. 0, -ENOMEM, or -EINVAL: a rule bans into a set that
 * is not in policy->live.
 */
int extras_build(struct arena *arena, const struct policy *policy, const struct chain *chain, const struct logs *logs,
		 struct extras *ret);

static inline bool extras_counts(const struct fw_extra *x)
{
	return x->flags & FW_EXTRA_LIMIT || x->max_conn;
}

/* FW_FEAT_* of a policy; its options; FW_DIRF_TRACK and FW_DIRF_KNOWN of a block. */
uint32_t extras_features(const struct policy *policy);
struct fw_state_opts extras_state(const struct policy *policy);
uint32_t extras_dir_flags(const struct policy *policy, const struct chain *chain);

#endif
