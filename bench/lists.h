/* SPDX-License-Identifier: GPL-2.0-only */
/* Real address lists, where the machine has some: below FWCTL_DATA, else ../shared/data. */
#ifndef FW_BENCH_LISTS_H
#define FW_BENCH_LISTS_H

#include "model/rule.h"

struct arena;

/* Look for lists in this directory first. The string must live on. */
void lists_also_in(const char *dir);

/* A policy "bench" that drops what comes from the list and passes the rest, as a rule file says it. Of the arena. */
const char *lists_text(struct arena *arena, const char *file);
/* Parse rule text whose files are lists. -ENOENT, without a word, when a list is not there; else errors are on stderr.
 */
int lists_parse(struct arena *arena, const char *text, struct ruleset **ret);
/* The addresses of one list. */
int lists_read(struct arena *arena, const char *file, const struct aset **ret);
/* Its IPv4 side as a file, one prefix or range in a line. 0 or negative errno with a sentence on stderr. */
int lists_write(const char *path, const struct aset *set);

#endif
