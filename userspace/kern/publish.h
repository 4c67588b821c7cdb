/* SPDX-License-Identifier: GPL-2.0-only */
/* Make an image the live generation of a policy. */
#ifndef FW_KERN_PUBLISH_H
#define FW_KERN_PUBLISH_H

#include "kern/iface.h"
#include "kern/kern.h"
#include "kern/slots.h"

/*
 * list: all interfaces (those of other policies are left alone). Fills generation, reloaded, written, publish_ns, verify_ns.
 * verify: NULL: nobody asks.
 */
int publish(struct slots *p, struct ifaces *list, struct image *img, const struct kern_verify *verify, struct fail *fail,
	    struct kern_report *report);
/* The same in two halves: up to where the new generation is proved, and from there on. The report goes from one to the other. */
int publish_prepare(struct slots *p, struct ifaces *list, struct image *img, const struct kern_verify *verify, struct fail *fail,
		    uint32_t ret_nslots[FW_DIR_COUNT], struct kern_report *report);
int publish_commit(struct slots *p, struct ifaces *list, const struct image *img, const uint32_t nslots[FW_DIR_COUNT],
		   struct fail *fail, struct kern_report *report);
/* Do all hooks run programs that can serve this image as it is? */
bool publish_fits(const struct slots *p, const struct ifaces *list, const struct fw_image *img, const uint32_t nslots[FW_DIR_COUNT]);

#endif
