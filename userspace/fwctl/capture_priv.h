/* SPDX-License-Identifier: GPL-2.0-only */
/* What capture*.c share. */
#ifndef FW_FWCTL_CAPTURE_PRIV_H
#define FW_FWCTL_CAPTURE_PRIV_H

#include "fwctl/capture.h"

#include <string.h>

#define LINKTYPE_ETHERNET 1u

/* One interface of a section of pcapng. */
struct capture_iface {
	uint16_t link;
	uint32_t snap;
	uint8_t resol; /* if_tsresol */
	int64_t offset_s;
	char *name;
};

struct capture {
	struct fail *fail;
	char name[256]; /* escaped */
	/* The window: bytes at .. end of buf are the file's from `offset` on. */
	int fd; /* -1: what is in the window is all */
	uint8_t *buf;
	const uint8_t *bytes; /* buf, or somebody else's */
	size_t at, end, cap;
	uint64_t offset;
	/* of what is read */
	uint64_t number; /* packets so far */
	uint64_t last_ns;
	bool swapped, ng;
	uint32_t link; /* pcap */
	size_t record; /* bytes of its packet header */
	bool nano;
	struct {
		struct capture_iface *v;
		size_t n, cap;
	} ifaces;
	uint8_t *frame; /* CAPTURE_MAX_FRAME, for what does not stand in the file as it is judged */
	char skip[48];
};

/* n bytes in a row, NULL: the file has fewer, or cannot be read (then fail is set). Later calls may move them. */
const uint8_t *capture_peek(struct capture *c, size_t n);
void capture_take(struct capture *c, size_t n); /* peeked before */
/* False: the file has fewer. */
bool capture_skip(struct capture *c, uint64_t n);
/* Does it end here? */
bool capture_at_end(struct capture *c);
/* Is a sentence there? Then its errno; else the one about a capture that is damaged here: -EINVAL. `fmt` may be NULL:
 * cut short. */
int capture_broken(struct capture *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

int capture_ng_next(struct capture *c, struct capture_packet *p);
void capture_ng_forget(struct capture *c); /* the interfaces of a section */

/* The packet that stands in `data`, `have` of `len` bytes of it, as an Ethernet frame, or why it is none. */
void capture_frame(struct capture *c, uint32_t link, const uint8_t *data, size_t have, size_t len,
		   struct capture_packet *p);
/* Of the packet types of cooked captures. */
enum capture_way capture_way_cooked(unsigned int type);

static inline uint32_t capture_get32(const struct capture *c, const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return c->swapped ? __builtin_bswap32(v) : v;
}

static inline uint16_t capture_get16(const struct capture *c, const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, 2);
	return c->swapped ? __builtin_bswap16(v) : v;
}

#endif
