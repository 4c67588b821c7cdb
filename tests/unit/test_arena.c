// SPDX-License-Identifier: GPL-2.0-only
#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void memory_is_zeroed_aligned_and_its_own(void **state)
{
	struct arena *a = arena_new();
	unsigned char *p[600];

	for (size_t i = 0; i < 600; i++) { /* more than one chunk */
		p[i] = arena_alloc(a, i);
		assert_non_null(p[i]);
		assert_int_equal((uintptr_t)p[i] % 16, 0);
		for (size_t j = 0; j < i; j++)
			assert_int_equal(p[i][j], 0);
		memset(p[i], (int)i, i);
	}
	for (size_t i = 0; i < 600; i++)
		for (size_t j = 0; j < i; j++)
			assert_int_equal(p[i][j], (unsigned char)i);
	arena_free(a);
}

static void large_blocks_stand_beside_small_ones(void **state)
{
	struct arena *a = arena_new();
	char *small = arena_strdup(a, "small"), *large = arena_alloc(a, 10 << 20), *after = arena_strdup(a, "after");

	assert_non_null(large);
	memset(large, 'x', 10 << 20);
	assert_string_equal(small, "small");
	assert_string_equal(after, "after");
	arena_free(a);
}

static void size_zero_is_a_pointer(void **state)
{
	struct arena *a = arena_new();
	void *p = arena_alloc(a, 0), *q = arena_array(a, 0, 8);

	assert_non_null(p);
	assert_non_null(q);
	assert_ptr_not_equal(p, q);
	arena_free(a);
}

static void impossible_sizes_give_null(void **state)
{
	struct arena *a = arena_new();

	assert_null(arena_alloc(a, SIZE_MAX));
	assert_null(arena_alloc(a, SIZE_MAX / 2));
	assert_null(arena_array(a, SIZE_MAX / 2, 3));
	assert_null(arena_array(a, (size_t)1 << 33, (size_t)1 << 33));
	assert_null(arena_strndup(a, "x", SIZE_MAX));
	assert_non_null(arena_alloc(a, 1));
	arena_free(a);
}

static void text_is_copied(void **state)
{
	struct arena *a = arena_new();
	char word[] = "hello";
	char *copy = arena_strdup(a, word), *part = arena_strndup(a, word, 4), *none = arena_strndup(a, NULL, 0);

	word[0] = 'j';
	assert_string_equal(copy, "hello");
	assert_string_equal(part, "hell");
	assert_string_equal(none, "");
	assert_string_equal(arena_printf(a, "%s %d", "port", 65535), "port 65535");
	assert_string_equal(arena_printf(a, "%s", ""), "");
	assert_int_equal(strlen(arena_printf(a, "%*s", 5000, "")), 5000);
	arena_free(a);
}

/* The sanitizer tells of what is freed twice or never. */
static void what_is_adopted_is_freed(void **state)
{
	struct arena *a = arena_new();
	char *first = malloc(100), *second = malloc(1 << 20);

	assert_int_equal(arena_adopt(a, first), 0);
	assert_int_equal(arena_adopt(a, second), 0);
	assert_int_equal(arena_adopt(a, NULL), 0);
	memset(first, 'x', 100);
	memset(second, 'y', 1 << 20);
	for (int i = 0; i < 100000; i++)
		assert_non_null(arena_alloc(a, 100));
	assert_int_equal(first[99], 'x');
	assert_int_equal(second[(1 << 20) - 1], 'y');
	arena_free(a);
}

static void freeing_nothing_is_fine(void **state)
{
	arena_free(NULL);
	arena_free(arena_new());
}

/* A sanitizer would rather abort than return NULL. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_zeroed_aligned_and_its_own),
		cmocka_unit_test(large_blocks_stand_beside_small_ones),
		cmocka_unit_test(size_zero_is_a_pointer),
		cmocka_unit_test(impossible_sizes_give_null),
		cmocka_unit_test(text_is_copied),
		cmocka_unit_test(what_is_adopted_is_freed),
		cmocka_unit_test(freeing_nothing_is_fine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
