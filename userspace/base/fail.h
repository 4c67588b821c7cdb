/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The world's failures: a negative errno is the return value; the sentence is recorded once, where it is known.
 *
 *     return fail_set(f, -ENOSPC, "cannot create map %s: %s", name, strerror(ENOSPC));
 */
#ifndef FW_BASE_FAIL_H
#define FW_BASE_FAIL_H

struct fail {
	int err;           /* negative errno, 0: nothing recorded */
	char text[1024];   /* object, cause and, where there is one, remedy */
};

/* Records the first failure (later ones are consequences) and returns err. f may be NULL. */
int fail_set(struct fail *f, int err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
