/* SPDX-License-Identifier: GPL-2.0-only */
/* A rule file of a tool's command line. */
#ifndef FW_HARNESS_RULES_FILE_H
#define FW_HARNESS_RULES_FILE_H

#include "base/arena.h"
#include "model/rule.h"

/* Its first policy; dies (lab_die) when the file cannot be read or has mistakes. */
const struct policy *rules_file(struct arena *arena, const char *path);

#endif
