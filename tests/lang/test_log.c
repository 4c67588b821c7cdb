// SPDX-License-Identifier: GPL-2.0-only
/* What `log` becomes: the model, field by field, and what counters follow. */
#include "lang/number.h"
#include "lang_test.h"

static struct parsed parse_block(const char *lines)
{
	struct str file = {};
	struct parsed p;

	str_addf(&file, "policy p { ingress default drop {\n%s\n}\negress default pass { } }\n", lines);
	p = parse_string(str_get(&file));
	if (p.err)
		fail_msg("%s: %s", lines, str_get(&p.errors));
	str_fini(&file);
	return p;
}

static const struct chain *ingress(const struct parsed *p)
{
	return &p->rules->policies[0].chain[DIRECTION_INGRESS];
}

static void assert_log(const char *text, const struct log_opts *got, const struct log_opts *want)
{
	assert_non_null(got);
	if (got->count != want->count || got->period_ns != want->period_ns || got->burst != want->burst || got->sample != want->sample)
		fail_msg("%s: %llu in %llu ns, burst %llu, sample 1/%u", text, (unsigned long long)got->count,
			 (unsigned long long)got->period_ns, (unsigned long long)got->burst, got->sample);
}

static const struct {
	const char *options;
	struct log_opts want;
} options[] = {
	{ "", { .sample = 1 } },
	{ "limit 10/s", { .count = 10, .period_ns = DURATION_S, .burst = 10, .sample = 1 } },
	{ "limit 3/m burst 7", { .count = 3, .period_ns = 60 * DURATION_S, .burst = 7, .sample = 1 } },
	{ "limit 9/d burst 1", { .count = 9, .period_ns = DURATION_DAY, .burst = 1, .sample = 1 } },
	{ "sample 1/8", { .sample = 8 } },
	{ "sample 1/1000000000", { .sample = 1000000000 } },
	{ "sample 1/2 limit 1/h", { .count = 1, .period_ns = 3600 * DURATION_S, .burst = 1, .sample = 2 } },
	{ "limit 1/h burst 2 sample 1/2", { .count = 1, .period_ns = 3600 * DURATION_S, .burst = 2, .sample = 2 } },
};

/* The same words mean the same at every place. */
static void a_log_has_these_numbers(void **state)
{
	static const char *const places[] = { "pass proto tcp log %s", "drop log %s from 10.0.0.0/8", "reject log %s",
		"count to port 53 log %s",
					      "log %s", "log %s proto tcp", "log proto tcp %s", "log proto tcp %s label \"x\"" };
	struct str line = {};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		for (size_t k = 0; k < sizeof(places) / sizeof(places[0]); k++) {
			str_reset(&line);
			str_addf(&line, places[k], options[i].options);
			auto_parsed struct parsed p = parse_block(str_get(&line));

			assert_log(str_get(&line), ingress(&p)->rules[0].log, &options[i].want);
			assert_null(ingress(&p)->rules[0].limit);
			assert_null(ingress(&p)->log_default);
			assert_null(ingress(&p)->log_reasons);
		}
		str_reset(&line);
		str_addf(&line, "log default %s\npass\nlog reasons %s", options[i].options, options[i].options);
		auto_parsed struct parsed p = parse_block(str_get(&line));

		assert_log(str_get(&line), ingress(&p)->log_default, &options[i].want);
		assert_log(str_get(&line), ingress(&p)->log_reasons, &options[i].want);
		assert_null(ingress(&p)->rules[0].log);
		assert_null(p.rules->policies[0].chain[DIRECTION_EGRESS].log_default);
		assert_null(p.rules->policies[0].chain[DIRECTION_EGRESS].log_reasons);
	}
	str_fini(&line);
}

/* Directly behind "log" it is the log's, before it the rule's. */
static void a_limit_has_its_owner(void **state)
{
	auto_parsed struct parsed p = parse_block("pass limit 5/s burst 6 per src log\n"
						  "pass limit 5/s per src log limit 7/m\n"
						  "pass log limit 7/m");
	const struct rule *r = ingress(&p)->rules;

	assert_int_equal(r[0].limit->count, 5);
	assert_int_equal(r[0].log->count, 0);
	assert_int_equal(r[1].limit->count, 5);
	assert_int_equal(r[1].limit->per, PER_SRC);
	assert_int_equal(r[1].log->count, 7);
	assert_null(r[2].limit);
	assert_int_equal(r[2].log->count, 7);
}

/* A rule that begins with it counts and goes on. */
static void a_rule_may_only_log(void **state)
{
	auto_parsed struct parsed p = parse_block("log\nlog proto tcp to port 25 label \"mail\"\ncount proto udp log");
	const struct rule *r = ingress(&p)->rules;

	for (int i = 0; i < 3; i++) {
		assert_int_equal(r[i].verdict, VERDICT_CONTINUE);
		assert_non_null(r[i].log);
	}
	assert_string_equal(r[0].text, "log");
	assert_string_equal(r[1].text, "log proto tcp to port 25 label \"mail\"");
	assert_string_equal(r[1].label, "mail");
	assert_string_equal(r[2].text, "log proto udp");
}

/* Counters go on when a rule begins to log, logs otherwise, or no longer does. */
static void counters_follow_what_a_rule_matches(void **state)
{
	static const char *const same[][3] = {
		{ "pass proto tcp to port 22 keep state", "pass proto tcp to port 22 keep state log",
		  "pass proto tcp to port 22 keep state log limit 5/s sample 1/3" },
		{ "drop", "drop log", "drop log limit 1/s burst 9" },
		{ "count proto udp", "log proto udp", "log proto udp limit 3/s sample 1/2" },
		{ "count", "log", "count log limit 1/d" },
	};

	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		for (int k = 0; k < 3; k++) {
			auto_parsed struct parsed p = parse_block(same[i][k]);
			const struct rule *r = &ingress(&p)->rules[0];

			assert_string_equal(k ? r->id_text : r->text, same[i][0]);
			assert_true(k ? strcmp(r->text, same[i][0]) : !r->id_text);
		}
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_log_has_these_numbers),
		cmocka_unit_test(a_limit_has_its_owner),
		cmocka_unit_test(a_rule_may_only_log),
		cmocka_unit_test(counters_follow_what_a_rule_matches),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
