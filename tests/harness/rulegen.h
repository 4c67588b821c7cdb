/* SPDX-License-Identifier: GPL-2.0-only */
/* Random policies, made in model terms (no text involved). Everything lives in the arena. */
#ifndef FW_HARNESS_RULEGEN_H
#define FW_HARNESS_RULEGEN_H

#include "harness/prng.h"
#include "model/rule.h"

struct arena;
struct str;

enum rulegen_style {
	RULEGEN_EDGES,      /* every field, small pools of colliding edge values: for tests against the oracle */
	RULEGEN_CLASSBENCH, /* five-tuple rules, addresses anywhere: the plainest of the large ones */
	/* Five-tuple rules with the statistics of real ones; see rulegen_real.c. One in five is IPv6. No duplicates; few rules
	 * are hidden by an earlier one; what is specific stands, as a rule, before what is not. */
	RULEGEN_ACL, /* access lists: destinations specific, sources mixed */
	RULEGEN_FW,  /* firewalls: one side is often any address */
	RULEGEN_IPC, /* chains of a host or a cloud: both sides specific */
	/* Made to blow a compiler up. */
	RULEGEN_NESTED,	  /* ranges inside ranges, as deep as there are rules */
	RULEGEN_CROSSING, /* every prefix of one source with every prefix of one destination */
	RULEGEN_PORTS,	  /* thousands of port ranges */
	RULEGEN_NEGATED,  /* complements of prefixes and ports */
	RULEGEN_ONE_PAIR, /* one pair of hosts, many services */
	RULEGEN_GRID,	  /* hosts × hosts */
	RULEGEN_STYLE_COUNT,
	/* Beside them: few hosts and ports (flow_pool.h), which the frames of flowgen share. */
	RULEGEN_FLOWS = RULEGEN_STYLE_COUNT,
};
#define RULEGEN_REAL_FIRST RULEGEN_ACL
#define RULEGEN_HOSTILE_FIRST RULEGEN_NESTED

/* "edges", "acl", … */
const char *rulegen_style_name(enum rulegen_style style);

/* Zero means: everything allowed. */
struct rulegen_opts {
	enum rulegen_style style;
	size_t nrules;            /* per present chain */
	unsigned int directions;  /* bits of enum direction that get a chain; 0: both */
	uint32_t fields;          /* bits of enum field_id that rules may use (SRC and DST too); 0: all */
	unsigned int families;    /* bits of enum family that rules may have; 0: all */
	bool no_count;            /* no `count` rules (else about one in sixteen, at most 256 per chain) */
	bool no_empty;            /* no rule with an empty set (one that can never match) */
	bool essentials;          /* append rules marked `essential`, as under `default drop` */
	size_t set_prefixes;      /* when not 0: one address condition in eight is a list of this many prefixes */
	/* Off unless wished for. */
	bool state;        /* most `pass` rules keep state, some rules name states; options of `state { }` vary */
	bool limits;       /* limits, and with state max-conn, on some `pass` rules */
	bool reject;       /* some `drop` rules reject */
	bool logs;         /* some rules log, and most defaults and reasons: every packet */
	bool log_limits;   /* with logs: some have a limit, or a sample */
	unsigned int live; /* rules name the first so many sets of rulegen_live, as condition or to ban */
};

/* "live0", …: timeouts and widening differ. */
extern const struct named_set rulegen_live[POLICY_MAX_LIVE];

/* A new policy called "gen", or NULL when memory ran out. Every rule has a unique `text` and file/line. */
struct policy *rulegen_policy(struct arena *arena, struct prng *prng, const struct rulegen_opts *opts);

/* Short cuts: one style with n rules and no `count`, in the ingress chain alone, `default drop`. */
struct policy *rulegen_plain(struct arena *arena, uint64_t seed, enum rulegen_style style, size_t n);
struct policy *rulegen_classbench(struct arena *arena, struct prng *prng, size_t n);

/* For failure reports: what a rule, or a whole chain, asks for, one line per rule. */
void rulegen_describe(const struct rule *rule, struct str *out);
void rulegen_describe_chain(const struct chain *chain, struct str *out);

#endif
