// SPDX-License-Identifier: GPL-2.0-only
/* Lists of values, each word resolved once: rules repeat protocols and ports. */
#include "base/arena.h"
#include "lang/resolve.h"

static bool memo_keep(struct resolver *r, struct names *memos, const struct ast_text *word, const struct field_memo *memo)
{
	struct field_memo *kept = arena_alloc(r->arena, sizeof(*kept));

	if (!kept || names_put(memos, r->arena, word->s, word->len, kept))
		return resolve_oom(r);
	*kept = *memo;
	return true;
}

bool field_resolve(struct resolver *r, enum field_id id, const struct ast_list *list, const char **ret_text,
		   struct vset **ret_set)
{
	const struct ast_value *v = list->v;
	bool word = list->n == 1 && v->kind == AST_WORD && !v->cmp && !v->to;
	struct names *memos = &r->memos[id];
	const struct field_memo *known = word ? names_get(memos, v->text.s, v->text.len) : NULL;
	struct field_memo memo;

	if (!known) {
		if (!list_resolve(r, id, list, &memo))
			return false;
		if (word && memos->n < RESOLVE_MAX_MEMOS && !memo_keep(r, memos, &v->text, &memo))
			return false;
		known = &memo;
	}
	*ret_text = known->text;
	*ret_set = known->set;
	return true;
}
