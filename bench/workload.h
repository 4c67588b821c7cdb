/* SPDX-License-Identifier: GPL-2.0-only */
/* Rule sets and packets to measure with, the same from the same seed. */
#ifndef FW_BENCH_WORKLOAD_H
#define FW_BENCH_WORKLOAD_H

#include "bench/ref.h"
#include "compile/compile.h"
#include "harness/rulegen.h"
#include "harness/tracegen.h"
#include "image/image.h"

struct arena;

/* Traces of a list, in the place of enum trace_kind. */
enum list_trace { LIST_MISS, LIST_HIT, LIST_RANDOM, LIST_TRACE_COUNT };

struct workload {
	size_t nrules;
	const char *family;  /* of the rules, or of the list */
	const char *refused; /* why there is no image: the compiler's words; NULL: there is one */
	bool remembers;      /* flows, limits or live sets: one frame alone does not tell its verdict */
	const char *engine;  /* how the compiler finds rules, in its words */
	struct policy *policy;
	struct image img;
	double compile_ns;    /* thread CPU time of compile_policy */
	struct ref_frame hot; /* its first match is rule `hot_rule`, the last one that some packet reaches */
	long hot_rule;
	struct ref_frame *trace[TRACE_KIND_COUNT]; /* ntrace frames each, by enum trace_kind or enum list_trace */
	size_t ntrace;
};

/*
 * `n` five-tuple rules of one style, `default drop`. With few rules the seed is moved until source, destination, both
 * ports and protocol are all asked for. ntrace: a power of two, 0 for none. 0 or negative errno with a sentence on
 * stderr; a policy that the compiler refuses is 0 with `refused`.
 */
int workload_make(struct arena *arena, uint64_t seed, enum rulegen_style style, size_t n, size_t ntrace,
		  struct workload *ret);
/* One set of addresses, `drop from @set`, `default pass`; IPv4 traces of sources outside, inside, and anywhere. */
int workload_list(struct arena *arena, uint64_t seed, const char *name, const struct aset *set, size_t ntrace,
		  struct workload *ret);
/* Any policy with one ingress chain; no traces, no hot packet. */
int workload_policy(struct arena *arena, const char *name, struct policy *policy, struct workload *ret);
void workload_fini(struct workload *w);

/* Compile what follows by one engine; at first by the one that the compiler chooses. */
void workload_engine(enum engine engine);

/* About n prefixes of hosts and networks that do not touch: 55 % /32, 30 % /24, the rest from /16 to /31. */
int workload_prefixes(struct arena *arena, uint64_t seed, size_t n, const struct aset **ret);

/* What the oracle says of a frame, as an XDP action. */
uint32_t workload_want(const struct workload *w, const struct ref_frame *frame);

#endif
