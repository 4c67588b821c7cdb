// SPDX-License-Identifier: GPL-2.0-only
/* Paragraphs 11 and 12 of track.h: which packets of a TCP flow are outside of the window, and what the others tell. */
#include "model/track_priv.h"

#define UNIT	 ((uint64_t)1 << 14)
#define UNITS	 65535u /* at most */
#define LEAST	 ((uint64_t)1 << 16)
#define MAX_SCALE 14

static uint32_t number(const uint8_t *b, size_t n)
{
	uint32_t value = 0;

	for (size_t i = 0; i < n; i++)
		value = value << 8 | b[i];
	return value;
}

/* -1: there is none. */
static int scale_option(const uint8_t *option, const uint8_t *end)
{
	while (option < end && option[0]) {
		if (option[0] == 1) { /* filler, one byte */
			option++;
			continue;
		}
		if (end - option < 2 || option[1] < 2 || option[1] > end - option)
			return -1;
		if (option[0] == 3 && option[1] == 3)
			return option[2] < MAX_SCALE ? option[2] : MAX_SCALE;
		option += option[1];
	}
	return -1;
}

void track_segment(const struct packet *p, const uint8_t *frame, bool opener, struct segment *ret)
{
	const uint8_t *h = frame + p->l4_off;
	size_t header = (size_t)(h[12] >> 4) * 4;

	*ret = (struct segment){
		.opener = opener,
		.part = p->value[FIELD_FRAG] == FRAG_FIRST,
		.flags = h[13],
		.seq = number(h + 4, 4),
		.ack = number(h + 8, 4),
		.window = number(h + 14, 2),
		.scale = -1,
	};
	ret->end = ret->seq + (uint32_t)(p->end - p->l4_off - header);
	ret->end += !!(ret->flags & TCP_SYN) + !!(ret->flags & TCP_FIN);
	if (ret->flags & TCP_SYN)
		ret->scale = scale_option(h + 20, h + header);
}

static bool beyond(uint32_t x, uint32_t y)
{
	uint32_t ahead = x - y;

	return ahead >= 1 && ahead <= 0x7fffffff;
}

static uint32_t reach(const struct track_side *side)
{
	if (!side->known)
		return UNITS * UNIT;
	return side->widest * UNIT < LEAST ? LEAST : side->widest * UNIT;
}

static bool opens(const struct segment *s)
{
	return s->opener && s->flags & TCP_SYN && !(s->flags & (TCP_ACK | TCP_RST));
}

/* An answer to another SYN of the opener, in a flow whose numbers are known. */
static bool answers(const struct segment *s)
{
	return !s->opener && (s->flags & (TCP_SYN | TCP_ACK | TCP_RST)) == (TCP_SYN | TCP_ACK);
}

static bool ack_outside(const struct track_side *from, const struct track_side *to, const struct segment *s)
{
	if (!(s->flags & TCP_ACK) || !to->known)
		return false;
	if (to->exact && beyond(s->ack, to->end))
		return true;
	if (!to->exact && to->limited && beyond(s->ack, to->end) && beyond(s->ack, to->limit))
		return true;
	return beyond(to->end - (s->flags & TCP_SYN ? LEAST : reach(from)), s->ack);
}

static bool reset_outside(const struct flow *f, const struct track_side *from, const struct track_side *to, const struct segment *s)
{
	if (!to->known)
		return false;
	if (f->awaited && !s->opener && s->flags & TCP_ACK)
		return false;
	if (!from->known) {
		if (s->flags & TCP_ACK)
			return ack_outside(from, to, s);
		return !from->limited || beyond(s->seq, from->limit) || beyond(from->limit - reach(to), s->seq);
	}
	if (from->limited && beyond(s->seq, from->limit))
		return true;
	return beyond(from->end - reach(to), s->seq) || ack_outside(from, to, s);
}

/* 11 e */
static bool others_outside(const struct track_side *from, const struct track_side *to, const struct segment *s)
{
	if (from->limited && beyond(s->end, from->limit + 1))
		return true;
	if (from->known && beyond(from->end - reach(to), s->end))
		return true;
	return ack_outside(from, to, s);
}

bool track_outside(const struct flow *f, const struct segment *s)
{
	const struct track_side *from = &f->side[!s->opener], *to = &f->side[s->opener];

	if (opens(s))
		return false;
	if (s->flags & TCP_RST)
		return reset_outside(f, from, to, s);
	if (!from->known && to->exact && !(s->flags & TCP_SYN))
		return false;
	if (f->awaited && answers(s))
		return false;
	return others_outside(from, to, s);
}

/* The window in bytes. */
static uint32_t window_bytes(const struct track_side *from, const struct track_side *to, const struct segment *s)
{
	if (s->flags & TCP_SYN || from->scale == TRACK_SCALE_NONE || to->scale == TRACK_SCALE_NONE)
		return s->window;
	return s->window << (from->scale == TRACK_SCALE_UNKNOWN ? MAX_SCALE : from->scale - TRACK_SCALE_OF(0));
}

/* 12 e */
static void learn_numbers(struct track_side *from, struct track_side *to, const struct segment *s)
{
	uint32_t bytes, units;

	if (!from->known) {
		from->known = true;
		from->end = s->end;
		if (s->flags & TCP_SYN) {
			from->exact = true;
			from->scale = s->scale < 0 ? TRACK_SCALE_NONE : TRACK_SCALE_OF((unsigned int)s->scale);
		}
	} else if (beyond(s->end, from->end)) {
		from->end = s->end;
	}
	if (s->part)
		from->exact = false;
	bytes = window_bytes(from, to, s);
	units = (uint32_t)((bytes + UNIT - 1) / UNIT);
	if (units > UNITS)
		units = UNITS;
	if (from->widest < units)
		from->widest = units;
	if (s->flags & TCP_ACK && (!to->limited || beyond(s->ack + bytes, to->limit))) {
		to->limited = true;
		to->limit = s->ack + bytes;
	}
}

void track_learn(struct flow *f, const struct segment *s)
{
	struct track_side *from = &f->side[!s->opener], *to = &f->side[s->opener];

	if (s->flags & TCP_RST)
		return;
	if (opens(s)) {
		f->awaited = to->known;
		if (to->known)
			return;
		*from = (struct track_side){};
	} else if (!from->known && to->exact && !(s->flags & TCP_SYN)) {
		return;
	} else if (f->awaited && answers(s) && others_outside(from, to, s)) {
		*from = (struct track_side){};
		*to = (struct track_side){ .known = true, .end = s->ack, .widest = UNITS };
		f->awaited = false;
	}
	learn_numbers(from, to, s);
	if (s->opener && !(s->flags & TCP_SYN))
		f->awaited = false;
}

void track_forget(struct flow *f)
{
	f->side[0] = f->side[1] = (struct track_side){};
	f->awaited = false;
}
