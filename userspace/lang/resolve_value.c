// SPDX-License-Identifier: GPL-2.0-only
/* Words → values of the fields. A field without a line in `syntax` takes numbers, ranges and its names. */
#include "base/arena.h"
#include "base/cleanup.h"
#include "base/vec.h"
#include "lang/print.h"
#include "lang/resolve.h"
#include "lang/words.h"

#include <string.h>

struct syntax {
	const char *what; /* "expected …" */
	uint64_t min;	  /* the least value that may be written */
	bool names_only;
	bool (*parse)(struct resolver *r, const struct item *it, struct range *ret);
	bool (*resolve)(struct resolver *r, const struct items *items, struct str *text, struct vset **ret);
};

static bool mac_range(struct resolver *r, const struct item *it, struct range *ret);
static bool flags_resolve(struct resolver *r, const struct items *items, struct str *text, struct vset **ret);
static bool ext_resolve(struct resolver *r, const struct items *items, struct str *text, struct vset **ret);

static const struct syntax syntaxes[FIELD_VALUE_COUNT] = {
	[FIELD_PROTO] = { .what = "a protocol: a number from 0 to 255 or a name such as tcp" },
	[FIELD_SPORT] = { .what = "a port: a number from 0 to 65535, a range such as 8000-8080 or a name such as ssh" },
	[FIELD_DPORT] = { .what = "a port: a number from 0 to 65535, a range such as 8000-8080 or a name such as ssh" },
	[FIELD_TCPFLAGS] = { .resolve = flags_resolve },
	[FIELD_ICMP] = { .what = "an ICMP type: a number from 0 to 255 or a name such as echo-request" },
	[FIELD_ICMP6] = { .what = "an ICMPv6 type: a number from 0 to 255 or a name such as packet-too-big" },
	[FIELD_FRAG] = { .what = "none, first, later or any", .names_only = true },
	[FIELD_VLAN] = { .what = "a VLAN ID from 1 to 4095", .min = 1 },
	[FIELD_DSCP] = { .what = "a DSCP: a number from 0 to 63 or a name such as ef" },
	[FIELD_ETHERTYPE] = { .what = "an ethertype from 0x0600 to 0xffff or a name such as arp", .min = 0x600 },
	[FIELD_EXT] = { .resolve = ext_resolve },
	[FIELD_STATE] = { .resolve = state_resolve },
	[FIELD_MAC] = { .what = "a MAC address such as 02:00:00:00:00:01", .parse = mac_range },
};

/* The greatest value that may be written. ICMP types have 8 bits, codes come apart. */
static uint64_t field_max(enum field_id id)
{
	if (id == FIELD_PROTO || id == FIELD_ICMP || id == FIELD_ICMP6)
		return 255;
	return (1ull << field_get(id)->bits) - 1;
}

static bool value_error(struct resolver *r, enum field_id id, const struct item *it)
{
	const struct ast_text *t = &it->v->text;
	struct str shown = {};
	struct diag *g;
	struct guess guess;

	str_add_escaped(&shown, t->s, t->len < 40 ? t->len : 40);
	if (syntaxes[id].what)
		g = item_error(r, it, "expected %s, not \"%s\"", syntaxes[id].what, str_get(&shown));
	else
		g = item_error(r, it, "expected a number from %llu to %llu%s, not \"%s\"",
			       (unsigned long long)syntaxes[id].min, (unsigned long long)field_max(id),
			       field_value_name(id, 0) ? " or a name" : "", str_get(&shown));
	str_fini(&shown);
	if (it->v->kind != AST_WORD)
		return false;
	guess_init(&guess, r->arena, t->s, t->len);
	for (size_t i = 0; field_value_name(id, i); i++)
		guess_try(&guess, field_value_name(id, i));
	if (id == FIELD_SPORT || id == FIELD_DPORT)
		for (size_t i = 0; service_name(i); i++)
			guess_try(&guess, service_name(i));
	guess_hint(&guess, r->d, g, "");
	return false;
}

/* A number or a name. */
static bool word_value(enum field_id id, const char *s, size_t len, uint64_t *ret)
{
	long named = id == FIELD_SPORT || id == FIELD_DPORT ? service_port(s, len) : field_value_parse(id, s, len);

	if (named >= 0) {
		*ret = (uint64_t)named;
		return true;
	}
	return !syntaxes[id].names_only && number_parse(s, len, ret) && *ret <= field_max(id) &&
	       *ret >= syntaxes[id].min;
}

/* `8000-8080`, and `8000:8080` as ufw and pf write it. */
static bool word_range(enum field_id id, const char *s, size_t len, struct range *ret)
{
	for (size_t i = 1; i + 1 < len; i++)
		if ((s[i] == '-' || s[i] == ':') && word_value(id, s, i, &ret->lo) &&
		    word_value(id, s + i + 1, len - i - 1, &ret->hi))
			return true;
	return false;
}

static bool compare_range(enum field_id id, enum ast_cmp cmp, uint64_t v, struct range *ret)
{
	uint64_t min = syntaxes[id].min, max = field_max(id);

	*ret = (struct range){ min, max };
	switch (cmp) {
	case AST_CMP_LT:
		ret->hi = v - 1;
		return v > min;
	case AST_CMP_LE:
		ret->hi = v;
		return true;
	case AST_CMP_GT:
		ret->lo = v + 1;
		return v < max;
	case AST_CMP_GE:
		ret->lo = v;
		return true;
	default:
		*ret = (struct range){ v, v };
		return true;
	}
}

bool item_range(struct resolver *r, enum field_id id, const struct item *it, struct range *ret)
{
	const struct ast_value *v = it->v;
	uint64_t value;

	if (syntaxes[id].parse)
		return syntaxes[id].parse(r, it, ret);
	if (v->kind != AST_WORD)
		return value_error(r, id, it);
	if (item_is(it, "any")) {
		*ret = (struct range){ syntaxes[id].min, field_max(id) };
		if (id == FIELD_FRAG)
			*ret = (struct range){ FRAG_FIRST, FRAG_LATER };
		return true;
	}
	if (v->to) {
		if (!word_value(id, v->text.s, v->text.len, &ret->lo) || !word_value(id, v->to->s, v->to->len, &ret->hi))
			return value_error(r, id, it);
	} else if (word_value(id, v->text.s, v->text.len, &value)) {
		if (compare_range(id, v->cmp, value, ret))
			return true;
		item_error(r, it, "no value of \"%s\" is %s than %.*s", field_get(id)->word,
			   v->cmp == AST_CMP_LT ? "less" : "greater", (int)v->text.len, v->text.s);
		return false;
	} else if (v->cmp || !word_range(id, v->text.s, v->text.len, ret)) {
		return value_error(r, id, it);
	}
	if (ret->lo <= ret->hi)
		return true;
	item_error(r, it, "the range ends before it starts");
	return false;
}

static bool mac_error(struct resolver *r, const struct item *it)
{
	struct diag *g = item_error(r, it, "expected %s", syntaxes[FIELD_MAC].what);

	diag_hint(r->d, g, "a prefix (02:00:00:00:00:00/24) or a range of two addresses is fine too");
	return false;
}

/* A MAC address, a prefix of one, or a range. */
static bool mac_range(struct resolver *r, const struct item *it, struct range *ret)
{
	const struct ast_text *t = &it->v->text, *to = it->v->to;
	uint64_t bits;

	if (it->v->kind != AST_WORD || it->v->cmp || t->len < 17 || !mac_parse(t->s, 17, &ret->lo))
		return mac_error(r, it);
	ret->hi = ret->lo;
	if (to || (t->len > 17 && t->s[17] == '-')) {
		const char *s = to ? to->s : t->s + 18;

		if ((to && t->len != 17) || !mac_parse(s, to ? to->len : t->len - 18, &ret->hi) ||
		    ret->lo > ret->hi)
			return mac_error(r, it);
	} else if (t->len > 17) {
		if (t->s[17] != '/' || !number_parse(t->s + 18, t->len - 18, &bits) || bits > 48)
			return mac_error(r, it);
		ret->hi = ret->lo | ((1ull << (48 - bits)) - 1);
		ret->lo = ret->hi & ~((1ull << (48 - bits)) - 1);
	}
	return true;
}

static int flag_bits(const char *s, size_t len)
{
	int bits = 0;

	for (size_t i = 0; i < len; i++) {
		const char *at = s[i] ? strchr("FSRPAUEW", s[i]) : NULL;

		if (!at)
			return -1;
		bits |= 1 << (at - "FSRPAUEW");
	}
	return bits;
}

/* `S/SA`, `S` (all but E and W looked at), `/SFRA` (none of them), `any`. */
static bool flags_item(struct resolver *r, const struct item *it, int *ret_value, int *ret_mask)
{
	const struct ast_text *t = &it->v->text;
	const char *slash = it->v->kind == AST_WORD ? memchr(t->s, '/', t->len) : NULL;
	size_t len = slash ? (size_t)(slash - t->s) : t->len;
	int value, mask = 0x3f;

	if (item_is(it, "any")) {
		*ret_value = *ret_mask = 0;
		return true;
	}
	value = it->v->kind == AST_WORD && !it->v->cmp && !it->v->to ? flag_bits(t->s, len) : -1;
	if (slash)
		mask = flag_bits(slash + 1, t->len - len - 1);
	if (value < 0 || mask <= 0) {
		struct diag *g = item_error(
			r, it, "expected flags such as S/SA: those that are set, \"/\", those that are looked at");

		diag_hint(r->d, g, "the letters: F fin, S syn, R rst, P psh, A ack, U urg, E ece, W cwr");
		return false;
	}
	if (!slash)
		mask |= value;
	if (value & ~mask) {
		item_error(r, it, "a flag that is set must be looked at: no packet matches this");
		return false;
	}
	*ret_value = value;
	*ret_mask = mask;
	return true;
}

static int pair_compare(const void *a, const void *b)
{
	return (int)*(const uint16_t *)a - (int)*(const uint16_t *)b;
}

/* Pairs are mask << 8 | value, with repeats. */
static void flags_print(uint16_t *pairs, size_t n, struct str *text)
{
	size_t out = 1;

	qsort(pairs, n, sizeof(*pairs), pair_compare);
	for (size_t i = 1; i < n; i++)
		if (pairs[i] != pairs[out - 1])
			pairs[out++] = pairs[i];
	str_add(text, out > 1 ? "{ " : "");
	for (size_t i = 0; i < out; i++) {
		str_add(text, i ? ", " : "");
		print_flag_letters(text, pairs[i] & 0xff);
		str_add(text, pairs[i] >> 8 ? "/" : "any");
		print_flag_letters(text, pairs[i] >> 8);
	}
	str_add(text, out > 1 ? " }" : "");
}

/* Every flag byte that one of the pairs matches. */
static bool flags_resolve(struct resolver *r, const struct items *items, struct str *text, struct vset **ret)
{
	auto_free uint16_t *pairs = calloc(items->n, sizeof(*pairs));
	struct range bytes[256];
	bool has[256] = {};
	size_t n = 0;

	if (!pairs)
		return resolve_oom(r);
	for (size_t i = 0; i < items->n; i++) {
		int value, mask;

		if (!flags_item(r, &items->v[i], &value, &mask))
			return false;
		pairs[i] = (uint16_t)(mask << 8 | value);
		for (int b = 0; b < 256; b++)
			has[b] |= (b & mask) == value;
	}
	for (unsigned int b = 0; b < 256; b++) {
		if (has[b] && b && has[b - 1])
			bytes[n - 1].hi = b;
		else if (has[b])
			bytes[n++] = (struct range){ b, b };
	}
	flags_print(pairs, items->n, text);
	return !vset_build(r->arena, bytes, n, ret) || resolve_oom(r);
}

static void ext_print(unsigned int mask, bool none, struct str *text)
{
	bool any = mask == 0xff, many = !any && __builtin_popcount(mask) + none > 1;
	const char *sep = "";

	many |= any && none;
	str_add(text, many ? "{ " : "");
	if (any) {
		str_add(text, "any");
		sep = ", ";
	}
	for (unsigned int bit = 0; bit < 8 && !any; bit++) {
		if (mask & 1u << bit) {
			str_addf(text, "%s%s", sep, field_value_word(FIELD_EXT, bit) ?: "");
			sep = ", ";
		}
	}
	if (none)
		str_addf(text, "%snone", sep);
	str_add(text, many ? " }" : "");
}

/* `hopopts`: every bit set with that header in it. `any`: at least one; `none`: no header. */
static bool ext_resolve(struct resolver *r, const struct items *items, struct str *text, struct vset **ret)
{
	struct range bytes[256];
	unsigned int mask = 0;
	bool none = false;
	size_t n = 0;

	for (size_t i = 0; i < items->n; i++) {
		const struct item *it = &items->v[i];
		long bit = it->v->kind == AST_WORD && !it->v->cmp && !it->v->to
				   ? field_value_parse(FIELD_EXT, it->v->text.s, it->v->text.len)
				   : -1;

		if (item_is(it, "any")) {
			mask = 0xff;
		} else if (item_is(it, "none")) {
			none = true;
		} else if (bit >= 0) {
			mask |= 1u << bit;
		} else {
			struct diag *g = item_error(r, it, "expected the name of an extension header, any or none");

			diag_hint(r->d, g, "the names are hopopts, routing, fragment, dstopts, ah");
			return false;
		}
	}
	ext_print(mask, none, text);
	for (unsigned int b = 0; b < 256; b++)
		if (b & mask || (!b && none))
			bytes[n++] = (struct range){ b, b };
	return !vset_build(r->arena, bytes, n, ret) || resolve_oom(r);
}

static bool ranges_resolve(struct resolver *r, enum field_id id, const struct items *items, struct vset **ret)
{
	struct range few[16], *ranges = few;
	bool good = true;

	if (items->n > sizeof(few) / sizeof(few[0]))
		ranges = calloc(items->n, sizeof(*ranges));
	if (!ranges)
		return resolve_oom(r);
	for (size_t i = 0; good && i < items->n; i++)
		good = item_range(r, id, &items->v[i], &ranges[i]);
	if (good && vset_build(r->arena, ranges, items->n, ret))
		good = resolve_oom(r);
	if (good)
		print_vset(&r->text, id, *ret);
	if (ranges != few)
		free(ranges);
	return good;
}

bool list_resolve(struct resolver *r, enum field_id id, const struct ast_list *list, struct field_memo *ret)
{
	struct items items;
	bool good;

	if (!list_expand(r, list, &items))
		return false;
	good = syntaxes[id].resolve ? syntaxes[id].resolve(r, &items, &r->text, &ret->set)
				    : ranges_resolve(r, id, &items, &ret->set);
	items_fini(r, &items);
	if (!good) {
		str_reset(&r->text);
		return false;
	}
	ret->text = take_text(r);
	return ret->text;
}
