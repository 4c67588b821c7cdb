/* SPDX-License-Identifier: GPL-2.0-only */
/* One rule on its way to its clauses. Functions that return bool: false after a diagnostic, or failed. */
#ifndef FW_LANG_RULE_PARSER_H
#define FW_LANG_RULE_PARSER_H

#include "lang/parse.h"

#define MAX_CLAUSES 32 /* more than there are kinds */

struct rule_parser {
	struct parser *p;
	bool log; /* the rule begins with it: what stands behind it is the log's wherever it stands */
	struct ast_clause clauses[MAX_CLAUSES];
	size_t n;
};

struct ast_clause *add_clause(struct rule_parser *rp, enum ast_clause_kind kind, struct span span);

/*
 * parse_extra.c: what a rule does beside its verdict (`keep state`, `limit 10/s`, …). *ret_taken: the current word
 * began such a clause. None takes a "!".
 */
bool parse_extra(struct rule_parser *rp, bool negate, bool *ret_taken);
/* The i-th of its words, NULL past the end: for suggestions. */
const char *extra_word(size_t i);

#endif
