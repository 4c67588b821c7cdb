// SPDX-License-Identifier: GPL-2.0-only
#include "base/arena.h"
#include "base/diag.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct arena *arena;
static struct diags diags;
static struct str out;

static int setup(void **state)
{
	arena = arena_new();
	diags_init(&diags, arena);
	out = (struct str){};
	return 0;
}

static int teardown(void **state)
{
	diags_fini(&diags);
	arena_free(arena);
	str_fini(&out);
	return 0;
}

static struct source source_of(const char *name, const char *text)
{
	return (struct source){name, text, strlen(text)};
}

static struct span span_of(const struct source *s, const char *word)
{
	const char *at = strstr(s->text, word);

	assert_non_null(at);
	return (struct span){s, (uint32_t)(at - s->text), (uint32_t)(at - s->text + (long)strlen(word))};
}

static void places_count_from_one(void **state)
{
	struct source s = source_of("f", "ab\n\ncd");
	static const struct {
		uint32_t at;
		unsigned int line, column;
	} cases[] = {{0, 1, 1}, {1, 1, 2}, {2, 1, 3}, {3, 2, 1}, {4, 3, 1}, {5, 3, 2}, {6, 3, 3}, {99, 3, 3}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned int line, column;

		source_place(&s, cases[i].at, &line, &column);
		assert_int_equal(line, cases[i].line);
		assert_int_equal(column, cases[i].column);
	}
}

static void an_error_shows_its_place(void **state)
{
	struct source s = source_of("web.fw", "policy web {\n\tpass proto tpc\n}\n");
	struct diag *g = diag_add(&diags, DIAG_ERROR, span_of(&s, "tpc"), "unknown protocol \"%s\"", "tpc");

	diag_hint(&diags, g, "did you mean \"%s\"?", "tcp");
	diags_print(&diags, &out);
	assert_string_equal(str_get(&out), "web.fw:2:13: error: unknown protocol \"tpc\"\n"
					   "     2 |  pass proto tpc\n"
					   "       |             ^^^\n"
					   "       = did you mean \"tcp\"?\n");
	assert_int_equal(diags.errors, 1);
	assert_int_equal(diags.warnings, 0);
}

static void a_second_place_is_shown(void **state)
{
	struct source s = source_of("f", "define a = 1\ndefine a = 2\n");
	struct diag *g = diag_add(&diags, DIAG_WARNING, (struct span){&s, 20, 21}, "\"a\" again");

	diag_note(&diags, g, (struct span){&s, 7, 8}, "first %s here", "defined");
	diag_print(g, &out);
	assert_string_equal(str_get(&out), "f:2:8: warning: \"a\" again\n"
					   "     2 | define a = 2\n"
					   "       |        ^\n"
					   "f:1:8: note: first defined here\n"
					   "     1 | define a = 1\n"
					   "       |        ^\n");
	assert_int_equal(diags.warnings, 1);
}

static void odd_spans_stay_on_their_line(void **state)
{
	struct source s = source_of("f", "pass\ndrop"), empty = source_of("e", "");

	diag_print(diag_add(&diags, DIAG_ERROR, (struct span){&s, 2, 7}, "over the end of the line"), &out);
	diag_print(diag_add(&diags, DIAG_ERROR, (struct span){&s, 9, 9}, "end of file"), &out);
	diag_print(diag_add(&diags, DIAG_ERROR, (struct span){&s, 500, 600}, "far away"), &out);
	diag_print(diag_add(&diags, DIAG_ERROR, (struct span){&empty, 0, 0}, "empty file"), &out);
	diag_print(diag_add(&diags, DIAG_ERROR, (struct span){}, "nowhere"), &out);
	assert_string_equal(str_get(&out), "f:1:3: error: over the end of the line\n     1 | pass\n       |   ^^\n"
					   "f:2:5: error: end of file\n     2 | drop\n       |     ^\n"
					   "f:2:5: error: far away\n     2 | drop\n       |     ^\n"
					   "e:1:1: error: empty file\n     1 | \n       | ^\n"
					   "error: nowhere\n");
}

static void source_bytes_cannot_drive_the_terminal(void **state)
{
	struct source s = source_of("a\x1b[1m.fw", "x\x1b[2J\xff y\\z bad");

	diag_print(diag_add(&diags, DIAG_ERROR, span_of(&s, "bad"), "quoted \x07 \\x07"), &out);
	assert_string_equal(str_get(&out), "a\\x1b[1m.fw:1:12: error: quoted \\x07 \\x07\n"
					   "     1 | x\\x1b[2J\\xff y\\x5cz bad\n"
					   "       |                     ^^^\n");
	for (size_t i = 0; i < out.len; i++)
		assert_true(out.s[i] == '\n' || (out.s[i] >= ' ' && out.s[i] <= '~'));
}

static void of_a_long_line_a_window_is_shown(void **state)
{
	char text[5001];
	struct source s = {"f", text, 5000};

	memset(text, 'a', 5000);
	text[5000] = '\0';
	memcpy(text + 3000, "HERE", 4);
	diag_print(diag_add(&diags, DIAG_ERROR, (struct span){&s, 3000, 3004}, "x"), &out);
	assert_non_null(strstr(str_get(&out), "f:1:3001: error"));
	assert_non_null(strstr(str_get(&out), "aHEREa"));
	assert_non_null(strstr(str_get(&out), " ^^^^\n"));
	assert_true(out.len < 400);
}

static void diagnostics_come_in_order_of_place(void **state)
{
	struct source a = source_of("a", "1\n2\n3\n"), b = source_of("b", "1\n");
	const char *at;

	diag_add(&diags, DIAG_ERROR, (struct span){&a, 4, 5}, "third");
	diag_add(&diags, DIAG_ERROR, (struct span){&b, 0, 1}, "other file");
	diag_add(&diags, DIAG_WARNING, (struct span){&a, 0, 1}, "first");
	diag_add(&diags, DIAG_ERROR, (struct span){&a, 2, 3}, "second");
	diag_add(&diags, DIAG_ERROR, (struct span){&a, 2, 3}, "second too");
	diags_print(&diags, &out);
	at = str_get(&out);
	for (const char **word =
		     (const char *[]){"first\n", "second\n", "second too\n", "third\n", "other file\n", NULL};
	     *word; word++) {
		at = strstr(at, *word);
		assert_non_null(at);
	}
}

static void beyond_the_limit_they_are_counted(void **state)
{
	struct diag *g = NULL;

	for (int i = 0; i < DIAG_MAX + 20; i++)
		g = diag_add(&diags, DIAG_ERROR, (struct span){}, "error %d", i);
	assert_non_null(g);
	diag_note(&diags, g, (struct span){}, "note");
	diag_hint(&diags, g, "hint");
	assert_int_equal(diags.n, DIAG_MAX);
	assert_int_equal(diags.errors, DIAG_MAX + 20);
	assert_true(diags.truncated);
	diags_print(&diags, &out);
	assert_null(strstr(str_get(&out), "error 100\n"));
	assert_non_null(strstr(str_get(&out), "error 99\n"));
	assert_non_null(strstr(str_get(&out), "\n20 more not shown\n"));
}

static void warnings_make_room_for_errors(void **state)
{
	for (int i = 0; i < DIAG_MAX + 5; i++)
		diag_add(&diags, DIAG_WARNING, (struct span){}, "warning %d", i);
	diag_add(&diags, DIAG_ERROR, (struct span){}, "what stops the load");
	diags_print(&diags, &out);
	assert_non_null(strstr(str_get(&out), "error: what stops the load\n"));
	assert_non_null(strstr(str_get(&out), "6 more not shown\n"));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(places_count_from_one),
		T(an_error_shows_its_place),
		T(a_second_place_is_shown),
		T(odd_spans_stay_on_their_line),
		T(source_bytes_cannot_drive_the_terminal),
		T(of_a_long_line_a_window_is_shown),
		T(diagnostics_come_in_order_of_place),
		T(beyond_the_limit_they_are_counted),
		T(warnings_make_room_for_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
