/* SPDX-License-Identifier: GPL-2.0-only */
/* The command table in three languages: text, roff, bash. */
#ifndef FW_FWCTL_HELP_H
#define FW_FWCTL_HELP_H

#include "base/str.h"
#include "fwctl/cmd.h"

int help_man(void);
int help_completion(void);
/* Words broken into lines of at most `width`; newlines stay. */
void help_wrap(const char *text, size_t len, size_t width, struct str *s);
/* "-r, --rules=FILE" */
void help_option(const struct option_row *o, struct str *s);

#endif
