/* SPDX-License-Identifier: GPL-2.0-only */
/* Rings (ring.h) in the memory of two maps: cells, and what each CPU did. */
#ifndef FW_KERN_RINGMAP_H
#define FW_KERN_RINGMAP_H

#include "base/fail.h"
#include "kern/ring.h"
#include "kern/tables.h"

/*
 * Map both and begin to read; held as for ring_start, tell: `lost` of the CPUs can be written. On failure, ring_unmap takes back what
 * there is of it.
 */
int ring_map(struct ring *r, const struct table *cells, const struct table *cpus, bool tell, bool held, struct fail *fail);
/* Also of one that is all zeros. */
void ring_unmap(struct ring *r);

#endif
