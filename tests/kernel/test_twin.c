// SPDX-License-Identifier: GPL-2.0-only
/* The twin: the running program's judgement without its counters, and that of rules that run nowhere. */
#include "harness/rim.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define RULES                                                                                                                  \
	"policy web {\n essentials off\n"                                                                                      \
	" ingress default drop {\n  count port 53 label \"seen\"\n  pass port 53 label \"dns\"\n  drop port 80 label \"www\"\n }\n" \
	" egress default pass {\n  drop port 25 label \"mail\"\n }\n}\n"

static const enum fw_hook all_hooks[] = {FW_HOOK_XDP, FW_HOOK_TC_INGRESS, FW_HOOK_TC_EGRESS};

static struct fw_trace ask(struct kern_twin *t, uint16_t port, size_t linear)
{
	struct fw_trace trace = {};
	uint8_t frame[60];

	box_udp_frame(frame, port);
	assert_int_equal(kern_twin_run(t, frame, sizeof(frame), linear, &trace), 0);
	return trace;
}

static void image_twin_judges_rules_that_run_nowhere(void **state)
{
	for (size_t i = 0; i < 3; i++) {
		struct image img = box_compile(RULES, "web");
		struct kern_twin *t = NULL;
		struct fw_trace trace;
		uint32_t nslots[FW_DIR_COUNT];

		assert_int_equal(image_assign_slots(&img, NULL, nslots), 0);
		assert_int_equal(kern_twin_open_image(&img, all_hooks[i], &rim_fail, &t), 0);
		if (all_hooks[i] == FW_HOOK_TC_EGRESS) {
			trace = ask(t, 25, 0);
			assert_int_equal(trace.verdict, FW_VERDICT_DROP);
			assert_int_equal(trace.reason, FW_REASON_RULE);
			assert_int_equal(trace.rule, 0);
			assert_int_equal(ask(t, 53, 0).verdict, FW_VERDICT_PASS);
		} else {
			trace = ask(t, 53, 0);
			assert_int_equal(trace.verdict, FW_VERDICT_PASS);
			assert_int_equal(trace.rule, 1);
			assert_int_equal(trace.counted, 1);
			trace = ask(t, 80, 0);
			assert_int_equal(trace.verdict, FW_VERDICT_DROP);
			assert_int_equal(trace.rule, 2);
			trace = ask(t, 9, 0);
			assert_int_equal(trace.reason, FW_REASON_DEFAULT);
			assert_int_equal(trace.rule, ~0u);
		}
		kern_twin_close(t);
		image_fini(&img);
	}
	rim_assert_nothing_left();
}

static void twin_follows_what_runs_and_does_not_count(void **state)
{
	struct kern_counters c;
	struct kern_twin *t = NULL;
	struct kern *k;

	rim_load_ok(BOX_IF, RULES, "web", NULL, NULL);
	k = rim_open(KERN_READ);
	assert_int_equal(kern_twin_open(k, "web", FW_HOOK_XDP, &t), 0);
	kern_close(k);
	assert_int_equal(ask(t, 53, 0).generation, 1);
	assert_int_equal(ask(t, 53, 0).verdict, FW_VERDICT_PASS);
	rim_apply_ok("policy web {\n essentials off\n ingress default drop { }\n egress default pass { }\n}\n", "web", NULL);
	/* The same tables: a twin that is open sees the switch. */
	assert_int_equal(ask(t, 53, 0).generation, 2);
	assert_int_equal(ask(t, 53, 0).verdict, FW_VERDICT_DROP);
	assert_int_equal(rim_all_packets(FW_HOOK_XDP), 0);
	/* Nor does it count anywhere else. */
	assert_int_equal(kern_twin_counters(t, &c), -ENOENT);
	kern_twin_close(t);
	assert_int_equal(rim_unload(BOX_IF), 0);
	rim_assert_nothing_left();
}

#define KEEPS                                                                                                          \
	"policy web {\n essentials off\n ingress default drop {\n  count port 53 label \"seen\"\n"                      \
	"  pass port 53 keep state label \"dns\"\n }\n}\n"

/* New rules judge the opening packet of a flow anew: that is no packet, and so no time at which a rule was hit. */
static void a_flow_judged_anew_hits_no_rule(void **state)
{
	for (int h = 0; h < 2; h++) {
		const struct timespec pause = {.tv_nsec = 50000000};
		struct image img = box_compile(KEEPS, "web");
		struct kern_counters was = {}, is = {};
		struct kern_twin *t = NULL;
		uint32_t nslots[FW_DIR_COUNT];

		assert_int_equal(image_assign_slots(&img, NULL, nslots), 0);
		assert_int_equal(kern_twin_open_image(&img, all_hooks[h], &rim_fail, &t), 0);
		assert_int_equal(ask(t, 53, 0).reason, FW_REASON_RULE);
		assert_int_equal(kern_twin_counters(t, &was), 0);
		assert_int_equal(kern_twin_swap(t, &img), 0);
		nanosleep(&pause, NULL);
		assert_int_equal(ask(t, 53, 0).reason, FW_REASON_ESTABLISHED);
		assert_int_equal(kern_twin_counters(t, &is), 0);
		for (uint32_t slot = FW_SLOT_RULE0; slot < nslots[FW_DIR_INGRESS]; slot++) {
			assert_int_equal(was.v[slot].packets, 1);
			assert_int_equal(is.v[slot].packets, 1);
			assert_int_equal(is.last_ns[slot], was.last_ns[slot]);
		}
		kern_counters_fini(&was);
		kern_counters_fini(&is);
		kern_twin_close(t);
		image_fini(&img);
	}
}

static void split_frames_get_the_same_verdict(void **state)
{
	struct image img;
	struct kern_twin *t = NULL;
	uint32_t nslots[FW_DIR_COUNT];

	img = box_compile(RULES, "web");
	assert_int_equal(image_assign_slots(&img, NULL, nslots), 0);
	assert_int_equal(kern_twin_open_image(&img, FW_HOOK_XDP, &rim_fail, &t), 0);
	for (size_t linear = 14; linear < 60; linear++) {
		assert_int_equal(ask(t, 53, linear).verdict, FW_VERDICT_PASS);
		assert_int_equal(ask(t, 80, linear).rule, 2);
	}
	kern_twin_close(t);
	image_fini(&img);
}

static void frames_that_cannot_be_run_are_refused(void **state)
{
	struct image img;
	struct kern_twin *t = NULL;
	struct fw_trace trace;
	uint8_t frame[60];

	img = box_compile(RULES, "web");
	box_udp_frame(frame, 53);
	assert_int_equal(kern_twin_open_image(&img, FW_HOOK_TC_INGRESS, &rim_fail, &t), 0);
	assert_true(kern_twin_run(t, frame, 10, 0, &trace) < 0);
	assert_non_null(strstr(rim_fail.text, "10 bytes"));
	kern_twin_close(t);
	image_fini(&img);
}

static void twin_of_nothing_is_refused(void **state)
{
	struct kern_twin *t = NULL;
	struct kern *k;

	k = rim_open(KERN_READ);
	assert_true(kern_twin_open(k, "web", FW_HOOK_XDP, &t) < 0);
	assert_non_null(strstr(rim_fail.text, "no interface uses policy web"));
	kern_close(k);
}

static void damaged_image_is_refused_by_the_twin(void **state)
{
	struct image img;
	struct kern_twin *t = NULL;

	img = box_compile(RULES, "web");
	image_hdr(&img)->meta_off = 0xfffffff0u;
	assert_true(kern_twin_open_image(&img, FW_HOOK_XDP, &rim_fail, &t) < 0);
	image_fini(&img);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(image_twin_judges_rules_that_run_nowhere),
		cmocka_unit_test(twin_follows_what_runs_and_does_not_count),
		cmocka_unit_test(a_flow_judged_anew_hits_no_rule),
		cmocka_unit_test(split_frames_get_the_same_verdict),
		cmocka_unit_test(frames_that_cannot_be_run_are_refused),
		cmocka_unit_test(twin_of_nothing_is_refused),
		cmocka_unit_test(damaged_image_is_refused_by_the_twin),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	rim_enter("twin");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
