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
};

struct eval_result {
	enum verdict verdict;      /* PASS, DROP or REJECT */
	enum eval_reason reason;   /* EVAL_L2_OTHER: default for family OTHER */
	enum packet_fault fault;   /* with EVAL_FAULT */
	long rule;                 /* index in the chain of the rule that matched; -1 when none did */
	enum state state;
};

/* Does this one rule match? */
bool eval_rule(const struct rule *rule, const struct packet *p);
/* The first condition that fails, as a word ("port", "from", "proto", "family"); NULL when the rule matches. */
const char *eval_rule_why_not(const struct rule *rule, const struct packet *p);

/* Judge a parsed packet. `counted`, when not NULL, is called for each `count` rule that matched on the way. */
struct eval_result eval_packet(const struct chain *chain, const struct packet *p,
			       void (*counted)(void *ctx, size_t rule), void *ctx);

/* Parse and judge a frame. A chain that is not present passes everything, faults too (EVAL_DEFAULT). */
struct eval_result eval_frame(const struct chain *chain, const uint8_t *frame, size_t len,
			      const struct packet_meta *meta, void (*counted)(void *ctx, size_t rule), void *ctx);

/* The reason in words: "rule", "default", "l2-other", "malformed", … */
const char *eval_reason_word(const struct eval_result *r);

#endif
