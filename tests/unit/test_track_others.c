// SPDX-License-Identifier: GPL-2.0-only
/* Flows of UDP, ICMP, SCTP and the rest, fragments, and ICMP errors, worked out by hand from track.h. */
#include "unit/track_words.h"

#define ALL_KEPT	 POLICY(IN_DROP(PASSES(KEEP)), CLOSED)
#define ENDS_AFTER(time) "before " time "\nflows 1\nafter 1ns\nflows 0\n"

static void udp(void **state)
{
	SEQUENCE("out udp b:53 a:9 -> drop default new\n"
		 "in udp a:9 b:53 -> pass rule0 new\n" ENDS_AFTER("30s"),
		 ALL_KEPT);
	/* until the opener has answered a reply */
	SEQUENCE("in udp a:9 b:53 -> pass rule0 new\nin udp a:9 b:53 -> pass established est\n"
		 "out udp b:53 a:9 -> pass established est\n" ENDS_AFTER("30s"),
		 ALL_KEPT);
	SEQUENCE("in udp a:9 b:53 -> pass rule0 new\nout udp b:53 a:9 -> pass established est\n"
		 "in udp a:9 b:53 -> pass established est\n" ENDS_AFTER("120s"),
		 ALL_KEPT);
	SEQUENCE("in udp a6:9 b6:53 -> pass rule0 new\nout udp b6:53 a6:9 -> pass established est\n"
		 "in udp a6:9 b6:53 -> pass established est\n"
		 "out udp b6:53 a6:9 -> pass established est\n" ENDS_AFTER("120s"),
		 ALL_KEPT);
	/* after its end a reply opens nothing: it would have to pass by a rule */
	SEQUENCE("in udp a:9 b:53 -> pass rule0 new\nbefore 30s\nafter 1ns\nout udp b:53 a:9 -> drop default new\n", ALL_KEPT);
}

/* 30 s are 28610 ticks of 1,048,576 ns (28610.2…). */
static void a_timeout_ends_at_its_tick(void **state)
{
	struct policy *p = ALL_KEPT;
	struct arena *arena = arena_new();
	struct track *t = track_new(START + 7 * 1048576 + 1000000);
	uint8_t frame[WORDS_FRAME];
	struct words w = { .at = "udp a:9 b:53" };
	size_t len = words_packet(&w, frame);
	struct eval_result r;

	assert_int_equal(policy_track(p, arena), 0);
	track_frame(t, p, DIRECTION_INGRESS, frame, len, NULL, NULL, NULL, &r);
	assert_int_equal(r.state, STATE_NEW);
	track_clock(t, START + (7 + 28610) * 1048576ull - 1);
	assert_int_equal(track_flows(t), 1);
	track_clock(t, START); /* goes forward only */
	assert_int_equal(track_now(t), START + (7 + 28610) * 1048576ull - 1);
	track_clock(t, START + (7 + 28610) * 1048576ull);
	assert_int_equal(track_flows(t), 0);
	track_frame(t, p, DIRECTION_INGRESS, frame, len, NULL, NULL, NULL, &r);
	assert_int_equal(r.state, STATE_NEW);
	track_free(t);
	arena_free(arena);
}

static void queries(void **state)
{
	SEQUENCE("in icmp 8 7 a b -> pass rule0 new\n"
		 "out icmp 0 7 b a -> pass established est\n"
		 "in icmp 8 7 a b -> pass established est\n" ENDS_AFTER("10s"),
		 ALL_KEPT);
	SEQUENCE("in icmp 128 7 a6 b6 -> pass rule0 new\n"
		 "out icmp 129 7 b6 a6 -> pass established est\n" ENDS_AFTER("10s"),
		 ALL_KEPT);
	/* another identifier, another host, another kind, another family, the wrong way: not its reply */
	SEQUENCE("in icmp 8 7 a b -> pass rule0 new\n"
		 "out icmp 0 8 b a -> drop default inv\n"
		 "out icmp 0 7 b c -> drop default inv\n"
		 "out icmp 14 7 b a -> drop default inv\n"
		 "out icmp 129 7 b6 a6 -> drop default inv\n"
		 "in icmp 0 7 a b -> pass rule1 inv\n"
		 "out icmp 0 7 b a -> pass established est\n"
		 "flows 1\n",
		 POLICY(IN_DROP(PASSES(KEEP), PASSES()), CLOSED));
	/* both ask with the same identifier: two flows */
	SEQUENCE("in icmp 8 7 a b -> pass rule0 new\n"
		 "out icmp 8 7 b a -> pass rule0 new\n"
		 "out icmp 0 7 b a -> pass established est\n"
		 "in icmp 0 7 a b -> pass established est\n"
		 "flows 2\n",
		 POLICY(IN_DROP(PASSES(KEEP)), OUT_DROP(PASSES(KEEP))));
	SEQUENCE("in icmp 13 1 a b -> pass rule0 new\nout icmp 14 1 b a -> pass established est\n"
		 "in icmp 15 1 a b -> pass rule0 new\nout icmp 16 1 b a -> pass established est\n"
		 "in icmp 17 1 a b -> pass rule0 new\nout icmp 18 1 b a -> pass established est\n"
		 "flows 3\n"
		 "out icmp 18 1 b c -> drop default inv\nout icmp 16 1 b c -> drop default inv\n",
		 ALL_KEPT);
}

static void other_icmp_has_no_flow(void **state)
{
	SEQUENCE("in icmp 9 0 a b -> pass rule0 new\nout icmp 9 0 b a -> drop default new\nflows 0\n"
		 "in icmp 135 0 a6 b6 -> pass rule0 new\nout icmp 136 0 b6 a6 -> drop default new\nflows 0\n"
		 "in icmp 13 0 a6 b6 -> pass rule0 new\n" /* a query in the other family */
		 "in icmp 128 0 a b -> pass rule0 new\nflows 0\n"
		 "in icmp 5 0 a6 b6 -> pass rule0 new\nin icmp 1 0 a b -> pass rule0 new\nflows 0\n",
		 ALL_KEPT);
}

static void the_rest(void **state)
{
	SEQUENCE("in sctp a:9 b:53 -> pass rule0 new\nout sctp b:53 a:10 -> drop default new\n"
		 "out udp b:53 a:9 -> drop default new\n" ENDS_AFTER("20s"),
		 ALL_KEPT);
	SEQUENCE("in sctp a6:9 b6:53 -> pass rule0 new\nout sctp b6:53 a6:9 -> pass established est\n"
		 "in sctp a6:9 b6:53 -> pass established est\n" ENDS_AFTER("121s"),
		 ALL_KEPT);
	SEQUENCE(
		"in gre a b -> pass rule0 new\nout gre b c -> drop default new\nout gre b a -> pass established est\n" ENDS_AFTER(
			"20s"),
		ALL_KEPT);
	SEQUENCE("in gre a b -> pass rule0 new\nout gre b a -> pass established est\nin gre a b -> pass established "
		 "est\n" ENDS_AFTER("121s"),
		 ALL_KEPT);
}

static void fragments(void **state)
{
	/* the first one has ports and a flow; later ones have neither: rules without ports decide about them */
	SEQUENCE("in udp a:9 b:53 first -> pass rule0 new\n"
		 "in udp a:9 b:53 later -> drop default none\n"
		 "out udp b:53 a:9 -> pass established est\n"
		 "out udp b:53 a:9 later -> drop default none\n"
		 "flows 1\n",
		 POLICY(IN_DROP(PASSES(UDP, PORT(53), KEEP)), CLOSED));
	/* one that keeps state passes them, and opens none */
	SEQUENCE("in udp a6:9 b6:53 later -> pass rule0 none\nin icmp 8 1 a b later -> pass rule0 none\n"
		 "in tcp a:1 b:2 S later -> pass rule0 none\nflows 0\n"
		 "in tcp a:1 b:2 S first -> pass rule0 new\nflows 1\n",
		 ALL_KEPT);
	SEQUENCE("in arp -> pass rule0 none\nflows 0\n",
		 POLICY(IN_DROP({ .verdict = VERDICT_PASS, .families = ANY, .text = "", KEEP })));
}

#define UDP_FLOW  "in udp a:9 b:53 -> pass rule0 new\n"
#define UDP_FLOW6 "in udp a6:9 b6:53 -> pass rule0 new\n"

static void errors_about_a_flow(void **state)
{
	/* about the opener's packet, from the other side or from anybody on the way; it moves nothing */
	SEQUENCE(UDP_FLOW "after 20s\n"
			  "out error 3 b a quotes udp a:9 b:53 -> pass related rel\n"
			  "out error 11 f a quotes udp a:9 b:53 -> pass related rel\n"
			  "out error 4 f a quotes udp a:9 b:53 -> pass related rel\n"
			  "out error 5 f a quotes udp a:9 b:53 -> pass related rel\n"
			  "out error 12 f a quotes udp a:9 b:53 -> pass related rel\n"
			  "out error 3 b a quotes udp a:9 b:53 len 500 -> pass related rel\n"
			  "after 10s\nout error 3 b a quotes udp a:9 b:53 -> drop default inv\n",
		 ALL_KEPT);
	/* about a reply, and for IPv6 */
	SEQUENCE(UDP_FLOW6 "out udp b6:53 a6:9 -> pass established est\n"
			   "in error 1 a6 b6 quotes udp b6:53 a6:9 -> pass related rel\n"
			   "in error 2 e6 b6 quotes udp b6:53 a6:9 -> pass related rel\n"
			   "in error 3 e6 b6 quotes udp b6:53 a6:9 -> pass related rel\n"
			   "out error 4 f6 a6 quotes udp a6:9 b6:53 -> pass related rel\n",
		 ALL_KEPT);
	SEQUENCE("in tcp a:1 b:22 S -> pass rule0 new\nout error 3 b a quotes tcp a:1 b:22 S -> pass related rel\n"
		 "in tcp a6:1 b6:22 S -> pass rule0 new\nout error 1 b6 a6 quotes tcp a6:1 b6:22 A -> pass related rel\n"
		 "in gre a b -> pass rule0 new\nout error 3 b a quotes gre a b len 28 -> pass related rel\n"
		 "in sctp a:1 b:2 -> pass rule0 new\nout error 3 b a quotes sctp a:1 b:2 -> pass related rel\n",
		 ALL_KEPT);
}

static void errors_about_queries(void **state)
{
	SEQUENCE("in icmp 8 7 a b -> pass rule0 new\n"
		 "out error 3 b a quotes icmp 8 7 a b -> pass related rel\n"
		 "out error 3 b a quotes icmp 8 8 a b -> drop default inv\n"
		 "out error 3 b a quotes icmp 13 7 a b -> drop default inv\n"
		 "out error 3 b a quotes icmp 0 7 a b -> drop default inv\n" /* a reply that never went that way */
		 "in error 3 a b quotes icmp 0 7 b a -> pass related rel\n"
		 "in error 3 a b quotes icmp 8 7 b a -> drop rule1 inv\n"
		 "in icmp 128 7 a6 b6 -> pass rule0 new\n"
		 "out error 1 b6 a6 quotes icmp 128 7 a6 b6 -> pass related rel\n"
		 "in error 1 a6 b6 quotes icmp 129 7 b6 a6 -> pass related rel\n",
		 POLICY(IN_DROP(PASSES(KEEP), DROPS()), CLOSED));
	/* errors about errors, and about messages that have no flow */
	SEQUENCE(UDP_FLOW "out error 3 b a quotes error 3 a b quotes udp b:53 a:9 -> drop default inv\n"
			  "in icmp 9 0 a b -> pass rule0 new\nout error 3 b a quotes icmp 9 0 a b -> drop default inv\n",
		 ALL_KEPT);
}

static void forged_errors(void **state)
{
	/* no flow, another port, another host; the right one the wrong way */
	SEQUENCE("out error 3 b a quotes udp a:9 b:53 -> drop default inv\n" UDP_FLOW
		 "out error 3 b a quotes udp a:9 b:54 -> drop default inv\n"
		 "out error 3 b a quotes udp a:10 b:53 -> drop default inv\n"
		 "out error 3 b a quotes udp a:9 f:53 -> drop default inv\n"
		 "out error 3 b a quotes tcp a:9 b:53 S -> drop default inv\n"
		 "out error 3 b a quotes udp b:53 a:9 -> drop default inv\n"
		 "in error 3 b a quotes udp a:9 b:53 -> drop default inv\n",
		 POLICY(IN_DROP(PASSES(KEEP)), CLOSED));
	/* to somebody else than the quoted packet came from */
	SEQUENCE(UDP_FLOW UDP_FLOW6 "out error 3 b c quotes udp a:9 b:53 -> drop default inv\n"
				    "out error 1 b6 c6 quotes udp a6:9 b6:53 -> drop default inv\n"
				    "out error 3 b a quotes udp c:9 b:53 -> drop default inv\n",
		 ALL_KEPT);
	/* a quote of the other family */
	SEQUENCE(UDP_FLOW UDP_FLOW6 "out error 3 b a quotes udp a6:9 b6:53 -> drop default inv\n"
				    "out error 1 b6 a6 quotes udp a:9 b:53 -> drop default inv\n",
		 ALL_KEPT);
	/* types that are no errors quote nothing */
	SEQUENCE(UDP_FLOW UDP_FLOW6 "out error 1 b a quotes udp a:9 b:53 -> drop default new\n"
				    "out error 0 b a quotes udp a:9 b:53 -> drop default inv\n"
				    "out error 5 b6 a6 quotes udp a6:9 b6:53 -> drop default new\n",
		 ALL_KEPT);
}

static void quotes_that_are_cut_or_odd(void **state)
{
	/* 20 + 8 bytes are enough, one less is not */
	SEQUENCE(UDP_FLOW "out error 3 b a cut 28 quotes udp a:9 b:53 -> pass related rel\n"
			  "out error 3 b a cut 27 quotes udp a:9 b:53 -> drop default inv\n"
			  "out error 3 b a cut 20 quotes udp a:9 b:53 -> drop default inv\n"
			  "out error 3 b a cut 19 quotes udp a:9 b:53 -> drop default inv\n"
			  "out error 3 b a cut 0 quotes udp a:9 b:53 -> drop default inv\n",
		 ALL_KEPT);
	SEQUENCE(UDP_FLOW6 "out error 1 b6 a6 cut 48 quotes udp a6:9 b6:53 -> pass related rel\n"
			   "out error 1 b6 a6 cut 47 quotes udp a6:9 b6:53 -> drop default inv\n"
			   "out error 1 b6 a6 cut 40 quotes udp a6:9 b6:53 -> drop default inv\n"
			   "out error 1 b6 a6 cut 39 quotes udp a6:9 b6:53 -> drop default inv\n",
		 ALL_KEPT);
	/* version, header length, fragment offset; lengths and checksums do not matter, more fragments do not either */
	SEQUENCE(UDP_FLOW "out error 3 b a byte 0 0x55 quotes udp a:9 b:53 -> drop default inv\n"
			  "out error 3 b a byte 0 0x44 quotes udp a:9 b:53 -> drop default inv\n"
			  "out error 3 b a byte 0 0x46 quotes udp a:9 b:53 -> drop default inv\n"
			  "out error 3 b a byte 7 1 quotes udp a:9 b:53 -> drop default inv\n"
			  "out error 3 b a byte 6 0x20 quotes udp a:9 b:53 -> pass related rel\n"
			  "out error 3 b a byte 2 9 byte 3 9 byte 10 9 quotes udp a:9 b:53 -> pass related rel\n",
		 ALL_KEPT);
	/* with options: ports stand 4 bytes later (here 0 as what fills up), and 8 bytes behind the header must be there */
	SEQUENCE("in udp a:0 b:9 len 36 -> pass rule0 new\n"
		 "out error 3 b a byte 0 0x46 byte 24 0 byte 25 0 byte 26 0 byte 27 9 quotes udp a:9 b:53 len 36 -> pass related "
		 "rel\n"
		 "out error 3 b a cut 31 byte 0 0x46 byte 24 0 byte 25 0 byte 26 0 byte 27 9 quotes udp a:9 b:53 len 36 -> drop "
		 "default inv\n",
		 ALL_KEPT);
	/* IPv6: version; every extension header; no next header is a protocol like another */
	SEQUENCE(UDP_FLOW6 "out error 1 b6 a6 byte 0 0x40 quotes udp a6:9 b6:53 -> drop default inv\n"
			   "out error 1 b6 a6 byte 6 0 quotes udp a6:9 b6:53 -> drop default inv\n"
			   "out error 1 b6 a6 byte 6 43 quotes udp a6:9 b6:53 -> drop default inv\n"
			   "out error 1 b6 a6 byte 6 44 quotes udp a6:9 b6:53 -> drop default inv\n"
			   "out error 1 b6 a6 byte 6 51 quotes udp a6:9 b6:53 -> drop default inv\n"
			   "out error 1 b6 a6 byte 6 60 quotes udp a6:9 b6:53 -> drop default inv\n"
			   "out error 1 b6 a6 byte 6 47 quotes udp a6:9 b6:53 -> drop default inv\n"
			   "in gre a6 b6 -> pass rule0 new\n"
			   "out error 1 b6 a6 byte 6 47 quotes udp a6:9 b6:53 -> pass related rel\n",
		 ALL_KEPT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(udp),
		cmocka_unit_test(a_timeout_ends_at_its_tick),
		cmocka_unit_test(queries),
		cmocka_unit_test(other_icmp_has_no_flow),
		cmocka_unit_test(the_rest),
		cmocka_unit_test(fragments),
		cmocka_unit_test(errors_about_a_flow),
		cmocka_unit_test(errors_about_queries),
		cmocka_unit_test(forged_errors),
		cmocka_unit_test(quotes_that_are_cut_or_odd),
	};

	return cmocka_run_group_tests_name("track: other protocols", tests, NULL, NULL);
}
