/* SPDX-License-Identifier: GPL-2.0-only */
/* The loaded programs against the oracle: verdict, reason, rule of every frame, and all counters at the end. */
#ifndef FW_TESTS_KERNEL_JUDGE_H
#define FW_TESTS_KERNEL_JUDGE_H

#include "host/expect.h"
#include "kern/kern.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* A test run does not take every frame: none under 14 bytes, and at TC no IP frame without a whole header. */
static inline bool judge_can_run(enum fw_hook hook, const uint8_t *f, size_t len)
{
	size_t need = 14;

	if (len < 14 || len > 3000)
		return false;
	if (hook != FW_HOOK_XDP && f[12] == 0x08 && f[13] == 0x00)
		need = 34;
	if (hook != FW_HOOK_XDP && f[12] == 0x86 && f[13] == 0xdd)
		need = 54;
	return len >= need;
}

/* Times are by the kernel's clock: a counter has one when it has counted. */
static inline void judge_counters(struct kern_twin *twin, const struct fw_cell *want, uint32_t nslots)
{
	struct kern_counters got = {};

	assert_int_equal(kern_twin_counters(twin, &got), 0);
	assert_true(got.n >= nslots);
	for (uint32_t i = 0; i < nslots; i++) {
		assert_int_equal(got.v[i].packets, want[i].count.packets);
		assert_int_equal(got.v[i].bytes, want[i].count.bytes);
		assert_int_equal(got.last_ns[i] != 0, want[i].last);
	}
	kern_counters_fini(&got);
}

/* `frames` of them on an image of p, whose counters are nslots. */
static inline void judge_image(const struct policy *p, const struct image *img, uint32_t nslots, enum fw_hook hook,
			       struct framegen *fg, unsigned long frames)
{
	enum fw_dir dir = hook == FW_HOOK_TC_EGRESS ? FW_DIR_EGRESS : FW_DIR_INGRESS;
	struct fw_cell *want = calloc(nslots, sizeof(*want));
	static uint8_t frame[FRAMEGEN_MAX];
	struct kern_twin *twin;
	struct packet_meta meta;
	struct fail fail = {};

	assert_non_null(want);
	if (kern_twin_open_image(img, hook, &fail, &twin))
		fail_msg("%s", fail.text);
	while (frames--) {
		size_t len = framegen_next(fg, frame, sizeof(frame), &meta);
		struct fw_trace t;
		struct expect e;

		if (!judge_can_run(hook, frame, len))
			continue;
		e = expect_frame(p, img, dir, frame, len, NULL);
		if (kern_twin_run(twin, frame, len, 0, &t))
			fail_msg("%s", fail.text);
		if (!expect_same(&e, &t))
			expect_report(p, dir, frame, len, NULL, &e, &t);
		assert_true(expect_same(&e, &t));
		expect_count(want, &e, len, 1);
	}
	judge_counters(twin, want, nslots);
	kern_twin_close(twin);
	free(want);
}

#endif
