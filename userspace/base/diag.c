// SPDX-License-Identifier: GPL-2.0-only
#include "base/diag.h"

#include "base/arena.h"
#include "base/vec.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NO_MEMORY "out of memory"
#define WINDOW	  120 /* bytes of a source line that are shown */

void diags_init(struct diags *d, struct arena *arena)
{
	*d = (struct diags){.arena = arena};
}

void diags_fini(struct diags *d)
{
	vec_fini(d);
}

static const char *diag_format(struct diags *d, const char *fmt, va_list ap)
{
	const char *text = NULL;
	char *buf = NULL;

	if (vasprintf(&buf, fmt, ap) >= 0) {
		text = arena_strdup(d->arena, buf);
		free(buf);
	}
	return text ? text : NO_MEMORY;
}

/*
 * Where the next one goes. All DIAG_MAX at once, so that pointers stay good. When the table is full an error
 * takes the place of the last warning: what stops the load must be seen.
 */
static struct diag *diag_room(struct diags *d, enum diag_level level)
{
	if (d->n < DIAG_MAX && !vec_reserve(d, DIAG_MAX))
		return &d->v[d->n++];
	d->truncated = true;
	if (level == DIAG_ERROR)
		for (size_t i = d->n; i-- > 0;)
			if (d->v[i].level == DIAG_WARNING)
				return &d->v[i];
	return NULL;
}

static __thread struct diag nowhere; /* stands for the diagnostics that are only counted */

struct diag *diag_add(struct diags *d, enum diag_level level, struct span span, const char *fmt, ...)
{
	struct diag *g = diag_room(d, level);
	va_list ap;

	if (level == DIAG_ERROR)
		d->errors++;
	else
		d->warnings++;
	if (!g)
		return &nowhere;
	*g = (struct diag){.level = level, .span = span};
	va_start(ap, fmt);
	g->text = diag_format(d, fmt, ap);
	va_end(ap);
	return g;
}

void diag_note(struct diags *d, struct diag *g, struct span other, const char *fmt, ...)
{
	va_list ap;

	if (g == &nowhere)
		return;
	va_start(ap, fmt);
	g->other = other;
	g->other_text = diag_format(d, fmt, ap);
	va_end(ap);
}

void diag_hint(struct diags *d, struct diag *g, const char *fmt, ...)
{
	va_list ap;

	if (g == &nowhere)
		return;
	va_start(ap, fmt);
	g->hint = diag_format(d, fmt, ap);
	va_end(ap);
}

void source_place(const struct source *s, uint32_t offset, unsigned int *ret_line, unsigned int *ret_column)
{
	unsigned int line = 1;
	size_t begin = 0;

	if (offset > s->len)
		offset = (uint32_t)s->len;
	for (const char *nl; (nl = memchr(s->text + begin, '\n', offset - begin)); line++)
		begin = (size_t)(nl - s->text) + 1;
	*ret_line = line;
	*ret_column = (unsigned int)(offset - begin) + 1;
}

/* Source bytes for a reader; a tab is one column, so that the caret stands right. */
static void add_source(struct str *out, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i] == '\t')
			str_add(out, " ");
		else
			str_add_escaped(out, &bytes[i], 1);
}

/* Our own sentences may quote the author's bytes, some already escaped: leave backslashes alone. */
static void add_sentence(struct str *out, const char *text)
{
	for (; *text; text++)
		if (*text == '\\')
			str_add(out, "\\");
		else
			str_add_escaped(out, text, 1);
}

/* The line of the span, and carets below it. Of a long line, the part around the span. */
static void add_excerpt(struct str *out, struct span span, unsigned int line)
{
	const struct source *s = span.source;
	size_t start = span.start < s->len ? span.start : s->len, end = span.end < s->len ? span.end : s->len;
	size_t from = start, to = start, carets;
	struct str shown = {};

	while (from > 0 && s->text[from - 1] != '\n' && start - from < WINDOW / 2)
		from--;
	while (to < s->len && s->text[to] != '\n' && to - from < WINDOW)
		to++;
	if (end > to)
		end = to;
	str_addf(out, "%6u | ", line);
	add_source(out, s->text + from, to - from);
	str_add(out, "\n       | ");
	add_source(&shown, s->text + from, start - from);
	str_addf(out, "%*s", (int)shown.len, "");
	str_reset(&shown);
	if (end > start)
		add_source(&shown, s->text + start, end - start);
	carets = shown.len ? shown.len : 1;
	while (carets-- > 0)
		str_add(out, "^");
	str_add(out, "\n");
	str_fini(&shown);
}

static void add_part(struct str *out, struct span span, const char *word, const char *text)
{
	unsigned int line = 0, column = 0;

	if (span.source) {
		source_place(span.source, span.start, &line, &column);
		add_sentence(out, span.source->name);
		str_addf(out, ":%u:%u: ", line, column);
	}
	str_addf(out, "%s: ", word);
	add_sentence(out, text);
	str_add(out, "\n");
	if (span.source)
		add_excerpt(out, span, line);
}

void diag_print(const struct diag *g, struct str *out)
{
	add_part(out, g->span, g->level == DIAG_ERROR ? "error" : "warning", g->text);
	if (g->hint) {
		str_add(out, "       = ");
		add_sentence(out, g->hint);
		str_add(out, "\n");
	}
	if (g->other_text)
		add_part(out, g->other, "note", g->other_text);
}

/* Rank of a source that some diagnostic names: the place of the first that does. */
static size_t source_rank(const struct diags *d, const struct source *s)
{
	size_t i = 0;

	while (d->v[i].span.source != s)
		i++;
	return i;
}

static bool comes_before(const struct diags *d, size_t a, size_t b)
{
	size_t ra = source_rank(d, d->v[a].span.source), rb = source_rank(d, d->v[b].span.source);

	if (ra != rb)
		return ra < rb;
	return d->v[a].span.start < d->v[b].span.start;
}

void diags_print(const struct diags *d, struct str *out)
{
	size_t order[DIAG_MAX], n = 0;

	for (size_t i = 0; i < d->n; i++) { /* insertion: few, and stable */
		size_t at = n++;

		for (; at > 0 && comes_before(d, i, order[at - 1]); at--)
			order[at] = order[at - 1];
		order[at] = i;
	}
	for (size_t i = 0; i < n; i++)
		diag_print(&d->v[order[i]], out);
	if (d->errors + d->warnings > d->n)
		str_addf(out, "%zu more not shown\n", d->errors + d->warnings - d->n);
}
