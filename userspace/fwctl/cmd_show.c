// SPDX-License-Identifier: GPL-2.0-only
/* show: what the kernel runs now, from the tables themselves; no rule file is read. */
#include "base/arena.h"
#include "fwctl/cmd.h"
#include "fwctl/live.h"
#include "fwctl/out.h"
#include "fwctl/words.h"
#include "lang/lang.h"

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
	struct shown *v;
	size_t n;
};

static bool uses(const struct kern_iface_state *s, const struct shown *p)
{
	return !strcmp(s->policy, p->state->policy);
}

static void rules_print_meta(const struct fw_image *img, enum fw_dir dir, bool essential)
{
	size_t n;
	const struct fw_meta_rule *r = image_rules(img, dir, &n);

	for (size_t i = 0; i < n; i++)
		if (!(r[i].flags & FW_RULEF_ESSENTIAL) == !essential)
			out("# %s %s: %s\n", word_dir(dir), essential ? "essential" : "rule",
			    image_str(img, r[i].text));
}

/* The text can be loaded again; what it implies, and where it came from, stands in comments. */
static void show_rules(const struct show *s)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct shown *p = &s->v[i];
		const char *text = image_text(p->image);
		out("%s# policy %s, generation %" PRIu64 ", from %s, on", i ? "\n" : "", p->state->policy,
		    (uint64_t)p->image->generation, out_name(image_source(p->image)));
		for (size_t j = 0; j < s->live.n; j++)
			if (uses(&s->live.iface[j], p))
				out(" %s", out_name(s->live.iface[j].name));
		out("\n");
		out_text(text);
		for (int d = 0; d < FW_DIR_COUNT; d++) {
			if (!*text)
				rules_print_meta(p->image, (enum fw_dir)d, false);
			rules_print_meta(p->image, (enum fw_dir)d, true);
		}
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
					out_jstr(image_text(p->image)), "ingress", dir_json(p->image, FW_DIR_INGRESS),
					"egress", dir_json(p->image, FW_DIR_EGRESS)));
	}
	return json_pack("{s:o}", "policies", list);
}

/* Sets of a running policy, out of its canonical text. NULL when it holds none. */
static const struct ruleset *sets_of(struct arena *arena, const struct shown *p)
{
	const char *text = image_text(p->image);
	struct ruleset *rs = NULL;
	struct diags d;

	diags_init(&d, arena);
	if (!arena || !*text || lang_parse(arena, p->state->policy, text, strlen(text), NULL, &d, &rs))
		rs = NULL;
	diags_fini(&d);
	return rs;
}

static void show_sets(const struct show *s)
{
	struct table t;

	table_init(&t, 4, "policy", "set", ">IPv4 ranges", ">IPv6 ranges");
	for (size_t i = 0; i < s->n; i++) {
		struct arena *arena = arena_new();
		const struct ruleset *rs = sets_of(arena, &s->v[i]);
		for (size_t j = 0; rs && j < rs->nsets; j++) {
			char n4[24], n6[24];
			snprintf(n4, sizeof(n4), "%zu", rs->sets[j].addresses->n4);
			snprintf(n6, sizeof(n6), "%zu", rs->sets[j].addresses->n6);
			table_add(&t, s->v[i].state->policy, rs->sets[j].name, n4, n6);
		}
		arena_free(arena);
	}
	table_print(&t, "");
}

static json_t *show_sets_json(const struct show *s)
{
	json_t *list = json_array();

	for (size_t i = 0; i < s->n; i++) {
		struct arena *arena = arena_new();
		const struct ruleset *rs = sets_of(arena, &s->v[i]);
		for (size_t j = 0; rs && j < rs->nsets; j++)
			json_array_append_new(list,
					      json_pack("{s:o,s:o,s:I,s:I}", "policy", out_jstr(s->v[i].state->policy),
							"name", out_jstr(rs->sets[j].name), "ipv4_ranges",
							(json_int_t)rs->sets[j].addresses->n4, "ipv6_ranges",
							(json_int_t)rs->sets[j].addresses->n6));
		arena_free(arena);
	}
	return json_pack("{s:o}", "sets", list);
}

static void show_interfaces(const struct show *s)
{
	for (size_t i = 0; i < s->live.n; i++)
		out("interface %s uses %s\n", out_name(s->live.iface[i].name), s->live.iface[i].policy);
}

static json_t *show_interfaces_json(const struct show *s)
{
	json_t *list = json_array();

	for (size_t i = 0; i < s->live.n; i++)
		json_array_append_new(list, json_pack("{s:o,s:I,s:o}", "name", out_jstr(s->live.iface[i].name),
						      "ifindex", (json_int_t)s->live.iface[i].ifindex, "policy",
						      out_jstr(s->live.iface[i].policy)));
	return json_pack("{s:o}", "interfaces", list);
}

static const struct {
	const char *word;
	void (*print)(const struct show *s);
	json_t *(*json)(const struct show *s);
} things[] = {
	{"rules", show_rules, show_rules_json},
	{"sets", show_sets, show_sets_json},
	{"interfaces", show_interfaces, show_interfaces_json},
};

static int show_read(struct show *s)
{
	const struct kern_iface_state *p;

	s->v = calloc(s->live.n + 1, sizeof(*s->v));
	if (!s->v) {
		problem("no memory");
		return STATUS_REFUSED;
	}
	for (; (p = live_policy_at(&s->live, s->n)); s->n++) {
		s->v[s->n] = (struct shown){p, live_image(&s->live, p)};
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
	.options = {{.name = "json", .help = "print JSON"}},
};
