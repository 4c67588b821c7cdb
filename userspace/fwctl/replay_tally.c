// SPDX-License-Identifier: GPL-2.0-only
/* What became of the packets, by verdict, reason and rule. */
#include "base/cleanup.h"
#include "fwctl/packet_text.h"
#include "fwctl/replay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int tally_init(struct tally *t, const struct policy *policy, size_t lines)
{
	*t = (struct tally){ .policy = policy, .lines = lines };
	for (int dir = 0; dir < DIRECTION_COUNT; dir++) {
		t->rule[dir] = calloc(policy->chain[dir].nrules + 1, sizeof(*t->rule[dir]));
		if (!t->rule[dir])
			return -ENOMEM;
	}
	return 0;
}

static void row_fini(struct tally_row *r)
{
	for (size_t i = 0; i < r->nlines; i++)
		free(r->line[i].words);
	free(r->line);
}

void tally_fini(struct tally *t)
{
	for (int i = 0; i < FW_REASON_COUNT; i++)
		row_fini(&t->reason[i]);
	for (int dir = 0; dir < DIRECTION_COUNT && t->policy; dir++) {
		for (size_t i = 0; t->rule[dir] && i < t->policy->chain[dir].nrules; i++)
			row_fini(&t->rule[dir][i]);
		free(t->rule[dir]);
	}
	*t = (struct tally){};
}

static void row_line(struct tally *t, struct tally_row *r, enum verdict verdict)
{
	const struct replay_packet *p = t->packet;
	struct str s = {};

	if (!r->line)
		r->line = calloc(t->lines, sizeof(*r->line));
	packet_text(p->frame, p->len, &s);
	if (!r->line || s.failed)
		t->failed = true;
	else
		r->line[r->nlines++] = (struct tally_line){ p->number, p->elapsed_ns, p->dir, verdict, TAKE_PTR(s.s) };
	str_fini(&s);
}

static void row_add(struct tally *t, struct tally_row *r, enum verdict verdict)
{
	if (!r->packets++)
		r->first = t->packet->number;
	if (r->nlines < t->lines)
		row_line(t, r, verdict);
}

void tally_counted(void *ctx, size_t rule)
{
	struct tally *t = ctx;

	row_add(t, &t->rule[t->packet->dir][rule], VERDICT_CONTINUE);
}

void tally_add(struct tally *t, const struct replay_packet *p, const struct judged *j)
{
	t->packet = p;
	t->judged++;
	t->dir[p->dir]++;
	t->verdict[j->verdict]++;
	if (j->reason == FW_REASON_RULE && j->rule >= 0) {
		row_add(t, &t->rule[p->dir][j->rule], j->verdict);
		t->reason[FW_REASON_RULE].packets++;
		return;
	}
	row_add(t, &t->reason[j->reason], j->verdict);
	if (j->rule >= 0)
		t->rule[p->dir][j->rule].over++;
}

struct counting {
	struct tally *t;
	enum direction dir;
};

static void count_rule(void *ctx, size_t rule, uint64_t packets)
{
	struct counting *c = ctx;

	c->t->rule[c->dir][rule].packets = packets;
}

int tally_count_rules(struct tally *t, struct judge *j)
{
	int err = 0;

	for (enum direction dir = 0; dir < DIRECTION_COUNT && !err; dir++)
		err = judge_count_rules(j, dir, count_rule, &(struct counting){ t, dir });
	return err;
}
