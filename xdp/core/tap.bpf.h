/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tap: copies of packets, with what became of them, for who looks at this moment. Only programs that are loaded while somebody does
 * have this at all.
 */
#ifndef FW_CORE_TAP_H
#define FW_CORE_TAP_H

#include "event.bpf.h"

#define FW_TAP_MOST 65535u /* bytes that the kernel copies at once */

static __always_inline int fw_tap_picked(const __u32 pick[FW_TAP_PICKS], __u32 n, __u32 value)
{
	__u32 i;

	if (!n)
		return 1;
	FW_NO_UNROLL
	for (i = 0; i < FW_TAP_PICKS && i < n; i++)
		if (pick[i] == value)
			return 1;
	return 0;
}

/* What is to be remembered of a rule that does not decide. */
static __always_inline void fw_met(const struct fw_tabs *t, struct fw_scratch *s, __u64 action)
{
	__u32 n;

	fw_mark(t, s, action);
	if (!FW_TAPS)
		return;
	n = s->told.nmet;
	s->told.nmet = n + 1;
	FW_OPAQUE(n);
	s->told.met[n & (FW_MAX_COUNT_RULES - 1)] = action;
}

static long fw_tap_met(__u32 i, void *arg)
{
	const struct fw_tap_ctl *want = *(const struct fw_tap_ctl **)arg;
	__u32 zero = 0;
	struct fw_scratch *s = fw_env_lookup(&fw_scratch, &zero);

	if (!s)
		return 1;
	s->told.picked = fw_tap_picked(want->slot, want->nslots, FW_TAP_SLOT(s->told.met[i & (FW_MAX_COUNT_RULES - 1)], fw_cfg.dir & 1));
	return s->told.picked;
}

/* Does the packet count in one of the slots that are wanted: as what decided, or on its way? */
static __always_inline int fw_tap_counts(const struct fw_tap_ctl *want, struct fw_scratch *s)
{
	if (fw_tap_picked(want->slot, want->nslots, FW_TAP_SLOT((__u32)s->hit.slot, fw_cfg.dir & 1)))
		return 1;
	s->told.picked = 0;
	fw_env_loop(s->told.nmet, fw_tap_met, &want);
	return FW_FRESH(s->told.picked);
}

/* The bytes of the frame, wherever they are. How many. */
static __always_inline __u32 fw_tap_copy(FW_CTX *ctx, __u8 *data, __u64 n)
{
	__u64 most = fw_cfg.tap_snap, last;

	if (most > FW_TAP_MOST)
		most = FW_TAP_MOST;
	if (n > most)
		n = most;
	last = n - 1;
	FW_OPAQUE(last); /* one comparison tells the verifier both bounds; older ones learn nothing from "not 0" */
	if (last >= most || fw_env_load(ctx, 0, data, last + 1))
		return 0;
	return last + 1;
}

/* Copy the packet in the scratch memory, which has been judged, if the filter wants it. */
int fw_tap(FW_CTX *ctx);
FW_GLOBAL int fw_tap(FW_CTX *ctx)
{
	__u32 zero = 0, cpu = fw_env_cpu();
	struct fw_scratch *s = fw_env_lookup(&fw_scratch, &zero);
	const struct fw_ctl *ctl = fw_env_lookup(&fw_ctl, &zero);
	const struct fw_tap_ctl *want;
	struct fw_event_cpu *c;
	struct fw_tap *tap;
	__u64 number;

	if (!FW_TAPS)
		return 0;
	want = fw_env_lookup(&fw_tap_ctl, &zero);
	if (!s || !ctl || !want || !want->on)
		return 0;
	if (!(want->verdicts >> (s->hit.verdict & 31) & 1) || !(want->reasons >> (s->told.reason & 31) & 1) ||
	    !fw_tap_picked(want->ifindex, want->nifs, fw_env_ifindex(ctx)) || !fw_tap_counts(want, s))
		return 0;
	c = fw_env_lookup(&fw_tap_cpus, &cpu);
	if (!c)
		return 0;
	tap = fw_ring_next(&fw_taps, fw_cfg.tap_mask, c, cpu, &number);
	if (!tap)
		return 0;
	tap->event.time_ns = fw_now_fine(ctl);
	tap->event.rule = s->hit.rule;
	tap->event.slot = s->hit.slot;
	tap->event.sample = 1;
	tap->event.kind = FW_EVENT_TAP;
	fw_event_packet(&tap->event, ctx, s);
	tap->wire = fw_env_len(ctx);
	tap->vlan_tci = fw_env_vlan_tci(ctx);
	tap->vlan_proto = fw_env_vlan_proto(ctx);
	tap->caplen = fw_tap_copy(ctx, (__u8 *)(tap + 1), tap->wire);
	fw_exchange(&tap->event.number, number);
	return 1;
}

#endif
