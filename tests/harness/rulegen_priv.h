/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared by the two styles of rulegen. */
#ifndef FW_HARNESS_RULEGEN_PRIV_H
#define FW_HARNESS_RULEGEN_PRIV_H

#include "harness/rulegen.h"

#define POOL 8

/* Generator state. The pools make the rules of one policy collide. A failed allocation sticks in `failed`. */
struct gen {
	struct arena *arena;
	struct prng *p;
	const struct rulegen_opts *opts;
	bool failed;
	uint32_t net4[POOL];
	u128 net6[POOL];
	uint16_t port[POOL];
	const struct aset *aset[POOL]; /* made so far; shared between rules now and then */
	size_t nasets;
};

/* Sets from ranges; NULL (and `failed`) when memory ran out. */
const struct vset *gen_vset(struct gen *g, const struct range *r, size_t n);
const struct vset *gen_vset_not(struct gen *g, const struct vset *v, enum field_id id);
const struct vset *gen_value(struct gen *g, uint64_t lo, uint64_t hi);

void gen_add_prefix4(struct gen *g, struct aset_builder *b, uint32_t addr, unsigned int len);
void gen_add_prefix6(struct gen *g, struct aset_builder *b, u128 addr, unsigned int len);

/* One rule each. */
void gen_edges_init(struct gen *g);
void gen_edges_rule(struct gen *g, struct rule *r);
void gen_classbench_init(struct gen *g);
void gen_classbench_rule(struct gen *g, struct rule *r);
void gen_hostile_rule(struct gen *g, struct rule *r, uint64_t index);

void gen_flows_rule(struct gen *g, struct rule *r);
/* What opts->state and those behind it wish for: of a whole block; of the policy when its blocks are done. */
void gen_extras(struct gen *g, struct chain *c);
void gen_logs(struct gen *g, struct chain *c);
void gen_state_opts(struct gen *g, struct policy *p);

/* All opts->nrules at once; fewer when so many different ones do not exist. */
void gen_real_rules(struct gen *g, struct rule *rules, size_t *ret_n);

#endif
