/* SPDX-License-Identifier: GPL-2.0-only */
/* Texts that come from a file, a pipe, or standard input. */
#ifndef FW_FWCTL_INPUT_H
#define FW_FWCTL_INPUT_H

#include <stddef.h>

#define INPUT_MAX (1u << 30)

struct input {
	const char *name; /* as people know it */
	char *text;       /* malloc'ed */
	size_t len;
};

/* All of it; path "-": standard input. Returns enum status and says what failed. */
int input_read(struct input *in, const char *path);
void input_free(struct input *in);

#endif
