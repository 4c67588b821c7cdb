// SPDX-License-Identifier: GPL-2.0-only
#include "base/instant.h"

#include <stdbool.h>
#include <stdio.h>

#define SECOND 1000000000ull

static const char *const not_one = "is not a time: write it like 2026-11-28T16:00:00Z, or in seconds since 1970";

/* Exactly n digits. */
static bool digits_take(const char **s, const char *end, unsigned int n, unsigned int *ret)
{
	unsigned int v = 0;

	if ((size_t)(end - *s) < n)
		return false;
	for (unsigned int i = 0; i < n; i++, ++*s) {
		if (**s < '0' || **s > '9')
			return false;
		v = v * 10 + (unsigned int)(**s - '0');
	}
	*ret = v;
	return true;
}

static bool char_take(const char **s, const char *end, char c)
{
	if (*s == end || **s != c)
		return false;
	++*s;
	return true;
}

/* `.25`, in ns; nothing is 0. */
static bool fraction_take(const char **s, const char *end, uint64_t *ret)
{
	uint64_t scale = SECOND, v = 0;

	*ret = 0;
	if (!char_take(s, end, '.'))
		return true;
	if (*s == end || **s < '0' || **s > '9')
		return false;
	for (; *s < end && **s >= '0' && **s <= '9'; ++*s) {
		scale /= 10;
		v += scale * (uint64_t)(**s - '0');
	}
	*ret = v;
	return true;
}

static unsigned int leap(unsigned int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static unsigned int month_days(unsigned int year, unsigned int month)
{
	static const unsigned char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return days[month - 1] + (month == 2 && leap(year));
}

/* Since 1970-01-01, of the Gregorian calendar. */
static uint64_t days_of(unsigned int year, unsigned int month, unsigned int day)
{
	uint64_t before = year - 1, days = before * 365 + before / 4 - before / 100 + before / 400;

	for (unsigned int m = 1; m < month; m++)
		days += month_days(year, m);
	return days + day - 1 - 719162;
}

static bool zone_take(const char **s, const char *end, int *ret_minutes)
{
	unsigned int h, m;
	bool west = *s < end && **s == '-';

	*ret_minutes = 0;
	if (char_take(s, end, 'Z'))
		return true;
	if (!west && (*s == end || **s != '+'))
		return false;
	++*s;
	if (!digits_take(s, end, 2, &h) || !char_take(s, end, ':') || !digits_take(s, end, 2, &m) || h > 23 || m > 59)
		return false;
	*ret_minutes = (int)(h * 60 + m) * (west ? -1 : 1);
	return true;
}

static bool date_take(const char **s, const char *end, uint64_t *ret_days)
{
	unsigned int year, month, day;

	if (!digits_take(s, end, 4, &year) || !char_take(s, end, '-') || !digits_take(s, end, 2, &month) ||
	    !char_take(s, end, '-') || !digits_take(s, end, 2, &day))
		return false;
	if (year < 1970 || year > 2261 || month < 1 || month > 12 || day < 1 || day > month_days(year, month))
		return false;
	*ret_days = days_of(year, month, day);
	return true;
}

static bool clock_take(const char **s, const char *end, uint64_t *ret_seconds)
{
	unsigned int h, m, sec;

	if (!digits_take(s, end, 2, &h) || !char_take(s, end, ':') || !digits_take(s, end, 2, &m) ||
	    !char_take(s, end, ':') || !digits_take(s, end, 2, &sec) || h > 23 || m > 59 || sec > 59)
		return false;
	*ret_seconds = h * 3600 + m * 60 + sec;
	return true;
}

static bool rfc3339_parse(const char *s, const char *end, uint64_t *ret_ns)
{
	uint64_t days, seconds, fraction;
	int zone;

	if (!date_take(&s, end, &days) || !char_take(&s, end, 'T') || !clock_take(&s, end, &seconds) ||
	    !fraction_take(&s, end, &fraction) || !zone_take(&s, end, &zone) || s != end)
		return false;
	int64_t at = (int64_t)(days * 86400 + seconds) - zone * 60;
	if (at < 0)
		return false;
	*ret_ns = (uint64_t)at * SECOND + fraction;
	return true;
}

static bool epoch_parse(const char *s, const char *end, uint64_t *ret_ns)
{
	uint64_t seconds = 0, fraction;
	const char *start = s;

	for (; s < end && *s >= '0' && *s <= '9'; s++) {
		seconds = seconds * 10 + (uint64_t)(*s - '0');
		if (seconds >= INT64_MAX / SECOND)
			return false;
	}
	if (s == start || !fraction_take(&s, end, &fraction) || s != end)
		return false;
	*ret_ns = seconds * SECOND + fraction;
	return true;
}

const char *instant_parse(const char *s, size_t len, uint64_t *ret_ns)
{
	const char *end = s + len;

	if (len > 4 && s[4] == '-')
		return rfc3339_parse(s, end, ret_ns) ? NULL : not_one;
	return epoch_parse(s, end, ret_ns) ? NULL : not_one;
}

void instant_add(struct str *s, uint64_t ns)
{
	uint64_t days = ns / (86400 * SECOND), second = ns / SECOND % 86400;
	unsigned int year = 1970, month = 1;
	char fraction[16];

	for (; days >= 365 + leap(year); year++)
		days -= 365 + leap(year);
	for (; days >= month_days(year, month); month++)
		days -= month_days(year, month);
	str_addf(s, "%04u-%02u-%02uT%02u:%02u:%02u", year, month, (unsigned int)days + 1, (unsigned int)(second / 3600),
		 (unsigned int)(second / 60 % 60), (unsigned int)(second % 60));
	if (ns % SECOND) {
		snprintf(fraction, sizeof(fraction), "%09u", (unsigned int)(ns % SECOND));
		size_t n = 9;
		while (fraction[n - 1] == '0')
			n--;
		str_add(s, ".");
		str_add_len(s, fraction, n);
	}
	str_add(s, "Z");
}
