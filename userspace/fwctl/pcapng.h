/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Captures in the form that Wireshark writes by itself (pcapng, draft-ietf-opsawg-pcapng), as bytes behind a struct str. Blocks are in
 * the byte order of this machine, as the form allows.
 */
#ifndef FW_FWCTL_PCAPNG_H
#define FW_FWCTL_PCAPNG_H

#include "base/str.h"

/* Begins a section: a file, or a stream. */
void pcapng_section(struct str *out, const char *os, const char *application);
/* The interfaces of a section are numbered from 0 in the order of their blocks. Ethernet, times in nanoseconds. */
void pcapng_interface(struct str *out, const char *name, const char *description, uint32_t snap);

enum pcapng_dir { PCAPNG_INBOUND = 1, PCAPNG_OUTBOUND = 2 };
/* What the program at the hook answered, as the kernel numbers answers. */
enum pcapng_verdict { PCAPNG_VERDICT_NONE = 0, PCAPNG_VERDICT_TC = 1, PCAPNG_VERDICT_XDP = 2 };
struct pcapng_packet {
	uint32_t iface;
	uint64_t time_ns;      /* CLOCK_REALTIME */
	const uint8_t *data;
	uint32_t caplen, wire; /* bytes here, bytes that the packet had */
	enum pcapng_dir dir;
	uint64_t dropped;      /* packets lost between the last one of the interface and this one */
	enum pcapng_verdict verdict_kind;
	uint64_t verdict;
	const char *comment;   /* UTF-8; NULL: none */
};
void pcapng_packet(struct str *out, const struct pcapng_packet *p);

struct pcapng_stats {
	uint32_t iface;
	uint64_t time_ns, start_ns;
	uint64_t received; /* that the kernel copied */
	uint64_t lost;     /* of those: overwritten before they were read */
	uint64_t written;
	const char *comment; /* NULL: none */
};
void pcapng_statistics(struct str *out, const struct pcapng_stats *s);

#endif
