// SPDX-License-Identifier: GPL-2.0-only
#include "lang/parse.h"

#include "base/arena.h"
#include "base/vec.h"
#include "lang/words.h"

#include <string.h>

void parser_init(struct parser *p, struct arena *arena, const struct source *source, struct diags *d)
{
	*p = (struct parser){ .arena = arena, .d = d };
	lex_init(&p->lx, source);
	p->tok = lex_next(&p->lx);
}

void parser_fini(struct parser *p)
{
	vec_fini(&p->values);
}

void parser_next(struct parser *p)
{
	p->prev_end = p->tok.end;
	p->tok = lex_next(&p->lx);
}

struct span parser_span(const struct parser *p)
{
	return (struct span){ p->lx.source, p->tok.start, p->tok.end };
}

struct ast_text parser_text(const struct parser *p)
{
	return (struct ast_text){ p->lx.source->text + p->tok.start, p->tok.end - p->tok.start, parser_span(p) };
}

bool parser_is(const struct parser *p, const char *word)
{
	size_t len = p->tok.end - p->tok.start;

	return p->tok.kind == TOK_WORD && str_is(word, p->lx.source->text + p->tok.start, len);
}

bool parser_take(struct parser *p, const char *word)
{
	bool is = parser_is(p, word);

	if (is)
		parser_next(p);
	return is;
}

bool parser_at_end(const struct parser *p)
{
	return p->tok.kind == TOK_NEWLINE || p->tok.kind == TOK_RBRACE || p->tok.kind == TOK_END;
}

void *parser_alloc(struct parser *p, size_t n, size_t size)
{
	void *m = arena_array(p->arena, n, size);

	if (!m)
		p->failed = true;
	return m;
}

/* What stands there, in words. */
static const char *token_words(struct parser *p)
{
	struct ast_text t = parser_text(p);
	struct str shown = {};
	const char *words;

	switch (p->tok.kind) {
	case TOK_END:
		return "the end of the file";
	case TOK_NEWLINE:
		return t.len && t.s[0] == ';' ? "\";\"" : "the end of the line";
	case TOK_STRING:
		return "a string";
	case TOK_BAD:
		if (t.len && t.s[0] == '"')
			return "a string without its closing quote";
		break;
	default:
		break;
	}
	str_add_escaped(&shown, t.s, t.len < 40 ? t.len : 40);
	words = arena_printf(p->arena, "\"%s%s\"", str_get(&shown), t.len > 40 ? "..." : "");
	str_fini(&shown);
	return words ? words : "this";
}

bool parser_expected(struct parser *p, const char *what, struct diag **ret_diag)
{
	struct span span = parser_span(p);
	struct diag *g;

	/* At the end of a line, point behind the last word rather than at nothing. */
	if (p->tok.kind == TOK_NEWLINE || p->tok.kind == TOK_END)
		span.end = span.start;
	g = diag_add(p->d, DIAG_ERROR, span, "expected %s, not %s", what, token_words(p));
	if (ret_diag)
		*ret_diag = g;
	return false;
}

bool parser_refuse_later(struct parser *p)
{
	struct ast_text t = parser_text(p);

	if (p->tok.kind != TOK_WORD || !word_is_later(t.s, t.len))
		return false;
	diag_add(p->d, DIAG_ERROR, t.span, "\"%.*s\" is not supported yet", (int)t.len, t.s);
	return true;
}

static bool name_valid(const char *s, size_t len)
{
	if (!len || len > 63 || !((s[0] | 0x20) >= 'a' && (s[0] | 0x20) <= 'z') || s[len - 1] == '-')
		return s[0] == '_' && len > 1 && len <= 63 && !memchr(s, ':', len) && !memchr(s, '/', len) &&
		       !memchr(s, '+', len) && !memchr(s, '[', len) && !memchr(s, ']', len);
	for (size_t i = 0; i < len; i++)
		if (strchr(":/+[]", s[i]))
			return false;
	return true;
}

bool parse_name(struct parser *p, const char *what, struct ast_text *ret)
{
	struct ast_text t = parser_text(p);

	if (p->tok.kind != TOK_WORD)
		return parser_expected(p, what, NULL);
	if (!name_valid(t.s, t.len)) {
		struct diag *g = diag_add(p->d, DIAG_ERROR, t.span, "this is not a name");

		diag_hint(p->d, g,
			  "a name starts with a letter, has letters, digits, \"_\", \".\" and \"-\", and at most 63 of "
			  "them");
		return false;
	}
	parser_next(p);
	*ret = t;
	return true;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* \" \\ and \xNN; anything else after a backslash is a mistake, and so is a NUL. */
static bool string_decode(const char *s, size_t len, char *out, size_t *ret_len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		if (s[i] == '\\') {
			if (i + 1 < len && (s[i + 1] == '"' || s[i + 1] == '\\')) {
				i++;
			} else if (i + 3 < len && s[i + 1] == 'x' && hex_digit(s[i + 2]) >= 0 &&
				   hex_digit(s[i + 3]) >= 0) {
				out[n++] = (char)(hex_digit(s[i + 2]) << 4 | hex_digit(s[i + 3]));
				i += 3;
				if (!out[n - 1])
					return false;
				continue;
			} else {
				return false;
			}
		}
		if (!s[i])
			return false;
		out[n++] = s[i];
	}
	*ret_len = n;
	return true;
}

bool parse_string(struct parser *p, const char *what, struct ast_text *ret)
{
	struct ast_text t = parser_text(p);
	char *out;

	if (p->tok.kind != TOK_STRING)
		return parser_expected(p, what, NULL);
	out = parser_alloc(p, t.len + 1, 1);
	if (!out)
		return false;
	if (!string_decode(t.s + 1, t.len - 2, out, &t.len)) {
		diag_add(p->d, DIAG_ERROR, t.span, "in a string a backslash stands before \", \\ or xNN (not x00)");
		return false;
	}
	parser_next(p);
	*ret = (struct ast_text){ out, t.len, t.span };
	return true;
}
