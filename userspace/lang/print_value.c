// SPDX-License-Identifier: GPL-2.0-only
#include "lang/lang.h"
#include "lang/lex.h"
#include "lang/parse.h"
#include "lang/print.h"

#include <string.h>

void print_string(struct str *out, const char *s)
{
	str_add(out, "\"");
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			str_addf(out, "\\%c", c);
		else if (c < ' ' || c >= 0x7f)
			str_addf(out, "\\x%02x", c);
		else
			str_add_len(out, s, 1);
	}
	str_add(out, "\"");
}

void print_word_or_string(struct str *out, const char *s)
{
	if (lex_is_word(s, strlen(s)) && !parse_is_keyword(s, strlen(s)) && strcmp(s, "-"))
		str_add(out, s);
	else
		print_string(out, s);
}

const char *direction_word(enum direction dir)
{
	return dir == DIRECTION_EGRESS ? "egress" : "ingress";
}

const char *verdict_word(enum verdict verdict)
{
	static const char *const words[VERDICT_COUNT] = {
		[VERDICT_DROP] = "drop", [VERDICT_PASS] = "pass", [VERDICT_CONTINUE] = "count", [VERDICT_REJECT] = "reject"
	};

	return words[verdict];
}

void print_flag_letters(struct str *out, unsigned int bits)
{
	for (unsigned int i = 0; i < 8; i++)
		if (bits & 1u << i)
			str_add_len(out, &"FSRPAUEW"[i], 1);
}

void print_mac(struct str *out, uint64_t mac)
{
	for (int shift = 40; shift >= 0; shift -= 8)
		str_addf(out, "%02x%s", (unsigned int)(mac >> shift) & 0xff, shift ? ":" : "");
}

static void print_number(struct str *out, enum field_id id, uint64_t value)
{
	if (id == FIELD_ETHERTYPE)
		str_addf(out, "0x%04llx", (unsigned long long)value);
	else
		str_add_u64(out, value);
}

void print_value(struct str *out, enum field_id id, uint64_t value)
{
	const char *word;

	if (id == FIELD_MAC) {
		print_mac(out, value);
		return;
	}
	word = field_value_word(id, value);
	if (word)
		str_add(out, word);
	else
		print_number(out, id, value);
}

/* How many low bits a range spans when it is one aligned block; -1 when it is none. */
static int block_bits(u128 lo, u128 hi)
{
	u128 size = hi - lo; /* minus one, so that it cannot overflow */
	int bits = 0;

	if (size & (size + 1) || lo & size)
		return -1;
	while (size) {
		size >>= 1;
		bits++;
	}
	return bits;
}

void print_range4(struct str *out, const struct range4 *r)
{
	int bits = block_bits(r->lo, r->hi);

	lang_print_addr4((uint32_t)r->lo, out);
	if (bits > 0) {
		str_add_char(out, '/');
		str_add_u64(out, (uint64_t)(32 - bits));
	} else if (bits < 0) {
		str_add(out, "-");
		lang_print_addr4((uint32_t)r->hi, out);
	}
}

void print_range6(struct str *out, const struct range6 *r)
{
	int bits = block_bits(r->lo, r->hi);

	/* 129 bits do not exist: the whole space wraps to size + 1 == 0, which block_bits counts as 128. */
	lang_print_addr6(r->lo, out);
	if (bits > 0) {
		str_add_char(out, '/');
		str_add_u64(out, (uint64_t)(128 - bits));
	} else if (bits < 0) {
		str_add(out, "-");
		lang_print_addr6(r->hi, out);
	}
}

/* A short range whose values all have names is written as these names. */
static bool range_named(enum field_id id, const struct range *r)
{
	if (r->hi - r->lo > 7)
		return false;
	for (uint64_t v = r->lo; v <= r->hi; v++)
		if (!field_value_word(id, v))
			return false;
	return true;
}

static void print_range(struct str *out, enum field_id id, const struct range *r)
{
	int bits = block_bits(r->lo, r->hi);

	if (r->lo == r->hi) {
		print_value(out, id, r->lo);
	} else if (id == FIELD_MAC) {
		print_mac(out, r->lo);
		if (bits >= 0) {
			str_addf(out, "/%d", 48 - bits);
			return;
		}
		str_add(out, "-");
		print_mac(out, r->hi);
	} else if (range_named(id, r)) {
		for (uint64_t v = r->lo; v <= r->hi; v++) {
			str_add(out, v == r->lo ? "" : ", ");
			str_add(out, field_value_word(id, v));
		}
	} else {
		print_number(out, id, r->lo);
		str_add_char(out, '-');
		print_number(out, id, r->hi);
	}
}

void print_vset(struct str *out, enum field_id id, const struct vset *set)
{
	bool braces = set->n != 1 || (set->r[0].lo != set->r[0].hi && id != FIELD_MAC && range_named(id, &set->r[0]));

	str_add(out, braces ? "{ " : "");
	for (size_t i = 0; i < set->n; i++) {
		str_add(out, i ? ", " : "");
		print_range(out, id, &set->r[i]);
	}
	str_add(out, braces ? " }" : "");
}

void lang_print_addr4(uint32_t addr, struct str *out)
{
	char text[16];
	size_t n = 0;

	for (int shift = 24; shift >= 0; shift -= 8) {
		unsigned int v = addr >> shift & 255;

		if (v > 99)
			text[n++] = (char)('0' + v / 100);
		if (v > 9)
			text[n++] = (char)('0' + v / 10 % 10);
		text[n++] = (char)('0' + v % 10);
		text[n++] = '.';
	}
	str_add_len(out, text, n - 1);
}

static void print_group(struct str *out, unsigned int group)
{
	char text[4];
	size_t n = 0;

	for (int shift = 12; shift >= 0; shift -= 4)
		if (n || group >> shift || !shift)
			text[n++] = "0123456789abcdef"[group >> shift & 15];
	str_add_len(out, text, n);
}

/* The longest run of zero groups, at least two, the first of equals (RFC 5952). */
static void longest_zeros(const unsigned int group[8], int *ret_at, int *ret_len)
{
	int at = -1, best = 1;

	for (int i = 0, run = 0; i < 8; i++) {
		run = group[i] ? 0 : run + 1;
		if (run > best) {
			best = run;
			at = i - run + 1;
		}
	}
	*ret_at = at;
	*ret_len = best;
}

void lang_print_addr6(u128 addr, struct str *out)
{
	unsigned int group[8];
	int at, len;

	for (int i = 0; i < 8; i++)
		group[i] = (unsigned int)(addr >> (112 - 16 * i)) & 0xffff;
	if (addr >> 32 == 0xffff) { /* IPv4-mapped */
		str_add(out, "::ffff:");
		lang_print_addr4((uint32_t)addr, out);
		return;
	}
	longest_zeros(group, &at, &len);
	for (int i = 0; i < 8; i++) {
		if (i == at) {
			str_add(out, "::");
			i += len - 1;
			continue;
		}
		if (i && i != at + len)
			str_add_char(out, ':');
		print_group(out, group[i]);
	}
}
