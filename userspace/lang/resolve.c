// SPDX-License-Identifier: GPL-2.0-only
/* Statements, in the order of the text. */
#include "lang/resolve.h"

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/vec.h"

#include <errno.h>
#include <string.h>

static void resolve_block(struct resolver *r, const struct ast_block *block, enum parse_level level,
			  struct policy_def *policy);

struct diag *resolve_twice(struct resolver *r, const struct ast_text *name, const struct ast_text *first,
			  const char *what)
{
	struct diag *g =
		diag_add(r->d, DIAG_ERROR, name->span, "%s \"%.*s\" is there already", what, (int)name->len, name->s);

	diag_note(r->d, g, first->span, "first written here");
	return g;
}

/* Names inside a define are expanded when it is written, so that it stays one flat list. */
static void resolve_define(struct resolver *r, const struct ast_stmt *s)
{
	const struct define *old = names_get(&r->defines, s->name.s, s->name.len);
	struct define *def;
	struct items items;

	if (old) {
		resolve_twice(r, &s->name, &old->name, "the define");
		return;
	}
	if (!list_expand(r, &s->list, &items))
		return;
	def = arena_alloc(r->arena, sizeof(*def));
	if (def)
		def->v = arena_array(r->arena, items.n, sizeof(*def->v));
	if (!def || !def->v) {
		r->failed = true;
	} else {
		def->name = s->name;
		def->n = items.n;
		for (size_t i = 0; i < items.n; i++)
			def->v[i] = *items.v[i].v;
		if (names_put(&r->defines, r->arena, s->name.s, s->name.len, def))
			r->failed = true;
	}
	items_fini(r, &items);
}

static void resolve_include(struct resolver *r, const struct ast_stmt *s, enum parse_level level,
			    struct policy_def *policy)
{
	struct load load = { .parent = r->load, .depth = r->load->depth + 1 };
	struct ast_block block;

	if (!load_file(r, &s->name, &load.source))
		return;
	if (!parse_source(r->tree, load.source, level, r->d, &block)) {
		r->failed = true;
		return;
	}
	r->load = &load;
	resolve_block(r, &block, level, policy);
	r->load = load.parent;
}

/* `essentials on|off`: of the block it stands in; in a policy, of the blocks that follow. The last one counts. */
static void resolve_essentials(struct resolver *r, const struct ast_stmt *s, enum parse_level level,
			       struct policy_def *def)
{
	if (level == PARSE_CHAIN)
		r->essentials = s->on;
	else if (def->policy.chain[DIRECTION_INGRESS].present || def->policy.chain[DIRECTION_EGRESS].present)
		diag_add(r->d, DIAG_ERROR, s->span, "\"essentials\" stands before the ingress and egress blocks");
	else
		def->essentials = s->on;
}

static void resolve_state(struct resolver *r, const struct ast_stmt *s, struct policy_def *def)
{
	if (def->state_span.source) {
		struct diag *g = diag_add(r->d, DIAG_ERROR, s->span, "the policy has a state block already");

		diag_note(r->d, g, def->state_span, "first written here");
		return;
	}
	def->state_span = s->span;
	def->policy.state = s->state;
}

/* `log default`, `log reasons`: anywhere in the block, once each. */
static void resolve_log_line(struct resolver *r, const struct ast_stmt *s, struct policy_def *def)
{
	struct chain *chain = &def->policy.chain[r->direction];
	struct span *first = &def->log_span[r->direction][s->on];

	if (first->source) {
		struct diag *g = diag_add(r->d, DIAG_ERROR, s->span, "the block has \"log %s\" already", s->on ? "reasons" : "default");

		diag_note(r->d, g, *first, "first written here");
		return;
	}
	*first = s->span;
	*(s->on ? &chain->log_reasons : &chain->log_default) = log_resolve(r, &s->log);
}

static void resolve_chain(struct resolver *r, const struct ast_stmt *s, struct policy_def *def)
{
	struct chain *chain = &def->policy.chain[s->direction];

	if (chain->present) {
		struct diag *g = diag_add(r->d, DIAG_ERROR, s->span, "the policy has this block already");

		diag_note(r->d, g, def->chain_span[s->direction], "first written here");
		return;
	}
	def->chain_span[s->direction] = s->span;
	chain->present = true;
	chain->fallback = s->fallback;
	r->policy = def;
	r->essentials = def->essentials;
	r->direction = s->direction;
	r->rules.v = NULL;
	r->rules.n = r->rules.cap = 0;
	resolve_block(r, &s->body, PARSE_CHAIN, def);
	if (s->fallback == VERDICT_DROP && r->essentials)
		essentials_add(r, s);
	if (r->rules.n && arena_adopt(r->arena, r->rules.v)) {
		r->failed = true;
		return;
	}
	chain->rules = TAKE_PTR(r->rules.v);
	chain->nrules = r->rules.n;
	r->rules.n = r->rules.cap = 0;
}

static void resolve_policy(struct resolver *r, const struct ast_stmt *s)
{
	const struct policy_def *old = names_get(&r->policies, s->name.s, s->name.len);
	struct policy_def *def;

	if (old) {
		resolve_twice(r, &s->name, &old->name, "the policy");
		return;
	}
	def = arena_alloc(r->arena, sizeof(*def));
	if (!def) {
		r->failed = true;
		return;
	}
	def->name = s->name;
	def->index = r->policy_list.n;
	def->essentials = true;
	def->policy.name = arena_strndup(r->arena, s->name.s, s->name.len);
	def->policy.file = s->span.source->name;
	def->policy.line = s->line;
	for (int dir = 0; dir < DIRECTION_COUNT; dir++)
		def->policy.chain[dir].fallback = VERDICT_PASS;
	state_opts_default(&def->policy.state);
	if (!def->policy.name || names_put(&r->policies, r->arena, s->name.s, s->name.len, def) ||
	    vec_push(&r->policy_list, def)) {
		r->failed = true;
		return;
	}
	resolve_block(r, &s->body, PARSE_POLICY, def);
	policy_finish(r, def);
	if (!def->policy.chain[0].present && !def->policy.chain[1].present && !r->d->errors)
		diag_add(r->d, DIAG_WARNING, s->name.span,
			 "the policy has neither an ingress nor an egress block: it passes everything");
}

static void later(struct resolver *r, const struct ast_stmt *s, const struct ast_text *policy_name)
{
	if (vec_push(&r->late,
		     (struct late){ .stmt = s,
				    .policy_name = policy_name ? *policy_name : (struct ast_text){},
				    .sequence = r->sequence }))
		r->failed = true;
}

static void resolve_test(struct resolver *r, const struct ast_stmt *test, const struct ast_block *body)
{
	for (const struct ast_stmt *s = body->first; s; s = s->next) {
		struct load load = { .parent = r->load, .depth = r->load->depth + 1 };
		struct ast_block block = {};

		if (s->kind == AST_EXPECT) {
			later(r, s, &test->name);
			continue;
		}
		if (s->kind == AST_SEQUENCE) {
			if (s->body.first) /* an empty one leaves no trace, so it has no number */
				r->sequence = ++r->sequences;
			resolve_test(r, test, &s->body);
			r->sequence = 0;
			continue;
		}
		if (!load_file(r, &s->name, &load.source))
			continue;
		if (!parse_source(r->tree, load.source, PARSE_TEST, r->d, &block)) {
			r->failed = true;
			return;
		}
		r->load = &load;
		resolve_test(r, test, &block);
		r->load = load.parent;
	}
}

static void resolve_block(struct resolver *r, const struct ast_block *block, enum parse_level level,
			  struct policy_def *policy)
{
	for (const struct ast_stmt *s = block->first; s && !r->failed && !diags_enough(r->d); s = s->next) {
		switch (s->kind) {
		case AST_DEFINE:
			resolve_define(r, s);
			break;
		case AST_SET_DECL:
			set_resolve(r, s);
			break;
		case AST_POLICY:
			resolve_policy(r, s);
			break;
		case AST_CHAIN:
			resolve_chain(r, s, policy);
			break;
		case AST_RULE:
			rule_resolve(r, s);
			break;
		case AST_INCLUDE:
			resolve_include(r, s, level, policy);
			break;
		case AST_INTERFACE:
			later(r, s, &s->name);
			break;
		case AST_TEST:
			resolve_test(r, s, &s->body);
			break;
		case AST_ESSENTIALS:
			resolve_essentials(r, s, level, policy);
			break;
		case AST_STATE:
			resolve_state(r, s, policy);
			break;
		case AST_LOG_LINE:
			resolve_log_line(r, s, policy);
			break;
		case AST_EXPECT: /* these stand in tests alone */
		case AST_SEQUENCE:
			break;
		}
	}
}

static bool take_lists(struct resolver *r, struct ruleset *rs)
{
	rs->npolicies = r->policy_list.n;
	rs->policies = arena_array(r->arena, rs->npolicies, sizeof(*rs->policies));
	rs->nsets = r->set_list.n;
	rs->sets = arena_array(r->arena, rs->nsets, sizeof(*rs->sets));
	if (!rs->policies || !rs->sets)
		return false;
	for (size_t i = 0; i < rs->npolicies; i++)
		rs->policies[i] = r->policy_list.v[i]->policy;
	for (size_t i = 0; i < rs->nsets; i++) {
		rs->sets[i] = r->set_list.v[i]->named;
		rs->sets[i].addresses = r->set_list.v[i]->addresses;
	}
	live_sets_settle(r, rs);
	return true;
}

static bool copy_out(struct arena *arena, const void *v, size_t n, size_t size, void **ret)
{
	*ret = arena_array(arena, n, size);
	if (*ret && n)
		memcpy(*ret, v, n * size);
	return *ret;
}

static int resolve_all(struct resolver *r, const struct source *source, struct ruleset *rs)
{
	struct load top = { .source = source };
	struct ast_block block;

	if (!parse_source(r->tree, source, PARSE_TOP, r->d, &block))
		return -ENOMEM;
	r->load = &top;
	resolve_block(r, &block, PARSE_TOP, NULL);
	if (r->failed || !take_lists(r, rs))
		return -ENOMEM;
	late_resolve(r, rs);
	rs->nbindings = r->bindings.n;
	rs->ntests = r->tests.n;
	if (r->failed ||
	    !copy_out(r->arena, r->bindings.v, r->bindings.n, sizeof(*r->bindings.v), (void **)&rs->bindings) ||
	    !copy_out(r->arena, r->tests.v, r->tests.n, sizeof(*r->tests.v), (void **)&rs->tests))
		return -ENOMEM;
	return r->d->errors ? -EINVAL : 0;
}

int lang_parse(struct arena *arena, const char *name, const char *text, size_t len, const struct lang_reader *reader,
	       struct diags *d, struct ruleset **ret_rules)
{
	struct resolver r = { .arena = arena, .d = d, .reader = reader };
	struct source *source = arena_alloc(arena, sizeof(*source));
	struct ruleset *rs = arena_alloc(arena, sizeof(*rs));
	int err;

	if (!source || !rs)
		return -ENOMEM;
	source->name = arena_strdup(arena, name);
	source->text = text;
	source->len = len;
	if (!source->name)
		return -ENOMEM;
	if (len > LEX_MAX_TEXT) {
		diag_add(d, DIAG_ERROR, (struct span){ source, 0, 0 }, "the file is larger than 1 GiB");
		return -EINVAL;
	}
	rs->file = source->name;
	r.tree = arena_new();
	err = r.tree ? resolve_all(&r, source, rs) : -ENOMEM;
	arena_free(r.tree);
	str_fini(&r.text);
	vec_fini(&r.set_list);
	vec_fini(&r.policy_list);
	vec_fini(&r.late);
	vec_fini(&r.bindings);
	vec_fini(&r.tests);
	vec_fini(&r.rules);
	vec_fini(&r.spare);
	if (!err)
		*ret_rules = rs;
	return err;
}
