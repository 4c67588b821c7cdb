// SPDX-License-Identifier: GPL-2.0-only
#include "base/duration.h"

static const struct {
	const char *word;
	uint64_t ns;
} units[] = {
	{ "d", 86400000000000 }, { "h", 3600000000000 }, { "m", 60000000000 }, { "s", 1000000000 },
	{ "ms", 1000000 },	 { "us", 1000 },	 { "ns", 1 },
};
#define UNITS (sizeof(units) / sizeof(units[0]))

static const char *const not_one = "is not a duration: write it like 30s, 10m, 1h30m, 5d";
static const char *const too_long = "is longer than 292 years";

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The unit at s, not before `from`; UNITS when there is none. Go writes microseconds with a micro sign. */
static size_t unit_take(const char **s, const char *end, size_t from)
{
	const char *p = *s;
	size_t len;

	if (end - p >= 3 && (!memcmp(p, "\xc2\xb5s", 3) || !memcmp(p, "\xce\xbcs", 3))) {
		*s = p + 3;
		return from <= 5 ? 5 : UNITS;
	}
	while (p < end && *p >= 'a' && *p <= 'z')
		p++;
	len = (size_t)(p - *s);
	for (size_t u = from; u < UNITS; u++) {
		if (str_is(units[u].word, *s, len)) {
			*s = p;
			return u;
		}
	}
	return UNITS;
}

/* A number with an optional fraction, in units of 10^-18; false: none, or more than 10^19 of them. */
static bool number_take(const char **s, const char *end, uint64_t *ret, uint64_t *ret_fraction)
{
	uint64_t v = 0, fraction = 0, scale = 1000000000000000000u;
	const char *p = *s, *start = p;

	for (; p < end && is_digit(*p); p++)
		if (__builtin_mul_overflow(v, 10u, &v) || __builtin_add_overflow(v, (uint64_t)(*p - '0'), &v))
			return false;
	if (p == start)
		return false;
	if (p < end && *p == '.') {
		for (start = ++p; p < end && is_digit(*p); p++) {
			scale /= 10; /* at last 0: digits beyond 10^-18 say nothing */
			fraction += scale * (uint64_t)(*p - '0');
		}
		if (p == start)
			return false;
	}
	*s = p;
	*ret = v;
	*ret_fraction = fraction;
	return true;
}

const char *duration_parse(const char *s, size_t len, uint64_t *ret_ns)
{
	const char *end = s + len;
	uint64_t sum = 0, v, fraction, part;
	size_t from = 0;

	if (!len)
		return not_one;
	while (s < end) {
		if (!number_take(&s, end, &v, &fraction))
			return not_one;
		size_t unit = unit_take(&s, end, from);
		if (unit == UNITS)
			return not_one;
		from = unit + 1;
		fraction = (uint64_t)((unsigned __int128)fraction * units[unit].ns / 1000000000000000000u);
		if (__builtin_mul_overflow(v, units[unit].ns, &part) || __builtin_add_overflow(part, fraction, &part) ||
		    __builtin_add_overflow(sum, part, &sum) || sum > INT64_MAX)
			return too_long;
	}
	*ret_ns = sum;
	return NULL;
}

void duration_add(struct str *s, uint64_t ns)
{
	if (!ns)
		str_add(s, "0s");
	for (size_t u = 0; u < UNITS; u++) {
		if (ns < units[u].ns)
			continue;
		str_add_u64(s, ns / units[u].ns);
		str_add(s, units[u].word);
		ns %= units[u].ns;
	}
}
