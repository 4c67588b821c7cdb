/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The mouth of fwctl: results on stdout, problems on stderr, tables and colour only on a terminal, and no byte that
 * could drive a terminal or break JSON, whatever interfaces and labels are called.
 */
#ifndef FW_FWCTL_OUT_H
#define FW_FWCTL_OUT_H

#include "base/diag.h"
#include "base/fail.h"
#include "base/str.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool out_terminal(void); /* stdout is one */
bool out_color(void);	 /* and NO_COLOR is not set */

/* "fwctl: …" on stderr, one line; control and non-ASCII bytes become \xNN. */
void problem(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The sentence of a failure of the world; `err` speaks when nothing was recorded. */
void problem_fail(const struct fail *f, int err);
void problem_diags(const struct diags *d);

/* A line of results; the same guard against control bytes, newlines stay. */
void out(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void out_text(const char *text);
/* Flush; a result that could not be written is a failure. Returns the exit status. */
int out_finish(int status);

/* Bytes of a name for people ("\xNN" for what is not printable); a ring of static buffers, so a few fit in one call. */
const char *out_name(const char *bytes);

/* Bytes → JSON string: UTF-8 stays, other bytes become the text \xNN. Never NULL but for memory. */
json_t *out_jstr(const char *bytes);
/* Print and release. `compact`: one line. Takes the reference; j may be NULL (no memory). Returns enum status. */
int out_json(json_t *j, bool compact);

/* Columns: aligned on a terminal, else separated by tabs. */
#define TABLE_COLUMNS 10
struct table {
	size_t ncols, nrows, cap;
	const char *head[TABLE_COLUMNS]; /* a name that begins with '>' is aligned to the right */
	char **cell;			 /* nrows * ncols, owned */
	bool failed;
};
void table_init(struct table *t, size_t ncols, ...);			  /* ncols names */
void table_head(struct table *t, size_t ncols, const char *const *names); /* the same from an array */
void table_add(struct table *t, ...);					  /* ncols strings, copied */
void table_row(struct table *t, const char *const *cells);		  /* the same from an array */
void table_print(struct table *t, const char *indent);			  /* and forget */

/* "fwctl: …" in place on stderr when what follows takes over a second and stderr is a terminal. */
void progress_begin(const char *what);
void progress_end(void);

#endif
