/* SPDX-License-Identifier: GPL-2.0-only */
/* A policy in the kernel: its control word and its two slots, pinned below p_<name>, mapped into our memory. */
#ifndef FW_KERN_POLICY_H
#define FW_KERN_POLICY_H

#include "base/fail.h"
#include "image/image.h"
#include "kern/object.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POLICY_NAME_MAX 32
#define POLICY_PREFIX "p_"

struct policy_slot {
	int fd;
	uint32_t id;
	size_t size;   /* a power of two */
	uint8_t *data; /* size + FW_SLOT_PAD bytes, shared with the programs */
};

struct policy {
	char name[POLICY_NAME_MAX + 1];
	int dir;        /* -1 while it is not pinned */
	int ctl_fd;
	uint32_t ctl_id;
	struct fw_ctl *ctl;
	struct policy_slot slot[2];
};

/* 0 when name can be that of a policy. */
int policy_check_name(const char *name, struct fail *fail);

/*
 * Two slots for images of len bytes, pinned nowhere yet, both empty; the first is live.
 */
int policy_new(const char *name, size_t len, struct fail *fail, struct policy *ret);
int policy_pin(struct policy *p, int ns_dir, struct fail *fail);
/* -ENOENT without a sentence when there is none, or only parts of one (-ENOENT too: a sweep removes those). */
int policy_open(int ns_dir, const char *name, bool write, struct fail *fail, struct policy *ret);
void policy_close(struct policy *p);
/* Take the names away; what runs goes on running. */
int policy_remove(int ns_dir, const char *name, struct fail *fail);

static inline unsigned int policy_live_index(const struct policy *p)
{
	return __atomic_load_n(&p->ctl->live, __ATOMIC_ACQUIRE) & 1;
}
/* The live image, checked; it stays valid until policy_close. */
int policy_live(const struct policy *p, struct fail *fail, const struct fw_image **ret);
/* The header alone is looked at: cheap. NULL when it is damaged. */
const struct fw_image *policy_live_header(const struct policy *p);

/* Copy an image into a slot that no program reads. */
void policy_write(struct policy *p, unsigned int index, const struct image *img, uint64_t generation);
/* The one store. */
void policy_switch(struct policy *p, unsigned int index);

/* Replace the idle slot by one that holds len bytes, pinned; programs do not know it yet. */
int policy_grow(struct policy *p, size_t len, struct fail *fail);
/* Unpin slots that the control word does not name. */
int policy_sweep_slots(struct policy *p);

struct object_maps policy_maps(const struct policy *p, int counters);
/* Constants of a program over this policy. */
struct fw_cfg policy_cfg(const struct policy *p, enum fw_hook hook, uint32_t nslots, bool frags);

#endif
