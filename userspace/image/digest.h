/* SPDX-License-Identifier: GPL-2.0-only */
/* SHA-256 by pieces. */
#ifndef FW_IMAGE_DIGEST_H
#define FW_IMAGE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#define DIGEST_LEN 32

struct digest;

struct digest *digest_new(void); /* NULL: no memory */
void digest_free(struct digest *d);
static inline void digest_freep(struct digest **d)
{
	digest_free(*d);
}
void digest_add(struct digest *d, const void *data, size_t len);
void digest_add_u64(struct digest *d, uint64_t v);
/* The length goes first, so that two strings are not taken for one. */
void digest_add_str(struct digest *d, const char *s);
/* The digest cannot be added to afterwards. */
void digest_end(struct digest *d, uint8_t out[DIGEST_LEN]);

/*
 * A fast 64-bit sum of many bytes (len is a multiple of 8): tells accidental differences. Nobody who can choose the
 * bytes may gain by a collision: what is compiled from is hashed with SHA-256 beside it.
 */
uint64_t digest_sum(const void *data, size_t len);

#endif
