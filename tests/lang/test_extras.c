// SPDX-License-Identifier: GPL-2.0-only
/* What rules with state, limits and live sets become: the model, field by field. */
#include "lang/number.h"
#include "lang_test.h"
#include "model/track.h"

/* The first rule of a policy p in which @a, @b and @c are live. */
static struct parsed one_rule(const char *text, const struct rule **ret)
{
	struct str file = {};
	struct parsed p;

	str_addf(&file, "set a { live; timeout 1h }\nset b { live; size 7 }\nset c { live; widen; counters }\n"
			"policy p { ingress default drop { %s } }\n", text);
	p = parse_string(str_get(&file));
	str_fini(&file);
	if (p.err)
		fail_msg("%s: %s", text, str_get(&p.errors));
	*ret = &p.rules->policies[0].chain[DIRECTION_INGRESS].rules[0];
	return p;
}

static void limits_have_these_numbers(void **state)
{
	static const struct {
		const char *text;
		struct limit limit;
	} table[] = {
		{ "pass limit 10/s", { .count = 10, .period_ns = DURATION_S, .burst = 10 } },
		{ "pass limit 5/m burst 1", { .count = 5, .period_ns = 60 * DURATION_S, .burst = 1 } },
		{ "pass limit 7/h", { .count = 7, .period_ns = 3600 * DURATION_S, .burst = 7 } },
		{ "pass limit 9/d", { .count = 9, .period_ns = DURATION_DAY, .burst = 9 } },
		{ "pass limit 1/s per src", { .count = 1, .period_ns = DURATION_S, .burst = 1, .per = PER_SRC,
				.plen4 = 32, .plen6 = 128 } },
		{ "pass limit 1/s per src/24", { .count = 1, .period_ns = DURATION_S, .burst = 1, .per = PER_SRC,
				.plen4 = 24, .plen6 = 64 } },
		{ "pass limit 1/s per dst/1", { .count = 1, .period_ns = DURATION_S, .burst = 1, .per = PER_DST,
				.plen4 = 1, .plen6 = 64 } },
		{ "pass limit 1/s per dst/32", { .count = 1, .period_ns = DURATION_S, .burst = 1, .per = PER_DST,
				.plen4 = 32, .plen6 = 64 } },
		{ "pass limit 1/s per src/33", { .count = 1, .period_ns = DURATION_S, .burst = 1, .per = PER_SRC,
				.plen4 = 32, .plen6 = 33 } },
		{ "pass limit 1/s per flow", { .count = 1, .period_ns = DURATION_S, .burst = 1, .per = PER_FLOW } },
		{ "pass limit 10mbit", { .bytes = true, .count = 1250000, .period_ns = DURATION_S, .burst = 1250000 } },
		{ "pass limit 64kbit burst 1gbit", { .bytes = true, .count = 8000, .period_ns = DURATION_S, .burst = 125000000 } },
		{ "pass limit 8bit burst 16kbit", { .bytes = true, .count = 1, .period_ns = DURATION_S, .burst = 2000 } },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const struct limit *want = &table[i].limit, *got;
		const struct rule *rule;
		auto_parsed struct parsed p = one_rule(table[i].text, &rule);

		got = rule->limit;
		assert_non_null(got);
		if (got->bytes != want->bytes || got->count != want->count || got->period_ns != want->period_ns ||
		    got->burst != want->burst || got->per != want->per ||
		    (want->per && want->per != PER_FLOW && (got->plen4 != want->plen4 || got->plen6 != want->plen6)))
			fail_msg("%s: %llu in %llu ns, burst %llu, per %d /%u,%u", table[i].text, (unsigned long long)got->count,
				 (unsigned long long)got->period_ns, (unsigned long long)got->burst, got->per, got->plen4,
				 got->plen6);
		assert_false(rule->over.pass);
		assert_null(rule->over.ban);
	}
}

static void what_is_over_has_its_way(void **state)
{
	const struct rule *rule;

	{
		auto_parsed struct parsed p = one_rule("pass limit 1/s else pass", &rule);

		assert_true(rule->over.pass);
	}
	{
		auto_parsed struct parsed p = one_rule("pass keep state max-conn 3 per src/20 else ban @b for 90m", &rule);

		assert_int_equal(rule->max_conn, 3);
		assert_int_equal(rule->conn_plen4, 20);
		assert_int_equal(rule->conn_plen6, 64);
		assert_false(rule->over.pass);
		assert_ptr_equal(rule->over.ban, &p.rules->sets[1]);
		assert_int_equal(rule->over.ban_ns, 5400 * DURATION_S);
		assert_null(rule->limit);
	}
	{
		auto_parsed struct parsed p = one_rule("pass limit 1/s else ban @a", &rule);

		assert_int_equal(rule->over.ban_ns, 0); /* the set's own */
		assert_int_equal(p.rules->sets[0].timeout_ns, 3600 * DURATION_S);
		assert_int_equal(p.rules->sets[0].size, 65536);
		assert_int_equal(p.rules->sets[1].size, 7);
		assert_true(p.rules->sets[2].widen && p.rules->sets[2].counters && !p.rules->sets[1].widen);
	}
}

/* Rules know live sets by bits, in the order of their first use: from, to, else ban; rule after rule. */
static void live_sets_are_numbered_as_they_come(void **state)
{
	const struct rule *rule;
	auto_parsed struct parsed p = one_rule("pass from ! { @c, @b } to 192.0.2.1 limit 1/s else ban @b\n"
					       "drop to @c\n pass limit 1/s else ban @a\n drop ! from @a to ! @b",
					       &rule);
	const struct policy *policy = &p.rules->policies[0];

	assert_int_equal(policy->nlive, 3);
	assert_string_equal(policy->live[0]->name, "b"); /* a list is read in the order of its names */
	assert_string_equal(policy->live[1]->name, "c");
	assert_string_equal(policy->live[2]->name, "a");
	assert_ptr_equal(policy->live[2], &p.rules->sets[0]);
	assert_int_equal(rule[0].live_src.sets, 3);
	assert_true(rule[0].live_src.negate);
	assert_null(rule[0].src);
	assert_non_null(rule[0].dst);
	assert_int_equal(rule[0].live_dst.sets, 0);
	assert_int_equal(rule[0].families, 1u << FAMILY_IPV4); /* because of `to` */
	assert_int_equal(rule[1].live_dst.sets, 2);
	assert_false(rule[1].live_dst.negate);
	assert_int_equal(rule[1].families, 1u << FAMILY_IPV4 | 1u << FAMILY_IPV6);
	assert_int_equal(rule[3].live_src.sets, 4);
	assert_true(rule[3].live_src.negate && rule[3].live_dst.negate);
	assert_int_equal(rule[3].live_dst.sets, 1);
}

/* Bits of enum state. */
static unsigned int states_of(const struct rule *rule)
{
	unsigned int mask = 0;

	for (unsigned int s = 0; rule->value[FIELD_STATE] && s < STATE_COUNT; s++)
		mask |= vset_has(rule->value[FIELD_STATE], s) ? 1u << s : 0;
	return mask;
}

static void states_are_these(void **state)
{
	enum { NONE = 1, NEW = 2, ESTABLISHED = 4, RELATED = 8, INVALID = 16 };
	static const struct {
		const char *text;
		unsigned int states;
	} table[] = {
		{ "pass keep state", NONE | NEW },
		{ "pass proto tcp keep state synproxy", NONE | NEW },
		{ "pass state new keep state", NEW },
		{ "pass state established", ESTABLISHED },
		{ "pass state { related, invalid }", RELATED | INVALID },
		{ "pass state ! new", NONE | ESTABLISHED | RELATED | INVALID },
		{ "pass ! state { established, related }", NONE | NEW | INVALID },
		{ "pass state any", NONE | NEW | ESTABLISHED | RELATED | INVALID },
		{ "drop; pass keep state", NONE | NEW | INVALID },
		{ "drop", 0 }, /* nothing is tracked */
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const struct rule *rule;
		auto_parsed struct parsed p = one_rule(table[i].text, &rule);
		const struct policy *policy = &p.rules->policies[0];
		const struct chain *c = &policy->chain[DIRECTION_INGRESS];

		if (states_of(rule) != table[i].states)
			fail_msg("%s: %#x", table[i].text, states_of(rule));
		assert_int_equal(policy->track, table[i].states != 0);
		assert_true(c->rules[c->nrules - 1].essential);
		assert_null(c->rules[c->nrules - 1].value[FIELD_STATE]); /* in every state */
	}
}

static void state_blocks_have_these_numbers(void **state)
{
	auto_parsed struct parsed p = parse_string("policy p {\n state {\n size 1000; pending 0x20\n full pass; pickup 90s\n"
						   "asymmetric; window\n tcp syn 1s; tcp established 2s; tcp closing 3s\n"
						   "tcp closed 4s; udp new 5s; udp 6s; icmp 7s; other new 8s; other 1.5m\n }\n"
						   "ingress default drop { pass keep state }\n}\n"
						   "policy q { ingress default drop { pass keep state } }\n"
						   "policy r { state { pickup always }\n ingress default drop { pass keep state } }\n");
	static const uint32_t want[TRACK_TIMEOUTS] = { 1, 2, 3, 4, 5, 6, 7, 8, 90 };
	struct state_opts usual;
	const struct state_opts *s;

	assert_int_equal(p.err, 0);
	s = &p.rules->policies[0].state;
	assert_int_equal(s->size, 1000);
	assert_int_equal(s->pending, 32);
	assert_true(s->full_pass && s->asymmetric && s->window);
	assert_int_equal(s->pickup_s, 90);
	assert_memory_equal(s->timeout_s, want, sizeof(want));
	state_opts_default(&usual);
	assert_memory_equal(&p.rules->policies[1].state, &usual, sizeof(usual));
	assert_int_equal(p.rules->policies[2].state.pickup_s, UINT32_MAX);
	assert_int_equal(p.rules->policies[2].state.size, usual.size);
}

static void answers_are_these(void **state)
{
	static const struct {
		const char *text;
		enum reject reject;
	} table[] = {
		{ "reject", REJECT_AUTO },
		{ "reject proto tcp with reset", REJECT_TCP_RESET },
		{ "reject with unreachable", REJECT_UNREACHABLE },
		{ "reject from 10.0.0.0/8 with prohibited", REJECT_PROHIBITED },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const struct rule *rule;
		auto_parsed struct parsed p = one_rule(table[i].text, &rule);

		assert_int_equal(rule->verdict, VERDICT_REJECT);
		assert_int_equal(rule->reject, table[i].reject);
	}
}

static void steps_are_these(void **state)
{
	auto_parsed struct parsed p = parse_string(
		"set a { live }\npolicy p { ingress default drop { drop from @a } }\n"
		"test {\n arp is pass times 3\n sequence {\n after 1500ms\n add @a 192.0.2.77/24 for 2m\n del @a 2001:db8::1\n"
		"egress arp is reject by limit\n }\n sequence { arp is drop }\n}\n");
	const struct expectation *x;

	assert_int_equal(p.err, 0);
	assert_int_equal(p.rules->ntests, 6);
	x = p.rules->tests;
	assert_int_equal(x[0].step, STEP_PACKET);
	assert_int_equal(x[0].times, 3);
	assert_int_equal(x[0].sequence, 0);
	assert_int_equal(x[1].step, STEP_AFTER);
	assert_int_equal(x[1].ns, 1500 * DURATION_MS);
	assert_int_equal(x[1].sequence, 1);
	assert_int_equal(x[2].step, STEP_ADD);
	assert_ptr_equal(x[2].set, &p.rules->sets[0]);
	assert_int_equal(x[2].ns, 120 * DURATION_S);
	assert_int_equal(x[2].addresses->v4->lo, 0xc0000200);
	assert_int_equal(x[2].addresses->v4->hi, 0xc00002ff);
	assert_int_equal(x[3].step, STEP_DEL);
	assert_int_equal(x[3].addresses->n6, 1);
	assert_int_equal(x[4].direction, DIRECTION_EGRESS);
	assert_int_equal(x[4].verdict, VERDICT_REJECT);
	assert_string_equal(x[4].by, "limit");
	assert_int_equal(x[4].times, 1);
	assert_int_equal(x[5].sequence, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits_have_these_numbers),
		cmocka_unit_test(what_is_over_has_its_way),
		cmocka_unit_test(live_sets_are_numbered_as_they_come),
		cmocka_unit_test(states_are_these),
		cmocka_unit_test(state_blocks_have_these_numbers),
		cmocka_unit_test(answers_are_these),
		cmocka_unit_test(steps_are_these),
	};

	return cmocka_run_group_tests_name("extras", tests, NULL, NULL);
}
