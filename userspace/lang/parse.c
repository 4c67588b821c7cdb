// SPDX-License-Identifier: GPL-2.0-only
/* Statements and blocks. */
#include "lang/parse.h"

#include "base/arena.h"
#include "lang/words.h"

#include <string.h>

#define BIT(level) (1u << (level))

static bool parse_define(struct parser *p, struct ast_stmt *s);
static bool parse_set(struct parser *p, struct ast_stmt *s);
static bool parse_policy(struct parser *p, struct ast_stmt *s);
static bool parse_chain(struct parser *p, struct ast_stmt *s);
static bool parse_interface(struct parser *p, struct ast_stmt *s);
static bool parse_include(struct parser *p, struct ast_stmt *s);
static bool parse_test(struct parser *p, struct ast_stmt *s);
static bool parse_essentials(struct parser *p, struct ast_stmt *s);
static bool parse_sequence(struct parser *p, struct ast_stmt *s);

/* The statements of the language: word, where it may stand, how it goes on. */
static const struct statement {
	const char *word;
	unsigned int levels;
	enum ast_kind kind;
	bool (*parse)(struct parser *p, struct ast_stmt *s);
} statements[] = {
	{ "define", BIT(PARSE_TOP), AST_DEFINE, parse_define },
	{ "set", BIT(PARSE_TOP), AST_SET_DECL, parse_set },
	{ "policy", BIT(PARSE_TOP), AST_POLICY, parse_policy },
	{ "interface", BIT(PARSE_TOP), AST_INTERFACE, parse_interface },
	{ "test", BIT(PARSE_TOP), AST_TEST, parse_test },
	{ "include", BIT(PARSE_TOP) | BIT(PARSE_POLICY) | BIT(PARSE_CHAIN) | BIT(PARSE_TEST), AST_INCLUDE,
	  parse_include },
	{ "ingress", BIT(PARSE_POLICY), AST_CHAIN, parse_chain },
	{ "egress", BIT(PARSE_POLICY), AST_CHAIN, parse_chain },
	{ "essentials", BIT(PARSE_POLICY) | BIT(PARSE_CHAIN), AST_ESSENTIALS, parse_essentials },
	{ "state", BIT(PARSE_POLICY), AST_STATE, parse_state },
	{ "pass", BIT(PARSE_CHAIN), AST_RULE, parse_rule },
	{ "drop", BIT(PARSE_CHAIN), AST_RULE, parse_rule },
	{ "reject", BIT(PARSE_CHAIN), AST_RULE, parse_rule },
	{ "count", BIT(PARSE_CHAIN), AST_RULE, parse_rule },
	{ "log", BIT(PARSE_CHAIN), AST_RULE, parse_log_line },
	{ "sequence", BIT(PARSE_TEST), AST_SEQUENCE, parse_sequence },
	{ "after", BIT(PARSE_SEQUENCE), AST_EXPECT, parse_after },
	{ "add", BIT(PARSE_SEQUENCE), AST_EXPECT, parse_element },
	{ "del", BIT(PARSE_SEQUENCE), AST_EXPECT, parse_element },
};
#define NSTATEMENTS (sizeof(statements) / sizeof(statements[0]))

static const char *const level_place[] = {
	[PARSE_TOP] = "at the top of the file, outside every block",
	[PARSE_POLICY] = "directly inside a policy",
	[PARSE_CHAIN] = "inside an ingress or egress block",
	[PARSE_TEST] = "inside a test block",
	[PARSE_SEQUENCE] = "inside a sequence of a test block",
};
static const char *const level_expected[] = {
	[PARSE_TOP] = "define, set, policy, interface, include or test",
	[PARSE_POLICY] = "ingress, egress, state or essentials",
	[PARSE_CHAIN] = "pass, drop, reject, count or log",
	[PARSE_TEST] = "a packet, such as: tcp 198.51.100.7:4000 -> 192.0.2.1:22 is drop",
	[PARSE_SEQUENCE] = "a packet, after, add or del",
};

static const struct statement *statement_find(const char *s, size_t len)
{
	for (size_t i = 0; i < NSTATEMENTS; i++)
		if (str_is(statements[i].word, s, len))
			return &statements[i];
	return NULL;
}

bool parse_is_keyword(const char *s, size_t len)
{
	return statement_find(s, len);
}

/*
 * After a mistake: go to the end of the statement. Braces that open in what is skipped are skipped with their
 * contents; a list that lost its "}" ends where the next statement begins.
 */
static void parser_sync(struct parser *p)
{
	unsigned int depth = p->braces;
	bool list = depth > 0, fresh = false;

	p->braces = 0;
	for (;; parser_next(p)) {
		struct ast_text t = parser_text(p);

		if (p->tok.kind == TOK_END)
			return;
		if (depth == 0 && (p->tok.kind == TOK_NEWLINE || p->tok.kind == TOK_RBRACE))
			return;
		if (list && fresh && p->tok.kind == TOK_WORD && parse_is_keyword(t.s, t.len))
			return;
		if (p->tok.kind == TOK_LBRACE)
			depth++;
		else if (p->tok.kind == TOK_RBRACE)
			depth--;
		fresh = p->tok.kind == TOK_NEWLINE;
	}
}

static void block_add(struct ast_block *b, struct ast_stmt *s)
{
	if (b->last)
		b->last->next = s;
	else
		b->first = s;
	b->last = s;
}

static void report_unknown(struct parser *p, enum parse_level level, const struct statement *st)
{
	struct ast_text t = parser_text(p);
	const char *say;
	struct guess guess;
	struct diag *g;

	if (st && p->tok.kind == TOK_WORD) {
		unsigned int at = (unsigned int)__builtin_ctz(st->levels);

		diag_add(p->d, DIAG_ERROR, t.span, "\"%s\" stands %s", st->word, level_place[at]);
		return;
	}
	if (parser_refuse_later(p))
		return;
	parser_expected(p, level_expected[level], &g);
	if (p->tok.kind != TOK_WORD)
		return;
	say = word_foreign(t.s, t.len);
	if (say) {
		diag_hint(p->d, g, "%s", say);
		return;
	}
	guess_init(&guess, p->arena, t.s, t.len);
	for (size_t i = 0; i < NSTATEMENTS; i++)
		if (statements[i].levels & BIT(level))
			guess_try(&guess, statements[i].word);
	guess_hint(&guess, p->d, g, "");
}

/* `afetr 10s`: nearer to a statement of this level than to the name of a protocol, with which a packet starts. */
static bool test_word_misspelt(struct parser *p, enum parse_level level)
{
	struct ast_text t = parser_text(p);
	struct guess guess, packet;

	if (p->tok.kind != TOK_WORD || field_value_parse(FIELD_PROTO, t.s, t.len) >= 0)
		return false;
	guess_init(&guess, p->arena, t.s, t.len);
	packet = guess;
	for (size_t i = 0; i < NSTATEMENTS; i++)
		if (statements[i].levels & BIT(level))
			guess_try(&guess, statements[i].word);
	guess_try(&packet, "arp");
	guess_try(&packet, "hex");
	guess_try(&packet, "proto");
	guess_try(&packet, "ethertype");
	for (size_t i = 0; field_value_name(FIELD_PROTO, i); i++)
		guess_try(&packet, field_value_name(FIELD_PROTO, i));
	return guess.best && guess.distance < packet.distance && !str_is("arp", t.s, t.len) && !str_is("hex", t.s, t.len) &&
	       !str_is("proto", t.s, t.len) && !str_is("ethertype", t.s, t.len);
}

/* One statement; NULL after a mistake. */
static struct ast_stmt *parse_statement(struct parser *p, enum parse_level level)
{
	struct ast_text t = parser_text(p);
	const struct statement *st = p->tok.kind == TOK_WORD ? statement_find(t.s, t.len) : NULL;
	bool test = level == PARSE_TEST || level == PARSE_SEQUENCE, expect = test && (!st || st->kind == AST_CHAIN);
	struct ast_stmt *s;

	if (expect && !st && test_word_misspelt(p, level)) {
		report_unknown(p, level, NULL);
		return NULL;
	}
	if (!expect && (!st || !(st->levels & BIT(level)))) {
		report_unknown(p, level, st);
		return NULL;
	}
	s = parser_alloc(p, 1, sizeof(*s));
	if (!s)
		return NULL;
	s->kind = expect ? AST_EXPECT : st->kind;
	s->span = parser_span(p);
	s->line = p->tok.line;
	s->column = p->tok.column;
	if (!(expect ? parse_expect(p, s) : st->parse(p, s)))
		return NULL;
	return s;
}

/* Statements up to "}" (when `braces`) or the end of the text. */
static void parse_statements(struct parser *p, enum parse_level level, bool braces, struct ast_block *block)
{
	while (!p->failed && !diags_enough(p->d)) {
		struct ast_stmt *s;

		while (p->tok.kind == TOK_NEWLINE)
			parser_next(p);
		if (p->tok.kind == TOK_END || (braces && p->tok.kind == TOK_RBRACE))
			return;
		if (p->tok.kind == TOK_RBRACE) {
			diag_add(p->d, DIAG_ERROR, parser_span(p), "this \"}\" closes nothing");
			parser_next(p);
			continue;
		}
		s = parse_statement(p, level);
		if (s)
			block_add(block, s);
		/* A block that ends here may be followed by a statement on the same line only after ";". */
		if (s && !parser_at_end(p)) {
			parser_expected(p, "the end of the line", NULL);
			s = NULL;
		}
		if (!s)
			parser_sync(p);
	}
}

/* "{" statements "}" */
static bool parse_body(struct parser *p, enum parse_level level, struct ast_block *block)
{
	struct span open = parser_span(p);

	if (p->tok.kind != TOK_LBRACE)
		return parser_expected(p, "\"{\"", NULL);
	parser_next(p);
	parse_statements(p, level, true, block);
	if (p->failed || diags_enough(p->d))
		return false;
	if (p->tok.kind != TOK_RBRACE) {
		struct diag *g;

		parser_expected(p, "\"}\"", &g);
		diag_note(p->d, g, open, "the block starts here");
		return false;
	}
	parser_next(p);
	return true;
}

static bool parse_define(struct parser *p, struct ast_stmt *s)
{
	parser_next(p);
	if (!parse_name(p, "a name", &s->name))
		return false;
	if (p->tok.kind != TOK_CMP || p->lx.source->text[p->tok.start] != '=')
		return parser_expected(p, "\"=\"", NULL);
	parser_next(p);
	if (p->tok.kind == TOK_NOT) {
		struct diag *g = diag_add(p->d, DIAG_ERROR, parser_span(p), "a define cannot be negated");

		diag_hint(p->d, g, "write \"! $NAME\" where it is used");
		return false;
	}
	return parse_list(p, "a value or a list", &s->list);
}

static bool parse_set(struct parser *p, struct ast_stmt *s)
{
	parser_next(p);
	if (!parse_name(p, "the name of the set", &s->name))
		return false;
	return parse_set_body(p, s);
}

static bool parse_policy(struct parser *p, struct ast_stmt *s)
{
	parser_next(p);
	return parse_name(p, "the name of the policy", &s->name) && parse_body(p, PARSE_POLICY, &s->body);
}

/* `ingress default drop { … }`: the default is always written. */
static bool parse_chain(struct parser *p, struct ast_stmt *s)
{
	struct diag *g;

	s->direction = parser_is(p, "egress") ? DIRECTION_EGRESS : DIRECTION_INGRESS;
	parser_next(p);
	if (!parser_take(p, "default")) {
		parser_expected(p, "\"default drop\" or \"default pass\"", &g);
		return false;
	}
	if (parser_is(p, "drop") || parser_is(p, "pass")) {
		s->fallback = parser_is(p, "drop") ? VERDICT_DROP : VERDICT_PASS;
		parser_next(p);
		return parse_body(p, PARSE_CHAIN, &s->body);
	}
	if (parser_refuse_later(p))
		return false;
	parser_expected(p, "\"drop\" or \"pass\"", &g);
	if (parser_is(p, "reject"))
		diag_hint(p->d, g, "write \"reject\" as the last rule of the block");
	return false;
}

static bool parse_include(struct parser *p, struct ast_stmt *s)
{
	parser_next(p);
	return parse_string(p, "the file's name, in quotes", &s->name);
}

static bool parse_essentials(struct parser *p, struct ast_stmt *s)
{
	parser_next(p);
	if (!parser_is(p, "on") && !parser_is(p, "off"))
		return parser_expected(p, "\"on\" or \"off\"", NULL);
	s->on = parser_is(p, "on");
	parser_next(p);
	return true;
}

/* `interface eth0, "odd name" uses web` */
static bool parse_interface(struct parser *p, struct ast_stmt *s)
{
	struct ast_list all = {}, one;
	size_t cap = 0;

	parser_next(p);
	for (;;) {
		struct ast_value *v = all.v;

		if (!parse_list(p, "the name of an interface", &one))
			return false;
		if (one.negate) {
			diag_add(p->d, DIAG_ERROR, one.span, "interfaces cannot be negated");
			return false;
		}
		if (all.n + one.n > cap) {
			cap = (all.n + one.n) * 2;
			v = parser_alloc(p, cap, sizeof(*v));
			if (!v)
				return false;
			if (all.n)
				memcpy(v, all.v, all.n * sizeof(*v));
		}
		if (one.n)
			memcpy(v + all.n, one.v, one.n * sizeof(*v));
		all.v = v;
		all.n += one.n;
		if (p->tok.kind != TOK_COMMA)
			break;
		parser_next(p);
	}
	s->list = all;
	if (!parser_take(p, "uses"))
		return parser_expected(p, "\"uses POLICY\"", NULL);
	return parse_name(p, "the name of a policy", &s->name);
}

static bool parse_test(struct parser *p, struct ast_stmt *s)
{
	parser_next(p);
	if (parser_take(p, "policy") && !parse_name(p, "the name of a policy", &s->name))
		return false;
	return parse_body(p, PARSE_TEST, &s->body);
}

static bool parse_sequence(struct parser *p, struct ast_stmt *s)
{
	parser_next(p);
	return parse_body(p, PARSE_SEQUENCE, &s->body);
}

bool parse_source(struct arena *arena, const struct source *source, enum parse_level level, struct diags *d,
		  struct ast_block *ret_block)
{
	struct ast_block block = {};
	struct parser p;
	bool failed;

	parser_init(&p, arena, source, d);
	parse_statements(&p, level, false, &block);
	failed = p.failed;
	parser_fini(&p);
	if (!failed)
		*ret_block = block;
	return !failed;
}
