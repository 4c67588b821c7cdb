/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tap of a policy: maps beside its tables, and programs that copy packets into them (FW_FEAT_TAP), on every hook, as long as one
 * process wants it.
 *
 *   p_<policy>/tap_<pid>              a directory, flock'ed by that process: the lock dies with it, however it ends
 *   p_<policy>/taps tap_cpus tap_ctl  the maps
 *
 * Start:  directory, lock; maps pinned; named by the control word's features; programs loaded, then swapped in; filter switched on.
 * End:    programs without it loaded and swapped in; features without it; maps unpinned; the directory removed, last.
 *
 * So while anything of a tap is there, its directory is, and says whether somebody wants it. When nobody does, the next command
 * that writes goes through all steps of the end. Till then hooks run programs that judge as the others do.
 */
#ifndef FW_KERN_TAP_H
#define FW_KERN_TAP_H

#include "kern/iface.h"
#include "kern/slots.h"

/* Who taps the policy: a process, 0 for nobody. */
unsigned int tap_holder(const struct slots *p);
/* Make the directory of this process and lock it, as long as *ret_fd is open. */
int tap_lock(const struct slots *p, struct fail *fail, int *ret_fd);
/* Everything up to where the filter is switched on. A failure leaves nothing. */
int tap_on(struct slots *p, struct ifaces *list, uint32_t snap, uint32_t packets, struct fail *fail);
/* The end, for whoever's tap; 0 when there is none. */
int tap_off(struct slots *p, struct ifaces *list, struct fail *fail);
/* The end of a tap that nobody holds. What cannot be mended now is left to the next command: packets are judged as ever. */
void tap_sweep(struct slots *p, struct ifaces *list);

#endif
