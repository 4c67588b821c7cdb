// SPDX-License-Identifier: GPL-2.0-only
/* The tap: copies of those packets that somebody asks for, with an exact count of what was missed, and no trace of it afterwards. */
#include "kernel/tap.h"

static void packets_are_copied_while_it_lasts(void **state)
{
	struct kern_tap *t;
	struct seen s;
	uint8_t frame[60];
	char *before;

	rim_load_ok(BOX_IF, RULES("53", EGRESS), "web", NULL, NULL);
	assert_int_equal(rim_verdict("web", FW_HOOK_XDP, 53), FW_VERDICT_PASS);
	kern_close(rim_open(KERN_WRITE));
	before = strdup(box_find(rim_bpffs));
	assert_none_taps();
	t = tap_start_ok(&plain);
	assert_all_tap();
	assert_false(kern_tap_over(t));
	box_send_udp(BOX_PEER, 7, 2);
	box_send_udp(BOX_IF, 9, 1);
	assert_int_equal(kern_tap_seen(t), 3);
	s = drain(t);
	assert_int_equal(s.n, 3);
	assert_int_equal(s.lost, 0);
	box_send_udp(BOX_PEER, 53, 1);
	s = drain(t);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.last.event.kind, FW_EVENT_TAP);
	assert_int_equal(s.last.event.verdict, FW_VERDICT_PASS);
	assert_int_equal(s.last.event.ifindex, box_ifindex(BOX_IF));
	box_udp_frame(frame, 53);
	assert_int_equal(s.last.caplen, sizeof(frame));
	assert_memory_equal(s.data, frame, sizeof(frame));
	/* What came before the end can be read after it; counters know nothing of it. */
	box_send_udp(BOX_PEER, 53, 1);
	tap_end(t);
	assert_none_taps();
	assert_string_equal(box_find(rim_bpffs), before);
	assert_int_equal(rim_rule_packets(FW_HOOK_XDP, "dns"), 2);
	assert_int_equal(rim_all_packets(FW_HOOK_XDP), 4);
	free(before);
	assert_int_equal(rim_unload(BOX_IF), 0);
	rim_assert_nothing_left();
}

static void what_is_held_at_the_end_can_be_read(void **state)
{
	struct kern_tap *t;
	struct kern *k;
	struct seen s;

	rim_load_ok(BOX_IF, RULES("53", ""), "web", NULL, NULL);
	t = tap_start_ok(&plain);
	run_live(53, 5);
	k = rim_open(KERN_WRITE);
	assert_int_equal(kern_tap_stop(k, t), 0);
	assert_int_equal(kern_tap_stop(k, t), 0);
	kern_close(k);
	run_live(53, 5);
	s = drain(t);
	assert_int_equal(s.n, 5);
	kern_tap_free(t);
	assert_int_equal(rim_unload(BOX_IF), 0);
}

static void only_what_is_asked_for_is_copied(void **state)
{
	const unsigned int here = box_ifindex(BOX_IF), peer = box_ifindex(BOX_PEER);
	const uint32_t dns = FW_TAP_SLOT(FW_SLOT_RULE0, FW_DIR_INGRESS), other = FW_TAP_SLOT(FW_SLOT_RULE0, FW_DIR_EGRESS);
	const uint32_t picks[] = {other, dns};
	const struct {
		struct kern_tap_opts opts;
		size_t n;
	} cases[] = {
		{{.snap = 64, .verdicts = 1u << FW_VERDICT_DROP}, 2},
		{{.snap = 64, .verdicts = 1u << FW_VERDICT_PASS}, 3},
		{{.snap = 64, .reasons = 1u << FW_REASON_DEFAULT}, 2},
		{{.snap = 64, .reasons = ~(1u << FW_REASON_DEFAULT)}, 3},
		{{.snap = 64, .slot = picks, .nslots = 1}, 0},
		{{.snap = 64, .slot = picks, .nslots = 2}, 3},
		{{.snap = 64, .ifindex = &here, .nifs = 1}, 5},
		{{.snap = 64, .ifindex = &peer, .nifs = 1}, 0},
	};

	rim_load_ok(BOX_IF, RULES("53", ""), "web", NULL, NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct kern_tap *t = tap_start_ok(&cases[i].opts);
		struct seen s;

		box_send_udp(BOX_PEER, 7, 2);
		box_send_udp(BOX_PEER, 53, 3);
		s = drain(t);
		if (s.n != cases[i].n)
			print_message("# case %zu\n", i);
		assert_int_equal(s.n, cases[i].n);
		assert_int_equal(kern_tap_seen(t), cases[i].n);
		tap_end(t);
	}
	assert_int_equal(rim_unload(BOX_IF), 0);
}

static int stop_reading(void *ctx, const struct fw_tap *p)
{
	++*(size_t *)ctx;
	return 1;
}

static void loss_is_counted_exactly_and_packets_are_cut(void **state)
{
	const struct kern_tap_opts small = {.snap = 65, .bytes = 1}, large = {.snap = 65536};
	struct kern_tap *t;
	struct seen s;
	uint64_t lost;
	size_t n = 0;

	rim_load_ok(BOX_IF, RULES("53", ""), "web", NULL, NULL);
	t = tap_start_ok(&small);
	run_live(53, 64);
	assert_int_equal(kern_tap_read(t, stop_reading, &n, 1000, &lost), 1);
	assert_int_equal(n, 1);
	assert_int_equal(drain(t).n, 63);
	run_live(53, 100000);
	s = drain(t);
	assert_int_equal(s.n + s.lost, 100000);
	assert_true(s.n >= 64 && s.lost > 50000);
	assert_int_equal(s.last.caplen, 60);
	tap_end(t);
	t = tap_start_ok(&large);
	run_live(53, 1);
	assert_int_equal(drain(t).last.caplen, 60);
	tap_end(t);
	assert_int_equal(rim_unload(BOX_IF), 0);
}

static void wrong_wishes_are_refused(void **state)
{
	static const uint32_t slots[FW_TAP_PICKS + 1];
	struct kern_tap *t = NULL;
	struct kern *k;

	rim_load_ok(BOX_IF, RULES("53", ""), "web", NULL, NULL);
	assert_int_equal(tap_start(&(struct kern_tap_opts){.snap = 63}, &t), -EINVAL);
	assert_non_null(strstr(rim_fail.text, "64 to 65536 bytes"));
	assert_int_equal(tap_start(&(struct kern_tap_opts){.snap = 65537}, &t), -EINVAL);
	assert_int_equal(tap_start(&(struct kern_tap_opts){.snap = 64, .slot = slots, .nslots = FW_TAP_PICKS + 1}, &t), -E2BIG);
	k = rim_open(KERN_WRITE);
	assert_int_equal(kern_tap_start(k, "nobody", &plain, &t), -ENOENT);
	assert_non_null(strstr(rim_fail.text, "no interface uses policy nobody"));
	kern_close(k);
	k = rim_open(KERN_READ);
	assert_int_equal(kern_tap_start(k, "web", &plain, &t), -EPERM);
	kern_close(k);
	assert_null(t);
	assert_none_taps();
	assert_int_equal(rim_unload(BOX_IF), 0);
}

/* A word as argument: only the cases whose name it matches (with * and ?). */
int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_are_copied_while_it_lasts),
		cmocka_unit_test(what_is_held_at_the_end_can_be_read),
		cmocka_unit_test(only_what_is_asked_for_is_copied),
		cmocka_unit_test(loss_is_counted_exactly_and_packets_are_cut),
		cmocka_unit_test(wrong_wishes_are_refused),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	rim_enter("tap");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
