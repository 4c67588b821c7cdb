/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory that lives and dies together: one arena per compilation. */
#ifndef FW_BASE_ARENA_H
#define FW_BASE_ARENA_H

#include <stddef.h>

struct arena;

struct arena *arena_new(void); /* NULL: no memory */
void arena_free(struct arena *a); /* NULL is fine */
static inline void arena_freep(struct arena **a) { arena_free(*a); }

/* Zeroed, aligned to 16; NULL: no memory. Size 0 gives a valid pointer. */
void *arena_alloc(struct arena *a, size_t size);
void *arena_array(struct arena *a, size_t n, size_t size); /* NULL on overflow too */
/* Give it memory of malloc, to be freed with the rest. 0, or -ENOMEM: it is still the caller's. */
int arena_adopt(struct arena *a, void *p);
char *arena_strndup(struct arena *a, const char *s, size_t len);
char *arena_strdup(struct arena *a, const char *s);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
