/* SPDX-License-Identifier: GPL-2.0-only */
/* Growing text. On lack of memory the string becomes "failed" and every later call does nothing. */
#ifndef FW_BASE_STR_H
#define FW_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
	char *s;     /* NUL-terminated; NULL while empty */
	size_t len, cap;
	bool failed;
};

void str_fini(struct str *s);
void str_add_len(struct str *s, const char *text, size_t len);
static inline void str_add(struct str *s, const char *text)
{
	str_add_len(s, text, strlen(text));
}
void str_add_char(struct str *s, char c);
void str_add_u64(struct str *s, uint64_t v); /* decimal */
void str_addf(struct str *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void str_reset(struct str *s); /* keep the memory, forget the text */
const char *str_get(const struct str *s); /* never NULL */

/* Append bytes for a reader: printable ASCII as is, everything else and the backslash as \xNN. */
void str_add_escaped(struct str *s, const char *bytes, size_t len);

/* Are these bytes the word? */
static inline bool str_is(const char *word, const char *s, size_t len)
{
	return len && *word == *s && !strncmp(word, s, len) && !word[len];
}

/* Edit distance, capped: for "did you mean". */
size_t str_distance(const char *a, const char *b);

#endif
