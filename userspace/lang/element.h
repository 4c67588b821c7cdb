/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Elements of live sets in words, one per line: what a set file has (netset.h), and behind it until when and why:
 *
 *     192.0.2.7 for 10m reason too many passwords
 *     2001:db8::/32 until 2026-11-28T16:00:00Z
 *     198.51.100.0/24 for ever
 */
#ifndef FW_LANG_ELEMENT_H
#define FW_LANG_ELEMENT_H

#include "lang/number.h"

enum element_end {
	ELEMENT_END_SET, /* says nothing: the set's timeout */
	ELEMENT_END_FOR, /* ns: how long */
	ELEMENT_END_AT,  /* ns: on the wall clock */
	ELEMENT_END_NEVER,
};
struct element {
	struct addr_range range;
	enum element_end end;
	uint64_t ns;
	const char *reason; /* in the line */
	size_t reason_len;
	uint64_t added_ns; /* on the wall clock; 0: not said */
};

/*
 * One line without its newline. NULL, or why it is refused, as the end of a sentence, with the word in ret_s, ret_end.
 * *ret_empty: it says nothing. Words that are none of ours behind the address belong to the publisher of the list.
 */
const char *element_line(const char *s, const char *eol, struct element *ret, bool *ret_empty, const char **ret_s,
			 const char **ret_end);
/* What may stand behind addresses: `for T`, `until TIME`, `added TIME`, `reason TEXT…` (to the end). strict: and nothing else. */
const char *element_tail(const char *s, const char *eol, bool strict, struct element *ret, const char **ret_s,
			 const char **ret_end);
/* Does one of these begin with this word? */
bool element_is_tail(const char *word);

/* Takes the largest prefix from the start of a range that is not empty. *more: something is left of it. */
void range_take(struct addr_range *r, bool *more, u128 *ret_addr, unsigned int *ret_len);

#endif
