// SPDX-License-Identifier: GPL-2.0-only
/* Counters are exact: across swaps, moves, growth, and rules that come and go. */
#include "harness/rim.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define POLICY(rules) "policy web {\n essentials off\n ingress default drop {\n" rules " }\n}\n"
#define RULE(verdict, port) "  " verdict " port " #port " label \"p" #port "\"\n"

static const struct kern_load_opts hooks[] = {{}, {.mode = KERN_MODE_GENERIC}, {.where = KERN_HOOK_TC}};

static enum fw_hook hook_of(const struct kern_load_opts *o)
{
	return o->where == KERN_HOOK_TC ? FW_HOOK_TC_INGRESS : FW_HOOK_XDP;
}

/* Packets travel on their own time: ask until the number is there, for two seconds. */
#define EVENTUALLY(expr, want)                                                                                                 \
	do {                                                                                                                   \
		long got_ = -1, want_ = (want);                                                                                \
		for (int tries_ = 0; tries_ < 200 && (got_ = (expr)) != want_; tries_++)                                       \
			nanosleep(&(struct timespec){.tv_nsec = 10 * 1000 * 1000}, NULL);                                      \
		if (got_ != want_)                                                                                             \
			print_message("# " #expr ": %ld, not %ld\n", got_, want_);                                             \
		assert_int_equal(got_, want_);                                                                                 \
	} while (0)

static void rules_count_at_every_hook(void **state)
{
	for (size_t i = 0; i < 3; i++) {
		enum fw_hook h = hook_of(&hooks[i]);

		rim_load_ok(BOX_IF, POLICY(RULE("pass", 53) RULE("drop", 80)), "web", &hooks[i], NULL);
		box_send_udp(BOX_PEER, 53, 7);
		box_send_udp(BOX_PEER, 80, 5);
		box_send_udp(BOX_PEER, 9, 3);
		EVENTUALLY(rim_rule_packets(h, "p53"), 7);
		EVENTUALLY(rim_rule_packets(h, "p80"), 5);
		EVENTUALLY(rim_reason_packets(h, FW_REASON_DEFAULT, FW_VERDICT_DROP), 3);
		EVENTUALLY(rim_all_packets(h), 15);
		assert_int_equal(rim_unload(BOX_IF), 0);
	}
}

static void counts_follow_the_label(void **state)
{
	rim_load_ok(BOX_IF, POLICY(RULE("pass", 53) RULE("pass", 80)), "web", NULL, NULL);
	box_send_udp(BOX_PEER, 53, 4);
	box_send_udp(BOX_PEER, 80, 6);
	EVENTUALLY(rim_all_packets(FW_HOOK_XDP), 10);
	/* Another place, another text, rules around it: the label is the identity. */
	rim_apply_ok(POLICY(RULE("drop", 9) RULE("pass", 80) RULE("pass", 7) "  pass port { 53, 54 } label \"p53\"\n"), "web", NULL);
	assert_int_equal(rim_rule_packets(FW_HOOK_XDP, "p53"), 4);
	assert_int_equal(rim_rule_packets(FW_HOOK_XDP, "p80"), 6);
	assert_int_equal(rim_rule_packets(FW_HOOK_XDP, "p9"), 0);
	box_send_udp(BOX_PEER, 54, 2);
	box_send_udp(BOX_PEER, 9, 1);
	EVENTUALLY(rim_rule_packets(FW_HOOK_XDP, "p53"), 6);
	EVENTUALLY(rim_rule_packets(FW_HOOK_XDP, "p9"), 1);
	EVENTUALLY(rim_all_packets(FW_HOOK_XDP), 13);
	assert_int_equal(rim_unload(BOX_IF), 0);
}

static void rules_that_go_leave_their_packets(void **state)
{
	rim_load_ok(BOX_IF, POLICY(RULE("pass", 53) RULE("drop", 80)), "web", NULL, NULL);
	box_send_udp(BOX_PEER, 53, 4);
	box_send_udp(BOX_PEER, 80, 6);
	EVENTUALLY(rim_all_packets(FW_HOOK_XDP), 10);
	rim_apply_ok(POLICY(RULE("pass", 1)), "web", NULL);
	assert_int_equal(rim_rule_packets(FW_HOOK_XDP, "p53"), -1);
	assert_int_equal(rim_retired_packets(FW_HOOK_XDP, FW_VERDICT_PASS), 4);
	assert_int_equal(rim_retired_packets(FW_HOOK_XDP, FW_VERDICT_DROP), 6);
	assert_int_equal(rim_all_packets(FW_HOOK_XDP), 10);
	/* Their slots go to new rules, which begin at nothing; one with an old name begins at nothing too. */
	rim_apply_ok(POLICY(RULE("pass", 1) RULE("pass", 2) RULE("pass", 3) RULE("pass", 53)), "web", NULL);
	assert_int_equal(rim_rule_packets(FW_HOOK_XDP, "p2"), 0);
	assert_int_equal(rim_rule_packets(FW_HOOK_XDP, "p3"), 0);
	assert_int_equal(rim_rule_packets(FW_HOOK_XDP, "p53"), 0);
	box_send_udp(BOX_PEER, 2, 3);
	EVENTUALLY(rim_rule_packets(FW_HOOK_XDP, "p2"), 3);
	assert_int_equal(rim_all_packets(FW_HOOK_XDP), 13);
	/* And again, so that numbers that were moved are moved again. */
	for (int i = 0; i < 6; i++) {
		rim_apply_ok(i & 1 ? POLICY(RULE("pass", 4) RULE("drop", 5)) : POLICY(RULE("drop", 6) RULE("pass", 2)), "web", NULL);
		assert_int_equal(rim_all_packets(FW_HOOK_XDP), 13 + i * 2);
		box_send_udp(BOX_PEER, i & 1 ? 5 : 6, 1);
		box_send_udp(BOX_PEER, 2, 1);
		EVENTUALLY(rim_all_packets(FW_HOOK_XDP), 15 + i * 2);
	}
	assert_int_equal(rim_unload(BOX_IF), 0);
}

static void counts_survive_growth(void **state)
{
	struct kern_report r;
	struct image img;

	img = box_many("web", 2, 1000);
	image_fini(&img);
	rim_load_ok(BOX_IF, POLICY("  pass port 1000 label \"r1000\"\n" RULE("drop", 80)), "web", NULL, NULL);
	box_send_udp(BOX_PEER, 1000, 5);
	box_send_udp(BOX_PEER, 80, 2);
	EVENTUALLY(rim_all_packets(FW_HOOK_XDP), 7);
	for (size_t n = 600; n <= 9600; n *= 4) {
		long before = rim_rule_packets(FW_HOOK_XDP, "r1000");

		img = box_many("web", n, 1000);
		assert_int_equal(rim_apply_image(&img, "web", &r), 0);
		image_fini(&img);
		assert_true(r.reloaded);
		assert_int_equal(rim_rule_packets(FW_HOOK_XDP, "r1000"), before);
		assert_int_equal(rim_retired_packets(FW_HOOK_XDP, FW_VERDICT_DROP), 2);
		box_send_udp(BOX_PEER, 1000, 3);
		EVENTUALLY(rim_rule_packets(FW_HOOK_XDP, "r1000"), before + 3);
		box_send_udp(BOX_PEER, (uint16_t)(1000 + n - 1), 1);
		EVENTUALLY(rim_reason_packets(FW_HOOK_XDP, FW_REASON_DEFAULT, FW_VERDICT_DROP), 0);
	}
	assert_int_equal(rim_state_one().ndegraded, 0);
	assert_int_equal(rim_unload(BOX_IF), 0);
	rim_assert_nothing_left();
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

#define TICK_NS 10000000ull /* of the slowest kernels */

static void the_last_packet_has_its_time(void **state)
{
	for (size_t i = 0; i < 3; i++) {
		enum fw_hook h = hook_of(&hooks[i]);
		uint64_t before, last;

		rim_load_ok(BOX_IF, POLICY(RULE("pass", 53) RULE("count", 80) RULE("drop", 9)), "web", &hooks[i], NULL);
		assert_int_equal(rim_rule_last(h, ""), 0);
		before = now_ns();
		box_send_udp(BOX_PEER, 53, 1);
		box_send_udp(BOX_PEER, 80, 1);
		EVENTUALLY(rim_reason_packets(h, FW_REASON_DEFAULT, FW_VERDICT_DROP), 1);
		EVENTUALLY(rim_rule_packets(h, "p53"), 1);
		last = rim_rule_last(h, "p53");
		assert_true(last + TICK_NS >= before && last <= now_ns() + TICK_NS);
		assert_true(rim_rule_last(h, "p80") >= last);
		assert_true(rim_rule_last(h, "") >= last);
		assert_int_equal(rim_rule_last(h, "p9"), 0);
		/* It stays with the rule, wherever that moves. */
		rim_apply_ok(POLICY(RULE("drop", 9) RULE("pass", 7) RULE("pass", 53)), "web", NULL);
		assert_int_equal(rim_rule_last(h, "p53"), last);
		assert_int_equal(rim_unload(BOX_IF), 0);
	}
}

static void a_new_rule_has_no_time_of_another(void **state)
{
	uint64_t last;
	long slot;

	rim_load_ok(BOX_IF, POLICY(RULE("pass", 53)), "web", NULL, NULL);
	box_send_udp(BOX_PEER, 53, 4);
	EVENTUALLY(rim_all_packets(FW_HOOK_XDP), 4);
	slot = rim_rule_slot(FW_HOOK_XDP, "p53");
	last = rim_rule_last(FW_HOOK_XDP, "p53");
	rim_apply_ok(POLICY(RULE("pass", 1)), "web", NULL);
	rim_apply_ok(POLICY(RULE("pass", 1) RULE("pass", 2)), "web", NULL);
	assert_int_equal(rim_rule_slot(FW_HOOK_XDP, "p2"), slot);
	assert_int_equal(rim_rule_last(FW_HOOK_XDP, "p2"), 0);
	/* The interface has heard of a packet all the same. */
	assert_int_equal(rim_rule_last(FW_HOOK_XDP, ""), last);
	box_send_udp(BOX_PEER, 2, 1);
	EVENTUALLY(rim_rule_packets(FW_HOOK_XDP, "p2"), 1);
	assert_true(rim_rule_last(FW_HOOK_XDP, "p2") >= last);
	assert_int_equal(rim_unload(BOX_IF), 0);
}

/* Packets in = packets counted, while the rules are swapped under them. */
static void nothing_is_lost_or_counted_twice(void **state)
{
	static const char *const texts[] = {POLICY(RULE("pass", 53) RULE("drop", 80)), POLICY(RULE("drop", 53)),
					    POLICY("  drop port 1-100 label \"all\"\n")};
	unsigned long start;
	unsigned int swaps = 0;
	int status;
	pid_t pid;

	for (size_t i = 0; i < 3; i++) {
		rim_load_ok(BOX_IF, texts[0], "web", &hooks[i], NULL);
		start = box_rx_packets(BOX_IF);
		fflush(NULL);
		pid = fork();
		if (!pid) {
			for (int round = 0; round < 150; round++) {
				box_send_udp(BOX_PEER, 53, 20);
				box_send_udp(BOX_PEER, 80, 20);
				nanosleep(&(struct timespec){.tv_nsec = 1000 * 1000}, NULL);
			}
			_exit(0);
		}
		while (!waitpid(pid, &status, WNOHANG))
			rim_apply_ok(texts[swaps++ % 3], "web", NULL);
		assert_int_equal(status, 0);
		EVENTUALLY(rim_all_packets(hook_of(&hooks[i])), (long)(box_rx_packets(BOX_IF) - start));
		assert_true(box_rx_packets(BOX_IF) - start > 1000);
		assert_int_equal(rim_unload(BOX_IF), 0);
	}
	print_message("# %u swaps\n", swaps);
	assert_true(swaps > 10);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_count_at_every_hook),
		cmocka_unit_test(counts_follow_the_label),
		cmocka_unit_test(rules_that_go_leave_their_packets),
		cmocka_unit_test(counts_survive_growth),
		cmocka_unit_test(the_last_packet_has_its_time),
		cmocka_unit_test(a_new_rule_has_no_time_of_another),
		cmocka_unit_test(nothing_is_lost_or_counted_twice),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	rim_enter("counters");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
