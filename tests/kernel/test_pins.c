// SPDX-License-Identifier: GPL-2.0-only
/* Pins that are not what they seem: refused, and named. What an interrupted command left: cleared. */
#include "harness/rim.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <fw/names.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define DROP_ALL "policy web {\n essentials off\n ingress default drop { }\n}\n"
#define PASS_ALL "policy web {\n essentials off\n ingress default pass { }\n}\n"

static char root[128];

static int open_only(const char *bpffs, enum kern_access access)
{
	struct kern *k = NULL;
	int err;

	rim_fail = (struct fail){};
	err = kern_open(bpffs, access, &rim_fail, &k);
	if (!err)
		kern_close(k);
	return err;
}

static void assert_refused(const char *word)
{
	for (enum kern_access a = KERN_READ; a <= KERN_WRITE; a++) {
		assert_int_not_equal(open_only(rim_bpffs, a), 0);
		if (!strstr(rim_fail.text, word))
			print_message("# \"%s\" does not say \"%s\"\n", rim_fail.text, word);
		assert_non_null(strstr(rim_fail.text, word));
	}
}

static void squatted_root_is_refused(void **state)
{
	int map;

	assert_int_equal(mkdir(root, 0700), 0);
	assert_int_equal(chown(root, 65534, 65534), 0);
	assert_refused("belongs to user 65534");
	assert_int_equal(chown(root, 0, 0), 0);
	assert_int_equal(chmod(root, 0777), 0);
	assert_refused("mode 0777");
	assert_int_equal(chmod(root, 0750), 0);
	assert_refused("mode 0750");
	assert_int_equal(rmdir(root), 0);

	assert_int_equal(symlink("/tmp", root), 0);
	assert_refused("not a directory");
	assert_int_equal(unlink(root), 0);

	map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "squat", 4, 4, 1, NULL);
	assert_int_equal(bpf_obj_pin(map, root), 0);
	close(map);
	assert_refused("not a directory");
	assert_int_equal(unlink(root), 0);
	rim_assert_nothing_left();
}

static void squatted_directories_below_are_refused(void **state)
{
	char path[256];

	rim_load_ok(BOX_IF, DROP_ALL, "web", NULL, NULL);
	snprintf(path, sizeof(path), "%s", rim_pin("/p_web"));
	assert_int_equal(chmod(path, 0755), 0);
	assert_int_not_equal(rim_apply(PASS_ALL, "web", NULL), 0);
	assert_non_null(strstr(rim_fail.text, "p_web has mode 0755"));
	assert_int_equal(chmod(path, 0700), 0);
	rim_apply_ok(PASS_ALL, "web", NULL);
	assert_int_equal(rim_unload(BOX_IF), 0);
	rim_assert_nothing_left();
}

static void only_a_bpffs_will_do(void **state)
{
	struct statfs st;

	assert_int_not_equal(open_only("/mnt", KERN_READ), 0);
	assert_non_null(strstr(rim_fail.text, "not a BPF file system"));
	assert_int_not_equal(open_only("/mnt", KERN_WRITE), 0);
	assert_int_not_equal(open_only("/nonexistent", KERN_WRITE), 0);
	/* The usual place is mounted by whoever writes, and not by a reader. These mounts are of our namespace alone. */
	while (!umount2("/sys/fs/bpf", MNT_DETACH))
		;
	assert_int_equal(open_only(NULL, KERN_READ), 0);
	assert_int_equal(statfs("/sys/fs/bpf", &st), 0);
	assert_int_not_equal(st.f_type, 0xcafe4a11);
	assert_int_equal(open_only(NULL, KERN_WRITE), 0);
	assert_int_equal(statfs("/sys/fs/bpf", &st), 0);
	assert_int_equal(st.f_type, 0xcafe4a11);
	assert_int_equal(umount2("/sys/fs/bpf", MNT_DETACH), 0);
}

/* Put another object in the place of a pin; give the old one back afterwards. */
static int swap_pin(const char *path, int with)
{
	int old = bpf_obj_get(path);

	assert_true(old >= 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(bpf_obj_pin(with, path), 0);
	return old;
}

static void restore_pin(const char *path, int old)
{
	assert_int_equal(unlink(path), 0);
	assert_int_equal(bpf_obj_pin(old, path), 0);
	close(old);
}

static int map_of(enum bpf_map_type type, const char *name, uint32_t value, uint32_t n, uint32_t flags)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = flags);
	int fd = bpf_map_create(type, name, 4, value, n, &opts);

	assert_true(fd >= 0);
	return fd;
}

static int some_program(void)
{
	static const struct bpf_insn insns[] = {{.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 2}, {.code = BPF_JMP | BPF_EXIT}};
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "fwctl_xdp", "GPL", insns, 2, NULL);

	assert_true(fd >= 0);
	return fd;
}

static void foreign_objects_under_our_names_are_refused(void **state)
{
	static const struct {
		const char *pin, *says;
		enum bpf_map_type type; /* 0: a program */
		const char *name;
		uint32_t value, n, flags;
	} cases[] = {
		{"/ctl", "map type", BPF_MAP_TYPE_HASH, FW_MAP_CTL, sizeof(struct fw_ctl), 1, 0},
		{"/ctl", "value 8 bytes", BPF_MAP_TYPE_ARRAY, FW_MAP_CTL, 8, 1, BPF_F_MMAPABLE},
		{"/ctl", "2 entries", BPF_MAP_TYPE_ARRAY, FW_MAP_CTL, sizeof(struct fw_ctl), 2, BPF_F_MMAPABLE},
		{"/ctl", "map flags", BPF_MAP_TYPE_ARRAY, FW_MAP_CTL, sizeof(struct fw_ctl), 1, 0},
		{"/ctl", "\"other\"", BPF_MAP_TYPE_ARRAY, "other", sizeof(struct fw_ctl), 1, BPF_F_MMAPABLE},
		{"/ctl", "it is a BPF program", 0, NULL, 0, 0, 0},
		{"/s", "map type", BPF_MAP_TYPE_HASH, FW_MAP_SLOT0, 16, 1, 0},
		{"/s", "it is a BPF program", 0, NULL, 0, 0, 0},
		{"/info", "is not fwctl's", BPF_MAP_TYPE_ARRAY, "fw_iface", 12, 1, 0},
		{"/info", "it is a BPF program", 0, NULL, 0, 0, 0},
		{"/xdp_link", "not a link", BPF_MAP_TYPE_ARRAY, "x", 12, 1, 0},
		{"/xdp_link", "not a link", 0, NULL, 0, 0, 0},
		{"/xdp_c", "is not fwctl's", BPF_MAP_TYPE_ARRAY, "fw_counters", 16, 256, 0},
	};

	rim_load_ok(BOX_IF, DROP_ALL, "web", NULL, NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		int fd = cases[i].type ? map_of(cases[i].type, cases[i].name, cases[i].value, cases[i].n, cases[i].flags) : some_program();
		char path[512], all[8192] = "";
		struct kern *k = NULL;
		struct kern_iface_state *v = NULL;
		size_t n = 0;
		int old, err;

		snprintf(path, sizeof(path), "%s", rim_pin(cases[i].pin));
		old = swap_pin(path, fd);
		/* Whatever reads it says so, as a failure or as a degraded state. */
		rim_fail = (struct fail){};
		err = kern_open(rim_bpffs, KERN_READ, &rim_fail, &k);
		err = err ?: kern_state(k, &v, &n);
		for (size_t j = 0; !err && j < n; j++)
			for (size_t d = 0; d < v[j].ndegraded; d++)
				strncat(all, v[j].degraded[d], sizeof(all) - strlen(all) - 1);
		if (!err && !*all) {
			struct image img = {};
			struct kern_counters c;

			assert_int_equal(kern_image(k, "web", &img), 0);
			assert_int_not_equal(kern_counters(k, &v[0], image_hdr(&img), FW_HOOK_XDP, &c), 0);
			image_fini(&img);
		}
		strncat(all, rim_fail.text, sizeof(all) - strlen(all) - 1);
		if (!strstr(all, cases[i].says))
			print_message("# case %zu: \"%s\" does not say \"%s\"\n", i, all, cases[i].says);
		assert_non_null(strstr(all, cases[i].says));
		free(v);
		kern_close(k);
		restore_pin(path, old);
		close(fd);
		/* No harm was done: all is as before. */
		assert_int_equal(rim_state_one().ndegraded, 0);
		assert_int_equal(rim_verdict("web", FW_HOOK_XDP, 9), FW_VERDICT_DROP);
	}
	assert_int_equal(rim_unload(BOX_IF), 0);
	rim_assert_nothing_left();
}

static void links_and_directories_in_place_of_pins_are_refused(void **state)
{
	char path[512], away[600];

	rim_load_ok(BOX_IF, DROP_ALL, "web", NULL, NULL);
	snprintf(path, sizeof(path), "%s", rim_pin("/ctl"));
	snprintf(away, sizeof(away), "%s_away", path);
	assert_int_equal(rename(path, away), 0);
	assert_int_equal(symlink(away, path), 0);
	assert_int_not_equal(rim_apply(PASS_ALL, "web", NULL), 0);
	assert_non_null(strstr(rim_fail.text, "pin ctl is not fwctl's: it is a symbolic link"));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_not_equal(rim_apply(PASS_ALL, "web", NULL), 0);
	assert_non_null(strstr(rim_fail.text, "it is a directory"));
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rename(away, path), 0);
	assert_int_equal(rim_unload(BOX_IF), 0);
	rim_assert_nothing_left();
}

/* The slot that is live, as bytes. */
static uint8_t *live_slot(size_t *ret_len)
{
	struct bpf_map_info info = {};
	uint32_t len = sizeof(info);
	struct fw_ctl ctl;
	uint32_t zero = 0;
	char part[32];
	void *at;
	int fd = bpf_obj_get(rim_pin("/ctl"));

	assert_true(fd >= 0);
	assert_int_equal(bpf_map_lookup_elem(fd, &zero, &ctl), 0);
	close(fd);
	snprintf(part, sizeof(part), "/s%u", ctl.map_id[ctl.live]);
	fd = bpf_obj_get(rim_pin(part));
	assert_true(fd >= 0);
	assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &len), 0);
	at = mmap(NULL, info.value_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(at, MAP_FAILED);
	close(fd);
	*ret_len = info.value_size;
	return at;
}

static void damaged_rules_are_told_and_replaced(void **state)
{
	static const size_t at[] = {0, 4, 16, 24, 28, 72, 136};

	rim_load_ok(BOX_IF, DROP_ALL, "web", NULL, NULL);
	for (size_t i = 0; i < sizeof(at) / sizeof(*at); i++) {
		struct image img = {};
		size_t len;
		uint8_t *slot = live_slot(&len);
		struct kern *k;

		memset(slot + at[i], 0xff, 4);
		munmap(slot, len);
		k = rim_open(KERN_READ);
		assert_int_not_equal(kern_image(k, "web", &img), 0);
		assert_non_null(strstr(rim_fail.text, "damaged"));
		kern_close(k);
		/* The next rules take their place. */
		rim_apply_ok(i & 1 ? DROP_ALL : PASS_ALL, "web", NULL);
		assert_int_equal(rim_state_one().ndegraded, 0);
		assert_int_equal(rim_verdict("web", FW_HOOK_XDP, 9), i & 1 ? FW_VERDICT_DROP : FW_VERDICT_PASS);
	}
	assert_int_equal(rim_unload(BOX_IF), 0);
	rim_assert_nothing_left();
}

static void damaged_record_and_control_word_are_refused(void **state)
{
	uint8_t old[4096] = {}, bad[4096];
	struct fw_ctl ctl, wrong;
	uint32_t zero = 0;
	int fd;

	rim_load_ok(BOX_IF, DROP_ALL, "web", NULL, NULL);
	fd = bpf_obj_get(rim_pin("/info"));
	assert_int_equal(bpf_map_lookup_elem(fd, &zero, old), 0);
	memset(bad, 0xff, sizeof(bad));
	assert_int_equal(bpf_map_update_elem(fd, &zero, bad, 0), 0);
	assert_int_equal(open_only(rim_bpffs, KERN_WRITE), -EBADMSG);
	assert_non_null(strstr(rim_fail.text, "/info is damaged"));
	assert_int_equal(bpf_map_update_elem(fd, &zero, old, 0), 0);
	close(fd);

	fd = bpf_obj_get(rim_pin("/ctl"));
	assert_int_equal(bpf_map_lookup_elem(fd, &zero, &ctl), 0);
	wrong = ctl;
	wrong.map_id[ctl.live] = 4000000000u;
	assert_int_equal(bpf_map_update_elem(fd, &zero, &wrong, 0), 0);
	assert_true(rim_state_one().ndegraded);
	wrong = ctl;
	wrong.abi = 99;
	assert_int_equal(bpf_map_update_elem(fd, &zero, &wrong, 0), 0);
	assert_int_not_equal(rim_apply(PASS_ALL, "web", NULL), 0);
	assert_non_null(strstr(rim_fail.text, "another version"));
	/* Whatever is wrong with the rules, they can be taken away. */
	assert_int_equal(rim_unload(BOX_IF), 0);
	close(fd);
	rim_assert_nothing_left();
}

static void garbage_is_left_alone(void **state)
{
	char dir[600], pin[600], ns[512];
	int map;

	rim_load_ok(BOX_IF, DROP_ALL, "web", NULL, NULL);
	snprintf(ns, sizeof(ns), "%s", rim_pin("/ns"));
	snprintf(dir, sizeof(dir), "%s/README", ns);
	snprintf(pin, sizeof(pin), "%s/i7x", ns);
	map = map_of(BPF_MAP_TYPE_ARRAY, "garbage", 4, 1, 0);
	assert_int_equal(mkdir(dir, 0777), 0);
	assert_int_equal(bpf_obj_pin(map, pin), 0);
	close(map);
	rim_apply_ok(PASS_ALL, "web", NULL);
	assert_int_equal(rim_state_one().ndegraded, 0);
	assert_int_equal(rim_unload(BOX_IF), 0);
	assert_int_equal(rmdir(dir), 0);
	assert_int_equal(unlink(pin), 0);
	assert_int_equal(open_only(rim_bpffs, KERN_WRITE), 0);
	rim_assert_nothing_left();
}

static void leftovers_are_cleared(void **state)
{
	char path[600], ns[512];
	int map;

	rim_load_ok(BOX_IF, DROP_ALL, "web", NULL, NULL);
	snprintf(ns, sizeof(ns), "%s", rim_pin("/ns"));
	map = map_of(BPF_MAP_TYPE_ARRAY, "left", 4, 1, 0);
	snprintf(path, sizeof(path), "%s/p_half", ns);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/p_half/s12345", ns);
	assert_int_equal(bpf_obj_pin(map, path), 0);
	snprintf(path, sizeof(path), "%s/p_web/s12345", ns);
	assert_int_equal(bpf_obj_pin(map, path), 0);
	snprintf(path, sizeof(path), "%s/i4242", ns);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/i4242/xdp_c12345", ns);
	assert_int_equal(bpf_obj_pin(map, path), 0);
	close(map);
	rim_apply_ok(PASS_ALL, "web", NULL);
	assert_null(strstr(box_find(root), "12345"));
	assert_null(strstr(box_find(root), "i4242"));
	assert_null(strstr(box_find(root), "p_half"));
	assert_int_equal(rim_unload(BOX_IF), 0);
	rim_assert_nothing_left();
}

static void reader_leaves_no_trace(void **state)
{
	assert_int_equal(rim_state_count(), 0);
	rim_assert_nothing_left();
	assert_int_equal(rim_apply(PASS_ALL, "web", NULL), -ENOENT);
	assert_non_null(strstr(rim_fail.text, "no interface uses policy web"));
	rim_assert_nothing_left();
}

static void readers_wait_for_a_writer(void **state)
{
	struct pollfd p = {.events = POLLIN};
	int go[2], done[2], status;
	struct kern *k;
	char byte;
	pid_t pid;

	rim_load_ok(BOX_IF, DROP_ALL, "web", NULL, NULL);
	assert_int_equal(pipe(go) | pipe(done), 0);
	/* Before the lock is taken: a child would share it. */
	pid = fork();
	if (!pid) {
		struct fail f = {};
		struct kern *mine;

		_exit(read(go[0], &byte, 1) != 1 || kern_open(rim_bpffs, KERN_READ, &f, &mine) || write(done[1], "x", 1) != 1);
	}
	k = rim_open(KERN_WRITE);
	assert_int_equal(write(go[1], "x", 1), 1);
	p.fd = done[0];
	assert_int_equal(poll(&p, 1, 300), 0);
	kern_close(k);
	assert_int_equal(poll(&p, 1, 10000), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	for (int i = 0; i < 2; i++) {
		close(go[i]);
		close(done[i]);
	}
	assert_int_equal(rim_unload(BOX_IF), 0);
	rim_assert_nothing_left();
}

static void without_privilege_it_says_what_is_missing(void **state)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		if (setgid(65534) || setuid(65534))
			_exit(9);
		if (open_only(rim_bpffs, KERN_WRITE) != -EPERM || !strstr(rim_fail.text, "CAP_BPF+CAP_NET_ADMIN+CAP_PERFMON"))
			_exit(1);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(squatted_root_is_refused),
		cmocka_unit_test(squatted_directories_below_are_refused),
		cmocka_unit_test(only_a_bpffs_will_do),
		cmocka_unit_test(foreign_objects_under_our_names_are_refused),
		cmocka_unit_test(links_and_directories_in_place_of_pins_are_refused),
		cmocka_unit_test(damaged_rules_are_told_and_replaced),
		cmocka_unit_test(damaged_record_and_control_word_are_refused),
		cmocka_unit_test(garbage_is_left_alone),
		cmocka_unit_test(leftovers_are_cleared),
		cmocka_unit_test(reader_leaves_no_trace),
		cmocka_unit_test(readers_wait_for_a_writer),
		cmocka_unit_test(without_privilege_it_says_what_is_missing),
	};

	rim_enter("pins");
	snprintf(root, sizeof(root), "%s/" FW_PIN_ROOT, rim_bpffs);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
