/* SPDX-License-Identifier: GPL-2.0-only */
/* One packet in words on its way to a packet_spec. Functions that return bool: false after a diagnostic, or failed. */
#ifndef FW_LANG_PACKET_PARSER_H
#define FW_LANG_PACKET_PARSER_H

#include "lang/parse.h"

struct packet_parser {
	struct parser *p;
	struct packet_spec *spec;
	bool has_sport, has_dport, has_type, has_code, has_frag, has_dscp, has_ecn, has_len, has_ext, has_id, has_quote;
	bool quoted; /* it is the one that an ICMP error quotes */
	struct span start, code_span;
};

struct diag *packet_error(struct packet_parser *pp, struct span span, const char *text);
/* A number up to `max`, or a name of the vocabulary of `field` (-1: none). */
bool packet_number(struct packet_parser *pp, int field, uint64_t max, const char *what, uint64_t *ret);
/* `quoting udp 192.0.2.1:53 -> 203.0.113.7:4000`: what an ICMP error brings back. */
bool packet_quote(struct packet_parser *pp);
/* parse_option.c: `ttl 5`, `flags SA`, … *ret_taken: there was one. */
bool packet_option(struct packet_parser *pp, bool *ret_taken);

#endif
