/* SPDX-License-Identifier: GPL-2.0-only */
/* Points of time on the wall clock in words: 2026-11-28T16:00:00Z (RFC 3339), or seconds since 1970. */
#ifndef FW_BASE_INSTANT_H
#define FW_BASE_INSTANT_H

#include "base/str.h"

#include <stddef.h>
#include <stdint.h>

/*
 * `2026-11-28T16:00:00Z`, `2026-11-28T17:00:00.25+01:00`, `1795881600.5`; from 1970 to 2261. ns since 1970. Why a word is none,
 * as the end of a sentence; NULL: it is one.
 */
const char *instant_parse(const char *s, size_t len, uint64_t *ret_ns);
/* With a fraction only where there is one: instant_parse reads the same number. */
void instant_add(struct str *s, uint64_t ns);

#endif
