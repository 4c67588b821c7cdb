// SPDX-License-Identifier: GPL-2.0-only
/* One rule: a verdict and clauses in any order. */
#include "lang/rule_parser.h"
#include "lang/words.h"

#include <string.h>

static const struct {
	const char *word;
	enum family family;
} families[] = {
	{ "inet", FAMILY_IPV4 },
	{ "ipv4", FAMILY_IPV4 },
	{ "inet6", FAMILY_IPV6 },
	{ "ipv6", FAMILY_IPV6 },
};

static const char *const structure[] = { "from", "to", "port", "type", "code", "label", "all", "dport" };

static bool word_is(const struct ast_text *t, const char *word)
{
	return str_is(word, t->s, t->len);
}

static int field_by_word(const struct ast_text *t)
{
	for (int id = 0; id < FIELD_VALUE_COUNT; id++)
		if (word_is(t, field_get(id)->word))
			return id;
	return word_is(t, "dport") ? FIELD_DPORT : -1;
}

static const char *what_of(enum field_id id)
{
	switch (id) {
	case FIELD_PROTO:
		return "a protocol";
	case FIELD_SPORT:
	case FIELD_DPORT:
		return "a port";
	case FIELD_TCPFLAGS:
		return "flags such as S/SA";
	case FIELD_EXT:
		return "the name of an extension header";
	case FIELD_MAC:
		return "a MAC address";
	case FIELD_FRAG:
		return "\"none\", \"first\", \"later\" or \"any\"";
	case FIELD_STATE:
		return "new, established, related or invalid";
	default:
		return "a value";
	}
}

struct ast_clause *add_clause(struct rule_parser *rp, enum ast_clause_kind kind, struct span span)
{
	struct ast_clause *c;

	if (rp->n == MAX_CLAUSES) {
		diag_add(rp->p->d, DIAG_ERROR, span, "a rule has at most %d conditions", MAX_CLAUSES);
		return NULL;
	}
	c = &rp->clauses[rp->n++];
	*c = (struct ast_clause){ .kind = kind, .span = span };
	return c;
}

/* The next clause stands where a value should: `from to 192.0.2.1`. */
static bool value_missing(const struct parser *p)
{
	for (size_t i = 0; i < sizeof(structure) / sizeof(structure[0]); i++)
		if (parser_is(p, structure[i]))
			return true;
	return false;
}

/* The values of a clause; `!` may stand before the clause's word or before the values, but not twice. */
static bool clause_values(struct rule_parser *rp, struct ast_clause *c, bool negate, const char *what)
{
	struct parser *p = rp->p;

	if (negate && p->tok.kind == TOK_NOT) {
		diag_add(p->d, DIAG_ERROR, parser_span(p), "\"!\" is given twice");
		return false;
	}
	if (value_missing(p))
		return parser_expected(p, what, NULL);
	if (!parse_list(p, what, &c->list))
		return false;
	c->list.negate |= negate;
	return true;
}

/* Here `port`, or `! port`: take the "!" and say so. */
static bool port_follows(struct parser *p, bool *negate)
{
	struct lexer ahead = p->lx;
	struct token after;

	if (p->tok.kind != TOK_NOT)
		return parser_is(p, "port");
	after = lex_next(&ahead);
	if (after.kind != TOK_WORD || after.end - after.start != 4 ||
	    memcmp(p->lx.source->text + after.start, "port", 4))
		return false;
	if (*negate)
		return false; /* twice: the list says so */
	*negate = true;
	parser_next(p);
	return true;
}

/* `to prt 22`: say so here, before the word is taken for an address. */
static bool port_misspelt(struct parser *p)
{
	struct ast_text t = parser_text(p);
	struct guess guess;
	struct diag *g;

	if (p->tok.kind != TOK_WORD || t.len < 3 || t.len > 5)
		return false;
	for (size_t i = 0; i < t.len; i++) /* most words here are addresses */
		if (t.s[i] < 'a' || t.s[i] > 'z')
			return false;
	guess_init(&guess, p->arena, t.s, t.len);
	guess_try(&guess, "port");
	if (!guess.best || guess.distance > 1)
		return false;
	parser_expected(p, "an address or \"port\"", &g);
	guess_hint(&guess, p->d, g, "");
	return true;
}

/* `from ADDRESS port P`, `from port P`; the same with `to`. */
static bool parse_endpoint(struct rule_parser *rp, bool from, bool negate)
{
	struct parser *p = rp->p;
	struct span span = parser_span(p);
	struct ast_clause *c;

	parser_next(p);
	if (!port_follows(p, &negate)) {
		if (port_misspelt(p))
			return false;
		c = add_clause(rp, from ? AST_FROM : AST_TO, span);
		if (!c || !clause_values(rp, c, negate, "an address, a list, a $name or a @set"))
			return false;
		negate = false;
		if (!port_follows(p, &negate))
			return true;
	}
	span = parser_span(p);
	parser_next(p);
	c = add_clause(rp, AST_FIELD, span);
	if (!c)
		return false;
	c->field = from ? FIELD_SPORT : FIELD_DPORT;
	return clause_values(rp, c, negate, "a port");
}

static bool parse_label(struct rule_parser *rp)
{
	struct ast_clause *c = add_clause(rp, AST_LABEL, parser_span(rp->p));

	if (!c)
		return false;
	parser_next(rp->p);
	return parse_string(rp->p, "the label, in quotes", &c->label);
}

/* A clause that is named by its family or its protocol alone: `inet6`, `tcp`. */
static bool parse_bare(struct rule_parser *rp, const struct ast_text *t, bool negate, bool *ret_known)
{
	struct ast_clause *c;

	*ret_known = true;
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		if (!word_is(t, families[i].word))
			continue;
		if (negate)
			break;
		c = add_clause(rp, AST_FAMILY, t->span);
		if (!c)
			return false;
		c->family = families[i].family;
		parser_next(rp->p);
		return true;
	}
	if (!negate && field_value_parse(FIELD_PROTO, t->s, t->len) >= 0) {
		c = add_clause(rp, AST_FIELD, t->span);
		if (!c)
			return false;
		c->field = FIELD_PROTO;
		return clause_values(rp, c, false, "a protocol");
	}
	*ret_known = false;
	return false;
}

/* `log drop from …` of other firewalls: here the verdict is the first word. */
static bool verdict_behind_log(struct rule_parser *rp)
{
	struct parser *p = rp->p;
	struct ast_text t = parser_text(p);
	struct diag *g;

	if (!rp->log || !(parser_is(p, "pass") || parser_is(p, "drop") || parser_is(p, "reject") || parser_is(p, "count")))
		return false;
	parser_expected(p, "a condition or the end of the rule", &g);
	diag_hint(p->d, g, "a rule begins with its verdict: write \"%.*s ... log\"", (int)t.len, t.s);
	return true;
}

static bool unknown_clause(struct rule_parser *rp, const struct ast_text *t)
{
	struct parser *p = rp->p;
	const char *say = p->tok.kind == TOK_WORD ? word_foreign(t->s, t->len) : NULL;
	struct diag *g;
	struct guess guess;

	if (parser_refuse_later(p) || verdict_behind_log(rp))
		return false;
	parser_expected(p, "a condition or the end of the rule", &g);
	if (say) {
		diag_hint(p->d, g, "%s", say);
		return false;
	}
	if (p->tok.kind != TOK_WORD)
		return false;
	guess_init(&guess, p->arena, t->s, t->len);
	for (size_t i = 0; i < sizeof(structure) / sizeof(structure[0]); i++)
		guess_try(&guess, structure[i]);
	for (int id = 0; id < FIELD_VALUE_COUNT; id++)
		guess_try(&guess, field_get(id)->word);
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		guess_try(&guess, families[i].word);
	for (size_t i = 0; field_value_name(FIELD_PROTO, i); i++)
		guess_try(&guess, field_value_name(FIELD_PROTO, i));
	for (size_t i = 0; extra_word(i); i++)
		guess_try(&guess, extra_word(i));
	if (rp->log && rp->n == 1) {
		guess_try(&guess, "reasons");
		guess_try(&guess, "default");
	}
	if (rp->n && rp->clauses[rp->n - 1].kind == AST_LOG)
		guess_try(&guess, "sample");
	guess_hint(&guess, p->d, g, "");
	return false;
}

static bool parse_clause(struct rule_parser *rp)
{
	struct parser *p = rp->p;
	struct ast_clause *c;
	struct ast_text t;
	bool negate = p->tok.kind == TOK_NOT, known, good;
	int field;

	if (negate)
		parser_next(p);
	t = parser_text(p);
	if (p->tok.kind != TOK_WORD)
		return unknown_clause(rp, &t);
	if (parser_is(p, "from") || parser_is(p, "to"))
		return parse_endpoint(rp, parser_is(p, "from"), negate);
	if (!negate && parser_is(p, "label"))
		return parse_label(rp);
	if (!negate && parser_is(p, "all")) {
		parser_next(p);
		return true;
	}
	good = parse_extra(rp, negate, &known);
	if (known)
		return good;
	if (parser_is(p, "type") || parser_is(p, "code")) {
		c = add_clause(rp, parser_is(p, "type") ? AST_TYPE : AST_CODE, t.span);
		parser_next(p);
		return c && clause_values(rp, c, negate, c->kind == AST_TYPE ? "an ICMP type" : "an ICMP code");
	}
	field = field_by_word(&t);
	if (field < 0 || field == FIELD_ICMP || field == FIELD_ICMP6) {
		bool ok = parse_bare(rp, &t, negate, &known);

		return known ? ok : unknown_clause(rp, &t);
	}
	c = add_clause(rp, AST_FIELD, t.span);
	if (!c)
		return false;
	c->field = (enum field_id)field;
	parser_next(p);
	return clause_values(rp, c, negate, what_of(c->field));
}

bool parse_rule(struct parser *p, struct ast_stmt *stmt)
{
	struct rule_parser rp;

	rp.p = p; /* the clauses are written when they are used */
	rp.n = 0;
	rp.log = parser_is(p, "log");
	if (rp.log)
		add_clause(&rp, AST_LOG, parser_span(p))->log.opts.sample = 1;
	stmt->rule.verdict = parser_is(p, "pass")     ? VERDICT_PASS
			     : parser_is(p, "drop")   ? VERDICT_DROP
			     : parser_is(p, "reject") ? VERDICT_REJECT
						      : VERDICT_CONTINUE;
	parser_next(p);
	while (!parser_at_end(p))
		if (!parse_clause(&rp))
			return false;
	stmt->span.end = p->prev_end;
	stmt->rule.nclauses = rp.n;
	stmt->rule.clauses = parser_alloc(p, rp.n, sizeof(rp.clauses[0]));
	if (!stmt->rule.clauses)
		return false;
	memcpy(stmt->rule.clauses, rp.clauses, rp.n * sizeof(rp.clauses[0]));
	return true;
}
