/* SPDX-License-Identifier: GPL-2.0-only */
/* A live set as text and as JSON; `set list`, `bans` and `set test` show elements alike. */
#ifndef FW_FWCTL_SETLIST_H
#define FW_FWCTL_SETLIST_H

#include "fwctl/elements.h"
#include "fwctl/liveset.h"

#include <jansson.h>

/* All sets: name, size, elements. Returns enum status. */
int setlist_sets(const struct liveset *s, bool json);
/* All elements of the set of this name (NULL: as liveset_open has it). A million of them are written one by one. Returns enum status. */
int setlist_run(const char *name, bool json);
json_t *setlist_element(const struct kern_set *set, const struct kern_element *x, const struct moment *now);

#endif
