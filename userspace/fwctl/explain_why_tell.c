// SPDX-License-Identifier: GPL-2.0-only
/* The answer of explain --why-dropped: the conclusion first, then what it stands on. */
#include "fwctl/explain_why.h"

#include "fwctl/flow.h"
#include "fwctl/out.h"
#include "fwctl/words.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static bool is_dropped(const struct fw_event *e)
{
	return e->verdict == FW_VERDICT_DROP || e->verdict == FW_VERDICT_REJECT;
}

/* By the names of the generation that answered; the place of a rule that cannot be named is its reason. */
static struct event_view view_of(const struct why *w, const struct fw_event *e)
{
	struct event_view v;

	follow_view(&w->follow, w->policy, e, &v);
	return v;
}

/* Does the text of the rule name this set? */
static bool names_set_of(const char *text, const char *set)
{
	size_t len = strlen(set);

	for (const char *at = strchr(text, '@'); at; at = strchr(at + 1, '@')) {
		if (strncmp(at + 1, set, len))
			continue;
		unsigned char next = (unsigned char)at[1 + len];
		if (!isalnum(next) && next != '_' && next != '-' && next != '.')
			return true;
	}
	return false;
}

/* The live set that makes the rule match; NULL: none does. */
static const struct why_member *member_of(const struct why *w, const struct event_rule *r)
{
	for (size_t i = 0; r && i < w->member.n; i++)
		if (w->member.v[i].named && names_set_of(r->text, w->member.v[i].set))
			return &w->member.v[i];
	return NULL;
}

static void until_add(const struct why *w, const struct kern_element *x, struct str *out)
{
	if (x->end_ns == UINT64_MAX)
		str_add(out, "for ever");
	else
		str_addf(out, "until %s (%s left)", word_time(moment_wall(&w->now, x->end_ns)), left_text(&w->now, x->end_ns));
	if (*x->reason)
		str_addf(out, ", reason \"%s\"", out_name(x->reason));
}

/* `dropped by "banned" web.fw:21: it is in the live set banned until …` */
static void cause_add(const struct why *w, const struct fw_event *e, struct str *out)
{
	struct event_view v = view_of(w, e);
	const struct event_rule *r = v.told ? v.told : v.matched;
	const struct why_member *m = member_of(w, v.told);

	str_addf(out, "%s by ", e->verdict == FW_VERDICT_REJECT ? "rejected" : "dropped");
	if (v.told)
		str_add(out, v.told->shown);
	else
		str_addf(out, "\"%s\" (%s)", word_reason(e->reason), word_reason_text(word_reason(e->reason)));
	if (!v.told && r)
		str_addf(out, ", rule %s", r->shown);
	if (m) {
		str_addf(out, ": it is in the live set %s ", m->set);
		until_add(w, &m->element, out);
	}
}

enum fate { FATE_NONE, FATE_SOME, FATE_ALL };
static const char *const fates[] = { "none", "some", "all" };

static bool comes_in(const struct why_answer *a)
{
	return hook_dir(a->event.hook) == FW_DIR_INGRESS;
}

/*
 * *ret_by: the first packet that is dropped. *ret_same: all of them are, for one cause. When there are packets that come in, what goes
 * out to the address is no part of the question.
 */
static enum fate fate_of(const struct why *w, const struct why_answer **ret_by, bool *ret_same)
{
	size_t dropped = 0, asked = 0;
	bool in = false;

	for (size_t i = 0; i < w->nanswers; i++)
		in |= comes_in(&w->answer[i]);
	*ret_by = NULL;
	*ret_same = true;
	for (size_t i = 0; i < w->nanswers; i++) {
		const struct why_answer *a = &w->answer[i];
		if (in && !comes_in(a))
			continue;
		asked++;
		if (!is_dropped(&a->event))
			continue;
		dropped++;
		if (!*ret_by)
			*ret_by = a;
		else if (a->event.slot != (*ret_by)->event.slot || a->event.hook != (*ret_by)->event.hook)
			*ret_same = false;
	}
	return !dropped ? FATE_NONE : dropped == asked ? FATE_ALL : FATE_SOME;
}

/* Newest event of a packet that did not get through. */
static const struct fw_event *last_drop(const struct why *w)
{
	for (size_t i = w->follow.batch.n; i-- > 0;)
		if (is_dropped(&w->follow.batch.v[i].event))
			return &w->follow.batch.v[i].event;
	return NULL;
}

static void conclusion(const struct why *w, struct str *out)
{
	const struct why_answer *by;
	const struct fw_event *last = last_drop(w);
	bool same;
	enum fate fate = fate_of(w, &by, &same);

	str_addf(out, "%s ", w->address);
	if (fate == FATE_ALL && same) {
		str_add(out, "is ");
		cause_add(w, &by->event, out);
	} else if (fate == FATE_ALL) {
		str_add(out, "is dropped with all packets that were tried, by several rules or reasons; first, ");
		str_addf(out, "%s is ", by->packet);
		cause_add(w, &by->event, out);
	} else if (fate == FATE_SOME) {
		str_addf(out, "is dropped with some packets and not with others: %s%s is ", by->seen ? "as seen, " : "", by->packet);
		cause_add(w, &by->event, out);
	} else if (last) {
		str_add(out, "is not dropped now, but was: ");
		time_text(moment_wall(&w->now, last->time_ns), out);
		str_add(out, "Z a packet was ");
		cause_add(w, last, out);
	} else {
		str_add(out, "is not dropped: none of the packets that were tried is");
	}
}

static void answers_print(struct why *w)
{
	struct table t;

	out("\nwhat the program on %s says now\n", out_name(w->ifname));
	table_init(&t, 4, "verdict", "by", "packet", "");
	for (size_t i = 0; i < w->nanswers; i++) {
		struct event_view v = view_of(w, &w->answer[i].event);
		struct str by = {};
		str_add(&by, v.told ? v.told->shown : word_reason(w->answer[i].event.reason));
		if (!v.told && v.matched)
			str_addf(&by, " of %s", v.matched->shown);
		table_add(&t, word_verdict(w->answer[i].event.verdict), str_get(&by), w->answer[i].packet,
			  w->answer[i].seen ? "seen" : "usual");
		str_fini(&by);
	}
	table_print(&t, "  ");
}

static void members_print(struct why *w)
{
	out("\nlive sets that have it\n");
	for (size_t i = 0; i < w->member.n; i++) {
		const struct why_member *m = &w->member.v[i];
		struct str s = {};
		until_add(w, &m->element, &s);
		out("  %s: %s %s%s\n", m->set, element_text(&m->element), str_get(&s), m->named ? "" : " (no rule here names this set)");
		str_fini(&s);
	}
	if (!w->member.n)
		out("  none\n");
}

static void events_print(struct why *w)
{
	const struct event_batch *b = &w->follow.batch;
	struct str s = {};

	out("\nrecent events that name it: %zu%s\n", b->n, follow_tells(&w->follow) ? "" : " (no rule of this policy has \"log\")");
	for (size_t i = b->n > WHY_EVENTS ? b->n - WHY_EVENTS : 0; i < b->n; i++) {
		struct event_view v = view_of(w, &b->v[i].event);
		v.wall_ns = moment_wall(&w->now, b->v[i].event.time_ns);
		str_reset(&s);
		event_text(&v, &s);
		out("  %s", str_get(&s));
	}
	str_fini(&s);
}

static void flows_print(struct why *w)
{
	struct flow_view v;

	out("\nflows: %zu\n", w->nflows);
	for (size_t i = 0; i < w->nflows && i < WHY_FLOWS; i++) {
		flow_view(&w->flow[i], w->policy ? image_hdr(&w->policy->names.image) : NULL, &v);
		out("  %s %s -> %s %s, opened %s\n", flow_proto(&v), flow_end(&v, true), flow_end(&v, false), v.state, word_dir(v.dir));
	}
}

/* Each rule and reason that drops, with packets: `each` gets its name, count and last hit. */
static void drops_each(struct why *w, void (*each)(void *ctx, const struct stat_hook *h, const char *kind, const char *name,
						   struct fw_counter c, uint64_t last_ns), void *ctx)
{
	for (size_t i = 0; i < w->snap.n; i++) {
		const struct stat_hook *h = &w->snap.v[i];
		size_t n;
		const struct fw_meta_rule *r = image_rules(h->image, hook_dir(h->hook), &n);
		for (size_t k = 0; k < n; k++) {
			struct fw_counter c = stat_slot(h, r[k].slot);
			const struct event_rule *name = w->policy ? names_rule(&w->policy->names, hook_dir(h->hook), k) : NULL;
			if (c.packets && (r[k].verdict == FW_VERDICT_DROP || r[k].verdict == FW_VERDICT_REJECT))
				each(ctx, h, "rule", name ? name->shown : image_str(h->image, r[k].id), c, stat_slot_last(h, r[k].slot));
		}
		for (unsigned int k = 0; k < FW_REASON_COUNT; k++) {
			uint32_t slot = FW_REASON_SLOT(k, FW_VERDICT_DROP);
			struct fw_counter c = k == FW_REASON_RULE ? (struct fw_counter){} : stat_slot(h, slot);
			if (c.packets)
				each(ctx, h, "reason", word_reason(k), c, stat_slot_last(h, slot));
		}
	}
}

static void drop_row(void *ctx, const struct stat_hook *h, const char *kind, const char *name, struct fw_counter c, uint64_t last_ns)
{
	struct str packets = {};

	str_add_u64(&packets, c.packets);
	table_add(ctx, word_hook(h->hook), kind, name, str_get(&packets), last_ns ? word_ago(moment_now().mono, last_ns) : "-");
	str_fini(&packets);
}

void why_text(struct why *w)
{
	struct table t;
	struct str s = {};

	conclusion(w, &s);
	out("%s\n  on %s, policy %s, generation %" PRIu64 "\n", str_get(&s), out_name(w->ifname), w->policy ? w->policy->name : "?",
	    w->generation);
	str_fini(&s);
	answers_print(w);
	members_print(w);
	events_print(w);
	flows_print(w);
	out("\ndrops of everybody on %s\n", out_name(w->ifname));
	table_init(&t, 5, "hook", "what", "name", ">packets", "last");
	drops_each(w, drop_row, &t);
	table_print(&t, "  ");
}

static void drop_json(void *ctx, const struct stat_hook *h, const char *kind, const char *name, struct fw_counter c, uint64_t last_ns)
{
	json_t *j = json_pack("{s:s,s:s,s:o,s:I,s:I}", "hook", word_hook(h->hook), "kind", kind, "name", out_jstr(name), "packets",
			      (json_int_t)c.packets, "bytes", (json_int_t)c.bytes);

	if (j && last_ns) {
		struct moment now = moment_now();
		json_object_set_new(j, "last", json_string(word_time(moment_wall(&now, last_ns))));
	}
	json_array_append_new(ctx, j);
}

/* The line of JSON that log prints of it, as a value. */
static json_t *event_value(const struct why *w, const struct fw_event *e, bool happened)
{
	struct event_view v = view_of(w, e);
	struct str s = {};

	v.wall_ns = moment_wall(&w->now, happened ? e->time_ns : w->now.mono);
	event_json(&v, &s);
	json_t *j = json_loads(str_get(&s), 0, NULL);
	str_fini(&s);
	return j ? j : json_null();
}

static json_t *answers_json(struct why *w)
{
	json_t *all = json_array();

	for (size_t i = 0; i < w->nanswers; i++) {
		json_t *e = event_value(w, &w->answer[i].event, false);
		json_t *j = json_pack("{s:s,s:b,s:O?}", "packet", w->answer[i].packet, "seen", (int)w->answer[i].seen, "fwctl",
				      json_object_get(e, "fwctl"));
		json_array_append_new(all, j);
		json_decref(e);
	}
	return all;
}

static json_t *members_json(struct why *w)
{
	json_t *all = json_array();

	for (size_t i = 0; i < w->member.n; i++) {
		const struct why_member *m = &w->member.v[i];
		json_t *j = json_pack("{s:o,s:s,s:b,s:o}", "set", out_jstr(m->set), "element", element_text(&m->element), "named",
				      (int)m->named,
				      "reason", out_jstr(m->element.reason));
		if (j && m->element.end_ns != UINT64_MAX)
			json_object_set_new(j, "until", json_string(word_time(moment_wall(&w->now, m->element.end_ns))));
		json_array_append_new(all, j);
	}
	return all;
}

int why_json(struct why *w)
{
	const struct why_answer *by;
	json_t *events = json_array(), *drops = json_array();
	struct str s = {};
	bool same;
	enum fate fate = fate_of(w, &by, &same);

	conclusion(w, &s);
	for (size_t i = 0; i < w->follow.batch.n; i++)
		json_array_append_new(events, event_value(w, &w->follow.batch.v[i].event, true));
	drops_each(w, drop_json, drops);
	json_t *j = json_pack("{s:o,s:s,s:o,s:s,s:o,s:I,s:o,s:o,s:o,s:I,s:o}", "interface", out_jstr(w->ifname), "address", w->address,
			      "policy", out_jstr(w->policy ? w->policy->name : "?"), "dropped", fates[fate], "conclusion",
			      out_jstr(str_get(&s)), "generation", (json_int_t)w->generation, "answers", answers_json(w), "sets",
			      members_json(w), "events", events, "flows", (json_int_t)w->nflows, "drops", drops);
	str_fini(&s);
	return out_json(j, false);
}
