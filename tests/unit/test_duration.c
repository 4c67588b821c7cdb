// SPDX-License-Identifier: GPL-2.0-only
#include "base/duration.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <wchar.h>

#include <cmocka.h>

#define S 1000000000ull

static void durations_are_read(void **state)
{
	static const struct {
		const char *text;
		uint64_t ns;
	} rows[] = {
		{ "0s", 0 },
		{ "30s", 30 * S },
		{ "10m", 600 * S },
		{ "1h", 3600 * S },
		{ "5d", 432000 * S },
		{ "1h30m", 5400 * S },
		{ "1d2h3m4s5ms6us7ns", 93784 * S + 5006007 },
		{ "1.5s", 1500000000 },
		{ "0.000000001s", 1 },
		{ "1.0000000019s", S + 1 },
		{ "0.1234567890123456789012s", 123456789 },
		{ "1.5h", 5400 * S },
		{ "1.5d", 129600 * S },
		/* As Go prints them. */
		{ "3h59m57.641708614s", 14397 * S + 641708614 },
		{ "167h59m0s", 604740 * S },
		{ "1.5\xc2\xb5s", 1500 },
		{ "2\xce\xbcs", 2000 },
		{ "2562047h47m16.854775807s", INT64_MAX },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t ns = 1;
		const char *why = duration_parse(rows[i].text, strlen(rows[i].text), &ns);

		if (why || ns != rows[i].ns)
			fail_msg("%s: %s, %llu", rows[i].text, why ? why : "read", (unsigned long long)ns);
	}
}

static void what_is_no_duration_is_refused(void **state)
{
	static const char *const rows[] = {
		"",	"s",	"10",	"0",	"-1s",	  "+1s",  "1 s",	"1s ",	 "1.s",	       ".5s",  "1..5s", "1.5.s",
		"10x",	"10S",	"10sec", "1m1h", "1s1s",  "1h1",  "forever",	"1e3s",	 "\xc2\xb5s",  "1\xc2s", "0x10s", "1s\n",
		"99999999999999999999s", "1\xc2\xb5s1us", "1w",
	};
	static const char *const long_ones[] = { "106752d", "2562047h47m16.854775808s", "18446744073709551615d",
						 "18446744073709551615h", "106751d24h" };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t ns = 7;
		const char *why = duration_parse(rows[i], strlen(rows[i]), &ns);

		if (!why || ns != 7)
			fail_msg("\"%s\" was read as %llu", rows[i], (unsigned long long)ns);
	}
	for (size_t i = 0; i < sizeof(long_ones) / sizeof(long_ones[0]); i++) {
		uint64_t ns;
		const char *why = duration_parse(long_ones[i], strlen(long_ones[i]), &ns);

		if (!why || !strstr(why, "292 years"))
			fail_msg("\"%s\": %s", long_ones[i], why ? why : "read");
	}
}

/* Nothing behind the word is looked at. */
static void only_len_bytes_are_read(void **state)
{
	uint64_t ns;

	assert_null(duration_parse("10m5s", 3, &ns));
	assert_int_equal(ns, 600 * S);
	assert_non_null(duration_parse("10m5s", 4, &ns));
	assert_non_null(duration_parse("10ms", 2, &ns));
	assert_null(duration_parse("1s\0", 2, &ns));
	assert_non_null(duration_parse("1\0s", 3, &ns));
}

static void what_is_written_is_read_again(void **state)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} rows[] = {
		{ 0, "0s" },
		{ 1, "1ns" },
		{ 1500 * 1000000ull, "1s500ms" },
		{ 5400 * S, "1h30m" },
		{ 432000 * S, "5d" },
		{ INT64_MAX, "106751d23h47m16s854ms775us807ns" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct str s = {};
		uint64_t ns;

		duration_add(&s, rows[i].ns);
		assert_string_equal(str_get(&s), rows[i].text);
		assert_null(duration_parse(s.s, s.len, &ns));
		assert_int_equal(ns, rows[i].ns);
		str_fini(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations_are_read),
		cmocka_unit_test(what_is_no_duration_is_refused),
		cmocka_unit_test(only_len_bytes_are_read),
		cmocka_unit_test(what_is_written_is_read_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
