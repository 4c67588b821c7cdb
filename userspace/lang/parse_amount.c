// SPDX-License-Identifier: GPL-2.0-only
/* Counts, durations and rates. */
#include "base/arena.h"
#include "base/duration.h"
#include "lang/parse.h"
#include "lang/words.h"

#include <string.h>

#define MAX_PACKETS 1000000000u		/* of a limit: in its period, and at once */
#define MAX_BITS    1000000000000ull	/* per second, and at once */
#define MAX_REFILL  (30 * DURATION_DAY) /* how long an empty bucket takes */
#define FULL_PACKET 1514		/* bytes of a frame, without a tag */
#define MAX_EVENTS  10000000u		/* per second, of a log: more than a reader follows */

bool parse_count(struct parser *p, const char *what, uint64_t max, uint64_t *ret)
{
	struct ast_text t = parser_text(p);
	const char *want;

	if (p->tok.kind == TOK_WORD && number_parse(t.s, t.len, ret) && *ret && *ret <= max) {
		parser_next(p);
		return true;
	}
	want = arena_printf(p->arena, "%s: a number from 1 to %llu", what, (unsigned long long)max);
	return parser_expected(p, want ? want : what, NULL);
}

bool parse_duration(struct parser *p, uint64_t unit, uint64_t max, uint64_t *ret_ns)
{
	struct ast_text t = parser_text(p);
	const char *why = p->tok.kind == TOK_WORD ? duration_parse(t.s, t.len, ret_ns) : "";
	struct diag *g;
	uint64_t v;

	if (why) {
		parser_expected(p, "a duration such as 30s, 10m, 1h30m or 5d", &g);
		if (p->tok.kind == TOK_WORD && number_parse(t.s, t.len, &v))
			diag_hint(p->d, g, "say the unit: %.*ss for seconds", (int)t.len, t.s);
		return false;
	}
	if (*ret_ns > max) {
		g = diag_add(p->d, DIAG_ERROR, t.span, "this duration is too long");
		diag_hint(p->d, g, "at most %llud", (unsigned long long)(max / DURATION_DAY));
		return false;
	}
	if (!*ret_ns || *ret_ns % unit) {
		diag_add(p->d, DIAG_ERROR, t.span,
			 !*ret_ns	      ? "a duration of nothing"
			 : unit == DURATION_S ? "expected whole seconds"
					      : "expected whole milliseconds");
		return false;
	}
	parser_next(p);
	return true;
}

static const char rate_words[] = "a limit such as 10/s, 5/m, 100/h, 1000/d, or 10mbit for bytes";

/* `10mbit`, `64kbit`: bytes, of a second where it is a rate. */
static bool bits_parse(const char *s, size_t len, uint64_t *ret_bytes)
{
	static const struct {
		const char *word;
		uint64_t bits;
	} words[] = { { "bit", 1 }, { "kbit", 1000 }, { "mbit", 1000000 }, { "gbit", 1000000000 } };
	size_t digits = 0;
	uint64_t v;

	while (digits < len && s[digits] >= '0' && s[digits] <= '9')
		digits++;
	if (!number_parse(s, digits, &v))
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!str_is(words[i].word, s + digits, len - digits))
			continue;
		if (__builtin_mul_overflow(v, words[i].bits, &v) || !v || v > MAX_BITS || v % 8)
			return false;
		*ret_bytes = v / 8;
		return true;
	}
	return false;
}

static bool rate_parse(const char *s, size_t len, struct limit *l)
{
	const char *slash = memchr(s, '/', len), *unit;
	size_t digits = slash ? (size_t)(slash - s) : len;

	if (!slash) {
		l->bytes = true;
		l->period_ns = DURATION_S;
		return bits_parse(s, len, &l->count);
	}
	for (size_t i = 0; (unit = rate_unit(i, &l->period_ns)); i++)
		if (str_is(unit, slash + 1, len - digits - 1))
			return number_parse(s, digits, &l->count) && l->count && l->count <= MAX_PACKETS;
	return false;
}

static bool take_rate(struct parser *p, struct limit *l)
{
	struct ast_text t = parser_text(p);
	struct diag *g;

	if (p->tok.kind == TOK_WORD && rate_parse(t.s, t.len, l)) {
		l->burst = l->count;
		parser_next(p);
		return true;
	}
	parser_expected(p, rate_words, &g);
	if (p->tok.kind == TOK_WORD && l->bytes && t.len > 3 && !memcmp(t.s + t.len - 3, "bit", 3))
		diag_hint(p->d, g, "from 8bit to 1000gbit, in whole bytes: a multiple of 8 bits");
	else
		diag_hint(p->d, g,
			  "packets per second, minute, hour or day, at most %u; or bit, kbit, mbit, gbit per second",
			  MAX_PACKETS);
	return false;
}

static bool take_burst(struct parser *p, struct limit *l)
{
	struct ast_text t = parser_text(p);
	struct diag *g;

	if (!l->bytes)
		return parse_count(p, "the burst", MAX_PACKETS, &l->burst);
	if (p->tok.kind != TOK_WORD || !bits_parse(t.s, t.len, &l->burst)) {
		parser_expected(p, "the burst in bit, kbit, mbit or gbit, such as 2mbit", &g);
		diag_hint(p->d, g, "this limit counts bytes, so its burst does, too");
		return false;
	}
	parser_next(p);
	return true;
}

bool parse_per(struct parser *p, bool only_src, enum per *ret, uint8_t *plen4, uint8_t *plen6)
{
	const char *what = only_src ? "src, or a prefix such as src/24" : "src, dst, flow, or a prefix such as src/24";
	struct ast_text t = parser_text(p);
	const char *slash = p->tok.kind == TOK_WORD ? memchr(t.s, '/', t.len) : NULL;
	size_t len = slash ? (size_t)(slash - t.s) : t.len;
	bool src = str_is("src", t.s, len), dst = str_is("dst", t.s, len), flow = str_is("flow", t.s, t.len);
	struct diag *g;
	uint64_t n = 128;

	if (p->tok.kind != TOK_WORD || !(src || (!only_src && (dst || flow))))
		return parser_expected(p, what, NULL);
	if (slash && (!number_parse(slash + 1, t.len - len - 1, &n) || !n || n > 128)) {
		g = diag_add(p->d, DIAG_ERROR, t.span, "the length of a prefix is from 1 to 128");
		diag_hint(p->d, g, "up to 32 it is that of IPv4, and IPv6 goes by /64; above, it is that of IPv6");
		return false;
	}
	parser_next(p);
	*ret = src ? PER_SRC : dst ? PER_DST : PER_FLOW;
	*plen4 = (uint8_t)(n > 32 ? 32 : n);
	*plen6 = (uint8_t)(n > 32 ? n : 64);
	return true;
}

/* The numbers of a limit must make a bucket that somebody can wait for. */
static bool check_burst(struct parser *p, const struct limit *l, struct span span)
{
	struct diag *g;

	if ((u128)l->burst * l->period_ns / l->count > MAX_REFILL) {
		g = diag_add(p->d, DIAG_ERROR, span, "at this rate the burst takes more than 30d to come back");
		diag_hint(p->d, g, "a smaller burst, or a higher rate");
		return false;
	}
	if (l->bytes && l->burst < FULL_PACKET) {
		g = diag_add(p->d, DIAG_WARNING, span,
			     "a full packet is always over this limit: the burst is %llu bytes",
			     (unsigned long long)l->burst);
		diag_hint(p->d, g, "packets have up to %u bytes: write \"burst 16kbit\" or more", FULL_PACKET);
	}
	return true;
}

bool parse_limit(struct parser *p, struct limit *ret)
{
	struct limit l = {};
	struct span span = parser_span(p);
	bool burst = false, per = false;

	if (!take_rate(p, &l))
		return false;
	while (parser_is(p, "burst") || parser_is(p, "per")) {
		bool is_burst = parser_is(p, "burst"), *given = is_burst ? &burst : &per;

		if (*given) {
			diag_add(p->d, DIAG_ERROR, parser_span(p), "\"%s\" is given twice", is_burst ? "burst" : "per");
			return false;
		}
		*given = true;
		parser_next(p);
		if (is_burst ? !take_burst(p, &l) : !parse_per(p, false, &l.per, &l.plen4, &l.plen6))
			return false;
	}
	span.end = p->prev_end;
	*ret = l;
	return check_burst(p, &l, span);
}

static bool take_log_rate(struct parser *p, struct limit *l)
{
	struct ast_text t = parser_text(p);
	bool known = p->tok.kind == TOK_WORD && rate_parse(t.s, t.len, l);
	struct diag *g;

	if (!known || l->bytes) {
		parser_expected(p, "a limit such as 10/s, 5/m, 100/h or 1000/d", &g);
		diag_hint(p->d, g, known ? "a log counts events, not bytes" : "events per second, minute, hour or day");
		return false;
	}
	if ((u128)l->count * DURATION_S > (u128)l->period_ns * MAX_EVENTS) {
		g = diag_add(p->d, DIAG_ERROR, t.span, "no reader follows so many events");
		diag_hint(p->d, g, "at most %u/s; without \"limit\" every packet is told of", MAX_EVENTS);
		return false;
	}
	l->burst = l->count;
	parser_next(p);
	return true;
}

bool parse_log_limit(struct parser *p, struct log_opts *ret)
{
	struct span span = parser_span(p);
	struct limit l = {};
	struct diag *g;

	if (!take_log_rate(p, &l))
		return false;
	if (parser_take(p, "burst") && !parse_count(p, "the burst", MAX_PACKETS, &l.burst))
		return false;
	if (parser_is(p, "burst")) {
		diag_add(p->d, DIAG_ERROR, parser_span(p), "\"burst\" is given twice");
		return false;
	}
	if (parser_is(p, "per")) {
		g = diag_add(p->d, DIAG_ERROR, parser_span(p), "the limit of a log has no \"per\"");
		diag_hint(p->d, g, "it counts all events of its rule; the limit of the rule itself stands before \"log\"");
		return false;
	}
	span.end = p->prev_end;
	ret->count = l.count;
	ret->period_ns = l.period_ns;
	ret->burst = l.burst;
	return check_burst(p, &l, span);
}
