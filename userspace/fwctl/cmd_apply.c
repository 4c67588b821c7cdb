// SPDX-License-Identifier: GPL-2.0-only
/* apply: new rules for policies that run, on every interface at once. */
#include "base/cleanup.h"
#include "base/vec.h"
#include "fwctl/cmd.h"
#include "fwctl/file.h"
#include "fwctl/imagediff.h"
#include "fwctl/live.h"
#include "fwctl/out.h"
#include "fwctl/policydiff.h"
#include "fwctl/verify.h"
#include "fwctl/words.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define COPY_FROM (1u << 20) /* bytes of a live image */

struct unit {
	const struct policy *policy;
	struct image image, old; /* old: only when a later policy may fail */
	const struct fw_image *live;
	struct verify verify;
	struct kern_change *change;
	struct kern_report report;
};

struct apply {
	const struct args *args;
	struct file file;
	struct live live;
	struct unit *unit; /* policies of the file that some interface uses */
	size_t nunits;
	json_t *json;
	bool degraded; /* an interface that these rules are for is not filtered by them */
};

/* Interfaces of a policy. */
static size_t users_of(const struct live *l, const char *policy, const char **ifnames)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		if (!strcmp(l->iface[i].policy, policy))
			ifnames[n++] = l->iface[i].name;
	return n;
}

static const char *policy_on(const struct live *l, const char *ifname)
{
	const struct kern_iface_state *s = live_find(l, ifname);

	return s ? s->policy : NULL;
}

/* apply changes rules, not which policy an interface has: say where the file wants something else. */
static void bindings_compare(const struct apply *a)
{
	const struct ruleset *rs = a->file.rules;

	for (size_t i = 0; i < rs->nbindings; i++) {
		const struct binding *b = &rs->bindings[i];
		const char *has = policy_on(&a->live, b->interface);
		if (!has)
			problem("note: %s is bound to %s in the file, but not loaded; fwctl load %s -r %s does that",
				out_name(b->interface), b->policy->name, out_name(b->interface),
				out_name(a->file.path));
		else if (strcmp(has, b->policy->name))
			problem("note: %s is bound to %s in the file, but runs %s; fwctl load %s -r %s switches it",
				out_name(b->interface), b->policy->name, has, out_name(b->interface),
				out_name(a->file.path));
	}
}

/*
 * A live image that is large has large sets, and most changes leave those alone: the compiler copies them. Readers may go on
 * meanwhile; who writes waits, as long as it takes to compile, for the tables must not change under the compiler.
 */
static int unit_compile(struct apply *a, struct unit *u, struct kern *kern)
{
	struct compile_opts opts = {};
	struct kern_view *view = NULL;

	if (kern && !kern_view_open(kern, u->policy->name, COPY_FROM, &view, &opts.previous))
		opts.previous_len = opts.previous->total_len;
	int status = file_compile(&a->file, u->policy, &opts, &u->image);
	kern_view_close(view);
	return status;
}

/* Every policy of the file, before the lock is taken for writing. */
static int units_compile(struct apply *a)
{
	const struct ruleset *rs = a->file.rules;
	struct kern *kern = NULL;
	struct fail ignored = {};
	int status = STATUS_DONE;

	a->unit = calloc(rs->npolicies + 1, sizeof(*a->unit));
	if (!a->unit) {
		problem("no memory");
		return STATUS_REFUSED;
	}
	/* Whatever is wrong there, the real work will meet it. */
	if (kern_open(NULL, KERN_READ, &ignored, &kern))
		kern = NULL;
	for (size_t i = 0; i < rs->npolicies && !status; i++) {
		struct unit *u = &a->unit[a->nunits++];
		u->policy = &rs->policies[i];
		status = unit_compile(a, u, kern);
	}
	kern_close(kern);
	return status;
}

static bool policy_used(const struct live *l, const char *policy)
{
	for (size_t i = 0; i < l->n; i++)
		if (!strcmp(l->iface[i].policy, policy))
			return true;
	return false;
}

/* Keep those that some interface uses. */
static int units_choose(struct apply *a)
{
	size_t n = 0;

	for (size_t i = 0; i < a->nunits; i++) {
		if (policy_used(&a->live, a->unit[i].policy->name))
			a->unit[n++] = a->unit[i];
		else
			image_fini(&a->unit[i].image);
	}
	a->nunits = n;
	if (n) {
		bindings_compare(a);
		return STATUS_DONE;
	}
	problem("cannot apply %s: no interface uses a policy of it in this network namespace; fwctl load IFACE -r %s "
		"attaches one",
		out_name(a->file.path), out_name(a->file.path));
	return STATUS_REFUSED;
}

/* The rules must not cut the hand that loads them. */
static int unit_permit(struct apply *a, struct unit *u)
{
	auto_free const char **ifnames = calloc(a->live.n + 1, sizeof(*ifnames));

	if (live_runs(&a->live, u->policy->name, &u->image) || args_has(a->args, "force"))
		return STATUS_DONE;
	if (ifnames)
		return ssh_check(u->policy, ifnames, users_of(&a->live, u->policy->name, ifnames));
	problem("no memory");
	return STATUS_REFUSED;
}

/* What verify_ask said needs no second sentence. */
static int refused(struct apply *a, int err)
{
	if (err != -ECANCELED)
		problem_fail(&a->live.fail, err);
	return STATUS_REFUSED;
}

/* In the kernel, judged by the programs, and not in force yet. */
static int unit_prepare(struct apply *a, struct unit *u)
{
	u->verify = (struct verify){ .rs = a->file.rules, .policy = u->policy, .img = &u->image };
	const struct kern_verify ask = { verify_ask, &u->verify };
	int err = kern_prepare(a->live.kern, u->policy->name, &u->image, &ask, &u->change);
	return err ? refused(a, err) : STATUS_DONE;
}

/* The same by programs that are gone afterwards, for --dry-run. */
static int unit_try(struct apply *a, struct unit *u)
{
	unsigned int hooks = 1u << FW_HOOK_TC_EGRESS;
	int err = 0;

	u->verify = (struct verify){ .rs = a->file.rules, .policy = u->policy, .img = &u->image };
	for (size_t i = 0; i < a->live.n; i++)
		for (size_t h = 0; h < a->live.iface[i].nhooks; h++)
			if (!strcmp(a->live.iface[i].policy, u->policy->name))
				hooks |= 1u << a->live.iface[i].hook[h].hook;
	for (int h = 0; h < FW_HOOK_COUNT && !err; h++) {
		struct kern_twin *twin = NULL;
		if (!(hooks & 1u << h) || !u->policy->chain[hook_dir((enum fw_hook)h)].present)
			continue;
		err = kern_twin_open_image(&u->image, (enum fw_hook)h, &a->live.fail, &twin);
		err = err ? err : verify_ask(&u->verify, twin, (enum fw_hook)h, NULL);
		kern_twin_close(twin);
	}
	return err ? refused(a, err) : STATUS_DONE;
}

static int unit_live(
struct apply *a, struct unit *u)
{
	for (size_t i = 0; i < a->live.n && !u->live; i++)
		if (!strcmp(a->live.iface[i].policy, u->policy->name))
			u->live = live_image(&a->live, &a->live.iface[i]);
	return u->live ? STATUS_DONE : STATUS_REFUSED;
}

static void unit_report(const struct apply *a, const struct unit *u)
{
	const struct kern_report *r = &u->report;

	if (*r->note)
		problem("note: %s", r->note);
	if (a->json)
		json_array_append_new(a->json,
				      json_pack("{s:o,s:s,s:I,s:I,s:b,s:I,s:I,s:I,s:I,s:I}", "policy", out_jstr(u->policy->name),
						"result", r->unchanged ? "unchanged" : "applied", "generation",
						(json_int_t)r->generation, "interfaces", (json_int_t)r->interfaces,
						"reloaded", (int)r->reloaded, "publish_ns", (json_int_t)r->publish_ns,
						"verify_ns", (json_int_t)r->verify_ns, "packets_asked",
						(json_int_t)u->verify.asked, "image_bytes", (json_int_t)u->image.len,
						"written_bytes", (json_int_t)r->written));
	else if (r->unchanged)
		out("%s: these rules run already; nothing changed\n", u->policy->name);
	else
		out("%s: generation %llu on %s%s\n", u->policy->name, (unsigned long long)r->generation,
		    word_count(r->interfaces, "interface"),
		    r->reloaded ? "; the tables grew, so the programs were replaced" : "");
}

/* The policies before the one that failed go back to what they ran. */
static void units_undo(struct apply *a, size_t n)
{
	while (n-- > 0) {
		struct unit *u = &a->unit[n];
		if (u->report.unchanged || !u->old.data)
			continue;
		a->live.fail = (struct fail){};
		int err = kern_apply(a->live.kern, u->policy->name, &u->old, &u->report);
		if (err)
			problem_fail(&a->live.fail, err);
		else
			problem("policy %s runs its former rules again", u->policy->name);
	}
}

static int units_apply(struct apply *a)
{
	for (size_t i = 0; i + 1 < a->nunits; i++) {
		int err = kern_image(a->live.kern, a->unit[i].policy->name, &a->unit[i].old);
		if (err) {
			problem_fail(&a->live.fail, err);
			return STATUS_REFUSED;
		}
	}
	for (size_t i = 0; i < a->nunits; i++) {
		int status = unit_prepare(a, &a->unit[i]);
		if (status)
			return status;
	}
	for (size_t i = 0; i < a->nunits; i++) {
		struct unit *u = &a->unit[i];
		int err = kern_commit(u->change, &u->report);
		if (!err)
			continue;
		problem_fail(&a->live.fail, err);
		units_undo(a, i);
		return STATUS_REFUSED;
	}
	for (size_t i = 0; i < a->nunits; i++)
		unit_report(a, &a->unit[i]);
	return STATUS_DONE;
}

/* What it would mean for packets. That it cannot be said, because the running sets are too large for a text, is no failure. */
static int unit_meaning(struct apply *a, struct unit *u)
{
	const struct ruleset *runs = policydiff_live(a->file.arena, u->live);
	struct policydiff d;
	int status;

	if (!runs)
		return STATUS_DONE;
	status = policydiff_make(&d, a->file.arena, runs, &runs->policies[0], a->file.rules, u->policy);
	if (status)
		return status;
	if (a->json)
		json_object_set_new(json_array_get(a->json, json_array_size(a->json) - 1), "meaning", policydiff_json(&d));
	else
		policydiff_print(&d);
	policydiff_fini(&d);
	return STATUS_DONE;
}

/* Say what would happen. */
static int units_compare(struct apply *a)
{
	for (size_t i = 0; i < a->nunits; i++) {
		struct unit *u = &a->unit[i];
		int status = live_runs(&a->live, u->policy->name, &u->image) ? STATUS_DONE : unit_try(a, u);
		if (status || unit_live(a, u))
			return STATUS_REFUSED;
	}
	live_release(&a->live);
	for (size_t i = 0; i < a->nunits; i++) {
		struct unit *u = &a->unit[i];
		int status =
			a->json ? imagediff_json(u->live, &u->image, a->json) : imagediff_print(u->live, &u->image);
		if (!status && !live_runs(&a->live, u->policy->name, &u->image))
			status = unit_meaning(a, u);
		if (status)
			return status;
	}
	if (!a->json)
		out("nothing was changed (--dry-run)\n");
	return STATUS_DONE;
}

/* Rules that are in force where no hook asks them protect nobody. */
static int users_complain(struct apply *a)
{
	int status = live_refresh(&a->live);

	if (status)
		problem("the rules were applied, but what became of the interfaces cannot be seen; fwctl status asks again");
	for (size_t i = 0; i < a->live.n && !status; i++) {
		const struct kern_iface_state *s = &a->live.iface[i];
		bool ours = false;
		for (size_t u = 0; u < a->nunits; u++)
			ours = ours || !strcmp(a->unit[u].policy->name, s->policy);
		for (size_t d = 0; ours && d < s->ndegraded; d++)
			problem("the rules were applied, but %s is degraded: %s", out_name(s->name), s->degraded[d]);
		if (ours && s->ndegraded)
			a->degraded = true;
	}
	return status ? status : a->degraded ? STATUS_REFUSED : STATUS_DONE;
}

static int apply_all(struct apply *a)
{
	bool dry = args_has(a->args, "dry-run");
	int status = file_ready(&a->file, a->args->word[0]);

	if (status)
		return status;
	status = units_compile(a);
	file_report(&a->file);
	if (!status)
		status = live_open(&a->live, dry ? KERN_READ : KERN_WRITE);
	if (!status)
		status = units_choose(a);
	for (size_t i = 0; i < a->nunits && !status; i++)
		status = unit_permit(a, &a->unit[i]);
	if (status)
		return status;
	status = dry ? units_compare(a) : units_apply(a);
	return status || dry ? status : users_complain(a);
}

static int run(const struct args *args)
{
	struct apply a = { .args = args, .file.reader.dir = -1, .json = args_has(args, "json") ? json_array() : NULL };

	progress_begin("compiling the rules");
	int status = apply_all(&a);
	progress_end();
	if (a.json) {
		int err = out_json(
			json_pack("{s:b,s:o}", "dry_run", (int)args_has(args, "dry-run"), "policies", a.json), false);
		status = status ? status : err;
	}
	for (size_t i = 0; i < a.nunits; i++)
		kern_change_free(a.unit[i].change);
	live_close(&a.live);
	for (size_t i = 0; i < a.nunits; i++) {
		image_fini(&a.unit[i].image);
		image_fini(&a.unit[i].old);
	}
	free(a.unit);
	file_close(&a.file);
	return status;
}

const struct command cmd_apply = {
	.name = "apply",
	.run = run,
	.usage = "FILE [--dry-run] [--force] [--json]",
	.help = "Replace the rules of the file's policies on every interface that uses them, in one step.",
	.more = "Counters follow a rule's label, or its text when it has none. Any failure leaves the old rules "
		"untouched. Before the switch "
		"the new tables judge packets made for the rules, and the packets of the file's tests; every answer "
		"must be what the "
		"rules mean.\n\n"
		"Rules that would cut the ssh connection that runs the command are refused.",
	.kind = ARGS_FILE,
	.min = 1,
	.max = 1,
	.options =
		{
			{.name = "dry-run", .help = "say which rules would come and go and what becomes of which packets, change nothing"},
			{.name = "force", .help = "even if the rules cut this ssh connection"},
			{.name = "json", .help = "print JSON"},
		},
};
