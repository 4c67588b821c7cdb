// SPDX-License-Identifier: GPL-2.0-only
#include "base/vec.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct pair {
	int a, b;
};

static void pushed_elements_stay(void **state)
{
	struct {
		struct pair *v;
		size_t n, cap;
	} vec = {};

	for (int i = 0; i < 1000; i++)
		assert_int_equal(vec_push(&vec, (struct pair){i, -i}), 0);
	assert_int_equal(vec.n, 1000);
	assert_true(vec.cap >= 1000);
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(vec.v[i].a, i);
		assert_int_equal(vec.v[i].b, -i);
	}
	vec_fini(&vec);
	assert_null(vec.v);
	assert_int_equal(vec.n, 0);
	assert_int_equal(vec.cap, 0);
}

static void reserve_grows_and_never_shrinks(void **state)
{
	struct {
		int *v;
		size_t n, cap;
	} vec = {};

	assert_int_equal(vec_reserve(&vec, 100), 0);
	assert_true(vec.cap >= 100);
	assert_int_equal(vec.n, 0);
	assert_int_equal(vec_reserve(&vec, 3), 0);
	assert_true(vec.cap >= 100);
	vec_fini(&vec);
}

static void impossible_sizes_fail_and_change_nothing(void **state)
{
	struct {
		uint64_t *v;
		size_t n, cap;
	} vec = {};
	size_t cap;

	assert_int_equal(vec_push(&vec, 7), 0);
	cap = vec.cap;
	assert_int_equal(vec_reserve(&vec, SIZE_MAX), -ENOMEM);
	assert_int_equal(vec_reserve(&vec, SIZE_MAX / 16), -ENOMEM); /* fits size_t, not the machine */
	assert_int_equal(vec.cap, cap);
	assert_int_equal(vec.v[0], 7);
	vec_fini(&vec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pushed_elements_stay),
		cmocka_unit_test(reserve_grows_and_never_shrinks),
		cmocka_unit_test(impossible_sizes_fail_and_change_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* A sanitizer would rather abort than return NULL. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}
