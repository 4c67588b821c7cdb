// SPDX-License-Identifier: GPL-2.0-only
#include "lang/names.h"

#include "base/arena.h"
#include "base/hash.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* The entry of the key, or the free one where it would stand. */
static struct name_entry *names_find(const struct names *t, const char *s, size_t len, uint64_t hash)
{
	for (size_t i = hash & (t->cap - 1);; i = (i + 1) & (t->cap - 1)) {
		struct name_entry *e = &t->v[i];

		if (!e->s || (e->hash == hash && e->len == len && !memcmp(e->s, s, len)))
			return e;
	}
}

void *names_get(const struct names *t, const char *s, size_t len)
{
	return t->cap ? names_find(t, s, len, hash_bytes(s, len))->value : NULL;
}

static bool names_grow(struct names *t, struct arena *arena)
{
	struct names bigger = { .cap = t->cap ? t->cap * 2 : 16 };

	bigger.v = arena_array(arena, bigger.cap, sizeof(*bigger.v));
	if (!bigger.v)
		return false;
	for (size_t i = 0; i < t->cap; i++)
		if (t->v[i].s)
			*names_find(&bigger, t->v[i].s, t->v[i].len, t->v[i].hash) = t->v[i];
	bigger.n = t->n;
	*t = bigger;
	return true;
}

int names_put(struct names *t, struct arena *arena, const char *s, size_t len, void *value)
{
	uint64_t hash = hash_bytes(s, len);
	struct name_entry *e;

	if (t->n * 2 >= t->cap && !names_grow(t, arena))
		return -ENOMEM;
	e = names_find(t, s, len, hash);
	if (e->s)
		return -EEXIST;
	*e = (struct name_entry){ s, len, hash, value };
	t->n++;
	return 0;
}
