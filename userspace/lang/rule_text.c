// SPDX-License-Identifier: GPL-2.0-only
/* The canonical text of a rule: clauses in one order, values sorted, names expanded. */
#include "base/arena.h"
#include "lang/print.h"
#include "lang/rule_builder.h"

#include <string.h>

/* " word", and "!" where the clause has one. */
static void text_word(struct rule_builder *b, const char *word, const struct ast_list *list)
{
	str_add_char(&b->r->text, ' ');
	str_add(&b->r->text, word);
	str_add(&b->r->text, list->negate ? " ! " : " ");
}

static void text_endpoint(struct rule_builder *b, enum ast_clause_kind kind, enum field_id port)
{
	if (!b->addr_text[kind] && !b->field[port])
		return;
	str_add(&b->r->text, kind == AST_FROM ? " from" : " to");
	if (b->addr_text[kind]) {
		str_add(&b->r->text, b->clause[kind]->list.negate ? " ! " : " ");
		str_add(&b->r->text, b->addr_text[kind]);
	}
	if (b->field[port]) {
		text_word(b, "port", &b->field[port]->list);
		str_add(&b->r->text, b->text[port]);
	}
}

/* `count … log` and `log …` are the same. */
static bool only_logs(const struct rule_builder *b)
{
	return b->rule.log && b->rule.verdict == VERDICT_CONTINUE;
}

/* What is there so far is what counters follow: they go on when somebody makes a rule log, or count what it logged. */
static bool text_log(struct rule_builder *b)
{
	const char *so_far = str_get(&b->r->text);
	bool first = only_logs(b);

	if (!b->rule.log)
		return true;
	b->rule.id_text = arena_printf(b->r->arena, "%s%s", first ? "count" : "", first ? so_far + strlen("log") : so_far);
	if (!b->rule.id_text)
		return resolve_oom(b->r);
	str_add(&b->r->text, first ? "" : " log");
	print_log(&b->r->text, b->rule.log);
	return true;
}

bool rule_text(struct rule_builder *b)
{
	struct str *out = &b->r->text;

	str_add(out, only_logs(b) ? "log" : verdict_word(b->rule.verdict));
	print_reject(out, b->rule.reject);
	if (b->clause[AST_FAMILY])
		str_add(out, b->clause[AST_FAMILY]->family == FAMILY_IPV4 ? " inet" : " inet6");
	if (b->text[FIELD_PROTO]) {
		text_word(b, "proto", &b->field[FIELD_PROTO]->list);
		str_add(out, b->text[FIELD_PROTO]);
	}
	text_endpoint(b, AST_FROM, FIELD_SPORT);
	text_endpoint(b, AST_TO, FIELD_DPORT);
	if (b->icmp) {
		text_word(b, "type", &b->clause[AST_TYPE]->list);
		str_add(out, b->text[b->icmp]);
		if (b->code_text)
			str_addf(out, " code %s", b->code_text);
	}
	for (int id = 0; id < FIELD_VALUE_COUNT; id++) {
		if (!b->field[id] || id == FIELD_PROTO || id == FIELD_SPORT || id == FIELD_DPORT)
			continue;
		text_word(b, field_get(id)->word, &b->field[id]->list);
		str_add(out, b->text[id]);
	}
	print_extras(out, &b->rule);
	if (!text_log(b))
		return false;
	if (b->rule.label) {
		str_add(out, " label ");
		print_string(out, b->rule.label);
	}
	b->rule.text = take_text(b->r);
	return b->rule.text;
}
