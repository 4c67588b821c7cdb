// SPDX-License-Identifier: GPL-2.0-only
/* When the next step of flowgen happens: often at the very tick where a flow, a ban or a wait for a limit ends. */
#include "harness/flowgen_priv.h"
#include "model/track.h"

#define NS_PER_S 1000000000ull

static uint64_t around(struct prng *p, uint64_t ns)
{
	return ns + prng_below(p, 3) - 1;
}

/* Timeouts that may be those of its flow: the first of them, and how many. */
static uint64_t timeouts_of(const struct conn *c, uint64_t *ret_n)
{
	unsigned int protocol = c->open.protocol;

	*ret_n = protocol == 6 ? 4 : protocol == 1 || protocol == 58 ? 1 : 2;
	return protocol == 6		      ? TRACK_TCP_SYN :
	       protocol == 17		      ? TRACK_UDP_NEW :
	       protocol == 1 || protocol == 58 ? TRACK_ICMP :
						TRACK_OTHER_NEW;
}

/* A timeout after the last packet of some conversation, which goes on then. */
static uint64_t flow_edge(struct flowgen *g)
{
	uint64_t n, first, seconds, tick;

	if (!g->last || prng_chance(&g->prng, 1, 3))
		g->last = &g->conn[prng_below(&g->prng, CONNS)];
	first = timeouts_of(g->last, &n);
	seconds = g->policy->state.timeout_s[first + prng_below(&g->prng, n)];
	tick = (g->last->last_ns >> 20) + (seconds * NS_PER_S >> 20);

	return around(&g->prng, tick << 20);
}

static const struct rule *limited(struct flowgen *g)
{
	const struct chain *c = &g->policy->chain[prng_below(&g->prng, DIRECTION_COUNT)];

	for (int tries = 0; c->nrules && tries < 20; tries++) {
		const struct rule *r = &c->rules[prng_below(&g->prng, c->nrules)];

		if (r->limit)
			return r;
	}
	return NULL;
}

/* What a packet of a limit costs, from now on. */
static uint64_t refill_edge(struct flowgen *g)
{
	const struct rule *r = limited(g);
	uint64_t packets = prng_range(&g->prng, 1, 3);

	if (!r)
		return g->now_ns + prng_below(&g->prng, NS_PER_S);
	if (r->limit->bytes)
		packets *= 60;
	return around(&g->prng, g->now_ns + packets * r->limit->period_ns / r->limit->count);
}

/* The end of an element, or of a ban that a flood earned. */
static uint64_t ban_edge(struct flowgen *g)
{
	static const uint64_t waits[] = { 1, 1, 2, 3, 10, 30, 60 };

	if (g->banned && prng_chance(&g->prng, 1, 2)) {
		g->last = g->banned;
		return around(&g->prng, g->ban_end_ns);
	}
	if (g->again)
		g->last = g->again;
	return around(&g->prng, g->flood_ns + waits[prng_below(&g->prng, 7)] * NS_PER_S);
}

uint64_t flowgen_later(struct flowgen *g, const char **ret_what)
{
	uint64_t at, unit = g->opts.clock_unit_ns ? g->opts.clock_unit_ns : 1;
	uint64_t kind = prng_below(&g->prng, 20);

	*ret_what = "a while later";
	if (kind < 9) {
		at = g->now_ns + prng_below(&g->prng, 2000000);
	} else if (kind < 14) {
		*ret_what = "a timeout later";
		at = flow_edge(g);
	} else if (kind < 17) {
		*ret_what = "a refill later";
		at = refill_edge(g);
	} else if (kind < 18) {
		*ret_what = "a ban later";
		at = ban_edge(g);
	} else if (kind < 19) {
		at = g->now_ns + prng_below(&g->prng, 5 * NS_PER_S);
	} else {
		at = g->now_ns + prng_below(&g->prng, 300 * NS_PER_S);
	}
	at = at / unit * unit;
	return at > g->now_ns ? at : (g->now_ns / unit + 1) * unit;
}
