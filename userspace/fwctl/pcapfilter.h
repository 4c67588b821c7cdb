/* SPDX-License-Identifier: GPL-2.0-only */
/* Expressions of libpcap ("tcp port 22 and host 192.0.2.7"), asked of bytes in memory. No device is opened and no name is looked up. */
#ifndef FW_FWCTL_PCAPFILTER_H
#define FW_FWCTL_PCAPFILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pcapfilter;
/* For Ethernet frames of which `snap` bytes are there. NULL: `why` says what libpcap thinks of the expression. */
struct pcapfilter *pcapfilter_new(const char *expression, uint32_t snap, char *why, size_t why_size);
void pcapfilter_free(struct pcapfilter *f);
bool pcapfilter_matches(const struct pcapfilter *f, const uint8_t *data, uint32_t caplen, uint32_t wire);

#endif
