/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A program that judges packets and is attached to nothing: the policy's slots, and beside them maps of its own: a control
 * word that says which slot it judges by, a place for what it says, counters that nobody reads.
 *
 * The verifier takes some 0.2 s for one, so a policy keeps one per kind of hook, pinned beside its slots:
 *
 *   <hook>_ask_<sum>  <hook>_said_<sum>  <hook>_twin_<sum>      its control word, its answer, the program; pinned in this order
 *
 * The sum is over the program as it is inside this fwctl, its constants and the ids of the maps it shares: a twin by another build, or of
 * slots that were outgrown, has another name, is not found, and is swept away. So is half of one that a killed command left.
 * Without its pins a twin is loaded anew: slower, and nothing else.
 */
#ifndef FW_KERN_TWIN_H
#define FW_KERN_TWIN_H

#include "kern/kern.h"
#include "kern/slots.h"

struct twin {
	int prog_fd;
	int ask_fd, said_fd;
	struct fw_ctl *ask;
	struct fw_trace *said;
};

/* A twin on the slots of a policy, pinned nowhere yet. counters: a per-CPU map, -1: a small one that nobody reads. */
int twin_load(const struct slots *p, enum fw_hook hook, int counters, struct fail *fail, struct twin *ret);
void twin_close(struct twin *t);

/* The one that is pinned; -ENOENT when there is none that fits. */
int twin_get(const struct slots *p, enum fw_hook hook, struct twin *ret);
/* Pin it in the place of what was there. A failure leaves nothing that twin_get would take. */
int twin_put(const struct slots *p, enum fw_hook hook, const struct twin *t);
/* Unpin what twin_get would not find. */
void twin_sweep(const struct slots *p);

/*
 * Let the author of the rules ask the programs of `hooks` (a bit per enum fw_hook) by the generation in slot `index`, of a
 * policy that is pinned. 0, or what verify->ask returned.
 */
int twin_verify(struct slots *p, unsigned int hooks, unsigned int index, const struct fw_image *live,
		const struct kern_verify *verify, struct fail *fail);

#endif
