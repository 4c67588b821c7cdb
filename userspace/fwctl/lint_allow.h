/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Findings that the author has accepted: `# lint: allow shadowed, wide` on the line of a rule, set or policy, or on lines of
 * comments directly above it. What follows the words, behind a blank and no comma, is for people.
 */
#ifndef FW_FWCTL_LINT_ALLOW_H
#define FW_FWCTL_LINT_ALLOW_H

#include "analyze/lint.h"
#include "fwctl/file.h"

struct lint_allow {
	struct lint_file *file; /* texts read so far */
	size_t n, cap;
	size_t unknown;         /* words that are no finding: each was told */
};
/* Look for such comments in every file that a rule is from: misspelt words are told even where there is nothing to allow. */
void lint_allow_read(struct lint_allow *a, struct file *f);
/* Does the text allow this at this line of a file that belongs to f? */
bool lint_allowed(struct lint_allow *a, struct file *f, const char *path, unsigned int line, enum lint_kind kind);
void lint_allow_fini(struct lint_allow *a);

#endif
