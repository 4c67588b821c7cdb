// SPDX-License-Identifier: GPL-2.0-only
#include "model/rule.h"

#include <string.h>

const struct policy *ruleset_policy(const struct ruleset *rs, const char *name)
{
	for (size_t i = 0; i < rs->npolicies; i++)
		if (!strcmp(rs->policies[i].name, name))
			return &rs->policies[i];
	return NULL;
}
