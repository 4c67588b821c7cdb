// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the ingress rules run: native XDP, the same with frames in several buffers, generic XDP, TC. The first that the kernel
 * accepts, within what was asked for; the report keeps the sentence of the one that was refused.
 */
#include "kern/hooks.h"
#include "kern/link.h"
#include "kern/load.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdio.h>

static int xdp_try(struct load *l, struct iface *f, enum kern_mode mode, bool frags, struct fail *fail, struct hook_program *h)
{
	struct attach a = {.dir = f->dir, .ifindex = f->ifindex, .ifname = l->ifname, .hook = FW_HOOK_XDP, .mode = mode};
	struct iface_hook *rec = &f->rec.hook[FW_HOOK_XDP];
	int err = hook_load(&l->policy, f, FW_HOOK_XDP, frags, l->nslots[FW_DIR_INGRESS], true, fail, h);

	if (err)
		return err;
	err = hook_adopt_counters(h, true, fail);
	err = err ?: attach_xdp_create(&a, h->object.prog_fd, fail);
	if (err)
		return err;
	*rec = (struct iface_hook){.present = 1, .mode = mode, .link = KERN_LINK_XDP, .frags = frags, .prog_id = {h->prog_id},
				   .nmaps = 1, .map_id = {rec->map_id[0]}};
	return 0;
}

/* Nothing another mode could change. */
static bool is_final(int err)
{
	return err == -EPERM || err == -EBUSY || err == -ENOMEM || err == -ENODEV;
}

static int attach_native(struct load *l, struct iface *f, struct fail *fail)
{
	struct hook_program h cleanup(hook_program_close) = {.counters_fd = -1, .object = {-1}};
	struct fail first = {}, second = {};
	int err = xdp_try(l, f, KERN_MODE_NATIVE, false, &first, &h);

	if (!err)
		return 0;
	if (is_final(err) || h.object.prog_fd < 0)
		return fail_set(fail, err, "%s", first.text);
	attach_xdp_sentence(l->ifindex, h.object.prog_fd, err, l->report->why, sizeof(l->report->why));
	/* Large MTUs are refused with an errno of the driver's choice, unless the program takes frames in several buffers. */
	if (err != -EOPNOTSUPP) {
		hook_program_close(&h);
		if (!xdp_try(l, f, KERN_MODE_NATIVE, true, &second, &h)) {
			l->report->why[0] = 0;
			return 0;
		}
	}
	return fail_set(fail, err, "%s; the driver says: %s", first.text, l->report->why);
}

static int attach_xdp(struct load *l, struct iface *f, struct fail *fail)
{
	struct hook_program h cleanup(hook_program_close) = {.counters_fd = -1, .object = {-1}};
	int err = l->opts->coexist ? attach_xdp_coexist(l->ifname, fail) : attach_xdp_check_free(l->ifindex, l->ifname, fail);

	if (err)
		return err;
	if (l->opts->mode != KERN_MODE_GENERIC) {
		struct fail native = {};

		err = attach_native(l, f, &native);
		if (!err || l->opts->mode == KERN_MODE_NATIVE || is_final(err))
			return err ? fail_set(fail, err, "%s", native.text) : 0;
		l->report->fell_back = true;
		if (!l->report->why[0])
			snprintf(l->report->why, sizeof(l->report->why), "%.255s", native.text);
	}
	return xdp_try(l, f, KERN_MODE_GENERIC, false, fail, &h);
}

static int attach_tc_ingress(struct load *l, struct iface *f, struct fail *fail)
{
	return hook_attach_tc(&l->policy, f, FW_HOOK_TC_INGRESS, l->nslots[FW_DIR_INGRESS], l->opts->clsact, fail);
}

int load_attach_ingress(struct load *l, struct iface *f)
{
	struct fail xdp = {};
	int err;

	if (l->opts->where == KERN_HOOK_TC)
		return attach_tc_ingress(l, f, l->fail);
	if (l->opts->where == KERN_HOOK_AUTO && l->opts->mode == KERN_MODE_AUTO && image_hdr(l->img)->features & FW_FEATS_ANSWER &&
	    link_is_veth(l->ifname)) {
		l->report->fell_back = true;
		snprintf(l->report->why, sizeof(l->report->why),
				"its rules answer packets, and what XDP sends back from a veth is lost unless the "
			 "other end runs XDP, too");
		return attach_tc_ingress(l, f, l->fail);
	}
	err = attach_xdp(l, f, &xdp);
	if (!err)
		return 0;
	if (l->opts->where == KERN_HOOK_XDP || l->opts->mode != KERN_MODE_AUTO || is_final(err))
		return fail_set(l->fail, err, "%s", xdp.text);
	l->report->fell_back = true;
	if (!l->report->why[0])
		snprintf(l->report->why, sizeof(l->report->why), "%.255s", xdp.text);
	return attach_tc_ingress(l, f, l->fail);
}
