/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pairs of frame and rule set: the datapath's own source on compiled tables must say what the oracle says, in verdict,
 * reason, rule and every counter. A difference is shrunk before it is shown. To be included by one file of a program.
 */
#ifndef FW_TESTS_JUDGE_H
#define FW_TESTS_JUDGE_H

#include "host/shim.h"

#include "host/expect.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static inline bool judge_differs(struct arena *arena, const struct policy *p, enum fw_dir dir, const uint8_t *frame,
				 size_t len, const struct packet_meta *meta)
{
	struct image img = {};
	struct expect e;
	struct fw_trace t;

	shim_open(NULL, dir, 0, expect_compile(arena, p, dir, &img));
	shim_open(&img, dir, 0, fw_cfg.nslots);
	e = expect_frame(p, &img, dir, frame, len, meta);
	t = shim_run(frame, len, len, meta);
	image_fini(&img);
	return !expect_same(&e, &t);
}

/* Take `n` rules out at `at`; put them back when the difference goes with them. */
static inline bool judge_without(struct policy *p, enum fw_dir dir, size_t at, size_t n, const uint8_t *frame,
				 size_t len, const struct packet_meta *meta)
{
	struct chain *c = &p->chain[dir];
	struct rule *gone = malloc(n * sizeof(*gone));
	struct arena *arena = arena_new();
	bool differs;

	memcpy(gone, &c->rules[at], n * sizeof(*gone));
	memmove(&c->rules[at], &c->rules[at + n], (c->nrules - at - n) * sizeof(*gone));
	c->nrules -= n;
	differs = judge_differs(arena, p, dir, frame, len, meta);
	if (!differs) {
		memmove(&c->rules[at + n], &c->rules[at], (c->nrules - at) * sizeof(*gone));
		memcpy(&c->rules[at], gone, n * sizeof(*gone));
		c->nrules += n;
	}
	arena_free(arena);
	free(gone);
	return differs;
}

/* Leave out every rule that the difference does not need, many at once first; then say what is left, and fail. */
static inline void judge_shrink_and_fail(struct policy *p, enum fw_dir dir, const uint8_t *frame, size_t len,
					 const struct packet_meta *meta)
{
	struct chain *c = &p->chain[dir];
	struct arena *arena = arena_new();
	struct image img = {};
	struct expect e;
	struct fw_trace t;

	for (size_t n = c->nrules / 2; n; n /= 2)
		for (size_t at = c->nrules; at >= n; at -= n)
			judge_without(p, dir, at - n, n, frame, len, meta);
	shim_open(NULL, dir, 0, expect_compile(arena, p, dir, &img));
	shim_open(&img, dir, 0, fw_cfg.nslots);
	e = expect_frame(p, &img, dir, frame, len, meta);
	t = shim_run(frame, len, len, meta);
	expect_report(p, dir, frame, len, meta, &e, &t);
	image_fini(&img);
	arena_free(arena);
	fail_msg("oracle and datapath differ (shrunk pair above)");
}

/* `frames` of them on an image of p, whose counters are nslots. */
static inline void judge_image(struct policy *p, const struct image *img, uint32_t nslots, enum fw_dir dir,
			       struct framegen *fg, unsigned long frames)
{
	static uint8_t frame[FRAMEGEN_MAX];
	struct fw_cell *want = calloc(nslots, sizeof(*want));
	struct packet_meta meta;

	assert_non_null(want);
	shim_open(img, dir, prng_u64(&fg->prng) & 1, nslots);
	while (frames--) {
		size_t len = framegen_next(fg, frame, sizeof(frame), &meta);
		struct expect e = expect_frame(p, img, dir, frame, len, &meta);
		struct fw_trace t;

		shim_jiffies++;
		t = shim_run(frame, len, len, &meta);
		if (!expect_same(&e, &t))
			judge_shrink_and_fail(p, dir, frame, len, &meta);
		expect_count(want, &e, len, shim_jiffies);
	}
	assert_memory_equal(fw_counters.value, want, nslots * sizeof(*want));
	free(want);
}

static inline void judge_set(struct policy *p, struct arena *arena, enum fw_dir dir, struct framegen *fg,
			     unsigned long frames)
{
	struct image img = {};
	uint32_t nslots = expect_compile(arena, p, dir, &img);

	judge_image(p, &img, nslots, dir, fg, frames);
	image_fini(&img);
}

#endif
