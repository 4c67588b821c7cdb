// SPDX-License-Identifier: GPL-2.0-only
/* Every rule set of up to three rules over two small fields, against every packet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness/handmade.h"

#define MAX_CONDITIONS 8
#define MAX_PACKETS    96

/* What a rule may say of one field: NULL, or a set. */
struct conditions {
	enum field_id field;
	const struct vset *v[MAX_CONDITIONS];
	size_t n;
};

struct world {
	struct arena *arena;
	struct conditions field[2];
	unsigned int families[4];
	size_t nfamilies;
	enum verdict verdicts[3];
	size_t nverdicts;
	struct packet packet[MAX_PACKETS];
	size_t npackets;
	struct policy *policy;
	size_t sets; /* looked at */
};

static void add_condition(struct conditions *c, const struct vset *v)
{
	assert_true(c->n < MAX_CONDITIONS);
	c->v[c->n++] = v;
}

/* Values 0 … values - 1 of both fields and their absence, in every family that may have the field. */
static void make_packets(struct world *w, unsigned int values)
{
	for (enum family f = FAMILY_OTHER; f < FAMILY_COUNT; f++) {
		for (unsigned int a = 0; a <= values; a++) {
			for (unsigned int b = 0; b <= values; b++) {
				struct packet p = { .family = f };
				const unsigned int value[2] = { a, b };
				bool fits = true;

				for (int k = 0; k < 2; k++) {
					enum field_id id = w->field[k].field;
					enum field_needs needs = field_get(id)->needs;

					p.present[id] = value[k] < values;
					p.value[id] = p.present[id] ? value[k] : 0;
					/* IP packets always have the fields of IP, others never do. */
					if (needs == FIELD_NEEDS_IP)
						fits &= p.present[id] == (f != FAMILY_OTHER);
					if (needs == FIELD_NEEDS_IP6)
						fits &= p.present[id] == (f == FAMILY_IPV6);
				}
				p.present[FIELD_PROTO] = f != FAMILY_OTHER;
				p.value[FIELD_PROTO] = p.present[FIELD_PROTO] ? f << 8 | 17 : 0;
				assert_true(!fits || w->npackets < MAX_PACKETS);
				if (fits)
					w->packet[w->npackets++] = p;
			}
		}
	}
}

static void check_set(struct world *w)
{
	struct image img;

	hand_compile(w->policy, &img);
	for (size_t i = 0; i < w->npackets; i++)
		assert_true(hand_same(w->policy, &img, &w->packet[i]));
	image_fini(&img);
	w->sets++;
}

/* Every choice for rule i and those after it. */
static void each_rule(struct world *w, size_t i)
{
	struct rule *r = hand_rule(w->policy, i);

	if (i == w->policy->chain[DIRECTION_INGRESS].nrules) {
		check_set(w);
		return;
	}
	for (size_t a = 0; a < w->field[0].n; a++) {
		for (size_t b = 0; b < w->field[1].n; b++) {
			for (size_t f = 0; f < w->nfamilies; f++) {
				for (size_t v = 0; v < w->nverdicts; v++) {
					r->value[w->field[0].field] = w->field[0].v[a];
					r->value[w->field[1].field] = w->field[1].v[b];
					r->families = w->families[f];
					r->verdict = w->verdicts[v];
					each_rule(w, i + 1);
				}
			}
		}
	}
}

static void run(struct world *w, size_t nrules)
{
	w->policy = hand_policy(w->arena, nrules);
	each_rule(w, 0);
}

static void world_init(struct world *w, enum field_id a, enum field_id b)
{
	*w = (struct world){ .arena = arena_new(), .field = { { .field = a }, { .field = b } } };
	assert_non_null(w->arena);
	for (int k = 0; k < 2; k++)
		add_condition(&w->field[k], NULL);
}

static void world_fini(struct world *w)
{
	print_message("# %zu rule sets, %zu packets each\n", w->sets, w->npackets);
	arena_free(w->arena);
}

/* FRAG belongs to IP, VLAN to any frame: so the family matters and PROTO has to speak for it. */
static void test_two_rules(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, FIELD_FRAG, FIELD_VLAN);
	add_condition(&w.field[0], hand_no_values(w.arena));
	add_condition(&w.field[0], hand_values(w.arena, 0, 0));
	add_condition(&w.field[0], hand_values(w.arena, 1, 2));
	add_condition(&w.field[0], hand_values(w.arena, 0, 3));
	add_condition(&w.field[1], hand_values(w.arena, 1, 1));
	add_condition(&w.field[1], hand_values(w.arena, 2, 4095));
	w.families[0] = HAND_IP;
	w.families[1] = HAND_ANY;
	w.families[2] = 1u << FAMILY_IPV4;
	w.families[3] = 1u << FAMILY_OTHER;
	w.nfamilies = 4;
	w.verdicts[0] = VERDICT_DROP;
	w.verdicts[1] = VERDICT_PASS;
	w.verdicts[2] = VERDICT_CONTINUE;
	w.nverdicts = 3;
	make_packets(&w, 3);
	for (size_t n = 0; n <= 2; n++)
		run(&w, n);
	assert_true(w.sets == 1 + 180 + 180 * 180);
	world_fini(&w);
}

static void test_three_rules(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, FIELD_FRAG, FIELD_EXT);
	add_condition(&w.field[0], hand_values(w.arena, 0, 0));
	add_condition(&w.field[0], hand_values(w.arena, 1, 2));
	add_condition(&w.field[1], hand_values(w.arena, 0, 0));
	w.families[0] = HAND_IP;
	w.families[1] = HAND_ANY;
	w.nfamilies = 2;
	w.verdicts[0] = VERDICT_DROP;
	w.verdicts[1] = VERDICT_CONTINUE;
	w.nverdicts = 2;
	make_packets(&w, 3);
	run(&w, 3);
	assert_true(w.sets == 24 * 24 * 24);
	world_fini(&w);
}

#define ASETS 6

/* Nothing, a host, a prefix, a range of no prefix and its complement, the other family beside one. */
static void make_asets(struct arena *arena, const struct aset *set[ASETS])
{
	struct aset_builder both = { .arena = arena };
	struct aset *s;

	set[0] = NULL;
	set[1] = hand_addr4(arena, 2, 2);
	set[2] = hand_addr4(arena, 2, 3);
	set[3] = hand_addr4(arena, 1, 5);
	assert_int_equal(aset_invert(arena, set[3], &s), 0);
	set[4] = s;
	assert_int_equal(aset_add4(&both, 3, 4) | aset_add6(&both, 2, 3), 0);
	assert_int_equal(aset_build(&both, &s), 0);
	set[5] = s;
}

static void check_addresses(const struct policy *p)
{
	const struct compile_opts opts = { .engine = ENGINE_LISTS };
	struct packet other = { .family = FAMILY_OTHER, .present = { [FIELD_ETHERTYPE] = true } };
	struct image img;

	hand_compile_opts(p, &opts, &img);
	assert_true(image_hdr(&img)->dir[0].flags & FW_DIRF_LISTS);
	for (uint32_t src = 0; src < 7; src++) {
		for (uint32_t dst = 0; dst < 7; dst++) {
			struct packet four = hand_packet4(src, dst), six = hand_packet6(src, dst);

			assert_true(hand_same(p, &img, &four));
			assert_true(hand_same(p, &img, &six));
		}
	}
	assert_true(hand_same(p, &img, &other));
	image_fini(&img);
}

/* A rule of every pair of sets before a rule of every pair of sets, the first with a port or for any frame now and
 * then. */
static void test_addresses(void **state)
{
	struct arena *arena = arena_new();
	struct policy *p = hand_policy(arena, 2);
	const struct vset *port = hand_values(arena, 80, 80);
	const struct aset *set[ASETS];
	size_t n = 0;

	(void)state;
	make_asets(arena, set);
	for (int i = 0; i < ASETS * ASETS * ASETS * ASETS; i++) {
		struct rule *a = hand_rule(p, 0), *b = hand_rule(p, 1);

		a->src = set[i % ASETS];
		a->dst = set[i / ASETS % ASETS];
		b->src = set[i / (ASETS * ASETS) % ASETS];
		b->dst = set[i / (ASETS * ASETS * ASETS)];
		a->value[FIELD_DPORT] = i % 5 == 1 ? port : NULL;
		a->verdict = i % 5 == 2 ? VERDICT_CONTINUE : VERDICT_PASS;
		b->families = i % 5 == 3 ? 1u << FAMILY_IPV6 : i % 5 == 4 ? HAND_ANY : HAND_IP;
		check_addresses(p);
		n++;
	}
	assert_int_equal(n, 1296);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "every set of two rules over frag, vlan, family and verdict: image and oracle agree", test_two_rules,
		  NULL, NULL, NULL },
		{ "every set of three rules over frag, ext, family and verdict: image and oracle agree",
		  test_three_rules, NULL, NULL, NULL },
		{ "every two rules over six sets of addresses, in lists: image and oracle agree", test_addresses, NULL,
		  NULL, NULL },
	};

	return cmocka_run_group_tests_name("compile_exhaustive", tests, NULL, NULL);
}
