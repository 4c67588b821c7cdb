// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tap: copies of packets while a process wants them, and programs without a trace of it before and after, however that process
 * ended and whatever was loaded, applied and unloaded meanwhile.
 */
#include "harness/killed.h"
#include "harness/rim.h"
#include "kern/object.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fw/names.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define RULES(port, out)                                                                                                       \
	"policy web {\n essentials off\n ingress default drop {\n  pass proto udp to port " port " label \"dns\"\n }\n" out "}\n"
#define EGRESS " egress default pass { }\n"
#define STRIDE 37

static const struct kern_tap_opts plain = {.snap = 128, .bytes = 1 << 16};

static int tap_start(const struct kern_tap_opts *opts, struct kern_tap **ret)
{
	struct kern *k = rim_open(KERN_WRITE);
	int err = kern_tap_start(k, "web", opts, ret);

	kern_close(k);
	return err;
}

static struct kern_tap *tap_start_ok(const struct kern_tap_opts *opts)
{
	struct kern_tap *t = NULL;
	int err = tap_start(opts, &t);

	if (err)
		print_message("# %s\n", rim_fail.text);
	assert_int_equal(err, 0);
	return t;
}

static void tap_end(struct kern_tap *t)
{
	struct kern *k = rim_open(KERN_WRITE);
	int err = kern_tap_stop(k, t);

	if (err)
		print_message("# %s\n", rim_fail.text);
	assert_int_equal(err, 0);
	kern_close(k);
	assert_true(kern_tap_over(t));
	kern_tap_free(t);
}

static bool program_has(uint32_t prog_id, const char *name)
{
	struct object_info info;
	bool has = false;

	assert_int_equal(object_info_by_id(prog_id, &info), 0);
	for (uint32_t i = 0; i < info.nmaps; i++) {
		struct bpf_map_info map = {};
		uint32_t len = sizeof(map);
		int fd = bpf_map_get_fd_by_id(info.map_ids[i]);

		assert_true(fd >= 0);
		assert_int_equal(bpf_obj_get_info_by_fd(fd, &map, &len), 0);
		close(fd);
		has = has || !strcmp(map.name, name);
	}
	return has;
}

/* Hooks whose programs copy packets, of all hooks. */
static size_t tapping(size_t *ret_all)
{
	struct kern *k = rim_open(KERN_READ);
	struct kern_iface_state *v = NULL;
	size_t n = 0, tap = 0;

	*ret_all = 0;
	assert_int_equal(kern_state(k, &v, &n), 0);
	kern_close(k);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(v[i].ndegraded, 0);
		for (size_t h = 0; h < v[i].nhooks; h++, ++*ret_all)
			tap += program_has(v[i].hook[h].prog_id, FW_MAP_TAPS);
	}
	free(v);
	return tap;
}

static void assert_all_tap(void)
{
	size_t all, tap = tapping(&all);

	assert_int_equal(tap, all);
	assert_true(all);
}

/* As if there had never been one. */
static void assert_none_taps(void)
{
	size_t all;

	assert_int_equal(tapping(&all), 0);
	assert_null(strstr(box_find(rim_bpffs), "/tap"));
}

/* What the tests look at of the packets that were copied. */
struct seen {
	size_t n;
	struct fw_tap last;
	uint8_t data[2048];
	uint64_t lost;
};
static int note(void *ctx, const struct fw_tap *p)
{
	struct seen *s = ctx;

	s->n++;
	s->last = *p;
	assert_true(p->caplen <= sizeof(s->data));
	memcpy(s->data, p + 1, p->caplen);
	return 0;
}

static struct seen drain(struct kern_tap *t)
{
	struct seen s = {};
	uint64_t lost;
	size_t got;

	do {
		got = kern_tap_read(t, note, &s, 1000, &lost);
		s.lost += lost;
	} while (got || lost);
	return s;
}

/* The program that filters BOX_IF judges a datagram to a port, n times. */
static void run_live(uint16_t dport, unsigned int n)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .repeat = (int)n);
	int fd = bpf_prog_get_fd_by_id(box_xdp_id(BOX_IF));
	uint8_t frame[60];

	box_udp_frame(frame, dport);
	opts.data_in = frame;
	opts.data_size_in = sizeof(frame);
	assert_true(fd >= 0);
	assert_int_equal(bpf_prog_test_run_opts(fd, &opts), 0);
	close(fd);
}

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
		     "policy web {\n essentials off\n ingress default drop {\n  log default\n  pass limit 5/m log\n  drop from @banned\n }\n}\n",
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
		cmocka_unit_test(packets_are_copied_while_it_lasts),
		cmocka_unit_test(what_is_held_at_the_end_can_be_read),
		cmocka_unit_test(only_what_is_asked_for_is_copied),
		cmocka_unit_test(loss_is_counted_exactly_and_packets_are_cut),
		cmocka_unit_test(wrong_wishes_are_refused),
		cmocka_unit_test(there_is_one_at_a_time),
		cmocka_unit_test(what_a_killed_one_left_is_mended_by_the_next_command),
		cmocka_unit_test(it_ends_without_the_lock),
		cmocka_unit_test(it_goes_on_through_changes),
		cmocka_unit_test(it_is_over_with_its_policy),
		cmocka_unit_test(a_kill_at_any_call_is_mended),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	rim_enter("tap");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
