// SPDX-License-Identifier: GPL-2.0-only
/* What a policy has beside its slots, as programs get it. */
#include "kern/slots.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

uint32_t slots_features(const struct slots *p)
{
	uint32_t features = tables_there(p->shared, p->ctl);

	return p->shared[SHARED_LIVE_CTL].fd < 0 ? features & ~FW_FEAT_LIVE : features;
}

/* What a table holds is worth more than another size. */
static void note_sizes(const struct slots *p, const struct fw_state_opts *state, char *note, size_t size)
{
	uint32_t flows = tables_sets(state->size), pending = tables_sets(state->pending);

	if (flows != p->ctl->flow_sets || pending != p->ctl->pend_sets)
		snprintf(note, size, "policy %s keeps its table of flows, with room for %u and %u half-open ones; unload and load it for "
				     "size %u, pending %u",
			 p->name, p->ctl->flow_sets * FW_FLOW_WAYS / 5 * 4, p->ctl->pend_sets * FW_FLOW_WAYS / 5 * 4, state->size,
			 state->pending);
}

void slots_features_restore(struct slots *p)
{
	__atomic_fetch_and(&p->ctl->features, p->features, __ATOMIC_SEQ_CST);
}

int slots_need(struct slots *p, const struct fw_image *img, char *note, size_t size, struct fail *fail)
{
	if (note && img->features & FW_FEAT_STATE && tables_there(p->shared, p->ctl) & FW_FEAT_STATE)
		note_sizes(p, &img->state, note, size);
	return tables_make(p->shared, p->ctl, img->features & ~(FW_FEAT_LIVE | FW_FEAT_TAP), &img->state, p->dir, fail);
}

int slots_clear_limits(struct slots *p, const struct fw_image *next, const struct fw_image *live, struct fail *fail)
{
	int err = 0;

	if (p->shared[SHARED_LIMITS].fd < 0 && p->shared[SHARED_LOG_LIMITS].fd < 0)
		return 0;
	for (enum fw_dir dir = 0; !err && dir < FW_DIR_COUNT; dir++) {
		auto_free uint8_t *owned = calloc(FW_MAX_SLOTS, 1);
		auto_free uint32_t *slots = NULL;
		const struct fw_meta_rule *rules;
		size_t n = 0, found = 0;

		rules = live ? image_rules(live, dir, &n) : NULL;
		for (size_t i = 0; owned && i < n; i++)
			if (rules[i].slot < FW_MAX_SLOTS)
				owned[rules[i].slot] = 1;
		rules = image_rules(next, dir, &n);
		slots = calloc(n + 1, sizeof(*slots));
		if (!owned || !slots)
			return fail_set(fail, -ENOMEM, "no memory");
		for (size_t i = 0; i < n; i++)
			if (rules[i].slot < FW_MAX_SLOTS && !owned[rules[i].slot])
				slots[found++] = rules[i].slot;
		err = tables_clear_limits(p->shared, slots, found, dir, fail);
	}
	return err;
}

struct object_maps slots_maps(const struct slots *p, int counters)
{
	struct object_maps maps = {.ctl = p->ctl_fd, .slot = {p->slot[0].fd, p->slot[1].fd}, .counters = counters, .trace = -1};

	for (enum object_shared m = 0; m < SHARED_COUNT; m++)
		maps.shared[m] = p->shared[m].fd;
	return maps;
}

struct fw_cfg slots_cfg(const struct slots *p, enum fw_hook hook, uint32_t nslots, bool frags)
{
	struct fw_cfg cfg = {.mask = {(uint32_t)(p->slot[0].size - 1), (uint32_t)(p->slot[1].size - 1)},
			     .dir = hook == FW_HOOK_TC_EGRESS ? FW_DIR_EGRESS : FW_DIR_INGRESS,
			     .frags = frags,
			     .nslots = nslots,
			     .features = slots_features(p)};

	if (cfg.features & FW_FEAT_STATE) {
		cfg.flow_mask = p->ctl->flow_sets - 1;
		cfg.pend_mask = p->ctl->pend_sets - 1;
	}
	if (cfg.features & FW_FEAT_LIMIT)
		cfg.bucket_mask = FW_BUCKET_SETS - 1;
	if (cfg.features & FW_FEAT_LOG) {
		cfg.cpus = p->shared[SHARED_EVENT_CPUS].entries;
		cfg.event_mask = p->shared[SHARED_EVENTS].entries / cfg.cpus - 1;
	}
	if (cfg.features & FW_FEAT_TAP) {
		cfg.cpus = p->shared[SHARED_TAP_CPUS].entries;
		cfg.tap_mask = p->shared[SHARED_TAPS].entries / cfg.cpus - 1;
		cfg.tap_snap = p->shared[SHARED_TAPS].value_size - sizeof(struct fw_tap);
	}
	return cfg;
}
