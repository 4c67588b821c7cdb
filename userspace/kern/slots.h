/* SPDX-License-Identifier: GPL-2.0-only */
/* A policy in the kernel: its control word and its two slots, pinned below p_<name>, mapped into our memory. */
#ifndef FW_KERN_SLOTS_H
#define FW_KERN_SLOTS_H

#include "base/fail.h"
#include "image/image.h"
#include "kern/object.h"
#include "kern/tables.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLOTS_NAME_MAX 32
#define SLOTS_PREFIX "p_"

struct slot {
	int fd;
	uint32_t id;
	size_t size;           /* a power of two */
	struct fw_image *head; /* shared with the programs */
	uint8_t *data;         /* the first `mapped` bytes likewise; NULL until somebody needs them */
	size_t mapped;
	uint8_t *meta;         /* header, and what stands behind the tables; at the same offsets */
	size_t meta_len;
	bool write;
};

struct slots {
	char name[SLOTS_NAME_MAX + 1];
	int dir;        /* -1 while it is not pinned */
	int ns;         /* the directory that has it, borrowed */
	int ctl_fd;
	uint32_t ctl_id;
	struct fw_ctl *ctl;
	struct slot slot[2];
	struct table shared[SHARED_COUNT]; /* what its programs share beside: tables.h, livemaps.h */
	uint32_t features; /* of ctl, before a change that is under way */
};

/* 0 when name can be that of a policy. */
int slots_check_name(const char *name, struct fail *fail);

/*
 * Two slots, the live one for images of len bytes, the idle one of idle_len; pinned nowhere yet, both empty.
 */
int slots_new(const char *name, size_t len, size_t idle_len, struct fail *fail, struct slots *ret);
int slots_pin(struct slots *p, int ns_dir, struct fail *fail);
/* -ENOENT without a sentence when there is none, or only parts of one (-ENOENT too: a sweep removes those). */
int slots_open(int ns_dir, const char *name, bool write, struct fail *fail, struct slots *ret);
void slots_close(struct slots *p);
/* Take the names away; what runs goes on running. */
int slots_remove(int ns_dir, const char *name, struct fail *fail);

static inline unsigned int slots_live_index(const struct slots *p)
{
	return __atomic_load_n(&p->ctl->live, __ATOMIC_ACQUIRE) & 1;
}
/* The live image without its tables (image_check_meta), checked; it stays valid until slots_close, or until the slot is written. */
int slots_live(struct slots *p, struct fail *fail, const struct fw_image **ret);
/* All of it. */
int slots_live_whole(struct slots *p, struct fail *fail, const struct fw_image **ret);
/* The header alone is looked at: cheap. NULL when it is damaged. */
const struct fw_image *slots_live_header(const struct slots *p);

/*
 * Copy an image into a slot that no program reads: what stands there already is not written again. *ret_written: bytes that
 * were.
 */
int slots_write(struct slots *p, unsigned int index, const struct image *img, uint64_t generation, struct fail *fail,
		size_t *ret_written);
/* The one store. */
void slots_switch(struct slots *p, unsigned int index);
/* Nobody reads this slot any more: whoever writes it next need not wait. */
void slots_mark_free(struct slots *p, unsigned int index);
bool slots_marked_free(const struct slots *p, unsigned int index);

/* Replace the idle slot by one that holds len bytes, pinned; programs do not know it yet. */
int slots_grow(struct slots *p, size_t len, struct fail *fail);
/* Unpin slots that the control word does not name. */
int slots_sweep(struct slots *p);

/* Features of programs that are loaded now. */
uint32_t slots_features(const struct slots *p);
/* A change failed: name no table that the live rules did without. Its pins are leftovers; programs that use it go on with it. */
void slots_features_restore(struct slots *p);
/*
 * Make the tables that an image needs and the policy has not. A table that is there stays as it is, and note (size bytes) says
 * so when the image asks for another size.
 */
int slots_need(struct slots *p, const struct fw_image *img, char *note, size_t size, struct fail *fail);
/* Rules of next that live (NULL: no) has not get their limits full. The slots of next are assigned. */
int slots_clear_limits(struct slots *p, const struct fw_image *next, const struct fw_image *live, struct fail *fail);

struct object_maps slots_maps(const struct slots *p, int counters);
/* Constants of a program over this policy. */
struct fw_cfg slots_cfg(const struct slots *p, enum fw_hook hook, uint32_t nslots, bool frags);

#endif
