// SPDX-License-Identifier: GPL-2.0-only
#include "lang/lex.h"

#include <string.h>

static bool is_word_byte(unsigned char c)
{
	static const bool table[256] = {
		['0' ... '9'] = true, ['a' ... 'z'] = true, ['A' ... 'Z'] = true, ['_'] = true,
		['.'] = true,	      [':'] = true,	    ['/'] = true,	  ['-'] = true,
		['+'] = true,	      ['['] = true,	    [']'] = true,
	};

	return table[c];
}

bool lex_is_word(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!is_word_byte((unsigned char)s[i]) || (s[i] == '-' && i + 1 < len && s[i + 1] == '>'))
			return false;
	return len > 0;
}

void lex_init(struct lexer *lx, const struct source *source)
{
	*lx = (struct lexer){ .source = source, .line = 1 };
	if (source->len >= 3 && !memcmp(source->text, "\xef\xbb\xbf", 3)) /* a byte order mark says nothing */
		lx->pos = lx->line_start = 3;
}

/* The byte `ahead` of here; NUL past the end (a NUL in the text is a bad byte, so the two never mix up). */
static unsigned char peek(const struct lexer *lx, uint32_t ahead)
{
	size_t at = (size_t)lx->pos + ahead;

	return at < lx->source->len ? (unsigned char)lx->source->text[at] : 0;
}

static void count_line(struct lexer *lx)
{
	lx->line++;
	lx->line_start = lx->pos;
}

/* White space, comments, and "\" at the end of a line. */
static void skip_blank(struct lexer *lx)
{
	for (;;) {
		unsigned char c = peek(lx, 0);

		if (c == ' ' || c == '\t' || c == '\r' || c == '\f') {
			lx->pos++;
		} else if (c == '#') {
			const char *from = lx->source->text + lx->pos;
			const char *eol = memchr(from, '\n', lx->source->len - lx->pos);

			lx->pos += eol ? (uint32_t)(eol - from) : (uint32_t)(lx->source->len - lx->pos);
		} else if (c == '\\' && (peek(lx, 1) == '\n' || (peek(lx, 1) == '\r' && peek(lx, 2) == '\n'))) {
			lx->pos += peek(lx, 1) == '\n' ? 2 : 3;
			count_line(lx);
		} else {
			return;
		}
	}
}

static void take_word(struct lexer *lx)
{
	while (is_word_byte(peek(lx, 0)) && !(peek(lx, 0) == '-' && peek(lx, 1) == '>'))
		lx->pos++;
}

/* "…" on one line; a backslash protects the next byte. Without its end it is a bad token up to the end of the line. */
static enum tok take_string(struct lexer *lx)
{
	for (lx->pos++; lx->pos < lx->source->len; lx->pos++) {
		unsigned char c = peek(lx, 0);

		if (c == '\n')
			return TOK_BAD;
		if (c == '"') {
			lx->pos++;
			return TOK_STRING;
		}
		if (c == '\\' && peek(lx, 1) != '\n' && lx->pos + 1 < lx->source->len)
			lx->pos++;
	}
	return TOK_BAD;
}

static enum tok take_name(struct lexer *lx, enum tok kind)
{
	uint32_t start = ++lx->pos;

	take_word(lx);
	return lx->pos > start ? kind : TOK_BAD;
}

static enum tok take_symbol(struct lexer *lx, unsigned char c)
{
	bool eq = peek(lx, 1) == '=';

	lx->pos++;
	switch (c) {
	case '{':
		return TOK_LBRACE;
	case '}':
		return TOK_RBRACE;
	case ',':
		return TOK_COMMA;
	case ';':
		return TOK_NEWLINE;
	case '!':
		lx->pos += eq;
		return TOK_NOT;
	case '<':
	case '>':
	case '=':
		lx->pos += eq;
		return TOK_CMP;
	case '-': /* only "->" comes here */
		lx->pos++;
		return TOK_ARROW;
	}
	/* One token for a run of nonsense: one diagnostic. */
	while ((c = peek(lx, 0)) >= 0x80 || (c && (c < ' ' || strchr("'`()&|~^%*?\\", c)) && !strchr(" \t\r\n\f", c)))
		lx->pos++;
	return TOK_BAD;
}

struct token lex_next(struct lexer *lx)
{
	struct token t = {};
	unsigned char c;

	skip_blank(lx);
	t.start = lx->pos;
	t.line = lx->line;
	t.column = lx->pos - lx->line_start + 1;
	c = peek(lx, 0);
	if (lx->pos >= lx->source->len) {
		t.kind = TOK_END;
	} else if (c == '\n') {
		t.kind = TOK_NEWLINE;
		lx->pos++;
		count_line(lx);
	} else if (c == '"') {
		t.kind = take_string(lx);
	} else if (c == '$') {
		t.kind = take_name(lx, TOK_VAR);
	} else if (c == '@') {
		t.kind = take_name(lx, TOK_SET);
	} else if (is_word_byte(c) && !(c == '-' && peek(lx, 1) == '>')) {
		t.kind = TOK_WORD;
		take_word(lx);
	} else {
		t.kind = take_symbol(lx, c);
	}
	t.end = lx->pos;
	return t;
}
