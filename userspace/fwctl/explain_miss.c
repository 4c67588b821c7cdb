// SPDX-License-Identifier: GPL-2.0-only
/* Why a rule does not match, in two short texts: `3306` and `{ 80, 443 }`. */
#include "fwctl/explain.h"

#include "lang/lang.h"
#include "lang/print.h"

#include <string.h>

#define MANY 4 /* values, ranges, addresses shown of a longer list */

static void family_words(unsigned int families, struct str *out)
{
	static const char *const words[FAMILY_COUNT] = { "not IP", "IPv4", "IPv6" };
	const char *sep = "";

	for (int f = 0; f < FAMILY_COUNT; f++)
		if (families & 1u << f) {
			str_addf(out, "%s%s", sep, words[f]);
			sep = " or ";
		}
	str_add(out, *sep ? "" : "nothing");
}

static void address(const struct packet *p, u128 addr, struct str *out)
{
	if (p->family == FAMILY_IPV4)
		lang_print_addr4((uint32_t)addr, out);
	else if (p->family == FAMILY_IPV6)
		lang_print_addr6(addr, out);
	else
		str_add(out, "none");
}

static void live_names(const struct policy *policy, uint32_t bits, const char *sep, struct str *out)
{
	const char *before = "";

	for (size_t i = 0; policy && i < policy->nlive; i++)
		if (bits & 1u << i) {
			str_addf(out, "%s@%s", before, policy->live[i]->name);
			before = sep;
		}
}

/* A list whose items come one by one: braces when there are several, at most MANY of them. */
struct list {
	struct str items;
	size_t n;
};

static struct str *list_item(struct list *l)
{
	if (l->n++ >= MANY)
		return NULL;
	str_add(&l->items, l->n > 1 ? ", " : "");
	return &l->items;
}

static void list_end(struct list *l, bool negate, struct str *out)
{
	bool several = strchr(str_get(&l->items), ','); /* one item may be several names */

	if (!l->n)
		str_add(out, negate ? "anything" : "nothing");
	else
		str_addf(out, several ? "%s{ %s%s }" : "%s%s", negate ? "! " : "", str_get(&l->items),
			 l->n > MANY ? ", .." : "");
	str_fini(&l->items);
}

static void value_text(enum field_id id, uint64_t v, struct str *out)
{
	static const char *const no_flags = "none";

	switch (id) {
	case FIELD_PROTO:
		print_value(out, id, v & 255);
		break;
	case FIELD_TCPFLAGS:
		print_flag_letters(out, (unsigned int)v);
		str_add(out, v ? "" : no_flags);
		break;
	case FIELD_ICMP:
	case FIELD_ICMP6:
		print_value(out, id, v >> 8);
		if (v & 255)
			str_addf(out, " code %u", (unsigned int)v & 255);
		break;
	case FIELD_EXT:
		for (unsigned int bit = 0, any = 0; bit < 8; bit++)
			if (v & 1u << bit)
				str_addf(out, "%s%s", any++ ? " " : "", field_value_word(id, bit) ?: "?");
		str_add(out, v ? "" : no_flags);
		break;
	default:
		print_value(out, id, v);
		break;
	}
}

/* `S/SA` when that is what the values of one byte have in common, and nothing else. */
static bool masked(const struct vset *set, unsigned int *ret_value, unsigned int *ret_mask)
{
	unsigned int all = 255, any = 0, n = 0, mask;

	for (unsigned int v = 0; v < 256; v++)
		if (vset_has(set, v)) {
			all &= v;
			any |= v;
			n++;
		}
	mask = 255 & ~(all ^ any);
	*ret_value = all & mask;
	*ret_mask = mask;
	return n && n == 1u << (8 - __builtin_popcount(mask));
}

/* Values of flags and of extension headers: bits. */
static void bits_wanted(enum field_id id, const struct vset *set, struct str *out)
{
	unsigned int value, mask, n = 0;
	struct list l = {};

	if (masked(set, &value, &mask) && mask) {
		if (id == FIELD_TCPFLAGS) {
			print_flag_letters(out, value);
			str_add(out, "/");
			print_flag_letters(out, mask);
			return;
		}
		for (unsigned int bit = 0; bit < 8; bit++) {
			struct str *s = mask & 1u << bit ? list_item(&l) : NULL;

			if (s)
				str_addf(s, "%s%s", value & 1u << bit ? "" : "no ", field_value_word(id, bit) ?: "?");
		}
		list_end(&l, false, out);
		return;
	}
	for (unsigned int v = 0; v < 256; v++)
		n += vset_has(set, v);
	if (n > MANY) {
		str_addf(out, "one of %u combinations", n);
		return;
	}
	for (unsigned int v = 0; v < 256; v++) {
		struct str *s = vset_has(set, v) ? list_item(&l) : NULL;

		if (s)
			value_text(id, v, s);
	}
	list_end(&l, false, out);
}

/* Protocols of the packet's family; of both when it has none. */
static void protocols_wanted(const struct vset *set, enum family family, struct str *out)
{
	bool has[256];
	unsigned int n = 0;
	struct list l = {};
	bool negate;

	for (unsigned int v = 0; v < 256; v++) {
		has[v] = (family != FAMILY_IPV6 && vset_has(set, FAMILY_IPV4 << 8 | v)) ||
			 (family != FAMILY_IPV4 && vset_has(set, FAMILY_IPV6 << 8 | v));
		n += has[v];
	}
	negate = n > 128;
	for (unsigned int v = 0; v < 256; v++) {
		struct str *s = has[v] != negate ? list_item(&l) : NULL;

		if (s)
			value_text(FIELD_PROTO, v, s);
	}
	list_end(&l, negate, out);
}

static void icmp_wanted(enum field_id id, const struct vset *set, struct str *out)
{
	struct list l = {};

	for (unsigned int type = 0; type < 256; type++) {
		unsigned int codes = 0, first = 256;
		struct str *s;

		for (unsigned int code = 0; code < 256; code++)
			if (vset_has(set, type << 8 | code)) {
				first = first < 256 ? first : code;
				codes++;
			}
		s = codes ? list_item(&l) : NULL;
		if (!s)
			continue;
		print_value(s, id, type);
		if (codes == 1)
			str_addf(s, " code %u", first);
		else if (codes < 256)
			str_addf(s, " with %u codes", codes);
	}
	list_end(&l, false, out);
}

static void range_item(struct list *l, enum field_id id, uint64_t lo, uint64_t hi)
{
	struct range r = { lo, hi };
	struct vset one = { &r, 1 };
	struct str s = {};
	struct str *item = list_item(l);

	print_vset(&s, id, &one);
	if (item && s.len > 4 && str_get(&s)[0] == '{') /* values that all have names, already in braces */
		str_add_len(item, str_get(&s) + 2, s.len - 4);
	else if (item)
		str_add(item, str_get(&s));
	str_fini(&s);
}

/* The greatest value that a packet can have. */
static uint64_t value_max(enum field_id id)
{
	if (id == FIELD_FRAG)
		return FRAG_LATER;
	if (id == FIELD_STATE)
		return STATE_COUNT - 1;
	return ((uint64_t)1 << (id == FIELD_MAC ? 48 : field_get(id)->bits)) - 1;
}

/* Ranges, or what is missing between them when they reach from end to end. */
static void ranges_wanted(enum field_id id, const struct vset *set, struct str *out)
{
	uint64_t max = value_max(id);
	bool negate = set->n > 1 && !set->r[0].lo && set->r[set->n - 1].hi >= max;
	struct list l = {};

	for (size_t i = 0; i + negate < set->n; i++) {
		uint64_t lo = negate ? set->r[i].hi + 1 : set->r[i].lo,
			 hi = negate ? set->r[i + 1].lo - 1 : set->r[i].hi;

		if (lo <= max)
			range_item(&l, id, lo, hi < max ? hi : max);
	}
	list_end(&l, negate, out);
}

static void addresses_wanted(const struct aset *set, enum family family, struct str *out)
{
	size_t n = family == FAMILY_IPV4 ? set->n4 : set->n6;
	bool v4 = family == FAMILY_IPV4;
	struct list l = {};
	bool negate;

	if (set->name) {
		str_addf(out, "@%s", set->name);
		return;
	}
	if (!n) {
		str_add(out, family == FAMILY_OTHER ? "an address" : v4 ? "an IPv6 address" : "an IPv4 address");
		return;
	}
	negate = n > 1 && (v4 ? !set->v4[0].lo && set->v4[n - 1].hi == UINT32_MAX
			      : !set->v6[0].lo && set->v6[n - 1].hi == ~(u128)0);
	for (size_t i = 0; i + negate < n; i++) {
		struct str *s = list_item(&l);

		if (!s)
			continue;
		if (v4)
			print_range4(s, negate ? &(struct range4){ set->v4[i].hi + 1, set->v4[i + 1].lo - 1 }
					       : &set->v4[i]);
		else
			print_range6(s, negate ? &(struct range6){ set->v6[i].hi + 1, set->v6[i + 1].lo - 1 }
					       : &set->v6[i]);
	}
	list_end(&l, negate, out);
}

static void live_wanted(const struct policy *policy, const struct live_match *m, struct str *out)
{
	str_add(out, m->negate ? "outside of " : "a member of ");
	live_names(policy, m->sets, m->negate ? " and " : " or ", out);
}

void explain_miss_has(const struct policy *policy, const struct packet *p, struct eval_miss m, struct str *out)
{
	bool src = m.field == FIELD_SRC;

	switch (m.kind) {
	case EVAL_MISS_FAMILY:
		family_words(1u << p->family, out);
		break;
	case EVAL_MISS_VALUE:
		if (p->present[m.field])
			value_text(m.field, p->value[m.field], out);
		else
			str_add(out, "none");
		break;
	case EVAL_MISS_LIVE:
	case EVAL_MISS_ADDRESS:
		address(p, src ? p->src : p->dst, out);
		if (m.kind == EVAL_MISS_LIVE && (src ? p->live_src : p->live_dst)) {
			str_add(out, " in ");
			live_names(policy, src ? p->live_src : p->live_dst, ", ", out);
		}
		break;
	default:
		break;
	}
}

void explain_miss_wants(const struct policy *policy, const struct rule *r, const struct packet *p, struct eval_miss m,
			struct str *out)
{
	bool src = m.field == FIELD_SRC;

	switch (m.kind) {
	case EVAL_MISS_FAMILY:
		family_words(r->families, out);
		break;
	case EVAL_MISS_ADDRESS:
		addresses_wanted(src ? r->src : r->dst, p->family, out);
		break;
	case EVAL_MISS_LIVE:
		live_wanted(policy, src ? &r->live_src : &r->live_dst, out);
		break;
	case EVAL_MISS_VALUE:
		if (m.field == FIELD_PROTO)
			protocols_wanted(r->value[m.field], p->family, out);
		else if (m.field == FIELD_TCPFLAGS || m.field == FIELD_EXT)
			bits_wanted(m.field, r->value[m.field], out);
		else if (m.field == FIELD_ICMP || m.field == FIELD_ICMP6)
			icmp_wanted(m.field, r->value[m.field], out);
		else
			ranges_wanted(m.field, r->value[m.field], out);
		break;
	default:
		break;
	}
}
