// SPDX-License-Identifier: GPL-2.0-only
/* Images with lists: whatever is damaged in nodes, entries and parts is refused, and nothing outside is read. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/handmade.h"
#include "harness/prng.h"
#include "harness/rulegen.h"

struct listed {
	struct image img; /* of exactly its length, so that the sanitizer sees a read past the end */
	struct fw_dir_hdr *dir;
	struct fw_node *flat;  /* has three entries or more, behind it */
	struct fw_node *parted;
	struct fw_entry *entry; /* of flat */
	struct fw_part *part;	/* of parted */
};

/* Five ports of one host; twelve networks for another host, which know hosts of their own, so they stand at the host. */
static struct policy *listed_policy(struct arena *arena)
{
	struct policy *p = hand_policy(arena, 5 + 12 + 60);

	for (uint32_t i = 0; i < 5; i++) {
		hand_rule(p, i)->src = hand_addr4(arena, 0x01000001, 0x01000001);
		hand_rule(p, i)->value[FIELD_DPORT] = hand_values(arena, i, i);
	}
	for (uint32_t i = 0; i < 12; i++) {
		hand_rule(p, 5 + i)->src = hand_addr4(arena, 0x03000001, 0x03000001);
		hand_rule(p, 5 + i)->dst = hand_addr4(arena, 0x04000000 + (i << 8), 0x040000ff + (i << 8));
		for (uint32_t k = 0; k < 5; k++) {
			uint32_t host = 0x04000000 + (i << 8) + 3 * k;

			hand_rule(p, 17 + 5 * i + k)->dst = hand_addr4(arena, host, host);
		}
	}
	return p;
}

static void listed_open(struct listed *t)
{
	const struct compile_opts opts = { .engine = ENGINE_LISTS };
	struct arena *arena = arena_new();
	uint8_t *copy;

	memset(t, 0, sizeof(*t));
	hand_compile_opts(listed_policy(arena), &opts, &t->img);
	arena_free(arena);
	copy = malloc(t->img.len);
	assert_non_null(copy);
	memcpy(copy, t->img.data, t->img.len);
	t->dir = &((struct fw_image *)copy)->dir[0];
	for (uint32_t i = 1; i < t->dir->nunits; i++) {
		struct fw_node *node = (struct fw_node *)(copy + t->dir->units) + i;

		if (!node->nparts && FW_LIST_UNIT(node->list) == i + 1 && FW_LIST_COUNT(node->list) == 5 && !t->flat)
			t->flat = node;
		if (node->nparts >= 12 && node->nparts <= 16 && node->list < t->dir->nunits && !t->parted)
			t->parted = node;
	}
	assert_non_null(t->flat);
	assert_non_null(t->parted);
	t->entry = (struct fw_entry *)(t->flat + 1);
	t->part = (struct fw_part *)(copy + t->dir->units + 16ul * t->parted->list);
	image_fini(&t->img);
	t->img.data = copy;
	t->img.len = image_hdr(&t->img)->total_len;
}

static void listed_close(struct listed *t)
{
	free(t->img.data);
}

static int listed_check(struct listed *t)
{
	const char *why;

	image_hdr(&t->img)->check = image_header_check(image_hdr(&t->img));
	return image_check(t->img.data, t->img.len, &why);
}

/* One word is replaced; the image must be refused, and whole again when the word is put back. */
static void refused(struct listed *t, uint32_t *word, uint32_t value)
{
	uint32_t was = *word;

	assert_int_not_equal(was, value);
	*word = value;
	assert_int_equal(listed_check(t), -EINVAL);
	*word = was;
	assert_int_equal(listed_check(t), 0);
}

static void test_entries(void **state)
{
	struct listed t;

	(void)state;
	listed_open(&t);
	assert_int_equal(listed_check(&t), 0);
	refused(&t, &t.entry[0].place, t.dir->nrules);
	refused(&t, &t.entry[0].place, UINT32_MAX);
	refused(&t, &t.entry[1].place, t.entry[0].place - 1);
	refused(&t, &t.entry[2].place, t.entry[4].place);
	refused(&t, &t.entry[0].svc, 64 * t.dir->nsvc);
	refused(&t, &t.entry[0].svc, FW_SVC_ANY - 1);
	refused(&t, &t.flat->list, FW_LIST(FW_LIST_UNIT(t.flat->list), FW_MAX_LIST + 1));
	refused(&t, &t.flat->list, FW_LIST(FW_LIST_UNIT(t.flat->list), 0));
	refused(&t, &t.flat->list, FW_LIST(t.dir->nunits - 1, 2));
	refused(&t, &t.flat->list, UINT32_MAX);
	listed_close(&t);
}

static void test_parts(void **state)
{
	struct listed t;

	(void)state;
	listed_open(&t);
	refused(&t, &t.part[0].bound, 1);
	refused(&t, &t.part[2].bound, t.part[1].bound);
	refused(&t, &t.part[2].bound, 0);
	refused(&t, &t.part[t.parted->nparts - 1].bound, t.part[3].bound);
	refused(&t, &t.part[5].list, FW_LIST(t.dir->nunits, 1));
	refused(&t, &t.part[5].list, UINT32_MAX);
	refused(&t, &t.parted->list, t.dir->nunits);
	refused(&t, &t.parted->list, t.dir->nunits - 1);
	refused(&t, &t.parted->list, UINT32_MAX);
	refused(&t, &t.parted->nparts, FW_MAX_PARTS + 1);
	refused(&t, &t.parted->nparts, UINT32_MAX);
	listed_close(&t);
}

static void test_header(void **state)
{
	struct listed t;

	(void)state;
	listed_open(&t);
	refused(&t, &t.dir->units, 0);
	refused(&t, &t.dir->units, t.dir->units + 4);
	refused(&t, &t.dir->units, image_hdr(&t.img)->hot_len);
	refused(&t, &t.dir->nunits, 0);
	refused(&t, &t.dir->nunits, UINT32_MAX);
	refused(&t, &t.dir->nunits, (image_hdr(&t.img)->hot_len - t.dir->units) / 16 + 1);
	refused(&t, &t.dir->root[0][1], t.dir->nunits);
	refused(&t, &t.dir->root[0][1], 0);
	refused(&t, &t.dir->nsvc, FW_MAX_SERVICES / 64 + 1);
	refused(&t, &t.dir->nsvc, 0);
	refused(&t, &t.dir->nbits, t.dir->nrules + 1);
	refused(&t, &t.dir->stride_addr, t.dir->stride_addr + 8);
	refused(&t, &t.dir->flags, t.dir->flags & ~FW_DIRF_LISTS);
	listed_close(&t);
}

/* Any word of the lists may be anything: what is not refused has nothing that leads outside. */
static void test_random_damage(void **state)
{
	struct listed t;
	struct prng prng;
	size_t found = 0;

	(void)state;
	listed_open(&t);
	prng_init(&prng, prng_seed("test_random_damage", 0));
	for (int i = 0; i < 20000; i++) {
		uint32_t *units = (uint32_t *)(t.img.data + t.dir->units);
		uint32_t at = (uint32_t)prng_below(&prng, 4ul * t.dir->nunits), was = units[at];

		units[at] = prng_chance(&prng, 1, 2) ? (uint32_t)prng_u64(&prng) : (uint32_t)prng_below(&prng, 1 << 16);
		found += listed_check(&t) != 0;
		units[at] = was;
	}
	assert_int_equal(listed_check(&t), 0);
	assert_true(found > 2000);
	listed_close(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "entries that lead nowhere or are out of order are refused", test_entries, NULL, NULL, NULL },
		{ "parts that lead nowhere or are out of order are refused", test_parts, NULL, NULL, NULL },
		{ "a header that does not fit its lists is refused", test_header, NULL, NULL, NULL },
		{ "random damage in lists leads to no read outside", test_random_damage, NULL, NULL, NULL },
	};

	return cmocka_run_group_tests_name("image_lists", tests, NULL, NULL);
}
