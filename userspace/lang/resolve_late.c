// SPDX-License-Identifier: GPL-2.0-only
/* What waits until every policy is known: interfaces and tests. */
#include "base/arena.h"
#include "base/vec.h"
#include "lang/print.h"
#include "lang/resolve.h"
#include "lang/words.h"

#include <string.h>

#define MAX_INTERFACE 15 /* bytes: what the kernel takes */

/* What `by` may say beside labels: the words of reasons. */
static const char *const reasons[] = { "default",   "l2-other",	 "l2-short", "vlan-depth", "malformed",
				       "frag-tiny", "ext-chain", "l4-short", "rule" };

static struct policy_def *policy_find(struct resolver *r, const struct ast_text *name)
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

/* `by` names a label of that direction or a reason. */
static bool by_known(struct resolver *r, const struct policy_def *def, const struct ast_stmt *s)
{
	const struct ast_text *by = &s->expect.by;
	const struct chain *chain = &def->policy.chain[s->expect.direction];
	struct guess guess;
	struct diag *g;

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (str_is(reasons[i], by->s, by->len))
			return true;
	if (names_get(&def->labels[s->expect.direction], by->s, by->len))
		return true;
	/* A policy that has mistakes may have lost the rule. */
	if (r->d->errors)
		return false;
	g = diag_add(r->d, DIAG_ERROR, by->span, "no %s rule of policy \"%s\" has this label, and it is no reason",
		     direction_word(s->expect.direction), def->policy.name);
	guess_init(&guess, r->arena, by->s, by->len);
	for (size_t i = 0; i < chain->nrules && i < 4096; i++)
		if (chain->rules[i].label)
			guess_try(&guess, chain->rules[i].label);
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		guess_try(&guess, reasons[i]);
	guess_hint(&guess, r->d, g, "");
	return false;
}

/* The syntax goes, the packet stays. */
static const struct packet_spec *packet_keep(struct resolver *r, const struct packet_spec *packet)
{
	struct packet_spec *copy = arena_alloc(r->arena, sizeof(*copy));

	if (!copy)
		return NULL;
	*copy = *packet;
	if (packet->raw)
		copy->raw = (const uint8_t *)arena_strndup(r->arena, (const char *)packet->raw, packet->raw_len);
	return copy->raw || !packet->raw ? copy : NULL;
}

static const char *expect_text(struct resolver *r, const struct ast_expect *e)
{
	const char *text;

	str_add(&r->text, e->direction == DIRECTION_EGRESS ? "egress " : "");
	print_packet(e->packet, &r->text);
	str_addf(&r->text, " is %s", verdict_word(e->verdict));
	if (e->by.s) {
		str_add(&r->text, " by ");
		print_string(&r->text, e->by.s);
	}
	text = r->text.failed ? NULL : arena_strdup(r->arena, str_get(&r->text));
	str_reset(&r->text);
	return text;
}

static void resolve_expect(struct resolver *r, const struct late *late, const struct ruleset *rs)
{
	const struct ast_stmt *s = late->stmt;
	const struct ast_expect *e = &s->expect;
	struct policy_def *def = r->policy_list.n == 1 ? r->policy_list.v[0] : NULL;
	struct expectation x = { .direction = e->direction, .verdict = e->verdict };

	if (late->policy_name.s) {
		def = policy_find(r, &late->policy_name);
	} else if (!def && !r->d->errors) {
		struct diag *g =
			diag_add(r->d, DIAG_ERROR, s->span, "%s",
				 r->policy_list.n ? "which policy is this test for?" : "there is no policy to test");

		if (r->policy_list.n)
			diag_hint(r->d, g, "the file has several: write \"test policy NAME { ... }\"");
	}
	if (!def || (e->by.s && !by_known(r, def, s)))
		return;
	x.packet = packet_keep(r, e->packet);
	x.policy = &rs->policies[def->index];
	x.by = e->by.s ? arena_strndup(r->arena, e->by.s, e->by.len) : NULL;
	x.file = s->span.source->name;
	x.line = s->line;
	x.text = expect_text(r, e);
	if (!x.packet || (e->by.s && !x.by) || !x.text || vec_push(&r->tests, x))
		r->failed = true;
}

void late_resolve(struct resolver *r, struct ruleset *rs)
{
	for (size_t i = 0; i < r->late.n && !r->failed && !diags_enough(r->d); i++) {
		if (r->late.v[i].stmt->kind == AST_INTERFACE)
			resolve_interface(r, r->late.v[i].stmt, rs);
		else
			resolve_expect(r, &r->late.v[i], rs);
	}
}
