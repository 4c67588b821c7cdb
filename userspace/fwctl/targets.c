// SPDX-License-Identifier: GPL-2.0-only
/* load: which interface comes under which policy. */
#include "fwctl/targets.h"

#include "base/vec.h"
#include "fwctl/live.h"
#include "fwctl/out.h"
#include "fwctl/words.h"

#include <net/if.h>
#include <stdlib.h>
#include <string.h>

static struct unit *unit_for(struct targets *t, const char *name, const struct policy *p)
{
	for (size_t i = 0; i < t->nunits; i++)
		if (!strcmp(t->unit[i].name, name))
			return &t->unit[i];
	t->unit[t->nunits] = (struct unit){ .name = name, .policy = p };
	return &t->unit[t->nunits++];
}

static int target_add(struct targets *t, const char *ifname, struct unit *u)
{
	if (ifname_wrong(ifname))
		return STATUS_WRONG;
	for (size_t i = 0; i < t->n; i++) {
		if (strcmp(t->v[i].ifname, ifname))
			continue;
		if (t->v[i].unit == u)
			return STATUS_DONE;
		problem("%s is bound to both %s and %s; choose one with -p", out_name(ifname),
			t->v[i].unit->name, u->name);
		return STATUS_WRONG;
	}
	if (!vec_push(t, (struct target){ .ifname = ifname, .unit = u }))
		return STATUS_DONE;
	problem("no memory");
	return STATUS_REFUSED;
}

/* What -p says, else what the file binds the interface to, else the only policy. */
static const struct policy *policy_for(const struct args *args, const struct file *f, const char *ifname)
{
	const struct ruleset *rs = f->rules;
	const char *name = args_get(args, "policy");

	if (name) {
		const struct policy *p = ruleset_policy(rs, name);
		if (!p)
			problem("%s has no policy %s", out_name(f->path), out_name(name));
		return p;
	}
	for (size_t i = 0; i < rs->nbindings; i++)
		if (!strcmp(rs->bindings[i].interface, ifname))
			return rs->bindings[i].policy;
	if (rs->npolicies == 1)
		return &rs->policies[0];
	problem("%s has %s and binds none to %s; choose one with -p, or add \"interface %s uses ...\"",
		out_name(f->path), word_count(rs->npolicies, "policy"), out_name(ifname), out_name(ifname));
	return NULL;
}

/* No interface on the command line: those that the file binds (to the policy of -p). */
static int targets_from_file(struct targets *t, const struct args *args, const struct file *f)
{
	const struct ruleset *rs = f->rules;
	const char *name = args_get(args, "policy");
	int status = STATUS_DONE;

	for (size_t i = 0; i < rs->nbindings && !status; i++) {
		const struct binding *b = &rs->bindings[i];
		if (!name || !strcmp(b->policy->name, name))
			status = target_add(t, b->interface, unit_for(t, b->policy->name, b->policy));
	}
	if (status || t->n)
		return status;
	problem("which interface? %s binds none%s%s; write fwctl load IFACE -r FILE, or \"interface IFACE uses "
		"POLICY\" in the file",
		out_name(f->path), name ? " to " : "", name ? out_name(name) : "");
	return STATUS_WRONG;
}

int targets_choose(struct targets *t, const struct args *args, const struct file *f)
{
	bool file = f->rules != NULL;
	int status = STATUS_DONE;

	t->unit = calloc((file ? f->rules->npolicies : 0) + 1, sizeof(*t->unit));
	if (!t->unit) {
		problem("no memory");
		return STATUS_REFUSED;
	}
	if (file && !args->nwords)
		return targets_from_file(t, args, f);
	for (size_t i = 0; i < args->nwords && !status; i++) {
		const struct policy *p = file ? policy_for(args, f, args->word[i]) : NULL;
		if (file && !p)
			return STATUS_WRONG;
		status = target_add(t, args->word[i], unit_for(t, p ? p->name : PASS_ALL, p));
	}
	return status;
}

int targets_exist(const struct targets *t)
{
	for (size_t i = 0; i < t->n; i++) {
		const char *name = t->v[i].ifname;
		if (if_nametoindex(name))
			continue;
		problem("cannot load %s: there is no such interface in this network namespace; ip link lists them",
			out_name(name));
		return STATUS_REFUSED;
	}
	return STATUS_DONE;
}

bool targets_have(const struct targets *t, const char *ifname)
{
	for (size_t i = 0; i < t->n; i++)
		if (!strcmp(t->v[i].ifname, ifname))
			return true;
	return false;
}

void targets_fini(struct targets *t)
{
	for (size_t i = 0; i < t->nunits; i++) {
		image_fini(&t->unit[i].image);
		image_fini(&t->unit[i].old);
	}
	for (size_t i = 0; i < t->n; i++)
		image_fini(&t->v[i].old);
	free(t->unit);
	vec_fini(t);
}
