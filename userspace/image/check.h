/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of image_check share. */
#ifndef FW_IMAGE_CHECK_H
#define FW_IMAGE_CHECK_H

#include "image/image.h"

/* Is [off, off + len) inside the tables of the image? */
static inline bool check_hot(const struct fw_image *img, uint64_t off, uint64_t len)
{
	return off >= sizeof(*img) && !(off % 8) && off + len <= img->hot_len;
}

/* Offsets of strings: the last byte of the strings is NUL, so one that starts inside ends inside. */
static inline bool check_str(const struct fw_meta *meta, uint32_t off)
{
	return off >= sizeof(*meta) && off < meta->strings_end;
}

/* image_check_live.c. NULL, or a word for what is wrong. */
/* Features, options of state, and the extent of the refs. */
const char *check_policy(const struct fw_image *img);
/* The refs, once the meta section is known to be right. */
const char *check_live_refs(const struct fw_image *img, const struct fw_meta *meta);
/* What is told of, in a direction with rules or without. */
const char *check_logs(const struct fw_image *img, const struct fw_dir_hdr *dir);
/* The extras of a direction, and that its actions name them; the actions are inside. */
const char *check_extras(const struct fw_image *img, const struct fw_dir_hdr *dir);

#endif
