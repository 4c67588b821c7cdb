// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a packet costs: the shipped program on rule sets of growing size, beside nothing, parsing alone and the kernel's
 * own longest-prefix-match trie. See bench/README.md for the method.
 *
 *   bench_packet [-r REPEAT] [-n ROUNDS] [-s SEED] [-j JSON-FILE]
 */
#include "base/arena.h"
#include "base/cleanup.h"
#include "bench/lists.h"
#include "bench/measure.h"
#include "bench/subject.h"
#include "bench/workload.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TRACE_LEN 65536
#define CHECKED	  512 /* frames of each trace that the oracle looks at first */

struct bench {
	struct arena *arena;
	struct measure m;
	uint64_t seed;
	struct subject parse, parse_tc;
	struct ref ref;
};

/* A number that is measured wrongly is worse than none: the program must say what the oracle says. */
static int subject_verify(const struct subject *s, const struct workload *w, const struct ref_frame *frames, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frames[i].byte, .data_size_in = REF_FRAME_LEN,
			    .repeat = 1);

		if (bpf_prog_test_run_opts(s->prog_fd, &opts))
			return -errno;
		if (opts.retval != workload_want(w, &frames[i])) {
			fprintf(stderr, "bench: %zu rules: the program and the oracle disagree on frame %zu\n",
				w->nrules, i);
			return -EPROTO;
		}
	}
	return 0;
}

static const char *label(struct bench *b, const char *fmt, size_t n)
{
	const char *s = arena_printf(b->arena, fmt, n);

	return s ? s : fmt;
}

/* The same packet through parsing alone (the floor, not shown) and through the rules. */
static int add_hot(struct bench *b, const struct subject *s, const struct workload *w, bool tc)
{
	struct probe floor = {
		.id = label(b, tc ? "tc_parse_for_%zu" : "parse_for_%zu", w->nrules),
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
	struct probe p = floor;
	uint32_t action = workload_want(w, &w->hot);

	p.id = label(b, tc ? "tc_rules_%zu" : "rules_%zu", w->nrules);
	p.text = arena_printf(b->arena, "%zu rule%s, rule %ld matches", w->nrules, w->nrules == 1 ? "" : "s",
			      w->hot_rule + 1);
	p.prog_fd = s->prog_fd;
	p.rules = w->nrules;
	p.hidden = false;
	p.want = !tc ? action : action == XDP_DROP ? TC_ACT_SHOT : MEASURE_ANY;
	p.base = measure_add(&b->m, &floor);
	return p.base < 0 ? p.base : measure_add(&b->m, &p);
}

static int add_plain(struct bench *b, const char *id, const char *text, int fd, bool tc, const struct ref_frame *f,
		     int base)
{
	return measure_add(&b->m, &(struct probe){
					  .id = id,
					  .text = text,
					  .prog_fd = fd,
					  .tc = tc,
					  .frame = f->byte,
					  .len = REF_FRAME_LEN,
					  .base = base,
					  .want = MEASURE_ANY,
					  .rules = -1,
				  });
}

static int run_and_print(struct bench *b, const char *title)
{
	int err = measure_run(&b->m);

	if (!err)
		measure_print(&b->m, title);
	b->m.n = 0;
	return err;
}

/* Sources of the rules, in the kernel's trie; `hot` becomes a frame whose source is in it. */
static int fill_trie(struct bench *b, struct ref *ref, const struct workload *w, size_t *ret_n)
{
	const struct chain *chain = &w->policy->chain[DIRECTION_INGRESS];

	*ret_n = 0;
	for (size_t i = 0; i < chain->nrules; i++) {
		const struct aset *src = chain->rules[i].src;
		int err = src ? ref_trie_add(ref, src, 64, ret_n) : 0;

		if (err)
			return err;
	}
	return 0;
}

#define SIZES 5
static const size_t sizes[SIZES] = { 1, 8, 64, 1000, 10000 };

/* Part 1: one packet, again and again: everything is in the caches. */
static int bench_hot(struct bench *b, struct workload w[SIZES], struct subject s[SIZES])
{
	size_t n = 0;
	int empty, parse, err = fill_trie(b, &b->ref, &w[SIZES - 1], &n);

	if (err)
		return err;
	empty = add_plain(b, "empty", "empty program (the floor of the method)", b->ref.empty_fd, false, &w[0].hot, -1);
	parse = add_plain(b, "parse_only", "fwctl, parsing alone", b->parse.prog_fd, false, &w[0].hot, empty);
	if (parse < 0)
		return parse;
	for (size_t i = 0; !err && i < SIZES; i++)
		err = add_hot(b, &s[i], &w[i], false) < 0 ? -ENOMEM : 0;
	return err ? err
		   : run_and_print(b, "XDP, one packet that matches the last rule; \"over\" is over parsing alone, in "
				      "the same run");
}

/* One trace through parsing alone and through one program. Opened refs are closed by the caller. */
static int add_trace(struct bench *b, const char *id, const char *text, long rules, const struct ref_frame *frames,
		     int floor_fd, int fd, struct ref refs[2])
{
	struct probe p = {
		.id = "trace_floor",
		.text = "",
		.frame = frames[0].byte,
		.len = REF_FRAME_LEN,
		.base = -1,
		.want = MEASURE_ANY,
		.rules = -1,
		.hidden = true,
	};
	int err = ref_open(frames, TRACE_LEN, floor_fd, &refs[0]);

	if (!err)
		err = ref_open(frames, TRACE_LEN, fd, &refs[1]);
	if (err)
		return err;
	p.prog_fd = refs[0].trace_fd;
	p.base = measure_add(&b->m, &p);
	if (p.base < 0)
		return p.base;
	p.id = id;
	p.text = text;
	p.prog_fd = refs[1].trace_fd;
	p.rules = rules;
	p.hidden = false;
	err = measure_add(&b->m, &p);
	return err < 0 ? err : 0;
}

/* Part 2: another packet each time: the caches see what they would see. */
static int bench_trace(struct bench *b, struct workload w[SIZES], struct subject s[SIZES])
{
	struct ref refs[2 * SIZES][2] = {};
	size_t n = 0;
	int err = 0;

	for (size_t i = 0; !err && i < SIZES; i++) {
		if (!w[i].ntrace)
			continue;
		err = subject_verify(&s[i], &w[i], w[i].trace, CHECKED);
		if (!err)
			err = subject_verify(&s[i], &w[i], w[i].flood, CHECKED);
		if (!err)
			err = add_trace(b, label(b, "trace_%zu", w[i].nrules),
					label(b, "%zu rules, uniform over the rules", w[i].nrules), w[i].nrules,
					w[i].trace, b->parse.prog_fd, s[i].prog_fd, refs[n++]);
		if (!err)
			err = add_trace(b, label(b, "flood_%zu", w[i].nrules),
					label(b, "%zu rules, random sources", w[i].nrules), w[i].nrules, w[i].flood,
					b->parse.prog_fd, s[i].prog_fd, refs[n++]);
	}
	if (!err)
		err = run_and_print(
			b, "XDP, 65,536 packets in a seeded order; \"over\" is over the same packets, parsed alone");
	while (n-- > 0) {
		ref_close(&refs[n][0]);
		ref_close(&refs[n][1]);
	}
	return err;
}

/* Part 3: a real list of addresses against the kernel's own structure on the same packets. */
static int bench_list(struct bench *b, const char *file)
{
	struct ref refs[4][2] = {}, lpm = {};
	struct workload w = {};
	struct subject s = {};
	const struct aset *set = NULL;
	size_t n = 0;
	int err = lists_read(b->arena, file, &set);

	if (err == -ENOENT) {
		printf("\n%s: skipped, the file is not there (FWCTL_DATA names its directory)\n", file);
		return 0;
	}
	if (!err)
		err = workload_list(b->arena, b->seed, set, TRACE_LEN, &w);
	if (!err)
		err = subject_open(&w.img, FW_HOOK_XDP, false, &s);
	if (!err)
		err = subject_verify(&s, &w, w.trace, CHECKED);
	if (!err)
		err = subject_verify(&s, &w, w.flood, CHECKED);
	if (!err)
		err = ref_open(NULL, 0, -1, &lpm);
	if (!err)
		err = ref_trie_add(&lpm, set, SIZE_MAX, &n);
	if (!err)
		err = add_trace(b, "list_random", "fwctl, random sources", n, w.trace, b->parse.prog_fd, s.prog_fd,
				refs[0]);
	if (!err)
		err = add_trace(b, "list_hit", "fwctl, sources in the list", n, w.flood, b->parse.prog_fd, s.prog_fd,
				refs[1]);
	if (!err)
		err = add_trace(b, "lpm_random", "kernel LPM trie, random sources", n, w.trace, b->ref.empty_fd,
				lpm.lpm_fd, refs[2]);
	if (!err)
		err = add_trace(b, "lpm_hit", "kernel LPM trie, sources in the list", n, w.flood, b->ref.empty_fd,
				lpm.lpm_fd, refs[3]);
	if (!err)
		err = run_and_print(b, arena_printf(b->arena,
						    "XDP, %zu IPv4 prefixes of %s, 65,536 packets; \"over\" as above, "
						    "the kernel's trie over an empty program",
						    n, file));
	for (size_t i = 0; i < 4; i++) {
		ref_close(&refs[i][0]);
		ref_close(&refs[i][1]);
	}
	ref_close(&lpm);
	subject_close(&s);
	workload_fini(&w);
	return err;
}

/* Part 4: the same at TC, where the method's own floor is higher. */
static int bench_tc(struct bench *b, struct workload w[SIZES])
{
	struct subject s[SIZES] = {};
	int empty, err = 0;

	empty = add_plain(b, "tc_empty", "empty program", b->ref.tc_empty_fd, true, &w[0].hot, -1);
	if (empty < 0 ||
	    add_plain(b, "tc_parse_only", "fwctl, parsing alone", b->parse_tc.prog_fd, true, &w[0].hot, empty) < 0)
		return -ENOMEM;
	for (size_t i = 0; !err && i < SIZES; i++) {
		err = subject_open(&w[i].img, FW_HOOK_TC_INGRESS, false, &s[i]);
		if (!err)
			err = add_hot(b, &s[i], &w[i], true) < 0 ? -ENOMEM : 0;
	}
	if (!err)
		err = run_and_print(b, "TC ingress, one packet that matches the last rule");
	for (size_t i = 0; i < SIZES; i++)
		subject_close(&s[i]);
	return err;
}

static int bench_all(struct bench *b)
{
	struct workload w[SIZES] = {};
	struct subject s[SIZES] = {};
	int err = subject_open(NULL, FW_HOOK_XDP, true, &b->parse);

	if (!err)
		err = subject_open(NULL, FW_HOOK_TC_INGRESS, true, &b->parse_tc);
	if (!err)
		err = ref_open(NULL, 0, -1, &b->ref);
	for (size_t i = 0; !err && i < SIZES; i++) {
		err = workload_make(b->arena, b->seed, sizes[i], sizes[i] >= 64 ? TRACE_LEN : 0, &w[i]);
		if (!err)
			err = subject_open(&w[i].img, FW_HOOK_XDP, false, &s[i]);
		if (!err)
			err = subject_verify(&s[i], &w[i], &w[i].hot, 1);
	}
	if (!err)
		err = bench_hot(b, w, s);
	if (!err)
		err = bench_trace(b, w, s);
	if (!err)
		err = bench_list(b, "country-v4.netset");
	if (!err)
		err = bench_list(b, "ipsum.tsv");
	if (!err)
		err = bench_tc(b, w);
	for (size_t i = 0; i < SIZES; i++) {
		subject_close(&s[i]);
		workload_fini(&w[i]);
	}
	return err;
}

int main(int argc, char **argv)
{
	struct bench b = { .seed = 20260101, .m = { .rounds = 7, .repeat = 1000000 } };
	auto_fclose FILE *json = NULL;
	int opt, err;

	while ((opt = getopt(argc, argv, "r:n:s:j:")) != -1) {
		switch (opt) {
		case 'r':
			b.m.repeat = strtoul(optarg, NULL, 0);
			break;
		case 'n':
			b.m.rounds = strtoul(optarg, NULL, 0);
			break;
		case 's':
			b.seed = strtoull(optarg, NULL, 0);
			break;
		case 'j':
			json = fopen(optarg, "ae");
			break;
		default:
			return 2;
		}
	}
	if (b.m.rounds < 1 || b.m.rounds > MEASURE_ROUNDS_MAX || b.m.repeat < 1)
		return 2;
	b.m.json = json;
	b.arena = arena_new();
	if (!b.arena || measure_pin() < 0)
		return 1;
	err = bench_all(&b);
	ref_close(&b.ref);
	subject_close(&b.parse);
	subject_close(&b.parse_tc);
	measure_fini(&b.m);
	arena_free(b.arena);
	return err ? 1 : 0;
}
