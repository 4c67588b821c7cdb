/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random frames aimed at a chain: a packet that one of its rules matches (see model/witness.h), or that sits at its
 * edge, built and then damaged in one of many ways. Deterministic from the seed.
 */
#ifndef FW_HARNESS_FRAMEGEN_H
#define FW_HARNESS_FRAMEGEN_H

#include "harness/prng.h"
#include "model/packet.h"

struct str;

#define FRAMEGEN_MAX 2048 /* a buffer of this size is enough; larger ones get an occasional larger frame */

struct framegen {
	struct prng prng;
	const struct chain *chain; /* may be NULL or empty: then packets are random */
	bool valid_only;           /* set after init: only frames without a parse fault and without metadata */
	bool no_meta;              /* set after init: never a metadata tag (XDP has none) */
	/* About the last frame, for reports. */
	const char *what;          /* the mutation */
	long rule;                 /* the rule it was aimed at, -1: none */
};

void framegen_init(struct framegen *fg, const struct chain *chain, uint64_t seed);

/*
 * The next frame: writes at most `size` bytes (size ≥ FRAMEGEN_MAX) and returns its length, which may be below 14.
 * *ret_meta is always written (no tag in most cases).
 */
size_t framegen_next(struct framegen *fg, uint8_t *buf, size_t size, struct packet_meta *ret_meta);

/*
 * Traffic for benchmarks: a valid frame of 60 bytes or little more that rule `rule` of the chain matches (an earlier
 * one may match too). Returns the length, 0 when that rule matches no packet.
 */
size_t framegen_match(struct framegen *fg, size_t rule, uint8_t *buf, size_t size);

/* Frame and metadata as text: "60 bytes: hex 0200…", for failure reports. */
void framegen_describe(const uint8_t *frame, size_t len, const struct packet_meta *meta, struct str *out);

#endif
