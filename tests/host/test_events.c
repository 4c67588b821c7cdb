// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events and the tap in the datapath's own source: which packets are told of and what is said, against the oracle; rings that wrap;
 * limits and samples, whose numbers are exact.
 */
#include "host/events.h"
#include "host/judge.h"

#include "harness/handmade.h"

#ifdef __SANITIZE_ADDRESS__
#define FRAMES 300
#define SETS 100
#else
#define FRAMES 1000
#define SETS 300
#endif

#define GENERATION 0x123456789aull
#define NOW 5000000000ull

static struct events events_open(uint32_t seed)
{
	struct events x = { .until = calloc(FW_LIMIT_CELLS, sizeof(uint64_t)), .drawn = seed, .draw = shim_draw, .now_ns = NOW };

	assert_non_null(x.until);
	shim_drawn = seed;
	return x;
}

/* An image that is live, with rings, at a clock that stands. */
static void lab_open(struct image *img, enum fw_dir dir, uint32_t nslots, uint32_t ring)
{
	image_hdr(img)->generation = GENERATION;
	shim_open(img, dir, 0, nslots);
	shim_events(ring);
	((struct fw_ctl *)fw_ctl.value)->given = FW_GIVEN_NOW;
	((struct fw_ctl *)fw_ctl.value)->given_ns = NOW;
}

static const struct fw_event_cpu *cpu_of(unsigned int cpu)
{
	return (const struct fw_event_cpu *)fw_event_cpus.value + cpu;
}

/* Event `n` of a CPU, as a reader looks for it; NULL: it is not there any more. */
static const struct fw_event *event_at(unsigned int cpu, uint64_t n)
{
	const struct fw_event *v = (const struct fw_event *)fw_events.value + cpu * (fw_cfg.event_mask + 1) + (n & fw_cfg.event_mask);

	return v->number == n + 1 ? v : NULL;
}

/* The events from number `from` on are those of x, and say so of the frame. */
static const char *events_differ(const struct events *x, uint64_t from, enum fw_dir dir, const struct expect *e, const uint8_t *frame,
				 size_t len, const struct packet_meta *meta)
{
	const char *what;

	if (cpu_of(shim_cpu)->head - from != x->n)
		return "how many";
	for (size_t i = 0; i < x->n; i++) {
		const struct fw_event *v = event_at(shim_cpu, from + i), *want = &x->v[i];

		if (!v)
			return "number";
		if (v->kind != want->kind || v->slot != want->slot || v->rule != want->rule || v->sample != want->sample)
			return "what it is about";
		if (v->time_ns != NOW || v->generation != GENERATION || v->ifindex != SHIM_IFINDEX || v->len != len || v->packets != 1 ||
		    v->hook != (dir ? FW_HOOK_TC_EGRESS : FW_HOOK_XDP))
			return "where it was";
		if (v->pad || v->pad2 || v->reserved[0] || v->reserved[1])
			return "what is reserved";
		what = events_packet_differs(v, e, frame, len, meta);
		if (what)
			return what;
	}
	return NULL;
}

static void judge_events(const struct policy *p, const struct image *img, enum fw_dir dir, struct framegen *fg, struct events *x)
{
	static uint8_t frame[FRAMEGEN_MAX];
	struct packet_meta meta;

	for (int i = 0; i < FRAMES; i++) {
		size_t len = framegen_next(fg, frame, sizeof(frame), &meta);
		struct expect e = expect_frame(p, img, dir, frame, len, &meta);
		uint64_t from;
		struct fw_trace t;
		const char *what;

		shim_cpu = i % SHIM_CPUS;
		from = cpu_of(shim_cpu)->head;
		t = shim_run(frame, len, len, &meta);
		events_of(x, &p->chain[dir], dir, &e);
		what = events_differ(x, from, dir, &e, frame, len, &meta);
		if (!expect_same(&e, &t) || what) {
			expect_report(p, dir, frame, len, &meta, &e, &t);
			fail_msg("events differ: %s", what ? what : "the verdict");
		}
	}
}

static void counts_agree(const struct events *x)
{
	struct fw_event_cpu sum = {};

	for (unsigned int i = 0; i < SHIM_CPUS; i++) {
		sum.head += cpu_of(i)->head;
		sum.limited += cpu_of(i)->limited;
		sum.sampled += cpu_of(i)->sampled;
		sum.capped += cpu_of(i)->capped;
		assert_int_equal(cpu_of(i)->lost, 0);
	}
	assert_int_equal(sum.head, x->written);
	assert_int_equal(sum.limited, x->limited);
	assert_int_equal(sum.sampled, x->sampled);
	assert_int_equal(sum.capped, x->capped);
}

static void random_sets(const char *name, bool limits)
{
	struct events sum = {};
	struct prng prng;

	prng_init(&prng, prng_seed(name, 0));
	for (unsigned long i = 0; i < expect_env("FW_SETS", SETS); i++) {
		struct rulegen_opts opts = {
			.nrules = i % 8 == 7 ? prng_range(&prng, 65, 400) : prng_range(&prng, 0, 64),
			.style = RULEGEN_EDGES, .logs = true, .log_limits = limits, .reject = true,
		};
		struct arena *arena = arena_new();
		enum fw_dir dir = prng_u64(&prng) & 1;
		struct policy *p = rulegen_policy(arena, &prng, &opts);
		struct events x = events_open((uint32_t)prng_u64(&prng));
		struct image img = {};
		struct framegen fg;

		assert_non_null(p);
		framegen_init(&fg, &p->chain[dir], prng_u64(&prng));
		expect_opts.engine = (enum engine)(i % 3);
		expect_forms(i);
		lab_open(&img, dir, (shim_open(NULL, dir, 0, 1), expect_compile(arena, p, dir, &img)), 16);
		judge_events(p, &img, dir, &fg, &x);
		counts_agree(&x);
		sum.written += x.written;
		sum.limited += x.limited;
		sum.sampled += x.sampled;
		sum.capped += x.capped;
		free(x.until);
		image_fini(&img);
		arena_free(arena);
	}
	print_message("# %llu events, %llu limited, %llu sampled, %llu capped\n", (unsigned long long)sum.written,
		      (unsigned long long)sum.limited, (unsigned long long)sum.sampled, (unsigned long long)sum.capped);
	assert_true(sum.written && (!limits || (sum.limited && sum.sampled)));
}

static void random_events(void **state) { random_sets("host/test_events", false); }
static void random_limits(void **state) { random_sets("host/test_events limits", true); }

static const struct log_opts every = { .sample = 1 };

/* A policy of n `count` rules that log and match everything, and one that drops and logs. */
static struct policy *counting(struct arena *arena, size_t n)
{
	struct policy *p = hand_policy(arena, n + 1);

	for (size_t i = 0; i <= n; i++) {
		hand_rule(p, i)->verdict = i < n ? VERDICT_CONTINUE : VERDICT_DROP;
		hand_rule(p, i)->log = &every;
	}
	return p;
}

static size_t syn_frame(uint8_t *frame, size_t size)
{
	struct packet_spec spec = { .family = FAMILY_IPV4, .protocol = 6, .src = 1, .dst = 2, .has_ports = true, .dport = 22 };

	return (size_t)packet_build(&spec, frame, size);
}

static struct fw_trace run_syn(void)
{
	uint8_t frame[256];
	size_t len = syn_frame(frame, sizeof(frame));

	return shim_run(frame, len, len, NULL);
}

static void the_newest_stay(void **state)
{
	struct arena *arena = arena_new();
	struct image img = {};
	uint32_t nslots = expect_compile(arena, counting(arena, 0), FW_DIR_INGRESS, &img);

	lab_open(&img, FW_DIR_INGRESS, nslots, 4);
	shim_cpu = 1;
	for (int i = 0; i < 103; i++)
		run_syn();
	assert_int_equal(cpu_of(1)->head, 103);
	assert_int_equal(cpu_of(0)->head, 0);
	for (uint64_t n = 0; n < 99; n++)
		assert_null(event_at(1, n));
	for (uint64_t n = 99; n < 103; n++)
		assert_non_null(event_at(1, n));
	image_fini(&img);
	arena_free(arena);
}

/* More rules on the way than a packet is told of by: the first ones, and the number of the others. */
static void marks_are_capped(void **state)
{
	for (size_t n = FW_LOG_MARKS - 1; n < 70; n += 1 + n / 12 * 12) { /* one word, then many */
		struct arena *arena = arena_new();
		struct image img = {};
		uint32_t nslots = expect_compile(arena, counting(arena, n), FW_DIR_INGRESS, &img),
			told = n < FW_LOG_MARKS ? n : FW_LOG_MARKS;

		lab_open(&img, FW_DIR_INGRESS, nslots, 16);
		shim_cpu = 0;
		assert_int_equal(run_syn().counted, n);
		assert_int_equal(run_syn().counted, n);
		assert_int_equal(cpu_of(0)->head, 2 * (told + 1));
		assert_int_equal(cpu_of(0)->capped, 2 * (n - told));
		for (uint32_t i = 0; i <= told; i++) {
			const struct fw_event *v = event_at(0, told + 1 + i);

			assert_int_equal(v->kind, i < told ? FW_EVENT_COUNT : FW_EVENT_RULE);
			assert_int_equal(v->rule, i < told ? i : n);
			assert_int_equal(v->verdict, FW_VERDICT_DROP);
			assert_int_equal(v->reason, FW_REASON_RULE);
		}
		image_fini(&img);
		arena_free(arena);
	}
}

/* Nobody is told by a program without the feature, or that may not change anything. */
static void silent_programs(void **state)
{
	struct arena *arena = arena_new();
	struct image img = {};
	uint32_t nslots = expect_compile(arena, counting(arena, 3), FW_DIR_INGRESS, &img);

	for (int i = 0; i < 2; i++) {
		lab_open(&img, FW_DIR_INGRESS, nslots, 16);
		shim_taps(4, 64);
		if (i)
			fw_cfg.features = 0;
		else
			fw_cfg.readonly = 1;
		run_syn();
		assert_int_equal(cpu_of(0)->head + cpu_of(1)->head, 0);
		assert_int_equal(((struct fw_event_cpu *)fw_tap_cpus.value)[shim_cpu].head, 0);
	}
	image_fini(&img);
	arena_free(arena);
}

/* The last packet that the tap took; NULL: none since number `from`. */
static const struct fw_tap *tapped(uint64_t from)
{
	uint64_t n = ((struct fw_event_cpu *)fw_tap_cpus.value)[shim_cpu].head;
	const struct fw_tap *tap;

	if (n == from)
		return NULL;
	assert_int_equal(n, from + 1);
	size_t cell = shim_cpu * (fw_cfg.tap_mask + 1) + (from & fw_cfg.tap_mask);
	tap = (const void *)((uint8_t *)fw_taps.value + fw_taps.size * cell);
	assert_int_equal(tap->event.number, n);
	return tap;
}

static void tap_copies_frames(void **state)
{
	static const uint32_t snaps[] = { 64, 72, 2048, 65536 };
	struct rulegen_opts opts = { .nrules = 40, .style = RULEGEN_EDGES, .logs = true };
	struct arena *arena = arena_new();
	static uint8_t frame[70000];
	struct image img = {};
	struct framegen fg;
	struct policy *p;
	struct prng prng;
	uint32_t nslots;

	prng_init(&prng, prng_seed("host/test_events tap", 0));
	p = rulegen_policy(arena, &prng, &opts);
	framegen_init(&fg, &p->chain[0], prng_u64(&prng));
	nslots = expect_compile(arena, p, FW_DIR_INGRESS, &img);
	for (size_t s = 0; s < 4; s++) {
		lab_open(&img, FW_DIR_INGRESS, nslots, 16);
		shim_taps(2, snaps[s]);
		for (uint64_t i = 0; i < FRAMES; i++) {
			struct packet_meta meta;
			size_t len = framegen_next(&fg, frame, sizeof(frame), &meta), linear = prng_range(&prng, 0, len);
			struct expect e = expect_frame(p, &img, FW_DIR_INGRESS, frame, len, &meta);
			const struct fw_tap *tap;
			const char *what;

			shim_cpu = 0;
			shim_run(frame, len, linear, &meta);
			tap = tapped(i);
			assert_non_null(tap);
			assert_int_equal(tap->wire, len);
			assert_int_equal(tap->caplen, len < snaps[s] ? len : snaps[s]);
			assert_memory_equal(tap + 1, frame, tap->caplen);
			assert_int_equal(tap->vlan_proto, meta.vlan_present ? 0x8100 : 0);
			assert_int_equal(tap->vlan_tci, meta.vlan_present ? meta.vlan_tci : 0);
			assert_int_equal(tap->event.kind, FW_EVENT_TAP);
			assert_int_equal(tap->event.slot, e.slot);
			assert_int_equal(tap->event.rule, e.rule);
			assert_int_equal(tap->event.sample, 1);
			assert_int_equal(tap->event.time_ns, NOW);
			assert_int_equal(tap->event.generation, GENERATION);
			what = events_packet_differs(&tap->event, &e, frame, len, &meta);
			if (what)
				fail_msg("the tap's event differs: %s", what);
		}
	}
	image_fini(&img);
	arena_free(arena);
}

/* Each part of the filter, and all of them. */
static void tap_picks(void **state)
{
	struct arena *arena = arena_new();
	struct image img = {};
	uint32_t nslots = expect_compile(arena, counting(arena, 3), FW_DIR_INGRESS, &img), slot[4];
	struct fw_tap_ctl *ctl, all = { .on = 1, .verdicts = ~0u, .reasons = ~0u };
	const struct fw_meta_rule *rules;
	uint64_t n = 0;
	size_t nrules;

	rules = image_rules(image_hdr(&img), FW_DIR_INGRESS, &nrules);
	for (int i = 0; i < 4; i++)
		slot[i] = rules[i].slot;
	lab_open(&img, FW_DIR_INGRESS, nslots, 16);
	ctl = shim_taps(4, 64);
	shim_cpu = 1;
#define TAKES(yes, ...)                                                                                                  \
	do {                                                                                                           \
		*ctl = all;                                                                                            \
		__VA_ARGS__;                                                                                           \
		run_syn();                                                                                             \
		assert_int_equal(tapped(n) != NULL, yes);                                                              \
		n += yes;                                                                                              \
	} while (0)
	TAKES(1, ctl->on = 1);
	TAKES(0, ctl->on = 0);
	TAKES(1, ctl->verdicts = 1u << FW_VERDICT_DROP);
	TAKES(0, ctl->verdicts = ~(1u << FW_VERDICT_DROP));
	TAKES(1, ctl->reasons = 1u << FW_REASON_RULE);
	TAKES(0, ctl->reasons = ~(1u << FW_REASON_RULE));
	TAKES(1, ctl->nifs = 2, ctl->ifindex[1] = SHIM_IFINDEX);
	TAKES(0, ctl->nifs = 1, ctl->ifindex[1] = SHIM_IFINDEX);
	TAKES(1, ctl->nslots = 1, ctl->slot[0] = FW_TAP_SLOT(slot[3], FW_DIR_INGRESS));
	TAKES(0, ctl->nslots = 1, ctl->slot[0] = FW_TAP_SLOT(slot[3], FW_DIR_EGRESS));
	TAKES(0, ctl->nslots = 8, ctl->slot[7] = FW_TAP_SLOT(slot[3] + 1, FW_DIR_INGRESS));
	TAKES(1, ctl->nslots = 8, ctl->slot[7] = FW_TAP_SLOT(slot[3], FW_DIR_INGRESS));
	for (int i = 0; i < 3; i++) /* rules that do not decide */
		TAKES(1, ctl->nslots = 1, ctl->slot[0] = FW_TAP_SLOT(slot[i], FW_DIR_INGRESS));
	TAKES(0, ctl->nslots = 1, ctl->slot[0] = FW_TAP_SLOT(slot[0], FW_DIR_INGRESS), ctl->verdicts = 1u << FW_VERDICT_PASS);
	/* What a packet before has met is forgotten: this one meets no rules. */
	TAKES(0, ctl->nslots = 1, ctl->slot[0] = FW_TAP_SLOT(slot[0], FW_DIR_INGRESS),
		((struct fw_image *)fw_slot0.value)->dir[0].flags = 0);
#undef TAKES
	image_fini(&img);
	arena_free(arena);
}

/* Without rules there is nothing to tell of; the tap shows the packet all the same. */
static void no_rules(void **state)
{
	struct arena *arena = arena_new();
	struct image img = {};
	uint32_t nslots = expect_compile(arena, counting(arena, 2), FW_DIR_INGRESS, &img);
	const struct fw_tap *tap;

	lab_open(&img, FW_DIR_INGRESS, nslots, 16);
	shim_taps(4, 64);
	shim_cpu = 0;
	run_syn();
	((struct fw_image *)fw_slot0.value)->magic++;
	assert_int_equal(run_syn().reason, FW_REASON_NO_RULES);
	assert_int_equal(cpu_of(0)->head, 3);
	tap = tapped(1);
	assert_int_equal(tap->event.reason, FW_REASON_NO_RULES);
	assert_int_equal(tap->event.generation, 0);
	assert_int_equal(tap->event.rule, ~0u);
	image_fini(&img);
	arena_free(arena);
}

/* Whatever stands in the tables of logs: some events, and nothing outside is read (the sanitizer watches). */
static void damaged_logs(void **state)
{
	struct rulegen_opts opts = { .nrules = 60, .directions = 1, .logs = true, .log_limits = true };
	static uint8_t frame[FRAMEGEN_MAX];
	struct arena *arena = arena_new();
	struct packet_meta meta;
	struct image img = {};
	struct framegen fg;
	struct policy *p;
	struct prng prng;
	uint32_t nslots;

	prng_init(&prng, prng_seed("host/test_events damage", 0));
	p = rulegen_policy(arena, &prng, &opts);
	framegen_init(&fg, &p->chain[0], prng_u64(&prng));
	nslots = expect_compile(arena, p, FW_DIR_INGRESS, &img);
	for (int i = 0; i < 300; i++) {
		lab_open(&img, FW_DIR_INGRESS, nslots, 16);
		shim_taps(4, 64);
		for (int j = prng_range(&prng, 1, 40); j; j--) {
			size_t span = prng_chance(&prng, 1, 2) ? sizeof(struct fw_image) : img.len;

			((uint8_t *)fw_slot0.value)[prng_range(&prng, 8, span - 1)] = prng_u64(&prng);
		}
		/* BPF reads at any address, this build's sanitizer minds */
		((struct fw_image *)fw_slot0.value)->dir[0].extras &= ~7u;
		((struct fw_image *)fw_slot0.value)->dir[0].logs &= ~7u;
		for (int j = 0; j < 50; j++) {
			size_t len = framegen_next(&fg, frame, sizeof(frame), &meta);

			assert_true(shim_run(frame, len, len, &meta).reason < FW_REASON_COUNT);
		}
	}
	image_fini(&img);
	arena_free(arena);
}

static int done(void **state)
{
	shim_close();
	return 0;
}

#define CASE(fn, name) { name, fn, NULL, NULL, NULL }
int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(random_events, "random rules that log, random frames: the events are the oracle's, and what they say"),
		CASE(random_limits, "with limits and samples, every event that is not told of is counted"),
		CASE(the_newest_stay, "a ring that is full keeps the newest events, each CPU its own"),
		CASE(marks_are_capped, "a packet is told of by the first rules on its way, and the others are counted"),
		CASE(silent_programs, "programs without the feature, and those that change nothing, tell nobody"),
		CASE(tap_copies_frames, "the tap has the frame's bytes up to its length, however the frame was cut"),
		CASE(tap_picks, "the tap takes what all parts of its filter want"),
		CASE(no_rules, "without rules there are no events, and the tap goes on"),
		CASE(damaged_logs, "damaged tables of logs give some events and nothing worse"),
	};

	return cmocka_run_group_tests_name("host/events", tests, NULL, done);
}
