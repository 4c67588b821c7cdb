/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One rule on its way from clauses to conditions. Functions that return bool: false after a diagnostic, or failed.
 */
#ifndef FW_LANG_RULE_BUILDER_H
#define FW_LANG_RULE_BUILDER_H

#include "lang/resolve.h"

struct rule_builder {
	struct resolver *r;
	const struct ast_stmt *stmt;
	const struct ast_clause *clause[AST_CLAUSE_KINDS]; /* all kinds but AST_FIELD */
	const struct ast_clause *field[FIELD_VALUE_COUNT];
	const char *text[FIELD_VALUE_COUNT]; /* canonical values, without "!" */
	const char *addr_text[2];	     /* of from and to */
	const char *code_text;
	struct vset *protocols; /* 0..255, as written */
	enum field_id icmp;	/* FIELD_ICMP or FIELD_ICMP6 when there is a type */
	unsigned int families;
	bool empty_from, empty_to;
	struct rule rule;
};

struct diag *clause_error(struct rule_builder *b, const struct ast_clause *c, const char *text);

/* resolve_addr.c: `from` and `to`. *ret is left alone when the clause is not there, says "any", or names live sets. */
bool addr_resolve(struct rule_builder *b, enum ast_clause_kind kind, const struct aset **ret, struct live_match *ret_live);

/* resolve_proto.c: protocols and ICMP types, and what other fields need of them. */
bool proto_resolve(struct rule_builder *b);
bool icmp_resolve(struct rule_builder *b);
bool proto_check(struct rule_builder *b);
bool proto_finish(struct rule_builder *b);
/* Is this the one protocol that is written? */
bool proto_only(const struct rule_builder *b, unsigned int protocol);

/* resolve_extra.c: what the rule does beside its verdict. */
bool extra_resolve(struct rule_builder *b);

/* rule_text.c: canonical text, into b->rule.text. */
bool rule_text(struct rule_builder *b);

#endif
