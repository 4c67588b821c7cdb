// SPDX-License-Identifier: GPL-2.0-only
/* `set NAME { type prefix; file "x"; elements { … } }`, `set NAME { live; timeout 1h; size 262144 }` */
#include "lang/parse.h"
#include "lang/words.h"

#include <string.h>

#define MAX_FILES   64	/* of one set */
#define MAX_SIZE    16777216 /* FW_MAX_LIVE_SIZE */
#define MAX_TIMEOUT (3650 * DURATION_DAY)

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

/* `live` and the options that only a live set has. */
static bool parse_live(struct parser *p, struct ast_live *live, bool *ret_taken)
{
	const struct {
		const char *word;
		struct span *given;
	} options[] = {
		{ "live", &live->live },	 { "timeout", &live->timeout }, { "size", &live->size },
		{ "counters", &live->counters }, { "widen", &live->widen },
	};
	uint64_t n = 0;

	*ret_taken = false;
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		struct span span = parser_span(p);

		if (!parser_is(p, options[i].word))
			continue;
		*ret_taken = true;
		if (options[i].given->source) {
			struct diag *g = diag_add(p->d, DIAG_ERROR, span, "this option is given twice");

			diag_note(p->d, g, *options[i].given, "first given here");
			return false;
		}
		*options[i].given = span;
		parser_next(p);
		if (options[i].given == &live->timeout)
			return parse_duration(p, DURATION_S, MAX_TIMEOUT, &live->timeout_ns);
		if (options[i].given == &live->size && !parse_count(p, "how many elements the set holds", MAX_SIZE, &n))
			return false;
		live->max = n ? (uint32_t)n : live->max;
		return true;
	}
	return true;
}

static bool unknown_member(struct parser *p)
{
	static const char *const words[] = { "type", "file", "elements", "live", "timeout", "size", "counters", "widen" };
	struct ast_text t = parser_text(p);
	struct guess guess;
	struct diag *g;

	if (parser_refuse_later(p))
		return false;
	parser_expected(p, "type, file, elements, or live and its options timeout, size, counters, widen", &g);
	if (p->tok.kind != TOK_WORD)
		return false;
	guess_init(&guess, p->arena, t.s, t.len);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		guess_try(&guess, words[i]);
	guess_hint(&guess, p->d, g, "");
	return false;
}

static bool parse_member(struct parser *p, struct ast_set *set, struct ast_text *files)
{
	bool taken, good;

	if (parser_take(p, "type"))
		return parse_type(p);
	if (parser_take(p, "file"))
		return parse_file(p, files, &set->nfiles);
	if (parser_take(p, "elements"))
		return parse_elements(p, set);
	good = parse_live(p, &set->live, &taken);
	return taken ? good : unknown_member(p);
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
