// SPDX-License-Identifier: GPL-2.0-only
#include "base/hash.h"

#include <endian.h>
#include <string.h>

#define HASH_FACTOR 0x9fb21c651e98df25ull

static uint64_t hash_mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * HASH_FACTOR;
	return h ^ h >> 32;
}

static uint64_t hash_load(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

uint64_t hash_bytes(const void *bytes, size_t len)
{
	const uint8_t *p = bytes;
	uint64_t h = hash_mix(HASH_FACTOR, len), tail = 0;
	size_t i = 0;

	for (; i + 8 <= len; i += 8)
		h = hash_mix(h, hash_load(p + i));
	if (i < len && len >= 8) /* the last eight bytes, some of them again */
		return hash_mix(h, hash_load(p + len - 8));
	for (; i < len; i++)
		tail = tail << 8 | p[i];
	return hash_mix(h, tail);
}
