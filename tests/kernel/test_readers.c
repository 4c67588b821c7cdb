// SPDX-License-Identifier: GPL-2.0-only
/* Who reads what programs tell of: each reader for itself, with an exact count of what it missed; and the tables behind it. */
#include "harness/rim.h"
#include "harness/rim_prog.h"
#include "kern/object.h"
#include "kern/tables.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fw/names.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define PLAIN "policy web {\n essentials off\n ingress default drop {\n  pass port 53\n }\n}\n"
#define LOGS(port, log)                                                                                                        \
	"policy web {\n essentials off\n ingress default drop {\n  log default\n"                                         \
	"  pass proto udp to port " port " " log " label \"dns\"\n }\n}\n"
#define SOME 4096

static struct fw_event buf[SOME];

static struct kern_events *events_open(unsigned int flags)
{
	struct kern *k = rim_open(KERN_READ);
	struct kern_events *e = NULL;
	int err = kern_events_open(k, "web", flags, &e);

	if (err)
		print_message("# %s\n", rim_fail.text);
	assert_int_equal(err, 0);
	kern_close(k);
	return e;
}

static bool is_current(const struct kern_events *e)
{
	struct kern *k = rim_open(KERN_READ);
	bool current = kern_events_current(k, "web", e);

	kern_close(k);
	return current;
}

/* All that is there, the last of it in buf. */
static uint64_t drain(struct kern_events *e, uint64_t *ret_lost)
{
	uint64_t got = 0, lost, n;

	*ret_lost = 0;
	do {
		n = kern_events_read(e, buf, SOME, &lost);
		got += n;
		*ret_lost += lost;
	} while (n || lost);
	return got;
}

static void a_policy_without_log_tells_of_nothing(void **state)
{
	struct kern_events *e = NULL;
	struct kern *k;

	rim_load_ok(BOX_IF, PLAIN, "web", NULL, NULL);
	assert_null(strstr(box_find(rim_bpffs), "p_web/event"));
	k = rim_open(KERN_READ);
	assert_int_equal(kern_events_open(k, "web", 0, &e), -ENOENT);
	assert_int_equal(rim_fail.err, 0);
	assert_int_equal(kern_events_open(k, "nobody", 0, &e), -ENOENT);
	assert_non_null(strstr(rim_fail.text, "no interface uses policy nobody"));
	assert_null(e);
	kern_close(k);
	assert_int_equal(rim_unload(BOX_IF), 0);
}

static void packets_on_the_wire_are_told_of(void **state)
{
	struct kern_events *held, *next;
	struct kern_event_counts c;
	uint64_t lost;

	rim_load_ok(BOX_IF, LOGS("53", "log"), "web", NULL, NULL);
	box_send_udp(BOX_PEER, 53, 3);
	held = events_open(KERN_EVENTS_HELD);
	next = events_open(0);
	assert_int_equal(drain(next, &lost), 0);
	box_send_udp(BOX_PEER, 7, 2);
	assert_int_equal(drain(next, &lost), 2);
	assert_int_equal(lost, 0);
	assert_int_equal(buf[1].kind, FW_EVENT_DEFAULT);
	assert_int_equal(buf[1].verdict, FW_VERDICT_DROP);
	assert_int_equal(buf[1].dport, 7);
	assert_int_equal(buf[1].ifindex, box_ifindex(BOX_IF));
	assert_int_equal(buf[1].generation, 1);
	assert_int_equal(drain(held, &lost), 5);
	assert_int_equal(lost, 0);
	kern_events_counts(held, &c);
	assert_int_equal(c.generated, 5);
	assert_int_equal(c.written, 5);
	assert_int_equal(c.limited + c.sampled + c.capped + c.lost, 0);
	/* Nobody is needed for it, and it goes on after the policy: what is there can be read. */
	box_send_udp(BOX_PEER, 53, 1);
	assert_true(is_current(held));
	assert_int_equal(rim_unload(BOX_IF), 0);
	assert_false(is_current(held));
	assert_int_equal(drain(held, &lost), 1);
	rim_load_ok(BOX_IF, LOGS("53", "log"), "web", NULL, NULL);
	assert_false(is_current(held));
	kern_events_close(held);
	kern_events_close(next);
	assert_int_equal(rim_unload(BOX_IF), 0);
	rim_assert_nothing_left();
}

static void what_a_reader_misses_is_counted_exactly(void **state)
{
	const uint32_t ring = tables_events(tables_cpus()), more = 1234;
	struct kern_events *tells, *quiet;
	struct kern_event_counts c;
	uint64_t got, lost;

	rim_load_ok(BOX_IF, LOGS("53", "log"), "web", NULL, NULL);
	tells = events_open(KERN_EVENTS_TELL);
	quiet = events_open(0);
	/* Two rounds on whatever CPUs we run: all that was written is read or lost, and at most what the rings hold is read. */
	run_live(53, 2 * ring * tables_cpus() + more);
	got = drain(tells, &lost);
	assert_int_equal(got + lost, 2 * ring * tables_cpus() + more);
	assert_true(lost >= ring * tables_cpus() + more);
	assert_int_equal(rim_rule_packets(FW_HOOK_XDP, "dns"), got + lost);
	kern_events_counts(quiet, &c);
	assert_int_equal(c.written, got + lost);
	assert_int_equal(c.lost, lost);
	/* One that says nothing changes no number; it misses as much, for nothing was written since. */
	got = drain(quiet, &lost);
	kern_events_counts(quiet, &c);
	assert_int_equal(c.lost, lost);
	assert_int_equal(got + lost, c.written);
	kern_events_close(tells);
	kern_events_close(quiet);
	assert_int_equal(rim_unload(BOX_IF), 0);
}

static void what_is_not_written_is_counted(void **state)
{
	struct kern_events *e;
	struct kern_event_counts c;
	uint64_t lost, got;

	rim_load_ok(BOX_IF, LOGS("53", "log limit 1/h burst 3"), "web", NULL, NULL);
	e = events_open(KERN_EVENTS_HELD);
	run_live(53, 1000);
	assert_int_equal(drain(e, &lost), 3);
	kern_events_counts(e, &c);
	assert_int_equal(c.generated, 1000);
	assert_int_equal(c.limited, 997);
	rim_apply_ok(LOGS("54", "log sample 1/4"), "web", NULL);
	run_live(54, 4000);
	got = drain(e, &lost);
	kern_events_counts(e, &c);
	assert_int_equal(c.generated, 5000);
	assert_int_equal(c.sampled, 4000 - got);
	assert_true(got > 500 && got < 2000);
	assert_int_equal(buf[0].sample, 4);
	kern_events_close(e);
	assert_int_equal(rim_unload(BOX_IF), 0);
}

static void tables_of_events_come_with_log_and_stay(void **state)
{
	const uint32_t cpus = tables_cpus();
	struct kern_iface_state s;
	struct kern_report r;
	struct kern_memory m;
	struct kern_events *e;
	struct kern *k;
	uint64_t lost;
	uint32_t id;

	rim_load_ok(BOX_IF, PLAIN, "web", NULL, NULL);
	rim_apply_ok(LOGS("53", "log"), "web", &r);
	assert_true(r.reloaded);
	id = pin_id("p_web/events");
	s = rim_state_one();
	k = rim_open(KERN_READ);
	assert_int_equal(kern_memory(k, &s, &m), 0);
	kern_close(k);
	assert_int_equal(m.tables, (size_t)tables_events(cpus) * cpus * sizeof(struct fw_event) + cpus * sizeof(struct fw_event_cpu) +
					   FW_LIMIT_CELLS * sizeof(uint64_t));
	e = events_open(KERN_EVENTS_HELD);
	rim_apply_ok(PLAIN, "web", &r);
	run_live(7, 5);
	assert_int_equal(drain(e, &lost), 0);
	assert_true(is_current(e));
	rim_apply_ok(LOGS("54", "log"), "web", &r);
	assert_false(r.reloaded);
	assert_int_equal(pin_id("p_web/events"), id);
	run_live(7, 5);
	assert_int_equal(drain(e, &lost), 5);
	assert_int_equal(buf[0].generation, 4);
	kern_events_close(e);
	assert_int_equal(rim_state_one().ndegraded, 0);
	assert_int_equal(rim_unload(BOX_IF), 0);
	rim_assert_nothing_left();
}

static void a_log_limit_begins_full_for_the_next_rule_of_its_slot(void **state)
{
	uint64_t *cell;
	uint32_t slot;
	int fd;

	rim_load_ok(BOX_IF, LOGS("53", "log limit 1/h"), "web", NULL, NULL);
	fd = bpf_obj_get(rim_pin("p_web/log_limits"));
	cell = mmap(NULL, FW_LIMIT_CELLS * 8ul, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(cell, MAP_FAILED);
	slot = rim_rule_slot(FW_HOOK_XDP, "dns");
	run_live(53, 1);
	assert_true(cell[slot * 2]);
	cell[slot * 2] = 1234567;
	rim_apply_ok(LOGS("53", "log limit 2/h"), "web", NULL);
	assert_int_equal(rim_rule_slot(FW_HOOK_XDP, "dns"), slot);
	assert_int_equal(cell[slot * 2], 1234567);
	rim_apply_ok(PLAIN, "web", NULL);
	rim_apply_ok("policy web {\n essentials off\n ingress default drop {\n  pass port 2 log limit 5/m label \"a\"\n"
		     "  pass port 3 log limit 5/m label \"b\"\n  pass port 4 log limit 5/m label \"c\"\n }\n}\n", "web", NULL);
	assert_true(rim_rule_slot(FW_HOOK_XDP, "a") == slot || rim_rule_slot(FW_HOOK_XDP, "b") == slot ||
		    rim_rule_slot(FW_HOOK_XDP, "c") == slot);
	assert_int_equal(cell[slot * 2], 0);
	munmap(cell, FW_LIMIT_CELLS * 8ul);
	close(fd);
	assert_int_equal(rim_unload(BOX_IF), 0);
}

static void twins_of_a_policy_tell_of_nothing_and_those_of_an_image_do(void **state)
{
	struct image img = box_compile(LOGS("53", "log"), "web");
	struct kern_twin *t = NULL;
	struct kern_events *e;
	struct fw_trace trace;
	uint8_t frame[60];
	uint64_t lost;

	rim_load_ok(BOX_IF, LOGS("53", "log"), "web", NULL, NULL);
	e = events_open(KERN_EVENTS_HELD);
	assert_int_equal(rim_verdict("web", FW_HOOK_XDP, 53), FW_VERDICT_PASS);
	assert_int_equal(drain(e, &lost), 0);
	kern_events_close(e);
	assert_int_equal(rim_unload(BOX_IF), 0);

	box_udp_frame(frame, 53);
	assert_int_equal(kern_twin_open_image(&img, FW_HOOK_TC_INGRESS, &rim_fail, &t), 0);
	assert_int_equal(kern_twin_run(t, frame, sizeof(frame), 0, &trace), 0);
	assert_int_equal(kern_twin_events(t, &e), 0);
	assert_int_equal(kern_twin_run(t, frame, sizeof(frame), 0, &trace), 0);
	assert_int_equal(drain(e, &lost), 2);
	assert_int_equal(buf[0].slot, trace.slot);
	assert_int_equal(buf[0].hook, FW_HOOK_TC_INGRESS);
	kern_events_close(e);
	kern_twin_close(t);
	image_fini(&img);
	img = box_compile(PLAIN, "web");
	assert_int_equal(kern_twin_open_image(&img, FW_HOOK_XDP, &rim_fail, &t), 0);
	assert_int_equal(kern_twin_events(t, &e), -ENOENT);
	kern_twin_close(t);
	image_fini(&img);
}

/* Pins that were tampered with: a ring that is no ring. */
static void a_table_that_is_none_is_refused(void **state)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);
	struct kern *k;
	char path[512];
	int fd;

	rim_load_ok(BOX_IF, LOGS("53", "log"), "web", NULL, NULL);
	snprintf(path, sizeof(path), "%s", rim_pin("p_web/events"));
	assert_int_equal(unlink(path), 0);
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, FW_MAP_EVENTS, 4, sizeof(struct fw_event), 7, &opts);
	assert_int_equal(bpf_obj_pin(fd, path), 0);
	close(fd);
	k = rim_open(KERN_READ);
	assert_true(kern_events_open(k, "web", 0, &(struct kern_events *){NULL}) < 0);
	assert_non_null(strstr(rim_fail.text, "pin events is not fwctl's"));
	kern_close(k);
	/* One that is gone is made anew, and programs with it. */
	assert_int_equal(unlink(path), 0);
	rim_apply_ok(LOGS("54", "log"), "web", NULL);
	run_live(54, 1);
	assert_int_equal(rim_state_one().ndegraded, 0);
	assert_int_equal(rim_unload(BOX_IF), 0);
	rim_assert_nothing_left();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_policy_without_log_tells_of_nothing),
		cmocka_unit_test(packets_on_the_wire_are_told_of),
		cmocka_unit_test(what_a_reader_misses_is_counted_exactly),
		cmocka_unit_test(what_is_not_written_is_counted),
		cmocka_unit_test(tables_of_events_come_with_log_and_stay),
		cmocka_unit_test(a_log_limit_begins_full_for_the_next_rule_of_its_slot),
		cmocka_unit_test(twins_of_a_policy_tell_of_nothing_and_those_of_an_image_do),
		cmocka_unit_test(a_table_that_is_none_is_refused),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	rim_enter("readers");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
