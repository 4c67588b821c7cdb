// SPDX-License-Identifier: GPL-2.0-only
/*
 * Put an interface under a policy.
 *
 * A policy that is new starts with a live generation 0 that passes everything, and its rules in the idle slot:
 *
 *   1  policy pinned (control word last)      nothing is filtered; a sweep removes it
 *   2  per hook: counters pinned, program attached, link pinned
 *                                             everything passes still, on every hook
 *   3  record pinned                          likewise
 *   4  one store: the rules are live          THE COMMIT, on all hooks at once
 *
 * so a kill leaves nothing filtered or everything, and until 4 a sweep undoes the rest.
 *
 * Under a policy that lives already, each hook filters from the moment it is attached, and the record is the commit: a kill
 * between two hooks leaves one filtered and the other not, till the next command undoes it. It never takes away a filter.
 *
 * An interface that obeys another policy never goes without: the programs of the new policy, whose generation is live from
 * the start, are swapped into the links in place; the record then names the new policy. A kill before the record leaves the
 * old policy in charge, and the next command gives its programs back to hooks that were swapped already.
 */
#include "kern/hooks.h"
#include "kern/link.h"
#include "kern/load.h"
#include "kern/publish.h"
#include "kern/rim.h"
#include "kern/wait.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static void load_fini(struct load *l)
{
	if (l->have_policy)
		slots_close(&l->policy);
	ifaces_fini(&l->list);
}

static struct iface *find_iface(struct load *l)
{
	for (size_t i = 0; i < l->list.n; i++)
		if (l->list.v[i].ifindex == l->ifindex && l->list.v[i].record_fd >= 0)
			return &l->list.v[i];
	return NULL;
}

static uint64_t wall_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static int attach_fresh(struct load *l)
{
	struct fail ignored = {};
	struct iface f;
	int err = iface_new(l->k->ns, l->ifindex, l->ifname, l->fail, &f);

	if (err)
		return err;
	snprintf(f.rec.policy, sizeof(f.rec.policy), "%s", l->policy_name);
	err = load_attach_ingress(l, &f);
	if (!err && l->egress)
		err = hook_attach_tc(&l->policy, &f, FW_HOOK_TC_EGRESS, l->nslots[FW_DIR_EGRESS], l->opts->clsact, l->fail);
	if (!err) {
		/* What attempts that failed left; then the commit. */
		f.rec.since_ns = wall_ns();
		err = iface_save(&f, l->fail);
		err = err ?: iface_sweep(&f, l->fail);
	}
	if (err)
		iface_remove(l->k->ns, &f, false, &ignored);
	iface_close(&f);
	return err;
}

/* A policy whose rules wait in slot 1 while slot 0 passes everything. */
static int policy_born(struct load *l, bool live_at_once)
{
	struct image pass = {};
	int err = slots_new(l->policy_name, l->img->len, l->img->len, l->fail, &l->policy);

	if (err)
		return err;
	l->have_policy = true;
	if (live_at_once) {
		slots_write(&l->policy, 0, l->img, 1);
		return slots_pin(&l->policy, l->k->ns, l->fail);
	}
	err = image_pass_all(l->policy_name, &pass);
	if (err || pass.len > l->policy.slot[0].size) {
		image_fini(&pass);
		return fail_set(l->fail, err ?: -E2BIG, "cannot make an empty generation");
	}
	slots_write(&l->policy, 0, &pass, 0);
	image_fini(&pass);
	slots_write(&l->policy, 1, l->img, 1);
	return slots_pin(&l->policy, l->k->ns, l->fail);
}

static int load_new_policy(struct load *l)
{
	struct fail ignored = {};
	int err = image_assign_slots(l->img, NULL, l->nslots);

	err = err ?: image_set_bases(l->img, NULL, 0);
	if (err)
		return fail_set(l->fail, err, "cannot give the rules their counters: %s", strerror(-err));
	err = policy_born(l, false);
	err = err ?: attach_fresh(l);
	if (err) {
		slots_remove(l->k->ns, l->policy_name, &ignored);
		return err;
	}
	slots_switch(&l->policy, 1);
	err = wait_programs(l->fail);
	if (!err)
		((struct fw_image *)l->policy.slot[0].data)->magic = 0;
	l->report->generation = 1;
	return err;
}

/* One hook of an interface goes over to the new policy. */
static int switch_hook(struct load *l, struct iface *f, enum fw_hook hook)
{
	struct hook_program h cleanup(hook_program_close) = {.counters_fd = -1, .object = {-1, -1}};
	struct iface_hook *rec = &f->rec.hook[hook];
	struct attach a = iface_attach(f, hook);
	int err = hook_load(&l->policy, f, hook, rec->frags, l->nslots[hook_dir(hook)], true, l->fail, &h);

	err = err ?: hook_adopt_counters(&h, true, l->fail);
	err = err ?: attach_update(&a, h.object.prog_fd, l->fail);
	rec->prog_id[0] = h.prog_id;
	return err == -ENODEV ? fail_set(l->fail, err, "interface %s went away", l->shown) : err;
}

static int switch_policy(struct load *l, struct iface *f)
{
	char old[sizeof(f->rec.policy)];
	struct iface_record before = f->rec;
	struct iface_hook *out = &f->rec.hook[FW_HOOK_TC_EGRESS];
	bool others = false;
	int err = 0;

	memcpy(old, f->rec.policy, sizeof(old));
	if (l->egress && !out->present)
		err = hook_attach_tc(&l->policy, f, FW_HOOK_TC_EGRESS, l->nslots[FW_DIR_EGRESS], l->opts->clsact, l->fail);
	else if (l->egress)
		err = switch_hook(l, f, FW_HOOK_TC_EGRESS);
	for (enum fw_hook h = 0; !err && h < FW_HOOK_TC_EGRESS; h++)
		if (f->rec.hook[h].present)
			err = switch_hook(l, f, h);
	if (!err) {
		if (!l->egress)
			*out = (struct iface_hook){};
		snprintf(f->rec.policy, sizeof(f->rec.policy), "%s", l->policy_name);
		snprintf(f->rec.name, sizeof(f->rec.name), "%s", l->ifname);
		f->rec.since_ns = wall_ns();
		err = iface_save(f, l->fail);
	}
	if (err) {
		/* The record in the kernel still names the old policy: the sweep gives it back its hooks. */
		struct fail ignored = {}, *kept = l->k->fail;

		f->rec = before;
		l->k->fail = &ignored;
		kern_sweep(l->k);
		l->k->fail = kept;
		return err;
	}
	/* The egress hook and the counters of the old policy are strays now. */
	err = iface_sweep(f, l->fail);
	for (size_t i = 0; i < l->list.n; i++)
		others = others || (&l->list.v[i] != f && iface_uses(&l->list.v[i], old));
	if (!err && !others)
		err = slots_remove(l->k->ns, old, l->fail);
	return err ?: wait_programs(l->fail);
}

/* What was asked for by name has to be what is there. */
static int check_same_place(struct load *l, const struct iface *f)
{
	bool xdp = f->rec.hook[FW_HOOK_XDP].present;
	const char *is = !xdp ? "at TC" : f->rec.hook[FW_HOOK_XDP].mode == KERN_MODE_NATIVE ? "by native XDP" : "by generic XDP";

	if ((l->opts->where == KERN_HOOK_XDP && !xdp) || (l->opts->where == KERN_HOOK_TC && xdp) ||
	    (xdp && l->opts->mode != KERN_MODE_AUTO && l->opts->mode != (enum kern_mode)f->rec.hook[FW_HOOK_XDP].mode))
		return fail_set(l->fail, -EBUSY, "%s is filtered %s already; unload it first to change that", l->shown, is);
	return 0;
}

static bool hook_is_dead(const struct iface *f, enum fw_hook hook)
{
	struct attach a = iface_attach(f, hook);
	struct attach_state state;

	return f->rec.hook[hook].present && (attach_state(&a, &state) || !state.attached);
}

static bool is_attached(const struct iface *f)
{
	for (enum fw_hook h = 0; h < FW_HOOK_COUNT; h++)
		if (hook_is_dead(f, h))
			return false;
	return true;
}

/* The rules have an egress block since the ingress hook died: `apply` attaches nothing to what looks dead. */
static int attach_missing_egress(struct load *l, struct iface *f)
{
	bool clsact = l->opts->clsact || f->rec.hook[FW_HOOK_TC_INGRESS].link == KERN_LINK_CLSACT;
	int err;

	if (f->rec.hook[FW_HOOK_TC_EGRESS].present)
		return 0;
	err = hook_attach_tc(&l->policy, f, FW_HOOK_TC_EGRESS, l->nslots[FW_DIR_EGRESS], clsact, l->fail);
	return err ?: iface_save(f, l->fail);
}

/* Someone detached hooks: attach those again, and leave alone the ones that filter. */
static int attach_dead_hooks(struct load *l, struct iface *f)
{
	for (enum fw_hook h = 0; h < FW_HOOK_COUNT; h++) {
		struct attach a = iface_attach(f, h);
		bool clsact = a.link == KERN_LINK_CLSACT;
		int err;

		if (!hook_is_dead(f, h))
			continue;
		err = attach_remove(&a, l->fail);
		f->rec.hook[h] = (struct iface_hook){};
		if (!err && h == FW_HOOK_TC_EGRESS)
			err = hook_attach_tc(&l->policy, f, FW_HOOK_TC_EGRESS, l->nslots[FW_DIR_EGRESS], clsact, l->fail);
		else if (!err)
			err = load_attach_ingress(l, f);
		err = err ?: iface_save(f, l->fail);
		err = err ?: iface_sweep(f, l->fail);
		if (err)
			return err;
	}
	return l->egress ? attach_missing_egress(l, f) : 0;
}

/* Users of the policy other than f, and than those that are gone. */
static bool has_other_users(const struct load *l, const struct iface *f)
{
	for (size_t i = 0; i < l->list.n; i++)
		if (&l->list.v[i] != f && iface_uses(&l->list.v[i], l->policy_name) && l->list.v[i].here)
			return true;
	return false;
}

/* The policy exists: its rules are ours, or become ours when nobody else obeys them. */
static int agree(struct load *l, struct iface *f, bool *ret_same)
{
	const struct fw_image *live;
	int err = slots_live(&l->policy, &(struct fail){}, &live);
	char digest[65] = "damaged";

	*ret_same = !err && !memcmp(live->digest, image_hdr(l->img)->digest, sizeof(live->digest));
	if (*ret_same) {
		hooks_slots(live, l->nslots);
		l->report->generation = live->generation;
		return 0;
	}
	if (!has_other_users(l, f)) {
		err = publish(&l->policy, &l->list, l->img, l->fail, l->report);
		hooks_slots(image_hdr(l->img), l->nslots);
		return err;
	}
	if (!err)
		image_digest_hex(live, digest);
	return fail_set(l->fail, -EEXIST, "policy %s is in use by other interfaces with other rules (digest %.12s); apply the file first, "
			"or give the policy another name", l->policy_name, digest);
}

/* Interfaces that are gone and had this name: the new one takes their place. */
static int forget_former(struct load *l)
{
	int err = 0;

	for (size_t i = 0; !err && i < l->list.n; i++) {
		struct iface *f = &l->list.v[i];

		if (f->record_fd >= 0 && f->ifindex != l->ifindex && !f->here && !strcmp(f->rec.name, l->ifname))
			err = iface_remove(l->k->ns, f, false, l->fail);
	}
	return err;
}

static int load_known_policy(struct load *l, struct iface *f)
{
	bool mine = f && iface_uses(f, l->policy_name), same, whole;
	int err;

	err = f && is_attached(f) ? check_same_place(l, f) : 0;
	err = err ?: agree(l, f, &same);
	if (err)
		return err;
	if (mine && !is_attached(f))
		return attach_dead_hooks(l, f);
	if (f && !mine && !is_attached(f)) {
		/* It obeyed another policy, and not even wholly. */
		err = iface_remove(l->k->ns, f, false, l->fail);
		if (err)
			return err;
		iface_close(f);
		f = NULL;
	}
	whole = publish_fits(&l->policy, &l->list, image_hdr(l->img), l->nslots);
	if (mine && same && whole) {
		l->report->unchanged = true;
		return 0;
	}
	if (mine)
		return same ? publish(&l->policy, &l->list, l->img, l->fail, l->report) : 0;
	return f ? switch_policy(l, f) : attach_fresh(l);
}

static int load_any(struct load *l)
{
	struct iface *f = find_iface(l);
	int err = slots_open(l->k->ns, l->policy_name, true, l->fail, &l->policy);

	if (err && err != -ENOENT)
		return err;
	l->have_policy = !err;
	if (l->have_policy)
		return load_known_policy(l, f);
	if (l->fail->err)
		return l->fail->err;
	if (f && !is_attached(f)) {
		err = iface_remove(l->k->ns, f, false, l->fail);
		if (err)
			return err;
		iface_close(f);
		f = NULL;
	}
	if (!f)
		return load_new_policy(l);
	err = check_same_place(l, f);
	if (err)
		return err;
	err = image_assign_slots(l->img, NULL, l->nslots);
	err = err ?: image_set_bases(l->img, NULL, 0);
	if (err)
		return fail_set(l->fail, err, "cannot give the rules their counters: %s", strerror(-err));
	err = policy_born(l, true);
	err = err ?: switch_policy(l, f);
	if (err)
		slots_remove(l->k->ns, l->policy_name, &(struct fail){});
	l->report->generation = 1;
	return err;
}

/* A policy that is gone with its last interface, for which forget_former had no eyes. */
static int drop_unused_policies(struct load *l)
{
	return kern_sweep(l->k);
}

/* The rules are in force: what cannot be tidied now is left to the next command, and is no reason to say that loading failed. */
static void tidy(struct load *l)
{
	struct fail ignored = {}, *kept = l->k->fail;

	l->fail = l->k->fail = &ignored;
	if (!forget_former(l))
		drop_unused_policies(l);
	l->fail = l->k->fail = kept;
}

static void report_place(struct load *l)
{
	struct fail ignored = {};
	struct ifaces list;

	if (iface_list(l->k->ns, true, &ignored, &list))
		return;
	for (size_t i = 0; i < list.n; i++) {
		struct iface_record *r = &list.v[i].rec;

		if (list.v[i].ifindex != l->ifindex || list.v[i].record_fd < 0)
			continue;
		l->report->hook = r->hook[FW_HOOK_XDP].present ? FW_HOOK_XDP : FW_HOOK_TC_INGRESS;
		l->report->mode = r->hook[FW_HOOK_XDP].present ? r->hook[FW_HOOK_XDP].mode : KERN_MODE_AUTO;
	}
	l->report->interfaces = 1;
	ifaces_fini(&list);
}

int kern_load(struct kern *k, const char *ifname, const char *policy, struct image *img, const struct kern_load_opts *opts,
	      struct kern_report *ret)
{
	static const struct kern_load_opts defaults;
	struct kern_report report = {};
	struct load l cleanup(load_fini) = {.k = k, .fail = kern_fail(k), .ifname = ifname, .policy_name = policy, .img = img,
					    .opts = opts ?: &defaults, .report = &report};
	int err = slots_check_name(policy, l.fail);

	err = err ?: link_index(ifname, l.fail, &l.ifindex);
	err = err ?: link_check_ethernet(ifname, l.fail);
	err = err ?: iface_list(k->ns, true, l.fail, &l.list);
	if (err)
		return err;
	link_show(ifname, l.shown);
	l.egress = image_hdr(img)->dir[FW_DIR_EGRESS].flags & FW_DIRF_PRESENT;
	err = load_any(&l);
	if (err)
		return err;
	tidy(&l);
	report_place(&l);
	*ret = report;
	return 0;
}
