/* SPDX-License-Identifier: GPL-2.0-only */
/* Lengths of time in words: 30s, 10m, 1h, 5d, 1h30m, 1.5s, 250ms. One form for rule files, commands and feeds. */
#ifndef FW_BASE_DURATION_H
#define FW_BASE_DURATION_H

#include "base/str.h"

#include <stddef.h>
#include <stdint.h>

/*
 * Numbers with units, the larger units first, each at most once: d h m s ms us ns. Fractions are exact to the nanosecond; what
 * is smaller is cut off. Why a word is no duration, as the end of a sentence; NULL: it is one, of at most INT64_MAX ns (292
 * years). Zero is a duration ("0s").
 */
const char *duration_parse(const char *s, size_t len, uint64_t *ret_ns);

/* The shortest words that duration_parse reads as this number: "1h30m", "1s500ms", "0s". */
void duration_add(struct str *s, uint64_t ns);

#endif
