// SPDX-License-Identifier: GPL-2.0-only
#include "fwctl/setsave.h"

#include "base/instant.h"
#include "base/vec.h"
#include "fwctl/out.h"
#include "fwctl/setchange.h"
#include "fwctl/words.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Whole UTF-8 is kept in a file; a terminal gets what cannot drive it. */
static void line_write(const struct str *s)
{
	if (out_terminal())
		out_text(str_get(s));
	else
		fputs(str_get(s), stdout);
}

static void element_write(struct str *s, const struct kern_element *x, const struct moment *now)
{
	str_reset(s);
	str_add(s, element_text(x));
	if (x->end_ns == UINT64_MAX) {
		str_add(s, " for ever");
	} else {
		str_add(s, " until ");
		instant_add(s, moment_ms(moment_wall(now, x->end_ns)));
	}
	if (x->added_ns) {
		str_add(s, " added ");
		instant_add(s, x->added_ns / 1000000 * 1000000);
	}
	if (x->reason[0]) {
		str_add(s, " reason ");
		str_add(s, x->reason);
	}
	str_add(s, "\n");
	line_write(s);
}

struct saved {
	const struct kern_set *set;
	struct kern_element *v;
	size_t n;
};

static int saved_read(struct liveset *s, const struct args *a, struct saved *v, size_t *ret_n)
{
	size_t want = args_has(a, "all") ? s->n : a->nwords - 1;

	for (size_t i = 0; i < want; i++) {
		int status = args_has(a, "all") ? STATUS_DONE : liveset_choose(s, a->word[i + 1]);
		if (status)
			return status;
		v[i].set = args_has(a, "all") ? &s->sets[i] : s->set;
		int err = kern_live_list(s->h, v[i].set->id, &v[i].v, &v[i].n);
		if (err)
			return liveset_refused(s, err);
		++*ret_n;
	}
	return STATUS_DONE;
}

static void saved_write(const struct saved *v, size_t n)
{
	struct moment now = moment_now();
	struct str s = {};

	str_add(&s, "# live sets of fwctl; fwctl set restore reads them back\nsaved ");
	instant_add(&s, now.wall / 1000000 * 1000000);
	str_add(&s, "\n");
	line_write(&s);
	for (size_t i = 0; i < n; i++) {
		str_reset(&s);
		str_addf(&s, "set %s\n", v[i].set->name);
		line_write(&s);
		for (size_t j = 0; j < v[i].n; j++)
			element_write(&s, &v[i].v[j], &now);
	}
	str_fini(&s);
}

int setsave_save(const struct args *a)
{
	struct saved *v = calloc(FW_MAX_LIVE + ARGS_ANY, sizeof(*v));
	struct liveset s = {};
	size_t n = 0;

	if ((a->nwords > 1) == args_has(a, "all")) {
		free(v);
		return args_wrong(a->command, "save which sets? name them, or say --all");
	}
	int status = v ? liveset_open_all(&s, KERN_READ) : STATUS_REFUSED;
	if (!v)
		problem("no memory");
	if (!status)
		status = saved_read(&s, a, v, &n);
	liveset_release(&s);
	if (!status)
		saved_write(v, n);
	for (size_t i = 0; v && i < FW_MAX_LIVE + ARGS_ANY; i++)
		free(v[i].v);
	free(v);
	liveset_close(&s);
	return status;
}

struct section {
	char name[KERN_SET_NAME + 1];
	struct elements elements;
};
struct restore {
	struct section *v;
	size_t n, cap;
	uint64_t saved_ns; /* 0: the text does not say */
	struct mistakes wrong;
};

/* The second word of `set NAME` and `saved TIME`. */
static bool word_is(const char *s, const char *eol, const char *word, const char **ret_s, const char **ret_end)
{
	size_t n = strlen(word);

	if ((size_t)(eol - s) <= n || memcmp(s, word, n) || s[n] != ' ')
		return false;
	for (s += n; s < eol && *s == ' ';)
		s++;
	while (eol > s && (eol[-1] == ' ' || eol[-1] == '\r'))
		eol--;
	*ret_s = s;
	*ret_end = eol;
	return true;
}

static const char *section_begin(struct restore *r, const char *s, const char *end)
{
	struct section x = {};
	size_t len = (size_t)(end - s);

	if (!len || len > KERN_SET_NAME)
		return "is not the name of a set";
	memcpy(x.name, s, len);
	elements_init(&x.elements);
	return vec_push(r, x) ? "finds no memory" : NULL;
}

static const char *restore_line(struct restore *r, const char *s, const char *eol, const char **word, const char **end)
{
	struct element x;
	bool empty;

	*word = s;
	*end = eol;
	if (word_is(s, eol, "set", word, end))
		return section_begin(r, *word, *end);
	if (word_is(s, eol, "saved", word, end))
		return instant_parse(*word, (size_t)(*end - *word), &r->saved_ns);
	const char *why = element_line(s, eol, &x, &empty, word, end);
	if (why || empty)
		return why;
	if (!r->n)
		return "stands before any line that names its set";
	return elements_add(&r->v[r->n - 1].elements, &x) ? "finds no memory" : NULL;
}

static int restore_text(struct restore *r, const struct input *in)
{
	const char *s = in->text, *stop = in->text + in->len;

	r->wrong.name = in->name;
	for (size_t line = 1; s < stop; line++) {
		const char *eol = memchr(s, '\n', (size_t)(stop - s)) ?: stop, *word, *end;
		const char *why = restore_line(r, s, eol, &word, &end);
		if (why)
			mistake(&r->wrong, line, word, end, why);
		s = eol < stop ? eol + 1 : stop;
	}
	if (!mistakes_end(&r->wrong))
		return STATUS_DONE;
	problem("%s: nothing was changed, because of the lines above", out_name(in->name));
	return STATUS_WRONG;
}

/* Ends on a clock that went back would all be far away. */
static int clock_check(const struct restore *r)
{
	struct moment now = moment_now();
	struct str saved = {}, today = {};

	if (now.wall >= r->saved_ns)
		return STATUS_DONE;
	instant_add(&saved, r->saved_ns);
	instant_add(&today, now.wall);
	problem("the clock shows %s, and the sets were saved later, at %s; set the clock, or insist with --force",
		str_get(&today), str_get(&saved));
	str_fini(&saved);
	str_fini(&today);
	return STATUS_REFUSED;
}

static int restore_apply(struct liveset *s, struct restore *r, json_t *list)
{
	int status = STATUS_DONE;

	/* All are found before any is changed. */
	for (size_t i = 0; i < r->n && !status; i++)
		status = liveset_choose(s, r->v[i].name);
	for (size_t i = 0; i < r->n && !status; i++) {
		struct elements *e = &r->v[i].elements;
		struct setchange c;
		status = liveset_choose(s, r->v[i].name);
		if (!status)
			status = setchange_add(s, e, &c);
		if (status)
			break;
		if (!list)
			setchange_report(s, e, &c, false);
		else
			json_array_append_new(list, json_pack("{s:o,s:I,s:I,s:I}", "set", out_jstr(s->set->name),
							      "given", (json_int_t)c.given, "added", (json_int_t)c.done,
							      "ended", (json_int_t)e->ended));
	}
	return status;
}

int setsave_restore(const struct args *a)
{
	bool dash = a->nwords == 2 && !strcmp(a->word[1], "-");
	const char *file = args_get(a, "file");
	struct restore r = {};
	struct liveset s = {};
	struct input in;

	if (a->nwords > 1 && !dash)
		return args_wrong(
			a->command,
			"restore reads which sets from the text; give a file with -f, or the text on standard input");
	int status = input_read(&in, file ? file : "-");
	if (status)
		return status;
	json_t *list = args_has(a, "json") ? json_array() : NULL;
	status = restore_text(&r, &in);
	if (!status && !args_has(a, "force"))
		status = clock_check(&r);
	if (!status)
		status = liveset_open_all(&s, KERN_WRITE);
	if (!status)
		status = restore_apply(&s, &r, list);
	liveset_close(&s);
	if (!status && list)
		status = out_json(json_pack("{s:O}", "sets", list), false);
	json_decref(list);
	for (size_t i = 0; i < r.n; i++)
		elements_fini(&r.v[i].elements);
	vec_fini(&r);
	input_free(&in);
	return status;
}
