// SPDX-License-Identifier: GPL-2.0-only
/*
 * A new generation for every hook of every interface of a policy.
 *
 * Order of steps, and what a kill after each of them leaves:
 *
 *   1  (growth) a larger idle slot: map pinned, then named by the control word's map_id, which programs do not read
 *      Old. A slot that the control word does not name is unpinned by a sweep. The next publish sees by the ids of a
 *      program's maps which hooks lack the current slots, and reloads those.
 *      Tables that the rules need and the policy has not: map pinned, then named by the control word's features
 *      Old. An unnamed one is unpinned by a sweep; a named one without its rules is empty and waits for them. Programs that
 *      lack one are seen and reloaded like those that lack a slot.
 *      Live sets that outgrow their maps: larger ones, and programs that know them, on every hook of every policy (live_grow.c)
 *      Old, on the same elements.
 *      Live sets that the rules name and the namespace has not: registered, empty (live.h)
 *      Old. Whoever frees the change, or unloads something later, forgets those that no live image names.
 *   2  wait, when the idle slot is not marked as free: the publish before was killed ahead of its own wait
 *   3  limits of rules that are new begin full: their cells belong to no rule of the live generation
 *      what is new of the image written into the idle slot, memory that no program reads
 *      Old. Whatever stands there is compared byte for byte by the next publish, so half an image does no harm.
 *   4  twins that are missing are loaded and pinned, and judge packets made for the rules by the idle slot
 *      Old. A twin is in nobody's way; without the last of its pins a sweep removes the others.
 *   5  egress hooks that the new rules need are attached: counters pinned, link made, link pinned, record saved
 *      Old: the programs judge by the live generation, which has no egress block, so they pass everything. Before the
 *      record, a sweep detaches them.
 *   6  (growth) new programs loaded, all of them before the first is used; counters pinned; record saved; link updated
 *      Old, on every hook: old and new programs share the control word and the live slot.
 *   7  (growth) wait: no program runs any more that knows another idle slot; sweep that slot and its twins
 *      Live sets get the size and timeout that the rules give them now
 *      Old rules, on sets that are a little larger or smaller; the next apply says the same again.
 *   8  one 32-bit store into the control word: THE COMMIT
 *      New, on all hooks at once: each packet reads the word once. Counter bases are in the image, so they switch too.
 *   9  wait: no packet is judged by the old rules any more; the old slot is marked (magic 0), so that the next publish
 *      knows that this wait took place, and waits itself when it did not
 *  10  an egress hook that the new rules have no use for: record saved, then detached
 *      New: it passes everything. A sweep finishes it.
 *
 *  11  live sets that no policy names any more are emptied and forgotten, with the change (change.c)
 *      New: nobody asks them.
 *
 * Any failure before 8 returns with the old generation in force; one in 1 to 4 has touched no hook. publish_prepare is 1 to
 * 4, publish_commit the rest.
 */
#include "kern/counters.h"
#include "kern/crew.h"
#include "kern/hooks.h"
#include "kern/live.h"
#include "kern/publish.h"
#include "kern/rim.h"
#include "kern/twin.h"
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

/* Interfaces whose egress hook is on its way. */
struct comers {
	const struct slots *p;
	uint32_t nslots;
	struct iface **v;
	size_t n, cap;
};

static int attach_one(void *ctx, size_t i, struct fail *fail)
{
	const struct comers *c = ctx;
	struct iface *f = c->v[i];
	const struct iface_hook *in = &f->rec.hook[FW_HOOK_TC_INGRESS];

	return hook_attach_tc(c->p, f, FW_HOOK_TC_EGRESS, c->nslots, in->present && in->link == KERN_LINK_CLSACT, fail);
}

static int attach_new_egress(struct slots *p, struct ifaces *list, uint32_t nslots, struct fail *fail)
{
	struct comers c = {.p = p, .nslots = nslots};
	int err = 0;

	for (size_t i = 0; !err && i < list->n; i++) {
		struct iface *f = &list->v[i];

		if (iface_uses(f, p->name) && !f->rec.hook[FW_HOOK_TC_EGRESS].present && iface_alive(f))
			err = vec_push(&c, f);
	}
	err = err ? fail_set(fail, err, "no memory") : crew_run(c.n, attach_one, &c, fail);
	/* Those without a record are swept away: after a failure, and after a kill. */
	for (size_t i = 0; !err && i < c.n; i++)
		err = iface_save(c.v[i], fail);
	vec_fini(&c);
	return err;
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
		if (!!f->rec.hook[FW_HOOK_TC_EGRESS].present != hooks_egress(img))
			return false;
	}
	return true;
}

/* Kinds of hooks at which some interface asks these rules. */
static unsigned int hooks_asked(const struct slots *p, const struct ifaces *list, const struct fw_image *img)
{
	unsigned int hooks = img->dir[FW_DIR_EGRESS].flags & FW_DIRF_PRESENT ? 1u << FW_HOOK_TC_EGRESS : 0;

	for (size_t i = 0; i < list->n; i++)
		for (enum fw_hook h = 0; h < FW_HOOK_TC_EGRESS; h++)
			if (iface_uses(&list->v[i], p->name) && list->v[i].rec.hook[h].present &&
			    img->dir[FW_DIR_INGRESS].flags & FW_DIRF_PRESENT)
				hooks |= 1u << h;
	return hooks;
}

/* Steps 1 to 4. */
static int fill_idle(struct slots *p, struct ifaces *list, const struct fw_image *live, struct image *img,
		     const struct kern_verify *verify, struct fail *fail, struct kern_report *report)
{
	unsigned int idle = !slots_live_index(p);
	uint64_t start;
	int err = 0;

	p->features = p->ctl->features;
	err = slots_need(p, image_hdr(img), report->note, sizeof(report->note), fail);
	err = err ?: livesets_room(p, p->ns, list, image_hdr(img), fail);
	err = err ?: livesets_claim(p, p->ns, NULL, img, fail);
	if (!err && img->len > p->slot[idle].size)
		err = slots_grow(p, img->len, fail);
	if (!err && !slots_marked_free(p, idle))
		err = wait_programs(fail);
	err = err ?: slots_clear_limits(p, image_hdr(img), live, fail);
	err = err ?: slots_write(p, idle, img, report->generation, fail, &report->written);
	start = now_ns();
	if (!err && verify)
		err = twin_verify(p, hooks_asked(p, list, image_hdr(img)), idle, live, verify, fail);
	report->verify_ns = now_ns() - start;
	/* It is known already that nobody reads the slot. */
	if (err) {
		slots_mark_free(p, idle);
		slots_features_restore(p);
	}
	return err;
}

int publish_prepare(struct slots *p, struct ifaces *list, struct image *img, const struct kern_verify *verify, struct fail *fail,
		    uint32_t ret_nslots[FW_DIR_COUNT], struct kern_report *report)
{
	const struct fw_image *header = slots_live_header(p), *live = NULL;
	uint64_t start = now_ns();
	struct fail damaged = {};
	int err;

	/* Rules that were damaged are replaced like any others; only their counters' names are lost. */
	report->generation = header ? header->generation + 1 : 1;
	if (slots_live(p, &damaged, &live))
		live = NULL;
	err = image_assign_slots(img, live, ret_nslots);
	if (err)
		return fail_set(fail, err, "cannot give the rules their counters: %s", strerror(-err));
	err = rebase_all(p, list, live, img, fail);
	err = err ?: fill_idle(p, list, live, img, verify, fail, report);
	report->publish_ns = now_ns() - start;
	return err;
}

/* Steps 5 to 7: hooks that can serve both generations. */
static int fit_hooks(struct slots *p, struct ifaces *list, const struct fw_image *img, const uint32_t nslots[FW_DIR_COUNT],
		     struct fail *fail, bool *ret_reloaded)
{
	bool reloaded = false;
	int err = 0;

	if (hooks_egress(img))
		err = attach_new_egress(p, list, nslots[FW_DIR_EGRESS], fail);
	err = err ?: hooks_reload(p, list, nslots, fail, &reloaded);
	if (!err && reloaded)
		err = wait_programs(fail);
	if (err)
		return err;
	slots_sweep(p);
	twin_sweep(p);
	*ret_reloaded = reloaded;
	return 0;
}

int publish_commit(struct slots *p, struct ifaces *list, const struct image *img, const uint32_t nslots[FW_DIR_COUNT],
		   struct fail *fail, struct kern_report *report)
{
	unsigned int live = slots_live_index(p);
	uint64_t start = now_ns();
	int err = fit_hooks(p, list, image_hdr(img), nslots, fail, &report->reloaded);

	err = err ?: livesets_settle(p->ns, NULL, img, fail);
	if (err) {
		slots_mark_free(p, !live);
		slots_features_restore(p);
		return err;
	}
	slots_switch(p, !live);
	err = wait_programs(fail);
	if (err)
		return err;
	slots_mark_free(p, live);
	if (!hooks_egress(image_hdr(img)))
		err = drop_old_egress(p, list, fail);
	report->publish_ns += now_ns() - start;
	return err;
}

int publish(struct slots *p, struct ifaces *list, struct image *img, const struct kern_verify *verify, struct fail *fail,
	    struct kern_report *report)
{
	uint32_t nslots[FW_DIR_COUNT];
	int err = publish_prepare(p, list, img, verify, fail, nslots, report);

	return err ?: publish_commit(p, list, img, nslots, fail, report);
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

