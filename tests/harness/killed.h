/* SPDX-License-Identifier: GPL-2.0-only */
/* kill -9 at a chosen system call. Between two calls only memory is written, so a kill before the next call covers it. */
#ifndef FW_HARNESS_KILLED_H
#define FW_HARNESS_KILLED_H

#include <stdbool.h>

/* Run fn in a child and kill it before its n-th call that may change something. False when it came to its end first. */
bool killed_at(void (*fn)(void), unsigned int n);

#endif
