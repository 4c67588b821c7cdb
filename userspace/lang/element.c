// SPDX-License-Identifier: GPL-2.0-only
#include "lang/element.h"

#include "base/duration.h"
#include "base/instant.h"
#include "lang/netset.h"

#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

static const char *blanks_skip(const char *s, const char *eol)
{
	while (s < eol && is_blank(*s))
		s++;
	return s;
}

static const char *word_end(const char *s, const char *eol)
{
	while (s < eol && !is_blank(*s))
		s++;
	return s;
}

bool element_is_tail(const char *word)
{
	return !strcmp(word, "for") || !strcmp(word, "timeout") || !strcmp(word, "until") || !strcmp(word, "added") ||
	       !strcmp(word, "reason");
}

enum clause { CLAUSE_NONE, CLAUSE_FOR, CLAUSE_UNTIL, CLAUSE_ADDED, CLAUSE_REASON };

static enum clause clause_of(const char *s, size_t len)
{
	return str_is("for", s, len) || str_is("timeout", s, len) ? CLAUSE_FOR
	       : str_is("until", s, len)			  ? CLAUSE_UNTIL
	       : str_is("added", s, len)			  ? CLAUSE_ADDED
	       : str_is("reason", s, len)			  ? CLAUSE_REASON
								  : CLAUSE_NONE;
}

/* The word behind `for`, `until` or `added`. */
static const char *clause_read(enum clause c, const char *s, size_t len, struct element *ret)
{
	const char *why;

	if (!len)
		return c == CLAUSE_FOR ? "is not followed by a duration" : "is not followed by a time";
	if (c == CLAUSE_ADDED)
		return instant_parse(s, len, &ret->added_ns);
	if (ret->end != ELEMENT_END_SET)
		return "is a second end";
	if (str_is("ever", s, len) || str_is("never", s, len)) {
		ret->end = ELEMENT_END_NEVER;
		return NULL;
	}
	why = c == CLAUSE_UNTIL ? instant_parse(s, len, &ret->ns) : duration_parse(s, len, &ret->ns);
	if (why)
		return why;
	ret->end = c == CLAUSE_UNTIL ? ELEMENT_END_AT : ELEMENT_END_FOR;
	return c == CLAUSE_UNTIL || ret->ns ? NULL : "is no time at all";
}

static void reason_read(const char *s, const char *eol, struct element *ret)
{
	s = blanks_skip(s, eol);
	while (eol > s && is_blank(eol[-1]))
		eol--;
	ret->reason = s;
	ret->reason_len = (size_t)(eol - s);
}

const char *element_tail(const char *s, const char *eol, bool strict, struct element *ret, const char **ret_s,
			 const char **ret_end)
{
	for (s = blanks_skip(s, eol); s < eol; s = blanks_skip(s, eol)) {
		const char *end = word_end(s, eol);
		enum clause c = clause_of(s, (size_t)(end - s));

		*ret_s = s;
		*ret_end = end;
		if (c == CLAUSE_NONE)
			return strict ? "is none of for, until, reason" : NULL;
		if (c == CLAUSE_REASON) {
			reason_read(end, eol, ret);
			return NULL;
		}
		s = blanks_skip(end, eol);
		end = word_end(s, eol);
		if (s < eol) {
			*ret_s = s;
			*ret_end = end;
		}
		const char *why = clause_read(c, s, (size_t)(end - s), ret);
		if (why)
			return why;
		s = end;
	}
	return NULL;
}

const char *element_line(const char *s, const char *eol, struct element *ret, bool *ret_empty, const char **ret_s,
			 const char **ret_end)
{
	struct element e = {};
	const char *why = netset_line(s, eol, &e.range, ret_empty, ret_s, ret_end);

	if (why || *ret_empty)
		return why;
	const char *end = *ret_end;
	/* "#", ";" and "," end what is ours, as in set files. */
	if (end < eol && is_blank(*end))
		why = element_tail(end, eol, false, &e, ret_s, ret_end);
	if (!why)
		*ret = e;
	return why;
}

void range_take(struct addr_range *r, bool *more, u128 *ret_addr, unsigned int *ret_len)
{
	unsigned int width = r->family == FAMILY_IPV4 ? 32 : 128, free = 0;

	/* One bit more as long as the block starts where a block of its size may, and ends inside. */
	while (free < width) {
		u128 ones = free + 1 == 128 ? ~(u128)0 : ((u128)1 << (free + 1)) - 1;
		if (r->lo & ones || (r->lo | ones) > r->hi)
			break;
		free++;
	}
	u128 last = r->lo | (free == 128 ? ~(u128)0 : ((u128)1 << free) - 1);
	*ret_addr = r->lo;
	*ret_len = width - free;
	*more = last != r->hi;
	if (*more)
		r->lo = last + 1;
}
