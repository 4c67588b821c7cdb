/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The meaning of the rules: a linear, first-match walk. It is slow and obvious on purpose; everything else in the
 * project is judged by it.
 */
#ifndef FW_MODEL_EVAL_H
#define FW_MODEL_EVAL_H

#include "model/packet.h"

enum eval_reason {
	EVAL_RULE,
	EVAL_DEFAULT,
	EVAL_L2_OTHER,
	EVAL_FAULT,
	EVAL_ESTABLISHED, /* these come from track_frame alone */
	EVAL_RELATED,
	EVAL_LIMIT,
	EVAL_MAX_CONN,
	EVAL_TCP_WINDOW,
};

struct eval_result {
	enum verdict verdict;      /* PASS, DROP or REJECT */
	enum eval_reason reason;   /* EVAL_L2_OTHER: default for family OTHER */
	enum packet_fault fault;   /* with EVAL_FAULT */
	long rule;                 /* index in the chain of the rule that matched; -1 when none did */
	enum state state;
};

/* The first condition of a rule that a packet does not meet. */
enum eval_miss_kind {
	EVAL_MISS_NOTHING, /* the rule matches */
	EVAL_MISS_FAMILY,
	EVAL_MISS_VALUE,   /* of `field`: the packet has none, or one that rule->value[field] lacks */
	EVAL_MISS_ADDRESS, /* rule->src or dst; field: FIELD_SRC or FIELD_DST */
	EVAL_MISS_LIVE,    /* rule->live_src or live_dst; likewise */
};
struct eval_miss {
	enum eval_miss_kind kind;
	enum field_id field;
};
struct eval_miss eval_rule_miss(const struct rule *rule, const struct packet *p);

/* Does this one rule match? */
bool eval_rule(const struct rule *rule, const struct packet *p);
/* What eval_rule_miss says, as a word ("port", "from", "proto", "family"); NULL when the rule matches. */
const char *eval_rule_why_not(const struct rule *rule, const struct packet *p);

/* Judge a parsed packet. `counted`, when not NULL, is called for each `count` rule that matched on the way. */
struct eval_result eval_packet(const struct chain *chain, const struct packet *p,
			       void (*counted)(void *ctx, size_t rule), void *ctx);

/* Does some rule name the states of known flows, so that their packets are asked about? */
bool eval_names_known(const struct chain *chain);
/* The same in a policy that keeps state: p says which. ESTABLISHED and RELATED pass when no rule that names them decides. */
struct eval_result eval_state(const struct chain *chain, const struct packet *p,
			      void (*counted)(void *ctx, size_t rule), void *ctx);
/* What becomes of a frame that cannot be parsed. */
struct eval_result eval_fault(const struct chain *chain, enum packet_fault fault);

/* The state of a packet of no flow after all pickup, where rules speak of states; else NONE. */
enum state eval_state_alone(const struct chain *chain, const struct packet *p);
/*
 * Parse and judge a frame. A chain that is not present passes everything, faults too (EVAL_DEFAULT).
 * Nothing is remembered: in a policy that tracks, the packet is one of no flow after all pickup (track.h, 5), so replies and
 * packets of TCP in mid-stream are INVALID; live sets are empty; limits are kept.
 */
struct eval_result eval_frame(const struct chain *chain, const uint8_t *frame, size_t len,
			      const struct packet_meta *meta, void (*counted)(void *ctx, size_t rule), void *ctx);

/*
 * The same with what is taken for granted: the state, ESTABLISHED and RELATED too, and membership in live sets (bits of
 * policy.live). Limits are kept: the verdict is that of the rule.
 */
struct eval_given {
	enum state state; /* NONE when the policy does not track */
	uint32_t live_src, live_dst;
};
struct eval_result eval_given(const struct chain *chain, const uint8_t *frame, size_t len,
			      const struct packet_meta *meta, const struct eval_given *given,
			      void (*counted)(void *ctx, size_t rule), void *ctx);
static inline struct eval_given eval_given_of(const struct packet_spec *spec)
{
	return (struct eval_given){ spec->state, spec->live_src, spec->live_dst };
}

/* The reason in words: "rule", "default", "l2-other", "malformed", … */
const char *eval_reason_word(const struct eval_result *r);

#endif
