// SPDX-License-Identifier: GPL-2.0-only
#include "fwctl/openmetrics.h"

#include <inttypes.h>

/* Length of the character of more than one byte at s, 0 when it is none (overlong, surrogate, cut) or drives a terminal (C1). */
static size_t wide_len(const unsigned char *s)
{
	static const uint32_t least[] = { 0, 0, 0xa0, 0x800, 0x10000 };
	size_t n = s[0] >= 0xc2 && s[0] < 0xe0 ? 2 : (s[0] & 0xf0) == 0xe0 ? 3 : s[0] >= 0xf0 && s[0] < 0xf5 ? 4 : 0;
	uint32_t c = n == 2 ? s[0] & 0x1f : n == 3 ? s[0] & 0x0f : s[0] & 0x07;

	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	return !n || c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0 : n;
}

static void value_add(struct str *s, const char *bytes)
{
	for (const unsigned char *p = (const unsigned char *)bytes; *p;) {
		size_t n = *p >= 0x20 && *p < 0x7f ? 1 : wide_len(p);

		if (*p == '\\' && p[1] == 'x')
			str_add(s, "\\\\x5c");
		else if (*p == '\\' || *p == '"')
			str_addf(s, "\\%c", *p);
		else if (*p == '\n')
			str_add(s, "\\n");
		else if (n)
			str_add_len(s, (const char *)p, n);
		else
			str_addf(s, "\\\\x%02x", *p);
		p += n ? n : 1;
	}
}

static const char *suffix(enum om_type type)
{
	return type == OM_COUNTER ? "_total" : type == OM_INFO ? "_info" : "";
}

void om_family(struct om *m, enum om_type type, const char *name, const char *unit, const char *help)
{
	static const char *const open[] = { [OM_COUNTER] = "counter", [OM_GAUGE] = "gauge", [OM_INFO] = "info" };
	static const char *const plain[] = { [OM_COUNTER] = "counter", [OM_GAUGE] = "gauge", [OM_INFO] = "gauge" };
	const char *add = m->format == OM_OPEN ? "" : suffix(type);

	m->name = name;
	m->type = type;
	str_addf(m->s, "# HELP %s%s %s\n# TYPE %s%s %s\n", name, add, help, name, add,
		 m->format == OM_OPEN ? open[type] : plain[type]);
	if (unit && m->format == OM_OPEN)
		str_addf(m->s, "# UNIT %s %s\n", name, unit);
}

void om_sample(struct om *m)
{
	str_add(m->s, m->name);
	str_add(m->s, suffix(m->type));
	m->labels = false;
}

void om_label(struct om *m, const char *name, const char *bytes)
{
	str_add_char(m->s, m->labels ? ',' : '{');
	str_add(m->s, name);
	str_add(m->s, "=\"");
	value_add(m->s, bytes);
	str_add_char(m->s, '"');
	m->labels = true;
}

static void value_begin(struct om *m)
{
	str_add(m->s, m->labels ? "} " : " ");
}

void om_u64(struct om *m, uint64_t v)
{
	value_begin(m);
	str_add_u64(m->s, v);
	str_add_char(m->s, '\n');
}

void om_seconds(struct om *m, uint64_t ns)
{
	value_begin(m);
	str_addf(m->s, "%" PRIu64 ".%03" PRIu64 "\n", ns / 1000000000u, ns / 1000000u % 1000u);
}

void om_end(struct om *m)
{
	if (m->format == OM_OPEN)
		str_add(m->s, "# EOF\n");
}

const char *om_content_type(enum om_format format)
{
	return format == OM_OPEN ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
				 : "text/plain; version=0.0.4; charset=utf-8";
}
