// SPDX-License-Identifier: GPL-2.0-only
/*
 * kill -9 before every system call of a command that changes something: load, apply (small, grown, with an egress hook more and
 * less), a change of policy, unload. Each time, what the hooks do with a packet is what they did before or what they do after, the
 * same on all of them; the next command works; at the end nothing is left.
 *
 * The command runs in a child under ptrace. Between two calls only memory is written, so a kill before the next call covers it.
 *
 * `apply` is killed before each of its calls; the others before every STRIDE-th, from a random one on (printed). KILL_STRIDE=1 in the
 * environment kills all of them before each call: some minutes. KILL_FIRST=N starts at call N.
 */
#include "harness/killed.h"
#include "harness/rim.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define STRIDE 13
#define STRIDE_RICH 97 /* programs that keep state take the verifier long */

#define TEXT(policy, in, out) "policy " policy " {\n essentials off\n ingress default " in " { }\n" out "}\n"
/* Tables and a live set beside the rules. */
#define RICH(verdict, size)                                                                                                    \
	"set banned { type prefix; live; size " size " }\npolicy web {\n essentials off\n state {\n  size 1000\n  pending 100\n }\n"     \
	" ingress default " verdict " {\n  log default\n  " verdict " from @banned\n"                                            \
	"  pass proto udp to port 53 keep state limit 5/m per src\n }\n"                                                          \
	" egress default " verdict " { }\n}\n"
#define EGRESS(verdict) " egress default " verdict " { }\n"

/* What a program says of a frame when it runs from the hook's point of view; PASS where there is none. */
static enum fw_verdict prog_verdict(uint32_t id, bool xdp)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .repeat = 1);
	uint8_t frame[60];
	int fd;

	if (!id)
		return FW_VERDICT_PASS;
	fd = bpf_prog_get_fd_by_id(id);
	assert_true(fd >= 0);
	box_udp_frame(frame, 9);
	opts.data_in = frame;
	opts.data_size_in = sizeof(frame);
	assert_int_equal(bpf_prog_test_run_opts(fd, &opts), 0);
	close(fd);
	if (xdp)
		return opts.retval == 1 ? FW_VERDICT_DROP : FW_VERDICT_PASS;
	return opts.retval == 2 ? FW_VERDICT_DROP : FW_VERDICT_PASS;
}

/* The newest struct of BPF_PROG_QUERY, by hand: libbpf 1.1 knows no TCX. */
static uint32_t tcx_id(enum bpf_attach_type type)
{
	struct {
		uint32_t ifindex, attach_type, query_flags, attach_flags;
		uint64_t prog_ids;
		uint32_t count, pad;
		uint64_t more[5];
	} attr = {.ifindex = box_ifindex(BOX_IF), .attach_type = type};
	uint32_t ids[8] = {};

	attr.prog_ids = (uintptr_t)ids;
	attr.count = 8;
	if (syscall(SYS_bpf, BPF_PROG_QUERY, &attr, sizeof(attr)))
		return 0;
	return ids[0];
}

/* A filter below clsact, wherever it is: the first priority that has one with our handle. */
static uint32_t clsact_id(enum bpf_tc_attach_point point)
{
	for (uint32_t priority = 1; priority <= 8; priority++) {
		struct bpf_tc_hook hook;
		struct bpf_tc_opts opts;

		memset(&hook, 0, sizeof(hook));
		memset(&opts, 0, sizeof(opts));
		hook.sz = sizeof(hook);
		hook.ifindex = (int)box_ifindex(BOX_IF);
		hook.attach_point = point;
		opts.sz = sizeof(opts);
		opts.handle = 0x66770001;
		opts.priority = priority;
		if (!bpf_tc_query(&hook, &opts))
			return opts.prog_id;
	}
	return 0;
}

struct seen {
	enum fw_verdict in, out;
};
static struct seen look(void)
{
	uint32_t xdp = box_xdp_id(BOX_IF);
	uint32_t in = tcx_id(46) ?: clsact_id(BPF_TC_INGRESS), out = tcx_id(47) ?: clsact_id(BPF_TC_EGRESS);
	struct seen s = {.in = prog_verdict(xdp ?: in, xdp), .out = prog_verdict(out, false)};

	return s;
}

static void act_load(void)
{
	if (rim_load(BOX_IF, TEXT("web", "drop", EGRESS("drop")), "web", NULL, NULL))
		_exit(1);
}
static void act_load_tc(void)
{
	if (rim_load(BOX_IF, TEXT("web", "drop", EGRESS("drop")), "web", &(struct kern_load_opts){.where = KERN_HOOK_TC}, NULL))
		_exit(1);
}
static const struct kern_load_opts by_clsact = {.where = KERN_HOOK_TC, .clsact = true};
static void act_load_clsact(void)
{
	if (rim_load(BOX_IF, TEXT("web", "drop", EGRESS("drop")), "web", &by_clsact, NULL))
		_exit(1);
}
static void act_load_clsact_bare(void)
{
	if (rim_load(BOX_IF, TEXT("web", "pass", ""), "web", &by_clsact, NULL))
		_exit(1);
}
static void act_load_pass(void)
{
	if (rim_load(BOX_IF, TEXT("web", "pass", EGRESS("pass")), "web", NULL, NULL))
		_exit(1);
}
static void act_load_bare(void)
{
	if (rim_load(BOX_IF, TEXT("web", "pass", ""), "web", NULL, NULL))
		_exit(1);
}
static void act_apply(void)
{
	if (rim_apply(TEXT("web", "drop", EGRESS("drop")), "web", NULL))
		_exit(1);
}
static void act_apply_bare(void)
{
	if (rim_apply(TEXT("web", "pass", ""), "web", NULL))
		_exit(1);
}
static void act_apply_grown(void)
{
	struct str text = {};

	str_add(&text, "policy web {\n essentials off\n egress default drop { }\n ingress default drop {\n");
	for (int i = 0; i < 1000; i++)
		str_addf(&text, "pass from 192.0.%d.%d port %d\n", i / 250, i % 250, 10000 + i);
	str_add(&text, " }\n}\n");
	if (rim_apply(str_get(&text), "web", NULL))
		_exit(1);
	str_fini(&text);
}
static void act_apply_rich(void)
{
	if (rim_apply(RICH("drop", "1000"), "web", NULL))
		_exit(1);
}
static void act_load_rich(void)
{
	if (rim_load(BOX_IF, RICH("pass", "1000"), "web", NULL, NULL))
		_exit(1);
}
static void act_apply_rich_grown(void)
{
	if (rim_apply(RICH("drop", "100000"), "web", NULL))
		_exit(1);
}
static void act_switch(void)
{
	if (rim_load(BOX_IF, TEXT("other", "drop", ""), "other", NULL, NULL))
		_exit(1);
}
static void act_unload(void)
{
	if (rim_unload(BOX_IF))
		_exit(1);
}
static void act_nothing(void)
{
}

static void clean(void)
{
	struct kern *k = rim_open(KERN_WRITE);
	unsigned int n;

	assert_int_equal(kern_unload_all(k, &n), 0);
	kern_close(k);
	assert_int_equal(box_xdp_id(BOX_IF), 0);
	assert_int_equal(tcx_id(46) | tcx_id(47) | clsact_id(BPF_TC_INGRESS) | clsact_id(BPF_TC_EGRESS), 0);
	rim_assert_nothing_left();
}

/*
 * mixed_ok: the two hooks of one interface may disagree, where the kernel gives no way to change both at once (see load.c); each is
 * still old or new.
 */
static void kill_everywhere(const char *what, void (*before)(void), void (*act)(void), void (*again)(void), bool mixed_ok,
			    unsigned int stride)
{
	const char *env_stride = getenv("KILL_STRIDE"), *env_first = getenv("KILL_FIRST");
	unsigned int n, first, kills = 0, news = 0;
	struct seen old, new;

	stride = env_stride && atoi(env_stride) > 0 ? (unsigned int)atoi(env_stride) : stride;
	first = env_first ? (unsigned int)atoi(env_first) : (unsigned int)(time(NULL) ^ getpid()) % stride;
	print_message("# %s: KILL_STRIDE=%u KILL_FIRST=%u\n", what, stride, first);
	before();
	old = look();
	act();
	new = look();
	clean();
	for (n = first;; n += stride, kills++) {
		struct seen now;
		bool is_old, is_new, is_mixed, killed;

		before();
		killed = killed_at(act, n);
		now = look();
		is_old = now.in == old.in && now.out == old.out;
		is_new = now.in == new.in && now.out == new.out;
		is_mixed = (now.in == old.in || now.in == new.in) && (now.out == old.out || now.out == new.out);
		if (!is_old && !is_new && !(mixed_ok && is_mixed)) {
			print_message("# %s: call %u: ingress %d, egress %d; old %d %d, new %d %d\n", what, n, now.in, now.out, old.in,
				      old.out, new.in, new.out);
			fail();
		}
		news += is_new && !is_old;
		/* The next command, whichever it is, finishes or undoes. */
		again();
		now = look();
		if (again == act && (now.in != new.in || now.out != new.out)) {
			print_message("# %s: call %u: the same command again does not give the new state\n", what, n);
			fail();
		}
		if (again == act && act != act_unload)
			assert_int_equal(rim_state_one().ndegraded, 0);
		clean();
		if (!killed)
			break;
	}
	print_message("# %s: %u kills over %u calls, new after %u of them\n", what, kills, n, news);
	assert_true(n > 20);
}

static void load_new_policy(void **state)
{
	kill_everywhere("load", act_nothing, act_load, act_load, false, STRIDE);
}

static void load_at_tc(void **state)
{
	kill_everywhere("load --hook tc", act_nothing, act_load_tc, act_load_tc, false, STRIDE);
}

static void load_at_tc_by_clsact(void **state)
{
	kill_everywhere("load, clsact", act_nothing, act_load_clsact, act_load_clsact, false, STRIDE);
}

static void apply_by_clsact(void **state)
{
	kill_everywhere("apply, clsact, egress added and grown", act_load_clsact_bare, act_apply_grown, act_apply_grown, false, STRIDE);
}

static void load_is_undone_by_another_command(void **state)
{
	kill_everywhere("load, then another load", act_nothing, act_load, act_load_bare, false, STRIDE);
}

static void apply_in_place(void **state)
{
	kill_everywhere("apply", act_load_pass, act_apply, act_apply, false, 1);
}

static void apply_with_an_egress_hook_more(void **state)
{
	kill_everywhere("apply, egress added", act_load_bare, act_apply, act_apply, false, STRIDE);
}

static void apply_with_an_egress_hook_less(void **state)
{
	kill_everywhere("apply, egress gone", act_load, act_apply_bare, act_apply_bare, false, STRIDE);
}

static void apply_grown(void **state)
{
	kill_everywhere("apply, grown", act_load_pass, act_apply_grown, act_apply_grown, false, STRIDE);
}

static void apply_that_brings_tables(void **state)
{
	kill_everywhere("apply, tables and a live set added", act_load_pass, act_apply_rich, act_apply_rich, false, STRIDE_RICH);
}

static void apply_that_leaves_a_live_set(void **state)
{
	kill_everywhere("apply, live set gone", act_load_rich, act_apply, act_apply, false, STRIDE_RICH);
}

static void apply_with_live_sets_grown(void **state)
{
	kill_everywhere("apply, live sets grown", act_load_rich, act_apply_rich_grown, act_apply_rich_grown, false, STRIDE_RICH);
}

static void switch_policy(void **state)
{
	kill_everywhere("load another policy", act_load_pass, act_switch, act_switch, true, STRIDE);
}

static void unload(void **state)
{
	kill_everywhere("unload", act_load, act_unload, act_nothing, true, STRIDE);
}

/* A word as argument: only the cases whose name it matches (with * and ?). */
int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(load_new_policy),
		cmocka_unit_test(load_at_tc),
		cmocka_unit_test(load_at_tc_by_clsact),
		cmocka_unit_test(apply_by_clsact),
		cmocka_unit_test(load_is_undone_by_another_command),
		cmocka_unit_test(apply_in_place),
		cmocka_unit_test(apply_with_an_egress_hook_more),
		cmocka_unit_test(apply_with_an_egress_hook_less),
		cmocka_unit_test(apply_grown),
		cmocka_unit_test(apply_that_brings_tables),
		cmocka_unit_test(apply_that_leaves_a_live_set),
		cmocka_unit_test(apply_with_live_sets_grown),
		cmocka_unit_test(switch_policy),
		cmocka_unit_test(unload),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	rim_enter("crash");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
