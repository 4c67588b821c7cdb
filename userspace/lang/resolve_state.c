// SPDX-License-Identifier: GPL-2.0-only
/* The values of `state`: names alone. */
#include "base/arena.h"
#include "base/vec.h"
#include "lang/resolve.h"
#include "lang/words.h"

static const enum state written[] = { STATE_NEW, STATE_ESTABLISHED, STATE_RELATED, STATE_INVALID };
#define NWRITTEN (sizeof(written) / sizeof(written[0]))

static bool state_error(struct resolver *r, const struct item *it)
{
	const struct ast_text *t = &it->v->text;
	struct diag *g = item_error(r, it, "expected new, established, related, invalid or any");
	struct guess guess;

	if (it->v->kind != AST_WORD)
		return false;
	guess_init(&guess, r->arena, t->s, t->len);
	for (size_t i = 0; i < NWRITTEN; i++)
		guess_try(&guess, field_value_word(FIELD_STATE, written[i]));
	guess_hint(&guess, r->d, g, "");
	return false;
}

bool state_resolve(struct resolver *r, const struct items *items, struct str *text, struct vset **ret)
{
	struct range ranges[STATE_COUNT];
	const char *sep = "";
	unsigned int mask = 0;
	size_t n = 0;

	for (size_t i = 0; i < items->n; i++) {
		const struct item *it = &items->v[i];
		bool found = item_is(it, "any");

		mask |= found ? (1u << STATE_COUNT) - 1 : 0;
		for (size_t k = 0; !found && k < NWRITTEN; k++) {
			found = item_is(it, field_value_word(FIELD_STATE, written[k]));
			mask |= found ? 1u << written[k] : 0;
		}
		if (!found)
			return state_error(r, it);
	}
	for (unsigned int s = 0; s < STATE_COUNT; s++)
		if (mask & 1u << s)
			ranges[n++] = (struct range){ s, s };
	if (mask & 1u << STATE_NONE) {
		str_add(text, "any");
	} else {
		str_add(text, n > 1 ? "{ " : "");
		for (size_t i = 0; i < n; i++, sep = ", ") {
			str_add(text, sep);
			str_add(text, field_value_word(FIELD_STATE, ranges[i].lo));
		}
		str_add(text, n > 1 ? " }" : "");
	}
	return !vset_build(r->arena, ranges, n, ret) || resolve_oom(r);
}
