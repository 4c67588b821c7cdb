/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sequences in words, for the tests of track.c. One line each:
 *
 *	in|out PACKET -> VERDICT REASON STATE	the reason with the number of the rule that matched: "rule0", "limit2"
 *	after DURATION				1ns, 5ms, 30s
 *	before DURATION				to the last moment of a timeout that was set now
 *	add SET HOST/PLEN [DURATION]	del SET HOST/PLEN
 *	policy N				that one is in force now
 *	flows N					so many have not ended
 *
 *	PACKET: tcp HOST:PORT HOST:PORT FLAGS | udp|sctp HOST:PORT HOST:PORT | gre HOST HOST | icmp TYPE ID HOST HOST | arp
 *		[first|later] [len N] [ttl N] [vlan N]
 *		tcp alone: [seq N] [ack N] [win N] [scale N] [data N]	numbers of its header, an option, bytes behind it
 *	or: error TYPE HOST HOST [cut N] [byte AT VALUE]… quotes PACKET		byte AT of the quote is VALUE
 *
 * Hosts a, c (one /24 and /64), d, e are outside, b and f inside; a6 and so on their IPv6 addresses. FLAGS: of FSRPA, "-": none.
 */
#ifndef FW_TESTS_TRACK_WORDS_H
#define FW_TESTS_TRACK_WORDS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "model/track.h"
#include "unit/eval_words.h"

#define TCP   VAL(PROTO, BOTH(6))
#define UDP   VAL(PROTO, BOTH(17))
#define KEEP  .keep_state = true
#define PORT(p) VAL(DPORT, ONE(p))
#define STATE_IS(s) VAL(STATE, ONE(STATE_##s))
#define LIVE_SRC(bits) .live_src = { (bits), false }
#define NAME(t) .label = (t)
#define OF(what, ...)  { .verdict = VERDICT_##what, .families = IP, .text = "", __VA_ARGS__ }
#define PASSES(...)    OF(PASS, __VA_ARGS__)
#define DROPS(...)     OF(DROP, __VA_ARGS__)
#define COUNTS(...)    OF(CONTINUE, __VA_ARGS__)
#define REJECTS(...)   OF(REJECT, __VA_ARGS__)

#define START ((uint64_t)1 << 40) /* the first moment of a tick */

struct words {
	const char *at; /* what is left of the line */
	char word[32];
	/* of TCP, behind a packet's other words */
	bool numbers;
	uint32_t seq, ack, win, scale, data; /* scale: 1 + N */
};

static const char *word_next(struct words *w)
{
	size_t n = strspn(w->at, " "), len = strcspn(w->at + n, " \n");

	assert_true(len < sizeof(w->word));
	memcpy(w->word, w->at + n, len);
	w->word[len] = 0;
	w->at += n + len;
	return w->word;
}

static bool word_is(struct words *w, const char *word)
{
	struct words ahead = *w;

	if (strcmp(word_next(&ahead), word))
		return false;
	*w = ahead;
	return true;
}

static unsigned long word_number(struct words *w)
{
	char *end;
	unsigned long n = strtoul(word_next(w), &end, 0);

	if (*end || !*w->word)
		fail_msg("not a number: \"%s\"", w->word);
	return n;
}

static inline uint64_t word_duration(struct words *w)
{
	char unit[3];
	unsigned long long n;

	if (sscanf(word_next(w), "%llu%2s", &n, unit) != 2)
		fail_msg("not a duration: \"%s\"", w->word);
	return n * (!strcmp(unit, "s") ? 1000000000 : !strcmp(unit, "ms") ? 1000000 : !strcmp(unit, "us") ? 1000 : 1);
}

/* "a", "b6:22" */
static u128 word_host(struct words *w, enum family *family, uint16_t *port)
{
	static const uint32_t v4[] = { 0xc6336401, 0xc0000201, 0xc6336402, 0xc6336501, 0xcb007107, 0xc0000202 };
	static const uint64_t net[] = { 1, 2, 1, 0x101, 3, 2 }, host[] = { 1, 1, 2, 1, 1, 2 };
	const char *s = word_next(w), *colon = strchr(s, ':');
	unsigned int i = (unsigned int)(s[0] - 'a');

	assert_true(i < 6);
	*family = s[1] == '6' ? FAMILY_IPV6 : FAMILY_IPV4;
	if (colon)
		*port = (uint16_t)strtoul(colon + 1, NULL, 10);
	return *family == FAMILY_IPV6 ? (u128)(0x20010db800000000 | net[i]) << 64 | host[i] : v4[i];
}

static uint8_t word_flags(struct words *w)
{
	static const char letters[] = "FSRPA";
	uint8_t flags = 0;

	for (const char *s = word_next(w); *s && *s != '-'; s++) {
		assert_non_null(strchr(letters, *s));
		flags |= (uint8_t)(1u << (strchr(letters, *s) - letters));
	}
	return flags;
}

static bool words_number(struct words *w)
{
	static const char *const names[] = { "seq", "ack", "win", "scale", "data" };
	uint32_t *const to[] = { &w->seq, &w->ack, &w->win, &w->scale, &w->data };

	for (size_t i = 0; i < 5; i++)
		if (word_is(w, names[i])) {
			*to[i] = (uint32_t)word_number(w) + (i == 3);
			w->numbers = true;
			return true;
		}
	return false;
}

static void words_options(struct words *w, struct packet_spec *s)
{
	for (;;)
		if (word_is(w, "first"))
			s->frag = FRAG_FIRST;
		else if (word_is(w, "later"))
			s->frag = FRAG_LATER;
		else if (word_is(w, "len"))
			s->len = (unsigned int)word_number(w);
		else if (word_is(w, "ttl"))
			s->has_ttl = true, s->ttl = (uint8_t)word_number(w);
		else if (word_is(w, "vlan"))
			s->has_vlan = true, s->vlan = (uint16_t)word_number(w);
		else if (!words_number(w))
			return;
}

/* Write them into a packet of TCP. */
static void words_numbers(const struct words *w, uint8_t *frame, size_t len)
{
	struct packet p;
	uint8_t *h;

	assert_int_equal(packet_parse(frame, len, NULL, &p), PACKET_OK);
	h = frame + p.l4_off;
	for (int i = 0; i < 4; i++) {
		h[4 + i] = (uint8_t)(w->seq >> 8 * (3 - i));
		h[8 + i] = (uint8_t)(w->ack >> 8 * (3 - i));
	}
	h[14] = (uint8_t)(w->win >> 8);
	h[15] = (uint8_t)w->win;
	if (!w->scale)
		return;
	h[12] = 6 << 4;
	memcpy(h + 20, (const uint8_t[]){ 1, 3, 3, (uint8_t)(w->scale - 1) }, 4);
}

#define WORDS_FRAME 2048
static size_t words_build(const struct packet_spec *s, uint8_t *frame)
{
	long len = packet_build(s, frame, WORDS_FRAME);

	if (len <= 0)
		fail_msg("no such packet: %ld", len);
	return (size_t)len;
}

static size_t words_packet(struct words *w, uint8_t *frame);

static size_t words_error(struct words *w, uint8_t *frame)
{
	struct packet_spec s = { .has_icmp = true, .icmp_type = (uint8_t)word_number(w) };
	size_t at[8], n = 0, cut = SIZE_MAX, len;
	uint8_t value[8], quoted[WORDS_FRAME];
	struct packet p;

	s.src = word_host(w, &s.family, &s.sport);
	s.dst = word_host(w, &s.family, &s.sport);
	s.protocol = s.family == FAMILY_IPV4 ? 1 : 58;
	if (word_is(w, "cut"))
		cut = word_number(w);
	for (; word_is(w, "byte"); n++) {
		assert_true(n < 8);
		at[n] = word_number(w);
		value[n] = (uint8_t)word_number(w);
	}
	assert_true(word_is(w, "quotes"));
	words_packet(w, quoted);
	assert_int_equal(packet_parse(quoted, WORDS_FRAME, NULL, &p), PACKET_OK);
	len = p.end - 14 < cut ? p.end - 14 : cut;
	while (n-- > 0)
		quoted[14 + at[n]] = value[n];
	s.len = packet_spec_min_len(&s) + (unsigned int)len;
	words_build(&s, frame);
	memcpy(frame + 14 + s.len - len, quoted + 14, len);
	return 14 + s.len;
}

/* The frame, filled up with zeroes to WORDS_FRAME. Its length. */
static size_t words_packet(struct words *w, uint8_t *frame)
{
	struct packet_spec s = {};
	size_t len;
	struct packet p;
	uint16_t id = 0;

	memset(frame, 0, WORDS_FRAME);
	if (word_is(w, "error"))
		return words_error(w, frame);
	if (word_is(w, "arp"))
		return words_build(&(struct packet_spec){ .has_ethertype = true, .ethertype = 0x806 }, frame);
	word_next(w);
	s.protocol = !strcmp(w->word, "tcp")  ? 6 :
		     !strcmp(w->word, "udp")  ? 17 :
		     !strcmp(w->word, "sctp") ? 132 :
		     !strcmp(w->word, "gre")  ? 47 :
						1;
	if (s.protocol == 1) {
		assert_string_equal(w->word, "icmp");
		s.has_icmp = true;
		s.icmp_type = (uint8_t)word_number(w);
		id = (uint16_t)word_number(w);
	}
	s.src = word_host(w, &s.family, &s.sport);
	s.dst = word_host(w, &s.family, &s.dport);
	if (s.protocol == 1 && s.family == FAMILY_IPV6)
		s.protocol = 58;
	s.has_ports = !s.has_icmp && s.protocol != 47;
	if (s.protocol == 6)
		s.has_flags = true, s.flags = word_flags(w);
	w->numbers = false;
	w->seq = w->ack = w->scale = w->data = 0;
	w->win = 65535;
	words_options(w, &s);
	if (w->data || w->scale)
		s.len = packet_spec_min_len(&s) + w->data + (w->scale ? 4 : 0);
	if (s.frag == FRAG_LATER)
		s.has_ports = s.has_flags = s.has_icmp = false;
	len = words_build(&s, frame);
	if (w->numbers)
		words_numbers(w, frame, len);
	if (s.has_icmp && !packet_parse(frame, len, NULL, &p)) {
		frame[p.l4_off + 4] = (uint8_t)(id >> 8);
		frame[p.l4_off + 5] = (uint8_t)id;
	}
	return len;
}

/* One sequence under way. */
struct sequence {
	struct track *t;
	struct policy *const *policies;
	const struct policy *policy;
	const char *line;
	size_t counted;
};

static inline void sequence_counted(void *ctx, size_t rule)
{
	((struct sequence *)ctx)->counted++;
}

static inline void sequence_packet(struct sequence *q, struct words *w, enum direction dir)
{
	static const char *const verdicts[] = { "drop", "pass", "count", "reject" },
				 *const states[] = { "none", "new", "est", "rel", "inv" };
	uint8_t frame[WORDS_FRAME];
	size_t len = words_packet(w, frame);
	struct eval_result r;
	char got[64], number[24] = "";

	assert_int_equal(track_frame(q->t, q->policy, dir, frame, len, NULL, sequence_counted, q, &r), 0);
	if (!word_is(w, "->"))
		fail_msg("no \"->\" where \"%s\" begins", w->at);
	if (r.rule >= 0)
		snprintf(number, sizeof(number), "%ld", r.rule);
	snprintf(got, sizeof(got), " %s %s%s %s", verdicts[r.verdict], eval_reason_word(&r), number, states[r.state]);
	if (strcspn(w->at, "\n") != strlen(got) || strncmp(got, w->at, strlen(got)))
		fail_msg("not%s, for: %.*s", got, (int)strcspn(q->line, "\n"), q->line);
}

static inline void sequence_set(struct sequence *q, struct words *w, bool add)
{
	char name[32], host[8];
	const struct named_set *set = NULL;
	enum family family;
	unsigned int plen;
	uint16_t port;
	u128 addr;

	strcpy(name, word_next(w));
	for (size_t i = 0; i < q->policy->nlive; i++)
		if (!strcmp(q->policy->live[i]->name, name))
			set = q->policy->live[i];
	assert_non_null(set);
	assert_int_equal(sscanf(word_next(w), "%7[^/]/%u", host, &plen), 2);
	addr = word_host(&(struct words){ .at = host }, &family, &port);
	if (!add) {
		track_set_del(q->t, set, family, addr, plen);
		return;
	}
	assert_int_equal(track_set_add(q->t, set, family, addr, plen,
				       *w->at == ' ' ? track_now(q->t) + word_duration(w) : UINT64_MAX),
			 0);
}

static inline void sequence_line(struct sequence *q)
{
	struct words w = { .at = q->line };
	uint64_t now = track_now(q->t);

	if (word_is(&w, "in"))
		sequence_packet(q, &w, DIRECTION_INGRESS);
	else if (word_is(&w, "out"))
		sequence_packet(q, &w, DIRECTION_EGRESS);
	else if (word_is(&w, "after"))
		track_clock(q->t, now + word_duration(&w));
	else if (word_is(&w, "before"))
		track_clock(q->t, (((now >> 20) + (word_duration(&w) >> 20)) << 20) - 1);
	else if (word_is(&w, "add"))
		sequence_set(q, &w, true);
	else if (word_is(&w, "del"))
		sequence_set(q, &w, false);
	else if (word_is(&w, "policy"))
		q->policy = q->policies[word_number(&w)];
	else if (word_is(&w, "flows"))
		assert_int_equal(track_flows(q->t), word_number(&w));
	else
		fail_msg("what is \"%s\"?", q->line);
}

/* Tables made now, the first policy in force. Returns how often `count` rules counted. */
static inline size_t sequence_of(struct policy *const *policies, const char *text)
{
	static struct arena *arena; /* policies that are used again keep their implied states */
	struct sequence q = { .t = track_new(START), .policies = policies, .policy = policies[0], .line = text };

	arena = arena ?: arena_new();
	assert_non_null(q.t);
	for (size_t i = 0; policies[i]; i++)
		assert_int_equal(policy_track(policies[i], arena), 0);
	for (const char *end; *q.line; q.line = end) {
		end = strchr(q.line, '\n');
		assert_non_null(end);
		end++;
		if (*q.line != '#')
			sequence_line(&q);
	}
	track_free(q.t);
	return q.counted;
}
#define SEQUENCE(text, ...) sequence_of((struct policy *const[]){ __VA_ARGS__, NULL }, (text))

/* No pickup. A direction that is not named has no block. */
#define POLICY(...)                                                                                                    \
	(&(struct policy){ .name = "test",                                                                             \
			   .state = { .timeout_s = { 30, 432000, 120, 10, 30, 120, 10, 20, 121 } },                    \
			   __VA_ARGS__ })
#define BLOCK(fall, ...)                                                                                               \
	{                                                                                                              \
		.present = true, .fallback = fall, .rules = (struct rule[]){ __VA_ARGS__ },                            \
		.nrules = sizeof((struct rule[]){ __VA_ARGS__ }) / sizeof(struct rule)                                 \
	}
#define IN_DROP(...)  .chain[DIRECTION_INGRESS] = BLOCK(VERDICT_DROP, __VA_ARGS__)
#define IN_PASS(...)  .chain[DIRECTION_INGRESS] = BLOCK(VERDICT_PASS, __VA_ARGS__)
#define OUT_DROP(...) .chain[DIRECTION_EGRESS] = BLOCK(VERDICT_DROP, __VA_ARGS__)
#define OUT_PASS(...) .chain[DIRECTION_EGRESS] = BLOCK(VERDICT_PASS, __VA_ARGS__)
#define CLOSED	      .chain[DIRECTION_EGRESS] = { .present = true, .fallback = VERDICT_DROP }
#define LIVE(...)                                                                                                      \
	.live = { __VA_ARGS__ }, .nlive = sizeof((const struct named_set *[]){ __VA_ARGS__ }) / sizeof(void *)

#endif
