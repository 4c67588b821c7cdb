/* SPDX-License-Identifier: GPL-2.0-only */
/* What an apply would change: rules by identity (direction, verdict, label or text). */
#ifndef FW_FWCTL_IMAGEDIFF_H
#define FW_FWCTL_IMAGEDIFF_H

#include "image/image.h"

#include <jansson.h>

/* Each returns enum status. imagediff_json appends one object to `list`. */
int imagediff_print(const struct fw_image *live, const struct image *next);
int imagediff_json(const struct fw_image *live, const struct image *next, json_t *list);

#endif
