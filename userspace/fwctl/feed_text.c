// SPDX-License-Identifier: GPL-2.0-only
/* Feeds in words: our own, the arguments of CrowdSec's custom bouncer, ExaBGP's text. */
#include "fwctl/feed.h"

#include "base/duration.h"
#include "base/str.h"

#include <stdio.h>
#include <string.h>

static const struct feed_format formats[] = {
	{ "plain", feed_plain },
	{ "json", feed_json },
	{ "crowdsec", feed_crowdsec },
	{ "exabgp", feed_exabgp },
};

const struct feed_format *feed_format_find(const char *name)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (!strcmp(formats[i].name, name))
			return &formats[i];
	return NULL;
}

static const char *const no_memory = "finds no memory";

const char *feed_change(struct feed_line *l, bool del, const struct element *x)
{
	return l->sink->change(l->sink->ctx, del, x) ? no_memory : NULL;
}

const char *feed_mark(struct feed_line *l, unsigned int families)
{
	return l->sink->mark(l->sink->ctx, families) ? no_memory : NULL;
}

static void over(struct element *x)
{
	x->end = ELEMENT_END_AT;
	x->ns = 0;
}

const char *feed_duration(const char *s, size_t len, struct element *x)
{
	bool negative = len && *s == '-';
	const char *why = duration_parse(s + negative, len - negative, &x->ns);

	if (why)
		return why;
	x->end = ELEMENT_END_FOR;
	if (negative || !x->ns)
		over(x);
	return NULL;
}

const char *feed_seconds(double seconds, struct element *x)
{
	if (!(seconds < 9e9)) /* nor is it a number */
		return "is longer than 285 years";
	x->end = ELEMENT_END_FOR;
	x->ns = seconds > 0 ? (uint64_t)(seconds * 1e9) : 0;
	if (!x->ns)
		over(x);
	return NULL;
}

struct word {
	const char *s;
	size_t len;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The next word of the line; len 0: there is none. */
static struct word word_take(struct feed_line *l)
{
	struct word w;

	while (l->s < l->eol && is_blank(*l->s))
		l->s++;
	w.s = l->s;
	while (l->s < l->eol && !is_blank(*l->s))
		l->s++;
	w.len = (size_t)(l->s - w.s);
	return w;
}

static struct word word_peek(const struct feed_line *l)
{
	struct feed_line copy = *l;

	return word_take(&copy);
}

static bool word_is(struct word w, const char *text)
{
	return str_is(text, w.s, w.len);
}

static const char *bad(struct feed_line *l, struct word w, const char *why)
{
	l->bad = w.s;
	l->bad_end = w.s + w.len;
	return why;
}

static const char *address_take(struct feed_line *l, struct element *x)
{
	struct word w = word_take(l);
	const char *why = w.len ? addr_parse(w.s, w.len, &x->range) : "is not followed by an address";

	return why ? bad(l, w.len ? w : (struct word){ l->bad, (size_t)(l->bad_end - l->bad) }, why) : NULL;
}

static void reason_rest(struct feed_line *l, const char *stop, struct element *x)
{
	while (l->s < stop && is_blank(*l->s))
		l->s++;
	while (stop > l->s && is_blank(stop[-1]))
		stop--;
	x->reason = l->s;
	x->reason_len = (size_t)(stop - l->s);
}

/* `4h30m some reason`, `for 4h30m reason some reason`, or nothing. */
static const char *plain_tail(struct feed_line *l, struct element *x)
{
	struct word w = word_peek(l);
	char first[8] = "";

	if (w.len < sizeof(first))
		memcpy(first, w.s, w.len);
	if (element_is_tail(first))
		return element_tail(l->s, l->eol, true, x, &l->bad, &l->bad_end);
	if (w.len && (*w.s == '-' || (*w.s >= '0' && *w.s <= '9'))) {
		const char *why = feed_duration(w.s, w.len, x);
		if (why)
			return bad(l, w, why);
		word_take(l);
	}
	reason_rest(l, l->eol, x);
	return NULL;
}

const char *feed_plain(struct feed_line *l)
{
	struct element x = {};
	struct word w = word_peek(l);
	bool empty, del = word_is(w, "del");
	const char *why;

	if (word_is(w, "resync"))
		return feed_mark(l, FEED_ALL);
	if (!del && !word_is(w, "add")) {
		why = element_line(l->s, l->eol, &x, &empty, &l->bad, &l->bad_end);
		return why || empty ? why : feed_change(l, false, &x);
	}
	bad(l, word_take(l), NULL);
	why = address_take(l, &x);
	if (!why && !del)
		why = plain_tail(l, &x);
	return why ? why : feed_change(l, del, &x);
}

/* `add VALUE SECONDS REASON JSON`: the arguments that the custom bouncer calls a program with, on one line. */
const char *feed_crowdsec(struct feed_line *l)
{
	struct element x = {};
	struct word w = word_peek(l);
	bool del = word_is(w, "del");
	double seconds;
	char number[32];

	if (!w.len)
		return NULL;
	if (*w.s == '{')
		return feed_crowdsec_json(l);
	bad(l, word_take(l), NULL);
	if (!del && !word_is(w, "add"))
		return "is neither add nor del, nor a JSON object";
	const char *why = address_take(l, &x);
	if (why || del)
		return why ? why : feed_change(l, true, &x);
	w = word_take(l);
	snprintf(number, sizeof(number), "%.*s", (int)(w.len < 31 ? w.len : 31), w.s);
	int end = 0;
	if (!w.len || sscanf(number, "%lf%n", &seconds, &end) != 1 || (size_t)end != w.len)
		return bad(l, w, "is no number of seconds");
	why = feed_seconds(seconds, &x);
	if (why)
		return bad(l, w, why);
	const char *json = memmem(l->s, (size_t)(l->eol - l->s), " {", 2);
	reason_rest(l, json ? json : l->eol, &x);
	return feed_change(l, false, &x);
}

/* "1/1" and "2/1" are the numbers of the unicast families. */
static const char *exabgp_eor(struct feed_line *l)
{
	unsigned int families = 0;

	for (struct word w = word_take(l); w.len; w = word_take(l)) {
		if (word_is(w, "1/1") || word_is(w, "ipv4") || word_is(w, "(ipv4"))
			families |= FEED_IPV4;
		if (word_is(w, "2/1") || word_is(w, "ipv6") || word_is(w, "(ipv6"))
			families |= FEED_IPV6;
	}
	return feed_mark(l, families ? families : FEED_ALL);
}

/* All prefixes behind `nlri`. */
static const char *exabgp_many(struct feed_line *l, bool del, struct element *x)
{
	struct word w = word_take(l);

	while (w.len && !word_is(w, "nlri"))
		w = word_take(l);
	if (!w.len)
		return "names no prefix: there is no nlri";
	bad(l, w, NULL);
	do {
		const char *why = address_take(l, x);
		why = why ? why : feed_change(l, del, x);
		if (why)
			return why;
		w = word_peek(l);
	} while (w.len);
	return NULL;
}

/* Behind the verb. */
static const char *exabgp_route(struct feed_line *l, bool del, const char *reason)
{
	struct element x = { .reason = reason, .reason_len = strlen(reason) };
	struct word w = word_peek(l);

	if (word_is(w, "eor"))
		return exabgp_eor(l);
	if (word_is(w, "attributes") || word_is(w, "attribute"))
		return exabgp_many(l, del, &x);
	if (word_is(w, "ipv4") || word_is(w, "ipv6")) {
		word_take(l);
		if (!word_is(word_take(l), "unicast")) {
			l->sink->skipped++;
			return NULL;
		}
	} else if (word_is(w, "route")) {
		word_take(l);
	} else if (w.len && !memchr(w.s, '.', w.len) && !memchr(w.s, ':', w.len)) { /* flow, vpls, … */
		l->sink->skipped++;
		return NULL;
	}
	const char *why = address_take(l, &x);
	return why ? why : feed_change(l, del, &x);
}

/*
 * `neighbor 192.0.2.1 receive update announced 198.51.100.7/32 next-hop …`, as ExaBGP tells a program, `announce route
 * …`, as a program tells ExaBGP. Other events of neighbors are none of ours.
 */
const char *feed_exabgp(struct feed_line *l)
{
	static const char *const events[] = { "neighbor", "shutdown", "done", "error", "header", "body" };
	char reason[64] = "exabgp";
	struct word w = word_peek(l), first = w;

	if (!w.len || *w.s == '#')
		return NULL;
	if (*w.s == '{')
		return feed_exabgp_json(l);
	for (w = word_take(l); w.len; w = word_take(l)) {
		bool del = word_is(w, "withdraw") || word_is(w, "withdrawn");
		bad(l, w, NULL);
		if (del || word_is(w, "announce") || word_is(w, "announced"))
			return exabgp_route(l, del, reason);
		if (word_is(w, "eor"))
			return exabgp_eor(l);
		if (word_is(w, "send") || word_is(w, "sent"))
			break;
		if (word_is(w, "neighbor")) {
			struct word peer = word_peek(l);
			if (peer.len < 48)
				snprintf(reason, sizeof(reason), "exabgp %.*s", (int)peer.len, peer.s);
		}
	}
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		if (word_is(first, events[i])) {
			l->sink->skipped++;
			return NULL;
		}
	}
	return bad(l, first, "is no line of ExaBGP");
}
