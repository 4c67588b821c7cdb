// SPDX-License-Identifier: GPL-2.0-only
/*
 * Set files: one host, prefix or range per line. What follows behind white space, "#", ";" or "," belongs to the
 * publisher of the list (a country, a score, an SBL number) and is not looked at.
 */
#include "base/vec.h"
#include "lang/netset.h"
#include "lang/resolve.h"

#include <string.h>

#define MAX_ERRORS 10 /* of one file: a file of another kind has a mistake in every line */
#define BULK       4096 /* plain lines are taken by so many */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

static bool is_end(char c)
{
	return is_blank(c) || c == '#' || c == ';' || c == ',';
}

static const char *word_end(const char *s, const char *eol)
{
	while (s < eol && !is_end(*s))
		s++;
	return s;
}

static void line_error(struct resolver *r, const struct source *source, const char *s, const char *end, const char *why,
		       bool hint)
{
	struct span span = { source, (uint32_t)(s - source->text), (uint32_t)(end - source->text) };
	struct str shown = {};
	struct diag *g;

	str_add_escaped(&shown, s, end - s < 60 ? (size_t)(end - s) : 60);
	g = diag_add(r->d, DIAG_ERROR, span, "\"%s\" %s", str_get(&shown), why);
	if (hint)
		diag_hint(r->d, g,
			  "a set file has one host, prefix or range per line; comments start with \"#\" or \";\"");
	str_fini(&shown);
}

const char *netset_line(const char *s, const char *eol, struct addr_range *ret, bool *ret_empty, const char **ret_s,
			const char **ret_end)
{
	const char *end, *next, *why;

	while (s < eol && is_blank(*s))
		s++;
	*ret_empty = s == eol || *s == '#' || *s == ';';
	if (*ret_empty)
		return NULL;
	end = word_end(s, eol);
	*ret_s = s;
	*ret_end = end;
	if (end == s) { /* "," */
		*ret_end = s + 1;
		return "is not an address";
	}
	/* `a - b`: a range with blanks. */
	for (next = end; next < eol && is_blank(*next);)
		next++;
	if (next > end && next + 1 < eol && *next == '-' && is_blank(next[1])) {
		const char *hi;

		for (hi = next + 1; hi < eol && is_blank(*hi);)
			hi++;
		*ret_end = word_end(hi, eol);
		return addr_parse_ends(s, (size_t)(end - s), hi, (size_t)(*ret_end - hi), ret);
	}
	why = addr_parse(s, (size_t)(end - s), ret);
	return why;
}

/* Take plain lines as long as they come; *ret: where the careful parser goes on. False: no memory. */
static bool plain_read(const char *s, const char *stop, struct aset_builder *b, const char **ret)
{
	for (size_t n4, n6;;) {
		if (vec_reserve_raw((void **)&b->v4, &b->cap4, b->n4 + BULK, sizeof(*b->v4)))
			return false;
		s = netset_plain4(s, stop, b->v4 + b->n4, BULK, &n4);
		b->n4 += n4;
		if (vec_reserve_raw((void **)&b->v6, &b->cap6, b->n6 + BULK, sizeof(*b->v6)))
			return false;
		s = netset_plain6(s, stop, b->v6 + b->n6, BULK, &n6);
		b->n6 += n6;
		if (!n4 && !n6)
			break;
	}
	*ret = s;
	return true;
}

bool netset_read(struct resolver *r, const struct source *source, struct aset_builder *b)
{
	const char *s = source->text, *stop = source->text + source->len;
	size_t errors = 0, more_at = 0;

	if (source->len >= 3 && !memcmp(s, "\xef\xbb\xbf", 3))
		s += 3;
	while (s < stop) {
		if (!plain_read(s, stop, b, &s))
			return resolve_oom(r);
		if (s == stop)
			break;

		const char *eol = memchr(s, '\n', (size_t)(stop - s)) ?: stop;
		const char *word, *end, *why;
		struct addr_range a;
		bool empty;

		why = netset_line(s, eol, &a, &empty, &word, &end);
		if (why && ++errors <= MAX_ERRORS)
			line_error(r, source, word, end, why, errors == 1);
		else if (why && errors == MAX_ERRORS + 1)
			more_at = (size_t)(word - source->text);
		if (!why && !empty && !errors && addr_add(b, &a))
			return resolve_oom(r);
		s = eol < stop ? eol + 1 : stop;
	}
	if (errors > MAX_ERRORS)
		diag_add(r->d, DIAG_ERROR, (struct span){ source, (uint32_t)more_at, (uint32_t)more_at },
			 "%zu more lines of this file are not addresses", errors - MAX_ERRORS);
	return !errors;
}
