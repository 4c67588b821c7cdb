/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A second reader of <fw/abi.h>: walks an image for a packet that the model has parsed, plainly, with every
 * access checked against the image. Shares nothing with the datapath or the compiler.
 */
#ifndef FW_TESTS_IMAGE_WALK_H
#define FW_TESTS_IMAGE_WALK_H

#include "image/image.h"
#include "model/eval.h"

/*
 * As eval_packet, from the bytes: verdict, reason (RULE, DEFAULT or L2_OTHER), rule. An image that leads outside of
 * itself aborts the test.
 */
struct eval_result image_walk(const struct image *img, enum fw_dir dir, const struct packet *p,
			      void (*counted)(void *ctx, size_t rule), void *ctx);

/* What a rule tells of, by its index; NULL: nothing. Found by its action, as by a packet that matched. */
const struct fw_log *image_walk_log(const struct image *img, enum fw_dir dir, uint32_t rule);
/* The log that a word of the image names: 0, or 1 + its index. */
const struct fw_log *image_walk_log_at(const struct image *img, enum fw_dir dir, uint32_t log);

#endif
