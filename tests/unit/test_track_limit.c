// SPDX-License-Identifier: GPL-2.0-only
/* Limits, max-conn and what comes of being over, worked out by hand from track.h and limit.h. */
#include "unit/track_words.h"

#define S_NS 1000000000ull
#define LIMIT(...)                                                                                                               \
	.limit = &(const struct limit)                                                                                           \
	{                                                                                                                        \
		.period_ns = S_NS, __VA_ARGS__                                                                                   \
	}
#define ELSE(...) .over = { __VA_ARGS__ }

#define ONE_IN	 "in udp a:9 b:53 -> pass rule0 none\n"
#define ONE_OVER "in udp a:9 b:53 -> drop limit0 none\n"

static void burst_and_refill(void **state)
{
	struct policy *p = POLICY(IN_DROP(PASSES(UDP, LIMIT(.count = 10, .burst = 3))));

	SEQUENCE(ONE_IN ONE_IN ONE_IN ONE_OVER ONE_OVER
		 /* one each 100 ms, to the nanosecond; what is over takes nothing */
		 "after 99ms\nafter 999999ns\n" ONE_OVER "after 1ns\n" ONE_IN ONE_OVER "after 100ms\n" ONE_IN ONE_OVER
		 /* a long wait fills it up, not more */
		 "after 100s\n" ONE_IN ONE_IN ONE_IN ONE_OVER,
		 p);
	/* half a packet is none: 150 ms give one, 50 more another */
	SEQUENCE(ONE_IN ONE_IN ONE_IN "after 150ms\n" ONE_IN ONE_OVER "after 50ms\n" ONE_IN ONE_OVER, p);
	/* one burst of one */
	SEQUENCE(ONE_IN ONE_OVER "after 999ms\n" ONE_OVER "after 1ms\n" ONE_IN ONE_OVER,
		 POLICY(IN_DROP(PASSES(UDP, LIMIT(.count = 1, .burst = 1)))));
	/* five in an hour: one each 720 s */
	SEQUENCE(
		ONE_IN ONE_IN ONE_OVER "after 719s\n" ONE_OVER "after 1s\n" ONE_IN ONE_OVER,
		POLICY(IN_DROP(PASSES(UDP, .limit = &(const struct limit){ .count = 5, .period_ns = 3600 * S_NS, .burst = 2 }))));
}

/* 3 in a second do not divide: on average it is not more. */
static void exact_on_average(void **state)
{
	static const struct {
		uint64_t count, period_ns, burst, step_ns;
	} cases[] = {
		{ 3, S_NS, 1, 1000000 },	   { 7, S_NS, 5, 999983 },   { 1000000, S_NS, 100, 333 },
		{ 100, 60 * S_NS, 10, 100000007 }, { 999983, S_NS, 1, 100 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct policy *p = POLICY(IN_DROP(PASSES(UDP, .limit = &(const struct limit){ .count = cases[i].count,
											      .period_ns = cases[i].period_ns,
											      .burst = cases[i].burst })));
		struct track *t = track_new(START);
		uint8_t frame[WORDS_FRAME];
		struct words w = { .at = "udp a:9 b:53" };
		size_t len = words_packet(&w, frame);
		uint64_t passed = 0, steps = 200000, most;
		struct eval_result r;

		for (uint64_t n = 0; n < steps; n++) {
			track_frame(t, p, DIRECTION_INGRESS, frame, len, NULL, NULL, NULL, &r);
			passed += r.verdict == VERDICT_PASS;
			if (n + 1 < steps)
				track_clock(t, START + (n + 1) * cases[i].step_ns);
		}
		most = cases[i].burst + (steps - 1) * cases[i].step_ns * cases[i].count / cases[i].period_ns;
		print_message("# %llu of %llu\n", (unsigned long long)passed, (unsigned long long)most);
		assert_true(passed <= most + 1); /* 2^-39 of rounding */
		/* a packet comes up to a step after its time; the next one's time does not wait for that when the burst holds it
		 */
		assert_true(passed + 1 >= most || cases[i].burst == 1);
		track_free(t);
	}
}

static void bytes(void **state)
{
	/* 1000 bytes a second, 200 at once; frames of 60 bytes at least (14 + len) */
	struct policy *p = POLICY(IN_DROP(PASSES(UDP, LIMIT(.bytes = true, .count = 1000, .burst = 200))));

	SEQUENCE(ONE_IN ONE_IN ONE_IN ONE_OVER /* 180 of 200 are gone */
		 "after 40ms\n" ONE_IN ONE_OVER "after 200ms\nin udp a:9 b:53 len 186 -> pass rule0 none\nafter 200ms\n"
		 "in udp a:9 b:53 len 187 -> drop limit0 none\nin udp a:9 b:53 len 186 -> pass rule0 none\n"
		 /* a frame above the burst never passes */
		 "after 999s\nin udp a:9 b:53 len 187 -> drop limit0 none\n",
		 p);
}

static void per_rule(void **state)
{
	/* all sources, both families, share it; each rule and each direction has its own */
	SEQUENCE("in udp a:9 b:53 -> pass rule0 none\nin udp c6:9 b6:53 -> pass rule0 none\nin udp d:9 b:53 -> drop limit0 none\n"
		 "in tcp a:9 b:53 S -> pass rule1 none\nin tcp a:9 b:53 S -> pass rule1 none\nin tcp a:9 b:53 S -> drop limit1 "
		 "none\n"
		 "out udp b:53 a:9 -> pass rule0 none\nout udp b:53 a:9 -> pass rule0 none\nout udp b:53 a:9 -> drop limit0 "
		 "none\n",
		 POLICY(IN_DROP(PASSES(UDP, LIMIT(.count = 1, .burst = 2)), PASSES(TCP, LIMIT(.count = 1, .burst = 2))),
			OUT_DROP(PASSES(UDP, LIMIT(.count = 1, .burst = 2)))));
}

static void per_address(void **state)
{
	struct policy *host = POLICY(IN_DROP(PASSES(LIMIT(.count = 1, .burst = 1, .per = PER_SRC, .plen4 = 32, .plen6 = 128)))),
		      *net = POLICY(IN_DROP(PASSES(LIMIT(.count = 1, .burst = 1, .per = PER_SRC, .plen4 = 24, .plen6 = 64)))),
		      *to = POLICY(IN_DROP(PASSES(LIMIT(.count = 1, .burst = 1, .per = PER_DST, .plen4 = 32, .plen6 = 128))));

	SEQUENCE("in udp a:9 b:53 -> pass rule0 none\nin tcp a:8 f:22 S -> drop limit0 none\nin udp c:9 b:53 -> pass rule0 none\n"
		 "in udp a6:9 b6:53 -> pass rule0 none\nin udp a6:9 b6:53 -> drop limit0 none\nin udp c6:9 b6:53 -> pass rule0 "
		 "none\n",
		 host);
	SEQUENCE("in udp a:9 b:53 -> pass rule0 none\nin udp c:9 b:53 -> drop limit0 none\nin udp d:9 b:53 -> pass rule0 none\n"
		 "in udp a6:9 b6:53 -> pass rule0 none\nin udp c6:9 b6:53 -> drop limit0 none\nin udp d6:9 b6:53 -> pass rule0 "
		 "none\n",
		 net);
	SEQUENCE("in udp a:9 b:53 -> pass rule0 none\nin udp c:9 b:53 -> drop limit0 none\nin udp c:9 f:53 -> pass rule0 none\n",
		 to);
	/* /0: all of a family */
	SEQUENCE("in udp a:9 b:53 -> pass rule0 none\nin udp e:9 b:53 -> drop limit0 none\nin udp e6:9 b6:53 -> pass rule0 none\n"
		 "in udp a6:9 b6:53 -> drop limit0 none\n",
		 POLICY(IN_DROP(PASSES(LIMIT(.count = 1, .burst = 1, .per = PER_SRC)))));
	/* what is not IP has one bucket */
	SEQUENCE("in arp -> pass rule0 none\nin arp -> drop limit0 none\nin udp a:9 b:53 -> pass rule0 none\n",
		 POLICY(IN_DROP({ .verdict = VERDICT_PASS,
				  .families = ANY,
				  .text = "",
				  LIMIT(.count = 1, .burst = 1, .per = PER_SRC, .plen4 = 32, .plen6 = 128) })));
}

static void per_flow(void **state)
{
	SEQUENCE("in udp a:9 b:53 -> pass rule0 none\nin udp a:9 b:53 -> drop limit0 none\n"
		 "in udp a:10 b:53 -> pass rule0 none\nin udp a:9 b:54 -> pass rule0 none\nin udp a:9 f:53 -> pass rule0 none\n"
		 "in tcp a:9 b:53 S -> pass rule0 none\nin udp a6:9 b6:53 -> pass rule0 none\n"
		 "in icmp 8 1 a b -> pass rule0 none\nin icmp 8 2 a b -> pass rule0 none\nin icmp 8 1 a b -> drop limit0 none\n"
		 /* without a key: by protocol and addresses */
		 "in udp a:9 b:53 later -> pass rule0 none\nin udp a:10 b:53 later -> drop limit0 none\n"
		 "in icmp 9 0 a b -> pass rule0 none\nin icmp 10 0 a b -> drop limit0 none\nin icmp 9 0 c b -> pass rule0 none\n",
		 POLICY(IN_DROP(PASSES(LIMIT(.count = 1, .burst = 1, .per = PER_FLOW)))));
}

static void limits_of_new_packets(void **state)
{
	struct policy *p = POLICY(IN_DROP(PASSES(TCP, KEEP, LIMIT(.count = 1, .burst = 1))), CLOSED);

	/* packets of a flow do not meet the rule; over it, no flow is opened */
	SEQUENCE("in tcp a:1 b:22 S -> pass rule0 new\nin tcp a:1 b:22 S -> pass established est\nin tcp a:2 b:22 S -> drop "
		 "limit0 new\n"
		 "flows 1\nout tcp b:22 a:2 SA -> drop default inv\nafter 1s\nin tcp a:2 b:22 S -> pass rule0 new\nflows 2\n",
		 p);
	/* `else pass` passes without a flow */
	SEQUENCE("in tcp a:1 b:22 S -> pass rule0 new\nin tcp a:2 b:22 S -> pass limit0 new\nflows 1\nout tcp b:22 a:2 SA -> "
		 "drop default inv\n",
		 POLICY(IN_DROP(PASSES(TCP, KEEP, LIMIT(.count = 1, .burst = 1), ELSE(.pass = true))), CLOSED));
	/* a limit of known packets: over it they are dropped, and do not move the flow; with `else pass` they do */
	SEQUENCE("in udp a:9 b:53 -> pass rule1 new\nin udp a:9 b:53 -> pass rule0 est\nafter 100ms\nin udp a:9 b:53 -> drop "
		 "limit0 est\n"
		 "before 30s\nflows 0\n",
		 POLICY(IN_DROP(PASSES(STATE_IS(ESTABLISHED), LIMIT(.count = 1, .burst = 1)), PASSES(UDP, KEEP)), CLOSED));
	SEQUENCE("in udp a:9 b:53 -> pass rule1 new\nin udp a:9 b:53 -> pass rule0 est\nafter 100ms\nin udp a:9 b:53 -> pass "
		 "limit0 est\n"
		 "before 30s\nflows 1\nafter 1ns\nflows 0\n",
		 POLICY(IN_DROP(PASSES(STATE_IS(ESTABLISHED), LIMIT(.count = 1, .burst = 1), ELSE(.pass = true)),
				PASSES(UDP, KEEP)),
			CLOSED));
	/* judging the opening packet again takes nothing */
	SEQUENCE("in tcp a:1 b:22 S -> pass rule0 new\npolicy 0\nout tcp b:22 a:1 SA -> pass established est\nafter 1s\n"
		 "in tcp a:2 b:22 S -> pass rule0 new\n",
		 p);
}

static const struct named_set jail = { .name = "jail", .timeout_ns = 5 * S_NS }, cell = { .name = "cell" },
			      wide = { .name = "wide", .widen = true };

static void bans(void **state)
{
	struct policy *p =
		POLICY(IN_DROP(DROPS(LIVE_SRC(1)),
			       PASSES(TCP, KEEP, LIMIT(.count = 100, .burst = 1, .per = PER_SRC, .plen4 = 32, .plen6 = 128),
				      ELSE(.ban = &jail, .ban_ns = 2 * S_NS)),
			       PASSES(UDP, KEEP)),
		       CLOSED, LIVE(&jail));

	/* the flows of a source are cut by the ban that it earns */
	SEQUENCE("in udp a:9 b:53 -> pass rule2 new\nin tcp a:1 b:22 S -> pass rule1 new\nin tcp a:2 b:22 S -> drop limit1 new\n"
		 "in tcp a:3 b:22 S -> drop rule0 new\nout tcp b:22 a:1 SA -> drop default inv\nin udp a:9 b:53 -> drop rule0 "
		 "new\n"
		 "in tcp c:1 b:22 S -> pass rule1 new\n"
		 "after 1999ms\nin tcp a:3 b:22 S -> drop rule0 new\nafter 1ms\nin tcp a:3 b:22 S -> pass rule1 new\n",
		 p);
	/* longer when it is there for longer */
	SEQUENCE("add jail a/32 10s\ndel jail c/32\nin tcp c:1 b:22 S -> pass rule1 new\nadd jail c/32 1s\nafter 9s\nin tcp a:1 "
		 "b:22 S -> drop rule0 new\n",
		 p);
	/* without a time: the set's; the set's, too, when it has none: for ever */
	SEQUENCE(
		"in udp a:9 b:53 -> pass rule1 none\nin udp a:9 b:53 -> drop limit1 none\nafter 4s\nin udp a:9 b:53 -> drop "
		"rule0 none\n"
		"after 1s\nin udp a:9 b:53 -> pass rule1 none\n",
		POLICY(IN_DROP(DROPS(LIVE_SRC(1)), PASSES(UDP, LIMIT(.count = 1, .burst = 1), ELSE(.ban = &jail))), LIVE(&jail)));
	SEQUENCE(
		"in udp a:9 b:53 -> pass rule1 none\nin udp a:9 b:53 -> drop limit1 none\nafter 999999s\nin udp a:9 b:53 -> drop "
		"rule0 none\n",
		POLICY(IN_DROP(DROPS(LIVE_SRC(1)), PASSES(UDP, LIMIT(.count = 1, .burst = 1), ELSE(.ban = &cell))), LIVE(&cell)));
	/* a host of IPv6 as its /64 */
	SEQUENCE(
		"in udp a6:9 b6:53 -> pass rule1 none\nin udp a6:9 b6:53 -> drop limit1 none\nin udp c6:9 b6:53 -> drop rule0 "
		"none\n"
		"in udp d6:9 b6:53 -> drop limit1 none\nin udp d6:9 b6:53 -> drop rule0 none\nin udp a:9 b:53 -> drop limit1 "
		"none\n"
		"in udp c:9 b:53 -> drop limit1 none\n",
		POLICY(IN_DROP(DROPS(LIVE_SRC(1)), PASSES(UDP, LIMIT(.count = 1, .burst = 1), ELSE(.ban = &wide))), LIVE(&wide)));
	/* nobody, when it is not IP */
	SEQUENCE("in arp -> pass rule0 none\nin arp -> drop limit0 none\n", POLICY(IN_DROP({ .verdict = VERDICT_PASS,
											     .families = ANY,
											     .text = "",
											     LIMIT(.count = 1, .burst = 1),
											     ELSE(.ban = &cell) }),
										   LIVE(&cell)));
}

/* A ban set that the policy does not ask about is filled all the same. */
static void bans_for_others(void **state)
{
	struct policy *bans_only = POLICY(IN_DROP(PASSES(UDP, LIMIT(.count = 1, .burst = 1), ELSE(.ban = &cell)))),
		      *asks = POLICY(IN_PASS(DROPS(LIVE_SRC(1))), LIVE(&cell));

	SEQUENCE(ONE_IN ONE_OVER "policy 1\nin udp a:9 b:53 -> drop rule0 none\nin udp c:9 b:53 -> pass default none\n",
		 bans_only, asks);
}

static void max_conn(void **state)
{
	struct policy *p = POLICY(IN_DROP(PASSES(TCP, KEEP, .max_conn = 2, .conn_plen4 = 32, .conn_plen6 = 128)), CLOSED),
		      *net = POLICY(IN_DROP(PASSES(KEEP, .max_conn = 1, .conn_plen4 = 24, .conn_plen6 = 64)), CLOSED);

	/* per source; a seat is free when its flow has ended: by its time, by FINs and a new SYN */
	SEQUENCE("in tcp a:1 b:22 S -> pass rule0 new\nin tcp a:2 b:22 S -> pass rule0 new\nin tcp a:3 b:22 S -> drop max-conn0 "
		 "new\n"
		 "in tcp a:1 b:22 S -> pass established est\nin tcp c:3 b:22 S -> pass rule0 new\nflows 3\n"
		 "out tcp b:22 a:3 SA -> drop default inv\n"
		 "in tcp a:1 b:22 R -> pass established est\nin tcp a:3 b:22 S -> drop max-conn0 new\n" /* 10 s more */
		 "before 10s\nin tcp a:3 b:22 S -> drop max-conn0 new\nafter 1ns\nin tcp a:3 b:22 S -> pass rule0 new\n"
		 "in tcp a:4 b:22 S -> drop max-conn0 new\n",
		 p);
	SEQUENCE("in tcp a:1 b:22 S -> pass rule0 new\nin tcp a:2 b:22 S -> pass rule0 new\n"
		 "in tcp a:1 b:22 FA -> pass established est\nout tcp b:22 a:1 FA -> pass established est\n"
		 "in tcp a:3 b:22 S -> drop max-conn0 new\nin tcp a:1 b:22 S -> pass rule0 new\nflows 2\n",
		 p);
	SEQUENCE("in udp a:1 b:22 -> pass rule0 new\nin udp c:1 b:22 -> drop max-conn0 new\nin udp d:1 b:22 -> pass rule0 new\n"
		 "in udp a6:1 b6:22 -> pass rule0 new\nin udp c6:1 b6:22 -> drop max-conn0 new\nin udp d6:1 b6:22 -> pass rule0 "
		 "new\n"
		 /* only what would open a flow */
		 "in udp a:2 b:22 later -> pass rule0 none\nin icmp 9 0 a b -> pass rule0 new\n",
		 net);
}

static void max_conn_over(void **state)
{
	SEQUENCE("in tcp a:1 b:22 S -> pass rule0 new\nin tcp a:2 b:22 S -> pass max-conn0 new\nflows 1\n",
		 POLICY(IN_DROP(PASSES(TCP, KEEP, .max_conn = 1, .conn_plen4 = 32, ELSE(.pass = true))), CLOSED));
	SEQUENCE("in tcp a:1 b:22 S -> pass rule1 new\nin tcp a:2 b:22 S -> drop max-conn1 new\nin tcp a:1 b:22 A -> drop rule0 "
		 "inv\nflows 0\n",
		 POLICY(IN_DROP(DROPS(LIVE_SRC(1)), PASSES(TCP, KEEP, .max_conn = 1, .conn_plen4 = 32, ELSE(.ban = &cell))),
			CLOSED, LIVE(&cell)));
	/* the limit is asked first, and what it took it keeps */
	SEQUENCE("in tcp a:1 b:22 S -> pass rule0 new\nin tcp a:2 b:22 S -> drop max-conn0 new\nin tcp a:3 b:22 S -> drop limit0 "
		 "new\n"
		 "after 1s\nin tcp c:1 b:22 S -> pass rule0 new\n",
		 POLICY(IN_DROP(PASSES(TCP, KEEP, LIMIT(.count = 1, .burst = 2), .max_conn = 1, .conn_plen4 = 32)), CLOSED));
	/* a ban that ends a flow frees its seat when the next packet of the flow comes */
	SEQUENCE("in udp a:1 b:53 -> pass rule1 new\nadd cell a/32\nin udp a:1 b:53 -> drop rule0 new\ndel cell a/32\n"
		 "in udp a:2 b:53 -> pass rule1 new\nin udp a:1 b:53 -> drop max-conn1 new\n",
		 POLICY(IN_DROP(DROPS(LIVE_SRC(1)), PASSES(UDP, KEEP, .max_conn = 1, .conn_plen4 = 32)), CLOSED, LIVE(&cell)));
}

/* Buckets and seats follow the identity of a rule: direction, verdict, label or text, and which of its namesakes it is. */
static void identities(void **state)
{
#define FEW(...) PASSES(UDP, LIMIT(.count = 1, .burst = 1), __VA_ARGS__)
	struct policy *one = POLICY(IN_DROP(FEW(NAME("few")))), *moved = POLICY(IN_DROP(DROPS(TCP), FEW(NAME("few")))),
		      *renamed = POLICY(IN_DROP(FEW(NAME("many")))),
		      *more = POLICY(IN_DROP(PASSES(UDP, NAME("few"), LIMIT(.count = 1, .burst = 3)))),
		      *less = POLICY(IN_DROP(PASSES(UDP, NAME("few"), LIMIT(.count = 1, .burst = 1)))),
		      *twice = POLICY(IN_DROP(FEW(NAME("few"), PORT(53)), FEW(NAME("few")))),
		      *by_source = POLICY(
			      IN_DROP(PASSES(UDP, NAME("few"), LIMIT(.count = 1, .burst = 1, .per = PER_SRC, .plen4 = 32)))),
		      *by_net = POLICY(
			      IN_DROP(PASSES(UDP, NAME("few"), LIMIT(.count = 1, .burst = 1, .per = PER_SRC, .plen4 = 24))));

	SEQUENCE(ONE_IN "policy 1\nin udp a:9 b:53 -> drop limit1 none\npolicy 0\n" ONE_OVER, one, moved);
	SEQUENCE(ONE_IN "policy 1\n" ONE_IN ONE_OVER, one, renamed);
	/* a namesake is another rule */
	SEQUENCE("in udp a:9 b:53 -> pass rule0 none\nin udp a:9 b:54 -> pass rule1 none\nin udp a:9 b:53 -> drop limit0 none\n"
		 "in udp a:9 b:54 -> drop limit1 none\npolicy 1\n" ONE_OVER,
		 twice, one);
	/* other numbers, the same bucket: two more at once; then as many less */
	SEQUENCE(ONE_IN ONE_OVER "policy 1\n" ONE_IN ONE_IN ONE_OVER "policy 2\nafter 2s\n" ONE_OVER "after 1s\n" ONE_IN, one,
		 more, less);
	/* counted by something else it is another bucket */
	SEQUENCE(ONE_IN ONE_OVER "policy 1\n" ONE_IN ONE_OVER "policy 2\n" ONE_IN ONE_OVER "policy 1\n" ONE_OVER, one, by_source,
		 by_net);
}

static void seats_follow_identities(void **state)
{
#define SEATS(n, ...) PASSES(KEEP, .max_conn = (n), .conn_plen4 = 32, __VA_ARGS__)
	struct policy *two = POLICY(IN_DROP(SEATS(2, NAME("seats")))), *one = POLICY(IN_DROP(SEATS(1, NAME("seats")))),
		      *earlier = POLICY(IN_DROP(PASSES(UDP, KEEP, PORT(1)), SEATS(2, NAME("seats")))),
		      *none = POLICY(IN_DROP(PASSES(KEEP, NAME("seats"))));

	/* a flow that another rule passes by now keeps its seat */
	SEQUENCE("in udp a:1 b:1 -> pass rule0 new\nin udp a:1 b:2 -> pass rule0 new\npolicy 1\nin udp a:1 b:1 -> pass "
		 "established est\n"
		 "in udp a:1 b:3 -> drop max-conn1 new\n",
		 two, earlier);
	/* one that was opened by a rule without seats has none */
	SEQUENCE(
		"in udp a:1 b:1 -> pass rule0 new\npolicy 1\nin udp a:1 b:2 -> pass rule0 new\nin udp a:1 b:3 -> pass rule0 new\n"
		"in udp a:1 b:4 -> drop max-conn0 new\n",
		none, two);
	/* fewer seats: the lower ones are looked at; here the first is free */
	SEQUENCE("in udp a:1 b:1 -> pass rule0 new\nafter 29s\nin udp a:1 b:2 -> pass rule0 new\npolicy 1\nin udp a:1 b:3 -> "
		 "drop max-conn0 new\n"
		 "after 1s\nin udp a:1 b:3 -> pass rule0 new\nflows 2\nin udp a:1 b:4 -> drop max-conn0 new\n",
		 two, one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(burst_and_refill),
		cmocka_unit_test(exact_on_average),
		cmocka_unit_test(bytes),
		cmocka_unit_test(per_rule),
		cmocka_unit_test(per_address),
		cmocka_unit_test(per_flow),
		cmocka_unit_test(limits_of_new_packets),
		cmocka_unit_test(bans),
		cmocka_unit_test(bans_for_others),
		cmocka_unit_test(max_conn),
		cmocka_unit_test(max_conn_over),
		cmocka_unit_test(identities),
		cmocka_unit_test(seats_follow_identities),
	};

	return cmocka_run_group_tests_name("track: limits", tests, NULL, NULL);
}
