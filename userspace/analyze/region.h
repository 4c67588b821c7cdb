/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sets of packets, and what becomes of all packets of one.
 *
 * A set is described by the conditions of a `struct rule`: a packet is in it when the rule matches it. Nothing else of
 * the rule is looked at. A condition that is NULL leaves everything open, the state (STATE_NONE .. STATE_INVALID) and
 * membership in live sets, too: then the answer is about packets of any state.
 *
 * Only packets that exist are spoken of: each has the fields that its protocol gives it (packet.h), and a state that
 * tracking can give it (track.h, 5 and 6). Answers are exact, or `undecided` when they would take too long.
 */
#ifndef FW_ANALYZE_REGION_H
#define FW_ANALYZE_REGION_H

#include "model/eval.h"

/* A packet that shows something. Frames are built from spec and judged by eval before anything is claimed of them. */
struct example {
	bool there;              /* there is such a packet */
	bool built;              /* spec describes one: packet_build makes it, eval judges it so. Else packet_build has no words for it */
	struct packet_spec spec; /* eval_given_of says what is taken for granted: state, live sets (bits of policy.live) */
	enum verdict verdict;
	long rule;               /* index in the chain of the rule that decides it; -1: the default, or its flow */
};

/* All pass: pass.there alone. All are dropped or rejected: drop.there alone. Neither: there is no such packet. */
struct region_answer {
	bool undecided; /* the work was too much: what is not there may be there */
	struct example pass, drop;
};

/*
 * For each of n sets. Rules with limits count as their verdict. `what` names live sets by bits of policy->live. 0, -ENOMEM, or
 * -E2BIG: the rules tell too many packets apart. Give all sets in one call: the rules are looked through once.
 */
int region_judge(const struct policy *policy, enum direction dir, const struct rule *what, size_t n, struct region_answer *ret);

#endif
