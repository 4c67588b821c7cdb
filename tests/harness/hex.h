/* SPDX-License-Identifier: GPL-2.0-only */
/* Frames written by hand. */
#ifndef FW_HARNESS_HEX_H
#define FW_HARNESS_HEX_H

#include <stddef.h>
#include <stdint.h>

/*
 * Hex digits to bytes: blanks are ignored, "xx*N" repeats a byte N times. Returns the number of bytes; abort() on
 * anything else or when `size` is too small, for it is a mistake in the test.
 */
size_t hex_bytes(const char *text, uint8_t *buf, size_t size);

#endif
