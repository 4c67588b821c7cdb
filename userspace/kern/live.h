/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Live sets: known by name in the registry, by id in images, by place in elements.
 *
 *   name → id     registry; an id is used while the live image of some policy names it
 *   id → place    fw_live_ctl.place, one byte. A set without a place does not exist, whatever the registry says
 *   place → elements   bits of fw_live.members. A place that no id has is dirty while it counts elements, and is cleared by the
 *                 next command that writes
 *
 * So a new set is: place made ready, name registered, place[id] stored; replacing is: a free place filled, place[id] stored; the end
 * of a set is: place[id] = nowhere, name forgotten, place cleared. A kill between any two leaves the old or the new, and dirt.
 */
#ifndef FW_KERN_LIVE_H
#define FW_KERN_LIVE_H

#include "image/image.h"
#include "kern/livemaps.h"
#include "kern/slots.h"

struct kern_live {
	struct live_maps m;
	struct fail *fail;
	bool borrowed; /* the maps are somebody else's: a twin's */
};

struct ifaces;
/* Larger maps, for all policies (live_grow.c). mine: a policy that is open, or NULL. list: all interfaces. */
int livesets_grow(int ns_dir, struct slots *mine, struct ifaces *list, uint32_t capacity, struct fail *fail);
/* What a killed one left. */
int livesets_resume(int ns_dir, struct ifaces *list, struct fail *fail);
/* Make room for the sets of an image beside those that are there, if there are any. */
int livesets_room(struct slots *p, int ns_dir, struct ifaces *list, const struct fw_image *img, struct fail *fail);

/*
 * Give the live sets that an image names their ids, those of the namespace or (ns_dir -1) those of *own, which is made when it is
 * not open. New sets exist from here on; known ones keep size, flags and timeout until livesets_settle. The maps become p's.
 */
int livesets_claim(struct slots *p, int ns_dir, struct live_maps *own, struct image *img, struct fail *fail);
/* The image is about to be in force: its sets are as it has them. */
int livesets_settle(int ns_dir, struct live_maps *own, const struct image *img, struct fail *fail);
/* Sets that no live image of a policy names any more are emptied and forgotten. */
int livesets_forget(int ns_dir, struct fail *fail);
/* What a killed command left. */
int livesets_tidy(int ns_dir, struct fail *fail);

/* An element, as it stands in the maps. */
struct live_found {
	uint32_t addr[4];
	uint8_t l3, plen;
	uint64_t members, end_ns; /* of the place that was asked for */
};
struct live_founds {
	struct live_found *v;
	size_t n, cap;
};
/* All elements of a place. */
int livesets_walk(const struct live_maps *m, unsigned int place, struct live_founds *ret, struct fail *fail);

/* Edits, in batches; results are counted by kind. what: one edit after the other, by index. */
struct live_batch {
	size_t result[FW_EDIT_AGAIN + 1];
	size_t first_full; /* index of the first edit that found no room; SIZE_MAX: none */
};
int livesets_edit(struct live_maps *m, size_t n, void (*what)(void *ctx, size_t i, struct fw_edit *e), void *ctx, bool stop_when_full,
	      struct live_batch *ret, struct fail *fail);
/* Map the filter; adding does so itself. */
int livesets_filter_share(struct live_maps *m, struct fail *fail);
/* Take all elements of a place out, or those that have ended. */
int livesets_clear(struct live_maps *m, unsigned int place, bool ended, size_t *ret_n, struct fail *fail);
/* Clear places that no id has. */
int livesets_clear_dirt(struct live_maps *m, struct fail *fail);
/* A place that no id has and that is empty: FW_LIVE_NOWHERE when there is none. */
unsigned int livesets_free_place(const struct live_maps *m);

static inline unsigned int live_place(const struct live_maps *m, uint32_t id)
{
	unsigned int place = id < FW_MAX_LIVE ? __atomic_load_n(&m->ctl->place[id], __ATOMIC_ACQUIRE) : FW_LIVE_NOWHERE;

	return place < FW_LIVE_PLACES ? place : FW_LIVE_NOWHERE;
}
static inline bool live_exists(const struct live_maps *m, uint32_t id)
{
	return id < FW_MAX_LIVE && m->registry->set[id].used && live_place(m, id) != FW_LIVE_NOWHERE;
}

/* Who added what: forget all of a set. */
int livesets_info_drop(const struct live_maps *m, uint32_t id, struct fail *fail);

#endif
