// SPDX-License-Identifier: GPL-2.0-only
/* load, unload and status on real interfaces: modes, hooks, strangers, interfaces and namespaces that go away. */
#include "harness/box.h"
#include "kern/kern.h"

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

static const char *bpffs, *skip_why;
static struct fail fail;

#define NEEDS_BOX()                                                                                                            \
	do {                                                                                                                   \
		if (!bpffs) {                                                                                                  \
			print_message("# SKIP %s\n", skip_why);                                                                \
			skip();                                                                                                \
		}                                                                                                              \
	} while (0)

static struct kern *open_kern(enum kern_access access)
{
	struct kern *k = NULL;
	int err;

	fail = (struct fail){};
	err = kern_open(bpffs, access, &fail, &k);
	if (err)
		print_message("# %s\n", fail.text);
	assert_int_equal(err, 0);
	return k;
}

static int load(const char *ifname, const char *text, const char *policy, const struct kern_load_opts *opts, struct kern_report *r)
{
	struct image img = box_compile(text, policy);
	struct kern *k = open_kern(KERN_WRITE);
	struct kern_report report = {};
	int err = kern_load(k, ifname, policy, &img, opts, &report);

	kern_close(k);
	image_fini(&img);
	if (r)
		*r = report;
	return err;
}

static void load_ok(const char *ifname, const char *text, const char *policy, const struct kern_load_opts *opts, struct kern_report *r)
{
	int err = load(ifname, text, policy, opts, r);

	if (err)
		print_message("# %s\n", fail.text);
	assert_int_equal(err, 0);
}

/* The only interface in the state. */
static struct kern_iface_state state_one(void)
{
	struct kern *k = open_kern(KERN_READ);
	struct kern_iface_state *v = NULL, one;
	size_t n = 0;

	assert_int_equal(kern_state(k, &v, &n), 0);
	kern_close(k);
	assert_int_equal(n, 1);
	one = v[0];
	free(v);
	return one;
}

static size_t state_count(void)
{
	struct kern *k = open_kern(KERN_READ);
	struct kern_iface_state *v = NULL;
	size_t n = 0;

	assert_int_equal(kern_state(k, &v, &n), 0);
	kern_close(k);
	free(v);
	return n;
}

static int unload(const char *ifname)
{
	struct kern *k = open_kern(KERN_WRITE);
	int err = kern_unload(k, ifname);

	kern_close(k);
	return err;
}

static void assert_nothing_left(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/fwctl", bpffs);
	assert_int_not_equal(access(path, F_OK), 0);
}

/* Does a datagram sent by the peer arrive at BOX_IF's stack? Looked at where the packets are counted: no rule, no wait. */
static bool drops(const char *policy, enum fw_hook hook)
{
	static const uint8_t frame[60] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0, 0, 46, 0, 1, 0, 0, 64, 17, 0, 0,
					  10, 0, 0, 1, 10, 0, 0, 2, 4, 0, 0, 9, 0, 26, 0, 0};
	struct kern *k = open_kern(KERN_READ);
	struct kern_twin *t = NULL;
	struct fw_trace trace = {};

	assert_int_equal(kern_twin_open(k, policy, hook, &t), 0);
	assert_int_equal(kern_twin_run(t, frame, sizeof(frame), 0, &trace), 0);
	kern_twin_close(t);
	kern_close(k);
	return trace.verdict == FW_VERDICT_DROP;
}

static void native_is_the_default(void **state)
{
	struct kern_report r;
	struct kern_iface_state s;

	NEEDS_BOX();
	load_ok(BOX_IF, DROP_ALL, "web", NULL, &r);
	assert_int_equal(r.hook, FW_HOOK_XDP);
	assert_int_equal(r.mode, KERN_MODE_NATIVE);
	assert_int_equal(r.generation, 1);
	assert_false(r.unchanged || r.fell_back);
	assert_true(box_xdp_id(BOX_IF));
	s = state_one();
	assert_string_equal(s.name, BOX_IF);
	assert_string_equal(s.policy, "web");
	assert_int_equal(s.ndegraded, 0);
	assert_int_equal(s.nhooks, 1);
	assert_true(s.hook[0].attached);
	assert_int_equal(s.hook[0].prog_id, box_xdp_id(BOX_IF));
	assert_true(drops("web", FW_HOOK_XDP));
	assert_int_equal(unload(BOX_IF), 0);
	assert_int_equal(box_xdp_id(BOX_IF), 0);
	assert_nothing_left();
}

static void generic_on_request(void **state)
{
	const struct kern_load_opts opts = {.mode = KERN_MODE_GENERIC};
	struct kern_report r;

	NEEDS_BOX();
	load_ok(BOX_IF, DROP_ALL, "web", &opts, &r);
	assert_int_equal(r.mode, KERN_MODE_GENERIC);
	assert_false(r.fell_back);
	assert_int_equal(state_one().hook[0].mode, KERN_MODE_GENERIC);
	/* Asking for another mode is refused, not ignored. */
	assert_int_equal(load(BOX_IF, DROP_ALL, "web", &(struct kern_load_opts){.mode = KERN_MODE_NATIVE}, NULL), -EBUSY);
	assert_non_null(strstr(fail.text, "generic XDP"));
	assert_int_equal(unload(BOX_IF), 0);
}

static void generic_where_native_is_refused(void **state)
{
	struct kern_report r;

	NEEDS_BOX();
	/* The loopback's driver has no native XDP. */
	load_ok("lo", DROP_ALL, "web", NULL, &r);
	assert_int_equal(r.mode, KERN_MODE_GENERIC);
	assert_true(r.fell_back);
	assert_true(r.why[0]);
	assert_int_equal(unload("lo"), 0);
	assert_int_equal(load("lo", DROP_ALL, "web", &(struct kern_load_opts){.mode = KERN_MODE_NATIVE}, NULL), -EOPNOTSUPP);
	assert_non_null(strstr(fail.text, "the driver says"));
	assert_nothing_left();
}

static void large_mtu_takes_frames_in_several_buffers(void **state)
{
	struct kern_report r;

	NEEDS_BOX();
	box_ip("link set " BOX_PEER " mtu 9000");
	load_ok(BOX_IF, DROP_ALL, "web", NULL, &r);
	box_ip("link set " BOX_PEER " mtu 1500");
	assert_int_equal(r.mode, KERN_MODE_NATIVE);
	assert_false(r.fell_back);
	assert_int_equal(unload(BOX_IF), 0);
}

static void tc_by_tcx_and_by_clsact(void **state)
{
	static const struct {
		bool clsact;
		enum kern_link link;
	} kinds[] = {{false, KERN_LINK_TCX}, {true, KERN_LINK_CLSACT}};

	NEEDS_BOX();
	for (int i = 0; i < 2; i++) {
		const struct kern_load_opts opts = {.where = KERN_HOOK_TC, .clsact = kinds[i].clsact};
		struct kern_iface_state s;
		struct kern_report r;

		load_ok(BOX_IF, BOTH, "web", &opts, &r);
		assert_int_equal(r.hook, FW_HOOK_TC_INGRESS);
		s = state_one();
		assert_int_equal(s.nhooks, 2);
		assert_int_equal(s.ndegraded, 0);
		for (int h = 0; h < 2; h++) {
			assert_true(s.hook[h].attached);
			assert_int_equal(s.hook[h].link, kinds[i].link);
		}
		assert_int_equal(box_xdp_id(BOX_IF), 0);
		assert_int_equal(unload(BOX_IF), 0);
		assert_nothing_left();
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

	NEEDS_BOX();
	load_ok(BOX_IF, BOTH, "web", &opts, NULL);
	assert_int_equal(unload(BOX_IF), 0);
	assert_false(has_clsact());
	hook.ifindex = (int)box_ifindex(BOX_IF);
	assert_int_equal(bpf_tc_hook_create(&hook), 0);
	load_ok(BOX_IF, BOTH, "web", &opts, NULL);
	assert_int_equal(unload(BOX_IF), 0);
	assert_true(has_clsact());
	hook.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS;
	assert_int_equal(bpf_tc_hook_destroy(&hook), 0);
}

static void load_is_idempotent(void **state)
{
	struct kern_report r;
	uint32_t before;

	NEEDS_BOX();
	load_ok(BOX_IF, DROP_ALL, "web", NULL, NULL);
	before = box_xdp_id(BOX_IF);
	load_ok(BOX_IF, DROP_ALL, "web", NULL, &r);
	assert_true(r.unchanged);
	assert_int_equal(r.generation, 1);
	assert_int_equal(box_xdp_id(BOX_IF), before);
	/* Other rules, and nobody else obeys the policy: as apply would. */
	load_ok(BOX_IF, BOTH, "web", NULL, &r);
	assert_false(r.unchanged);
	assert_int_equal(r.generation, 2);
	assert_int_equal(state_one().nhooks, 2);
	assert_int_equal(unload(BOX_IF), 0);
	assert_nothing_left();
}

static void two_interfaces_share_a_policy(void **state)
{
	NEEDS_BOX();
	load_ok(BOX_IF, DROP_ALL, "web", NULL, NULL);
	load_ok(BOX_PEER, DROP_ALL, "web", NULL, NULL);
	assert_int_equal(state_count(), 2);
	assert_int_equal(load(BOX_PEER, BOTH, "web", NULL, NULL), -EEXIST);
	assert_non_null(strstr(fail.text, "other rules"));
	assert_int_equal(unload(BOX_IF), 0);
	assert_string_equal(state_one().name, BOX_PEER);
	assert_true(drops("web", FW_HOOK_XDP));
	assert_int_equal(unload(BOX_PEER), 0);
	assert_nothing_left();
}

static void policy_is_switched_in_the_same_link(void **state)
{
	struct kern_iface_state s;
	uint32_t before;

	NEEDS_BOX();
	load_ok(BOX_IF, BOTH, "web", NULL, NULL);
	before = box_xdp_id(BOX_IF);
	load_ok(BOX_IF, OTHER, "other", NULL, NULL);
	assert_int_not_equal(box_xdp_id(BOX_IF), before);
	s = state_one();
	assert_string_equal(s.policy, "other");
	assert_int_equal(s.nhooks, 1);
	assert_int_equal(s.ndegraded, 0);
	assert_false(drops("other", FW_HOOK_XDP));
	load_ok(BOX_IF, BOTH, "web", NULL, NULL);
	s = state_one();
	assert_string_equal(s.policy, "web");
	assert_int_equal(s.nhooks, 2);
	assert_int_equal(unload(BOX_IF), 0);
	assert_nothing_left();
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

	NEEDS_BOX();
	fd = stranger();
	assert_int_equal(bpf_xdp_attach((int)box_ifindex(BOX_IF), fd, 0, NULL), 0);
	assert_int_equal(load(BOX_IF, DROP_ALL, "web", NULL, NULL), -EBUSY);
	assert_non_null(strstr(fail.text, "cannot attach to " BOX_IF ": another XDP program, \"stranger\" (id "));
	assert_non_null(strstr(fail.text, "--coexist"));
	assert_nothing_left();
	/* At TC there is room for both. */
	load_ok(BOX_IF, DROP_ALL, "web", &(struct kern_load_opts){.where = KERN_HOOK_TC}, NULL);
	assert_int_equal(unload(BOX_IF), 0);
	assert_true(box_xdp_id(BOX_IF));
	assert_int_equal(bpf_xdp_detach((int)box_ifindex(BOX_IF), 0, NULL), 0);
	close(fd);
}

static void interfaces_that_cannot_be_filtered(void **state)
{
	static const char *const names[] = {"nosuch0", "", "a-name-that-is-too-long-for-linux", "..", "%d"};

	NEEDS_BOX();
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		assert_int_equal(load(names[i], DROP_ALL, "web", NULL, NULL), -ENODEV);
		assert_non_null(strstr(fail.text, "there is no interface"));
	}
	box_ip("tuntap add dev boxtun mode tun");
	assert_int_equal(load("boxtun", DROP_ALL, "web", NULL, NULL), -EOPNOTSUPP);
	assert_non_null(strstr(fail.text, "no Ethernet header"));
	box_ip("link del boxtun");
	assert_nothing_left();
}

static void hostile_names_are_only_names(void **state)
{
	NEEDS_BOX();
	static const char *const names[] = {"$(touch x)", "a;b|c&d", "-r", "\x1b[31m", "\xff\xfe", "'\"`\\"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const char *argv[] = {"ip", "link", "set", BOX_IF, "name", names[i], NULL};
		const char *back[] = {"ip", "link", "set", names[i], "name", BOX_IF, NULL};

		/* iproute2 and the kernel refuse some of them: those cannot be met. */
		if (box_run(argv))
			continue;
		load_ok(names[i], DROP_ALL, "web", NULL, NULL);
		assert_string_equal(state_one().name, names[i]);
		assert_int_equal(unload(names[i]), 0);
		assert_int_equal(box_run(back), 0);
	}
	assert_nothing_left();
}

static void renamed_interface_keeps_its_filter(void **state)
{
	NEEDS_BOX();
	load_ok(BOX_IF, DROP_ALL, "web", NULL, NULL);
	box_ip("link set " BOX_IF " name newname");
	assert_string_equal(state_one().name, "newname");
	assert_int_equal(state_one().ndegraded, 0);
	assert_int_equal(unload("newname"), 0);
	box_ip("link set newname name " BOX_IF);
	assert_nothing_left();
}

static void zombie_is_told_and_mended(void **state)
{
	static const struct kern_load_opts kinds[] = {{}, {.where = KERN_HOOK_TC}, {.where = KERN_HOOK_TC, .clsact = true}};

	NEEDS_BOX();
	for (int i = 0; i < 3; i++) {
		struct kern_iface_state s;

		load_ok(BOX_IF, BOTH, "web", &kinds[i], NULL);
		box_ip("link del " BOX_IF);
		s = state_one();
		assert_true(s.gone);
		assert_int_equal(s.ndegraded, 1);
		assert_non_null(strstr(s.degraded[0], BOX_IF));
		assert_false(s.hook[0].attached);
		box_ip("link add " BOX_IF " type veth peer name " BOX_PEER);
		s = state_one();
		assert_true(s.gone);
		assert_non_null(strstr(s.degraded[0], "made anew"));
		/* load again: the new interface takes the place of the old one. */
		load_ok(BOX_IF, BOTH, "web", &kinds[i], NULL);
		s = state_one();
		assert_false(s.gone);
		assert_int_equal(s.ndegraded, 0);
		/* unload of an interface that is gone, by its name. */
		box_ip("link del " BOX_IF);
		assert_int_equal(unload(BOX_IF), 0);
		assert_nothing_left();
		box_ip("link add " BOX_IF " type veth peer name " BOX_PEER);
		box_ip("link set " BOX_IF " up");
		box_ip("link set " BOX_PEER " up");
	}
}

static void detached_link_is_told_and_mended(void **state)
{
	struct kern_iface_state s;
	char path[256];
	int fd;

	NEEDS_BOX();
	load_ok(BOX_IF, DROP_ALL, "web", NULL, NULL);
	for (char *p = strdup(box_find(bpffs)), *line = strtok(p, "\n"); line; line = strtok(NULL, "\n"))
		if (strstr(line, "xdp_link"))
			snprintf(path, sizeof(path), "%s", line);
	fd = bpf_obj_get(path);
	assert_true(fd >= 0);
	assert_int_equal(bpf_link_detach(fd), 0);
	close(fd);
	s = state_one();
	assert_int_equal(s.ndegraded, 1);
	assert_false(s.hook[0].attached);
	load_ok(BOX_IF, DROP_ALL, "web", NULL, NULL);
	assert_int_equal(state_one().ndegraded, 0);
	assert_true(box_xdp_id(BOX_IF));
	assert_int_equal(unload(BOX_IF), 0);
	assert_nothing_left();
}

static void vanished_clsact_is_told_and_mended(void **state)
{
	const struct kern_load_opts opts = {.where = KERN_HOOK_TC, .clsact = true};
	LIBBPF_OPTS(bpf_tc_hook, hook, .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	struct kern_iface_state s;

	NEEDS_BOX();
	load_ok(BOX_IF, BOTH, "web", &opts, NULL);
	hook.ifindex = (int)box_ifindex(BOX_IF);
	assert_int_equal(bpf_tc_hook_destroy(&hook), 0);
	s = state_one();
	assert_int_equal(s.ndegraded, 2);
	assert_non_null(strstr(s.degraded[0], "clsact"));
	load_ok(BOX_IF, BOTH, "web", &opts, NULL);
	assert_int_equal(state_one().ndegraded, 0);
	assert_int_equal(unload(BOX_IF), 0);
	assert_nothing_left();
}

static void namespaces_do_not_see_each_other(void **state)
{
	unsigned int n = 0;
	struct kern *k;
	int first;

	NEEDS_BOX();
	load_ok(BOX_IF, DROP_ALL, "web", NULL, NULL);
	first = box_netns();
	box_renew_netns();
	assert_int_equal(state_count(), 0);
	assert_int_equal(unload(BOX_IF), -ENOENT);
	/* The other one is alive: its state is none of our business. */
	k = open_kern(KERN_WRITE);
	assert_int_equal(kern_unload_all(k, &n), 0);
	kern_close(k);
	assert_int_equal(n, 0);
	box_setns(first);
	close(first);
	assert_int_equal(state_one().ndegraded, 0);
	assert_int_equal(unload(BOX_IF), 0);
	assert_nothing_left();
}

static void dead_namespace_is_swept_by_unload_all(void **state)
{
	static const struct kern_load_opts kinds[] = {{}, {.where = KERN_HOOK_TC, .clsact = true}};
	char path[128];

	NEEDS_BOX();
	snprintf(path, sizeof(path), "%s/fwctl", bpffs);
	for (int i = 0; i < 2; i++) {
		bool gone = false;

		load_ok(BOX_IF, BOTH, "web", &kinds[i], NULL);
		box_renew_netns();
		/* The kernel takes a namespace apart some time after its last user left. */
		for (int tries = 0; tries < 200 && !gone; tries++) {
			struct kern *k = open_kern(KERN_WRITE);
			unsigned int n;

			assert_int_equal(kern_unload_all(k, &n), 0);
			kern_close(k);
			gone = access(path, F_OK) != 0;
			usleep(20 * 1000);
		}
		assert_true(gone);
	}
}

static void coexist_joins_or_says_why_not(void **state)
{
	struct kern_report r;
	int err;

	NEEDS_BOX();
	err = load(BOX_IF, DROP_ALL, "web", &(struct kern_load_opts){.coexist = true}, &r);
	if (err) {
		assert_non_null(strstr(fail.text, "coexist"));
		assert_nothing_left();
		return;
	}
	assert_int_equal(unload(BOX_IF), 0);
	assert_nothing_left();
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
		cmocka_unit_test(vanished_clsact_is_told_and_mended),
		cmocka_unit_test(namespaces_do_not_see_each_other),
		cmocka_unit_test(dead_namespace_is_swept_by_unload_all),
		cmocka_unit_test(coexist_joins_or_says_why_not),
	};

	bpffs = box_enter(&skip_why);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
