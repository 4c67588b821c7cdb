// SPDX-License-Identifier: GPL-2.0-only
#include "harness/rules_file.h"
#include "harness/lab.h"
#include "lang/lang.h"

#include <stdio.h>

const struct policy *rules_file(struct arena *arena, const char *path)
{
	static char text[4 << 20];
	struct ruleset *rules;
	struct diags diags;
	FILE *f = fopen(path, "r");
	size_t len = f ? fread(text, 1, sizeof(text), f) : 0;

	if (!f || !len)
		lab_die("cannot read %s", path);
	fclose(f);
	diags_init(&diags, arena);
	if (lang_parse(arena, path, text, len, NULL, &diags, &rules) || !rules->npolicies)
		lab_die("%s has mistakes", path);
	return &rules->policies[0];
}
