/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The value that compile and kern agree on: the bytes of <fw/abi.h> struct fw_image, with safe access.
 */
#ifndef FW_IMAGE_H
#define FW_IMAGE_H

#include "base/str.h"

#include <fw/abi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Owned bytes: page-aligned, mmap'ed, so that large images can be built and grown cheaply. */
struct image {
	uint8_t *data;
	size_t len; /* == header total_len */
	size_t cap;
};

/* Zeroed bytes of length len in an empty image. 0 or -ENOMEM. */
int image_alloc(struct image *img, size_t len);
/* Change the length; what is new is zero. The header is not touched. 0 or -ENOMEM (nothing changed). */
int image_resize(struct image *img, size_t len);
void image_fini(struct image *img);
static inline struct fw_image *image_hdr(const struct image *img)
{
	return (struct fw_image *)img->data;
}

/*
 * A checked look at bytes that may come from a foreign or damaged map: every offset of the header, the
 * tables' extents and the meta section is inside `len`. 0 or -EINVAL with a word for what is wrong in *ret_why.
 * What references inside an address trie lead to is not followed: only the datapath does, and it masks them.
 */
int image_check(const void *data, size_t len, const char **ret_why);
/*
 * The same for the header and for what stands from image_meta_start on: actions, names, bases. Nothing between is touched, so
 * those bytes need not be there.
 */
int image_check_meta(const void *data, size_t len, const char **ret_why);
/* The first byte behind the tables. The header's check is right. */
size_t image_meta_start(const struct fw_image *hdr);

/* Meta access on a checked image. Strings are inside the image and NUL-terminated. */
const char *image_policy(const struct fw_image *img);
const char *image_source(const struct fw_image *img);
void image_text(const struct fw_image *img, struct str *out); /* the policy in canonical text */
/* The same as it stands in the image: a NUL behind every line. */
const char *image_lines(const struct fw_image *img, size_t *ret_len);
const struct fw_meta_rule *image_rules(const struct fw_image *img, enum fw_dir dir, size_t *ret_n);
const char *image_str(const struct fw_image *img, uint32_t off);
const struct fw_base *image_bases(const struct fw_image *img, size_t *ret_n);
void image_digest_hex(const struct fw_image *img, char out[65]);

/*
 * Counter slots follow rule identity (direction, id, verdict): give every rule of `next` the slot of its namesake in
 * `live` (NULL: none), and others a free slot, lowest first. Writes actions and meta. Slots of `live` that no rule of
 * `next` kept are free for the generation after `next`, not for `next` itself: packets may still count there
 * until the switch. *ret_nslots: one more than the highest slot in use, per direction.
 */
int image_assign_slots(struct image *next, const struct fw_image *live, uint32_t ret_nslots[FW_DIR_COUNT]);
/* Slots of `live` in `dir` that `next` no longer uses; out has room for FW_MAX_RULES + FW_SLOT_RULE0. Returns their
 * number. */
size_t image_retired_slots(const struct image *next, const struct fw_image *live, enum fw_dir dir,
			   struct fw_meta_rule *out);

/* The live sets that the image names, in the order of their indexes; names by image_str. */
const struct fw_live_ref *image_live(const struct fw_image *img, size_t *ret_n);
/*
 * Say which sets of the namespace they are: ids[i] is that of the i-th of image_live, less than FW_MAX_LIVE. Written into the refs,
 * into the blocks and into the extras that name them; again as often as one likes. Neither the digest nor the header's check
 * knows of it.
 */
void image_assign_live(struct image *next, const uint32_t *ids);

/* Replace the bases (may grow the image). 0 or -ENOMEM. */
int image_set_bases(struct image *img, const struct fw_base *bases, size_t n);

/* A generation that passes and counts everything, under the policy name given: `load` without a rule file. */
int image_pass_all(const char *policy, struct image *ret_image);

/*
 * Write the digest and the header check of a finished image. `source`: SHA-256 of what the tables were made from
 * (the digest covers the tables by a fast sum alone). 0 or -ENOMEM.
 */
int image_seal(struct image *img, const uint8_t source[32]);
/* What fw_image.check must be. */
uint64_t image_header_check(const struct fw_image *hdr);

/* Text of headers and sizes, for --dump=image. */
void image_dump(const struct fw_image *img, struct str *out);

#endif
