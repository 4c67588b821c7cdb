// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rule files and the bytes they become. NAME.golden has, of each policy of NAME.fw, the classes and the SHA-256 of the
 * hot part behind the header: all tables, rows and actions. (Not the names: how rules are worded is the language's
 * affair.) Adding a test is adding a .fw file. Those whose name begins with "lists" are compiled with lists.
 *
 * UPDATE_GOLDEN=1 writes what came out instead of comparing it: every change here is a change of the image format or of
 * the compiler, and needs a reason.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "compile/compile.h"
#include "image/digest.h"
#include "lang/lang.h"

#define GOLDEN_DIR "tests/image"
#define GOLDEN_MAX 64

static char *read_file(struct arena *arena, const char *name)
{
	char path[PATH_MAX], *text;
	auto_fclose FILE *f = NULL;
	size_t n;

	snprintf(path, sizeof(path), GOLDEN_DIR "/%s", name);
	f = fopen(path, "re");
	if (!f)
		return NULL;
	text = arena_alloc(arena, 65536);
	assert_non_null(text);
	n = fread(text, 1, 65535, f);
	text[n] = 0;
	return text;
}

static void describe(const struct policy *p, const char *file, struct diags *d, struct str *out)
{
	struct compile_opts opts = { .dump = COMPILE_DUMP_TABLES, .out = out };
	struct digest *sum = digest_new();
	uint8_t bytes[DIGEST_LEN];
	struct image img;
	const char *why;

	if (!strncmp(file, "lists", 5))
		opts.engine = ENGINE_LISTS;
	assert_non_null(sum);
	str_addf(out, "policy %s\n", p->name);
	assert_int_equal(compile_policy(p, file, "", d, &opts, &img), 0);
	assert_int_equal(image_check(img.data, img.len, &why), 0);
	digest_add(sum, img.data + sizeof(struct fw_image), image_hdr(&img)->hot_len - sizeof(struct fw_image));
	digest_end(sum, bytes);
	digest_free(sum);
	str_add(out, "tables ");
	for (size_t i = 0; i < sizeof(bytes); i++)
		str_addf(out, "%02x", bytes[i]);
	str_add(out, "\n\n");
	image_fini(&img);
}

static void compare(struct arena *arena, const char *name, const char *got)
{
	const char *want = read_file(arena, name);
	char path[PATH_MAX];

	if (getenv("UPDATE_GOLDEN")) {
		FILE *f;

		snprintf(path, sizeof(path), GOLDEN_DIR "/%s", name);
		f = fopen(path, "we");
		assert_non_null(f);
		fputs(got, f);
		assert_int_equal(fclose(f), 0);
		return;
	}
	if (!want)
		fail_msg("%s is missing", name);
	assert_string_equal(got, want);
}

static void golden_file(void **state)
{
	const char *name = *state;
	struct arena *arena = arena_new();
	const char *text = read_file(arena, name);
	struct ruleset *rs = NULL;
	struct str out = {};
	struct diags d;
	int err;

	assert_non_null(text);
	diags_init(&d, arena);
	err = lang_parse(arena, name, text, strlen(text), NULL, &d, &rs);
	if (err)
		diags_print(&d, &out);
	if (err)
		print_error("%s", str_get(&out));
	assert_int_equal(err, 0);
	for (size_t i = 0; i < rs->npolicies; i++)
		describe(&rs->policies[i], name, &d, &out);
	compare(arena, arena_printf(arena, "%.*s.golden", (int)strlen(name) - 3, name), str_get(&out));
	str_fini(&out);
	diags_fini(&d);
	arena_free(arena);
}

static int by_name(const void *a, const void *b)
{
	const struct CMUnitTest *x = a, *y = b;

	return strcmp(x->name, y->name);
}

int main(void)
{
	static struct CMUnitTest tests[GOLDEN_MAX];
	DIR *dir = opendir(GOLDEN_DIR);
	struct dirent *e;
	size_t n = 0;

	while (dir && (e = readdir(dir))) {
		const char *dot = strrchr(e->d_name, '.');

		if (n < GOLDEN_MAX && dot && !strcmp(dot, ".fw")) {
			char *name = strdup(e->d_name);

			tests[n++] =
				(struct CMUnitTest){ .name = name, .test_func = golden_file, .initial_state = name };
		}
	}
	if (dir)
		closedir(dir);
	if (n < 4) {
		printf("not ok 1 - " GOLDEN_DIR " has rule files (run from the top of the tree)\n");
		return 1;
	}
	qsort(tests, n, sizeof(tests[0]), by_name);
	return _cmocka_run_group_tests("golden images", tests, n, NULL, NULL);
}
