// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fast reader of set files against the careful one: it takes nothing that is refused, and nothing else than is said;
 * and the common line it does take.
 */
#include "harness/prng.h"
#include "lang/netset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MUTANTS	 3000000
#define LINE_MAX 120

static const char *const templates[] = {
	"192.0.2.1", "10.0.0.0/8", "255.255.255.255/32", "0.0.0.0/0", "1.2.3.4/24 # de", "198.51.100.7\t10",
	"203.0.113.9;x", "203.0.113.0/25, y", "192.0.2.1 - 192.0.2.9", "192.0.2.1-192.0.2.9", "192.0.2.1\t-\t192.0.2.9",
	"192.0.2.1 \f- 192.0.2.9", "2001:db8::/32", "2001:db8:1:2:3:4:5:6", "::", "::1/128", "fe80::1%eth0",
	"2a02:8060::/31 # ad", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "1::8/9", "::ffff:192.0.2.1", "64:ff9b::192.0.2.33/96",
	"2001:DB8:ABCD:EF01::/64\r", "2001:db8::1 - 2001:db8::9", "# comment", "", "  10.1.2.3", "10.1.2.3\r", "1.2.3",
	"1.2.3.4.5", "01.2.3.4", "1.2.3.4/08", "1.2.3.4/0x18", "1.2.3.4/33", "1:2:3:4:5:6:7:8:9", "12345::", "1.2.3.4/",
};

static const char alphabet[] = "0123456789012345678901234567899....::://-#;, \t\r\f\vabcdefABCDEFxg%G\x80\xff";

static size_t mutant_make(struct prng *p, char *line)
{
	const char *from = templates[prng_below(p, sizeof(templates) / sizeof(templates[0]))];
	size_t len = strlen(from);

	memcpy(line, from, len);
	for (uint64_t changes = prng_below(p, 4); changes > 0; changes--) {
		size_t at = prng_below(p, len + 1);
		char c = alphabet[prng_below(p, sizeof(alphabet))]; /* the NUL, too */

		switch (prng_below(p, 4)) {
		case 0:
			if (at < len)
				line[at] = c;
			break;
		case 1:
			memmove(line + at + 1, line + at, len - at);
			line[at] = c;
			len++;
			break;
		case 2:
			if (at < len)
				memmove(line + at, line + at + 1, --len - at);
			break;
		default: /* another number */
			if (at < len && line[at] >= '0' && line[at] <= '9')
				line[at] = (char)('0' + prng_below(p, 10));
		}
	}
	return len;
}

/* What the fast readers make of the line: the family and the range; FAMILY_OTHER when they leave it alone. */
static enum family plain_read(const char *line, size_t len, const char *stop, struct addr_range *ret)
{
	struct range4 r4;
	struct range6 r6;
	size_t n4, n6;
	const char *end4 = netset_plain4(line, stop, &r4, 1, &n4), *end6 = netset_plain6(line, stop, &r6, 1, &n6);

	assert_true(end4 == (n4 ? line + len + 1 : line));
	assert_true(end6 == (n6 ? line + len + 1 : line));
	assert_false(n4 && n6);
	if (n4)
		*ret = (struct addr_range){ .lo = r4.lo, .hi = r4.hi };
	if (n6)
		*ret = (struct addr_range){ .lo = r6.lo, .hi = r6.hi };
	return n4 ? FAMILY_IPV4 : n6 ? FAMILY_IPV6 : FAMILY_OTHER;
}

static void what_is_taken_is_what_the_careful_parser_says(void **state)
{
	char text[LINE_MAX + 1 + PLAIN_AHEAD];
	size_t taken[FAMILY_COUNT] = {}, accepted = 0;
	struct prng p;

	prng_init(&p, prng_seed("netset", 0x5e7f11e));
	for (int i = 0; i < MUTANTS; i++) {
		size_t len = mutant_make(&p, text);
		struct addr_range slow = {}, fast = {};
		const char *word, *end, *why;
		enum family family;
		bool empty;

		text[len] = '\n';
		for (size_t k = len + 1; k < len + 1 + PLAIN_AHEAD; k++)
			text[k] = alphabet[prng_below(&p, sizeof(alphabet))];
		why = netset_line(text, text + len, &slow, &empty, &word, &end);
		family = plain_read(text, len, text + len + 1 + PLAIN_AHEAD, &fast);
		accepted += !why && !empty;
		taken[family]++;
		if (family != FAMILY_OTHER && (why || empty || family != slow.family || fast.lo != slow.lo || fast.hi != slow.hi))
			fail_msg("\"%.*s\": the careful parser says %s", (int)len, text, why ? why : "another address");
	}
	print_message("# of %d lines %zu are good; taken as plain: %zu IPv4, %zu IPv6\n", MUTANTS, accepted,
		      taken[FAMILY_IPV4], taken[FAMILY_IPV6]);
	assert_true(taken[FAMILY_IPV4] > MUTANTS / 20 && taken[FAMILY_IPV6] > MUTANTS / 20);
}

/* Every prefix of a plain line, at every distance from the end of the text: nothing is read that is not there. */
static void the_end_of_the_text_is_respected(void **state)
{
	static const char line[] = "192.0.2.0/24\n2001:db8::/32\n198.51.100.255\n# 123456789012345678901234567890123456\n";

	for (size_t len = 0; len < sizeof(line); len++) {
		char *copy = test_malloc(len + 1); /* the sanitizer watches its end */
		struct range4 r4[2];
		struct range6 r6[2];
		size_t n;

		memcpy(copy, line, len);
		netset_plain4(copy, copy + len, r4, 2, &n);
		assert_true(n <= (len >= PLAIN_AHEAD));
		netset_plain6(copy, copy + len, r6, 2, &n);
		assert_int_equal(n, 0);
		test_free(copy);
	}
}

static void common_lines_are_plain(void **state)
{
	static const char *const tails[] = { "", "\r", " # de", "\t10", ";SBL1", ",x", "  " };
	char text[LINE_MAX + 1 + PLAIN_AHEAD];
	struct prng p;

	prng_init(&p, prng_seed("plain", 0x91a14));
	for (int i = 0; i < 200000; i++) {
		uint64_t v = prng_u64(&p) >> prng_below(&p, 40);
		const char *tail = tails[prng_below(&p, sizeof(tails) / sizeof(tails[0]))];
		unsigned int bits = (unsigned int)prng_below(&p, 130);
		bool v6 = prng_chance(&p, 1, 2);
		struct addr_range r;
		int len;

		len = v6 ? snprintf(text, LINE_MAX, "%x:%x:%x::%x", (unsigned int)(v >> 48), (unsigned int)(v >> 32) & 0xffff,
				    (unsigned int)(v >> 16) & 0xffff, (unsigned int)v & 0xffff)
			 : snprintf(text, LINE_MAX, "%u.%u.%u.%u", (unsigned int)v & 255, (unsigned int)(v >> 8) & 255,
				    (unsigned int)(v >> 16) & 255, (unsigned int)(v >> 24) & 255);
		if (bits <= (v6 ? 128 : 32))
			len += snprintf(text + len, 8, "/%u", bits);
		len += snprintf(text + len, 16, "%s", tail);
		memset(text + len, '\n', PLAIN_AHEAD + 1);
		if (plain_read(text, (size_t)len, text + len + 1 + PLAIN_AHEAD, &r) != (v6 ? FAMILY_IPV6 : FAMILY_IPV4))
			fail_msg("\"%.*s\" is not plain", len, text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_taken_is_what_the_careful_parser_says),
		cmocka_unit_test(the_end_of_the_text_is_respected),
		cmocka_unit_test(common_lines_are_plain),
	};

	return cmocka_run_group_tests_name("netset_plain", tests, NULL, NULL);
}
