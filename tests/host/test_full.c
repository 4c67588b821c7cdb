// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tables that are full at every insert: of flows, half-open flows, limits, seats, live sets. One set of eight cells each, so
 * that every key meets every other one. Nothing that lives is pushed out, what finds no room is dropped or passed as the rules
 * say, and each packet counts once.
 */
#include "host/judge.h"

#include "lang/lang.h"

#include <stdio.h>

#define NSLOTS 1024
#define SECOND 1000000000ull
#define SYN 2
#define ACK 16
#define RST 4

static struct arena *arena;
static struct image img;
static uint64_t packets; /* judged so far */

static struct fw_ctl *ctl(void)
{
	return fw_ctl.value;
}

/* A policy in force, its tables empty. sets: of flows, and of half-open ones; of cells for limits there is one. */
static void open_rules(const char *text, size_t flow_sets, size_t pend_sets)
{
	struct ruleset *rs = NULL;
	struct diags d;
	uint32_t ids[FW_MAX_LIVE] = { 0, 1, 2, 3, 4, 5, 6, 7 };
	struct fw_live_ctl *live;

	if (!arena)
		arena = arena_new();
	diags_init(&d, arena);
	if (lang_parse(arena, "t.fw", text, strlen(text), NULL, &d, &rs)) {
		struct str said = {};

		diags_print(&d, &said);
		fail_msg("%s", str_get(&said));
	}
	diags_fini(&d);
	image_fini(&img);
	expect_compile(arena, &rs->policies[0], FW_DIR_INGRESS, &img);
	image_assign_live(&img, ids);
	shim_open(&img, FW_DIR_INGRESS, 0, NSLOTS);
	shim_tables(&img, flow_sets, pend_sets, 1, 100 * SECOND);
	live = fw_live.value;
	for (size_t i = 0; i < rs->policies[0].nlive; i++) {
		live->place[i] = i;
		live->at[i] = (struct fw_live_place){ .size = rs->policies[0].live[i]->size };
	}
	packets = 0;
}

static void later(uint64_t ns)
{
	ctl()->given_ns += ns;
}

static struct fw_trace judge(enum fw_dir dir, struct packet_spec s)
{
	static uint8_t frame[256];
	long len = packet_build(&s, frame, sizeof(frame));

	assert_true(len > 0);
	fw_cfg.dir = dir;
	packets++;
	return shim_run(frame, len, len, NULL);
}

/* TCP between 198.51.100.h:port outside and 192.0.2.1:22 inside; `out`: the inside says it. */
static struct fw_trace tcp(bool out, unsigned int h, uint16_t port, uint8_t flags)
{
	struct packet_spec s = { .family = FAMILY_IPV4, .protocol = 6, .src = 0xc6336400 + h, .dst = 0xc0000201, .has_ports = true,
				 .sport = port, .dport = 22, .has_flags = true, .flags = flags };

	if (out)
		s.src = 0xc0000201, s.dst = 0xc6336400 + h, s.sport = 22, s.dport = port;
	return judge(out ? FW_DIR_EGRESS : FW_DIR_INGRESS, s);
}

/* UDP from there to port 53 inside, or from inside to port 123 there. */
static struct fw_trace udp(bool out, uint32_t h)
{
	struct packet_spec s = { .family = FAMILY_IPV4, .protocol = 17, .src = 0xc6330000 + h, .dst = 0xc0000201, .has_ports = true,
				 .sport = 4000, .dport = 53 };

	if (out)
		s.src = 0xc0000201, s.dst = 0xc6330000 + h, s.dport = 123;
	return judge(out ? FW_DIR_EGRESS : FW_DIR_INGRESS, s);
}

static void is(struct fw_trace t, enum fw_verdict verdict, enum fw_reason reason)
{
	assert_int_equal(t.reason, reason);
	assert_int_equal(t.verdict, verdict);
}

static void shake_hands(unsigned int h, uint16_t port)
{
	is(tcp(false, h, port, SYN), FW_VERDICT_PASS, FW_REASON_RULE);
	is(tcp(true, h, port, SYN | ACK), FW_VERDICT_PASS, FW_REASON_ESTABLISHED);
	is(tcp(false, h, port, ACK), FW_VERDICT_PASS, FW_REASON_ESTABLISHED);
}

/* Each packet ended in one slot. */
static void all_counted(void)
{
	const struct fw_cell *c = fw_counters.value;
	uint64_t sum = 0;

	for (size_t i = 0; i < NSLOTS; i++)
		sum += c[i].count.packets;
	assert_int_equal(sum, packets);
}

#define FLOWS(options)                                                                                            \
	"policy p {\n essentials off\n state { pickup off\n " options " }\n"                                      \
	" ingress default drop {\n  pass proto tcp to port 22 keep state\n  pass proto udp to port 53 keep state\n }\n" \
	" egress default drop {\n  pass proto udp to port 123 keep state\n }\n}\n"

static void new_ones_find_no_room(void **state)
{
	open_rules(FLOWS(""), 1, 1);
	for (unsigned int h = 0; h < 6; h++)
		is(udp(false, h), FW_VERDICT_PASS, FW_REASON_RULE);
	is(udp(false, 6), FW_VERDICT_DROP, FW_REASON_STATE_FULL);
	is(tcp(false, 1, 1000, SYN), FW_VERDICT_DROP, FW_REASON_STATE_FULL);
	/* Two of eight are for what is opened from inside. */
	is(udp(true, 100), FW_VERDICT_PASS, FW_REASON_RULE);
	is(udp(true, 101), FW_VERDICT_PASS, FW_REASON_RULE);
	is(udp(true, 102), FW_VERDICT_DROP, FW_REASON_STATE_FULL);
	/* A second later the oldest give way, to one each. */
	later(2 * SECOND);
	for (unsigned int h = 10; h < 16; h++)
		is(udp(false, h), FW_VERDICT_PASS, FW_REASON_RULE);
	is(udp(false, 16), FW_VERDICT_DROP, FW_REASON_STATE_FULL);
	/* Those that are there are not asked for room. */
	is(udp(false, 10), FW_VERDICT_PASS, FW_REASON_ESTABLISHED);
	all_counted();
}

static void or_pass_without_a_flow(void **state)
{
	open_rules(FLOWS("full pass\n"), 1, 1);
	for (unsigned int h = 0; h < 6; h++)
		is(udp(false, h), FW_VERDICT_PASS, FW_REASON_RULE);
	is(udp(false, 6), FW_VERDICT_PASS, FW_REASON_STATE_FULL);
	is(udp(false, 6), FW_VERDICT_PASS, FW_REASON_STATE_FULL);
	all_counted();
}

/* Whatever storm there is, with every cell taken. */
static void established_flows_stay(void **state)
{
	struct prng prng;
	unsigned long full = 0;

	prng_init(&prng, prng_seed("host/test_full", 0xf011));
	open_rules(FLOWS(""), 1, 1);
	for (unsigned int h = 0; h < 8; h++)
		shake_hands(h, 1000);
	for (unsigned long i = 0; i < 40000; i++) {
		uint32_t from = (uint32_t)prng_range(&prng, 1000, 60000);
		struct fw_trace t = prng_chance(&prng, 1, 2) ? udp(prng_chance(&prng, 1, 4), from)
							     : tcp(false, 100 + from % 100, (uint16_t)from, SYN);

		full += t.reason == FW_REASON_STATE_FULL;
		if (prng_chance(&prng, 1, 20))
			later(prng_range(&prng, 1, SECOND / 2));
		if (i % 16 == 0) {
			is(tcp(false, i / 16 % 8, 1000, ACK), FW_VERDICT_PASS, FW_REASON_ESTABLISHED);
			is(tcp(true, i / 16 % 8, 1000, ACK), FW_VERDICT_PASS, FW_REASON_ESTABLISHED);
		}
	}
	assert_true(full > 1000);
	all_counted();
}

/* Nobody who cannot answer from where he says he is gets further than the half-open ones. */
static void the_established_table_is_for_the_established(void **state)
{
	open_rules(FLOWS(""), 1, 1);
	for (unsigned int h = 0; h < 6; h++)
		is(tcp(false, h, 1000, SYN), FW_VERDICT_PASS, FW_REASON_RULE);
	for (unsigned int h = 0; h < 6; h++) /* answered, but the source was invented */
		is(tcp(true, h, 1000, SYN | ACK), FW_VERDICT_PASS, FW_REASON_ESTABLISHED);
	is(tcp(false, 7, 1000, SYN), FW_VERDICT_DROP, FW_REASON_STATE_FULL);
	later(2 * SECOND);
	shake_hands(8, 1000);
	all_counted();
}

/* Nor does a flood push out one whose handshake is over, when the established are as many as fit and it has stayed where it was. */
static void one_that_waits_for_room_stays(void **state)
{
	open_rules(FLOWS(""), 1, 1);
	for (unsigned int h = 0; h < 9; h++)
		shake_hands(h, 1000);
	for (unsigned int i = 0; i < 10; i++) {
		later(2 * SECOND);
		for (unsigned int h = 0; h < 8; h++)
			udp(false, 10 * i + h);
	}
	is(tcp(false, 8, 1000, ACK), FW_VERDICT_PASS, FW_REASON_ESTABLISHED);
	/* And moves when there is. */
	is(tcp(false, 0, 1000, RST | ACK), FW_VERDICT_PASS, FW_REASON_ESTABLISHED);
	later(20 * SECOND);
	is(tcp(false, 8, 1000, ACK), FW_VERDICT_PASS, FW_REASON_ESTABLISHED);
	is(udp(false, 200), FW_VERDICT_PASS, FW_REASON_RULE);
	all_counted();
}

#define LIMITS(how)                                                                                                  \
	"set banned { type prefix; live; size 2 }\n"                                                                 \
	"policy p {\n essentials off\n ingress default drop {\n  drop from @banned\n  pass proto udp to port 53 " how "\n }\n}\n"

static void sources_find_no_bucket(void **state)
{
	for (size_t i = 0; i < 2; i++) {
		open_rules(i ? LIMITS("limit 1/m burst 2 per src else pass") : LIMITS("limit 1/m burst 2 per src"), 1, 1);
		for (unsigned int h = 0; h < 8; h++)
			is(udp(false, h), FW_VERDICT_PASS, FW_REASON_RULE);
		is(udp(false, 8), i ? FW_VERDICT_PASS : FW_VERDICT_DROP, FW_REASON_LIMIT_FULL);
		/* The others have what they had. */
		is(udp(false, 0), FW_VERDICT_PASS, FW_REASON_RULE);
		is(udp(false, 0), i ? FW_VERDICT_PASS : FW_VERDICT_DROP, FW_REASON_LIMIT);
		/* Those who took one have it back after a minute, and their cell is free: seven of them. */
		later(61 * SECOND);
		for (unsigned int h = 20; h < 27; h++)
			is(udp(false, h), FW_VERDICT_PASS, FW_REASON_RULE);
		is(udp(false, 27), i ? FW_VERDICT_PASS : FW_VERDICT_DROP, FW_REASON_LIMIT_FULL);
		all_counted();
	}
}

static void nobody_is_banned_for_a_full_table(void **state)
{
	struct fw_live_ctl *live;

	open_rules(LIMITS("limit 1/m burst 1 per src else ban @banned"), 1, 1);
	live = fw_live.value;
	for (unsigned int h = 0; h < 8; h++)
		is(udp(false, h), FW_VERDICT_PASS, FW_REASON_RULE);
	is(udp(false, 8), FW_VERDICT_DROP, FW_REASON_LIMIT_FULL);
	assert_int_equal(live->at[0].count, 0);
	/* Two have room; the third is dropped, and counted. */
	is(udp(false, 0), FW_VERDICT_DROP, FW_REASON_LIMIT);
	is(udp(false, 1), FW_VERDICT_DROP, FW_REASON_LIMIT);
	is(udp(false, 2), FW_VERDICT_DROP, FW_REASON_LIMIT);
	assert_int_equal(live->at[0].count, 2);
	assert_int_equal(live->at[0].refused, 1);
	is(udp(false, 0), FW_VERDICT_DROP, FW_REASON_RULE);
	is(udp(false, 1), FW_VERDICT_DROP, FW_REASON_RULE);
	is(udp(false, 2), FW_VERDICT_DROP, FW_REASON_LIMIT);
	assert_int_equal(live->at[0].refused, 2);
	all_counted();
}

static void connections_find_no_seat(void **state)
{
	open_rules("policy p {\n essentials off\n state { pickup off; tcp closed 1s }\n ingress default drop {\n"
		   "  pass proto tcp to port 22 keep state max-conn 4 per src\n }\n egress default drop { }\n}\n",
		   4, 4);
	for (unsigned int h = 0; h < 2; h++)
		for (uint16_t port = 1; port <= 4; port++)
			shake_hands(h, port);
	/* Over one's own, and with the table of seats full. */
	is(tcp(false, 0, 5, SYN), FW_VERDICT_DROP, FW_REASON_MAX_CONN);
	is(tcp(false, 2, 1, SYN), FW_VERDICT_DROP, FW_REASON_MAX_CONN);
	is(tcp(false, 1, 3, RST | ACK), FW_VERDICT_PASS, FW_REASON_ESTABLISHED);
	later(3 * SECOND);
	shake_hands(2, 1);
	is(tcp(false, 2, 2, SYN), FW_VERDICT_DROP, FW_REASON_MAX_CONN);
	all_counted();
}

/* What finds no room for its flow gives back the seat that it took. */
static void a_seat_without_a_flow_is_free(void **state)
{
	open_rules("policy p {\n essentials off\n state { pickup off }\n ingress default drop {\n"
		   "  pass proto udp to port 53 keep state\n  pass proto tcp to port 22 keep state max-conn 2 per src\n }\n"
		   " egress default drop { }\n}\n",
		   1, 1);
	for (unsigned int h = 0; h < 6; h++)
		is(udp(false, h), FW_VERDICT_PASS, FW_REASON_RULE);
	for (uint16_t port = 1; port <= 4; port++)
		is(tcp(false, 0, port, SYN), FW_VERDICT_DROP, FW_REASON_STATE_FULL);
	later(2 * SECOND);
	shake_hands(0, 5);
	shake_hands(0, 6);
	is(tcp(false, 0, 7, SYN), FW_VERDICT_DROP, FW_REASON_MAX_CONN);
	all_counted();
}

static int end(void **state)
{
	shim_close();
	image_fini(&img);
	arena_free(arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_ones_find_no_room),
		cmocka_unit_test(or_pass_without_a_flow),
		cmocka_unit_test(established_flows_stay),
		cmocka_unit_test(the_established_table_is_for_the_established),
		cmocka_unit_test(one_that_waits_for_room_stays),
		cmocka_unit_test(sources_find_no_bucket),
		cmocka_unit_test(nobody_is_banned_for_a_full_table),
		cmocka_unit_test(connections_find_no_seat),
		cmocka_unit_test(a_seat_without_a_flow_is_free),
	};

	return cmocka_run_group_tests_name("host/full", tests, NULL, end);
}
