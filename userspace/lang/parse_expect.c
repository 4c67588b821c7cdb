// SPDX-License-Identifier: GPL-2.0-only
/* A line of a test block: `[ingress|egress] PACKET is VERDICT [by LABEL]`. */
#include "base/arena.h"
#include "lang/packet_parser.h"

bool parse_expect(struct parser *p, struct ast_stmt *stmt)
{
	struct packet_spec *spec;

	stmt->expect.direction = parser_is(p, "egress") ? DIRECTION_EGRESS : DIRECTION_INGRESS;
	if (parser_is(p, "egress") || parser_is(p, "ingress"))
		parser_next(p);
	if (!parse_packet(p, &spec))
		return false;
	stmt->expect.packet = spec;
	if (!parser_take(p, "is"))
		return parser_expected(p, "an option of the packet or \"is pass\", \"is drop\"", NULL);
	if (!parser_is(p, "pass") && !parser_is(p, "drop"))
		return parser_refuse_later(p) ? false : parser_expected(p, "pass or drop", NULL);
	stmt->expect.verdict = parser_is(p, "pass") ? VERDICT_PASS : VERDICT_DROP;
	parser_next(p);
	if (parser_take(p, "by")) {
		if (p->tok.kind == TOK_STRING) {
			if (!parse_string(p, "a label", &stmt->expect.by))
				return false;
		} else if (p->tok.kind == TOK_WORD) {
			stmt->expect.by = parser_text(p);
			stmt->expect.by.s = arena_strndup(p->arena, stmt->expect.by.s, stmt->expect.by.len);
			if (!stmt->expect.by.s) {
				p->failed = true;
				return false;
			}
			parser_next(p);
		} else {
			return parser_expected(p, "a label in quotes, default or another reason", NULL);
		}
		if (stmt->expect.by.s && !stmt->expect.by.len)
			return !packet_error(&(struct packet_parser){ .p = p }, stmt->expect.by.span,
					     "a label cannot be empty");
	}
	stmt->span.end = p->prev_end;
	return true;
}
