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
	return !strcmp(word, "for") || !strcmp(word, "timeout") || !strcmp(word, "until") || !strcmp(word, "reason");
}

/* The word behind `for` or `until`. */
static const char *end_read(const char *s, size_t len, bool at, struct element *ret)
{
	const char *why;

	if (!len)
		return at ? "is not followed by a time" : "is not followed by a duration";
	if (str_is("ever", s, len) || str_is("never", s, len)) {
		ret->end = ELEMENT_END_NEVER;
		return NULL;
	}
	why = at ? instant_parse(s, len, &ret->ns) : duration_parse(s, len, &ret->ns);
	if (why)
		return why;
	ret->end = at ? ELEMENT_END_AT : ELEMENT_END_FOR;
	return at || ret->ns ? NULL : "is no time at all";
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
		size_t len = (size_t)(end - s);
		bool at = str_is("until", s, len);

		*ret_s = s;
		*ret_end = end;
		if (str_is("reason", s, len)) {
			reason_read(end, eol, ret);
			return NULL;
		}
		if (!at && !str_is("for", s, len) && !str_is("timeout", s, len))
			return strict ? "is none of for, until, reason" : NULL;
		if (ret->end != ELEMENT_END_SET)
			return "is a second end";
		s = blanks_skip(end, eol);
		end = word_end(s, eol);
		if (s < eol) {
			*ret_s = s;
			*ret_end = end;
		}
		const char *why = end_read(s, (size_t)(end - s), at, ret);
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
