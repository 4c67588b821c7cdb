// SPDX-License-Identifier: GPL-2.0-only
/*
 * Put an interface under a policy.
 *
 * A policy that is new starts with a live generation 0 that passes everything, and its rules in the idle slot:
 *
 *   0  live sets that it names and the namespace has not: registered, empty
 *                                             a policy that is not there names none: the next apply or unload forgets them
 *   1  policy and its tables pinned (control word last)
 *                                          nothing is filtered; a sweep removes it
 *   2  per hook: counters pinned, program attached, link pinned
 *                                             everything passes still, on every hook
 *   3  twins pinned, which judge by the idle slot
 *                                             likewise
 *   4  record pinned                          likewise
 *   5  one store: the rules are live          THE COMMIT, on all hooks at once
 *
 * so a kill leaves nothing filtered or everything, and until 5 a sweep undoes the rest.
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
#include "kern/live.h"
#include "kern/load.h"
#include "kern/rim.h"
#include "kern/twin.h"
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

uint64_t load_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

/* Kinds of hooks of f at which no other interface asks this policy's rules. */
static unsigned int new_kinds(const struct load *l, const struct iface *f)
{
	unsigned int hooks = 0;

	for (enum fw_hook h = 0; h < FW_HOOK_COUNT; h++) {
		bool asked = f->rec.hook[h].present && h != FW_HOOK_TC_EGRESS;

		if (h == FW_HOOK_TC_EGRESS)
			asked = image_hdr(l->img)->dir[FW_DIR_EGRESS].flags & FW_DIRF_PRESENT;
		for (size_t i = 0; asked && i < l->list.n; i++)
			asked = !iface_uses(&l->list.v[i], l->policy_name) || !l->list.v[i].rec.hook[h].present;
		if (asked)
			hooks |= 1u << h;
	}
	return hooks;
}

int load_prove(struct load *l, const struct iface *f)
{
	const struct fw_image *live = slots_live_header(&l->policy);
	unsigned int index = slots_live_index(&l->policy);

	if (!l->opts->verify || !live)
		return 0;
	/* A policy that is being born: its rules wait in the other slot. */
	if (!live->generation)
		index = !index;
	return twin_verify(&l->policy, new_kinds(l, f), index, NULL, l->opts->verify, l->fail);
}

int load_attach_fresh(struct load *l)
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
	err = err ?: load_prove(l, &f);
	if (!err) {
		/* What attempts that failed left; then the commit. */
		f.rec.since_ns = load_now_ns();
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
	size_t written;
	int err = slots_new(l->policy_name, l->img->len, l->img->len, l->fail, &l->policy);

	if (err)
		return err;
	l->have_policy = true;
	err = slots_need(&l->policy, image_hdr(l->img), l->report->note, sizeof(l->report->note), l->fail);
	err = err ?: livesets_room(NULL, l->k->ns, &l->list, image_hdr(l->img), l->fail);
	err = err ?: livesets_claim(&l->policy, l->k->ns, NULL, l->img, l->fail);
	err = err ?: livesets_settle(l->k->ns, NULL, l->img, l->fail);
	if (err)
		return err;
	if (live_at_once) {
		err = slots_write(&l->policy, 0, l->img, 1, l->fail, &written);
		return err ?: slots_pin(&l->policy, l->k->ns, l->fail);
	}
	err = image_pass_all(l->policy_name, &pass);
	if (err || pass.len > l->policy.slot[0].size) {
		image_fini(&pass);
		return fail_set(l->fail, err ?: -E2BIG, "cannot make an empty generation");
	}
	err = slots_write(&l->policy, 0, &pass, 0, l->fail, &written);
	image_fini(&pass);
	err = err ?: slots_write(&l->policy, 1, l->img, 1, l->fail, &written);
	return err ?: slots_pin(&l->policy, l->k->ns, l->fail);
}

static int load_new_policy(struct load *l)
{
	struct fail ignored = {};
	int err = image_assign_slots(l->img, NULL, l->nslots);

	err = err ?: image_set_bases(l->img, NULL, 0);
	if (err)
		return fail_set(l->fail, err, "cannot give the rules their counters: %s", strerror(-err));
	err = policy_born(l, false);
	err = err ?: load_attach_fresh(l);
	if (err) {
		slots_remove(l->k->ns, l->policy_name, &ignored);
		return err;
	}
	slots_switch(&l->policy, 1);
	err = wait_programs(l->fail);
	if (!err)
		slots_mark_free(&l->policy, 0);
	l->report->generation = 1;
	return err;
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

static int load_any(struct load *l)
{
	struct iface *f = find_iface(l);
	int err = slots_open(l->k->ns, l->policy_name, true, l->fail, &l->policy);

	if (err && err != -ENOENT)
		return err;
	l->have_policy = !err;
	if (l->have_policy)
		return load_known(l, f);
	if (l->fail->err)
		return l->fail->err;
	if (f && !load_is_attached(f)) {
		err = iface_remove(l->k->ns, f, false, l->fail);
		if (err)
			return err;
		iface_close(f);
		f = NULL;
	}
	if (!f)
		return load_new_policy(l);
	err = load_check_place(l, f);
	if (err)
		return err;
	err = image_assign_slots(l->img, NULL, l->nslots);
	err = err ?: image_set_bases(l->img, NULL, 0);
	if (err)
		return fail_set(l->fail, err, "cannot give the rules their counters: %s", strerror(-err));
	err = policy_born(l, true);
	err = err ?: load_switch_policy(l, f);
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
	livesets_forget(l->k->ns, &ignored);
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
	l.egress = hooks_egress(image_hdr(img));
	err = load_any(&l);
	if (err) {
		livesets_forget(k->ns, &(struct fail){}); /* sets that it would have brought */
		return err;
	}
	tidy(&l);
	report_place(&l);
	*ret = report;
	return 0;
}
