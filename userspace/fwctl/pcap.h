/* SPDX-License-Identifier: GPL-2.0-only */
/* One Ethernet frame out of a capture file: pcap (both byte orders, µs and ns) or pcapng. */
#ifndef FW_FWCTL_PCAP_H
#define FW_FWCTL_PCAP_H

#include "base/fail.h"

#include <stddef.h>
#include <stdint.h>

/*
 * Read packet `number` (from 1) into buf. A packet that was cut at capture is filled up with zeros to its length on the
 * wire. Returns its length or a negative errno with its sentence in `fail`.
 */
long pcap_read(const char *path, unsigned long number, uint8_t *buf, size_t size, struct fail *fail);

#endif
