/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tokens → tree. One function per statement; a mistake is reported once, then the parser goes on with the next line,
 * so that one run finds many. Blocks nest to a fixed depth (policy, chain, rule, list) and lists do not nest: the
 * recursion never depends on the text.
 */
#ifndef FW_LANG_PARSE_H
#define FW_LANG_PARSE_H

#include "lang/ast.h"
#include "lang/lex.h"
#include "lang/number.h"

struct arena;

/* Where a statement stands. */
enum parse_level { PARSE_TOP, PARSE_POLICY, PARSE_CHAIN, PARSE_TEST, PARSE_SEQUENCE };

struct parser {
	struct arena *arena;
	struct diags *d;
	struct lexer lx;
	struct token tok;    /* the current one */
	uint32_t prev_end;   /* of the token before it */
	struct token open;   /* the "{" of the list being read */
	unsigned int braces; /* of lists and sets that are open */
	bool failed;	     /* no memory */
	struct {
		struct ast_value *v;
		size_t n, cap;
	} values; /* scratch of the list being read */
};

/* A whole source as statements of one level. False: no memory. Mistakes are diagnostics. */
bool parse_source(struct arena *arena, const struct source *source, enum parse_level level, struct diags *d,
		  struct ast_block *ret_block);

/* The parts that other files of the parser need. Functions that return bool: false after a diagnostic (or failed). */
void parser_init(struct parser *p, struct arena *arena, const struct source *source, struct diags *d);
void parser_fini(struct parser *p);
void parser_next(struct parser *p);
struct span parser_span(const struct parser *p); /* of the current token */
struct ast_text parser_text(const struct parser *p);
bool parser_is(const struct parser *p, const char *word); /* the current token is this word */
bool parser_take(struct parser *p, const char *word);	  /* … and goes on */
bool parser_at_end(const struct parser *p);		  /* of a statement: newline, "}" or the end */
/* "expected WHAT, not "…"": always false. The diagnostic, for a hint, in ret_diag when not NULL. */
bool parser_expected(struct parser *p, const char *what, struct diag **ret_diag);
bool parser_refuse_later(struct parser *p); /* a word for later: say so, return true */
void *parser_alloc(struct parser *p, size_t n, size_t size);

bool parse_name(struct parser *p, const char *what, struct ast_text *ret);
bool parse_string(struct parser *p, const char *what, struct ast_text *ret);
/* One value or `{ a, b }`. `what` says what stands there, for the message. */
bool parse_list(struct parser *p, const char *what, struct ast_list *ret);

bool parse_rule(struct parser *p, struct ast_stmt *stmt);
bool parse_set_body(struct parser *p, struct ast_stmt *stmt);
bool parse_state(struct parser *p, struct ast_stmt *stmt);
/* parse_log.c: a line that begins with `log`, a rule or not; the options of a log; one of them, if it stands here. */
bool parse_log_line(struct parser *p, struct ast_stmt *stmt);
bool parse_log_options(struct parser *p, struct ast_log *log);
bool parse_log_option(struct parser *p, struct ast_log *log, bool *ret_taken);

/* parse_expect.c: lines of a test block; `after`, `add` and `del` stand in sequences alone. */
bool parse_expect(struct parser *p, struct ast_stmt *stmt);
bool parse_after(struct parser *p, struct ast_stmt *stmt);
bool parse_element(struct parser *p, struct ast_stmt *stmt);

/* parse_amount.c. `what` says whose number it is. */
bool parse_count(struct parser *p, const char *what, uint64_t max, uint64_t *ret);
/* A duration of whole `unit`s: DURATION_S, DURATION_MS. */
bool parse_duration(struct parser *p, uint64_t unit, uint64_t max, uint64_t *ret_ns);
/* `10/s burst 20 per src` */
bool parse_limit(struct parser *p, struct limit *ret);
/* `10/s burst 20`, of events */
bool parse_log_limit(struct parser *p, struct log_opts *ret);
/* `src/24`, behind "per" */
bool parse_per(struct parser *p, bool only_src, enum per *ret, uint8_t *plen4, uint8_t *plen6);
/* A packet in words; stops at the first word that is not part of it. */
bool parse_packet(struct parser *p, struct packet_spec **ret_spec);

/* Is this the first word of a statement? Then a list that is still open has lost its "}". */
bool parse_is_keyword(const char *s, size_t len);

#endif
