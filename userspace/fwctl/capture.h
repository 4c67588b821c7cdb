/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every packet of a capture file, one after the other: pcap (both byte orders, µs and ns, and the form with a longer
 * packet header) and pcapng (sections, interfaces, EPB, SPB, the old packet block). A file, a pipe or standard input;
 * nothing of it is kept.
 *
 * A file may lie about every length in it: what came before is read, the rest is refused with its place.
 */
#ifndef FW_FWCTL_CAPTURE_H
#define FW_FWCTL_CAPTURE_H

#include "base/fail.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CAPTURE_MAX_PACKET (1u << 18) /* bytes in the file: what libpcap takes */
#define CAPTURE_MAX_FRAME  65557      /* PACKET_MAX_FRAME */

enum capture_way { CAPTURE_WAY_UNKNOWN, CAPTURE_WAY_IN, CAPTURE_WAY_OUT };

struct capture_packet {
	uint64_t number;      /* in the file, from 1 */
	uint64_t ns;	      /* since 1970; the time of the packet before it when it has none of its own */
	const uint8_t *frame; /* Ethernet; till the next call */
	size_t len;	      /* as on the wire: what was cut off at capture is zero */
	size_t have;	      /* so many bytes are no such zeros */
	bool cut;	      /* have < len */
	bool made;	      /* the Ethernet header was made: MAC zero but for what the link layer tells */
	enum capture_way way;
	const char *ifname; /* bytes as they stand there, NULL: not said; till the next call */
	const char *skip;   /* not NULL: why this is no packet to be judged, in few words; frame is NULL then */
};

struct capture;

/* "-": standard input. `fail` stays in use. */
int capture_open(const char *path, struct fail *fail, struct capture **ret);
/* Over bytes that stay. */
int capture_open_bytes(const char *name, const uint8_t *bytes, size_t len, struct fail *fail, struct capture **ret);
void capture_close(struct capture *c);
static inline void capture_closep(struct capture **c)
{
	capture_close(*c);
}

/* 1: a packet. 0: the capture ends as it should. Negative errno: it is damaged or cut here, and `fail` says how. */
int capture_next(struct capture *c, struct capture_packet *ret);
/* The name for people, escaped. */
const char *capture_name(const struct capture *c);

/* "LINUX_SLL"; NULL: unknown. */
const char *capture_link_name(uint32_t link);

#endif
