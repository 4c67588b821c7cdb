// SPDX-License-Identifier: GPL-2.0-only
/* load, unload and status on real interfaces: modes, hooks, strangers, interfaces and namespaces that go away. */
#include "harness/rim.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define DROP_ALL "policy web {\n essentials off\n ingress default drop { }\n}\n"
#define BOTH "policy web {\n essentials off\n ingress default drop { }\n egress default drop { }\n}\n"
#define OTHER "policy other {\n essentials off\n ingress default pass { drop port 23 }\n}\n"

static void native_is_the_default(void **state)
{
	struct kern_report r;
	struct kern_iface_state s;

	rim_load_ok(BOX_IF, DROP_ALL, "web", NULL, &r);
	assert_int_equal(r.hook, FW_HOOK_XDP);
	assert_int_equal(r.mode, KERN_MODE_NATIVE);
	assert_int_equal(r.generation, 1);
	assert_false(r.unchanged || r.fell_back);
	assert_true(box_xdp_id(BOX_IF));
	s = rim_state_one();
	assert_string_equal(s.name, BOX_IF);
	assert_string_equal(s.policy, "web");
	assert_int_equal(s.ndegraded, 0);
	assert_int_equal(s.nhooks, 1);
	assert_true(s.hook[0].attached);
	assert_int_equal(s.hook[0].prog_id, box_xdp_id(BOX_IF));
	assert_true(rim_verdict("web", FW_HOOK_XDP, 9) == FW_VERDICT_DROP);
	assert_int_equal(rim_unload(BOX_IF), 0);
	assert_int_equal(box_xdp_id(BOX_IF), 0);
	rim_assert_nothing_left();
}

static void generic_on_request(void **state)
{
	const struct kern_load_opts opts = {.mode = KERN_MODE_GENERIC};
	struct kern_report r;

	rim_load_ok(BOX_IF, DROP_ALL, "web", &opts, &r);
	assert_int_equal(r.mode, KERN_MODE_GENERIC);
	assert_false(r.fell_back);
	assert_int_equal(rim_state_one().hook[0].mode, KERN_MODE_GENERIC);
	/* Asking for another mode is refused, not ignored. */
	assert_int_equal(rim_load(BOX_IF, DROP_ALL, "web", &(struct kern_load_opts){.mode = KERN_MODE_NATIVE}, NULL), -EBUSY);
	assert_non_null(strstr(rim_fail.text, "generic XDP"));
	assert_int_equal(rim_unload(BOX_IF), 0);
}

static void generic_where_native_is_refused(void **state)
{
	struct kern_report r;

	/* The loopback's driver has no native XDP. */
	rim_load_ok("lo", DROP_ALL, "web", NULL, &r);
	assert_int_equal(r.mode, KERN_MODE_GENERIC);
	assert_true(r.fell_back);
	assert_true(r.why[0]);
	assert_int_equal(rim_unload("lo"), 0);
	assert_int_equal(rim_load("lo", DROP_ALL, "web", &(struct kern_load_opts){.mode = KERN_MODE_NATIVE}, NULL), -EOPNOTSUPP);
	assert_non_null(strstr(rim_fail.text, "the driver says"));
	rim_assert_nothing_left();
}

static void large_mtu_takes_frames_in_several_buffers(void **state)
{
	struct kern_report r;

	box_ip("link set " BOX_PEER " mtu 9000");
	rim_load_ok(BOX_IF, DROP_ALL, "web", NULL, &r);
	box_ip("link set " BOX_PEER " mtu 1500");
	assert_int_equal(r.mode, KERN_MODE_NATIVE);
	assert_false(r.fell_back);
	assert_int_equal(rim_unload(BOX_IF), 0);
}

static void tc_by_tcx_and_by_clsact(void **state)
{
	const struct {
		bool clsact;
		enum kern_link link;
	} kinds[] = {{false, box_has_tcx() ? KERN_LINK_TCX : KERN_LINK_CLSACT}, {true, KERN_LINK_CLSACT}};

	for (int i = 0; i < 2; i++) {
		const struct kern_load_opts opts = {.where = KERN_HOOK_TC, .clsact = kinds[i].clsact};
		struct kern_iface_state s;
		struct kern_report r;

		rim_load_ok(BOX_IF, BOTH, "web", &opts, &r);
		assert_int_equal(r.hook, FW_HOOK_TC_INGRESS);
		s = rim_state_one();
		assert_int_equal(s.nhooks, 2);
		assert_int_equal(s.ndegraded, 0);
		for (int h = 0; h < 2; h++) {
			assert_true(s.hook[h].attached);
			assert_int_equal(s.hook[h].link, kinds[i].link);
		}
		assert_int_equal(box_xdp_id(BOX_IF), 0);
		assert_int_equal(rim_unload(BOX_IF), 0);
		rim_assert_nothing_left();
	}
}

static bool has_clsact(void)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)box_ifindex(BOX_IF), .attach_point = BPF_TC_INGRESS);
	int err = bpf_tc_hook_create(&hook);

	if (!err) {
		hook.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS;
		bpf_tc_hook_destroy(&hook);
	}
	return err == -EEXIST;
}

static void clsact_qdisc_of_others_stays(void **state)
{
	const struct kern_load_opts opts = {.where = KERN_HOOK_TC, .clsact = true};
	LIBBPF_OPTS(bpf_tc_hook, hook, .attach_point = BPF_TC_INGRESS);

	rim_load_ok(BOX_IF, BOTH, "web", &opts, NULL);
	assert_int_equal(rim_unload(BOX_IF), 0);
	assert_false(has_clsact());
	hook.ifindex = (int)box_ifindex(BOX_IF);
	assert_int_equal(bpf_tc_hook_create(&hook), 0);
	rim_load_ok(BOX_IF, BOTH, "web", &opts, NULL);
	assert_int_equal(rim_unload(BOX_IF), 0);
	assert_true(has_clsact());
	hook.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS;
	assert_int_equal(bpf_tc_hook_destroy(&hook), 0);
}

static void load_is_idempotent(void **state)
{
	struct kern_report r;
	uint32_t before;

	rim_load_ok(BOX_IF, DROP_ALL, "web", NULL, NULL);
	before = box_xdp_id(BOX_IF);
	rim_load_ok(BOX_IF, DROP_ALL, "web", NULL, &r);
	assert_true(r.unchanged);
	assert_int_equal(r.generation, 1);
	assert_int_equal(box_xdp_id(BOX_IF), before);
	/* Other rules, and nobody else obeys the policy: as apply would. */
	rim_load_ok(BOX_IF, BOTH, "web", NULL, &r);
	assert_false(r.unchanged);
	assert_int_equal(r.generation, 2);
	assert_int_equal(rim_state_one().nhooks, 2);
	assert_int_equal(rim_unload(BOX_IF), 0);
	rim_assert_nothing_left();
}

static void two_interfaces_share_a_policy(void **state)
{
	rim_load_ok(BOX_IF, DROP_ALL, "web", NULL, NULL);
	rim_load_ok(BOX_PEER, DROP_ALL, "web", NULL, NULL);
	assert_int_equal(rim_state_count(), 2);
	assert_int_equal(rim_load(BOX_PEER, BOTH, "web", NULL, NULL), -EEXIST);
	assert_non_null(strstr(rim_fail.text, "other rules"));
	assert_int_equal(rim_unload(BOX_IF), 0);
	assert_string_equal(rim_state_one().name, BOX_PEER);
	assert_true(rim_verdict("web", FW_HOOK_XDP, 9) == FW_VERDICT_DROP);
	assert_int_equal(rim_unload(BOX_PEER), 0);
	rim_assert_nothing_left();
}

static void policy_is_switched_in_the_same_link(void **state)
{
	struct kern_iface_state s;
	uint32_t before;

	rim_load_ok(BOX_IF, BOTH, "web", NULL, NULL);
	before = box_xdp_id(BOX_IF);
	rim_load_ok(BOX_IF, OTHER, "other", NULL, NULL);
	assert_int_not_equal(box_xdp_id(BOX_IF), before);
	s = rim_state_one();
	assert_string_equal(s.policy, "other");
	assert_int_equal(s.nhooks, 1);
	assert_int_equal(s.ndegraded, 0);
	assert_false(rim_verdict("other", FW_HOOK_XDP, 9) == FW_VERDICT_DROP);
	rim_load_ok(BOX_IF, BOTH, "web", NULL, NULL);
	s = rim_state_one();
	assert_string_equal(s.policy, "web");
	assert_int_equal(s.nhooks, 2);
	assert_int_equal(rim_unload(BOX_IF), 0);
	rim_assert_nothing_left();
}

/* "return XDP_PASS" by somebody else. */
static int stranger(void)
{
	static const struct bpf_insn insns[] = {{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 2},
						{.code = BPF_JMP | BPF_EXIT}};
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "stranger", "GPL", insns, 2, NULL);

	assert_true(fd >= 0);
	return fd;
}

static void foreign_program_is_refused_and_named(void **state)
{
	int fd;

	fd = stranger();
	assert_int_equal(bpf_xdp_attach((int)box_ifindex(BOX_IF), fd, 0, NULL), 0);
	assert_int_equal(rim_load(BOX_IF, DROP_ALL, "web", NULL, NULL), -EBUSY);
	assert_non_null(strstr(rim_fail.text, "cannot attach to " BOX_IF ": another XDP program, \"stranger\" (id "));
	assert_non_null(strstr(rim_fail.text, "--coexist"));
	rim_assert_nothing_left();
	/* At TC there is room for both. */
	rim_load_ok(BOX_IF, DROP_ALL, "web", &(struct kern_load_opts){.where = KERN_HOOK_TC}, NULL);
	assert_int_equal(rim_unload(BOX_IF), 0);
	assert_true(box_xdp_id(BOX_IF));
	assert_int_equal(bpf_xdp_detach((int)box_ifindex(BOX_IF), 0, NULL), 0);
	close(fd);
}

static void interfaces_that_cannot_be_filtered(void **state)
{
	static const char *const names[] = {"nosuch0", "", "a-name-that-is-too-long-for-linux", "..", "%d"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		assert_int_equal(rim_load(names[i], DROP_ALL, "web", NULL, NULL), -ENODEV);
		assert_non_null(strstr(rim_fail.text, "there is no interface"));
	}
	box_ip("tuntap add dev boxtun mode tun");
	assert_int_equal(rim_load("boxtun", DROP_ALL, "web", NULL, NULL), -EOPNOTSUPP);
	assert_non_null(strstr(rim_fail.text, "no Ethernet header"));
	box_ip("link del boxtun");
	rim_assert_nothing_left();
}

static void hostile_names_are_only_names(void **state)
{
	static const char *const names[] = {"$(id)", "a;b|c&d", "-r", "\x1b[31m", "\xff\xfe", "'\"`\\"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		/* iproute2 and the kernel refuse some of them: those cannot be met. */
		if (!box_rename(BOX_IF, names[i]))
			continue;
		rim_load_ok(names[i], DROP_ALL, "web", NULL, NULL);
		assert_string_equal(rim_state_one().name, names[i]);
		assert_int_equal(rim_unload(names[i]), 0);
		assert_true(box_rename(names[i], BOX_IF));
	}
	rim_assert_nothing_left();
}

static void renamed_interface_keeps_its_filter(void **state)
{
	rim_load_ok(BOX_IF, DROP_ALL, "web", NULL, NULL);
	assert_true(box_rename(BOX_IF, "newname"));
	assert_string_equal(rim_state_one().name, "newname");
	assert_int_equal(rim_state_one().ndegraded, 0);
	assert_int_equal(rim_unload("newname"), 0);
	assert_true(box_rename("newname", BOX_IF));
	rim_assert_nothing_left();
}

static void zombie_is_told_and_mended(void **state)
{
	static const struct kern_load_opts kinds[] = {{}, {.where = KERN_HOOK_TC}, {.where = KERN_HOOK_TC, .clsact = true}};

	for (int i = 0; i < 3; i++) {
		struct kern_iface_state s;

		rim_load_ok(BOX_IF, BOTH, "web", &kinds[i], NULL);
		box_ip("link del " BOX_IF);
		s = rim_state_one();
		assert_true(s.gone);
		assert_int_equal(s.ndegraded, 1);
		assert_non_null(strstr(s.degraded[0], BOX_IF));
		assert_false(s.hook[0].attached);
		box_ip("link add " BOX_IF " type veth peer name " BOX_PEER);
		s = rim_state_one();
		assert_true(s.gone);
		assert_non_null(strstr(s.degraded[0], "made anew"));
		/* load again: the new interface takes the place of the old one. */
		rim_load_ok(BOX_IF, BOTH, "web", &kinds[i], NULL);
		s = rim_state_one();
		assert_false(s.gone);
		assert_int_equal(s.ndegraded, 0);
		/* unload of an interface that is gone, by its name. */
		box_ip("link del " BOX_IF);
		assert_int_equal(rim_unload(BOX_IF), 0);
		rim_assert_nothing_left();
		box_ip("link add " BOX_IF " type veth peer name " BOX_PEER);
		box_ip("link set " BOX_IF " up");
		box_ip("link set " BOX_PEER " up");
	}
}

static void detached_link_is_told_and_mended(void **state)
{
	struct kern_iface_state s;
	int fd;

	rim_load_ok(BOX_IF, DROP_ALL, "web", NULL, NULL);
	fd = bpf_obj_get(rim_pin("xdp_link"));
	assert_true(fd >= 0);
	assert_int_equal(bpf_link_detach(fd), 0);
	close(fd);
	s = rim_state_one();
	assert_int_equal(s.ndegraded, 1);
	assert_false(s.hook[0].attached);
	rim_load_ok(BOX_IF, DROP_ALL, "web", NULL, NULL);
	assert_int_equal(rim_state_one().ndegraded, 0);
	assert_true(box_xdp_id(BOX_IF));
	assert_int_equal(rim_unload(BOX_IF), 0);
	rim_assert_nothing_left();
}

/* Take the egress hook away from under fwctl, by whatever this kernel holds it. */
static void break_egress(void)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)box_ifindex(BOX_IF), .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	int fd;

	if (!box_has_tcx()) {
		assert_int_equal(bpf_tc_hook_destroy(&hook), 0);
		return;
	}
	fd = bpf_obj_get(rim_pin("tcout_link"));
	assert_true(fd >= 0);
	assert_int_equal(bpf_link_detach(fd), 0);
	close(fd);
}

static void mending_one_hook_leaves_the_other_alone(void **state)
{
	struct kern_iface_state s;
	uint32_t before;

	rim_load_ok(BOX_IF, BOTH, "web", NULL, NULL);
	before = box_xdp_id(BOX_IF);
	break_egress();
	assert_int_equal(rim_state_one().ndegraded, 1);
	rim_load_ok(BOX_IF, BOTH, "web", NULL, NULL);
	s = rim_state_one();
	assert_int_equal(s.ndegraded, 0);
	assert_true(s.hook[0].attached && s.hook[1].attached);
	assert_int_equal(box_xdp_id(BOX_IF), before);
	assert_int_equal(rim_unload(BOX_IF), 0);
	rim_assert_nothing_left();
}

static void vanished_clsact_is_told_and_mended(void **state)
{
	const struct kern_load_opts opts = {.where = KERN_HOOK_TC, .clsact = true};
	LIBBPF_OPTS(bpf_tc_hook, hook, .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	struct kern_iface_state s;

	rim_load_ok(BOX_IF, BOTH, "web", &opts, NULL);
	hook.ifindex = (int)box_ifindex(BOX_IF);
	assert_int_equal(bpf_tc_hook_destroy(&hook), 0);
	s = rim_state_one();
	assert_int_equal(s.ndegraded, 2);
	assert_non_null(strstr(s.degraded[0], "clsact"));
	rim_load_ok(BOX_IF, BOTH, "web", &opts, NULL);
	assert_int_equal(rim_state_one().ndegraded, 0);
	assert_int_equal(rim_unload(BOX_IF), 0);
	rim_assert_nothing_left();
}

static void namespaces_do_not_see_each_other(void **state)
{
	unsigned int n = 0;
	struct kern *k;
	int first;

	rim_load_ok(BOX_IF, DROP_ALL, "web", NULL, NULL);
	first = box_netns();
	box_renew_netns();
	assert_int_equal(rim_state_count(), 0);
	assert_int_equal(rim_unload(BOX_IF), -ENOENT);
	/* The other one is alive: its state is none of our business. */
	k = rim_open(KERN_WRITE);
	assert_int_equal(kern_unload_all(k, &n), 0);
	kern_close(k);
	assert_int_equal(n, 0);
	box_setns(first);
	close(first);
	assert_int_equal(rim_state_one().ndegraded, 0);
	assert_int_equal(rim_unload(BOX_IF), 0);
	rim_assert_nothing_left();
}

static void dead_namespace_is_swept_by_unload_all(void **state)
{
	static const struct kern_load_opts kinds[] = {{}, {.where = KERN_HOOK_TC, .clsact = true}};
	char path[128];

	snprintf(path, sizeof(path), "%s/fwctl", rim_bpffs);
	for (int i = 0; i < 2; i++) {
		bool gone = false;

		rim_load_ok(BOX_IF, BOTH, "web", &kinds[i], NULL);
		box_renew_netns();
		/* The kernel takes a namespace apart some time after its last user left. */
		for (int tries = 0; tries < 200 && !gone; tries++) {
			struct kern *k = rim_open(KERN_WRITE);
			unsigned int n;

			assert_int_equal(kern_unload_all(k, &n), 0);
			kern_close(k);
			gone = access(path, F_OK) != 0;
			usleep(20 * 1000);
		}
		assert_true(gone);
	}
}

static void coexist_goes_to_tc_and_says_why(void **state)
{
	struct kern_report r;
	int fd;

	fd = stranger();
	assert_int_equal(bpf_xdp_attach((int)box_ifindex(BOX_IF), fd, 0, NULL), 0);
	assert_int_equal(rim_load(BOX_IF, DROP_ALL, "web", &(struct kern_load_opts){.coexist = true, .where = KERN_HOOK_XDP}, NULL),
			 -EOPNOTSUPP);
	assert_non_null(strstr(rim_fail.text, "libxdp's dispatcher"));
	assert_non_null(strstr(rim_fail.text, "--hook tc"));
	rim_assert_nothing_left();
	rim_load_ok(BOX_IF, DROP_ALL, "web", &(struct kern_load_opts){.coexist = true}, &r);
	assert_int_equal(r.hook, FW_HOOK_TC_INGRESS);
	assert_true(r.fell_back);
	assert_non_null(strstr(r.why, "libxdp's dispatcher"));
	assert_int_equal(rim_unload(BOX_IF), 0);
	assert_int_equal(bpf_xdp_detach((int)box_ifindex(BOX_IF), 0, NULL), 0);
	close(fd);
	rim_assert_nothing_left();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(native_is_the_default),
		cmocka_unit_test(generic_on_request),
		cmocka_unit_test(generic_where_native_is_refused),
		cmocka_unit_test(large_mtu_takes_frames_in_several_buffers),
		cmocka_unit_test(tc_by_tcx_and_by_clsact),
		cmocka_unit_test(clsact_qdisc_of_others_stays),
		cmocka_unit_test(load_is_idempotent),
		cmocka_unit_test(two_interfaces_share_a_policy),
		cmocka_unit_test(policy_is_switched_in_the_same_link),
		cmocka_unit_test(foreign_program_is_refused_and_named),
		cmocka_unit_test(interfaces_that_cannot_be_filtered),
		cmocka_unit_test(hostile_names_are_only_names),
		cmocka_unit_test(renamed_interface_keeps_its_filter),
		cmocka_unit_test(zombie_is_told_and_mended),
		cmocka_unit_test(detached_link_is_told_and_mended),
		cmocka_unit_test(mending_one_hook_leaves_the_other_alone),
		cmocka_unit_test(vanished_clsact_is_told_and_mended),
		cmocka_unit_test(namespaces_do_not_see_each_other),
		cmocka_unit_test(dead_namespace_is_swept_by_unload_all),
		cmocka_unit_test(coexist_goes_to_tc_and_says_why),
	};

	rim_enter("attach");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
