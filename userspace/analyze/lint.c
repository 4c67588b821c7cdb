// SPDX-License-Identifier: GPL-2.0-only
#include "analyze/lint_priv.h"

#include "base/arena.h"
#include "base/str.h"
#include "base/vec.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#define LINT_STEPS 300000000ull /* rules compared for one block: some seconds */

static const struct {
	const char *word;
	bool warning;
} kinds[] = {
#define FW_X(id, word, warning) { word, warning },
	LINT_FINDINGS(FW_X)
#undef FW_X
};

const char *lint_word(enum lint_kind kind)
{
	return kinds[kind].word;
}

enum lint_kind lint_kind(const char *word, size_t len)
{
	int i = 0;

	while (i < LINT_KINDS && !str_is(kinds[i].word, word, len))
		i++;
	return (enum lint_kind)i;
}

void findings_fini(struct findings *f)
{
	vec_fini(f);
}

static struct finding *findings_add(struct findings *out, enum lint_kind kind)
{
	if (vec_push(out, (struct finding){ .kind = kind, .warning = kinds[kind].warning }))
		return NULL;
	return &out->v[out->n - 1];
}

struct finding *finding_add(struct linter *l, enum lint_kind kind, const struct rule *r)
{
	struct finding *f = findings_add(l->out, kind);

	if (!f) {
		l->w.failed = true;
		return NULL;
	}
	f->policy = l->policy;
	f->dir = l->dir;
	f->rule = r;
	return f;
}

int finding_others(struct linter *l, struct finding *f, const uint32_t *rules, size_t n)
{
	size_t named = n < LINT_OTHERS ? n : LINT_OTHERS;

	f->others = arena_array(l->arena, named + 1, sizeof(struct rule *));
	if (!f->others) {
		l->w.failed = true;
		return -ENOMEM;
	}
	for (size_t i = 0; i < named; i++)
		f->others[i] = l->space->rule[rules[i]].rule;
	f->nothers = named;
	f->count = n;
	return 0;
}

static void lint_rule(struct linter *l, size_t i)
{
	const struct rule *r = &l->chain->rules[i];
	uint32_t number = l->side.first + (uint32_t)i;

	if (!l->w.steps) {
		l->undecided++;
		return;
	}
	near_find(&l->near, number, l->side.first, l->chain->nrules);
	search_spend(&l->w, l->chain->nrules / 8);
	switch (lint_reach(l, number)) {
	case FOUND_UNDECIDED:
		l->undecided++;
		return;
	case FOUND_NOTHING:
		return;
	case FOUND_PACKET:
		break;
	}
	if (r->essential || r->verdict == VERDICT_CONTINUE)
		return;
	lint_redundant(l, number);
	lint_conflict(l, number);
	lint_wide(l, number);
	lint_port(l, number);
}

static bool names(const struct finding *f, const struct rule *r)
{
	for (size_t i = 0; i < f->nothers; i++)
		if (f->others[i] == r)
			return true;
	return false;
}

/* Is it redundant only because of a rule that it hides itself? That one can go, and is told of; not both. */
static bool is_other_half(const struct findings *all, size_t first, const struct finding *f)
{
	for (size_t i = first; f->kind == LINT_REDUNDANT && i < all->n; i++)
		if (all->v[i].kind == LINT_SHADOWED && names(f, all->v[i].rule) && names(&all->v[i], f->rule))
			return true;
	return false;
}

static void forget_halves(struct findings *out, size_t first)
{
	size_t n = first;
	bool half;

	for (size_t i = first; i < out->n; i++) {
		half = is_other_half(out, i, &out->v[i]);
		if (!half)
			out->v[n++] = out->v[i];
	}
	out->n = n;
}

static int linter_run(struct linter *l)
{
	size_t first = l->out->n;

	for (size_t i = 0; i < l->chain->nrules && !l->w.failed; i++)
		lint_rule(l, i);
	forget_halves(l->out, first);
	if (!l->w.failed)
		lint_default(l);
	if (l->undecided) {
		struct finding *f = finding_add(l, LINT_UNDECIDED, NULL);

		if (f)
			f->count = l->undecided;
	}
	return l->w.failed ? -ENOMEM : 0;
}

static int lint_chain(struct arena *arena, const struct policy *p, enum direction dir, struct findings *out)
{
	struct space_list list = { .rules = p->chain[dir].rules, .nrules = p->chain[dir].nrules, .policy = p };
	struct linter l = { .arena = arena, .out = out, .policy = p, .dir = dir, .chain = &p->chain[dir] };
	int err = space_new(&list, 1, &l.space);

	if (err == -E2BIG) {
		struct finding *f = finding_add(&l, LINT_UNDECIDED, NULL);

		if (f)
			f->count = list.nrules;
		return f ? 0 : -ENOMEM;
	}
	if (err)
		return err;
	side_init(&l.side, p, dir, &list);
	l.avoid = calloc(list.nrules + 1, sizeof(*l.avoid));
	err = l.avoid ? search_init(&l.w, l.space, LINT_STEPS) : -ENOMEM;
	err = err ? err : maker_init(&l.m, l.space);
	err = err ? err : near_init(&l.near, l.space);
	err = err ? err : linter_run(&l);
	near_fini(&l.near);
	maker_fini(&l.m);
	search_fini(&l.w);
	free(l.avoid);
	space_free(l.space);
	return err;
}

static size_t name_len(const char *s)
{
	size_t len = 0;

	while (isalnum((unsigned char)s[len]) || s[len] == '_' || s[len] == '-' || s[len] == '.')
		len++;
	return len;
}

/* Canonical text names a set as @name; a label stands at its end, and in it the same is no name. */
static bool rule_names(const struct rule *r, const char *set)
{
	const char *label = r->label ? strstr(r->text, " label \"") : NULL;

	for (const char *at = strchr(r->text, '@'); at && (!label || at < label); at = strchr(at + 1, '@'))
		if (str_is(set, at + 1, name_len(at + 1)))
			return true;
	return false;
}

static bool set_is_used(const struct ruleset *rs, const char *set)
{
	for (size_t i = 0; i < rs->npolicies; i++)
		for (int d = 0; d < DIRECTION_COUNT; d++)
			for (size_t k = 0; k < rs->policies[i].chain[d].nrules; k++)
				if (rule_names(&rs->policies[i].chain[d].rules[k], set))
					return true;
	return false;
}

static int lint_sets(const struct ruleset *rs, struct findings *out)
{
	for (size_t i = 0; i < rs->nsets; i++) {
		const struct named_set *s = &rs->sets[i];
		struct finding *f = NULL;
		bool unused = !set_is_used(rs, s->name), empty = s->addresses && !s->addresses->n4 && !s->addresses->n6;

		if (!unused && !empty)
			continue;
		f = findings_add(out, unused ? LINT_SET_UNUSED : LINT_SET_EMPTY);
		if (!f)
			return -ENOMEM;
		f->set = s;
	}
	return 0;
}

static int lint_tests(const struct ruleset *rs, const struct policy *p, struct findings *out)
{
	struct finding *f;

	if (!p->chain[DIRECTION_INGRESS].nrules && !p->chain[DIRECTION_EGRESS].nrules)
		return 0;
	for (size_t i = 0; i < rs->ntests; i++)
		if (rs->tests[i].policy == p)
			return 0;
	f = findings_add(out, LINT_NO_TESTS);
	if (f)
		f->policy = p;
	return f ? 0 : -ENOMEM;
}

int lint_ruleset(struct arena *arena, const struct ruleset *rs, struct findings *ret)
{
	int err;

	*ret = (struct findings){};
	err = lint_sets(rs, ret);
	for (size_t i = 0; i < rs->npolicies && !err; i++) {
		for (int d = 0; d < DIRECTION_COUNT && !err; d++)
			if (rs->policies[i].chain[d].present)
				err = lint_chain(arena, &rs->policies[i], (enum direction)d, ret);
		err = err ? err : lint_tests(rs, &rs->policies[i], ret);
	}
	for (size_t i = 0; i < ret->n; i++) {
		ret->warnings += ret->v[i].warning;
		ret->notes += !ret->v[i].warning;
	}
	if (err)
		findings_fini(ret);
	return err;
}
