// SPDX-License-Identifier: GPL-2.0-only
/* Durations: what is read, what is refused, and that what is printed is read as the same. */
#include "harness/prng.h"
#include "lang/number.h"
#include "lang/print.h"
#include "lang_test.h"

static void durations_are_read(void **state)
{
	static const struct {
		const char *text;
		uint64_t ms;
	} table[] = {
		{ "1s", 1000 },
		{ "90s", 90000 },
		{ "10m", 600000 },
		{ "1h", 3600000 },
		{ "5d", 432000000 },
		{ "250ms", 250 },
		{ "0s", 0 },
		{ "1h30m", 5400000 },
		{ "1h0m30s", 3630000 },
		{ "1m500ms", 60500 },
		{ "1d2h3m4s5ms", 93784005 },
		{ "100000d", 8640000000000 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		uint64_t ns = 1;

		if (!duration_parse(table[i].text, strlen(table[i].text), &ns))
			fail_msg("not read: %s", table[i].text);
		assert_int_equal(ns, table[i].ms * DURATION_MS);
	}
}

static void nonsense_is_refused(void **state)
{
	static const char *const wrong[] = { "",
					     "s",
					     "1",
					     "1 s",
					     "-1s",
					     "+1s",
					     "1.5h",
					     "01s",
					     "1S",
					     "1w",
					     "1y",
					     "1us",
					     "1ns",
					     "1sec",
					     "1min",
					     "1s1s",
					     "1m1h",
					     "1s1m",
					     "1ms1s",
					     "1h30",
					     "h1",
					     "1hh",
					     "0x1s",
					     "1s ",
					     "1h,1m",
					     "213504d",
					     "18446744073709551616ms",
					     "9999999999999999999999999s" };

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		uint64_t ns;

		if (duration_parse(wrong[i], strlen(wrong[i]), &ns))
			fail_msg("read: %s", wrong[i]);
	}
}

static void what_is_printed_is_read(void **state)
{
	struct prng p;

	prng_init(&p, 20261128);
	for (int i = 0; i < 20000; i++) {
		uint64_t ns = (prng_u64(&p) >> (20 + prng_below(&p, 40))) * DURATION_MS, back;
		struct str out = {};

		print_duration(&out, ns);
		if (!ns) {
			assert_int_equal(out.len, 0);
			continue;
		}
		if (!duration_parse(out.s, out.len, &back) || back != ns)
			fail_msg("%llu ns became \"%s\"", (unsigned long long)ns, str_get(&out));
		str_fini(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations_are_read),
		cmocka_unit_test(nonsense_is_refused),
		cmocka_unit_test(what_is_printed_is_read),
	};

	return cmocka_run_group_tests_name("duration", tests, NULL, NULL);
}
