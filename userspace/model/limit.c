// SPDX-License-Identifier: GPL-2.0-only
#include "model/limit.h"

/* Rounded down: a limit never gives less than it says, and at most 2^-39 of it more. */
struct limit_numbers limit_numbers(const struct limit *l)
{
	struct limit_numbers x = {};
	u128 whole = (u128)l->period_ns << LIMIT_UNIT_SHIFT;

	while (x.shift < 40 && (whole << (x.shift + 1)) / l->count < (u128)1 << 40)
		x.shift++;
	x.mult = (uint64_t)((whole << x.shift) / l->count);
	x.burst = (uint64_t)(l->burst * whole / l->count);
	return x;
}

struct log_numbers log_numbers(const struct log_opts *l)
{
	struct log_numbers x = {};

	if (!l->count)
		return x;
	x.cost = (uint64_t)((((u128)l->period_ns << LIMIT_UNIT_SHIFT) + l->count - 1) / l->count);
	x.burst = l->burst * x.cost;
	return x;
}

bool limit_is_fine(const struct limit *l, uint64_t tick_ns)
{
	return (u128)l->burst * l->period_ns < (u128)2 * tick_ns * l->count;
}
