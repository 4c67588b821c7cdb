/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The same work for many interfaces, on all CPUs: the verifier takes its time for each program, and a link that comes waits
 * for running programs, one after the other what could be side by side.
 */
#ifndef FW_KERN_CREW_H
#define FW_KERN_CREW_H

#include "base/fail.h"

#include <stddef.h>

/*
 * work(ctx, 0) … work(ctx, n - 1), each once, unless one of them fails: then what was not begun is left out. Returns the first
 * error that was met, with its sentence. A few are done by the caller itself.
 */
int crew_run(size_t n, int (*work)(void *ctx, size_t i, struct fail *fail), void *ctx, struct fail *fail);

#endif
