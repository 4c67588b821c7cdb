// SPDX-License-Identifier: GPL-2.0-only
/* load: attach interfaces to a policy. */
#include "base/cleanup.h"
#include "fwctl/live.h"
#include "fwctl/out.h"
#include "fwctl/targets.h"
#include "fwctl/words.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct load {
	const struct args *args;
	struct file file;
	struct targets targets;
	struct kern_load_opts opts;
	struct live live;
	json_t *json; /* NULL: text */
};

static int unit_compile(struct load *l, struct unit *u)
{
	struct compile_opts opts = {};

	if (u->policy)
		return file_compile(&l->file, u->policy, &opts, &u->image);
	int err = image_pass_all(u->name, &u->image);
	if (err)
		problem("no memory");
	return err ? STATUS_REFUSED : STATUS_DONE;
}

/* What can be known before anything is attached. The programs are asked when they are there. */
static int unit_permit(struct load *l, struct unit *u)
{
	auto_free const char **ifnames = calloc(l->targets.n, sizeof(*ifnames));
	size_t n = 0;

	for (size_t i = 0; ifnames && i < l->targets.n; i++)
		if (l->targets.v[i].unit == u)
			ifnames[n++] = l->targets.v[i].ifname;
	if (!u->policy)
		return STATUS_DONE;
	u->verify = (struct verify){ .rs = l->file.rules, .policy = u->policy, .img = &u->image };
	u->ask = (struct kern_verify){ verify_ask, &u->verify };
	return args_has(l->args, "force") ? STATUS_DONE : ssh_check(u->policy, ifnames, n);
}

/* What verify_ask said needs no second sentence. */
static int refused(struct load *l, int err)
{
	if (err != -ECANCELED)
		problem_fail(&l->live.fail, err);
	return STATUS_REFUSED;
}

/* `load IFACE` begins to watch an interface; it must not be a way to switch its filter off. */
static int pass_all_check(const struct load *l)
{
	char digest[65];

	for (size_t i = 0; i < l->targets.n && !args_has(l->args, "force"); i++) {
		const struct kern_iface_state *s = live_find(&l->live, l->targets.v[i].ifname);
		if (l->targets.v[i].unit->policy || !s)
			continue;
		image_digest_hex(image_hdr(&l->targets.v[i].unit->image), digest);
		if (!strcmp(s->digest, digest))
			continue;
		problem("cannot load %s without rules: it runs policy %s, and would pass everything; name a file with "
			"-r, or insist "
			"with --force",
			out_name(s->name), s->policy);
		return STATUS_REFUSED;
	}
	return STATUS_DONE;
}

/* For the way back. Rules that are damaged cannot be kept, nor would anybody want them. */
static void old_keep(struct load *l, const char *policy, struct image *ret)
{
	if (kern_image(l->live.kern, policy, ret))
		*ret = (struct image){};
	l->live.fail = (struct fail){};
}

/* The policy may run already. Other rules on other interfaces: `apply` is the verb for that. Only on those named here:
 * swap. */
static int unit_swap(struct load *l, struct unit *u)
{
	const struct kern_iface_state *user = NULL;
	struct kern_report report = {};
	struct kern_change *change = NULL;
	char digest[65];

	image_digest_hex(image_hdr(&u->image), digest);
	for (size_t i = 0; i < l->live.n; i++) {
		const struct kern_iface_state *s = &l->live.iface[i];
		if (s->gone || strcmp(s->policy, u->name) || !strcmp(s->digest, digest))
			continue;
		user = s;
		if (targets_have(&l->targets, s->name))
			continue;
		problem("cannot load policy %s: %s runs it with other rules; fwctl apply %s changes them everywhere, "
			"then load",
			u->name, out_name(s->name), u->policy ? out_name(l->file.path) : "FILE");
		return STATUS_REFUSED;
	}
	if (!user)
		return STATUS_DONE;
	old_keep(l, u->name, &u->old);
	int err = kern_prepare(l->live.kern, u->name, &u->image, u->policy ? &u->ask : NULL, &change);
	err = err ? err : kern_commit(change, &report);
	kern_change_free(change);
	u->swapped = !err;
	return err ? refused(l, err) : STATUS_DONE;
}

static void target_report(const struct load *l, const struct target *t, const struct kern_report *r)
{
	const char *what = !r->unchanged ? "loaded" : t->unit->swapped ? "replaced" : "unchanged";

	if (*r->note)
		problem("note: %s", r->note);
	if (r->fell_back)
		problem("%s: native XDP was refused (%s); %s", out_name(t->ifname), r->why,
			r->hook == FW_HOOK_XDP ? "generic mode is used" : "arriving packets are judged at TC");
	if (l->json)
		json_array_append_new(l->json, json_pack("{s:o,s:s,s:o,s:I,s:s,s:s}", "name", out_jstr(t->ifname),
							 "result", what, "policy", out_jstr(t->unit->name),
							 "generation", (json_int_t)r->generation, "hook",
							 word_hook(r->hook), "mode", word_mode(r->hook, r->mode)));
	else if (r->unchanged && !t->unit->swapped)
		out("%s: policy %s runs these rules already; nothing changed\n", out_name(t->ifname), t->unit->name);
	else
		out("%s: policy %s %s, %s %s, generation %llu\n", out_name(t->ifname), t->unit->name, what,
		    word_hook(r->hook), word_mode(r->hook, r->mode), (unsigned long long)r->generation);
}

static int target_undo(struct load *l, struct target *t)
{
	struct kern_report ignored;

	if (t->fresh)
		return kern_unload(l->live.kern, t->ifname);
	if (t->old.data)
		return kern_load(l->live.kern, t->ifname, t->policy, &t->old, &l->opts, &ignored);
	return 0;
}

/* All interfaces or none: those attached before the failure are detached again, and rules that ran run again. */
static void load_undo(struct load *l, size_t n)
{
	struct kern_report ignored;

	for (size_t i = 0; i < n + l->targets.nunits; i++) {
		struct unit *u = i < n ? NULL : &l->targets.unit[i - n];
		int err = 0;
		l->live.fail = (struct fail){};
		if (!u)
			err = target_undo(l, &l->targets.v[n - 1 - i]);
		else if (u->swapped && u->old.data)
			err = kern_apply(l->live.kern, u->name, &u->old, &ignored);
		if (err)
			problem_fail(&l->live.fail, err);
	}
}

static int targets_load(struct load *l)
{
	auto_free struct kern_report *report = calloc(l->targets.n, sizeof(*report));

	for (size_t i = 0; report && i < l->targets.n; i++) {
		struct target *t = &l->targets.v[i];
		const struct kern_iface_state *s = live_find(&l->live, t->ifname);
		t->fresh = !s;
		if (s && strcmp(s->policy, t->unit->name)) {
			snprintf(t->policy, sizeof(t->policy), "%s", s->policy);
			old_keep(l, s->policy, &t->old);
		}
		struct kern_load_opts opts = l->opts;
		opts.verify = t->unit->policy ? &t->unit->ask : NULL;
		int err = kern_load(l->live.kern, t->ifname, t->unit->name, &t->unit->image, &opts, &report[i]);
		if (!err)
			continue;
		refused(l, err);
		load_undo(l, i);
		return STATUS_REFUSED;
	}
	for (size_t i = 0; report && i < l->targets.n; i++)
		target_report(l, &l->targets.v[i], &report[i]);
	return report ? STATUS_DONE : STATUS_REFUSED;
}

static int load_all(struct load *l)
{
	const char *path = args_get(l->args, "rules");
	int status = path ? file_ready(&l->file, path) : STATUS_DONE;

	if (status)
		return status;
	status = targets_choose(&l->targets, l->args, &l->file);
	for (size_t i = 0; i < l->targets.nunits && !status; i++)
		status = unit_compile(l, &l->targets.unit[i]);
	if (path)
		file_report(&l->file);
	if (!status)
		status = targets_exist(&l->targets);
	if (!status)
		status = live_open(&l->live, KERN_WRITE);
	if (!status)
		status = pass_all_check(l);
	for (size_t i = 0; i < l->targets.nunits && !status; i++)
		status = unit_permit(l, &l->targets.unit[i]);
	for (size_t i = 0; i < l->targets.nunits && !status; i++)
		status = unit_swap(l, &l->targets.unit[i]);
	if (status)
		load_undo(l, 0);
	return status ? status : targets_load(l);
}

static int run(const struct args *a)
{
	const char *mode = args_get(a, "mode"), *hook = args_get(a, "hook");
	struct load l = { .args = a, .file.reader.dir = -1 };

	if (!a->nwords && !args_has(a, "rules"))
		return args_wrong(&cmd_load, "name an interface, or a rule file that binds some");
	if (args_has(a, "policy") && !args_has(a, "rules"))
		return args_wrong(&cmd_load, "-p chooses a policy of the file of -r");
	l.opts.mode = mode ? (enum kern_mode)args_choice("auto|native|generic", mode) : KERN_MODE_AUTO;
	l.opts.where = hook ? (enum kern_where)args_choice("auto|xdp|tc", hook) : KERN_HOOK_AUTO;
	l.opts.coexist = args_has(a, "coexist");
	l.opts.clsact = args_has(a, "clsact");
	if (l.opts.where == KERN_HOOK_TC && l.opts.mode != KERN_MODE_AUTO)
		return args_wrong(&cmd_load, "--mode is about XDP, and --hook=tc asks for TC");
	l.json = args_has(a, "json") ? json_array() : NULL;
	progress_begin("compiling the rules");
	int status = load_all(&l);
	progress_end();
	if (l.json) {
		int err = out_json(json_pack("{s:o}", "interfaces", l.json), false);
		status = status ? status : err;
	}
	live_close(&l.live);
	targets_fini(&l.targets);
	file_close(&l.file);
	return status;
}

const struct command cmd_load = {
	.name = "load",
	.run = run,
	.usage = "IFACE... [-r FILE [-p POLICY]] [OPTION...]\n-r FILE [-p POLICY] [OPTION...]",
	.help = "Attach interfaces to a policy; without a file, to one that passes and counts everything.",
	.more = "Without interfaces, those that the file binds are loaded. Loading what runs already changes nothing. "
		"When one interface "
		"is refused, none is loaded. Arriving packets are judged at XDP (native where the driver can), else at "
		"TC; leaving packets at "
		"TC, and only when the policy has an egress block.\n\n"
		"Rules that would cut the ssh connection that runs the command are refused.",
	.kind = ARGS_IFACES,
	.max = ARGS_ANY,
	.options =
		{
			{.letter = 'r', .name = "rules", .arg = "FILE", .help = "the rule file"},
			{.letter = 'p', .name = "policy", .arg = "POLICY", .help = "which policy of the file"},
			{.name = "mode", .arg = "MODE", .values = "auto|native|generic", .help = "how XDP is attached"},
			{.name = "hook",
			 .arg = "HOOK",
			 .values = "auto|xdp|tc",
			 .help = "where arriving packets are judged"},
			{.name = "coexist", .help = "share the interface with XDP programs of libxdp"},
			{.name = "clsact", .help = "at TC, use a clsact filter even where the kernel has TCX links"},
			{.name = "force", .help = "even if the rules cut this ssh connection, or there are none and some ran"},
			{.name = "json", .help = "print JSON"},
		},
};
