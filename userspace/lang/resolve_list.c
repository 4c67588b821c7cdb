// SPDX-License-Identifier: GPL-2.0-only
/* Lists with their $names expanded, and the addresses in them. */
#include "base/arena.h"
#include "base/vec.h"
#include "lang/resolve.h"
#include "lang/words.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool item_is(const struct item *it, const char *word)
{
	return it->v->kind == AST_WORD && !it->v->cmp && !it->v->to && str_is(word, it->v->text.s, it->v->text.len);
}

struct diag *item_error(struct resolver *r, const struct item *it, const char *fmt, ...)
{
	const struct span *own = &it->v->text.span;
	char text[512];
	struct diag *g;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	g = diag_add(r->d, DIAG_ERROR, it->use, "%s", text);
	if (own->source != it->use.source || own->start != it->use.start)
		diag_note(r->d, g, *own, "it comes from here");
	return g;
}

static struct define *define_find(struct resolver *r, const struct ast_text *name)
{
	struct define *def = names_get(&r->defines, name->s, name->len);
	struct guess guess;
	struct diag *g;

	if (def)
		return def;
	g = diag_add(r->d, DIAG_ERROR, name->span, "$%.*s is not defined above", (int)name->len, name->s);
	guess_init(&guess, r->arena, name->s, name->len);
	for (size_t i = 0; i < r->defines.cap && r->defines.cap <= 4096; i++)
		if (r->defines.v[i].s)
			guess_try(&guess, arena_strndup(r->arena, r->defines.v[i].s, r->defines.v[i].len) ?: "");
	guess_hint(&guess, r->d, g, "$");
	return NULL;
}

struct set_def *set_find(struct resolver *r, const struct ast_text *name, struct span use)
{
	struct set_def *set = names_get(&r->sets, name->s, name->len);
	struct guess guess;
	struct diag *g;

	if (set)
		return set;
	g = diag_add(r->d, DIAG_ERROR, use, "there is no set @%.*s above", (int)name->len, name->s);
	guess_init(&guess, r->arena, name->s, name->len);
	for (size_t i = 0; i < r->set_list.n && i < 4096; i++)
		guess_try(&guess, arena_strndup(r->arena, r->set_list.v[i]->name.s, r->set_list.v[i]->name.len) ?: "");
	guess_hint(&guess, r->d, g, "@");
	return NULL;
}

static bool items_push(struct resolver *r, struct items *items, const struct ast_value *v, struct span use)
{
	if (++r->values > RESOLVE_MAX_VALUES) {
		diag_add(r->d, DIAG_ERROR, use,
			 "the lists of this file have more than %u values in all, each use of a $name counted",
			 RESOLVE_MAX_VALUES);
		return false;
	}
	return !vec_push(items, (struct item){ v, use }) || resolve_oom(r);
}

/* The larger memory is kept for the next list. */
void items_fini(struct resolver *r, struct items *items)
{
	struct items smaller = *items;

	if (items->cap > r->spare.cap) {
		smaller = r->spare;
		r->spare = *items;
	}
	vec_fini(&smaller);
	*items = (struct items){};
}

bool list_expand(struct resolver *r, const struct ast_list *list, struct items *ret_items)
{
	struct items items = r->spare;
	bool good = true;

	r->spare = (struct items){};
	items.n = 0;
	for (size_t i = 0; good && i < list->n; i++) {
		const struct ast_value *v = &list->v[i];
		const struct define *def;

		if (v->kind != AST_VAR) {
			good = items_push(r, &items, v, v->text.span);
			continue;
		}
		def = v->cmp ? NULL : define_find(r, &v->text);
		if (v->cmp)
			diag_add(r->d, DIAG_ERROR, v->text.span, "a $name cannot be compared");
		good = def;
		for (size_t k = 0; good && k < def->n; k++)
			good = items_push(r, &items, &def->v[k], v->text.span);
	}
	if (good && !items.n) {
		diag_add(r->d, DIAG_ERROR, list->span, "the list is empty");
		good = false;
	}
	if (!good)
		items_fini(r, &items);
	else
		*ret_items = items;
	return good;
}

/* Host names are what people write by mistake; say so. */
static bool looks_like_host(const char *s, size_t len)
{
	bool letters = false;

	for (size_t i = 0; i < len; i++) {
		if (s[i] == ':' || s[i] == '/')
			return false;
		letters |= ((s[i] | 0x20) >= 'g' && (s[i] | 0x20) <= 'z');
	}
	return letters;
}

static void addr_error(struct resolver *r, const struct item *it, const char *why)
{
	const struct ast_text *t = &it->v->text;
	struct str shown = {};
	struct diag *g;

	str_add_escaped(&shown, t->s, t->len < 60 ? t->len : 60);
	g = item_error(r, it, "\"%s\" %s", str_get(&shown), why);
	str_fini(&shown);
	if (names_get(&r->defines, t->s, t->len))
		diag_hint(r->d, g, "did you mean \"$%.*s\"?", (int)t->len, t->s);
	else if (names_get(&r->sets, t->s, t->len))
		diag_hint(r->d, g, "did you mean \"@%.*s\"?", (int)t->len, t->s);
	else if (item_is(it, "any"))
		diag_hint(r->d, g, "\"any\" stands alone, outside of a list");
	else if (looks_like_host(t->s, t->len))
		diag_hint(r->d, g, "host names are not looked up: write the address");
	else
		diag_hint(r->d, g, "expected a host, a prefix such as 192.0.2.0/24 or 2001:db8::/32, or a range a-b");
}

bool item_addr(struct resolver *r, const struct item *it, struct addr_range *ret)
{
	const struct ast_value *v = it->v;
	const char *why = "is not an address";
	struct addr_range a;

	if (v->kind == AST_WORD && !v->cmp)
		why = v->to ? addr_parse_ends(v->text.s, v->text.len, v->to->s, v->to->len, &a)
			      : addr_parse(v->text.s, v->text.len, &a);
	if (why) {
		addr_error(r, it, why);
		return false;
	}
	if (a.has_bits) {
		struct diag *g = diag_add(r->d, DIAG_WARNING, it->use, "\"%.*s\" has bits set behind the prefix",
					  (int)v->text.len, v->text.s);
		struct str shown = {};

		if (a.family == FAMILY_IPV4)
			lang_print_addr4((uint32_t)a.lo, &shown);
		else
			lang_print_addr6(a.lo, &shown);
		diag_hint(r->d, g, "it means %s/%u", str_get(&shown), a.len);
		str_fini(&shown);
	}
	*ret = a;
	return true;
}

int addr_add(struct aset_builder *b, const struct addr_range *a)
{
	return a->family == FAMILY_IPV4 ? aset_add4(b, (uint32_t)a->lo, (uint32_t)a->hi) : aset_add6(b, a->lo, a->hi);
}
