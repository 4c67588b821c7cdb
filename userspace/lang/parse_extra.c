// SPDX-License-Identifier: GPL-2.0-only
/* What a rule does beside its verdict: `with reset`, `keep state`, `synproxy`, `limit …`, `max-conn …`, `else …`, `log …`. */
#include "lang/rule_parser.h"

#include "lang/words.h"

#include <string.h>

#define MAX_BAN	 (3650 * DURATION_DAY)
#define MAX_CONN 64 /* FW_MAX_CONN */

static bool parse_with(struct parser *p, struct ast_clause *c)
{
	static const struct {
		const char *word;
		enum reject reject;
	} words[] = { { "reset", REJECT_TCP_RESET },
		      { "unreachable", REJECT_UNREACHABLE },
		      { "prohibited", REJECT_PROHIBITED } };
	struct ast_text t = parser_text(p);
	struct guess guess;
	struct diag *g;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (parser_take(p, words[i].word)) {
			c->reject = words[i].reject;
			return true;
		}
	}
	parser_expected(p, "reset, unreachable or prohibited", &g);
	if (p->tok.kind == TOK_WORD) {
		guess_init(&guess, p->arena, t.s, t.len);
		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			guess_try(&guess, words[i].word);
		guess_hint(&guess, p->d, g, "");
	}
	return false;
}

static bool parse_keep(struct parser *p, struct ast_clause *c)
{
	c->span.end = parser_is(p, "state") ? p->tok.end : c->span.end;
	return parser_take(p, "state") || parser_expected(p, "\"state\": the clause is \"keep state\"", NULL);
}

static bool parse_synproxy(struct parser *p, struct ast_clause *c)
{
	return true;
}

static bool parse_limit_clause(struct parser *p, struct ast_clause *c)
{
	return parse_limit(p, &c->limit);
}

static bool parse_max_conn(struct parser *p, struct ast_clause *c)
{
	enum per per;
	uint64_t n;

	if (!parse_count(p, "how many connections a source may have", MAX_CONN, &n))
		return false;
	c->conn.n = (uint16_t)n;
	if (!parser_take(p, "per"))
		return parser_expected(p, "\"per src\"", NULL);
	return parse_per(p, true, &per, &c->conn.plen4, &c->conn.plen6);
}

static bool parse_ban(struct parser *p, struct ast_clause *c)
{
	struct ast_text t = parser_text(p);
	struct diag *g;

	if (p->tok.kind != TOK_SET) {
		parser_expected(p, "the @set that the source enters", &g);
		if (p->tok.kind == TOK_WORD && !parser_is(p, "for"))
			diag_hint(p->d, g, "a set is named with \"@\": @%.*s", (int)t.len, t.s);
		return false;
	}
	c->over.ban = (struct ast_text){ t.s + 1, t.len - 1, t.span };
	parser_next(p);
	return !parser_take(p, "for") || parse_duration(p, DURATION_S, MAX_BAN, &c->over.ban_ns);
}

static bool parse_else(struct parser *p, struct ast_clause *c)
{
	struct diag *g;

	if (parser_take(p, "ban"))
		return parse_ban(p, c);
	if (!parser_is(p, "drop") && !parser_is(p, "pass")) {
		parser_expected(p, "drop, pass or ban", &g);
		if (parser_is(p, "reject"))
			diag_hint(p->d, g, "answers would cost what the limit saves: write \"else drop\"");
		return false;
	}
	c->over.pass = parser_is(p, "pass");
	parser_next(p);
	return true;
}

static bool parse_log(struct parser *p, struct ast_clause *c)
{
	bool reasons = parser_is(p, "reasons");
	struct diag *g;

	if (reasons || parser_is(p, "default")) {
		g = diag_add(p->d, DIAG_ERROR, parser_span(p), "\"log %s\" is no part of a rule", reasons ? "reasons" : "default");
		diag_hint(p->d, g, "it stands on a line of its own in the block");
		return false;
	}
	c->log.opts.sample = 1;
	return parse_log_options(p, &c->log);
}

static const struct {
	const char *word;
	enum ast_clause_kind kind;
	bool (*parse)(struct parser *p, struct ast_clause *c);
} extras[] = {
	{ "with", AST_WITH, parse_with },
	{ "keep", AST_KEEP, parse_keep },
	{ "synproxy", AST_SYNPROXY, parse_synproxy },
	{ "limit", AST_LIMIT, parse_limit_clause },
	{ "max-conn", AST_MAX_CONN, parse_max_conn },
	{ "else", AST_ELSE, parse_else },
	{ "log", AST_LOG, parse_log },
};
#define NEXTRAS (sizeof(extras) / sizeof(extras[0]))

const char *extra_word(size_t i)
{
	return i < NEXTRAS ? extras[i].word : NULL;
}

/* `pass log keep state limit 10/s`: whose limit is it? A reader should not have to ask. */
static bool limit_behind_log(struct rule_parser *rp)
{
	struct diag *g;

	for (size_t i = 0; i < rp->n; i++) {
		if (rp->clauses[i].kind != AST_LOG)
			continue;
		g = diag_add(rp->p->d, DIAG_ERROR, parser_span(rp->p), "the limit of a rule stands before \"log\"");
		diag_note(rp->p->d, g, rp->clauses[i].span, "it is here");
		diag_hint(rp->p->d, g, "directly behind \"log\" it would be the limit of the log");
		return true;
	}
	return false;
}

bool parse_extra(struct rule_parser *rp, bool negate, bool *ret_taken)
{
	struct parser *p = rp->p;
	struct ast_clause *c;

	if (rp->log && !negate) {
		bool good = parse_log_option(p, &rp->clauses[0].log, ret_taken);

		if (*ret_taken)
			return good;
	}
	*ret_taken = false;
	for (size_t i = 0; i < NEXTRAS; i++) {
		if (!parser_is(p, extras[i].word))
			continue;
		*ret_taken = true;
		if (negate) {
			diag_add(p->d, DIAG_ERROR, parser_span(p), "\"!\" cannot stand before \"%s\"", extras[i].word);
			return false;
		}
		if (extras[i].kind == AST_LIMIT && limit_behind_log(rp))
			return false;
		c = add_clause(rp, extras[i].kind, parser_span(p));
		if (!c)
			return false;
		parser_next(p);
		return extras[i].parse(p, c);
	}
	return true;
}
