// SPDX-License-Identifier: GPL-2.0-only
#include "base/str.h"

#include "base/vec.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void str_fini(struct str *s)
{
	free(s->s);
	*s = (struct str){};
}

/* Room for `more` bytes and the NUL. */
static bool str_reserve(struct str *s, size_t more)
{
	if (s->failed)
		return false;
	if (more >= SIZE_MAX - s->len || vec_reserve_raw((void **)&s->s, &s->cap, s->len + more + 1, 1))
		s->failed = true;
	return !s->failed;
}

void str_add_len(struct str *s, const char *text, size_t len)
{
	if (!str_reserve(s, len))
		return;
	if (len)
		memcpy(s->s + s->len, text, len);
	s->len += len;
	s->s[s->len] = '\0';
}

void str_add_char(struct str *s, char c)
{
	if (!str_reserve(s, 1))
		return;
	s->s[s->len++] = c;
	s->s[s->len] = '\0';
}

void str_add_u64(struct str *s, uint64_t v)
{
	char digits[20];
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + v % 10);
	while (v /= 10);
	str_add_len(s, digits + at, sizeof(digits) - at);
}

void str_addf(struct str *s, const char *fmt, ...)
{
	va_list ap;
	int len;

	if (!str_reserve(s, 0))
		return;
	va_start(ap, fmt);
	len = vsnprintf(s->s + s->len, s->cap - s->len, fmt, ap);
	va_end(ap);
	if (len < 0 || (size_t)len >= s->cap - s->len) { /* mostly it fits at once */
		s->s[s->len] = '\0';
		if (len < 0)
			s->failed = true;
		if (len < 0 || !str_reserve(s, (size_t)len))
			return;
		va_start(ap, fmt);
		vsnprintf(s->s + s->len, (size_t)len + 1, fmt, ap);
		va_end(ap);
	}
	s->len += (size_t)len;
}

void str_reset(struct str *s)
{
	s->len = 0;
	s->failed = false;
	if (s->s)
		s->s[0] = '\0';
}

const char *str_get(const struct str *s)
{
	return s->s ? s->s : "";
}

void str_add_escaped(struct str *s, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if (c >= 0x20 && c < 0x7f && c != '\\')
			str_add_len(s, &bytes[i], 1);
		else
			str_addf(s, "\\x%02x", c);
	}
}

#define DISTANCE_MAX 64

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

/* Insertions, deletions, replacements, and swaps of neighbours. */
size_t str_distance(const char *a, const char *b)
{
	size_t na = strlen(a), nb = strlen(b);
	size_t row[3][DISTANCE_MAX + 1];
	size_t *before = row[0], *last = row[1], *now = row[2];

	if (na >= DISTANCE_MAX || nb >= DISTANCE_MAX)
		return DISTANCE_MAX;
	for (size_t j = 0; j <= nb; j++)
		before[j] = last[j] = j;
	for (size_t i = 1; i <= na; i++) {
		size_t *tmp = before;

		now[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			now[j] = min3(last[j] + 1, now[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    before[j - 2] + 1 < now[j])
				now[j] = before[j - 2] + 1;
		}
		before = last;
		last = now;
		now = tmp;
	}
	return last[nb];
}
