/* SPDX-License-Identifier: GPL-2.0-only */
/* What a change of rules means, told: for diff and for apply --dry-run. */
#ifndef FW_FWCTL_POLICYDIFF_H
#define FW_FWCTL_POLICYDIFF_H

#include "analyze/diff.h"
#include "image/image.h"

#include <jansson.h>

/* `old` may be what a text that travels with an image says. Each returns enum status; *ret_fate: some packet's fate changes, or may. */
struct policydiff {
	struct arena *arena;
	const struct ruleset *old_set, *new_set;
	const struct policy *old, *new;
	struct diff diff;
	struct diff_set *set;
	size_t nsets;
};
int policydiff_make(struct policydiff *d, struct arena *arena, const struct ruleset *old_set, const struct policy *old,
		    const struct ruleset *new_set, const struct policy *new);
void policydiff_fini(struct policydiff *d);
bool policydiff_is_any(const struct policydiff *d);
void policydiff_print(const struct policydiff *d);
json_t *policydiff_json(const struct policydiff *d);

/* The policy of a running image as a rule set whose rules have the files and lines that they came from. NULL after a sentence. */
const struct ruleset *policydiff_live(struct arena *arena, const struct fw_image *img);

#endif
