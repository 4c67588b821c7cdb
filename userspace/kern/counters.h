/* SPDX-License-Identifier: GPL-2.0-only */
/* Counters of one hook of one interface: a chain of per-CPU maps, of which programs write the last. */
#ifndef FW_KERN_COUNTERS_H
#define FW_KERN_COUNTERS_H

#include "image/image.h"
#include "kern/iface.h"

struct counters_bases {
	struct fw_base *v;
	size_t n, cap;
};

/* All CPUs of one map. v has nslots elements and is added to; its times are the latest. */
int counters_add_map(int fd, uint32_t nslots, struct fw_cell *v, struct fail *fail);
/* What the sums show under the bases of a live image, and times by the clock of the policy. */
int counters_show(const struct iface *f, enum fw_hook hook, const struct fw_image *live, const struct fw_ctl *clock,
		  struct fail *fail, struct kern_counters *ret);
int counters_alloc(size_t n, struct kern_counters *ret);
/*
 * The records that `next` needs for this hook when it follows `live` (NULL: nothing to follow). Slots of next are assigned.
 * Numbers used here stand still: slots that live has no rule for are written by no program since the last switch.
 */
int counters_rebase(const struct iface *f, enum fw_hook hook, const struct fw_image *live, const struct fw_image *next,
		    struct fail *fail, struct counters_bases *out);

#endif
