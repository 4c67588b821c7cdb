/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bytes → tokens. Every byte belongs to a token, to white space, or to a comment; the lexer knows no keyword.
 */
#ifndef FW_LANG_LEX_H
#define FW_LANG_LEX_H

#include "base/diag.h"

enum tok {
	TOK_END,
	TOK_NEWLINE, /* or ";" */
	TOK_WORD,    /* letters, digits and _ . : / - + [ ], without "->" inside */
	TOK_STRING,  /* "…", quotes included in the token */
	TOK_VAR,     /* $name */
	TOK_SET,     /* @name */
	TOK_LBRACE,
	TOK_RBRACE,
	TOK_COMMA,
	TOK_NOT, /* ! or != */
	TOK_CMP, /* = == < <= > >= */
	TOK_ARROW,
	TOK_BAD, /* bytes that start no token; a string without its end */
};

struct token {
	enum tok kind;
	uint32_t start, end;
	unsigned int line, column; /* 1-based */
};

struct lexer {
	const struct source *source;
	uint32_t pos, line_start;
	unsigned int line;
};

/* Texts longer than this are refused by the callers: spans have 32 bits. */
#define LEX_MAX_TEXT (1u << 30)

void lex_init(struct lexer *lx, const struct source *source);
struct token lex_next(struct lexer *lx);

/* True when a word made of these bytes is one token and nothing else. */
bool lex_is_word(const char *s, size_t len);

#endif
