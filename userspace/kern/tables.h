/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a policy remembers between packets, pinned beside its slots: flows, limits, SYN cookies, events. A table is made when the rules
 * first need it, and stays as long as the policy does, whatever the rules become: flows and buckets outlive generations.
 *
 *   flows  limits  buckets  cookies  events  event_cpus  log_limits      pins below p_<policy>
 *   taps  tap_cpus  tap_ctl                                               while somebody taps (tap.h)
 *
 * A table is real when the control word's features name what it is for. What is pinned and not named is a leftover.
 */
#ifndef FW_KERN_TABLES_H
#define FW_KERN_TABLES_H

#include "base/fail.h"
#include "kern/object.h"

#include <fw/abi.h>
#include <stdbool.h>
#include <stdint.h>

/* A map that programs share. */
struct table {
	int fd; /* -1: there is none */
	uint32_t id, entries;
	size_t value_size;
};

/* One more than the highest number that a CPU of this machine can have: the rings of events and taps. */
uint32_t tables_cpus(void);
/* Events in the ring of each of so many CPUs: a power of two. */
uint32_t tables_events(uint32_t cpus);
/* Sets of a flow table: a power of two, such that `flows` fill four fifths of the ways. */
uint32_t tables_sets(uint32_t flows);

/*
 * Make what `needed` asks for and ctl->features does not name, pin it (dir -1: do not), then name it. t: SHARED_TABLES of them.
 */
int tables_make(struct table *t, struct fw_ctl *ctl, uint32_t needed, const struct fw_state_opts *state, int dir, struct fail *fail);
/* Pin what was made without a directory. */
int tables_pin(const struct table *t, int dir, struct fail *fail);
/*
 * The maps of a tap, pinned, not yet named: for each CPU `packets` (a power of two) of `snap` bytes (a multiple of 8). Closed: programs
 * are loaded without them. Dropped: unpinned.
 */
int tables_make_tap(struct table *t, uint32_t snap, uint32_t packets, int dir, struct fail *fail);
void tables_close_tap(struct table *t);
void tables_drop_tap(int dir);
/* Open what ctl->features names; what is missing is left out, and made anew by the next tables_make. */
int tables_open(struct table *t, const struct fw_ctl *ctl, int dir, struct fail *fail);
/* Features whose tables are there. */
uint32_t tables_there(const struct table *t, const struct fw_ctl *ctl);
void table_close(struct table *t);
void tables_init(struct table *t, size_t n);
void tables_close(struct table *t, size_t n);
/* Is this the name of a table's pin, and does the control word not name it? */
bool tables_stray(const char *pin, const struct fw_ctl *ctl);
size_t tables_bytes(const struct table *t);

/* Rules that are new own these counter slots: their limits, and those of their `log`, begin full. */
int tables_clear_limits(const struct table *t, const uint32_t *slots, size_t n, enum fw_dir dir, struct fail *fail);

#endif
