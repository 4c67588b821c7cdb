// SPDX-License-Identifier: GPL-2.0-only
/* diff: what becomes of which packets after a change of rules. */
#include "fwctl/cmd.h"
#include "fwctl/file.h"
#include "fwctl/live.h"
#include "fwctl/out.h"
#include "fwctl/policydiff.h"
#include "fwctl/words.h"

#include <string.h>

struct differ {
	const struct args *args;
	struct file old, new;
	struct live live;
	const struct ruleset *old_set;
	json_t *json; /* list of policies; NULL: text */
	size_t compared;
	bool any;
};

static int side_open(struct file *f, const char *path)
{
	int status = file_open(f, path);

	if (status == STATUS_WRONG) {
		file_report(f);
		problem("%s has %s; nothing was compared", out_name(path), word_count(f->diags.errors, "error"));
	}
	return status;
}

/* What runs on an interface, or under the name of a policy. */
static int side_live(struct differ *d, const char *name)
{
	int status = live_open(&d->live, KERN_READ);
	const struct kern_iface_state *s = status ? NULL : live_find(&d->live, name);

	for (size_t i = 0; !status && !s && i < d->live.n; i++)
		if (!strcmp(d->live.iface[i].policy, name))
			s = &d->live.iface[i];
	if (!status && !s) {
		problem("%s is neither an interface that fwctl filters nor a policy that runs in this network namespace", out_name(name));
		status = STATUS_REFUSED;
	}
	const struct fw_image *img = s ? live_image(&d->live, s) : NULL;
	if (!status && !img)
		status = STATUS_REFUSED;
	live_release(&d->live);
	if (!status && !(d->old_set = policydiff_live(d->new.arena, img)))
		status = STATUS_REFUSED;
	return status;
}

static int compare(struct differ *d, const struct policy *old, const struct policy *new)
{
	struct policydiff x;
	int status = policydiff_make(&x, d->new.arena, d->old_set, old, d->new.rules, new);

	if (status)
		return status;
	if (d->json)
		json_array_append_new(d->json, policydiff_json(&x));
	else {
		out("%s", d->compared ? "\n" : "");
		policydiff_print(&x);
	}
	d->any |= policydiff_is_any(&x);
	d->compared++;
	policydiff_fini(&x);
	return STATUS_DONE;
}

/* One side alone has it: nothing to compare, but no secret either. */
static void alone(struct differ *d, const struct policy *p, const char *which)
{
	d->any = true;
	if (d->json)
		json_array_append_new(d->json, json_pack("{s:o,s:s}", !strcmp(which, "old") ? "old_policy" : "new_policy",
							 out_jstr(p->name), "only", which));
	else
		out("policy %s is only in the %s rules\n", p->name, which);
}

static int compare_all(struct differ *d)
{
	const struct ruleset *a = d->old_set, *b = d->new.rules;
	int status = STATUS_DONE;

	/* One policy each is meant to be the same one, whatever it is called; and one that runs is compared with its own. */
	if (a->npolicies == 1 && b->npolicies == 1)
		return compare(d, &a->policies[0], &b->policies[0]);
	for (size_t i = 0; i < b->npolicies && !status; i++) {
		const struct policy *old = ruleset_policy(a, b->policies[i].name);
		if (old)
			status = compare(d, old, &b->policies[i]);
		else if (!args_has(d->args, "live"))
			alone(d, &b->policies[i], "new");
	}
	for (size_t i = 0; i < a->npolicies && !status; i++)
		if (!ruleset_policy(b, a->policies[i].name))
			alone(d, &a->policies[i], "old");
	return status;
}

static int compare_named(struct differ *d, const char *name)
{
	const struct policy *b = ruleset_policy(d->new.rules, name);
	const struct policy *a = args_has(d->args, "live") ? &d->old_set->policies[0] : ruleset_policy(d->old_set, name);

	if (a && b)
		return compare(d, a, b);
	problem("%s has no policy %s", out_name((a ? d->new.rules : d->old_set)->file), out_name(name));
	return STATUS_WRONG;
}

static int diff_run(struct differ *d)
{
	const char *policy = args_get(d->args, "policy");
	int status = side_open(&d->new, d->args->word[1]);

	if (!status && args_has(d->args, "live"))
		status = side_live(d, d->args->word[0]);
	else if (!status && !(status = side_open(&d->old, d->args->word[0])))
		d->old_set = d->old.rules;
	if (!status)
		status = policy ? compare_named(d, policy) : compare_all(d);
	if (d->json && !status) {
		status = out_json(json_pack("{s:o,s:b,s:o}", "old", out_jstr(d->args->word[0]), "same", (int)!d->any, "policies",
					    json_incref(d->json)),
				  false);
	}
	return status ? status : d->any && args_has(d->args, "exit-code") ? STATUS_WRONG : STATUS_DONE;
}

static int run(const struct args *args)
{
	struct differ d = { .args = args, .old.reader.dir = -1, .new.reader.dir = -1 };

	if (args_has(args, "json"))
		d.json = json_array();

	progress_begin("comparing the rules");
	int status = diff_run(&d);
	progress_end();
	json_decref(d.json);
	live_close(&d.live);
	file_close(&d.old);
	file_close(&d.new);
	return status;
}

const struct command cmd_diff = {
	.name = "diff",
	.run = run,
	.usage = "OLD NEW [--policy=NAME] [--exit-code] [--json]\n"
		 "--live IFACE|POLICY NEW [--policy=NAME] [--exit-code] [--json]",
	.help = "Say which packets another verdict becomes of, not which lines differ.",
	.more = "Rules are compared by what they mean: sets of packets for which another rule, or the default, decides otherwise, "
		"each with a packet as an example that both sides have judged; and the packets that are treated otherwise (state, limits, "
		"the kind of answer, log). When nothing of that changes, it says so, whatever the text looks like.\n\n"
		"With --live the old side is what runs on an interface, or a running policy by its name. Policies go together by name; one "
		"policy each in both goes together whatever it is called.\n\n"
		"Where earlier rules decide some of the packets, as before, that is said and not which. With --exit-code the exit "
		"status is 2 when something changes for some packet, or could not be decided.",
	.kind = ARGS_FILE,
	.min = 2,
	.max = 2,
	.options =
		{
			{ .name = "live", .help = "the old side is what runs on an interface, or a running policy" },
			{ .letter = 'p', .name = "policy", .arg = "NAME", .help = "compare this policy alone" },
			{ .name = "exit-code", .help = "exit with 2 when something changes" },
			{ .name = "json", .help = "print JSON" },
		},
};
