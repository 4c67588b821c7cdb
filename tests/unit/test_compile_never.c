// SPDX-License-Identifier: GPL-2.0-only
/* Warnings for rules that can never match: right when given, given for the plain cases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "harness/handmade.h"
#include "harness/rulegen.h"

static bool is_never(const struct image *img, enum fw_dir dir, size_t rule)
{
	size_t n;

	return image_rules(image_hdr(img), dir, &n)[rule].flags & FW_RULEF_NEVER;
}

/* Compile; the number of warnings, their text. */
static size_t warnings(const struct policy *p, struct image *img, struct str *text)
{
	struct arena *arena = arena_new();
	struct diags d;
	size_t n;

	diags_init(&d, arena);
	assert_int_equal(compile_policy(p, "hand.fw", "", &d, NULL, img), 0);
	diags_print(&d, text);
	n = d.warnings;
	diags_fini(&d);
	arena_free(arena);
	return n;
}

/* Is the last rule told to be one that never matches? `word` must be in the warnings. */
static void assert_never(const struct policy *p, bool want, const char *word)
{
	struct str text = {};
	struct image img;
	size_t last = p->chain[DIRECTION_INGRESS].nrules - 1;
	char name[32];

	warnings(p, &img, &text);
	snprintf(name, sizeof(name), "never match: rule %zu", last);
	assert_int_equal(strstr(str_get(&text), name) != NULL, want);
	assert_int_equal(is_never(&img, FW_DIR_INGRESS, last), want);
	if (word)
		assert_non_null(strstr(str_get(&text), word));
	if (want)
		assert_non_null(strstr(str_get(&text), "hand.fw:"));
	str_fini(&text);
	image_fini(&img);
}

static void test_contradictions(void **state)
{
	struct arena *arena = arena_new();
	struct policy *p = hand_policy(arena, 1);
	struct rule *r = hand_rule(p, 0), plain = *r;

	(void)state;
	assert_never(p, false, NULL);
	r->value[FIELD_DPORT] = hand_no_values(arena);
	assert_never(p, true, "exclude one another");
	*r = plain;
	r->src = hand_addr4(arena, 1, 2);
	r->dst = hand_addr6(arena, 1, 2);
	assert_never(p, true, "exclude one another");
	*r = plain;
	r->families = 1u << FAMILY_IPV6;
	r->src = hand_addr4(arena, 1, 2);
	assert_never(p, true, NULL);
	*r = plain;
	r->families = 1u << FAMILY_OTHER;
	r->value[FIELD_TTL] = hand_values(arena, 1, 2);
	assert_never(p, true, NULL);
	*r = plain;
	r->value[FIELD_PROTO] = hand_values(arena, FAMILY_IPV6 << 8 | 6, FAMILY_IPV6 << 8 | 6);
	r->src = hand_addr4(arena, 1, 2);
	assert_never(p, true, NULL);
	*r = plain;
	r->value[FIELD_ICMP] = hand_values(arena, 0, 65535);
	r->value[FIELD_EXT] = hand_values(arena, 0, 255);
	assert_never(p, true, NULL);
	arena_free(arena);
}

static void test_hidden(void **state)
{
	struct arena *arena = arena_new();
	struct policy *p = hand_policy(arena, 3);
	struct rule *first = hand_rule(p, 0), *r = hand_rule(p, 2), plain = *r;
	struct str text = {};
	struct image img;

	(void)state;
	hand_rule(p, 1)->value[FIELD_TTL] = hand_values(arena, 7, 7);
	first->src = hand_addr4(arena, 0x0a000000, 0x0affffff);
	r->src = hand_addr4(arena, 0x0a010000, 0x0a01ffff);
	assert_never(p, true, "line 1 takes every packet first: rule 0");
	/* One address more. */
	r->src = hand_addr4(arena, 0x0aff0000, 0x0b000000);
	assert_never(p, false, NULL);
	r->src = hand_addr4(arena, 0x09ffffff, 0x0a000000);
	assert_never(p, false, NULL);
	/* More conditions hide as well; a condition that the first rule has and the later one has not does not. */
	r->src = hand_addr4(arena, 0x0a010000, 0x0a01ffff);
	r->value[FIELD_DPORT] = hand_values(arena, 80, 90);
	assert_never(p, true, NULL);
	first->value[FIELD_DPORT] = hand_values(arena, 80, 89);
	assert_never(p, false, NULL);
	first->value[FIELD_DPORT] = hand_values(arena, 0, 65535);
	assert_never(p, true, NULL);
	/* Packets without ports are left over. */
	r->value[FIELD_DPORT] = NULL;
	assert_never(p, false, NULL);
	/* A count rule does not end the walk; a hidden count rule is hidden. */
	first->value[FIELD_DPORT] = NULL;
	first->verdict = VERDICT_CONTINUE;
	assert_never(p, false, NULL);
	first->verdict = VERDICT_PASS;
	r->verdict = VERDICT_CONTINUE;
	assert_never(p, true, NULL);
	/* The family that the first rule has no addresses of is left over. */
	*r = plain;
	assert_never(p, false, NULL);
	first->src = NULL;
	assert_never(p, true, NULL);
	r->families = HAND_ANY;
	assert_never(p, false, NULL);
	/* Essentials come last and are often hidden: nobody wrote them, so nobody is told. */
	r->families = HAND_IP;
	r->essential = true;
	assert_int_equal(warnings(p, &img, &text), 1); /* of rule 1, which the bare first one hides */
	assert_true(is_never(&img, FW_DIR_INGRESS, 2));
	image_fini(&img);
	str_fini(&text);
	arena_free(arena);
}

/* The whole range of addresses is as good as none. */
static void test_whole_range(void **state)
{
	struct arena *arena = arena_new();
	struct policy *p = hand_policy(arena, 2);

	(void)state;
	hand_rule(p, 0)->src = hand_addr4(arena, 0, 0xffffffff);
	hand_rule(p, 1)->families = 1u << FAMILY_IPV4;
	assert_never(p, true, NULL);
	hand_rule(p, 1)->families = HAND_IP;
	assert_never(p, false, NULL);
	arena_free(arena);
}

/* The reference: does one earlier terminal rule hold every set of this one? Slow and by the model alone. */
static bool holds_values(const struct vset *a, const struct vset *b)
{
	if (!a)
		return true;
	if (!b)
		return false;
	for (size_t i = 0; i < b->n; i++) {
		bool inside = false;

		for (size_t k = 0; k < a->n; k++)
			inside |= a->r[k].lo <= b->r[i].lo && a->r[k].hi >= b->r[i].hi;
		if (!inside)
			return false;
	}
	return true;
}

static bool plainly_hides(const struct rule *a, const struct rule *b)
{
	if (a->verdict == VERDICT_CONTINUE || (b->families & ~a->families) || a->src || a->dst)
		return false;
	for (int f = 0; f < FIELD_VALUE_COUNT; f++)
		if (!holds_values(a->value[f], b->value[f]))
			return false;
	return true;
}

static void test_plain_cases_are_found(void **state)
{
	struct prng prng;
	size_t found = 0;

	(void)state;
	prng_init(&prng, prng_seed("test_plain_cases_are_found", 0));
	for (int round = 0; round < 200; round++) {
		struct rulegen_opts opts = { .nrules = 30,
					     .fields = 1u << FIELD_DPORT | 1u << FIELD_TTL | 1u << FIELD_PROTO };
		struct arena *arena = arena_new();
		struct policy *p = rulegen_policy(arena, &prng, &opts);
		struct image img;

		hand_compile(p, &img);
		for (int d = 0; d < DIRECTION_COUNT; d++) {
			const struct chain *c = &p->chain[d];

			for (size_t i = 0; i < c->nrules; i++) {
				for (size_t k = 0; k < i; k++) {
					if (!plainly_hides(&c->rules[k], &c->rules[i]))
						continue;
					found++;
					assert_true(is_never(&img, d, i));
					break;
				}
			}
		}
		image_fini(&img);
		arena_free(arena);
	}
	assert_true(found > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "conditions that exclude one another are told", test_contradictions, NULL, NULL, NULL },
		{ "a rule behind one that takes all of it is told, and only such a rule", test_hidden, NULL, NULL,
		  NULL },
		{ "the whole range of addresses hides like no condition", test_whole_range, NULL, NULL, NULL },
		{ "random rules: every plainly hidden rule is found", test_plain_cases_are_found, NULL, NULL, NULL },
	};

	return cmocka_run_group_tests_name("compile_never", tests, NULL, NULL);
}
