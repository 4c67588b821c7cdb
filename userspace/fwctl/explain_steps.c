// SPDX-License-Identifier: GPL-2.0-only
/* The words of `explain`: one packet, or packets and what happens between them, separated by semicolons. */
#include "base/cleanup.h"
#include "base/duration.h"
#include "base/vec.h"
#include "fwctl/capture.h"
#include "fwctl/explain.h"
#include "fwctl/out.h"
#include "fwctl/words.h"
#include "lang/lang.h"
#include "lang/number.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_TIMES 100000
#define MAX_STEPS 10000
#define MAX_AFTER (365 * DURATION_DAY)
#define MAX_STAY  (3650 * DURATION_DAY) /* of an element */

/* A step being read. */
struct reading {
	struct explain *e;
	const char *at, *end; /* what is left of it */
	size_t number;	      /* from 1 */
	bool alone;	      /* there is no other one */
	bool told_way;	      /* ingress or egress stands there */
};

static int __attribute__((format(printf, 2, 3))) wrong(const struct reading *r, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (r->alone)
		problem("%s", text);
	else
		problem("step %zu: %s", r->number, text);
	return STATUS_WRONG;
}

static void trim(struct reading *r)
{
	while (r->at < r->end && isspace((unsigned char)*r->at))
		r->at++;
	while (r->at < r->end && isspace((unsigned char)r->end[-1]))
		r->end--;
}

/* The next word as a span; empty at the end. */
static size_t word_len(const struct reading *r)
{
	size_t n = 0;

	while (r->at + n < r->end && !isspace((unsigned char)r->at[n]))
		n++;
	return n;
}

static bool word_take(struct reading *r, const char *word)
{
	size_t n = word_len(r);

	if (!str_is(word, r->at, n))
		return false;
	r->at += n;
	trim(r);
	return true;
}

static int duration_take(struct reading *r, uint64_t max, uint64_t *ret)
{
	size_t n = word_len(r);
	const char *why = duration_parse(r->at, n, ret);

	if (why)
		return wrong(r, "a duration such as 10s is expected, not \"%.*s\"", (int)n, r->at);
	if (*ret > max)
		return wrong(r, "%.*s is too long", (int)n, r->at);
	r->at += n;
	trim(r);
	return STATUS_DONE;
}

static int read_after(struct reading *r, struct explain_step *s)
{
	int status = duration_take(r, MAX_AFTER, &s->ns);

	s->kind = STEP_AFTER;
	if (!status && r->at < r->end)
		return wrong(r, "nothing stands behind the duration");
	return status;
}

/* `add @set ADDRESS [for 1h]`, `del @set ADDRESS` */
static int read_element(struct reading *r, struct explain_step *s, enum step kind)
{
	size_t n = word_len(r);
	struct addr_range a;
	const char *why;
	int status = STATUS_DONE;

	s->kind = kind;
	if (n < 2 || r->at[0] != '@')
		return wrong(r, "the @set is expected, not \"%.*s\"", (int)n, r->at);
	s->set = arena_strndup(r->e->arena, r->at + 1, n - 1);
	r->at += n;
	trim(r);
	n = word_len(r);
	why = addr_parse(r->at, n, &a);
	if (why || a.is_range || !s->set)
		return wrong(r, "one address or prefix is expected, not \"%.*s\"", (int)n, r->at);
	s->family = a.family;
	s->addr = a.lo;
	s->plen = a.family == FAMILY_IPV4 ? 32 : 128;
	for (u128 differ = a.lo ^ a.hi; differ; differ >>= 1)
		s->plen--;
	r->at += n;
	trim(r);
	if (kind == STEP_ADD && word_take(r, "for"))
		status = duration_take(r, MAX_STAY, &s->ns);
	if (!status && r->at < r->end)
		return wrong(r, "nothing stands behind the address%s",
			     kind == STEP_ADD ? " but \"for\" and how long" : "");
	return status;
}

static int captured_take(struct reading *r, const struct capture *c, const struct capture_packet *p,
			 struct explain_step *s)
{
	uint8_t *frame;

	if (p->skip)
		return wrong(r, "packet %llu of %s is none to be judged: %s", (unsigned long long)p->number,
			     capture_name(c), p->skip);
	if (p->cut)
		problem("note: the capture holds %zu of the packet's %zu bytes; those that are missing are taken as "
			"zero",
			p->have, p->len);
	if (p->made)
		problem("note: captured without Ethernet: a header is made for it, whose MAC says nothing");
	frame = arena_alloc(r->e->arena, p->len + 1);
	if (!frame)
		return wrong(r, "no memory");
	memcpy(frame, p->frame, p->len);
	if (!r->told_way && p->way != CAPTURE_WAY_UNKNOWN)
		s->dir = p->way == CAPTURE_WAY_OUT ? DIRECTION_EGRESS : DIRECTION_INGRESS;
	s->frame = frame;
	s->len = p->len;
	return STATUS_DONE;
}

/* Packet `number` of a capture. */
static int capture_find(struct reading *r, const char *path, uint64_t number, struct explain_step *s)
{
	struct capture *c = NULL;
	struct fail fail = {};
	struct capture_packet p = {};
	int got = capture_open(path, &fail, &c) ? -1 : 1, status;

	while (got == 1 && p.number < number)
		got = capture_next(c, &p);
	if (got < 0)
		status = wrong(r, "%s", fail.text);
	else if (!got)
		status = wrong(r, "%s has %s: there is no #%llu", capture_name(c), word_count(p.number, "packet"),
			       (unsigned long long)number);
	else
		status = captured_take(r, c, &p, s);
	capture_close(c);
	return status;
}

/* `pcap FILE#N` */
static int read_captured(struct reading *r, struct explain_step *s)
{
	size_t len = (size_t)(r->end - r->at);
	char *path = arena_strndup(r->e->arena, r->at, len), *hash = path ? strrchr(path, '#') : NULL, *end = NULL;
	unsigned long long number = 1;

	if (!path)
		return wrong(r, "no memory");
	if (hash) {
		number = strtoull(hash + 1, &end, 10);
		if (!hash[1] || *end || !number)
			return wrong(r, "which packet of the capture? write pcap FILE#N, counted from 1");
		*hash = 0;
	}
	return capture_find(r, path, number, s);
}

static int read_words(struct reading *r, struct explain_step *s)
{
	size_t len = (size_t)(r->end - r->at);
	const char *name = r->alone ? "packet" : arena_printf(r->e->arena, "step %zu", r->number);
	auto_free uint8_t *big = malloc(PACKET_MAX_FRAME);
	struct packet_spec *spec = NULL;
	struct diags diags;
	uint8_t *frame;
	long got;
	int err;

	diags_init(&diags, r->e->arena);
	err = lang_parse_packet(r->e->arena, name, r->at, len, &diags, &spec);
	problem_diags(&diags);
	diags_fini(&diags);
	if (err == -EINVAL)
		return STATUS_WRONG;
	got = err ? err : big ? packet_build(spec, big, PACKET_MAX_FRAME) : -ENOMEM;
	frame = got >= 0 ? arena_alloc(r->e->arena, (size_t)got + 1) : NULL;
	if (got >= 0 && !frame)
		got = -ENOMEM;
	if (got < 0)
		return wrong(r, "cannot build that packet: %s",
			     got == -EINVAL ? "its words contradict each other" : strerror((int)-got));
	memcpy(frame, big, (size_t)got);
	s->frame = frame;
	s->len = (size_t)got;
	return STATUS_DONE;
}

/* `times N` behind a packet. */
static void take_times(struct reading *r, struct explain_step *s)
{
	const char *at = r->end;
	unsigned long long n;
	char *end;

	while (at > r->at && isdigit((unsigned char)at[-1]))
		at--;
	if (at == r->end || at - r->at < 7 || memcmp(at - 7, " times ", 7))
		return;
	n = strtoull(at, &end, 10);
	if (!n || n > MAX_TIMES)
		return;
	s->times = (unsigned int)n;
	r->end = at - 7;
	trim(r);
}

static int read_packet(struct reading *r, struct explain_step *s)
{
	s->kind = STEP_PACKET;
	r->told_way = s->dir == DIRECTION_EGRESS; /* by --egress */
	if (word_take(r, "egress")) {
		s->dir = DIRECTION_EGRESS;
		r->told_way = true;
	} else if (word_take(r, "ingress")) {
		s->dir = DIRECTION_INGRESS;
		r->told_way = true;
	}
	take_times(r, s);
	s->captured = word_take(r, "pcap");
	return s->captured ? read_captured(r, s) : read_words(r, s);
}

static int read_step(struct reading *r, struct explain_step *s)
{
	s->text = arena_strndup(r->e->arena, r->at, (size_t)(r->end - r->at));
	s->times = 1;
	if (word_take(r, "after"))
		return read_after(r, s);
	if (word_take(r, "add"))
		return read_element(r, s, STEP_ADD);
	if (word_take(r, "del"))
		return read_element(r, s, STEP_DEL);
	return read_packet(r, s);
}

int explain_steps_read(struct explain *e, const char *text, enum direction dir)
{
	const char *end = text + strlen(text);
	bool alone = !strchr(text, ';');
	size_t packets = 0;

	for (const char *at = text; at <= end;) {
		const char *stop = memchr(at, ';', (size_t)(end - at)) ?: end;
		struct reading r = { .e = e, .at = at, .end = stop, .number = e->steps.n + 1, .alone = alone };
		struct explain_step s = { .dir = dir };
		int status;

		at = stop + 1;
		trim(&r);
		if (r.at == r.end && !alone)
			continue;
		status = read_step(&r, &s);
		if (status)
			return status;
		packets += s.kind == STEP_PACKET;
		if (e->steps.n == MAX_STEPS || vec_push(&e->steps, s)) {
			problem("these are too many steps");
			return STATUS_WRONG;
		}
	}
	if (packets)
		return STATUS_DONE;
	problem("there is no packet to explain");
	return STATUS_WRONG;
}
