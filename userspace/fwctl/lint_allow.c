// SPDX-License-Identifier: GPL-2.0-only
#include "fwctl/lint_allow.h"

#include "base/vec.h"
#include "fwctl/out.h"

#include <string.h>

struct lint_file {
	const char *path;
	uint32_t *lines; /* per line, from 1 on: bit per enum lint_kind */
	size_t nlines;
};

/* Where the comment of a line begins; NULL: it has none. "#" in a string begins none. */
static const char *comment_of(const char *s, const char *end)
{
	bool string = false;

	for (; s < end; s++) {
		if (string && *s == '\\' && s + 1 < end)
			s++;
		else if (*s == '"')
			string = !string;
		else if (*s == '#' && !string)
			return s;
	}
	return NULL;
}

static const char *skip_blanks(const char *s, const char *end)
{
	while (s < end && (*s == ' ' || *s == '\t' || *s == '\r'))
		s++;
	return s;
}

static size_t word_len(const char *s, const char *end)
{
	const char *p = s;

	while (p < end && ((*p >= 'a' && *p <= 'z') || *p == '-'))
		p++;
	return (size_t)(p - s);
}

/* The words behind "lint: allow", as bits. */
static uint32_t words_of(struct lint_allow *a, const char *path, unsigned int line, const char *s, const char *end)
{
	uint32_t bits = 0;

	for (;;) {
		size_t len = word_len(s, end);
		enum lint_kind kind = lint_kind(s, len);

		if (kind < LINT_KINDS) {
			bits |= 1u << kind;
		} else {
			/* What is no word is shown as it stands. */
			size_t shown = len ? len : (size_t)(end - s) > 20 ? 20 : (size_t)(end - s);

			problem("%s:%u: lint has no finding \"%.*s\" to allow", out_name(path), line, (int)shown, s);
			a->unknown++;
			return bits;
		}
		s = skip_blanks(s + len, end);
		if (s == end || *s != ',')
			return bits;
		s = skip_blanks(s + 1, end);
	}
}

static uint32_t line_allows(struct lint_allow *a, const char *path, unsigned int line, const char *s, const char *end)
{
	s = comment_of(s, end);
	if (!s)
		return 0;
	s = skip_blanks(s + 1, end);
	if (end - s < 5 || memcmp(s, "lint:", 5))
		return 0;
	s = skip_blanks(s + 5, end);
	if (end - s < 5 || memcmp(s, "allow", 5))
		return 0;
	return words_of(a, path, line, skip_blanks(s + 5, end), end);
}

static size_t lines_in(const char *text, size_t len)
{
	size_t n = 1;

	for (const char *p = text; (p = memchr(p, '\n', (size_t)(text + len - p))); p++)
		n++;
	return n;
}

static void file_scan(struct lint_allow *a, struct lint_file *x, const char *text, size_t len)
{
	const char *s = text, *stop = text + len;
	unsigned int line = 1, first = 0; /* first: of a rule that goes on behind "\" */
	uint32_t above = 0;

	for (; s < stop && line < x->nlines; line++) {
		const char *nl = memchr(s, '\n', (size_t)(stop - s)), *end = nl ? nl : stop, *word = skip_blanks(s, end);
		uint32_t here = line_allows(a, x->path, line, s, end);

		if (first) {
			x->lines[first] |= here;
		} else if (word < end && *word == '#') {
			above |= here; /* of the line that follows */
		} else {
			x->lines[line] = here | above;
			above = 0;
		}
		while (end > s && (end[-1] == '\r' || end[-1] == ' ' || end[-1] == '\t'))
			end--;
		if (end > s && end[-1] == '\\')
			first = first ? first : line;
		else
			first = 0;
		s = nl ? nl + 1 : stop;
	}
}

/* The lines of a file; NULL: it cannot be read any more, and allows nothing. */
static const struct lint_file *file_of(struct lint_allow *a, struct file *f, const char *path)
{
	struct lint_file x = { .path = path };
	const char *text = f->text;
	size_t len = f->len;

	for (size_t i = 0; i < a->n; i++)
		if (!strcmp(a->file[i].path, path))
			return &a->file[i];
	if (strcmp(path, f->path) && reader_read(&f->reader, f->arena, path, &text, &len))
		len = 0;
	x.nlines = lines_in(text, len) + 1;
	x.lines = arena_array(f->arena, x.nlines, sizeof(*x.lines));
	if (!x.lines || vec_reserve_raw((void **)&a->file, &a->cap, a->n + 1, sizeof(x)))
		return NULL;
	file_scan(a, &x, text, len);
	a->file[a->n++] = x;
	return &a->file[a->n - 1];
}

void lint_allow_read(struct lint_allow *a, struct file *f)
{
	const char *last = NULL;

	file_of(a, f, f->path);
	for (size_t i = 0; i < f->rules->npolicies; i++) {
		for (int d = 0; d < DIRECTION_COUNT; d++) {
			const struct chain *c = &f->rules->policies[i].chain[d];

			for (size_t k = 0; k < c->nrules; k++) {
				if (c->rules[k].essential || !c->rules[k].file || c->rules[k].file == last)
					continue;
				last = c->rules[k].file;
				file_of(a, f, last);
			}
		}
	}
}

bool lint_allowed(struct lint_allow *a, struct file *f, const char *path, unsigned int line, enum lint_kind kind)
{
	const struct lint_file *x = path ? file_of(a, f, path) : NULL;

	return x && line < x->nlines && x->lines[line] >> kind & 1;
}

void lint_allow_fini(struct lint_allow *a)
{
	free(a->file);
}
