/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Quick looks for track*.c, when track_quicken has been called: hash tables beside the lists, shortlists of the rules, and the
 * answers that flows got. Each function stands for a plain search, which is what it means; a test does both and compares.
 */
#ifndef FW_MODEL_TRACK_INDEX_H
#define FW_MODEL_TRACK_INDEX_H

#include "model/track_priv.h"

/* The rules of a block: what eval_state says. */
struct eval_result track_index_eval(struct track *t, const struct policy *policy, enum direction dir, const struct packet *p,
				    void (*counted)(void *ctx, size_t rule), void *ctx);
/* Has this flow been judged by the same rules, its opening packet in the same live sets, and passed? Then it does again. */
bool track_index_judged(struct track *t, const struct policy *policy, struct flow *f);
void track_index_judge(struct track *t, const struct policy *policy, struct flow *f, const struct packet *opening);
/* NULL: not known; compute it, and leave it there. */
struct identity *track_index_identity(struct track *t, const struct chain *chain, size_t i, enum direction dir);

/* The flow that has this key and has not ended; NULL: none. */
struct flow *track_index_flow(struct track *t, const struct track_key *key);
int track_index_open(struct track *t, const struct flow *flow);
bool track_index_seat(struct track *t, const struct bucket_key *seat, unsigned int number);
/* The bucket, a new one if need be; NULL: no memory. */
struct bucket *track_index_bucket(struct track *t, const struct bucket_key *key);

struct element *track_index_element(const struct live_set *s, enum family family, u128 addr, unsigned int plen);
int track_index_add(struct track *t, struct live_set *s, const struct element *e);
bool track_index_has(const struct track *t, const struct live_set *s, enum family family, u128 addr);

void track_index_free(struct track *t);

#endif
