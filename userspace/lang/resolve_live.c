// SPDX-License-Identifier: GPL-2.0-only
/* Live sets, and what a policy as a whole makes of them and of its state. */
#include "base/arena.h"
#include "lang/resolve.h"
#include "lang/rule_builder.h"

#include <errno.h>
#include <string.h>

#define DEFAULT_SIZE 65536
#define MAX_SIZE     16777216 /* FW_MAX_LIVE_SIZE, of all live sets together */

bool live_resolve(struct resolver *r, const struct ast_stmt *s, struct set_def *def)
{
	const struct ast_live *live = &s->set.live;
	struct diag *g;

	def->named.timeout_ns = live->timeout_ns;
	def->named.size = live->max ? live->max : DEFAULT_SIZE;
	def->named.counters = live->counters.source;
	def->named.widen = live->widen.source;
	if (!s->set.nfiles && !s->set.elements.span.source)
		return true;
	g = diag_add(r->d, DIAG_ERROR, live->live,
		     "a live set has no elements and no file: it changes while the rules run");
	diag_hint(r->d, g, "fill it with \"fwctl set add\" or \"fwctl set replace\"; or leave \"live\" out");
	return false;
}

uint32_t live_bit(struct resolver *r, const struct set_def *set, struct span use)
{
	struct policy *p = &r->policy->policy;
	struct diag *g;

	for (size_t i = 0; i < p->nlive; i++)
		if (p->live[i] == &set->named)
			return 1u << i;
	if (p->nlive == POLICY_MAX_LIVE) {
		g = diag_add(r->d, DIAG_ERROR, use, "a policy names at most %d live sets", POLICY_MAX_LIVE);
		diag_note(r->d, g, r->policy->live_span[POLICY_MAX_LIVE - 1], "the last of them is here");
		return 0;
	}
	r->policy->live_span[p->nlive] = use;
	p->live[p->nlive] = &set->named;
	return 1u << p->nlive++;
}

/* Together, too, they must fit. */
static void check_sizes(struct resolver *r, const struct policy_def *def)
{
	const struct policy *p = &def->policy;
	uint64_t sum = 0;

	for (size_t i = 0; i < p->nlive; i++) {
		struct diag *g;

		sum += p->live[i]->size;
		if (sum <= MAX_SIZE || sum - p->live[i]->size > MAX_SIZE)
			continue;
		g = diag_add(r->d, DIAG_ERROR, def->live_span[i],
			     "the live sets of this policy have more than %d elements together", MAX_SIZE);
		diag_hint(r->d, g, "give them smaller sizes");
	}
}

static bool any_rule(const struct policy *p, bool (*is)(const struct rule *rule))
{
	for (int dir = 0; dir < DIRECTION_COUNT; dir++)
		for (size_t i = 0; i < p->chain[dir].nrules; i++)
			if (is(&p->chain[dir].rules[i]))
				return true;
	return false;
}

static bool keeps_state(const struct rule *rule)
{
	return rule->keep_state;
}

void policy_finish(struct resolver *r, struct policy_def *def)
{
	struct policy *p = &def->policy;

	check_sizes(r, def);
	if (policy_track(p, r->arena)) {
		r->failed = true;
		return;
	}
	if (r->d->errors)
		return; /* rules may be missing */
	if (p->track && !any_rule(p, keeps_state))
		diag_add(r->d, DIAG_WARNING, def->name.span,
			 "no rule of this policy says \"keep state\": each packet is new or invalid, none established");
	else if (def->state_span.source && !p->track)
		diag_add(r->d, DIAG_WARNING, def->state_span, "no rule keeps state: this block does nothing");
}

/* Where the rule set has this set. */
static const struct named_set *settled(const struct resolver *r, const struct ruleset *rs, const struct named_set *set)
{
	const struct set_def *def = names_get(&r->sets, set->name, strlen(set->name));

	return &rs->sets[def->index];
}

void live_sets_settle(struct resolver *r, struct ruleset *rs)
{
	for (size_t i = 0; i < rs->npolicies; i++) {
		struct policy *p = &rs->policies[i];

		for (size_t k = 0; k < p->nlive; k++)
			p->live[k] = settled(r, rs, p->live[k]);
		for (int dir = 0; p->nlive && dir < DIRECTION_COUNT; dir++) {
			struct chain *c = &p->chain[dir];

			for (size_t k = 0; k < c->nrules; k++)
				if (c->rules[k].over.ban)
					c->rules[k].over.ban = settled(r, rs, c->rules[k].over.ban);
		}
	}
}
