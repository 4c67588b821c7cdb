/* SPDX-License-Identifier: GPL-2.0-only */
/* Where a tap's packets go: a capture, to a file that is begun anew when it is large or old, or to standard output. */
#ifndef FW_FWCTL_TAPFILE_H
#define FW_FWCTL_TAPFILE_H

#include "base/fail.h"
#include "fwctl/eventtext.h"
#include "fwctl/sink.h"

/* One per interface and hook, numbered as in the capture. */
struct tap_iface {
	unsigned int ifindex;
	enum fw_hook hook;
	char name[64];
	uint64_t received, written, dropped; /* since the file began; dropped: before the next packet of this interface */
};

struct tapfile {
	/* Set before tapfile_open. */
	const char *path; /* NULL: standard output */
	uint32_t snap;
	uint64_t rotate_bytes, rotate_ns; /* 0: never */
	unsigned long files; /* kept, the one that is written included; 0: all */
	int signals; /* a signalfd, -1: none; may be set later in `sink`, too */
	/* What is there. */
	struct sink sink;
	struct tap_iface *iface;
	size_t n, cap;
	uint64_t began_mono, began_wall, lost; /* of the file that is written */
	uint64_t written; /* packets, in all files */
	uint64_t number; /* of the last file that was put away: FILE.1, FILE.2 … */
	struct {
		uint64_t *v;
		size_t n, cap;
	} kept; /* with `files`: the numbers of those that are there */
	struct fail fail;
};
/* 0 or a negative errno with a sentence in f->fail. */
int tapfile_open(struct tapfile *f);
/* An interface that the capture describes from its start on. False: no memory. */
bool tapfile_iface(struct tapfile *f, unsigned int ifindex, enum fw_hook hook, const char *name);
/* `data`: of caplen bytes, tag put back. Each returns false at the end: see f->sink, f->fail. */
bool tapfile_packet(struct tapfile *f, const struct event_view *v, const uint8_t *data, uint32_t caplen, uint32_t wire);
/* A packet came that the expression did not want. */
bool tapfile_unwanted(struct tapfile *f, const struct event_view *v);
void tapfile_lost(struct tapfile *f, uint64_t n);
/* Write what is pending, begin anew when it is time. */
bool tapfile_settle(struct tapfile *f);
/* The statistics, and the last byte. */
bool tapfile_close(struct tapfile *f);
void tapfile_fini(struct tapfile *f);

#endif
