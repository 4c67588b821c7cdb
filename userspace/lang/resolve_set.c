// SPDX-License-Identifier: GPL-2.0-only
/* `set NAME { … }` */
#include "base/arena.h"
#include "base/vec.h"
#include "lang/resolve.h"

static bool set_elements(struct resolver *r, const struct ast_list *list, struct aset_builder *b)
{
	struct items items;
	bool good = true;

	if (!list->n)
		return true;
	if (!list_expand(r, list, &items))
		return false;
	for (size_t i = 0; i < items.n; i++) {
		struct addr_range a;

		if (items.v[i].v->kind == AST_SET) {
			item_error(r, &items.v[i], "a set holds addresses, not other sets");
			good = false;
		} else if (!item_addr(r, &items.v[i], &a)) {
			good = false;
		} else if (addr_add(b, &a)) {
			good = resolve_oom(r);
		}
	}
	items_fini(r, &items);
	return good;
}

static bool set_addresses(struct resolver *r, const struct ast_stmt *s, struct set_def *def)
{
	struct aset_builder b = { .arena = r->arena };
	struct aset *addresses;
	bool good = set_elements(r, &s->set.elements, &b);

	for (size_t i = 0; good && !r->failed && i < s->set.nfiles; i++) {
		const struct source *source;

		good = load_file(r, &s->set.files[i], &source) && netset_read(r, source, &b);
	}
	if (good && aset_build(&b, &addresses))
		good = resolve_oom(r);
	aset_builder_fini(&b);
	if (!good)
		return false;
	addresses->name = def->named.name;
	def->addresses = def->named.addresses = addresses;
	if (!addresses->n4 && !addresses->n6)
		diag_add(r->d, DIAG_WARNING, s->name.span, "the set \"%s\" is empty: no address is in it",
			 addresses->name);
	return true;
}

static bool set_contents(struct resolver *r, const struct ast_stmt *s, struct set_def *def)
{
	def->named.name = arena_strndup(r->arena, s->name.s, s->name.len);
	def->named.file = s->span.source->name;
	def->named.line = s->line;
	if (!def->named.name)
		return resolve_oom(r);
	return s->set.live.live.source ? live_resolve(r, s, def) : set_addresses(r, s, def);
}

/* What only a live set can have; a mistake that half a live set makes. */
static bool live_missing(struct resolver *r, const struct ast_set *set)
{
	const struct ast_live *l = &set->live;
	const struct span *first = l->timeout.source	? &l->timeout
				   : l->size.source	? &l->size
				   : l->counters.source ? &l->counters
							: &l->widen;
	struct diag *g;

	if (!first->source || l->live.source)
		return false;
	g = diag_add(r->d, DIAG_ERROR, *first, "only a live set has this");
	diag_hint(r->d, g, "add \"live\": the set then starts empty and is changed while the rules run");
	return true;
}

void set_resolve(struct resolver *r, const struct ast_stmt *s)
{
	const struct set_def *old = names_get(&r->sets, s->name.s, s->name.len);
	static const struct aset nothing;
	struct set_def *def;

	if (old) {
		resolve_twice(r, &s->name, &old->name, "the set");
		return;
	}
	if (live_missing(r, &s->set))
		return;
	if (!s->set.nfiles && !s->set.elements.span.source && !s->set.live.live.source) {
		diag_add(r->d, DIAG_ERROR, s->name.span, "a set needs \"elements { ... }\", a \"file\", or \"live\"");
		return;
	}
	def = arena_alloc(r->arena, sizeof(*def));
	if (!def) {
		r->failed = true;
		return;
	}
	def->name = s->name;
	def->line = s->line;
	def->index = r->set_list.n;
	/* A set with mistakes keeps its name: rules that use it are no second mistake. */
	if (!set_contents(r, s, def) && !s->set.live.live.source)
		def->addresses = &nothing;
	if (names_put(&r->sets, r->arena, s->name.s, s->name.len, def) || vec_push(&r->set_list, def))
		r->failed = true;
}
