// SPDX-License-Identifier: GPL-2.0-only
/* States and live sets as conditions; what is taken for granted; what policy_track() adds to rules; packets that prove them. */
#include "unit/track_words.h"

#include <errno.h>
#include <fw/abi.h>

#include "harness/rulegen.h"
#include "model/witness.h"

static struct packet packet_of(const char *words)
{
	uint8_t frame[WORDS_FRAME];
	struct words w = { .at = words };
	size_t len = words_packet(&w, frame);
	struct packet p;

	assert_int_equal(packet_parse(frame, len, NULL, &p), PACKET_OK);
	return p;
}

static void a_state_is_a_value_like_others(void **state)
{
	struct packet p = packet_of("udp a:9 b:53"), arp = packet_of("arp");
	struct rule is_new = PASSES(STATE_IS(NEW)), not_new = PASSES(VAL(STATE, NOT(STATE_NEW, 7)));

	assert_true(p.present[FIELD_STATE] && arp.present[FIELD_STATE]);
	assert_int_equal(p.value[FIELD_STATE], STATE_NONE);
	assert_string_equal(eval_rule_why_not(&is_new, &p), "state");
	assert_true(eval_rule(&not_new, &p));
	p.value[FIELD_STATE] = STATE_NEW;
	assert_true(eval_rule(&is_new, &p));
	assert_string_equal(eval_rule_why_not(&not_new, &p), "state");
	not_new.families = ANY;
	assert_true(eval_rule(&not_new, &arp)); /* it says nothing of the family */
}

static void live_sets_are_conditions_on_addresses(void **state)
{
	static const struct {
		struct live_match src, dst;
		uint32_t in_src, in_dst;
		const char *why;
	} cases[] = {
		{ { 1, false }, {}, 0, 0, "from" },
		{ { 1, false }, {}, 1, 0, NULL },
		{ { 1, false }, {}, 2, 1, "from" },
		{ { 3, false }, {}, 2, 0, NULL },
		{ { 1, true }, {}, 0, 1, NULL },
		{ { 1, true }, {}, 1, 0, "from" },
		{ { 3, true }, {}, 2, 0, "from" },
		{ { 3, true }, {}, 4, 0, NULL },
		{ {}, { 1, false }, 1, 0, "to" },
		{ {}, { 1, false }, 0, 1, NULL },
		{ {}, { 4, true }, 4, 3, NULL },
		{ {}, { 4, true }, 0, 4, "to" },
		{ { 1, false }, { 2, false }, 1, 2, NULL },
		{ { 1, false }, { 2, false }, 1, 1, "to" },
		{ { 1, false }, { 2, false }, 2, 2, "from" },
	};
	struct packet arp = packet_of("arp");

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (int v6 = 0; v6 < 2; v6++) {
			struct packet p = packet_of(v6 ? "udp a6:9 b6:53" : "udp a:9 b:53");
			struct rule r = { .families = ANY, .live_src = cases[i].src, .live_dst = cases[i].dst };
			const char *why;

			p.live_src = cases[i].in_src;
			p.live_dst = cases[i].in_dst;
			why = eval_rule_why_not(&r, &p);
			assert_int_equal(!why, !cases[i].why);
			if (why)
				assert_string_equal(why, cases[i].why);
			assert_false(eval_rule(&r, &arp)); /* it has no address, so it is neither inside nor outside */
		}
	}
}

/* A packet of no flow, when nobody remembers any: as `explain` without tables sees it. */
static void eval_frame_knows_no_flow(void **state)
{
	static const struct {
		const char *words;
		enum state state;
	} cases[] = {
		{ "tcp a:1 b:2 S", STATE_NEW },
		{ "tcp a:1 b:2 A", STATE_INVALID },
		{ "tcp a:1 b:2 SA", STATE_INVALID },
		{ "udp a:1 b:2", STATE_NEW },
		{ "icmp 8 1 a b", STATE_NEW },
		{ "icmp 0 1 a b", STATE_INVALID },
		{ "icmp 129 1 a6 b6", STATE_INVALID },
		{ "icmp 135 1 a6 b6", STATE_NEW },
		{ "icmp 3 1 a b", STATE_INVALID },
		{ "udp a:1 b:2 later", STATE_NONE },
		{ "arp", STATE_NONE },
		{ "gre a6 b6", STATE_NEW },
		{ "error 3 b a quotes udp a:1 b:2", STATE_INVALID },
	};
	struct arena *arena = arena_new();
	struct policy *tracks = POLICY(IN_DROP(PASSES(TCP, KEEP), PASSES(.essential = true))),
		      *not = POLICY(IN_DROP(PASSES(TCP)));

	assert_int_equal(policy_track(tracks, arena), 0);
	assert_int_equal(policy_track(not, arena), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t frame[WORDS_FRAME];
		struct words w = { .at = cases[i].words };
		size_t len = words_packet(&w, frame);
		struct eval_result r = eval_frame(&tracks->chain[0], frame, len, NULL, NULL, NULL);

		assert_int_equal(r.state, cases[i].state);
		assert_int_equal(eval_frame(&not ->chain[0], frame, len, NULL, NULL, NULL).state, STATE_NONE);
	}
	arena_free(arena);
}

static void what_is_given_is_believed(void **state)
{
	struct policy *p = POLICY(IN_DROP(DROPS(STATE_IS(ESTABLISHED), PORT(53)), PASSES(UDP, KEEP), PASSES(LIVE_SRC(2))),
				  OUT_DROP(PASSES(UDP, KEEP))),
		      *absent = POLICY();
	static const struct {
		enum direction dir;
		struct eval_given given;
		const char *words, *want;
		long rule;
	} cases[] = {
		{ 0, { STATE_NEW, 0, 0 }, "udp a:9 b:53", "pass rule", 1 },
		{ 0, { STATE_ESTABLISHED, 0, 0 }, "udp a:9 b:53", "drop rule", 0 },
		{ 0, { STATE_ESTABLISHED, 0, 0 }, "udp a:9 b:54", "pass established", -1 },
		{ 0, { STATE_RELATED, 0, 0 }, "udp a:9 b:54", "pass related", -1 },
		{ 0, { STATE_INVALID, 0, 0 }, "udp a:9 b:53", "drop default", -1 },
		{ 0, { STATE_INVALID, 2, 0 }, "udp a:9 b:53", "pass rule", 2 },
		{ 0, { STATE_INVALID, 1, 2 }, "udp a:9 b:53", "drop default", -1 },
		{ 1, { STATE_ESTABLISHED, 0, 0 }, "udp a:9 b:53", "pass established", -1 }, /* nobody asks about it there */
		{ 1, { STATE_NONE, 0, 0 }, "udp a:9 b:53", "pass rule", 0 },
		{ 1, { STATE_NONE, 0, 0 }, "arp", "drop l2-other", -1 },
	};
	struct arena *arena = arena_new();

	assert_int_equal(policy_track(p, arena), 0);
	assert_true(eval_names_known(&p->chain[0]));
	assert_false(eval_names_known(&p->chain[1]));
	assert_false(eval_names_known(&absent->chain[0]));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t frame[WORDS_FRAME];
		struct words w = { .at = cases[i].words };
		size_t len = words_packet(&w, frame);
		struct eval_result r = eval_given(&p->chain[cases[i].dir], frame, len, NULL, &cases[i].given, NULL, NULL);
		char got[40];

		snprintf(got, sizeof(got), "%s %s", r.verdict == VERDICT_PASS ? "pass" : "drop", eval_reason_word(&r));
		assert_string_equal(got, cases[i].want);
		assert_int_equal(r.rule, cases[i].rule);
		assert_int_equal(r.state, cases[i].given.state);
		assert_int_equal(eval_given(&p->chain[0], frame, 13, NULL, &cases[i].given, NULL, NULL).fault, PACKET_L2_SHORT);
	}
	arena_free(arena);
}

static void rules_get_the_states_that_they_imply(void **state)
{
	struct policy *p = POLICY(IN_DROP(PASSES(KEEP), PASSES(), PASSES(KEEP, STATE_IS(INVALID)), COUNTS(), DROPS(),
					  PASSES(.essential = true)),
				  OUT_DROP(PASSES(KEEP))),
		      *by_name = POLICY(IN_DROP(PASSES(), DROPS(STATE_IS(INVALID)))), *not = POLICY(IN_DROP(PASSES()));
	const struct rule *r = p->chain[0].rules;
	struct vset *kept, *others;
	struct arena *arena = arena_new();

	vset_build(arena, (struct range[]){ { STATE_NONE, STATE_NEW } }, 1, &kept);
	vset_build(arena, (struct range[]){ { STATE_NONE, STATE_NEW }, { STATE_INVALID, STATE_INVALID } }, 2, &others);
	for (int twice = 0; twice < 2; twice++) {
		assert_int_equal(policy_track(p, arena), 0);
		assert_true(p->track);
		assert_true(vset_equal(r[0].value[FIELD_STATE], kept));
		assert_true(vset_equal(r[1].value[FIELD_STATE], others));
		assert_int_equal(r[2].value[FIELD_STATE]->r[0].lo, STATE_INVALID);
		assert_true(vset_equal(r[3].value[FIELD_STATE], others));
		assert_true(vset_equal(r[4].value[FIELD_STATE], others));
		assert_null(r[5].value[FIELD_STATE]);
		assert_ptr_equal(p->chain[1].rules[0].value[FIELD_STATE], r[0].value[FIELD_STATE]);
	}
	assert_int_equal(policy_track(by_name, arena), 0);
	assert_true(by_name->track);
	assert_true(vset_equal(by_name->chain[0].rules[0].value[FIELD_STATE], others));
	assert_int_equal(policy_track(not, arena), 0);
	assert_false(not ->track);
	assert_null(not ->chain[0].rules[0].value[FIELD_STATE]);
	arena_free(arena);
}

/* The datapath has the same rows in the same order. */
static void timeouts_are_those_of_the_datapath(void **state)
{
	static const char *const words[] = {
#define FW_X(id, text, seconds) text,
		FW_TIMEOUTS(FW_X)
#undef FW_X
	};
	static const uint32_t defaults[] = {
#define FW_X(id, text, seconds) seconds,
		FW_TIMEOUTS(FW_X)
#undef FW_X
	};
	struct state_opts opts;

	state_opts_default(&opts);
	assert_int_equal(TRACK_TIMEOUTS, FW_TIMEOUT_COUNT);
	for (int i = 0; i < TRACK_TIMEOUTS; i++) {
		assert_string_equal(track_timeout_words((enum track_timeout)i), words[i]);
		assert_int_equal(opts.timeout_s[i], defaults[i]);
	}
	assert_int_equal(FW_TICKS(30), 28610);
	assert_int_equal(STATE_COUNT, FW_STATE_COUNT);
}

/* What the tables of flows need of a packet beside the fields. */
static void where_l4_is(void **state)
{
	struct packet p = packet_of("icmp 8 4660 a b");

	assert_int_equal(p.icmp_id, 4660);
	assert_int_equal(p.l4_off, 34);
	assert_int_equal(p.end, 42);
	p = packet_of("icmp 129 65535 a6 b6 vlan 5 len 100");
	assert_int_equal(p.icmp_id, 65535);
	assert_int_equal(p.l4_off, 58);
	assert_int_equal(p.end, 118);
	p = packet_of("gre a b len 50");
	assert_int_equal(p.l4_off, 34);
	assert_int_equal(p.end, 64);
	assert_int_equal(packet_of("udp a:1 b:2 later").l4_off, 0);
	assert_int_equal(packet_of("arp").l4_off, 0);
}

/* A packet that proves a rule comes with the state and the sets that it needs. */
static void witnesses_say_what_to_take_for_granted(void **state)
{
	struct prng prng;
	size_t found = 0, states[STATE_COUNT] = {}, inside = 0, outside = 0;
	static uint8_t frame[PACKET_MAX_FRAME];

	prng_init(&prng, prng_seed("witnesses", 0x57a7e));
	for (int round = 0; round < 60; round++) {
		struct arena *arena = arena_new();
		struct rulegen_opts opts = {
			.style = round & 1 ? RULEGEN_FLOWS : RULEGEN_EDGES, .nrules = 40, .state = true, .live = 5
		};
		struct policy *p = rulegen_policy(arena, &prng, &opts);

		for (size_t i = 0; i < p->chain[0].nrules; i++) {
			struct chain one = p->chain[0];
			struct packet_spec spec;
			struct eval_given given;
			struct eval_result r;
			long len;

			one.rules += i;
			one.nrules = 1;
			if (witness_find(one.rules, prng_u64(&prng), &spec))
				continue;
			given = eval_given_of(&spec);
			len = packet_build(&spec, frame, sizeof(frame));
			assert_true(len > 0);
			if (one.rules->verdict == VERDICT_CONTINUE)
				one.rules->verdict = VERDICT_DROP;
			r = eval_given(&one, frame, (size_t)len, NULL, &given, NULL, NULL);
			assert_int_equal(r.reason, EVAL_RULE);
			assert_int_equal(r.rule, 0);
			assert_int_equal(spec.live_src & ~one.rules->live_src.sets, 0);
			found++;
			states[spec.state]++;
			inside += spec.live_src && !one.rules->live_src.negate;
			outside += one.rules->live_src.sets && one.rules->live_src.negate;
		}
		arena_free(arena);
	}
	print_message("# %zu rules, %zu in a live set, %zu outside of one\n", found, inside, outside);
	assert_true(found > 2000 && inside > 200 && outside > 50);
	for (int i = 0; i < STATE_COUNT; i++)
		assert_true(states[i] > 30);
	/* none of these can match */
	assert_int_equal(witness_find(&(struct rule)PASSES(VAL(STATE, NONE)), 1, &(struct packet_spec){}), -ENOENT);
	assert_int_equal(witness_find(&(struct rule)PASSES(VAL(STATE, V({ STATE_COUNT, 7 }))), 1, &(struct packet_spec){}),
			 -ENOENT);
	assert_int_equal(witness_find(&(struct rule){ .families = 1, .live_src = { 1, true } }, 1, &(struct packet_spec){}),
			 -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_state_is_a_value_like_others),
		cmocka_unit_test(live_sets_are_conditions_on_addresses),
		cmocka_unit_test(eval_frame_knows_no_flow),
		cmocka_unit_test(what_is_given_is_believed),
		cmocka_unit_test(rules_get_the_states_that_they_imply),
		cmocka_unit_test(timeouts_are_those_of_the_datapath),
		cmocka_unit_test(where_l4_is),
		cmocka_unit_test(witnesses_say_what_to_take_for_granted),
	};

	return cmocka_run_group_tests_name("eval: states and live sets", tests, NULL, NULL);
}
