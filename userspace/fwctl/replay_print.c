// SPDX-License-Identifier: GPL-2.0-only
/* The outcome of a replay as text and as JSON. */
#include "fwctl/out.h"
#include "fwctl/replay.h"
#include "fwctl/words.h"

#include <stdio.h>
#include <string.h>

#define NAME_RING 8

static char *ring_next(void)
{
	static char ring[NAME_RING][32];
	static unsigned int next;

	return ring[next++ % NAME_RING];
}

static const char *number_text(uint64_t n)
{
	char *s = ring_next();

	snprintf(s, 32, "%llu", (unsigned long long)n);
	return s;
}

static const char *first_text(const struct tally_row *r)
{
	char *s = ring_next();

	if (!r->first)
		return "-";
	snprintf(s, 32, "#%llu", (unsigned long long)r->first);
	return s;
}

static void print_head(const struct replay_report *r)
{
	const struct replay_source *s = r->source;
	const struct tally *t = r->tally;

	out("%s: %s, %llu judged, %llu skipped", r->capture, word_count(s->packets, "packet"),
	    (unsigned long long)t->judged, (unsigned long long)s->skipped);
	if (s->elsewhere)
		out(", %llu of other interfaces", (unsigned long long)s->elsewhere);
	out("\npolicy %s, judged by the %s: %llu ingress, %llu egress, %.3f seconds of traffic\n\n", t->policy->name,
	    r->judged_by, (unsigned long long)t->dir[DIRECTION_INGRESS], (unsigned long long)t->dir[DIRECTION_EGRESS],
	    (double)s->elapsed_ns / 1e9);
}

static void print_verdicts(const struct tally *t)
{
	struct table table;

	table_init(&table, 2, "verdict", ">packets");
	for (unsigned int v = 0; v < VERDICT_COUNT; v++)
		if (v != VERDICT_CONTINUE && (t->verdict[v] || v != VERDICT_REJECT))
			table_add(&table, word_verdict(v), number_text(t->verdict[v]));
	table_print(&table, "");
	out("\n");
	table_init(&table, 4, "reason", ">packets", ">first", "what it means");
	for (unsigned int i = 0; i < FW_REASON_COUNT; i++)
		if (t->reason[i].packets)
			table_add(&table, word_reason(i), number_text(t->reason[i].packets),
				  i == FW_REASON_RULE ? "-" : first_text(&t->reason[i]),
				  word_reason_text(word_reason(i)));
	table_print(&table, "");
	out("\n");
}

static void print_rules(const struct tally *t)
{
	size_t silent = 0, total = 0;
	struct table table;

	table_init(&table, 5, "rule", ">packets", ">first", ">over", "text");
	for (int dir = 0; dir < DIRECTION_COUNT; dir++)
		for (size_t i = 0; i < t->policy->chain[dir].nrules; i++) {
			const struct rule *r = &t->policy->chain[dir].rules[i];
			const struct tally_row *row = &t->rule[dir][i];
			char place[512];

			if (!r->essential)
				total++;
			if (!row->packets && !row->over) {
				silent += !r->essential;
				continue;
			}
			if (r->essential)
				snprintf(place, sizeof(place), "essential");
			else
				snprintf(place, sizeof(place), "%s:%u", out_name(r->file ? r->file : "?"), r->line);
			table_add(&table, place, number_text(row->packets), first_text(row),
				  row->over ? number_text(row->over) : "-", r->text);
		}
	table_print(&table, "");
	if (silent)
		out("%zu of %s met no packet\n", silent, word_count(total, "rule"));
}

static void print_lines(const char *name, const struct tally_row *r)
{
	if (!r->nlines)
		return;
	out("\n%s\n", name);
	for (size_t i = 0; i < r->nlines; i++) {
		const struct tally_line *l = &r->line[i];

		out("  #%llu +%.6f %s%s%s\n", (unsigned long long)l->number, (double)l->elapsed_ns / 1e9,
		    l->dir == DIRECTION_EGRESS ? "egress " : "", l->words,
		    l->verdict == VERDICT_CONTINUE ? " (counted)" : "");
	}
}

void replay_print(const struct replay_report *r)
{
	const struct tally *t = r->tally;

	print_head(r);
	print_verdicts(t);
	print_rules(t);
	for (int dir = 0; dir < DIRECTION_COUNT; dir++)
		for (size_t i = 0; i < t->policy->chain[dir].nrules; i++)
			print_lines(judge_rule_name(&t->policy->chain[dir].rules[i]), &t->rule[dir][i]);
	for (unsigned int i = 0; i < FW_REASON_COUNT; i++)
		print_lines(word_reason(i), &t->reason[i]);
	if (r->seconds > 0.2)
		out("\n%.2f seconds, %.1f million packets a second\n", r->seconds,
		    (double)t->judged / r->seconds / 1e6);
}

json_t *replay_source_json(const struct replay_source *s)
{
	json_t *skipped = json_object();

	for (size_t i = 0; i < s->nskips; i++)
		json_object_set_new(skipped, s->skip[i].why, json_integer((json_int_t)s->skip[i].n));
	return json_pack("{s:I,s:I,s:o,s:I,s:I,s:I,s:f}", "packets", (json_int_t)s->packets, "skipped",
			 (json_int_t)s->skipped, "skipped_because", skipped, "other_interfaces",
			 (json_int_t)s->elsewhere, "cut", (json_int_t)s->cut, "ethernet_made", (json_int_t)s->made,
			 "seconds", (double)s->elapsed_ns / 1e9);
}

static void row_json(json_t *into, const struct tally_row *r)
{
	json_object_set_new(into, "packets", json_integer((json_int_t)r->packets));
	json_object_set_new(into, "first", r->first ? json_integer((json_int_t)r->first) : json_null());
	if (r->nlines) {
		json_t *lines = json_array();

		for (size_t i = 0; i < r->nlines; i++)
			json_array_append_new(lines, json_pack("{s:I,s:f,s:s,s:s,s:o}", "number",
							       (json_int_t)r->line[i].number, "seconds",
							       (double)r->line[i].elapsed_ns / 1e9, "direction",
							       word_dir(r->line[i].dir), "verdict",
							       word_verdict((unsigned int)r->line[i].verdict), "packet",
							       out_jstr(r->line[i].words)));
		json_object_set_new(into, "lines", lines);
	}
}

json_t *replay_json(const struct replay_report *r)
{
	const struct tally *t = r->tally;
	json_t *verdicts = json_object(), *reasons = json_object(), *rules = json_array();

	for (unsigned int v = 0; v < VERDICT_COUNT; v++)
		if (v != VERDICT_CONTINUE)
			json_object_set_new(verdicts, word_verdict(v), json_integer((json_int_t)t->verdict[v]));
	for (unsigned int i = 0; i < FW_REASON_COUNT; i++)
		if (t->reason[i].packets) {
			json_t *j = json_object();

			row_json(j, &t->reason[i]);
			json_object_set_new(reasons, word_reason(i), j);
		}
	for (int dir = 0; dir < DIRECTION_COUNT; dir++)
		for (size_t i = 0; i < t->policy->chain[dir].nrules; i++) {
			json_t *j = judge_rule_json(&t->policy->chain[dir].rules[i], i);

			json_object_set_new(j, "direction", json_string(word_dir((unsigned int)dir)));
			row_json(j, &t->rule[dir][i]);
			json_object_set_new(j, "over_limit", json_integer((json_int_t)t->rule[dir][i].over));
			json_array_append_new(rules, j);
		}
	return json_pack("{s:s,s:o,s:s,s:s,s:I,s:I,s:I,s:o,s:o,s:o}", "file", r->capture, "capture",
			 replay_source_json(r->source), "policy", t->policy->name, "judged_by", r->judged_by, "judged",
			 (json_int_t)t->judged, "ingress", (json_int_t)t->dir[DIRECTION_INGRESS], "egress",
			 (json_int_t)t->dir[DIRECTION_EGRESS], "verdicts", verdicts, "reasons", reasons, "rules",
			 rules);
}
