/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The numbers of a limit, the same for the oracle and for the datapath (struct fw_extra).
 *
 * A bucket is one number, the time when it will be full again (GCRA: ITU-T I.371; the "theoretical arrival time"), in units of
 * 2^-6 ns. A packet that costs c at time now: t = max(bucket, now); it is over when t + c - now > burst; else bucket = t + c.
 */
#ifndef FW_MODEL_LIMIT_H
#define FW_MODEL_LIMIT_H

#include "model/rule.h"

#define LIMIT_UNIT_SHIFT 6 /* units per ns: 2^6 */

struct limit_numbers {
	uint64_t mult; /* below 2^40: n packets or bytes, n below 2^20, cost n * mult >> shift */
	uint32_t shift;
	uint64_t burst; /* units */
};
struct limit_numbers limit_numbers(const struct limit *l);
static inline uint64_t limit_cost(const struct limit_numbers *x, uint64_t n)
{
	return n * x->mult >> x->shift;
}
/* Of a log with a limit (struct fw_log): an event costs `cost` units. Rounded up, so that it never tells of more than it says. */
struct log_numbers {
	uint64_t cost, burst; /* 0: no limit */
};
struct log_numbers log_numbers(const struct log_opts *l);
/* Does the limit need a clock finer than tick_ns? (A bucket that is full before the clock moves loses what it refills.) */
bool limit_is_fine(const struct limit *l, uint64_t tick_ns);

#endif
