/* SPDX-License-Identifier: GPL-2.0-only */
/* Where `top` gets its snapshots: the read lock is never waited for and held for moments. */
#ifndef FW_FWCTL_TOP_LIVE_H
#define FW_FWCTL_TOP_LIVE_H

#include "fwctl/top_draw.h"

struct top_live {
	struct live live;
	uint64_t room_at_ns, room_cost_ns; /* when flows were counted, and what it took */
	struct kern_events *events; /* of the rule that is looked at */
	char policy[KERN_POLICY_MAX + 1]; /* whose they are */
	uint64_t tag;
	struct top_sources sources; /* of them */
	uint64_t lost;
};

/*
 * One snapshot into the model, and into the drill when it is on. Returns enum status; what could not be had is said on stderr, but for
 * a lock that is taken: then *ret_busy. wait: for the lock.
 */
int top_live_take(struct top_live *t, struct top_model *m, struct top_ui *ui, bool wait, bool *ret_busy);
void top_live_fini(struct top_live *t);

#endif
