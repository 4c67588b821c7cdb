// SPDX-License-Identifier: GPL-2.0-only
/* Counter slots follow the identity of a rule from generation to generation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "harness/handmade.h"
#include "harness/prng.h"

/* An image whose ingress rules have these names, and verdicts by letter: "d:a p:b". */
static void make(const char *rules, struct image *ret)
{
	struct arena *arena = arena_new();
	size_t n = 0;
	struct policy *p;

	for (const char *c = rules; *c; c++)
		n += *c == ':';
	p = hand_policy(arena, n);
	for (size_t i = 0; i < n; i++) {
		const char *name = strchr(rules, ':') + 1;
		size_t len = strcspn(name, " ");

		hand_rule(p, i)->verdict = name[-2] == 'd'   ? VERDICT_DROP
					   : name[-2] == 'p' ? VERDICT_PASS
							     : VERDICT_CONTINUE;
		hand_rule(p, i)->label = arena_strndup(arena, name, len);
		rules = name + len;
	}
	hand_compile(p, ret);
	arena_free(arena);
}

static uint32_t slot_of(const struct image *img, size_t rule)
{
	const struct fw_image *h = image_hdr(img);
	const struct fw_action *action = (const struct fw_action *)(img->data + h->dir[0].actions);
	size_t n;

	/* Both places say the same. */
	assert_int_equal(action[rule].slot, image_rules(h, FW_DIR_INGRESS, &n)[rule].slot);
	return action[rule].slot;
}

static void test_first(void **state)
{
	uint32_t nslots[FW_DIR_COUNT];
	struct image img;

	(void)state;
	make("d:a p:b c:c", &img);
	assert_int_equal(image_assign_slots(&img, NULL, nslots), 0);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(slot_of(&img, i), FW_SLOT_RULE0 + i);
	assert_int_equal(nslots[0], FW_SLOT_RULE0 + 3);
	assert_int_equal(nslots[1], FW_SLOT_RULE0);
	image_fini(&img);
}

static void test_moved(void **state)
{
	uint32_t nslots[FW_DIR_COUNT];
	struct image a, b;

	(void)state;
	make("d:a p:b c:c", &a);
	assert_int_equal(image_assign_slots(&a, NULL, nslots), 0);
	make("c:c p:new d:a p:b", &b);
	assert_int_equal(image_assign_slots(&b, image_hdr(&a), nslots), 0);
	assert_int_equal(slot_of(&b, 0), slot_of(&a, 2));
	assert_int_equal(slot_of(&b, 2), slot_of(&a, 0));
	assert_int_equal(slot_of(&b, 3), slot_of(&a, 1));
	assert_int_equal(slot_of(&b, 1), FW_SLOT_RULE0 + 3);
	assert_int_equal(nslots[0], FW_SLOT_RULE0 + 4);
	image_fini(&a);
	image_fini(&b);
}

/* The same name with another verdict is another rule: its packets are not these packets. */
static void test_verdict(void **state)
{
	uint32_t nslots[FW_DIR_COUNT];
	struct fw_meta_rule retired[FW_SLOT_RULE0 + 8];
	struct image a, b;

	(void)state;
	make("d:a p:b", &a);
	assert_int_equal(image_assign_slots(&a, NULL, nslots), 0);
	make("p:a p:b", &b);
	assert_int_equal(image_assign_slots(&b, image_hdr(&a), nslots), 0);
	assert_int_equal(slot_of(&b, 0), FW_SLOT_RULE0 + 2);
	assert_int_equal(slot_of(&b, 1), slot_of(&a, 1));
	assert_int_equal(image_retired_slots(&b, image_hdr(&a), FW_DIR_INGRESS, retired), 1);
	assert_int_equal(retired[0].slot, slot_of(&a, 0));
	assert_int_equal(retired[0].verdict, FW_VERDICT_DROP);
	assert_int_equal(image_retired_slots(&b, image_hdr(&a), FW_DIR_EGRESS, retired), 0);
	image_fini(&a);
	image_fini(&b);
}

/* A slot given up rests for one generation, then it is the first to be taken. */
static void test_reuse(void **state)
{
	uint32_t nslots[FW_DIR_COUNT];
	struct image a, b, c;

	(void)state;
	make("d:a d:b d:c", &a);
	assert_int_equal(image_assign_slots(&a, NULL, nslots), 0);
	make("d:a d:c d:x", &b);
	assert_int_equal(image_assign_slots(&b, image_hdr(&a), nslots), 0);
	assert_int_equal(slot_of(&b, 2), FW_SLOT_RULE0 + 3);
	make("d:a d:c d:x d:y", &c);
	assert_int_equal(image_assign_slots(&c, image_hdr(&b), nslots), 0);
	assert_int_equal(slot_of(&c, 3), FW_SLOT_RULE0 + 1);
	assert_int_equal(nslots[0], FW_SLOT_RULE0 + 4);
	image_fini(&a);
	image_fini(&b);
	image_fini(&c);
}

/* Slots and bases are history: the content, and so the digest, is the same. */
static void test_digest(void **state)
{
	uint32_t nslots[FW_DIR_COUNT];
	char before[65], after[65];
	struct image a, b;

	(void)state;
	make("d:a d:b d:c", &a);
	make("d:c d:b d:a", &b);
	image_digest_hex(image_hdr(&b), before);
	assert_int_equal(image_assign_slots(&b, image_hdr(&a), nslots), 0);
	image_digest_hex(image_hdr(&b), after);
	assert_string_equal(before, after);
	image_digest_hex(image_hdr(&a), after);
	assert_string_not_equal(before, after);
	image_fini(&a);
	image_fini(&b);
}

#define NAMES 300
/* A long life: rules come, go and come back. What must hold, holds in every step. */
static void test_life(void **state)
{
	static struct fw_meta_rule retired[FW_SLOT_RULE0 + FW_MAX_RULES];
	uint32_t nslots[FW_DIR_COUNT];
	struct image live, next;
	struct prng prng;

	(void)state;
	prng_init(&prng, prng_seed("test_life", 0));
	make("d:start", &live);
	assert_int_equal(image_assign_slots(&live, NULL, nslots), 0);
	for (int step = 0; step < 200; step++) {
		char was[FW_MAX_SLOTS] = {}, is[FW_MAX_SLOTS] = {};
		size_t live_n, n, kept = 0, names = 1 + prng_below(&prng, NAMES);
		const struct fw_meta_rule *old, *new;
		struct str text = {};

		for (size_t i = 0; i < names; i++)
			if (prng_chance(&prng, 2, 3))
				str_addf(&text, "%c:r%zu ", "dpd"[i % 3], (i * 7 + step % 3) % NAMES + 1000 * i);
		make(str_get(&text), &next);
		str_fini(&text);
		assert_int_equal(image_assign_slots(&next, image_hdr(&live), nslots), 0);
		old = image_rules(image_hdr(&live), FW_DIR_INGRESS, &live_n);
		new = image_rules(image_hdr(&next), FW_DIR_INGRESS, &n);
		for (size_t i = 0; i < live_n; i++)
			was[old[i].slot] = 1;
		for (size_t i = 0; i < n; i++) {
			bool inherited = false;

			/* Nobody shares a slot, and none lies beyond what was told. */
			assert_int_equal(is[new[i].slot]++, 0);
			assert_in_range(new[i].slot, FW_SLOT_RULE0, nslots[0] - 1);
			for (size_t k = 0; k < live_n; k++) {
				if (strcmp(image_str(image_hdr(&live), old[k].id),
					   image_str(image_hdr(&next), new[i].id)) ||
				    old[k].verdict != new[i].verdict)
					continue;
				assert_int_equal(new[i].slot, old[k].slot);
				inherited = true;
			}
			/* A newcomer sits on no slot of the running generation. */
			assert_true(inherited || !was[new[i].slot]);
			kept += inherited;
		}
		assert_int_equal(image_retired_slots(&next, image_hdr(&live), FW_DIR_INGRESS, retired), live_n - kept);
		/* Lowest first: never more slots than two generations need. */
		assert_true(nslots[0] <= FW_SLOT_RULE0 + 2 * NAMES);
		image_fini(&live);
		live = next;
	}
	image_fini(&live);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "the first generation counts from the first slot", test_first, NULL, NULL, NULL },
		{ "a rule that moved keeps its slot", test_moved, NULL, NULL, NULL },
		{ "a rule with another verdict gets another slot", test_verdict, NULL, NULL, NULL },
		{ "a retired slot rests one generation before it is used again", test_reuse, NULL, NULL, NULL },
		{ "slots are no part of the digest", test_digest, NULL, NULL, NULL },
		{ "over many generations no slot is shared, stolen or lost", test_life, NULL, NULL, NULL },
	};

	return cmocka_run_group_tests_name("image_slots", tests, NULL, NULL);
}
