/* SPDX-License-Identifier: GPL-2.0-only */
/* What the language tests share: files from a directory, a parse in one call, comparison of rule sets. */
#ifndef LANG_TEST_H
#define LANG_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "lang/lang.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Reads DIR/path; counts, so that a test can see what was asked for. */
struct dir_reader {
	const char *dir;
	size_t reads;
};

static inline int dir_read(void *ctx, struct arena *arena, const char *path, const char **ret_text, size_t *ret_len)
{
	struct dir_reader *r = ctx;
	char full[PATH_MAX];
	auto_fclose FILE *f = NULL;
	struct stat st;
	char *text;

	if (r) {
		r->reads++;
		snprintf(full, sizeof(full), "%s/%s", r->dir, path);
	} else {
		snprintf(full, sizeof(full), "%s", path);
	}
	f = fopen(full, "re");
	if (!f)
		return -errno;
	if (fstat(fileno(f), &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EISDIR;
	text = arena_alloc(arena, (size_t)st.st_size + 1);
	if (!text)
		return -ENOMEM;
	if (fread(text, 1, (size_t)st.st_size, f) != (size_t)st.st_size)
		return -EIO;
	*ret_text = text;
	*ret_len = (size_t)st.st_size;
	return 0;
}

/* One parse and everything it made. */
struct parsed {
	struct arena *arena;
	struct diags d;
	struct ruleset *rules;
	struct str errors; /* diags_print */
	struct str text;   /* lang_print */
	int err;
};

static inline void parsed_fini(struct parsed *p)
{
	str_fini(&p->errors);
	str_fini(&p->text);
	diags_fini(&p->d);
	arena_free(p->arena);
}
#define auto_parsed cleanup(parsed_fini)

/* `reader` may be NULL: no file can be read. */
static inline struct parsed parse_text(const char *name, const char *text, size_t len, struct dir_reader *reader)
{
	struct parsed p = { .arena = arena_new() };
	struct lang_reader lr = { .read = dir_read, .ctx = reader };

	assert_non_null(p.arena);
	diags_init(&p.d, p.arena);
	p.err = lang_parse(p.arena, name, text, len, reader ? &lr : NULL, &p.d, &p.rules);
	diags_print(&p.d, &p.errors);
	if (!p.err)
		lang_print(p.rules, &p.text);
	return p;
}

static inline struct parsed parse_string(const char *text)
{
	return parse_text("test.fw", text, strlen(text), NULL);
}

/* DIR/NAME, with its includes. */
static inline struct parsed parse_path(const char *dir, const char *name)
{
	struct dir_reader reader = { .dir = dir };
	struct arena *arena = arena_new();
	const char *text;
	size_t len;
	struct parsed p;

	assert_non_null(arena);
	assert_int_equal(dir_read(&reader, arena, name, &text, &len), 0);
	p = parse_text(name, text, len, &reader);
	arena_free(arena);
	/* The source text is gone: spans must not be looked at any more, only the text made of them. */
	return p;
}

static inline bool words_equal(const char *a, const char *b)
{
	return (!a && !b) || (a && b && !strcmp(a, b));
}

static inline void assert_same_rule(const struct rule *a, const struct rule *b)
{
	assert_string_equal(a->text, b->text);
	assert_int_equal(a->verdict, b->verdict);
	assert_int_equal(a->families, b->families);
	assert_int_equal(a->essential, b->essential);
	assert_true(words_equal(a->label, b->label));
	assert_true(!a->src == !b->src && (!a->src || aset_equal(a->src, b->src)));
	assert_true(!a->dst == !b->dst && (!a->dst || aset_equal(a->dst, b->dst)));
	for (int id = 0; id < FIELD_VALUE_COUNT; id++)
		assert_true(!a->value[id] == !b->value[id] &&
			    (!a->value[id] || vset_equal(a->value[id], b->value[id])));
}

static inline void assert_same_ruleset(const struct ruleset *a, const struct ruleset *b)
{
	assert_int_equal(a->npolicies, b->npolicies);
	for (size_t i = 0; i < a->npolicies; i++) {
		assert_string_equal(a->policies[i].name, b->policies[i].name);
		for (int dir = 0; dir < DIRECTION_COUNT; dir++) {
			const struct chain *x = &a->policies[i].chain[dir], *y = &b->policies[i].chain[dir];

			assert_int_equal(x->present, y->present);
			assert_int_equal(x->fallback, y->fallback);
			assert_int_equal(x->nrules, y->nrules);
			for (size_t k = 0; k < x->nrules; k++)
				assert_same_rule(&x->rules[k], &y->rules[k]);
		}
	}
	assert_int_equal(a->nsets, b->nsets);
	for (size_t i = 0; i < a->nsets; i++) {
		assert_string_equal(a->sets[i].name, b->sets[i].name);
		assert_true(aset_equal(a->sets[i].addresses, b->sets[i].addresses));
	}
	assert_int_equal(a->nbindings, b->nbindings);
	for (size_t i = 0; i < a->nbindings; i++) {
		assert_string_equal(a->bindings[i].interface, b->bindings[i].interface);
		assert_string_equal(a->bindings[i].policy->name, b->bindings[i].policy->name);
	}
	assert_int_equal(a->ntests, b->ntests);
	for (size_t i = 0; i < a->ntests; i++) {
		assert_string_equal(a->tests[i].text, b->tests[i].text);
		assert_int_equal(a->tests[i].direction, b->tests[i].direction);
		assert_int_equal(a->tests[i].verdict, b->tests[i].verdict);
		assert_true(words_equal(a->tests[i].by, b->tests[i].by));
		assert_string_equal(a->tests[i].policy->name, b->tests[i].policy->name);
	}
}

/* print ∘ parse is the identity on what print made, in text and in meaning. */
static inline void assert_print_identity(const struct parsed *p)
{
	auto_parsed struct parsed again = parse_text("again.fw", str_get(&p->text), p->text.len, NULL);

	if (again.err)
		print_error("%s", str_get(&again.errors));
	assert_int_equal(again.err, 0);
	assert_string_equal(str_get(&again.text), str_get(&p->text));
	assert_same_ruleset(p->rules, again.rules);
}

/* The *.fw of a directory, sorted: malloc'ed names. */
static inline int is_rule_file(const struct dirent *e)
{
	size_t len = strlen(e->d_name);

	return len > 3 && e->d_name[0] != '.' && !strcmp(e->d_name + len - 3, ".fw");
}

static inline size_t rule_files(const char *dir, char ***ret_names)
{
	struct dirent **list = NULL;
	int n = scandir(dir, &list, is_rule_file, alphasort);
	char **names = calloc(n > 0 ? (size_t)n : 1, sizeof(*names));

	for (int i = 0; i < n; i++) {
		names[i] = strdup(list[i]->d_name);
		free(list[i]);
	}
	free(list);
	*ret_names = names;
	return n > 0 ? (size_t)n : 0;
}

#endif
