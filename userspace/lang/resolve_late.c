// SPDX-License-Identifier: GPL-2.0-only
/* What waits until every policy is known: interfaces and tests. */
#include "base/arena.h"
#include "base/vec.h"
#include "lang/resolve.h"
#include "lang/words.h"

#include <string.h>

#define MAX_INTERFACE 15 /* bytes: what the kernel takes */

struct policy_def *policy_find(struct resolver *r, const struct ast_text *name)
{
	struct policy_def *def = names_get(&r->policies, name->s, name->len);
	struct guess guess;
	struct diag *g;

	if (def)
		return def;
	g = diag_add(r->d, DIAG_ERROR, name->span, "there is no policy \"%.*s\"", (int)name->len, name->s);
	guess_init(&guess, r->arena, name->s, name->len);
	for (size_t i = 0; i < r->policy_list.n && i < 4096; i++)
		guess_try(&guess, r->policy_list.v[i]->policy.name);
	guess_hint(&guess, r->d, g, "");
	return NULL;
}

static const char *interface_refused(const struct item *it)
{
	const char *s = it->v->text.s;
	size_t len = it->v->text.len;

	if ((it->v->kind != AST_WORD && it->v->kind != AST_STRING) || it->v->cmp || it->v->to)
		return "expected the name of an interface";
	if (!len || len > MAX_INTERFACE)
		return "the name of an interface has 1 to 15 bytes";
	if (memchr(s, '/', len) || memchr(s, ':', len) || (s[0] == '.' && (len == 1 || (len == 2 && s[1] == '.'))))
		return "an interface cannot have this name";
	for (size_t i = 0; i < len; i++)
		if (strchr(" \t\n\v\f\r", s[i]))
			return "the name of an interface has no white space";
	return NULL;
}

static void resolve_interface(struct resolver *r, const struct ast_stmt *s, const struct ruleset *rs)
{
	struct policy_def *def = policy_find(r, &s->name);
	struct items items;

	if (!list_expand(r, &s->list, &items))
		return;
	for (size_t i = 0; i < items.n && !r->failed; i++) {
		const struct item *it = &items.v[i];
		const char *refused = interface_refused(it);
		struct binding b = { .policy = def ? &rs->policies[def->index] : NULL, .line = s->line };
		const struct span *first;
		struct span *own;

		if (refused) {
			item_error(r, it, "%s", refused);
			continue;
		}
		first = names_get(&r->interfaces, it->v->text.s, it->v->text.len);
		if (first) {
			diag_note(r->d, item_error(r, it, "this interface uses a policy already"), *first,
				  "first written here");
			continue;
		}
		own = arena_alloc(r->arena, sizeof(*own));
		b.interface = arena_strndup(r->arena, it->v->text.s, it->v->text.len);
		if (!own || !b.interface) {
			r->failed = true;
			break;
		}
		*own = it->use;
		if (names_put(&r->interfaces, r->arena, b.interface, it->v->text.len, own) || vec_push(&r->bindings, b))
			r->failed = true;
	}
	items_fini(r, &items);
}

void late_resolve(struct resolver *r, struct ruleset *rs)
{
	for (size_t i = 0; i < r->late.n && !r->failed && !diags_enough(r->d); i++) {
		if (r->late.v[i].stmt->kind == AST_INTERFACE)
			resolve_interface(r, r->late.v[i].stmt, rs);
		else
			test_resolve(r, &r->late.v[i], rs);
	}
}
