// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files that say themselves what is expected. Adding a test is adding a file:
 *
 *   ok/NAME.fw   is accepted; NAME.out has its warnings and its canonical text; NAME.ast, when there, its tree
 *   bad/NAME.fw  is refused; NAME.err has the diagnostics
 *
 * UPDATE_GOLDEN=1 writes what came out instead of comparing it: read the difference before you commit it.
 */
#include "lang_test.h"

#define MIN_OK	40
#define MIN_BAD 60

static void compare_file(const char *dir, const char *name, const char *suffix, const char *text, bool required)
{
	struct dir_reader reader = { .dir = dir };
	struct arena *arena = arena_new();
	char path[256], full[PATH_MAX];
	const char *want;
	size_t len;

	snprintf(path, sizeof(path), "%.*s%s", (int)strlen(name) - 3, name, suffix);
	snprintf(full, sizeof(full), "%s/%s", dir, path);
	if (getenv("UPDATE_GOLDEN") && (required || !access(full, F_OK))) {
		FILE *f = fopen(full, "we");

		assert_non_null(f);
		fputs(text, f);
		assert_int_equal(fclose(f), 0);
	} else if (!dir_read(&reader, arena, path, &want, &len)) {
		assert_string_equal(text, want);
	} else if (required) {
		fail_msg("%s is missing", full);
	}
	arena_free(arena);
}

static void compare_tree(const char *dir, const char *name)
{
	struct dir_reader reader = { .dir = dir };
	struct arena *arena = arena_new();
	struct str out = {};
	struct diags d;
	const char *text;
	size_t len;

	diags_init(&d, arena);
	assert_int_equal(dir_read(&reader, arena, name, &text, &len), 0);
	assert_int_equal(lang_dump_ast(arena, name, text, len, &d, &out), 0);
	compare_file(dir, name, ".ast", str_get(&out), false);
	str_fini(&out);
	diags_fini(&d);
	arena_free(arena);
}

static const char ok_dir[] = "tests/lang/ok", bad_dir[] = "tests/lang/bad";

/* Diagnostics are printed while the source is there; parse_path keeps the text only. */
static void ok_file(void **state)
{
	const char *name = *state;
	auto_parsed struct parsed p = parse_path(ok_dir, name);
	struct str all = {};

	if (p.err)
		print_error("%s", str_get(&p.errors));
	assert_int_equal(p.err, 0);
	str_add(&all, str_get(&p.errors));
	str_add(&all, str_get(&p.text));
	compare_file(ok_dir, name, ".out", str_get(&all), true);
	str_fini(&all);
	compare_tree(ok_dir, name);
	assert_print_identity(&p);
}

static void bad_file(void **state)
{
	const char *name = *state;
	auto_parsed struct parsed p = parse_path(bad_dir, name);

	assert_int_equal(p.err, -EINVAL);
	assert_null(p.rules);
	assert_true(p.d.errors > 0);
	compare_file(bad_dir, name, ".err", str_get(&p.errors), true);
}

static void enough_files(void **state)
{
	size_t *counts = *state;

	assert_true(counts[0] >= MIN_OK);
	assert_true(counts[1] >= MIN_BAD);
}

int main(void)
{
	char **ok, **bad;
	size_t counts[2] = { rule_files(ok_dir, &ok), rule_files(bad_dir, &bad) }, n = 0;
	struct CMUnitTest *tests = calloc(counts[0] + counts[1] + 1, sizeof(*tests));
	int failed;

	for (size_t i = 0; i < counts[0]; i++) {
		char *title = NULL;

		if (asprintf(&title, "ok/%s is accepted, printed as expected, and read back the same", ok[i]) < 0)
			return 1;
		tests[n++] = (struct CMUnitTest){ title, ok_file, NULL, NULL, ok[i] };
	}
	for (size_t i = 0; i < counts[1]; i++) {
		char *title = NULL;

		if (asprintf(&title, "bad/%s is refused with the expected diagnostics", bad[i]) < 0)
			return 1;
		tests[n++] = (struct CMUnitTest){ title, bad_file, NULL, NULL, bad[i] };
	}
	tests[n++] = (struct CMUnitTest){ "no golden file got lost", enough_files, NULL, NULL, counts };
	failed = _cmocka_run_group_tests("golden", tests, n, NULL, NULL);
	for (size_t i = 0; i + 1 < n; i++)
		free((char *)tests[i].name);
	for (size_t i = 0; i < counts[0]; i++)
		free(ok[i]);
	for (size_t i = 0; i < counts[1]; i++)
		free(bad[i]);
	free(ok);
	free(bad);
	free(tests);
	return failed;
}
