// SPDX-License-Identifier: GPL-2.0-only
#include "kern/ring.h"

#include <errno.h>
#include <stdlib.h>

#define TRIES 64 /* looks at a cell that is being written, some 100 ns: writing takes about as long */

int ring_start(struct ring *r, bool held)
{
	r->at = calloc(r->cpus, sizeof(*r->at));
	if (!r->at)
		return -ENOMEM;
	for (uint32_t c = 0; c < r->cpus; c++) {
		r->at[c] = ring_head(r, c);
		if (held)
			r->at[c] = r->at[c] > r->size ? r->at[c] - r->size : 0;
	}
	r->first = 0;
	return 0;
}

void ring_fini(struct ring *r)
{
	free(r->at);
	r->at = NULL;
}

uint64_t ring_head(const struct ring *r, uint32_t cpu)
{
	return __atomic_load_n(&r->cpu[cpu].head, __ATOMIC_ACQUIRE);
}

static const struct fw_event *cell_at(const struct ring *r, uint32_t cpu, uint64_t number)
{
	return (const struct fw_event *)(r->cells + (cpu * r->size + (number & (r->size - 1))) * r->stride);
}

static void pause_a_little(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

/*
 * Whoever writes event n + size of a CPU has moved the head past it first. So a cell with an old number, or none, belongs to the
 * event that we look for as long as the head, read after the number, is not further than a round ahead.
 */
const struct fw_event *ring_peek(struct ring *r, uint32_t cpu, uint64_t end, uint64_t *lost)
{
	for (int i = 0; i < TRIES && r->at[cpu] < end; i++) {
		const struct fw_event *cell = cell_at(r, cpu, r->at[cpu]);
		uint64_t head;

		if (__atomic_load_n(&cell->number, __ATOMIC_ACQUIRE) == r->at[cpu] + 1)
			return cell;
		head = ring_head(r, cpu);
		if (head > r->at[cpu] + r->size) {
			*lost += head - r->size - r->at[cpu];
			r->at[cpu] = head - r->size;
		} else {
			pause_a_little();
		}
	}
	return NULL;
}

bool ring_took(struct ring *r, uint32_t cpu, const struct fw_event *cell, uint64_t *lost)
{
	bool whole;

	/* What was copied was read before the number is read again. */
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	whole = __atomic_load_n(&cell->number, __ATOMIC_RELAXED) == r->at[cpu] + 1;
	r->at[cpu]++;
	*lost += !whole;
	return whole;
}
