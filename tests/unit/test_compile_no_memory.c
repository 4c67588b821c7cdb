// SPDX-License-Identifier: GPL-2.0-only
/*
 * Compiling with memory that ends after so many allocations: every one of them is made to fail once. The answer must be
 * -ENOMEM, without a leak and without half an image.
 *
 * The sources are included, so that their calls can be counted; they take the place of the members of libfw.a.
 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

static long allocations_left = LONG_MAX; /* that still succeed */

static bool memory_ends(void)
{
	return allocations_left-- <= 0;
}

static void *ending_malloc(size_t n)
{
	return memory_ends() ? NULL : malloc(n);
}

static void *ending_calloc(size_t n, size_t size)
{
	return memory_ends() ? NULL : calloc(n, size);
}

static void *ending_realloc(void *p, size_t n)
{
	return memory_ends() ? NULL : realloc(p, n);
}

static void *ending_mmap(void *at, size_t len, int prot, int flags, int fd, off_t off)
{
	return memory_ends() ? MAP_FAILED : mmap(at, len, prot, flags, fd, off);
}

static void *ending_mremap(void *at, size_t was, size_t len, int flags)
{
	return memory_ends() ? MAP_FAILED : mremap(at, was, len, flags);
}

#define malloc	ending_malloc
#define calloc	ending_calloc
#define realloc ending_realloc
#define mmap	ending_mmap
#define mremap	ending_mremap

#include "base/arena.c"
#include "base/str.c"
#include "base/vec.c"
#include "compile/addrtab4.c"
#include "compile/addrtab6.c"
#include "compile/box.c"
#include "compile/box_covers.c"
#include "compile/class.c"
#include "compile/compile.c"
#include "compile/cost.c"
#include "compile/dump.c"
#include "compile/dump_extras.c"
#include "compile/encode.c"
#include "compile/engine.c"
#include "compile/extras.c"
#include "compile/listmake.c"
#include "compile/listnode.c"
#include "compile/listrun.c"
#include "compile/lists.c"
#include "compile/logs.c"
#include "compile/meta.c"
#include "compile/place.c"
#include "compile/plan.c"
#include "compile/prefixtree.c"
#include "compile/reduce.c"
#include "compile/rows.c"
#include "compile/service.c"
#include "compile/sets.c"
#include "compile/space.c"
#include "compile/tables.c"
#include "compile/trie.c"
#include "compile/used.c"
#include "image/digest.c"
#include "image/image.c"
#include "image/image_seal.c"
#include "image/image_slots.c"

#include "harness/handmade.h"

/* Something of everything: small fields, MAC, both families, a list, repeated names, a rule that never matches, live sets, limits. */
static struct policy *full_policy(struct arena *arena)
{
	static const struct limit limit = { .count = 1, .period_ns = 1000, .burst = 5 };
	struct policy *p = hand_policy(arena, 70);
	struct aset_builder b = { .arena = arena };
	struct aset *list;

	for (uint32_t i = 0; i < 700; i++) {
		assert_int_equal(aset_add4(&b, i * 77777, i * 77777), 0);
		assert_int_equal(aset_add6(&b, (u128)i << 100 | 5, (u128)i << 100 | 7), 0);
	}
	assert_int_equal(aset_build(&b, &list), 0);
	hand_rule(p, 0)->src = list;
	hand_rule(p, 1)->dst = list;
	hand_rule(p, 2)->value[FIELD_MAC] = hand_values(arena, 5, 10);
	hand_rule(p, 3)->value[FIELD_PROTO] = hand_values(arena, FAMILY_IPV4 << 8 | 6, FAMILY_IPV4 << 8 | 17);
	hand_rule(p, 4)->value[FIELD_DPORT] = hand_no_values(arena);
	for (uint32_t i = 5; i < 70; i++) {
		hand_rule(p, i)->value[FIELD_DPORT] = hand_values(arena, i / 2, 100 + i / 2);
		hand_rule(p, i)->text = "drop";
	}
	/* Two networks with a list too long to be scanned, and nodes in both families. */
	for (uint32_t i = 40; i < 70; i++) {
		hand_rule(p, i)->src = i % 2 ? hand_addr4(arena, 0x0a000001, 0x0a000003) : hand_addr6(arena, 9, 9);
		hand_rule(p, i)->dst = i % 2 ? hand_addr4(arena, i << 8, i << 8 | 255) : hand_addr6(arena, i, i);
	}
	hand_live(arena, p, "live");
	hand_rule(p, 10)->live_src.sets = hand_rule(p, 11)->live_dst.sets = 1;
	hand_rule(p, 12)->limit = &limit;
	hand_rule(p, 12)->over.ban = p->live[0];
	hand_rule(p, 13)->verdict = VERDICT_REJECT;
	return p;
}

static void compile_until_enough(enum engine engine)
{
	struct arena *arena = arena_new();
	struct policy *p = full_policy(arena);
	const struct compile_opts opts = { .engine = engine };
	size_t failed = 0;

	for (long allowed = 0;; allowed++) {
		struct arena *own = arena_new();
		struct image img = {};
		struct diags d;
		int err;

		diags_init(&d, own);
		allocations_left = allowed;
		err = compile_policy(p, "hand.fw", "text", &d, &opts, &img);
		allocations_left = LONG_MAX;
		diags_fini(&d);
		arena_free(own);
		if (!err) {
			const char *why;

			assert_int_equal(image_check(img.data, img.len, &why), 0);
			image_fini(&img);
			break;
		}
		assert_int_equal(err, -ENOMEM);
		assert_null(img.data);
		failed++;
	}
	print_message("# %zu allocations\n", failed);
	assert_true(failed > 50);
	arena_free(arena);
}

static void test_compile(void **state)
{
	(void)state;
	compile_until_enough(ENGINE_ROWS);
	compile_until_enough(ENGINE_LISTS);
}

static void test_images(void **state)
{
	struct arena *arena = arena_new();
	struct policy *p = full_policy(arena);
	const struct fw_base base[300] = {};
	uint32_t nslots[FW_DIR_COUNT] = {};
	struct image img, live;
	long allowed;
	size_t len;

	(void)state;
	hand_compile(p, &img);
	hand_compile(p, &live);
	len = img.len;
	for (allowed = 0;; allowed++) {
		int err;

		allocations_left = allowed;
		err = image_assign_slots(&img, image_hdr(&live), nslots);
		allocations_left = LONG_MAX;
		if (!err)
			break;
		assert_int_equal(err, -ENOMEM);
		assert_int_equal(nslots[0], 0);
	}
	assert_true(allowed > 0 && nslots[0] > 0);
	allocations_left = 0;
	assert_int_equal(image_set_bases(&img, base, 300), -ENOMEM);
	assert_int_equal(img.len, len);
	assert_int_equal(image_hdr(&img)->total_len, len);
	allocations_left = 1;
	assert_int_equal(image_set_bases(&img, base, 300), 0);
	for (allowed = 0;; allowed++) {
		struct image all = {};
		int err;

		allocations_left = allowed;
		err = image_pass_all("all", &all);
		allocations_left = LONG_MAX;
		if (!err) {
			image_fini(&all);
			break;
		}
		assert_null(all.data);
	}
	assert_int_equal(allowed, 2);
	image_fini(&img);
	image_fini(&live);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "every failed allocation of a compilation is told and leaks nothing", test_compile, NULL, NULL,
		  NULL },
		{ "images survive a lack of memory", test_images, NULL, NULL, NULL },
	};

	return cmocka_run_group_tests_name("compile_no_memory", tests, NULL, NULL);
}
