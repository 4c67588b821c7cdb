/* SPDX-License-Identifier: GPL-2.0-only */
/* From the embedded ELF objects to loaded programs, and the maps they are loaded with. */
#ifndef FW_KERN_OBJECT_H
#define FW_KERN_OBJECT_H

#include "base/fail.h"

#include <fw/abi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Kinds of maps that user space makes (the rest comes with the object). */
int map_new_ctl(struct fail *fail, int *ret_fd);
/* size: a power of two; the value is size + FW_SLOT_PAD. index: 0 or 1. */
int map_new_slot(unsigned int index, size_t size, struct fail *fail, int *ret_fd);
int map_new_counters(uint32_t nslots, struct fail *fail, int *ret_fd);
/* One element of `size` bytes, called name: a record kept by user space alone. */
int map_new_record(const char *name, size_t size, struct fail *fail, int *ret_fd);
int map_new_trace(struct fail *fail, int *ret_fd);
/* Any other kind, as it will be asked for when it is opened by its pin. */
struct pin_want;
int map_new_as(const struct pin_want *want, struct fail *fail, int *ret_fd);
int map_id(int fd, struct fail *fail, uint32_t *ret_id);
/*
 * The first len bytes of a map's value in our memory, shared with the programs. The kernel fills in all pages at once, for
 * 0.2 us each: map no more than is needed.
 */
int map_share(int fd, size_t len, bool write, struct fail *fail, void **ret);
/* The same for reading, without what lies between the first `head` bytes and byte `from`: that is left unmapped. */
int map_share_ends(int fd, size_t head, size_t from, size_t len, struct fail *fail, void **ret);
void map_unshare(void *at, size_t len);

/* Maps that a program has when its features need them. The first ones are the policy's, the others the namespace's. */
enum object_shared {
	SHARED_FLOWS,
	SHARED_LIMITS,
	SHARED_BUCKETS,
	SHARED_COOKIES,
	SHARED_EVENTS,
	SHARED_EVENT_CPUS,
	SHARED_LOG_LIMITS,
	SHARED_TAPS,
	SHARED_TAP_CPUS,
	SHARED_TAP_CTL,
	SHARED_LIVE_CTL,
	SHARED_LIVE_FILTER,
	SHARED_LIVE_HOST4,
	SHARED_LIVE_HOST6,
	SHARED_LIVE_NET4,
	SHARED_LIVE_NET6,
	SHARED_LIVE_COUNT,
	SHARED_COUNT,
	SHARED_TABLES = SHARED_LIVE_CTL, /* how many are the policy's */
	SHARED_LIVES = SHARED_COUNT - SHARED_TABLES,
};
/* Name in the kernel, which is that in the object. */
const char *object_shared_name(enum object_shared m);

struct object_maps {
	int ctl, slot[2], counters, trace; /* descriptors, borrowed; trace -1: of a program that tells nothing */
	int shared[SHARED_COUNT];          /* -1: of a program that does without */
};

struct object {
	int prog_fd;
};

/*
 * Load the program of a hook. cfg.frags also asks the kernel for multi-buffer frames (XDP). A refusal is explained: the
 * capability or kernel version that is missing, or the verifier's last words.
 */
int object_load(enum fw_hook hook, const struct object_maps *maps, const struct fw_cfg *cfg, struct fail *fail,
		struct object *ret);
void object_close(struct object *o);
const char *object_prog_name(enum fw_hook hook);
/* Tells one build of a hook's program from another. */
uint64_t object_sum(enum fw_hook hook);

/* "needs root …" when the process lacks what BPF takes; 0 when it has it. */
int object_check_privilege(struct fail *fail);

#define OBJECT_MAX_MAPS 32
/* What a loaded program is: name, and the ids of its maps. -EPERM without CAP_SYS_ADMIN. */
struct object_info {
	uint32_t id;
	char name[16];
	uint32_t map_ids[OBJECT_MAX_MAPS];
	uint32_t nmaps;
};
int object_info_by_fd(int prog_fd, struct object_info *ret);
int object_info_by_id(uint32_t prog_id, struct object_info *ret);
bool object_uses(const struct object_info *info, uint32_t map_id);
/* The constants that it was loaded with. -ENOENT when it has none that we know. */
int object_cfg(const struct object_info *info, struct fw_cfg *ret);

#endif
