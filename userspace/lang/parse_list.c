// SPDX-License-Identifier: GPL-2.0-only
/* Lists: `22`, `!22`, `{ 80, 443, 8000-8080 }`, `$name`, `@set`, `>= 1024`. */
#include "lang/parse.h"

#include "base/vec.h"

#include <string.h>

static enum ast_cmp take_cmp(struct parser *p)
{
	struct ast_text t = parser_text(p);
	bool eq = t.len == 2;

	if (p->tok.kind != TOK_CMP)
		return AST_CMP_NONE;
	parser_next(p);
	if (t.s[0] == '<')
		return eq ? AST_CMP_LE : AST_CMP_LT;
	if (t.s[0] == '>')
		return eq ? AST_CMP_GE : AST_CMP_GT;
	return AST_CMP_NONE; /* "=" says nothing */
}

/* `1 - 9`: the rest of a range that was written with blanks. */
static bool take_range_end(struct parser *p, struct ast_value *v)
{
	struct ast_text *to;

	if (v->kind != AST_WORD || v->cmp || !parser_is(p, "-"))
		return true;
	parser_next(p);
	if (p->tok.kind != TOK_WORD)
		return parser_expected(p, "the end of the range", NULL);
	to = parser_alloc(p, 1, sizeof(*to));
	if (!to)
		return false;
	*to = parser_text(p);
	v->to = to;
	parser_next(p);
	return true;
}

static bool parse_value(struct parser *p, const char *what)
{
	struct ast_value v = { .cmp = take_cmp(p), .text = parser_text(p) };

	switch (p->tok.kind) {
	case TOK_WORD:
		v.kind = AST_WORD;
		break;
	case TOK_VAR:
	case TOK_SET:
		v.kind = p->tok.kind == TOK_VAR ? AST_VAR : AST_SET;
		v.text.s++;
		v.text.len--;
		break;
	case TOK_STRING:
		v.kind = AST_STRING;
		if (!parse_string(p, what, &v.text))
			return false;
		break;
	default:
		return parser_expected(p, what, NULL);
	}
	if (v.kind != AST_STRING)
		parser_next(p);
	if (!take_range_end(p, &v))
		return false;
	if (vec_push(&p->values, v)) {
		p->failed = true;
		return false;
	}
	return true;
}

static bool list_unclosed(struct parser *p)
{
	struct diag *g = diag_add(p->d, DIAG_ERROR, parser_span(p), "expected \"}\": a list is still open here");

	diag_note(p->d, g, (struct span){ p->lx.source, p->open.start, p->open.end }, "the list starts here");
	p->braces = 0; /* the statement that follows is read again */
	return false;
}

static bool parse_elements(struct parser *p, const char *what)
{
	for (;;) {
		struct ast_text t;
		bool fresh = false;

		while (p->tok.kind == TOK_NEWLINE || p->tok.kind == TOK_COMMA) {
			fresh = p->tok.kind == TOK_NEWLINE;
			parser_next(p);
		}
		t = parser_text(p);
		if (p->tok.kind == TOK_RBRACE)
			return true;
		if (p->tok.kind == TOK_END || (fresh && p->tok.kind == TOK_WORD && parse_is_keyword(t.s, t.len)))
			return list_unclosed(p);
		if (p->tok.kind == TOK_LBRACE) {
			diag_add(p->d, DIAG_ERROR, t.span, "lists do not nest");
			return false;
		}
		if (p->tok.kind == TOK_NOT) {
			struct diag *g =
				diag_add(p->d, DIAG_ERROR, t.span, "\"!\" stands before a list, not inside it");

			diag_hint(p->d, g, "\"! { a, b }\" means: neither a nor b");
			return false;
		}
		if (!parse_value(p, what))
			return false;
	}
}

bool parse_list(struct parser *p, const char *what, struct ast_list *ret)
{
	struct ast_list list = { .span = parser_span(p) };

	if (p->tok.kind == TOK_NOT) {
		list.negate = true;
		parser_next(p);
	} else if (p->tok.kind == TOK_CMP && p->lx.source->text[p->tok.start] == '=') {
		parser_next(p); /* `port = 22`, `elements = { … }` */
	}
	p->values.n = 0;
	if (p->tok.kind == TOK_LBRACE) {
		p->open = p->tok;
		p->braces++;
		parser_next(p);
		if (!parse_elements(p, what))
			return false;
		p->braces--;
		parser_next(p);
	} else if (!parse_value(p, what)) {
		return false;
	}
	list.span.end = p->prev_end;
	list.n = p->values.n;
	list.v = parser_alloc(p, list.n, sizeof(*list.v));
	if (!list.v)
		return false;
	if (list.n)
		memcpy(list.v, p->values.v, list.n * sizeof(*list.v));
	*ret = list;
	return true;
}
