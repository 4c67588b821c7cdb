// SPDX-License-Identifier: GPL-2.0-only
#include "fwctl/metrics.h"

#include "fwctl/cmd.h"
#include "fwctl/out.h"
#include "fwctl/words.h"

#include <stdio.h>
#include <string.h>

/* What one text is made of. */
struct view {
	struct om om;
	const struct metrics *m;
	const struct live *live;
	const struct stat_snap *snap;
};

/* An interface that is gone and one of today may have the same name: that of today has the series. */
static bool is_hidden(const struct live *l, const struct kern_iface_state *s)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct kern_iface_state *o = &l->iface[i];
		if (o != s && s->gone && !strcmp(o->name, s->name) && (!o->gone || o < s))
			return true;
	}
	return false;
}

static bool hook_hidden(const struct view *v, const struct stat_hook *h)
{
	for (size_t i = 0; i < v->live->n; i++)
		if (v->live->iface[i].ifindex == h->ifindex)
			return is_hidden(v->live, &v->live->iface[i]);
	return false;
}

/* Of the hooks that are shown, from *at on; NULL past the end. */
static const struct stat_hook *hook_next(const struct view *v, size_t *at)
{
	while (*at < v->snap->n) {
		const struct stat_hook *h = &v->snap->v[(*at)++];
		if (!hook_hidden(v, h))
			return h;
	}
	return NULL;
}
#define each_hook(v, h) (size_t at_ = 0; ((h) = hook_next(v, &at_)) != NULL;)

static void hook_sample(struct view *v, const struct stat_hook *h)
{
	om_sample(&v->om);
	om_label(&v->om, "interface", h->name);
	om_label(&v->om, "hook", word_hook(h->hook));
}

static const enum fw_verdict verdicts[] = { FW_VERDICT_PASS, FW_VERDICT_DROP, FW_VERDICT_REJECT };
#define VERDICTS (sizeof(verdicts) / sizeof(verdicts[0]))

static void packets_add(struct view *v, bool bytes)
{
	const struct stat_hook *h;

	for each_hook (v, h) {
		for (size_t i = 0; i < VERDICTS; i++) {
			hook_sample(v, h);
			om_label(&v->om, "verdict", word_verdict(verdicts[i]));
			om_u64(&v->om, bytes ? h->verdict[verdicts[i]].bytes : h->verdict[verdicts[i]].packets);
		}
	}
}

/* All but rules have slots by reason and verdict; what is left of a verdict is that of rules, of those that are gone, too. */
static struct fw_counter reason_of(const struct stat_hook *h, enum fw_reason reason, enum fw_verdict verdict)
{
	struct fw_counter rest = h->verdict[verdict];

	if (reason != FW_REASON_RULE)
		return verdict == FW_VERDICT_REJECT ? (struct fw_counter){} : stat_slot(h, FW_REASON_SLOT(reason, verdict));
	for (unsigned int r = 0; r < FW_REASON_COUNT; r++) {
		if (r == FW_REASON_RULE)
			continue;
		struct fw_counter c = reason_of(h, r, verdict);
		rest.packets -= c.packets;
		rest.bytes -= c.bytes;
	}
	return rest;
}

/* All of them from the beginning: a rate misses the step from no series to one. */
static void reasons_add(struct view *v, bool bytes)
{
	const struct stat_hook *h;

	for each_hook (v, h) {
		for (unsigned int r = 0; r < FW_REASON_COUNT; r++) {
			for (size_t i = 0; i < VERDICTS; i++) {
				if (verdicts[i] == FW_VERDICT_REJECT && r != FW_REASON_RULE)
					continue;
				struct fw_counter c = reason_of(h, r, verdicts[i]);
				hook_sample(v, h);
				om_label(&v->om, "reason", word_reason(r));
				om_label(&v->om, "verdict", word_verdict(verdicts[i]));
				om_u64(&v->om, bytes ? c.bytes : c.packets);
			}
		}
	}
}

static void hooks_add(struct view *v)
{
	om_family(&v->om, OM_COUNTER, "fwctl_packets", NULL, "Packets by what became of them.");
	packets_add(v, false);
	om_family(&v->om, OM_COUNTER, "fwctl_bytes", "bytes", "Bytes of these packets.");
	packets_add(v, true);
	om_family(&v->om, OM_COUNTER, "fwctl_reason_packets", NULL,
		  "The same packets by why: each has one verdict and one reason.");
	reasons_add(v, false);
	om_family(&v->om, OM_COUNTER, "fwctl_reason_bytes", "bytes", "Bytes of these packets.");
	reasons_add(v, true);
}

enum rule_what { RULE_PACKETS, RULE_BYTES, RULE_LAST };

static bool rule_wanted(const struct view *v, const struct stat_hook *h, const struct fw_meta_rule *r)
{
	return v->m->rules == METRICS_ALL || (v->m->rules == METRICS_LABELLED && *image_str(h->image, r->label));
}

/* What a rule is by itself, wherever it runs. */
static void rule_labels(struct view *v, const struct stat_hook *h, const struct fw_meta_rule *r)
{
	om_label(&v->om, "policy", h->policy);
	om_label(&v->om, "direction", word_dir(hook_dir(h->hook)));
	om_label(&v->om, "rule", image_str(h->image, r->id));
	om_label(&v->om, "verdict", word_verdict(r->verdict));
}

static void rule_sample(struct view *v, const struct stat_hook *h, const struct fw_meta_rule *r, enum rule_what what)
{
	struct fw_counter c = stat_slot(h, r->slot);
	uint64_t last = what == RULE_LAST ? stat_slot_last(h, r->slot) : 0;

	hook_sample(v, h);
	rule_labels(v, h, r);
	if (what == RULE_LAST)
		om_seconds(&v->om, last ? last + v->m->wall_ns : 0);
	else
		om_u64(&v->om, what == RULE_BYTES ? c.bytes : c.packets);
}

static void rules_each(struct view *v, enum rule_what what)
{
	const struct stat_hook *h;
	size_t n;

	for each_hook (v, h) {
		const struct fw_meta_rule *r = image_rules(h->image, hook_dir(h->hook), &n);
		for (size_t i = 0; i < n; i++)
			if (rule_wanted(v, h, &r[i]))
				rule_sample(v, h, &r[i], what);
	}
}

static void info_sample(struct view *v, const struct stat_hook *h, const struct fw_meta_rule *r)
{
	char line[12];

	snprintf(line, sizeof(line), "%u", r->line);
	om_sample(&v->om);
	rule_labels(v, h, r);
	if (r->flags & FW_RULEF_ESSENTIAL) {
		om_label(&v->om, "file", "essential");
	} else {
		om_label(&v->om, "file", image_str(h->image, r->file));
		om_label(&v->om, "line", line);
	}
	/* Without a label the text is the name already. */
	if (*image_str(h->image, r->label))
		om_label(&v->om, "text", image_str(h->image, r->text));
	om_u64(&v->om, 1);
}

/* Did an earlier hook tell of the same rules? */
static bool rules_told(const struct view *v, const struct stat_hook *h)
{
	const struct stat_hook *o;

	for each_hook (v, o) {
		if (o == h)
			return false;
		if (hook_dir(o->hook) == hook_dir(h->hook) && !strcmp(o->policy, h->policy))
			return true;
	}
	return false;
}

/* Where a rule stands is no part of its series of counters, which go on when lines move. */
static void rules_info(struct view *v)
{
	const struct stat_hook *h;
	size_t n;

	om_family(&v->om, OM_INFO, "fwctl_rule", NULL, "Where a rule stands; its text, where a label names it.");
	for each_hook (v, h) {
		const struct fw_meta_rule *r = image_rules(h->image, hook_dir(h->hook), &n);
		if (rules_told(v, h))
			continue;
		for (size_t i = 0; i < n; i++)
			if (rule_wanted(v, h, &r[i]))
				info_sample(v, h, &r[i]);
	}
}

static void rules_add(struct view *v)
{
	if (v->m->rules == METRICS_NONE)
		return;
	om_family(&v->om, OM_COUNTER, "fwctl_rule_packets", NULL,
		  "Packets that the rule decided, or, verdict count, that it met. rule: its label, else its text.");
	rules_each(v, RULE_PACKETS);
	om_family(&v->om, OM_COUNTER, "fwctl_rule_bytes", "bytes", "Bytes of these packets.");
	rules_each(v, RULE_BYTES);
	om_family(&v->om, OM_GAUGE, "fwctl_rule_last_hit_timestamp_seconds", "seconds",
		  "When the last of these packets came; 0: none since the rule is there.");
	rules_each(v, RULE_LAST);
	rules_info(v);
}

static void sets_add(struct view *v)
{
	static const struct {
		enum om_type type;
		const char *name, *help;
	} family[] = {
		{ OM_GAUGE, "fwctl_set_elements", "Elements of a live set, ended ones until their room is used again." },
		{ OM_GAUGE, "fwctl_set_size", "Elements that a live set has room for." },
		{ OM_COUNTER, "fwctl_set_refused", "Elements that a rule could not add to a live set: it was full." },
	};

	for (size_t f = 0; f < sizeof(family) / sizeof(family[0]); f++) {
		om_family(&v->om, family[f].type, family[f].name, NULL, family[f].help);
		for (size_t i = 0; i < v->snap->nsets; i++) {
			const struct kern_set *s = &v->snap->set[i];
			om_sample(&v->om);
			om_label(&v->om, "set", s->name);
			om_u64(&v->om, f == 0 ? s->count : f == 1 ? s->size : s->refused);
		}
	}
}

static void flow_sample(struct view *v, const struct stat_policy *p, const char *state, uint32_t n)
{
	om_sample(&v->om);
	om_label(&v->om, "policy", p->name);
	om_label(&v->om, "state", state);
	om_u64(&v->om, n);
}

static void flows_add(struct view *v)
{
	for (int room = 0; room < 2; room++) {
		om_family(&v->om, OM_GAUGE, room ? "fwctl_flows_capacity" : "fwctl_flows", NULL,
			  room ? "Flows that the flow table has room for." :
				 "Flows in the flow table; pending: half-open ones, which have a table of their own.");
		for (size_t i = 0; i < v->snap->npolicies; i++) {
			const struct stat_policy *p = &v->snap->policy[i];
			if (!p->tracks)
				continue;
			flow_sample(v, p, "open", room ? p->room.size : p->room.used);
			flow_sample(v, p, "pending", room ? p->room.pending_size : p->room.pending_used);
		}
	}
}

static void events_add(struct view *v)
{
	static const char *const family[][2] = {
		{ "fwctl_events", "Packets that rules say to log: written, limited, sampled and capped ones together." },
		{ "fwctl_events_written", "Events written for whoever reads them." },
		{ "fwctl_events_limited", "Events not written: over a log limit." },
		{ "fwctl_events_sampled", "Events not written: not drawn by a log sample." },
		{ "fwctl_events_capped", "Events not written: too many rules tell of one packet." },
		{ "fwctl_events_lost", "Events written, and overwritten before a follower had read them." },
	};

	for (size_t f = 0; f < sizeof(family) / sizeof(family[0]); f++) {
		om_family(&v->om, OM_COUNTER, family[f][0], NULL, family[f][1]);
		for (size_t i = 0; i < v->snap->npolicies; i++) {
			const struct stat_policy *p = &v->snap->policy[i];
			const struct kern_event_counts *c = &p->events;
			const uint64_t n[] = { c->generated, c->written, c->limited, c->sampled, c->capped, c->lost };
			if (!p->logs)
				continue;
			om_sample(&v->om);
			om_label(&v->om, "policy", p->name);
			om_u64(&v->om, n[f]);
		}
	}
}

static void policies_add(struct view *v)
{
	const struct kern_iface_state *s;

	om_family(&v->om, OM_GAUGE, "fwctl_policy_generation", NULL, "How often the rules of a policy were replaced.");
	for (size_t i = 0; (s = live_policy_at(v->live, i)); i++) {
		om_sample(&v->om);
		om_label(&v->om, "policy", s->policy);
		om_u64(&v->om, s->generation);
	}
	om_family(&v->om, OM_INFO, "fwctl_policy", NULL, "Which rules a policy runs: the digest of their tables.");
	for (size_t i = 0; (s = live_policy_at(v->live, i)); i++) {
		om_sample(&v->om);
		om_label(&v->om, "policy", s->policy);
		om_label(&v->om, "digest", s->digest);
		om_u64(&v->om, 1);
	}
}

static void hook_attached(struct view *v, const struct kern_iface_state *s, const struct kern_hook_state *h)
{
	om_sample(&v->om);
	om_label(&v->om, "interface", s->name);
	om_label(&v->om, "hook", word_hook(h->hook));
	om_label(&v->om, "mode", word_mode(h->hook, h->mode));
	om_label(&v->om, "link", word_link(h->link));
	om_label(&v->om, "policy", s->policy);
	om_u64(&v->om, h->attached);
}

static void interface_sample(struct view *v, const struct kern_iface_state *s)
{
	om_sample(&v->om);
	om_label(&v->om, "interface", s->name);
	om_label(&v->om, "policy", s->policy);
}

static void interfaces_add(struct view *v)
{
	const struct live *l = v->live;

	om_family(&v->om, OM_GAUGE, "fwctl_interfaces", NULL, "Interfaces that should be filtered.");
	om_sample(&v->om);
	om_u64(&v->om, l->n);
	om_family(&v->om, OM_GAUGE, "fwctl_interface_attached", NULL, "1: the interface is filtered at this hook; 0: it should be.");
	for (size_t i = 0; i < l->n; i++)
		for (size_t h = 0; h < l->iface[i].nhooks && !is_hidden(l, &l->iface[i]); h++)
			hook_attached(v, &l->iface[i], &l->iface[i].hook[h]);
	om_family(&v->om, OM_GAUGE, "fwctl_degraded", NULL, "1: something is wrong with the interface; fwctl status says what.");
	for (size_t i = 0; i < l->n; i++) {
		if (is_hidden(l, &l->iface[i]))
			continue;
		interface_sample(v, &l->iface[i]);
		om_u64(&v->om, l->iface[i].ndegraded > 0);
	}
	om_family(&v->om, OM_GAUGE, "fwctl_interface_since_timestamp_seconds", "seconds", "When the interface was loaded.");
	for (size_t i = 0; i < l->n; i++) {
		if (is_hidden(l, &l->iface[i]))
			continue;
		interface_sample(v, &l->iface[i]);
		om_seconds(&v->om, l->iface[i].since_ns);
	}
}

static void build_add(struct view *v, bool read)
{
	om_family(&v->om, OM_INFO, "fwctl_build", NULL, "The program that made this text.");
	om_sample(&v->om);
	om_label(&v->om, "version", FWCTL_VERSION);
	om_label(&v->om, "libbpf", kern_libbpf());
	om_u64(&v->om, 1);
	om_family(&v->om, OM_GAUGE, "fwctl_scrape_success", NULL, "1: all of the state could be read; 0: counters are missing here.");
	om_sample(&v->om);
	om_u64(&v->om, read);
}

/* Somebody sets the clock, or the machine has slept: then it moves. */
static void clock_keep(struct metrics *m, const struct stat_snap *s)
{
	uint64_t now = s->real_ns - s->at_ns, off = now > m->wall_ns ? now - m->wall_ns : m->wall_ns - now;

	if (off > 100000000)
		m->wall_ns = now;
}

int metrics_text(struct metrics *m, enum om_format format, struct str *out)
{
	struct stat_snap snap = {};
	struct view v = { .om = { .s = out, .format = format }, .m = m, .live = &m->live, .snap = &snap };
	int status = live_again(&m->live, KERN_READ);
	bool seen = !status;

	if (seen)
		status = snap_take(&m->live, NULL, &snap);
	live_release(&m->live);
	if (!seen)
		return status;
	build_add(&v, !status);
	interfaces_add(&v);
	policies_add(&v);
	if (!status) {
		clock_keep(m, &snap);
		hooks_add(&v);
		rules_add(&v);
		sets_add(&v);
		flows_add(&v);
		events_add(&v);
	}
	om_end(&v.om);
	snap_free(&snap);
	if (out->failed) {
		problem("no memory");
		return STATUS_REFUSED;
	}
	return status;
}
