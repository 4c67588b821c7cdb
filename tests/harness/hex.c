// SPDX-License-Identifier: GPL-2.0-only
#include "harness/hex.h"

#include <ctype.h>
#include <stdlib.h>

static unsigned int digit(char c)
{
	if (!isxdigit((unsigned char)c))
		abort();
	return isdigit((unsigned char)c) ? (unsigned int)(c - '0')
					 : (unsigned int)(tolower((unsigned char)c) - 'a' + 10);
}

size_t hex_bytes(const char *text, uint8_t *buf, size_t size)
{
	size_t n = 0;

	while (*text) {
		unsigned long times = 1;
		uint8_t byte;

		if (isspace((unsigned char)*text)) {
			text++;
			continue;
		}
		byte = (uint8_t)(digit(text[0]) << 4 | digit(text[1]));
		text += 2;
		if (*text == '*') {
			char *end;

			times = strtoul(text + 1, &end, 10);
			text = end;
		}
		if (times > size - n)
			abort();
		while (times-- > 0)
			buf[n++] = byte;
	}
	return n;
}
