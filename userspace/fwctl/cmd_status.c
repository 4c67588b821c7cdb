// SPDX-License-Identifier: GPL-2.0-only
/* status: what is attached where, and whether it still is. */
#include "fwctl/cmd.h"
#include "fwctl/live.h"
#include "fwctl/out.h"
#include "fwctl/words.h"

#include <stdio.h>

static json_t *hooks_json(const struct kern_iface_state *s)
{
	json_t *hooks = json_array();

	for (size_t i = 0; i < s->nhooks; i++) {
		const struct kern_hook_state *h = &s->hook[i];
		json_array_append_new(hooks,
				      json_pack("{s:s,s:s,s:b,s:s,s:I}", "hook", word_hook(h->hook), "mode",
						word_mode(h->hook, h->mode), "attached", (int)h->attached, "link",
						word_link(h->link), "program_id", (json_int_t)h->prog_id));
	}
	return hooks;
}

static int status_json(const struct live *l)
{
	json_t *ifaces = json_array(), *degraded = json_array();

	for (size_t i = 0; i < l->n; i++) {
		const struct kern_iface_state *s = &l->iface[i];
		json_array_append_new(ifaces, json_pack("{s:o,s:I,s:b,s:o,s:o,s:I,s:s,s:s}", "name", out_jstr(s->name),
							"ifindex", (json_int_t)s->ifindex, "gone", (int)s->gone,
							"hooks", hooks_json(s), "policy", out_jstr(s->policy),
							"generation", (json_int_t)s->generation, "digest", s->digest,
							"since", word_time(s->since_ns)));
		for (size_t d = 0; d < s->ndegraded; d++)
			json_array_append_new(degraded, json_pack("{s:o,s:o}", "interface", out_jstr(s->name), "why",
								  out_jstr(s->degraded[d])));
	}
	return out_json(json_pack("{s:o,s:o}", "interfaces", ifaces, "degraded", degraded), false);
}

static void hook_add(struct table *t, const struct kern_iface_state *s, const struct kern_hook_state *h)
{
	char generation[24], digest[17];

	snprintf(generation, sizeof(generation), "%llu", (unsigned long long)s->generation);
	snprintf(digest, sizeof(digest), "%.16s", s->digest);
	table_add(t, out_name(s->name), h ? word_hook(h->hook) : "none", h ? word_mode(h->hook, h->mode) : "-",
		  h ? h->attached ? word_link(h->link) : "detached" : "-", s->policy, generation, digest,
		  word_time(s->since_ns));
}

static void status_print(const struct live *l)
{
	struct table t;

	if (!l->n) {
		out("no interface is filtered in this network namespace\n");
		return;
	}
	table_init(&t, 8, "interface", "hook", "mode", "link", "policy", ">generation", "digest", "since");
	for (size_t i = 0; i < l->n; i++) {
		const struct kern_iface_state *s = &l->iface[i];
		for (size_t h = 0; h < s->nhooks; h++)
			hook_add(&t, s, &s->hook[h]);
		if (!s->nhooks)
			hook_add(&t, s, NULL);
	}
	table_print(&t, "");
}

static int run(const struct args *a)
{
	struct live l;
	bool degraded = false;
	int status = live_open(&l, KERN_READ);

	if (status)
		return status;
	live_release(&l);
	if (args_has(a, "json"))
		status = status_json(&l);
	else
		status_print(&l);
	for (size_t i = 0; i < l.n; i++) {
		for (size_t d = 0; d < l.iface[i].ndegraded; d++) {
			problem("%s is degraded: %s", out_name(l.iface[i].name), l.iface[i].degraded[d]);
			degraded = true;
		}
	}
	live_close(&l);
	return status ? status : degraded ? STATUS_REFUSED : STATUS_DONE;
}

const struct command cmd_status = {
	.name = "status",
	.run = run,
	.usage = "[--json]",
	.help = "Show which interfaces are filtered, where, by which policy; fails when one that should be is not.",
	.kind = ARGS_NONE,
	.options = { { .name = "json", .help = "print JSON" } },
};
