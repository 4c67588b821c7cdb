// SPDX-License-Identifier: GPL-2.0-only
/* What became of a packet, in words and as JSON. */
#include "fwctl/judge_text.h"

#include "fwctl/out.h"
#include "fwctl/words.h"

#include <stdio.h>
#include <string.h>

#define NAME_RING 8
#define NAME_MAX  512

static char *ring_next(void)
{
	static char ring[NAME_RING][NAME_MAX];
	static unsigned int next;

	return ring[next++ % NAME_RING];
}

const char *judge_rule_name(const struct rule *r)
{
	const char *file = r->file ? r->file : "?";
	char *name = ring_next();

	if (r->essential && r->label)
		snprintf(name, NAME_MAX, "\"%s\"", r->label);
	else if (r->label)
		snprintf(name, NAME_MAX, "%s:%u \"%s\"", out_name(file), r->line, out_name(r->label));
	else
		snprintf(name, NAME_MAX, "%s:%u", out_name(file), r->line);
	return name;
}

static const struct rule *rule_of(const struct policy *policy, enum direction dir, const struct judged *j)
{
	const struct chain *chain = &policy->chain[dir];

	return j->rule >= 0 && (size_t)j->rule < chain->nrules ? &chain->rules[j->rule] : NULL;
}

const char *judged_text(const struct policy *policy, enum direction dir, const struct judged *j)
{
	const struct rule *r = rule_of(policy, dir, j);
	char *text = ring_next();

	if (r && j->reason == FW_REASON_RULE)
		snprintf(text, NAME_MAX, "%s by %s", word_verdict((unsigned int)j->verdict), judge_rule_name(r));
	else if (r)
		snprintf(text, NAME_MAX, "%s by \"%s\" of %s", word_verdict((unsigned int)j->verdict),
			 word_reason(j->reason), judge_rule_name(r));
	else
		snprintf(text, NAME_MAX, "%s by \"%s\"", word_verdict((unsigned int)j->verdict),
			 word_reason(j->reason));
	return text;
}

json_t *judge_rule_json(const struct rule *r, size_t index)
{
	json_t *j = json_pack("{s:I,s:o,s:i,s:o}", "index", (json_int_t)index, "file",
			      out_jstr(r->file ? r->file : "?"), "line", (int)r->line, "text", out_jstr(r->text));

	if (r->label)
		json_object_set_new(j, "label", out_jstr(r->label));
	return j;
}

json_t *judged_json(const struct policy *policy, enum direction dir, const struct judged *j)
{
	const struct rule *r = rule_of(policy, dir, j);

	return json_pack("{s:s,s:s,s:o}", "verdict", word_verdict((unsigned int)j->verdict), "reason",
			 word_reason(j->reason), "rule", r ? judge_rule_json(r, (size_t)j->rule) : json_null());
}
