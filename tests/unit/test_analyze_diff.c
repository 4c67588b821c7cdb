// SPDX-License-Identifier: GPL-2.0-only
/* What diff says beside a look at every packet: no change is missed, none invented, and examples and regions are right. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyze/diff.h"
#include "analyze_world.h"
#include "base/str.h"

#define MAX_RULES 9
#define WORK	  2500000 /* packets looked at in each world */

/* Some edits of the rules, as people make them. */
static struct policy *edited(struct world *w, const struct policy *old)
{
	const struct chain *a = &old->chain[DIRECTION_INGRESS];
	const struct chain *more = &world_policy(w, 4, false)->chain[DIRECTION_INGRESS];
	struct policy *p = arena_alloc(w->arena, sizeof(*p));
	struct chain *b = &p->chain[DIRECTION_INGRESS];
	size_t edits = prng_below(&w->prng, 4);

	*p = *old;
	b->rules = arena_array(w->arena, a->nrules + 8, sizeof(*b->rules));
	memcpy(b->rules, a->rules, a->nrules * sizeof(*b->rules));
	for (size_t e = 0; e < edits; e++) {
		size_t i = b->nrules ? prng_below(&w->prng, b->nrules) : 0, k = b->nrules ? prng_below(&w->prng, b->nrules) : 0;
		struct rule x;

		switch (prng_below(&w->prng, b->nrules ? 6 : 2)) {
		case 0:
			b->fallback = b->fallback == VERDICT_DROP ? VERDICT_PASS : VERDICT_DROP;
			break;
		case 1:
			memmove(&b->rules[i + 1], &b->rules[i], (b->nrules++ - i) * sizeof(x));
			b->rules[i] = more->rules[e];
			break;
		case 2:
			memmove(&b->rules[i], &b->rules[i + 1], (--b->nrules - i) * sizeof(x));
			break;
		case 3:
			x = b->rules[i];
			b->rules[i] = b->rules[k];
			b->rules[k] = x;
			break;
		case 4:
			b->rules[i].verdict = b->rules[i].verdict == VERDICT_DROP ? VERDICT_PASS : VERDICT_DROP;
			b->rules[i].keep_state = false;
			break;
		default:
			b->rules[i] = more->rules[e];
		}
	}
	if (w->tracks && prng_chance(&w->prng, 1, 8)) { /* nobody asks about flows any more, or all do */
		for (size_t i = 0; i < b->nrules; i++)
			b->rules[i].value[FIELD_STATE] = more->rules[0].value[FIELD_STATE];
	}
	return p;
}

struct fate {
	struct eval_result r;
	const struct rule *rule;
	unsigned int what; /* verdict, and whether state is kept */
};

static struct fate fate_of(const struct policy *p, const struct packet *packet)
{
	struct fate f = { .r = eval_state(&p->chain[DIRECTION_INGRESS], packet, NULL, NULL) };

	f.rule = f.r.rule < 0 ? NULL : &p->chain[DIRECTION_INGRESS].rules[f.r.rule];
	f.what = (unsigned int)f.r.verdict << 1 | (f.rule && f.rule->keep_state);
	return f;
}

static bool end_fits(const struct diff_end *e, const struct fate *f)
{
	if (e->verdict != f->r.verdict)
		return false;
	for (size_t i = 0; i < e->count && i < DIFF_RULES; i++)
		if (e->rule[i] == f->rule)
			return true;
	return f->rule ? e->count > DIFF_RULES : e->fallback;
}

static unsigned int kind_of(const struct packet *p)
{
	unsigned int proto = p->value[FIELD_PROTO] & 255;

	if (p->family == FAMILY_OTHER)
		return KIND_OTHER;
	if (p->value[FIELD_FRAG] == FRAG_LATER)
		return KIND_LATER;
	return proto == 6 ? KIND_TCP : proto == 17 ? KIND_UDP : proto == 132 ? KIND_SCTP
	       : p->present[FIELD_ICMP] || p->present[FIELD_ICMP6] ? KIND_ICMP : KIND_PLAIN;
}

static bool in_dim(const struct region_dim *d, u128 value)
{
	if (!d->there || d->total > d->n)
		return true;
	for (size_t i = 0; i < d->n; i++)
		if (value >= d->r[i].lo && value <= d->r[i].hi)
			return true;
	return false;
}

static bool in_live(const struct region_dim *d, uint32_t member)
{
	for (unsigned int i = 0; d->there && i < 2; i++)
		if (!strcmp(d->set, rulegen_live[i].name))
			return !!(member >> i & 1) != d->negate;
	return true;
}

static bool in_states(const struct region *r, const struct packet *p)
{
	switch (p->value[FIELD_STATE]) {
	case STATE_ESTABLISHED:
		return r->words & (REGION_ESTABLISHED | REGION_FLOW);
	case STATE_RELATED:
		return r->words & (REGION_RELATED | REGION_FLOW);
	case STATE_INVALID:
		return r->words & (REGION_INVALID | REGION_ANY);
	case STATE_NEW:
		return r->words & (REGION_NEW | REGION_ANY);
	default:
		return r->words & REGION_ANY;
	}
}

/* Does what is told of the region hold of the packet? *ret_late: it is a later fragment that goes without saying. */
static bool in_region(const struct region *r, const struct packet *p, bool *ret_late)
{
	unsigned int kind = kind_of(p), proto = p->value[FIELD_PROTO] & 255, own;
	bool six = p->family == FAMILY_IPV6;
	struct packet whole = *p;

	*ret_late = kind == KIND_LATER && !(r->kinds[p->family] & 1u << KIND_LATER);
	whole.value[FIELD_FRAG] = FRAG_NONE;
	whole.present[FIELD_ICMP] = p->family == FAMILY_IPV4 && proto == 1;
	whole.present[FIELD_ICMP6] = p->family == FAMILY_IPV6 && proto == 58;
	own = *ret_late ? kind_of(&whole) : kind;
	if (!(r->kinds[p->family] >> own & 1) || (!*ret_late && !in_states(r, p)))
		return false;
	for (int f = 0; f < FIELD_VALUE_COUNT; f++)
		if (f != FIELD_STATE && r->dim[f].there && !(*ret_late && f == FIELD_PROTO)) {
			u128 value = p->present[f] ? p->value[f] : 0;

			if ((!p->present[f] && f != FIELD_VLAN && f != FIELD_ETHERTYPE) ||
			    !in_dim(&r->dim[f], f == FIELD_PROTO ? value & 255 : value))
				return false;
		}
	return in_dim(six ? &r->src6 : &r->dim[DIM_SRC], p->src) && in_dim(six ? &r->dst6 : &r->dim[DIM_DST], p->dst) &&
	       in_live(&r->dim[DIM_LIVE_SRC], p->live_src) && in_live(&r->dim[DIM_LIVE_DST], p->live_dst);
}

static bool is_told_whole(const struct region *r)
{
	for (int d = 0; d < DIM_COUNT; d++)
		if (r->dim[d].total > r->dim[d].n)
			return false;
	return r->src6.total == r->src6.n && r->dst6.total == r->dst6.n;
}

/* A packet whose fate changes is told of; what is told of all packets of a region holds. */
static bool packet_told(const struct diff *d, const struct packet *p, const struct fate *a, const struct fate *b)
{
	bool told = false, late;

	for (size_t i = 0; i < d->change[DIRECTION_INGRESS].n; i++) {
		const struct diff_change *c = &d->change[DIRECTION_INGRESS].v[i];

		told |= c->more;
		for (size_t k = 0; k < c->nregions; k++) {
			bool fits = end_fits(&c->old, a) && end_fits(&c->new, b);

			if (!in_region(c->region[k], p, &late))
				continue;
			if (!c->region[k]->part && !late && is_told_whole(c->region[k]))
				assert_true(fits);
			told |= fits;
		}
	}
	return told;
}

static void check_example(const struct policy *old, const struct policy *new, const struct diff_change *c)
{
	struct packet p = {};
	struct fate a, b;

	assert_true(c->built);
	assert_true(world_parse(&c->spec, &p));
	a = fate_of(old, &p);
	b = fate_of(new, &p);
	assert_true(end_fits(&c->old, &a));
	assert_true(end_fits(&c->new, &b));
	assert_int_equal(c->how == TREATMENT_VERDICT, a.r.verdict != b.r.verdict);
	assert_int_not_equal(a.what, b.what);
}

static size_t same, changed, packets;
static void check_pair(const struct world *w, const struct policy *old, const struct policy *new, const struct diff *d)
{
	bool any = false, verdict = false;

	assert_int_equal(d->undecided[DIRECTION_INGRESS], 0);
	for (size_t i = 0; i < w->n; i++) {
		struct fate a = fate_of(old, &w->packet[i]), b = fate_of(new, &w->packet[i]);

		if (a.what == b.what)
			continue;
		any = true;
		verdict |= a.r.verdict != b.r.verdict;
		assert_true(packet_told(d, &w->packet[i], &a, &b));
		packets++;
	}
	/* What is told of all packets of a region, asked of packets whose fate stays. */
	for (size_t i = 0; any && i < w->n; i += 7) {
		struct fate a = fate_of(old, &w->packet[i]), b = fate_of(new, &w->packet[i]);

		if (a.what == b.what)
			packet_told(d, &w->packet[i], &a, &b);
	}
	assert_int_equal(d->change[DIRECTION_INGRESS].n > 0, any);
	assert_int_equal(diff_is_fate(d), verdict);
	for (size_t i = 0; i < d->change[DIRECTION_INGRESS].n; i++)
		check_example(old, new, &d->change[DIRECTION_INGRESS].v[i]);
	same += !any;
	changed += any;
}

static void test_random(void **state)
{
	uint64_t seed = prng_seed("test_analyze_diff", 1);

	(void)state;
	for (size_t kind = 0; kind < WORLD_KINDS; kind++) {
		struct world w;
		size_t rounds;

		world_init(&w, world_kinds[kind].fields, world_kinds[kind].tracks, seed + kind);
		rounds = WORK / w.n < 1000 ? WORK / w.n : 1000;
		for (size_t round = 0; round < rounds; round++) {
			const struct policy *old = world_policy(&w, prng_below(&w.prng, MAX_RULES), true);
			const struct policy *new = prng_chance(&w.prng, 1, 10) ? world_policy(&w, prng_below(&w.prng, MAX_RULES), false)
									       : edited(&w, old);
			struct diff d;

			assert_int_equal(diff_policies(w.arena, old, new, &d), 0);
			check_pair(&w, old, new, &d);
			diff_fini(&d);
		}
		print_message("# %s: %zu pairs\n", world_kinds[kind].name, rounds);
		world_fini(&w);
	}
	print_message("# %zu pairs change nothing, %zu do; %zu packets\n", same, changed, packets);
	assert_true(same > 500 && changed > 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "random edits: changes are what a look at every packet says, examples and regions show them", test_random, NULL, NULL,
		  NULL },
	};

	return cmocka_run_group_tests_name("analyze_diff", tests, NULL, NULL);
}
