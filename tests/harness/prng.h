/* SPDX-License-Identifier: GPL-2.0-only */
/* Seeded randomness for tests: the same seed gives the same values on every machine. */
#ifndef FW_HARNESS_PRNG_H
#define FW_HARNESS_PRNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct prng {
	uint64_t s[4]; /* xoshiro256** */
};

void prng_init(struct prng *p, uint64_t seed);

/*
 * The seed of a test run: FW_SEED from the environment (any base that strtoull reads) or else `fallback`; 0 as fallback
 * takes one from the clock. Prints "# NAME: seed 0x…" on standard output, so that a failure can be repeated.
 */
uint64_t prng_seed(const char *name, uint64_t fallback);

uint64_t prng_u64(struct prng *p);
uint64_t prng_below(struct prng *p, uint64_t n);               /* 0..n-1; n > 0 */
uint64_t prng_range(struct prng *p, uint64_t lo, uint64_t hi); /* lo..hi, both included */
bool prng_chance(struct prng *p, unsigned int num, unsigned int den); /* true num times out of den */
void prng_bytes(struct prng *p, void *buf, size_t len);

#endif
