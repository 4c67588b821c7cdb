// SPDX-License-Identifier: GPL-2.0-only
#include "harness/tracegen.h"

#include "model/packet.h"
#include "model/witness.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TRIES 1000

static int zipf_init(struct tracegen *tg)
{
	size_t n = tg->chain->nrules;
	double sum = 0;

	tg->weight = malloc(n * sizeof(*tg->weight));
	tg->rank = malloc(n * sizeof(*tg->rank));
	if (!tg->weight || !tg->rank)
		return -ENOMEM;
	for (size_t k = 0; k < n; k++) {
		size_t other = prng_below(&tg->prng, k + 1);

		tg->weight[k] = sum += 1.0 / (double)(k + 1);
		tg->rank[k] = tg->rank[other];
		tg->rank[other] = (uint32_t)k;
	}
	return 0;
}

int tracegen_init(struct tracegen *tg, const struct chain *chain, enum trace_kind kind, uint64_t seed)
{
	int err = 0;

	*tg = (struct tracegen){ .chain = chain, .kind = kind };
	if (!chain->nrules)
		return -EINVAL;
	prng_init(&tg->prng, seed);
	if (kind == TRACE_ZIPF)
		err = zipf_init(tg);
	if (err)
		tracegen_fini(tg);
	return err;
}

void tracegen_fini(struct tracegen *tg)
{
	free(tg->weight);
	free(tg->rank);
	tg->weight = NULL;
	tg->rank = NULL;
}

static size_t next_rule(struct tracegen *tg)
{
	size_t n = tg->chain->nrules, lo = 0, hi = n - 1;
	double at;

	if (tg->kind != TRACE_ZIPF)
		return prng_below(&tg->prng, n);
	at = (double)(prng_u64(&tg->prng) >> 11) / 9007199254740992.0 * tg->weight[n - 1];
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (tg->weight[mid] > at)
			hi = mid;
		else
			lo = mid + 1;
	}
	return tg->rank[lo];
}

static u128 public_address(struct prng *p, enum family family)
{
	uint64_t bits = prng_u64(p);

	if (family == FAMILY_IPV4)
		return (1 + bits % 223) << 24 | (bits >> 40 & 0xffffff);
	return (u128)(0x2000000000000000 | bits >> 3) << 64 | prng_u64(p);
}

size_t tracegen_next(struct tracegen *tg, uint8_t *buf, size_t size, size_t *ret_rule)
{
	for (unsigned int i = 0; i < TRIES; i++) {
		size_t rule = next_rule(tg);
		const struct rule *r = &tg->chain->rules[rule];
		struct packet_spec spec;
		long len;

		if (witness_find(r, prng_u64(&tg->prng), &spec))
			continue;
		if (spec.family != FAMILY_OTHER && (!r->src || tg->kind == TRACE_FLOOD))
			spec.src = public_address(&tg->prng, spec.family);
		if (spec.family != FAMILY_OTHER && !r->dst)
			spec.dst = public_address(&tg->prng, spec.family);
		len = packet_build(&spec, buf, size);
		if (len <= 0)
			continue;
		memset(buf + len, 0, size - (size_t)len);
		*ret_rule = rule;
		return (size_t)len;
	}
	return 0;
}

const char *trace_kind_name(enum trace_kind kind)
{
	static const char *const names[TRACE_KIND_COUNT] = {
		[TRACE_UNIFORM] = "uniform",
		[TRACE_ZIPF] = "zipf",
		[TRACE_FLOOD] = "flood",
	};

	return names[kind];
}
