/* SPDX-License-Identifier: GPL-2.0-only */
/* Waiting until every program that was running has ended: what it could still see may be written again. */
#ifndef FW_KERN_WAIT_H
#define FW_KERN_WAIT_H

#include "base/fail.h"

int wait_programs(struct fail *fail);

#endif
