// SPDX-License-Identifier: GPL-2.0-only
/*
 * A new generation for every hook of every interface of a policy.
 *
 * Order of steps, and what a kill after each of them leaves:
 *
 *   1  egress hooks that the new rules need are attached: counters pinned, link made, link pinned, record saved
 *      Old: the programs judge by the live generation, which has no egress block, so they pass everything. Before the
 *      record, a sweep detaches them.
 *   2  (growth) a larger idle slot: map pinned, then named by the control word's map_id, which programs do not read
 *      Old. A slot that the control word does not name is unpinned by a sweep.
 *   3  (growth) new programs loaded, all of them before the first is used; counters pinned; record saved; link updated
 *      Old, on every hook: old and new programs share the control word and the live slot. The next publish sees by the
 *      ids of a program's maps which hooks still lack the current slots or counters, and reloads those.
 *   4  wait: no program runs any more that reads the slot which was idle; sweep it
 *   5  image written into the idle slot, memory that no program reads
 *      Old.
 *   6  one 32-bit store into the control word: THE COMMIT
 *      New, on all hooks at once: each packet reads the word once. Counter bases are in the image, so they switch too.
 *   7  wait: no packet is judged by the old rules any more; the old slot is marked (magic 0), so that the next publish
 *      knows that this wait took place, and waits itself when it did not
 *   8  an egress hook that the new rules have no use for: record saved, then detached
 *      New: it passes everything. A sweep finishes it.
 *
 * Any failure before 6 returns with the old generation in force.
 */
#include "kern/counters.h"
#include "kern/hooks.h"
#include "kern/publish.h"
#include "kern/rim.h"
#include "kern/wait.h"

#include "base/cleanup.h"
#include "base/vec.h"

#include <errno.h>
#include <string.h>
#include <time.h>

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static bool image_has_egress(const struct fw_image *img)
{
	return img->dir[FW_DIR_EGRESS].flags & FW_DIRF_PRESENT;
}

/* Alive: at least one hook is attached. Nothing can be attached to one that is gone. */
static bool iface_alive(const struct iface *f)
{
	for (enum fw_hook h = 0; h < FW_HOOK_COUNT; h++) {
		struct attach a = iface_attach(f, h);
		struct attach_state state;

		if (f->rec.hook[h].present && !attach_state(&a, &state) && state.attached)
			return true;
	}
	return false;
}

static int attach_new_egress(struct slots *p, struct ifaces *list, uint32_t nslots, struct fail *fail)
{
	for (size_t i = 0; i < list->n; i++) {
		struct iface *f = &list->v[i];
		bool clsact = f->rec.hook[FW_HOOK_TC_INGRESS].present && f->rec.hook[FW_HOOK_TC_INGRESS].link == KERN_LINK_CLSACT;
		int err;

		if (!iface_uses(f, p->name) || f->rec.hook[FW_HOOK_TC_EGRESS].present || !iface_alive(f))
			continue;
		err = hook_attach_tc(p, f, FW_HOOK_TC_EGRESS, nslots, clsact, fail);
		err = err ?: iface_save(f, fail);
		if (err)
			return err;
	}
	return 0;
}

static int drop_old_egress(struct slots *p, struct ifaces *list, struct fail *fail)
{
	for (size_t i = 0; i < list->n; i++) {
		struct iface *f = &list->v[i];
		int err;

		if (!iface_uses(f, p->name) || !f->rec.hook[FW_HOOK_TC_EGRESS].present)
			continue;
		err = hook_drop_egress(f, fail);
		if (err)
			return err;
	}
	return 0;
}

static int rebase_all(struct slots *p, struct ifaces *list, const struct fw_image *live, struct image *next, struct fail *fail)
{
	struct counters_bases bases = {};
	int err = 0;

	for (size_t i = 0; !err && i < list->n; i++)
		for (enum fw_hook h = 0; !err && h < FW_HOOK_COUNT; h++)
			if (iface_uses(&list->v[i], p->name) && list->v[i].rec.hook[h].present)
				err = counters_rebase(&list->v[i], h, live, image_hdr(next), fail, &bases);
	if (!err && image_set_bases(next, bases.v, bases.n))
		err = fail_set(fail, -ENOMEM, "no memory");
	vec_fini(&bases);
	return err;
}

bool publish_fits(const struct slots *p, const struct ifaces *list, const struct fw_image *img, const uint32_t nslots[FW_DIR_COUNT])
{
	for (size_t i = 0; i < list->n; i++) {
		const struct iface *f = &list->v[i];

		if (!iface_uses(f, p->name))
			continue;
		for (enum fw_hook h = 0; h < FW_HOOK_COUNT; h++)
			if (f->rec.hook[h].present && hook_fit(p, f, h, nslots[hook_dir(h)]) == HOOK_STALE)
				return false;
		if (!!f->rec.hook[FW_HOOK_TC_EGRESS].present != image_has_egress(img))
			return false;
	}
	return true;
}

static int make_room(struct slots *p, struct ifaces *list, size_t len, const uint32_t nslots[FW_DIR_COUNT], struct fail *fail,
		     bool *ret_reloaded)
{
	unsigned int idle = !slots_live_index(p);
	bool reloaded = false;
	int err = 0;

	if (len > p->slot[idle].size)
		err = slots_grow(p, len, fail);
	err = err ?: hooks_reload(p, list, nslots, fail, &reloaded);
	if (!err && reloaded)
		err = wait_programs(fail);
	if (err)
		return err;
	slots_sweep(p);
	*ret_reloaded = reloaded;
	return 0;
}

/* Steps 5 to 7. */
static int commit(struct slots *p, const struct image *img, uint64_t generation, struct fail *fail)
{
	unsigned int live = slots_live_index(p);
	struct fw_image *idle = (struct fw_image *)p->slot[!live].data;
	int err;

	if (idle->magic) {
		err = wait_programs(fail);
		if (err)
			return err;
	}
	slots_write(p, !live, img, generation);
	slots_switch(p, !live);
	err = wait_programs(fail);
	if (!err)
		((struct fw_image *)p->slot[live].data)->magic = 0;
	return err;
}

int publish(struct slots *p, struct ifaces *list, struct image *img, struct fail *fail, struct kern_report *ret)
{
	uint64_t start = now_ns(), generation = 1;
	const struct fw_image *header = slots_live_header(p), *live = NULL;
	uint32_t nslots[FW_DIR_COUNT];
	struct fail damaged = {};
	int err;

	/* Rules that were damaged are replaced like any others; only their counters' names are lost. */
	if (header)
		generation = header->generation + 1;
	if (slots_live(p, &damaged, &live))
		live = NULL;
	err = image_assign_slots(img, live, nslots);
	if (err)
		return fail_set(fail, err, "cannot give the rules their counters: %s", strerror(-err));
	if (image_has_egress(image_hdr(img)))
		err = attach_new_egress(p, list, nslots[FW_DIR_EGRESS], fail);
	err = err ?: rebase_all(p, list, live, img, fail);
	err = err ?: make_room(p, list, img->len, nslots, fail, &ret->reloaded);
	err = err ?: commit(p, img, generation, fail);
	if (err)
		return err;
	if (!image_has_egress(image_hdr(img)))
		err = drop_old_egress(p, list, fail);
	ret->generation = generation;
	ret->publish_ns = now_ns() - start;
	return err;
}

int publish_repair(struct slots *p, struct iface *f, struct fail *fail)
{
	const struct fw_image *live;
	uint32_t nslots[FW_DIR_COUNT];
	struct ifaces one = {.v = f, .n = 1};
	bool reloaded;
	int err = slots_live(p, fail, &live);

	if (err)
		return err;
	hooks_slots(live, nslots);
	err = hooks_reload(p, &one, nslots, fail, &reloaded);
	return err ?: iface_sweep(f, fail);
}

int kern_apply(struct kern *k, const char *policy, struct image *img, struct kern_report *ret)
{
	struct fail *fail = kern_fail(k);
	struct ifaces list cleanup(ifaces_fini) = {};
	struct kern_report report = {};
	uint32_t nslots[FW_DIR_COUNT];
	const struct fw_image *live;
	struct slots p;
	int err = slots_check_name(policy, fail);

	err = err ?: iface_list(k->ns, true, fail, &list);
	if (err)
		return err;
	for (size_t i = 0; i < list.n; i++)
		report.interfaces += iface_uses(&list.v[i], policy);
	if (!report.interfaces)
		return fail_set(fail, -ENOENT, "no interface uses policy %s; load it first", policy);
	err = slots_open(k->ns, policy, true, fail, &p);
	if (err)
		return err == -ENOENT ? fail_set(fail, err, "policy %s is only half there; unload its interfaces", policy) : err;
	live = slots_live_header(&p);
	if (live && !memcmp(live->digest, image_hdr(img)->digest, sizeof(live->digest)) && !slots_live(&p, &(struct fail){}, &live)) {
		hooks_slots(live, nslots);
		report.unchanged = publish_fits(&p, &list, live, nslots);
		report.generation = live->generation;
	}
	if (!report.unchanged)
		err = publish(&p, &list, img, fail, &report);
	slots_close(&p);
	if (!err)
		*ret = report;
	return err;
}
