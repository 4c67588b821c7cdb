/* SPDX-License-Identifier: GPL-2.0-only */
/* Names that exist outside the C namespace: maps, programs, pins. Map names have at most 15 characters. */
#ifndef FW_NAMES_H
#define FW_NAMES_H

#define FW_MAP_CTL "fw_ctl"         /* struct fw_ctl, one element, mmap */
#define FW_MAP_SLOT0 "fw_slot0"     /* an image, one element, mmap */
#define FW_MAP_SLOT1 "fw_slot1"
#define FW_MAP_COUNTERS "fw_counters" /* struct fw_cell, per CPU */
#define FW_MAP_TRACE "fw_trace"     /* struct fw_trace, one element (twin only) */

/* Of the policy, when its rules need them */
#define FW_MAP_FLOWS "fw_flows"     /* struct fw_flow_set, mmap: established flows, then half-open ones */
#define FW_MAP_LIMITS "fw_limits"   /* __u64, mmap: limits of whole rules */
#define FW_MAP_BUCKETS "fw_buckets" /* struct fw_bucket_set, mmap: limits by key, seats of max-conn */
#define FW_MAP_EVENTS "fw_events"   /* struct fw_event, mmap: a ring per CPU */
#define FW_MAP_EVENT_CPUS "fw_event_cpus" /* struct fw_event_cpu per CPU, mmap */
#define FW_MAP_LOG_LIMITS "fw_log_limits" /* __u64, mmap: `log limit`, by counter slot * 2 + direction */
/* Of the policy, while somebody taps */
#define FW_MAP_TAPS "fw_taps"       /* struct fw_tap and the packet's bytes, mmap: a ring per CPU */
#define FW_MAP_TAP_CPUS "fw_tap_cpus" /* struct fw_event_cpu per CPU, mmap */
#define FW_MAP_TAP_CTL "fw_tap_ctl" /* struct fw_tap_ctl, one element, mmap */
/* Of the namespace: live sets */
#define FW_MAP_LIVE_CTL "fw_live"     /* struct fw_live_ctl, one element, mmap */
#define FW_MAP_LIVE_FILTER "fw_live_filter" /* struct fw_live_filter, one element, mmap */
#define FW_MAP_LIVE_HOST4 "fw_live_host4"
#define FW_MAP_LIVE_HOST6 "fw_live_host6"
#define FW_MAP_LIVE_NET4 "fw_live_net4"
#define FW_MAP_LIVE_NET6 "fw_live_net6"
#define FW_MAP_LIVE_COUNT "fw_live_count"
/* The policy's part in SYN cookies: when the last one was sent */
#define FW_MAP_COOKIES "fw_cookies"

#define FW_PROG_XDP "fwctl_xdp"
#define FW_PROG_XDP_ANSWERS "fwctl_xdp_ans" /* in its place with FW_FEATS_ANSWER; not for twins, which only say it */
#define FW_PROG_TC_INGRESS "fwctl_tc_in"
#define FW_PROG_TC_EGRESS "fwctl_tc_out"

#define FW_PIN_ROOT "fwctl" /* directory below the bpffs mount, 0700 */

#endif
