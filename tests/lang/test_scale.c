// SPDX-License-Identifier: GPL-2.0-only
/* Files of many statements: everything in them is taken, whatever there is to say about them. */
#include "lang_test.h"

#define NRULES 100000

/* More warnings than are shown end nothing: the rules, defines and tests behind them count. */
static void warnings_do_not_end_the_file(void **state)
{
	struct str text = {};

	(void)state;
	for (int i = 0; i < DIAG_MAX + 50; i++)
		str_addf(&text, "set s%d { type prefix; elements { } }\n", i);
	str_add(&text, "policy p {\ningress default drop {\n");
	for (int i = 0; i < 3 * DIAG_MAX; i++)
		str_addf(&text, "pass from 10.%d.%d.1/24\n", i / 256, i % 256);
	str_add(&text, "drop to 192.0.2.1 label \"last\"\n}\negress default pass {\ndrop\n}\n}\ntest {\n");
	str_add(&text, "tcp 198.51.100.7:4000 -> 192.0.2.1:22 is drop by \"last\"\n}\ninterface eth0 uses p\n");
	{
		auto_parsed struct parsed p = parse_string(str_get(&text));

		assert_int_equal(p.err, 0);
		assert_int_equal(p.d.errors, 0);
		assert_int_equal(p.d.warnings, 4 * DIAG_MAX + 50);
		assert_int_equal(p.rules->nsets, DIAG_MAX + 50);
		assert_int_equal(p.rules->policies[0].chain[DIRECTION_INGRESS].nrules, 3 * DIAG_MAX + 1 + 5);
		assert_int_equal(p.rules->policies[0].chain[DIRECTION_EGRESS].nrules, 1);
		assert_int_equal(p.rules->ntests, 1);
		assert_int_equal(p.rules->nbindings, 1);
	}
	str_fini(&text);
}

/* Nor do they hide an error behind them. */
static void an_error_behind_warnings_is_shown(void **state)
{
	struct str text = {}, shown = {};

	(void)state;
	str_add(&text, "policy p {\ningress default drop {\n");
	for (int i = 0; i < 2 * DIAG_MAX; i++)
		str_addf(&text, "pass from 10.%d.%d.1/24\n", i / 256, i % 256);
	str_add(&text, "pass from nowhere.example\n}\n}\n");
	{
		auto_parsed struct parsed p = parse_string(str_get(&text));

		assert_int_equal(p.err, -EINVAL);
		assert_int_equal(p.d.errors, 1);
		diags_print(&p.d, &shown);
		assert_non_null(strstr(str_get(&shown), "\"nowhere.example\" is not an address"));
		str_fini(&shown);
	}
	str_fini(&text);
}

/* As many rules as fit one direction, each with a label, and names in plenty. */
static void a_hundred_thousand_rules(void **state)
{
	struct str text = {}, once = {}, twice = {};

	(void)state;
	for (int i = 0; i < 1000; i++)
		str_addf(&text, "define net%d = { 10.%d.%d.0/24, 2001:db8:%x::/48 }\n", i, i / 256, i % 256, i);
	str_add(&text, "policy p {\ningress default drop {\n");
	for (int i = 0; i < NRULES; i++)
		str_addf(&text, "%s proto tcp from $net%d to 192.0.%d.%d port %d label \"rule %d\"\n",
			 i % 3 ? "pass" : "drop", i % 1000, i / 256 % 256, i % 256, 1 + i % 60000, i);
	str_add(&text, "}\n}\n");
	{
		auto_parsed struct parsed p = parse_string(str_get(&text));
		const struct rule *last;

		assert_int_equal(p.err, 0);
		assert_int_equal(p.rules->policies[0].chain[DIRECTION_INGRESS].nrules, NRULES + 5);
		last = &p.rules->policies[0].chain[DIRECTION_INGRESS].rules[NRULES - 1];
		assert_string_equal(last->label, "rule 99999");
		assert_string_equal(last->text, "drop proto tcp from { 10.3.231.0/24, 2001:db8:3e7::/48 } to 192.0.134.159 "
						"port 40000 label \"rule 99999\"");
		lang_print(p.rules, &once);
	}
	{
		auto_parsed struct parsed p = parse_string(str_get(&once));

		assert_int_equal(p.err, 0);
		lang_print(p.rules, &twice);
	}
	assert_string_equal(str_get(&once), str_get(&twice));
	str_fini(&text);
	str_fini(&once);
	str_fini(&twice);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(warnings_do_not_end_the_file),
		cmocka_unit_test(an_error_behind_warnings_is_shown),
		cmocka_unit_test(a_hundred_thousand_rules),
	};

	return cmocka_run_group_tests_name("scale", tests, NULL, NULL);
}
