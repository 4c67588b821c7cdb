// SPDX-License-Identifier: GPL-2.0-only
#include "base/arena.h"

#include "base/huge.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_ALIGN 16
#define ARENA_CHUNK (64 * 1024)
#define ARENA_CHUNK_MAX (32 * 1024 * 1024) /* each is twice as large as the one before it, up to this */

/* The bytes follow the header, which keeps them aligned. */
struct arena_chunk {
	_Alignas(ARENA_ALIGN) struct arena_chunk *next;
	size_t used, cap;
	_Alignas(ARENA_ALIGN) unsigned char bytes[];
};

/* Memory of malloc that the arena was given. */
struct arena_adopted {
	struct arena_adopted *next;
	void *p;
};

struct arena {
	struct arena_chunk *first; /* the chunk that small objects are cut from */
	struct arena_chunk *large; /* one object each */
	struct arena_adopted *adopted;
};

struct arena *arena_new(void)
{
	return calloc(1, sizeof(struct arena));
}

static void arena_free_chunks(struct arena_chunk *c)
{
	while (c) {
		struct arena_chunk *next = c->next;

		free(c);
		c = next;
	}
}

void arena_free(struct arena *a)
{
	if (!a)
		return;
	for (struct arena_adopted *x = a->adopted; x; x = x->next) /* the list itself lives in the chunks */
		free(x->p);
	arena_free_chunks(a->first);
	arena_free_chunks(a->large);
	free(a);
}

static struct arena_chunk *arena_add_chunk(struct arena_chunk **list, size_t cap)
{
	struct arena_chunk *c = calloc(1, sizeof(*c) + cap); /* zeroed: large blocks come zeroed from the kernel */

	if (!c)
		return NULL;
	huge_wish(c, sizeof(*c) + cap);
	c->cap = cap;
	c->next = *list;
	*list = c;
	return c;
}

void *arena_alloc(struct arena *a, size_t size)
{
	struct arena_chunk *c = a->first;
	bool alone = size > ARENA_CHUNK / 4;
	void *p;

#ifdef __SANITIZE_ADDRESS__
	alone = true; /* one block per object, so that the sanitizer sees its ends */
#endif
	if (size > SIZE_MAX / 2)
		return NULL;
	if (alone) {
		c = arena_add_chunk(&a->large, size);
		return c ? c->bytes : NULL;
	}
	size = size ? (size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1) : ARENA_ALIGN;
	if (!c || c->cap - c->used < size)
		c = arena_add_chunk(&a->first, !c ? ARENA_CHUNK : c->cap < ARENA_CHUNK_MAX ? 2 * c->cap : c->cap);
	if (!c)
		return NULL;
	p = c->bytes + c->used;
	c->used += size;
	return p;
}

int arena_adopt(struct arena *a, void *p)
{
	struct arena_adopted *x = arena_alloc(a, sizeof(*x));

	if (!x)
		return -ENOMEM;
	*x = (struct arena_adopted){ a->adopted, p };
	a->adopted = x;
	return 0;
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		return NULL;
	return arena_alloc(a, bytes);
}

char *arena_strndup(struct arena *a, const char *s, size_t len)
{
	char *copy = len < SIZE_MAX ? arena_alloc(a, len + 1) : NULL;

	if (copy && len)
		memcpy(copy, s, len);
	return copy;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (len >= 0)
		text = arena_alloc(a, (size_t)len + 1);
	if (!text)
		return NULL;
	va_start(ap, fmt);
	vsnprintf(text, (size_t)len + 1, fmt, ap);
	va_end(ap);
	return text;
}
