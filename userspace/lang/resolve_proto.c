// SPDX-License-Identifier: GPL-2.0-only
/* Protocols and ICMP types, and what ports and flags need of them. */
#include "base/arena.h"
#include "base/cleanup.h"
#include "base/vec.h"
#include "lang/print.h"
#include "lang/rule_builder.h"

/* Protocols as written, without the family; `proto any` is no condition. */
bool proto_resolve(struct rule_builder *b)
{
	const struct ast_clause *c = b->field[FIELD_PROTO];
	struct vset *set;

	if (!c)
		return true;
	if (!field_resolve(b->r, FIELD_PROTO, &c->list, &b->text[FIELD_PROTO], &set))
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
static bool proto_families(struct resolver *r, const struct vset *protocols, struct vset **ret)
{
	size_t n = protocols->n;
	auto_free struct range *both = calloc(n * 2 + 1, sizeof(*both));

	for (size_t i = 0; both && i < n; i++)
		for (unsigned int family = FAMILY_IPV4; family <= FAMILY_IPV6; family++)
			both[(family - FAMILY_IPV4) * n + i] = (struct range){ protocols->r[i].lo | family << 8,
									       protocols->r[i].hi | family << 8 };
	return (both && !vset_build(r->arena, both, n * 2, ret)) || resolve_oom(r);
}

bool proto_finish(struct rule_builder *b)
{
	struct resolver *r = b->r;
	size_t n = sizeof(r->protos) / sizeof(r->protos[0]), i = 0;
	struct vset *set;

	if (!b->protocols || b->icmp)
		return true;
	while (i < n && r->protos[i].written != b->protocols)
		i++;
	if (i == n) {
		if (!proto_families(r, b->protocols, &set))
			return false;
		i = r->next_proto++ % n;
		r->protos[i].written = b->protocols;
		r->protos[i].both = set;
	}
	b->rule.value[FIELD_PROTO] = r->protos[i].both;
	return true;
}

bool proto_only(const struct rule_builder *b, unsigned int protocol)
{
	return b->protocols && b->protocols->n == 1 && b->protocols->r[0].lo == protocol &&
	       b->protocols->r[0].hi == protocol;
}

/* A code by name, when there is one type to know it by; else a number, a range or a comparison. */
static bool code_range(struct rule_builder *b, const struct vset *types, const struct item *it, struct range *ret)
{
	const struct ast_text *t = &it->v->text;
	bool one = types->n == 1 && types->r[0].lo == types->r[0].hi;
	long code = -1;

	if (one && it->v->kind == AST_WORD && !it->v->cmp && !it->v->to)
		code = field_code_parse(b->icmp, (unsigned int)types->r[0].lo, t->s, t->len);
	if (code < 0)
		return item_range(b->r, FIELD_TTL, it, ret); /* a plain byte without names */
	*ret = (struct range){ (uint64_t)code, (uint64_t)code };
	return true;
}

static bool codes_resolve(struct rule_builder *b, const struct vset *types, struct vset **ret)
{
	const struct ast_clause *c = b->clause[AST_CODE];
	auto_free struct range *ranges = NULL;
	struct items items;
	bool good;

	if (!list_expand(b->r, &c->list, &items))
		return false;
	ranges = calloc(items.n, sizeof(*ranges));
	good = ranges || resolve_oom(b->r);
	for (size_t i = 0; good && i < items.n; i++)
		good = code_range(b, types, &items.v[i], &ranges[i]);
	if (good && vset_build(b->r->arena, ranges, items.n, ret))
		good = resolve_oom(b->r);
	items_fini(b->r, &items);
	if (!good)
		return false;
	print_vset(&b->r->text, FIELD_TTL, *ret);
	b->code_text = take_text(b->r);
	return b->code_text;
}

/* Every type with every code. */
static bool icmp_pairs(struct rule_builder *b, const struct vset *types, const struct vset *codes, struct vset **ret)
{
	static const struct range every = { 0, 255 };
	const struct range *code = codes ? codes->r : &every;
	size_t ncodes = codes ? codes->n : 1, n = 0;
	auto_free struct range *pairs = calloc(256 * ncodes, sizeof(*pairs));

	if (!pairs)
		return resolve_oom(b->r);
	for (size_t t = 0; t < types->n; t++)
		for (uint64_t v = types->r[t].lo; v <= types->r[t].hi; v++)
			for (size_t i = 0; i < ncodes; i++)
				pairs[n++] = (struct range){ v << 8 | code[i].lo, v << 8 | code[i].hi };
	return !vset_build(b->r->arena, pairs, n, ret) || resolve_oom(b->r);
}

/* "type" and "code" must stand where they have a meaning. */
static bool icmp_check(struct rule_builder *b)
{
	const struct ast_clause *type = b->clause[AST_TYPE], *code = b->clause[AST_CODE];
	struct diag *g;

	if (!type) {
		clause_error(b, code, "\"code\" needs a \"type\"");
		return false;
	}
	if (code && code->list.negate) {
		clause_error(b, code, "\"!\" stands before \"type\", not before \"code\"");
		return false;
	}
	if (proto_only(b, 1) || proto_only(b, 58))
		return true;
	g = clause_error(b, type, "\"type\" needs \"proto icmp\" or \"proto icmp6\", and no other protocol");
	diag_hint(b->r->d, g, "both families need two rules");
	return false;
}

/* `proto icmp type T code C`, `proto icmp6 type T code C`. "!" before the type turns the whole condition. */
bool icmp_resolve(struct rule_builder *b)
{
	const struct ast_clause *type = b->clause[AST_TYPE], *code = b->clause[AST_CODE];
	struct vset *types, *codes = NULL, *set;

	if (!type && !code)
		return true;
	if (!icmp_check(b))
		return false;
	b->icmp = proto_only(b, 1) ? FIELD_ICMP : FIELD_ICMP6;
	if (!field_resolve(b->r, b->icmp, &type->list, &b->text[b->icmp], &types))
		return false;
	if ((code && !codes_resolve(b, types, &codes)) || !icmp_pairs(b, types, codes, &set))
		return false;
	if (type->list.negate && vset_invert(b->r->arena, set, 0xffff, &set))
		return resolve_oom(b->r);
	b->rule.value[b->icmp] = set;
	return true;
}

/* What a field asks of the protocol. */
static const struct need {
	enum field_needs needs;
	unsigned int n, protocols[3];
	const char *say;
} need_table[] = {
	{ FIELD_NEEDS_PORTS, 3, { 6, 17, 132 }, "a port needs proto tcp, udp or sctp, or no proto at all" },
	{ FIELD_NEEDS_TCP, 1, { 6 }, "flags need proto tcp" },
};

/* A protocol must be left that has the field; and one that is written and has it not is a mistake. */
static bool need_met(const struct rule_builder *b, const struct need *need)
{
	size_t left = 0, have = 0;

	for (size_t i = 0; i < b->protocols->n; i++)
		left += b->protocols->r[i].hi - b->protocols->r[i].lo + 1;
	for (unsigned int i = 0; i < need->n; i++)
		have += vset_has(b->protocols, need->protocols[i]);
	return have && (b->field[FIELD_PROTO]->list.negate || left == have);
}

bool proto_check(struct rule_builder *b)
{
	for (int id = 0; b->protocols && id < FIELD_VALUE_COUNT; id++) {
		for (size_t t = 0; b->field[id] && t < sizeof(need_table) / sizeof(need_table[0]); t++) {
			struct diag *g;

			if (field_get(id)->needs != need_table[t].needs || need_met(b, &need_table[t]))
				continue;
			g = clause_error(b, b->field[id], need_table[t].say);
			diag_note(b->r->d, g, b->field[FIELD_PROTO]->span, "the protocol is given here");
			return false;
		}
	}
	return true;
}
