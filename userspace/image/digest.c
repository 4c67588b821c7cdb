// SPDX-License-Identifier: GPL-2.0-only
#include "image/digest.h"

#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>

struct digest {
	struct sha256_ctx ctx;
};

struct digest *digest_new(void)
{
	struct digest *d = malloc(sizeof(*d));

	if (d)
		sha256_init(&d->ctx);
	return d;
}

void digest_free(struct digest *d)
{
	free(d);
}

void digest_add(struct digest *d, const void *data, size_t len)
{
	sha256_update(&d->ctx, len, data);
}

void digest_add_u64(struct digest *d, uint64_t v)
{
	digest_add(d, &v, sizeof(v));
}

void digest_add_str(struct digest *d, const char *s)
{
	size_t len = strlen(s);

	digest_add_u64(d, len);
	digest_add(d, s, len);
}

void digest_end(struct digest *d, uint8_t out[DIGEST_LEN])
{
	sha256_digest(&d->ctx, DIGEST_LEN, out);
}

/* Four chains side by side, so that the multiplier is busy in every cycle. */
uint64_t digest_sum(const void *data, size_t len)
{
	const uint64_t k = 0x9fb21c651e98df25ull;
	uint64_t h[4] = { 1, 2, 3, 4 };
	const uint8_t *p = data;
	uint64_t w[4];
	size_t i = 0;

	for (; i + sizeof(w) <= len; i += sizeof(w)) {
		memcpy(w, p + i, sizeof(w));
		for (int j = 0; j < 4; j++) {
			h[j] = (h[j] ^ w[j]) * k;
			h[j] ^= h[j] >> 29;
		}
	}
	for (; i < len; i += sizeof(w[0])) {
		memcpy(w, p + i, sizeof(w[0]));
		h[0] = (h[0] ^ w[0]) * k;
		h[0] ^= h[0] >> 29;
	}
	for (int j = 1; j < 4; j++) {
		h[0] = (h[0] ^ h[j]) * k;
		h[0] ^= h[0] >> 32;
	}
	return h[0];
}
