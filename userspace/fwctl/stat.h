/* SPDX-License-Identifier: GPL-2.0-only */
/* Counters of all hooks at one moment, summed by verdict and reason. */
#ifndef FW_FWCTL_STAT_H
#define FW_FWCTL_STAT_H

#include "fwctl/live.h"

struct stat_hook {
	char name[64]; /* of the interface */
	unsigned int ifindex;
	char policy[KERN_POLICY_MAX + 1];
	uint64_t generation;
	enum fw_hook hook;
	enum kern_mode mode;
	const struct fw_image *image; /* of the struct live */
	struct kern_counters counters;
	/* packets in = sum of verdicts = sum of reasons; packets of rules that are gone are in both */
	struct fw_counter total, verdict[FW_VERDICT_COUNT], reason[FW_REASON_COUNT];
};

struct stat_snap {
	struct stat_hook *v;
	size_t n;
	uint64_t at_ns; /* CLOCK_MONOTONIC */
};

/* All hooks, or those of one interface. Returns enum status, says what failed. */
int snap_take(struct live *l, const char *ifname, struct stat_snap *ret);
void snap_free(struct stat_snap *s);
/* The same hook in an earlier snapshot; NULL: it was not there. */
const struct stat_hook *snap_find(const struct stat_snap *s, const struct stat_hook *h);
/* The counter of a slot; zeros past the end. */
struct fw_counter stat_slot(const struct stat_hook *h, uint32_t slot);

#endif
