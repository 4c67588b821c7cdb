// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events and the tap in the kernel: what the loaded programs tell of, at every hook, is what the oracle says; readers that race with
 * writers get whole events, and know how many they missed; limits are exact whatever the number of CPUs.
 */
#include "harness/rim.h"
#include "host/events.h"
#include "kernel/judge.h"
#include "kernel/told.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#define SETS 12
#define FRAMES 400
#define REPEAT 500	 /* of a frame in one call */
#define CALLS 200	 /* of a writer */
#define IFINDEX_TEST_RUN 1 /* of the loopback device, in whose name test runs go */

static const enum fw_hook all_hooks[] = { FW_HOOK_XDP, FW_HOOK_TC_INGRESS, FW_HOOK_TC_EGRESS };

/* What one frame was told of. */
static void judge_told(struct kern_events *ev, const struct events *x, enum fw_hook hook, uint64_t generation, const struct expect *e,
		       const uint8_t *frame, size_t len)
{
	struct fw_event got[FW_LOG_MARKS + 2];
	uint64_t lost = 0;
	const char *what;

	assert_int_equal(kern_events_read(ev, got, FW_LOG_MARKS + 2, &lost), x->n);
	assert_int_equal(lost, 0);
	for (size_t i = 0; i < x->n; i++) {
		assert_int_equal(got[i].kind, x->v[i].kind);
		assert_int_equal(got[i].slot, x->v[i].slot);
		assert_int_equal(got[i].rule, x->v[i].rule);
		assert_int_equal(got[i].sample, 1);
		assert_int_equal(got[i].hook, hook);
		assert_int_equal(got[i].ifindex, IFINDEX_TEST_RUN);
		assert_int_equal(got[i].packets, 1);
		assert_int_equal(got[i].len, len);
		assert_int_equal(got[i].generation, generation);
		assert_true(got[i].time_ns > 0);
		what = events_packet_differs(&got[i], e, frame, len, NULL);
		if (what)
			fail_msg("the event differs: %s", what);
	}
}

static uint64_t judge_twin(const struct policy *p, const struct image *img, enum fw_hook hook, struct framegen *fg)
{
	enum fw_dir dir = hook == FW_HOOK_TC_EGRESS ? FW_DIR_EGRESS : FW_DIR_INGRESS;
	struct events x = { .until = calloc(FW_LIMIT_CELLS, sizeof(uint64_t)) };
	static uint8_t frame[FRAMEGEN_MAX];
	struct kern_event_counts counts;
	struct kern_events *ev = NULL;
	struct kern_twin *twin;
	struct packet_meta meta;
	int err;

	assert_non_null(x.until);
	if (kern_twin_open_image(img, hook, &rim_fail, &twin))
		fail_msg("%s", rim_fail.text);
	err = kern_twin_events(twin, &ev);
	assert_true(!err || (err == -ENOENT && !(image_hdr(img)->features & FW_FEAT_LOG)));
	for (int i = 0; i < FRAMES && ev; i++) {
		size_t len = framegen_next(fg, frame, sizeof(frame), &meta);
		struct fw_trace t;
		struct expect e;

		if (!judge_can_run(hook, frame, len))
			continue;
		e = expect_frame(p, img, dir, frame, len, NULL);
		assert_int_equal(kern_twin_run(twin, frame, len, 0, &t), 0);
		assert_true(expect_same(&e, &t));
		events_of(&x, &p->chain[dir], dir, &e);
		judge_told(ev, &x, hook, image_hdr(img)->generation, &e, frame, len);
	}
	if (ev) {
		kern_events_counts(ev, &counts);
		assert_int_equal(counts.written, x.written);
		assert_int_equal(counts.capped, x.capped);
		assert_int_equal(counts.generated, x.written + x.capped);
	}
	kern_events_close(ev);
	kern_twin_close(twin);
	free(x.until);
	return x.written;
}

static void programs_tell_what_the_oracle_says(void **state)
{
	uint64_t written = 0;
	struct prng prng;

	prng_init(&prng, prng_seed("kernel/test_events", 0));
	for (unsigned long i = 0; i < expect_env("FW_SETS", SETS); i++) {
		struct rulegen_opts opts = { .nrules = i % 3 ? prng_range(&prng, 1, 64) : 200, .style = RULEGEN_EDGES, .logs = true };
		enum fw_hook hook = all_hooks[i % 3];
		enum fw_dir dir = hook == FW_HOOK_TC_EGRESS ? FW_DIR_EGRESS : FW_DIR_INGRESS;
		struct arena *arena = arena_new();
		struct policy *p = rulegen_policy(arena, &prng, &opts);
		struct image img = {};
		struct framegen fg;

		expect_opts.engine = (enum engine)(i / 3 % 3);
		expect_compile(arena, p, dir, &img);
		image_hdr(&img)->generation = 41 + i;
		framegen_init(&fg, &p->chain[dir], prng_u64(&prng));
		fg.no_meta = true;
		written += judge_twin(p, &img, hook, &fg);
		image_fini(&img);
		arena_free(arena);
	}
	print_message("# %llu events\n", (unsigned long long)written);
	assert_true(written > 0);
}

/* Two frames that have nothing in common, each with a rule that tells of it. */
#define TWO_RULES                                                                                                        \
	"policy web {\n essentials off\n ingress default drop {\n  pass proto tcp log\n  drop proto udp log\n }\n"                    \
	" egress default pass {\n  pass proto tcp log\n  drop proto udp log\n }\n}\n"

static size_t frame_of(int kind, uint8_t frame[256])
{
	struct packet_spec a = { .family = FAMILY_IPV4, .protocol = 6, .src = 0x0a000001, .dst = 0x0a000002,
		.has_ports = true, .sport = 1111,
				 .dport = 2222, .has_flags = true, .flags = 0x12, .has_ttl = true, .ttl = 33,
				 .has_mac = true, .mac = 0x020000000001 };
	struct packet_spec b = { .family = FAMILY_IPV6, .protocol = 17, .src = (u128)0x20010db8ull << 96 | 3,
		.dst = (u128)0x20010db8ull << 96 | 4,
				 .has_ports = true, .sport = 5555, .dport = 6666, .has_ttl = true, .ttl = 77, .has_mac = true,
				 .mac = 0x0200000000f2, .len = 200 };

	return (size_t)packet_build(kind ? &b : &a, frame, 256);
}

static struct image two_rules(void)
{
	struct image img = box_compile(TWO_RULES, "web");
	uint32_t nslots[FW_DIR_COUNT];

	assert_int_equal(image_assign_slots(&img, NULL, nslots), 0);
	return img;
}

struct race {
	struct told told;
	struct fw_event like[2]; /* what an event of either frame says, time and number left out */
	atomic_int writing;
};

struct writer {
	pthread_t thread;
	struct race *race;
	int cpu;
};

static void *write_events(void *arg)
{
	struct writer *w = arg;
	uint8_t frame[2][256];
	size_t len[2] = { frame_of(0, frame[0]), frame_of(1, frame[1]) };
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(w->cpu, &set);
	pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
	for (int i = 0; i < CALLS; i++)
		told_run(&w->race->told, frame[i & 1], len[i & 1], 0, REPEAT);
	atomic_fetch_sub(&w->race->writing, 1);
	return NULL;
}

/* The event is whole: one of the two, in all that it says. */
static void event_is_whole(const struct race *r, const struct fw_event *v)
{
	struct fw_event like = r->like[v->l3 == FW_L3_IPV6];

	like.number = v->number;
	like.time_ns = v->time_ns;
	assert_memory_equal(v, &like, sizeof(like));
}

/* Everything that is there now; adds what came and what was lost. */
static void read_all(const struct race *r, struct ring *ring, uint64_t *last, uint64_t *ret_read, uint64_t *ret_lost)
{
	for (uint32_t cpu = 0; cpu < ring->cpus; cpu++) {
		uint64_t end = ring_head(ring, cpu);
		const struct fw_event *cell;
		struct fw_event copy;

		while ((cell = ring_peek(ring, cpu, end, ret_lost))) {
			memcpy(&copy, cell, sizeof(copy));
			if (!ring_took(ring, cpu, cell, ret_lost))
				continue;
			event_is_whole(r, &copy);
			assert_true(copy.number > last[cpu]);
			last[cpu] = copy.number;
			++*ret_read;
		}
	}
}

struct reader {
	pthread_t thread;
	struct race *race;
	struct ring ring;
	uint64_t *last, read, lost;
};

static void *read_events(void *arg)
{
	struct reader *rd = arg;

	while (atomic_load(&rd->race->writing))
		read_all(rd->race, &rd->ring, rd->last, &rd->read, &rd->lost);
	read_all(rd->race, &rd->ring, rd->last, &rd->read, &rd->lost);
	return NULL;
}

static unsigned int cpus_here(void)
{
	cpu_set_t set;

	assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
	return (unsigned int)CPU_COUNT(&set);
}

/* A ring of so few that readers are overtaken all the time, in the middle of copying too. */
static void race(enum fw_hook hook, uint32_t size)
{
	struct told_opts opts = { .hook = hook, .events = size, .taps = 1, .snap = 64 };
	unsigned int nwriters = cpus_here() > 4 ? 4 : cpus_here(), nreaders = 2;
	struct image img = two_rules();
	struct race r = { .writing = (int)nwriters };
	struct writer writer[4];
	struct reader reader[2];
	uint8_t frame[256];

	told_open(&r.told, &opts, &img);
	for (int kind = 0; kind < 2; kind++) { /* what they look like; a ring of one CPU has both */
		size_t len = frame_of(kind, frame);
		struct ring ring = r.told.events;
		const struct fw_event *cell = NULL;
		uint64_t lost = 0;

		assert_int_equal(ring_start(&ring, false), 0);
		told_run(&r.told, frame, len, 0, 1);
		for (uint32_t cpu = 0; cpu < ring.cpus && !cell; cpu++)
			cell = ring_peek(&ring, cpu, ring_head(&ring, cpu), &lost);
		assert_non_null(cell);
		r.like[kind] = *cell;
		assert_int_equal(cell->dport, kind ? 6666 : 2222);
		ring_fini(&ring);
	}
	for (unsigned int i = 0; i < nreaders; i++) {
		reader[i] = (struct reader){ .race = &r, .ring = r.told.events, .last = calloc(r.told.cpus, sizeof(uint64_t)) };
		assert_non_null(reader[i].last);
		assert_int_equal(ring_start(&reader[i].ring, false), 0);
		assert_int_equal(pthread_create(&reader[i].thread, NULL, read_events, &reader[i]), 0);
	}
	for (unsigned int i = 0; i < nwriters; i++) {
		writer[i] = (struct writer){ .race = &r, .cpu = (int)i };
		assert_int_equal(pthread_create(&writer[i].thread, NULL, write_events, &writer[i]), 0);
	}
	for (unsigned int i = 0; i < nwriters; i++)
		pthread_join(writer[i].thread, NULL);
	assert_int_equal(TOLD_SUM(&r.told.events, head), 2 + nwriters * CALLS * REPEAT);
	for (unsigned int i = 0; i < nreaders; i++) {
		pthread_join(reader[i].thread, NULL);
		assert_int_equal(reader[i].read + reader[i].lost, nwriters * CALLS * REPEAT);
		print_message("# ring of %u: read %llu lost %llu\n", size, (unsigned long long)reader[i].read,
			(unsigned long long)reader[i].lost);
		ring_fini(&reader[i].ring);
		free(reader[i].last);
	}
	told_close(&r.told);
	image_fini(&img);
}

static void readers_lose_what_they_count(void **state)
{
	race(FW_HOOK_XDP, 1);
	race(FW_HOOK_TC_INGRESS, 4);
	race(FW_HOOK_TC_EGRESS, 4096);
}

static void a_ring_keeps_the_newest(void **state)
{
	struct told_opts opts = { .hook = FW_HOOK_XDP, .events = 64, .taps = 1, .snap = 64 };
	struct image img = two_rules();
	struct race r = {};
	uint64_t *last, read = 0, lost = 0;
	struct ring ring;
	uint8_t frame[256];
	size_t len = frame_of(0, frame);
	cpu_set_t all, one;

	assert_int_equal(sched_getaffinity(0, sizeof(all), &all), 0);
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	told_open(&r.told, &opts, &img);
	last = calloc(r.told.cpus, sizeof(*last));
	told_run(&r.told, frame, len, 0, 1);
	ring = r.told.events;
	assert_int_equal(ring_start(&ring, true), 0);
	r.like[0] = *(const struct fw_event *)(ring.cells + ring.stride * ring.size * (size_t)sched_getcpu());
	told_run(&r.told, frame, len, 0, 1000);
	read_all(&r, &ring, last, &read, &lost);
	assert_int_equal(read, 64);
	assert_int_equal(read + lost, 1001);
	assert_int_equal(last[sched_getcpu()], 1001);
	assert_int_equal(sched_setaffinity(0, sizeof(all), &all), 0);
	ring_fini(&ring);
	free(last);
	told_close(&r.told);
	image_fini(&img);
}

#define LIMITED                                                                                                          \
	"policy web {\n essentials off\n ingress default drop {\n  pass proto tcp log limit 1/h burst 700\n"                       \
	"  drop proto udp log sample 1/4\n }\n}\n"

/* Nothing is added to the bucket while the test runs; so exactly the burst is told of, by however many CPUs. */
static void limits_are_exact(void **state)
{
	struct told_opts opts = { .hook = FW_HOOK_TC_INGRESS, .events = 4096, .taps = 1, .snap = 64 };
	unsigned int nwriters = cpus_here() > 4 ? 4 : cpus_here();
	uint64_t udp = (uint64_t)nwriters * CALLS * REPEAT / 2, tcp = udp;
	struct image img = box_compile(LIMITED, "web");
	struct race r = { .writing = (int)nwriters };
	uint32_t nslots[FW_DIR_COUNT];
	struct writer writer[4];

	assert_int_equal(image_assign_slots(&img, NULL, nslots), 0);
	told_open(&r.told, &opts, &img);
	for (unsigned int i = 0; i < nwriters; i++) {
		writer[i] = (struct writer){ .race = &r, .cpu = (int)i };
		assert_int_equal(pthread_create(&writer[i].thread, NULL, write_events, &writer[i]), 0);
	}
	for (unsigned int i = 0; i < nwriters; i++)
		pthread_join(writer[i].thread, NULL);
	assert_int_equal(TOLD_SUM(&r.told.events, limited), tcp - 700);
	assert_int_equal(TOLD_SUM(&r.told.events, capped), 0);
	assert_int_equal(TOLD_SUM(&r.told.events, head) + TOLD_SUM(&r.told.events, sampled), udp + 700);
	/* a quarter, give or take more than chance ever does */
	assert_in_range(TOLD_SUM(&r.told.events, sampled), udp * 7 / 10, udp * 8 / 10);
	told_close(&r.told);
	image_fini(&img);
}

static struct image logs_of(const char *limit, const struct fw_image *live)
{
	char text[256];
	struct image img;
	uint32_t nslots[FW_DIR_COUNT];

	snprintf(text, sizeof(text), "policy web {\n essentials off\n ingress default drop {\n  log default limit %s\n"
		 "  pass proto tcp log limit %s\n }\n}\n", limit, limit);
	img = box_compile(text, "web");
	assert_int_equal(image_assign_slots(&img, live, nslots), 0);
	return img;
}

/* A frame of either kind, so many times: how many events there are more. */
static uint64_t told_more(struct kern_twin *twin, struct kern_events *ev, int times)
{
	struct kern_event_counts was, is;
	uint8_t frame[256];
	struct fw_trace t;

	kern_events_counts(ev, &was);
	for (int i = 0; i < 2 * times; i++) {
		size_t len = frame_of(i & 1, frame);

		assert_int_equal(kern_twin_run(twin, frame, len, 0, &t), 0);
	}
	kern_events_counts(ev, &is);
	return is.written - was.written;
}

/* What the slow limit ran up is no debt under the fast one: of a rule, whose counters go on, nor of the default. */
static void a_faster_limit_tells_at_once(void **state)
{
	for (int h = 0; h < 2; h++) {
		struct image slow = logs_of("1/h burst 20", NULL), fast = logs_of("1/s burst 30", image_hdr(&slow));
		struct kern_events *ev = NULL;
		struct kern_twin *twin;

		assert_int_equal(kern_twin_open_image(&slow, all_hooks[h], &rim_fail, &twin), 0);
		assert_int_equal(kern_twin_events(twin, &ev), 0);
		assert_int_equal(told_more(twin, ev, 100), 40);
		assert_int_equal(kern_twin_swap(twin, &fast), 0);
		assert_in_range(told_more(twin, ev, 100), 60, 64);
		/* and back: the slow one is not made anew by what it finds */
		assert_int_equal(kern_twin_swap(twin, &slow), 0);
		assert_in_range(told_more(twin, ev, 100), 36, 40);
		assert_int_equal(told_more(twin, ev, 100), 0);
		kern_events_close(ev);
		kern_twin_close(twin);
		image_fini(&slow);
		image_fini(&fast);
	}
}

/* The packet that was tapped last, which is number n of all. */
static const struct fw_tap *tapped(const struct told *t, uint64_t n)
{
	assert_int_equal(TOLD_SUM(&t->taps, head), n);
	for (uint32_t cpu = 0; cpu < t->cpus; cpu++) {
		uint64_t head = t->taps.cpu[cpu].head;
		size_t cell = t->taps.size * cpu + ((head - 1) & (t->taps.size - 1));
		const struct fw_tap *tap = (const void *)(t->taps.cells + t->taps.stride * cell);

		if (head && tap->event.number == head)
			return tap;
	}
	fail_msg("no cell has the packet");
	return NULL;
}

static void tap_frame(const struct told *t, const uint8_t *frame, size_t len, size_t linear, uint32_t snap, uint64_t n)
{
	const struct fw_tap *tap;

	told_run(t, frame, len, linear, 1);
	tap = tapped(t, n);
	assert_int_equal(tap->wire, len);
	assert_int_equal(tap->caplen, len < snap ? len : snap);
	assert_memory_equal(tap + 1, frame, tap->caplen);
	assert_int_equal(tap->event.kind, FW_EVENT_TAP);
	assert_int_equal(tap->event.reason, FW_REASON_NO_RULES);
	assert_int_equal(tap->event.ifindex, IFINDEX_TEST_RUN);
	assert_int_equal(tap->vlan_proto, 0);
}

/* One CPU's ring of one packet: what is looked at is the last one. */
static void taps_copy_frames(void **state)
{
	static const size_t lens[] = { 14, 60, 63, 64, 65, 127, 128, 1514, 3000 };
	static const uint32_t snaps[] = { 64, 128, 2048, 65536 };
	static uint8_t frame[3000];
	cpu_set_t all, one;

	assert_int_equal(sched_getaffinity(0, sizeof(all), &all), 0);
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	for (size_t i = 0; i < sizeof(frame); i++)
		frame[i] = (uint8_t)(i * 7 + i / 256);
	frame[12] = 0x88, frame[13] = 0xb5; /* no IP: the kernel takes it at any length */
	for (size_t s = 0; s < 4; s++) {
		for (int h = 0; h < 3; h++) {
			struct told_opts opts = { .hook = all_hooks[h], .events = 1, .taps = 1, .snap = snaps[s], .frags = !h };
			struct told t;
			uint64_t n = 0;

			told_open(&t, &opts, NULL);
			*t.tap_ctl = (struct fw_tap_ctl){ .on = 1, .verdicts = ~0u, .reasons = ~0u };
			for (size_t l = 0; l < sizeof(lens) / sizeof(lens[0]); l++) {
				tap_frame(&t, frame, lens[l], 0, snaps[s], ++n);
				for (size_t linear = 14; !h && linear < lens[l]; linear += linear < 140 ? 1 : 97)
					tap_frame(&t, frame, lens[l], linear, snaps[s], ++n);
			}
			t.tap_ctl->on = 0;
			told_run(&t, frame, 60, 0, 1);
			assert_int_equal(TOLD_SUM(&t.taps, head), n);
			told_close(&t);
		}
	}
	assert_int_equal(sched_setaffinity(0, sizeof(all), &all), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(programs_tell_what_the_oracle_says),
		cmocka_unit_test(readers_lose_what_they_count),
		cmocka_unit_test(a_ring_keeps_the_newest),
		cmocka_unit_test(limits_are_exact),
		cmocka_unit_test(a_faster_limit_tells_at_once),
		cmocka_unit_test(taps_copy_frames),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	rim_enter("events");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
