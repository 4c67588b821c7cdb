// SPDX-License-Identifier: GPL-2.0-only
/*
 * A line of a test block: `[ingress|egress] PACKET is VERDICT [by LABEL] [times N]`; in a sequence also `after 10s`,
 * `add @set ADDRESS [for 1h]`, `del @set ADDRESS`.
 */
#include "base/arena.h"
#include "lang/packet_parser.h"

#include <string.h>

#define MAX_TIMES 100000
#define MAX_AFTER (365 * DURATION_DAY)
#define MAX_STAY  (3650 * DURATION_DAY) /* of an element */

static bool take_verdict(struct parser *p, struct ast_expect *e)
{
	if (!parser_take(p, "is"))
		return parser_expected(p, "an option of the packet or \"is pass\", \"is drop\", \"is reject\"", NULL);
	if (!parser_is(p, "pass") && !parser_is(p, "drop") && !parser_is(p, "reject"))
		return parser_refuse_later(p) ? false : parser_expected(p, "pass, drop or reject", NULL);
	e->verdict = parser_is(p, "pass") ? VERDICT_PASS : parser_is(p, "drop") ? VERDICT_DROP : VERDICT_REJECT;
	parser_next(p);
	return true;
}

static bool take_by(struct parser *p, struct ast_expect *e)
{
	if (p->tok.kind == TOK_STRING) {
		if (!parse_string(p, "a label", &e->by))
			return false;
	} else if (p->tok.kind == TOK_WORD) {
		e->by = parser_text(p);
		e->by.s = arena_strndup(p->arena, e->by.s, e->by.len);
		if (!e->by.s) {
			p->failed = true;
			return false;
		}
		parser_next(p);
	} else {
		return parser_expected(p, "a label in quotes, default or another reason", NULL);
	}
	if (!e->by.len)
		return !packet_error(&(struct packet_parser){ .p = p }, e->by.span, "a label cannot be empty");
	return true;
}

bool parse_expect(struct parser *p, struct ast_stmt *stmt)
{
	struct ast_expect *e = &stmt->expect;
	struct packet_spec *spec;
	uint64_t times = 1;

	e->step = STEP_PACKET;
	e->direction = parser_is(p, "egress") ? DIRECTION_EGRESS : DIRECTION_INGRESS;
	if (parser_is(p, "egress") || parser_is(p, "ingress"))
		parser_next(p);
	if (!parse_packet(p, &spec))
		return false;
	e->packet = spec;
	if (!take_verdict(p, e) || (parser_take(p, "by") && !take_by(p, e)) ||
	    (parser_take(p, "times") && !parse_count(p, "how often the packet comes", MAX_TIMES, &times)))
		return false;
	e->times = (unsigned int)times;
	stmt->span.end = p->prev_end;
	return true;
}

bool parse_after(struct parser *p, struct ast_stmt *stmt)
{
	stmt->expect.step = STEP_AFTER;
	parser_next(p);
	if (!parse_duration(p, DURATION_MS, MAX_AFTER, &stmt->expect.ns))
		return false;
	stmt->span.end = p->prev_end;
	return true;
}

bool parse_element(struct parser *p, struct ast_stmt *stmt)
{
	struct ast_expect *e = &stmt->expect;
	struct ast_text t;

	e->step = parser_is(p, "add") ? STEP_ADD : STEP_DEL;
	parser_next(p);
	t = parser_text(p);
	if (p->tok.kind != TOK_SET)
		return parser_expected(p, "the @set", NULL);
	e->set = (struct ast_text){ t.s + 1, t.len - 1, t.span };
	parser_next(p);
	if (!parse_list(p, "an address or a prefix", &e->addr))
		return false;
	if (e->addr.negate || e->addr.n != 1) {
		diag_add(p->d, DIAG_ERROR, e->addr.span, "one address or prefix stands here");
		return false;
	}
	if (e->step == STEP_ADD && parser_take(p, "for") && !parse_duration(p, DURATION_S, MAX_STAY, &e->ns))
		return false;
	stmt->span.end = p->prev_end;
	return true;
}
