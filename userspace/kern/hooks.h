/* SPDX-License-Identifier: GPL-2.0-only */
/* Programs of a policy on the hooks of its interfaces: made, compared with what runs, put in place. */
#ifndef FW_KERN_HOOKS_H
#define FW_KERN_HOOKS_H

#include "kern/iface.h"
#include "kern/object.h"
#include "kern/slots.h"

/* A program that is loaded and not attached yet, with the counters it writes. */
struct hook_program {
	struct iface *iface;
	enum fw_hook hook;
	struct object object;
	uint32_t prog_id;
	int counters_fd;   /* -1: the last map of the chain goes on */
	bool frags;
};
struct hook_programs {
	struct hook_program *v;
	size_t n, cap;
};
void hook_programs_fini(struct hook_programs *list);

static inline enum fw_dir hook_dir(enum fw_hook hook)
{
	return hook == FW_HOOK_TC_EGRESS ? FW_DIR_EGRESS : FW_DIR_INGRESS;
}

/* Do packets that leave meet a program? Flows are kept from both ends. */
static inline bool hooks_egress(const struct fw_image *img)
{
	return img->dir[FW_DIR_EGRESS].flags & (FW_DIRF_PRESENT | FW_DIRF_TRACK);
}

/* How what is attached fits the policy. */
enum hook_fit {
	HOOK_FITS,
	HOOK_STALE, /* attached, but the program reads other maps or its counters are too few */
	HOOK_DEAD,  /* not attached */
};
enum hook_fit hook_fit(const struct slots *p, const struct iface *f, enum fw_hook hook, uint32_t nslots);

/*
 * Load a program. fresh: with a new counter map (else with the last of the chain, when that holds nslots, else with a new
 * one). Nothing visible changes.
 */
int hook_load(const struct slots *p, struct iface *f, enum fw_hook hook, bool frags, uint32_t nslots, bool fresh,
	      struct fail *fail, struct hook_program *ret);
void hook_program_close(struct hook_program *h);
/* Pin the new counters and put them into the record (which the caller saves): appended, or alone when replace is set. */
int hook_adopt_counters(struct hook_program *h, bool replace, struct fail *fail);

/*
 * Load anew what does not fit and swap it in under the packets. Every hook still serves the live generation. Interfaces
 * that are gone are passed over.
 */
int hooks_reload(struct slots *p, struct ifaces *list, const uint32_t nslots[FW_DIR_COUNT], struct fail *fail, bool *ret_reloaded);
/* Attach a TC hook of an interface; the caller saves the record. */
int hook_attach_tc(const struct slots *p, struct iface *f, enum fw_hook hook, uint32_t nslots, bool clsact, struct fail *fail);
/* The egress rules are gone: record, then hook, then counters. */
int hook_drop_egress(struct iface *f, struct fail *fail);

/* One more than the highest slot of an image, per direction. */
void hooks_slots(const struct fw_image *img, uint32_t ret_nslots[FW_DIR_COUNT]);

#endif
