// SPDX-License-Identifier: GPL-2.0-only
/* Rule sets of each family and size: one packet again and again, and traces. */
#include "base/arena.h"
#include "bench/packet.h"

#include <errno.h>

#define FAMILIES    (RULEGEN_HOSTILE_FIRST - RULEGEN_REAL_FIRST)
#define TRACED_FROM 64	 /* smaller sets are measured with one packet alone */
#define COUNTED	    1024 /* frames of a trace whose instructions are counted */

struct tribe {
	struct workload w;
	struct subject s;
	struct packet_trace trace[TRACE_KIND_COUNT];
};

/* A set that cannot be loaded leaves a row that says why. */
static void family_refused(struct packet_bench *b, const struct tribe *f)
{
	printf("  %s, %zu rules: not measured: %s\n", f->w.family, f->w.nrules, f->w.refused);
	if (b->m.json)
		fprintf(b->m.json, "{\"bench\":\"refused\",\"family\":\"%s\",\"rules\":%zu}\n", f->w.family,
			f->w.nrules);
}

static int family_open(struct packet_bench *b, struct arena *arena, enum rulegen_style style, size_t n, struct tribe *f)
{
	int err = workload_make(arena, b->seed, style, n, n >= TRACED_FROM ? PACKET_TRACE_LEN : 0, &f->w);

	if (err)
		return err;
	if (f->w.refused) {
		family_refused(b, f);
		return 0;
	}
	err = subject_open(&f->w.img, FW_HOOK_XDP, false, &f->s);
	/* The oracle takes a millisecond per packet with the largest sets. */
	return err ? err : packet_verify(&f->s, &f->w, n > 20000 ? 64 : 512);
}

static int family_add(struct packet_bench *b, struct tribe *f)
{
	static const char *const texts[TRACE_KIND_COUNT] = {
		[TRACE_UNIFORM] = "uniform",
		[TRACE_ZIPF] = "Zipf",
		[TRACE_FLOOD] = "random sources",
	};
	int err = packet_add_hot(b, &f->s, &f->w, false);

	for (int kind = 0; !err && f->w.ntrace && kind < TRACE_KIND_COUNT; kind++) {
		const char *name = trace_kind_name((enum trace_kind)kind);
		struct probe p = {
			.id = packet_label(b, "%s_%s_%zu", name, f->w.family, f->w.nrules),
			.text = packet_label(b, "%s (%s): 65,536 packets, %s", f->w.family, f->w.engine, texts[kind]),
			.group = name,
			.family = f->w.family,
			.rules = f->w.nrules,
		};

		err = packet_count(&f->s, &f->w, f->w.trace[kind], COUNTED, &p);
		if (!err)
			err = packet_add_trace(b, &p, f->w.trace[kind], b->parse.prog_fd, f->s.prog_fd,
					       &f->trace[kind]);
	}
	return err;
}

static void family_close(struct tribe *f)
{
	for (int kind = 0; kind < TRACE_KIND_COUNT; kind++)
		packet_trace_close(&f->trace[kind]);
	subject_close(&f->s);
	workload_fini(&f->w);
}

/* The same packet at TC, where the method's own floor is higher. */
static int size_tc(struct packet_bench *b, struct tribe *f, size_t n)
{
	struct subject s[FAMILIES] = {};
	int err = 0;

	for (int i = 0; !err && i < FAMILIES; i++) {
		if (f[i].w.refused)
			continue;
		err = subject_open(&f[i].w.img, FW_HOOK_TC_INGRESS, false, &s[i]);
		if (!err)
			err = packet_add_hot(b, &s[i], &f[i].w, true);
	}
	if (!err && b->m.n)
		err = packet_run(b, packet_label(b, "TC ingress, %zu rules", n));
	for (int i = 0; i < FAMILIES; i++)
		subject_close(&s[i]);
	return err;
}

static int size_run(struct packet_bench *b, size_t n, bool tc)
{
	struct tribe f[FAMILIES] = {};
	struct arena *arena = arena_new();
	int err = arena ? 0 : -ENOMEM;

	for (int i = 0; !err && i < FAMILIES; i++) {
		err = family_open(b, arena, (enum rulegen_style)(RULEGEN_REAL_FIRST + i), n, &f[i]);
		if (!err && !f[i].w.refused)
			err = family_add(b, &f[i]);
	}
	if (!err && b->m.n)
		err = packet_run(b, packet_label(b, "XDP, %zu rule%s; \"over\" is over parsing the same packets", n,
						 n == 1 ? "" : "s"));
	if (!err && tc)
		err = size_tc(b, f, n);
	for (int i = 0; i < FAMILIES; i++)
		family_close(&f[i]);
	arena_free(arena);
	return err;
}

/* What the method costs by itself. */
static int floors(struct packet_bench *b)
{
	static const struct ref_frame frame = {
		.byte = { [12] = 8, [14] = 0x45, [17] = 40, [22] = 64, [23] = 17, [39] = 20 }
	};
	struct probe p = {
		.id = "empty",
		.text = "empty program (the floor of the method)",
		.prog_fd = b->ref.empty_fd,
		.frame = frame.byte,
		.len = REF_FRAME_LEN,
		.base = -1,
		.want = MEASURE_ANY,
		.rules = -1,
	};
	int empty = measure_add(&b->m, &p);

	p.id = "parse_only";
	p.text = "parsing alone";
	p.prog_fd = b->parse.prog_fd;
	p.base = empty;
	if (empty < 0 || measure_add(&b->m, &p) < 0)
		return -ENOMEM;
	p.id = "tc_empty";
	p.text = "TC: empty program";
	p.prog_fd = b->ref.tc_empty_fd;
	p.tc = true;
	p.base = -1;
	empty = measure_add(&b->m, &p);
	p.id = "tc_parse_only";
	p.text = "TC: parsing alone";
	p.prog_fd = b->parse_tc.prog_fd;
	p.base = empty;
	if (empty < 0 || measure_add(&b->m, &p) < 0)
		return -ENOMEM;
	return packet_run(b, "floors");
}

int packet_rules(struct packet_bench *b, const size_t *sizes, size_t nsizes, bool tc)
{
	int err = floors(b);

	for (size_t i = 0; !err && i < nsizes; i++)
		err = size_run(b, sizes[i], tc && sizes[i] >= TRACED_FROM && sizes[i] <= 10000);
	return err;
}
