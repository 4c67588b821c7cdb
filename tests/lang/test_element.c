// SPDX-License-Identifier: GPL-2.0-only
#include "lang/element.h"

#include "lang/netset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <wchar.h>

#include <cmocka.h>

#define S 1000000000ull

static const char *line_of(const char *text, struct element *e, bool *empty, const char **word, const char **end)
{
	*e = (struct element){};
	return element_line(text, text + strlen(text), e, empty, word, end);
}

static void ends_and_reasons_are_read(void **state)
{
	static const struct {
		const char *text;
		enum element_end end;
		uint64_t ns;
		const char *reason;
	} rows[] = {
		{ "192.0.2.7", ELEMENT_END_SET, 0, "" },
		{ "192.0.2.7 for 10m", ELEMENT_END_FOR, 600 * S, "" },
		{ "192.0.2.7\ttimeout 1h30m\r", ELEMENT_END_FOR, 5400 * S, "" },
		{ "192.0.2.7 for ever", ELEMENT_END_NEVER, 0, "" },
		{ "192.0.2.7 until never reason x", ELEMENT_END_NEVER, 0, "x" },
		{ "2001:db8::/32 until 2026-11-28T16:00:00Z", ELEMENT_END_AT, 1795881600 * S, "" },
		{ "192.0.2.0/24 for 1s reason  too many for 5m words ", ELEMENT_END_FOR, S, "too many for 5m words" },
		{ "192.0.2.0/24 for 1s added 2026-11-28T16:00:00Z reason r", ELEMENT_END_FOR, S, "r" },
		{ "192.0.2.0/24 reason", ELEMENT_END_SET, 0, "" },
		{ "192.0.2.1 - 192.0.2.9 for 1s reason r", ELEMENT_END_FOR, S, "r" },
		{ "192.0.2.1-192.0.2.9 reason r", ELEMENT_END_SET, 0, "r" },
		/* What publishers of lists write is theirs. */
		{ "192.0.2.7 # for 10m", ELEMENT_END_SET, 0, "" },
		{ "192.0.2.7#for 10m", ELEMENT_END_SET, 0, "" },
		{ "192.0.2.0/24 ; SBL123", ELEMENT_END_SET, 0, "" },
		{ "192.0.2.7 US 98 for 10m", ELEMENT_END_SET, 0, "" },
		{ "192.0.2.7,for 10m", ELEMENT_END_SET, 0, "" },
		{ "192.0.2.7 for 10m # why", ELEMENT_END_FOR, 600 * S, "" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *word, *end, *why;
		struct element e;
		bool empty;

		why = line_of(rows[i].text, &e, &empty, &word, &end);
		if (why || empty || e.end != rows[i].end || (e.ns != rows[i].ns && e.end != ELEMENT_END_NEVER))
			fail_msg("\"%s\": %s, %d %llu", rows[i].text, why ? why : "read", e.end,
				 (unsigned long long)e.ns);
		if (e.reason_len != strlen(rows[i].reason) || memcmp(e.reason ?: "", rows[i].reason, e.reason_len))
			fail_msg("\"%s\": reason \"%.*s\"", rows[i].text, (int)e.reason_len, e.reason);
	}
}

static void mistakes_are_told_with_their_word(void **state)
{
	static const struct {
		const char *text, *word;
	} rows[] = {
		{ "1.2.3", "1.2.3" },
		{ "192.0.2.7 for", "for" },
		{ "192.0.2.7 for 10", "10" },
		{ "192.0.2.7 for 0s", "0s" },
		{ "192.0.2.7 for -5m reason x", "-5m" },
		{ "192.0.2.7 until", "until" },
		{ "192.0.2.7 until tomorrow", "tomorrow" },
		{ "192.0.2.7 for 1m for 2m", "2m" },
		{ "192.0.2.7 for 1m until never", "never" },
		{ "192.0.2.7 added yesterday", "yesterday" },
		{ "192.0.2.0/33 for 1m", "192.0.2.0/33" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *word, *end;
		struct element e;
		bool empty;

		if (!line_of(rows[i].text, &e, &empty, &word, &end))
			fail_msg("\"%s\" was read", rows[i].text);
		if ((size_t)(end - word) != strlen(rows[i].word) || memcmp(word, rows[i].word, (size_t)(end - word)))
			fail_msg("\"%s\": \"%.*s\"", rows[i].text, (int)(end - word), word);
	}
}

static void empty_lines_say_nothing(void **state)
{
	static const char *const rows[] = { "", "   ", "# 192.0.2.7", " ; x", "\r" };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *word, *end;
		struct element e;
		bool empty = false;

		assert_null(line_of(rows[i], &e, &empty, &word, &end));
		assert_true(empty);
	}
}

static void the_command_line_has_no_publisher(void **state)
{
	const char *text = "for 1h because", *word, *end;
	struct element e = {};

	assert_non_null(element_tail(text, text + strlen(text), true, &e, &word, &end));
	assert_memory_equal(word, "because", 7);
	assert_true(element_is_tail("for") && element_is_tail("reason") && !element_is_tail("192.0.2.7"));
}

/* Every address once, nothing beside them, and no two prefixes that are one. */
static void ranges_become_prefixes(void **state)
{
	static const char *const rows[] = { "0.0.0.0-255.255.255.255",
					    "0.0.0.1-255.255.255.254",
					    "192.0.2.7-192.0.2.7",
					    "10.0.0.0-10.255.255.255",
					    "192.0.2.5-192.0.3.77",
					    "255.255.255.255-255.255.255.255",
					    "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
					    "::1-ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe",
					    "2001:db8::-2001:db8::ffff" };
	static const size_t counts[] = { 1, 62, 1, 1, 11, 1, 1, 254, 1 };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct addr_range r, rest;
		bool more = true;
		size_t n = 0;
		u128 next;

		assert_null(addr_parse(rows[i], strlen(rows[i]), &r));
		unsigned int width = r.family == FAMILY_IPV4 ? 32 : 128;
		next = r.lo;
		for (rest = r; more; n++) {
			unsigned int len;
			u128 addr;
			range_take(&rest, &more, &addr, &len);
			assert_true(addr == next);
			assert_true(len <= width);
			u128 ones = width - len == 128 ? ~(u128)0 : ((u128)1 << (width - len)) - 1;
			assert_true(!(addr & ones) && (addr | ones) <= r.hi);
			assert_true(more == ((addr | ones) != r.hi));
			next = (addr | ones) + 1;
		}
		if (n != counts[i])
			fail_msg("%s: %zu prefixes", rows[i], n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends_and_reasons_are_read), cmocka_unit_test(mistakes_are_told_with_their_word),
		cmocka_unit_test(empty_lines_say_nothing),   cmocka_unit_test(the_command_line_has_no_publisher),
		cmocka_unit_test(ranges_become_prefixes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
