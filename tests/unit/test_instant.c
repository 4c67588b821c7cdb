// SPDX-License-Identifier: GPL-2.0-only
#include "base/instant.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

#include <cmocka.h>

#define S 1000000000ull

static void times_are_read(void **state)
{
	static const struct {
		const char *text;
		uint64_t ns;
	} rows[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2000-02-29T12:00:00Z", 951825600 * S },
		{ "2001-09-09T01:46:40Z", 1000000000 * S },
		{ "2026-11-28T16:00:00Z", 1795881600 * S },
		{ "2026-11-28T17:30:00+01:30", 1795881600 * S },
		{ "2026-11-28T15:00:00.25-01:00", 1795881600 * S + S / 4 },
		{ "2100-03-01T00:00:00Z", 4107542400 * S },
		{ "1795881600", 1795881600 * S },
		{ "1795881600.000000001", 1795881600 * S + 1 },
		{ "0", 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t ns = 1;
		const char *why = instant_parse(rows[i].text, strlen(rows[i].text), &ns);

		if (why || ns != rows[i].ns)
			fail_msg("%s: %s, %llu", rows[i].text, why ? why : "read", (unsigned long long)ns);
	}
}

static void what_is_no_time_is_refused(void **state)
{
	static const char *const rows[] = {
		"",
		"tomorrow",
		"2026-11-28",
		"2026-11-28T16:00Z",
		"2026-11-28T16:00:00",
		"2026-11-28 16:00:00Z",
		"2026-02-29T00:00:00Z",
		"2100-02-29T00:00:00Z",
		"2026-13-01T00:00:00Z",
		"2026-00-01T00:00:00Z",
		"2026-01-00T00:00:00Z",
		"2026-11-28T24:00:00Z",
		"2026-11-28T16:60:00Z",
		"2026-11-28T16:00:60Z",
		"2026-11-28T16:00:00.Z",
		"2026-11-28T16:00:00+1:00",
		"2026-11-28T16:00:00ZZ",
		"1969-12-31T23:59:59Z",
		"1970-01-01T00:00:00+01:00",
		"2262-01-01T00:00:00Z",
		"99999999999",
		"-1",
		"1e9",
		"1795881600.",
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t ns = 7;
		if (!instant_parse(rows[i], strlen(rows[i]), &ns) || ns != 7)
			fail_msg("\"%s\" was read as %llu", rows[i], (unsigned long long)ns);
	}
}

/* The C library is the second opinion about the calendar. */
static void written_times_are_those_of_the_c_library(void **state)
{
	for (uint64_t t = 0; t < 9000000000; t += 12345678 + t / 1000) {
		struct str s = {};
		char want[64];
		time_t at = (time_t)t;
		struct tm tm;
		uint64_t ns;

		instant_add(&s, t * S);
		gmtime_r(&at, &tm);
		strftime(want, sizeof(want), "%Y-%m-%dT%H:%M:%SZ", &tm);
		assert_string_equal(str_get(&s), want);
		assert_null(instant_parse(s.s, s.len, &ns));
		assert_int_equal(ns, t * S);
		str_fini(&s);
	}
}

static void fractions_are_written_and_read(void **state)
{
	static const uint64_t fractions[] = { 1, 10, 500000000, 999999999, 120000000 };

	for (size_t i = 0; i < sizeof(fractions) / sizeof(fractions[0]); i++) {
		struct str s = {};
		uint64_t ns;

		instant_add(&s, 1795881600 * S + fractions[i]);
		assert_null(instant_parse(s.s, s.len, &ns));
		assert_int_equal(ns, 1795881600 * S + fractions[i]);
		str_fini(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_are_read),
		cmocka_unit_test(what_is_no_time_is_refused),
		cmocka_unit_test(written_times_are_those_of_the_c_library),
		cmocka_unit_test(fractions_are_written_and_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
