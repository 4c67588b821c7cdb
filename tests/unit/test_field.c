// SPDX-License-Identifier: GPL-2.0-only
#include "model/field.h"
#include "model/rule.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static long parse(enum field_id id, const char *word)
{
	return field_value_parse(id, word, strlen(word));
}

static void rows_say_what_a_field_is(void **state)
{
	assert_string_equal(field_get(FIELD_DPORT)->word, "port");
	assert_int_equal(field_get(FIELD_DPORT)->bits, 16);
	assert_int_equal(field_get(FIELD_DPORT)->needs, FIELD_NEEDS_PORTS);
	assert_int_equal(field_get(FIELD_PROTO)->bits, 10);
	assert_string_equal(field_get(FIELD_MAC)->word, "mac");
	assert_int_equal(field_get(FIELD_MAC)->bits, 48);
	assert_int_equal(field_get(FIELD_MAC)->needs, FIELD_NEEDS_FRAME);
	for (int i = 0; i < FIELD_VALUE_COUNT; i++)
		for (int j = 0; j < i; j++)
			assert_string_not_equal(field_get((enum field_id)i)->word, field_get((enum field_id)j)->word);
}

/* Numbers from the registries, written down here a second time. */
static void known_names(void **state)
{
	static const struct {
		enum field_id id;
		const char *word;
		long value;
	} cases[] = {
		{FIELD_PROTO, "icmp", 1},
		{FIELD_PROTO, "igmp", 2},
		{FIELD_PROTO, "tcp", 6},
		{FIELD_PROTO, "udp", 17},
		{FIELD_PROTO, "gre", 47},
		{FIELD_PROTO, "esp", 50},
		{FIELD_PROTO, "ah", 51},
		{FIELD_PROTO, "icmp6", 58},
		{FIELD_PROTO, "ipv6-icmp", 58},
		{FIELD_PROTO, "ospf", 89},
		{FIELD_PROTO, "vrrp", 112},
		{FIELD_PROTO, "sctp", 132},
		{FIELD_PROTO, "udplite", 136},
		{FIELD_PROTO, "ipip", 4},
		{FIELD_PROTO, "ipv6", 41},
		{FIELD_PROTO, "dccp", 33},
		{FIELD_PROTO, "pim", 103},
		{FIELD_PROTO, "l2tp", 115},
		{FIELD_ICMP, "echo-reply", 0},
		{FIELD_ICMP, "echo-request", 8},
		{FIELD_ICMP, "destination-unreachable", 3},
		{FIELD_ICMP, "redirect", 5},
		{FIELD_ICMP, "time-exceeded", 11},
		{FIELD_ICMP, "parameter-problem", 12},
		{FIELD_ICMP6, "packet-too-big", 2},
		{FIELD_ICMP6, "echo-request", 128},
		{FIELD_ICMP6, "echo-reply", 129},
		{FIELD_ICMP6, "mld-query", 130},
		{FIELD_ICMP6, "router-solicitation", 133},
		{FIELD_ICMP6, "router-advertisement", 134},
		{FIELD_ICMP6, "neighbour-solicitation", 135},
		{FIELD_ICMP6, "neighbor-advertisement", 136},
		{FIELD_ICMP6, "mld2-report", 143},
		{FIELD_FRAG, "none", FRAG_NONE},
		{FIELD_FRAG, "first", FRAG_FIRST},
		{FIELD_FRAG, "later", FRAG_LATER},
		{FIELD_DSCP, "ef", 46},
		{FIELD_DSCP, "af11", 10},
		{FIELD_DSCP, "af43", 38},
		{FIELD_DSCP, "cs7", 56},
		{FIELD_DSCP, "be", 0},
		{FIELD_ETHERTYPE, "arp", 0x0806},
		{FIELD_ETHERTYPE, "ipv6", 0x86dd},
		{FIELD_ETHERTYPE, "lldp", 0x88cc},
		{FIELD_EXT, "hopopts", EXT_HOPOPTS},
		{FIELD_EXT, "fragment", EXT_FRAGMENT},
		{FIELD_EXT, "ah", EXT_AH},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(parse(cases[i].id, cases[i].word), cases[i].value);
}

static void dscp_classes_follow_their_formula(void **state)
{
	for (int x = 0; x < 8; x++) {
		char cs[] = {'c', 's', (char)('0' + x), '\0'};

		assert_int_equal(parse(FIELD_DSCP, cs), 8 * x);
	}
	for (int x = 1; x <= 4; x++)
		for (int y = 1; y <= 3; y++) {
			char af[] = {'a', 'f', (char)('0' + x), (char)('0' + y), '\0'};

			assert_int_equal(parse(FIELD_DSCP, af), 8 * x + 2 * y);
		}
}

static void unknown_words_are_refused(void **state)
{
	assert_int_equal(parse(FIELD_PROTO, "tpc"), -1);
	assert_int_equal(parse(FIELD_PROTO, ""), -1);
	assert_int_equal(parse(FIELD_PROTO, "TCP"), -1);
	assert_int_equal(field_value_parse(FIELD_PROTO, "tcpx", 3), 6); /* the length counts */
	assert_int_equal(field_value_parse(FIELD_PROTO, "tcp", 2), -1);
	assert_int_equal(parse(FIELD_SPORT, "http"), -1); /* services are not here */
	assert_int_equal(parse(FIELD_TTL, "tcp"), -1);
	assert_null(field_value_word(FIELD_PROTO, 254));
	assert_null(field_value_word(FIELD_ICMP, 1));
	assert_null(field_value_word(FIELD_LEN, 1));
	assert_null(field_value_name(FIELD_MAC, 0));
}

/* Every word parses to a value whose word parses to it again, and words are plain. */
static void words_and_values_agree(void **state)
{
	size_t words = 0;

	for (int id = 0; id < FIELD_VALUE_COUNT; id++) {
		const char *name;

		for (size_t i = 0; (name = field_value_name((enum field_id)id, i)); i++, words++) {
			long value = parse((enum field_id)id, name);
			const char *word;

			assert_true(value >= 0 && value < 1l << field_get((enum field_id)id)->bits);
			word = field_value_word((enum field_id)id, (uint64_t)value);
			assert_non_null(word);
			assert_int_equal(parse((enum field_id)id, word), value);
			assert_true(islower((unsigned char)name[0]));
			for (const char *c = name; *c; c++)
				assert_true(islower((unsigned char)*c) || isdigit((unsigned char)*c) || *c == '-' ||
					    *c == '.');
			for (size_t j = 0; j < i; j++)
				assert_string_not_equal(name, field_value_name((enum field_id)id, j));
		}
	}
	assert_true(words > 150);
	assert_string_equal(field_value_word(FIELD_PROTO, 58), "icmp6");
	assert_string_equal(field_value_word(FIELD_ETHERTYPE, 0x0800), "ipv4");
	assert_string_equal(field_value_word(FIELD_EXT, EXT_DSTOPTS), "dstopts");
}

static void codes_belong_to_their_type(void **state)
{
	assert_int_equal(field_code_parse(FIELD_ICMP, 3, "port-unreachable", 16), 3);
	assert_int_equal(field_code_parse(FIELD_ICMP6, 1, "port-unreachable", 16), 4);
	assert_int_equal(field_code_parse(FIELD_ICMP, 8, "port-unreachable", 16), -1);
	assert_int_equal(field_code_parse(FIELD_TTL, 3, "port-unreachable", 16), -1);
	assert_string_equal(field_code_word(FIELD_ICMP, 3, 4), "fragmentation-needed");
	assert_string_equal(field_code_word(FIELD_ICMP6, 1, 0), "no-route");
	assert_null(field_code_word(FIELD_ICMP, 3, 99));
	assert_null(field_code_word(FIELD_ICMP, 0, 0));
	assert_string_equal(field_code_name(FIELD_ICMP, 5, 0), "net-redirect");
	assert_null(field_code_name(FIELD_ICMP, 5, 4));
	assert_null(field_code_name(FIELD_ICMP6, 128, 0));
	for (unsigned int type = 0; type < 256; type++)
		for (int id = FIELD_ICMP; id <= FIELD_ICMP6; id++) {
			const char *name;

			for (size_t i = 0; (name = field_code_name((enum field_id)id, type, i)); i++) {
				long code = field_code_parse((enum field_id)id, type, name, strlen(name));

				assert_true(code >= 0 && code <= 255);
				assert_non_null(field_code_word((enum field_id)id, type, (unsigned int)code));
			}
		}
}

static void policies_are_found_by_name(void **state)
{
	struct policy policies[] = {{.name = "web"}, {.name = "db"}};
	struct ruleset rs = {.policies = policies, .npolicies = 2};

	assert_ptr_equal(ruleset_policy(&rs, "db"), &policies[1]);
	assert_ptr_equal(ruleset_policy(&rs, "web"), &policies[0]);
	assert_null(ruleset_policy(&rs, "we"));
	assert_null(ruleset_policy(&(struct ruleset){}, "web"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_say_what_a_field_is),
		cmocka_unit_test(known_names),
		cmocka_unit_test(dscp_classes_follow_their_formula),
		cmocka_unit_test(unknown_words_are_refused),
		cmocka_unit_test(words_and_values_agree),
		cmocka_unit_test(codes_belong_to_their_type),
		cmocka_unit_test(policies_are_found_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
