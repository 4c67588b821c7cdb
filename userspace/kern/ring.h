/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A reader of rings that the datapath writes and nobody empties (<fw/abi.h>, "Events"): those of events and those of the tap. Where
 * the memory comes from is not its business.
 *
 *   struct fw_event *cell;
 *   while (wanted && (cell = ring_peek(r, cpu, end, &lost))) {
 *           copy(cell);
 *           if (ring_took(r, cpu, cell, &lost))
 *                   the copy is an event;
 *   }
 *
 * For each CPU, what was taken and what was lost is together, exactly, how far the head came.
 */
#ifndef FW_KERN_RING_H
#define FW_KERN_RING_H

#include <fw/abi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring {
	const uint8_t *cells; /* each begins with a struct fw_event */
	size_t stride;
	struct fw_event_cpu *cpu;
	uint32_t cpus;
	uint64_t size;        /* cells of one CPU: a power of two */
	uint64_t *at;         /* by CPU: number of the event to be read next */
	uint32_t first;       /* where the next round begins */
};

/* Fields up to `size` are set. held: begin with what is still there, else with what comes. -ENOMEM. */
int ring_start(struct ring *r, bool held);
void ring_fini(struct ring *r);

/* The head of a CPU: events before it have been begun. */
uint64_t ring_head(const struct ring *r, uint32_t cpu);
/*
 * The next cell of a CPU to copy, of an event before `end`. NULL: none, or it is being written at this moment, and will be there
 * the next time. Events that were overwritten are added to *lost and passed over.
 */
const struct fw_event *ring_peek(struct ring *r, uint32_t cpu, uint64_t end, uint64_t *lost);
/* It was copied. False: it was overwritten meanwhile, and is lost. */
bool ring_took(struct ring *r, uint32_t cpu, const struct fw_event *cell, uint64_t *lost);

#endif
