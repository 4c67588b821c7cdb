// SPDX-License-Identifier: GPL-2.0-only
/*
 * A tap lasts as long as the process that wants it, however that ends and whatever is loaded, applied and unloaded meanwhile; packets are
 * judged and counted all the time.
 */
#include "harness/killed.h"
#include "kernel/tap.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#define STRIDE 37

/* Another process that taps; it is there until it is killed. */
static pid_t other_taps(void)
{
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (!pid) {
		struct kern_tap *t;

		if (tap_start(&plain, &t) || write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static void other_dies(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void there_is_one_at_a_time(void **state)
{
	struct kern_tap *t = NULL;
	char number[32];
	pid_t pid;

	rim_load_ok(BOX_IF, RULES("53", ""), "web", NULL, NULL);
	pid = other_taps();
	assert_int_equal(tap_start(&plain, &t), -EBUSY);
	snprintf(number, sizeof(number), "process %d ", (int)pid);
	assert_non_null(strstr(rim_fail.text, number));
	assert_non_null(strstr(rim_fail.text, "policy web"));
	assert_all_tap();
	other_dies(pid);
	/* Whose place is free at once. */
	t = tap_start_ok(&plain);
	run_live(53, 2);
	assert_int_equal(drain(t).n, 2);
	assert_int_equal(tap_start(&plain, &(struct kern_tap *){NULL}), -EBUSY);
	tap_end(t);
	assert_none_taps();
	assert_int_equal(rim_unload(BOX_IF), 0);
}

static void what_a_killed_one_left_is_mended_by_the_next_command(void **state)
{
	struct kern *k;

	rim_load_ok(BOX_IF, RULES("53", EGRESS), "web", NULL, NULL);
	other_dies(other_taps());
	/* Nothing is wrong with it meanwhile. */
	assert_all_tap();
	assert_int_equal(rim_verdict("web", FW_HOOK_XDP, 7), FW_VERDICT_DROP);
	box_send_udp(BOX_PEER, 53, 1);
	assert_int_equal(rim_rule_packets(FW_HOOK_XDP, "dns"), 1);
	k = rim_open(KERN_WRITE);
	kern_close(k);
	assert_none_taps();
	box_send_udp(BOX_PEER, 53, 1);
	assert_int_equal(rim_rule_packets(FW_HOOK_XDP, "dns"), 2);
	other_dies(other_taps());
	rim_apply_ok(RULES("54", EGRESS), "web", NULL);
	assert_none_taps();
	other_dies(other_taps());
	assert_int_equal(rim_unload(BOX_IF), 0);
	rim_assert_nothing_left();
}

/* The lock cannot be had: another command is stuck. The process ends all the same. */
static void it_ends_without_the_lock(void **state)
{
	struct kern_tap *t;
	struct kern *k;

	rim_load_ok(BOX_IF, RULES("53", ""), "web", NULL, NULL);
	t = tap_start_ok(&plain);
	k = rim_open(KERN_WRITE);
	kern_tap_free(t);
	run_live(53, 1);
	kern_close(k);
	assert_all_tap();
	t = tap_start_ok(&plain);
	assert_int_equal(kern_tap_seen(t), 0);
	kern_tap_free(t);
	rim_apply_ok(RULES("54", ""), "web", NULL);
	assert_none_taps();
	assert_int_equal(rim_unload(BOX_IF), 0);
	rim_assert_nothing_left();
}

static void it_goes_on_through_changes(void **state)
{
	struct image many;
	struct kern_report r;
	struct kern_tap *t;

	rim_load_ok(BOX_IF, RULES("53", ""), "web", NULL, NULL);
	t = tap_start_ok(&plain);
	rim_apply_ok(RULES("54", ""), "web", &r);
	assert_false(r.reloaded);
	rim_apply_ok(RULES("55", EGRESS), "web", NULL);
	assert_all_tap();
	rim_load_ok(BOX_PEER, RULES("55", EGRESS), "web", NULL, NULL);
	assert_all_tap();
	many = box_many("web", 3000, 1000);
	assert_int_equal(rim_apply_image(&many, "web", &r), 0);
	image_fini(&many);
	assert_true(r.reloaded);
	assert_all_tap();
	rim_apply_ok("set banned { type prefix; live }\n"
		     "policy web {\n essentials off\n ingress default drop {\n  log default\n"
		     "  pass limit 5/m log\n  drop from @banned\n }\n}\n",
		     "web", &r);
	assert_true(r.reloaded);
	assert_all_tap();
	drain(t);
	run_live(7, 3);
	assert_int_equal(drain(t).n, 3);
	assert_int_equal(rim_unload(BOX_PEER), 0);
	assert_all_tap();
	assert_false(kern_tap_over(t));
	run_live(7, 3);
	assert_int_equal(drain(t).n, 3);
	tap_end(t);
	assert_none_taps();
	assert_int_equal(rim_unload(BOX_IF), 0);
	rim_assert_nothing_left();
}

static void it_is_over_with_its_policy(void **state)
{
	struct kern_tap *t, *next;
	struct seen s;

	rim_load_ok(BOX_IF, RULES("53", ""), "web", NULL, NULL);
	t = tap_start_ok(&plain);
	run_live(53, 1);
	assert_int_equal(rim_unload(BOX_IF), 0);
	rim_assert_nothing_left();
	assert_true(kern_tap_over(t));
	s = drain(t);
	assert_int_equal(s.n, 1);
	/* A policy of the same name is another one, and its tap is not ours to end. */
	rim_load_ok(BOX_IF, RULES("53", ""), "web", NULL, NULL);
	next = tap_start_ok(&plain);
	tap_end(t);
	assert_all_tap();
	/* An interface that goes over to another policy takes none of it along. */
	rim_load_ok(BOX_IF, "policy other {\n essentials off\n ingress default pass { }\n}\n", "other", NULL, NULL);
	assert_true(kern_tap_over(next));
	assert_none_taps();
	tap_end(next);
	assert_int_equal(rim_unload(BOX_IF), 0);
	rim_assert_nothing_left();
}

static void act_tap(void)
{
	struct kern *k = rim_open(KERN_WRITE);
	struct kern_tap *t = NULL;

	if (kern_tap_start(k, "web", &plain, &t) || kern_tap_stop(k, t))
		_exit(1);
	kern_tap_free(t);
	kern_close(k);
}

static void a_kill_at_any_call_is_mended(void **state)
{
	const char *env_stride = getenv("KILL_STRIDE"), *env_first = getenv("KILL_FIRST");
	unsigned int stride = env_stride && atoi(env_stride) > 0 ? (unsigned int)atoi(env_stride) : STRIDE;
	unsigned int first = env_first ? (unsigned int)atoi(env_first) : (unsigned int)(time(NULL) ^ getpid()) % stride;
	unsigned int n, counted = 0;
	bool killed = true;
	char *before;

	print_message("# KILL_STRIDE=%u KILL_FIRST=%u\n", stride, first);
	rim_load_ok(BOX_IF, RULES("53", EGRESS), "web", NULL, NULL);
	kern_close(rim_open(KERN_WRITE));
	before = strdup(box_find(rim_bpffs));
	for (n = first; killed; n += stride) {
		killed = killed_at(act_tap, n);
		/* Whatever programs there are, they filter and count. */
		assert_int_equal(rim_state_one().ndegraded, 0);
		box_send_udp(BOX_PEER, 53, 1);
		box_send_udp(BOX_PEER, 7, 1);
		counted++;
		assert_int_equal(rim_rule_packets(FW_HOOK_XDP, "dns"), counted);
		assert_int_equal(rim_reason_packets(FW_HOOK_XDP, FW_REASON_DEFAULT, FW_VERDICT_DROP), counted);
		kern_close(rim_open(KERN_WRITE));
		assert_none_taps();
		if (strcmp(box_find(rim_bpffs), before))
			print_message("# call %u: left: %s\n", n, box_find(rim_bpffs));
		assert_string_equal(box_find(rim_bpffs), before);
	}
	print_message("# %u kills over %u calls\n", counted - 1, n);
	assert_true(n > 40);
	free(before);
	assert_int_equal(rim_unload(BOX_IF), 0);
	rim_assert_nothing_left();
}

/* A word as argument: only the cases whose name it matches (with * and ?). */
int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_is_one_at_a_time),
		cmocka_unit_test(what_a_killed_one_left_is_mended_by_the_next_command),
		cmocka_unit_test(it_ends_without_the_lock),
		cmocka_unit_test(it_goes_on_through_changes),
		cmocka_unit_test(it_is_over_with_its_policy),
		cmocka_unit_test(a_kill_at_any_call_is_mended),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	rim_enter("tap_life");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
