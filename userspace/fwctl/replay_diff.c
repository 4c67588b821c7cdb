// SPDX-License-Identifier: GPL-2.0-only
/* replay --diff: the same packets, judged by two policies, each with flows and limits of its own. */
#include "fwctl/replay_diff.h"

#include "fwctl/cmd.h"
#include "fwctl/out.h"
#include "fwctl/packet_text.h"
#include "fwctl/words.h"

#include <string.h>

static const struct rule *rule_of(const struct replay_side *s, enum direction dir, const struct judged *j)
{
	return j->rule < 0 ? NULL : &s->policy->chain[dir].rules[j->rule];
}

/* The same words decide, whatever line they stand in. */
static bool same_rule(const struct replay_diff *d, enum direction dir, const struct judged j[2])
{
	const struct rule *a = rule_of(&d->side[0], dir, &j[0]), *b = rule_of(&d->side[1], dir, &j[1]);

	if (j[0].reason != j[1].reason || !a != !b)
		return false;
	return !a || !strcmp(a->label ? a->label : a->text, b->label ? b->label : b->text);
}

static void tell(struct replay_diff *d, const struct replay_packet *p, const struct judged j[2])
{
	struct str words = {};

	packet_text(p->frame, p->len, &words);
	if (d->json)
		json_array_append_new(d->json,
				      json_pack("{s:I,s:s,s:o,s:o,s:o}", "number", (json_int_t)p->number, "direction",
						word_dir(p->dir), "packet", out_jstr(str_get(&words)), "old",
						judged_json(d->side[0].policy, p->dir, &j[0]), "new",
						judged_json(d->side[1].policy, p->dir, &j[1])));
	else
		out("#%llu %s%s\n    %s -> %s\n", (unsigned long long)p->number,
		    p->dir == DIRECTION_EGRESS ? "egress " : "", str_get(&words),
		    judged_text(d->side[0].policy, p->dir, &j[0]), judged_text(d->side[1].policy, p->dir, &j[1]));
	str_fini(&words);
}

int replay_diff_packet(struct replay_diff *d, const struct replay_packet *p)
{
	struct judged j[2];

	for (int i = 0; i < 2; i++) {
		int got;

		d->failed = d->side[i].judge;
		judge_clock(d->side[i].judge, JUDGE_START_NS + p->elapsed_ns);
		got = judge_packet(d->side[i].judge, p->dir, p->frame, p->len, NULL, NULL, &j[i]);
		if (got <= 0)
			return got;
	}
	d->judged++;
	if (j[0].verdict == j[1].verdict) {
		d->elsewhere += !same_rule(d, p->dir, j);
		return 1;
	}
	d->way[j[0].verdict][j[1].verdict]++;
	if (!d->changed++)
		d->first = p->number;
	if (d->changed <= d->lines)
		tell(d, p, j);
	return 1;
}

void replay_diff_print(const struct replay_diff *d)
{
	if (d->changed > d->lines)
		out("and %llu more\n", (unsigned long long)(d->changed - d->lines));
	if (!d->changed)
		out("no packet changes its fate");
	else
		out("%llu of %s %s fate", (unsigned long long)d->changed, word_count(d->judged, "packet"),
		    d->changed == 1 ? "changes its" : "change their");
	for (unsigned int a = 0; a < VERDICT_COUNT; a++)
		for (unsigned int b = 0; b < VERDICT_COUNT; b++)
			if (d->way[a][b])
				out(", %llu from %s to %s", (unsigned long long)d->way[a][b], word_verdict(a),
				    word_verdict(b));
	if (!d->changed)
		out(" (of %llu)", (unsigned long long)d->judged);
	out("\n");
	if (d->elsewhere)
		out("%s the same verdict by another rule or reason\n",
		    d->elsewhere == 1 ? "1 packet meets" : word_count(d->elsewhere, "packet"));
}

json_t *replay_diff_json(const struct replay_diff *d, const struct replay_source *s)
{
	return json_pack("{s:o,s:I,s:I,s:I,s:O}", "capture", replay_source_json(s), "judged", (json_int_t)d->judged,
			 "changed", (json_int_t)d->changed, "other_rule", (json_int_t)d->elsewhere, "packets", d->json);
}
