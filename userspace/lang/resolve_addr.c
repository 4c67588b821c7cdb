// SPDX-License-Identifier: GPL-2.0-only
/* `from` and `to`: addresses, sets, and their canonical text. */
#include "base/arena.h"
#include "base/vec.h"
#include "lang/print.h"
#include "lang/rule_builder.h"

#include <stdlib.h>
#include <string.h>

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
	for (size_t i = 0; items && i < items->n; i++) {
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

		diag_hint(b->r->d, g, "a rule with the set alone shares it: from @%.*s", (int)it->v->text.len,
			  it->v->text.s);
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

/* One address, as most rules have it. */
static bool addr_one(struct rule_builder *b, const struct item *it, const struct aset **ret)
{
	struct addr_range a;
	struct aset *one;

	if (!item_addr(b->r, it, &a))
		return false;
	if (aset_one(b->r->arena, a.family == FAMILY_IPV6, a.lo, a.hi, &one))
		return resolve_oom(b->r);
	print_aset_list(&b->r->text, one, NULL);
	*ret = one;
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

/* `@a` or `{ @a, @b }`, live: the rule knows them by their bits. Members may be of any address, so nothing is merged. */
static bool addr_live(struct rule_builder *b, const struct ast_clause *c, const struct items *items, size_t plain,
		      struct live_match *ret)
{
	const struct item *other = plain ? &items->v[0] : NULL, *live = NULL;
	struct diag *g;

	for (size_t i = plain; i < items->n; i++) {
		struct set_def *set = set_find(b->r, &items->v[i].v->text, items->v[i].use);

		if (!set)
			return false;
		if (set->addresses)
			other = &items->v[i];
		else
			live = &items->v[i];
	}
	if (other) {
		g = item_error(b->r, other, "a live set stands alone: @%.*s is one", (int)live->v->text.len, live->v->text.s);
		diag_hint(b->r->d, g, "write two rules, one for live sets and one for addresses");
		return false;
	}
	ret->negate = c->list.negate;
	for (size_t i = 0; i < items->n; i++) {
		uint32_t bit = live_bit(b->r, names_get(&b->r->sets, items->v[i].v->text.s, items->v[i].v->text.len),
					items->v[i].use);

		if (!bit)
			return false;
		ret->sets |= bit;
	}
	str_add(&b->r->text, items->n > 1 ? "{ " : "");
	print_aset_list(&b->r->text, NULL, items);
	str_add(&b->r->text, items->n > 1 ? " }" : "");
	return true;
}

static bool any_live(const struct resolver *r, const struct items *items, size_t plain)
{
	for (size_t i = plain; i < items->n; i++) {
		const struct set_def *set = names_get(&r->sets, items->v[i].v->text.s, items->v[i].v->text.len);

		if (set && !set->addresses)
			return true;
	}
	return false;
}

/* Every address of both families. */
static bool aset_is_all(const struct aset *s)
{
	return s->n4 == 1 && s->v4[0].lo == 0 && s->v4[0].hi == UINT32_MAX && s->n6 == 1 && s->v6[0].lo == 0 &&
	       s->v6[0].hi == ~(u128)0;
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

bool addr_resolve(struct rule_builder *b, enum ast_clause_kind kind, const struct aset **ret, struct live_match *ret_live)
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
		items_fini(b->r, &items);
		if (c->list.negate)
			clause_error(b, c, "\"! any\" matches no packet");
		return !c->list.negate;
	}
	plain = items_split(&items);
	if (any_live(b->r, &items, plain)) {
		good = addr_live(b, c, &items, plain, ret_live);
	} else if (plain == 0 && items.n == 1) {
		good = addr_shared(b, &items.v[0], c->list.negate, ret);
	} else {
		good = items.n == 1 ? addr_one(b, &items.v[0], ret) : addr_union(b, &items, plain, ret);
		if (good && c->list.negate)
			good = addr_invert(b->r, *ret, ret);
	}
	if (good && *ret && aset_is_all(*ret))
		*ret = NULL; /* no condition for the compiler; the text keeps it */
	items_fini(b->r, &items);
	if (!good)
		str_reset(&b->r->text);
	else
		b->addr_text[kind] = take_text(b->r);
	return good && b->addr_text[kind];
}
