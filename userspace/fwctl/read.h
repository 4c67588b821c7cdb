/* SPDX-License-Identifier: GPL-2.0-only */
/* Rule files and what they include: regular files, at most READ_MAX bytes together, never above the top file's
 * directory. */
#ifndef FW_FWCTL_READ_H
#define FW_FWCTL_READ_H

#include "base/arena.h"

#include <stddef.h>
#include <stdint.h>

#define READ_MAX (256u << 20)

struct reader {
	int dir;       /* the top file's directory; -1: not open */
	size_t prefix; /* bytes of a path that name that directory */
	const char *top;
	uint64_t left; /* of READ_MAX */
};

/* Opens the directory of `top` and reads `top`; text lives in the arena. Negative errno: -EISDIR, -EFBIG, -EINVAL: not
 * a regular file. */
int reader_open(struct reader *r, struct arena *arena, const char *top, const char **ret_text, size_t *ret_len);
void reader_close(struct reader *r);
/* For struct lang_reader; ctx is the reader. */
int reader_read(void *ctx, struct arena *arena, const char *path, const char **ret_text, size_t *ret_len);
/* The sentence for what the two return: strerror, or what errno has no word for. */
const char *reader_error(int err);

#endif
