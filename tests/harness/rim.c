// SPDX-License-Identifier: GPL-2.0-only
#include "harness/rim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

const char *rim_bpffs;
struct fail rim_fail;

void rim_enter(const char *what)
{
	const char *why = NULL;

	rim_bpffs = box_enter(&why);
	if (rim_bpffs)
		return;
	printf("1..1\nok 1 - %s # SKIP %s\n", what, why);
	exit(0);
}

struct kern *rim_open(enum kern_access access)
{
	struct kern *k = NULL;
	int err;

	rim_fail = (struct fail){};
	err = kern_open(rim_bpffs, access, &rim_fail, &k);
	if (err)
		print_message("# %s\n", rim_fail.text);
	assert_int_equal(err, 0);
	return k;
}

static void expect_ok(int err)
{
	if (err)
		print_message("# %s\n", rim_fail.text);
	assert_int_equal(err, 0);
}

int rim_load(const char *ifname, const char *text, const char *policy, const struct kern_load_opts *opts, struct kern_report *r)
{
	struct image img = box_compile(text, policy);
	struct kern *k = rim_open(KERN_WRITE);
	struct kern_report report = {};
	int err = kern_load(k, ifname, policy, &img, opts, &report);

	kern_close(k);
	image_fini(&img);
	if (r)
		*r = report;
	return err;
}

void rim_load_ok(const char *ifname, const char *text, const char *policy, const struct kern_load_opts *opts, struct kern_report *r)
{
	expect_ok(rim_load(ifname, text, policy, opts, r));
}

int rim_apply_image(struct image *img, const char *policy, struct kern_report *r)
{
	struct kern *k = rim_open(KERN_WRITE);
	struct kern_report report = {};
	int err = kern_apply(k, policy, img, &report);

	kern_close(k);
	if (r)
		*r = report;
	return err;
}

int rim_apply(const char *text, const char *policy, struct kern_report *r)
{
	struct image img = box_compile(text, policy);
	int err = rim_apply_image(&img, policy, r);

	image_fini(&img);
	return err;
}

void rim_apply_ok(const char *text, const char *policy, struct kern_report *r)
{
	expect_ok(rim_apply(text, policy, r));
}

int rim_unload(const char *ifname)
{
	struct kern *k = rim_open(KERN_WRITE);
	int err = kern_unload(k, ifname);

	kern_close(k);
	return err;
}

struct kern_iface_state rim_state_one(void)
{
	struct kern *k = rim_open(KERN_READ);
	struct kern_iface_state *v = NULL, one;
	size_t n = 0;

	expect_ok(kern_state(k, &v, &n));
	kern_close(k);
	assert_int_equal(n, 1);
	one = v[0];
	free(v);
	return one;
}

size_t rim_state_count(void)
{
	struct kern *k = rim_open(KERN_READ);
	struct kern_iface_state *v = NULL;
	size_t n = 0;

	expect_ok(kern_state(k, &v, &n));
	kern_close(k);
	free(v);
	return n;
}

void rim_assert_nothing_left(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/fwctl", rim_bpffs);
	if (!access(path, F_OK))
		print_message("# left: %s\n", box_find(path));
	assert_int_not_equal(access(path, F_OK), 0);
}

enum fw_verdict rim_verdict(const char *policy, enum fw_hook hook, uint16_t dport)
{
	struct kern *k = rim_open(KERN_READ);
	struct kern_twin *t = NULL;
	struct fw_trace trace = {};
	uint8_t frame[60];

	box_udp_frame(frame, dport);
	expect_ok(kern_twin_open(k, policy, hook, &t));
	expect_ok(kern_twin_run(t, frame, sizeof(frame), 0, &trace));
	kern_twin_close(t);
	kern_close(k);
	return trace.verdict;
}

/* The counters of the only interface, with its live image. */
static struct kern_counters counters_of(enum fw_hook hook, struct image *ret_img)
{
	struct kern *k = rim_open(KERN_READ);
	struct kern_iface_state *v = NULL;
	struct kern_counters c = {};
	size_t n = 0;

	expect_ok(kern_state(k, &v, &n));
	assert_int_equal(n, 1);
	expect_ok(kern_image(k, v[0].policy, ret_img));
	expect_ok(kern_counters(k, &v[0], image_hdr(ret_img), hook, &c));
	kern_close(k);
	free(v);
	return c;
}

static long rule_slot(const struct image *img, enum fw_hook hook, const char *label)
{
	enum fw_dir dir = hook == FW_HOOK_TC_EGRESS ? FW_DIR_EGRESS : FW_DIR_INGRESS;
	size_t n;
	const struct fw_meta_rule *rules = image_rules(image_hdr(img), dir, &n);

	for (size_t i = 0; i < n; i++)
		if (!strcmp(image_str(image_hdr(img), rules[i].label), label))
			return rules[i].slot;
	return -1;
}

long rim_rule_packets(enum fw_hook hook, const char *label)
{
	struct image img = {};
	struct kern_counters c = counters_of(hook, &img);
	long slot = rule_slot(&img, hook, label);
	long packets = slot < 0 ? -1 : (long)c.v[slot].packets;

	kern_counters_fini(&c);
	image_fini(&img);
	return packets;
}

uint32_t rim_rule_slot(enum fw_hook hook, const char *label)
{
	struct image img = {};
	struct kern_counters c = counters_of(hook, &img);
	long slot = rule_slot(&img, hook, label);

	kern_counters_fini(&c);
	image_fini(&img);
	assert_true(slot >= FW_SLOT_RULE0);
	return (uint32_t)slot;
}

uint64_t rim_rule_last(enum fw_hook hook, const char *label)
{
	struct image img = {};
	struct kern_counters c = counters_of(hook, &img);
	long slot = rule_slot(&img, hook, label);
	uint64_t last = slot < 0 ? c.any_ns : c.last_ns[slot];

	kern_counters_fini(&c);
	image_fini(&img);
	return last;
}

long rim_reason_packets(enum fw_hook hook, enum fw_reason reason, enum fw_verdict verdict)
{
	struct image img = {};
	struct kern_counters c = counters_of(hook, &img);
	long packets = (long)c.v[FW_REASON_SLOT(reason, verdict)].packets;

	kern_counters_fini(&c);
	image_fini(&img);
	return packets;
}

long rim_retired_packets(enum fw_hook hook, enum fw_verdict verdict)
{
	struct image img = {};
	struct kern_counters c = counters_of(hook, &img);
	long packets = (long)c.retired[verdict].packets;

	kern_counters_fini(&c);
	image_fini(&img);
	return packets;
}

long rim_all_packets(enum fw_hook hook)
{
	struct image img = {};
	struct kern_counters c = counters_of(hook, &img);
	long packets = (long)(c.retired[FW_VERDICT_DROP].packets + c.retired[FW_VERDICT_PASS].packets);

	for (size_t s = 0; s < c.n; s++)
		packets += (long)c.v[s].packets;
	kern_counters_fini(&c);
	image_fini(&img);
	return packets;
}

const char *rim_pin(const char *part)
{
	static char path[512];
	char *all = strdup(box_find(rim_bpffs)), *save = NULL;

	path[0] = 0;
	for (char *line = strtok_r(all, "\n", &save); line && !path[0]; line = strtok_r(NULL, "\n", &save))
		if (strstr(line, part))
			snprintf(path, sizeof(path), "%s", line);
	free(all);
	assert_true(path[0]);
	return path;
}
