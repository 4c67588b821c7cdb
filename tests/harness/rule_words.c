// SPDX-License-Identifier: GPL-2.0-only
#include "harness/rule_words.h"

#include "base/str.h"
#include "lang/print.h"

#include <string.h>

/* The sets of words below are written to a scratch string, so that a rule without words leaves nothing behind. */

static void ranges(struct str *out, const struct range *r, size_t n)
{
	for (size_t i = 0; i < n; i++)
		str_addf(out, " %llu-%llu", (unsigned long long)r[i].lo, (unsigned long long)r[i].hi);
}

/* The part of a set that the language can name. */
static size_t clip(const struct vset *v, uint64_t lo, uint64_t hi, struct range *ret, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < v->n && n < max; i++) {
		struct range r = v->r[i];

		if (r.hi < lo || r.lo > hi)
			continue;
		ret[n++] = (struct range){ r.lo < lo ? lo : r.lo, r.hi > hi ? hi : r.hi };
	}
	return n;
}

#define MAX_RANGES 512

static bool numbers(struct str *out, const char *word, const struct vset *v, uint64_t lo, uint64_t hi)
{
	struct range r[MAX_RANGES];
	size_t n = clip(v, lo, hi, r, MAX_RANGES);

	if (!n || n == MAX_RANGES)
		return false;
	str_addf(out, " %s {", word);
	ranges(out, r, n);
	str_add(out, " }");
	return true;
}

static bool protocols(struct str *out, const struct vset *v)
{
	struct range r4[MAX_RANGES], r6[MAX_RANGES];
	size_t n4 = clip(v, FAMILY_IPV4 << 8, FAMILY_IPV4 << 8 | 255, r4, MAX_RANGES),
	       n6 = clip(v, FAMILY_IPV6 << 8, FAMILY_IPV6 << 8 | 255, r6, MAX_RANGES);

	for (size_t i = 0; i < n4; i++)
		r4[i] = (struct range){ r4[i].lo & 255, r4[i].hi & 255 };
	for (size_t i = 0; i < n6; i++)
		r6[i] = (struct range){ r6[i].lo & 255, r6[i].hi & 255 };
	if ((!n4 && !n6) || (n4 && n6 && (n4 != n6 || memcmp(r4, r6, n4 * sizeof(*r4)))))
		return false;
	str_addf(out, "%s proto {", !n6 ? " inet" : !n4 ? " inet6" : "");
	ranges(out, n4 ? r4 : r6, n4 ? n4 : n6);
	str_add(out, " }");
	return true;
}

/* Types with all their codes, or codes of one type. */
static bool icmp(struct str *out, const char *word, const struct vset *v)
{
	bool whole = v->n > 0;

	for (size_t i = 0; i < v->n; i++)
		whole &= (v->r[i].lo & 255) == 0 && (v->r[i].hi & 255) == 255;
	if (whole) {
		str_addf(out, " proto %s type {", word);
		for (size_t i = 0; i < v->n; i++)
			str_addf(out, " %u-%u", (unsigned int)v->r[i].lo >> 8, (unsigned int)v->r[i].hi >> 8);
		str_add(out, " }");
		return true;
	}
	if (v->n != 1 || v->r[0].lo >> 8 != v->r[0].hi >> 8)
		return false;
	str_addf(out, " proto %s type %u code %u-%u", word, (unsigned int)v->r[0].lo >> 8,
		 (unsigned int)v->r[0].lo & 255, (unsigned int)v->r[0].hi & 255);
	return true;
}

static bool flags(struct str *out, const struct vset *v)
{
	str_add(out, " flags {");
	for (size_t i = 0; i < v->n; i++)
		for (uint64_t b = v->r[i].lo; b <= v->r[i].hi; b++) {
			str_add(out, " ");
			print_flag_letters(out, (unsigned int)b);
			str_add(out, "/FSRPAUEW");
		}
	str_add(out, " }");
	return v->n > 0;
}

static bool fragments(struct str *out, const struct vset *v)
{
	static const char *const words[] = { " none", " first", " later" };
	bool any = false;

	str_add(out, " frag {");
	for (unsigned int f = FRAG_NONE; f <= FRAG_LATER; f++)
		if (vset_has(v, f)) {
			str_add(out, words[f]);
			any = true;
		}
	str_add(out, " }");
	return any;
}

static bool macs(struct str *out, const struct vset *v)
{
	str_add(out, " mac {");
	for (size_t i = 0; i < v->n; i++) {
		str_add(out, " ");
		print_mac(out, v->r[i].lo);
		str_add(out, "-");
		print_mac(out, v->r[i].hi);
	}
	str_add(out, " }");
	return v->n > 0;
}

static bool addresses(struct str *out, const char *word, const struct aset *s)
{
	str_addf(out, " %s {", word);
	for (size_t i = 0; i < s->n4; i++) {
		str_add(out, " ");
		print_range4(out, &s->v4[i]);
	}
	for (size_t i = 0; i < s->n6; i++) {
		str_add(out, " ");
		print_range6(out, &s->v6[i]);
	}
	str_add(out, " }");
	return s->n4 + s->n6 > 0;
}

static bool field(struct str *out, enum field_id id, const struct vset *v)
{
	uint64_t max = (1ull << field_get(id)->bits) - 1;

	switch (id) {
	case FIELD_PROTO:
		return protocols(out, v);
	case FIELD_ICMP:
	case FIELD_ICMP6:
		return icmp(out, field_get(id)->word, v);
	case FIELD_TCPFLAGS:
		return flags(out, v);
	case FIELD_FRAG:
		return fragments(out, v);
	case FIELD_MAC:
		return macs(out, v);
	case FIELD_EXT:
		return false;
	case FIELD_VLAN:
		return numbers(out, "vlan", v, 1, max);
	case FIELD_ETHERTYPE:
		return numbers(out, "ethertype", v, 0x0600, max);
	default:
		return numbers(out, id == FIELD_DPORT ? "dport" : field_get(id)->word, v, 0, max);
	}
}

bool rule_words_fwctl(const struct rule *rule, const char *label, struct str *out)
{
	struct str line = {};
	bool good = true;

	str_add(&line, verdict_word(rule->verdict));
	for (int id = 0; id < FIELD_VALUE_COUNT && good; id++)
		if (rule->value[id])
			good = field(&line, (enum field_id)id, rule->value[id]);
	if (good && rule->src)
		good = addresses(&line, "from", rule->src);
	if (good && rule->dst)
		good = addresses(&line, "to", rule->dst);
	if (good)
		str_addf(out, "%s label \"%s\"\n", str_get(&line), label);
	str_fini(&line);
	return good;
}
