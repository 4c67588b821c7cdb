/* SPDX-License-Identifier: GPL-2.0-only */
/* Damage to frames: each call changes bytes in one of many ways that matter to a parser. */
#ifndef FW_HARNESS_MUTATE_H
#define FW_HARNESS_MUTATE_H

#include "harness/prng.h"
#include "model/packet.h"

/*
 * Change a frame of `len` bytes in place (room for `size`) and, when `meta` is not NULL, the metadata. Returns the new
 * length; *ret_what names what was done. `gentle`: only changes that mostly leave a frame legal (tags, options,
 * extension headers, padding).
 */
size_t mutate_frame(struct prng *p, uint8_t *buf, size_t len, size_t size, struct packet_meta *meta, bool gentle,
		    const char **ret_what);

#endif
