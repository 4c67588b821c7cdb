/* SPDX-License-Identifier: GPL-2.0-only */
/* The clock that programs read (struct fw_ctl): timer ticks, set against CLOCK_MONOTONIC once, when a policy is made. */
#ifndef FW_KERN_CLOCK_H
#define FW_KERN_CLOCK_H

#include "base/fail.h"

#include <fw/abi.h>
#include <stdint.h>

uint64_t clock_now_ns(void);  /* CLOCK_MONOTONIC */
uint64_t clock_wall_ns(void); /* CLOCK_REALTIME */
/* The kernel's count of ticks, by a program that reads it. */
int clock_ticks(struct fail *fail, uint64_t *ret);
/* CLOCK_MONOTONIC of a tick, by the policy's clock; 0: none. */
uint64_t clock_of_tick(const struct fw_ctl *ctl, uint64_t tick);
/* Clock and secrets of a new control word. */
int clock_start(struct fw_ctl *ctl, struct fail *fail);

#endif
