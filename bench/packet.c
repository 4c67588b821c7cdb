// SPDX-License-Identifier: GPL-2.0-only
#include "bench/packet.h"
#include "base/arena.h"
#include "bench/insns.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fw/names.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_VERIFIED 64 /* frames; the oracle takes a millisecond for each with the largest sets */

int packet_bench_open(struct packet_bench *b)
{
	int err;

	b->arena = arena_new();
	if (!b->arena)
		return -ENOMEM;
	err = subject_open(NULL, FW_HOOK_XDP, true, &b->parse);
	if (!err)
		err = subject_open(NULL, FW_HOOK_TC_INGRESS, true, &b->parse_tc);
	if (!err)
		err = ref_open(NULL, 0, -1, &b->ref);
	return err;
}

void packet_bench_close(struct packet_bench *b)
{
	ref_close(&b->ref);
	subject_close(&b->parse);
	subject_close(&b->parse_tc);
	measure_fini(&b->m);
	arena_free(b->arena);
}

const char *packet_label(struct packet_bench *b, const char *fmt, ...)
{
	char text[256];
	va_list args;
	const char *s;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	s = arena_strdup(b->arena, text);
	return s ? s : fmt;
}

static int verify_frame(const struct subject *s, const struct workload *w, const struct ref_frame *frame)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame->byte, .data_size_in = REF_FRAME_LEN, .repeat = 1);

	if (bpf_prog_test_run_opts(s->prog_fd, &opts))
		return -errno;
	if (opts.retval == workload_want(w, frame))
		return 0;
	fprintf(stderr, "bench: %s, %zu rules: the program and the oracle disagree\n", w->family, w->nrules);
	return -EPROTO;
}

int packet_verify(const struct subject *s, const struct workload *w, size_t sample)
{
	int err = w->hot.byte[12] ? verify_frame(s, w, &w->hot) : 0;

	for (int kind = 0; kind < TRACE_KIND_COUNT && w->ntrace; kind++)
		for (size_t i = 0; !err && i < sample; i++)
			err = verify_frame(s, w, &w->trace[kind][i]);
	return err;
}

int packet_count(const struct subject *s, const struct workload *w, const struct ref_frame *frames, size_t n,
		 struct probe *p)
{
	struct insns_cost cost;
	struct insns *insns;
	uint32_t action;
	int err = insns_open(s->obj, s->prog, &insns);

	p->insns = p->loads = 0;
	if (err)
		return err;
	for (size_t i = 0; !err && i < n; i++) {
		err = insns_run(insns, frames[i].byte, REF_FRAME_LEN, &cost, &action);
		p->insns += cost.insns / n;
		p->loads += cost.loads / n;
		if (!err && w && !w->remembers && i < COUNT_VERIFIED && action != workload_want(w, &frames[i])) {
			fprintf(stderr, "bench: %s, %zu rules: the interpreter and the oracle disagree\n", w->family,
				w->nrules);
			err = -EPROTO;
		}
	}
	insns_close(insns);
	/* A helper that is not known here leaves the column empty. */
	if (err)
		p->insns = 0;
	return err == -ENOTSUP ? 0 : err;
}

int packet_add_hot(struct packet_bench *b, const struct subject *s, const struct workload *w, bool tc)
{
	uint32_t action = workload_want(w, &w->hot);
	struct probe p = {
		.id = "parse",
		.text = "",
		.prog_fd = tc ? b->parse_tc.prog_fd : b->parse.prog_fd,
		.tc = tc,
		.frame = w->hot.byte,
		.len = REF_FRAME_LEN,
		.base = -1,
		.want = MEASURE_ANY,
		.rules = -1,
		.hidden = true,
	};

	p.base = measure_add(&b->m, &p);
	if (p.base < 0)
		return p.base;
	p.group = tc ? "tc_hot" : "hot";
	p.family = w->family;
	p.id = packet_label(b, "%s_%s_%zu", p.group, w->family, w->nrules);
	p.text = packet_label(b, "%s (%s): one packet, rule %ld matches", w->family, w->engine, w->hot_rule + 1);
	p.prog_fd = s->prog_fd;
	p.rules = w->nrules;
	p.hidden = false;
	p.want = !tc ? action : action == XDP_DROP ? TC_ACT_SHOT : MEASURE_ANY;
	if (!tc && packet_count(s, w, &w->hot, 1, &p))
		return -EINVAL;
	return measure_add(&b->m, &p) < 0 ? -ENOMEM : 0;
}

int packet_add_trace(struct packet_bench *b, const struct probe *p, const struct ref_frame *frames, int floor_fd,
		     int fd, struct packet_trace *ret)
{
	struct probe add = {
		.id = "trace_floor",
		.text = "",
		.frame = frames[0].byte,
		.len = REF_FRAME_LEN,
		.base = -1,
		.want = MEASURE_ANY,
		.rules = -1,
		.hidden = true,
	};
	int err = ref_open(frames, PACKET_TRACE_LEN, floor_fd, &ret->floor);

	if (!err)
		err = ref_open(frames, PACKET_TRACE_LEN, fd, &ret->over);
	if (err)
		return err;
	add.prog_fd = ret->floor.trace_fd;
	add.base = measure_add(&b->m, &add);
	if (add.base < 0)
		return add.base;
	add.id = p->id;
	add.text = p->text;
	add.group = p->group;
	add.family = p->family;
	add.rules = p->rules;
	add.prog_fd = ret->over.trace_fd;
	add.insns = p->insns;
	add.loads = p->loads;
	add.hidden = false;
	err = measure_add(&b->m, &add);
	return err < 0 ? err : 0;
}

void packet_trace_close(struct packet_trace *t)
{
	ref_close(&t->floor);
	ref_close(&t->over);
}

int packet_run(struct packet_bench *b, const char *title)
{
	int err = measure_run(&b->m);

	if (!err)
		measure_print(&b->m, title);
	b->m.n = 0;
	return err;
}
