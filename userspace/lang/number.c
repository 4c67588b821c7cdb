// SPDX-License-Identifier: GPL-2.0-only
#include "lang/number.h"

#include <string.h>

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool digits_parse(const char *s, size_t len, unsigned int base, uint64_t *ret)
{
	uint64_t v = 0;

	if (!len)
		return false;
	for (size_t i = 0; i < len; i++) {
		int digit = hex_value(s[i]);

		if (digit < 0 || digit >= (int)base || __builtin_mul_overflow(v, base, &v) ||
		    __builtin_add_overflow(v, (uint64_t)digit, &v))
			return false;
	}
	*ret = v;
	return true;
}

bool number_parse(const char *s, size_t len, uint64_t *ret)
{
	if (len > 2 && s[0] == '0' && (s[1] | 0x20) == 'x')
		return digits_parse(s + 2, len - 2, 16, ret);
	if (len > 1 && s[0] == '0') /* octal elsewhere: nobody can know what was meant */
		return false;
	return digits_parse(s, len, 10, ret);
}

bool addr4_parse(const char *s, size_t len, uint32_t *ret)
{
	const char *end = s + len;
	uint32_t addr = 0;

	for (int part = 0; part < 4; part++) {
		unsigned int v = 0, digits = 0;

		if (part && (s == end || *s++ != '.'))
			return false;
		for (; s < end && *s >= '0' && *s <= '9'; s++, digits++)
			v = digits < 3 ? v * 10 + (unsigned int)(*s - '0') : 256;
		if (!digits || v > 255 || (digits > 1 && s[-(int)digits] == '0'))
			return false;
		addr = addr << 8 | v;
	}
	if (s != end)
		return false;
	*ret = addr;
	return true;
}

/* One group of at most four hex digits; the number of bytes taken, 0 when there is none. */
static size_t group_parse(const char *s, size_t len, unsigned int *ret)
{
	unsigned int v = 0;
	size_t n = 0;

	for (; n < len && hex_value(s[n]) >= 0; n++) {
		if (n == 4)
			return 0;
		v = v << 4 | (unsigned int)hex_value(s[n]);
	}
	*ret = v;
	return n;
}

bool addr6_parse(const char *s, size_t len, u128 *ret)
{
	unsigned int group[8], n = 0, gap = 9; /* gap: the index of "::" */
	u128 addr = 0;
	size_t i = 0;

	if (len >= 2 && s[0] == ':' && s[1] == ':') {
		gap = 0;
		i = 2;
	}
	while (i < len) {
		uint32_t tail;
		size_t took;

		if (n == 8)
			return false;
		if (n <= 6 && memchr(s + i, '.', len - i) && !memchr(s + i, ':', len - i)) {
			if (!addr4_parse(s + i, len - i, &tail))
				return false;
			group[n++] = tail >> 16;
			group[n++] = tail & 0xffff;
			break;
		}
		took = group_parse(s + i, len - i, &group[n]);
		if (!took)
			return false;
		n++;
		i += took;
		if (i == len)
			break;
		if (s[i++] != ':' || i == len)
			return false;
		if (s[i] == ':') {
			if (gap != 9)
				return false;
			gap = n;
			i++;
		}
	}
	if (gap == 9 ? n != 8 : n > 7)
		return false;
	for (unsigned int g = 0, at = 0; g < 8; g++) {
		bool zero = gap != 9 && g >= gap && g < gap + (8 - n);

		addr = addr << 16 | (zero ? 0 : group[at++]);
	}
	*ret = addr;
	return true;
}

static const char *const not_an_address = "is not an address";

/* The address before a "/", and the family it has. */
static bool host_parse(const char *s, size_t len, struct addr_range *r)
{
	uint32_t v4;

	if (memchr(s, ':', len)) {
		r->family = FAMILY_IPV6;
		r->len = 128;
		if (!addr6_parse(s, len, &r->lo))
			return false;
	} else {
		r->family = FAMILY_IPV4;
		r->len = 32;
		if (!addr4_parse(s, len, &v4))
			return false;
		r->lo = v4;
	}
	r->hi = r->lo;
	return true;
}

const char *addr_parse_ends(const char *lo, size_t lo_len, const char *hi, size_t hi_len, struct addr_range *ret)
{
	struct addr_range a = {}, b = {};

	if (!host_parse(lo, lo_len, &a) || !host_parse(hi, hi_len, &b))
		return "is not a range of two addresses";
	if (a.family != b.family)
		return "is a range from one family to the other";
	if (a.lo > b.lo)
		return "is a range that ends before it starts";
	a.hi = b.lo;
	a.is_range = true;
	*ret = a;
	return NULL;
}

const char *addr_parse(const char *s, size_t len, struct addr_range *ret)
{
	const char *slash = memchr(s, '/', len), *dash = memchr(s, '-', len);
	struct addr_range r = {};
	uint64_t bits;
	u128 mask;

	if (dash && host_parse(s, (size_t)(dash - s), &r))
		return addr_parse_ends(s, (size_t)(dash - s), dash + 1, len - (size_t)(dash - s) - 1, ret);
	if (!host_parse(s, slash ? (size_t)(slash - s) : len, &r))
		return not_an_address;
	if (slash) {
		if (!number_parse(slash + 1, len - (size_t)(slash - s) - 1, &bits))
			return "has no number of bits after the \"/\"";
		if (bits > r.len)
			return r.family == FAMILY_IPV4 ? "has a prefix longer than 32 bits"
						       : "has a prefix longer than 128 bits";
		mask = bits == r.len ? 0 : (((u128)1 << (r.len - 1 - bits)) << 1) - 1;
		r.has_bits = r.lo & mask;
		r.len = (unsigned int)bits;
		r.lo &= ~mask;
		r.hi = r.lo | mask;
	}
	*ret = r;
	return NULL;
}

const char *rate_unit(size_t i, uint64_t *ret_ns)
{
	static const struct {
		const char *word;
		uint64_t ns;
	} units[] = { { "d", DURATION_DAY }, { "h", 3600 * DURATION_S }, { "m", 60 * DURATION_S }, { "s", DURATION_S } };

	if (i >= sizeof(units) / sizeof(units[0]))
		return NULL;
	*ret_ns = units[i].ns;
	return units[i].word;
}

bool mac_parse(const char *s, size_t len, uint64_t *ret)
{
	uint64_t mac = 0;

	if (len != 17)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (i % 3 == 2) {
			if (s[i] != ':')
				return false;
		} else {
			if (hex_value(s[i]) < 0)
				return false;
			mac = mac << 4 | (uint64_t)hex_value(s[i]);
		}
	}
	*ret = mac;
	return true;
}
