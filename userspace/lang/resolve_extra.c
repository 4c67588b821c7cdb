// SPDX-License-Identifier: GPL-2.0-only
/* What a rule does beside its verdict, and which of it makes sense together. */
#include "base/arena.h"
#include "lang/rule_builder.h"

enum { TCP = 6 };

/* Which verdict a clause needs, what else it needs, and what to say. */
static const struct {
	enum ast_clause_kind kind;
	enum verdict verdict;
	const char *wrong, *hint;
} verdicts[] = {
	{ AST_WITH, VERDICT_REJECT, "only \"reject\" answers \"with\" something", "write \"reject with reset\"" },
	{ AST_KEEP, VERDICT_PASS, "only a rule that passes keeps state",
	  "a flow is packets that pass: write \"pass ... keep state\"" },
	{ AST_SYNPROXY, VERDICT_PASS, "only a rule that passes has a \"synproxy\"", NULL },
	{ AST_LIMIT, VERDICT_PASS, "only a rule that passes has a limit",
	  "what is over the limit of a \"pass\" rule is dropped: write \"pass ... limit 10/s\"" },
	{ AST_MAX_CONN, VERDICT_PASS, "only a rule that passes has \"max-conn\"",
	  "what is over it is dropped: write \"pass ... keep state max-conn 10 per src\"" },
};

static bool check_verdicts(struct rule_builder *b)
{
	for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
		const struct ast_clause *c = b->clause[verdicts[i].kind];
		struct diag *g;

		if (!c || b->rule.verdict == verdicts[i].verdict)
			continue;
		g = clause_error(b, c, verdicts[i].wrong);
		if (verdicts[i].hint)
			diag_hint(b->r->d, g, "%s", verdicts[i].hint);
		return false;
	}
	return true;
}

static bool wrong(struct rule_builder *b, const struct ast_clause *c, const char *text, const char *hint)
{
	diag_hint(b->r->d, clause_error(b, c, text), "%s", hint);
	return false;
}

/* Clauses that need one another. */
static bool check_together(struct rule_builder *b)
{
	const struct ast_clause *synproxy = b->clause[AST_SYNPROXY], *with = b->clause[AST_WITH];
	const struct vset *state = b->rule.value[FIELD_STATE];

	if (synproxy && b->r->direction == DIRECTION_EGRESS)
		return wrong(b, synproxy, "\"synproxy\" answers who comes in: it stands in an ingress block",
			     "leave it out: this host's own connections need no proof");
	if (synproxy && !proto_only(b, TCP))
		return wrong(b, synproxy, "\"synproxy\" needs \"proto tcp\"", "SYN cookies are of TCP");
	if (synproxy && !b->clause[AST_KEEP])
		return wrong(b, synproxy, "\"synproxy\" needs \"keep state\"",
			     "it protects the table of new flows: write \"keep state synproxy\"");
	if (b->clause[AST_MAX_CONN] && !b->clause[AST_KEEP])
		return wrong(b, b->clause[AST_MAX_CONN], "\"max-conn\" needs \"keep state\"",
			     "connections are counted in the flow table: write \"keep state max-conn 10 per src\"");
	if (b->clause[AST_ELSE] && !b->clause[AST_LIMIT] && !b->clause[AST_MAX_CONN])
		return wrong(b, b->clause[AST_ELSE], "\"else\" needs a \"limit\" or \"max-conn\"",
			     "it says what happens to what is over");
	if (with && with->reject == REJECT_TCP_RESET && !proto_only(b, TCP))
		return wrong(b, with, "\"with reset\" needs \"proto tcp\"",
			     "\"reject\" alone resets TCP and answers everything else with \"unreachable\"");
	if (b->clause[AST_KEEP] && state && !vset_has(state, STATE_NEW))
		return wrong(b, b->clause[AST_KEEP],
			     "\"keep state\" opens flows for new packets, and this rule matches none",
			     "leave \"state\" out, or add \"new\" to it");
	return true;
}

static bool resolve_ban(struct rule_builder *b, const struct ast_else *e)
{
	struct set_def *set = set_find(b->r, &e->ban, e->ban.span);
	struct diag *g;

	if (!set)
		return false;
	if (set->addresses) {
		g = diag_add(b->r->d, DIAG_ERROR, e->ban.span, "@%s is not a live set: nothing can enter it",
			     set->named.name);
		diag_note(b->r->d, g, set->name.span, "it is written here");
		diag_hint(b->r->d, g, "set %s { type prefix; live; timeout 1h }", set->named.name);
		return false;
	}
	b->rule.over.ban = &set->named;
	b->rule.over.ban_ns = e->ban_ns;
	return live_bit(b->r, set, e->ban.span);
}

const struct log_opts *log_resolve(struct resolver *r, const struct ast_log *log)
{
	struct log_opts *own = arena_alloc(r->arena, sizeof(*own));

	if (own)
		*own = log->opts;
	else
		r->failed = true;
	return own;
}

bool extra_resolve(struct rule_builder *b)
{
	const struct ast_clause *limit = b->clause[AST_LIMIT], *conn = b->clause[AST_MAX_CONN],
				*over = b->clause[AST_ELSE];

	if (!check_verdicts(b) || !check_together(b))
		return false;
	b->rule.keep_state = b->clause[AST_KEEP];
	b->rule.synproxy = b->clause[AST_SYNPROXY];
	b->rule.reject = b->clause[AST_WITH] ? b->clause[AST_WITH]->reject : REJECT_AUTO;
	if (limit) {
		struct limit *own = arena_alloc(b->r->arena, sizeof(*own));

		if (!own)
			return resolve_oom(b->r);
		*own = limit->limit;
		b->rule.limit = own;
	}
	if (conn) {
		b->rule.max_conn = conn->conn.n;
		b->rule.conn_plen4 = conn->conn.plen4;
		b->rule.conn_plen6 = conn->conn.plen6;
	}
	if (b->clause[AST_LOG]) {
		b->rule.log = log_resolve(b->r, &b->clause[AST_LOG]->log);
		if (!b->rule.log)
			return false;
	}
	b->rule.over.pass = over && over->over.pass;
	return !over || !over->over.ban.s || resolve_ban(b, &over->over);
}
