// SPDX-License-Identifier: GPL-2.0-only
/* Captures, byte for byte as the form has them. Numbers are read back as the machine writes them. */
#include "fwctl/pcapng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <wchar.h>

#include <cmocka.h>

static uint32_t at32(const struct str *s, size_t at)
{
	uint32_t v;

	assert_true(at + 4 <= s->len);
	memcpy(&v, s->s + at, 4);
	return v;
}

static uint16_t at16(const struct str *s, size_t at)
{
	uint16_t v;

	assert_true(at + 2 <= s->len);
	memcpy(&v, s->s + at, 2);
	return v;
}

/* A block is a multiple of four bytes long and says so at both ends. Returns where its options begin and, in *ret_next, the next block. */
static void block_check(const struct str *s, size_t at, uint32_t type, size_t *ret_next)
{
	uint32_t len = at32(s, at + 4);

	assert_int_equal(at32(s, at), type);
	assert_int_equal(len % 4, 0);
	assert_int_equal(at32(s, at + len - 4), len);
	*ret_next = at + len;
}

/* The value of an option in [from, end); NULL: it is not there. The list must end as it should. */
static const char *option_find(const struct str *s, size_t from, size_t end, uint16_t code, uint16_t *ret_len)
{
	const char *found = NULL;

	for (size_t at = from; at < end;) {
		uint16_t c = at16(s, at), len = at16(s, at + 2);
		if (!c) {
			assert_int_equal(len, 0);
			assert_int_equal(at + 4, end);
			return found;
		}
		if (c == code) {
			found = s->s + at + 4;
			*ret_len = len;
		}
		at += 4 + ((len + 3u) & ~3u);
	}
	fail_msg("the options have no end");
	return NULL;
}

static void option_is(const struct str *s, size_t from, size_t end, uint16_t code, const void *value, size_t len)
{
	uint16_t got = 0;
	const char *v = option_find(s, from, end, code, &got);

	assert_non_null(v);
	assert_int_equal(got, len);
	assert_memory_equal(v, value, len);
}

static void a_section_says_who_wrote_it(void **state)
{
	struct str s = {};
	size_t next;

	pcapng_section(&s, "Linux 6.18", "fwctl 0.1");
	block_check(&s, 0, 0x0a0d0d0a, &next);
	assert_int_equal(next, s.len);
	assert_int_equal(at32(&s, 8), 0x1a2b3c4d);
	assert_int_equal(at16(&s, 12), 1);
	assert_int_equal(at16(&s, 14), 0);
	assert_int_equal(at32(&s, 16), UINT32_MAX);
	assert_int_equal(at32(&s, 20), UINT32_MAX);
	option_is(&s, 24, next - 4, 3, "Linux 6.18", 10);
	option_is(&s, 24, next - 4, 4, "fwctl 0.1", 9);
	str_fini(&s);
}

static void an_interface_has_name_and_nanoseconds(void **state)
{
	struct str s = {};
	size_t next;

	pcapng_interface(&s, "eth0", "fwctl at xdp", 2052);
	block_check(&s, 0, 1, &next);
	assert_int_equal(at16(&s, 8), 1);
	assert_int_equal(at32(&s, 12), 2052);
	option_is(&s, 16, next - 4, 2, "eth0", 4);
	option_is(&s, 16, next - 4, 3, "fwctl at xdp", 12);
	option_is(&s, 16, next - 4, 9, "\x09", 1);
	str_fini(&s);
}

static void a_packet_is_padded_and_its_lengths_are_not(void **state)
{
	const uint64_t dropped = 7, verdict = 1;
	uint8_t want[9] = { 2 };

	memcpy(want + 1, &verdict, 8);
	for (uint32_t len = 0; len <= 9; len++) {
		struct pcapng_packet p = { .iface = 3, .time_ns = 0x0102030405060708ull,
					   .data = (const uint8_t *)"ABCDEFGHI", .caplen = len,
					   .wire = 1500, .dir = PCAPNG_OUTBOUND, .dropped = dropped, .comment = "drop by \"x\"",
					   .verdict_kind = PCAPNG_VERDICT_XDP, .verdict = verdict };
		struct str s = {};
		size_t next, options = 28 + ((len + 3u) & ~3u);

		pcapng_packet(&s, &p);
		block_check(&s, 0, 6, &next);
		assert_int_equal(next, s.len);
		assert_int_equal(at32(&s, 8), 3);
		assert_int_equal(at32(&s, 12), 0x01020304);
		assert_int_equal(at32(&s, 16), 0x05060708);
		assert_int_equal(at32(&s, 20), len);
		assert_int_equal(at32(&s, 24), 1500);
		assert_memory_equal(s.s + 28, "ABCDEFGHI", len);
		for (size_t i = 28 + len; i < options; i++)
			assert_int_equal(s.s[i], 0);
		option_is(&s, options, next - 4, 1, "drop by \"x\"", 11);
		option_is(&s, options, next - 4, 2, "\2\0\0", 4);
		option_is(&s, options, next - 4, 4, &dropped, 8);
		option_is(&s, options, next - 4, 7, want, 9);
		str_fini(&s);
	}
}

static void what_is_not_known_is_not_there(void **state)
{
	struct pcapng_packet p = { .data = (const uint8_t *)"", .dir = PCAPNG_INBOUND };
	struct str s = {};
	uint16_t len;

	pcapng_packet(&s, &p);
	assert_null(option_find(&s, 28, s.len - 4, 1, &len));
	assert_null(option_find(&s, 28, s.len - 4, 4, &len));
	assert_null(option_find(&s, 28, s.len - 4, 7, &len));
	str_fini(&s);
}

static void statistics_count_what_was_lost(void **state)
{
	struct pcapng_stats st = { .iface = 1, .time_ns = 5ull << 32 | 6, .start_ns = 4, .received = 10, .lost = 3,
		.written = 7, .comment = "all" };
	struct str s = {};
	size_t next;

	pcapng_statistics(&s, &st);
	block_check(&s, 0, 5, &next);
	assert_int_equal(at32(&s, 8), 1);
	assert_int_equal(at32(&s, 12), 5);
	assert_int_equal(at32(&s, 16), 6);
	option_is(&s, 20, next - 4, 4, &st.received, 8);
	option_is(&s, 20, next - 4, 7, &st.lost, 8);
	option_is(&s, 20, next - 4, 8, &st.written, 8);
	option_is(&s, 20, next - 4, 1, "all", 3);
	str_fini(&s);
}

static void a_comment_too_long_is_cut(void **state)
{
	char *comment = malloc(70001);
	struct pcapng_packet p = { .data = (const uint8_t *)"", .dir = PCAPNG_INBOUND, .comment = comment };
	struct str s = {};
	uint16_t len = 0;
	size_t next;

	memset(comment, 'a', 70000);
	comment[70000] = '\0';
	pcapng_packet(&s, &p);
	block_check(&s, 0, 6, &next);
	assert_non_null(option_find(&s, 28, next - 4, 1, &len));
	assert_int_equal(len, UINT16_MAX);
	str_fini(&s);
	free(comment);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_section_says_who_wrote_it),
		cmocka_unit_test(an_interface_has_name_and_nanoseconds),
		cmocka_unit_test(a_packet_is_padded_and_its_lengths_are_not),
		cmocka_unit_test(what_is_not_known_is_not_there),
		cmocka_unit_test(statistics_count_what_was_lost),
		cmocka_unit_test(a_comment_too_long_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
