// SPDX-License-Identifier: GPL-2.0-only
/* Flows as commands see and end them: cells written by hand, and those of real packets. */
#include "harness/rim.h"
#include "kern/clock.h"

#include <bpf/bpf.h>
#include <endian.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define PLAIN "policy web {\n essentials off\n ingress default pass { }\n}\n"
#define STATE                                                                                                                  \
	"policy web {\n essentials off\n state {\n  size 1000\n  pending 100\n }\n"                                              \
	" ingress default drop {\n  pass proto udp to port 53 keep state label \"dns\"\n }\n}\n"
#define SETS 256
#define PEND_SETS 16

static struct fw_flow_set *table;
static int table_fd;

static void table_open(void)
{
	table_fd = bpf_obj_get(rim_pin("p_web/flows"));
	table = mmap(NULL, (SETS + PEND_SETS) * sizeof(*table), PROT_READ | PROT_WRITE, MAP_SHARED, table_fd, 0);
	assert_ptr_not_equal(table, MAP_FAILED);
}

static void table_close(void)
{
	munmap(table, (SETS + PEND_SETS) * sizeof(*table));
	close(table_fd);
}

static struct fw_flow *cell_write(uint32_t set, uint32_t way, uint64_t end_tick, uint64_t uses)
{
	struct fw_flow *f = &table[set].way[way];

	*f = (struct fw_flow){.key = {.a = {set}, .b = {way}, .pa = 1, .pb = 2, .proto = 17, .l3 = FW_L3_IPV4},
			      .word = end_tick | (uint64_t)FW_FLOW_ESTABLISHED << 40 | uses << FW_FLOW_USES,
			      .born = (uint32_t)(clock_now_ns() >> FW_TICK_SHIFT), .packets = {3, 4}, .bytes = {300, 400}};
	return f;
}

static struct kern_flow *list(size_t *ret_n)
{
	struct kern *k = rim_open(KERN_READ);
	struct kern_flow *v = NULL;

	assert_int_equal(kern_flows(k, "web", NULL, NULL, &v, ret_n), 0);
	kern_close(k);
	return v;
}

static size_t end_them(const struct kern_flow *v, size_t n)
{
	struct kern *k = rim_open(KERN_WRITE);
	size_t ended = 0;

	assert_int_equal(kern_flows_kill(k, "web", v, n, &ended), 0);
	kern_close(k);
	return ended;
}

static bool odd(void *ctx, const struct kern_flow *f)
{
	return f->flow.key.a[0] & 1;
}

static void flows_that_live_are_listed(void **state)
{
	uint64_t tick = clock_now_ns() >> FW_TICK_SHIFT;
	struct kern_flow_room room;
	struct kern_flow *v;
	struct kern *k;
	size_t n;

	rim_load_ok(BOX_IF, STATE, "web", NULL, NULL);
	table_open();
	cell_write(0, 0, tick + FW_TICKS(100), 1);
	cell_write(SETS - 1, 7, tick + FW_TICKS(200), 5);
	cell_write(SETS + 2, 3, tick + FW_TICKS(300), 1); /* a half-open one */
	cell_write(1, 0, tick - 10, 1);                   /* has ended */
	cell_write(1, 1, tick + FW_TICKS(100), 1)->word |= FW_FLOWF_BUSY; /* nobody's yet */
	v = list(&n);
	assert_int_equal(n, 3);
	assert_int_equal(v[0].cell, 0);
	assert_false(v[0].pending);
	assert_true(v[0].left_ns > 90000000000ull && v[0].left_ns <= 100000000000ull);
	assert_true(v[0].age_ns < 60000000000ull);
	assert_int_equal(v[1].flow.key.a[0], SETS - 1);
	assert_int_equal(v[1].flow.bytes[1], 400);
	assert_true(v[2].pending);
	free(v);
	k = rim_open(KERN_READ);
	assert_int_equal(kern_flows(k, "web", odd, NULL, NULL, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(kern_flows_room(k, "web", &room), 0);
	assert_int_equal(room.size, SETS * FW_FLOW_WAYS);
	assert_int_equal(room.pending_size, PEND_SETS * FW_FLOW_WAYS);
	assert_int_equal(room.pending_used, 1);
	kern_close(k);
	table_close();
	assert_int_equal(rim_unload(BOX_IF), 0);
	rim_assert_nothing_left();
}

static void ending_one_ends_that_one_alone(void **state)
{
	uint64_t tick = clock_now_ns() >> FW_TICK_SHIFT;
	struct kern_flow *v;
	struct fw_flow *f;
	struct kern *k;
	size_t n, ended;

	rim_load_ok(BOX_IF, STATE, "web", NULL, NULL);
	table_open();
	f = cell_write(3, 1, tick + FW_TICKS(100), 1);
	cell_write(3, 2, tick + FW_TICKS(100), 1);
	cell_write(3, 3, tick + FW_TICKS(100), 1);
	v = list(&n);
	assert_int_equal(n, 3);
	/* Moved on since, but the same flow: it ends. The cell's next user is another one, and stays. */
	f->word += 5;
	table[3].way[2].word += 1ull << FW_FLOW_USES;
	assert_int_equal(end_them(v, 2), 1);
	assert_int_equal(FW_FLOW_END(f->word), 0);
	assert_int_equal(f->word >> FW_FLOW_USES, 1);
	assert_int_equal(end_them(v, 2), 0);
	free(v);
	v = list(&n);
	assert_int_equal(n, 2);
	k = rim_open(KERN_READ);
	assert_int_equal(kern_flows_kill(k, "web", v, n, &ended), -EPERM);
	kern_close(k);
	free(v);
	table_close();
	assert_int_equal(rim_unload(BOX_IF), 0);
	rim_assert_nothing_left();
}

static void a_policy_without_state_has_none(void **state)
{
	struct kern_flow_room room;
	struct kern_flow *v;
	struct kern *k;
	size_t n;

	rim_load_ok(BOX_IF, PLAIN, "web", NULL, NULL);
	k = rim_open(KERN_READ);
	assert_int_equal(kern_flows(k, "web", NULL, NULL, &v, &n), -ENOENT);
	assert_string_equal(rim_fail.text, "");
	assert_int_equal(kern_flows_room(k, "web", &room), -ENOENT);
	assert_int_equal(kern_flows(k, "other", NULL, NULL, &v, &n), -ENOENT);
	assert_non_null(strstr(rim_fail.text, "no interface uses policy other"));
	kern_close(k);
	assert_int_equal(rim_unload(BOX_IF), 0);
	rim_assert_nothing_left();
}

/* One datagram makes a flow that outlives generations, until somebody ends it; asking a twin makes none. */
static void packets_make_flows(void **state)
{
	struct kern_flow *v;
	size_t n;

	rim_load_ok(BOX_IF, STATE, "web", NULL, NULL);
	assert_int_equal(rim_verdict("web", FW_HOOK_XDP, 53), FW_VERDICT_PASS);
	free(list(&n));
	assert_int_equal(n, 0);
	box_send_udp(BOX_PEER, 53, 1);
	for (int tries = 0; rim_rule_packets(FW_HOOK_XDP, "dns") < 1; tries++) {
		assert_true(tries < 500);
		usleep(10000);
	}
	v = list(&n);
	assert_int_equal(n, 1);
	assert_true(v[0].pending);
	assert_int_equal(v[0].flow.key.pb, htobe16(53));
	assert_int_equal(v[0].flow.packets[0], 1);
	assert_true(v[0].left_ns <= 30000000000ull);
	free(v);
	rim_apply_ok(PLAIN, "web", NULL);
	rim_apply_ok(STATE, "web", NULL);
	v = list(&n);
	assert_int_equal(n, 1);
	assert_int_equal(end_them(v, n), 1);
	free(v);
	free(list(&n));
	assert_int_equal(n, 0);
	assert_int_equal(rim_unload(BOX_IF), 0);
	rim_assert_nothing_left();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flows_that_live_are_listed),
		cmocka_unit_test(ending_one_ends_that_one_alone),
		cmocka_unit_test(a_policy_without_state_has_none),
		cmocka_unit_test(packets_make_flows),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	rim_enter("flows");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
