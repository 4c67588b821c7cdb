// SPDX-License-Identifier: GPL-2.0-only
#include "model/rule.h"

#include <errno.h>
#include <string.h>

static bool policy_asks(const struct policy *p)
{
	for (int dir = 0; dir < DIRECTION_COUNT; dir++)
		for (size_t i = 0; i < p->chain[dir].nrules; i++)
			if (p->chain[dir].rules[i].keep_state || p->chain[dir].rules[i].value[FIELD_STATE])
				return true;
	return false;
}

int policy_track(struct policy *p, struct arena *arena)
{
	static const struct range kept[] = { { STATE_NONE, STATE_NONE }, { STATE_NEW, STATE_NEW } };
	static const struct range others[] = { { STATE_NONE, STATE_NONE },
					       { STATE_NEW, STATE_NEW },
					       { STATE_INVALID, STATE_INVALID } };
	struct vset *of_kept, *of_others;

	p->track = policy_asks(p);
	if (!p->track)
		return 0;
	if (vset_build(arena, kept, 2, &of_kept) || vset_build(arena, others, 3, &of_others))
		return -ENOMEM;
	for (int dir = 0; dir < DIRECTION_COUNT; dir++)
		for (size_t i = 0; i < p->chain[dir].nrules; i++) {
			struct rule *r = &p->chain[dir].rules[i];

			if (!r->value[FIELD_STATE] && !r->essential)
				r->value[FIELD_STATE] = r->keep_state ? of_kept : of_others;
		}
	return 0;
}

void state_opts_default(struct state_opts *ret)
{
	static const uint32_t seconds[] = {30, 432000, 120, 10, 30, 120, 10, 20, 120};

	*ret = (struct state_opts){.size = 65536, .pending = 16384, .pickup_s = 3600};
	memcpy(ret->timeout_s, seconds, sizeof(seconds));
}

const struct policy *ruleset_policy(const struct ruleset *rs, const char *name)
{
	for (size_t i = 0; i < rs->npolicies; i++)
		if (!strcmp(rs->policies[i].name, name))
			return &rs->policies[i];
	return NULL;
}
