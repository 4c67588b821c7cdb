// SPDX-License-Identifier: GPL-2.0-only
/* Events and the tap: what telling costs a packet, and how fast one reader is told. */
#include "base/arena.h"
#include "bench/state.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define SAMPLE 64
#define SNAP 128

struct kind {
	const char *id, *text, *rule; /* what the rule for DNS says beyond its verdict */
	uint16_t port;                /* of the packet */
	double wanted;
};

static const struct kind kinds[] = {
	{ "event", "an event", "log", 53, 200 },
	{ "event_limited", "an event over the limit of its log", "log limit 1/h", 53, NAN },
	{ "event_sampled", "one event of 1,000 packets", "log sample 1/1000", 53, NAN },
	{ "event_other", "a rule without log beside one that has it", "log", 443, 10 },
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static int kind_add(struct packet_bench *b, struct scene *s, const struct kind *k, int plain_fd, bool six, struct ref_frame *f)
{
	const struct state_row row = { k->id, k->text, k->wanted, six };
	struct state_ends e = state_ends(six, k->port);
	int err = 0;

	if (k->port == 53)
		state_udp(&e, f);
	else
		state_tcp(&e, 2, f);
	for (int i = 0; !err && i < SAMPLE; i++)
		err = scene_judge(s, DIRECTION_INGRESS, f);
	return err ? err : state_add_hot(b, &row, &s->xdp, f, plain_fd);
}

/* The tap, when it takes the packet and when it takes others. */
struct taps {
	struct subject all, none;
	struct ref_frame f[2];
};

static int taps_add(struct packet_bench *b, struct scene *plain, struct taps *t)
{
	size_t n;
	const struct fw_meta_rule *rules = image_rules(image_hdr(&plain->w.img), FW_DIR_INGRESS, &n);
	uint32_t slot = rules[n - 1].slot; /* of the rule for DNS */
	int err = subject_beside(kern_twin_prog_fd(plain->twin), FW_HOOK_XDP, SNAP, &t->all);

	err = err ? err : subject_tap(&t->all, slot);
	err = err ? err : subject_beside(kern_twin_prog_fd(plain->twin), FW_HOOK_XDP, SNAP, &t->none);
	err = err ? err : subject_tap(&t->none, slot + 1);
	for (int six = 0; !err && six < 2; six++) {
		const struct state_row takes = { "tap", "a packet that is tapped", NAN, six },
				       leaves = { "tap_other", "a packet that the tap leaves alone", NAN, six };
		struct state_ends e = state_ends(six, 53);

		state_udp(&e, &t->f[six]);
		err = state_add_hot(b, &takes, &t->all, &t->f[six], plain->xdp.prog_fd);
		err = err ? err : state_add_hot(b, &leaves, &t->none, &t->f[six], plain->xdp.prog_fd);
	}
	return err;
}

/* Read what a ring holds. Its CPU time per event, or negative. */
static double drain_once(struct scene *s, const struct ref_frame *f, struct fw_event *buf, size_t room)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = f->byte, .data_size_in = REF_FRAME_LEN, .repeat = 1 << 17);
	struct kern_events *ev = NULL;
	uint64_t lost = 0;
	size_t n = 0, got;
	double start;

	/* The ring is full of what this CPU wrote, as it would be behind a busy hook. */
	if (bpf_prog_test_run_opts(s->xdp.prog_fd, &opts) || kern_twin_events(s->twin, &ev))
		return -1;
	start = measure_cpu_ns();
	while ((got = kern_events_read(ev, buf, room, &lost)))
		n += got;
	start = measure_cpu_ns() - start;
	kern_events_close(ev);
	return n ? start / (double)n : -1;
}

static int drain(struct packet_bench *b, struct scene *s, const struct ref_frame *f)
{
	const struct state_row row = { "event_read", "an event read, by one reader on one core", 500, false },
			       rate = { "event_rate", "events that one core reads", NAN, false };
	const size_t room = 1024;
	struct fw_event *buf = calloc(room, sizeof(*buf));
	double ns[MEASURE_ROUNDS_MAX], median;
	int err = buf ? 0 : -ENOMEM;

	if (!err && drain_once(s, f, buf, room) < 0) /* warms up */
		err = -EIO;
	for (unsigned int i = 0; !err && i < b->m.rounds; i++)
		ns[i] = drain_once(s, f, buf, room);
	free(buf);
	if (err) {
		fprintf(stderr, "bench: the events cannot be read\n");
		return err;
	}
	median = measure_median(ns, b->m.rounds);
	state_figure(b, &row, median, "ns");
	state_figure(b, &rate, 1e3 / median, "M/s");
	return 0;
}

int state_events(struct packet_bench *b)
{
	struct arena *arena = arena_new();
	struct scene plain = {}, s[KINDS] = {};
	struct ref_frame f[KINDS][2];
	struct taps taps = {};
	int err = arena ? scene_open(arena, "plain", STATE_POLICY("", "", ""), &plain) : -ENOMEM;

	for (size_t i = 0; !err && i < KINDS; i++) {
		const char *text = arena_printf(arena, STATE_POLICY("", "", "%s"), kinds[i].rule);

		err = text ? scene_open(arena, kinds[i].id, text, &s[i]) : -ENOMEM;
		for (int six = 0; !err && six < 2; six++)
			err = kind_add(b, &s[i], &kinds[i], plain.xdp.prog_fd, six, &f[i][six]);
	}
	if (!err)
		err = taps_add(b, &plain, &taps);
	if (!err)
		err = state_run(b, "events and the tap; \"over\" is over the same rules without");
	if (!err)
		err = drain(b, &s[0], &f[0][0]);
	if (taps.all.obj)
		subject_close(&taps.all);
	if (taps.none.obj)
		subject_close(&taps.none);
	for (size_t i = 0; i < KINDS; i++)
		scene_close(&s[i]);
	scene_close(&plain);
	arena_free(arena);
	return err;
}
