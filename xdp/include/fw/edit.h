/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How user space edits live sets: it fills an array, and runs xdp/fw_set.bpf.c once over it. Elements are written by programs
 * alone, so what a rule bans and what a command edits at the same time never lose each other.
 */
#ifndef FW_EDIT_H
#define FW_EDIT_H

#include <fw/abi.h>

#define FW_MAP_EDITS "fw_edits" /* struct fw_edits, one element, mmap */
#define FW_PROG_EDIT "fwctl_set"

/* At once: a batch keeps the packets of its CPU waiting. */
#define FW_EDITS 1024

enum fw_edit_op {
	FW_EDIT_ADD,  /* or prolong */
	FW_EDIT_DEL,
	FW_EDIT_REAP, /* delete, if it has ended */
};
enum fw_edit_result {
	FW_EDIT_NOTHING, /* it was there, or was not */
	FW_EDIT_DONE,
	FW_EDIT_FULL,    /* the set is */
	FW_EDIT_NO_ROOM, /* the maps are, or there is no memory */
	FW_EDIT_AGAIN,
};
#define FW_EDITF_FORCE 1u /* the new end replaces a later one */
#define FW_EDITF_RULE 2u  /* not by a command */

struct fw_edit {
	__u8 op, result;
	__u8 place;
	__u8 flags;
	__u8 l3, plen; /* plen of the family */
	__u8 zero[2];
	__u32 addr[4]; /* wire order; IPv4 in [0]; bits behind the prefix are 0 */
	__u64 end_ns;
};
struct fw_edits {
	__u32 n;
	__u32 reserved;
	__u64 now_ns;
	struct fw_edit v[FW_EDITS];
};

/*
 * fw_live.members above the places: bit FW_LIVE_HAND + place says that a command put it there. Goes with the place's bit;
 * programs on hooks neither set nor read it.
 */
#define FW_LIVE_HAND 16
#define FW_LIVE_BITS(place) (1ull << (place) | 1ull << (FW_LIVE_HAND + (place)))
#define FW_LIVE_MEMBERS ((1ull << FW_LIVE_PLACES) - 1)

#endif
