/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Live sets as text that outlives the kernel. Ends are on the wall clock:
 *
 *     saved 2026-11-28T15:00:00Z
 *     set banned
 *     192.0.2.7 until 2026-11-28T16:00:00Z added 2026-11-28T14:00:00Z reason too many passwords
 *     2001:db8::/32 for ever
 */
#ifndef FW_FWCTL_SETSAVE_H
#define FW_FWCTL_SETSAVE_H

#include "fwctl/cmd.h"

/* `set save NAME…`, `set save --all`; `set restore`. */
int setsave_save(const struct args *a);
int setsave_restore(const struct args *a);

#endif
