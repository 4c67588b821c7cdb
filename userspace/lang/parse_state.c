// SPDX-License-Identifier: GPL-2.0-only
/* `state { size 262144; full drop; tcp established 5d }` of a policy. */
#include "base/arena.h"
#include "lang/parse.h"
#include "lang/words.h"
#include "model/track.h"

#include <string.h>

#define MAX_FLOWS   4194304		/* FW_MAX_FLOWS */
#define MAX_TIMEOUT (30 * DURATION_DAY) /* a datapath timeout has 32 bits of milliseconds */

struct state_parser {
	struct parser *p;
	struct state_opts *opts;
	struct span timeout[TRACK_TIMEOUTS]; /* where it was given */
};

static bool take_size(struct state_parser *sp)
{
	uint64_t n;

	if (!parse_count(sp->p, "how many flows the table holds", MAX_FLOWS, &n))
		return false;
	sp->opts->size = (uint32_t)n;
	return true;
}

static bool take_pending(struct state_parser *sp)
{
	uint64_t n;

	if (!parse_count(sp->p, "how many half-open flows there may be", MAX_FLOWS, &n))
		return false;
	sp->opts->pending = (uint32_t)n;
	return true;
}

static bool take_full(struct state_parser *sp)
{
	if (!parser_is(sp->p, "drop") && !parser_is(sp->p, "pass"))
		return parser_expected(sp->p, "drop or pass: what happens to a new flow when the table is full", NULL);
	sp->opts->full_pass = parser_is(sp->p, "pass");
	parser_next(sp->p);
	return true;
}

static bool take_pickup(struct state_parser *sp)
{
	uint64_t ns;

	if (parser_is(sp->p, "off") || parser_is(sp->p, "always")) {
		sp->opts->pickup_s = parser_is(sp->p, "off") ? 0 : UINT32_MAX;
		parser_next(sp->p);
		return true;
	}
	if (!parse_duration(sp->p, DURATION_S, MAX_TIMEOUT, &ns))
		return false;
	sp->opts->pickup_s = (uint32_t)(ns / DURATION_S);
	return true;
}

static bool take_asymmetric(struct state_parser *sp)
{
	sp->opts->asymmetric = true;
	return true;
}

static bool take_window(struct state_parser *sp)
{
	sp->opts->window = true;
	return true;
}

static const struct {
	const char *word;
	bool (*take)(struct state_parser *sp);
} options[] = {
	{ "size", take_size },	   { "pending", take_pending },	      { "full", take_full },
	{ "pickup", take_pickup }, { "asymmetric", take_asymmetric }, { "window", take_window },
};
#define NOPTIONS (sizeof(options) / sizeof(options[0]))

static bool given_twice(struct parser *p, struct span span, struct span first)
{
	struct diag *g = diag_add(p->d, DIAG_ERROR, span, "this option is given twice");

	diag_note(p->d, g, first, "first given here");
	return false;
}

/* The timeout whose words are the first `words` (1, 2) tokens from here; -1: none. */
static int timeout_find(struct parser *p, size_t words, struct span *ret_span)
{
	struct ast_text t = parser_text(p);
	struct lexer ahead = p->lx;
	struct token second = lex_next(&ahead);
	const char *s = p->lx.source->text + second.start;
	size_t len = second.end - second.start;

	*ret_span = t.span;
	if (words == 2)
		ret_span->end = second.end;
	for (int i = 0; i < TRACK_TIMEOUTS; i++) {
		const char *name = track_timeout_words((enum track_timeout)i), *blank = strchr(name, ' ');
		size_t head = blank ? (size_t)(blank - name) : strlen(name);

		if ((words == 2) == (blank != NULL) && head == t.len && !memcmp(name, t.s, head) &&
		    (words == 1 || (second.kind == TOK_WORD && str_is(blank + 1, s, len))))
			return i;
	}
	return -1;
}

/* `tcp established 5d`, `udp 60s` */
static bool take_timeout(struct state_parser *sp, bool *ret_known)
{
	struct parser *p = sp->p;
	struct span span;
	size_t words = 2;
	uint64_t ns;
	int t = timeout_find(p, 2, &span);

	if (t < 0) {
		words = 1;
		t = timeout_find(p, 1, &span);
	}
	*ret_known = t >= 0;
	if (t < 0)
		return false;
	if (sp->timeout[t].source)
		return given_twice(p, span, sp->timeout[t]);
	sp->timeout[t] = span;
	while (words--)
		parser_next(p);
	if (!parse_duration(p, DURATION_S, MAX_TIMEOUT, &ns))
		return false;
	sp->opts->timeout_s[t] = (uint32_t)(ns / DURATION_S);
	return true;
}

/* Neither an option nor a timeout. `tcp foo` is told which timeouts tcp has. */
static bool unknown_option(struct state_parser *sp)
{
	struct parser *p = sp->p;
	struct ast_text t = parser_text(p);
	struct guess guess;
	struct str has = {};
	struct diag *g;

	parser_expected(
		p, "size, pending, full, pickup, asymmetric, window or a timeout such as \"tcp established 5d\"", &g);
	if (p->tok.kind != TOK_WORD)
		return false;
	guess_init(&guess, p->arena, t.s, t.len);
	for (size_t i = 0; i < NOPTIONS; i++)
		guess_try(&guess, options[i].word);
	for (int i = 0; i < TRACK_TIMEOUTS; i++) {
		const char *name = track_timeout_words((enum track_timeout)i);
		size_t head = strcspn(name, " ");

		guess_try(&guess, arena_strndup(p->arena, name, head) ?: "");
		if (head == t.len && !memcmp(name, t.s, head))
			str_addf(&has, "%s\"%s\"", has.len ? ", " : "", name);
	}
	if (has.len)
		diag_hint(p->d, g, "the timeouts are %s", str_get(&has));
	else
		guess_hint(&guess, p->d, g, "");
	str_fini(&has);
	return false;
}

static bool take_option(struct state_parser *sp, struct span given[NOPTIONS])
{
	struct parser *p = sp->p;
	bool known;

	for (size_t i = 0; i < NOPTIONS; i++) {
		if (!parser_is(p, options[i].word))
			continue;
		if (given[i].source)
			return given_twice(p, parser_span(p), given[i]);
		given[i] = parser_span(p);
		parser_next(p);
		return options[i].take(sp);
	}
	return take_timeout(sp, &known) || (!known && !p->failed && unknown_option(sp));
}

bool parse_state(struct parser *p, struct ast_stmt *stmt)
{
	struct state_parser sp = { .p = p, .opts = &stmt->state };
	struct span open, given[NOPTIONS] = {};

	state_opts_default(sp.opts);
	parser_next(p);
	open = parser_span(p);
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
			diag_note(p->d, g, open, "the state block starts here");
			return false;
		}
		if (!take_option(&sp, given) ||
		    (!parser_at_end(p) && !parser_expected(p, "\";\" or the end of the line", NULL)))
			return false;
	}
	p->braces--;
	parser_next(p);
	return true;
}
