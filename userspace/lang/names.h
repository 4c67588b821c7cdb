/* SPDX-License-Identifier: GPL-2.0-only */
/* Name → value: a hash table, so that ten thousand names stay cheap. */
#ifndef FW_LANG_NAMES_H
#define FW_LANG_NAMES_H

#include <stddef.h>
#include <stdint.h>

struct arena;

struct name_entry {
	const char *s;
	size_t len;
	uint64_t hash;
	void *value;
};

/* Zero is an empty table. Memory comes from the arena; keys are not copied. */
struct names {
	struct name_entry *v; /* open addressing */
	size_t n, cap;
};

void *names_get(const struct names *t, const char *s, size_t len); /* NULL: none */
/* 0, -EEXIST (the old value stays), -ENOMEM */
int names_put(struct names *t, struct arena *arena, const char *s, size_t len, void *value);

#endif
