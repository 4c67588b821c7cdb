/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Traffic to a rule set, as benchmarks play it: valid frames, each aimed at a rule, in a seeded order. As a rule the
 * rule that a frame is aimed at decides it. Where a rule asks for no source or destination, the packet has any public
 * address.
 */
#ifndef FW_HARNESS_TRACEGEN_H
#define FW_HARNESS_TRACEGEN_H

#include "harness/prng.h"
#include "model/rule.h"

enum trace_kind {
	TRACE_UNIFORM, /* every rule as often as any other */
	TRACE_ZIPF,    /* rule number k of a random ranking 1/k times as often as the first */
	TRACE_FLOOD,   /* as TRACE_UNIFORM, then every source address replaced by a random one */
	TRACE_KIND_COUNT,
};

struct tracegen {
	struct prng prng;
	const struct chain *chain;
	enum trace_kind kind;
	double *weight; /* TRACE_ZIPF: sums of 1/k */
	uint32_t *rank; /* and which rule has rank k */
};

/* 0 or -ENOMEM; an empty chain is -EINVAL. */
int tracegen_init(struct tracegen *tg, const struct chain *chain, enum trace_kind kind, uint64_t seed);
void tracegen_fini(struct tracegen *tg);

/*
 * The next frame: writes at most `size` bytes (128 are enough for five-tuple rules) and returns its length; the rest of
 * `buf` is zeroed. *ret_rule: the rule it was aimed at. Rules that match no packet are passed over; 0 when there seems
 * to be no other.
 */
size_t tracegen_next(struct tracegen *tg, uint8_t *buf, size_t size, size_t *ret_rule);

const char *trace_kind_name(enum trace_kind kind);

#endif
