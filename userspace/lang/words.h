/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Words that are not (or not yet) of the language, and what to say to somebody who writes them.
 */
#ifndef FW_LANG_WORDS_H
#define FW_LANG_WORDS_H

#include "base/diag.h"

/* A word kept for a later version: it is refused, never ignored. */
bool word_is_later(const char *s, size_t len);

/* A word from pf, ufw, nft or iptables: the sentence that tells what to write here; NULL when unknown. */
const char *word_foreign(const char *s, size_t len);

/* The port of a well-known service name, or -1. A table of our own, so that a text means the same everywhere. */
int service_port(const char *s, size_t len);
const char *service_name(size_t i); /* NULL past the end */

/* Collects candidates for "did you mean": the nearest one wins. */
struct guess {
	const char *word; /* what was written */
	const char *best;
	size_t distance;
};

void guess_init(struct guess *g, struct arena *arena, const char *s, size_t len);
void guess_try(struct guess *g, const char *candidate);
/* Complete the diagnostic with the hint, when something is near enough. */
void guess_hint(const struct guess *g, struct diags *d, struct diag *diag, const char *prefix);

#endif
