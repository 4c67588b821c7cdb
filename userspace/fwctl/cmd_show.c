// SPDX-License-Identifier: GPL-2.0-only
/* show: what the kernel runs now, from the tables themselves; no rule file is read. */
#include "base/arena.h"
#include "fwctl/cmd.h"
#include "fwctl/live.h"
#include "fwctl/out.h"
#include "fwctl/text.h"
#include "fwctl/words.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A policy that runs, and the first interface that uses it. */
struct shown {
	const struct kern_iface_state *state;
	const struct fw_image *image;
};

struct show {
	struct live live;
	struct kern_memory *memory; /* of live.iface */
	struct shown *v;
	size_t n;
};

static bool uses(const struct kern_iface_state *s, const struct shown *p)
{
	return !strcmp(s->policy, p->state->policy);
}

/* The text can be loaded again; where it came from and what it implies stands in comments. */
static void show_rules(const struct show *s)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct shown *p = &s->v[i];
		out("%s# policy %s, generation %" PRIu64 ", from %s, on", i ? "\n" : "", p->state->policy,
		    (uint64_t)p->image->generation, out_name(image_source(p->image)));
		for (size_t j = 0; j < s->live.n; j++)
			if (uses(&s->live.iface[j], p))
				out(" %s", out_name(s->live.iface[j].name));
		out("\n");
		struct str text = {};
		image_text(p->image, &text);
		out_text(str_get(&text));
		str_fini(&text);
	}
}

static json_t *dir_json(const struct fw_image *img, enum fw_dir dir)
{
	json_t *rules = json_array();
	size_t n;
	const struct fw_meta_rule *r = image_rules(img, dir, &n);
	const struct fw_dir_hdr *h = &img->dir[dir];

	for (size_t i = 0; i < n; i++)
		json_array_append_new(
			rules,
			json_pack("{s:o,s:o,s:o,s:o,s:I,s:s,s:b,s:b}", "id", out_jstr(image_str(img, r[i].id)), "label",
				  out_jstr(image_str(img, r[i].label)), "text", out_jstr(image_str(img, r[i].text)),
				  "file", out_jstr(image_str(img, r[i].file)), "line", (json_int_t)r[i].line, "verdict",
				  word_verdict(r[i].verdict), "essential", (int)(r[i].flags & FW_RULEF_ESSENTIAL),
				  "never", (int)!!(r[i].flags & FW_RULEF_NEVER)));
	return json_pack("{s:b,s:s,s:o}", "present", (int)!!(h->flags & FW_DIRF_PRESENT), "default",
			 word_verdict(h->default_verdict), "rules", rules);
}

static json_t *text_json(const struct fw_image *img)
{
	struct str text = {};

	image_text(img, &text);
	json_t *j = out_jstr(str_get(&text));
	str_fini(&text);
	return j;
}

static json_t *show_rules_json(const struct show *s)
{
	json_t *list = json_array();

	for (size_t i = 0; i < s->n; i++) {
		const struct shown *p = &s->v[i];
		json_t *ifaces = json_array();
		for (size_t j = 0; j < s->live.n; j++)
			if (uses(&s->live.iface[j], p))
				json_array_append_new(ifaces, out_jstr(s->live.iface[j].name));
		json_array_append_new(
			list, json_pack("{s:o,s:I,s:s,s:o,s:o,s:o,s:o,s:o}", "policy", out_jstr(p->state->policy),
					"generation", (json_int_t)p->image->generation, "digest", p->state->digest,
					"source", out_jstr(image_source(p->image)), "interfaces", ifaces, "text",
					text_json(p->image), "ingress", dir_json(p->image, FW_DIR_INGRESS),
					"egress", dir_json(p->image, FW_DIR_EGRESS)));
	}
	return json_pack("{s:o}", "policies", list);
}

struct sets {
	const char *policy;
	struct table *table;
	json_t *json;
};

static void set_row(void *ctx, const char *name, size_t n4, size_t n6)
{
	const struct sets *s = ctx;
	char v4[24], v6[24];

	snprintf(v4, sizeof(v4), "%zu", n4);
	snprintf(v6, sizeof(v6), "%zu", n6);
	table_add(s->table, s->policy, name, v4, v6);
}

static void set_object(void *ctx, const char *name, size_t n4, size_t n6)
{
	const struct sets *s = ctx;

	json_array_append_new(s->json,
			      json_pack("{s:o,s:o,s:I,s:I}", "policy", out_jstr(s->policy), "name", out_jstr(name),
					"ipv4_ranges", (json_int_t)n4, "ipv6_ranges", (json_int_t)n6));
}

static void sets_each(const struct show *s, struct sets *sets, void (*each)(void *, const char *, size_t, size_t))
{
	for (size_t i = 0; i < s->n; i++) {
		struct arena *arena = arena_new();
		sets->policy = s->v[i].state->policy;
		if (arena)
			text_sets(arena, s->v[i].image, each, sets);
		arena_free(arena);
	}
}

static void show_sets(const struct show *s)
{
	struct table t;
	struct sets sets = { .table = &t };

	table_init(&t, 4, "policy", "set", ">IPv4 ranges", ">IPv6 ranges");
	sets_each(s, &sets, set_row);
	table_print(&t, "");
}

static json_t *show_sets_json(const struct show *s)
{
	struct sets sets = { .json = json_array() };

	sets_each(s, &sets, set_object);
	return json_pack("{s:o}", "sets", sets.json);
}

/* Loads as text again; what it takes in the kernel stands in comments. */
static void show_interfaces(const struct show *s)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct kern_memory *m = &s->memory[s->v[i].state - s->live.iface];
		out("# policy %s: rules %zu bytes, in maps of %zu and %zu bytes\n", s->v[i].state->policy, m->image, m->slot_live,
		    m->slot_idle);
	}
	for (size_t i = 0; i < s->live.n; i++)
		out("# %s: counters %zu bytes\ninterface %s uses %s\n", out_name(s->live.iface[i].name), s->memory[i].counters,
		    out_name(s->live.iface[i].name), s->live.iface[i].policy);
}

static json_t *show_interfaces_json(const struct show *s)
{
	json_t *list = json_array(), *policies = json_array();

	for (size_t i = 0; i < s->live.n; i++)
		json_array_append_new(list, json_pack("{s:o,s:I,s:o,s:I}", "name", out_jstr(s->live.iface[i].name),
						      "ifindex", (json_int_t)s->live.iface[i].ifindex, "policy",
						      out_jstr(s->live.iface[i].policy), "counter_bytes",
						      (json_int_t)s->memory[i].counters));
	for (size_t i = 0; i < s->n; i++) {
		const struct kern_memory *m = &s->memory[s->v[i].state - s->live.iface];
		json_array_append_new(policies, json_pack("{s:o,s:I,s:I,s:I}", "name", out_jstr(s->v[i].state->policy),
							  "image_bytes", (json_int_t)m->image, "live_slot_bytes",
							  (json_int_t)m->slot_live, "idle_slot_bytes",
							  (json_int_t)m->slot_idle));
	}
	return json_pack("{s:o,s:o}", "interfaces", list, "policies", policies);
}

static const struct {
	const char *word;
	void (*print)(const struct show *s);
	json_t *(*json)(const struct show *s);
} things[] = {
	{ "rules", show_rules, show_rules_json },
	{ "sets", show_sets, show_sets_json },
	{ "interfaces", show_interfaces, show_interfaces_json },
};

static int show_read(struct show *s)
{
	const struct kern_iface_state *p;

	s->v = calloc(s->live.n + 1, sizeof(*s->v));
	s->memory = calloc(s->live.n + 1, sizeof(*s->memory));
	if (!s->v || !s->memory) {
		problem("no memory");
		return STATUS_REFUSED;
	}
	for (size_t i = 0; i < s->live.n; i++) {
		int err = s->live.iface[i].policy[0] ? kern_memory(s->live.kern, &s->live.iface[i], &s->memory[i]) : 0;
		if (!err)
			continue;
		problem_fail(&s->live.fail, err);
		return STATUS_REFUSED;
	}
	for (; (p = live_policy_at(&s->live, s->n)); s->n++) {
		s->v[s->n] = (struct shown){ p, live_image(&s->live, p) };
		if (!s->v[s->n].image)
			return STATUS_REFUSED;
	}
	return STATUS_DONE;
}

static int run(const struct args *a)
{
	int what = args_choice(cmd_show.words, a->word[0]);
	struct show s = {};

	if (what < 0)
		return args_wrong(&cmd_show, "show what? %s, not %s", cmd_show.words, out_name(a->word[0]));
	int status = live_open(&s.live, KERN_READ);
	if (!status)
		status = show_read(&s);
	live_release(&s.live);
	if (!status && args_has(a, "json"))
		status = out_json(things[what].json(&s), false);
	else if (!status)
		things[what].print(&s);
	live_close(&s.live);
	free(s.v);
	free(s.memory);
	return status;
}

const struct command cmd_show = {
	.name = "show",
	.run = run,
	.usage = "rules|sets|interfaces [--json]",
	.help = "Show what the kernel runs now, in canonical text that can be loaded again.",
	.kind = ARGS_WORDS,
	.words = "rules|sets|interfaces",
	.min = 1,
	.max = 1,
	.options = { { .name = "json", .help = "print JSON" } },
};
