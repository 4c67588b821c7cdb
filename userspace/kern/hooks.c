// SPDX-License-Identifier: GPL-2.0-only
#include "kern/hooks.h"

#include "base/cleanup.h"
#include "base/vec.h"
#include "kern/crew.h"
#include "kern/rim.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define COUNTERS_MIN 256u

void hook_program_close(struct hook_program *h)
{
	object_close(&h->object);
	if (h->counters_fd >= 0)
		close(h->counters_fd);
	h->counters_fd = -1;
}

void hook_programs_fini(struct hook_programs *list)
{
	for (size_t i = 0; i < list->n; i++)
		hook_program_close(&list->v[i]);
	vec_fini(list);
}

void hooks_slots(const struct fw_image *img, uint32_t ret_nslots[FW_DIR_COUNT])
{
	for (enum fw_dir dir = 0; dir < FW_DIR_COUNT; dir++) {
		uint32_t top = FW_SLOT_RULE0;
		size_t n = 0;
		const struct fw_meta_rule *rules = image_rules(img, dir, &n);

		for (size_t i = 0; i < n; i++)
			if (rules[i].slot >= top)
				top = rules[i].slot + 1;
		ret_nslots[dir] = top;
	}
}

/* Room for half as many again, so that an edit seldom needs a new map. */
static uint32_t counters_capacity(uint32_t nslots)
{
	uint32_t n = COUNTERS_MIN;

	while (n < nslots + nslots / 2)
		n <<= 1;
	return n;
}

enum hook_fit hook_fit(const struct slots *p, const struct iface *f, enum fw_hook hook, uint32_t nslots)
{
	const struct iface_hook *h = &f->rec.hook[hook];
	struct attach a = iface_attach(f, hook);
	struct attach_state state;
	struct object_info info;
	const uint32_t features = slots_features(p);
	struct fail ignored = {};
	struct fw_cfg cfg;
	auto_close int fd = -1;
	uint32_t slots = 0;

	if (!h->present || attach_state(&a, &state) || !state.attached)
		return HOOK_DEAD;
	if (object_info_by_id(state.prog_id, &info))
		return HOOK_STALE;
	if (!object_uses(&info, p->ctl_id) || !object_uses(&info, p->slot[0].id) || !object_uses(&info, p->slot[1].id) ||
	    !object_uses(&info, h->map_id[h->nmaps - 1]))
		return HOOK_STALE;
	for (enum object_shared m = 0; m < SHARED_COUNT; m++)
		if (p->shared[m].fd >= 0 && !object_uses(&info, p->shared[m].id))
			return HOOK_STALE;
	/* Its maps do not tell whether a program that keeps limits answers, too, nor that it has those of a tap that is over. */
	if (object_cfg(&info, &cfg))
		cfg.features = 0;
	if (features & ~cfg.features & FW_FEAT_REJECT || (features ^ cfg.features) & FW_FEAT_TAP)
		return HOOK_STALE;
	if (iface_open_counters(f, hook, h->nmaps - 1, &ignored, &fd, &slots) || slots < nslots)
		return HOOK_STALE;
	return HOOK_FITS;
}

static int prog_id(int fd, struct fail *fail, uint32_t *ret)
{
	struct bpf_prog_info info = {};
	uint32_t len = sizeof(info);
	int err = bpf_obj_get_info_by_fd(fd, &info, &len);

	if (err)
		return fail_set(fail, err, "cannot look at a new program: %s", strerror(-err));
	*ret = info.id;
	return 0;
}

int hook_load(const struct slots *p, struct iface *f, enum fw_hook hook, bool frags, uint32_t nslots, bool fresh,
	      struct fail *fail, struct hook_program *ret)
{
	struct hook_program h = {.iface = f, .hook = hook, .frags = frags, .counters_fd = -1, .object = {-1}};
	const struct iface_hook *rec = &f->rec.hook[hook];
	auto_close int last = -1;
	uint32_t slots = 0;
	struct object_maps maps;
	struct fw_cfg cfg;
	int err = 0;

	if (!fresh && rec->nmaps)
		err = iface_open_counters(f, hook, rec->nmaps - 1, fail, &last, &slots);
	if (err)
		return err;
	if (slots < nslots) {
		slots = counters_capacity(slots * 2 > nslots ? slots * 2 : nslots);
		err = map_new_counters(slots, fail, &h.counters_fd);
	}
	maps = slots_maps(p, h.counters_fd >= 0 ? h.counters_fd : last);
	cfg = slots_cfg(p, hook, slots, frags);
	err = err ?: object_load(hook, &maps, &cfg, fail, &h.object);
	err = err ?: prog_id(h.object.prog_fd, fail, &h.prog_id);
	if (err) {
		hook_program_close(&h);
		return err;
	}
	*ret = h;
	return 0;
}

int hook_adopt_counters(struct hook_program *h, bool replace, struct fail *fail)
{
	struct iface_hook *rec = &h->iface->rec.hook[h->hook];
	uint32_t id;
	int err;

	if (h->counters_fd < 0)
		return 0;
	if (replace)
		rec->nmaps = 0;
	if (rec->nmaps == IFACE_MAX_MAPS)
		return fail_set(fail, -E2BIG, "interface %s has grown its counters too often; unload it and load it again", h->iface->name);
	err = iface_pin_counters(h->iface, h->hook, h->counters_fd, &id, fail);
	if (!err)
		rec->map_id[rec->nmaps++] = id;
	return err;
}

struct reload {
	const struct slots *p;
	const uint32_t *nslots;
	struct hook_programs *programs;
};

static int load_one(void *ctx, size_t i, struct fail *fail)
{
	const struct reload *r = ctx;
	struct hook_program *h = &r->programs->v[i];
	const bool frags = h->iface->rec.hook[h->hook].frags;

	return hook_load(r->p, h->iface, h->hook, frags, r->nslots[hook_dir(h->hook)], false, fail, h);
}

static int load_stale(struct slots *p, struct ifaces *list, const uint32_t nslots[FW_DIR_COUNT], struct fail *fail,
		      struct hook_programs *out)
{
	struct reload r = {.p = p, .nslots = nslots, .programs = out};

	for (size_t i = 0; i < list->n; i++) {
		struct iface *f = &list->v[i];

		for (enum fw_hook hook = 0; hook < FW_HOOK_COUNT; hook++) {
			struct hook_program h = {.iface = f, .hook = hook, .counters_fd = -1, .object = {-1}};

			if (!iface_uses(f, p->name) || hook_fit(p, f, hook, nslots[hook_dir(hook)]) != HOOK_STALE)
				continue;
			if (vec_push(out, h))
				return fail_set(fail, -ENOMEM, "no memory");
		}
	}
	return crew_run(out->n, load_one, &r, fail);
}

/* The record first: it may name counters that nothing writes yet, but never miss some that are written. */
static int swap_in(struct hook_program *h, struct fail *fail)
{
	struct iface_hook *rec = &h->iface->rec.hook[h->hook];
	struct attach a;
	int err = hook_adopt_counters(h, false, fail);

	if (err)
		return err;
	rec->prog_id[1] = rec->prog_id[0];
	rec->prog_id[0] = h->prog_id;
	err = iface_save(h->iface, fail);
	if (err)
		return err;
	a = iface_attach(h->iface, h->hook);
	err = attach_update(&a, h->object.prog_fd, fail);
	return err == -ENODEV ? 0 : err;
}

int hooks_reload(struct slots *p, struct ifaces *list, const uint32_t nslots[FW_DIR_COUNT], struct fail *fail, bool *ret_reloaded)
{
	struct hook_programs programs cleanup(hook_programs_fini) = {};
	int err = load_stale(p, list, nslots, fail, &programs);

	for (size_t i = 0; !err && i < programs.n; i++)
		err = swap_in(&programs.v[i], fail);
	if (!err)
		*ret_reloaded = programs.n > 0;
	return err;
}

int hook_attach_tc(const struct slots *p, struct iface *f, enum fw_hook hook, uint32_t nslots, bool clsact, struct fail *fail)
{
	struct iface_hook *rec = &f->rec.hook[hook];
	struct attach a = {.dir = f->dir, .ifindex = f->ifindex, .ifname = f->name, .hook = hook};
	struct hook_program h cleanup(hook_program_close) = {.counters_fd = -1, .object = {-1}};
	int err = hook_load(p, f, hook, false, nslots, true, fail, &h);

	err = err ?: hook_adopt_counters(&h, true, fail);
	err = err ?: attach_tc_create(&a, h.object.prog_fd, clsact, fail);
	if (err)
		return err;
	rec->present = 1;
	rec->link = a.link;
	rec->priority = a.priority;
	rec->prog_id[0] = h.prog_id;
	return 0;
}

int hook_drop_egress(struct iface *f, struct fail *fail)
{
	struct attach a = iface_attach(f, FW_HOOK_TC_EGRESS);
	int err;

	f->rec.hook[FW_HOOK_TC_EGRESS] = (struct iface_hook){};
	err = iface_save(f, fail);
	err = err ?: attach_remove(&a, fail);
	return err ?: iface_sweep(f, fail);
}
