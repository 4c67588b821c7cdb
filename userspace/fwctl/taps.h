/* SPDX-License-Identifier: GPL-2.0-only */
/* What taps.c and cmd_tap.c share: the taps of the policies, and their packets on the way to a capture or to lines. */
#ifndef FW_FWCTL_TAPS_H
#define FW_FWCTL_TAPS_H

#include "fwctl/follow.h"
#include "fwctl/pcapfilter.h"
#include "fwctl/tapfile.h"

#define TAPS_SNAP_MAX 65536

struct tapped {
	char policy[KERN_POLICY_MAX + 1];
	struct kern_tap *tap;
};

/* A packet that waits for its turn. */
struct waiting {
	uint64_t time_ns;
	size_t at; /* in `bytes` */
	size_t of;
};

struct taps {
	struct follow follow; /* names */
	uint32_t snap;
	unsigned long count;
	const char *expression;
	struct pcapfilter *filter;
	bool capture, json; /* else lines */
	struct tapfile file;
	struct sink sink; /* of lines */
	struct signals signals;
	struct tapped *v;
	size_t n;
	/* a batch */
	struct str bytes;
	struct {
		struct waiting *v;
		size_t n, cap;
	} queue;
	size_t of; /* whose packets are read */
	uint64_t read, lost, unwanted, shown;
	bool end; /* nothing more is wanted, or taken */
	struct fail fail;
};

struct sink *taps_sink(struct taps *t);
/* What the rings hold now, up to a batch, in the order of time. False: the end. *ret_more: there may be more. */
bool taps_pass(struct taps *t, bool *ret_more);
/* Until a signal, the count, the end of our reader, or of what is tapped. */
void taps_run(struct taps *t);

#endif
