// SPDX-License-Identifier: GPL-2.0-only
/* A capture on its way to the judges: which packets, which way, and when. */
#include "base/vec.h"
#include "fwctl/out.h"
#include "fwctl/replay.h"
#include "fwctl/words.h"
#include "lang/number.h"

#include <stdio.h>
#include <string.h>

/* The oracle's clock ends four years later; a capture that says so lies about its clock. */
#define ELAPSED_MAX (1ull << 56)

static void skip_count(struct replay_source *s, const char *why)
{
	size_t i = 0;

	while (i < s->nskips && strcmp(s->skip[i].why, why))
		i++;
	if (i == REPLAY_SKIPS)
		i--;
	if (i == s->nskips) {
		snprintf(s->skip[i].why, sizeof(s->skip[i].why), "%s", i == REPLAY_SKIPS - 1 ? "other kinds" : why);
		s->nskips++;
	}
	s->skip[i].n++;
	s->skipped++;
}

void replay_skip(struct replay_source *s, const char *why)
{
	s->given--;
	skip_count(s, why);
}

static bool is_local(const struct replay_source *s, enum family family, u128 addr)
{
	for (size_t i = 0; i < s->local.n; i++)
		if (s->local.v[i].family == family && s->local.v[i].lo <= addr && addr <= s->local.v[i].hi)
			return true;
	return false;
}

static enum direction way_of(struct replay_source *s, const struct capture_packet *c)
{
	struct packet p = {};

	if (s->way != REPLAY_AUTO)
		return s->way == REPLAY_EGRESS ? DIRECTION_EGRESS : DIRECTION_INGRESS;
	if (c->way != CAPTURE_WAY_UNKNOWN)
		return c->way == CAPTURE_WAY_OUT ? DIRECTION_EGRESS : DIRECTION_INGRESS;
	if (!s->local.n)
		s->unsure++;
	else if (!packet_parse(c->frame, c->len, NULL, &p) && is_local(s, p.family, p.src))
		return DIRECTION_EGRESS;
	return DIRECTION_INGRESS;
}

int replay_next(struct replay_source *s, struct replay_packet *ret)
{
	struct capture_packet c;

	for (;;) {
		int got = capture_next(s->capture, &c);

		if (got <= 0)
			return got;
		s->packets++;
		/* The clock is that of the capture, whatever is looked at of it. */
		if (!s->begun)
			s->first_ns = c.ns;
		s->begun = true;
		if (c.ns > s->first_ns && c.ns - s->first_ns > s->elapsed_ns)
			s->elapsed_ns = c.ns - s->first_ns < ELAPSED_MAX ? c.ns - s->first_ns : ELAPSED_MAX;
		if (s->ifname && c.ifname && strcmp(s->ifname, c.ifname)) {
			s->elsewhere++;
			continue;
		}
		if (!c.skip)
			break;
		skip_count(s, c.skip);
	}
	s->given++;
	s->cut += c.cut;
	s->made += c.made;
	*ret = (struct replay_packet){ c.number, c.frame, c.len, way_of(s, &c), s->elapsed_ns };
	return 1;
}

const char *replay_local_add(struct replay_source *s, const char *words)
{
	while (*words) {
		size_t n = strcspn(words, ", ");
		struct addr_range r;

		if (n && addr_parse(words, n, &r))
			return words;
		if (n && vec_push(&s->local, (struct replay_local){ r.family, r.lo, r.hi }))
			return words;
		words += n + strspn(words + n, ", ");
	}
	return s->local.n ? NULL : words;
}

void replay_notes(const struct replay_source *s, const struct policy *policy)
{
	bool both = policy->track || policy->chain[DIRECTION_EGRESS].present;

	for (size_t i = 0; i < s->nskips; i++)
		problem("note: %s skipped: %s", word_count(s->skip[i].n, "packet"), s->skip[i].why);
	if (s->made)
		problem("note: %s captured without Ethernet: a header is made for them, whose MAC says nothing",
			word_count(s->made, "packet"));
	if (s->cut)
		problem("note: %s cut at capture: the bytes that are missing are taken as zero",
			word_count(s->cut, "packet"));
	if (s->unsure && both)
		problem("note: nothing says which way %s went: all are taken as ingress; --local says which addresses "
			"are the machine's",
			word_count(s->unsure, "packet"));
	if (s->ifname && s->elsewhere && !s->given)
		problem("note: no packet is of interface %s", out_name(s->ifname));
}
