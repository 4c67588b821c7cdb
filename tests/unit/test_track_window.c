// SPDX-License-Identifier: GPL-2.0-only
/* Windows of TCP, worked out by hand from track.h, 11 to 13: the last number that passes, and the first that does not. */
#include "unit/track_words.h"

/* Connections to port 22 from outside; all else is closed. */
#define SSH    POLICY(IN_DROP(PASSES(TCP, PORT(22), KEEP)), CLOSED, .state.window = true)
#define PICKUP POLICY(IN_DROP(PASSES(TCP, PORT(22), KEEP)), CLOSED, .state.window = true, .state.pickup_s = UINT32_MAX)

#define IN(words)  "in tcp a:1000 b:22 " words
#define OUT(words) "out tcp b:22 a:1000 " words
#define PASS	   " -> pass established est\n"
#define OUTSIDE	   " -> drop tcp-window est\n"
#define OPENS	   " -> pass rule0 new\n"

/*
 * No scale. From here on: the opener's end is 1001, it may send up to 3001; the other's is 5001, and 6001. Both windows are below 2^16, so
 * 65536 behind the end is the oldest: 4294902761 and 4294906761.
 */
#define HANDSHAKE                                                                                                                \
	IN("S seq 1000 win 1000") OPENS OUT("SA seq 5000 ack 1001 win 2000") PASS IN("A seq 1001 ack 5001 win 1000") PASS

static void up_to_what_the_other_side_allows(void **state)
{
	SEQUENCE(HANDSHAKE IN("A seq 3003 ack 5001") OUTSIDE /* nothing in it, and yet too far */
		 IN("A seq 2001 ack 5001 data 1002") OUTSIDE IN("A seq 2999 ack 5001 data 4") OUTSIDE
		 IN("A seq 2001 ack 5001 data 1000") PASS IN("A seq 3001 ack 5001 data 1") PASS /* probe of a closed window */
		 IN("FA seq 3001 ack 5001") PASS,
		 SSH);
	SEQUENCE(HANDSHAKE OUT("A seq 5001 ack 1001 data 1002") OUTSIDE OUT("A seq 5001 ack 1001 data 1000") PASS, SSH);
	/* another acknowledgement allows more; an old one, or a smaller window, does not take it back */
	SEQUENCE(HANDSHAKE IN("A seq 1001 ack 5001 data 1000") PASS OUT("A seq 5001 ack 2001 win 2000") PASS
		 OUT("A seq 5001 ack 2001 win 0") PASS OUT("A seq 5001 ack 1001 win 1000") PASS
		 IN("A seq 4001 ack 5001 data 2") OUTSIDE IN("A seq 4001 ack 5001 data 1") PASS,
		 SSH);
	/* a window that was never open */
	SEQUENCE(IN("S seq 1000 win 0") OPENS OUT("SA seq 5000 ack 1001 win 0") PASS IN("A seq 1001 ack 5001 win 0") PASS
		 IN("A seq 1001 ack 5001 data 2") OUTSIDE IN("A seq 1001 ack 5001 data 1") PASS,
		 SSH);
}

static void down_to_what_may_still_be_sent_again(void **state)
{
	SEQUENCE(HANDSHAKE IN("A seq 4294902760 ack 5001") OUTSIDE IN("A seq 4294902761 ack 5001") PASS
		 IN("A seq 4294902700 ack 5001 data 60") OUTSIDE IN("A seq 4294902700 ack 5001 data 61") PASS
		 IN("A seq 1000 ack 5001") PASS		   /* keep-alive */
		 IN("A seq 1000 ack 5001 data 1") PASS /* as others send it */
		 OUT("A seq 4294906760 ack 1001") OUTSIDE OUT("A seq 4294906761 ack 1001") PASS,
		 SSH);
	/* what has long been acknowledged, again: 1001 to 2001 */
	SEQUENCE(HANDSHAKE IN("A seq 1001 ack 5001 data 1000") PASS OUT("A seq 5001 ack 2001 win 2000") PASS
		 IN("A seq 2001 ack 5001 data 1000") PASS OUT("A seq 5001 ack 3001 win 2000") PASS
		 IN("A seq 1001 ack 5001 data 1000") PASS,
		 SSH);
}

static void acknowledgements_of_what_was_sent(void **state)
{
	SEQUENCE(HANDSHAKE IN("A seq 1001 ack 5002") OUTSIDE IN("A seq 1001 ack 4294906760") OUTSIDE
		 IN("A seq 1001 ack 4294906761") PASS IN("A seq 1001 ack 5000") PASS
		 OUT("A seq 5001 ack 1002") OUTSIDE OUT("PA seq 5001 ack 1001 data 100") PASS
		 IN("A seq 1001 ack 5102") OUTSIDE IN("A seq 1001 ack 5101") PASS,
		 SSH);
	/* one that is forged moves nothing: the limit stays 3001 */
	SEQUENCE(HANDSHAKE OUT("A seq 5001 ack 1002 win 65535") OUTSIDE IN("A seq 3001 ack 5001 data 2") OUTSIDE, SSH);
	/* without ACK its number says nothing */
	SEQUENCE(HANDSHAKE IN("P seq 1001 ack 9999 data 5") PASS IN("P seq 3000 data 3") OUTSIDE, SSH);
	/* the answer to a SYN */
	SEQUENCE(IN("S seq 1000") OPENS OUT("SA seq 5000 ack 1002") OUTSIDE OUT("SA seq 5000 ack 4294902760") OUTSIDE
		 OUT("SA seq 5000 ack 1001") PASS,
		 SSH);
}

static void windows_are_scaled_when_both_sides_can(void **state)
{
	/* 1000 << 7: the other may send up to 5001 + 128000 = 133001. The window in a SYN is not scaled: 3001 */
	SEQUENCE(IN("S seq 1000 win 1000 scale 7") OPENS OUT("SA seq 5000 ack 1001 win 2000 scale 2") PASS
		 IN("A seq 1001 ack 5001 win 1000") PASS IN("A seq 3001 ack 5001 win 0 data 2") OUTSIDE
		 OUT("A seq 133001 ack 1001 win 1000 data 2") OUTSIDE OUT("A seq 5001 ack 1001 win 1000") PASS
		 /* 1000 << 2 */
		 IN("A seq 5001 ack 5001 win 0 data 2") OUTSIDE IN("A seq 5001 ack 5001 win 0 data 1") PASS
		 OUT("A seq 133001 ack 1001 data 1") PASS
		 /* 128000 is eight units of 2^14: the oldest is 133002 - 131072 = 1930 */
		 OUT("A seq 1929 ack 1001") OUTSIDE OUT("A seq 1930 ack 1001") PASS,
		 SSH);
	SEQUENCE(IN("S seq 1000 win 1000 scale 7") OPENS OUT("SA seq 5000 ack 1001 win 2000") PASS
		 IN("A seq 1001 ack 5001 win 1000") PASS OUT("A seq 6001 ack 1001 data 2") OUTSIDE,
		 SSH);
	SEQUENCE(IN("S seq 1000 win 1000") OPENS OUT("SA seq 5000 ack 1001 win 2000 scale 7") PASS
		 IN("A seq 1001 ack 5001 win 1000") PASS OUT("A seq 5001 ack 1001 win 2000") PASS
		 IN("A seq 3001 ack 5001 data 2") OUTSIDE,
		 SSH);
	/* more than 14 is 14: 5001 + (1 << 14) = 21385 */
	SEQUENCE(IN("S seq 1000 win 1000 scale 200") OPENS OUT("SA seq 5000 ack 1001 win 2000 scale 0") PASS
		 IN("A seq 1001 ack 5001 win 1") PASS OUT("A seq 21385 ack 1001 data 2") OUTSIDE
		 OUT("A seq 21385 ack 1001 data 1") PASS,
		 SSH);
}

static void numbers_go_around(void **state)
{
	SEQUENCE(IN("S seq 4294967295 win 1000") OPENS OUT("SA seq 4294967290 ack 0 win 2000") PASS
		 IN("A seq 0 ack 4294967291 win 1000") PASS OUT("A seq 4294967291 ack 0 win 2000 data 100") PASS
		 IN("A seq 0 ack 96 data 10") OUTSIDE IN("A seq 0 ack 95 data 10") PASS
		 IN("A seq 4294967290 ack 95 data 6") PASS IN("A seq 2001 ack 95 data 1") OUTSIDE
		 OUT("A seq 4294901855 ack 0") PASS OUT("A seq 4294901854 ack 0") OUTSIDE,
		 SSH);
}

static void resets(void **state)
{
	SEQUENCE(HANDSHAKE IN("R seq 3002") OUTSIDE IN("R seq 4294902760") OUTSIDE IN("RA seq 1001 ack 5002") OUTSIDE
		 OUT("R seq 6002") OUTSIDE OUT("R seq 4294906760") OUTSIDE OUT("RA seq 5001 ack 1002") OUTSIDE
		 /* those did not end it */
		 "before 432000s\nflows 1\n" OUT("R seq 6001") PASS "before 10s\nflows 1\nafter 1ns\nflows 0\n",
		 SSH);
	SEQUENCE(HANDSHAKE IN("RA seq 1001 ack 5001") PASS "before 10s\nflows 1\nafter 1ns\nflows 0\n", SSH);
	/* segments of its sender that were lost before */
	SEQUENCE(HANDSHAKE IN("R seq 3001") PASS, SSH);
	/* it tells nothing */
	SEQUENCE(HANDSHAKE IN("RA seq 3001 ack 5001 win 65535 data 9") PASS OUT("A seq 5001 ack 1002") OUTSIDE
		 OUT("A seq 6001 ack 1001 data 2") OUTSIDE,
		 SSH);
	/* nobody listens */
	SEQUENCE(IN("S seq 1000") OPENS OUT("R seq 0") OUTSIDE OUT("RA ack 1002") OUTSIDE OUT("RA ack 1001") PASS, SSH);
}

/* The end inside has another connection of these ports, which the opener does not know of. */
static void half_open_connections_are_found_out(void **state)
{
	SEQUENCE(IN("S seq 1000") OPENS OUT("A seq 7777777 ack 8888888") PASS IN("R seq 8888888") PASS
		 IN("S seq 1000") PASS OUT("SA seq 5000 ack 1001") PASS IN("A seq 1001 ack 5001") PASS
		 IN("A seq 8888888 ack 5001") OUTSIDE,
		 SSH);
	/* and here it is the firewall that knows the old one */
	SEQUENCE(HANDSHAKE IN("S seq 900000") PASS OUT("A seq 5001 ack 1001") PASS IN("R seq 1001") PASS
		 IN("S seq 900000") PASS OUT("SA seq 700000 ack 900001 win 2000") PASS
		 IN("A seq 1001 ack 5001") OUTSIDE IN("A seq 900001 ack 700001") PASS
		 IN("A seq 902001 ack 700001 data 2") OUTSIDE,
		 SSH);
	/* or refuses */
	SEQUENCE(HANDSHAKE IN("S seq 900000") PASS OUT("RA ack 900001") PASS, SSH);
	/* only then */
	SEQUENCE(HANDSHAKE OUT("SA seq 700000 ack 900001") OUTSIDE OUT("RA ack 900001") OUTSIDE, SSH);
	SEQUENCE(HANDSHAKE IN("S seq 900000") PASS IN("A seq 1001 ack 5001") PASS OUT("SA seq 700000 ack 900001") OUTSIDE
		 OUT("RA ack 900001") OUTSIDE,
		 SSH);
	/* a SYN alone moves nothing */
	SEQUENCE(HANDSHAKE IN("S seq 900000 win 65535") PASS OUT("A seq 6001 ack 1001 data 2") OUTSIDE
		 OUT("A seq 5001 ack 900001") OUTSIDE IN("A seq 1001 ack 5001") PASS,
		 SSH);
}

static void taken_up_in_mid_stream(void **state)
{
	/* 10 << 14: up to 5001 + 163840 = 168841. What the opener sent before, nobody knows; its answer passes at once */
	SEQUENCE(IN("A seq 1001 ack 5001 win 10") OPENS OUT("A seq 168841 ack 99999 win 10 data 2") OUTSIDE
		 OUT("A seq 5001 ack 99999 win 10 data 100") PASS
		 /* now: up to 99999 + 163840 = 263839 */
		 OUT("A seq 5101 ack 263840 win 10") OUTSIDE OUT("A seq 5101 ack 263839 win 10") PASS
		 IN("A seq 427679 ack 5101 win 10 data 2") OUTSIDE IN("A seq 427679 ack 5101 win 10 data 1") PASS
		 /* the other's end is 5101, its limit 168941 */
		 IN("A seq 1001 ack 168942 win 10") OUTSIDE IN("A seq 263000 ack 5101 win 10") OUTSIDE
		 IN("A seq 263840 ack 168941 win 10") PASS,
		 PICKUP);
	/* an answer of somebody who knows nothing: as from the acknowledgement */
	SEQUENCE(IN("A seq 1001 ack 5001 win 10") OPENS OUT("R seq 5001") PASS, PICKUP);
	SEQUENCE(IN("A seq 1001 ack 5001 win 10") OPENS OUT("R seq 168842") OUTSIDE OUT("R seq 5000") OUTSIDE, PICKUP);
}

static void a_fragment_hides_its_end(void **state)
{
	SEQUENCE(HANDSHAKE IN("A first seq 1001 ack 5001 data 16") PASS OUT("A seq 5001 ack 3001 win 2000") PASS
		 OUT("A seq 5001 ack 5002 win 2000") OUTSIDE,
		 SSH);
}

static void without_the_option_nothing_is_looked_at(void **state)
{
	struct policy *off = SSH;

	off->state.window = false;
	SEQUENCE(HANDSHAKE IN("A seq 99999 ack 99999 data 100") PASS OUT("R seq 77777") PASS, off);
	/* numbers from before a time without it are forgotten */
	SEQUENCE(HANDSHAKE IN("A seq 3001 ack 5001 data 2") OUTSIDE "policy 1\n" IN("A seq 800000 ack 900000 data 2") PASS
		 "policy 0\n" IN("A seq 800002 ack 900000 win 10 data 2") PASS OUT("A seq 900000 ack 800004") PASS
		 IN("A seq 1001 ack 900000 win 10 data 1") PASS /* no scale is known, so windows are wide */
		 OUT("A seq 2000000 ack 800004") OUTSIDE,
		 SSH, off);
}

/* The rules are not asked, `count` included; it is no packet that somebody may log as let through. */
static void dropped_before_the_rules(void **state)
{
	struct policy *asked = POLICY(IN_DROP(COUNTS(STATE_IS(ESTABLISHED)), PASSES(TCP, PORT(22), KEEP)), .state.window = true);
	struct policy *one_way = POLICY(IN_DROP(PASSES(TCP, PORT(22), KEEP)), .state.window = true);

	assert_int_equal(SEQUENCE(IN("S seq 1000 win 1000") " -> pass rule1 new\n" OUT("SA seq 5000 ack 1001 win 2000") PASS
				  IN("A seq 1001 ack 5001 win 1000") PASS IN("A seq 3001 ack 5001 data 2") OUTSIDE,
				  asked),
			 1);
	/* where no block stands, too */
	SEQUENCE(HANDSHAKE OUT("A seq 6001 ack 1001 data 2") OUTSIDE, one_way);
}

int main(void)
{
#define T(name) { #name, name, NULL, NULL, NULL }
	const struct CMUnitTest tests[] = {
		T(up_to_what_the_other_side_allows),
		T(down_to_what_may_still_be_sent_again),
		T(acknowledgements_of_what_was_sent),
		T(windows_are_scaled_when_both_sides_can),
		T(numbers_go_around),
		T(resets),
		T(half_open_connections_are_found_out),
		T(taken_up_in_mid_stream),
		T(a_fragment_hides_its_end),
		T(without_the_option_nothing_is_looked_at),
		T(dropped_before_the_rules),
	};

	return cmocka_run_group_tests_name("unit/track_window", tests, NULL, NULL);
}
