/* SPDX-License-Identifier: GPL-2.0-only */
/* One hash for every table of names. The same bytes give the same number on every machine. */
#ifndef FW_BASE_HASH_H
#define FW_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* Eight bytes a step; every bit of the result depends on every byte. Not for secrets. */
uint64_t hash_bytes(const void *bytes, size_t len);

#endif
