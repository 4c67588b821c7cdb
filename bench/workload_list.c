// SPDX-License-Identifier: GPL-2.0-only
/* Large sets of addresses, as the only rule of a policy. */
#include "base/arena.h"
#include "bench/workload.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* UDP, 60 bytes and padding, from `source` to 192.0.2.1 port 53. */
static void frame_udp4(struct ref_frame *f, uint32_t source)
{
	static const uint8_t head[] = {
		2,    0,    0, 0,  0, 2,  2, 0, 0,  0,	0, 1, 8, 0,			/* Ethernet */
		0x45, 0,    0, 46, 0, 0,  0, 0, 64, 17, 0, 0, 0, 0, 0, 0, 192, 0, 2, 1, /* IPv4 */
		0x9c, 0x40, 0, 53, 0, 26, 0, 0,						/* UDP */
	};

	memset(f, 0, sizeof(*f));
	memcpy(f->byte, head, sizeof(head));
	source = htonl(source);
	memcpy(f->byte + 26, &source, sizeof(source));
}

static struct policy *list_policy(struct arena *arena, const struct aset *set)
{
	struct policy *policy = arena_alloc(arena, sizeof(*policy));
	struct rule *rule = arena_array(arena, 1, sizeof(*rule));

	if (!rule || !policy)
		return NULL;
	*rule = (struct rule){
		.verdict = VERDICT_DROP,
		.families = (set->n4 ? 1u << FAMILY_IPV4 : 0) | (set->n6 ? 1u << FAMILY_IPV6 : 0),
		.src = set,
		.text = "drop from @list",
		.file = "bench",
		.line = 1,
		.column = 1,
	};
	*policy = (struct policy){ .name = "bench", .file = "bench" };
	policy->chain[DIRECTION_INGRESS] =
		(struct chain){ .present = true, .fallback = VERDICT_PASS, .rules = rule, .nrules = 1 };
	return policy;
}

/* 1.0.0.0 … 223.255.255.255 */
static uint32_t public_address(struct prng *p)
{
	return (uint32_t)prng_range(p, 1, 223) << 24 | (uint32_t)prng_below(p, 1 << 24);
}

static uint32_t list_source(const struct aset *set, enum list_trace kind, struct prng *p)
{
	const struct range4 *r = &set->v4[prng_below(p, set->n4)];
	uint32_t source = public_address(p);

	if (kind == LIST_HIT)
		return (uint32_t)prng_range(p, r->lo, r->hi);
	while (kind == LIST_MISS && aset_has4(set, source))
		source = public_address(p);
	return source;
}

int workload_list(struct arena *arena, uint64_t seed, const char *name, const struct aset *set, size_t ntrace,
		  struct workload *ret)
{
	struct policy *policy = list_policy(arena, set);
	struct workload w;
	struct prng prng;
	int err = policy ? workload_policy(arena, name, policy, &w) : -ENOMEM;

	if (err)
		return err;
	prng_init(&prng, seed);
	w.ntrace = ntrace;
	for (int kind = 0; kind < LIST_TRACE_COUNT; kind++) {
		w.trace[kind] = calloc(ntrace, sizeof(struct ref_frame));
		if (!w.trace[kind]) {
			workload_fini(&w);
			return -ENOMEM;
		}
		for (size_t i = 0; i < ntrace; i++)
			frame_udp4(&w.trace[kind][i], list_source(set, (enum list_trace)kind, &prng));
	}
	w.hot = w.trace[LIST_HIT][0];
	*ret = w;
	return 0;
}

/* What is taken already, by /24: nothing, some of it, all of it. */
enum taken { TAKEN_NOT, TAKEN_PARTLY, TAKEN_ALL };

static bool take(uint8_t *taken, uint32_t addr, unsigned int len)
{
	uint32_t first = addr >> 8, n = len < 24 ? 1u << (24 - len) : 1;

	for (uint32_t i = 0; i < n; i++)
		if (taken[first + i] == TAKEN_ALL || (len <= 24 && taken[first + i]))
			return false;
	memset(taken + first, len <= 24 ? TAKEN_ALL : TAKEN_PARTLY, n);
	return true;
}

int workload_prefixes(struct arena *arena, uint64_t seed, size_t n, const struct aset **ret)
{
	struct aset_builder builder = { .arena = arena };
	uint8_t *taken = calloc(1 << 24, 1);
	struct aset *set = NULL;
	struct prng p;
	int err = taken ? 0 : -ENOMEM;

	prng_init(&p, seed);
	for (size_t i = 0; !err && i < n;) {
		unsigned int roll = (unsigned int)prng_below(&p, 1000);
		/* Few of the widest: all of them together are a tenth of the addresses at a million prefixes. */
		unsigned int len = roll < 550	? 32
				   : roll < 850 ? 24
				   : roll < 852 ? (unsigned int)prng_range(&p, 16, 19)
				   : roll < 900 ? (unsigned int)prng_range(&p, 20, 23)
						: (unsigned int)prng_range(&p, 25, 31);
		uint32_t host = len == 32 ? 0 : UINT32_MAX >> len, addr = public_address(&p) & ~host;

		if (!take(taken, addr, len))
			continue;
		err = aset_add4(&builder, addr, addr | host);
		i++;
	}
	free(taken);
	if (!err)
		err = aset_build(&builder, &set);
	aset_builder_fini(&builder);
	if (!err)
		*ret = set;
	return err;
}
