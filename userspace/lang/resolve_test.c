// SPDX-License-Identifier: GPL-2.0-only
/* The lines of test blocks: packets, and in sequences time and the elements of live sets. */
#include "base/arena.h"
#include "base/vec.h"
#include "lang/print.h"
#include "lang/resolve.h"
#include "lang/words.h"

#include <string.h>

#define MAX_SEQUENCE (1460 * DURATION_DAY) /* the oracle's clock ends some months later */

/* What `by` may say beside labels: the words of reasons. */
static const char *const reasons[] = { "default",   "l2-other",	 "l2-short", "vlan-depth", "malformed",
				       "frag-tiny", "ext-chain", "l4-short", "rule",	   "established",
				       "related",   "limit",	 "max-conn",  "tcp-window" };

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
	struct packet_spec *copy = arena_alloc(r->arena, sizeof(*copy)), *quote = NULL;

	if (packet->quote)
		quote = arena_alloc(r->arena, sizeof(*quote));
	if (!copy || (packet->quote && !quote))
		return NULL;
	*copy = *packet;
	if (quote) {
		*quote = *packet->quote;
		copy->quote = quote;
	}
	if (packet->raw)
		copy->raw = (const uint8_t *)arena_strndup(r->arena, (const char *)packet->raw, packet->raw_len);
	return copy->raw || !packet->raw ? copy : NULL;
}

static void packet_text(struct resolver *r, const struct ast_expect *e)
{
	str_add(&r->text, e->direction == DIRECTION_EGRESS ? "egress " : "");
	print_packet(e->packet, &r->text);
	str_addf(&r->text, " is %s", verdict_word(e->verdict));
	if (e->by.s) {
		str_add(&r->text, " by ");
		print_string(&r->text, e->by.s);
	}
	if (e->times > 1)
		str_addf(&r->text, " times %u", e->times);
}

static void element_text(struct resolver *r, enum step step, const struct expectation *x)
{
	str_addf(&r->text, "%s @%s ", step == STEP_ADD ? "add" : "del", x->set->name);
	if (x->addresses->n4)
		print_range4(&r->text, x->addresses->v4);
	else
		print_range6(&r->text, x->addresses->v6);
}

static const char *expect_text(struct resolver *r, const struct ast_expect *e, const struct expectation *x)
{
	const char *text;

	if (e->step == STEP_PACKET)
		packet_text(r, e);
	else if (e->step == STEP_AFTER)
		str_add(&r->text, "after ");
	else
		element_text(r, e->step, x);
	if (e->ns && e->step == STEP_ADD)
		str_add(&r->text, " for ");
	print_duration(&r->text, e->ns);
	text = r->text.failed ? NULL : arena_strdup(r->arena, str_get(&r->text));
	str_reset(&r->text);
	return text;
}

/* `add @set ADDRESS`: a live set that the policy looks at, and one host or prefix. */
static bool element_resolve(struct resolver *r, const struct ast_expect *e, const struct policy_def *def,
			    const struct ruleset *rs, struct expectation *x)
{
	struct set_def *set = set_find(r, &e->set, e->set.span);
	struct addr_range a;
	struct items items;
	bool good, used = false;

	if (!set || !list_expand(r, &e->addr, &items))
		return false;
	good = items.n == 1 && item_addr(r, &items.v[0], &a);
	if (items.n != 1 || (good && a.is_range)) {
		diag_add(r->d, DIAG_ERROR, e->addr.span, "one address or prefix stands here");
		good = false;
	}
	items_fini(r, &items);
	if (!good)
		return false;
	for (size_t i = 0; i < def->policy.nlive; i++)
		used |= def->policy.live[i] == &set->named;
	if (set->addresses || !used) {
		if (set->addresses)
			diag_add(r->d, DIAG_ERROR, e->set.span, "@%s is not a live set: it does not change",
				 set->named.name);
		else
			diag_add(r->d, DIAG_ERROR, e->set.span, "no rule of policy \"%s\" names @%s", def->policy.name,
				 set->named.name);
		return false;
	}
	x->set = &rs->sets[set->index];
	return !aset_one(r->arena, a.family == FAMILY_IPV6, a.lo, a.hi, &x->addresses) || resolve_oom(r);
}

/* The policy that a line speaks of; NULL after a diagnostic. */
static struct policy_def *test_policy(struct resolver *r, const struct late *late)
{
	struct policy_def *def = r->policy_list.n == 1 ? r->policy_list.v[0] : NULL;
	const struct ast_stmt *s = late->stmt;

	if (late->policy_name.s) {
		return policy_find(r, &late->policy_name);
	} else if (!def && !r->d->errors) {
		struct diag *g =
			diag_add(r->d, DIAG_ERROR, s->span, "%s",
				 r->policy_list.n ? "which policy is this test for?" : "there is no policy to test");

		if (r->policy_list.n)
			diag_hint(r->d, g, "the file has several: write \"test policy NAME { ... }\"");
	}
	return def;
}

/* The clock of a sequence goes on with each `after`. */
static bool clock_fits(struct resolver *r, const struct ast_stmt *s, unsigned int sequence)
{
	const struct expectation *before = r->tests.n ? &r->tests.v[r->tests.n - 1] : NULL;

	if (!before || before->sequence != sequence)
		r->elapsed = 0;
	if (s->expect.step != STEP_AFTER)
		return true;
	r->elapsed += s->expect.ns;
	if (r->elapsed <= MAX_SEQUENCE)
		return true;
	diag_add(r->d, DIAG_ERROR, s->span, "the sequence is longer than %llud",
		 (unsigned long long)(MAX_SEQUENCE / DURATION_DAY));
	return false;
}

void test_resolve(struct resolver *r, const struct late *late, const struct ruleset *rs)
{
	const struct ast_stmt *s = late->stmt;
	const struct ast_expect *e = &s->expect;
	struct policy_def *def = test_policy(r, late);
	struct expectation x = {
		.step = e->step,
		.sequence = late->sequence,
		.times = e->times,
		.ns = e->ns,
		.direction = e->direction,
		.verdict = e->verdict,
	};

	if (!def || !clock_fits(r, s, late->sequence) || (e->by.s && !by_known(r, def, s)))
		return;
	if (e->set.s && !element_resolve(r, e, def, rs, &x))
		return;
	x.packet = e->packet ? packet_keep(r, e->packet) : NULL;
	x.policy = &rs->policies[def->index];
	x.by = e->by.s ? arena_strndup(r->arena, e->by.s, e->by.len) : NULL;
	x.file = s->span.source->name;
	x.line = s->line;
	x.text = expect_text(r, e, &x);
	if ((e->packet && !x.packet) || (e->by.s && !x.by) || !x.text || vec_push(&r->tests, x))
		r->failed = true;
}
