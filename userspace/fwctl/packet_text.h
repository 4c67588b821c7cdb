/* SPDX-License-Identifier: GPL-2.0-only */
/* A packet that was seen, in the words that `explain` and `test` blocks read. */
#ifndef FW_FWCTL_PACKET_TEXT_H
#define FW_FWCTL_PACKET_TEXT_H

#include "base/str.h"
#include "model/packet.h"

/* `tcp 198.51.100.7:4000 -> 192.0.2.1:22 flags S vlan 7`. What cannot be parsed: its fault and its first bytes. */
void packet_text(const uint8_t *frame, size_t len, struct str *out);
/* The words of a packet that has been parsed already. */
void packet_text_of(const struct packet *p, struct str *out);

#endif
