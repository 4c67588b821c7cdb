// SPDX-License-Identifier: GPL-2.0-only
/* The options of a packet in words. */
#include "lang/number.h"
#include "lang/packet_parser.h"

#include <string.h>

static bool take_flags(struct packet_parser *pp)
{
	struct parser *p = pp->p;
	struct ast_text t = parser_text(p);
	unsigned int bits = 0;

	if (parser_is(p, "none")) {
		t.len = 0;
	} else if (p->tok.kind != TOK_WORD) {
		return parser_expected(p, "the flags that are set, such as SA, or none", NULL);
	}
	for (size_t i = 0; i < t.len; i++) {
		const char *at = strchr("FSRPAUEW", t.s[i]);

		if (!at)
			return parser_expected(p, "the flags that are set, such as SA, or none", NULL);
		bits |= 1u << (at - "FSRPAUEW");
	}
	parser_next(p);
	pp->spec->flags = (uint8_t)bits;
	return true;
}

static bool take_ext(struct packet_parser *pp)
{
	struct ast_list list;

	if (!parse_list(pp->p, "the name of an extension header", &list))
		return false;
	for (size_t i = 0; i < list.n; i++) {
		const struct ast_text *t = &list.v[i].text;
		long bit = list.v[i].kind == AST_WORD ? field_value_parse(FIELD_EXT, t->s, t->len) : -1;

		if (bit < 0 || list.negate) {
			struct diag *g = packet_error(pp, t->span, "expected the name of an extension header");

			diag_hint(pp->p->d, g, "the names are hopopts, routing, fragment, dstopts, ah");
			return false;
		}
		pp->spec->ext |= (uint8_t)(1u << bit);
	}
	return true;
}

static bool take_frag(struct packet_parser *pp)
{
	uint64_t v;
	bool none = parser_is(pp->p, "none");

	if (!none && !parser_is(pp->p, "first") && !parser_is(pp->p, "later"))
		return parser_expected(pp->p, "none, first or later", NULL);
	v = none ? FRAG_NONE : parser_is(pp->p, "first") ? FRAG_FIRST : FRAG_LATER;
	parser_next(pp->p);
	pp->spec->frag = (enum frag)v;
	return true;
}

static bool take_mac(struct packet_parser *pp)
{
	struct ast_text t = parser_text(pp->p);

	if (pp->p->tok.kind != TOK_WORD || !mac_parse(t.s, t.len, &pp->spec->mac))
		return parser_expected(pp->p, "a MAC address such as 02:00:00:00:00:01", NULL);
	parser_next(pp->p);
	return true;
}

static bool take_code(struct packet_parser *pp)
{
	struct ast_text t = parser_text(pp->p);
	enum field_id id = pp->spec->protocol == 58 ? FIELD_ICMP6 : FIELD_ICMP;
	long named = -1;
	uint64_t v;

	if (pp->p->tok.kind == TOK_WORD)
		named = field_code_parse(id, pp->spec->icmp_type, t.s, t.len);
	if (named >= 0) {
		pp->spec->icmp_code = (uint8_t)named;
		parser_next(pp->p);
		return true;
	}
	if (!packet_number(pp, -1, 255, "an ICMP code from 0 to 255 or a name", &v))
		return false;
	pp->spec->icmp_code = (uint8_t)v;
	return true;
}

static bool option_value(struct packet_parser *pp, const char *word)
{
	struct packet_spec *spec = pp->spec;
	uint64_t v = 0;
	bool ok;

	if (!strcmp(word, "flags"))
		return take_flags(pp);
	if (!strcmp(word, "ext"))
		return take_ext(pp);
	if (!strcmp(word, "frag"))
		return take_frag(pp);
	if (!strcmp(word, "mac"))
		return take_mac(pp);
	if (!strcmp(word, "code"))
		return take_code(pp);
	if (!strcmp(word, "quoting"))
		return packet_quote(pp);
	if (!strcmp(word, "type")) {
		ok = packet_number(pp, spec->protocol == 58 ? FIELD_ICMP6 : FIELD_ICMP, 255,
				   "an ICMP type from 0 to 255 or a name", &v);
		spec->icmp_type = (uint8_t)v;
	} else if (!strcmp(word, "ttl")) {
		ok = packet_number(pp, -1, 255, "a number from 0 to 255", &v);
		spec->ttl = (uint8_t)v;
	} else if (!strcmp(word, "dscp")) {
		ok = packet_number(pp, FIELD_DSCP, 63, "a number from 0 to 63 or a name such as ef", &v);
		spec->dscp = (uint8_t)v;
	} else if (!strcmp(word, "ecn")) {
		ok = packet_number(pp, -1, 3, "a number from 0 to 3", &v);
		spec->ecn = (uint8_t)v;
	} else if (!strcmp(word, "vlan")) {
		ok = packet_number(pp, -1, 4095, "a VLAN ID from 0 to 4095", &v);
		spec->vlan = (uint16_t)v;
	} else if (!strcmp(word, "id")) {
		ok = packet_number(pp, -1, 65535, "an ICMP identifier from 0 to 65535", &v);
		spec->icmp_id = (uint16_t)v;
	} else {
		ok = packet_number(pp, -1, 65535, "a length from 1 to 65535", &v);
		spec->len = (unsigned int)v;
	}
	return ok;
}

/* The options of a packet, which of them a non-IP frame has too, and where "given" is remembered. */
bool packet_option(struct packet_parser *pp, bool *ret_taken)
{
	struct packet_spec *spec = pp->spec;
	const struct {
		const char *word;
		bool frame, *given;
	} options[] = {
		{ "flags", false, &spec->has_flags }, { "type", false, &pp->has_type },
		{ "code", false, &pp->has_code },     { "ttl", false, &spec->has_ttl },
		{ "dscp", false, &pp->has_dscp },     { "frag", false, &pp->has_frag },
		{ "vlan", true, &spec->has_vlan },    { "mac", true, &spec->has_mac },
		{ "ext", false, &pp->has_ext },	      { "len", false, &pp->has_len },
		{ "ecn", false, &pp->has_ecn },	      { "id", false, &pp->has_id },
		{ "quoting", false, &pp->has_quote },
	};

	*ret_taken = false;
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		struct span span = parser_span(pp->p);

		if (!parser_is(pp->p, options[i].word))
			continue;
		if (*options[i].given || (spec->family == FAMILY_OTHER && !options[i].frame)) {
			packet_error(pp, span,
				     *options[i].given ? "this is given twice" : "only an IP packet has this");
			return false;
		}
		if (!strcmp(options[i].word, "code"))
			pp->code_span = span;
		parser_next(pp->p);
		*options[i].given = true;
		*ret_taken = true;
		return option_value(pp, options[i].word);
	}
	return true;
}
