/* SPDX-License-Identifier: GPL-2.0-only */
/* Readers of the events of whoever has the tables: a policy, or a twin over an image. */
#ifndef FW_KERN_EVENTS_H
#define FW_KERN_EVENTS_H

#include "kern/kern.h"
#include "kern/tables.h"

/* -ENOENT without a sentence: it tells of nothing. */
int events_open(const struct table *shared, unsigned int flags, struct fail *fail, struct kern_events **ret);

#endif
