// SPDX-License-Identifier: GPL-2.0-only
/*
 * One rule: clauses → conditions, each field at most once; then what the conditions imply (families, protocols);
 * then the canonical text.
 */
#include "base/arena.h"
#include "base/vec.h"
#include "lang/rule_builder.h"

#include <string.h>

#define MAX_LABEL    128
#define ALL_FAMILIES (1u << FAMILY_OTHER | 1u << FAMILY_IPV4 | 1u << FAMILY_IPV6)
#define IP_FAMILIES  (1u << FAMILY_IPV4 | 1u << FAMILY_IPV6)
#define BIT4	     (1u << FAMILY_IPV4)
#define BIT6	     (1u << FAMILY_IPV6)

struct diag *clause_error(struct rule_builder *b, const struct ast_clause *c, const char *text)
{
	return diag_add(b->r->d, DIAG_ERROR, c->span, "%s", text);
}

const char *take_text(struct resolver *r)
{
	const char *s = r->text.failed ? NULL : arena_strndup(r->arena, str_get(&r->text), r->text.len);

	if (!s)
		r->failed = true;
	str_reset(&r->text);
	return s;
}

/* Each condition at most once: put the clauses in their places. */
static bool place_clauses(struct rule_builder *b)
{
	const struct ast_rule *rule = &b->stmt->rule;

	for (size_t i = 0; i < rule->nclauses; i++) {
		const struct ast_clause *c = &rule->clauses[i];
		const struct ast_clause **place = c->kind == AST_FIELD ? &b->field[c->field] : &b->clause[c->kind];
		const char *s = c->span.source->text + c->span.start;

		if (*place) {
			struct diag *g = diag_add(b->r->d, DIAG_ERROR, c->span, "\"%.*s\" is given twice in this rule",
						  (int)(c->span.end - c->span.start), s);

			diag_note(b->r->d, g, (*place)->span, "first given here");
			if (c->kind == AST_FIELD && (c->field == FIELD_SPORT || c->field == FIELD_DPORT))
				diag_hint(b->r->d, g,
					  "a port directly behind \"from\" is the source port, any other one the "
					  "destination port");
			else if (c->kind < AST_FAMILY)
				diag_hint(b->r->d, g, "several values stand in one list: { a, b }");
			return false;
		}
		*place = c;
	}
	return true;
}

/* A condition of its own, with "!" done. */
static bool resolve_field(struct rule_builder *b, enum field_id id)
{
	const struct ast_clause *c = b->field[id];
	uint64_t max = id == FIELD_STATE ? STATE_COUNT - 1 : (1ull << field_get(id)->bits) - 1;
	struct vset *set, *inverted;

	if (!field_resolve(b->r, id, &c->list, &b->text[id], &set))
		return false;
	if (c->list.negate) {
		if (vset_invert(b->r->arena, set, max, &inverted))
			return resolve_oom(b->r);
		if (id == FIELD_STATE && !inverted->n) {
			clause_error(b, c, "\"! any\" matches no packet");
			return false;
		}
		set = inverted;
	}
	b->rule.value[id] = set;
	return true;
}

static unsigned int aset_families(const struct aset *s)
{
	return (s->n4 ? BIT4 : 0) | (s->n6 ? BIT6 : 0);
}

/* Narrow the families; when none is left, this clause and an earlier one contradict each other. */
static bool narrow(struct rule_builder *b, unsigned int families, const struct ast_clause *c,
		   const struct ast_clause **narrowed)
{
	unsigned int left = b->families & families;

	if (!left && families && b->families) {
		struct diag *g =
			clause_error(b, c, "this rule matches no packet: its conditions are of different families");

		if (*narrowed)
			diag_note(b->r->d, g, (*narrowed)->span, "%s here", b->families == BIT4 ? "IPv4" : "IPv6");
		return false;
	}
	if (left != b->families)
		*narrowed = c;
	b->families = left;
	return true;
}

/* Only layer-2 conditions, and at least one of them: any frame. Else IPv4 and IPv6, narrowed by what is written. */
static bool resolve_families(struct rule_builder *b)
{
	const struct ast_clause *first = NULL, *c;
	bool l2 = false, l3 = b->rule.src || b->rule.dst || b->rule.live_src.sets || b->rule.live_dst.sets ||
			      b->clause[AST_FAMILY] || b->protocols || b->icmp;

	for (int id = 0; id < FIELD_VALUE_COUNT; id++) {
		l2 |= b->field[id] && field_get(id)->needs == FIELD_NEEDS_FRAME;
		l3 |= b->rule.value[id] && field_get(id)->needs != FIELD_NEEDS_FRAME && field_get(id)->needs != FIELD_NEEDS_TRACK;
	}
	b->families = l2 && !l3 ? ALL_FAMILIES : IP_FAMILIES;
	c = b->clause[AST_FAMILY];
	if (c && !narrow(b, 1u << c->family, c, &first))
		return false;
	if (b->rule.src && !narrow(b, aset_families(b->rule.src), b->clause[AST_FROM], &first))
		return false;
	if (b->rule.dst && !narrow(b, aset_families(b->rule.dst), b->clause[AST_TO], &first))
		return false;
	if (b->icmp && !narrow(b, b->icmp == FIELD_ICMP ? BIT4 : BIT6, b->clause[AST_TYPE], &first))
		return false;
	for (int id = 0; id < FIELD_VALUE_COUNT; id++)
		if (b->field[id] && field_get(id)->needs == FIELD_NEEDS_IP6 && !narrow(b, BIT6, b->field[id], &first))
			return false;
	if (b->rule.value[FIELD_ETHERTYPE] && !(b->families & 1u << FAMILY_OTHER)) {
		const struct vset *types = b->rule.value[FIELD_ETHERTYPE];
		unsigned int can = (vset_has(types, 0x0800) ? BIT4 : 0) | (vset_has(types, 0x86dd) ? BIT6 : 0);

		if (!(b->families & can) && b->families) {
			clause_error(b, b->field[FIELD_ETHERTYPE],
				     "this rule matches no packet: its other conditions need IP");
			return false;
		}
	}
	b->rule.families = b->families;
	return true;
}

static bool resolve_label(struct rule_builder *b)
{
	const struct ast_clause *c = b->clause[AST_LABEL];
	struct names *labels = &b->r->policy->labels[b->r->direction];
	struct ast_text *first;
	char *label;

	if (!c)
		return true;
	if (!c->label.len || c->label.len > MAX_LABEL) {
		clause_error(b, c, c->label.len ? "a label has at most 128 bytes" : "a label cannot be empty");
		return false;
	}
	if (!b->r->essential && (!strcmp(c->label.s, "default") || !strncmp(c->label.s, "essential: ", 11))) {
		clause_error(b, c, "\"default\" and \"essential: ...\" are not free: fwctl uses them itself");
		return false;
	}
	first = names_get(labels, c->label.s, c->label.len);
	if (first) {
		struct diag *g =
			diag_add(b->r->d, DIAG_ERROR, c->label.span, "two rules of one direction have this label");

		diag_note(b->r->d, g, first->span, "the other one is here");
		diag_hint(b->r->d, g, "counters follow the label, so it must say which rule is meant");
		return false;
	}
	first = arena_alloc(b->r->arena, sizeof(*first));
	label = arena_strndup(b->r->arena, c->label.s, c->label.len);
	if (!first || !label)
		return resolve_oom(b->r);
	*first = c->label;
	if (names_put(labels, b->r->arena, label, c->label.len, first))
		return resolve_oom(b->r);
	b->rule.label = label;
	return true;
}

void rule_resolve(struct resolver *r, const struct ast_stmt *stmt)
{
	struct rule_builder b = { .r = r, .stmt = stmt };
	bool good;

	b.rule.verdict = stmt->rule.verdict;
	b.rule.file = stmt->span.source->name;
	b.rule.line = stmt->line;
	b.rule.column = stmt->column;
	b.rule.essential = r->essential;
	if (!place_clauses(&b))
		return;
	/* Not "&&": each condition is looked at, whatever the one before it said. */
	good = addr_resolve(&b, AST_FROM, &b.rule.src, &b.rule.live_src);
	good &= addr_resolve(&b, AST_TO, &b.rule.dst, &b.rule.live_dst);
	good &= proto_resolve(&b);
	for (int id = 0; id < FIELD_VALUE_COUNT; id++)
		if (b.field[id] && id != FIELD_PROTO)
			good &= resolve_field(&b, id);
	good &= resolve_label(&b);
	if (!good || !icmp_resolve(&b) || !proto_check(&b) || !extra_resolve(&b) || !proto_finish(&b) || !resolve_families(&b) ||
	    !rule_text(&b))
		return;
	if (vec_push(&r->rules, b.rule))
		r->failed = true;
}
