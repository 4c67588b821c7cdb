/* SPDX-License-Identifier: GPL-2.0-only */
/* Names that exist outside the C namespace: maps, programs, pins. Map names have at most 15 characters. */
#ifndef FW_NAMES_H
#define FW_NAMES_H

#define FW_MAP_CTL "fw_ctl"         /* struct fw_ctl, one element, mmap */
#define FW_MAP_SLOT0 "fw_slot0"     /* an image, one element, mmap */
#define FW_MAP_SLOT1 "fw_slot1"
#define FW_MAP_COUNTERS "fw_counters" /* struct fw_counter, per CPU */
#define FW_MAP_TRACE "fw_trace"     /* struct fw_trace, one element (twin only) */

#define FW_PROG_XDP "fwctl_xdp"
#define FW_PROG_TC_INGRESS "fwctl_tc_in"
#define FW_PROG_TC_EGRESS "fwctl_tc_out"

#define FW_PIN_ROOT "fwctl" /* directory below the bpffs mount, 0700 */

#endif
