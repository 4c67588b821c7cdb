// SPDX-License-Identifier: GPL-2.0-only
/* An interface that obeys one policy comes under another, and never goes without (load.c). */
#include "kern/hooks.h"
#include "kern/load.h"
#include "kern/wait.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* One hook of an interface goes over to the new policy. */
static int switch_hook(struct load *l, struct iface *f, enum fw_hook hook)
{
	struct hook_program h cleanup(hook_program_close) = {.counters_fd = -1, .object = {-1}};
	struct iface_hook *rec = &f->rec.hook[hook];
	struct attach a = iface_attach(f, hook);
	int err = hook_load(&l->policy, f, hook, rec->frags, l->nslots[hook_dir(hook)], true, l->fail, &h);

	err = err ?: hook_adopt_counters(&h, true, l->fail);
	err = err ?: attach_update(&a, h.object.prog_fd, l->fail);
	rec->prog_id[0] = h.prog_id;
	return err == -ENODEV ? fail_set(l->fail, err, "interface %s went away", l->shown) : err;
}

int load_switch_policy(struct load *l, struct iface *f)
{
	char old[sizeof(f->rec.policy)];
	struct iface_record before = f->rec;
	struct iface_hook *out = &f->rec.hook[FW_HOOK_TC_EGRESS];
	bool others = false;
	int err = load_prove(l, f);

	if (err)
		return err;
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
		f->rec.since_ns = load_now_ns();
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

