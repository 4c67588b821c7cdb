// SPDX-License-Identifier: GPL-2.0-only
/* The generated rule sets have the statistics that they are made to have. */
#include "base/arena.h"
#include "harness/rulegen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint64_t seed;

/* The prefixes of one side and family, as ranges. */
struct spans {
	struct range6 v[20000];
	size_t n;
};

static const struct aset *rule_side(const struct rule *r, bool dst)
{
	return dst ? r->dst : r->src;
}

static void spans_collect(struct spans *s, const struct chain *c, bool dst, bool six)
{
	s->n = 0;
	for (size_t i = 0; i < c->nrules; i++) {
		const struct aset *set = rule_side(&c->rules[i], dst);

		if (!set || (six ? set->n6 : set->n4) == 0)
			continue;
		assert_int_equal(set->n4 + set->n6, 1);
		assert_true(s->n < sizeof(s->v) / sizeof(s->v[0]));
		s->v[s->n++] = six ? set->v6[0] : (struct range6){ set->v4[0].lo, set->v4[0].hi };
	}
}

/* The widest first where they begin alike. */
static int span_cmp(const void *a, const void *b)
{
	const struct range6 *x = a, *y = b;

	if (x->lo != y->lo)
		return x->lo < y->lo ? -1 : 1;
	return x->hi == y->hi ? 0 : x->hi > y->hi ? -1 : 1;
}

/* How many different ones of them hold one address, at most. They are prefixes: any two nest or are apart. */
static size_t spans_depth(struct spans *s)
{
	const struct range6 *stack[200];
	size_t depth = 0, most = 0;

	qsort(s->v, s->n, sizeof(s->v[0]), span_cmp);
	for (size_t i = 0; i < s->n; i++) {
		if (i && !span_cmp(&s->v[i - 1], &s->v[i]))
			continue;
		while (depth && stack[depth - 1]->hi < s->v[i].lo)
			depth--;
		assert_true(!depth || stack[depth - 1]->hi >= s->v[i].hi);
		stack[depth++] = &s->v[i];
		most = depth > most ? depth : most;
	}
	return most;
}

static void prefixes_nest_as_in_real_sets(const struct chain *c)
{
	static struct spans s;

	for (int side = 0; side < 4; side++) {
		size_t longish = 0;

		spans_collect(&s, c, side & 1, side & 2);
		for (size_t i = 0; i < s.n; i++)
			longish += s.v[i].hi - s.v[i].lo < 256;
		if (side < 2)
			assert_in_range(100 * longish / s.n, 45, 98); /* /24 … /32 */
		assert_in_range(spans_depth(&s), 2, 7);
	}
}

/* The different sets that rules ask for in one field. */
static size_t different_sets(const struct chain *c, enum field_id id, const struct vset **ret, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < c->nrules; i++) {
		const struct vset *v = c->rules[i].value[id];
		size_t k = 0;

		while (v && k < n && !vset_equal(ret[k], v))
			k++;
		if (!v || k < n)
			continue;
		assert_true(n < max);
		ret[n++] = v;
	}
	return n;
}

/* Classes of one field: values that no rule tells apart. A sum of random numbers stands for the sets that hold a value.
 */
static size_t classes(const struct chain *c, enum field_id id, uint64_t lo, uint64_t hi)
{
	static uint64_t mark[65536], seen[1024];
	const struct vset *sets[512];
	size_t nsets = different_sets(c, id, sets, 512), n = 0;
	struct prng p;

	prng_init(&p, seed);
	memset(mark, 0, sizeof(mark));
	for (size_t i = 0; i < nsets; i++) {
		uint64_t number = prng_u64(&p);

		for (size_t k = 0; k < sets[i]->n; k++)
			for (uint64_t x = sets[i]->r[k].lo; x <= sets[i]->r[k].hi; x++)
				mark[x] += number;
	}
	for (uint64_t x = lo; x <= hi; x++) {
		size_t k = 0;

		while (k < n && seen[k] != mark[x])
			k++;
		if (k == n && n < sizeof(seen) / sizeof(seen[0]))
			seen[n++] = mark[x];
	}
	return n;
}

static void few_classes(const struct chain *c)
{
	assert_in_range(classes(c, FIELD_SPORT, 0, 65535), 3, 33);
	assert_in_range(classes(c, FIELD_DPORT, 0, 65535), 15, 229);
	assert_in_range(classes(c, FIELD_PROTO, 0x100, 0x1ff), 3, 9);
	assert_in_range(classes(c, FIELD_PROTO, 0x200, 0x2ff), 3, 9);
}

/* Per cent of rules. */
struct shares {
	unsigned int src_any, dst_any, both_any, six;
};

static struct shares shares_of(const struct chain *c)
{
	size_t src = 0, dst = 0, both = 0, six = 0;

	for (size_t i = 0; i < c->nrules; i++) {
		const struct rule *r = &c->rules[i];

		src += !r->src;
		dst += !r->dst;
		both += !r->src && !r->dst;
		six += r->families == 1u << FAMILY_IPV6;
	}
	return (struct shares){ (unsigned int)(100 * src / c->nrules), (unsigned int)(100 * dst / c->nrules),
				(unsigned int)(100 * both / c->nrules), (unsigned int)(100 * six / c->nrules) };
}

static void wildcards_by_style(enum rulegen_style style, const struct chain *c)
{
	struct shares s = shares_of(c);

	assert_in_range(s.six, 12, 30);
	assert_in_range(s.both_any, 0, 1);
	switch (style) {
	case RULEGEN_ACL:
		assert_in_range(s.src_any, 5, 20);
		assert_in_range(s.dst_any, 0, 3);
		break;
	case RULEGEN_FW:
		assert_in_range(s.src_any, 15, 45);
		assert_in_range(s.dst_any, 15, 45);
		break;
	default:
		assert_in_range(s.src_any, 0, 8);
		assert_in_range(s.dst_any, 0, 8);
	}
}

static bool same_values(const struct vset *a, const struct vset *b)
{
	return a == b || (a && b && vset_equal(a, b));
}

static bool same_addresses(const struct aset *a, const struct aset *b)
{
	return a == b || (a && b && aset_equal(a, b));
}

/* Every packet of b is one of a's. */
static bool hides(const struct rule *a, const struct rule *b)
{
	if (a->families != b->families)
		return false;
	for (int id = 0; id < FIELD_VALUE_COUNT; id++) {
		const struct vset *x = a->value[id], *y = b->value[id];

		if (x && (!y || x->r[0].lo > y->r[0].lo || x->r[0].hi < y->r[0].hi))
			return false;
	}
	for (int dst = 0; dst < 2; dst++) {
		const struct aset *x = rule_side(a, dst), *y = rule_side(b, dst);

		if (!x)
			continue;
		if (!y || (x->n4 && (x->v4[0].lo > y->v4[0].lo || x->v4[0].hi < y->v4[0].hi)) ||
		    (x->n6 && (x->v6[0].lo > y->v6[0].lo || x->v6[0].hi < y->v6[0].hi)))
			return false;
	}
	return true;
}

static bool is_duplicate(const struct rule *a, const struct rule *b)
{
	for (int id = 0; id < FIELD_VALUE_COUNT; id++)
		if (!same_values(a->value[id], b->value[id]))
			return false;
	return a->families == b->families && same_addresses(a->src, b->src) && same_addresses(a->dst, b->dst);
}

/* No duplicates, few hidden ones, several rules for one pair of addresses. */
static void few_rules_are_idle(const struct chain *c)
{
	size_t hidden = 0, pairs = 0;

	for (size_t i = 0; i < c->nrules; i++) {
		bool idle = false, first = true;

		for (size_t k = 0; k < i; k++) {
			const struct rule *a = &c->rules[k], *b = &c->rules[i];

			assert_false(is_duplicate(a, b));
			idle |= hides(a, b);
			first &= a->families != b->families || !same_addresses(a->src, b->src) ||
				 !same_addresses(a->dst, b->dst);
		}
		hidden += idle;
		pairs += first;
	}
	assert_in_range(hidden, 0, c->nrules / 100);
	assert_in_range(100 * pairs / c->nrules, 40, 90);
}

static void statistics_of_real_sets(void **state)
{
	static const size_t sizes[] = { 1000, 10000 };

	for (int style = RULEGEN_REAL_FIRST; style < RULEGEN_HOSTILE_FIRST; style++)
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			struct arena *a = arena_new();
			struct policy *p = rulegen_plain(a, seed, (enum rulegen_style)style, sizes[i]);
			const struct chain *c;

			assert_non_null(p);
			c = &p->chain[DIRECTION_INGRESS];
			assert_int_equal(c->nrules, sizes[i]);
			prefixes_nest_as_in_real_sets(c);
			few_classes(c);
			wildcards_by_style((enum rulegen_style)style, c);
			if (sizes[i] == 1000)
				few_rules_are_idle(c);
			arena_free(a);
		}
}

static void any_size(void **state)
{
	static const size_t sizes[] = { 0, 1, 2, 8, 64, 100000 };

	for (int style = RULEGEN_REAL_FIRST; style < RULEGEN_STYLE_COUNT; style++)
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			struct arena *a;
			struct policy *p;

			/* the largest of one style of either kind is enough */
			if (sizes[i] > 1000 && style != RULEGEN_FW && style != RULEGEN_GRID)
				continue;
			a = arena_new();
			p = rulegen_plain(a, seed, (enum rulegen_style)style, sizes[i]);
			assert_non_null(p);
			assert_int_equal(p->chain[DIRECTION_INGRESS].nrules, sizes[i]);
			assert_false(p->chain[DIRECTION_EGRESS].present);
			arena_free(a);
		}
}

static void one_family_alone(void **state)
{
	struct rulegen_opts opts = { .style = RULEGEN_IPC, .nrules = 500, .families = 1u << FAMILY_IPV6 };
	struct arena *a = arena_new();
	struct policy *p;
	struct prng prng;

	prng_init(&prng, seed);
	p = rulegen_policy(a, &prng, &opts);
	for (size_t i = 0; i < 500; i++)
		assert_int_equal(p->chain[DIRECTION_EGRESS].rules[i].families, 1u << FAMILY_IPV6);
	arena_free(a);
}

static void the_seed_decides(void **state)
{
	for (int style = RULEGEN_REAL_FIRST; style < RULEGEN_STYLE_COUNT; style++) {
		struct arena *a = arena_new();
		struct chain *c[3];
		size_t other = 0;

		for (int k = 0; k < 3; k++)
			c[k] = &rulegen_plain(a, seed + (k == 2), (enum rulegen_style)style, 300)
					->chain[DIRECTION_INGRESS];
		for (size_t i = 0; i < 300; i++) {
			assert_true(is_duplicate(&c[0]->rules[i], &c[1]->rules[i]));
			assert_int_equal(c[0]->rules[i].verdict, c[1]->rules[i].verdict);
			other += !is_duplicate(&c[0]->rules[i], &c[2]->rules[i]);
		}
		assert_true(other > 0 || style == RULEGEN_NESTED);
		arena_free(a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(statistics_of_real_sets),
		cmocka_unit_test(any_size),
		cmocka_unit_test(one_family_alone),
		cmocka_unit_test(the_seed_decides),
	};

	seed = prng_seed("unit/rulegen", 11);
	return cmocka_run_group_tests_name("unit/rulegen", tests, NULL, NULL);
}
