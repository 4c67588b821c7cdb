/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A rule file on its way to an image: open (read, parse, resolve), test (its `test` blocks, by eval), compile. Every
 * step adds to one list of diagnostics, which file_report prints once.
 */
#ifndef FW_FWCTL_FILE_H
#define FW_FWCTL_FILE_H

#include "base/arena.h"
#include "base/diag.h"
#include "compile/compile.h"
#include "fwctl/read.h"
#include "model/eval.h"

struct file {
	const char *path;
	const char *text;
	size_t len;
	struct source source; /* the top file, for diagnostics that know a line */
	struct arena *arena;
	struct diags diags;
	struct reader reader;
	struct ruleset *rules; /* NULL until parsed without errors */
	size_t passed, failed; /* test lines */
	uint64_t compile_ns;   /* parse and compile so far */
};

/* Each returns enum status; what the system refused is said at once, the author's mistakes are in f->diags. */
int file_open(struct file *f, const char *path); /* file_close also when it fails */
void file_close(struct file *f);
int file_test(struct file *f);
int file_compile(struct file *f, const struct policy *p, const struct compile_opts *opts, struct image *ret_image);
/* Print all diagnostics on stderr. STATUS_WRONG when one is an error. */
int file_report(struct file *f);

/* Open and test; prints and returns not-done when anything is wrong. */
int file_ready(struct file *f, const char *path);

/* A line of the top file as a span; nowhere for another file's. */
struct span file_span(const struct file *f, const char *name, unsigned int line);
#endif
