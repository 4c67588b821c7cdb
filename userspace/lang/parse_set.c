// SPDX-License-Identifier: GPL-2.0-only
/* `set NAME { type prefix; file "x"; elements { … } }` */
#include "lang/parse.h"

#include <string.h>

#define MAX_FILES 64 /* of one set */

static bool parse_type(struct parser *p)
{
	struct diag *g;

	if (parser_take(p, "prefix"))
		return true;
	parser_expected(p, "\"prefix\"", &g);
	diag_hint(p->d, g, "a set holds hosts and prefixes of both families: type prefix");
	return false;
}

static bool parse_file(struct parser *p, struct ast_text *files, size_t *nfiles)
{
	if (*nfiles == MAX_FILES) {
		diag_add(p->d, DIAG_ERROR, parser_span(p), "a set has at most %d files", MAX_FILES);
		return false;
	}
	if (!parse_string(p, "the file's name, in quotes", &files[*nfiles]))
		return false;
	++*nfiles;
	return true;
}

static bool parse_elements(struct parser *p, struct ast_set *set)
{
	struct ast_list list, all;

	if (!parse_list(p, "an address or a prefix", &list))
		return false;
	if (list.negate) {
		diag_add(p->d, DIAG_ERROR, list.span, "the elements of a set cannot be negated");
		return false;
	}
	if (set->elements.n) {
		diag_add(p->d, DIAG_ERROR, list.span, "a set has one \"elements\" list");
		return false;
	}
	all = list;
	set->elements = all;
	return true;
}

static bool parse_member(struct parser *p, struct ast_set *set, struct ast_text *files)
{
	if (parser_take(p, "type"))
		return parse_type(p);
	if (parser_take(p, "file"))
		return parse_file(p, files, &set->nfiles);
	if (parser_take(p, "elements"))
		return parse_elements(p, set);
	if (parser_refuse_later(p))
		return false;
	return parser_expected(p, "type, file or elements", NULL);
}

bool parse_set_body(struct parser *p, struct ast_stmt *stmt)
{
	struct ast_text files[MAX_FILES];
	struct ast_set *set = &stmt->set;
	struct span open = parser_span(p);

	if (p->tok.kind != TOK_LBRACE)
		return parser_expected(p, "\"{\"", NULL);
	p->braces++;
	parser_next(p);
	for (;;) {
		while (p->tok.kind == TOK_NEWLINE)
			parser_next(p);
		if (p->tok.kind == TOK_RBRACE)
			break;
		if (p->tok.kind == TOK_END) {
			struct diag *g;

			parser_expected(p, "\"}\"", &g);
			diag_note(p->d, g, open, "the set starts here");
			return false;
		}
		if (!parse_member(p, set, files) ||
		    (!parser_at_end(p) && !parser_expected(p, "\";\" or the end of the line", NULL)))
			return false;
	}
	p->braces--;
	parser_next(p);
	set->files = parser_alloc(p, set->nfiles, sizeof(files[0]));
	if (!set->files)
		return false;
	memcpy(set->files, files, set->nfiles * sizeof(files[0]));
	return true;
}
