// SPDX-License-Identifier: GPL-2.0-only
/*
 * A packet in words, for tests and `explain`:
 *
 *     tcp 198.51.100.7:4000 -> [2001:db8::1]:22 flags S ttl 3 vlan 10
 *     icmp 198.51.100.7 -> 192.0.2.1 type echo-request
 *     icmp 198.51.100.7 -> 192.0.2.1 type time-exceeded quoting udp 192.0.2.1:53 -> 203.0.113.7:4000
 *     proto 47 198.51.100.7 -> 192.0.2.1
 *     arp      ethertype 0x88cc      hex 0200…
 */
#include "lang/number.h"
#include "lang/packet_parser.h"
#include "lang/words.h"

#include <string.h>

#define SPORT 40000 /* of a packet whose source port is not said */

struct diag *packet_error(struct packet_parser *pp, struct span span, const char *text)
{
	return diag_add(pp->p->d, DIAG_ERROR, span, "%s", text);
}

/* A number or a name of a field's vocabulary. */
bool packet_number(struct packet_parser *pp, int field, uint64_t max, const char *what, uint64_t *ret)
{
	struct parser *p = pp->p;
	struct ast_text t = parser_text(p);
	long named = -1;

	if (p->tok.kind != TOK_WORD)
		return parser_expected(p, what, NULL);
	if (field >= 0)
		named = field_value_parse((enum field_id)field, t.s, t.len);
	if (named >= 0)
		*ret = (uint64_t)named;
	else if (!number_parse(t.s, t.len, ret) || *ret > max)
		return parser_expected(p, what, NULL);
	parser_next(p);
	return true;
}

static bool port_parse(const char *s, size_t len, uint16_t *ret)
{
	int named = service_port(s, len);
	uint64_t v = (uint64_t)named;

	if (named < 0 && (!number_parse(s, len, &v) || v > 65535))
		return false;
	*ret = (uint16_t)v;
	return true;
}

/* 192.0.2.1, 192.0.2.1:22, 2001:db8::1, [2001:db8::1]:22 */
static bool endpoint_parse(const struct ast_text *t, enum family *family, u128 *ret_addr, bool *ret_has_port,
			   uint16_t *ret_port)
{
	const char *s = t->s, *end = t->s + t->len, *close;
	uint32_t v4;

	*ret_has_port = false;
	if (*s == '[') {
		close = memchr(s, ']', t->len);
		if (!close || !addr6_parse(s + 1, (size_t)(close - s) - 1, ret_addr))
			return false;
		*family = FAMILY_IPV6;
		close++;
	} else {
		close = memchr(s, ':', t->len) ?: end;
		if (addr6_parse(s, t->len, ret_addr)) {
			*family = FAMILY_IPV6;
			return true;
		}
		if (!addr4_parse(s, (size_t)(close - s), &v4))
			return false;
		*family = FAMILY_IPV4;
		*ret_addr = v4;
	}
	if (close == end)
		return true;
	*ret_has_port = true;
	return *close == ':' && port_parse(close + 1, (size_t)(end - close) - 1, ret_port);
}

static bool take_endpoint(struct packet_parser *pp, u128 *addr, uint16_t *port, bool *has_port)
{
	struct parser *p = pp->p;
	struct ast_text t = parser_text(p);
	enum family family;

	if (p->tok.kind != TOK_WORD || !endpoint_parse(&t, &family, addr, has_port, port)) {
		struct diag *g;

		parser_expected(p, "an address such as 192.0.2.1:22 or [2001:db8::1]:22", &g);
		if (p->tok.kind == TOK_WORD && memchr(t.s, ':', t.len) && t.s[0] != '[')
			diag_hint(p->d, g, "an IPv6 address with a port stands in brackets; a port is at most 65535");
		return false;
	}
	if (pp->spec->family != FAMILY_OTHER && pp->spec->family != family) {
		packet_error(pp, t.span, "one address is IPv4, the other IPv6");
		return false;
	}
	pp->spec->family = family;
	parser_next(p);
	return true;
}

/* Bytes of text up to the end of the statement: as many as there may be digits. */
static size_t hex_room(const struct parser *p)
{
	struct lexer ahead = p->lx;
	struct token t = p->tok;

	while (t.kind == TOK_WORD)
		t = lex_next(&ahead);
	return t.start - p->tok.start;
}

static bool take_hex(struct packet_parser *pp)
{
	struct parser *p = pp->p;
	struct span span = parser_span(p);
	size_t n = 0, digits = 0, cap = hex_room(p);
	uint8_t *raw = parser_alloc(p, (cap < 2 * PACKET_MAX_FRAME ? cap : 2 * PACKET_MAX_FRAME) / 2 + 2, 1);

	if (!raw)
		return false;
	while (p->tok.kind == TOK_WORD && !parser_is(p, "is")) {
		struct ast_text t = parser_text(p);

		for (size_t i = 0; i < t.len; i++) {
			char c = t.s[i];
			unsigned int v =
				c >= '0' && c <= '9' ? (unsigned int)(c - '0') : (unsigned int)((c | 0x20) - 'a' + 10);

			if (c == ':' || c == '.' || c == '-')
				continue;
			if (!((c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')))
				return parser_expected(p, "hex digits", NULL);
			if (n == PACKET_MAX_FRAME) {
				packet_error(pp, span, "the frame is longer than 65549 bytes");
				return false;
			}
			raw[n] = (uint8_t)(raw[n] << 4 | v);
			n += digits++ & 1;
		}
		parser_next(p);
	}
	span.end = p->prev_end;
	if (digits & 1) {
		packet_error(pp, span, "an odd number of hex digits");
		return false;
	}
	if (!n)
		return parser_expected(p, "the bytes of the frame in hex", NULL);
	pp->spec->raw = raw;
	pp->spec->raw_len = n;
	return true;
}

/* The first word: what kind of packet. */
static bool take_kind(struct packet_parser *pp)
{
	struct parser *p = pp->p;
	struct ast_text t = parser_text(p);
	struct guess guess;
	struct diag *g;
	uint64_t v;
	long named;

	if (parser_take(p, "proto")) {
		if (!packet_number(pp, FIELD_PROTO, 255, "a protocol: a number from 0 to 255 or a name", &v))
			return false;
		pp->spec->protocol = (unsigned int)v;
		return true;
	}
	named = p->tok.kind == TOK_WORD ? field_value_parse(FIELD_PROTO, t.s, t.len) : -1;
	if (named >= 0) {
		pp->spec->protocol = (unsigned int)named;
		parser_next(p);
		return true;
	}
	parser_expected(p, "a packet: tcp, udp, sctp, icmp, icmp6, proto NUMBER, arp, ethertype NUMBER or hex BYTES",
			&g);
	if (p->tok.kind == TOK_WORD) {
		guess_init(&guess, p->arena, t.s, t.len);
		for (size_t i = 0; field_value_name(FIELD_PROTO, i); i++)
			guess_try(&guess, field_value_name(FIELD_PROTO, i));
		guess_try(&guess, "proto");
		guess_try(&guess, "ethertype");
		guess_hint(&guess, p->d, g, "");
	}
	return false;
}

static bool take_ethertype(struct packet_parser *pp)
{
	uint64_t v = 0x0806;
	struct span span = parser_span(pp->p);
	bool arp = parser_is(pp->p, "arp");

	parser_next(pp->p);
	if (!arp && !packet_number(pp, FIELD_ETHERTYPE, 0xffff, "an ethertype from 0x0600 to 0xffff", &v))
		return false;
	if (v < 0x600 || v == 0x0800 || v == 0x86dd || v == 0x8100 || v == 0x88a8) {
		packet_error(pp, span,
			     v < 0x600 ? "an ethertype is at least 0x0600"
				       : "write IP packets by their protocol, tags with \"vlan\"");
		return false;
	}
	pp->spec->has_ethertype = true;
	pp->spec->ethertype = (uint16_t)v;
	return true;
}

static bool has_ports(const struct packet_spec *spec)
{
	return spec->protocol == 6 || spec->protocol == 17 || spec->protocol == 132;
}

/* The types that quote a packet; the type is given. */
static bool is_error(const struct packet_spec *spec)
{
	unsigned int type = spec->icmp_type;

	if (spec->family == FAMILY_IPV6)
		return type >= 1 && type <= 4;
	return (type >= 3 && type <= 5) || type == 11 || type == 12;
}

/* What is said must fit together, and what is not said gets its usual value. */
static bool complete(struct packet_parser *pp)
{
	struct packet_spec *spec = pp->spec;
	bool icmp = spec->protocol == (spec->family == FAMILY_IPV4 ? 1 : 58), later = spec->frag == FRAG_LATER;
	const char *wrong = NULL;
	struct span span = pp->start;

	if (spec->protocol == 1 && spec->family == FAMILY_IPV6)
		wrong = "between IPv6 addresses write icmp6";
	else if (spec->protocol == 58 && spec->family == FAMILY_IPV4)
		wrong = "between IPv4 addresses write icmp";
	else if ((pp->has_sport || pp->has_dport) && (!has_ports(spec) || later))
		wrong = later ? "a later fragment has no ports" : "this protocol has no ports";
	else if (has_ports(spec) && !later && !pp->has_dport)
		wrong = "the destination needs a port, as in 192.0.2.1:22";
	else if (spec->has_flags && (spec->protocol != 6 || later))
		wrong = later ? "a later fragment has no flags" : "only tcp has flags";
	else if ((pp->has_type || pp->has_code) && (!icmp || later))
		wrong = later ? "a later fragment has no type" : "only icmp and icmp6 have a type";
	else if (pp->has_code && !pp->has_type)
		wrong = "\"code\" needs a \"type\"";
	else if (pp->has_id && (!icmp || later || pp->has_quote))
		wrong = "only icmp and icmp6 queries have an identifier";
	else if (pp->has_quote && !(pp->has_type && is_error(spec)))
		wrong = "only an ICMP error quotes a packet: destination-unreachable, time-exceeded, ...";
	else if (pp->has_quote && spec->quote->family != spec->family)
		wrong = "an ICMP error quotes a packet of its own family";
	else if (pp->quoted && (pp->has_len || spec->has_vlan || spec->has_mac))
		wrong = "a quoted packet has no length of its own, no tag and no MAC";
	else if (spec->ext && spec->family != FAMILY_IPV6)
		wrong = "only IPv6 has extension headers";
	if (wrong) {
		packet_error(pp, span, wrong);
		return false;
	}
	spec->has_ports = has_ports(spec) && !later;
	if (spec->has_ports && !pp->has_sport)
		spec->sport = SPORT;
	spec->has_icmp = icmp && !later && pp->has_type;
	return true;
}

static bool take_addresses(struct packet_parser *pp)
{
	struct packet_spec *spec = pp->spec;

	if (!take_endpoint(pp, &spec->src, &spec->sport, &pp->has_sport))
		return false;
	if (pp->p->tok.kind != TOK_ARROW)
		return parser_expected(pp->p, "\"->\"", NULL);
	parser_next(pp->p);
	return take_endpoint(pp, &spec->dst, &spec->dport, &pp->has_dport);
}

static bool parse_words(struct parser *p, bool quoted, struct packet_spec **ret_spec)
{
	struct packet_parser pp = { .p = p, .start = parser_span(p), .quoted = quoted };
	bool taken = true, frame = !quoted && (parser_is(p, "arp") || parser_is(p, "ethertype"));

	pp.spec = parser_alloc(p, 1, sizeof(*pp.spec));
	if (!pp.spec)
		return false;
	if (!quoted && parser_take(p, "hex")) {
		if (!take_hex(&pp))
			return false;
		*ret_spec = pp.spec;
		return true;
	}
	if (frame ? !take_ethertype(&pp) : !take_kind(&pp) || !take_addresses(&pp))
		return false;
	while (taken)
		if (!packet_option(&pp, &taken))
			return false;
	pp.start.end = p->prev_end;
	if (!frame && !complete(&pp))
		return false;
	*ret_spec = pp.spec;
	return true;
}

bool packet_quote(struct packet_parser *pp)
{
	struct packet_spec *quote;

	if (pp->quoted) {
		packet_error(pp, parser_span(pp->p), "a quoted packet quotes nothing");
		return false;
	}
	if (!parse_words(pp->p, true, &quote))
		return false;
	pp->spec->quote = quote;
	return true;
}

bool parse_packet(struct parser *p, struct packet_spec **ret_spec)
{
	return parse_words(p, false, ret_spec);
}
