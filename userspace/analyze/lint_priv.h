/* SPDX-License-Identifier: GPL-2.0-only */
/* What lint*.c share: one block and the tools to look at it. */
#ifndef FW_ANALYZE_LINT_PRIV_H
#define FW_ANALYZE_LINT_PRIV_H

#include "analyze/example.h"
#include "analyze/lint.h"
#include "analyze/near.h"
#include "analyze/treatment.h"

struct linter {
	struct arena *arena;
	struct findings *out;
	const struct policy *policy;
	enum direction dir;
	const struct chain *chain;
	struct space *space;
	struct search w;
	struct maker m;
	struct side side;
	struct near near; /* of the rule that is looked at */
	uint32_t *avoid;  /* room for all rules of the block */
	size_t undecided;
};

/* A finding to fill in; NULL: no memory. */
struct finding *finding_add(struct linter *l, enum lint_kind kind, const struct rule *r);
/* Name rules, by their numbers in the space. */
int finding_others(struct linter *l, struct finding *f, const uint32_t *rules, size_t n);

/* lint_hidden.c: does the rule decide, or count, some packet? FOUND_NOTHING after a finding. */
enum found lint_reach(struct linter *l, uint32_t rule);
/* Does no IP packet meet the default? */
void lint_default(struct linter *l);
/* lint_redundant.c, of a rule that decides some packet */
void lint_redundant(struct linter *l, uint32_t rule);
/* lint_conflict.c */
void lint_conflict(struct linter *l, uint32_t rule);
void lint_wide(struct linter *l, uint32_t rule);
void lint_port(struct linter *l, uint32_t rule);

#endif
