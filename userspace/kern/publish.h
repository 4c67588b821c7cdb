/* SPDX-License-Identifier: GPL-2.0-only */
/* Make an image the live generation of a policy. */
#ifndef FW_KERN_PUBLISH_H
#define FW_KERN_PUBLISH_H

#include "kern/iface.h"
#include "kern/kern.h"
#include "kern/slots.h"

/* list: all interfaces (those of other policies are left alone). Fills generation, reloaded, publish_ns. */
int publish(struct slots *p, struct ifaces *list, struct image *img, struct fail *fail, struct kern_report *ret);
/* Do all hooks run programs that can serve this image as it is? */
bool publish_fits(const struct slots *p, const struct ifaces *list, const struct fw_image *img, const uint32_t nslots[FW_DIR_COUNT]);

#endif
