// SPDX-License-Identifier: GPL-2.0-only
/* `--dump=ast`: the tree as the parser made it, one node per line. */
#include "base/arena.h"
#include "lang/lang.h"
#include "lang/parse.h"
#include "lang/print.h"

#include <errno.h>

static void dump_text(const struct ast_text *t, struct str *out)
{
	str_add_escaped(out, t->s, t->len);
}

static void dump_list(const struct ast_list *list, struct str *out)
{
	static const char *const cmp[] = { "", "<", "<=", ">", ">=" };

	str_add(out, list->negate ? " ! {" : " {");
	for (size_t i = 0; i < list->n; i++) {
		const struct ast_value *v = &list->v[i];

		str_addf(out, " %s%s", cmp[v->cmp],
			 v->kind == AST_VAR	 ? "$"
			 : v->kind == AST_SET	 ? "@"
			 : v->kind == AST_STRING ? "\""
						 : "");
		dump_text(&v->text, out);
		str_add(out, v->kind == AST_STRING ? "\"" : "");
		if (v->to) {
			str_add(out, " - ");
			dump_text(v->to, out);
		}
	}
	str_add(out, " }");
}

static void dump_per(unsigned int plen4, unsigned int plen6, struct str *out)
{
	str_addf(out, "/%u,%u", plen4, plen6);
}

static void dump_log(const struct log_opts *log, struct str *out)
{
	if (log->count)
		str_addf(out, " limit %llu in %lluns burst %llu", (unsigned long long)log->count, (unsigned long long)log->period_ns,
			 (unsigned long long)log->burst);
	str_addf(out, " sample 1/%u", log->sample);
}

static void dump_extra(const struct ast_clause *c, struct str *out)
{
	static const char *const per[] = { "", " per src", " per dst", " per flow" };

	switch (c->kind) {
	case AST_WITH:
		print_reject(out, c->reject);
		break;
	case AST_LIMIT:
		str_addf(out, " limit %llu%s in %lluns burst %llu%s", (unsigned long long)c->limit.count,
			 c->limit.bytes ? " bytes" : "", (unsigned long long)c->limit.period_ns,
			 (unsigned long long)c->limit.burst, per[c->limit.per]);
		if (c->limit.per == PER_SRC || c->limit.per == PER_DST)
			dump_per(c->limit.plen4, c->limit.plen6, out);
		break;
	case AST_MAX_CONN:
		str_addf(out, " max-conn %u per src", c->conn.n);
		dump_per(c->conn.plen4, c->conn.plen6, out);
		break;
	case AST_ELSE:
		str_add(out, c->over.ban.s ? " else ban @" : c->over.pass ? " else pass" : " else drop");
		dump_text(&c->over.ban, out);
		str_add(out, c->over.ban_ns ? " for " : "");
		print_duration(out, c->over.ban_ns);
		break;
	case AST_LOG:
		str_add(out, " log");
		dump_log(&c->log.opts, out);
		break;
	default:
		str_add(out, c->kind == AST_KEEP ? " keep state" : " synproxy");
	}
}

static void dump_rule(const struct ast_rule *rule, struct str *out)
{
	static const char *const words[] = {
		[AST_FROM] = "from", [AST_TO] = "to", [AST_TYPE] = "type", [AST_CODE] = "code"
	};

	str_addf(out, "rule %s", verdict_word(rule->verdict));
	for (size_t i = 0; i < rule->nclauses; i++) {
		const struct ast_clause *c = &rule->clauses[i];

		if (c->kind == AST_FAMILY) {
			str_add(out, c->family == FAMILY_IPV4 ? " inet" : " inet6");
		} else if (c->kind == AST_LABEL) {
			str_add(out, " label \"");
			dump_text(&c->label, out);
			str_add(out, "\"");
		} else if (c->kind > AST_LABEL) {
			dump_extra(c, out);
		} else {
			str_addf(out, " %s", c->kind == AST_FIELD ? field_get(c->field)->word : words[c->kind]);
			dump_list(&c->list, out);
		}
	}
}

static void dump_set(const struct ast_set *set, struct str *out)
{
	for (size_t i = 0; i < set->nfiles; i++) {
		str_add(out, " file \"");
		dump_text(&set->files[i], out);
		str_add(out, "\"");
	}
	if (set->elements.n) {
		str_add(out, " elements");
		dump_list(&set->elements, out);
	}
	if (!set->live.live.source)
		return;
	str_addf(out, " live%s", set->live.timeout_ns ? " timeout " : "");
	print_duration(out, set->live.timeout_ns);
	if (set->live.max)
		str_addf(out, " size %u", set->live.max);
	str_addf(out, "%s%s", set->live.counters.source ? " counters" : "", set->live.widen.source ? " widen" : "");
}

static void dump_step(const struct ast_expect *e, struct str *out)
{
	str_add(out, e->step == STEP_AFTER ? "after " : e->step == STEP_ADD ? "add @" : "del @");
	dump_text(&e->set, out);
	if (e->set.s)
		dump_list(&e->addr, out);
	str_add(out, e->set.s && e->ns ? " for " : "");
	print_duration(out, e->ns);
}

static void dump_expect(const struct ast_expect *e, struct str *out)
{
	if (e->step != STEP_PACKET) {
		dump_step(e, out);
		return;
	}
	str_addf(out, "expect %s ", direction_word(e->direction));
	print_packet(e->packet, out);
	str_addf(out, " is %s", verdict_word(e->verdict));
	if (e->by.s) {
		str_add(out, " by \"");
		dump_text(&e->by, out);
		str_add(out, "\"");
	}
	if (e->times > 1)
		str_addf(out, " times %u", e->times);
}

static void dump_stmt(const struct ast_stmt *s, struct str *out)
{
	static const char *const words[] = {
		[AST_DEFINE] = "define",   [AST_SET_DECL] = "set",	  [AST_POLICY] = "policy",
		[AST_INCLUDE] = "include", [AST_INTERFACE] = "interface", [AST_TEST] = "test",
		[AST_STATE] = "state",	   [AST_SEQUENCE] = "sequence"
	};

	switch (s->kind) {
	case AST_RULE:
		dump_rule(&s->rule, out);
		break;
	case AST_CHAIN:
		str_addf(out, "chain %s default %s", direction_word(s->direction), verdict_word(s->fallback));
		break;
	case AST_ESSENTIALS:
		str_addf(out, "essentials %s", s->on ? "on" : "off");
		break;
	case AST_LOG_LINE:
		str_addf(out, "log %s", s->on ? "reasons" : "default");
		dump_log(&s->log.opts, out);
		break;
	case AST_EXPECT:
		dump_expect(&s->expect, out);
		break;
	default:
		str_add(out, words[s->kind]);
		if (s->name.s) {
			str_add(out, " ");
			dump_text(&s->name, out);
		}
		if (s->kind == AST_SET_DECL)
			dump_set(&s->set, out);
		if (s->kind == AST_DEFINE || s->kind == AST_INTERFACE)
			dump_list(&s->list, out);
	}
}

static void dump_block(const struct ast_block *block, unsigned int depth, struct str *out)
{
	for (const struct ast_stmt *s = block->first; s; s = s->next) {
		str_addf(out, "%*s%u:%u ", (int)depth * 2, "", s->line, s->column);
		dump_stmt(s, out);
		str_add(out, "\n");
		dump_block(&s->body, depth + 1, out); /* four deep at most: the grammar's own depth */
	}
}

int lang_dump_ast(struct arena *arena, const char *name, const char *text, size_t len, struct diags *d, struct str *out)
{
	struct source *source = arena_alloc(arena, sizeof(*source));
	size_t errors = d->errors;
	struct ast_block block;

	if (!source)
		return -ENOMEM;
	*source = (struct source){ arena_strdup(arena, name), text, len };
	if (!source->name)
		return -ENOMEM;
	if (len > LEX_MAX_TEXT) {
		diag_add(d, DIAG_ERROR, (struct span){ source, 0, 0 }, "the file is larger than 1 GiB");
		return -EINVAL;
	}
	if (!parse_source(arena, source, PARSE_TOP, d, &block))
		return -ENOMEM;
	dump_block(&block, 0, out);
	return d->errors > errors ? -EINVAL : 0;
}
