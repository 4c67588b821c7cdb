// SPDX-License-Identifier: GPL-2.0-only
/*
 * Expectations, one per line, comments with #:
 *
 *     packets 1200            judged ones
 *     skipped 0
 *     pass 1100               also drop, reject
 *     ingress 700             also egress
 *     reason limit 12
 *     rule "web" 300          by label, in both directions together; or rule web.fw:12 300
 *     17 is drop by "banned"  packet 17 of the capture; by: a label, a reason, or nothing
 */
#include "base/cleanup.h"
#include "base/vec.h"
#include "fwctl/cmd.h"
#include "fwctl/input.h"
#include "fwctl/out.h"
#include "fwctl/replay.h"
#include "fwctl/words.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum expect_kind {
	EXPECT_PACKETS,
	EXPECT_SKIPPED,
	EXPECT_VERDICT,
	EXPECT_DIRECTION,
	EXPECT_REASON,
	EXPECT_RULE,
	EXPECT_PACKET
};

struct expect_line {
	enum expect_kind kind;
	unsigned int line;
	uint64_t n;	   /* how many; PACKET: its number */
	unsigned int what; /* verdict, direction, reason */
	const char *name;  /* RULE: label or place; PACKET: `by`, NULL: anything */
	bool met;	   /* PACKET */
};

struct words {
	const char *at, *end;
	char word[512];
	bool quoted, open; /* open: quotes that nothing closes, or more in them than a word can have */
};

/* Behind a backslash: xNN, as rule files and all that is printed have it, or the byte itself. */
static char escaped_next(struct words *w)
{
	const char hex[3] = { w->end - w->at > 2 ? w->at[1] : 0, w->end - w->at > 2 ? w->at[2] : 0 };

	if (*w->at == 'x' && isxdigit((unsigned char)hex[0]) && isxdigit((unsigned char)hex[1])) {
		w->at += 3;
		return (char)strtoul(hex, NULL, 16);
	}
	return *w->at++;
}

/* The next word, or text in quotes (\" \\ \xNN in it). False: the line is over, or `open`. */
static bool word_next(struct words *w)
{
	size_t n = 0;

	while (w->at < w->end && isspace((unsigned char)*w->at))
		w->at++;
	if (w->at == w->end || *w->at == '#')
		return false;
	w->quoted = *w->at == '"';
	w->at += w->quoted;
	while (w->at < w->end && n < sizeof(w->word) - 1 &&
	       (w->quoted ? *w->at != '"' : !isspace((unsigned char)*w->at))) {
		bool escaped = w->quoted && *w->at == '\\' && w->at + 1 < w->end;

		w->at += escaped;
		w->word[n++] = escaped ? escaped_next(w) : *w->at++;
	}
	w->word[n] = 0;
	w->open = w->quoted && (w->at == w->end || *w->at++ != '"');
	return !w->open;
}

static bool number_next(struct words *w, uint64_t *ret)
{
	char *end;

	if (!word_next(w) || !isdigit((unsigned char)w->word[0]))
		return false;
	errno = 0;
	*ret = strtoull(w->word, &end, 10);
	return !*end && !errno;
}

static bool verdict_find(const char *word, unsigned int *ret)
{
	for (*ret = 0; *ret < VERDICT_COUNT; (*ret)++)
		if (*ret != VERDICT_CONTINUE && !strcmp(word, word_verdict(*ret)))
			return true;
	return false;
}

static bool reason_find(const char *word, unsigned int *ret)
{
	for (*ret = 0; *ret < FW_REASON_COUNT; (*ret)++)
		if (!strcmp(word, word_reason(*ret)))
			return true;
	return false;
}

/* "web.fw:12" stands for ".../web.fw:12" too. */
static bool rule_named(const struct rule *r, const char *name)
{
	const char *colon = strrchr(name, ':');
	size_t len = colon ? (size_t)(colon - name) : 0, have = r->file ? strlen(r->file) : 0;
	char *end;

	if (r->label && !strcmp(r->label, name))
		return true;
	if (!colon || !len || !isdigit((unsigned char)colon[1]) || have < len ||
	    strncmp(r->file + have - len, name, len))
		return false;
	return (have == len || r->file[have - len - 1] == '/') && strtoul(colon + 1, &end, 10) == r->line && !*end;
}

static bool rule_exists(const struct policy *p, const char *name)
{
	for (int dir = 0; dir < DIRECTION_COUNT; dir++)
		for (size_t i = 0; i < p->chain[dir].nrules; i++)
			if (rule_named(&p->chain[dir].rules[i], name))
				return true;
	return false;
}

/* NULL, or what is wrong with the line. Its first word has been read. */
static const char *packet_line(struct expect *e, struct words *w, const struct policy *policy, struct expect_line *x)
{
	unsigned int reason;

	x->kind = EXPECT_PACKET;
	if (!word_next(w) || strcmp(w->word, "is"))
		return "\"is\" stands behind the number of a packet";
	if (!word_next(w) || !verdict_find(w->word, &x->what))
		return "pass, drop or reject is expected";
	if (!word_next(w))
		return NULL;
	if (strcmp(w->word, "by") || !word_next(w))
		return "\"by\" and a label or a reason is expected";
	x->name = arena_strdup(e->arena, w->word);
	if (!rule_exists(policy, w->word) && !reason_find(w->word, &reason))
		return "no rule has this label, and it is no reason";
	return x->name ? NULL : "no memory";
}

static const char *line_parse(struct expect *e, struct words *w, const struct policy *policy, struct expect_line *x)
{
	char *end;

	if (isdigit((unsigned char)w->word[0])) {
		x->n = strtoull(w->word, &end, 10);
		return *end ? "a number or a word is expected" : packet_line(e, w, policy, x);
	}
	if (!strcmp(w->word, "packets") || !strcmp(w->word, "skipped")) {
		x->kind = w->word[0] == 'p' ? EXPECT_PACKETS : EXPECT_SKIPPED;
	} else if (!strcmp(w->word, "ingress") || !strcmp(w->word, "egress")) {
		x->kind = EXPECT_DIRECTION;
		x->what = w->word[0] == 'e' ? DIRECTION_EGRESS : DIRECTION_INGRESS;
	} else if (verdict_find(w->word, &x->what)) {
		x->kind = EXPECT_VERDICT;
	} else if (!strcmp(w->word, "reason")) {
		x->kind = EXPECT_REASON;
		if (!word_next(w) || !reason_find(w->word, &x->what))
			return "a reason is expected";
	} else if (!strcmp(w->word, "rule")) {
		x->kind = EXPECT_RULE;
		if (!word_next(w) || !rule_exists(policy, w->word))
			return "no rule of the policy has this label or place";
		x->name = arena_strdup(e->arena, w->word);
		if (!x->name)
			return "no memory";
	} else {
		return "packets, skipped, ingress, egress, pass, drop, reject, reason, rule or the number of a packet "
		       "is expected";
	}
	return number_next(w, &x->n) ? NULL : "a number is expected";
}

static int by_number(const void *a, const void *b)
{
	const struct expect_line *x = a, *y = b;

	return x->n < y->n ? -1 : x->n > y->n;
}

static int line_read(struct expect *e, const char *at, const char *end, unsigned int line, const struct policy *policy)
{
	struct expect_line x = { .line = line };
	struct words w = { .at = at, .end = end };
	const char *why = NULL;

	if (word_next(&w))
		why = line_parse(e, &w, policy, &x);
	else if (!w.open)
		return 0;
	if (!why && word_next(&w))
		why = "there is a word too many";
	if (w.open)
		why = "the quotes are not closed";
	if (why) {
		problem("%s:%u: %s", out_name(e->path), line, why);
		return -EINVAL;
	}
	return x.kind == EXPECT_PACKET ? vec_push(&e->packets, x) : vec_push(&e->lines, x);
}

int expect_read(struct expect *e, const char *path, const struct policy *policy)
{
	struct input in;
	unsigned int line = 0;
	int err = 0, status;

	*e = (struct expect){ .path = path, .arena = arena_new(), .differ = json_array() };
	status = e->arena && e->differ ? input_read(&in, path) : STATUS_REFUSED;
	if (status)
		return status;
	for (const char *at = in.text, *end = at + in.len; at && at < end;) {
		const char *eol = memchr(at, '\n', (size_t)(end - at));
		int bad = line_read(e, at, eol ? eol : end, ++line, policy);

		err = err ?: bad;
		at = eol ? eol + 1 : end;
	}
	input_free(&in);
	if (!err && !e->lines.n && !e->packets.n) {
		problem("%s expects nothing: --write-expect makes a file that does", out_name(path));
		err = -EINVAL;
	}
	if (!err && e->packets.n)
		qsort(e->packets.v, e->packets.n, sizeof(*e->packets.v), by_number);
	return err ? STATUS_WRONG : STATUS_DONE;
}

void expect_fini(struct expect *e)
{
	vec_fini(&e->lines);
	vec_fini(&e->packets);
	arena_free(e->arena);
	json_decref(e->differ);
	*e = (struct expect){};
}

static void __attribute__((format(printf, 3, 4)))
differ(struct expect *e, const struct expect_line *x, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	e->failed++;
	json_array_append_new(e->differ, json_pack("{s:i,s:o}", "line", (int)x->line, "text", out_jstr(text)));
	if (!e->quiet)
		out("%s:%u: %s\n", out_name(e->path), x->line, text);
}

void expect_packet(struct expect *e, const struct policy *policy, const struct replay_packet *p, const struct judged *j)
{
	for (; e->at < e->packets.n && e->packets.v[e->at].n <= p->number; e->at++) {
		struct expect_line *x = &e->packets.v[e->at];
		const struct rule *r = j->rule >= 0 ? &policy->chain[p->dir].rules[j->rule] : NULL;
		bool by;

		if (x->n < p->number)
			continue; /* skipped: expect_end says so */
		x->met = true;
		by = !x->name || !strcmp(x->name, word_reason(j->reason)) ||
		     (r && j->reason == FW_REASON_RULE && rule_named(r, x->name));
		if (x->what != (unsigned int)j->verdict || !by)
			differ(e, x, "packet %llu was to be %s%s%s, and is %s", (unsigned long long)x->n,
			       word_verdict(x->what), x->name ? " by " : "", x->name ? out_name(x->name) : "",
			       judged_text(policy, p->dir, j));
	}
}

static uint64_t rule_packets(const struct tally *t, const char *name)
{
	uint64_t n = 0;

	for (int dir = 0; dir < DIRECTION_COUNT; dir++)
		for (size_t i = 0; i < t->policy->chain[dir].nrules; i++)
			if (rule_named(&t->policy->chain[dir].rules[i], name))
				n += t->rule[dir][i].packets;
	return n;
}

static void line_compare(struct expect *e, const struct expect_line *x, const struct replay_source *s,
			 const struct tally *t)
{
	char what[600] = "";
	uint64_t got = 0;

	switch (x->kind) {
	case EXPECT_PACKETS:
		snprintf(what, sizeof(what), "packets");
		got = t->judged;
		break;
	case EXPECT_SKIPPED:
		snprintf(what, sizeof(what), "skipped");
		got = s->skipped;
		break;
	case EXPECT_VERDICT:
		snprintf(what, sizeof(what), "%s", word_verdict(x->what));
		got = t->verdict[x->what];
		break;
	case EXPECT_DIRECTION:
		snprintf(what, sizeof(what), "%s", word_dir(x->what));
		got = t->dir[x->what];
		break;
	case EXPECT_REASON:
		snprintf(what, sizeof(what), "reason %s", word_reason(x->what));
		got = t->reason[x->what].packets;
		break;
	default:
		snprintf(what, sizeof(what), "rule %s", out_name(x->name));
		got = rule_packets(t, x->name);
		break;
	}
	if (got != x->n)
		differ(e, x, "%s: expected %llu, got %llu", what, (unsigned long long)x->n, (unsigned long long)got);
}

int expect_end(struct expect *e, const struct replay_source *s, const struct tally *t)
{
	for (size_t i = 0; i < e->packets.n; i++)
		if (!e->packets.v[i].met)
			differ(e, &e->packets.v[i], "packet %llu was not judged",
			       (unsigned long long)e->packets.v[i].n);
	for (size_t i = 0; i < e->lines.n; i++)
		line_compare(e, &e->lines.v[i], s, t);
	if (!e->quiet && e->failed)
		out("%s not met\n", word_count(e->failed, "expectation"));
	else if (!e->quiet)
		out("all %s met\n", word_count(e->lines.n + e->packets.n, "expectation"));
	return e->failed ? STATUS_REFUSED : STATUS_DONE;
}

static void write_quoted(FILE *f, const char *s)
{
	fputc('"', f);
	for (; *s; s++)
		fprintf(f, *s == '"' || *s == '\\' ? "\\%c" : *s >= ' ' && *s < 0x7f ? "%c" : "\\x%02x", (unsigned char)*s);
	fputc('"', f);
}

/* A label names the rules of both directions that have it: it is written once. */
static bool label_before(const struct policy *p, int dir, size_t rule)
{
	const char *label = p->chain[dir].rules[rule].label;

	for (int d = 0; d <= dir; d++)
		for (size_t i = 0; i < (d == dir ? rule : p->chain[d].nrules); i++)
			if (p->chain[d].rules[i].label && !strcmp(p->chain[d].rules[i].label, label))
				return true;
	return false;
}

static void write_rule(FILE *f, const struct tally *t, int dir, size_t i)
{
	const struct rule *r = &t->policy->chain[dir].rules[i];
	const char *base = r->file ? strrchr(r->file, '/') : NULL;

	if (r->label) {
		if (label_before(t->policy, dir, i))
			return;
		fputs("rule ", f);
		write_quoted(f, r->label);
		fprintf(f, " %llu\n", (unsigned long long)rule_packets(t, r->label));
	} else {
		char place[512];

		snprintf(place, sizeof(place), "%s:%u", base ? base + 1 : r->file ? r->file : "?", r->line);
		fputs("rule ", f);
		write_quoted(f, place);
		fprintf(f, " %llu\n", (unsigned long long)rule_packets(t, place));
	}
}

int expect_write(const char *path, const struct replay_source *s, const struct tally *t)
{
	auto_fclose FILE *f = fopen(path, "we");

	if (!f) {
		problem("cannot write %s: %s", out_name(path), strerror(errno));
		return STATUS_REFUSED;
	}
	fprintf(f,
		"# what `fwctl replay --expect` compares with; `17 is drop by \"label\"` would speak of one packet\n");
	fprintf(f, "packets %llu\nskipped %llu\n", (unsigned long long)t->judged, (unsigned long long)s->skipped);
	for (unsigned int d = 0; d < DIRECTION_COUNT; d++)
		fprintf(f, "%s %llu\n", word_dir(d), (unsigned long long)t->dir[d]);
	for (unsigned int v = 0; v < VERDICT_COUNT; v++)
		if (v != VERDICT_CONTINUE)
			fprintf(f, "%s %llu\n", word_verdict(v), (unsigned long long)t->verdict[v]);
	for (unsigned int i = 0; i < FW_REASON_COUNT; i++)
		if (t->reason[i].packets)
			fprintf(f, "reason %s %llu\n", word_reason(i), (unsigned long long)t->reason[i].packets);
	for (int dir = 0; dir < DIRECTION_COUNT; dir++)
		for (size_t i = 0; i < t->policy->chain[dir].nrules; i++)
			if (!t->policy->chain[dir].rules[i].essential || t->rule[dir][i].packets)
				write_rule(f, t, dir, i);
	if (fflush(f) || ferror(f)) {
		problem("cannot write %s: %s", out_name(path), strerror(errno));
		return STATUS_REFUSED;
	}
	return STATUS_DONE;
}
