/* SPDX-License-Identifier: GPL-2.0-only */
/* Rule sets and packets to measure with, the same from the same seed. */
#ifndef FW_BENCH_WORKLOAD_H
#define FW_BENCH_WORKLOAD_H

#include "bench/ref.h"
#include "image/image.h"
#include "model/rule.h"

struct arena;

struct workload {
	size_t nrules;
	struct policy *policy;
	struct image img;
	double compile_ns;    /* thread CPU time of compile_policy */
	struct ref_frame hot; /* its first match is rule `hot_rule`, the last one that some packet reaches */
	long hot_rule;
	struct ref_frame *trace; /* ntrace frames, each aimed at a rule, uniformly over the rules */
	struct ref_frame *flood; /* the same frames from random sources */
	size_t ntrace;
};

/*
 * `n` five-tuple rules, `default drop`. With few rules the seed is moved until source, destination, both ports and
 * protocol are all asked for. ntrace: a power of two, 0 for none. 0 or negative errno with a sentence on stderr.
 */
int workload_make(struct arena *arena, uint64_t seed, size_t n, size_t ntrace, struct workload *ret);
/* One set of addresses, `drop from @set`, `default pass`; trace: random IPv4 sources, flood: sources inside the set. */
int workload_list(struct arena *arena, uint64_t seed, const struct aset *set, size_t ntrace, struct workload *ret);
void workload_fini(struct workload *w);

/* What the oracle says of a frame, as an XDP action. */
uint32_t workload_want(const struct workload *w, const struct ref_frame *frame);

#endif
