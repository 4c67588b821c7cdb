/* SPDX-License-Identifier: GPL-2.0-only */
/* The canonical text that travels with an image: one policy and the sets it names, so that it can be loaded again. */
#ifndef FW_FWCTL_TEXT_H
#define FW_FWCTL_TEXT_H

#include "base/arena.h"
#include "base/str.h"
#include "image/image.h"
#include "model/rule.h"

/* Sets that would make it larger than this are told of in comments instead. */
#define TEXT_MAX (4u << 20)

int text_make(struct arena *arena, const struct ruleset *rs, const struct policy *p, struct str *out);
/* The rule set of a running image, read back from its text; NULL when its sets were too large for the text. */
const struct ruleset *text_read(struct arena *arena, const struct fw_image *img);
/* Every set of addresses of a running image: name and number of ranges. Live sets are none. */
void text_sets(struct arena *arena, const struct fw_image *img,
	       void (*each)(void *ctx, const char *name, size_t n4, size_t n6), void *ctx);

#endif
