/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which events are wanted, and the loop that takes them from a source. Nothing here knows the kernel, a name or a format: millions
 * of events go by each second, and most commands want few of them.
 */
#ifndef FW_FWCTL_EVENTLOOP_H
#define FW_FWCTL_EVENTLOOP_H

#include <fw/abi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All that is said must hold. A zeroed filter with `verdicts` and `reasons` of ~0u wants everything. */
struct event_filter {
	uint32_t verdicts, reasons; /* bits */
	bool picks;                 /* only these rules; none of them there: nothing */
	const uint32_t *slot;       /* FW_TAP_SLOT(slot, direction): they outlive a generation */
	size_t nslots;
	const uint32_t *rule;       /* FW_TAP_SLOT(index, direction) of the same rules in `generation`: over a limit of theirs, say */
	size_t nrules;
	uint64_t generation;
	bool ifaces;                /* only these */
	const unsigned int *ifindex;
	size_t nifs;
	uint64_t since_ns, until_ns; /* CLOCK_MONOTONIC; until 0: no end */
	uint8_t l3;                 /* enum fw_l3 of the address, on either side; FW_L3_OTHER: any packet */
	uint32_t addr[4], mask[4];  /* wire order */
};
bool event_matches(const struct event_filter *f, const struct fw_event *e);

/* What kern_events_read is, or a test. */
struct event_source {
	size_t (*read)(void *ctx, struct fw_event *buf, size_t n, uint64_t *ret_lost);
	void *ctx;
};

struct event_item {
	struct fw_event event;
	size_t of; /* number of the source, for the caller */
};
/* Events that are wanted. The memory is the caller's, and the loop never asks for more. */
struct event_batch {
	struct event_item *v;
	size_t n, cap;
};
struct event_tally {
	uint64_t read, kept, lost;
};

#define EVENT_READ 512 /* at a time: 64 KiB, which stay in the cache */
/*
 * Read until there is nothing now, or the batch has no room for another read, or `most` have been read. True: there may be more.
 * Takes no memory and prints nothing.
 */
bool events_drain(const struct event_source *src, const struct event_filter *f, size_t of, uint64_t most, struct event_batch *b,
		  struct event_tally *t);
/* Each CPU's events come in their order; this is that of time. */
void events_sort(struct event_batch *b);

#endif
