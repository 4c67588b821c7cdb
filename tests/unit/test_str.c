// SPDX-License-Identifier: GPL-2.0-only
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <wchar.h>

#include <cmocka.h>

static void text_grows(void **state)
{
	struct str s = {};

	assert_string_equal(str_get(&s), "");
	str_add(&s, "ab");
	str_add_len(&s, "cdef", 2);
	str_add_len(&s, "", 0);
	str_addf(&s, "-%d-%s", 7, "x");
	assert_string_equal(str_get(&s), "abcd-7-x");
	assert_int_equal(s.len, 8);
	for (int i = 0; i < 10000; i++)
		str_add(&s, "0123456789");
	assert_int_equal(s.len, 100008);
	assert_int_equal(strlen(str_get(&s)), s.len);
	str_fini(&s);
	assert_null(s.s);
}

static void reset_forgets_the_text(void **state)
{
	struct str s = {};

	str_reset(&s);
	assert_string_equal(str_get(&s), "");
	str_add(&s, "something");
	str_reset(&s);
	assert_string_equal(str_get(&s), "");
	str_add(&s, "new");
	assert_string_equal(str_get(&s), "new");
	str_fini(&s);
}

static void a_failed_string_stays_as_it_was(void **state)
{
	struct str s = {};

	str_add(&s, "kept");
	str_add_len(&s, "x", SIZE_MAX); /* cannot be had */
	assert_true(s.failed);
	str_add(&s, "more");
	str_addf(&s, "%d", 1);
	assert_string_equal(str_get(&s), "kept");
	str_reset(&s);
	assert_false(s.failed);
	str_fini(&s);
}

static void numbers_are_decimal(void **state)
{
	static const uint64_t v[] = { 0, 7, 10, 99, 100, 4294967295u, 10000000000000000000u, UINT64_MAX };
	struct str s = {}, want = {};

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		str_add_u64(&s, v[i]);
		str_add_char(&s, ' ');
		str_addf(&want, "%llu ", (unsigned long long)v[i]);
	}
	assert_string_equal(str_get(&s), str_get(&want));
	str_fini(&s);
	str_fini(&want);
}

/* What is formatted may just fit, just not fit, or be many times as long as the memory. */
static void formats_fit_at_every_length(void **state)
{
	for (int before = 0; before < 40; before++) {
		for (int len = 0; len < 200; len++) {
			struct str s = {};

			for (int i = 0; i < before; i++)
				str_add_char(&s, 'a');
			str_addf(&s, "%*s", len, "");
			assert_int_equal(s.len, before + len);
			assert_int_equal(strlen(str_get(&s)), before + len);
			str_fini(&s);
		}
	}
}

static void words_are_compared_as_a_whole(void **state)
{
	assert_true(str_is("drop", "drop {", 4));
	assert_false(str_is("drop", "dropped", 7));
	assert_false(str_is("dropped", "drop", 4));
	assert_false(str_is("drop", "drip", 4));
	assert_false(str_is("drop", "", 0));
	assert_false(str_is("", "", 0)); /* nothing is no word */
	assert_false(str_is("ab", "a\0", 2));
}

static void a_format_that_cannot_be_written_fails(void **state)
{
	struct str s = {};

	str_addf(&s, "%lc", (wint_t)0x7fffffff); /* not a character in the C locale */
	assert_true(s.failed);
	assert_string_equal(str_get(&s), "");
	str_fini(&s);
}

static void escapes_leave_nothing_for_the_terminal(void **state)
{
	struct str s = {};
	char all[256];

	for (int i = 0; i < 256; i++)
		all[i] = (char)i;
	str_add_escaped(&s, "a b~", 4);
	str_add_escaped(&s, "\x1b[2J\\\n\t\x7f\xc3\xa9\0", 11);
	assert_string_equal(str_get(&s), "a b~\\x1b[2J\\x5c\\x0a\\x09\\x7f\\xc3\\xa9\\x00");
	str_reset(&s);
	str_add_escaped(&s, all, 256);
	for (size_t i = 0; i < s.len; i++)
		assert_true(s.s[i] >= ' ' && s.s[i] <= '~');
	assert_int_equal(s.len, 94 + (256 - 94) * 4);
	str_fini(&s);
}

static void distances(void **state)
{
	static const struct {
		const char *a, *b;
		size_t want;
	} cases[] = {
		{"", "", 0},	  {"tcp", "tcp", 0},   {"", "abc", 3},
		{"abc", "", 3},	  {"tpc", "tcp", 1},   {"tcpp", "tcp", 1},
		{"tp", "tcp", 1}, {"tcx", "tcp", 1},   {"kitten", "sitting", 3},
		{"ca", "abc", 3}, {"drop", "pass", 4}, {"ingress", "egress", 2},
		{"ab", "ba", 1},
	};
	char longest[64], too_long[65];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(str_distance(cases[i].a, cases[i].b), cases[i].want);
		assert_int_equal(str_distance(cases[i].b, cases[i].a), cases[i].want);
	}
	memset(longest, 'a', 63);
	longest[63] = '\0';
	memset(too_long, 'a', 64);
	too_long[64] = '\0';
	assert_int_equal(str_distance(longest, longest), 0);
	assert_int_equal(str_distance(longest, ""), 63);
	assert_int_equal(str_distance(too_long, too_long), 64); /* the cap: never "near" */
	assert_int_equal(str_distance("", too_long), 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_grows),
		cmocka_unit_test(reset_forgets_the_text),
		cmocka_unit_test(a_failed_string_stays_as_it_was),
		cmocka_unit_test(numbers_are_decimal),
		cmocka_unit_test(formats_fit_at_every_length),
		cmocka_unit_test(words_are_compared_as_a_whole),
		cmocka_unit_test(a_format_that_cannot_be_written_fails),
		cmocka_unit_test(escapes_leave_nothing_for_the_terminal),
		cmocka_unit_test(distances),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
