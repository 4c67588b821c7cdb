/* SPDX-License-Identifier: GPL-2.0-only */
/* The lines of set files: the careful parser (netset.c) and, for the common line, the fast one (netset_plain.c). */
#ifndef FW_LANG_NETSET_H
#define FW_LANG_NETSET_H

#include "lang/number.h"
#include "model/set.h"

/*
 * One line without its newline. NULL, or why it is refused, as the end of a sentence, with the word in ret_s, ret_end.
 * *ret_empty: it says nothing.
 */
const char *netset_line(const char *s, const char *eol, struct addr_range *ret, bool *ret_empty, const char **ret_s,
			const char **ret_end);

/* Nearer to the end of the text than this no line is plain. */
#define PLAIN_AHEAD 64

/*
 * Take plain lines of one family from s (the start of a line) on, at most `room` of them. Returns the start of the first
 * line that was not taken: because there is no room, because it has an address of the other family, or because it is not
 * plain. What is taken is what netset_line says of the line.
 */
const char *netset_plain4(const char *s, const char *stop, struct range4 *out, size_t room, size_t *ret_n);
const char *netset_plain6(const char *s, const char *stop, struct range6 *out, size_t room, size_t *ret_n);

#endif
