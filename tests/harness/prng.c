// SPDX-License-Identifier: GPL-2.0-only
#include "harness/prng.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint64_t rotl(uint64_t x, int k)
{
	return x << k | x >> (64 - k);
}

void prng_init(struct prng *p, uint64_t seed)
{
	for (int i = 0; i < 4; i++) { /* splitmix64, so that near seeds give far states */
		uint64_t z = seed += 0x9e3779b97f4a7c15;

		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
		z = (z ^ z >> 27) * 0x94d049bb133111eb;
		p->s[i] = z ^ z >> 31;
	}
}

uint64_t prng_seed(const char *name, uint64_t fallback)
{
	const char *env = getenv("FW_SEED");
	struct timespec now;
	uint64_t seed = fallback;

	if (env && *env) {
		seed = strtoull(env, NULL, 0);
	} else if (!seed) {
		clock_gettime(CLOCK_REALTIME, &now);
		seed = (uint64_t)now.tv_sec * 1000000007u ^ (uint64_t)now.tv_nsec << 20;
	}
	printf("# %s: seed 0x%llx\n", name, (unsigned long long)seed);
	fflush(stdout);
	return seed;
}

uint64_t prng_u64(struct prng *p)
{
	uint64_t *s = p->s, result = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotl(s[3], 45);
	return result;
}

uint64_t prng_below(struct prng *p, uint64_t n)
{
	return (uint64_t)((unsigned __int128)prng_u64(p) * n >> 64);
}

uint64_t prng_range(struct prng *p, uint64_t lo, uint64_t hi)
{
	return hi - lo == UINT64_MAX ? prng_u64(p) : lo + prng_below(p, hi - lo + 1);
}

bool prng_chance(struct prng *p, unsigned int num, unsigned int den)
{
	return prng_below(p, den) < num;
}

void prng_bytes(struct prng *p, void *buf, size_t len)
{
	uint8_t *b = buf;

	while (len) {
		uint64_t value = prng_u64(p);
		size_t n = len < 8 ? len : 8;

		memcpy(b, &value, n);
		b += n;
		len -= n;
	}
}
