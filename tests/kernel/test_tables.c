// SPDX-License-Identifier: GPL-2.0-only
/* What policies remember between packets: made when the rules need it, kept as long as the policy is there. */
#include "harness/rim.h"
#include "harness/rim_prog.h"
#include "kern/clock.h"
#include "kern/object.h"
#include "kern/slots.h"

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
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define PLAIN "policy web {\n essentials off\n ingress default drop {\n  pass port 53\n }\n}\n"
#define STATE(options)                                                                                                         \
	"policy web {\n essentials off\n state {\n" options " }\n ingress default drop {\n  pass proto udp to port 53 keep state\n }\n}\n"
#define SMALL STATE("size 1000\n pending 100\n")
#define LARGE STATE("size 100000\n pending 100\n")
#define LIMITS                                                                                                                 \
	"policy web {\n essentials off\n ingress default drop {\n  pass proto udp to port 53 limit 5/m burst 2 label \"dns\"\n }\n}\n"

static bool pinned(const char *part)
{
	return strstr(box_find(rim_bpffs), part);
}

/* The control word of the policy, by its pin. */
static struct fw_ctl ctl_of(const char *policy)
{
	char part[64];
	struct fw_ctl ctl;
	uint32_t zero = 0;
	int fd;

	snprintf(part, sizeof(part), "p_%s/ctl", policy);
	fd = bpf_obj_get(rim_pin(part));
	assert_true(fd >= 0);
	assert_int_equal(bpf_map_lookup_elem(fd, &zero, &ctl), 0);
	close(fd);
	return ctl;
}

static void programs_lack_what_the_rules_do_not_need(void **state)
{
	static const char *const all[] = {FW_MAP_FLOWS, FW_MAP_LIMITS, FW_MAP_BUCKETS, FW_MAP_COOKIES, FW_MAP_LIVE_CTL};

	rim_load_ok(BOX_IF, PLAIN, "web", NULL, NULL);
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		assert_false(program_has(box_xdp_id(BOX_IF), all[i]));
	assert_false(pinned("p_web/flows") || pinned("p_web/limits") || pinned("/live"));
	assert_int_equal(rim_state_one().nhooks, 1);
	assert_int_equal(rim_unload(BOX_IF), 0);
	rim_assert_nothing_left();
}

static void tables_come_with_the_rules_that_need_them(void **state)
{
	struct kern_report r;

	rim_load_ok(BOX_IF, PLAIN, "web", NULL, NULL);
	rim_apply_ok(SMALL, "web", &r);
	assert_true(r.reloaded);
	assert_string_equal(r.note, "");
	assert_true(program_has(box_xdp_id(BOX_IF), FW_MAP_FLOWS));
	assert_false(program_has(box_xdp_id(BOX_IF), FW_MAP_BUCKETS));
	/* Flows are kept from both ends. */
	assert_int_equal(rim_state_one().nhooks, 2);
	assert_true(program_has(rim_state_one().hook[1].prog_id, FW_MAP_FLOWS));
	rim_apply_ok(LIMITS, "web", &r);
	assert_true(r.reloaded);
	assert_true(program_has(box_xdp_id(BOX_IF), FW_MAP_FLOWS) && program_has(box_xdp_id(BOX_IF), FW_MAP_BUCKETS));
	assert_int_equal(rim_state_one().nhooks, 1);
	rim_apply_ok(SMALL, "web", &r);
	assert_false(r.reloaded);
	assert_int_equal(rim_unload(BOX_IF), 0);
	rim_assert_nothing_left();
}

static void programs_are_reloaded_for_answers_once(void **state)
{
	static const char limit[] = "policy web {\n essentials off\n ingress default drop {\n"
				    "  pass port 1 limit 5/m\n  %s port %d\n }\n}\n";
	static const char proxy[] = "policy web {\n essentials off\n ingress default drop {\n"
				    "  pass proto tcp to port { 80, %d } keep state synproxy\n }\n egress default pass { }\n}\n";
	struct kern_report r;
	char text[512];

	rim_load_ok(BOX_IF, PLAIN, "web", NULL, NULL);
	for (int i = 0; i < 4; i++) {
		snprintf(text, sizeof(text), limit, i < 2 ? "drop" : "reject", 10 + i);
		rim_apply_ok(text, "web", &r);
		assert_int_equal(r.reloaded, i % 2 == 0);
	}
	for (int i = 0; i < 2; i++) {
		snprintf(text, sizeof(text), proxy, 81 + i);
		rim_apply_ok(text, "web", &r);
		assert_int_equal(r.reloaded, i == 0);
	}
	rim_apply_ok(text, "web", &r);
	assert_true(r.unchanged);
	assert_int_equal(rim_unload(BOX_IF), 0);
	rim_assert_nothing_left();
}

static void a_table_outlives_generations_and_keeps_its_size(void **state)
{
	struct kern_report r;
	uint32_t id;

	rim_load_ok(BOX_IF, SMALL, "web", NULL, NULL);
	id = pin_id("p_web/flows");
	assert_int_equal(ctl_of("web").flow_sets, 256); /* 1,000 flows fill four fifths of 2,048 ways, or less */
	assert_int_equal(ctl_of("web").pend_sets, 16);
	rim_apply_ok(PLAIN, "web", &r);
	rim_apply_ok(LARGE, "web", &r);
	assert_int_equal(pin_id("p_web/flows"), id);
	assert_non_null(strstr(r.note, "keeps its table of flows"));
	assert_non_null(strstr(r.note, "size 100000"));
	assert_false(r.reloaded);
	assert_int_equal(rim_unload(BOX_IF), 0);
	rim_load_ok(BOX_IF, LARGE, "web", NULL, &r);
	assert_string_equal(r.note, "");
	assert_int_equal(ctl_of("web").flow_sets, 16384);
	assert_int_equal(rim_unload(BOX_IF), 0);
	rim_assert_nothing_left();
}

/* As a kill between the pin and the control word leaves it. */
static void a_table_that_nobody_named_is_swept(void **state)
{
	char path[512];
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, FW_MAP_FLOWS, 4, 8, 1, NULL);

	rim_load_ok(BOX_IF, PLAIN, "web", NULL, NULL);
	snprintf(path, sizeof(path), "%s", rim_pin("p_web/ctl"));
	strcpy(strrchr(path, '/'), "/flows");
	assert_int_equal(bpf_obj_pin(fd, path), 0);
	close(fd);
	kern_close(rim_open(KERN_WRITE));
	assert_false(pinned("p_web/flows"));
	rim_apply_ok(SMALL, "web", NULL);
	/* And one that somebody took away is made anew. */
	assert_int_equal(unlink(rim_pin("p_web/flows")), 0);
	rim_apply_ok(PLAIN, "web", NULL);
	rim_apply_ok(LARGE, "web", NULL);
	assert_true(pinned("p_web/flows"));
	assert_int_equal(ctl_of("web").flow_sets, 16384);
	assert_int_equal(rim_unload(BOX_IF), 0);
	rim_assert_nothing_left();
}

static void the_clock_of_programs_is_monotonic_time(void **state)
{
	struct fw_ctl ctl;
	uint64_t ticks = 0, at, now;

	rim_load_ok(BOX_IF, SMALL, "web", NULL, NULL);
	ctl = ctl_of("web");
	assert_true(ctl.jiffy_ns >= 1000000 && ctl.jiffy_ns <= 10000000);
	assert_true(ctl.state_ns && ctl.state_ns <= clock_now_ns());
	for (int i = 0; i < 50; i++) {
		assert_int_equal(clock_ticks(&rim_fail, &ticks), 0);
		now = clock_now_ns();
		at = (ticks - ctl.jiffies0) * ctl.jiffy_ns;
		/* A busy machine may keep us waiting between the two; the programs' clock is never ahead of what comes later. */
		assert_true(at <= now + ctl.jiffy_ns);
		if (now - at <= 2 * ctl.jiffy_ns || at > now)
			break;
		assert_true(i < 49);
	}
	for (size_t i = 0; i < FW_SECRETS; i++)
		for (size_t j = 0; j < i; j++)
			assert_true(ctl.secret[i] && ctl.secret[i] != ctl.secret[j]);
	assert_int_equal(rim_unload(BOX_IF), 0);
}

static uint64_t *limits_of(const char *policy, int *ret_fd)
{
	uint64_t *cell;

	*ret_fd = bpf_obj_get(rim_pin("p_web/limits"));
	cell = mmap(NULL, FW_LIMIT_CELLS * 8ul, PROT_READ | PROT_WRITE, MAP_SHARED, *ret_fd, 0);
	assert_ptr_not_equal(cell, MAP_FAILED);
	return cell;
}

static void a_limit_stays_with_its_rule_and_begins_full_for_another(void **state)
{
	uint64_t *cell;
	uint32_t slot;
	int fd;

	rim_load_ok(BOX_IF, LIMITS, "web", NULL, NULL);
	cell = limits_of("web", &fd);
	slot = rim_rule_slot(FW_HOOK_XDP, "dns");
	cell[slot * 2] = 1234567;
	rim_apply_ok("policy web {\n essentials off\n ingress default drop {\n  pass port 1\n"
		     "  pass proto udp to port 53 limit 6/m burst 2 label \"dns\"\n }\n}\n", "web", NULL);
	assert_int_equal(rim_rule_slot(FW_HOOK_XDP, "dns"), slot);
	assert_int_equal(cell[slot * 2], 1234567);
	/* Away for a generation, then its slot goes to somebody else. */
	rim_apply_ok(PLAIN, "web", NULL);
	rim_apply_ok("policy web {\n essentials off\n ingress default drop {\n"
		     "  pass port 2 limit 5/m label \"a\"\n  pass port 3 limit 5/m label \"b\"\n"
		     "  pass port 4 limit 5/m label \"c\"\n }\n}\n",
		     "web", NULL);
	assert_true(rim_rule_slot(FW_HOOK_XDP, "a") == slot || rim_rule_slot(FW_HOOK_XDP, "b") == slot ||
		    rim_rule_slot(FW_HOOK_XDP, "c") == slot);
	assert_int_equal(cell[slot * 2], 0);
	munmap(cell, FW_LIMIT_CELLS * 8ul);
	close(fd);
	assert_int_equal(rim_unload(BOX_IF), 0);
	rim_assert_nothing_left();
}

static void memory_counts_the_tables(void **state)
{
	struct kern_iface_state s;
	struct kern_memory m;
	struct kern *k;

	rim_load_ok(BOX_IF, LARGE, "web", NULL, NULL);
	s = rim_state_one();
	k = rim_open(KERN_READ);
	assert_int_equal(kern_memory(k, &s, &m), 0);
	kern_close(k);
	assert_int_equal(m.tables, (16384 + 16) * sizeof(struct fw_flow_set));
	assert_int_equal(m.live, 0);
	assert_int_equal(rim_unload(BOX_IF), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(programs_lack_what_the_rules_do_not_need),
		cmocka_unit_test(tables_come_with_the_rules_that_need_them),
		cmocka_unit_test(programs_are_reloaded_for_answers_once),
		cmocka_unit_test(a_table_outlives_generations_and_keeps_its_size),
		cmocka_unit_test(a_table_that_nobody_named_is_swept),
		cmocka_unit_test(the_clock_of_programs_is_monotonic_time),
		cmocka_unit_test(a_limit_stays_with_its_rule_and_begins_full_for_another),
		cmocka_unit_test(memory_counts_the_tables),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	rim_enter("tables");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
