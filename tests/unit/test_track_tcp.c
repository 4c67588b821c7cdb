// SPDX-License-Identifier: GPL-2.0-only
/* Flows of TCP, worked out by hand from track.h: each transition of a connection, and what happens around it. */
#include "unit/track_words.h"

/* Both ways closed but for connections to port 22 from outside. */
#define SSH POLICY(IN_DROP(PASSES(TCP, PORT(22), KEEP)), CLOSED)

#define HANDSHAKE                                                                                                                \
	"in tcp a:1000 b:22 S -> pass rule0 new\n"                                                                               \
	"out tcp b:22 a:1000 SA -> pass established est\n"                                                                       \
	"in tcp a:1000 b:22 A -> pass established est\n"
#define GOES_ON "in tcp a:1000 b:22 A -> pass established est\n"
#define IS_GONE "in tcp a:1000 b:22 A -> drop default inv\n"
/* When does it end, from now on? */
#define ENDS_AFTER(time) "before " time "\nflows 1\nafter 1ns\nflows 0\n" IS_GONE

static void a_connection_from_beginning_to_end(void **state)
{
	SEQUENCE(HANDSHAKE "in tcp a:1000 b:22 PA -> pass established est\n"
			   "out tcp b:22 a:1000 A -> pass established est\n"
			   "out tcp b:22 a:1000 PA -> pass established est\n"
			   "in tcp a:1000 b:22 FA -> pass established est\n"
			   "out tcp b:22 a:1000 A -> pass established est\n"
			   "out tcp b:22 a:1000 FA -> pass established est\n"
			   "in tcp a:1000 b:22 A -> pass established est\n" ENDS_AFTER("10s"),
		 SSH);
}

static void only_what_belongs_to_it_passes(void **state)
{
	SEQUENCE("in tcp a:1000 b:22 S -> pass rule0 new\n"
		 "out tcp b:22 a:1001 SA -> drop default inv\n"
		 "out tcp b:23 a:1000 SA -> drop default inv\n"
		 "out tcp f:22 a:1000 SA -> drop default inv\n"
		 "out tcp b:22 c:1000 SA -> drop default inv\n"
		 "out tcp b6:22 a6:1000 SA -> drop default inv\n"
		 "out udp b:22 a:1000 -> drop default new\n"
		 "in tcp b:22 a:1000 SA -> drop default inv\n" /* not the direction of replies */
		 "out tcp a:1000 b:22 S -> drop default new\n"
		 "out tcp b:22 a:1000 SA -> pass established est\n",
		 SSH);
}

static void both_families(void **state)
{
	SEQUENCE("in tcp a6:1000 b6:22 S -> pass rule0 new\n"
		 "out tcp b6:22 a6:1000 SA -> pass established est\n"
		 "in tcp a6:1000 b6:22 A -> pass established est\n"
		 "flows 1\n"
		 "in tcp a:1000 b:22 A -> drop default inv\n",
		 SSH);
}

/* Ends say where a flow stands: syn 30 s, established 432000 s, closing 120 s, closed 10 s. */
static void states_by_their_timeouts(void **state)
{
	static const struct {
		const char *what, *text;
	} cases[] = {
		{ "opened", "in tcp a:1000 b:22 S -> pass rule0 new\n" ENDS_AFTER("30s") },
		{ "SYN again", "in tcp a:1000 b:22 S -> pass rule0 new\nafter 20s\n"
			       "in tcp a:1000 b:22 S -> pass established est\n" ENDS_AFTER("30s") },
		{ "ACK before any reply: still opened", "in tcp a:1000 b:22 S -> pass rule0 new\n" GOES_ON ENDS_AFTER("30s") },
		{ "replied", "in tcp a:1000 b:22 S -> pass rule0 new\n"
			     "out tcp b:22 a:1000 SA -> pass established est\n" ENDS_AFTER("30s") },
		{ "SYN+ACK again, SYN again", "in tcp a:1000 b:22 S -> pass rule0 new\n"
					      "out tcp b:22 a:1000 SA -> pass established est\n"
					      "out tcp b:22 a:1000 SA -> pass established est\n"
					      "in tcp a:1000 b:22 S -> pass established est\n" ENDS_AFTER("30s") },
		{ "established", HANDSHAKE ENDS_AFTER("432000s") },
		{ "the other side goes on",
		  HANDSHAKE "after 20s\nout tcp b:22 a:1000 PA -> pass established est\n" ENDS_AFTER("432000s") },
		{ "no flags do not reply",
		  "in tcp a:1000 b:22 S -> pass rule0 new\nout tcp b:22 a:1000 - -> pass established est\n" GOES_ON ENDS_AFTER(
			  "30s") },
		{ "PSH alone does not reply",
		  "in tcp a:1000 b:22 S -> pass rule0 new\nout tcp b:22 a:1000 P -> pass established est\n" GOES_ON ENDS_AFTER(
			  "30s") },
		{ "a reply without SYN replies",
		  "in tcp a:1000 b:22 S -> pass rule0 new\nout tcp b:22 a:1000 A -> pass established est\n" GOES_ON ENDS_AFTER(
			  "432000s") },
		{ "a SYN alone does not establish",
		  "in tcp a:1000 b:22 S -> pass rule0 new\nout tcp b:22 a:1000 SA -> pass established est\n"
		  "in tcp a:1000 b:22 S -> pass established est\n" ENDS_AFTER("30s") },
		{ "PSH alone does not establish",
		  "in tcp a:1000 b:22 S -> pass rule0 new\nout tcp b:22 a:1000 SA -> pass established est\n"
		  "in tcp a:1000 b:22 P -> pass established est\n" ENDS_AFTER("30s") },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		print_message("# %s\n", cases[i].what);
		SEQUENCE(cases[i].text, SSH);
	}
}

static void simultaneous_open(void **state)
{
	SEQUENCE("in tcp a:1000 b:22 S -> pass rule0 new\n"
		 "out tcp b:22 a:1000 S -> pass established est\n"
		 "in tcp a:1000 b:22 SA -> pass established est\n"
		 "out tcp b:22 a:1000 SA -> pass established est\n"
		 "flows 1\n" ENDS_AFTER("432000s"),
		 SSH);
}

static void reset_in_every_state(void **state)
{
	SEQUENCE("in tcp a:1000 b:22 R -> drop default inv\nin tcp a:1000 b:22 RA -> drop default inv\nflows 0\n", SSH);
	/* opened: by the opener, refused by the other side */
	SEQUENCE("in tcp a:1000 b:22 S -> pass rule0 new\nin tcp a:1000 b:22 R -> pass established est\n" ENDS_AFTER("10s"), SSH);
	SEQUENCE("in tcp a:1000 b:22 S -> pass rule0 new\nout tcp b:22 a:1000 RA -> pass established est\n" ENDS_AFTER("10s"),
		 SSH);
	/* a reset is no reply */
	SEQUENCE("in tcp a:1000 b:22 S -> pass rule0 new\nout tcp b:22 a:1000 RA -> pass established est\n" GOES_ON ENDS_AFTER(
			 "30s"),
		 SSH);
	/* replied; a reset with ACK does not establish */
	SEQUENCE("in tcp a:1000 b:22 S -> pass rule0 new\nout tcp b:22 a:1000 SA -> pass established est\n"
		 "in tcp a:1000 b:22 RA -> pass established est\n" ENDS_AFTER("10s"),
		 SSH);
	SEQUENCE("in tcp a:1000 b:22 S -> pass rule0 new\nout tcp b:22 a:1000 SA -> pass established est\n"
		 "in tcp a:1000 b:22 RA -> pass established est\n"
		 "in tcp a:1000 b:22 P -> pass established est\n" ENDS_AFTER("30s"),
		 SSH);
	/* established, both sides */
	SEQUENCE(HANDSHAKE "in tcp a:1000 b:22 R -> pass established est\n" ENDS_AFTER("10s"), SSH);
	SEQUENCE(HANDSHAKE "out tcp b:22 a:1000 R -> pass established est\n" ENDS_AFTER("10s"), SSH);
	/* a forged one changes nothing for long: the next packet sets the end anew */
	SEQUENCE(HANDSHAKE "out tcp b:22 a:1000 R -> pass established est\nbefore 10s\n" GOES_ON ENDS_AFTER("432000s"), SSH);
	/* closing, closed */
	SEQUENCE(HANDSHAKE "in tcp a:1000 b:22 FA -> pass established est\n"
			   "out tcp b:22 a:1000 RA -> pass established est\n" ENDS_AFTER("10s"),
		 SSH);
	SEQUENCE(HANDSHAKE "in tcp a:1000 b:22 FA -> pass established est\nout tcp b:22 a:1000 FA -> pass established est\n"
			   "after 5s\nin tcp a:1000 b:22 R -> pass established est\n" ENDS_AFTER("10s"),
		 SSH);
	/* a FIN with RST is no FIN: the flow is established still */
	SEQUENCE(HANDSHAKE "in tcp a:1000 b:22 FRA -> pass established est\n" GOES_ON ENDS_AFTER("432000s"), SSH);
}

static void fin_in_either_order(void **state)
{
#define FIN_IN	"in tcp a:1000 b:22 FA -> pass established est\n"
#define FIN_OUT "out tcp b:22 a:1000 FA -> pass established est\n"
#define ACK_OUT "out tcp b:22 a:1000 A -> pass established est\n"
	SEQUENCE(HANDSHAKE FIN_IN ENDS_AFTER("120s"), SSH);
	SEQUENCE(HANDSHAKE FIN_OUT ENDS_AFTER("120s"), SSH);
	SEQUENCE(HANDSHAKE FIN_IN FIN_IN ENDS_AFTER("120s"), SSH);	     /* again is not both */
	SEQUENCE(HANDSHAKE FIN_OUT GOES_ON ACK_OUT ENDS_AFTER("120s"), SSH); /* half closed */
	SEQUENCE(HANDSHAKE FIN_IN FIN_OUT ENDS_AFTER("10s"), SSH);
	SEQUENCE(HANDSHAKE FIN_OUT FIN_IN ENDS_AFTER("10s"), SSH);
	SEQUENCE(HANDSHAKE FIN_OUT FIN_IN "before 10s\n" ACK_OUT ENDS_AFTER("10s"), SSH);
	/* before the handshake is over */
	SEQUENCE("in tcp a:1000 b:22 S -> pass rule0 new\nin tcp a:1000 b:22 FA -> pass established est\n" ENDS_AFTER("120s"),
		 SSH);
	SEQUENCE("in tcp a:1000 b:22 S -> pass rule0 new\nout tcp b:22 a:1000 FA -> pass established est\n" ENDS_AFTER("120s"),
		 SSH);
}

static void ports_are_used_again(void **state)
{
	/* after both FINs a new SYN opens a new flow, whose timeouts begin anew */
	SEQUENCE(HANDSHAKE FIN_IN FIN_OUT "in tcp a:1000 b:22 S -> pass rule0 new\nflows 1\n" ENDS_AFTER("30s"), SSH);
	SEQUENCE(HANDSHAKE FIN_IN FIN_OUT HANDSHAKE ENDS_AFTER("432000s"), SSH);
	/* the other side's SYN does not, nor one with ACK, nor after one FIN */
	SEQUENCE(HANDSHAKE FIN_IN FIN_OUT "out tcp b:22 a:1000 S -> pass established est\n" ENDS_AFTER("10s"), SSH);
	SEQUENCE(HANDSHAKE FIN_IN FIN_OUT "in tcp a:1000 b:22 SA -> pass established est\n" ENDS_AFTER("10s"), SSH);
	SEQUENCE(HANDSHAKE FIN_OUT "in tcp a:1000 b:22 S -> pass established est\n", SSH);
	/* what the rules no longer pass does not come in by that */
	SEQUENCE(HANDSHAKE FIN_IN FIN_OUT "policy 1\nin tcp a:1000 b:22 S -> drop rule0 new\nflows 0\n", SSH,
		 POLICY(IN_DROP(DROPS(TCP), PASSES(UDP, KEEP))));
	/* SYN+FIN ends it, too, and is invalid */
	SEQUENCE(HANDSHAKE FIN_IN FIN_OUT "in tcp a:1000 b:22 SF -> drop default inv\nflows 0\n", SSH);
	/* when its time has come */
	SEQUENCE("in tcp a:1000 b:22 S -> pass rule0 new\nbefore 30s\nafter 1ns\n"
		 "out tcp b:22 a:1000 SA -> drop default inv\n"
		 "in tcp a:1000 b:22 S -> pass rule0 new\nflows 1\n",
		 SSH);
}

/* A SYN inside an established connection (an attacker's, or a peer that has forgotten) keeps nothing alive. */
static void a_syn_in_between_leaves_the_end(void **state)
{
	SEQUENCE(HANDSHAKE "before 432000s\nin tcp a:1000 b:22 S -> pass established est\nafter 1ns\n" IS_GONE, SSH);
	SEQUENCE(HANDSHAKE FIN_OUT "before 120s\nin tcp a:1000 b:22 S -> pass established est\nafter 1ns\n" IS_GONE, SSH);
	/* of the other side, or with ACK, it is a packet like others */
	SEQUENCE(HANDSHAKE "before 432000s\nout tcp b:22 a:1000 S -> pass established est\nafter 1s\n" GOES_ON, SSH);
	SEQUENCE(HANDSHAKE "before 432000s\nin tcp a:1000 b:22 SA -> pass established est\nafter 1s\n" GOES_ON, SSH);
	/* its FIN is remembered all the same */
	SEQUENCE(HANDSHAKE
		 "in tcp a:1000 b:22 SF -> pass established est\nout tcp b:22 a:1000 A -> pass established est\n" ENDS_AFTER(
			 "120s"),
		 SSH);
}

static void what_begins_a_connection(void **state)
{
	static const struct {
		const char *flags, *off, *on;
	} cases[] = {
		{ "S", "pass rule0 new", "pass rule0 new" },	     { "SP", "pass rule0 new", "pass rule0 new" },
		{ "SA", "drop default inv", "drop default inv" },    { "SF", "drop default inv", "drop default inv" },
		{ "SR", "drop default inv", "drop default inv" },    { "-", "drop default inv", "drop default inv" },
		{ "P", "drop default inv", "drop default inv" },     { "F", "drop default inv", "drop default inv" },
		{ "R", "drop default inv", "drop default inv" },     { "RA", "drop default inv", "drop default inv" },
		{ "A", "drop default inv", "pass rule0 new" },	     { "PA", "drop default inv", "pass rule0 new" },
		{ "FA", "drop default inv", "pass rule0 new" },	     { "FPA", "drop default inv", "pass rule0 new" },
		{ "SFRPA", "drop default inv", "drop default inv" },
	};
	struct policy *always = SSH;

	always->state.pickup_s = UINT32_MAX;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char line[80];

		snprintf(line, sizeof(line), "in tcp a:1000 b:22 %s -> %s\n", cases[i].flags, cases[i].off);
		SEQUENCE(line, SSH);
		snprintf(line, sizeof(line), "after 999999s\nin tcp a:1000 b:22 %s -> %s\n", cases[i].flags, cases[i].on);
		SEQUENCE(line, always);
	}
}

static void taken_up_in_mid_stream(void **state)
{
	struct policy *hour = SSH;

	hour->state.pickup_s = 3600;
	/* to the nanosecond, after the table was made */
	SEQUENCE("after 3599s\nafter 999999999ns\nin tcp a:1000 b:22 A -> pass rule0 new\n", hour);
	SEQUENCE("after 3600s\nin tcp a:1000 b:22 A -> drop default inv\n", hour);
	/* opened, then replied, then established, as any other */
	SEQUENCE("in tcp a:1000 b:22 PA -> pass rule0 new\nbefore 30s\nflows 1\nafter 1ns\nflows 0\n", hour);
	SEQUENCE("in tcp a:1000 b:22 PA -> pass rule0 new\nout tcp b:22 a:1000 A -> pass established est\n"
		 "in tcp a:1000 b:22 A -> pass established est\nbefore 432000s\nflows 1\nafter 1ns\nflows 0\n",
		 hour);
	/* its FIN is remembered */
	SEQUENCE("in tcp a:1000 b:22 FA -> pass rule0 new\nbefore 120s\nflows 1\nafter 1ns\nflows 0\n", hour);
	SEQUENCE("in tcp a:1000 b:22 FA -> pass rule0 new\nout tcp b:22 a:1000 FA -> pass established est\n"
		 "before 10s\nflows 1\nafter 1ns\nflows 0\n",
		 hour);
	/* the rules decide about it: not to another port */
	SEQUENCE("in tcp a:1000 b:23 A -> drop default new\n", hour);
}

static void replies_take_another_way(void **state)
{
	struct policy *asymmetric = SSH, *both = SSH;

	asymmetric->state.asymmetric = true;
	SEQUENCE("in tcp a:1000 b:22 S -> pass rule0 new\n" GOES_ON ENDS_AFTER("432000s"), asymmetric);
	SEQUENCE("in tcp a:1000 b:22 S -> pass rule0 new\nin tcp a:1000 b:22 SA -> pass established est\n" ENDS_AFTER("30s"),
		 asymmetric);
	SEQUENCE("in tcp a:1000 b:22 S -> pass rule0 new\nin tcp a:1000 b:22 RA -> pass established est\n"
		 "in tcp a:1000 b:22 P -> pass established est\n" ENDS_AFTER("30s"),
		 asymmetric);
	/* taken up, it is established at once */
	both->state.asymmetric = true;
	both->state.pickup_s = UINT32_MAX;
	SEQUENCE("in tcp a:1000 b:22 A -> pass rule0 new\nbefore 432000s\nflows 1\nafter 1ns\nflows 0\n", both);
	SEQUENCE("in tcp a:1000 b:22 S -> pass rule0 new\nbefore 30s\nflows 1\nafter 1ns\nflows 0\n", both);
}

/* Opened from inside, the words change places. */
static void opened_on_egress(void **state)
{
	struct policy *p = POLICY(OUT_DROP(PASSES(TCP, KEEP)), IN_DROP(DROPS(UDP)));

	SEQUENCE("in tcp a:80 b:1000 SA -> drop default inv\n"
		 "out tcp b:1000 a:80 S -> pass rule0 new\n"
		 "in tcp a:80 b:1000 SA -> pass established est\n"
		 "out tcp b:1000 a:80 A -> pass established est\n"
		 "in tcp a:80 b:1000 S -> pass established est\n" /* the other side's */
		 "in tcp a:80 b:1000 FA -> pass established est\n"
		 "out tcp b:1000 a:80 FA -> pass established est\n"
		 "in tcp a:80 b:1000 S -> pass established est\n"
		 "out tcp b:1000 a:80 S -> pass rule0 new\n"
		 "flows 1\n",
		 p);
}

/* One policy on both interfaces of a router: two keys, one where it comes in, one where it leaves. */
static void forwarded(void **state)
{
	struct policy *p = POLICY(IN_DROP(PASSES(TCP, PORT(80), KEEP)), OUT_DROP(PASSES(TCP, PORT(80), KEEP)));

	SEQUENCE("in tcp a:1000 e:80 S -> pass rule0 new\n"
		 "out tcp a:1000 e:80 S -> pass rule0 new\n"
		 "flows 2\n"
		 "in tcp e:80 a:1000 SA -> pass established est\n"
		 "out tcp e:80 a:1000 SA -> pass established est\n"
		 "in tcp a:1000 e:80 A -> pass established est\n"
		 "out tcp a:1000 e:80 A -> pass established est\n"
		 "flows 2\n"
		 "before 432000s\nflows 2\nafter 1ns\nflows 0\n",
		 p);
	/* dropped where it leaves: the flow where it came in waits for nothing */
	SEQUENCE("in tcp a:1000 e:80 S -> pass rule0 new\n"
		 "out tcp a:1000 e:80 S -> drop default new\n"
		 "flows 1\n",
		 POLICY(IN_DROP(PASSES(TCP, KEEP)), CLOSED));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_connection_from_beginning_to_end),
		cmocka_unit_test(only_what_belongs_to_it_passes),
		cmocka_unit_test(both_families),
		cmocka_unit_test(states_by_their_timeouts),
		cmocka_unit_test(simultaneous_open),
		cmocka_unit_test(reset_in_every_state),
		cmocka_unit_test(fin_in_either_order),
		cmocka_unit_test(ports_are_used_again),
		cmocka_unit_test(a_syn_in_between_leaves_the_end),
		cmocka_unit_test(what_begins_a_connection),
		cmocka_unit_test(taken_up_in_mid_stream),
		cmocka_unit_test(replies_take_another_way),
		cmocka_unit_test(opened_on_egress),
		cmocka_unit_test(forwarded),
	};

	return cmocka_run_group_tests_name("track: tcp", tests, NULL, NULL);
}
