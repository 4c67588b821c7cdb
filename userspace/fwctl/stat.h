/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kernel shows at one moment: counters of all hooks summed by verdict and reason, flows, live sets, events. */
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
	uint64_t last_ns; /* of the last packet at all: CLOCK_MONOTONIC; 0: none */
	enum kern_link link;
	bool attached;
};

/* What belongs to a policy and not to a hook of it. */
struct stat_policy {
	char name[KERN_POLICY_MAX + 1];
	uint64_t generation;
	bool tracks; /* keeps state: room is there */
	struct kern_flow_room room;
	bool logs;   /* tells of packets: events is there */
	struct kern_event_counts events;
};

struct stat_snap {
	struct stat_hook *v;
	size_t n;
	struct stat_policy *policy; /* those of the hooks, each once */
	size_t npolicies;
	struct kern_set *set; /* live sets of the namespace, by name */
	size_t nsets;
	uint64_t at_ns; /* CLOCK_MONOTONIC */
	uint64_t real_ns; /* CLOCK_REALTIME of the same moment */
};

/* All hooks, or those of one interface. Returns enum status, says what failed. */
int snap_take(struct live *l, const char *ifname, struct stat_snap *ret);
/*
 * The same with these parts alone; the others are zeros. Counting flows reads the whole table, 150 bytes for each place: who asks often,
 * or under a lock that others wait for, asks for it seldom.
 */
#define SNAP_ROOM 1u
#define SNAP_EVENTS 2u
#define SNAP_SETS 4u
#define SNAP_ALL 7u
int snap_take_parts(struct live *l, const char *ifname, unsigned int parts, struct stat_snap *ret);
void snap_free(struct stat_snap *s);
/* The same hook in an earlier snapshot; NULL: it was not there. */
const struct stat_hook *snap_find(const struct stat_snap *s, const struct stat_hook *h);
/* The counter of a slot; zeros past the end. */
struct fw_counter stat_slot(const struct stat_hook *h, uint32_t slot);
/* When its last packet came; 0: never. */
uint64_t stat_slot_last(const struct stat_hook *h, uint32_t slot);
/* The same for all that met a verdict, or had a reason; rules that are gone are not in it. */
uint64_t stat_verdict_last(const struct stat_hook *h, enum fw_verdict verdict);
uint64_t stat_reason_last(const struct stat_hook *h, enum fw_reason reason);
/* CLOCK_MONOTONIC of the snapshot's time → CLOCK_REALTIME; 0 stays 0. */
uint64_t stat_real(const struct stat_snap *s, uint64_t ns);
/* NULL: no hook has it. */
const struct stat_policy *stat_policy(const struct stat_snap *s, const char *name);

#endif
