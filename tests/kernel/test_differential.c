// SPDX-License-Identifier: GPL-2.0-only
/* The loaded programs, XDP and TC, against the oracle: verdict, reason, rule, and the counters after each rule set. */
#include "host/expect.h"
#include "kern/kern.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

#define PAIRS 50000 /* per hook */
#define SETS 40

static unsigned long env_number(const char *name, unsigned long fallback)
{
	const char *s = getenv(name);

	return s && *s ? strtoul(s, NULL, 0) : fallback;
}

/* A test run does not take every frame: none under 14 bytes, and at TC no IP frame without a whole header. */
static bool can_run(enum fw_hook hook, const uint8_t *f, size_t len)
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

static void counted(struct fw_counter *c, const struct expect *e, size_t len)
{
	uint32_t i;

	for (i = 0; i < e->counted; i++) {
		c[e->count_slot[i]].packets++;
		c[e->count_slot[i]].bytes += len;
	}
	c[e->slot].packets++;
	c[e->slot].bytes += len;
}

static void judge_set(struct policy *p, struct arena *arena, enum fw_hook hook, struct framegen *fg, unsigned long frames)
{
	enum fw_dir dir = hook == FW_HOOK_TC_EGRESS ? FW_DIR_EGRESS : FW_DIR_INGRESS;
	static uint8_t frame[FRAMEGEN_MAX];
	struct kern_counters got = {};
	struct fail fail = {};
	struct image img = {};
	uint32_t nslots = expect_compile(arena, p, dir, &img), i;
	struct fw_counter *want = calloc(nslots, sizeof(*want));
	struct kern_twin *twin;
	struct packet_meta meta;

	assert_non_null(want);
	if (kern_twin_open_image(&img, hook, &fail, &twin))
		fail_msg("%s", fail.text);
	while (frames) {
		size_t len = framegen_next(fg, frame, sizeof(frame), &meta);
		struct fw_trace t;
		struct expect e;

		frames--;
		if (!can_run(hook, frame, len))
			continue;
		e = expect_frame(p, &img, dir, frame, len, NULL);
		if (kern_twin_run(twin, frame, len, 0, &t))
			fail_msg("%s", fail.text);
		if (!expect_same(&e, &t))
			expect_report(p, dir, frame, len, NULL, &e, &t);
		assert_true(expect_same(&e, &t));
		counted(want, &e, len);
	}
	assert_int_equal(kern_twin_counters(twin, &got), 0);
	assert_true(got.n >= nslots);
	for (i = 0; i < nslots; i++) {
		assert_int_equal(got.v[i].packets, want[i].packets);
		assert_int_equal(got.v[i].bytes, want[i].bytes);
	}
	kern_counters_fini(&got);
	kern_twin_close(twin);
	free(want);
	image_fini(&img);
}

static void random_pairs(void **state)
{
	enum fw_hook hook = (enum fw_hook)(uintptr_t)*state;
	unsigned long pairs = env_number("FW_PAIRS", PAIRS), sets = env_number("FW_SETS", SETS), i;
	struct prng prng;

	prng_init(&prng, prng_seed("kernel/test_differential", 0));
	for (i = 0; i < sets; i++) {
		struct rulegen_opts opts = {
			.nrules = i == 20 ? 10000 : i % 8 == 7 ? prng_range(&prng, 65, 400) : prng_range(&prng, 0, 64),
			.style = i == 20 ? RULEGEN_CLASSBENCH : RULEGEN_EDGES,
		};
		struct arena *arena = arena_new();
		struct policy *p = rulegen_policy(arena, &prng, &opts);
		struct framegen fg;

		expect_opts.trie_small = i % 2; /* every other set: runs instead of fixed chunks */
		assert_non_null(p);
		framegen_init(&fg, &p->chain[hook == FW_HOOK_TC_EGRESS], prng_u64(&prng));
		fg.no_meta = true;
		judge_set(p, arena, hook, &fg, pairs / sets);
		arena_free(arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "XDP judges random frames as the oracle does, and counts them", random_pairs, NULL, NULL,
		  (void *)FW_HOOK_XDP },
		{ "TC ingress judges random frames as the oracle does, and counts them", random_pairs, NULL, NULL,
		  (void *)FW_HOOK_TC_INGRESS },
		{ "TC egress judges random frames as the oracle does, and counts them", random_pairs, NULL, NULL,
		  (void *)FW_HOOK_TC_EGRESS },
	};

	if (geteuid()) {
		printf("1..1\nok 1 - kernel differential # SKIP needs root\n");
		return 0;
	}
	return cmocka_run_group_tests_name("kernel/differential", tests, NULL, NULL);
}
