// SPDX-License-Identifier: GPL-2.0-only
/* Flows and rules: new generations, live sets, states that rules name, directions without a block. */
#include "unit/track_words.h"

#define OPEN	  "in tcp a:1000 b:22 S -> pass rule0 new\n"
#define SSH	  POLICY(IN_DROP(PASSES(TCP, PORT(22), KEEP)), CLOSED)
#define HANDSHAKE OPEN "out tcp b:22 a:1000 SA -> pass established est\nin tcp a:1000 b:22 A -> pass established est\n"

/* `apply` between SYN and SYN+ACK */
static void generations(void **state)
{
	struct policy *same = SSH, *gone = POLICY(IN_DROP(PASSES(UDP, KEEP)), CLOSED);

	SEQUENCE(OPEN "policy 1\nout tcp b:22 a:1000 SA -> pass established est\nflows 1\n", SSH, same);
	/* the rule is gone; so is the flow, when its next packet comes, and the packet is judged on its own */
	SEQUENCE(OPEN "policy 1\nflows 1\nout tcp b:22 a:1000 SA -> drop default inv\nflows 0\n", SSH, gone);
	SEQUENCE(HANDSHAKE "policy 1\nin tcp a:1000 b:22 A -> drop default inv\nflows 0\n", SSH, gone);
	/* away for a while in which no packet came: nobody noticed */
	SEQUENCE(HANDSHAKE "policy 1\npolicy 0\nin tcp a:1000 b:22 A -> pass established est\n", SSH, gone);
	/* and once one has come, it stays gone */
	SEQUENCE(HANDSHAKE
		 "policy 1\nout tcp b:22 a:1000 A -> drop default inv\npolicy 0\nin tcp a:1000 b:22 A -> drop default inv\n" OPEN,
		 SSH, gone);
	/* an earlier drop */
	SEQUENCE(HANDSHAKE "policy 1\nin tcp a:1000 b:22 A -> drop rule0 inv\n", SSH,
		 POLICY(IN_DROP(DROPS(.src = A4({ 0xc6336401, 0xc6336401 })), PASSES(TCP, PORT(22), KEEP)), CLOSED));
	/* of others */
	SEQUENCE(HANDSHAKE "policy 1\nin tcp a:1000 b:22 A -> pass established est\n", SSH,
		 POLICY(IN_DROP(DROPS(.src = A4({ 0xc6336402, 0xc6336402 })), PASSES(TCP, PORT(22), KEEP)), CLOSED));
	/* an earlier drop of later packets does not concern it: the opening packet is asked about */
	SEQUENCE(HANDSHAKE "policy 1\nin tcp a:1000 b:22 A -> pass established est\n", SSH,
		 POLICY(IN_DROP(DROPS(TCP, VAL(TCPFLAGS, ONE(16))), PASSES(TCP, PORT(22), KEEP)), CLOSED));
	/* an earlier reject */
	SEQUENCE(HANDSHAKE "policy 1\nin tcp a:1000 b:22 A -> reject rule0 inv\n", SSH,
		 POLICY(IN_DROP(REJECTS(TCP), PASSES(TCP, PORT(22), KEEP)), CLOSED));
	/* by another rule that keeps state: fine */
	SEQUENCE(HANDSHAKE "policy 1\nin tcp a:1000 b:22 A -> pass established est\n", SSH,
		 POLICY(IN_DROP(DROPS(UDP), PASSES(TCP, KEEP)), CLOSED));
	/* by one that does not: the flow ends, its packets pass one by one, while the other direction is closed */
	SEQUENCE(HANDSHAKE
		 "policy 1\nout tcp b:22 a:1000 A -> drop default inv\nflows 0\nin tcp a:1000 b:22 A -> pass rule0 inv\n",
		 SSH, POLICY(IN_DROP(PASSES(TCP), PASSES(UDP, KEEP)), CLOSED));
	/* the default passes: that keeps no state */
	SEQUENCE(HANDSHAKE "policy 1\nin tcp a:1000 b:22 A -> pass default inv\nflows 0\n", SSH,
		 POLICY(IN_PASS(PASSES(UDP, KEEP)), CLOSED));
	/* another default changes nothing for it */
	SEQUENCE(HANDSHAKE "policy 1\nin tcp a:1000 b:22 A -> pass established est\nin tcp c:1 b:23 S -> pass default new\n", SSH,
		 POLICY(IN_PASS(PASSES(TCP, PORT(22), KEEP)), CLOSED));
	/* no block any more in which it was opened */
	SEQUENCE(HANDSHAKE
		 "policy 1\nout tcp b:22 a:1000 A -> drop default inv\nin tcp a:1000 b:22 A -> pass default inv\nflows 0\n",
		 SSH, POLICY(OUT_DROP(PASSES(UDP, KEEP))));
	/* other timeouts hold from the next packet on */
	struct policy *slow = SSH;

	slow->state.timeout_s[TRACK_TCP_SYN] = 60;
	SEQUENCE(OPEN
		 "policy 1\nafter 10s\nin tcp a:1000 b:22 S -> pass established est\nbefore 60s\nflows 1\nafter 1ns\nflows 0\n",
		 SSH, slow);
}

/* All that a rule can ask of a packet is asked of the one that opened the flow. */
static void the_opening_packet_is_remembered(void **state)
{
	static const struct {
		enum field_id id;
		uint64_t lo, hi;
		bool passes;
	} cases[] = {
		{ FIELD_PROTO, 0x106, 0x106, true },
		{ FIELD_SPORT, 1000, 1000, true },
		{ FIELD_SPORT, 0, 999, false },
		{ FIELD_DPORT, 22, 22, true },
		{ FIELD_DPORT, 23, 23, false },
		{ FIELD_TCPFLAGS, 2, 2, true },
		{ FIELD_TCPFLAGS, 16, 16, false },
		{ FIELD_FRAG, 0, 0, true },
		{ FIELD_FRAG, 1, 2, false },
		{ FIELD_VLAN, 5, 5, true },
		{ FIELD_VLAN, 6, 6, false },
		{ FIELD_DSCP, 0, 0, true },
		{ FIELD_TTL, 77, 77, true },
		{ FIELD_TTL, 64, 64, false },
		{ FIELD_LEN, 60, 60, true },
		{ FIELD_LEN, 40, 40, false },
		{ FIELD_ETHERTYPE, 0x800, 0x800, true },
		{ FIELD_MAC, 0, 0, false },
		{ FIELD_STATE, STATE_NEW, STATE_NEW, true },
		{ FIELD_STATE, STATE_ESTABLISHED, STATE_INVALID, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct policy *next = POLICY(IN_DROP(PASSES(KEEP)), CLOSED);

		next->chain[DIRECTION_INGRESS].rules[0].value[cases[i].id] = V({ cases[i].lo, cases[i].hi });
		print_message("# field %d: %llu to %llu\n", cases[i].id, (unsigned long long)cases[i].lo,
			      (unsigned long long)cases[i].hi);
		SEQUENCE(cases[i].passes ? "in tcp a:1000 b:22 S vlan 5 ttl 77 len 60 -> pass rule0 new\npolicy 1\n"
					   "out tcp b:22 a:1000 SA -> pass established est\n"
					 : "in tcp a:1000 b:22 S vlan 5 ttl 77 len 60 -> pass rule0 new\npolicy 1\n"
					   "out tcp b:22 a:1000 SA -> drop default inv\nflows 0\n",
			 SSH, next);
	}
}

static const struct named_set banned = { .name = "banned", .timeout_ns = 3600000000000 }, other = { .name = "other" },
			      wide = { .name = "wide", .widen = true };

#define BANNING POLICY(IN_DROP(DROPS(LIVE_SRC(1)), PASSES(TCP, PORT(22), KEEP), PASSES(UDP, KEEP)), CLOSED, LIVE(&banned))

static void bans_cut_at_once_and_end(void **state)
{
	SEQUENCE("in tcp a:1000 b:22 S -> pass rule1 new\n"
		 "out tcp b:22 a:1000 SA -> pass established est\n"
		 "in tcp a:1000 b:22 A -> pass established est\n"
		 "in udp c:9 b:53 -> pass rule2 new\n"
		 "add banned a/32 10s\n"
		 "out tcp b:22 a:1000 PA -> drop default inv\n" /* what it would get, too */
		 "in tcp a:1000 b:22 A -> drop rule0 inv\n"
		 "in tcp a:1000 b:22 S -> drop rule0 new\n"
		 "in udp c:9 b:53 -> pass established est\n" /* not the neighbour */
		 "flows 1\n"
		 "after 9s\nafter 999999999ns\nin tcp a:1000 b:22 S -> drop rule0 new\n"
		 "after 1ns\nin tcp a:1000 b:22 S -> pass rule1 new\n",
		 BANNING);
	/* a prefix, of either family; deleted before its time */
	SEQUENCE("in udp a6:9 b6:53 -> pass rule2 new\nin udp c6:9 b6:53 -> pass rule2 new\nin udp d6:9 b6:53 -> pass rule2 new\n"
		 "add banned a6/64\n"
		 "in udp a6:9 b6:53 -> drop rule0 new\nin udp c6:9 b6:53 -> drop rule0 new\nin udp d6:9 b6:53 -> pass "
		 "established est\n"
		 "after 999999s\nin udp a6:9 b6:53 -> drop rule0 new\n"
		 "del banned a6/64\nin udp a6:9 b6:53 -> pass rule2 new\n",
		 BANNING);
	/* a ban that came and went between two packets was none */
	SEQUENCE("in udp a:9 b:53 -> pass rule2 new\nadd banned a/32 5s\nafter 6s\nin udp a:9 b:53 -> pass established est\n",
		 BANNING);
	SEQUENCE(
		"in udp a:9 b:53 -> pass rule2 new\nadd banned a/32\ndel banned a/32\nout udp b:53 a:9 -> pass established est\n",
		BANNING);
	/* errors about what was cut */
	SEQUENCE("in udp a:9 b:53 -> pass rule2 new\nout error 3 b a quotes udp a:9 b:53 -> pass related rel\nadd banned a/32\n"
		 "out error 3 b a quotes udp a:9 b:53 -> drop default inv\nflows 0\n",
		 BANNING);
}

static void elements(void **state)
{
#define IS_IN  "in udp a:9 b:53 -> drop rule0 new\n"
#define IS_OUT "in udp a:9 b:53 -> pass default new\n"
	struct policy *p = POLICY(IN_PASS(DROPS(LIVE_SRC(1)), PASSES(TCP, KEEP)), LIVE(&banned));

	/* added again: the later end */
	SEQUENCE("add banned a/32 10s\nadd banned a/32 5s\nafter 9s\n" IS_IN "after 1s\n" IS_OUT, p);
	SEQUENCE("add banned a/32 5s\nadd banned a/32 10s\nafter 9s\n" IS_IN "after 1s\n" IS_OUT, p);
	SEQUENCE("add banned a/32 5s\nafter 6s\nadd banned a/32 1s\n" IS_IN "after 1s\n" IS_OUT, p);
	/* each by its own end: the prefix stays when the host is gone */
	SEQUENCE("add banned a/32 10s\nadd banned a/24 5s\nafter 5s\n" IS_IN
		 "in udp c:9 b:53 -> pass default new\nafter 5s\n" IS_OUT,
		 p);
	SEQUENCE("add banned a/32\nadd banned c/24\ndel banned a/32\n" IS_IN "del banned a/24\n" IS_OUT, p);
	SEQUENCE("add banned a/0\n" IS_IN "in udp a6:9 b6:53 -> pass default new\ndel banned b/0\n" IS_OUT, p);
	/* what is not there */
	SEQUENCE("del banned a/32\ndel banned a/24\n" IS_OUT, p);
	/* the set outlives rules that name it */
	SEQUENCE("add banned a/32\npolicy 1\nin udp a:9 b:53 -> drop default new\npolicy 0\n" IS_IN, p, SSH);
}

static void sets_that_widen(void **state)
{
	struct policy *p = POLICY(IN_PASS(DROPS(LIVE_SRC(1)), PASSES(TCP, KEEP)), LIVE(&wide));

	SEQUENCE("add wide a6/128\nin udp c6:9 b6:53 -> drop rule0 new\nin udp d6:9 b6:53 -> pass default new\n"
		 "del wide c6/128\nin udp a6:9 b6:53 -> pass default new\n"
		 "add wide a6/127\nin udp c6:9 b6:53 -> pass default new\nin udp a6:9 b6:53 -> drop rule0 new\n"
		 "add wide a/32\nin udp c:9 b:53 -> pass default new\nin udp a:9 b:53 -> drop rule0 new\n",
		 p);
}

/* `from { @banned, @other }`, `! from`, `to` */
static void live_conditions(void **state)
{
	struct policy *either = POLICY(IN_PASS(DROPS(LIVE_SRC(3))), LIVE(&banned, &other)),
		      *neither = POLICY(IN_PASS(DROPS(.live_src = { 3, true })), LIVE(&banned, &other)),
		      *to = POLICY(IN_PASS(DROPS(.live_dst = { 2, false })), LIVE(&banned, &other)),
		      *any = POLICY(IN_PASS({ .verdict = VERDICT_DROP, .families = ANY, .text = "", .live_src = { 1, true } }),
				    LIVE(&banned));

	SEQUENCE("in udp a:9 b:53 -> pass default none\nadd other a/32\nin udp a:9 b:53 -> drop rule0 none\n"
		 "add banned c/32\nin udp c:9 b:53 -> drop rule0 none\nin udp d:9 a:53 -> pass default none\n",
		 either);
	SEQUENCE("in udp a:9 b:53 -> drop rule0 none\nadd other a/32\nin udp a:9 b:53 -> pass default none\n"
		 "del other a/32\nadd banned a/32\nin udp a:9 b:53 -> pass default none\n",
		 neither);
	SEQUENCE("add banned b/32\nin udp a:9 b:53 -> pass default none\nadd other b/32\nin udp a:9 b:53 -> drop rule0 none\n",
		 to);
	/* what has no address is not outside of a set */
	SEQUENCE("in arp -> pass l2-other none\nin udp a:9 b:53 -> drop rule0 none\n", any);
}

static void rules_that_name_established(void **state)
{
	struct policy *drops =
		POLICY(IN_DROP(DROPS(STATE_IS(ESTABLISHED), VAL(LEN, V({ 100, 65535 }))), PASSES(UDP, KEEP)), CLOSED);

	/* what matches decides, and is dropped without moving the flow on; the rest passes as before; the other direction is not
	 * asked */
	SEQUENCE("in udp a:9 b:53 len 200 -> pass rule1 new\n"
		 "in udp a:9 b:53 len 200 -> drop rule0 est\n"
		 "out udp b:53 a:9 len 200 -> pass established est\n"
		 "after 20s\nin udp a:9 b:53 len 99 -> pass established est\n"
		 "after 100s\nin udp a:9 b:53 len 100 -> drop rule0 est\n"
		 "after 10s\nin udp a:9 b:53 len 99 -> pass established est\n",
		 drops);
	/* a dropped packet does not keep a flow alive */
	SEQUENCE("in udp a:9 b:53 len 200 -> pass rule1 new\nafter 20s\nin udp a:9 b:53 len 200 -> drop rule0 est\nafter "
		 "10s\nflows 0\n",
		 drops);
	/* nor does a dropped FIN close */
	SEQUENCE("in tcp a:1 b:22 S -> pass rule1 new\nout tcp b:22 a:1 SA -> pass established est\nin tcp a:1 b:22 A -> pass "
		 "established est\n"
		 "in tcp a:1 b:22 FA -> drop rule0 est\nout tcp b:22 a:1 FA -> pass established est\nbefore 120s\nflows 1\nafter "
		 "1ns\nflows 0\n",
		 POLICY(IN_DROP(DROPS(STATE_IS(ESTABLISHED), VAL(TCPFLAGS, ONE(17))), PASSES(TCP, KEEP)), CLOSED));
	/* passed by a rule, it moves on as well; a rule's own state does not matter to that */
	SEQUENCE(
		"in udp a:9 b:53 -> pass rule1 new\nout udp b:53 a:9 -> pass established est\nin udp a:9 b:53 -> pass rule0 est\n"
		"before 120s\nflows 1\nafter 1ns\nflows 0\n",
		POLICY(IN_DROP(PASSES(STATE_IS(ESTABLISHED)), PASSES(UDP, KEEP)), CLOSED));
	/* rejected */
	SEQUENCE("in udp a:9 b:53 -> pass rule1 new\nin udp a:9 b:53 -> reject rule0 est\n",
		 POLICY(IN_DROP(REJECTS(STATE_IS(ESTABLISHED)), PASSES(UDP, KEEP)), CLOSED));
	/* an established packet does not meet rules that speak of other states, not even where some rule names it */
	SEQUENCE("in udp a:9 b:53 -> pass rule2 new\nin udp a:9 b:53 -> pass established est\n",
		 POLICY(IN_DROP(DROPS(STATE_IS(ESTABLISHED), TCP), DROPS(UDP, STATE_IS(INVALID)), PASSES(UDP, KEEP)), CLOSED));
}

static void rules_that_name_related(void **state)
{
	struct policy *p = POLICY(IN_DROP(PASSES(UDP, KEEP)), OUT_DROP(DROPS(STATE_IS(RELATED), VAL(ICMP, V({ 0x300, 0x3ff })))));

	SEQUENCE("in udp a:9 b:53 -> pass rule0 new\n"
		 "out error 3 b a quotes udp a:9 b:53 -> drop rule0 rel\n"
		 "out error 11 b a quotes udp a:9 b:53 -> pass related rel\n"
		 "out udp b:53 a:9 -> pass established est\n"
		 "out error 3 b a quotes udp a:10 b:53 -> drop default inv\n",
		 p);
	/* where only `established` is named, related packets are asked about, too, and pass when nothing matches */
	SEQUENCE("in udp a:9 b:53 -> pass rule0 new\nout error 3 b a quotes udp a:9 b:53 -> pass related rel\n"
		 "out udp b:53 a:9 -> drop rule0 est\n",
		 POLICY(IN_DROP(PASSES(UDP, KEEP)), OUT_DROP(DROPS(STATE_IS(ESTABLISHED)))));
}

/* Implicit rules have no condition on the state: they decide where packets of flows are asked about, and nowhere else. */
static void essentials(void **state)
{
	SEQUENCE("in udp a:9 b:53 -> pass rule0 new\nin udp a:9 b:53 -> pass established est\n",
		 POLICY(IN_DROP(PASSES(UDP, KEEP), PASSES(.essential = true))));
	SEQUENCE("in udp a:9 b:53 -> pass rule1 new\nin udp a:9 b:53 -> pass rule2 est\nin tcp a:9 b:53 A -> pass rule2 inv\n"
		 "in udp a:9 b:53 later -> pass rule1 none\nin arp -> drop l2-other none\n",
		 POLICY(IN_DROP(DROPS(TCP, STATE_IS(ESTABLISHED)), PASSES(UDP, KEEP), PASSES(.essential = true))));
}

static void count_rules(void **state)
{
	/* of packets of flows they see nothing, unless they name them; judging a flow again counts nothing */
	assert_int_equal(SEQUENCE("in udp a:9 b:53 -> pass rule1 new\nin udp a:9 b:53 -> pass established est\n"
				  "out udp b:53 a:9 -> pass established est\n",
				  POLICY(IN_DROP(COUNTS(), PASSES(UDP, KEEP)), CLOSED)),
			 1);
	assert_int_equal(SEQUENCE("in udp a:9 b:53 -> pass rule1 new\nin udp a:9 b:53 -> pass established est\n"
				  "in udp a:9 b:53 -> pass established est\n",
				  POLICY(IN_DROP(COUNTS(STATE_IS(ESTABLISHED)), PASSES(UDP, KEEP)), CLOSED)),
			 2);
}

static void invalid_packets_meet_rules(void **state)
{
	SEQUENCE("in tcp a:1 b:22 A -> drop rule0 inv\nin tcp a:1 b:22 S -> pass rule1 new\nin icmp 0 1 a b -> drop rule0 inv\n",
		 POLICY(IN_PASS(DROPS(STATE_IS(INVALID)), PASSES(KEEP))));
	/* a rule that keeps state is about new packets; another one about all but those of flows */
	SEQUENCE("in tcp a:1 b:22 A -> pass rule1 inv\nflows 0\n", POLICY(IN_DROP(PASSES(KEEP), PASSES())));
	/* told to pass them it does, without a flow */
	SEQUENCE("in tcp a:1 b:22 A -> pass rule0 inv\nflows 0\n", POLICY(IN_DROP(PASSES(KEEP, STATE_IS(INVALID)))));
}

/* The way out is no matter of the policy: its packets pass, and are seen. */
static void a_direction_without_a_block(void **state)
{
	SEQUENCE("in tcp a:1 b:22 S -> pass rule0 new\nout tcp b:22 a:1 SA -> pass established est\nin tcp a:1 b:22 A -> pass "
		 "established est\n"
		 "out udp b:53 a:9 -> pass default new\nout error 3 b a quotes tcp a:1 b:22 A -> pass related rel\n"
		 "out tcp b:22 a:2 SA -> pass default inv\nflows 1\nbefore 432000s\nflows 1\nafter 1ns\nflows 0\n",
		 POLICY(IN_DROP(PASSES(TCP, KEEP))));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(generations),
		cmocka_unit_test(the_opening_packet_is_remembered),
		cmocka_unit_test(bans_cut_at_once_and_end),
		cmocka_unit_test(elements),
		cmocka_unit_test(sets_that_widen),
		cmocka_unit_test(live_conditions),
		cmocka_unit_test(rules_that_name_established),
		cmocka_unit_test(rules_that_name_related),
		cmocka_unit_test(essentials),
		cmocka_unit_test(count_rules),
		cmocka_unit_test(invalid_packets_meet_rules),
		cmocka_unit_test(a_direction_without_a_block),
	};

	return cmocka_run_group_tests_name("track: rules", tests, NULL, NULL);
}
