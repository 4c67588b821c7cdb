// SPDX-License-Identifier: GPL-2.0-only
#include "model/rule.h"

#include <string.h>

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
