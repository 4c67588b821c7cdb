// SPDX-License-Identifier: GPL-2.0-only
/*
 * One rule: clauses → conditions, each field at most once; then what the conditions imply (families, protocols);
 * then the canonical text.
 */
#include "base/arena.h"
#include "base/vec.h"
#include "lang/print.h"
#include "lang/resolve.h"

#include <string.h>

#define MAX_LABEL 128
#define ALL_FAMILIES (1u << FAMILY_OTHER | 1u << FAMILY_IPV4 | 1u << FAMILY_IPV6)
#define IP_FAMILIES (1u << FAMILY_IPV4 | 1u << FAMILY_IPV6)
#define BIT4 (1u << FAMILY_IPV4)
#define BIT6 (1u << FAMILY_IPV6)

struct rule_builder {
	struct resolver *r;
	const struct ast_stmt *stmt;
	const struct ast_clause *clause[AST_LABEL + 1];     /* all kinds but AST_FIELD */
	const struct ast_clause *field[FIELD_VALUE_COUNT];
	const char *text[FIELD_VALUE_COUNT];                /* canonical values, without "!" */
	const char *addr_text[2];                           /* of from and to */
	const char *code_text;
	struct vset *protocols;                             /* 0..255, as written */
	enum field_id icmp;                                 /* FIELD_ICMP or FIELD_ICMP6 when there is a type */
	unsigned int families;
	bool empty_from, empty_to;
	struct rule rule;
};

static struct diag *clause_error(struct rule_builder *b, const struct ast_clause *c, const char *text)
{
	return diag_add(b->r->d, DIAG_ERROR, c->span, "%s", text);
}

static const char *take_text(struct resolver *r)
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
				diag_hint(b->r->d, g, "a port directly behind \"from\" is the source port, any other one the destination port");
			else
				diag_hint(b->r->d, g, "several values stand in one list: { a, b }");
			return false;
		}
		*place = c;
	}
	return true;
}

static void print_aset_list(struct str *out, const struct aset *literal, const struct items *items)
{
	const char *sep = "";

	for (size_t i = 0; literal && i < literal->n4; i++, sep = ", ") {
		str_add(out, sep);
		print_range4(out, &literal->v4[i]);
	}
	for (size_t i = 0; literal && i < literal->n6; i++, sep = ", ") {
		str_add(out, sep);
		print_range6(out, &literal->v6[i]);
	}
	for (size_t i = 0; i < items->n; i++) {
		if (items->v[i].v->kind != AST_SET)
			continue;
		str_addf(out, "%s@%.*s", sep, (int)items->v[i].v->text.len, items->v[i].v->text.s);
		sep = ", ";
	}
}

static int item_compare_sets(const void *a, const void *b)
{
	const struct ast_text *x = &((const struct item *)a)->v->text, *y = &((const struct item *)b)->v->text;
	int c = memcmp(x->s, y->s, x->len < y->len ? x->len : y->len);

	return c ? c : (x->len > y->len) - (x->len < y->len);
}

/* Sort the @sets of a list behind its addresses, each once. */
static size_t items_split(struct items *items)
{
	size_t plain = 0, out;

	for (size_t i = 0; i < items->n; i++) {
		if (items->v[i].v->kind == AST_SET)
			continue;
		struct item tmp = items->v[i];

		items->v[i] = items->v[plain];
		items->v[plain++] = tmp;
	}
	if (items->n - plain < 2)
		return plain;
	qsort(items->v + plain, items->n - plain, sizeof(items->v[0]), item_compare_sets);
	out = plain + 1;
	for (size_t i = plain + 1; i < items->n; i++)
		if (item_compare_sets(&items->v[i], &items->v[out - 1]))
			items->v[out++] = items->v[i];
	items->n = out;
	return plain;
}

static bool add_set(struct rule_builder *b, struct aset_builder *all, const struct aset *set, const struct item *it)
{
	b->r->values += set->n4 + set->n6;
	if (b->r->values > RESOLVE_MAX_VALUES) {
		struct diag *g = item_error(b->r, it, "merging large sets into so many lists takes too much memory");

		diag_hint(b->r->d, g, "a rule with the set alone shares it: from @%.*s", (int)it->v->text.len, it->v->text.s);
		return false;
	}
	for (size_t i = 0; i < set->n4; i++)
		if (aset_add4(all, (uint32_t)set->v4[i].lo, (uint32_t)set->v4[i].hi))
			return resolve_oom(b->r);
	for (size_t i = 0; i < set->n6; i++)
		if (aset_add6(all, set->v6[i].lo, set->v6[i].hi))
			return resolve_oom(b->r);
	return true;
}

/* Addresses and sets, not shared: the union. */
static bool addr_union(struct rule_builder *b, struct items *items, size_t plain, const struct aset **ret)
{
	struct aset_builder literal = { .arena = b->r->arena }, all = { .arena = b->r->arena };
	struct aset *written = NULL, *whole = NULL;
	bool good = true;

	for (size_t i = 0; good && i < plain; i++) {
		struct addr_range a;

		good = item_addr(b->r, &items->v[i], &a);
		if (good && (addr_add(&literal, &a) || addr_add(&all, &a)))
			good = resolve_oom(b->r);
	}
	for (size_t i = plain; good && i < items->n; i++) {
		struct set_def *set = set_find(b->r, &items->v[i].v->text, items->v[i].use);

		good = set && add_set(b, &all, set->addresses, &items->v[i]);
	}
	if (good && (aset_build(&literal, &written) || aset_build(&all, &whole)))
		good = resolve_oom(b->r);
	if (good) {
		bool braces = written->n4 + written->n6 + (items->n - plain) != 1;

		str_add(&b->r->text, braces ? "{ " : "");
		print_aset_list(&b->r->text, written, items);
		str_add(&b->r->text, braces ? " }" : "");
		*ret = whole;
	}
	aset_builder_fini(&literal);
	aset_builder_fini(&all);
	return good;
}

static bool addr_invert(struct resolver *r, const struct aset *in, const struct aset **ret)
{
	struct aset *out;

	if (aset_invert(r->arena, in, &out))
		return resolve_oom(r);
	*ret = out;
	return true;
}

/* `@name` alone: the set itself, shared by all rules that say so. */
static bool addr_shared(struct rule_builder *b, const struct item *it, bool negate, const struct aset **ret)
{
	struct set_def *set = set_find(b->r, &it->v->text, it->use);

	if (!set)
		return false;
	str_addf(&b->r->text, "@%.*s", (int)it->v->text.len, it->v->text.s);
	if (!negate) {
		*ret = set->addresses;
		return true;
	}
	if (!set->inverted && !addr_invert(b->r, set->addresses, &set->inverted))
		return false;
	*ret = set->inverted;
	return true;
}

static bool resolve_addr(struct rule_builder *b, enum ast_clause_kind kind, const struct aset **ret)
{
	const struct ast_clause *c = b->clause[kind];
	struct items items;
	size_t plain;
	bool good;

	if (!c)
		return true;
	if (!list_expand(b->r, &c->list, &items))
		return false;
	if (items.n == 1 && item_is(&items.v[0], "any")) {
		vec_fini(&items);
		if (c->list.negate)
			clause_error(b, c, "\"! any\" matches no packet");
		return !c->list.negate;
	}
	plain = items_split(&items);
	if (plain == 0 && items.n == 1) {
		good = addr_shared(b, &items.v[0], c->list.negate, ret);
	} else {
		good = addr_union(b, &items, plain, ret);
		if (good && c->list.negate)
			good = addr_invert(b->r, *ret, ret);
	}
	vec_fini(&items);
	if (!good)
		str_reset(&b->r->text);
	else
		b->addr_text[kind] = take_text(b->r);
	return good && b->addr_text[kind];
}

/* A condition of its own, with "!" done. */
static bool resolve_field(struct rule_builder *b, enum field_id id)
{
	const struct ast_clause *c = b->field[id];
	struct vset *set, *inverted;

	if (!field_resolve(b->r, id, &c->list, &b->r->text, &set)) {
		str_reset(&b->r->text);
		return false;
	}
	b->text[id] = take_text(b->r);
	if (!b->text[id])
		return false;
	if (c->list.negate) {
		if (vset_invert(b->r->arena, set, (1ull << field_get(id)->bits) - 1, &inverted))
			return resolve_oom(b->r);
		set = inverted;
	}
	b->rule.value[id] = set;
	return true;
}

/* Protocols as written, without the family; `proto any` is no condition. */
static bool resolve_proto(struct rule_builder *b)
{
	const struct ast_clause *c = b->field[FIELD_PROTO];
	struct vset *set;

	if (!c)
		return true;
	if (!field_resolve(b->r, FIELD_PROTO, &c->list, &b->r->text, &set)) {
		str_reset(&b->r->text);
		return false;
	}
	b->text[FIELD_PROTO] = take_text(b->r);
	if (!b->text[FIELD_PROTO])
		return false;
	if (set->n == 1 && set->r[0].lo == 0 && set->r[0].hi == 255) {
		b->text[FIELD_PROTO] = NULL;
		if (c->list.negate)
			clause_error(b, c, "\"! any\" matches no packet");
		return !c->list.negate;
	}
	if (c->list.negate && vset_invert(b->r->arena, set, 255, &set))
		return resolve_oom(b->r);
	b->protocols = set;
	return true;
}

/* The value that the datapath sees has the family above the protocol. */
static bool set_proto(struct rule_builder *b)
{
	size_t n = b->protocols ? b->protocols->n : 0;
	struct range *both;
	struct vset *set;
	int err;

	if (!b->protocols || b->icmp)
		return true;
	both = calloc(n * 2 + 1, sizeof(*both));
	if (!both)
		return resolve_oom(b->r);
	for (size_t i = 0; i < n; i++)
		for (unsigned int family = FAMILY_IPV4; family <= FAMILY_IPV6; family++)
			both[(family - FAMILY_IPV4) * n + i] = (struct range){ b->protocols->r[i].lo | family << 8,
									       b->protocols->r[i].hi | family << 8 };
	err = vset_build(b->r->arena, both, n * 2, &set);
	free(both);
	if (err)
		return resolve_oom(b->r);
	b->rule.value[FIELD_PROTO] = set;
	return true;
}

static bool proto_only(const struct rule_builder *b, unsigned int protocol)
{
	return b->protocols && b->protocols->n == 1 && b->protocols->r[0].lo == protocol && b->protocols->r[0].hi == protocol;
}

/* Codes by number, or by name when there is one type. */
static bool resolve_codes(struct rule_builder *b, const struct vset *types, struct vset **ret)
{
	const struct ast_clause *c = b->clause[AST_CODE];
	bool one = types->n == 1 && types->r[0].lo == types->r[0].hi;
	struct range *ranges;
	struct items items;
	bool good = true;

	if (!list_expand(b->r, &c->list, &items))
		return false;
	ranges = calloc(items.n, sizeof(*ranges));
	if (!ranges)
		good = resolve_oom(b->r);
	for (size_t i = 0; good && i < items.n; i++) {
		const struct ast_text *t = &items.v[i].v->text;
		unsigned int type = (unsigned int)types->r[0].lo;
		long code = one && items.v[i].v->kind == AST_WORD ? field_code_parse(b->icmp, type, t->s, t->len) : -1;
		uint64_t hi;

		ranges[i] = (struct range){ (uint64_t)code, (uint64_t)code };
		if (code >= 0 && !items.v[i].v->cmp && !items.v[i].v->to.s)
			continue;
		good = items.v[i].v->kind == AST_WORD && !items.v[i].v->cmp;
		if (good && items.v[i].v->to.s) {
			good = number_parse(t->s, t->len, &ranges[i].lo) &&
			       number_parse(items.v[i].v->to.s, items.v[i].v->to.len, &hi);
			ranges[i].hi = good ? hi : 0;
		} else if (good && number_parse(t->s, t->len, &hi)) {
			ranges[i] = (struct range){ hi, hi };
		} else if (good) {
			const char *dash = memchr(t->s, '-', t->len);

			good = dash && number_parse(t->s, (size_t)(dash - t->s), &ranges[i].lo) &&
			       number_parse(dash + 1, t->len - (size_t)(dash - t->s) - 1, &ranges[i].hi);
		}
		if (!good || ranges[i].hi > 255 || ranges[i].lo > ranges[i].hi) {
			good = false;
			item_error(b->r, &items.v[i], "expected an ICMP code: a number from 0 to 255%s",
				   one && field_code_name(b->icmp, type, 0) ? " or a name" : "");
		}
	}
	if (good && vset_build(b->r->arena, ranges, items.n, ret))
		good = resolve_oom(b->r);
	free(ranges);
	vec_fini(&items);
	return good;
}

/* `proto icmp type T code C`, `proto icmp6 type T code C`. "!" before the type turns the whole condition. */
static bool resolve_icmp(struct rule_builder *b)
{
	const struct ast_clause *type = b->clause[AST_TYPE], *code = b->clause[AST_CODE];
	struct vset *types, *codes = NULL, *set;
	struct range *pairs;
	size_t n = 0;
	int err;

	if (!type && !code)
		return true;
	if (!type || (code && code->list.negate)) {
		clause_error(b, code, type ? "\"!\" stands before \"type\", not before \"code\"" : "\"code\" needs a \"type\"");
		return false;
	}
	if (!proto_only(b, 1) && !proto_only(b, 58)) {
		struct diag *g = clause_error(b, type, "\"type\" needs \"proto icmp\" or \"proto icmp6\", and no other protocol");

		diag_hint(b->r->d, g, "write two rules for both families");
		return false;
	}
	b->icmp = proto_only(b, 1) ? FIELD_ICMP : FIELD_ICMP6;
	if (!field_resolve(b->r, b->icmp, &type->list, &b->r->text, &types)) {
		str_reset(&b->r->text);
		return false;
	}
	b->text[b->icmp] = take_text(b->r);
	if (!b->text[b->icmp] || (code && !resolve_codes(b, types, &codes)))
		return false;
	if (codes) {
		print_vset(&b->r->text, FIELD_LEN, codes); /* a field whose values have no names */
		b->code_text = take_text(b->r);
	}
	pairs = calloc(256 * (codes ? codes->n : 1), sizeof(*pairs));
	if (!pairs)
		return resolve_oom(b->r);
	for (size_t t = 0; t < types->n; t++)
		for (uint64_t v = types->r[t].lo; v <= types->r[t].hi; v++)
			for (size_t i = 0; i < (codes ? codes->n : 1); i++)
				pairs[n++] = (struct range){ v << 8 | (codes ? codes->r[i].lo : 0), v << 8 | (codes ? codes->r[i].hi : 255) };
	err = vset_build(b->r->arena, pairs, n, &set);
	free(pairs);
	if (!err && type->list.negate)
		err = vset_invert(b->r->arena, set, 0xffff, &set);
	if (err)
		return resolve_oom(b->r);
	b->rule.value[b->icmp] = set;
	return true;
}

static bool has_protocol(const struct rule_builder *b, unsigned int protocol)
{
	return !b->protocols || vset_has(b->protocols, protocol);
}

/* Ports need a protocol with ports, flags need tcp: say so instead of matching nothing. */
static bool check_protocols(struct rule_builder *b)
{
	static const struct {
		enum field_needs needs;
		unsigned int protocols[3];
		const char *say;
	} table[] = {
		{ FIELD_NEEDS_PORTS, { 6, 17, 132 }, "a port needs proto tcp, udp or sctp, or no proto at all" },
		{ FIELD_NEEDS_TCP, { 6, 6, 6 }, "flags need proto tcp" },
	};
	bool named = b->field[FIELD_PROTO] && !b->field[FIELD_PROTO]->list.negate;

	for (int id = 0; id < FIELD_VALUE_COUNT; id++) {
		for (size_t t = 0; b->field[id] && t < 2; t++) {
			const unsigned int *need = table[t].protocols;
			bool stray = false;

			if (field_get(id)->needs != table[t].needs || !b->protocols)
				continue;
			for (unsigned int p = 0; named && p < 256; p++)
				stray |= vset_has(b->protocols, p) && p != need[0] && p != need[1] && p != need[2];
			if (stray || !(has_protocol(b, need[0]) || has_protocol(b, need[1]) || has_protocol(b, need[2]))) {
				struct diag *g = clause_error(b, b->field[id], table[t].say);

				diag_note(b->r->d, g, b->field[FIELD_PROTO]->span, "the protocol is given here");
				return false;
			}
		}
	}
	return true;
}

static unsigned int aset_families(const struct aset *s)
{
	return (s->n4 ? BIT4 : 0) | (s->n6 ? BIT6 : 0);
}

/* Narrow the families; when none is left, this clause and an earlier one contradict each other. */
static bool narrow(struct rule_builder *b, unsigned int families, const struct ast_clause *c, const struct ast_clause **narrowed)
{
	unsigned int left = b->families & families;

	if (!left && families && b->families) {
		struct diag *g = clause_error(b, c, "this rule matches no packet: its conditions are of different families");

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
	bool l2 = false, l3 = b->rule.src || b->rule.dst || b->clause[AST_FAMILY] || b->protocols || b->icmp;

	for (int id = 0; id < FIELD_VALUE_COUNT; id++) {
		l2 |= b->field[id] && field_get(id)->needs == FIELD_NEEDS_FRAME;
		l3 |= b->rule.value[id] && field_get(id)->needs != FIELD_NEEDS_FRAME;
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
			clause_error(b, b->field[FIELD_ETHERTYPE], "this rule matches no packet: its other conditions need IP");
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
		clause_error(b, c, "\"default\" and \"essential: …\" are not free: fwctl uses them itself");
		return false;
	}
	first = names_get(labels, c->label.s, c->label.len);
	if (first) {
		struct diag *g = diag_add(b->r->d, DIAG_ERROR, c->label.span, "two rules of one direction have this label");

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

/* " word", and "!" where the clause has one. */
static void text_word(struct rule_builder *b, const char *word, const struct ast_list *list)
{
	str_addf(&b->r->text, " %s%s ", word, list->negate ? " !" : "");
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

static bool rule_text(struct rule_builder *b)
{
	struct str *out = &b->r->text;

	str_add(out, verdict_word(b->rule.verdict));
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
	if (b->rule.label) {
		str_add(out, " label ");
		print_string(out, b->rule.label);
	}
	b->rule.text = take_text(b->r);
	return b->rule.text;
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
	good = resolve_addr(&b, AST_FROM, &b.rule.src);
	good &= resolve_addr(&b, AST_TO, &b.rule.dst);
	good &= resolve_proto(&b);
	for (int id = 0; id < FIELD_VALUE_COUNT; id++)
		if (b.field[id] && id != FIELD_PROTO)
			good &= resolve_field(&b, id);
	good &= resolve_label(&b);
	if (!good || !resolve_icmp(&b) || !check_protocols(&b) || !set_proto(&b) || !resolve_families(&b) || !rule_text(&b))
		return;
	if (vec_push(&r->rules, b.rule))
		r->failed = true;
}
