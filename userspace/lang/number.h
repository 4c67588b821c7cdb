/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Numbers and addresses in words. Written by hand, because set files have a million of them. Nothing is skipped and
 * nothing may be left over: "010", "1.2.3", "::1::", "fe80::1%eth0" are refused.
 */
#ifndef FW_LANG_NUMBER_H
#define FW_LANG_NUMBER_H

#include "model/rule.h"

/* Decimal without leading zero, or 0x…; at most UINT64_MAX. */
bool number_parse(const char *s, size_t len, uint64_t *ret);

/* An address, a prefix, or a range of one family. */
struct addr_range {
	enum family family;
	u128 lo, hi;	  /* IPv4 in the low 32 bits */
	bool is_range;	  /* written as a-b */
	bool has_bits;	  /* a prefix with host bits set: they are ignored */
	unsigned int len; /* of the prefix */
};

/* Why a word is no address, as the end of a sentence. NULL: it is one. */
const char *addr_parse(const char *s, size_t len, struct addr_range *ret);
/* The two ends of a range, written apart. */
const char *addr_parse_ends(const char *lo, size_t lo_len, const char *hi, size_t hi_len, struct addr_range *ret);

bool addr4_parse(const char *s, size_t len, uint32_t *ret);
bool addr6_parse(const char *s, size_t len, u128 *ret);

#define DURATION_MS   1000000ull
#define DURATION_S    1000000000ull
#define DURATION_DAY  (86400 * DURATION_S)
/* What a rate is of: the i-th of d, h, m, s; NULL past the end. */
const char *rate_unit(size_t i, uint64_t *ret_ns);

/* 00:11:22:33:44:55 */
bool mac_parse(const char *s, size_t len, uint64_t *ret);

#endif
