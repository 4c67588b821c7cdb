// SPDX-License-Identifier: GPL-2.0-only
/* `log limit 10/s burst 20 sample 1/8`: behind a rule, in front of one, or for the default and the reasons of a block. */
#include "lang/rule_parser.h"

#include <string.h>

#define MAX_SAMPLE 1000000000u

/* `1/8` */
static bool parse_sample(struct parser *p, uint32_t *ret)
{
	struct ast_text t = parser_text(p);
	const char *slash = p->tok.kind == TOK_WORD ? memchr(t.s, '/', t.len) : NULL;
	size_t len = slash ? (size_t)(slash - t.s) : t.len;
	uint64_t one, n;
	struct diag *g;

	if (slash && number_parse(t.s, len, &one) && one == 1 && number_parse(slash + 1, t.len - len - 1, &n) && n && n <= MAX_SAMPLE) {
		*ret = (uint32_t)n;
		parser_next(p);
		return true;
	}
	parser_expected(p, "one packet of so many, such as 1/8", &g);
	if (p->tok.kind == TOK_WORD && number_parse(t.s, t.len, &n) && n && n <= MAX_SAMPLE)
		diag_hint(p->d, g, "write \"sample 1/%llu\"", (unsigned long long)n);
	else
		diag_hint(p->d, g, "from 1/1, every packet, to 1/%u", MAX_SAMPLE);
	return false;
}

/* A word at its second place. */
static bool given_twice(struct parser *p, struct span first, bool limit)
{
	struct diag *g = diag_add(p->d, DIAG_ERROR, parser_span(p), "\"%s\" is given twice for this log", limit ? "limit" : "sample");

	diag_note(p->d, g, first, "first given here");
	if (limit)
		diag_hint(p->d, g, "that of a rule itself stands before \"log\": pass ... limit 10/s log limit 1/s");
	return false;
}

bool parse_log_option(struct parser *p, struct ast_log *log, bool *ret_taken)
{
	bool limit = parser_is(p, "limit");
	struct span *given = limit ? &log->limit : &log->sample;
	struct diag *g;

	*ret_taken = limit || parser_is(p, "sample") || parser_is(p, "burst");
	if (!*ret_taken)
		return true;
	if (parser_is(p, "burst")) {
		g = diag_add(p->d, DIAG_ERROR, parser_span(p), "\"burst\" needs a \"limit\" before it");
		diag_hint(p->d, g, "write \"limit 10/s burst 20\"");
		return false;
	}
	if (given->source)
		return given_twice(p, *given, limit);
	*given = parser_span(p);
	parser_next(p);
	return limit ? parse_log_limit(p, &log->opts) : parse_sample(p, &log->opts.sample);
}

bool parse_log_options(struct parser *p, struct ast_log *log)
{
	bool taken = true;

	while (taken)
		if (!parse_log_option(p, log, &taken))
			return false;
	return true;
}

/* `log default limit 10/s`, `log reasons`; everything else that begins so is a rule. */
bool parse_log_line(struct parser *p, struct ast_stmt *stmt)
{
	struct parser ahead = *p;
	struct diag *g;

	parser_next(&ahead);
	if (!parser_is(&ahead, "default") && !parser_is(&ahead, "reasons"))
		return parse_rule(p, stmt);
	parser_next(p);
	stmt->kind = AST_LOG_LINE;
	stmt->on = parser_is(p, "reasons");
	stmt->span.end = p->tok.end;
	stmt->log.opts.sample = 1;
	parser_next(p);
	if (!parse_log_options(p, &stmt->log))
		return false;
	if (parser_at_end(p))
		return true;
	parser_expected(p, "limit, sample or the end of the line", &g);
	diag_hint(p->d, g, stmt->on ? "\"log reasons\" has no conditions: it tells of what neither a rule nor the default decided"
				    : "\"log default\" has no conditions: a rule has them, as in: log proto tcp to port 22");
	return false;
}
