/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The maps of a namespace's live sets, which programs of all its policies share:
 *
 *   ns<cookie>/live/ctl filter host4 host6 net4 net6 count     struct fw_live_ctl and what it speaks of
 *                   info                                       who added what, and why: user space alone
 *                   edits edit                                 xdp/fw_set.bpf.c and its array, loaded once
 *                   registry                                   which name has which id; pinned last: without it there are no live sets
 */
#ifndef FW_KERN_LIVEMAPS_H
#define FW_KERN_LIVEMAPS_H

#include "kern/kern.h"
#include "kern/tables.h"

#include <fw/edit.h>

#define LIVEMAPS_DIR "live"
#define LIVEMAPS_NEXT "live_next" /* while they grow: live_grow.c */
#define LIVEMAPS_LEAST 65536u /* elements that there is always room for */

/* Bytes in a map, read by later versions of fwctl. */
#define LIVE_REGISTRY_MAGIC 0x4c574646u
#define LIVE_REGISTRY_VERSION 1
struct live_name {
	uint32_t used; /* written last, cleared first */
	uint32_t size, flags, pad;
	uint64_t timeout_ns;
	uint64_t added_ns; /* CLOCK_REALTIME: when many elements were last added at once, which have no info of their own */
	char name[KERN_SET_NAME + 1];
};
struct live_registry {
	uint32_t magic, version;
	uint32_t capacity; /* elements of all sets together */
	uint32_t pad;
	struct live_name set[FW_MAX_LIVE]; /* by id */
};

struct live_info_key {
	uint32_t addr[4];
	uint32_t id;
	uint8_t l3, plen, zero[2];
};
struct live_info {
	uint64_t added_ns; /* CLOCK_REALTIME */
	uint64_t end_ns;   /* as it was wanted: an element that lives longer was prolonged by a rule */
	char reason[KERN_REASON_MAX + 1];
};

/* The maps that programs have, for SHARED_LIVES tables. Nothing, and 0, when there are none. */
int livemaps_open(int ns_dir, struct table *t, struct fail *fail);

/* All of it, open. */
struct live_maps {
	struct table shared[SHARED_LIVES];
	struct fw_live_ctl *ctl;
	struct fw_live_filter *filter;
	struct live_registry *registry;
	struct fw_edits *edits;      /* write */
	int info_fd, registry_fd, edits_fd, edit_fd;
	bool write;
};
static inline const struct table *live_map(const struct live_maps *m, enum object_shared which)
{
	return &m->shared[which - SHARED_TABLES];
}
void live_maps_init(struct live_maps *m);
void live_maps_close(struct live_maps *m);
/* -ENOENT without a sentence when there are none. */
int live_maps_open(int ns_dir, bool write, struct fail *fail, struct live_maps *ret);
int live_maps_open_as(int ns_dir, const char *name, bool write, struct fail *fail, struct live_maps *ret);
/* Make them, for this many elements; ns_dir -1: pinned nowhere. */
int live_maps_make(int ns_dir, const char *name, uint32_t capacity, struct fail *fail, struct live_maps *ret);
/* Unpin them; what runs goes on running. */
int live_maps_remove(int ns_dir, struct fail *fail);
int live_maps_remove_as(int ns_dir, const char *name, struct fail *fail);
size_t live_maps_bytes(const struct live_maps *m);

/* Load the program that edits. */
int live_prog_load(const struct live_maps *m, struct fail *fail, int *ret_fd);

#endif
