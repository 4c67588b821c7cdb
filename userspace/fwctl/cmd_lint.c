// SPDX-License-Identifier: GPL-2.0-only
/* lint: rules that do not do what they seem to, with a packet as proof. */
#include "fwctl/cmd.h"
#include "fwctl/example.h"
#include "fwctl/file.h"
#include "fwctl/lint_allow.h"
#include "fwctl/out.h"
#include "fwctl/words.h"

#include <string.h>

#define SHOWN_OTHERS 5

struct linter {
	struct file file;
	struct findings found;
	struct lint_allow allow;
	size_t warnings, notes, accepted;
};

/* Where it is: of a default or a policy, the line of the policy. */
static void place_of(const struct finding *f, const char **ret_file, unsigned int *ret_line)
{
	*ret_file = f->rule ? f->rule->file : f->set ? f->set->file : f->policy->file;
	*ret_line = f->rule ? f->rule->line : f->set ? f->set->line : f->policy->line;
}

static bool is_of_known_flows(const struct rule *r)
{
	const struct vset *s = r->value[FIELD_STATE];

	return s && s->n && !vset_has(s, STATE_NONE) && !vset_has(s, STATE_NEW) && !vset_has(s, STATE_INVALID);
}

/* What is wrong, in half a sentence. */
static void sentence(const struct finding *f, struct str *out)
{
	const char *dir = word_dir(f->dir);

	switch (f->kind) {
	case LINT_NEVER:
		if (is_of_known_flows(f->rule))
			str_add(out, "no packet meets it: no rule keeps state that would make such packets, or its conditions "
				     "exclude one another");
		else
			str_add(out, "no packet meets it: its conditions exclude one another");
		break;
	case LINT_SHADOWED:
		str_add(out, "rules before it decide every packet that it matches");
		break;
	case LINT_REDUNDANT:
		str_addf(out, "without it the same would become of every packet%s",
			 f->counts ? "; it only has a counter of its own, or a log" : "");
		break;
	case LINT_CONFLICT:
		str_add(out, "part of what it matches meets an earlier rule that says the opposite, and neither is an exception of "
			     "the other");
		break;
	case LINT_WIDE:
		str_add(out, "passes all TCP or all UDP, from anywhere to anywhere, before default drop");
		break;
	case LINT_DEFAULT:
		str_addf(out, "no IP packet meets the default of the %s block, %s", dir,
			 word_verdict((unsigned int)f->policy->chain[f->dir].fallback));
		break;
	case LINT_SET_EMPTY:
		str_addf(out, "the set %s is empty: no address is in it", f->set->name);
		break;
	case LINT_SET_UNUSED:
		str_addf(out, "no rule names the set %s", f->set->name);
		break;
	case LINT_PORT:
		str_add(out, "a port without proto means tcp, udp and sctp");
		break;
	case LINT_NO_TESTS:
		str_addf(out, "no test block speaks of policy %s", f->policy->name);
		break;
	default:
		str_addf(out, "%s of the %s block could not be looked through in time", word_count(f->count, "rule"), dir);
	}
}

/* What the rules before, or instead of it, are to it. */
static const char *others_are(const struct finding *f)
{
	switch (f->kind) {
	case LINT_REDUNDANT:
		return "decided instead by";
	case LINT_CONFLICT:
		return "the earlier rule is";
	default:
		return "hidden by";
	}
}

static void live_names(const struct policy *p, const char *names[POLICY_MAX_LIVE])
{
	for (size_t i = 0; i < p->nlive; i++)
		names[i] = p->live[i]->name;
}

/* Who decides the example: verdict, and by which rule. */
static void decided_text(const struct finding *f, struct str *out)
{
	const struct example *x = &f->example;

	str_addf(out, "%s by ", word_verdict((unsigned int)x->verdict));
	if (x->rule < 0)
		str_add(out, "default");
	else
		rule_name(&f->policy->chain[f->dir].rules[x->rule], out);
}

static void example_print(const struct finding *f)
{
	const char *names[POLICY_MAX_LIVE] = {};
	struct str s = {};

	if (!f->example.there)
		return;
	live_names(f->policy, names);
	if (f->example.built) {
		example_text(&f->example.spec, f->policy->track, names, f->policy->nlive, &s);
		str_add(&s, " is ");
		decided_text(f, &s);
	} else {
		str_add(&s, "none that can be built: a header of it would be shorter than those made here");
	}
	out("    example: %s\n", str_get(&s));
	str_fini(&s);
}

static void finding_print(const struct linter *l, const struct finding *f)
{
	struct str s = {};
	const char *file;
	unsigned int line;

	place_of(f, &file, &line);
	sentence(f, &s);
	out("%s:%u: %s: %s: %s\n", out_name(file), line, f->warning ? "warning" : "note", lint_word(f->kind), str_get(&s));
	str_fini(&s);
	if (f->rule)
		out("    %s%s%s%s\n", f->rule->text, l->file.rules->npolicies > 1 ? "    (policy " : "",
		    l->file.rules->npolicies > 1 ? f->policy->name : "", l->file.rules->npolicies > 1 ? ")" : "");
	for (size_t i = 0; i < f->nothers && i < SHOWN_OTHERS; i++)
		out("    %s %s:%u: %s\n", others_are(f), out_name(f->others[i]->file), f->others[i]->line, f->others[i]->text);
	if (f->count > SHOWN_OTHERS && f->nothers)
		out("    and %s\n", word_count(f->count - SHOWN_OTHERS, "more rule"));
	if (f->by_default)
		out("    decided instead by the default, %s\n", word_verdict((unsigned int)f->policy->chain[f->dir].fallback));
	if (f->by_flow)
		out("    decided instead by their flow, pass\n");
	example_print(f);
}

static json_t *finding_json(const struct finding *f)
{
	const char *names[POLICY_MAX_LIVE] = {}, *file;
	json_t *others = json_array(), *j;
	struct str s = {};
	unsigned int line;

	place_of(f, &file, &line);
	sentence(f, &s);
	for (size_t i = 0; i < f->nothers; i++)
		json_array_append_new(others, rule_json(f->others[i]));
	j = json_pack("{s:s,s:s,s:o,s:i,s:o,s:o,s:I,s:b,s:b}", "kind", lint_word(f->kind), "severity",
		f->warning ? "warning" : "note", "file",
		      out_jstr(file), "line", (int)line, "message", out_jstr(str_get(&s)), "others", others, "others_count",
		      (json_int_t)f->count, "by_default", (int)f->by_default, "by_flow", (int)f->by_flow);
	if (j && f->policy) {
		json_object_set_new(j, "policy", out_jstr(f->policy->name));
		json_object_set_new(j, "direction", json_string(word_dir(f->dir)));
	}
	if (j && f->rule)
		json_object_set_new(j, "rule", rule_json(f->rule));
	if (j && f->set)
		json_object_set_new(j, "set", out_jstr(f->set->name));
	if (j && f->example.built) {
		json_t *x;

		live_names(f->policy, names);
		x = example_json(&f->example.spec, f->policy->track, names, f->policy->nlive);
		json_object_set_new(x, "verdict", json_string(word_verdict((unsigned int)f->example.verdict)));
		json_object_set_new(x, "rule", f->example.rule < 0 ? json_null() :
								     rule_json(&f->policy->chain[f->dir].rules[f->example.rule]));
		json_object_set_new(j, "example", x);
	}
	str_fini(&s);
	return j;
}

/* Leave out what the author has accepted. */
static void findings_accept(struct linter *l)
{
	size_t n = 0;

	lint_allow_read(&l->allow, &l->file);
	for (size_t i = 0; i < l->found.n; i++) {
		const struct finding *f = &l->found.v[i];
		const char *file;
		unsigned int line;

		place_of(f, &file, &line);
		if (lint_allowed(&l->allow, &l->file, file, line, f->kind)) {
			l->accepted++;
			continue;
		}
		l->warnings += f->warning;
		l->notes += !f->warning;
		l->found.v[n++] = *f;
	}
	l->found.n = n;
}

static int lint_run(struct linter *l, const struct args *a)
{
	int status = file_open(&l->file, a->word[0]);

	if (status) {
		file_report(&l->file);
		if (status == STATUS_WRONG)
			problem("%s has %s; nothing was looked at", out_name(a->word[0]), word_count(l->file.diags.errors, "error"));
		return status;
	}
	int err = lint_ruleset(l->file.arena, l->file.rules, &l->found);
	if (err) {
		problem("cannot look through %s: %s", out_name(a->word[0]), strerror(-err));
		return STATUS_REFUSED;
	}
	findings_accept(l);
	progress_end();
	if (args_has(a, "json")) {
		json_t *list = json_array();

		for (size_t i = 0; i < l->found.n; i++)
			json_array_append_new(list, finding_json(&l->found.v[i]));
		status = out_json(json_pack("{s:o,s:I,s:I,s:I,s:o}", "file", out_jstr(a->word[0]), "warnings", (json_int_t)l->warnings,
					    "notes", (json_int_t)l->notes, "accepted", (json_int_t)l->accepted, "findings", list),
				  false);
	} else {
		for (size_t i = 0; i < l->found.n; i++)
			finding_print(l, &l->found.v[i]);
		out("%s: %s, %s", out_name(a->word[0]), word_count(l->warnings, "warning"), word_count(l->notes, "note"));
		out(l->accepted ? ", %zu accepted in the file\n" : "\n", l->accepted);
	}
	if (status)
		return status;
	return l->warnings || l->allow.unknown || (args_has(a, "strict") && l->notes) ? STATUS_WRONG : STATUS_DONE;
}

static int run(const struct args *a)
{
	struct linter l = { .file.reader.dir = -1 };

	progress_begin("looking through the rules");
	int status = lint_run(&l, a);
	progress_end();
	findings_fini(&l.found);
	lint_allow_fini(&l.allow);
	file_close(&l.file);
	return status;
}

const struct command cmd_lint = {
	.name = "lint",
	.run = run,
	.usage = "FILE [--strict] [--json]",
	.help = "Look for rules that do not do what they seem to, each with a packet as proof.",
	.more = "Warnings: shadowed (rules before it decide all it matches; the fewest that were found are named), never-matches, "
		"redundant (without it the same becomes of every packet), conflict (it overlaps an earlier rule that says the "
		"opposite, in the "
		"same fields, and neither is an exception of the other), wide (passes all TCP or UDP from anywhere to anywhere), "
		"default-unreachable, empty-set, unused-set. Notes: redundant, of a rule that has a label or a log; "
		"default-unreachable, of default pass; port-without-proto; no-tests; undecided (too much to look through in time).\n\n"
		"Each example was built, and judged by the reference; explain FILE takes it. What is meant so can be accepted in the "
		"file: \"# lint: allow shadowed, wide\" on the line of the rule (of the set, of the policy), or in comments directly above "
		"it.\n\n"
		"Exit status: 0 when there is nothing above a note, 2 when there are warnings; with --strict also when there are notes.",
	.kind = ARGS_FILE,
	.min = 1,
	.max = 1,
	.options =
		{
			{ .name = "strict", .help = "notes count, too, for the exit status" },
			{ .name = "json", .help = "print JSON" },
		},
};
