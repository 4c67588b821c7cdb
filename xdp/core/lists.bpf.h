/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rules that stand in lists at the addresses (<fw/abi.h>, struct fw_node): of the source's node, then of the destination's.
 * Lists ascend by place, so the first entry that matches is the best of its list, and the second list is over where its
 * places pass what the first one found.
 */
#ifndef FW_CORE_LISTS_H
#define FW_CORE_LISTS_H

#include "rows.bpf.h"

/* What bpf_loop hands to its bodies: one of them, for stacks are short. */
struct fw_rest {
	struct fw_tabs t;
	const struct fw_pkt *pkt;
	struct fw_walk *w;
};

#define FW_SCAN_STEPS 8  /* entries in a round */
#define FW_SCAN_ROUNDS 4 /* before bpf_loop takes over: most lists are shorter */
#define FW_SCAN_MAX (FW_MAX_LIST + FW_MAX_LIST / FW_SCAN_STEPS + 1)

/* The list of a node that has many, by the number of the other side's node. Halving without a branch on the bounds. */
static __always_inline __u32 fw_part_find(const struct fw_tabs *t, const struct fw_node *node, __u32 other)
{
	__u64 at = t->d->units + node->list * 16, n = node->nparts, half, i;
	__u64 above;

	FW_NO_UNROLL
	for (i = 0; i < FW_PART_STEPS && n > 1; i++) {
		half = n >> 1;
		above = (__u64)other - fw_tab32(t, at + half * sizeof(struct fw_part)); /* negative: the bound is above */
		FW_OPAQUE(above);
		at += half * sizeof(struct fw_part) * (1 - (above >> 63));
		n -= half;
	}
	return fw_tab32(t, at + offsetof(struct fw_part, list));
}

/* Does the packet meet the conditions of a rule in a list that are not about addresses? */
static __always_inline int fw_svc_met(const struct fw_tabs *t, const struct fw_walk *w, __u64 svc)
{
	__u64 off = w->svc + (svc >> 6) * 8;

	return svc == FW_SVC_ANY || fw_and_rest(t, w, off, 1ull << (svc & 63));
}

/*
 * One round over a list: to the next entry whose addresses match, then its other conditions, outside of the loop, lest the
 * verifier walk them for each entry. 1: the list is over.
 */
static __always_inline int fw_scan(const struct fw_tabs *t, struct fw_walk *w)
{
	__u64 left = FW_FRESH(w->left), other = FW_FRESH(w->other), best = FW_FRESH(w->place), at = FW_FRESH(w->at), i;
	const __u8 *entry = t->base + (at & t->mask); /* FW_SCAN_STEPS of them are less than FW_SLOT_PAD */
	__u64 range, what = 0;

	FW_NO_UNROLL
	for (i = 0; i < FW_SCAN_STEPS; i++, entry += sizeof(struct fw_entry)) {
		if (i >= left)
			return 1;
		range = FW_GET64(entry);
		what = FW_GET64(entry + offsetof(struct fw_entry, place));
		if ((__u32)what >= best)
			return 1;
		if ((__u32)(other - (__u32)range) <= range >> 32)
			goto match;
	}
	w->at = at + FW_SCAN_STEPS * sizeof(struct fw_entry);
	w->left = left - FW_SCAN_STEPS;
	return 0;
match:
	w->at = at + (i + 1) * sizeof(struct fw_entry);
	w->left = left - (i + 1);
	if (!fw_svc_met(t, w, what >> 32))
		return 0;
	w->place = what;
	return 1;
}

static long fw_scan_rest(__u32 i, void *arg)
{
	struct fw_rest *rest = arg;

	return fw_scan(&rest->t, rest->w);
}

/* The lowest rule of both lists, into w->steps.best. */
static __always_inline void fw_lists_walk(const struct fw_tabs *t, struct fw_walk *w, struct fw_rest *rest)
{
	__u64 side, list, i;

	w->svc = (t->d->nsum + t->d->nwords) * 8;
	w->place = FW_PLACE_NONE;
	for (side = 0; side < 2; side++) {
		const struct fw_node *node = &w->node[side].n;

		w->other = w->node[!side].n.id;
		list = node->list;
		if (node->nparts)
			list = fw_part_find(t, node, w->other);
		if (!list)
			continue;
		w->at = t->d->units + FW_LIST_UNIT(list) * 16;
		w->left = FW_LIST_COUNT(list);
		FW_NO_UNROLL
		for (i = 0; i < FW_SCAN_ROUNDS; i++)
			if (fw_scan(t, w))
				break;
		if (i == FW_SCAN_ROUNDS)
			fw_env_loop(FW_SCAN_MAX, fw_scan_rest, rest);
	}
	if (w->place != FW_PLACE_NONE)
		w->steps.best = fw_action_get(t, w->place);
}

#endif
