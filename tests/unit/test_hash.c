// SPDX-License-Identifier: GPL-2.0-only
#include "base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void every_bit_counts(void **state)
{
	uint8_t bytes[40];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 37);
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		uint64_t h = hash_bytes(bytes, len);

		for (size_t bit = 0; bit < 8 * len; bit++) {
			bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
			assert_true(hash_bytes(bytes, len) != h);
			bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		assert_true(!len || hash_bytes(bytes, len - 1) != h);
		assert_true(hash_bytes(bytes, len) == h); /* nothing behind the end is looked at */
	}
}

static void zeros_of_each_length_differ(void **state)
{
	static const uint8_t zeros[64];

	for (size_t a = 0; a < sizeof(zeros); a++)
		for (size_t b = 0; b < a; b++)
			assert_true(hash_bytes(zeros, a) != hash_bytes(zeros, b));
}

/* Names that differ by a number, as labels do, spread over a table of their size. */
static void names_spread(void **state)
{
	enum { N = 1 << 16 };
	static unsigned int at[N];
	unsigned int worst = 0, used = 0;

	for (unsigned int i = 0; i < N; i++) {
		char name[32];
		int len = snprintf(name, sizeof(name), "rule number %u of many", i);
		unsigned int n = ++at[hash_bytes(name, (size_t)len) % N];

		worst = n > worst ? n : worst;
		used += n == 1;
	}
	/* Random: 63 % of the cells are used, and the fullest of them has about 8. */
	assert_in_range(worst, 1, 16);
	assert_true(used > N / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_bit_counts),
		cmocka_unit_test(zeros_of_each_length_differ),
		cmocka_unit_test(names_spread),
	};

	return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}
