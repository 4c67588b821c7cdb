// SPDX-License-Identifier: GPL-2.0-only
/* `load` onto a policy that lives already: its rules must be ours, or nobody else's. */
#include "kern/hooks.h"
#include "kern/load.h"
#include "kern/publish.h"

#include <errno.h>
#include <string.h>

static bool hook_is_dead(const struct iface *f, enum fw_hook hook)
{
	struct attach a = iface_attach(f, hook);
	struct attach_state state;

	return f->rec.hook[hook].present && (attach_state(&a, &state) || !state.attached);
}

bool load_is_attached(const struct iface *f)
{
	for (enum fw_hook h = 0; h < FW_HOOK_COUNT; h++)
		if (hook_is_dead(f, h))
			return false;
	return true;
}

int load_check_place(struct load *l, const struct iface *f)
{
	bool xdp = f->rec.hook[FW_HOOK_XDP].present;
	const char *is = !xdp ? "at TC" : f->rec.hook[FW_HOOK_XDP].mode == KERN_MODE_NATIVE ? "by native XDP" : "by generic XDP";

	if ((l->opts->where == KERN_HOOK_XDP && !xdp) || (l->opts->where == KERN_HOOK_TC && xdp) ||
	    (xdp && l->opts->mode != KERN_MODE_AUTO && l->opts->mode != (enum kern_mode)f->rec.hook[FW_HOOK_XDP].mode))
		return fail_set(l->fail, -EBUSY, "%s is filtered %s already; unload it first to change that", l->shown, is);
	return 0;
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

/* An image of the same rules: its live sets are those of the one that runs. */
static void assign_as(struct image *img, const struct fw_image *live)
{
	uint32_t ids[FW_MAX_LIVE] = {};
	size_t n;
	const struct fw_live_ref *ref = image_live(live, &n);

	for (size_t i = 0; i < n && i < FW_MAX_LIVE; i++)
		ids[i] = ref[i].id;
	image_assign_live(img, ids);
}

/* The policy exists: its rules are ours, or become ours when nobody else obeys them. */
static int agree(struct load *l, struct iface *f, bool *ret_same)
{
	const struct fw_image *live;
	int err = slots_live(&l->policy, &(struct fail){}, &live);
	char digest[65] = "damaged";

	*ret_same = !err && !memcmp(live->digest, image_hdr(l->img)->digest, sizeof(live->digest));
	if (*ret_same) {
		/* Whoever asks the programs about these rules finds the live sets by them. */
		assign_as(l->img, live);
		hooks_slots(live, l->nslots);
		l->report->generation = live->generation;
		return 0;
	}
	if (!has_other_users(l, f)) {
		err = publish(&l->policy, &l->list, l->img, l->opts->verify, l->fail, l->report);
		hooks_slots(image_hdr(l->img), l->nslots);
		return err;
	}
	if (!err)
		image_digest_hex(live, digest);
	return fail_set(l->fail, -EEXIST, "policy %s is in use by other interfaces with other rules (digest %.12s); apply the file first, "
			"or give the policy another name", l->policy_name, digest);
}

int load_known(struct load *l, struct iface *f)
{
	bool mine = f && iface_uses(f, l->policy_name), same, whole;
	int err;

	err = f && load_is_attached(f) ? load_check_place(l, f) : 0;
	err = err ?: agree(l, f, &same);
	if (err)
		return err;
	if (mine && !load_is_attached(f))
		return attach_dead_hooks(l, f);
	if (f && !mine && !load_is_attached(f)) {
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
		return same ? publish(&l->policy, &l->list, l->img, l->opts->verify, l->fail, l->report) : 0;
	return f ? load_switch_policy(l, f) : load_attach_fresh(l);
}

