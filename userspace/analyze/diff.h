/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What changes in meaning between two policies: of which packets something else becomes.
 *
 * Rules that both have, in the same order, cannot make a difference on their own: a packet whose fate changes is decided by a rule
 * of one side that the other does not have, before or after. So only those are asked about, each with the rules of the other
 * side, and each answer is a search that is exact, or says that it was given up.
 */
#ifndef FW_ANALYZE_DIFF_H
#define FW_ANALYZE_DIFF_H

#include "analyze/space.h"
#include "analyze/treatment.h"

struct arena;

/* What a region says of one dimension, of one family where it is an address. */
struct region_dim {
	bool there;          /* else: anything that its packets can have */
	struct range6 *r;    /* sorted, disjoint */
	size_t n, total;     /* `n` of them are kept */
	const char *set;     /* addresses: the name of a set that is just this; NULL: none */
	bool negate;         /* live sets: not in `set` */
};

/* How the states of its packets can be told. */
#define REGION_ANY	   1u  /* nothing to say: of all that do not belong to a flow */
#define REGION_NEW	   2u
#define REGION_INVALID	   4u
#define REGION_ESTABLISHED 8u
#define REGION_RELATED	   16u
#define REGION_FLOW	   32u /* established and related */

/* Packets in words: kinds of packets, and what they have in common. */
struct region {
	uint32_t kinds[FAMILY_COUNT]; /* bit per enum kind; 0: none of the family */
	uint32_t states;              /* bit per enum state */
	uint32_t words;               /* REGION_*: one of these says it */
	struct region_dim dim[DIM_COUNT]; /* what is the same for all families (PROTO: without the family); addresses of IPv4 */
	struct region_dim src6, dst6;
	bool part;                    /* not all of them: rules before decide the others */
};

/* Who decides: rules of one side, its default, or the flow. */
#define DIFF_RULES 8 /* no more are named */
struct diff_end {
	const struct rule *rule[DIFF_RULES];
	size_t count;   /* of rules, named or not */
	bool fallback;
	enum verdict verdict;
	enum reject reject;
	const struct log_opts *log; /* where it is the log that changes; NULL: none */
};
#define DIFF_REGIONS 96 /* of one change */
struct diff_change {
	enum treatment how;
	struct diff_end old, new;
	struct region *region[DIFF_REGIONS];
	size_t nregions;
	bool more;       /* regions that are not kept */
	struct packet_spec spec; /* an example; live sets are bits of diff.live */
	bool built;      /* it was judged by both sides; else packet_build has no words for it */
};

/* Named sets of addresses that both have, and are not the same. */
struct diff_set {
	const struct named_set *old, *new; /* NULL: one side has none of this name */
	size_t added, removed; /* ranges */
	struct aset *some_added, *some_removed; /* a few of them */
};

struct diff {
	struct {
		struct diff_change *v;
		size_t n, cap;
	} change[DIRECTION_COUNT];
	size_t undecided[DIRECTION_COUNT]; /* pairs of rules that took too long */
	const char *live[DIRECTION_COUNT][SPACE_MAX_LIVE];
	bool faults[DIRECTION_COUNT]; /* one side has no block: there frames that cannot be parsed pass */
	size_t came, gone;            /* rules, by what their counters follow */
	bool state_opts;              /* `state { }` differs */
	bool logs;                    /* `log reasons`, or what a `count` or bare `log` rule tells of, differs */
	bool tracks_old, tracks_new;
};

/* 0 or -ENOMEM. Memory of the arena, but for what diff_fini gives back. */
int diff_policies(struct arena *arena, const struct policy *old, const struct policy *new, struct diff *ret);
void diff_fini(struct diff *d);
/* Is there a packet that passed and does not, or the other way, or may there be one? */
bool diff_is_fate(const struct diff *d);
/* Some difference of treatment at all? */
bool diff_is_any(const struct diff *d);

/* Sets of addresses by name, those that differ. */
int diff_sets(struct arena *arena, const struct ruleset *old, const struct ruleset *new, struct diff_set **ret, size_t *ret_n);

#endif
