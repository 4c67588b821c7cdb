/* SPDX-License-Identifier: GPL-2.0-only */
/* What is odd about a rule set: findings, each proved by a packet where a packet can prove it. */
#ifndef FW_ANALYZE_LINT_H
#define FW_ANALYZE_LINT_H

#include "analyze/region.h"

struct arena;

/* X(ID, "word", is it a warning? (else a note)) */
#define LINT_FINDINGS(X)                                                                                            \
	X(NEVER, "never-matches", true)         /* no packet meets its conditions */                                \
	X(SHADOWED, "shadowed", true)           /* earlier rules decide every packet of it: `others` */             \
	X(REDUNDANT, "redundant", true)         /* without it the same becomes of each packet, by `others` or the default */ \
	X(CONFLICT, "conflict", true)           /* with others[0], which says the opposite; neither is an exception of the other */ \
	X(WIDE, "wide", true)                   /* passes all of TCP or UDP from anywhere to anywhere, before `default drop` */ \
	X(DEFAULT, "default-unreachable", true) /* no IP packet meets the default: `others` */                      \
	X(SET_EMPTY, "empty-set", true)                                                                             \
	X(SET_UNUSED, "unused-set", true)                                                                           \
	X(PORT, "port-without-proto", false)    /* means tcp, udp and sctp */                                       \
	X(NO_TESTS, "no-tests", false)          /* no test block speaks of the policy */                            \
	X(UNDECIDED, "undecided", false)        /* `count` rules of a block take too long to look through */

enum lint_kind {
#define FW_X(id, word, warning) LINT_##id,
	LINT_FINDINGS(FW_X)
#undef FW_X
	LINT_KINDS
};
const char *lint_word(enum lint_kind kind);
/* The kind with this word; LINT_KINDS: none. */
enum lint_kind lint_kind(const char *word, size_t len);

#define LINT_OTHERS 64 /* no more are named */
struct finding {
	enum lint_kind kind;
	bool warning; /* else a note */
	const struct policy *policy;  /* NULL: of sets */
	enum direction dir;
	const struct rule *rule;      /* NULL: of sets, of the default, of the policy */
	const struct named_set *set;
	const struct rule **others;   /* in their order */
	size_t nothers, count;
	bool by_default;              /* REDUNDANT: the default does so for some packets */
	bool by_flow;                 /* REDUNDANT: packets of flows, which no other rule decides, pass */
	bool counts;                  /* REDUNDANT: but it has a counter of its own, by label, or logs */
	struct example example;       /* there: the packet. `rule`: who decides it. It always meets the conditions of finding.rule */
};
struct findings {
	struct finding *v;
	size_t n, cap;
	size_t warnings, notes;
};
void findings_fini(struct findings *f);

/* All of a rule set: in order of policies, directions, rules. Memory of the arena, but for the array. 0 or -ENOMEM. */
int lint_ruleset(struct arena *arena, const struct ruleset *rs, struct findings *ret);

#endif
