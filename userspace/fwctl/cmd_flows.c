// SPDX-License-Identifier: GPL-2.0-only
/* flows: what the flow tables of the policies know, and the end of what should not be there. */
#include "base/duration.h"
#include "fwctl/cmd.h"
#include "fwctl/elements.h"
#include "fwctl/flow.h"
#include "fwctl/live.h"
#include "fwctl/out.h"
#include "fwctl/words.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The flows of one policy, as asked for. */
struct table_of {
	char policy[KERN_POLICY_MAX + 1];
	const struct fw_image *image;
	struct kern_flow *v;
	size_t n, killed;
	struct kern_flow_room room;
};

struct flows {
	struct live live;
	struct flow_filter filter;
	const char *ifname, *policy;
	struct table_of *t;
	size_t n;
	const struct fw_image *asked; /* while the filter runs */
};

enum verb { VERB_LIST, VERB_COUNT, VERB_KILL };

static bool wanted(void *ctx, const struct kern_flow *f)
{
	const struct flows *s = ctx;
	struct flow_view v;

	flow_view(f, s->asked, &v);
	return flow_filter_matches(&s->filter, &v, s->asked);
}

static int table_read(struct flows *s, const struct kern_iface_state *state, enum verb verb)
{
	struct table_of t = {};
	const struct fw_image *img = live_image(&s->live, state);
	bool count = verb == VERB_COUNT;

	if (!img)
		return STATUS_REFUSED;
	memcpy(t.policy, state->policy, sizeof(t.policy));
	s->asked = t.image = img;
	int err = kern_flows(s->live.kern, t.policy, s->filter.any ? wanted : NULL, s, count ? NULL : &t.v, &t.n);
	if (!err)
		err = kern_flows_room(s->live.kern, t.policy, &t.room);
	if (!err && verb == VERB_KILL)
		err = kern_flows_kill(s->live.kern, t.policy, t.v, t.n, &t.killed);
	if (!err) {
		s->t[s->n++] = t;
		return STATUS_DONE;
	}
	free(t.v);
	if (err == -ENOENT && !s->live.fail.err) {
		/* Of all policies, those that keep state are meant. */
		if (!s->policy && !s->ifname)
			return STATUS_DONE;
		problem("policy %s keeps no state: no rule of it says \"keep state\"", t.policy);
		return STATUS_REFUSED;
	}
	problem_fail(&s->live.fail, err);
	return STATUS_REFUSED;
}

static int tables_read(struct flows *s, enum verb verb)
{
	const struct kern_iface_state *p;
	bool found = false;

	s->t = calloc(s->live.n + 1, sizeof(*s->t));
	if (!s->t) {
		problem("no memory");
		return STATUS_REFUSED;
	}
	if (s->ifname) {
		p = live_need(&s->live, s->ifname);
		return p ? table_read(s, p, verb) : STATUS_REFUSED;
	}
	for (size_t i = 0; (p = live_policy_at(&s->live, i)); i++) {
		if (s->policy && strcmp(s->policy, p->policy))
			continue;
		found = true;
		int status = table_read(s, p, verb);
		if (status)
			return status;
	}
	if (!s->policy || found)
		return STATUS_DONE;
	problem("no interface uses policy %s; fwctl status lists those that are used", out_name(s->policy));
	return STATUS_REFUSED;
}

static const char *time_text(uint64_t ns)
{
	static char ring[4][40];
	static unsigned int next;
	char *out = ring[next++ % 4];
	struct str s = {};

	duration_add(&s, (ns + 999999999) / 1000000000 * 1000000000);
	snprintf(out, 40, "%s", str_get(&s));
	str_fini(&s);
	return out;
}

/* The label, else the place in the file. */
static const char *rule_text(const struct fw_image *img, const struct fw_meta_rule *r)
{
	static struct str s;

	str_reset(&s);
	if (!r)
		return "?";
	const char *label = image_str(img, r->label), *file = image_str(img, r->file);
	if (*label) {
		str_add_escaped(&s, label, strlen(label));
	} else {
		str_add_escaped(&s, file, strlen(file));
		str_addf(&s, ":%u", r->line);
	}
	return str_get(&s);
}

struct cells {
	char packets[48], bytes[48];
	const char *v[9];
};

static void flow_cells(struct cells *c, const struct table_of *t, const struct kern_flow *f)
{
	struct flow_view v;

	flow_view(f, t->image, &v);
	snprintf(c->packets, sizeof(c->packets), "%" PRIu64 "/%" PRIu64, (uint64_t)f->flow.packets[0],
		 (uint64_t)f->flow.packets[1]);
	snprintf(c->bytes, sizeof(c->bytes), "%" PRIu64 "/%" PRIu64, (uint64_t)f->flow.bytes[0],
		 (uint64_t)f->flow.bytes[1]);
	c->v[0] = flow_proto(&v);
	c->v[1] = flow_end(&v, true);
	c->v[2] = flow_end(&v, false);
	c->v[3] = word_dir(v.dir);
	c->v[4] = v.state;
	c->v[5] = c->packets;
	c->v[6] = c->bytes;
	c->v[7] = time_text(f->age_ns);
	c->v[8] = time_text(f->left_ns);
}

static void list_print(const struct flows *s)
{
	struct cells c;
	struct table t;

	for (size_t i = 0; i < s->n; i++) {
		const struct table_of *of = &s->t[i];
		/* A long list is not kept until the widths of its columns are known. */
		bool aligned = out_terminal() && of->n <= 10000;
		out("policy %s: %s\n", of->policy, word_count(of->n, "flow"));
		table_init(&t, 10, "proto", "from", "to", "opened", "state", ">packets", ">bytes", ">age", ">left",
			   "rule");
		for (size_t j = 0; j < of->n; j++) {
			struct flow_view v;
			flow_view(&of->v[j], of->image, &v);
			flow_cells(&c, of, &of->v[j]);
			if (!aligned && !j)
				out("proto\tfrom\tto\topened\tstate\tpackets\tbytes\tage\tleft\trule\n");
			if (aligned)
				table_add(&t, c.v[0], c.v[1], c.v[2], c.v[3], c.v[4], c.v[5], c.v[6], c.v[7], c.v[8],
					  rule_text(of->image, v.rule));
			else
				out("%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", c.v[0], c.v[1], c.v[2], c.v[3], c.v[4],
				    c.v[5], c.v[6], c.v[7], c.v[8], rule_text(of->image, v.rule));
		}
		if (aligned && of->n)
			table_print(&t, "");
	}
}

static json_t *flow_json(const struct table_of *t, const struct kern_flow *f)
{
	const struct fw_flow *w = &f->flow;
	struct flow_view v;

	flow_view(f, t->image, &v);
	uint8_t l3 = v.family == FAMILY_IPV4 ? FW_L3_IPV4 : FW_L3_IPV6;
	json_t *j = json_pack("{s:s,s:s,s:s,s:s,s:s,s:b,s:I,s:I}", "proto", flow_proto(&v), "src",
			      address_text(l3, v.src), "dst", address_text(l3, v.dst), "opened", word_dir(v.dir),
			      "state", v.state, "pending", (int)f->pending, "age_ms", (json_int_t)(f->age_ns / 1000000),
			      "left_ms", (json_int_t)((f->left_ns + 999999) / 1000000));
	if (!j)
		return NULL;
	if (v.ports) {
		json_object_set_new(j, "sport", json_integer(v.sport));
		json_object_set_new(j, "dport", json_integer(v.dport));
	}
	if (v.query) {
		json_object_set_new(j, "type", json_integer(v.type));
		json_object_set_new(j, "ident", json_integer(v.ident));
	}
	for (int side = 0; side < 2; side++)
		json_object_set_new(j, side ? "other" : "opener",
				    json_pack("{s:I,s:I}", "packets", (json_int_t)w->packets[side], "bytes",
					      (json_int_t)w->bytes[side]));
	json_object_set_new(j, "rule",
			    !v.rule ? json_null()
				    : json_pack("{s:o,s:o,s:I}", "id", out_jstr(image_str(t->image, v.rule->id)),
						"file", out_jstr(image_str(t->image, v.rule->file)), "line",
						(json_int_t)v.rule->line));
	return j;
}

static json_t *room_json(const struct table_of *t)
{
	return json_pack("{s:s,s:I,s:I,s:I,s:I,s:I,s:I}", "policy", t->policy, "count", (json_int_t)t->n, "killed",
			 (json_int_t)t->killed, "size", (json_int_t)t->room.size, "used", (json_int_t)t->room.used,
			 "pending_size", (json_int_t)t->room.pending_size, "pending_used",
			 (json_int_t)t->room.pending_used);
}

/* `list`: one flow per line, so that memory does not grow with the table. */
static int flows_json(const struct flows *s, enum verb verb)
{
	int status = STATUS_DONE;

	fputs("{\"policies\": [", stdout);
	for (size_t i = 0; i < s->n && !status; i++) {
		json_t *room = room_json(&s->t[i]);
		char *text = room ? json_dumps(room, JSON_COMPACT) : NULL;
		json_decref(room);
		if (!text) {
			status = STATUS_REFUSED;
			break;
		}
		text[strlen(text) - 1] = '\0'; /* more follows */
		printf("%s\n%s", i ? "," : "", text);
		free(text);
		fputs(verb == VERB_LIST ? ", \"flows\": [" : "", stdout);
		for (size_t j = 0; verb == VERB_LIST && j < s->t[i].n && !status; j++) {
			json_t *f = flow_json(&s->t[i], &s->t[i].v[j]);
			fputs(j ? ",\n" : "\n", stdout);
			if (!f || json_dumpf(f, stdout, JSON_COMPACT))
				status = STATUS_REFUSED;
			json_decref(f);
		}
		fputs(verb == VERB_LIST ? "]}" : "}", stdout);
	}
	fputs("\n]}\n", stdout);
	if (status)
		problem("cannot write the result");
	return status;
}

static void count_print(const struct flows *s, enum verb verb)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct table_of *t = &s->t[i];
		if (verb == VERB_KILL)
			out("policy %s: ended %s\n", t->policy, word_count(t->killed, "flow"));
		else
			out("policy %s: %s%s; %u of %u places taken, half-open %u of %u\n", t->policy,
			    word_count(t->n, "flow"), s->filter.any ? " of those asked for" : "", t->room.used,
			    t->room.size, t->room.pending_used, t->room.pending_size);
	}
}

/* [IFACE] FILTER… */
static int flows_args(struct flows *s, const struct args *a, enum verb verb)
{
	size_t at = 1;

	s->policy = args_get(a, "policy");
	if (a->nwords > at && !flow_filter_word(a->word[at])) {
		s->ifname = a->word[at++];
		if (ifname_wrong(s->ifname))
			return STATUS_WRONG;
	}
	if (s->ifname && s->policy)
		return args_wrong(&cmd_flows, "name an interface or a policy, not both");
	int status = flow_filter_parse(&s->filter, &cmd_flows, a->word + at, a->nwords - at);
	if (status)
		return status;
	if (verb == VERB_KILL && s->filter.any == args_has(a, "all"))
		return args_wrong(&cmd_flows, "kill which flows? give filters, or say --all");
	if (verb != VERB_KILL && args_has(a, "all"))
		return args_wrong(&cmd_flows, "--all belongs to kill");
	return STATUS_DONE;
}

static int run(const struct args *a)
{
	int verb = args_choice(cmd_flows.words, a->word[0]);
	struct flows s = {};

	if (verb < 0)
		return args_wrong(&cmd_flows, "flows what? %s, not %s", cmd_flows.words, out_name(a->word[0]));
	int status = flows_args(&s, a, (enum verb)verb);
	if (!status)
		status = live_open(&s.live, verb == VERB_KILL ? KERN_WRITE : KERN_READ);
	if (!status)
		status = tables_read(&s, (enum verb)verb);
	live_release(&s.live);
	if (!status && args_has(a, "json"))
		status = flows_json(&s, (enum verb)verb);
	else if (!status && !s.n)
		out("no policy of this network namespace keeps state\n");
	else if (!status && verb == VERB_LIST)
		list_print(&s);
	else if (!status)
		count_print(&s, (enum verb)verb);
	for (size_t i = 0; i < s.n; i++)
		free(s.t[i].v);
	free(s.t);
	live_close(&s.live);
	return status;
}

const struct command cmd_flows = {
	.name = "flows",
	.run = run,
	.usage = "list [IFACE | --policy=NAME] [FILTER...] [--json]\n"
		 "count [IFACE | --policy=NAME] [FILTER...] [--json]\n"
		 "kill [IFACE | --policy=NAME] FILTER... | --all",
	.help = "List, count and end the flows that rules with \"keep state\" have let through.",
	.more = "A flow is shown as its opener sees it: from where, to where, in which direction its first packet travelled, "
		"how far it is, packets and bytes of the opener and of the other side, its age, how long it lives without another "
		"packet, and the rule that let it through.\n\n"
		"Filters, all of which must hold: src ADDRESS[/LEN] (the opener), dst ADDRESS[/LEN], port N (either one), proto NAME, "
		"state " FLOW_STATES ", rule LABEL. The flow table belongs to a policy: an interface stands for the policy that it "
		"uses.\n\n"
		"kill forgets flows at once: their next packets are judged by the rules as packets of no flow. While the policy "
		"picks up connections in mid-stream, such a packet may open the flow again. It wants filters, or --all.",
	.kind = ARGS_WORDS,
	.words = "list|count|kill",
	.min = 1,
	.max = 16,
	.options =
		{
			{ .letter = 'p', .name = "policy", .arg = "NAME", .help = "flows of this policy" },
			{ .name = "all", .help = "kill: every flow" },
			{ .name = "json", .help = "print JSON" },
		},
};
