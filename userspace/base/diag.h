/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The author's mistakes are values: collected by every stage, printed once by fwctl/.
 */
#ifndef FW_BASE_DIAG_H
#define FW_BASE_DIAG_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

/* One input text. Lives as long as the diagnostics that point into it. */
struct source {
	const char *name; /* as the user gave it */
	const char *text;
	size_t len;
};

/* Bytes start..end of a source; source == NULL: nowhere in particular. */
struct span {
	const struct source *source;
	uint32_t start, end;
};

enum diag_level { DIAG_ERROR, DIAG_WARNING };

struct diag {
	enum diag_level level;
	struct span span;
	const char *text;
	struct span other; /* a second place */
	const char *other_text; /* what it is: "first defined here" */
	const char *hint;  /* NULL: none */
};

struct diags {
	struct arena *arena;
	struct diag *v;
	size_t n, cap;
	size_t errors, warnings;
	bool truncated; /* more than DIAG_MAX: the rest is only counted */
};
#define DIAG_MAX 100

/* So many errors that a stage need not look for more. Warnings end nothing: what stands behind them counts. */
static inline bool diags_enough(const struct diags *d)
{
	return d->errors > DIAG_MAX;
}

void diags_init(struct diags *d, struct arena *arena);
void diags_fini(struct diags *d);
/* Add one. The returned diag (never NULL) may be completed with diag_note and diag_hint. */
struct diag *diag_add(struct diags *d, enum diag_level level, struct span span, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void diag_note(struct diags *d, struct diag *g, struct span other, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void diag_hint(struct diags *d, struct diag *g, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* 1-based line and column (bytes) of an offset. */
void source_place(const struct source *s, uint32_t offset, unsigned int *ret_line, unsigned int *ret_column);

/*
 * file:line:column: error: text
 *      4 | pass proto tpc
 *        |            ^^^
 *        = did you mean "tcp"?
 * Bytes of the source line are escaped, so that a rule file cannot drive the terminal.
 */
void diag_print(const struct diag *g, struct str *out);
void diags_print(const struct diags *d, struct str *out); /* all, in order of place within a file */

#endif
