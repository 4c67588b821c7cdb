/* SPDX-License-Identifier: GPL-2.0-only */
/* Lines of other programs → changes of a live set. Nothing here knows the kernel. */
#ifndef FW_FWCTL_FEED_H
#define FW_FWCTL_FEED_H

#include "lang/element.h"

#include <stdbool.h>
#include <stddef.h>

#define FEED_IPV4 1u
#define FEED_IPV6 2u
#define FEED_ALL  (FEED_IPV4 | FEED_IPV6)

/* Where changes go. Both return 0 or -ENOMEM. */
struct feed_sink {
	int (*change)(void *ctx, bool del, const struct element *x);
	/* What came until here is the whole content, of these families. */
	int (*mark)(void *ctx, unsigned int families);
	void *ctx;
	size_t skipped; /* lines and parts of lines that speak of something else, rightly */
};

/* One line without its newline. NULL, or why it is wrong, as the end of a sentence, with the words in ret_s, ret_end. */
struct feed_line {
	struct feed_sink *sink;
	const char *s, *eol;
	const char *bad, *bad_end;
};
struct feed_format {
	const char *name;
	const char *(*line)(struct feed_line *l);
};
/* NULL: no such format. */
const struct feed_format *feed_format_find(const char *name);
#define FEED_FORMATS "plain|json|crowdsec|exabgp"

/* feed_text.c: those that are words; feed_json.c: those that are objects. */
const char *feed_plain(struct feed_line *l);
const char *feed_json(struct feed_line *l);
const char *feed_crowdsec(struct feed_line *l);
const char *feed_crowdsec_json(struct feed_line *l);
const char *feed_exabgp(struct feed_line *l);
const char *feed_exabgp_json(struct feed_line *l);

/* A Go-style duration of an element; one that is negative or zero has ended. NULL, or why it is none. */
const char *feed_duration(const char *s, size_t len, struct element *x);
const char *feed_seconds(double seconds, struct element *x);
/* Hand the change on; what can be wrong is memory. */
const char *feed_change(struct feed_line *l, bool del, const struct element *x);
const char *feed_mark(struct feed_line *l, unsigned int families);

#endif
