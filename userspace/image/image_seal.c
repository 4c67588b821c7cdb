// SPDX-License-Identifier: GPL-2.0-only
/*
 * What makes an image recognisable: the digest of its meaning, and the check that tells a damaged header.
 *
 * Counter slots, bases and the generation are not part of the digest: they are the history of an image, not its
 * content. Nor are file names and lines: the same rules in another file are the same rules.
 */
#include "base/cleanup.h"
#include "image/digest.h"
#include "image/image.h"

#include <errno.h>
#include <string.h>

#define auto_digest cleanup(digest_freep)

uint64_t image_header_check(const struct fw_image *hdr)
{
	struct fw_image copy = *hdr;

	copy.generation = 0;
	copy.check = 0;
	return digest_sum(&copy, sizeof(copy));
}

/* The header words that say what the tables are, without the lengths that bases change. */
static void image_seal_dirs(struct digest *d, const struct fw_image *hdr)
{
	digest_add_u64(d, hdr->abi);
	digest_add_u64(d, hdr->hot_len);
	digest_add(d, hdr->dir, sizeof(hdr->dir));
	digest_add_u64(d, hdr->features);
	digest_add(d, &hdr->state, sizeof(hdr->state));
}

/* The ids are the publisher's. */
static void image_seal_live(struct digest *d, const struct fw_image *hdr)
{
	size_t n;
	const struct fw_live_ref *ref = image_live(hdr, &n);

	digest_add_u64(d, n);
	for (size_t i = 0; i < n; i++) {
		digest_add_str(d, image_str(hdr, ref[i].name));
		digest_add_u64(d, ref[i].size);
		digest_add_u64(d, ref[i].timeout_ns);
		digest_add_u64(d, ref[i].flags);
	}
}

/* An identity that is a piece of the text, which the digest covers, is known by its place there. */
static void image_seal_id(struct digest *d, const struct fw_image *hdr, const char *id)
{
	size_t len;
	const char *text = image_lines(hdr, &len);

	if (id >= text && id < text + len)
		digest_add_u64(d, ~(uint64_t)(id - text));
	else
		digest_add_str(d, id);
}

/* The verdicts count, the slots do not. */
static void image_seal_rules(struct digest *d, const struct fw_image *hdr, enum fw_dir dir)
{
	size_t n;
	const struct fw_meta_rule *rule = image_rules(hdr, dir, &n);

	for (size_t i = 0; i < n; i++) {
		digest_add_u64(d, rule[i].verdict);
		digest_add_u64(d, rule[i].flags);
		image_seal_id(d, hdr, image_str(hdr, rule[i].id));
	}
}

/* What names live sets, and the actions, which hold the slots, stand last in the hot part. */
size_t image_meta_start(const struct fw_image *hdr)
{
	size_t end = hdr->nlive ? hdr->live : hdr->hot_len;

	for (int d = 0; d < FW_DIR_COUNT; d++)
		if (hdr->dir[d].nrules && hdr->dir[d].actions < end)
			end = hdr->dir[d].actions;
	return end;
}

int image_seal(struct image *img, const uint8_t source[32])
{
	struct digest *d auto_digest = digest_new();
	struct fw_image *hdr = image_hdr(img);
	const char *text;
	size_t len;

	if (!d)
		return -ENOMEM;
	digest_add(d, source, DIGEST_LEN);
	image_seal_dirs(d, hdr);
	digest_add_u64(d, digest_sum(img->data + sizeof(*hdr), image_meta_start(hdr) - sizeof(*hdr)));
	digest_add_str(d, image_policy(hdr));
	image_seal_live(d, hdr);
	text = image_lines(hdr, &len);
	digest_add_u64(d, len);
	digest_add(d, text, len);
	for (int dir = 0; dir < FW_DIR_COUNT; dir++)
		image_seal_rules(d, hdr, dir);
	digest_end(d, hdr->digest);
	hdr->check = image_header_check(hdr);
	return 0;
}
