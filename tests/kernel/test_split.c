// SPDX-License-Identifier: GPL-2.0-only
/* However a driver cuts the frame in two: the same verdict, for the same reason, by the same rule, at XDP as at TC. */
#include "host/expect.h"
#include "kern/kern.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

#define FRAMES 150
#define LINEAR_MAX 130

static struct {
	struct arena *arena;
	struct policy *policy;
	struct image image;
	struct framegen fg;
	struct kern_twin *xdp, *tc;
	struct fail fail;
} lab;

static int lab_open(void **state)
{
	struct rulegen_opts opts = { .nrules = 100, .directions = 1 };
	struct prng prng;

	prng_init(&prng, prng_seed("kernel/test_split", 0));
	lab.arena = arena_new();
	lab.policy = rulegen_policy(lab.arena, &prng, &opts);
	assert_non_null(lab.policy);
	expect_compile(lab.arena, lab.policy, FW_DIR_INGRESS, &lab.image);
	framegen_init(&lab.fg, &lab.policy->chain[0], prng_u64(&prng));
	lab.fg.no_meta = true;
	if (kern_twin_open_image(&lab.image, FW_HOOK_XDP, &lab.fail, &lab.xdp) ||
	    kern_twin_open_image(&lab.image, FW_HOOK_TC_INGRESS, &lab.fail, &lab.tc)) {
		fprintf(stderr, "# %s\n", lab.fail.text);
		return -1;
	}
	return 0;
}

static int lab_close(void **state)
{
	kern_twin_close(lab.xdp);
	kern_twin_close(lab.tc);
	image_fini(&lab.image);
	arena_free(lab.arena);
	return 0;
}

static void check(const uint8_t *frame, size_t len, const struct expect *e, const struct fw_trace *t)
{
	if (!expect_same(e, t))
		expect_report(lab.policy, FW_DIR_INGRESS, frame, len, NULL, e, t);
	assert_true(expect_same(e, t));
}

static void every_cut(void **state)
{
	static uint8_t frame[FRAMEGEN_MAX];
	struct packet_meta meta;
	int done = 0;

	while (done < FRAMES) {
		size_t len = framegen_next(&lab.fg, frame, sizeof(frame), &meta), linear;
		struct expect e;
		struct fw_trace t;

		if (len < 14)
			continue;
		e = expect_frame(lab.policy, &lab.image, FW_DIR_INGRESS, frame, len, NULL);
		for (linear = 1; linear <= LINEAR_MAX && linear <= len; linear++) {
			if (kern_twin_run(lab.xdp, frame, len, linear, &t))
				fail_msg("linear %zu: %s", linear, lab.fail.text);
			check(frame, len, &e, &t);
		}
		done++;
	}
}

/* Nothing at all in the linear part: kern_twin_run takes 0 for "all", so ask the kernel ourselves. */
static void nothing_linear(void **state)
{
	static uint8_t frame[FRAMEGEN_MAX];
	struct packet_meta meta;
	int done = 0;

	while (done < FRAMES) {
		size_t len = framegen_next(&lab.fg, frame, sizeof(frame), &meta);
		struct xdp_md ctx = { .data_end = 0 };
		LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = len, .ctx_in = &ctx,
			    .ctx_size_in = sizeof(ctx), .repeat = 1);
		struct expect e;

		if (len < 14)
			continue;
		e = expect_frame(lab.policy, &lab.image, FW_DIR_INGRESS, frame, len, NULL);
		assert_int_equal(bpf_prog_test_run_opts(kern_twin_prog_fd(lab.xdp), &opts), 0);
		assert_int_equal(opts.retval, e.verdict == FW_VERDICT_PASS ? XDP_PASS : XDP_DROP);
		done++;
	}
}

static void both_hooks(void **state)
{
	static uint8_t frame[FRAMEGEN_MAX];
	struct packet_meta meta;
	int done = 0;

	while (done < FRAMES * 10) {
		size_t len = framegen_next(&lab.fg, frame, sizeof(frame), &meta);
		struct fw_trace xdp, tc;

		if (len < 34 || kern_twin_run(lab.tc, frame, len, 0, &tc))
			continue;
		assert_int_equal(kern_twin_run(lab.xdp, frame, len, 0, &xdp), 0);
		assert_memory_equal(&xdp, &tc, sizeof(tc));
		done++;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "XDP gives the same verdict at every linear size from 1 to 130", every_cut, NULL, NULL, NULL },
		{ "XDP gives the same verdict when nothing is linear", nothing_linear, NULL, NULL, NULL },
		{ "XDP and TC trace the same verdict, reason, rule and slot", both_hooks, NULL, NULL, NULL },
	};

	if (geteuid()) {
		printf("1..1\nok 1 - split frames # SKIP needs root\n");
		return 0;
	}
	return cmocka_run_group_tests_name("kernel/split", tests, lab_open, lab_close);
}
