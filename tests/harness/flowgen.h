/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random sequences for the rules of tracking (model/track.h): packets of few flows over few hosts and ports (flow_pool.h), both
 * families, in both directions, with the clock, live sets and generations of the policy changing in between. Deterministic
 * from the seed. Numbers of TCP change in policies with `state { window }` alone. Each step is to be done to the oracle and to
 * what is tested:
 *
 *	struct flowgen *g = flowgen_new(arena, flowgen_policy(arena, &prng, 12), &opts, seed);
 *	struct track *t = track_new(flowgen_start_ns);
 *	while (…) {
 *		flowgen_next(g, &s);
 *		switch (s.kind) { … }
 *	}
 */
#ifndef FW_HARNESS_FLOWGEN_H
#define FW_HARNESS_FLOWGEN_H

#include "harness/prng.h"
#include "harness/rulegen.h"
#include "model/packet.h"

struct arena;
struct str;
struct flowgen;

#define FLOWGEN_MAX	 2048		   /* bytes of a frame */
#define FLOWGEN_START_NS 5000000123ull /* where its clock begins: no tick, and later than 0 */

enum flowgen_kind {
	FLOWGEN_FRAME,
	FLOWGEN_CLOCK,  /* it is now_ns, later than before */
	FLOWGEN_ADD,    /* to a live set, till end_ns */
	FLOWGEN_DEL,
	FLOWGEN_POLICY, /* the next generation of the policy is in force. Its rules are known by identity; none comes back */
};

struct flowgen_step {
	enum flowgen_kind kind;
	const char *what; /* for reports */
	/* FRAME */
	enum direction dir;
	uint8_t frame[FLOWGEN_MAX];
	size_t len;
	struct packet_meta meta;
	/* CLOCK */
	uint64_t now_ns;
	/* ADD, DEL: addr without host bits; end_ns UINT64_MAX: never */
	const struct named_set *set;
	enum family family;
	u128 addr;
	unsigned int plen;
	uint64_t end_ns;
	/* POLICY */
	const struct policy *policy;
};

struct flowgen_opts {
	bool no_meta;   /* never a tag in metadata */
	bool no_faults; /* no damaged frames, which no flow is looked for */
	bool no_swaps;  /* one policy */
	bool no_live;   /* no ADD, DEL */
	uint64_t clock_unit_ns; /* the clock stands at multiples of it alone; 0: 1 */
};

/* A policy made for it: `nrules` per block, essentials in half of them, states, limits, live sets, reject. NULL: no memory. */
struct policy *flowgen_policy(struct arena *arena, struct prng *prng, size_t nrules);

/* opts may be NULL. The policy may be of another style; packets that open flows are aimed at its rules, too. NULL: no memory. */
struct flowgen *flowgen_new(struct arena *arena, const struct policy *policy, const struct flowgen_opts *opts, uint64_t seed);
/* *ret stays as it is till the next call. false: no memory. */
bool flowgen_next(struct flowgen *g, struct flowgen_step *ret);

/* One line. */
void flowgen_describe(const struct flowgen_step *s, struct str *out);

#endif
