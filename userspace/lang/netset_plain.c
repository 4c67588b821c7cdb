// SPDX-License-Identifier: GPL-2.0-only
/*
 * The common line of a set file, fast: `192.0.2.7`, `192.0.2.0/24`, `2001:db8::/32`, and behind white space, "#", ";" or
 * "," whatever the publisher adds. Whoever meets anything else leaves the line to netset.c, so nothing here says why,
 * and nothing is taken here that is refused there.
 *
 * A line of a million is met in about 20 ns: words of eight bytes are looked at as a whole, and what differs from line
 * to line (how many digits) decides no jump.
 */
#include "lang/netset.h"

#include <endian.h>
#include <stdbool.h>
#include <string.h>

#define ONES  0x0101010101010101ull
#define HIGHS 0x8080808080808080ull

static uint64_t load_le64(const char *s)
{
	uint64_t v;

	memcpy(&v, s, sizeof(v));
	return le64toh(v);
}

static uint32_t load_le32(const char *s)
{
	uint32_t v;

	memcpy(&v, s, sizeof(v));
	return le32toh(v);
}

/* One bit per byte of eight: it is no decimal digit. */
static unsigned int others_of(uint64_t v)
{
	uint64_t x = v ^ ('0' * ONES); /* a digit is 0..9 now */
	uint64_t other = (((x & ~HIGHS) + (0x80 - 10) * ONES) | x) & HIGHS;

	return (unsigned int)((other >> 7) * 0x0102040810204080ull >> 56);
}

/* The number that `len` (0 to 15) digits at s are; more than 255 when it is none that may stand in an address. */
static inline __attribute__((always_inline)) unsigned int octet_of(const char *s, unsigned int len)
{
	enum { NEVER = 1000 }; /* no three digits reach it */
	static const unsigned short least[16] = { NEVER, 0,	10,    100,   NEVER, NEVER, NEVER, NEVER,
						  NEVER, NEVER, NEVER, NEVER, NEVER, NEVER, NEVER, NEVER };
	uint32_t x = load_le32(s) << (8 * (4 - len) & 31);
	unsigned int v = (x >> 24 & 15) + 10 * (x >> 16 & 15) + 100 * (x >> 8 & 15);

	return v | (unsigned int)(v < least[len & 15]) << 8;
}

static bool blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r' && c != '\n');
}

/* What stands behind an address: the place of the newline, NULL when the line is not plain. */
static const char *tail_skip(const char *s, const char *stop)
{
	if (*s == '\n')
		return s;
	if (blank(*s)) {
		while (s < stop && blank(*s))
			s++;
		if (s == stop || *s == '-') /* perhaps a range */
			return NULL;
	} else if (*s != '#' && *s != ';' && *s != ',') {
		return NULL;
	}
	return memchr(s, '\n', (size_t)(stop - s));
}

/* One or two digits behind a "/", in *ret; how many, 0 when it is anything else. */
static inline unsigned int bits_take(const char *s, unsigned int *ret)
{
	unsigned int a = (unsigned char)s[0] - '0', b = (unsigned char)s[1] - '0';
	unsigned int two = b <= 9;

	*ret = a + ((9 * a + b) & -two);
	return (1 + two) & -(unsigned int)((a <= 9) & (!two | (a != 0)));
}

/* The lowest bit set, taken away; 31 when there is none. */
static inline unsigned int place_take(unsigned int *bits)
{
	unsigned int place = (unsigned int)__builtin_ctz(*bits | 1u << 31);

	*bits &= *bits - 1;
	return place;
}

/* One line; the place of its newline, NULL when it is not plain. PLAIN_AHEAD bytes can be read. */
static inline const char *line4_take(const char *s, const char *stop, struct range4 *ret)
{
	unsigned int others = others_of(load_le64(s)) | others_of(load_le64(s + 8)) << 8;
	unsigned int end0, end1, end2, end3, v0, v1, v2, v3, bits, took, slash, bad;
	uint32_t addr, rest;

	end0 = place_take(&others);
	end1 = place_take(&others);
	end2 = place_take(&others);
	end3 = place_take(&others);
	if (end3 > 15 || s[end0] != '.' || s[end1] != '.' || s[end2] != '.')
		return NULL;
	v0 = octet_of(s, end0);
	v1 = octet_of(s + end0 + 1, end1 - end0 - 1);
	v2 = octet_of(s + end1 + 1, end2 - end1 - 1);
	v3 = octet_of(s + end2 + 1, end3 - end2 - 1);
	bad = v0 | v1 | v2 | v3;
	addr = v0 << 24 | v1 << 16 | v2 << 8 | v3;
	s += end3;
	/* A host or a prefix: every other line may be the one or the other, so arithmetic decides. */
	slash = *s == '/';
	took = bits_take(s + 1, &bits);
	bad |= (slash & (!took | (bits > 32))) << 8;
	if (bad > 255)
		return NULL;
	bits = 32 + ((bits - 32) & -slash);
	s += (1 + took) & -slash;
	rest = (uint32_t)((1ull << (32 - bits)) - 1);
	*ret = (struct range4){ addr & ~rest, addr | rest };
	return tail_skip(s, stop);
}

const char *netset_plain4(const char *s, const char *stop, struct range4 *out, size_t room, size_t *ret_n)
{
	size_t n = 0;

	while (n < room && stop - s >= PLAIN_AHEAD) {
		const char *eol = line4_take(s, stop, &out[n]);

		if (!eol)
			break;
		s = eol + 1;
		n++;
	}
	*ret_n = n;
	return s;
}

/* The value of a hexadecimal digit plus one, 0 for any other byte. */
static const unsigned char hex_plus1[256] = {
	['0'] = 1,  ['1'] = 2,	['2'] = 3,  ['3'] = 4,	['4'] = 5,  ['5'] = 6,	['6'] = 7,  ['7'] = 8,
	['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
	['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

static unsigned int hex_of(char c)
{
	return hex_plus1[(unsigned char)c] - 1u;
}

/* One to four hexadecimal digits; what stands behind them. */
static inline const char *group_take(const char *s, unsigned int first, unsigned int *ret)
{
	unsigned int v = first, d;

	s++;
	for (int i = 0; i < 3 && (d = hex_of(*s)) < 16; i++, s++)
		v = v << 4 | d;
	*ret = v;
	return s;
}

/* Groups before and behind a "::", which stands where `gap` says (9: nowhere), as one address. */
static u128 groups_join(u128 all, unsigned int n, unsigned int gap)
{
	unsigned int behind = 16 * (n - gap);

	if (gap > 8 || !n)
		return all;
	if (!gap) /* everything is behind it */
		return all;
	return all >> behind << (128 - 16 * gap) | (all & (((u128)1 << behind) - 1));
}

/* An address; NULL when it is not plain: an IPv4 address at its end is not. */
static inline const char *addr6_take(const char *s, u128 *ret)
{
	unsigned int n = 0, gap = 9, v;
	u128 all = 0;

	if (s[0] == ':' && s[1] == ':') {
		gap = 0;
		s += 2;
	}
	while ((v = hex_of(*s)) < 16) {
		s = group_take(s, v, &v);
		all = all << 16 | v;
		if (++n == 8 || *s != ':')
			break;
		s++;
		if (*s == ':') {
			if (gap < 9)
				return NULL;
			gap = n;
			s++;
		} else if (hex_of(*s) > 15) {
			return NULL;
		}
	}
	if (gap > 8 ? n != 8 : n > 7)
		return NULL;
	*ret = groups_join(all, n, gap);
	return s;
}

static inline const char *line6_take(const char *s, const char *stop, struct range6 *ret)
{
	unsigned int bits = 128, took;
	u128 addr, rest;

	s = addr6_take(s, &addr);
	if (!s)
		return NULL;
	if (*s == '/') {
		took = bits_take(s + 1, &bits);
		if (!took)
			return NULL;
		s += 1 + took;
		if (took == 2 && *s >= '0' && *s <= '9')
			bits = 10 * bits + (unsigned int)(*s++ - '0');
		if (bits > 128)
			return NULL;
	}
	rest = bits ? ((u128)1 << (128 - bits)) - 1 : ~(u128)0;
	*ret = (struct range6){ addr & ~rest, addr | rest };
	return tail_skip(s, stop);
}

const char *netset_plain6(const char *s, const char *stop, struct range6 *out, size_t room, size_t *ret_n)
{
	size_t n = 0;

	while (n < room && stop - s >= PLAIN_AHEAD) {
		const char *eol = line6_take(s, stop, &out[n]);

		if (!eol)
			break;
		s = eol + 1;
		n++;
	}
	*ret_n = n;
	return s;
}
