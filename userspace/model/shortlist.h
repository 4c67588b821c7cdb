/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The oracle for many packets and long chains. eval looks at each rule; this one looks at each rule's bounds first (the
 * lowest and highest source, destination, destination port and protocol that it accepts), 64 rules in one go, and hands to
 * eval the rules that the bounds do not rule out. Same answer as eval_frame, some twenty times as fast.
 */
#ifndef FW_MODEL_SHORTLIST_H
#define FW_MODEL_SHORTLIST_H

#include "model/eval.h"

struct shortlist;

/* NULL: no memory. The chain must stay. */
struct shortlist *shortlist_new(const struct chain *chain);
void shortlist_free(struct shortlist *s);
static inline void shortlist_freep(struct shortlist **s)
{
	shortlist_free(*s);
}

/* What eval_frame says. */
struct eval_result shortlist_eval(const struct shortlist *s, const uint8_t *frame, size_t len);
/* What eval_given says. */
struct eval_result shortlist_given(const struct shortlist *s, const uint8_t *frame, size_t len, const struct eval_given *given);
/* What eval_state says, `counted` called in the order of the rules. */
struct eval_result shortlist_packet(const struct shortlist *s, const struct packet *p, void (*counted)(void *ctx, size_t rule),
				    void *ctx);

#endif
