// SPDX-License-Identifier: GPL-2.0-only
/* An answer as text and as JSON: verdict, what decided, what mattered beside, and why each earlier rule does not match.
 */
#include "fwctl/explain.h"

#include "base/duration.h"
#include "fwctl/judge_text.h"
#include "fwctl/out.h"
#include "fwctl/packet_text.h"
#include "fwctl/words.h"

#include <stdio.h>
#include <string.h>

struct place {
	const char *text, *file, *label;
	unsigned int line;
};

/* The rule as the author wrote it: live, the meta knows the file, the chain only the canonical text. */
static struct place place_of(const struct explain *e, const struct explain_answer *a, size_t i)
{
	const struct rule *r;

	if (e->image) {
		size_t n;
		const struct fw_meta_rule *m = image_rules(e->image, (enum fw_dir)a->step->dir, &n);
		if (i >= n)
			return (struct place){ "?", "?", NULL, 0 };
		const char *label = image_str(e->image, m[i].label);
		return (struct place){ image_str(e->image, m[i].text), image_str(e->image, m[i].file),
				       *label ? label : NULL, m[i].line };
	}
	r = &a->chain->rules[i];
	return (struct place){ r->text, r->file ? r->file : "?", r->label, r->line };
}

static const char *place_text(const struct place *p)
{
	static struct str s;

	str_reset(&s);
	str_add_escaped(&s, p->file, strlen(p->file));
	str_addf(&s, ":%u", p->line);
	return str_get(&s);
}

/* How many rules were looked at before the verdict. */
static size_t rules_before(const struct explain_answer *a)
{
	bool known = a->judged.state == STATE_ESTABLISHED || a->judged.state == STATE_RELATED;

	if (!a->chain || !a->chain->present || !a->said.parsed || a->judged.reason == FW_REASON_TCP_WINDOW || a->tables)
		return 0;
	if (a->judged.rule >= 0)
		return (size_t)a->judged.rule;
	return known && !eval_names_known(a->chain) ? 0 : a->chain->nrules;
}

/* Names of the live sets that an address is in, joined. */
static void set_names(const struct policy *policy, uint32_t bits, struct str *out)
{
	for (size_t i = 0; policy && i < policy->nlive; i++)
		if (bits & 1u << i)
			str_addf(out, "%s@%s", out->len ? ", " : "", policy->live[i]->name);
}

static void wait_add(struct str *s, uint64_t ns)
{
	if (ns == UINT64_MAX) {
		str_add(s, "never");
		return;
	}
	str_add(s, "in ");
	duration_add(s, ns < 1000000 ? ns : (ns + 999999) / 1000000 * 1000000);
}

/* State, limits, sets: what decided beside the words of the rules. */
static void facts(const struct explain *e, const struct explain_answer *a, struct str *s)
{
	const struct packet *p = &a->said.packet;
	struct str names = {};

	if (a->said.parsed && e->policy && e->policy->track)
		str_addf(s, ", state %s", field_value_word(FIELD_STATE, a->judged.state) ?: "?");
	if (a->said.opened)
		str_add(s, ", opens a flow");
	if (a->said.limited) {
		const struct limit *l = a->chain->rules[a->judged.rule].limit;

		str_addf(s, ", its limit has %llu %s left", (unsigned long long)a->said.limit_left,
			 l && l->bytes ? "bytes" : "packets");
		if (a->said.limit_wait_ns) {
			str_add(s, " and takes this one ");
			wait_add(s, a->said.limit_wait_ns);
		}
	}
	if (a->said.seated)
		str_addf(s, ", connection %u of %u", a->said.seat + 1, a->chain->rules[a->judged.rule].max_conn);
	if (a->said.parsed && p->live_src) {
		set_names(e->policy, p->live_src, &names);
		str_addf(s, ", source in %s", str_get(&names));
		str_reset(&names);
	}
	if (a->said.parsed && p->live_dst) {
		set_names(e->policy, p->live_dst, &names);
		str_addf(s, ", destination in %s", str_get(&names));
	}
	if (a->said.banned)
		str_addf(s, ", its source enters @%s", a->said.banned->name);
	str_fini(&names);
}

static void earlier_print(const struct explain *e, const struct explain_answer *a, const char *indent)
{
	struct str has = {}, wants = {};
	struct table t;

	table_init(&t, 5, "earlier rule", "does not match", "packet has", "rule wants", "text");
	for (size_t i = 0; i < rules_before(a); i++) {
		const struct rule *r = &a->chain->rules[i];
		struct place p = place_of(e, a, i);
		struct eval_miss m = eval_rule_miss(r, &a->said.packet);
		const char *why = eval_rule_why_not(r, &a->said.packet);

		str_reset(&has);
		str_reset(&wants);
		if (why) {
			explain_miss_has(e->policy, &a->said.packet, m, &has);
			explain_miss_wants(e->policy, r, &a->said.packet, m, &wants);
		}
		table_add(&t, place_text(&p), why ? why : "matches and counts", why ? str_get(&has) : "-",
			  why ? str_get(&wants) : "-", p.text);
	}
	table_print(&t, indent);
	str_fini(&has);
	str_fini(&wants);
}

/* What the packet of a capture is. */
static void captured_print(const struct explain_step *s, const char *indent)
{
	struct str words = {};

	packet_text(s->frame, s->len, &words);
	out("%spacket %s\n", indent, str_get(&words));
	str_fini(&words);
}

static void answer_print(const struct explain *e, const struct explain_answer *a, const char *indent)
{
	const char *verdict = word_verdict((unsigned int)a->judged.verdict), *word = word_reason(a->judged.reason);
	char deeper[8];
	struct str s = {};

	snprintf(deeper, sizeof(deeper), "%s  ", indent);
	out("%s", indent);
	if (a->times > 1)
		out("%u times ", a->times);
	if (a->judged.rule >= 0) {
		struct place p = place_of(e, a, (size_t)a->judged.rule);
		if (a->judged.reason == FW_REASON_RULE)
			out("%s by %s: %s\n", verdict, place_text(&p), p.text);
		else
			out("%s by \"%s\" of %s: %s\n", verdict, word, place_text(&p), p.text);
	} else {
		out("%s by \"%s\": %s\n", verdict, word, word_reason_text(word));
	}
	facts(e, a, &s);
	out("%spolicy %s, %s%s%s%s\n", deeper, e->policy_name, word_dir(a->step->dir), e->ifname ? ", on " : "",
	    e->ifname ? out_name(e->ifname) : "", str_get(&s));
	str_fini(&s);
	if (a->step->captured)
		captured_print(a->step, deeper);
	if (a->tables)
		out("%sthe rule matches; this is what its limits and the tables of the policy have left\n", deeper);
	else if (!a->chain && a->judged.rule)
		out("%sthe sets of these rules are too large to be kept as text; fwctl explain FILE says why earlier "
		    "rules do not match\n",
		    deeper);
	if (rules_before(a))
		earlier_print(e, a, deeper);
}

static json_t *place_json(const struct explain *e, const struct explain_answer *a, size_t i)
{
	struct place p = place_of(e, a, i);
	json_t *j = json_pack("{s:I,s:o,s:i,s:o}", "index", (json_int_t)i, "file", out_jstr(p.file), "line",
			      (int)p.line, "text", out_jstr(p.text));

	if (p.label)
		json_object_set_new(j, "label", out_jstr(p.label));
	return j;
}

static json_t *earlier_json(const struct explain *e, const struct explain_answer *a)
{
	json_t *list = json_array();

	for (size_t i = 0; i < rules_before(a); i++) {
		const struct rule *r = &a->chain->rules[i];
		struct eval_miss m = eval_rule_miss(r, &a->said.packet);
		const char *why = eval_rule_why_not(r, &a->said.packet);
		json_t *j = place_json(e, a, i);
		struct str has = {}, wants = {};

		json_object_set_new(j, "fails", why ? json_string(why) : json_null());
		if (why) {
			explain_miss_has(e->policy, &a->said.packet, m, &has);
			explain_miss_wants(e->policy, r, &a->said.packet, m, &wants);
			json_object_set_new(j, "has", out_jstr(str_get(&has)));
			json_object_set_new(j, "wants", out_jstr(str_get(&wants)));
		}
		json_array_append_new(list, j);
		str_fini(&has);
		str_fini(&wants);
	}
	return list;
}

static json_t *sets_json(const struct policy *policy, uint32_t bits)
{
	json_t *list = json_array();

	for (size_t i = 0; policy && i < policy->nlive; i++)
		if (bits & 1u << i)
			json_array_append_new(list, json_string(policy->live[i]->name));
	return list;
}

static void facts_json(const struct explain *e, const struct explain_answer *a, json_t *j)
{
	if (a->said.parsed && e->policy && e->policy->track)
		json_object_set_new(j, "state", json_string(field_value_word(FIELD_STATE, a->judged.state) ?: "?"));
	if (a->said.opened)
		json_object_set_new(j, "opens_flow", json_true());
	if (a->said.limited)
		json_object_set_new(j, "limit",
				    json_pack("{s:I,s:o}", "left", (json_int_t)a->said.limit_left, "wait_ns",
					      a->said.limit_wait_ns == UINT64_MAX
						      ? json_null()
						      : json_integer((json_int_t)a->said.limit_wait_ns)));
	if (a->said.seated)
		json_object_set_new(j, "connection", json_integer(a->said.seat + 1));
	if (a->said.parsed && e->policy && e->policy->nlive) {
		json_object_set_new(j, "source_in", sets_json(e->policy, a->said.packet.live_src));
		json_object_set_new(j, "destination_in", sets_json(e->policy, a->said.packet.live_dst));
	}
	if (a->said.banned)
		json_object_set_new(j, "banned_in", json_string(a->said.banned->name));
}

static json_t *answer_json(const struct explain *e, const struct explain_answer *a)
{
	const char *word = word_reason(a->judged.reason);
	struct str words = {};
	json_t *j;

	packet_text(a->step->frame, a->step->len, &words);
	j = json_pack("{s:s,s:s,s:s,s:o,s:s,s:o,s:o,s:I,s:o}", "verdict", word_verdict((unsigned int)a->judged.verdict),
		      "reason", word, "reason_text", word_reason_text(word), "policy", out_jstr(e->policy_name),
		      "direction", word_dir(a->step->dir), "rule",
		      a->judged.rule < 0 ? json_null() : place_json(e, a, (size_t)a->judged.rule), "earlier",
		      earlier_json(e, a), "frame_bytes", (json_int_t)a->step->len, "packet", out_jstr(str_get(&words)));
	str_fini(&words);
	facts_json(e, a, j);
	if (a->times > 1)
		json_object_set_new(j, "times", json_integer(a->times));
	if (j && e->ifname) {
		json_object_set_new(j, "interface", out_jstr(e->ifname));
		json_object_set_new(j, "generation", json_integer((json_int_t)e->image->generation));
		json_object_set_new(j, "judged_by",
				    json_string(!a->program    ? "reference"
						: a->reference ? "program and reference"
							       : "program"));
	}
	return j;
}

void explain_tell(struct explain *e, const struct explain_answer *a)
{
	bool alone = e->steps.n == 1;
	size_t number = (size_t)(a->step - e->steps.v) + 1;

	if (e->json) {
		json_t *j = answer_json(e, a);

		if (!alone)
			json_object_set_new(j, "step", json_integer((json_int_t)number));
		json_array_append_new(e->json, j);
		return;
	}
	if (!alone && e->told != number)
		out("%zu  %s\n", number, a->step->text);
	e->told = number;
	answer_print(e, a, alone ? "" : "   ");
}

void explain_tell_between(struct explain *e, const struct explain_step *s)
{
	size_t number = (size_t)(s - e->steps.v) + 1;

	if (e->json)
		json_array_append_new(e->json,
				      json_pack("{s:I,s:o}", "step", (json_int_t)number, "text", out_jstr(s->text)));
	else
		out("%zu  %s\n", number, s->text);
}

int explain_tell_end(struct explain *e)
{
	json_t *all = e->json, *first;

	if (!all)
		return STATUS_DONE;
	e->json = NULL;
	if (e->steps.n == 1 && json_array_size(all) == 1) {
		first = json_incref(json_array_get(all, 0));
		json_decref(all);
		return out_json(first, false);
	}
	return out_json(json_pack("{s:o,s:b,s:o}", "policy", out_jstr(e->policy_name), "own_tables", e->own_tables,
				  "steps", all),
			false);
}
