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

static inline bool sets_equal(const struct named_set *a, const struct named_set *b)
{
	if (!a || !b)
		return a == b;
	return words_equal(a->name, b->name) && a->timeout_ns == b->timeout_ns && a->size == b->size &&
	       a->counters == b->counters && a->widen == b->widen && !a->addresses == !b->addresses &&
	       (!a->addresses || aset_equal(a->addresses, b->addresses));
}

static inline void assert_same_log(const struct log_opts *a, const struct log_opts *b)
{
	assert_true(!a == !b);
	if (!a)
		return;
	assert_int_equal(a->count, b->count);
	assert_int_equal(a->period_ns, b->period_ns);
	assert_int_equal(a->burst, b->burst);
	assert_int_equal(a->sample, b->sample);
}

static inline void assert_same_extras(const struct rule *a, const struct rule *b)
{
	assert_int_equal(a->live_src.sets, b->live_src.sets);
	assert_int_equal(a->live_src.negate, b->live_src.negate);
	assert_int_equal(a->live_dst.sets, b->live_dst.sets);
	assert_int_equal(a->live_dst.negate, b->live_dst.negate);
	assert_int_equal(a->keep_state, b->keep_state);
	assert_int_equal(a->synproxy, b->synproxy);
	assert_int_equal(a->reject, b->reject);
	assert_int_equal(a->max_conn, b->max_conn);
	assert_int_equal(a->conn_plen4, b->conn_plen4);
	assert_int_equal(a->conn_plen6, b->conn_plen6);
	assert_int_equal(a->over.pass, b->over.pass);
	assert_int_equal(a->over.ban_ns, b->over.ban_ns);
	assert_true(sets_equal(a->over.ban, b->over.ban));
	assert_true(!a->limit == !b->limit);
	if (!a->limit)
		return;
	assert_int_equal(a->limit->bytes, b->limit->bytes);
	assert_int_equal(a->limit->count, b->limit->count);
	assert_int_equal(a->limit->period_ns, b->limit->period_ns);
	assert_int_equal(a->limit->burst, b->limit->burst);
	assert_int_equal(a->limit->per, b->limit->per);
	assert_int_equal(a->limit->plen4, b->limit->plen4);
	assert_int_equal(a->limit->plen6, b->limit->plen6);
}

static inline void assert_same_state(const struct policy *a, const struct policy *b)
{
	assert_int_equal(a->track, b->track);
	assert_int_equal(a->state.size, b->state.size);
	assert_int_equal(a->state.pending, b->state.pending);
	assert_int_equal(a->state.full_pass, b->state.full_pass);
	assert_int_equal(a->state.asymmetric, b->state.asymmetric);
	assert_int_equal(a->state.window, b->state.window);
	assert_int_equal(a->state.pickup_s, b->state.pickup_s);
	assert_memory_equal(a->state.timeout_s, b->state.timeout_s, sizeof(a->state.timeout_s));
	assert_int_equal(a->nlive, b->nlive);
	for (size_t i = 0; i < a->nlive; i++)
		assert_true(sets_equal(a->live[i], b->live[i]));
}

static inline void assert_same_rule(const struct rule *a, const struct rule *b)
{
	assert_string_equal(a->text, b->text);
	assert_int_equal(a->verdict, b->verdict);
	assert_int_equal(a->families, b->families);
	assert_int_equal(a->essential, b->essential);
	assert_true(words_equal(a->id_text, b->id_text));
	assert_same_log(a->log, b->log);
	assert_true(words_equal(a->label, b->label));
	assert_same_extras(a, b);
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
		assert_same_state(&a->policies[i], &b->policies[i]);
		for (int dir = 0; dir < DIRECTION_COUNT; dir++) {
			const struct chain *x = &a->policies[i].chain[dir], *y = &b->policies[i].chain[dir];

			assert_int_equal(x->present, y->present);
			assert_int_equal(x->fallback, y->fallback);
			assert_same_log(x->log_default, y->log_default);
			assert_same_log(x->log_reasons, y->log_reasons);
			assert_int_equal(x->nrules, y->nrules);
			for (size_t k = 0; k < x->nrules; k++)
				assert_same_rule(&x->rules[k], &y->rules[k]);
		}
	}
	assert_int_equal(a->nsets, b->nsets);
	for (size_t i = 0; i < a->nsets; i++) {
		assert_true(sets_equal(&a->sets[i], &b->sets[i]));
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
		assert_int_equal(a->tests[i].step, b->tests[i].step);
		assert_int_equal(a->tests[i].sequence, b->tests[i].sequence);
		assert_int_equal(a->tests[i].times, b->tests[i].times);
		assert_int_equal(a->tests[i].ns, b->tests[i].ns);
		assert_true(sets_equal(a->tests[i].set, b->tests[i].set));
		assert_true(!a->tests[i].addresses == !b->tests[i].addresses);
		assert_true(!a->tests[i].addresses || aset_equal(a->tests[i].addresses, b->tests[i].addresses));
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
