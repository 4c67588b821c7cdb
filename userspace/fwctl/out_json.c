// SPDX-License-Identifier: GPL-2.0-only
/* JSON for programs: whatever bytes a name has, the document is valid UTF-8. */
#include "fwctl/cmd.h"
#include "fwctl/out.h"

#include <stdio.h>
#include <string.h>

/* Length of the UTF-8 sequence at s, 0 when it is none (overlong, surrogate, cut). */
static size_t utf8_len(const unsigned char *s)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = s[0] < 0x80			 ? 1
		   : s[0] >= 0xc2 && s[0] < 0xe0 ? 2
		   : (s[0] & 0xf0) == 0xe0	 ? 3
		   : s[0] >= 0xf0 && s[0] < 0xf5 ? 4
						 : 0;
	uint32_t c = n == 2 ? s[0] & 0x1f : n == 3 ? s[0] & 0x0f : n == 4 ? s[0] & 0x07 : 0;

	if (n < 2)
		return n;
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	return c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0 : n;
}

json_t *out_jstr(const char *bytes)
{
	json_t *j = json_string(bytes);
	struct str s = {};

	if (j)
		return j;
	for (const unsigned char *p = (const unsigned char *)bytes; *p;) {
		size_t n = utf8_len(p);
		if (n)
			str_add_len(&s, (const char *)p, n);
		else
			str_addf(&s, "\\x%02x", *p);
		p += n ? n : 1;
	}
	j = json_string(str_get(&s));
	str_fini(&s);
	return j;
}

int out_json(json_t *j, bool compact)
{
	if (!j) {
		problem("no memory");
		return STATUS_REFUSED;
	}
	int err = json_dumpf(j, stdout, compact ? JSON_COMPACT : JSON_INDENT(2));
	json_decref(j);
	putchar('\n');
	if (compact)
		fflush(stdout);
	if (err)
		problem("cannot write the result");
	return err ? STATUS_REFUSED : STATUS_DONE;
}
