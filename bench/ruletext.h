/* SPDX-License-Identifier: GPL-2.0-only */
/* Rule files of any size, as text, the same from the same seed. */
#ifndef FW_BENCH_RULETEXT_H
#define FW_BENCH_RULETEXT_H

#include "harness/rulegen.h"

/* A policy "bench", `ingress default drop`, with n rules of a style that has five-tuple rules. NULL without memory. */
const char *ruletext_make(struct arena *arena, uint64_t seed, enum rulegen_style style, size_t n);
/* The same text with one rule more at the end of its ingress block. */
const char *ruletext_add_rule(struct arena *arena, const char *text, const char *rule);

#endif
