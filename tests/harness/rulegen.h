/* SPDX-License-Identifier: GPL-2.0-only */
/* Random policies, made in model terms (no text involved). Everything lives in the arena. */
#ifndef FW_HARNESS_RULEGEN_H
#define FW_HARNESS_RULEGEN_H

#include "harness/prng.h"
#include "model/rule.h"

struct arena;
struct str;

enum rulegen_style {
	RULEGEN_EDGES,      /* every field, small pools of colliding edge values: for tests against the oracle */
	RULEGEN_CLASSBENCH, /* five-tuple rules as real filter lists have them: for scale and benchmarks */
};

/* Zero means: everything allowed. */
struct rulegen_opts {
	enum rulegen_style style;
	size_t nrules;            /* per present chain */
	unsigned int directions;  /* bits of enum direction that get a chain; 0: both */
	uint32_t fields;          /* bits of enum field_id that rules may use (SRC and DST too); 0: all */
	unsigned int families;    /* bits of enum family that rules may have; 0: all */
	bool no_count;            /* no `count` rules (else about one in sixteen, at most 256 per chain) */
	bool no_empty;            /* no rule with an empty set (one that can never match) */
	bool essentials;          /* append rules marked `essential`, as under `default drop` */
	size_t set_prefixes;      /* when not 0: one address condition in eight is a list of this many prefixes */
};

/* A new policy called "gen", or NULL when memory ran out. Every rule has a unique `text` and file/line. */
struct policy *rulegen_policy(struct arena *arena, struct prng *prng, const struct rulegen_opts *opts);

/* Short cut: the classbench style with n rules, in the ingress chain alone, `default drop`. */
struct policy *rulegen_classbench(struct arena *arena, struct prng *prng, size_t n);

/* For failure reports: what a rule, or a whole chain, asks for, one line per rule. */
void rulegen_describe(const struct rule *rule, struct str *out);
void rulegen_describe_chain(const struct chain *chain, struct str *out);

#endif
